"""How far apart two groups are in events: RR, OR, RD, AS, PETO (2x2 tables) and IRR (rates).

Layout, group 1 treatment and group 2 control, each cell a scalar or an array:

               event       no event
    group 1    events_1    n_1 - events_1
    group 2    events_2    n_2 - events_2

Zero cells: 0.5 is added to all four cells of a table that has a zero, and only to that table
(metafor `add=1/2, to="only0"`), for every measure of this file alike. Tables with no events, or
with events in everybody, get a number by the same rule; it says almost nothing, so count such
trials before you pool them (`rare_events` leaves them out).
"""

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.values import EffectSize, effect, numbers, together

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

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

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

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

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

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

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

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

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

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

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

    Raises
    ------
    ArgumentError
        If a count is negative or a person-time is not above 0.

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
