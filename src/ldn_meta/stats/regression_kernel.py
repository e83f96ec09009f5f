"""The arithmetic of meta-regression, over m sets of n trials with p coefficients at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri, fdtrc, ndtr, ndtri, stdtr, stdtrit

from ldn_meta.stats.generalised_q import climb
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray
from ldn_meta.stats.likelihood import Likelihood, Score, global_maximum
from ldn_meta.stats.options import Settings
from ldn_meta.stats.trials import total


@dataclass(frozen=True)
class Contrasts:
    """What m sets of n trials say once p coefficients are removed.

    With an orthonormal basis K of what X cannot explain, K'VK = U diag(d) U' and z = U'K'y, the
    generalised Q is sum z^2 / (d + t), tr(P) is sum 1 / (d + t), and REML is the likelihood of z:
    after one decomposition every tau2 costs a sum.

    Attributes
    ----------
    d, c : ndarray (n - p, m)
        Variances of the contrasts at tau2 = 0, and their squares z^2.
    v : ndarray (n, m)
        Sampling variances.
    """

    d: FloatArray
    c: FloatArray
    v: FloatArray

    def q(self, rows: IntArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the generalised Q at t and minus its derivative, each (n,)."""
        w = 1.0 / (self.d.take(rows, axis=1) + t)
        z2w = self.c.take(rows, axis=1) * w
        return total(z2w), total(z2w * w)

    def likelihood(self, *, restricted: bool) -> Likelihood:
        """Describe the (restricted) likelihood for the global search.

        Its bounds are those of `ldn_meta.stats.tau2.normal_likelihood` with n - p for k - 1.
        """
        variances = self.d if restricted else self.v
        floor = self.v.min(axis=0)
        mean_square = total(self.c) / variances.shape[0]
        span = self.v.max(axis=0) - floor

        def score(rows: IntArray, t: FloatArray) -> Score:
            w = 1.0 / (self.d.take(rows, axis=1) + t)
            z2w2 = self.c.take(rows, axis=1) * (w * w)
            u = w if restricted else 1.0 / (variances.take(rows, axis=1) + t)
            return Score(
                np.array([t, total(z2w2), total(u), -2.0 * total(z2w2 * w), -total(u * u)])
            )

        def deviance(rows: IntArray, t: FloatArray) -> FloatArray:
            return total(np.log(variances.take(rows, axis=1) + t)) + self.q(rows, t)[0]

        ceiling = 0.5 * (mean_square + np.sqrt(mean_square) * np.sqrt(mean_square + 4.0 * span))
        return Likelihood(floor=floor, ceiling=ceiling, score=score, deviance=deviance)


def contrasts_of(y: FloatArray, v: FloatArray, design: FloatArray) -> Contrasts:
    """Decompose y, v (m, n) with covariates (m, n, p)."""
    basis = np.linalg.qr(design, mode="complete")[0][:, :, design.shape[2] :]
    d, u = np.linalg.eigh(np.einsum("mni,mn,mnj->mij", basis, v, basis, optimize=True))
    z = np.einsum("mij,mni,mn->mj", u, basis, y, optimize=True)
    # Every d lies between the smallest and the largest variance; rounding must not undo that.
    bounded = np.clip(d, v.min(axis=1, keepdims=True), v.max(axis=1, keepdims=True))
    return Contrasts(
        d=np.ascontiguousarray(bounded.T), c=np.ascontiguousarray((z * z).T), v=v.T.copy()
    )


def residual_tau2(
    contrasts: Contrasts, y: FloatArray, method: str
) -> tuple[FloatArray, BoolArray]:
    """Estimate tau2 around the regression; formulas of `tau2_estimate` with n - p for k - 1."""
    n, m = contrasts.v.shape
    df = n - (n - contrasts.d.shape[0])
    zero, every = np.zeros(m), np.arange(m)
    one_maximum = np.zeros(m, dtype=np.bool_)
    if method == "common":
        return zero, one_maximum
    if method in ("ml", "reml"):
        likelihood = contrasts.likelihood(restricted=method == "reml")
        return global_maximum(likelihood, method=method)
    if method in ("pm", "eb"):
        floor = contrasts.v.min(axis=0)
        target = np.full(m, float(df))
        return climb(contrasts.q, zero, target, floor=floor, method=method), one_maximum
    if method == "dl":
        raw = (contrasts.q(every, zero)[0] - df) / total(1.0 / contrasts.d)
    elif method == "hs":
        raw = (contrasts.q(every, zero)[0] - n) / total(1.0 / contrasts.v)
    elif method == "he":
        raw = (total(contrasts.c) - total(contrasts.d)) / df
    else:
        start = y.var(axis=1)
        raw = start * contrasts.q(every, start)[0] / df
    return np.maximum(raw, 0.0), one_maximum


def fit(
    y: FloatArray, v: FloatArray, design: FloatArray, settings: Settings, *, tested: IntArray
) -> tuple[dict[str, FloatArray], BoolArray]:
    """Fit m sets of exactly n > p trials each.

    Parameters
    ----------
    y, v : ndarray (m, n)
        Effects and variances, none missing.
    design : ndarray (m, n, p)
        Covariates of full rank.
    settings : Settings
        How to fit.
    tested : ndarray of int
        The columns that the joint test is about: all but the intercept.

    Returns
    -------
    numbers : dict of ndarray (m, ...)
        Fields of `RegressionResult`.
    several : ndarray (m,)
        Whether the likelihood of tau2 has more than one maximum.
    """
    m, n, p = design.shape
    df = n - p
    every = np.arange(m)
    # A power of 4 near the smallest variance keeps every intermediate number in range.
    root = np.ldexp(1.0, (np.frexp(v.min(axis=1))[1] - 1) >> 1)
    scale = root * root
    ys, vs = y / root[:, None], v / scale[:, None]
    contrasts = contrasts_of(ys, vs, design)
    tau2, several = residual_tau2(contrasts, ys, settings.tau2_method)
    coefficients, unscaled = _least_squares(ys, 1.0 / np.sqrt(vs + tau2[:, None]), design)
    scatter = contrasts.q(every, tau2)[0] / df
    factor = np.ones(m)
    if settings.ci_method == "knapp-hartung":
        factor = np.where(scatter > 0.0, scatter, np.nan)
    elif settings.ci_method == "knapp-hartung-floored":
        factor = np.maximum(scatter, 1.0)
    coefficients *= root[:, None]
    covariance = unscaled * (factor * scale)[:, None, None]
    se = np.sqrt(np.einsum("mii->mi", covariance))
    statistic = coefficients / se
    tail = 0.5 + 0.5 * settings.level
    if settings.uses_t:
        quantile, p_value = float(stdtrit(df, tail)), 2.0 * stdtr(df, -np.abs(statistic))
    else:
        quantile, p_value = float(ndtri(tail)), 2.0 * ndtr(-np.abs(statistic))
    qm, qm_pvalue = _joint_test(coefficients, covariance, tested, df, settings.uses_t)
    qe = contrasts.q(every, np.zeros(m))[0]
    low, high = (
        climb(
            contrasts.q,
            np.zeros(m),
            np.full(m, chdtri(df, probability)),
            floor=contrasts.v.min(axis=0),
            method="Q-profile interval",
        )
        for probability in (1.0 - tail, tail)
    )
    numbers = {
        "coefficients": coefficients,
        "se": se,
        "statistic": statistic,
        "p_value": p_value,
        "ci_low": coefficients - quantile * se,
        "ci_high": coefficients + quantile * se,
        "covariance": covariance,
        "tau2": tau2 * scale,
        "tau2_ci_low": low * scale,
        "tau2_ci_high": high * scale,
        "qe": qe,
        "qe_pvalue": chdtrc(df, qe),
        "qm": qm,
        "qm_pvalue": qm_pvalue,
    }
    return numbers, several


def _least_squares(
    y: FloatArray, sqrt_w: FloatArray, design: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (m, p) and (X'WX)^-1 (m, p, p) by a QR decomposition."""
    # Columns of very different size (a year beside a dose) are brought to one.
    size = np.abs(design).max(axis=1)
    q, r = np.linalg.qr(sqrt_w[:, :, None] * (design / size[:, None, :]))
    inverse = np.linalg.inv(r) / size[:, :, None]
    coefficients = np.einsum("mij,mnj,mn->mi", inverse, q, sqrt_w * y, optimize=True)
    return coefficients, inverse @ inverse.transpose(0, 2, 1)


def _joint_test(
    coefficients: FloatArray, covariance: FloatArray, tested: IntArray, df: int, uses_t: bool
) -> tuple[FloatArray, FloatArray]:
    """Test that the coefficients `tested` are all 0: chi-squared, or F on df."""
    b, sigma = coefficients[:, tested], covariance[:, tested[:, None], tested]
    number = tested.size
    if number == 0:
        nothing = np.full(b.shape[0], np.nan)
        return nothing, nothing.copy()
    # In standard units, so that covariates of very different size stay well conditioned.
    se = np.sqrt(np.einsum("mii->mi", sigma))
    correlation = sigma / (se[:, :, None] * se[:, None, :])
    z = b / se
    qm = np.einsum("mi,mi->m", z, np.linalg.solve(correlation, z[:, :, None])[:, :, 0])
    if uses_t:
        qm = qm / number
        return qm, fdtrc(number, df, qm)
    return qm, chdtrc(number, qm)
