"""The posterior of tau: median and shortest interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from scipy.special import sici

from ldn_meta.stats.bayes_coordinates import Coordinates
from ldn_meta.stats.bayes_intervals import Values, quantile, searched, shortest
from ldn_meta.stats.bayes_nodes import Nodes
from ldn_meta.stats.inputs import FloatArray, IntArray
from ldn_meta.stats.trials import total

# The best interval on the points is at most this much longer than the best there is.
CLEARLY = 1.1
# Closer to a point than this share of a step, the slope of its sinc function is a series.
NEAR = 1e-3


@dataclass(frozen=True)
class Spread:
    """m posteriors of tau, as functions of the coordinate x.

    Between the points a density is the sum of sinc functions through them, its integral the sum
    of sine integrals: as exact as the trapezoid rule itself (Stenger 1993, Numerical Methods
    Based on Sinc and Analytic Functions, section 4.5).
    """

    nodes: Nodes
    place: Coordinates

    def take(self, rows: IntArray) -> Spread:
        """Return the chosen posteriors."""
        return Spread(self.nodes.take(rows), self.place.take(rows))

    def at(self, point: FloatArray) -> Values:
        """Return distribution function, and log density per unit of tau, at x = points (m,)."""
        nodes = self.nodes
        cdf, density, slope = _waves(nodes, point, 1.0)
        # The mirror image of an even function, whose first point holds half of its weight.
        mirrored = _waves(nodes, point, -1.0)
        even = nodes.is_even
        cdf = np.where(even, cdf + mirrored[0], 0.5 + cdf)
        density = np.where(even, density + mirrored[1], density)
        slope = np.where(even, slope + mirrored[2], slope)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_density = np.log(density) - self.place.log_slope(point)
            bend = slope / density - self.place.slope_of_log_slope(point)
        return Values(cdf, density, log_density, bend)

    def median(self) -> FloatArray:
        """Return the medians of tau (m,)."""
        half = np.full(self.nodes.step.size, 0.5)
        return self.place.tau(self._quantile(half))

    def shortest(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the shortest intervals of tau, (m,) each.

        Compared are the interval from 0 and the best one with equal density at both ends.
        """
        sets = self.nodes.step.size
        top = self.place.tau(self._quantile(np.full(sets, level)))
        first, last = self._guess(level)
        low, high, found = shortest(self, level, low=first, high=last)
        # Densities of the log families vanish or rise without bound at 0: Newton's method misses
        # more there, and the interval from 0 is no stand-in.
        # Unless that is clearly shorter than the best on the points.
        guessed = self.place.tau(last) - self.place.tau(first)
        search = (~found & ~self.nodes.is_even & (guessed < CLEARLY * top)).nonzero()[0]
        if search.size:
            some = self.take(search)
            low[search], high[search] = searched(
                some,
                level,
                sets=search.size,
                quantile=some._quantile,
                value=some.place.tau,
            )
            found[search] = True
        low, high = self.place.tau(low), self.place.tau(high)
        inside = found & (low > 0.0) & (high - low < top)
        return np.where(inside, low, 0.0), np.where(inside, high, top)

    def _quantile(self, p: FloatArray) -> FloatArray:
        """Return x below which lies probability p (m,)."""
        x = self.nodes.x
        start, unit = _interpolated(self.nodes, p), self.nodes.step
        return quantile(self, p, start=start, unit=unit, low=x[0], high=x[-1])

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
