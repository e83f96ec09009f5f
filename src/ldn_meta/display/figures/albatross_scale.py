"""The two axes of an albatross plot: p mirrored about 1, people on a log axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ldn_meta.display.figures.albatross_marks import Mark
from ldn_meta.display.figures.axis_scale import ratio_ticks
from ldn_meta.display.figures.lettering import line_width
from ldn_meta.display.figures.style import SMALL_SIZE, steady

# The axis shows p down to 0.001 even if no result needs it, so that plots look alike.
_LEAST_REACH = 3.3
_REACH_AIR = 0.45
_PEOPLE_AIR = 1.5
_LEAST_SPAN = 10.0
_TICK_GAP = 8.0
_LAST_DECIMAL = 4


@dataclass(frozen=True)
class Scale:
    """Where a p and a number of people stand, in points from the top left of the page.

    Attributes
    ----------
    left, top, width, height : float
        The plot on the page.
    reach : float
        Largest -log10 p on either side.
    fewest, most : float
        Ends of the axis of people.
    """

    left: float
    top: float
    width: float
    height: float
    reach: float
    fewest: float
    most: float

    @property
    def right(self) -> float:
        """Right edge of the plot."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower edge of the plot."""
        return self.top + self.height

    def distance(self, p: float) -> float:
        """How far from the middle a two-sided p stands, in decades; 0 is beyond the edge."""
        return self.reach if p <= 0 else min(max(-math.log10(p), 0.0), self.reach)

    def x(self, decades: float) -> float:
        """Place on the page of a signed distance from the middle."""
        return self.left + self.width * (decades + self.reach) / (2 * self.reach)

    def y(self, people: float) -> float:
        """Place on the page of a number of people."""
        share = math.log(people / self.fewest) / math.log(self.most / self.fewest)
        return self.bottom - share * self.height

    def p_ticks(self) -> list[tuple[float, str]]:
        """Signed distances with the p they stand for, as many as fit."""
        decade = self.width / (2 * self.reach)
        last = math.floor(self.reach)
        every = 1
        while (
            max(line_width(_p_label(k), SMALL_SIZE) for k in range(0, last + 1, every)) + _TICK_GAP
            > every * decade
        ):
            every += 1
        ticks = range(every, last + 1, every)
        right = [(float(k), _p_label(k)) for k in ticks]
        left = [(-place, label) for place, label in reversed(right)]
        return [*left, (0.0, _p_label(0)), *right]

    def people_ticks(self) -> list[tuple[float, str]]:
        """Numbers of people along the axis."""
        return ratio_ticks(math.log(self.fewest), math.log(self.most), self.height)


def choose_scale(
    marks: Sequence[Mark], *, left: float, top: float, width: float, height: float
) -> Scale:
    """Choose ends that keep every known end of p, and all people, in view."""
    ends = [end for mark in marks for end in (mark.low, mark.high) if end > 0]
    reach = max([_LEAST_REACH, *(_REACH_AIR - math.log10(end) for end in ends)])
    people = [mark.people for mark in marks]
    fewest, most = min(people) / _PEOPLE_AIR, max(people) * _PEOPLE_AIR
    lacking = _LEAST_SPAN / (most / fewest)
    if lacking > 1:
        fewest, most = fewest / math.sqrt(lacking), most * math.sqrt(lacking)
    return Scale(left, top, width, height, steady(reach), steady(fewest), steady(most))


def _p_label(decades: int) -> str:
    return f"{10.0**-decades:.{decades}f}" if decades <= _LAST_DECIMAL else f"1e-{decades}"
