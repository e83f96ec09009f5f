"""Whether a covariate explains differences between trials: meta-regression, and subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, chdtri, fdtrc, ndtr, ndtri, stdtr, stdtrit

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    MEASURES,
    PI_METHODS,
    READ_AS,
    BoolArray,
    FloatArray,
    FrozenRecord,
    IntArray,
    Labels,
    Settings,
    Transformed,
    WithMeasure,
    column,
    defined,
    doubts,
    effects_and_variances,
    from_data,
    html_list,
    html_table,
    is_missing,
    known_measure,
    numbers,
    one_of,
    told,
    trial_labels,
    yes_or_no,
)
from ldn_meta.stats.pool import INTERVAL_NAMES, METHOD_NAMES, SENTENCES, PooledResult, pool
from ldn_meta.stats.tau2 import (
    Likelihood,
    Score,
    climb,
    global_maximum,
    highest_root,
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

    @property
    def df(self) -> int:
        """Return n - p."""
        return int(self.d.shape[0])

    @property
    def floor(self) -> FloatArray:
        """Return the smallest variance of each set."""
        return np.asarray(self.v.min(axis=0))

    def precision(self) -> FloatArray:
        """Return sum 1 / v of each set."""
        return total(1.0 / self.v)

    def trace(self) -> FloatArray:
        """Return tr(P) of each set at tau2 = 0."""
        return total(1.0 / self.d)

    def unweighted(self) -> tuple[FloatArray, FloatArray]:
        """Return what is left of the squares of y, and of the variances, without weights."""
        return total(self.c), total(self.d)

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

        ceiling = highest_root(mean_square, span)
        return Likelihood(floor=floor, ceiling=ceiling, score=score, deviance=deviance)


# Sets of more trials are not decomposed: K is a matrix of trials by trials.
MOST_DECOMPOSED = 200


@dataclass(frozen=True)
class Projections:
    """What `Contrasts` tell, for sets of many trials: memory grows with the trials.

    With W = diag(w), w = 1 / (v + t), and an orthonormal basis B (n, p) of sqrt(W) X,
    P = sqrt(W) (I - BB') sqrt(W), made anew at every tau2: y'Py, y'P^2y, y'P^3y, tr(P) and tr(P^2)
    are sums over trials and over matrices (p, p). tr(P) = sum w (1 - h) loses digits where one
    trial outweighs all others together; contrasts do not.
    """

    y: FloatArray
    v: FloatArray
    design: FloatArray

    @property
    def df(self) -> int:
        """Return n - p."""
        return int(self.design.shape[1] - self.design.shape[2])

    @property
    def floor(self) -> FloatArray:
        """Return the smallest variance of each set."""
        return np.asarray(self.v.min(axis=1))

    def precision(self) -> FloatArray:
        """Return sum 1 / v of each set."""
        return np.asarray((1.0 / self.v).sum(axis=1))

    def trace(self) -> FloatArray:
        """Return tr(P) of each set at tau2 = 0."""
        return np.asarray(self._all(np.arange(len(self.v)), np.zeros(len(self.v)))[3])

    def unweighted(self) -> tuple[FloatArray, FloatArray]:
        """Return what is left of the squares of y, and of the variances, without weights."""
        basis = np.linalg.qr(self.design)[0]
        explained = np.einsum("mnp,mn->mp", basis, self.y)
        left = self.y - np.einsum("mnp,mp->mn", basis, explained)
        share = 1.0 - np.einsum("mnp,mnp->mn", basis, basis)
        return np.einsum("mn,mn->m", left, left), np.einsum("mn,mn->m", self.v, share)

    def q(self, rows: IntArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the generalised Q at t and minus its derivative, each (n,)."""
        found = self._all(rows, t)
        return found[0], found[1]

    def likelihood(self, *, restricted: bool) -> Likelihood:
        """Describe the (restricted) likelihood for the global search, as `Contrasts` do."""
        span = self.v.max(axis=1) - self.floor
        mean_square = self.unweighted()[0] / (self.df if restricted else self.v.shape[1])

        def score(rows: IntArray, t: FloatArray) -> Score:
            _, n, cube, trace, square, precision, precisions, *_ = self._all(rows, t)
            d, slope = (trace, square) if restricted else (precision, precisions)
            return Score(np.array([t, n, d, -2.0 * cube, -slope]))

        def deviance(rows: IntArray, t: FloatArray) -> FloatArray:
            found = self._all(rows, t)
            return np.asarray(found[0] + found[7] + (found[8] if restricted else 0.0))

        ceiling = highest_root(mean_square, span)
        return Likelihood(floor=self.floor, ceiling=ceiling, score=score, deviance=deviance)

    def _all(self, rows: IntArray, t: FloatArray) -> FloatArray:
        found = [self._at(row, tau2) for row, tau2 in zip(rows, t, strict=True)]
        return np.array(found).reshape(-1, 9).T

    def _at(self, row: int, t: float) -> tuple[Any, ...]:
        """Return the sums of the class, then sum w, sum w^2, log|V + t| and log|X'WX|."""
        w = 1.0 / (self.v[row] + t)
        root = np.sqrt(w)
        basis, r = np.linalg.qr(root[:, None] * self.design[row])

        def left_of(x: FloatArray) -> FloatArray:
            return np.asarray(x - basis @ (basis.T @ x))

        residual = left_of(root * self.y[row])
        projected = root * residual
        again = left_of(root * projected)
        leverage = np.einsum("np,np->n", basis, basis)
        inner = basis.T @ (w[:, None] * basis)
        return (
            residual @ residual,
            projected @ projected,
            again @ again,
            w @ (1.0 - leverage),
            (w * w) @ (1.0 - 2.0 * leverage) + np.sum(inner * inner),
            w.sum(),
            w @ w,
            -np.log(w).sum(),
            2.0 * np.log(np.abs(np.diag(r))).sum(),
        )


def contrasts_of(y: FloatArray, v: FloatArray, design: FloatArray) -> Contrasts | Projections:
    """Decompose y, v (m, n) with covariates (m, n, p), unless n is large."""
    if y.shape[1] > MOST_DECOMPOSED:
        return Projections(y, v, design)
    basis = np.linalg.qr(design, mode="complete")[0][:, :, design.shape[2] :]
    d, u = np.linalg.eigh(np.einsum("mni,mn,mnj->mij", basis, v, basis, optimize=True))
    z = np.einsum("mij,mni,mn->mj", u, basis, y, optimize=True)
    # Every d lies between the smallest and the largest variance; rounding must not undo that.
    bounded = np.clip(d, v.min(axis=1, keepdims=True), v.max(axis=1, keepdims=True))
    return Contrasts(
        d=np.ascontiguousarray(bounded.T), c=np.ascontiguousarray((z * z).T), v=v.T.copy()
    )


def residual_tau2(
    contrasts: Contrasts | Projections, y: FloatArray, method: str
) -> tuple[FloatArray, BoolArray]:
    """Estimate tau2 around the regression; formulas of `tau2_estimate` with n - p for k - 1."""
    m, n = y.shape
    df = contrasts.df
    zero, every = np.zeros(m), np.arange(m)
    one_maximum = np.zeros(m, dtype=np.bool_)
    if method == "common":
        return zero, one_maximum
    if method in ("ml", "reml"):
        likelihood = contrasts.likelihood(restricted=method == "reml")
        return global_maximum(likelihood, method=method)
    if method in ("pm", "eb"):
        target = np.full(m, float(df))
        found = climb(contrasts.q, zero, target, floor=contrasts.floor, method=method)
        return found, one_maximum
    if method == "dl":
        raw = (contrasts.q(every, zero)[0] - df) / contrasts.trace()
    elif method == "hs":
        raw = (contrasts.q(every, zero)[0] - n) / contrasts.precision()
    elif method == "he":
        squares, variances = contrasts.unweighted()
        raw = (squares - variances) / df
    elif method == "sj":
        start = y.var(axis=1)
        raw = start * contrasts.q(every, start)[0] / df
    else:
        message = f"tau2_method={method!r} has no formula around a regression"
        raise ArgumentError(message)
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
            floor=contrasts.floor,
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


_COEFFICIENT = ("coefficients", "se", "statistic", "p_value", "ci_low", "ci_high")
_MODEL = ("k", "tau2", "r2_pct", "qm", "qm_df", "qm_pvalue", "qe", "df", "qe_pvalue")
_PREDICTED = ("estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high")


@dataclass(frozen=True, eq=False)
class Prediction(WithMeasure):
    """What a regression expects at m points: the mean of true effects, and a new trial's own."""

    X: FloatArray
    names: tuple[str, ...]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    level: float
    notes: tuple[str, ...]
    measure: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point: its covariates, estimate, SE and both intervals."""
        import pandas as pd

        points = dict(zip(self.names, self.X.T, strict=True))
        return pd.DataFrame(points | {name: getattr(self, name) for name in _PREDICTED})

    def _told(self) -> tuple[list[tuple[str, str]], pd.DataFrame]:
        return [("measure", self.measure or "not named"), ("level", f"{self.level:g}")], (
            self.to_frame()
        )

    def _repr_html_(self) -> str:
        """Return the points as a table, notes below."""
        table = self.to_frame().to_html(index=False, border=0, float_format="{:.4g}".format)
        return f"{table}{html_list(self.notes)}"


@dataclass(frozen=True, eq=False, repr=False)
class RegressionResult(FrozenRecord):
    """A meta-regression: floats and (p,) arrays for one set, with leading axes for a batch.

    `yi`, `vi`, `labels` and the columns of `design` are the trials as given, intercept first if it
    was added. `qm` tests that all coefficients but the intercept are 0, `qe` that nothing is left
    between trials; `r2_pct` is how much of tau2 is gone.
    """

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
    yi: FloatArray
    vi: FloatArray
    design: FloatArray
    add_intercept: bool
    notes: tuple[str, ...]
    measure: str = ""
    labels: tuple[str, ...] = ()

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
        tests = ", ".join(f"{name}: {shown}" for name, shown in self._tests())
        measure = f"{self.measure}, " if self.measure else ""
        return f"RegressionResult({measure}k={self.k}, {terms}, {tests}, {settings})"

    def _tests(self) -> list[tuple[str, str]]:
        """Name and write what is left between trials, what is gone, and both tests."""
        is_f = self.ci_method != "wald"
        df = f"{self.qm_df} and {self.df}" if is_f else f"{self.qm_df}"
        shown = [
            ("tau2", f"{self.tau2:.4g}"),
            ("R2", f"{self.r2_pct:.0f}%"),
            (f"{'F' if is_f else 'QM'} ({df} df)", f"{self.qm:.4g}, p = {self.qm_pvalue:.3g}"),
            (f"QE ({self.df} df)", f"{self.qe:.4g}, p = {self.qe_pvalue:.3g}"),
        ]
        return [(name, defined(value)) for name, value in shown]

    def _told(self) -> tuple[list[tuple[str, str]], pd.DataFrame]:
        settings = [
            ("measure", self.measure or "not named"),
            ("tau2 method", METHOD_NAMES[self.tau2_method]),
            ("interval", f"{100 * self.level:g}%, {INTERVAL_NAMES[self.ci_method]}"),
            ("trials", str(self.k)),
        ]
        return [*settings, *self._tests()], self.to_frame()[[*_COEFFICIENT]].reset_index()

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coefficient (one set only), tests and tau2 repeated in each."""
        import pandas as pd

        if isinstance(self.tau2, np.ndarray):
            message = "to_frame of a batch of regressions; allowed: the result of one set"
            raise ArgumentError(message)
        return pd.DataFrame(
            {name: getattr(self, name) for name in (*_COEFFICIENT, *_MODEL)},
            index=pd.Index(self.names, name="coefficient"),
        )

    def predict(self, new_x: ArrayLike, *, pi_method: str = "k-1") -> Prediction:
        """Predict the mean true effect at points, and the true effect of a new trial there.

        The mean is x'b with variance x'Sx, S the covariance of the coefficients; quantiles are
        those of `ci_method`. A new trial's effect is spread by tau2 more, with t on k - p df for
        p coefficients (k - p - 1 for "k-2"), whatever `ci_method` is; like that of `pool` it
        needs two of them.

        Parameters
        ----------
        new_x : array_like (m,) or (m, p)
            Points, one a row, without the intercept that was added; with several covariates a
            vector is one point. What has names (a frame, a Series, a dict) is read by them.
        pi_method : str
            k-1 or k-2, as in `ldn_meta.stats.pool.pool`.

        Returns
        -------
        Prediction

        Raises
        ------
        ArgumentError
            For a batch, or if `new_x` has not one column per covariate.

        Notes
        -----
        Raudenbush 2009, in Cooper and others, The Handbook of Research Synthesis, chapter 16;
        metafor's predict(fit, newmods), which takes normal quantiles for both under test "z".
        """
        if isinstance(self.tau2, np.ndarray):
            message = "predict of a batch of regressions; allowed: the result of one set"
            raise ArgumentError(message)
        freedom = self.df - PI_METHODS.index(one_of("pi_method", pi_method, PI_METHODS))
        names = self.names[self.add_intercept :]
        given = numbers("new_x", _by_name(new_x, names), with_bools=True)
        points = given.reshape(-1, 1) if len(names) == 1 and given.ndim < 2 else given
        points = np.atleast_2d(points)
        if points.ndim != 2 or points.shape[1] != len(names):
            message = (
                f"new_x has shape {given.shape}; allowed: (m, {len(names)}), one column each for "
                f"{', '.join(names) or 'no covariate'}"
            )
            raise ArgumentError(message)
        x = np.hstack([np.ones((len(points), int(self.add_intercept))), points])
        estimate, variance = x @ self.coefficients, ((x @ self.covariance) * x).sum(axis=1)
        tail = 0.5 + 0.5 * self.level
        quantile = float(ndtri(tail) if self.ci_method == "wald" else stdtrit(self.df, tail))
        reach = np.full(len(x), np.nan)
        notes: tuple[str, ...] = ()
        if self.tau2_method == "common" or self.df < 2:
            notes = ("no prediction interval: it needs a random-effects method and 2 df",)
        else:
            reach = float(stdtrit(freedom, tail)) * np.sqrt(self.tau2 + variance)
        notes += tuple(
            f"row {row} lacks a covariate (NaN), so nothing is predicted there"
            for row in np.flatnonzero(np.isnan(points).any(axis=1))
        )
        se = np.sqrt(variance)
        there = self.design[~np.isnan(self.yi) & ~np.isnan(self.design).any(axis=1)]
        outside = np.zeros(len(x), dtype=np.bool_)
        if len(there):
            outside = ((x < there.min(axis=0)) | (x > there.max(axis=0))).any(axis=1)
        return Prediction(
            X=points,
            names=names,
            estimate=estimate,
            se=se,
            ci_low=estimate - quantile * se,
            ci_high=estimate + quantile * se,
            pi_low=estimate - reach,
            pi_high=estimate + reach,
            level=self.level,
            measure=self.measure,
            notes=notes
            + tuple(
                f"row {row} lies beyond the covariates of the trials: extrapolated"
                for row in np.flatnonzero(outside)
            ),
        )


# Below this a regression mostly fits noise (Cochrane Handbook, section 10.11.5.1).
TRIALS_PER_COVARIATE = 10


@from_data("yi", "vi", "X", "labels")
def meta_regression(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    X: ArrayLike | None = None,  # noqa: N803 - the name every regression has for it
    *,
    data: Any = None,
    x: str | Sequence[str] | None = None,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    level: float = 0.95,
    add_intercept: bool = True,
    names: Sequence[str] | None = None,
    measure: str = "",
    labels: Labels = None,
) -> RegressionResult:
    """Regress effects on covariates of the trials, with variance tau2 left between trials.

    The model is yi ~ N(x_i'b, vi + tau2), fitted by weighted least squares. REML and ML find the
    global maximum as in `ldn_meta.stats.pool.pool`. Knapp-Hartung multiplies the covariance by
    s2 = sum w r^2 / (k - p) and uses t and F; floored means that s2 is at least 1.

    Parameters
    ----------
    yi, vi : array_like (..., k) or str
        Effects and their sampling variances; NaN marks a missing trial. With `data` the names of
        its columns.
    X : array_like (k,), (k, p) or (..., k, p)
        Covariates, one column each; NaN leaves the trial out. Columns of a data frame keep their
        names, and True and False are 1 and 0: `pandas.get_dummies(table, drop_first=True)` makes
        columns of a factor.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi`, the covariates and `labels` may name columns.
    x : str or sequence of str, optional
        Names of the columns of `data` that are the covariates, in place of `X`.
    tau2_method, ci_method, level
        As in `ldn_meta.stats.pool.pool`.
    add_intercept : bool
        Whether a column of ones is put first. A constant column of `X` counts as the intercept
        too: the joint test leaves it aside.
    names : sequence of str, optional
        Names of the columns of `X`; their own, or "x1", "x2", ..., without.
    measure : str
        Code of the effect measure; what is predicted is read by it.
    labels : sequence, optional
        Names of the trials, (k,).

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
    settings, measure = Settings(tau2_method, ci_method, level), known_measure(measure)
    add_intercept = yes_or_no("add_intercept", add_intercept)
    y, v = effects_and_variances(yi, vi)
    if x is not None and X is None:
        names = [x] if isinstance(x, str) else list(x)
        if not names:
            raise ArgumentError("x is empty; allowed: one or more names of columns of data")
        X = np.column_stack(  # noqa: N806
            [numbers("x", column(data, "x", name), with_bools=True) for name in names]
        )
    elif X is None or x is not None:
        message = "X and x: allowed is one of the two, covariates X or their columns x of data"
        raise ArgumentError(message)
    given, shape = (y, v), y.shape[:-1]
    trials = trial_labels(labels, y.shape[-1])
    columns, names = _design(X, y.shape, add_intercept=add_intercept, names=names)
    k, p = columns.shape[-2:]
    y, v = rows_of(y), rows_of(v)
    design = columns.reshape(*y.shape, p)
    missing = np.isnan(y) | np.isnan(design).any(axis=-1)
    present_first = np.argsort(missing, axis=1, kind="stable")
    count = k - missing.sum(axis=1)
    found = _undefined(len(count), p)
    constant = (np.isnan(design) | (design == design[:, :1, :])).all(axis=(0, 1))
    tested = np.flatnonzero(~constant)
    several = np.zeros(len(count), dtype=np.bool_)
    for n in np.unique(count[count > p]):
        rows = np.flatnonzero(count == n)
        at = rows[:, None], present_first[rows, :n]
        _refuse_collinear(design[at], rows, names)
        part, several[rows] = fit(y[at], v[at], design[at], settings, tested=tested)
        if settings.is_random and 0 < tested.size < p:
            part["r2_pct"] = _explained(y[at], v[at], part["tau2"], settings.tau2_method)
        for name, values in part.items():
            found[name][rows] = values
    whens = {
        "trials without an effect, a variance or a covariate (NaN) were left out": missing.any(1),
        "no more trials than coefficients: nothing was estimated": count <= p,
        f"fewer than {TRIALS_PER_COVARIATE} trials per covariate: exploratory only": (
            (count > p) & (count < TRIALS_PER_COVARIATE * tested.size)
        ),
        "the likelihood of tau2 has more than one maximum; the global one is reported": several,
        f"the {settings.tau2_method} estimate of tau2 is 0": (
            (found["tau2"] == 0.0) & settings.is_random
        ),
    }
    fields: dict[str, Any] = {**found, "k": count, "df": np.maximum(count - p, 0)}
    for name, values in fields.items():
        fields[name] = values.reshape(shape + values.shape[1:])
    if not shape:
        fields = {name: x if x.ndim else x.item() for name, x in fields.items()}
    return RegressionResult(
        **fields,
        names=names,
        tau2_method=settings.tau2_method,
        ci_method=settings.ci_method,
        level=settings.level,
        qm_df=tested.size,
        yi=given[0],
        vi=given[1],
        design=columns,
        add_intercept=add_intercept,
        measure=measure,
        labels=trials,
        notes=settings.notes + told(whens, np.array([*whens.values()])) + doubts(y, v, measure),
    )


def _by_name(new_x: Any, names: Sequence[str]) -> Any:
    """Points in the order of the covariates, where both have names; else as they are."""
    if isinstance(new_x, Mapping):
        given = list(new_x)
    elif hasattr(new_x, "columns"):
        given = list(new_x.columns)
    else:
        # A Series is one point, or several of a single covariate.
        given = list(new_x.index) if hasattr(new_x, "iloc") and len(names) > 1 else []
    is_unnamed = all(name == f"x{place}" for place, name in enumerate(names, 1))
    if not all(isinstance(name, str) for name in given) or not given:
        return new_x
    if set(given) != set(names):
        if is_unnamed and not isinstance(new_x, Mapping):
            return new_x
        message = f"new_x has {', '.join(given)}; allowed: {', '.join(names) or 'no covariate'}"
        raise ArgumentError(message)
    columns = [
        np.atleast_1d(numbers(f"new_x: {name}", new_x[name], with_bools=True)) for name in names
    ]
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def _design(
    covariates: ArrayLike,
    shape: tuple[int, ...],
    *,
    add_intercept: bool,
    names: Sequence[str] | None,
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return covariates (..., k, p) with the intercept first, and names of the p columns."""
    columns = numbers("X", covariates, with_bools=True)
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
    if names is None:
        own = getattr(covariates, "columns", [getattr(covariates, "name", None)])
        own = own if len(own) == p else [None] * p
        names = [f"x{i + 1}" if name is None else str(name) for i, name in enumerate(own)]
    labels = trial_labels(names, p, name="names", each="column of X")
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
    single = ("tau2", "tau2_ci_low", "tau2_ci_high", "qe", "qe_pvalue", "qm", "qm_pvalue")
    numbers: dict[str, FloatArray] = {name: np.full((sets, p), np.nan) for name in _COEFFICIENT}
    numbers |= {name: np.full(sets, np.nan) for name in (*single, "r2_pct")}
    return {**numbers, "covariance": np.full((sets, p, p), np.nan)}


def _explained(y: FloatArray, v: FloatArray, tau2: FloatArray, method: str) -> FloatArray:
    """Percent of the tau2 of the model without covariates that is gone with them."""
    without = tau2_estimate(y, v, method=method)
    positive = without > 0.0
    share = 1.0 - tau2 / np.where(positive, without, 1.0)
    return np.where(positive, 100.0 * np.maximum(share, 0.0), np.nan)


TAU2_OF_SUBGROUPS = ("separate", "common")


@dataclass(frozen=True, eq=False, repr=False)
class SubgroupResult(FrozenRecord):
    """Pools of subgroups of trials, the pool of all, and the test between the subgroups.

    Attributes
    ----------
    names : tuple of str
        The subgroups, in the order of `groups`, or as they first occur.
    pools : tuple of PooledResult
        One a subgroup. Under a common tau2, estimate, interval and tau2 are those of the common
        model, while Q and I2 are of the subgroup alone.
    by : tuple of str
        The subgroup of each trial, in the order given.
    overall : PooledResult
        All trials pooled as if there were no subgroups.
    tau2 : str
        "separate" or "common": one tau2 for each subgroup or one for all.
    q_between, q_between_df, q_between_pvalue : float
        Test of equal means: chi-squared, or F where `q_between_df_residual` is finite.
    q_between_df_residual : float
        Second df of F: trials less subgroups, under a common tau2 with Knapp-Hartung; else
        infinite.
    notes : tuple of str
        One sentence per automatic decision, and what the test cannot tell.
    """

    names: tuple[str, ...]
    pools: tuple[PooledResult, ...]
    by: tuple[str, ...]
    overall: PooledResult
    tau2: str
    q_between: float
    q_between_df: int
    q_between_df_residual: float
    q_between_pvalue: float
    notes: tuple[str, ...]

    def transformed(self, *, n: ArrayLike | None = None) -> Transformed:
        """Return the subgroups, then all trials, as readers know them: arrays (G + 1,)."""
        known = [one.transformed(n=n) for _, one in self._rows()]
        return Transformed(known[0].quantity, *map(np.array, list(zip(*known, strict=True))[1:]))

    def _told(self) -> tuple[list[tuple[str, str]], pd.DataFrame]:
        test, _, shown = self.test_words.partition(": ")
        columns = ["subgroup", "k", *_PREDICTED[:4], "tau2", "i2_pct"]
        if self.overall._is_told_twice:
            columns += [f"transformed_{name}" for name in ("estimate", "ci_low", "ci_high")]
        return [*self._settings(), (test, shown)], self.to_frame()[columns]

    def __getitem__(self, name: str) -> PooledResult:
        """Return the pool of a subgroup."""
        return self.pools[self.names.index(one_of("subgroup", name, self.names))]

    @property
    def test_words(self) -> str:
        """The test between the subgroups in one line."""
        if np.isnan(self.q_between):
            return "test between subgroups: not defined"
        name, df = "Q", f"{self.q_between_df} df"
        if np.isfinite(self.q_between_df_residual):
            name, df = "F", f"{self.q_between_df} and {self.q_between_df_residual:g} df"
        return (
            f"test between subgroups: {name} = {self.q_between:.4g} on {df}, "
            f"p = {self.q_between_pvalue:.3g}"
        )

    def _rows(self) -> list[tuple[str, PooledResult]]:
        return [*zip(self.names, self.pools, strict=True), ("overall", self.overall)]

    def __repr__(self) -> str:
        """Return one line: each subgroup, the test, settings."""
        groups = "; ".join(f"{name} k={one.k}, {one._in_brackets()}" for name, one in self._rows())
        measure = f"{self.overall.measure}, " if self.overall.measure else ""
        return (
            f"SubgroupResult({measure}{groups}; {self.test_words}; {self.tau2} tau2, "
            f"{self.overall.tau2_method}, {self.overall.ci_method})"
        )

    def _settings(self) -> list[tuple[str, str]]:
        return [
            ("measure", self.overall.measure or "not named"),
            ("tau2", f"{self.tau2}, {METHOD_NAMES[self.overall.tau2_method]}"),
            ("interval", f"{self.overall._percent}, {INTERVAL_NAMES[self.overall.ci_method]}"),
        ]

    def _repr_html_(self) -> str:
        """Return settings above a row per subgroup, the test and the notes below."""
        percent = self.overall._percent
        known = self.overall.transformed().quantity
        is_twice = self.overall._is_told_twice
        rows = []
        for name, one in self._rows():
            spans: list[Any] = [one, one.transformed()] if is_twice else [one]
            cells = [f"{x.estimate:.4g} ({x.ci_low:.4g} to {x.ci_high:.4g})" for x in spans]
            cells += [f"{one.tau2:.4g}", f"{one.i2_pct:.0f}%"]
            rows.append([name, str(one.k), *(defined(cell) for cell in cells)])
        called = [MEASURES[self.overall.measure].analysed, known] if is_twice else [known]
        effects = [f"{name} ({percent} CI)" for name in called]
        head = ("subgroup", "trials", *effects, "tau2", "I2 (Q-based)")
        return (
            f'<div class="ldn-meta-subgroups">{html_table(self._settings())}'
            f"{html_table(rows, head=head)}"
            f"<p>{escape(self.test_words)}</p>{html_list(self.notes)}</div>"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per subgroup and one for all trials, the test repeated in each."""
        import pandas as pd

        table = pd.concat([one.to_frame() for _, one in self._rows()], ignore_index=True)
        table.insert(0, "subgroup", [name for name, _ in self._rows()])
        test = ("q_between", "q_between_df", "q_between_df_residual", "q_between_pvalue")
        return table.assign(**{name: getattr(self, name) for name in test})


@from_data("yi", "vi", "by", "labels")
def subgroups(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    by: Sequence[object],
    tau2: str = "separate",
    groups: Sequence[str] | None = None,
    labels: Labels = None,
    measure: str = "",
    **options: Any,
) -> SubgroupResult:
    """Pool subgroups of trials, and test whether their means differ.

    ========  ==================================================================================
    separate  each subgroup is a pool of its own; Q_between = sum (m_g - m)^2 / se_g^2 on G - 1 df,
              m the mean of the G estimates weighted by 1 / se_g^2, se_g taken as known
    common    one tau2 around the means of all subgroups, as a meta-regression on the subgroup;
              the test is its QM on G - 1 df, or F on G - 1 and k - G with Knapp-Hartung
    ========  ==================================================================================

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and their sampling variances; NaN marks a missing trial.
    by : sequence (k,)
        The subgroup of each trial; none may be missing.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi`, `by` and `labels` may be given as names of columns.
    tau2 : str
        separate or common.
    groups : sequence of str, optional
        The subgroups in the order wanted; one that has no trial is kept. As they first occur
        without.
    labels : sequence, optional
        Names of the trials, (k,).
    measure : str
        Code of the effect measure.
    **options
        tau2_method, ci_method, level, pi_method: as in `ldn_meta.stats.pool.pool`.

    Returns
    -------
    SubgroupResult

    Raises
    ------
    ArgumentError
        If a trial has no subgroup, or an option or array is not usable.

    Notes
    -----
    Borenstein and others 2009, Introduction to Meta-Analysis, chapter 19: separate is their
    "Q-test based on analysis of variance" over the estimates, common their pooled tau2; metafor
    rma(estimates, sei = se, mods = ~ factor, method = "FE") and rma(yi, vi, mods = ~ factor).

    Examples
    --------
    >>> subgroups([0.1, 0.3, 0.8, 1.0], [0.04] * 4, by=["a", "a", "b", "b"], tau2_method="common",
    ...     ci_method="wald").test_words
    'test between subgroups: Q = 12.25 on 1 df, p = 0.000465'
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    one_of("tau2", tau2, TAU2_OF_SUBGROUPS)
    trials = trial_labels(labels, y.size)
    member, names = _members(by, groups, y.size)
    options["measure"] = known_measure(measure)
    overall = pool(y, v, labels=trials, **options)
    pools = []
    for name in names:
        inside = np.flatnonzero(member == name)
        pools.append(pool(y[inside], v[inside], labels=[trials[i] for i in inside], **options))
    residual = np.inf
    if tau2 == "separate":
        known = [one for one in pools if np.isfinite(one.se)]
        between = pool(
            np.array([one.estimate for one in known]),
            np.array([one.se for one in known]) ** 2,
            tau2_method="common",
            ci_method="wald",
        )
        test = between.q, between.q_df, between.q_pvalue
    else:
        present = np.array([name for name, one in zip(names, pools, strict=True) if one.k])
        if present.size:
            columns = (member[:, None] == present).astype(np.float64)
            fit = meta_regression(y, v, columns[:, 1:], **_settings_of(overall))
            test = fit.qm, fit.qm_df, fit.qm_pvalue
            residual = float(fit.df) if overall.ci_method != "wald" else np.inf
            pools = _with_common_tau2(y, v, columns, pools)
        else:
            test = np.nan, 0, np.nan
    return SubgroupResult(
        names=names,
        pools=tuple(pools),
        by=tuple(member),
        overall=overall,
        tau2=tau2,
        q_between=float(test[0]),
        q_between_df=int(test[1]),
        q_between_df_residual=residual,
        q_between_pvalue=float(test[2]),
        notes=tuple(note for note in overall.notes if READ_AS in note)
        + _said_of(names, pools, int(overall.k), tau2),
    )


def _members(by: Any, groups: Any, k: int) -> tuple[Any, tuple[str, ...]]:
    """Return the subgroup of each trial (k,) as text, and the subgroups in order."""
    given = [] if isinstance(by, str) or not np.iterable(by) else [str(one) for one in by]
    if len(given) != k or getattr(by, "ndim", 1) != 1:
        message = f"by={by!r} is not usable; allowed: {k} subgroups, one per trial"
        raise ArgumentError(message)
    for place, name in enumerate(given):
        if not name or is_missing(name):
            message = f"by[{place}]={name!r} is no subgroup; allowed: a name for every trial"
            raise ArgumentError(message)
    if groups is not None and (isinstance(groups, str) or not np.iterable(groups)):
        message = f"groups={groups!r} is not usable; allowed: names, every subgroup of by"
        raise ArgumentError(message)
    names = given if groups is None else [str(name) for name in groups]
    strange = sorted(set(given) - set(names))
    if strange:
        message = f"groups={groups!r} lacks {strange[0]!r}; allowed: every subgroup of by"
        raise ArgumentError(message)
    return np.array(given, dtype=object), tuple(dict.fromkeys(names))


def _settings_of(result: PooledResult) -> dict[str, Any]:
    return {name: getattr(result, name) for name in ("tau2_method", "ci_method", "level")}


class _OfOneModel(PooledResult):
    """A subgroup in a model of all; what is of that model's likelihood is not told of it."""

    tau2_se = np.nan
    log_likelihood = np.nan


def _with_common_tau2(
    y: FloatArray, v: FloatArray, columns: FloatArray, pools: Sequence[PooledResult]
) -> list[PooledResult]:
    """Give every pool with a trial what the regression on its column (k, g) says of it."""
    settings = _settings_of(pools[0])
    fit = meta_regression(y, v, columns, add_intercept=False, **settings)
    at = fit.predict(np.eye(len(fit.names)), pi_method=pools[0].pi_method)
    found: list[PooledResult] = []
    column = 0
    for one in pools:
        if not one.k:
            found.append(one)
            continue
        w, precise = 1.0 / (one.vi + fit.tau2), 1.0 / one.vi
        # tau2 over tau2 plus the typical variance of a trial, (k - 1) / tr(P).
        spread = fit.tau2 * (np.nansum(precise) - np.nansum(precise**2) / np.nansum(precise))
        share = 100.0 * spread / (spread + one.k - 1) if one.k > 1 else np.nan
        own = replace(
            one,
            **{name: getattr(fit, name)[column].item() for name in ("statistic", "p_value")},
            **{name: getattr(at, name)[column].item() for name in _PREDICTED},
            **{name: getattr(fit, name) for name in ("tau2", "tau2_ci_low", "tau2_ci_high")},
            i2_tau2_pct=float(share) if settings["tau2_method"] != "common" else one.i2_tau2_pct,
            weight_pct=100.0 * w / np.nansum(w),
            notes=(
                *(note for note in one.notes if note == SENTENCES["missing"]),
                "tau2 and the standard error are those of one model of all subgroups",
            ),
        )
        found.append(_OfOneModel(**vars(own)))
        column += 1
    return found


def _said_of(
    names: Sequence[str], pools: Sequence[PooledResult], k: int, tau2: str
) -> tuple[str, ...]:
    """Say which subgroups are too small, and what the test cannot tell."""
    sizes = dict(zip(names, (int(one.k) for one in pools), strict=True))
    missing = any(SENTENCES["missing"] in one.notes for one in pools)
    notes = [SENTENCES["missing"]] if missing else []
    notes += [
        f"no trial of subgroup {name} has an effect: it takes no part in the test"
        for name, size in sizes.items()
        if size == 0
    ]
    if tau2 == "separate":
        notes += [
            f"one trial in subgroup {name}: its tau2 is undefined, and the test takes it as 0"
            for name, size in sizes.items()
            if size == 1
        ]
    compared = sum(size > 0 for size in sizes.values())
    if compared < 2:
        return (*notes, "fewer than two subgroups have a trial: there is nothing to compare")
    if tau2 == "common" and k <= compared:
        notes.append("no more trials than subgroups: a common tau2 is not defined")
    if k < TRIALS_PER_COVARIATE * (compared - 1):
        counted = ", ".join(f"{name} {size}" for name, size in sizes.items())
        notes.append(
            f"{k} trials in {compared} subgroups ({counted}) are fewer than "
            f"{TRIALS_PER_COVARIATE} for each comparison: too few to show a difference between "
            "subgroups or to rule one out"
            + ("; p takes their standard errors as known" if tau2 == "separate" else "")
        )
    return tuple(notes)
