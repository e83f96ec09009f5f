"""Whether trials differ by more than chance, and by how much: Q, I2, H2 and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from ldn_meta.stats.generalised_q import SMALLEST, tau2_where_q_is
from ldn_meta.stats.inputs import (
    FloatArray,
    IntArray,
    confidence_level,
    effects_and_variances,
)
from ldn_meta.stats.quantiles import Quantiles, quantiles
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.tau2 import trace_of_p
from ldn_meta.stats.trials import Trials, arrange, rows_of, total


@dataclass(frozen=True, eq=False)
class Heterogeneity(FrozenRecord):
    """Cochran's Q and what is derived from it; floats for one set, arrays for a batch.

    Attributes
    ----------
    k, q_df : int
        Trials and k - 1.
    level : float
        Level of the intervals.
    q, q_pvalue : float
        sum w (yi - mean)^2 with w = 1 / vi, and its chi-squared test.
    i2_pct, h2 : float
        max(0, (Q - df) / Q) in percent and max(1, Q / df): shares of the variability seen, not
        amounts of heterogeneity.
    tau2_ci_low, tau2_ci_high : float
        Q-profile interval of tau2, uncapped; 0 to 0 where no tau2 is small enough.
    i2_ci_low, i2_ci_high, h2_ci_low, h2_ci_high : float
        The same interval as tau2 / (tau2 + s2) in percent and tau2 / s2 + 1, with the typical
        sampling variance s2 = df / (sum w - sum w^2 / sum w).
    """

    k: int | IntArray
    level: float
    q: float | FloatArray
    q_df: int | IntArray
    q_pvalue: float | FloatArray
    i2_pct: float | FloatArray
    i2_ci_low: float | FloatArray
    i2_ci_high: float | FloatArray
    h2: float | FloatArray
    h2_ci_low: float | FloatArray
    h2_ci_high: float | FloatArray
    tau2_ci_low: float | FloatArray
    tau2_ci_high: float | FloatArray


def heterogeneity(yi: ArrayLike, vi: ArrayLike, *, level: float = 0.95) -> Heterogeneity:
    """Measure heterogeneity between the trials of each set.

    Parameters
    ----------
    yi, vi : array_like (..., k)
        Effects and their sampling variances; NaN marks a missing trial.
    level : float
        Level of the intervals.

    Returns
    -------
    Heterogeneity
        Everything but k is NaN with fewer than two trials.

    Raises
    ------
    ArgumentError
        If the arrays or the level are not usable.
    ConvergenceError
        If a limit is not found.

    Notes
    -----
    Higgins and Thompson 2002, Statistics in Medicine 21:1539-1558, eq. 9 (s2) and 10;
    Viechtbauer 2007, Statistics in Medicine 26:37-52 (Q-profile, and I2 and H2 from it).
    """
    level = confidence_level(level)
    y, v = effects_and_variances(yi, vi)
    shape = y.shape[:-1]
    trials = arrange(rows_of(y), rows_of(v))
    found = quantiles(trials.count, level=level)
    q, h2, i2_pct = cochran(trials)
    tau2_low, tau2_high = q_profile(trials, found)
    w = 1.0 / trials.v
    typical = trials.df / np.maximum(trace_of_p(w, total(w))[0], SMALLEST)
    numbers: dict[str, Any] = {
        "k": trials.count,
        "q": q,
        "q_df": np.maximum(trials.count - 1, 0),
        "q_pvalue": chdtrc(trials.df, q),
        "i2_pct": i2_pct,
        "i2_ci_low": 100.0 * tau2_low / (tau2_low + typical),
        "i2_ci_high": 100.0 * tau2_high / (tau2_high + typical),
        "h2": np.maximum(h2, 1.0),
        "h2_ci_low": tau2_low / typical + 1.0,
        "h2_ci_high": tau2_high / typical + 1.0,
        "tau2_ci_low": tau2_low * trials.scale,
        "tau2_ci_high": tau2_high * trials.scale,
    }
    if shape:
        return Heterogeneity(
            level=level, **{name: array.reshape(shape) for name, array in numbers.items()}
        )
    return Heterogeneity(level=level, **{name: array.item() for name, array in numbers.items()})


def cochran(trials: Trials) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Q, Q / df and I2 in percent, each (m,); NaN with fewer than two trials."""
    q = trials.q.copy()
    q[trials.count < 2] = np.nan
    h2 = q / trials.df
    return q, h2, 100.0 * np.maximum(1.0 - 1.0 / np.maximum(h2, SMALLEST), 0.0)


def q_profile(trials: Trials, found: Quantiles) -> tuple[FloatArray, FloatArray]:
    """Return the Q-profile limits of tau2, (m,), in the units of `trials`.

    A limit is 0 where Q(0) does not exceed its quantile. Where that holds for the upper limit,
    no tau2 >= 0 is compatible with effects that agree so well: the set is empty, printed as
    0 to 0. NaN with fewer than two trials.
    """
    targets = np.array([found.upper, found.lower])
    low, high = tau2_where_q_is(trials, targets, method="Q-profile interval")
    return low, high
