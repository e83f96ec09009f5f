"""Page 25: what the results say that cannot be pooled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.page import Opened, Page, open_page, page_of, people_cell
from ldn_meta.display.words import (
    SMALL_P,
    agree,
    capitalised,
    count,
    fixed,
    interval,
    joined,
    listed,
    p_value,
    percent,
    percents,
)
from ldn_meta.evidence.answer.directions import (
    KNOWN_BY,
    OTHER,
    STAGES,
    WORDS,
    GroupSynthesis,
    is_bound,
)
from ldn_meta.evidence.answer.pools import NO_COMPARISON, NO_DIFFERENCE, NOTHING, ONE_TRIAL
from ldn_meta.evidence.effects.rows import CONTRAST, NOT_RANDOMISED
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.stats.directions import albatross_contour

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.stats.arrays import FloatArray
    from ldn_meta.stats.directions import CombinedP, SignTest


NOTEBOOK = "25_without_pooling"
P_DIGITS = 3
# A p that can be this small is known from above alone.
HALF_UNIT = 0.0005
SIGNIFICANT = 0.05
NOT_KNOWN = "not known"
# Small, medium and large standardised differences (Cohen 1988), as albatross plots show them.
CURVES = (0.2, 0.5, 0.8)
# Two-sided p at the ends of a curve: beyond any printed one, and just short of no difference.
CURVE_ENDS, CURVE_POINTS = (1e-11, 0.999), 200
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


def p_range(low: float, high: float) -> str:
    """Write a p that is known as an interval: "p = 0.236", "p at most 0.025", "p 0.1 to 0.2"."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "p not defined"
    if high < SMALL_P or fixed(low, P_DIGITS) == fixed(high, P_DIGITS):
        return p_value(high)
    if low < HALF_UNIT:
        return f"p at most {fixed(high, P_DIGITS)}"
    return f"p {interval(low, high, P_DIGITS)}"


def smallest_p(test: SignTest) -> float:
    """The p of the most uneven split of as many studies: min(1, 2^(1 - n)); NaN of none."""
    n = float(_voted(test))
    return min(1.0, 2.0 ** (1.0 - n)) if n else math.nan


def _voted(test: SignTest) -> Any:
    """Studies on a side."""
    return test.n_for + test.n_against


def _p(test: SignTest) -> str:
    return p_value(float(test.p_value))


def _of(combined: CombinedP) -> str:
    return p_range(float(combined.p_low), float(combined.p_high))


def _split(test: SignTest) -> str:
    """Write "3 of 4 (p = 0.625)": studies on the side of the drug, of those on a side."""
    n = _voted(test)
    return f"{test.n_for:g} of {n:g} ({_p(test)})" if n else "none of none"


def _majority(test: SignTest) -> int:
    """1 where more studies lie on the side of the treatment, -1 on the other, 0 for neither."""
    return int(test.n_for > test.n_against) - int(test.n_for < test.n_against)


def _outside(group: GroupSynthesis) -> pd.Series:
    """Studies of a group that are in no pool of it."""
    labels = group.results["study_label"]
    return labels[~labels.isin(group.pooled_labels)]


def _with_reasons(reasons: dict[str, str]) -> str:
    return "; ".join(f"{name} ({why})" for name, why in reasons.items())


class WithoutPoolingPage(Page):
    """Directions and p-values of one indication, by outcome group."""

    USED = ("effects", "left_out", "directions")
    # Names of the figures that the page shows, for the ninefold account of its methods.
    FIGURES: tuple[str, ...] = ("effect direction plot", "harvest plot", "albatross plot")

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self.comparator_class = opened.indication["main_comparator"]

    @cached_property
    def needed(self) -> list[GroupSynthesis]:
        """Groups with a result that stands in no pool of two or more."""
        return [group for group in self.opened.groups if group.is_needed]

    @cached_property
    def studies(self) -> pd.DataFrame:
        """Comparative studies on file, oldest first."""
        return self.opened.compared.sort_values(["year", "study_id"], kind="stable")

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
    def _sides(self) -> dict[float, str]:
        """Where an estimate lies, by its sign."""
        return {
            1.0: f"towards {self.drug}",
            -1.0: f"towards {self.comparator_class}",
            0.0: "the same in both",
        }

    @property
    def headline(self) -> Text:
        """Indication, and how much can and cannot be pooled."""
        told = [group for group in self.opened.groups if len(group.results)]
        start = (
            f"**{capitalised(self.opened.label)}, without pooling**: "
            f"{count(len(self.studies), 'comparative study')} on file"
        )
        if not told:
            return Text(f"{start}; no outcome group has a comparison to tell of.")
        telling = agree(self.results["study_id"].nunique(), "tells", "tell")
        pooled = sum(group.is_pooled for group in told)
        return Text(
            f"{start}, of which {telling} of {count(len(told), 'outcome group')} in "
            f"{count(len(self.results), 'result')}. Of these groups "
            f"{agree(pooled, 'is', 'are')} pooled on other pages; "
            f"{agree(len(self.needed), 'has', 'have')} results that are in no pool."
        )

    @property
    def groups_table(self) -> Table:
        """Which outcome groups could be pooled, and where."""
        outcomes = self.opened.derived.evidence.text["outcomes"]
        domains = dict(zip(outcomes["construct"], outcomes["domain"], strict=True))
        rows = [
            {
                "outcome group": group.group,
                "comparative studies that tell of it": listed(group.results["study_label"]),
                "synthesis": _synthesis(group, self.opened.arm_not_named(group)),
                "page": _page(group, domains),
                "results in no pool": listed(_outside(group)),
            }
            for group in self.opened.groups
        ]
        return Table(
            pd.DataFrame(rows),
            "What could be pooled, and what could not",
            "A pool needs two trials with an effect and its uncertainty on the same scale.",
        )

    @property
    def directions(self) -> Table:
        """The side of every result of an outcome group, with the printed numbers."""
        return self._directions(self.results, "Which side each result lies on")

    @property
    def other_outcomes(self) -> Table:
        """The same for outcomes that belong to no group: listed, not synthesised."""
        return self._directions(self.other_results, "Outcomes of no group: listed, not counted")

    def _directions(self, results: pd.DataFrame, caption: str) -> Table:
        """One row a study and outcome: what was printed, and the side it lies on."""
        rows = [
            {
                "outcome group": row["group"],
                "outcome": row["construct_label"],
                "study": row["study_label"],
                "design": f"{row['design']}, {row['blinding']}"
                + ("" if row["is_randomised"] else f", {NOT_RANDOMISED}"),
                "people": people_cell(row["n_people"], row["people_are"]),
                "report's words": self.opened.said(row["direction"]),
                "estimate lies": self._sides.get(float(row["sign"]), NOT_KNOWN),
                "known from": row["sign_from"],
                "p, two-sided": row["p_printed"],
                "printed": row["printed"],
                "source": self.opened.source(row),
            }
            for row in rows_of(results)
        ]
        frame = pd.DataFrame(rows)
        if len(frame) and results["group"].nunique() == 1:
            frame = frame.drop(columns="outcome group")
        return Table(
            frame,
            caption,
            "One row a study and outcome, the first by the plan's order. The side is that of "
            "the point estimate, never of a test. People of the arms compared: analysed, or, "
            "where that is not told, randomised or enrolled, with that word. NR not reported.",
            "No comparative study tells of one.",
        )

    @property
    def _voting(self) -> pd.DataFrame:
        """Of each study and outcome group the result that votes: what figures draw."""
        return pd.concat([group.results for group in self.opened.groups])

    @property
    def direction_figure(self) -> FigureOutput:
        """Effect direction plot: which side each study lies on, outcome group by outcome group."""
        from ldn_meta.display.figures.directions import effect_direction_output

        return effect_direction_output(
            "effect_directions",
            self._voting,
            order=self._order,
            treatment=self.drug,
            title=self._title("directions"),
        )

    @property
    def harvest(self) -> FigureOutput:
        """Harvest plot: how sound the studies on each side are."""
        from ldn_meta.display.figures.directions import harvest_output

        return harvest_output(
            "harvest",
            self._voting,
            order=self._order,
            treatment=self.drug,
            title=self._title("studies by direction"),
        )

    @property
    def albatross(self) -> FigureOutput:
        """Albatross plot: p against people, with curves of equal effect."""
        from ldn_meta.display.figures.albatross import albatross_output

        return albatross_output(
            "albatross",
            self.results,
            contours=albatross_contours(),
            treatment=self.drug,
            title=self._title("p-values and people"),
        )

    @property
    def _order(self) -> list[str]:
        return list(self.opened.protocol.outcome_groups)

    def _title(self, what: str) -> str:
        return f"{capitalised(self.opened.label)}: {what}"

    @property
    def votes(self) -> Table:
        """Sign test of every group with a result in no pool."""
        towards, against, _ = self._sides.values()
        rows = []
        for group in self.needed:
            votes, test = group.votes, group.votes.test
            wilson, exact = _shares(test)
            share = percent(float(test.share))
            if _voted(test) >= self.opened.protocol.least_votes:
                share += f" ({wilson}; {exact})"
            rows.append(
                {
                    "outcome group": _named(group),
                    "studies counted": str(len(group.counted)),
                    towards: f"{test.n_for:g}",
                    against: f"{test.n_against:g}",
                    "the same in both": f"{test.n_ties:g}",
                    "side not known": str(len(votes.unknown)),
                    "exact p": _p(test) if _voted(test) else "not defined",
                    "smallest p possible": fixed(smallest_p(test), P_DIGITS),
                    "share (95% Wilson; exact)": share if _voted(test) else "not defined",
                    "unknown all against": _split(votes.if_against),
                    "unknown all in favour": _split(votes.if_for),
                    "all comparative studies": _split(group.all_votes.test),
                }
            )
        return Table(
            pd.DataFrame(rows),
            "Vote count by the side of the estimate, with the exact sign test",
            "Do studies lie on one side more often than a coin would put them? Every study is one "
            "vote, with its first outcome of the group whose side is known, in figures as here. "
            "Smallest p: all studies on one side. All comparative studies: whatever their design "
            "and comparator.",
        )

    @property
    def combined(self) -> Table:
        """Combined p-values of every group with a result in no pool."""
        towards, against, _ = self._sides.values()
        rows = []
        for group in self.needed:
            found = group.p_values
            k = len(found.usable)
            lone = "one result, not combined: " if k == 1 else ""
            weights = "by root of people" if found.is_weighted else "equal weights"
            by_method = {
                f"Fisher, {towards}": f"{lone}{_of(found.fisher)}",
                f"Fisher, {against}": f"{lone}{_of(found.fisher_against)}",
                f"Stouffer, {towards}": f"{_of(found.stouffer)}, {weights}" if k > 1 else "none",
                "Fisher without its smallest p": (
                    f"{_of(found.fisher_without_leading)} (without {found.leading})"
                    if k > 1
                    else "none"
                ),
            }
            rows.append(
                {
                    "outcome group": _named(group),
                    "results with a side and a p": listed(found.usable["study_label"]),
                    "known only as a bound": listed(found.bounds["study_label"]),
                    **(by_method if k else dict.fromkeys(by_method, "none")),
                    "p without a side": listed(found.sideless["study_label"]),
                    "Fisher with these": _of(found.fisher_either_side)
                    if len(found.sideless)
                    else "none",
                }
            )
        return Table(
            pd.DataFrame(rows),
            "Combined one-sided p-values",
            "Does at least one study show an effect towards this side? A p printed as a bound or "
            "a word (below 0.05, not significant) is an interval, and so is what comes of it. A p "
            "without a side may lie on either.",
        )

    @cached_property
    def sentence(self) -> Text:
        """What the results outside pools come to, and what that answers and does not."""
        if not len(self.studies):
            return Text(
                f"No study of {self.opened.label} on file compares {self.drug} with anything, so "
                "there is no direction to count and no p-value to combine."
            )
        if not self.needed:
            return Text(
                f"Every result that the {count(len(self.studies), 'study')} of "
                f"{self.opened.label} tell of an outcome group stands in a pool; nothing is left "
                "to synthesise here."
            )
        parts = [
            " ".join(
                [
                    f"**{capitalised(group.group)}**"
                    f"{', beside the pool' if group.is_pooled else ''}:",
                    *self._votes_in_words(group),
                    *self._p_in_words(group),
                ]
            )
            for group in self.needed
        ]
        parts.append(
            "A sign or a combined p says nothing of how large an effect is, whether it matters to "
            "anybody, or whether studies agree. A known side without a known uncertainty of its "
            "size supports no recommendation."
        )
        return Text("\n\n".join(parts))

    def _votes_in_words(self, group: GroupSynthesis) -> list[str]:
        if not len(group.counted):
            return [f"no result is counted: {_with_reasons(group.reasons)}."]
        votes, test = group.votes, group.votes.test
        parts, n = [self._sides_in_words(group)], _voted(test)
        if n == 1:
            parts.append("One vote decides nothing.")
        elif n > 1:
            parts.append(f"Exact sign test: {_p(test)}.")
        if n and len(votes.unknown):
            parts.append(f"Not known is the side of {listed(votes.unknown['study_label'])}.")
        added = set(group.all_votes.rows["study_label"]) - set(group.counted["study_label"])
        if added:
            words = {name: why for name, why in group.reasons.items() if name in added}
            parts.append(f"Not counted: {_with_reasons(words)}.")
        return parts

    def _sides_in_words(self, group: GroupSynthesis) -> str:
        """Which studies lie on which side."""
        rows = group.votes.rows
        told = [
            f"{where} {joined(names)}"
            for sign, where in self._sides.items()
            if (
                names := [
                    name + self.opened.inferred(study_label=name, construct=construct)
                    for name, construct in rows.loc[
                        rows["sign"] == sign, ["study_label", "construct"]
                    ].itertuples(index=False)
                ]
            )
        ]
        if not told:
            return f"no result shows its side ({listed(group.votes.unknown['study_label'])})."
        return f"{'; '.join(told)}."

    def _p_in_words(self, group: GroupSynthesis) -> list[str]:
        found = group.p_values
        k, bounds = len(found.usable), len(found.bounds)
        towards = f"towards {self.drug}"
        if not k:
            nothing = "No counted result has both a side and a p-value."
            return [nothing] if len(group.counted) else []
        if k == 1:
            only = " (known only as a bound)" if bounds else ""
            name = found.usable["study_label"].iloc[0]
            first = f"One-sided {_of(found.fisher)} {towards} in {name}{only}; nothing combined."
        else:
            of_them = f" ({bounds} known only as a bound)" if bounds else ""
            first = (
                f"Combined over {count(k, 'result')} with a side and a p{of_them}: Fisher "
                f"{_of(found.fisher)} {towards}; without {found.leading}, on whose small p it "
                f"leans, {_of(found.fisher_without_leading)}."
            )
        if not len(found.sideless):
            return [first]
        return [
            first,
            f"With p-values printed without a side ({', '.join(found.sideless['study_label'])}), "
            f"which may lie on either, Fisher gives {_of(found.fisher_either_side)}.",
        ]

    @cached_property
    def swim(self) -> Table:
        """The nine items of SWiM, answered from data and the analysis plan."""
        return Table(
            pd.DataFrame({"item": ITEMS, "answer": _swim(self)}),
            "Reporting items of synthesis without meta-analysis (SWiM)",
            "Items: Campbell 2020, BMJ 368:l6890.",
        )

    @property
    def left_out(self) -> Table:
        """Rows of the outcome groups of this page that gave no effect."""
        groups = self.opened.protocol.outcome_groups
        # Where no group has a comparison, the rows of all of them are what there is.
        shown = [group.group for group in self.needed] or list(groups)
        constructs = [name for group in shown for name in groups[group]]
        return self.opened.left_out(
            constructs=constructs, caption="Rows of these outcome groups that gave no effect"
        )

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        swim = self.swim.frame
        return self.opened.facts(
            headline=str(self.headline),
            sentence=str(self.sentence),
            comparator_class=self.comparator_class,
            comparative_studies=len(self.studies),
            groups={group.group: _numbers(group) for group in self.opened.groups},
            p_below=SMALL_P,
            swim=dict(zip(swim["item"], swim["answer"], strict=True)),
        )


def albatross_contours() -> dict[str, tuple[FloatArray, FloatArray]]:
    """Curves of equal effect: two-sided p, and the people it takes, by standardised difference."""
    p = np.geomspace(*CURVE_ENDS, CURVE_POINTS)
    return {f"{size:g}": (p, np.asarray(albatross_contour(p / 2, size))) for size in CURVES}


def _synthesis(group: GroupSynthesis, told: str) -> str:
    if group.is_pooled:
        return f"pooled: {', '.join(group.pooled_labels)}"
    if group.synthesis == ONE_TRIAL and group.pool is not None:
        return f"one effect, nothing to pool it with: {group.pool.trials['study_label'].iloc[0]}"
    if group.synthesis in (NO_COMPARISON, NOTHING):
        return told or group.synthesis
    kept_out = _kept_out(group)
    return f"an effect in no pool: {kept_out}" if kept_out else "sides and p-values only"


def _kept_out(group: GroupSynthesis) -> str:
    """Studies of a group without a pool whose effect was computed, and the rule that bars it."""
    own, rows = group.effects, group.results
    if own.empty or group.pool is not None:
        return ""
    told = own[
        (own["kind"] == CONTRAST)
        & own["is_preferred"].astype(bool)
        & own["study_id"].isin(rows["study_id"])
        & own["construct"].isin(rows["construct"])
    ]
    reasons = dict(zip(told["study_label"], told["selected_why"], strict=True))
    return "; ".join(f"{name}, {why}" for name, why in reasons.items())


def _page(group: GroupSynthesis, domains: Mapping[str, str]) -> str:
    if group.pool is not None or group.synthesis == NO_COMPARISON:
        return page_of(domains[group.cell["construct"]])
    return "this one" if len(group.results) else "none"


def _named(group: GroupSynthesis) -> str:
    return f"{group.group} (beside a pool)" if group.is_pooled else group.group


def _shares(test: SignTest) -> tuple[str, str]:
    """Intervals of the share of studies on the side of the treatment: Wilson's and the exact."""
    return (
        percents(float(test.wilson_low), float(test.wilson_high)),
        percents(float(test.exact_low), float(test.exact_high)),
    )


def _numbers(group: GroupSynthesis) -> dict[str, Any]:
    """Facts of one outcome group."""
    values: dict[str, Any] = {
        "synthesis": group.synthesis,
        "pooled": list(group.pooled_labels),
        "studies": list(group.results["study_label"]),
        "not_counted": group.reasons,
    }
    if not len(group.counted):
        return values
    votes, found = group.votes, group.p_values
    tests = {
        "sign_test": votes.test,
        "unknown_all_against": votes.if_against,
        "unknown_all_for": votes.if_for,
        "all_comparative": group.all_votes.test,
    }
    names = ("fisher", "fisher_against", "stouffer", "fisher_either_side")
    combined = {name: getattr(found, name) for name in names}
    if len(found.usable) > 1:
        combined["fisher_without_smallest"] = found.fisher_without_leading
    return {
        **values,
        "counted": len(group.counted),
        "known": int(group.counted["sign"].notna().sum()),
        "unknown": list(votes.unknown["study_label"]),
        **{name: _test_numbers(test) for name, test in tests.items()},
        "p_values": len(found.usable),
        "p_bounds": len(found.bounds),
        "p_without_side": len(found.sideless),
        "is_weighted_by_people": found.is_weighted,
        **{
            name: {"k": one.k, "p_low": one.p_low, "p_high": one.p_high}
            for name, one in combined.items()
        },
    }


def _test_numbers(test: SignTest) -> dict[str, Any]:
    return {
        **{name: getattr(test, name) for name in ("n_for", "n_against", "n_ties")},
        "n": _voted(test),
        "p_value": test.p_value,
        "smallest_p": smallest_p(test),
        "share": test.share,
        "wilson": [test.wilson_low, test.wilson_high],
        "exact": [test.exact_low, test.exact_high],
    }


# The nine items of SWiM.


def _swim(page: WithoutPoolingPage) -> tuple[str, ...]:
    """Answer the nine items for one indication."""
    if not page.needed:
        return _nothing(page)
    results = _together(group.results for group in page.needed)
    counted = _together(group.counted for group in page.needed)
    return (
        _grouping(page),
        _metric(results),
        _methods(page),
        _priority(page, results, counted),
        _heterogeneity(page, results),
        _certainty(results),
        _presentation(page),
        " ".join(_one_result(page, group) for group in page.needed),
        _limitations(page, results),
    )


def _together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()


def _nothing(page: WithoutPoolingPage) -> tuple[str, ...]:
    label = page.opened.label
    all_studies = page.opened.derived.evidence.text["studies"]
    alone = int((all_studies["eligible_for"] == "single-arm").sum())
    return (
        f"{capitalised(count(len(page.studies), 'comparative study'))} of {label} on file, and no "
        "result outside a pool, so none was grouped here; "
        f"{agree(alone, 'study stands', 'studies stand')} on page 10_included_trials without a "
        "comparison group.",
        "None: there is no side and no p-value of a comparison to express in one.",
        f"None was used. A first comparison of {page.drug} with {page.comparator_class} would be "
        "shown as an effect, or counted here.",
        "Comparisons go before people without a comparison, which never count as evidence of an "
        "effect; nothing was chosen among results, for there is none.",
        "Not examined: it needs two results.",
        "Not rated: there is no comparison whose certainty could be rated.",
        "Tables of outcome groups and of rows left out; both say what is missing.",
        f"No outcome group of {label} has a result of a comparison outside a pool.",
        f"What is on file of {label} cannot show whether {page.drug} does anything. "
        f"{page.opened.review.conduct.search} A comparison may have been missed.",
    )


def _grouping(page: WithoutPoolingPage) -> str:
    told = [group for group in page.opened.groups if len(group.results)]
    pooled = [group.group for group in told if not group.is_needed]
    others = page.other_results["construct"].nunique()
    silent = page.studies[~page.studies["study_id"].isin(page.results["study_id"])]["label"]
    parts = (
        f"{capitalised(agree(len(page.studies), 'study compares', 'studies compare'))} "
        f"{page.drug} with something ({tally(page.studies['comparator_class'])}). Results are "
        f"grouped by what they ask: {len(page.opened.groups)} outcome groups, of which "
        f"{len(told)} are told of. {_when_grouped(page)} A "
        "group joins instruments of one question, so that a study counts once in it however "
        "many it measured. Synthesised here: "
        f"{', '.join(group.group for group in page.needed)}.",
        f"All results of {', '.join(pooled)} stand in a pool." if pooled else "",
        f"Of no group tell: {', '.join(silent)}." if len(silent) else "",
        f"{capitalised(count(others, 'further outcome'))} of no group "
        f"{'is' if others == 1 else 'are'} listed and not synthesised."
        if others
        else "",
    )
    return " ".join(filter(None, parts))


def _when_grouped(page: WithoutPoolingPage) -> str:
    """When the groups were set, what was known then, and what has changed since."""
    history = page.opened.protocol.history
    groups = history.of("outcome_group")
    changes = "; ".join(
        f"{on:%Y-%m-%d %H:%M} UTC"
        f"{', once the first pooled numbers were there' * (on >= history.first_pool)}: {what}"
        for on, what in groups.changed
    )
    return (
        f"{page.opened.review.conduct.registration} The groups were set {groups.known_then} "
        f"({groups.set_on:%Y-%m-%d %H:%M} UTC)"
        + (f" and changed later ({changes})." if changes else ", unchanged since.")
    )


def _metric(results: pd.DataFrame) -> str:
    known = results["sign"].notna()
    has_p = results["p_low"].notna()
    bound = is_bound(results)
    computed = has_p & results["p_printed"].str.contains("computed")
    exact = has_p & ~bound & ~computed
    return (
        "First, the side of the point estimate, which asks least of a report: known for "
        f"{known.sum()} of {len(results)} results, one a study and group "
        f"({tally(results.loc[known, 'known_by'])}). Second, p: two-sided "
        "as printed or computed, then one-sided, p / 2 towards the drug and 1 - p / 2 away from "
        f"it. Printed exactly for {exact.sum()}, taken as what its rounding leaves open; "
        f"computed from an effect and its standard error for {computed.sum()}; printed as a "
        f"bound or a word for {bound.sum()}, taken as an interval; not known for "
        f"{(~has_p).sum()}."
    )


def _methods(page: WithoutPoolingPage) -> str:
    voted = [g.group for g in page.needed if g.counted["sign"].abs().sum() > 0]
    combined = [g for g in page.needed if len(g.p_values.usable) > 1]
    unweighted = {
        g.group: g.p_values.usable.loc[g.p_values.usable["n_people"].isna(), "study_label"]
        for g in combined
        if not g.p_values.is_weighted
    }
    reasons = "; ".join(f"{group.group}, {_why_no_pool(group)}" for group in page.needed)
    parts = (
        "Vote count by the side of the estimate, never by significance, with the exact two-sided "
        f"sign test, Wilson's and Clopper and Pearson's intervals: {listed(voted)}.",
        f"One-sided p-values combined by Fisher's and Stouffer's methods where two results have "
        f"both a side and a p: {listed(g.group for g in combined)}.",
        *(
            f"Stouffer's is unweighted in {name}: no text gives the people of {listed(unknown)}."
            for name, unknown in unweighted.items()
        ),
        "Stouffer's is weighted by the root of the number of people."
        if len(combined) > len(unweighted)
        else "",
        f"Why no pool, or not of all: {reasons}.",
    )
    return " ".join(filter(None, parts))


def _why_no_pool(group: GroupSynthesis) -> str:
    if group.pool is None:
        kept_out = _kept_out(group)
        return (
            f"the one effect is kept out ({kept_out})"
            if kept_out
            else "no effect with its uncertainty could enter one"
        )
    if group.synthesis == ONE_TRIAL:
        return f"only {group.pool.trials['study_label'].iloc[0]} gives one"
    return f"pooled without {listed(_outside(group))}"


def _priority(page: WithoutPoolingPage, results: pd.DataFrame, counted: pd.DataFrame) -> str:
    selection = page.opened.protocol.selection
    barred = {name: why for group in page.needed for name, why in group.reasons.items()}
    design = ", ".join(
        words
        for words, is_free in (
            ("randomised", selection.allow_non_randomised),
            ("double-blind", selection.allow_single_blind),
        )
        if not is_free
    )
    return (
        f"Counted: {design or 'all'} comparisons with {page.comparator_class}, "
        f"{len(counted)} of {len(results)} results. Listed and not counted: "
        f"{_with_reasons(barred) or 'none'}. Of several "
        "results of a study the first whose side is known, by construct in the order of the "
        "analysis plan; within a construct computed effects before printed numbers before words, "
        f"then {selection.analysis_sets[0]} first, the time nearest to {selection.target_weeks:g} "
        "weeks, the text closest to the paper, the preferred source. "
        f"{_passed_over(page)} rows of results of these studies never count: another row is "
        "preferred for the same fact, or they are third-hand."
    )


def _passed_over(page: WithoutPoolingPage) -> int:
    """Rows of comparative studies that are not preferred or of low reliability."""
    text = page.opened.derived.evidence.text
    rows = pd.concat([text[name] for name in VALUE_TABLES])
    own = rows[rows["study_id"].isin(page.studies["study_id"])]
    return int(((own["preferred"] == "no") | (own["reliability"] == "low")).sum())


def _heterogeneity(page: WithoutPoolingPage, results: pd.DataFrame) -> str:
    largest = max(page.needed, key=lambda group: len(group.counted))
    single = results.drop_duplicates("study_id")
    # By study, as people are; several results of one have several times.
    of_study = results.groupby("study_id", sort=False)["timepoint_weeks"]
    weeks = of_study.min(), of_study.max()
    studies = page.studies[page.studies["study_id"].isin(single["study_id"])]
    doses = [
        pd.to_numeric(studies[f"dose_{end}_mg_per_day"], errors="coerce")
        for end in ("low", "high")
    ]
    turned = [
        group.group
        for group in page.needed
        if _majority(group.votes.if_against) != _majority(group.votes.if_for)
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
        f"({span(single['n_people'])}), weeks ({span(*weeks)}), dose in mg a "
        f"day ({span(*doses)}). Two "
        "departures are computed. Unknown sides all on one side or all on the other: the "
        f"majority depends on them in {listed(turned)}. All comparative studies, whatever their "
        f"design and comparator: the majority changes in {listed(moved)}."
    )


def span(low: pd.Series, high: pd.Series | None = None) -> str:
    """Write the smallest and the largest known value, and of how many none is known."""
    top = low if high is None else high
    known = low.dropna()
    if not len(known):
        return "not known of any"
    ends = dict.fromkeys((f"{known.min():g}", f"{top.max():g}"))
    missing = len(low) - len(known)
    return " to ".join(ends) + (f", not known of {missing}" if missing else "")


def tally(values: pd.Series) -> str:
    """Write how often each word occurs, most frequent first."""
    return ", ".join(f"{word} {n}" for word, n in Counter(values).most_common()) or "none"


def _certainty(results: pd.DataFrame) -> str:
    """How far the results can be trusted, as far as anybody has judged."""
    single = results.drop_duplicates("study_id")
    judged = single[single["overall_bias"] != ""]
    words = (
        f": {listed(judged['study_label'] + ' ' + judged['overall_bias'])}" if len(judged) else ""
    )
    return (
        f"Overall risk of bias is on file for {len(judged)} of {len(single)} studies{words}. This "
        "page rates no certainty: a side or a p without a size leaves imprecision and importance "
        f"unknown. The {len(results)} results were read in: {tally(results['read_from'])}."
    )


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


def _one_result(page: WithoutPoolingPage, group: GroupSynthesis) -> str:
    name, test, k = capitalised(group.group), group.votes.test, len(group.p_values.usable)
    if not len(group.counted):
        return f"{name}: {count(len(group.results), 'result')}, none counted."
    known = group.counted["n_people"].dropna()
    missing = len(group.counted) - len(known)
    also = f" and {missing} of unknown size" if missing else ""
    early = group.counted.loc[group.counted["people_are"].isin(STAGES[1:]), "n_people"].sum()
    before = f", {early:g} of them counted before the analysis," if early else ""
    people = f"{known.sum():g}{before}{also}" if len(known) else "not known"
    side = f"{_split(test)} towards {page.drug}" if _voted(test) else "no known side"
    p = f"; one-sided {_of(group.p_values.fisher)}" if k else ""
    how = " (Fisher)" if k > 1 else ""
    return f"{name}: {count(len(group.counted), 'result')}, people {people}; {side}{p}{how}."


def _limitations(page: WithoutPoolingPage, results: pd.DataFrame) -> str:
    """What the synthesis cannot say, and which studies could not contribute and why."""
    side_unknown = results["sign"].isna()
    by_reason = results[side_unknown].groupby("sign_from", sort=False)
    reasons = "; ".join(f"{reason} ({_on(rows)})" for reason, rows in by_reason)
    without_p = results[results["p_low"].isna() & ~side_unknown]
    without_people = results.loc[results["n_people"].isna(), "study_label"]
    groups = results.groupby("study_label", sort=False)["group"].nunique()
    several = groups[groups > 1]
    parts = (
        f"{capitalised(count(int(side_unknown.sum()), 'result'))} of {len(results)} could not be "
        f"counted on a side: {reasons}."
        if reasons
        else "",
        _words_alone(results),
        _few_votes(page),
        f"A side without a p, so in no combined p: {_on(without_p)}." if len(without_p) else "",
        f"People in the comparison not known: {listed(without_people)}."
        if len(without_people)
        else "",
        f"Groups share studies ({listed(several.index)}), so their results are not independent of "
        "each other."
        if len(several)
        else "",
        "No size: neither a vote nor a p tells how large an effect is.",
        "If there is an effect, larger studies find its side more often, so the share of votes is "
        "no probability (Nikolakopoulos 2020).",
        page.opened.review.conduct.search,
    )
    return " ".join(filter(None, parts))


def _words_alone(results: pd.DataFrame) -> str:
    """Sides known from words alone; where they come from significant results, the count leans."""
    words = results[results["known_by"] == KNOWN_BY[WORDS]]
    if not len(words):
        return ""
    small = int((words["p_high"] <= SIGNIFICANT).sum())
    silent = int((results["sign"].isna() & (results["direction"] == NO_DIFFERENCE)).sum())
    first = f"Known from words alone: {_on(words)}."
    if not (small and silent):
        return first
    return (
        f"{first} {capitalised(agree(small, 'stands', 'stand'))} beside a p of at most 0.05, "
        f"while {agree(silent, 'result', 'results')} called no difference "
        f"{'has' if silent == 1 else 'have'} no side: counting what is known then leans towards "
        "what was significant."
    )


def _few_votes(page: WithoutPoolingPage) -> str:
    most = max((group.votes.test for group in page.needed), key=_voted)
    if not _voted(most):
        return "No group has a single vote."
    return (
        f"The group with most votes has {_voted(most):g}, with which the sign test cannot go "
        f"below p = {fixed(smallest_p(most), P_DIGITS)}."
    )


def _on(rows: pd.DataFrame) -> str:
    """Studies and what they tell of."""
    of_study = rows.groupby("study_label", sort=False)["group"]
    return "; ".join(f"{label} on {', '.join(groups)}" for label, groups in of_study)


def without_pooling(
    *,
    indication: str,
    allow_transcribed: bool | str | None = None,
    allow_non_randomised: bool | str | None = None,
    allow_single_blind: bool | str | None = None,
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
