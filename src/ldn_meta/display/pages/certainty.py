"""Page 60: how certain each answer is, domain by domain."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from ldn_meta.display.certainty_table import SummaryOfFindings
from ldn_meta.display.certainty_words import DOMAIN_WORDS, levels, statement, why
from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages import certainty_cells as cells
from ldn_meta.display.pages.opened import Opened, open_page
from ldn_meta.display.provenance import footer
from ldn_meta.display.wording import capitalised, count
from ldn_meta.evidence.certainty import GRADES, NOT_RATED, OVERRIDDEN
from ldn_meta.evidence.certainty_body import MAIN_OUTCOME

NOTEBOOK = "60_certainty"
KEY = ("construct", "comparator_class")


class CertaintyPage:
    """Every rated outcome of one indication."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.drug = opened.indication["intervention"]

    @cached_property
    def outcomes(self) -> list[dict[str, Any]]:
        """Rows of certainty.csv of the indication, in reading order."""
        return rows_of(self.opened.derived.certainty)

    @cached_property
    def domain_rows(self) -> list[dict[str, Any]]:
        """Rows of certainty_domains.csv of the indication, in reading order."""
        return rows_of(self.opened.derived.certainty_domains)

    def domains_of(self, outcome: dict[str, Any]) -> list[dict[str, Any]]:
        """The five domains of an outcome; none when it is not rated."""
        return [d for d in self.domain_rows if all(d[name] == outcome[name] for name in KEY)]

    @property
    def rated(self) -> list[dict[str, Any]]:
        """Outcomes with a comparison that tells something."""
        return [row for row in self.outcomes if row["certainty"] != NOT_RATED]

    @property
    def main(self) -> dict[str, Any]:
        """The indication's main outcome; against its main comparator where that is rated."""
        asked = self.opened.indication["main_comparator"]
        own = [row for row in self.outcomes if row["outcome"] == MAIN_OUTCOME]
        return min(own, key=lambda row: row["comparator_class"] != asked)

    @property
    def headline(self) -> Text:
        """Indication, and how certain its outcomes are."""
        words = [row["certainty"] for row in self.rated]
        found = ", ".join(
            f"{words.count(word)} {word}" for word in reversed(GRADES) if word in words
        )
        unrated = len(self.outcomes) - len(self.rated)
        rated = count(len(self.rated), "outcome")
        return Text(
            f"**{capitalised(self.opened.label)}, certainty of the evidence (GRADE)**: "
            f"{rated} rated{f' ({found})' if found else ''}, {unrated} not ratable."
        )

    @property
    def summary(self) -> SummaryOfFindings:
        """Summary of findings: one line an outcome."""
        return SummaryOfFindings(
            name=f"sof-{self.opened.indication['indication_id'].replace('_', '-')}",
            title=f"Summary of findings: {self.opened.label}",
            subtitle=self.opened.indication["question"],
            findings=[
                cells.finding(row, self.domains_of(row), drug=self.drug) for row in self.outcomes
            ],
            closing=self._closing(),
        )

    def _closing(self) -> tuple[str, ...]:
        grades = (
            "High: the true effect lies close to the estimate. Moderate: probably close. Low: it "
            "may be substantially different. Very low: it is likely to be."
        )
        if not any(math.isfinite(row["per_1000_without"]) for row in self.outcomes):
            return (grades,)
        return (
            f"Per 1,000: the risk without {self.drug} is that of the comparison arms of the same "
            "trials, all people together; the ratio is assumed to hold at that risk.",
            grades,
        )

    @cached_property
    def sentence(self) -> Text:
        """The main outcome in words, with the reasons of its certainty."""
        return Text(self._with_reasons(self.main))

    @property
    def statements(self) -> Text:
        """Every outcome in words."""
        return Text("\n".join(f"- {self._with_reasons(row)}" for row in self.outcomes))

    def _with_reasons(self, row: dict[str, Any]) -> str:
        said = statement(row, drug=self.drug)
        if row["certainty"] == NOT_RATED:
            return f"{said} Certainty: not rated, {row['why_not_rated']}."
        return f"{said} Certainty: {row['certainty']}, {why(self.domains_of(row))}."

    @property
    def domains(self) -> Table:
        """Every domain of every rated outcome: what was found, the decision and its reason."""
        import pandas as pd

        rows = []
        for row in self.rated:
            for domain in self.domains_of(row):
                rows.append(
                    {
                        "outcome": _named(row),
                        "domain": DOMAIN_WORDS[domain["domain"]],
                        "found": domain["value"],
                        "taken off": levels(int(domain["level"]))
                        if domain["level"]
                        else "nothing",
                        "decided by": _decided_by(domain),
                        "reason": "as found" if domain["reason"] == "none" else domain["reason"],
                    }
                )
        return Table(
            pd.DataFrame(rows),
            "Domain by domain",
            "Randomised comparisons start high, others low. Judgements are in "
            "data/raw/certainty.csv; by this project means one reading, mostly of abstracts.",
            "No outcome could be rated.",
        )

    @property
    def rules(self) -> Table:
        """Every rule that was applied, with its thresholds."""
        import pandas as pd

        found = dict.fromkeys((DOMAIN_WORDS[d["domain"]], d["rule"]) for d in self.domain_rows)
        order = list(DOMAIN_WORDS.values())
        rows = sorted(found, key=lambda pair: order.index(pair[0]))
        return Table(
            pd.DataFrame(rows, columns=["domain", "rule"]),
            "The rules",
            "Thresholds and their reasons are in section [certainty] of data/raw/protocol.toml. "
            "Nothing is lower than very low.",
            "No outcome could be rated.",
        )

    @property
    def overrides(self) -> Table:
        """Where a person decided otherwise than the rule."""
        import pandas as pd

        names = {tuple(row[name] for name in KEY): _named(row) for row in self.rated}
        rows = [
            {
                "outcome": names[d["construct"], d["comparator_class"]],
                "domain": DOMAIN_WORDS[d["domain"]],
                "the rule takes off": _taken(d["computed_level"]),
                "taken off": _taken(d["level"]),
                "reason": d["reason"],
                "by": d["judged_by"],
            }
            for d in self.domain_rows
            if d["status"] == OVERRIDDEN
        ]
        return Table(
            pd.DataFrame(rows),
            "Judgements that differ from the rule",
            empty="Every rule stands.",
        )

    @property
    def what_would_raise_it(self) -> Text:
        """What was taken off the main outcome, turned into what would put it back."""
        row = self.main
        lines = [
            f"{capitalised(DOMAIN_WORDS[d['domain']])} ({levels(int(d['level']))}): "
            f"{_remedy(d['domain'], row)}"
            for d in self.domains_of(row)
            if d["level"] < 0
        ]
        if row["certainty"] == NOT_RATED:
            lines.append(
                f"Any comparison of {self.drug} with {row['comparator']} that reports "
                f"{row['construct_label']} would be the first to rate."
            )
        if row["registered"] != "none":
            lines.append(
                "Registered, planned or unpublished trials of the condition on file: "
                f"{row['registered']}."
            )
        return Text("\n".join(f"- {line}" for line in lines) or "- Nothing was taken off.")

    @cached_property
    def facts(self) -> Facts:
        """Ratings, the numbers of the cells, and the sentence of the main outcome."""
        return self.opened.facts(
            headline=str(self.headline),
            sentence=str(self.sentence),
            answer={
                "certainty": self.main["certainty"],
                "sentence": self._answer(),
            },
            outcomes=[
                {
                    **row,
                    **cells.numbers_shown(row),
                    "statement": statement(row, drug=self.drug),
                    "domains": {d["domain"]: int(d["level"]) for d in self.domains_of(row)},
                }
                for row in self.outcomes
            ],
        )

    def _answer(self) -> str:
        """The certainty of the main outcome, to stand behind the answer of page 20."""
        row = self.main
        if row["certainty"] == NOT_RATED:
            return f"Certainty (GRADE): not rated, {row['why_not_rated']}."
        return (
            f"Certainty (GRADE): {row['certainty']}, {why(self.domains_of(row))}. "
            f"{statement(row, drug=self.drug)}"
        )

    def footer(self) -> Table:
        """Provenance."""
        d = self.opened.derived
        return footer(NOTEBOOK, self.opened.parameters, [d.certainty, d.certainty_domains])


def _named(row: dict[str, Any]) -> str:
    return f"{row['construct_label']}, against {row['comparator']}"


def _decided_by(domain: dict[str, Any]) -> str:
    return (
        str(domain["status"])
        if domain["status"] == "computed"
        else (f"{domain['judged_by']}, {domain['status']}")
    )


def _taken(level: float) -> str:
    return levels(int(level)) if level else "nothing"


def _remedy(domain: str, row: dict[str, Any]) -> str:
    """What evidence would put a level back."""
    needed = float(row["information_size"])
    size = f"; one trial of full power needs {needed:,.0f}" if needed > row["people"] else ""
    words = {
        "risk_of_bias": "trials at low risk of bias, or full reports that show these to be.",
        "inconsistency": "trials that agree, or a reason why these do not.",
        "indirectness": "trials of the dose, duration, people and comparator in question.",
        "imprecision": "more people, reported with an interval that excludes either no important "
        f"effect or an important one{size}.",
        "publication_bias": "results of the trials known to exist, and a systematic search.",
    }
    return words[domain]


def certainty(*, indication: str) -> CertaintyPage:
    """Open page 60 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.

    Returns
    -------
    CertaintyPage

    Raises
    ------
    ArgumentError
        If the indication is unknown.
    """
    return CertaintyPage(open_page(NOTEBOOK, indication=indication))
