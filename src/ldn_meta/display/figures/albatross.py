"""The albatross plot: p against people, with the effects that would join them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.directions import DirectionRow, counted_early, direction_rows
from ldn_meta.display.figures.scales import (
    Box,
    Under,
    Wanted,
    around,
    draw_upright,
    fit_names,
    known_pairs,
    place_names,
    ratio_ticks,
    wanted_at,
    write_in_box,
    write_names,
)
from ldn_meta.display.figures.sheet import (
    DOTTED,
    KEY_HEIGHT,
    MARGIN,
    SMALL_SIZE,
    Entry,
    Foot,
    Heading,
    Sheet,
    line,
    line_width,
    opening,
    point,
    steady,
    text_height,
    text_width,
    words_only,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ldn_meta.display.figures.sheet import ShownFigure


# Rounding to one digit leaves p known to within a factor of 3 (0.01 is 0.005 to 0.015); what
# is known less well is no point but a range.
_POINT_FACTOR = 3.0 * (1 + 1e-9)
# A smaller p is drawn as this one with an open end: it would press all others together.
SMALLEST_P = 1e-10
TREATMENT_SIDE, COMPARATOR_SIDE = 1, -1
_BOTH = (COMPARATOR_SIDE, TREATMENT_SIDE)


@dataclass(frozen=True)
class Mark:
    """One result, or several that coincide."""

    results: tuple[tuple[str, str], ...]
    sides: tuple[int, ...]
    low: float
    high: float
    people: float
    is_paired: bool
    is_randomised: bool
    people_are: str = ""

    @property
    def name(self) -> str:
        """Name all results that share the mark."""
        return " and ".join(
            _named(study, told, " and ") for study, told in _by_study(self.results)
        )

    @property
    def is_point(self) -> bool:
        """Whether p is known to its rounding."""
        return self.low > 0 and self.high <= _POINT_FACTOR * self.low

    @property
    def p(self) -> float:
        """Middle of what is known: the printed value, where one was."""
        return (self.low + self.high) / 2

    @property
    def is_side_known(self) -> bool:
        """Whether the point estimate lies on a known side."""
        return len(self.sides) == 1

    @property
    def p_words(self) -> str:
        """What is known of p, in words."""
        if self.is_point:
            return f"p = {self.p:.3g}"
        if self.low == 0:
            return f"p below {self.high:g}"
        if self.high == 1:
            return f"p above {self.low:g}"
        return f"p between {self.low:g} and {self.high:g}"


def marks_of(rows: Sequence[DirectionRow]) -> tuple[list[Mark], list[str]]:
    """Turn results into marks."""
    studies = [row.study_id for row in rows]
    marks: dict[Mark, Mark] = {}
    unplaced: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        result = (row.study, "" if studies.count(row.study_id) == 1 else row.outcome)
        missing = _missing(row)
        if missing:
            unplaced.setdefault(f"{' and '.join(missing)} not known", []).append(result)
            continue
        low, high = row.p_low, row.p_high
        if high < SMALLEST_P:
            low, high = 0.0, SMALLEST_P
        sides = (int(row.sign),) if row.sign in _BOTH else _BOTH
        place = Mark((), sides, low, high, row.people, row.is_paired, bool(row.is_randomised))
        place = replace(place, people_are=row.people_are)
        shared = marks[place].results if place in marks else ()
        marks[place] = replace(place, results=(*shared, result))
    words = [
        f"{_named(study, told, ', ')} ({reason})"
        for reason, results in unplaced.items()
        for study, told in _by_study(results)
    ]
    return list(marks.values()), words


def _by_study(results: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Gather the outcomes of each study; a study with one result has none to name."""
    found: dict[str, list[str]] = {}
    for study, outcome in results:
        found.setdefault(study, []).extend([outcome] if outcome else [])
    return list(found.items())


def _named(study: str, outcomes: Sequence[str], between: str) -> str:
    return f"{study}: {between.join(outcomes)}" if outcomes else study


def _missing(row: DirectionRow) -> list[str]:
    missing = []
    # An interval from 0 to 1 says nothing.
    if math.isnan(row.p_low) or (row.p_low == 0 and row.p_high == 1):
        missing.append("p")
    if math.isnan(row.people):
        missing.append("number of people")
    return missing


# The axis shows p down to 0.001 even if no result needs it, so that plots look alike.
_LEAST_REACH = 3.3
_REACH_AIR = 0.45
_PEOPLE_AIR = 1.5
_LEAST_SPAN = 10.0
_TICK_GAP = 8.0
_LAST_DECIMAL = 4


@dataclass(frozen=True)
class Scale:
    """Where a p and a number of people stand, in points from the top left of the page."""

    left: float
    top: float
    width: float
    height: float
    reach: float
    fewest: float
    most: float

    @property
    def right(self) -> float:
        """Right edge of the plot."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower edge of the plot."""
        return self.top + self.height

    @property
    def box(self) -> Box:
        """The plot on the page."""
        return Box(self.left, self.top, self.right, self.bottom)

    def distance(self, p: float) -> float:
        """How far from the middle a two-sided p stands, in decades; 0 is beyond the edge."""
        return self.reach if p <= 0 else min(max(-math.log10(p), 0.0), self.reach)

    def x(self, decades: float) -> float:
        """Place on the page of a signed distance from the middle."""
        return self.left + self.width * (decades + self.reach) / (2 * self.reach)

    def y(self, people: float) -> float:
        """Place on the page of a number of people."""
        share = math.log(people / self.fewest) / math.log(self.most / self.fewest)
        return self.bottom - share * self.height

    def decades(self, x: float) -> float:
        """Signed distance from the middle of a place on the page."""
        return steady((x - self.left) / self.width * 2 * self.reach - self.reach)

    def p_ticks(self) -> list[tuple[float, str]]:
        """Signed distances with the p they stand for, as many as fit."""
        decade = self.width / (2 * self.reach)
        last = math.floor(self.reach)
        every = 1
        while (
            max(line_width(_p_label(k), SMALL_SIZE) for k in range(0, last + 1, every)) + _TICK_GAP
            > every * decade
        ):
            every += 1
        ticks = range(every, last + 1, every)
        right = [(float(k), _p_label(k)) for k in ticks]
        left = [(-place, label) for place, label in reversed(right)]
        return [*left, (0.0, _p_label(0)), *right]

    def people_ticks(self) -> list[tuple[float, str]]:
        """Numbers of people along the axis."""
        return ratio_ticks(math.log(self.fewest), math.log(self.most), self.height)


def choose_scale(
    marks: Sequence[Mark], *, left: float, top: float, width: float, height: float
) -> Scale:
    """Choose ends that keep every known end of p, and all people, in view."""
    ends = [end for mark in marks for end in (mark.low, mark.high) if end > 0]
    reach = max([_LEAST_REACH, *(_REACH_AIR - math.log10(end) for end in ends)])
    people = [mark.people for mark in marks]
    fewest, most = min(people) / _PEOPLE_AIR, max(people) * _PEOPLE_AIR
    lacking = _LEAST_SPAN / (most / fewest)
    if lacking > 1:
        fewest, most = fewest / math.sqrt(lacking), most * math.sqrt(lacking)
    return Scale(left, top, width, height, steady(reach), steady(fewest), steady(most))


def _p_label(decades: int) -> str:
    return f"{10.0**-decades:.{decades}f}" if decades <= _LAST_DECIMAL else f"1e-{decades}"


Curve = tuple[Sequence[float], Sequence[float]]

POINT_SIZE = 7.0
UNSURE_SMALLER = 1.8
UNSURE_FILL = "#b4b4b4"
_RANGE_WIDTH = 3.2
_CAP_HALF = 4.0
_ARROW_SIZE = 5.0
_UNKNOWN_SIDE = 0
_INKS = {
    TREATMENT_SIDE: style.TREATMENT,
    COMPARATOR_SIDE: style.PREDICTION,
    _UNKNOWN_SIDE: style.SINGLE_ARM,
}
# The same inks mixed with white: a range says less than a point and is drawn softer.
_SOFT_INKS = {TREATMENT_SIDE: "#8fbfe0", COMPARATOR_SIDE: "#dba295", _UNKNOWN_SIDE: UNSURE_FILL}
_DASHES: tuple[style.Dashes, ...] = ("solid", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
# Where along a curve its name may stand, as shares of the visible part from its outer end.
_EDGE_AIR = 3.0
_BOXES_A_CURVE = 40
_NAME_SHARES = (0.04, 0.1, 0.17, 0.25, 0.34, 0.44, 0.55, 0.67, 0.8)


def marker_of(is_paired: bool) -> tuple[str, float]:
    """Shape and size of a point: the curves hold for circles only."""
    return ("D", POINT_SIZE - 1) if is_paired else ("o", POINT_SIZE)


def curve_points(scale: Scale, curve: Curve, side: int) -> list[tuple[float, float]]:
    """Points of a curve, the smallest p first: signed decades, and points on the page."""
    points = sorted(
        (-math.log10(p), scale.y(people)) for p, people in zip(*curve, strict=True) if people > 0
    )
    return [(steady(side * x), steady(y)) for x, y in reversed(points)]


def in_view(scale: Scale, curve: Curve, side: int) -> list[tuple[float, float]]:
    """Points of a curve that the plot shows."""
    return [
        (x, y)
        for x, y in curve_points(scale, curve, side)
        if abs(x) <= scale.reach and scale.top <= y <= scale.bottom
    ]


def line_boxes(scale: Scale, curves: Mapping[str, Curve]) -> list[Box]:
    """Rectangles along the curves and the middle line, which names should not lie on."""
    middle = scale.x(0.0)
    boxes = [Box(middle, scale.top, middle, scale.bottom)]
    for curve in curves.values():
        for side in _BOTH:
            points = in_view(scale, curve, side)
            every = max(1, len(points) // _BOXES_A_CURVE)
            for (x1, y1), (x2, y2) in pairwise(points[::every]):
                left, right = sorted((scale.x(x1), scale.x(x2)))
                boxes.append(Box(left, min(y1, y2), right, max(y1, y2)))
    return boxes


def curve_name_boxes(
    scale: Scale, curves: Mapping[str, Curve], taken: Sequence[Box]
) -> dict[tuple[str, int], Box]:
    """Find a place on each curve and side for its name, as far out as can be; or none."""
    plot = scale.box.inset(_EDGE_AIR)
    boxes: dict[tuple[str, int], Box] = {}
    for name, curve in curves.items():
        size = text_width(name, SMALL_SIZE), text_height(name, SMALL_SIZE)
        for side in _BOTH:
            points = in_view(scale, curve, side)
            for share in _NAME_SHARES if points else ():
                x, y = points[int(share * (len(points) - 1))]
                box = around(scale.x(x), y, *size)
                is_free = not any(box.meets(other) for other in (*taken, *boxes.values()))
                if plot.holds(box) and is_free:
                    boxes[name, side] = box
                    break
    return boxes


def mark_boxes(scale: Scale, mark: Mark) -> list[Box]:
    """Rectangles on the page that the point or the range of a mark takes."""
    y = scale.y(mark.people)
    boxes = []
    for side in mark.sides:
        near, far = sorted(scale.x(side * scale.distance(p)) for p in (mark.low, mark.high))
        if mark.is_point:
            x = scale.x(side * scale.distance(mark.p))
            boxes.append(around(x, y, POINT_SIZE + 2, POINT_SIZE + 2))
            boxes.append(Box(near, y - 1, far, y + 1))
        else:
            boxes.append(Box(near, y - _CAP_HALF, far, y + _CAP_HALF))
    return boxes


@dataclass(frozen=True)
class _Pen:
    """Draws curves and marks; the sides have names in the file as in the words."""

    axes: Axes
    scale: Scale
    sides: Mapping[int, str]

    def curves(self, curves: Mapping[str, Curve], boxes: Mapping[tuple[str, int], Box]) -> None:
        """Draw each curve on both sides, with its name where there is a place for it."""
        for index, (name, curve) in enumerate(curves.items()):
            for side in _BOTH:
                # The axes cut what lies outside.
                points = curve_points(self.scale, curve, side)
                xs, ys = [x for x, _ in points], [y for _, y in points]
                gid = f"curve-{index}-{self.sides[side]}"
                dashes = _DASHES[index % len(_DASHES)]
                line(self.axes, xs, ys, style.RULE, 0.9, dashes=dashes, zorder=1, gid=gid)
                if (name, side) in boxes:
                    write_in_box(
                        self.axes,
                        self.scale.decades,
                        name,
                        boxes[name, side],
                        colour=style.SOFT_INK,
                        gid=f"{gid}-name",
                        zorder=5,
                    )

    def mark(self, mark: Mark, gid: str) -> None:
        """Draw a result on its side, or on both, joined, where its side is not known."""
        y = self.scale.y(mark.people)
        kind = mark.sides[0] if mark.is_side_known else _UNKNOWN_SIDE
        ink, soft = _INKS[kind], _SOFT_INKS[kind]
        near, far = self.scale.distance(mark.high), self.scale.distance(mark.low)
        if not mark.is_side_known and near > 0:
            line(self.axes, [-near, near], [y, y], soft, 0.9, dashes=DOTTED, gid=f"{gid}-joint")
        for side in mark.sides:
            name, ends = f"{gid}-{self.sides[side]}", (side * near, side * far)
            colour, width = (ink, 1.1) if mark.is_point else (soft, _RANGE_WIDTH)
            line(self.axes, ends, [y, y], colour, width, cap="butt", gid=f"{name}-range")
            if mark.is_point:
                self._point(mark, side * self.scale.distance(mark.p), y, ink, name)
            else:
                self._ends(mark, ends, y, ink, name)

    def _point(self, mark: Mark, x: float, y: float, ink: str, gid: str) -> None:
        # Drawn twice, a result is smaller and paler: in grey as in colour it looks less sure.
        is_sure = mark.is_side_known
        marker, size = marker_of(mark.is_paired)
        fill = ink if is_sure else _SOFT_INKS[_UNKNOWN_SIDE]
        point(
            self.axes,
            x,
            y,
            marker,
            size if is_sure else size - UNSURE_SMALLER,
            fill if mark.is_randomised else style.PAPER,
            edge=ink,
            rim=1.3,
            clip=False,
            # A point on its known side lies above one that stands on both.
            zorder=4 if is_sure else 3.5,
            gid=gid,
        )

    def _ends(self, mark: Mark, ends: tuple[float, float], y: float, ink: str, gid: str) -> None:
        """Close a known end with a stroke; an open one ends in an arrow at the edge."""
        near, far = ends
        closed = [near] if near else []
        if mark.low > 0:
            closed.append(far)
        else:
            marker, name = ">" if far > 0 else "<", f"{gid}-open"
            point(self.axes, far, y, marker, _ARROW_SIZE, ink, clip=False, zorder=4, gid=name)
        for index, x in enumerate(closed):
            stroke = [y - _CAP_HALF, y + _CAP_HALF]
            line(self.axes, [x, x], stroke, ink, 1.2, zorder=3, gid=f"{gid}-end-{index}")


# More results than this are counted: nobody listens to thirty of them.
MOST_NAMED = 20


def describe(
    marks: Sequence[Mark], curves: Mapping[str, Curve], *, measure: str, treatment: str
) -> str:
    """Describe the plot for people who cannot see it."""
    results = sum(len(mark.results) for mark in marks)
    sentences = [
        f"{capitalised(count(results, 'result'))} by two-sided p-value (across, mirrored about "
        "p = 1) and number of people (upwards)."
    ]
    sides = {
        TREATMENT_SIDE: f"on the side of {treatment}",
        COMPARATOR_SIDE: "on the side of the comparator",
    }
    if len(marks) > MOST_NAMED:
        return " ".join([*sentences, _summary(marks, sides)])
    for mark in marks:
        design = "the same people in both arms" if mark.is_paired else "two groups"
        chance = "" if mark.is_randomised else ", not or not said to be randomised"
        who = (f"{mark.people:.0f} people", mark.people_are)
        side = sides[mark.sides[0]] if mark.is_side_known else "on a side that is not known"
        sentences.append(
            f"{mark.name} ({mark.p_words}, {' '.join(filter(None, who))}, {design}{chance}): "
            f"{side}{between_curves(mark, curves, measure)}."
        )
    return " ".join(sentences)


def between_curves(mark: Mark, curves: Mapping[str, Curve], measure: str) -> str:
    """Say between which curves a point lies; nothing where the curves do not hold.

    A larger effect reaches the same p with fewer people.
    """
    if mark.is_paired or not mark.is_point or not curves:
        return ""
    people = {name: _people_at(mark.p, curve) for name, curve in curves.items()}
    known = {name: value for name, value in people.items() if not math.isnan(value)}
    # From the smallest effect, which needs the most people, to the largest.
    ordered = sorted(known, key=lambda name: -known[name])
    smaller = [name for name in ordered if known[name] >= mark.people]
    larger = [name for name in ordered if known[name] < mark.people]
    if smaller and larger:
        return f", between the curves of {measure} {smaller[-1]} and {larger[0]}"
    if larger:
        return f", nearer to no effect than the curve of {measure} {larger[0]}"
    if smaller:
        return f", beyond the curve of {measure} {smaller[-1]}"
    return ""


def _summary(marks: Sequence[Mark], words: Mapping[int, str]) -> str:
    sides = [mark.sides[0] if mark.is_side_known else 0 for mark in marks for _ in mark.results]
    parts = [
        agree(sides.count(side), f"lies {told}", f"lie {told}") for side, told in words.items()
    ]
    if 0 in sides:
        parts.append(agree(sides.count(0), "has no known side", "have no known side"))
    points = [mark.p for mark in marks if mark.is_point]
    people = [mark.people for mark in marks]
    ranged = sum(len(mark.results) for mark in marks if not mark.is_point)
    sentences = [f"{capitalised(', '.join(parts))}."]
    if points:
        sentences.append(f"Known p-values run from {min(points):.3g} to {max(points):.3g}.")
    if ranged:
        known = agree(ranged, "has a p-value", "have a p-value")
        sentences.append(f"{capitalised(known)} known only as a range.")
    sentences.append(f"Numbers of people run from {min(people):.0f} to {max(people):.0f}.")
    return " ".join(sentences)


def _people_at(p: float, curve: Curve) -> float:
    """Read the people of a curve at a p, between its points on log axes; NaN outside."""
    points = sorted(
        (math.log(x), math.log(people))
        for x, people in zip(*curve, strict=True)
        if x > 0 and people > 0
    )
    at = math.log(p)
    for (left, low), (right, high) in pairwise(points):
        if left <= at <= right:
            share = (at - left) / (right - left) if right > left else 0.0
            return math.exp(low + share * (high - low))
    return math.nan


_ROOM, _WIDE_ROOM, _HALF = 15.0, 34.0, 13.0


def legend_groups(marks: Sequence[Mark]) -> list[tuple[str, list[Entry]]]:
    """Explain the kinds of marks that occur, and no others."""
    ranges = [mark for mark in marks if not mark.is_point]
    kinds = (
        (False, True, "two groups"),
        (True, True, "same people in both arms"),
        (False, False, "two groups, not (or not said to be) randomised"),
        (True, False, "same people, not (or not said to be) randomised"),
    )
    occurring = {(mark.is_paired, mark.is_randomised) for mark in marks if mark.is_point}
    points = [
        _point_entry(words, is_paired, is_randomised)
        for is_paired, is_randomised, words in kinds
        if (is_paired, is_randomised) in occurring
    ]
    bars = []
    if any(mark.low > 0 for mark in ranges):
        bars.append(_range_entry("p known only as a range", is_open=False))
    if any(mark.low == 0 for mark in ranges):
        bars.append(_range_entry("arrow: p smaller than at the stroke", is_open=True))
    if any(not mark.is_side_known for mark in marks):
        words = "paler, on both sides: side not known"
        bars.append(Entry(words, _draw_joint, _WIDE_ROOM, KEY_HEIGHT))
    return [("Points", points), ("Bars", bars)]


def _point_entry(words: str, is_paired: bool, is_randomised: bool) -> Entry:
    fill = style.INK if is_randomised else style.PAPER
    shape = marker_of(is_paired)

    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        point(sheet.page, x, y, *shape, fill, edge=style.INK, rim=1.3, gid=gid)

    return Entry(words, draw, _ROOM, KEY_HEIGHT)


def _range_entry(words: str, *, is_open: bool) -> Entry:
    """Explain a range by one with a stroke at its known end, or at both."""

    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        low, high = ends = x - _HALF, x + _HALF
        line(sheet.page, ends, [y, y], style.RULE, _RANGE_WIDTH, cap="butt", gid=gid)
        for stroke in (low,) if is_open else ends:
            line(sheet.page, [stroke] * 2, [y - _CAP_HALF, y + _CAP_HALF], style.INK, 1.2)
        if is_open:
            sheet.page.plot([high], [y], marker=">", markersize=_ARROW_SIZE, color=style.INK)

    return Entry(words, draw, _WIDE_ROOM, KEY_HEIGHT)


def notes(
    marks: Sequence[Mark], called: Sequence[str], curves: Mapping[str, Curve], measure: str
) -> list[str]:
    """Say what the curves mean, and of bars what the shape of a point would say."""
    lines = []
    if curves:
        words = (
            f"Curves: p and people at which the {measure} is {', '.join(curves)} to either side, "
            "in two groups of equal size"
        )
        if any(mark.is_paired for mark in marks):
            words += "; they do not hold where the same people stand in both arms"
        lines.append(f"{words}.")
    bars = [(mark, name) for mark, name in zip(marks, called, strict=True) if not mark.is_point]
    paired = [name for mark, name in bars if mark.is_paired]
    by_choice = [name for mark, name in bars if not mark.is_randomised]
    if paired:
        lines.append(f"Bars of the same people in both arms: {', '.join(paired)}.")
    if by_choice:
        lines.append(
            f"Bars of studies not, or not said to be, randomised: {', '.join(by_choice)}."
        )
    lines += counted_early(
        (study, f"{mark.people:.0f} {mark.people_are}")
        for mark in marks
        if mark.people_are
        for study, _ in mark.results
    )
    lines.append("The side is that of the point estimate. The plot pools nothing.")
    return lines


def _draw_joint(sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=style.SINGLE_ARM,
        linewidth=0.9,
        linestyle=DOTTED,
        marker="o",
        markersize=POINT_SIZE - UNSURE_SMALLER,
        markerfacecolor=UNSURE_FILL,
        gid=gid,
    )


NOTHING_TO_PLACE = "No result has both a p-value and a number of people, so none can be placed."
X_LABEL = "Two-sided p-value (log axis, mirrored about 1)"
_Y_LABEL = "People (log axis)"
_PLOT_WIDTH = 440.0
_PLOT_HEIGHT = 280.0
# Crowds of results need room for their numbers.
_MORE_HEIGHT = 5.0
_TICK_ROOM = 34.0
# More names than this are numbers with a key: names would cover the curves.
_MOST_NAMES = 6


@style.draws
def albatross_plot(
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    treatment: str = "treatment",
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw an albatross plot (Harrison 2017, doi 10.1002/jrsm.1239).

    Each result stands at its two-sided p, on the side of its point estimate, and at its
    number of people. A p known only as a range is a bar with an arrow at an open end; a result
    whose side is not known stands on both sides, joined by dots. Results that coincide share
    a mark; those without p or people are named below.

    Parameters
    ----------
    directions : pandas.DataFrame
        One row a study and construct, with the columns of ``DIRECTION_COLUMNS``.
    contours : mapping of str to (array of shape (m,), array of shape (m,)), optional
        By name of an effect, the two-sided p (above 0, at most 1) and the people in two equal
        groups that go with it; drawn on both sides. For a standardised mean difference d,
        people = 4 z^2 / d^2 + z^2 / 2 with z the normal quantile of 1 - p / 2.
    measure : str
        What the contours are values of.
    treatment : str
        What the treatment is called.
    title : str, optional
        Bold line above the plot.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when nothing can be placed.
    axes : matplotlib.axes.Axes
        The plot: x is -log10 p, negative on the side of the comparator; y is points from the
        top of the page.

    Raises
    ------
    ArgumentError
        If the frame is refused (`direction_rows`) or a contour has no p and people of equal
        length, a p outside its range, or negative people.
    """
    curves = _curves(contours)
    marks, unplaced = marks_of(direction_rows(directions))
    beside = [f"Not in the plot: {'; '.join(unplaced)}."] if unplaced else []
    begin = opening("Albatross plot", title)
    if not marks:
        texts = [NOTHING_TO_PLACE, *beside]
        return words_only(texts, title, " ".join([begin, *texts]))
    width = _TICK_ROOM + _PLOT_WIDTH
    heading = Heading(title, width)
    top = heading.bottom + text_height(_Y_LABEL, SMALL_SIZE) + 4

    def attempt(texts: list[str], growth: float, is_far_allowed: bool) -> _Plan | None:
        return _place(marks, curves, texts, top, growth, is_far_allowed=is_far_allowed)

    plan, texts, key = fit_names([mark.name for mark in marks], _MOST_NAMES, attempt)
    scale = plan.scale
    under = Under(
        scale.bottom,
        left=scale.left,
        width=scale.width,
        right=scale.right + MARGIN,
        no_effect=0.5,
        direction=("favours comparator", f"favours {treatment}"),
        label=X_LABEL,
        gap=6.0,
    )
    called = texts if key else [mark.name for mark in marks]
    lines = [key, *notes(marks, called, curves, measure), *beside]
    foot = Foot(under.bottom, width, lines, legend_groups(marks))
    # Half a label may stand out to the right of the last tick.
    sheet = Sheet(scale.right + 2 * MARGIN, foot.bottom + MARGIN, heading, foot)
    sheet.small(MARGIN, top - 4, _Y_LABEL, valign="bottom", gid="people-label")
    axes = _draw_frame(sheet, scale)
    # Names of artists hold no spaces.
    side = re.sub(r"[^a-z0-9]+", "-", treatment.lower())
    pen = _Pen(axes, scale, {TREATMENT_SIDE: side, COMPARATOR_SIDE: "comparator"})
    pen.curves(curves, plan.curve_names)
    for index, mark in enumerate(marks):
        pen.mark(mark, f"mark-{index}")
    write_names(axes, scale.decades, texts, plan.boxes, plan.wanted, above=2.5)
    under.write(sheet)
    words = describe(marks, curves, measure=measure, treatment=treatment)
    return sheet.shown(" ".join([begin, words, *beside]), axes)


albatross_output = output_of(albatross_plot)


def _curves(contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None) -> dict[str, Curve]:
    """Turn contours into lists of numbers, and refuse what cannot be drawn."""
    import numpy as np

    curves: dict[str, Curve] = {}
    for name, pair in (contours or {}).items():
        ps, ns = known_pairs(f"contours of {name!r}", pair, "p and people")
        if np.any((ps <= 0) | (ps > 1) | (ns < 0)):
            message = (
                f"contours of {name!r} has p from {ps.min():g} to {ps.max():g} and people from "
                f"{ns.min():g}: allowed are 0 < p <= 1 and people >= 0"
            )
            raise ArgumentError(message)
        curves[name] = (ps.tolist(), ns.tolist())
    return curves


@dataclass(frozen=True)
class _Plan:
    """Where everything inside the plot stands."""

    scale: Scale
    curve_names: dict[tuple[str, int], Box]
    wanted: list[Wanted]
    boxes: list[Box]


def _place(
    marks: Sequence[Mark],
    curves: Mapping[str, Curve],
    texts: list[str],
    top: float,
    growth: float,
    *,
    is_far_allowed: bool,
) -> _Plan | None:
    """Find a place for each text in a plot of a given height, or none at all."""
    scale = choose_scale(
        marks,
        left=MARGIN + _TICK_ROOM,
        top=top,
        width=_PLOT_WIDTH,
        height=growth * (_PLOT_HEIGHT + _MORE_HEIGHT * max(0, len(marks) - _MOST_NAMES)),
    )
    taken = [box for mark in marks for box in mark_boxes(scale, mark)]
    curve_names = curve_name_boxes(scale, curves, taken)
    wanted = [_wanted(scale, mark, text) for mark, text in zip(marks, texts, strict=True)]
    boxes = place_names(
        wanted,
        taken=list(curve_names.values()),
        avoided=line_boxes(scale, curves),
        inside=scale.box.inset(1),
        is_far_allowed=is_far_allowed,
    )
    return None if boxes is None else _Plan(scale, curve_names, wanted, boxes)


def _wanted(scale: Scale, mark: Mark, text: str) -> Wanted:
    """Say what place a name wants: beside a point, above or below the middle of a range."""
    side = mark.sides[-1]
    if mark.is_point:
        x = scale.x(side * scale.distance(mark.p))
    elif mark.high == 1 and not mark.is_side_known:
        x = scale.x(0.0)
    else:
        x = scale.x(side * (scale.distance(mark.low) + scale.distance(mark.high)) / 2)
    boxes = mark_boxes(scale, mark)
    return wanted_at(x, scale.y(mark.people), text, radius=POINT_SIZE / 2 + 1, mark=boxes)


def _draw_frame(sheet: Sheet, scale: Scale) -> Axes:
    """Draw both axes and the middle line, where p is 1."""
    axes = sheet.plot(
        scale.left,
        scale.top,
        scale.width,
        scale.height,
        ends=(-scale.reach, scale.reach),
        ticks=scale.p_ticks(),
    )
    axes.axvline(0.0, color=style.INK, linewidth=0.8, zorder=1, gid="no-effect")
    ticks = scale.people_ticks()
    draw_upright(sheet, axes, scale.y, scale.left, ticks=ticks, gid="people-tick")
    return axes
