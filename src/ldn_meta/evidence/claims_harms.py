"""Claims about harms: how many people had an event, and whether LDN is well tolerated."""

from __future__ import annotations

import math

from ldn_meta.evidence.candidates import COMPARATOR, LDN, Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    WITH_CAVEATS,
    Finding,
    at_best_with_caveats,
    finding,
    listed,
    more_cautious,
)
from ldn_meta.evidence.claim_material import SIZES, Material
from ldn_meta.evidence.claim_pools import Span, span_of
from ldn_meta.evidence.claims_counts import ratio_of
from ldn_meta.evidence.claims_pools import claims_effect, compare_pool, published, verdict_on
from ldn_meta.evidence.synthesis import build_pools, find_pool
from ldn_meta.stats.joint_counts import JointCount, joint_counts
from ldn_meta.stats.proportions import wilson_interval

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
        if not {LDN, COMPARATOR} <= set(rows) or not sizes:
            continue
        range_of_sizes = range(min(sizes), max(sizes) + 1)
        counts = joint_counts(
            number(rows[LDN]["percent"]),
            range_of_sizes,
            number(rows[COMPARATOR]["percent"]),
            range_of_sizes,
            decimals=int(rows[LDN]["percent_decimals"]),
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
