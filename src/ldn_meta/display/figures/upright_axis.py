"""A scale that runs upwards, with its ticks at the left and words at the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import linear_ticks, ratio_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

_TICK = 3.0
_TICK_GAP = 5.0
_WORD_GAP = 11.0


@dataclass(frozen=True)
class UprightScale:
    """Where values stand, in points from the top of the page.

    Attributes
    ----------
    top, height : float
        The plot on the page.
    low, high : float
        Ends of the scale: logarithms for ratios.
    is_log : bool
        Whether values are logarithms, whose ticks are ratios.
    """

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
        return style.steady(
            self.bottom - (inside - self.low) / (self.high - self.low) * self.height
        )

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
        sheet.page.plot([left - _TICK, left], [y, y], color=style.INK, linewidth=0.8)
        sheet.write(
            left - _TICK_GAP, y, label, align="right", size=style.SMALL_SIZE, gid=f"{gid}-{index}"
        )


def write_beside(
    sheet: Sheet,
    edge: float,
    words: Sequence[tuple[float, float, str]],
    *,
    gid: str,
) -> None:
    """Write words to the right of a plot, each joined to its height.

    Parameters
    ----------
    sheet : Sheet
    edge : float
        Right edge of the plot in points.
    words : sequence of (float, float, str)
        Height of what is named, middle of the words, the words.
    gid : str
        Names of the texts begin with this.
    """
    for index, (at, middle, text) in enumerate(words):
        sheet.page.plot(
            [edge + 1.5, edge + _WORD_GAP - 2],
            [at, middle],
            color=style.RULE,
            linewidth=0.6,
            gid=f"{gid}-{index}-joint",
        )
        sheet.write(edge + _WORD_GAP, middle, text, size=style.SMALL_SIZE, gid=f"{gid}-{index}")


def spread(
    wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float
) -> list[float]:
    """Move the middles of words in one column apart, each as little as can be.

    Words that would lie on each other form a block about the mean of where they would stand;
    blocks that then meet join.

    Parameters
    ----------
    wanted, heights : sequence of float, (n,)
        Where the middle of each would stand, and how high it is.
    top, bottom : float
        Edges of the column; words leave it at the bottom only if they do not fit.

    Returns
    -------
    list of float
        Middles in the order given.
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
