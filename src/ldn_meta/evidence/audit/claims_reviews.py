"""Computations on what reviews print: pools, sizes, designs, and what other texts say."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from itertools import combinations, product

import numpy as np

from ldn_meta.evidence.answer.answer import interval_to_read
from ldn_meta.evidence.answer.pools import (
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    NO_DIFFERENCE,
    Pool,
    find_pool,
)
from ldn_meta.evidence.audit.claim_material import (
    SIGNIFICANT,
    SIZES,
    Case,
    Finding,
    Span,
    Spread,
    ThenAndNow,
    computes,
    first,
    is_ratio,
    more_cautious,
    printed_numbers,
    prints_as,
    span_of,
    spread_on_file,
    tells,
)
from ldn_meta.evidence.audit.claim_rules import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Row, number
from ldn_meta.evidence.raw.review import listed
from ldn_meta.stats.convert import p_from_se, se_from_ci
from ldn_meta.stats.printed import counts_from_percent

# Differences in points can be turned into standard deviations; nothing else into anything else.
CONVERTIBLE = ("MD", "SMD")
# More ways than this to add up are not written out.
SHOWN_WAYS = 3


# -- what is on file -------------------------------------------------------------------------


def directions_of(case: Case, studies: Iterable[Row]) -> dict[str, str]:
    """What studies found on the outcomes that the rule names."""
    material = case.material
    return material.directions(studies, material.constructs(case.rule.lists["groups"]))


def tally(found: Mapping[str, str]) -> dict[str, float | str]:
    """How many studies found what, and by name those that favour the treatment."""
    told = list(found.values())
    return {
        "for_treatment": told.count(FAVOURS_TREATMENT),
        "none": told.count(NO_DIFFERENCE),
        "against": told.count(FAVOURS_COMPARATOR),
        "names": listed(name for name, word in found.items() if word == FAVOURS_TREATMENT),
    }


def pool_values(found: Pool) -> dict[str, float | str]:
    """Estimate, interval, unit and trials of our pool."""
    ours = span_of(found)
    return {
        "now": ours.estimate,
        "now_low": ours.low,
        "now_high": ours.high,
        "now_k": len(found.trials),
        "unit": found.key["unit"],
    }


@computes(
    "directions and main pool",
    outcomes="silent pool_for pool_not some_for none_for",
    says="silent told pooled not_pooled",
    gives="trials for_treatment none against names condition now now_low now_high now_k unit",
    words="comparator",
    lists="groups",
)
def directions_and_main_pool(case: Case) -> Finding:
    """Randomised comparisons of a condition, and the pool of its main outcome."""
    material, asked = case.material, case.rule.words["comparator"]
    studies = [
        study
        for study in material.randomised(case.indication_id)
        if study["comparator_class"].startswith(asked)
    ]
    found = directions_of(case, studies)
    main = material.indication_row(case.indication_id)["main_construct"]
    question = {"indication_id": case.indication_id, "construct": main}
    pools = [
        pool
        for pool in material.pooled
        if question.items() <= pool.key.items() and len(pool.trials) > 1
    ]
    values = {
        "trials": len(found),
        **tally(found),
        "condition": material.indication(case.indication_id),
    }
    if not found:
        return case.answer("silent", "silent", **values)
    if not pools:
        outcome = "some_for" if values["for_treatment"] else "none_for"
        return case.answer(outcome, "told", "not_pooled", **values)
    sign = float(pools[0].trials["benefit_sign"].iloc[0])
    is_for = span_of(pools[0]).side * sign > 0
    values |= pool_values(pools[0])
    return case.answer("pool_for" if is_for else "pool_not", "told", "pooled", **values)


@computes(
    "directions and pool of one outcome",
    outcomes="contradicted some_for none_for",
    says="told pooled inside outside prior",
    gives="trials for_treatment none against names where now now_low now_high unit mid lies "
    "read_low read_high prior",
    words="construct comparator",
    lists="groups",
)
def directions_and_pool(case: Case) -> Finding:
    """Randomised comparisons on some outcomes, and the largest pool of one of them."""
    material, words = case.material, case.rule.words
    found = directions_of(case, material.randomised())
    pooled = largest_pool(case)
    told = tally(found)
    is_for = pooled is not None and span_of(pooled).side < 0
    some_for = "some_for" if told["for_treatment"] else "none_for"
    is_half = 2 * number(told["for_treatment"]) >= len(found)
    outcome = "contradicted" if is_for or is_half else some_for
    values = {"trials": len(found), **told}
    if pooled is None:
        return case.answer(outcome, "told", **values)
    read = interval_to_read(pooled, material.protocol)
    mid = material.protocol.scales[words["construct"]].minimal_important_difference
    values |= {name: value for name, value in pool_values(pooled).items() if name != "now_k"}
    values |= {
        "where": material.indication(pooled.key["indication_id"]),
        "mid": mid,
        "lies": case.say("inside" if read.low <= -mid <= read.high else "outside"),
        "read_low": read.low,
        "read_high": read.high,
        "prior": case.say("prior") if read.has_prior else "",
    }
    return case.answer(outcome, "told", "pooled", **values)


def largest_pool(case: Case) -> Pool | None:
    """The pool of the rule's construct with the most trials, in whatever condition."""
    words = case.rule.words
    return find_pool(
        case.material.pooled,
        construct=words["construct"],
        comparator_class=words["comparator"],
    )


@computes(
    "designs cited",
    outcomes="enough not_enough",
    says="cited no_design pooled",
    gives="cited against_none active controlled alone for_treatment now now_low now_high now_k "
    "where unit",
    words="construct comparator",
    lists="groups inactive",
)
def designs_cited(case: Case) -> Finding:
    """Designs of the study a claim rests on, or of every study that its source cites."""
    claim, material = case.claim, case.material
    ids = (
        {claim["study_id"]}
        if claim["study_id"] is not None
        else {
            row["study_id"]
            for row in material.claims.values()
            if row["claimed_in"] == claim["claimed_in"] and row["study_id"] is not None
        }
    )
    studies = [case.context.studies[key] for key in sorted(ids)]
    randomised = [s for s in studies if s["is_randomised"]]
    against_none = [s for s in randomised if s["comparator_class"] in case.rule.lists["inactive"]]
    controlled = [s for s in studies if s["eligible_for"] == "contrast" and s not in randomised]
    found = directions_of(case, against_none)
    for_treatment = number(tally(found)["for_treatment"])
    pooled = largest_pool(case)
    values: dict[str, float | str] = {
        "cited": len(studies),
        "against_none": len(against_none),
        "active": len(randomised) - len(against_none),
        "controlled": len(controlled),
        "alone": len(studies) - len(randomised) - len(controlled),
        "for_treatment": for_treatment,
    }
    sentences = ["cited"] if against_none else ["cited", "no_design"]
    if pooled is not None:
        values |= pool_values(pooled)
        values["where"] = material.indication(pooled.key["indication_id"])
        sentences.append("pooled")
    is_enough = bool(against_none) and 2 * for_treatment >= len(against_none)
    return case.answer("enough" if is_enough else "not_enough", *sentences, **values)


@computes(
    "limits of a design",
    outcomes="some none",
    says="limits not_randomised not_blinded no_control small short",
    gives="limits people weeks small short blinding",
    words="comparator",
    numbers="small short",
)
def limits_of_a_design(case: Case) -> Finding:
    """What the design on file leaves to be desired."""
    material = case.material
    study = material.study(case.claim)
    people = material.size(study)
    if math.isnan(people):
        sizes = [material.fact(study["study_id"], name) for name in ("n_arm_1", "n_arm_2")]
        people = sum(number(row["value"]) for row in sizes if row is not None)
    weeks, limits = number(study["duration_weeks"]), case.rule.numbers
    applies = {
        "not_randomised": not study["is_randomised"],
        "not_blinded": study["blinding"] != "double-blind",
        "no_control": study["comparator_class"] != case.rule.words["comparator"],
        "small": people < limits["small"],
        "short": weeks < limits["short"],
    }
    values: dict[str, float | str] = {"people": people, "weeks": weeks, **limits}
    values["blinding"] = str(study["blinding"])
    values["limits"] = listed(case.say(name, **values) for name, holds in applies.items() if holds)
    return case.answer("some" if any(applies.values()) else "none", "limits", **values)


@computes(
    "size of the evidence",
    outcomes="all some none",
    says="size",
    gives="trials most people weeks",
    numbers="few_trials small short",
)
def size_of_the_evidence(case: Case) -> Finding:
    """Randomised comparisons by condition, their people and their weeks."""
    studies = case.material.randomised()
    first(studies, "a randomised comparison")
    most = max(_by_condition(case).values(), default=0)
    people = _median_size(case)
    weeks = statistics.median(
        w for s in studies if not math.isnan(w := number(s["duration_weeks"]))
    )
    limits = case.rule.numbers
    holds = (most < limits["few_trials"], people < limits["small"], weeks < limits["short"])
    outcome = "all" if all(holds) else "some" if any(holds) else "none"
    values = {"trials": len(studies), "most": most, "people": people, "weeks": weeks}
    return case.answer(outcome, "size", **values)


@computes(
    "spread of directions",
    outcomes="both one neither",
    says="told of_condition",
    gives="trials told for_treatment none against names conflicting people where condition",
    lists="groups",
)
def spread_of_directions(case: Case) -> Finding:
    """What the randomised comparisons found, and how they spread over conditions."""
    material = case.material
    studies = material.randomised()
    first(studies, "a randomised comparison")
    found = directions_of(case, studies)
    by_condition = _by_condition(case)
    told = tally(found)
    differ = bool(told["for_treatment"] and told["none"])
    uneven = len(set(by_condition.values())) > 1
    return case.answer(
        "both" if differ and uneven else "one" if differ or uneven else "neither",
        "told",
        trials=len(studies),
        told=len(found),
        **told,
        conflicting=list(found.values()).count("conflicting"),
        people=_median_size(case),
        where=listed(
            case.say("of_condition", trials=n, condition=name) for name, n in by_condition.items()
        ),
        **{f"trials_{place}": n for place, n in enumerate(by_condition.values(), 1)},
    )


def _median_size(case: Case) -> float:
    sizes = (case.material.size(study) for study in case.material.randomised())
    return statistics.median(n for n in sizes if not math.isnan(n))


def _by_condition(case: Case) -> dict[str, float]:
    """Randomised comparisons by condition, every reported condition of the treatment alone."""
    of_studies = [study["indication_id"] for study in case.material.randomised()]
    return {
        str(row["label"]): float(of_studies.count(row["indication_id"]))
        for row in case.material.conditions
    }


# -- published pools -------------------------------------------------------------------------


@computes(
    "pool beside ours",
    outcomes="silent another_measure",
    says="silent another_measure rate_ratio published then now approximate trial trials pool "
    "spread no_spread places turned inside outside includes excludes",
    gives="estimate low high k_claimed newest then then_low then_high then_k then_approximate "
    "then_approximate_low then_approximate_high then_approximate_k now now_low now_high now_k "
    "now_approximate now_approximate_low now_approximate_high now_approximate_k sd sd_low sd_high "
    "now_sd_low now_sd_high label unit which noun theirs k place aside other_place",
    argument="construct",
    words="comparator",
)
def pool_beside_ours(case: Case) -> Finding:
    """A published pooled result beside ours, without the newest trial and with it.

    A standardised difference is compared with our difference in points divided by the standard
    deviations that the trials printed: the typical one at baseline, the smallest and the largest.
    The argument is a construct, or construct@class of comparator@indication.
    """
    claim, material = case.claim, case.material
    construct, comparator, indication_id = (*case.argument.split("@"), "", "")[:3]
    pools = material.pools(
        indication_id or case.indication_id, construct, comparator or case.rule.words["comparator"]
    )
    theirs = published(claim)
    main = pools.now or pools.now_approximate
    values: dict[str, float | str] = {"label": material.label(construct)}
    values |= case.claimed(estimate="estimate", ci_low="low", ci_high="high", k="k_claimed")
    if main is None:
        return case.answer("silent", "silent", **values)
    ours_measure, measure = main.key["measure"], claim["measure"]
    spread = None
    if measure in ("statement", ours_measure):
        per = [1.0]
    elif (ours_measure, measure) == CONVERTIBLE:
        spread = spread_on_file(material.evidence, main)
        per = list(spread) if spread else []
    else:
        return _another_measure(case, main, values)
    spans = [
        span_of(found, per=sd)
        for found in (pools.now, pools.now_approximate)
        if found is not None
        for sd in per or [1.0]
    ]
    is_effect = claims_effect(claim)
    comparable = theirs if per else None
    verdicts = [verdict_on(comparable, ours, claims_effect=is_effect) for ours in spans]
    verdict = more_cautious(verdicts)
    if is_effect and NOT_SUPPORTED in verdicts and all(ours.side == 0 for ours in spans):
        verdict = NOT_SUPPORTED
    if pools.now is None:
        # Approximated numbers alone neither bear a claim out nor contradict it.
        turned = {SUPPORTED: WITH_CAVEATS, NOT_SUPPORTED: CANNOT_BE_TESTED}
        verdict = turned.get(verdict, verdict)
    values |= _numbers(pools, spread.typical if spread else 1.0, spread)
    values["unit"] = "" if spread or is_ratio(main) else f" {main.key['unit']}"
    texts = _pools_in_words(case, pools, values)
    if theirs is not None:
        texts.insert(0, case.say("published", **values))
    if spread is not None:
        texts.append(case.say("spread", **values))
    if not per:
        texts.append(case.say("no_spread"))
    elif theirs is not None:
        texts.append(_places(case, pools, main, theirs, spread))
    texts.append(case.say("includes" if span_of(main).side == 0 else "excludes"))
    return case.finding(verdict, " ".join(texts), **values)


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
    """Judge a published result by our interval; readers are told how by the rule."""
    side = ours.side
    inside = theirs is not None and theirs.holds(ours.estimate)
    around = theirs is not None and ours.holds(theirs.estimate)
    if claims_effect:
        # An estimate of nought has no side, whatever is claimed of it.
        wanted = side if theirs is None else float(np.sign(theirs.estimate))
        if side == wanted != 0:
            return SUPPORTED if inside else WITH_CAVEATS
        return WITH_CAVEATS if inside and side == 0 else NOT_SUPPORTED
    if side != 0:
        return NOT_SUPPORTED
    return SUPPORTED if inside and around else WITH_CAVEATS


def _another_measure(case: Case, main: Pool, values: Mapping[str, float | str]) -> Finding:
    """A count of events beside a count of people: both are shown, nothing is judged."""
    now = dict(zip(("now", "now_low", "now_high"), map(math.exp, span_of(main)), strict=True))
    measure = str(case.claim["measure"])
    theirs = case.say("rate_ratio") if measure == "IRR" else measure
    told = {"theirs": theirs, "k": len(main.trials), **now, **values}
    return case.answer("another_measure", "another_measure", **told)


def _pools_in_words(case: Case, pools: ThenAndNow, values: Mapping[str, float | str]) -> list[str]:
    """Our pools; one that approximations leave alone stands once."""
    texts = []
    for name, found in pools.named.items():
        strict = pools.named[name.partition("_")[0]]
        is_loose = strict is not found
        if found is None or (is_loose and strict is not None and _is_same(strict, found)):
            continue
        of_pool = {
            "which": case.say("approximate" if name.endswith("approximate") else name, **values),
            "k": values[f"{name}_k"],
            "noun": case.say("trial" if len(found.trials) == 1 else "trials"),
            "now": values[name],
            "now_low": values[f"{name}_low"],
            "now_high": values[f"{name}_high"],
        }
        texts.append(case.say("pool", **{**values, **of_pool}))
    return texts


def _is_same(one: Pool, other: Pool) -> bool:
    return list(one.trials["effect_id"]) == list(other.trials["effect_id"])


def _places(case: Case, pools: ThenAndNow, main: Pool, theirs: Span, spread: Spread | None) -> str:
    """How the published interval and ours lie to each other."""
    per = spread.typical if spread else 1.0
    words = {True: case.say("inside"), False: case.say("outside")}
    ours = span_of(main, per=per)
    inside = theirs.holds(ours.estimate)
    other = pools.now_approximate
    is_turned = other is not None and theirs.holds(span_of(other, per=per).estimate) != inside
    return case.say(
        "places",
        place=words[inside],
        aside=case.say("turned", place=words[not inside]) if is_turned else "",
        other_place=words[ours.holds(theirs.estimate)],
    )


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


# -- what reviews count ----------------------------------------------------------------------


@computes(
    "trials on file",
    outcomes="as_many other_number",
    says="counted up_to_year any_year beside",
    gives="k on_file when names beside",
)
def trials_on_file(case: Case) -> Finding:
    """Randomised comparisons on file up to the year of a review, and those not randomised."""
    year = number(case.material.sources[case.claim["claimed_in"]]["year"])
    k = number(case.claim["k"])
    until = math.inf if math.isnan(year) else year
    studies = case.material.randomised(case.indication_id, until=until)
    beside = [
        str(study["label"]) for study in _compared(case, until) if not study["is_randomised"]
    ]
    return case.answer(
        "as_many" if len(studies) == k and until == year else "other_number",
        "counted",
        k=k,
        on_file=len(studies),
        when=case.say("up_to_year" if until == year else "any_year"),
        names=listed(str(study["label"]) for study in studies),
        beside=case.say("beside", names=listed(beside)) if beside else "",
    )


def _compared(case: Case, until: float) -> list[Row]:
    """Comparative studies of the claim's condition up to a year, randomised or not."""
    return [
        study
        for study in case.context.studies.values()
        if study["indication_id"] == case.claim["indication_id"]
        and study["eligible_for"] == "contrast"
        and number(study["year"]) <= until
    ]


@computes(
    "sizes that add up",
    outcomes="fits fits_not",
    says="fits fits_not all_ways such_as",
    gives="trials ways k people shown way",
)
def sizes_that_add_up(case: Case) -> Finding:
    """Which trials, at which of their sizes, add up to the people of a review.

    Every comparative trial up to the year of the review is tried, randomised or not, with every
    size that any source gives, and, in a factorial trial, its first two arms alone.
    """
    year = number(case.material.sources[case.claim["claimed_in"]]["year"])
    k, people = int(number(case.claim["k"])), number(case.claim["n"])
    found = {str(study["label"]): _sizes(case, study) for study in _compared(case, year)}
    sizes = {label: of_study for label, of_study in found.items() if of_study}
    ways = [
        "; ".join(f"{label} {n:g}" for label, n in zip(labels, choice, strict=True))
        for labels in combinations(sizes, k)
        for choice in product(*(sorted(sizes[label]) for label in labels))
        if sum(choice) == people
    ]
    shown = ""
    if ways:
        is_short = len(ways) <= SHOWN_WAYS
        shown = case.say(
            "all_ways" if is_short else "such_as", way=" | ".join(ways) if is_short else ways[0]
        )
    every = sorted({n for of_study in sizes.values() for n in of_study})
    outcome = "fits" if ways else "fits_not"
    return case.answer(
        outcome,
        outcome,
        trials=len(sizes),
        ways=len(ways),
        k=k,
        people=people,
        shown=shown,
        **{f"size_{place}": n for place, n in enumerate(every, 1)},
    )


def _sizes(case: Case, study: Row) -> set[float]:
    """Sizes that sources give for a trial, also of low reliability, and of its first two arms."""
    rows = case.material.sizes(study["study_id"], with_low_reliability=True)
    stated = {number(row["value"]) for row in rows}
    if study["design"] == "factorial":
        arms = [
            number(arm["n_randomised"])
            for arm in case.context.arms.values()
            if arm["study_id"] == study["study_id"] and arm["group"] in (1, 2)
        ]
        stated.add(sum(arms))
    return {n for n in stated if not math.isnan(n)}


@computes(
    "percentage as a count",
    outcomes="whole none",
    says="whole none",
    gives="percent k count",
)
def percentage_as_a_count(case: Case) -> Finding:
    """Whether a percentage is a whole number of the studies of a review."""
    k, percent = int(number(case.claim["k"])), number(case.claim["estimate"])
    counts = counts_from_percent(percent, 0, k)
    outcome = "whole" if counts else "none"
    count = counts[0] if counts else math.nan
    return case.answer(outcome, outcome, percent=percent, k=k, count=count)


@computes(
    "same fact in two texts",
    outcomes="agree other_closer not_closer",
    says="prints neither_closer",
    gives="here there where tier aside",
    argument="claim",
)
def same_fact_in_two_texts(case: Case) -> Finding:
    """A number beside what another text says about the same fact."""
    claim, material = case.claim, case.material
    other = material.claims[case.argument]
    names = [name for name in ("k", "n") if claim[name] is not None] or ["as_reported"]
    agrees = [claim[name] for name in names] == [other[name] for name in names]
    own, others = (material.closeness(row["read_from"]) for row in (claim, other))
    differing = "other_closer" if others < own else "not_closer"
    numbers = {
        f"{name}_{place}": float(text)
        for name, row in (("claimed", claim), ("other", other))
        for place, text in enumerate(printed_numbers(row["as_reported"]), 1)
    }
    return case.answer(
        "agree" if agrees else differing,
        "prints",
        here=str(claim["as_reported"]),
        there=str(other["as_reported"]),
        where=material.source(other),
        tier=str(other["read_from"]),
        aside="" if own != others or agrees else case.say("neither_closer"),
        **numbers,
    )


@computes(
    "parts of a total",
    outcomes="equal more fewer",
    says="parts equal more fewer",
    gives="parts added total more aside",
    argument="claim",
)
def parts_of_a_total(case: Case) -> Finding:
    """All claims with the same computation, but for the total itself, added up."""
    claims = case.material.claims
    total = number(claims[case.argument]["k"])
    parts = [
        number(row["k"])
        for key, row in claims.items()
        if row["computation"] == case.claim["computation"] and key != case.argument
    ]
    added = sum(parts)
    outcome = "equal" if added == total else "more" if added > total else "fewer"
    values = {"parts": len(parts), "added": added, "total": total, "more": abs(added - total)}
    return case.answer(outcome, "parts", aside=case.say(outcome, **values), **values)


# -- what other texts say --------------------------------------------------------------------

# Stages at which a trial is as large as it was; later ones have lost people.
BEGINNING = ("n_enrolled", "n_randomised")
VALUES = (
    "events", "n", "percent", "mean", "sd", "median", "estimate", "ci_low", "ci_high",
    "statistic", "p_value", "n_1", "n_2",
)  # fmt: skip


@computes(
    "people in other sources",
    outcomes="silent began later unknown",
    says="found not_found preferred same",
    gives="people n_enrolled n_randomised n_completed n_analysed preferred where stage source "
    "tier",
)
def people_in_other_sources(case: Case) -> Finding:
    """A number of people among those that other sources give for the trial."""
    material, people = case.material, number(case.claim["n"])
    rows = [
        row
        for row in material.sizes(case.claim["study_id"])
        if row["read_in"] != case.claim["claimed_in"]
    ]
    preferred = {row["fact"]: row for row in rows if row["preferred"]}
    began = [number(row["value"]) for name, row in preferred.items() if name in BEGINNING]
    same = [row for row in rows if number(row["value"]) == people]
    if not rows:
        outcome = "silent"
    elif people in began or (not began and same):
        outcome = "began"
    else:
        outcome = "later" if same else "unknown"

    def told(sentence: str, row: Row) -> str:
        return case.say(
            sentence,
            people=number(row["value"]),
            stage=row["fact"].removeprefix("n_"),
            source=material.source(row),
            tier=row["read_from"],
        )

    in_order = sorted(preferred.values(), key=lambda row: SIZES.index(row["fact"]))
    return case.answer(
        outcome,
        "found" if same else "not_found",
        people=people,
        preferred=listed(told("preferred", row) for row in in_order),
        where=listed(dict.fromkeys(told("same", row) for row in same)),
        **{name: number(row["value"]) for name, row in preferred.items()},
    )


@computes(
    "printed numbers in other sources",
    outcomes="all some none",
    says="agree none lost other_set source",
    gives="printed found where lost itt itt_low itt_high source tier",
)
def printed_numbers_in_other_sources(case: Case) -> Finding:
    """Every printed number of a claim in what other sources give for the same outcome.

    A number agrees if a value of another source rounds to it, whatever its sign; a P also if it
    follows from the interval of the agreeing row.
    """
    claim, material, printed = case.claim, case.material, case.printed
    rows = material.results(
        str(claim["study_id"]), {str(claim["construct"])}, without=claim["claimed_in"]
    )
    sizes = [
        number(row["value"])
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"].startswith("n_")
        and row["read_in"] != claim["claimed_in"]
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
    values: dict[str, float | str] = {"printed": len(printed), "found": len(found)}
    values |= {f"printed_{place}": float(text) for place, text in enumerate(printed, 1)}
    sentences = ["agree"] if elsewhere else ["none"]
    if elsewhere and lost:
        sentences.append("lost")
    if is_other_set:
        sentences.append("other_set")
        names = {"estimate": "itt", "ci_low": "itt_low", "ci_high": "itt_high"}
        values |= {new: number(intended[0][old]) for old, new in names.items()}
    where = [
        case.say("source", source=material.source(row), tier=row["read_from"])
        for row in rows
        if by_row[row["address"]]
    ]
    partly = "some" if lost or is_other_set else "all"
    return case.answer(
        partly if elsewhere else "none",
        *sentences,
        where=listed(dict.fromkeys(where)),
        lost=listed(lost),
        **values,
    )


def _matched(row: Row, printed: list[str]) -> set[str]:
    """Printed numbers that a row gives."""
    values = [number(row.get(name)) for name in VALUES]
    low, high, estimate = (number(row.get(name)) for name in ("ci_low", "ci_high", "estimate"))
    if math.isfinite(low + high + estimate):
        values.append(float(p_from_se(estimate, se_from_ci(low, high))))
    return {text for text in printed if any(prints_as(value, text) for value in values)}


@computes(
    "direction in other sources",
    outcomes="opposite agree partly silent",
    says="told silent difference no_difference at_baseline estimate p of_source outcome",
    gives="constructs agreeing contradicting told label word before estimate p relation texts "
    "source tier",
    argument="constructs",
)
def direction_in_other_sources(case: Case) -> Finding:
    """A statement of difference or none beside what the text closest to the paper says.

    "No difference" here means that P was not below 0.05, as claims of this kind use the words.
    """
    claim, material = case.claim, case.material
    p = claim["p_value"]
    says_difference = claim["p_relation"] == "sig" or (
        claim["p_relation"] in ("=", "<") and p is not None and p < SIGNIFICANT
    )
    told_in: dict[str, list[str]] = {}
    agrees: list[bool | None] = []
    values: dict[str, float] = {}
    for construct in case.argument.split("+") if case.argument else [str(claim["construct"])]:
        rows = [
            row
            for row in material.results(
                str(claim["study_id"]), {construct}, without=claim["claimed_in"]
            )
            if row["address"].startswith("contrasts") and row["arm_2"] is not None
        ]
        at_start = [row for row in rows if row["timepoint_weeks"] == 0]
        later = [r for r in rows if r["timepoint_weeks"] != 0 and tells(r) is not None]
        if not later:
            agrees.append(None)
            continue
        row, difference = later[0], bool(tells(later[0]))
        # What was there before treatment is no effect of it.
        was_before = difference and any(map(tells, at_start))
        agrees.append(None if was_before else difference == says_difference)
        parts = {"estimate": "", "p": ""}
        for part, column in (("estimate", "estimate"), ("p", "p_value")):
            if row[column] is not None:
                value = number(row[column])
                values[f"{construct}_{part}"] = value
                parts[part] = case.say(part, **{part: value}, relation=str(row["p_relation"]))
        text = case.say(
            "outcome",
            label=material.label(construct),
            word=case.say("difference" if difference else "no_difference"),
            before=case.say("at_baseline") if was_before else "",
            **parts,
        )
        source = case.say("of_source", source=material.source(row), tier=row["read_from"])
        told_in.setdefault(source, []).append(text)
    counts = {"agreeing": agrees.count(True), "contradicting": agrees.count(False)}
    if counts["contradicting"]:
        outcome = "opposite"
    elif not counts["agreeing"]:
        outcome = "silent"
    else:
        outcome = "partly" if None in agrees else "agree"
    words = [f"{'; '.join(texts)} ({source})" for source, texts in told_in.items()]
    return case.answer(
        outcome,
        "told" if words else "silent",
        told="; ".join(words),
        constructs=len(agrees),
        **counts,
        **values,
    )
