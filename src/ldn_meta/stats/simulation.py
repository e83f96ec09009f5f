"""How often intervals hold what they promise, by replicates in batch and by integration.

The model is that of the pools: true effects of trials are normal around their mean, observed
effects normal around the true ones, and the sampling variances are known. `coverage` draws;
where all variances are equal `exact_coverage` integrates instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, ndtr, ndtri, stdtrit

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BOOTSTRAP,
    FloatArray,
    Settings,
    effects_and_variances,
    numbers,
)
from ldn_meta.stats.bayes import pool_bayes_many
from ldn_meta.stats.pool import pool_many

SEED = 20140218
REPLICATES = 10_000
LEVEL = 0.95

MEAN, NEW = "mean", "new trial"


@dataclass(frozen=True)
class Procedure:
    """One way from trials to an interval: a pool, or with `tau_prior_scale` a Bayesian pool.

    Attributes
    ----------
    tau2_method, ci_method, pi_method : str
        As in `ldn_meta.stats.pool.pool`.
    tau_prior_scale : float, optional
        Scale of a half-normal prior of tau, in units of the effect.
    intervals : tuple of str
        Of what: "mean" for the mean of the true effects, "new trial" for the next one.
    every : int
        Which sets it gets: all, or every so many-th where a set takes milliseconds.
    """

    tau2_method: str = "reml"
    ci_method: str = "knapp-hartung-floored"
    pi_method: str = "k-1"
    tau_prior_scale: float | None = None
    intervals: tuple[str, ...] = (MEAN,)
    every: int = 1

    @property
    def is_closed(self) -> bool:
        """Whether its half-width has a closed form where all variances are equal."""
        return self.tau_prior_scale is None and self.pi_method != BOOTSTRAP


PROCEDURES: dict[str, Procedure] = {
    "Wald, common effect": Procedure("common", "wald"),
    "Wald, DL": Procedure("dl", "wald"),
    "Wald, REML": Procedure("reml", "wald"),
    "Knapp-Hartung, REML": Procedure("reml", "knapp-hartung"),
    "floored Knapp-Hartung, PM": Procedure("pm"),
    "floored Knapp-Hartung, REML": Procedure("reml"),
    "Knapp-Hartung, REML, k-1": Procedure("reml", "knapp-hartung", intervals=(NEW,)),
    "Knapp-Hartung, REML, k-2": Procedure("reml", "knapp-hartung", "k-2", intervals=(NEW,)),
    "floored Knapp-Hartung, REML, k-1": Procedure("reml", intervals=(NEW,)),
    "floored Knapp-Hartung, REML, k-2": Procedure("reml", pi_method="k-2", intervals=(NEW,)),
    "bootstrap": Procedure("reml", pi_method=BOOTSTRAP, intervals=(NEW,), every=10),
    **{
        f"half-normal prior {scale:g}": Procedure(tau_prior_scale=scale, intervals=(MEAN, NEW))
        for scale in (0.25, 0.5, 1.0, 2.0)
    },
}


class Coverage(NamedTuple):
    """How often an interval held its target, and how long it was.

    Attributes
    ----------
    procedure, interval : str
        Name of the procedure, and of what the interval is.
    replicates : int
        Sets of trials drawn; 0 for a value by integration.
    coverage, coverage_se : float
        Share of intervals that hold the target, and its Monte Carlo standard error.
    length, length_se : float
        Mean length, in units of the effect, and its Monte Carlo standard error.
    """

    procedure: str
    interval: str
    replicates: int
    coverage: float
    coverage_se: float
    length: float
    length_se: float


def coverage(
    vi: ArrayLike,
    tau: float,
    *,
    procedures: Mapping[str, Procedure] = PROCEDURES,
    replicates: int = REPLICATES,
    seed: int | Sequence[int] = SEED,
    level: float = LEVEL,
) -> list[Coverage]:
    """Draw sets of trials with sampling variances `vi`, and count what their intervals hold.

    A new trial's effect is not drawn: given the interval, the probability that it holds one is
    known, which leaves less to chance.

    Parameters
    ----------
    vi : array_like (k,)
        Sampling variances of the trials, the same in every replicate.
    tau : float
        Standard deviation of true effects between trials.
    procedures : mapping of str to Procedure
        What to compare. Prediction intervals of `pool` are left out below three trials.
    replicates : int
        Sets of trials, the same for all procedures, but see `Procedure.every`.
    seed : int or sequence of int
        Of `numpy.random.default_rng`; the same seed gives the same bytes.
    level : float
        Nominal level of the intervals.

    Returns
    -------
    list of Coverage

    Raises
    ------
    ArgumentError
        If a variance, tau or the number of replicates is not usable.
    """
    _, v = effects_and_variances(np.zeros(np.shape(vi)), vi, dimensions=1)
    spread = _spread(tau)
    if replicates < 2:
        message = f"replicates={replicates!r} is not allowed; allowed: at least 2"
        raise ArgumentError(message)
    if v.size == 0 or np.isnan(v).any():
        message = f"vi has {v.size} trials, or one without a variance; allowed: at least one"
        raise ArgumentError(message)
    drawn = np.random.default_rng(seed).standard_normal((replicates, v.size))
    y = drawn * np.sqrt(v + spread * spread)
    found = []
    for name, procedure in procedures.items():
        sets = y[:: procedure.every]
        limits = _limits(sets, np.broadcast_to(v, sets.shape), procedure, level)
        for interval, (low, high) in limits.items():
            held = _probability(low, high, spread if interval == NEW else 0.0)
            found.append(Coverage(name, interval, len(sets), *_mean(held), *_mean(high - low)))
    return found


def exact_coverage(
    k: int,
    variance: float,
    tau: float,
    *,
    procedures: Mapping[str, Procedure] = PROCEDURES,
    level: float = LEVEL,
) -> list[Coverage]:
    """Integrate instead of drawing, for `k` trials of one sampling variance.

    With equal variances v every estimator of tau2 used here is max(0, S2 - v), S2 the sample
    variance of the effects, and every interval is the mean plus and minus a half-width that
    depends on S2 alone. The mean is independent of S2, and (k - 1) S2 / (tau2 + v) is
    chi-squared, so coverage and mean length are integrals over one variable. The half-width of a
    Bayesian or bootstrap interval is that of the pool of effects with this S2.

    Parameters
    ----------
    k : int
        Number of trials, at least 2.
    variance, tau : float
        Sampling variance of each trial, and SD of true effects between trials.
    procedures : mapping of str to Procedure
        As in `coverage`; tau2_method may be common, dl, he, pm, eb or reml.
    level : float
        Nominal level of the intervals.

    Returns
    -------
    list of Coverage
        With 0 replicates and standard errors of 0.

    Raises
    ------
    ArgumentError
        If k, the variance, tau or a tau2_method is not usable.
    """
    v = float(numbers("variance", variance, above=0.0))
    total = v + _spread(tau) ** 2
    if k < 2:
        message = f"k={k!r} is not allowed; allowed: at least 2 trials"
        raise ArgumentError(message)
    s, weight = _chi_nodes(k - 1, np.sqrt((k - 1) * v / total))
    squares = s * s / (k - 1) * total
    found = []
    for name, procedure in procedures.items():
        if procedure.is_closed:
            halves = _half_widths(k, v, squares, procedure, level)
        else:
            pattern = np.arange(k) - 0.5 * (k - 1)
            sets = np.sqrt(squares)[:, None] * pattern / pattern.std(ddof=1)
            limits = _limits(sets, np.full(sets.shape, v), procedure, level)
            halves = {interval: 0.5 * (high - low) for interval, (low, high) in limits.items()}
        for interval, half in halves.items():
            sd = np.sqrt(total / k + (total - v if interval == NEW else 0.0))
            held = min(float(weight @ (2.0 * ndtr(half / sd) - 1.0)), 1.0)
            found.append(Coverage(name, interval, 0, held, 0.0, float(weight @ (2.0 * half)), 0.0))
    return found


def _spread(tau: float) -> float:
    return float(numbers("tau", tau, at_least=0.0))


def _limits(
    y: FloatArray, v: FloatArray, procedure: Procedure, level: float
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return lower and upper limits of each interval that a procedure gives."""
    if procedure.tau_prior_scale is not None:
        prior = pool_bayes_many(y, v, tau_prior_scale=procedure.tau_prior_scale, level=level)
        limits = {MEAN: (prior.mu_low, prior.mu_high), NEW: (prior.theta_low, prior.theta_high)}
    else:
        pooled = pool_many(
            y,
            v,
            tau2_method=procedure.tau2_method,
            ci_method=procedure.ci_method,
            pi_method=procedure.pi_method,
            level=level,
        )
        limits = {MEAN: (pooled.ci_low, pooled.ci_high)}
        if y.shape[1] > 2:
            limits[NEW] = (pooled.pi_low, pooled.pi_high)
    return {
        interval: (np.asarray(low), np.asarray(high))
        for interval, (low, high) in limits.items()
        if interval in procedure.intervals
    }


def _probability(low: FloatArray, high: FloatArray, sd: float) -> FloatArray:
    """Return the probability that each interval holds a normal number around 0."""
    if sd == 0.0:
        return ((low <= 0.0) & (high >= 0.0)).astype(np.float64)
    return np.asarray(ndtr(high / sd) - ndtr(low / sd))


def _mean(values: FloatArray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


# Beyond this many standard deviations a chi distribution holds nothing that a double shows.
FAR = 9.0
NODES = 80


def _chi_nodes(df: int, kink: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of a chi distribution, split where half-widths have a kink."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    ends = np.array([0.0, kink, max(kink, np.sqrt(df)) + FAR])
    half = 0.5 * np.diff(ends)[:, None]
    s = (ends[:-1, None] + half * (x + 1.0)).ravel()
    log_density = (df - 1) * np.log(s) - 0.5 * s * s - (0.5 * df - 1) * np.log(2) - gammaln(df / 2)
    return s, (half * w).ravel() * np.exp(log_density)


CLOSED = ("common", "dl", "he", "pm", "eb", "reml")


def _half_widths(
    k: int, v: float, squares: FloatArray, procedure: Procedure, level: float
) -> dict[str, FloatArray]:
    """Half-widths where all variances are `v` and the effects have sample variance `squares`."""
    settings = Settings(
        procedure.tau2_method, procedure.ci_method, level, pi_method=procedure.pi_method
    )
    if settings.tau2_method not in CLOSED:
        message = (
            f"tau2_method={settings.tau2_method!r} has no closed form here; "
            f"allowed: {', '.join(CLOSED)}"
        )
        raise ArgumentError(message)
    tau2 = np.maximum(squares - v, 0.0) if settings.is_random else np.zeros(squares.shape)
    scale = squares / (v + tau2)
    if settings.ci_method == "wald":
        scale = np.ones(squares.shape)
    elif settings.ci_method == "knapp-hartung-floored":
        scale = np.maximum(scale, 1.0)
    tail = 0.5 + 0.5 * level
    variance = scale * (v + tau2) / k
    quantile = stdtrit(k - 1.0, tail) if settings.uses_t else ndtri(tail)
    halves = {MEAN: quantile * np.sqrt(variance)}
    if k > 2 and settings.is_random:
        df = k - 1.0 if settings.pi_method == "k-1" else k - 2.0
        halves[NEW] = stdtrit(df, tail) * np.sqrt(tau2 + variance)
    return {name: half for name, half in halves.items() if name in procedure.intervals}
