"""Where names and words stand: beside their marks, and never on each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from ldn_meta.display.figures.sheet import (
    INK,
    LINE_HEIGHT,
    NO_BREAK,
    PAPER,
    SMALL_SIZE,
    SOFT_INK,
    line,
    text_height,
    text_width,
    wrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Tried from near to far; further away, a name is joined to its mark by a line.
_NEAR = (2.5, 6.0)
JOINED_FROM = 9.0
_FAR = (11.0, 17.0, 24.0, 32.0, 42.0, 54.0, 68.0)
# Right first, as one reads; then left, above, below, and between.
_WAYS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
_CLEARANCE = 1.0
_SLACK = 0.01


@dataclass(frozen=True)
class Box:
    """A rectangle in points, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def gap(self, other: Box) -> float:
        """Distance between the two; 0 where they touch or overlap."""
        across = max(self.left - other.right, other.left - self.right, 0.0)
        down = max(self.top - other.bottom, other.top - self.bottom, 0.0)
        return math.hypot(across, down)

    def meets(self, other: Box) -> bool:
        """Whether the two overlap, or come closer than a hair."""
        return (
            self.left < other.right + _CLEARANCE
            and other.left < self.right + _CLEARANCE
            and self.top < other.bottom + _CLEARANCE
            and other.top < self.bottom + _CLEARANCE
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Point of the rectangle that is nearest to a point."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)

    @property
    def middle(self) -> tuple[float, float]:
        """Centre of the rectangle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Wanted:
    """A name of known size, and the mark it belongs to."""

    x: float
    y: float
    radius: float
    width: float
    height: float
    mark: tuple[Box, ...]


def around(x: float, y: float, width: float, height: float) -> Box:
    """Make a rectangle of a given size about a point."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def place_names(
    wanted: Sequence[Wanted],
    *,
    taken: Sequence[Box],
    avoided: Sequence[Box],
    inside: Box,
    is_far_allowed: bool,
) -> list[Box] | None:
    """Find a free place for every name.

    A name beside a mark is nearer to it than to any other, so nobody reads it as another's;
    where this cannot be, the name stands apart and a line leads to it. Names of marks in a
    crowd are placed first, while there is room.
    """
    marks = [box for name in wanted for box in name.mark]
    occupied = [*taken, *marks]
    places: dict[int, Box] = {}
    for index in sorted(range(len(wanted)), key=lambda i: _solitude(wanted, i)):
        name = wanted[index]
        beside = [box for box in _around_mark(name, _NEAR) if _is_own(box, name, marks)]
        apart = list(_around_mark(name, _FAR))
        free = [*occupied, *avoided]
        box = (
            _first(beside, free, inside)
            or _first(beside, occupied, inside)
            or _first(apart, free, inside)
            or _first(apart, occupied, inside)
        )
        if box is None and is_far_allowed:
            box = _first(_anywhere(name, inside), occupied, inside)
        if box is None:
            return None
        places[index] = box
        occupied.append(box)
    return [places[index] for index in range(len(wanted))]


def is_joined(box: Box, x: float, y: float, radius: float) -> bool:
    """Say whether a name stands so far from its mark that a line must lead to it."""
    return box.gap(Box(x, y, x, y)) >= radius + JOINED_FROM


def _is_own(box: Box, name: Wanted, marks: Sequence[Box]) -> bool:
    own = min(box.gap(part) for part in name.mark)
    return all(own <= box.gap(mark) + _SLACK for mark in marks)


def _around_mark(name: Wanted, distances: Sequence[float]) -> Iterator[Box]:
    """Places around the mark, from near to far."""
    for distance in distances:
        for right, down in _WAYS:
            x = name.x + right * (name.radius + distance + name.width / 2)
            y = name.y + down * (name.radius + distance + name.height / 2)
            yield around(x, y, name.width, name.height)


def _anywhere(name: Wanted, inside: Box) -> list[Box]:
    """Places all over the plot, from near to far."""
    across = int((inside.right - inside.left) // name.width)
    down = int((inside.bottom - inside.top) // name.height)
    middles = [
        (inside.left + (i + 0.5) * name.width, inside.top + (j + 0.5) * name.height)
        for i in range(across)
        for j in range(down)
    ]
    middles.sort(key=lambda at: math.hypot(at[0] - name.x, at[1] - name.y))
    return [around(x, y, name.width, name.height) for x, y in middles]


def _first(places: Iterable[Box], occupied: Sequence[Box], inside: Box) -> Box | None:
    for box in places:
        if inside.holds(box) and not any(box.meets(other) for other in occupied):
            return box
    return None


def _solitude(wanted: Sequence[Wanted], index: int) -> float:
    """Distance to the nearest other mark; the lonely ones can wait."""
    here = wanted[index]
    others = (
        math.hypot(other.x - here.x, other.y - here.y)
        for number, other in enumerate(wanted)
        if number != index
    )
    return min(others, default=math.inf)


def spread(
    wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float
) -> list[float]:
    """Move the middles of words in one column apart, each as little as can be.

    Words that would lie on each other form a block about the mean of where they would stand;
    blocks that then meet join.
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


_GROWTH = 1.25
_NAME_WIDTH = 120.0
Plan = TypeVar("Plan")


def fit_names(
    names: Sequence[str],
    most: int,
    attempt: Callable[[list[str], float, bool], Plan | None],
) -> tuple[Plan, list[str], str]:
    """Place names; numbers with a key where names do not fit; a higher plot where neither do.

    ``attempt`` gets the texts, how many times higher the plot is, and whether they may stand far
    from their marks. Returned are what it made, the texts, and the key.
    """
    texts = [wrap(name, _NAME_WIDTH, SMALL_SIZE) for name in names]
    plan = attempt(texts, 1.0, False) if len(names) <= most else None
    if plan is not None:
        return plan, texts, ""
    texts = [str(number) for number in range(1, len(names) + 1)]
    pairs = zip(texts, names, strict=True)
    key = "; ".join(f"{number}{NO_BREAK}{name}" for number, name in pairs)
    growth = 1.0
    while (plan := attempt(texts, growth, True)) is None:
        growth *= _GROWTH
    return plan, texts, f"{key}."


def wanted_at(x: float, y: float, text: str, *, radius: float, mark: Sequence[Box]) -> Wanted:
    """Say how much room a name needs beside its mark."""
    return Wanted(
        x, y, radius, text_width(text, SMALL_SIZE), text_height(text, SMALL_SIZE), tuple(mark)
    )


def write_name(
    axes: Axes,
    place: Callable[[float], float],
    text: str,
    box: Box,
    wanted: Wanted,
    *,
    gid: str,
    above: float,
) -> None:
    """Write a name at its place, joined to its mark if it stands apart.

    ``place`` turns points from the left of the page into a value of the axis; ``above`` is the
    zorder of what the joint covers.
    """
    if is_joined(box, wanted.x, wanted.y, wanted.radius):
        near_x, near_y = box.nearest(wanted.x, wanted.y)
        line(
            axes,
            [place(wanted.x), place(near_x)],
            [wanted.y, near_y],
            SOFT_INK,
            0.5,
            gid=f"{gid}-joint",
            zorder=above,
        )
    write_in_box(axes, place, text, box, colour=INK, gid=gid, zorder=above + 2.5)


def write_in_box(
    axes: Axes,
    place: Callable[[float], float],
    text: str,
    box: Box,
    *,
    colour: str,
    gid: str,
    zorder: float,
) -> None:
    """Write a text into its box: lines may run behind it, not through its letters."""
    from matplotlib.patheffects import withStroke

    x, y = box.middle
    axes.text(
        place(x),
        y,
        text,
        horizontalalignment="center",
        verticalalignment="center",
        multialignment="center",
        fontsize=SMALL_SIZE,
        color=colour,
        linespacing=LINE_HEIGHT,
        path_effects=[withStroke(linewidth=2.0, foreground=PAPER)],
        zorder=zorder,
        gid=gid,
    )


def along(points: Sequence[tuple[float, float]]) -> list[Box]:
    """Cover a line by small rectangles, so that the room beside it stays free."""
    boxes = []
    for (x1, y1), (x2, y2) in pairwise(points):
        parts = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) // 8))
        ends = [(x1 + (x2 - x1) * i / parts, y1 + (y2 - y1) * i / parts) for i in range(parts + 1)]
        boxes += [
            Box(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(ends)
        ]
    return boxes
