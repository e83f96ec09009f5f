"""Posteriors of effects: mixtures of normal distributions, one for each tau."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from ldn_meta.stats.bayes_intervals import Values, quantile, searched, shortest
from ldn_meta.stats.bayes_nodes import columns
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray
from ldn_meta.stats.trials import total

ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))
# What weighs less cannot make a peak that matters.
SEEN = 1e-9
# Points of the search for a second peak.
PEAK_POINTS = 32


@dataclass(frozen=True)
class Mixture:
    """m mixtures of n normal distributions each; arrays (n, m).

    Attributes
    ----------
    weight, mean, sd : ndarray (n, m)
        Columns of `weight` sum to 1.
    """

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray

    def take(self, rows: IntArray) -> Mixture:
        """Return the chosen mixtures."""
        return Mixture(**columns(vars(self), rows))

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
            some = self.take(search)
            low[search], high[search] = searched(
                some,
                level,
                sets=search.size,
                quantile=some.quantile,
                value=lambda point: point,
            )
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
