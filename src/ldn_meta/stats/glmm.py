"""Pooling proportions on their counts: the logit-normal mixed model, fitted by maximum likelihood.

events_i ~ Binomial(n_i, p_i), logit(p_i) = mu + tau u_i, u_i ~ N(0, 1). No transformation of the
observed proportion, no correction of zero counts. The integral over u_i is adaptive Gauss-Hermite
quadrature with 7 points, centred and scaled at each trial's own mode: the same approximation as
metafor's ``rma.glmm(measure="PLO")`` (lme4, nAGQ = 7), here maximised to full precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, xlogy

from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats.effects_counts import checked_events
from ldn_meta.stats.glmm_likelihood import (
    QUADRATURE_POINTS,
    derivatives,
    log_likelihood,
    spacing,
)
from ldn_meta.stats.inputs import FloatArray, confidence_level
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import two_sided_quantile

# Between-trial SDs at which the profile likelihood is looked at before it is refined: 0, then 1%
# to 1000% on the log-odds scale. A tau of 10 spreads 95% of trials over odds of e^-20 to e^20.
TAU_GRID = np.concatenate([[0.0], np.geomspace(0.01, 10.0, 22)])

# A likelihood that still rises here has its maximum at infinity: all of some trials had the event
# and none of others.
LARGEST_TAU = 50.0

# Below this tau the likelihood is flat to the last digits, and tau is reported as 0.
SMALLEST_TAU = 1e-5

MAX_ITERATIONS = 100

# Relative size of the last step. The derivatives are central differences, good to about 1e-10.
STEP_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class GlmmResult(FrozenRecord):
    """A pooled log odds with its uncertainty, from the logit-normal mixed model.

    Attributes
    ----------
    k : int
        Trials with complete counts.
    level : float
        Level of the interval.
    quadrature_points : int
        Points of the adaptive quadrature per trial.
    estimate, se, statistic, p_value, ci_low, ci_high : float
        Mean of the true log odds mu, Wald standard error, z and two-sided p against odds of 1,
        and interval. `proportion_from_logit` turns it into the proportion of a median trial.
    tau2 : float
        Variance of the true log odds between trials (maximum likelihood).
    log_likelihood : float
        At the maximum, with binomial coefficients.
    lr_statistic, lr_df, lr_pvalue : float
        Likelihood-ratio test of one common proportion against one for each trial.
    events, n : ndarray (k,)
        Counts as used, in order, missing trials dropped.
    notes : tuple of str
        One sentence per automatic decision.
    """

    k: int
    level: float
    quadrature_points: int
    estimate: float
    se: float
    statistic: float
    p_value: float
    ci_low: float
    ci_high: float
    tau2: float
    log_likelihood: float
    lr_statistic: float
    lr_df: int
    lr_pvalue: float
    events: FloatArray
    n: FloatArray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return trials, estimate with interval, and tau2 on one line."""
        return (
            f"GlmmResult(PLO, k={self.k}, {self.estimate:.4g} [{100 * self.level:g}% CI "
            f"{self.ci_low:.4g}, {self.ci_high:.4g}], tau2={self.tau2:.4g}, logit-normal ML, "
            f"{self.quadrature_points} points)"
        )


def glmm_proportion(events: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> GlmmResult:
    """Return the pooled log odds of single-arm trials by the logit-normal mixed model.

    Parameters
    ----------
    events, n : array, (k,)
        Counts, one entry a trial; a NaN makes its trial missing.
    level : float
        Level of the interval.

    Returns
    -------
    GlmmResult
        On the log-odds scale. NaN with a note where nobody, or everybody, had the event in every
        trial (mu is infinite); tau2 NaN with a note for one trial.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, an n is below 1, or the arrays have
        more than one dimension.
    ConvergenceError
        If the likelihood could not be maximised; names iterations and last step.

    Source: Stijnen, Hamza & Ozdemir 2010, Stat Med 29:3046, equation 4 with a normal random
    effect; metafor `rma.glmm(measure="PLO")`, which stops at looser tolerances.
    """
    coverage = confidence_level(level)
    x, size = checked_events(events, n)
    x, size = np.atleast_1d(x, size)
    if x.ndim != 1:
        raise ArgumentError(f"events: shape {x.shape} is not allowed; allowed: (k,)")
    present = np.isfinite(x) & np.isfinite(size)
    x, size = x[present], size[present]
    notes = _notes(x, size)
    if len(x) == 0 or x.sum() in (0, size.sum()):
        mu = tau = se = top = np.nan
    elif len(x) == 1:
        (mu, se), tau = _common_fit(x, size), np.nan
        top = float(log_likelihood(np.asarray(mu), np.asarray(0.0), x, size))
    else:
        mu, tau = _maximum(x, size)
        if tau == 0:
            notes += ("The likelihood is largest at tau2 = 0: a common-effect fit.",)
        se = _standard_error(mu, tau, x, size)
        top = float(log_likelihood(np.asarray(mu), np.asarray(tau), x, size))
    half = float(two_sided_quantile(coverage)) * se
    lr_statistic, lr_df = _homogeneity(x, size)
    return GlmmResult(
        k=len(x),
        level=coverage,
        quadrature_points=QUADRATURE_POINTS,
        estimate=mu,
        se=se,
        statistic=mu / se,
        p_value=float(2 * ndtr(-abs(mu / se))),
        ci_low=mu - half,
        ci_high=mu + half,
        tau2=tau**2,
        log_likelihood=top,
        lr_statistic=lr_statistic,
        lr_df=lr_df,
        lr_pvalue=float(chdtrc(lr_df, lr_statistic)) if lr_df > 0 else np.nan,
        events=x,
        n=size,
        notes=notes,
    )


def _maximum(x: FloatArray, n: FloatArray) -> tuple[float, float]:
    """Return (mu, tau) at the global maximum: profile over a grid of tau, then Newton."""
    mu = _profile_mu(x, n)
    best = int(np.argmax(log_likelihood(mu, TAU_GRID, x, n)))
    point = np.array([mu[best], TAU_GRID[max(best, 1)]])
    size, iteration = np.inf, 0
    while iteration < MAX_ITERATIONS:
        iteration += 1
        gradient, hessian = derivatives(point[0], point[1], x, n)
        step = _ascent_step(gradient, hessian)
        here = log_likelihood(point[0], point[1], x, n)
        following = point + step
        size = float(np.abs(step).max())
        while log_likelihood(following[0], following[1], x, n) < here and size > 1e-7:
            step, size = step / 2, size / 2
            following = point + step
        point = following
        if abs(point[1]) < SMALLEST_TAU:
            return _common_fit(x, n)[0], 0.0
        if size <= STEP_TOLERANCE * (1 + np.abs(point).max()):
            return float(point[0]), abs(float(point[1]))
        if abs(point[1]) > LARGEST_TAU:
            break
    raise ConvergenceError(
        f"glmm_proportion: no maximum after {iteration} Newton iterations, last step {size:.3g} "
        f"at mu = {point[0]:.6g}, tau = {point[1]:.6g}; look at the trials with 0 or n events, "
        "or pool their logit proportions (code PLO) by REML"
    )


def _profile_mu(x: FloatArray, n: FloatArray) -> FloatArray:
    """Return about the best mu for every tau of the grid; the likelihood is log-concave in mu."""
    mu: FloatArray = np.full(TAU_GRID.shape, _common_fit(x, n)[0])
    h = spacing(TAU_GRID, x, n)
    for _ in range(MAX_ITERATIONS):
        low, here, high = (log_likelihood(mu + h * side, TAU_GRID, x, n) for side in (-1, 0, 1))
        curvature = (low - 2 * here + high) / h**2
        # A step of 2 log odds keeps Newton within reach of where the curvature was measured.
        step = np.clip(-(high - low) / (2 * h) / curvature, -2, 2)
        mu = mu + step
        # Only a starting value is wanted.
        if np.all(np.abs(step) <= 1e-3):
            break
    return mu


def _ascent_step(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return a Newton step that goes uphill along every direction, at most 0.5 long."""
    curvature, directions = np.linalg.eigh(hessian)
    slopes = directions.T @ gradient
    step = directions @ (slopes / np.maximum(np.abs(curvature), 1e-8))
    return np.asarray(step * min(1.0, 0.5 / max(np.abs(step).max(), 1e-300)))


def _standard_error(mu: float, tau: float, x: FloatArray, n: FloatArray) -> float:
    """Return the SE of mu from the observed information for (mu, tau), as lme4 does."""
    if tau == 0:
        return _common_fit(x, n)[1]
    _, hessian = derivatives(np.asarray(mu), np.asarray(tau), x, n)
    return float(np.sqrt(np.linalg.inv(-hessian)[0, 0]))


def _common_fit(x: FloatArray, n: FloatArray) -> tuple[float, float]:
    """Return log odds and SE of all trials taken as one."""
    yes, no = float(x.sum()), float((n - x).sum())
    return float(np.log(yes / no)), float(np.sqrt(1 / yes + 1 / no))


def _homogeneity(x: FloatArray, n: FloatArray) -> tuple[float, int]:
    if len(x) == 0:
        return np.nan, 0
    p = x.sum() / n.sum()
    gain = xlogy(x, x / (n * p)) if 0 < p < 1 else np.zeros_like(x)
    if 0 < p < 1:
        gain = gain + xlogy(n - x, (n - x) / (n * (1 - p)))
    return float(2 * gain.sum()), len(x) - 1


def _notes(x: FloatArray, n: FloatArray) -> tuple[str, ...]:
    if len(x) == 0:
        return ("No trial has complete counts, so nothing was pooled.",)
    notes = []
    if x.sum() in (0, n.sum()):
        who = "Nobody" if x.sum() == 0 else "Everybody"
        notes.append(f"{who} had the event in any trial, so the log odds are infinite: NaN.")
    if len(x) == 1:
        notes.append("There is one trial, so nothing was pooled and tau2 is not known.")
    return tuple(notes)
