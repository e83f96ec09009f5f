"""Claims of reviews about themselves: how many trials and people they cover."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from itertools import combinations, product

from ldn_meta.evidence.answer.pools import (
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    NO_DIFFERENCE,
    Pool,
    build_pools,
    find_pool,
)
from ldn_meta.evidence.audit.claim_material import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SIGNIFICANT,
    SIZES,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    Material,
    Span,
    Spread,
    ThenAndNow,
    count_of,
    finding,
    first,
    is_ratio,
    listed,
    more_cautious,
    printed_numbers,
    prints_as,
    span_of,
    spread_on_file,
    tells,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Row, number, plain_rows
from ldn_meta.stats.convert import p_from_se, se_from_ci
from ldn_meta.stats.printed import counts_from_percent

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
    for_treatment = count_of(found, FAVOURS_TREATMENT)
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
    is_enough = bool(against_none) and 2 * for_treatment >= len(against_none)
    return finding(
        WITH_CAVEATS if is_enough else NOT_SUPPORTED,
        template,
        cited=len(studies),
        placebo=len(against_none),
        active=len(randomised) - len(against_none),
        controlled=len(controlled),
        alone=len(alone),
        for_treatment=for_treatment,
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
    differ = count_of(found, FAVOURS_TREATMENT) > 0 and count_of(found, NO_DIFFERENCE) > 0
    uneven = len(set(by_condition.values())) > 1
    verdict = SUPPORTED if differ and uneven else WITH_CAVEATS
    people = [n for s in studies if not math.isnan(n := material.size(s))]
    return finding(
        verdict if differ or uneven else NOT_SUPPORTED,
        "Of {trials:n} randomised comparisons of LDN {told:n} say what they found on pain, "
        "response "
        "or quality of life: {for_treatment:n} in favour of LDN, {none:n} without a difference, "
        "{against:n} "
        "in favour of the comparator, {conflicting:n} one way on one outcome and the other way on "
        "another. By condition: {where}. Half of them had {people:n} people or fewer.",
        trials=len(studies),
        told=len(found),
        for_treatment=count_of(found, FAVOURS_TREATMENT),
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


# Differences in points can be turned into standard deviations; nothing else into anything else.
CONVERTIBLE = {("MD", "SMD")}


def compare_pool(claim: Row, material: Material, argument: str) -> Finding:
    """Set a published pooled result beside our pool of the trials on file, then and now.

    "Then" leaves the newest trial out, which no published review has; "now" has it. A
    standardised difference is compared with our difference in points divided by the standard
    deviations that the trials printed: the typical one at baseline, the smallest and the largest.

    Verdict on a published difference: supported if our interval lies on the same side of no
    difference and our estimate inside the published interval; supported with caveats if only one
    of the two holds; not supported if neither does. Verdict on a published absence of difference:
    supported if our interval includes none as well and each estimate lies inside the other
    interval; supported with caveats if only the first holds; not supported if our interval
    excludes no difference. The verdict is that of our pool now, with and without approximated
    effects and at all three standard deviations; where these do not agree, supported with caveats,
    but a published difference stays not supported unless one of our intervals shows it. Where
    all of our numbers are approximated, or only the sides of no difference can be compared, at
    best supported with caveats. Cannot be tested if we have no effect of the outcome, if only
    approximated numbers contradict the claim, or if what was counted differs (events and people).

    The argument is a construct, or construct@class of comparator@indication.
    """
    construct, comparator, indication_id = (*argument.split("@"), "", "")[:3]
    pools = material.pools(
        indication_id or str(claim["indication_id"]), construct, comparator or "placebo"
    )
    theirs = published(claim)
    main = pools.now or pools.now_approximate
    label = material.label(construct)
    if main is None:
        return finding(
            CANNOT_BE_TESTED,
            "No trial on file gives {label} in numbers that an effect and its uncertainty "
            "could be "
            "computed from, and the numbers of each trial in the review are not published in "
            "what was read.",
            label=label,
            **_plain(claim),
        )
    ours_measure, measure = main.key["measure"], claim["measure"]
    spread = None
    if measure == "statement" or measure == ours_measure:
        per = [1.0]
    elif (ours_measure, measure) in CONVERTIBLE:
        spread = spread_on_file(material.evidence, main)
        per = list(spread) if spread else []
    else:
        return _another_measure(claim, main, label)
    comparable = theirs if per else None
    spans = [
        span_of(found, per=sd)
        for found in (pools.now, pools.now_approximate)
        if found is not None
        for sd in per or [1.0]
    ]
    is_effect = claims_effect(claim)
    verdicts = [verdict_on(comparable, ours, claims_effect=is_effect) for ours in spans]
    verdict = more_cautious(verdicts)
    if is_effect and NOT_SUPPORTED in verdicts and all(ours.side == 0 for ours in spans):
        verdict = NOT_SUPPORTED
    if pools.now is None and verdict == SUPPORTED:
        verdict = WITH_CAVEATS
    if pools.now is None and verdict == NOT_SUPPORTED:
        verdict = CANNOT_BE_TESTED
    typical = spread.typical if spread else 1.0
    return finding(
        verdict,
        " ".join(_sentences(claim, pools, theirs, spread, can_compare=bool(per))),
        **_plain(claim),
        **_numbers(pools, typical, spread),
        label=label,
        unit="" if spread or is_ratio(main) else f" {main.key['unit']}",
    )


def published(claim: Row) -> Span | None:
    """The printed estimate where no effect is 0; None for words."""
    if claim["estimate"] is None or claim["ci_low"] is None:
        return None
    values = [number(claim[name]) for name in ("estimate", "ci_low", "ci_high")]
    return Span(*(map(math.log, values) if claim["measure"] in RATIO_MEASURES else values))


def claims_effect(claim: Row) -> bool:
    """Whether a claim says that there is a difference: by its interval, P, or words."""
    theirs = published(claim)
    if theirs is not None:
        return theirs.side != 0
    return bool(claim["p_relation"] != "ns")


def verdict_on(theirs: Span | None, ours: Span, *, claims_effect: bool) -> str:
    """Judge a published result by our interval; the rule stands under ``compare_pool``."""
    side = ours.side
    inside = theirs is not None and theirs.holds(ours.estimate)
    around = theirs is not None and ours.holds(theirs.estimate)
    if claims_effect:
        wanted = (1 if theirs.estimate > 0 else -1) if theirs is not None else side
        if side == wanted != 0:
            return SUPPORTED if inside else WITH_CAVEATS
        return WITH_CAVEATS if inside and side == 0 else NOT_SUPPORTED
    if side != 0:
        return NOT_SUPPORTED
    return SUPPORTED if inside and around else WITH_CAVEATS


def _another_measure(claim: Row, main: Pool, label: str) -> Finding:
    """A count of events beside a count of people: both are shown, nothing is judged."""
    ours = span_of(main)
    return finding(
        CANNOT_BE_TESTED,
        "The review gives a {theirs} of {estimate:.2f} ({low:.2f} to {high:.2f}), that is of "
        "events; the counts of each trial are not published in what was read. On file are people "
        "with {label}: {k:n} trials, risk ratio {now:.2f} ({now_low:.2f} to {now_high:.2f}). "
        "More events in no more people is possible, so the two do not contradict each other.",
        theirs="rate ratio" if claim["measure"] == "IRR" else str(claim["measure"]),
        label=label,
        k=len(main.trials),
        now=math.exp(ours.estimate),
        now_low=math.exp(ours.low),
        now_high=math.exp(ours.high),
        **_plain(claim),
    )


def _sentences(
    claim: Row,
    pools: ThenAndNow,
    theirs: Span | None,
    spread: Spread | None,
    *,
    can_compare: bool,
) -> Iterator[str]:
    """What was published, our pools, and how they lie."""
    if theirs is not None:
        yield "Published: {estimate:.2f} ({low:.2f} to {high:.2f})."
    for name, words in (
        ("then", "Trials before {newest:.0f}"),
        ("then_approximate", "with approximated effects"),
        ("now", "All trials now on file"),
        ("now_approximate", "with approximated effects"),
    ):
        found = pools.named[name]
        if found is None or (name.endswith("approximate") and _same(pools, name)):
            continue
        noun = "trial" if len(found.trials) == 1 else "trials"
        start = words[:1].upper() + words[1:]
        yield (
            f"{start} ({{{name}_k:word}} {noun}): {{{name}:.2f}} ({{{name}_low:.2f}} to "
            f"{{{name}_high:.2f}}){{unit}}."
        )
    if spread is not None:
        yield (
            "Our points were divided by a standard deviation of {sd:.2f}, typical of the "
            "trials at "
            "baseline; with the smallest and the largest on file, {sd_low:.2f} and {sd_high:.2f}, "
            "the estimate now is {now_sd_low:.2f} and {now_sd_high:.2f}."
        )
    if not can_compare:
        yield "No standard deviation is on file, so only the sides of no difference are compared."
    main = pools.now or pools.now_approximate
    if theirs is not None and main is not None and can_compare:
        per = spread.typical if spread else 1.0
        ours = span_of(main, per=per)
        inside = theirs.holds(ours.estimate)
        other = pools.now_approximate
        turned = other is not None and theirs.holds(span_of(other, per=per).estimate) != inside
        aside = f" ({_place(not inside)} it with approximated effects)" if turned else ""
        yield (
            f"Our estimate now lies {_place(inside)} the published interval{aside}, the published "
            f"estimate {_place(ours.holds(theirs.estimate))} ours."
        )
    if main is not None:
        side = span_of(main).side
        yield (
            "Our interval now includes no difference."
            if side == 0
            else "Our interval now excludes no difference."
        )


def _place(is_inside: bool) -> str:
    return "inside" if is_inside else "outside"


def _same(pools: ThenAndNow, name: str) -> bool:
    """Whether approximated effects change a pool at all."""
    strict, loose = pools.named[name.partition("_")[0]], pools.named[name]
    if strict is None or loose is None:
        return False
    return list(strict.trials["effect_id"]) == list(loose.trials["effect_id"])


def _plain(claim: Row) -> dict[str, float]:
    """What the claim prints, as numbers; what it does not print is left out."""
    names = {"estimate": "estimate", "ci_low": "low", "ci_high": "high", "k": "k_claimed"}
    return {new: number(claim[old]) for old, new in names.items() if claim[old] is not None}


def _numbers(pools: ThenAndNow, typical: float, spread: Spread | None) -> dict[str, float]:
    """Every pool on the scale of the claim: ratios as ratios."""
    values: dict[str, float] = {"newest": pools.newest}
    for name, found in pools.named.items():
        if found is None:
            continue
        span = span_of(found, per=typical)
        shown = Span(*map(math.exp, span)) if is_ratio(found) else span
        values |= {
            name: shown.estimate,
            f"{name}_low": shown.low,
            f"{name}_high": shown.high,
            f"{name}_k": len(found.trials),
        }
    if spread is not None and pools.now is not None:
        estimate = span_of(pools.now).estimate
        values |= {
            "sd": spread.typical,
            "sd_low": spread.low,
            "sd_high": spread.high,
            "now_sd_low": estimate / spread.low,
            "now_sd_high": estimate / spread.high,
        }
    return values


# More ways than this to add up are not written out.
SHOWN_WAYS = 3


def trials_on_file(claim: Row, material: Material, argument: str) -> Finding:
    """Count the randomised comparisons on file up to the year of a review.

    Verdict: supported with caveats if the review counts as many (its own list was not seen);
    cannot be tested if it counts more or fewer, for its rules may differ from ours, or if its
    year is not known.
    """
    source = material.sources[claim["claimed_in"]]
    year = number(source["year"])
    k = number(claim["k"])
    until = year if not math.isnan(year) else math.inf
    studies = material.randomised(str(claim["indication_id"]), until=until)
    fits = len(studies) == k and not math.isnan(year)
    beside = [
        str(study["label"])
        for study in material.context.studies.values()
        if study["indication_id"] == claim["indication_id"]
        and study["eligible_for"] == "contrast"
        and not study["is_randomised"]
        and number(study["year"]) <= until
    ]
    return finding(
        WITH_CAVEATS if fits else CANNOT_BE_TESTED,
        "The review counts {k:n}. Randomised comparisons {when} on file: {on_file:n} "
        "({names}){beside}. Which ones the review counts was not seen.",
        k=k,
        on_file=len(studies),
        when="up to its year" if not math.isnan(year) else "of any year",
        names=listed(str(study["label"]) for study in studies),
        beside=f", beside {listed(beside)}, not randomised" if beside else "",
    )


def sizes_add_up(claim: Row, material: Material, argument: str) -> Finding:
    """Find which trials on file, at which of their sizes, add up to the people of a review.

    Every comparative trial up to the year of the review is tried, randomised or not, with every
    size that any source gives, and, in a factorial trial, its first two arms alone.

    Verdict: supported with caveats if some choice adds up (the list was not seen); cannot be
    tested otherwise, for the review may have sizes that are not on file.
    """
    year = number(material.sources[claim["claimed_in"]]["year"])
    k, people = int(number(claim["k"])), number(claim["n"])
    sizes = {
        str(study["label"]): _sizes(material, study)
        for study in material.context.studies.values()
        if study["indication_id"] == claim["indication_id"]
        and study["eligible_for"] == "contrast"
        and number(study["year"]) <= year
    }
    sizes = {label: found for label, found in sizes.items() if found}
    fitting = [
        list(zip(labels, choice, strict=True))
        for labels in combinations(sizes, k)
        for choice in product(*(sorted(sizes[label]) for label in labels))
        if sum(choice) == people
    ]
    ways = ["; ".join(f"{label} {n:g}" for label, n in way) for way in fitting]
    return finding(
        WITH_CAVEATS if fitting else CANNOT_BE_TESTED,
        "{trials:n} comparative trials up to its year are on file. {ways:n} ways to take {k:n} of "
        "them add up to {people:n} people{shown}. Which trials it took was not seen."
        if fitting
        else "{trials:n} comparative trials up to its year are on file; no {k:n} of them add "
        "up to "
        "{people:n} people at any size that a source gives.",
        trials=len(sizes),
        ways=len(fitting),
        k=k,
        people=people,
        shown=f": {' | '.join(ways)}" if len(ways) <= SHOWN_WAYS else f", such as {ways[0]}",
        **{
            f"size_{i}": n for i, n in enumerate(sorted({n for s in sizes.values() for n in s}), 1)
        },
    )


def _sizes(material: Material, study: Row) -> set[float]:
    """Sizes that sources give for a trial, also of low reliability, and of its first two arms."""
    stated = {
        number(row["value"])
        for row in plain_rows(material.evidence.tables["study_facts"])
        if row["study_id"] == study["study_id"]
        and row["fact"] in SIZES
        and row["value"] is not None
        and row["qualifier"] is None
    }
    if study["design"] == "factorial":
        arms = [
            number(arm["n_randomised"])
            for arm in material.context.arms.values()
            if arm["study_id"] == study["study_id"] and arm["group"] in (1, 2)
        ]
        stated.add(sum(arms))
    return {n for n in stated if not math.isnan(n)}


def percent_of_k(claim: Row, material: Material, argument: str) -> Finding:
    """See whether a percentage is a whole number of the studies of a review.

    Verdict: supported if it is; not supported if no whole number gives the percentage.
    """
    k, percent = int(number(claim["k"])), number(claim["estimate"])
    counts = counts_from_percent(percent, 0, k)
    return finding(
        SUPPORTED if counts else NOT_SUPPORTED,
        "{percent:n}% of {k:n} studies is {count:n} of them."
        if counts
        else "{percent:n}% is no whole number of {k:n} studies.",
        percent=percent,
        k=k,
        count=counts[0] if counts else math.nan,
    )


def same_fact(claim: Row, material: Material, argument: str) -> Finding:
    """Compare a number with what another text says about the same fact.

    Verdict: supported if both agree; if they do not, supported with caveats for the text closer
    to the paper and for two texts equally close, not supported for the other.
    """
    other = material.claims[argument]
    names = [name for name in ("k", "n") if claim[name] is not None]
    here = {name: number(claim[name]) for name in names}
    there = {name: number(other[name]) for name in names}
    agrees = here == there if names else claim["as_reported"] == other["as_reported"]
    own, others = (material.closeness(row["read_from"]) for row in (claim, other))
    differing = NOT_SUPPORTED if others < own else WITH_CAVEATS
    verdict = SUPPORTED if agrees else differing
    numbers = {
        **{f"claimed_{place}": float(t) for place, t in _places(claim["as_reported"])},
        **{f"other_{place}": float(t) for place, t in _places(other["as_reported"])},
    }
    return finding(
        verdict,
        "This text prints {here}; {where} ({tier}) prints {there} for the same fact"
        + ("." if own != others or agrees else "; neither is closer to the paper."),
        here=str(claim["as_reported"]),
        there=str(other["as_reported"]),
        where=material.source(str(other["claimed_in"])),
        tier=str(other["read_from"]),
        **numbers,
    )


def _places(text: str | None) -> list[tuple[int, str]]:
    return list(enumerate(printed_numbers(text), 1))


def sums_to(claim: Row, material: Material, argument: str) -> Finding:
    """Add up the parts that a review counts, and compare with its total.

    The parts are all claims with the same computation, but for the total itself.

    Verdict: supported if they add up; supported with caveats if they come to more, so that some
    are counted twice; not supported if they come to fewer.
    """
    total = number(material.claims[argument]["k"])
    parts = [
        number(row["k"])
        for key, row in material.claims.items()
        if row["computation"] == claim["computation"] and key != argument
    ]
    added = sum(parts)
    differing = WITH_CAVEATS if added > total else NOT_SUPPORTED
    verdict = SUPPORTED if added == total else differing
    return finding(
        verdict,
        "The {parts:n} parts that this source counts add up to {added:n}, its total is {total:n}"
        + (
            "."
            if added == total
            else "; the surplus of {more:n} means that some trials are counted more than once."
            if added > total
            else "; {more:n} are missing."
        ),
        parts=len(parts),
        added=added,
        total=total,
        more=abs(added - total),
    )


# Stages at which a trial is as large as it was; later ones have lost people.
BEGINNING = ("n_enrolled", "n_randomised")
VALUES = (
    "events", "n", "percent", "mean", "sd", "median", "estimate", "ci_low", "ci_high",
    "statistic", "p_value", "n_1", "n_2",
)  # fmt: skip
STAGES = {
    "n_enrolled": "enrolled",
    "n_randomised": "randomised",
    "n_completed": "completed",
    "n_analysed": "analysed",
}


def n_in_sources(claim: Row, material: Material, argument: str) -> Finding:
    """Look for a number of people among those that other sources give for the trial.

    Verdict: supported if it is the number enrolled or randomised by the preferred source;
    supported with caveats if it is that of a later stage (completed, analysed) while more began,
    or if another source gives it against the preferred one; not supported if no other source
    does; cannot be tested if no other source gives any number.
    """
    rows = [
        row
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"] in SIZES
        and row["value"] is not None
        and row["qualifier"] is None
        and row["source_id"] != claim["claimed_in"]
    ]
    people = number(claim["n"])
    preferred = {row["fact"]: row for row in rows if row["preferred"]}
    began = [number(row["value"]) for name, row in preferred.items() if name in BEGINNING]
    same = [row for row in rows if number(row["value"]) == people]
    if not rows:
        verdict = CANNOT_BE_TESTED
    elif people in began or (not began and same):
        verdict = SUPPORTED
    else:
        verdict = WITH_CAVEATS if same else NOT_SUPPORTED
    words = [
        f"{number(row['value']):g} {STAGES[name]} ({material.source(row['source_id'])}, "
        f"{row['read_from']})"
        for name, row in sorted(preferred.items(), key=lambda item: SIZES.index(item[0]))
    ]
    where = [
        f"{material.source(row['source_id'])} ({STAGES[row['fact']]}, {row['read_from']})"
        for row in same
    ]
    return finding(
        verdict,
        "The claim says {people:n}. Preferred sources: {words}. {people:n} is the number in "
        "{where}."
        if same
        else "The claim says {people:n}. Preferred sources: {words}. No other "
        "source on file gives {people:n}.",
        people=people,
        words=listed(words),
        where=listed(dict.fromkeys(where)),
        **{name: number(row["value"]) for name, row in preferred.items()},
    )


def agrees_with_source(claim: Row, material: Material, argument: str) -> Finding:
    """Look for every printed number of a claim in what other sources give for the same outcome.

    A number agrees if a value of another source rounds to it, whatever its sign; a P also if it
    follows from the interval of the agreeing row.

    Verdict: supported if all numbers are found; supported with caveats if some are, or if they
    are those of another analysis set than intention to treat, which is on file with other
    numbers; cannot be tested if none is found, because no other source gives the result.
    """
    printed = printed_numbers(claim["as_reported"])
    rows = material.results(
        str(claim["study_id"]), {str(claim["construct"])}, without=claim["claimed_in"]
    )
    sizes = [
        number(row["value"])
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"].startswith("n_")
        and row["source_id"] != claim["claimed_in"]
    ]
    by_row = {row["address"]: _matched(row, printed) for row in rows}
    elsewhere = set().union(*by_row.values()) if by_row else set()
    found = [
        text
        for text in printed
        if text in elsewhere or (elsewhere and any(prints_as(n, text) for n in sizes))
    ]
    lost = [text for text in printed if text not in found]
    best = max(rows, key=lambda row: len(by_row[row["address"]]), default=None)
    intended = [row for row in rows if row["analysis_set"] == "intention to treat"]
    is_other_set = bool(
        best is not None
        and best["analysis_set"] == "per protocol"
        and intended
        and by_row[best["address"]] > by_row[intended[0]["address"]]
    )
    if not elsewhere:
        verdict = CANNOT_BE_TESTED
    else:
        verdict = WITH_CAVEATS if lost or is_other_set else SUPPORTED
    template = (
        "{found:n} of {printed:n} printed numbers agree with {where}."
        if elsewhere
        else "No other source on file gives this result."
    )
    if elsewhere and lost:
        template += " Not found elsewhere: {lost}."
    values: dict[str, float | str] = {}
    if is_other_set:
        row = intended[0]
        template += (
            " They are the per-protocol result; by intention to treat it is {itt} ({itt_low} to "
            "{itt_high})."
        )
        values = {
            "itt": number(row["estimate"]),
            "itt_low": number(row["ci_low"]),
            "itt_high": number(row["ci_high"]),
        }
    where = [
        f"{material.source(row['source_id'])} ({row['read_from']})"
        for row in rows
        if by_row[row["address"]]
    ]
    return finding(
        verdict,
        template,
        printed=len(printed),
        found=len(found),
        where=listed(dict.fromkeys(where)),
        lost=listed(lost),
        **{f"printed_{place}": float(text) for place, text in enumerate(printed, 1)},
        **values,
    )


def _matched(row: Row, printed: list[str]) -> set[str]:
    """Printed numbers that a row gives."""
    values = [number(row.get(name)) for name in VALUES]
    low, high, estimate = (number(row.get(name)) for name in ("ci_low", "ci_high", "estimate"))
    if math.isfinite(low + high + estimate):
        values.append(float(p_from_se(estimate, se_from_ci(low, high))))
    return {text for text in printed if any(prints_as(value, text) for value in values)}


def direction_in_sources(claim: Row, material: Material, argument: str) -> Finding:
    """Compare a statement of difference or none with what the text closest to the paper says.

    The argument lists constructs joined by +; the claim's own one without it. "No difference"
    here means that P was not below 0.05, as claims of this kind use the words.

    Verdict: not supported if the closest text says the opposite about any of the constructs;
    supported if it agrees on all; supported with caveats if it agrees on some and is silent on
    others, or tells of a difference that was there before treatment; cannot be tested if no other
    source says anything.
    """
    p = claim["p_value"]
    says_difference = claim["p_relation"] == "sig" or (
        claim["p_relation"] in ("=", "<") and p is not None and p < SIGNIFICANT
    )
    told_in: dict[str, list[str]] = {}
    verdicts: list[bool | None] = []
    values: dict[str, float] = {}
    for construct in argument.split("+") if argument else [str(claim["construct"])]:
        rows = [
            row
            for row in material.results(
                str(claim["study_id"]), {construct}, without=claim["claimed_in"]
            )
            if row["address"].startswith("contrasts") and row["arm_2"] is not None
        ]
        told = [(row, tells(row)) for row in rows]
        later = [(row, word) for row, word in told if row["timepoint_weeks"] != 0]
        row, difference = next((pair for pair in later if pair[1] is not None), (None, None))
        if row is None:
            verdicts.append(None)
            continue
        before = any(word for other, word in told if other["timepoint_weeks"] == 0)
        if difference and before:
            # What was there before treatment is no effect of it.
            verdicts.append(None)
        else:
            verdicts.append(difference == says_difference)
        text = f"{material.label(construct)}: {'difference' if difference else 'no difference'}"
        if difference and before:
            text += ", but at baseline as well"
        if row["estimate"] is not None:
            text += f", {{{construct}_estimate}}"
            values[f"{construct}_estimate"] = number(row["estimate"])
        if row["p_value"] is not None:
            text += f", P {row['p_relation']} {{{construct}_p}}"
            values[f"{construct}_p"] = number(row["p_value"])
        told_in.setdefault(f"{material.source(row['source_id'])}, {row['read_from']}", []).append(
            text
        )
    words = [f"{'; '.join(texts)} ({where})" for where, texts in told_in.items()]
    return finding(
        _joined(verdicts),
        "Other sources: " + "; ".join(words) + "."
        if words
        else "No other source on file says whether there was a difference.",
        constructs=len(verdicts),
        agreeing=sum(v is True for v in verdicts),
        contradicting=sum(v is False for v in verdicts),
        **values,
    )


def _joined(verdicts: list[bool | None]) -> str:
    if False in verdicts:
        return NOT_SUPPORTED
    if True not in verdicts:
        return CANNOT_BE_TESTED
    return WITH_CAVEATS if None in verdicts else SUPPORTED
