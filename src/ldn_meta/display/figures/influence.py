"""What single trials do to an answer: without each, who moves it, events by arm, a covariate.

The leave-one-out forest plot is a table like other forest plots; Baujat, L'Abbe and bubble plots
are circles on a ground with two axes, each circle named or numbered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.forest import (
    ARROW,
    I2,
    NO_TRIAL,
    ONE_TRIAL,
    TAU2,
    Kind,
    Row,
    Table,
    draw_table,
    effect_header,
    measure_words,
    model_line,
    note_sentences,
    pooled_label,
    variance_text,
)
from ldn_meta.display.figures.scales import (
    LARGEST_LOG,
    TICK_SPACE,
    Box,
    EffectFormat,
    Interval,
    UprightScale,
    Wanted,
    along,
    around,
    axis_limits,
    checked_limits,
    draw_upright,
    fit_names,
    format_of,
    linear_ticks,
    place_names,
    pool_of,
    shown_limits,
    wanted_at,
    write_ends,
    write_names,
)
from ldn_meta.display.figures.sheet import (
    KEY_HEIGHT,
    MARGIN,
    SMALL_SIZE,
    Dashes,
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
    wrap,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import capitalised, count, p_value, percent
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    LOG,
    MEASURES,
    Labels,
    checked,
    from_data,
    known_measure,
    one_of,
    trial_labels,
)
from ldn_meta.stats.influence import influence, leave_one_out
from ldn_meta.stats.pool import PooledResult, side
from ldn_meta.stats.regression import RegressionResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ldn_meta.display.figures.sheet import ShownFigure
    from ldn_meta.stats.arrays import FloatArray
    from ldn_meta.stats.regression import Prediction


def _one_set(result: object, kind: type) -> None:
    """Refuse what is not the record that is drawn, or holds many sets."""
    if not isinstance(result, kind):
        message = f"result has type {type(result).__name__}; allowed: {kind.__name__}"
        raise ArgumentError(message)
    if isinstance(result.k, np.ndarray):  # type: ignore[attr-defined]
        message = f"{result!r} is a batch; allowed: the result of one set of trials"
        raise ArgumentError(message)


def _names(labels: Labels, own: Sequence[str]) -> list[str]:
    return list(own if labels is None else trial_labels(labels, len(own)))


# ---------------------------------------------------------------- without each trial in turn


@style.draws
def leave_one_out_plot(
    result: PooledResult,
    *,
    labels: Labels = None,
    direction: tuple[str, str] = ("", ""),
    x_label: str = "",
    digits: int | None = None,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw the pool without each trial in turn, above the pool of all.

    Parameters
    ----------
    result : PooledResult or answer
        The pool of one set; it is done again without each trial, by its own methods. Ratios stand
        on a log axis.
    labels : sequence, optional
        One a trial; the result's own labels otherwise.
    direction : (str, str)
        What values below and above no effect mean; not said without.
    x_label : str
        Name of the axis; the measure in words otherwise.
    digits : int, optional
        Digits behind the point of effects and limits; two, or as many as show the interval.
    limits : (float, float), optional
        Ends of the axis on the scale of ``yi``; chosen from the data otherwise.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only with fewer than two trials.
    axes : matplotlib.axes.Axes
        x is the effect (the ratio on a log axis), y is points from the top.

    Raises
    ------
    ArgumentError
        If the result is a batch, or labels or limits are not usable.
    """
    result = pool_of(result)
    _one_set(result, PooledResult)
    names = _names(labels, result.labels)
    begin = opening("Leave-one-out forest plot", title)
    if result.k < 2:
        nothing = ONE_TRIAL if result.k else NO_TRIAL
        return words_only([nothing], title, f"{begin} {nothing}")
    settings = {name: getattr(result, name) for name in ("tau2_method", "ci_method", "level")}
    others = leave_one_out(result.yi, result.vi, **settings)
    print_as, called = format_of(result, digits)
    columns = ("estimate", "ci_low", "ci_high", "tau2", "i2_pct")
    found = np.column_stack([getattr(others, name) for name in columns])
    present = [i for i, vi in enumerate(result.vi) if not math.isnan(vi)]
    rows = [_without(f"without {names[i]}", found[i], print_as) for i in present]
    whole = np.array([getattr(result, name) for name in columns])
    rows.append(_without(f"{pooled_label(result)}, all trials", whole, print_as, "pooled"))
    told = _what_they_decide(
        [names[i] for i in present],
        [row.span for row in rows],
        print_as,
        has_no_effect=called.has_no_effect,
    )
    rows.append(Row("remark", told))
    alone = "Without one of two trials, the other stands alone." if result.k == 2 else ""
    sheet, axes = draw_table(
        Table(rows, column_names=(TAU2, I2), effect_header=effect_header(result), title=title),
        direction=direction,
        x_label=capitalised(x_label) or print_as.axis_name(called.words),
        is_log=print_as.is_log,
        limits=shown_limits(limits, print_as),
        has_no_effect=called.has_no_effect,
        notes=lambda is_cut: [
            "Square: all other trials pooled; diamond and broken line: all trials.",
            ARROW if is_cut else "",
            model_line(result, has_prediction=False),
            alone,
        ],
    )
    sentences = [
        begin,
        f"{capitalised(count(len(rows) - 2, 'trial'))}, {called.words.lower()}.",
        print_as.sides(direction) if called.has_no_effect and any(direction) else "",
        *_told_rows(rows[:-2]),
        f"{rows[-2].label}: {rows[-2].effect}.",
        told,
        alone,
    ]
    return sheet.shown(" ".join(filter(None, sentences)), axes)


leave_one_out_output = output_of(leave_one_out_plot)


def _told_rows(rows: Sequence[Row]) -> list[str]:
    """List the rows, or say between which two they lie."""
    if len(rows) <= _MOST_TOLD:
        return [f"{capitalised(row.label)}: {row.effect}." for row in rows]
    lowest = min(rows, key=lambda row: row.span.estimate)
    highest = max(rows, key=lambda row: row.span.estimate)
    return [f"From {lowest.effect} {lowest.label} to {highest.effect} {highest.label}."]


def _without(label: str, numbers: FloatArray, print_as: EffectFormat, kind: Kind = "trial") -> Row:
    """Write estimate and limits of a pool as a row, tau2 and I2 in its cells."""
    span = print_as.span(*numbers[:3])
    tau2, i2 = (steady(number) for number in numbers[3:])
    known = not math.isnan(tau2)
    cells = (variance_text(tau2), f"{style.number(i2, 0)}%") if known else ("", "")
    return Row(kind, label, span, print_as.effect(span), cells)


# From which side of no effect an interval turns to which; NaN is no side.
_TURNS = {
    "the interval no longer includes no effect": ((0.0, 1.0), (0.0, -1.0)),
    "the interval includes no effect": ((1.0, 0.0), (-1.0, 0.0)),
    "the interval lies on the other side": ((1.0, -1.0), (-1.0, 1.0)),
}


def _what_they_decide(
    names: Sequence[str],
    spans: Sequence[Interval],
    print_as: EffectFormat,
    *,
    has_no_effect: bool = True,
) -> str:
    """Say which trial moves the estimate most, and without which the interval changes side.

    The last of the spans is that of all trials.
    """
    whole = spans[-1]
    pairs = list(zip(names, spans[:-1], strict=True))
    most, span = max(pairs, key=lambda one: abs(one[1].estimate - whole.estimate))
    size = print_as.number(abs(span.estimate - whole.estimate))
    by = f"by a factor of {size}" if print_as.is_log else f"by {size}"
    if not has_no_effect:
        return f"Leaving out {most} moves the estimate most, {by}."
    here = side(whole.low, whole.high)
    lies = [(name, side(span.low, span.high)) for name, span in pairs]
    turned = [
        (words, [name for name, where in lies if (here, where) in turns])
        for words, turns in _TURNS.items()
    ]
    decides = "; ".join(f"without {', '.join(who)} {words}" for words, who in turned if who) or (
        "no single trial decides whether the interval includes no effect, or on which side it lies"
    )
    return f"Leaving out {most} moves the estimate most, {by}; {decides}."


# ---------------------------------------------------------------- circles on a ground


_PLOT_WIDTH, _PLOT_HEIGHT = 400.0, 300.0
# More names than this are numbers with a key.
_MOST_NAMES = 12
_LARGEST, _SMALLEST = 20.0, 5.0
_CIRCLE, _BAND = "#8fbfe0", "#dbe3ec"
_WORDS_ROOM = 84.0
_BROKEN: Dashes = (0, (5, 2.5))
_PAD = 0.05
# More trials than this are not listed: nobody listens to forty.
_MOST_TOLD = 12


@dataclass(frozen=True)
class Circle:
    """A trial at its place, with an area that is its share of the largest."""

    name: str
    x: float
    y: float
    size: float
    told: str

    @property
    def diameter(self) -> float:
        """Diameter in points."""
        return max(_LARGEST * math.sqrt(self.size), _SMALLEST)


@dataclass(frozen=True)
class Ground:
    """Two axes in points of the page: x from the left, y from the top."""

    left: float
    width: float
    ends: tuple[float, float]
    upright: UprightScale

    def x(self, value: float) -> float:
        """Place of a value, from the left of the page, at the edge if it lies beyond."""
        low, high = self.ends
        return self.left + (min(max(value, low), high) - low) / (high - low) * self.width

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Place of a pair of values."""
        return self.x(x), self.upright.y(y)

    def points(self, curve: Curve) -> list[tuple[float, float]]:
        """Places along a line, as far as it is on the ground."""
        pairs = zip(curve.xs, curve.ys, strict=True)
        return [self.at(x, y) for x, y in pairs if self.upright.holds(y)]

    def value(self, x: float) -> float:
        """Value of the axis at points from the left."""
        low, high = self.ends
        return steady(low + (x - self.left) / self.width * (high - low))

    @property
    def box(self) -> Box:
        """The plot as a rectangle."""
        return Box(self.left, self.upright.top, self.left + self.width, self.upright.bottom)


@dataclass(frozen=True)
class Curve:
    """A line on the ground; words put it into the legend, once for lines of the same."""

    gid: str
    words: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str
    width: float = 1.6
    dashes: Dashes = "solid"


@dataclass(frozen=True)
class Plan:
    """What a plot of circles is made of, before anything is placed."""

    circles: Sequence[Circle]
    ends: tuple[float, float]
    upright: tuple[float, float]
    x_label: str
    y_label: str
    notes: Sequence[str]
    title: str | None
    height: float = _PLOT_HEIGHT
    is_log: bool = False
    direction: tuple[str, str] = ("", "")
    curves: Sequence[Curve] = ()
    # Words of the legend, then x, lower and upper edge.
    band: tuple[str, list[float], list[float], list[float]] | None = None
    # Trials that are named: all without.
    named: Sequence[int] | None = None

    def _in_view(self) -> dict[str, Curve]:
        """Lines with words, as far as a point of them is on the upright axis."""
        low, high = self.upright
        named = [one for one in self.curves if one.words]
        return {one.words: one for one in named if any(low <= y <= high for y in one.ys)}

    def beyond(self) -> str:
        """Say which lines are off the axis."""
        words = dict.fromkeys(one.words for one in self.curves if one.words)
        off = [one for one in words if one not in self._in_view()]
        return f"Beyond the axis: {', '.join(off)}." if off else ""

    def legend(self) -> list[tuple[str, list[Entry]]]:
        """Explain lines and the band, as far as they are drawn."""
        entries = [
            line_entry(one.words, one.colour, one.width, half=13, room=30, dashes=one.dashes)
            for one in self._in_view().values()
        ]
        if self.band is not None:
            patch = patch_entry(self.band[0], _BAND, half=13, room=30, rim=0.6, height=KEY_HEIGHT)
            entries.insert(1, patch)
        return [("Lines", entries)] if entries else []


def draw_circles(plan: Plan) -> tuple[Sheet, Axes]:
    """Draw axes, lines, every circle and its name."""
    measure = UprightScale(0.0, plan.height, *plan.upright, plan.is_log)
    tick_room = 12.0 + max(line_width(text, SMALL_SIZE) for _, text in measure.ticks())
    words_room = _WORDS_ROOM if any(plan.direction) else 0.0
    left = MARGIN + words_room + tick_room
    right = left + _PLOT_WIDTH
    heading = Heading(plan.title, right - MARGIN)
    y_label = "" if words_room else wrap(plan.y_label, right - MARGIN, SMALL_SIZE)
    label_height = text_height(y_label, SMALL_SIZE) if y_label else 0.0
    # A circle at the upper edge stands out by half.
    top = heading.bottom + label_height + _LARGEST / 2 + 4
    named = [plan.circles[i] for i in plan.named or range(len(plan.circles))]

    def attempt(
        texts: list[str], growth: float, is_far_allowed: bool
    ) -> tuple[Ground, list[Wanted], list[Box]] | None:
        upright = UprightScale(top, plan.height * growth, *plan.upright, plan.is_log)
        ground = Ground(left, _PLOT_WIDTH, plan.ends, upright)
        wanted = []
        for circle, text in zip(named, texts, strict=True):
            x, y, size = *ground.at(circle.x, circle.y), circle.diameter
            mark = [around(x, y, size, size)]
            wanted.append(wanted_at(x, y, text, radius=size / 2, mark=mark))
        others = [circle for circle in plan.circles if circle not in named]
        boxes = place_names(
            wanted,
            taken=[around(*ground.at(one.x, one.y), one.diameter, one.diameter) for one in others],
            avoided=[box for one in plan.curves for box in along(ground.points(one))],
            inside=ground.box.inset(1),
            is_far_allowed=is_far_allowed,
        )
        return None if boxes is None else (ground, wanted, boxes)

    names = [style.typeset(circle.name) for circle in named]
    (ground, wanted, boxes), texts, key = fit_names(names, _MOST_NAMES, attempt)
    x_label = wrap(plan.x_label, _PLOT_WIDTH, SMALL_SIZE)
    label_top = ground.upright.bottom + TICK_SPACE
    foot = Foot(
        label_top + text_height(x_label, SMALL_SIZE) + 8,
        right - MARGIN,
        [key, *plan.notes, plan.beyond()],
        plan.legend(),
    )
    sheet = Sheet(right + 2 * MARGIN, foot.bottom + MARGIN, heading, foot)
    axes = sheet.plot(
        left,
        top,
        _PLOT_WIDTH,
        ground.upright.height,
        ends=plan.ends,
        ticks=linear_ticks(*plan.ends, _PLOT_WIDTH),
    )
    draw_upright(sheet, axes, ground.upright.y, left, ticks=ground.upright.ticks())
    _draw_lines(axes, ground, plan)
    turns = sorted(range(len(plan.circles)), key=lambda i: -plan.circles[i].size)
    for turn, index in enumerate(turns):
        # Small ones lie on large ones.
        _draw_circle(axes, plan.circles[index], ground, f"trial-{index}", 3 + turn / len(turns))
    write_names(axes, ground.value, texts, boxes, wanted, above=4.5)
    if words_room:
        write_ends(
            sheet,
            ground.upright,
            MARGIN + words_room - 6,
            words_room - 6,
            direction=plan.direction,
            name=plan.y_label,
        )
    else:
        sheet.small(MARGIN, top - _LARGEST / 2 - 2, y_label, valign="bottom", gid="y-label")
    middle = left + _PLOT_WIDTH / 2
    sheet.caption(middle, label_top, x_label, valign="top", gid="x-label")
    return sheet, axes


def _draw_lines(axes: Axes, ground: Ground, plan: Plan) -> None:
    if plan.band is not None:
        _, xs, low, high = plan.band
        edge, back = (
            [(steady(x), ground.upright.y(y)) for x, y in zip(xs, ys, strict=True)]
            for ys in (low, high)
        )
        area(axes, [*edge, *reversed(back)], _BAND, zorder=1, gid="limits")
    for turn, one in enumerate(plan.curves):
        # Beyond the axis a line is not there, rather than along its edge.
        ys = [ground.upright.y(y) if ground.upright.holds(y) else math.nan for y in one.ys]
        line(
            axes,
            [steady(x) for x in one.xs],
            ys,
            one.colour,
            one.width,
            dashes=one.dashes,
            zorder=2 - 0.1 * turn,
            gid=one.gid,
        )


def _draw_circle(axes: Axes, circle: Circle, ground: Ground, gid: str, zorder: float) -> None:
    point(
        axes,
        circle.x,
        ground.upright.y(circle.y),
        "o",
        circle.diameter,
        _CIRCLE,
        edge=style.TREATMENT,
        rim=0.9,
        clip=False,
        zorder=zorder,
        gid=gid,
    )


def _told(circles: Sequence[Circle]) -> list[str]:
    """List the trials, or say how many there are."""
    if len(circles) <= _MOST_TOLD:
        return [f"{circle.name}: {circle.told}." for circle in circles]
    return [f"{capitalised(count(len(circles), 'trial'))}, drawn but not listed."]


def _shares(weights: Sequence[float]) -> list[float]:
    most = max(weights)
    return [steady(weight / most) for weight in weights]


def _padded(low: float, high: float) -> tuple[float, float]:
    if low == high:
        low, high = low - 1.0, high + 1.0
    pad = _PAD * (high - low)
    return steady(low - pad), steady(high + pad)


# ---------------------------------------------------------------- who moves the answer


FEW_TO_COMPARE = "Two trials: without either one is left, so their influence cannot be compared."


@style.draws
def baujat_plot(
    result: PooledResult,
    *,
    labels: Labels = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw how badly each trial fits the pool against how far it moves it.

    Baujat 2002, doi 10.1002/sim.1221; the coordinates are those of
    `ldn_meta.stats.influence.influence`.

    Parameters
    ----------
    result : PooledResult or answer
        The pool of one set; with fewer than three trials the figure is words.
    labels : sequence, optional
        One a trial; the result's own labels otherwise.
    title : str, optional
        Bold line above the plot.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only with fewer than three trials.
    axes : matplotlib.axes.Axes
        x is the squared residual, y is points from the top.

    Raises
    ------
    ArgumentError
        If the result is a batch, or labels are not usable.
    """
    result = pool_of(result)
    _one_set(result, PooledResult)
    names = _names(labels, result.labels)
    begin = opening("Baujat plot", title)
    if result.k < 3:
        nothing = (NO_TRIAL, ONE_TRIAL, FEW_TO_COMPARE)[int(result.k)]
        return words_only([nothing], title, f"{begin} {nothing}")
    found = influence(
        result.yi, result.vi, tau2_method=result.tau2_method, ci_method=result.ci_method
    )
    shares = _shares(np.nan_to_num(result.weight_pct).tolist())
    known = [
        Circle(name, steady(x), steady(y), share, f"{style.number(x, 2)}, {style.number(y, 2)}")
        for name, x, y, share in zip(
            names, found.squared_residual, found.squared_shift, shares, strict=True
        )
        if not (math.isnan(x) or math.isnan(y))
    ]
    worst, mover = max(known, key=lambda one: one.x), max(known, key=lambda one: one.y)
    most_x, most_y = worst.x or 1.0, mover.y or 1.0
    is_common = result.tau2_method == "common"
    residual = "part in Q" if is_common else "squared distance from the pool over its variance"
    told = f"Furthest from the pool: {worst.name}. Moves the pool most: {mover.name}."
    far = {i: one.x / most_x + one.y / most_y for i, one in enumerate(known)}
    named = sorted(sorted(far, key=lambda i: -far[i])[:_MOST_NAMES])
    plan = Plan(
        known,
        _padded(0.0, most_x),
        _padded(0.0, most_y),
        x_label=f"{capitalised(residual)} (squared residual)",
        y_label="Squared shift of the pooled effect without the trial, over its variance then",
        notes=[
            told,
            f"Named: the {_MOST_NAMES} furthest from the corner where a trial fits the pool and "
            "does not move it."
            if len(named) < len(known)
            else "",
            "Area of a circle: weight in the pool.",
            model_line(result, has_prediction=False),
        ],
        title=title,
        named=named,
    )
    sheet, axes = draw_circles(plan)
    sentences = [
        begin,
        f"{capitalised(count(len(known), 'trial'))}, {measure_words(result).lower()}; of each its "
        f"{residual}, and how far it moves the pool.",
        told,
        *_told(known),
    ]
    return sheet.shown(" ".join(sentences), axes)


baujat_output = output_of(baujat_plot)


# ---------------------------------------------------------------- events in both arms


NO_TABLE = "No trial has people and events in both arms."
_LABBE_MEASURES = ("RR", "OR", "RD", "PETO")
_STEPS = 100


@style.draws
@from_data("events_1", "n_1", "events_2", "n_2", "labels")
def labbe_plot(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    data: Any = None,
    result: PooledResult | None = None,
    labels: Labels = None,
    arms: tuple[str, str] = ("treatment", "comparator"),
    event: str = "event",
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw the share of people with the event in one arm against that in the other.

    L'Abbe 1987, Annals of Internal Medicine 107:224-233. A trial on the broken line has the same
    share in both arms; on the curve, the pooled effect.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array_like (k,)
        People with the event and people, in the treatment arm (1) and the comparator arm (2); NaN
        leaves the trial out.
    data : pandas.DataFrame or mapping, optional
        Table of which counts and `labels` may be given as names of columns.
    result : PooledResult or RareEventsResult, optional
        A pool of RR, OR, PETO or RD, drawn as the curve of that effect.
    labels : sequence, optional
        Names of the trials, (k,); those of the result otherwise.
    arms : (str, str)
        What the arms are called.
    event : str
        What is counted.
    limits : (float, float), optional
        Ends of both axes as shares, from 0 to 1; chosen from the data otherwise.
    title : str, optional
        Bold line above the plot.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any trial.
    axes : matplotlib.axes.Axes
        x is the share in the comparator arm in per cent, y is points from the top.

    Raises
    ------
    ArgumentError
        If counts, labels or limits are not usable, or the measure is none of the four.
    """
    counts = [
        np.atleast_1d(one)
        for one in checked(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    ]
    if counts[0].ndim != 1:
        message = f"events_1 has shape {counts[0].shape}; allowed: (k,)"
        raise ArgumentError(message)
    if result is not None:
        one_of("the measure of result", getattr(result, "measure", None), _LABBE_MEASURES)
        _one_set(result, type(result))
        labels = result.labels if labels is None else labels
    names = trial_labels(labels, counts[0].size)
    begin = opening("L'Abbe plot", title)
    rows = [
        (name, *numbers)
        for name, *numbers in zip(names, *(one.tolist() for one in counts), strict=True)
        if not any(math.isnan(number) for number in numbers)
    ]
    if not rows:
        return words_only([NO_TABLE], title, f"{begin} {NO_TABLE}")
    shares = _shares([n + m for _, _, n, _, m in rows])
    circles = [
        Circle(
            name,
            steady(100 * c / m),
            steady(100 * a / n),
            share,
            f"{a:.0f} of {n:.0f} ({percent(a / n)}) against {c:.0f} of {m:.0f} ({percent(c / m)})",
        )
        for (name, a, n, c, m), share in zip(rows, shares, strict=True)
    ]
    most = max(max(circle.x, circle.y) for circle in circles)
    if limits is None:
        ends = _padded(0.0, most or 100.0)
    else:
        places = [(repr(c.name), v / 100) for c in circles for v in (c.x, c.y)]
        low, high = checked_limits(limits, holds=places, held="every trial, within 0 to 1", most=1)
        ends = (steady(100 * low), steady(100 * high))
    told = _sides(circles, arms, event)
    same = [max(0.0, ends[0]), min(100.0, ends[1])]
    curves = [Curve("no-effect", "same in both arms", same, same, style.INK, 0.8, _BROKEN)]
    effect = ""
    if result is not None:
        xs, ys = _effect_curve(result)
        value = format_of(result, None)[0].number(float(result.estimate))
        effect = f"pooled {MEASURES[result.measure].words} {value}"
        curves.append(Curve("pooled", effect, xs, ys, style.POOLED))
    plan = Plan(
        circles,
        ends,
        ends,
        x_label=f"{capitalised(arms[1])}: people with {event} (%)",
        y_label=f"{capitalised(arms[0])}: people with {event} (%)",
        notes=[told, "Area of a circle: people in both arms."],
        title=title,
        height=_PLOT_WIDTH,
        curves=curves,
    )
    sheet, axes = draw_circles(plan)
    sentences = [
        begin,
        f"{capitalised(count(len(circles), 'trial'))}, people with {event}, {arms[0]} against "
        f"{arms[1]}.",
        told,
        f"{capitalised(effect)}." if effect else "",
        *_told(circles),
    ]
    return sheet.shown(" ".join(filter(None, sentences)), axes)


labbe_output = output_of(labbe_plot)


def _effect_curve(result: PooledResult) -> tuple[list[float], list[float]]:
    """Return points of the pooled effect: per cent in the comparator and in the treatment arm."""
    measure = result.measure
    x = np.linspace(0.0, 1.0, _STEPS + 1)
    if measure == "RD":
        y = x + result.estimate
    elif measure == "RR":
        y = x * np.exp(result.estimate)
    else:
        odds = np.exp(result.estimate) * x
        y = odds / (1.0 - x + odds)
    inside = (y >= 0.0) & (y <= 1.0)
    return (100.0 * x[inside]).tolist(), (100.0 * y[inside]).tolist()


def _sides(circles: Sequence[Circle], arms: tuple[str, str], event: str) -> str:
    above = sum(circle.y > circle.x for circle in circles)
    below = sum(circle.y < circle.x for circle in circles)
    same = len(circles) - above - below
    parts = [
        f"more people with {event} on {arms[0]} in {count(above, 'trial')}",
        f"on {arms[1]} in {count(below, 'trial')}",
        *([f"the same share in {count(same, 'trial')}"] if same else []),
    ]
    return f"{capitalised(', '.join(parts))}."


# ---------------------------------------------------------------- effects and a covariate


@style.draws
def bubble_plot(
    result: RegressionResult,
    *,
    covariate: str | None = None,
    measure: str = "",
    labels: Labels = None,
    direction: tuple[str, str] = ("", ""),
    x_label: str = "",
    digits: int = 2,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw the effects of trials against a covariate, with the regression line and its limits.

    Parameters
    ----------
    result : RegressionResult
        The regression of one set. Other covariates than the one drawn are held at their mean.
    covariate : str, optional
        Name of the column to draw; may be left out where there is one.
    measure : str
        Code of the effect measure, where the result does not say it; ratios stand on a log axis.
    labels : sequence, optional
        Names of the trials, (k,); the result's own otherwise.
    direction : (str, str)
        What effects below and above no effect mean; not said without.
    x_label : str
        Name of the axis; that of the covariate otherwise.
    digits : int
        Digits behind the point of effects.
    limits : (float, float), optional
        Ends of the axis of effects on the scale of ``yi``; chosen from the data otherwise.
    title : str, optional
        Bold line above the plot.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only where nothing was estimated.
    axes : matplotlib.axes.Axes
        x is the covariate, y is points from the top.

    Raises
    ------
    ArgumentError
        If the result is a batch, the covariate is not known or constant, or labels or limits are
        not usable.
    """
    _one_set(result, RegressionResult)
    column = _column(result, covariate)
    names = _names(labels, result.labels)
    begin = opening("Bubble plot", title)
    if np.isnan(result.coefficients).any():
        nothing = note_sentences(result.notes)
        return words_only(nothing, title, " ".join([begin, *nothing]))
    there = ~np.isnan(result.yi) & ~np.isnan(result.design).any(axis=1)
    design, yi = result.design[there], result.yi[there]
    at = design[:, column]
    if at.min() == at.max():
        message = f"covariate={result.names[column]!r} is constant; allowed: one that differs"
        raise ArgumentError(message)
    called = MEASURES[known_measure(measure) or result.measure]
    direction = direction if called.has_no_effect else ("", "")
    print_as = EffectFormat(digits, called.scale == LOG)
    shares = _shares((1.0 / (result.vi[there] + result.tau2)).tolist())
    circles = [
        Circle(name, steady(x), steady(y), share, f"{x:.6g}, {print_as.number(y)}")
        for name, x, y, share in zip(
            [names[i] for i in np.flatnonzero(there)], at, yi, shares, strict=True
        )
    ]
    xs = np.linspace(at.min(), at.max(), _STEPS + 1)
    points = np.tile(design.mean(axis=0), (xs.size, 1))
    points[:, column] = xs
    fitted = result.predict(points[:, int(result.add_intercept) :])
    spans = [
        Interval(*map(steady, ends))
        for ends in zip(fitted.estimate, fitted.ci_low, fitted.ci_high, strict=True)
    ]
    if limits is None:
        alone = [Interval(steady(effect), math.nan, math.nan) for effect in yi]
        reference = 0.0 if called.has_no_effect else None
        ends = axis_limits([*alone, *spans], [], reference=reference)
    else:
        places = [("no effect", 0.0)] if called.has_no_effect else []
        places += [(repr(circle.name), circle.y) for circle in circles]
        held = f"every trial{' and no effect' if called.has_no_effect else ''}"
        ends = checked_limits(limits, holds=places, held=held)
    ends = (max(ends[0], -LARGEST_LOG), min(ends[1], LARGEST_LOG)) if print_as.is_log else ends
    name = result.names[column]
    effect = capitalised(called.words if print_as.is_log else called.analysed)
    level = f"{100 * result.level:g}%"
    slope = _slope(result, column, print_as)
    others = [one for i, one in enumerate(result.names) if i != column and _varies(design[:, i])]
    notes = [
        slope,
        f"Held at their mean: {', '.join(others)}." if others else "",
        *note_sentences(result.notes),
        "Area of a circle: weight in the regression.",
    ]
    plan = Plan(
        circles,
        _padded(float(at.min()), float(at.max())),
        (steady(ends[0]), steady(ends[1])),
        x_label=capitalised(x_label) or name,
        y_label=print_as.axis_name(effect),
        notes=notes,
        title=title,
        is_log=print_as.is_log,
        direction=direction,
        curves=_fit_curves(xs, fitted, level, has_no_effect=called.has_no_effect),
        band=(
            f"its {level} limits",
            xs.tolist(),
            fitted.ci_low.tolist(),
            fitted.ci_high.tolist(),
        ),
    )
    sheet, axes = draw_circles(plan)
    first, last = (f"{print_as.effect(spans[i])} at {xs[i]:.6g}" for i in (0, -1))
    sentences = [
        begin,
        f"{capitalised(count(len(circles), 'trial'))}, {effect.lower()} by {name}.",
        print_as.sides(direction) if any(direction) else "",
        slope,
        f"Expected {first} and {last}.",
        *notes[1:-1],
        *_told(circles),
    ]
    return sheet.shown(" ".join(filter(None, sentences)), axes)


bubble_output = output_of(bubble_plot)


def _column(result: RegressionResult, covariate: str | None) -> int:
    """Find the column of a covariate; the only one need not be named."""
    own = result.names[result.add_intercept :]
    if covariate is None and len(own) == 1:
        return len(result.names) - 1
    if covariate is None or covariate not in own:
        message = f"covariate={covariate!r} is not known; allowed: {', '.join(own) or 'none'}"
        raise ArgumentError(message)
    return result.names.index(covariate, int(result.add_intercept))


def _varies(values: FloatArray) -> bool:
    return bool(values.min() < values.max())


def _slope(result: RegressionResult, column: int, print_as: EffectFormat) -> str:
    """Say how the effect changes with the covariate."""
    low, high = float(result.ci_low[column]), float(result.ci_high[column])
    span = Interval(float(result.coefficients[column]), low, high)
    change = "times" if print_as.is_log else "change"
    return style.typeset(
        f"For each unit more of {result.names[column]}: {change} "
        f"{EffectFormat(3, print_as.is_log).effect(span)}, "
        f"{style.unbroken(p_value(result.p_value[column]))}."
    )


def _fit_curves(
    xs: FloatArray, fitted: Prediction, level: str, *, has_no_effect: bool
) -> list[Curve]:
    """List the line of the regression, no effect, and the limits of a new trial."""
    at, (low, high) = xs.tolist(), (fitted.pi_low.tolist(), fitted.pi_high.tolist())
    curves = [Curve("expected", "expected effect", at, fitted.estimate.tolist(), style.POOLED)]
    if has_no_effect:
        across = _padded(at[0], at[-1])
        curves.append(Curve("no-effect", "", across, (0.0, 0.0), style.INK, 0.8))
    if math.isnan(low[0]):
        return curves
    words, red = f"{level} prediction limits of a new trial", style.PREDICTION
    curves.append(Curve("prediction-low", words, at, low, red, 1.2, _BROKEN))
    return [*curves, Curve("prediction-high", words, at, high, red, 1.2, _BROKEN)]
