"""A dose-response curve that never falls: isotonic and centred isotonic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.dose_inputs import dose_table, shrinkage_target
from ldn_meta.stats.inputs import BoolArray, FloatArray
from ldn_meta.stats.records import FrozenRecord

# Shares closer than this are one share: pooled averages that are equal on paper differ in the
# last digits.
TIE = 5e-9
# Flournoy and Oron 2020 leave a dose that one person had as it is.
FEWEST_TO_SHRINK = 2


@dataclass(frozen=True, eq=False)
class DoseCurve(FrozenRecord):
    """A fitted curve: straight between its points, flat beyond them.

    Attributes
    ----------
    method : str
        "ir" or "cir".
    dose : ndarray (b,)
        Where the points stand, ascending, in the unit of the doses given.
    share : ndarray (b,)
        Share of people who respond there (0-1), never falling.
    weight : ndarray (b,)
        People behind each point; 0 where the curve was only extended to the last dose tested.
    """

    method: str
    dose: FloatArray
    share: FloatArray
    weight: FloatArray

    def at(self, dose: ArrayLike) -> FloatArray:
        """Return the share at doses (...), NaN outside the range tested."""
        return np.interp(
            np.asarray(dose, dtype=np.float64), self.dose, self.share, left=np.nan, right=np.nan
        )


def isotonic(
    dose: ArrayLike, responders: ArrayLike, n: ArrayLike, *, shrink_to: float | None = None
) -> DoseCurve:
    """Fit the shares that never fall with dose and are closest to those observed.

    Weighted least squares under the order constraint; for binomial counts also the maximum
    likelihood fit. Neighbouring doses whose shares fall are pooled.

    Parameters
    ----------
    dose : array_like (k,)
        Distinct doses, in any order.
    responders, n : array_like (k,)
        People who responded and people treated at each dose; a dose with n of 0 is left aside.
    shrink_to : float, optional
        Target of the adaptive design the counts come from (0-1). The share of each dose with two
        people or more becomes (responders + target) / (n + 1), which undoes most of the bias that
        such designs give to observed shares (Flournoy and Oron 2020).

    Returns
    -------
    DoseCurve
        One point for each dose with people.

    Raises
    ------
    ArgumentError
        If shapes differ, a dose repeats, counts are not whole or not from 0 to n, or nobody was
        treated.

    Notes
    -----
    Ayer and others 1955, Annals of Mathematical Statistics 26:641-647; Stylianou and Flournoy
    2002, Biometrics 58:171-177 (for up-and-down designs); Flournoy and Oron 2020, Journal of
    Applied Statistics 47:2431-2442.

    Examples
    --------
    >>> isotonic([1, 2, 3], [1, 0, 2], [2, 2, 2]).share
    array([0.25, 0.25, 1.  ])
    """
    x, r, size = dose_table(dose, responders, n)
    fitted = isotonic_shares(shares(r, size, shrinkage_target(shrink_to)), size)
    return DoseCurve("ir", x, fitted, size)


def centered_isotonic(
    dose: ArrayLike, responders: ArrayLike, n: ArrayLike, *, shrink_to: float | None = None
) -> DoseCurve:
    """Fit isotonic shares, each flat stretch drawn together to one point at its mean dose.

    The mean dose is weighted by people. The curve then rises everywhere between its points, so
    that a target share has one dose. A flat stretch at exactly 0 or 1 stays as it is.

    Parameters
    ----------
    dose, responders, n, shrink_to
        As in `isotonic`.

    Returns
    -------
    DoseCurve
        One point for each stretch; with weight 0, the lowest and highest dose where a stretch
        was drawn away from them.

    Raises
    ------
    ArgumentError
        As `isotonic`.

    Notes
    -----
    Oron and Flournoy 2017, Statistics in Biopharmaceutical Research 9:258-267.

    Examples
    --------
    >>> centered_isotonic([1, 2, 3], [1, 0, 2], [2, 2, 2]).dose
    array([1. , 1.5, 3. ])
    """
    x, r, size = dose_table(dose, responders, n)
    fitted = isotonic_shares(shares(r, size, shrinkage_target(shrink_to)), size)
    centre = centres(x, fitted, size)
    first = np.concatenate([[True], starts(fitted)[1:]])
    points, share = centre[first], fitted[first]
    weight = np.add.reduceat(size, np.flatnonzero(first))
    if points[0] > x[0]:
        points, share = np.insert(points, 0, x[0]), np.insert(share, 0, share[0])
        weight = np.insert(weight, 0, 0.0)
    if points[-1] < x[-1]:
        points, share = np.append(points, x[-1]), np.append(share, share[-1])
        weight = np.append(weight, 0.0)
    return DoseCurve("cir", points, share, weight)


def shares(responders: FloatArray, n: FloatArray, shrink_to: float | None) -> FloatArray:
    """Return observed shares (..., k), drawn to the design's target if one is given."""
    with np.errstate(invalid="ignore"):
        observed = responders / n
    if shrink_to is None:
        return np.asarray(observed)
    drawn = (responders + shrink_to) / (n + 1.0)
    return np.where(n >= FEWEST_TO_SHRINK, drawn, observed)


def isotonic_shares(share: FloatArray, n: FloatArray) -> FloatArray:
    """Return isotonic fits of many tables at once.

    The fit at dose i is the largest, over s <= i, of the smallest, over t >= i, of the mean share
    of doses s to t: the same as pooling adjacent violators, without a loop over tables.

    Parameters
    ----------
    share, n : ndarray (..., k)
        Shares and people, doses ascending; where n is 0 the share is not looked at.

    Returns
    -------
    ndarray (..., k)
        NaN where n is 0.
    """
    k = n.shape[-1]
    total = np.cumsum(n, axis=-1)
    amount = np.cumsum(np.where(n > 0, n * np.where(n > 0, share, 0.0), 0.0), axis=-1)
    # [..., s, t]: sums over doses s to t.
    people = total[..., None, :] - (total - n)[..., :, None]
    before = np.concatenate([np.zeros((*n.shape[:-1], 1)), amount[..., :-1]], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (amount[..., None, :] - before[..., :, None]) / people
    upper = np.triu(np.ones((k, k), dtype=np.bool_))
    mean = np.where(upper & (people > 0), mean, np.inf)
    smallest = np.flip(np.minimum.accumulate(np.flip(mean, axis=-1), axis=-1), axis=-1)
    fitted = np.where(upper, smallest, -np.inf).max(axis=-2)
    return np.where(n > 0, np.clip(fitted, 0.0, 1.0), np.nan)


def starts(fitted: FloatArray) -> BoolArray:
    """Return where a new stretch of a fit (..., k) without gaps begins.

    Flat stretches are one, but for those at 0 and 1, which nothing was pooled into.
    """
    rises = np.diff(fitted, axis=-1) > TIE
    at_bound = (fitted[..., 1:] <= TIE) | (fitted[..., 1:] >= 1.0 - TIE)
    first = np.ones((*fitted.shape[:-1], 1), dtype=np.bool_)
    return np.concatenate([first, rises | at_bound], axis=-1)


def centres(dose: FloatArray, fitted: FloatArray, n: FloatArray) -> FloatArray:
    """Return, for every dose, the mean dose of the stretch it belongs to, weighted by people.

    Parameters
    ----------
    dose : ndarray (k,)
        Ascending.
    fitted, n : ndarray (..., k)
        Isotonic fits and people; NaN and 0 for doses nobody had.

    Returns
    -------
    ndarray (..., k)
        NaN where n is 0.
    """
    # A dose that nobody had carries the fit of the dose below, so that it parts no stretch.
    present = n > 0
    last = np.maximum.accumulate(np.where(present, np.arange(n.shape[-1]), 0), axis=-1)
    filled = np.where(np.isnan(fitted), np.take_along_axis(fitted, last, axis=-1), fitted)
    filled = np.where(np.isnan(filled), -1.0, filled)
    label = np.cumsum(starts(filled), axis=-1)
    same = (label[..., :, None] == label[..., None, :]) & present[..., None, :]
    people = (same * n[..., None, :]).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        centre = (same * (n * dose)[..., None, :]).sum(axis=-1) / people
    # A dose alone is its own centre, to the last digit: n x / n is not.
    centre = np.where(same.sum(axis=-1) == 1, dose, centre)
    return np.where(present, centre, np.nan)


def dose_at(dose: FloatArray, share: FloatArray, target: float) -> FloatArray:
    """Return the dose at which rising curves reach a target share; NaN where they do not.

    Where the curve is flat at the target: the middle of the flat stretch, but its end nearest to
    the other doses where the stretch is the lowest or the highest of the curve.

    Parameters
    ----------
    dose, share : ndarray (..., k)
        Points of the curves, both ascending; NaN for no point.
    target : float

    Returns
    -------
    ndarray (...)
    """
    below, above = share < target - TIE, share > target + TIE
    level = ~below & ~above & ~np.isnan(share)
    nothing = np.full(dose.shape, np.nan)
    x_low, x_high = _largest(dose, below), -_largest(-dose, above)
    y_low, y_high = _largest(share, below), -_largest(-share, above)
    flat_from, flat_to = -_largest(-dose, level), _largest(dose, level)
    with np.errstate(invalid="ignore"):
        between = x_low + (target - y_low) * (x_high - x_low) / (y_high - y_low)
    has_low, has_high = below.any(axis=-1), above.any(axis=-1)
    at_level = np.select(
        [has_low & has_high, has_low, has_high],
        [(flat_from + flat_to) / 2.0, flat_from, flat_to],
        default=nothing[..., 0],
    )
    return np.where(level.any(axis=-1), at_level, between)


def _largest(values: FloatArray, where: BoolArray) -> FloatArray:
    found = np.where(where, values, -np.inf).max(axis=-1)
    return np.where(np.isfinite(found), found, np.nan)
