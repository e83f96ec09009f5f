"""What the consistency checks of the raw tables share: the checks, rows as printed, findings."""

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
class Check:
    """One question put to printed numbers.

    Attributes
    ----------
    name : str
        As in `consistency.csv` and `corrections.yml`.
    asks : str
        The question, for readers.
    column : str
        The cell a fault points at.
    is_plausibility : bool
        Whether a bad answer is only unlikely; such findings have low severity.
    unit : str
        What a recomputed number counts; empty if it is of the kind that is printed.
    """

    name: str
    asks: str
    column: str
    is_plausibility: bool = False
    unit: str = ""


CHECKS = {
    check.name: check
    for check in (
        Check(
            "estimate inside interval",
            "Is the estimate inside its own interval?",
            "ci_low",
        ),
        Check(
            "estimate at centre",
            "Is the estimate in the middle of its interval (geometric for ratios)?",
            "ci_low",
        ),
        Check(
            "p against interval",
            "Does the p-value belong to the estimate and its interval (normal or t)?",
            "p_value",
        ),
        Check(
            "word against interval",
            "Does 'significant' or 'not significant' fit the interval?",
            "p_relation",
        ),
        Check(
            "p against statistic",
            "Does the p-value belong to the test statistic and its degrees of freedom?",
            "p_value",
        ),
        Check(
            "p against counts",
            "Can the p-value come from the counts of the two arms by any test of a 2x2 table?",
            "p_value",
        ),
        Check(
            "percentage of n",
            "Is the percentage a whole number of the people it is said to be of (GRIM)?",
            "percent",
        ),
        Check(
            "percentage of the arm",
            "Without a stated n: is the percentage a whole number of any number of people "
            "between the smallest and the largest size of the arm on file?",
            "percent",
            unit="people",
        ),
        Check(
            "percentages together",
            "Can percentages of one instrument, arm and time be of one number of people?",
            "percent",
            unit="people",
        ),
        Check(
            "NNT against percentages",
            "Does the number needed to treat belong to the percentages of the arms?",
            "estimate",
        ),
        Check(
            "difference of arms",
            "Is the difference what the two arms, or baseline and end, leave?",
            "estimate",
        ),
        Check(
            "SD against SE",
            "Is the SD the SE times the root of n?",
            "sd",
        ),
        Check(
            "SD against interval",
            "Does the SD belong to the interval of the same mean?",
            "sd",
        ),
        Check(
            "SD on its scale",
            "Can scores on this scale have this mean and this SD?",
            "sd",
        ),
        Check(
            "SD or SE",
            "Are two means implausibly many SDs apart, as if an SE stood for an SD?",
            "sd",
            is_plausibility=True,
        ),
        Check(
            "mean of whole scores",
            "Is the mean possible for whole-number scores of n people (GRIM)?",
            "mean",
            is_plausibility=True,
        ),
        Check(
            "standardised difference",
            "Is the standardised difference the difference over a printed SD?",
            "estimate",
            is_plausibility=True,
        ),
        Check(
            "parts and total",
            "Do arms or sequences add up to the total?",
            "value",
            unit="people",
        ),
        Check(
            "people in order",
            "Are no more people analysed or completed than began?",
            "n",
            unit="people",
        ),
        Check(
            "source against source",
            "Does another source state the same fact with the same value?",
            "as_reported",
        ),
    )
}


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
        self.lines: dict[str, int] = {}
        for table in CHECKED_TABLES:
            key = evidence.dictionary.tables[table].key
            cells = evidence.text[table].to_dict("records")
            typed = plain_rows(evidence.tables[table])
            self.rows[table] = []
            for place, (row, texts) in enumerate(zip(typed, cells, strict=True)):
                address = f"{table}:{row[key]}"
                self.rows[table].append(
                    {**row, "address": address, "table": table, "row_id": row[key]}
                )
                self.text[address] = {str(name): str(cell) for name, cell in texts.items()}
                # The header is line 1, and no cell holds a line break (cells.py).
                self.lines[address] = place + 2

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
