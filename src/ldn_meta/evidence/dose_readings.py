"""What can be said of the doses that work, by how much of the trial's report is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ldn_meta.evidence.dose_trial import DoseChoices, DoseTrial
from ldn_meta.stats.dose_compatible import (
    CompatibleCurves,
    compatible_curves,
    curve_grid,
    table_likelihood,
)
from ldn_meta.stats.dose_design import design_probability
from ldn_meta.stats.dose_printed import PossibleTrials, trials_that_fit
from ldn_meta.stats.dose_simulation import (
    dose_for_many,
    dose_limits_many,
    simulate_up_and_down,
)
from ldn_meta.stats.inputs import FloatArray, IntArray

METHODS = {
    "cir": "centred isotonic regression",
    "probit": "probit regression",
    "logit": "logit regression",
}


@dataclass(frozen=True)
class Reading:
    """One use of the report: which of its numbers the curves have to agree with.

    Attributes
    ----------
    name : str
        In words.
    by_start : ndarray (rungs, g)
        Probability of those numbers under each curve, for each first dose.
    """

    name: str
    by_start: FloatArray


@dataclass(frozen=True)
class Repeated:
    """What an estimator makes of the trial run again, if the printed doses were the truth.

    Attributes
    ----------
    method, share : str, float
    median, low, high : float
        Of the estimates that are defined: median, and the middle 95%.
    undefined : float
        Share of trials without an estimate.
    inside : float
        Share of trials whose estimate lies in the printed interval.
    delta, fieller : float
        Share of trials whose 95% interval of this kind holds the truth, among those that have
        one; NaN for isotonic regression. An interval without ends holds it.
    """

    method: str
    share: float
    median: float
    low: float
    high: float
    undefined: float
    inside: float
    delta: float
    fieller: float


Tables = tuple[tuple[IntArray, IntArray, IntArray], ...]


class DoseReadings:
    """The computations of page 92, each made when first asked for.

    Parameters
    ----------
    trial : DoseTrial
    choices : DoseChoices
    seed, trials : int
        For the trials simulated under the printed doses; everything else is exact.
    """

    def __init__(self, trial: DoseTrial, choices: DoseChoices, *, seed: int, trials: int) -> None:
        self.trial, self.choices = trial, choices
        self.seed, self.trials = seed, trials
        self.grid = curve_grid(
            ed50_low=choices.ed50_low_mg,
            ed50_high=choices.ed50_high_mg,
            spread_low=choices.spread_low_mg,
            spread_high=choices.spread_high_mg,
            ed50_steps=choices.ed50_steps,
            spread_steps=choices.spread_steps,
        )

    @property
    def changes_for_pairs(self) -> int:
        """Fewest changes of direction in which so many pairs "failed, then worked" can occur."""
        return 2 * self.trial.pairs - 1

    @cached_property
    def possible(self) -> tuple[PossibleTrials, ...]:
        """All courses with the changes reported, and with as many as the pairs reported need."""
        t = self.trial
        return tuple(
            trials_that_fit(
                t.ladder,
                people=t.people,
                responders=t.responders,
                changes=changes,
                pairs=t.pairs,
                ed50=t.printed["ed50"].dose,
                ed95=t.printed["ed95"].dose,
                decimals=t.printed["ed50"].decimals,
            )
            for changes in dict.fromkeys((t.changes, self.changes_for_pairs))
        )

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Numbers used: responders; and changes; and the pairs that would explain the ED50."""
        t = self.trial
        response = self.grid.response(t.ladder)
        counted = [
            design_probability(response, start=start, people=t.people, responders=t.responders)
            for start in range(len(t.ladder))
        ]
        first, last = self.possible[0], self.possible[-1]
        return (
            Reading(f"{t.responders} of {t.people} responded", np.stack(counted)),
            Reading(
                f"the same, and the direction changed {t.changes} times",
                self._likelihood(first.tables),
            ),
            Reading(
                f"the same, but {last.changes} changes, and {t.pairs} pairs whose mean prints as "
                f"{t.printed['ed50'].dose:g} mg",
                self._likelihood(last.pair_tables),
            ),
        )

    def curves(
        self, reading: Reading, *, start: int | None = None, largest_spread: float = np.inf
    ) -> CompatibleCurves:
        """Weigh the curves by a reading, over all first doses alike or for one of them."""
        seen = reading.by_start.mean(axis=0) if start is None else reading.by_start[start]
        return compatible_curves(self.grid, seen, largest_spread=largest_spread)

    @cached_property
    def repeated(self) -> tuple[Repeated, ...]:
        """The trial run again under the printed doses, every first dose alike."""
        t = self.trial
        ed50, ed95 = t.printed["ed50"], t.printed["ed95"]
        from scipy.special import ndtr, ndtri

        spread = (ed95.dose - ed50.dose) / float(ndtri(ed95.share))
        chance = ndtr((np.array(t.ladder) - ed50.dose) / spread)
        rng = np.random.default_rng(self.seed)
        each = -(-self.trials // len(t.ladder))
        runs = [
            simulate_up_and_down(chance, people=t.people, start=start, trials=each, rng=rng)
            for start in range(len(t.ladder))
        ]
        r = np.concatenate([run.responders for run in runs])
        n = np.concatenate([run.people for run in runs])
        return tuple(
            self._repeat(printed_as, method, r, n)
            for printed_as in t.printed
            for method in METHODS
        )

    def _repeat(self, name: str, method: str, r: IntArray, n: IntArray) -> Repeated:
        printed = self.trial.printed[name]
        found = dose_for_many(self.trial.ladder, r, n, target=printed.share, method=method)
        there = found[~np.isnan(found)]
        low, median, high = np.quantile(there, [0.025, 0.5, 0.975])
        covered = {}
        for ci_method in ("delta", "fieller"):
            covered[ci_method] = float("nan")
            if method != "cir":
                limits = dose_limits_many(
                    self.trial.ladder,
                    r,
                    n,
                    target=printed.share,
                    method=method,
                    ci_method=ci_method,
                )
                has = ~np.isnan(limits.low)
                holds = (limits.low <= printed.dose) & (printed.dose <= limits.high)
                covered[ci_method] = float(holds[has].mean())
        return Repeated(
            method=method,
            share=printed.share,
            median=float(median),
            low=float(low),
            high=float(high),
            undefined=1.0 - there.size / found.size,
            inside=float(((found >= printed.low) & (found <= printed.high)).mean()),
            delta=covered["delta"],
            fieller=covered["fieller"],
        )

    def _likelihood(self, tables: Tables) -> FloatArray:
        rows = [
            table_likelihood(self.grid, self.trial.ladder, r, n, times) for r, n, times in tables
        ]
        return np.stack(rows)
