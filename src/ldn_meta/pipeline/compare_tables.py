"""Two states of a table, row by row: what was added, removed and changed."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias

MISSING = frozenset(("", "NA", "NR", "TODO"))
# Saved numbers have six digits; what differs less is the same number.
TOLERANCE = 1e-9
# Not float(): that also takes "nan" and "1_000", which are words here.
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf)")

Cells: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A CSV file as text."""

    columns: tuple[str, ...]
    rows: tuple[Cells, ...]


@dataclass(frozen=True)
class CellChange:
    """A cell that differs; ``is_number`` if both sides are numbers or missing."""

    column: str
    old: str
    new: str
    is_number: bool


@dataclass(frozen=True)
class RowChange:
    """A row that differs.

    Attributes
    ----------
    table : str
    key : tuple of (str, str)
        Column and value; what finds the row.
    kind : str
        "added", "removed" or "changed".
    cells : tuple of CellChange
        Of a changed row.
    old, new : mapping of str to str
        All cells; empty where there is no row.
    verdict : str
        What reads otherwise now; empty if the same can be said as before.
    turn : str
        What kind of change that is, one of ``movement.TURNS``; empty with an empty verdict.
    """

    table: str
    key: tuple[tuple[str, str], ...]
    kind: str
    cells: tuple[CellChange, ...]
    old: Cells
    new: Cells
    verdict: str = ""
    turn: str = ""

    @property
    def is_moved(self) -> bool:
        """Whether more than words differ."""
        return self.kind != "changed" or bool(self.verdict) or any(c.is_number for c in self.cells)


@dataclass(frozen=True)
class TableChange:
    """What happened to one table.

    Attributes
    ----------
    table : str
    kind : str
        "same", "changed", "added" or "removed", of the table as a whole.
    total : int
        Rows of either side, each counted once.
    columns_added, columns_removed : tuple of str
    rows : tuple of RowChange
        Of a table that is new or gone, all of them.
    """

    table: str
    kind: str
    total: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    rows: tuple[RowChange, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the table as a whole is new or gone."""
        return self.kind in ("added", "removed")

    @property
    def own_rows(self) -> tuple[RowChange, ...]:
        """What happened within the table; nothing where it is new or gone as a whole."""
        return () if self.is_whole else self.rows


def read_table(data: bytes) -> Table:
    """Read a CSV file as it stands; a short row is filled up, what is too much is left out.

    ``ldn-meta check`` is what refuses such rows; here they must not be in the way.
    """
    lines = csv.reader(io.StringIO(data.decode("utf-8-sig", errors="replace"), newline=""))
    columns = tuple(next(lines, []))
    rows = [
        dict(zip_longest(columns, line[: len(columns)], fillvalue="")) for line in lines if line
    ]
    return Table(columns, tuple(rows))


def compare_tables(
    name: str,
    old: bytes | None,
    new: bytes | None,
    *,
    key: Sequence[str] = (),
    texts: Collection[str] = (),
) -> TableChange:
    """Compare two states of one table.

    Parameters
    ----------
    name : str
    old, new : bytes or None
        CSV; None where the table does not exist.
    key : sequence of str, optional
        Columns that find a row. Without them, or if one is not in both states, the first
        columns that do. Rows with the same key are paired equal ones first, then in order.
    texts : collection of str, optional
        Columns that are text even if every cell looks like a number. Others are numbers if all
        their cells are; numbers compare by relative 1e-9, everything else exactly.

    Returns
    -------
    TableChange
    """
    before, after = (read_table(data or b"") for data in (old, new))
    if old == new:
        return TableChange(name, "same", len(after.rows))
    if old is None or new is None:
        there = after if old is None else before
        before, after = (
            Table(there.columns, side.rows if side is there else ()) for side in (before, after)
        )
    shared = [column for column in after.columns if column in before.columns]
    numbers = {c for c in shared if c not in texts and _is_numeric((*before.rows, *after.rows), c)}
    found_by = (
        list(key) if key and set(key) <= set(shared) else _first_columns(before, after, shared)
    )
    changes, pairs = [], _paired(before.rows, after.rows, found_by, shared)
    for old_row, new_row in pairs:
        cells = _changed_cells(old_row, new_row, shared, numbers)
        if old_row and new_row and not cells:
            continue
        kind = "changed" if old_row and new_row else "added" if new_row else "removed"
        row = new_row or old_row
        address = tuple((column, row[column]) for column in found_by)
        changes.append(RowChange(name, address, kind, cells, old_row, new_row))
    return TableChange(
        name,
        "added" if old is None else "removed" if new is None else "changed",
        len(pairs),
        tuple(c for c in after.columns if c not in before.columns),
        tuple(c for c in before.columns if c not in after.columns),
        tuple(sorted(changes, key=lambda change: change.key)),
    )


def is_number(text: str) -> bool:
    """Whether a cell is a number as tables write it."""
    return _NUMBER.fullmatch(text) is not None


def same_number(old: float, new: float) -> bool:
    """Whether two numbers are the same to relative 1e-9."""
    return math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=0.0)


def _is_numeric(rows: Sequence[Cells], column: str) -> bool:
    present = [row[column] for row in rows if row[column] not in MISSING]
    return bool(present) and all(is_number(text) for text in present)


def _changed_cells(
    old: Cells, new: Cells, shared: Sequence[str], numbers: Collection[str]
) -> tuple[CellChange, ...]:
    if not old or not new:
        return ()
    found = []
    for column in shared:
        before, after = old[column], new[column]
        both = column in numbers and before not in MISSING and after not in MISSING
        is_same = same_number(float(before), float(after)) if both else before == after
        if not is_same:
            found.append(CellChange(column, before, after, column in numbers))
    return tuple(found)


def _first_columns(before: Table, after: Table, shared: Sequence[str]) -> list[str]:
    """The fewest leading columns that tell the rows of each state apart; measured numbers do not.

    Without such columns, those before the first measured number.
    """
    rows = (*before.rows, *after.rows)
    chosen: list[str] = []
    for column in shared:
        if any(is_number(row[column]) and not row[column].isdigit() for row in rows):
            break
        chosen.append(column)
        if all(_tells_apart(table.rows, chosen) for table in (before, after)):
            break
    return chosen or list(shared[:1])


def _tells_apart(rows: Sequence[Cells], columns: Sequence[str]) -> bool:
    return len({tuple(row[column] for column in columns) for row in rows}) == len(rows)


def _paired(
    before: Sequence[Cells], after: Sequence[Cells], key: Sequence[str], shared: Sequence[str]
) -> list[tuple[Cells, Cells]]:
    """Rows that belong together; an empty mapping stands for a row that is not there."""

    def grouped(rows: Sequence[Cells]) -> dict[tuple[str, ...], list[Cells]]:
        groups: dict[tuple[str, ...], list[Cells]] = defaultdict(list)
        for row in rows:
            groups[tuple(row[column] for column in key)].append(row)
        return groups

    def content(row: Cells) -> tuple[str, ...]:
        return tuple(row[column] for column in shared)

    olds, news = grouped(before), grouped(after)
    pairs: list[tuple[Cells, Cells]] = []
    for address in {**olds, **news}:
        left, right = olds.get(address, []), news.get(address, [])
        if len(left) > 1 or len(right) > 1:
            left, right, equal = _without_equal(left, right, content)
            pairs.extend(equal)
        pairs.extend(zip_longest(left, right, fillvalue={}))
    return pairs


def _without_equal(
    left: Sequence[Cells], right: Sequence[Cells], content: Callable[[Cells], tuple[str, ...]]
) -> tuple[list[Cells], list[Cells], list[tuple[Cells, Cells]]]:
    """Take the rows that are equal on both sides out of both."""
    rest, equal = list(right), []
    kept = []
    for row in left:
        twin = next((other for other in rest if content(other) == content(row)), None)
        if twin is None:
            kept.append(row)
        else:
            rest.remove(twin)
            equal.append((row, twin))
    return kept, rest, equal
