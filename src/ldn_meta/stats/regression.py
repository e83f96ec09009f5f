"""Meta-regression: whether a covariate explains differences between trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, IntArray, effects_and_variances, real_array
from ldn_meta.stats.options import Settings
from ldn_meta.stats.regression_kernel import fit
from ldn_meta.stats.regression_result import RegressionResult
from ldn_meta.stats.tau2 import tau2_estimate
from ldn_meta.stats.trials import rows_of

# Below this a regression mostly fits noise (Cochrane Handbook, section 10.11.5.1).
TRIALS_PER_COVARIATE = 10


def meta_regression(
    yi: ArrayLike,
    vi: ArrayLike,
    X: ArrayLike,  # noqa: N803 - the name every regression has for it
    *,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    level: float = 0.95,
    add_intercept: bool = True,
    names: Sequence[str] | None = None,
) -> RegressionResult:
    """Regress effects on covariates of the trials, with variance tau2 left between trials.

    The model is yi ~ N(x_i'b, vi + tau2), fitted by weighted least squares. REML and ML find the
    global maximum as in `ldn_meta.stats.pool.pool`. Knapp-Hartung multiplies the covariance by
    s2 = sum w r^2 / (k - p) and uses t and F; floored means that s2 is at least 1.

    Parameters
    ----------
    yi, vi : array_like (..., k)
        Effects and their sampling variances; NaN marks a missing trial.
    X : array_like (k,), (k, p) or (..., k, p)
        Covariates, one column each; NaN leaves the trial out.
    tau2_method, ci_method, level
        As in `ldn_meta.stats.pool.pool`.
    add_intercept : bool
        Whether a column of ones is put first. A constant column of `X` counts as the intercept
        too: the joint test leaves it aside.
    names : sequence of str, optional
        Names of the columns of `X`; "x1", "x2", ... without.

    Returns
    -------
    RegressionResult
        NaN throughout, with a note, where there are no more trials than coefficients.

    Raises
    ------
    ArgumentError
        If an option is unknown, the arrays are not usable, or the covariates of a set are
        collinear.
    ConvergenceError
        If an iteration does not converge.

    Notes
    -----
    Berkey and others 1995, Statistics in Medicine 14:395-411; Knapp and Hartung 2003, Statistics
    in Medicine 22:2693-2710, eq. 9.
    """
    settings = Settings(tau2_method, ci_method, level)
    y, v = effects_and_variances(yi, vi)
    shape = y.shape[:-1]
    design, labels = _design(X, y.shape, add_intercept=add_intercept, names=names)
    k, p = design.shape[-2:]
    y, v = rows_of(y), rows_of(v)
    design = design.reshape(*y.shape, p)
    missing = np.isnan(y) | np.isnan(design).any(axis=-1)
    present_first = np.argsort(missing, axis=1, kind="stable")
    count = k - missing.sum(axis=1)
    numbers = _undefined(len(count), p)
    constant = (np.isnan(design) | (design == design[:, :1, :])).all(axis=(0, 1))
    tested = np.flatnonzero(~constant)
    several = np.zeros(len(count), dtype=np.bool_)
    for n in np.unique(count[count > p]):
        rows = np.flatnonzero(count == n)
        at = rows[:, None], present_first[rows, :n]
        _refuse_collinear(design[at], rows, labels)
        part, several[rows] = fit(y[at], v[at], design[at], settings, tested=tested)
        if settings.is_random and 0 < tested.size < p:
            part["r2_pct"] = _explained(y[at], v[at], part["tau2"], tau2_method)
        for name, values in part.items():
            numbers[name][rows] = values
    whens = {
        "trials without an effect, a variance or a covariate (NaN) were left out": missing.any(1),
        "no more trials than coefficients: nothing was estimated": count <= p,
        f"fewer than {TRIALS_PER_COVARIATE} trials per covariate: exploratory only": (
            (count > p) & (count < TRIALS_PER_COVARIATE * tested.size)
        ),
        "the likelihood of tau2 has more than one maximum; the global one is reported": several,
        f"the {tau2_method} estimate of tau2 is 0": (
            (numbers["tau2"] == 0.0) & settings.is_random
        ),
    }
    fields: dict[str, Any] = {**numbers, "k": count, "df": np.maximum(count - p, 0)}
    for name, values in fields.items():
        fields[name] = values.reshape(shape + values.shape[1:])
    if not shape:
        fields = {name: x if x.ndim else x.item() for name, x in fields.items()}
    return RegressionResult(
        **fields,
        names=labels,
        tau2_method=settings.tau2_method,
        ci_method=settings.ci_method,
        level=settings.level,
        qm_df=tested.size,
        notes=tuple(
            (f"{when.sum()} of {when.size} sets: " if when.size > 1 else "") + sentence
            for sentence, when in whens.items()
            if when.any()
        ),
    )


def _design(
    covariates: ArrayLike,
    shape: tuple[int, ...],
    *,
    add_intercept: bool,
    names: Sequence[str] | None,
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return covariates (..., k, p) with the intercept first, and names of the p columns."""
    columns = real_array("X", covariates)
    if columns.ndim == 1:
        columns = columns[:, None]
    try:
        columns = np.broadcast_to(columns, (*shape, columns.shape[-1]))
    except (ValueError, IndexError) as error:
        message = (
            f"X has shape {columns.shape} and yi has shape {shape}; "
            f"allowed: {shape[-1:]}, ({shape[-1]}, p) or ({', '.join(map(str, shape))}, p)"
        )
        raise ArgumentError(message) from error
    p = columns.shape[-1]
    labels = tuple(f"x{i + 1}" for i in range(p)) if names is None else tuple(names)
    if isinstance(names, str) or len(labels) != p:
        message = f"names={names!r} is not usable; allowed: {p} names, one per column of X"
        raise ArgumentError(message)
    if add_intercept:
        columns = np.concatenate([np.ones((*columns.shape[:-1], 1)), columns], axis=-1)
        labels = ("intercept", *labels)
    if not labels:
        message = "X has no column and add_intercept=False; allowed: at least one coefficient"
        raise ArgumentError(message)
    return columns, labels


def _refuse_collinear(design: FloatArray, rows: IntArray, labels: tuple[str, ...]) -> None:
    size = np.abs(design).max(axis=1, keepdims=True)
    rank = np.linalg.matrix_rank(design / np.where(size > 0.0, size, 1.0))
    poor = np.flatnonzero(rank < design.shape[2])
    if poor.size:
        message = (
            f"X has rank {rank[poor[0]]} for {design.shape[2]} coefficients "
            f"({', '.join(labels)}) in set {rows[poor[0]]}; allowed: columns of which none is a "
            "combination of the others"
        )
        raise ArgumentError(message)


def _undefined(sets: int, p: int) -> dict[str, FloatArray]:
    """Return every number of a result as NaN."""
    columns = ("coefficients", "se", "statistic", "p_value", "ci_low", "ci_high")
    single = ("tau2", "tau2_ci_low", "tau2_ci_high", "qe", "qe_pvalue", "qm", "qm_pvalue")
    numbers: dict[str, FloatArray] = {name: np.full((sets, p), np.nan) for name in columns}
    numbers |= {name: np.full(sets, np.nan) for name in (*single, "r2_pct")}
    return {**numbers, "covariance": np.full((sets, p, p), np.nan)}


def _explained(y: FloatArray, v: FloatArray, tau2: FloatArray, method: str) -> FloatArray:
    """Percent of the tau2 of the model without covariates that is gone with them."""
    without = tau2_estimate(y, v, method=method)
    positive = without > 0.0
    share = 1.0 - tau2 / np.where(positive, without, 1.0)
    return np.where(positive, 100.0 * np.maximum(share, 0.0), np.nan)
