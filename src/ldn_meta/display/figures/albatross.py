"""The albatross plot: p against people, with the effects that would join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.albatross_alt import describe
from ldn_meta.display.figures.albatross_draw import (
    POINT_SIZE,
    Curve,
    curve_name_boxes,
    draw_curves,
    draw_frame,
    draw_mark,
    draw_name,
    line_boxes,
    mark_boxes,
)
from ldn_meta.display.figures.albatross_key import legend_groups, notes
from ldn_meta.display.figures.albatross_marks import Mark, marks_of
from ldn_meta.display.figures.albatross_scale import Scale, choose_scale
from ldn_meta.display.figures.direction_rows import direction_rows
from ldn_meta.display.figures.label_places import Box, Wanted, place_names
from ldn_meta.display.figures.legend import Legend
from ldn_meta.display.figures.lettering import text_height, text_width, wrap
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

NOTHING_TO_PLACE = "No result has both a p-value and a number of people, so none can be placed."
X_LABEL = "Two-sided p-value (log axis, mirrored about 1)"
_Y_LABEL = "People (log axis)"
_PLOT_WIDTH = 440.0
_PLOT_HEIGHT = 280.0
# Crowds of results need room for their numbers.
_MORE_HEIGHT = 5.0
_GROWTH = 1.25
_TICK_ROOM = 34.0
_TICK_SPACE = 15.0
_WORD_GAP = 6.0
# More names than this are numbers with a key: names would cover the curves.
_MOST_NAMES = 6
_NAME_WIDTH = 120.0
_SMALL = style.SMALL_SIZE
_LEFT_WORDS = "\N{LEFTWARDS ARROW} favours comparator"
_RIGHT_WORDS = "favours LDN \N{RIGHTWARDS ARROW}"


def albatross_plot(
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw an albatross plot (Harrison 2017, doi 10.1002/jrsm.1239).

    Each result stands at its two-sided p, on the side of its point estimate, and at its
    number of people. A p known only as a range is a bar with an arrow at an open end; a result
    whose side is not known stands on both sides, joined by dots. Results that coincide share
    a mark; those without p or people are named below.

    Parameters
    ----------
    directions : pandas.DataFrame
        One row a study and construct, with the columns of ``DIRECTION_COLUMNS``.
    contours : mapping of str to (array of shape (m,), array of shape (m,)), optional
        By name of an effect, the two-sided p (above 0, at most 1) and the people in two equal
        groups that go with it; drawn on both sides. For a standardised mean difference d,
        people = 4 z^2 / d^2 + z^2 / 2 with z the normal quantile of 1 - p / 2.
    measure : str
        What the contours are values of.
    title : str, optional
        Bold line above the plot.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when nothing can be placed.
    axes : matplotlib.axes.Axes
        The plot: x is -log10 p, negative on the side of the comparator; y is points from the
        top of the page.

    Raises
    ------
    ArgumentError
        If the frame is refused (`direction_rows`) or a contour has no p and people of equal
        length, a p outside its range, or negative people.
    """
    curves = _curves(contours)
    marks, unplaced = marks_of(direction_rows(directions))
    with style.settings():
        if not marks:
            page = words_only([NOTHING_TO_PLACE, *_beside(unplaced)], title)
            return page.figure, page.page
        width = _TICK_ROOM + _PLOT_WIDTH
        heading = Heading(title, width)
        top = heading.bottom + text_height(_Y_LABEL, _SMALL) + 4
        plan = _plan(marks, curves, top)
        scale = plan.scale
        legend = Legend(legend_groups(marks), width)
        called = plan.texts if plan.key else [mark.name for mark in marks]
        lines = [plan.key, *notes(marks, called, curves, measure), *_beside(unplaced)]
        small_print = Notes(lines, width)
        words_top = scale.bottom + _TICK_SPACE
        label_top = words_top + text_height(_LEFT_WORDS) + 2
        legend_top = label_top + text_height(X_LABEL) + 8
        notes_top = legend_top + legend.height + 5
        page_height = notes_top + small_print.height + style.MARGIN
        # Half a label may stand out to the right of the last tick.
        sheet = Sheet(scale.right + 2 * style.MARGIN, page_height)
        heading.write(sheet)
        sheet.write(
            style.MARGIN, top - 4, _Y_LABEL, valign="bottom", size=_SMALL, gid="people-label"
        )
        axes = draw_frame(sheet, scale)
        draw_curves(axes, scale, curves, plan.curve_names)
        for index, mark in enumerate(marks):
            draw_mark(axes, scale, mark, f"mark-{index}")
            draw_name(
                axes,
                scale,
                plan.texts[index],
                plan.boxes[index],
                plan.wanted[index],
                f"name-{index}",
            )
        _write_words(sheet, scale, words_top, label_top)
        legend.draw(sheet, legend_top)
        small_print.write(sheet, notes_top)
    return sheet.figure, axes


def albatross_alt_text(
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    title: str | None = None,
) -> str:
    """Describe the albatross plot of the same arguments in plain words."""
    marks, unplaced = marks_of(direction_rows(directions))
    opening = f"Albatross plot{f': {title}' if title else ''}."
    words = describe(marks, _curves(contours), measure=measure) if marks else NOTHING_TO_PLACE
    return style.spoken(" ".join([opening, words, *_beside(unplaced)]))


def albatross_output(
    name: str,
    directions: pd.DataFrame,
    *,
    contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    measure: str = "standardised mean difference",
    title: str | None = None,
) -> FigureOutput:
    """Make the albatross plot ready to end a notebook cell."""
    figure, _ = albatross_plot(directions, contours=contours, measure=measure, title=title)
    words = albatross_alt_text(directions, contours=contours, measure=measure, title=title)
    return FigureOutput(figure, name, words)


def _curves(contours: Mapping[str, tuple[ArrayLike, ArrayLike]] | None) -> dict[str, Curve]:
    """Turn contours into lists of numbers, and refuse what cannot be drawn."""
    import numpy as np

    curves: dict[str, Curve] = {}
    for name, (p, people) in (contours or {}).items():
        ps, ns = np.asarray(p, dtype=float), np.asarray(people, dtype=float)
        if ps.ndim != 1 or ps.shape != ns.shape:
            message = (
                f"contours has shapes {ps.shape} and {ns.shape} for {name!r}: "
                "p and people need one shape (m,)"
            )
            raise ArgumentError(message)
        known = ~(np.isnan(ps) | np.isnan(ns))
        ps, ns = ps[known], ns[known]
        if np.any((ps <= 0) | (ps > 1) | (ns < 0)):
            message = (
                f"contours of {name!r} has p from {ps.min():g} to {ps.max():g} and people from "
                f"{ns.min():g}: allowed are 0 < p <= 1 and people >= 0"
            )
            raise ArgumentError(message)
        curves[name] = (ps.tolist(), ns.tolist())
    return curves


@dataclass(frozen=True)
class _Plan:
    """Where everything inside the plot stands."""

    scale: Scale
    curve_names: dict[tuple[str, int], Box]
    texts: list[str]
    wanted: list[Wanted]
    boxes: list[Box]
    key: str


def _plan(marks: Sequence[Mark], curves: Mapping[str, Curve], top: float) -> _Plan:
    """Place names; numbers with a key where names do not fit; a higher plot where neither do."""
    names = [wrap(mark.name, _NAME_WIDTH, _SMALL) for mark in marks]
    height = _PLOT_HEIGHT + _MORE_HEIGHT * max(0, len(marks) - _MOST_NAMES)
    if len(marks) <= _MOST_NAMES:
        plan = _attempt(marks, curves, names, top, height, key="")
        if plan:
            return plan
    numbers = [str(index + 1) for index in range(len(marks))]
    key = "; ".join(
        f"{number}{style.NO_BREAK}{mark.name}" for number, mark in zip(numbers, marks, strict=True)
    )
    while True:
        plan = _attempt(marks, curves, numbers, top, height, key=f"{key}.")
        if plan:
            return plan
        height *= _GROWTH


def _attempt(
    marks: Sequence[Mark],
    curves: Mapping[str, Curve],
    texts: list[str],
    top: float,
    height: float,
    *,
    key: str,
) -> _Plan | None:
    left = style.MARGIN + _TICK_ROOM
    scale = choose_scale(marks, left=left, top=top, width=_PLOT_WIDTH, height=height)
    taken = [box for mark in marks for box in mark_boxes(scale, mark)]
    curve_names = curve_name_boxes(scale, curves, taken)
    wanted = [_wanted(scale, mark, text) for mark, text in zip(marks, texts, strict=True)]
    plot = Box(scale.left + 1, scale.top + 1, scale.right - 1, scale.bottom - 1)
    boxes = place_names(
        wanted,
        taken=list(curve_names.values()),
        avoided=line_boxes(scale, curves),
        inside=plot,
        is_far_allowed=bool(key),
    )
    return None if boxes is None else _Plan(scale, curve_names, texts, wanted, boxes, key)


def _wanted(scale: Scale, mark: Mark, text: str) -> Wanted:
    """Say what place a name wants: beside a point, above or below the middle of a range."""
    side = mark.sides[-1]
    if mark.is_point:
        x = scale.x(side * scale.distance(mark.p))
    elif mark.high == 1 and not mark.is_side_known:
        x = scale.x(0.0)
    else:
        x = scale.x(side * (scale.distance(mark.low) + scale.distance(mark.high)) / 2)
    return Wanted(
        x,
        scale.y(mark.people),
        POINT_SIZE / 2 + 1,
        text_width(text, _SMALL),
        text_height(text, _SMALL),
        tuple(mark_boxes(scale, mark)),
    )


def _write_words(sheet: Sheet, scale: Scale, words_top: float, label_top: float) -> None:
    middle = scale.x(0.0)
    sheet.write(
        middle - _WORD_GAP,
        words_top,
        _LEFT_WORDS,
        align="right",
        valign="top",
        gid="favours-low",
    )
    sheet.write(middle + _WORD_GAP, words_top, _RIGHT_WORDS, valign="top", gid="favours-high")
    sheet.write(middle, label_top, X_LABEL, align="center", valign="top", gid="x-label")


def _beside(unplaced: Sequence[str]) -> list[str]:
    """Name the results that have no place in the plot."""
    return [f"Not in the plot: {'; '.join(unplaced)}."] if unplaced else []
