"""Sentences computed from the result of one outcome: a branch for every state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.wording import (
    MEASURES,
    agree,
    capitalised,
    count,
    fixed,
    interval,
    method,
    people,
    percent,
    shown,
)
from ldn_meta.evidence.protocol import MAIN
from ldn_meta.evidence.synthesis import (
    DIRECTION_ONLY,
    NO_COMPARISON,
    RATIO_MEASURES,
)
from ldn_meta.evidence.synthesis import has_unknown_sign as has_unknown_sign

if TYPE_CHECKING:
    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.evidence.synthesis import Pool

FEW = 2
ACTIVE = "active drug"
WORDS_FOR_DIRECTION = {
    "not stated": "direction not stated",
    "no difference": "no difference",
    "conflicting": "its reports differ",
    "partly favours LDN": "partly favours LDN",
}


def answer(page: EffectPage) -> str:
    """Give the answer of a page in words: none, one trial, two, or more."""
    parts = [_no_number(page)] if page.pool is None else _numbers(page, page.pool)
    parts.append(_elsewhere(page))
    return " ".join(part for part in parts if part)


def _numbers(page: EffectPage, pool: Pool) -> list[str]:
    result, k = pool.result, len(pool.trials)
    against = f"compared {page.drug} with {comparators(pool)}"
    what = f"{MEASURES[pool.key['measure']]} in {page.outcome}"
    who = people(pool.people)
    if k == 1:
        name = pool.trials["study_label"].iloc[0]
        first = (
            f"Only one trial gave usable numbers: {name} ({who}) {against} and found a {what} of "
            f"{size(pool)}; {crossing(pool)}. Nothing was pooled."
        )
    else:
        first = (
            f"{capitalised(count(k, 'trial'))} ({who}) {against}: the pooled {what} is "
            f"{size(pool)}, {method(result.tau2_method, result.ci_method)}; {crossing(pool)}."
        )
    parts = [first, _reading(page, pool)]
    if k > 1:
        parts.append(_spread(pool))
    if k == FEW:
        wide = page.knapp_hartung
        low, high = shown((wide.ci_low, wide.ci_high), measure=pool.key["measure"])
        parts.append(
            "With two trials this interval takes the spread between them as known; the "
            f"Knapp-Hartung interval, which does not, runs from {interval(low, high)}."
        )
        parts.append(_bayesian(page, pool))
    if page.comparator_class == ACTIVE:
        parts.append(
            "An interval that includes no difference does not show that two drugs are equally "
            "good: that would need a margin set beforehand."
        )
    return parts


def _bayesian(page: EffectPage, pool: Pool) -> str:
    """The interval to read with two trials, if the protocol states a prior for the unit."""
    result = page.bayes_result
    if result is None:
        return ""
    low, high = shown((result.mu_low, result.mu_high), measure=pool.key["measure"])
    return (
        f"With a {result.tau_prior} prior of scale {result.tau_prior_scale:g} for the spread, the "
        f"analysis to read here, the effect lies between {fixed(low)} and {fixed(high)} with "
        f"{percent(result.level)} probability."
    )


def comparators(pool: Pool) -> str:
    """Name what the trials compared with; their class where they differ."""
    named = list(dict.fromkeys(pool.trials["comparator"]))
    return named[0] if len(named) == 1 else pool.key["comparator_class"]


def size(pool: Pool) -> str:
    """Write estimate, unit and interval."""
    r, measure = pool.result, pool.key["measure"]
    estimate, low, high = shown((r.estimate, r.ci_low, r.ci_high), measure=measure)
    unit = "" if measure in RATIO_MEASURES else f" {pool.key['unit']}"
    return f"{fixed(estimate)}{unit} (95% CI {interval(low, high)})"


def crossing(pool: Pool) -> str:
    """Say whether the interval includes no difference, and on which side it lies otherwise."""
    low, high = float(pool.result.ci_low), float(pool.result.ci_high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return "the interval is not defined"
    if low <= 0 <= high:
        return "the interval includes no difference"
    if has_unknown_sign(pool):
        return "the interval excludes no difference"
    side = "LDN" if (low > 0) == (_sign(pool) > 0) else "the comparator"
    return f"the interval lies on the side of {side}"


def _sign(pool: Pool) -> float:
    return float(pool.trials["benefit_sign"].iloc[0])


def _reading(page: EffectPage, pool: Pool) -> str:
    """Say what a positive number means."""
    if has_unknown_sign(pool):
        names = ", ".join(pool.trials["study_label"])
        return (
            f"The sign is the printed one; what could be read of {names} does not say which drug "
            "it favours."
        )
    if not math.isfinite(_sign(pool)):
        return ""
    if pool.key["measure"] in RATIO_MEASURES:
        return f"Below 1 favours {page.drug if _sign(pool) < 0 else comparators(pool)}."
    side = "Negative" if _sign(pool) < 0 else "Positive"
    return f"{side} numbers favour {page.drug}."


def _spread(pool: Pool) -> str:
    r = pool.result
    tau2 = float(r.tau2)
    log = " on the log scale" if pool.key["measure"] in RATIO_MEASURES else ""
    text = (
        f"The spread between trials is estimated as tau = {fixed(math.sqrt(tau2))}{log}."
        if tau2 > 0
        else "No spread between trials was estimated, which few trials cannot exclude."
    )
    if math.isfinite(float(r.pi_low)):
        low, high = shown((r.pi_low, r.pi_high), measure=pool.key["measure"])
        text += f" The true effect in a new trial is expected between {fixed(low)} and "
        text += f"{fixed(high)}."
    return text


def _no_number(page: EffectPage) -> str:
    found = page.synthesis
    start = f"No study of {page.drug} against {page.comparator_class} gave {page.outcome}"
    if found["synthesis"] == DIRECTION_ONLY:
        told = "; ".join(
            f"{name}{page.study_note(name)}: {WORDS_FOR_DIRECTION.get(word, word)}"
            f"{page.printed(name)}"
            for name, word in found["directions"].items()
        )
        studies = count(found["trials"], "comparative study", plural="comparative studies")
        return (
            f"{start} in numbers that an effect and its uncertainty could be computed from. "
            f"{capitalised(studies)} told of it: {told}. Nothing was pooled."
        )
    if found["synthesis"] == NO_COMPARISON:
        studies = count(found["trials"], "study", plural="studies")
        return (
            f"{start}. {capitalised(studies)} without a comparison group described it; that "
            "cannot show an effect. Nothing was pooled."
        )
    return f"{start}; no study on file reported it. Nothing was pooled."


def _elsewhere(page: EffectPage) -> str:
    """Name the comparative studies that the number does not rest on, and why."""
    listed = "; ".join(f"{name} ({why})" for name, why in page.not_in_the_number.items())
    if not listed:
        return ""
    where = "Not in this number" if page.pool is not None else "Further comparative studies"
    return f"{where}: {listed}."


def what_would_change_it(page: EffectPage) -> str:
    """Two or three computed lines on how fragile the answer is."""
    if page.pool is None:
        return (
            "- A trial that reports means with their spread, or counts with their "
            "denominators, would be the first number here."
        )
    defined = [(name, found) for name, found in page.variants if found is not None]
    measure = page.pool.key["measure"]
    low = min(defined, key=lambda pair: pair[1].result.estimate)
    high = max(defined, key=lambda pair: pair[1].result.estimate)
    ends = [
        fixed(v) for v in shown((low[1].result.estimate, high[1].result.estimate), measure=measure)
    ]
    analyses = count(len(page.variants), "analysis", plural="analyses")
    if ends[0] == ends[1]:
        return (
            f"- One trial, one estimate: it is the same in all {analyses} that the protocol "
            "names. A second trial would be the first test of it."
        )
    weights = page.pool.result.weight_pct
    top = int(weights.argmax())
    off = sum(1 for _, found in defined if not found.result.ci_low <= 0 <= found.result.ci_high)
    return "\n".join(
        [
            f"- Largest weight: {page.pool.trials['study_label'].iloc[top]}, {weights[top]:.0f}%.",
            f"- Over {analyses} the estimate runs from {ends[0]} ({_name(low[0])}) to "
            f"{ends[1]} ({_name(high[0])}).",
            f"- Of the {len(defined)} analyses with a result, {agree(off, 'has', 'have')} an "
            "interval that excludes no difference.",
        ]
    )


def _name(variant: str) -> str:
    return "main analysis" if variant == MAIN else variant
