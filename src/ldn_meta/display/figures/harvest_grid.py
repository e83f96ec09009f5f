"""Rows of panels of a harvest plot: how wide, how high, and drawing them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.harvest_bars import (
    BAR_WIDTH,
    PANELS,
    UNKNOWN_PANEL,
    Bar,
    draw_bar,
)
from ldn_meta.display.figures.lettering import line_width, text_height, text_width, wrap
from ldn_meta.display.figures.sheet import Heading
from ldn_meta.display.wording import capitalised

if TYPE_CHECKING:
    from ldn_meta.display.figures.sheet import Sheet

_LABEL_WIDTH = 105.0
# A panel with more studies breaks into lines, so that the page stays printable.
_PER_LINE = 12
_PANEL_LEAST = 92.0
_PANEL_PAD = 8.0
_BAR_GAP = 4.0
# Above a bar stands the number of people, below it its letter.
_WORD_HEIGHT = style.SMALL_SIZE * style.LINE_HEIGHT
_LINE_AIR = 4.0
_ROW_AIR = 5.0


@dataclass(frozen=True)
class _Row:
    """A group of outcomes with the heights it takes, and where each line of bars stands."""

    name: str
    panels: dict[str, list[Bar]]
    top: float
    bases: tuple[float, ...]
    bottom: float


class Grid:
    """Rows of panels: how wide, how high, and drawing them."""

    def __init__(
        self,
        panels: Mapping[str, dict[str, list[Bar]]],
        columns: Mapping[str, str],
        title: str | None,
    ) -> None:
        bars = [bar for row in panels.values() for found in row.values() for bar in found]
        self._pitch = _BAR_GAP + max(
            BAR_WIDTH, *(line_width(bar.people, style.SMALL_SIZE) for bar in bars)
        )
        self._heads = [
            head
            for head in PANELS
            if head != UNKNOWN_PANEL or any(row[head] for row in panels.values())
        ]
        names = [wrap(capitalised(name), _LABEL_WIDTH, weight="bold") for name in columns.values()]
        left = style.MARGIN + max(text_width(name, weight="bold") for name in names)
        self._lefts: dict[str, float] = {}
        self._widths: dict[str, float] = {}
        edge = left + style.COLUMN_GAP
        for head in self._heads:
            most = max(min(len(row[head]), _PER_LINE) for row in panels.values())
            self._lefts[head] = edge
            self._widths[head] = max(_PANEL_LEAST, most * self._pitch + 2 * _PANEL_PAD)
            edge += self._widths[head]
        self.right = edge
        self._heading = Heading(title, self.right - style.MARGIN)
        self._texts = [
            wrap(head, self._widths[head] - _PANEL_PAD, weight="bold") for head in self._heads
        ]
        self._top = self._heading.bottom + max(map(text_height, self._texts)) + 6
        self._rows = []
        top = self._top
        for name, row in zip(names, panels.values(), strict=True):
            bases = list(_bases(row, top + _ROW_AIR))
            bottom = max(bases[-1] + _WORD_HEIGHT, top + text_height(name)) + _ROW_AIR
            self._rows.append(_Row(name, row, top, tuple(bases), bottom))
            top = bottom
        self.bottom = top

    def draw(self, sheet: Sheet) -> None:
        """Draw heads, names, frames and bars."""
        self._heading.write(sheet)
        for index, (head, text) in enumerate(zip(self._heads, self._texts, strict=True)):
            x = self._lefts[head] + self._widths[head] / 2
            sheet.write(
                x,
                self._top - 3,
                text,
                align="center",
                valign="bottom",
                weight="bold",
                gid=f"panel-{index}",
            )
        for index, row in enumerate(self._rows):
            middle = (row.top + row.bottom) / 2
            sheet.write(style.MARGIN, middle, row.name, weight="bold", gid=f"row-{index}")
            for number, head in enumerate(self._heads):
                self._draw_panel(
                    sheet, row, head, f"bar-{index}-{number}", is_band=number % 2 == 1
                )
        for y in (self._top, *(row.bottom for row in self._rows)):
            sheet.rule(style.MARGIN, self.right, y)

    def _draw_panel(self, sheet: Sheet, row: _Row, head: str, gid: str, *, is_band: bool) -> None:
        left, right = self._lefts[head], self._lefts[head] + self._widths[head]
        if is_band:
            sheet.band(left, right, row.top, row.bottom, style.BAND)
        bars = row.panels[head]
        if not bars:
            middle = (row.top + row.bottom) / 2
            sheet.write(
                (left + right) / 2,
                middle,
                "none",
                align="center",
                size=style.SMALL_SIZE,
                colour=style.SOFT_INK,
                gid=f"{gid}-none",
            )
        for index, bar in enumerate(bars):
            line, place = divmod(index, _PER_LINE)
            inside = min(len(bars) - line * _PER_LINE, _PER_LINE)
            x = (left + right) / 2 + (place - (inside - 1) / 2) * self._pitch
            base = row.bases[line]
            name = f"{gid}-{index}"
            draw_bar(sheet, x, base, bar.height, bar.bias, gid=name)
            for y, text, valign, end in (
                (base - bar.height - 0.5, bar.people, "bottom", "people"),
                (base + 1.0, bar.key, "top", "key"),
            ):
                sheet.write(
                    x,
                    y,
                    text,
                    align="center",
                    valign=valign,
                    size=style.SMALL_SIZE,
                    weight="bold" if end == "key" else "normal",
                    gid=f"{name}-{end}",
                )


def _bases(row: Mapping[str, Sequence[Bar]], top: float) -> Iterator[float]:
    """Let each line of bars stand as low as its highest bar needs."""
    lines = max(math.ceil(len(bars) / _PER_LINE) for bars in row.values())
    for line in range(lines):
        inside = slice(line * _PER_LINE, (line + 1) * _PER_LINE)
        highest = max(bar.height for bars in row.values() for bar in bars[inside])
        base = top + _WORD_HEIGHT + highest
        yield base
        top = base + _WORD_HEIGHT + _LINE_AIR
