"""The contour-enhanced funnel plot: effects against their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import linear_ticks, ratio_ticks
from ldn_meta.display.figures.forest_marks import Scale
from ldn_meta.display.figures.forest_rows import NO_TRIAL, EffectFormat
from ldn_meta.display.figures.funnel_marks import draw_lines, draw_regions, draw_trials, key_of
from ldn_meta.display.figures.funnel_trials import (
    LARGEST_LOG,
    REGIONS,
    Trial,
    checked_trials,
    quantile,
    region_of,
)
from ldn_meta.display.figures.legend import Legend
from ldn_meta.display.figures.lettering import line_width, text_height, wrap
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only
from ldn_meta.display.figures.upright_axis import UprightScale, draw_upright
from ldn_meta.display.wording import COUNTS, capitalised, count
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OTHER_CAUSES = "Asymmetry has other causes than unpublished trials."
TOO_FEW = f"Fewer than {COUNTS[ENOUGH_TRIALS]} trials: chance alone makes a funnel uneven."
_PLOT_WIDTH = 380.0
_PLOT_HEIGHT = 250.0
_TICK_ROOM = 8.0
_TICK_SPACE = 15.0
_WORD_GAP = 5.0
_SMALL = style.SMALL_SIZE
# Room beyond the outermost mark, as a share of the axis.
_PADDING = 0.04
_BELOW = 1.08


class FunnelOptions(TypedDict):
    """The options of `funnel_plot`, for the functions that pass them on."""

    direction: tuple[str, str]
    x_label: str
    centre: NotRequired[float | None]
    log_scale: NotRequired[bool]
    level: NotRequired[float]
    limits: NotRequired[tuple[float, float] | None]
    title: NotRequired[str | None]


def funnel_plot(
    frame: pd.DataFrame,
    *,
    direction: tuple[str, str],
    x_label: str,
    centre: float | None = None,
    log_scale: bool = False,
    level: float = 0.95,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a contour-enhanced funnel plot (Peters 2008, doi 10.1016/j.jclinepi.2007.11.010).

    Regions of two-sided p are centred at no effect, the funnel at the pooled estimate: trials
    missing where p is large suggest that such trials went unpublished, trials missing elsewhere
    suggest another cause.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a trial: ``label``, effect ``yi`` (logarithm for a ratio), variance ``vi``;
        optionally ``imputed``, True for a trial that trim and fill added.
    direction : (str, str)
        What values below and above no effect mean.
    x_label : str
        Name of the axis.
    centre : float, optional
        Pooled estimate on the scale of ``yi``.
    log_scale : bool
        Numbers are logarithms of a ratio; the ratio is shown.
    level : float
        Level of the pseudo limits, ``centre`` plus and minus z standard errors.
    limits : (float, float), optional
        Ends of the axis on the scale of ``yi``; chosen from the data otherwise.
    title : str, optional
        Bold line above the plot.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any trial.
    axes : matplotlib.axes.Axes
        x is the effect (the ratio on a log axis), y is the standard error, 0 at the top.

    Raises
    ------
    ArgumentError
        If the frame is not as described, centre or level is not usable, or the limits leave out
        a trial, the centre or no effect.
    """
    trials = checked_trials(frame, centre=centre, is_log=log_scale, level=level, limits=limits)
    with style.settings():
        if not trials:
            page = words_only([NO_TRIAL], title)
            return page.figure, page.page
        depth = style.steady(_BELOW * max(trial.se for trial in trials))
        scale = _scale_of(
            limits or _limits_of(trials, depth, centre=centre, level=level), is_log=log_scale
        )
        se_ticks = linear_ticks(0.0, depth, _PLOT_HEIGHT)
        left = style.MARGIN + _TICK_ROOM + max(line_width(text, _SMALL) for _, text in se_ticks)
        width = left + _PLOT_WIDTH - style.MARGIN
        heading = Heading(title, width)
        se_label = (
            f"Standard error{' of the logarithm' if log_scale else ''} (precise trials at the top)"
        )
        # A mark at a standard error near 0 stands out of the plot by half.
        upright = UprightScale(
            heading.bottom + text_height(se_label, _SMALL) + 6, _PLOT_HEIGHT, -depth, 0.0
        )
        part = left + _PLOT_WIDTH * scale.no_effect
        low, high = _side_words(direction, part, left + _PLOT_WIDTH)
        name = wrap(capitalised(x_label), _PLOT_WIDTH) if x_label else ""
        words_top = upright.bottom + _TICK_SPACE
        name_top = words_top + max((text_height(text) for text in (low, high) if text), default=0)
        legend = Legend(key_of(trials, centre=centre, level=level), width)
        legend_top = name_top + (text_height(name) + 2 if name else 0.0) + 8
        notes = Notes(_remarks(trials), width)
        notes_top = legend_top + legend.height + 5
        # Half a label may stand out to the right of the last tick.
        sheet = Sheet(
            left + _PLOT_WIDTH + 2 * style.MARGIN, notes_top + notes.height + style.MARGIN
        )
        heading.write(sheet)
        sheet.write(
            style.MARGIN, upright.top - 6, se_label, valign="bottom", size=_SMALL, gid="y-label"
        )
        axes = _draw_axes(sheet, left, upright, scale, depth)
        # The upright scale counts upwards: depth below 0 is a standard error.
        draw_upright(sheet, axes, upright, left, ticks=[(-se, text) for se, text in se_ticks])
        draw_regions(axes, scale, depth)
        draw_lines(axes, scale, depth, centre=centre, level=level)
        draw_trials(axes, scale, trials)
        sheet.write(
            part - _WORD_GAP, words_top, low, align="right", valign="top", gid="favours-low"
        )
        sheet.write(part + _WORD_GAP, words_top, high, valign="top", gid="favours-high")
        sheet.write(
            left + _PLOT_WIDTH / 2,
            name_top + 2,
            name,
            align="center",
            valign="top",
            gid="x-label",
        )
        legend.draw(sheet, legend_top)
        notes.write(sheet, notes_top)
    return sheet.figure, axes


def funnel_alt_text(frame: pd.DataFrame, **options: Unpack[FunnelOptions]) -> str:
    """Describe the funnel plot of the same arguments in plain words."""
    is_log, direction = options.get("log_scale", False), options["direction"]
    centre, level = options.get("centre"), options.get("level", 0.95)
    every = checked_trials(
        frame, centre=centre, is_log=is_log, level=level, limits=options.get("limits")
    )
    title = options.get("title")
    opening = f"Funnel plot{f': {title}' if title else ''}."
    if not every:
        return style.spoken(f"{opening} {NO_TRIAL}")
    trials = [trial for trial in every if not trial.is_imputed]
    no_effect = "1" if is_log else "0"
    errors = [trial.se for trial in every]
    regions = [region_of(trial) for trial in trials]
    shares = [f"{region.words} {count(regions.count(region), 'trial')}" for region in REGIONS]
    sentences = [
        opening,
        f"{capitalised(count(len(trials), 'trial'))}, {options['x_label']}, by standard error, "
        f"{min(errors):.3g} to {max(errors):.3g}.",
        f"Values below {no_effect}: {direction[0]}; values above {no_effect}: {direction[1]}.",
        f"Two-sided p: {', '.join(reversed(shares))}.",
        "" if centre is None else _centre_words(trials, centre, level, is_log=is_log),
        f"{capitalised(count(len(every) - len(trials), 'trial'))} imputed by trim and fill."
        if len(every) > len(trials)
        else "",
        *_remarks(every),
    ]
    return style.spoken(" ".join(filter(None, sentences)))


def funnel_output(
    name: str, frame: pd.DataFrame, **options: Unpack[FunnelOptions]
) -> FigureOutput:
    """Make the funnel plot ready to end a notebook cell."""
    figure, _ = funnel_plot(frame, **options)
    return FigureOutput(figure, name, funnel_alt_text(frame, **options))


def _limits_of(
    trials: Sequence[Trial], depth: float, *, centre: float | None, level: float
) -> tuple[float, float]:
    """Hold every trial, all boundaries and both limits down to the foot of the plot."""
    reach = max(region.z for region in REGIONS if region.above) * depth
    ends = [-reach, reach, *(trial.effect for trial in trials)]
    if centre is not None:
        half = quantile(level) * depth
        ends += [centre - half, centre + half]
    pad = _PADDING * (max(ends) - min(ends))
    return style.steady(min(ends) - pad), style.steady(max(ends) + pad)


def _scale_of(limits: tuple[float, float], *, is_log: bool) -> Scale:
    low, high = limits
    if is_log:
        # Boundaries may be cut, trials are never beyond; a mark at the very end needs its half.
        low, high = max(low, -LARGEST_LOG - 1), min(high, LARGEST_LOG + 1)
    ticks = (ratio_ticks if is_log else linear_ticks)(low, high, _PLOT_WIDTH)
    return Scale(low, high, is_log, tuple(ticks))


def _draw_axes(
    sheet: Sheet, left: float, upright: UprightScale, scale: Scale, depth: float
) -> Axes:
    axes = sheet.plot(left, upright.top, _PLOT_WIDTH, upright.height)
    axes.set_xscale("log" if scale.is_log else "linear")
    axes.set_xlim(scale.place(scale.low), scale.place(scale.high))
    axes.set_ylim(depth, 0.0)
    axes.minorticks_off()
    axes.set_xticks([value for value, _ in scale.ticks], [text for _, text in scale.ticks])
    axes.tick_params(labelsize=_SMALL, length=3, width=0.8, pad=2)
    return axes


def _side_words(direction: tuple[str, str], part: float, right: float) -> tuple[str, str]:
    """Break the words for both sides of no effect, which lies at ``part`` points."""
    low, high = direction
    return (
        wrap(f"\N{LEFTWARDS ARROW} {low}", part - _WORD_GAP - style.MARGIN) if low else "",
        wrap(f"{high} \N{RIGHTWARDS ARROW}", right - part - _WORD_GAP) if high else "",
    )


def _remarks(trials: Sequence[Trial]) -> list[str]:
    reported = sum(not trial.is_imputed for trial in trials)
    return [OTHER_CAUSES, *([TOO_FEW] if reported < ENOUGH_TRIALS else [])]


def _centre_words(trials: Sequence[Trial], centre: float, level: float, *, is_log: bool) -> str:
    z = quantile(level)
    outside = sum(abs(trial.effect - centre) > z * trial.se for trial in trials)
    return (
        f"Pooled estimate {EffectFormat(2, is_log).number(centre)}: "
        f"{count(sum(trial.effect < centre for trial in trials), 'trial')} below it, "
        f"{count(sum(trial.effect > centre for trial in trials), 'trial')} above it, "
        f"{count(outside, 'trial')} outside its pseudo {100 * level:g}% limits."
    )
