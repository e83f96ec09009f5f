"""Computations on what reviews print: pools, sizes, designs, and what other texts say."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from ldn_meta.evidence.answer.pools import (
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    NO_DIFFERENCE,
    SAME_IN_BOTH,
    SIDE_UNKNOWN,
    Pool,
    find_pool,
)
from ldn_meta.evidence.audit.claim_material import (
    EITHER,
    OWN_TEXTS,
    SHOWN,
    SIGNIFICANT,
    Case,
    Claimed,
    Finding,
    Span,
    computes,
    first,
    is_ratio,
    judged,
    printed_numbers,
    prints_as,
    priors_of,
    span_of,
    standardised,
    tells,
    together,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Row, number
from ldn_meta.evidence.raw.faults import SIZES
from ldn_meta.evidence.raw.protocol import GRADES
from ldn_meta.evidence.raw.review import listed
from ldn_meta.evidence.raw.tables import short_citation
from ldn_meta.stats.convert import p_from_se, se_from_ci
from ldn_meta.stats.printed import counts_from_percent

# What a claim says of the comparisons on file: that a treatment holds promise in a condition, that
# it works by the studies it cites, that it does not help.
PROMISE, CITED, NO_BENEFIT = "promise", "cited", "none"
READINGS = (PROMISE, CITED, NO_BENEFIT)
# Differences in points can be turned into standard deviations; nothing else into anything else.
CONVERTIBLE = ("MD", "SMD")
# The word of claims.csv for a difference that is called unclear, and certainty that bears it out.
UNCLEAR = "unclear"
POOR = dict(zip(GRADES, (True, True, False, False), strict=True))
# More ways than this to add up are not written out.
SHOWN_WAYS = 3


# -- what is on file -------------------------------------------------------------------------


def sides_of(case: Case, studies: Iterable[Row]) -> dict[str, str]:
    """On which side results of studies lie, of the outcomes that the rule names."""
    return case.material.sides(studies, _constructs(case))


def _constructs(case: Case) -> tuple[str, ...]:
    return case.material.constructs(case.rule.lists["groups"])


def tally(found: Mapping[str, str]) -> dict[str, float | str]:
    """How many results lie on which side, and by name those on that of the treatment."""
    told = list(found.values())
    return {
        "for_treatment": told.count(FAVOURS_TREATMENT),
        "same": told.count(SAME_IN_BOTH),
        "unknown": told.count(SIDE_UNKNOWN),
        "against": told.count(FAVOURS_COMPARATOR),
        "names": listed(name for name, word in found.items() if word == FAVOURS_TREATMENT),
    }


@computes(
    "directions and pool",
    outcomes="silent no_pool shown either excluded",
    says="silent told pooled inside outside cited no_design one_trial",
    gives="trials for_treatment same unknown against names condition where now now_low now_high "
    "now_k unit mid mid_source lies method cited against_none active controlled alone others",
    argument="reading",
    words="construct comparator",
    lists="groups inactive",
)
def directions_and_pool(case: Case) -> Finding:
    """What randomised comparisons found, and the pool of one outcome that they are judged by.

    Of a claim about a condition, its comparisons with the rule's comparator and the pool of its
    main outcome; of a claim about all of them, the pool of the rule's outcome with the most
    trials. A claim that rests on the studies it cites is told their designs.
    """
    material, words, reading = case.material, case.rule.words, case.argument
    says_benefit, is_own = reading != NO_BENEFIT, reading == PROMISE
    studies = material.randomised(case.indication_id if is_own else None)
    if is_own:
        studies = [s for s in studies if s["comparator_class"].startswith(words["comparator"])]
    values: dict[str, float | str] = {"condition": material.indication(case.indication_id)}
    sentences = []
    if reading == CITED:
        designs = _designs(case)
        values |= designs
        sentences += ["cited"] if designs["against_none"] else ["cited", "no_design"]
    found = sides_of(case, studies)
    if reading != CITED:
        values |= {"trials": len(found), **tally(found)}
        sentences.append("told" if found else "silent")
    pooled = _pool_asked(case, is_own=is_own)
    if pooled is None:
        return case.answer("no_pool" if found else "silent", *sentences, **values)
    ours, (low, high) = span_of(pooled), material.unimportant(pooled)
    side = pooled.benefit_sign
    claimed = Claimed(says_benefit, side if says_benefit else 0.0)
    values |= {
        "now": ours.estimate,
        "now_low": ours.low,
        "now_high": ours.high,
        "now_k": len(pooled.trials),
        "unit": pooled.key["unit"],
        "where": material.indication(pooled.key["indication_id"]),
        "method": pooled.read.method,
        "mid": high,
        "mid_source": material.mid_source(pooled),
    }
    if not math.isnan(high):
        values["lies"] = case.say("inside" if ours.holds(low if side < 0 else high) else "outside")
        sentences.append("pooled")
    outcome = judged(claimed, ours, (low, high))
    # One trial speaks for itself alone: not where others were told to find otherwise.
    other_side = FAVOURS_COMPARATOR if says_benefit else FAVOURS_TREATMENT
    rest = [s for s in studies if s["label"] not in set(pooled.trials["study_label"])]
    others = [name for name, side in sides_of(case, rest).items() if side == other_side]
    if says_benefit:
        others += material.denied_by(rest, _constructs(case))
    if pooled.is_alone and outcome != EITHER and others:
        outcome = EITHER
        values["others"] = listed(dict.fromkeys(others))
        sentences.append("one_trial")
    answer = case.answer(outcome, *sentences, **values)
    agrees = ours.estimate * side > 0 if says_benefit else low < ours.estimate < high
    return replace(answer, agrees=agrees, trials=tuple(pooled.trials["study_label"]))


def _pool_asked(case: Case, *, is_own: bool) -> Pool | None:
    """The pool of the condition's main outcome, or of the rule's with the most trials."""
    words = case.rule.words
    pools = [p for p in case.material.pooled if p.benefit_sign]
    if not is_own:
        construct, comparator = words["construct"], words["comparator"]
        return find_pool(pools, construct=construct, comparator_class=comparator)
    main = case.material.indication_row(case.indication_id)["main_construct"]
    question = {"indication_id": case.indication_id, "construct": main}
    return next((p for p in pools if question.items() <= p.key.items()), None)


def _designs(case: Case) -> dict[str, float]:
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
    return {
        "cited": len(studies),
        "against_none": len(against_none),
        "active": len(randomised) - len(against_none),
        "controlled": len(controlled),
        "alone": len(studies) - len(randomised) - len(controlled),
    }


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
    gives="trials told for_treatment same unknown against names people where condition unheard",
    lists="groups",
)
def spread_of_directions(case: Case) -> Finding:
    """On which side randomised comparisons lie, and how they spread over conditions."""
    material = case.material
    studies = material.randomised()
    first(studies, "a randomised comparison")
    found = sides_of(case, studies)
    by_condition = _by_condition(case)
    told = tally(found)
    differ = bool(told["for_treatment"] and told["against"])
    uneven = len(set(by_condition.values())) > 1
    return case.answer(
        "both" if differ and uneven else "one" if differ or uneven else "neither",
        "told",
        trials=len(studies),
        told=len(found),
        **told,
        unheard=material.unheard,
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
    outcomes="silent another_measure shown either excluded",
    says="silent another_measure rate_ratio published now approximate trial trials pool spread "
    "prior no_spread places holds holds_not no_margin margin untested events approximated "
    "unclear",
    gives="estimate low high k_claimed now now_low now_high now_k now_approximate "
    "now_approximate_low now_approximate_high now_approximate_k sd sd_low sd_high sd_low_low "
    "sd_low_high sd_high_low sd_high_high prior prior_as_points prior_points label unit which "
    "noun theirs k place other_place method certainty margin_low margin_high mid_source",
    argument="construct",
    words="comparator",
)
def pool_beside_ours(case: Case) -> Finding:
    """A published pooled result beside ours, by the plan and with approximated effects.

    A standardised difference is compared with our differences divided by the standard deviations
    that the trials printed: the typical one at baseline, the smallest and the largest. The
    argument is a construct, or construct@class of comparator@indication. That two
    drugs are alike is never shown without a margin named beforehand and a placebo group; events,
    or one approximated effect, neither show nor exclude.
    """
    claim, material = case.claim, case.material
    question = asked(case)
    pools = material.pools(*question)
    main = pools.main
    values: dict[str, float | str] = {"label": material.label(question[1])}
    values |= case.claimed(estimate="estimate", ci_low="low", ci_high="high", k="k_claimed")
    if main is None:
        return case.answer("silent", "silent", **values)
    ours_measure, measure = main.key["measure"], claim["measure"]
    spread, claimed = None, claimed_by(case)
    per: list[float] = [1.0]
    if (ours_measure, measure) == CONVERTIBLE:
        spread = material.spread(main)
        per = list(spread) if spread else []
        # Without a standard deviation only the sides of no difference can be compared.
        claimed = claimed if spread else replace(claimed, span=None)
    elif measure not in ("statement", ours_measure):
        return _another_measure(case, main, values)
    shown = {
        (name, sd): standardised(found, sd) if spread else found
        for name, found in pools.named.items()
        for sd in per or [1.0]
    }
    spans = {key: span_of(found) for key, found in shown.items()}
    outcome = together(
        judged(claimed, spans[key], material.unimportant(pools.named[key[0]], sd=key[1]))
        for key in shown
    )
    typical = spread.typical if spread else 1.0
    for name, found in pools.named.items():
        span = spans[name, typical]
        numbers = [*(map(math.exp, span) if is_ratio(found) else span), float(len(found.trials))]
        ends = ("", "_low", "_high", "_k")
        values |= {f"{name}{end}": number for end, number in zip(ends, numbers, strict=True)}
    top = next(iter(pools.named))
    values["unit"] = "" if spread or is_ratio(main) else f" {main.key['unit']}"
    texts = [case.say("published", **values)] if published(claim) is not None else []
    for name, found in pools.named.items():
        values["method"] = shown[name, typical].read.method
        texts.append(_in_words(case, name, found, values))
    if spread is not None:
        values |= {"sd": spread.typical, "sd_low": spread.low, "sd_high": spread.high}
        for end, sd in (("low", spread.low), ("high", spread.high)):
            values |= {f"sd_{end}_low": spans[top, sd].low, f"sd_{end}_high": spans[top, sd].high}
        priors = priors_of(shown[top, typical], main, typical)
        values |= priors
        texts += [case.say(name, **values) for name in ("spread", *(["prior"] if priors else []))]
    if not per:
        texts.append(case.say("no_spread"))
    ours, theirs = spans[top, typical], claimed.span
    if theirs is not None:
        place, other = (
            case.say("holds" if is_in else "holds_not")
            for is_in in (theirs.holds(ours.estimate), ours.holds(theirs.estimate))
        )
        texts.append(case.say("places", place=place, other_place=other))
    low, high = material.unimportant(main)
    is_none = not claimed.is_difference and not claimed.is_unclear
    if is_none and math.isnan(high):
        texts.append(case.say("no_margin"))
    elif is_none:
        bounds = [math.exp(e) if is_ratio(main) else e / typical for e in (low, high)]
        values |= dict(zip(("margin_low", "margin_high"), bounds, strict=True))
        texts.append(case.say("margin", mid_source=material.mid_source(main), **values))
    if claimed.is_unclear:
        texts.append(case.say("unclear", certainty=material.certainty(*question)))
    weak = ["events"] * (main.key["measure"] == "IRR")
    weak += ["approximated"] * (pools.strict is None and main.is_alone)
    if weak:
        outcome = EITHER
        texts += map(case.say, weak)
    elif is_none and outcome == SHOWN and question[2] != case.rule.words["comparator"]:
        outcome = EITHER
        texts.append(case.say("untested"))
    return replace(
        case.by(outcome, " ".join(texts), **values),
        agrees=_agrees(claimed, ours.estimate, (low / typical, high / typical)),
        trials=tuple(
            dict.fromkeys(name for p in pools.named.values() for name in p.trials["study_label"])
        ),
    )


def asked(case: Case) -> tuple[str, str, str]:
    """Indication, construct and class of comparator that the argument of a claim names."""
    construct, comparator, indication_id = (*case.argument.split("@"), "", "")[:3]
    return (
        indication_id or case.indication_id,
        construct,
        comparator or case.rule.words["comparator"],
    )


def published(claim: Row) -> Span | None:
    """The printed estimate where no effect is 0; None for words."""
    if claim["estimate"] is None or claim["ci_low"] is None:
        return None
    values = [number(claim[name]) for name in ("estimate", "ci_low", "ci_high")]
    return Span(*(map(math.log, values) if claim["measure"] in RATIO_MEASURES else values))


def claimed_by(case: Case) -> Claimed:
    """Whether a claim says that there is a difference: by its interval, P, or words.

    A difference told in words alone is one of benefit, and of a harm one of more harm.
    """
    claim = case.claim
    theirs = published(claim)
    if claim["p_relation"] == UNCLEAR:
        is_poor = POOR.get(case.material.certainty(*asked(case)))
        return Claimed(False, 0.0, theirs, is_unclear=True, is_poor=is_poor)
    if theirs is None:
        rows = (r for r in case.context.outcomes.values() if r["construct"] == claim["construct"])
        told = next(((number(r["benefit_sign"]), r["domain"]) for r in rows), (math.nan, ""))
        side = 0.0 if math.isnan(told[0]) else told[0] * (-1.0 if told[1] == "harm" else 1.0)
        return Claimed(bool(claim["p_relation"] != "ns"), side)
    # An estimate of nought has no side, whatever is claimed of it.
    return Claimed(theirs.side != 0, float(np.sign(theirs.estimate)), theirs)


def _agrees(claimed: Claimed, estimate: float, unimportant: tuple[float, float]) -> bool | None:
    """Whether an estimate of ours is as claimed; None where nothing says what would be."""
    if claimed.span is not None:
        return claimed.span.holds(estimate)
    if claimed.is_difference:
        return estimate * claimed.side > 0 if claimed.side else None
    low, high = unimportant
    return None if math.isnan(high) else low < estimate < high


def _another_measure(case: Case, main: Pool, values: Mapping[str, float | str]) -> Finding:
    """A count of events beside a count of people: both are shown, nothing is judged."""
    now = dict(zip(("now", "now_low", "now_high"), map(math.exp, span_of(main)), strict=True))
    measure = str(case.claim["measure"])
    theirs = case.say("rate_ratio") if measure == "IRR" else measure
    told = {"theirs": theirs, "k": len(main.trials), **now, **values}
    return case.answer("another_measure", "another_measure", **told)


def _in_words(case: Case, name: str, found: Pool, values: Mapping[str, float | str]) -> str:
    """One pool of ours."""
    of_pool = {
        "which": case.say("approximate" if name.endswith("approximate") else name, **values),
        "k": values[f"{name}_k"],
        "noun": case.say("trial" if found.is_alone else "trials"),
        "now": values[name],
        "now_low": values[f"{name}_low"],
        "now_high": values[f"{name}_high"],
    }
    return case.say("pool", **{**values, **of_pool})


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
        for row in material.sizes(case.claim["study_id"], with_low_reliability=True)
        if row["read_in"] != case.claim["read_in"]
    ]
    preferred = {row["fact"]: row for row in rows if row["preferred"]}
    began = [number(row["value"]) for name, row in preferred.items() if name in BEGINNING]
    same = [row for row in rows if number(row["value"]) == people]
    if not rows:
        outcome = "silent"
    elif people in began or (not began and same):
        outcome = "began"
    else:
        # A text that is little to be relied on bears no number out against the preferred one.
        outcome = "later" if any(row["reliability"] != "low" for row in same) else "unknown"

    def told(sentence: str, row: Row) -> str:
        stage = row["fact"].removeprefix("n_")
        return _of_source(case, sentence, row, people=number(row["value"]), stage=stage)

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
        str(claim["study_id"]), {str(claim["construct"])}, without=claim["read_in"]
    )
    sizes = [
        number(row["value"])
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"].startswith("n_")
        and row["read_in"] != claim["read_in"]
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
    agreeing = [row for row in rows if by_row[row["address"]]]
    where = [_of_source(case, "source", row) for row in agreeing]
    is_own = any(row["read_from"] in OWN_TEXTS for row in agreeing)
    partly = "some" if lost or is_other_set or not is_own else "all"
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
    outcomes="opposite agree partly words silent",
    says="told words silent difference no_difference not_significant at_baseline estimate p "
    "of_source outcome says_so not_its_own",
    gives="constructs agreeing contradicting told label word before estimate p relation texts "
    "source tier note",
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
    in_words: list[str] = []
    agrees: list[bool | None] = []
    own: list[bool] = []
    values: dict[str, float] = {}
    for construct in case.argument.split("+") if case.argument else [str(claim["construct"])]:
        every = [
            row
            for row in material.results(
                str(claim["study_id"]), {construct}, without=claim["read_in"]
            )
            if row["address"].startswith("contrasts")
        ]
        in_words += [
            _of_source(case, "words", row, note=row["note"])
            for row in every
            if row["arm_2"] is None and tells(row) is None and row["note"] is not None
        ]
        rows = [row for row in every if row["arm_2"] is not None]
        at_start = [row for row in rows if row["timepoint_weeks"] == 0]
        later = [r for r in rows if r["timepoint_weeks"] != 0 and tells(r) is not None]
        if not later:
            agrees.append(None)
            continue
        row, difference = later[0], bool(tells(later[0]))
        # What was there before treatment is no effect of it, and is not the absence of one either.
        was_before = difference and any(map(tells, at_start))
        agrees.append(None if was_before and says_difference else difference == says_difference)
        own.append(row["read_from"] in OWN_TEXTS)
        parts = {"estimate": "", "p": ""}
        for part, column in (("estimate", "estimate"), ("p", "p_value")):
            if row[column] is not None:
                value = number(row[column])
                values[f"{construct}_{part}"] = value
                parts[part] = case.say(part, **{part: value}, relation=str(row["p_relation"]))
        # "No difference" only where the text says so.
        none = "no_difference" if row["direction"] == NO_DIFFERENCE else "not_significant"
        text = case.say(
            "outcome",
            label=material.label(construct),
            word=case.say("difference" if difference else none),
            before=case.say("at_baseline") if was_before else "",
            **parts,
        )
        told_in.setdefault(_of_source(case, "of_source", row), []).append(text)
    counts = {"agreeing": agrees.count(True), "contradicting": agrees.count(False)}
    if counts["contradicting"]:
        outcome = "opposite"
    elif not counts["agreeing"]:
        outcome = "words" if in_words else "silent"
    else:
        outcome = "partly" if None in agrees or not all(own) else "agree"
    words = [f"{'; '.join(texts)} ({source})" for source, texts in told_in.items()]
    if outcome == "words":
        return case.by(outcome, " ".join(in_words), constructs=len(agrees), **counts)
    sentences = ["told" if words else "silent"]
    if outcome in ("agree", "partly"):
        sentences += ["says_so"] * (not says_difference) + ["not_its_own"] * (not all(own))
    return case.answer(
        outcome,
        *sentences,
        told="; ".join(words),
        constructs=len(agrees),
        **counts,
        **values,
    )


# What a part of an argument asks of a study: whether it measured a construct, or "column=value";
# everything else is a fact, with its qualifier behind an @.
MEASURED, COLUMN = "measured@", "="
SAID_OF_STUDIES = ("design", "is_randomised", "blinding", "washout", "comparator_class")
FACT_NUMBERS = ("value", "value_low", "value_high")
DAYS, DAYS_A_WEEK = ("days", "trial day"), 7


@computes(
    "study in other sources",
    outcomes="agree partly differ words silent",
    says="told silent lost column other_column measured fact in_words a_kind farther not_its_own "
    "in_part",
    gives="told lost value claimed there source tier label",
    argument="parts",
)
def study_in_other_sources(case: Case) -> Finding:
    """What a claim says of a study beside what is on file of it from other sources.

    Every printed number has to stand among the facts that the argument names; where the claim
    prints none, its words are set beside them.
    """
    claim, material = case.claim, case.material
    study_id, parts = claim["study_id"], case.argument.split("+")
    found: list[bool | None] = []
    told: list[str] = []
    caveats: list[str] = []
    studies = material.evidence.text["studies"].set_index("study_id")
    for part in parts:
        name, _, value = part.partition(COLUMN)
        if COLUMN in part:
            cell = str(studies.loc[material.study(claim)["study_id"], name])
            if cell in material.evidence.dictionary.missing:
                found.append(None)
                caveats.append("in_part")
                continue
            # A kind of what is claimed bears it out in part: "fixed-order crossover".
            is_kind = value in cell and cell != value
            found += [True, None] if is_kind else [cell == value]
            caveats += ["a_kind"] * is_kind
            sentence = "column" if value in cell else "other_column"
            label = name.removeprefix("is_").replace("_", " ")
            told.append(case.say(sentence, label=label, value=cell, claimed=value))
        elif part.startswith(MEASURED):
            construct = part.removeprefix(MEASURED)
            about = str(material.study(claim)["study_id"])
            rows = material.results(about, {construct}, without=claim["read_in"])
            found.append(True if rows else None)
            caveats += ["in_part"] * (not rows)
            label = material.label(construct)
            told += [_of_source(case, "measured", row, label=label) for row in rows[:1]]
    facts = [part for part in parts if COLUMN not in part and not part.startswith(MEASURED)]
    rows = [row for part in facts for row in material.stated(part, claim["read_in"], study_id)]
    told += [_of_fact(case, row) for row in rows]
    estimate = claim["estimate"]
    given = case.printed or ([] if estimate is None else [f"{estimate:g}"])
    held = [value for row in rows for value in _values(row)]
    lost = [text for text in given if not any(prints_as(value, text) for value in held)]
    if (
        lost
        and rows
        and material.closeness(rows[0]["read_from"]) > material.closeness(claim["read_from"])
    ):
        # A text farther from the paper does not contradict one that is closer.
        found += [True, None]
        caveats.append("farther")
    elif facts:
        found.append(None if not rows else not lost)
        caveats += ["in_part"] * (not rows)
        # Of a text that is not the study's own: in part.
        if any(row["read_from"] not in OWN_TEXTS for row in rows):
            found.append(None)
            caveats.append("not_its_own")
    if False in found:
        outcome = "differ"
    elif True not in found:
        outcome = "silent"
    elif rows and not given:
        outcome = "words"
        caveats.append("in_words")
    else:
        outcome = "partly" if None in found else "agree"
    sentences = ["told" if told else "silent", *(["lost"] if rows and lost else [])]
    if outcome in ("words", "partly"):
        sentences += dict.fromkeys(caveats)
    numbers = {f"printed_{place}": float(text) for place, text in enumerate(given, 1)}
    numbers |= _filed(rows)
    texts = {"told": "; ".join(dict.fromkeys(told)), "lost": listed(lost)}
    return case.answer(outcome, *sentences, **texts, **numbers)


@computes(
    "fact of any study",
    outcomes="some none",
    says="some none fact",
    gives="told label there source tier",
    argument="parts",
)
def fact_of_any_study(case: Case) -> Finding:
    """Facts that a claim says nobody gives."""
    stated = case.material.stated
    rows = [row for part in case.argument.split("+") for row in stated(part)]
    outcome = "some" if rows else "none"
    told = "; ".join(_of_fact(case, row) for row in rows)
    return case.answer(outcome, outcome, told=told, **_filed(rows))


def _of_source(case: Case, sentence: str, row: Row, **values: float | str) -> str:
    """Something said with the source that says it."""
    source = case.material.source(row)
    return case.say(sentence, source=source, tier=row["read_from"], **values)


def _of_fact(case: Case, row: Row) -> str:
    """A fact as printed, or its number where none is."""
    printed = str(row["as_reported"])
    held = held_by(row)
    is_told = any(prints_as(value, text) for value in held for text in printed_numbers(printed))
    # A fact in words holds no number.
    there = printed if is_told or not held else " to ".join(f"{value:g}" for value in held)
    label = str(row["qualifier"] or row["fact"]).replace("_", " ")
    return _of_source(case, "fact", row, label=label, there=there)


def _filed(rows: Iterable[Row]) -> dict[str, float]:
    """Every number that facts hold or print."""
    texts = (text for row in rows for text in printed_numbers(row["as_reported"]))
    values = [value for row in rows for value in _values(row)] + [float(text) for text in texts]
    return {f"there_{place}": value for place, value in enumerate(values, 1)}


def held_by(row: Row) -> list[float]:
    """Numbers of a fact: its value, or the ends of its range."""
    return [number(row[name]) for name in FACT_NUMBERS if row[name] is not None]


def _values(row: Row) -> list[float]:
    """Numbers of a fact; days also as weeks."""
    held = held_by(row)
    return held + [value / DAYS_A_WEEK for value in held if row["unit"] in DAYS]


@computes(
    "identifier of a source",
    outcomes="same other silent",
    says="same other silent",
    gives="here there where",
    argument="source",
)
def identifier_of_a_source(case: Case) -> Finding:
    """A printed DOI beside that of the source on file."""
    source = case.material.sources[case.argument]
    here, there = str(case.claim["as_reported"]).lower(), str(source["doi"] or "").lower()
    outcome = "silent" if not there else "same" if here == there else "other"
    return case.answer(outcome, outcome, here=here, there=there, where=short_citation(source))


@computes(
    "word among populations",
    outcomes="none some",
    says="counted",
    gives="studies named",
    words="word",
)
def word_among_populations(case: Case) -> Finding:
    """How many studies on file say of their people what a word says."""
    told = [
        p for p in case.material.evidence.tables["studies"]["population"] if isinstance(p, str)
    ]
    named = sum(case.rule.words["word"] in population for population in told)
    return case.answer("some" if named else "none", "counted", studies=len(told), named=named)
