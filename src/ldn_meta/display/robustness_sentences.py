"""Sentences of page 50: what would change an answer, with the numbers that say so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.pages.bayes_tables import benefit
from ldn_meta.display.sentences import crossing
from ldn_meta.display.wording import (
    MEASURES,
    agree,
    capitalised,
    count,
    fixed,
    percent,
    shown,
)
from ldn_meta.evidence.living import INSIDE, OFF_BETTER, OFF_WORSE, smallest_size
from ldn_meta.evidence.synthesis import RATIO_MEASURES, has_unknown_sign
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.display.pages.robustness import RobustnessPage
    from ldn_meta.evidence.synthesis import Pool

SHORT = {
    OFF_BETTER: "wholly on the side of LDN",
    OFF_WORSE: "wholly on the side of the comparator",
    INSIDE: "wholly inside the region of equivalence",
}


def verdict(pool: Pool) -> str:
    """Say what the main interval says of no difference."""
    return crossing(pool)


def unit(measure: str, unit_of_pool: str) -> str:
    """Name what the estimates are, for an axis."""
    words = MEASURES[measure]
    return words if measure in RATIO_MEASURES else f"{words}, {unit_of_pool}"


def sides(page: EffectPage) -> tuple[str, str]:
    """Words for the left and the right of no effect."""
    if page.pool is not None and has_unknown_sign(page.pool):
        return ("negative as printed", "positive as printed")
    found = ("favours LDN", f"favours {page.comparator_class}")
    sign = page.opened.derived.evidence.outcomes
    own = sign.loc[sign["construct"] == page.construct, "benefit_sign"].iloc[0]
    if own != own:
        return ("lower with LDN", "higher with LDN")
    return found if own < 0 else (found[1], found[0])


def answer(page: RobustnessPage) -> str:
    """What would change the answer, in the order a sceptic asks."""
    pool = page.effect.pool
    if pool is None:
        return (
            "There is no result to be shaken: no trial gave an effect with its uncertainty. What "
            "the reports tell without one stands on the page of results without pooling."
        )
    parts = [f"The main answer: {crossing(pool)}.", _one_trial(page, pool)]
    if page.choices is not None:
        parts.append(_choices_short(page))
    if page.effect.bayes_result is not None and math.isfinite(
        benefit(page.effect.bayes_result, pool)
    ):
        chance = percent(benefit(page.effect.bayes_result, pool))
        parts.append(
            "With a prior for the spread between trials, the probability that LDN is better on "
            f"average is {chance}."
        )
    if page.look is not None:
        parts.append(_looked(page))
    parts.append(next_trial(page))
    return " ".join(part for part in parts if part)


def _one_trial(page: RobustnessPage, pool: Pool) -> str:
    if len(pool.trials) == 1:
        return "It rests on one trial, so nothing has tested it yet."
    frame = page.without_each_frame
    main = _side(float(pool.result.ci_low), float(pool.result.ci_high))
    turned = [
        row["label"]
        for row in frame.to_dict("records")
        if _side(row["ci_low"], row["ci_high"]) != main
    ]
    measure = pool.key["measure"]
    low, high = shown((frame["estimate"].min(), frame["estimate"].max()), measure=measure)
    moved = f"Without each trial in turn the estimate runs from {fixed(low)} to {fixed(high)}"
    if not turned:
        return f"{moved}, and the interval says the same of no difference each time."
    return f"{moved}; without {' or '.join(turned)} the interval would say otherwise."


def _choices_short(page: RobustnessPage) -> str:
    c = page.choices
    if c is None:
        return ""
    if c["results"] == 1:
        return (
            f"All {c['analyses']:,} combinations of the choices in the protocol give the same "
            "result."
        )
    most = {
        "includes no difference": c["either_way"],
        "lies on the side of LDN": c["favours_ldn"],
        "lies on the side of the comparator": c["favours_comparator"],
    }
    words = max(most, key=lambda name: most[name])
    if page.effect.pool is not None and has_unknown_sign(page.effect.pool):
        words = words if words == "includes no difference" else "excludes no difference"
    return (
        f"Over {c['analyses']:,} combinations of defensible choices "
        f"({count(c['results'], 'distinct result')}) the interval {words} in "
        f"{_share(max(most.values()))} of those with a result."
    )


def choices(page: RobustnessPage) -> str:
    """Where all analyses end up, and which choice moves them most."""
    c = page.choices
    if c is None or page.found is None:
        return "No trial gives an effect under any choice."
    measure = page.found.measure
    low, middle, high = shown((c["lowest"], c["median"], c["highest"]), measure=measure)
    parts = [_choices_short(page)]
    if c["results"] > 1:
        parts.append(
            f"The estimates run from {fixed(low)} to {fixed(high)}, half of them at or below "
            f"{fixed(middle)}."
        )
    if c["without_result"]:
        parts.append(
            f"{percent(c['without_result'] / c['analyses'])} of the combinations leave no trial "
            "with an effect."
        )
    has_sides = page.effect.pool is None or not has_unknown_sign(page.effect.pool)
    if math.isfinite(c["beyond_mid"]) and has_sides:
        parts.append(
            f"An estimate of at least the minimal important difference ({c['mid']:g}) in favour "
            f"of LDN comes out in {_share(c['beyond_mid'])}; an interval that reaches it, in "
            f"{_share(c['ci_beyond_mid'])}."
        )
    top = page.node_frame.iloc[0]
    if top["share_explained"] > 0:
        parts.append(
            f'The choice that moves the estimates most: "{top["node"]}" '
            f"({_share(float(top['share_explained']))} of their variance)."
        )
    idle = int((page.node_frame["share_explained"].fillna(0.0) == 0).sum())
    if c["results"] > 1 and idle:
        parts.append(f"{capitalised(agree(idle, 'choice moves', 'choices move'))} none of them.")
    parts.append("Shares count choices; they are no probabilities.")
    return " ".join(parts)


def _looked(page: RobustnessPage) -> str:
    look = page.look
    if look is None:
        return ""
    last = {
        "effect (positive)": "crosses the boundary",
        "effect (negative)": "crosses the boundary",
        "futility": "is below the bound at which looking for such an effect is futile",
        "none": "crosses no boundary",
        "not defined": "has no boundary to cross",
    }[look.crossed[-1]]
    fraction = float(look.information_fraction[-1])
    reached = f"{percent(fraction)} of the information needed"
    measure = page.effect.pool.key["measure"] if page.effect.pool is not None else ""
    effect = fixed(shown((look.minimal_effect,), measure=measure)[0])
    return (
        f"Held against boundaries that allow for looking after every trial, {reached} to find "
        f"an effect of {effect} ({MEASURES[measure]}) is there, and the last look {last}."
    )


def sequential(page: RobustnessPage) -> str:
    """What the boundaries say, look by look."""
    look = page.look
    if look is None:
        pool = page.effect.pool
        if pool is None or len(pool.trials) < 2:
            return "Fewer than two trials: there is no second look."
        return (
            "No minimal important difference is stated for this outcome, so there is no effect "
            "to size the information for."
        )
    steps = "; ".join(
        f"after {label}: Z = {fixed(z)}, boundary "
        f"{fixed(bound) if math.isfinite(bound) else 'not defined'}"
        for label, z, bound in zip(look.labels, look.z, look.boundary, strict=True)
    )
    needed = (
        f" About {look.required_people:,.0f} people would be required"
        f" (spread between trials D2 = {fixed(look.diversity)})."
        if math.isfinite(look.required_people)
        else ""
    )
    notes = f" Noted: {'; '.join(look.notes)}." if look.notes else ""
    return f"{_looked(page)} {capitalised(steps)}.{needed}{notes}"


def next_trial(page: RobustnessPage) -> str:
    """How large the next trial would have to be to move the interval."""
    frame, pool = page.next_frame, page.effect.pool
    if pool is None or frame.empty:
        return ""
    if has_unknown_sign(pool):
        return "What the next trial could do is not worked out: which side is which is not known."
    if len(pool.trials) == 1:
        return (
            "What the next trial could do is not worked out: one trial does not tell how far "
            "trials lie apart."
        )
    enough = page.opened.protocol.next_probability
    sign = float(pool.trials["benefit_sign"].iloc[0])
    sayings = []
    for supposed, what in (
        ("the minimal important difference", OFF_BETTER),
        ("the pooled effect", OFF_BETTER),
        ("no effect", INSIDE),
    ):
        if supposed == "the pooled effect" and float(pool.result.estimate) * sign <= 0:
            # Nobody asks how a trial would show a benefit that is not supposed.
            continue
        if not ((frame["supposed"] == supposed) & (frame["what"] == what)).any():
            continue
        size = smallest_size(frame, supposed=supposed, what=what, probability=enough)
        least, most = int(frame["people"].min()), int(frame["people"].max())
        need = f"{size:,.0f} people" if math.isfinite(size) else f"not even {most:,} people"
        need += " or fewer" if size == least else ""
        verb = "keep" if _lies(pool, what) else "put"
        sayings.append(
            f"if its true effect is {supposed}, {need} {verb} the interval {SHORT[what]}"
        )
    if not sayings:
        return ""
    return f"One more trial, with {percent(enough)} probability: {'; '.join(sayings)}."


def _lies(pool: Pool, what: str) -> bool:
    """Whether the interval lies on the side of LDN already."""
    side = _side(float(pool.result.ci_low), float(pool.result.ci_high))
    return what == OFF_BETTER and side == float(pool.trials["benefit_sign"].iloc[0])


def small_studies(page: EffectPage) -> str:
    """Whether small-study effects can be looked at."""
    k = 0 if page.pool is None else len(page.pool.trials)
    if k >= ENOUGH_TRIALS:
        return f"{capitalised(count(k, 'trial'))}: enough to look for small-study effects."
    return (
        f"Funnel plot and tests of small-study effects need {count(ENOUGH_TRIALS, 'trial')}; the "
        f"pool has {count(k, 'trial')}, so nothing is shown. Whether trials were held back is "
        "judged on page 60."
    )


def _side(low: float, high: float) -> int:
    """-1 below no effect, 1 above, 0 across; 2 where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return 2
    return -1 if high < 0 else 1 if low > 0 else 0


def _share(value: float) -> str:
    """A share of analyses; one that is nearly nought or all is not written as if it were."""
    if value in (0.0, 1.0):
        return "none" if value == 0.0 else "all"
    if 0 < value < 0.005:
        return "less than 1%"
    return "more than 99%" if 0.995 < value < 1 else percent(value)
