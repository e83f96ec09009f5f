"""Claims that published meta-analyses make of pooled results, beside our pools of the trials."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ldn_meta.evidence.candidates import Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    finding,
    more_cautious,
)
from ldn_meta.evidence.claim_material import Material
from ldn_meta.evidence.claim_pools import (
    Span,
    Spread,
    ThenAndNow,
    is_ratio,
    span_of,
    spread_on_file,
)
from ldn_meta.evidence.synthesis import RATIO_MEASURES, Pool

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
    """Judge a published result by our interval; the rule stands under ``compare_pool``.

    Parameters
    ----------
    theirs : Span or None
        None if only words are printed, or numbers of another unit: then only the sides of no
        difference are compared, and the verdict is at best with caveats.
    ours : Span
    claims_effect : bool
        Whether the claim is of a difference.

    Returns
    -------
    str
    """
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
