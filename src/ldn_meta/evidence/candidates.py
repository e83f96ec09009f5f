"""What normalisation produces: candidate effects, and rows that gave none with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

CONTRAST = "contrast"
CHANGE = "change from baseline"
PROPORTION = "single-arm proportion"

# Routes from the printed numbers to an effect, most direct first (METHODS section 2).
ROUTES = (
    "difference with CI",
    "events and n per arm",
    "arm changes with CI",
    "arm changes with SD",
    "end values with SD",
    "difference with exact p",
    "arm changes with exact p of the difference",
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
    """One effect of one study by one route; yi is group 1 (LDN) minus group 2."""

    kind: str
    study_id: str
    outcome_id: str
    timepoint_weeks: float
    analysis_set: str
    measure: str
    unit: str
    yi: float
    vi: float
    n_1: float
    n_2: float
    route: str
    assumptions: str
    rows: tuple[str, ...]
    lead: dict[str, Any]
    arm_1: str
    arm_2: str
    is_paired: bool = False
    approximate: bool = False
    events: tuple[float, float, float, float] = (math.nan,) * 4
    uses_transcribed: bool = False


@dataclass(frozen=True)
class LeftOut:
    """One row that gave no effect."""

    table: str
    row_id: str
    study_id: str
    outcome_id: str
    reason: str
    usable_for: str
    direction: str = "not stated"
    compares: bool = False
    is_preferred: bool = True


@dataclass
class Context:
    """Lookups shared by the routes; collects what they find."""

    evidence: Evidence
    protocol: Protocol
    found: list[Candidate] = field(default_factory=list)
    why_not: dict[tuple[str, str], LeftOut] = field(default_factory=dict)
    studies: dict[str, dict[str, Any]] = field(init=False)
    outcomes: dict[str, dict[str, Any]] = field(init=False)
    arms: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.studies = records(self.evidence.studies, "study_id")
        self.outcomes = records(self.evidence.outcomes, "outcome_id")
        self.arms = records(self.evidence.arms, "arm_id")

    def _compares(self, table: str, row: dict[str, Any]) -> bool:
        """Whether a row sets LDN against another arm; a change from baseline does not."""
        return (
            table == "contrasts"
            and row["timepoint_weeks"] != 0
            and row["timepoint"] != "baseline"
            and not missing(row["arm_2"])
            and self.arms[row["arm_1"]]["group"] == 1
            and self.arms[row["arm_2"]]["group"] != 1
        )

    def left_out(self, table: str, row: dict[str, Any], reason: str, usable_for: str) -> None:
        """Note why a row gave no effect; the first reason given stays."""
        self.why_not.setdefault(
            (table, row["row_id"]),
            LeftOut(table, row["row_id"], row["study_id"], row["outcome_id"], reason, usable_for,
                    str(row.get("direction", "not stated")), self._compares(table, row),
                    bool(row["preferred"])),
        )


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain dicts, missing as None."""
    return frame.astype("object").where(frame.notna(), None).to_dict("records")


def records(frame: pd.DataFrame, key: str) -> dict[str, dict[str, Any]]:
    """Rows as plain dicts by key, missing as None."""
    return {row[key]: row for row in plain_rows(frame)}


def missing(value: Any) -> bool:
    """Whether a cell holds no value."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def number(value: Any) -> float:
    """A cell as float, NaN when missing."""
    return math.nan if missing(value) else float(value)


def row_name(table: str, row: dict[str, Any]) -> str:
    """Address of a raw row, as used in the ``rows`` column of effects.csv."""
    return f"{table}:{row['row_id']}"


def is_transcribed(*rows: dict[str, Any]) -> bool:
    """Whether any of the rows was read in a third party's transcription."""
    return any(row["read_from"] == "transcription" for row in rows)
