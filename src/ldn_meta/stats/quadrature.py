"""The arithmetic of Bayesian pooling, over m sets of trials at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, pi
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
from scipy.special import gammaln, ndtr, ndtri, sici, stdtr

from ldn_meta.errors import ConvergenceError
from ldn_meta.stats.arrays import (
    HALF,
    HALF_CAUCHY,
    HALF_NORMAL,
    LOG_NORMAL,
    LOG_T,
    BoolArray,
    FloatArray,
    IntArray,
)
from ldn_meta.stats.tau2 import Trials, arrange, chunks, total

# Their upper tail falls like a power of tau (or slower), so few trials leave moments undefined.
HEAVY = (HALF_CAUCHY, LOG_T)
# Rhodes 2015 fitted a t distribution with five degrees of freedom to log tau2.
LOG_T_DF = 5.0
# Standard deviations of a normal tail, or powers of e, beyond which nothing is left to see.
NORMAL_REACH, LOG_REACH, LOG_T_REACH = 10.0, 40.0, 9.0
# tau is not followed beyond exp(300): its square would leave the range of doubles, and what a
# log-t prior keeps there is below 1e-11.
LARGEST_LOG_TAU = 300.0
# Below this share of the smallest standard error the likelihood cannot tell tau from 0.
FLAT_BELOW = 1e-3
LOG_HALF_NORMAL = 0.5 * log(2.0 / pi)
LOG_HALF_CAUCHY = log(2.0 / pi)
LOG_NORMAL_CONSTANT = -0.5 * log(2.0 * pi)
LOG_T_CONSTANT = float(
    gammaln(0.5 * (LOG_T_DF + 1.0)) - gammaln(0.5 * LOG_T_DF) - 0.5 * log(LOG_T_DF * pi)
)


@dataclass(frozen=True)
class Rows:
    """Arrays of m sets, which the last axis (or `AXIS`) counts."""

    AXIS: ClassVar[int] = -1

    def take(self, rows: IntArray) -> Self:
        """Return the chosen sets, laid out as before.

        Indexing would turn the layout, and with it the order in which numpy adds.
        """
        chosen: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Rows):
                chosen[name] = value.take(rows)
            elif isinstance(value, np.ndarray):
                chosen[name] = value.take(rows, axis=self.AXIS)
        return replace(self, **chosen)


@dataclass(frozen=True)
class Coordinates(Rows):
    """The coordinate x of m sets, in units in which the smallest variance lies in [1, 4)."""

    family: str
    scale: FloatArray
    location: FloatArray
    stretch: FloatArray

    @property
    def is_half(self) -> bool:
        """Whether x = 0 is tau = 0 and functions of x are even."""
        return self.family in HALF

    def tau(self, x: FloatArray) -> FloatArray:
        """Return tau at x, (..., m)."""
        if self.is_half:
            return self.stretch * np.sinh(x)
        return np.asarray(np.exp(self._log_tau(x)))

    def log_prior(self, x: FloatArray) -> FloatArray:
        """Return the log of the prior density per unit of x, (..., m)."""
        if self.family == LOG_NORMAL:
            return LOG_NORMAL_CONSTANT - 0.5 * x * x
        if self.is_half:
            t = self.tau(x) / self.scale
            shape = (
                LOG_HALF_NORMAL - 0.5 * t * t
                if self.family == HALF_NORMAL
                else LOG_HALF_CAUCHY - np.log1p(t * t)
            )
            return shape - np.log(self.scale) + self.log_slope(x)
        z = np.sinh(x)
        tail = -0.5 * (LOG_T_DF + 1.0) * np.log1p(z * z / LOG_T_DF)
        return LOG_T_CONSTANT + tail + np.log(np.cosh(x))

    def log_slope(self, x: FloatArray) -> FloatArray:
        """Return the log of d tau / d x, (..., m)."""
        if self.is_half:
            return np.log(self.stretch) + np.log(np.cosh(x))
        slope = self._log_tau(x) + np.log(self.scale)
        return slope if self.family == LOG_NORMAL else slope + np.log(np.cosh(x))

    def slope_of_log_slope(self, x: FloatArray) -> FloatArray:
        """Return the derivative of `log_slope`, (..., m)."""
        if self.is_half:
            return np.tanh(x)
        if self.family == LOG_NORMAL:
            return np.broadcast_to(self.scale, x.shape)
        return self.scale * np.cosh(x) + np.tanh(x)

    def prior_below(self, tau: FloatArray) -> FloatArray:
        """Return the prior probability of a smaller tau, (m,)."""
        with np.errstate(divide="ignore"):
            z = tau / self.scale if self.is_half else (np.log(tau) - self.location) / self.scale
        if self.family == HALF_NORMAL:
            return np.asarray(2.0 * ndtr(z) - 1.0)
        if self.family == HALF_CAUCHY:
            return np.asarray(2.0 / pi * np.arctan(z))
        return np.asarray(ndtr(z) if self.family == LOG_NORMAL else stdtr(LOG_T_DF, z))

    def ends(self, span: FloatArray, count: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return x beyond which the posterior holds nothing that could be seen.

        The likelihood pulls tau up no further than to sqrt(count) span, because Q falls at least
        like count span^2 / tau^2, and tells it from 0 only above `FLAT_BELOW`.
        """
        pull = np.sqrt(count) * span
        if self.family == HALF_NORMAL:
            # -tau^2 / (2 scale^2) - pull^2 / (2 tau^2) has its maximum at tau^2 = scale pull.
            top = NORMAL_REACH * self.scale + np.sqrt(self.scale * pull)
            return np.zeros_like(top), np.arcsinh(top / self.stretch)
        if self.family == HALF_CAUCHY:
            top = np.maximum(self.scale, pull) / self.stretch
            return np.zeros_like(top), np.log(2.0 * np.maximum(top, 1.0)) + LOG_REACH
        with np.errstate(divide="ignore"):
            above = np.maximum((np.log(pull) - self.location) / self.scale, 0.0)
        below = np.minimum((log(FLAT_BELOW) - self.location) / self.scale, 0.0)
        last = (LARGEST_LOG_TAU - self.location) / self.scale
        if self.family == LOG_NORMAL:
            return below - NORMAL_REACH, np.minimum(above + NORMAL_REACH, last)
        return (
            np.arcsinh(below) - LOG_T_REACH,
            np.minimum(np.arcsinh(above) + LOG_T_REACH, np.arcsinh(last)),
        )

    def _log_tau(self, x: FloatArray) -> FloatArray:
        z = x if self.family == LOG_NORMAL else np.sinh(x)
        return self.location + self.scale * z


MAX_STEPS = 200
# A last step this small, relative to the tail or to the interval; the error is about its square.
STEP_TOLERANCE = 1e-9
# Distribution functions are sums near 1/2 or 1: below this tail their rounding is larger than
# that step.
LEAST_TAIL = 1e-6
# Newton's method of `shortest` that has not arrived by then is on its way to nowhere.
MAX_SHORTEST_STEPS = 25
# Lower tails tried by `searched`, and halvings of the best place: 2^-40 of the tail probability.
SEARCH_POINTS, HALVINGS = 64, 40


class Values(NamedTuple):
    """A distribution at points p, all (m,)."""

    cdf: FloatArray
    slope: FloatArray
    log_density: FloatArray
    bend: FloatArray


class Distribution(Protocol):
    """m distributions that can be evaluated at one point each."""

    def at(self, point: FloatArray) -> Values:
        """Return the values at points (m,)."""
        ...

    def quantile(self, p: FloatArray) -> FloatArray:
        """Return the points below which lies probability p (m,)."""
        ...

    def value(self, point: FloatArray) -> FloatArray:
        """Return what intervals are measured in at points (m,)."""
        ...

    def take(self, rows: IntArray) -> Distribution:
        """Return the chosen distributions."""
        ...


def quantile(
    of: Distribution,
    p: FloatArray,
    *,
    start: FloatArray,
    unit: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Return the points with cdf = p, by Newton's method on the probit scale, kept in a bracket.

    The bracket is halved on a scale that is linear within a `unit` of the start and logarithmic
    far out, because heavy tails make brackets of 1e130.
    """
    point = np.clip(start, low, high)
    low, high = low.copy(), high.copy()
    target, tail = ndtri(p), np.maximum(np.minimum(p, 1.0 - p), LEAST_TAIL)
    rows, last = np.arange(point.size), np.full(point.size, np.inf)
    for _ in range(MAX_STEPS):
        here = point[rows]
        cdf, slope, _, _ = of.at(here)
        is_low = cdf < p[rows]
        low[rows] = np.where(is_low, here, low[rows])
        high[rows] = np.where(is_low, high[rows], here)
        with np.errstate(all="ignore"):
            z = ndtri(cdf)
            step = (target[rows] - z) * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) / slope
        after = here + step
        bottom, top = low[rows], high[rows]
        # Neighbouring numbers; in a bracket, or as a step.
        spacing, size = 4.0 * np.spacing(np.abs(here)), np.abs(step)
        is_last = (size * slope <= STEP_TOLERANCE * tail[rows]) | (size <= spacing)
        # A step that is not half of the one before may go round in circles: halve the bracket.
        newton = (after >= bottom) & (after <= top) & (is_last | (size <= 0.5 * last[rows]))
        after = np.where(newton, after, _between(bottom, top, start[rows], unit[rows]))
        point[rows], last[rows] = after, np.abs(after - here)
        moving = ~(newton & is_last) & (top - bottom > spacing)
        if not moving.any():
            return point
        if not moving.all():
            of, rows = of.take(moving.nonzero()[0]), rows[moving]
    message = (
        f"quantile of a posterior: not reached in {MAX_STEPS} steps for {rows.size} of "
        f"{point.size} distributions; look for an effect, variance or prior scale in a wrong unit"
    )
    raise ConvergenceError(message)


def _between(low: FloatArray, high: FloatArray, start: FloatArray, unit: FloatArray) -> FloatArray:
    """Return the middle of brackets on the scale asinh((point - start) / unit)."""
    ends = np.arcsinh((low - start) / unit) + np.arcsinh((high - start) / unit)
    return np.clip(start + unit * np.sinh(0.5 * ends), low, high)


def shortest(
    of: Distribution, level: float, *, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the ends of intervals with equal density at both, and where they were found.

    Newton's method for cdf(high) - cdf(low) = level and log density(high) = log density(low),
    from the ends given. An interval counts as found if the density rises at its lower end and
    falls at its upper one, so that it is a local minimum of the length; for a density with one
    peak it is the shortest interval.
    """
    low, high = low.copy(), high.copy()
    found = np.zeros(low.size, dtype=np.bool_)
    rows = np.arange(low.size)
    for _ in range(MAX_SHORTEST_STEPS):
        a, b = low[rows], high[rows]
        at_a, at_b = of.at(a), of.at(b)
        mass = at_b.cdf - at_a.cdf - level
        height = at_b.log_density - at_a.log_density
        with np.errstate(all="ignore"):
            det = -at_a.slope * at_b.bend + at_b.slope * at_a.bend
            step_a = -(mass * at_b.bend - height * at_b.slope) / det
            step_b = -(-at_a.slope * height + at_a.bend * mass) / det
            # Half of the interval at most: the ends must not pass the peak.
            most = np.maximum(np.abs(step_a), np.abs(step_b)) / (0.5 * (b - a))
            shrink = np.minimum(1.0, 1.0 / most)
        step_a, step_b = step_a * shrink, step_b * shrink
        after_a, after_b = a + step_a, b + step_b
        lost = ~(np.isfinite(after_a) & np.isfinite(after_b) & (after_a < after_b))
        low[rows], high[rows] = np.where(lost, a, after_a), np.where(lost, b, after_b)
        size = STEP_TOLERANCE * (b - a)
        done = ~lost & (np.abs(step_a) <= size) & (np.abs(step_b) <= size)
        found[rows[done]] = (at_a.bend[done] > 0.0) & (at_b.bend[done] < 0.0)
        keep = (~done & ~lost).nonzero()[0]
        if keep.size == 0:
            break
        if keep.size < rows.size:
            of, rows = of.take(keep), rows[keep]
    return low, high, found


def searched(of: Distribution, level: float, sets: int) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the shortest intervals by their lower tail, whatever the density."""
    outside = 1.0 - level
    tails = outside * (np.arange(SEARCH_POINTS) + 0.5) / SEARCH_POINTS
    both = of.take(np.tile(np.arange(sets), 2))

    def ends(tail: FloatArray) -> FloatArray:
        return both.quantile(np.concatenate([tail, tail + level]))

    at_ends = (both.value(ends(np.full(sets, tail))).reshape(2, sets) for tail in tails)
    best = tails[np.argmin([high - low for low, high in at_ends], axis=0)]
    half = 0.5 * outside / SEARCH_POINTS
    first, last = best - half, best + half
    for _ in range(HALVINGS):
        tail = 0.5 * (first + last)
        at_low, at_high = both.at(ends(tail)).log_density.reshape(2, sets)
        # The end with the higher density is the one to move out.
        grows = at_low > at_high
        first, last = np.where(grows, first, tail), np.where(grows, tail, last)
    low, high = ends(0.5 * (first + last)).reshape(2, sets)
    return low, high


# Intervals of the grid that looks for the posterior, and of the first grid that integrates it.
SCAN, NODES = 48, 40
# What is below the maximum by this power of e (2e-16) is not seen in a sum.
DEPTH = 36.0
# A range that shrinks by less is kept.
SHRINKS = 0.7
MAX_SCANS = 60
# Twice the step may change the integral by this much: what lies between the points is then known
# as well (see `bayes_spread`). The second number allows for rounding where Q is large, up to the
# third: beyond that the trials contradict each other so much that rounding drowns the answer.
TOLERANCE, ROUNDING, MOST_ROUNDING = 1e-9, 4e-15, 1e-6
# Twice the step may change the probabilities of effects by this much; the step itself then changes
# them by about the square. The integral alone proves nothing: with one trial it is that of the
# prior, and right on grids far too coarse for the effects.
EFFECT_TOLERANCE = 1e-6
# Where these probabilities are compared: at the tau below which lies a share of the posterior, so
# many standard deviations from the mean; far out as well, for heavy tails.
COMPARED_AT = ((0.5, -2.0), (0.5, 0.4), (0.9, 1.3), (0.99, -1.5), (0.999, 1.0))
MOST_NODES = 8192
LOG_TWO_PI = log(2.0 * pi)


@dataclass(frozen=True)
class Sets(Rows):
    """m sets of trials with their priors."""

    y: FloatArray
    v: FloatArray
    present: BoolArray
    count: IntArray
    prior_mean: FloatArray
    prior_precision: FloatArray
    has_variance: BoolArray


@dataclass(frozen=True)
class Nodes(Rows):
    """n + 1 equidistant points of m posteriors."""

    x: FloatArray
    tau: FloatArray
    weight: FloatArray
    step: FloatArray
    is_even: BoolArray
    mean: FloatArray
    sd: FloatArray
    log_integral: FloatArray


def given_tau(
    sets: Sets, tau: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return log likelihood, Q, and mean and variance of mu at each tau, all (n, m)."""
    w = 1.0 / (sets.v[:, None, :] + tau * tau)
    y = sets.y[:, None, :]
    precision = np.add.reduce(w) + sets.prior_precision
    mean = (np.add.reduce(w * y) + sets.prior_precision * sets.prior_mean) / precision
    r, off = y - mean, sets.prior_mean - mean
    q = np.add.reduce(w * (r * r)) + sets.prior_precision * (off * off)
    logs = np.add.reduce(np.log(np.where(sets.present[:, None, :], w, 1.0)))
    is_flat = sets.prior_precision == 0.0
    own = np.log(np.where(is_flat, 1.0, sets.prior_precision)) - LOG_TWO_PI * (
        sets.count - np.where(is_flat, 1.0, 0.0)
    )
    return 0.5 * (logs - np.log(precision) - q + own), q, mean, 1.0 / precision


def posterior_nodes(
    sets: Sets, place: Coordinates, *, nodes: int = NODES
) -> list[tuple[IntArray, Nodes]]:
    """Return groups of sets with their points; sets that need more points come later."""
    low, high = _range(sets, place)
    pending = np.arange(sets.count.size)
    groups = []
    while pending.size:
        if nodes > MOST_NODES:
            message = (
                f"quadrature over tau: {MOST_NODES} points are not enough for {pending.size} of "
                f"{sets.count.size} sets of trials; look for an effect, variance or prior scale "
                "in a wrong unit"
            )
            raise ConvergenceError(message)
        found, is_fine = _integrate(
            sets.take(pending), place.take(pending), low[pending], high[pending], nodes
        )
        fine = is_fine.nonzero()[0]
        if fine.size:
            whole = fine.size == pending.size
            groups.append((pending[fine], found if whole else found.take(fine)))
        pending = pending[~is_fine]
        nodes *= 2
    return groups


def _range(sets: Sets, place: Coordinates) -> tuple[FloatArray, FloatArray]:
    """Narrow the range of x to where the posterior, or its second moment, can be seen."""
    bottom, top = np.minimum.reduce(sets.y), np.maximum.reduce(sets.y)
    has_prior = sets.prior_precision > 0.0
    bottom = np.where(has_prior, np.minimum(bottom, sets.prior_mean), bottom)
    top = np.where(has_prior, np.maximum(top, sets.prior_mean), top)
    low, high = place.ends(top - bottom, sets.count + has_prior)
    rows = np.arange(low.size)
    share = np.arange(SCAN + 1.0)[:, None] / SCAN
    for _ in range(MAX_SCANS):
        if rows.size == 0:
            break
        left, width = low[rows], high[rows] - low[rows]
        x = left + width * share
        chosen = place.take(rows)
        log_l, _, _, variance = given_tau(sets.take(rows), chosen.tau(x))
        density = chosen.log_prior(x) + log_l
        seen = density > np.maximum.reduce(density) - DEPTH
        second = density + np.log(variance)
        seen |= sets.has_variance[rows] & (second > np.maximum.reduce(second) - DEPTH)
        first = np.maximum(np.argmax(seen, axis=0) - 1, 0)
        last = np.minimum(SCAN - np.argmax(seen[::-1], axis=0) + 1, SCAN)
        low[rows] = np.where(first > 0, left + width * (first / SCAN), left)
        high[rows] = np.where(last < SCAN, left + width * (last / SCAN), high[rows])
        rows = rows[(last - first) < SHRINKS * SCAN]
    return low, high


def _integrate(
    sets: Sets, place: Coordinates, low: FloatArray, high: FloatArray, nodes: int
) -> tuple[Nodes, BoolArray]:
    """Return the points between low and high, and for which sets there are enough of them."""
    step = (high - low) / nodes
    x = low + step * np.arange(nodes + 1.0)[:, None]
    tau = place.tau(x)
    log_l, q, mean, variance = given_tau(sets, tau)
    density = place.log_prior(x) + log_l
    top = np.maximum.reduce(density)
    weight = np.exp(density - top)
    is_even = np.full(low.size, place.is_half) & (low == 0.0)
    weight[0] *= np.where(is_even, 0.5, 1.0)
    sd = np.sqrt(variance)
    mass, coarse = total(weight), 2.0 * total(weight[::2])
    spread, coarse_spread = total(weight * sd), 2.0 * total(weight[::2] * sd[::2])
    slack = TOLERANCE + ROUNDING * np.minimum.reduce(q)
    is_sound = slack <= MOST_ROUNDING
    is_fine = (is_sound & (np.abs(coarse - mass) <= slack * mass)) & (
        ~sets.has_variance | (np.abs(coarse_spread - spread) <= slack * spread)
    )
    is_fine &= _effects_are_settled(sets, tau, weight / mass, mean, variance)
    found = Nodes(
        x=x,
        tau=tau,
        weight=weight / mass,
        step=step,
        is_even=is_even,
        mean=mean,
        sd=sd,
        log_integral=top + np.log(mass * step),
    )
    return found, is_fine


def _effects_are_settled(
    sets: Sets, tau: FloatArray, weight: FloatArray, mean: FloatArray, variance: FloatArray
) -> BoolArray:
    """Whether twice the step would leave mu, a new trial and each trial's own effect alone."""
    nodes = np.arange(weight.shape[0])
    # Fine sum minus coarse sum: the points between count once, the shared ones once too often.
    change = weight * np.where(nodes % 2 == 1, 1.0, -1.0)[:, None]
    below, each = np.add.accumulate(weight), np.arange(weight.shape[1])
    at = [(np.argmax(below >= share, axis=0), z) for share, z in COMPARED_AT]
    tau2 = tau * tau
    effects = [(mean, np.sqrt(variance)), (mean, np.sqrt(variance + tau2))]
    for y, v, present in zip(sets.y, sets.v, sets.present, strict=True):
        effects.append(own_effect(y, np.where(present, v, 1.0), tau2, mean, variance))
    settled = np.ones(each.size, dtype=np.bool_)
    for centre, sd in effects:
        for node, z in at:
            point = centre[node, each] + z * sd[node, each]
            settled &= np.abs(total(change * ndtr((point - centre) / sd))) <= EFFECT_TOLERANCE
    return settled


def own_effect(
    y: FloatArray, v: FloatArray, tau2: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and SD of one trial's true effect at each tau."""
    # Not 1 - pulled, which is rounding where a trial says next to nothing.
    pulled, kept = v / (v + tau2), tau2 / (v + tau2)
    return pulled * mean + kept * y, np.sqrt(kept * v + pulled * pulled * variance)


ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))
# What weighs less cannot make a peak that matters.
SEEN = 1e-9
# Points of the search for a second peak.
PEAK_POINTS = 32


@dataclass(frozen=True)
class Mixture(Rows):
    """m mixtures of n normal distributions each; arrays (n, m)."""

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray

    def below(self, point: FloatArray) -> FloatArray:
        """Return the probability of a smaller value than points (m,)."""
        return total(self.weight * ndtr((point - self.mean) / self.sd))

    def above(self, point: FloatArray) -> FloatArray:
        """Return the probability of a larger value than points (m,)."""
        return total(self.weight * ndtr((self.mean - point) / self.sd))

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return means and standard deviations (m,)."""
        mean = total(self.weight * self.mean)
        off = self.mean - mean
        return mean, np.sqrt(total(self.weight * (self.sd * self.sd + off * off)))

    def at(self, point: FloatArray) -> Values:
        """Return distribution function, density and slope at points (m,)."""
        z = (point - self.mean) / self.sd
        part = self.weight * np.exp(-0.5 * z * z) / self.sd
        density = total(part) / ROOT_TWO_PI
        with np.errstate(divide="ignore", invalid="ignore"):
            bend = -total(part * z / self.sd) / ROOT_TWO_PI / density
            log_density = np.log(density)
        return Values(total(self.weight * ndtr(z)), density, log_density, bend)

    def quantile(self, p: FloatArray) -> FloatArray:
        """Return the values below which lies probability p (m,)."""
        at_tau = self.mean + ndtri(p) * self.sd
        # Started from the component in the middle of the weights.
        middle = np.argmax(np.add.accumulate(self.weight) >= 0.5, axis=0)
        each = np.arange(p.size)
        return quantile(
            self,
            p,
            start=at_tau[middle, each],
            unit=self.sd[middle, each],
            low=np.minimum.reduce(at_tau),
            high=np.maximum.reduce(at_tau),
        )

    def value(self, point: FloatArray) -> FloatArray:
        """Return the points (m,) themselves."""
        return point

    def median(self) -> FloatArray:
        """Return the medians (m,)."""
        return self.quantile(np.full(self.weight.shape[1], 0.5))

    def shortest(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the shortest intervals that hold probability `level`, (m,) each."""
        tail = np.full(self.weight.shape[1], 0.5 - 0.5 * level)
        low, high, found = shortest(
            self, level, low=self.quantile(tail), high=self.quantile(1.0 - tail)
        )
        search = (~found | self._may_have_two_peaks()).nonzero()[0]
        if search.size:
            low[search], high[search] = searched(self.take(search), level, search.size)
        return low, high

    def _may_have_two_peaks(self) -> BoolArray:
        """Look where a second peak could be: between the smallest and the largest mean.

        Outside of it the density rises or falls. Inside there is one peak if all means lie within
        one standard deviation of each other, because there every component is concave.
        """
        seen = self.weight > SEEN
        bottom = np.minimum.reduce(np.where(seen, self.mean, np.inf))
        top = np.maximum.reduce(np.where(seen, self.mean, -np.inf))
        narrow = np.minimum.reduce(np.where(seen, self.sd, np.inf))
        suspect = (top - bottom > narrow).nonzero()[0]
        two = np.zeros(bottom.size, dtype=np.bool_)
        if suspect.size == 0:
            return two
        some, bottom, range_ = self.take(suspect), bottom[suspect], (top - bottom)[suspect]
        rises = np.array(
            [some._rises(bottom + range_ * share) for share in np.linspace(0.0, 1.0, PEAK_POINTS)]
        )
        two[suspect] = np.count_nonzero(rises[1:] != rises[:-1], axis=0) > 1
        return two

    def _rises(self, point: FloatArray) -> BoolArray:
        """Whether the density rises at points (m,)."""
        z = (point - self.mean) / self.sd
        slope = total(self.weight * np.exp(-0.5 * z * z) * z / (self.sd * self.sd))
        return np.asarray(slope < 0.0)


# The best interval on the points is at most this much longer than the best there is.
CLEARLY = 1.1
# Closer to a point than this share of a step, the slope of its sinc function is a series.
NEAR = 1e-3


@dataclass(frozen=True)
class Spread(Rows):
    """m posteriors of tau, as functions of the coordinate x.

    Between the points a density is the sum of sinc functions through them, its integral the sum
    of sine integrals: as exact as the trapezoid rule itself (Stenger 1993, Numerical Methods
    Based on Sinc and Analytic Functions, section 4.5).
    """

    nodes: Nodes
    place: Coordinates

    def at(self, point: FloatArray) -> Values:
        """Return distribution function, and log density per unit of tau, at x = points (m,)."""
        nodes = self.nodes
        cdf, density, slope = _waves(nodes, point, 1.0)
        even = nodes.is_even
        if even.any():
            # The mirror image of an even function, whose first point holds half of its weight.
            mirrored = _waves(nodes, point, -1.0)
            cdf = np.where(even, cdf + mirrored[0], 0.5 + cdf)
            density = np.where(even, density + mirrored[1], density)
            slope = np.where(even, slope + mirrored[2], slope)
        else:
            cdf = 0.5 + cdf
        with np.errstate(divide="ignore", invalid="ignore"):
            log_density = np.log(density) - self.place.log_slope(point)
            bend = slope / density - self.place.slope_of_log_slope(point)
        return Values(cdf, density, log_density, bend)

    def median(self) -> FloatArray:
        """Return the medians of tau (m,)."""
        half = np.full(self.nodes.step.size, 0.5)
        return self.place.tau(self.quantile(half))

    def shortest(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the shortest intervals of tau, (m,) each.

        Compared are the interval from 0 and the best one with equal density at both ends.
        """
        sets = self.nodes.step.size
        top = self.place.tau(self.quantile(np.full(sets, level)))
        first, last = self._guess(level)
        low, high, found = shortest(self, level, low=first, high=last)
        # Densities of the log families vanish or rise without bound at 0: Newton's method misses
        # more there, and the interval from 0 is no stand-in.
        # Unless that is clearly shorter than the best on the points.
        guessed = self.place.tau(last) - self.place.tau(first)
        search = (~found & ~self.nodes.is_even & (guessed < CLEARLY * top)).nonzero()[0]
        if search.size:
            low[search], high[search] = searched(self.take(search), level, search.size)
            found[search] = True
        low, high = self.place.tau(low), self.place.tau(high)
        inside = found & (low > 0.0) & (high - low < top)
        return np.where(inside, low, 0.0), np.where(inside, high, top)

    def quantile(self, p: FloatArray) -> FloatArray:
        """Return x below which lies probability p (m,)."""
        x = self.nodes.x
        start, unit = _interpolated(self.nodes, p), self.nodes.step
        return quantile(self, p, start=start, unit=unit, low=x[0], high=x[-1])

    def value(self, point: FloatArray) -> FloatArray:
        """Return tau at x = points (m,)."""
        return self.place.tau(point)

    def _guess(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return ends of about the shortest interval, from the points alone, away from 0."""
        nodes = self.nodes
        below = _below(nodes)
        best = np.full(nodes.step.size, np.inf)
        low, high = nodes.x[1].copy(), nodes.x[-1].copy()
        for i in range(1, nodes.x.shape[0]):
            target = below[i] + level
            possible = target < 1.0
            if not possible.any():
                break
            end = _interpolated(nodes, np.minimum(target, 1.0))
            width = self.place.tau(end) - nodes.tau[i]
            better = possible & (width < best)
            best = np.where(better, width, best)
            low, high = np.where(better, nodes.x[i], low), np.where(better, end, high)
        return low, high


def _waves(
    nodes: Nodes, point: FloatArray, side: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return integral, sum and slope of the sinc functions through the points, (m,) each."""
    u = (point - side * nodes.x) / nodes.step
    weight = nodes.weight
    integral = total(weight * sici(pi * u)[0]) / pi
    wave = np.sinc(u)
    near = np.abs(u) < NEAR
    safe = np.where(near, 1.0, u)
    slope = np.where(near, -pi * pi * u / 3.0, (np.cos(pi * u) - wave) / safe)
    return integral, total(weight * wave) / nodes.step, total(weight * slope) / nodes.step**2


def _below(nodes: Nodes) -> FloatArray:
    """Return about the probability below each point."""
    upto: FloatArray = np.add.accumulate(nodes.weight)
    return upto - np.where(np.arange(upto.shape[0])[:, None] > 0, 0.5, 1.0) * nodes.weight


def _interpolated(nodes: Nodes, p: FloatArray) -> FloatArray:
    """Return about the x below which lies probability p (m,)."""
    below = _below(nodes)
    columns = np.arange(p.size)
    after = np.clip(np.count_nonzero(below < p, axis=0), 1, below.shape[0] - 1)
    left, right = below[after - 1, columns], below[after, columns]
    share = np.clip((p - left) / np.maximum(right - left, np.finfo(float).tiny), 0.0, 1.0)
    return np.asarray(nodes.x[after - 1, columns] + share * nodes.step)


SENTENCES = {
    "missing": "trials without an effect or a variance (NaN) were left out",
    "none": "no trial has an effect: nothing was estimated",
    "single": "one trial: tau, and with it the width for mu, comes from the prior alone",
    "pair": "two trials: they say little about tau, so compare other priors",
    "no_mean": (
        "mean and SD of mu are undefined: one trial, a flat prior for mu and this prior for tau "
        "leave tails too heavy for them; median and interval are defined"
    ),
    "no_variance": (
        "the SD of mu is undefined: two trials, a flat prior for mu and this prior for tau leave "
        "tails too heavy for it; median and interval are defined"
    ),
    "surprising": (
        "the posterior median of tau lies beyond the 97.5% point of its prior: the trials differ "
        "more than the prior expects; look for a wrong unit, or take a wider prior"
    ),
}
FLAGS = tuple(SENTENCES)
NUMBERS = (
    "k",
    "mu_mean",
    "mu_median",
    "mu_sd",
    "mu_low",
    "mu_high",
    "tau_median",
    "tau_low",
    "tau_high",
    "theta_low",
    "theta_high",
    "prob_below_zero",
    "prob_below_mid",
    "prob_above_mid",
    "prob_within_mid",
    "theta_below_mid",
    "theta_above_mid",
    "log_marginal_likelihood",
)
SHRUNK = ("shrunk_mean", "shrunk_sd", "shrunk_low", "shrunk_high")

# Numbers per array of a chunk (trials x points x sets): arrays of 1 MB stay in the cache.
CHUNK_NUMBERS = 120_000
# A posterior median of tau beyond this prior probability contradicts the prior.
SURPRISING = 0.975


@dataclass(frozen=True)
class Task(Rows):
    """m sets of trials, and what is believed and asked of each."""

    AXIS = 0

    yi: FloatArray
    vi: FloatArray
    family: str
    scale: FloatArray
    location: FloatArray
    mu_mean: FloatArray
    mu_sd: FloatArray
    mid: FloatArray
    level: float


def bayes_numbers(task: Task, *, nodes: int = NODES) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Compute posteriors, in chunks of sets of similar size."""
    sets, width = task.yi.shape
    numbers = np.empty((len(NUMBERS), sets))
    shrunk = np.empty((len(SHRUNK), sets, width))
    flags = np.empty((len(FLAGS), sets), dtype=np.bool_)
    count = np.count_nonzero(~np.isnan(task.vi), axis=1)
    for rows in chunks(count, lambda trials: (trials + 2) * nodes, CHUNK_NUMBERS):
        numbers[:, rows], shrunk[:, rows], flags[:, rows] = _chunk(task.take(rows), nodes)
    return numbers, shrunk, flags


def _chunk(task: Task, nodes: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    trials = arrange(task.yi, task.vi)
    count, root = trials.count, np.sqrt(trials.scale)
    is_flat = np.isinf(task.mu_sd)
    prior_precision = trials.scale / (task.mu_sd * task.mu_sd)
    sets = Sets(
        y=trials.y,
        v=trials.v,
        present=np.isfinite(trials.v),
        count=count,
        prior_mean=np.where(is_flat | (count == 0), 0.0, (task.mu_mean - trials.centre) / root),
        prior_precision=prior_precision,
        has_variance=(prior_precision > 0.0) | (count > 2) | (task.family not in HEAVY),
    )
    is_half = task.family in HALF
    scale = task.scale / root if is_half else task.scale
    place = Coordinates(
        family=task.family,
        scale=scale,
        location=task.location if is_half else task.location - np.log(root),
        stretch=np.minimum(scale, np.sqrt(trials.v[0])),
    )
    numbers = np.empty((len(NUMBERS), count.size))
    shrunk = np.empty((len(SHRUNK), *task.yi.shape))
    surprising = np.empty(count.size, dtype=np.bool_)
    # Without an upper density that falls fast enough mu has no mean, or no variance.
    has_mean = sets.has_variance | (count > 1)
    for rows, found in posterior_nodes(sets, place, nodes=nodes):
        some, where = task.take(rows), place.take(rows)
        values, shrunk[:, rows] = _effects(some, trials, rows, found)
        spread = Spread(found, where)
        of_tau = (spread.median(), *spread.shortest(task.level))
        for name, value in zip(("tau_median", "tau_low", "tau_high"), of_tau, strict=True):
            values[name] = value * root[rows]
        surprising[rows] = where.prior_below(values["tau_median"] / root[rows]) > SURPRISING
        values["k"] = count[rows].astype(np.float64)
        values["mu_mean"][~has_mean[rows]] = np.nan
        values["mu_sd"][~sets.has_variance[rows]] = np.nan
        observed = count[rows] - np.where(is_flat[rows], 1.0, 0.0)
        values["log_marginal_likelihood"] = found.log_integral - observed * np.log(root[rows])
        numbers[:, rows] = [values[name] for name in NUMBERS]
    nothing = count == 0
    numbers[1:, nothing] = np.nan
    shrunk[:, np.isnan(task.vi)] = np.nan
    flags = dict.fromkeys(FLAGS, np.zeros(count.size, dtype=np.bool_))
    flags |= {
        "missing": count < task.yi.shape[1],
        "none": nothing,
        "single": count == 1,
        "pair": count == 2,
        "no_mean": ~has_mean & ~nothing,
        "no_variance": ~sets.has_variance & has_mean & ~nothing,
        "surprising": surprising & (count > 1),
    }
    return numbers, shrunk, np.array([flags[name] for name in FLAGS])


def _effects(
    task: Task, trials: Trials, rows: IntArray, found: Nodes
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Summarise the posteriors of mu, of a new trial and of each trial's own effect."""
    root, centre = np.sqrt(trials.scale[rows]), trials.centre[rows]
    weight, mean, tau2 = found.weight, found.mean, found.tau * found.tau
    variance = found.sd * found.sd
    mu = Mixture(weight, mean, found.sd)
    means, sds = [mean, mean], [found.sd, np.sqrt(variance + tau2)]
    for y, v in zip(task.yi.T, task.vi.T, strict=True):
        missing = np.isnan(v)
        own = np.where(missing, 0.0, (y - centre) / root)
        sampling = np.where(missing, 1.0, v / trials.scale[rows])
        shrunken, spread = own_effect(own, sampling, tau2, mean, variance)
        means.append(shrunken)
        sds.append(spread)
    every = Mixture(
        np.tile(weight, len(means)), np.concatenate(means, axis=1), np.concatenate(sds, axis=1)
    )
    low, high = (ends.reshape(len(means), -1) for ends in every.shortest(task.level))
    centres, spreads = (moment.reshape(len(means), -1) for moment in every.moments())
    new = Mixture(weight, mean, sds[1])
    zero, mid = -centre / root, task.mid / root
    beyond = mu.below(zero - mid), mu.above(zero + mid)
    values = {
        "mu_mean": centre + centres[0] * root,
        "mu_median": centre + mu.median() * root,
        "mu_sd": spreads[0] * root,
        "mu_low": centre + low[0] * root,
        "mu_high": centre + high[0] * root,
        "theta_low": centre + low[1] * root,
        "theta_high": centre + high[1] * root,
        "prob_below_zero": mu.below(zero),
        "prob_below_mid": beyond[0],
        "prob_above_mid": beyond[1],
        "prob_within_mid": np.maximum(1.0 - beyond[0] - beyond[1], 0.0),
        "theta_below_mid": new.below(zero - mid),
        "theta_above_mid": new.above(zero + mid),
    }
    shrunk = np.array(
        [
            centre + centres[2:] * root,
            spreads[2:] * root,
            centre + low[2:] * root,
            centre + high[2:] * root,
        ]
    )
    return values, np.moveaxis(shrunk, 1, 2)
