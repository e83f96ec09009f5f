"""Small-study effects: whether small trials show larger effects than large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    FloatArray,
    FrozenRecord,
    Labels,
    effects_and_variances,
    one_of,
    trial_labels,
)
from ldn_meta.stats.pool import PooledResult, pool, pool_many
from ldn_meta.stats.regression import meta_regression


@dataclass(frozen=True, eq=False)
class Influence(FrozenRecord):
    """What each trial does to the pooled answer; arrays have the shape (..., k) of the effects.

    A missing trial has NaN throughout. Everything that compares with the fit without the trial
    is NaN when fewer than two other trials are left, because tau2 is undefined then.
    """

    hat: FloatArray
    weight_pct: FloatArray
    rstudent: FloatArray
    dffits: FloatArray
    cooks_distance: FloatArray
    cov_ratio: FloatArray
    estimate_deleted: FloatArray
    tau2_deleted: FloatArray
    q_deleted: FloatArray
    labels: tuple[str, ...]
    tau2_method: str
    ci_method: str


def leave_one_out(yi: ArrayLike, vi: ArrayLike, **options: Any) -> PooledResult:
    """Pool again without each trial in turn."""
    y, v = effects_and_variances(yi, vi)
    left_out = np.eye(y.shape[-1], dtype=np.bool_)
    return pool_many(
        np.where(left_out, np.nan, y[..., None, :]),
        np.where(left_out, np.nan, v[..., None, :]),
        **options,
    )


def cumulative(
    yi: ArrayLike, vi: ArrayLike, *, order: ArrayLike | None = None, **options: Any
) -> PooledResult:
    """Pool the first trial, the first two, and so on."""
    y, v = effects_and_variances(yi, vi)
    k = y.shape[-1]
    turn = np.arange(k)
    if order is not None:
        key = np.asarray(order)
        if key.shape != (k,) or key.dtype.kind not in "iuf" or np.isnan(key).any():
            message = f"order={order!r} is not usable; allowed: {k} numbers, one per trial"
            raise ArgumentError(message)
        turn = np.argsort(key, kind="stable")
    names = trial_labels(options.pop("labels", None), k)
    y, v = y[..., turn], v[..., turn]
    seen = np.tril(np.ones((k, k), dtype=np.bool_))
    return pool_many(
        np.where(seen, y[..., None, :], np.nan),
        np.where(seen, v[..., None, :], np.nan),
        labels=tuple(names[i] for i in turn),
        **options,
    )


def influence(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    labels: Labels = None,
) -> Influence:
    """Measure what each trial does to the pooled answer.

    Notes
    -----
    Viechtbauer and Cheung 2010, Research Synthesis Methods 1:112-125, section 3.
    """
    full = pool_many(yi, vi, tau2_method=tau2_method, ci_method=ci_method, labels=labels)
    without = leave_one_out(yi, vi, tau2_method=tau2_method, ci_method=ci_method)
    present = ~np.isnan(full.vi)
    mean, se = np.asarray(full.estimate)[..., None], np.asarray(full.se)[..., None]
    comparable = present & (np.asarray(full.k) > 2)[..., None]
    mean_i = np.where(comparable, without.estimate, np.nan)
    se_i, tau2_i = np.asarray(without.se), np.asarray(without.tau2)
    hat = full.weight_pct / 100.0
    shift = mean - mean_i
    precision_i = np.nansum(1.0 / (without.vi + tau2_i[..., None]), axis=-1)
    spread_i = se_i**2 * precision_i * (full.vi + tau2_i)
    return Influence(
        hat=hat,
        weight_pct=full.weight_pct,
        rstudent=(full.yi - mean_i) / np.sqrt(spread_i + se_i**2),
        dffits=shift / np.sqrt(hat * spread_i),
        cooks_distance=shift**2 / se**2,
        cov_ratio=np.where(comparable, se_i**2 / se**2, np.nan),
        estimate_deleted=mean_i,
        tau2_deleted=np.where(comparable, tau2_i, np.nan),
        q_deleted=np.where(comparable, without.q, np.nan),
        labels=full.labels,
        tau2_method=tau2_method,
        ci_method=ci_method,
    )


# Below ten trials these tests have too little power to tell chance from bias (Sterne and others
# 2011, BMJ 343:d4002).
ENOUGH_TRIALS = 10
# A slope beside an intercept needs a third trial.
FEWEST_TRIALS = 3
EGGER_MODELS = ("lm", "mixed")
SIDES = ("left", "right")
MAX_ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class EggerTest(FrozenRecord):
    """Regression of effects on their standard errors."""

    k: int
    model: str
    statistic: float
    df: float
    p_value: float
    slope: float
    intercept: float
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class BeggTest(FrozenRecord):
    """Rank correlation of standardised effects with their variances."""

    k: int
    kendall_tau: float
    p_value: float
    is_exact: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TrimAndFill(FrozenRecord):
    """How the pool would look if trials missing on one side mirrored those on the other."""

    k: int
    k_filled: int
    side: str
    filled: PooledResult
    notes: tuple[str, ...]


def egger_test(yi: ArrayLike, vi: ArrayLike, *, model: str = "lm") -> EggerTest:
    """Test funnel-plot asymmetry by regressing effects on standard errors.

    "lm" is weighted least squares with weights 1 / vi and a free residual variance (Egger and
    others 1997, BMJ 315:629-634); "mixed" is a meta-regression with REML tau2 (Sterne and Egger
    2005). Computed from three trials, with a note below ten.
    """
    one_of("model", model, EGGER_MODELS)
    y, v = _present(yi, vi)
    notes = _size_notes(y.size)
    sei = np.sqrt(v)
    if y.size < FEWEST_TRIALS or np.ptp(sei) == 0.0:
        if y.size >= FEWEST_TRIALS:
            notes = (*notes, "all standard errors are equal: there is no slope to test")
        nan = float("nan")
        return EggerTest(y.size, model, nan, nan, nan, nan, nan, notes)
    fit = meta_regression(
        y,
        v,
        sei,
        tau2_method="common" if model == "lm" else "reml",
        ci_method="knapp-hartung" if model == "lm" else "wald",
    )
    return EggerTest(
        k=y.size,
        model=model,
        statistic=float(fit.statistic[1]),
        df=float(y.size - 2) if model == "lm" else float("inf"),
        p_value=float(fit.p_value[1]),
        slope=float(fit.coefficients[1]),
        intercept=float(fit.coefficients[0]),
        notes=notes,
    )


def begg_test(yi: ArrayLike, vi: ArrayLike) -> BeggTest:
    """Test funnel-plot asymmetry by Kendall's rank correlation.

    Correlates (yi - mean) / sqrt(vi - 1 / sum w) with vi, where mean is the common-effect mean
    with weights w = 1 / vi (Begg and Mazumdar 1994, Biometrics 50:1088-1101).
    """
    y, v = _present(yi, vi)
    notes = _size_notes(y.size)
    if y.size < FEWEST_TRIALS:
        return BeggTest(y.size, float("nan"), float("nan"), False, notes)
    from scipy.stats import kendalltau

    w = 1.0 / v
    deviate = (y - (w @ y) / w.sum()) / np.sqrt(v - 1.0 / w.sum())
    is_exact = np.unique(deviate).size == y.size == np.unique(v).size
    correlation = kendalltau(deviate, v, method="exact" if is_exact else "asymptotic")
    tau = float(correlation.statistic)
    if np.isnan(tau):
        notes = (*notes, "all effects or all variances are equal: there is no order to compare")
    return BeggTest(y.size, tau, float(correlation.pvalue), is_exact, notes)


def trim_and_fill(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    side: str | None = None,
    tau2_method: str = "dl",
    ci_method: str = "wald",
    level: float = 0.95,
) -> TrimAndFill:
    """Impute the trials that asymmetry suggests are missing, by the estimator L0.

    Trims the most extreme trials on the heavy side until the number L0 = (4 T - k (k + 1)) /
    (2 k - 1), rounded and at least 0, no longer changes, where T is the sum of the ranks of
    |yi - mean| over trials above the mean; then mirrors them (Duval and Tweedie 2000,
    Biometrics 56:455-463, eq. 4-5 and section 4).
    """
    y, v = _present(yi, vi)
    notes = _size_notes(y.size)
    if side is not None:
        one_of("side", side, SIDES)
    elif y.size < FEWEST_TRIALS or np.ptp(v) == 0.0:
        side = "left"
    else:
        slope = meta_regression(y, v, np.sqrt(v), tau2_method=tau2_method).coefficients[1]
        side = "right" if slope < 0.0 else "left"
    mirror = -1.0 if side == "right" else 1.0
    order = np.argsort(mirror * y, kind="stable")
    y, v = mirror * y[order], v[order]
    k = y.size
    missing = 0
    if k >= FEWEST_TRIALS:
        missing, is_stable = _missing_trials(y, v, tau2_method)
        if not is_stable:
            notes = (*notes, "the number of imputed trials alternates; the last one was taken")
    centre = pool(y[: k - missing], v[: k - missing], tau2_method=tau2_method).estimate
    filled = pool(
        mirror * np.concatenate([y, 2.0 * centre - y[k - missing :]]),
        np.concatenate([v, v[k - missing :]]),
        tau2_method=tau2_method,
        ci_method=ci_method,
        level=level,
        labels=[f"trial {i + 1}" for i in order] + [f"imputed {i + 1}" for i in range(missing)],
    )
    return TrimAndFill(k=k, k_filled=missing, side=side, filled=filled, notes=notes)


def _missing_trials(y: FloatArray, v: FloatArray, tau2_method: str) -> tuple[int, bool]:
    """Return L0 for effects sorted upwards, trials missing on the left, and whether it settled."""
    k = y.size
    missing = 0
    for _ in range(MAX_ITERATIONS):
        kept = k - missing
        centred = y - float(np.asarray(pool(y[:kept], v[:kept], tau2_method=tau2_method).estimate))
        rank = np.argsort(np.argsort(np.abs(centred), kind="stable"), kind="stable") + 1
        above = float(rank[centred > 0.0].sum())
        estimate = round(max(0.0, (4.0 * above - k * (k + 1)) / (2 * k - 1)))
        if estimate == missing:
            return missing, True
        missing = min(estimate, k - 1)
    return missing, False


def _present(yi: ArrayLike, vi: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, v = effects_and_variances(yi, vi, dimensions=1)
    there = ~np.isnan(y)
    return y[there], v[there]


def _size_notes(k: int) -> tuple[str, ...]:
    if k < FEWEST_TRIALS:
        return (f"k = {k}: small-study effects need at least {FEWEST_TRIALS} trials",)
    if k < ENOUGH_TRIALS:
        return (
            f"k = {k} is below {ENOUGH_TRIALS}: too few trials to tell a small-study effect from "
            "chance; not to be read as evidence either way",
        )
    return ()
