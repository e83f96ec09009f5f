"""From what a paper printed to an effect: one function per route, one door to them all.

In order of trust: an effect with SE or interval; arm means with SD, SE or interval; a paired
effect with an exact p; medians; percentages; and last what gives only a range (`printed`).

Of a median with its quartiles or range, what is given decides the formula, element by element:
all five numbers, the quartiles, or the range; with neither the answer is NaN. All assume a normal
outcome: ask `skewness_of_summary` first, and leave a skewed row out of pools of means.
"""

from __future__ import annotations

from math import inf, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    EffectSize,
    Estimate,
    FloatArray,
    FloatOrArray,
    Interval,
    checked,
    effect,
    numbers,
    one_of,
    ordered,
    p_from_statistic,
    plain,
    quantile_from_p,
    together,
    truth,
    two_sided_quantile,
    yes_or_no,
)

# What is printed belongs to the same door.
from ldn_meta.stats.printed import JointCount as JointCount
from ldn_meta.stats.printed import chi_squared_corrected_p as chi_squared_corrected_p
from ldn_meta.stats.printed import chi_squared_p as chi_squared_p
from ldn_meta.stats.printed import counts_from_percent as counts_from_percent
from ldn_meta.stats.printed import estimate_is_centred as estimate_is_centred
from ldn_meta.stats.printed import fisher_p as fisher_p
from ldn_meta.stats.printed import joint_counts as joint_counts
from ldn_meta.stats.printed import p_interval as p_interval
from ldn_meta.stats.printed import p_is_exact as p_is_exact
from ldn_meta.stats.printed import printed_decimals as printed_decimals
from ldn_meta.stats.printed import rounded_interval as rounded_interval


def se_from_ci(
    low: ArrayLike, high: ArrayLike, *, level: ArrayLike = 0.95, df: ArrayLike = np.inf
) -> FloatOrArray:
    """Return the standard error behind a symmetric interval: (high - low) / (2 q).

    q is the two-sided quantile of the level: normal, or Student on `df`. Assumes the interval is
    estimate +- q SE on the scale given; for a ratio use `log_ratio_from_ci`.


    Source: Cochrane Handbook 6.3.1 (normal) and 6.5.2.3 (t). Inverse: `ci_from_se`.

    Examples
    --------
    >>> round(se_from_ci(-1.96, 1.96), 3)
    1.0
    """
    lower, upper = numbers("low", low), numbers("high", high)
    ordered("low", lower, "high", upper)
    width, quantile = together(
        interval=np.where(upper > lower, upper - lower, np.nan),
        level=two_sided_quantile(level, df),
    )
    return plain(width / (2 * quantile))


def ci_from_se(
    estimate: ArrayLike, se: ArrayLike, *, level: ArrayLike = 0.95, df: ArrayLike = np.inf
) -> Interval:
    """Return estimate -+ q SE, the interval `se_from_ci` inverts."""
    centre, spread = checked(estimate=estimate, se=se)
    centre, spread, quantile = together(
        estimate=centre, se=spread, level=two_sided_quantile(level, df)
    )
    half = quantile * spread
    return Interval(plain(centre - half), plain(centre + half))


def se_from_p(
    estimate: ArrayLike, p: ArrayLike, *, df: ArrayLike = np.inf, two_sided: bool = True
) -> FloatOrArray:
    """Return the standard error behind an exact p-value: |estimate| / |quantile of p|.

    Assumes p tests "no difference" with estimate / SE, normal or Student on `df`. Only for p as
    printed to two or more significant digits; rounded or inexact p: `se_interval_from_p`.


    Source: Cochrane Handbook 6.3.1 (normal) and 6.5.2.3 (t). Inverse: `p_from_se`.

    Examples
    --------
    >>> round(se_from_p(-0.6, 0.03), 4)
    0.2765
    """
    chance = numbers("p", p, above=0, at_most=1)
    centre, chance, freedom = checked(estimate=estimate, p=chance, df=df)
    size, statistic = (
        np.abs(centre),
        quantile_from_p(chance, freedom, two_sided=yes_or_no("two_sided", two_sided)),
    )
    determined = (size > 0) & (statistic > 0)
    return plain(size / np.where(determined, statistic, np.nan))


def se_interval_from_p(
    estimate: ArrayLike,
    p_low: ArrayLike,
    p_high: ArrayLike,
    *,
    df: ArrayLike = np.inf,
    two_sided: bool = True,
) -> Interval:
    """Return the standard errors that an interval of p-values allows.

    The SE grows with p: the low end belongs to `p_low` (0 gives 0: an SE as small as you like),
    the high end to `p_high` (1, or 0.5 one-sided, gives infinity: no bound). Combine with
    `p_interval` for what a paper prints; such a row never enters the main pool.


    Source: the inequality form of `se_from_p`.

    Examples
    --------
    >>> low, high = se_interval_from_p(-0.9, *p_interval("=", 0.02, decimals=2), df=26)
    >>> print(f"{low:.3f} to {high:.3f}")
    0.346 to 0.378
    """
    top = 1.0 if yes_or_no("two_sided", two_sided) else 0.5
    lower = numbers("p_low", p_low, at_least=0, at_most=top)
    upper = numbers("p_high", p_high, at_least=0, at_most=top)
    ordered("p_low", lower, "p_high", upper)
    centre, lower, upper = checked(estimate=estimate, p_low=lower, p_high=upper)
    centre = np.where(centre == 0, np.nan, centre)
    bounds = []
    for p in (lower, upper):
        inner = (p > 0) & (p < top)
        se = np.asarray(se_from_p(centre, np.where(inner, p, 0.25), df=df, two_sided=two_sided))
        at_end = np.where(p == 0, 0.0, np.where(p == top, inf, np.nan))
        bounds.append(np.where(inner, se, at_end + 0 * centre))
    return Interval(plain(bounds[0]), plain(bounds[1]))


def p_from_se(
    estimate: ArrayLike, se: ArrayLike, *, df: ArrayLike = np.inf, two_sided: bool = True
) -> FloatOrArray:
    """Return the p-value of estimate / SE against no difference; inverse of `se_from_p`.

    One-sided p is in the direction of the estimate.
    """
    centre, spread, freedom = checked(estimate=estimate, se=numbers("se", se, above=0), df=df)
    return plain(
        p_from_statistic(centre / spread, freedom, two_sided=yes_or_no("two_sided", two_sided))
    )


def se_from_statistic(estimate: ArrayLike, statistic: ArrayLike) -> FloatOrArray:
    """Return the standard error behind a printed z or t: |estimate / statistic|.

    For an F on 1 and df degrees of freedom, or a chi-squared on 1, pass its root. NaN where the
    estimate or the statistic is 0.


    Source: Cochrane Handbook 6.5.2.3.
    """
    centre, ratio = checked(estimate=estimate, statistic=statistic)
    wrong = centre * ratio < 0
    if np.any(wrong):
        raise ArgumentError(
            f"statistic: {ratio[wrong].flat[0]:g} has not the sign of the estimate "
            f"{centre[wrong].flat[0]:g}; allowed: the same sign"
        )
    return plain(np.where(centre != 0, centre, np.nan) / np.where(ratio != 0, ratio, np.nan))


def log_ratio_from_ci(
    ratio: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    level: ArrayLike = 0.95,
    df: ArrayLike = np.inf,
) -> Estimate:
    """Return log(ratio) and its standard error, (log high - log low) / (2 q).

    The bounds are logged first: the interval of an OR, RR or HR is symmetric on the log scale.


    Source: Cochrane Handbook 6.3.2; metafor `conv.wald(transf=log)`.

    Examples
    --------
    >>> log_or, se = log_ratio_from_ci(1.37, 1.03, 1.82)
    >>> print(f"{log_or:.6f} {se**2:.7f}")
    0.314811 0.0210908
    """
    lower, upper = numbers("low", low, above=0), numbers("high", high, above=0)
    ordered("low", lower, "high", upper)
    se = se_from_ci(np.log(lower), np.log(upper), level=level, df=df)
    centre, spread = together(
        ratio=np.log(numbers("ratio", ratio, above=0)), bounds=np.asarray(se)
    )
    return Estimate(plain(centre), plain(spread))


def log_hazard_ratio_from_score(
    observed_minus_expected: ArrayLike, variance: ArrayLike
) -> EffectSize:
    """Return a log hazard ratio and its variance from a log-rank O - E and V (Peto).

    yi = (O - E) / V;  vi = 1 / V. O - E is that of the treated; NaN where V is 0.


    Source: Yusuf 1985, Prog Cardiovasc Dis 27:335; Tierney 2007, Trials 8:16;
    Cochrane Handbook 6.8.2.

    Examples
    --------
    >>> yi, vi = log_hazard_ratio_from_score(-5.0, 10.0)
    >>> print(f"{yi:.1f} {vi:.1f}")
    -0.5 0.1
    """
    score, information = checked(
        observed_minus_expected=observed_minus_expected,
        variance=numbers("variance", variance, at_least=0),
    )
    information = np.where(information > 0, information, np.nan)
    return effect(score / information, 1 / information)


# The standard deviation of a logistic outcome, and what brings the logistic nearest the normal.
_LOG_ODDS_PER_SD = {"logistic": pi / 3**0.5, "normal": 1.65}


def log_odds_ratio_from_smd(
    smd: ArrayLike, variance: ArrayLike, *, distribution: str = "logistic"
) -> EffectSize:
    """Return the log odds ratio that a standardised mean difference stands for.

    yi = f smd;  vi = f^2 variance, with f = pi / sqrt(3) = 1.81 for a logistic outcome and 1.65
    for a normal one. Assumes one difference whatever the cut, and equal SDs in both groups; the
    sign stays, so a score in which low is good and an event that is good need it turned.


    Source: Chinn 2000, Stat Med 19:3127; Cox & Snell 1989 (1.65); metafor
    `escalc(measure="D2ORL")`, `"D2ORN"`. Inverse: `smd_from_log_odds_ratio`.

    Examples
    --------
    >>> yi, vi = log_odds_ratio_from_smd(0.5, 0.04)
    >>> print(f"{yi:.4f} {vi:.4f}")
    0.9069 0.1316
    """
    factor = _LOG_ODDS_PER_SD[one_of("distribution", distribution, tuple(_LOG_ODDS_PER_SD))]
    d, v = checked(smd=smd, variance=numbers("variance", variance, at_least=0))
    return effect(d * factor, v * factor**2)


def smd_from_log_odds_ratio(
    log_odds_ratio: ArrayLike, variance: ArrayLike, *, distribution: str = "logistic"
) -> EffectSize:
    """Return the standardised mean difference behind a log odds ratio.

    Inverse of `log_odds_ratio_from_smd`, with its assumptions: an odds ratio of any cut of a
    continuous outcome.


    Source: Chinn 2000, Stat Med 19:3127; metafor `escalc(measure="OR2DL")`, `"OR2DN"`.
    """
    factor = _LOG_ODDS_PER_SD[one_of("distribution", distribution, tuple(_LOG_ODDS_PER_SD))]
    log_or, v = checked(
        log_odds_ratio=log_odds_ratio, variance=numbers("variance", variance, at_least=0)
    )
    return effect(log_or / factor, v / factor**2)


def paired_effect_from_p(
    estimate: ArrayLike, p: ArrayLike, n: ArrayLike, *, two_sided: bool = True
) -> EffectSize:
    """Return a paired difference and its variance from an exact p of a paired t test.

    yi = estimate;  vi = (estimate / t)^2 with t the quantile of p on n - 1 degrees of freedom.

    Assumes a paired t test on `n` complete pairs: not a Wilcoxon, and not a crossover analysis
    with period or sequence in the model (which has fewer degrees of freedom).


    Source: Elbourne 2002, Int J Epidemiol 31:140; Cochrane Handbook 23.2.7.
    """
    count = numbers("n", n, at_least=2)
    se = se_from_p(estimate, p, df=count - 1, two_sided=two_sided)
    return effect(numbers("estimate", estimate), np.square(se))


def difference_from_arm_changes(
    change_1: ArrayLike, se_1: ArrayLike, change_2: ArrayLike, se_2: ArrayLike
) -> Estimate:
    """Return the difference of two arms' mean changes: change_1 - change_2, sqrt(se_1^2 + se_2^2).

    Assumes independent arms. If the two changes come from one adjusted model the true SE differs
    (usually smaller): prefer the printed difference.


    Source: the variance of a difference of independent means.
    """
    d1, s1, d2, s2 = checked(change_1=change_1, se_1=se_1, change_2=change_2, se_2=se_2)
    return Estimate(plain(d1 - d2), plain(np.hypot(s1, s2)))


def sd_from_se(se: ArrayLike, n: ArrayLike) -> FloatOrArray:
    """Return the standard deviation behind the SE of one arm's mean: se sqrt(n).

    Source: Cochrane Handbook 6.5.2.2. Inverse: `se_from_sd`.
    """
    spread, count = checked(se=se, n=n)
    return plain(spread * np.sqrt(count))


def se_from_sd(sd: ArrayLike, n: ArrayLike) -> FloatOrArray:
    """Return the SE of one arm's mean: sd / sqrt(n); inverse of `sd_from_se`."""
    spread, count = checked(sd=sd, n=n)
    return plain(spread / np.sqrt(count))


def sd_from_ci(
    low: ArrayLike,
    high: ArrayLike,
    n: ArrayLike,
    *,
    level: ArrayLike = 0.95,
    uses_t: bool = True,
) -> FloatOrArray:
    """Return the SD behind the interval of one arm's mean: sqrt(n) (high - low) / (2 q).

    q is Student's quantile on n - 1 degrees of freedom, as the interval of one arm's own mean is
    usually made; `uses_t=False` takes the normal (an interval from a model or a large sample).


    Source: Cochrane Handbook 6.5.2.2.
    """
    count = numbers("n", n, at_least=2 if yes_or_no("uses_t", uses_t) else 1)
    freedom = count - 1 if uses_t else np.inf
    se, count = together(
        interval=np.asarray(se_from_ci(low, high, level=level, df=freedom)), n=count
    )
    return plain(np.sqrt(count) * se)


def change_sd(sd_baseline: ArrayLike, sd_end: ArrayLike, correlation: ArrayLike) -> FloatOrArray:
    """Return the SD of the change: sqrt(sd_baseline^2 + sd_end^2 - 2 r sd_baseline sd_end).

    The correlation is an assumption unless the paper prints it: vary it.


    Source: Cochrane Handbook 6.5.2.8. Inverse: `correlation_from_change_sd`.
    """
    before, after, r = checked(sd_baseline=sd_baseline, sd_end=sd_end, correlation=correlation)
    return plain(np.sqrt((before - after) ** 2 + 2 * (1 - r) * before * after))


def correlation_from_change_sd(
    sd_baseline: ArrayLike, sd_end: ArrayLike, sd_change: ArrayLike
) -> FloatOrArray:
    """Return the within-person correlation behind three printed SDs; inverse of `change_sd`.

    r = (sd_baseline^2 + sd_end^2 - sd_change^2) / (2 sd_baseline sd_end). NaN when the three
    cannot belong together (|r| above 1 by more than rounding of floats) or an SD is 0.


    Source: Cochrane Handbook 6.5.2.8.
    """
    before, after, change = checked(sd_baseline=sd_baseline, sd_end=sd_end, sd_change=sd_change)
    product = np.where(before * after > 0, before * after, np.nan)
    # 1 - r from the difference of squares: no cancellation when r is near 1.
    one_minus_r = (change - (before - after)) * (change + (before - after)) / (2 * product)
    r = 1 - one_minus_r
    # 1e-9 is far above float rounding and far below anything a paper prints.
    return plain(np.where(np.abs(r) <= 1 + 1e-9, np.clip(r, -1, 1), np.nan))


def paired_se(
    sd_1: ArrayLike, sd_2: ArrayLike, n: ArrayLike, correlation: ArrayLike
) -> FloatOrArray:
    """Return the SE of a mean within-person difference: change_sd / sqrt(n).

    Source: Elbourne 2002, Int J Epidemiol 31:140; Cochrane Handbook 23.2.7. Inverse:
    `correlation_from_paired`.
    """
    count = numbers("n", n, at_least=1)
    return se_from_sd(change_sd(sd_1, sd_2, correlation), count)


def correlation_from_paired(
    sd_1: ArrayLike, sd_2: ArrayLike, n: ArrayLike, se: ArrayLike
) -> FloatOrArray:
    """Return the within-person correlation behind a paired SE; inverse of `paired_se`.

    NaN when no correlation gives that SE.


    Source: Cochrane Handbook 23.2.7.
    """
    return correlation_from_change_sd(sd_1, sd_2, sd_from_se(se, n))


def rescale(
    value: ArrayLike,
    se: ArrayLike,
    from_min: ArrayLike,
    from_max: ArrayLike,
    to_min: ArrayLike = 0.0,
    to_max: ArrayLike = 10.0,
) -> Estimate:
    """Return a score (a mean on the scale) and its SE (or SD) on another scale, linearly.

    value' = to_min + f (value - from_min), se' = |f| se, f = (to_max - to_min) / (from_max -
    from_min). For a difference or a change use `rescale_difference`, which has no offset.

    Assumes the two scales measure the same thing with equal steps. A reversed scale (to_min above
    to_max) turns the direction round.


    Inverse: itself with the scales exchanged.

    Examples
    --------
    >>> rescale(58.0, 2.5, 0, 100)
    Estimate(estimate=5.8, se=0.25)
    """
    score, start, end = checked(value=value, from_min=from_min, to_min=to_min)
    moved, spread = rescale_difference(score - start, se, from_min, from_max, to_min, to_max)
    return Estimate(plain(end + moved), spread)


def rescale_difference(
    value: ArrayLike,
    se: ArrayLike,
    from_min: ArrayLike,
    from_max: ArrayLike,
    to_min: ArrayLike = 0.0,
    to_max: ArrayLike = 10.0,
) -> Estimate:
    """Return a difference (or a change) and its SE (or SD) on another scale: both times f.

    f as in `rescale`; a difference has no offset, so the ends matter only through the widths.

    Examples
    --------
    >>> rescale_difference(-12.0, 5.0, 0, 100)
    Estimate(estimate=-1.2, se=0.5)
    """
    low, high, new_low, new_high = checked(
        from_min=from_min, from_max=from_max, to_min=to_min, to_max=to_max
    )
    for name, bottom, top in (("from", low, high), ("to", new_low, new_high)):
        if np.any(bottom == top):
            raise ArgumentError(
                f"{name}_min: {bottom[bottom == top].flat[0]:g} equals {name}_max; "
                "allowed: a scale with a width"
            )
    difference, spread, width, new_width = checked(
        value=value, se=se, width=high - low, new_width=new_high - new_low
    )
    return Estimate(
        plain(difference * new_width / width), plain(spread * np.abs(new_width) / np.abs(width))
    )


class SkewnessTest(NamedTuple):
    """A skewness statistic, its 5% critical value, and whether it is reached."""

    statistic: FloatOrArray
    critical: FloatOrArray
    is_skewed: bool | BoolArray


class _Summary(NamedTuple):
    n: FloatArray
    median: FloatArray
    q1: FloatArray
    q3: FloatArray
    minimum: FloatArray
    maximum: FloatArray

    @property
    def has_quartiles(self) -> BoolArray:
        return np.isfinite(self.q1) & np.isfinite(self.q3)

    @property
    def has_range(self) -> BoolArray:
        return np.isfinite(self.minimum) & np.isfinite(self.maximum)

    def chosen(self, five: FloatArray, quartiles: FloatArray, range_: FloatArray) -> FloatArray:
        """Return, element by element, the value that uses everything that was given."""
        both = self.has_quartiles & self.has_range
        with_one = np.where(
            self.has_quartiles, quartiles, np.where(self.has_range, range_, np.nan)
        )
        return np.where(both, five, with_one)


def mean_from_median(
    n: ArrayLike,
    median: ArrayLike,
    *,
    q1: ArrayLike = np.nan,
    q3: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
    maximum: ArrayLike = np.nan,
) -> FloatOrArray:
    """Return the mean behind a median and its quartiles and/or range.

    A weighted average of median, mid-quartiles and mid-range, the weights best for normal data:

    range      w = 4 / (4 + n^0.75):  w (min + max)/2 + (1 - w) median
    quartiles  w = 0.7 + 0.39/n:      w (q1 + q3)/2 + (1 - w) median
    all five   v = 2.2 / (2.2 + n^0.75), w = 0.7 - 0.72/n^0.55:
               v (min + max)/2 + w (q1 + q3)/2 + (1 - v - w) median


    Source: Luo, Wan, Liu & Tong 2018, Stat Methods Med Res 27:1785, scenarios S1 to S3.

    Examples
    --------
    >>> round(mean_from_median(40, 8, q1=5, q3=12, minimum=2, maximum=20), 6)
    8.667198
    """
    s = _summary(n, median, q1, q3, minimum, maximum)
    mid_range, mid_quartiles = (s.minimum + s.maximum) / 2, (s.q1 + s.q3) / 2
    w_range = 4 / (4 + s.n**0.75)
    w_quartiles = 0.7 + 0.39 / s.n
    v = 2.2 / (2.2 + s.n**0.75)
    w = 0.7 - 0.72 / s.n**0.55
    five = v * mid_range + w * mid_quartiles + (1 - v - w) * s.median
    return plain(
        s.chosen(
            five,
            w_quartiles * mid_quartiles + (1 - w_quartiles) * s.median,
            w_range * mid_range + (1 - w_range) * s.median,
        )
    )


def sd_from_quantiles(
    n: ArrayLike,
    *,
    q1: ArrayLike = np.nan,
    q3: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
    maximum: ArrayLike = np.nan,
) -> FloatOrArray:
    """Return the SD behind an interquartile range and/or a range of normal data.

    With r = Phi^-1((n - 0.375)/(n + 0.25)) and h = Phi^-1((0.75 n - 0.125)/(n + 0.25)):

    range      (max - min) / (2 r), up to n = 50 / the expected range of n standard normals
    quartiles  (q3 - q1) / (2 h)
    both       (max - min) / ((2 + 0.14 n^0.6) r) + (q3 - q1) / ((2 + 2/(0.07 n^0.6)) h)


    Source: Wan, Wang, Liu & Tong 2014, BMC Med Res Methodol 14:135, scenarios C1 and C3 (one of
    the two) with the numbers behind table 1, which is what its authors use up to n = 50 (table 2,
    of quartiles, is met by h to 0.005); Shi, Luo, Weng et al. 2020, Res Synth Methods 11:641
    (both).

    Examples
    --------
    >>> round(sd_from_quantiles(40, q1=5, q3=12, minimum=2, maximum=20), 6)
    4.645538
    """
    s = _summary(n, np.nan, q1, q3, minimum, maximum)
    r = ndtri((s.n - 0.375) / (s.n + 0.25))
    h = ndtri((0.75 * s.n - 0.125) / (s.n + 0.25))
    spread, middle = s.maximum - s.minimum, s.q3 - s.q1
    power = s.n**0.6
    both = spread / ((2 + 0.14 * power) * r) + middle / ((2 + 2 / (0.07 * power)) * h)
    of_range = np.where(
        s.n <= LARGEST_TABLED, expected_range(np.minimum(s.n, LARGEST_TABLED)), 2 * r
    )
    return plain(s.chosen(both, middle / (2 * h), spread / of_range))


# The last sample size of table 1 of Wan 2014.
LARGEST_TABLED = 50.0
# Beyond this many standard deviations no sample of that size reaches (1e-18).
_FARTHEST = 9.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)


def expected_range(n: ArrayLike) -> FloatArray:
    """Return the expected range of n standard normals.

    The integral of 1 - Phi(x)^n - (1 - Phi(x))^n over all x, by Gauss and Legendre.


    Source: Tippett 1925, Biometrika 17:364; table 1 of Wan 2014 prints it to three digits.
    """
    below = ndtr(_FARTHEST * _NODES)
    size = numbers("n", n, at_least=1, at_most=LARGEST_TABLED)[..., np.newaxis]
    beyond = 1 - below**size - (1 - below) ** size
    return np.asarray(_FARTHEST * (beyond @ _WEIGHTS))


def skewness_of_summary(
    n: ArrayLike,
    median: ArrayLike,
    *,
    q1: ArrayLike = np.nan,
    q3: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
    maximum: ArrayLike = np.nan,
) -> SkewnessTest:
    """Return a 5% test, from the summary alone, of whether the median is off the middle.

    With R = |min + max - 2 median| / (max - min) and H = |q1 + q3 - 2 median| / (q3 - q1):

    range      R                                   against 1.01/log(n + 9) + 2.43/(n + 1)
    quartiles  H                                   against 2.66/sqrt(n) - 5.92/n^2
    all five   max(2.65 log(0.6 n)/sqrt(n) R, H)   against 2.97/sqrt(n) - 39.1/n^3

    Not being skewed here is weak evidence in small samples: the test has little power. Below
    five people there are no five numbers: NaN, and not skewed.


    Source: Shi, Luo, Wan et al. 2023, Stat Methods Med Res 32:1338 (arXiv 2010.05749); the null
    rate of 5% is confirmed by simulation in the tests.

    Examples
    --------
    >>> skewness_of_summary(40, 8, q1=5, q3=12, minimum=2, maximum=20).is_skewed
    False
    """
    s = _summary(n, median, q1, q3, minimum, maximum)
    off_range = _off_middle(s.median, s.minimum, s.maximum)
    off_quartiles = _off_middle(s.median, s.q1, s.q3)
    root = np.sqrt(s.n)
    statistic = s.chosen(
        np.maximum(2.65 * np.log(0.6 * s.n) / root * off_range, off_quartiles),
        off_quartiles,
        off_range,
    )
    critical = s.chosen(
        2.97 / root - 39.1 / s.n**3,
        2.66 / root - 5.92 / s.n**2,
        1.01 / np.log(s.n + 9) + 2.43 / (s.n + 1),
    )
    critical = np.where(s.n >= 5, critical, np.nan)
    return SkewnessTest(plain(statistic), plain(critical), truth(statistic > critical))


def _off_middle(median: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    width = np.where(high > low, high - low, np.nan)
    return np.asarray(np.abs(low + high - 2 * median) / width)


def _summary(
    n: ArrayLike,
    median: ArrayLike,
    q1: ArrayLike,
    q3: ArrayLike,
    minimum: ArrayLike,
    maximum: ArrayLike,
) -> _Summary:
    named = {
        "minimum": numbers("minimum", minimum),
        "q1": numbers("q1", q1),
        "median": numbers("median", median),
        "q3": numbers("q3", q3),
        "maximum": numbers("maximum", maximum),
    }
    names = list(named)
    for position, lower in enumerate(names):
        for upper in names[position + 1 :]:
            ordered(lower, named[lower], upper, named[upper])
    count, low, first, middle, third, high = together(n=numbers("n", n, at_least=2), **named)
    return _Summary(count, middle, first, third, low, high)
