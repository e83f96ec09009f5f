"""A comparison as tables for readers, what matters most first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ldn_meta.display.movement import QUANTITIES, how_far, quantity_pair
from ldn_meta.display.wording import count
from ldn_meta.pipeline.compare import Comparison
from ldn_meta.pipeline.compare_facts import LeafChange, leaf_text
from ldn_meta.pipeline.compare_results import VERDICT_COLUMNS, measure_of, numbers_of
from ldn_meta.pipeline.compare_tables import MISSING, CellChange, RowChange, TableChange, is_number
from ldn_meta.pipeline.compare_words import one_line

# What shows at a glance what a row that came or went was about, the first that it has.
_TELLING = (
    "as_reported",
    "title",
    "label",
    "claim",
    "explanation",
    "reason",
    "value",
    "judgement",
)
MOST_COLUMNS = 4
# The whole text of a long cell is in its table, and in --json.
MOST_LETTERS = 160


@dataclass(frozen=True)
class Listing:
    """A table for readers.

    Attributes
    ----------
    title : str
    header : tuple of str
    rows : tuple of tuple of str
    is_detail : bool
        Whether a reader in a hurry can do without it.
    is_short : bool
        Whether it is shown whole, whatever the limit of rows.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_detail: bool = False
    is_short: bool = False


def listings(found: Comparison) -> tuple[Listing, ...]:
    """Tables of everything that moved, what matters most first.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    tuple of Listing
        Without those that would be empty.
    """
    made = [
        Listing(
            "Verdicts",
            ("where", "result", "old", "new", "what changed"),
            _verdicts(found),
            is_short=True,
        ),
        Listing("Inputs", ("table", "row", "column", "old", "new"), _inputs(found.inputs)),
        Listing("Settings", ("file", "setting", "old", "new"), tuple(map(_leaf, found.settings))),
        Listing(
            "Tables of data/derived",
            ("table", "rows", "moved", "added", "removed", "words only", "note"),
            tuple(_overview(table) for table in found.results if table.kind != "same"),
            is_short=True,
        ),
    ]
    for table in found.results:
        rows = _merged([(row, _result(row, found)) for row in table.own_rows])
        header = ("result", "old", "new", "moved by", "also")
        made.append(Listing(table.table, header, rows, is_detail=True))
    facts = Counter((fact.where, fact.path[0] if fact.path else "") for fact in found.facts)
    counted = tuple((where, page, str(number)) for (where, page), number in facts.items())
    made.append(Listing("Facts of the pages", ("report", "page", "changed"), counted, True))
    return tuple(listing for listing in made if listing.rows)


def _verdicts(found: Comparison) -> tuple[tuple[str, ...], ...]:
    lines = []
    for change in found.verdicts:
        address, old, new, *_ = _result(change, found)
        lines.append((change, (address, old, new, _cell(change.verdict))))
    rows: list[tuple[str, ...]] = []
    for table in dict.fromkeys(change.table for change in found.verdicts):
        own = [(change, line) for change, line in lines if change.table == table]
        rows.extend((table, *line) for line in _merged(own))
    for fact in found.told_verdicts:
        where, path, old, new = _leaf(fact)
        rows.append((f"reports/{where}", path, old, new, "what the page concludes"))
    return tuple(rows)


def _inputs(tables: Sequence[TableChange]) -> tuple[tuple[str, ...], ...]:
    # A correction is easily lost among the rows of a new trial.
    rows: list[tuple[str, ...]] = [
        (row.table, _address(row), cell.column, _cell(cell.old), _cell(cell.new))
        for table in tables
        for row in table.own_rows
        for cell in row.cells
    ]
    for table in tables:
        if table.is_whole:
            rows.append(
                (table.table, f"the table, {table.total} rows", "", *_came(table.kind, ""))
            )
        for kind, names in (("added", table.columns_added), ("removed", table.columns_removed)):
            rows.extend((table.table, "the column", name, *_came(kind, "")) for name in names)
        rows.extend(
            (table.table, _address(row), "", *_came(row.kind, _telling(row)))
            for row in table.own_rows
            if row.kind != "changed"
        )
    return tuple(rows)


def _came(kind: str, what: str) -> tuple[str, str]:
    """Old and new of something that is on one side only."""
    shown = f"{kind}: {what}" if what else kind
    return ("", shown) if kind == "added" else (shown, "")


def _leaf(change: LeafChange) -> tuple[str, ...]:
    old, new = _cell(leaf_text(change.old)), _cell(leaf_text(change.new))
    if change.kind != "changed":
        old, new = _came(change.kind, new if change.kind == "added" else old)
    return change.where, _cell(" / ".join(change.path)), old, new


def _overview(table: TableChange) -> tuple[str, ...]:
    kinds = Counter(
        row.kind if row.kind != "changed" else "moved" if row.is_moved else "words"
        for row in table.own_rows
    )
    notes = [f"table {table.kind}"] if table.is_whole else []
    notes.extend(f"column {name} added" for name in table.columns_added)
    notes.extend(f"column {name} removed" for name in table.columns_removed)
    numbers = (table.total, *(kinds[name] for name in ("moved", "added", "removed", "words")))
    shown = (f"{number:,}" if number else "" for number in numbers)
    return (table.table, *shown, "; ".join(notes) or ("" if table.rows else "no value differs"))


def _result(change: RowChange, found: Comparison) -> tuple[str, ...]:
    """Address, old, new, how far, what else: of the estimate that moved, else of a cell."""
    measure = measure_of(change.new or change.old, found.measures)
    before, after = numbers_of(change.old), numbers_of(change.new)
    moved = {cell.column for cell in change.cells}
    for quantity in QUANTITIES:
        is_there = quantity.estimate in before or quantity.estimate in after
        is_told = change.kind != "changed" or not moved.isdisjoint(quantity.columns)
        if is_there and is_told:
            sides = quantity_pair(before, after, quantity, measure=measure)
            return _row(change, sides, quantity.columns, measure)
    if change.kind != "changed":
        return _row(change, (_telling(change),) * 2, (), measure)
    # A verdict says more than a number, and a number more than the words beside it.
    first = min(
        change.cells, key=lambda cell: (cell.column not in VERDICT_COLUMNS, not cell.is_number)
    )
    sides = f"{first.column}: {_cell(first.old)}", f"{first.column}: {_cell(first.new)}"
    return _row(change, sides, (first.column,), measure)


def _row(
    change: RowChange, sides: tuple[str, str], told: Sequence[str], measure: str
) -> tuple[str, ...]:
    """One line of a result; ``told`` are the columns that the two sides show."""
    if change.kind != "changed":
        return (_address(change), *_came(change.kind, sides[change.kind == "added"]), "", "")
    far = next((_far(cell, measure) for cell in change.cells if cell.column == told[0]), "")
    if len(told) > 1 and told[0] not in {cell.column for cell in change.cells}:
        far = "interval only"
    others = [cell.column for cell in change.cells if cell.column not in told]
    return _address(change), *sides, far, _first_of(others)


def _far(cell: CellChange, measure: str) -> str:
    if not (is_number(cell.old) and is_number(cell.new)):
        return ""
    return how_far(cell.column, float(cell.old), float(cell.new), measure=measure)


def _merged(lines: Sequence[tuple[RowChange, tuple[str, ...]]]) -> tuple[tuple[str, ...], ...]:
    """Lines that say the same of rows that differ in the last part of the key only, as one.

    A pool has a row for each analysis, and most of them move together.
    """
    found: dict[tuple[object, ...], list[str]] = {}
    for change, (address, *rest) in lines:
        first, last = change.key[:-1], change.key[-1][1] if change.key else ""
        # Rows with a key of one column are each something of its own.
        alike = (first or change.key, *rest)
        if alike in found:
            found[alike].append(last)
        else:
            found[alike] = [address]
    return tuple(("; ".join(names), *map(str, rest)) for (_, *rest), names in found.items())


def _address(change: RowChange) -> str:
    return _cell(", ".join(value for _, value in change.key if value not in MISSING))


def _telling(change: RowChange) -> str:
    row = change.new or change.old
    return next((_cell(row[n]) for n in _TELLING if row.get(n, "") not in MISSING), "")


def _first_of(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:MOST_COLUMNS])
    more = len(columns) - MOST_COLUMNS
    return f"{shown} and {count(more, 'column')} more" if more > 0 else shown


def _cell(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 4]} ..."
