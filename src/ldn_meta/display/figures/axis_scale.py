"""What part of an axis is shown, and which values are printed along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ldn_meta.display.figures.lettering import line_width
from ldn_meta.display.figures.style import SMALL_SIZE, number

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
    """Choose the shown range on the scale of analysis.

    Parameters
    ----------
    needed : sequence of Interval
        Trials and pools: every estimate is inside. An interval may be cut.
    wished : sequence of Interval
        Prediction intervals and rows that are not pooled: shown as far as they stay near.
    reference : float
        No effect; always inside.
    """
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
    """Choose ratios, 1 among them, for a logarithmic axis.

    Parameters
    ----------
    low, high : float
        Shown range as natural logarithms.
    width : float
        Length of the axis in points.

    Returns
    -------
    list of (float, str)
        Ratios (not logarithms) with their labels, at even steps of meaning: decades, 1-2-5,
        or plain multiples when the range is narrow.
    """
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
