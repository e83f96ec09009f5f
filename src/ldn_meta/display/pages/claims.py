"""Page 91: do the published claims hold? Every claim with its computation and verdict."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.claims_pools import PublishedPools, pools_table, published_pools
from ldn_meta.display.pages.claims_tables import (
    as_text,
    claim_rows,
    rules_table,
    what_if_facts,
    what_if_table,
)
from ldn_meta.display.provenance import footer
from ldn_meta.display.wording import fixed, interval
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    VERDICTS,
    WITH_CAVEATS,
    numbers_of,
)
from ldn_meta.evidence.claims_responder_sum import WhatIf, responder_sums
from ldn_meta.evidence.derived import Derived, load_derived

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.display.pages.opened import Opened

NOTEBOOK = "91_claims"
ALL = "all"
WORST_FIRST = (NOT_SUPPORTED, WITH_CAVEATS, CANNOT_BE_TESTED, SUPPORTED)


class ClaimsPage:
    """The claims of all sources, or of one."""

    def __init__(self, derived: Derived, source: str) -> None:
        self.derived = derived
        self.source = source

    @cached_property
    def claims(self) -> pd.DataFrame:
        """Every claim as tested, with its role, source, place and kind of text."""
        raw = self.derived.evidence.text["claims"]
        columns = ["claim_id", "role", "is_headline", "locator", "read_from"]
        frame = self.derived.claims.merge(raw[columns], on="claim_id", validate="one_to_one")
        return frame if self.source == ALL else frame[frame["claimed_in"] == self.source]

    @property
    def headlines(self) -> pd.DataFrame:
        """The claims shown first."""
        return self.claims[self.claims["is_headline"] == "yes"]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Claims by verdict."""
        return _counts(self.claims)

    @property
    def headline(self) -> Text:
        """How many claims, of how many sources, with which verdicts."""
        sources = self.claims["claimed_in"].nunique()
        told = ", ".join(f"{n} {verdict}" for verdict, n in self.counts.items())
        return Text(
            f"**{len(self.claims)} published claims of {sources} sources**, each tested by a "
            f"named "
            f"computation: {told}."
        )

    @property
    def first(self) -> Table:
        """The headline claims, worst verdict first, each with what its computation gives."""
        rows = self.headlines.assign(place=self.headlines["verdict"].map(WORST_FIRST.index))
        rows = rows.sort_values(["place", "claimed_in", "claim_id"], kind="stable")
        return Table(
            claim_rows(self.derived, rows),
            "The claims that conclusions rest on",
            "Claims in our words. Not supported: the computation contradicts the claim, or the "
            "claim does not follow from its data. Cannot be tested: neither.",
        )

    @cached_property
    def pools(self) -> tuple[PublishedPools, PublishedPools]:
        """Published pain results in points and in standard deviations, with ours."""
        return published_pools(self.derived)

    @property
    def pools_in_points(self) -> FigureOutput:
        """Published mean differences beside ours."""
        return self.pools[0].figure()

    @property
    def pools_standardised(self) -> FigureOutput:
        """Published standardised differences beside ours."""
        return self.pools[1].figure()

    @property
    def pools_table(self) -> Table:
        """The rows of the two figures."""
        return pools_table(self.pools)

    @cached_property
    def what_if(self) -> list[WhatIf]:
        """Responders of FINAL at two thresholds and added up."""
        return responder_sums(self.derived.effects, self.derived.protocol)

    @property
    def responder_table(self) -> Table:
        """What adding up two responder counts would do; a what-if, no accusation."""
        return what_if_table(self.what_if)

    @cached_property
    def sentence(self) -> Text:
        """What the headline claims come to."""
        rows = self.headlines
        told = [f"{n} {verdict}" for verdict, n in _counts(rows).items()]
        text = f"Of {len(rows)} headline claims: {', '.join(told)}."
        block = self.pools[0]
        if block.ours.now is not None:
            ours = next(v for k, v in block.own.items() if v is block.ours.now).result
            published = [claim for b in self.pools for claim in b.claims]
            text += (
                f" {len(published)} published pooled results on pain in fibromyalgia stand beside "
                f"our pool, which alone has the trial of {block.ours.newest:.0f}: "
                f"{fixed(ours.estimate)} points of 0-10 ({interval(ours.ci_low, ours.ci_high)})."
            )
        return Text(text)

    @property
    def dose(self) -> Text:
        """Where the dose claims go on."""
        return Text(
            "What an up-and-down trial can say about the dose that works in most people depends "
            "on its design; the page on dose simulates it."
        )

    @property
    def by_source(self) -> Table:
        """Every claim, compact, grouped by source."""
        rows = self.claims.sort_values(["claimed_in", "claim_id"], kind="stable")
        frame = claim_rows(self.derived, rows, is_short=True)
        return Table(
            frame,
            "All claims by source",
            "What each computation gave, in words and numbers, is in data/derived/claims.csv.",
        )

    @property
    def rules(self) -> Table:
        """Every computation, with its rule for verdicts, from its own docstring."""
        return rules_table(self.claims)

    @cached_property
    def facts(self) -> Facts:
        """Every number of every claim, of the figures and of the what-if."""
        return Facts(
            {
                "headline": str(self.headline),
                "sentence": str(self.sentence),
                "verdicts": self.counts,
                "headline_verdicts": _counts(self.headlines),
                "claims_tested": len(self.claims),
                "headline_claims": len(self.headlines),
                "published_results": sum(len(block.claims) for block in self.pools),
                "newest_trial": self.pools[0].ours.newest,
                "pools": {block.measure: block.facts() for block in self.pools},
                "what_if": {case.name: what_if_facts(case) for case in self.what_if},
                "claims": {
                    row["claim_id"]: {
                        "verdict": row["verdict"],
                        "computation": row["computation"],
                        "sentence": row["sentence"],
                        "numbers": numbers_of(as_text(row["numbers"])),
                    }
                    for row in rows_of(self.claims)
                },
            }
        )

    def footer(self) -> Table:
        """Provenance."""
        parameters: dict[str, Any] = {"source": self.source}
        return footer(NOTEBOOK, parameters, [self.derived.claims, self.derived.effects])


def claims(*, source: str = ALL) -> ClaimsPage:
    """Open page 91.

    Parameters
    ----------
    source : str
        Key in ``sources.csv``: only its claims; all by default.

    Returns
    -------
    ClaimsPage

    Raises
    ------
    ArgumentError
        If no claim is of that source.
    StaleError
        If the derived tables do not belong to the raw ones.
    """
    derived = load_derived()
    known = sorted(set(derived.claims["claimed_in"]))
    if source != ALL and source not in known:
        message = f"source: {source!r} makes no claim; allowed: {ALL}, {', '.join(known)}"
        raise ArgumentError(message)
    return ClaimsPage(derived, source)


def claims_table(opened: Opened) -> Table:
    """What is claimed about one indication, and whether it holds.

    Parameters
    ----------
    opened : Opened

    Returns
    -------
    Table
        Conclusions and results, not what reviews say about themselves; headline claims first.
    """
    raw = opened.derived.evidence.text["claims"]
    columns = ["claim_id", "role", "is_headline", "locator", "read_from"]
    rows = opened.derived.claims.merge(raw[columns], on="claim_id", validate="one_to_one")
    rows = rows[rows["role"].isin(["conclusion", "result"])]
    rows = rows.sort_values(["is_headline", "claim_id"], ascending=[False, True], kind="stable")
    return Table(
        claim_rows(opened.derived, rows),
        f"What is claimed about {opened.label}, and whether it holds",
        "Rules and all claims: page 91.",
    )


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    found = rows["verdict"].value_counts()
    return {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}
