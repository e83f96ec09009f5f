"""The questions of CONTRIBUTING.md, one by one, each answer checked at once."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from ldn_meta import paths
from ldn_meta.errors import (
    DataError,
    Fault,
    LdnMetaError,
    NewRowsError,
    ParameterError,
    did_you_mean,
)
from ldn_meta.evidence.entry.rows import TABLES, Answers, Row, complete, filled, is_value
from ldn_meta.evidence.raw.faults import cell_check, row_check
from ldn_meta.evidence.raw.tables import Dictionary, load_dictionary
from ldn_meta.files import csv_records, csv_rows, csv_text, exclusive_writer, write_together


def read_answers(path: Path, dictionary: Dictionary) -> Answers:
    """Read a file of answers.

    A section is named after a raw table (``[studies]``, or ``[[arms]]`` for several rows), its
    entries after columns. Entries above the first section hold for every new row that leaves
    the column open. Numbers keep the digits that were typed; true and false are yes and no.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except FileNotFoundError as error:
        raise ParameterError(f"{path} is missing; name a file of answers") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is no TOML: {error}") from error
    answers, problems = Answers(), []
    columns = {name: dictionary.tables[name].columns for name in TABLES}
    anywhere = {column for names in columns.values() for column in names}
    for name, value in content.items():
        if not isinstance(value, dict | list):
            problems += _unknown("", name, anywhere)
            answers.shared[name], fault = _cell(name, value)
            problems += fault
        elif name not in columns:
            problems += _unknown("", name, columns)
        else:
            for row in value if isinstance(value, list) else [value]:
                cells, faults = _row(name, row, columns[name])
                answers.of(name).append(cells)
                problems += faults
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ParameterError(f"{path} cannot be read as answers:\n{listed}")
    return answers


def answers_text(answers: Answers) -> str:
    """Write answers as ``read_answers`` reads them."""
    return "\n".join(_lines(answers))


def _lines(answers: Answers) -> Iterator[str]:
    # A string of JSON is a basic string of TOML.
    for column, text in answers.shared.items():
        yield f"{column} = {json.dumps(text)}"
    for table in TABLES:
        for row in answers.rows.get(table, ()):
            yield f"\n[[{table}]]"
            for column, text in row.items():
                yield f"{column} = {json.dumps(text)}"
    yield ""


def _row(table: str, row: Any, columns: Collection[str]) -> tuple[Row, list[str]]:
    if not isinstance(row, Mapping):
        return {}, [f"{table}: {row!r} is no row; write [[{table}]] and its columns below"]
    cells: Row = {}
    faults: list[str] = []
    for column, value in row.items():
        faults += _unknown(f"{table}: ", column, columns)
        cells[column], fault = _cell(f"{table}: {column}", value)
        faults += fault
    return cells, faults


def _cell(what: str, value: Any) -> tuple[str, list[str]]:
    if isinstance(value, bool):
        return ("yes" if value else "no"), []
    if isinstance(value, int | str):
        return str(value), []
    return "", [f"{what}: {value!r} is neither text nor number; put it between quotes"]


def _unknown(where: str, name: str, known: Collection[str]) -> list[str]:
    if name in known:
        return []
    hint = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
    return [f"{where}{name!r} is unknown; {hint}"]


DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class ForeignFile:
    """Header and lines of a file; ``lines`` are (number in the file, cells)."""

    header: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]


def read_foreign(path: Path) -> ForeignFile:
    """Read a table whose cells are set apart by commas, semicolons or tabs."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not UTF-8; save it as CSV UTF-8") from error
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = [(line, tuple(cells)) for line, cells in csv_rows(text, delimiter=delimiter)]
    if len(rows) <= 1:
        raise ParameterError(f"{path} has no line below its header")
    header = tuple(name.strip() for name in rows[0][1])
    lines = [(number, cells) for number, cells in rows[1:] if any(c.strip() for c in cells)]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems = [f"two columns are called {name!r}" for name in twice]
    problems += [
        f"line {number} has {len(cells)} cells, the header {len(header)}"
        for number, cells in lines
        if len(cells) != len(header)
    ]
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ParameterError(f"{path} is no table:\n{listed}")
    return ForeignFile(header, tuple(lines))


# Other columns have a usual value (evidence/entry/rows.py); an answer file can give any.
ASKED = {
    "sources": (
        *("kind", "authors", "year", "title", "container", "doi", "pmid", "registry_id"),
        *("url", "source_id"),
    ),
    "studies": (
        *("study_id", "indication_id", "label", "year", "status", "design", "is_randomised"),
        *("blinding", "washout", "population", "intervention", "dose_low_mg_per_day"),
        *("dose_high_mg_per_day", "comparator", "comparator_class", "duration_weeks"),
        *("n_enrolled", "n_randomised", "n_completed", "n_analysed", "registry_id"),
        *("eligible_for", "eligibility_reason", "overlaps_with", "note"),
    ),
    "arms": (
        *("group", "label", "treatment", "n_randomised", "n_completed", "n_analysed"),
        *("locator", "as_reported", "arm_id"),
    ),
    "outcomes": (
        *("outcome_id", "construct", "construct_label", "instrument", "kind", "domain"),
        *("benefit_sign", "scale_min", "scale_max", "unit", "threshold_pct", "responder_rule"),
    ),
    "study_facts": (
        *("fact", "qualifier", "value", "value_low", "value_high", "range_kind", "unit"),
        *("locator", "as_reported", "read_from"),
    ),
    "arm_stats": (
        *("arm_id", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set"),
        *("statistic_of", "n", "mean", "sd", "se", "ci_low", "ci_high", "ci_level", "median"),
        *("q1", "q3", "locator", "as_reported", "read_from", "note"),
    ),
    "arm_events": (
        *("arm_id", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set", "counted"),
        *("events", "n", "percent", "locator", "as_reported", "read_from", "note"),
    ),
    "contrasts": (
        *("arm_1", "arm_2", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set"),
        *("measure", "is_paired", "is_adjusted", "estimate", "ci_low", "ci_high", "ci_level"),
        *("p_value", "p_relation", "n_1", "n_2", "direction", "locator", "as_reported"),
        *("read_from", "note"),
    ),
}
# Which rows the report can be asked for after the arms, as people say it.
VALUE_KINDS = {
    "difference": "contrasts",
    "means": "arm_stats",
    "events": "arm_events",
    "fact": "study_facts",
    "done": "",
}
# Columns whose answer is the usual one for the rows after it.
CARRIED = ("locator", "read_from", "outcome_id", "timepoint_weeks", "analysis_set", "statistic_of")


def _no(*columns: str) -> Callable[[Row], bool]:
    return lambda row: not any(is_value(row.get(column)) for column in columns)


def _is_text_only(row: Row) -> bool:
    return row.get("measure") == "statement"


_NEEDLESS: dict[tuple[str, str], Callable[[Row], bool]] = {
    ("sources", "url"): lambda row: not _no("doi", "pmid")(row),
    ("studies", "washout"): lambda row: "crossover" not in row.get("design", ""),
    ("arm_stats", "timepoint"): lambda row: is_value(row.get("timepoint_weeks")),
    ("arm_events", "timepoint"): lambda row: is_value(row.get("timepoint_weeks")),
    ("contrasts", "timepoint"): lambda row: is_value(row.get("timepoint_weeks")),
    ("arm_stats", "se"): lambda row: is_value(row.get("sd")),
    ("arm_stats", "ci_high"): _no("ci_low"),
    ("arm_stats", "ci_level"): _no("ci_low"),
    ("arm_stats", "q1"): _no("median"),
    ("arm_stats", "q3"): _no("median"),
    ("contrasts", "estimate"): _is_text_only,
    ("contrasts", "ci_low"): _no("estimate"),
    ("contrasts", "ci_high"): _no("ci_low"),
    ("contrasts", "ci_level"): _no("ci_low"),
    ("contrasts", "n_2"): lambda row: row.get("is_paired") == "yes",
    ("outcomes", "scale_min"): lambda row: row.get("kind") != "continuous",
    ("outcomes", "scale_max"): lambda row: row.get("kind") != "continuous",
    ("outcomes", "threshold_pct"): lambda row: row.get("kind") != "binary",
    ("outcomes", "responder_rule"): lambda row: row.get("kind") != "binary",
    ("study_facts", "range_kind"): _no("value_low", "value_high"),
}


def is_needless(table: str, column: str, row: Row) -> bool:
    """Whether the answers before make a question needless."""
    rule = _NEEDLESS.get((table, column))
    return rule is not None and rule(row)


HEADER_LINES = 1


@dataclass(frozen=True)
class Added:
    """What was added, or would be."""

    rows: dict[str, list[Row]]
    effects: tuple[dict[str, Any], ...]
    left_out: tuple[dict[str, Any], ...]
    is_written: bool = False

    @property
    def count(self) -> int:
        """Number of new rows."""
        return sum(len(rows) for rows in self.rows.values())


def taken_keys(folder: Path, dictionary: Dictionary) -> dict[str, set[str]]:
    """Keys on file, by table."""
    return {
        name: {row[table.key] for row in read_rows(folder, name)}
        for name, table in dictionary.tables.items()
    }


def read_rows(folder: Path, name: str) -> list[Row]:
    """Rows of one raw table as typed; none where the file is missing."""
    file = folder / f"{name}.csv"
    return csv_records(file) if file.is_file() else []


def add_rows(answers: Answers, *, write: bool = True) -> Added:
    """Complete, check and add rows."""
    folder = paths.raw_data()
    dictionary = load_dictionary(folder)
    with exclusive_writer():
        rows, faults = complete(answers, dictionary, taken_keys(folder, dictionary))
        if faults:
            raise NewRowsError(faults)
        if not rows:
            raise LdnMetaError("there is no row to add")
        before = {name: (folder / f"{name}.csv").read_bytes() for name in rows}
        after = {
            name: with_rows(before[name], dictionary.tables[name].columns, rows[name])
            for name in rows
        }
        effects, left_out = _on_a_copy(folder, rows, after)
        if not write:
            return Added(rows, effects, left_out)
        if any((folder / f"{name}.csv").read_bytes() != data for name, data in before.items()):
            raise LdnMetaError("data/raw changed while the rows were checked; try again")
        write_together({folder / f"{name}.csv": data for name, data in after.items()})
    return Added(rows, effects, left_out, is_written=True)


def with_rows(data: bytes, columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Put rows among those of a table, by their first column; no other line changes."""
    lines = [f"{line}\n" for line in _lines_raw_rows(data)]
    for row in rows:
        cells = [row[column] for column in columns]
        keys = [_key_of(line) for line in lines[HEADER_LINES:]]
        place = next((i for i, key in enumerate(keys) if key > cells[0]), len(keys))
        lines.insert(HEADER_LINES + place, csv_text([cells]))
    return "".join(lines).encode()


def _lines_raw_rows(data: bytes) -> list[str]:
    """Lines of a table; nothing but a line feed ends one."""
    return data.decode("utf-8").removesuffix("\n").split("\n")


def _key_of(line: str) -> str:
    return next((cells[0] for _, cells in csv_rows(line) if cells), "")


def _on_a_copy(
    folder: Path, rows: Mapping[str, list[Row]], after: Mapping[str, bytes]
) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """Check the whole with the new rows, and say what becomes of them."""
    from ldn_meta.evidence.audit.consistency import check_consistency, refuse_inconsistent
    from ldn_meta.evidence.effects.effects import as_saved, normalise
    from ldn_meta.evidence.load import load_evidence
    from ldn_meta.evidence.raw.protocol import load_protocol

    with TemporaryDirectory(dir=paths.build(), prefix=".raw-") as scratch:
        copy = Path(scratch) / "raw"
        shutil.copytree(folder, copy)
        for name, data in after.items():
            (copy / f"{name}.csv").write_bytes(data)
        try:
            evidence, protocol = load_evidence(copy), load_protocol(copy)
            effects, left_out = normalise(evidence, protocol)
            effects = as_saved(effects)
            refuse_inconsistent(evidence, check_consistency(evidence, protocol, effects, left_out))
        except DataError as error:
            # Faults that were there before are not of these rows.
            load_evidence(folder)
            raise _of_new_rows(error, rows, after) from error
    new = {f"{name}:{next(iter(row.values()))}" for name, some in rows.items() for row in some}
    kept = ("effect_id", "study_label", "construct", "measure", "yi", "ci_low", "ci_high", "unit")
    found = tuple(
        {name: row[name] for name in (*kept, "is_selected", "selected_why")}
        for row in effects.to_dict("records")
        if new & set(row["rows"].split(" "))
    )
    lost = tuple(
        {name: row[name] for name in ("table", "row_id", "reason")}
        for row in left_out.to_dict("records")
        if f"{row['table']}:{row['row_id']}" in new
    )
    return found, lost


def _of_new_rows(
    error: DataError, rows: Mapping[str, list[Row]], after: Mapping[str, bytes]
) -> NewRowsError:
    """Faults by the place of the new row, instead of by line of a copy nobody sees."""
    ours: list[Fault] = []
    elsewhere: list[Fault] = []
    for fault in error.faults:
        new = [next(iter(row.values())) for row in rows.get(fault.table, ())]
        keys = [_key_of(line) for line in _lines_raw_rows(after.get(fault.table, b""))]
        # A rule may name the line of another row.
        rule = re.sub(
            r"\bline (\d+)",
            lambda found: _told_place(int(found[1]), keys, new),  # noqa: B023  (used at once)
            fault.rule,
        )
        if fault.line <= len(keys) and keys[fault.line - 1] in new:
            place = new.index(keys[fault.line - 1]) + 1
            ours.append(replace(fault, line=place, rule=rule))
        else:
            elsewhere.append(replace(fault, line=_old_line(fault.line, keys, new), rule=rule))
    return NewRowsError(ours, elsewhere)


def _told_place(line: int, keys: Sequence[str], new: Sequence[str]) -> str:
    if line <= len(keys) and keys[line - 1] in new:
        return f"new row {new.index(keys[line - 1]) + 1}"
    return f"line {_old_line(line, keys, new)}"


def _old_line(line: int, keys: Sequence[str], new: Sequence[str]) -> int:
    """Line in the file on disk, where the new rows before it are not."""
    return line - sum(key in new for key in keys[:line])


EXPLAIN = "?"
NEW = "new"
TWO_ARMS = 2


class Interview:
    """Asks about one trial; ``answers`` holds what was said so far."""

    def __init__(self, folder: Path, dictionary: Dictionary) -> None:
        self.answers = Answers()
        self._dictionary = dictionary
        self._keys = taken_keys(folder, dictionary)
        self._outcomes = {row["outcome_id"]: row for row in read_rows(folder, "outcomes")}
        self._done: dict[str, list[Row]] = {}
        self._last: Row = {}
        self._open: dict[str, Row] = {}

    @property
    def name(self) -> str:
        """Key of the study, or of its report; "answers" before there is one."""
        for table in ("studies", "sources"):
            for row in self._done.get(table, ()):
                return row[self._dictionary.tables[table].key]
        return "answers"

    def so_far(self) -> Answers:
        """What was said, with the rows that were not said to their end."""
        rows = {name: list(some) for name, some in self.answers.rows.items()}
        for name, cells in self._open.items():
            rows.setdefault(name, []).append(cells)
        return Answers(dict(self.answers.shared), {name: r for name, r in rows.items() if any(r)})

    def run(self) -> Answers:
        """Ask everything."""
        click.echo(
            "Enter takes the answer in brackets, ? explains a question, Ctrl-C breaks off.\n"
            "NR is not reported, NA does not apply, TODO is not extracted yet.\n"
            "Type what the report prints; compute nothing."
        )
        self.answers.shared["extracted_by"] = self._cell("study_facts", "extracted_by", {}, "")
        self._source()
        self._row("studies")
        study = self._done["studies"][0]
        self._read_from()
        self._sizes(study)
        while True:
            self._row("arms")
            count = len(self._done["arms"])
            is_compared = study["eligible_for"] == "contrast"
            wanted = TWO_ARMS if is_compared else 1
            if not click.confirm(f"Another arm ({count} so far)?", default=count < wanted):
                break
        while table := VALUE_KINDS[self._choice("What does the report print next", VALUE_KINDS)]:
            self._row(table)
        return self.answers

    def _source(self) -> None:
        click.echo("\nThe report (sources.csv)")
        while True:
            text = click.prompt("source_id of a report on file, or new", default=NEW).strip()
            if text == EXPLAIN:
                click.echo("  Is the report in sources.csv already, as for a second trial in it?")
            elif text == NEW:
                self._row("sources")
                return
            elif self._is_known(text, self._keys["sources"], "sources"):
                self.answers.shared["source_id"] = text
                return

    def _read_from(self) -> None:
        text = self._cell("arms", "read_from", {}, "")
        self.answers.shared["read_from"] = self._last["read_from"] = text

    def _sizes(self, study: Row) -> None:
        """Each number of people gets the row that says where it was read."""
        sizes = [name for name in ASKED["studies"] if name.startswith("n_")]
        given = [name for name in sizes if is_value(study[name])]
        if given:
            click.echo(f"\nWhere does the report print {', '.join(given)}?")
            place = self._cell("study_facts", "locator", {}, "")
            self._last["locator"] = place
            for name in given:
                cells = {"fact": name, "value": study[name], "locator": place}
                self._keep("study_facts", cells)

    def _row(self, table: str) -> None:
        """Ask for one row, until no rule objects."""
        click.echo(f"\n{self._dictionary.tables[table].description} ({table}.csv)")
        cells = self._open[table] = {}
        open_ones: Collection[str] = ASKED[table]
        while open_ones:
            for column in ASKED[table]:
                if column in open_ones and not is_needless(table, column, cells):
                    cells[column] = self._cell(
                        table, column, cells, self._usual(table, cells)[column]
                    )
            faults = row_check(self._dictionary, table, self._usual(table, cells))
            for fault in faults:
                click.echo(f"  {fault.column}: {fault.rule}; {fault.remedy}")
            open_ones = self._to_mend(table, faults)
        self._keep(table, cells)

    def _to_mend(self, table: str, faults: Sequence[Fault]) -> set[str]:
        """Columns to ask again: those at fault, and those that a rule holds against them."""
        named = {fault.column for fault in faults}
        for fault in faults:
            words = re.findall(r"[a-z0-9_]+", fault.rule)
            named |= {word for word in words if "_" in word and word in ASKED[table]}
        return set(ASKED[table]) if named - set(ASKED[table]) else named

    def _keep(self, table: str, cells: Row) -> None:
        row = self._usual(table, cells)
        self._open.pop(table, None)
        key = self._dictionary.tables[table].key
        self._keys[table].add(row[key])
        self._done.setdefault(table, []).append(row)
        self.answers.of(table).append({**cells, key: row[key]})
        if table == "outcomes":
            self._outcomes[row[key]] = row
        self._last |= {name: row[name] for name in CARRIED if name in cells}

    def _usual(self, table: str, cells: Row) -> Row:
        """The row with what was not answered as it would be filled."""
        carried = {name: text for name, text in self._last.items() if name in CARRIED}
        return filled(
            self._dictionary.tables[table],
            cells,
            {**carried, **self.answers.shared},
            self._done,
            self._keys[table],
        )

    def _cell(self, table: str, column: str, cells: Row, usual: str) -> str:
        """Ask for one cell, until no rule objects."""
        field = next(f for f in self._dictionary.tables[table].fields if f["name"] == column)
        choices = self._choices(field)
        if choices:
            numbered = [f"{place} {name}" for place, name in enumerate(choices, 1)]
            click.echo(f"  {'   '.join(numbered)}")
        while True:
            text = str(click.prompt(column, default=usual or None)).strip()
            if text == EXPLAIN:
                click.echo(f"  {field['description']}{self._further(column)}")
                continue
            if choices and text.isdigit() and 1 <= int(text) <= len(choices):
                text = choices[int(text) - 1]
            if column == "outcome_id" and table != "outcomes" and text == NEW:
                self._row("outcomes")
                return self._done["outcomes"][-1]["outcome_id"]
            if self._is_fine(table, column, text):
                return text

    def _is_fine(self, table: str, column: str, text: str) -> bool:
        """Whether an answer can stand; says why not."""
        whole = self._dictionary.tables[table]
        for fault in cell_check(self._dictionary, table, column, text):
            click.echo(f"  {text!r} {fault.rule}; {fault.remedy}")
            return False
        if column == whole.key and text in self._keys[table]:
            click.echo(f"  {text!r} is in {table} already, and nothing there is overwritten")
            return False
        for name, target, _ in whole.foreign_keys:
            if name == column and is_value(text):
                known: Collection[str] = self._keys[target]
                if target == "arms":
                    known = [arm["arm_id"] for arm in self._done.get("arms", ())]
                return self._is_known(text, known, target)
        return True

    def _is_known(self, text: str, known: Collection[str], table: str) -> bool:
        if text in known:
            return True
        hint = did_you_mean(text, known, most=3) or "? lists what there is"
        click.echo(f"  {text!r} is not in {table}; {hint}")
        return False

    def _choices(self, field: dict[str, Any]) -> list[str]:
        """Categories of a column that are words; numbers are typed as they are."""
        if field["name"] == "indication_id":
            return sorted(self._keys["indications"])
        if field["type"] == "boolean":
            return ["yes", "no"]
        return [str(v) for v in field.get("constraints", {}).get("enum", ()) if isinstance(v, str)]

    def _further(self, column: str) -> str:
        """What there is to choose from, where the dictionary does not say it."""
        if column == "outcome_id":
            listed = [
                f"\n    {name}: {row['construct_label']}, {row['instrument']} ({row['unit']})"
                for name, row in sorted(self._outcomes.items())
            ]
            return f"\n  `{NEW}` describes another one. On file:{''.join(listed)}"
        if column in ("arm_id", "arm_1", "arm_2"):
            return f" {', '.join(arm['arm_id'] for arm in self._done.get('arms', ()))}"
        return ""

    def _choice(self, question: str, choices: Sequence[str] | dict[str, str]) -> str:
        names = list(choices)
        click.echo(f"\n  {'   '.join(f'{place} {name}' for place, name in enumerate(names, 1))}")
        while True:
            text = click.prompt(question, default=names[-1]).strip()
            if text.isdigit() and 1 <= int(text) <= len(names):
                return names[int(text) - 1]
            if text in names:
                return str(text)
            click.echo(
                "  difference: between arms; means: of one arm; events: people of one arm; "
                "fact: any other number; done: that is all"
            )
