"""Small-study effects: whether small trials show larger effects than large ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.arrays import (
    FloatArray,
    FrozenRecord,
    Labels,
    effects_and_variances,
    one_of,
    trial_labels,
)
from ldn_meta.stats.pool import SENTENCES, PooledResult, pool
from ldn_meta.stats.regression import meta_regression

# Below ten trials these tests have too little power to tell chance from bias (Sterne and others
# 2011, BMJ 343:d4002).
ENOUGH_TRIALS = 10
# A slope beside an intercept needs a third trial.
FEWEST_TRIALS = 3
EGGER_MODELS = ("lm", "mixed")
SIDES = ("left", "right")
MAX_ITERATIONS = 100
MISSING = SENTENCES["missing"]


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
    y, v, _, notes = _present(yi, vi)
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
    y, v, _, notes = _present(yi, vi)
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
    labels: Labels = None,
) -> TrimAndFill:
    """Impute the trials that asymmetry suggests are missing, by the estimator L0.

    Trims the most extreme trials on the heavy side until the number L0 = (4 T - k (k + 1)) /
    (2 k - 1), rounded and at least 0, no longer changes, where T is the sum of the ranks of
    |yi - mean| over trials above the mean; then mirrors them (Duval and Tweedie 2000,
    Biometrics 56:455-463, eq. 4-5 and section 4). A missing trial (NaN) is left out; the others
    keep their names, which are those in `labels` or else their places in `yi`.
    """
    y, v, names, notes = _present(yi, vi, labels)
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
        labels=[names[i] for i in order] + [f"imputed {i + 1}" for i in range(missing)],
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


def _present(
    yi: ArrayLike, vi: ArrayLike, labels: Labels = None
) -> tuple[FloatArray, FloatArray, tuple[str, ...], tuple[str, ...]]:
    """Return effects, variances and names of the trials that are there, and notes on them."""
    y, v = effects_and_variances(yi, vi, dimensions=1)
    there = ~np.isnan(y)
    names = trial_labels(labels, y.size)
    notes = _size_notes(int(there.sum()))
    if not there.all():
        notes = (*notes, MISSING)
    return y[there], v[there], tuple(names[i] for i in np.flatnonzero(there)), notes


def _size_notes(k: int) -> tuple[str, ...]:
    if k < FEWEST_TRIALS:
        return (f"k = {k}: small-study effects need at least {FEWEST_TRIALS} trials",)
    if k < ENOUGH_TRIALS:
        return (
            f"k = {k} is below {ENOUGH_TRIALS}: too few trials to tell a small-study effect from "
            "chance; not to be read as evidence either way",
        )
    return ()
