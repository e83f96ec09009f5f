"""A page measured in points, with x to the right and y downwards from the top.

What every figure is made of: colours and sizes, the width of words, a page that holds blocks
(heading, legend, notes), and the marks that are drawn on it.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict, TypeVar, Unpack

from ldn_meta.display.words import fixed
from ldn_meta.errors import ArgumentError
from ldn_meta.files import six_digits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from ldn_meta.stats.arrays import FloatArray


P = ParamSpec("P")
T = TypeVar("T")

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
# Ticks of an axis of shares.
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)

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
    "pdf.",
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
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
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


def draws(plot: Callable[P, T]) -> Callable[P, T]:
    """Let a plot draw under these settings, once its options are checked."""

    @wraps(plot)
    def drawn(*values: P.args, **options: P.kwargs) -> T:
        _check_options(options)
        with settings():
            return plot(*values, **options)

    return drawn


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse what no plot can draw, by the names that all plots share."""
    for name, value in options.items():
        allowed = _OPTIONS.get(name)
        if allowed is not None and not allowed[0](value):
            message = f"{name}={value!r} is not usable; allowed: {allowed[1]}"
            raise ArgumentError(message)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_DIGITS


_MOST_DIGITS = 12
_OPTIONS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "title": (lambda value: value is None or isinstance(value, str), "a text, or None"),
    "x_label": (lambda value: isinstance(value, str), "a text, may be empty"),
    "digits": (
        lambda value: value is None or _is_whole(value),
        f"whole numbers from 0 to {_MOST_DIGITS}, or None",
    ),
    "direction": (
        lambda value: (
            isinstance(value, tuple | list)
            and len(value) == 2
            and all(isinstance(side, str) for side in value)
        ),
        "two texts, for values below and above no effect",
    ),
}


def number(value: float, digits: int) -> str:
    """Write a number as `words.fixed` does, with a true minus sign."""
    return typeset(fixed(value, digits))


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


# Where words meet, white beside their letters and kerning make up less than this, in font sizes.
_JOINT = 0.5


def _wrap_line(text: str, width: float, size: float, weight: str) -> list[str]:
    lines: list[str] = []
    current = ""
    # An upper bound of the current line's width: a line is measured only where it might be full.
    bound = 0.0
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        bound += line_width(word, size, weight) + _JOINT * size
        if bound <= width or line_width(longer, size, weight) <= width:
            current = longer
            continue
        bound = line_width(word, size, weight)
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


# A dash pattern is a name, or an offset with lengths of strokes and gaps.
Dashes = str | tuple[float, tuple[float, ...]]
DOTTED: Dashes = (0, (1, 2))


def line(
    axes: Axes,
    xs: Sequence[float] | FloatArray,
    ys: Sequence[float] | FloatArray,
    colour: str,
    width: float,
    *,
    gid: str | None = None,
    dashes: Dashes = "solid",
    zorder: float = 2,
    cap: str = "projecting",
) -> None:
    """Draw a line through points."""
    axes.plot(
        xs,
        ys,
        color=colour,
        linewidth=width,
        linestyle=dashes,
        solid_capstyle=cap,
        zorder=zorder,
        gid=gid,
    )


def point(
    axes: Axes,
    x: float,
    y: float,
    marker: str,
    size: float,
    fill: str,
    *,
    gid: str | None,
    edge: str | None = None,
    rim: float = 1.0,
    clip: bool = True,
    zorder: float = 2,
) -> None:
    """Draw a mark; one that is not clipped may stand out of its plot."""
    axes.plot(
        [x],
        [y],
        marker=marker,
        markersize=size,
        markerfacecolor=fill,
        markeredgecolor=edge or fill,
        markeredgewidth=rim,
        color=edge or fill,
        linestyle="none",
        clip_on=clip,
        zorder=zorder,
        gid=gid,
    )


def area(
    axes: Axes,
    corners: Sequence[tuple[float, float]],
    fill: str,
    *,
    gid: str | None,
    edge: str = "none",
    width: float = 1.0,
    zorder: float = 1,
) -> None:
    """Fill a shape that is given by its corners."""
    from matplotlib.patches import Polygon

    axes.add_patch(
        Polygon(
            corners,
            closed=True,
            facecolor=fill,
            edgecolor=edge,
            linewidth=width,
            zorder=zorder,
            gid=gid,
        )
    )


def rectangle(
    axes: Axes,
    left: float,
    top: float,
    width: float,
    height: float,
    fill: str,
    *,
    gid: str | None = None,
    edge: str = "none",
    rim: float = 1.0,
    zorder: float = 1,
    hatch: str | None = None,
) -> None:
    """Fill a rectangle."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (left, top),
            width,
            height,
            facecolor=fill,
            edgecolor=edge,
            linewidth=rim,
            zorder=zorder,
            hatch=hatch,
            gid=gid,
        )
    )


_HEAD_GAP = 8.0
_MARK_GAP = 4.0
_ENTRY_GAP = 15.0
_LINE_AIR = 4.0
KEY_HEIGHT = 9.0


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


def line_entry(
    words: str,
    colour: str,
    width: float,
    *,
    half: float,
    room: float,
    dashes: Dashes = "solid",
    cap: str = "projecting",
) -> Entry:
    """Explain a line by a sample of it, ``half`` points to either side."""

    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        ends = [x - half, x + half]
        line(sheet.page, ends, [y, y], colour, width, gid=gid, dashes=dashes, cap=cap)

    return Entry(words, draw, room, KEY_HEIGHT)


def patch_entry(
    words: str, fill: str, *, half: float, room: float, rim: float, height: float = 8.0
) -> Entry:
    """Explain a tint by a piece of it."""

    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        corner = (x - half, y - height / 2)
        size = (2 * half, height)
        rectangle(sheet.page, *corner, *size, fill, gid=gid, edge=RULE, rim=rim)

    return Entry(words, draw, room, KEY_HEIGHT)


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
            sheet.small(MARGIN, middles[line], head, weight="bold", gid=gid)
        for index, place in enumerate(self._places):
            y, gid = middles[place.line], f"legend-{index}"
            room = place.entry.width - _MARK_GAP
            place.entry.draw(sheet, place.x + room / 2, y, f"{gid}-mark")
            sheet.small(place.x + place.entry.width, y, place.words, gid=f"{gid}-words")


_NOTE_GAP = 1.0
_TITLE_GAP = 6.0
# Where letters stand in a line of height 1.25, in font sizes from its top: capitals and
# digits are 0.73 high in DejaVu Sans, so this centres them.
_BASELINE = 0.98


class _Small(TypedDict, total=False):
    """What small print may still choose, as `Sheet.write` does."""

    align: str
    valign: str
    weight: str
    colour: str
    gid: str | None


if TYPE_CHECKING:
    from matplotlib.figure import Figure as _Drawing
else:
    # matplotlib is imported when something is drawn.
    _Drawing = object


# What a PDF would say of the moment and the program that made it.
_UNSAID = ("CreationDate", "Creator", "Producer")


class ShownFigure(_Drawing):
    """A matplotlib figure that knows what it shows, and that Jupyter asks for its picture.

    pyplot tells Jupyter how to show figures, and then shows those it knows once more at the end
    of the cell. This one is not known to pyplot. Its bytes depend on the drawing alone: it is
    saved under ``settings`` whatever those of the session are, without date or program. What draws
    is mixed in when one is made (``_drawn``).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.alt = ""
        # Whether there was nothing to draw: a page that shows its words needs no picture of them.
        self.is_words_only = False
        # The same in a layout for a telephone, where there is one.
        self.narrow: Callable[[], ShownFigure] | None = None

    def png(self) -> bytes:
        """Return the picture as PNG of at most 256 colours: a third of the bytes."""
        from PIL import Image

        page, few = io.BytesIO(), io.BytesIO()
        with settings():
            self.savefig(page, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        drawn = Image.open(page).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        drawn.save(few, "PNG", optimize=True, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        return few.getvalue()

    def svg(self, title: str, description: str) -> str:
        """Return the picture as SVG, letters as letters; Verdana has the widths of DejaVu Sans."""
        page = io.StringIO()
        words = {"Date": None, "Creator": None, "Title": title, "Description": description}
        with settings():
            self.savefig(page, format="svg", metadata=words)
        return page.getvalue().replace("'DejaVu Sans', ", "'DejaVu Sans', Verdana, ")

    def pdf(self) -> bytes:
        """Return the picture as PDF, with the letters it uses."""
        page = io.BytesIO()
        with settings():
            self.savefig(page, format="pdf", metadata=dict.fromkeys(_UNSAID))
        return page.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()


@cache
def _drawn() -> type[ShownFigure]:
    from matplotlib.figure import Figure

    return type("ShownFigure", (ShownFigure, Figure), {})


class Sheet:
    """A figure whose every coordinate is a point (1/72 inch) from the top left corner.

    Text is measured in points before it is placed, so a layout in points is exact: columns
    are as wide as their widest cell, and the page is as large as its content.
    """

    def __init__(
        self,
        width: float,
        height: float,
        heading: Heading | None = None,
        foot: Foot | None = None,
    ) -> None:
        # Not by pyplot: no global list of figures, so nothing leaks or shows twice.
        self.width = width
        self.height = height
        self.figure = _drawn()(figsize=(width / 72, height / 72), facecolor=PAPER)
        self.page: Axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.page.set_axis_off()
        self.page.set_xlim(0, width)
        self.page.set_ylim(height, 0)
        self._foot = foot
        if heading is not None:
            heading.write(self)

    def shown(self, alt: str, axes: Axes | None = None) -> tuple[ShownFigure, Axes]:
        """Finish the figure, its foot last; without axes of its own, it is the whole page."""
        if self._foot is not None:
            self._foot.write(self)
        self.figure.alt = spoken(alt)
        return self.figure, axes or self.page

    def plot(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        *,
        ends: tuple[float, float],
        ticks: Sequence[tuple[float, str]],
        is_log: bool = False,
    ) -> Axes:
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
        if is_log:
            axes.set_xscale("log")
        axes.set_xlim(*ends)
        axes.minorticks_off()
        axes.set_xticks([value for value, _ in ticks], [label for _, label in ticks])
        axes.tick_params(labelsize=SMALL_SIZE, length=3, width=0.8, pad=2)
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

    def small(self, x: float, y: float, text: str, **options: Unpack[_Small]) -> None:
        """Write small print."""
        self.write(x, y, text, size=SMALL_SIZE, **options)

    def caption(self, x: float, y: float, text: str, **options: Unpack[_Small]) -> None:
        """Write small print with its middle at ``x``."""
        options.setdefault("align", "center")
        self.small(x, y, text, **options)

    def rule(self, left: float, right: float, y: float, *, width: float = 0.8) -> None:
        """Draw a horizontal line across a table."""
        self.page.plot([left, right], [y, y], color=RULE, linewidth=width, solid_capstyle="butt")

    def band(self, left: float, right: float, top: float, bottom: float, colour: str) -> None:
        """Tint a block behind a row or a heading."""
        rectangle(self.page, left, top, right - left, bottom - top, colour, zorder=0)


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


class Foot:
    """What stands below a figure: its legend, then its small print, without empty lines."""

    def __init__(
        self,
        top: float,
        width: float,
        lines: Sequence[str],
        legend: Sequence[tuple[str, Sequence[Entry]]] = (),
        *,
        gap: float = 5.0,
    ) -> None:
        self._top = top
        self._legend = Legend(legend, width)
        self._lines = [wrap(line, width, SMALL_SIZE) for line in lines if line]
        self._notes_top = top + self._legend.height + gap if legend else top
        heights = (text_height(line, SMALL_SIZE) + _NOTE_GAP for line in self._lines)
        self.bottom = self._notes_top + sum(heights)

    def write(self, sheet: Sheet) -> None:
        """Draw the legend and write the lines."""
        self._legend.draw(sheet, self._top)
        top = self._notes_top
        for index, line in enumerate(self._lines):
            gid = f"footer-{index}"
            sheet.small(MARGIN, top, line, valign="top", colour=SOFT_INK, gid=gid)
            top += text_height(line, SMALL_SIZE) + _NOTE_GAP


def write_heads(
    sheet: Sheet, heads: Sequence[tuple[float, str, str]], base: float, gid: str = "head"
) -> None:
    """Write the bold heads of columns, each a place, a text and an alignment, above ``base``."""
    for index, (x, text, align) in enumerate(heads):
        sheet.write(
            x, base, text, align=align, valign="bottom", weight="bold", gid=f"{gid}-{index}"
        )


def words_only(texts: Sequence[str], title: str | None, alt: str) -> tuple[ShownFigure, Axes]:
    """Make a page of words, for what a plot without any number would leave to be guessed."""
    width = 430.0
    heading = Heading(title, width)
    broken = [wrap(text, width) for text in texts]
    height = heading.bottom + sum(text_height(text) + 3 for text in broken)
    sheet = Sheet(width + 2 * MARGIN, height + MARGIN, heading)
    top = heading.bottom
    for index, text in enumerate(broken):
        sheet.write(MARGIN, top, text, valign="top", gid=f"words-{index}")
        top += text_height(text) + 3
    figure, axes = sheet.shown(alt)
    figure.is_words_only = True
    return figure, axes


def opening(kind: str, title: str | None) -> str:
    """Begin the words of a figure: what kind it is, and of what."""
    return f"{kind}: {title}." if title else f"{kind}."


def check_word(value: object, what: str, allowed: Sequence[str]) -> str:
    """Return a word as text if it is one of those allowed; refuse it otherwise."""
    if str(value) not in allowed:
        message = f"{what} is {value!r}: allowed are {', '.join(allowed)}"
        raise ArgumentError(message)
    return str(value)


def check_columns(frame: pd.DataFrame, columns: Sequence[str], name: str = "frame") -> None:
    """Refuse a table that lacks a column the figure is drawn from."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        message = f"{name} lacks {', '.join(missing)}: needs {', '.join(columns)}"
        raise ArgumentError(message)
