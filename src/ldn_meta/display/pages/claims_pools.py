"""Published pooled pain effects of a condition beside ours, before the newest trial and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Table
from ldn_meta.display.wording import CI_METHODS, fixed, interval
from ldn_meta.evidence.candidates import Row, plain_rows
from ldn_meta.evidence.citations import short_citation
from ldn_meta.evidence.claim_pools import (
    Span,
    Spread,
    ThenAndNow,
    span_of,
    spread_on_file,
    standardised,
    then_and_now,
)
from ldn_meta.evidence.claims_pools import published

if TYPE_CHECKING:
    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.evidence.derived import Derived
    from ldn_meta.evidence.synthesis import Pool

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
    """Published pooled results on one scale, and our pools on the same.

    Attributes
    ----------
    measure : str
        "MD" or "SMD".
    claims : list of Row
        Rows of claims.csv, oldest first.
    ours : ThenAndNow
    spread : Spread or None
        Standard deviations that turn our points into the scale; None for points.
    names : dict of str
        Citation by source.
    """

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
    """Published pooled pain effects in points, and in standard deviations.

    Parameters
    ----------
    derived : Derived
        Of all indications.

    Returns
    -------
    tuple of PublishedPools
        Points first. The two scales share no axis: a point is not a standard deviation.
    """
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
