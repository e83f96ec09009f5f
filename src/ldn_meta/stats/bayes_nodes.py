"""The posterior of tau as points and weights, with mu integrated out analytically.

Given tau, mu is normal: weights w = 1 / (v + tau^2), precision P = sum w, mean sum(w y) / P. What
is left of the likelihood is a function of tau alone,

    log L(tau) = (sum log w - log P - sum w (y - mean)^2 - (k - 1) log 2 pi) / 2

for a flat prior of mu. A normal prior of mu is one more trial to which tau is not added.
(Roever 2020, Journal of Statistical Software 93(6), equations 11 to 14.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from typing import Any

import numpy as np
from scipy.special import ndtr

from ldn_meta.errors import ConvergenceError
from ldn_meta.stats.bayes_coordinates import Coordinates
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray
from ldn_meta.stats.trials import Trials, total

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
class Sets:
    """m sets of trials with their priors.

    Attributes
    ----------
    y, v : ndarray (k, m)
        As in `ldn_meta.stats.trials.Trials`.
    present : ndarray (k, m)
    count : ndarray (m,)
    prior_mean, prior_precision : ndarray (m,)
        Of mu; precision 0 for a flat prior.
    has_variance : ndarray (m,)
        Whether the posterior of mu has a variance, so that its tails have to be followed.
    """

    y: FloatArray
    v: FloatArray
    present: BoolArray
    count: IntArray
    prior_mean: FloatArray
    prior_precision: FloatArray
    has_variance: BoolArray

    def take(self, rows: IntArray) -> Sets:
        """Return the chosen sets."""
        return Sets(**columns(vars(self), rows))


@dataclass(frozen=True)
class Nodes:
    """n + 1 equidistant points of m posteriors.

    Attributes
    ----------
    x, tau : ndarray (n + 1, m)
    weight : ndarray (n + 1, m)
        Posterior probability of each point; each column sums to 1.
    step : ndarray (m,)
        Distance of the points.
    is_even : ndarray (m,)
        Whether the first point is x = 0 and stands for both sides.
    mean, sd : ndarray (n + 1, m)
        Of mu at each tau.
    log_integral : ndarray (m,)
        Log of the integral of prior times likelihood.
    """

    x: FloatArray
    tau: FloatArray
    weight: FloatArray
    step: FloatArray
    is_even: BoolArray
    mean: FloatArray
    sd: FloatArray
    log_integral: FloatArray

    def take(self, rows: IntArray) -> Nodes:
        """Return the chosen posteriors."""
        return Nodes(**columns(vars(self), rows))


def columns(arrays: Mapping[str, Any], rows: IntArray) -> dict[str, Any]:
    """Return the chosen sets of arrays (..., m), laid out as before.

    Indexing would turn the layout, and with it the order in which numpy adds.
    """
    return {name: values.take(rows, axis=-1) for name, values in arrays.items()}


def sets_of(
    trials: Trials, prior_mean: FloatArray, prior_precision: FloatArray, *, is_heavy: bool
) -> Sets:
    """Bring trials and priors of mu together."""
    present = np.isfinite(trials.v)
    has_variance = (prior_precision > 0.0) | (trials.count > 2) | (not is_heavy)
    return Sets(
        trials.y, trials.v, present, trials.count, prior_mean, prior_precision, has_variance
    )


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
    """Return groups of sets with their points; sets that need more points come later.

    Parameters
    ----------
    sets : Sets
    place : Coordinates
    nodes : int
        Intervals of the first grid; doubled until doubling changes nothing.

    Raises
    ------
    ConvergenceError
        If `MOST_NODES` intervals are not enough.
    """
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
    """Return mean and SD of one trial's true effect at each tau.

    Parameters
    ----------
    y, v : ndarray (m,)
        Effect and sampling variance of the trial.
    tau2, mean, variance : ndarray (n, m)
        tau squared, and mean and variance of mu given it.
    """
    # Not 1 - pulled, which is rounding where a trial says next to nothing.
    pulled, kept = v / (v + tau2), tau2 / (v + tau2)
    return pulled * mean + kept * y, np.sqrt(kept * v + pulled * pulled * variance)
