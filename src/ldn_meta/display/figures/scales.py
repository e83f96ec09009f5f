"""From values and names to places: axes and their ticks, and where words stand beside marks.

Also how a value is printed, since a tick and a cell print it alike.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

from ldn_meta.display.figures.sheet import (
    INK,
    LINE_HEIGHT,
    MARGIN,
    NO_BREAK,
    PAPER,
    SMALL_SIZE,
    SOFT_INK,
    Sheet,
    line,
    line_width,
    number,
    steady,
    text_height,
    text_width,
    wrap,
)
from ldn_meta.display.words import capitalised
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import Pool
from ldn_meta.stats.arrays import (
    DOUBLE_ARCSINE,
    LOG,
    MEASURES,
    PLAIN,
    EffectSize,
    Measure,
    PoolRecord,
    back,
)
from ldn_meta.stats.pool import pool
from ldn_meta.stats.regression import RegressionResult, SubgroupResult
from ldn_meta.stats.small_study import TrimAndFill

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ldn_meta.stats.arrays import FloatArray


LEFT, RIGHT = "\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}"
UP, DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
# From an axis to the words below its ticks.
TICK_SPACE = 15.0
# An interval that reaches further than this many typical half-widths beyond all estimates is
# cut with an arrow: otherwise one tiny trial would press all others into a line.
_REACH = 2.5
_PADDING = 0.04
_MOST_TICKS = 7
_LABEL_GAP = 7.0
_DECADES = (20, 10, 5, 4, 3, 2, 1)


@dataclass(frozen=True)
class Interval:
    """An estimate and its limits on the scale of analysis (logarithms for ratios)."""

    estimate: float
    low: float
    high: float

    @property
    def is_complete(self) -> bool:
        """Estimate and both limits are numbers."""
        return all(math.isfinite(value) for value in (self.estimate, self.low, self.high))


def known_pairs(
    name: str, pair: tuple[ArrayLike, ArrayLike], what: str
) -> tuple[FloatArray, FloatArray]:
    """Read points given as two arrays of one length, without those that are not known."""
    import numpy as np

    one, other = (np.asarray(values, dtype=float) for values in pair)
    if one.ndim != 1 or one.shape != other.shape:
        message = f"{name} has shapes {one.shape} and {other.shape}: {what} need one shape (m,)"
        raise ArgumentError(message)
    known = np.isfinite(one) & np.isfinite(other)
    return one[known], other[known]


def checked_limits(
    limits: object,
    *,
    holds: Sequence[tuple[str, float]] = (("no effect", 0.0),),
    held: str = "no effect",
    most: float = math.inf,
) -> tuple[float, float]:
    """Return the ends of an axis that were asked for, or refuse them.

    ``holds`` are the values, by name, that must be between them, ``held`` names them in short;
    ``most`` is the largest size of an end.
    """
    try:
        low, high = (float(end) for end in limits)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        low = high = math.nan
    is_range = low < high and max(-low, high) <= most and math.isfinite(high - low)
    outside = [f"{name} at {value:g}" for name, value in holds if not low <= value <= high]
    if not is_range or outside:
        wrong = f"leaves out {', '.join(outside)}" if outside and low < high else "is no range"
        message = (
            f"limits={limits!r} {wrong}; allowed: finite limits, the lower first, that hold {held}"
        )
        raise ArgumentError(message)
    return low, high


def axis_limits(
    needed: Sequence[Interval],
    wished: Sequence[Interval],
    *,
    reference: float | None,
) -> tuple[float, float]:
    """Choose the shown range on the scale of analysis."""
    inside = [
        *([] if reference is None else [reference]),
        *(row.estimate for row in needed if math.isfinite(row.estimate)),
    ]
    complete = [row for row in (*needed, *wished) if row.is_complete]
    half_widths = [(row.high - row.low) / 2 for row in complete]
    span = max(inside) - min(inside)
    reach = max(_REACH * median(half_widths), span / 2) if half_widths else (span / 2 or 1.0)
    ends = [*inside, *(end for row in complete for end in (row.low, row.high))]
    low = max(min(ends), min(inside) - reach)
    high = min(max(ends), max(inside) + reach)
    if low == high:
        low, high = low - 1, high + 1
    pad = _PADDING * (high - low)
    return low - pad, high + pad


def linear_ticks(low: float, high: float, width: float) -> list[tuple[float, str]]:
    """Choose round values and their labels so that no two labels touch in ``width`` points."""
    exponent = math.floor(math.log10(high - low)) + 1
    best: list[tuple[float, str]] = []
    for power in range(exponent, exponent - 4, -1):
        for step in (5 * 10.0**power, 2 * 10.0**power, 10.0**power):
            ticks = _multiples(low, high, step)
            if not _fits(ticks, [(value - low) / (high - low) for value, _ in ticks], width):
                return best or ticks
            best = ticks
    return best


def ratio_ticks(low: float, high: float, width: float) -> list[tuple[float, str]]:
    """Choose ratios, 1 among them, for a logarithmic axis."""
    best: list[tuple[float, str]] = []
    for values in _ratio_ladders(low, high):
        shown = [value for value in values if low <= math.log(value) <= high]
        ticks = [(value, f"{value:g}") for value in shown]
        places = [(math.log(value) - low) / (high - low) for value in shown]
        if len(ticks) > len(best) and _fits(ticks, places, width):
            best = ticks
    return best or [(1.0, "1")]


def _ratio_ladders(low: float, high: float) -> list[list[float]]:
    """List sets of candidate ticks from coarse to fine; all but the last keep even meaning."""
    decades = range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1)
    # Written as text first: 10 ** n is not the nearest float for every n.
    ladders = [[float(f"1e{n}") for n in decades if n % every == 0] for every in _DECADES]
    ladders += [
        [float(f"{digit}e{n}") for n in decades for digit in digits]
        for digits in ((1, 2, 5), (1, 1.5, 2, 3, 5, 7))
    ]
    if high - low < math.log(4):
        ladders += [
            [round(n * step, 12) for n in range(1, math.ceil(math.exp(high) / step) + 1)]
            for step in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
        ]
    return ladders


def _multiples(low: float, high: float, step: float) -> list[tuple[float, str]]:
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [round(n * step, 12) for n in range(first, last + 1)]
    return [(value, number(value, digits)) for value in values]


def _fits(ticks: Sequence[tuple[float, str]], places: Sequence[float], width: float) -> bool:
    """Say whether the labels, centred on places between 0 and 1, stay apart."""
    if len(ticks) > _MOST_TICKS:
        return False
    halves = [line_width(label, SMALL_SIZE) / 2 for _, label in ticks]
    pairs = pairwise(zip(places, halves, strict=True))
    return all(
        (right - left) * width >= half_left + half_right + _LABEL_GAP
        for (left, half_left), (right, half_right) in pairs
    )


@dataclass(frozen=True)
class UprightScale:
    """Where values stand, in points from the top of the page."""

    top: float
    height: float
    low: float
    high: float
    is_log: bool = False

    @property
    def bottom(self) -> float:
        """Lower edge of the plot."""
        return self.top + self.height

    def y(self, value: float) -> float:
        """Place of a value, at the edge of the plot if it lies beyond; NaN stays NaN."""
        if math.isnan(value):
            return math.nan
        inside = min(max(value, self.low), self.high)
        return steady(self.bottom - (inside - self.low) / (self.high - self.low) * self.height)

    def holds(self, value: float) -> bool:
        """Whether a value is on the scale."""
        return self.low <= value <= self.high

    def ticks(self) -> list[tuple[float, str]]:
        """Values to print along the scale, with their labels."""
        if not self.is_log:
            return linear_ticks(self.low, self.high, self.height)
        ticks = ratio_ticks(self.low, self.high, self.height)
        return [(math.log(ratio), label) for ratio, label in ticks]


# From here on a ratio is printed in powers of ten.
LONGEST_RATIO = 1e5
SMALLEST_RATIO, LARGEST_RATIO = sys.float_info.min, sys.float_info.max
# Ratios beyond 5e21 are typing errors; without a bound they would overflow an axis.
LARGEST_LOG = 50.0


@dataclass(frozen=True)
class Scale:
    """The shown part of the scale of analysis; ratios are drawn as ratios on a log axis."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[tuple[float, str], ...]

    @classmethod
    def between(cls, low: float, high: float, width: float, *, is_log: bool) -> Scale:
        """Choose the ticks of an axis from ``low`` to ``high`` that is ``width`` points wide."""
        return cls(
            low, high, is_log, tuple((ratio_ticks if is_log else linear_ticks)(low, high, width))
        )

    @property
    def ends(self) -> tuple[float, float]:
        """Coordinates of both ends."""
        return self.place(self.low), self.place(self.high)

    def place(self, value: float) -> float:
        """Turn a value of the analysis into a coordinate of the axis, cut at its ends."""
        inside = min(max(value, self.low), self.high)
        return math.exp(inside) if self.is_log else inside

    def holds(self, value: float) -> bool:
        """Say whether a value is on the axis."""
        return self.low <= value <= self.high

    @property
    def no_effect(self) -> float:
        """Share of the axis, from the left, at which no effect lies."""
        return -self.low / (self.high - self.low)


@dataclass(frozen=True)
class EffectFormat:
    """How a value on the scale of analysis is printed: ratios leave the logarithm here."""

    digits: int
    is_log: bool
    scale: str = PLAIN

    def span(self, estimate: float, low: float, high: float) -> Interval:
        """Make an interval as it is drawn: shares and correlations leave their scale here."""
        ends = (back(value, self.scale) for value in (estimate, low, high))
        return Interval(*(steady(end) for end in ends))

    def axis_name(self, words: str) -> str:
        """Name an axis of such values."""
        return f"{words}{' (log axis)' if self.is_log else ''}"

    @property
    def no_effect(self) -> str:
        """The value that means no effect."""
        return "1" if self.is_log else "0"

    def number(self, value: float) -> str:
        """Print one value; no ratio is printed as 0, or with digits nobody reads."""
        shown = self._shown(value)
        if self.is_log and math.isinf(shown):
            return f"above {LARGEST_RATIO:.1e}"
        if self.is_log and shown < SMALLEST_RATIO:
            return f"below {SMALLEST_RATIO:.1e}"
        if self.is_log and not 0.5 * 10**-self.digits <= shown < LONGEST_RATIO:
            return "not defined" if math.isnan(shown) else f"{shown:.2g}"
        return number(shown, self.digits)

    def interval(self, low: float, high: float) -> str:
        """Print limits in brackets."""
        return f"({self.number(low)} to {self.number(high)})"

    def effect(self, span: Interval) -> str:
        """Print an estimate with its limits, or say what is missing."""
        if math.isnan(span.estimate):
            return "not estimable"
        if not span.is_complete:
            return f"{self.number(span.estimate)} (interval NR)"
        return f"{self.number(span.estimate)} {self.interval(span.low, span.high)}"

    def sides(self, direction: tuple[str, str]) -> str:
        """Say what values on either side of no effect mean."""
        return (
            f"Values below {self.no_effect}: {direction[0]}; "
            f"values above {self.no_effect}: {direction[1]}."
        )

    def _shown(self, value: float) -> float:
        if not self.is_log:
            return value
        try:
            return math.exp(value)
        except OverflowError:
            return math.inf


# Few enough to read, enough for a rate of one in a hundred thousand.
_FEWEST_DIGITS, _ENOUGH_DIGITS = 2, 6


def format_of(
    result: PoolRecord | None, digits: int | None, log_scale: bool | None = None
) -> tuple[EffectFormat, Measure]:
    """Say how effects of a result are drawn, and how they are called then: the measure decides.

    `log_scale` overrules it: False leaves logarithms as they are, and calls them so. Without
    `digits` there are two, or as many as part the estimate from the ends of its interval.
    """
    measure = MEASURES["" if result is None else result.measure]
    is_log = measure.scale == LOG if log_scale is None else log_scale
    # Without numbers of people a double arcsine stays one.
    stays = measure.scale == DOUBLE_ARCSINE or (measure.scale == LOG and not is_log)
    scale = PLAIN if is_log or stays or measure.scale == LOG else measure.scale
    words = capitalised(measure.analysed if stays else measure.words)
    print_as = EffectFormat(_FEWEST_DIGITS if digits is None else digits, is_log, scale)
    if digits is None and result is not None and not result.is_batch:
        span = print_as.span(result.estimate, result.ci_low, result.ci_high)
        for places in range(_FEWEST_DIGITS, _ENOUGH_DIGITS + 1):
            finer = replace(print_as, digits=places)
            ends = {finer.number(end) for end in (span.low, span.estimate, span.high)}
            if len(ends) == len(astuple(span)):
                print_as = finer
                break
    return print_as, measure._replace(words=words)


def shown_limits(limits: object, print_as: EffectFormat) -> tuple[float, float] | None:
    """Return ends of an axis as they are drawn: they come on the scale of ``yi``."""
    if limits is None or print_as.scale == PLAIN:
        return limits  # type: ignore[return-value]
    low, high = (back(end, print_as.scale) for end in checked_limits(limits, holds=()))
    return float(low), float(high)


def pool_of(given: Any) -> Any:
    """Return the record of the pool that an answer to a question rests on, where one is given."""
    if not hasattr(given, "columns"):
        given = getattr(given, "pool", given)
    return given.result if isinstance(given, Pool) else given


def result_of(
    given: Any, vi: Any = None, *, data: Any = None, labels: Any = None, measure: str = ""
) -> PoolRecord | SubgroupResult | None:
    """Return a result as it is; pool a frame with yi and vi, or yi and vi themselves."""
    given = pool_of(given)
    if isinstance(given, TrimAndFill):
        return given.filled
    if given is None or isinstance(given, PoolRecord | SubgroupResult):
        return given
    if isinstance(given, RegressionResult):
        message = "a regression has an effect for each covariate; allowed: bubble_plot(result)"
        raise ArgumentError(f"{message}, or the result of a pool")
    if isinstance(given, EffectSize) and vi is None:
        given, vi = given
    if vi is None and hasattr(given, "columns"):
        data, given = given, "yi"
    if isinstance(given, str) and vi is None:
        vi = "vi"
    if vi is None:
        message = (
            f"{type(given).__name__} without vi cannot be drawn; allowed: a result of a pool, a "
            "data frame with yi and vi, or yi and vi"
        )
        raise ArgumentError(message)
    return pool(given, vi, data=data, labels=labels, measure=measure)


def draw_upright(
    sheet: Sheet,
    axes: Axes,
    place: Callable[[float], float],
    left: float,
    *,
    ticks: Sequence[tuple[float, str]],
    gid: str = "y-tick",
) -> None:
    """Draw the line of an upright scale at ``left`` points; ``place`` says where its ticks are."""
    axes.spines["left"].set_visible(True)
    for index, (value, label) in enumerate(ticks):
        y = place(value)
        line(sheet.page, [left - 3.0, left], [y, y], INK, 0.8)
        sheet.small(left - 5.0, y, label, align="right", gid=f"{gid}-{index}")


def write_ends(
    sheet: Sheet,
    scale: UprightScale,
    right: float,
    width: float,
    *,
    direction: tuple[str, str],
    name: str,
    name_width: float | None = None,
) -> None:
    """Write left of an upright scale what its ends mean, and its name between them."""
    for y, text, room, valign, gid in (
        (scale.top, f"{UP} {direction[1]}", width, "top", "favours-high"),
        ((scale.bottom + scale.top) / 2, name, name_width or width, "center", "y-label"),
        (scale.bottom, f"{DOWN} {direction[0]}", width, "bottom", "favours-low"),
    ):
        text = wrap(text, room, SMALL_SIZE)
        sheet.small(right, y, text, align="right", valign=valign, gid=gid)


class Under:
    """What stands under an axis: words on either side of no effect, then the name of the axis."""

    def __init__(
        self,
        bottom: float,
        *,
        left: float,
        width: float,
        right: float,
        no_effect: float,
        direction: tuple[str, str],
        label: str,
        gap: float = 5.0,
    ) -> None:
        part = left + width * no_effect
        low, high = direction
        rooms = ((f"{LEFT} {low}", part - MARGIN), (f"{high} {RIGHT}", right - part))
        widest = ((max(map(line_width, words.split())), room - gap) for words, room in rooms)
        if any(needed > room for needed, room in widest):
            # Too near an end for its words: they share the page.
            part = (MARGIN + right) / 2
        self._ends = (part - gap, part + gap)
        self._low = wrap(f"{LEFT} {low}", part - gap - MARGIN) if low else ""
        self._high = wrap(f"{high} {RIGHT}", right - part - gap) if high else ""
        self._label = wrap(label, width) if label else ""
        self._middle = left + width / 2
        self._top = bottom + TICK_SPACE
        heights = [text_height(text) for text in (self._low, self._high) if text]
        self._label_top = self._top + max(heights, default=0.0) + 2.0
        self.bottom = self._label_top + (text_height(self._label) if self._label else 0.0) + 8

    def write(self, sheet: Sheet) -> None:
        """Write the words."""
        low, high = self._ends
        sheet.write(low, self._top, self._low, align="right", valign="top", gid="favours-low")
        sheet.write(high, self._top, self._high, valign="top", gid="favours-high")
        sheet.write(
            self._middle, self._label_top, self._label, align="center", valign="top", gid="x-label"
        )


# Tried from near to far; further away, a name is joined to its mark by a line.
_NEAR = (2.5, 6.0)
JOINED_FROM = 9.0
_FAR = (11.0, 17.0, 24.0, 32.0, 42.0, 54.0, 68.0)
# Right first, as one reads; then left, above, below, and between.
_WAYS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
_CLEARANCE = 1.0
_SLACK = 0.01


@dataclass(frozen=True)
class Box:
    """A rectangle in points, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def gap(self, other: Box) -> float:
        """Distance between the two; 0 where they touch or overlap."""
        across = max(self.left - other.right, other.left - self.right, 0.0)
        down = max(self.top - other.bottom, other.top - self.bottom, 0.0)
        return math.hypot(across, down)

    def meets(self, other: Box) -> bool:
        """Whether the two overlap, or come closer than a hair."""
        return (
            self.left < other.right + _CLEARANCE
            and other.left < self.right + _CLEARANCE
            and self.top < other.bottom + _CLEARANCE
            and other.top < self.bottom + _CLEARANCE
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Point of the rectangle that is nearest to a point."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)

    def inset(self, air: float) -> Box:
        """Make the rectangle inside that leaves some air."""
        return Box(self.left + air, self.top + air, self.right - air, self.bottom - air)

    @property
    def middle(self) -> tuple[float, float]:
        """Centre of the rectangle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Wanted:
    """A name of known size, and the mark it belongs to."""

    x: float
    y: float
    radius: float
    width: float
    height: float
    mark: tuple[Box, ...]


def around(x: float, y: float, width: float, height: float) -> Box:
    """Make a rectangle of a given size about a point."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def place_names(
    wanted: Sequence[Wanted],
    *,
    taken: Sequence[Box],
    avoided: Sequence[Box],
    inside: Box,
    is_far_allowed: bool,
) -> list[Box] | None:
    """Find a free place for every name.

    A name beside a mark is nearer to it than to any other, so nobody reads it as another's;
    where this cannot be, the name stands apart and a line leads to it. Names of marks in a
    crowd are placed first, while there is room.
    """
    marks = [box for name in wanted for box in name.mark]
    occupied = [*taken, *marks]
    places: dict[int, Box] = {}
    for index in sorted(range(len(wanted)), key=lambda i: _solitude(wanted, i)):
        name = wanted[index]
        beside = [box for box in _around_mark(name, _NEAR) if _is_own(box, name, marks)]
        free = [*occupied, *avoided]
        box = _first(beside, free, inside) or _first(beside, occupied, inside)
        if box is None:
            apart = list(_around_mark(name, _FAR))
            clear = [box for box in apart if not _joint_meets(box, name, places.values())]
            box = (
                _first(clear, free, inside)
                or _first(clear, occupied, inside)
                or _first(apart, occupied, inside)
            )
        if box is None and is_far_allowed:
            box = _first(_anywhere(name, inside), occupied, inside)
        if box is None:
            return None
        places[index] = box
        occupied += [box, *_joint(box, name)]
    return [places[index] for index in range(len(wanted))]


def is_joined(box: Box, x: float, y: float, radius: float) -> bool:
    """Say whether a name stands so far from its mark that a line must lead to it."""
    return box.gap(Box(x, y, x, y)) >= radius + JOINED_FROM


def _joint(box: Box, name: Wanted) -> list[Box]:
    """Cover the line that leads from a mark to its name, if there is one."""
    if not is_joined(box, name.x, name.y, name.radius):
        return []
    return along([(name.x, name.y), box.nearest(name.x, name.y)])


def _joint_meets(box: Box, name: Wanted, others: Collection[Box]) -> bool:
    """Say whether the line to a name would run through another's letters."""
    return any(part.meets(other) for part in _joint(box, name) for other in others)


def _is_own(box: Box, name: Wanted, marks: Sequence[Box]) -> bool:
    own = min(box.gap(part) for part in name.mark)
    return all(own <= box.gap(mark) + _SLACK for mark in marks)


def _around_mark(name: Wanted, distances: Sequence[float]) -> Iterator[Box]:
    """Places around the mark, from near to far."""
    for distance in distances:
        for right, down in _WAYS:
            x = name.x + right * (name.radius + distance + name.width / 2)
            y = name.y + down * (name.radius + distance + name.height / 2)
            yield around(x, y, name.width, name.height)


def _anywhere(name: Wanted, inside: Box) -> list[Box]:
    """Places all over the plot, from near to far."""
    across = int((inside.right - inside.left) // name.width)
    down = int((inside.bottom - inside.top) // name.height)
    middles = [
        (inside.left + (i + 0.5) * name.width, inside.top + (j + 0.5) * name.height)
        for i in range(across)
        for j in range(down)
    ]
    middles.sort(key=lambda at: math.hypot(at[0] - name.x, at[1] - name.y))
    return [around(x, y, name.width, name.height) for x, y in middles]


def _first(places: Iterable[Box], occupied: Sequence[Box], inside: Box) -> Box | None:
    for box in places:
        if inside.holds(box) and not any(box.meets(other) for other in occupied):
            return box
    return None


def _solitude(wanted: Sequence[Wanted], index: int) -> float:
    """Distance to the nearest other mark; the lonely ones can wait."""
    here = wanted[index]
    others = (
        math.hypot(other.x - here.x, other.y - here.y)
        for number, other in enumerate(wanted)
        if number != index
    )
    return min(others, default=math.inf)


def spread(
    wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float
) -> list[float]:
    """Move the middles of words in one column apart, each as little as can be.

    Words that would lie on each other form a block about the mean of where they would stand;
    blocks that then meet join.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    # A block: its members, the sum of where each would have its top begin, its height.
    blocks: list[tuple[list[int], float, float]] = []

    def begin(block: tuple[list[int], float, float]) -> float:
        members, tops, height = block
        return max(min(tops / len(members), bottom - height), top)

    for index in order:
        block = ([index], wanted[index] - heights[index] / 2, heights[index])
        while blocks and begin(blocks[-1]) + blocks[-1][2] > begin(block):
            members, tops, height = blocks.pop()
            block = (
                [*members, *block[0]],
                tops + block[1] - height * len(block[0]),
                height + block[2],
            )
        blocks.append(block)
    middles = [0.0] * len(wanted)
    for block in blocks:
        y = begin(block)
        for index in block[0]:
            middles[index] = y + heights[index] / 2
            y += heights[index]
    return middles


_GROWTH = 1.25
_NAME_WIDTH = 120.0
Plan = TypeVar("Plan")


def fit_names(
    names: Sequence[str],
    most: int,
    attempt: Callable[[list[str], float, bool], Plan | None],
) -> tuple[Plan, list[str], str]:
    """Place names; numbers with a key where names do not fit; a higher plot where neither do.

    ``attempt`` gets the texts, how many times higher the plot is, and whether they may stand far
    from their marks. Returned are what it made, the texts, and the key.
    """
    texts = [wrap(name, _NAME_WIDTH, SMALL_SIZE) for name in names]
    plan = attempt(texts, 1.0, False) if len(names) <= most else None
    if plan is not None:
        return plan, texts, ""
    texts = [str(number) for number in range(1, len(names) + 1)]
    pairs = zip(texts, names, strict=True)
    key = "; ".join(f"{number}{NO_BREAK}{name}" for number, name in pairs)
    growth = 1.0
    while (plan := attempt(texts, growth, True)) is None:
        growth *= _GROWTH
    return plan, texts, f"{key}."


def wanted_at(x: float, y: float, text: str, *, radius: float, mark: Sequence[Box]) -> Wanted:
    """Say how much room a name needs beside its mark."""
    return Wanted(
        x, y, radius, text_width(text, SMALL_SIZE), text_height(text, SMALL_SIZE), tuple(mark)
    )


def write_names(
    axes: Axes,
    place: Callable[[float], float],
    texts: Sequence[str],
    boxes: Sequence[Box],
    wanted: Sequence[Wanted],
    *,
    above: float,
) -> None:
    """Write names at their places, each joined to its mark if it stands apart.

    ``place`` turns points from the left of the page into a value of the axis; ``above`` is the
    zorder of what a joint covers.
    """
    for index, (text, box, mark) in enumerate(zip(texts, boxes, wanted, strict=True)):
        gid = f"name-{index}"
        if is_joined(box, mark.x, mark.y, mark.radius):
            near_x, near_y = box.nearest(mark.x, mark.y)
            xs, ys = [place(mark.x), place(near_x)], [mark.y, near_y]
            line(axes, xs, ys, SOFT_INK, 0.5, gid=f"{gid}-joint", zorder=above)
        write_in_box(axes, place, text, box, colour=INK, gid=gid, zorder=above + 2.5)


def write_in_box(
    axes: Axes,
    place: Callable[[float], float],
    text: str,
    box: Box,
    *,
    colour: str,
    gid: str,
    zorder: float,
) -> None:
    """Write a text into its box: lines may run behind it, not through its letters."""
    from matplotlib.patheffects import withStroke

    x, y = box.middle
    axes.text(
        place(x),
        y,
        text,
        horizontalalignment="center",
        verticalalignment="center",
        multialignment="center",
        fontsize=SMALL_SIZE,
        color=colour,
        linespacing=LINE_HEIGHT,
        path_effects=[withStroke(linewidth=2.0, foreground=PAPER)],
        zorder=zorder,
        gid=gid,
    )


def along(points: Sequence[tuple[float, float]]) -> list[Box]:
    """Cover a line by small rectangles, so that the room beside it stays free."""
    boxes = []
    for (x1, y1), (x2, y2) in pairwise(points):
        parts = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) // 8))
        ends = [(x1 + (x2 - x1) * i / parts, y1 + (y2 - y1) * i / parts) for i in range(parts + 1)]
        boxes += [
            Box(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(ends)
        ]
    return boxes
