"""The sequential figure: cumulative Z on its way to the required information."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.legend import Legend
from ldn_meta.display.figures.lettering import line_width, text_height, wrap
from ldn_meta.display.figures.sequential_draw import (
    Scales,
    draw_boundaries,
    draw_looks,
    draw_progress,
    legend_groups,
)
from ldn_meta.display.figures.sequential_looks import (
    NO_LOOK,
    Boundary,
    Look,
    boundary_of,
    information_words,
    looks_of,
    verdict_words,
)
from ldn_meta.display.figures.sequential_names import place_looks, write_names
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only
from ldn_meta.display.figures.upright_axis import UprightScale, draw_upright

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

_PLOT_WIDTH = 380.0
_PLOT_HEIGHT = 230.0
_LEFT_WIDTH = 112.0
_WORDS_WIDTH = 88.0
# The axis shows Z to this size even if nothing goes so far, so that figures look alike.
_LEAST_REACH = 3.5
_Z_AIR = 0.6
# A boundary further off than this would press the looks into a line: it is told in words.
_MOST_REACH = 6.0
# Below this share of the required information an axis up to all of it would show a dot.
_TINY = 0.15
_BEYOND = 1.06
_BEYOND_LAST = 1.6
_SMALL = style.SMALL_SIZE
_UP, _DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
_AXIS = "Z of the pooled effect"


class SequentialOptions(TypedDict):
    """The options of `sequential_plot`, for the functions that pass them on."""

    boundary: tuple[ArrayLike, ArrayLike]
    direction: tuple[str, str]
    ris_people: float
    futility: NotRequired[tuple[ArrayLike, ArrayLike] | None]
    remarks: NotRequired[Sequence[str]]
    title: NotRequired[str | None]


def sequential_plot(
    looks: pd.DataFrame,
    *,
    boundary: tuple[ArrayLike, ArrayLike],
    direction: tuple[str, str],
    ris_people: float,
    futility: tuple[ArrayLike, ArrayLike] | None = None,
    remarks: Sequence[str] = (),
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw cumulative Z against sequential boundaries.

    After Wetterslev 2008, doi 10.1016/j.jclinepi.2007.03.013.
    Where only a small part of the required information is there, the axis ends soon after the
    last look; the end of the way, and boundaries too far off to be drawn, are told in words.

    Parameters
    ----------
    looks : pandas.DataFrame
        One row a look, in the order they were taken: ``label`` of the trial that was added,
        ``fraction`` of the required information, ``z`` of the pool.
    boundary : (array (m,), array (m,))
        Shares of the required information, and the size of Z beyond which there is an effect;
        the sizes that hold at the looks stand at the looks.
    direction : (str, str)
        What Z below and above 0 means.
    ris_people : float
        Required information size in people; NaN if not known.
    futility : (array (m,), array (m,)), optional
        The same for the size of Z below which the effect looked for is not there.
    remarks : sequence of str
        Assumptions, printed below.
    title : str, optional
        Bold line above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any look.
    axes : matplotlib.axes.Axes
        x is the share of the required information, y is points from the top.

    Raises
    ------
    ArgumentError
        If looks or boundaries are not as described.
    """
    taken, upper = looks_of(looks), boundary_of("boundary", boundary)
    inner = boundary_of("futility", futility)
    with style.settings():
        if not taken:
            page = words_only([NO_LOOK, *remarks], title)
            return page.figure, page.page
        right = style.MARGIN + _LEFT_WIDTH + _PLOT_WIDTH
        width = right - style.MARGIN
        heading = Heading(title, width)
        progress = wrap(information_words(taken, ris_people), width, _SMALL)
        strip_top = heading.bottom + text_height(progress, _SMALL) + 2
        plan = place_looks(
            taken, upper, inner, partial(_scales, taken, upper, inner, strip_top + 22)
        )
        scales = plan.scales
        legend = Legend(legend_groups(scales, upper, inner), width)
        lines = [
            plan.key,
            verdict_words(taken, upper, inner, direction),
            *off_axis_words(scales, taken, upper, ris_people),
            *remarks,
        ]
        notes = Notes(lines, width)
        legend_top = scales.upright.bottom + 18 + text_height("", _SMALL) + 6
        notes_top = legend_top + legend.height + 5
        sheet = Sheet(right + 2 * style.MARGIN, notes_top + notes.height + style.MARGIN)
        heading.write(sheet)
        sheet.write(
            style.MARGIN, heading.bottom, progress, valign="top", size=_SMALL, gid="progress-words"
        )
        draw_progress(sheet, style.MARGIN, right, strip_top, taken[-1].fraction)
        axes = sheet.plot(scales.left, scales.upright.top, _PLOT_WIDTH, scales.upright.height)
        draw_boundaries(axes, scales, upper, inner)
        draw_looks(axes, scales, taken)
        write_names(axes, plan)
        draw_upright(sheet, axes, scales.upright, scales.left)
        _write_words(sheet, scales, direction, ris_people)
        legend.draw(sheet, legend_top)
        notes.write(sheet, notes_top)
    return sheet.figure, axes


def sequential_alt_text(looks: pd.DataFrame, **options: Unpack[SequentialOptions]) -> str:
    """Describe the sequential figure of the same arguments in plain words."""
    taken = looks_of(looks)
    upper = boundary_of("boundary", options["boundary"])
    inner = boundary_of("futility", options.get("futility"))
    title = options.get("title")
    sentences = [f"Sequential figure{f': {title}' if title else ''}."]
    if not taken:
        return style.spoken(" ".join([*sentences, NO_LOOK]))
    direction = options["direction"]
    sentences += [
        f"{information_words(taken, options['ris_people'])}.",
        f"Z below 0: {direction[0]}; Z above 0: {direction[1]}.",
        f"Looks: {'; '.join(_look_words(look, upper) for look in taken)}.",
        verdict_words(taken, upper, inner, direction),
        *off_axis_words(_scales(taken, upper, inner, 0.0), taken, upper, options["ris_people"]),
    ]
    return style.spoken(" ".join(sentences))


def sequential_output(
    name: str, looks: pd.DataFrame, **options: Unpack[SequentialOptions]
) -> FigureOutput:
    """Make the sequential figure ready to end a notebook cell."""
    figure, _ = sequential_plot(looks, **options)
    return FigureOutput(figure, name, sequential_alt_text(looks, **options))


def off_axis_words(
    scales: Scales, looks: Sequence[Look], boundary: Boundary, ris_people: float
) -> list[str]:
    """Say what is too far off to be drawn."""
    lines = []
    last = looks[-1]
    size = boundary.at(last.fraction)
    if size > scales.upright.high:
        lines.append(
            f"Off this axis: the boundary, which is {style.number(size, 1)} at the last look."
        )
    if scales.last < 1:
        people = f", {ris_people:,.0f} people" if math.isfinite(ris_people) else ""
        lines.append(f"Off this axis to the right: all of the required information{people}.")
    return lines


def _scales(
    looks: Sequence[Look], upper: Boundary, inner: Boundary, top: float, height: float = 1.0
) -> Scales:
    """Choose ends: every look in view, boundaries as far as they stay near."""
    last = looks[-1].fraction
    sizes = [abs(look.z) for look in looks]
    sizes += [size for size in (upper.at(last), inner.at(last)) if size <= _MOST_REACH]
    reach = style.steady(max(_LEAST_REACH, max(sizes) + _Z_AIR))
    end = last * _BEYOND_LAST if last < _TINY else max(1.0, last) * _BEYOND
    return Scales(
        style.MARGIN + _LEFT_WIDTH,
        _PLOT_WIDTH,
        style.steady(end),
        UprightScale(top, height * _PLOT_HEIGHT, -reach, reach),
    )


def _look_words(look: Look, upper: Boundary) -> str:
    size = upper.at(look.fraction)
    beside = f" (boundary {style.number(size, 2)})" if math.isfinite(size) else ""
    return f"{look.label} at {100 * look.fraction:.3g}%, Z {style.number(look.z, 2)}{beside}"


def _write_words(
    sheet: Sheet, scales: Scales, direction: tuple[str, str], ris_people: float
) -> None:
    """Write what the ends of both axes mean."""
    x, upright = style.MARGIN + _WORDS_WIDTH, scales.upright
    below = wrap(f"{_DOWN} {direction[0]}", _WORDS_WIDTH, _SMALL)
    above = wrap(f"{_UP} {direction[1]}", _WORDS_WIDTH, _SMALL)
    for y, text, valign, gid in (
        (upright.top, above, "top", "favours-high"),
        (upright.y(0.0), wrap(_AXIS, _WORDS_WIDTH - 14, _SMALL), "center", "y-label"),
        (upright.bottom, below, "bottom", "favours-low"),
    ):
        sheet.write(x, y, text, align="right", valign=valign, size=_SMALL, gid=gid)
    sheet.write(
        scales.left + scales.width / 2,
        upright.bottom + 16,
        "Share of the required information",
        align="center",
        valign="top",
        size=_SMALL,
        gid="x-label",
    )
    if scales.last < 1:
        return
    words = f"required: {ris_people:,.0f} people" if math.isfinite(ris_people) else "required"
    half = line_width(words, _SMALL) / 2
    middle = min(scales.x(1.0), scales.left + scales.width + style.MARGIN - half)
    sheet.write(
        middle,
        upright.top - 2,
        words,
        align="center",
        valign="bottom",
        size=_SMALL,
        gid="required-words",
    )
