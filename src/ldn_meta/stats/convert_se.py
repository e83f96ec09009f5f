"""The standard error behind a printed interval, p-value or test statistic.

Each function inverts the way the printed number was computed, so each states the distribution it
assumes: normal by default (`df=inf`), Student where degrees of freedom are given.
"""

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.values import (
    EffectSize,
    Estimate,
    FloatOrArray,
    Interval,
    effect,
    numbers,
    ordered,
    p_from_statistic,
    plain,
    quantile_from_p,
    together,
    two_sided_quantile,
)


def se_from_ci(
    low: ArrayLike, high: ArrayLike, *, level: ArrayLike = 0.95, df: ArrayLike = np.inf
) -> FloatOrArray:
    """Return the standard error behind a symmetric interval: (high - low) / (2 q).

    q is the two-sided quantile of the level: normal, or Student on `df`. Assumes the interval is
    estimate +- q SE on the scale given; for a ratio use `log_ratio_from_ci`.

    Parameters
    ----------
    low, high : float or array, (...)
        Bounds, in the units of the effect. A printed interval of no width says nothing: NaN.
    level : float or array
        Coverage, strictly between 0 and 1.
    df : float or array
        Degrees of freedom above 0; infinite for the normal.

    Returns
    -------
    float or array, (...)
        Standard error in the units of the bounds.

    Raises
    ------
    ArgumentError
        If low is above high, or a level or df is not allowed.

    Source: Cochrane Handbook 6.3.1 (normal) and 6.5.2.3 (t). Inverse: `ci_from_se`.

    Examples
    --------
    >>> round(se_from_ci(-1.96, 1.96), 3)
    1.0
    """
    lower, upper = numbers("low", low), numbers("high", high)
    ordered("low", lower, "high", upper)
    width = np.where(upper > lower, upper - lower, np.nan)
    return plain(width / (2 * two_sided_quantile(level, df)))


def ci_from_se(
    estimate: ArrayLike, se: ArrayLike, *, level: ArrayLike = 0.95, df: ArrayLike = np.inf
) -> Interval:
    """Return estimate -+ q SE, the interval `se_from_ci` inverts.

    Raises
    ------
    ArgumentError
        If an SE is negative, or a level or df is not allowed.
    """
    centre, spread = together(
        estimate=numbers("estimate", estimate), se=numbers("se", se, at_least=0)
    )
    half = two_sided_quantile(level, df) * spread
    return Interval(plain(centre - half), plain(centre + half))


def se_from_p(
    estimate: ArrayLike, p: ArrayLike, *, df: ArrayLike = np.inf, two_sided: bool = True
) -> FloatOrArray:
    """Return the standard error behind an exact p-value: |estimate| / |quantile of p|.

    Assumes p tests "no difference" with estimate / SE, normal or Student on `df`. Only for p as
    printed to two or more significant digits; rounded or inexact p: `se_interval_from_p`.

    Parameters
    ----------
    estimate : float or array, (...)
        Effect on the scale of the test (log for ratios). An estimate of 0 determines no SE: NaN.
    p : float or array, (...)
        Above 0, at most 1. p = 1 with an estimate other than 0 determines no SE: NaN.
    df : float or array
        Degrees of freedom above 0; infinite for the normal.
    two_sided : bool
        Whether p counts both tails.

    Raises
    ------
    ArgumentError
        If p is 0 (a rounded number), negative or above 1, or a df is not allowed.

    Source: Cochrane Handbook 6.3.1 (normal) and 6.5.2.3 (t). Inverse: `p_from_se`.

    Examples
    --------
    >>> round(se_from_p(-0.6, 0.03), 4)
    0.2765
    """
    size = np.abs(numbers("estimate", estimate))
    chance = numbers("p", p, above=0, at_most=1)
    freedom = numbers("df", df, above=0, finite=False)
    size, chance, freedom = together(estimate=size, p=chance, df=freedom)
    statistic = quantile_from_p(chance, freedom, two_sided=two_sided)
    determined = (size > 0) & (statistic > 0)
    return plain(size / np.where(determined, statistic, np.nan))


def p_from_se(
    estimate: ArrayLike, se: ArrayLike, *, df: ArrayLike = np.inf, two_sided: bool = True
) -> FloatOrArray:
    """Return the p-value of estimate / SE against no difference; inverse of `se_from_p`.

    One-sided p is in the direction of the estimate.

    Raises
    ------
    ArgumentError
        If an SE is not above 0, or a df is not allowed.
    """
    centre, spread, freedom = together(
        estimate=numbers("estimate", estimate),
        se=numbers("se", se, above=0),
        df=numbers("df", df, above=0, finite=False),
    )
    return plain(p_from_statistic(centre / spread, freedom, two_sided=two_sided))


def se_from_statistic(estimate: ArrayLike, statistic: ArrayLike) -> FloatOrArray:
    """Return the standard error behind a printed z or t: |estimate / statistic|.

    For an F on 1 and df degrees of freedom, or a chi-squared on 1, pass its root. NaN where the
    estimate or the statistic is 0.

    Raises
    ------
    ArgumentError
        If the two disagree in sign (a root has no sign: pass it with the sign of the estimate).

    Source: Cochrane Handbook 6.5.2.3.
    """
    centre, ratio = together(
        estimate=numbers("estimate", estimate), statistic=numbers("statistic", statistic)
    )
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

    Raises
    ------
    ArgumentError
        If a ratio or bound is not above 0, low is above high, or a level or df is not allowed.

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


def paired_effect_from_p(
    estimate: ArrayLike, p: ArrayLike, n: ArrayLike, *, two_sided: bool = True
) -> EffectSize:
    """Return a paired difference and its variance from an exact p of a paired t test.

    yi = estimate;  vi = (estimate / t)^2 with t the quantile of p on n - 1 degrees of freedom.

    Assumes a paired t test on `n` complete pairs: not a Wilcoxon, and not a crossover analysis
    with period or sequence in the model (which has fewer degrees of freedom).

    Raises
    ------
    ArgumentError
        If p is not above 0 and at most 1, or n is below 2.

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

    Raises
    ------
    ArgumentError
        If an SE is negative.

    Source: the variance of a difference of independent means.
    """
    d1, s1, d2, s2 = together(
        change_1=numbers("change_1", change_1),
        se_1=numbers("se_1", se_1, at_least=0),
        change_2=numbers("change_2", change_2),
        se_2=numbers("se_2", se_2, at_least=0),
    )
    return Estimate(plain(d1 - d2), plain(np.hypot(s1, s2)))
