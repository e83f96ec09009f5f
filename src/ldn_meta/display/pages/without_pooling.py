"""Page 25: what the results say that cannot be pooled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.directions import AGREEING_PCT
from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of
from ldn_meta.display.pages.page import Opened, open_page
from ldn_meta.display.words import (
    SMALL_P,
    agree,
    capitalised,
    count,
    fixed,
    interval,
    listed,
    p_value,
    percent,
    plain,
)
from ldn_meta.evidence.answer.directions import OTHER, GroupSynthesis, group_syntheses, is_bound
from ldn_meta.evidence.answer.pools import NO_COMPARISON, NOTHING, ONE_TRIAL
from ldn_meta.evidence.effects.rows import TREATMENT
from ldn_meta.evidence.raw.tables import VALUE_TABLES

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.answer.directions import Votes
    from ldn_meta.stats.arrays import FloatArray
    from ldn_meta.stats.directions import CombinedP, SignTest


P_DIGITS = 3
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


# Page that shows the effects of a domain.
PAGES = {
    "benefit": "20_pooled_effect",
    "responder": "30_responder_rates",
    "harm": "40_safety",
}
SIDES = {1.0: "towards {drug}", -1.0: "towards {comparator}", 0.0: "the same in both"}
NOT_KNOWN = "not known"


def groups_table(page: WithoutPoolingPage) -> Table:
    """One row an outcome group: how it is synthesised and where."""
    rows = []
    for group in page.groups:
        outside = group.results[~group.results["study_label"].isin(group.pooled_labels)]
        rows.append(
            {
                "outcome group": group.group,
                "comparative studies that tell of it": listed(group.results["study_label"]),
                "synthesis": _synthesis(group),
                "page": _page(group),
                "results in no pool": listed(outside["study_label"]),
            }
        )
    return Table(
        pd.DataFrame(rows),
        "What could be pooled, and what could not",
        "Outcome groups as in data/raw/protocol.toml. A pool needs two trials with an effect and "
        "its uncertainty on the same scale.",
    )


def _synthesis(group: GroupSynthesis) -> str:
    if group.is_pooled:
        return f"pooled: {', '.join(group.pooled_labels)}"
    if group.synthesis == ONE_TRIAL and group.pool is not None:
        return f"one effect, nothing to pool it with: {group.pool.trials['study_label'].iloc[0]}"
    if group.synthesis in (NO_COMPARISON, NOTHING):
        return group.synthesis
    return "sides and p-values only"


def _page(group: GroupSynthesis) -> str:
    if group.pool is not None:
        return PAGES[group.pool.trials["domain"].iloc[0]]
    if group.synthesis == NO_COMPARISON:
        return "10_included_trials"
    return "this one" if len(group.results) else "none"


def directions_table(page: WithoutPoolingPage, results: pd.DataFrame, *, caption: str) -> Table:
    """One row a study and outcome: what was printed, and the side it lies on."""
    arms = page.opened.derived.evidence.arms
    own = arms[arms["group"] == TREATMENT]["study_id"]
    several = set(own[own.duplicated()])
    rows = [
        {
            "outcome group": row["group"],
            "outcome": row["construct_label"],
            "study": row["study_label"],
            "design": _design(row),
            "people": plain(row["n_people"]),
            "direction extracted": page.opened.said(row["direction"]),
            "estimate lies": side_words(page, row["sign"]),
            "known from": row["sign_from"],
            "p, two-sided": row["p_printed"],
            "printed": (f"{row['arms']}: " if row["study_id"] in several else "") + row["printed"],
            "source": page.opened.source(row),
        }
        for row in rows_of(results)
    ]
    frame = pd.DataFrame(rows)
    if len(frame) and results["group"].nunique() == 1:
        frame = frame.drop(columns="outcome group")
    return Table(
        frame,
        caption,
        "One row a study and outcome, the first by the protocol's order. The side is that of the "
        "point estimate, never of a test: a difference called not significant still has a side, "
        "where it is printed. NR not reported.",
        "No comparative study tells of one.",
    )


def _design(row: dict[str, Any]) -> str:
    words = "" if row["is_randomised"] else ", not randomised or not reported to be"
    return f"{row['design']}, {row['blinding']}{words}"


def side_words(page: WithoutPoolingPage, sign: float) -> str:
    """The side of an estimate in words."""
    words = SIDES.get(float(sign), NOT_KNOWN)
    return words.format(drug=page.side, comparator=page.comparator_class)


def votes_table(page: WithoutPoolingPage) -> Table:
    """Sign test of every group with a result in no pool."""
    rows = []
    for group in page.needed:
        votes = group.votes
        test = votes.test
        rows.append(
            {
                "outcome group": _named(group),
                "studies counted": str(len(group.counted)),
                f"towards {page.side}": f"{test.n_for:g}",
                f"towards {page.comparator_class}": f"{test.n_against:g}",
                "the same in both": f"{test.n_ties:g}",
                "side not known": str(len(votes.unknown)),
                "exact p": _p_without_pooling_tables(test),
                "smallest p possible": fixed(smallest_p(test), 3),
                "share (95% Wilson; exact)": _share(test),
                "unknown all against": split_of(votes.if_against),
                "unknown all in favour": split_of(votes.if_for),
                "all comparative studies": split_of(group.all_votes.test),
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Vote count by the side of the estimate, with the exact sign test",
        "Answers: do studies lie on one side more often than a coin would put them? Does not "
        "answer: how large an effect is. Every study is one vote, a large one as a small one. "
        "The smallest p possible is that of all studies on one side. All comparative studies: "
        "whatever their design and comparator. Each study votes with its first outcome of the "
        "group; the figures show a study on a side when at least "
        f"{AGREEING_PCT}% of its outcomes lie there.",
    )


def _p_without_pooling_tables(test: SignTest) -> str:
    return p_value(float(test.p_value)) if test.n_for + test.n_against else "not defined"


def _share(test: SignTest) -> str:
    if not test.n_for + test.n_against:
        return "not defined"
    ends = [
        percent(float(end))
        for end in (test.wilson_low, test.wilson_high, test.exact_low, test.exact_high)
    ]
    return f"{percent(float(test.share))} ({ends[0]} to {ends[1]}; {ends[2]} to {ends[3]})"


def _named(group: GroupSynthesis) -> str:
    return f"{group.group} (beside a pool)" if group.is_pooled else group.group


def combined_table(page: WithoutPoolingPage) -> Table:
    """Combined p-values of every group with a result in no pool."""
    rows = []
    for group in page.needed:
        found = group.p_values
        k = len(found.usable)
        lone = "one result, not combined: " if k == 1 else ""
        weights = "by root of people" if found.is_weighted else "equal weights"
        rows.append(
            {
                "outcome group": _named(group),
                "results with a side and a p": listed(found.usable["study_label"]),
                "known only as a bound": listed(found.bounds["study_label"]),
                f"Fisher, towards {page.side}": lone + p_of(found.fisher) if k else "none",
                f"Fisher, towards {page.comparator_class}": (
                    lone + p_of(found.fisher_against) if k else "none"
                ),
                f"Stouffer, towards {page.side}": (
                    f"{p_of(found.stouffer)}, {weights}" if k > 1 else "none"
                ),
                "Fisher without its smallest p": (
                    f"{p_of(found.fisher_without_leading)} (without {found.leading})"
                    if k > 1
                    else "none"
                ),
                "p without a side": listed(found.sideless["study_label"]),
                "Fisher with these": (
                    p_of(found.fisher_either_side) if len(found.sideless) else "none"
                ),
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Combined one-sided p-values",
        "Answers: does at least one study show an effect towards this side? Does not answer: how "
        "large it is, or whether studies agree. A p printed as a bound or a word (below 0.05, not "
        "significant) is an interval, and so is what comes of it. A p without a side may lie on "
        "either.",
    )


def synthesis_facts(page: WithoutPoolingPage) -> dict[str, Any]:
    """Numbers behind the sentences of the page, by outcome group."""
    return {
        "headline": str(page.headline),
        "sentence": str(page.sentence),
        "comparator_class": page.comparator_class,
        "comparative_studies": len(page.studies),
        "groups": {group.group: _group(group) for group in page.groups},
        "p_below": SMALL_P,
        "swim": dict(zip(page.swim.frame["item"], page.swim.frame["answer"], strict=True)),
    }


def _group(group: GroupSynthesis) -> dict[str, Any]:
    values: dict[str, Any] = {
        "synthesis": group.synthesis,
        "pooled": list(group.pooled_labels),
        "studies": list(group.results["study_label"]),
        "not_counted": group.reasons,
    }
    if not len(group.counted):
        return values
    votes, found = group.votes, group.p_values
    return {
        **values,
        "counted": len(group.counted),
        "known": int(group.counted["sign"].notna().sum()),
        "unknown": list(votes.unknown["study_label"]),
        "sign_test": _test(votes.test),
        "unknown_all_against": _test(votes.if_against),
        "unknown_all_for": _test(votes.if_for),
        "all_comparative": _test(group.all_votes.test),
        "p_values": len(found.usable),
        "p_bounds": len(found.bounds),
        "p_without_side": len(found.sideless),
        "is_weighted_by_people": found.is_weighted,
        "fisher": _combined(found.fisher),
        "fisher_against": _combined(found.fisher_against),
        "stouffer": _combined(found.stouffer),
        "fisher_either_side": _combined(found.fisher_either_side),
        **(
            {"fisher_without_smallest": _combined(found.fisher_without_leading)}
            if len(found.usable) > 1
            else {}
        ),
    }


def _test(test: SignTest) -> dict[str, Any]:
    return {
        "n_for": test.n_for,
        "n_against": test.n_against,
        "n_ties": test.n_ties,
        "n": test.n_for + test.n_against,
        "p_value": test.p_value,
        "smallest_p": smallest_p(test),
        "share": test.share,
        "wilson": [test.wilson_low, test.wilson_high],
        "exact": [test.exact_low, test.exact_high],
    }


def _combined(combined: CombinedP) -> dict[str, Any]:
    return {"k": combined.k, "p_low": combined.p_low, "p_high": combined.p_high}


SIGNIFICANT = 0.05
WORDS_ALONE = "words alone"
NO_DIFFERENCE = "no difference"


def certainty(page: WithoutPoolingPage, results: pd.DataFrame) -> str:
    """How far the results can be trusted, as far as anybody has judged."""
    single = results.drop_duplicates("study_id")
    judged = single[single["overall_bias"] != ""]
    words = (
        f": {listed(judged['study_label'] + ' ' + judged['overall_bias'])}" if len(judged) else ""
    )
    read = ", ".join(f"{text} {n}" for text, n in results["read_from"].value_counts().items())
    return (
        f"Overall risk of bias is on file for {len(judged)} of {len(single)} studies{words}. This "
        "page rates no certainty: a side or a p without a size leaves imprecision and importance "
        f"unknown. The {len(results)} results were read in: {read}."
    )


def limitations(page: WithoutPoolingPage, results: pd.DataFrame) -> str:
    """What the synthesis cannot say, and which studies could not contribute and why."""
    parts = [
        *_unknown_sides(results),
        *_words_alone(results),
        *_few_votes(page),
        *_unknown_p(results),
        *_unknown_people(results),
        *_several_groups(results),
        "No size: neither a vote nor a p tells how large an effect is.",
        "If there is an effect, larger studies find its side more often, so the share of votes is "
        "no probability (Nikolakopoulos 2020).",
        "The look-up was targeted, not a systematic search by two reviewers.",
    ]
    return " ".join(parts)


def _unknown_sides(results: pd.DataFrame) -> list[str]:
    unknown = results[results["sign"].isna()]
    if not len(unknown):
        return []
    reasons = [
        f"{reason} ({_on(rows)})" for reason, rows in unknown.groupby("sign_from", sort=False)
    ]
    return [
        f"{capitalised(count(len(unknown), 'result'))} of {len(results)} could not be counted "
        f"on a side: {'; '.join(reasons)}."
    ]


def _words_alone(results: pd.DataFrame) -> list[str]:
    """Sides known from words alone; where they come from significant results, the count leans."""
    words = results[results["known_by"] == WORDS_ALONE]
    if not len(words):
        return []
    small = int((words["p_high"] <= SIGNIFICANT).sum())
    silent = int((results["sign"].isna() & (results["direction"] == NO_DIFFERENCE)).sum())
    first = f"Known from words alone: {_on(words)}."
    if not (small and silent):
        return [first]
    return [
        f"{first} {capitalised(agree(small, 'stands', 'stand'))} beside a p of at most 0.05, "
        f"while {agree(silent, 'result', 'results')} called no difference "
        f"{'has' if silent == 1 else 'have'} no side: counting what is known then leans towards "
        "what was significant."
    ]


def _few_votes(page: WithoutPoolingPage) -> list[str]:
    most = max((group.votes.test for group in page.needed), key=lambda t: t.n_for + t.n_against)
    n = most.n_for + most.n_against
    if not n:
        return ["No group has a single vote."]
    reach = fixed(smallest_p(most), 3)
    return [
        f"The group with most votes has {n:g}, with which the sign test cannot go below p = "
        f"{reach}."
    ]


def _unknown_p(results: pd.DataFrame) -> list[str]:
    unknown = results[results["p_low"].isna() & results["sign"].notna()]
    if not len(unknown):
        return []
    return [f"A side without a p, so in no combined p: {_on(unknown)}."]


def _unknown_people(results: pd.DataFrame) -> list[str]:
    unknown = results[results["n_people"].isna()]
    if not len(unknown):
        return []
    return [f"People in the comparison not known: {listed(unknown['study_label'])}."]


def _several_groups(results: pd.DataFrame) -> list[str]:
    per_study = results.groupby("study_label", sort=False)["group"].nunique()
    several = per_study[per_study > 1]
    if not len(several):
        return []
    return [
        f"Groups share studies ({listed(several.index)}), so their results are not independent "
        "of each other."
    ]


def _on(rows: pd.DataFrame) -> str:
    """Studies and what they tell of."""
    named = (
        f"{label} on {', '.join(own['group'])}"
        for label, own in rows.groupby("study_label", sort=False)
    )
    return "; ".join(named)


ITEMS = (
    "1 Grouping of studies",
    "2 Standardised metric and transformation",
    "3 Synthesis methods",
    "4 Criteria that give results priority",
    "5 Heterogeneity",
    "6 Certainty of the evidence",
    "7 Presentation of data",
    "8 Results",
    "9 Limitations",
)


def swim_items(page: WithoutPoolingPage) -> pd.DataFrame:
    """Answer the nine items for one indication."""
    results = _together(group.results for group in page.needed)
    counted = _together(group.counted for group in page.needed)
    if not len(results):
        return pd.DataFrame({"item": ITEMS, "answer": _nothing(page)})
    answers = (
        _grouping(page),
        _metric(results),
        _methods(page),
        _priority(page, results, counted),
        _heterogeneity(page, results),
        certainty(page, results),
        _presentation(page),
        _results_swim_items(page),
        limitations(page, results),
    )
    return pd.DataFrame({"item": ITEMS, "answer": answers})


def _together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()


def _nothing(page: WithoutPoolingPage) -> list[str]:
    label = page.opened.label
    studies = count(len(page.studies), "comparative study", plural="comparative studies")
    all_studies = page.opened.derived.evidence.text["studies"]
    alone = int((all_studies["eligible_for"] == "single-arm").sum())
    without = agree(alone, "study stands", "studies stand")
    return [
        f"{capitalised(studies)} of {label} on file, and no result outside a pool, so none was "
        f"grouped here; {without} on page 10_included_trials without a comparison group.",
        "None: there is no side and no p-value of a comparison to express in one.",
        f"None was used. A first comparison of {page.drug} with {page.comparator_class} would be "
        "shown as an effect, or counted here.",
        "Comparisons go before people without a comparison, which never count as evidence of an "
        "effect; nothing was chosen among results, for there is none.",
        "Not examined: it needs two results.",
        "Not rated: there is no comparison whose certainty could be rated.",
        "Tables of outcome groups and of rows left out; both say what is missing.",
        f"No outcome group of {label} has a result of a comparison outside a pool.",
        f"What is on file of {label} cannot show whether {page.drug} does anything. The look-up "
        "was targeted, not a systematic search, so a comparison may have been missed.",
    ]


def _grouping(page: WithoutPoolingPage) -> str:
    groups = page.opened.protocol.outcome_groups
    told = [group for group in page.groups if len(group.results)]
    others = page.other_results["construct"].nunique()
    pooled = [group.group for group in told if not group.is_needed]
    extra = (
        f" {capitalised(count(others, 'further outcome'))} of no group "
        f"{'is' if others == 1 else 'are'} listed and not synthesised."
        if others
        else ""
    )
    full = f" All results of {', '.join(pooled)} stand in a pool." if pooled else ""
    silent = page.studies[~page.studies["study_id"].isin(page.results["study_id"])]["label"]
    none = f" Of no group tell: {', '.join(silent)}." if len(silent) else ""
    compare = agree(len(page.studies), "study compares", "studies compare")
    return (
        f"{capitalised(compare)} {page.drug} with something "
        f"({tally(page.studies['comparator_class'])}). Results are grouped by what they ask: "
        f"{len(groups)} outcome groups of protocol.toml, stated before numbers were pooled and "
        f"not changed for this page, of which {len(told)} are told of. A group joins instruments "
        "of one question, so that a study counts once in it however many it measured. Synthesised "
        f"here: {', '.join(group.group for group in page.needed)}.{full}{none}{extra}"
    )


def _metric(results: pd.DataFrame) -> str:
    known = results["sign"].notna()
    has_p = results["p_low"].notna()
    bound = is_bound(results)
    computed = has_p & results["p_printed"].str.contains("computed")
    exact = has_p & ~bound & ~computed
    return (
        "First, the side of the point estimate, which asks least of a report: known for "
        f"{int(known.sum())} of {len(results)} results, one a study and group "
        f"({tally(results.loc[known, 'known_by'])}). Second, p: two-sided "
        "as printed or computed, then one-sided, p / 2 towards the drug and 1 - p / 2 away from "
        f"it. Printed exactly for {int(exact.sum())}, taken as what its rounding leaves open; "
        f"computed from an effect and its standard error for {int(computed.sum())}; printed as a "
        f"bound or a word for {int(bound.sum())}, taken as an interval; not known for "
        f"{int((~has_p).sum())}."
    )


def _methods(page: WithoutPoolingPage) -> str:
    voted = [g.group for g in page.needed if g.counted["sign"].abs().sum() > 0]
    combined = [g for g in page.needed if len(g.p_values.usable) > 1]
    parts = [
        "Vote count by the side of the estimate, never by significance, with the exact two-sided "
        f"sign test, Wilson's and Clopper and Pearson's intervals: {listed(voted)}.",
        f"One-sided p-values combined by Fisher's and Stouffer's methods where two results have "
        f"both a side and a p: {listed(g.group for g in combined)}.",
    ]
    unweighted = [g for g in combined if not g.p_values.is_weighted]
    for group in unweighted:
        usable = group.p_values.usable
        unknown = usable.loc[usable["n_people"].isna(), "study_label"]
        parts.append(
            f"Stouffer's is unweighted in {group.group}: no text gives the people of "
            f"{listed(unknown)}."
        )
    if len(combined) > len(unweighted):
        parts.append("Stouffer's is weighted by the root of the number of people.")
    reasons = "; ".join(f"{group.group}, {_why_no_pool(group)}" for group in page.needed)
    parts.append(f"Why no pool, or not of all: {reasons}.")
    return " ".join(parts)


def _why_no_pool(group: GroupSynthesis) -> str:
    if group.pool is None:
        return "no effect with its uncertainty could enter one"
    if group.synthesis == ONE_TRIAL:
        return f"only {group.pool.trials['study_label'].iloc[0]} gives one"
    outside = group.results[~group.results["study_label"].isin(group.pooled_labels)]
    return f"pooled without {listed(outside['study_label'])}"


def _priority(page: WithoutPoolingPage, results: pd.DataFrame, counted: pd.DataFrame) -> str:
    selection = page.opened.protocol.selection
    barred = {name: why for group in page.needed for name, why in group.reasons.items()}
    names = "; ".join(f"{name} ({why})" for name, why in barred.items()) or "none"
    design = [
        words
        for words, is_free in (
            ("randomised", selection.allow_non_randomised),
            ("double-blind", selection.allow_single_blind),
        )
        if not is_free
    ]
    rows = passed_over(page)
    return (
        f"Counted: {', '.join(design) or 'all'} comparisons with {page.comparator_class}, "
        f"{len(counted)} of {len(results)} results. Listed and not counted: {names}. Of several "
        "results of a study the first whose side is known, by construct in the order of "
        "protocol.toml; within a construct computed effects before printed numbers before words, "
        f"then {selection.analysis_sets[0]} first, the time nearest to {selection.target_weeks:g} "
        "weeks, the text closest to the paper, the preferred source. "
        f"{rows} rows of results of these studies never count: another row is preferred for the "
        "same fact, or they are third-hand."
    )


def passed_over(page: WithoutPoolingPage) -> int:
    """Rows of comparative studies that are not preferred or of low reliability."""
    evidence = page.opened.derived.evidence
    studies = set(page.studies["study_id"])
    total = 0
    for name in VALUE_TABLES:
        rows = evidence.text[name]
        own = rows[rows["study_id"].isin(studies)]
        total += int(((own["preferred"] == "no") | (own["reliability"] == "low")).sum())
    return total


def _heterogeneity(page: WithoutPoolingPage, results: pd.DataFrame) -> str:
    largest = max(page.needed, key=lambda group: len(group.counted))
    single = results.drop_duplicates("study_id")
    studies = page.studies[page.studies["study_id"].isin(single["study_id"])]
    doses = [
        pd.to_numeric(studies[f"dose_{end}_mg_per_day"], errors="coerce")
        for end in ("low", "high")
    ]
    turned = [
        group.group
        for group in page.needed
        if len({_majority(v) for v in (group.votes.if_against, group.votes.if_for)}) > 1
    ]
    moved = [
        group.group
        for group in page.needed
        if _majority(group.all_votes.test) != _majority(group.votes.test)
    ]
    return (
        f"Not modelled: the largest group, {largest.group}, counts "
        f"{count(len(largest.counted), 'result')}. What differs between studies is in the table: "
        f"design ({tally(single['design'])}), blinding ({tally(single['blinding'])}), people "
        f"({span(single['n_people'])}), weeks ({span(single['timepoint_weeks'])}), dose in mg a "
        f"day ({span(*doses)}). Two "
        "departures are computed. Unknown sides all on one side or all on the other: the "
        f"majority depends on them in {listed(turned)}. All comparative studies, whatever their "
        f"design and comparator: the majority changes in {listed(moved)}."
    )


def _majority(test: SignTest) -> int:
    """1 where more studies lie on the side of LDN, -1 on the other, 0 for neither."""
    return int(test.n_for > test.n_against) - int(test.n_for < test.n_against)


def span(low: pd.Series, high: pd.Series | None = None) -> str:
    """Write the smallest and the largest known value, and of how many none is known."""
    top = low if high is None else high
    known = low.dropna()
    if not len(known):
        return "not known of any"
    ends = f"{known.min():g}", f"{top.max():g}"
    missing = len(low) - len(known)
    unknown = f", not known of {missing}" if missing else ""
    return (ends[0] if ends[0] == ends[1] else " to ".join(ends)) + unknown


def tally(values: pd.Series) -> str:
    """Write how often each word occurs, most frequent first."""
    return ", ".join(f"{word} {n}" for word, n in Counter(values).most_common()) or "none"


def _presentation(page: WithoutPoolingPage) -> str:
    figures = f" Figures: {', '.join(page.FIGURES)}." if page.FIGURES else ""
    rows = len(page.results) + len(page.other_results)
    return (
        f"A table of all {rows} results with printed numbers, side, p, design, people and a link "
        "to source and place, by outcome group, construct and year; tables of sign tests and "
        "combined p-values with the same groups in the same order; studies that tell of a group "
        f"without a comparison stay in the table, marked.{figures} The same rows are in "
        "data/derived/directions.csv."
    )


def _results_swim_items(page: WithoutPoolingPage) -> str:
    return " ".join(_one_result(page, group) for group in page.needed)


def _one_result(page: WithoutPoolingPage, group: GroupSynthesis) -> str:
    test, found = group.votes.test, group.p_values
    if not len(group.counted):
        return f"{capitalised(group.group)}: {count(len(group.results), 'result')}, none counted."
    size = f"{count(len(group.counted), 'result')}, people {_people(group.counted)}"
    side = (
        f"{split_of(test)} towards {page.side}" if test.n_for + test.n_against else "no known side"
    )
    p = f"; one-sided {p_of(found.fisher)}" if len(found.usable) else ""
    how = " (Fisher)" if len(found.usable) > 1 else ""
    return f"{capitalised(group.group)}: {size}; {side}{p}{how}."


def _people(rows: pd.DataFrame) -> str:
    known = rows["n_people"].dropna()
    if not len(known):
        return "not known"
    missing = len(rows) - len(known)
    return f"{known.sum():g}" + (f" and {missing} of unknown size" if missing else "")


NOTEBOOK = "25_without_pooling"
# Small, medium and large standardised differences (Cohen 1988), as albatross plots show them.
CURVES = (0.2, 0.5, 0.8)
# Two-sided p at the ends of a curve: beyond any printed one, and just short of no difference.
CURVE_ENDS, CURVE_POINTS = (1e-11, 0.999), 200


class WithoutPoolingPage:
    """Directions and p-values of one indication, by outcome group."""

    # Names of the figures that the page shows, for the ninefold account of its methods.
    FIGURES: tuple[str, ...] = ("effect direction plot", "harvest plot", "albatross plot")

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.comparator_class = opened.indication["main_comparator"]
        self.drug = opened.indication["intervention"]

    @cached_property
    def groups(self) -> list[GroupSynthesis]:
        """Every outcome group of the protocol and how it is synthesised."""
        d = self.opened.derived
        return group_syntheses(
            d.directions,
            d.effects,
            d.left_out,
            self.opened.pools,
            self.opened.protocol,
            comparator_class=self.comparator_class,
        )

    @cached_property
    def needed(self) -> list[GroupSynthesis]:
        """Groups with a result that stands in no pool of two or more."""
        return [group for group in self.groups if group.is_needed]

    @cached_property
    def studies(self) -> pd.DataFrame:
        """Comparative studies on file, oldest first."""
        rows = self.opened.derived.evidence.text["studies"]
        return rows[rows["eligible_for"] == "contrast"].sort_values(
            ["year", "study_id"], kind="stable"
        )

    @cached_property
    def results(self) -> pd.DataFrame:
        """Rows of the directions table about an outcome group."""
        frame = self.opened.derived.directions
        return frame[frame["group"] != OTHER].reset_index(drop=True)

    @cached_property
    def other_results(self) -> pd.DataFrame:
        """Rows of the directions table about an outcome of no group."""
        frame = self.opened.derived.directions
        return frame[frame["group"] == OTHER].reset_index(drop=True)

    @property
    def side(self) -> str:
        """The side of the intervention in a few letters."""
        return "the drug" if " " in self.drug else self.drug

    @property
    def headline(self) -> Text:
        """Indication, and how much can and cannot be pooled."""
        told = [group for group in self.groups if len(group.results)]
        studies = count(len(self.studies), "comparative study", plural="comparative studies")
        start = f"**{capitalised(self.opened.label)}, without pooling**: {studies} on file"
        if not told:
            return Text(f"{start}; no outcome group has a comparison to tell of.")
        telling = agree(self.results["study_id"].nunique(), "tells", "tell")
        pooled = sum(1 for group in told if group.is_pooled)
        return Text(
            f"{start}, of which {telling} of {count(len(told), 'outcome group')} in "
            f"{count(len(self.results), 'result')}. Of these groups "
            f"{agree(pooled, 'is', 'are')} pooled on other pages; "
            f"{agree(len(self.needed), 'has', 'have')} results that are in no pool."
        )

    @property
    def groups_table(self) -> Table:
        """Which outcome groups could be pooled, and where."""
        return groups_table(self)

    @property
    def directions(self) -> Table:
        """The side of every result of an outcome group, with the printed numbers."""
        return directions_table(self, self.results, caption="Which side each result lies on")

    @property
    def direction_figure(self) -> FigureOutput:
        """Effect direction plot: which side each study lies on, outcome group by outcome group."""
        from ldn_meta.display.figures.directions import effect_direction_output

        return effect_direction_output(
            "effect_directions", self.results, order=self._order, title=self._title("directions")
        )

    @property
    def harvest(self) -> FigureOutput:
        """Harvest plot: how sound the studies on each side are."""
        from ldn_meta.display.figures.directions import harvest_output

        return harvest_output(
            "harvest", self.results, order=self._order, title=self._title("studies by direction")
        )

    @property
    def albatross(self) -> FigureOutput:
        """Albatross plot: p against people, with curves of equal effect."""
        from ldn_meta.display.figures.albatross import albatross_output

        return albatross_output(
            "albatross",
            self.results,
            contours=albatross_contours(),
            title=self._title("p-values and people"),
        )

    @property
    def _order(self) -> list[str]:
        return list(self.opened.protocol.outcome_groups)

    def _title(self, what: str) -> str:
        return f"{capitalised(self.opened.label)}: {what}"

    @property
    def other_outcomes(self) -> Table:
        """The same for outcomes that belong to no group: listed, not synthesised."""
        return directions_table(
            self, self.other_results, caption="Outcomes of no group: listed, not counted"
        )

    @property
    def votes(self) -> Table:
        """Sign tests by outcome group."""
        return votes_table(self)

    @property
    def combined(self) -> Table:
        """Combined p-values by outcome group."""
        return combined_table(self)

    @cached_property
    def sentence(self) -> Text:
        """The answer in words, computed."""
        return Text(whole_answer(self))

    @property
    def swim(self) -> Table:
        """The nine items of SWiM, answered from data and protocol."""
        return Table(
            swim_items(self),
            "Reporting items of synthesis without meta-analysis (SWiM)",
            "Items: Campbell 2020, BMJ 368:l6890. Answers are computed from data/raw, "
            "data/derived/directions.csv and data/raw/protocol.toml.",
        )

    @property
    def left_out(self) -> Table:
        """Rows of the outcome groups of this page that gave no effect."""
        groups = self.opened.protocol.outcome_groups
        constructs = [name for group in self.needed for name in groups[group.group]]
        return self.opened.left_out(
            constructs=constructs, caption="Rows of these outcome groups that gave no effect"
        )

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        return self.opened.facts(**synthesis_facts(self))

    def footer(self) -> Table:
        """Provenance; the directions table is among the rows used."""
        d = self.opened.derived
        return footer(
            self.opened.notebook, self.opened.parameters, [d.effects, d.left_out, d.directions]
        )


def albatross_contours() -> dict[str, tuple[FloatArray, FloatArray]]:
    """Curves of equal effect: two-sided p, and the people it takes, by standardised difference."""
    import numpy as np

    from ldn_meta.stats.directions import albatross_contour

    p = np.geomspace(*CURVE_ENDS, CURVE_POINTS)
    return {f"{size:g}": (p, np.asarray(albatross_contour(p / 2, size))) for size in CURVES}


def without_pooling(
    *,
    indication: str,
    allow_transcribed: bool | None = None,
    allow_non_randomised: bool | None = None,
    allow_single_blind: bool | None = None,
) -> WithoutPoolingPage:
    """Open page 25 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    allow_transcribed : bool, optional
        Whether transcribed values may enter main pools, which decides what can be pooled; by the
        protocol unless given.
    allow_non_randomised, allow_single_blind : bool, optional
        Whether such comparisons are counted; by the protocol unless given.

    Returns
    -------
    WithoutPoolingPage

    Raises
    ------
    ArgumentError
        If the indication is unknown.
    """
    return WithoutPoolingPage(
        open_page(
            NOTEBOOK,
            indication=indication,
            allow_transcribed=allow_transcribed,
            allow_non_randomised=allow_non_randomised,
            allow_single_blind=allow_single_blind,
        )
    )
