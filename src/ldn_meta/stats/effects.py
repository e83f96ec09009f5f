"""The effect and its variance from the numbers of one trial: one door for every code.

Estimates and variances equal metafor's `escalc`. The zero-cell rule of this file: a table, or a
group, with an empty cell gets half an event in each of its cells; no other table does. Arcsines,
which are defined at 0 and at 1, take the counts as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import signature, unwrap
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    GIANT,
    IN_SDS,
    LARGEST_IN_SDS,
    BoolArray,
    EffectSize,
    FloatArray,
    FloatOrArray,
    FrozenRecord,
    checked,
    column,
    effect,
    formerly,
    from_data,
    known_measure,
    numbers,
    one_of,
    plain,
    yes_or_no,
)

# Half an event, the least biased constant for a log odds: Haldane 1956, Anscombe 1956.
ZERO_CELL_ADDITION = 0.5


@dataclass(frozen=True)
class EffectCode:
    """What one code means: its quantity in words, its formula, and the data it asks for."""

    quantity: str
    formula: Callable[..., EffectSize]
    arguments: tuple[str, ...]
    ignored: tuple[str, ...] = ()


_CODES: dict[str, EffectCode] = {}
EFFECT_CODES: Mapping[str, EffectCode] = MappingProxyType(_CODES)
_Formula = Callable[..., EffectSize]


def _code(
    code: str, quantity: str, *, ignored: tuple[str, ...] = ()
) -> Callable[[_Formula], _Formula]:
    """Enter a formula under its code; it then takes numbers or arrays and refuses what is none."""

    def enter(formula: _Formula) -> _Formula:
        arguments = signature(formula)

        @wraps(formula)
        def of_numbers(*values: ArrayLike, **named: ArrayLike) -> EffectSize:
            return formula(*checked(**arguments.bind(*values, **named).arguments))

        _CODES[code] = EffectCode(quantity, of_numbers, tuple(arguments.parameters), ignored)
        return of_numbers

    return enter


def hedges_correction(df: ArrayLike) -> FloatArray:
    """Return Hedges' exact small-sample factor J(df); NaN for df of 1 or less.

    J(m) = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), the factor that makes a standardised
    difference unbiased when its standard deviation has m degrees of freedom.

    Source: Hedges 1981, J Educ Stat 6:107, equation 6e (exact form, not 1 - 3/(4m - 1)).
    """
    m = numbers("df", df, finite=False)
    usable = np.where((m > 1) & np.isfinite(m), m, np.nan)
    # poch(a, 1/2) is Gamma(a + 1/2) / Gamma(a), without the cancellation of two large logarithms.
    factor = poch((usable - 1) / 2, 0.5) / np.sqrt(usable / 2)
    return np.where(np.isinf(m) & (m > 0), 1.0, factor)


@_code("MD", "mean difference")
def mean_difference(
    mean_1: FloatArray,
    sd_1: FloatArray,
    n_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n_2: FloatArray,
) -> EffectSize:
    """Return the raw mean difference (code MD), in the units of the outcome.

    yi = mean_1 - mean_2;  vi = sd_1^2 / n_1 + sd_2^2 / n_2 (variances not pooled).

    Edge cases, all as metafor: both SD 0 gives vi = 0 (which `pool` refuses); n = 1 is computed
    from the SD supplied.


    Source: Hedges & Olkin 1985; metafor `escalc(measure="MD")`, vtype "LS".

    Examples
    --------
    >>> mean_difference(55, 47, 155, 75, 64, 156)
    EffectSize(yi=-20.0, vi=40.50802315963606)

    Normand 1999, first trial: specialist care shortens the stay by 20 days (SE 6.4).
    """
    return effect(mean_1 - mean_2, sd_1**2 / n_1 + sd_2**2 / n_2)


@_code("SMD", "Hedges' g")
def standardised_mean_difference(
    mean_1: FloatArray,
    sd_1: FloatArray,
    n_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n_2: FloatArray,
) -> EffectSize:
    """Return Hedges' g (code SMD), in pooled standard deviations.

    yi = J(n_1 + n_2 - 2) (mean_1 - mean_2) / sd_pooled
    vi = 1/n_1 + 1/n_2 + yi^2 / (2 (n_1 + n_2)), the large-sample variance with g itself in it.

    Four other variances are in use (RevMan's, Borenstein's, ...) and differ in order 1/N; this is
    metafor's default, vtype "LS".

    Edge cases, all as metafor: pooled SD 0 gives NaN for both members; n_1 + n_2 <= 3 gives NaN
    (J is undefined); n = 1 in one group uses the other group's SD alone.


    Source: Hedges 1981, equation 6e; metafor `escalc(measure="SMD")`.

    Examples
    --------
    >>> yi, vi = standardised_mean_difference(55, 47, 155, 75, 64, 156)
    >>> print(f"{yi:.4f} {vi:.4f}")
    -0.3552 0.0131
    """
    df = n_1 + n_2 - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled_variance = ((n_1 - 1) * sd_1**2 + (n_2 - 1) * sd_2**2) / df
        sd_pooled = np.where(pooled_variance > 0, np.sqrt(np.abs(pooled_variance)), np.nan)
        g = hedges_correction(df) * (mean_1 - mean_2) / sd_pooled
    return effect(g, 1 / n_1 + 1 / n_2 + g**2 / (2 * (n_1 + n_2)))


@_code("SMD1", "Glass's delta", ignored=("sd_1",))
def difference_in_comparator_sd(
    mean_1: FloatArray,
    n_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n_2: FloatArray,
) -> EffectSize:
    """Return Glass's delta (code SMD1), in standard deviations of the comparator.

    yi = J(n_2 - 1) (mean_1 - mean_2) / sd_2;  vi = 1/n_1 + 1/n_2 + yi^2 / (2 n_2).

    NaN when n_2 is 2 or less or sd_2 is 0.


    Source: Hedges 1981; metafor `escalc(measure="SMD1")`.
    """
    g = hedges_correction(n_2 - 1) * (mean_1 - mean_2) / np.where(sd_2 > 0, sd_2, np.nan)
    return effect(g, 1 / n_1 + 1 / n_2 + g**2 / (2 * n_2))


@_code("ROM", "log ratio of means")
def log_ratio_of_means(
    mean_1: FloatArray,
    sd_1: FloatArray,
    n_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n_2: FloatArray,
) -> EffectSize:
    """Return the log ratio of means (code ROM), for outcomes with a true zero.

    yi = log(mean_1 / mean_2);  vi = c_1 + c_2 with c_j = sd_j^2 / (n_j mean_j^2).

    Not corrected for its bias in small samples: `effect_size(..., is_bias_corrected=True)` is.

    Edge cases, all as metafor: means of opposite sign, or a mean of 0, give NaN for both
    members; two negative means have a ratio and are computed; SD 0 adds nothing to vi.


    Source: Hedges, Gurevitch & Curtis 1999, Ecology 80:1150, equation 1; metafor
    `escalc(measure="ROM")`, from version 5 on with `correct=FALSE`.
    """
    defined = mean_1 * mean_2 > 0
    mean_1 = np.where(defined, mean_1, np.nan)
    mean_2 = np.where(defined, mean_2, np.nan)
    of_1, of_2 = (sd_1 / mean_1) ** 2 / n_1, (sd_2 / mean_2) ** 2 / n_2
    return effect(np.log(mean_1 / mean_2), of_1 + of_2)


def _bias_of_log_ratio(
    mean_1: FloatArray,
    sd_1: FloatArray,
    n_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n_2: FloatArray,
) -> FloatArray:
    """Return what the log ratio of means has too little: (c_1 - c_2) / 2, of second order."""
    relative_1, relative_2 = (
        sd / np.where(mean == 0, np.nan, mean) for sd, mean in ((sd_1, mean_1), (sd_2, mean_2))
    )
    return np.asarray((relative_1**2 / n_1 - relative_2**2 / n_2) / 2)


def _change_variance(sd_1: FloatArray, sd_2: FloatArray, correlation: FloatArray) -> FloatArray:
    # The binomial form of sd_1^2 + sd_2^2 - 2 r sd_1 sd_2: exactly 0 where it should be, never
    # a small negative number.
    return np.asarray((sd_1 - sd_2) ** 2 + 2 * (1 - correlation) * sd_1 * sd_2)


@_code("MC", "mean within-person difference")
def mean_change(
    mean_1: FloatArray,
    sd_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n: FloatArray,
    correlation: FloatArray,
) -> EffectSize:
    """Return the mean within-person difference (code MC), in the units of the outcome.

    yi = mean_1 - mean_2;  vi = (sd_1^2 + sd_2^2 - 2 correlation sd_1 sd_2) / n.

    Edge cases, all as metafor: no variance left (both SD 0, or equal SDs with correlation 1)
    gives vi = 0 (which `pool` refuses); n = 1 is computed.


    Source: Elbourne 2002, Int J Epidemiol 31:140; metafor `escalc(measure="MC")`.

    Examples
    --------
    >>> yi, vi = mean_change(26, 30**0.5, 22, 20**0.5, 60, 0.7)
    >>> print(f"{yi:.0f} {vi:.6f}")
    4 0.261786
    """
    return effect(mean_1 - mean_2, _change_variance(sd_1, sd_2, correlation) / n)


@_code("SMCC", "mean change / its SD")
def standardised_mean_change(
    mean_1: FloatArray,
    sd_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n: FloatArray,
    correlation: FloatArray,
) -> EffectSize:
    """Return the change in standard deviations of the change (code SMCC).

    yi = J(n - 1) (mean_1 - mean_2) / sd_change;  vi = 1/n + yi^2 / (2 n).

    Not comparable with g of a parallel trial, which is in standard deviations of the outcome.
    NaN, as metafor, when n is 2 or less or the SD of the change is 0.


    Source: Gibbons, Hedeker & Davis 1993, J Educ Stat 18:271; metafor `escalc(measure="SMCC")`.
    """
    variance = _change_variance(sd_1, sd_2, correlation)
    sd_change = np.sqrt(np.where(variance > 0, variance, np.nan))
    g = hedges_correction(n - 1) * (mean_1 - mean_2) / sd_change
    return effect(g, 1 / n + g**2 / (2 * n))


@_code("SMCR", "mean change / first SD", ignored=("sd_2",))
def mean_change_in_first_sd(
    mean_1: FloatArray,
    sd_1: FloatArray,
    mean_2: FloatArray,
    n: FloatArray,
    correlation: FloatArray,
) -> EffectSize:
    """Return the change in standard deviations of condition 1 (code SMCR).

    yi = J(n - 1) (mean_1 - mean_2) / sd_1;  vi = 2 (1 - correlation) / n + yi^2 / (2 n).

    Pass the baseline as condition 1 for the usual pre-post form (the sign then is pre minus
    post). NaN, as metafor, when n is 2 or less or sd_1 is 0.


    Source: Becker 1988, Br J Math Stat Psychol 41:257; metafor `escalc(measure="SMCR")`.
    """
    g = hedges_correction(n - 1) * (mean_1 - mean_2) / np.where(sd_1 > 0, sd_1, np.nan)
    return effect(g, 2 * (1 - correlation) / n + g**2 / (2 * n))


@_code("SMCRP", "mean change / pooled SD")
def mean_change_in_pooled_sd(
    mean_1: FloatArray,
    sd_1: FloatArray,
    mean_2: FloatArray,
    sd_2: FloatArray,
    n: FloatArray,
    correlation: FloatArray,
) -> EffectSize:
    """Return the within-person difference in standard deviations of the outcome (code SMCRP).

    yi = J(2 (n - 1) / (1 + r^2)) (mean_1 - mean_2) / sqrt((sd_1^2 + sd_2^2) / 2)
    vi = 2 (1 - r) / n + yi^2 (1 + r^2) / (4 n), r the correlation.

    The code for a crossover trial that is to stand beside g of parallel trials. The Cochrane
    Handbook leaves J out and has 2 (1 - r) (1/n + yi^2 / (2 n)); its example, 0.218 with standard
    error 0.256, is 0.204 and 0.256 here. NaN when n is 1 or both SDs are 0.


    Source: Cousineau 2020, Quant Meth Psych 16:418, equation 2; metafor 4
    `escalc(measure="SMCRP")`; Cochrane Handbook 5.1, 16.4.6.4.

    Examples
    --------
    >>> yi, vi = mean_change_in_pooled_sd(7.0, 2.38, 6.5, 2.21, 10, 0.68)
    >>> print(f"{yi:.3f} {vi**0.5:.3f}")
    0.204 0.256
    """
    variance = (sd_1**2 + sd_2**2) / 2
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    shared = 1 + correlation**2
    g = hedges_correction(2 * (n - 1) / shared) * (mean_1 - mean_2) / sd
    return effect(g, 2 * (1 - correlation) / n + g**2 * shared / (4 * n))


@_code("PPC", "difference of two mean changes, each / its first SD")
def pre_post_control(
    change_1: FloatArray,
    sd_1: FloatArray,
    n_1: FloatArray,
    correlation_1: FloatArray,
    change_2: FloatArray,
    sd_2: FloatArray,
    n_2: FloatArray,
    correlation_2: FloatArray,
) -> EffectSize:
    """Return the change of one arm less that of the other, in baseline SDs (code PPC).

    The changes are later minus baseline, the SDs those at baseline, the correlations those of
    baseline with later. It is the difference of two SMCR, and their variances are added: the
    baseline SDs may differ. Morris recommends d_ppc2, with one pooled baseline SD, which is more
    efficient where they are equal.


    Source: Becker 1988; Morris 2008, Organ Res Methods 11:364, d_ppc1; metafor's analysis
    "Morris (2008)", `escalc(measure="SMCR")` for each arm.
    """
    arm_1, arm_2 = (
        EFFECT_CODES["SMCR"].formula(change, sd, 0.0, n, correlation)
        for change, sd, n, correlation in (
            (change_1, sd_1, n_1, correlation_1),
            (change_2, sd_2, n_2, correlation_2),
        )
    )
    return effect(arm_1.yi - arm_2.yi, arm_1.vi + arm_2.vi)


def _has_zero(*cells: FloatArray) -> BoolArray:
    """Return which tables have an empty cell."""
    return np.asarray(np.logical_or.reduce([cell == 0 for cell in cells]))


def corrected_table(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return a, b, c, d of the tables after the zero-cell rule of this file."""
    a, b, c, d = events_1, n_1 - events_1, events_2, n_2 - events_2
    has_zero = _has_zero(a, b, c, d)
    addition = np.where(has_zero, ZERO_CELL_ADDITION, 0.0)
    return a + addition, b + addition, c + addition, d + addition


@_code("RR", "log risk ratio")
def log_risk_ratio(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> EffectSize:
    """Return the log risk ratio (code RR).

    yi = log((events_1 / n_1) / (events_2 / n_2));  vi = 1/events_1 - 1/n_1 + 1/events_2 - 1/n_2,
    after the zero-cell rule of this file.


    Source: Katz 1978, Biometrics 34:469; metafor `escalc(measure="RR")`.
    """
    a, b, c, d = corrected_table(events_1, n_1, events_2, n_2)
    n1, n2 = a + b, c + d
    return effect(np.log(a / n1) - np.log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2)


@_code("OR", "log odds ratio")
def log_odds_ratio(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> EffectSize:
    """Return the log odds ratio (code OR).

    yi = log(a d / (b c));  vi = 1/a + 1/b + 1/c + 1/d, after the zero-cell rule of this file.


    Source: Woolf 1955, Ann Hum Genet 19:251; metafor `escalc(measure="OR")`.
    """
    a, b, c, d = corrected_table(events_1, n_1, events_2, n_2)
    return effect(np.log(a / b) - np.log(c / d), 1 / a + 1 / b + 1 / c + 1 / d)


@_code("RD", "risk difference")
def risk_difference(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> EffectSize:
    """Return the risk difference (code RD), a difference of proportions (0-1).

    yi = p_1 - p_2;  vi = p_1 (1 - p_1) / n_1 + p_2 (1 - p_2) / n_2, after the zero-cell rule of
    this file (which moves the estimate as well; use counts directly for a plain description).


    Source: metafor `escalc(measure="RD")`.
    """
    a, b, c, d = corrected_table(events_1, n_1, events_2, n_2)
    n1, n2 = a + b, c + d
    return effect(a / n1 - c / n2, a * b / n1**3 + c * d / n2**3)


@_code("AS", "arcsine risk difference")
def arcsine_difference(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> EffectSize:
    """Return the arcsine risk difference (code AS), in radians.

    yi = asin(sqrt(p_1)) - asin(sqrt(p_2));  vi = 1/(4 n_1) + 1/(4 n_2). Nothing is added where a
    cell is 0: the arcsine needs nothing there.


    Source: Ruecker 2009, Stat Med 28:721; metafor `escalc(measure="AS")`.
    """
    return effect(
        np.arcsin(np.sqrt(events_1 / n_1)) - np.arcsin(np.sqrt(events_2 / n_2)),
        1 / (4 * n_1) + 1 / (4 * n_2),
    )


@_code("PETO", "Peto's log odds ratio")
def peto_log_odds_ratio(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> EffectSize:
    """Return Peto's one-step log odds ratio of one table (code PETO).

    yi = (O - E) / V and vi = 1 / V with O = events_1, E its hypergeometric mean and V its
    hypergeometric variance, after the zero-cell rule of this file. Biased for large effects or
    unequal arms. For a Peto pool without the correction use `peto`.


    Source: Yusuf 1985, Prog Cardiovasc Dis 27:335; metafor `escalc(measure="PETO")`.
    """
    a, b, c, d = corrected_table(events_1, n_1, events_2, n_2)
    observed_minus_expected, variance = hypergeometric_score(a, a + b, c, c + d)
    return effect(observed_minus_expected / variance, 1 / variance)


def hypergeometric_score(
    events_1: FloatArray, n_1: FloatArray, events_2: FloatArray, n_2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return O - E and V of `events_1` given all margins of the table; V is NaN when N <= 1."""
    total = n_1 + n_2
    events = events_1 + events_2
    expected = n_1 * events / total
    usable = np.where(total > 1, total, np.nan)
    variance = n_1 * n_2 * events * (total - events) / (usable**2 * (usable - 1))
    return events_1 - expected, variance


@_code("IRR", "log incidence-rate ratio")
def log_rate_ratio(
    events_1: FloatArray, time_1: FloatArray, events_2: FloatArray, time_2: FloatArray
) -> EffectSize:
    """Return the log incidence-rate ratio (code IRR) from events and person-time.

    yi = log((events_1 / time_1) / (events_2 / time_2));  vi = 1/events_1 + 1/events_2.
    If either count is 0, 0.5 is added to both (that trial only). The unit of time cancels.


    Source: Rothman, Greenland & Lash 2008, chapter 14; metafor `escalc(measure="IRR")`.
    """
    has_zero = _has_zero(events_1, events_2)
    addition = np.where(has_zero, ZERO_CELL_ADDITION, 0.0)
    x1, x2 = events_1 + addition, events_2 + addition
    return effect(np.log(x1 / time_1) - np.log(x2 / time_2), 1 / x1 + 1 / x2)


def _corrected_counts(events: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    others = n - events
    addition = np.where(_has_zero(events, others), ZERO_CELL_ADDITION, 0.0)
    return events + addition, others + addition


@_code("PR", "proportion")
def raw_proportion(events: FloatArray, n: FloatArray) -> EffectSize:
    """Return the proportion itself (code PR), 0-1: yi = p, vi = p (1 - p) / n.

    With 0 or n events both members use the corrected counts (zero rule of this file), so yi is
    not exactly 0 or 1; `wilson_interval` describes a single group better.


    Source: metafor `escalc(measure="PR")`.
    """
    yes, no = _corrected_counts(events, n)
    total = yes + no
    return effect(yes / total, yes * no / total**3)


@_code("PLO", "log odds")
def logit_proportion(events: FloatArray, n: FloatArray) -> EffectSize:
    """Return the log odds (code PLO): yi = log(events / (n - events)), vi the sum of reciprocals.

    Source: metafor `escalc(measure="PLO")`; back with `proportion_from_logit`.
    """
    yes, no = _corrected_counts(events, n)
    return effect(np.log(yes / no), 1 / yes + 1 / no)


@_code("PAS", "arcsine proportion")
def arcsine_proportion(events: FloatArray, n: FloatArray) -> EffectSize:
    """Return the arcsine of the root (code PAS): yi = asin(sqrt(p)), vi = 1 / (4 n), radians.

    Source: metafor `escalc(measure="PAS")`; back with `proportion_from_arcsine`.
    """
    return effect(np.arcsin(np.sqrt(events / n)), 1 / (4 * n))


@_code("PFT", "Freeman-Tukey proportion")
def freeman_tukey_proportion(events: FloatArray, n: FloatArray) -> EffectSize:
    """Return the double arcsine of Freeman and Tukey (code PFT), radians.

    yi = (asin(sqrt(x / (n + 1))) + asin(sqrt((x + 1) / (n + 1)))) / 2;  vi = 1 / (4 n + 2).

    Half the sum, as metafor and Miller 1978; some programs use the whole sum with 1 / (n + 0.5).


    Source: Freeman & Tukey 1950, Ann Math Stat 21:607; metafor `escalc(measure="PFT")`; back with
    `proportion_from_freeman_tukey`.
    """
    angle = np.arcsin(np.sqrt(events / (n + 1))) + np.arcsin(np.sqrt((events + 1) / (n + 1)))
    return effect(angle / 2, 1 / (4 * n + 2))


DOUBLE_ZERO = ("keep", "drop")


@formerly("code", "measure")
def effect_size(
    measure: str,
    *,
    double_zero: str = "keep",
    is_bias_corrected: bool = False,
    data: Any = None,
    **values: Any,
) -> EffectSize:
    """Return the observed effect `yi` and its sampling variance `vi` for one measure.

    Group 1 is the treatment, group 2 the comparator; `yi` is 1 minus 2, or the log of 1 over 2.

    Parameters
    ----------
    measure : str
        MD SMD SMD1 ROM - two groups: mean_1 sd_1 n_1 mean_2 sd_2 n_2 (SMD1 does not use sd_1).
        MC SMCC SMCR SMCRP - paired: mean_1 sd_1 mean_2 sd_2 n correlation (SMCR does not use
        sd_2).
        PPC - two groups before and after: change_1 sd_1 n_1 correlation_1, and the same with 2.
        RR OR RD AS PETO - 2x2 table: events_1 n_1 events_2 n_2.
        IRR - rates: events_1 time_1 events_2 time_2.
        PR PLO PAS PFT - one group: events n.
    double_zero : {"keep", "drop"}
        What becomes of tables that cannot compare: without an event in either group or, where
        there are non-events, with nothing else. "keep" makes an effect of the correction alone,
        as metafor does; "drop" gives NaN, which a pool leaves out (metafor's `drop00=TRUE`).
        `notes` tells of either.
    is_bias_corrected : bool
        For ROM: whether half of sd_1^2 / (n_1 mean_1^2) - sd_2^2 / (n_2 mean_2^2) is added to yi,
        as metafor does from version 5 on (Lajeunesse 2015, Ecology 96:2056). vi stays.
    data : pandas.DataFrame or mapping, optional
        Table of which the arguments below may be given as names of columns.
    **values : float, array (...) or str
        The arguments listed for the measure; scalars or arrays that broadcast together. NaN is
        missing, and each of yi and vi is NaN if a value it needs is missing.

    Returns
    -------
    EffectSize
        ``yi, vi``, floats if every input was a scalar, else arrays of the broadcast shape. RR,
        OR, PETO, IRR and ROM are on the log scale, PLO on the log-odds scale. It unpacks to two;
        its `notes` tell of corrections, tables dropped, and effects that are hard to believe.

    Raises
    ------
    ArgumentError
        Unknown measure; an argument missing, unknown or not allowed (negative SD, events above n,
        n of 0, a string, an infinity); shapes that do not broadcast.

    Notes
    -----
    Zero cells get 0.5 in every cell of that table only, not for AS. What is undefined is NaN; see
    the formula's own function (``EFFECT_CODES[code].formula``) for its edge cases and source.

    Examples
    --------
    >>> yi, vi = effect_size("RR", events_1=4, n_1=123, events_2=11, n_2=139)
    >>> print(f"{yi:.4f} {vi:.4f}")
    -0.8893 0.3256
    """
    measure = known_measure(measure, EFFECT_CODES)
    entry = EFFECT_CODES[measure]
    one_of("double_zero", double_zero, DOUBLE_ZERO)
    if yes_or_no("is_bias_corrected", is_bias_corrected) and measure != "ROM":
        raise ArgumentError(f"is_bias_corrected=True: not used by {measure!r}; allowed: for 'ROM'")
    missing = [name for name in entry.arguments if name not in values]
    unknown = [name for name in values if name not in entry.arguments + entry.ignored]
    if missing or unknown:
        problems = [f"missing {', '.join(missing)}"] if missing else []
        problems += [f"not used by it {', '.join(unknown)}"] if unknown else []
        raise ArgumentError(
            f"measure {measure!r}: {'; '.join(problems)}; allowed: {', '.join(entry.arguments)}"
        )
    if data is not None:
        values = {name: column(data, name, value) for name, value in values.items()}
    given = checked(**{name: values[name] for name in entry.arguments})
    return _with_notes(
        measure,
        dict(zip(entry.arguments, given, strict=True)),
        unwrap(entry.formula)(*given),
        drops=double_zero == "drop",
        is_bias_corrected=is_bias_corrected,
    )


def _with_notes(
    measure: str,
    data: dict[str, FloatArray],
    found: EffectSize,
    *,
    drops: bool,
    is_bias_corrected: bool,
) -> EffectSize:
    """Apply what was asked of all effects of a call, and tell of it."""
    yi, vi = np.asarray(found.yi), np.asarray(found.vi)
    notes: list[str] = []

    def tell(of: BoolArray, sentence: str) -> None:
        count, all_ = int(np.count_nonzero(of)), of.size
        if count:
            notes.append(f"{count} of {all_}: {sentence}" if all_ > 1 else sentence)

    empty, useless = _empty_cells(measure, data)
    if drops and useless.any():
        yi, vi = np.where(useless, np.nan, yi), np.where(useless, np.nan, vi)
        tell(useless, "events in nobody or in everybody of both groups, so it was dropped (NaN)")
        empty = empty & ~useless
    tell(empty, "0.5 was added to each count, because one is 0")
    if not drops:
        made = "0" if measure == "AS" else "made of the 0.5 alone"
        tell(
            useless,
            f"events in nobody or in everybody of both groups, so the effect is {made}; "
            'double_zero="drop" leaves it out',
        )
    if measure == "ROM":
        if is_bias_corrected:
            yi = yi + _bias_of_log_ratio(**data)
        notes.append(
            "the log ratio of means is "
            + ("corrected" if is_bias_corrected else "not corrected (is_bias_corrected)")
            + " for its bias in small samples"
        )
    if measure in IN_SDS:
        tell(np.abs(yi) > LARGEST_IN_SDS, GIANT)
    there = np.logical_and.reduce([np.isfinite(x) for x in data.values()])
    dropped = useless if drops else np.zeros_like(useless)
    tell(there & np.isnan(yi) & ~dropped, "the formula gives no effect of these numbers: NaN")
    return effect(yi, vi).noted(*notes)


def _empty_cells(measure: str, data: dict[str, FloatArray]) -> tuple[BoolArray, BoolArray]:
    """Return which effects got 0.5 for an empty cell, and which compare nobody with anybody."""
    nothing = np.zeros(np.shape(next(iter(data.values()))), dtype=np.bool_)
    if measure in ("PR", "PLO"):
        return _has_zero(data["events"], data["n"] - data["events"]), nothing
    if "events_2" not in data:
        return nothing, nothing
    a, c = data["events_1"], data["events_2"]
    nobody = (a == 0) & (c == 0)
    if "n_1" not in data:
        return _has_zero(a, c), nobody
    b, d = data["n_1"] - a, data["n_2"] - c
    nobody |= (b == 0) & (d == 0)
    return nothing if measure == "AS" else _has_zero(a, b, c, d), nobody


def _logit_difference(p1: FloatArray, p2: FloatArray, cov: FloatArray) -> _Moments:
    v1, v2 = p1 * (1 - p1), p2 * (1 - p2)
    return np.log(p1 / (1 - p1)) - np.log(p2 / (1 - p2)), 1 / v1 + 1 / v2 - 2 * cov / (v1 * v2)


def _log_difference(p1: FloatArray, p2: FloatArray, cov: FloatArray) -> _Moments:
    return np.log(p1) - np.log(p2), (1 - p1) / p1 + (1 - p2) / p2 - 2 * cov / (p1 * p2)


def _plain_difference(p1: FloatArray, p2: FloatArray, cov: FloatArray) -> _Moments:
    return p1 - p2, p1 * (1 - p1) + p2 * (1 - p2) - 2 * cov


# A paired effect, and its variance times the people, from two shares and their covariance.
_Moments = tuple[FloatArray, FloatArray]
_OF_PAIRS: Mapping[str, Callable[[FloatArray, FloatArray, FloatArray], _Moments]] = (
    MappingProxyType({"OR": _logit_difference, "RR": _log_difference, "RD": _plain_difference})
)
MATCHED_CODES = ("MPRD", "MPRR", "MPOR", "MPORC", "MPPETO")


@dataclass(frozen=True, eq=False)
class MarginalEffect(FrozenRecord):
    """A paired effect from the margins alone, with the correlation its variance rests on."""

    measure: str
    yi: FloatOrArray
    vi: FloatOrArray
    correlation: FloatOrArray
    is_unpaired: bool
    notes: tuple[str, ...]


@from_data("events_1", "events_2", "n")
def marginal_effect(
    measure: str,
    events_1: ArrayLike,
    events_2: ArrayLike,
    n: ArrayLike,
    *,
    data: Any = None,
    correlation: ArrayLike | None = None,
) -> MarginalEffect:
    """Return a marginal OR, RR or RD of paired data from the events under each condition.

    With p_j = events_j / n, q_j = 1 - p_j and D = phi sqrt(p_1 q_1 p_2 q_2):

    OR  logit p_1 - logit p_2    vi = (1/(p_1 q_1) + 1/(p_2 q_2) - 2 D/(p_1 q_1 p_2 q_2)) / n
    RR  log p_1 - log p_2        vi = (q_1/p_1 + q_2/p_2 - 2 D/(p_1 p_2)) / n
    RD  p_1 - p_2                vi = (p_1 q_1 + p_2 q_2 - 2 D) / n

    They estimate what a parallel trial estimates, so both can enter one pool. If a condition has
    no event or no non-event, 0.5 is added to events and non-events of both.


    Source: Becker & Balagtas 1993, Biometrics 49:997; Elbourne 2002, Int J Epidemiol 31:140;
    Stedman 2011, J Clin Epidemiol 64:1235.

    Examples
    --------
    >>> result = marginal_effect("OR", 30, 25, 55, correlation=0.4667)
    >>> print(f"{result.yi:.6f} {result.vi:.4f}")
    0.364643 0.0782
    """
    one_of("measure", measure, tuple(_OF_PAIRS))
    given = 0.0 if correlation is None else correlation
    x1, x2, size, phi = checked(events_1=events_1, events_2=events_2, n=n, correlation=given)
    is_bare = (x1 == 0) | (x2 == 0) | (x1 == size) | (x2 == size)
    addition = np.where(is_bare, ZERO_CELL_ADDITION, 0.0)
    total = size + 2 * addition
    p1, p2 = (x1 + addition) / total, (x2 + addition) / total
    covariance = phi * np.sqrt(p1 * (1 - p1) * p2 * (1 - p2))
    both = p1 * p2 + covariance
    # The share of people with both events cannot leave what the margins allow.
    slack = 1e-9
    possible = (both <= np.minimum(p1, p2) + slack) & (both >= np.maximum(0, p1 + p2 - 1) - slack)
    yi, per_person = _OF_PAIRS[measure](p1, p2, covariance)
    found = effect(yi, np.where(possible, np.maximum(per_person / total, 0), np.nan))
    notes = [
        "The variance rests on the within-person correlation that was passed."
        if correlation is not None
        else "The variance ignores that both conditions are the same people; if their answers "
        "correlate positively it is too large (conservative)."
    ]
    if np.any(is_bare):
        notes.append("A condition had no event or no non-event: 0.5 was added to all four counts.")
    if np.any(~possible & ~np.isnan(both)):
        notes.append("The margins cannot have the correlation passed, so the variance is NaN.")
    return MarginalEffect(
        measure=measure,
        yi=found.yi,
        vi=found.vi,
        correlation=plain(phi),
        is_unpaired=correlation is None,
        notes=tuple(notes),
    )


@formerly("code", "measure")
@from_data("both", "only_1", "only_2", "neither")
def matched_effect(
    measure: str,
    both: ArrayLike,
    only_1: ArrayLike,
    only_2: ArrayLike,
    neither: ArrayLike,
    *,
    data: Any = None,
) -> EffectSize:
    """Return an effect and its variance from the full table of pairs.

    MPRD    difference of the two proportions
    MPRR    log ratio of the two proportions
    MPOR    log ratio of the two odds (marginal)
    MPORC   log(only_1 / only_2), the conditional log odds ratio;  vi = 1/only_1 + 1/only_2
    MPPETO  2 (only_1 - only_2) / (only_1 + only_2), Peto's;  vi = 4 / (only_1 + only_2)

    If any cell is 0, 0.5 is added to all four cells of that table, for every code.


    Source: metafor `escalc` of the same codes; Elbourne 2002; Zou 2007, Stat Med 26:1698.

    Examples
    --------
    >>> yi, vi = matched_effect("MPOR", 20, 10, 5, 20)
    >>> print(f"{yi:.6f} {vi:.7f}")
    0.364643 0.0782222
    """
    measure = known_measure(measure, MATCHED_CODES)
    a, b, c, d = _pairs(both, only_1, only_2, neither)
    has_zero = _has_zero(a, b, c, d)
    a, b, c, d = (cell + np.where(has_zero, ZERO_CELL_ADDITION, 0.0) for cell in (a, b, c, d))
    total = a + b + c + d
    if measure == "MPORC":
        yi, vi = np.log(b / c), 1 / b + 1 / c
    elif measure == "MPPETO":
        yi, vi = 2 * (b - c) / (b + c), 4 / (b + c)
    else:
        yi, per_person = _OF_PAIRS[measure.removeprefix("MP")](
            (a + b) / total, (a + c) / total, (a * d - b * c) / total**2
        )
        vi = per_person / total
    count = int(np.count_nonzero(has_zero))
    return effect(yi, vi).noted(
        *([f"0.5 was added to the four cells of {count} of {has_zero.size} tables"] * (count > 0))
    )


@from_data("both", "only_1", "only_2", "neither")
def within_person_correlation(
    both: ArrayLike, only_1: ArrayLike, only_2: ArrayLike, neither: ArrayLike, *, data: Any = None
) -> FloatOrArray:
    """Return phi of the table of pairs: the correlation `marginal_effect` asks for.

    (both neither - only_1 only_2) / sqrt(product of the four margins); NaN if a margin is 0.
    """
    a, b, c, d = _pairs(both, only_1, only_2, neither)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    return plain((a * d - b * c) / np.sqrt(np.where(margins > 0, margins, np.nan)))


def _pairs(
    both: ArrayLike, only_1: ArrayLike, only_2: ArrayLike, neither: ArrayLike
) -> tuple[FloatArray, ...]:
    cells = checked(both=both, only_1=only_1, only_2=only_2, neither=neither)
    numbers("both + only_1 + only_2 + neither", np.sum(cells, axis=0), above=0)
    return cells
