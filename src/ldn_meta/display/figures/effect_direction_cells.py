"""Where the outcomes of a study point together: one direction for each study and column."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ldn_meta.display.figures.direction_rows import MIXED, NOT_KNOWN, DirectionRow
from ldn_meta.display.figures.judgement_dots import judgement
from ldn_meta.errors import ArgumentError

By = Literal["group", "construct"]
OTHER = "other"
# Boon & Thomson 2021, doi 10.1002/jrsm.1458: a study's outcomes of one domain have a direction
# if at least 70% of them share it.
AGREEING_PCT = 70


@dataclass(frozen=True)
class Cell:
    """What one study says on one column.

    Attributes
    ----------
    verdict : str
        Direction of the outcomes together (``together``).
    outcomes : tuple of (str, str)
        Name and direction of every outcome behind it.
    people : float
        The most people behind any of them; NaN if nobody said.
    """

    verdict: str
    outcomes: tuple[tuple[str, str], ...]
    people: float

    @property
    def combined(self) -> int:
        """Outcomes that went into the direction: those with one, or all if none has."""
        known = [verdict for _, verdict in self.outcomes if verdict != NOT_KNOWN]
        return len(known) or len(self.outcomes)


@dataclass(frozen=True)
class Study:
    """A study with its cells by key of the column; without one it reported nothing there."""

    study_id: str
    label: str
    design: str
    is_randomised: bool | None
    blinding: str
    bias: str
    people: str
    cells: dict[str, Cell]


def together(verdicts: Sequence[str]) -> str:
    """Give several outcomes one direction.

    Outcomes without a known direction do not count against the others.

    Parameters
    ----------
    verdicts : sequence of str
        Directions of single outcomes.

    Returns
    -------
    str
        The direction of at least 70% of the known ones; mixed if there is none such; not
        known if none is known.
    """
    known = [verdict for verdict in verdicts if verdict != NOT_KNOWN]
    if not known:
        return NOT_KNOWN
    verdict, times = Counter(known).most_common(1)[0]
    return verdict if 100 * times >= AGREEING_PCT * len(known) else MIXED


def studies_and_columns(
    rows: Sequence[DirectionRow], *, by: By, order: Sequence[str] | None
) -> tuple[list[Study], dict[str, str]]:
    """Arrange outcomes by study and column.

    Parameters
    ----------
    rows : sequence of DirectionRow
        Oldest study first; studies keep this order.
    by : {"group", "construct"}
        What a column is.
    order : sequence of str or None
        Columns in the order wished, by name of group or construct; others follow as they
        come, "other" last.

    Returns
    -------
    studies : list of Study
    columns : dict of str
        Name of each column by its key, from left to right.

    Raises
    ------
    ArgumentError
        If ``by`` is not allowed, a risk-of-bias judgement is not known, or a study has two.
    """
    if by not in ("group", "construct"):
        message = f"by is {by!r}: allowed are 'group' and 'construct'"
        raise ArgumentError(message)
    found = list(dict.fromkeys(_key(row, by) for row in rows))
    wished = [name for name in order or () if name in found]
    rest = [name for name in found if name not in wished]
    rest.sort(key=lambda name: name == OTHER)
    heads = {_key(row, by): row.group if by == "group" else row.outcome for row in rows}
    keys = [*wished, *rest]
    studies = [
        _study([row for row in rows if row.study_id == study], keys, by)
        for study in dict.fromkeys(row.study_id for row in rows)
    ]
    return studies, {key: heads[key] for key in keys}


def _key(row: DirectionRow, by: By) -> str:
    return row.group if by == "group" else row.construct


def _study(rows: Sequence[DirectionRow], keys: Sequence[str], by: By) -> Study:
    first = rows[0]
    judgement(first.bias)
    words = {row.bias for row in rows}
    if len(words) > 1:
        message = (
            f"directions has the judgements {', '.join(sorted(words))} for {first.study_id}: "
            "overall_bias is one word a study"
        )
        raise ArgumentError(message)
    cells = {}
    for key in keys:
        parts = [row for row in rows if _key(row, by) == key]
        if parts:
            cells[key] = _cell(parts)
    return Study(
        study_id=first.study_id,
        label=first.study,
        design=first.design,
        is_randomised=first.is_randomised,
        blinding=first.blinding,
        bias=first.bias,
        people=_people([row.people for row in rows]),
        cells=cells,
    )


def _cell(rows: Sequence[DirectionRow]) -> Cell:
    known = [row.people for row in rows if not math.isnan(row.people)]
    return Cell(
        verdict=together([row.verdict for row in rows]),
        outcomes=tuple((row.outcome, row.verdict) for row in rows),
        people=max(known, default=math.nan),
    )


def _people(numbers: Sequence[float]) -> str:
    """Print how many people stand behind the outcomes of a study."""
    known = [number for number in numbers if not math.isnan(number)]
    if not known:
        return "NR"
    low, high = min(known), max(known)
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
