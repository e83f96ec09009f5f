"""Rows of a foreign table as answers about new rows, and what could not be placed."""

from __future__ import annotations

import io
import itertools
import json
import math
import re
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from ldn_meta.errors import ParameterError
from ldn_meta.evidence.entry import COMPARATOR, TABLES, Answers, Row, slug
from ldn_meta.evidence.raw.bias import NOT_READABLE, OVERALL, TOOLS
from ldn_meta.evidence.raw.faults import IDENTIFIERS, NO_VALUE, NUMBER, UNCITED, UNTRACEABLE
from ldn_meta.evidence.raw.review import NEUTRAL, load_review
from ldn_meta.evidence.raw.tables import load_dictionary
from ldn_meta.files import (
    EMPTY,
    NOT_APPLICABLE,
    NOT_REPORTED,
    csv_records,
    csv_rows,
    six_digits,
)

DELIMITERS = (",", ";", "\t")
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
# As R and spreadsheets write numbers that are small or large.
EXPONENT = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,3}")
# More than any table of studies, less than what would fill a memory.
LARGEST_BYTES = 100_000_000


@dataclass(frozen=True)
class ForeignFile:
    """Header and lines of a file; ``lines`` are (number in the file, cells).

    ``name`` is how a row refers to the file, ``where`` what its numbers count, ``notes`` what of
    the file is in no line, and why; ``analyses`` holds what it says of each analysis as a whole.
    """

    header: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]
    name: str = ""
    where: str = "line"
    notes: tuple[str, ...] = ()
    analyses: Mapping[str, str] = field(default_factory=dict)


def read_foreign(
    path: Path, *, analysis: str = "", sheet: str = "", has_commas: bool = False
) -> ForeignFile:
    """Read study results: text, .xlsx, .rm5, a RevMan data package, a record of a registry."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from error
    match path.suffix.casefold():
        case ".xlsx" | ".xlsm":
            return _workbook(path, data, sheet)
        case ".rm5":
            return _revman_5(path, data)
        case ".zip":
            return _package(path, data)
        case ".json":
            return _registry_record(path, data, analysis)
    return _table_of(path, data, has_commas=has_commas)


def _text_of(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not UTF-8; save it as CSV UTF-8") from error


def _table_of(path: Path, data: bytes, *, has_commas: bool = False) -> ForeignFile:
    """A table whose cells are set apart by commas, semicolons or tabs."""
    text = _text_of(path, data)
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    rows = [(line, tuple(cells)) for line, cells in csv_rows(text, delimiter=delimiter)]
    if has_commas:
        pattern = DECIMAL_COMMA.fullmatch
        rows = [
            (line, tuple(c.replace(",", ".") if pattern(c) else c for c in cells))
            for line, cells in rows
        ]
    found = _whole(path, rows)
    notes = ("decimal commas were read as points",) if has_commas else ()
    return replace(found, notes=notes)


def _whole(path: Path, rows: Sequence[tuple[int, tuple[str, ...]]]) -> ForeignFile:
    """Header and lines of equal length, or why they are no table."""
    if len(rows) <= 1:
        raise ParameterError(f"{path} has no line below its header")
    header = tuple(name.strip() for name in rows[0][1])
    lines = [(number, cells) for number, cells in rows[1:] if any(c.strip() for c in cells)]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    problems = [f"two columns are called {name!r}" for name in twice]
    problems += [
        f"line {number} has {len(cells)} cells, the header {len(header)}"
        for number, cells in lines
        if len(cells) != len(header)
    ]
    if problems:
        raise ParameterError(f"{path} is no table:\n{_listed(problems)}")
    return ForeignFile(header, tuple(lines), path.name)


def _workbook(path: Path, data: bytes, sheet: str) -> ForeignFile:
    """One sheet of a workbook: what its cells hold, not how they are shown."""
    try:
        import openpyxl
    except ImportError as error:
        remedy = "needs the extra: pip install 'ldn-meta[word]'; or save it as CSV UTF-8"
        raise ParameterError(f"{path} {remedy}") from error
    try:
        books = [
            openpyxl.load_workbook(io.BytesIO(data), data_only=is_on) for is_on in (True, False)
        ]
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise ParameterError(f"{path} is no workbook: {error}") from error
    values, formulas = books
    filled = [one.title for one in values.worksheets if one.max_row > 1]
    if sheet not in filled and (sheet or len(filled) != 1):
        problem = f"has no sheet {sheet!r}" if sheet else "has several sheets"
        raise ParameterError(f"{path} {problem}; say which with --sheet: {', '.join(filled)}")
    name = sheet or filled[0]
    missing = [
        cell.coordinate
        for row in formulas[name].iter_rows()
        for cell in row
        if cell.data_type == "f" and values[name][cell.coordinate].value is None
    ]
    if missing:
        remedy = "open the file in a spreadsheet program and save it, or save it as CSV UTF-8"
        raise ParameterError(f"{path}: {', '.join(missing)} are formulas without values; {remedy}")
    rows = [
        (number, tuple(map(_cell_text, cells)))
        for number, cells in enumerate(values[name].iter_rows(values_only=True), 1)
    ]
    width = max((place + 1 for _, cells in rows for place, c in enumerate(cells) if c), default=0)
    rows = [(number, cells[:width]) for number, cells in rows if any(cells)]
    return replace(_whole(path, rows), name=f"{path.name}, sheet {name}", where="row")


def _cell_text(value: object) -> str:
    # A spreadsheet holds and shows fifteen digits.
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


# What RevMan 5 calls entries of each kind, and attributes of them by our columns.
_RM5_KINDS = {"DICH": "DIC", "CONT": "CON", "IV": "IVG"}
_RM5_COLUMNS = {
    **{f"{name.capitalize()} {n}": f"{name}_{n}" for n in "12" for name in ("EVENTS", "TOTAL")},
    **{f"{name} {n}": f"{name.upper()}_{n}" for n in "12" for name in ("Mean", "SD")},
    **{"Effect Estimate": "EFFECT_SIZE", "SE": "SE", "CI Start": "CI_START", "CI End": "CI_END"},
}


def _revman_5(path: Path, data: bytes) -> ForeignFile:
    """The analyses of a review of RevMan 5, as its own export as CSV has them."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ParameterError(f"{path} defines entities, which no file of RevMan does")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise ParameterError(f"{path} is no XML: {error}") from error
    studies = {one.get("ID"): one for one in root.iter("STUDY")}
    header = ("Comparison Number", "Outcome Number", "Subgroup Number", "Name", "Data Type")
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    analyses = {}
    for comparison in root.iter("COMPARISON"):
        for outcome in comparison:
            kind = outcome.tag.removesuffix("_OUTCOME")
            if kind == outcome.tag:
                continue
            numbers = (comparison.get("NO", ""), outcome.get("NO", ""))
            about, title = ".".join(numbers), outcome.findtext("NAME", "").strip()
            if kind not in _RM5_KINDS:
                count = len(list(outcome.iter(f"{kind}_DATA")))
                notes.append(
                    f"{about} ({title}), {count} entries: {kind} data are of no kind here"
                )
                continue
            if outcome.get("SWAP_EVENTS") == "YES":
                notes.append(f"{about}: RevMan swaps events and non-events; taken as typed there")
            if outcome.get("EFFECT_SIZE"):
                told = [outcome.get(name, "") for name in ("EFFECT_SIZE", "CI_START", "CI_END")]
                analyses[about] = "{} {} ({} to {})".format(
                    outcome.get("EFFECT_MEASURE", ""), *told
                )
            blank = ("",) * len(_RM5_COLUMNS)
            rows.append((*numbers, "", title, _RM5_KINDS[kind], *blank, ""))
            for part in (outcome, *outcome.iter(f"{kind}_SUBGROUP")):
                for entry in part.findall(f"{kind}_DATA"):
                    study = studies.get(entry.get("STUDY_ID"))
                    named = entry.get("STUDY_ID", "") if study is None else study.get("NAME", "")
                    year = "" if study is None else study.get("YEAR", "")
                    cells = [entry.get(name, "") for name in _RM5_COLUMNS.values()]
                    group = "" if part is outcome else part.get("NO", "")
                    rows.append((*numbers, group, named, "", *cells, year))
    if root.find(".//QUALITY_ITEM_DATA_ENTRY") is not None:
        notes.append("risk of bias: its items are not those of a tool that is known here")
    if not rows:
        raise ParameterError(f"{path} holds no analysis{'; '.join(['', *notes])}")
    names = (*header, *_RM5_COLUMNS, "Year of study")
    lines = tuple(enumerate(rows, 1))
    return ForeignFile(names, lines, path.name, "entry", tuple(notes), analyses)


DATA_ROWS, SETTINGS = "data-rows.csv", "overall-estimates-and-settings.csv"
JUDGED = "risk-of-bias.csv"


def _package(path: Path, data: bytes) -> ForeignFile:
    """The data rows of a data package of RevMan Web, and what it found over all."""
    found = _member(path, data, DATA_ROWS)
    if found is None:
        raise ParameterError(f"{path} is no data package of RevMan: no file ends in {DATA_ROWS}")
    analyses = {}
    notes = []
    settings = _member(path, data, SETTINGS)
    for _, cells in settings.lines if settings else ():
        row = dict(zip((settings.header if settings else ()), cells, strict=True))
        names = ("Effect measure", "Mean", "CI start", "CI end", "Analysis model")
        measure, *told, model = (row.get(name, "") for name in names)
        about = f"{row.get('Analysis group')}.{row.get('Analysis number')}"
        analyses[about] = "{} {} ({} to {}), {}".format(measure, *told, model)
    if _member(path, data, JUDGED):
        notes.append("risk of bias is another import: --data bias")
    return replace(found, notes=tuple(notes), analyses=analyses)


def _member(path: Path, data: bytes, ending: str) -> ForeignFile | None:
    """A table of a ZIP file, also inside the ZIP of the data in that of a whole review."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for one in archive.infolist():
                name = one.filename.rpartition("/")[2]
                if not name.endswith((ending, "-data.zip")):
                    continue
                if one.file_size > LARGEST_BYTES:
                    raise ParameterError(f"{path}: {one.filename} is too large to be read")
                if name.endswith(ending):
                    table = _table_of(Path(f"{path.name}: {name}"), archive.read(one))
                    return replace(table, name=f"{path.name}, {name}")
                return _member(path, archive.read(one), ending)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ParameterError(f"{path} is no ZIP file that can be read: {error}") from error
    return None


def _registry_record(path: Path, data: bytes, analysis: str) -> ForeignFile:
    """One outcome of a record of ClinicalTrials.gov (API v2): two groups, means or people."""
    try:
        record = json.loads(_text_of(path, data))
        identity = record["protocolSection"]["identificationModule"]["nctId"]
        measured = record["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]
    except (ValueError, KeyError, TypeError) as error:
        remedy = "a study with results, as the API gives it (api/v2/studies/NCT...)"
        raise ParameterError(f"{path} is no record with results; needed is {remedy}") from error
    every = {
        f"{n}.{m}": (outcome, one)
        for n, outcome in enumerate(measured, 1)
        for m, one in enumerate(outcome.get("classes", ()), 1)
    }
    wanted = analysis if "." in analysis or not analysis else f"{analysis}.1"
    if wanted not in every:
        listed = [
            f"{name} ({'; '.join(filter(None, map(_plain_text, told)))})"
            for name, (outcome, one) in every.items()
            for told in [(outcome.get("title"), one.get("title"), outcome.get("timeFrame"))]
        ]
        raise ParameterError(f"{path}: say which with --analysis:\n{_listed(listed)}")
    outcome, one = every[wanted]
    groups = [group["id"] for group in outcome.get("groups", ())]
    titles = [_plain_text(group.get("title")) for group in outcome.get("groups", ())]
    how = [outcome.get(name, "") for name in ("paramType", "dispersionType", "unitOfMeasure")]
    is_mean = how[0] == "MEAN" and how[1].casefold() == "standard deviation"
    is_count = how[0] == "COUNT_OF_PARTICIPANTS"
    categories = one.get("categories", ())
    problems = []
    if len(groups) != len(("1", "2")):
        problems.append(f"it has {len(groups)} groups ({', '.join(titles)}), not two")
    if not is_mean and not is_count:
        problems.append(
            f"{', '.join(filter(None, how))}: neither means with SDs nor people counted"
        )
    if len(categories) != 1:
        problems.append(f"it has {len(categories)} categories, not one")
    if problems:
        remedy = "type it by hand (ldn-meta new-trial)"
        raise ParameterError(f"{path}, outcome {wanted}: {'; '.join(problems)}; {remedy}")
    people = {
        count["groupId"]: count.get("value", "")
        for denominators in (outcome.get("denoms", ()), one.get("denoms", ()))
        for unit in denominators
        if unit.get("units") == "Participants"
        for count in unit["counts"]
    }
    values = {value["groupId"]: value for value in categories[0].get("measurements", ())}
    year = record["protocolSection"].get("statusModule", {}).get("completionDateStruct", {})
    header, cells = ["Study", "Year"], [identity, str(year.get("date", ""))[:4]]
    for place, group in enumerate(groups, 1):
        value = values.get(group, {})
        shown = {"Mean": "value", "SD": "spread"} if is_mean else {"Events": "value"}
        header += [f"{name} {place}" for name in (*shown, "Total")]
        cells += [*(str(value.get(name, "")) for name in shown.values()), people.get(group, "")]
    notes = [f"outcome {wanted}: {_plain_text(outcome.get('title'))}"]
    notes += [f"group {place} is {title}" for place, title in enumerate(titles, 1)]
    notes.append(f"{len(every) - 1} other results of the record")
    name = f"{path.name}, outcome {wanted}"
    return ForeignFile(tuple(header), ((1, tuple(cells)),), name, "entry", tuple(notes))


def _plain_text(text: object) -> str:
    return " ".join(str(text or "").split())


def _listed(problems: Iterable[str]) -> str:
    return "\n".join(f"  {problem}" for problem in problems)


# What columns hold

STUDY, YEAR = "study", "year"
MEANS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
EVENTS = ("events_1", "n_1", "events_2", "n_2")
NON_EVENTS = ("non_events_1", "non_events_2")
TWO_BY_TWO = ("events_1", "non_events_1", "events_2", "non_events_2")
EFFECT = ("estimate", "variance", "se", "ci_low", "ci_high")
# Where a RevMan file says which of its analyses a row belongs to.
ANALYSIS = ("comparison_no", "outcome_no")
NAMING = (STUDY, YEAR, *ANALYSIS, "subgroup_no", "data_type")
NUMBERS = tuple(dict.fromkeys((*MEANS, *EVENTS, *NON_EVENTS, *EFFECT)))
COUNTS = ("n_1", "n_2", "events_1", "events_2", *NON_EVENTS)
ROLES = (*NAMING[:2], *NUMBERS, *NAMING[2:])
# What is read of a file whose numbers are of one kind, and what each kind needs at least.
USED = {
    "means": MEANS,
    "events": (*EVENTS, *NON_EVENTS),
    "effect": (*EFFECT, "n_1", "n_2"),
}
NEEDED = {"means": (MEANS,), "events": (EVENTS, TWO_BY_TWO), "effect": (("estimate",),)}

_GROUPS = {
    "1": "1 e exp experimental treat treated treatment intervention active drug",
    "2": "2 c ctrl control comparator placebo",
}
_QUANTITIES = {
    "mean": "mean m",
    "sd": "sd std stddev standarddeviation",
    "n": "n total samplesize",
    "events": "event events cases responders",
}
# One letter for the group beside one letter for the quantity reads as something else ("se").
_SHORTEST = 3
_OTHERS = {
    STUDY: "study studies name author authors slab studlab trial label studyid studyorsubgroup "
    "studylabel studyname firstauthor",
    YEAR: "year studyyear yearofstudy pubyear publicationyear",
    # "m2", "sd2": numbers are no letters that could be read as a word.
    "mean_1": "m1i m1",
    "sd_1": "sd1i",
    "n_1": "n1i n1 ne",
    "mean_2": "m2i m2",
    "sd_2": "sd2i",
    "n_2": "n2i n2 nc",
    "events_1": "ai x1i",
    "events_2": "x2i",
    "non_events_1": "bi",
    "non_events_2": "di",
    "estimate": "yi te effectestimate effectsize effect es estimate givmean md smd "
    "meandifference hedgesg cohensd",
    "variance": "vi var variance",
    "se": "sei se sete stderr standarderror givse",
    "ci_low": "cilow cilb cilower lower lowerci cistart lcl ll lci",
    "ci_high": "cihigh ciub ciupper upper upperci ciend ucl ul uci",
    "comparison_no": "comparisonnumber analysisgroup",
    "outcome_no": "outcomenumber analysisnumber",
    "subgroup_no": "subgroupnumber",
    "data_type": "datatype",
}
# Columns that are known and hold nothing that the raw tables keep.
_NOT_KEPT = {
    "computed by the program that wrote the file": (
        "weight q pq i2 iq i2q tau2 tau z pz qint pqint i2qint df p pval pvalue zval zi"
    ),
    "a setting of the program that wrote the file": (
        "statisticalmethod effectmeasure analysismodel totals userdefinedorder "
        "studyconfidenceinterval totalconfidenceinterval testforsubgroupdifferences "
        "swapeventandnonevent entereddataareonlogscale enternumberofparticipants applicability "
        "estimable measure"
    ),
    "words about the analysis, the study or the figure": (
        "subgroup footnotes analysisname grouplabel1 grouplabel2 leftgraphlabel rightgraphlabel "
        "experimentalgrouplabel controlgrouplabel comment comments notes"
    ),
    "observed minus expected, which no table here has a column for": "oe",
    "the variance of observed minus expected": "variance",
    "a mean that does not say of which group": "mean",
}
NOT_KEPT = {name: why for why, names in _NOT_KEPT.items() for name in names.split()}


def _role_of(treatment: Iterable[str]) -> dict[str, str]:
    """Roles by name of a column, also where the group goes by a name of the treatment."""
    names = {}
    groups = {"1": [*_GROUPS["1"].split(), *map(plain_name, treatment)], "2": _GROUPS["2"].split()}
    for (quantity, words), (group, places) in itertools.product(
        _QUANTITIES.items(), groups.items()
    ):
        for word, place in itertools.product(words.split(), places):
            if len(word + place) >= _SHORTEST or quantity == "n":
                names[word + place] = names[place + word] = f"{quantity}_{group}"
    return names | {name: role for role, some in _OTHERS.items() for name in some.split()}


@dataclass(frozen=True)
class Columns:
    """What the columns of a foreign table hold."""

    place: dict[str, int]
    name: dict[str, str]
    not_placed: dict[str, str]
    problems: tuple[str, ...]


def recognise(
    header: Sequence[str], named: Mapping[str, str], treatment: Iterable[str] = ()
) -> Columns:
    """Find what every column of a foreign table holds.

    Known are the names of metafor (m1i, sd1i, n1i, ..., ai, n1i, ci, n2i, yi, vi, sei), of the
    R package meta, of the exports of RevMan 5 and RevMan Web, and of spreadsheets.
    """
    problems = [
        f"{role}={column}: no such {'role' if role not in ROLES else 'column'}; there are "
        f"{', '.join(ROLES if role not in ROLES else header)}"
        for role, column in named.items()
        if role not in ROLES or column not in header
    ]
    keys = [plain_name(name) for name in header]
    roles = _role_of(treatment)
    if "ai" in keys:
        # metafor's 2x2 table; alone, "ci" would be an interval.
        roles["ci"] = "events_2"
    if "oe" in keys:
        # RevMan's variance of O-E is not that of an effect.
        del roles["variance"]
    found: dict[str, list[int]] = {}
    not_placed: dict[str, str] = {}
    for place, (name, key) in enumerate(zip(header, keys, strict=True)):
        role = roles.get(key)
        if name in named.values():
            continue
        if role in named:
            not_placed[name] = "another column was named for it"
        elif role is None:
            unknown = "unknown name; say what it holds with --column ROLE=NAME"
            not_placed[name] = NOT_KEPT.get(key, unknown)
        else:
            found.setdefault(role, []).append(place)
    for role, places in found.items():
        if len(places) > 1:
            names = ", ".join(repr(header[place]) for place in places)
            problems.append(f"{names} could all be {role}; say which with --column {role}=NAME")
    by_role = {role: places[0] for role, places in found.items()}
    if keys[by_role.get("estimate", 0)] == "givmean":
        # RevMan Web: a logarithm where the measure is a ratio, beside limits that are none.
        for role in {"ci_low", "ci_high"} & set(by_role):
            not_placed[header[by_role.pop(role)]] = "not on the scale of GIV Mean"
    by_role |= {role: header.index(name) for role, name in named.items() if name in header}
    name_of = {role: header[place] for role, place in by_role.items()}
    return Columns(by_role, name_of, not_placed, tuple(problems))


def plain_name(name: str) -> str:
    """A name without what writers vary: case, blanks, points, strokes; superscripts as digits."""
    plain = name.casefold().replace("\u00b2", "2")
    return re.sub(r"[^a-z0-9]+", "", plain)


# Lines that hold studies

# What RevMan 5 calls the data of an analysis.
DATA_TYPES = {"DIC": "events", "CON": "means", "IVG": "effect", "GIV": "effect"}
TOTALS = re.compile(r"(sub)?totals?\b|overall\b|pooled\b|summary\b|heterogeneity\b", re.I)


@dataclass(frozen=True)
class Line:
    """One line of a foreign table: its number in the file (1 is the header), cells by role."""

    number: int
    cells: Mapping[str, str]

    @property
    def label(self) -> str:
        """What the file calls the study."""
        return self.cells[STUDY]

    def cell(self, role: str) -> str:
        """What the line says of a role; "" if there is no such column."""
        return self.cells.get(role, "")

    def value(self, role: str) -> str:
        """The same; "" if it says, in whatever words, that there is none."""
        text = self.cell(role)
        return "" if plain_name(text) in NO_VALUE and not re.search("[0-9]", text) else text

    def has(self, roles: Iterable[str]) -> bool:
        """Whether every role has a cell."""
        return all(self.cell(role) for role in roles)


@dataclass(frozen=True)
class Chosen:
    """What to take of a foreign table."""

    lines: tuple[Line, ...]
    layout: str
    passed_over: tuple[tuple[int, str], ...]
    problems: tuple[str, ...]


def chosen_lines(
    rows: Sequence[tuple[int, Sequence[str]]],
    columns: Columns,
    *,
    analysis: str = "",
    layout: str = "",
) -> Chosen:
    """Choose lines and layout, or say what keeps from choosing."""
    if STUDY not in columns.place:
        return Chosen((), "", (), ("no column names the studies; say which: --column study=NAME",))
    lines = [
        Line(number, {role: cells[place].strip() for role, place in columns.place.items()})
        for number, cells in rows
    ]
    passed_over: list[tuple[int, str]] = []
    problems: list[str] = []
    if all(role in columns.place for role in ANALYSIS):
        lines, problems = _of_analysis(lines, analysis, passed_over)
        types = sorted({line.cell("data_type").upper() for line in lines})
        layout = layout or next((DATA_TYPES[name] for name in types if name in DATA_TYPES), "")
    reasons = [_why_no_study(line) for line in lines]
    studies = [line for line, why in zip(lines, reasons, strict=True) if not why]
    passed_over += [(line.number, why) for line, why in zip(lines, reasons, strict=True) if why]
    if not problems:
        seen: dict[str, list[str]] = {}
        for line in studies:
            seen.setdefault(plain_name(line.label), []).append(str(line.number))
        problems += [
            f"lines {', '.join(numbers)} are one study; keep one result of it in the file"
            for numbers in seen.values()
            if len(numbers) > 1
        ]
        layout, problem = _layout(studies, columns, layout)
        problems += [problem] if problem else []
    return Chosen(tuple(studies), layout, tuple(sorted(passed_over)), tuple(problems))


def _of_analysis(
    lines: Sequence[Line], analysis: str, passed_over: list[tuple[int, str]]
) -> tuple[list[Line], list[str]]:
    """Lines of one analysis, and what keeps from choosing it."""
    by_analysis: dict[str, list[Line]] = {}
    for line in lines:
        by_analysis.setdefault(".".join(map(line.cell, ANALYSIS)), []).append(line)
    # Outcome 0 is the line that names a comparison.
    known = {name: some for name, some in by_analysis.items() if not name.endswith(".0")}
    listed = ", ".join(f"{name} ({_about(some)})" for name, some in known.items())
    if analysis and analysis not in known:
        return [], [f"no analysis {analysis}; there are {listed}"]
    if not analysis and len(known) > 1:
        return [], [f"several analyses; say which with --analysis: {listed}"]
    wanted = analysis or next(iter(known), "")
    for name, some in by_analysis.items():
        if name != wanted:
            reason = f"of analysis {name}" if name in known else "names a comparison"
            passed_over.extend((line.number, reason) for line in some)
    return known.get(wanted, []), []


def _about(lines: Sequence[Line]) -> str:
    """Title of an analysis, if the file gives one, and how many studies it has."""
    title = next((line.label for line in lines if line.cell("data_type")), "")
    count = f"{sum(not _why_no_study(line) for line in lines)} studies"
    return f"{title}, {count}" if title else count


def _why_no_study(line: Line) -> str:
    if line.cell("data_type"):
        return "names an analysis"
    if not line.label:
        return "names no study"
    if TOTALS.match(line.label):
        return "a line of totals"
    if line.cell("subgroup_no") not in ("", "0") and "se" in line.cells:
        # RevMan 5 gives every study a standard error, and no line of a subgroup.
        return "" if line.cell("se") else "names a subgroup"
    has_number = any(text for role, text in line.cells.items() if role not in NAMING)
    return "" if has_number else "holds no number"


def _layout(lines: Sequence[Line], columns: Columns, layout: str) -> tuple[str, str]:
    """The numbers to take, those of the arms before an effect computed from them; or a problem."""
    there = [
        name
        for name, options in NEEDED.items()
        if any(line.has(roles) for roles in options for line in lines)
    ]
    if layout:
        told = f"no line has the numbers of {layout}; there are {', '.join(there) or 'none'}"
        return (layout, "") if layout in there else ("", told)
    if {"means", "events"} <= set(there):
        return "", "both means and events; say which with --data means or --data events"
    if there:
        return there[0], ""
    needed = "; ".join(f"{name}: {', '.join(options[0])}" for name, options in NEEDED.items())
    found = ", ".join(f"{name} ({role})" for role, name in columns.name.items()) or "none"
    return "", (
        f"no line has all the numbers of one kind. Needed are, of {needed}. Known columns: "
        f"{found}. Name others with --column ROLE=NAME"
    )


# Numbers

# Codes of measures whose estimate and spread are logarithms, and what they are logarithms of.
LOGS = {"logRR": "RR", "logOR": "OR", "logIRR": "IRR"}
RATIOS = tuple(LOGS.values())
MEASURES = ("MD", "SMD", "RD", *RATIOS, *LOGS)
FROM_SE = "limits from the standard error"


def number_cells(line: Line) -> tuple[Row, list[tuple[str, str]]]:
    """Find the numbers of a line by role, and cells that are none with the reason."""
    found: Row = {}
    faults = []
    for role in NUMBERS:
        given = line.value(role)
        text = plain_number(given)
        if role in COUNTS:
            text = re.sub(r"\.0+$", "", text)
        if not text:
            continue
        if NUMBER.fullmatch(text) and (role not in COUNTS or text.isdigit()):
            found[role] = text
        else:
            kind = "whole number of people" if role in COUNTS else "plain number"
            remedy = "; where commas are decimal: --decimal-comma" if "," in given else ""
            faults.append((role, f"{given!r} is not a {kind}{remedy}"))
    return found, faults


def plain_number(text: str) -> str:
    """A number without an exponent, a bare point or a typeset minus; other text as it is."""
    plain = re.sub(r"^(-?)\.(?=[0-9])", r"\g<1>0.", text.replace("\u2212", "-"))
    return f"{Decimal(plain):f}" if EXPONENT.fullmatch(plain) else plain


def effect_cells(
    numbers: Mapping[str, str],
    *,
    measure: str,
    level: float,
    is_turned: bool,
    treatment: str = NEUTRAL,
) -> Row | str:
    """Cells of an effect, as they stand in the file where they can; or why there are none."""
    is_log, is_ratio = measure in LOGS, measure in (*RATIOS, *LOGS)
    ends = _ends(numbers, level, takes_se=measure not in RATIOS)
    if isinstance(ends, str):
        return ends
    row: Row = {"measure": LOGS.get(measure, measure), "estimate": numbers["estimate"]}
    if ends:
        row["ci_level"] = f"{level:g}"
    done = [FROM_SE] if ends and "ci_low" not in numbers else []
    values = [float(numbers["estimate"]), *ends]
    if is_log:
        values = [math.exp(value) for value in values]
        done.append("taken out of logarithms")
    if is_turned:
        if is_ratio and min(values) <= 0:
            return "a ratio, or a limit of its interval, that is not above 0"
        values = [1 / value if is_ratio else -value for value in values]
        values[1:] = reversed(values[1:])
        done.append(f"turned to {treatment} against the comparator")
    if not done:
        return row | {name: numbers[name] for name in ("ci_low", "ci_high") if ends}
    # Six significant digits without an exponent, which the raw tables do not take.
    texts = [np.format_float_positional(six_digits(value), trim="-") for value in values]
    row |= dict(zip(("estimate", "ci_low", "ci_high"), texts, strict=False))
    if done == [FROM_SE]:
        row["estimate"] = numbers["estimate"]
    else:
        row["estimate_decimals"] = NOT_APPLICABLE
    made = [str(row[name]) for name in ("estimate", "ci_low", "ci_high") if name in row]
    return row | {"note": f"computed on import: {'; '.join(done)}: {', '.join(made)}"}


def _ends(numbers: Mapping[str, str], level: float, *, takes_se: bool) -> tuple[float, ...] | str:
    """Limits on the scale of the estimate: those of the file, or estimate -+ z se; maybe none."""
    if "ci_low" in numbers and "ci_high" in numbers:
        return float(numbers["ci_low"]), float(numbers["ci_high"])
    spread = next((name for name in ("se", "variance") if name in numbers), None)
    if spread is None:
        return ()
    if not takes_se:
        return (
            "a ratio with a standard error: of the ratio or of its logarithm? Where estimate "
            "and spread are logarithms, give --measure logRR, logOR or logIRR"
        )
    value = float(numbers[spread])
    if value <= 0:
        return f"a {spread} that is not above 0"
    se = math.sqrt(value) if spread == "variance" else value
    reach = NormalDist().inv_cdf((1 + level) / 2) * se
    estimate = float(numbers["estimate"])
    return estimate - reach, estimate + reach


# From lines to rows


class NotPlaced(NamedTuple):
    """A row or a cell that is in no new row, and why; line 0 is the header."""

    line: int
    column: str
    why: str


@dataclass(frozen=True)
class Wanted:
    """What a file cannot say; ``shared`` are cells of all new rows."""

    file: str
    shared: Row
    measure: str = ""
    level: float = 0.95
    studies: Mapping[str, str] = field(default_factory=dict)
    is_swapped: bool = False
    treatment: str = NEUTRAL
    where: str = "line"

    @property
    def groups(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Group here, and group of the file."""
        return (("1", "2"), ("2", "1")) if self.is_swapped else (("1", "1"), ("2", "2"))


@dataclass
class Placed:
    """What became of a file."""

    answers: Answers
    lines: dict[int, str] = field(default_factory=dict)
    new_studies: list[str] = field(default_factory=list)
    not_placed: list[NotPlaced] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def place_lines(
    lines: Iterable[Line],
    columns: Columns,
    layout: str,
    wanted: Wanted,
    on_file: Mapping[str, Sequence[Row]],
) -> Placed:
    """Turn lines of a foreign table into answers."""
    placer = _Placer(columns, wanted, on_file)
    for line in lines:
        placer.line(line, layout)
    return placer.placed


# Table of the numbers of an arm, what of them it has, and what is shown as printed.
_OF_ARMS = {
    "means": ("arm_stats", ("mean", "sd", "n"), ("mean", "sd", "n")),
    "events": ("arm_events", ("events", "n"), ("events", "non_events", "n")),
}


class _Placer:
    def __init__(
        self, columns: Columns, wanted: Wanted, on_file: Mapping[str, Sequence[Row]]
    ) -> None:
        self.placed = Placed(Answers(shared=dict(wanted.shared)))
        self._columns, self._wanted = columns, wanted
        self._studies = {row["study_id"]: row for row in on_file["studies"]}
        self._arms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for arm in on_file["arms"]:
            self._arms[arm["study_id"]][arm["group"]].append(arm["arm_id"])

    def line(self, line: Line, layout: str) -> None:
        numbers, faults = number_cells(line)
        for role, why in faults:
            self._skip(line, self._columns.name[role], why)
        if layout == "events":
            for place in ("1", "2"):
                parts = [numbers.get(f"{name}_{place}") for name in ("events", "non_events")]
                if all(parts):
                    numbers.setdefault(f"n_{place}", str(sum(int(part or 0) for part in parts)))
        missing = [role for role in NEEDED[layout][0] if role not in numbers]
        if missing:
            names = ", ".join(self._columns.name.get(role, role) for role in missing)
            self._skip(line, names, f"no number, so {line.label!r} is not placed")
            return
        effect = self._effect(line, numbers) if layout == "effect" else {}
        study_id = self._study_of(line)
        arms = self._arms_of(line, study_id) if effect is not None else None
        if effect is None or arms is None:
            return
        if study_id not in self._studies:
            self._new_study(line, study_id)
        self.placed.lines[line.number] = study_id
        where = {"study_id": study_id, "locator": self._locator(line)}
        if layout == "effect":
            row = where | {"arm_1": arms[0], "arm_2": arms[1]}
            self.placed.answers.of("contrasts").append(row | self._paired(line, study_id, effect))
            return
        table, kept, shown = _OF_ARMS[layout]
        for arm_id, (_, place) in zip(arms, self._wanted.groups, strict=True):
            row = {name: numbers[f"{name}_{place}"] for name in kept}
            row["as_reported"] = self._printed(line, [f"{name}_{place}" for name in shown])
            self.placed.answers.of(table).append({**where, "arm_id": arm_id, **row})

    def _effect(self, line: Line, numbers: Row) -> Row | None:
        wanted = self._wanted
        cells = effect_cells(
            numbers,
            measure=wanted.measure,
            level=wanted.level,
            is_turned=wanted.is_swapped,
            treatment=wanted.treatment,
        )
        if isinstance(cells, str):
            self._skip(line, self._columns.name["estimate"], cells)
            return None
        people = {
            f"n_{own}": numbers[f"n_{place}"]
            for own, place in wanted.groups
            if f"n_{place}" in numbers
        }
        return {**cells, **people, "as_reported": self._printed(line, EFFECT)}

    def _printed(self, line: Line, roles: Iterable[str]) -> str:
        """Cells as the file has them, with its names of the columns."""

        def shown(text: str) -> str:
            return f"{plain_number(text)} ({text})" if EXPONENT.fullmatch(text) else text

        return "; ".join(
            f"{self._columns.name[role]} {shown(line.value(role))}"
            for role in roles
            if line.value(role)
        )

    def _study_of(self, line: Line) -> str:
        """The study a label names: by hand, by key, by label, or a new key."""
        if line.label in self._wanted.studies:
            return self._wanted.studies[line.label]
        year = line.value(YEAR)
        whole = line.label if year in line.label else f"{line.label} {year}"
        labels = {slug(row["label"], ""): name for name, row in self._studies.items()}
        for key in (slug(line.label, ""), slug(whole, "")):
            if key in self._studies:
                return key
            if key in labels:
                return labels[key]
        return slug(whole, "")

    def _new_arms(self, study_id: str) -> tuple[str, str]:
        return f"{study_id}-{slug(self._wanted.treatment)}", f"{study_id}-{COMPARATOR}"

    def _arms_of(self, line: Line, study_id: str) -> tuple[str, str] | None:
        if study_id not in self._studies:
            return self._new_arms(study_id)
        arms = self._arms[study_id]
        if len(arms["1"]) == 1 and len(arms["2"]) == 1:
            return arms["1"][0], arms["2"][0]
        listed = ", ".join([*arms["1"], *arms["2"]]) or "none"
        why = (
            f"{study_id} has not one arm of group 1 and one of group 2 ({listed}); type it by hand"
        )
        self._skip(line, self._columns.name[STUDY], why)
        return None

    def _new_study(self, line: Line, study_id: str) -> None:
        years = re.findall(r"(?:19|20)\d\d", line.label)
        year = line.value(YEAR) or (years or [NOT_REPORTED])[-1]
        is_told = year in (NOT_REPORTED, *re.findall(r"\d{4}", line.label))
        label = line.label if is_told else f"{line.label} {year}"
        study = {"study_id": study_id, "label": label, "year": year}
        self.placed.answers.of("studies").append(study)
        for group, arm_id in zip(("1", "2"), self._new_arms(study_id), strict=True):
            arm = {"arm_id": arm_id, "study_id": study_id, "group": group}
            self.placed.answers.of("arms").append(arm | {"locator": self._locator(line)})
        self.placed.new_studies.append(study_id)

    def _paired(self, line: Line, study_id: str, row: Row) -> Row:
        """A crossover has one number of people."""
        study = self._studies.get(study_id, self._wanted.shared)
        if "crossover" not in study.get("design", ""):
            return row
        first, second = row.pop("n_1", NOT_REPORTED), row.pop("n_2", NOT_REPORTED)
        if first != second:
            why = f"{study_id} is a crossover, and the file has two numbers of people"
            self._skip(line, "n", why)
        return row | {"is_paired": "yes", "n_1": first if first == second else NOT_REPORTED}

    def _locator(self, line: Line) -> str:
        own = f"{self._wanted.file}, {self._wanted.where} {line.number}"
        shared = self._wanted.shared.get("locator", "")
        return f"{shared}; {own}" if shared else own

    def _skip(self, line: Line, column: str, why: str) -> None:
        self.placed.not_placed.append(NotPlaced(line.number, column, why))


# A whole file

# Options of the command that are cells of every new row, and whether every import needs them.
CELLS = {
    "outcome": ("outcome_id", True),
    "source": ("source_id", True),
    "read_from": ("read_from", True),
    "extracted_by": ("reader", True),
    "indication": ("indication_id", False),
    "weeks": ("timepoint_weeks", False),
    "analysis_set": ("analysis_set", False),
    "statistic": ("statistic_of", False),
}


def place_file(
    path: Path,
    folder: Path,
    *,
    shared: Row,
    named: Mapping[str, str],
    studies: Mapping[str, str],
    analysis: str,
    layout: str,
    measure: str,
    level: float,
    is_swapped: bool,
    sheet: str = "",
    has_commas: bool = False,
) -> tuple[Columns, Placed]:
    """Everything up to the rows; every problem of the request and of the file at once."""
    content = read_foreign(path, analysis=analysis, sheet=sheet, has_commas=has_commas)
    review = load_review(folder)
    if content.where == "entry" and path.suffix.casefold() == ".json":
        # The reader took the one that was asked for.
        analysis = ""
    columns = recognise(content.header, named, (review.label, review.short_name))
    chosen = chosen_lines(content.lines, columns, analysis=analysis, layout=layout)
    problems = [*columns.problems, *chosen.problems]
    problems += [
        f"--{name.replace('_', '-')} is missing: the file cannot say it"
        for name, (column, is_needed) in CELLS.items()
        if column not in shared
        and (is_needed or (name == "statistic" and chosen.layout == "means"))
    ]
    tables = load_dictionary(folder).tables
    known = {column for name in TABLES for column in tables[name].columns}
    problems += [
        f"--set {name}=...: no table has this column" for name in shared if name not in known
    ]
    if "treatment" in shared:
        remedy = "--set intervention=... and --set comparator=... are those of the two arms"
        problems.append(f"--set treatment=... would be the same for both arms; {remedy}")
    if chosen.layout == "effect" and measure not in MEASURES:
        problems.append(f"--measure is {measure or 'missing'}; use one of {', '.join(MEASURES)}")
    is_revman = plain_name(columns.name.get("estimate", "")) == "effectestimate"
    if chosen.layout == "effect" and is_revman and measure in LOGS:
        remedy = f"use --measure {LOGS[measure]}"
        problems.append(f"'Effect Estimate' of RevMan 5 is no logarithm; {remedy}")
    if problems:
        raise ParameterError(f"{path} was not imported:\n{_listed(problems)}")
    names = (content.name, shared, measure, level, studies, is_swapped, review.label)
    wanted = Wanted(*names, content.where)
    on_file = {
        name: csv_records(folder / f"{name}.csv") for name in ("studies", "arms", "sources")
    }
    placed = place_lines(chosen.lines, columns, chosen.layout, wanted, on_file)
    sources = {row["source_id"] for row in on_file["sources"]}
    if shared["source_id"] not in sources and "kind" in shared:
        placed.answers.of("sources").append({"source_id": shared["source_id"]})
    placed.not_placed += [NotPlaced(line, "-", why) for line, why in chosen.passed_over]
    unused = set(columns.name) - {*NAMING, *USED[chosen.layout]}
    why = f"not needed beside the {chosen.layout}, which were taken"
    placed.not_placed += [NotPlaced(0, columns.name.pop(role), why) for role in sorted(unused)]
    placed.not_placed += [NotPlaced(0, name, why) for name, why in columns.not_placed.items()]
    numbers = chosen.lines[0].cell(ANALYSIS[0]), chosen.lines[0].cell(ANALYSIS[1])
    overall = content.analyses.get(".".join(numbers))
    placed.told += [f"the file's own result: {overall}"] if overall else []
    placed.told += [f"of the file: {note}" for note in content.notes]
    return columns, placed


# Risk of bias and sources

# Words of robvis and RevMan for what the tools here call otherwise.
_JUDGEMENTS = {"RoB 2": {"no information": NOT_READABLE}, "RoB 2 crossover": {}, "ROBINS-I": {}}
_JUDGEMENTS["RoB 2 crossover"] = _JUDGEMENTS["RoB 2"]
_WEIGHT = "weight"


def place_bias(path: Path, folder: Path, *, shared: Row, studies: Mapping[str, str]) -> Placed:
    """Judgements of a table for robvis, or of a data package of RevMan, of studies on file."""
    data = path.read_bytes() if path.is_file() else b""
    is_package = path.suffix.casefold() == ".zip"
    content = _member(path, data, JUDGED) if is_package else read_foreign(path)
    if content is None:
        raise ParameterError(f"{path} holds no file that ends in {JUDGED}")
    keys = [plain_name(name) for name in content.header]
    of_study = next((place for place, key in enumerate(keys) if key == STUDY), None)
    judged = [
        place
        for place, key in enumerate(keys)
        if place != of_study
        and (key.startswith("domainjudgement") or key == OVERALL or not is_package)
        and key != _WEIGHT
    ]
    tools = [one for name, one in TOOLS.items() if name in _JUDGEMENTS]
    tool = next((one for one in tools if len(one.domain_names) == len(judged)), None)
    if of_study is None or tool is None or keys[judged[-1]] != OVERALL:
        wanted = "; ".join(f"{one.name}: {len(one.domains)}" for one in tools)
        raise ParameterError(
            f"{path}: needed are the columns Study, one for each domain in order ({wanted}) and "
            f"Overall; there are {', '.join(content.header)}"
        )
    on_file = csv_records(folder / "studies.csv")
    known = {
        slug(row[name], ""): row["study_id"] for row in on_file for name in ("study_id", "label")
    }
    placed = Placed(Answers(shared=dict(shared)))
    for number, cells in content.lines:
        label = cells[of_study].strip()
        study = studies.get(label) or known.get(slug(label, ""))
        if study is None:
            placed.not_placed.append(
                NotPlaced(number, "-", f"no study on file is called {label!r}")
            )
            continue
        for place, domain in zip(judged, tool.domain_names, strict=True):
            said = (
                cells[place].casefold().removesuffix(" risk of bias").removesuffix(" risk").strip()
            )
            word = _JUDGEMENTS[tool.name].get(said, said)
            if word not in tool.ranks:
                why = f"{cells[place]!r} is no judgement of {tool.name}"
                placed.not_placed.append(NotPlaced(number, content.header[place], why))
                continue
            locator = f"{content.name}, {content.where} {number}"
            row = {"study_id": study, "tool": tool.name, "domain": domain, "judgement": word}
            row |= {"reason": "as the file has it, which gives no reason", "locator": locator}
            placed.answers.of("risk_of_bias").append(row)
        placed.lines[number] = study
    placed.told.append(f"tool: {tool.name}, by the number of domains")
    return placed


SOURCE_FILES = (".ris", ".bib")
_KINDS = {
    **dict.fromkeys(("jour", "ejour", "article"), "journal article"),
    **dict.fromkeys(("cpaper", "inproceedings", "conference"), "conference abstract"),
    **dict.fromkeys(("unpb", "unpublished"), "preprint"),
    **{"news": "press", "dbase": "registry record"},
}
_RIS = {
    **{"author": ("AU", "A1"), "title": ("TI", "T1"), "year": ("PY", "Y1"), "key": ("ID",)},
    **{"container": ("T2", "JO", "JF", "JA", "J2"), "volume": ("VL",), "pages": ("SP", "EP")},
    **{"doi": ("DO",), "pmid": ("AN",), "registry_id": ("M1",), "url": ("UR",), "note": ("N1",)},
}
_BIB = {"journal": "container", "booktitle": "container", "howpublished": "container"}
_ACCENTS = {
    **{"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303"},
    **{"c": "\u0327", "v": "\u030c", "=": "\u0304", ".": "\u0307", "u": "\u0306", "H": "\u030b"},
}
_LETTERS = {
    "ss": "\u00df",
    "o": "\u00f8",
    "O": "\u00d8",
    "l": "\u0142",
    "ae": "\u00e6",
    "aa": "\u00e5",
}
Fields = dict[str, list[str]]


def place_sources(path: Path, folder: Path, *, shared: Row) -> Placed:
    """References of a RIS or BibTeX file as rows of sources.csv; those on file are left out."""
    try:
        text = _text_of(path, path.read_bytes())
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from error
    is_ris = path.suffix.casefold() == ".ris"
    entries = list(_ris_entries(text) if is_ris else _bib_entries(text))
    if not entries:
        raise ParameterError(f"{path} holds no reference")
    placed = Placed(Answers(shared=dict(shared)))
    seen: dict[tuple[str, str], str] = {}
    for row in csv_records(folder / "sources.csv"):
        seen |= dict.fromkeys(_identities(row), row["source_id"])
    for number, entry in entries:
        row = _source_of(entry)
        twin = next((seen[name] for name in _identities(row) if name in seen), None)
        if twin is not None:
            placed.not_placed.append(
                NotPlaced(number, "-", f"is on file, or in it before: {twin}")
            )
            continue
        label = row.get("source_id") or row.get("title") or f"line {number}"
        seen |= dict.fromkeys(_identities(row), label)
        kind = entry["kind"][0]
        if kind in _KINDS:
            row["kind"] = _KINDS[kind]
        else:
            why = f"kind of source {kind!r} is none here: --set kind=..., in a file of its own"
            placed.not_placed.append(NotPlaced(number, "kind", why))
        placed.answers.of("sources").append(row)
        placed.lines[number] = label
    return placed


def _identities(row: Mapping[str, str]) -> list[tuple[str, str]]:
    """What tells that two rows are one source."""
    names = ("doi", "pmid", "title")
    return [(n, plain_name(row[n])) for n in names if row.get(n) and row[n] not in EMPTY]


def _source_of(entry: Fields) -> Row:
    """A row of sources.csv, as far as a reference tells it."""

    def of(name: str) -> str:
        return _plain_text("; ".join(entry.get(name, ())))

    row = {"authors": "; ".join(map(_plain_text, entry.get("author", ()))), "title": of("title")}
    row["year"] = next(iter(re.findall(r"(?:1[89]|20)\d\d", of("year"))), "")
    pages = "-".join(map(_plain_text, entry.get("pages", ()))).replace("--", "-")
    volume = " ".join(filter(None, (of("volume"), pages and f"pp. {pages}")))
    row["container"] = " ".join(filter(None, (of("container"), volume)))
    doi = re.search(r"10\.\d{4,9}/\S+", of("doi"))
    row["doi"] = doi.group().rstrip(".,;") if doi else ""
    note = of("note")
    pmid = re.search(r"(?:^|PMID:? )(\d{5,9})\b", of("pmid") or note)
    row["pmid"] = pmid.group(1) if pmid else ""
    row["registry_id"] = next(iter(re.findall(r"NCT\d{8}", of("registry_id") or note)), "")
    row["url"] = next(iter(re.findall(r"https?://\S+", of("url"))), "")
    # What has no address says so first; and so far no row cites it.
    no_address = not any(row.get(name) for name in IDENTIFIERS)
    nowhere = f"{UNTRACEABLE}no identifier was given" if no_address else ""
    row["note"] = "; ".join(filter(None, (nowhere, note, UNCITED)))
    key = of("key")
    row["source_id"] = key if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", key) else ""
    found = {name: text for name, text in row.items() if text}
    return dict.fromkeys(("doi", "pmid", "url", "registry_id"), NOT_REPORTED) | found


def _ris_entries(text: str) -> Iterator[tuple[int, Fields]]:
    names = {tag: name for name, tags in _RIS.items() for tag in tags}
    entry: Fields = {}
    began, last = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        tag = re.match(r"([A-Z][A-Z0-9])  - ?(.*)", line)
        if tag is None:
            # A long value goes on in the next line.
            if entry and last and line.strip():
                entry[last][-1] += f" {line.strip()}"
            continue
        name, value = tag.group(1), tag.group(2).strip()
        if name == "TY":
            entry, began = {"kind": [value.casefold()]}, number
        elif name == "ER" and entry:
            yield began, entry
            entry = {}
        last = names.get(name, "") if value else ""
        if last and entry and (last not in ("title", "container", "year") or last not in entry):
            entry.setdefault(last, []).append(value)


def _bib_entries(text: str) -> Iterator[tuple[int, Fields]]:
    for head in re.finditer(r"(?m)^\s*@(\w+)\s*\{\s*([^,\s]+)\s*,", text):
        kind = head.group(1).casefold()
        if kind in ("string", "comment", "preamble"):
            continue
        entry: Fields = {"kind": [kind], "key": [head.group(2)]}
        place = head.end()
        while found := re.compile(r"[\s,]*([\w-]+)\s*=\s*").match(text, place):
            value, place = _bib_value(text, found.end())
            name = _BIB.get(found.group(1).casefold(), found.group(1).casefold())
            parts = re.split(r"\s+and\s+", value) if name == "author" else [value]
            entry[name] = [_without_tex(part) for part in parts]
        yield text.count("\n", 0, head.start(1)) + 1, entry


def _bib_value(text: str, start: int) -> tuple[str, int]:
    """What stands between braces or quotes, or a bare word; and where it ends."""
    if text[start : start + 1] not in ("{", '"'):
        bare = re.compile(r"[^,}\s]*").match(text, start)
        return (bare.group(), bare.end()) if bare else ("", start)
    depth, ends = 0, "}" if text[start] == "{" else '"'
    for place in range(start + 1, len(text)):
        sign, is_escaped = text[place], text[place - 1] == "\\"
        if sign == ends and depth == 0 and not is_escaped:
            return text[start + 1 : place], place + 1
        depth += 0 if is_escaped else (sign == "{") - (sign == "}")
    raise ParameterError(
        f"a brace or quote that line {text.count(chr(10), 0, start) + 1} opens is never closed"
    )


def _without_tex(text: str) -> str:
    """Words without TeX: accents as letters, escaped signs, no braces."""

    def accented(found: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", found.group(2) + _ACCENTS[found.group(1)])

    marks, letters = "'`^\"~=.", "cvuH"
    text = re.sub(rf"\\([{re.escape(marks)}])\s*\{{?\\?([A-Za-z])\}}?", accented, text)
    text = re.sub(rf"\\([{letters}])(?:\s+|\s*\{{)([A-Za-z])\}}?", accented, text)
    text = re.sub(r"\\(ss|aa|ae|o|O|l)(?![A-Za-z])\s*", lambda m: _LETTERS[m.group(1)], text)
    for name, sign in (("backslash", "\0"), ("asciitilde", "~"), ("asciicircum", "^")):
        text = text.replace(f"\\text{name}{{}}", sign)
    text = re.sub(
        r"\\([&%$#_{}])", lambda m: {"{": "\1", "}": "\2"}.get(m.group(1), m.group(1)), text
    )
    plain = re.sub(r"[{}]", "", text)
    return _plain_text(plain.translate({0: "\\", 1: "{", 2: "}"}))
