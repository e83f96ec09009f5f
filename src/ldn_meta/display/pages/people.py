"""Pages 30 and 40: people with an event, in trials and in single arms."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.effect import forest_of_pool, pool_facts
from ldn_meta.display.pages.effect_words import crossing
from ldn_meta.display.pages.page import Opened, construct_labels, open_page
from ldn_meta.display.words import (
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    interval,
    method,
    people,
    percent,
    shown,
    weeks,
)
from ldn_meta.evidence.answer.pools import find_pool
from ldn_meta.evidence.effects.rows import CONTRAST

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.answer.pools import Pool


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
    """Natural frequencies from the comparison arms and the pooled risk ratio."""
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


def comparisons(page: PeoplePage) -> Table:
    """Trials with people counted in both arms, every set, time and source."""
    rows = page.rows[page.rows["kind"] == CONTRAST]
    frame = pd.DataFrame(
        {
            "outcome": rows["construct_label"],
            "trial": rows["study_label"],
            "week": rows["timepoint_weeks"].map(weeks),
            "set": rows["analysis_set"],
            "LDN": _arm(rows, "1"),
            "comparator": rows["comparator"] + " " + _arm(rows, "2"),
            "RR (95% CI)": _range(rows, "rr"),
            "RD (95% CI)": _range(rows, "rd"),
            "NNT (95% CI)": rows["nnt"].fillna("NA"),
            "in main pool": rows["is_selected"].map({True: "yes", False: "no"}),
            "notes": rows["notes"],
            "source": [page.opened.source(r) for r in rows_of(rows)],
        }
    )
    return Table(
        frame,
        "People with the outcome in both arms",
        "RR risk ratio (0.5 added to every cell of a trial with an empty one), RD risk difference "
        "with Newcombe's interval, NNT number needed to treat: NNTB to "
        "benefit, NNTH to harm; an interval through infinity means that neither is "
        "excluded.",
        "No trial counted people in both arms in what could be read.",
    )


def single_arms_of_people_tables(page: PeoplePage) -> Table:
    """Studies without comparison, beside the trials and never pooled with them."""
    rows = page.rows[(page.rows["kind"] != CONTRAST) & page.rows["is_preferred"].astype(bool)]
    frame = pd.DataFrame(
        {
            "outcome": rows["construct_label"],
            "study": rows["study_label"],
            "arm": rows["arm"],
            "design": rows["design"],
            "week": rows["timepoint_weeks"].map(weeks),
            "people": _arm(rows, "1"),
            "95% CI (Wilson)": [
                _percent_range(r["share_1_low"], r["share_1_high"]) for r in rows_of(rows)
            ],
            "source": [page.opened.source(r) for r in rows_of(rows)],
        }
    )
    return Table(frame, "Counted in one arm only: no comparison, never pooled", "", "None.")


def pools_table(page: PeoplePage) -> Table:
    """List the main pools of the domain."""
    names = construct_labels(page.opened)
    rows = []
    for p in page.rr_pools:
        r = p.result
        rows.append(
            {
                "outcome": names[p.key["construct"]],
                "against": p.key["comparator_class"],
                "trials": ", ".join(p.trials["study_label"]),
                "people": str(p.people or "NR"),
                "LDN": f"{p.trials['events_1'].sum():g}/{p.trials['n_1'].sum():g}",
                "comparator": f"{p.trials['events_2'].sum():g}/{p.trials['n_2'].sum():g}",
                "RR (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure="RR"
                ),
                "method": "one trial"
                if len(p.trials) == 1
                else method(r.tau2_method, r.ci_method),
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Pooled, or the one trial there is",
        "Added-up counts are for orientation; the risk ratio is pooled from the "
        "trials, never from added-up counts.",
        "No outcome could be pooled.",
    )


def event_counts_of_people_tables(page: PeoplePage) -> Table:
    """Outcomes that count events, not people."""
    rows = page.counted_events
    frame = pd.DataFrame(
        [
            {
                "trial": r["study_label"],
                "outcome": r["construct_label"],
                "LDN": r["arm_1_data"],
                "comparator": f"{r['comparator']} {r['arm_2_data']}",
                "rate ratio (95% CI)": estimate_with_interval(
                    r["yi"], r["ci_low"], r["ci_high"], measure="IRR"
                ),
                "assumptions": r["assumptions"],
                "source": page.opened.source(r),
            }
            for r in rows_of(rows)
        ]
    )
    return Table(frame, "Counted as events, not as people: never a share of people")


def not_usable(page: PeoplePage) -> Table:
    """Numbers of people that were printed but cannot be computed with."""
    d = page.opened.derived
    outcomes = d.evidence.text["outcomes"].set_index("outcome_id")
    raw = d.evidence.text["arm_events"].set_index("row_id")
    arms = d.evidence.text["arms"].set_index("arm_id")["label"]
    left = d.left_out[d.left_out["table"] == "arm_events"]
    left = left[left["outcome_id"].map(outcomes["domain"]) == page.domain]
    frame = pd.DataFrame(
        [
            {
                "study": row["study_label"],
                "outcome": outcomes.loc[row["outcome_id"], "construct_label"],
                "arm": arms[raw.loc[row["row_id"], "arm_id"]],
                "as reported": raw.loc[row["row_id"], "as_reported"],
                "why no effect": row["reason"],
                "source": page.opened.source(raw.loc[row["row_id"]].to_dict()),
            }
            for row in rows_of(left)
        ]
    )
    return Table(frame, "Printed, but not enough to compute with")


def arms_long(chosen: pd.DataFrame) -> pd.DataFrame:
    """One row an arm, as the share plot wants it."""
    rows = []
    for row in rows_of(chosen):
        shared = {
            "study_label": row["study_label"],
            "threshold_label": row["construct_label"],
            "note": f"week {weeks(row['timepoint_weeks'])}, {_set(row['analysis_set'])}",
        }
        contrast = row["kind"] == CONTRAST
        arms = [("1", "LDN", 1 if contrast else 3)]
        if contrast:
            arms.append(("2", row["comparator"], 2))
        for arm, label, group in arms:
            rows.append(
                {
                    **shared,
                    "arm_label": label,
                    "group": group,
                    "events": row[f"events_{arm}"],
                    "n": row[f"n_{arm}"],
                    "proportion": row[f"share_{arm}"],
                    "ci_low": row[f"share_{arm}_low"],
                    "ci_high": row[f"share_{arm}_high"],
                }
            )
    columns = [
        "study_label",
        "arm_label",
        "group",
        "threshold_label",
        "events",
        "n",
        "proportion",
        "ci_low",
        "ci_high",
        "note",
    ]
    return pd.DataFrame(rows, columns=columns)


def _set(analysis_set: str) -> str:
    return "analysis set not stated" if analysis_set == "not stated" else analysis_set


def _arm(rows: pd.DataFrame, arm: str) -> list[str]:
    return [
        f"{r[f'events_{arm}']:g}/{r[f'n_{arm}']:g} ({percent(r[f'share_{arm}'])})"
        for r in rows_of(rows)
    ]


def _range(rows: pd.DataFrame, name: str) -> list[str]:
    return [
        f"{fixed(r[name])} ({interval(r[f'{name}_low'], r[f'{name}_high'])})"
        for r in rows_of(rows)
    ]


def _percent_range(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"


RESPONDERS = "30_responder_rates"
SAFETY = "40_safety"
RESPONDER_ORDER = (
    "responder_pain_30",
    "responder_pain_50",
    "responder_pain_15",
    "clinical_response",
    "clinical_remission",
    "endoscopic_response",
    "endoscopic_remission",
    "responder_own_rule",
    "global_improvement",
    "any_relief",
    "clinical_response_own_rule",
)
HARM_ORDER = (
    "any_adverse_event",
    "serious_adverse_event",
    "discontinuation_adverse_event",
    "discontinuation_any",
    "vivid_dreams",
    "headache",
    "nausea",
    "dizziness",
)


class PeoplePage:
    """Binary outcomes of one domain (responders or harms) of one indication."""

    def __init__(
        self, opened: Opened, domain: str, order: tuple[str, ...], construct: str
    ) -> None:
        self.opened = opened
        self.domain = domain
        self._order = order
        self.construct = construct
        self.comparator_class = opened.indication["main_comparator"]
        self.drug = opened.indication["intervention"]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All comparisons and single arms of the domain, in reading order."""
        d = self.opened.derived
        frame = d.responders if self.domain == "responder" else d.harms
        place = {name: rank for rank, name in enumerate(self._order)}
        rank = frame["construct"].map(place).fillna(len(place))
        frame = frame.assign(place=rank).sort_values(
            ["place", "construct", "kind", "year", "study_id", "timepoint_weeks", "effect_id"],
            kind="stable",
        )
        return frame.drop(columns="place").reset_index(drop=True)

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """One row a study and outcome for the plot; a case report is no share of people."""
        return (
            self.rows[self.rows["design"] != "case report"]
            .sort_values(["is_selected", "is_transcribed"], ascending=[False, True], kind="stable")
            .drop_duplicates(["study_id", "construct", "kind"])
            .sort_index()
        )

    @cached_property
    def pool(self) -> Pool | None:
        """Main pool of the page's outcome."""
        return find_pool(
            [p for p in self.opened.pools if p.key["measure"] == "RR"],
            construct=self.construct,
            comparator_class=self.comparator_class,
        )

    @cached_property
    def variants(self) -> list[tuple[str, Pool | None]]:
        """Main pool and named departures from it."""
        return self.opened.answer(self.construct, self.comparator_class).variants

    @cached_property
    def rr_pools(self) -> list[Pool]:
        """Main pools of the domain, risk ratios, in reading order."""
        place = {name: rank for rank, name in enumerate(self._order)}
        pools = [
            p
            for p in self.opened.pools
            if p.trials["domain"].iloc[0] == self.domain and p.key["measure"] == "RR"
        ]
        return sorted(
            pools, key=lambda p: (place.get(p.key["construct"], len(place)), p.key["construct"])
        )

    @property
    def outcome(self) -> str:
        """The page's outcome as readers see it."""
        return construct_labels(self.opened)[self.construct]

    @property
    def what(self) -> str:
        """What is counted, for titles."""
        return "response" if self.domain == "responder" else "harm"

    @property
    def headline(self) -> Text:
        """Indication, and how many studies counted people."""
        trials = self.rows[self.rows["kind"] == CONTRAST]["study_id"].nunique()
        single = self.rows[self.rows["kind"] != CONTRAST]["study_id"].nunique()
        return Text(
            f"**{capitalised(self.opened.label)}, {self.what}s**: "
            f"{count(trials, 'trial')} with people counted in both arms, "
            f"{count(single, 'study', plural='studies')} with people counted in one arm only."
        )

    @property
    def comparisons(self) -> Table:
        """Trials with people counted in both arms, every set, time and source."""
        return comparisons(self)

    @property
    def single_arms(self) -> Table:
        """Studies without comparison, beside the trials and never pooled with them."""
        return single_arms_of_people_tables(self)

    @property
    def pools_table(self) -> Table:
        """Main pools of the domain."""
        return pools_table(self)

    @property
    def event_counts(self) -> Table:
        """Outcomes that count events, not people."""
        return event_counts_of_people_tables(self)

    @property
    def not_usable(self) -> Table:
        """Numbers of people that were printed but cannot be computed with."""
        return not_usable(self)

    @property
    def forest(self) -> FigureOutput:
        """Forest plot of the page's outcome."""
        effects = self.opened.derived.effects
        beside = effects[
            (effects["construct"] == self.construct)
            & (effects["measure"] == "RR")
            & (effects["kind"] == CONTRAST)
            & (effects["comparator_class"] == self.comparator_class)
        ]
        if self.pool is not None:
            beside = beside[~beside["study_id"].isin(self.pool.trials["study_id"])]
        beside = beside.drop_duplicates("study_id")
        return forest_of_pool(
            self.pool,
            beside=beside,
            variants=self.variants[1:],
            comparator=self.comparator_class,
            evidence=self.opened.derived.evidence,
            name=f"forest_{self.domain}",
            title=f"{capitalised(self.opened.label)}: {self.outcome}",
        )

    @property
    def shares(self) -> FigureOutput:
        """Shares of people per arm with Wilson intervals."""
        from ldn_meta.display.figures.responders import responder_output

        return responder_output(
            f"shares_{self.domain}",
            arms_long(self.chosen),
            title=f"{capitalised(self.opened.label)}: share of people with each {self.what}",
        )

    @cached_property
    def counted_events(self) -> pd.DataFrame:
        """Preferred counts of events, which are no people."""
        effects = self.opened.derived.effects
        rows = effects[(effects["domain"] == self.domain) & (effects["measure"] == "IRR")]
        return rows[rows["is_preferred"].astype(bool)]

    @cached_property
    def sentence(self) -> Text:
        """The page's outcome in words, then counts of events, then the single arms."""
        single = self.chosen[
            (self.chosen["kind"] != CONTRAST) & (self.chosen["construct"] == self.construct)
        ]
        parts = [
            pooled_events(
                self.pool, label=self.outcome, drug=self.drug, comparator=self.comparator_class
            ),
            event_counts(self.counted_events),
            single_arms(single, label=self.outcome, drug=self.drug),
        ]
        return Text(" ".join(part for part in parts if part))

    @property
    def sensitivity(self) -> Table:
        """The page's outcome under every named departure that changes something."""
        from ldn_meta.display.pages.page import variants_table

        return variants_table(self.variants, outcome=self.outcome)

    @property
    def left_out(self) -> Table:
        """Rows of the domain without an effect."""
        rows = self.opened.derived.evidence.text["outcomes"]
        constructs = list(rows.loc[rows["domain"] == self.domain, "construct"])
        return self.opened.left_out(constructs=constructs, caption="Rows that gave no effect")

    @cached_property
    def facts(self) -> Facts:
        """Numbers behind the sentences and figures."""
        values: dict[str, Any] = {
            "headline": str(self.headline),
            "sentence": str(self.sentence),
            "construct": self.construct,
            "variants": {name: pool_facts(found) for name, found in self.variants},
            "arms": {
                row["effect_id"]: {
                    name: row[name]
                    for name in (
                        "events_1",
                        "n_1",
                        "share_1",
                        "share_1_low",
                        "share_1_high",
                        "events_2",
                        "n_2",
                        "share_2",
                        "rr",
                        "rr_low",
                        "rr_high",
                        "rd",
                        "rd_low",
                        "rd_high",
                    )
                }
                for row in rows_of(self.rows)
            },
        }
        if self.pool is not None:
            values["per_1000"] = per_thousand(self.pool)
            values["weeks"] = list(self.pool.trials["timepoint_weeks"])
        values["event_counts"] = {
            row["effect_id"]: {
                **{name: row[name] for name in ("events_1", "events_2", "yi", "vi")},
                "rate_ratio": shown((row["yi"], row["ci_low"], row["ci_high"]), measure="IRR"),
            }
            for row in rows_of(self.counted_events)
        }
        return self.opened.facts(**values)

    def footer(self) -> Table:
        """Provenance."""
        return self.opened.footer()


def responder_rates(
    *, indication: str, construct: str, allow_transcribed: bool | None = None
) -> PeoplePage:
    """Open page 30: responders.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str
        Outcome of the forest plot and the sentence.
    allow_transcribed : bool, optional
        Whether transcribed counts may enter the main pool; by the protocol unless given.

    Returns
    -------
    PeoplePage
    """
    opened = open_page(RESPONDERS, indication=indication, allow_transcribed=allow_transcribed)
    opened.parameters["construct"] = construct
    return PeoplePage(opened, "responder", RESPONDER_ORDER, construct)


def safety(
    *, indication: str, construct: str, allow_transcribed: bool | None = None
) -> PeoplePage:
    """Open page 40: harms; parameters as ``responder_rates``."""
    opened = open_page(SAFETY, indication=indication, allow_transcribed=allow_transcribed)
    opened.parameters["construct"] = construct
    return PeoplePage(opened, "harm", HARM_ORDER, construct)
