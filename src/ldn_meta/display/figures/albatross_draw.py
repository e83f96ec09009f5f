"""The drawn part of an albatross plot: curves, points, ranges, names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.albatross_marks import COMPARATOR_SIDE, LDN_SIDE, Mark
from ldn_meta.display.figures.albatross_scale import Scale
from ldn_meta.display.figures.label_places import Box, Wanted, around, is_joined
from ldn_meta.display.figures.lettering import text_height, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

Curve = tuple[Sequence[float], Sequence[float]]

POINT_SIZE = 7.0
UNSURE_SMALLER = 1.8
UNSURE_FILL = "#b4b4b4"
_RANGE_WIDTH = 3.2
_CAP_HALF = 4.0
_ARROW_SIZE = 5.0
_HALO = 2.0
_UNKNOWN_SIDE = 0
_SIDE_WORDS = {COMPARATOR_SIDE: "comparator", LDN_SIDE: "ldn"}
_INKS = {
    LDN_SIDE: style.LDN,
    COMPARATOR_SIDE: style.PREDICTION,
    _UNKNOWN_SIDE: style.SINGLE_ARM,
}
# The same inks mixed with white: a range says less than a point and is drawn softer.
_SOFT_INKS = {LDN_SIDE: "#8fbfe0", COMPARATOR_SIDE: "#dba295", _UNKNOWN_SIDE: UNSURE_FILL}
_DASHES = ("solid", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
# Where along a curve its name may stand, as shares of the visible part from its outer end.
_EDGE_AIR = 3.0
_BOXES_A_CURVE = 40
_NAME_SHARES = (0.04, 0.1, 0.17, 0.25, 0.34, 0.44, 0.55, 0.67, 0.8)


def ink_of(mark: Mark) -> int:
    """Key of the inks a mark is drawn in."""
    return mark.sides[0] if mark.is_side_known else _UNKNOWN_SIDE


def marker_of(mark: Mark) -> str:
    """Shape of a point: the curves hold for circles only."""
    return "D" if mark.is_paired else "o"


def draw_frame(sheet: Sheet, scale: Scale) -> Axes:
    """Draw both axes and the middle line, where p is 1."""
    axes = sheet.plot(scale.left, scale.top, scale.width, scale.height)
    axes.set_xlim(-scale.reach, scale.reach)
    ticks = scale.p_ticks()
    axes.set_xticks([place for place, _ in ticks], [label for _, label in ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    axes.axvline(0.0, color=style.INK, linewidth=0.8, zorder=1, gid="no-effect")
    axes.spines["left"].set_visible(True)
    for index, (people, label) in enumerate(scale.people_ticks()):
        y = scale.y(people)
        sheet.page.plot([scale.left - 3, scale.left], [y, y], color=style.INK, linewidth=0.8)
        sheet.write(
            scale.left - 5,
            y,
            label,
            align="right",
            size=style.SMALL_SIZE,
            gid=f"people-tick-{index}",
        )
    return axes


def curve_points(scale: Scale, curve: Curve, side: int) -> list[tuple[float, float]]:
    """Points of a curve, the smallest p first: signed decades, and points on the page."""
    points = sorted(
        (-math.log10(p), scale.y(people)) for p, people in zip(*curve, strict=True) if people > 0
    )
    return [(style.steady(side * x), style.steady(y)) for x, y in reversed(points)]


def line_boxes(scale: Scale, curves: Mapping[str, Curve]) -> list[Box]:
    """Rectangles along the curves and the middle line, which names should not lie on."""
    middle = scale.x(0.0)
    boxes = [Box(middle, scale.top, middle, scale.bottom)]
    for curve in curves.values():
        for side in _SIDE_WORDS:
            points = _in_view(scale, curve_points(scale, curve, side))
            every = max(1, len(points) // _BOXES_A_CURVE)
            for (x1, y1), (x2, y2) in pairwise(points[::every]):
                left, right = sorted((scale.x(x1), scale.x(x2)))
                boxes.append(Box(left, min(y1, y2), right, max(y1, y2)))
    return boxes


def _in_view(scale: Scale, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if abs(x) <= scale.reach and scale.top <= y <= scale.bottom]


def curve_name_boxes(
    scale: Scale, curves: Mapping[str, Curve], taken: Sequence[Box]
) -> dict[tuple[str, int], Box]:
    """Find a place on each curve and side for its name; none on a curve that is not in view."""
    boxes: dict[tuple[str, int], Box] = {}
    for name, curve in curves.items():
        for side in (COMPARATOR_SIDE, LDN_SIDE):
            points = _in_view(scale, curve_points(scale, curve, side))
            box = _curve_name_box(scale, points, name, [*taken, *boxes.values()])
            if box is not None:
                boxes[name, side] = box
    return boxes


def draw_curves(
    axes: Axes,
    scale: Scale,
    curves: Mapping[str, Curve],
    boxes: Mapping[tuple[str, int], Box],
) -> None:
    """Draw each curve on both sides, with its name where there is a place for it."""
    for index, (name, curve) in enumerate(curves.items()):
        for side, word in _SIDE_WORDS.items():
            # The axes cut what lies outside.
            points = curve_points(scale, curve, side)
            gid = f"curve-{index}-{word}"
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                color=style.RULE,
                linewidth=0.9,
                linestyle=_DASHES[index % len(_DASHES)],
                zorder=1,
                gid=gid,
            )
            if (name, side) in boxes:
                box = boxes[name, side]
                _write(axes, scale, box, name, colour=style.SOFT_INK, gid=f"{gid}-name")


def draw_mark(axes: Axes, scale: Scale, mark: Mark, gid: str) -> None:
    """Draw a result on its side, or on both, joined, where its side is not known."""
    y = scale.y(mark.people)
    ink, soft = _INKS[ink_of(mark)], _SOFT_INKS[ink_of(mark)]
    near, far = scale.distance(mark.high), scale.distance(mark.low)
    if not mark.is_side_known and near > 0:
        axes.plot(
            [-near, near],
            [y, y],
            color=soft,
            linewidth=0.9,
            linestyle=(0, (1, 2)),
            zorder=2,
            gid=f"{gid}-joint",
        )
    for side in mark.sides:
        name = f"{gid}-{_SIDE_WORDS[side]}"
        axes.plot(
            [side * near, side * far],
            [y, y],
            color=ink if mark.is_point else soft,
            linewidth=1.1 if mark.is_point else _RANGE_WIDTH,
            solid_capstyle="butt",
            zorder=2,
            gid=f"{name}-range",
        )
        if mark.is_point:
            _draw_point(axes, mark, side * scale.distance(mark.p), y, ink, name)
        else:
            _draw_ends(axes, mark, (side * near, side * far), y, ink, name)


def _draw_point(axes: Axes, mark: Mark, x: float, y: float, ink: str, gid: str) -> None:
    # Drawn twice, a result is smaller and paler: in grey as in colour it looks less sure.
    is_sure = mark.is_side_known
    size = POINT_SIZE if marker_of(mark) == "o" else POINT_SIZE - 1
    fill = ink if is_sure else _SOFT_INKS[_UNKNOWN_SIDE]
    axes.plot(
        [x],
        [y],
        marker=marker_of(mark),
        markersize=size if is_sure else size - UNSURE_SMALLER,
        markerfacecolor=fill if mark.is_randomised else style.PAPER,
        markeredgecolor=ink,
        markeredgewidth=1.3,
        linestyle="none",
        clip_on=False,
        # A point on its known side lies above one that stands on both.
        zorder=4 if is_sure else 3.5,
        gid=gid,
    )


def _draw_ends(
    axes: Axes, mark: Mark, ends: tuple[float, float], y: float, ink: str, gid: str
) -> None:
    """Close a known end with a stroke; an open one ends in an arrow at the edge."""
    near, far = ends
    closed = [near] if near else []
    if mark.low > 0:
        closed.append(far)
    else:
        axes.plot(
            [far],
            [y],
            marker=">" if far > 0 else "<",
            markersize=_ARROW_SIZE,
            color=ink,
            linestyle="none",
            clip_on=False,
            zorder=4,
            gid=f"{gid}-open",
        )
    for index, x in enumerate(closed):
        axes.plot(
            [x, x],
            [y - _CAP_HALF, y + _CAP_HALF],
            color=ink,
            linewidth=1.2,
            zorder=3,
            gid=f"{gid}-end-{index}",
        )


def draw_name(axes: Axes, scale: Scale, text: str, box: Box, wanted: Wanted, gid: str) -> None:
    """Write the name of a mark at its place, joined to the mark if it stands apart."""
    x, y = wanted.x, wanted.y
    if is_joined(box, x, y, wanted.radius):
        near_x, near_y = box.nearest(x, y)
        axes.plot(
            [_decades(scale, x), _decades(scale, near_x)],
            [y, near_y],
            color=style.SOFT_INK,
            linewidth=0.5,
            zorder=2.5,
            gid=f"{gid}-joint",
        )
    _write(axes, scale, box, text, colour=style.INK, gid=gid)


def mark_boxes(scale: Scale, mark: Mark) -> list[Box]:
    """Rectangles on the page that the point or the range of a mark takes."""
    y = scale.y(mark.people)
    boxes = []
    for side in mark.sides:
        near, far = sorted(scale.x(side * scale.distance(p)) for p in (mark.low, mark.high))
        if mark.is_point:
            x = scale.x(side * scale.distance(mark.p))
            boxes.append(around(x, y, POINT_SIZE + 2, POINT_SIZE + 2))
            boxes.append(Box(near, y - 1, far, y + 1))
        else:
            boxes.append(Box(near, y - _CAP_HALF, far, y + _CAP_HALF))
    return boxes


def _curve_name_box(
    scale: Scale, points: Sequence[tuple[float, float]], name: str, taken: Sequence[Box]
) -> Box | None:
    """Find a free place on a curve for its name, as far out as can be."""
    width, height = text_width(name, style.SMALL_SIZE), text_height(name, style.SMALL_SIZE)
    air = _EDGE_AIR
    plot = Box(scale.left + air, scale.top + air, scale.right - air, scale.bottom - air)
    for share in _NAME_SHARES if points else ():
        x, y = points[int(share * (len(points) - 1))]
        box = around(scale.x(x), y, width, height)
        if plot.holds(box) and not any(box.meets(other) for other in taken):
            return box
    return None


def _write(axes: Axes, scale: Scale, box: Box, text: str, *, colour: str, gid: str) -> None:
    from matplotlib.patheffects import withStroke

    x, y = box.middle
    axes.text(
        _decades(scale, x),
        y,
        text,
        horizontalalignment="center",
        verticalalignment="center",
        multialignment="center",
        fontsize=style.SMALL_SIZE,
        color=colour,
        linespacing=style.LINE_HEIGHT,
        # Curves may run behind a name; they must not run through its letters.
        path_effects=[withStroke(linewidth=_HALO, foreground=style.PAPER)],
        zorder=5,
        gid=gid,
    )


def _decades(scale: Scale, x: float) -> float:
    """Signed distance from the middle of a place on the page."""
    return style.steady((x - scale.left) / scale.width * 2 * scale.reach - scale.reach)
