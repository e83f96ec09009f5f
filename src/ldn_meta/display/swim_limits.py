"""What limits a synthesis of sides and p-values: the sixth and the ninth item of SWiM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.display.swim_sentences import listed, smallest_p
from ldn_meta.display.wording import agree, capitalised, count, fixed

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.pages.without_pooling import WithoutPoolingPage

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
