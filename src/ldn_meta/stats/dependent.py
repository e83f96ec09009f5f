"""Effects that share people: several outcomes, times, doses or comparisons of one trial.

What their sampling errors have in common goes into a matrix (`shared_control`,
`covariance_block`), and `pool_dependent` pools with it. Where people came in clusters,
`design_effect` says how many of them count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    EffectSize,
    FloatArray,
    FloatOrArray,
    IntArray,
    Labels,
    PoolRecord,
    checked,
    column,
    confidence_level,
    doubts,
    effects_and_variances,
    from_data,
    is_missing,
    known_measure,
    numbers,
    one_number,
    one_of,
    p_from_statistic,
    plain,
    trial_labels,
    two_sided_quantile,
    yes_or_no,
)
from ldn_meta.stats.effects import EFFECT_CODES, corrected_table, effect_size, hedges_correction

# Beside numbers of one size, a difference this small is rounding.
ROUNDING = 1e-10
MAX_STEPS = 100


class DesignEffect(NamedTuple):
    """How many times the variance grows, the standard error grows, and the people that count."""

    factor: FloatOrArray
    se_factor: FloatOrArray
    effective_n: FloatOrArray


def _of_comparator(measure: str, d: Mapping[str, FloatArray]) -> FloatArray:
    """Return what the comparator adds to the variance of an effect."""
    if measure in ("MD", "ROM"):
        return d["sd_2"] ** 2 / d["n_2"] / (d["mean_2"] ** 2 if measure == "ROM" else 1.0)
    if measure == "SMD":
        return 1 / d["n_2"]
    _, _, events, others = corrected_table(d["events_1"], d["n_1"], d["events_2"], d["n_2"])
    if measure == "RD":
        return events * others / (events + others) ** 3
    return 1 / events + (1 / others if measure == "OR" else -1 / (events + others))


SHARED_MEASURES = ("MD", "SMD", "ROM", "RR", "OR", "RD")
SHARED_METHODS = ("covariance", "split")


@from_data("trial")
def shared_control(
    measure: str,
    *,
    trial: Labels,
    method: str = "covariance",
    data: Any = None,
    **values: Any,
) -> EffectSize:
    """Return the effects of arms that share a comparator, with what their errors share.

    covariance  Both effects hold the same comparison group, so they covary by what it adds to
                the variance of each: MD sd_2^2 / n_2, SMD 1 / n_2 + yi yj / (2 N), ROM
                sd_2^2 / (n_2 mean_2^2), RR 1 / events_2 - 1 / n_2, OR 1 / events_2 +
                1 / (n_2 - events_2), RD p_2 (1 - p_2) / n_2.
    split       People and events of the comparison group are divided by the number of effects
                that use it; means and SDs stay. The effects count as independent.

    For SMD by covariance the standard deviation is pooled over all arms of the trial, N are its
    people and J has N less the number of arms; with one arm and comparator this is `effect_size`.

    Parameters
    ----------
    measure : str
        MD, SMD, ROM, RR, OR or RD.
    trial : sequence (k,)
        Which trial each comparison belongs to.
    method : str
        covariance or split.
    data : pandas.DataFrame or mapping, optional
        Table of which `trial` and the arguments below may be given as names of columns.
    **values : float, array_like (k,) or str
        As in `effect_size`, one entry a comparison; those of group 2 repeat within a trial.

    Returns
    -------
    EffectSize
        ``(yi, vi)``, vi the covariance matrix (k, k) that `pool_dependent` takes; NaN where a
        number is missing, and the notes of `effect_size`.

    Raises
    ------
    ArgumentError
        If group 2 differs within a trial, or `effect_size` refuses the data.

    Notes
    -----
    Gleser and Olkin 2009, in Cooper and others (editors), The Handbook of Research Synthesis and
    Meta-Analysis, 2nd edition, chapter 19; Cochrane Handbook 23.3.4 (split).

    Examples
    --------
    >>> yi, vi = shared_control("MD", trial=["a", "a"], mean_1=[4.0, 3.0], sd_1=2.0, n_1=20,
    ...                         mean_2=5.0, sd_2=2.0, n_2=20)
    >>> vi.round(3).tolist()
    [[0.4, 0.2], [0.2, 0.4]]
    """
    one_of("measure", measure, SHARED_MEASURES)
    one_of("method", method, SHARED_METHODS)
    found = effect_size(measure, data=data, **values)
    yi = np.asarray(found.yi)
    if yi.ndim != 1:
        message = f"the data have shape {yi.shape}; allowed: (k,), one entry a comparison"
        raise ArgumentError(message)
    names = EFFECT_CODES[measure].arguments
    if data is not None:
        values |= {name: column(data, name, values[name]) for name in names}
    every = (np.broadcast_to(x, yi.shape) for x in checked(**{n: values[n] for n in names}))
    given: dict[str, Any] = dict(zip(names, every, strict=True))
    codes, trials = _codes("trial", trial, yi.size)
    there = np.asarray(~np.isnan([yi, *given.values()]).any(axis=0))
    of_group_2 = [name for name in names if name.endswith("_2")]
    for code, label in enumerate(trials):
        for name in of_group_2:
            one = np.unique(given[name][there & (codes == code)])
            if one.size > 1:
                message = (
                    f"{name}: {one[0]:g} and {one[1]:g} in trial {label!r}; "
                    "allowed: one comparison group for all effects of a trial"
                )
                raise ArgumentError(message)
    together = codes[:, None] == codes
    if method == "split":
        uses = np.maximum((together & there).sum(axis=1), 1)
        for name in of_group_2:
            if name.startswith(("n_", "events_")):
                given[name] = given[name] / uses
        split = effect_size(measure, **(values | given))
        return EffectSize(split.yi, np.diag(split.vi)).noted(*split.notes)
    root = np.sqrt(_of_comparator(measure, given))
    covariance = np.outer(root, root)
    if measure == "SMD":
        yi, people = _in_sd_of_all_arms(given, together, there)
        covariance += np.outer(yi, yi) / (2 * people)
        variance = 1 / given["n_1"] + 1 / given["n_2"] + yi**2 / (2 * people)
    else:
        variance = np.asarray(found.vi)
    covariance = np.where(together, covariance, 0.0)
    np.fill_diagonal(covariance, variance)
    return EffectSize(yi, covariance).noted(*found.notes)


def _in_sd_of_all_arms(
    d: Mapping[str, FloatArray], together: BoolArray, there: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return g in the SD pooled over all arms of the trial, and the people of the trial."""
    n_1, df_1 = np.where(there, d["n_1"], 0.0), np.where(there, d["n_1"] - 1, 0.0)
    of_arms = together @ np.array([n_1, df_1, np.where(there, df_1 * d["sd_1"] ** 2, 0.0)]).T
    df = of_arms[:, 1] + d["n_2"] - 1
    squares = of_arms[:, 2] + (d["n_2"] - 1) * d["sd_2"] ** 2
    usable = there & (df > 0) & (squares > 0)
    sd = np.sqrt(np.where(usable, squares / np.where(usable, df, 1.0), np.nan))
    g = hedges_correction(df) * (d["mean_1"] - d["mean_2"]) / sd
    return g, of_arms[:, 0] + d["n_2"]


@from_data("vi", "cluster", "outcome", "time")
def covariance_block(
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    cluster: Labels,
    rho: float | None = None,
    outcome: Labels = None,
    time: ArrayLike | None = None,
    phi: float | None = None,
) -> FloatArray:
    """Return the covariance matrix of effects measured in the same people.

    Within a cluster (a trial) cov_ij = r_ij sqrt(vi vj), between clusters 0. r_ij is `rho` for
    every pair; with `outcome`, `rho` for different outcomes and 1 for the same; with `time` it is
    multiplied by phi^|t_i - t_j|, and `rho` may be left out.

    Parameters
    ----------
    vi : array_like (k,)
        Sampling variances.
    cluster : sequence (k,)
        Which trial each effect belongs to.
    rho : float, optional
        Correlation of the sampling errors of two effects; hardly ever reported, so vary it.
    outcome : sequence (k,), optional
        Which outcome each effect is of.
    time : array_like (k,), optional
        When each effect was measured, in the unit that `phi` is for.
    data : pandas.DataFrame or mapping, optional
        Table of which `vi`, `cluster`, `outcome` and `time` may be given as names of columns.
    phi : float, optional
        Correlation of errors one unit of time apart, 0 to 1.

    Returns
    -------
    ndarray (k, k)

    Raises
    ------
    ArgumentError
        If the correlations cannot belong together: two effects of one cluster are the same
        measurement, or the matrix is not positive definite.

    Notes
    -----
    metafor `vcalc(vi, cluster, obs=, time1=, rho=, phi=)`.

    Examples
    --------
    >>> covariance_block([0.04, 0.09], cluster=["a", "a"], rho=0.5).tolist()
    [[0.04, 0.03], [0.03, 0.09]]
    """
    v = numbers("vi", vi, above=0)
    if v.ndim != 1:
        message = f"vi has shape {v.shape}; allowed: (k,)"
        raise ArgumentError(message)
    if rho is None and time is None:
        message = "rho is missing; allowed: a correlation, or time and phi"
        raise ArgumentError(message)
    if (time is None) != (phi is None) or (outcome is not None and rho is None):
        message = "time goes with phi, and outcome with rho; allowed: both of a pair"
        raise ArgumentError(message)
    codes, _ = _codes("cluster", cluster, v.size)
    r = np.ones((v.size, v.size))
    if rho is not None:
        between = _correlation("rho", rho, at_least=-1)
        same = np.eye(v.size, dtype=np.bool_)
        if outcome is not None:
            of, _ = _codes("outcome", outcome, v.size)
            same = of[:, None] == of
        r = np.where(same, 1.0, between)
    if time is not None and phi is not None:
        t = numbers("time", time)
        if t.shape != v.shape:
            message = f"time has shape {t.shape}; allowed: {v.shape}"
            raise ArgumentError(message)
        r = r * _correlation("phi", phi, at_least=0) ** np.abs(t[:, None] - t)
    root = np.sqrt(v)
    covariance = np.where(codes[:, None] == codes, r, 0.0) * np.outer(root, root)
    np.fill_diagonal(covariance, v)
    for rows in _rows_of(codes):
        rows = rows[~np.isnan(v[rows])]
        _decompose("the matrix of vi, rho and phi", covariance[np.ix_(rows, rows)], rows)
    return np.asarray(covariance)


def _correlation(name: str, value: float, *, at_least: float) -> float:
    number = one_number(name, value, at_least=at_least, at_most=1)
    if np.isnan(number):
        message = f"{name}={value!r} is not allowed; allowed: one number"
        raise ArgumentError(message)
    return number


def design_effect(
    n: ArrayLike, cluster_size: ArrayLike, icc: ArrayLike, *, cv: ArrayLike = 0.0
) -> DesignEffect:
    """Return how far people who came in clusters count for less.

    factor = 1 + ((1 + cv^2) M - 1) icc, with M the mean size and cv the coefficient of variation
    of the sizes of clusters; effective_n = n / factor. Divide people and events of each group by
    `factor` (means and SDs stay), or multiply a standard error that ignores the clusters by
    `se_factor`, its root.


    Source: Cochrane Handbook 5.1, 16.3.4 to 16.3.6, and 23.1.4; Eldridge, Ashby and Kerry 2006,
    Int J Epidemiol 35:1292 (unequal sizes).

    Examples
    --------
    >>> found = design_effect([295, 330], 29.8, 0.02)
    >>> print(f"{found.factor[0]:.3f}", found.effective_n.round(1))
    1.576 [187.2 209.4]
    """
    people, size, share, spread = checked(
        n=n,
        cluster_size=numbers("cluster_size", cluster_size, at_least=1),
        icc=numbers("icc", icc, at_least=0, at_most=1),
        cv=numbers("cv", cv, at_least=0),
    )
    factor = 1 + ((1 + spread**2) * size - 1) * share
    return DesignEffect(plain(factor), plain(np.sqrt(factor)), plain(people / factor))


def _codes(name: str, labels: Labels, k: int) -> tuple[IntArray, tuple[str, ...]]:
    """Return for each effect the number of its group, and the groups by first appearance."""
    wrong = ""
    if labels is None or isinstance(labels, str) or not hasattr(labels, "__iter__"):
        wrong = f"{name}={labels!r:.80} is no sequence"
    elif len(named := [str(label) for label in labels]) != k:
        wrong = f"{name} has {len(named)} entries"
    else:
        lost = [i for i, label in enumerate(named) if is_missing(label)]
        wrong = f"{name}[{lost[0]}] is missing" if lost else ""
    if wrong:
        message = f"{wrong}; allowed: {k} labels, one an effect"
        raise ArgumentError(message)
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(label, len(seen)) for label in named], dtype=int), tuple(seen)


def _rows_of(codes: IntArray) -> list[IntArray]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if order.size else []


def _decompose(name: str, block: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return eigenvalues and eigenvectors of a covariance matrix, which are all above 0."""
    variances = block.diagonal()
    root = np.sqrt(variances)
    if rows.size and np.linalg.eigvalsh(block / np.outer(root, root))[0] <= ROUNDING:
        message = (
            f"{name} is not positive definite for effects {', '.join(map(str, rows.tolist()))}; "
            "allowed: correlations that fit together, none of them 1"
        )
        raise ArgumentError(message)
    d, u = np.linalg.eigh(block)
    return np.maximum(d, ROUNDING * variances.min(initial=inf)), u


@dataclass(frozen=True)
class _Model:
    """The restricted likelihood of two variances, from each block V = U diag(d) U'.

    With q = U'1 and z = U'y, (V + s I)^-1 costs sums over 1 / (d + s), and what is shared by a
    cluster is one step of Sherman and Morrison.
    """

    d: FloatArray
    q: FloatArray
    z: FloatArray
    starts: IntArray

    def deviance(self, shared: Any, own: Any) -> Any:
        """Return -2 log of the restricted likelihood, up to a constant; shared may be (m, 1)."""
        w = 1 / (self.d + own)
        # Of each cluster 1'(V + own I)^-1 1, and the same with y.
        a, b = (np.add.reduceat(self.q * x * w, self.starts) for x in (self.q, self.z))
        grown = 1 + shared * a
        precision, weighted = (a / grown).sum(axis=-1), (b / grown).sum(axis=-1)
        squares = (self.z**2 * w).sum() - (shared * b**2 / grown).sum(axis=-1)
        logs = np.log(grown).sum(axis=-1) - np.log(w).sum() + np.log(precision)
        return logs + squares - weighted**2 / precision

    def slope(self, at: FloatArray) -> FloatArray:
        """Return both derivatives of the deviance, by complex steps: exact to rounding."""
        h = 1e-30
        return np.array(
            [
                self.deviance(at[0] + 1j * h, at[1]).imag / h,
                self.deviance(at[0], at[1] + 1j * h).imag / h,
            ]
        )

    def descend(self, start: FloatArray, free: BoolArray, unit: float) -> FloatArray:
        """Return the minimum near `start` of the free variances, none of them negative."""
        at, value = start, float(self.deviance(*start))
        for _ in range(MAX_STEPS):
            slope = self.slope(at)
            moves = np.flatnonzero(free & ((at > 0) | (slope < 0)))
            if moves.size == 0:
                break
            bend = np.empty((2, 2))
            for i in range(2):
                h = np.zeros(2)
                h[i] = 1e-4 * (at[i] + unit)
                bend[i] = (self.slope(at + h) - self.slope(at - h)) / (2 * h[i])
            size, axes = np.linalg.eigh((bend + bend.T)[np.ix_(moves, moves)] / 2)
            size = np.maximum(np.abs(size), 1e-12 * np.abs(size).max() + 1e-300)
            step = np.zeros(2)
            step[moves] = -(axes @ ((axes.T @ slope[moves]) / size))
            for halving in range(60):
                new = np.maximum(at + step * 0.5**halving, 0.0)
                found = float(self.deviance(*new))
                if found <= value + 1e-13 * abs(value):
                    break
            moved, at, value = np.abs(new - at), new, min(value, found)
            if np.all(moved <= 1e-11 * (at + unit)):
                break
        return at

    def minimum(self, free: BoolArray) -> tuple[FloatArray, bool]:
        """Return both variances at the global minimum, and whether there is another minimum."""
        unit = float(self.d.min()) / max(1.0, float(np.diff([*self.starts, self.d.size]).max()))
        spread = float((self.z**2).sum())
        count = int(np.clip(np.log((spread + unit) / unit) / np.log(1.4), 12, 80))
        points = np.concatenate([[0.0], np.geomspace(0.01 * unit, spread + 10 * unit, count)])
        shared, own = (points if f else points[:1] for f in free)
        grid = np.array([self.deviance(shared[:, None], s) for s in own]).T
        edge = np.pad(grid, 1, constant_values=inf)
        around = [
            edge[1 + i : 1 + i + grid.shape[0], 1 + j : 1 + j + grid.shape[1]]
            for i, j in product((-1, 0, 1), repeat=2)
        ]
        low = np.argwhere(grid <= np.minimum.reduce(around))
        ends = [self.descend(np.array([shared[i], own[j]]), free, unit) for i, j in low]
        values = [float(self.deviance(*end)) for end in ends]
        best = ends[int(np.argmin(values))]
        apart = [np.any(np.abs(end - best) > 1e-4 * (best + unit)) for end in ends]
        return best, any(apart)


SENTENCES = {
    "missing": "effects without an estimate or a variance (NaN) were left out",
    "none": "no effect: nothing was estimated",
    "one": (
        "one cluster: nothing was pooled between clusters; the interval is that cluster's own "
        "(normal), and the variance between clusters is undefined"
    ),
    "single": "each cluster has one effect, so the variance within clusters is undefined",
    "independent": (
        "no covariance was given, so sampling errors within a cluster count as independent"
    ),
    "agree": (
        "all clusters agree exactly, so the cluster-robust variance is 0 and test and interval "
        "are undefined; robust=False takes the model's"
    ),
    "several": "the likelihood has more than one maximum; the global one is reported",
    "no_between": "the restricted likelihood has its maximum at no variance between clusters",
    "no_within": "the restricted likelihood has its maximum at no variance within clusters",
    "few": (
        "fewer than 4 degrees of freedom: too few clusters for the interval and the p-value to "
        "be trusted"
    ),
}
# Below it tests that rest on a cluster-robust variance are too often significant: Tipton 2015.
FEWEST_DF = 4
SETTINGS = ("measure", "robust", "level")
NUMBERS = (
    "k",
    "clusters",
    "estimate",
    "se",
    "se_model",
    "statistic",
    "df",
    "p_value",
    "ci_low",
    "ci_high",
    "tau2_between",
    "tau2_within",
    "q",
    "q_df",
    "q_pvalue",
    "pi_low",
    "pi_high",
)


@dataclass(frozen=True, eq=False, repr=False)
class DependentResult(PoolRecord):
    """The mean of effects that come several a cluster, and how it was obtained.

    Attributes
    ----------
    k, clusters : int
        Effects and clusters (trials) that contributed.
    estimate, se, statistic, df, p_value, ci_low, ci_high : float
        Mean of the true effects, its standard error, t test against 0 and interval.
    se_model : float
        Standard error if the model is right; `se` is the same where `robust` is False.
    tau2_between, tau2_within : float
        Variance of true effects between clusters, and of effects within one.
    q, q_df, q_pvalue : float
        Generalised Q of the effects, its degrees of freedom and chi-squared test.
    pi_low, pi_high : float
        Where the true effect of a new cluster is expected; from three clusters on.
    weight_pct : ndarray (k,)
        Weight of each effect in percent; can be negative where errors are strongly correlated.
    """

    k: int
    clusters: int
    measure: str
    robust: bool
    level: float
    estimate: float
    se: float
    se_model: float
    statistic: float
    df: float
    p_value: float
    ci_low: float
    ci_high: float
    tau2_between: float
    tau2_within: float
    q: float
    q_df: int
    q_pvalue: float
    pi_low: float
    pi_high: float
    yi: FloatArray
    vi: FloatArray
    weight_pct: FloatArray
    cluster: tuple[str, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    KIND = "dependent"
    TRIAL_NUMBERS = ("cluster", "weight_pct")
    SETTINGS = SETTINGS
    NUMBERS = NUMBERS

    def __repr__(self) -> str:
        """Return one line: effect, interval, spread."""
        return (
            f"DependentResult({self.measure + ', ' if self.measure else ''}k={self.k} in "
            f"{self.clusters} clusters, {self._in_brackets()}, df={self.df:.3g}, "
            f"tau2_between={self.tau2_between:.4g}, tau2_within={self.tau2_within:.4g})"
        )

    def _settings(self) -> list[tuple[str, str]]:
        interval = "cluster-robust (CR2), t" if self.robust else "from the model, t"
        return [
            ("measure", self.measure or "not named"),
            ("model", "effects within clusters, restricted maximum likelihood"),
            ("interval", f"{self._percent}, {interval}"),
        ]

    def _shown_numbers(self) -> list[tuple[str, str]]:
        percent = self._percent
        return [
            ("effects (clusters)", f"{self.k} ({self.clusters})"),
            *self._effect_rows(self.se),
            (f"{percent} prediction interval", f"{self.pi_low:.4g} to {self.pi_high:.4g}"),
            (
                "test of no difference",
                f"t = {self.statistic:.4g} on {self.df:.3g} df, p = {self.p_value:.3g}",
            ),
            ("variance between clusters", f"{self.tau2_between:.4g}"),
            ("variance within clusters", f"{self.tau2_within:.4g}"),
            ("Q (df), p", f"{self.q:.4g} ({self.q_df}), p = {self.q_pvalue:.3g}"),
        ]


@from_data("yi", "vi", "cluster", "labels")
def pool_dependent(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    cluster: Labels,
    robust: bool = True,
    level: float = 0.95,
    measure: str = "",
    labels: Labels = None,
) -> DependentResult:
    """Pool effects of which several come from one cluster, such as a trial.

    The model is y_ij = mu + u_j + w_ij + e_ij with u_j ~ N(0, tau2_between), w_ij ~ N(0,
    tau2_within) and e ~ N(0, V), fitted by restricted maximum likelihood, whose global maximum
    is searched. With `robust` the variance of the mean is CR2, which holds in large samples
    however wrong V is, with Satterthwaite's degrees of freedom; otherwise it is the model's, on
    clusters - 1.

    Parameters
    ----------
    yi : array_like (k,)
        Effects; NaN marks a missing one.
    vi : array_like (k,) or (k, k)
        Sampling variances, or their covariance matrix (`shared_control`, `covariance_block`),
        which is 0 between clusters.
    cluster : sequence (k,)
        Which cluster each effect belongs to: the level on which effects are independent.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi`, `cluster` and `labels` may be given as names of columns.
    robust : bool
        Whether the variance of the mean is cluster-robust.
    level : float
        Level of the intervals.
    measure : str
        Code of the effect measure; repeated in the result.
    labels : sequence, optional
        Names of the effects, (k,).

    Returns
    -------
    DependentResult

    Raises
    ------
    ArgumentError
        If an argument is not usable; a matrix that is not symmetric, not positive definite, or
        not 0 between clusters.

    Notes
    -----
    Konstantopoulos 2011, Research Synthesis Methods 2:61-76 (model); Pustejovsky and Tipton
    2018, J Bus Econ Stat 36:672-683, eq. 5 to 11 (CR2, degrees of freedom); Tipton 2015,
    Psychological Methods 20:375-393 (at least 4). metafor `rma.mv(yi, V, random = ~ 1 |
    cluster/effect)`, clubSandwich `coef_test(vcov = "CR2")`; without `robust`, `test = "t",
    dfs = "contain"`.

    Examples
    --------
    >>> found = pool_dependent([0.1, 0.3, 0.5, 0.2], [0.04] * 4, cluster=["a", "a", "b", "c"])
    >>> print(f"{found.estimate:.3f} ({found.se:.3f}), df {found.df:.2f}")
    0.275 (0.087), df 1.80
    """
    level = confidence_level(level)
    robust = yes_or_no("robust", robust)
    matrix = numbers("vi", vi, finite=False)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    y, v = effects_and_variances(yi, matrix.diagonal() if square else vi, dimensions=1)
    codes, names = _codes("cluster", cluster, y.size)
    named, measure = trial_labels(labels, y.size), known_measure(measure)
    present = np.flatnonzero(~np.isnan(y))
    groups = [present[rows] for rows in _rows_of(codes[present])]
    if square:
        _refuse_odd(matrix[np.ix_(present, present)], present, codes[present])
        blocks = [matrix[np.ix_(rows, rows)] for rows in groups]
    else:
        blocks = [np.diag(v[rows]) for rows in groups]
    k, clusters = present.size, len(groups)
    found: dict[str, Any] = dict.fromkeys(NUMBERS, nan) | {
        "k": k,
        "clusters": clusters,
        "q_df": max(k - 1, 0),
    }
    weight = np.full(y.size, np.nan)
    several = False
    if clusters:
        fitted, weight[np.concatenate(groups)], several = _fit(
            y, blocks, groups, robust=robust, level=level
        )
        found |= fitted
    whens = {
        "missing": k < y.size,
        "none": k == 0,
        "one": clusters == 1,
        "single": 0 < k == clusters,
        "independent": not square and k > clusters,
        "agree": clusters > 1 and np.isnan(found["se"]),
        "several": several,
        "no_between": found["tau2_between"] == 0,
        "no_within": found["tau2_within"] == 0,
        "few": found["df"] < FEWEST_DF,
    }
    return DependentResult(
        **found,
        measure=measure,
        robust=robust,
        level=level,
        yi=y,
        vi=v,
        weight_pct=weight,
        cluster=tuple(names[code] for code in codes),
        labels=named,
        notes=tuple(SENTENCES[name] for name, when in whens.items() if when)
        + doubts(y, v, measure),
    )


def _refuse_odd(matrix: FloatArray, rows: IntArray, codes: IntArray) -> None:
    """Refuse a matrix of effects `rows` that is not symmetric or not 0 between clusters."""
    root = np.sqrt(matrix.diagonal())
    apart = ~(np.abs(matrix - matrix.T) <= ROUNDING * np.outer(root, root))
    shared = (matrix != 0) & (codes[:, None] != codes)
    for wrong, why, allowed in (
        (apart, "is no number or not the one across", "a symmetric matrix"),
        (shared, "is between two clusters", "clusters whose sampling errors are independent"),
    ):
        if wrong.any():
            i, j = np.argwhere(wrong)[0]
            message = f"vi[{rows[i]}, {rows[j]}]={matrix[i, j]:g} {why}; allowed: {allowed}"
            raise ArgumentError(message)


def _fit(
    y: FloatArray,
    blocks: Sequence[FloatArray],
    groups: Sequence[IntArray],
    *,
    robust: bool,
    level: float,
) -> tuple[dict[str, float], FloatArray, bool]:
    """Return numbers of the pool, weights in percent in the order of `groups`, and a doubt."""
    order = np.concatenate(groups)
    k, clusters = order.size, len(groups)
    # In units of the smallest standard error and around the mean, whatever the unit was.
    scale, centre = float(min(block.diagonal().min() for block in blocks)), float(y[order].mean())
    root = scale**0.5
    blocks = [block / scale for block in blocks]
    parts = [_decompose("vi", block, rows) for block, rows in zip(blocks, groups, strict=True)]
    effects = [(y[rows] - centre) / root for rows in groups]
    model = _Model(
        d=np.concatenate([d for d, _ in parts]),
        q=np.concatenate([u.sum(axis=0) for _, u in parts]),
        z=np.concatenate([u.T @ e for (_, u), e in zip(parts, effects, strict=True)]),
        starts=np.cumsum([0, *(rows.size for rows in groups[:-1])]),
    )
    free = np.array([clusters > 1, k > clusters])
    (between, within), several = model.minimum(free)
    # Covariance of the cluster with everything that varies in it, and the weights it gives.
    wholes = [block + within * np.eye(len(block)) + between for block in blocks]
    weights = [np.linalg.solve(whole, np.ones(len(whole))) for whole in wholes]
    precision = float(sum(w.sum() for w in weights))
    mean = sum(float(w @ e) for w, e in zip(weights, effects, strict=True)) / precision
    variance, df = 1 / precision, float(clusters - 1)
    if clusters == 1:
        df = inf
    elif robust:
        residuals = [e - mean for e in effects]
        variance, df = _cr2(wholes, weights, residuals, 1 / precision)
        # Clusters that agree exactly leave rounding: no variance is no certainty.
        variance = variance if variance > ROUNDING**2 / precision else nan
    a, b = (model.q**2 / model.d).sum(), (model.q * model.z / model.d).sum()
    q = float((model.z**2 / model.d).sum() - b**2 / a)
    se, estimate = variance**0.5 * root, centre + mean * root
    quantile = float(two_sided_quantile(level, df))
    reach = quantile * (between + within + variance) ** 0.5 * root if clusters > 2 else nan
    numbers_ = {
        "estimate": estimate,
        "se": se,
        "se_model": (1 / precision) ** 0.5 * root,
        "statistic": estimate / se,
        "df": df,
        "p_value": float(p_from_statistic(np.array(estimate / se), np.array(df), two_sided=True)),
        "ci_low": estimate - quantile * se,
        "ci_high": estimate + quantile * se,
        "tau2_between": float(between) * scale if free[0] else nan,
        "tau2_within": float(within) * scale if free[1] else nan,
        "q": q if k > 1 else nan,
        "q_pvalue": float(chdtrc(k - 1, q)) if k > 1 else nan,
        "pi_low": estimate - reach,
        "pi_high": estimate + reach,
    }
    return numbers_, 100 * np.concatenate(weights) / precision, several


def _cr2(
    wholes: Sequence[FloatArray],
    weights: Sequence[FloatArray],
    residuals: Sequence[FloatArray],
    unit: float,
) -> tuple[float, float]:
    """Return the CR2 variance of the mean and Satterthwaite's degrees of freedom.

    For cluster j with covariance F = D'D, B = D (F - unit 11') D' and A = D' B^(-1/2) D, the
    variance is the sum of (g'r)^2, g = unit A F^-1 1; under the model its parts have covariance
    diag(g'Fg) - unit hh', h = g'1, which gives the degrees of freedom.
    """
    squares, own, shared = np.zeros((3, len(wholes)))
    for j, (whole, weight, r) in enumerate(zip(wholes, weights, residuals, strict=True)):
        upper = np.linalg.cholesky(whole).T
        size, axes = np.linalg.eigh(upper @ (whole - unit) @ upper.T)
        inverse = np.where(size > ROUNDING * size[-1], 1 / np.sqrt(np.maximum(size, 1e-300)), 0.0)
        g = unit * (upper.T @ (axes * inverse) @ axes.T @ upper @ weight)
        squares[j], own[j], shared[j] = (g @ r) ** 2, g @ whole @ g, g.sum()
    trace = own.sum() - unit * (shared**2).sum()
    norm = (own**2).sum() - 2 * unit * (own * shared**2).sum() + unit**2 * (shared**2).sum() ** 2
    return float(squares.sum()), float(trace**2 / norm)
