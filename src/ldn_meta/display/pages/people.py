"""Pages 30 and 40: people with an event, in trials and in single arms."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.responders import RESPONDER_COLUMNS, responder_output
from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.effect import forest_of_pool
from ldn_meta.display.pages.page import (
    Opened,
    Page,
    at_level,
    construct_labels,
    crossing,
    effect_read,
    open_page,
    pool_facts,
    size,
    variants_table,
)
from ldn_meta.display.words import (
    MEASURES,
    capitalised,
    count,
    effect_of,
    fixed,
    interval,
    people,
    percent,
    percents,
    shown,
    weeks,
)
from ldn_meta.evidence.answer.pools import find_pool
from ldn_meta.evidence.effects.rows import CONTRAST, IN_WORDS
from ldn_meta.evidence.raw.selection import RATIOS_AS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.answer.pools import Pool


RESPONDERS, SAFETY = "30_responder_rates", "40_safety"
CAP = 1000.0
# The item of checklists that asks whether all who began are counted.
COMPLETE_INCLUSION = "complete inclusion"
ARM_FACTS = (
    *("events_1", "n_1", "share_1", "share_1_low", "share_1_high", "events_2", "n_2", "share_2"),
    *("rr", "rr_low", "rr_high", "rd", "rd_low", "rd_high"),
)


class PeoplePage(Page):
    """Binary outcomes of one domain (responders or harms) of one indication."""

    def __init__(self, opened: Opened, domain: str, construct: str) -> None:
        super().__init__(opened)
        self.domain = domain
        self.construct = construct
        self.comparator_class = opened.indication["main_comparator"]
        self._review = opened.derived.evidence.review

    def _place(self, construct: str) -> tuple[int, str]:
        """Where an outcome stands in reading order."""
        order = self._review.order.get(self.domain, ())
        return (order.index(construct) if construct in order else len(order)), construct

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All comparisons and single arms of the domain, in reading order."""
        d = self.opened.derived
        frame = d.responders if self.domain == "responder" else d.harms
        by = ["place", "kind", "year", "study_id", "timepoint_weeks", "effect_id"]
        frame = frame.assign(place=frame["construct"].map(self._place))
        return frame.sort_values(by, kind="stable", ignore_index=True).drop(columns="place")

    @property
    def _compared(self) -> pd.DataFrame:
        return self.rows[self.rows["kind"] == CONTRAST]

    @property
    def _alone(self) -> pd.DataFrame:
        return self.rows[self.rows["kind"] != CONTRAST]

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """What the plot shows: one comparison a trial and outcome, and all groups alone."""
        compared = self._compared.sort_values(
            ["is_selected", "is_transcribed"], ascending=[False, True], kind="stable"
        ).drop_duplicates(["study_id", "construct"])
        return pd.concat([compared.sort_index(), self.groups_alone])

    @cached_property
    def groups_alone(self) -> pd.DataFrame:
        """Shares of people in one arm, the preferred source of each: rows of table and plot."""
        alone = self._alone
        return alone[alone["is_preferred"].astype(bool)]

    @cached_property
    def _same_people(self) -> dict[str, str]:
        """Studies of the page that may have the people of a study."""
        labels = self.rows.groupby("trial_id")["study_label"].unique()
        return {
            study: ", ".join(name for name in labels[trial] if name != label)
            for study, label, trial in zip(
                *(self.rows[name] for name in ("study_id", "study_label", "trial_id")), strict=True
            )
        }

    @cached_property
    def _chosen_people(self) -> dict[str, str]:
        """Studies whose people were picked by how they went, and by what."""
        rows = self.opened.derived.evidence.text["risk_of_bias"]
        own = rows[(rows["domain"] == COMPLETE_INCLUSION) & (rows["judgement"] == "no")]
        return dict(zip(own["study_id"], own["reason"], strict=True))

    @cached_property
    def _in_words(self) -> pd.DataFrame:
        """Counts of people of the domain that are no share of people, each with its reason."""
        d = self.opened.derived
        left = d.left_out[(d.left_out["usable_for"] == IN_WORDS) & d.left_out["is_preferred"]]
        return self._of_domain(left)

    def _of_domain(
        self, left: pd.DataFrame, tables: tuple[str, ...] = ("arm_events",)
    ) -> pd.DataFrame:
        """Rows of people counted that gave no effect, of the page's domain."""
        domains = self.opened.derived.evidence.text["outcomes"].set_index("outcome_id")["domain"]
        is_own = left["outcome_id"].map(domains) == self.domain
        return left[left["table"].isin(tables) & is_own]

    @cached_property
    def rr_pools(self) -> list[Pool]:
        """Main pools of the domain, by the page's measure, in reading order."""
        pools = [
            p
            for p in self.opened.pools
            if p.trials["domain"].iloc[0] == self.domain and p.key["measure"] == self.measure
        ]
        return sorted(pools, key=lambda p: self._place(p.key["construct"]))

    @property
    def measure(self) -> str:
        """What two shares of people are compared by: the risk ratio unless a run asks."""
        asked = (name for name in self.opened.protocol.measures if name in RATIOS_AS)
        return next(asked, "RR")

    @cached_property
    def pool(self) -> Pool | None:
        """Main pool of the page's outcome."""
        return find_pool(
            [p for p in self.opened.pools if p.key["measure"] == self.measure],
            construct=self.construct,
            comparator_class=self.comparator_class,
        )

    @cached_property
    def variants(self) -> list[tuple[str, Pool | None]]:
        """Main pool and named departures from it."""
        return self.opened.answer(self.construct, self.comparator_class).variants

    @cached_property
    def counted_events(self) -> pd.DataFrame:
        """Preferred counts of events, which are no people."""
        effects = self.opened.derived.effects
        rows = effects[(effects["domain"] == self.domain) & (effects["measure"] == "IRR")]
        return rows[rows["is_preferred"].astype(bool)]

    @property
    def outcome(self) -> str:
        """The page's outcome as readers see it."""
        return construct_labels(self.opened.derived).get(
            self.construct, self.construct.replace("_", " ")
        )

    @property
    def what(self) -> str:
        """What is counted, for titles."""
        return "response" if self.domain == "responder" else "harm"

    @property
    def headline(self) -> Text:
        """Indication, and how many studies counted people."""
        told = self._in_words["study_id"].nunique()
        others = (
            f", {count(told, 'study')} with counts that are no share of people" if told else ""
        )
        return Text(
            f"**{capitalised(self.opened.label)}, {self.what}s**: "
            f"{count(self._compared['study_id'].nunique(), 'trial')} with people counted in both "
            f"arms, {count(self._alone['study_id'].nunique(), 'study')} with people counted in "
            f"one arm only{others}."
        )

    @property
    def comparisons(self) -> Table:
        """Trials with people counted in both arms, every set, time and source."""
        rows = [
            {
                "outcome": row["construct_label"],
                "trial": row["study_label"],
                "week": weeks(row["timepoint_weeks"]),
                "set": row["analysis_set"],
                self._review.label: _counted(row, 1),
                "comparator": f"{row['comparator']} {_counted(row, 2)}",
                "RR (95% CI)": _with_interval(row, "rr"),
                "RD (95% CI)": _with_interval(row, "rd"),
                "NNT (95% CI)": row["nnt"],
                "in main pool": "yes" if row["is_selected"] else "no",
                "notes": row["notes"],
                "source": self.opened.source(row),
            }
            for row in rows_of(self._compared.fillna({"nnt": "NA"}))
        ]
        return Table(
            pd.DataFrame(rows),
            "People with the outcome in both arms",
            "RR risk ratio (0.5 added to every cell of a trial with an empty one), RD risk "
            "difference with Newcombe's interval, NNT number needed to treat: NNTB to benefit, "
            "NNTH to harm; an interval through infinity means that neither is excluded.",
            "No trial counted people in both arms in what could be read.",
        )

    @property
    def single_arms(self) -> Table:
        """Studies without comparison, beside the trials and never pooled with them."""
        rows = [
            {
                "outcome": row["construct_label"],
                "study": row["study_label"],
                "arm": row["arm"],
                "design": row["design"],
                "week": weeks(row["timepoint_weeks"]),
                "people": _counted(row, 1),
                "95% CI (Wilson)": percents(row["share_1_low"], row["share_1_high"]),
                "perhaps the same people as": self._same_people[row["study_id"]] or "none on file",
                "not all who began": self._chosen_people.get(row["study_id"], "not said"),
                "source": self.opened.source(row),
            }
            for row in rows_of(self.groups_alone)
        ]
        frame = pd.DataFrame(rows)
        if not set(self.groups_alone["study_id"]) & set(self._chosen_people):
            frame = frame.drop(columns="not all who began", errors="ignore")
        if not any(self._same_people[name] for name in self.groups_alone["study_id"]):
            frame = frame.drop(columns="perhaps the same people as", errors="ignore")
        return Table(frame, "Counted in one arm only: no comparison, never pooled")

    @property
    def pools_table(self) -> Table:
        """Main pools of the domain."""
        names = construct_labels(self.opened.derived)
        rows = [
            {
                "outcome": names[p.key["construct"]],
                "against": p.key["comparator_class"],
                "trials": ", ".join(p.trials["study_label"]),
                "people": str(p.people or "NR"),
                self._review.label: _added_up(p.trials, 1),
                "comparator": _added_up(p.trials, 2),
                f"{self.measure} (95% interval)": effect_read(p),
                "read by": p.read.method,
            }
            for p in self.rr_pools
        ]
        return Table(
            at_level(pd.DataFrame(rows), self.opened.protocol.model.level),
            "Pooled, or the one trial there is",
            f"The {MEASURES[self.measure]} is pooled from the trials, never from added-up counts.",
            "No outcome could be pooled.",
        )

    @property
    def event_counts(self) -> Table:
        """Outcomes that count events, not people."""
        rows = [
            {
                "trial": row["study_label"],
                "outcome": row["construct_label"],
                self._review.label: row["arm_1_data"],
                "comparator": f"{row['comparator']} {row['arm_2_data']}",
                "rate ratio (95% CI)": effect_of(row, estimate="yi"),
                "assumptions": row["assumptions"],
                "source": self.opened.source(row),
            }
            for row in rows_of(self.counted_events)
        ]
        return Table(
            pd.DataFrame(rows), "Counted as events, not as people: never a share of people"
        )

    @property
    def not_usable(self) -> Table:
        """What was printed of people, by arm or of two, but cannot be computed with."""
        text = self.opened.derived.evidence.text
        outcomes = text["outcomes"].set_index("outcome_id")
        raw = {
            (table, row["row_id"]): row
            for table in ("arm_events", "contrasts")
            for row in rows_of(text[table])
        }
        arms = text["arms"].set_index("arm_id")["label"].to_dict()
        rows = []
        for row in rows_of(
            self._of_domain(self.opened.derived.left_out, ("arm_events", "contrasts"))
        ):
            cells = raw[row["table"], row["row_id"]]
            named = [cells[name] for name in ("arm_id", "arm_1", "arm_2") if name in cells]
            rows.append(
                {
                    "study": row["study_label"],
                    "outcome": outcomes.loc[row["outcome_id"], "construct_label"],
                    "arm": " against ".join(arms[name] for name in named if name in arms),
                    "as reported": cells["as_reported"],
                    "why no effect": row["reason"],
                    "source": self.opened.source(cells),
                }
            )
        return Table(pd.DataFrame(rows), "Printed, but no share and no effect comes of it")

    @property
    def forest(self) -> FigureOutput:
        """Forest plot of the page's outcome."""
        effects = self.opened.derived.effects
        effects = effects[
            (effects["kind"] == CONTRAST) & (effects["comparator_class"] == self.comparator_class)
        ]
        beside = effects[
            (effects["construct"] == self.construct) & (effects["measure"] == self.measure)
        ]
        outcome = self.outcome
        if self.pool is not None:
            beside = beside[~beside["study_id"].isin(self.pool.trials["study_id"])]
        elif beside.empty and len(self.counted_events):
            # Where nobody counted people the one figure there is shows the counts of events.
            beside = effects[effects["effect_id"].isin(self.counted_events["effect_id"])]
            outcome = str(self.counted_events["construct_label"].iloc[0])
        return forest_of_pool(
            self.pool,
            beside=beside.drop_duplicates("study_id"),
            variants=self.variants[1:],
            comparator=self.comparator_class,
            evidence=self.opened.derived.evidence,
            name=f"forest_{self.domain}",
            title=f"{capitalised(self.opened.label)}: {outcome}",
        )

    @property
    def shares(self) -> FigureOutput:
        """Shares of people per arm with Wilson intervals."""
        return responder_output(
            f"shares_{self.domain}",
            self._arms(),
            title=f"{capitalised(self.opened.label)}: share of people with each {self.what}",
            treatment=self.drug,
            in_words=self.told_in_words,
        )

    @property
    def told_in_words(self) -> list[str]:
        """Counts that are no share of people, for those who look for them in the plot."""
        evidence = self.opened.derived.evidence
        labels = evidence.text["outcomes"].set_index("outcome_id")["construct_label"]
        raw = evidence.tables["arm_events"].set_index("row_id")
        return [
            f"{row['study_label']}: {labels[row['outcome_id']]} in "
            f"{raw.loc[row['row_id'], 'events']:g} of {raw.loc[row['row_id'], 'n']:g} "
            f"({row['reason']})"
            for row in rows_of(self._in_words)
        ]

    def _arms(self) -> pd.DataFrame:
        """One row an arm, as the share plot wants it."""
        rows = []
        for row in rows_of(self.chosen):
            is_compared = row["kind"] == CONTRAST
            when, whom = weeks(row["timepoint_weeks"]), row["analysis_set"]
            whom = "analysis set not stated" if whom == "not stated" else whom
            others = self._same_people[row["study_id"]]
            whom += f", perhaps the same people as {others}" if others else ""
            arms = [(1, self._review.label, 1)] if is_compared else [(1, row["arm"], 3)]
            if is_compared:
                arms.append((2, row["comparator"], 2))
            rows += [
                {
                    "study_label": row["study_label"],
                    "arm_label": label,
                    "group": group,
                    "threshold_label": row["construct_label"],
                    "events": row[f"events_{arm}"],
                    "n": row[f"n_{arm}"],
                    "proportion": row[f"share_{arm}"],
                    "ci_low": row[f"share_{arm}_low"],
                    "ci_high": row[f"share_{arm}_high"],
                    "note": f"week {when}, {whom}",
                }
                for arm, label, group in arms
            ]
        return pd.DataFrame(rows, columns=list(RESPONDER_COLUMNS))

    @cached_property
    def sentence(self) -> Text:
        """The page's outcome in words, then counts of events, then the single arms."""
        parts = [*self._pooled(), *map(_events_in_words, rows_of(self.counted_events))]
        return Text(" ".join([*parts, *self._shares_alone(), *self._arms_not_named()]))

    def _arms_not_named(self) -> list[str]:
        """What is told of outcome groups of the domain without naming the arm."""
        outcomes = self.opened.derived.evidence.text["outcomes"]
        own = set(outcomes.loc[outcomes["domain"] == self.domain, "construct"])
        groups = self.opened.protocol.outcome_groups
        return [
            f"{capitalised(group.group)}: {told}."
            for group in self.opened.groups
            if own >= set(groups[group.group]) and (told := self.opened.arm_not_named(group))
        ]

    def _pooled(self) -> list[str]:
        """Shares, ratio, and people per 1,000."""
        if self.pool is None:
            return [
                f"No study of {self.drug} against {self.comparator_class} gave numbers of people "
                f"with '{self.outcome}' that could be compared."
            ]
        trials = self.pool.trials
        shares = "; ".join(
            f"{row['study_label']} {row['arm_1_data']} against {row['arm_2_data']}"
            for row in rows_of(trials)
        )
        ratio = MEASURES[self.measure]
        made = f"Its {ratio} is" if self.pool.is_alone else f"The pooled {ratio} is"
        how = "" if self.pool.is_alone else f" ({self.pool.read.method})"
        parts = [
            f"{capitalised(count(len(trials), 'trial'))} ({people(self.pool.people)}) counted "
            f"'{self.outcome}': {shares}.",
            f"{made} {size(self.pool)}{how}; {crossing(self.pool, self.drug)}.",
        ]
        per = per_thousand(self.pool)
        if per:
            parts.append(
                f"Of 1,000 people like those in the comparison arms, {per['without']:.0f} had it "
                f"without {self.drug} and {per['with']:.0f} ({per['with_low']:.0f} to "
                f"{per['with_high']:.0f}) would be expected to with it."
            )
        times = sorted(set(trials["timepoint_weeks"]))
        if len(times) > 1 and times[-1] > 2 * times[0]:
            parts.append(f"Counted over different times: weeks {', '.join(map(weeks, times))}.")
        copied = trials.loc[trials["is_transcribed"].astype(bool), "study_label"]
        left = len(trials) - len(copied)
        without = f"{count(left, 'trial')} would be left" if left else "nothing could be computed"
        if len(copied):
            parts.append(
                f"The counts of {' and '.join(copied)} were read in a third party's transcription "
                f"of the papers' tables; without it {without}."
            )
        return parts

    def _shares_alone(self) -> list[str]:
        """Shares of people in one arm only, as a range; never pooled."""
        alone = self.chosen[
            (self.chosen["kind"] != CONTRAST) & (self.chosen["construct"] == self.construct)
        ]
        if not len(alone):
            return []
        shares = alone["share_1"]
        low, high = (percent(float(end)) for end in (shares.min(), shares.max()))
        names = ", ".join(dict.fromkeys(alone["study_label"]))
        return [
            f"Counted in one arm only ({names}): '{self.outcome}' in "
            f"{low if low == high else f'{low} to {high}'} of people; such a share says nothing "
            f"about what {self.drug} added."
        ]

    @property
    def sensitivity(self) -> Table:
        """The page's outcome under every named departure that changes something."""
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
        of_pool: dict[str, Any] = {}
        if self.pool is not None:
            of_pool = {
                "per_1000": per_thousand(self.pool),
                "weeks": list(self.pool.trials["timepoint_weeks"]),
            }
        return self.opened.facts(
            headline=str(self.headline),
            sentence=str(self.sentence),
            construct=self.construct,
            variants={name: pool_facts(found) for name, found in self.variants},
            arms={r["effect_id"]: {n: r[n] for n in ARM_FACTS} for r in rows_of(self.rows)},
            **of_pool,
            event_counts={
                row["effect_id"]: {
                    **{name: row[name] for name in ("events_1", "events_2", "yi", "vi")},
                    "rate_ratio": shown((row["yi"], row["ci_low"], row["ci_high"]), measure="IRR"),
                }
                for row in rows_of(self.counted_events)
            },
        )


def per_thousand(pool: Pool) -> dict[str, float]:
    """Natural frequencies from the comparison arms and the pooled comparison of two shares."""
    trials, read = pool.trials, pool.read
    control = float(trials["events_2"].sum() / trials["n_2"].sum())
    if not (math.isfinite(control) and control > 0):
        return {}
    measure = pool.key["measure"]
    told = shown((read.estimate, read.low, read.high), measure=measure)
    expected = (min(CAP, max(0.0, CAP * _risk_with(control, one, measure))) for one in told)
    return {
        "without": CAP * control,
        **dict(zip(("with", "with_low", "with_high"), expected, strict=True)),
    }


def _risk_with(control: float, told: float, measure: str) -> float:
    """Risk with the treatment from that without it and the measure, as displayed."""
    if measure == "RD":
        return control + told
    if measure == "RR" or control == 1.0:
        return control * told
    odds = told * control / (1.0 - control)
    return odds / (1.0 + odds)


def _events_in_words(row: dict[str, Any]) -> str:
    """Events counted as events, as a rate ratio; never a share of people."""
    ratio, low, high = shown((row["yi"], row["ci_low"], row["ci_high"]), measure="IRR")
    return (
        f"{row['study_label']} counted events, not people: {row['arm_1_data']} against "
        f"{row['arm_2_data']} on {row['comparator']} (rate ratio {fixed(ratio)}, "
        f"{interval(low, high)}, treating events as independent, which makes the interval too "
        "narrow)."
    )


def _counted(row: dict[str, Any], arm: int) -> str:
    return f"{row[f'events_{arm}']:g}/{row[f'n_{arm}']:g} ({percent(row[f'share_{arm}'])})"


def _added_up(trials: pd.DataFrame, arm: int) -> str:
    return f"{trials[f'events_{arm}'].sum():g}/{trials[f'n_{arm}'].sum():g}"


def _with_interval(row: dict[str, Any], name: str) -> str:
    return f"{fixed(row[name])} ({interval(row[f'{name}_low'], row[f'{name}_high'])})"


def responder_rates(*, indication: str, construct: str, **choices: Any) -> PeoplePage:
    """Open page 30: responders.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str
        Outcome of the forest plot and the sentence.
    **choices
        Those of ``ldn-meta parameters``; by the protocol unless given.

    Returns
    -------
    PeoplePage
    """
    return _opened(RESPONDERS, "responder", indication, construct, choices)


def safety(*, indication: str, construct: str, **choices: Any) -> PeoplePage:
    """Open page 40: harms; parameters as ``responder_rates``."""
    return _opened(SAFETY, "harm", indication, construct, choices)


def _opened(
    notebook: str, domain: str, indication: str, construct: str, choices: Mapping[str, Any]
) -> PeoplePage:
    opened = open_page(notebook, indication=indication, **choices)
    opened.parameters["construct"] = construct
    return PeoplePage(opened, domain, construct)
