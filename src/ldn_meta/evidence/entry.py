"""Rows to be added to the raw tables: what nobody typed and the other answers decide."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault, ParameterError, did_you_mean
from ldn_meta.evidence.effects.rows import NOT_STATED, OF_EVENTS, RATIO_MEASURES
from ldn_meta.evidence.raw.bias import ELIGIBLE, NOBODY, OVERALL, fitting_tool
from ldn_meta.evidence.raw.faults import FACT_KEYS, IDENTIFIERS, LOG, SIZES, UNTRACEABLE
from ldn_meta.evidence.raw.review import read_toml
from ldn_meta.files import EMPTY, NOT_APPLICABLE, NOT_REPORTED, TO_DO

if TYPE_CHECKING:
    from ldn_meta.evidence.raw.tables import Dictionary, Table


# Tables that answers can add to, each before those that point to it.
TABLES = (
    *("sources", "studies", "arms", "outcomes", "study_facts"),
    *("arm_stats", "arm_events", "contrasts", "risk_of_bias", LOG),
)
Row = dict[str, str]


@dataclass
class Answers:
    """What people said about new rows."""

    shared: Row = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, table: str) -> list[Row]:
        """Rows of a table; a list to add to."""
        return self.rows.setdefault(table, [])


# A file of answers


def read_answers(path: Path, dictionary: Dictionary) -> Answers:
    """Read a file of answers.

    A section is named after a raw table (``[studies]``, or ``[[arms]]`` for several rows), its
    entries after columns. Entries above the first section hold for every new row that leaves
    the column open. Numbers keep the digits that were typed; true and false are yes and no.
    """
    content = read_toml(path, "name a file of answers", error=ParameterError, parse_float=str)
    answers = Answers()
    problems: list[str] = []
    columns = {name: dictionary.tables[name].columns for name in TABLES}
    anywhere = {column for names in columns.values() for column in names}

    def cells(where: str, row: Mapping[str, Any], known: Collection[str]) -> Row:
        found = {}
        for column, value in row.items():
            if column not in known:
                problems.append(_unknown(where, column, known))
            if isinstance(value, bool):
                found[column] = "yes" if value else "no"
            elif isinstance(value, int | str):
                found[column] = str(value)
            else:
                remedy = "is neither text nor number; put it between quotes"
                problems.append(f"{where}{column}: {value!r} {remedy}")
        return found

    for name, value in content.items():
        if not isinstance(value, dict | list):
            answers.shared |= cells("", {name: value}, anywhere)
        elif name not in columns:
            problems.append(_unknown("", name, columns))
        else:
            for row in value if isinstance(value, list) else [value]:
                if isinstance(row, dict):
                    answers.of(name).append(cells(f"{name}: ", row, columns[name]))
                else:
                    remedy = f"write [[{name}]] and its columns below"
                    problems.append(f"{name}: {row!r} is no row; {remedy}")
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ParameterError(f"{path} cannot be read as answers:\n{listed}")
    return answers


def _unknown(where: str, name: str, known: Collection[str]) -> str:
    hint = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
    return f"{where}{name!r} is unknown; {hint}"


def answers_text(answers: Answers) -> str:
    """Write answers as ``read_answers`` reads them."""
    # A string of JSON is a basic string of TOML.
    parts = [("", answers.shared)]
    parts += [(f"\n[[{name}]]\n", row) for name in TABLES for row in answers.rows.get(name, ())]
    return "".join(
        head + "".join(f"{column} = {json.dumps(text)}\n" for column, text in row.items())
        for head, row in parts
    )


# Cells that follow from others

# What a column says if no answer does. Other optional columns say NR, required ones are asked for.
USUAL = {
    "reliability": "normal",
    "preferred": "yes",
    "direction": "not stated",
    "counted": "people",
    **dict.fromkeys(
        (
            *("note", "preferred_reason", "timepoint", "qualifier", "overlaps_with", "url"),
            *("correlation_basis", "iqr_width", "statistic_name", "range_kind", "value_low"),
            *("value_high", "threshold_pct", "responder_rule", "unlabelled_spread"),
            *("address", "checked_against", "value_seen", "agrees", "resolution"),
        ),
        NOT_APPLICABLE,
    ),
}
# A count of printed decimals, and the number it counts them of.
DECIMALS = {
    "estimate_decimals": "estimate",
    "p_decimals": "p_value",
    "percent_decimals": "percent",
}
# Columns whose printed numbers stand in as_reported if nobody typed that.
PRINTED = {
    "arms": ("n_randomised", "n_completed", "n_analysed"),
    "study_facts": ("value", "value_low", "value_high"),
    "arm_stats": (
        *("n", "mean", "sd", "se", "unlabelled_spread", "ci_low", "ci_high"),
        *("median", "q1", "q3", "range_low", "range_high"),
    ),
    "arm_events": ("events", "n", "percent"),
    "contrasts": ("estimate", "ci_low", "ci_high", "p_value"),
}
COMPARATOR, FURTHER_ARM = "comparator", "further arm"
_LEVEL = "0.95"


@dataclass(frozen=True)
class _Known:
    """What decides a cell: its row so far, the study, its report, and the arms of the study."""

    row: Row
    study: Row
    source: Row
    arms: Sequence[Row]
    treatment: str

    def has(self, *columns: str) -> bool:
        return any(is_value(self.row.get(column)) for column in columns)

    def arm(self, group: str) -> str:
        return next((arm["arm_id"] for arm in self.arms if arm["group"] == group), "")

    @property
    def group(self) -> str:
        return self.row.get("group", str(min(len(self.arms) + 1, 3)))

    @property
    def comparator(self) -> str:
        told = self.study.get("comparator_class")
        return str(told) if is_value(told) else COMPARATOR

    @property
    def is_paired(self) -> str:
        return "yes" if "crossover" in self.study.get("design", "") else "no"


_DECIDED: dict[tuple[str, str], Callable[[_Known], str]] = {
    ("studies", "source_id"): lambda k: k.source.get("source_id", ""),
    ("studies", "label"): lambda k: _label(k.source),
    ("studies", "year"): lambda k: k.source.get("year", NOT_REPORTED),
    ("studies", "registry_id"): lambda k: k.source.get("registry_id", NOT_APPLICABLE),
    ("studies", "washout"): lambda k: (
        NOT_REPORTED if "crossover" in k.row.get("design", "") else NOT_APPLICABLE
    ),
    ("sources", "note"): lambda k: (
        NOT_APPLICABLE if k.has(*IDENTIFIERS) else f"{UNTRACEABLE}no identifier was typed"
    ),
    ("arms", "group"): lambda k: k.group,
    ("arms", "label"): lambda k: {"1": k.treatment, "2": k.comparator, "3": FURTHER_ARM}.get(
        k.group, ""
    ),
    ("arms", "treatment"): lambda k: k.study.get(
        {"1": "intervention", "2": COMPARATOR}.get(k.group, ""), ""
    ),
    ("contrasts", "arm_1"): lambda k: k.arm("1"),
    ("contrasts", "arm_2"): lambda k: k.arm("2") or NOT_APPLICABLE,
    ("contrasts", "is_paired"): lambda k: k.is_paired,
    ("contrasts", "estimand"): lambda k: (
        OF_EVENTS if k.row.get("measure") in RATIO_MEASURES else NOT_STATED
    ),
    ("contrasts", "ci_level"): lambda k: _LEVEL if k.has("ci_low", "ci_high") else NOT_REPORTED,
    ("contrasts", "p_relation"): lambda k: "=" if k.has("p_value") else NOT_REPORTED,
    ("contrasts", "n_2"): lambda k: (
        NOT_APPLICABLE if k.row.get("is_paired", k.is_paired) == "yes" else NOT_REPORTED
    ),
    ("arm_stats", "ci_level"): lambda k: _LEVEL if k.has("ci_low") else NOT_REPORTED,
}


class NewRows:
    """New rows as they fill up, and the keys that are taken."""

    def __init__(
        self, dictionary: Dictionary, taken: Mapping[str, Collection[str]], treatment: str
    ) -> None:
        self.dictionary, self.treatment = dictionary, treatment
        self.keys = {name: set(taken.get(name, ())) for name in dictionary.tables}
        self.done: dict[str, list[Row]] = {name: [] for name in TABLES}

    def add(self, name: str, row: Row) -> None:
        """Take a row that is filled."""
        self.keys[name].add(row[self.dictionary.tables[name].key])
        self.done[name].append(row)

    def filled(self, name: str, cells: Row, shared: Row) -> Row:
        """Fill one row as far as other answers decide it."""
        table = self.dictionary.tables[name]
        known = {column: text for column, text in shared.items() if column != table.key} | cells
        row: Row = {}
        # The key is named after the other cells, so it comes last.
        for column in sorted(table.columns, key=lambda n: (n == table.key, n in DECIMALS)):
            text = known.get(column)
            row[column] = self._default(table, column, known | row) if text is None else text
        return {column: row[column] for column in table.columns}

    def _default(self, table: Table, column: str, row: Row) -> str:
        """One cell that nobody typed."""
        # The new study a row is about: the one it names, or the only one.
        studies = self.done["studies"]
        named = [one for one in studies if one["study_id"] == row.get("study_id")]
        study = _only(named or ([] if "study_id" in row else studies))
        if column == table.key:
            return self._free_key(table.name, row)
        if column in DECIMALS:
            return decimals(row.get(DECIMALS[column], ""))
        if column == "as_reported" and table.name in PRINTED:
            numbers = [row[name] for name in PRINTED[table.name] if is_value(row.get(name))]
            # A row of values without any has to be answered.
            return "; ".join(numbers) or (NOT_REPORTED if table.name == "arms" else "")
        if column == "study_id" and study and table.name != "studies":
            return study[column]
        if column in ("reported_in", "read_in"):
            # The report of the study itself, unless an answer names another text.
            return row.get("reported_in") or row.get("source_id") or study.get("source_id", "")
        decided = _DECIDED.get((table.name, column))
        if decided is not None:
            arms = [a for a in self.done["arms"] if row.get("study_id") in (None, a["study_id"])]
            return decided(_Known(row, study, _only(self.done["sources"]), arms, self.treatment))
        if (
            table.name == "study_facts"
            and column == "unit"
            and row.get("fact", "").startswith("n_")
        ):
            return "people"
        if column in USUAL:
            return USUAL[column]
        described = next(entry for entry in table.fields if entry["name"] == column)
        is_required: bool = described.get("constraints", {}).get("required", False)
        return "" if is_required else NOT_REPORTED

    def _free_key(self, name: str, row: Row) -> str:
        """What a row is about as its key, numbered if that is taken."""
        stem = _key_stem(name, row)
        key, count = stem, 2
        while key in self.keys[name]:
            key, count = f"{stem}-{count}", count + 1
        return key


def slug(text: str, joint: str = "-") -> str:
    """Turn words into what a key may hold: small letters and digits, joined."""
    # Letters without their accents; what has none stands apart.
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return joint.join(re.findall(r"[a-z0-9]+", plain))


def decimals(text: str) -> str:
    """Count the digits behind the point of a printed number; NA for what is none."""
    found = re.fullmatch(r"-?\d+(?:\.(\d+))?", text)
    return str(len(found.group(1) or "")) if found else NOT_APPLICABLE


def is_value(text: str | None) -> bool:
    """Whether a cell holds something other than a label for a missing value."""
    return text is not None and text not in EMPTY


def _key_stem(name: str, row: Row) -> str:
    study = row.get("study_id", "")
    if name == "sources":
        return slug(_label(row), "")
    if name == "studies":
        return row.get("source_id", "")
    if name == LOG:
        return f"{study}-{slug(row.get('reading', ''))}"
    if name == "outcomes":
        return slug(f"{row.get('instrument', '')} {row.get('construct', '')}", "_")
    if name in ("arms", "risk_of_bias"):
        return f"{study}-{slug(row.get('label' if name == 'arms' else 'domain', ''))}"
    arm = row.get("arm_id", "").removeprefix(f"{study}-")
    qualifier = row.get("qualifier", "")
    parts = {
        "study_facts": (row.get("fact", ""), qualifier if is_value(qualifier) else ""),
        "arm_stats": (row.get("statistic_of", ""), arm),
        "arm_events": (arm,),
        "contrasts": (row.get("measure", ""),),
    }[name]
    outcome = row.get("outcome_id", "")
    week = slug(row.get("timepoint_weeks", NOT_REPORTED))
    stem = [study, *([outcome] if outcome else [])]
    stem += [] if name == "study_facts" else [f"w{week}"]
    return "-".join([*stem, *(slug(part) for part in parts if part)])


def _label(source: Row) -> str:
    """First author and year."""
    authors, year = source.get("authors", ""), source.get("year", "")
    surname = re.split(r"[\s,;&]+", authors.strip())[0] if is_value(authors) else ""
    return f"{surname} {year if is_value(year) else ''}".strip()


def _only(rows: Sequence[Row]) -> Row:
    """The one row, if there is one and no more."""
    return rows[0] if len(rows) == 1 else {}


def complete(
    answers: Answers,
    dictionary: Dictionary,
    taken: Mapping[str, Collection[str]],
    *,
    treatment: str,
) -> tuple[dict[str, list[Row]], list[Fault]]:
    """Fill every cell of the new rows.

    Sizes of a study get the row of ``study_facts`` that says where they were read, and a study
    that is eligible the row of ``risk_of_bias`` that says that nobody has judged it.
    """
    new = NewRows(dictionary, taken, treatment)
    faults: list[Fault] = []
    for name in TABLES:
        table = dictionary.tables[name]
        given = answers.rows.get(name, ())
        implied: Iterable[Row] = ()
        if name == "study_facts":
            implied = _implied_sizes(new.done["studies"], given)
        elif name == LOG:
            implied = () if given else _implied_readings(new.done)
        elif name == "risk_of_bias":
            # Nobody has read for a judgement; the report itself will be read first.
            read_from = {"read_from": answers.shared.get("read_from", "full text")}
            implied = (row | read_from for row in _implied_judgements(new.done["studies"], given))
        for place, cells in enumerate([*given, *implied], 1):
            row = new.filled(name, cells, answers.shared)
            for column in (column for column in table.columns if row[column] == ""):
                rule = "nobody has filled this cell, and nothing decides it"
                remedy = "datapackage.json says what it means"
                faults.append(Fault(name, place, column, "", rule, remedy))
            key = row[table.key]
            if key in new.keys[name]:
                rule = f"this key is in {name} already, and nothing there is overwritten"
                faults.append(Fault(name, place, table.key, key, rule, "choose another key"))
            new.add(name, row)
    return {name: rows for name, rows in new.done.items() if rows}, faults


def _implied_sizes(studies: Sequence[Row], given: Sequence[Row]) -> Iterator[Row]:
    """Where the sizes of new studies were read, as far as nobody says so."""
    for study in studies:
        told = {
            (row.get("study_id", study["study_id"]), row.get("fact"))
            for row in given
            if row.get("qualifier", NOT_APPLICABLE) == NOT_APPLICABLE
        }
        for size in SIZES:
            if is_value(study[size]) and (study["study_id"], size) not in told:
                about = {"study_id": study["study_id"], "reported_in": study["source_id"]}
                yield about | {"fact": size, "value": study[size]}


def _implied_readings(done: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """That the values of each study were read a first time."""
    typed = Counter(row["study_id"] for name in FACT_KEYS for row in done[name])
    for study, rows in typed.items():
        first = {"reading": "first", "scope": "every value row of the study", "rows": str(rows)}
        yield {"study_id": study, **first}


def _implied_judgements(studies: Sequence[Row], given: Sequence[Row]) -> Iterator[Row]:
    """That nobody has judged the new studies yet."""
    for study in studies:
        asked = {row.get("study_id", study["study_id"]) for row in given}
        if study["study_id"] not in asked and study["eligible_for"] in ELIGIBLE:
            yield {
                "study_id": study["study_id"],
                "reported_in": study["source_id"],
                "tool": fitting_tool(
                    study["design"],
                    is_randomised=study["is_randomised"],
                    eligible_for=study["eligible_for"],
                ),
                "domain": OVERALL,
                "judgement": TO_DO,
                "reason": "not judged yet",
                "judged_by": NOBODY,
                "locator": "not judged yet",
            }
