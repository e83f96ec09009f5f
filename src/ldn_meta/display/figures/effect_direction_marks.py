"""The arrows of an effect direction plot: which way is the direction, how large the study."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.direction_rows import MIXED, NOT_KNOWN
from ldn_meta.display.figures.lettering import line_width
from ldn_meta.evidence.synthesis import FAVOURS_COMPARATOR, FAVOURS_LDN, NO_DIFFERENCE

if TYPE_CHECKING:
    from ldn_meta.display.figures.sheet import Sheet

# The cut points of Boon & Thomson 2021 (doi 10.1002/jrsm.1458), with the arrow's height in points.
SMALL_BELOW, LARGE_ABOVE = 50, 300
_SMALL, _MEDIUM, _LARGE = 8.5, 12.5, 17.5
ROOM = _LARGE

_UP = ((0.0, -0.5), (0.45, 0.02), (0.17, 0.02), (0.17, 0.5))
_SIDE = ((-0.56, 0.0), (-0.14, -0.42), (-0.14, -0.15), (0.14, -0.15), (0.14, -0.42), (0.56, 0.0))
_HALF = ((-0.56, 0.0), (-0.13, -0.42), (-0.13, 0.42))
_Points = tuple[tuple[float, float], ...]


def _mirrored(points: _Points) -> _Points:
    return tuple((-x, y) for x, y in reversed(points))


def _flipped(points: _Points) -> _Points:
    return tuple((x, -y) for x, y in reversed(points))


_UP_ARROW = (*_UP, *_mirrored(_UP))
# Outlines around (0, 0), y downwards, height or length about 1. Outcomes that differ are a
# sideways arrow broken in two: the shape says it, not the colour.
_OUTLINES: dict[str, tuple[_Points, ...]] = {
    FAVOURS_LDN: (_UP_ARROW,),
    FAVOURS_COMPARATOR: (_flipped(_UP_ARROW),),
    NO_DIFFERENCE: ((*_SIDE, *_flipped(_SIDE)),),
    MIXED: (_HALF, _mirrored(_HALF)),
}
COLOURS = {
    FAVOURS_LDN: style.LDN,
    FAVOURS_COMPARATOR: style.PREDICTION,
    NO_DIFFERENCE: style.SOFT_INK,
    MIXED: style.SOFT_INK,
}


def arrow_size(people: float) -> float:
    """Height of the arrow in points; of unknown number, the middle one."""
    if math.isnan(people):
        return _MEDIUM
    return _SMALL if people < SMALL_BELOW else _LARGE if people > LARGE_ABOVE else _MEDIUM


def half_width(verdict: str, people: float) -> float:
    """How far a mark reaches to either side, in points."""
    if verdict == NOT_KNOWN:
        return line_width("?", weight="bold") / 2
    return arrow_size(people) * max(x for points in _OUTLINES[verdict] for x, _ in points)


def draw_arrow(
    sheet: Sheet,
    x: float,
    y: float,
    verdict: str,
    people: float,
    *,
    gid: str,
    colour: str | None = None,
) -> None:
    """Draw a direction centred on a point: solid, or hollow if nobody said how many people.

    A direction that is not known has no arrow but a question mark.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if verdict == NOT_KNOWN:
        sheet.write(x, y, "?", align="center", weight="bold", colour=style.SOFT_INK, gid=gid)
        return
    size = arrow_size(people)
    ink = colour or COLOURS[verdict]
    outlines = [
        Path([(x + size * dx, y + size * dy) for dx, dy in (*points, points[0])], closed=True)
        for points in _OUTLINES[verdict]
    ]
    sheet.page.add_patch(
        PathPatch(
            Path.make_compound_path(*outlines),
            facecolor=style.PAPER if math.isnan(people) else ink,
            edgecolor=ink,
            linewidth=1.1,
            joinstyle="miter",
            zorder=3,
            gid=gid,
        )
    )
