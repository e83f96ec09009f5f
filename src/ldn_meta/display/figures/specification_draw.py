"""The drawn part of a specification curve: bands, estimates, lines, the protocol's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import style
from ldn_meta.display.figures.legend import Entry
from ldn_meta.display.figures.specification_choices import shade
from ldn_meta.display.figures.specification_columns import (
    ACROSS,
    FOR_COMPARATOR,
    FOR_LDN,
    NO_INTERVAL,
    Columns,
)
from ldn_meta.display.figures.specification_words import verdict_shares
from ldn_meta.display.figures.upright_axis import UprightScale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

# Three lightnesses, so that a grey print tells them apart; the sides differ in place as well.
BANDS = {FOR_LDN: "#6aaed6", ACROSS: "#e0e0e0", FOR_COMPARATOR: "#a8651c", NO_INTERVAL: "none"}
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DIAMOND = 5.5
_ARROW = 4.5
_ROOM = 16.0
_HEIGHT = 8.0


def draw_curve(axes: Axes, scale: UprightScale, columns: Columns, mid: float) -> None:
    """Draw bands, reference lines, estimates, and the protocol's own analysis."""
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks(_TICKS, [f"{100 * tick:.0f}%" for tick in _TICKS])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    for index, (start, stop) in enumerate(runs(columns)):
        _draw_band(axes, scale, columns, start, stop, f"band-{index}")
    axes.axhline(scale.y(0.0), color=style.INK, linewidth=0.9, zorder=3, gid="no-effect")
    if math.isfinite(mid):
        for name, value in (("mid-low", -mid), ("mid-high", mid)):
            axes.axhline(
                scale.y(value),
                color=style.SOFT_INK,
                linewidth=0.8,
                linestyle=(0, (4, 3)),
                zorder=3,
                gid=name,
            )
    heights = [scale.y(float(value)) for value in columns.estimate]
    edges = [style.steady(edge) for edge in columns.edges]
    axes.plot(
        [x for pair in pairwise(edges) for x in pair],
        [y for y in heights for _ in range(2)],
        color=style.POOLED,
        linewidth=1.6,
        solid_capstyle="butt",
        zorder=4,
        gid="estimate",
    )
    if columns.protocol >= 0:
        _draw_protocol(axes, scale, columns)


def runs(columns: Columns) -> list[tuple[int, int]]:
    """First column, and the one after the last, of each stretch with one verdict."""
    starts = [
        column
        for column in range(len(columns))
        if column == 0 or columns.verdict[column] != columns.verdict[column - 1]
    ]
    return list(pairwise([*starts, len(columns)]))


def legend_groups(summary: Mapping[str, Any], columns: Columns) -> list[tuple[str, list[Entry]]]:
    """Explain colours with their shares, and the shades of the choices."""
    drawn = {int(verdict) for verdict in columns.verdict}
    bands = [
        Entry(words, partial(_draw_patch, BANDS[verdict]), _ROOM, _HEIGHT)
        for verdict, words in verdict_shares(summary).items()
        if verdict in drawn
    ]
    curve = [
        Entry("estimate", _draw_estimate, _ROOM, _HEIGHT),
        Entry("protocol's own", draw_diamond, 12.0, _HEIGHT),
    ]
    shades = [
        Entry(words, partial(_draw_patch, shade(share)), _ROOM, _HEIGHT)
        for share, words in ((0.0, "none"), (0.5, "half"), (1.0, "all"))
    ]
    return [
        ("Share of analyses", bands),
        ("Marks", curve),
        ("Analyses with the option", shades if columns.choices else []),
    ]


def draw_diamond(sheet: Sheet, x: float, y: float, gid: str) -> None:
    """Draw the sign of the protocol's own choice."""
    sheet.page.plot(
        [x],
        [y],
        marker="D",
        markersize=4.0,
        color=style.INK,
        linestyle="none",
        gid=gid,
    )


def _draw_band(
    axes: Axes, scale: UprightScale, columns: Columns, start: int, stop: int, gid: str
) -> None:
    """Draw the intervals of a stretch as one shape, cut at the ends of the axis."""
    from matplotlib.patches import Polygon

    verdict = int(columns.verdict[start])
    if verdict == NO_INTERVAL:
        return
    edges = [style.steady(edge) for edge in columns.edges[start : stop + 1]]
    xs = [x for pair in pairwise(edges) for x in pair]
    low = [scale.y(float(v)) for v in columns.low[start:stop] for _ in range(2)]
    high = [scale.y(float(v)) for v in columns.high[start:stop] for _ in range(2)]
    corners = [*zip(xs, high, strict=True), *zip(reversed(xs), reversed(low), strict=True)]
    axes.add_patch(
        Polygon(
            corners,
            closed=True,
            facecolor=BANDS[verdict],
            edgecolor="none",
            linewidth=0,
            zorder=1,
            gid=gid,
        )
    )


def _draw_protocol(axes: Axes, scale: UprightScale, columns: Columns) -> None:
    x = style.steady(columns.middle(columns.protocol))
    estimate, low, high = columns.own
    # A thread to the words above the plot.
    axes.plot(
        [x, x],
        [scale.top, scale.y(estimate)],
        color=style.INK,
        linewidth=0.7,
        linestyle=(0, (1, 2)),
        zorder=5,
        gid="protocol-thread",
    )
    if math.isfinite(low + high):
        axes.plot(
            [x, x],
            [scale.y(low), scale.y(high)],
            color=style.INK,
            linewidth=1.2,
            solid_capstyle="butt",
            zorder=5,
            gid="protocol-interval",
        )
        for marker, end, is_beyond in (
            ("v", low, low < scale.low),
            ("^", high, high > scale.high),
        ):
            if is_beyond:
                axes.plot(
                    [x],
                    [scale.y(end)],
                    marker=marker,
                    markersize=_ARROW,
                    color=style.INK,
                    linestyle="none",
                    clip_on=False,
                    zorder=6,
                    gid=f"protocol-arrow-{'low' if marker == 'v' else 'high'}",
                )
    axes.plot(
        [x],
        [scale.y(estimate)],
        marker="D",
        markersize=_DIAMOND,
        markerfacecolor=style.INK,
        markeredgecolor=style.PAPER,
        markeredgewidth=0.8,
        linestyle="none",
        clip_on=False,
        zorder=7,
        gid="protocol",
    )


def _draw_patch(colour: str, sheet: Sheet, x: float, y: float, gid: str) -> None:
    from matplotlib.patches import Rectangle

    sheet.page.add_patch(
        Rectangle(
            (x - 6, y - 4),
            12,
            8,
            facecolor=colour,
            edgecolor=style.RULE,
            linewidth=0.5,
            gid=gid,
        )
    )


def _draw_estimate(sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x - 6, x + 6], [y, y], color=style.POOLED, linewidth=1.6, solid_capstyle="butt", gid=gid
    )
