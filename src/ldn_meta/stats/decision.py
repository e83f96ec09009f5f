"""What to expect of a new setting: where its true effect lies, and how often it matters.

`bootstrap_limits` is a prediction interval for three to ten trials, where those by t on k - 1 or
k - 2 degrees of freedom are too narrow or too wide; `setting_shares` turns a pool into the shares
of settings with an important benefit, a trivial effect and an important harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import gammaln, ndtr, stdtr, stdtrit

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BOOTSTRAP,
    PI_METHODS,
    FloatArray,
    FrozenRecord,
    Interval,
    PoolRecord,
    numbers,
    one_number,
)

# A spread beside a mean: nothing is predicted from fewer.
FEWEST_TRIALS = 3

# Nodes of the cotangent contour of Trefethen, Weideman and Schmelzer 2006 (BIT 46:653-670): good
# to 1e-9 for 20 trials and to 1e-5 for 100, beyond which neither more nor fewer would do.
CONTOUR_NODES, MORE_EVERY, MOST_TRIALS = 32, 20, 100
# Steps of the trapezoid rules in log tau2 and in the log of a chi-squared over its df; both
# integrands are analytic and fall exponentially, so that halving a step changes nothing.
TAU2_STEP, CHI2_STEP = 0.25, 0.25
# tau2 is followed to this many powers of e below and above the variances and Q's scale.
TAU2_REACH = 30.0
# Weights below this cannot move a limit by a digit that is kept.
LEAST_WEIGHT = 1e-15
BENEFIT_SIGNS = (1.0, -1.0)


@lru_cache(maxsize=8)
def _contour(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Return points z and weights, so that F(q) = Re sum(weight L(z / q)) / q; half of each."""
    theta = (2.0 * np.arange(nodes // 2) + 1.0) * np.pi / nodes
    turned = 0.6407 * theta
    sine = np.sin(turned)
    z = nodes * (-0.4814 + 0.6122 * theta * np.cos(turned) / sine + 0.2645j * theta)
    slope = nodes * (0.6122 * (np.cos(turned) / sine - turned / sine**2) + 0.2645j)
    # Points come in conjugate pairs; their sum is twice the real part.
    return z, 2.0 * np.exp(z) * slope / (1j * nodes)


def q_distribution(q: float, v: FloatArray, tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return P(Q <= q) and its derivative by tau2, at every tau2 (n,), for variances v (k,).

    Q = sum w (y - sum(w y) / sum w)^2 with w = 1 / v. With d = 1 + tau2 / v its transform is
    E exp(-s Q) = [prod(1 + 2 s d) sum(w / (1 + 2 s d)) / sum w]^(-1/2), by the determinant of
    a matrix plus one of rank one; it is inverted on a contour round its cut.
    """
    z, weight = _contour(CONTOUR_NODES + 2 * (v.size // MORE_EVERY))
    s = (z / q)[:, None, None]
    part = 1.0 / (1.0 + 2.0 * s * (1.0 + tau2[:, None] / v))
    share = (1.0 / v) / (1.0 / v).sum()
    inner = (share * part).sum(axis=-1)
    # Every factor stays in one half of the plane, so the principal roots are the right ones.
    transform = np.sqrt(part).prod(axis=-1) / np.sqrt(inner)
    slope = (
        2.0 * s[..., 0] * ((share * part**2 / v).sum(axis=-1) / inner - (part / v).sum(axis=-1))
    )
    below = (weight[:, None] * transform / z[:, None]).sum(axis=0).real
    by_tau2 = (weight[:, None] * transform * 0.5 * slope / z[:, None]).sum(axis=0).real
    return np.clip(below, 0.0, 1.0), by_tau2


@lru_cache(maxsize=64)
def _scaled_chi2(df: int) -> tuple[FloatArray, FloatArray]:
    """Return values and weights of a chi-squared over its degrees of freedom."""
    reach = 80.0 / df
    x = np.arange(-reach, np.log1p(120.0 / df) + CHI2_STEP, min(CHI2_STEP, 2.0 / np.sqrt(df) / 4))
    log_density = 0.5 * df * (x - np.exp(x) + np.log(0.5 * df)) - gammaln(0.5 * df)
    weight = np.exp(log_density) * (x[1] - x[0])
    kept = weight > LEAST_WEIGHT
    return np.exp(x[kept]), weight[kept] / weight[kept].sum()


@dataclass(frozen=True)
class NewEffect:
    """Predictive distribution of a new true effect: a mixture of t (tau = 0) and of normals."""

    df: int
    at_zero: float
    mean_zero: float
    se_zero: float
    weight: FloatArray
    mean: FloatArray
    sd: FloatArray

    def below(self, point: float) -> float:
        """Return the probability of a smaller effect."""
        spread = float((self.weight * ndtr((point - self.mean) / self.sd)).sum())
        common = float(stdtr(self.df, (point - self.mean_zero) / self.se_zero))
        return self.at_zero * common + spread

    def quantile(self, p: float) -> float:
        """Return the effect below which lies probability p."""
        # A third of a second to import, which only those who ask for an interval pay.
        from scipy.optimize import brentq

        start = self.mean_zero + float(stdtrit(self.df, p)) * self.se_zero
        # The sign says on which side of the start the answer lies.
        step = self.se_zero
        side = 1.0 if self.below(start) < p else -1.0
        far = start
        while (self.below(far) - p) * side < 0.0:
            far, step = far + side * step, 2.0 * step
        low, high = sorted((start, far))
        if low == high:
            return start
        return float(brentq(lambda x: self.below(x) - p, low, high, xtol=1e-12 * self.se_zero))


def new_effect(yi: FloatArray, vi: FloatArray) -> NewEffect:
    """Return the predictive distribution of Nagashima, Noma and Furukawa for k >= 3 trials.

    tau2 has its confidence distribution H(tau2) = 1 - P(Q <= q; tau2), with all that lies below
    0 at 0. Given tau2, with w = 1 / (vi + tau2), a new effect is

        m + tau z - t sqrt(s2),  m = sum(w yi) / sum w,  s2 = sum w (yi - m)^2 / ((k - 1) sum w),

    with z standard normal and t on k - 1 degrees of freedom. The paper draws from
    it; here it is integrated, so that the same trials give the same bytes.
    """
    k = yi.size
    share = (1.0 / vi) / (1.0 / vi).sum()
    q = float(((yi - (share * yi).sum()) ** 2 / vi).sum())
    scale = np.log(vi.min()), np.log(max(float(vi.max()), float(vi.max()) * q / (k - 1)))
    x = np.arange(scale[0] - TAU2_REACH, scale[1] + TAU2_REACH, TAU2_STEP)
    tau2 = np.exp(x)
    _, slope = q_distribution(q, vi, tau2)
    mass = np.maximum(-slope * tau2 * TAU2_STEP, 0.0)
    at_zero = float(1.0 - q_distribution(q, vi, np.zeros(1))[0][0])
    # What lies beyond the last point counts there: it is below 1e-13 for three trials.
    mass *= (1.0 - at_zero) / mass.sum()
    kept = mass > LEAST_WEIGHT
    every = np.append(0.0, tau2[kept])
    w = 1.0 / (vi + every[:, None])
    mean = (w * yi).sum(axis=1) / w.sum(axis=1)
    s2 = (w * (yi - mean[:, None]) ** 2).sum(axis=1) / ((k - 1) * w.sum(axis=1))
    # t is a normal whose variance is divided by a chi-squared over its degrees of freedom.
    chi2, of_chi2 = _scaled_chi2(k - 1)
    weight = mass[kept][:, None] * of_chi2
    sd = np.sqrt(tau2[kept][:, None] + s2[1:, None] / chi2)
    seen = weight > LEAST_WEIGHT
    return NewEffect(
        df=k - 1,
        at_zero=at_zero,
        mean_zero=float(mean[0]),
        se_zero=float(np.sqrt(s2[0])),
        weight=weight[seen],
        mean=np.broadcast_to(mean[1:, None], weight.shape)[seen],
        sd=sd[seen],
    )


def bootstrap_limits(yi: FloatArray, vi: FloatArray, *, level: float) -> Interval:
    """Return the parametric-bootstrap prediction interval; NaN where trials are too few.

    NaN too where all effects are the same: nothing then says how far a new one may lie; and above
    100 trials, which the integration is not made for.

    Source: Nagashima, Noma and Furukawa 2019, Statistical Methods in Medical Research
    28:1689-1702; R package pimeta, `pima(method="boot")`, which draws 25,000 times.
    """
    there = ~np.isnan(yi)
    y, v = yi[there], vi[there]
    if not FEWEST_TRIALS <= y.size <= MOST_TRIALS or np.ptp(y) == 0.0:
        return Interval(np.nan, np.nan)
    found = new_effect(y, v)
    tail = 0.5 - 0.5 * level
    return Interval(found.quantile(tail), found.quantile(1.0 - tail))


@dataclass(frozen=True, eq=False)
class SettingShares(FrozenRecord):
    """Shares of settings whose true effect is beyond, or within, what matters.

    Attributes
    ----------
    k : int
        Trials that contributed.
    low, high : float
        Effects from which on a difference matters, below and above no effect, in units of `yi`.
    benefit_sign : float
        1 if more is better, -1 if less is.
    benefit, trivial, harm : float
        Shares (0-1) that sum to 1; NaN with a note where nothing is predicted.
    has_prior : bool
        Whether they rest on a prior of the spread between trials.
    notes : tuple of str
        What to know before reading them.
    """

    k: int
    low: float
    high: float
    benefit_sign: float
    benefit: float
    trivial: float
    harm: float
    has_prior: bool
    notes: tuple[str, ...]


AVERAGES = "shares of settings, by the average effect in each: not of people"
FROM_THE_PRIOR = (
    "two trials cannot tell how far settings differ: these shares rest on the prior of the spread"
)


def setting_shares(
    result: Any,
    important: float | tuple[float, float],
    *,
    benefit_sign: float = 1.0,
) -> SettingShares:
    """Return the shares of settings with an important benefit, a trivial effect, important harm.

    They are those of the distribution behind the prediction interval: t about the estimate on the
    degrees of freedom of `pi_method`, the bootstrap's mixture, or the posterior of a new effect.

    Parameters
    ----------
    result : PooledResult or BayesResult
        One pool; not a batch.
    important : float, or (low, high)
        Smallest difference that matters, in units of `yi` (logs for ratios): one number for both
        directions, or its two ends, one below and one above 0.
    benefit_sign : float
        1 if more is better, -1 if less is.

    Returns
    -------
    SettingShares

    Raises
    ------
    ArgumentError
        If the pool is a batch, or 0 does not lie between the ends.

    Notes
    -----
    Siemens, Borenstein, Evrenoglou, Meerpohl and Schwarzer 2025, BMC Medical Research Methodology
    25:275; R package meta, `cidprop`.

    Examples
    --------
    >>> import ldn_meta as lm
    >>> found = setting_shares(lm.pool([-1.2, -0.2, -0.9], [0.1, 0.2, 0.1]), 1, benefit_sign=-1)
    >>> print(f"{found.benefit:.2f} {found.trivial:.2f} {found.harm:.2f}")
    0.36 0.62 0.02
    """
    low, high = _ends(important)
    sign = one_number("benefit_sign", benefit_sign)
    if not isinstance(result, PoolRecord):
        raise ArgumentError(f"result={result!r:.80} is no pool; allowed: what lm.pool returns")
    if sign not in BENEFIT_SIGNS:
        raise ArgumentError(f"benefit_sign={benefit_sign!r} is not allowed; allowed: 1, -1")
    if result.is_batch:
        raise ArgumentError("result is a batch of pools; allowed: one pool")
    k, has_prior = int(result.k), hasattr(result, "tau_prior")
    notes: tuple[str, ...] = (AVERAGES,)
    below, above = _beyond(result, low, high)
    if np.isnan(below):
        notes = ("no shares: the pool has no prediction",)
    elif has_prior and k < FEWEST_TRIALS:
        notes = (*notes, FROM_THE_PRIOR)
    benefit, harm = (above, below) if sign > 0 else (below, above)
    trivial = max(1.0 - below - above, 0.0) if below == below else np.nan
    return SettingShares(k, low, high, sign, benefit, trivial, harm, has_prior, notes)


def _ends(important: float | tuple[float, float]) -> tuple[float, float]:
    values = numbers("important", important)
    low, high = (
        (-values, values) if values.ndim == 0 else values if values.shape == (2,) else (0, 0)
    )
    if low < 0.0 < high:
        return float(low), float(high)
    raise ArgumentError(
        f"important={important!r} is not allowed; allowed: one number above 0, or (low, high) "
        "with low below 0 and high above it"
    )


def _beyond(result: Any, low: float, high: float) -> tuple[float, float]:
    """Return the shares below `low` and above `high`."""
    from ldn_meta.stats.bayes import BayesResult, TauPrior, pool_bayes

    if isinstance(result, BayesResult):
        if int(result.k) < FEWEST_TRIALS - 1:
            return np.nan, np.nan
        prior = TauPrior(
            result.tau_prior, float(result.tau_prior_scale), float(result.tau_prior_location)
        )
        # Once where both ends lie equally far from no effect.
        beyond = {
            mid: pool_bayes(
                result.yi, result.vi, tau_prior=prior, mu_prior=result.mu_prior, mid=mid
            )
            for mid in {-low, high}
        }
        return float(beyond[-low].theta_below_mid), float(beyond[high].theta_above_mid)
    if np.isnan(float(result.pi_low)):
        return np.nan, np.nan
    if result.pi_method == BOOTSTRAP:
        there = ~np.isnan(result.yi)
        found = new_effect(result.yi[there], result.vi[there])
        return found.below(low), 1.0 - found.below(high)
    df = float(result.k) - 1.0 - PI_METHODS.index(result.pi_method)
    reach = float(result.pi_high) - float(result.estimate)
    z = (np.array([low, high]) - result.estimate) * stdtrit(df, 0.5 + 0.5 * result.level) / reach
    return float(stdtr(df, z[0])), float(stdtr(df, -z[1]))
