"""What the checks of printed numbers share: rows as printed, and findings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ldn_meta.evidence.candidates import Context, Row, plain_rows
from ldn_meta.stats.consistency import Consistency, Printed, PrintedP

if TYPE_CHECKING:
    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

# Tables that are checked, in the order of the findings.
CHECKED_TABLES = (
    "arm_stats",
    "arm_events",
    "contrasts",
    "claims",
    "study_facts",
    "studies",
    "arms",
)
DECIMALS = {
    "estimate": "estimate_decimals",
    "p_value": "p_decimals",
    "percent": "percent_decimals",
}
NUMBER = re.compile(r"(?<![\d.])(?:\d+(?:\.\d+)?|\.\d+)")
# A number after one of these was not printed as a number but as a bound or a guess.
INEXACT = (
    r"(?:\b(?:about|approximately|around|nearly|almost|over|more than|less than|at least|up to)"
    r"|[<>~]=?)"
)
# Designs in which everybody is in every arm, or there is one arm: the study's size is the arm's.
ONE_GROUP = (
    "crossover",
    "fixed-order crossover",
    "single-arm",
    "cohort without controls",
    "case series",
    "case report",
    "up-and-down",
    "register before-after",
)
SIZES = ("n_enrolled", "n_randomised", "n_completed", "n_analysed")


@dataclass(frozen=True)
class Finding:
    """The answer of one check for one row."""

    check: str
    row: Row
    printed: str
    result: Consistency


class Audit:
    """The raw tables, typed and as printed.

    Attributes
    ----------
    context : Context
        Lookups of the routes: studies, outcomes, arms, rows of the value tables.
    rows : dict of str to list of Row
        Typed rows by table, each with its "address" and "table".
    text : dict of str to dict of str
        Cells as typed by people, by address.
    """

    def __init__(self, evidence: Evidence, protocol: Protocol) -> None:
        self.evidence = evidence
        self.context = Context(evidence, protocol)
        self._missing = set(evidence.dictionary.missing)
        self.rows: dict[str, list[Row]] = {}
        self.text: dict[str, dict[str, str]] = {}
        for table in CHECKED_TABLES:
            key = evidence.dictionary.tables[table].key
            cells = evidence.text[table].to_dict("records")
            typed = plain_rows(evidence.tables[table])
            self.rows[table] = []
            for row, texts in zip(typed, cells, strict=True):
                address = f"{table}:{row[key]}"
                self.rows[table].append(
                    {**row, "address": address, "table": table, "row_id": row[key]}
                )
                self.text[address] = {str(name): str(cell) for name, cell in texts.items()}

    def cell(self, row: Row, column: str) -> str:
        """A cell as typed; empty if it is missing or there is no such column."""
        text = self.text[row["address"]].get(column, "")
        return "" if text in self._missing else text

    def printed(self, row: Row, column: str) -> Printed | None:
        """A number of a row as printed; None if it is missing, or printed as a bound or a guess.

        Its decimals are those counted beside it, else those of the same number in
        ``as_reported``, else those typed.
        """
        text = self.cell(row, column)
        if not text or self.is_inexact(row, column):
            return None
        counted = self.cell(row, DECIMALS.get(column, ""))
        if counted:
            return Printed(float(text), int(counted))
        size = abs(Decimal(text))
        as_printed = [
            len(found.partition(".")[2])
            for found in NUMBER.findall(self.cell(row, "as_reported"))
            if Decimal(found) == size
        ]
        return Printed(float(text), min(as_printed, default=len(text.partition(".")[2])))

    def is_inexact(self, row: Row, column: str) -> bool:
        """Whether a number is printed as "about", "over" or the like."""
        number = self.cell(row, column).lstrip("-")
        pattern = rf"{INEXACT}\s*-?{re.escape(number)}(?![\d.]*\d)"
        return bool(number and re.search(pattern, self.cell(row, "as_reported")))

    def p(self, row: Row) -> PrintedP | None:
        """The p-value or the word about significance of a row."""
        relation, value = row.get("p_relation"), self.cell(row, "p_value")
        if relation is None:
            return None
        if not value:
            return PrintedP(str(relation)) if relation in ("ns", "sig") else None
        decimals = self.cell(row, "p_decimals")
        if not decimals:
            as_printed = [
                found
                for found in NUMBER.findall(self.cell(row, "as_reported"))
                if Decimal(found) == Decimal(value)
            ]
            text = min(as_printed, key=len, default=value)
            decimals = str(len(text.partition(".")[2]))
        return PrintedP(str(relation), float(value), int(decimals))

    def sizes(self, row: Row) -> tuple[int, int] | None:
        """Smallest and largest size on file of a row's arm; None if there is none."""
        arm = self.context.arms[row["arm_id"]]
        study = self.context.studies[row["study_id"]]
        found = [arm[name] for name in SIZES if arm.get(name) is not None]
        if not found and study["design"] in ONE_GROUP:
            found = [study[name] for name in SIZES if study[name] is not None]
        people = [int(size) for size in found if size >= 1]
        return (min(people), max(people)) if people else None

    def moment(self, row: Row) -> tuple[object, object]:
        """Words and week of a measurement; in crossovers, whose periods differ, the words."""
        if self.context.has_same_people(row) and row["timepoint"] is not None:
            return row["timepoint"], None
        return row["timepoint"], row["timepoint_weeks"]

    def of_arm(self, table: str, row: Row, arm_id: str | None) -> list[Row]:
        """Rows of an arm with the outcome, time and people of a row; the preferred first."""
        found = [
            other
            for other in self.rows[table]
            if other["arm_id"] == arm_id
            and other["outcome_id"] == row["outcome_id"]
            and other["analysis_set"] == row["analysis_set"]
            and self.moment(other) == self.moment(row)
        ]
        return sorted(found, key=lambda other: not other["preferred"])
