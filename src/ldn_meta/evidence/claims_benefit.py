"""Claims of benefit in words: promise, and no benefit, by condition or over all of them."""

from __future__ import annotations

from ldn_meta.evidence.bayes_pool import interval_to_read
from ldn_meta.evidence.candidates import Row
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    finding,
)
from ldn_meta.evidence.claim_material import Material, count_of, named
from ldn_meta.evidence.claim_pools import span_of
from ldn_meta.evidence.claims_body import BENEFIT, pain_pool
from ldn_meta.evidence.synthesis import (
    FAVOURS_COMPARATOR,
    FAVOURS_LDN,
    NO_DIFFERENCE,
    build_pools,
)


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
        "{for_ldn:n} in favour of LDN ({names}), {none:n} without a difference and {against:n} in "
        "favour of placebo. "
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
        verdict = WITH_CAVEATS if count_of(found, FAVOURS_LDN) else NOT_SUPPORTED
        template += "They cannot be pooled on the main outcome."
    return finding(
        verdict,
        template,
        trials=len(found),
        for_ldn=count_of(found, FAVOURS_LDN),
        none=count_of(found, NO_DIFFERENCE),
        against=count_of(found, FAVOURS_COMPARATOR),
        names=named(found, FAVOURS_LDN),
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
    for_ldn = count_of(found, FAVOURS_LDN)
    ours = span_of(pooled) if pooled is not None else None
    if (ours is not None and ours.side < 0) or 2 * for_ldn >= len(found):
        verdict = NOT_SUPPORTED
    else:
        verdict = WITH_CAVEATS if for_ldn else SUPPORTED
    template = (
        "Randomised comparisons of LDN that say what they found on pain: {trials:n}, of which "
        "{for_ldn:n} in favour of LDN ({names}), {none:n} without a difference and {against:n} in "
        "favour of the comparator. "
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
        for_ldn=for_ldn,
        none=count_of(found, NO_DIFFERENCE),
        against=count_of(found, FAVOURS_COMPARATOR),
        names=named(found, FAVOURS_LDN),
        **values,
    )
