"""How every figure looks: colours, sizes, and the words for numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldn_meta.display.wording import fixed

# Okabe & Ito's palette, told apart with any colour vision; the two arms also differ in
# lightness, and every meaning that is carried by colour is carried by a shape or a letter too.
LDN = "#0072b2"
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
    """Write a number as `wording.fixed` does, with a true minus sign.

    Parameters
    ----------
    value : float
        Any number; what is not finite is "not defined".
    digits : int
        Digits behind the point.
    """
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
    return math.nan if value is None else float(f"{float(value):.6g}")


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
