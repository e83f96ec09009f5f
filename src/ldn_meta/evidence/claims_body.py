"""Claims about the body of evidence: how much there is, what it is worth, what it shows."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from ldn_meta.evidence.candidates import Row, number, plain_rows
from ldn_meta.evidence.claim_findings import (
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    finding,
    first,
    listed,
)
from ldn_meta.evidence.claim_material import Material, count_of
from ldn_meta.evidence.claim_pools import span_of
from ldn_meta.evidence.synthesis import (
    FAVOURS_COMPARATOR,
    FAVOURS_LDN,
    NO_DIFFERENCE,
    build_pools,
    find_pool,
)

if TYPE_CHECKING:
    from ldn_meta.evidence.synthesis import Pool

# Outcome groups of the protocol that are about benefit.
BENEFIT = ("pain", "less pain in people", "response or remission", "impact and quality of life")
# Ten trials are the least for a funnel plot or a regression (Cochrane Handbook 13.3.5.4 and
# 10.11.5.1); the Cochrane pain group sees a high risk of bias in fewer than 50 people a group;
# 12 weeks is what European regulators ask of trials in chronic pain (EMA/CHMP/970057/2011).
FEW_TRIALS, SMALL_TRIAL, SHORT_WEEKS = 10, 100, 12


def cited_designs(claim: Row, material: Material, argument: str) -> Finding:
    """Look at the designs of the studies that a claim of benefit cites.

    Without a study of its own, a claim rests on every study that its source cites.

    Verdict: not supported if none of them compares LDN with placebo or no treatment in people
    allocated by chance, for no effect of a drug follows from other designs alone; else supported
    with caveats if at least half of those that do favour LDN, and not supported if fewer do.
    """
    ids = (
        {claim["study_id"]}
        if claim["study_id"] is not None
        else {
            row["study_id"]
            for row in material.claims.values()
            if row["claimed_in"] == claim["claimed_in"] and row["study_id"] is not None
        }
    )
    studies = [material.context.studies[key] for key in sorted(ids)]
    randomised = [s for s in studies if s["is_randomised"]]
    against_none = [s for s in randomised if s["comparator_class"] in ("placebo", "usual care")]
    controlled = [s for s in studies if s["eligible_for"] == "contrast" and s not in randomised]
    alone = [s for s in studies if s not in randomised and s not in controlled]
    found = material.directions(against_none, material.constructs(BENEFIT))
    for_ldn = count_of(found, FAVOURS_LDN)
    pooled = pain_pool(material)
    values: dict[str, float | str] = {}
    template = (
        "Studies it cites: {cited:n}, of which {placebo:n} randomised against placebo or no "
        "treatment, "
        "{active:n} randomised against another drug, {controlled:n} with controls but not "
        "randomised and {alone:n} without a comparison group. "
    )
    if not against_none:
        template += (
            "None of these designs can tell an effect of the drug from placebo, time "
            "or selection. "
        )
    if pooled is not None:
        ours = span_of(pooled)
        values = {
            "now": ours.estimate,
            "now_low": ours.low,
            "now_high": ours.high,
            "now_k": len(pooled.trials),
            "where": material.indication(pooled.key["indication_id"]),
            "unit": pooled.key["unit"],
        }
        template += (
            "The randomised placebo comparisons that can be pooled, {now_k:word} in {where}, give "
            "a mean difference in pain of {now:.2f} ({now_low:.2f} to {now_high:.2f}) {unit}."
        )
    is_enough = bool(against_none) and 2 * for_ldn >= len(against_none)
    return finding(
        WITH_CAVEATS if is_enough else NOT_SUPPORTED,
        template,
        cited=len(studies),
        placebo=len(against_none),
        active=len(randomised) - len(against_none),
        controlled=len(controlled),
        alone=len(alone),
        for_ldn=for_ldn,
        **values,
    )


def pain_pool(material: Material) -> Pool | None:
    """The pool of pain against placebo with the most trials, in whatever condition."""
    rows = material.effects[material.effects["construct"] == "pain_intensity"]
    pools = build_pools(rows, material.protocol.selection, material.protocol.model)
    return find_pool(pools, construct="pain_intensity", comparator_class="placebo")


def design_limits(claim: Row, material: Material, argument: str) -> Finding:
    """Check a limitation that a source names against the design on file.

    Verdict: supported if the study is not randomised, not blinded, has no placebo group, has
    fewer than 100 people or was shorter than 12 weeks; not supported if none of these holds.
    """
    study = material.study(claim)
    people = material.size(study)
    if math.isnan(people):
        sizes = [material.fact(study["study_id"], name) for name in ("n_arm_1", "n_arm_2")]
        people = sum(number(row["value"]) for row in sizes if row is not None)
    weeks = number(study["duration_weeks"])
    limits = {
        "not randomised": not study["is_randomised"],
        f"{study['blinding']}": study["blinding"] != "double-blind",
        "no placebo group": study["comparator_class"] != "placebo",
        "fewer than {small:n} people ({people:n})": people < SMALL_TRIAL,
        "shorter than {short:n} weeks ({weeks:n})": weeks < SHORT_WEEKS,
    }
    found = [words for words, applies in limits.items() if applies]
    return finding(
        SUPPORTED if found else NOT_SUPPORTED,
        "On file: " + listed(found) + ".",
        people=people,
        weeks=weeks,
        small=SMALL_TRIAL,
        short=SHORT_WEEKS,
    )


def evidence_size(claim: Row, material: Material, argument: str) -> Finding:
    """Count randomised comparisons by condition, their people and their weeks.

    Verdict: supported if every condition has fewer than 10, half of them have fewer than 100
    people, and half of them lasted less than 12 weeks; supported with caveats if only some of
    the three hold; not supported if none does.
    """
    studies = material.randomised()
    first(studies, "a randomised comparison")
    by_condition = _by_condition(material, studies)
    people = [n for s in studies if not math.isnan(n := material.size(s))]
    weeks = [w for s in studies if not math.isnan(w := number(s["duration_weeks"]))]
    holds = (
        max(by_condition.values(), default=0) < FEW_TRIALS,
        statistics.median(people) < SMALL_TRIAL,
        statistics.median(weeks) < SHORT_WEEKS,
    )
    verdict = SUPPORTED if all(holds) else WITH_CAVEATS
    return finding(
        verdict if any(holds) else NOT_SUPPORTED,
        "{trials:n} randomised comparisons of LDN are on file, at most {most:n} in one condition; "
        "half of them had {people:n} people or fewer and lasted {weeks:n} weeks or less.",
        trials=len(studies),
        most=max(by_condition.values(), default=0),
        people=statistics.median(people),
        weeks=statistics.median(weeks),
    )


def mixed_evidence(claim: Row, material: Material, argument: str) -> Finding:
    """Count what the randomised comparisons found, and how unevenly they spread over conditions.

    Verdict: supported if some favour LDN and others find no difference, and the conditions do not
    all have the same number; supported with caveats if only one of the two holds; not supported
    if neither does.
    """
    studies = material.randomised()
    first(studies, "a randomised comparison")
    found = material.directions(studies, material.constructs(BENEFIT))
    by_condition = _by_condition(material, studies)
    differ = count_of(found, FAVOURS_LDN) > 0 and count_of(found, NO_DIFFERENCE) > 0
    uneven = len(set(by_condition.values())) > 1
    verdict = SUPPORTED if differ and uneven else WITH_CAVEATS
    people = [n for s in studies if not math.isnan(n := material.size(s))]
    return finding(
        verdict if differ or uneven else NOT_SUPPORTED,
        "Of {trials:n} randomised comparisons of LDN {told:n} say what they found on pain, "
        "response "
        "or quality of life: {for_ldn:n} in favour of LDN, {none:n} without a difference, "
        "{against:n} "
        "in favour of the comparator, {conflicting:n} one way on one outcome and the other way on "
        "another. By condition: {where}. Half of them had {people:n} people or fewer.",
        trials=len(studies),
        told=len(found),
        for_ldn=count_of(found, FAVOURS_LDN),
        none=count_of(found, NO_DIFFERENCE),
        against=count_of(found, FAVOURS_COMPARATOR),
        conflicting=count_of(found, "conflicting"),
        people=statistics.median(people),
        where=listed(f"{n:g} in {name}" for name, n in by_condition.items()),
        **{f"trials_{place}": n for place, n in enumerate(by_condition.values(), 1)},
    )


def _by_condition(material: Material, studies: list[Row]) -> dict[str, float]:
    """Randomised comparisons by condition, every reported condition of LDN alone."""
    rows = plain_rows(material.evidence.tables["indications"])
    kept = [r for r in rows if r["is_reported"] and r["intervention"] == "LDN"]
    return {
        str(r["label"]): float(sum(s["indication_id"] == r["indication_id"] for s in studies))
        for r in sorted(kept, key=lambda row: row["sort_order"])
    }
