"""Sentences of page 92, computed from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display.wording import capitalised, count, fixed, interval, percent

if TYPE_CHECKING:
    from ldn_meta.evidence.dose_readings import Repeated
    from ldn_meta.evidence.dose_trial import DoseTrial
    from ldn_meta.stats.dose_printed import PossibleTrials


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
