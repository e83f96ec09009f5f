"""The albatross plot: p against people, with the effects that would join them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.directions import DirectionRow, direction_rows
from ldn_meta.display.figures.sheet import (
    SMALL_SIZE,
    Box,
    Entry,
    Heading,
    Legend,
    Notes,
    Sheet,
    Wanted,
    around,
    is_joined,
    line_width,
    place_names,
    ratio_ticks,
    steady,
    text_height,
    text_width,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import FigureOutput
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


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
_HALO = 2.0
_UNKNOWN_SIDE = 0
_SIDE_WORDS = {COMPARATOR_SIDE: "comparator", TREATMENT_SIDE: "ldn"}
_INKS = {
    TREATMENT_SIDE: style.TREATMENT,
    COMPARATOR_SIDE: style.PREDICTION,
    _UNKNOWN_SIDE: style.SINGLE_ARM,
}
# The same inks mixed with white: a range says less than a point and is drawn softer.
_SOFT_INKS = {TREATMENT_SIDE: "#8fbfe0", COMPARATOR_SIDE: "#dba295", _UNKNOWN_SIDE: UNSURE_FILL}
_DASHES = ("solid", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
# Where along a curve its name may stand, as shares of the visible part from its outer end.
_EDGE_AIR = 3.0
_BOXES_A_CURVE = 40
_NAME_SHARES = (0.04, 0.1, 0.17, 0.25, 0.34, 0.44, 0.55, 0.67, 0.8)


def ink_of(mark: Mark) -> int:
    """Key of the inks a mark is drawn in."""
    return mark.sides[0] if mark.is_side_known else _UNKNOWN_SIDE


def marker_of(mark: Mark) -> str:
    """Shape of a point: the curves hold for circles only."""
    return "D" if mark.is_paired else "o"


def draw_frame(sheet: Sheet, scale: Scale) -> Axes:
    """Draw both axes and the middle line, where p is 1."""
    axes = sheet.plot(scale.left, scale.top, scale.width, scale.height)
    axes.set_xlim(-scale.reach, scale.reach)
    ticks = scale.p_ticks()
    axes.set_xticks([place for place, _ in ticks], [label for _, label in ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    axes.axvline(0.0, color=style.INK, linewidth=0.8, zorder=1, gid="no-effect")
    axes.spines["left"].set_visible(True)
    for index, (people, label) in enumerate(scale.people_ticks()):
        y = scale.y(people)
        sheet.page.plot([scale.left - 3, scale.left], [y, y], color=style.INK, linewidth=0.8)
        sheet.write(
            scale.left - 5,
            y,
            label,
            align="right",
            size=style.SMALL_SIZE,
            gid=f"people-tick-{index}",
        )
    return axes


def curve_points(scale: Scale, curve: Curve, side: int) -> list[tuple[float, float]]:
    """Points of a curve, the smallest p first: signed decades, and points on the page."""
    points = sorted(
        (-math.log10(p), scale.y(people)) for p, people in zip(*curve, strict=True) if people > 0
    )
    return [(style.steady(side * x), style.steady(y)) for x, y in reversed(points)]


def line_boxes(scale: Scale, curves: Mapping[str, Curve]) -> list[Box]:
    """Rectangles along the curves and the middle line, which names should not lie on."""
    middle = scale.x(0.0)
    boxes = [Box(middle, scale.top, middle, scale.bottom)]
    for curve in curves.values():
        for side in _SIDE_WORDS:
            points = _in_view(scale, curve_points(scale, curve, side))
            every = max(1, len(points) // _BOXES_A_CURVE)
            for (x1, y1), (x2, y2) in pairwise(points[::every]):
                left, right = sorted((scale.x(x1), scale.x(x2)))
                boxes.append(Box(left, min(y1, y2), right, max(y1, y2)))
    return boxes


def _in_view(scale: Scale, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if abs(x) <= scale.reach and scale.top <= y <= scale.bottom]


def curve_name_boxes(
    scale: Scale, curves: Mapping[str, Curve], taken: Sequence[Box]
) -> dict[tuple[str, int], Box]:
    """Find a place on each curve and side for its name; none on a curve that is not in view."""
    boxes: dict[tuple[str, int], Box] = {}
    for name, curve in curves.items():
        for side in (COMPARATOR_SIDE, TREATMENT_SIDE):
            points = _in_view(scale, curve_points(scale, curve, side))
            box = _curve_name_box(scale, points, name, [*taken, *boxes.values()])
            if box is not None:
                boxes[name, side] = box
    return boxes


def draw_curves(
    axes: Axes,
    scale: Scale,
    curves: Mapping[str, Curve],
    boxes: Mapping[tuple[str, int], Box],
) -> None:
    """Draw each curve on both sides, with its name where there is a place for it."""
    for index, (name, curve) in enumerate(curves.items()):
        for side, word in _SIDE_WORDS.items():
            # The axes cut what lies outside.
            points = curve_points(scale, curve, side)
            gid = f"curve-{index}-{word}"
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                color=style.RULE,
                linewidth=0.9,
                linestyle=_DASHES[index % len(_DASHES)],
                zorder=1,
                gid=gid,
            )
            if (name, side) in boxes:
                box = boxes[name, side]
                _write(axes, scale, box, name, colour=style.SOFT_INK, gid=f"{gid}-name")


def draw_mark(axes: Axes, scale: Scale, mark: Mark, gid: str) -> None:
    """Draw a result on its side, or on both, joined, where its side is not known."""
    y = scale.y(mark.people)
    ink, soft = _INKS[ink_of(mark)], _SOFT_INKS[ink_of(mark)]
    near, far = scale.distance(mark.high), scale.distance(mark.low)
    if not mark.is_side_known and near > 0:
        axes.plot(
            [-near, near],
            [y, y],
            color=soft,
            linewidth=0.9,
            linestyle=(0, (1, 2)),
            zorder=2,
            gid=f"{gid}-joint",
        )
    for side in mark.sides:
        name = f"{gid}-{_SIDE_WORDS[side]}"
        axes.plot(
            [side * near, side * far],
            [y, y],
            color=ink if mark.is_point else soft,
            linewidth=1.1 if mark.is_point else _RANGE_WIDTH,
            solid_capstyle="butt",
            zorder=2,
            gid=f"{name}-range",
        )
        if mark.is_point:
            _draw_point(axes, mark, side * scale.distance(mark.p), y, ink, name)
        else:
            _draw_ends(axes, mark, (side * near, side * far), y, ink, name)


def _draw_point(axes: Axes, mark: Mark, x: float, y: float, ink: str, gid: str) -> None:
    # Drawn twice, a result is smaller and paler: in grey as in colour it looks less sure.
    is_sure = mark.is_side_known
    size = POINT_SIZE if marker_of(mark) == "o" else POINT_SIZE - 1
    fill = ink if is_sure else _SOFT_INKS[_UNKNOWN_SIDE]
    axes.plot(
        [x],
        [y],
        marker=marker_of(mark),
        markersize=size if is_sure else size - UNSURE_SMALLER,
        markerfacecolor=fill if mark.is_randomised else style.PAPER,
        markeredgecolor=ink,
        markeredgewidth=1.3,
        linestyle="none",
        clip_on=False,
        # A point on its known side lies above one that stands on both.
        zorder=4 if is_sure else 3.5,
        gid=gid,
    )


def _draw_ends(
    axes: Axes, mark: Mark, ends: tuple[float, float], y: float, ink: str, gid: str
) -> None:
    """Close a known end with a stroke; an open one ends in an arrow at the edge."""
    near, far = ends
    closed = [near] if near else []
    if mark.low > 0:
        closed.append(far)
    else:
        axes.plot(
            [far],
            [y],
            marker=">" if far > 0 else "<",
            markersize=_ARROW_SIZE,
            color=ink,
            linestyle="none",
            clip_on=False,
            zorder=4,
            gid=f"{gid}-open",
        )
    for index, x in enumerate(closed):
        axes.plot(
            [x, x],
            [y - _CAP_HALF, y + _CAP_HALF],
            color=ink,
            linewidth=1.2,
            zorder=3,
            gid=f"{gid}-end-{index}",
        )


def draw_name(axes: Axes, scale: Scale, text: str, box: Box, wanted: Wanted, gid: str) -> None:
    """Write the name of a mark at its place, joined to the mark if it stands apart."""
    x, y = wanted.x, wanted.y
    if is_joined(box, x, y, wanted.radius):
        near_x, near_y = box.nearest(x, y)
        axes.plot(
            [_decades(scale, x), _decades(scale, near_x)],
            [y, near_y],
            color=style.SOFT_INK,
            linewidth=0.5,
            zorder=2.5,
            gid=f"{gid}-joint",
        )
    _write(axes, scale, box, text, colour=style.INK, gid=gid)


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


def _curve_name_box(
    scale: Scale, points: Sequence[tuple[float, float]], name: str, taken: Sequence[Box]
) -> Box | None:
    """Find a free place on a curve for its name, as far out as can be."""
    width, height = text_width(name, style.SMALL_SIZE), text_height(name, style.SMALL_SIZE)
    air = _EDGE_AIR
    plot = Box(scale.left + air, scale.top + air, scale.right - air, scale.bottom - air)
    for share in _NAME_SHARES if points else ():
        x, y = points[int(share * (len(points) - 1))]
        box = around(scale.x(x), y, width, height)
        if plot.holds(box) and not any(box.meets(other) for other in taken):
            return box
    return None


def _write(axes: Axes, scale: Scale, box: Box, text: str, *, colour: str, gid: str) -> None:
    from matplotlib.patheffects import withStroke

    x, y = box.middle
    axes.text(
        _decades(scale, x),
        y,
        text,
        horizontalalignment="center",
        verticalalignment="center",
        multialignment="center",
        fontsize=style.SMALL_SIZE,
        color=colour,
        linespacing=style.LINE_HEIGHT,
        # Curves may run behind a name; they must not run through its letters.
        path_effects=[withStroke(linewidth=_HALO, foreground=style.PAPER)],
        zorder=5,
        gid=gid,
    )


def _decades(scale: Scale, x: float) -> float:
    """Signed distance from the middle of a place on the page."""
    return style.steady((x - scale.left) / scale.width * 2 * scale.reach - scale.reach)


# More results than this are counted: nobody listens to thirty of them.
MOST_NAMED = 20
_SIDES = {TREATMENT_SIDE: "on the side of LDN", COMPARATOR_SIDE: "on the side of the comparator"}


def describe(marks: Sequence[Mark], curves: Mapping[str, Curve], *, measure: str) -> str:
    """Describe the plot for people who cannot see it."""
    results = sum(len(mark.results) for mark in marks)
    sentences = [
        f"{capitalised(count(results, 'result'))} by two-sided p-value (across, mirrored about "
        "p = 1) and number of people (upwards)."
    ]
    if len(marks) <= MOST_NAMED:
        sentences += [_mark_sentence(mark, curves, measure) for mark in marks]
    else:
        sentences.append(_summary(marks))
    return " ".join(sentences)


def side_words(mark: Mark) -> str:
    """Say on which side a mark stands."""
    return _SIDES[mark.sides[0]] if mark.is_side_known else "on a side that is not known"


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


def _mark_sentence(mark: Mark, curves: Mapping[str, Curve], measure: str) -> str:
    design = "the same people in both arms" if mark.is_paired else "two groups"
    chance = "" if mark.is_randomised else ", not or not said to be randomised"
    return (
        f"{mark.name} ({mark.p_words}, {mark.people:.0f} people, {design}{chance}): "
        f"{side_words(mark)}{between_curves(mark, curves, measure)}."
    )


def _summary(marks: Sequence[Mark]) -> str:
    sides = [mark.sides[0] if mark.is_side_known else 0 for mark in marks for _ in mark.results]
    parts = [
        agree(sides.count(side), f"lies {words}", f"lie {words}") for side, words in _SIDES.items()
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


_ROOM = 15.0
_WIDE_ROOM = 34.0
_HEIGHT = 9.0
_HALF = 13.0


def legend_groups(marks: Sequence[Mark]) -> list[tuple[str, list[Entry]]]:
    """Explain the kinds of marks that occur, and no others."""
    points = [mark for mark in marks if mark.is_point]
    ranges = [mark for mark in marks if not mark.is_point]
    kinds = (
        ("o", True, "two groups"),
        ("D", True, "same people in both arms"),
        ("o", False, "two groups, not (or not said to be) randomised"),
        ("D", False, "same people, not (or not said to be) randomised"),
    )
    occurring = {(marker_of(mark), mark.is_randomised) for mark in points}
    entries = [
        Entry(words, partial(_draw_point_albatross_key, marker, is_solid), _ROOM, _HEIGHT)
        for marker, is_solid, words in kinds
        if (marker, is_solid) in occurring
    ]
    bars = []
    if any(mark.low > 0 for mark in ranges):
        bars.append(Entry("p known only as a range", partial(_draw_bar, 0), _WIDE_ROOM, _HEIGHT))
    if any(mark.low == 0 for mark in ranges):
        words = "arrow: p smaller than at the stroke"
        bars.append(Entry(words, partial(_draw_bar, 1), _WIDE_ROOM, _HEIGHT))
    if any(not mark.is_side_known for mark in marks):
        bars.append(
            Entry("paler, on both sides: side not known", _draw_joint, _WIDE_ROOM, _HEIGHT)
        )
    return [("Points", entries), ("Bars", bars)]


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
    lines.append("The side is that of the point estimate. The plot pools nothing.")
    return lines


def _draw_point_albatross_key(
    marker: str, is_solid: bool, sheet: Sheet, x: float, y: float, gid: str
) -> None:
    sheet.page.plot(
        [x],
        [y],
        marker=marker,
        markersize=POINT_SIZE if marker == "o" else POINT_SIZE - 1,
        markerfacecolor=style.INK if is_solid else style.PAPER,
        markeredgecolor=style.INK,
        markeredgewidth=1.3,
        linestyle="none",
        gid=gid,
    )


def _draw_bar(arrows: int, sheet: Sheet, x: float, y: float, gid: str) -> None:
    """Draw a range with a stroke at its known end, or at both."""
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=style.RULE,
        linewidth=3.2,
        solid_capstyle="butt",
        gid=gid,
    )
    strokes = [x - _HALF] if arrows else [x - _HALF, x + _HALF]
    for stroke in strokes:
        sheet.page.plot([stroke, stroke], [y - 4, y + 4], color=style.INK, linewidth=1.2)
    if arrows:
        sheet.page.plot([x + _HALF], [y], marker=">", markersize=5.0, color=style.INK)


def _draw_joint(sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=style.SINGLE_ARM,
        linewidth=0.9,
        linestyle=(0, (1, 2)),
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
_GROWTH = 1.25
_TICK_ROOM = 34.0
_TICK_SPACE = 15.0
_WORD_GAP = 6.0
# More names than this are numbers with a key: names would cover the curves.
_MOST_NAMES = 6
_NAME_WIDTH = 120.0
_SMALL = style.SMALL_SIZE
_LEFT_WORDS = "\N{LEFTWARDS ARROW} favours comparator"
_RIGHT_WORDS = "favours LDN \N{RIGHTWARDS ARROW}"


def albatross_plot(
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    title: str | None = None,
) -> tuple[Figure, Axes]:
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
    with style.settings():
        if not marks:
            page = words_only([NOTHING_TO_PLACE, *_beside(unplaced)], title)
            return page.figure, page.page
        width = _TICK_ROOM + _PLOT_WIDTH
        heading = Heading(title, width)
        top = heading.bottom + text_height(_Y_LABEL, _SMALL) + 4
        plan = _plan(marks, curves, top)
        scale = plan.scale
        legend = Legend(legend_groups(marks), width)
        called = plan.texts if plan.key else [mark.name for mark in marks]
        lines = [plan.key, *notes(marks, called, curves, measure), *_beside(unplaced)]
        small_print = Notes(lines, width)
        words_top = scale.bottom + _TICK_SPACE
        label_top = words_top + text_height(_LEFT_WORDS) + 2
        legend_top = label_top + text_height(X_LABEL) + 8
        notes_top = legend_top + legend.height + 5
        page_height = notes_top + small_print.height + style.MARGIN
        # Half a label may stand out to the right of the last tick.
        sheet = Sheet(scale.right + 2 * style.MARGIN, page_height)
        heading.write(sheet)
        sheet.write(
            style.MARGIN, top - 4, _Y_LABEL, valign="bottom", size=_SMALL, gid="people-label"
        )
        axes = draw_frame(sheet, scale)
        draw_curves(axes, scale, curves, plan.curve_names)
        for index, mark in enumerate(marks):
            draw_mark(axes, scale, mark, f"mark-{index}")
            draw_name(
                axes,
                scale,
                plan.texts[index],
                plan.boxes[index],
                plan.wanted[index],
                f"name-{index}",
            )
        _write_words(sheet, scale, words_top, label_top)
        legend.draw(sheet, legend_top)
        small_print.write(sheet, notes_top)
    return sheet.figure, axes


def albatross_alt_text(
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    title: str | None = None,
) -> str:
    """Describe the albatross plot of the same arguments in plain words."""
    marks, unplaced = marks_of(direction_rows(directions))
    opening = f"Albatross plot{f': {title}' if title else ''}."
    words = describe(marks, _curves(contours), measure=measure) if marks else NOTHING_TO_PLACE
    return style.spoken(" ".join([opening, words, *_beside(unplaced)]))


def albatross_output(
    name: str,
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    title: str | None = None,
) -> FigureOutput:
    """Make the albatross plot ready to end a notebook cell."""
    figure, _ = albatross_plot(directions, contours=contours, measure=measure, title=title)
    words = albatross_alt_text(directions, contours=contours, measure=measure, title=title)
    return FigureOutput(figure, name, words)


def _curves(contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None) -> dict[str, Curve]:
    """Turn contours into lists of numbers, and refuse what cannot be drawn."""
    import numpy as np

    curves: dict[str, Curve] = {}
    for name, (p, people) in (contours or {}).items():
        ps, ns = np.asarray(p, dtype=float), np.asarray(people, dtype=float)
        if ps.ndim != 1 or ps.shape != ns.shape:
            message = (
                f"contours has shapes {ps.shape} and {ns.shape} for {name!r}: "
                "p and people need one shape (m,)"
            )
            raise ArgumentError(message)
        known = ~(np.isnan(ps) | np.isnan(ns))
        ps, ns = ps[known], ns[known]
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
    texts: list[str]
    wanted: list[Wanted]
    boxes: list[Box]
    key: str


def _plan(marks: Sequence[Mark], curves: Mapping[str, Curve], top: float) -> _Plan:
    """Place names; numbers with a key where names do not fit; a higher plot where neither do."""
    names = [wrap(mark.name, _NAME_WIDTH, _SMALL) for mark in marks]
    height = _PLOT_HEIGHT + _MORE_HEIGHT * max(0, len(marks) - _MOST_NAMES)
    if len(marks) <= _MOST_NAMES:
        plan = _attempt(marks, curves, names, top, height, key="")
        if plan:
            return plan
    numbers = [str(index + 1) for index in range(len(marks))]
    key = "; ".join(
        f"{number}{style.NO_BREAK}{mark.name}" for number, mark in zip(numbers, marks, strict=True)
    )
    while True:
        plan = _attempt(marks, curves, numbers, top, height, key=f"{key}.")
        if plan:
            return plan
        height *= _GROWTH


def _attempt(
    marks: Sequence[Mark],
    curves: Mapping[str, Curve],
    texts: list[str],
    top: float,
    height: float,
    *,
    key: str,
) -> _Plan | None:
    left = style.MARGIN + _TICK_ROOM
    scale = choose_scale(marks, left=left, top=top, width=_PLOT_WIDTH, height=height)
    taken = [box for mark in marks for box in mark_boxes(scale, mark)]
    curve_names = curve_name_boxes(scale, curves, taken)
    wanted = [_wanted(scale, mark, text) for mark, text in zip(marks, texts, strict=True)]
    plot = Box(scale.left + 1, scale.top + 1, scale.right - 1, scale.bottom - 1)
    boxes = place_names(
        wanted,
        taken=list(curve_names.values()),
        avoided=line_boxes(scale, curves),
        inside=plot,
        is_far_allowed=bool(key),
    )
    return None if boxes is None else _Plan(scale, curve_names, texts, wanted, boxes, key)


def _wanted(scale: Scale, mark: Mark, text: str) -> Wanted:
    """Say what place a name wants: beside a point, above or below the middle of a range."""
    side = mark.sides[-1]
    if mark.is_point:
        x = scale.x(side * scale.distance(mark.p))
    elif mark.high == 1 and not mark.is_side_known:
        x = scale.x(0.0)
    else:
        x = scale.x(side * (scale.distance(mark.low) + scale.distance(mark.high)) / 2)
    return Wanted(
        x,
        scale.y(mark.people),
        POINT_SIZE / 2 + 1,
        text_width(text, _SMALL),
        text_height(text, _SMALL),
        tuple(mark_boxes(scale, mark)),
    )


def _write_words(sheet: Sheet, scale: Scale, words_top: float, label_top: float) -> None:
    middle = scale.x(0.0)
    sheet.write(
        middle - _WORD_GAP,
        words_top,
        _LEFT_WORDS,
        align="right",
        valign="top",
        gid="favours-low",
    )
    sheet.write(middle + _WORD_GAP, words_top, _RIGHT_WORDS, valign="top", gid="favours-high")
    sheet.write(middle, label_top, X_LABEL, align="center", valign="top", gid="x-label")


def _beside(unplaced: Sequence[str]) -> list[str]:
    """Name the results that have no place in the plot."""
    return [f"Not in the plot: {'; '.join(unplaced)}."] if unplaced else []
