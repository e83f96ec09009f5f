"""Sentences computed from results: a branch for every state, every number also a fact."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import rows_of
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
from ldn_meta.evidence.synthesis import (
    DIRECTION_ONLY,
    MAIN,
    NO_COMPARISON,
    RATIO_MEASURES,
)

if TYPE_CHECKING:
    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.evidence.synthesis import Pool

FEW = 2
DIRECTIONS = {"not stated": "direction not stated", "conflicting": "reports differ"}


def answer(page: EffectPage) -> str:
    """Give the answer of a page in words: none, one trial, two, or more."""
    if page.pool is None:
        return _no_effect(page)
    pool, result = page.pool, page.pool.result
    k = len(pool.trials)
    start = f"{capitalised(count(k, 'trial'))} ({people(pool.people)})"
    against = f"compared LDN with {page.comparator_class}"
    what = f"{MEASURES[pool.key['measure']]} in {page.outcome}"
    size = _size(pool)
    crossing = _crossing(pool)
    if k == 1:
        trial = pool.trials.iloc[0]
        return (
            f"{start} {against}: {trial['study_label']} found a {what} of {size}; {crossing}. "
            "One trial was found, so nothing was pooled." + _direction_warning(pool)
        )
    text = (
        f"{start} {against}: the pooled {what} is {size} "
        f"({method(result.tau2_method, result.ci_method)}); {crossing}."
    )
    text += " " + _spread(pool)
    if k == FEW:
        text += (
            " With two trials this interval takes the spread between them as known; it is "
            "narrower than what is really known."
        )
    return text + _direction_warning(pool)


def _no_effect(page: EffectPage) -> str:
    found = page.synthesis
    start = f"No trial of LDN against {page.comparator_class} gave an effect on {page.outcome}"
    if found["synthesis"] == DIRECTION_ONLY:
        listed = "; ".join(
            f"{name}: {DIRECTIONS.get(word, word)}" for name, word in found["directions"].items()
        )
        return (
            f"{start} that could be computed with its uncertainty. "
            f"{capitalised(count(found['trials'], 'trial'))} compared it without the numbers "
            f"needed, or by a design outside the main rules ({listed}). Nothing was pooled."
        )
    if found["synthesis"] == NO_COMPARISON:
        studies = count(found["trials"], "study", plural="studies")
        return (
            f"{start}. {capitalised(studies)} ({people(found['people'])}) told of it without "
            "a comparison group; that cannot show an effect. Nothing was pooled."
        )
    return f"{start}; no eligible study reported it. Nothing was pooled."


def _size(pool: Pool) -> str:
    r, measure = pool.result, pool.key["measure"]
    estimate, low, high = shown((r.estimate, r.ci_low, r.ci_high), measure=measure)
    unit = "" if measure in RATIO_MEASURES else f" {pool.key['unit']}"
    return f"{fixed(estimate)}{unit} (95% CI {interval(low, high)})"


def _crossing(pool: Pool) -> str:
    r = pool.result
    if not (math.isfinite(r.ci_low) and math.isfinite(r.ci_high)):
        return "the interval is not defined"
    if r.ci_low <= 0 <= r.ci_high:
        return "the interval includes no difference"
    sign = float(pool.trials["benefit_sign"].iloc[0])
    side = "LDN" if (r.estimate > 0) == (sign > 0) else "the comparator"
    return f"the interval lies on the side of {side}"


def _spread(pool: Pool) -> str:
    r = pool.result
    tau = math.sqrt(r.tau2) if math.isfinite(r.tau2) else math.nan
    log = " on the log scale" if pool.key["measure"] in RATIO_MEASURES else ""
    text = (
        f"The spread between trials is estimated as tau = {fixed(tau)}{log}."
        if tau > 0
        else "No spread between trials was estimated, which few trials cannot exclude."
    )
    if math.isfinite(r.pi_low):
        low, high = shown((r.pi_low, r.pi_high), measure=pool.key["measure"])
        text += f" The true effect in a new trial is expected between {interval(low, high)}."
    return text


def _direction_warning(pool: Pool) -> str:
    unclear = pool.trials.loc[pool.trials["direction"] == "not stated", "study_label"]
    direct = pool.trials["route"].str.startswith("difference")
    names = [
        name for name, is_direct in zip(unclear, direct[unclear.index], strict=True) if is_direct
    ]
    if not names:
        return ""
    return f" {', '.join(names)} does not state which drug its sign favours in what could be read."


def what_would_change_it(page: EffectPage) -> str:
    """Two or three computed lines on how fragile the answer is."""
    if page.pool is None:
        return (
            "- A trial that reports means with their spread, or counts with their "
            "denominators, would be the first number here."
        )
    lines = []
    k = len(page.pool.trials)
    if k > 1:
        weights = page.pool.result.weight_pct
        top = int(weights.argmax())
        lines.append(
            f"- Largest weight: {page.pool.trials['study_label'].iloc[top]}, {weights[top]:.0f}%."
        )
    defined = [(name, found) for name, found in page.variants if found is not None]
    low = min(defined, key=lambda pair: pair[1].result.estimate)
    high = max(defined, key=lambda pair: pair[1].result.estimate)
    measure = page.pool.key["measure"]
    ends = [
        fixed(v) for v in shown((low[1].result.estimate, high[1].result.estimate), measure=measure)
    ]
    analyses = count(len(page.variants), "analysis", plural="analyses")
    if ends[0] == ends[1]:
        lines.append(f"- The estimate is the same in all {analyses} that the protocol names.")
    else:
        lines.append(
            f"- Over {analyses} the estimate runs from {ends[0]} ({_name(low[0])}) to "
            f"{ends[1]} ({_name(high[0])})."
        )
    off = sum(1 for _, found in defined if not found.result.ci_low <= 0 <= found.result.ci_high)
    lines.append(
        f"- Of the {len(defined)} analyses with a result {agree(off, 'has', 'have')} an interval "
        "on one side of no difference."
    )
    if len(page.beside):
        lines.append(
            "- Shown, not pooled: "
            + "; ".join(
                f"{row['study_label']} ({row['selected_why']})" for row in rows_of(page.beside)
            )
            + "."
        )
    return "\n".join(lines)


def _name(variant: str) -> str:
    return "main analysis" if variant == MAIN else variant


def facts(page: EffectPage) -> dict[str, Any]:
    """Numbers behind the sentences of the effect page."""
    out: dict[str, Any] = {
        "headline": str(page.headline),
        "synthesis": page.synthesis,
        "construct": page.construct,
        "comparator_class": page.comparator_class,
        "what_would_change_it": what_would_change_it(page),
        "answer": {
            "label": page.opened.label,
            "outcome": page.outcome,
            "comparison": page.comparator_class,
            "trials": 0 if page.pool is None else len(page.pool.trials),
            "people": 0 if page.pool is None else page.pool.people,
            "effect": "nothing pooled" if page.pool is None else _effect_cell(page.pool),
            "sentence": answer(page),
        },
    }
    out["variants"] = {name: pool_facts(found) for name, found in page.variants}
    return out


def _effect_cell(pool: Pool) -> str:
    kind = MEASURES[pool.key["measure"]]
    alone = " (one trial)" if len(pool.trials) == 1 else ""
    return f"{kind} {_size(pool)}{alone}"


def pool_facts(found: Pool | None) -> dict[str, Any]:
    """Numbers of one pool; on the scale of yi, and as displayed."""
    if found is None:
        return {"k": 0}
    r, measure = found.result, found.key["measure"]
    estimate, low, high, pi_low, pi_high = shown(
        (r.estimate, r.ci_low, r.ci_high, r.pi_low, r.pi_high), measure=measure
    )
    return {
        "k": len(found.trials),
        "people": found.people,
        "trials": list(found.trials["study_id"]),
        "effects": list(found.trials["effect_id"]),
        "measure": measure,
        "unit": found.key["unit"],
        "estimate": r.estimate,
        "se": r.se,
        "ci_low": r.ci_low,
        "ci_high": r.ci_high,
        "p_value": r.p_value,
        "tau2": r.tau2,
        "tau": math.sqrt(r.tau2) if r.tau2 >= 0 else r.tau2,
        "q": r.q,
        "i2_pct": r.i2_pct,
        "pi_low": r.pi_low,
        "pi_high": r.pi_high,
        "shown_estimate": estimate,
        "shown_ci_low": low,
        "shown_ci_high": high,
        "shown_pi_low": pi_low,
        "shown_pi_high": pi_high,
        "weight_pct": [float(w) for w in r.weight_pct],
        "tau2_method": r.tau2_method,
        "ci_method": r.ci_method,
        "notes": list(r.notes),
    }


def events(pool: Pool | None, *, label: str, comparator: str) -> str:
    """Give the answer for a binary outcome: shares, ratio, and people per 1,000 where pooled."""
    if pool is None:
        return (
            f"No trial of LDN against {comparator} gave numbers of people with the outcome "
            f"'{label}' that could be compared."
        )
    trials, result = pool.trials, pool.result
    rr, low, high = shown((result.estimate, result.ci_low, result.ci_high), measure="RR")
    k = len(trials)
    shares = "; ".join(
        f"{row['study_label']} {row['arm_1_data']} against {row['arm_2_data']}"
        for row in rows_of(trials)
    )
    start = (
        f"{capitalised(count(k, 'trial'))} ({people(pool.people)}) counted '{label}': {shares}."
    )
    made = "its" if k == 1 else "the pooled"
    text = (
        f"{start} {capitalised(made)} risk ratio is {fixed(rr)} (95% CI {interval(low, high)}"
        f"{'' if k == 1 else ', ' + method(result.tau2_method, result.ci_method)}); "
        f"{_crossing(pool)}."
    )
    control = float(trials["events_2"].sum() / trials["n_2"].sum())
    if math.isfinite(control) and control > 0:
        per = per_thousand(control, pool)
        text += (
            f" Of 1,000 people like those in the comparison arms, {per['without']:.0f} had "
            f"it without LDN and {per['with']:.0f} ({per['with_low']:.0f} to "
            f"{per['with_high']:.0f}) would be expected to with it."
        )
    return text


def per_thousand(control: float, pool: Pool) -> dict[str, float]:
    """Natural frequencies from a comparison risk and a pooled risk ratio; 1,000 is the cap."""
    r = pool.result
    ratios = shown((r.estimate, r.ci_low, r.ci_high), measure="RR")
    with_ldn = [min(1000.0, 1000 * control * ratio) for ratio in ratios]
    return {
        "without": 1000 * control,
        "with": with_ldn[0],
        "with_low": with_ldn[1],
        "with_high": with_ldn[2],
    }


def single_arms(frame: Any, *, label: str) -> str:
    """Shares of people in studies without comparison, as a range; never pooled."""
    if not len(frame):
        return ""
    shares = frame["share_1"]
    ends = (percent(float(shares.min())), percent(float(shares.max())))
    span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    studies = count(frame["study_id"].nunique(), "study", plural="studies")
    return (
        f"{capitalised(studies)} gave '{label}' without a figure to compare it with, in {span} "
        "of people; such shares say nothing about what LDN added."
    )
