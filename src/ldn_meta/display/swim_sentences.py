"""Sentences about sides and p-values of results that were not pooled: a branch for every state."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ldn_meta.display.wording import capitalised, count, fixed, interval, p_value, percent

if TYPE_CHECKING:
    from ldn_meta.display.pages.without_pooling import WithoutPoolingPage
    from ldn_meta.evidence.swim import GroupSynthesis, Votes
    from ldn_meta.stats.combined_p import CombinedP
    from ldn_meta.stats.swim import SignTest

P_DIGITS = 3
# Below it a p is written "< 0.001", and the low end of an interval says nothing.
SMALL_P = 0.001
HALF_UNIT = 0.0005


def p_range(low: float, high: float) -> str:
    """Write a p that is known as an interval: "p = 0.236", "p at most 0.025", "p 0.1 to 0.2"."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "p not defined"
    if high < SMALL_P or fixed(low, P_DIGITS) == fixed(high, P_DIGITS):
        return p_value(high)
    if low < HALF_UNIT:
        return f"p at most {fixed(high, P_DIGITS)}"
    return f"p {interval(low, high, P_DIGITS)}"


def p_of(combined: CombinedP) -> str:
    """Write a combined p."""
    return p_range(float(combined.p_low), float(combined.p_high))


def split_of(test: SignTest) -> str:
    """Write "3 of 4 (p = 0.625)": studies on the side of the drug, of those on a side."""
    n = test.n_for + test.n_against
    return f"{test.n_for:g} of {n:g} ({_p(test)})" if n else "none of none"


def smallest_p(test: SignTest) -> float:
    """The p of the most uneven split of as many studies: min(1, 2^(1 - n)); NaN of none."""
    n = float(test.n_for + test.n_against)
    return min(1.0, 2.0 ** (1.0 - n)) if n else math.nan


def whole_answer(page: WithoutPoolingPage) -> str:
    """Say what the results outside pools come to, and what that answers and does not."""
    needed = page.needed
    if not len(page.studies):
        return (
            f"No study of {page.opened.label} on file compares {page.drug} with anything, so "
            "there is no direction to count and no p-value to combine."
        )
    if not needed:
        return (
            f"Every result that the {_studies(len(page.studies))} of {page.opened.label} tell of "
            "an outcome group stands in a pool; nothing is left to synthesise here."
        )
    parts = [of_group(page, group) for group in needed]
    return "\n\n".join([*parts, what_it_answers(page)])


def of_group(page: WithoutPoolingPage, group: GroupSynthesis) -> str:
    """Sides, then p-values, of one outcome group."""
    place = "beside the pool" if group.is_pooled else "instead of a pool"
    parts = [f"**{capitalised(group.group)}**, {place}:", *_votes(page, group)]
    parts += _p_values(page, group)
    return " ".join(parts)


def _votes(page: WithoutPoolingPage, group: GroupSynthesis) -> list[str]:
    if not len(group.counted):
        return [f"no result is counted: {_with_reasons(group.reasons)}."]
    votes, test = group.votes, group.votes.test
    parts = [_sides(page, votes)]
    n = test.n_for + test.n_against
    if n == 1:
        parts.append(f"One vote decides nothing: its sign test gives {_p(test)} on either side.")
    elif n > 1:
        parts.append(
            f"Exact sign test: {_p(test)}; all {n:g} studies on one side would give "
            f"{p_value(smallest_p(test))}. The share of studies on the side of {page.side} is "
            f"{percent(float(test.share))} (95% CI {_shares(test.wilson_low, test.wilson_high)}, "
            f"Wilson; {_shares(test.exact_low, test.exact_high)}, exact)."
        )
    if n and len(votes.unknown):
        parts.append(
            f"Not known is the side of {listed(votes.unknown['study_label'])}: were it that of "
            f"{page.comparator_class}, {split_of(votes.if_against)} would lie towards "
            f"{page.side}; were it that of {page.side}, {split_of(votes.if_for)}."
        )
    added = set(group.all_votes.rows["study_label"]) - set(group.counted["study_label"])
    if added:
        words = {name: why for name, why in group.reasons.items() if name in added}
        total = group.all_votes.test
        parts.append(
            f"Not counted: {_with_reasons(words)}. All comparative studies together: "
            f"{split_of(total)} towards {page.side}."
        )
    return parts


def _sides(page: WithoutPoolingPage, votes: Votes) -> str:
    """Which studies lie on which side."""
    sign = votes.rows["sign"]
    sides = [
        (f"towards {page.side}", votes.rows.loc[sign > 0, "study_label"]),
        (f"towards {page.comparator_class}", votes.rows.loc[sign < 0, "study_label"]),
        ("the same in both", votes.rows.loc[sign == 0, "study_label"]),
    ]
    told = [f"{where} {', '.join(names)}" for where, names in sides if len(names)]
    if not told:
        return f"no result shows its side ({listed(votes.unknown['study_label'])})."
    known, total = int(sign.notna().sum()), len(votes.rows)
    return f"side known of {known} of {total} studies counted: {'; '.join(told)}."


def _p_values(page: WithoutPoolingPage, group: GroupSynthesis) -> list[str]:
    found = group.p_values
    usable, sideless = found.usable, found.sideless
    if not len(usable):
        return ["No counted result has both a side and a p-value."] if len(group.counted) else []
    names = ", ".join(usable["study_label"])
    bounds = len(found.bounds)
    of_them = f", {bounds} of them known only as a bound" if bounds and len(usable) > 1 else ""
    if len(usable) == 1:
        is_bound = " (known only as a bound)" if bounds else ""
        parts = [
            f"One result has a side and a p ({names}): one-sided {p_of(found.fisher)} towards "
            f"{page.side}{is_bound}; nothing was combined."
        ]
    else:
        weights = "weighted by people" if found.is_weighted else "unweighted"
        parts = [
            f"Combined over {_results(len(usable))} with a side and a p ({names}{of_them}): "
            f"Fisher {p_of(found.fisher)} towards {page.side} and {p_of(found.fisher_against)} "
            f"towards {page.comparator_class}; Stouffer, {weights}, {p_of(found.stouffer)} "
            f"towards {page.side}. Fisher's method leans on the smallest p; without "
            f"{found.leading} it gives {p_of(found.fisher_without_leading)}."
        ]
    if len(sideless):
        parts.append(
            f"With p-values printed without a side ({', '.join(sideless['study_label'])}), which "
            f"may lie on either, Fisher gives {p_of(found.fisher_either_side)}."
        )
    return parts


def what_it_answers(page: WithoutPoolingPage) -> str:
    """Say which question each method answers, and which it does not."""
    return (
        "What this answers: the sign test, whether studies lie on one side more often than a coin "
        "would put them, each study one vote however large; a combined p, whether at least one "
        f"study shows an effect towards {page.side}. What it does not: how large an effect is, "
        "whether it matters to anybody, and whether studies agree. A known side without a known "
        "size supports no recommendation."
    )


def _p(test: SignTest) -> str:
    return p_value(float(test.p_value))


def _studies(number: int) -> str:
    return count(number, "study", plural="studies")


def _results(number: int) -> str:
    return count(number, "result")


def _shares(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"


def _with_reasons(reasons: dict[str, str]) -> str:
    return "; ".join(f"{name} ({why})" for name, why in reasons.items())


def listed(names: Iterable[str], none: str = "none") -> str:
    """Write names in a row, or that there is none."""
    return ", ".join(dict.fromkeys(names)) or none
