"""Rows of a foreign table as answers about new rows, and what could not be placed."""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ldn_meta.evidence.entry.rows import Answers, Row, slug
from ldn_meta.evidence.raw.faults import NO_VALUE, NUMBER
from ldn_meta.files import NOT_APPLICABLE, NOT_REPORTED, six_digits

STUDY, YEAR = "study", "year"
MEANS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
EVENTS = ("events_1", "n_1", "events_2", "n_2")
NON_EVENTS = ("non_events_1", "non_events_2")
EFFECT = ("estimate", "variance", "se", "ci_low", "ci_high")
# Where a RevMan file says which of its analyses a row belongs to.
ANALYSIS = ("comparison_no", "outcome_no")
REVMAN = (*ANALYSIS, "subgroup_no", "data_type")
# What is read of a file whose numbers are of one kind.
USED = {
    "means": MEANS,
    "events": (*EVENTS, *NON_EVENTS),
    "effect": (*EFFECT, "n_1", "n_2"),
}
ROLES = tuple(dict.fromkeys((STUDY, YEAR, *MEANS, *EVENTS, *NON_EVENTS, *EFFECT, *REVMAN)))

_GROUPS = {
    "1": (
        *("1", "e", "exp", "experimental", "treat", "treated", "treatment", "intervention"),
        *("active", "drug", "ldn", "naltrexone"),
    ),
    "2": ("2", "c", "ctrl", "control", "comparator", "placebo"),
}
_QUANTITIES = {
    "mean": ("mean", "m"),
    "sd": ("sd", "std", "stddev", "standarddeviation"),
    "n": ("n", "total", "samplesize"),
    "events": ("event", "events", "cases", "responders"),
}
# One letter for the group beside one letter for the quantity reads as something else ("se").
_SHORTEST = 3
_OTHERS = {
    STUDY: (
        *("study", "studies", "name", "author", "authors", "slab", "studlab", "trial", "label"),
        *("studyid", "studyorsubgroup", "studylabel", "studyname", "firstauthor", "study_id"),
    ),
    YEAR: ("year", "studyyear", "yearofstudy", "pubyear", "publicationyear"),
    "mean_1": ("m1i",),
    "sd_1": ("sd1i",),
    "n_1": ("n1i", "n1", "ne"),
    "mean_2": ("m2i",),
    "sd_2": ("sd2i",),
    "n_2": ("n2i", "n2", "nc"),
    "events_1": ("ai", "x1i"),
    "events_2": ("x2i",),
    "non_events_1": ("bi",),
    "non_events_2": ("di",),
    "estimate": (
        *("yi", "te", "effectestimate", "effectsize", "effect", "es", "estimate", "givmean"),
        *("md", "smd", "meandifference", "hedgesg", "cohensd"),
    ),
    "variance": ("vi", "var", "variance"),
    "se": ("sei", "se", "sete", "stderr", "standarderror", "givse"),
    "ci_low": ("cilow", "cilb", "cilower", "lower", "lowerci", "cistart", "lcl", "ll", "lci"),
    "ci_high": ("cihigh", "ciub", "ciupper", "upper", "upperci", "ciend", "ucl", "ul", "uci"),
    "comparison_no": ("comparisonnumber", "analysisgroup"),
    "outcome_no": ("outcomenumber", "analysisnumber"),
    "subgroup_no": ("subgroupnumber",),
    "data_type": ("datatype",),
}
# Columns that are known and hold nothing that the raw tables keep.
_COMPUTED = "computed by the program that wrote the file"
_SETTING = "a setting of the program that wrote the file"
_WORDS = "words about the analysis, the study or the figure"
NOT_KEPT = {
    **dict.fromkeys(
        (
            *("weight", "q", "pq", "i2", "iq", "i2q", "tau2", "tau", "z", "pz", "qint", "pqint"),
            *("i2qint", "df", "p", "pval", "pvalue", "zval", "zi"),
        ),
        _COMPUTED,
    ),
    **dict.fromkeys(
        (
            *("statisticalmethod", "effectmeasure", "analysismodel", "totals", "userdefinedorder"),
            *("studyconfidenceinterval", "totalconfidenceinterval", "testforsubgroupdifferences"),
            *("swapeventandnonevent", "entereddataareonlogscale", "enternumberofparticipants"),
            *("applicability", "estimable", "measure"),
        ),
        _SETTING,
    ),
    **dict.fromkeys(
        (
            *("subgroup", "footnotes", "analysisname", "grouplabel1", "grouplabel2"),
            *("leftgraphlabel", "rightgraphlabel", "experimentalgrouplabel"),
            *("controlgrouplabel", "comment", "comments", "notes"),
        ),
        _WORDS,
    ),
    "oe": "observed minus expected, which no table here has a column for",
    "variance": "the variance of observed minus expected",
    "mean": "a mean that does not say of which group",
}


def _spelt() -> dict[str, str]:
    names = {}
    for quantity, words in _QUANTITIES.items():
        for group, places in _GROUPS.items():
            for word, place in itertools.product(words, places):
                if len(word + place) >= _SHORTEST or quantity == "n":
                    names[word + place] = names[place + word] = f"{quantity}_{group}"
    names |= {name: role for role, some in _OTHERS.items() for name in some}
    # "m2", "sd2": numbers are no letters that could be read as a word.
    return names | {"m1": "mean_1", "m2": "mean_2"}


_ROLE_OF = _spelt()


@dataclass(frozen=True)
class Columns:
    """What the columns of a foreign table hold."""

    place: dict[str, int]
    name: dict[str, str]
    not_placed: dict[str, str]
    problems: tuple[str, ...]

    def has(self, roles: Iterable[str]) -> bool:
        """Whether there is a column for every role."""
        return all(role in self.place for role in roles)


def recognise(header: Sequence[str], named: Mapping[str, str]) -> Columns:
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
    found: dict[str, list[int]] = {}
    not_placed: dict[str, str] = {}
    by_hand = set(named.values())
    for place, (name, key) in enumerate(zip(header, keys, strict=True)):
        role = _role(key, keys)
        if name in by_hand:
            continue
        if role is None or role in named:
            unknown = "unknown name; say what it holds with --column ROLE=NAME"
            reason = "another column was named for it" if role else NOT_KEPT.get(key, unknown)
            not_placed[name] = reason
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


def _role(key: str, keys: Sequence[str]) -> str | None:
    if key == "ci" and "ai" in keys:
        # metafor's 2x2 table; alone, "ci" would be an interval.
        return "events_2"
    if key == "variance" and "oe" in keys:
        # RevMan's variance of O-E is not that of an effect.
        return None
    return _ROLE_OF.get(key)


def plain_name(name: str) -> str:
    """A name without what writers vary: case, blanks, points, strokes; superscripts as digits."""
    plain = name.casefold().replace("\u00b2", "2")
    return re.sub(r"[^a-z0-9]+", "", plain)


# Codes of measures whose estimate and spread are logarithms, and what they are logarithms of.
LOGS = {"logRR": "RR", "logOR": "OR", "logIRR": "IRR"}
RATIOS = tuple(LOGS.values())
MEASURES = ("MD", "SMD", "RD", *RATIOS, *LOGS)
FROM_SE = "limits from the standard error"


def effect_cells(
    numbers: Mapping[str, str], *, measure: str, level: float, is_turned: bool
) -> Row | str:
    """Cells of an effect; as they stand in the file where they can."""
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
        done.append("turned to LDN against the comparator")
    if not done:
        return row | {name: numbers[name] for name in ("ci_low", "ci_high") if ends}
    row |= {
        name: _plain(value)
        for name, value in zip(("estimate", "ci_low", "ci_high"), values, strict=False)
    }
    if done == [FROM_SE]:
        row["estimate"] = numbers["estimate"]
    else:
        row["estimate_decimals"] = NOT_APPLICABLE
    return row | {"note": f"computed on import: {'; '.join(done)}"}


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
    reach = NormalDist().inv_cdf((1 + level) / 2) * (
        math.sqrt(value) if spread == "variance" else value
    )
    estimate = float(numbers["estimate"])
    return estimate - reach, estimate + reach


def _plain(value: float) -> str:
    """Six significant digits without an exponent, which the raw tables do not take."""
    return np.format_float_positional(six_digits(value), trim="-")


LAYOUTS = ("means", "events", "effect")
# What RevMan 5 calls the data of an analysis.
DATA_TYPES = {"DIC": "events", "CON": "means", "IVG": "effect", "GIV": "effect"}
TOTALS = re.compile(r"(sub)?totals?\b|overall\b|pooled\b|summary\b|heterogeneity\b", re.I)


@dataclass(frozen=True)
class Line:
    """One line of a foreign table: its number in the file (1 is the header), label and cells."""

    number: int
    label: str
    cells: tuple[str, ...]


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
        Line(number, cells[columns.place[STUDY]].strip(), tuple(cells)) for number, cells in rows
    ]
    passed_over: list[tuple[int, str]] = []
    problems: list[str] = []
    if columns.has(ANALYSIS):
        lines, data_type, more = _of_analysis(lines, columns, analysis, passed_over)
        problems += more
        layout = layout or data_type
    studies = []
    for line in lines:
        why = _why_no_study(line, columns)
        if why:
            passed_over.append((line.number, why))
        else:
            studies.append(line)
    if not problems:
        problems += _twice(studies)
        layout, more = _layout(studies, columns, layout)
        problems += more
    return Chosen(tuple(studies), layout, tuple(sorted(passed_over)), tuple(problems))


def _of_analysis(
    lines: Sequence[Line],
    columns: Columns,
    analysis: str,
    passed_over: list[tuple[int, str]],
) -> tuple[list[Line], str, list[str]]:
    """Lines of one analysis, the kind of its data, and what keeps from choosing it."""
    by_analysis: dict[str, list[Line]] = {}
    for line in lines:
        name = ".".join(line.cells[columns.place[role]].strip() for role in ANALYSIS)
        by_analysis.setdefault(name, []).append(line)
    # Outcome 0 is the line that names a comparison.
    known = {name: some for name, some in by_analysis.items() if not name.endswith(".0")}
    listed = ", ".join(f"{name} ({_about(some, columns)})" for name, some in known.items())
    if analysis and analysis not in known:
        return [], "", [f"no analysis {analysis}; there are {listed}"]
    if not analysis and len(known) > 1:
        return [], "", [f"several analyses; say which with --analysis: {listed}"]
    wanted = analysis or next(iter(known), "")
    for name, some in by_analysis.items():
        if name != wanted:
            reason = f"of analysis {name}" if name in known else "names a comparison"
            passed_over.extend((line.number, reason) for line in some)
    kept = known.get(wanted, [])
    types = {_cell(line, columns, "data_type").upper() for line in kept} - {""}
    told = next((DATA_TYPES[name] for name in sorted(types) if name in DATA_TYPES), "")
    return kept, told, []


def _about(lines: Sequence[Line], columns: Columns) -> str:
    """Title of an analysis, if the file gives one, and how many studies it has."""
    title = next((line.label for line in lines if _cell(line, columns, "data_type")), "")
    count = sum(not _why_no_study(line, columns) for line in lines)
    return f"{title}, {count} studies" if title else f"{count} studies"


def _why_no_study(line: Line, columns: Columns) -> str:
    if not any(cell.strip() for cell in line.cells):
        return "a blank line"
    if _cell(line, columns, "data_type"):
        return "names an analysis"
    if not line.label:
        return "names no study"
    if TOTALS.match(line.label):
        return "a line of totals"
    numbers = [
        line.cells[place].strip() for role, place in columns.place.items() if role not in _NAMING
    ]
    if _cell(line, columns, "subgroup_no") not in ("", "0") and "se" in columns.place:
        # RevMan 5 gives every study a standard error, and no line of a subgroup.
        return "" if _cell(line, columns, "se") else "names a subgroup"
    return "" if any(numbers) else "holds no number"


_NAMING = (STUDY, "year", *ANALYSIS, "subgroup_no", "data_type")


def _twice(lines: Sequence[Line]) -> list[str]:
    seen: dict[str, list[str]] = {}
    for line in lines:
        seen.setdefault(plain_name(line.label), []).append(str(line.number))
    return [
        f"lines {', '.join(numbers)} are one study; keep one result of it in the file"
        for numbers in seen.values()
        if len(numbers) > 1
    ]


def _layout(lines: Sequence[Line], columns: Columns, layout: str) -> tuple[str, list[str]]:
    """The numbers to take; those of the arms go before an effect computed from them."""
    ways: Mapping[str, list[tuple[str, ...]]] = {
        "means": [MEANS],
        "events": [EVENTS, ("events_1", "non_events_1", "events_2", "non_events_2")],
        "effect": [("estimate",)],
    }
    there = [
        name
        for name, options in ways.items()
        if any(columns.has(o) and any(_has(line, columns, o) for line in lines) for o in options)
    ]
    if layout:
        if layout in there:
            return layout, []
        return "", [f"no line has the numbers of {layout}; there are {', '.join(there) or 'none'}"]
    of_arms = [name for name in there if name != "effect"]
    if len(of_arms) > 1:
        return "", ["both means and events; say which with --data means or --data events"]
    if there:
        return there[0], []
    needed = "; ".join(f"{name}: {', '.join(options[0])}" for name, options in ways.items())
    found = ", ".join(f"{name} ({role})" for role, name in columns.name.items()) or "none"
    return "", [
        f"no line has all the numbers of one kind. Needed are, of {needed}. Known columns: "
        f"{found}. Name others with --column ROLE=NAME"
    ]


def _has(line: Line, columns: Columns, roles: Sequence[str]) -> bool:
    return all(_cell(line, columns, role) for role in roles)


def _cell(line: Line, columns: Columns, role: str) -> str:
    place = columns.place.get(role)
    return "" if place is None else line.cells[place].strip()


COUNTS = ("n_1", "n_2", "events_1", "events_2", *NON_EVENTS)
NUMBERS = tuple(dict.fromkeys((*MEANS, *EVENTS, *NON_EVENTS, *EFFECT)))


def cell(line: Line, columns: Columns, role: str) -> str:
    """What a line says of a role; "" if nothing, in whatever words."""
    place = columns.place.get(role)
    text = "" if place is None else line.cells[place].strip()
    return "" if plain_name(text) in NO_VALUE and not re.search("[0-9]", text) else text


def number_cells(line: Line, columns: Columns) -> tuple[Row, list[tuple[str, str]]]:
    """Find the numbers of a line."""
    found: Row = {}
    faults = []
    for role in NUMBERS:
        text = given = cell(line, columns, role)
        text = text.replace("\u2212", "-")
        text = re.sub(r"^(-?)\.(?=[0-9])", r"\g<1>0.", text)
        if role in COUNTS:
            text = re.sub(r"\.0+$", "", text)
        if not text:
            continue
        if NUMBER.fullmatch(text) and (role not in COUNTS or text.isdigit()):
            found[role] = text
        else:
            kind = "whole number of people" if role in COUNTS else "plain number"
            faults.append((role, f"{given!r} is not a {kind}"))
    return found, faults


def printed(line: Line, columns: Columns, roles: Iterable[str]) -> str:
    """Cells as the file has them, with its names of the columns."""
    return "; ".join(
        f"{columns.name[role]} {cell(line, columns, role)}"
        for role in roles
        if cell(line, columns, role)
    )


class NotPlaced(NamedTuple):
    """A row or a cell that is in no new row, and why; line 0 is the header."""

    line: int
    column: str
    why: str


@dataclass(frozen=True)
class Wanted:
    """What a file cannot say."""

    file: str
    shared: Row
    measure: str = ""
    level: float = 0.95
    studies: Mapping[str, str] = field(default_factory=dict)
    is_swapped: bool = False


@dataclass
class Placed:
    """What became of a file."""

    answers: Answers
    lines: dict[int, str] = field(default_factory=dict)
    new_studies: list[str] = field(default_factory=list)
    not_placed: list[NotPlaced] = field(default_factory=list)


def place_lines(
    lines: Iterable[Line],
    columns: Columns,
    layout: str,
    wanted: Wanted,
    on_file: Mapping[str, Sequence[Row]],
) -> Placed:
    """Turn lines of a foreign table into answers."""
    placed = Placed(Answers(shared=dict(wanted.shared)))
    placer = _Placer(placed, columns, wanted, on_file)
    for line in lines:
        placer.line(line, layout)
    return placed


class _Placer:
    def __init__(
        self,
        placed: Placed,
        columns: Columns,
        wanted: Wanted,
        on_file: Mapping[str, Sequence[Row]],
    ) -> None:
        self._placed, self._columns, self._wanted = placed, columns, wanted
        self._studies = {row["study_id"]: row for row in on_file["studies"]}
        self._arms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for arm in on_file["arms"]:
            self._arms[arm["study_id"]][arm["group"]].append(arm["arm_id"])

    def line(self, line: Line, layout: str) -> None:
        numbers, faults = number_cells(line, self._columns)
        for role, why in faults:
            self._skip(line, self._columns.name[role], why)
        rows = {"means": self._means, "events": self._events, "effect": self._effect}[layout](
            line, numbers
        )
        if rows is None:
            return
        study_id = self._study_of(line)
        arms = self._arms_of(line, study_id)
        if arms is None:
            return
        if study_id not in self._studies:
            self._new_study(line, study_id)
        self._placed.lines[line.number] = study_id
        for table, row in rows:
            where = {"study_id": study_id, "locator": self._locator(line)}
            group = row.pop("group", "")
            if group:
                where["arm_id"] = arms[int(group) - 1]
            else:
                where |= {"arm_1": arms[0], "arm_2": arms[1]}
                row = self._paired(line, study_id, row)
            self._placed.answers.of(table).append(where | row)

    def _means(self, line: Line, numbers: Row) -> list[tuple[str, Row]] | None:
        if self._lacks(line, numbers, MEANS):
            return None
        return [
            (
                "arm_stats",
                {
                    "group": group,
                    "mean": numbers[f"mean_{place}"],
                    "sd": numbers[f"sd_{place}"],
                    "n": numbers[f"n_{place}"],
                    "as_reported": printed(
                        line, self._columns, (f"mean_{place}", f"sd_{place}", f"n_{place}")
                    ),
                },
            )
            for group, place in self._groups()
        ]

    def _events(self, line: Line, numbers: Row) -> list[tuple[str, Row]] | None:
        for place in ("1", "2"):
            parts = [numbers.get(name) for name in (f"events_{place}", f"non_events_{place}")]
            if f"n_{place}" not in numbers and all(parts):
                numbers[f"n_{place}"] = str(sum(int(part or 0) for part in parts))
        if self._lacks(line, numbers, EVENTS):
            return None
        shown = ("events", "non_events", "n")
        return [
            (
                "arm_events",
                {
                    "group": group,
                    "events": numbers[f"events_{place}"],
                    "n": numbers[f"n_{place}"],
                    "as_reported": printed(
                        line, self._columns, [f"{name}_{place}" for name in shown]
                    ),
                },
            )
            for group, place in self._groups()
        ]

    def _effect(self, line: Line, numbers: Row) -> list[tuple[str, Row]] | None:
        if self._lacks(line, numbers, ("estimate",)):
            return None
        wanted = self._wanted
        cells = effect_cells(
            numbers, measure=wanted.measure, level=wanted.level, is_turned=wanted.is_swapped
        )
        if isinstance(cells, str):
            self._skip(line, self._columns.name["estimate"], cells)
            return None
        people = {
            f"n_{own}": numbers[f"n_{p}"] for own, p in self._groups() if f"n_{p}" in numbers
        }
        return [
            ("contrasts", {**cells, **people, "as_reported": printed(line, self._columns, EFFECT)})
        ]

    def _lacks(self, line: Line, numbers: Row, roles: Sequence[str]) -> bool:
        missing = [self._columns.name.get(role, role) for role in roles if role not in numbers]
        if missing:
            self._skip(line, ", ".join(missing), f"no number, so {line.label!r} is not placed")
        return bool(missing)

    def _study_of(self, line: Line) -> str:
        """The study a label names: by hand, by key, by label, or a new key."""
        if line.label in self._wanted.studies:
            return self._wanted.studies[line.label]
        year = cell(line, self._columns, YEAR)
        whole = line.label if year in line.label else f"{line.label} {year}"
        labels = {slug(row["label"], ""): name for name, row in self._studies.items()}
        for key in (slug(line.label, ""), slug(whole, "")):
            if key in self._studies:
                return key
            if key in labels:
                return labels[key]
        return slug(whole, "")

    def _arms_of(self, line: Line, study_id: str) -> tuple[str, str] | None:
        if study_id not in self._studies:
            return f"{study_id}-ldn", f"{study_id}-comparator"
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
        year = (
            cell(line, self._columns, YEAR)
            or (re.findall(r"(?:19|20)\d\d", line.label) or [NOT_REPORTED])[-1]
        )
        label = (
            line.label
            if year in (NOT_REPORTED, *re.findall(r"\d{4}", line.label))
            else f"{line.label} {year}"
        )
        study = {"study_id": study_id, "label": label, "year": year}
        self._placed.answers.of("studies").append(study)
        for group, name in (("1", "ldn"), ("2", "comparator")):
            arm = {"arm_id": f"{study_id}-{name}", "study_id": study_id, "group": group}
            self._placed.answers.of("arms").append(arm | {"locator": self._locator(line)})
        self._placed.new_studies.append(study_id)

    def _paired(self, line: Line, study_id: str, row: Row) -> Row:
        """A crossover has one number of people."""
        study = self._studies.get(study_id, self._wanted.shared)
        if "crossover" not in study.get("design", ""):
            return row
        first, second = row.pop("n_1", NOT_REPORTED), row.pop("n_2", NOT_REPORTED)
        if first != second:
            self._skip(
                line, "n", f"{study_id} is a crossover, and the file has two numbers of people"
            )
        return row | {"is_paired": "yes", "n_1": first if first == second else NOT_REPORTED}

    def _groups(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Group here, and group of the file."""
        return (("1", "2"), ("2", "1")) if self._wanted.is_swapped else (("1", "1"), ("2", "2"))

    def _locator(self, line: Line) -> str:
        own = f"{self._wanted.file}, line {line.number}"
        shared = self._wanted.shared.get("locator", "")
        return f"{shared}; {own}" if shared else own

    def _skip(self, line: Line, column: str, why: str) -> None:
        self._placed.not_placed.append(NotPlaced(line.number, column, why))
