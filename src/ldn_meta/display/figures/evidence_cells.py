"""What each cell of the evidence map says and which mark it carries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import style
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.synthesis import (
    DIRECTION_ONLY,
    KINDS,
    META_ANALYSIS,
    NO_COMPARISON,
    NOTHING,
    ONE_TRIAL,
)

if TYPE_CHECKING:
    import pandas as pd

MAP_COLUMNS = ("indication_label", "outcome_label", "trials", "people", "direction", "synthesis")


@dataclass(frozen=True)
class Mark:
    """Shape and colour of a direction, and how the legend calls it."""

    marker: str
    colour: str
    words: str


@dataclass(frozen=True)
class Filling:
    """How strongly a mark is filled, and how the legend calls the kind of synthesis."""

    strength: float
    size: float
    words: str


_EITHER = Mark(
    "o", style.SOFT_INK, "either way (the interval includes no difference, or none was found)"
)
_UNKNOWN = Mark("s", style.SOFT_INK, "direction not stated")
DIRECTIONS = {
    "favours LDN": Mark("^", style.LDN, "favours LDN"),
    "favours comparator": Mark("v", style.PREDICTION, "favours comparator"),
    "either way": _EITHER,
    "no difference": _EITHER,
    "partly favours LDN": Mark("D", style.LDN, "some favour LDN, others found no difference"),
    "partly favours comparator": Mark(
        "d", style.PREDICTION, "some favour the comparator, others found no difference"
    ),
    "conflicting": Mark("X", style.SOFT_INK, "studies point both ways"),
    "unclear": _UNKNOWN,
    "not stated": _UNKNOWN,
    "none": _UNKNOWN,
}
ALONE = Mark("P", style.SINGLE_ARM, "no comparison group")
FILLINGS = {
    META_ANALYSIS: Filling(1.0, 15.0, "solid: meta-analysis"),
    ONE_TRIAL: Filling(0.35, 13.0, "tinted: one trial, not pooled"),
    DIRECTION_ONLY: Filling(0.0, 13.0, "open: direction only, no number"),
    NO_COMPARISON: Filling(0.35, 7.0, ""),
}


@dataclass(frozen=True)
class Cell:
    """One indication and outcome."""

    synthesis: str
    direction: str
    trials: int
    people: float

    @property
    def is_empty(self) -> bool:
        """Nothing was found for it."""
        return self.synthesis == NOTHING

    @property
    def mark(self) -> Mark:
        """Shape and colour."""
        return ALONE if self.synthesis == NO_COMPARISON else DIRECTIONS[self.direction]

    @property
    def filling(self) -> Filling:
        """How strongly the mark is filled."""
        return FILLINGS[self.synthesis]

    @property
    def lines(self) -> tuple[str, str]:
        """Trials and people as printed."""
        has_number = self.synthesis in (META_ANALYSIS, ONE_TRIAL)
        one, many = ("trial", "trials") if has_number else ("study", "studies")
        noun = one if self.trials == 1 else many
        # No people behind a trial means that nobody said how many.
        known = math.isfinite(self.people) and self.people > 0
        who = "person" if self.people == 1 else "people"
        return f"{self.trials} {noun}", f"{self.people:.0f} {who}" if known else "people not given"


def evidence_cells(
    frame: pd.DataFrame,
) -> tuple[list[str], list[str], dict[tuple[str, str], Cell]]:
    """Turn rows into labels of rows, labels of columns, and cells.

    Raises
    ------
    ArgumentError
        If a column is missing, a word is not known, or a cell is given twice.
    """
    missing = [name for name in MAP_COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks the column(s) {', '.join(missing)}: needs {MAP_COLUMNS}"
        raise ArgumentError(message)
    cells: dict[tuple[str, str], Cell] = {}
    for entry in frame.to_dict("records"):
        key = (str(entry["indication_label"]), str(entry["outcome_label"]))
        if key in cells:
            message = f"frame has {key[0]!r} with {key[1]!r} twice: one row a cell"
            raise ArgumentError(message)
        synthesis = _known(entry["synthesis"], "synthesis", KINDS)
        direction = _known(entry["direction"], "direction", tuple(DIRECTIONS))
        trials = _whole(entry["trials"])
        cells[key] = Cell(synthesis, direction, trials, float(entry["people"]))
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    return rows, columns, cells


def _known(value: object, column: str, allowed: tuple[str, ...]) -> str:
    if str(value) not in allowed:
        message = f"{column} is {value!r}: allowed are {', '.join(allowed)}"
        raise ArgumentError(message)
    return str(value)


def _whole(value: Any) -> int:
    return 0 if value is None or value != value else int(value)
