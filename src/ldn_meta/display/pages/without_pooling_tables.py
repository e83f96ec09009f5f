"""Tables of page 25: what could be pooled, sides of results, sign tests, combined p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.effect_direction_cells import AGREEING_PCT
from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.pages.opened import plain
from ldn_meta.display.swim_sentences import (
    listed,
    p_of,
    smallest_p,
    split_of,
)
from ldn_meta.display.wording import fixed, p_value, percent
from ldn_meta.evidence.candidates import LDN
from ldn_meta.evidence.synthesis import NO_COMPARISON, NOTHING, ONE_TRIAL

if TYPE_CHECKING:
    from ldn_meta.display.pages.without_pooling import WithoutPoolingPage
    from ldn_meta.evidence.swim import GroupSynthesis
    from ldn_meta.stats.swim import SignTest

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
    own = arms[arms["group"] == LDN]["study_id"]
    several = set(own[own.duplicated()])
    rows = [
        {
            "outcome group": row["group"],
            "outcome": row["construct_label"],
            "study": row["study_label"],
            "design": _design(row),
            "people": plain(row["n_people"]),
            "direction extracted": row["direction"],
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
                "exact p": _p(test),
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


def _p(test: SignTest) -> str:
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
