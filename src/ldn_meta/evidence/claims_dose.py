"""Claims about doses: effective doses of an up-and-down trial, usual doses, doses by weight."""

from __future__ import annotations

import math
from collections import Counter

from ldn_meta.evidence.candidates import Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    NotOnFileError,
    finding,
    first,
    listed,
)
from ldn_meta.evidence.claim_material import (
    ULTRA_LOW_DOSE,
    Material,
    printed_numbers,
    prints_as,
)
from ldn_meta.stats.proportions import wilson_interval
from ldn_meta.stats.values import two_sided_quantile

# Share of people that an effective dose is about.
EFFECTIVE_DOSES = {"ed50": 0.50, "ed95": 0.95}
# An adult, to turn a dose by weight into a dose a day; pharmacology's usual reference.
REFERENCE_WEIGHT_KG = 70.0
MICROGRAMS_PER_MG = 1000.0


def effective_dose(claim: Row, material: Material, argument: str) -> Finding:
    """Test a dose said to work in a share of people, from an up-and-down trial.

    Is the number that of the paper, does its interval stay inside the doses that were tried,
    could as few people show such a share at one dose, and was there a comparison group?

    Verdict: not supported if the interval reaches above the highest dose tried, or if even the
    same answer from everybody in the trial would leave the share uncertain (its Wilson interval
    would reach below the claimed share, for shares above one half); otherwise supported with
    caveats if the number is that of another source; never more without a comparison group.
    """
    share = EFFECTIVE_DOSES[argument]
    study = material.study(claim)
    dose = number(claim["estimate"])
    # The sentence of an answer may leave the interval out; it is that of the same source.
    low, high = _interval(claim, material, argument)
    paper = material.fact(claim["study_id"], argument)
    responders = first(
        (
            row
            for row in material.context.table("arm_events")
            if row["study_id"] == claim["study_id"]
            and row["outcome_id"] == "responder_own_rule"
            and row["preferred"]
        ),
        "people who responded over all doses",
    )
    events, people = number(responders["events"]), number(responders["n"])
    observed = wilson_interval(events, people)
    highest = number(study["dose_high_mg_per_day"])
    lowest = number(study["dose_low_mg_per_day"])
    step = material.fact(claim["study_id"], "dose", "step")
    if step is None:
        raise NotOnFileError("the step between doses")
    steps = number(step["value"])
    tried = round((highest - lowest) / steps) + 1
    above = sum(lowest + steps * i >= dose for i in range(tried))
    everybody = float(wilson_interval(people, people).low)
    # n / (n + z^2) >= share: the least n at which n of n shows the share.
    z2 = float(two_sided_quantile(0.95)) ** 2
    needed = math.ceil(z2 * share / (1 - share))
    is_printed = paper is not None and prints_as(number(paper["value"]), f"{dose:g}")
    leaves = high > highest
    too_few = share > 0.5 and everybody < share
    if not is_printed:
        verdict = CANNOT_BE_TESTED
    else:
        verdict = NOT_SUPPORTED if leaves or too_few else WITH_CAVEATS
    template = (
        "{events:n} of {people:n} people responded over all doses ({observed:pct}, 95% CI "
        "{observed_low:pct} to {observed_high:pct}), with no placebo group to say how many would "
        "have responded without the drug. "
    )
    if argument == "ed95":
        template += (
            "An effective dose for {share:pct} of people is a point read off a fitted curve, not "
            "a share that was seen: of the {tried:n} doses in the trial {above:n} lay at or above "
            "{dose} mg, and each person had one dose. Even {people:n} of {people:n} responding at "
            "that dose would leave a 95% interval from {everybody:pct} up; it takes {needed:n} of "
            "{needed:n} to show {share:pct}. "
        )
    if leaves:
        template += (
            "The printed interval, {low} to {high} mg, reaches above the highest dose tried, "
            "{highest} mg. "
        )
    elif not math.isnan(high):
        template += "The printed interval, {low} to {high} mg, stays within the doses tried. "
    template += (
        "The paper is said to give no interval; the one printed stands in this source alone."
        if not math.isnan(high)
        else "No interval stands beside the dose."
    )
    return finding(
        verdict,
        template,
        dose=dose,
        low=low,
        high=high,
        share=share,
        events=events,
        people=people,
        observed=events / people,
        observed_low=float(observed.low),
        observed_high=float(observed.high),
        lowest=lowest,
        highest=highest,
        step=steps,
        tried=tried,
        above=above,
        everybody=everybody,
        needed=needed,
    )


def _interval(claim: Row, material: Material, fact: str) -> tuple[float, float]:
    """Interval of the dose in the same source; NaN where it prints none."""
    rows = [claim] + [
        {"ci_low": row["value_low"], "ci_high": row["value_high"]}
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"] == fact
        and row["source_id"] == claim["claimed_in"]
    ]
    found = next((row for row in rows if row["ci_low"] is not None), rows[0])
    return number(found["ci_low"]), number(found["ci_high"])


def usual_dose(claim: Row, material: Material, argument: str) -> Finding:
    """Count the highest dose of each study on file, and see which is the most common.

    Verdict: supported if the claimed dose is the most common one; not supported otherwise.
    """
    doses = Counter(number(study["dose_high_mg_per_day"]) for study in _studies(material))
    top, studies = first(doses.most_common(1), "a study that states a dose")
    claimed = number(claim["estimate"])
    return finding(
        SUPPORTED if top == claimed else NOT_SUPPORTED,
        "Of {total:n} published studies on file that state a dose, {claimed_in:n} go up to "
        "{claimed} mg a day; the most common dose is {top} mg ({studies:n} studies).",
        total=doses.total(),
        claimed=claimed,
        claimed_in=doses[claimed],
        top=top,
        studies=studies,
    )


def dose_range(claim: Row, material: Material, argument: str) -> Finding:
    """Count the studies on file whose doses lie inside the claimed ones.

    The argument names an indication of opioid combinations, whose doses are micrograms.

    Verdict: supported if all studies on file that state a dose lie inside the claimed range (or
    use the claimed doses); supported with caveats if at least half of them do, or, for a single
    dose, if any study used it; not supported otherwise.
    """
    if argument:
        return _ultra_low_range(claim, material)
    studies = _studies(material)
    if claim["ci_low"] is None:
        claimed = number(claim["estimate"])
        using = sum(
            number(s["dose_low_mg_per_day"]) <= claimed <= number(s["dose_high_mg_per_day"])
            for s in studies
        )
        return finding(
            WITH_CAVEATS if using else NOT_SUPPORTED,
            "{using:n} of {total:n} published studies on file used doses that include "
            "{claimed} mg; none compares a lowered dose with a full one.",
            claimed=claimed,
            using=using,
            total=len(studies),
        )
    low, high = number(claim["ci_low"]), number(claim["ci_high"])
    inside = sum(
        low <= number(s["dose_low_mg_per_day"]) and number(s["dose_high_mg_per_day"]) <= high
        for s in studies
    )
    first(studies, "a study that states a dose")
    extremes = [number(s["dose_high_mg_per_day"]) for s in studies]
    return finding(
        _by_share(inside, len(studies)),
        "{inside:n} of {total:n} published studies on file that state a dose stay within {low} "
        "to {high} mg a day; the highest dose called low is {most} mg.",
        low=low,
        high=high,
        inside=inside,
        total=len(studies),
        most=max(extremes),
    )


def _by_share(inside: int, total: int) -> str:
    if inside == total:
        return SUPPORTED
    return WITH_CAVEATS if 2 * inside >= total else NOT_SUPPORTED


def _ultra_low_range(claim: Row, material: Material) -> Finding:
    """Doses of the opioid combinations on file, in micrograms a day."""
    claimed = {float(printed) for printed in printed_numbers(claim["as_reported"])}
    used = _micrograms(material)
    fitting = [label for label, doses in used.items() if set(doses) <= claimed]
    k = number(claim["k"])
    verdict = SUPPORTED if len(fitting) == k else WITH_CAVEATS
    return finding(
        verdict if fitting else NOT_SUPPORTED,
        "On file are {fitting:n} randomised trials that added {least} or {most} ug of naltrexone "
        "a day to an opioid ({names}), as in the claim ({k:n}).",
        fitting=len(fitting),
        least=min(claimed),
        most=max(claimed),
        k=k,
        names=listed(fitting),
    )


def dose_per_weight(claim: Row, material: Material, argument: str) -> Finding:
    """Set a dose by body weight against the doses of the trials that combined it with opioids.

    Verdict: supported if the highest dose of every trial on file lies inside the range for a
    person of 70 kg; supported with caveats if that of some trial does; not supported if none.
    """
    low, high = number(claim["ci_low"]), number(claim["ci_high"])
    day_low, day_high = low * REFERENCE_WEIGHT_KG, high * REFERENCE_WEIGHT_KG
    used = {label: max(doses) for label, doses in _micrograms(material).items()}
    inside = [label for label, dose in used.items() if day_low <= dose <= day_high]
    below = [dose for dose in used.values() if dose < day_low]
    verdict = WITH_CAVEATS if inside else NOT_SUPPORTED
    return finding(
        SUPPORTED if len(inside) == len(used) else verdict,
        "For a person of {weight:n} kg, {low} to {high} mcg/kg is {day_low:n} to {day_high:n} ug. "
        "Of {trials:n} randomised trials of opioid combinations on file that state a dose, "
        "{inside:n} went that high ({names}); {below:n} stayed below, at {least:.3g} to {most:n} "
        "ug a day, the doses that the same document gives elsewhere.",
        weight=REFERENCE_WEIGHT_KG,
        low=low,
        high=high,
        day_low=day_low,
        day_high=day_high,
        trials=len(used),
        inside=len(inside),
        below=len(below),
        least=min(below, default=math.nan),
        most=max(below, default=math.nan),
        names=listed(inside),
    )


def _micrograms(material: Material) -> dict[str, tuple[float, float]]:
    """Lowest and highest dose a day of the trials that combined naltrexone with an opioid."""
    return {
        str(study["label"]): (
            round(number(study["dose_low_mg_per_day"]) * MICROGRAMS_PER_MG, 6),
            round(number(study["dose_high_mg_per_day"]) * MICROGRAMS_PER_MG, 6),
        )
        for study in material.randomised(ULTRA_LOW_DOSE)
        if study["dose_high_mg_per_day"] is not None
    }


def _studies(material: Material) -> list[Row]:
    """Published studies of LDN alone that state a dose in mg a day."""
    return [
        study
        for study in material.context.studies.values()
        if study["indication_id"] != ULTRA_LOW_DOSE
        and study["status"] == "published"
        and study["eligible_for"] != "excluded"
        and study["dose_high_mg_per_day"] is not None
    ]
