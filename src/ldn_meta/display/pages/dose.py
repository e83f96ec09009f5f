"""Page 92: which dose works, and how sure the one trial that looked for it can make us."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of, source_cell
from ldn_meta.display.words import capitalised, count, fixed, interval, percent
from ldn_meta.evidence.answer.dose import DoseReadings, dose_trial, load_dose_choices
from ldn_meta.evidence.answer.pools import build_pools
from ldn_meta.evidence.derived import load_derived
from ldn_meta.stats.regression import meta_regression

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.answer.dose import DoseTrial, Reading, Repeated
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.up_and_down import CompatibleCurves, PossibleTrials


MIDDLE = (0.025, 0.5, 0.975)


def reported_table(trial: DoseTrial, evidence: Evidence) -> Table:
    """What the sources say of the trial, and what none of them says."""
    import pandas as pd

    def row(what: str, value: str, source: dict[str, Any]) -> dict[str, str]:
        return {"what": what, "reported": value, "source": source_cell(evidence, source)}

    rows = [
        row("doses", f"{trial.ladder[0]:g} to {trial.ladder[-1]:g} mg", trial.rows["dose range"]),
        row("step", f"{trial.ladder[1] - trial.ladder[0]:g} mg", trial.rows["dose step"]),
        row("people evaluated", str(trial.people), trial.rows["n_analysed"]),
        row("responders, all doses together", str(trial.responders), trial.rows["responders"]),
        row("changes of direction", str(trial.changes), trial.rows["reversals"]),
        row("up-and-down pairs", str(trial.pairs), trial.rows["pairs"]),
    ]
    for one in trial.printed.values():
        name = f"dose that works in {percent(one.share)}"
        rows.append(row(name, f"{fixed(one.dose, one.decimals)} mg", one.row))
        if one.interval_row:
            text = f"{interval(one.low, one.high)} mg"
            rows.append(row(f"{name}, 95% interval", text, one.interval_row))
    missing = {"reported": "NR", "source": "not in any source read"}
    rows += [
        {"what": "dose of the first person", **missing},
        {"what": "people and responders at each dose", **missing},
        {"what": "method of estimation", **missing},
    ]
    return Table(
        pd.DataFrame(rows),
        f"What is reported of {trial.label}",
        "Rule: one step up after no response, one step down after a response. There is no "
        "comparison group, so response is not effect.",
    )


def statement_chance(readings: DoseReadings, curves: CompatibleCurves) -> float:
    """Probability that the printed dose works in at least the share it is printed for."""
    said = readings.trial.printed["ed95"]
    return curves.probability(curves.share(said.dose) >= said.share)


def interval_chance(readings: DoseReadings, curves: CompatibleCurves, name: str) -> float:
    """Probability that a printed interval holds the dose it is printed for."""
    said = readings.trial.printed[name]
    dose = curves.dose(said.share)
    return curves.probability((dose >= said.low) & (dose <= said.high))


def _cells(readings: DoseReadings, curves: CompatibleCurves) -> dict[str, str]:
    said = readings.trial.printed
    cells = {}
    for one in said.values():
        low, median, high = curves.quantiles(curves.dose(one.share), MIDDLE)
        cells[f"dose for {percent(one.share)}, mg (middle 95%)"] = (
            f"{fixed(median, 1)} ({interval(low, high, 1)})"
        )
    last = said["ed95"]
    cells[f"chance that {last.dose:g} mg works in {percent(last.share)} or more"] = percent(
        statement_chance(readings, curves)
    )
    for name, one in said.items():
        cells[
            f"chance that {interval(one.low, one.high)} holds the dose for {percent(one.share)}"
        ] = percent(interval_chance(readings, curves, name))
    return cells


def compatible_table(readings: DoseReadings) -> Table:
    """Doses and chances, reading by reading, for the protocol's curves and two smaller sets."""
    import pandas as pd

    rows = []
    for reading in readings.readings:
        for cap in (math.inf, *sorted(readings.choices.other_spread_caps_mg, reverse=True)):
            curves = readings.curves(reading, largest_spread=cap)
            least = readings.choices.spread_high_mg if math.isinf(cap) else cap
            rows.append(
                {
                    "if": reading.name,
                    "spread of people's doses at most": f"{least:g} mg",
                    **_cells(readings, curves),
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Doses that agree with what is reported",
        "Curves of [dose] in data/raw/protocol.toml, all alike before anything is seen, weighed "
        "by the exact probability of the numbers named; every first dose alike. The choice of "
        "curves is this project's; the smaller the spread allowed, the steeper the curves. They "
        "begin near nought: who would respond without any drug counts as responding to the dose.",
    )


def start_table(readings: DoseReadings, reading: Reading) -> Table:
    """The same by the dose of the first person, which is not reported."""
    import pandas as pd

    rows = [
        {
            "first dose": f"{dose:g} mg",
            "probability of the numbers": f"{np.mean(reading.by_start[i]):.2g}",
            **_cells(readings, readings.curves(reading, start=i)),
        }
        for i, dose in enumerate(readings.trial.ladder)
    ]
    return Table(
        pd.DataFrame(rows),
        f"By the dose of the first person, if {reading.name}",
        "Probability of the numbers: mean over all curves considered. Middle 95%: of the curves "
        "that agree.",
    )


def fits_table(readings: DoseReadings) -> Table:
    """How many possible trials would print the numbers that were printed."""
    import pandas as pd

    said = readings.trial.printed
    first, second = (f"{fixed(one.dose, one.decimals)} mg" for one in said.values())
    rows = []
    for possible in readings.possible:
        head = {
            "changes of direction": str(possible.changes),
            "possible trials": f"{possible.trials:,}",
        }
        rows.append(
            {
                **head,
                "estimated by": f"mean midpoint of {readings.trial.pairs} pairs",
                f"print {first}": f"{possible.pair_mean_fits:,}",
                f"print {second}": "no such estimate",
                "print both": "no such estimate",
            }
        )
        rows += [
            {
                **head,
                "estimated by": fit.estimator,
                f"print {first}": f"{fit.ed50:,}",
                f"print {second}": f"{fit.ed95:,}",
                "print both": f"{fit.both:,}",
            }
            for fit in possible.fits
        ]
    return Table(
        pd.DataFrame(rows),
        f"Every possible trial of {readings.trial.people} people with "
        f"{readings.trial.responders} responders, from every first dose, and what it would print",
        "Counted one by one under the stated rule, not simulated. That a number does not fit here "
        "says that the trial was run or analysed in another way than could be read, not which.",
    )


def repeated_table(readings: DoseReadings) -> Table:
    """The trial run again, if the printed doses were the truth."""
    import pandas as pd

    from ldn_meta.evidence.answer.dose import METHODS

    rows = [
        {
            "estimate of": f"dose for {percent(one.share)}",
            "by": METHODS[one.method],
            "median, mg": fixed(one.median),
            "middle 95%, mg": interval(one.low, one.high),
            "no estimate": percent(one.undefined),
            "inside the printed interval": percent(one.inside),
            "its 95% interval (delta) holds the truth": _share(one.delta),
            "its 95% interval (Fieller) holds the truth": _share(one.fieller),
        }
        for one in readings.repeated
    ]
    ed50, ed95 = readings.trial.printed.values()
    return Table(
        pd.DataFrame(rows),
        f"The same trial run {readings.trials:,} times, if {ed50.dose:g} and {ed95.dose:g} mg "
        "were the truth",
        f"Simulated with seed {readings.seed}, every first dose alike. Delta: symmetric interval "
        "from the variance of a ratio, the usual one; Fieller: exact for a ratio of normal "
        "estimates, may be without ends.",
    )


def _share(value: float) -> str:
    return percent(value) if math.isfinite(value) else "none computed"


def how_sure(trial: DoseTrial, chances: Sequence[dict[str, Any]]) -> str:
    """Where the dose lies, and how probable the printed statement and intervals are."""
    half, most = trial.printed["ed50"], trial.printed["ed95"]
    one, two = chances[0], chances[1]
    low, _, high = one["doses"]["ed95"]
    parts = [
        f"If all that counts is that {one['reading']}, the dose that works in "
        f"{percent(most.share)} lies between {fixed(low, 1)} and {fixed(high, 1)} mg (middle 95% "
        f"of the curves that agree), and {most.dose:g} mg works in as many with a probability of "
        f"{percent(one['statement'])}; with the {trial.changes} changes of direction that are "
        f"reported as well, it is {percent(two['statement'])}.",
        f"Other limits on the spread of people's doses would make it {_ends(one['by_spread'])} "
        f"and {_ends(two['by_spread'])}.",
    ]
    if high > trial.ladder[-1]:
        parts.append(
            f"No dose above {trial.ladder[-1]:g} mg was given: what lies beyond is the shape of "
            "the curve, not an observation."
        )
    for name, printed in (("ed50", half), ("ed95", most)):
        if np.isfinite(printed.low):
            parts.append(
                f"The interval that one secondary source prints for {percent(printed.share)}, "
                f"{interval(printed.low, printed.high)} mg, holds that dose with a probability of "
                f"{percent(one['inside'][name])}."
            )
    return " ".join(parts)


def _ends(chances: Sequence[float]) -> str:
    return f"{percent(chances[0])} to {percent(chances[-1])}"


def what_fits(trial: DoseTrial, possible: Sequence[PossibleTrials]) -> str:
    """Whether any trial under the stated rule would print both doses."""
    half, most = (fixed(p.dose, p.decimals) for p in trial.printed.values())
    listed = sum(found.trials for found in possible)
    both = sum(fit.both for found in possible for fit in found.fits)
    first = f"Of {listed:,} possible trials, {both:,} give {half} and {most} mg by one regression."
    if both == 0:
        first = (
            f"None of {listed:,} possible trials gives {half} and {most} mg by probit, logit or "
            "isotonic regression: the two doses together do not fit what is reported."
        )
    last = possible[-1]
    if last.changes == trial.changes or not last.pair_mean_fits:
        return first
    pairs = capitalised(count(trial.pairs, "pair"))
    return (
        f"{first} {pairs} need at least {last.changes} changes of direction, not "
        f"{trial.changes}; with {last.changes}, the mean midpoint of the pairs prints as {half} "
        f"mg in {last.pair_mean_fits:,} of {last.trials:,} trials, so the two doses may have "
        "been estimated in two ways."
    )


def again(trial: DoseTrial, repeated: Sequence[Repeated]) -> str:
    """How far the estimate strays when the same trial is run again."""
    most = trial.printed["ed95"]
    one = next(r for r in repeated if r.share == most.share and r.method == "probit")
    return (
        f"Even if the printed doses were the truth, the estimate for {percent(one.share)} by "
        f"probit regression would fall between {fixed(one.low)} and {fixed(one.high)} mg in 95% "
        f"of such trials, it would lie in the printed interval in {percent(one.inside)}, and "
        f"the usual 95% interval (delta) would hold the truth in {percent(one.delta)}."
    )


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


NOTEBOOK = "92_dose"
CONSTRUCT = "pain_intensity"
QUARTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


class DosePage:
    """What the dose-finding trial can and cannot tell."""

    def __init__(self, seed: int, trials: int) -> None:
        self.derived = load_derived()
        self.parameters: dict[str, Any] = {"seed": seed, "trials": trials}
        choices = load_dose_choices()
        self.trial = dose_trial(self.derived.evidence, choices)
        self.readings = DoseReadings(self.trial, choices, seed=seed, trials=trials)

    @property
    def headline(self) -> Text:
        """What the statement rests on."""
        t, said = self.trial, self.trial.printed["ed95"]
        return Text(
            f"**One trial of {t.people} people**, {t.label}, is the source of the statement that "
            f"{said.dose:g} mg works in {percent(said.share)}. Each person's dose was set by the "
            f"response of the one before; {t.responders} responded. There was no comparison group."
        )

    @property
    def reported(self) -> Table:
        """What is reported."""
        return reported_table(self.trial, self.derived.evidence)

    @property
    def compatible(self) -> Table:
        """Doses that agree with it."""
        return compatible_table(self.readings)

    @property
    def by_start(self) -> Table:
        """The same by first dose."""
        return start_table(self.readings, self.readings.readings[0])

    @property
    def fits(self) -> Table:
        """What possible trials would print."""
        return fits_table(self.readings)

    @property
    def repeated(self) -> Table:
        """The trial run again."""
        return repeated_table(self.readings)

    @property
    def figure(self) -> FigureOutput:
        """Curves that agree, and the dose for nearly all."""
        from ldn_meta.display.figures.dose import CurveBands, DoseSpread, PrintedDose, dose_output

        said = self.trial.printed
        spreads = []
        for reading in self.readings.readings:
            curves = self.readings.curves(reading)
            values = curves.quantiles(curves.dose(said["ed95"].share), QUARTILES)
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
                for name, one in said.items()
            ],
            ladder=(self.trial.ladder[0], self.trial.ladder[-1]),
            title="How many people respond to which dose, as far as the trial can tell",
        )

    @cached_property
    def chances(self) -> list[dict[str, Any]]:
        """Numbers of the table of readings, protocol's curves."""
        found = []
        for reading in self.readings.readings:
            curves = self.readings.curves(reading)
            said = self.trial.printed
            doses = {
                name: [float(v) for v in curves.quantiles(curves.dose(one.share), MIDDLE)]
                for name, one in said.items()
            }
            found.append(
                {
                    "reading": reading.name,
                    "statement": statement_chance(self.readings, curves),
                    "by_spread": sorted(
                        statement_chance(
                            self.readings, self.readings.curves(reading, largest_spread=cap)
                        )
                        for cap in (math.inf, *self.readings.choices.other_spread_caps_mg)
                    ),
                    "inside": {
                        name: interval_chance(self.readings, curves, name) for name in said
                    },
                    "doses": doses,
                    "likelihood": curves.likelihood,
                }
            )
        return found

    @property
    def sentence(self) -> Text:
        """How sure the trial makes us."""
        return Text(how_sure(self.trial, self.chances))

    @property
    def what_fits(self) -> Text:
        """Which printed numbers a trial under the stated rule could have given."""
        return Text(what_fits(self.trial, self.readings.possible))

    @property
    def again(self) -> Text:
        """How far estimates stray."""
        return Text(again(self.trial, self.readings.repeated))

    @cached_property
    def across(self) -> dict[str, Any]:
        """Dose as a moderator across the placebo-controlled trials of the condition."""
        studies = self.derived.evidence.studies.set_index("study_id")
        indication = str(studies.loc[self.trial.study_id, "indication_id"])
        effects = self.derived.effects[self.derived.effects["indication_id"] == indication]
        pools = [
            (variant.name, pool)
            for variant in self.derived.protocol.variants
            for pool in build_pools(effects, variant.selection, variant.model)
            if pool.key["construct"] == CONSTRUCT and pool.key["comparator_class"] == "placebo"
        ]
        name, pool = max(pools, key=lambda item: len(item[1].trials))
        trials = rows_of(pool.trials)
        doses = [float(studies.loc[row["study_id"], "dose_high_mg_per_day"]) for row in trials]
        y, v = [row["yi"] for row in trials], [row["vi"] for row in trials]
        known = np.isfinite(doses)
        fit = None
        if known.sum() > 2 and np.ptp(np.array(doses)[known]) > 0.0:
            fit = meta_regression(y, v, doses, ci_method="knapp-hartung", names=["dose"])
        return {
            "pool": name,
            "unit": pool.key["unit"],
            "trials": [
                {"trial": row["study_label"], "dose": dose, "yi": row["yi"], "vi": row["vi"]}
                for row, dose in zip(trials, doses, strict=True)
            ],
            "k": int(known.sum()),
            "slope": float(fit.coefficients[1]) if fit else float("nan"),
            "ci_low": float(fit.ci_low[1]) if fit else float("nan"),
            "ci_high": float(fit.ci_high[1]) if fit else float("nan"),
        }

    @property
    def moderator(self) -> Table:
        """Trials of the condition by dose."""
        import pandas as pd

        rows = [
            {
                "trial": row["trial"],
                "highest dose, mg a day": "NR" if np.isnan(row["dose"]) else f"{row['dose']:g}",
                f"difference in pain, {self.across['unit']}": fixed(row["yi"]),
                "standard error": fixed(np.sqrt(row["vi"])),
            }
            for row in sorted(self.across["trials"], key=lambda row: (row["dose"], row["trial"]))
        ]
        return Table(
            pd.DataFrame(rows),
            "Placebo-controlled trials by dose",
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
                "what_fits": str(self.what_fits),
                "again": str(self.again),
                "moderator": str(self.moderator_sentence),
                "trial": {
                    "study_id": t.study_id,
                    "people": t.people,
                    "responders": t.responders,
                    "changes": t.changes,
                    "pairs": t.pairs,
                    "ladder": list(t.ladder),
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


def dose(*, seed: int = 2020, trials: int = 8000) -> DosePage:
    """Open page 92.

    Parameters
    ----------
    seed : int
        Of the simulated trials; everything else on the page is exact.
    trials : int
        Simulated trials.

    Returns
    -------
    DosePage
    """
    return DosePage(seed, trials)
