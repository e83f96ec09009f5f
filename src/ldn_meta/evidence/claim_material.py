"""What the computations on claims look things up in: claims, studies, sizes, values by source."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ldn_meta.evidence.candidates import Context, Row, number, plain_rows
from ldn_meta.evidence.citations import short_citation
from ldn_meta.evidence.claim_findings import NotOnFileError, first, listed
from ldn_meta.evidence.claim_pools import ThenAndNow, then_and_now
from ldn_meta.evidence.load import VALUE_TABLES
from ldn_meta.evidence.synthesis import (
    EITHER_WAY,
    FAVOURS_COMPARATOR,
    FAVOURS_LDN,
    NO_DIFFERENCE,
    NOT_STATED,
    PARTLY_COMPARATOR,
    PARTLY_LDN,
    interval_direction,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

# Numbers as reports print them: 4,960 is one number, and a sign is no minus between numbers.
PRINTED = re.compile(r"(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)?|(?<![\w.])\.\d+")
SIZES = ("n_enrolled", "n_randomised", "n_completed", "n_analysed")
ULTRA_LOW_DOSE = "opioid_combination"
# Columns of effects that claims are looked up by.
LOOKED_UP = (
    "study_id",
    "indication_id",
    "construct",
    "comparator_class",
    "measure",
    "kind",
    "is_selected",
    "year",
)
# Below it a claim calls a difference one.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Material:
    """Raw and derived tables with the look-ups that claims need.

    Attributes
    ----------
    evidence : Evidence
    protocol : Protocol
    effects, left_out : pandas.DataFrame
        As ``normalise`` gives them.
    """

    evidence: Evidence
    protocol: Protocol
    effects: pd.DataFrame
    left_out: pd.DataFrame
    context: Context = field(init=False)
    _pools: dict[tuple[str, ...], ThenAndNow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "context", Context(self.evidence, self.protocol))
        if self.effects.empty:
            # A frame of no effects may have no columns either.
            object.__setattr__(self, "effects", self.effects.reindex(columns=list(LOOKED_UP)))

    @cached_property
    def claims(self) -> dict[str, Row]:
        """Rows of claims.csv by key, typed."""
        return {row["claim_id"]: row for row in plain_rows(self.evidence.tables["claims"])}

    @cached_property
    def sources(self) -> dict[str, Row]:
        """Rows of sources.csv by key."""
        return {row["source_id"]: row for row in plain_rows(self.evidence.tables["sources"])}

    @cached_property
    def facts(self) -> list[Row]:
        """Rows of study_facts.csv that are not of low reliability."""
        rows = plain_rows(self.evidence.tables["study_facts"])
        return [row for row in rows if row["reliability"] != "low"]

    def study(self, claim: Row) -> Row:
        """The study a claim rests on.

        Raises
        ------
        NotOnFileError
            If it names none.
        """
        if claim["study_id"] is None:
            raise NotOnFileError("one study that the claim rests on")
        return self.context.studies[claim["study_id"]]

    def fact(self, study_id: str, name: str, qualifier: str | None = None) -> Row | None:
        """The preferred statement of a fact about a study, if there is one."""
        rows = [
            row
            for row in self.facts
            if (row["study_id"], row["fact"], row["qualifier"]) == (study_id, name, qualifier)
        ]
        return next((row for row in rows if row["preferred"]), None)

    def closeness(self, read_from: str) -> int:
        """Rank of a kind of text by the protocol; 0 is closest to the paper."""
        return self.protocol.selection.read_from.index(read_from)

    def results(self, study_id: str, constructs: Iterable[str], *, without: str) -> list[Row]:
        """Value rows of a study about some constructs, from other sources, closest text first.

        Parameters
        ----------
        study_id : str
        constructs : iterable of str
        without : str
            The source whose rows do not count: nobody is his own witness.

        Returns
        -------
        list of Row
            Rows of low reliability are not among them.
        """
        wanted = set(constructs)
        rows = [
            row
            for table in VALUE_TABLES
            for row in self.context.table(table)
            if row["study_id"] == study_id
            and self.context.outcomes[row["outcome_id"]]["construct"] in wanted
            and row["source_id"] != without
            and row["reliability"] != "low"
        ]
        return sorted(rows, key=lambda row: self.closeness(row["read_from"]))

    def pools(
        self, indication_id: str, construct: str, comparator_class: str = "placebo"
    ) -> ThenAndNow:
        """Our pools of an outcome, then and now; many claims are about the same ones."""
        key = (indication_id, construct, comparator_class)
        if key not in self._pools:
            self._pools[key] = then_and_now(
                self.effects,
                self.protocol,
                indication_id=indication_id,
                construct=construct,
                comparator_class=comparator_class,
            )
        return self._pools[key]

    def source(self, source_id: str) -> str:
        """A source as a citation: first author and year."""
        return short_citation(self.sources[source_id])

    def label(self, construct: str) -> str:
        """What a construct is called for readers; its name with blanks when none is on file."""
        rows = self.context.outcomes.values()
        found = (row["construct_label"] for row in rows if row["construct"] == construct)
        return str(next(found, construct.replace("_", " ")))

    def indication(self, indication_id: str) -> str:
        """What an indication is called for readers."""
        return str(self.indication_row(indication_id)["label"])

    def indication_row(self, indication_id: str) -> Row:
        """Row of indications.csv."""
        rows = plain_rows(self.evidence.tables["indications"])
        return first((r for r in rows if r["indication_id"] == indication_id), indication_id)

    def randomised(
        self, indication_id: str | None = None, *, until: float = math.inf
    ) -> list[Row]:
        """Randomised comparative studies with a report, by year.

        Parameters
        ----------
        indication_id : str, optional
            One indication; without it all that get pages, but for opioid combinations.
        until : float
            Last year that counts; a study without a year never does.
        """
        if indication_id is None:
            rows = plain_rows(self.evidence.tables["indications"])
            kept = {row["indication_id"] for row in rows if row["is_reported"]} - {ULTRA_LOW_DOSE}
        else:
            kept = {indication_id}
        found = [
            study
            for study in self.context.studies.values()
            if study["indication_id"] in kept
            and study["eligible_for"] == "contrast"
            and study["is_randomised"]
            and study["status"] in ("published", "unpublished")
            and number(study["year"]) <= until
        ]
        return sorted(found, key=lambda study: (study["year"], study["study_id"]))

    def needed(self, study_id: str, name: str) -> float:
        """The number that the preferred source gives for a fact without a qualifier.

        Raises
        ------
        NotOnFileError
            If no source does.
        """
        row = self.fact(study_id, name)
        if row is None or row["value"] is None:
            raise NotOnFileError(f"{name.replace('_', ' ')} of {study_id}")
        return number(row["value"])

    def size(self, study: Row) -> float:
        """People a study began with; NaN when nobody says."""
        given = (study["n_randomised"], study["n_enrolled"], study["n_analysed"])
        return next((float(n) for n in given if n is not None), math.nan)

    def constructs(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Constructs of some outcome groups of the protocol."""
        return tuple(c for group in groups for c in self.protocol.outcome_groups.get(group, ()))

    def directions(self, studies: Iterable[Row], constructs: Iterable[str]) -> dict[str, str]:
        """What each study found on some outcomes: one direction a study, by label.

        Intervals of selected effects speak first, then the direction that the preferred report
        states. A study that says nothing about these outcomes is not in the answer.
        """
        wanted = set(constructs)
        found = {}
        for study in studies:
            words = self._computed(study["study_id"], wanted) or self._stated(
                study["study_id"], wanted
            )
            if words:
                found[str(study["label"])] = _together(words)
        return found

    def _computed(self, study_id: str, wanted: set[str]) -> set[str]:
        rows = self.effects[
            (self.effects["study_id"] == study_id)
            & self.effects["construct"].isin(wanted)
            & self.effects["is_selected"].astype(bool)
        ]
        return {
            interval_direction(row["ci_low"], row["ci_high"], row["benefit_sign"])
            for row in rows.to_dict("records")
        } - {NOT_STATED}

    def _stated(self, study_id: str, wanted: set[str]) -> set[str]:
        rows = [
            row
            for row in self.context.table("contrasts")
            if row["study_id"] == study_id
            and row["arm_2"] is not None
            and self.context.outcomes[row["outcome_id"]]["construct"] in wanted
            and row["direction"] != NOT_STATED
            and row["reliability"] != "low"
        ]
        preferred = [row for row in rows if row["preferred"]] or rows
        return {NO_DIFFERENCE if tells(row) is False else row["direction"] for row in preferred}


def _together(words: set[str]) -> str:
    """One of favours LDN, no difference, favours comparator, conflicting."""
    for_ldn = bool(words & {FAVOURS_LDN, PARTLY_LDN})
    for_comparator = bool(words & {FAVOURS_COMPARATOR, PARTLY_COMPARATOR})
    if for_ldn and for_comparator:
        return "conflicting"
    if for_ldn:
        return FAVOURS_LDN
    if for_comparator:
        return FAVOURS_COMPARATOR
    return NO_DIFFERENCE if words & {NO_DIFFERENCE, EITHER_WAY} else "conflicting"


def tells(row: Row) -> bool | None:
    """Whether a comparison speaks of a difference, by its P or its words; None if by neither.

    A direction that goes with a P of 0.05 or more is that of an estimate, not of a difference.
    """
    relation, p = row["p_relation"], row["p_value"]
    if relation == "ns":
        return False
    if relation == "sig" or (relation == "<" and p is not None and p <= SIGNIFICANT):
        return True
    if relation == "=" and p is not None:
        return bool(p < SIGNIFICANT)
    return None if row["direction"] == NOT_STATED else bool(row["direction"] != NO_DIFFERENCE)


def count_of(found: dict[str, str], word: str) -> float:
    """How many studies found a direction."""
    return float(sum(direction == word for direction in found.values()))


def named(found: dict[str, str], word: str) -> str:
    """The studies that found a direction, by name."""
    return listed(label for label, direction in found.items() if direction == word)


def printed_numbers(text: str | None) -> list[str]:
    """Numbers in what a source printed, as typed but for commas; ``.21`` becomes ``0.21``."""
    found = [part.replace(",", "").lstrip("+") for part in PRINTED.findall(text or "")]
    return [f"0{part}" if part.startswith(".") else part for part in found]


def prints_as(value: float, printed: str) -> bool:
    """Whether a value rounds to a printed number, whatever its sign."""
    decimals = len(printed.partition(".")[2])
    # A thousandth of a unit of slack: 0.285 is not held exactly.
    slack = 0.501 * 10.0**-decimals
    return math.isfinite(value) and abs(abs(value) - abs(float(printed))) <= slack
