"""Small-study effects: whether small trials show larger effects than large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.arrays import (
    FloatArray,
    FrozenRecord,
    Labels,
    Summary,
    Transformed,
    checked,
    effects_and_variances,
    from_data,
    one_of,
    trial_labels,
)
from ldn_meta.stats.effects import hypergeometric_score, log_odds_ratio
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
# The exact distribution of Kendall's tau takes time with the cube of the trials; beyond this many
# the normal p-value is within 1% of it, down to 0.001.
MOST_EXACT = 500
MISSING = SENTENCES["missing"]
LEFT_OUT = (
    "trials without complete counts, without events or with events in everybody are left out"
)


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

    @property
    def estimate(self) -> float:
        """Mean effect with the imputed trials, as of `filled`."""
        return float(self.filled.estimate)

    @property
    def ci_low(self) -> float:
        """Lower end of its interval."""
        return float(self.filled.ci_low)

    @property
    def ci_high(self) -> float:
        """Upper end of its interval."""
        return float(self.filled.ci_high)

    def transformed(self) -> Transformed:
        """Return the filled pool as readers know it."""
        return self.filled.transformed()

    def summary(self) -> Summary:
        """Return what was imputed, the filled pool and notes as text."""
        return Summary(f"{super().summary()}\n\nfilled\n{self.filled.summary()}")


@from_data("yi", "vi")
def egger_test(
    yi: ArrayLike = "yi", vi: ArrayLike = "vi", *, data: Any = None, model: str = "lm"
) -> EggerTest:
    """Test funnel-plot asymmetry by regressing effects on standard errors.

    "lm" is weighted least squares with weights 1 / vi and a free residual variance (Egger and
    others 1997, BMJ 315:629-634); "mixed" is a meta-regression with REML tau2 (Sterne and Egger
    2005), which metafor's regtest takes by default. Computed from three trials, with a note below
    ten.
    """
    one_of("model", model, EGGER_MODELS)
    y, v, _, notes = _present(yi, vi)
    return _regression(y, v, np.sqrt(v), model, notes)


def _informative(*values: ArrayLike) -> tuple[list[FloatArray], tuple[str, ...]]:
    """Return values of the trials that have an effect and a finite variance, and notes."""
    every = np.array(np.broadcast_arrays(*values))
    there = np.isfinite(every).all(axis=0)
    notes = _size_notes(int(there.sum()))
    return [*every[:, there]], notes if there.all() else (*notes, LEFT_OUT)


def _regression(
    y: FloatArray, v: FloatArray, size: FloatArray, model: str, notes: tuple[str, ...]
) -> EggerTest:
    """Regress effects on what tells the size of a trial."""
    if y.size < FEWEST_TRIALS or np.ptp(size) == 0.0:
        if y.size >= FEWEST_TRIALS:
            same = "sizes" if model == "peters" else "standard errors"
            notes = (*notes, f"all {same} are equal: there is no slope to test")
        nan = float("nan")
        return EggerTest(y.size, model, nan, nan, nan, nan, nan, notes)
    is_mixed = model == "mixed"
    fit = meta_regression(
        y,
        v,
        size,
        tau2_method="reml" if is_mixed else "common",
        ci_method="wald" if is_mixed else "knapp-hartung",
    )
    return EggerTest(
        k=y.size,
        model=model,
        statistic=float(fit.statistic[1]),
        df=float("inf") if is_mixed else float(y.size - 2),
        p_value=float(fit.p_value[1]),
        slope=float(fit.coefficients[1]),
        intercept=float(fit.coefficients[0]),
        notes=notes,
    )


@from_data("events_1", "n_1", "events_2", "n_2")
def harbord_test(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, data: Any = None
) -> EggerTest:
    """Test funnel-plot asymmetry of odds ratios by their efficient scores.

    Egger's regression of Z / V on 1 / sqrt(V) with weights V, where Z is O - E of the events of
    group 1 and V its hypergeometric variance. A log odds ratio and its own variance depend on
    each other, Z and V do not without an effect. Trials without events, or with events in
    everybody, carry nothing and are left out.

    Source: Harbord, Egger and Sterne 2006, Stat Med 25:3443-3457.
    """
    score, variance = hypergeometric_score(
        *map(np.atleast_1d, checked(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2))
    )
    information = np.where(variance > 0.0, variance, np.nan)
    (y, v), notes = _informative(score / information, 1.0 / information)
    return _regression(y, v, np.sqrt(v), "harbord", notes)


@from_data("events_1", "n_1", "events_2", "n_2")
def peters_test(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, data: Any = None
) -> EggerTest:
    """Test funnel-plot asymmetry of odds ratios by the sizes of the trials.

    Weighted regression of the log odds ratio on 1 / (n_1 + n_2), with weights 1 / (1 / events +
    1 / non-events), both groups together; half an event more in each cell of a table with a zero,
    as in `effect_size`. Trials without events, or with events in everybody, are left out.

    Source: Peters and others 2006, JAMA 295:676-680.
    """
    table = [*map(np.atleast_1d, checked(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2))]
    events, people = table[0] + table[2], table[1] + table[3]
    with np.errstate(divide="ignore"):
        variance = 1.0 / events + 1.0 / (people - events)
    (y, v, inverse), notes = _informative(log_odds_ratio(*table).yi, variance, 1.0 / people)
    return _regression(y, v, inverse, "peters", notes)


@from_data("yi", "vi")
def begg_test(yi: ArrayLike = "yi", vi: ArrayLike = "vi", *, data: Any = None) -> BeggTest:
    """Test funnel-plot asymmetry by Kendall's rank correlation.

    Correlates (yi - mean) / sqrt(vi - 1 / sum w) with vi, where mean is the common-effect mean
    with weights w = 1 / vi (Begg and Mazumdar 1994, Biometrics 50:1088-1101). The p-value is exact
    up to 500 trials without ties, else from the normal approximation.
    """
    y, v, _, notes = _present(yi, vi)
    if y.size < FEWEST_TRIALS:
        return BeggTest(y.size, float("nan"), float("nan"), False, notes)
    from scipy.stats import kendalltau

    w = 1.0 / v
    deviate = (y - (w @ y) / w.sum()) / np.sqrt(v - 1.0 / w.sum())
    is_exact = np.unique(deviate).size == y.size == np.unique(v).size
    is_exact = is_exact and y.size <= MOST_EXACT
    correlation = kendalltau(deviate, v, method="exact" if is_exact else "asymptotic")
    tau = float(correlation.statistic)
    if np.isnan(tau):
        notes = (*notes, "all effects or all variances are equal: there is no order to compare")
    return BeggTest(y.size, tau, float(correlation.pvalue), is_exact, notes)


@from_data("yi", "vi", "labels")
def trim_and_fill(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    side: str | None = None,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    level: float = 0.95,
    labels: Labels = None,
    measure: str = "",
) -> TrimAndFill:
    """Impute the trials that asymmetry suggests are missing, by the estimator L0.

    Trims the most extreme trials on the heavy side until the number L0 = (4 T - k (k + 1)) /
    (2 k - 1), rounded and at least 0, no longer changes, where T is the sum of the ranks of
    |yi - mean| over trials above the mean; then mirrors them (Duval and Tweedie 2000,
    Biometrics 56:455-463, eq. 4-5 and section 4). A missing trial (NaN) is left out; the others
    keep their order and their names, which are those in `labels` or else their places in `yi`,
    and the imputed ones come last. Methods are by default those of `pool`, so that the two can be
    compared; the number imputed depends on `tau2_method`.
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
    given, (y, v) = (y, v), (mirror * y[order], v[order])
    k = y.size
    missing = 0
    if k >= FEWEST_TRIALS:
        missing, is_stable = _missing_trials(y, v, tau2_method)
        if not is_stable:
            notes = (*notes, "the number of imputed trials alternates; the last one was taken")
    centre = pool(y[: k - missing], v[: k - missing], tau2_method=tau2_method).estimate
    filled = pool(
        np.concatenate([given[0], mirror * (2.0 * centre - y[k - missing :])]),
        np.concatenate([given[1], v[k - missing :]]),
        tau2_method=tau2_method,
        ci_method=ci_method,
        level=level,
        measure=measure,
        labels=[*names, *(f"imputed {i + 1}" for i in range(missing))],
    )
    return TrimAndFill(k=k, k_filled=missing, side=side, filled=filled, notes=notes)


def _missing_trials(y: FloatArray, v: FloatArray, tau2_method: str) -> tuple[int, bool]:
    """Return L0 for effects sorted upwards, trials missing on the left, and whether it settled."""
    from scipy.stats import rankdata

    k = y.size
    missing = 0
    for _ in range(MAX_ITERATIONS):
        kept = k - missing
        centred = y - float(np.asarray(pool(y[:kept], v[:kept], tau2_method=tau2_method).estimate))
        # Equal distances share their rank, so that a set and its mirror image agree; what parts
        # them by rounding alone is equal.
        rank = rankdata(np.round(np.abs(centred) / np.abs(centred).max(initial=1e-300), 12))
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
