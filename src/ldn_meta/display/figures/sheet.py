"""A page measured in points, with x to the right and y downwards from the top."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from ldn_meta.display.words import fixed
from ldn_meta.files import six_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text


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
        apart = list(_around_mark(name, _FAR))
        free = [*occupied, *avoided]
        box = (
            _first(beside, free, inside)
            or _first(beside, occupied, inside)
            or _first(apart, free, inside)
            or _first(apart, occupied, inside)
        )
        if box is None and is_far_allowed:
            box = _first(_anywhere(name, inside), occupied, inside)
        if box is None:
            return None
        places[index] = box
        occupied.append(box)
    return [places[index] for index in range(len(wanted))]


def is_joined(box: Box, x: float, y: float, radius: float) -> bool:
    """Say whether a name stands so far from its mark that a line must lead to it."""
    return box.gap(Box(x, y, x, y)) >= radius + JOINED_FROM


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


# Okabe & Ito's palette, told apart with any colour vision; the two arms also differ in
# lightness, and every meaning that is carried by colour is carried by a shape or a letter too.
TREATMENT = "#0072b2"
COMPARATOR = "#d98a00"
SINGLE_ARM = "#5c5c5c"
POOLED = "#123b63"
PREDICTION = "#b5482a"
INK = "#111111"
SOFT_INK = "#555555"
RULE = "#9a9a9a"
BAND = "#f2f4f7"
PAPER = "#ffffff"

# Sizes are points (1/72 inch). 8.5 pt at 110 dots an inch is 13 pixels: the size of body text.
TEXT_SIZE = 8.5
SMALL_SIZE = 7.5
TITLE_SIZE = 10.5
LINE_HEIGHT = 1.25
MARGIN = 10.0
COLUMN_GAP = 12.0
DOTS_PER_INCH = 110

MINUS = "\N{MINUS SIGN}"
_MINUS_BEFORE_NUMBER = re.compile(r"(?<![0-9A-Za-z])-(?=\.?[0-9])")
NO_BREAK = "\N{NO-BREAK SPACE}"

# Everything a drawing or a saved file takes from matplotlib's settings, so that neither a
# reader's matplotlibrc nor a notebook's inline backend can change a committed figure.
_SETTING_GROUPS = (
    "axes.",
    "figure.",
    "font.",
    "hatch.",
    "lines.",
    "mathtext.",
    "patch.",
    "path.",
    "savefig.",
    "svg.",
    "text.",
    "xtick.",
    "ytick.",
)
_SETTINGS: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_SIZE,
    "text.color": INK,
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "savefig.dpi": DOTS_PER_INCH,
    "savefig.bbox": None,
    "svg.fonttype": "path",
    "svg.hashsalt": "ldn-meta",
}


@contextmanager
def settings() -> Iterator[None]:
    """Draw or save under this project's settings whatever the session's own are."""
    import matplotlib as mpl

    defaults: dict[Any, Any] = {**mpl.rcParamsDefault}
    chosen = {key: defaults[key] for key in defaults if key.startswith(_SETTING_GROUPS)}
    with mpl.rc_context(chosen | _SETTINGS):
        yield


def number(value: float, digits: int) -> str:
    """Write a number as `wording.fixed` does, with a true minus sign."""
    return typeset(fixed(value, digits))


def interval(low: float, high: float, digits: int) -> str:
    """Write an interval as ``(low to high)``; "to", since a dash would look like a minus."""
    return f"({number(low, digits)} to {number(high, digits)})"


def count(value: float) -> str:
    """Write a whole number; NaN, which is "not reported" in the tables, as NR."""
    return "NR" if math.isnan(value) else f"{value:.0f}"


def steady(value: float | None) -> float:
    """Round what is drawn to six significant digits.

    More than any reader sees, less than two machines disagree in: committed images stay the
    same bytes wherever they are drawn.
    """
    return math.nan if value is None else six_digits(value)


def typeset(text: str) -> str:
    """Give the numbers in a text their true minus signs; "0-10" and "p-value" keep theirs."""
    return _MINUS_BEFORE_NUMBER.sub(MINUS, text)


def unbroken(text: str) -> str:
    """Keep the parts of a number together where a line breaks."""
    return text.replace(" ", NO_BREAK)


def spoken(text: str) -> str:
    """Turn figure text into plain ASCII for alternative text and for machine checks."""
    swaps = {
        MINUS: "-",
        NO_BREAK: " ",
        "\N{EN DASH}": "-",
        "\N{SUPERSCRIPT TWO}": "2",
        "\N{GREEK SMALL LETTER TAU}": "tau",
        "\N{INFINITY}": "infinity",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
    }
    for drawn, said in swaps.items():
        text = text.replace(drawn, said)
    return text


@lru_cache(maxsize=4096)
def line_width(text: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """Width of one line in points, from the outlines of the letters."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def text_width(text: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """Width in points of the widest line."""
    return max(line_width(line, size, weight) for line in text.split("\n"))


def text_height(text: str, size: float = TEXT_SIZE) -> float:
    """Height in points that the lines of a text take in this project's line spacing."""
    return size * LINE_HEIGHT * (text.count("\n") + 1)


def wrap(text: str, width: float, size: float = TEXT_SIZE, weight: str = "normal") -> str:
    """Break a text so that no line is wider than ``width`` points.

    Breaks at spaces, not at no-break spaces. A single word that is too wide is cut, since a
    figure may clip nothing.
    """
    return "\n".join(
        line for part in text.split("\n") for line in _wrap_line(part, width, size, weight)
    )


def _wrap_line(text: str, width: float, size: float, weight: str) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        if line_width(longer, size, weight) <= width:
            current = longer
            continue
        if current:
            lines.append(current)
        while line_width(word, size, weight) > width and len(word) > 1:
            keep = _fitting(word, width, size, weight)
            lines.append(word[:keep])
            word = word[keep:]
        current = word
    lines.append(current)
    return lines


def _fitting(word: str, width: float, size: float, weight: str) -> int:
    """Count the letters of a word that fit; at least one, or wrapping would never end."""
    keep = 1
    while line_width(word[: keep + 1], size, weight) <= width:
        keep += 1
    return keep


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


def axis_limits(
    needed: Sequence[Interval],
    wished: Sequence[Interval],
    *,
    reference: float,
) -> tuple[float, float]:
    """Choose the shown range on the scale of analysis."""
    inside = [reference, *(row.estimate for row in needed if math.isfinite(row.estimate))]
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


_HEAD_GAP = 8.0
_MARK_GAP = 4.0
_ENTRY_GAP = 15.0
_LINE_AIR = 4.0


@dataclass(frozen=True)
class Entry:
    """A mark and what it means."""

    words: str
    draw: Callable[[Sheet, float, float, str], None]
    width: float
    height: float


@dataclass(frozen=True)
class _Place:
    x: float
    line: int
    entry: Entry
    words: str


class Legend:
    """Groups of entries, each group with a bold head and on lines of its own."""

    def __init__(self, groups: Sequence[tuple[str, Sequence[Entry]]], width: float) -> None:
        shown = [(head, entries) for head, entries in groups if entries]
        heads = [line_width(head, SMALL_SIZE, "bold") for head, _ in shown]
        self._indent = MARGIN + max(heads, default=0.0) + _HEAD_GAP
        self._right = MARGIN + width
        self._heads: list[tuple[int, str]] = []
        self._places: list[_Place] = []
        self._heights: list[float] = []
        for head, entries in shown:
            self._heads.append((len(self._heights), head))
            self._flow(entries)
        self.height = sum(self._heights)

    def _flow(self, entries: Sequence[Entry]) -> None:
        x = self._indent
        self._heights.append(0.0)
        for entry in entries:
            words = wrap(entry.words, self._right - self._indent - entry.width, SMALL_SIZE)
            reach = entry.width + text_width(words, SMALL_SIZE)
            if x + reach > self._right and x > self._indent:
                x = self._indent
                self._heights.append(0.0)
            height = max(text_height(words, SMALL_SIZE), entry.height) + _LINE_AIR
            self._heights[-1] = max(self._heights[-1], height)
            self._places.append(_Place(x, len(self._heights) - 1, entry, words))
            x += reach + _ENTRY_GAP

    def draw(self, sheet: Sheet, top: float) -> None:
        """Draw the legend below ``top``."""
        middles = [
            top + sum(self._heights[:line]) + height / 2
            for line, height in enumerate(self._heights)
        ]
        for index, (line, head) in enumerate(self._heads):
            gid = f"legend-head-{index}"
            sheet.write(MARGIN, middles[line], head, size=SMALL_SIZE, weight="bold", gid=gid)
        for index, place in enumerate(self._places):
            y, gid = middles[place.line], f"legend-{index}"
            room = place.entry.width - _MARK_GAP
            place.entry.draw(sheet, place.x + room / 2, y, f"{gid}-mark")
            sheet.write(
                place.x + place.entry.width, y, place.words, size=SMALL_SIZE, gid=f"{gid}-words"
            )


_NOTE_GAP = 1.0
_TITLE_GAP = 6.0
# Where letters stand in a line of height 1.25, in font sizes from its top: capitals and
# digits are 0.73 high in DejaVu Sans, so this centres them.
_BASELINE = 0.98


class Sheet:
    """A figure whose every coordinate is a point (1/72 inch) from the top left corner.

    Text is measured in points before it is placed, so a layout in points is exact: columns
    are as wide as their widest cell, and the page is as large as its content.
    """

    def __init__(self, width: float, height: float) -> None:
        # Not by pyplot: no global list of figures, so nothing leaks or shows twice.

        self.width = width
        self.height = height
        self.figure: Figure = ShownFigure(figsize=(width / 72, height / 72), facecolor=PAPER)
        self.page: Axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.page.set_axis_off()
        self.page.set_xlim(0, width)
        self.page.set_ylim(height, 0)

    def plot(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add an axes whose y coordinate is still points from the top of the page."""
        axes = self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )
        axes.set_ylim(top + height, top)
        axes.set_facecolor("none")
        axes.yaxis.set_visible(False)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        return axes

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        align: str = "left",
        valign: str = "center",
        size: float = TEXT_SIZE,
        weight: str = "normal",
        colour: str = INK,
        rotation: float = 0,
        gid: str | None = None,
    ) -> Text | None:
        """Place a text at a point; an empty text places nothing.

        Lines stand on baselines computed from the line height, and not from the letters that
        happen to occur, so that neighbouring cells always stand level.
        """
        if not text:
            return None
        if rotation == 0:
            pitch = size * LINE_HEIGHT
            lines = text.count("\n") + 1
            above = {"top": 0.0, "center": lines * pitch / 2, "bottom": lines * pitch}[valign]
            y += (lines - 1) * pitch + _BASELINE * size - above
            valign = "baseline"
        return self.page.text(
            x,
            y,
            text,
            horizontalalignment=align,
            verticalalignment=valign,
            multialignment=align,
            fontsize=size,
            fontweight=weight,
            color=colour,
            rotation=rotation,
            linespacing=LINE_HEIGHT,
            gid=gid,
        )

    def rule(self, left: float, right: float, y: float, *, width: float = 0.8) -> None:
        """Draw a horizontal line across a table."""
        self.page.plot([left, right], [y, y], color=RULE, linewidth=width, solid_capstyle="butt")

    def band(self, left: float, right: float, top: float, bottom: float, colour: str) -> None:
        """Tint a block behind a row or a heading."""
        from matplotlib.patches import Rectangle

        self.page.add_patch(
            Rectangle(
                (left, top),
                right - left,
                bottom - top,
                facecolor=colour,
                edgecolor="none",
                zorder=0,
            )
        )


class Heading:
    """The bold line above a figure, broken to the width of its content; may be empty."""

    def __init__(self, text: str | None, width: float) -> None:
        self._text = wrap(text, width, TITLE_SIZE, "bold") if text else ""
        height = text_height(self._text, TITLE_SIZE) + _TITLE_GAP if self._text else 0.0
        self.bottom = MARGIN + height

    def write(self, sheet: Sheet) -> None:
        """Write the title at the top of the page."""
        sheet.write(
            MARGIN, MARGIN, self._text, valign="top", size=TITLE_SIZE, weight="bold", gid="title"
        )


class Notes:
    """Small print under a figure, broken to its width; empty lines are dropped."""

    def __init__(self, lines: Sequence[str], width: float) -> None:
        self._lines = [wrap(line, width, SMALL_SIZE) for line in lines if line]
        self.height = sum(text_height(line, SMALL_SIZE) + _NOTE_GAP for line in self._lines)

    def write(self, sheet: Sheet, top: float) -> None:
        """Write the lines below ``top``."""
        for index, line in enumerate(self._lines):
            sheet.write(
                MARGIN,
                top,
                line,
                valign="top",
                size=SMALL_SIZE,
                colour=SOFT_INK,
                gid=f"footer-{index}",
            )
            top += text_height(line, SMALL_SIZE) + _NOTE_GAP


def words_only(texts: Sequence[str], title: str | None) -> Sheet:
    """Make a page of words, for what a plot without any number would leave to be guessed."""
    width = 430.0
    heading = Heading(title, width)
    broken = [wrap(text, width) for text in texts]
    height = heading.bottom + sum(text_height(text) + 3 for text in broken)
    sheet = Sheet(width + 2 * MARGIN, height + MARGIN)
    heading.write(sheet)
    top = heading.bottom
    for index, text in enumerate(broken):
        sheet.write(MARGIN, top, text, valign="top", gid=f"words-{index}")
        top += text_height(text) + 3
    return sheet


class ShownFigure(Figure):
    """A matplotlib figure that Jupyter asks for its picture.

    pyplot tells Jupyter how to show figures, and then shows those it knows once more at the end
    of the cell. This one is not known to pyplot.
    """

    def _repr_png_(self) -> bytes:
        return png_of(self)


def png_of(figure: Figure) -> bytes:
    """Return a figure as PNG, 110 dots an inch; the bytes depend on the drawing alone."""
    page = io.BytesIO()
    with settings():
        figure.savefig(page, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return page.getvalue()


_TICK = 3.0
_TICK_GAP = 5.0
_WORD_GAP = 11.0


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


def draw_upright(
    sheet: Sheet,
    axes: Axes,
    scale: UprightScale,
    left: float,
    *,
    ticks: Sequence[tuple[float, str]] | None = None,
    gid: str = "y-tick",
) -> None:
    """Draw the line of a scale at ``left`` points, with its ticks (its own, if not given)."""
    axes.spines["left"].set_visible(True)
    for index, (value, label) in enumerate(scale.ticks() if ticks is None else ticks):
        y = scale.y(value)
        sheet.page.plot([left - _TICK, left], [y, y], color=INK, linewidth=0.8)
        sheet.write(
            left - _TICK_GAP, y, label, align="right", size=SMALL_SIZE, gid=f"{gid}-{index}"
        )


def write_beside(
    sheet: Sheet,
    edge: float,
    words: Sequence[tuple[float, float, str]],
    *,
    gid: str,
) -> None:
    """Write words to the right of a plot, each joined to its height."""
    for index, (at, middle, text) in enumerate(words):
        sheet.page.plot(
            [edge + 1.5, edge + _WORD_GAP - 2],
            [at, middle],
            color=RULE,
            linewidth=0.6,
            gid=f"{gid}-{index}-joint",
        )
        sheet.write(edge + _WORD_GAP, middle, text, size=SMALL_SIZE, gid=f"{gid}-{index}")


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
