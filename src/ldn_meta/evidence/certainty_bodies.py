"""The bodies of evidence whose certainty is rated: an outcome, a comparator, and its studies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.bayes_pool import interval_to_read
from ldn_meta.evidence.candidates import COMPARATOR, CONTRAST
from ldn_meta.evidence.certainty_body import MAIN_OUTCOME, MISSING, NOT_TOLD, RATED, Body
from ldn_meta.evidence.selection import FURTHER_ARM
from ldn_meta.evidence.synthesis import (
    DIRECTION_ONLY,
    NO_COMPARISON,
    NOT_STATED,
    NOTHING,
    build_pools,
    possible_synthesis,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.evidence.synthesis import Pool

NOT_COMPARED = "none"
ACTIVE = "active drug"
TWO_ARMS = 2
# Best first: who of a study counts when nobody says how many were compared.
SIZES = ("n_analysed", "n_completed", "n_randomised", "n_enrolled")


def bodies_of_evidence(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> list[Body]:
    """Every body of evidence that is rated, or said not to be ratable.

    The main outcome of each reported indication, then of each outcome group of the protocol
    the construct with the best synthesis; each against the main comparator, and against every
    other comparator with a comparison that tells something.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol
    effects, left_out : pandas.DataFrame
        From ``normalise``.

    Returns
    -------
    list of Body
        In reading order.
    """
    rows = evidence.text["indications"].to_dict("records")
    reported = [{str(n): v for n, v in row.items()} for row in rows if row["is_reported"] == "yes"]
    found: list[Body] = []
    for row in sorted(reported, key=lambda row: int(row["sort_order"])):
        name = row["indication_id"]
        own = _Material(
            row,
            evidence,
            protocol,
            effects[effects["indication_id"] == name] if len(effects) else effects,
            left_out[left_out["indication_id"] == name] if len(left_out) else left_out,
        )
        found.extend(own.bodies())
    return found


@dataclass(frozen=True, eq=False)
class _Material:
    """Everything of one indication."""

    indication: dict[str, str]
    evidence: Evidence
    protocol: Protocol
    effects: pd.DataFrame
    left_out: pd.DataFrame

    def bodies(self) -> Iterator[Body]:
        main = self.indication["main_construct"]
        yield from self._against_each(MAIN_OUTCOME, [main])
        for group in self.protocol.certainty.also_rated:
            constructs = [
                name
                for name in self.protocol.outcome_groups[group]
                if name != main and name in self._reported
            ]
            if constructs:
                yield from self._against_each(group, constructs)

    @cached_property
    def _reported(self) -> set[str]:
        """Constructs that a row of the indication is about."""
        frames = [frame for frame in (self.effects, self.left_out) if len(frame)]
        return {name for frame in frames for name in frame["construct"]}

    def _against_each(self, outcome: str, constructs: list[str]) -> Iterator[Body]:
        main = self.indication["main_comparator"]
        others = sorted(self._comparators(constructs) - {main})
        first = self._best(outcome, constructs, main)
        further = [self._best(outcome, constructs, name) for name in others]
        told = [body for body in further if body.is_rated]
        # A main comparator without anything is only worth a line where nothing else is told.
        if first.kind != NOTHING or (outcome == MAIN_OUTCOME and not told):
            yield first
        yield from told

    def _comparators(self, constructs: list[str]) -> set[str]:
        found: set[str] = set()
        for frame in (self.effects, self.left_out):
            if len(frame):
                is_own = frame["construct"].isin(constructs) & (frame["kind"] == CONTRAST)
                found |= set(frame.loc[is_own, "comparator_class"])
        return found - {FURTHER_ARM, NOT_COMPARED}

    def _best(self, outcome: str, constructs: list[str], comparator: str) -> Body:
        """The construct with the best synthesis; among equals the first."""
        order = (*RATED, NOT_TOLD, NO_COMPARISON, NOTHING)
        bodies = [self._body(outcome, name, comparator) for name in constructs]
        return min(bodies, key=lambda body: (order.index(body.kind), -len(body.studies)))

    @cached_property
    def _pools(self) -> list[Pool]:
        return build_pools(self.effects, self.protocol.selection, self.protocol.model)

    def _body(self, outcome: str, construct: str, comparator: str) -> Body:
        is_main = comparator == self.indication["main_comparator"]
        allowed = {comparator, NOT_COMPARED} if is_main else {comparator}
        frames = [
            frame[frame["comparator_class"].isin(allowed)] if len(frame) else frame
            for frame in (self.effects, self.left_out)
        ]
        pools = [p for p in self._pools if p.key["comparator_class"] == comparator]
        found = possible_synthesis(frames[0], frames[1], pools, constructs=[construct])
        fitting = [p for p in pools if p.key["construct"] == construct]
        pool = max(fitting, key=lambda p: len(p.trials)) if fitting else None
        told = {n: word for n, word in found["directions"].items() if word != NOT_STATED}
        kind = found["synthesis"]
        if kind == DIRECTION_ONLY and not told:
            kind = NOT_TOLD
        studies = self._studies(construct, pool, told)
        told = told if pool is not None else {s["label"]: told[s["label"]] for s in studies}
        return Body(
            indication=self.indication,
            outcome=outcome,
            construct=construct,
            comparator_class=comparator,
            comparator=self._named(comparator, studies),
            kind=kind,
            pool=pool,
            told=told,
            studies=tuple(studies),
            weights=_weights(pool, studies),
            registered=self._registered(),
            read_by=None if pool is None else interval_to_read(pool, self.protocol),
            **self._of_outcome(construct),
        )

    def _studies(
        self, construct: str, pool: Pool | None, told: dict[str, str]
    ) -> list[dict[str, Any]]:
        """Rows of the pool's trials, else of the studies that tell; randomised ones alone."""
        rows = {row["study_id"]: row for row in self._all_studies}
        if pool is not None:
            return [rows[name] for name in pool.trials["study_id"]]
        telling = [row for row in rows.values() if row["label"] in told]
        randomised = [row for row in telling if row["is_randomised"] == "yes"]
        return [
            {**row, "people": self._people(row, construct)}
            for row in sorted(
                randomised or telling, key=lambda row: (row["year"], row["study_id"])
            )
        ]

    @cached_property
    def _all_studies(self) -> list[dict[str, Any]]:
        rows = self.evidence.text["studies"].to_dict("records")
        return [{str(name): cell for name, cell in row.items()} for row in rows]

    def _named(self, comparator: str, studies: list[dict[str, Any]]) -> str:
        """The drug behind "active drug", if it is the same in every study."""
        arms = self.evidence.text["arms"]
        own = arms[arms["study_id"].isin([study["study_id"] for study in studies])]
        names = set(own.loc[own["group"] == str(COMPARATOR), "label"])
        return names.pop() if comparator == ACTIVE and len(names) == 1 else comparator

    def _people(self, study: dict[str, Any], construct: str) -> int:
        """People in a study's comparisons of a construct, or in the study; 0 is not known.

        The size of a study of more than two arms is not that of one comparison in it.
        """
        contrasts, outcomes = self.evidence.contrasts, self.evidence.outcomes
        of_construct = outcomes.loc[outcomes["construct"] == construct, "outcome_id"]
        own = contrasts[
            (contrasts["study_id"] == study["study_id"])
            & contrasts["outcome_id"].isin(list(of_construct))
        ]
        compared = own["n_1"] + own["n_2"].where(~own["is_paired"].astype(bool), 0)
        if compared.notna().any():
            return int(compared.max())
        if (self.evidence.arms["study_id"] == study["study_id"]).sum() > TWO_ARMS:
            return 0
        return next((int(study[name]) for name in SIZES if study[name].isdigit()), 0)

    def _of_outcome(self, construct: str) -> dict[str, Any]:
        rows = self.evidence.text["outcomes"]
        row = rows[rows["construct"] == construct].iloc[0]
        return {
            "construct_label": row["construct_label"],
            "domain": row["domain"],
            "counted": row["kind"],
            "benefit_sign": math.nan
            if row["benefit_sign"] in MISSING
            else float(row["benefit_sign"]),
        }

    def _registered(self) -> tuple[str, ...]:
        rows = self.evidence.text["studies"]
        own = rows[
            (rows["indication_id"] == self.indication["indication_id"])
            & rows["status"].isin(["registered", "protocol", "unpublished"])
        ]
        return tuple(own["label"])


def _weights(pool: Pool | None, studies: list[dict[str, Any]]) -> tuple[float, ...]:
    if pool is None:
        return tuple(1 / len(studies) for _ in studies)
    given = [float(weight) for weight in pool.result.weight_pct]
    return tuple(weight / sum(given) for weight in given)
