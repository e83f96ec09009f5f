"""Intervals for the dose at which a probit or logit curve reaches a share."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import chdtri

from ldn_meta.stats.dose_model import DoseModels, log_likelihood, quantile
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.values import Interval, two_sided_quantile

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

    Parameters
    ----------
    dose, responders, n : ndarray (k,)
        The table the one curve of `models` was fitted to.
    models : DoseModels
        With m = 1.
    target, level : float

    Returns
    -------
    Interval
        NaN where the curve does not rise.
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
