"""Page 91: do the published claims hold? Every claim with its computation and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of, source_cell
from ldn_meta.display.words import CI_METHODS, fixed, interval
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.audit.claim_material import (
    Span,
    Spread,
    ThenAndNow,
    numbers_of,
    span_of,
    spread_on_file,
    standardised,
    then_and_now,
)
from ldn_meta.evidence.audit.claim_rules import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    VERDICTS,
    WITH_CAVEATS,
)
from ldn_meta.evidence.audit.claims import rules_of
from ldn_meta.evidence.audit.claims_reviews import published
from ldn_meta.evidence.audit.claims_trials import WhatIf, threshold_sums
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.effects.rows import Row, plain_rows
from ldn_meta.evidence.raw.tables import short_citation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.display.pages.page import Opened
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.audit.claim_rules import Rule
    from ldn_meta.evidence.audit.claims_trials import Ratio


CONDITION, CONSTRUCT, COMPARATOR = "fibromyalgia", "pain_intensity", "placebo"
# The computation of the claims that stand in the figure.
COMPUTATION = f"compare-pool:{CONSTRUCT}"
POINTS, STANDARDISED = "MD", "SMD"
IN_WORDS = {
    POINTS: "mean difference, points (0-10)",
    STANDARDISED: "standardised mean difference",
}


@dataclass(frozen=True)
class PublishedPools:
    """Published pooled results on one scale, and our pools on the same."""

    measure: str
    claims: list[Row]
    ours: ThenAndNow
    spread: Spread | None
    names: dict[str, str]

    @property
    def per(self) -> float:
        """What our points are divided by."""
        return self.spread.typical if self.spread is not None else 1.0

    @property
    def own(self) -> dict[str, Pool]:
        """Our pools by what they hold; a pool that approximations leave alone stands once."""
        year = f"{self.ours.newest:.0f}"
        words = {
            "then": f"trials before {year}",
            "then_approximate": f"trials before {year}, with approximated effects",
            "now": f"all trials, {year} included",
            "now_approximate": "all trials, with approximated effects",
        }
        found: dict[str, Pool] = {}
        for name, pool in self.ours.named.items():
            seen = [list(other.trials["effect_id"]) for other in found.values()]
            if pool is not None and list(pool.trials["effect_id"]) not in seen:
                found[words[name]] = pool
        return found

    def label(self, claim: Row) -> str:
        """Citation of a published result, and which of several of its source it is."""
        name = self.names[claim["claimed_in"]]
        return f"{name} (sensitivity analysis)" if "sensitivity" in claim["claim"] else name

    def figure(self) -> FigureOutput:
        """Forest plot: our pool with its trials, our other pools, the published results hollow."""
        import pandas as pd

        from ldn_meta.display.figures.forest import forest_output

        now = self.ours.now
        rows = [
            {
                "label": self.label(claim),
                **dict(zip(("yi", "ci_low", "ci_high"), _span(claim), strict=True)),
                "note": f"published, {claim['read_from']}",
            }
            for claim in self.claims
        ]
        others = [
            (f"{words}{self._interval(pool)}", self._result(pool))
            for words, pool in self.own.items()
            if pool is not now
        ]
        return forest_output(
            f"published_pain_{self.measure.lower()}",
            None if now is None else self._result(now),
            shown_only=pd.DataFrame(rows) if rows else None,
            summaries=others,
            direction=("favours LDN", "favours placebo"),
            x_label=IN_WORDS[self.measure],
            title=f"Pain in {CONDITION}, ours and published: {IN_WORDS[self.measure]}",
        )

    def _interval(self, pool: Pool) -> str:
        """Name the interval of a pool where it is another than that of the pool on top."""
        now, method = self.ours.now, pool.result.ci_method
        is_other = now is not None and method != now.result.ci_method
        return f", {CI_METHODS[method]}" if is_other else ""

    def _result(self, pool: Pool) -> Any:
        return pool.result if self.spread is None else standardised(pool, self.spread.typical)

    def rows(self) -> list[dict[str, str]]:
        """Lines of a table: published results, then ours."""
        scale = IN_WORDS[self.measure]
        now = self.ours.now
        ours = None if now is None else span_of(now, per=self.per)
        lines = []
        for claim in self.claims:
            theirs = _span(claim)
            lines.append(
                {
                    "result": self.label(claim),
                    "scale": scale,
                    "trials": "NR" if claim["k"] is None else f"{claim['k']:g}",
                    "effect (95% CI)": _text(theirs),
                    "our estimate in it": _in(theirs, ours),
                    "its estimate in ours": _in(ours, theirs),
                }
            )
        for words, pool in self.own.items():
            lines.append(
                {
                    "result": f"ours: {words}",
                    "scale": scale,
                    "trials": f"{len(pool.trials)}",
                    "effect (95% CI)": _text(span_of(pool, per=self.per)),
                    "our estimate in it": "",
                    "its estimate in ours": "",
                }
            )
        return lines

    def facts(self) -> dict[str, Any]:
        """Numbers of the figure, published and ours."""
        return {
            "published": {claim["claim_id"]: list(_span(claim)) for claim in self.claims},
            "ours": {
                words: {
                    "k": len(pool.trials),
                    **dict(
                        zip(
                            ("estimate", "ci_low", "ci_high"),
                            span_of(pool, per=self.per),
                            strict=True,
                        )
                    ),
                }
                for words, pool in self.own.items()
            },
            "standard_deviations": None if self.spread is None else list(self.spread),
        }


def published_pools(derived: Derived) -> tuple[PublishedPools, PublishedPools]:
    """Published pooled pain effects in points, and in standard deviations."""
    ours = then_and_now(
        derived.effects,
        derived.protocol,
        indication_id=CONDITION,
        construct=CONSTRUCT,
        comparator_class=COMPARATOR,
    )
    sources = plain_rows(derived.evidence.tables["sources"])
    names = {row["source_id"]: _citation(row) for row in sources}
    years = {row["source_id"]: row["year"] or 0 for row in sources}
    rows = [
        row
        for row in plain_rows(derived.evidence.tables["claims"])
        if row["computation"] == COMPUTATION and row["ci_low"] is not None
    ]
    rows.sort(key=lambda row: (years[row["claimed_in"]], row["claim_id"]))
    spread = None if ours.now is None else spread_on_file(derived.evidence, ours.now)
    return (
        PublishedPools(POINTS, [r for r in rows if r["measure"] == POINTS], ours, None, names),
        PublishedPools(
            STANDARDISED, [r for r in rows if r["measure"] == STANDARDISED], ours, spread, names
        ),
    )


def pools_table(blocks: tuple[PublishedPools, ...]) -> Table:
    """The rows of both figures."""
    import pandas as pd

    frame = pd.DataFrame([line for block in blocks for line in block.rows()])
    spread = next((block.spread for block in blocks if block.spread is not None), None)
    note = (
        "Negative favours LDN. With two trials our interval takes the spread between them as "
        "known. No published review has the newest trial. The abstracts do not name the scale of "
        "their mean differences; it is taken as 0-10."
    )
    if spread is not None:
        note += (
            f" Our points were divided by {fixed(spread.typical)}, the root mean square of the "
            f"standard deviations of pain at baseline that the trials printed; over all arms and "
            f"times they print {interval(spread.low, spread.high)}."
        )
    return Table(frame, "Published pooled effects on pain in fibromyalgia, and ours", note)


def _citation(source: Row) -> str:
    """Author and year; of a source without authors its title, for its key says little."""
    cited = short_citation(source)
    return f"{source['title']} ({cited})" if cited == source["source_id"] else cited


def _span(claim: Row) -> Span:
    found = published(claim)
    if found is None:
        message = f"{claim['claim_id']} has no interval"
        raise ValueError(message)
    return found


def _text(span: Span) -> str:
    return f"{fixed(span.estimate)} ({interval(span.low, span.high)})"


def _in(outer: Span | None, inner: Span | None) -> str:
    if outer is None or inner is None:
        return "not defined"
    return "yes" if outer.holds(inner.estimate) else "no"


def with_places(derived: Derived) -> pd.DataFrame:
    """Every claim as tested, with its role, and its place and kind of text in the source."""
    raw = derived.evidence.text["claims"]
    columns = ["claim_id", "role", "is_headline", "locator", "read_from"]
    return derived.claims.merge(raw[columns], on="claim_id", validate="one_to_one")


def write_claims(derived: Derived, rows: pd.DataFrame, *, is_short: bool = False) -> pd.DataFrame:
    """Write claims for readers: what, where, printed numbers, verdict, and what was computed."""
    import pandas as pd

    where = [source_cell(derived.evidence, row, key="claimed_in") for row in rows_of(rows)]
    shown = {
        "claim": list(rows["claim"]),
        "claimed in": where,
        "printed": [as_text(cell, "no number") for cell in rows["printed"]],
        "verdict": list(rows["verdict"]),
    }
    last = (
        {"computation": list(rows["computation"])}
        if is_short
        else {"what the computation gives": list(rows["sentence"])}
    )
    return pd.DataFrame({**shown, **last})


def as_text(cell: Any, missing: str = "") -> str:
    """A cell of text; something else where nothing is."""
    return cell if isinstance(cell, str) else missing


def rules_table(claims: pd.DataFrame, rules: Mapping[str, Rule]) -> Table:
    """Every rule of claim_rules.toml, with its question and when it gives which verdict."""
    import pandas as pd

    used = claims["computation"].str.partition(":")[0].value_counts()
    frame = pd.DataFrame(
        [
            {
                "computation": name,
                "claims": int(used.get(name, 0)),
                "what it does": rule.question,
                "when which verdict": rule.told,
            }
            for name, rule in rules.items()
        ]
    )
    return Table(frame, "How verdicts are given", "The same rule for every claim of a kind.")


def what_if_table(cases: Sequence[WhatIf]) -> Table:
    """What adding up two responder counts would do; a what-if, no accusation."""
    import pandas as pd

    frame = pd.DataFrame(
        [
            {
                "counted as responders": case.name,
                "LDN": f"{case.counts.events_1}/{case.counts.n_1}",
                "placebo": f"{case.counts.events_2}/{case.counts.n_2}",
                "risk ratio (95% CI)": _ratio(case.risk_ratio),
                "odds ratio (95% CI)": _ratio(case.odds_ratio),
                "pooled risk ratio, 30%": _ratio(case.pooled_ratio),
            }
            for case in cases
        ]
    )
    return Table(
        frame,
        "What if: FINAL's responders at two thresholds, added up",
        "A letter reportedly says that a review had added these counts. The letter was not "
        "seen; the table shows what an addition like that would do and says nothing "
        "about what "
        "anybody did. People at 50% are among those at 30%, so the sum counts them "
        "twice. Last "
        "column: all trials, with this trial counted so.",
    )


def _ratio(span: Ratio) -> str:
    return f"{fixed(span.estimate)} ({interval(span.low, span.high)})"


def what_if_facts(case: WhatIf) -> dict[str, Any]:
    """Numbers of one way to count."""
    return {
        "events_1": case.counts.events_1,
        "n_1": case.counts.n_1,
        "events_2": case.counts.events_2,
        "n_2": case.counts.n_2,
        "risk_ratio": list(case.risk_ratio),
        "odds_ratio": list(case.odds_ratio),
        "pooled_risk_ratio": list(case.pooled_ratio),
    }


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
        frame = with_places(self.derived)
        return frame if self.source == ALL else frame[frame["claimed_in"] == self.source]

    @cached_property
    def rules_on_file(self) -> Mapping[str, Rule]:
        """The rules of claim_rules.toml."""
        return rules_of(self.derived.evidence).rules

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
            write_claims(self.derived, rows),
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
        rule = self.rules_on_file["responder-sum"]
        return threshold_sums(self.derived.effects, self.derived.protocol, rule)

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
        frame = write_claims(self.derived, rows, is_short=True)
        return Table(
            frame,
            "All claims by source",
            "What each computation gave, in words and numbers, is in data/derived/claims.csv.",
        )

    @property
    def rules(self) -> Table:
        """Every rule, with what it does and when it gives which verdict."""
        return rules_table(self.claims, self.rules_on_file)

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
    """What is claimed about one indication, and whether it holds."""
    rows = with_places(opened.derived)
    rows = rows[rows["role"].isin(["conclusion", "result"])]
    rows = rows.sort_values(["is_headline", "claim_id"], ascending=[False, True], kind="stable")
    return Table(
        write_claims(opened.derived, rows),
        f"What is claimed about {opened.label}, and whether it holds",
        "Rules and all claims: page 91.",
    )


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    found = rows["verdict"].value_counts()
    return {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}
