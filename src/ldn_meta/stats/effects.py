"""The effect and its variance from the numbers of one trial: one door for every code.

The formulas live beside this file, one function each: `effects_means`, `effects_paired`,
`effects_counts`, `effects_single`. Their estimates and variances equal metafor's `escalc`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import EffectSize, FloatArray, effect, numbers, one_of, together

# Half an event, the least biased constant for a log odds: Haldane 1956, Anscombe 1956.
ZERO_CELL_ADDITION = 0.5


def checked_events(
    events: ArrayLike, n: ArrayLike, *, events_name: str = "events", n_name: str = "n"
) -> tuple[FloatArray, FloatArray]:
    """Return events and n as arrays, refused by name unless 0 <= events <= n and n >= 1."""
    count = numbers(events_name, events, at_least=0)
    size = numbers(n_name, n, at_least=1)
    count, size = together(**{events_name: count, n_name: size})
    wrong = count > size
    if np.any(wrong):
        raise ArgumentError(
            f"{events_name}: {count[wrong].flat[0]:g} is above {n_name} {size[wrong].flat[0]:g}; "
            f"allowed: {events_name} <= {n_name}"
        )
    return count, size


def log_risk_ratio(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> EffectSize:
    """Return the log risk ratio (code RR).

    yi = log((events_1 / n_1) / (events_2 / n_2));  vi = 1/events_1 - 1/n_1 + 1/events_2 - 1/n_2,
    after the zero-cell rule of this file.


    Source: Katz 1978, Biometrics 34:469; metafor `escalc(measure="RR")`.
    """
    a, b, c, d = _corrected_table(events_1, n_1, events_2, n_2)
    n1, n2 = a + b, c + d
    return effect(np.log(a / n1) - np.log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2)


def log_odds_ratio(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> EffectSize:
    """Return the log odds ratio (code OR).

    yi = log(a d / (b c));  vi = 1/a + 1/b + 1/c + 1/d, after the zero-cell rule of this file.


    Source: Woolf 1955, Ann Hum Genet 19:251; metafor `escalc(measure="OR")`.
    """
    a, b, c, d = _corrected_table(events_1, n_1, events_2, n_2)
    return effect(np.log(a / b) - np.log(c / d), 1 / a + 1 / b + 1 / c + 1 / d)


def risk_difference(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> EffectSize:
    """Return the risk difference (code RD), a difference of proportions (0-1).

    yi = p_1 - p_2;  vi = p_1 (1 - p_1) / n_1 + p_2 (1 - p_2) / n_2, after the zero-cell rule of
    this file (which moves the estimate as well; use counts directly for a plain description).


    Source: metafor `escalc(measure="RD")`.
    """
    a, b, c, d = _corrected_table(events_1, n_1, events_2, n_2)
    n1, n2 = a + b, c + d
    return effect(a / n1 - c / n2, a * b / n1**3 + c * d / n2**3)


def arcsine_difference(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> EffectSize:
    """Return the arcsine risk difference (code AS), in radians.

    yi = asin(sqrt(p_1)) - asin(sqrt(p_2));  vi = 1/(4 n_1) + 1/(4 n_2).

    The zero-cell rule of this file applies although the arcsine needs none: all codes share one
    rule. `escalc(measure="AS")` called without `add` leaves zeros alone and differs there.


    Source: Ruecker 2009, Stat Med 28:721; metafor `escalc(measure="AS", add=1/2, to="only0")`.
    """
    a, b, c, d = _corrected_table(events_1, n_1, events_2, n_2)
    n1, n2 = a + b, c + d
    return effect(
        np.arcsin(np.sqrt(a / n1)) - np.arcsin(np.sqrt(c / n2)), 1 / (4 * n1) + 1 / (4 * n2)
    )


def peto_log_odds_ratio(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> EffectSize:
    """Return Peto's one-step log odds ratio of one table (code PETO).

    yi = (O - E) / V and vi = 1 / V with O = events_1, E its hypergeometric mean and V its
    hypergeometric variance, after the zero-cell rule of this file. Biased for large effects or
    unequal arms. For a Peto pool without the correction use `peto`.


    Source: Yusuf 1985, Prog Cardiovasc Dis 27:335; metafor `escalc(measure="PETO")`.
    """
    a, b, c, d = _corrected_table(events_1, n_1, events_2, n_2)
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


def log_rate_ratio(
    events_1: ArrayLike, time_1: ArrayLike, events_2: ArrayLike, time_2: ArrayLike
) -> EffectSize:
    """Return the log incidence-rate ratio (code IRR) from events and person-time.

    yi = log((events_1 / time_1) / (events_2 / time_2));  vi = 1/events_1 + 1/events_2.
    If either count is 0, 0.5 is added to both (that trial only). The unit of time cancels.


    Source: Rothman, Greenland & Lash 2008, chapter 14; metafor `escalc(measure="IRR")`.
    """
    x1, t1, x2, t2 = together(
        events_1=numbers("events_1", events_1, at_least=0),
        time_1=numbers("time_1", time_1, above=0),
        events_2=numbers("events_2", events_2, at_least=0),
        time_2=numbers("time_2", time_2, above=0),
    )
    addition = np.where((x1 == 0) | (x2 == 0), ZERO_CELL_ADDITION, 0.0)
    x1, x2 = x1 + addition, x2 + addition
    return effect(np.log(x1 / t1) - np.log(x2 / t2), 1 / x1 + 1 / x2)


def _corrected_table(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    a, n1 = checked_events(events_1, n_1, events_name="events_1", n_name="n_1")
    c, n2 = checked_events(events_2, n_2, events_name="events_2", n_name="n_2")
    a, n1, c, n2 = together(events_1=a, n_1=n1, events_2=c, n_2=n2)
    b, d = n1 - a, n2 - c
    has_zero = (a == 0) | (b == 0) | (c == 0) | (d == 0)
    addition = np.where(has_zero, ZERO_CELL_ADDITION, 0.0)
    return a + addition, b + addition, c + addition, d + addition


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


def raw_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the proportion itself (code PR), 0-1: yi = p, vi = p (1 - p) / n.

    With 0 or n events both members use the corrected counts (zero rule of this file), so yi is
    not exactly 0 or 1; `wilson_interval` describes a single group better.


    Source: metafor `escalc(measure="PR")`.
    """
    yes, no = _corrected_counts(events, n)
    total = yes + no
    return effect(yes / total, yes * no / total**3)


def logit_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the log odds (code PLO): yi = log(events / (n - events)), vi the sum of reciprocals.

    Source: metafor `escalc(measure="PLO")`; back with `proportion_from_logit`.
    """
    yes, no = _corrected_counts(events, n)
    return effect(np.log(yes / no), 1 / yes + 1 / no)


def arcsine_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the arcsine of the root (code PAS): yi = asin(sqrt(p)), vi = 1 / (4 n), radians.

    Source: metafor `escalc(measure="PAS")`; back with `proportion_from_arcsine`.
    """
    count, size = checked_events(events, n)
    return effect(np.arcsin(np.sqrt(count / size)), 1 / (4 * size))


def freeman_tukey_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the double arcsine of Freeman and Tukey (code PFT), radians.

    yi = (asin(sqrt(x / (n + 1))) + asin(sqrt((x + 1) / (n + 1)))) / 2;  vi = 1 / (4 n + 2).

    Half the sum, as metafor and Miller 1978; some programs use the whole sum with 1 / (n + 0.5).


    Source: Freeman & Tukey 1950, Ann Math Stat 21:607; metafor `escalc(measure="PFT")`; back with
    `proportion_from_freeman_tukey`.
    """
    x, size = checked_events(events, n)
    angle = np.arcsin(np.sqrt(x / (size + 1))) + np.arcsin(np.sqrt((x + 1) / (size + 1)))
    return effect(angle / 2, 1 / (4 * size + 2))


def _corrected_counts(events: ArrayLike, n: ArrayLike) -> tuple[FloatArray, FloatArray]:
    count, size = checked_events(events, n)
    others = size - count
    addition = np.where((count == 0) | (others == 0), ZERO_CELL_ADDITION, 0.0)
    return count + addition, others + addition


__all__ = [
    "EFFECT_CODES",
    "EffectCode",
    "EffectSize",
    "arcsine_difference",
    "arcsine_proportion",
    "effect_size",
    "freeman_tukey_proportion",
    "hedges_correction",
    "log_odds_ratio",
    "log_rate_ratio",
    "log_ratio_of_means",
    "log_risk_ratio",
    "logit_proportion",
    "mean_change",
    "mean_change_in_first_sd",
    "mean_difference",
    "peto_log_odds_ratio",
    "raw_proportion",
    "risk_difference",
    "standardised_mean_change",
    "standardised_mean_difference",
]


@dataclass(frozen=True)
class EffectCode:
    """What one code means: its quantity in words, its formula, and the data it asks for."""

    quantity: str
    formula: Callable[..., EffectSize]
    arguments: tuple[str, ...]
    ignored: tuple[str, ...] = ()


_MEANS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
_PAIRED = ("mean_1", "sd_1", "mean_2", "sd_2", "n", "correlation")
_TABLE = ("events_1", "n_1", "events_2", "n_2")
_RATES = ("events_1", "time_1", "events_2", "time_2")
_SINGLE = ("events", "n")

EFFECT_CODES: Mapping[str, EffectCode] = MappingProxyType(
    {
        "MD": EffectCode("mean difference", mean_difference, _MEANS),
        "SMD": EffectCode("Hedges' g", standardised_mean_difference, _MEANS),
        "ROM": EffectCode("log ratio of means", log_ratio_of_means, _MEANS),
        "MC": EffectCode("mean within-person difference", mean_change, _PAIRED),
        "SMCC": EffectCode("mean change / its SD", standardised_mean_change, _PAIRED),
        "SMCR": EffectCode(
            "mean change / first SD",
            mean_change_in_first_sd,
            ("mean_1", "sd_1", "mean_2", "n", "correlation"),
            ignored=("sd_2",),
        ),
        "RR": EffectCode("log risk ratio", log_risk_ratio, _TABLE),
        "OR": EffectCode("log odds ratio", log_odds_ratio, _TABLE),
        "RD": EffectCode("risk difference", risk_difference, _TABLE),
        "AS": EffectCode("arcsine risk difference", arcsine_difference, _TABLE),
        "PETO": EffectCode("Peto's log odds ratio", peto_log_odds_ratio, _TABLE),
        "IRR": EffectCode("log incidence-rate ratio", log_rate_ratio, _RATES),
        "PR": EffectCode("proportion", raw_proportion, _SINGLE),
        "PLO": EffectCode("log odds", logit_proportion, _SINGLE),
        "PAS": EffectCode("arcsine proportion", arcsine_proportion, _SINGLE),
        "PFT": EffectCode("Freeman-Tukey proportion", freeman_tukey_proportion, _SINGLE),
    }
)


def effect_size(code: str, **data: Any) -> EffectSize:
    """Return the observed effect `yi` and its sampling variance `vi` for one code.

    Group 1 is LDN, group 2 the comparator, and `yi` is 1 minus 2 (or the log of 1 over 2).

    Parameters
    ----------
    code : str
        MD SMD ROM - two groups: mean_1 sd_1 n_1 mean_2 sd_2 n_2.
        MC SMCC SMCR - paired: mean_1 sd_1 mean_2 sd_2 n correlation (SMCR does not use sd_2).
        RR OR RD AS PETO - 2x2 table: events_1 n_1 events_2 n_2.
        IRR - rates: events_1 time_1 events_2 time_2.
        PR PLO PAS PFT - one group: events n.
    **data : float or array, (...)
        The arguments listed for the code; scalars or arrays that broadcast together. NaN is
        missing, and each of yi and vi is NaN if a value it needs is missing.

    Returns
    -------
    EffectSize
        ``(yi, vi)``, floats if every input was a scalar, else arrays of the broadcast shape. RR,
        OR, PETO, IRR and ROM are on the log scale, PLO on the log-odds scale.

    Raises
    ------
    ArgumentError
        Unknown code; an argument missing, unknown or not allowed (negative SD, events above n,
        n of 0, a string, an infinity); shapes that do not broadcast.

    Notes
    -----
    Zero cells get 0.5 in every cell of that table only. What is undefined is NaN; see the
    formula's own function (``EFFECT_CODES[code].formula``) for its edge cases and source.

    Examples
    --------
    >>> yi, vi = effect_size("RR", events_1=4, n_1=123, events_2=11, n_2=139)
    >>> print(f"{yi:.4f} {vi:.4f}")
    -0.8893 0.3256
    """
    entry = EFFECT_CODES[one_of("code", code, tuple(EFFECT_CODES))]
    missing = [name for name in entry.arguments if name not in data]
    unknown = [name for name in data if name not in entry.arguments + entry.ignored]
    if missing or unknown:
        problems = [f"missing {', '.join(missing)}"] if missing else []
        problems += [f"not used by it {', '.join(unknown)}"] if unknown else []
        raise ArgumentError(
            f"code {code!r}: {'; '.join(problems)}; allowed: {', '.join(entry.arguments)}"
        )
    return entry.formula(*(data[name] for name in entry.arguments))
