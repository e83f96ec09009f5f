"""Where each column and row of a forest plot stands, from measured text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ldn_meta.display.figures.forest_rows import Row
from ldn_meta.display.figures.judgement_dots import DOT_SIZE
from ldn_meta.display.figures.lettering import text_height, text_width, wrap
from ldn_meta.display.figures.sheet import Heading
from ldn_meta.display.figures.style import COLUMN_GAP, MARGIN, SMALL_SIZE

PLOT_WIDTH = 230.0
LABEL_HEADER = "Trial"
WEIGHT_HEADER = "Weight"
NOTE_INDENT = 8.0
# Wider labels break into lines; a narrower left block would break the heterogeneity line
# into a column of words.
_LABEL_WIDTH = 190.0
_LEFT_WIDTH = 225.0
_HEADER_WIDTH = 110.0
_DOT_PITCH = DOT_SIZE + 3.5
_HEAD_GAP = 4.0
# A head up to this width (D1, All) stands upright and widens its columns; a word is turned.
_UPRIGHT_WIDTH = 18.0
# From this many rows on, rows stand closer so that sixty trials still fit a printed page.
_MANY = 30
_ROW_AIR = 5.0
_ROW_AIR_MANY = 2.0


@dataclass(frozen=True)
class RowPlace:
    """A row with its broken texts and its heights in points from the top of the page."""

    row: Row
    label: str
    note: str
    top: float
    mark: float
    bottom: float


@dataclass(frozen=True)
class Column:
    """A printed column: its head and where its text is anchored."""

    header: str
    anchor: float


@dataclass(frozen=True)
class Layout:
    """All positions of the table, in points from the top left corner of the page."""

    heading: Heading
    cells: tuple[Column, ...]
    effect: Column
    weight: Column | None
    dots: tuple[Column, ...]
    plot_left: float
    right: float
    header_top: float
    header_bottom: float
    places: tuple[RowPlace, ...]

    @property
    def bottom(self) -> float:
        """Lower edge of the last row, where the axis stands."""
        return self.places[-1].bottom


def row_weight(row: Row) -> str:
    """Print totals and headings bold, as tables do."""
    return "bold" if row.kind in ("pooled", "heading") else "normal"


def lay_out(
    rows: Sequence[Row],
    *,
    column_names: Sequence[str],
    dot_names: Sequence[str],
    effect_header: str,
    title: str | None,
) -> Layout:
    """Give each column the width of its widest cell and each row the height of its lines."""
    heads = [wrap(name, _HEADER_WIDTH, weight="bold") for name in column_names]
    widths = [
        max(_bold_width(head), *(_cell_width(row, index) for row in rows))
        for index, head in enumerate(heads)
    ]
    cells_width = sum(width + COLUMN_GAP for width in widths)
    label_width = max(_label_width(rows), _LEFT_WIDTH - cells_width)
    cells = []
    edge = MARGIN + label_width
    for head, width in zip(heads, widths, strict=True):
        cells.append(Column(head, edge + COLUMN_GAP + width / 2))
        edge += COLUMN_GAP + width

    plot_left = edge + COLUMN_GAP
    effect_head = wrap(effect_header, _HEADER_WIDTH, weight="bold")
    effect_width = max(text_width(row.effect, weight=row_weight(row)) for row in rows)
    right = plot_left + PLOT_WIDTH + COLUMN_GAP + max(effect_width, _bold_width(effect_head))
    effect = Column(effect_head, right)
    weight = None
    if any(row.weight for row in rows):
        right += COLUMN_GAP + _bold_width(WEIGHT_HEADER)
        weight = Column(WEIGHT_HEADER, right)
    upright = [_bold_width(name) + _HEAD_GAP for name in dot_names if is_upright(name)]
    pitch = max(_DOT_PITCH, *upright, 0.0)
    dots = [
        Column(name, right + COLUMN_GAP + (index + 0.5) * pitch)
        for index, name in enumerate(dot_names)
    ]
    if dots:
        right = dots[-1].anchor + pitch / 2

    heading = Heading(title, right - MARGIN)
    header_top = heading.bottom
    header_height = max(
        *(text_height(head) for head in (LABEL_HEADER, effect_head, *heads)),
        *(dot_head_height(name) for name in dot_names),
    )
    header_bottom = header_top + header_height + 6
    places = _stack(rows, header_bottom + 3, label_width, edge - MARGIN)
    return Layout(
        heading,
        tuple(cells),
        effect,
        weight,
        tuple(dots),
        plot_left,
        right,
        header_top,
        header_bottom,
        tuple(places),
    )


def is_upright(dot_name: str) -> bool:
    """Say whether the head of a dot column fits its width without being turned."""
    return _bold_width(dot_name) <= _UPRIGHT_WIDTH


def dot_head_height(name: str) -> float:
    """Height of the head of a dot column, which is turned when it is a word."""
    return text_height(name) if is_upright(name) else _bold_width(name) + 2


def _stack(
    rows: Sequence[Row], top: float, label_width: float, left_width: float
) -> Iterator[RowPlace]:
    air = _ROW_AIR if len(rows) < _MANY else _ROW_AIR_MANY
    for row in rows:
        spans_block = row.kind in ("remark", "heading")
        label = wrap(row.label, left_width if spans_block else label_width, weight=row_weight(row))
        note = wrap(row.note, left_width - NOTE_INDENT, SMALL_SIZE) if row.note else ""
        main = max(text_height(text) for text in (label, row.effect, *row.cells)) + air
        extra = text_height(note, SMALL_SIZE) + 1 if note else 0.0
        if row.kind == "heading":
            top += air
        yield RowPlace(row, label, note, top, top + main / 2, top + main + extra)
        top += main + extra


def _bold_width(text: str) -> float:
    return text_width(text, weight="bold")


def _cell_width(row: Row, index: int) -> float:
    return text_width(row.cells[index], weight=row_weight(row)) if row.cells else 0.0


def _label_width(rows: Sequence[Row]) -> float:
    """Width the labels need once the longest are broken."""
    widest = _bold_width(LABEL_HEADER)
    for row in rows:
        if row.kind not in ("remark", "heading"):
            weight = row_weight(row)
            broken = wrap(row.label, _LABEL_WIDTH, weight=weight)
            widest = max(widest, text_width(broken, weight=weight))
    return widest
