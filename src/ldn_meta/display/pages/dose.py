"""Page 92: which dose works, and how sure the one trial that looked for it can make us."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of, source_cell
from ldn_meta.display.words import capitalised, count, fixed, interval, percent
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.dose import (
    METHODS,
    DoseReadings,
    dose_trial,
    load_dose_choices,
    widest,
)
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.stats.regression import meta_regression

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.raw.protocol import DoseChoices
    from ldn_meta.stats.up_and_down import CompatibleCurves


NOTEBOOK = "92_dose"
MIDDLE = (0.025, 0.5, 0.975)
QUARTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
TRIAL = ("study_id", "people", "responders", "changes", "pairs", "ladder")
NO_TRIAL = "No trial on file looked for the dose that works, so there is nothing to compute here."


class DosePage:
    """What the dose-finding trial can and cannot tell."""

    def __init__(self, derived: Derived, choices: DoseChoices, parameters: dict[str, Any]) -> None:
        self.derived = derived
        self.parameters = parameters
        self.trial = dose_trial(derived.evidence, choices)
        self.readings = DoseReadings(self.trial, choices, **parameters)
        self._half, self._most = self.trial.printed["ed50"], self.trial.printed["ed95"]

    @property
    def headline(self) -> Text:
        """What the statement rests on."""
        t, said = self.trial, self._most
        return Text(
            f"**One trial of {t.people} people**, {t.label}, is the source of the statement that "
            f"{said.dose:g} mg works in {percent(said.share)}. Each person's dose was set by the "
            f"response of the one before, so that {t.responders} responded is no rate: the design "
            f"alone brings {_ends(self._design('means'))} to respond. There was no comparison "
            "group."
        )

    def _design(self, name: str) -> tuple[float, float]:
        """Least and most share that the design makes respond, by one way to count."""
        return widest(self.readings.by_design, name)

    @property
    def design(self) -> Table:
        """What the design makes of the share of responders, by where the dose for half lies."""
        rows = [
            {
                "dose that works in half, mg": f"{one.ed50:g}",
                "mean share, all first doses alike": _ends(one.means),
                "mean share, by first dose": _ends(one.by_start),
                "middle 95% of trials, any first dose": _ends(one.middle),
            }
            for one in self.readings.by_design
        ]
        return Table(
            pd.DataFrame(rows),
            f"Share of {self.trial.people} people that responds under this design",
            "Exact, by the stated rule: least and most over the spreads of people's doses in "
            "[dose] of data/raw/protocol.toml.",
        )

    @property
    def design_sentence(self) -> Text:
        """Why the share of responders says nothing of how well the drug works."""
        t, choices = self.trial, self.readings.choices
        return Text(
            f"Wherever from {choices.design_ed50_low_mg:g} to {choices.design_ed50_high_mg:g} mg "
            f"the dose that works in half lies, {_ends(self._design('means'))} of "
            f"{t.people} people respond on average when every first dose is as likely "
            f"({_ends(self._design('by_start'))} from one first dose or another): after a "
            "response the dose falls until it fails, after a failure it rises until it works. The "
            f"{t.responders} of {t.people} ({percent(t.responders / t.people)}) are what the "
            "design gives; they are no share of people the drug helps, have no interval as one, "
            f"and are no argument about the dose for {percent(self._most.share)}."
        )

    @property
    def reported(self) -> Table:
        """What the sources say of the trial, and what none of them says."""
        t = self.trial
        told: list[tuple[str, str, dict[str, Any] | None]] = [
            ("doses", f"{t.ladder[0]:g} to {t.ladder[-1]:g} mg", t.rows["dose range"]),
            ("step", f"{t.ladder[1] - t.ladder[0]:g} mg", t.rows["dose step"]),
            ("people evaluated", str(t.people), t.rows["n_analysed"]),
            ("responders, all doses together", str(t.responders), t.rows["responders"]),
            ("changes of direction", str(t.changes), t.rows["reversals"]),
            ("up-and-down pairs", str(t.pairs), t.rows["pairs"]),
        ]
        for one in t.printed.values():
            name = f"dose that works in {percent(one.share)}"
            told.append((name, f"{fixed(one.dose, one.decimals)} mg", one.row))
            if one.interval_row:
                text = f"{interval(one.low, one.high)} mg"
                told.append((f"{name}, 95% interval", text, one.interval_row))
        told += [
            (what, "NR", None)
            for what in (
                "dose of the first person",
                "people and responders at each dose",
                "method of estimation",
            )
        ]
        evidence = self.derived.evidence
        rows = [
            {
                "what": what,
                "reported": value,
                "source": source_cell(evidence, row) if row else "not in any source read",
            }
            for what, value, row in told
        ]
        return Table(
            pd.DataFrame(rows),
            f"What is reported of {t.label}",
            "Rule: one step up after no response, one step down after a response. There is no "
            "comparison group, so response is not effect.",
        )

    def _statement_chance(self, curves: CompatibleCurves) -> float:
        """Probability that the printed dose works in at least the share it is printed for."""
        return curves.probability(curves.share(self._most.dose) >= self._most.share)

    def _interval_chance(self, curves: CompatibleCurves, name: str) -> float:
        """Probability that a printed interval holds the dose it is printed for."""
        said = self.trial.printed[name]
        dose = curves.dose(said.share)
        return curves.probability((dose >= said.low) & (dose <= said.high))

    def _cells(self, curves: CompatibleCurves) -> dict[str, str]:
        """Doses and chances of some curves."""
        cells = {}
        for one in self.trial.printed.values():
            low, median, high = curves.quantiles(curves.dose(one.share), MIDDLE)
            head = f"dose for {percent(one.share)}, mg (middle 95%)"
            cells[head] = f"{fixed(median, 1)} ({interval(low, high, 1)})"
        last = self._most
        head = f"chance that {last.dose:g} mg works in {percent(last.share)} or more"
        cells[head] = percent(self._statement_chance(curves))
        for name, one in self.trial.printed.items():
            span = interval(one.low, one.high)
            head = f"chance that {span} holds the dose for {percent(one.share)}"
            cells[head] = percent(self._interval_chance(curves, name))
        return cells

    @property
    def compatible(self) -> Table:
        """Doses and chances, reading by reading, for the protocol's curves and smaller sets."""
        choices = self.readings.choices
        caps = {math.inf: choices.spread_high_mg}
        caps |= {cap: cap for cap in sorted(choices.other_spread_caps_mg, reverse=True)}
        rows = [
            {
                "if": reading.name,
                "spread of people's doses at most": f"{most:g} mg",
                **self._cells(self.readings.curves(reading, largest_spread=cap)),
            }
            for reading in self.readings.readings
            for cap, most in caps.items()
        ]
        return Table(
            pd.DataFrame(rows),
            "Doses that agree with what is reported",
            "Curves of [dose] in data/raw/protocol.toml, all alike before anything is seen, "
            "weighed by the exact probability of the numbers named; every first dose alike. The "
            "choice of curves is this project's; the smaller the spread allowed, the steeper the "
            "curves. They begin near nought: who would respond without any drug counts as "
            "responding to the dose.",
        )

    @property
    def by_start(self) -> Table:
        """The same by the dose of the first person, which is not reported."""
        reading = self.readings.readings[0]
        rows = [
            {
                "first dose": f"{dose:g} mg",
                "probability of the numbers": f"{np.mean(reading.by_start[i]):.2g}",
                **self._cells(self.readings.curves(reading, start=i)),
            }
            for i, dose in enumerate(self.trial.ladder)
        ]
        return Table(
            pd.DataFrame(rows),
            f"By the dose of the first person, if {reading.name}",
            "Probability of the numbers: mean over all curves considered. Middle 95%: of the "
            "curves that agree.",
        )

    @property
    def _doses(self) -> tuple[str, str]:
        """The two doses as printed."""
        return (
            fixed(self._half.dose, self._half.decimals),
            fixed(self._most.dose, self._most.decimals),
        )

    @property
    def fits(self) -> Table:
        """How many possible trials would print the numbers that were printed."""
        t, (half, most) = self.trial, self._doses
        columns = ("estimated by", f"print {half} mg", f"print {most} mg", "print both")
        none = "no such estimate"
        rows = []
        for possible in self.readings.possible:
            by_pairs = f"mean midpoint of {t.pairs} pairs"
            found = [(by_pairs, f"{possible.pair_mean_fits:,}", none, none)]
            found += [
                (fit.estimator, f"{fit.ed50:,}", f"{fit.ed95:,}", f"{fit.both:,}")
                for fit in possible.fits
            ]
            rows += [
                {
                    "changes of direction": str(possible.changes),
                    "possible trials": f"{possible.trials:,}",
                    **dict(zip(columns, cells, strict=True)),
                }
                for cells in found
            ]
        return Table(
            pd.DataFrame(rows),
            f"Every possible trial of {t.people} people with {t.responders} responders, from "
            "every first dose, and what it would print",
            "Counted one by one under the stated rule, not simulated. That a number does not fit "
            "here says that the trial was run or analysed in another way than could be read, not "
            "which.",
        )

    @property
    def repeated(self) -> Table:
        """The trial run again, if the printed doses were the truth."""
        rows = [
            {
                "estimate of": f"dose for {percent(one.share)}",
                "by": METHODS[one.method],
                "median, mg": fixed(one.median),
                "middle 95%, mg": interval(one.low, one.high),
                "no estimate": percent(one.undefined),
                "inside the printed interval": percent(one.inside),
                "its 95% interval (delta) holds the truth": _computed(one.delta),
                "its 95% interval (Fieller) holds the truth": _computed(one.fieller),
            }
            for one in self.readings.repeated
        ]
        return Table(
            pd.DataFrame(rows),
            f"The same trial run {self.readings.trials:,} times, if {self._half.dose:g} and "
            f"{self._most.dose:g} mg were the truth",
            f"Simulated with seed {self.readings.seed}, every first dose alike. Delta: symmetric "
            "interval from the variance of a ratio, the usual one; Fieller: exact for a ratio of "
            "normal estimates, may be without ends.",
        )

    @property
    def figure(self) -> FigureOutput:
        """Curves that agree, and the dose for nearly all."""
        from ldn_meta.display.figures.dose import CurveBands, DoseSpread, PrintedDose, dose_output

        spreads = []
        for reading in self.readings.readings:
            curves = self.readings.curves(reading)
            values = curves.quantiles(curves.dose(self._most.share), QUARTILES)
            spreads.append(DoseSpread(reading.name, *map(float, values)))
        first = self.readings.curves(self.readings.readings[0])
        dose = np.linspace(0.0, max(spread.high for spread in spreads), 121)
        shares = np.stack([first.quantiles(first.share(float(x)), QUARTILES) for x in dose])
        return dose_output(
            "dose",
            CurveBands(dose, *shares.T),
            spreads,
            [
                PrintedDose(name, one.share, one.dose, one.low, one.high)
                for name, one in self.trial.printed.items()
            ],
            ladder=(self.trial.ladder[0], self.trial.ladder[-1]),
            title="How many people respond to which dose, as far as the trial can tell",
        )

    @cached_property
    def chances(self) -> list[dict[str, Any]]:
        """Numbers of the table of readings, protocol's curves."""
        found, printed = [], self.trial.printed
        for reading in self.readings.readings:
            curves = self.readings.curves(reading)
            by_spread = sorted(
                self._statement_chance(self.readings.curves(reading, largest_spread=cap))
                for cap in (math.inf, *self.readings.choices.other_spread_caps_mg)
            )
            found.append(
                {
                    "reading": reading.name,
                    "statement": self._statement_chance(curves),
                    "by_spread": by_spread,
                    "inside": {name: self._interval_chance(curves, name) for name in printed},
                    "doses": {
                        name: [float(v) for v in curves.quantiles(curves.dose(one.share), MIDDLE)]
                        for name, one in printed.items()
                    },
                    "likelihood": curves.likelihood,
                }
            )
        return found

    @property
    def sentence(self) -> Text:
        """Where the dose lies, and how probable the printed statement and intervals are."""
        t, most, (one, two, *_) = self.trial, self._most, self.chances
        low, _, high = one["doses"]["ed95"]
        parts = [
            f"If all that counts is that {one['reading']}, the dose that works in "
            f"{percent(most.share)} lies between {fixed(low, 1)} and {fixed(high, 1)} mg (middle "
            f"95% of the curves that agree), and {most.dose:g} mg works in as many with a "
            f"probability of {percent(one['statement'])}; with the {t.changes} changes of "
            f"direction that are reported as well, it is {percent(two['statement'])}.",
            "Other limits on the spread of people's doses would make it "
            f"{_ends(one['by_spread'])} and {_ends(two['by_spread'])}.",
        ]
        if high > t.ladder[-1]:
            parts.append(
                f"No dose above {t.ladder[-1]:g} mg was given: what lies beyond is the shape of "
                "the curve, not an observation."
            )
        parts += [
            f"The interval that one secondary source prints for {percent(printed.share)}, "
            f"{interval(printed.low, printed.high)} mg, holds that dose with a probability of "
            f"{percent(one['inside'][name])}."
            for name, printed in t.printed.items()
            if np.isfinite(printed.low)
        ]
        return Text(" ".join(parts))

    @property
    def what_fits(self) -> Text:
        """Whether any trial under the stated rule would print both doses."""
        possible, (half, most) = self.readings.possible, self._doses
        trials = sum(found.trials for found in possible)
        both = sum(fit.both for found in possible for fit in found.fits)
        first = (
            f"Of {trials:,} possible trials, {both:,} give {half} and {most} mg by one regression."
            if both
            else f"None of {trials:,} possible trials gives {half} and {most} mg by probit, logit "
            "or isotonic regression: the two doses together do not fit what is reported."
        )
        last = possible[-1]
        if last.changes == self.trial.changes or not last.pair_mean_fits:
            return Text(first)
        return Text(
            f"{first} {capitalised(count(self.trial.pairs, 'pair'))} need at least {last.changes} "
            f"changes of direction, not {self.trial.changes}; with {last.changes}, the mean "
            f"midpoint of the pairs prints as {half} mg in {last.pair_mean_fits:,} of "
            f"{last.trials:,} trials, so the two doses may have been estimated in two ways."
        )

    @property
    def again(self) -> Text:
        """How far the estimate strays when the same trial is run again."""
        one = next(
            r
            for r in self.readings.repeated
            if r.share == self._most.share and r.method == "probit"
        )
        return Text(
            f"Even if the printed doses were the truth, the estimate for {percent(one.share)} by "
            f"probit regression would fall between {fixed(one.low)} and {fixed(one.high)} mg in "
            f"95% of such trials, it would lie in the printed interval in {percent(one.inside)}, "
            f"and the usual 95% interval (delta) would hold the truth in {percent(one.delta)}."
        )

    @cached_property
    def _question(self) -> dict[str, str]:
        """The row of the trial's indication, whose main question its dose is a part of."""
        text = self.derived.evidence.text
        studies = text["studies"].set_index("study_id")["indication_id"]
        rows = text["indications"]
        row = rows[rows["indication_id"] == studies[self.trial.study_id]].iloc[0]
        return {str(name): str(value) for name, value in row.items()}

    @cached_property
    def across(self) -> dict[str, Any]:
        """Dose as a moderator across the comparative trials of the condition."""
        d, asked = self.derived, self._question
        answer = Answers(d.evidence, d.protocol, d.effects, d.left_out).to(
            asked["indication_id"], asked["main_construct"], asked["main_comparator"]
        )
        pools = [(name, pool) for name, pool in answer.variants if pool is not None]
        if not pools:
            return {"pool": "none", "unit": "", "k": 0, **_regression([])}
        name, pool = max(pools, key=lambda item: len(item[1].trials))
        highest = d.evidence.studies.set_index("study_id")["dose_high_mg_per_day"]
        trials = [
            {
                "trial": row["study_label"],
                "dose": float(highest[row["study_id"]]),
                "yi": row["yi"],
                "vi": row["vi"],
            }
            for row in rows_of(pool.trials)
        ]
        known = sum(math.isfinite(trial["dose"]) for trial in trials)
        return {"pool": name, "unit": pool.key["unit"], "k": known, **_regression(trials)}

    @property
    def moderator(self) -> Table:
        """Trials of the condition by dose."""
        review, asked = self.derived.evidence.review, self._question
        outcome = review.short.get(asked["main_construct"], "the main outcome")
        rows = [
            {
                "trial": row["trial"],
                "highest dose, mg a day": "NR" if np.isnan(row["dose"]) else f"{row['dose']:g}",
                f"difference in {outcome}, {self.across['unit']}": fixed(row["yi"]),
                "standard error": fixed(np.sqrt(row["vi"])),
            }
            for row in sorted(self.across["trials"], key=lambda row: (row["dose"], row["trial"]))
        ]
        return Table(
            pd.DataFrame(rows),
            f"{capitalised(asked['main_comparator'])}-controlled trials by dose",
            f"Exploratory. Trials of the pool '{self.across['pool']}', which has the most trials.",
        )

    @property
    def moderator_sentence(self) -> Text:
        """What dose explains across trials, with its caveat."""
        return Text(across_trials(self.across))

    @cached_property
    def facts(self) -> Facts:
        """Numbers behind the page."""
        t = self.trial
        return Facts(
            {
                "headline": str(self.headline),
                "sentence": str(self.sentence),
                "design_sentence": str(self.design_sentence),
                "by_design": [vars(one) for one in self.readings.by_design],
                "what_fits": str(self.what_fits),
                "again": str(self.again),
                "moderator": str(self.moderator_sentence),
                "trial": {
                    **{name: getattr(t, name) for name in TRIAL},
                    "printed": {
                        name: {"share": p.share, "dose": p.dose, "low": p.low, "high": p.high}
                        for name, p in t.printed.items()
                    },
                },
                "readings": self.chances,
                "possible": [
                    {
                        "changes": found.changes,
                        "trials": found.trials,
                        "pair_mean_fits": found.pair_mean_fits,
                        "fits": {
                            fit.estimator: [fit.ed50, fit.ed95, fit.both] for fit in found.fits
                        },
                    }
                    for found in self.readings.possible
                ],
                "repeated": [vars(one) for one in self.readings.repeated],
                "across": self.across,
            }
        )

    def footer(self) -> Table:
        """Provenance."""
        return footer(NOTEBOOK, self.parameters, [self.derived.effects])


class NoDosePage:
    """Page 92 of a review in which no trial looked for the dose: it says so, and nothing else."""

    def __init__(self, derived: Derived, parameters: dict[str, Any]) -> None:
        self.derived = derived
        self.parameters = parameters
        self.headline = Text(NO_TRIAL)
        self.facts = Facts({"headline": NO_TRIAL})

    def __getattr__(self, name: str) -> Text:
        """Show nothing where the page of a trial shows something."""
        if name.startswith("_") or not hasattr(DosePage, name):
            raise AttributeError(name)
        return Text("")

    def footer(self) -> Table:
        """Provenance."""
        return footer(NOTEBOOK, self.parameters, [self.derived.effects])


def across_trials(found: dict[str, Any]) -> str:
    """What dose explains across trials, with its caveat."""
    doses = [row["dose"] for row in found["trials"] if np.isfinite(row["dose"])]
    span = f"from {min(doses):g} to {max(doses):g} mg" if doses else "that are not reported"
    caveat = (
        f"{count(found['k'], 'trial')} at doses {span} cannot tell an effect of dose from "
        "anything else in which they differ"
    )
    if np.isnan(found["slope"]):
        return f"No regression on dose: {caveat}."
    return (
        f"Per mg more, the difference changes by {fixed(found['slope'])} {found['unit']} (95% CI "
        f"{interval(found['ci_low'], found['ci_high'])}, Knapp-Hartung): {caveat}."
    )


def _regression(trials: list[dict[str, Any]]) -> dict[str, Any]:
    """The trials, and how their effect changes with a mg more; NaN for too few doses."""
    doses = [trial["dose"] for trial in trials]
    slope, low, high = math.nan, math.nan, math.nan
    known = [dose for dose in doses if math.isfinite(dose)]
    if len(known) > 2 and len(set(known)) > 1:
        y, v = ([trial[name] for trial in trials] for name in ("yi", "vi"))
        fit = meta_regression(y, v, doses, ci_method="knapp-hartung", names=["dose"])
        slope, low, high = (float(ends[1]) for ends in (fit.coefficients, fit.ci_low, fit.ci_high))
    return {"trials": trials, "slope": slope, "ci_low": low, "ci_high": high}


def _computed(value: float) -> str:
    return percent(value) if math.isfinite(value) else "none computed"


def _ends(chances: Sequence[float]) -> str:
    return f"{percent(chances[0])} to {percent(chances[-1])}"


def dose(*, seed: int = 2020, trials: int = 8000) -> DosePage | NoDosePage:
    """Open page 92.

    Parameters
    ----------
    seed : int
        Of the simulated trials; everything else on the page is exact.
    trials : int
        Simulated trials.

    Returns
    -------
    DosePage or NoDosePage
        The second where the protocol names no dose-finding trial.
    """
    derived, choices = load_derived(), load_dose_choices()
    parameters = {"seed": seed, "trials": trials}
    if choices is None:
        return NoDosePage(derived, parameters)
    return DosePage(derived, choices, parameters)
