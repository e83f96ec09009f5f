"""The cumulative forest plot: the answer as it stood after each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.cumulative_rows import (
    HEADS,
    Step,
    cumulative_rows,
    cumulative_steps,
)
from ldn_meta.display.figures.forest_layout import lay_out
from ldn_meta.display.figures.forest_marks import choose_scale, draw_marks, is_clipped
from ldn_meta.display.figures.forest_rows import NO_TRIAL, EffectFormat
from ldn_meta.display.figures.forest_table import Footer, write_table
from ldn_meta.display.figures.sheet import Sheet, words_only
from ldn_meta.display.wording import capitalised, count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKS = (
    "Square: all trials down to that row pooled (the first row is that trial alone); diamond and "
    "broken line: today's answer."
)
_ARROW = "Arrow: interval goes on."
_LOOKED_BACK = (
    "Looked back upon with today's methods: nobody pooled after each trial, and intervals that "
    "are looked at again and again miss more often than they say."
)


class CumulativeOptions(TypedDict):
    """The options of `cumulative_plot`, for the functions that pass them on."""

    direction: tuple[str, str]
    x_label: str
    log_scale: NotRequired[bool]
    digits: NotRequired[int]
    level: NotRequired[float]
    limits: NotRequired[tuple[float, float] | None]
    title: NotRequired[str | None]


def cumulative_plot(
    frame: pd.DataFrame,
    *,
    direction: tuple[str, str],
    x_label: str,
    log_scale: bool = False,
    digits: int = 2,
    level: float = 0.95,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a cumulative forest plot (Lau 1992, doi 10.1056/NEJM199207233270406).

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a trial, by year of publication: ``label`` of the trial that was added, ``year``,
        ``k`` trials and ``people`` so far, ``estimate, ci_low, ci_high`` of the pool so far, on
        the scale of ``yi``.
    direction : (str, str)
        What values below and above no effect mean.
    x_label : str
        Name of the axis.
    log_scale : bool
        Numbers are logarithms of a ratio; the ratio is shown.
    digits : int
        Digits behind the point.
    level : float
        Level of the intervals.
    limits : (float, float), optional
        Ends of the axis on the scale of ``yi``; chosen from the data otherwise.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any estimate.
    axes : matplotlib.axes.Axes
        x is the effect (the ratio on a log axis), y is points from the top.

    Raises
    ------
    ArgumentError
        If a column is missing, years go back, or an estimate lies outside its interval.
    """
    print_as = EffectFormat(digits, log_scale)
    steps = cumulative_steps(frame, direction=direction, print_as=print_as)
    rows = cumulative_rows(steps, print_as)
    with style.settings():
        if not any(row.effect for row in rows):
            page = words_only([row.label for row in rows], title)
            return page.figure, page.page
        layout = lay_out(
            rows,
            column_names=list(HEADS),
            dot_names=[],
            effect_header=f"Answer then\n({100 * level:g}% CI)",
            title=title,
        )
        scale = choose_scale(rows, is_log=log_scale, limits=limits)
        footer = Footer(
            layout,
            no_effect=scale.no_effect,
            direction=direction,
            x_label=capitalised(x_label),
            lines=[
                *([_MARKS] if len(steps) > 1 else []),
                _ARROW if is_clipped(rows, scale) else "",
                *([_LOOKED_BACK] if len(steps) > 1 else []),
            ],
        )
        sheet = Sheet(layout.right + style.MARGIN, footer.bottom + style.MARGIN)
        axes = draw_marks(sheet, layout, scale)
        write_table(sheet, layout)
        footer.write(sheet)
    return sheet.figure, axes


def cumulative_alt_text(frame: pd.DataFrame, **options: Unpack[CumulativeOptions]) -> str:
    """Describe the cumulative forest plot of the same arguments in plain words."""
    is_log, direction = options.get("log_scale", False), options["direction"]
    print_as = EffectFormat(options.get("digits", 2), is_log)
    steps = cumulative_steps(frame, direction=direction, print_as=print_as)
    title = options.get("title")
    opening = f"Cumulative forest plot{f': {title}' if title else ''}."
    if not steps:
        return style.spoken(f"{opening} {NO_TRIAL}")
    no_effect = "1" if is_log else "0"
    sentences = [
        opening,
        f"{capitalised(count(len(steps), 'trial'))} by year, {options['x_label']}.",
        f"Values below {no_effect}: {direction[0]}; values above {no_effect}: {direction[1]}.",
        *(_step_words(step, print_as) for step in steps),
    ]
    return style.spoken(" ".join(sentences))


def cumulative_output(
    name: str, frame: pd.DataFrame, **options: Unpack[CumulativeOptions]
) -> FigureOutput:
    """Make the cumulative forest plot ready to end a notebook cell."""
    figure, _ = cumulative_plot(frame, **options)
    return FigureOutput(figure, name, cumulative_alt_text(frame, **options))


def _step_words(step: Step, print_as: EffectFormat) -> str:
    return (
        f"{step.year:.0f}, {step.label}: {print_as.effect(step.span)}, "
        f"{count(int(step.trials), 'trial')}, {style.count(step.people)} people; {step.did}."
    )
