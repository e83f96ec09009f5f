"""Trial by trial: how far the evidence has come, and whether it crossed a boundary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    FloatArray,
    FloatOrArray,
    FrozenRecord,
    IntArray,
    Labels,
    checked,
    effects_and_variances,
    from_data,
    numbers,
    one_number,
    plain,
    share_between,
    together,
    trial_labels,
)
from ldn_meta.stats.influence import cumulative

ARMS = 2


def information_size_of_means(
    difference: ArrayLike, sd: ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> FloatOrArray:
    """Return the people, both arms together, that a difference of two means asks for.

    n per arm = 2 (z_{1 - alpha/2} + z_power)^2 sd^2 / difference^2, rounded up.

    Notes
    -----
    It is a threshold for fragility, not for importance: an interval can be too wide with more
    people than this. Source: Guyatt 2011, Journal of Clinical Epidemiology 64:1283-1293.

    Examples
    --------
    >>> information_size_of_means(1.0, 2.0)
    126.0

    One point on a scale with a standard deviation of two points asks for 63 people an arm.
    """
    gap, spread = checked(difference=difference, sd=numbers("sd", sd, above=0))
    factor = ARMS * sum(_quantiles(alpha, power)) ** 2
    with np.errstate(divide="ignore"):
        per_arm = factor * (spread / np.abs(gap)) ** 2
    return plain(ARMS * np.ceil(per_arm))


def information_size_of_risks(
    risk_1: ArrayLike, risk_2: ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> FloatOrArray:
    """Return the people, both arms together, that a difference of two risks asks for.

    n per arm = (z_{1 - alpha/2} sqrt(2 p q) + z_power sqrt(p1 q1 + p2 q2))^2 / (p1 - p2)^2,
    rounded up, with p the mean of the two risks and q = 1 - p.

    Notes
    -----
    Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, section 4.2,
    without continuity correction; the formula behind R's ``power.prop.test``.

    Examples
    --------
    >>> information_size_of_risks(0.2, 0.15)
    1812.0
    """
    first, second = together(
        risk_1=numbers("risk_1", risk_1, at_least=0, at_most=1),
        risk_2=numbers("risk_2", risk_2, at_least=0, at_most=1),
    )
    for_alpha, for_power = _quantiles(alpha, power)
    mean = (first + second) / 2
    spread = for_alpha * np.sqrt(2 * mean * (1 - mean)) + for_power * np.sqrt(
        first * (1 - first) + second * (1 - second)
    )
    gap = np.abs(first - second)
    per_arm = np.divide(spread, gap, out=np.full_like(spread, math.inf), where=gap != 0) ** 2
    return plain(ARMS * np.ceil(per_arm))


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    tail = share_between("alpha", alpha) / 2
    return -float(ndtri(tail)), float(ndtri(share_between("power", power)))


def complete_trials(yi: ArrayLike, vi: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return effects and variances (k,) of at least one trial, none missing."""
    y, v = effects_and_variances(yi, vi, dimensions=1)
    if y.size == 0 or np.isnan(y).any():
        message = f"yi={y.tolist()!r:.80} lacks a trial; allowed: at least one, none missing"
        raise ArgumentError(message)
    return y, v


def places(order: ArrayLike | None, k: int) -> IntArray:
    """Return the places of k trials in the order they are added."""
    if order is None:
        return np.arange(k)
    place = numbers("order", order)
    if place.shape != (k,) or sorted(place.tolist()) != list(range(k)):
        message = (
            f"order={place.tolist()!r:.80} is not allowed; allowed: each of 0 to {k - 1} once"
        )
        raise ArgumentError(message)
    return place.astype(np.int64)


# Gauss-Legendre nodes in a piece, and its width in standard deviations of the narrower of the two
# steps around a look: more nodes or narrower pieces change boundaries by less than 1e-12.
NODES = 16
PIECE = 2.0
FEWEST_PIECES = 4
# Beyond this many standard deviations of the score, nothing is left (4e-33).
FARTHEST = 12.0
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)

Region = Sequence[tuple[float, float]]


class Walk:
    """The score B(t) = Z(t) sqrt(t) of a trial that goes on: B(t) ~ N(drift t, t).

    Notes
    -----
    Armitage, McPherson and Rowe 1969, JRSS A 132:235-244; Jennison and Turnbull 2000, Group
    Sequential Methods, chapter 19.
    """

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        # Where the score may be at the last look, and with what probability, as point masses for
        # quadrature; made when the next look is known, because its step sets how fine they are.
        self._time = 0.0
        self._at, self._mass = np.zeros(1), np.ones(1)
        self._region: Region = []
        self._settled_for: float | None = 0.0
        self._before: tuple[float, FloatArray, FloatArray] = (0.0, self._at, self._mass)

    def above(self, time: float, z: float) -> float:
        """Return the probability to have gone on so far and to have Z above `z` at `time`."""
        return self._tail(time, z, side=1.0)

    def below(self, time: float, z: float) -> float:
        """Return the probability to have gone on so far and to have Z below `z` at `time`."""
        return self._tail(time, z, side=-1.0)

    def go_on(self, time: float, region: Region) -> None:
        """Move to a look, and keep those whose Z lies in a union of intervals."""
        self._settle(time)
        self._before = (self._time, self._at, self._mass)
        self._time, self._region, self._settled_for = time, region, None

    def _settle(self, next_time: float) -> None:
        """Lay out the point masses of the last look for a next one."""
        if self._time == 0.0 or self._settled_for == next_time:
            return
        before, before_at, before_mass = self._before
        step = np.sqrt(self._time - before)
        piece = PIECE * min(step, np.sqrt(next_time - self._time))
        root, middle = np.sqrt(self._time), self.drift * self._time
        points, weights = [np.zeros(0)], [np.zeros(0)]
        for low, high in self._region:
            a = max(low * root, middle - FARTHEST * root)
            b = min(high * root, middle + FARTHEST * root)
            if b > a:
                node, weight = _quadrature(a, b, piece)
                points.append(node)
                weights.append(weight)
        at = np.concatenate(points)
        distance = (at[:, None] - before_at - self.drift * (self._time - before)) / step
        density = np.exp(-0.5 * distance**2) @ before_mass / (step * np.sqrt(2.0 * np.pi))
        self._at, self._mass = at, np.concatenate(weights) * density
        self._settled_for = next_time

    def _tail(self, time: float, z: float, *, side: float) -> float:
        self._settle(time)
        step = np.sqrt(time - self._time)
        expected = self._at + self.drift * (time - self._time)
        return float(ndtr(side * (expected - z * np.sqrt(time)) / step) @ self._mass)


def solve(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Return where a monotone function of Z takes a value, compared on the log scale.

    Spent error early on is as small as 1e-80: only logarithms see it.
    """
    goal = np.log(target)

    def gap(z: float) -> float:
        value = function(z)
        return float((np.log(value) if value > 0.0 else -1e4) - goal)

    return float(brentq(gap, low, high, xtol=1e-13, rtol=1e-14))


def _quadrature(low: float, high: float, piece: float) -> tuple[FloatArray, FloatArray]:
    pieces = max(int(np.ceil((high - low) / piece)), FEWEST_PIECES)
    edges = np.linspace(low, high, pieces + 1)
    half = np.diff(edges) / 2.0
    centre = edges[:-1] + half
    return (
        (centre[:, None] + half[:, None] * _POINTS).ravel(),
        (half[:, None] * _WEIGHTS).ravel(),
    )


# Below this share of the required information the spent error is smaller than 1e-100, and a
# boundary would be a number of the method alone.
LEAST_FRACTION = 0.01
# Looks closer than this are one look: quadrature would need more nodes than the answer is worth.
LEAST_STEP = 1e-3
LARGEST_Z = 40.0
# Drift, in expected Z at full information, between which the one with the wanted power lies.
DRIFTS = (0.1, 20.0)


@dataclass(frozen=True, eq=False)
class FutilityDesign(FrozenRecord):
    """Boundaries for an effect and for giving up, at the looks of one design."""

    information_fraction: FloatArray
    boundary: FloatArray
    futility: FloatArray
    drift: float
    inflation: float


def obf_boundaries(information_fractions: ArrayLike, *, alpha: float = 0.05) -> FloatArray:
    """Return the two-sided O'Brien-Fleming-type alpha-spending boundaries of Lan and DeMets.

    By information fraction t a side has spent 2 - 2 Phi(z(alpha / 4) / sqrt(t)). The boundary at
    a look spends exactly what the function gained since the look before, by recursive integration.

    Notes
    -----
    Lan and DeMets 1983, Biometrika 70:659-663; Reboussin and others 2000, Controlled Clinical
    Trials 21:190-207. Agrees with R's ldbounds and gsDesign.

    Examples
    --------
    >>> obf_boundaries([0.5, 1.0]).round(4)
    array([2.9626, 1.9686])
    """
    looks = _looks(information_fractions)
    spent = spent_by_obf(looks, share_between("alpha", alpha) / 2.0)
    walk = Walk()
    boundary = np.empty(looks.size)
    for i, (time, gain) in enumerate(zip(looks, np.diff(spent, prepend=0.0), strict=True)):
        boundary[i] = solve(partial(walk.above, time), gain, -LARGEST_Z, LARGEST_Z)
        walk.go_on(time, [(-boundary[i], boundary[i])])
    return boundary


def spent_by_obf(fractions: FloatArray, error: float) -> FloatArray:
    """Return the error that the O'Brien-Fleming-type function has spent at each fraction."""
    return np.asarray(2.0 * np.exp(log_ndtr(ndtri(error / 2.0) / np.sqrt(fractions))))


def futility_boundaries(
    information_fractions: ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> FutilityDesign:
    """Return boundaries for futility that spend beta as `obf_boundaries` spend alpha.

    The drift is the one at which both boundaries meet at full information, so that power is as
    asked for. Not binding: the boundary for an effect is computed as if nobody ever gave up. The
    inner boundaries are a wedge: a trial gives up when Z is smaller in size than the boundary.

    Notes
    -----
    Pampallona, Tsiatis and Kim 2001, Drug Information Journal 35:1113-1121; Jennison and Turnbull
    2000, sections 5.1 and 7.3.
    """
    looks = _looks(information_fractions)
    if looks[-1] != 1.0:
        message = f"information_fractions end at {looks[-1]:g}; allowed: a last look at 1"
        raise ArgumentError(message)
    beta = 1.0 - share_between("power", power)
    boundary = obf_boundaries(looks, alpha=alpha)
    gains = np.diff(spent_by_obf(looks, beta), prepend=0.0)

    def missed(drift: float) -> float:
        """How much more is missed than may be, if the last look decides by the boundary alone."""
        walk, _ = _wedge(looks, boundary, gains, drift)
        return _miss(walk, 1.0, float(boundary[-1])) - float(gains[-1])

    drift = float(brentq(missed, *DRIFTS, xtol=1e-13))
    _, futility = _wedge(looks, boundary, gains, drift)
    for_alpha, for_power = _quantiles(alpha, power)
    return FutilityDesign(
        information_fraction=looks,
        boundary=boundary,
        futility=np.append(futility, boundary[-1]),
        drift=drift,
        inflation=(drift / (for_alpha + for_power)) ** 2,
    )


def _wedge(
    looks: FloatArray, boundary: FloatArray, gains: FloatArray, drift: float
) -> tuple[Walk, FloatArray]:
    """Walk through all looks but the last; return it with the futility boundaries passed."""
    walk = Walk(drift)
    futility = np.empty(looks.size - 1)
    for i, time in enumerate(looks[:-1]):
        highest = boundary[i]
        if _miss(walk, time, highest) <= gains[i]:
            futility[i] = highest
        else:
            futility[i] = solve(partial(_miss, walk, time), gains[i], 0.0, highest)
        walk.go_on(time, [(-highest, -futility[i]), (futility[i], highest)])
    return walk, futility


def _miss(walk: Walk, time: float, z: float) -> float:
    """Probability to end within -z and z at a look."""
    return walk.below(time, z) - walk.below(time, -z)


def _looks(fractions: ArrayLike) -> FloatArray:
    looks = numbers("information_fractions", fractions)
    usable = looks.ndim == 1 and looks.size > 0
    if not usable or not ((looks >= LEAST_FRACTION) & (looks <= 1.0)).all():
        message = (
            f"information_fractions={looks.tolist()!r:.80} is not allowed; allowed: a list of "
            f"numbers from {LEAST_FRACTION:g} to 1"
        )
        raise ArgumentError(message)
    if (np.diff(looks) < LEAST_STEP).any():
        message = (
            f"information_fractions={looks.tolist()!r:.80} do not ascend; allowed: each at least "
            f"{LEAST_STEP:g} above the one before"
        )
        raise ArgumentError(message)
    return looks


@dataclass(frozen=True, eq=False)
class SequentialLook(FrozenRecord):
    """What trial sequential analysis says, look by look; a look is the evidence up to a trial."""

    labels: tuple[str, ...]
    minimal_effect: float
    alpha: float
    power: float
    tau2_method: str
    estimate: FloatArray
    z: FloatArray
    diversity: float
    required_information: float
    required_people: float
    information_fraction: FloatArray
    boundary: FloatArray
    futility: FloatArray
    crossed: tuple[str, ...]
    inflation: float
    notes: tuple[str, ...]


@from_data("yi", "vi", "people", "order", "labels")
def sequential_look(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    minimal_effect: float,
    people: ArrayLike | None = None,
    order: ArrayLike | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    tau2_method: str = "dl",
    diversity: float | None = None,
    labels: Labels = None,
) -> SequentialLook:
    """Look at a growing meta-analysis with boundaries that allow for looking repeatedly.

    The information fraction is sum 1 / vi of the trials so far over (z_alpha + z_beta)^2 /
    minimal_effect^2 / (1 - D2): for mean differences of parallel groups the same as people over
    the diversity-adjusted required information size with the variance seen in the trials.
    Boundaries are those of `obf_boundaries` and `futility_boundaries`, the latter with the looks
    had and one more at 1.

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and their sampling variances, on a scale on which `minimal_effect` is meant.
    minimal_effect : float
        Smallest effect worth finding; its sign does not matter.
    people : array_like (k,), optional
        People in each trial, to tell the required information in people.
    order : array_like of int (k,), optional
        Places of the trials in the order they were added, by year as a rule.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi`, `people`, `order` and `labels` may be given as names of
        columns.
    alpha, power : float
        Type I error, both sides together, and probability to find the minimal effect.
    tau2_method : str
        As in `ldn_meta.stats.pool.pool`.
    diversity : float, optional
        D2 to adjust for (0-1); that of all trials together by default.
    labels : sequence, optional
        Names of the trials (k,).

    Returns
    -------
    SequentialLook

    Raises
    ------
    ArgumentError
        If an option or an array is not usable, or a trial is missing.
    ConvergenceError
        If an iteration does not converge.

    Notes
    -----
    Wetterslev and others 2008, Journal of Clinical Epidemiology 61:64-75; Wetterslev, Jakobsen
    and Gluud 2017, BMC Medical Research Methodology 17:39. A look back at published trials:
    the boundaries hold for looks planned before results were known.
    """
    y, v = complete_trials(yi, vi)
    place = places(order, y.size)
    names = trial_labels(labels, y.size)
    alpha, power = share_between("alpha", alpha), share_between("power", power)
    size = abs(one_number("minimal_effect", minimal_effect))
    if not size > 0.0:
        message = f"minimal_effect={minimal_effect!r} is not allowed; allowed: an effect, not 0"
        raise ArgumentError(message)
    pooled = cumulative(y[place], v[place], tau2_method=tau2_method, ci_method="wald")
    se, information = np.asarray(pooled.se), np.cumsum(1.0 / v[place])
    notes = ["a look back at published trials; boundaries hold for looks planned beforehand"]
    if diversity is None:
        d2 = max(1.0 - 1.0 / (information[-1] * se[-1] ** 2), 0.0)
        if y.size < 3:
            notes.append(
                f"diversity rests on {y.size} trial{'' if y.size == 1 else 's'}: hardly known"
            )
    else:
        d2 = one_number("diversity", diversity, at_least=0, below=1)
    quantiles = (float(ndtri(alpha / 2.0)) + float(ndtri(1.0 - power))) ** 2
    required = quantiles / size**2 / (1.0 - d2)
    fraction = information / required
    needed = np.nan
    if people is not None:
        number = numbers("people", people, above=0)
        if number.shape != y.shape:
            message = f"people has shape {number.shape}; allowed: {y.shape}, one per trial"
            raise ArgumentError(message)
        needed = float(number.sum() / fraction[-1])
    usable, more = _looks_with_error_to_spend(fraction)
    notes += more
    boundary, futility = np.full(y.size, np.nan), np.full(y.size, np.nan)
    inflation = np.nan
    if usable.any():
        looks = np.minimum(fraction[usable], 1.0)
        boundary[usable] = obf_boundaries(looks, alpha=alpha)
        last = looks[-1] > 1.0 - LEAST_STEP
        planned = np.append(looks[:-1] if last else looks, 1.0)
        design = futility_boundaries(planned, alpha=alpha, power=power)
        futility[usable] = design.futility[: looks.size]
        inflation = design.inflation
    z = np.asarray(pooled.statistic)
    return SequentialLook(
        labels=tuple(names[i] for i in place),
        minimal_effect=size,
        alpha=alpha,
        power=power,
        tau2_method=tau2_method,
        estimate=np.asarray(pooled.estimate),
        z=z,
        diversity=float(d2),
        required_information=float(required),
        required_people=needed,
        information_fraction=fraction,
        boundary=boundary,
        futility=futility,
        crossed=tuple(map(_crossed, z, boundary, futility)),
        inflation=float(inflation),
        notes=tuple(notes),
    )


def _looks_with_error_to_spend(fraction: FloatArray) -> tuple[BoolArray, list[str]]:
    """Return which looks have a boundary, and why the others have none."""
    usable = np.zeros(fraction.size, dtype=np.bool_)
    notes = []
    last = 0.0
    for i, at in enumerate(np.minimum(fraction, 1.0)):
        usable[i] = at >= LEAST_FRACTION and at - last >= LEAST_STEP
        last = at if usable[i] else last
    early, late = fraction < LEAST_FRACTION, ~usable & (fraction >= LEAST_FRACTION)
    if early.any():
        notes.append(
            f"no boundary at looks before {LEAST_FRACTION:g} of the required information "
            f"({int(early.sum())} of {fraction.size}): nothing could cross it"
        )
    if late.any():
        notes.append(
            f"no boundary at looks without error left to spend ({int(late.sum())} of "
            f"{fraction.size}): they add no information, or come after all that is required"
        )
    if (fraction > 1.0).any():
        notes.append("the required information was passed: the first look beyond it is the last")
    return usable, notes


def _crossed(z: float, boundary: float, futility: float) -> str:
    if np.isnan(boundary) or np.isnan(z):
        return "not defined"
    if abs(z) >= boundary:
        return "effect (positive)" if z > 0.0 else "effect (negative)"
    return "futility" if abs(z) < futility else "none"
