"""The harvest plot: a bar for each study, gathered where its outcomes point."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Literal

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.bias import JUDGEMENTS, draw_dot, judgement, judgement_legend
from ldn_meta.display.figures.sheet import (
    COLUMN_GAP,
    MARGIN,
    Entry,
    Heading,
    Legend,
    Notes,
    Sheet,
    line_width,
    text_height,
    text_width,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import FigureOutput
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import (
    CONFLICTING,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    NO_DIFFERENCE,
    NOT_STATED,
    PARTLY_COMPARATOR,
    PARTLY_TREATMENT,
)
from ldn_meta.files import MISSING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DIRECTION_COLUMNS = (
    "study_id",
    "study_label",
    "year",
    "design",
    "eligible_for",
    "is_randomised",
    "construct",
    "construct_label",
    "group",
    "direction",
    "sign",
    "p_low",
    "p_high",
    "n_people",
    "is_paired",
    "overall_bias",
)
MIXED = "mixed"
NOT_KNOWN = "direction not known"
# In the order in which legends and counts name them.
VERDICTS = (FAVOURS_TREATMENT, FAVOURS_COMPARATOR, NO_DIFFERENCE, MIXED, NOT_KNOWN)
_OF_SIGN = {1.0: FAVOURS_TREATMENT, -1.0: FAVOURS_COMPARATOR, 0.0: NO_DIFFERENCE}
# Some reports of a result on one side and others without a difference show no clear direction.
_OF_WORDS = {
    FAVOURS_TREATMENT: FAVOURS_TREATMENT,
    PARTLY_TREATMENT: MIXED,
    NO_DIFFERENCE: NO_DIFFERENCE,
    CONFLICTING: MIXED,
    PARTLY_COMPARATOR: MIXED,
    FAVOURS_COMPARATOR: FAVOURS_COMPARATOR,
    NOT_STATED: NOT_KNOWN,
}
_COMPARED = "contrast"


@dataclass(frozen=True)
class DirectionRow:
    """One outcome of one study; numbers that nobody knows are NaN."""

    study_id: str
    study: str
    year: float
    design: str
    is_randomised: bool | None
    blinding: str
    construct: str
    outcome: str
    group: str
    verdict: str
    sign: float
    p_low: float
    p_high: float
    people: float
    is_paired: bool
    bias: str


def direction_rows(directions: pd.DataFrame, *, also: Sequence[str] = ()) -> list[DirectionRow]:
    """Read a `directions` frame, oldest study first."""
    needed = (*DIRECTION_COLUMNS, *also)
    missing = [name for name in needed if name not in directions.columns]
    if missing:
        message = f"directions lacks the column(s) {', '.join(missing)}: needs {needed}"
        raise ArgumentError(message)
    entries: list[dict[Hashable, Any]] = directions.to_dict("records")
    faults = [fault for entry in entries for fault in _faults(entry)]
    pairs = Counter((str(entry["study_id"]), str(entry["construct"])) for entry in entries)
    faults += [
        f"{study} has {construct!r} {times} times: one row a study and construct"
        for (study, construct), times in pairs.items()
        if times > 1
    ]
    if faults:
        message = f"directions cannot be drawn: {'; '.join(faults)}"
        raise ArgumentError(message)
    rows = [_row(entry) for entry in entries]
    return sorted(rows, key=lambda row: (_or_last(row.year), row.study, row.study_id))


def _faults(entry: dict[Hashable, Any]) -> list[str]:
    """Name everything that is wrong with a row."""
    where = f"{entry['study_id']} {entry['construct']}"
    faults = []
    if entry["eligible_for"] != _COMPARED:
        faults.append(
            f"{where}: eligible_for is {entry['eligible_for']!r}, allowed is {_COMPARED!r}: "
            "without a comparison no direction can be counted"
        )
    if entry["direction"] not in _OF_WORDS:
        allowed = ", ".join(_OF_WORDS)
        faults.append(f"{where}: direction is {entry['direction']!r}, allowed are {allowed}")
    sign = float(entry["sign"])
    if not (math.isnan(sign) or sign in _OF_SIGN):
        faults.append(f"{where}: sign is {sign:g}, allowed are 1, 0, -1 and NaN")
    low, high = float(entry["p_low"]), float(entry["p_high"])
    is_unknown = math.isnan(low) and math.isnan(high)
    if not (is_unknown or 0 <= low <= high <= 1):
        faults.append(
            f"{where}: p_low is {low:g} and p_high {high:g}, allowed are "
            "0 <= p_low <= p_high <= 1 or both NaN"
        )
    people = float(entry["n_people"])
    if not (math.isnan(people) or 1 <= people < math.inf):
        faults.append(f"{where}: n_people is {people:g}, allowed are 1 or more and NaN")
    return faults


def _row(entry: dict[Hashable, Any]) -> DirectionRow:
    sign = float(entry["sign"])
    verdict = _OF_WORDS[entry["direction"]] if math.isnan(sign) else _OF_SIGN[sign]
    return DirectionRow(
        study_id=str(entry["study_id"]),
        study=style.typeset(str(entry["study_label"])),
        year=float(entry["year"]),
        design=_text(entry["design"]),
        is_randomised=bool(entry["is_randomised"]) if _is_told(entry["is_randomised"]) else None,
        blinding=_text(entry.get("blinding")),
        construct=str(entry["construct"]),
        outcome=style.typeset(str(entry["construct_label"])),
        group=str(entry["group"]),
        verdict=verdict,
        sign=sign,
        p_low=style.steady(entry["p_low"]),
        p_high=style.steady(entry["p_high"]),
        people=float(entry["n_people"]),
        is_paired=bool(entry["is_paired"]),
        bias=_text(entry["overall_bias"]),
    )


def _text(value: object) -> str:
    """Turn a cell into text; what is missing is empty."""
    return str(value) if _is_told(value) else ""


def _is_told(value: object) -> bool:
    return not (value is None or value != value or value in MISSING)


def _or_last(year: float) -> float:
    return math.inf if math.isnan(year) else year


By = Literal["group", "construct"]
OTHER = "other"
# Boon & Thomson 2021, doi 10.1002/jrsm.1458: a study's outcomes of one domain have a direction
# if at least 70% of them share it.
AGREEING_PCT = 70


@dataclass(frozen=True)
class Cell:
    """What one study says on one column."""

    verdict: str
    outcomes: tuple[tuple[str, str], ...]
    people: float

    @property
    def combined(self) -> int:
        """Outcomes that went into the direction: those with one, or all if none has."""
        known = [verdict for _, verdict in self.outcomes if verdict != NOT_KNOWN]
        return len(known) or len(self.outcomes)


@dataclass(frozen=True)
class Study:
    """A study with its cells by key of the column; without one it reported nothing there."""

    study_id: str
    label: str
    design: str
    is_randomised: bool | None
    blinding: str
    bias: str
    people: str
    cells: dict[str, Cell]


def together(verdicts: Sequence[str]) -> str:
    """Give several outcomes one direction.

    Outcomes without a known direction do not count against the others.
    """
    known = [verdict for verdict in verdicts if verdict != NOT_KNOWN]
    if not known:
        return NOT_KNOWN
    verdict, times = Counter(known).most_common(1)[0]
    return verdict if 100 * times >= AGREEING_PCT * len(known) else MIXED


def studies_and_columns(
    rows: Sequence[DirectionRow], *, by: By, order: Sequence[str] | None
) -> tuple[list[Study], dict[str, str]]:
    """Arrange outcomes by study and column."""
    if by not in ("group", "construct"):
        message = f"by is {by!r}: allowed are 'group' and 'construct'"
        raise ArgumentError(message)
    found = list(dict.fromkeys(_key(row, by) for row in rows))
    wished = [name for name in order or () if name in found]
    rest = [name for name in found if name not in wished]
    rest.sort(key=lambda name: name == OTHER)
    heads = {_key(row, by): row.group if by == "group" else row.outcome for row in rows}
    keys = [*wished, *rest]
    studies = [
        _study([row for row in rows if row.study_id == study], keys, by)
        for study in dict.fromkeys(row.study_id for row in rows)
    ]
    return studies, {key: heads[key] for key in keys}


def _key(row: DirectionRow, by: By) -> str:
    return row.group if by == "group" else row.construct


def _study(rows: Sequence[DirectionRow], keys: Sequence[str], by: By) -> Study:
    first = rows[0]
    judgement(first.bias)
    words = {row.bias for row in rows}
    if len(words) > 1:
        message = (
            f"directions has the judgements {', '.join(sorted(words))} for {first.study_id}: "
            "overall_bias is one word a study"
        )
        raise ArgumentError(message)
    cells = {}
    for key in keys:
        parts = [row for row in rows if _key(row, by) == key]
        if parts:
            cells[key] = _cell(parts)
    return Study(
        study_id=first.study_id,
        label=first.study,
        design=first.design,
        is_randomised=first.is_randomised,
        blinding=first.blinding,
        bias=first.bias,
        people=_people([row.people for row in rows]),
        cells=cells,
    )


def _cell(rows: Sequence[DirectionRow]) -> Cell:
    known = [row.people for row in rows if not math.isnan(row.people)]
    return Cell(
        verdict=together([row.verdict for row in rows]),
        outcomes=tuple((row.outcome, row.verdict) for row in rows),
        people=max(known, default=math.nan),
    )


def _people(numbers: Sequence[float]) -> str:
    """Print how many people stand behind the outcomes of a study."""
    known = [number for number in numbers if not math.isnan(number)]
    if not known:
        return "NR"
    low, high = min(known), max(known)
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


# The cut points of Boon & Thomson 2021 (doi 10.1002/jrsm.1458), with the arrow's height in points.
SMALL_BELOW, LARGE_ABOVE = 50, 300
_SMALL, _MEDIUM, _LARGE = 8.5, 12.5, 17.5
ROOM = _LARGE

_UP = ((0.0, -0.5), (0.45, 0.02), (0.17, 0.02), (0.17, 0.5))
_SIDE = ((-0.56, 0.0), (-0.14, -0.42), (-0.14, -0.15), (0.14, -0.15), (0.14, -0.42), (0.56, 0.0))
_HALF = ((-0.56, 0.0), (-0.13, -0.42), (-0.13, 0.42))
_Points = tuple[tuple[float, float], ...]


def _mirrored(points: _Points) -> _Points:
    return tuple((-x, y) for x, y in reversed(points))


def _flipped(points: _Points) -> _Points:
    return tuple((x, -y) for x, y in reversed(points))


_UP_ARROW = (*_UP, *_mirrored(_UP))
# Outlines around (0, 0), y downwards, height or length about 1. Outcomes that differ are a
# sideways arrow broken in two: the shape says it, not the colour.
_OUTLINES: dict[str, tuple[_Points, ...]] = {
    FAVOURS_TREATMENT: (_UP_ARROW,),
    FAVOURS_COMPARATOR: (_flipped(_UP_ARROW),),
    NO_DIFFERENCE: ((*_SIDE, *_flipped(_SIDE)),),
    MIXED: (_HALF, _mirrored(_HALF)),
}
COLOURS = {
    FAVOURS_TREATMENT: style.TREATMENT,
    FAVOURS_COMPARATOR: style.PREDICTION,
    NO_DIFFERENCE: style.SOFT_INK,
    MIXED: style.SOFT_INK,
}


def arrow_size(people: float) -> float:
    """Height of the arrow in points; of unknown number, the middle one."""
    if math.isnan(people):
        return _MEDIUM
    return _SMALL if people < SMALL_BELOW else _LARGE if people > LARGE_ABOVE else _MEDIUM


def half_width(verdict: str, people: float) -> float:
    """How far a mark reaches to either side, in points."""
    if verdict == NOT_KNOWN:
        return line_width("?", weight="bold") / 2
    return arrow_size(people) * max(x for points in _OUTLINES[verdict] for x, _ in points)


def draw_arrow(
    sheet: Sheet,
    x: float,
    y: float,
    verdict: str,
    people: float,
    *,
    gid: str,
    colour: str | None = None,
) -> None:
    """Draw a direction centred on a point: solid, or hollow if nobody said how many people.

    A direction that is not known has no arrow but a question mark.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if verdict == NOT_KNOWN:
        sheet.write(x, y, "?", align="center", weight="bold", colour=style.SOFT_INK, gid=gid)
        return
    size = arrow_size(people)
    ink = colour or COLOURS[verdict]
    outlines = [
        Path([(x + size * dx, y + size * dy) for dx, dy in (*points, points[0])], closed=True)
        for points in _OUTLINES[verdict]
    ]
    sheet.page.add_patch(
        PathPatch(
            Path.make_compound_path(*outlines),
            facecolor=style.PAPER if math.isnan(people) else ink,
            edgecolor=ink,
            linewidth=1.1,
            joinstyle="miter",
            zorder=3,
            gid=gid,
        )
    )


_LABEL_WIDTH = 180.0
_DESIGN_WIDTH = 105.0
_HEADS = ("Study", "Design", "People", "Risk\nof bias")
# A column is as wide as the longest word of any head, within these bounds; so heads break
# between words and columns are even.
_NARROWEST, _WIDEST = 62.0, 110.0
# The notes need room to be read even under a single column.
_LEAST_WIDTH = 400.0
_HEAD_AIR = 8.0
# From this many rows on, rows stand closer so that forty studies still fit a printed page.
_MANY = 25
_ROW_AIR, _ROW_AIR_MANY = 6.0, 1.5
_COUNT_AIR = 4.0


@dataclass(frozen=True)
class Head:
    """A broken head with the place its column is anchored at."""

    text: str
    x: float
    align: str


@dataclass(frozen=True)
class RowPlace:
    """A study's broken texts and its heights in points from the top of the page."""

    label: str
    design: str
    top: float
    middle: float


@dataclass(frozen=True)
class CountLine:
    """How many studies have a direction, column by column."""

    label: str
    texts: tuple[str, ...]
    middle: float


@dataclass(frozen=True)
class Layout:
    """All positions of the table, in points from the top left corner of the page."""

    heading: Heading
    heads: tuple[Head, Head, Head, Head]
    columns: tuple[Head, ...]
    right: float
    header_top: float
    header_bottom: float
    rows: tuple[RowPlace, ...]
    counts_top: float
    counts: tuple[CountLine, ...]
    bottom: float


def design_words(study: Study) -> str:
    """Name the design with what decides about it."""
    if study.is_randomised is None:
        chance = "randomisation not reported"
    else:
        chance = "randomised" if study.is_randomised else "not randomised"
    return f"{study.design}, {chance}" if study.design else chance


def lay_out(
    studies: Sequence[Study],
    column_names: Sequence[str],
    counts: Sequence[Mapping[str, int]],
    *,
    title: str | None,
) -> Layout:
    """Give each column the width of its widest text and each row the height of its lines."""
    labels = [wrap(study.label, _LABEL_WIDTH) for study in studies]
    designs = [wrap(design_words(study), _DESIGN_WIDTH) for study in studies]
    lines = [
        verdict
        for verdict in VERDICTS
        if verdict not in (MIXED, NOT_KNOWN) or any(count[verdict] for count in counts)
    ]
    label_width = _widest(labels, _HEADS[0])
    design_left = MARGIN + label_width + COLUMN_GAP
    people_width = _widest([study.people for study in studies], _HEADS[2])
    people_right = design_left + _widest(designs, _HEADS[1]) + COLUMN_GAP + people_width
    dot_width = text_width(_HEADS[3], weight="bold")
    counts_right = MARGIN + max(
        line_width(capitalised(said(line)), weight="bold") for line in lines
    )
    edge = max(people_right + COLUMN_GAP + dot_width, counts_right) + COLUMN_GAP
    heads = (
        Head(_HEADS[0], MARGIN, "left"),
        Head(_HEADS[1], design_left, "left"),
        Head(_HEADS[2], people_right, "right"),
        Head(_HEADS[3], people_right + COLUMN_GAP + dot_width / 2, "center"),
    )
    pitch = _pitch(column_names)
    columns = tuple(
        Head(wrap(name, pitch - _HEAD_AIR, weight="bold"), edge + (index + 0.5) * pitch, "center")
        for index, name in enumerate(map(capitalised, column_names))
    )
    right = max(edge + pitch * len(columns), MARGIN + _LEAST_WIDTH)
    heading = Heading(title, right - MARGIN)
    header = max(text_height(head.text) for head in (*heads, *columns)) + 6
    header_bottom = heading.bottom + header
    rows = []
    top = header_bottom + 2
    air = _ROW_AIR if len(studies) < _MANY else _ROW_AIR_MANY
    for label, design in zip(labels, designs, strict=True):
        height = max(text_height(label), text_height(design), ROOM) + air
        rows.append(RowPlace(label, design, top, top + height / 2))
        top += height
    counts_top = top + 2
    pitch_y = text_height("0") + _COUNT_AIR
    places = tuple(
        CountLine(
            capitalised(said(line)),
            tuple(str(count[line]) for count in counts),
            counts_top + _COUNT_AIR / 2 + (index + 0.5) * pitch_y,
        )
        for index, line in enumerate(lines)
    )
    bottom = counts_top + _COUNT_AIR + pitch_y * len(places)
    return Layout(
        heading,
        heads,
        columns,
        right,
        heading.bottom,
        header_bottom,
        tuple(rows),
        counts_top,
        places,
        bottom,
    )


def _widest(texts: Sequence[str], head: str) -> float:
    return max(text_width(head, weight="bold"), *(text_width(text) for text in texts))


def _pitch(names: Sequence[str]) -> float:
    words = [word for name in names for word in capitalised(name).split(" ")]
    longest = max(line_width(word, weight="bold") for word in words)
    return min(max(longest + _HEAD_AIR, _NARROWEST), _WIDEST)


# More studies than this are counted only: nobody listens to forty rows.
MOST_NAMED = 12


def said(verdict: str) -> str:
    """Say a direction as readers see it."""
    return "favours LDN" if verdict == FAVOURS_TREATMENT else verdict


def verdict_words() -> dict[str, str]:
    """How legends call each direction."""
    return {
        FAVOURS_TREATMENT: "favours LDN",
        FAVOURS_COMPARATOR: "favours comparator",
        NO_DIFFERENCE: "no difference told, or an estimate of exactly none",
        MIXED: "mixed: its outcomes, or the reports of one, differ",
        NOT_KNOWN: "reported, but direction not known",
    }


def counted(studies: Sequence[Study], key: str) -> Counter[str]:
    """Count the studies of one column by direction."""
    return Counter(study.cells[key].verdict for study in studies if key in study.cells)


def describe(studies: Sequence[Study], columns: Mapping[str, str]) -> str:
    """Describe rows and columns for people who cannot see the arrows."""
    outcomes = count(len(columns), "column") + " of outcomes"
    sentences = [f"{capitalised(count(len(studies), 'study', plural='studies'))}, {outcomes}."]
    if len(studies) <= MOST_NAMED:
        sentences += [_study_sentence(study, columns) for study in studies]
    sentences += [
        f"{capitalised(head)}: {counts_in_words(counted(studies, key))}."
        for key, head in columns.items()
    ]
    biases = Counter(study.bias.lower() or "not judged" for study in studies)
    judged = ", ".join(f"{word} in {times}" for word, times in biases.items())
    return " ".join([*sentences, f"Overall risk of bias: {judged}."])


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Say how many studies point each way; nothing of directions that do not occur."""
    verbs = {
        FAVOURS_TREATMENT: ("favours LDN", "favour LDN"),
        FAVOURS_COMPARATOR: ("favours comparator", "favour comparator"),
        NO_DIFFERENCE: ("shows no difference", "show no difference"),
        MIXED: ("is mixed", "are mixed"),
        NOT_KNOWN: ("does not tell its direction", "do not tell their direction"),
    }
    always = (FAVOURS_TREATMENT, FAVOURS_COMPARATOR)
    parts = [
        agree(counts.get(verdict, 0), *verbs[verdict])
        for verdict in VERDICTS
        if verdict in always or counts.get(verdict, 0)
    ]
    return ", ".join(parts)


def _study_sentence(study: Study, columns: Mapping[str, str]) -> str:
    who = "people not reported" if study.people == "NR" else f"{study.people} people"
    told = [
        f"{head} {_cell_words(study.cells[key])}"
        for key, head in columns.items()
        if key in study.cells
    ]
    return f"{study.label} ({design_words(study)}; {who}): {'; '.join(told)}."


def _cell_words(cell: Cell) -> str:
    outcomes = f" ({count(cell.combined, 'outcome')})" if cell.combined > 1 else ""
    return f"{said(cell.verdict)}{outcomes}"


NO_DIRECTION = "No study with a comparison told of an outcome, so there is no direction to show."
_LEGEND_GAP = 10.0
_MARK_ROOM = 22.0
_SUBSCRIPT_DOWN = 4.0


def effect_direction_plot(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw an effect direction plot (Boon & Thomson 2021, doi 10.1002/jrsm.1458).

    Rows are studies, oldest first; columns are groups of outcomes. An arrow up favours LDN,
    down the comparator, sideways neither; its size says how many people, and it is hollow if
    nobody said. A question mark is an outcome whose direction nobody told, a blank cell one
    that was not reported. Several outcomes of one column share a direction if at least 70%
    of them do. Directions are those of point estimates, whatever their p-values.

    Parameters
    ----------
    directions : pandas.DataFrame
        One row a study and construct, with the columns of ``DIRECTION_COLUMNS``; studies
        with a comparison only.
    by : {"group", "construct"}
        What a column is: a group of outcomes or a single one.
    order : sequence of str, optional
        Columns from left to right; as they come otherwise, "other" last.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when there is no row.
    axes : matplotlib.axes.Axes
        The whole page; x and y are points from its top left corner.

    Raises
    ------
    ArgumentError
        If a column is missing, a word, sign or judgement is not known, a study has no
        comparison, or a study has one construct twice.
    """
    studies, columns = studies_and_columns(direction_rows(directions), by=by, order=order)
    with style.settings():
        if not studies:
            page = words_only([NO_DIRECTION], title)
            return page.figure, page.page
        counts = [counted(studies, key) for key in columns]
        layout = lay_out(studies, list(columns.values()), counts, title=title)
        width = layout.right - style.MARGIN
        legend = Legend(_legend_groups(studies, columns), width)
        notes = Notes(_notes(studies), width)
        legend_top = layout.bottom + _LEGEND_GAP
        notes_top = legend_top + legend.height + _LEGEND_GAP / 2
        sheet = Sheet(layout.right + style.MARGIN, notes_top + notes.height + style.MARGIN)
        _write_heads(sheet, layout)
        for index, study in enumerate(studies):
            _write_study(sheet, layout, index, study, list(columns))
        _write_counts(sheet, layout)
        legend.draw(sheet, legend_top)
        notes.write(sheet, notes_top)
    return sheet.figure, sheet.page


def effect_direction_alt_text(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> str:
    """Describe the effect direction plot of the same arguments in plain words."""
    studies, columns = studies_and_columns(direction_rows(directions), by=by, order=order)
    opening = f"Effect direction plot{f': {title}' if title else ''}."
    if not studies:
        return style.spoken(f"{opening} {NO_DIRECTION}")
    return style.spoken(f"{opening} {describe(studies, columns)}")


def effect_direction_output(
    name: str,
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> FigureOutput:
    """Make the effect direction plot ready to end a notebook cell."""
    figure, _ = effect_direction_plot(directions, by=by, order=order, title=title)
    words = effect_direction_alt_text(directions, by=by, order=order, title=title)
    return FigureOutput(figure, name, words)


def _write_heads(sheet: Sheet, layout: Layout) -> None:
    layout.heading.write(sheet)
    base = layout.header_bottom - 3
    for kind, heads in (("head", layout.heads), ("column", layout.columns)):
        for index, head in enumerate(heads):
            sheet.write(
                head.x,
                base,
                head.text,
                align=head.align,
                valign="bottom",
                weight="bold",
                gid=f"{kind}-{index}",
            )
    sheet.rule(style.MARGIN, layout.right, layout.header_top)
    sheet.rule(style.MARGIN, layout.right, layout.header_bottom)


def _write_study(
    sheet: Sheet, layout: Layout, index: int, study: Study, keys: Sequence[str]
) -> None:
    place = layout.rows[index]
    gid = f"study-{index}"
    label, design, people, bias = layout.heads
    sheet.write(label.x, place.middle, place.label, gid=f"{gid}-label")
    sheet.write(design.x, place.middle, place.design, gid=f"{gid}-design")
    sheet.write(people.x, place.middle, study.people, align="right", gid=f"{gid}-people")
    draw_dot(sheet.page, bias.x, place.middle, study.bias, gid=f"{gid}-bias")
    for number, (column, key) in enumerate(zip(layout.columns, keys, strict=True)):
        if key in study.cells:
            _draw_cell(sheet, column.x, place.middle, study.cells[key], f"{gid}-{number}")
    if index:
        sheet.rule(style.MARGIN, layout.right, place.top, width=0.3)


def _draw_cell(sheet: Sheet, x: float, y: float, cell: Cell, gid: str) -> None:
    draw_arrow(sheet, x, y, cell.verdict, cell.people, gid=gid)
    if cell.combined > 1:
        beside = x + half_width(cell.verdict, cell.people) + 2.0
        sheet.write(
            beside,
            y + _SUBSCRIPT_DOWN,
            str(cell.combined),
            size=style.SMALL_SIZE,
            gid=f"{gid}-outcomes",
        )


def _write_counts(sheet: Sheet, layout: Layout) -> None:
    sheet.rule(style.MARGIN, layout.right, layout.counts_top)
    for index, line in enumerate(layout.counts):
        gid = f"count-{index}"
        sheet.write(style.MARGIN, line.middle, line.label, weight="bold", gid=f"{gid}-label")
        for number, (column, text) in enumerate(zip(layout.columns, line.texts, strict=True)):
            sheet.write(
                column.x, line.middle, text, align="center", weight="bold", gid=f"{gid}-{number}"
            )
    sheet.rule(style.MARGIN, layout.right, layout.bottom)


def _legend_groups(
    studies: Sequence[Study], columns: dict[str, str]
) -> list[tuple[str, list[Entry]]]:
    """Explain the directions and sizes that occur, and no others."""
    cells = [cell for study in studies for cell in study.cells.values()]
    occurring = {cell.verdict for cell in cells}
    ways = [
        Entry(words, partial(_draw_key, verdict, LARGE_ABOVE), _MARK_ROOM, ROOM)
        for verdict, words in verdict_words().items()
        if verdict in occurring
    ]
    if any(key not in study.cells for study in studies for key in columns):
        ways.append(Entry("blank: not reported", _draw_nothing, 0.0, 0.0))
    arrows = {
        (arrow_size(cell.people), math.isnan(cell.people))
        for cell in cells
        if cell.verdict != NOT_KNOWN
    }
    sizes = (
        (SMALL_BELOW - 1, f"fewer than {SMALL_BELOW}"),
        (SMALL_BELOW, f"{SMALL_BELOW} to {LARGE_ABOVE}"),
        (LARGE_ABOVE + 1, f"more than {LARGE_ABOVE}"),
        (math.nan, "hollow: number not reported"),
    )
    people = [
        Entry(words, partial(_draw_size, number), _MARK_ROOM, ROOM)
        for number, words in sizes
        if (arrow_size(number), math.isnan(number)) in arrows
    ]
    return [("Direction", ways), ("People", people)]


def _draw_key(verdict: str, people: float, sheet: Sheet, x: float, y: float, gid: str) -> None:
    draw_arrow(sheet, x, y, verdict, people, gid=gid)


def _draw_size(people: float, sheet: Sheet, x: float, y: float, gid: str) -> None:
    draw_arrow(sheet, x, y, FAVOURS_TREATMENT, people, gid=gid, colour=style.SOFT_INK)


def _draw_nothing(_sheet: Sheet, _x: float, _y: float, _gid: str) -> None:
    """Leave the mark of a blank cell blank."""


def _notes(studies: Sequence[Study]) -> list[str]:
    cells = [cell for study in studies for cell in study.cells.values()]
    lines = [
        "Direction of the point estimate, whatever its p-value; where no estimate is known, the "
        "study's own words. Nothing here says how large an effect is."
    ]
    if any(cell.combined > 1 for cell in cells):
        rule = (
            f"Small number: outcomes combined; the arrow is the direction of at least "
            f"{AGREEING_PCT}% of them"
        )
        is_mixed = any(cell.verdict == MIXED for cell in cells)
        lines.append(f"{rule}, otherwise the cell is mixed." if is_mixed else f"{rule}.")
    if any(study.people == "NR" for study in studies):
        lines.append("NR: number of people in the comparison not reported.")
    lines.append(judgement_legend(study.bias for study in studies))
    if any(judgement(study.bias) is None for study in studies):
        lines.append("No dot: risk of bias not judged.")
    return lines


# A panel takes the directions listed beside its head, from left to right.
PANELS = {
    "Favours comparator": (FAVOURS_COMPARATOR,),
    "No difference, or mixed": (NO_DIFFERENCE, MIXED),
    "Favours LDN": (FAVOURS_TREATMENT,),
    "Direction not known": (NOT_KNOWN,),
}
UNKNOWN_PANEL = "Direction not known"
# How well a design suits the question whether a drug works: chance decides who gets it, and
# nobody knows who does. Ogilvie 2008 (doi 10.1186/1471-2288-8-8) has the same three steps for
# designs of another kind.
SUITABILITY = {
    3: "randomised, double-blind",
    2: "randomised, not or not said to be double-blind",
    1: "not randomised, or not said to be",
}
STEP = 13.0
BAR_WIDTH = 11.0
NOT_JUDGED = "not judged"
_DOUBLE_BLIND = "double-blind"
# The pattern repeats what lightness says, so neighbours are told apart in grey as well.
_PATTERNS = {
    "some concerns": "....",
    "moderate": "----",
    "serious": "////",
    "critical": "xxxx",
    NOT_JUDGED: "\\\\\\\\",
}


@dataclass(frozen=True)
class Bar:
    """One study in one panel."""

    key: str
    height: float
    bias: str
    people: str


def suitability(study: Study) -> int:
    """Give the step of a study's design, 3 for the most suitable."""
    if not study.is_randomised:
        return 1
    return 3 if study.blinding == _DOUBLE_BLIND else 2


def bias_word(study: Study) -> str:
    """Name the judgement on a study as the legend does."""
    return study.bias.lower() if judgement(study.bias) is not None else NOT_JUDGED


def letters(number: int) -> list[str]:
    """Name ``number`` studies A, B, ... Z, AA, AB, ..."""
    pairs = (first + second for first, second in product(ascii_uppercase, repeat=2))
    return [*ascii_uppercase, *pairs][:number]


def bars_of(studies: Sequence[Study], keys: Sequence[str], column: str) -> dict[str, list[Bar]]:
    """Distribute the studies of one group of outcomes over the panels.

    Within a panel the most suitable designs come first, then the oldest.
    """
    panels: dict[str, list[Bar]] = {head: [] for head in PANELS}
    for study, key in zip(studies, keys, strict=True):
        if column not in study.cells:
            continue
        cell = study.cells[column]
        head = next(head for head, verdicts in PANELS.items() if cell.verdict in verdicts)
        number = style.count(cell.people)
        people = f"{number}*" if cell.verdict == MIXED else number
        bar = Bar(key, STEP * suitability(study), bias_word(study), people)
        panels[head].append(bar)
    for bars in panels.values():
        bars.sort(key=lambda bar: -bar.height)
    return panels


def draw_bar(sheet: Sheet, x: float, base: float, height: float, bias: str, *, gid: str) -> None:
    """Draw a bar that stands on ``base``, its middle at ``x``."""
    from matplotlib.patches import Rectangle

    how = JUDGEMENTS.get(bias)
    sheet.page.add_patch(
        Rectangle(
            (x - BAR_WIDTH / 2, base - height),
            BAR_WIDTH,
            height,
            facecolor=style.PAPER if how is None else how.fill,
            edgecolor=style.INK,
            hatch=_PATTERNS.get(bias),
            linewidth=0.8,
            zorder=3,
            gid=gid,
        )
    )


def biases_in_order(studies: Sequence[Study]) -> list[str]:
    """List the judgements that occur, in order of concern, those that are missing last."""
    words = {bias_word(study) for study in studies}
    return [word for word in (*JUDGEMENTS, NOT_JUDGED) if word in words]


_LABEL_WIDTH_HARVEST_GRID = 105.0
# A panel with more studies breaks into lines, so that the page stays printable.
_PER_LINE = 12
_PANEL_LEAST = 92.0
_PANEL_PAD = 8.0
_BAR_GAP = 4.0
# Above a bar stands the number of people, below it its letter.
_WORD_HEIGHT = style.SMALL_SIZE * style.LINE_HEIGHT
_LINE_AIR = 4.0
_ROW_AIR_HARVEST_GRID = 5.0


@dataclass(frozen=True)
class _Row:
    """A group of outcomes with the heights it takes, and where each line of bars stands."""

    name: str
    panels: dict[str, list[Bar]]
    top: float
    bases: tuple[float, ...]
    bottom: float


class Grid:
    """Rows of panels: how wide, how high, and drawing them."""

    def __init__(
        self,
        panels: Mapping[str, dict[str, list[Bar]]],
        columns: Mapping[str, str],
        title: str | None,
    ) -> None:
        bars = [bar for row in panels.values() for found in row.values() for bar in found]
        self._pitch = _BAR_GAP + max(
            BAR_WIDTH, *(line_width(bar.people, style.SMALL_SIZE) for bar in bars)
        )
        self._heads = [
            head
            for head in PANELS
            if head != UNKNOWN_PANEL or any(row[head] for row in panels.values())
        ]
        names = [
            wrap(capitalised(name), _LABEL_WIDTH_HARVEST_GRID, weight="bold")
            for name in columns.values()
        ]
        left = style.MARGIN + max(text_width(name, weight="bold") for name in names)
        self._lefts: dict[str, float] = {}
        self._widths: dict[str, float] = {}
        edge = left + style.COLUMN_GAP
        for head in self._heads:
            most = max(min(len(row[head]), _PER_LINE) for row in panels.values())
            self._lefts[head] = edge
            self._widths[head] = max(_PANEL_LEAST, most * self._pitch + 2 * _PANEL_PAD)
            edge += self._widths[head]
        self.right = edge
        self._heading = Heading(title, self.right - style.MARGIN)
        self._texts = [
            wrap(head, self._widths[head] - _PANEL_PAD, weight="bold") for head in self._heads
        ]
        self._top = self._heading.bottom + max(map(text_height, self._texts)) + 6
        self._rows = []
        top = self._top
        for name, row in zip(names, panels.values(), strict=True):
            bases = list(_bases(row, top + _ROW_AIR_HARVEST_GRID))
            bottom = max(bases[-1] + _WORD_HEIGHT, top + text_height(name)) + _ROW_AIR_HARVEST_GRID
            self._rows.append(_Row(name, row, top, tuple(bases), bottom))
            top = bottom
        self.bottom = top

    def draw(self, sheet: Sheet) -> None:
        """Draw heads, names, frames and bars."""
        self._heading.write(sheet)
        for index, (head, text) in enumerate(zip(self._heads, self._texts, strict=True)):
            x = self._lefts[head] + self._widths[head] / 2
            sheet.write(
                x,
                self._top - 3,
                text,
                align="center",
                valign="bottom",
                weight="bold",
                gid=f"panel-{index}",
            )
        for index, row in enumerate(self._rows):
            middle = (row.top + row.bottom) / 2
            sheet.write(style.MARGIN, middle, row.name, weight="bold", gid=f"row-{index}")
            for number, head in enumerate(self._heads):
                self._draw_panel(
                    sheet, row, head, f"bar-{index}-{number}", is_band=number % 2 == 1
                )
        for y in (self._top, *(row.bottom for row in self._rows)):
            sheet.rule(style.MARGIN, self.right, y)

    def _draw_panel(self, sheet: Sheet, row: _Row, head: str, gid: str, *, is_band: bool) -> None:
        left, right = self._lefts[head], self._lefts[head] + self._widths[head]
        if is_band:
            sheet.band(left, right, row.top, row.bottom, style.BAND)
        bars = row.panels[head]
        if not bars:
            middle = (row.top + row.bottom) / 2
            sheet.write(
                (left + right) / 2,
                middle,
                "none",
                align="center",
                size=style.SMALL_SIZE,
                colour=style.SOFT_INK,
                gid=f"{gid}-none",
            )
        for index, bar in enumerate(bars):
            line, place = divmod(index, _PER_LINE)
            inside = min(len(bars) - line * _PER_LINE, _PER_LINE)
            x = (left + right) / 2 + (place - (inside - 1) / 2) * self._pitch
            base = row.bases[line]
            name = f"{gid}-{index}"
            draw_bar(sheet, x, base, bar.height, bar.bias, gid=name)
            for y, text, valign, end in (
                (base - bar.height - 0.5, bar.people, "bottom", "people"),
                (base + 1.0, bar.key, "top", "key"),
            ):
                sheet.write(
                    x,
                    y,
                    text,
                    align="center",
                    valign=valign,
                    size=style.SMALL_SIZE,
                    weight="bold" if end == "key" else "normal",
                    gid=f"{name}-{end}",
                )


def _bases(row: Mapping[str, Sequence[Bar]], top: float) -> Iterator[float]:
    """Let each line of bars stand as low as its highest bar needs."""
    lines = max(math.ceil(len(bars) / _PER_LINE) for bars in row.values())
    for line in range(lines):
        inside = slice(line * _PER_LINE, (line + 1) * _PER_LINE)
        highest = max(bar.height for bars in row.values() for bar in bars[inside])
        base = top + _WORD_HEIGHT + highest
        yield base
        top = base + _WORD_HEIGHT + _LINE_AIR


# Bars in the legend are lower than those of the plot, in the same proportions.
_KEY_SHARE = 0.3
_KEY_HEIGHT = 12.0
_ROOM = BAR_WIDTH + 5.0


def legend_groups(studies: Sequence[Study]) -> list[tuple[str, list[Entry]]]:
    """Explain the heights and patterns that occur."""
    steps = {suitability(study) for study in studies}
    heights = [
        Entry(
            words, partial(_draw_key_harvest_key, STEP * step * _KEY_SHARE, ""), _ROOM, _KEY_HEIGHT
        )
        for step, words in SUITABILITY.items()
        if step in steps
    ]
    patterns = [
        Entry(word, partial(_draw_key_harvest_key, _KEY_HEIGHT, word), _ROOM, _KEY_HEIGHT)
        for word in biases_in_order(studies)
    ]
    return [("Height: design", heights), ("Risk of bias", patterns)]


def notes(studies: Sequence[Study], names: Sequence[str]) -> list[str]:
    """Say which letter is which study, and what numbers and stars mean."""
    cells = [cell for study in studies for cell in study.cells.values()]
    key = "; ".join(
        f"{name}:{style.NO_BREAK}{study.label}" for name, study in zip(names, studies, strict=True)
    )
    above = "Number above a bar: people"
    if any(math.isnan(cell.people) for cell in cells):
        above += ", NR if not reported"
    lines = [f"{key}.", f"{above}. Direction of the point estimate, whatever its p-value."]
    if any(cell.combined > 1 for cell in cells):
        lines.append(
            "Several outcomes of a study count as one bar, in the direction of at least "
            f"{AGREEING_PCT}% of them."
        )
    if any(cell.verdict == MIXED for cell in cells):
        lines.append("* mixed: outcomes of the study, or its reports of one, differ.")
    return lines


def _draw_key_harvest_key(
    height: float, bias: str, sheet: Sheet, x: float, y: float, gid: str
) -> None:
    draw_bar(sheet, x, y + _KEY_HEIGHT / 2, height, bias, gid=gid)


_LEGEND_GAP_HARVEST = 9.0
# More bars than this are counted and not named.
_MOST_NAMED = 30


def harvest_plot(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a harvest plot (Ogilvie 2008, doi 10.1186/1471-2288-8-8).

    A row for each group of outcomes, a panel for each direction, a bar for each study. The
    height of a bar is the suitability of the design, its colour and pattern the overall risk
    of bias, its letter the study, the number above it the people.

    Parameters
    ----------
    directions : pandas.DataFrame
        As for `effect_direction_plot`, and ``blinding`` (the word of studies.csv).
    by, order, title
        As for `effect_direction_plot`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when there is no row.
    axes : matplotlib.axes.Axes
        The whole page; x and y are points from its top left corner.

    Raises
    ------
    ArgumentError
        As `effect_direction_plot`.
    """
    rows = direction_rows(directions, also=("blinding",))
    studies, columns = studies_and_columns(rows, by=by, order=order)
    with style.settings():
        if not studies:
            page = words_only([NO_DIRECTION], title)
            return page.figure, page.page
        names = letters(len(studies))
        panels = {key: bars_of(studies, names, key) for key in columns}
        grid = Grid(panels, columns, title)
        width = grid.right - style.MARGIN
        legend = Legend(legend_groups(studies), width)
        small_print = Notes(notes(studies, names), width)
        legend_top = grid.bottom + _LEGEND_GAP_HARVEST
        notes_top = legend_top + legend.height + _LEGEND_GAP_HARVEST / 2
        sheet = Sheet(grid.right + style.MARGIN, notes_top + small_print.height + style.MARGIN)
        grid.draw(sheet)
        legend.draw(sheet, legend_top)
        small_print.write(sheet, notes_top)
    return sheet.figure, sheet.page


def harvest_alt_text(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> str:
    """Describe the harvest plot of the same arguments in plain words, panel by panel."""
    rows = direction_rows(directions, also=("blinding",))
    studies, columns = studies_and_columns(rows, by=by, order=order)
    opening = f"Harvest plot{f': {title}' if title else ''}."
    if not studies:
        return style.spoken(f"{opening} {NO_DIRECTION}")
    sentences = [opening]
    labels = dict(zip(letters(len(studies)), studies, strict=True))
    is_short = sum(len(study.cells) for study in studies) <= _MOST_NAMED
    for column, name in columns.items():
        panels = bars_of(studies, list(labels), column)
        said = [
            f"{head.lower().replace('ldn', 'LDN')} {_panel_words(bars, labels, is_short)}"
            for head, bars in panels.items()
            if bars or head != UNKNOWN_PANEL
        ]
        sentences.append(f"{capitalised(name)}: {'; '.join(said)}.")
    return style.spoken(" ".join(sentences))


def harvest_output(
    name: str,
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> FigureOutput:
    """Make the harvest plot ready to end a notebook cell."""
    figure, _ = harvest_plot(directions, by=by, order=order, title=title)
    return FigureOutput(
        figure, name, harvest_alt_text(directions, by=by, order=order, title=title)
    )


def _panel_words(bars: Sequence[Bar], labels: Mapping[str, Study], is_short: bool) -> str:
    """Say which studies stand in a panel; of many, how many of each design."""
    many = count(len(bars), "study", plural="studies")
    if not bars:
        return many
    if is_short:
        each = [_bar_words(labels[bar.key], bar) for bar in bars]
        return f"{many}, {', '.join(each)}"
    steps = [suitability(labels[bar.key]) for bar in bars]
    kinds = [
        f"{steps.count(step)} {words}" for step, words in SUITABILITY.items() if step in steps
    ]
    return f"{many}, {', '.join(kinds)}"


def _bar_words(study: Study, bar: Bar) -> str:
    who = "people not reported" if bar.people.startswith("NR") else f"{bar.people} people"
    mixed = ", mixed" if bar.people.endswith("*") else ""
    bias = f"risk of bias {bias_word(study)}"
    return (
        f"{study.label} ({SUITABILITY[suitability(study)]}; {bias}; {who.replace('*', '')}{mixed})"
    )
