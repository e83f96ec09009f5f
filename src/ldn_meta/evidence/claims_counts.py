"""Claims made of percentages and counts: which whole people can stand behind them."""

from __future__ import annotations

import math
from typing import NamedTuple

from ldn_meta.evidence.candidates import COMPARATOR, LDN, Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    WITH_CAVEATS,
    Finding,
    NotOnFileError,
    finding,
    first,
    listed,
)
from ldn_meta.evidence.claim_material import SIZES, Material, printed_numbers
from ldn_meta.stats.counts import counts_from_percent
from ldn_meta.stats.effects_counts import log_odds_ratio, log_risk_ratio
from ldn_meta.stats.joint_counts import JointCount, joint_counts
from ldn_meta.stats.proportions import risk_difference_interval, wilson_interval
from ldn_meta.stats.rounding import p_interval
from ldn_meta.stats.values import two_sided_quantile


class Ratio(NamedTuple):
    """A ratio with its 95% interval."""

    estimate: float
    low: float
    high: float


def ratio_of(counts: JointCount, *, odds: bool = False) -> Ratio:
    """Risk ratio of one pair of arms, or odds ratio, with its normal interval on the log scale."""
    table = (counts.events_1, counts.n_1, counts.events_2, counts.n_2)
    effect = log_odds_ratio(*table) if odds else log_risk_ratio(*table)
    half = float(two_sided_quantile(0.95)) * math.sqrt(float(effect.vi))
    yi = float(effect.yi)
    return Ratio(math.exp(yi), math.exp(yi - half), math.exp(yi + half))


def count_pairs(claim: Row, material: Material, argument: str) -> Finding:
    """Find every pair of counts that prints as two percentages and, of these, fits the P.

    Arms are not larger than those who began the trial. P may come from Pearson's chi-squared
    test, with or without Yates' correction, or from Fisher's exact test.

    Verdict: not supported if no pair of counts gives the percentages, or if the intervals of the
    risk ratio of all pairs include no difference; supported with caveats otherwise, because
    the numbers of people are not printed; never more.
    """
    context, study_id = material.context, str(material.study(claim)["study_id"])
    shares = {
        context.arms[row["arm_id"]]["group"]: row
        for row in context.table("arm_events")
        if row["study_id"] == study_id
        and context.outcomes[row["outcome_id"]]["construct"] == argument
        and row["percent"] is not None
        and row["preferred"]
    }
    if not {LDN, COMPARATOR} <= set(shares):
        raise NotOnFileError("a percentage of both groups")
    one, two = shares[LDN], shares[COMPARATOR]
    sizes = {g: number(context.arms[row["arm_id"]]["n_randomised"]) for g, row in shares.items()}
    if any(math.isnan(size) for size in sizes.values()):
        raise NotOnFileError("how many people began in each group")
    test = first(
        (
            row
            for row in context.table("contrasts")
            if row["study_id"] == study_id
            and context.outcomes[row["outcome_id"]]["construct"] == argument
            and row["p_value"] is not None
            and row["preferred"]
        ),
        "the P of the difference of the two percentages",
    )
    decimals = int(one["percent_decimals"])
    first_share, second_share = number(one["percent"]), number(two["percent"])
    possible = joint_counts(
        first_share,
        range(1, int(sizes[LDN]) + 1),
        second_share,
        range(1, int(sizes[COMPARATOR]) + 1),
        decimals=decimals,
    )
    p = p_interval(test["p_relation"], number(test["p_value"]), decimals=int(test["p_decimals"]))
    fitting = joint_counts(
        first_share,
        range(1, int(sizes[LDN]) + 1),
        second_share,
        range(1, int(sizes[COMPARATOR]) + 1),
        decimals=decimals,
        p=p,
    )
    if not possible:
        return finding(
            NOT_SUPPORTED,
            "No whole numbers of people in groups of at most {all_1:n} and {all_2:n} print as "
            "{first}% and {second}%.",
            first=first_share,
            second=second_share,
            all_1=sizes[LDN],
            all_2=sizes[COMPARATOR],
        )
    kept = fitting or possible
    ratios = [ratio_of(pair) for pair in kept]
    anyhow = [ratio_of(pair) for pair in possible]
    differences = [risk_difference_interval(*cells(pair)) for pair in kept]
    totals = sorted({pair.n_1 + pair.n_2 for pair in possible})
    # Sizes of the trial that some source states, among them what the claim prints.
    stated = sorted(
        {
            number(row["value"])
            for row in material.facts
            if row["study_id"] == study_id
            and row["fact"] in ("n_enrolled", "n_randomised")
            and row["value"] is not None
        }
        | ({number(claim["n"])} if claim["n"] is not None else set())
    )
    unfit = [n for n in stated if n not in totals]
    away = sum(ratio.low > 1 for ratio in ratios)
    worst = [_worst_case(pair, int(sizes[LDN]), int(sizes[COMPARATOR])) for pair in kept]
    template = "Of {possible:n} pairs of arms that print as {first}% and {second}% "
    if len(fitting) == 1:
        template += (
            "one fits the printed P: {events_1:n} of {n_1:n} against {events_2:n} of {n_2:n} "
            "({tests}), a risk ratio of {rr_low:.2f} ({limit_low:.2f} to {limit_high:.2f}), "
            "a risk "
            "difference of {rd_low:.2f} and a number needed to treat of {nnt_low:.1f} to "
            "{nnt_high:.1f}. "
        )
    else:
        template += (
            "{fitting:n} fit the printed P. Over {kept} the risk ratio is {rr_low:.2f} to "
            "{rr_high:.2f}, with limits from {limit_low:.2f} to {limit_high:.2f}, the risk "
            "difference {rd_low:.2f} to {rd_high:.2f} and the number needed to treat "
            "{nnt_low:.1f} "
            "to {nnt_high:.1f}. "
        )
    if len(fitting) < len(possible):
        template += (
            "Over all pairs, whatever the test, the limits of the risk ratio run from "
            "{any_low:.2f} to {any_high:.2f}. "
        )
    if unfit:
        template += "No two arms that add up to {unfit} people can print both percentages. "
    template += (
        "If everybody missing from the {all_1:n} and {all_2:n} who began had not responded on LDN "
        "and had responded on placebo, the risk ratio would be {worst_low:.2f}."
        if min(worst) == max(worst)
        else "If everybody missing from the {all_1:n} and {all_2:n} who began had not "
        "responded on "
        "LDN and had responded on placebo, the risk ratio would be {worst_low:.2f} to "
        "{worst_high:.2f}."
    )
    return finding(
        WITH_CAVEATS if away else NOT_SUPPORTED,
        template,
        possible=len(possible),
        fitting=len(fitting),
        first=first_share,
        second=second_share,
        kept="these" if fitting else "all of them",
        any_low=min(ratio.low for ratio in anyhow),
        any_high=max(ratio.high for ratio in anyhow),
        events_1=kept[0].events_1,
        n_1=kept[0].n_1,
        events_2=kept[0].events_2,
        n_2=kept[0].n_2,
        tests=listed(_TEST_WORDS[name] for name in kept[0].tests),
        rr_low=min(ratio.estimate for ratio in ratios),
        rr_high=max(ratio.estimate for ratio in ratios),
        limit_low=min(ratio.low for ratio in ratios),
        limit_high=max(ratio.high for ratio in ratios),
        rd_low=min(pair.events_1 / pair.n_1 - pair.events_2 / pair.n_2 for pair in kept),
        rd_high=max(pair.events_1 / pair.n_1 - pair.events_2 / pair.n_2 for pair in kept),
        nnt_low=1 / max(float(i.high) for i in differences),
        nnt_high=_reciprocal(min(float(i.low) for i in differences)),
        away=away,
        unfit=listed((f"{n:g}" for n in unfit), "or"),
        **{f"stated_{i + 1}": n for i, n in enumerate(stated)},
        all_1=float(sizes[LDN]),
        all_2=float(sizes[COMPARATOR]),
        worst_low=min(worst),
        worst_high=max(worst),
    )


_TEST_WORDS = {
    "chi-squared": "chi-squared test",
    "chi-squared-corrected": "chi-squared test with Yates' correction",
    "fisher": "Fisher's exact test",
}


def cells(pair: JointCount) -> tuple[int, int, int, int]:
    """Events and people of the two arms."""
    return pair.events_1, pair.n_1, pair.events_2, pair.n_2


def _reciprocal(difference: float) -> float:
    return 1 / difference if difference > 0 else math.inf


def _worst_case(pair: JointCount, all_1: int, all_2: int) -> float:
    """Risk ratio if everybody missing did badly on LDN and well on the comparator."""
    return (pair.events_1 / all_1) / ((pair.events_2 + all_2 - pair.n_2) / all_2)


def responder_share(claim: Row, material: Material, argument: str) -> Finding:
    """Turn a share of responders without a comparison group into people, with its interval.

    Verdict: not supported if no whole number of the stated people gives the percentage; cannot
    be tested if no other source prints the count or the percentage; supported with caveats if
    one does, for a share without that of the comparison group shows no effect.
    """
    study_id, people = str(claim["study_id"]), number(claim["n"])
    is_percent = claim["measure"] == "percent"
    counts = (
        counts_from_percent(number(claim["estimate"]), 0, int(people))
        if is_percent
        else (int(printed_numbers(claim["as_reported"])[0]),)
    )
    rows = material.results(
        study_id, {str(claim["construct"]), "responder_own_rule"}, without=claim["claimed_in"]
    )
    agreeing = [
        row
        for row in rows
        if (row.get("percent") == claim["estimate"] if is_percent else row.get("events") in counts)
    ]
    known = {
        number(row["value"])
        for row in material.facts
        if row["study_id"] == study_id
        and row["fact"] in SIZES
        and row["value"] is not None
        and row["qualifier"] is None
    }
    unfit = [
        n
        for n in sorted(known)
        if is_percent and not counts_from_percent(number(claim["estimate"]), 0, int(n))
    ]
    verdict = WITH_CAVEATS if agreeing else CANNOT_BE_TESTED
    count = counts[0] if counts else math.nan
    low, high = wilson_interval(count, people)
    return finding(
        verdict if counts else NOT_SUPPORTED,
        "{count:n} of {people:n} people is {share:pct} (95% CI {low:pct} to {high:pct}). {where} "
        "No share of the comparison group stands beside it, so it shows no effect.{size}{order}",
        count=count,
        people=people,
        share=count / people,
        low=float(low),
        high=float(high),
        where=(
            "The same stands in "
            + listed(dict.fromkeys(material.source(row["source_id"]) for row in agreeing))
            + "."
            if agreeing
            else "No other source on file prints it."
        ),
        size=f" It is no whole number of {listed((f'{n:g}' for n in unfit), 'or')} people, sizes "
        "that other sources give."
        if unfit
        else "",
        order=""
        if material.context.studies[study_id]["is_randomised"]
        else " The order of the phases was fixed, placebo first, so time and drug cannot be told "
        "apart.",
        **{f"size_{place}": n for place, n in enumerate(sorted(known), 1)},
    )
