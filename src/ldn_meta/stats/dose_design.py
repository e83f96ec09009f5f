"""How likely a curve makes what an up-and-down trial is known to have shown: exact sums.

Nothing here is drawn at random: `design_probability` adds up every course a trial can take, and
`possible_trials` lists those that fit the counts printed.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.counts import whole
from ldn_meta.stats.dose_simulation import UpAndDownTrials
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray, real_array

# More trials than this do not fit a small machine's memory in one piece.
MOST_TRIALS = 2_000_000
LARGEST_NUMBER = 2**62


def design_probability(
    response: ArrayLike, *, start: int, people: int, responders: int, changes: int | None = None
) -> FloatArray:
    """Return the probability that a trial ends with so many responders, curve by curve.

    The rule is that of `ldn_meta.stats.dose_simulation.simulate_up_and_down`. The sum runs over
    the last dose, the last outcome, responders and changes so far, person by person.

    Parameters
    ----------
    response : array_like (..., rungs)
        Probability to respond at each dose of the ladder under each curve.
    start : int
        Dose of the first person, as its place in the ladder from 0.
    people, responders : int
        People in the trial, and how many of them responded.
    changes : int, optional
        How often the outcome changed from one person to the next; any number by default.

    Returns
    -------
    ndarray (...)

    Raises
    ------
    ArgumentError
        If a probability or a size is not usable.
    """
    chance = real_array("response", response)
    people = whole("people", people, at_least=1)
    responders = whole("responders", responders, at_least=0)
    if chance.ndim < 1 or not ((chance >= 0.0) & (chance <= 1.0)).all():
        message = f"response={chance.tolist()!r:.80}; allowed: probabilities from 0 to 1"
        raise ArgumentError(message)
    rungs = chance.shape[-1]
    start = _rung(start, rungs)
    curves = chance.reshape(-1, rungs)
    # With any number of changes allowed, they need not be told apart.
    most = 0 if changes is None else whole("changes", changes, at_least=0)
    shape = (rungs, 2, responders + 1, most + 1, curves.shape[0])
    state = np.zeros(shape)
    for person in range(people):
        new = np.zeros(shape)
        for rung in range(rungs):
            for outcome in (0, 1):
                weight = curves[:, rung] if outcome else 1.0 - curves[:, rung]
                reached = min(rung + 1, rungs - 1) if not outcome else max(rung - 1, 0)
                gone = np.zeros(shape[2:])
                if person == 0:
                    if rung == start:
                        gone[0, 0] = 1.0
                elif changes is None:
                    gone = state[rung, 0] + state[rung, 1]
                else:
                    gone = state[rung, outcome].copy()
                    gone[:, 1:] += state[rung, 1 - outcome][:, :-1]
                gone = gone * weight
                if outcome:
                    new[reached, 1, 1:] += gone[:-1]
                else:
                    new[reached, 0] += gone
        state = new
    total = state[:, :, responders, most].sum(axis=(0, 1))
    return np.asarray(total.reshape(chance.shape[:-1]))


def possible_trials(
    *, rungs: int, start: int, people: int, responders: int, changes: int
) -> UpAndDownTrials:
    """List every course of an up-and-down trial with given numbers of responders and changes.

    Parameters
    ----------
    rungs : int
        Doses of the ladder.
    start, people, responders, changes
        As in `design_probability`.

    Returns
    -------
    UpAndDownTrials
        Every possible order of outcomes once, with the doses it leads to.

    Raises
    ------
    ArgumentError
        If a size is not usable, or there are more than two million such trials.
    """
    responded = _sequences(
        whole("people", people, at_least=1),
        whole("responders", responders, at_least=0),
        whole("changes", changes, at_least=0),
    )
    rungs = whole("rungs", rungs, at_least=1)
    # Person by person is how these arrays are read.
    level = np.empty(responded.shape, dtype=np.int64, order="F")
    at = np.full(responded.shape[0], _rung(start, rungs))
    for i in range(responded.shape[1]):
        level[:, i] = at
        at = np.clip(at + np.where(responded[:, i], -1, 1), 0, rungs - 1)
    return UpAndDownTrials(level, responded, rungs)


def distinct_tables(trials: UpAndDownTrials) -> tuple[IntArray, IntArray, IntArray]:
    """Return the different tables of counts among trials, and how many trials share each.

    Returns
    -------
    responders, people : ndarray of int (t, rungs)
    times : ndarray of int (t,)
    """
    _, first, times = np.unique(_table_numbers(trials), return_index=True, return_counts=True)
    kept = trials.only(first)
    return kept.responders, kept.people, times


def _table_numbers(trials: UpAndDownTrials) -> IntArray:
    """A whole number for each trial (m,), equal where the tables of counts are."""
    people, rungs = trials.level.shape[1], trials.rungs
    most = int(trials.responded.sum(axis=1).max(initial=0))
    # Counts are digits: of people to base people + 1, of responders to base most + 1. The last
    # dose needs none where all trials have as many people and responders.
    place = [(people + 1) ** i for i in range(rungs - 1)]
    above = (people + 1) ** (rungs - 1)
    same = trials.responded.sum(axis=1).min(initial=most) == most
    if not same or above * (most + 1) ** (rungs - 1) > LARGEST_NUMBER:
        rows = np.concatenate([trials.responders, trials.people], axis=1)
        return np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    of_people = np.array([*place, 0], dtype=np.int64)
    of_responders = np.array([above * (most + 1) ** i for i in range(rungs - 1)] + [0])
    number = np.zeros(trials.level.shape[0], dtype=np.int64)
    for level, responded in zip(trials.level.T, trials.responded.T, strict=True):
        number += of_people[level] + np.where(responded, of_responders[level], 0)
    return number


def _rung(start: int, rungs: int) -> int:
    start = whole("start", start, at_least=0)
    if start >= rungs:
        message = f"start={start!r} in a ladder of {rungs}; allowed: 0 to {rungs - 1}"
        raise ArgumentError(message)
    return start


@lru_cache(maxsize=2)
def _sequences(people: int, responders: int, changes: int) -> BoolArray:
    """Every order of outcomes with so many responders and changes (m, people).

    Kept for the next call, since the orders are the same whatever the first dose.
    """
    found = []
    runs = changes + 1
    plans = []
    for first in (False, True):
        yes, no = responders, people - responders
        counts = (yes, no) if first else (no, yes)
        parts = ((runs + 1) // 2, runs // 2)
        m = _ways(counts[0], parts[0]) * _ways(counts[1], parts[1])
        if m > MOST_TRIALS:
            message = f"people={people!r} have {m} orders; allowed: up to {MOST_TRIALS}"
            raise ArgumentError(message)
        plans.append((first, counts, parts, m))
    for first, counts, parts, m in plans:
        ones, others = _compositions(counts[0], parts[0]), _compositions(counts[1], parts[1])
        length = np.zeros((m, runs), dtype=np.int64)
        length[:, ::2] = np.repeat(ones, others.shape[0], axis=0)
        length[:, 1::2] = np.tile(others, (ones.shape[0], 1))
        end = np.cumsum(length, axis=1)
        passed = np.zeros((m, people), dtype=np.bool_)
        for run in range(changes):
            passed ^= np.arange(people) >= end[:, run, None]
        found.append(passed ^ first)
    sequences = np.asfortranarray(np.concatenate(found))
    sequences.flags.writeable = False
    return sequences


def _ways(total: int, parts: int) -> int:
    """How many rows `_compositions` has."""
    if parts == 0 or total < parts:
        return int(total == parts == 0)
    return comb(total - 1, parts - 1)


def _compositions(total: int, parts: int) -> IntArray:
    """Every way to write a number as a sum of so many parts of at least 1 (m, parts)."""
    m = _ways(total, parts)
    if parts == 0 or m == 0:
        return np.zeros((m, parts), dtype=np.int64)
    cuts = np.array(list(combinations(range(1, total), parts - 1)), dtype=np.int64)
    ends = np.pad(cuts.reshape(m, parts - 1), ((0, 0), (1, 1)))
    ends[:, -1] = total
    return np.diff(ends, axis=1)
