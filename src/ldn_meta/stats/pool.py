"""The mean effect over trials, and how sure we are; one kernel for one fit and for many.

`pool` is the batch of one: both functions lay trials out as `ldn_meta.stats.tau2.Trials` and
call the same kernel. `side` reads the interval: on which side of no effect it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri, stdtr

from ldn_meta.stats.arrays import (
    BOOTSTRAP,
    BoolArray,
    FloatArray,
    IntArray,
    Labels,
    PoolRecord,
    Settings,
    by_name,
    doubts,
    effects_and_variances,
    from_data,
    known_measure,
    quantiles,
    told,
    trial_labels,
)
from ldn_meta.stats.decision import MOST_TRIALS, bootstrap_limits
from ldn_meta.stats.tau2 import (
    SMALLEST,
    Trials,
    arrange,
    chunks,
    cochran,
    q_profile,
    rows_of,
    scaled_tau2,
    total,
    trace_of_p,
)

# Per cent of new effects held at k = 5 and tau of one standard error, over equal sizes, one large
# and one small trial: docs/simulation.csv, to which tests/stats/test_decision.py holds it.
HELD_AT_FIVE = (85, 90)
# From so many trials on that shortfall is no longer one of few trials.
ENOUGH_TO_PREDICT = 10

SENTENCES = {
    "missing": "trials without an effect or a variance (NaN) were left out",
    "none": "no trial has an effect: nothing was estimated",
    "single": (
        "one trial: nothing was pooled; estimate, test and Wald interval are that trial's, and "
        "tau2, Q, I2, H2 and the prediction interval are undefined"
    ),
    "pair_wald": (
        "two trials: the Wald interval takes tau2 as known, which two trials cannot tell"
    ),
    "pair_t": "two trials: the interval uses t on 1 degree of freedom and is very wide",
    "common_t": (
        "common-effect model with a Knapp-Hartung interval: the standard error is rescaled by the "
        "scatter of the trials although the model assumes there is none beyond sampling"
    ),
    "several": (
        "the likelihood of tau2 has more than one maximum; the global one is reported, and the "
        "answer is fragile"
    ),
    "zero_width": (
        "all effects are identical, so the Knapp-Hartung variance is 0, and its test, interval "
        "and prediction interval are undefined; use knapp-hartung-floored"
    ),
    "narrow": "the Knapp-Hartung interval is narrower than the Wald interval; compare the floored",
    "floored": (
        "around tau2 as estimated the trials scatter less than it and their variances predict, so "
        "the Knapp-Hartung scale was set to 1"
    ),
    "empty_profile": (
        "the effects agree better than chance allows, so the Q-profile set for tau2 is empty and "
        "is printed as 0 to 0"
    ),
    "same": "all effects are identical, so the bootstrap prediction interval is undefined",
    "many": (
        f"the bootstrap prediction interval is for few trials: above {MOST_TRIALS} take "
        "pi_method='k-1'"
    ),
    "short": (
        f"a 95% prediction interval by t on k - 1 degrees of freedom held the new effect in "
        f"{HELD_AT_FIVE[0]} to {HELD_AT_FIVE[1]}% of simulated sets of five trials with moderate "
        "heterogeneity: read it as too short, and compare pi_method='bootstrap'"
    ),
}
BOUNDARY = {
    "ml": "the likelihood has its global maximum at tau2 = 0",
    "reml": "the restricted likelihood has its global maximum at tau2 = 0",
    "sj": "all effects are identical, so tau2 = 0",
}
FLAGS = (*SENTENCES, "boundary", "no_prediction")


@cache
def _sentences(tau2_method: str) -> tuple[str, ...]:
    """Return a sentence for each of `FLAGS`."""
    boundary = BOUNDARY.get(
        tau2_method, f"the {tau2_method} estimate of tau2 was not positive and was set to 0"
    )
    no_prediction = (
        "no prediction interval: the common-effect model has no new trial's effect to predict"
        if tau2_method == "common"
        else "no prediction interval: it needs at least three trials"
    )
    return (*SENTENCES.values(), boundary, no_prediction)


METHOD_NAMES = {
    "common": "common effect",
    "dl": "DerSimonian-Laird",
    "he": "Hedges-Olkin",
    "hs": "Hunter-Schmidt",
    "sj": "Sidik-Jonkman",
    "ml": "maximum likelihood",
    "reml": "restricted maximum likelihood",
    "eb": "empirical Bayes",
    "pm": "Paule-Mandel",
}
INTERVAL_NAMES = {
    "wald": "Wald (normal)",
    "knapp-hartung": "Knapp-Hartung (t)",
    "knapp-hartung-floored": "Knapp-Hartung, scale at least 1 (t)",
}
PREDICTION_NAMES = {
    "k-1": "t on k-1 degrees of freedom",
    "k-2": "t on k-2 degrees of freedom",
    BOOTSTRAP: "parametric bootstrap, integrated",
}
SETTINGS = ("measure", "tau2_method", "ci_method", "pi_method", "level")
NUMBERS = (
    "k",
    "estimate",
    "se",
    "statistic",
    "p_value",
    "ci_low",
    "ci_high",
    "tau2",
    "tau2_ci_low",
    "tau2_ci_high",
    "q",
    "q_df",
    "q_pvalue",
    "i2_pct",
    "i2_tau2_pct",
    "h2",
    "pi_low",
    "pi_high",
)


@dataclass(frozen=True, eq=False, repr=False)
class PooledResult(PoolRecord):
    """A pooled effect, its uncertainty, the spread between trials, and how they were obtained.

    For one set of trials the numbers are floats; for a batch they are arrays, one entry a set.
    What is undefined is NaN, and `notes` has a sentence for every automatic decision.

    Attributes
    ----------
    k : int
        Trials that contributed.
    measure : str
        Code of the effect measure, as given by the caller ("MD", "RR", ...). It says whether
        `estimate` is a logarithm or an arcsine; `transformed` gives what readers know.
    tau2_method, ci_method, pi_method : str
        The settings asked for.
    level : float
        Level of all intervals, 0.95 for 95%.
    estimate, se : float
        Mean of the true effects and its standard error, in units of `yi`.
    statistic, p_value : float
        Test of no difference: z for Wald, t on k - 1 df for Knapp-Hartung; two-sided.
    ci_low, ci_high : float
        Interval for the mean of the true effects.
    tau2, tau2_ci_low, tau2_ci_high : float
        Between-trial variance in squared units of `yi`, with its Q-profile interval, which
        depends on the data only, not on `tau2_method`.
    q, q_df, q_pvalue : float
        Cochran's Q, its degrees of freedom k - 1 and the chi-squared test.
    i2_pct : float
        max(0, (Q - df) / Q) in percent: a share of the variability seen, not an amount of
        heterogeneity. Q-based for every method.
    i2_tau2_pct : float
        tau2 / (tau2 + s2) in percent with s2 = (k - 1) / tr(P), the typical variance of a trial:
        metafor's I2, and RevMan's since 2025. It moves with `tau2_method` and equals `i2_pct`
        for dl, and for common, which has no tau2.
    h2 : float
        Q / df; at least 1 for random-effects methods, unbounded for tau2_method "common".
    pi_low, pi_high : float
        Where the true effect of a new trial is expected, by `pi_method`.
    yi, vi : ndarray (k,)
        Effects and variances as given, NaN where missing.
    weight_pct : ndarray (k,)
        Weights 1 / (vi + tau2) in percent of their sum; NaN where missing.
    labels : tuple of str
        Names of the trials.
    notes : tuple of str
        One sentence per automatic decision.
    sets : tuple of str
        Names of the sets of a batch, where they have any: "without" or "+" and a trial.
    """

    k: int | IntArray
    measure: str
    tau2_method: str
    ci_method: str
    level: float
    estimate: float | FloatArray
    se: float | FloatArray
    statistic: float | FloatArray
    p_value: float | FloatArray
    ci_low: float | FloatArray
    ci_high: float | FloatArray
    tau2: float | FloatArray
    tau2_ci_low: float | FloatArray
    tau2_ci_high: float | FloatArray
    q: float | FloatArray
    q_df: int | IntArray
    q_pvalue: float | FloatArray
    i2_pct: float | FloatArray
    i2_tau2_pct: float | FloatArray
    h2: float | FloatArray
    pi_low: float | FloatArray
    pi_high: float | FloatArray
    yi: FloatArray
    vi: FloatArray
    weight_pct: FloatArray
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    pi_method: str = "k-1"
    sets: tuple[str, ...] = ()

    KIND = "pooled"
    TRIAL_NUMBERS = ("weight_pct",)
    SETTINGS = SETTINGS
    NUMBERS = (*NUMBERS, "tau", "tau2_se", "log_likelihood")

    @property
    def tau(self) -> float | FloatArray:
        """The SD of true effects between trials, in units of `yi`."""
        return np.sqrt(self.tau2) if self.is_batch else float(np.sqrt(self.tau2))

    @property
    def tau2_se(self) -> float | FloatArray:
        """The large-sample standard error of tau2; NaN for common effects and single trials.

        With w the weights of the method's own formula (1 / vi; 1 for he; 1 / (vi + tau2) for
        ml, reml, eb and pm; 1 / (vi + var(yi) (k - 1) / k) for sj), S_j = sum w^j,
        P = W - w w' / S_1, T = tr P, PP = tr P P, V = diag(vi):

        ml      sqrt(2 / S_2)
        reml    sqrt(2 / PP)
        eb, pm  sqrt(2 k^2 / (k-1)) / S_1
        dl, hs  sqrt(2 (k-1) + 4 tau2 T + 2 tau2^2 PP) / T (hs: / S_1)
        he, sj  sqrt(2 tr PVPV + 4 tau2 tr PVP + 2 tau2^2 PP) / (k-1), sj times its start

        Source: Viechtbauer 2005, J Educ Behav Stat 30:261; metafor `rma.uni`, `se.tau2`.
        """
        found = _tau2_se(self.yi, self.vi, np.asarray(self.tau2), self.tau2_method)
        return found if self.is_batch else float(found)

    @property
    def log_likelihood(self) -> float | FloatArray:
        """The log-likelihood at the estimates: restricted for reml, else full, as metafor."""
        tau2 = np.asarray(0.0 if self.tau2_method == "common" else self.tau2)
        v = self.vi + tau2[..., None]
        k, w = np.asarray(self.k), 1.0 / v
        rss = np.nansum(w * (self.yi - np.asarray(self.estimate)[..., None]) ** 2, axis=-1)
        found = -0.5 * (k * np.log(2 * np.pi) + np.nansum(np.log(v), axis=-1) + rss)
        if self.tau2_method == "reml":
            precision = np.nansum(w, axis=-1)
            precision = np.where(precision > 0, precision, np.nan)
            found = found + 0.5 * np.log(2 * np.pi * k / precision)
        found = np.where((k > 0) & ~np.isnan(tau2), found, np.nan)
        return found if self.is_batch else float(found)

    def __repr__(self) -> str:
        """Return one line: effect, interval, spread, settings."""
        head = f"PooledResult({self.measure + ', ' if self.measure else ''}"
        settings = f"{self.tau2_method}, {self.ci_method}"
        if self.is_batch:
            return f"{head}batch of shape {np.shape(self.estimate)}, {settings})"
        return (
            f"{head}k={self.k}, {self._in_brackets()}, tau2={self.tau2:.4g}, "
            f"I2={self.i2_pct:.0f}%, {settings})"
        )

    def _settings(self) -> list[tuple[str, str]]:
        return [
            ("measure", self.measure or "not named"),
            ("tau2 method", METHOD_NAMES[self.tau2_method]),
            ("interval", f"{self._percent}, {INTERVAL_NAMES[self.ci_method]}"),
            ("prediction interval", PREDICTION_NAMES[self.pi_method]),
        ]

    def _shown_numbers(self) -> list[tuple[str, str]]:
        percent = self._percent
        return [
            ("trials", str(self.k)),
            *self._effect_rows(self.se),
            (f"{percent} prediction interval", f"{self.pi_low:.4g} to {self.pi_high:.4g}"),
            ("test of no difference", f"{self.statistic:.4g}, p = {self.p_value:.3g}"),
            (
                f"tau2 ({percent} CI)",
                f"{self.tau2:.4g} ({self.tau2_ci_low:.4g} to {self.tau2_ci_high:.4g})",
            ),
            ("tau, SE of tau2", f"{self.tau:.4g}, {self.tau2_se:.4g}"),
            ("log-likelihood", f"{self.log_likelihood:.4g}"),
            ("Q (df), p", f"{self.q:.4g} ({self.q_df}), p = {self.q_pvalue:.3g}"),
            ("I2 (Q-based), H2", f"{self.i2_pct:.1f}%, {self.h2:.4g}"),
            ("I2 (from tau2)", f"{self.i2_tau2_pct:.1f}%"),
        ]


# Trials per chunk of a batch. The grid of the likelihood search is about 10 points for each, so
# its arrays of 2 MB stay in the cache, and memory beyond the answer stays at some 40 MB however
# many sets there are (measured: 10,000 and 50,000 are slower, by 15% and more).
CHUNK_TRIALS = 25_000
# By default glibc hands freed arrays of 128 kB and more back to the system; getting their pages
# back one by one took more than half of the time of a batch. One untouched block of this many
# numbers (16 MB), released, makes it keep what is smaller. Other C libraries do not mind.
KEPT_NUMBERS = 2_000_000
# Trials from which the grid of the likelihood search is that large.
KEEP_FROM_TRIALS = 600
# Two trials with tau2 > 0 scatter by exactly 1; rounding is not to decide what is said of them.
ROUNDING = 1e-9


def pooled_numbers(
    yi: FloatArray, vi: FloatArray, settings: Settings
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Pool each row, in chunks of sets of similar size; sets of one size without their gaps."""
    sets, width = yi.shape
    if sets * width >= KEEP_FROM_TRIALS:
        np.empty(KEPT_NUMBERS)
    if sets * width <= CHUNK_TRIALS:
        return _pool_chunk(yi, vi, settings)
    numbers = np.empty((len(NUMBERS), sets))
    flags = np.empty((len(FLAGS), sets), dtype=np.bool_)
    there = ~np.isnan(vi)
    count = np.count_nonzero(there, axis=1)
    # What is there, without gaps; the last place stands for what is missing.
    place, first = np.flatnonzero(there), count.cumsum() - count
    missing = place.size
    y, v, shares = (np.full(missing + 1, np.nan) for _ in range(3))
    y[:-1], v[:-1] = yi.take(place), vi.take(place)
    turn, done = np.empty(sets, dtype=np.int64), 0
    for rows in chunks(count, lambda trials: max(trials, 1), CHUNK_TRIALS):
        k, stop = count.take(rows), done + rows.size
        at = first.take(rows)[:, None] + np.arange(k[0])
        if k[-1] < k[0]:
            at[np.arange(k[0]) >= k[:, None]] = missing
        found, shares[at], told_of = _pool_chunk(y.take(at), v.take(at), settings)
        told_of[FLAGS.index("missing")] = k < width
        # In turn, and put in order at the end: writes far apart cost more. Flags are only counted.
        numbers[:, done:stop], flags[:, done:stop] = found, told_of
        turn[rows], done = np.arange(done, stop), stop
    weight = np.full((sets, width), np.nan)
    weight.reshape(-1)[place] = shares[:-1]
    if missing < sets * width:
        numbers = numbers.take(turn, axis=1)
    return numbers, weight, flags


def _pool_chunk(
    yi: FloatArray, vi: FloatArray, settings: Settings
) -> tuple[FloatArray, FloatArray, BoolArray]:
    trials = arrange(yi, vi)
    y, v, count, df = trials.y, trials.v, trials.count, trials.df
    few = (count < 2).nonzero()[0]
    z_quantile = float(ndtri(0.5 + 0.5 * settings.level))
    found = quantiles(count, level=settings.level)

    tau2, several = scaled_tau2(trials, settings.tau2_method)
    w = 1.0 / (v + tau2)
    precision = total(w)
    if few.size:
        precision[count == 0] = np.nan
    mean = total(w * y) / precision
    r = y - mean
    scatter = total(w * (r * r)) / df
    if settings.ci_method == "knapp-hartung-floored":
        factor = np.maximum(scatter, 1.0)
    elif settings.ci_method == "knapp-hartung":
        factor = np.where(scatter > 0.0, scatter, np.nan)
    else:
        factor = np.ones(count.size)
    factor[few] = 1.0
    variance = factor / precision
    root = np.sqrt(trials.scale)
    estimate, se = trials.centre + mean * root, np.sqrt(variance) * root
    statistic = estimate / se
    p_value, half = _test_and_half_width(statistic, se, settings, df, found.t, z_quantile, few)
    if settings.is_random and settings.pi_method == BOOTSTRAP:
        pi_low, pi_high = _bootstrap(yi, vi, trials, settings.level)
    else:
        t_new = found.t_new_k1 if settings.pi_method == "k-1" else found.t_new_k2
        reach = t_new * np.sqrt(tau2 + variance) * root if settings.is_random else np.nan
        pi_low, pi_high = estimate - reach, estimate + reach

    q, h2, i2_pct = cochran(trials)
    i2_tau2_pct = i2_pct
    if settings.is_random:
        w_common = 1.0 / v
        typical = df / np.maximum(trace_of_p(w_common, total(w_common))[0], SMALLEST)
        i2_tau2_pct = np.where(count > 1, 100.0 * tau2 / (tau2 + typical), np.nan)
        h2 = np.maximum(h2, 1.0)
    low, high = q_profile(trials, found)
    scaled = tau2.copy()
    scaled[few] = np.nan
    numbers = {
        "k": count,
        "estimate": estimate,
        "se": se,
        "statistic": statistic,
        "p_value": p_value,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "tau2": scaled * trials.scale,
        "tau2_ci_low": low * trials.scale,
        "tau2_ci_high": high * trials.scale,
        "q": q,
        "q_df": np.maximum(count - 1, 0),
        "q_pvalue": chdtrc(df, q),
        "i2_pct": i2_pct,
        "i2_tau2_pct": i2_tau2_pct,
        "h2": h2,
        "pi_low": pi_low,
        "pi_high": pi_high,
    }
    weight = (100.0 / precision)[:, None] / (vi / trials.scale[:, None] + tau2[:, None])
    flags = dict.fromkeys(FLAGS, np.zeros(count.size, dtype=np.bool_))
    flags["missing"] = count < yi.shape[1]
    flags["several"] = several
    flags["empty_profile"] = q < found.lower
    if np.count_nonzero(count < 3):
        pair = count == 2
        flags["none"] = count == 0
        flags["single"] = count == 1
        flags["pair_t" if settings.uses_t else "pair_wald"] = pair & (
            settings.uses_t | settings.is_random
        )
        flags["no_prediction"] = pair
    if settings.is_random:
        flags["boundary"] = scaled == 0.0
        if settings.pi_method == BOOTSTRAP:
            flags["many"] = count > MOST_TRIALS
            flags["same"] = (count > 2) & np.isnan(pi_low) & ~flags["many"]
        elif settings.pi_method == "k-1":
            flags["short"] = (count > 2) & (count < ENOUGH_TO_PREDICT)
    else:
        flags["no_prediction"] = count > 1
        flags["common_t"] = (count > 1) & settings.uses_t
    if settings.ci_method == "knapp-hartung-floored":
        flags["floored"] = (count > 1) & (scatter < 1.0 - ROUNDING)
    elif settings.ci_method == "knapp-hartung":
        flags["zero_width"] = (count > 1) & (scatter == 0.0)
        flags["narrow"] = (count > 1) & (found.t * se < z_quantile * root / np.sqrt(precision))
    return (
        np.array([numbers[name] for name in NUMBERS]),
        weight,
        np.array([flags[name] for name in FLAGS]),
    )


def _bootstrap(
    yi: FloatArray, vi: FloatArray, trials: Trials, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return bootstrap prediction limits of each row, in units in which the kernel works."""
    root = np.sqrt(trials.scale)
    limits = [
        bootstrap_limits((y - centre) / unit, v / scale, level=level)
        for y, v, centre, unit, scale in zip(
            yi, vi, trials.centre, root, trials.scale, strict=True
        )
    ]
    low, high = np.array(limits, dtype=np.float64).reshape(-1, 2).T
    return trials.centre + low * root, trials.centre + high * root


def _test_and_half_width(
    statistic: FloatArray,
    se: FloatArray,
    settings: Settings,
    df: FloatArray,
    t_quantile: FloatArray,
    z_quantile: float,
    few: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Return p-value and half-width: normal for Wald and for single trials, else t."""
    magnitude = -np.abs(statistic)
    if not settings.uses_t:
        return 2.0 * ndtr(magnitude), z_quantile * se
    p_value, half = 2.0 * stdtr(df, magnitude), t_quantile * se
    if few.size:
        p_value[few], half[few] = 2.0 * ndtr(magnitude[few]), z_quantile * se[few]
    return p_value, half


@from_data("yi", "vi", "labels")
def pool(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
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
    on k - 1 or k - 2 df; it needs three trials and a random-effects method. "bootstrap" takes the
    parametric bootstrap over the confidence distribution of tau2, which depends on the data only
    and comes closer to its level with few trials; integrated, not drawn (4 ms a set).

    The interval of tau2 solves Q(tau2) = chi-squared quantile and is never capped; where even Q(0)
    is below the lower quantile the set of solutions is empty, and the interval is 0 to 0 with a
    note.

    With no trial everything is NaN. With one, estimate, se, test and interval (Wald) are those of
    that trial; tau2, Q, its p, I2, H2 and the prediction interval are NaN: nothing was pooled.

    Parameters
    ----------
    yi, vi : array_like (k,) or str
        Effects and their sampling variances; NaN marks a missing trial. With `data` the names of
        its columns.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi` and `labels` may name columns; its column ``label``, or an index
        of texts, names the trials where `labels` does not.
    tau2_method : str
        common, dl, he, hs, sj, ml, reml, eb or pm: see `ldn_meta.stats.tau2.tau2_estimate`.
    ci_method : str
        wald, knapp-hartung or knapp-hartung-floored.
    level : float
        Level of all intervals.
    pi_method : str
        Of the prediction interval: k-1 or k-2 (degrees of freedom), or bootstrap.
    measure : str
        Code of the effect measure, such as MD, SMD, RR, OR, RD, HR or PLO: it decides how the
        result is read, and is repeated in it.
    labels : sequence or str, optional
        Names of the trials, (k,), or their column of `data`.

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
    PooledResult(k=3, 0.3086 [95% CI -0.2393, 0.8566], tau2=0, I2=0%, reml, knapp-hartung-floored)
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    return _pool(y, v, Settings(tau2_method, ci_method, level, pi_method), measure, labels)


@from_data("yi", "vi", "labels")
def pool_many(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
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
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi` and `labels` may be given as names of columns.
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
    return _pool(y, v, Settings(tau2_method, ci_method, level, pi_method), measure, labels)


def _pool(
    y: FloatArray, v: FloatArray, settings: Settings, measure: str, labels: Labels
) -> PooledResult:
    """Run the kernel over checked effects and variances (..., k) and build the record."""
    measure, names = known_measure(measure), trial_labels(labels, y.shape[-1])
    matrix, weight, flags = pooled_numbers(rows_of(y), rows_of(v), settings)
    return PooledResult(
        **by_name(NUMBERS, matrix, y.shape[:-1], whole=("k", "q_df")),
        measure=measure,
        tau2_method=settings.tau2_method,
        ci_method=settings.ci_method,
        pi_method=settings.pi_method,
        level=settings.level,
        yi=y,
        vi=v,
        weight_pct=weight.reshape(y.shape),
        labels=names,
        notes=settings.notes
        + told(_sentences(settings.tau2_method), flags)
        + doubts(y, v, measure),
    )


def _tau2_se(yi: FloatArray, vi: FloatArray, tau2: FloatArray, method: str) -> FloatArray:
    """Compute what `PooledResult.tau2_se` says, for effects and variances (..., k)."""
    y, v, spread = yi, vi, tau2[..., None]
    there = ~np.isnan(v)
    k = there.sum(axis=-1)
    start: FloatArray = np.asarray(1.0)
    if method in ("ml", "reml", "eb", "pm"):
        w = 1.0 / (v + spread)
    elif method == "he":
        w = v * 0.0 + 1.0
    elif method == "sj":
        mean = np.nansum(y, axis=-1) / np.maximum(k, 1)
        start = np.nansum((y - mean[..., None]) ** 2, axis=-1) / np.maximum(k, 1)
        w = 1.0 / (v + start[..., None])
    else:
        w = 1.0 / v
    w = np.where(there, w, 0.0)
    v = np.where(there, v, 0.0)
    s1, s2, s3 = (np.sum(w**j, axis=-1) for j in (1, 2, 3))
    usable = (k > 1) & (method != "common")
    s1 = np.where(usable, s1, np.nan)
    pp, trace = s2 - 2 * s3 / s1 + (s2 / s1) ** 2, s1 - s2 / s1
    if method == "ml":
        return np.asarray(np.sqrt(2 / np.where(usable, s2, np.nan)))
    if method == "reml":
        return np.asarray(np.sqrt(2 / pp))
    df = np.where(usable, k - 1, np.nan)
    if method in ("eb", "pm"):
        return np.asarray(np.sqrt(2 * k**2 / df) / s1)
    if method in ("he", "sj"):
        wwv = w * w * v
        pvpv = (wwv * v).sum(-1) - 2 * (wwv * w * v).sum(-1) / s1 + (wwv.sum(-1) / s1) ** 2
        pvp = wwv.sum(-1) - 2 * (wwv * w).sum(-1) / s1 + s2 * wwv.sum(-1) / s1**2
        inner = 2 * pvpv + 4 * tau2 * pvp + 2 * tau2**2 * pp
        return np.asarray(start * np.sqrt(inner) / df)
    inner = 2 * df + 4 * tau2 * trace + 2 * tau2**2 * pp
    return np.asarray(np.sqrt(inner) / (s1 if method == "hs" else trace))


@overload
def side(low: float, high: float, benefit_sign: float = 1.0) -> float: ...


@overload
def side(
    low: FloatArray, high: FloatArray, benefit_sign: float | FloatArray = 1.0
) -> FloatArray: ...


def side(
    low: float | FloatArray, high: float | FloatArray, benefit_sign: float | FloatArray = 1.0
) -> float | FloatArray:
    """Say on which side of no effect, which is 0, intervals lie.

    1.0 above, -1.0 below, 0.0 if the interval includes 0; one that ends at 0 includes it. With
    the sign of benefit, 1.0 is the side of benefit and -1.0 that of harm. NaN where an end or the
    sign is NaN; an infinite end is an end like others.

    >>> side(0.2, 1.4), side(0.2, 1.4, -1.0), side(0.0, 1.4), side(float("nan"), 1.4)
    (1.0, -1.0, 0.0, nan)
    """
    lower, upper, sign = (np.asarray(x, dtype=np.float64) for x in (low, high, benefit_sign))
    found = np.where(lower > 0.0, 1.0, np.where(upper < 0.0, -1.0, 0.0))
    # A product with the sign would write -0.0 for an interval that includes 0.
    found = np.where(found == 0.0, 0.0, found * np.sign(sign))
    found = np.where(np.isnan(lower) | np.isnan(upper) | np.isnan(sign), np.nan, found)
    return found if found.ndim else float(found)
