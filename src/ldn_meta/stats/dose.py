"""The dose that works in a given share of people, from counts at each dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betainc, chdtri, comb, expit, log_expit, log_ndtr, logit, ndtri

from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats.arrays import (
    BoolArray,
    FloatArray,
    FrozenRecord,
    Interval,
    confidence_level,
    from_data,
    numbers,
    one_of,
    share_between,
    two_sided_quantile,
    yes_or_no,
)
from ldn_meta.stats.proportions import wilson_interval

# Dixon and Mood 1948: s = 1.620 d (B / N - (A / N)^2 + 0.029), unless the bracket without its
# last term is at most 0.3.
SPREAD_FACTOR, SPREAD_SHIFT, LEAST_SPREAD = 1.620, 0.029, 0.3
# Steps that differ by less than this share of their mean are equal but for rounding.
EQUAL_STEPS = 1e-6


def dixon_mood(
    dose: FloatArray, responders: FloatArray, n: FloatArray, *, target: float
) -> tuple[float, tuple[str, ...]]:
    """Estimate a dose from the mean and spread of the doses with the rarer outcome.

    The ED50 is their mean, half a step lower if the rarer outcome is response, half a step higher
    if it is not (as many of each: not). Another target lies z(target) s away.

    Notes
    -----
    Dixon and Mood 1948, Journal of the American Statistical Association 43:109-126, section 4. It
    takes tails of equal outcomes and visits to the end of the ladder for signal (Oron, Souter and
    Flournoy 2022, Anesthesiology 137:137-150): given for comparison with what papers print.
    """
    steps = np.diff(dose)
    if steps.size and np.ptp(steps) > EQUAL_STEPS * steps.mean():
        message = f"dose={dose.tolist()} has unequal steps; allowed with dixon-mood: equal steps"
        raise ArgumentError(message)
    failed = n - responders
    is_response_rarer = responders.sum() < failed.sum()
    rarer = responders if is_response_rarer else failed
    if rarer.sum() == 0 or steps.size == 0:
        return np.nan, ("everybody or nobody responded, or one dose only was tested",)
    step = float(steps.mean())
    count = float(rarer.sum())
    place = np.arange(dose.size)
    mean = float(rarer @ dose) / count + (-0.5 if is_response_rarer else 0.5) * step
    z = float(ndtri(target))
    if z == 0.0:
        return mean, ()
    spread = float(rarer @ place**2) / count - (float(rarer @ place) / count) ** 2
    if spread <= LEAST_SPREAD:
        note = f"spread {spread:.3g} is at most {LEAST_SPREAD}: the formula for s does not hold"
        return np.nan, (note,)
    return mean + z * SPREAD_FACTOR * step * (spread + SPREAD_SHIFT), ()


def shrinkage_target(value: object) -> float | None:
    """Return the target to shrink to, or None for no shrinkage."""
    return None if value is None else share_between("shrink_to", value)


def dose_table(
    dose: ArrayLike, responders: ArrayLike, n: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return doses, responders and people (k,), ascending, without doses nobody had."""
    x, r, size = (
        numbers(name, values)
        for name, values in (("dose", dose), ("responders", responders), ("n", n))
    )
    if not (x.ndim == 1 and x.shape == r.shape == size.shape):
        message = (
            f"dose has shape {x.shape}, responders {r.shape}, n {size.shape}; "
            "allowed: one list of doses (k,) with as many counts"
        )
        raise ArgumentError(message)
    checked_counts(r, size)
    if np.isnan(x).any():
        message = "dose holds NaN; allowed: a number for every dose"
        raise ArgumentError(message)
    if np.unique(x).size != x.size:
        message = f"dose={x.tolist()} repeats a dose; allowed: each dose once, counts added up"
        raise ArgumentError(message)
    order = np.argsort(x)
    kept = order[size[order] > 0]
    if kept.size == 0:
        message = "n is 0 throughout; allowed: at least one person at one dose"
        raise ArgumentError(message)
    return x[kept], r[kept], size[kept]


def checked_counts(responders: FloatArray, n: FloatArray) -> None:
    """Refuse counts that are not whole, or not from 0 to n."""
    wrong = ~((responders >= 0) & (responders <= n))
    wrong |= (responders != np.floor(responders)) | (n != np.floor(n))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        index = ", ".join(map(str, place))
        message = (
            f"responders[{index}]={float(responders[place])!r} of n[{index}]={float(n[place])!r} "
            "is not a count; allowed: whole numbers, 0 <= responders <= n"
        )
        raise ArgumentError(message)


# Shares closer than this are one share: pooled averages that are equal on paper differ in the
# last digits.
TIE = 5e-9
# Flournoy and Oron 2020 leave a dose that one person had as it is.
FEWEST_TO_SHRINK = 2


@dataclass(frozen=True, eq=False)
class DoseCurve(FrozenRecord):
    """A fitted curve: straight between its points, flat beyond them."""

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
    """Return, for every dose, the mean dose of the stretch it belongs to, weighted by people."""
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


LINKS = ("probit", "logit")
MAX_ITERATIONS = 100
# Size of the last step, in standard deviations of dose: Newton has then converged to rounding.
STEP_TOLERANCE = 1e-10
HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, eq=False)
class DoseModels(FrozenRecord):
    """Fitted curves: link(share) = intercept + slope dose, for m tables."""

    link: str
    intercept: FloatArray
    slope: FloatArray
    covariance: FloatArray
    log_likelihood: FloatArray
    is_separated: BoolArray


def quantile(link: str, share: float) -> float:
    """Return the value of the link at a share."""
    return float(ndtri(share) if link == "probit" else logit(share))


def log_shares(link: str, eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the logs of the shares that respond and that do not."""
    log = log_ndtr if link == "probit" else log_expit
    return log(eta), log(-eta)


def log_likelihood(
    link: str, eta: FloatArray, responders: FloatArray, n: FloatArray
) -> FloatArray:
    """Return the log-likelihood of counts (..., k) at link values (..., k)."""
    return likelihood_of(*log_shares(link, eta), responders, n)


def likelihood_of(
    yes: FloatArray, no: FloatArray, responders: FloatArray, n: FloatArray
) -> FloatArray:
    """Return the log-likelihood of counts from the logs of both shares."""
    total: FloatArray = (responders * yes + (n - responders) * no).sum(axis=-1)
    return total


def fit_models(
    dose: FloatArray, responders: FloatArray, n: FloatArray, *, link: str
) -> DoseModels:
    """Fit a curve to each of m tables by Newton's method on the expected information."""
    centre, scale = float(dose.mean()), float(dose.std()) or 1.0
    u = (dose - centre) / scale
    separated = _separated(responders, n)
    m = n.shape[0]
    intercept, slope = np.full(m, np.nan), np.full(m, np.nan)
    covariance, likelihood = np.full((m, 3), np.nan), np.full(m, np.nan)
    rows = np.flatnonzero(~separated)
    if rows.size:
        a, b, information, fitted = _newton(u, responders[rows], n[rows], link)
        inverse = _inverse(information)
        # Back from standardised dose: slope b / scale, intercept a - b centre / scale.
        slope[rows], intercept[rows] = b / scale, a - b * centre / scale
        v_a, v_ab, v_b = inverse
        shift = centre / scale
        covariance[rows] = np.stack(
            [
                v_a - 2.0 * shift * v_ab + shift**2 * v_b,
                (v_ab - shift * v_b) / scale,
                v_b / scale**2,
            ],
            axis=-1,
        )
        likelihood[rows] = fitted
    return DoseModels(link, intercept, slope, covariance, likelihood, separated)


def _separated(responders: FloatArray, n: FloatArray) -> BoolArray:
    place = np.arange(n.shape[-1])
    worked, failed = responders > 0, n > responders
    lowest_worked = np.where(worked, place, n.shape[-1]).min(axis=-1)
    highest_worked = np.where(worked, place, -1).max(axis=-1)
    lowest_failed = np.where(failed, place, n.shape[-1]).min(axis=-1)
    highest_failed = np.where(failed, place, -1).max(axis=-1)
    separated: BoolArray = (highest_failed <= lowest_worked) | (highest_worked <= lowest_failed)
    return separated


def _newton(
    u: FloatArray, responders: FloatArray, n: FloatArray, link: str
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Maximise; return intercepts, slopes, information (3, m) and log-likelihoods."""
    share = responders.sum(axis=-1) / n.sum(axis=-1)
    a = np.asarray(ndtri(share) if link == "probit" else logit(share))
    b = np.zeros_like(a)
    eta = a[:, None] + b[:, None] * u
    logs = log_shares(link, eta)
    value = likelihood_of(*logs, responders, n)
    for _ in range(MAX_ITERATIONS):
        score, information = _score(u, eta, logs, responders, n, link)
        v_a, v_ab, v_b = _inverse(information)
        step_a = v_a * score[0] + v_ab * score[1]
        step_b = v_ab * score[0] + v_b * score[1]
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < STEP_TOLERANCE:
            return a, b, information, value
        # The log-likelihood is concave, so halving a step that goes too far always ends.
        part = np.ones_like(a)
        for _ in range(MAX_ITERATIONS):
            eta = (a + part * step_a)[:, None] + (b + part * step_b)[:, None] * u
            logs = log_shares(link, eta)
            new = likelihood_of(*logs, responders, n)
            worse = new < value - 1e-12 * np.abs(value)
            if not worse.any():
                break
            part = np.where(worse, part / 2.0, part)
        a, b, value = a + part * step_a, b + part * step_b, new
    last = float(max(np.abs(step_a).max(), np.abs(step_b).max()))
    message = (
        f"{link} curve: no convergence after {MAX_ITERATIONS} iterations, last step {last:.3g}"
    )
    raise ConvergenceError(message)


def _score(
    u: FloatArray,
    eta: FloatArray,
    logs: tuple[FloatArray, FloatArray],
    responders: FloatArray,
    n: FloatArray,
    link: str,
) -> tuple[FloatArray, FloatArray]:
    """Derivatives of the log-likelihood (2, m) and expected information (3, m)."""
    if link == "probit":
        yes, no = logs
        density = -0.5 * eta**2 - HALF_LOG_2PI
        up, down = np.exp(density - yes), np.exp(density - no)
    else:
        up, down = expit(-eta), expit(eta)
    slope = responders * up - (n - responders) * down
    weight = n * up * down
    return (
        np.stack([slope.sum(axis=-1), (slope * u).sum(axis=-1)]),
        np.stack([weight.sum(axis=-1), (weight * u).sum(axis=-1), (weight * u * u).sum(axis=-1)]),
    )


def _inverse(information: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    aa, ab, bb = information
    determinant = aa * bb - ab * ab
    return bb / determinant, -ab / determinant, aa / determinant


# A profile that has not passed its limit this many ranges of dose away never does: it then differs
# from its value at infinity by less than rounding.
FARTHEST = 1e6
# The steepest curve looked at in a profile: from 1% to 99% within a thousandth of the dose range.
STEEPEST = 5e3


def model_dose(models: DoseModels, target: float) -> FloatArray:
    """Return the doses (m,) where curves reach a share; NaN where a curve does not rise."""
    with np.errstate(divide="ignore", invalid="ignore"):
        dose = (quantile(models.link, target) - models.intercept) / models.slope
    return np.where(models.slope > 0.0, dose, np.nan)


def delta_limits(models: DoseModels, target: float, *, level: float) -> Interval:
    """Return intervals (m,) from the variance of the ratio, to first order.

    var(d) = (v_a + 2 d v_ab + d^2 v_b) / b^2 at d = (q - a) / b. Symmetric, finite, and too narrow
    where the slope is not well known: what most papers print.
    """
    z = float(two_sided_quantile(level))
    dose = model_dose(models, target)
    v_a, v_ab, v_b = models.covariance.T
    half = z * np.sqrt(v_a + 2.0 * dose * v_ab + dose**2 * v_b) / np.abs(models.slope)
    return Interval(dose - half, dose + half)


def fieller_limits(models: DoseModels, target: float, *, level: float) -> Interval:
    """Return intervals (m,) of the doses d with (a + b d - q)^2 <= z^2 var(a + b d).

    Where the slope does not differ from 0 at this level, the set of such doses is not an interval:
    both ends are then infinite.

    Notes
    -----
    Fieller 1954, JRSS B 16:175-185; Finney 1971, Probit Analysis, section 4.4.
    """
    z2 = float(two_sided_quantile(level)) ** 2
    a, b = models.intercept - quantile(models.link, target), models.slope
    v_a, v_ab, v_b = models.covariance.T
    first, half, last = b**2 - z2 * v_b, a * b - z2 * v_ab, a**2 - z2 * v_a
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(half**2 - first * last)
        low, high = (-half - root) / first, (-half + root) / first
    bounded = first > 0.0
    rises = b > 0.0
    return Interval(
        np.where(rises, np.where(bounded, low, -np.inf), np.nan),
        np.where(rises, np.where(bounded, high, np.inf), np.nan),
    )


def profile_limits(
    dose: FloatArray,
    responders: FloatArray,
    n: FloatArray,
    models: DoseModels,
    target: float,
    *,
    level: float,
) -> Interval:
    """Return the likelihood interval of one table: every dose the data do not speak against.

    A dose d is inside where 2 (max log L - max over rising curves through (d, target) of log L) is
    at most the chi-squared quantile on 1 df. An end is infinite where no dose, however far, is
    ruled out.
    """
    best = float(model_dose(models, target)[0])
    if np.isnan(best):
        return Interval(np.nan, np.nan)
    limit = float(chdtri(1.0, 1.0 - level))
    width = float(np.ptp(dose))
    top = float(models.log_likelihood[0])

    def distance(candidate: float) -> float:
        value = _best_through(candidate, target, dose, responders, n, models.link, width)
        return 2.0 * (top - value) - limit

    ends = []
    for side in (-1.0, 1.0):
        reach = 0.1 * width
        while distance(best + side * reach) < 0.0 and reach < FARTHEST * width:
            reach *= 2.0
        if reach >= FARTHEST * width:
            ends.append(side * np.inf)
            continue
        ends.append(float(brentq(distance, best, best + side * reach, xtol=1e-10 * width)))
    return Interval(ends[0], ends[1])


def _best_through(
    candidate: float,
    target: float,
    dose: FloatArray,
    responders: FloatArray,
    n: FloatArray,
    link: str,
    width: float,
) -> float:
    """Largest log-likelihood of the curves with a slope of at least 0 through one point."""
    centred = (dose - candidate) / width
    level = quantile(link, target)
    # Far away only a slope as small as the distance is large keeps the curve among the data.
    far = 1.0 + float(np.abs(centred).max())

    def loss(slope: float) -> float:
        return -float(log_likelihood(link, level + slope / far * centred, responders, n))

    found = minimize_scalar(
        loss, bounds=(0.0, STEEPEST * far), method="bounded", options={"xatol": 1e-9}
    )
    return -min(float(found.fun), loss(0.0))


METHODS = ("cir", "ir", "probit", "logit", "dixon-mood")
# The intervals each method has; the first is the default.
CI_METHODS = {
    "cir": ("morris-delta",),
    "ir": ("morris-delta",),
    "probit": ("profile", "fieller", "delta"),
    "logit": ("profile", "fieller", "delta"),
    "dixon-mood": ("none",),
}


@dataclass(frozen=True, eq=False)
class DoseEstimate(FrozenRecord):
    """A dose that a share of people responds to, with its interval."""

    target: float
    method: str
    ci_method: str
    level: float
    estimate: float
    ci_low: float
    ci_high: float
    people: int
    notes: tuple[str, ...]


@from_data("dose", "responders", "n")
def dose_for(
    dose: ArrayLike,
    responders: ArrayLike,
    n: ArrayLike,
    *,
    data: Any = None,
    target: float = 0.5,
    method: str = "cir",
    ci_method: str | None = None,
    level: float = 0.95,
    shrink_to: float | None = None,
    log_dose: bool = False,
) -> DoseEstimate:
    """Estimate the dose that works in a share of people.

    ==========  =================================================================================
    cir         centred isotonic regression (Oron and Flournoy 2017): assumes only that a higher
                dose never works in fewer people; says nothing beyond the shares it was fitted to
    ir          isotonic regression (Stylianou and Flournoy 2002)
    probit      normal tolerance distribution, maximum likelihood
    logit       logistic tolerance distribution, maximum likelihood
    dixon-mood  mean of the doses with the rarer outcome, for up-and-down designs with equal steps
                (Dixon and Mood 1948); other targets by the spread of those doses
    ==========  =================================================================================

    Intervals: "morris-delta" for isotonic curves (`dose_limits`); "profile"
    (likelihood), "fieller" or "delta" for models (see `profile_limits` and the next two); none for
    dixon-mood, whose own is read off a chart.

    Parameters
    ----------
    dose : array_like (k,)
        Distinct doses, in any order and unit.
    responders, n : array_like (k,)
        People who responded and people treated at each dose.
    data : pandas.DataFrame or mapping, optional
        Table of which `dose`, `responders` and `n` may be given as names of columns.
    target : float
        Share of people, 0.5 for the ED50.
    method, ci_method, level
        As above.
    shrink_to : float, optional
        For cir and ir: target of the adaptive design the counts come from; see
        `ldn_meta.stats.dose.isotonic`.
    log_dose : bool
        For probit and logit: whether the curve is one of the logarithm of dose.

    Returns
    -------
    DoseEstimate

    Raises
    ------
    ArgumentError
        If an option is unknown or does not belong to the method, or the counts are not usable.
    ConvergenceError
        If the fit of a model does not converge.

    Examples
    --------
    >>> found = dose_for([1, 2, 3, 4], [0, 1, 3, 2], [2, 4, 4, 2])
    >>> round(found.estimate, 3)
    2.5
    """
    one_of("method", method, METHODS)
    log_dose = yes_or_no("log_dose", log_dose)
    target, level = share_between("target", target), confidence_level(level)
    chosen = CI_METHODS[method][0] if ci_method is None else ci_method
    one_of(f"ci_method of {method}", chosen, CI_METHODS[method])
    x, r, size = dose_table(dose, responders, n)
    to = shrinkage_target(shrink_to)
    if to is not None and method not in ("cir", "ir"):
        message = f"shrink_to={shrink_to!r} with method={method!r}; allowed: with cir or ir"
        raise ArgumentError(message)
    if log_dose and (method not in LINKS or x[0] <= 0.0):
        message = (
            f"log_dose=True with method={method!r} and a lowest dose of {x[0]:g}; "
            "allowed: with probit or logit and doses above 0"
        )
        raise ArgumentError(message)
    if method in LINKS:
        found, limits, notes = _by_model(
            np.log(x) if log_dose else x, r, size, target, method, chosen, level
        )
        if log_dose:
            with np.errstate(over="ignore"):
                found = float(np.exp(found))
                limits = Interval(float(np.exp(limits.low)), float(np.exp(limits.high)))
    elif method == "dixon-mood":
        found, notes = dixon_mood(x, r, size, target=target)
        limits = Interval(np.nan, np.nan)
    else:
        fit = centered_isotonic if method == "cir" else isotonic
        found, limits, notes = _by_curve(fit(x, r, size, shrink_to=to), x, target, level)
    return DoseEstimate(
        target=target,
        method=method,
        ci_method=chosen,
        level=level,
        estimate=found,
        ci_low=float(limits.low),
        ci_high=float(limits.high),
        people=int(size.sum()),
        notes=notes,
    )


def _by_curve(
    curve: DoseCurve, dose: FloatArray, target: float, level: float
) -> tuple[float, Interval, tuple[str, ...]]:
    found = float(dose_at(curve.dose, curve.share, target))
    if np.isnan(found):
        reached = f"{curve.share[0]:.3g} to {curve.share[-1]:.3g}"
        note = f"the fitted shares run from {reached} and do not pass through {target:g}"
        return found, Interval(np.nan, np.nan), (note,)
    limits = dose_limits(curve, target, level=level, spacing=float(np.diff(dose).mean()))
    notes = () if np.isfinite([limits.low, limits.high]).all() else ("an end is not defined",)
    return found, limits, notes


def _by_model(
    x: FloatArray,
    responders: FloatArray,
    n: FloatArray,
    target: float,
    link: str,
    ci_method: str,
    level: float,
) -> tuple[float, Interval, tuple[str, ...]]:
    models = fit_models(x, responders[None, :], n[None, :], link=link)
    nothing = Interval(np.nan, np.nan)
    if models.is_separated[0]:
        note = (
            "every dose that failed lies on one side of every dose that worked: a steeper curve "
            "always fits as well, so there is no best one"
        )
        return np.nan, nothing, (note,)
    found = float(model_dose(models, target)[0])
    if np.isnan(found):
        return found, nothing, ("the fitted share does not rise with dose",)
    if ci_method == "profile":
        limits = profile_limits(x, responders, n, models, target, level=level)
    else:
        compute = delta_limits if ci_method == "delta" else fieller_limits
        both = compute(models, target, level=level)
        limits = Interval(float(both.low[0]), float(both.high[0]))
    notes: tuple[str, ...] = ()
    if np.isinf([limits.low, limits.high]).any():
        notes = ("an end is infinite: no dose, however far, is ruled out on that side",)
    return found, limits, notes
