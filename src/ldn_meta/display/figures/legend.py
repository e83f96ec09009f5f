"""A legend under a figure: marks with their words, side by side, broken where the page ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures.lettering import line_width, text_height, text_width, wrap
from ldn_meta.display.figures.style import MARGIN, SMALL_SIZE

if TYPE_CHECKING:
    from ldn_meta.display.figures.sheet import Sheet

_HEAD_GAP = 8.0
_MARK_GAP = 4.0
_ENTRY_GAP = 15.0
_LINE_AIR = 4.0


@dataclass(frozen=True)
class Entry:
    """A mark and what it means.

    Attributes
    ----------
    words : str
    draw : callable
        Draws the mark: sheet, x and y of its middle in points, name of the artist.
    width, height : float
        Room the mark takes, in points.
    """

    words: str
    draw: Callable[[Sheet, float, float, str], None]
    width: float
    height: float


@dataclass(frozen=True)
class _Place:
    x: float
    line: int
    entry: Entry
    words: str


class Legend:
    """Groups of entries, each group with a bold head and on lines of its own.

    Parameters
    ----------
    groups : sequence of (str, sequence of Entry)
        A group without entries is left out.
    width : float
        Points from the left margin to where entries must end.
    """

    def __init__(self, groups: Sequence[tuple[str, Sequence[Entry]]], width: float) -> None:
        shown = [(head, entries) for head, entries in groups if entries]
        heads = [line_width(head, SMALL_SIZE, "bold") for head, _ in shown]
        self._indent = MARGIN + max(heads, default=0.0) + _HEAD_GAP
        self._right = MARGIN + width
        self._heads: list[tuple[int, str]] = []
        self._places: list[_Place] = []
        self._heights: list[float] = []
        for head, entries in shown:
            self._heads.append((len(self._heights), head))
            self._flow(entries)
        self.height = sum(self._heights)

    def _flow(self, entries: Sequence[Entry]) -> None:
        x = self._indent
        self._heights.append(0.0)
        for entry in entries:
            words = wrap(entry.words, self._right - self._indent - entry.width, SMALL_SIZE)
            reach = entry.width + text_width(words, SMALL_SIZE)
            if x + reach > self._right and x > self._indent:
                x = self._indent
                self._heights.append(0.0)
            height = max(text_height(words, SMALL_SIZE), entry.height) + _LINE_AIR
            self._heights[-1] = max(self._heights[-1], height)
            self._places.append(_Place(x, len(self._heights) - 1, entry, words))
            x += reach + _ENTRY_GAP

    def draw(self, sheet: Sheet, top: float) -> None:
        """Draw the legend below ``top``."""
        middles = [
            top + sum(self._heights[:line]) + height / 2
            for line, height in enumerate(self._heights)
        ]
        for index, (line, head) in enumerate(self._heads):
            gid = f"legend-head-{index}"
            sheet.write(MARGIN, middles[line], head, size=SMALL_SIZE, weight="bold", gid=gid)
        for index, place in enumerate(self._places):
            y, gid = middles[place.line], f"legend-{index}"
            room = place.entry.width - _MARK_GAP
            place.entry.draw(sheet, place.x + room / 2, y, f"{gid}-mark")
            sheet.write(
                place.x + place.entry.width, y, place.words, size=SMALL_SIZE, gid=f"{gid}-words"
            )
