"""The contour-enhanced funnel plot: effects against their standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.forest import NO_TRIAL
from ldn_meta.display.figures.scales import (
    LARGEST_LOG,
    EffectFormat,
    Scale,
    Under,
    UprightScale,
    checked_limits,
    draw_upright,
    linear_ticks,
    result_of,
)
from ldn_meta.display.figures.sheet import (
    KEY_HEIGHT,
    MARGIN,
    SMALL_SIZE,
    Entry,
    Foot,
    Heading,
    Sheet,
    area,
    line,
    line_entry,
    line_width,
    opening,
    patch_entry,
    point,
    steady,
    text_height,
    words_only,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import COUNTS, capitalised, count
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    LOG,
    MEASURES,
    PoolRecord,
    confidence_level,
    known_measure,
)
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ldn_meta.display.figures.sheet import ShownFigure


FUNNEL_COLUMNS = ("label", "yi", "vi")


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


def trials_of(
    frame: pd.DataFrame,
    *,
    centre: float | None,
    is_log: bool,
    level: float,
    limits: tuple[float, float] | None,
    has_no_effect: bool = True,
) -> list[Trial]:
    """Read the trials in the order given, and refuse options under which one could not be seen."""
    confidence_level(level)
    style.check_columns(frame, FUNNEL_COLUMNS)
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
    trials = [
        Trial(str(row["label"]), row["yi"], math.sqrt(row["vi"]), row.get("imputed", False))
        for row in rows
    ]
    most = LARGEST_LOG if is_log else math.inf
    if centre is not None and not (math.isfinite(centre) and abs(centre) <= most):
        message = f"centre={centre!r} is not usable; allowed: a finite effect like yi, or None"
        raise ArgumentError(message)
    if limits is not None:
        places = [("no effect", 0.0)] if has_no_effect else []
        places += [(repr(trial.label), trial.effect) for trial in trials]
        places += [] if centre is None else [("centre", centre)]
        held = f"every trial{', centre and no effect' if has_no_effect else ' and centre'}"
        checked_limits(limits, holds=places, held=held, most=most)
    return trials


def region_of(trial: Trial) -> Region:
    """Find the region a trial lies in."""
    return next(region for region in reversed(REGIONS) if trial.p >= region.above)


def quantile(level: float) -> float:
    """Standard errors from the middle to the limits that hold a share ``level`` of trials."""
    return NormalDist().inv_cdf((1 + level) / 2)


_MARK_SIZE = 5.5
_THIN, _THICK = 0.8, 1.8
_LIMIT_WIDTH = 1.2
_BROKEN: style.Dashes = (0, (5, 2.5))


def draw_inside(
    axes: Axes,
    scale: Scale,
    depth: float,
    trials: Sequence[Trial],
    *,
    centre: float | None,
    level: float,
    has_no_effect: bool,
) -> None:
    """Draw regions of p, no effect, the pooled estimate with its funnel, and every trial."""
    for index, region in enumerate(REGIONS if has_no_effect else ()):
        right = _edge(0.0, region.z, scale, depth)
        left = _edge(0.0, -region.z, scale, depth)
        corners = [(_x(scale, x), steady(se)) for x, se in [(0.0, 0.0), *right, *reversed(left)]]
        area(axes, corners, region.tone, zorder=0, gid=f"region-{index}")
    down = [0, steady(depth)]
    # Thick below thin: both stay visible where the pooled estimate is no effect.
    if centre is not None:
        top, blue = _x(scale, centre), style.POOLED
        line(axes, [top] * 2, down, blue, _THICK, cap="butt", zorder=1.5, gid="centre")
        for name, z in (("low", -quantile(level)), ("high", quantile(level))):
            end, se = _edge(centre, z, scale, depth)[0]
            line(
                axes,
                [top, _x(scale, end)],
                [0, steady(se)],
                blue,
                _LIMIT_WIDTH,
                dashes=_BROKEN,
                zorder=1.5,
                gid=f"limit-{name}",
            )
    if has_no_effect:
        line(axes, [_x(scale, 0.0)] * 2, down, style.INK, _THIN, zorder=1.7, gid="no-effect")
    seen = {False: 0, True: 0}
    for trial in trials:
        gid = f"{'imputed' if trial.is_imputed else 'trial'}-{seen[trial.is_imputed]}"
        seen[trial.is_imputed] += 1
        x, y = _x(scale, trial.effect), steady(trial.se)
        _draw_mark(axes, x, y, is_imputed=trial.is_imputed, gid=gid)


def legend_of(
    trials: Sequence[Trial], *, centre: float | None, level: float, has_no_effect: bool
) -> list[tuple[str, list[Entry]]]:
    """Explain regions and lines, and the marks where there is more than one kind."""
    regions = [
        # The white one would have no shape on paper without its edge.
        patch_entry(region.words, region.tone, half=5.0, room=15.0, rim=0.6, height=9.0)
        for region in reversed(REGIONS)
        if has_no_effect
    ]
    half, room = 13.0, 30.0
    lines = []
    if has_no_effect:
        lines.append(line_entry("no effect", style.INK, _THIN, half=half, room=room))
    if centre is not None:
        words = (
            f"pseudo {100 * level:g}% limits: {100 * level:g}% of trials, if all had that effect"
        )
        lines += [
            line_entry("pooled estimate", style.POOLED, _THICK, half=half, room=room),
            line_entry(words, style.POOLED, _LIMIT_WIDTH, half=half, room=room, dashes=_BROKEN),
        ]
    kinds = {trial.is_imputed for trial in trials}
    marks = [
        _mark_entry(words, is_imputed=is_imputed)
        for words, is_imputed in (("trial", False), ("imputed by trim and fill", True))
        if is_imputed in kinds
    ]
    return [
        ("Two-sided p", regions),
        ("Lines", lines),
        ("Marks", marks if True in kinds else []),
    ]


def _mark_entry(words: str, *, is_imputed: bool) -> Entry:
    def draw(sheet: Sheet, x: float, y: float, gid: str) -> None:
        _draw_mark(sheet.page, x, y, is_imputed=is_imputed, gid=gid)

    return Entry(words, draw, 15.0, KEY_HEIGHT)


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
    return steady(scale.place(value))


def _draw_mark(axes: Axes, x: float, y: float, *, is_imputed: bool, gid: str) -> None:
    point(
        axes,
        x,
        y,
        "o",
        _MARK_SIZE,
        style.PAPER if is_imputed else style.INK,
        # A rim of paper keeps marks apart that overlap.
        edge=style.INK if is_imputed else style.PAPER,
        rim=1.2 if is_imputed else 0.6,
        clip=False,
        zorder=4,
        gid=gid,
    )


OTHER_CAUSES = "Asymmetry has other causes than unpublished trials."
TOO_FEW = f"Fewer than {COUNTS[ENOUGH_TRIALS]} trials: chance alone makes a funnel uneven."
_PLOT_WIDTH = 380.0
_PLOT_HEIGHT = 250.0
_TICK_ROOM = 8.0
# Room beyond the outermost mark, as a share of the axis.
_PADDING = 0.04
_BELOW = 1.08


@style.draws
def funnel_plot(
    frame: Any = "yi",
    vi: ArrayLike | str | None = None,
    *,
    data: Any = None,
    labels: Sequence[str] | str | None = None,
    measure: str = "",
    direction: tuple[str, str] = ("", ""),
    x_label: str = "",
    centre: float | None = None,
    log_scale: bool | None = None,
    level: float = 0.95,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw a contour-enhanced funnel plot (Peters 2008, doi 10.1016/j.jclinepi.2007.11.010).

    Regions of two-sided p are centred at no effect, the funnel at the pooled estimate: trials
    missing where p is large suggest that such trials went unpublished, trials missing elsewhere
    suggest another cause. A share of people has no value of no effect, and so no regions.

    Parameters
    ----------
    frame : pandas.DataFrame, pool record, TrimAndFill or array
        One row a trial: ``label``, effect ``yi`` (logarithm for a ratio), variance ``vi``;
        optionally ``imputed``, True for a trial that trim and fill added. Or what a pool or
        `trim_and_fill` returned, which also brings centre, measure and imputed trials; or ``yi``
        itself, beside ``vi``.
    vi : array_like or str, optional
        Sampling variances, where ``frame`` is ``yi``.
    data : pandas.DataFrame or mapping, optional
        Table of which ``frame``, ``vi`` and ``labels`` may name columns.
    labels : sequence of str, optional
        One a trial, beside ``yi`` and ``vi``.
    measure : str
        Code of the effect measure, where no result says it.
    direction : (str, str)
        What values below and above no effect mean.
    x_label : str
        Name of the axis; the measure in words otherwise.
    centre : float, optional
        Pooled estimate on the scale of ``yi``.
    log_scale : bool, optional
        Numbers are logarithms of a ratio; the ratio is shown. The measure decides otherwise.
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
    result = None
    if not (hasattr(frame, "columns") and vi is None):
        result = result_of(frame, vi, data=data, labels=labels, measure=measure)
        number = getattr(frame, "k_filled", 0)
        frame, middle = _frame_of(result, number)
        centre = middle if centre is None else centre
    called = MEASURES[getattr(result, "measure", known_measure(measure))]
    log_scale = called.scale == LOG if log_scale is None else log_scale
    is_ratio = called.scale == LOG and log_scale
    x_label = x_label or (called.words if is_ratio else called.analysed)
    has_no_effect = called.has_no_effect
    direction = direction if has_no_effect else ("", "")
    trials = trials_of(
        frame,
        centre=centre,
        is_log=log_scale,
        level=level,
        limits=limits,
        has_no_effect=has_no_effect,
    )
    begin = opening("Funnel plot", title)
    if not trials:
        return words_only([NO_TRIAL], title, f"{begin} {NO_TRIAL}")
    depth = steady(_BELOW * max(trial.se for trial in trials))
    low, high = limits or _limits_of(
        trials, depth, centre=centre, level=level, has_no_effect=has_no_effect
    )
    if log_scale:
        # Boundaries may be cut, trials are never beyond; a mark at the very end needs its half.
        low, high = max(low, -LARGEST_LOG - 1), min(high, LARGEST_LOG + 1)
    scale = Scale.between(low, high, _PLOT_WIDTH, is_log=log_scale)
    se_ticks = linear_ticks(0.0, depth, _PLOT_HEIGHT)
    left = MARGIN + _TICK_ROOM + max(line_width(text, SMALL_SIZE) for _, text in se_ticks)
    width = left + _PLOT_WIDTH - MARGIN
    heading = Heading(title, width)
    se_label = (
        f"Standard error{' of the logarithm' if log_scale else ''} (precise trials at the top)"
    )
    # A mark at a standard error near 0 stands out of the plot by half.
    top = heading.bottom + text_height(se_label, SMALL_SIZE) + 6
    upright = UprightScale(top, _PLOT_HEIGHT, -depth, 0.0)
    under = Under(
        upright.bottom,
        left=left,
        width=_PLOT_WIDTH,
        right=left + _PLOT_WIDTH,
        no_effect=scale.no_effect,
        direction=direction,
        label=capitalised(x_label),
    )
    remarks = _remarks(trials)
    legend = legend_of(trials, centre=centre, level=level, has_no_effect=has_no_effect)
    foot = Foot(under.bottom, width, remarks, legend)
    # Half a label may stand out to the right of the last tick.
    sheet = Sheet(left + _PLOT_WIDTH + 2 * MARGIN, foot.bottom + MARGIN, heading, foot)
    sheet.small(MARGIN, top - 6, se_label, valign="bottom", gid="y-label")
    axes = sheet.plot(
        left,
        top,
        _PLOT_WIDTH,
        _PLOT_HEIGHT,
        ends=scale.ends,
        ticks=scale.ticks,
        is_log=log_scale,
    )
    axes.set_ylim(depth, 0.0)
    # The upright scale counts upwards: depth below 0 is a standard error.
    draw_upright(sheet, axes, upright.y, left, ticks=[(-se, text) for se, text in se_ticks])
    draw_inside(
        axes, scale, depth, trials, centre=centre, level=level, has_no_effect=has_no_effect
    )
    under.write(sheet)
    reported = [trial for trial in trials if not trial.is_imputed]
    errors = [trial.se for trial in trials]
    regions = [region_of(trial) for trial in reported]
    shares = [f"{region.words} {count(regions.count(region), 'trial')}" for region in REGIONS]
    imputed = len(trials) - len(reported)
    print_as = EffectFormat(2, log_scale)
    sentences = [
        begin,
        f"{capitalised(count(len(reported), 'trial'))}, {x_label}, by standard error, "
        f"{min(errors):.3g} to {max(errors):.3g}.",
        print_as.sides(direction) if any(direction) else "",
        f"Two-sided p: {', '.join(reversed(shares))}." if has_no_effect else "",
        "" if centre is None else _centre_words(reported, centre, level, print_as),
        f"{capitalised(count(imputed, 'trial'))} imputed by trim and fill." if imputed else "",
        *remarks,
    ]
    return sheet.shown(" ".join(filter(None, sentences)), axes)


funnel_output = output_of(funnel_plot)


def _frame_of(result: Any, imputed: int) -> tuple[pd.DataFrame, float | None]:
    """Make the frame of a result, of which the last trials are imputed, and its estimate."""
    if not isinstance(result, PoolRecord):
        message = f"{type(result).__name__} has no trials to draw; allowed: the result of a pool"
        raise ArgumentError(message)
    frame = result.trials_frame()
    frame["imputed"] = [row >= len(frame) - imputed for row in range(len(frame))]
    centre = float(result.estimate)
    return frame[frame["vi"].notna()], centre if math.isfinite(centre) else None


def _limits_of(
    trials: Sequence[Trial],
    depth: float,
    *,
    centre: float | None,
    level: float,
    has_no_effect: bool,
) -> tuple[float, float]:
    """Hold every trial, all boundaries and both limits down to the foot of the plot."""
    if has_no_effect:
        reach = max(region.z for region in REGIONS if region.above) * depth
        ends = [-reach, reach, *(trial.effect for trial in trials)]
    else:
        ends = [trial.effect + side * trial.se for trial in trials for side in (-1, 1)]
    if centre is not None:
        half = quantile(level) * depth
        ends += [centre - half, centre + half]
    pad = _PADDING * (max(ends) - min(ends))
    return steady(min(ends) - pad), steady(max(ends) + pad)


def _remarks(trials: Sequence[Trial]) -> list[str]:
    reported = sum(not trial.is_imputed for trial in trials)
    return [OTHER_CAUSES, *([TOO_FEW] if reported < ENOUGH_TRIALS else [])]


def _centre_words(
    trials: Sequence[Trial], centre: float, level: float, print_as: EffectFormat
) -> str:
    z = quantile(level)
    outside = sum(abs(trial.effect - centre) > z * trial.se for trial in trials)
    return (
        f"Pooled estimate {print_as.number(centre)}: "
        f"{count(sum(trial.effect < centre for trial in trials), 'trial')} below it, "
        f"{count(sum(trial.effect > centre for trial in trials), 'trial')} above it, "
        f"{count(outside, 'trial')} outside its pseudo {100 * level:g}% limits."
    )
