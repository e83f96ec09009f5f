"""Which dose-response curves agree with the little that is known of an up-and-down trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.counts import whole
from ldn_meta.stats.inputs import BoolArray, FloatArray, real_array
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import numbers

# A curve never gives exactly 0 or 1, whose logarithm a table of counts could not be weighed by.
LEAST_SHARE = 1e-12


@dataclass(frozen=True, eq=False)
class CompatibleCurves(FrozenRecord):
    """Normal tolerance curves, share = Phi((dose - ed50) / spread), with their weights.

    Attributes
    ----------
    ed50, spread : ndarray (g,)
        One entry a curve, in the unit of dose.
    weight : ndarray (g,)
        Prior weight times the probability to see what was seen, adding up to 1.
    likelihood : float
        That probability, averaged over the prior: how well the best-weighed mixture does.
    """

    ed50: FloatArray
    spread: FloatArray
    weight: FloatArray
    likelihood: float

    def dose(self, share: float) -> FloatArray:
        """Return the dose (g,) that works in a share of people under each curve."""
        return self.ed50 + float(ndtri(share)) * self.spread

    def share(self, dose: float) -> FloatArray:
        """Return the share (g,) of people a dose works in under each curve."""
        return np.asarray(ndtr((dose - self.ed50) / self.spread))

    def probability(self, where: BoolArray) -> float:
        """Return the weight of the curves (g,) for which something holds."""
        return float(self.weight[where].sum())

    def quantiles(self, values: FloatArray, shares: ArrayLike) -> FloatArray:
        """Return quantiles of a property (g,) of the curves: the smallest value that reaches."""
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(self.weight[order])
        place = np.searchsorted(reached, np.asarray(shares) - 1e-12)
        return np.asarray(values[order][np.minimum(place, values.size - 1)])


@dataclass(frozen=True, eq=False)
class CurveGrid(FrozenRecord):
    """Curves considered before anything is seen: equal weights.

    Attributes
    ----------
    ed50, spread : ndarray (g,)
    """

    ed50: FloatArray
    spread: FloatArray

    def response(self, ladder: ArrayLike) -> FloatArray:
        """Return the share (g, k) that responds at each dose under each curve."""
        dose = np.asarray(ladder, dtype=np.float64)
        share = ndtr((dose - self.ed50[:, None]) / self.spread[:, None])
        return np.asarray(np.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE))


def curve_grid(
    *,
    ed50_low: float,
    ed50_high: float,
    spread_low: float,
    spread_high: float,
    ed50_steps: int,
    spread_steps: int,
) -> CurveGrid:
    """Return a grid of curves: ED50 in even steps, spread in even ratios.

    Parameters
    ----------
    ed50_low, ed50_high : float
        Range of the dose that works in half of people.
    spread_low, spread_high : float
        Range of the standard deviation of tolerance, above 0: small is a steep curve.
    ed50_steps, spread_steps : int
        Values of each.

    Returns
    -------
    CurveGrid

    Raises
    ------
    ArgumentError
        If a range is empty or a number not allowed.
    """
    first, last = float(numbers("ed50_low", ed50_low)), float(numbers("ed50_high", ed50_high))
    least = float(numbers("spread_low", spread_low, above=0))
    most = float(numbers("spread_high", spread_high, above=0))
    if not (first < last and least < most):
        message = (
            f"ED50 from {first:g} to {last:g} and spread from {least:g} to {most:g}; "
            "allowed: rising ranges"
        )
        raise ArgumentError(message)
    ed50, spread = np.meshgrid(
        np.linspace(first, last, whole("ed50_steps", ed50_steps, at_least=2)),
        np.geomspace(least, most, whole("spread_steps", spread_steps, at_least=2)),
        indexing="ij",
    )
    return CurveGrid(ed50.ravel(), spread.ravel())


def compatible_curves(
    grid: CurveGrid, likelihood: ArrayLike, *, largest_spread: float = np.inf
) -> CompatibleCurves:
    """Weigh the curves of a grid by the probability of what was seen under each.

    Parameters
    ----------
    grid : CurveGrid
    likelihood : array_like (g,)
        From `ldn_meta.stats.dose_design`, say.
    largest_spread : float
        Curves with a larger spread are left out: another prior.

    Returns
    -------
    CompatibleCurves

    Raises
    ------
    ArgumentError
        If no curve left could have given what was seen.
    """
    seen = real_array("likelihood", likelihood)
    kept = grid.spread <= largest_spread
    if seen.shape != grid.ed50.shape or not kept.any() or not seen[kept].sum() > 0.0:
        message = (
            f"likelihood of shape {seen.shape} for {int(kept.sum())} curves; allowed: one number "
            f"for each of {grid.ed50.size} curves, above 0 for one of those kept"
        )
        raise ArgumentError(message)
    return CompatibleCurves(
        ed50=grid.ed50[kept],
        spread=grid.spread[kept],
        weight=seen[kept] / seen[kept].sum(),
        likelihood=float(seen[kept].mean()),
    )


def table_likelihood(
    grid: CurveGrid, ladder: ArrayLike, responders: ArrayLike, people: ArrayLike, times: ArrayLike
) -> FloatArray:
    """Return the probability (g,) of any of several tables of counts under each curve.

    Parameters
    ----------
    grid : CurveGrid
    ladder : array_like (k,)
    responders, people : array_like (t, k)
    times : array_like (t,)
        In how many orders of outcomes each table arises, from `distinct_tables`.

    Returns
    -------
    ndarray (g,)
    """
    r, n = np.asarray(responders, dtype=np.float64), np.asarray(people, dtype=np.float64)
    share = grid.response(ladder).T
    return np.asarray(
        np.asarray(times, dtype=np.float64)
        @ np.exp(r @ np.log(share) + (n - r) @ np.log1p(-share))
    )
