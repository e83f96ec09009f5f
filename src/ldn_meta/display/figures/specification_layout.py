"""Where the parts of a specification curve stand, from measured text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_rows import EffectFormat
from ldn_meta.display.figures.legend import Legend
from ldn_meta.display.figures.lettering import line_width, text_height, wrap
from ldn_meta.display.figures.sheet import Heading, Notes
from ldn_meta.display.figures.specification_choices import Dashboard
from ldn_meta.display.figures.specification_columns import Columns
from ldn_meta.display.figures.specification_draw import legend_groups
from ldn_meta.display.figures.specification_words import (
    beyond_words,
    measure_words,
    notes,
    protocol_words,
)
from ldn_meta.display.figures.upright_axis import UprightScale, spread

if TYPE_CHECKING:
    from ldn_meta.evidence.multiverse import Multiverse

PLOT_WIDTH = 330.0
_CURVE_HEIGHT = 190.0
# Intervals are shown this many widths of the protocol's own interval beyond all estimates.
_REACH = 1.0
_PADDING = 0.05
_TICK_SPACE = 15.0
_TICK_AIR = 12.0
_WORD_GAP = 11.0
_SMALL = style.SMALL_SIZE
_SMALL_LINE = text_height("", _SMALL) + 1.5
_PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


@dataclass(frozen=True, eq=False)
class Plan:
    """Where everything stands, in points from the top left of the page."""

    heading: Heading
    left: float
    right: float
    protocol: str
    scale: UprightScale
    axis: str
    direction: tuple[str, str]
    words_width: float
    beside: list[tuple[float, float, str]]
    dashboard: Dashboard
    legend: Legend
    legend_top: float
    notes: Notes
    notes_top: float

    @property
    def bottom(self) -> float:
        """Lower edge of the small print."""
        return self.notes_top + self.notes.height


def lay_out(
    found: Multiverse,
    summary: Mapping[str, Any],
    columns: Columns,
    direction: tuple[str, str],
    unit_words: str,
    mid: float,
    print_as: EffectFormat,
    title: str | None,
) -> Plan:
    """Measure every text, and place what is above, beside and below the curve."""
    dashboard = Dashboard(columns, PLOT_WIDTH)
    left = style.MARGIN + dashboard.left_width
    lines = _lines(mid, print_as)
    beside_width = _WORD_GAP + max(line_width(words, _SMALL) for _, words in lines)
    right = left + PLOT_WIDTH + max(beside_width, dashboard.right_width)
    width = right - style.MARGIN
    heading = Heading(title, width)
    protocol = wrap(protocol_words(summary, print_as), width, _SMALL)
    top = heading.bottom + text_height(protocol, _SMALL) + 7
    scale = _scale(columns, mid, top, is_log=print_as.is_log)
    middles = spread(
        [scale.y(at) for at, _ in lines], [_SMALL_LINE] * len(lines), top, scale.bottom
    )
    beside = [
        (scale.y(at), middle, words) for (at, words), middle in zip(lines, middles, strict=True)
    ]
    axis = measure_words(found, columns, unit_words)
    dashboard.place(left, scale.bottom + _TICK_SPACE)
    legend = Legend(legend_groups(summary, columns), width)
    legend_top = dashboard.bottom + 8
    small_print = Notes(
        notes(
            summary,
            columns,
            beyond=beyond_words(scale.low, scale.high, [*columns.low, *columns.high], print_as),
            mixes_measures=" or " in axis,
            has_mid=math.isfinite(mid),
        ),
        width,
    )
    ticks = max(line_width(label, _SMALL) for _, label in scale.ticks())
    return Plan(
        heading,
        left,
        right,
        protocol,
        scale,
        axis,
        direction,
        dashboard.left_width - ticks - _TICK_AIR,
        beside,
        dashboard,
        legend,
        legend_top,
        small_print,
        legend_top + legend.height + 5,
    )


def _scale(columns: Columns, mid: float, top: float, *, is_log: bool) -> UprightScale:
    """Choose ends that keep every estimate, no effect and the important difference in view.

    How far intervals are shown is measured by the protocol's own: two trials give Knapp-Hartung
    intervals next to which nothing else could be seen.
    """
    import numpy as np

    widths = columns.high - columns.low
    own = columns.own[2] - columns.own[1]
    known = widths[np.isfinite(widths)]
    typical = (
        own
        if np.isfinite(own)
        else np.quantile(known, 0.25, method="lower")
        if known.size
        else 0.0
    )
    lowest, highest = min(columns.estimate.min(), 0.0), max(columns.estimate.max(), 0.0)
    reach = _REACH * typical or (highest - lowest) / 2 or 1.0
    low = max(np.fmin.reduce([*columns.low, columns.own[1], lowest]), lowest - reach)
    high = min(np.fmax.reduce([*columns.high, columns.own[2], highest]), highest + reach)
    if math.isfinite(mid):
        low, high = min(low, -mid), max(high, mid)
    air = _PADDING * (high - low) or 1.0
    return UprightScale(
        top, _CURVE_HEIGHT, style.steady(low - air), style.steady(high + air), is_log
    )


def _lines(mid: float, print_as: EffectFormat) -> list[tuple[float, str]]:
    """Name the lines across the curve."""
    if not math.isfinite(mid):
        return [(0.0, "no effect")]
    above, below = print_as.number(mid), print_as.number(-mid)
    if not print_as.is_log:
        above = below = f"{_PLUS_MINUS}{above}"
    return [(0.0, "no effect"), (-mid, f"MID {below}"), (mid, f"MID {above}")]
