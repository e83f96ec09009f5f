"""Page 91: do the published claims hold? Every claim with its computation and verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, footer, named, rows_of, source_cell
from ldn_meta.display.words import capitalised, fixed, interval, spanned
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.audit.claim_material import (
    Span,
    Spread,
    numbers_of,
    pools_of,
    priors_of,
    span_of,
    spread_on_file,
    standardised,
)
from ldn_meta.evidence.audit.claims import rules_of
from ldn_meta.evidence.audit.claims_reviews import published
from ldn_meta.evidence.audit.claims_trials import CELLS, WhatIf, threshold_sums
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.effects.rows import Row, plain_rows
from ldn_meta.evidence.raw.review import (
    CANNOT_BE_TESTED,
    COMPATIBLE,
    CONTRADICTED,
    SUPPORTED,
    VERDICTS,
    WITH_CAVEATS,
)
from ldn_meta.evidence.raw.tables import short_citation

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.display.pages.page import Opened
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.raw.review import PublishedPool, Review, Rule


NOTEBOOK = "91_claims"
# Claims about sizes and searches; the role of claims.csv.
BOOKKEEPING = "description"
ALL = "all"
WORST_FIRST = (CONTRADICTED, COMPATIBLE, WITH_CAVEATS, CANNOT_BE_TESTED, SUPPORTED)
POINTS, STANDARDISED = "MD", "SMD"
NOT_TESTED = "not tested"
NO_POOL = "No published pooled result is set beside a pool of the trials on file."
NO_SUM = "None: no claim rule adds up two counts of one trial."
NO_CLAIM = "No published claim is on file, so none was tested."


@dataclass(frozen=True)
class PublishedPools:
    """Published pooled results on one scale, and our pools on the same."""

    question: PublishedPool
    review: Review
    condition: str
    measure: str
    claims: list[Row]
    # Our pools on this scale by what they hold; the newest year, and the pool that has it.
    own: Mapping[str, Pool]
    newest: float
    now: Pool | None
    spread: Spread | None
    names: Mapping[str, str]

    @property
    def outcome(self) -> str:
        """The outcome in a word."""
        name = self.question.construct
        return self.review.short.get(name, name.replace("_", " "))

    @property
    def scale(self) -> str:
        """The scale in words."""
        return self.question.points if self.measure == POINTS else "standardised mean difference"

    def label(self, claim: Row) -> str:
        """Citation of a published result, and which of several of its source it is."""
        name = self.names[claim["claimed_in"]]
        return f"{name} (sensitivity analysis)" if "sensitivity" in claim["claim"] else name

    def note(self, claim: Row) -> str:
        """What kind of text prints a result, and whether it was corrected since."""
        corrected = "" if claim["corrected_in"] is None else "; corrected since, not tested"
        return f"published, {claim['read_from']}{corrected}"

    def figure(self) -> FigureOutput:
        """Forest plot: our pool with its trials, our other pools, the published results hollow."""
        from ldn_meta.display.figures.forest import forest_output
        from ldn_meta.display.pages.page import diamond, drawn

        now, outcome = self.now, self.outcome
        rows = [
            {
                "label": self.label(claim),
                **dict(zip(("yi", "ci_low", "ci_high"), _span(claim), strict=True)),
                "note": self.note(claim),
            }
            for claim in self.claims
        ]
        others = [
            (f"{words}, {pool.read.method}", diamond(pool))
            for words, pool in self.own.items()
            if pool is not now
        ]
        sides = (f"favours {self.review.label}", f"favours {self.question.comparator}")
        return forest_output(
            f"published_{outcome.replace(' ', '_')}_{self.measure.lower()}",
            **drawn(now),
            shown_only=pd.DataFrame(rows) if rows else None,
            summaries=others,
            direction=sides if self.question.benefit == "negative" else sides[::-1],
            x_label=self.scale,
            title=f"{capitalised(outcome)} in {self.condition}, ours and published: {self.scale}",
        )

    def rows(self) -> list[dict[str, str]]:
        """Lines of a table: published results, then ours."""
        now = None if self.now is None else span_of(self.now)
        published_ones = [
            (
                f"{self.label(claim)}{_untested(claim)}",
                "NR" if claim["k"] is None else f"{claim['k']:g}",
                _span(claim),
                *_each_in_other(claim, now),
            )
            for claim in self.claims
        ]
        own = [
            (f"ours: {words} ({pool.read.method})", str(len(pool.trials)), span_of(pool), "", "")
            for words, pool in self.own.items()
        ]
        return [
            {
                "result": result,
                "scale": self.scale,
                "trials": trials,
                "effect (95% CI)": spanned(span),
                "our estimate in it": ours_in_it,
                "its estimate in ours": it_in_ours,
            }
            for result, trials, span, ours_in_it, it_in_ours in (*published_ones, *own)
        ]

    def facts(self) -> dict[str, Any]:
        """Numbers of the figure, published and ours."""
        names = ("estimate", "ci_low", "ci_high")
        return {
            "published": {claim["claim_id"]: list(_span(claim)) for claim in self.claims},
            "ours": {
                words: {
                    "k": len(pool.trials),
                    **dict(zip(names, span_of(pool), strict=True)),
                }
                for words, pool in self.own.items()
            },
            "standard_deviations": None if self.spread is None else list(self.spread),
        }


def published_pools(derived: Derived) -> tuple[PublishedPools, ...]:
    """Published pooled effects in points and in standard deviations, if the review asks for them.

    Which ones, and what they are about, is in review.toml.
    """
    evidence = derived.evidence
    question = evidence.review.published_pool
    if question is None:
        return ()
    effects, choices = derived.effects, derived.protocol
    asked = (question.indication, question.construct, question.comparator)
    now = pools_of(effects, choices, *asked)
    newest = max((pool.trials["year"].max() for pool in now.named.values()), default=math.nan)
    before = pools_of(effects, choices, *asked, until=newest - 1)
    words = {
        "now": ("trials before {}", "all trials, {} included"),
        "now_approximate": (
            "trials before {}, with approximated effects",
            "all trials, with approximated effects",
        ),
    }
    # One spread for all, so that a trial is one number in every row.
    spread = None if now.strict is None else spread_on_file(evidence, now.strict)

    def scaled(pool: Pool, measure: str) -> Pool:
        return standardised(pool, spread.typical) if measure == STANDARDISED and spread else pool

    own = {
        measure: {
            words[name][place].format(f"{newest:.0f}"): scaled(pool, measure)
            for place, pools in enumerate((before, now))
            for name, pool in pools.named.items()
        }
        for measure in (POINTS, STANDARDISED)
    }
    sources = {row["source_id"]: row for row in plain_rows(evidence.tables["sources"])}
    claims = [
        row
        for row in plain_rows(evidence.tables["claims"])
        if row["computation"] == f"{question.computation}:{question.construct}"
        and row["ci_low"] is not None
    ]
    claims.sort(key=lambda row: (sources[row["claimed_in"]]["year"] or 0, row["claim_id"]))
    conditions = evidence.text["indications"].set_index("indication_id")["label"]
    return tuple(
        PublishedPools(
            question,
            evidence.review,
            conditions[question.indication],
            measure,
            [row for row in claims if row["measure"] == measure],
            own[measure],
            newest,
            own[measure].get(words["now"][1].format(f"{newest:.0f}")),
            spread if measure == STANDARDISED else None,
            {key: _citation(source) for key, source in sources.items()},
        )
        for measure in (POINTS, STANDARDISED)
    )


def two_priors(found: Pool | None, points: Pool | None, spread: Spread) -> str:
    """That two trials are read with another prior in standard deviations than in points."""
    scales = {} if found is None or points is None else priors_of(found, points, spread.typical)
    if not scales:
        return ""
    return (
        f" The prior of {scales['prior']:g} standard deviations would be one of "
        f"{fixed(scales['prior_as_points'])} points, another than that of "
        f"{scales['prior_points']:g} by which the points are read."
    )


def _citation(source: Row) -> str:
    """Author and year; of a source without authors its title too."""
    cited = short_citation(source)
    title = source["title"] or ""
    return cited if source["authors"] is not None or title in cited else f"{title} ({cited})"


def _untested(claim: Row) -> str:
    return "" if claim["corrected_in"] is None else " (corrected since, not tested)"


def _span(claim: Row) -> Span:
    found = published(claim)
    if found is None:
        message = f"{claim['claim_id']} has no interval"
        raise ValueError(message)
    return found


def _each_in_other(claim: Row, ours: Span | None) -> tuple[str, str]:
    """Whether our estimate lies in a published interval, and its estimate in ours."""
    if claim["corrected_in"] is not None:
        return NOT_TESTED, NOT_TESTED
    return _in(_span(claim), ours), _in(ours, _span(claim))


def _in(outer: Span | None, inner: Span | None) -> str:
    if outer is None or inner is None:
        return "not defined"
    return "yes" if outer.holds(inner.estimate) else "no"


def with_places(derived: Derived) -> pd.DataFrame:
    """Every claim as tested, with its role, and its place and kind of text in the source."""
    raw = derived.evidence.text["claims"]
    columns = ["claim_id", "role", "is_headline", "statement", "locator", "read_from"]
    return derived.claims.merge(raw[columns], on="claim_id", validate="one_to_one")


def write_claims(derived: Derived, rows: pd.DataFrame, *, is_short: bool = False) -> pd.DataFrame:
    """Write claims for readers: what, where, printed numbers, verdict, and what was computed."""
    last = "computation" if is_short else "what the computation gives"
    return pd.DataFrame(
        [
            {
                "claim": row["claim"],
                "claimed in": source_cell(derived.evidence, row),
                "printed": _as_text(row["printed"], "no number"),
                "verdict": row["verdict"],
                "when it was written": _as_text(row["verdict_then"], "not judged apart"),
                last: _rule_name(row["computation"])
                if is_short
                else named(derived.evidence, _told_of(row)),
            }
            for row in rows_of(rows)
        ]
    )


def _rule_name(computation: str) -> str:
    """What readers find a computation by, without what it is asked of."""
    return computation.partition(":")[0].replace("-", " ")


def _told_of(row: Mapping[str, Any]) -> str:
    """What was found, then and now."""
    return " ".join(filter(None, (row["sentence"], _as_text(row["then_and_now"]))))


def _as_text(cell: Any, missing: str = "") -> str:
    """A cell of text; something else where nothing is."""
    return cell if isinstance(cell, str) else missing


class ClaimsPage:
    """The claims of all sources, or of one."""

    def __init__(self, derived: Derived, source: str) -> None:
        self.derived = derived
        self.source = source
        self._review = derived.evidence.review

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
    def substantive(self) -> pd.DataFrame:
        """Claims of something found, concluded or known: not of what a text counts of itself."""
        return self.claims[self.claims["role"] != BOOKKEEPING]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Substantive claims by verdict."""
        return _counts(self.substantive)

    @property
    def headline(self) -> Text:
        """How many claims, of how many sources, with which verdicts."""
        if self.claims.empty:
            return Text(NO_CLAIM)
        rows = self.substantive
        others = len(self.claims) - len(rows)
        return Text(
            f"**{len(rows)} published claims of {rows['claimed_in'].nunique()} sources**, each "
            f"tested by a named computation: {_told(self.counts)}. What texts say of sizes, "
            f"designs and references ({others} claims) stands in a table of its own."
        )

    @property
    def legend(self) -> Table:
        """What each verdict means."""
        legend = rules_of(self.derived.evidence).legend
        rows = [{"verdict": v, "what it means": legend[v]} for v in VERDICTS if v in legend]
        return Table(
            pd.DataFrame(rows),
            "What the verdicts mean",
            "One rule for claims of a difference and of none. A second verdict says what the "
            "trials published by the year of the text would have said; 'not judged apart' stands "
            "where no trial behind the verdict is newer than the text, or where no trial is.",
        )

    @property
    def first(self) -> Table:
        """The headline claims, worst verdict first, each with what its computation gives."""
        rows = self.headlines.assign(place=self.headlines["verdict"].map(WORST_FIRST.index))
        rows = rows.sort_values(["place", "claimed_in", "claim_id"], kind="stable")
        return Table(
            write_claims(self.derived, rows),
            "The claims that conclusions rest on",
            "Claims in our words.",
        )

    @cached_property
    def pools(self) -> tuple[PublishedPools, ...]:
        """Published pooled results in points and in standard deviations, with ours."""
        return published_pools(self.derived)

    @property
    def pools_in_points(self) -> FigureOutput | Text:
        """Published mean differences beside ours."""
        return self._figure(POINTS)

    @property
    def pools_standardised(self) -> FigureOutput | Text:
        """Published standardised differences beside ours."""
        return self._figure(STANDARDISED)

    def _figure(self, measure: str) -> FigureOutput | Text:
        found = [block.figure() for block in self.pools if block.measure == measure]
        return found[0] if found else Text(NO_POOL)

    @property
    def pools_table(self) -> Table:
        """The rows of the two figures."""
        question = self._review.published_pool
        if question is None:
            return Table(pd.DataFrame(), "Published pooled effects, and ours", empty=NO_POOL)
        rows = pd.DataFrame([line for block in self.pools for line in block.rows()])
        points = next((block.now for block in self.pools if block.measure == POINTS), None)
        parts = [
            f"{capitalised(question.benefit)} favours {self._review.label}. {question.remark}",
            *(
                f"Our points were divided by {fixed(block.spread.typical)}, the root mean square "
                f"of the standard deviations of {block.outcome} at baseline that the trials "
                "printed; over all arms and times they print "
                f"{interval(block.spread.low, block.spread.high)}."
                f"{two_priors(block.now, points, block.spread)}"
                for block in self.pools
                if block.spread is not None
            ),
        ]
        caption = f"Published pooled effects on {self._about}, and ours"
        return Table(rows, caption, " ".join(parts))

    @property
    def _about(self) -> str:
        """What published pools are about: ``pain in fibromyalgia``."""
        return " in ".join((self.pools[0].outcome, self.pools[0].condition))

    @cached_property
    def what_if(self) -> list[WhatIf]:
        """Responders of one trial at two thresholds and added up."""
        stated = self._review.added_up
        if stated is None or stated.rule not in self.rules_on_file:
            return []
        rule = self.rules_on_file[stated.rule]
        return threshold_sums(self.derived.effects, self.derived.protocol, rule)

    @property
    def responder_table(self) -> Table:
        """What adding up two responder counts would do; a what-if, no accusation."""
        stated = self._review.added_up
        if stated is None:
            return Table(pd.DataFrame(), "What if: two counts, added up", empty=NO_SUM)
        rows = [
            {
                "counted as responders": case.name,
                self._review.label: f"{case.counts.events_1}/{case.counts.n_1}",
                stated.comparator: f"{case.counts.events_2}/{case.counts.n_2}",
                "risk ratio (95% CI)": spanned(case.risk_ratio),
                "odds ratio (95% CI)": spanned(case.odds_ratio),
                stated.pooled: spanned(case.pooled_ratio),
            }
            for case in self.what_if
        ]
        return Table(pd.DataFrame(rows), stated.title, stated.note)

    @cached_property
    def sentence(self) -> Text:
        """What the headline claims come to."""
        rows = self.headlines
        if rows.empty:
            return Text("There is no claim that a conclusion rests on.")
        parts = [f"Of {len(rows)} headline claims: {_told(_counts(rows))}."]
        block = self.pools[0] if self.pools else None
        if block is not None and block.now is not None:
            ours = block.now.read
            parts.append(
                f"{sum(len(block.claims) for block in self.pools)} published pooled results on "
                f"{self._about} stand beside our pool, which as far as seen alone has "
                f"the trial of {block.newest:.0f}: {fixed(ours.estimate)} {block.question.unit} "
                f"({interval(ours.low, ours.high)}; {ours.method})."
            )
        return Text(" ".join(parts))

    @property
    def dose(self) -> Text:
        """Where the dose claims go on."""
        return Text(
            "What an up-and-down trial can say about the dose that works in most people depends "
            "on its design; the page on dose simulates it."
        )

    @property
    def by_source(self) -> Table:
        """Every substantive claim, compact, grouped by source."""
        return self._compact(self.substantive, "Claims by source")

    @property
    def bookkeeping(self) -> Table:
        """What texts say of sizes, designs and references, their own and those of studies."""
        rows = self.claims[self.claims["role"] == BOOKKEEPING]
        return self._compact(rows, "What texts say of sizes, designs and references")

    def _compact(self, rows: pd.DataFrame, caption: str) -> Table:
        rows = rows.sort_values(["claimed_in", "claim_id"], kind="stable")
        return Table(
            write_claims(self.derived, rows, is_short=True),
            caption,
            "What each computation gave, in words and numbers, is in data/derived/claims.csv.",
        )

    @property
    def rules(self) -> Table:
        """Every rule, with what it does and when it gives which verdict."""
        used = [str(cell).partition(":")[0] for cell in self.claims["computation"]]
        rows = [
            {
                "computation": _rule_name(name),
                "claims": used.count(name),
                "what it does": rule.question,
                "when which verdict": rule.told,
            }
            for name, rule in self.rules_on_file.items()
        ]
        note = "The same rule for every claim of a kind."
        return Table(pd.DataFrame(rows), "How verdicts are given", note)

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
                "substantive_claims": len(self.substantive),
                "headline_claims": len(self.headlines),
                "published_results": sum(len(block.claims) for block in self.pools),
                "newest_trial": self.pools[0].newest if self.pools else None,
                "pools": {block.measure: block.facts() for block in self.pools},
                "what_if": {
                    case.name: {
                        **{name: getattr(case.counts, name) for name in CELLS},
                        "risk_ratio": list(case.risk_ratio),
                        "odds_ratio": list(case.odds_ratio),
                        "pooled_risk_ratio": list(case.pooled_ratio),
                    }
                    for case in self.what_if
                },
                "claims": {
                    row["claim_id"]: {
                        "verdict": row["verdict"],
                        "verdict_then": _as_text(row["verdict_then"], "not judged apart") or None,
                        "computation": row["computation"],
                        "sentence": _told_of(row),
                        "numbers": numbers_of(_as_text(row["numbers"])),
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
        "Rules and all claims: reports/overview/91_claims.",
    )


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    found = rows["verdict"].value_counts()
    return {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
