"""Where names of marks can stand: near their own, on nothing else, inside the plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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
    """A name of known size, and the mark it belongs to.

    Attributes
    ----------
    x, y : float
        The point of the mark that a line would lead to.
    radius : float
        How far the mark reaches from there.
    width, height : float
        Size of the name.
    mark : tuple of Box
        What the mark takes, on both sides if it is drawn twice.
    """

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

    Parameters
    ----------
    wanted : sequence of Wanted
    taken : sequence of Box
        What no name may lie on, besides marks and other names.
    avoided : sequence of Box
        What a name lies on only if there is no better place.
    inside : Box
        What no name may leave.
    is_far_allowed : bool
        Whether a name without room near its mark may stand anywhere, the nearer the better.

    Returns
    -------
    list of Box or None
        In the order of ``wanted``; None if any name finds no place.
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
