"""The drawn part of a forest plot: squares, diamonds, bars, arrows, and the axis below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import Interval, axis_limits, linear_ticks, ratio_ticks
from ldn_meta.display.figures.forest_layout import PLOT_WIDTH, Layout, RowPlace
from ldn_meta.display.figures.forest_rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

_NO_EFFECT = 0.0
_SQUARE = "#8fbfe0"
_LARGEST_SQUARE = 10.5
_SMALLEST_SQUARE = 3.2
# A smaller square would vanish behind its own line, so it is drawn solid and above it.
_SOLID_SQUARE = 5.5
_SHOWN_SQUARE = 6.0
_DIAMOND_HALF = 5.2
_SUMMARY_HALF = 4.2
_BAR_WIDTH = 3.2
_ARROW_SIZE = 4.5
# Ratios beyond 5e21 are typing errors; without a bound they would overflow the axis.
_LARGEST_LOG = 50.0
_NEEDED = ("trial", "pooled", "summary")


@dataclass(frozen=True)
class Scale:
    """The shown part of the scale of analysis; ratios are drawn as ratios on a log axis."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[tuple[float, str], ...]

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
        return (_NO_EFFECT - self.low) / (self.high - self.low)


def choose_scale(
    rows: Sequence[Row], *, is_log: bool, limits: tuple[float, float] | None
) -> Scale:
    """Choose limits and ticks that keep every pooled trial's estimate in view."""
    if limits is None:
        needed = [row.span for row in rows if row.kind in _NEEDED]
        wished = [row.span for row in rows if row.kind not in _NEEDED]
        limits = axis_limits(needed, wished, reference=_NO_EFFECT)
    if is_log:
        limits = max(limits[0], -_LARGEST_LOG), min(limits[1], _LARGEST_LOG)
    ticks = (ratio_ticks if is_log else linear_ticks)(*limits, PLOT_WIDTH)
    return Scale(*limits, is_log, tuple(ticks))


def is_clipped(rows: Sequence[Row], scale: Scale) -> bool:
    """Say whether any interval leaves the axis."""
    return any(
        row.span.is_complete and not (scale.holds(row.span.low) and scale.holds(row.span.high))
        for row in rows
    )


def draw_marks(sheet: Sheet, layout: Layout, scale: Scale) -> Axes:
    """Draw axis, reference lines and the mark of every row."""
    top = layout.header_bottom
    axes = sheet.plot(layout.plot_left, top, PLOT_WIDTH, layout.bottom - top)
    axes.set_xscale("log" if scale.is_log else "linear")
    axes.set_xlim(scale.place(scale.low), scale.place(scale.high))
    axes.minorticks_off()
    axes.set_xticks([value for value, _ in scale.ticks], [label for _, label in scale.ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    axes.plot(
        [scale.place(_NO_EFFECT)] * 2,
        [top, layout.bottom],
        color=style.INK,
        linewidth=0.8,
        zorder=1,
        gid="no-effect",
    )
    largest = max((p.row.weight_pct for p in layout.places if p.row.kind == "trial"), default=0.0)
    seen: dict[str, int] = {}
    for place in layout.places:
        kind = place.row.kind
        index = seen[kind] = seen.get(kind, -1) + 1
        if not math.isnan(place.row.span.estimate):
            _draw_row(axes, place, scale, layout, largest=largest, gid=f"{kind}-{index}")
    return axes


def _draw_row(
    axes: Axes, place: RowPlace, scale: Scale, layout: Layout, *, largest: float, gid: str
) -> None:
    row, y = place.row, place.mark
    if row.kind == "pooled":
        axes.plot(
            [scale.place(row.span.estimate)] * 2,
            [layout.header_bottom, y],
            color=style.POOLED,
            linewidth=0.8,
            linestyle=(0, (2, 2)),
            zorder=1,
            gid="pooled-line",
        )
        _draw_diamond(axes, row.span, y, scale, _DIAMOND_HALF, style.POOLED, gid)
    elif row.kind == "summary":
        _draw_diamond(axes, row.span, y, scale, _SUMMARY_HALF, style.PAPER, gid)
    elif row.kind == "prediction":
        _draw_line(axes, row.span, y, scale, style.PREDICTION, _BAR_WIDTH, gid)
    else:
        _draw_line(axes, row.span, y, scale, style.INK, 1.1, gid)
        _draw_square(axes, row, y, scale, largest=largest, gid=gid)


def _draw_line(
    axes: Axes, span: Interval, y: float, scale: Scale, colour: str, width: float, gid: str
) -> None:
    """Draw an interval; an end that leaves the axis becomes an arrow."""
    if not span.is_complete:
        return
    if span.high >= scale.low and span.low <= scale.high:
        axes.plot(
            [scale.place(span.low), scale.place(span.high)],
            [y, y],
            color=colour,
            linewidth=width,
            solid_capstyle="butt",
            zorder=3,
            gid=f"{gid}-interval",
        )
    _draw_arrows(axes, span, y, scale, colour, gid)


def _draw_arrows(
    axes: Axes, span: Interval, y: float, scale: Scale, colour: str, gid: str
) -> None:
    for end, marker, is_outside in (
        (scale.low, "<", span.low < scale.low),
        (scale.high, ">", span.high > scale.high),
    ):
        if is_outside:
            axes.plot(
                [scale.place(end)],
                [y],
                marker=marker,
                markersize=_ARROW_SIZE,
                color=colour,
                linestyle="none",
                clip_on=False,
                zorder=4,
                gid=f"{gid}-arrow-{'low' if marker == '<' else 'high'}",
            )


def _draw_square(
    axes: Axes, row: Row, y: float, scale: Scale, *, largest: float, gid: str
) -> None:
    if not scale.holds(row.span.estimate):
        return
    side = _SHOWN_SQUARE
    if row.kind == "trial" and row.weight_pct > 0:
        side = max(_LARGEST_SQUARE * math.sqrt(row.weight_pct / largest), _SMALLEST_SQUARE)
    is_shown = row.kind == "shown"
    fill = style.PAPER if is_shown else style.LDN if side < _SOLID_SQUARE else _SQUARE
    axes.plot(
        [scale.place(row.span.estimate)],
        [y],
        marker="s",
        markersize=side,
        markerfacecolor=fill,
        markeredgecolor=style.INK if is_shown else style.LDN,
        markeredgewidth=0.9,
        linestyle="none",
        # In a large square a short interval must stay visible, so the line lies above it.
        zorder=2 if fill == _SQUARE else 4,
        gid=gid,
    )


def _draw_diamond(
    axes: Axes, span: Interval, y: float, scale: Scale, half: float, fill: str, gid: str
) -> None:
    from matplotlib.patches import Polygon

    if not span.is_complete:
        return
    middle = scale.place(span.estimate)
    corners = [
        (scale.place(span.low), y),
        (middle, y - half),
        (scale.place(span.high), y),
        (middle, y + half),
    ]
    axes.add_patch(
        Polygon(
            corners,
            closed=True,
            facecolor=fill,
            edgecolor=style.POOLED,
            linewidth=0.9,
            zorder=3,
            gid=gid,
        )
    )
    _draw_arrows(axes, span, y, scale, style.POOLED, gid)
