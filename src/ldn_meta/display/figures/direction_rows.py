"""What the rows of a `directions` frame say, checked once for all figures without pooling."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import style
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.synthesis import (
    CONFLICTING,
    FAVOURS_COMPARATOR,
    FAVOURS_LDN,
    NO_DIFFERENCE,
    NOT_STATED,
    PARTLY_COMPARATOR,
    PARTLY_LDN,
)

if TYPE_CHECKING:
    import pandas as pd

DIRECTION_COLUMNS = (
    "study_id",
    "study_label",
    "year",
    "design",
    "eligible_for",
    "is_randomised",
    "construct",
    "construct_label",
    "group",
    "direction",
    "sign",
    "p_low",
    "p_high",
    "n_people",
    "is_paired",
    "overall_bias",
)
MIXED = "mixed"
NOT_KNOWN = "direction not known"
# In the order in which legends and counts name them.
VERDICTS = (FAVOURS_LDN, FAVOURS_COMPARATOR, NO_DIFFERENCE, MIXED, NOT_KNOWN)
_OF_SIGN = {1.0: FAVOURS_LDN, -1.0: FAVOURS_COMPARATOR, 0.0: NO_DIFFERENCE}
# Some reports of a result on one side and others without a difference show no clear direction.
_OF_WORDS = {
    FAVOURS_LDN: FAVOURS_LDN,
    PARTLY_LDN: MIXED,
    NO_DIFFERENCE: NO_DIFFERENCE,
    CONFLICTING: MIXED,
    PARTLY_COMPARATOR: MIXED,
    FAVOURS_COMPARATOR: FAVOURS_COMPARATOR,
    NOT_STATED: NOT_KNOWN,
}
_COMPARED = "contrast"
_NO_TEXT = ("NA", "NR")


@dataclass(frozen=True)
class DirectionRow:
    """One outcome of one study; numbers that nobody knows are NaN.

    Attributes
    ----------
    verdict : str
        One of ``VERDICTS``: the side of the point estimate whatever its p-value; where no
        estimate is known, the study's own words.
    sign : float
        Side of the point estimate: 1 LDN, -1 comparator, 0 neither, NaN not known.
    is_randomised : bool or None
        None where no report says.
    p_low, p_high : float
        What is known of the two-sided p-value, as an interval.
    people : float
    """

    study_id: str
    study: str
    year: float
    design: str
    is_randomised: bool | None
    blinding: str
    construct: str
    outcome: str
    group: str
    verdict: str
    sign: float
    p_low: float
    p_high: float
    people: float
    is_paired: bool
    bias: str


def direction_rows(directions: pd.DataFrame, *, also: Sequence[str] = ()) -> list[DirectionRow]:
    """Read a `directions` frame, oldest study first.

    Parameters
    ----------
    directions : pandas.DataFrame
        One row a study and construct, with the columns of ``DIRECTION_COLUMNS``.
    also : sequence of str
        Further columns that the figure needs.

    Raises
    ------
    ArgumentError
        If a column is missing; or, all faults at once, if a study has no comparison, a
        direction or sign is not known, an interval of p is none, or a study has a construct
        twice.
    """
    needed = (*DIRECTION_COLUMNS, *also)
    missing = [name for name in needed if name not in directions.columns]
    if missing:
        message = f"directions lacks the column(s) {', '.join(missing)}: needs {needed}"
        raise ArgumentError(message)
    entries: list[dict[Hashable, Any]] = directions.to_dict("records")
    faults = [fault for entry in entries for fault in _faults(entry)]
    pairs = Counter((str(entry["study_id"]), str(entry["construct"])) for entry in entries)
    faults += [
        f"{study} has {construct!r} {times} times: one row a study and construct"
        for (study, construct), times in pairs.items()
        if times > 1
    ]
    if faults:
        message = f"directions cannot be drawn: {'; '.join(faults)}"
        raise ArgumentError(message)
    rows = [_row(entry) for entry in entries]
    return sorted(rows, key=lambda row: (_or_last(row.year), row.study, row.study_id))


def _faults(entry: dict[Hashable, Any]) -> list[str]:
    """Name everything that is wrong with a row."""
    where = f"{entry['study_id']} {entry['construct']}"
    faults = []
    if entry["eligible_for"] != _COMPARED:
        faults.append(
            f"{where}: eligible_for is {entry['eligible_for']!r}, allowed is {_COMPARED!r}: "
            "without a comparison no direction can be counted"
        )
    if entry["direction"] not in _OF_WORDS:
        allowed = ", ".join(_OF_WORDS)
        faults.append(f"{where}: direction is {entry['direction']!r}, allowed are {allowed}")
    sign = float(entry["sign"])
    if not (math.isnan(sign) or sign in _OF_SIGN):
        faults.append(f"{where}: sign is {sign:g}, allowed are 1, 0, -1 and NaN")
    low, high = float(entry["p_low"]), float(entry["p_high"])
    is_unknown = math.isnan(low) and math.isnan(high)
    if not (is_unknown or 0 <= low <= high <= 1):
        faults.append(
            f"{where}: p_low is {low:g} and p_high {high:g}, allowed are "
            "0 <= p_low <= p_high <= 1 or both NaN"
        )
    people = float(entry["n_people"])
    if not (math.isnan(people) or 1 <= people < math.inf):
        faults.append(f"{where}: n_people is {people:g}, allowed are 1 or more and NaN")
    return faults


def _row(entry: dict[Hashable, Any]) -> DirectionRow:
    sign = float(entry["sign"])
    verdict = _OF_WORDS[entry["direction"]] if math.isnan(sign) else _OF_SIGN[sign]
    return DirectionRow(
        study_id=str(entry["study_id"]),
        study=style.typeset(str(entry["study_label"])),
        year=float(entry["year"]),
        design=_text(entry["design"]),
        is_randomised=bool(entry["is_randomised"]) if _is_told(entry["is_randomised"]) else None,
        blinding=_text(entry.get("blinding")),
        construct=str(entry["construct"]),
        outcome=style.typeset(str(entry["construct_label"])),
        group=str(entry["group"]),
        verdict=verdict,
        sign=sign,
        p_low=style.steady(entry["p_low"]),
        p_high=style.steady(entry["p_high"]),
        people=float(entry["n_people"]),
        is_paired=bool(entry["is_paired"]),
        bias=_text(entry["overall_bias"]),
    )


def _text(value: object) -> str:
    """Turn a cell into text; what is missing is empty."""
    return str(value) if _is_told(value) else ""


def _is_told(value: object) -> bool:
    return not (value is None or value != value or value in _NO_TEXT)


def _or_last(year: float) -> float:
    return math.inf if math.isnan(year) else year
