"""How sure a dose read off an isotonic curve is: Morris limits, turned by the local slope."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, comb

from ldn_meta.stats.dose_isotonic import DoseCurve
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.proportions import wilson_interval
from ldn_meta.stats.values import Interval

# Settings of the method (R package cir 2.5): where slopes are looked at between two points of the
# curve, and the rise per dose step below which a curve counts as this steep.
FINE_STEP = 0.05
LEAST_RISE = 0.01
ROOT_TOLERANCE = 1e-13
# Places closer than this share of the range are one. cir compares them as computed, so that its
# limits can hang on the last digit of a dose.
SAME_PLACE = 1e-9
# Two people or one: a curve with a single point has no slope.
FEWEST_POINTS = 2


def share_limits(curve: DoseCurve, level: float) -> Interval:
    """Return pointwise limits of the share at the points of a curve that have people.

    Morris's limits for ordered binomial shares, narrowed to Wilson's where these are closer, and
    then made to rise as the curve does.

    Parameters
    ----------
    curve : DoseCurve
    level : float

    Returns
    -------
    Interval
        Of arrays, one entry a point with weight above 0.

    Notes
    -----
    Oron and Flournoy 2017, Statistics in Biopharmaceutical Research 9:258-267, section 3.1.
    """
    there = curve.weight > 0
    n, share = curve.weight[there], curve.share[there]
    morris = morris_limits(np.round(n * share), n, level=level)
    wilson = wilson_interval(n * share, n, level=level)
    low = np.maximum.accumulate(np.maximum(morris.low, wilson.low))
    high = np.minimum.accumulate(np.minimum(morris.high, wilson.high)[::-1])[::-1]
    return Interval(low, high)


def morris_limits(responders: FloatArray, n: FloatArray, *, level: float) -> Interval:
    """Return limits (k,) of shares that are known to rise with dose, each at its own level.

    Parameters
    ----------
    responders, n : ndarray (k,)
        Counts by ascending dose, n above 0. They need not rise themselves.
    level : float

    Returns
    -------
    Interval
        Of arrays. Exactly 1 above where everybody from that dose on responded, exactly 0 below
        where nobody did up to it.

    Notes
    -----
    Morris 1988, Biometrics 44:1083-1092, eq. 4.3, with one theta throughout the recursion, as its
    author confirmed to those of R's cir.
    """
    tail = (1.0 - level) / 2.0
    high = _morris_upper(responders, n, tail)
    # Counting those who did not respond, from the highest dose down, is the same problem.
    low = 1.0 - _morris_upper((n - responders)[::-1], n[::-1], tail)[::-1]
    return Interval(low, high)


def dose_limits(curve: DoseCurve, target: float, *, level: float, spacing: float) -> Interval:
    """Return the interval of the dose at which a curve reaches a target share.

    The distance from the curve to its limits, divided by the slope: left and right of each dose
    by the slopes on that side, averaged over the first estimate of the half-width with weights
    that fall off quadratically. The limits read off horizontally take over where they are closer.

    Parameters
    ----------
    curve : DoseCurve
        From `isotonic` or `centered_isotonic`.
    target : float
        Share to reach.
    level : float
    spacing : float
        Mean step between the doses tested; a slope below 0.01 a step counts as that.

    Returns
    -------
    Interval
        NaN where the curve does not reach the target or has no slope. An end is NaN too if the
        method gives none.

    Notes
    -----
    Oron and Flournoy 2017, section 3.2, with the refinements of the authors' R package cir 2.5
    (one slope for each side; narrower of local and horizontal limits).
    """
    x, y = curve.dose, np.round(curve.share, 8)
    has_people = curve.weight > 0
    if np.count_nonzero(has_people) < FEWEST_POINTS or y[0] == y[-1]:
        return Interval(np.nan, np.nan)
    limits = share_limits(curve, level)
    if np.ptp(limits.low) == 0.0 or np.ptp(limits.high) == 0.0:
        return Interval(np.nan, np.nan)
    places, grid, same = _places(x)
    share = np.interp(places, x, y)
    low = np.interp(places, x[has_people], limits.low)
    high = np.interp(places, x[has_people], limits.high)
    least = LEAST_RISE / spacing
    slope, fine = _slopes(x, y, places, least), _slopes(x, y, grid, least)
    right, left = (share - low) / slope, (share - high) / slope
    for i, place in enumerate(places):
        ahead = fine[(grid >= place - same) & (grid <= place + right[i] + same)]
        behind = fine[(grid <= place + same) & (grid >= place + left[i] - same)]
        if ahead.size:
            right[i] *= slope[i] / _weighted(ahead[::-1])
        if behind.size:
            left[i] *= slope[i] / _weighted(behind)
    upper = np.minimum.accumulate((places + right)[::-1])[::-1]
    lower = np.maximum.accumulate(places + left)
    ends = (
        np.fmax(_read(share, lower, target), _read(high, places, target)),
        np.fmin(_read(share, upper, target), _read(low, places, target)),
    )
    if not y[0] <= target <= y[-1]:
        return Interval(np.nan, np.nan)
    return Interval(float(ends[0]), float(ends[1]))


def _morris_upper(y: FloatArray, n: FloatArray, tail: float) -> FloatArray:
    """Upper limits: where a result as low, dose by dose from this one on, has chance `tail`."""
    limits = np.ones(y.size)
    for j in range(y.size - 1, -1, -1):
        if (y[j:] == n[j:]).all():
            continue
        limits[j] = brentq(
            lambda theta, j=j: _at_most(theta, y[j:], n[j:]) - tail, 0.0, 1.0, xtol=ROOT_TOLERANCE
        )
    return limits


def _at_most(theta: float, y: FloatArray, n: FloatArray) -> float:
    """G of Morris's equation 4.3: P(Y_1 < y_1) + P(Y_1 = y_1) (P(Y_2 < y_2) + ...)."""
    total = _cumulative(theta, y[-1], n[-1])
    for j in range(y.size - 2, -1, -1):
        fewer = _cumulative(theta, y[j] - 1.0, n[j])
        exactly = float(comb(n[j], y[j]) * theta ** y[j] * (1.0 - theta) ** (n[j] - y[j]))
        total = fewer + exactly * total
    return total


def _cumulative(theta: float, count: float, n: float) -> float:
    """P(Y <= count) of a binomial Y."""
    if count < 0.0:
        return 0.0
    return 1.0 if count >= n else float(betainc(n - count, count + 1.0, 1.0 - theta))


def _places(x: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return where limits are computed, where slopes are averaged, and what is one place."""
    gaps = np.diff(x)
    same = SAME_PLACE * float(x[-1] - x[0])
    near = np.concatenate([x[:-1] + FINE_STEP * gaps, x[1:] - FINE_STEP * gaps])
    steps = round(gaps.size / FINE_STEP)
    even = np.linspace(x[0], x[-1], steps + 1)
    even = even[np.abs(even[:, None] - x).min(axis=1) > same]
    return np.unique(np.concatenate([x, near])), np.sort(np.concatenate([x, even])), same


def _slopes(x: FloatArray, y: FloatArray, places: FloatArray, least: float) -> FloatArray:
    """Slope of the straight pieces; the mean of both sides at a point, at least `least`."""
    pieces = np.diff(y) / np.diff(x)
    after = np.clip(np.searchsorted(x, places, side="right") - 1, 0, pieces.size - 1)
    before = np.clip(np.searchsorted(x, places, side="left") - 1, 0, pieces.size - 1)
    return np.maximum((pieces[before] + pieces[after]) / 2.0, least)


def _weighted(slopes: FloatArray) -> float:
    """Mean with weights 1, 4, 9, ...: the last one is nearest."""
    return float(np.average(slopes, weights=np.arange(1.0, slopes.size + 1.0) ** 2))


def _read(rising: FloatArray, values: FloatArray, target: float) -> float:
    """Value where a rising sequence passes the target; NaN outside."""
    return float(np.interp(target, rising, values, left=np.nan, right=np.nan))
