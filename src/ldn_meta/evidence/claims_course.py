"""Claims about the course of people: onset, change from the start, leaving, a single case."""

from __future__ import annotations

import math

from ldn_meta.evidence.candidates import Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    finding,
    listed,
)
from ldn_meta.evidence.claim_material import Material
from ldn_meta.evidence.claims_body import BENEFIT
from ldn_meta.evidence.synthesis import FAVOURS_LDN

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
        is_early = any(early[label] == FAVOURS_LDN for label in both)
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
