"""What the marks and curves of an albatross plot mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.albatross_draw import (
    POINT_SIZE,
    UNSURE_FILL,
    UNSURE_SMALLER,
    Curve,
    marker_of,
)
from ldn_meta.display.figures.albatross_marks import Mark
from ldn_meta.display.figures.legend import Entry

if TYPE_CHECKING:
    from ldn_meta.display.figures.sheet import Sheet

_ROOM = 15.0
_WIDE_ROOM = 34.0
_HEIGHT = 9.0
_HALF = 13.0


def legend_groups(marks: Sequence[Mark]) -> list[tuple[str, list[Entry]]]:
    """Explain the kinds of marks that occur, and no others."""
    points = [mark for mark in marks if mark.is_point]
    ranges = [mark for mark in marks if not mark.is_point]
    kinds = (
        ("o", True, "two groups"),
        ("D", True, "same people in both arms"),
        ("o", False, "two groups, not (or not said to be) randomised"),
        ("D", False, "same people, not (or not said to be) randomised"),
    )
    occurring = {(marker_of(mark), mark.is_randomised) for mark in points}
    entries = [
        Entry(words, partial(_draw_point, marker, is_solid), _ROOM, _HEIGHT)
        for marker, is_solid, words in kinds
        if (marker, is_solid) in occurring
    ]
    bars = []
    if any(mark.low > 0 for mark in ranges):
        bars.append(Entry("p known only as a range", partial(_draw_bar, 0), _WIDE_ROOM, _HEIGHT))
    if any(mark.low == 0 for mark in ranges):
        words = "arrow: p smaller than at the stroke"
        bars.append(Entry(words, partial(_draw_bar, 1), _WIDE_ROOM, _HEIGHT))
    if any(not mark.is_side_known for mark in marks):
        bars.append(
            Entry("paler, on both sides: side not known", _draw_joint, _WIDE_ROOM, _HEIGHT)
        )
    return [("Points", entries), ("Bars", bars)]


def notes(
    marks: Sequence[Mark], called: Sequence[str], curves: Mapping[str, Curve], measure: str
) -> list[str]:
    """Say what the curves mean, and of bars what the shape of a point would say.

    Parameters
    ----------
    marks : sequence of Mark
    called : sequence of str
        Number or name of each mark in the plot.
    curves : mapping of str to (sequence of float, sequence of float)
    measure : str
        What the curves are values of.
    """
    lines = []
    if curves:
        words = (
            f"Curves: p and people at which the {measure} is {', '.join(curves)} to either side, "
            "in two groups of equal size"
        )
        if any(mark.is_paired for mark in marks):
            words += "; they do not hold where the same people stand in both arms"
        lines.append(f"{words}.")
    bars = [(mark, name) for mark, name in zip(marks, called, strict=True) if not mark.is_point]
    paired = [name for mark, name in bars if mark.is_paired]
    by_choice = [name for mark, name in bars if not mark.is_randomised]
    if paired:
        lines.append(f"Bars of the same people in both arms: {', '.join(paired)}.")
    if by_choice:
        lines.append(
            f"Bars of studies not, or not said to be, randomised: {', '.join(by_choice)}."
        )
    lines.append("The side is that of the point estimate. The plot pools nothing.")
    return lines


def _draw_point(marker: str, is_solid: bool, sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x],
        [y],
        marker=marker,
        markersize=POINT_SIZE if marker == "o" else POINT_SIZE - 1,
        markerfacecolor=style.INK if is_solid else style.PAPER,
        markeredgecolor=style.INK,
        markeredgewidth=1.3,
        linestyle="none",
        gid=gid,
    )


def _draw_bar(arrows: int, sheet: Sheet, x: float, y: float, gid: str) -> None:
    """Draw a range with a stroke at its known end, or at both."""
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=style.RULE,
        linewidth=3.2,
        solid_capstyle="butt",
        gid=gid,
    )
    strokes = [x - _HALF] if arrows else [x - _HALF, x + _HALF]
    for stroke in strokes:
        sheet.page.plot([stroke, stroke], [y - 4, y + 4], color=style.INK, linewidth=1.2)
    if arrows:
        sheet.page.plot([x + _HALF], [y], marker=">", markersize=5.0, color=style.INK)


def _draw_joint(sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=style.SINGLE_ARM,
        linewidth=0.9,
        linestyle=(0, (1, 2)),
        marker="o",
        markersize=POINT_SIZE - UNSURE_SMALLER,
        markerfacecolor=UNSURE_FILL,
        gid=gid,
    )
