"""The mean effect over trials, and how sure we are; one kernel for one fit and for many.

`pool` is the batch of one: both functions lay trials out as `ldn_meta.stats.trials.Trials` and
call the same kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.inputs import FloatArray, Labels, effects_and_variances, text, trial_labels
from ldn_meta.stats.options import Settings
from ldn_meta.stats.pool_kernel import pooled_numbers
from ldn_meta.stats.pool_notes import sentences
from ldn_meta.stats.result import NUMBERS, PooledResult
from ldn_meta.stats.trials import rows_of


def pool(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    level: float = 0.95,
    pi_method: str = "k-1",
    measure: str = "",
    labels: Labels = None,
) -> PooledResult:
    """Pool the effects of independent trials.

    The model is yi ~ N(theta_i, vi), theta_i ~ N(mu, tau2), with weights 1 / (vi + tau2):

    ======================  ===================================================================
    wald                    se^2 = 1 / sum w; normal quantile
    knapp-hartung           se^2 = s2 / sum w, s2 = sum w (yi - mu)^2 / (k - 1); t on k - 1 df
    knapp-hartung-floored   the same with max(1, s2)
    ======================  ===================================================================

    The prediction interval is estimate +/- t sqrt(tau2 + se^2), with the se of `ci_method` and t
    on k - 1 or k - 2 df; it needs three trials and a random-effects method. The interval of tau2
    solves Q(tau2) = chi-squared quantile and is never capped; where even Q(0) is below the lower
    quantile the set of solutions is empty, and the interval is 0 to 0 with a note.

    With no trial everything is NaN. With one, estimate, se, test and interval (Wald) are those of
    that trial; tau2, Q, its p, I2, H2 and the prediction interval are NaN: nothing was pooled.

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and their sampling variances; NaN marks a missing trial.
    tau2_method : str
        common, dl, he, hs, sj, ml, reml, eb or pm: see `ldn_meta.stats.tau2.tau2_estimate`.
    ci_method : str
        wald, knapp-hartung or knapp-hartung-floored.
    level : float
        Level of all intervals.
    pi_method : str
        k-1 or k-2: degrees of freedom of the prediction interval.
    measure : str
        Code of the effect measure; repeated in the result.
    labels : sequence, optional
        Names of the trials, (k,).

    Returns
    -------
    PooledResult

    Raises
    ------
    ArgumentError
        If an option is unknown or the arrays are not usable.
    ConvergenceError
        If an iteration does not converge.

    Notes
    -----
    Hartung and Knapp 2001, Statistics in Medicine 20:3875-3889, eq. 8; Jackson and others 2017,
    Statistics in Medicine 36:3923-3934 (floored); Higgins, Thompson and Spiegelhalter 2009, JRSS A
    172:137-159, eq. 12 (prediction); Viechtbauer 2007, Statistics in Medicine 26:37-52 (interval
    of tau2); Higgins and Thompson 2002, Statistics in Medicine 21:1539-1558 (I2, H2).

    Examples
    --------
    >>> pool([0.30, 0.31, 0.32], [0.04, 0.05, 0.06])
    PooledResult(k=3, 0.3086 [95% CI -0.2394, 0.8567], tau2=0, I2=0%, reml, knapp-hartung-floored)
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    settings = Settings(tau2_method, ci_method, level, pi_method)
    return _pool(y, v, settings, measure, labels)


def pool_many(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    level: float = 0.95,
    pi_method: str = "k-1",
    measure: str = "",
    labels: Labels = None,
) -> PooledResult:
    """Pool many sets of trials at once; each row is, bit for bit, what `pool` gives for it.

    Parameters
    ----------
    yi, vi : array_like (..., k)
        Effects and variances, one set per row; NaN marks a missing trial, so sets may differ in
        size. An axis of length one in either does not stretch: the shapes must be equal.
    tau2_method, ci_method, level, pi_method, measure, labels
        As in `pool`; `labels` names the k columns.

    Returns
    -------
    PooledResult
        With arrays (...) in place of numbers; `notes` counts the sets each sentence applies to.

    Raises
    ------
    ArgumentError
        If an option is unknown or the arrays are not usable.
    ConvergenceError
        If an iteration does not converge.
    """
    y, v = effects_and_variances(yi, vi)
    settings = Settings(tau2_method, ci_method, level, pi_method)
    return _pool(y, v, settings, measure, labels)


def _pool(
    y: FloatArray, v: FloatArray, settings: Settings, measure: str, labels: Labels
) -> PooledResult:
    """Run the kernel over checked effects and variances (..., k) and build the record."""
    measure, names = text("measure", measure), trial_labels(labels, y.shape[-1])
    shape = y.shape[:-1]
    matrix, weight, flags = pooled_numbers(rows_of(y), rows_of(v), settings)
    numbers: dict[str, Any]
    if shape:
        numbers = {
            name: values.reshape(shape) for name, values in zip(NUMBERS, matrix, strict=True)
        }
    else:
        numbers = dict(zip(NUMBERS, matrix[:, 0].tolist(), strict=True))
    for name in ("k", "q_df"):
        numbers[name] = numbers[name].astype(np.int64) if shape else int(numbers[name])
    return PooledResult(
        **numbers,
        measure=measure,
        tau2_method=settings.tau2_method,
        ci_method=settings.ci_method,
        pi_method=settings.pi_method,
        level=settings.level,
        yi=y,
        vi=v,
        weight_pct=weight.reshape(y.shape),
        labels=names,
        notes=sentences(flags, tau2_method=settings.tau2_method),
    )
