"""Which marks an albatross plot has, and which results it can only name in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ldn_meta.display.figures.direction_rows import DirectionRow

# Rounding to one digit leaves p known to within a factor of 3 (0.01 is 0.005 to 0.015); what
# is known less well is no point but a range.
_POINT_FACTOR = 3.0 * (1 + 1e-9)
# A smaller p is drawn as this one with an open end: it would press all others together.
SMALLEST_P = 1e-10
LDN_SIDE, COMPARATOR_SIDE = 1, -1
_BOTH = (COMPARATOR_SIDE, LDN_SIDE)


@dataclass(frozen=True)
class Mark:
    """One result, or several that coincide.

    Attributes
    ----------
    results : tuple of (str, str)
        Study and outcome of each; the outcome is empty for the only result of a study.
    sides : tuple of int
        Where it is drawn: 1 LDN, -1 comparator, both where the side is not known.
    low, high : float
        What is known of the two-sided p; ``low`` 0 is an open end.
    people : float
    is_paired : bool
        The same people stand in both arms.
    is_randomised : bool
    """

    results: tuple[tuple[str, str], ...]
    sides: tuple[int, ...]
    low: float
    high: float
    people: float
    is_paired: bool
    is_randomised: bool

    @property
    def name(self) -> str:
        """Name all results that share the mark."""
        return " and ".join(
            _named(study, told, " and ") for study, told in _by_study(self.results)
        )

    @property
    def is_point(self) -> bool:
        """Whether p is known to its rounding."""
        return self.low > 0 and self.high <= _POINT_FACTOR * self.low

    @property
    def p(self) -> float:
        """Middle of what is known: the printed value, where one was."""
        return (self.low + self.high) / 2

    @property
    def is_side_known(self) -> bool:
        """Whether the point estimate lies on a known side."""
        return len(self.sides) == 1

    @property
    def p_words(self) -> str:
        """What is known of p, in words."""
        if self.is_point:
            return f"p = {self.p:.3g}"
        if self.low == 0:
            return f"p below {self.high:g}"
        if self.high == 1:
            return f"p above {self.low:g}"
        return f"p between {self.low:g} and {self.high:g}"


def marks_of(rows: Sequence[DirectionRow]) -> tuple[list[Mark], list[str]]:
    """Turn results into marks.

    Parameters
    ----------
    rows : sequence of DirectionRow

    Returns
    -------
    marks : list of Mark
        In the order of the rows; results that coincide share a mark.
    unplaced : list of str
        Results without p or people, study by study, with what is missing.
    """
    studies = [row.study_id for row in rows]
    marks: dict[Mark, Mark] = {}
    unplaced: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        result = (row.study, "" if studies.count(row.study_id) == 1 else row.outcome)
        missing = _missing(row)
        if missing:
            unplaced.setdefault(f"{' and '.join(missing)} not known", []).append(result)
            continue
        low, high = row.p_low, row.p_high
        if high < SMALLEST_P:
            low, high = 0.0, SMALLEST_P
        sides = (int(row.sign),) if row.sign in _BOTH else _BOTH
        place = Mark((), sides, low, high, row.people, row.is_paired, bool(row.is_randomised))
        shared = marks[place].results if place in marks else ()
        marks[place] = replace(place, results=(*shared, result))
    words = [
        f"{_named(study, told, ', ')} ({reason})"
        for reason, results in unplaced.items()
        for study, told in _by_study(results)
    ]
    return list(marks.values()), words


def _by_study(results: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Gather the outcomes of each study; a study with one result has none to name."""
    found: dict[str, list[str]] = {}
    for study, outcome in results:
        found.setdefault(study, []).extend([outcome] if outcome else [])
    return list(found.items())


def _named(study: str, outcomes: Sequence[str], between: str) -> str:
    return f"{study}: {between.join(outcomes)}" if outcomes else study


def _missing(row: DirectionRow) -> list[str]:
    missing = []
    # An interval from 0 to 1 says nothing.
    if math.isnan(row.p_low) or (row.p_low == 0 and row.p_high == 1):
        missing.append("p")
    if math.isnan(row.people):
        missing.append("number of people")
    return missing
