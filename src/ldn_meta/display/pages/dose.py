"""Page 92: which dose works, and how sure the one trial that looked for it can make us."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages import dose_tables as tables
from ldn_meta.display.pages import dose_words as words
from ldn_meta.display.provenance import footer
from ldn_meta.display.wording import fixed, percent
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.dose_readings import DoseReadings
from ldn_meta.evidence.dose_trial import dose_trial, load_dose_choices
from ldn_meta.evidence.synthesis import build_pools
from ldn_meta.stats.regression import meta_regression

if TYPE_CHECKING:
    from ldn_meta.display.figure_output import FigureOutput

NOTEBOOK = "92_dose"
CONSTRUCT = "pain_intensity"
QUARTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


class DosePage:
    """What the dose-finding trial can and cannot tell.

    Parameters
    ----------
    seed, trials : int
        For the simulated part.
    """

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
        return tables.reported_table(self.trial, self.derived.evidence)

    @property
    def compatible(self) -> Table:
        """Doses that agree with it."""
        return tables.compatible_table(self.readings)

    @property
    def by_start(self) -> Table:
        """The same by first dose."""
        return tables.start_table(self.readings, self.readings.readings[0])

    @property
    def fits(self) -> Table:
        """What possible trials would print."""
        return tables.fits_table(self.readings)

    @property
    def repeated(self) -> Table:
        """The trial run again."""
        return tables.repeated_table(self.readings)

    @property
    def figure(self) -> FigureOutput:
        """Curves that agree, and the dose for nearly all."""
        from ldn_meta.display.figures.dose import dose_output
        from ldn_meta.display.figures.dose_parts import CurveBands, DoseSpread, PrintedDose

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
                name: [float(v) for v in curves.quantiles(curves.dose(one.share), tables.MIDDLE)]
                for name, one in said.items()
            }
            found.append(
                {
                    "reading": reading.name,
                    "statement": tables.statement_chance(self.readings, curves),
                    "by_spread": sorted(
                        tables.statement_chance(
                            self.readings, self.readings.curves(reading, largest_spread=cap)
                        )
                        for cap in (math.inf, *self.readings.choices.other_spread_caps_mg)
                    ),
                    "inside": {
                        name: tables.interval_chance(self.readings, curves, name) for name in said
                    },
                    "doses": doses,
                    "likelihood": curves.likelihood,
                }
            )
        return found

    @property
    def sentence(self) -> Text:
        """How sure the trial makes us."""
        return Text(words.how_sure(self.trial, self.chances))

    @property
    def what_fits(self) -> Text:
        """Which printed numbers a trial under the stated rule could have given."""
        return Text(words.what_fits(self.trial, self.readings.possible))

    @property
    def again(self) -> Text:
        """How far estimates stray."""
        return Text(words.again(self.trial, self.readings.repeated))

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
        return Text(words.across_trials(self.across))

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
