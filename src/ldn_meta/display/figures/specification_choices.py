"""The lower half of a specification curve: which options go with which results."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.lettering import line_width, text_height, text_width, wrap
from ldn_meta.display.figures.specification_columns import Choice, Columns
from ldn_meta.display.figures.specification_words import share_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

NEVER = "never gives a result"
_X_LABEL = "Analyses with a result, from the smallest estimate to the largest"
_SHARE_HEAD = "Share explained"
_LEAST_LEFT = 130.0
_MOST_LEFT = 185.0
_INDENT = 12.0
_GAP = 7.0
_ROW_AIR = 2.0
_NODE_AIR = 4.0
_CELL_AIR = 0.8
_SHARE_GAP = 11.0
_SHARE_BAR = 34.0
_SMALL = style.SMALL_SIZE
# Shades are rounded to this part, so that cells that look alike are one.
_STEPS = 10
# White to the project's dark blue.
_DARK = (18, 59, 99)


@dataclass(frozen=True)
class _Row:
    """A head or an option, with its place from the top of the dashboard."""

    text: str
    top: float
    height: float
    choice: int
    option: int | None


class Dashboard:
    """Rows of options below a curve, aligned with it.

    Parameters
    ----------
    columns : Columns
    width : float
        Width of the curve in points.
    """

    def __init__(self, columns: Columns, width: float) -> None:
        self._columns, self._width = columns, width
        names = [
            *(wrap(choice.name, _MOST_LEFT, _SMALL, "bold") for choice in columns.choices),
            *(
                wrap(name, _MOST_LEFT - _INDENT, _SMALL)
                for choice in columns.choices
                for name in choice.options
            ),
        ]
        widest = max((text_width(name, _SMALL, "bold") for name in names), default=0.0)
        self.left_width = min(max(widest + _INDENT, _LEAST_LEFT), _MOST_LEFT) + _GAP
        self.right_width = 0.0
        if columns.choices:
            self.right_width = _SHARE_GAP + max(
                line_width(_SHARE_HEAD, _SMALL, "bold"),
                _SHARE_BAR + 4 + line_width("under 1%", _SMALL),
            )
        self._left = self._label_top = self._rows_top = 0.0
        self._rows = self._stack()
        self._height = self._rows[-1].top + self._rows[-1].height if self._rows else 0.0

    def place(self, left: float, top: float) -> None:
        """Set the left edge of the cells and the top of the label above them."""
        self._left, self._label_top = left, top
        self._rows_top = top + text_height(_X_LABEL, _SMALL) + _NODE_AIR

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self._rows_top + self._height

    def _stack(self) -> list[_Row]:
        rows: list[_Row] = []
        top = 0.0
        room = self.left_width - _GAP
        for number, choice in enumerate(self._columns.choices):
            top += _NODE_AIR if number else 0.0
            texts = [
                wrap(choice.name, room, _SMALL, "bold"),
                *(wrap(name, room - _INDENT, _SMALL) for name in choice.options),
            ]
            for line, text in enumerate(texts):
                height = text_height(text, _SMALL) + _ROW_AIR
                rows.append(_Row(text, top, height, number, line - 1 if line else None))
                top += height
        return rows

    def draw(self, sheet: Sheet) -> None:
        """Write the label of the common axis, and draw every row below it."""
        edge = self._left + self._width
        sheet.write(
            self._left + self._width / 2,
            self._label_top,
            _X_LABEL,
            align="center",
            valign="top",
            size=_SMALL,
            gid="x-label",
        )
        if not self._rows:
            return
        sheet.write(
            edge + _SHARE_GAP,
            self._label_top,
            _SHARE_HEAD,
            valign="top",
            size=_SMALL,
            weight="bold",
            gid="share-head",
        )
        axes = sheet.plot(self._left, self._rows_top, self._width, self._height)
        axes.set_xlim(0.0, 1.0)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        for row in self._rows:
            middle = self._rows_top + row.top + row.height / 2
            choice = self._columns.choices[row.choice]
            if row.option is None:
                self._draw_head(sheet, choice, row, middle, edge)
            else:
                self._draw_option(sheet, axes, choice, row, middle)

    def _draw_head(
        self, sheet: Sheet, choice: Choice, row: _Row, middle: float, edge: float
    ) -> None:
        gid = f"choice-{row.choice}"
        sheet.write(style.MARGIN, middle, row.text, size=_SMALL, weight="bold", gid=gid)
        if row.choice:
            sheet.rule(style.MARGIN, edge, middle - row.height / 2 - _NODE_AIR / 2, width=0.4)
        if math.isnan(choice.share_explained):
            return
        left = edge + _SHARE_GAP
        sheet.band(left, left + _SHARE_BAR, middle - 3, middle + 3, style.BAND)
        sheet.band(
            left,
            left + style.steady(_SHARE_BAR * choice.share_explained),
            middle - 3,
            middle + 3,
            style.POOLED,
        )
        sheet.page.patches[-1].set_gid(f"{gid}-bar")
        sheet.write(
            left + _SHARE_BAR + 4,
            middle,
            share_words(choice.share_explained),
            size=_SMALL,
            gid=f"{gid}-share",
        )

    def _draw_option(
        self, sheet: Sheet, axes: Axes, choice: Choice, row: _Row, middle: float
    ) -> None:
        gid = f"option-{row.choice}-{row.option}"
        option = row.option or 0
        sheet.write(style.MARGIN + _INDENT, middle, row.text, size=_SMALL, gid=f"{gid}-name")
        if option == 0:
            sheet.page.plot(
                [style.MARGIN + _INDENT / 2],
                [middle],
                marker="D",
                markersize=4.0,
                color=style.INK,
                linestyle="none",
                gid=f"{gid}-protocol",
            )
        top = self._rows_top + row.top + _CELL_AIR
        bottom = self._rows_top + row.top + row.height - _CELL_AIR
        shares = [float(share) for share in choice.shares[option]]
        _draw_cells(axes, self._columns, shares, top, bottom, gid)
        if not any(shares):
            axes.text(
                0.5,
                middle,
                NEVER,
                horizontalalignment="center",
                verticalalignment="center",
                fontsize=_SMALL,
                fontstyle="italic",
                color=style.SOFT_INK,
                gid=f"{gid}-never",
            )


def shade(share: float) -> str:
    """Colour of a cell: the darker, the more of its analyses take the option."""
    part = math.floor(share * _STEPS + 0.5) / _STEPS
    return "#" + "".join(f"{round(255 - part * (255 - dark)):02x}" for dark in _DARK)


def _draw_cells(
    axes: Axes, columns: Columns, shares: list[float], top: float, bottom: float, gid: str
) -> None:
    """Draw a row of cells as one collection; neighbours of one shade are one cell."""
    from matplotlib.collections import PolyCollection

    corners, colours = [], []
    for colour, cells in groupby(range(len(shares)), key=lambda cell: shade(shares[cell])):
        places = list(cells)
        left = style.steady(columns.edges[places[0]])
        right = style.steady(columns.edges[places[-1] + 1])
        corners.append([(left, top), (right, top), (right, bottom), (left, bottom)])
        colours.append(colour)
    axes.add_collection(
        PolyCollection(corners, facecolors=colours, edgecolors="none", linewidths=0, gid=gid),
        autolim=False,
    )
    axes.plot(
        [0, 1, 1, 0, 0],
        [top, top, bottom, bottom, top],
        color=style.RULE,
        linewidth=0.4,
        zorder=3,
        gid=f"{gid}-frame",
    )
