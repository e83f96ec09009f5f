"""A page measured in points, with x to the right and y downwards from the top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldn_meta.display.figures.lettering import text_height, wrap
from ldn_meta.display.figures.style import (
    INK,
    LINE_HEIGHT,
    MARGIN,
    PAPER,
    RULE,
    SMALL_SIZE,
    SOFT_INK,
    TEXT_SIZE,
    TITLE_SIZE,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


_NOTE_GAP = 1.0
_TITLE_GAP = 6.0
# Where letters stand in a line of height 1.25, in font sizes from its top: capitals and
# digits are 0.73 high in DejaVu Sans, so this centres them.
_BASELINE = 0.98


class Sheet:
    """A figure whose every coordinate is a point (1/72 inch) from the top left corner.

    Text is measured in points before it is placed, so a layout in points is exact: columns
    are as wide as their widest cell, and the page is as large as its content.

    Parameters
    ----------
    width, height : float
        Size of the page in points.
    """

    def __init__(self, width: float, height: float) -> None:
        # Not by pyplot: no global list of figures, so nothing leaks or shows twice.
        from ldn_meta.display.figures.shown_figure import ShownFigure

        self.width = width
        self.height = height
        self.figure: Figure = ShownFigure(figsize=(width / 72, height / 72), facecolor=PAPER)
        self.page: Axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.page.set_axis_off()
        self.page.set_xlim(0, width)
        self.page.set_ylim(height, 0)

    def plot(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add an axes whose y coordinate is still points from the top of the page."""
        axes = self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )
        axes.set_ylim(top + height, top)
        axes.set_facecolor("none")
        axes.yaxis.set_visible(False)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        return axes

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        align: str = "left",
        valign: str = "center",
        size: float = TEXT_SIZE,
        weight: str = "normal",
        colour: str = INK,
        rotation: float = 0,
        gid: str | None = None,
    ) -> Text | None:
        """Place a text at a point; an empty text places nothing.

        Lines stand on baselines computed from the line height, and not from the letters that
        happen to occur, so that neighbouring cells always stand level.
        """
        if not text:
            return None
        if rotation == 0:
            pitch = size * LINE_HEIGHT
            lines = text.count("\n") + 1
            above = {"top": 0.0, "center": lines * pitch / 2, "bottom": lines * pitch}[valign]
            y += (lines - 1) * pitch + _BASELINE * size - above
            valign = "baseline"
        return self.page.text(
            x,
            y,
            text,
            horizontalalignment=align,
            verticalalignment=valign,
            multialignment=align,
            fontsize=size,
            fontweight=weight,
            color=colour,
            rotation=rotation,
            linespacing=LINE_HEIGHT,
            gid=gid,
        )

    def rule(self, left: float, right: float, y: float, *, width: float = 0.8) -> None:
        """Draw a horizontal line across a table."""
        self.page.plot([left, right], [y, y], color=RULE, linewidth=width, solid_capstyle="butt")

    def band(self, left: float, right: float, top: float, bottom: float, colour: str) -> None:
        """Tint a block behind a row or a heading."""
        from matplotlib.patches import Rectangle

        self.page.add_patch(
            Rectangle(
                (left, top),
                right - left,
                bottom - top,
                facecolor=colour,
                edgecolor="none",
                zorder=0,
            )
        )


class Heading:
    """The bold line above a figure, broken to the width of its content; may be empty."""

    def __init__(self, text: str | None, width: float) -> None:
        self._text = wrap(text, width, TITLE_SIZE, "bold") if text else ""
        height = text_height(self._text, TITLE_SIZE) + _TITLE_GAP if self._text else 0.0
        self.bottom = MARGIN + height

    def write(self, sheet: Sheet) -> None:
        """Write the title at the top of the page."""
        sheet.write(
            MARGIN, MARGIN, self._text, valign="top", size=TITLE_SIZE, weight="bold", gid="title"
        )


class Notes:
    """Small print under a figure, broken to its width; empty lines are dropped."""

    def __init__(self, lines: Sequence[str], width: float) -> None:
        self._lines = [wrap(line, width, SMALL_SIZE) for line in lines if line]
        self.height = sum(text_height(line, SMALL_SIZE) + _NOTE_GAP for line in self._lines)

    def write(self, sheet: Sheet, top: float) -> None:
        """Write the lines below ``top``."""
        for index, line in enumerate(self._lines):
            sheet.write(
                MARGIN,
                top,
                line,
                valign="top",
                size=SMALL_SIZE,
                colour=SOFT_INK,
                gid=f"footer-{index}",
            )
            top += text_height(line, SMALL_SIZE) + _NOTE_GAP


def words_only(texts: Sequence[str], title: str | None) -> Sheet:
    """Make a page of words, for what a plot without any number would leave to be guessed."""
    width = 430.0
    heading = Heading(title, width)
    broken = [wrap(text, width) for text in texts]
    height = heading.bottom + sum(text_height(text) + 3 for text in broken)
    sheet = Sheet(width + 2 * MARGIN, height + MARGIN)
    heading.write(sheet)
    top = heading.bottom
    for index, text in enumerate(broken):
        sheet.write(MARGIN, top, text, valign="top", gid=f"words-{index}")
        top += text_height(text) + 3
    return sheet
