"""What can be said of the doses that work, by how much of the trial's report is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.protocol import DoseChoices, load_protocol
from ldn_meta.stats.arrays import FloatArray, IntArray
from ldn_meta.stats.up_and_down import (
    CompatibleCurves,
    PossibleTrials,
    compatible_curves,
    curve_grid,
    design_distribution,
    design_probability,
    dose_for_many,
    dose_limits_many,
    simulate_up_and_down,
    table_likelihood,
    trials_that_fit,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.tables import Evidence


# The two statements a dose-finding trial prints, and the share of people each is about.
SHARES = {"ed50": 0.5, "ed95": 0.95}
INTERVAL = "confidence interval 95%"
MIDDLE_OF_TRIALS = (0.025, 0.975)


@dataclass(frozen=True)
class Printed:
    """A dose as printed, and the interval some source prints with it."""

    share: float
    dose: float
    decimals: int
    low: float
    high: float
    row: dict[str, Any]
    interval_row: dict[str, Any]


@dataclass(frozen=True)
class DoseTrial:
    """An up-and-down trial as far as it is reported; doses in mg."""

    study_id: str
    label: str
    ladder: tuple[float, ...]
    people: int
    responders: int
    changes: int
    pairs: int
    printed: dict[str, Printed]
    rows: dict[str, dict[str, Any]]


def load_dose_choices(path: str | Path | None = None) -> DoseChoices | None:
    """Read section [dose] of ``protocol.toml``; None where it names no dose-finding trial."""
    return load_protocol(path).dose


def dose_trial(evidence: Evidence, choices: DoseChoices) -> DoseTrial:
    """Collect what the raw tables say of the dose-finding trial."""
    study = choices.study_id
    facts = evidence.study_facts[evidence.study_facts["study_id"] == study]
    own = facts[facts["preferred"].astype(bool)]
    span = _one(own, study, "dose", lambda f: f["qualifier"].isna())
    step = _one(own, study, "dose", lambda f: f["qualifier"] == "step")
    rows = {
        "dose range": span,
        "dose step": step,
        **{name: _one(own, study, name) for name in ("n_analysed", "reversals", "pairs")},
    }
    events = evidence.arm_events
    found = events[
        events["row_id"].str.startswith(f"{study}-")
        & (events["outcome_id"] == choices.responder_outcome)
        & events["preferred"].astype(bool)
    ]
    if len(found) != 1:
        message = (
            f"{study}: {len(found)} preferred rows of {choices.responder_outcome!r} in "
            "arm_events; allowed: one"
        )
        raise ArgumentError(message)
    rows["responders"] = _row(found)
    low, high, by = float(span["value_low"]), float(span["value_high"]), float(step["value"])
    rungs = round((high - low) / by) + 1
    labels = evidence.studies.set_index("study_id")["label"]
    return DoseTrial(
        study_id=study,
        label=str(labels[study]),
        ladder=tuple(low + by * i for i in range(rungs)),
        people=int(rows["n_analysed"]["value"]),
        responders=int(rows["responders"]["events"]),
        changes=int(rows["reversals"]["value"]),
        pairs=int(rows["pairs"]["value"]),
        printed={
            name: _printed(evidence, facts, study, name, share) for name, share in SHARES.items()
        },
        rows=rows,
    )


def _printed(
    evidence: Evidence, facts: pd.DataFrame, study: str, name: str, share: float
) -> Printed:
    row = _one(facts[facts["preferred"].astype(bool)], study, name)
    with_interval = facts[(facts["fact"] == name) & (facts["range_kind"] == INTERVAL)]
    interval = _row(with_interval) if len(with_interval) else {}
    typed = evidence.text["study_facts"].set_index("row_id")["value"][row["row_id"]]
    return Printed(
        share=share,
        dose=float(row["value"]),
        decimals=len(str(typed).partition(".")[2]),
        low=float(interval.get("value_low", float("nan"))),
        high=float(interval.get("value_high", float("nan"))),
        row=row,
        interval_row=interval,
    )


def _one(facts: pd.DataFrame, study: str, name: str, also: Any = None) -> dict[str, Any]:
    found = facts[facts["fact"] == name]
    if also is not None:
        found = found[also(found)]
    if len(found) != 1:
        message = (
            f"{study}: {len(found)} preferred rows of {name!r} in study_facts; allowed: one, with "
            "source and place"
        )
        raise ArgumentError(message)
    return _row(found)


def _row(frame: pd.DataFrame) -> dict[str, Any]:
    return {str(name): value for name, value in frame.iloc[0].items()}


@dataclass(frozen=True)
class DesignShare:
    """Which share of an up-and-down trial responds if the dose for half is at one place.

    Least and most over the spreads of the protocol: of the mean over all first doses, of the mean
    for a single one, and of the middle 95% of trials with any.
    """

    ed50: float
    means: tuple[float, float]
    by_start: tuple[float, float]
    middle: tuple[float, float]


def design_shares(
    ladder: Sequence[float], people: int, choices: DoseChoices
) -> tuple[DesignShare, ...]:
    """Compute which share the design alone makes respond, by where the dose for half lies."""
    grid = curve_grid(
        ed50_low=choices.design_ed50_low_mg,
        ed50_high=choices.design_ed50_high_mg,
        spread_low=choices.spread_low_mg,
        spread_high=choices.spread_high_mg,
        ed50_steps=choices.design_steps,
        spread_steps=choices.spread_steps,
    )
    response = grid.response(ladder)
    starts = range(len(ladder))
    # First dose, curve, number of responders.
    chance = np.stack([design_distribution(response, start=s, people=people) for s in starts])
    share = np.arange(people + 1) / people
    means, reached = chance @ share, np.cumsum(chance, axis=-1) + 1e-12
    low, high = (share[(reached < end).sum(axis=-1)] for end in MIDDLE_OF_TRIALS)
    found = []
    for ed50 in np.unique(grid.ed50):
        of = grid.ed50 == ed50
        pooled = means[:, of].mean(axis=0)
        found.append(
            DesignShare(
                ed50=float(ed50),
                means=(float(pooled.min()), float(pooled.max())),
                by_start=(float(means[:, of].min()), float(means[:, of].max())),
                middle=(float(low[:, of].min()), float(high[:, of].max())),
            )
        )
    return tuple(found)


def widest(found: Sequence[DesignShare], name: str) -> tuple[float, float]:
    """Return the least and the most of one property over all places of the dose for half."""
    pairs = [getattr(one, name) for one in found]
    return min(low for low, _ in pairs), max(high for _, high in pairs)


METHODS = {
    "cir": "centred isotonic regression",
    "probit": "probit regression",
    "logit": "logit regression",
}


@dataclass(frozen=True)
class Reading:
    """One use of the report: which of its numbers the curves have to agree with."""

    name: str
    by_start: FloatArray


@dataclass(frozen=True)
class Repeated:
    """What an estimator makes of the trial run again, if the printed doses were the truth."""

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
    """The computations of page 92, each made when first asked for."""

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
    def by_design(self) -> tuple[DesignShare, ...]:
        """Which share the design alone makes respond."""
        return design_shares(self.trial.ladder, self.trial.people, self.choices)

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
