"""Tables of page 92: what is reported, what agrees with it, what would print the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display.outputs import Table
from ldn_meta.display.provenance import source_cell
from ldn_meta.display.wording import fixed, interval, percent

if TYPE_CHECKING:
    from ldn_meta.evidence.dose_readings import DoseReadings, Reading
    from ldn_meta.evidence.dose_trial import DoseTrial
    from ldn_meta.evidence.load import Evidence
    from ldn_meta.stats.dose_compatible import CompatibleCurves

MIDDLE = (0.025, 0.5, 0.975)


def reported_table(trial: DoseTrial, evidence: Evidence) -> Table:
    """What the sources say of the trial, and what none of them says."""
    import pandas as pd

    def row(what: str, value: str, source: dict[str, Any]) -> dict[str, str]:
        place = source_cell(
            evidence, str(source["source_id"]), str(source["locator"]), str(source["read_from"])
        )
        return {"what": what, "reported": value, "source": place}

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

    from ldn_meta.evidence.dose_readings import METHODS

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
