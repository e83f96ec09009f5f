"""The forest plot: every trial with its arms, effect and weight, and what pools them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_alt import describe
from ldn_meta.display.figures.forest_layout import lay_out
from ldn_meta.display.figures.forest_marks import choose_scale, draw_marks, is_clipped
from ldn_meta.display.figures.forest_rows import EffectFormat, forest_rows
from ldn_meta.display.figures.forest_table import Footer, write_table
from ldn_meta.display.figures.forest_words import (
    effect_header,
    legend_line,
    measure_words,
    model_line,
)
from ldn_meta.display.figures.judgement_dots import judgement_legend
from ldn_meta.display.figures.sheet import Sheet, words_only
from ldn_meta.display.wording import capitalised

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ldn_meta.display.figures.forest_rows import Diamond
    from ldn_meta.stats.result import PooledResult


class ForestOptions(TypedDict, total=False):
    """The options of `forest_plot`, for the functions that pass them on."""

    labels: Sequence[str] | None
    columns: pd.DataFrame | None
    totals: Sequence[str] | None
    shown_only: pd.DataFrame | None
    summaries: Sequence[tuple[str, Diamond | None]] | None
    direction: tuple[str, str]
    x_label: str
    log_scale: bool
    digits: int
    limits: tuple[float, float] | None
    dots: pd.DataFrame | None
    dots_note: str
    title: str | None


def forest_plot(
    result: PooledResult | None,
    *,
    labels: Sequence[str] | None = None,
    columns: pd.DataFrame | None = None,
    totals: Sequence[str] | None = None,
    shown_only: pd.DataFrame | None = None,
    summaries: Sequence[tuple[str, Diamond | None]] | None = None,
    direction: tuple[str, str] = ("favours LDN", "favours comparator"),
    x_label: str = "",
    log_scale: bool = False,
    digits: int = 2,
    limits: tuple[float, float] | None = None,
    dots: pd.DataFrame | None = None,
    dots_note: str = "",
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a forest plot: trials, pooled effect, prediction interval, other pools.

    Each trial has a square (area shows weight) with its interval; the pooled effect is a
    diamond, the prediction interval a thin bar below it. An interval that leaves the axis
    ends in an arrow, and its numbers stand beside it in full. The figure grows with its text:
    nothing overlaps and nothing is cut.

    Parameters
    ----------
    result : PooledResult or None
        The pool, with ``yi``, ``vi``, ``weight_pct`` of shape (k,). None or ``k == 0`` gives a
        figure that says in words that there is nothing; ``k == 1`` draws no diamond.
    labels : sequence of str, optional
        One a trial; the result's own labels otherwise.
    columns : pandas.DataFrame, optional
        Arm data as text, one row a trial in the order of the trials; the column names are the
        heads, and may hold line breaks.
    totals : sequence of str, optional
        One text a column for the pooled row.
    shown_only : pandas.DataFrame, optional
        Rows drawn hollow below and never pooled: ``label, yi, ci_low, ci_high, note`` on the
        scale of ``yi``, and any of the names in ``columns`` and ``dots``.
    summaries : sequence of (str, PooledResult, other Diamond or None), optional
        Further pools, drawn as open diamonds; None is a choice that leaves no trial.
    direction : (str, str)
        What the left and the right side of no effect mean.
    x_label : str
        Name of the axis; the measure in words otherwise.
    log_scale : bool
        ``yi`` are logarithms of a ratio: numbers and axis show the ratio, on a log axis.
    digits : int
        Digits behind the point of effects and limits.
    limits : (float, float), optional
        Ends of the axis on the scale of ``yi``; chosen from the data otherwise.
    dots : pandas.DataFrame, optional
        Risk-of-bias judgements, one row a trial, one column a domain; without a trial, no row.
    dots_note : str
        What the heads of ``dots`` stand for, below the legend of the judgements.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Not known to pyplot, so it is never shown twice. Its size follows its content.
    axes : matplotlib.axes.Axes
        The drawn part: x is the effect (the ratio on a log axis), y is points from the top.

    Raises
    ------
    ArgumentError
        If an argument does not have one entry a trial, lacks a column, or holds an unknown
        judgement.
    """
    print_as = EffectFormat(digits, log_scale)
    rows = forest_rows(
        result,
        labels=labels,
        columns=columns,
        totals=totals,
        shown_only=shown_only,
        summaries=summaries,
        dots=dots,
        print_as=print_as,
    )
    with style.settings():
        if not any(row.effect for row in rows):
            texts = [f"{row.label}: {row.note}" if row.note else row.label for row in rows]
            page = words_only(texts, title)
            return page.figure, page.page
        first_pool = _first_pool(result, summaries)
        layout = lay_out(
            rows,
            column_names=[] if columns is None else [str(name) for name in columns.columns],
            dot_names=[] if dots is None else [str(name) for name in dots.columns],
            effect_header=effect_header(first_pool),
            title=title,
        )
        scale = choose_scale(rows, is_log=log_scale, limits=limits)
        measure = measure_words(first_pool)
        axis_name = f"{measure} (log axis)" if log_scale else measure
        footer = Footer(
            layout,
            no_effect=scale.no_effect,
            direction=direction,
            x_label=capitalised(x_label) or axis_name,
            lines=[
                model_line(result) if result is not None and result.k > 1 else "",
                legend_line({row.kind for row in rows}, is_clipped=is_clipped(rows, scale)),
                judgement_legend(value for row in rows for value in row.dots),
                dots_note if any(row.dots for row in rows) else "",
            ],
        )
        sheet = Sheet(layout.right + style.MARGIN, footer.bottom + style.MARGIN)
        axes = draw_marks(sheet, layout, scale)
        write_table(sheet, layout)
        footer.write(sheet)
    return sheet.figure, axes


def forest_alt_text(result: PooledResult | None, **options: Unpack[ForestOptions]) -> str:
    """Describe the forest plot of the same arguments in plain words.

    Up to twelve trials are named with their numbers; of more, the range is given.
    """
    log_scale, dots = options.get("log_scale", False), options.get("dots")
    rows = forest_rows(
        result,
        labels=options.get("labels"),
        columns=options.get("columns"),
        totals=options.get("totals"),
        shown_only=options.get("shown_only"),
        summaries=options.get("summaries"),
        dots=dots,
        print_as=EffectFormat(options.get("digits", 2), log_scale),
    )
    return describe(
        rows,
        measure=measure_words(_first_pool(result, options.get("summaries"))),
        direction=options.get("direction", ("favours LDN", "favours comparator")),
        dot_names=[] if dots is None else [str(name) for name in dots.columns],
        is_log=log_scale,
        title=options.get("title"),
    )


def forest_output(
    name: str, result: PooledResult | None, **options: Unpack[ForestOptions]
) -> FigureOutput:
    """Make the forest plot ready to end a notebook cell: drawing, file name, words."""
    figure, _ = forest_plot(result, **options)
    return FigureOutput(figure, name, forest_alt_text(result, **options))


def _first_pool(
    result: PooledResult | None, summaries: Sequence[tuple[str, Diamond | None]] | None
) -> PooledResult | None:
    """Take measure and level from the pool shown first, if there is any."""
    from ldn_meta.stats.result import PooledResult

    pools = (result, *(pool for _, pool in summaries or ()))
    return next((pool for pool in pools if isinstance(pool, PooledResult)), None)
