"""Page 93: whether the numbers that papers print agree with each other."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of
from ldn_meta.display.pages.included import (
    SEVERITIES,
    SOURCES,
    findings_table,
    inconsistent,
    undecided_table,
)
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.evidence.audit.consistency import BESIDE, CHECKS, MAIN, TOLD, roles_of_rows
from ldn_meta.evidence.derived import load_derived
from ldn_meta.stats.arrays import one_of
from ldn_meta.stats.consistency import CONSISTENT, INCONSISTENT, NOT_CHECKABLE

if TYPE_CHECKING:
    import pandas as pd


NOTEBOOK = "93_printed_numbers"


class PrintedNumbersPage:
    """Every check of printed numbers, and what does not fit."""

    def __init__(self, least_severity: str) -> None:
        self.least_severity = one_of("least_severity", least_severity, SEVERITIES)
        self.derived = load_derived()
        self.checks_made = self.derived.consistency

    @cached_property
    def found(self) -> pd.DataFrame:
        """Inconsistent rows, the gravest first; whatever severity."""
        return inconsistent(self.checks_made)

    @cached_property
    def counts(self) -> dict[str, Any]:
        """How many checks, rows and findings there are."""
        frame, found = self.checks_made, self.found
        roles = roles_of_rows(self.derived.evidence, self.derived.effects, self.derived.left_out)
        enters = (found["table"] + ":" + found["row_id"]).map(roles)
        verdicts = frame["verdict"].value_counts()
        return {
            "checks": len(frame),
            "rows": len(set(frame["table"] + ":" + frame["row_id"])),
            "kinds_of_check": len(CHECKS),
            "consistent": int(verdicts.get(CONSISTENT, 0)),
            "inconsistent": int(verdicts.get(INCONSISTENT, 0)),
            "not_checkable": int(verdicts.get(NOT_CHECKABLE, 0)),
            "accepted": int(found["is_accepted"].astype(bool).sum()),
            "of_sources": int((found["check"] == SOURCES).sum()),
            "of_reviews": int((found["table"] == "claims").sum()),
            **{name: int((found["severity"] == name).sum()) for name in SEVERITIES},
            "behind_a_main_result": int((enters == MAIN).sum()),
            "behind_an_effect_beside": int((enters == BESIDE).sum()),
            "told_without_an_effect": int(
                ((enters == TOLD) & found["is_preferred"].astype(bool)).sum()
            ),
        }

    @property
    def headline(self) -> Text:
        """How much was checked, and how much does not fit."""
        c = self.counts
        return Text(
            f"**Printed numbers**: {c['checks']} checks of {c['rows']} rows of data/raw. "
            f"{c['consistent']} find numbers that fit each other, {c['inconsistent']} find "
            f"numbers that do not, and {c['not_checkable']} cannot be decided from what is "
            "printed."
        )

    @property
    def sentence(self) -> Text:
        """What that means for the answers."""
        c = self.counts
        main = (
            "No number behind a main result is among those that do not fit."
            if not c["behind_a_main_result"]
            else f"{capitalised(count(c['behind_a_main_result'], 'of them'))} "
            "behind a main result: see the table."
        )
        told = c["told_without_an_effect"]
        return Text(
            f"{main} {capitalised(agree(told, 'is', 'are'))} in results that are told without an "
            f"effect; {agree(c['of_sources'], 'is', 'are')} another source that states a "
            f"fact otherwise than the source in use; {agree(c['of_reviews'], 'is', 'are')} in the "
            f"conclusion of a published review. By severity: {c['high']} high, {c['medium']} "
            f"medium, {c['low']} low. {c['accepted']} stand as printed with a reason in "
            "data/raw/corrections.yml."
        )

    @property
    def findings(self) -> Table:
        """Numbers that do not fit each other."""
        found = self._shown(self.found[self.found["check"] != SOURCES])
        return findings_table(
            self.derived, found, caption="Printed numbers that do not fit each other"
        )

    @property
    def other_sources(self) -> Table:
        """Facts that another source states otherwise than the one in use."""
        found = self._shown(self.found[self.found["check"] == SOURCES])
        return findings_table(
            self.derived, found, caption="Facts that another source states with another value"
        )

    @property
    def checks(self) -> Table:
        """What each check asks, and what it found."""
        import pandas as pd

        made = self.checks_made.groupby(["check", "verdict"]).size().to_dict()
        rows = []
        for name, check in CHECKS.items():
            numbers = [
                int(made.get((name, verdict), 0))
                for verdict in (CONSISTENT, INCONSISTENT, NOT_CHECKABLE)
            ]
            rows.append(
                {
                    "check": name,
                    "asks": check.asks,
                    "a bad answer is": "unlikely" if check.is_plausibility else "impossible",
                    "rows": sum(numbers),
                    "consistent": numbers[0],
                    "inconsistent": numbers[1],
                    "not checkable": numbers[2],
                }
            )
        return Table(
            pd.DataFrame(rows),
            "The checks",
            "Every check allows all that can print as given: rounded numbers, p-values rounded or "
            "cut off, normal and t statistics down to the fewest degrees of freedom that are "
            "possible, estimates off the middle of their interval by a tenth of its width.",
        )

    @property
    def not_checkable(self) -> Table:
        """What cannot be decided, and why."""
        return undecided_table(self.derived)

    @cached_property
    def facts(self) -> Facts:
        """Counts, and each finding by its address."""
        names = ("table", "row_id", "study_id", "check", "severity", "low", "high", "explanation")
        return Facts(
            {
                "headline": str(self.headline),
                "sentence": str(self.sentence),
                **self.counts,
                "findings": [{name: row[name] for name in names} for row in rows_of(self.found)],
            }
        )

    def footer(self) -> Table:
        """Provenance."""
        return footer(NOTEBOOK, {"least_severity": self.least_severity}, [self.checks_made])

    def _shown(self, found: pd.DataFrame) -> pd.DataFrame:
        graver = SEVERITIES[: SEVERITIES.index(self.least_severity) + 1]
        return found[found["severity"].isin(graver)]


def printed_numbers(*, least_severity: str = "low") -> PrintedNumbersPage:
    """Open page 93.

    Parameters
    ----------
    least_severity : {"low", "medium", "high"}
        Findings below this severity are counted and not listed.

    Returns
    -------
    PrintedNumbersPage

    Raises
    ------
    ArgumentError
        If there is no such severity.
    """
    return PrintedNumbersPage(least_severity)
