"""Effects of paired yes/no data: crossover responders, before and after, matched pairs.

The full table of pairs, condition 1 treatment and condition 2 control:

                    2: event     2: no event
    1: event        both         only_1
    1: no event     only_2       neither

Crossover reports rarely print it. What they do print, events under each condition, fixes the
estimate but not its variance: that needs the within-person correlation (phi) of the two answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.effects_counts import ZERO_CELL_ADDITION, checked_events
from ldn_meta.stats.inputs import BoolArray, FloatArray, one_of
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import EffectSize, FloatOrArray, effect, numbers, plain, together


@dataclass(frozen=True, eq=False)
class MarginalEffect(FrozenRecord):
    """A paired effect from the margins alone, with the correlation its variance rests on.

    Attributes
    ----------
    measure : str
        "OR", "RR" or "RD"; ratios are logs.
    yi, vi : float or ndarray (...)
        Effect, 1 minus 2, and its variance.
    correlation : float or ndarray (...)
        Within-person correlation used; 0 for the unpaired variance.
    is_unpaired : bool
        Whether the variance ignores the pairing.
    notes : tuple of str
        What was assumed.
    """

    measure: str
    yi: FloatOrArray
    vi: FloatOrArray
    correlation: FloatOrArray
    is_unpaired: bool
    notes: tuple[str, ...]


def marginal_effect(
    measure: str,
    events_1: ArrayLike,
    events_2: ArrayLike,
    n: ArrayLike,
    *,
    correlation: ArrayLike | None = None,
) -> MarginalEffect:
    """Return a marginal OR, RR or RD of paired data from the events under each condition.

    With p_j = events_j / n, q_j = 1 - p_j and D = phi sqrt(p_1 q_1 p_2 q_2):

    OR  logit p_1 - logit p_2    vi = (1/(p_1 q_1) + 1/(p_2 q_2) - 2 D/(p_1 q_1 p_2 q_2)) / n
    RR  log p_1 - log p_2        vi = (q_1/p_1 + q_2/p_2 - 2 D/(p_1 p_2)) / n
    RD  p_1 - p_2                vi = (p_1 q_1 + p_2 q_2 - 2 D) / n

    They estimate what a parallel trial estimates, so both can enter one pool. If a condition has
    no event or no non-event, 0.5 is added to events and non-events of both.

    Parameters
    ----------
    measure : {"OR", "RR", "RD"}
        Effect measure.
    events_1, events_2, n : float or array, (...)
        Events under each condition among the same n people.
    correlation : float or array, optional
        Phi between a person's two answers, -1 to 1. None takes the unpaired variance, as if the
        conditions were two groups of n: too large whenever phi is positive, hence the conservative
        fallback, and the notes say so.

    Returns
    -------
    MarginalEffect
        NaN variance with a note where the margins cannot have that correlation.

    Raises
    ------
    ArgumentError
        If the measure is not known, a count is negative or above n, n is below 1, or the
        correlation is outside -1 to 1.

    Source: Becker & Balagtas 1993, Biometrics 49:997; Elbourne 2002, Int J Epidemiol 31:140;
    Stedman 2011, J Clin Epidemiol 64:1235.

    Examples
    --------
    >>> result = marginal_effect("OR", 30, 25, 55, correlation=0.4667)
    >>> print(f"{result.yi:.6f} {result.vi:.4f}")
    0.364643 0.0782
    """
    one_of("measure", measure, tuple(_MARGINAL))
    x1, size = checked_events(events_1, n, events_name="events_1")
    x2, _ = checked_events(events_2, n, events_name="events_2")
    given = 0.0 if correlation is None else correlation
    phi = numbers("correlation", given, at_least=-1, at_most=1)
    x1, x2, size, phi = together(events_1=x1, events_2=x2, n=size, correlation=phi)
    is_bare = (x1 == 0) | (x2 == 0) | (x1 == size) | (x2 == size)
    addition = np.where(is_bare, ZERO_CELL_ADDITION, 0.0)
    total = size + 2 * addition
    p1, p2 = (x1 + addition) / total, (x2 + addition) / total
    covariance = phi * np.sqrt(p1 * (1 - p1) * p2 * (1 - p2))
    both = p1 * p2 + covariance
    # The share of people with both events cannot leave what the margins allow.
    slack = 1e-9
    possible = (both <= np.minimum(p1, p2) + slack) & (both >= np.maximum(0, p1 + p2 - 1) - slack)
    yi, vi = _MARGINAL[measure](p1, p2, covariance, total)
    found = effect(yi, np.where(possible, np.maximum(vi, 0), np.nan))
    return MarginalEffect(
        measure=measure,
        yi=found.yi,
        vi=found.vi,
        correlation=plain(phi),
        is_unpaired=correlation is None,
        notes=_notes(correlation is None, is_bare, ~possible & ~np.isnan(both)),
    )


def matched_effect(
    code: str, both: ArrayLike, only_1: ArrayLike, only_2: ArrayLike, neither: ArrayLike
) -> EffectSize:
    """Return an effect and its variance from the full table of pairs.

    MPRD    difference of the two proportions
    MPRR    log ratio of the two proportions
    MPOR    log ratio of the two odds (marginal)
    MPORC   log(only_1 / only_2), the conditional log odds ratio;  vi = 1/only_1 + 1/only_2
    MPPETO  2 (only_1 - only_2) / (only_1 + only_2), Peto's;  vi = 4 / (only_1 + only_2)

    If any cell is 0, 0.5 is added to all four cells of that table, for every code.

    Parameters
    ----------
    code : {"MPRD", "MPRR", "MPOR", "MPORC", "MPPETO"}
        Effect code.
    both, only_1, only_2, neither : float or array, (...)
        Pairs, as in the table above.

    Raises
    ------
    ArgumentError
        If the code is not known, a count is negative, or a table has no pairs.

    Source: metafor `escalc` of the same codes; Elbourne 2002; Zou 2007, Stat Med 26:1698.

    Examples
    --------
    >>> yi, vi = matched_effect("MPOR", 20, 10, 5, 20)
    >>> print(f"{yi:.6f} {vi:.7f}")
    0.364643 0.0782222
    """
    one_of("code", code, MATCHED_CODES)
    a, b, c, d = _pairs(both, only_1, only_2, neither)
    has_zero = (a == 0) | (b == 0) | (c == 0) | (d == 0)
    a, b, c, d = (cell + np.where(has_zero, ZERO_CELL_ADDITION, 0.0) for cell in (a, b, c, d))
    if code == "MPORC":
        return effect(np.log(b / c), 1 / b + 1 / c)
    if code == "MPPETO":
        return effect(2 * (b - c) / (b + c), 4 / (b + c))
    total = a + b + c + d
    covariance = (a * d - b * c) / total**2
    yi, vi = _MARGINAL[code.removeprefix("MP")](
        (a + b) / total, (a + c) / total, covariance, total
    )
    return effect(yi, vi)


def within_person_correlation(
    both: ArrayLike, only_1: ArrayLike, only_2: ArrayLike, neither: ArrayLike
) -> FloatOrArray:
    """Return phi of the table of pairs: the correlation `marginal_effect` asks for.

    (both neither - only_1 only_2) / sqrt(product of the four margins); NaN if a margin is 0.

    Raises
    ------
    ArgumentError
        If a count is negative or a table has no pairs.
    """
    a, b, c, d = _pairs(both, only_1, only_2, neither)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    return plain((a * d - b * c) / np.sqrt(np.where(margins > 0, margins, np.nan)))


def _odds_ratio(p1: FloatArray, p2: FloatArray, cov: FloatArray, n: FloatArray) -> _Pair:
    v1, v2 = p1 * (1 - p1), p2 * (1 - p2)
    yi = np.log(p1 / (1 - p1)) - np.log(p2 / (1 - p2))
    return yi, (1 / v1 + 1 / v2 - 2 * cov / (v1 * v2)) / n


def _risk_ratio(p1: FloatArray, p2: FloatArray, cov: FloatArray, n: FloatArray) -> _Pair:
    vi = ((1 - p1) / p1 + (1 - p2) / p2 - 2 * cov / (p1 * p2)) / n
    return np.log(p1) - np.log(p2), vi


def _risk_difference(p1: FloatArray, p2: FloatArray, cov: FloatArray, n: FloatArray) -> _Pair:
    return p1 - p2, (p1 * (1 - p1) + p2 * (1 - p2) - 2 * cov) / n


_Pair = tuple[FloatArray, FloatArray]
_Formula = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], _Pair]
_MARGINAL: MappingProxyType[str, _Formula] = MappingProxyType(
    {"OR": _odds_ratio, "RR": _risk_ratio, "RD": _risk_difference}
)
MATCHED_CODES = ("MPRD", "MPRR", "MPOR", "MPORC", "MPPETO")


def _pairs(
    both: ArrayLike, only_1: ArrayLike, only_2: ArrayLike, neither: ArrayLike
) -> tuple[FloatArray, ...]:
    cells = together(
        both=numbers("both", both, at_least=0),
        only_1=numbers("only_1", only_1, at_least=0),
        only_2=numbers("only_2", only_2, at_least=0),
        neither=numbers("neither", neither, at_least=0),
    )
    numbers("both + only_1 + only_2 + neither", np.sum(cells, axis=0), above=0)
    return cells


def _notes(is_unpaired: bool, is_bare: BoolArray, is_impossible: BoolArray) -> tuple[str, ...]:
    notes = []
    if is_unpaired:
        notes.append(
            "The variance ignores that both conditions are the same people; if their answers "
            "correlate positively it is too large (conservative)."
        )
    else:
        notes.append("The variance rests on the within-person correlation that was passed.")
    if np.any(is_bare):
        notes.append("A condition had no event or no non-event: 0.5 was added to all four counts.")
    if np.any(is_impossible):
        notes.append("The margins cannot have the correlation passed, so the variance is NaN.")
    return tuple(notes)
