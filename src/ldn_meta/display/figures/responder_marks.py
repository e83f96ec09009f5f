"""The drawn part of a responder plot: the axis of shares, and a mark for every arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.responder_rows import (
    COMPARATOR_GROUP,
    LDN_GROUP,
    SINGLE_ARM_GROUP,
    Line,
)
from ldn_meta.display.wording import capitalised

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

PLOT_WIDTH = 240.0
_CEILINGS = (0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Look:
    """How the arms of a group are drawn; shape and filling differ, not colour alone."""

    word: str
    shape: str
    marker: str
    fill: str
    edge: str
    size: float


LOOKS = {
    LDN_GROUP: Look("LDN", "filled circle", "o", style.LDN, style.LDN, 6.5),
    COMPARATOR_GROUP: Look("comparator", "open square", "s", style.PAPER, style.COMPARATOR, 5.8),
    SINGLE_ARM_GROUP: Look(
        "LDN without comparison group", "grey diamond", "D", style.SINGLE_ARM, style.INK, 5.2
    ),
}


@dataclass(frozen=True)
class LinePlace:
    """A line with the height of each of its parts, in points from the top."""

    line: Line
    label: str
    top: float
    marks: tuple[float, ...]
    bottom: float


def draw_axis(sheet: Sheet, left: float, top: float, bottom: float, lines: Sequence[Line]) -> Axes:
    """Draw an axis of shares from 0 to the first round share that holds every interval."""
    axes = sheet.plot(left, top, PLOT_WIDTH, bottom - top)
    ends = [
        end
        for line in lines
        for arm in line.arms
        for end in (arm.span.estimate, arm.span.high)
        if end == end
    ]
    ceiling = next(c for c in _CEILINGS if c >= min(max(ends, default=1.0), 1.0))
    axes.set_xlim(-0.015 * ceiling, 1.015 * ceiling)
    ticks = [ceiling * step / 5 for step in range(6)]
    axes.set_xticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    for tick in ticks:
        axes.plot([tick, tick], [top, bottom], color=style.BAND, linewidth=1.0, zorder=0)
    return axes


def draw_arms(axes: Axes, place: LinePlace, gid: str) -> None:
    """Draw the arms of a study, LDN and comparator joined where there is one of each."""
    arms = place.line.arms
    if [arm.group for arm in arms] == [LDN_GROUP, COMPARATOR_GROUP]:
        axes.plot(
            [arm.span.estimate for arm in arms],
            place.marks,
            color=style.RULE,
            linewidth=0.8,
            linestyle=(0, (2, 2)),
            zorder=1,
            gid=f"{gid}-pair",
        )
    for index, (arm, y) in enumerate(zip(arms, place.marks, strict=True)):
        look = LOOKS[arm.group]
        name = f"{gid}-arm-{index}"
        if arm.span.is_complete:
            axes.plot(
                [arm.span.low, arm.span.high],
                [y, y],
                color=look.edge,
                linewidth=1.3,
                solid_capstyle="butt",
                zorder=2,
                gid=f"{name}-interval",
            )
        axes.plot(
            [arm.span.estimate],
            [y],
            marker=look.marker,
            markersize=look.size,
            markerfacecolor=look.fill,
            markeredgecolor=look.edge,
            markeredgewidth=1.4,
            linestyle="none",
            clip_on=False,
            zorder=3,
            gid=name,
        )


def legend(lines: Sequence[Line]) -> str:
    """Explain the marks that occur, and no others."""
    groups = sorted({arm.group for line in lines for arm in line.arms})
    words = "; ".join(f"{LOOKS[group].shape}: {LOOKS[group].word}" for group in groups)
    return f"{capitalised(words)}; lines: 95% Wilson intervals."
