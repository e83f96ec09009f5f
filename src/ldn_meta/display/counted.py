"""Sentences about people with an event, in trials and in single arms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.sentences import crossing
from ldn_meta.display.wording import (
    capitalised,
    count,
    fixed,
    interval,
    method,
    people,
    percent,
    shown,
    weeks,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.synthesis import Pool

CAP = 1000.0


def pooled_events(pool: Pool | None, *, label: str, drug: str, comparator: str) -> str:
    """Give the answer for a binary outcome: shares, ratio, and people per 1,000."""
    if pool is None:
        return (
            f"No study of {drug} against {comparator} gave numbers of people with '{label}' that "
            "could be compared."
        )
    trials, result = pool.trials, pool.result
    rr, low, high = shown((result.estimate, result.ci_low, result.ci_high), measure="RR")
    k = len(trials)
    shares = "; ".join(
        f"{name} {first} against {second}"
        for name, first, second in zip(
            trials["study_label"], trials["arm_1_data"], trials["arm_2_data"], strict=True
        )
    )
    made = "Its" if k == 1 else "The pooled"
    how = "" if k == 1 else f", {method(result.tau2_method, result.ci_method)}"
    parts = [
        f"{capitalised(count(k, 'trial'))} ({people(pool.people)}) counted '{label}': {shares}.",
        f"{made} risk ratio is {fixed(rr)} (95% CI {interval(low, high)}){how}; {crossing(pool)}.",
    ]
    per = per_thousand(pool)
    if per:
        parts.append(
            f"Of 1,000 people like those in the comparison arms, {per['without']:.0f} had it "
            f"without {drug} and {per['with']:.0f} ({per['with_low']:.0f} to "
            f"{per['with_high']:.0f}) would be expected to with it."
        )
    times = sorted(set(trials["timepoint_weeks"]))
    if len(times) > 1 and times[-1] > 2 * times[0]:
        parts.append(f"Counted over different times: weeks {', '.join(map(weeks, times))}.")
    copied = trials.loc[trials["is_transcribed"].astype(bool), "study_label"]
    if len(copied):
        left = k - len(copied)
        parts.append(
            f"The counts of {' and '.join(copied)} were read in a third party's transcription of "
            f"the papers' tables; without it {count(left, 'trial') if left else 'nothing'} "
            f"{'would be left' if left else 'could be computed'}."
        )
    return " ".join(parts)


def per_thousand(pool: Pool) -> dict[str, float]:
    """Natural frequencies from the comparison arms and the pooled risk ratio.

    Returns
    -------
    dict of str to float
        People of 1,000 without the drug, with it, and the ends of the interval, none above
        1,000; empty where nobody had the event without it.
    """
    trials, r = pool.trials, pool.result
    control = float(trials["events_2"].sum() / trials["n_2"].sum())
    if not (math.isfinite(control) and control > 0):
        return {}
    ratios = shown((r.estimate, r.ci_low, r.ci_high), measure="RR")
    with_drug = [min(CAP, CAP * control * ratio) for ratio in ratios]
    return {
        "without": CAP * control,
        "with": with_drug[0],
        "with_low": with_drug[1],
        "with_high": with_drug[2],
    }


def single_arms(frame: pd.DataFrame, *, label: str, drug: str) -> str:
    """Shares of people in one arm only, as a range; never pooled."""
    if not len(frame):
        return ""
    shares = frame["share_1"]
    ends = (percent(float(shares.min())), percent(float(shares.max())))
    span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    names = ", ".join(dict.fromkeys(frame["study_label"]))
    return (
        f"Counted in one arm only ({names}): '{label}' in {span} of people; such a share says "
        f"nothing about what {drug} added."
    )


def event_counts(effects: pd.DataFrame) -> str:
    """Events counted as events, as a rate ratio; never a share of people."""
    parts = []
    for name, first, other, second, yi, low, high in zip(
        effects["study_label"],
        effects["arm_1_data"],
        effects["comparator"],
        effects["arm_2_data"],
        effects["yi"],
        effects["ci_low"],
        effects["ci_high"],
        strict=True,
    ):
        ratio, ratio_low, ratio_high = shown((yi, low, high), measure="IRR")
        parts.append(
            f"{name} counted events, not people: {first} against {second} on {other} (rate ratio "
            f"{fixed(ratio)}, {interval(ratio_low, ratio_high)}, treating events as independent, "
            "which makes the interval too narrow)."
        )
    return " ".join(parts)
