"""What a funnel plot draws: regions of p, the funnel about the pooled estimate, trials, key."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_marks import Scale
from ldn_meta.display.figures.funnel_trials import REGIONS, Trial, quantile
from ldn_meta.display.figures.legend import Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

_MARK_SIZE = 5.5
_ROOM = 15.0
_WIDE_ROOM = 30.0
_HEIGHT = 9.0
_HALF = 13.0
_THIN, _THICK = 0.8, 1.8
_LIMIT_WIDTH = 1.2
_BROKEN = (0, (5, 2.5))


def draw_regions(axes: Axes, scale: Scale, depth: float) -> None:
    """Shade the regions of p about no effect, down to the standard error ``depth``."""
    from matplotlib.patches import Polygon

    for index, region in enumerate(REGIONS):
        right = _edge(0.0, region.z, scale, depth)
        left = _edge(0.0, -region.z, scale, depth)
        corners = [(0.0, 0.0), *right, *reversed(left)]
        axes.add_patch(
            Polygon(
                [(_x(scale, x), style.steady(se)) for x, se in corners],
                facecolor=region.tone,
                edgecolor="none",
                zorder=0,
                gid=f"region-{index}",
            )
        )


def draw_lines(
    axes: Axes, scale: Scale, depth: float, *, centre: float | None, level: float
) -> None:
    """Draw no effect, and the pooled estimate with the limits of its funnel."""
    # Thick below thin: both stay visible where the pooled estimate is no effect.
    if centre is not None:
        axes.plot(
            [_x(scale, centre)] * 2,
            [0, style.steady(depth)],
            color=style.POOLED,
            linewidth=_THICK,
            solid_capstyle="butt",
            zorder=1.5,
            gid="centre",
        )
        for name, z in (("low", -quantile(level)), ("high", quantile(level))):
            end, se = _edge(centre, z, scale, depth)[0]
            axes.plot(
                [_x(scale, centre), _x(scale, end)],
                [0, style.steady(se)],
                color=style.POOLED,
                linewidth=_LIMIT_WIDTH,
                linestyle=_BROKEN,
                zorder=1.5,
                gid=f"limit-{name}",
            )
    axes.plot(
        [_x(scale, 0.0)] * 2,
        [0, style.steady(depth)],
        color=style.INK,
        linewidth=_THIN,
        zorder=1.7,
        gid="no-effect",
    )


def draw_trials(axes: Axes, scale: Scale, trials: Sequence[Trial]) -> None:
    """Mark every trial at its effect and standard error."""
    seen: dict[str, int] = {}
    for trial in trials:
        kind = "imputed" if trial.is_imputed else "trial"
        index = seen[kind] = seen.get(kind, -1) + 1
        _draw_mark(
            axes,
            _x(scale, trial.effect),
            style.steady(trial.se),
            is_imputed=trial.is_imputed,
            gid=f"{kind}-{index}",
        )


def key_of(
    trials: Sequence[Trial], *, centre: float | None, level: float
) -> list[tuple[str, list[Entry]]]:
    """Explain regions and lines, and the marks where there is more than one kind."""
    regions = [
        Entry(region.words, partial(_draw_swatch, region.tone), _ROOM, _HEIGHT)
        for region in reversed(REGIONS)
    ]
    lines = [Entry("no effect", _sample(style.INK, _THIN), _WIDE_ROOM, _HEIGHT)]
    if centre is not None:
        limits = f"pseudo {100 * level:g}% limits: {100 * level:g}% of trials, if all had that"
        lines += [
            Entry("pooled estimate", _sample(style.POOLED, _THICK), _WIDE_ROOM, _HEIGHT),
            Entry(
                f"{limits} effect",
                _sample(style.POOLED, _LIMIT_WIDTH, _BROKEN),
                _WIDE_ROOM,
                _HEIGHT,
            ),
        ]
    kinds = {trial.is_imputed for trial in trials}
    marks = [
        Entry(words, partial(_draw_key_mark, is_imputed), _ROOM, _HEIGHT)
        for words, is_imputed in (("trial", False), ("imputed by trim and fill", True))
        if is_imputed in kinds
    ]
    return [
        ("Two-sided p", regions),
        ("Lines", lines),
        ("Marks", marks if True in kinds else []),
    ]


def _edge(origin: float, z: float, scale: Scale, depth: float) -> list[tuple[float, float]]:
    """Follow a line of ``z`` standard errors from ``origin`` until it leaves the plot.

    Where it leaves at the side, the corner below is a second point. Cut here, not by the axes:
    on a log axis the far end could be too large for a number.
    """
    end = origin + z * depth
    if scale.holds(end):
        return [(end, depth)]
    border = scale.high if z > 0 else scale.low
    return [(border, (border - origin) / z), (border, depth)]


def _x(scale: Scale, value: float) -> float:
    return style.steady(scale.place(value))


def _draw_mark(axes: Axes, x: float, y: float, *, is_imputed: bool, gid: str) -> None:
    axes.plot(
        [x],
        [y],
        marker="o",
        markersize=_MARK_SIZE,
        markerfacecolor=style.PAPER if is_imputed else style.INK,
        # A rim of paper keeps marks apart that overlap.
        markeredgecolor=style.INK if is_imputed else style.PAPER,
        markeredgewidth=1.2 if is_imputed else 0.6,
        linestyle="none",
        clip_on=False,
        zorder=4,
        gid=gid,
    )


def _draw_key_mark(is_imputed: bool, sheet: Sheet, x: float, y: float, gid: str) -> None:
    _draw_mark(sheet.page, x, y, is_imputed=is_imputed, gid=gid)


def _draw_swatch(tone: str, sheet: Sheet, x: float, y: float, gid: str) -> None:
    from matplotlib.patches import Rectangle

    sheet.page.add_patch(
        Rectangle(
            (x - 5, y - _HEIGHT / 2),
            10,
            _HEIGHT,
            facecolor=tone,
            # The white one would have no shape on paper.
            edgecolor=style.RULE,
            linewidth=0.6,
            gid=gid,
        )
    )


def _sample(colour: str, width: float, dashes: object = "solid") -> partial[None]:
    return partial(_draw_sample, colour, width, dashes)


def _draw_sample(
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
