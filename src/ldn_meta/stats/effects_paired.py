"""How far apart two measurements of the same people are: MC, SMCC, SMCR.

Condition 1 is treatment (or the later measurement), condition 2 is control (or the earlier one);
`yi` is 1 minus 2. All `n` people have both values; `correlation` is between a person's two values.
"""

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.effects_means import hedges_correction
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.values import EffectSize, effect, numbers, together


def mean_change(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n: ArrayLike,
    correlation: ArrayLike,
) -> EffectSize:
    """Return the mean within-person difference (code MC), in the units of the outcome.

    yi = mean_1 - mean_2;  vi = (sd_1^2 + sd_2^2 - 2 correlation sd_1 sd_2) / n.

    Edge cases, all as metafor: no variance left (both SD 0, or equal SDs with correlation 1)
    gives vi = 0 (which `pool` refuses); n = 1 is computed.

    Raises
    ------
    ArgumentError
        If an SD is negative, n is below 1, or the correlation is outside -1 to 1.

    Source: Elbourne 2002, Int J Epidemiol 31:140; metafor `escalc(measure="MC")`.

    Examples
    --------
    >>> yi, vi = mean_change(26, 30**0.5, 22, 20**0.5, 60, 0.7)
    >>> print(f"{yi:.0f} {vi:.6f}")
    4 0.261786
    """
    m1, s1, m2, s2, count, r = _paired(mean_1, sd_1, mean_2, sd_2, n, correlation)
    return effect(m1 - m2, _change_variance(s1, s2, r) / count)


def standardised_mean_change(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n: ArrayLike,
    correlation: ArrayLike,
) -> EffectSize:
    """Return the change in standard deviations of the change (code SMCC).

    yi = J(n - 1) (mean_1 - mean_2) / sd_change;  vi = 1/n + yi^2 / (2 n).

    Not comparable with g of a parallel trial, which is in standard deviations of the outcome.
    NaN, as metafor, when n is 2 or less or the SD of the change is 0.

    Raises
    ------
    ArgumentError
        If an SD is negative, n is below 1, or the correlation is outside -1 to 1.

    Source: Gibbons, Hedeker & Davis 1993, J Educ Stat 18:271; metafor `escalc(measure="SMCC")`.
    """
    m1, s1, m2, s2, count, r = _paired(mean_1, sd_1, mean_2, sd_2, n, correlation)
    variance = _change_variance(s1, s2, r)
    sd_change = np.sqrt(np.where(variance > 0, variance, np.nan))
    g = hedges_correction(count - 1) * (m1 - m2) / sd_change
    return effect(g, 1 / count + g**2 / (2 * count))


def mean_change_in_first_sd(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    mean_2: ArrayLike,
    n: ArrayLike,
    correlation: ArrayLike,
) -> EffectSize:
    """Return the change in standard deviations of condition 1 (code SMCR).

    yi = J(n - 1) (mean_1 - mean_2) / sd_1;  vi = 2 (1 - correlation) / n + yi^2 / (2 n).

    Pass the baseline as condition 1 for the usual pre-post form (the sign then is pre minus
    post). NaN, as metafor, when n is 2 or less or sd_1 is 0.

    Raises
    ------
    ArgumentError
        If the SD is negative, n is below 1, or the correlation is outside -1 to 1.

    Source: Becker 1988, Br J Math Stat Psychol 41:257; metafor `escalc(measure="SMCR")`.
    """
    m1, s1, m2, _, count, r = _paired(mean_1, sd_1, mean_2, 0.0, n, correlation)
    g = hedges_correction(count - 1) * (m1 - m2) / np.where(s1 > 0, s1, np.nan)
    return effect(g, 2 * (1 - r) / count + g**2 / (2 * count))


def _change_variance(sd_1: FloatArray, sd_2: FloatArray, correlation: FloatArray) -> FloatArray:
    # The binomial form of sd_1^2 + sd_2^2 - 2 r sd_1 sd_2: exactly 0 where it should be, never
    # a small negative number.
    return np.asarray((sd_1 - sd_2) ** 2 + 2 * (1 - correlation) * sd_1 * sd_2)


def _paired(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n: ArrayLike,
    correlation: ArrayLike,
) -> tuple[FloatArray, ...]:
    return together(
        mean_1=numbers("mean_1", mean_1),
        sd_1=numbers("sd_1", sd_1, at_least=0),
        mean_2=numbers("mean_2", mean_2),
        sd_2=numbers("sd_2", sd_2, at_least=0),
        n=numbers("n", n, at_least=1),
        correlation=numbers("correlation", correlation, at_least=-1, at_most=1),
    )
