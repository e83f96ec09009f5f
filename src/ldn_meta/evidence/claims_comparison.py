"""Claims that compare LDN with another drug: as effective, safer."""

from __future__ import annotations

import math

from ldn_meta.evidence.candidates import COMPARATOR, LDN, Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    WITH_CAVEATS,
    Finding,
    NotOnFileError,
    finding,
)
from ldn_meta.evidence.claim_material import Material
from ldn_meta.stats.convert_se import se_from_ci
from ldn_meta.stats.effects_counts import log_rate_ratio, log_risk_ratio
from ldn_meta.stats.values import two_sided_quantile

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
    printed = material.context.rows[str(row["rows"]).split()[0]]
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
    if not {LDN, COMPARATOR} <= set(counts):
        return finding(CANNOT_BE_TESTED, "The events of the two groups are not both on file.")
    first, second = counts[LDN], counts[COMPARATOR]
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
