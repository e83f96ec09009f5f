"""How far apart two independent groups are on a continuous outcome: MD, SMD, ROM.

Group 1 is treatment, group 2 is control; `yi` is 1 minus 2 in the direction of the scale.
Layout of the arguments, each a scalar or an array, all broadcasting together:

    group 1: mean_1, sd_1, n_1        group 2: mean_2, sd_2, n_2
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.values import EffectSize, effect, numbers, together


def hedges_correction(df: ArrayLike) -> FloatArray:
    """Return Hedges' exact small-sample factor J(df); NaN for df of 1 or less.

    J(m) = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), the factor that makes a standardised
    difference unbiased when its standard deviation has m degrees of freedom.

    Source: Hedges 1981, J Educ Stat 6:107, equation 6e (exact form, not 1 - 3/(4m - 1)).
    """
    m = numbers("df", df, finite=False)
    usable = np.where(m > 1, m, np.nan)
    # poch(a, 1/2) is Gamma(a + 1/2) / Gamma(a), without the cancellation of two large logarithms.
    return np.asarray(poch((usable - 1) / 2, 0.5) / np.sqrt(usable / 2))


def mean_difference(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    n_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n_2: ArrayLike,
) -> EffectSize:
    """Return the raw mean difference (code MD), in the units of the outcome.

    yi = mean_1 - mean_2;  vi = sd_1^2 / n_1 + sd_2^2 / n_2 (variances not pooled).

    Edge cases, all as metafor: both SD 0 gives vi = 0 (which `pool` refuses); n = 1 is computed
    from the SD supplied.

    Raises
    ------
    ArgumentError
        If an SD is negative, an n is below 1, or a value is not a finite number.

    Source: Hedges & Olkin 1985; metafor `escalc(measure="MD")`, vtype "LS".

    Examples
    --------
    >>> mean_difference(55, 47, 155, 75, 64, 156)
    EffectSize(yi=-20.0, vi=40.50802315963606)

    Normand 1999, first trial: specialist care shortens the stay by 20 days (SE 6.4).
    """
    m1, s1, n1, m2, s2, n2 = _two_groups(mean_1, sd_1, n_1, mean_2, sd_2, n_2)
    return effect(m1 - m2, s1**2 / n1 + s2**2 / n2)


def standardised_mean_difference(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    n_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n_2: ArrayLike,
) -> EffectSize:
    """Return Hedges' g (code SMD), in pooled standard deviations.

    yi = J(n_1 + n_2 - 2) (mean_1 - mean_2) / sd_pooled
    vi = 1/n_1 + 1/n_2 + yi^2 / (2 (n_1 + n_2)), the large-sample variance with g itself in it.

    Four other variances are in use (RevMan's, Borenstein's, ...) and differ in order 1/N; this is
    metafor's default, vtype "LS".

    Edge cases, all as metafor: pooled SD 0 gives NaN for both members; n_1 + n_2 <= 3 gives NaN
    (J is undefined); n = 1 in one group uses the other group's SD alone.

    Raises
    ------
    ArgumentError
        If an SD is negative, an n is below 1, or a value is not a finite number.

    Source: Hedges 1981, equation 6e; metafor `escalc(measure="SMD")`.

    Examples
    --------
    >>> yi, vi = standardised_mean_difference(55, 47, 155, 75, 64, 156)
    >>> print(f"{yi:.4f} {vi:.4f}")
    -0.3552 0.0131
    """
    m1, s1, n1, m2, s2, n2 = _two_groups(mean_1, sd_1, n_1, mean_2, sd_2, n_2)
    df = n1 + n2 - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled_variance = ((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / df
        sd_pooled = np.where(pooled_variance > 0, np.sqrt(np.abs(pooled_variance)), np.nan)
        g = hedges_correction(df) * (m1 - m2) / sd_pooled
    return effect(g, 1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2)))


def log_ratio_of_means(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    n_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n_2: ArrayLike,
) -> EffectSize:
    """Return the log ratio of means (code ROM), for outcomes with a true zero.

    yi = log(mean_1 / mean_2);  vi = sd_1^2 / (n_1 mean_1^2) + sd_2^2 / (n_2 mean_2^2).

    Edge cases, all as metafor: means of opposite sign, or a mean of 0, give NaN for both
    members; two negative means have a ratio and are computed; SD 0 adds nothing to vi.

    Raises
    ------
    ArgumentError
        If an SD is negative, an n is below 1, or a value is not a finite number.

    Source: Hedges, Gurevitch & Curtis 1999, Ecology 80:1150, equation 1; metafor
    `escalc(measure="ROM")`.
    """
    m1, s1, n1, m2, s2, n2 = _two_groups(mean_1, sd_1, n_1, mean_2, sd_2, n_2)
    defined = m1 * m2 > 0
    m1 = np.where(defined, m1, np.nan)
    m2 = np.where(defined, m2, np.nan)
    return effect(np.log(m1 / m2), s1**2 / (n1 * m1**2) + s2**2 / (n2 * m2**2))


def _two_groups(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    n_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n_2: ArrayLike,
) -> tuple[FloatArray, ...]:
    return together(
        mean_1=numbers("mean_1", mean_1),
        sd_1=numbers("sd_1", sd_1, at_least=0),
        n_1=numbers("n_1", n_1, at_least=1),
        mean_2=numbers("mean_2", mean_2),
        sd_2=numbers("sd_2", sd_2, at_least=0),
        n_2=numbers("n_2", n_2, at_least=1),
    )
