"""Names of the looks in a sequential figure: beside their marks, or numbers with a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.label_places import Box, Wanted, around, is_joined, place_names
from ldn_meta.display.figures.lettering import text_height, text_width, wrap
from ldn_meta.display.figures.sequential_draw import POINT_SIZE, Scales
from ldn_meta.display.figures.sequential_looks import CONVENTIONAL, Boundary, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More names than this are numbers with a key.
_MOST_NAMES = 8
_NAME_WIDTH = 120.0
_GROWTH = 1.25
_HALO = 2.0
_SMALL = style.SMALL_SIZE


@dataclass(frozen=True)
class Names:
    """The scales of the plot, and where the name or number of each look stands in it."""

    scales: Scales
    texts: list[str]
    wanted: list[Wanted]
    boxes: list[Box]
    key: str


def place_looks(
    looks: Sequence[Look], upper: Boundary, inner: Boundary, scales_of: Callable[[float], Scales]
) -> Names:
    """Place names; numbers with a key where names do not fit; a higher plot where neither do.

    Parameters
    ----------
    looks : sequence of Look
    upper, inner : Boundary
    scales_of : callable
        Makes the scales of a plot so many times as high as usual.
    """
    height = 1.0
    if len(looks) <= _MOST_NAMES:
        names = [wrap(look.label, _NAME_WIDTH, _SMALL) for look in looks]
        plan = _attempt(looks, names, scales_of(height), upper, inner, "")
        if plan:
            return plan
    numbers = [str(number + 1) for number in range(len(looks))]
    pairs = zip(numbers, (look.label for look in looks), strict=True)
    key = "; ".join(f"{number}{style.NO_BREAK}{label}" for number, label in pairs)
    while True:
        scales = scales_of(height)
        plan = _attempt(looks, numbers, scales, upper, inner, f"{key}.")
        if plan:
            return plan
        height *= _GROWTH


def _attempt(
    looks: Sequence[Look],
    texts: list[str],
    scales: Scales,
    upper: Boundary,
    inner: Boundary,
    key: str,
) -> Names | None:
    wanted = [_wanted(scales, look, text) for look, text in zip(looks, texts, strict=True)]
    plot = Box(
        scales.left + 1,
        scales.upright.top + 1,
        scales.left + scales.width - 1,
        scales.upright.bottom - 1,
    )
    boxes = place_names(
        wanted,
        taken=[],
        avoided=_line_boxes(scales, looks, upper, inner),
        inside=plot,
        is_far_allowed=bool(key),
    )
    return None if boxes is None else Names(scales, texts, wanted, boxes, key)


def _wanted(scales: Scales, look: Look, text: str) -> Wanted:
    x, y = scales.x(look.fraction), scales.upright.y(look.z)
    return Wanted(
        x,
        y,
        POINT_SIZE / 2 + 1,
        text_width(text, _SMALL),
        text_height(text, _SMALL),
        (around(x, y, POINT_SIZE + 2, POINT_SIZE + 2),),
    )


def write_names(axes: Axes, names: Names) -> None:
    """Write the name or number of every look."""
    for index, text in enumerate(names.texts):
        _write_name(
            axes, names.scales, text, names.boxes[index], names.wanted[index], f"name-{index}"
        )


def _write_name(axes: Axes, scales: Scales, text: str, box: Box, wanted: Wanted, gid: str) -> None:
    from matplotlib.patheffects import withStroke

    def share(x: float) -> float:
        return style.steady((x - scales.left) / scales.width * scales.last)

    if is_joined(box, wanted.x, wanted.y, wanted.radius):
        near_x, near_y = box.nearest(wanted.x, wanted.y)
        axes.plot(
            [share(wanted.x), share(near_x)],
            [wanted.y, near_y],
            color=style.SOFT_INK,
            linewidth=0.5,
            zorder=3.5,
            gid=f"{gid}-joint",
        )
    x, y = box.middle
    axes.text(
        share(x),
        y,
        text,
        horizontalalignment="center",
        verticalalignment="center",
        multialignment="center",
        fontsize=style.SMALL_SIZE,
        color=style.INK,
        linespacing=style.LINE_HEIGHT,
        path_effects=[withStroke(linewidth=_HALO, foreground=style.PAPER)],
        zorder=6,
        gid=gid,
    )


def _line_boxes(
    scales: Scales, looks: Sequence[Look], upper: Boundary, inner: Boundary
) -> list[Box]:
    """Rectangles along lines, which names should not lie on."""
    y = scales.upright.y
    left, right = scales.left, scales.left + scales.width
    boxes = [Box(left, y(z), right, y(z)) for z in (0.0, CONVENTIONAL, -CONVENTIONAL)]
    path = [(0.0, 0.0), *((look.fraction, look.z) for look in looks)]
    lines = [[(scales.x(fraction), y(z)) for fraction, z in path]]
    for boundary in (upper, inner):
        points = boundary.below(scales.upright.high, scales.last)
        lines += [[(scales.x(f), y(side * size)) for f, size in points] for side in (-1, 1)]
    for line in lines:
        for (x1, y1), (x2, y2) in pairwise(line):
            boxes += _along(x1, y1, x2, y2)
    return boxes


def _along(x1: float, y1: float, x2: float, y2: float) -> list[Box]:
    """Cover a slanting line by small rectangles, so that the room beside it stays free."""
    parts = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) // 8))
    ends = [(x1 + (x2 - x1) * i / parts, y1 + (y2 - y1) * i / parts) for i in range(parts + 1)]
    return [Box(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(ends)]
