"""Probit and logit curves of response on dose, by maximum likelihood, one table or many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, logit, ndtri

from ldn_meta.errors import ConvergenceError
from ldn_meta.stats.inputs import BoolArray, FloatArray
from ldn_meta.stats.records import FrozenRecord

LINKS = ("probit", "logit")
MAX_ITERATIONS = 100
# Size of the last step, in standard deviations of dose: Newton has then converged to rounding.
STEP_TOLERANCE = 1e-10
HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, eq=False)
class DoseModels(FrozenRecord):
    """Fitted curves: link(share) = intercept + slope dose, for m tables.

    Attributes
    ----------
    link : str
        probit or logit.
    intercept, slope : ndarray (m,)
        NaN where there is no maximum: see `is_separated`.
    covariance : ndarray (m, 3)
        Variance of the intercept, covariance, variance of the slope (expected information).
    log_likelihood : ndarray (m,)
        Without the binomial coefficients, which do not depend on the curve.
    is_separated : ndarray of bool (m,)
        Where every dose that failed lies on one side of every dose that worked, at most touching:
        any steeper curve fits as well or better.
    """

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
    yes, no = log_shares(link, eta)
    total: FloatArray = (responders * yes + (n - responders) * no).sum(axis=-1)
    return total


def fit_models(
    dose: FloatArray, responders: FloatArray, n: FloatArray, *, link: str
) -> DoseModels:
    """Fit a curve to each of m tables by Newton's method on the expected information.

    Parameters
    ----------
    dose : ndarray (k,)
        Doses, or their logarithms.
    responders, n : ndarray (m, k)
        Counts; an n of 0 is no dose.
    link : str
        probit or logit.

    Returns
    -------
    DoseModels

    Raises
    ------
    ConvergenceError
        If the iteration does not converge.
    """
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
    value = log_likelihood(link, a[:, None] + b[:, None] * u, responders, n)
    for _ in range(MAX_ITERATIONS):
        score, information = _score(u, a[:, None] + b[:, None] * u, responders, n, link)
        v_a, v_ab, v_b = _inverse(information)
        step_a = v_a * score[0] + v_ab * score[1]
        step_b = v_ab * score[0] + v_b * score[1]
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < STEP_TOLERANCE:
            return a, b, information, value
        # The log-likelihood is concave, so halving a step that goes too far always ends.
        part = np.ones_like(a)
        for _ in range(MAX_ITERATIONS):
            eta = (a + part * step_a)[:, None] + (b + part * step_b)[:, None] * u
            new = log_likelihood(link, eta, responders, n)
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
    u: FloatArray, eta: FloatArray, responders: FloatArray, n: FloatArray, link: str
) -> tuple[FloatArray, FloatArray]:
    """Derivatives of the log-likelihood (2, m) and expected information (3, m)."""
    if link == "probit":
        yes, no = log_shares(link, eta)
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
