"""The nine reporting items of synthesis without meta-analysis, answered from the data.

Campbell et al. 2020, BMJ 368:l6890 (SWiM). Every answer is computed: a new row in data/raw, or
another choice in protocol.toml, changes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from ldn_meta.display import swim_limits
from ldn_meta.display.swim_sentences import listed, p_of, split_of
from ldn_meta.display.wording import agree, capitalised, count
from ldn_meta.evidence.load import VALUE_TABLES
from ldn_meta.evidence.swim import is_bound
from ldn_meta.evidence.synthesis import ONE_TRIAL

if TYPE_CHECKING:
    from ldn_meta.display.pages.without_pooling import WithoutPoolingPage
    from ldn_meta.evidence.swim import GroupSynthesis
    from ldn_meta.stats.swim import SignTest

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
    """Answer the nine items for one indication.

    Parameters
    ----------
    page : WithoutPoolingPage

    Returns
    -------
    pandas.DataFrame
        item, answer; nine rows, also where there is nothing to synthesise: the answer then says
        so.
    """
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
        swim_limits.certainty(page, results),
        _presentation(page),
        _results(page),
        swim_limits.limitations(page, results),
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


def _results(page: WithoutPoolingPage) -> str:
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
