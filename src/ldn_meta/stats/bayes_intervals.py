"""Quantiles and shortest intervals of distributions known as functions, many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import ndtri

from ldn_meta.errors import ConvergenceError
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray

MAX_STEPS = 200
# A last step this small, relative to the tail or to the interval; the error is about its square.
STEP_TOLERANCE = 1e-9
# Newton's method of `shortest` that has not arrived by then is on its way to nowhere.
MAX_SHORTEST_STEPS = 25
# Lower tails tried by `searched`, and halvings of the best place: 2^-40 of the tail probability.
SEARCH_POINTS, HALVINGS = 64, 40


class Values(NamedTuple):
    """A distribution at points p, all (m,).

    Attributes
    ----------
    cdf : probability of a smaller value.
    slope : derivative of `cdf` by the point; the density, if the point is the value itself.
    log_density : log of the density per unit of the value.
    bend : derivative of `log_density` by the point.
    """

    cdf: FloatArray
    slope: FloatArray
    log_density: FloatArray
    bend: FloatArray


class Distribution(Protocol):
    """m distributions that can be evaluated at one point each."""

    def at(self, point: FloatArray) -> Values:
        """Return the values at points (m,)."""
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

    Parameters
    ----------
    of : Distribution
    p, start, unit, low, high : ndarray (m,)
        Probability, first guess, size of a distance, and points with cdf at most and at least p.

    Raises
    ------
    ConvergenceError
        If a quantile is not reached.
    """
    point = np.clip(start, low, high)
    low, high = low.copy(), high.copy()
    target, tail = ndtri(p), np.minimum(p, 1.0 - p)
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

    Parameters
    ----------
    of : Distribution
    level : float
    low, high : ndarray (m,)
        First guess, such as the central interval.
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


def searched(
    of: Distribution,
    level: float,
    *,
    sets: int,
    quantile: Callable[[FloatArray], FloatArray],
    value: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the shortest intervals by their lower tail, whatever the density.

    Parameters
    ----------
    of : Distribution
    level : float
    sets : int
        How many distributions there are.
    quantile : callable
        Points of `of` below which lie probabilities (m,).
    value : callable
        What points stand for; lengths are those of values.
    """
    outside = 1.0 - level
    tails = outside * (np.arange(SEARCH_POINTS) + 0.5) / SEARCH_POINTS
    widths = [
        value(quantile(np.full(sets, tail + level))) - value(quantile(np.full(sets, tail)))
        for tail in tails
    ]
    best = tails[np.argmin(np.array(widths), axis=0)]
    half = 0.5 * outside / SEARCH_POINTS
    first, last = best - half, best + half
    for _ in range(HALVINGS):
        tail = 0.5 * (first + last)
        at_low, at_high = of.at(quantile(tail)), of.at(quantile(tail + level))
        # The end with the higher density is the one to move out.
        grows = at_low.log_density > at_high.log_density
        first, last = np.where(grows, first, tail), np.where(grows, tail, last)
    tail = 0.5 * (first + last)
    return quantile(tail), quantile(tail + level)
