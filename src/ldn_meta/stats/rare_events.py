"""Pooling 2x2 tables with few events: Mantel-Haenszel (RR, OR, RD) and Peto, common effect.

Tables enter the pool as they are, without 0.5 in empty cells. Layout of each table, group 1
treatment and group 2 control (a, b, c, d below):

               event       no event
    group 1    events_1    n_1 - events_1
    group 2    events_2    n_2 - events_2

Only Cochran's Q needs an effect per trial, and there the usual zero-cell rule applies (0.5 in all
cells of a table with a zero), after trials without events, or with events in everybody, are left
out. These are the conventions of metafor's rma.mh and rma.peto with ``add=c(1/2, 0),
to=c("only0", "none")``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.effects_counts import (
    hypergeometric_score,
    log_odds_ratio,
    log_risk_ratio,
    risk_difference,
)
from ldn_meta.stats.inputs import FloatArray, one_of
from ldn_meta.stats.rare_events_result import (
    RareEventsResult,
    Tables,
    positive,
    rare_events_result,
    tables_of,
)
from ldn_meta.stats.values import EffectSize

__all__ = ["RareEventsResult", "mantel_haenszel", "peto"]


def mantel_haenszel(
    measure: str,
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    level: float = 0.95,
) -> RareEventsResult:
    """Return the Mantel-Haenszel pool of 2x2 tables, without correction of zero cells.

    With N = n_1 + n_2 and sums over trials:

    RR  log(sum(a n_2 / N) / sum(c n_1 / N));  variance of Greenland & Robins 1985, equation 13
    OR  log(sum(a d / N) / sum(b c / N));  variance of Robins, Breslow & Greenland 1986
    RD  sum((a n_2 - c n_1) / N) / sum(n_1 n_2 / N);  variance of Sato 1989

    Trials without any event count in RD (as no difference) and carry nothing for RR and OR;
    trials with events in everybody count in RD and RR and carry nothing for OR.

    Parameters
    ----------
    measure : {"RR", "OR", "RD"}
        RR and OR are returned as logs.
    events_1, n_1, events_2, n_2 : array, (..., k)
        Counts, one column a trial; a NaN makes its trial missing.
    level : float
        Level of the interval.

    Returns
    -------
    RareEventsResult
        NaN with a note where a group has no event in any trial, so that the ratio is undefined;
        SE NaN with a note where the formula gives a standard error of 0.

    Raises
    ------
    ArgumentError
        If the measure is not known, a count is negative or above its n, or an n is below 1.

    Source: Mantel & Haenszel 1959, J Natl Cancer Inst 22:719; metafor `rma.mh`.
    """
    formula, single = _MEASURES[one_of("measure", measure, tuple(_MEASURES))]
    table = tables_of(events_1, n_1, events_2, n_2)
    estimate, variance, weight = formula(table)
    # Q alone looks at effects per trial, and these follow the zero-cell rule.
    yi, vi = single(table.a, table.n1, table.c, table.n2)
    deviation = (yi - estimate[..., np.newaxis]) ** 2 / vi
    q = np.where(table.is_informative, deviation, 0).sum(axis=-1)
    return rare_events_result(
        "mantel-haenszel", measure, level, table, estimate, variance, q, weight
    )


def peto(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    level: float = 0.95,
) -> RareEventsResult:
    """Return Peto's one-step pool of 2x2 tables: log OR = sum(O - E) / sum(V), SE 1/sqrt(sum V).

    Good for rare events, balanced arms and moderate effects; biased otherwise. Trials without
    events, or with events in everybody, have V = 0 and drop out by themselves.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array, (..., k)
        Counts, one column a trial; a NaN makes its trial missing.
    level : float
        Level of the interval.

    Returns
    -------
    RareEventsResult
        NaN with a note where no trial has both an event and a non-event.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

    Source: Yusuf 1985, Prog Cardiovasc Dis 27:335; metafor `rma.peto`.
    """
    table = tables_of(events_1, n_1, events_2, n_2)
    score, information = hypergeometric_score(table.a, table.n1, table.c, table.n2)
    score = np.where(table.is_informative, score, 0)
    information = np.where(table.is_informative, information, 0)
    total = information.sum(axis=-1)
    total = np.where(total > 0, total, np.nan)
    estimate = score.sum(axis=-1) / total
    per_trial = np.where(information > 0, information, np.nan)
    deviation = (score / per_trial - estimate[..., np.newaxis]) ** 2 * per_trial
    q = np.where(information > 0, deviation, 0).sum(axis=-1)
    return rare_events_result("peto", "PETO", level, table, estimate, 1 / total, q, information)


_Pooled = tuple[FloatArray, FloatArray, FloatArray]


def _risk_ratio(t: Tables) -> _Pooled:
    weight = t.c * t.n1 / t.total
    r, s = positive(t.summed(t.a * t.n2 / t.total)), positive(t.summed(weight))
    spread = (t.n1 * t.n2 * (t.a + t.c) - t.a * t.c * t.total) / t.total**2
    return np.log(r / s), t.summed(spread) / (r * s), weight


def _odds_ratio(t: Tables) -> _Pooled:
    b, d = t.n1 - t.a, t.n2 - t.c
    r_i, s_i = t.a * d / t.total, b * t.c / t.total
    p_i, q_i = (t.a + d) / t.total, (b + t.c) / t.total
    r, s = positive(t.summed(r_i)), positive(t.summed(s_i))
    variance = (
        t.summed(p_i * r_i) / r**2
        + t.summed(p_i * s_i + q_i * r_i) / (r * s)
        + t.summed(q_i * s_i) / s**2
    ) / 2
    return np.log(r / s), variance, s_i


def _risk_difference(t: Tables) -> _Pooled:
    weight = t.n1 * t.n2 / t.total
    total_weight = positive(t.summed(weight))
    estimate = t.summed((t.a * t.n2 - t.c * t.n1) / t.total) / total_weight
    p_i = t.n1**2 * t.c - t.n2**2 * t.a + t.n1 * t.n2 * (t.n2 - t.n1) / 2
    q_i = t.a * (t.n2 - t.c) + t.c * (t.n1 - t.a)
    variance = estimate * t.summed(p_i / t.total**2) + t.summed(q_i / t.total) / 2
    return estimate, variance / total_weight**2, weight


_Formula = Callable[[Tables], _Pooled]
_Single = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], EffectSize]
_MEASURES: MappingProxyType[str, tuple[_Formula, _Single]] = MappingProxyType(
    {
        "RR": (_risk_ratio, log_risk_ratio),
        "OR": (_odds_ratio, log_odds_ratio),
        "RD": (_risk_difference, risk_difference),
    }
)
