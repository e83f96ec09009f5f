"""The drawn part of a sequential figure: looks, boundaries, wedge, progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import linear_ticks
from ldn_meta.display.figures.legend import Entry
from ldn_meta.display.figures.sequential_looks import CONVENTIONAL, Boundary, Look
from ldn_meta.display.figures.upright_axis import UprightScale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

POINT_SIZE = 6.0
_WEDGE = "#e3e3e3"
_DOTS = (0, (1, 2))
_DASHES = (0, (5, 3))
_STRIP_HEIGHT = 6.0
_LEAST_STRIP = 1.5
_ROOM = 28.0
_HEIGHT = 9.0
_HALF = 11.0


@dataclass(frozen=True)
class Scales:
    """Where a look stands, in points from the top left of the page.

    Attributes
    ----------
    left, width : float
        The plot on the page.
    last : float
        Share of the required information at its right edge.
    upright : UprightScale
        Of Z.
    """

    left: float
    width: float
    last: float
    upright: UprightScale

    def x(self, fraction: float) -> float:
        """Place of a share of the required information."""
        return style.steady(self.left + self.width * fraction / self.last)

    def ticks(self) -> list[tuple[float, str]]:
        """Shares to print, in per cent."""
        ticks = linear_ticks(0.0, 100 * self.last, self.width)
        return [(value / 100, f"{label}%") for value, label in ticks]


def draw_boundaries(axes: Axes, scales: Scales, upper: Boundary, inner: Boundary) -> None:
    """Draw the axis of information, the lines across, the boundaries and the wedge."""
    axes.set_xlim(0.0, scales.last)
    ticks = scales.ticks()
    axes.set_xticks([value for value, _ in ticks], [label for _, label in ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    y = scales.upright.y
    axes.axhline(y(0.0), color=style.INK, linewidth=0.8, zorder=1, gid="no-effect")
    for side, word in ((-1, "low"), (1, "high")):
        axes.axhline(
            y(side * CONVENTIONAL),
            color=style.SOFT_INK,
            linewidth=0.9,
            linestyle=_DOTS,
            zorder=2,
            gid=f"conventional-{word}",
        )
        points = upper.below(scales.upright.high, scales.last)
        if points:
            axes.plot(
                [style.steady(fraction) for fraction, _ in points],
                [y(side * size) for _, size in points],
                color=style.PREDICTION,
                linewidth=1.6,
                linestyle=_DASHES,
                zorder=3,
                gid=f"boundary-{word}",
            )
    _draw_wedge(axes, scales, inner)
    if scales.last >= 1:
        axes.plot(
            [1.0, 1.0],
            [scales.upright.top, scales.upright.bottom],
            color=style.INK,
            linewidth=0.9,
            zorder=2,
            gid="required",
        )


def _draw_wedge(axes: Axes, scales: Scales, inner: Boundary) -> None:
    from matplotlib.patches import Polygon

    points = inner.below(scales.upright.high, scales.last)
    if not points:
        return
    y = scales.upright.y
    above = [(style.steady(fraction), y(size)) for fraction, size in points]
    below = [(style.steady(fraction), y(-size)) for fraction, size in reversed(points)]
    axes.add_patch(
        Polygon(
            [*above, *below],
            closed=True,
            facecolor=_WEDGE,
            edgecolor=style.RULE,
            linewidth=0.8,
            zorder=0.5,
            gid="futility",
        )
    )


def draw_looks(axes: Axes, scales: Scales, looks: Sequence[Look]) -> None:
    """Join the looks from nothing to the last."""
    y = scales.upright.y
    axes.plot(
        [0.0, *(style.steady(look.fraction) for look in looks)],
        [y(0.0), *(y(look.z) for look in looks)],
        color=style.POOLED,
        linewidth=1.4,
        zorder=4,
        gid="path",
    )
    for index, look in enumerate(looks):
        axes.plot(
            [style.steady(look.fraction)],
            [y(look.z)],
            marker="o",
            markersize=POINT_SIZE,
            color=style.POOLED,
            linestyle="none",
            clip_on=False,
            zorder=5,
            gid=f"look-{index}",
        )


def draw_progress(sheet: Sheet, left: float, right: float, top: float, fraction: float) -> None:
    """Draw a strip that is filled as far as the required information is there."""
    from matplotlib.patches import Rectangle

    filled = max(min(fraction, 1.0) * (right - left), _LEAST_STRIP)
    for gid, width, colour in (
        ("progress-all", right - left, style.PAPER),
        ("progress", filled, style.POOLED),
    ):
        sheet.page.add_patch(
            Rectangle(
                (left, top),
                style.steady(width),
                _STRIP_HEIGHT,
                facecolor=colour,
                edgecolor=style.RULE if gid == "progress-all" else "none",
                linewidth=0.7,
                gid=gid,
            )
        )


def legend_groups(
    scales: Scales, upper: Boundary, inner: Boundary
) -> list[tuple[str, list[Entry]]]:
    """Explain what is drawn, and nothing else."""
    entries = [
        Entry("Z after each trial", _draw_path, _ROOM, _HEIGHT),
        Entry(
            "1.96 to either side: what a single look would need",
            partial(_draw_line, style.SOFT_INK, 0.9, _DOTS),
            _ROOM,
            _HEIGHT,
        ),
    ]
    if upper.below(scales.upright.high, scales.last):
        words = "boundary: what repeated looks need"
        draw = partial(_draw_line, style.PREDICTION, 1.6, _DASHES)
        entries.append(Entry(words, draw, _ROOM, _HEIGHT))
    if inner.below(scales.upright.high, scales.last):
        words = "futility: inside, the effect looked for is given up"
        entries.append(Entry(words, _draw_patch, _ROOM, _HEIGHT))
    return [("Lines", entries)]


def _draw_path(sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x - _HALF, x, x + _HALF],
        [y, y, y],
        color=style.POOLED,
        linewidth=1.4,
        marker="o",
        markevery=[1],
        markersize=POINT_SIZE,
        gid=gid,
    )


def _draw_line(
    colour: str, width: float, dashes: object, sheet: Sheet, x: float, y: float, gid: str
) -> None:
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=colour,
        linewidth=width,
        linestyle=dashes,
        gid=gid,
    )


def _draw_patch(sheet: Sheet, x: float, y: float, gid: str) -> None:
    from matplotlib.patches import Rectangle

    sheet.page.add_patch(
        Rectangle(
            (x - _HALF, y - 4),
            2 * _HALF,
            8,
            facecolor=_WEDGE,
            edgecolor=style.RULE,
            linewidth=0.8,
            gid=gid,
        )
    )
