"""Claims from a cohort: percentages of change, subgroups, and a number needed to treat."""

from __future__ import annotations

import math
from itertools import product

from ldn_meta.evidence.candidates import COMPARATOR, LDN, Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    NotOnFileError,
    finding,
    first,
)
from ldn_meta.evidence.claim_material import Material, printed_numbers
from ldn_meta.stats.benefit import risk_differences_from_nnt
from ldn_meta.stats.proportions import risk_difference_interval
from ldn_meta.stats.rounding import rounded_interval

WHOLE = "pain_intensity"
# The two subgroups make up the cohort: the percentage of the other is needed for their sizes.
SUBGROUPS = ("pain_intensity_inflammatory_subgroup", "pain_intensity_neuropathic_subgroup")
STAYED = ("cohort without controls", "case series")


def cohort_change(claim: Row, material: Material, argument: str) -> Finding:
    """Set a percentage of change in people on LDN against what is known of their controls.

    The people on LDN were those who stayed on it for two months or more; what the difference
    would be if those who stopped had changed as the controls did is computed from the shares
    that stopped in other cohorts on file. If the subgroups make up the cohort and percentages are
    means over people, their sizes follow from the three percentages.

    Verdict: cannot be tested if neither the size nor the spread of the group is printed, so that
    no effect can be computed; supported with caveats if they belong to a comparison that was not
    randomised and the printed P is below 0.05; not supported if it is not.
    """
    context = material.context
    study = str(material.study(claim)["study_id"])
    percent = {
        context.arms[row["arm_id"]]["group"]: row
        for row in context.table("arm_stats")
        if row["study_id"] == study
        and row["statistic_of"] == "percent change"
        and row["preferred"]
    }
    if not {LDN, COMPARATOR} <= set(percent):
        raise NotOnFileError("the change of both groups in per cent")
    ldn, control = percent[LDN], percent[COMPARATOR]
    baseline = {
        context.arms[row["arm_id"]]["group"]: number(row["mean"])
        for row in context.table("arm_stats")
        if row["study_id"] == study and row["statistic_of"] == "baseline"
    }
    stopped = _stopped(material)
    whole, other = number(ldn["mean"]), number(control["mean"])
    values = {
        "whole": -whole,
        "control": -other,
        "n_ldn": number(ldn["n"]),
        "n_control": number(control["n"]),
        "points": -whole * baseline.get(LDN, math.nan) / 100,
        "points_control": -other * baseline.get(COMPARATOR, math.nan) / 100,
        "stopped_low": min(stopped, default=math.nan),
        "stopped_high": max(stopped, default=math.nan),
    }
    values["diluted_low"] = _diluted(values, "stopped_low")
    values["diluted_high"] = _diluted(values, "stopped_high")
    beside = (
        "In the whole cohort pain fell by {whole}% in {n_ldn:n} people on LDN ({points:.1f} "
        "points) "
        "and by {control}% in {n_control:n} controls ({points_control:.1f} points). They were not "
        "allocated by chance, and only people who had stayed on LDN for two months were "
        "counted. In other cohorts on file {stopped_low:pct} to {stopped_high:pct} stopped; had "
        "such people changed as the controls did, the fall would be {diluted_high:.0f} to "
        "{diluted_low:.0f}%."
    )
    if claim["construct"] == WHOLE:
        row = first(
            (
                r
                for r in context.table("contrasts")
                if r["study_id"] == study
                and context.outcomes[r["outcome_id"]]["construct"] == WHOLE
                and r["p_value"] is not None
                and r["timepoint"] != "baseline"
            ),
            "the P of the difference of the two groups",
        )
        is_small = number(row["p_value"]) < 0.05
        return finding(
            WITH_CAVEATS if is_small else NOT_SUPPORTED,
            beside + " The printed P is for the difference of the two groups ({relation} "
            "{p_printed}): an association, not an effect of the drug.",
            relation=str(row["p_relation"]),
            p_printed=number(row["p_value"]),
            **values,
        )
    sizes = subgroup_sizes(material, study, values["n_ldn"], ldn)
    return finding(
        CANNOT_BE_TESTED,
        "{claimed}% is a change within a subgroup; neither its size nor its spread nor the change "
        "of its own controls is printed, so no effect can be computed. If the two subgroups make "
        "up the {n_ldn:n} people on LDN, {fewest:n} to {most:n} of them had neuropathic pain. The "
        "printed P is {p_inflammatory} for the inflammatory and {p_neuropathic} for the "
        "neuropathic "
        "group. " + beside,
        **_printed_p(material, study),
        claimed=abs(number(claim["estimate"])),
        fewest=min(sizes, default=math.nan),
        most=max(sizes, default=math.nan),
        **values,
    )


def _printed_p(material: Material, study_id: str) -> dict[str, str | float]:
    """P of the two subgroups as printed, and as numbers."""
    values: dict[str, str | float] = {}
    for row in material.context.table("contrasts"):
        construct = material.context.outcomes[row["outcome_id"]]["construct"]
        if row["study_id"] == study_id and construct in SUBGROUPS:
            name = construct.split("_")[2]
            values[f"p_{name}"] = f"{row['p_relation']} {number(row['p_value']):g}"
            values[f"p_{name}_value"] = number(row["p_value"])
    return values


def _diluted(values: dict[str, float], stopped: str) -> float:
    """Mean fall if the people who stopped are counted, with the change of the controls."""
    share = values[stopped]
    return (1 - share) * values["whole"] + share * values["control"]


def _stopped(material: Material) -> list[float]:
    """Shares that stopped for any reason in cohorts without a comparison."""
    shares = []
    for row in material.context.table("arm_events"):
        study = material.context.studies[row["study_id"]]
        is_any = material.context.outcomes[row["outcome_id"]]["construct"] == "discontinuation_any"
        if not (is_any and study["design"] in STAYED and row["preferred"]):
            continue
        if row["events"] is not None and row["n"] is not None:
            shares.append(number(row["events"]) / number(row["n"]))
        elif row["percent"] is not None:
            shares.append(number(row["percent"]) / 100)
    return shares


def subgroup_sizes(material: Material, study_id: str, people: float, whole: Row) -> list[int]:
    """Sizes of the neuropathic subgroup that fit three rounded percentages.

    (people - k) a + k b = people c must have a solution inside what a, b and c round from.
    """
    found = {
        material.context.outcomes[row["outcome_id"]]["construct"]: row
        for row in material.context.table("contrasts")
        if row["study_id"] == study_id and row["measure"] == "percent change"
    }
    one, two = (found.get(name) for name in SUBGROUPS)
    if one is None or two is None:
        return []
    a = rounded_interval(abs(number(one["estimate"])), int(one["estimate_decimals"]))
    b = rounded_interval(abs(number(two["estimate"])), int(two["estimate_decimals"]))
    printed = printed_numbers(whole["as_reported"])[0]
    c = rounded_interval(abs(number(whole["mean"])), len(printed.partition(".")[2]))
    return [
        k
        for k in range(int(people) + 1)
        if (people - k) * a.low + k * b.low <= people * c.high
        and (people - k) * a.high + k * b.high >= people * c.low
    ]


def nnt(claim: Row, material: Material, argument: str) -> Finding:
    """Turn a printed number needed to treat back into the counts that can stand behind it.

    Every pair of counts in the two groups whose risk difference prints as the number is found,
    and its interval (Newcombe 1998, method 10) computed.

    Verdict: not supported if no pair of counts gives the number, or if the interval of every
    pair includes no difference; supported with caveats if the comparison was not randomised or
    if only some intervals exclude no difference; supported otherwise.
    """
    study = material.study(claim)
    n_1, n_2 = (int(material.needed(study["study_id"], f"n_arm_{arm}")) for arm in (1, 2))
    printed = printed_numbers(claim["as_reported"])[0]
    span = risk_differences_from_nnt(
        number(claim["estimate"]), decimals=len(printed.partition(".")[2])
    )
    pairs = [
        (a, c)
        for a, c in product(range(n_1 + 1), range(n_2 + 1))
        if span.low <= a / n_1 - c / n_2 <= span.high
    ]
    intervals = [risk_difference_interval(a, n_1, c, n_2) for a, c in pairs]
    low = min((float(i.low) for i in intervals), default=math.nan)
    high = max((float(i.high) for i in intervals), default=math.nan)
    away = sum(float(i.low) > 0 for i in intervals)
    if not pairs or not away:
        verdict = NOT_SUPPORTED
    elif away < len(pairs) or not study["is_randomised"]:
        verdict = WITH_CAVEATS
    else:
        verdict = SUPPORTED
    return finding(
        verdict,
        "A number needed to treat of {printed} is a risk difference of {rd_low:.3f} to "
        "{rd_high:.3f}. With {n_1:n} and {n_2:n} people {pairs:n} pairs of counts give it, from "
        "{first_a:n} against {first_c:n} responders to {last_a:n} against {last_c:n}. Over all of "
        "them the interval of the risk difference runs from {low:.2f} to {high:.2f}, that is a "
        "number needed to treat of {best:.1f} to {worst:.1f}; {away:n} of {pairs:n} intervals "
        "exclude no difference. No interval is printed{chance}.",
        chance="" if study["is_randomised"] else ", and the groups were not allocated by chance",
        printed=number(claim["estimate"]),
        rd_low=span.low,
        rd_high=span.high,
        n_1=n_1,
        n_2=n_2,
        pairs=len(pairs),
        first_a=pairs[0][0] if pairs else math.nan,
        first_c=pairs[0][1] if pairs else math.nan,
        last_a=pairs[-1][0] if pairs else math.nan,
        last_c=pairs[-1][1] if pairs else math.nan,
        low=low,
        high=high,
        best=1 / high,
        worst=1 / low if low > 0 else math.inf,
        away=away,
    )
