"""Pages 30 and 40: people with an event, in trials and in single arms."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display import counted
from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.page_facts import pool_facts
from ldn_meta.display.pages import people_tables
from ldn_meta.display.pages.forest_page import forest_of_pool
from ldn_meta.display.pages.opened import Opened, construct_labels, open_page
from ldn_meta.display.wording import (
    capitalised,
    count,
    shown,
)
from ldn_meta.evidence.candidates import CONTRAST
from ldn_meta.evidence.synthesis import find_pool, sensitivity_pools

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.evidence.synthesis import Pool

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
        return sensitivity_pools(
            self.opened.derived.effects,
            self.opened.protocol,
            construct=self.construct,
            comparator_class=self.comparator_class,
        )

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
        return people_tables.comparisons(self)

    @property
    def single_arms(self) -> Table:
        """Studies without comparison, beside the trials and never pooled with them."""
        return people_tables.single_arms(self)

    @property
    def pools_table(self) -> Table:
        """Main pools of the domain."""
        return people_tables.pools_table(self)

    @property
    def event_counts(self) -> Table:
        """Outcomes that count events, not people."""
        return people_tables.event_counts(self)

    @property
    def not_usable(self) -> Table:
        """Numbers of people that were printed but cannot be computed with."""
        return people_tables.not_usable(self)

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
            people_tables.arms_long(self.chosen),
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
            counted.pooled_events(
                self.pool, label=self.outcome, drug=self.drug, comparator=self.comparator_class
            ),
            counted.event_counts(self.counted_events),
            counted.single_arms(single, label=self.outcome, drug=self.drug),
        ]
        return Text(" ".join(part for part in parts if part))

    @property
    def sensitivity(self) -> Table:
        """The page's outcome under every named departure that changes something."""
        from ldn_meta.display.pages.variants import variants_table

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
            values["per_1000"] = counted.per_thousand(self.pool)
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
