"""Where names of points can stand: near them, on nothing else, inside the plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

# Tried from near to far; further away, a name is joined to its point by a line.
_DISTANCES = (2.5, 6.0, 11.0, 17.0, 24.0, 32.0, 42.0, 54.0, 68.0)
JOINED_FROM = 11.0
# Right first, as one reads; then left, above, below, and between.
_WAYS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
_CLEARANCE = 1.0


@dataclass(frozen=True)
class Box:
    """A rectangle in points, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two share any point, or come closer than a hair."""
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
    """A name of known size that belongs to a point whose mark reaches ``radius`` points."""

    x: float
    y: float
    radius: float
    width: float
    height: float


def around(x: float, y: float, width: float, height: float) -> Box:
    """Make a rectangle of a given size about a point."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def place_names(
    wanted: Sequence[Wanted], *, taken: Sequence[Box], inside: Box, is_far_allowed: bool
) -> list[Box] | None:
    """Find a free place for every name.

    Names of points in a crowd are placed first, while there is room.

    Parameters
    ----------
    wanted : sequence of Wanted
    taken : sequence of Box
        What no name may lie on.
    inside : Box
        What no name may leave.
    is_far_allowed : bool
        Whether a name without room near its point may stand anywhere, the nearer the better.

    Returns
    -------
    list of Box or None
        In the order of ``wanted``; None if any name finds no place.
    """
    occupied = list(taken)
    places: dict[int, Box] = {}
    for index in sorted(range(len(wanted)), key=lambda i: _solitude(wanted, i)):
        near = _near(wanted[index])
        far = _anywhere(wanted[index], inside) if is_far_allowed else ()
        box = _first_free(chain(near, far), occupied, inside)
        if box is None:
            return None
        places[index] = box
        occupied.append(box)
    return [places[index] for index in range(len(wanted))]


def _near(name: Wanted) -> Iterator[Box]:
    """Places around the point, from near to far."""
    for distance in _DISTANCES:
        for right, down in _WAYS:
            x = name.x + right * (name.radius + distance + name.width / 2)
            y = name.y + down * (name.radius + distance + name.height / 2)
            yield around(x, y, name.width, name.height)


def _anywhere(name: Wanted, inside: Box) -> Iterator[Box]:
    """Places all over the plot, from near to far."""
    across = int((inside.right - inside.left) // name.width)
    down = int((inside.bottom - inside.top) // name.height)
    middles = [
        (inside.left + (i + 0.5) * name.width, inside.top + (j + 0.5) * name.height)
        for i in range(across)
        for j in range(down)
    ]
    for x, y in sorted(middles, key=lambda at: math.hypot(at[0] - name.x, at[1] - name.y)):
        yield around(x, y, name.width, name.height)


def _first_free(places: Iterable[Box], occupied: Sequence[Box], inside: Box) -> Box | None:
    for box in places:
        if inside.holds(box) and not any(box.meets(other) for other in occupied):
            return box
    return None


def _solitude(wanted: Sequence[Wanted], index: int) -> float:
    """Distance to the nearest other point; the lonely ones can wait."""
    here = wanted[index]
    others = (
        math.hypot(other.x - here.x, other.y - here.y)
        for number, other in enumerate(wanted)
        if number != index
    )
    return min(others, default=math.inf)
