"""What people bring: a new review, new rows (all or none), and a whole trial in questions."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from jinja2 import Environment

from ldn_meta import files
from ldn_meta.display.words import capitalised
from ldn_meta.errors import (
    ArgumentError,
    DataError,
    Fault,
    LdnMetaError,
    NewRowsError,
    ParameterError,
    did_you_mean,
)
from ldn_meta.evidence.entry import (
    Answers,
    NewRows,
    Row,
    answers_text,
    complete,
    is_value,
    slug,
)
from ldn_meta.evidence.foreign import RATIOS
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.bias import NOBODY
from ldn_meta.evidence.raw.faults import cell_check, row_check
from ldn_meta.evidence.raw.protocol import load_protocol
from ldn_meta.evidence.raw.review import check_type, load_review, read_toml
from ldn_meta.evidence.raw.tables import (
    BESIDE,
    DESCRIPTOR,
    Dictionary,
    content_hash,
    dictionary_bytes,
    load_dictionary,
    sealed,
)
from ldn_meta.files import (
    csv_records,
    csv_rows,
    csv_text,
    exclusive_writer,
    rounded,
    write_together,
    write_whole,
)

# A new review

KINDS_OF_OUTCOME = ("lower", "higher", "harm")
PEOPLE = "people"
# Pages that hold for one review alone, and where parameters.toml begins to name conditions.
_OWN_PAGES = ("92_dose",)
_SETTINGS = "\n[once]"
# Without a range stated every dose answers the question.
_ANY_DOSE = (0.0, 1e5)
# Trials may be older than those of this review.
_FIRST_YEAR = 1900
_FILES = {
    **{f"data/raw/{n}.toml": f"{n}.toml" for n in ("protocol", "review", "claim_rules")},
    "README.md": "README.md",
    "Makefile": "Makefile",
    ".github/workflows/ci.yml": "ci.yml",
}


@dataclass(frozen=True)
class Outcome:
    """An outcome: scores, or people counted if its unit is people; which way is better."""

    name: str
    unit: str
    better: str

    @property
    def construct(self) -> str:
        """Its key."""
        return slug(self.name, "_")

    @property
    def domain(self) -> str:
        """Where a reader looks for it."""
        if self.better == "harm":
            return "harm"
        return "responder" if self.unit == PEOPLE else "benefit"

    def row(self) -> Row:
        """Its row of outcomes.csv, as far as it is not the usual one."""
        return {
            "outcome_id": self.construct,
            "construct": self.construct,
            "construct_label": self.name,
            "instrument": self.name,
            "kind": "binary" if self.unit == PEOPLE else "continuous",
            "domain": self.domain,
            "benefit_sign": "1" if self.better == "higher" else "-1",
            "unit": self.unit,
            "responder_rule": self.name if self.unit == PEOPLE else files.NOT_APPLICABLE,
        }


@dataclass(frozen=True)
class Condition:
    """A question: people with a condition, what they are compared with, on which outcome."""

    name: str
    comparator: str
    outcome: str = ""


@dataclass(frozen=True)
class NewReview:
    """What a new review is about."""

    drug: str
    conditions: tuple[Condition, ...]
    outcomes: tuple[Outcome, ...]
    doses: tuple[float, ...] = _ANY_DOSE

    def __post_init__(self) -> None:
        """Hold that every part is there and every name one of its own."""
        for what, parts in (("condition", self.conditions), ("outcome", self.outcomes)):
            keys = [slug(part.name, "_") for part in parts]
            if not keys or "" in keys or len(keys) != len(set(keys)):
                raise ParameterError(f"every {what} needs a name of its own, and one is needed")
        for outcome in self.outcomes:
            if outcome.better not in KINDS_OF_OUTCOME:
                allowed = ", ".join(KINDS_OF_OUTCOME)
                raise ParameterError(f"{outcome.name}: {outcome.better!r}; allowed: {allowed}")
        named = {outcome.name for outcome in self.outcomes}
        for condition in self.conditions:
            if condition.outcome and condition.outcome not in named:
                hint = did_you_mean(condition.outcome, named) or f"there: {', '.join(named)}"
                raise ParameterError(f"{condition.name}: no outcome {condition.outcome!r}; {hint}")


def read_new_review(file: Path) -> NewReview:
    """Read a file of answers (docs/new_review/example.toml)."""
    example = "docs/new_review/example.toml is one"
    stated = read_toml(file, example, error=ParameterError)
    try:
        conditions = tuple(Condition(**one) for one in stated.pop("conditions"))
        outcomes = tuple(Outcome(**one) for one in stated.pop("outcomes"))
        check_type("doses", doses := stated.pop("doses", [*_ANY_DOSE]), list)
        for part in (stated, *map(vars, (*conditions, *outcomes))):
            for name, value in part.items():
                check_type(name, value, str)
        for dose in doses:
            check_type("doses", dose, (int, float))
        return NewReview(conditions=conditions, outcomes=outcomes, doses=tuple(doses), **stated)
    except (ArgumentError, KeyError, TypeError) as error:
        raise ParameterError(f"{file}: {error}; {example}") from error


def init(folder: Path, review: NewReview) -> list[str]:
    """Make the folder of a new review, or nothing; return what was written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ParameterError(f"{folder} is there and not empty; name a new folder")
    made = {**_raw_files(review), **_notebook_files(review)}
    templates = files.kit() / "docs" / "new_review"
    environment = Environment(trim_blocks=True, keep_trailing_newline=True)
    environment.filters["quoted"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.filters["capitalised"] = capitalised
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for name, template in _FILES.items():
        text = (templates / template).read_text(encoding="utf-8")
        made[name] = environment.from_string(text).render(
            drug=review.drug,
            made=f'set_on = {now}\nknown_then = "before any pool"',
            outcomes=review.outcomes,
            interventions=[review.drug],
            doses=list(map(float, review.doses)),
        )
    made["requirements.txt"] = f"ldn-meta[site,word]=={version('ldn-meta')}\n"
    made[".gitignore"] = "build/\n.ipynb_checkpoints/\ndata/.derived.*\nreports/.*\n"
    wording = "data/raw/grade.toml"
    made[wording] = (files.kit() / wording).read_text(encoding="utf-8")
    write_together({folder / name: text.encode() for name, text in made.items()})
    return sorted(made)


def _raw_files(review: NewReview) -> dict[str, str]:
    """Dictionary and tables of data/raw: headers, and rows for the questions and outcomes."""
    kit = files.kit()
    usual = tomllib.loads((kit / "docs/new_review/usual.toml").read_text(encoding="utf-8"))
    comparators = [*(one.comparator for one in review.conditions), *usual["comparators"]]
    descriptor = json.loads((kit / "data/raw/datapackage.json").read_text(encoding="utf-8"))
    # Who made it, under which licence, and seals of its plan are for its people to say.
    own = {"name": slug(review.drug), "title": f"{review.drug}: extracted evidence"}
    descriptor = {
        name: part
        for name, part in (descriptor | own | {"version": "0.0.1"}).items()
        if name not in ("contributors", "licenses", BESIDE)
    }
    main = {one.name: one.construct for one in review.outcomes}
    first = review.outcomes[0].name
    rows: dict[str, list[Row]] = {"outcomes": [one.row() for one in review.outcomes]}
    for place, one in enumerate(review.conditions, 1):
        key, outcome = slug(one.name, "_"), one.outcome or first
        rows.setdefault("indications", []).append(
            {
                "indication_id": key,
                "label": one.name,
                "population": f"people with {one.name}",
                "intervention": review.drug,
                "sort_order": str(place),
                "is_reported": "yes",
                "main_construct": main[outcome],
                "main_comparator": one.comparator,
                "question": f"Does {review.drug}, compared with {one.comparator}, change "
                f"{outcome} in {one.name}?",
            }
        )
        body = f"{key}-{main[outcome]}-{slug(one.comparator, '_')}"
        rows.setdefault("certainty", []).append(
            {
                "row_id": f"{body}-outcome",
                "indication_id": key,
                "construct": main[outcome],
                "comparator_class": one.comparator,
                "domain": "outcome",
                "kind": "not rated",
                "judgement": "not rated",
                "reason": "nobody has judged it yet: put judgements of risk_of_bias and "
                "publication_bias in the place of this row of certainty.csv",
                "judged_by": "this project",
                "rests_on": "studies",
            }
        )
    found: dict[str, str] = {}
    for table in descriptor["resources"]:
        columns = [field["name"] for field in table["schema"]["fields"]]
        for field in table["schema"]["fields"]:
            if field["name"] in ("comparator_class", "main_comparator"):
                others = [n for n in field["constraints"]["enum"] if n == "none"]
                field["constraints"]["enum"] = list(dict.fromkeys([*comparators, *others]))
            elif field["name"] == "year":
                field["constraints"]["minimum"] = _FIRST_YEAR
        cells = [
            [row.get(name, files.NOT_APPLICABLE) for name in columns]
            for row in sorted(
                rows.get(table["name"], ()), key=lambda row: next(iter(row.values()))
            )
        ]
        found[f"data/raw/{table['path']}"] = csv_text([columns, *cells])
    contents = {Path(file).stem: text.encode() for file, text in found.items()}
    described = sealed(dictionary_bytes(descriptor), contents).decode()
    return {**found, f"data/raw/{DESCRIPTOR}": described}


def _notebook_files(review: NewReview) -> dict[str, str]:
    """Templates, with a condition of the review as their default, and what they are run with."""
    source = files.kit() / "notebooks"
    first = slug(review.conditions[0].name, "_")
    made = {
        f"notebooks/{file.name}": re.sub(
            r'(indication: str = \\")[a-z_]+', rf"\g<1>{first}", file.read_text(encoding="utf-8")
        )
        for file in sorted(source.glob("*.ipynb"))
        if file.stem not in _OWN_PAGES
    }
    settings = (source / "parameters.toml").read_text(encoding="utf-8").partition(_SETTINGS)[0]
    for page in _OWN_PAGES:
        settings = settings.replace(f'"{page}", ', "")
    # The first outcome of a domain is the one its page is about.
    first_of = {one.domain: one.construct for one in reversed(review.outcomes)}
    asked = "".join(
        f'{domain}_construct = "{first_of[domain]}"\n'
        for domain in ("responder", "harm")
        if domain in first_of
    )
    sections = "".join(
        f"\n[indications.{slug(one.name, '_')}]\n{asked}" for one in review.conditions
    )
    return {**made, "notebooks/parameters.toml": f"{settings}{_SETTINGS}\n{sections}"}


# New rows

HEADER_LINES = 1
Records = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Added:
    """What was added, or would be, and what becomes of it."""

    rows: dict[str, list[Row]]
    effects: Records
    left_out: Records
    is_written: bool = False

    @property
    def count(self) -> int:
        """Number of new rows."""
        return sum(len(rows) for rows in self.rows.values())

    def content(self, **further: Any) -> dict[str, Any]:
        """Rows, and what becomes of them, for machines."""
        content: dict[str, Any] = rounded({"is_written": False, **vars(self), **further})
        return content

    def row_lines(self) -> Iterator[str]:
        """Every new row as it will stand in its table."""
        for table, rows in self.rows.items():
            yield f"{table}.csv"
            yield from (f"  {_csv_line(row.values())}" for row in rows)

    def outlook_lines(self) -> Iterator[str]:
        """Which effects come of the rows, and which rows are in none."""
        for effect in self.effects:
            scale = "log " if effect["measure"] in RATIOS else ""
            yield (
                f"effect {effect['effect_id']}: {scale}{effect['measure']} {effect['yi']:.4g} "
                f"(95% CI {effect['ci_low']:.4g} to {effect['ci_high']:.4g}), {effect['unit']}; "
                f"{'in' if effect['is_selected'] else 'not in'} the main pool: "
                f"{effect['selected_why']}"
            )
        for row in self.left_out:
            yield f"in no effect {row['table']}:{row['row_id']}: {row['reason']}"

    def end_line(self) -> str:
        """What was written and what comes next."""
        if not self.is_written:
            return f"nothing was written; {self.count} rows would be"
        folder = files.raw_data().relative_to(files.project_root()).as_posix()
        counts = ", ".join(f"{name} {len(rows)}" for name, rows in self.rows.items())
        return f"{folder}: {counts} rows added; next: ldn-meta run, then git diff"


def add_rows(answers: Answers, *, write: bool = True) -> Added:
    """Complete, check and add rows."""
    folder = files.raw_data()
    dictionary, treatment = load_dictionary(folder), load_review(folder).label
    with exclusive_writer():
        taken = taken_keys(folder, dictionary)
        open_ones = _not_judged(folder, answers)
        taken["risk_of_bias"] -= open_ones
        rows, faults = complete(answers, dictionary, taken, treatment=treatment)
        if faults:
            raise NewRowsError(faults)
        if not rows:
            raise LdnMetaError("there is no row to add")
        before = {name: (folder / f"{name}.csv").read_bytes() for name in rows}
        after = {
            name: with_rows(
                before[name],
                dictionary.tables[name].columns,
                rows[name],
                without=open_ones if name == "risk_of_bias" else (),
            )
            for name in rows
        }
        described = (folder / DESCRIPTOR).read_bytes()
        now = _with_seal(described, dictionary, rows, before, after)
        effects, left_out = _on_a_copy(folder, rows, after, now)
        if not write:
            return Added(rows, effects, left_out)
        seen = {f"{name}.csv": data for name, data in before.items()} | {DESCRIPTOR: described}
        if any((folder / name).read_bytes() != data for name, data in seen.items()):
            raise LdnMetaError("data/raw changed while the rows were checked; try again")
        tables = {folder / f"{name}.csv": data for name, data in after.items()}
        write_together({**tables, folder / DESCRIPTOR: now})
    return Added(rows, effects, left_out, is_written=True)


def _with_seal(
    descriptor: bytes,
    dictionary: Dictionary,
    rows: Mapping[str, list[Row]],
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
) -> bytes:
    """Count and hash new rows; what nobody has sealed before them stays to be said."""
    told = json.loads(descriptor)
    for resource in told["resources"]:
        name = resource["name"]
        if name in rows and dictionary.tables[name].hash:
            more = after[name].count(b"\n") - before[name].count(b"\n")
            resource["rows"] = dictionary.tables[name].rows + more
            if content_hash(before[name]) == resource["hash"]:
                resource["hash"] = content_hash(after[name])
    return dictionary_bytes(told)


def taken_keys(folder: Path, dictionary: Dictionary) -> dict[str, set[str]]:
    """Keys on file, by table."""
    return {
        name: {row[table.key] for row in csv_records(folder / f"{name}.csv")}
        for name, table in dictionary.tables.items()
    }


def _not_judged(folder: Path, answers: Answers) -> set[str]:
    """Rows that say that nobody has judged a study yet, of studies that are judged now."""
    judged = {row["study_id"] for row in answers.rows.get("risk_of_bias", ()) if "study_id" in row}
    return {
        row["row_id"]
        for row in csv_records(folder / "risk_of_bias.csv")
        if row["study_id"] in judged and row["judged_by"] == NOBODY
    }


def with_rows(
    data: bytes, columns: Sequence[str], rows: Sequence[Row], *, without: Collection[str] = ()
) -> bytes:
    """Put rows among those of a table, by their first column; no other line changes."""
    first, *others = _lines(data)
    lines = [first, *(line for line in others if not without or _key_of(line) not in without)]
    for row in rows:
        cells = [row[column] for column in columns]
        keys = [_key_of(line) for line in lines[HEADER_LINES:]]
        place = next((i for i, key in enumerate(keys) if key > cells[0]), len(keys))
        lines.insert(HEADER_LINES + place, _csv_line(cells))
    return "".join(f"{line}\n" for line in lines).encode()


def _csv_line(cells: Iterable[str]) -> str:
    return csv_text([cells]).removesuffix("\n")


def _lines(data: bytes) -> list[str]:
    """Lines of a table; nothing but a line feed ends one."""
    return data.decode("utf-8").removesuffix("\n").split("\n")


def _key_of(line: str) -> str:
    return next((cells[0] for _, cells in csv_rows(line) if cells), "")


def _on_a_copy(
    folder: Path, rows: Mapping[str, list[Row]], after: Mapping[str, bytes], described: bytes
) -> tuple[Records, Records]:
    """Check the whole with the new rows, and say what becomes of them."""
    from ldn_meta.evidence.audit.consistency import check_consistency, refuse_inconsistent
    from ldn_meta.evidence.effects.effects import as_saved, normalise

    with TemporaryDirectory(dir=files.build(), prefix=".raw-") as scratch:
        copy = Path(scratch) / "raw"
        shutil.copytree(folder, copy)
        for name, data in after.items():
            (copy / f"{name}.csv").write_bytes(data)
        (copy / DESCRIPTOR).write_bytes(described)
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
        keys = [_key_of(line) for line in _lines(after.get(fault.table, b""))]
        # By line of the copy: the place of a new row, or the line in the file on disk, where the
        # new rows before it are not.
        places = {line: new.index(key) + 1 for line, key in enumerate(keys, 1) if key in new}

        def told(found: re.Match[str], places: dict[int, int] = places) -> str:
            """Another row that a rule names."""
            line = int(found[1])
            is_new = line in places
            return f"new row {places[line]}" if is_new else f"line {_on_disk(line, places)}"

        rule = re.sub(r"\bline (\d+)", told, fault.rule)
        if fault.line in places:
            ours.append(replace(fault, line=places[fault.line], rule=rule))
        else:
            elsewhere.append(replace(fault, line=_on_disk(fault.line, places), rule=rule))
    return NewRowsError(ours, elsewhere)


def _on_disk(line: int, places: Collection[int]) -> int:
    return line - sum(place <= line for place in places)


# The questions of CONTRIBUTING.md, one by one, each answer checked at once

# Other columns have a usual value (evidence/entry.py); an answer file can give any.
_ASKED = {
    "sources": "kind authors year title container doi pmid registry_id url source_id",
    "studies": "study_id indication_id label year status design is_randomised blinding washout "
    "population intervention dose_low_mg_per_day dose_high_mg_per_day comparator "
    "comparator_class duration_weeks n_enrolled n_randomised n_completed n_analysed registry_id "
    "eligible_for eligibility_reason overlaps_with note",
    "arms": "group label treatment n_randomised n_completed n_analysed locator as_reported arm_id",
    "outcomes": "outcome_id construct construct_label instrument kind domain benefit_sign "
    "scale_min scale_max unit threshold_pct responder_rule",
    "study_facts": "fact qualifier value value_low value_high range_kind unit locator "
    "as_reported read_from",
    "arm_stats": "arm_id outcome_id timepoint_weeks timepoint analysis_set statistic_of n mean sd "
    "se ci_low ci_high ci_level median q1 q3 locator as_reported read_from note",
    "arm_events": "arm_id outcome_id timepoint_weeks timepoint analysis_set counted events n "
    "percent locator as_reported read_from note",
    "contrasts": "arm_1 arm_2 outcome_id timepoint_weeks timepoint analysis_set measure is_paired "
    "is_adjusted estimand estimate ci_low ci_high ci_level p_value p_relation n_1 n_2 direction "
    "locator as_reported read_from note",
}
ASKED = {table: tuple(columns.split()) for table, columns in _ASKED.items()}
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


def _has(column: str) -> Callable[[Row], bool]:
    return lambda row: is_value(row.get(column))


def _is_not(column: str, text: str) -> Callable[[Row], bool]:
    return lambda row: row.get(column) != text


_NEEDLESS: dict[tuple[str, str], Callable[[Row], bool]] = {
    ("sources", "url"): lambda row: not _no("doi", "pmid")(row),
    ("studies", "washout"): lambda row: "crossover" not in row.get("design", ""),
    **{(table, "timepoint"): _has("timepoint_weeks") for table in _ASKED},
    ("arm_stats", "se"): _has("sd"),
    ("arm_stats", "ci_high"): _no("ci_low"),
    ("arm_stats", "ci_level"): _no("ci_low"),
    ("arm_stats", "q1"): _no("median"),
    ("arm_stats", "q3"): _no("median"),
    ("contrasts", "estimate"): lambda row: row.get("measure") == "statement",
    ("contrasts", "ci_low"): _no("estimate"),
    ("contrasts", "ci_high"): _no("ci_low"),
    ("contrasts", "ci_level"): _no("ci_low"),
    ("contrasts", "n_2"): lambda row: row.get("is_paired") == "yes",
    ("outcomes", "scale_min"): _is_not("kind", "continuous"),
    ("outcomes", "scale_max"): _is_not("kind", "continuous"),
    ("outcomes", "threshold_pct"): _is_not("kind", "binary"),
    ("outcomes", "responder_rule"): _is_not("kind", "binary"),
    ("study_facts", "range_kind"): _no("value_low", "value_high"),
}


EXPLAIN = "?"
BACK = "back"
NEW = "new"
TWO_ARMS = 2
_YES_OR_NO = ("y", "yes", "n", "no")
ARM_COLUMNS = ("arm_id", "arm_1", "arm_2")


def _typed() -> Path:
    """Where the lines of an interview that was broken off are kept."""
    return files.build() / "new-trial" / "typed.json"


class _GoneBackError(Exception):
    """The last answer is taken back."""


class Interview:
    """Asks about one trial; ``answers`` holds what was said so far.

    What was typed is kept as well: going back, and going on another day, type it again up to
    there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: list[str] = []
        self._again: list[str] = []
        self._begin()

    def _begin(self) -> None:
        folder = self._folder
        self.answers = Answers()
        dictionary = load_dictionary(folder)
        taken = taken_keys(folder, dictionary)
        self._new = NewRows(dictionary, taken, load_review(folder).label)
        self._tables = dictionary.tables
        outcomes = csv_records(folder / "outcomes.csv")
        self._outcomes = {row["outcome_id"]: row for row in outcomes}
        self._last: Row = {}
        self._open: dict[str, Row] = {}

    def keep(self) -> None:
        """Nobody types a trial twice: what was answered goes to a file of answers."""
        rows = {name: list(some) for name, some in self.answers.rows.items()}
        for name, cells in self._open.items():
            rows.setdefault(name, []).append(cells)
        rows = {name: some for name, some in rows.items() if any(some)}
        if not rows:
            return
        # The key of the study, or of its report, or neither yet.
        keys = [
            row[self._tables[table].key]
            for table in ("studies", "sources")
            for row in self._new.done[table]
        ]
        file = files.build() / "new-trial" / f"{next(iter(keys), 'answers')}.toml"
        write_whole(file, answers_text(Answers(self.answers.shared, rows)).encode())
        write_whole(_typed(), json.dumps(self._said, indent=1).encode())
        shown = file.relative_to(files.project_root()).as_posix()
        click.echo(
            f"\nnothing was written to data/raw; your answers are in {shown}. To go on where you "
            f"stopped: ldn-meta new-trial --resume; or complete the file, then ldn-meta new-trial "
            f"--from {shown}",
            err=True,
        )

    def resume(self) -> None:
        """Type again what was typed when the last interview was broken off."""
        file = _typed()
        if not file.is_file():
            raise ParameterError("no interview was broken off here: ldn-meta new-trial")
        self._again = json.loads(file.read_text(encoding="utf-8"))

    def run(self) -> Answers:
        """Ask everything."""
        click.echo(
            "Enter takes the answer in brackets, ? explains a question, back takes the last\n"
            "answer back, Ctrl-C breaks off.\n"
            "NR is not reported, NA does not apply, TODO is not extracted yet.\n"
            "Type what the report prints; compute nothing."
        )
        while True:
            try:
                answers = self._questions()
            except _GoneBackError:
                self._again, self._said = self._said[:-1], []
                self._begin()
            else:
                _typed().unlink(missing_ok=True)
                return answers

    def _ask(self, question: str, default: str = "") -> str:
        """One line from the keyboard, or as it was typed before."""
        if self._again:
            text = self._again.pop(0)
        else:
            text = str(click.prompt(question, default=default, show_default=bool(default))).strip()
        if text == BACK:
            if self._said:
                raise _GoneBackError
            click.echo("  there is no answer to take back")
            return self._ask(question, default)
        if text == "":
            click.echo("  an answer is needed; NR if the report does not say, ? explains")
            return self._ask(question, default)
        self._said.append(text)
        return text

    def _tell(self, words: str) -> None:
        """Print, unless it was printed before."""
        if not self._again:
            click.echo(words)

    def _refuse(self, words: str) -> None:
        """Say why an answer cannot stand, and ask again."""
        self._said.pop()
        # What comes after an answer that no longer fits has nothing to be an answer to.
        self._again = []
        click.echo(words)

    def _questions(self) -> Answers:
        self.answers.shared["reader"] = self._cell("extraction_log", "reader")
        self._source()
        self._row("studies")
        study = self._new.done["studies"][0]
        read_from = self._cell("arms", "read_from")
        self.answers.shared["read_from"] = self._last["read_from"] = read_from
        self._sizes(study)
        wanted = TWO_ARMS if study["eligible_for"] == "contrast" else 1
        is_wanted = True
        while is_wanted:
            self._row("arms")
            count = len(self._new.done["arms"])
            usual = "yes" if count < wanted else "no"
            while (said := self._ask(f"Another arm ({count} so far)?", usual)) not in _YES_OR_NO:
                self._refuse("  yes or no")
            is_wanted = said in ("y", "yes")
        while table := VALUE_KINDS[self._choice("What does the report print next", VALUE_KINDS)]:
            self._row(table)
        return self.answers

    def _source(self) -> None:
        self._tell("\nThe report (sources.csv)")
        while True:
            text = self._ask("source_id of a report on file, or new", NEW)
            if text == EXPLAIN:
                self._refuse(
                    "  Is the report in sources.csv already, as for a second trial in it?"
                )
            elif text == NEW:
                self._row("sources")
                return
            elif self._is_known(text, self._new.keys["sources"], "sources"):
                self.answers.shared["source_id"] = text
                return

    def _sizes(self, study: Row) -> None:
        """Each number of people gets the row that says where it was read."""
        sizes = [name for name in ASKED["studies"] if name.startswith("n_")]
        given = [name for name in sizes if is_value(study[name])]
        if given:
            self._tell(f"\nWhere does the report print {', '.join(given)}?")
            place = self._last["locator"] = self._cell("study_facts", "locator")
            for name in given:
                self._keep("study_facts", {"fact": name, "value": study[name], "locator": place})

    def _row(self, table: str) -> None:
        """Ask for one row, until no rule objects."""
        self._tell(f"\n{self._tables[table].description} ({table}.csv)")
        cells = self._open[table] = {}
        open_ones: Collection[str] = ASKED[table]
        while open_ones:
            for column in ASKED[table]:
                needless = _NEEDLESS.get((table, column))
                if column in open_ones and not (needless and needless(cells)):
                    cells[column] = self._cell(table, column, self._usual(table, cells)[column])
            faults = row_check(self._new.dictionary, table, self._usual(table, cells))
            for fault in faults:
                self._tell(f"  {fault.column}: {fault.rule}; {fault.remedy}")
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
        key = self._tables[table].key
        self._new.add(table, row)
        self.answers.of(table).append({**cells, key: row[key]})
        if table == "outcomes":
            self._outcomes[row[key]] = row
        self._last |= {name: row[name] for name in CARRIED if name in cells}

    def _usual(self, table: str, cells: Row) -> Row:
        """The row with what was not answered as it would be filled."""
        carried = {name: text for name, text in self._last.items() if name in CARRIED}
        return self._new.filled(table, cells, {**carried, **self.answers.shared})

    def ask(self, column: str) -> str:
        """Ask for a cell of every new row; a report that is not on file is described."""
        if column != "source_id":
            return self._cell("extraction_log" if column == "reader" else "arm_stats", column)
        self._source()
        known = self.answers.shared.get(column)
        return known or self._new.done["sources"][-1][column]

    def complete(self, answers: Answers, *, write: bool) -> Added:
        """Add rows, and ask for what they lack, one by one; each answer holds for all of them."""
        answers.of("sources").extend(self.answers.of("sources"))
        while True:
            try:
                return add_rows(answers, write=write)
            except NewRowsError as error:
                if not error.unanswered:
                    raise
                for fault in error.unanswered:
                    answers.shared[fault.column] = self._cell(fault.table, fault.column)

    def _cell(self, table: str, column: str, usual: str = "") -> str:
        """Ask for one cell, until no rule objects."""
        field = next(f for f in self._tables[table].fields if f["name"] == column)
        choices = self._choices(field)
        if choices:
            numbered = [f"{place} {name}" for place, name in enumerate(choices, 1)]
            self._tell(f"  {'   '.join(numbered)}")
        while True:
            text = self._ask(column, usual)
            if text == EXPLAIN:
                self._refuse(f"  {field['description']}{self._further(column)}")
                continue
            if choices and text.isdigit() and 1 <= int(text) <= len(choices):
                text = choices[int(text) - 1]
            text = self._named(table, column, text)
            if column == "outcome_id" and table != "outcomes" and text == NEW:
                self._row("outcomes")
                return self._new.done["outcomes"][-1]["outcome_id"]
            if self._is_fine(table, column, text):
                return text

    def _is_fine(self, table: str, column: str, text: str) -> bool:
        """Whether an answer can stand; says why not."""
        whole = self._tables[table]
        for fault in cell_check(self._new.dictionary, table, column, text):
            self._refuse(f"  {text!r} {fault.rule}; {fault.remedy}")
            return False
        if column == whole.key and text in self._new.keys[table]:
            self._refuse(f"  {text!r} is in {table} already, and nothing there is overwritten")
            return False
        for name, target, _ in whole.foreign_keys:
            if name == column and is_value(text):
                known = self._arms() if target == "arms" else self._new.keys[target]
                return self._is_known(text, known, target)
        return True

    def _is_known(self, text: str, known: Collection[str], table: str) -> bool:
        if text in known:
            return True
        hint = did_you_mean(text, known, most=3) or "? lists what there is"
        labelled = self._outcomes_called(text) if table == "outcomes" else []
        if labelled:
            hint = f"{text} is measured by {', '.join(labelled)}"
        self._refuse(f"  {text!r} is not in {table}; {hint}")
        return False

    def _named(self, table: str, column: str, text: str) -> str:
        """The key that a label means, if it means one."""
        if column == "outcome_id" and table != "outcomes" and text not in self._outcomes:
            found = self._outcomes_called(text)
        elif column in ARM_COLUMNS and table != "arms":
            arms = self._new.done["arms"]
            found = [arm["arm_id"] for arm in arms if arm["label"].casefold() == text.casefold()]
        else:
            found = []
        if len(found) == 1:
            self._tell(f"  {found[0]}")
            return found[0]
        return text

    def _outcomes_called(self, text: str) -> list[str]:
        """Keys of the outcomes with a label or an instrument."""
        return [
            name
            for name, row in sorted(self._outcomes.items())
            if text.casefold() in (row["construct_label"].casefold(), row["instrument"].casefold())
        ]

    def _arms(self) -> list[str]:
        return [arm["arm_id"] for arm in self._new.done["arms"]]

    def _choices(self, field: dict[str, Any]) -> list[str]:
        """Categories of a column that are words; numbers are typed as they are."""
        if field["name"] == "indication_id":
            return sorted(self._new.keys["indications"])
        if field["name"] in ARM_COLUMNS and self._new.done["arms"]:
            return self._arms()
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
        return ""

    def _choice(self, question: str, choices: Sequence[str] | dict[str, str]) -> str:
        names = list(choices)
        self._tell(f"\n  {'   '.join(f'{place} {name}' for place, name in enumerate(names, 1))}")
        while True:
            text = self._ask(question, names[-1])
            if text.isdigit() and 1 <= int(text) <= len(names):
                return names[int(text) - 1]
            if text in names:
                return str(text)
            self._refuse(
                "  difference: between arms; means: of one arm; events: people of one arm; "
                "fact: any other number; done: that is all"
            )
