"""Pooling 2x2 tables with few events: Mantel-Haenszel (RR, OR, RD) and Peto, common effect.

Tables enter the pool as they are, without 0.5 in empty cells. Layout of each table, group 1
treatment and group 2 control (a, b, c, d below):

               event       no event
    group 1    events_1    n_1 - events_1
    group 2    events_2    n_2 - events_2

Only Cochran's Q needs an effect per trial, and there the usual zero-cell rule applies (0.5 in all
cells of a table with a zero), after trials without events, or with events in everybody, are left
out. These are the conventions of metafor's rma.mh and rma.peto with ``add=c(1/2, 0),
to=c("only0", "none")``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, expit, gammaln, logsumexp, ndtr, softmax

from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats.arrays import (
    BoolArray,
    EffectSize,
    FloatArray,
    FloatOrArray,
    IntArray,
    Labels,
    PoolRecord,
    checked,
    confidence_level,
    from_data,
    known_measure,
    plain,
    trial_labels,
    two_sided_quantile,
)
from ldn_meta.stats.effects import (
    hypergeometric_score,
    log_odds_ratio,
    log_risk_ratio,
    logit_proportion,
    risk_difference,
)

NO_COUNTS = "No trial has complete counts, so nothing was pooled."
ONE_TRIAL = "There is one trial, so nothing was pooled and tau2 is not known."
MISSING = "Trials without complete counts (NaN) were left out"
METHOD_NAMES = {"mantel-haenszel": "Mantel-Haenszel", "peto": "Peto"}

# As lme4 by default for one arm; with two, a trial without events in one pulls its normal out of
# shape, and more points cost nothing.
QUADRATURE_POINTS, TWO_ARM_POINTS = 7, 31

MAX_MODE_STEPS = 100


@lru_cache(maxsize=2)
def _hermite(points: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.hermite.hermgauss(points)
    return nodes, np.log(weights) + nodes**2 - 0.5 * np.log(np.pi)


@dataclass(frozen=True)
class Binomial:
    """Events of one arm, (k,), given the log odds."""

    n: FloatArray
    points: int = QUADRATURE_POINTS

    def coefficient(self, x: FloatArray) -> FloatArray:
        """Return the part of the log likelihood without the log odds, (k,)."""
        return np.asarray(gammaln(self.n + 1) - gammaln(x + 1) - gammaln(self.n - x + 1))

    def cumulant(self, theta: FloatArray) -> FloatArray:
        """Return the log of the sum over x of coefficient and exp(theta x), (..., k)."""
        return np.asarray(self.n * np.logaddexp(0, theta))

    def moments(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of the events, (..., k)."""
        p = expit(theta)
        return self.n * p, self.n * p * (1 - p)


@dataclass(frozen=True)
class Hypergeometric:
    """Events of arm 1 given those of both, (k,), given the log odds ratio."""

    values: FloatArray
    logs: FloatArray
    points: int = TWO_ARM_POINTS

    @classmethod
    def of(cls, n_1: FloatArray, n_2: FloatArray, events: FloatArray) -> Hypergeometric:
        """Tabulate every table with the margins of each trial, (k, most)."""
        low, high = np.maximum(0, events - n_2), np.minimum(n_1, events)
        x = low[:, np.newaxis] + np.arange(int((high - low).max(initial=0)) + 1.0)
        inside = x <= high[:, np.newaxis]
        x = np.where(inside, x, low[:, np.newaxis])
        one, two = Binomial(n_1[:, np.newaxis]), Binomial(n_2[:, np.newaxis])
        logs = one.coefficient(x) + two.coefficient(events[:, np.newaxis] - x)
        return cls(x, np.where(inside, logs, -np.inf))

    def coefficient(self, x: FloatArray) -> FloatArray:
        """Return the part of the log likelihood without the log odds ratio, (k,)."""
        column = (x - self.values[:, 0]).astype(np.intp)
        return np.asarray(self.logs[np.arange(x.size), column])

    def cumulant(self, theta: FloatArray) -> FloatArray:
        """Return the log of the sum over x of coefficient and exp(theta x), (..., k)."""
        return np.asarray(logsumexp(self.logs + theta[..., np.newaxis] * self.values, axis=-1))

    def moments(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of the events, (..., k)."""
        mass = softmax(self.logs + theta[..., np.newaxis] * self.values, axis=-1)
        mean = (mass * self.values).sum(axis=-1)
        off = self.values - mean[..., np.newaxis]
        return mean, (mass * off * off).sum(axis=-1)


# Both are exponential families in theta, which varies normally between trials.
Counts = Binomial | Hypergeometric


def log_likelihood(mu: FloatArray, tau: FloatArray, x: FloatArray, of: Counts) -> FloatArray:
    """Return the quadrature log likelihood at every (mu, tau), shape of their broadcast."""
    mu, tau = np.broadcast_arrays(mu[..., np.newaxis], tau[..., np.newaxis])
    mode = _modes(mu, tau, x, of)
    scale = np.sqrt(2 / (1 + tau**2 * of.moments(mu + tau * mode)[1]))
    nodes, log_weights = (part.reshape(-1, *(1,) * np.ndim(mode)) for part in _hermite(of.points))
    u = mode + scale * nodes
    theta = mu + tau * u
    terms = x * theta - of.cumulant(theta) - u**2 / 2 + log_weights
    top = terms.max(axis=0)
    integral = top + np.log(np.exp(terms - top).sum(axis=0))
    # scale / sqrt(2 pi) times sqrt(pi), whose root is taken out of the weights above.
    per_trial = integral + np.log(scale / np.sqrt(2)) + of.coefficient(x)
    return np.asarray(per_trial.sum(axis=-1))


def _modes(mu: FloatArray, tau: FloatArray, x: FloatArray, of: Counts) -> FloatArray:
    """Return the u with the largest joint density per trial, by bracketed Newton steps.

    The slope tau (x - mean(u)) - u falls in u, so the mode lies between 0 and the slope at 0.
    """
    at_zero = tau * (x - of.moments(mu)[0])
    low, high = np.minimum(at_zero, 0), np.maximum(at_zero, 0)
    u = np.zeros_like(at_zero)
    for _ in range(MAX_MODE_STEPS):
        mean, variance = of.moments(mu + tau * u)
        slope = tau * (x - mean) - u
        low, high = np.where(slope > 0, u, low), np.where(slope < 0, u, high)
        newton = u + slope / (1 + tau**2 * variance)
        inside = (newton >= low) & (newton <= high)
        following = np.where(inside, newton, (low + high) / 2)
        step = np.abs(following - u)
        u = following
        if np.all(step <= 1e-13 * (1 + np.abs(u))):
            break
    return np.asarray(u)


def spacing(tau: FloatArray, x: FloatArray, of: Counts) -> FloatArray:
    """Return a spacing for differences: 1% of the standard error of mu to be expected at tau.

    Differences are then far above the rounding of the likelihood, and its fifth derivative far
    below.
    """
    information = of.moments(np.full(x.shape, _common_fit(x, of)[0]))[1]
    # A trial that tells nothing of mu has no information, and adds none.
    own = information / (1 + information * np.square(tau)[..., np.newaxis])
    return np.asarray(0.01 / np.sqrt(own.sum(axis=-1)))


def derivatives(
    mu: FloatArray, tau: FloatArray, x: FloatArray, of: Counts
) -> tuple[FloatArray, FloatArray]:
    """Return gradient (2, ...) and Hessian (2, 2, ...) by central differences of fourth order.

    mu and tau have one shape (...); what is returned has it behind the axes named here.
    """
    h = spacing(tau, x, of)
    offsets = np.array([-2, -1, 0, 1, 2])
    shape = (5, 5) + (1,) * np.ndim(tau)
    along_mu = mu + np.reshape(offsets[:, np.newaxis] + 0 * offsets, shape) * h
    along_tau = tau + np.reshape(offsets + 0 * offsets[:, np.newaxis], shape) * h
    values = log_likelihood(along_mu, along_tau, x, of)
    first = np.array([1, -8, 0, 8, -1]) / 12
    second = np.array([-1, 16, -30, 16, -1]) / 12
    on_mu, on_tau = values[:, 2], values[2, :]
    gradient = np.stack([np.tensordot(first, on, 1) for on in (on_mu, on_tau)]) / h
    mixed = np.tensordot(first, np.tensordot(first, values, 1), 1)
    pure_mu, pure_tau = (np.tensordot(second, on, 1) for on in (on_mu, on_tau))
    hessian = np.stack([np.stack([pure_mu, mixed]), np.stack([mixed, pure_tau])]) / h**2
    return gradient, hessian


# Between-trial SDs at which the profile likelihood is looked at before it is refined: 0, then 1%
# to 1000% on the log-odds scale. A tau of 10 spreads 95% of trials over odds of e^-20 to e^20.
TAU_GRID = np.concatenate([[0.0], np.geomspace(0.01, 10.0, 22)])

# A likelihood that still rises here has its maximum at infinity: all of some trials had the event
# and none of others.
LARGEST_TAU = 50.0

# Below this tau the likelihood is flat to the last digits, and tau is reported as 0.
SMALLEST_TAU = 1e-5

MAX_ITERATIONS = 100

# A trial's own log odds of so much is that of none or all; halved to the last digit.
LARGEST_THETA, HALVINGS = 60.0, 70

# Relative size of the last step. The derivatives are central differences, good to about 1e-10.
STEP_TOLERANCE = 1e-9


MODELS = {"PLO": "logit-normal", "OR": "hypergeometric-normal"}


@dataclass(frozen=True, eq=False, repr=False)
class GlmmResult(PoolRecord):
    """A pooled log odds (PLO), or log odds ratio (OR), from a mixed model of counts.

    `events` and `n` are those of one arm, (k,), or of both, (2, k), of the trials that count.
    `transformed` gives the share of people, or the odds ratio. `yi` and `vi` are effects of each
    trial for figures, with half an event where a cell is empty; the model itself uses the counts.
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
    pi_low: float
    pi_high: float
    yi: FloatArray
    vi: FloatArray
    labels: tuple[str, ...]
    measure: str = "PLO"

    KIND = "glmm"
    SETTINGS = ("measure", "level", "quadrature_points")
    NUMBERS = (
        *("k", "estimate", "se", "statistic", "p_value", "ci_low", "ci_high", "pi_low", "pi_high"),
        *("tau2", "tau", "log_likelihood", "lr_statistic", "lr_df", "lr_pvalue"),
    )

    @property
    def tau(self) -> float:
        """The SD of true effects between trials."""
        return float(np.sqrt(self.tau2))

    def _settings(self) -> list[tuple[str, str]]:
        return [
            ("measure", self.measure),
            (
                "model",
                f"{MODELS[self.measure]}, maximum likelihood, {self.quadrature_points} points",
            ),
            ("interval", f"{self._percent}, Wald (normal)"),
        ]

    def _shown_numbers(self) -> list[tuple[str, str]]:
        return [
            ("trials", str(self.k)),
            *self._effect_rows(self.se),
            ("tau2, tau", f"{self.tau2:.4g}, {self.tau:.4g}"),
            ("log-likelihood", f"{self.log_likelihood:.4g}"),
            (
                "likelihood ratio test of one effect (df), p",
                f"{self.lr_statistic:.4g} ({self.lr_df}), p = {self.lr_pvalue:.3g}",
            ),
        ]

    def __repr__(self) -> str:
        """Return trials, estimate with interval, and tau2 on one line."""
        return (
            f"GlmmResult({self.measure}, k={self.k}, {self._in_brackets()}, "
            f"tau2={self.tau2:.4g}, {MODELS[self.measure]} ML, {self.quadrature_points} points)"
        )


@from_data("events", "n", "labels")
def glmm_proportion(
    events: ArrayLike,
    n: ArrayLike,
    *,
    data: Any = None,
    level: float = 0.95,
    labels: Labels = None,
) -> GlmmResult:
    """Return the pooled log odds of single-arm trials by the logit-normal mixed model.

    Parameters
    ----------
    events, n : array, (k,)
        Counts, one entry a trial; a NaN makes its trial missing.
    data : pandas.DataFrame or mapping, optional
        Table of which `events`, `n` and `labels` may be given as names of columns.
    level : float
        Level of the intervals.
    labels : sequence, optional
        Names of the trials, (k,).

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
    x, size = np.atleast_1d(*checked(events=events, n=n))
    if x.ndim != 1:
        raise ArgumentError(f"events: shape {x.shape} is not allowed; allowed: (k,)")
    each = logit_proportion(x, size)
    present = np.isfinite(x) & np.isfinite(size)
    x, size = x[present], size[present]
    notes = _notes(x, size)
    if not present.all():
        notes = (*notes, f"{MISSING} ({np.count_nonzero(~present)}).")
    is_finite = len(x) > 0 and x.sum() not in (0, size.sum())
    return _glmm_result(
        "PLO", coverage, x, Binomial(size), is_finite, notes, x, size, each, labels
    )


@from_data("events_1", "n_1", "events_2", "n_2", "labels")
def glmm_two_arm(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    data: Any = None,
    level: float = 0.95,
    labels: Labels = None,
) -> GlmmResult:
    """Return the pooled log odds ratio of trials with few events, without correcting zeros.

    Given the events of both arms together, those of arm 1 are non-central hypergeometric with the
    trial's log odds ratio, which is normal between trials. No baseline risk is estimated and no
    half event added; a trial with no event in one arm tells what it can, one without any tells
    nothing.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array, (k,)
        Counts, one entry a trial; a NaN makes its trial missing.
    data : pandas.DataFrame or mapping, optional
        Table of which `events_1`, `n_1`, `events_2`, `n_2` and `labels` may be given as names of
        columns.
    level : float
        Level of the intervals.
    labels : sequence, optional
        Names of the trials, (k,).

    Returns
    -------
    GlmmResult
        On the log-odds scale. NaN with a note where all events of every trial are in the same
        arm (mu is infinite) or no trial tells anything; tau2 NaN with a note for one trial.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, an n is below 1, or the arrays have
        more than one dimension.
    ConvergenceError
        If the likelihood could not be maximised; names iterations and last step.

    Source: van Houwelingen, Zwinderman & Stijnen 1993, Stat Med 12:2273; Stijnen, Hamza & Ozdemir
    2010, Stat Med 29:3046, table III; metafor `rma.glmm(measure="OR", model="CM.EL")`, which
    stops at looser tolerances.
    """
    coverage = confidence_level(level)
    table = tables_of(events_1, n_1, events_2, n_2)
    if table.a.ndim != 1:
        raise ArgumentError(f"events_1: shape {table.a.shape} is not allowed; allowed: (k,)")
    use = table.is_informative
    a, n1, c, n2 = (part[use] for part in (table.a, table.n1, table.c, table.n2))
    notes = _glmm_notes(table)
    of = Hypergeometric.of(n1, n2, a + c)
    low, high = of.values.min(axis=1), of.values.max(axis=1)
    is_finite = bool(np.any(a > low) and np.any(a < high))
    if len(a) and not is_finite:
        notes += (
            "All events, or all non-events, are in one arm of every trial, so the log odds ratio "
            "is infinite: NaN.",
        )
    of_all = log_odds_ratio(table.a, table.n1, table.c, table.n2)
    each = EffectSize(*(np.where(use, part, np.nan) for part in of_all))
    return _glmm_result(
        "OR", coverage, a, of, is_finite, notes, np.stack([a, c]), np.stack([n1, n2]), each, labels
    )


def _glmm_notes(table: Tables) -> tuple[str, ...]:
    present, told = int(table.is_present.sum()), int(table.is_informative.sum())
    notes = []
    if table.is_present.size > present:
        notes.append(f"{MISSING} ({table.is_present.size - present}).")
    if present > told:
        notes.append(
            f"Trials without events, or with events in everybody ({present - told}), tell nothing "
            "of the odds ratio and are not counted."
        )
    if told == 0:
        notes.append("No trial has both an event and a non-event, so nothing was pooled.")
    if told == 1:
        notes.append(ONE_TRIAL)
    return tuple(notes)


def _glmm_result(
    measure: str,
    level: float,
    x: FloatArray,
    of: Counts,
    is_finite: bool,
    notes: tuple[str, ...],
    events: FloatArray,
    n: FloatArray,
    each: EffectSize,
    labels: Labels,
) -> GlmmResult:
    """Fit and build the record."""
    mu = tau = se = top = lr_statistic = np.nan
    if is_finite and len(x) == 1:
        mu, se = _common_fit(x, of)
    elif is_finite:
        mu, tau = _maximum(x, of)
        if tau == 0:
            notes += ("The likelihood is largest at tau2 = 0: a common-effect fit.",)
        se = _standard_error(mu, tau, x, of)
    if is_finite:
        top = float(log_likelihood(np.asarray(mu), np.asarray(np.nan_to_num(tau)), x, of))
        lr_statistic = _homogeneity(x, of)
    quantile = float(two_sided_quantile(level))
    half = quantile * se
    # A new trial's effect, as metafor's predict: two trials cannot tell how far it may lie.
    reach = quantile * np.sqrt(tau**2 + se**2) if len(x) > 2 else np.nan
    lr_df = max(len(x) - 1, 0)
    return GlmmResult(
        k=len(x),
        level=level,
        quadrature_points=of.points,
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
        events=events,
        n=n,
        notes=notes,
        measure=measure,
        pi_low=float(mu - reach),
        pi_high=float(mu + reach),
        yi=np.asarray(each.yi),
        vi=np.asarray(each.vi),
        labels=trial_labels(labels, np.size(each.yi)),
    )


def _maximum(x: FloatArray, of: Counts) -> tuple[float, float]:
    """Return (mu, tau) at the global maximum: profile over a grid of tau, then Newton."""
    mu = _profile_mu(x, of)
    best = int(np.argmax(log_likelihood(mu, TAU_GRID, x, of)))
    point = np.array([mu[best], TAU_GRID[max(best, 1)]])
    size, iteration = np.inf, 0
    while iteration < MAX_ITERATIONS:
        iteration += 1
        gradient, hessian = derivatives(point[0], point[1], x, of)
        step = _ascent_step(gradient, hessian)
        here = log_likelihood(point[0], point[1], x, of)
        following = point + step
        size = float(np.abs(step).max())
        while log_likelihood(following[0], following[1], x, of) < here and size > 1e-7:
            step, size = step / 2, size / 2
            following = point + step
        point = following
        if abs(point[1]) < SMALLEST_TAU:
            return _common_fit(x, of)[0], 0.0
        if size <= STEP_TOLERANCE * (1 + np.abs(point).max()):
            return float(point[0]), abs(float(point[1]))
        if abs(point[1]) > LARGEST_TAU:
            break
    name, advice = (
        ("glmm_proportion", "0 or n events, or pool their logit proportions (code PLO) by REML")
        if isinstance(of, Binomial)
        else ("glmm_two_arm", "no events in one arm, or pool them by mantel_haenszel")
    )
    raise ConvergenceError(
        f"{name}: no maximum after {iteration} Newton iterations, last step {size:.3g} "
        f"at mu = {point[0]:.6g}, tau = {point[1]:.6g}; look at the trials with {advice}"
    )


def _profile_mu(x: FloatArray, of: Counts) -> FloatArray:
    """Return about the best mu for every tau of the grid; the likelihood is log-concave in mu."""
    mu: FloatArray = np.full(TAU_GRID.shape, _common_fit(x, of)[0])
    h = spacing(TAU_GRID, x, of)
    for _ in range(MAX_ITERATIONS):
        low, here, high = (log_likelihood(mu + h * side, TAU_GRID, x, of) for side in (-1, 0, 1))
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


def _standard_error(mu: float, tau: float, x: FloatArray, of: Counts) -> float:
    """Return the SE of mu from the observed information for (mu, tau), as lme4 does."""
    if tau == 0:
        return _common_fit(x, of)[1]
    _, hessian = derivatives(np.asarray(mu), np.asarray(tau), x, of)
    return float(np.sqrt(np.linalg.inv(-hessian)[0, 0]))


def _common_fit(x: FloatArray, of: Counts) -> tuple[float, float]:
    """Return mu and its SE with all trials alike."""
    if isinstance(of, Binomial):
        yes, no = float(x.sum()), float((of.n - x).sum())
        return float(np.log(yes / no)), float(np.sqrt(1 / yes + 1 / no))
    mu = float(_root(lambda t: (x - of.moments(np.full(x.shape, t))[0]).sum(), np.zeros(())))
    return mu, float(of.moments(np.full(x.shape, mu))[1].sum() ** -0.5)


def _root(falls: Callable[[FloatArray], FloatArray], like: FloatArray) -> FloatArray:
    """Return where functions that fall are 0, by halving what lies within LARGEST_THETA."""
    low, high = np.full_like(like, -LARGEST_THETA), np.full_like(like, LARGEST_THETA)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = falls(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low + high) / 2)


def _homogeneity(x: FloatArray, of: Counts) -> float:
    """Return twice what a log odds, or log odds ratio, of each trial's own adds."""
    mu = np.full(x.shape, _common_fit(x, of)[0])
    own = _root(lambda theta: x - of.moments(theta)[0], np.zeros(x.shape))
    gain = x * (own - mu) - of.cumulant(own) + of.cumulant(mu)
    return float(2 * np.maximum(gain, 0).sum())


def _notes(x: FloatArray, n: FloatArray) -> tuple[str, ...]:
    if len(x) == 0:
        return (NO_COUNTS,)
    notes = []
    if x.sum() in (0, n.sum()):
        who = "Nobody" if x.sum() == 0 else "Everybody"
        notes.append(f"{who} had the event in any trial, so the log odds are infinite: NaN.")
    if len(x) == 1:
        notes.append(ONE_TRIAL)
    return tuple(notes)


@dataclass(frozen=True, eq=False, repr=False)
class RareEventsResult(PoolRecord):
    """A common effect pooled from counts; floats for one set of trials, arrays for a batch.

    `yi` and `vi` are the effects of single trials for Q and for figures, with half an event in
    tables with an empty cell; NaN where a trial carries nothing. The pool itself uses the counts.
    """

    method: str
    measure: str
    level: float
    k: int | IntArray
    k_informative: int | IntArray
    estimate: FloatOrArray
    se: FloatOrArray
    statistic: FloatOrArray
    p_value: FloatOrArray
    ci_low: FloatOrArray
    ci_high: FloatOrArray
    q: FloatOrArray
    q_df: int | IntArray
    q_pvalue: FloatOrArray
    i2_pct: FloatOrArray
    weight_pct: FloatArray
    notes: tuple[str, ...]
    yi: FloatArray
    vi: FloatArray
    labels: tuple[str, ...]

    KIND = "rare-events"
    TRIAL_NUMBERS = ("weight_pct",)
    SETTINGS = ("method", "measure", "level")
    NUMBERS = (
        *("k", "k_informative", "estimate", "se", "statistic", "p_value", "ci_low", "ci_high"),
        *("q", "q_df", "q_pvalue", "i2_pct"),
    )

    @property
    def pi_low(self) -> FloatOrArray:
        """NaN: a common effect leaves nothing to predict."""
        return plain(np.full(np.shape(self.estimate), np.nan))

    @property
    def pi_high(self) -> FloatOrArray:
        """NaN: a common effect leaves nothing to predict."""
        return self.pi_low

    def _settings(self) -> list[tuple[str, str]]:
        return [
            ("measure", self.measure),
            ("method", f"{METHOD_NAMES[self.method]}, common effect"),
            ("interval", f"{self._percent}, Wald (normal)"),
        ]

    def _shown_numbers(self) -> list[tuple[str, str]]:
        return [
            ("trials", str(self.k)),
            *self._effect_rows(self.se),
            ("test of no difference", f"{self.statistic:.4g}, p = {self.p_value:.3g}"),
            ("Q (df), p", f"{self.q:.4g} ({self.q_df}), p = {self.q_pvalue:.3g}"),
            ("I2 (Q-based)", f"{self.i2_pct:.1f}%"),
        ]

    def __repr__(self) -> str:
        """Return method, trials and estimate with interval on one line."""
        if np.ndim(self.estimate) > 0:
            shape = np.shape(self.estimate)
            return f"RareEventsResult({self.method}, {self.measure}, batch of shape {shape})"
        return (
            f"RareEventsResult({self.method}, {self.measure}, k={self.k}, {self._in_brackets()})"
        )


@dataclass(frozen=True)
class Tables:
    """Counts of every trial (..., k); missing trials hold a harmless table and no weight."""

    a: FloatArray
    n1: FloatArray
    c: FloatArray
    n2: FloatArray
    is_present: BoolArray

    @property
    def total(self) -> FloatArray:
        """Return the people of both groups."""
        return self.n1 + self.n2

    @property
    def is_informative(self) -> BoolArray:
        """Return whether a trial has both an event and a non-event."""
        events = self.a + self.c
        return self.is_present & (events > 0) & (events < self.total)

    def summed(self, values: FloatArray) -> FloatArray:
        """Return the sum over the trials that are present."""
        return np.asarray(np.where(self.is_present, values, 0).sum(axis=-1))


def tables_of(events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike) -> Tables:
    """Return checked counts, with any trial that has a NaN marked as missing."""
    cells = np.atleast_1d(*checked(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2))
    is_present = np.logical_and.reduce([np.isfinite(cell) for cell in cells])
    a, n1, c, n2 = (np.where(is_present, cell, 1.0) for cell in cells)
    return Tables(a, n1, c, n2, is_present)


def rare_events_result(
    method: str,
    measure: str,
    level: float,
    table: Tables,
    estimate: FloatArray,
    variance: FloatArray,
    q: FloatArray,
    weight: FloatArray,
    single: EffectSize,
    labels: Labels,
) -> RareEventsResult:
    """Return the record of a pool from its estimate, variance, Q and weights per trial."""
    coverage = confidence_level(level)
    se = np.sqrt(positive(variance))
    statistic = estimate / se
    half = two_sided_quantile(coverage) * se
    k, k_informative = table.is_present.sum(axis=-1), table.is_informative.sum(axis=-1)
    df = np.maximum(k_informative - 1, 0)
    # One trial is its own pool: what differs from 0 there is the zero-cell rule or rounding.
    q = np.where(df > 0, q, np.where(k_informative == 1, 0 * np.abs(estimate), np.nan))
    weight = np.where(table.is_present, weight, 0)
    total_weight = positive(weight.sum(axis=-1, keepdims=True))
    says = table.is_present & ((measure == "RD") | table.is_informative)
    if measure == "RR":
        says |= table.is_present & (table.a + table.c == table.total)
    return RareEventsResult(
        method=method,
        measure=measure,
        level=coverage,
        k=_count(k),
        k_informative=_count(k_informative),
        estimate=plain(estimate),
        se=plain(se),
        statistic=plain(statistic),
        p_value=plain(2 * ndtr(-np.abs(statistic))),
        ci_low=plain(estimate - half),
        ci_high=plain(estimate + half),
        q=plain(q),
        q_df=_count(df),
        q_pvalue=plain(np.where(df > 0, chdtrc(np.maximum(df, 1), q), q + 1)),
        i2_pct=plain(100 * np.maximum(0 * q, (q - df) / np.where(q > 0, q, 1))),
        weight_pct=np.where(table.is_present, 100 * weight / total_weight, np.nan),
        notes=_table_notes(measure, table, k, estimate, se),
        yi=np.where(says, single.yi, np.nan),
        vi=np.where(says, single.vi, np.nan),
        labels=trial_labels(labels, table.a.shape[-1]),
    )


def positive(values: FloatArray) -> FloatArray:
    """Return `values`, NaN where they are not above 0."""
    return np.where(values > 0, values, np.nan)


def _count(values: IntArray) -> int | IntArray:
    return int(values) if values.ndim == 0 else values


def _table_notes(
    measure: str, table: Tables, k: IntArray, estimate: FloatArray, se: FloatArray
) -> tuple[str, ...]:
    notes = ["Common effect: the trials are taken to share one true effect."]
    if np.any(k == 0):
        notes.append(NO_COUNTS)
    if np.any(k == 1):
        notes.append("There is one trial, so nothing was pooled.")
    most = int(np.max((~table.is_present).sum(axis=-1), initial=0))
    if most:
        notes.append(f"{MISSING} ({most}).")
    events = table.a + table.c
    kinds = (
        ("without any event", events == 0, measure == "RD"),
        ("with events in everybody", events == table.total, measure in ("RD", "RR")),
    )
    for words, found, counts in kinds:
        most = int(np.max((found & table.is_present).sum(axis=-1), initial=0))
        if most:
            role = "count as no difference" if counts else "carry no weight"
            notes.append(f"Trials {words} ({most}) {role} and are left out of Q.")
    if np.any(np.isnan(estimate) & (k > 0)):
        notes.append("The effect is undefined: a group has no event, or no non-event, anywhere.")
    if np.any(np.isfinite(estimate) & np.isnan(se)):
        notes.append("The formula gives a standard error of 0, so no interval is reported.")
    return tuple(notes)


@from_data("events_1", "n_1", "events_2", "n_2", "labels")
def mantel_haenszel(
    measure: str,
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    data: Any = None,
    level: float = 0.95,
    labels: Labels = None,
) -> RareEventsResult:
    """Return the Mantel-Haenszel pool of 2x2 tables, without correction of zero cells.

    With N = n_1 + n_2 and sums over trials:

    RR  log(sum(a n_2 / N) / sum(c n_1 / N));  variance of Greenland & Robins 1985, equation 13
    OR  log(sum(a d / N) / sum(b c / N));  variance of Robins, Breslow & Greenland 1986
    RD  sum((a n_2 - c n_1) / N) / sum(n_1 n_2 / N);  variance of Sato 1989

    Trials without any event count in RD (as no difference) and carry nothing for RR and OR;
    trials with events in everybody count in RD and RR and carry nothing for OR.

    Parameters
    ----------
    measure : {"RR", "OR", "RD"}
        RR and OR are returned as logs.
    events_1, n_1, events_2, n_2 : array, (..., k)
        Counts, one column a trial; a NaN makes its trial missing.
    data : pandas.DataFrame or mapping, optional
        Table of which `events_1`, `n_1`, `events_2`, `n_2` and `labels` may be given as names of
        columns.
    level : float
        Level of the interval.
    labels : sequence, optional
        Names of the trials, (k,).

    Returns
    -------
    RareEventsResult
        NaN with a note where a group has no event in any trial, so that the ratio is undefined;
        SE NaN with a note where the formula gives a standard error of 0.

    Raises
    ------
    ArgumentError
        If the measure is not known, a count is negative or above its n, or an n is below 1.

    Source: Mantel & Haenszel 1959, J Natl Cancer Inst 22:719; metafor `rma.mh`.
    """
    measure = known_measure(measure, _MEASURES)
    formula, single = _MEASURES[measure]
    table = tables_of(events_1, n_1, events_2, n_2)
    estimate, variance, weight = formula(table)
    # Q alone looks at effects per trial, and these follow the zero-cell rule.
    each = single(table.a, table.n1, table.c, table.n2)
    deviation = (each.yi - estimate[..., np.newaxis]) ** 2 / each.vi
    q = np.where(table.is_informative, deviation, 0).sum(axis=-1)
    return rare_events_result(
        "mantel-haenszel", measure, level, table, estimate, variance, q, weight, each, labels
    )


@from_data("events_1", "n_1", "events_2", "n_2", "labels")
def peto(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    data: Any = None,
    level: float = 0.95,
    labels: Labels = None,
) -> RareEventsResult:
    """Return Peto's one-step pool of 2x2 tables: log OR = sum(O - E) / sum(V), SE 1/sqrt(sum V).

    Good for rare events, balanced arms and moderate effects; biased otherwise. Trials without
    events, or with events in everybody, have V = 0 and drop out by themselves.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array, (..., k)
        Counts, one column a trial; a NaN makes its trial missing.
    data : pandas.DataFrame or mapping, optional
        Table of which `events_1`, `n_1`, `events_2`, `n_2` and `labels` may be given as names of
        columns.
    level : float
        Level of the interval.
    labels : sequence, optional
        Names of the trials, (k,).

    Returns
    -------
    RareEventsResult
        NaN with a note where no trial has both an event and a non-event.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

    Source: Yusuf 1985, Prog Cardiovasc Dis 27:335; metafor `rma.peto`.
    """
    table = tables_of(events_1, n_1, events_2, n_2)
    score, information = hypergeometric_score(table.a, table.n1, table.c, table.n2)
    score = np.where(table.is_informative, score, 0)
    information = np.where(table.is_informative, information, 0)
    total = information.sum(axis=-1)
    total = np.where(total > 0, total, np.nan)
    estimate = score.sum(axis=-1) / total
    per_trial = np.where(information > 0, information, np.nan)
    deviation = (score / per_trial - estimate[..., np.newaxis]) ** 2 * per_trial
    q = np.where(information > 0, deviation, 0).sum(axis=-1)
    each = EffectSize(score / per_trial, 1 / per_trial)
    return rare_events_result(
        "peto", "PETO", level, table, estimate, 1 / total, q, information, each, labels
    )


_Pooled = tuple[FloatArray, FloatArray, FloatArray]


def _pooled_risk_ratio(t: Tables) -> _Pooled:
    weight = t.c * t.n1 / t.total
    r, s = positive(t.summed(t.a * t.n2 / t.total)), positive(t.summed(weight))
    spread = (t.n1 * t.n2 * (t.a + t.c) - t.a * t.c * t.total) / t.total**2
    return np.log(r / s), t.summed(spread) / (r * s), weight


def _pooled_odds_ratio(t: Tables) -> _Pooled:
    b, d = t.n1 - t.a, t.n2 - t.c
    r_i, s_i = t.a * d / t.total, b * t.c / t.total
    p_i, q_i = (t.a + d) / t.total, (b + t.c) / t.total
    r, s = positive(t.summed(r_i)), positive(t.summed(s_i))
    variance = (
        t.summed(p_i * r_i) / r**2
        + t.summed(p_i * s_i + q_i * r_i) / (r * s)
        + t.summed(q_i * s_i) / s**2
    ) / 2
    return np.log(r / s), variance, s_i


def _pooled_risk_difference(t: Tables) -> _Pooled:
    weight = t.n1 * t.n2 / t.total
    total_weight = positive(t.summed(weight))
    estimate = t.summed((t.a * t.n2 - t.c * t.n1) / t.total) / total_weight
    p_i = t.n1**2 * t.c - t.n2**2 * t.a + t.n1 * t.n2 * (t.n2 - t.n1) / 2
    q_i = t.a * (t.n2 - t.c) + t.c * (t.n1 - t.a)
    variance = estimate * t.summed(p_i / t.total**2) + t.summed(q_i / t.total) / 2
    return estimate, variance / total_weight**2, weight


_Formula = Callable[[Tables], _Pooled]
_Single = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], EffectSize]
_MEASURES: MappingProxyType[str, tuple[_Formula, _Single]] = MappingProxyType(
    {
        "RR": (_pooled_risk_ratio, log_risk_ratio),
        "OR": (_pooled_odds_ratio, log_odds_ratio),
        "RD": (_pooled_risk_difference, risk_difference),
    }
)
