"""The written part of a forest plot: heads, cells, and the lines below the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_layout import (
    LABEL_HEADER,
    NOTE_INDENT,
    PLOT_WIDTH,
    Layout,
    RowPlace,
    is_upright,
    row_weight,
)
from ldn_meta.display.figures.judgement_dots import draw_dot
from ldn_meta.display.figures.lettering import text_height, wrap
from ldn_meta.display.figures.sheet import Notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldn_meta.display.figures.sheet import Sheet

_TICK_SPACE = 15.0
_ARROW_LEFT = "\N{LEFTWARDS ARROW}"
_ARROW_RIGHT = "\N{RIGHTWARDS ARROW}"
_WORD_GAP = 5.0
_LABEL_GAP = 2.0


class Footer:
    """Direction words, axis label and notes, broken to fit, stacked below the axis.

    Parameters
    ----------
    layout : Layout
        The table above.
    no_effect : float
        Share of the axis, from the left, at which no effect lies: the words part there.
    direction : (str, str)
        What the left and the right side of no effect mean; empty for none.
    x_label : str
        Name of the axis.
    lines : sequence of str
        Notes across the whole page, top to bottom.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        no_effect: float,
        direction: tuple[str, str],
        x_label: str,
        lines: Sequence[str],
    ) -> None:
        self._part = layout.plot_left + PLOT_WIDTH * no_effect
        left, right = direction
        left_space = self._part - _WORD_GAP - style.MARGIN
        right_space = layout.right - self._part - _WORD_GAP
        self._left = wrap(f"{_ARROW_LEFT} {left}", left_space) if left else ""
        self._right = wrap(f"{right} {_ARROW_RIGHT}", right_space) if right else ""
        self._label = wrap(x_label, PLOT_WIDTH) if x_label else ""
        self._label_x = layout.plot_left + PLOT_WIDTH / 2
        self._words_top = layout.bottom + _TICK_SPACE
        words = [text_height(text) for text in (self._left, self._right) if text]
        self._label_top = self._words_top + max(words, default=0.0) + _LABEL_GAP
        self._notes_top = self._label_top + (text_height(self._label) if self._label else 0.0) + 8
        self._notes = Notes(lines, layout.right - style.MARGIN)
        self.bottom = self._notes_top + self._notes.height

    def write(self, sheet: Sheet) -> None:
        """Write everything below the axis."""
        top = self._words_top
        sheet.write(
            self._part - _WORD_GAP, top, self._left, align="right", valign="top", gid="favours-low"
        )
        sheet.write(self._part + _WORD_GAP, top, self._right, valign="top", gid="favours-high")
        sheet.write(
            self._label_x,
            self._label_top,
            self._label,
            align="center",
            valign="top",
            gid="x-label",
        )
        self._notes.write(sheet, self._notes_top)


def write_table(sheet: Sheet, layout: Layout) -> None:
    """Write title, heads, and the cells of every row."""
    layout.heading.write(sheet)
    _write_heads(sheet, layout)
    seen: dict[str, int] = {}
    for place in layout.places:
        kind = place.row.kind
        index = seen[kind] = seen.get(kind, -1) + 1
        _write_row(sheet, layout, place, f"{kind}-{index}")
    sheet.rule(style.MARGIN, layout.right, layout.header_top)
    sheet.rule(style.MARGIN, layout.right, layout.header_bottom)


def _write_heads(sheet: Sheet, layout: Layout) -> None:
    base = layout.header_bottom - 3
    heads = [(style.MARGIN, LABEL_HEADER, "left")]
    heads += [(column.anchor, column.header, "center") for column in layout.cells]
    heads.append((layout.effect.anchor, layout.effect.header, "right"))
    if layout.weight:
        heads.append((layout.weight.anchor, layout.weight.header, "right"))
    for index, (x, text, align) in enumerate(heads):
        sheet.write(
            x, base, text, align=align, valign="bottom", weight="bold", gid=f"head-{index}"
        )
    for index, column in enumerate(layout.dots):
        turn = 0 if is_upright(column.header) else 90
        sheet.write(
            column.anchor,
            base,
            column.header,
            align="center",
            valign="bottom",
            weight="bold",
            rotation=turn,
            gid=f"head-dot-{index}",
        )


def _write_row(sheet: Sheet, layout: Layout, place: RowPlace, gid: str) -> None:
    row, y = place.row, place.mark
    weight = row_weight(row)
    is_remark = row.kind == "remark"
    colour = style.SOFT_INK if is_remark else style.INK
    if row.kind in ("pooled", "heading"):
        sheet.rule(style.MARGIN, layout.right, place.top, width=0.5)
    sheet.write(style.MARGIN, y, place.label, weight=weight, colour=colour, gid=f"{gid}-label")
    for index, (column, text) in enumerate(zip(layout.cells, row.cells, strict=False)):
        cell = f"{gid}-cell-{index}"
        sheet.write(column.anchor, y, text, align="center", weight=weight, gid=cell)
    sheet.write(
        layout.effect.anchor, y, row.effect, align="right", weight=weight, gid=f"{gid}-effect"
    )
    if layout.weight:
        sheet.write(
            layout.weight.anchor, y, row.weight, align="right", weight=weight, gid=f"{gid}-weight"
        )
    for index, (column, value) in enumerate(zip(layout.dots, row.dots, strict=False)):
        draw_dot(sheet.page, column.anchor, y, value, gid=f"{gid}-dot-{index}")
    sheet.write(
        style.MARGIN + NOTE_INDENT,
        place.bottom - 1,
        place.note,
        valign="bottom",
        size=style.SMALL_SIZE,
        colour=style.SOFT_INK,
        gid=f"{gid}-note",
    )
