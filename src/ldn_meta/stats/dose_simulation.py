"""Up-and-down trials by the thousand, and what estimators make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.counts import whole
from ldn_meta.stats.dose_inputs import checked_counts, share_between, shrinkage_target
from ldn_meta.stats.dose_isotonic import centres, dose_at, isotonic_shares, shares
from ldn_meta.stats.dose_model import LINKS, fit_models
from ldn_meta.stats.dose_model_interval import delta_limits, fieller_limits, model_dose
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray, one_of, real_array
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import Interval

BATCH_METHODS = ("cir", "ir", *LINKS)


@dataclass(frozen=True, eq=False)
class UpAndDownTrials(FrozenRecord):
    """Simulated or listed trials: who got which dose, and who responded.

    Attributes
    ----------
    level : ndarray of int (m, n)
        Dose each person got, as its place in the ladder from 0.
    responded : ndarray of bool (m, n)
        Whether the person responded.
    rungs : int
        Doses of the ladder.
    """

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

    Parameters
    ----------
    response : array_like (rungs,) or (trials, rungs)
        Probability to respond at each dose of the ladder, lowest first.
    people : int
        People in each trial.
    start : int
        Dose of the first person, as its place in the ladder from 0.
    trials : int
        Trials to simulate.
    rng : numpy.random.Generator
        Source of randomness; the same seed gives the same trials.

    Returns
    -------
    UpAndDownTrials

    Raises
    ------
    ArgumentError
        If a probability is outside 0 to 1 or missing, or a size is not usable.
    """
    chance = real_array("response", response)
    trials, people = whole("trials", trials, at_least=1), whole("people", people, at_least=1)
    start = whole("start", start, at_least=0)
    if chance.ndim not in (1, 2) or (chance.ndim == 2 and chance.shape[0] != trials):
        message = f"response has shape {chance.shape}; allowed: (rungs,) or ({trials}, rungs)"
        raise ArgumentError(message)
    if not ((chance >= 0.0) & (chance <= 1.0)).all():
        message = f"response={chance.tolist()!r:.80}; allowed: probabilities from 0 to 1"
        raise ArgumentError(message)
    rungs = chance.shape[-1]
    if start >= rungs:
        message = f"start={start!r} in a ladder of {rungs}; allowed: 0 to {rungs - 1}"
        raise ArgumentError(message)
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
    """Estimate the dose for a target share from each of m tables: `dose_for` without intervals.

    Parameters
    ----------
    ladder : array_like (k,)
        Doses, ascending.
    responders, n : array_like (m, k)
        Counts; 0 of 0 where nobody had a dose.
    target, method, shrink_to, log_dose
        As in `ldn_meta.stats.dose.dose_for`; cir, ir, probit and logit only. Several targets cost
        one fit.

    Returns
    -------
    ndarray (m,), or (targets, m)
        NaN where `dose_for` gives NaN.

    Raises
    ------
    ArgumentError
        If an option is unknown or the arrays are not usable.
    ConvergenceError
        If the fit of a model does not converge.
    """
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
    """Return the intervals of a model's dose from each of m tables.

    Parameters
    ----------
    ladder, responders, n, target
        As in `dose_for_many`.
    method, ci_method : str
        probit or logit; delta or fieller.
    level : float

    Returns
    -------
    Interval
        Of arrays (m,).

    Raises
    ------
    ArgumentError
        If an option is unknown or the arrays are not usable.
    ConvergenceError
        If the fit of a model does not converge.
    """
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
        real_array("ladder", ladder),
        real_array("responders", responders),
        real_array("n", n),
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
