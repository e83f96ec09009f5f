"""Meta-regression: whether a covariate explains differences between trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, chdtri, fdtrc, ndtr, ndtri, stdtr, stdtrit

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    FloatArray,
    FrozenRecord,
    IntArray,
    Settings,
    effects_and_variances,
    numbers,
)
from ldn_meta.stats.tau2 import (
    Likelihood,
    Score,
    climb,
    global_maximum,
    rows_of,
    tau2_estimate,
    total,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Contrasts:
    """What m sets of n trials say once p coefficients are removed.

    With an orthonormal basis K of what X cannot explain, K'VK = U diag(d) U' and z = U'K'y, the
    generalised Q is sum z^2 / (d + t), tr(P) is sum 1 / (d + t), and REML is the likelihood of z:
    after one decomposition every tau2 costs a sum.
    """

    d: FloatArray
    c: FloatArray
    v: FloatArray

    def q(self, rows: IntArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the generalised Q at t and minus its derivative, each (n,)."""
        w = 1.0 / (self.d.take(rows, axis=1) + t)
        z2w = self.c.take(rows, axis=1) * w
        return total(z2w), total(z2w * w)

    def likelihood(self, *, restricted: bool) -> Likelihood:
        """Describe the (restricted) likelihood for the global search.

        Its bounds are those of `ldn_meta.stats.tau2.normal_likelihood` with n - p for k - 1.
        """
        variances = self.d if restricted else self.v
        floor = self.v.min(axis=0)
        mean_square = total(self.c) / variances.shape[0]
        span = self.v.max(axis=0) - floor

        def score(rows: IntArray, t: FloatArray) -> Score:
            w = 1.0 / (self.d.take(rows, axis=1) + t)
            z2w2 = self.c.take(rows, axis=1) * (w * w)
            u = w if restricted else 1.0 / (variances.take(rows, axis=1) + t)
            return Score(
                np.array([t, total(z2w2), total(u), -2.0 * total(z2w2 * w), -total(u * u)])
            )

        def deviance(rows: IntArray, t: FloatArray) -> FloatArray:
            return total(np.log(variances.take(rows, axis=1) + t)) + self.q(rows, t)[0]

        ceiling = 0.5 * (mean_square + np.sqrt(mean_square) * np.sqrt(mean_square + 4.0 * span))
        return Likelihood(floor=floor, ceiling=ceiling, score=score, deviance=deviance)


def contrasts_of(y: FloatArray, v: FloatArray, design: FloatArray) -> Contrasts:
    """Decompose y, v (m, n) with covariates (m, n, p)."""
    basis = np.linalg.qr(design, mode="complete")[0][:, :, design.shape[2] :]
    d, u = np.linalg.eigh(np.einsum("mni,mn,mnj->mij", basis, v, basis, optimize=True))
    z = np.einsum("mij,mni,mn->mj", u, basis, y, optimize=True)
    # Every d lies between the smallest and the largest variance; rounding must not undo that.
    bounded = np.clip(d, v.min(axis=1, keepdims=True), v.max(axis=1, keepdims=True))
    return Contrasts(
        d=np.ascontiguousarray(bounded.T), c=np.ascontiguousarray((z * z).T), v=v.T.copy()
    )


def residual_tau2(
    contrasts: Contrasts, y: FloatArray, method: str
) -> tuple[FloatArray, BoolArray]:
    """Estimate tau2 around the regression; formulas of `tau2_estimate` with n - p for k - 1."""
    n, m = contrasts.v.shape
    df = n - (n - contrasts.d.shape[0])
    zero, every = np.zeros(m), np.arange(m)
    one_maximum = np.zeros(m, dtype=np.bool_)
    if method == "common":
        return zero, one_maximum
    if method in ("ml", "reml"):
        likelihood = contrasts.likelihood(restricted=method == "reml")
        return global_maximum(likelihood, method=method)
    if method in ("pm", "eb"):
        floor = contrasts.v.min(axis=0)
        target = np.full(m, float(df))
        return climb(contrasts.q, zero, target, floor=floor, method=method), one_maximum
    if method == "dl":
        raw = (contrasts.q(every, zero)[0] - df) / total(1.0 / contrasts.d)
    elif method == "hs":
        raw = (contrasts.q(every, zero)[0] - n) / total(1.0 / contrasts.v)
    elif method == "he":
        raw = (total(contrasts.c) - total(contrasts.d)) / df
    else:
        start = y.var(axis=1)
        raw = start * contrasts.q(every, start)[0] / df
    return np.maximum(raw, 0.0), one_maximum


def fit(
    y: FloatArray, v: FloatArray, design: FloatArray, settings: Settings, *, tested: IntArray
) -> tuple[dict[str, FloatArray], BoolArray]:
    """Fit m sets of exactly n > p trials each."""
    m, n, p = design.shape
    df = n - p
    every = np.arange(m)
    # A power of 4 near the smallest variance keeps every intermediate number in range.
    root = np.ldexp(1.0, (np.frexp(v.min(axis=1))[1] - 1) >> 1)
    scale = root * root
    ys, vs = y / root[:, None], v / scale[:, None]
    contrasts = contrasts_of(ys, vs, design)
    tau2, several = residual_tau2(contrasts, ys, settings.tau2_method)
    coefficients, unscaled = _least_squares(ys, 1.0 / np.sqrt(vs + tau2[:, None]), design)
    scatter = contrasts.q(every, tau2)[0] / df
    factor = np.ones(m)
    if settings.ci_method == "knapp-hartung":
        factor = np.where(scatter > 0.0, scatter, np.nan)
    elif settings.ci_method == "knapp-hartung-floored":
        factor = np.maximum(scatter, 1.0)
    coefficients *= root[:, None]
    covariance = unscaled * (factor * scale)[:, None, None]
    se = np.sqrt(np.einsum("mii->mi", covariance))
    statistic = coefficients / se
    tail = 0.5 + 0.5 * settings.level
    if settings.uses_t:
        quantile, p_value = float(stdtrit(df, tail)), 2.0 * stdtr(df, -np.abs(statistic))
    else:
        quantile, p_value = float(ndtri(tail)), 2.0 * ndtr(-np.abs(statistic))
    qm, qm_pvalue = _joint_test(coefficients, covariance, tested, df, settings.uses_t)
    qe = contrasts.q(every, np.zeros(m))[0]
    low, high = (
        climb(
            contrasts.q,
            np.zeros(m),
            np.full(m, chdtri(df, probability)),
            floor=contrasts.v.min(axis=0),
            method="Q-profile interval",
        )
        for probability in (1.0 - tail, tail)
    )
    numbers = {
        "coefficients": coefficients,
        "se": se,
        "statistic": statistic,
        "p_value": p_value,
        "ci_low": coefficients - quantile * se,
        "ci_high": coefficients + quantile * se,
        "covariance": covariance,
        "tau2": tau2 * scale,
        "tau2_ci_low": low * scale,
        "tau2_ci_high": high * scale,
        "qe": qe,
        "qe_pvalue": chdtrc(df, qe),
        "qm": qm,
        "qm_pvalue": qm_pvalue,
    }
    return numbers, several


def _least_squares(
    y: FloatArray, sqrt_w: FloatArray, design: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (m, p) and (X'WX)^-1 (m, p, p) by a QR decomposition."""
    # Columns of very different size (a year beside a dose) are brought to one.
    size = np.abs(design).max(axis=1)
    q, r = np.linalg.qr(sqrt_w[:, :, None] * (design / size[:, None, :]))
    inverse = np.linalg.inv(r) / size[:, :, None]
    coefficients = np.einsum("mij,mnj,mn->mi", inverse, q, sqrt_w * y, optimize=True)
    return coefficients, inverse @ inverse.transpose(0, 2, 1)


def _joint_test(
    coefficients: FloatArray, covariance: FloatArray, tested: IntArray, df: int, uses_t: bool
) -> tuple[FloatArray, FloatArray]:
    """Test that the coefficients `tested` are all 0: chi-squared, or F on df."""
    b, sigma = coefficients[:, tested], covariance[:, tested[:, None], tested]
    number = tested.size
    if number == 0:
        nothing = np.full(b.shape[0], np.nan)
        return nothing, nothing.copy()
    # In standard units, so that covariates of very different size stay well conditioned.
    se = np.sqrt(np.einsum("mii->mi", sigma))
    correlation = sigma / (se[:, :, None] * se[:, None, :])
    z = b / se
    qm = np.einsum("mi,mi->m", z, np.linalg.solve(correlation, z[:, :, None])[:, :, 0])
    if uses_t:
        qm = qm / number
        return qm, fdtrc(number, df, qm)
    return qm, chdtrc(number, qm)


@dataclass(frozen=True, eq=False, repr=False)
class RegressionResult(FrozenRecord):
    """A meta-regression: floats and (p,) arrays for one set, with leading axes for a batch."""

    k: int | IntArray
    names: tuple[str, ...]
    tau2_method: str
    ci_method: str
    level: float
    coefficients: FloatArray
    se: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    covariance: FloatArray
    df: int | IntArray
    tau2: float | FloatArray
    tau2_ci_low: float | FloatArray
    tau2_ci_high: float | FloatArray
    qe: float | FloatArray
    qe_pvalue: float | FloatArray
    qm: float | FloatArray
    qm_df: int
    qm_pvalue: float | FloatArray
    r2_pct: float | FloatArray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: coefficients with intervals, spread, settings."""
        settings = f"{self.tau2_method}, {self.ci_method}"
        if isinstance(self.tau2, np.ndarray):
            return f"RegressionResult(batch of shape {self.tau2.shape}, {settings})"
        terms = ", ".join(
            f"{name}={value:.4g} [{low:.4g}, {high:.4g}]"
            for name, value, low, high in zip(
                self.names, self.coefficients, self.ci_low, self.ci_high, strict=True
            )
        )
        return f"RegressionResult(k={self.k}, {terms}, tau2={self.tau2:.4g}, {settings})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coefficient (one set only)."""
        import pandas as pd

        if isinstance(self.tau2, np.ndarray):
            message = "to_frame of a batch of regressions; allowed: the result of one set"
            raise ArgumentError(message)
        columns = ("coefficients", "se", "statistic", "p_value", "ci_low", "ci_high")
        return pd.DataFrame(
            {name: getattr(self, name) for name in columns},
            index=pd.Index(self.names, name="coefficient"),
        )


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
    columns = numbers("X", covariates)
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
