"""Which possible trials would have printed the numbers a paper printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    FloatArray,
    FrozenRecord,
    IntArray,
    Interval,
    numbers,
    one_of,
    share_between,
)
from ldn_meta.stats.dose import (
    LINKS,
    centres,
    checked_counts,
    delta_limits,
    dose_at,
    fieller_limits,
    fit_models,
    isotonic_shares,
    model_dose,
    shares,
    shrinkage_target,
)
from ldn_meta.stats.printed import whole

# A curve never gives exactly 0 or 1, whose logarithm a table of counts could not be weighed by.
LEAST_SHARE = 1e-12


@dataclass(frozen=True, eq=False)
class CompatibleCurves(FrozenRecord):
    """Normal tolerance curves, share = Phi((dose - ed50) / spread), with their weights."""

    ed50: FloatArray
    spread: FloatArray
    weight: FloatArray
    likelihood: float

    def dose(self, share: float) -> FloatArray:
        """Return the dose (g,) that works in a share of people under each curve."""
        return self.ed50 + float(ndtri(share)) * self.spread

    def share(self, dose: float) -> FloatArray:
        """Return the share (g,) of people a dose works in under each curve."""
        return np.asarray(ndtr((dose - self.ed50) / self.spread))

    def probability(self, where: BoolArray) -> float:
        """Return the weight of the curves (g,) for which something holds."""
        return float(self.weight[where].sum())

    def quantiles(self, values: FloatArray, shares: ArrayLike) -> FloatArray:
        """Return quantiles of a property (g,) of the curves: the smallest value that reaches."""
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(self.weight[order])
        place = np.searchsorted(reached, np.asarray(shares) - 1e-12)
        return np.asarray(values[order][np.minimum(place, values.size - 1)])


@dataclass(frozen=True, eq=False)
class CurveGrid(FrozenRecord):
    """Curves considered before anything is seen: equal weights."""

    ed50: FloatArray
    spread: FloatArray

    def response(self, ladder: ArrayLike) -> FloatArray:
        """Return the share (g, k) that responds at each dose under each curve."""
        dose = np.asarray(ladder, dtype=np.float64)
        share = ndtr((dose - self.ed50[:, None]) / self.spread[:, None])
        return np.asarray(np.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE))


def curve_grid(
    *,
    ed50_low: float,
    ed50_high: float,
    spread_low: float,
    spread_high: float,
    ed50_steps: int,
    spread_steps: int,
) -> CurveGrid:
    """Return a grid of curves: ED50 in even steps, spread in even ratios."""
    first, last = float(numbers("ed50_low", ed50_low)), float(numbers("ed50_high", ed50_high))
    least = float(numbers("spread_low", spread_low, above=0))
    most = float(numbers("spread_high", spread_high, above=0))
    if not (first < last and least < most):
        message = (
            f"ED50 from {first:g} to {last:g} and spread from {least:g} to {most:g}; "
            "allowed: rising ranges"
        )
        raise ArgumentError(message)
    ed50, spread = np.meshgrid(
        np.linspace(first, last, whole("ed50_steps", ed50_steps, at_least=2)),
        np.geomspace(least, most, whole("spread_steps", spread_steps, at_least=2)),
        indexing="ij",
    )
    return CurveGrid(ed50.ravel(), spread.ravel())


def compatible_curves(
    grid: CurveGrid, likelihood: ArrayLike, *, largest_spread: float = np.inf
) -> CompatibleCurves:
    """Weigh the curves of a grid by the probability of what was seen under each."""
    # A probability may be tinier than a number whose square has to be one.
    seen = numbers("likelihood", likelihood, at_least=0.0, at_most=1e100, finite=False)
    kept = grid.spread <= largest_spread
    if seen.shape != grid.ed50.shape or not kept.any() or not seen[kept].sum() > 0.0:
        message = (
            f"likelihood of shape {seen.shape} for {int(kept.sum())} curves; allowed: one number "
            f"for each of {grid.ed50.size} curves, above 0 for one of those kept"
        )
        raise ArgumentError(message)
    return CompatibleCurves(
        ed50=grid.ed50[kept],
        spread=grid.spread[kept],
        weight=seen[kept] / seen[kept].sum(),
        likelihood=float(seen[kept].mean()),
    )


def table_likelihood(
    grid: CurveGrid, ladder: ArrayLike, responders: ArrayLike, people: ArrayLike, times: ArrayLike
) -> FloatArray:
    """Return the probability (g,) of any of several tables of counts under each curve."""
    r, n = np.asarray(responders, dtype=np.float64), np.asarray(people, dtype=np.float64)
    share = grid.response(ladder).T
    return np.asarray(
        np.asarray(times, dtype=np.float64)
        @ np.exp(r @ np.log(share) + (n - r) @ np.log1p(-share))
    )


BATCH_METHODS = ("cir", "ir", *LINKS)


@dataclass(frozen=True, eq=False)
class UpAndDownTrials(FrozenRecord):
    """Simulated or listed trials: who got which dose, and who responded."""

    level: IntArray
    responded: BoolArray
    rungs: int

    @property
    def responders(self) -> IntArray:
        """People who responded at each dose (m, rungs)."""
        return self._count(self.responded)

    @property
    def people(self) -> IntArray:
        """People treated at each dose (m, rungs)."""
        return self._count(np.ones_like(self.responded))

    @property
    def changes(self) -> IntArray:
        """How often the outcome, and so the direction, changed between neighbours (m,)."""
        return np.asarray((self.responded[:, 1:] != self.responded[:, :-1]).sum(axis=1))

    @property
    def pairs(self) -> IntArray:
        """How often a person who responded followed one who did not (m,)."""
        return np.asarray((~self.responded[:, :-1] & self.responded[:, 1:]).sum(axis=1))

    def only(self, which: BoolArray | IntArray) -> UpAndDownTrials:
        """Return some of the trials (m,)."""
        return UpAndDownTrials(self.level[which], self.responded[which], self.rungs)

    def pair_mean(self, ladder: ArrayLike) -> FloatArray:
        """Return the mean midpoint of the pairs "failed, then worked" of each trial (m,).

        The usual estimate of the ED50 in anaesthesia, where a trial ends after six such pairs; NaN
        without a pair.
        """
        dose = np.asarray(ladder, dtype=np.float64)
        total = np.zeros(self.level.shape[0])
        for i in range(1, self.level.shape[1]):
            pair = ~self.responded[:, i - 1] & self.responded[:, i]
            middle = (dose[self.level[:, i - 1]] + dose[self.level[:, i]]) / 2.0
            total += np.where(pair, middle, 0.0)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / self.pairs)

    def _count(self, which: BoolArray) -> IntArray:
        m = self.level.shape[0]
        cell = (self.level + self.rungs * np.arange(m)[:, None])[which]
        return np.bincount(cell, minlength=m * self.rungs).reshape(m, self.rungs)


def simulate_up_and_down(
    response: ArrayLike, *, people: int, start: int, trials: int, rng: np.random.Generator
) -> UpAndDownTrials:
    """Simulate trials in which the next person's dose depends on the last person's response.

    One step up after no response, one step down after a response; at the end of the ladder the
    dose stays.
    """
    chance = numbers("response", response)
    trials, people = whole("trials", trials, at_least=1), whole("people", people, at_least=1)
    if chance.ndim not in (1, 2) or (chance.ndim == 2 and chance.shape[0] != trials):
        message = f"response has shape {chance.shape}; allowed: (rungs,) or ({trials}, rungs)"
        raise ArgumentError(message)
    if not ((chance >= 0.0) & (chance <= 1.0)).all():
        message = f"response={chance.tolist()!r:.80}; allowed: probabilities from 0 to 1"
        raise ArgumentError(message)
    rungs = chance.shape[-1]
    start = _rung(start, rungs)
    chance = np.broadcast_to(chance, (trials, rungs))
    draw = rng.random((people, trials))
    row = np.arange(trials)
    level = np.empty((people, trials), dtype=np.int64)
    responded = np.empty((people, trials), dtype=np.bool_)
    at = np.full(trials, start)
    for i in range(people):
        level[i], responded[i] = at, draw[i] < chance[row, at]
        at = np.clip(at + np.where(responded[i], -1, 1), 0, rungs - 1)
    return UpAndDownTrials(level.T.copy(), responded.T.copy(), rungs)


def dose_for_many(
    ladder: ArrayLike,
    responders: ArrayLike,
    n: ArrayLike,
    *,
    target: float | Sequence[float],
    method: str = "cir",
    shrink_to: float | None = None,
    log_dose: bool = False,
) -> FloatArray:
    """Estimate the dose for a target share from each of m tables: `dose_for` without intervals."""
    one_of("method", method, BATCH_METHODS)
    to = shrinkage_target(shrink_to)
    one = isinstance(target, int | float)
    targets = [share_between("target", each) for each in ([target] if one else target)]  # type: ignore[union-attr]
    x, r, size = _tables(ladder, responders, n)
    if method in LINKS:
        models = fit_models(np.log(x) if log_dose else x, r, size, link=method)
        with np.errstate(over="ignore"):
            found = [model_dose(models, each) for each in targets]
            found = [np.exp(dose) for dose in found] if log_dose else found
    else:
        fitted = isotonic_shares(shares(r, size, to), size)
        place = centres(x, fitted, size) if method == "cir" else np.where(size > 0, x, np.nan)
        found = [dose_at(place, fitted, each) for each in targets]
    return found[0] if one else np.stack(found)


def dose_limits_many(
    ladder: ArrayLike,
    responders: ArrayLike,
    n: ArrayLike,
    *,
    target: float,
    method: str = "probit",
    ci_method: str = "delta",
    level: float = 0.95,
) -> Interval:
    """Return the intervals of a model's dose from each of m tables."""
    one_of("method", method, LINKS)
    one_of("ci_method", ci_method, ("delta", "fieller"))
    target = share_between("target", target)
    x, r, size = _tables(ladder, responders, n)
    compute = delta_limits if ci_method == "delta" else fieller_limits
    return compute(fit_models(x, r, size, link=method), target, level=level)


def _tables(
    ladder: ArrayLike, responders: ArrayLike, n: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, r, size = (
        numbers("ladder", ladder),
        numbers("responders", responders),
        numbers("n", n),
    )
    if x.ndim != 1 or r.ndim != 2 or r.shape != size.shape or r.shape[1] != x.size:
        message = (
            f"ladder has shape {x.shape}, responders {r.shape}, n {size.shape}; "
            "allowed: (k,), (m, k) and (m, k)"
        )
        raise ArgumentError(message)
    if not (np.diff(x) > 0.0).all():
        message = f"ladder={x.tolist()} does not ascend; allowed: ascending doses"
        raise ArgumentError(message)
    checked_counts(r, size)
    if not (size.sum(axis=1) > 0).all():
        message = "n is 0 throughout in a table; allowed: at least one person at one dose"
        raise ArgumentError(message)
    return x, r, size


# More trials than this do not fit a small machine's memory in one piece.
MOST_TRIALS = 2_000_000
LARGEST_NUMBER = 2**62


def design_probability(
    response: ArrayLike, *, start: int, people: int, responders: int, changes: int | None = None
) -> FloatArray:
    """Return the probability that a trial ends with so many responders, curve by curve.

    The rule is that of `ldn_meta.stats.up_and_down.simulate_up_and_down`. The sum runs over
    the last dose, the last outcome, responders and changes so far, person by person.
    """
    chance = numbers("response", response)
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


def design_distribution(response: ArrayLike, *, start: int, people: int) -> FloatArray:
    """Return the probability of 0, 1, ... responders (..., people + 1), curve by curve.

    The rule is that of `ldn_meta.stats.up_and_down.simulate_up_and_down`; every number of changes
    of direction is counted, and all numbers of responders come out of one pass.
    """
    chance = numbers("response", response)
    people = whole("people", people, at_least=1)
    if chance.ndim < 1 or not ((chance >= 0.0) & (chance <= 1.0)).all():
        message = f"response={chance.tolist()!r:.80}; allowed: probabilities from 0 to 1"
        raise ArgumentError(message)
    rungs = chance.shape[-1]
    curves = chance.reshape(-1, rungs)
    state = np.zeros((rungs, curves.shape[0], people + 1))
    state[_rung(start, rungs), :, 0] = 1.0
    for _ in range(people):
        new = np.zeros_like(state)
        for rung in range(rungs):
            works = curves[:, rung, None]
            new[max(rung - 1, 0), :, 1:] += state[rung, :, :-1] * works
            new[min(rung + 1, rungs - 1)] += state[rung] * (1.0 - works)
        state = new
    return np.asarray(state.sum(axis=0).reshape(*chance.shape[:-1], people + 1))


def possible_trials(
    *, rungs: int, start: int, people: int, responders: int, changes: int
) -> UpAndDownTrials:
    """List every course of an up-and-down trial with given numbers of responders and changes."""
    responded = _sequences(
        whole("people", people, at_least=1),
        whole("responders", responders, at_least=0),
        whole("changes", changes, at_least=0),
    )
    rungs = whole("rungs", rungs, at_least=1)
    # Person by person is how these arrays are read; the lists are long, so numbers are small.
    level = np.empty(responded.shape, dtype=np.min_scalar_type(-rungs - 1), order="F")
    at = np.full(responded.shape[0], _rung(start, rungs), dtype=level.dtype)
    down, up = np.array([-1, 1], dtype=level.dtype)
    for i in range(responded.shape[1]):
        level[:, i] = at
        at = np.clip(at + np.where(responded[:, i], down, up), 0, rungs - 1)
    return UpAndDownTrials(level, responded, rungs)


def distinct_tables(trials: UpAndDownTrials) -> tuple[IntArray, IntArray, IntArray]:
    """Return the different tables of counts among trials, and how many trials share each."""
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


# Name, method, whether of the logarithm of dose.
ESTIMATORS = (
    ("centred isotonic regression", "cir", False),
    ("isotonic regression", "ir", False),
    ("probit regression on dose", "probit", False),
    ("logit regression on dose", "logit", False),
    ("probit regression on log dose", "probit", True),
    ("logit regression on log dose", "logit", True),
)
HALF, NEARLY_ALL = 0.5, 0.95


@dataclass(frozen=True)
class FitCount:
    """How many possible trials give a printed ED50, ED95 and both, by one estimator."""

    estimator: str
    ed50: int
    ed95: int
    both: int


@dataclass(frozen=True)
class PossibleTrials:
    """Every course of the trial with one number of changes of outcome, from every first dose."""

    changes: int
    trials: int
    pair_mean_fits: int
    fits: tuple[FitCount, ...]
    tables: tuple[tuple[IntArray, IntArray, IntArray], ...]
    pair_tables: tuple[tuple[IntArray, IntArray, IntArray], ...]


def trials_that_fit(
    ladder: ArrayLike,
    *,
    people: int,
    responders: int,
    changes: int,
    pairs: int,
    ed50: float,
    ed95: float,
    decimals: int,
) -> PossibleTrials:
    """List all courses of an up-and-down trial, and count those that print as the paper did."""
    dose = np.asarray(ladder, dtype=np.float64)
    counts = {name: np.zeros(3, dtype=np.int64) for name, _, _ in ESTIMATORS}
    tables, pair_tables = [], []
    listed = by_pairs = 0
    for start in range(dose.size):
        trials = possible_trials(
            rungs=dose.size, start=start, people=people, responders=responders, changes=changes
        )
        listed += trials.level.shape[0]
        r, n, times = distinct_tables(trials)
        tables.append((r, n, times))
        paired = trials.only(trials.pairs == pairs)
        fits = paired.only(prints_as(paired.pair_mean(dose), ed50, decimals))
        by_pairs += fits.level.shape[0]
        pair_tables.append(distinct_tables(fits))
        for name, method, log_dose in ESTIMATORS:
            first, second = dose_for_many(
                dose, r, n, target=[HALF, NEARLY_ALL], method=method, log_dose=log_dose
            )
            low, high = prints_as(first, ed50, decimals), prints_as(second, ed95, decimals)
            counts[name] += [times[low].sum(), times[high].sum(), times[low & high].sum()]
    return PossibleTrials(
        changes=changes,
        trials=listed,
        pair_mean_fits=by_pairs,
        fits=tuple(FitCount(name, *map(int, found)) for name, found in counts.items()),
        tables=tuple(tables),
        pair_tables=tuple(pair_tables),
    )


def prints_as(values: FloatArray, printed: float, decimals: int) -> BoolArray:
    """Return where values print as a number, an exact tie in the last digit either way."""
    half = HALF * 10.0**-decimals
    # A tie computed in doubles may miss by rounding.
    return np.asarray(np.abs(values - printed) <= half * (1.0 + 1e-9) + 1e-12)
