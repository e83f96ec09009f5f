"""What the routes share: lookups in, candidate effects and rows left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta.evidence.load import VALUE_TABLES

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

# One row of a raw table, typed, missing as None; rows of value tables know their "address".
Row: TypeAlias = dict[str, Any]

CONTRAST = "contrast"
CHANGE = "change from baseline"
PROPORTION = "single-arm proportion"
# Kinds that only rows left out have.
ONE_ARM = "one arm"
NO_RESULT = "no result of LDN against anything"
SET_ASIDE = "set aside"

LDN, COMPARATOR, FURTHER = 1, 2, 3
PAIRED_DESIGNS = ("crossover", "fixed-order crossover")
RATIO_MEASURES = ("RR", "OR", "IRR")
TRANSCRIBED = "transcription"
NO_ARM = "NA"

# Routes from the printed numbers to an effect, most direct first (METHODS section 2).
ROUTES = (
    "difference with CI",
    "events and n per arm",
    "arm changes with CI",
    "arm changes with SD",
    "end values with SD",
    "difference with exact p",
    "arm changes with exact p of the difference",
    "arm results of a crossover, correlation assumed",
    "percentages with n per arm",
    "change with CI",
    "change with exact p",
    "baseline and end values, correlation assumed",
    "events and n",
    "percentage with n",
    "event counts over equal time",
    "percent changes with exact p, times baseline",
    "percent changes with CI, correlation assumed, times baseline",
)


@dataclass(frozen=True)
class Candidate:
    """One effect of one study by one route; yi is group 1 (LDN) minus group 2.

    Attributes
    ----------
    kind : str
        CONTRAST, CHANGE or PROPORTION.
    lead : Row
        The row that says what was measured: study, outcome, time, analysis set, source.
    arm_1, arm_2 : str
        Keys of the arms; NO_ARM where nothing is compared.
    measure, unit : str
    yi, vi : float
        Effect and its variance, in the unit; log scale for ratios.
    n_1, n_2 : float
        People behind each arm; the same people twice when ``is_paired``.
    route : str
        One of ROUTES.
    assumptions : tuple of str
        In words; empty ones do not count.
    rows : tuple of str
        Addresses (table:row_id) of all rows the effect was computed from.
    is_paired : bool
        Whether the same people stand in both arms.
    approximate : bool
        Whether the route rests on an approximation (protocol, ``allow_approximate``).
    events : tuple of float
        Events and people of arm 1 and of arm 2; NaN where nothing is counted.
    """

    kind: str
    lead: Row
    arm_1: str
    arm_2: str
    measure: str
    unit: str
    yi: float
    vi: float
    n_1: float
    n_2: float
    route: str
    assumptions: tuple[str, ...]
    rows: tuple[str, ...]
    is_paired: bool = False
    approximate: bool = False
    has_known_scale: bool = True
    events: tuple[float, float, float, float] = (math.nan,) * 4

    @property
    def study_id(self) -> str:
        """Study of the effect."""
        return str(self.lead["study_id"])

    @property
    def outcome_id(self) -> str:
        """Outcome of the effect."""
        return str(self.lead["outcome_id"])

    @property
    def timepoint_weeks(self) -> float:
        """Week of arm 1; NaN when it is not reported."""
        return number(self.lead["timepoint_weeks"])


@dataclass(frozen=True)
class LeftOut:
    """One row that gave no effect."""

    row: Row
    kind: str
    reason: str
    usable_for: str


@dataclass
class Context:
    """Lookups shared by the routes; collects what they find."""

    evidence: Evidence
    protocol: Protocol
    found: list[Candidate] = field(default_factory=list)
    why_not: dict[str, LeftOut] = field(default_factory=dict)
    compared: set[str] = field(default_factory=set)
    studies: dict[str, Row] = field(init=False)
    outcomes: dict[str, Row] = field(init=False)
    arms: dict[str, Row] = field(init=False)
    rows: dict[str, Row] = field(init=False)
    # Means as printed, by row of arm_stats.csv: 4.50 stays 4.50.
    printed_means: dict[str, str] = field(init=False)
    _tables: dict[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        tables = self.evidence.tables
        self.studies = {row["study_id"]: row for row in plain_rows(tables["studies"])}
        self.outcomes = {row["outcome_id"]: row for row in plain_rows(tables["outcomes"])}
        self.arms = {row["arm_id"]: row for row in plain_rows(tables["arms"])}
        self._tables = {
            table: [
                {**row, "address": f"{table}:{row['row_id']}"} for row in plain_rows(tables[table])
            ]
            for table in VALUE_TABLES
        }
        self.rows = {row["address"]: row for rows in self._tables.values() for row in rows}
        stats = self.evidence.text["arm_stats"]
        self.printed_means = dict(zip(stats["row_id"], stats["mean"], strict=True))

    def table(self, name: str) -> list[Row]:
        """All rows of a value table."""
        return self._tables[name]

    def eligible(self, name: str) -> Iterator[Row]:
        """Rows of a value table that may give an effect; the others are left out here."""
        for row in self.table(name):
            study = self.studies[row["study_id"]]
            if study["eligible_for"] == "excluded":
                reason = f"study excluded: {study['eligibility_reason']}"
                self.left_out(row, reason, "none", kind=SET_ASIDE)
            elif row["reliability"] == "low":
                reason = "low reliability: kept for the ledger of conflicts"
                self.left_out(row, reason, "none", kind=SET_ASIDE)
            else:
                yield row

    def has_same_people(self, row: Row) -> bool:
        """Whether the arms of the row's study are the same people, one after the other."""
        return self.studies[row["study_id"]]["design"] in PAIRED_DESIGNS

    def left_out(self, row: Row, reason: str, usable_for: str, *, kind: str = "") -> None:
        """Note why a row gave no effect; the first reason given stays."""
        left = LeftOut(row, kind or self._kind(row), reason, usable_for)
        self.why_not.setdefault(row["address"], left)

    def _kind(self, row: Row) -> str:
        """What a row without an effect would be the result of."""
        is_arm = "arm_id" in row
        group_1 = self.arms[row["arm_id" if is_arm else "arm_1"]]["group"]
        if group_1 != LDN and row["address"] not in self.compared:
            return NO_RESULT
        if is_before(row):
            return NO_RESULT
        if is_arm:
            return CONTRAST if row["address"] in self.compared else ONE_ARM
        if row["arm_2"] is None:
            return CHANGE
        return NO_RESULT if self.arms[row["arm_2"]]["group"] == LDN else CONTRAST

    def keep(self, found: Candidate) -> None:
        """Note an effect, or leave its rows out when they give no variance above nought."""
        if math.isfinite(found.yi) and math.isfinite(found.vi) and found.vi > 0:
            self.found.append(found)
            return
        for address in found.rows:
            reason = "the printed numbers give an effect without a variance above nought"
            self.left_out(self.rows[address], reason, "direction")


def is_before(row: Row) -> bool:
    """Whether a row is about the people before treatment."""
    at_start = row["timepoint_weeks"] == 0 or row["timepoint"] == "baseline"
    return at_start or row.get("statistic_of") == "baseline"


def plain_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows as plain dicts, missing as None."""
    names = [str(name) for name in frame.columns]
    cells = frame.to_numpy(dtype=object, copy=True)
    cells[frame.isna().to_numpy()] = None
    return [dict(zip(names, row, strict=True)) for row in cells.tolist()]


def number(value: Any) -> float:
    """A cell as float, NaN when missing."""
    return math.nan if value is None else float(value)
