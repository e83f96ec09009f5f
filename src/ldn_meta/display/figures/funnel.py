"""The contour-enhanced funnel plot: effects against their standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.forest import NO_TRIAL, EffectFormat, Scale
from ldn_meta.display.figures.sheet import (
    Entry,
    Heading,
    Legend,
    Notes,
    Sheet,
    UprightScale,
    draw_upright,
    line_width,
    linear_ticks,
    ratio_ticks,
    text_height,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import FigureOutput
from ldn_meta.display.words import COUNTS, capitalised, count
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import confidence_level
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


FUNNEL_COLUMNS = ("label", "yi", "vi")
# Ratios beyond 5e21 are typing errors; they would overflow a log axis.
LARGEST_LOG = 50.0


@dataclass(frozen=True)
class Trial:
    """A trial, or one that trim and fill imputed."""

    label: str
    effect: float
    se: float
    is_imputed: bool

    @property
    def p(self) -> float:
        """Two-sided p of the trial on its own, by the normal distribution."""
        return math.erfc(abs(self.effect) / self.se / math.sqrt(2))


@dataclass(frozen=True)
class Region:
    """Effects whose two-sided p lies above a bound, up to the bound of the next region."""

    words: str
    above: float
    tone: str

    @property
    def z(self) -> float:
        """Standard errors from no effect to its outer boundary; infinite for the outermost."""
        return NormalDist().inv_cdf(1 - self.above / 2) if self.above else math.inf


# From the outermost to the middle, as they are painted one over the other.
REGIONS = (
    Region("below 0.01", 0.0, "#a8a8a8"),
    Region("0.01 to 0.05", 0.01, "#c6c6c6"),
    Region("0.05 to 0.10", 0.05, "#e3e3e3"),
    Region("above 0.10", 0.10, style.PAPER),
)


def trials_of(frame: pd.DataFrame, *, is_log: bool) -> list[Trial]:
    """Read the trials in the order given."""
    missing = [name for name in FUNNEL_COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks {', '.join(missing)}; allowed: {', '.join(FUNNEL_COLUMNS)}"
        raise ArgumentError(message)
    rows = frame.to_dict("records")
    faults = []
    for row in rows:
        yi, vi, imputed = row["yi"], row["vi"], row.get("imputed", False)
        if not math.isfinite(yi):
            faults.append(f"yi {yi:g} of {row['label']!r}: allowed is a finite number")
        elif is_log and abs(yi) > LARGEST_LOG:
            faults.append(
                f"yi {yi:g} of {row['label']!r}: allowed is a logarithm of at most "
                f"{LARGEST_LOG:g} in size"
            )
        if not (math.isfinite(vi) and vi > 0):
            faults.append(f"vi {vi:g} of {row['label']!r}: allowed is a finite number above 0")
        if not isinstance(imputed, bool):
            faults.append(f"imputed {imputed!r} of {row['label']!r}: allowed are True and False")
    if faults:
        raise ArgumentError(f"frame: {'; '.join(faults)}")
    return [
        Trial(str(row["label"]), row["yi"], math.sqrt(row["vi"]), row.get("imputed", False))
        for row in rows
    ]


def checked_trials(
    frame: pd.DataFrame,
    *,
    centre: float | None,
    is_log: bool,
    level: float,
    limits: tuple[float, float] | None,
) -> list[Trial]:
    """Read the trials, and refuse options under which one could not be seen."""
    confidence_level(level)
    trials = trials_of(frame, is_log=is_log)
    most = LARGEST_LOG if is_log else math.inf
    if centre is not None and not (math.isfinite(centre) and abs(centre) <= most):
        message = f"centre={centre!r} is not usable; allowed: a finite effect like yi, or None"
        raise ArgumentError(message)
    if limits is None:
        return trials
    low, high = limits
    places = [("no effect", 0.0), *((repr(trial.label), trial.effect) for trial in trials)]
    places += [] if centre is None else [("centre", centre)]
    outside = [f"{name} at {value:g}" for name, value in places if not low <= value <= high]
    if outside or not low < high or max(-low, high) > most or math.isinf(high - low):
        left_out = f" leaves out {', '.join(outside)}" if outside else " is no range"
        message = (
            f"limits={limits!r}{left_out}; allowed: finite limits, the lower first, that hold "
            "every trial, centre and no effect"
        )
        raise ArgumentError(message)
    return trials


def region_of(trial: Trial) -> Region:
    """Find the region a trial lies in."""
    return next(region for region in reversed(REGIONS) if trial.p >= region.above)


def quantile(level: float) -> float:
    """Standard errors from the middle to the limits that hold a share ``level`` of trials."""
    return NormalDist().inv_cdf((1 + level) / 2)


_MARK_SIZE = 5.5
_ROOM = 15.0
_WIDE_ROOM = 30.0
_HEIGHT = 9.0
_HALF = 13.0
_THIN, _THICK = 0.8, 1.8
_LIMIT_WIDTH = 1.2
_BROKEN = (0, (5, 2.5))


def draw_regions(axes: Axes, scale: Scale, depth: float) -> None:
    """Shade the regions of p about no effect, down to the standard error ``depth``."""
    from matplotlib.patches import Polygon

    for index, region in enumerate(REGIONS):
        right = _edge(0.0, region.z, scale, depth)
        left = _edge(0.0, -region.z, scale, depth)
        corners = [(0.0, 0.0), *right, *reversed(left)]
        axes.add_patch(
            Polygon(
                [(_x(scale, x), style.steady(se)) for x, se in corners],
                facecolor=region.tone,
                edgecolor="none",
                zorder=0,
                gid=f"region-{index}",
            )
        )


def draw_lines(
    axes: Axes, scale: Scale, depth: float, *, centre: float | None, level: float
) -> None:
    """Draw no effect, and the pooled estimate with the limits of its funnel."""
    # Thick below thin: both stay visible where the pooled estimate is no effect.
    if centre is not None:
        axes.plot(
            [_x(scale, centre)] * 2,
            [0, style.steady(depth)],
            color=style.POOLED,
            linewidth=_THICK,
            solid_capstyle="butt",
            zorder=1.5,
            gid="centre",
        )
        for name, z in (("low", -quantile(level)), ("high", quantile(level))):
            end, se = _edge(centre, z, scale, depth)[0]
            axes.plot(
                [_x(scale, centre), _x(scale, end)],
                [0, style.steady(se)],
                color=style.POOLED,
                linewidth=_LIMIT_WIDTH,
                linestyle=_BROKEN,
                zorder=1.5,
                gid=f"limit-{name}",
            )
    axes.plot(
        [_x(scale, 0.0)] * 2,
        [0, style.steady(depth)],
        color=style.INK,
        linewidth=_THIN,
        zorder=1.7,
        gid="no-effect",
    )


def draw_trials(axes: Axes, scale: Scale, trials: Sequence[Trial]) -> None:
    """Mark every trial at its effect and standard error."""
    seen: dict[str, int] = {}
    for trial in trials:
        kind = "imputed" if trial.is_imputed else "trial"
        index = seen[kind] = seen.get(kind, -1) + 1
        _draw_mark(
            axes,
            _x(scale, trial.effect),
            style.steady(trial.se),
            is_imputed=trial.is_imputed,
            gid=f"{kind}-{index}",
        )


def key_of(
    trials: Sequence[Trial], *, centre: float | None, level: float
) -> list[tuple[str, list[Entry]]]:
    """Explain regions and lines, and the marks where there is more than one kind."""
    regions = [
        Entry(region.words, partial(_draw_swatch, region.tone), _ROOM, _HEIGHT)
        for region in reversed(REGIONS)
    ]
    lines = [Entry("no effect", _sample(style.INK, _THIN), _WIDE_ROOM, _HEIGHT)]
    if centre is not None:
        limits = f"pseudo {100 * level:g}% limits: {100 * level:g}% of trials, if all had that"
        lines += [
            Entry("pooled estimate", _sample(style.POOLED, _THICK), _WIDE_ROOM, _HEIGHT),
            Entry(
                f"{limits} effect",
                _sample(style.POOLED, _LIMIT_WIDTH, _BROKEN),
                _WIDE_ROOM,
                _HEIGHT,
            ),
        ]
    kinds = {trial.is_imputed for trial in trials}
    marks = [
        Entry(words, partial(_draw_key_mark, is_imputed), _ROOM, _HEIGHT)
        for words, is_imputed in (("trial", False), ("imputed by trim and fill", True))
        if is_imputed in kinds
    ]
    return [
        ("Two-sided p", regions),
        ("Lines", lines),
        ("Marks", marks if True in kinds else []),
    ]


def _edge(origin: float, z: float, scale: Scale, depth: float) -> list[tuple[float, float]]:
    """Follow a line of ``z`` standard errors from ``origin`` until it leaves the plot.

    Where it leaves at the side, the corner below is a second point. Cut here, not by the axes:
    on a log axis the far end could be too large for a number.
    """
    end = origin + z * depth
    if scale.holds(end):
        return [(end, depth)]
    border = scale.high if z > 0 else scale.low
    return [(border, (border - origin) / z), (border, depth)]


def _x(scale: Scale, value: float) -> float:
    return style.steady(scale.place(value))


def _draw_mark(axes: Axes, x: float, y: float, *, is_imputed: bool, gid: str) -> None:
    axes.plot(
        [x],
        [y],
        marker="o",
        markersize=_MARK_SIZE,
        markerfacecolor=style.PAPER if is_imputed else style.INK,
        # A rim of paper keeps marks apart that overlap.
        markeredgecolor=style.INK if is_imputed else style.PAPER,
        markeredgewidth=1.2 if is_imputed else 0.6,
        linestyle="none",
        clip_on=False,
        zorder=4,
        gid=gid,
    )


def _draw_key_mark(is_imputed: bool, sheet: Sheet, x: float, y: float, gid: str) -> None:
    _draw_mark(sheet.page, x, y, is_imputed=is_imputed, gid=gid)


def _draw_swatch(tone: str, sheet: Sheet, x: float, y: float, gid: str) -> None:
    from matplotlib.patches import Rectangle

    sheet.page.add_patch(
        Rectangle(
            (x - 5, y - _HEIGHT / 2),
            10,
            _HEIGHT,
            facecolor=tone,
            # The white one would have no shape on paper.
            edgecolor=style.RULE,
            linewidth=0.6,
            gid=gid,
        )
    )


def _sample(colour: str, width: float, dashes: object = "solid") -> partial[None]:
    return partial(_draw_sample, colour, width, dashes)


def _draw_sample(
    colour: str, width: float, dashes: object, sheet: Sheet, x: float, y: float, gid: str
) -> None:
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=colour,
        linewidth=width,
        linestyle=dashes,
        gid=gid,
    )


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
