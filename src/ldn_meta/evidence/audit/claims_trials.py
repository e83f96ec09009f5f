"""What adding up the responders of one trial at two thresholds would do: a what-if."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.answer.answer import interval_to_read
from ldn_meta.evidence.answer.pools import (
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    NO_DIFFERENCE,
    build_pools,
    find_pool,
    pool_trials,
)
from ldn_meta.evidence.audit.claim_material import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SIZES,
    SUPPORTED,
    ULTRA_LOW_DOSE,
    WITH_CAVEATS,
    Finding,
    Material,
    NotOnFileError,
    Span,
    at_best_with_caveats,
    count_of,
    finding,
    first,
    listed,
    more_cautious,
    named,
    printed_numbers,
    prints_as,
    span_of,
)
from ldn_meta.evidence.audit.claims_reviews import (
    BENEFIT,
    claims_effect,
    compare_pool,
    pain_pool,
    published,
    verdict_on,
)
from ldn_meta.evidence.effects.rows import COMPARATOR, TREATMENT, Row, number, plain_rows, select
from ldn_meta.stats.arrays import two_sided_quantile
from ldn_meta.stats.convert import se_from_ci
from ldn_meta.stats.effects import log_odds_ratio, log_rate_ratio, log_risk_ratio
from ldn_meta.stats.printed import (
    JointCount,
    counts_from_percent,
    joint_counts,
    p_interval,
    rounded_interval,
)
from ldn_meta.stats.proportions import (
    risk_difference_interval,
    risk_differences_from_nnt,
    wilson_interval,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.stats.pool import PooledResult


def benefit_on_file(claim: Row, material: Material, argument: str) -> Finding:
    """Ask what the randomised placebo comparisons of a condition say of benefit.

    Verdict: by the pool of the condition's main outcome if two or more trials make one (supported
    if its interval lies on the side of LDN, not supported otherwise); without a pool, supported
    with caveats if any comparison favours LDN and not supported if none does; cannot be tested
    without a randomised comparison that says what it found.
    """
    indication_id = str(claim["indication_id"])
    studies = [
        study
        for study in material.randomised(indication_id)
        if study["comparator_class"].startswith("placebo")
    ]
    found = material.directions(studies, material.constructs(BENEFIT))
    rows = material.effects[material.effects["indication_id"] == indication_id]
    row = material.indication_row(indication_id)
    pools = [
        pool
        for pool in build_pools(rows, material.protocol.selection, material.protocol.model)
        if pool.key["construct"] == row["main_construct"] and len(pool.trials) > 1
    ]
    template = (
        "Randomised placebo comparisons on file that say what they found: {trials:n}, of which "
        "{for_treatment:n} in favour of LDN ({names}), {none:n} without a difference and "
        "{against:n} in favour of placebo. "
    )
    values: dict[str, float | str] = {}
    if not found:
        verdict = CANNOT_BE_TESTED
        template = (
            "No randomised comparison in {condition} says what it found; reports without a "
            "comparison group cannot show an effect."
        )
    elif pools:
        ours = span_of(pools[0])
        sign = float(pools[0].trials["benefit_sign"].iloc[0])
        verdict = SUPPORTED if ours.side * sign > 0 else NOT_SUPPORTED
        values = {"now": ours.estimate, "now_low": ours.low, "now_high": ours.high}
        values |= {"now_k": len(pools[0].trials), "unit": pools[0].key["unit"]}
        template += (
            "The {now_k:word} that can be pooled on the main outcome give {now:.2f} "
            "({now_low:.2f} "
            "to {now_high:.2f}) {unit}."
        )
    else:
        verdict = WITH_CAVEATS if count_of(found, FAVOURS_TREATMENT) else NOT_SUPPORTED
        template += "They cannot be pooled on the main outcome."
    return finding(
        verdict,
        template,
        trials=len(found),
        for_treatment=count_of(found, FAVOURS_TREATMENT),
        none=count_of(found, NO_DIFFERENCE),
        against=count_of(found, FAVOURS_COMPARATOR),
        names=named(found, FAVOURS_TREATMENT),
        condition=material.indication(indication_id),
        **values,
    )


def no_benefit_on_file(claim: Row, material: Material, argument: str) -> Finding:
    """Ask whether the randomised comparisons of LDN on pain bear out that it does not help.

    Verdict: not supported if a pool of pain lies on the side of LDN or at least half of the
    comparisons favour it; supported if none favours it; supported with caveats in between, for
    no difference shown is not the same as no difference.
    """
    studies = material.randomised()
    found = material.directions(studies, material.constructs(["pain"]))
    pooled = pain_pool(material)
    for_treatment = count_of(found, FAVOURS_TREATMENT)
    ours = span_of(pooled) if pooled is not None else None
    if (ours is not None and ours.side < 0) or 2 * for_treatment >= len(found):
        verdict = NOT_SUPPORTED
    else:
        verdict = WITH_CAVEATS if for_treatment else SUPPORTED
    template = (
        "Randomised comparisons of LDN that say what they found on pain: {trials:n}, of which "
        "{for_treatment:n} in favour of LDN ({names}), {none:n} without a difference and "
        "{against:n} in favour of the comparator. "
    )
    values: dict[str, float | str] = {}
    if ours is not None and pooled is not None:
        template += (
            "The pool with the most trials, {where}, gives {now:.2f} ({now_low:.2f} to "
            "{now_high:.2f}) {unit}: no difference shown. A fall of {mid} point, the smallest "
            "that matters to people, {lies} in the interval the answer is read by, "
            "{read_low:.2f} to {read_high:.2f}{prior}."
        )
        read = interval_to_read(pooled, material.protocol)
        mid = material.protocol.scales["pain_intensity"].minimal_important_difference
        values = {
            "where": material.indication(pooled.key["indication_id"]),
            "now": ours.estimate,
            "now_low": ours.low,
            "now_high": ours.high,
            "unit": pooled.key["unit"],
            "mid": mid,
            "lies": "lies" if read.low <= -mid <= read.high else "does not lie",
            "read_low": read.low,
            "read_high": read.high,
            "prior": " with a prior for the spread between the trials" if read.has_prior else "",
        }
    return finding(
        verdict,
        template,
        trials=len(found),
        for_treatment=for_treatment,
        none=count_of(found, NO_DIFFERENCE),
        against=count_of(found, FAVOURS_COMPARATOR),
        names=named(found, FAVOURS_TREATMENT),
        **values,
    )


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
    if not {TREATMENT, COMPARATOR} <= set(percent):
        raise NotOnFileError("the change of both groups in per cent")
    ldn, control = percent[TREATMENT], percent[COMPARATOR]
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
        "points": -whole * baseline.get(TREATMENT, math.nan) / 100,
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


# The interval of two one-sided tests at 5% (Schuirmann 1987, J Pharmacokinet Biopharm 15:657).
EQUIVALENCE_LEVEL = 0.90
# A scale of 0-10 cannot spread differences further than its length, but for a little in a sample.
TEN = 10.0


def equivalence(claim: Row, material: Material, argument: str) -> Finding:
    """Ask for which margins an interval would show that two drugs are about equally good.

    Two drugs are equivalent within a margin if the whole interval of their difference lies
    between minus and plus the margin. The margin has to be named before the results are known,
    and the trial has to be able to tell a drug that works from one that does not (a placebo
    group, assay sensitivity): two drugs of which neither works are equivalent too.

    Verdict: not supported if the interval reaches beyond the smallest difference that matters to
    people (protocol, as small as one can defend); otherwise supported with caveats, because no
    margin was named beforehand and there is no placebo group; cannot be tested without an
    interval on a known scale.
    """
    rows = material.effects[
        (material.effects["study_id"] == claim["study_id"])
        & (material.effects["construct"] == "pain_intensity")
        & material.effects["is_selected"].astype(bool)
    ]
    scale = material.protocol.scales.get("pain_intensity")
    if rows.empty or scale is None:
        return finding(
            CANNOT_BE_TESTED, "No difference with an interval on a known pain scale is on file."
        )
    row = rows.iloc[0]
    printed: Row = material.context.rows[str(row["rows"]).split()[0]]
    outcome = material.context.outcomes[printed["outcome_id"]]
    estimate, low, high = (number(printed[name]) for name in ("estimate", "ci_low", "ci_high"))
    width = number(outcome["scale_max"]) - number(outcome["scale_min"])
    mid = scale.minimal_important_difference * width / (scale.maximum - scale.minimum)
    se = float(se_from_ci(low, high))
    half = float(two_sided_quantile(EQUIVALENCE_LEVEL)) * se
    margin = max(abs(low), abs(high))
    narrow = max(abs(estimate - half), abs(estimate + half))
    people = float(row["n_1"])
    spread = se * math.sqrt(people)
    start = material.fact(claim["study_id"], "dose", "amitriptyline, start")
    template = (
        "Difference {estimate} points of 0-{width:n} (95% CI {low} to {high}), intention to "
        "treat, "
        "{people:n} people each on both drugs; which drug it favours is not stated. The interval "
        "lies inside every margin above {margin:.2f} points ({narrow:.2f} by two one-sided tests "
        "at 5%), "
    )
    template += (
        "so inside {mid:n} points, a difference people notice. But no margin was named "
        "beforehand, "
        if margin <= mid
        else "which is more than {mid:n} points, a difference people notice. No margin was named, "
    )
    if start is not None:
        template += "amitriptyline began at {start:n} mg, "
    template += (
        "and without a placebo group two drugs of which neither works would look just as equal."
    )
    if spread > TEN:
        template += (
            " The differences must have had a standard deviation of {spread:.1f} points, "
            "more than "
            "a scale of 0-10 allows, so the 0-{width:n} scale of the source document fits."
        )
    return finding(
        WITH_CAVEATS if margin <= mid else NOT_SUPPORTED,
        template,
        estimate=estimate,
        low=low,
        high=high,
        people=people,
        margin=margin,
        narrow=narrow,
        mid=mid,
        spread=spread,
        width=width,
        start=number(start["value"]) if start else math.nan,
    )


def event_rates(claim: Row, material: Material, argument: str) -> Finding:
    """Compare adverse events per time on two drugs that the same people took in turn.

    Given how prone each person is to report events, the share of all events that falls on LDN
    is binomial, so a Poisson interval of the rate ratio needs no correction for people who
    report many. It does need one for complaints that are counted again at every visit: the
    variance then grows by as many times as one complaint is counted.

    Verdict: not supported if the interval includes no difference already when every complaint is
    counted at each visit of a period; otherwise supported with caveats, because events are not
    people and one trial does not make a drug safer than another; cannot be tested without both
    counts.
    """
    counts = {
        material.context.arms[row["arm_id"]]["group"]: number(row["events"])
        for row in material.context.table("arm_events")
        if row["study_id"] == claim["study_id"] and row["counted"] == "events" and row["preferred"]
    }
    study = material.study(claim)
    if not {TREATMENT, COMPARATOR} <= set(counts):
        return finding(CANNOT_BE_TESTED, "The events of the two groups are not both on file.")
    first, second = counts[TREATMENT], counts[COMPARATOR]
    # Both drugs were taken for the same time by the same people, so time cancels.
    effect = log_rate_ratio(first, 1, second, 1)
    estimate, se = float(effect.yi), math.sqrt(float(effect.vi))
    z = float(two_sided_quantile(0.95))
    period = material.fact(claim["study_id"], "duration", "each period")
    between = material.fact(claim["study_id"], "duration", "between visits")
    visits = number(period["value"]) / number(between["value"]) if period and between else 1.0
    wide = z * se * math.sqrt(visits)
    people = material.size(study)
    if math.isnan(people):
        raise NotOnFileError("how many people took both drugs")
    needed = _people_needed(first, people)
    return finding(
        NOT_SUPPORTED if abs(estimate) <= wide else WITH_CAVEATS,
        "{first:n} against {second:n} events is a rate ratio of {ratio:.2f} (95% CI {low:.2f} to "
        "{high:.2f}, Poisson). Counting each complaint at all {visits:n} visits of a period "
        "widens "
        "the interval to {wide_low:.2f} to {wide_high:.2f}; it would include no difference only "
        "if one complaint were counted {limit:.1f} times on average. Events are not people: the "
        "{second:n} events can come from few of the {people:n} people. If the {first:n} events on "
        "LDN came from {first:n} people, {needed:n} or more people with an event on amitriptyline "
        "would be needed for an interval that excludes no difference. Numbers of people, how "
        "severe the events were and who stopped are not reported in what was read.",
        first=first,
        second=second,
        ratio=math.exp(estimate),
        low=math.exp(estimate - z * se),
        high=math.exp(estimate + z * se),
        visits=visits,
        wide_low=math.exp(estimate - wide),
        wide_high=math.exp(estimate + wide),
        limit=(estimate / (z * se)) ** 2,
        people=people,
        needed=needed,
    )


def _people_needed(first: float, people: float) -> float:
    """Fewest people with an event in group 2 whose risk ratio interval excludes 1; else NaN."""
    z = float(two_sided_quantile(0.95))
    for second in range(int(first), int(people) + 1):
        effect = log_risk_ratio(first, people, second, people)
        if float(effect.yi) + z * math.sqrt(float(effect.vi)) < 0:
            return float(second)
    return math.nan


class Ratio(NamedTuple):
    """A ratio with its 95% interval."""

    estimate: float
    low: float
    high: float


def ratio_of(counts: JointCount, *, odds: bool = False) -> Ratio:
    """Risk ratio of one pair of arms, or odds ratio, with its normal interval on the log scale."""
    table = (counts.events_1, counts.n_1, counts.events_2, counts.n_2)
    effect = log_odds_ratio(*table) if odds else log_risk_ratio(*table)
    half = float(two_sided_quantile(0.95)) * math.sqrt(float(effect.vi))
    yi = float(effect.yi)
    return Ratio(math.exp(yi), math.exp(yi - half), math.exp(yi + half))


def count_pairs(claim: Row, material: Material, argument: str) -> Finding:
    """Find every pair of counts that prints as two percentages and, of these, fits the P.

    Arms are not larger than those who began the trial. P may come from Pearson's chi-squared
    test, with or without Yates' correction, or from Fisher's exact test.

    Verdict: not supported if no pair of counts gives the percentages, or if the intervals of the
    risk ratio of all pairs include no difference; supported with caveats otherwise, because
    the numbers of people are not printed; never more.
    """
    context, study_id = material.context, str(material.study(claim)["study_id"])
    shares = {
        context.arms[row["arm_id"]]["group"]: row
        for row in context.table("arm_events")
        if row["study_id"] == study_id
        and context.outcomes[row["outcome_id"]]["construct"] == argument
        and row["percent"] is not None
        and row["preferred"]
    }
    if not {TREATMENT, COMPARATOR} <= set(shares):
        raise NotOnFileError("a percentage of both groups")
    one, two = shares[TREATMENT], shares[COMPARATOR]
    sizes = {g: number(context.arms[row["arm_id"]]["n_randomised"]) for g, row in shares.items()}
    if any(math.isnan(size) for size in sizes.values()):
        raise NotOnFileError("how many people began in each group")
    test = first(
        (
            row
            for row in context.table("contrasts")
            if row["study_id"] == study_id
            and context.outcomes[row["outcome_id"]]["construct"] == argument
            and row["p_value"] is not None
            and row["preferred"]
        ),
        "the P of the difference of the two percentages",
    )
    decimals = int(one["percent_decimals"])
    first_share, second_share = number(one["percent"]), number(two["percent"])
    possible = joint_counts(
        first_share,
        range(1, int(sizes[TREATMENT]) + 1),
        second_share,
        range(1, int(sizes[COMPARATOR]) + 1),
        decimals=decimals,
    )
    p = p_interval(test["p_relation"], number(test["p_value"]), decimals=int(test["p_decimals"]))
    fitting = joint_counts(
        first_share,
        range(1, int(sizes[TREATMENT]) + 1),
        second_share,
        range(1, int(sizes[COMPARATOR]) + 1),
        decimals=decimals,
        p=p,
    )
    if not possible:
        return finding(
            NOT_SUPPORTED,
            "No whole numbers of people in groups of at most {all_1:n} and {all_2:n} print as "
            "{first}% and {second}%.",
            first=first_share,
            second=second_share,
            all_1=sizes[TREATMENT],
            all_2=sizes[COMPARATOR],
        )
    kept = fitting or possible
    ratios = [ratio_of(pair) for pair in kept]
    anyhow = [ratio_of(pair) for pair in possible]
    differences = [risk_difference_interval(*cells(pair)) for pair in kept]
    totals = sorted({pair.n_1 + pair.n_2 for pair in possible})
    # Sizes of the trial that some source states, among them what the claim prints.
    stated = sorted(
        {
            number(row["value"])
            for row in material.facts
            if row["study_id"] == study_id
            and row["fact"] in ("n_enrolled", "n_randomised")
            and row["value"] is not None
        }
        | ({number(claim["n"])} if claim["n"] is not None else set())
    )
    unfit = [n for n in stated if n not in totals]
    away = sum(ratio.low > 1 for ratio in ratios)
    worst = [_worst_case(pair, int(sizes[TREATMENT]), int(sizes[COMPARATOR])) for pair in kept]
    template = "Of {possible:n} pairs of arms that print as {first}% and {second}% "
    if len(fitting) == 1:
        template += (
            "one fits the printed P: {events_1:n} of {n_1:n} against {events_2:n} of {n_2:n} "
            "({tests}), a risk ratio of {rr_low:.2f} ({limit_low:.2f} to {limit_high:.2f}), "
            "a risk "
            "difference of {rd_low:.2f} and a number needed to treat of {nnt_low:.1f} to "
            "{nnt_high:.1f}. "
        )
    else:
        template += (
            "{fitting:n} fit the printed P. Over {kept} the risk ratio is {rr_low:.2f} to "
            "{rr_high:.2f}, with limits from {limit_low:.2f} to {limit_high:.2f}, the risk "
            "difference {rd_low:.2f} to {rd_high:.2f} and the number needed to treat "
            "{nnt_low:.1f} "
            "to {nnt_high:.1f}. "
        )
    if len(fitting) < len(possible):
        template += (
            "Over all pairs, whatever the test, the limits of the risk ratio run from "
            "{any_low:.2f} to {any_high:.2f}. "
        )
    if unfit:
        template += "No two arms that add up to {unfit} people can print both percentages. "
    template += (
        "If everybody missing from the {all_1:n} and {all_2:n} who began had not responded on LDN "
        "and had responded on placebo, the risk ratio would be {worst_low:.2f}."
        if min(worst) == max(worst)
        else "If everybody missing from the {all_1:n} and {all_2:n} who began had not "
        "responded on "
        "LDN and had responded on placebo, the risk ratio would be {worst_low:.2f} to "
        "{worst_high:.2f}."
    )
    return finding(
        WITH_CAVEATS if away else NOT_SUPPORTED,
        template,
        possible=len(possible),
        fitting=len(fitting),
        first=first_share,
        second=second_share,
        kept="these" if fitting else "all of them",
        any_low=min(ratio.low for ratio in anyhow),
        any_high=max(ratio.high for ratio in anyhow),
        events_1=kept[0].events_1,
        n_1=kept[0].n_1,
        events_2=kept[0].events_2,
        n_2=kept[0].n_2,
        tests=listed(_TEST_WORDS[name] for name in kept[0].tests),
        rr_low=min(ratio.estimate for ratio in ratios),
        rr_high=max(ratio.estimate for ratio in ratios),
        limit_low=min(ratio.low for ratio in ratios),
        limit_high=max(ratio.high for ratio in ratios),
        rd_low=min(pair.events_1 / pair.n_1 - pair.events_2 / pair.n_2 for pair in kept),
        rd_high=max(pair.events_1 / pair.n_1 - pair.events_2 / pair.n_2 for pair in kept),
        nnt_low=1 / max(float(i.high) for i in differences),
        nnt_high=_reciprocal(min(float(i.low) for i in differences)),
        away=away,
        unfit=listed((f"{n:g}" for n in unfit), "or"),
        **{f"stated_{i + 1}": n for i, n in enumerate(stated)},
        all_1=float(sizes[TREATMENT]),
        all_2=float(sizes[COMPARATOR]),
        worst_low=min(worst),
        worst_high=max(worst),
    )


_TEST_WORDS = {
    "chi-squared": "chi-squared test",
    "chi-squared-corrected": "chi-squared test with Yates' correction",
    "fisher": "Fisher's exact test",
}


def cells(pair: JointCount) -> tuple[int, int, int, int]:
    """Events and people of the two arms."""
    return pair.events_1, pair.n_1, pair.events_2, pair.n_2


def _reciprocal(difference: float) -> float:
    return 1 / difference if difference > 0 else math.inf


def _worst_case(pair: JointCount, all_1: int, all_2: int) -> float:
    """Risk ratio if everybody missing did badly on LDN and well on the comparator."""
    return (pair.events_1 / all_1) / ((pair.events_2 + all_2 - pair.n_2) / all_2)


def responder_share(claim: Row, material: Material, argument: str) -> Finding:
    """Turn a share of responders without a comparison group into people, with its interval.

    Verdict: not supported if no whole number of the stated people gives the percentage; cannot
    be tested if no other source prints the count or the percentage; supported with caveats if
    one does, for a share without that of the comparison group shows no effect.
    """
    study_id, people = str(claim["study_id"]), number(claim["n"])
    is_percent = claim["measure"] == "percent"
    counts = (
        counts_from_percent(number(claim["estimate"]), 0, int(people))
        if is_percent
        else (int(printed_numbers(claim["as_reported"])[0]),)
    )
    rows = material.results(
        study_id, {str(claim["construct"]), "responder_own_rule"}, without=claim["claimed_in"]
    )
    agreeing = [
        row
        for row in rows
        if (row.get("percent") == claim["estimate"] if is_percent else row.get("events") in counts)
    ]
    known = {
        number(row["value"])
        for row in material.facts
        if row["study_id"] == study_id
        and row["fact"] in SIZES
        and row["value"] is not None
        and row["qualifier"] is None
    }
    unfit = [
        n
        for n in sorted(known)
        if is_percent and not counts_from_percent(number(claim["estimate"]), 0, int(n))
    ]
    verdict = WITH_CAVEATS if agreeing else CANNOT_BE_TESTED
    count = counts[0] if counts else math.nan
    low, high = wilson_interval(count, people)
    return finding(
        verdict if counts else NOT_SUPPORTED,
        "{count:n} of {people:n} people is {share:pct} (95% CI {low:pct} to {high:pct}). {where} "
        "No share of the comparison group stands beside it, so it shows no effect.{size}{order}",
        count=count,
        people=people,
        share=count / people,
        low=float(low),
        high=float(high),
        where=(
            "The same stands in "
            + listed(dict.fromkeys(material.source(row["source_id"]) for row in agreeing))
            + "."
            if agreeing
            else "No other source on file prints it."
        ),
        size=f" It is no whole number of {listed((f'{n:g}' for n in unfit), 'or')} people, sizes "
        "that other sources give."
        if unfit
        else "",
        order=""
        if material.context.studies[study_id]["is_randomised"]
        else " The order of the phases was fixed, placebo first, so time and drug cannot be told "
        "apart.",
        **{f"size_{place}": n for place, n in enumerate(sorted(known), 1)},
    )


# A benefit by then would be an early one.
EARLY_WEEKS = 4
# Losing a fifth of the people leaves room for serious bias (Schulz & Grimes 2002, Lancet 359:781).
MUCH_LOST = 0.20


def onset(claim: Row, material: Material, argument: str) -> Finding:
    """Look for comparisons of LDN at more than one time, one of them within four weeks.

    Verdict: cannot be tested unless a randomised trial compares the groups within four weeks and
    again later; supported if the first such comparison favours LDN, not supported if none does.
    """
    weeks: dict[str, set[float]] = {}
    early: dict[str, str] = {}
    wanted = set(material.constructs(BENEFIT))
    labels = {s["study_id"]: str(s["label"]) for s in material.randomised()}
    for row in material.context.table("contrasts"):
        outcome = material.context.outcomes[row["outcome_id"]]
        week = number(row["timepoint_weeks"])
        is_comparison = row["arm_2"] is not None and row["study_id"] in labels
        if not is_comparison or outcome["construct"] not in wanted or not week > 0:
            continue
        label = labels[row["study_id"]]
        weeks.setdefault(label, set()).add(week)
        if week <= EARLY_WEEKS:
            early.setdefault(label, str(row["direction"]))
    both = [label for label in early if max(weeks[label]) > EARLY_WEEKS]
    if not both:
        verdict = CANNOT_BE_TESTED
    else:
        is_early = any(early[label] == FAVOURS_TREATMENT for label in both)
        verdict = SUPPORTED if is_early else NOT_SUPPORTED
    return finding(
        verdict,
        "Of {trials:n} randomised trials of LDN with a dated comparison, {early:n} compared the "
        "groups within {limit:n} weeks ({names}) and {both:n} did so both then and later. "
        "The first "
        "dated comparison of the others comes at week {first:g} or later, so when an effect would "
        "begin cannot be read from them.",
        trials=len(weeks),
        early=len(early),
        limit=EARLY_WEEKS,
        both=len(both),
        names=listed(early),
        first=min((min(w) for label, w in weeks.items() if label not in early), default=math.nan),
    )


def change_beside_placebo(claim: Row, material: Material, argument: str) -> Finding:
    """Set a change from start to end of LDN beside the change of a placebo group.

    The placebo group of the same study is looked for first, then those of other trials of the
    condition with changes of pain in both groups. Two outcomes of one review with the same
    estimate and interval to the last digit are named.

    Verdict: supported with caveats if the change stands in another source and its placebo group
    changed too, so that only the difference can be due to the drug; cannot be tested without a
    placebo group of the same people or trials.
    """
    own = _percent_changes(claim, material)
    if own:
        ldn, placebo = own
        return finding(
            WITH_CAVEATS,
            "The {ldn}% is the fall on LDN from baseline; on placebo the same women's pain "
            "fell by "
            "{placebo}%, which the claim leaves out. The difference is {difference:.1f} "
            "percentage "
            "points: {share:pct} of the fall on LDN happened on placebo as well.",
            ldn=ldn,
            placebo=placebo,
            difference=ldn - placebo,
            share=placebo / ldn,
        )
    twins = [
        material.label(str(row["construct"]))
        for key, row in material.claims.items()
        if key != claim["claim_id"]
        and row["claimed_in"] == claim["claimed_in"]
        and claim["estimate"] is not None
        and [row[n] for n in ("estimate", "ci_low", "ci_high")]
        == [claim[n] for n in ("estimate", "ci_low", "ci_high")]
    ]
    changes = _changes_in_trials(claim, material)
    values: dict[str, float] = {}
    words = []
    for place, (label, (ldn, placebo)) in enumerate(changes.items(), 1):
        words.append(f"{label}: {{ldn_{place}}} on LDN and {{placebo_{place}}} on placebo")
        values |= {f"ldn_{place}": ldn, f"placebo_{place}": placebo}
    template = (
        "A change from start to end without a comparison group holds time, expectation and return "
        "to the mean as well as the drug."
    )
    if words:
        template += f" How pain changed in points in trials of the condition: {'; '.join(words)}."
    if twins:
        template += (
            " The same estimate and interval stand beside {twins}: one of the two may be a copy."
        )
    names = {"estimate": "estimate", "ci_low": "low", "ci_high": "high"}
    values |= {new: number(claim[old]) for old, new in names.items() if claim[old] is not None}
    return finding(CANNOT_BE_TESTED, template, twins=listed(twins), **values)


def _percent_changes(claim: Row, material: Material) -> tuple[float, float] | None:
    """Falls in per cent of the two groups of the claim's own study, closest text first."""
    if claim["study_id"] is None:
        return None
    rows = material.results(
        str(claim["study_id"]), {str(claim["construct"])}, without=claim["claimed_in"]
    )
    found: dict[int, float] = {}
    for row in rows:
        if row.get("statistic_of") == "percent change":
            group = material.context.arms[row["arm_id"]]["group"]
            found.setdefault(group, -number(row["mean"]))
    return (found[1], found[2]) if {1, 2} <= set(found) else None


def _changes_in_trials(claim: Row, material: Material) -> dict[str, tuple[float, float]]:
    """Changes of pain on LDN and on placebo, in points, by randomised trial of the condition."""
    if claim["construct"] != "pain_intensity":
        return {}
    found = {}
    for study in material.randomised(str(claim["indication_id"])):
        groups = {
            material.context.arms[row["arm_id"]]["group"]: number(row["mean"])
            for row in material.context.table("arm_stats")
            if row["study_id"] == study["study_id"]
            and row["statistic_of"] == "change"
            and material.context.outcomes[row["outcome_id"]]["construct"] == "pain_intensity"
            and row["preferred"]
        }
        if {1, 2} <= set(groups):
            found[str(study["label"])] = (groups[1], groups[2])
    return found


def dropout(claim: Row, material: Material, argument: str) -> Finding:
    """Collect the shares of people who left some trials, named by the argument.

    Verdict: not supported if all shares lie below 20%; supported with caveats if any is higher,
    as these shares come from the press and are not by arm; supported if all are higher and one
    stands in a text of the trial itself; cannot be tested if no share is on file.
    """
    shares: list[float] = []
    tiers: set[str] = set()
    study_facts = material.evidence.tables["study_facts"].to_dict("records")
    studies = argument.split("+")
    for row in study_facts:
        is_share = row["study_id"] in studies and str(row["qualifier"]).startswith(
            "dropout percent"
        )
        if not is_share or "anticipated" in str(row["qualifier"]):
            continue
        values = [row[name] for name in ("value", "value_low", "value_high")]
        shares += [float(v) / 100 for v in values if v == v and v is not None]
        tiers.add(str(row["read_from"]))
    silent = [
        str(material.context.studies[key]["label"])
        for key in studies
        if not any(r["study_id"] == key and "dropout" in str(r["qualifier"]) for r in study_facts)
    ]
    if not shares:
        verdict = CANNOT_BE_TESTED
    elif max(shares) < MUCH_LOST:
        verdict = NOT_SUPPORTED
    else:
        is_own = bool(tiers & {"full text", "abstract", "registry"})
        verdict = SUPPORTED if is_own and min(shares) >= MUCH_LOST else WITH_CAVEATS
    return finding(
        verdict,
        "Reported shares that left: {low:pct} to {high:pct} ({tiers}), above the {limit:pct} at "
        "which a loss leaves room for serious bias. No share is on file for {silent}.",
        low=min(shares, default=math.nan),
        high=max(shares, default=math.nan),
        limit=MUCH_LOST,
        tiers=listed(sorted(tiers)),
        silent=listed(silent),
    )


def case_report(claim: Row, material: Material, argument: str) -> Finding:
    """Say what one person's course can show.

    Verdict: cannot be tested, whatever the course: there is nothing to compare it with.
    """
    study = material.study(claim)
    people = material.size(study)
    return finding(
        CANNOT_BE_TESTED,
        "{label} describes {people:word} {noun} without a comparison; no number of the course is "
        "on file. What would have happened without the drug cannot be known from it.",
        label=str(study["label"]),
        people=people,
        noun="person" if people == 1 else "people",
    )


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


# Fewer events than this say little about a ratio whatever its interval (the usual rule of thumb
# of ten events for one parameter; Peduzzi 1996, J Clin Epidemiol 49:1373).
FEW_EVENTS = 10
SERIOUS = "serious_adverse_event"


def compare_people(claim: Row, material: Material, argument: str) -> Finding:
    """Set a published result on people with an event beside the trials on file.

    If the trials print counts, our pool is taken as in ``compare-pool``. If a trial prints only
    percentages, every pair of whole counts that gives them is found, for every size of the two
    groups between the fewest people analysed and all who began; each pair gives a ratio.

    Verdict: as under ``compare-pool``; from percentages it is that of all pairs (where they do not
    agree: supported with caveats) and never more than supported with caveats, and so it is with
    fewer than ten events. Cannot be tested if no trial on file prints either.
    """
    construct, _, elsewhere = (*argument.split("@"), "", "")[:3]
    indication_id = elsewhere or str(claim["indication_id"])
    pools = material.pools(indication_id, construct)
    if pools.now is not None:
        found = compare_pool(claim, material, argument)
        trials = pools.now.trials
        events = float((trials["events_1"] + trials["events_2"]).sum())
        if events >= FEW_EVENTS:
            return found
        return Finding(
            at_best_with_caveats(found.verdict),
            f"{found.sentence} This rests on {'one event' if events == 1 else 'few events'}.",
            {**found.numbers, "events": events},
        )
    label = material.label(construct)
    pairs = _pairs(material, indication_id, construct)
    if not pairs:
        return finding(
            CANNOT_BE_TESTED,
            "No trial on file prints how many people had {label} in both groups, and the counts "
            "of each trial in the review are not published in what was read.",
            label=label,
            **_printed(claim),
        )
    study, counts = next(iter(pairs.items()))
    is_odds = claim["measure"] == "OR"
    ratios = [ratio_of(pair, odds=is_odds) for pair in counts]
    verdict = more_cautious(
        verdict_on(
            published(claim),
            Span(*map(math.log, ratio)),
            claims_effect=claims_effect(claim),
        )
        for ratio in ratios
    )
    first = counts[0]
    return finding(
        at_best_with_caveats(verdict),
        "{study} alone prints percentages of people with {label}; {pairs:n} pairs of whole counts "
        "give them, such as {events_1:n} of {n_1:n} against {events_2:n} of {n_2:n}. The "
        "{measure} is {ratio_low:.2f} to {ratio_high:.2f} over these pairs, with limits from "
        "{limit_low:.2f} to {limit_high:.2f}; as the same people took both, for unequal times, "
        "these limits are rough.",
        study=study,
        label=label,
        measure="odds ratio" if is_odds else "risk ratio",
        pairs=len(counts),
        events_1=first.events_1,
        n_1=first.n_1,
        events_2=first.events_2,
        n_2=first.n_2,
        ratio_low=min(ratio.estimate for ratio in ratios),
        ratio_high=max(ratio.estimate for ratio in ratios),
        limit_low=min(ratio.low for ratio in ratios),
        limit_high=max(ratio.high for ratio in ratios),
        **_printed(claim),
    )


def _printed(claim: Row) -> dict[str, float]:
    names = {"estimate": "estimate", "ci_low": "low", "ci_high": "high"}
    return {new: number(claim[old]) for old, new in names.items() if claim[old] is not None}


def _pairs(
    material: Material, indication_id: str, construct: str
) -> dict[str, tuple[JointCount, ...]]:
    """Counts behind percentages without denominators, by randomised trial."""
    found = {}
    for study in material.randomised(indication_id):
        rows = {
            material.context.arms[row["arm_id"]]["group"]: row
            for row in material.context.table("arm_events")
            if row["study_id"] == study["study_id"]
            and material.context.outcomes[row["outcome_id"]]["construct"] == construct
            and row["percent"] is not None
            and row["preferred"]
        }
        sizes = [
            int(number(row["value"]))
            for row in material.facts
            if row["study_id"] == study["study_id"]
            and row["fact"] in SIZES
            and row["qualifier"] is None
            and row["preferred"]
        ]
        if not {TREATMENT, COMPARATOR} <= set(rows) or not sizes:
            continue
        range_of_sizes = range(min(sizes), max(sizes) + 1)
        counts = joint_counts(
            number(rows[TREATMENT]["percent"]),
            range_of_sizes,
            number(rows[COMPARATOR]["percent"]),
            range_of_sizes,
            decimals=int(rows[TREATMENT]["percent_decimals"]),
        )
        if counts:
            found[str(study["label"])] = counts
    return found


def safety_on_file(claim: Row, material: Material, argument: str) -> Finding:
    """Count people with adverse events in the randomised placebo comparisons on file.

    Verdict: not supported if the pooled risk ratio of any adverse event lies on the side of harm,
    or if serious events on LDN outnumber those on placebo in people counted; otherwise supported
    with caveats, because the absence of a difference in few people does not exclude rare harms;
    cannot be tested if no trial counts people.
    """
    pools = build_pools(
        material.effects[material.effects["construct"] == "any_adverse_event"],
        material.protocol.selection,
        material.protocol.model,
    )
    found = find_pool(pools, construct="any_adverse_event", comparator_class="placebo")
    if found is None:
        return finding(CANNOT_BE_TESTED, "No trial on file counts people with adverse events.")
    trials = found.trials
    any_1, n_1 = float(trials["events_1"].sum()), float(trials["n_1"].sum())
    any_2, n_2 = float(trials["events_2"].sum()), float(trials["n_2"].sum())
    ours = span_of(found)
    serious = _serious(material)
    stopped = material.effects[
        (material.effects["construct"] == "discontinuation_adverse_event")
        & (material.effects["measure"] == "RR")
        & material.effects["is_selected"].astype(bool)
    ]
    has_stopped, has_serious = len(stopped) > 0, serious["n_1"] > 0
    upper = (
        float(wilson_interval(serious["events_1"], serious["n_1"]).high)
        if has_serious
        else math.nan
    )
    harmful = ours.side > 0 or serious["events_1"] > serious["events_2"]
    return finding(
        NOT_SUPPORTED if harmful else WITH_CAVEATS,
        "Only {trials} count people with any adverse event: {any_1:n} of {n_1:n} on LDN "
        "({share_1:pct}) and {any_2:n} of {n_2:n} on placebo ({share_2:pct}), risk ratio "
        "{ratio:.2f} ({ratio_low:.2f} to {ratio_high:.2f}){most}. "
        + (
            "{stopped_1:n} of {stopped_n_1:n} stopped LDN because of one and {stopped_2:n} of "
            "{stopped_n_2:n} placebo. "
            if has_stopped
            else ""
        )
        + (
            "Serious events: {serious_1:n} of {serious_n_1:n} on LDN, {serious_2:n} of "
            "{serious_n_2:n} on placebo; up to {upper:.1%} of people on LDN would still be "
            "compatible with that. "
            if has_serious
            else "Serious events are not counted by group. "
        )
        + "Whether harms depend on the dose is not reported.",
        trials=listed(trials["study_label"]),
        most="; most people had one, on either" if min(any_1 / n_1, any_2 / n_2) > 0.5 else "",
        any_1=any_1,
        n_1=n_1,
        share_1=any_1 / n_1,
        any_2=any_2,
        n_2=n_2,
        share_2=any_2 / n_2,
        ratio=math.exp(ours.estimate),
        ratio_low=math.exp(ours.low),
        ratio_high=math.exp(ours.high),
        stopped_1=float(stopped["events_1"].sum()),
        stopped_n_1=float(stopped["n_1"].sum()),
        stopped_2=float(stopped["events_2"].sum()),
        stopped_n_2=float(stopped["n_2"].sum()),
        serious_1=serious["events_1"],
        serious_n_1=serious["n_1"],
        serious_2=serious["events_2"],
        serious_n_2=serious["n_2"],
        upper=upper,
    )


def _serious(material: Material) -> dict[str, float]:
    """People with serious events of any cause, over all comparisons with placebo.

    Events judged related to treatment are another count, and are not added.
    """
    rows = material.effects[
        (material.effects["construct"] == SERIOUS)
        & (material.effects["measure"] == "RR")
        & (material.effects["comparator_class"] == "placebo")
        & (material.effects["kind"] == "contrast")
    ]
    one_each = rows.drop_duplicates("study_id")
    return {name: float(one_each[name].sum()) for name in ("events_1", "n_1", "events_2", "n_2")}


# The trial whose counts were reportedly added up, and the thresholds.
TRIAL = "duebruun2024"
LOWER, HIGHER = "responder_pain_30", "responder_pain_50"


class WhatIf(NamedTuple):
    """One way to count the responders of a trial, and what it does to the pool."""

    name: str
    counts: JointCount
    risk_ratio: Ratio
    odds_ratio: Ratio
    pooled: PooledResult | None

    @property
    def pooled_ratio(self) -> Ratio:
        """The pooled risk ratio; NaN without a pool."""
        r = self.pooled
        ends = (math.nan,) * 3 if r is None else (r.estimate, r.ci_low, r.ci_high)
        return Ratio(*(math.exp(float(end)) for end in ends))


def responder_sums(
    effects: pd.DataFrame, protocol: Protocol, study_id: str = TRIAL
) -> list[WhatIf]:
    """Count the responders of a trial at 30%, at 50%, and as the sum of both.

    Somebody whose pain fell by half is also among those whose pain fell by 30%: the sum counts
    him twice. The pool is that of 30% responders with this trial's counts replaced.
    """
    rows = effects[
        (effects["study_id"] == study_id)
        & (effects["measure"] == "RR")
        & effects["is_selected"].astype(bool)
    ]
    by_construct = {row["construct"]: row for row in plain_rows(rows)}
    at_30, at_50 = (_counted(by_construct.get(name)) for name in (LOWER, HIGHER))
    if at_30 is None or at_50 is None:
        return []
    both = JointCount(
        at_30.events_1 + at_50.events_1, at_30.n_1, at_30.events_2 + at_50.events_2, at_30.n_2
    )
    named = (("30% or more", at_30), ("50% or more", at_50), ("both added up", both))
    return [
        WhatIf(
            name, c, ratio_of(c), ratio_of(c, odds=True), _pooled(effects, protocol, study_id, c)
        )
        for name, c in named
    ]


def _counted(row: Row | None) -> JointCount | None:
    if row is None:
        return None
    return JointCount(int(row["events_1"]), int(row["n_1"]), int(row["events_2"]), int(row["n_2"]))


def _pooled(
    effects: pd.DataFrame, protocol: Protocol, study_id: str, counts: JointCount
) -> PooledResult | None:
    """The pool of 30% responders with other counts for one trial; None with fewer than two."""
    own = effects["study_id"] == study_id
    indication_id = effects.loc[own, "indication_id"].iloc[0]
    same = effects[(effects["construct"] == LOWER) & (effects["indication_id"] == indication_id)]
    chosen, _ = select(same, protocol.selection)
    trials = same[chosen].copy()
    if len(trials) < 2:
        return None
    effect = log_risk_ratio(*cells(counts))
    own = trials["study_id"] == study_id
    trials["yi"] = trials["yi"].mask(own, float(effect.yi))
    trials["vi"] = trials["vi"].mask(own, float(effect.vi))
    return pool_trials(trials, protocol.model, "RR")


def responder_sum(claim: Row, material: Material, argument: str) -> Finding:
    """Show what adding up the responders at two thresholds would do. A what-if, no accusation.

    The letter that reportedly describes such an addition was not seen, and neither were the
    numbers of the review it is about.

    Verdict: cannot be tested, whatever the numbers: they show how much such an addition would
    move an answer, not that anybody made one.
    """
    cases = responder_sums(material.effects, material.protocol)
    values: dict[str, float | str] = {}
    for key, case in zip(("at_30", "at_50", "sum"), cases, strict=False):
        c = case.counts
        values |= {
            f"{key}_events_1": c.events_1,
            f"{key}_n_1": c.n_1,
            f"{key}_events_2": c.events_2,
            f"{key}_n_2": c.n_2,
        }
        for measure, ratio in (("rr", case.risk_ratio), ("or", case.odds_ratio)):
            values |= {f"{key}_{measure}{end}": v for end, v in _ends(ratio)}
        if case.pooled is not None:
            values |= {f"{key}_pool{end}": v for end, v in _ends(case.pooled_ratio)}
    template = (
        "What if: FINAL's responders are {at_30_events_1:n} of {at_30_n_1:n} against "
        "{at_30_events_2:n} of {at_30_n_2:n} at 30% and {at_50_events_1:n} of {at_50_n_1:n} "
        "against {at_50_events_2:n} of {at_50_n_2:n} at 50%. Added up, {sum_events_1:n} against "
        "{sum_events_2:n}, people at 50% count twice. The risk ratio would go from {at_30_rr:.2f} "
        "({at_30_rr_low:.2f} to {at_30_rr_high:.2f}) at 30% to {sum_rr:.2f} ({sum_rr_low:.2f} to "
        "{sum_rr_high:.2f}), the odds ratio from {at_30_or:.2f} ({at_30_or_low:.2f} to "
        "{at_30_or_high:.2f}) to {sum_or:.2f} ({sum_or_low:.2f} to {sum_or_high:.2f}), and the "
        "pooled risk ratio from {at_30_pool:.2f} ({at_30_pool_low:.2f} to {at_30_pool_high:.2f}) "
        "to {sum_pool:.2f} ({sum_pool_low:.2f} to {sum_pool_high:.2f}). {alone}The letter was not "
        "seen; this says nothing about what anybody did."
    )
    if not cases or cases[0].pooled is None:
        return finding(CANNOT_BE_TESTED, "The counts at both thresholds are not on file.")
    counted, summed = cases[:2], cases[2]
    turns = summed.risk_ratio.low > 1 and all(case.risk_ratio.low <= 1 for case in counted)
    values["alone"] = (
        "Neither count alone gives an interval that excludes no difference in the trial; the sum "
        "would. "
        if turns
        else ""
    )
    return finding(CANNOT_BE_TESTED, template, **values)


def _ends(ratio: Ratio) -> tuple[tuple[str, float], ...]:
    return ("", ratio.estimate), ("_low", ratio.low), ("_high", ratio.high)
