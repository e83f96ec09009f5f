"""Which way results point: the effect direction plot, and the harvest plot.

Both gather the outcomes of each study into groups, and count nothing but directions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Literal

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.bias import JUDGEMENTS, draw_dot, judgement, judgement_legend
from ldn_meta.display.figures.sheet import (
    COLUMN_GAP,
    MARGIN,
    SMALL_SIZE,
    Entry,
    Foot,
    Heading,
    Sheet,
    line_width,
    opening,
    rectangle,
    text_height,
    text_width,
    words_only,
    wrap,
    write_heads,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.directions import STAGES
from ldn_meta.evidence.answer.pools import (
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    SAME_IN_BOTH,
)
from ldn_meta.evidence.effects.rows import BESIDE
from ldn_meta.evidence.raw.bias import NOT_READABLE
from ldn_meta.files import MISSING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure


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
    "sign",
    "p_low",
    "p_high",
    "n_people",
    "is_paired",
    "overall_bias",
)
MIXED = "mixed"
NOT_KNOWN = "direction not known"
_OF_SIGN = {1.0: FAVOURS_TREATMENT, -1.0: FAVOURS_COMPARATOR, 0.0: SAME_IN_BOTH}
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
    # Where people were counted before the analysis: randomised, enrolled.
    people_are: str = ""


def direction_rows(directions: pd.DataFrame, *, also: Sequence[str] = ()) -> list[DirectionRow]:
    """Read a `directions` frame, oldest study first."""
    style.check_columns(directions, (*DIRECTION_COLUMNS, *also), "directions")
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
    return sorted(
        rows,
        key=lambda row: (math.inf if math.isnan(row.year) else row.year, row.study, row.study_id),
    )


def _faults(entry: dict[Hashable, Any]) -> list[str]:
    """Name everything that is wrong with a row."""
    where = f"{entry['study_id']} {entry['construct']}"
    faults = []
    if entry["eligible_for"] not in (_COMPARED, BESIDE):
        faults.append(
            f"{where}: eligible_for is {entry['eligible_for']!r}, allowed is {_COMPARED!r}: "
            "without a comparison no direction can be counted"
        )
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
    # A result that is only called not different, or not told at all, lies on no side.
    verdict = NOT_KNOWN if math.isnan(sign) else _OF_SIGN[sign]
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
        people_are=stage if (stage := _text(entry.get("people_are"))) in STAGES[1:] else "",
    )


def _text(value: object) -> str:
    """Turn a cell into text; what is missing is empty."""
    return str(value) if _is_told(value) else ""


def _is_told(value: object) -> bool:
    return not (value is None or value != value or value in MISSING)


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
    people_are: str = ""

    @property
    def combined(self) -> int:
        """Outcomes that went into the direction: those with one, or all if none has."""
        known = [verdict for _, verdict in self.outcomes if verdict != NOT_KNOWN]
        return len(known) or len(self.outcomes)


@dataclass(frozen=True)
class Study:
    """A study with its cells by key of the column; without one it reported nothing there."""

    first: DirectionRow
    people: str
    cells: dict[str, Cell]
    # Those of its people who were counted before the analysis, with what they were.
    early: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The study as readers see it."""
        return self.first.study

    @property
    def bias(self) -> str:
        """Its overall risk of bias."""
        return self.first.bias


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
    heads = {_key(row, by): row.group if by == "group" else row.outcome for row in rows}
    found = list(heads)
    wished = [name for name in order or () if name in found]
    rest = [name for name in found if name not in wished]
    rest.sort(key=lambda name: name == OTHER)
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
        own = [row for row in rows if _key(row, by) == key]
        if own:
            most = max(_known(own), default=math.nan)
            cells[key] = Cell(
                verdict=together([row.verdict for row in own]),
                outcomes=tuple((row.outcome, row.verdict) for row in own),
                people=most,
                people_are=next((row.people_are for row in own if row.people == most), ""),
            )
    people = _known(rows)
    ends = (
        dict.fromkeys(f"{number:.0f}" for number in (min(people), max(people))) if people else ()
    )
    early = dict.fromkeys(f"{row.people:.0f} {row.people_are}" for row in rows if row.people_are)
    return Study(first, " to ".join(ends) or "NR", cells, tuple(early))


def _known(rows: Sequence[DirectionRow]) -> list[float]:
    """Numbers of people that somebody reported."""
    return [row.people for row in rows if not math.isnan(row.people)]


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
    SAME_IN_BOTH: ((*_SIDE, *_flipped(_SIDE)),),
    MIXED: (_HALF, _mirrored(_HALF)),
}
COLOURS = {
    FAVOURS_TREATMENT: style.TREATMENT,
    FAVOURS_COMPARATOR: style.PREDICTION,
    SAME_IN_BOTH: style.SOFT_INK,
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
# More studies than this are counted only: nobody listens to forty rows.
MOST_NAMED = 12
NO_DIRECTION = "No study with a comparison told of an outcome, so there is no direction to show."
_LEGEND_GAP = 10.0
_MARK_ROOM = 22.0
_SUBSCRIPT_DOWN = 4.0


def design_words(study: Study) -> str:
    """Name the design with what decides about it."""
    if study.first.is_randomised is None:
        chance = "randomisation not reported"
    else:
        chance = "randomised" if study.first.is_randomised else "not randomised"
    return f"{study.first.design}, {chance}" if study.first.design else chance


@dataclass(frozen=True)
class VerdictWords:
    """How a direction is counted, explained in a legend, and said of one study and of several."""

    name: str
    meaning: str
    one: str
    several: str


def verdict_words(treatment: str) -> dict[str, VerdictWords]:
    """Words of all directions, in the order in which legends and counts name them."""

    def favouring(whom: str) -> VerdictWords:
        one = f"favours {whom}"
        return VerdictWords(one, one, one, f"favour {whom}")

    return {
        FAVOURS_TREATMENT: favouring(treatment),
        FAVOURS_COMPARATOR: favouring("comparator"),
        SAME_IN_BOTH: VerdictWords(
            SAME_IN_BOTH,
            "the same printed of both",
            "shows the same in both",
            "show the same in both",
        ),
        MIXED: VerdictWords(
            MIXED, "mixed: its outcomes, or the reports of one, differ", "is mixed", "are mixed"
        ),
        NOT_KNOWN: VerdictWords(
            NOT_KNOWN,
            "reported, but direction not known",
            "does not tell its direction",
            "do not tell their direction",
        ),
    }


class _Table:
    """Studies by groups of outcomes, with an arrow in each cell and counts below."""

    def __init__(
        self,
        studies: Sequence[Study],
        columns: Mapping[str, str],
        words: Mapping[str, VerdictWords],
        title: str | None,
    ) -> None:
        self._studies, self._keys = studies, list(columns)
        self._counts = [counted(studies, key) for key in columns]
        self._labels = [wrap(study.label, _LABEL_WIDTH) for study in studies]
        self._designs = [wrap(design_words(study), _DESIGN_WIDTH) for study in studies]
        self._lines = {
            verdict: capitalised(said.name)
            for verdict, said in words.items()
            if verdict not in (MIXED, NOT_KNOWN) or any(found[verdict] for found in self._counts)
        }
        design_left = MARGIN + _widest(self._labels, _HEADS[0]) + COLUMN_GAP
        people_width = _widest([study.people for study in studies], _HEADS[2])
        people_right = design_left + _widest(self._designs, _HEADS[1]) + COLUMN_GAP + people_width
        dot_width = text_width(_HEADS[3], weight="bold")
        counts_right = MARGIN + max(
            line_width(text, weight="bold") for text in self._lines.values()
        )
        edge = max(people_right + COLUMN_GAP + dot_width, counts_right) + COLUMN_GAP
        self._heads = [
            (MARGIN, _HEADS[0], "left"),
            (design_left, _HEADS[1], "left"),
            (people_right, _HEADS[2], "right"),
            (people_right + COLUMN_GAP + dot_width / 2, _HEADS[3], "center"),
        ]
        names = [capitalised(name) for name in columns.values()]
        longest = max(
            line_width(word, weight="bold") for name in names for word in name.split(" ")
        )
        pitch = min(max(longest + _HEAD_AIR, _NARROWEST), _WIDEST)
        self._columns = [
            (edge + (index + 0.5) * pitch, wrap(name, pitch - _HEAD_AIR, weight="bold"), "center")
            for index, name in enumerate(names)
        ]
        self.right = max(edge + pitch * len(names), MARGIN + _LEAST_WIDTH)
        self.heading = Heading(title, self.right - MARGIN)
        heads = [text for _, text, _ in (*self._heads, *self._columns)]
        self._rule = self.heading.bottom + max(map(text_height, heads)) + 6
        self._tops = [self._rule + 2]
        air = _ROW_AIR if len(studies) < _MANY else _ROW_AIR_MANY
        for label, design in zip(self._labels, self._designs, strict=True):
            height = max(text_height(label), text_height(design), ROOM) + air
            self._tops.append(self._tops[-1] + height)
        self._counts_top = self._tops[-1] + 2
        self._pitch = text_height("0") + _COUNT_AIR
        self.bottom = self._counts_top + _COUNT_AIR + self._pitch * len(self._lines)

    def draw(self, sheet: Sheet) -> None:
        """Draw heads, studies and counts."""
        write_heads(sheet, self._heads, self._rule - 3)
        write_heads(sheet, self._columns, self._rule - 3, "column")
        sheet.rule(MARGIN, self.right, self.heading.bottom)
        sheet.rule(MARGIN, self.right, self._rule)
        for index, study in enumerate(self._studies):
            self._draw_study(sheet, index, study)
        sheet.rule(MARGIN, self.right, self._counts_top)
        for index, (verdict, label) in enumerate(self._lines.items()):
            y = self._counts_top + _COUNT_AIR / 2 + (index + 0.5) * self._pitch
            gid = f"count-{index}"
            sheet.write(MARGIN, y, label, weight="bold", gid=f"{gid}-label")
            for number, (x, _, _) in enumerate(self._columns):
                text = str(self._counts[number][verdict])
                sheet.write(x, y, text, align="center", weight="bold", gid=f"{gid}-{number}")
        sheet.rule(MARGIN, self.right, self.bottom)

    def _draw_study(self, sheet: Sheet, index: int, study: Study) -> None:
        top, bottom = self._tops[index : index + 2]
        y, gid = top + (bottom - top) / 2, f"study-{index}"
        label, design, people, bias = (x for x, _, _ in self._heads)
        sheet.write(label, y, self._labels[index], gid=f"{gid}-label")
        sheet.write(design, y, self._designs[index], gid=f"{gid}-design")
        sheet.write(people, y, study.people, align="right", gid=f"{gid}-people")
        draw_dot(sheet.page, bias, y, study.bias, gid=f"{gid}-bias")
        for number, ((x, _, _), key) in enumerate(zip(self._columns, self._keys, strict=True)):
            if key not in study.cells:
                continue
            cell, name = study.cells[key], f"{gid}-{number}"
            draw_arrow(sheet, x, y, cell.verdict, cell.people, gid=name)
            if cell.combined > 1:
                beside = x + half_width(cell.verdict, cell.people) + 2.0
                text = str(cell.combined)
                down = y + _SUBSCRIPT_DOWN
                sheet.small(beside, down, text, gid=f"{name}-outcomes")
        if index:
            sheet.rule(MARGIN, self.right, top, width=0.3)


def _widest(texts: Sequence[str], head: str) -> float:
    return max(text_width(head, weight="bold"), *(text_width(text) for text in texts))


def counted(studies: Sequence[Study], key: str) -> Counter[str]:
    """Count the studies of one column by direction."""
    return Counter(study.cells[key].verdict for study in studies if key in study.cells)


def describe(
    studies: Sequence[Study], columns: Mapping[str, str], words: Mapping[str, VerdictWords]
) -> str:
    """Describe rows and columns for people who cannot see the arrows."""
    outcomes = count(len(columns), "column") + " of outcomes"
    sentences = [f"{capitalised(count(len(studies), 'study', plural='studies'))}, {outcomes}."]
    for study in studies if len(studies) <= MOST_NAMED else ():
        who = "people not reported" if study.people == "NR" else f"{study.people} people"
        who = ", ".join([who, *study.early])
        told = [
            f"{head} {words[cell.verdict].name}"
            + (f" ({count(cell.combined, 'outcome')})" if cell.combined > 1 else "")
            for key, head in columns.items()
            if (cell := study.cells.get(key)) is not None
        ]
        sentences.append(f"{study.label} ({design_words(study)}; {who}): {'; '.join(told)}.")
    for key, head in columns.items():
        found = counted(studies, key)
        parts = [
            agree(found[verdict], said.one, said.several)
            for verdict, said in words.items()
            if verdict in (FAVOURS_TREATMENT, FAVOURS_COMPARATOR) or found[verdict]
        ]
        sentences.append(f"{capitalised(head)}: {', '.join(parts)}.")
    biases = Counter(study.bias.lower() or "not judged" for study in studies)
    judged = ", ".join(f"{word} in {times}" for word, times in biases.items())
    return " ".join([*sentences, f"Overall risk of bias: {judged}."])


@style.draws
def effect_direction_plot(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    treatment: str = "treatment",
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw an effect direction plot (Boon & Thomson 2021, doi 10.1002/jrsm.1458).

    Rows are studies, oldest first; columns are groups of outcomes. An arrow up favours the
    treatment, down the comparator, sideways neither; its size says how many people, and it is
    hollow if nobody said. A question mark is an outcome whose direction nobody told, a blank
    cell one that was not reported. Several outcomes of one column share a direction if at least
    70% of them do. Directions are those of point estimates, whatever their p-values.

    Parameters
    ----------
    directions : pandas.DataFrame
        One row a study and construct, with the columns of ``DIRECTION_COLUMNS``; studies
        with a comparison only.
    by : {"group", "construct"}
        What a column is: a group of outcomes or a single one.
    order : sequence of str, optional
        Columns from left to right; as they come otherwise, "other" last.
    treatment : str
        What the treatment is called.
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
    begin = opening("Effect direction plot", title)
    if not studies:
        return words_only([NO_DIRECTION], title, f"{begin} {NO_DIRECTION}")
    words = verdict_words(treatment)
    table = _Table(studies, columns, words, title)
    legend = _direction_legend(studies, columns, words)
    foot = Foot(
        table.bottom + _LEGEND_GAP,
        table.right - MARGIN,
        _direction_notes(studies),
        legend,
        gap=_LEGEND_GAP / 2,
    )
    sheet = Sheet(table.right + MARGIN, foot.bottom + MARGIN, table.heading, foot)
    table.draw(sheet)
    return sheet.shown(f"{begin} {describe(studies, columns, words)}")


effect_direction_output = output_of(effect_direction_plot)


def _direction_legend(
    studies: Sequence[Study], columns: Mapping[str, str], words: Mapping[str, VerdictWords]
) -> list[tuple[str, list[Entry]]]:
    """Explain the directions and sizes that occur, and no others."""
    cells = [cell for study in studies for cell in study.cells.values()]
    occurring = {cell.verdict for cell in cells}
    ways = [
        _arrow_entry(said.meaning, verdict, LARGE_ABOVE)
        for verdict, said in words.items()
        if verdict in occurring
    ]
    if any(key not in study.cells for study in studies for key in columns):
        ways.append(Entry("blank: not reported", lambda *_: None, 0.0, 0.0))
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
        _arrow_entry(said, FAVOURS_TREATMENT, number, style.SOFT_INK)
        for number, said in sizes
        if (arrow_size(number), math.isnan(number)) in arrows
    ]
    return [("Direction", ways), ("People", people)]


def _arrow_entry(words: str, verdict: str, people: float, colour: str | None = None) -> Entry:
    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        draw_arrow(sheet, x, y, verdict, people, gid=gid, colour=colour)

    return Entry(words, draw, _MARK_ROOM, ROOM)


def counted_early(named: Iterable[tuple[str, str]]) -> list[str]:
    """Name results whose people were counted before the analysis; no line where none was."""
    told = "; ".join(dict.fromkeys(f"{name}: {people}" for name, people in named))
    return [f"Counted before the analysis, which is not told: {told}."] if told else []


def _direction_notes(studies: Sequence[Study]) -> list[str]:
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
    lines += counted_early((study.label, each) for study in studies for each in study.early)
    lines.append(judgement_legend(study.bias for study in studies))
    if any(judgement(study.bias) is None for study in studies):
        lines.append("No dot: risk of bias not judged.")
    return lines


UNKNOWN_PANEL = NOT_KNOWN


def panel_heads(treatment: str) -> dict[str, tuple[str, ...]]:
    """Heads of the panels from left to right, with the directions that each takes."""
    return {
        FAVOURS_COMPARATOR: (FAVOURS_COMPARATOR,),
        "same in both, or mixed": (SAME_IN_BOTH, MIXED),
        f"favours {treatment}": (FAVOURS_TREATMENT,),
        UNKNOWN_PANEL: (NOT_KNOWN,),
    }


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
    NOT_READABLE: "||||",
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
    people_are: str = ""


def suitability(study: Study) -> int:
    """Give the step of a study's design, 3 for the most suitable."""
    if not study.first.is_randomised:
        return 1
    return 3 if study.first.blinding == _DOUBLE_BLIND else 2


def bias_word(study: Study) -> str:
    """Name the judgement on a study as the legend does."""
    return study.bias.lower() if judgement(study.bias) is not None else NOT_JUDGED


def letters(number: int) -> list[str]:
    """Name ``number`` studies A, B, ... Z, AA, AB, ..."""
    pairs = (first + second for first, second in product(ascii_uppercase, repeat=2))
    return [*ascii_uppercase, *pairs][:number]


def bars_of(
    studies: Sequence[Study], keys: Sequence[str], column: str, treatment: str
) -> dict[str, list[Bar]]:
    """Distribute the studies of one group of outcomes over the panels.

    Within a panel the most suitable designs come first, then the oldest.
    """
    heads = panel_heads(treatment)
    panels: dict[str, list[Bar]] = {head: [] for head in heads}
    for study, key in zip(studies, keys, strict=True):
        if column not in study.cells:
            continue
        cell = study.cells[column]
        head = next(head for head, verdicts in heads.items() if cell.verdict in verdicts)
        number = style.count(cell.people)
        people = f"{number}*" if cell.verdict == MIXED else number
        bar = Bar(key, STEP * suitability(study), bias_word(study), people, cell.people_are)
        panels[head].append(bar)
    for bars in panels.values():
        bars.sort(key=lambda bar: -bar.height)
    return panels


def draw_bar(sheet: Sheet, x: float, base: float, height: float, bias: str, *, gid: str) -> None:
    """Draw a bar that stands on ``base``, its middle at ``x``."""
    how = JUDGEMENTS.get(bias)
    rectangle(
        sheet.page,
        x - BAR_WIDTH / 2,
        base - height,
        BAR_WIDTH,
        height,
        style.PAPER if how is None else how.fill,
        edge=style.INK,
        hatch=_PATTERNS.get(bias),
        rim=0.8,
        zorder=3,
        gid=gid,
    )


def biases_in_order(studies: Sequence[Study]) -> list[str]:
    """List the judgements that occur, in order of concern, those that are missing last."""
    words = {bias_word(study) for study in studies}
    return [word for word in (*JUDGEMENTS, NOT_JUDGED) if word in words]


_GROUP_WIDTH = 105.0
# A panel with more studies breaks into lines, so that the page stays printable.
_PER_LINE = 12
_PANEL_LEAST = 92.0
_PANEL_PAD = 8.0
_BAR_GAP = 4.0
# Above a bar stands the number of people, below it its letter.
_WORD_HEIGHT = SMALL_SIZE * style.LINE_HEIGHT
_LINE_AIR = 4.0
_GROUP_AIR = 5.0


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
            BAR_WIDTH, *(line_width(bar.people, SMALL_SIZE) for bar in bars)
        )
        self._heads = [
            head
            for head in next(iter(panels.values()))
            if head != UNKNOWN_PANEL or any(row[head] for row in panels.values())
        ]
        names = [wrap(capitalised(name), _GROUP_WIDTH, weight="bold") for name in columns.values()]
        left = MARGIN + max(text_width(name, weight="bold") for name in names)
        self._lefts: dict[str, float] = {}
        self._widths: dict[str, float] = {}
        edge = left + COLUMN_GAP
        for head in self._heads:
            most = max(min(len(row[head]), _PER_LINE) for row in panels.values())
            self._lefts[head] = edge
            self._widths[head] = max(_PANEL_LEAST, most * self._pitch + 2 * _PANEL_PAD)
            edge += self._widths[head]
        self.right = edge
        self.heading = Heading(title, self.right - MARGIN)
        self._texts = [
            wrap(capitalised(head), self._widths[head] - _PANEL_PAD, weight="bold")
            for head in self._heads
        ]
        self._top = self.heading.bottom + max(map(text_height, self._texts)) + 6
        self._rows = []
        top = self._top
        for name, row in zip(names, panels.values(), strict=True):
            bases = list(_bases(row, top + _GROUP_AIR))
            bottom = max(bases[-1] + _WORD_HEIGHT, top + text_height(name)) + _GROUP_AIR
            self._rows.append(_Row(name, row, top, tuple(bases), bottom))
            top = bottom
        self.bottom = top

    def draw(self, sheet: Sheet) -> None:
        """Draw heads, names, frames and bars."""
        places = [
            (self._lefts[head] + self._widths[head] / 2, text, "center")
            for head, text in zip(self._heads, self._texts, strict=True)
        ]
        write_heads(sheet, places, self._top - 3, "panel")
        for index, row in enumerate(self._rows):
            middle = (row.top + row.bottom) / 2
            sheet.write(MARGIN, middle, row.name, weight="bold", gid=f"row-{index}")
            for number, head in enumerate(self._heads):
                self._draw_panel(
                    sheet, row, head, f"bar-{index}-{number}", is_band=number % 2 == 1
                )
        for y in (self._top, *(row.bottom for row in self._rows)):
            sheet.rule(MARGIN, self.right, y)

    def _draw_panel(self, sheet: Sheet, row: _Row, head: str, gid: str, *, is_band: bool) -> None:
        left, right = self._lefts[head], self._lefts[head] + self._widths[head]
        if is_band:
            sheet.band(left, right, row.top, row.bottom, style.BAND)
        bars = row.panels[head]
        if not bars:
            middle = (row.top + row.bottom) / 2
            sheet.caption(
                (left + right) / 2, middle, "none", colour=style.SOFT_INK, gid=f"{gid}-none"
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
                sheet.caption(
                    x,
                    y,
                    text,
                    valign=valign,
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
# More bars than this are counted and not named.
_MOST_BARS = 30


def _bar_entry(words: str, height: float, bias: str) -> Entry:
    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        draw_bar(sheet, x, y + _KEY_HEIGHT / 2, height, bias, gid=gid)

    return Entry(words, draw, BAR_WIDTH + 5.0, _KEY_HEIGHT)


def _harvest_legend(studies: Sequence[Study]) -> list[tuple[str, list[Entry]]]:
    """Explain the heights and patterns that occur."""
    steps = {suitability(study) for study in studies}
    heights = [
        _bar_entry(words, STEP * step * _KEY_SHARE, "")
        for step, words in SUITABILITY.items()
        if step in steps
    ]
    patterns = [_bar_entry(word, _KEY_HEIGHT, word) for word in biases_in_order(studies)]
    return [("Height: design", heights), ("Risk of bias", patterns)]


def _harvest_notes(studies: Sequence[Study], names: Sequence[str]) -> list[str]:
    """Say which letter is which study, and what numbers and stars mean."""
    cells = [cell for study in studies for cell in study.cells.values()]
    key = "; ".join(
        f"{name}:{style.NO_BREAK}{study.label}" for name, study in zip(names, studies, strict=True)
    )
    above = "Number above a bar: people"
    if any(math.isnan(cell.people) for cell in cells):
        above += ", NR if not reported"
    lines = [f"{key}.", f"{above}. Direction of the point estimate, whatever its p-value."]
    lines += counted_early((study.label, each) for study in studies for each in study.early)
    if any(cell.combined > 1 for cell in cells):
        lines.append(
            "Several outcomes of a study count as one bar, in the direction of at least "
            f"{AGREEING_PCT}% of them."
        )
    if any(cell.verdict == MIXED for cell in cells):
        lines.append("* mixed: outcomes of the study, or its reports of one, differ.")
    return lines


@style.draws
def harvest_plot(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    treatment: str = "treatment",
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw a harvest plot (Ogilvie 2008, doi 10.1186/1471-2288-8-8).

    A row for each group of outcomes, a panel for each direction, a bar for each study. The
    height of a bar is the suitability of the design, its colour and pattern the overall risk
    of bias, its letter the study, the number above it the people.

    Parameters
    ----------
    directions : pandas.DataFrame
        As for `effect_direction_plot`, and ``blinding`` (the word of studies.csv).
    by, order, treatment, title
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
    sentences = [opening("Harvest plot", title)]
    if not studies:
        return words_only([NO_DIRECTION], title, f"{sentences[0]} {NO_DIRECTION}")
    names = letters(len(studies))
    labels = dict(zip(names, studies, strict=True))
    panels = {key: bars_of(studies, names, key, treatment) for key in columns}
    is_short = sum(len(study.cells) for study in studies) <= _MOST_BARS
    for key, name in columns.items():
        said = [
            f"{head} {_panel_words(bars, labels, is_short)}"
            for head, bars in panels[key].items()
            if bars or head != UNKNOWN_PANEL
        ]
        sentences.append(f"{capitalised(name)}: {'; '.join(said)}.")
    grid = Grid(panels, columns, title)
    foot = Foot(
        grid.bottom + 9.0,
        grid.right - MARGIN,
        _harvest_notes(studies, names),
        _harvest_legend(studies),
        gap=4.5,
    )
    sheet = Sheet(grid.right + MARGIN, foot.bottom + MARGIN, grid.heading, foot)
    grid.draw(sheet)
    return sheet.shown(" ".join(sentences))


harvest_output = output_of(harvest_plot)


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
    who = (
        "people not reported"
        if bar.people.startswith("NR")
        else f"{bar.people} people {bar.people_are}".strip()
    )
    mixed = ", mixed" if bar.people.endswith("*") else ""
    bias = f"risk of bias {bias_word(study)}"
    return (
        f"{study.label} ({SUITABILITY[suitability(study)]}; {bias}; {who.replace('*', '')}{mixed})"
    )
