"""A comparison on a terminal, in a pull request, or for machines."""

from __future__ import annotations

import difflib
import html
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.display.words import count, estimate_with_interval
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.files import EMPTY
from ldn_meta.pipeline.compare import (
    QUANTITIES,
    RATIO_COLUMNS,
    VERDICT_COLUMNS,
    Comparison,
    LeafChange,
    Quantity,
    RowChange,
    TableChange,
    leaf_text,
    measure_of,
    numbers_of_both,
)

if TYPE_CHECKING:
    from rich.text import Text


_TURNS = {
    "interval": "intervals across no difference",
    "judgement": "judgements",
    "result": "main results that came or went",
    "side": "estimates on the other side",
    "finding": "findings of checks",
    "page": "conclusions of pages",
}
# A long text keeps this many words on either side of what changed.
LONG, AROUND = 150, 8


@dataclass(frozen=True)
class Reworded:
    """A sentence before and after, in pieces: ("same" | "gone" | "new", text)."""

    where: str
    pieces: tuple[tuple[str, str], ...]


def headline(found: Comparison) -> str:
    """Say in one line what happened."""
    total = sum(table.total for table in found.results)
    if not found.has_any:
        return f"nothing moved: the inputs and all {total:,} results are the same"
    said = [*_input_words(found), *_result_words(found, total), _verdict_words(found)]
    if found.sentences:
        said.append(f"{_counted(len(found.sentences), 'sentence')} changed")
    return "; ".join(said)


def reworded(found: Comparison) -> tuple[Reworded, ...]:
    """Sentences of the pages that changed, word by word."""
    ordered = sorted(found.sentences, key=lambda fact: ("answer" not in fact.path, fact.where))
    return tuple(
        Reworded(one_line(f"{fact.where}: {' / '.join(fact.path)}"), _pieces(fact.old, fact.new))
        for fact in ordered
    )


def one_line(text: str) -> str:
    """A text without line ends and without what a terminal would take for a command."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _input_words(found: Comparison) -> list[str]:
    kinds = Counter(row.kind for table in found.inputs for row in table.own_rows)
    said = [
        f"{_counted(kinds[kind], 'input row')} {kind}"
        for kind in ("changed", "added", "removed")
        if kinds[kind]
    ]
    said += _whole_tables(found.inputs, "input table")
    columns = sum(len(t.columns_added) + len(t.columns_removed) for t in found.inputs)
    if columns:
        said.append(f"{_counted(columns, 'input column')} added or removed")
    if found.settings:
        by_file = Counter(change.where for change in found.settings)
        files = ", ".join(f"{name} {changed}" for name, changed in by_file.items())
        said.append(f"{_counted(len(found.settings), 'setting')} changed ({files})")
    said.extend(f"{name} changed" for name in found.code)
    return said or ["no input changed"]


def _whole_tables(tables: Sequence[TableChange], noun: str, *kinds: str) -> list[str]:
    return [
        f"{noun} {table.table} {kind}"
        for kind in kinds or ("added", "removed")
        for table in tables
        if table.kind == kind
    ]


def _verdict_words(found: Comparison) -> str:
    turns = Counter(row.turn for row in found.verdicts)
    turns["page"] = len(found.told_verdicts)
    if not turns.total():
        return "no verdict changed"
    which = ", ".join(f"{said} {turns[turn]}" for turn, said in _TURNS.items() if turns[turn])
    return f"{_counted(turns.total(), 'verdict')} changed ({which})"


def _result_words(found: Comparison, total: int) -> list[str]:
    changed = {
        table.table: sum(row.kind == "changed" and row.is_moved for row in table.own_rows)
        for table in found.results
    }
    where = ", ".join(f"{name} {number}" for name, number in changed.items() if number)
    said = ["results are older than their inputs or code"] if found.is_stale else []
    if found.unread:
        said.append(f"{_counted(len(found.unread), 'unreadable file')} left out")
    moved = f"{sum(changed.values())} of {total:,} results moved"
    said.append(f"{moved} ({where})" if where else moved)
    for kind in ("added", "removed"):
        number = sum(row.kind == kind for table in found.results for row in table.own_rows)
        if number:
            said.append(f"{_counted(number, 'result')} {kind}")
        said += _whole_tables(found.results, "table", kind)
    words = sum(not row.is_moved for table in found.results for row in table.rows)
    if words:
        said.append(f"{words} {'differs' if words == 1 else 'differ'} in words only")
    return said


def _pieces(old: object, new: object) -> tuple[tuple[str, str], ...]:
    """Runs of words that stayed, went and came."""
    before, after = (
        re.findall(r"\S+", one_line(text)) if isinstance(text, str) else [] for text in (old, new)
    )
    pieces: list[tuple[str, str]] = []
    matched = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matched.get_opcodes():
        if tag == "equal":
            is_cut = len(after) > LONG and b - a > 2 * AROUND + 1
            kept = [*before[a : a + AROUND], "[...]", *before[b - AROUND : b]]
            pieces.append(("same", " ".join(kept if is_cut else before[a:b])))
            continue
        pieces.extend([("gone", " ".join(before[a:b]))] if b > a else [])
        pieces.extend([("new", " ".join(after[c:d]))] if d > c else [])
    return tuple(pieces)


# What shows at a glance what a row that came or went was about, the first that it has.
_TELLING = (
    *("as_reported", "title", "label", "claim", "explanation", "reason", "value", "judgement"),
)
MOST_COLUMNS = 4
# The whole text of a long cell is in its table, and in --json.
MOST_LETTERS = 160


@dataclass(frozen=True)
class Listing:
    """A table for readers."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_detail: bool = False
    is_short: bool = False


def listings(found: Comparison) -> tuple[Listing, ...]:
    """Tables of everything that moved, what matters most first."""
    moved = ("where", "result", "old", "new", "what changed")
    kinds = ("table", "rows", "moved", "added", "removed", "words only", "note")
    changed = tuple(_overview(table) for table in found.results if table.kind != "same")
    facts = Counter((fact.where, fact.path[0] if fact.path else "") for fact in found.facts)
    counted = tuple((where, page, str(number)) for (where, page), number in facts.items())
    result = ("result", "old", "new", "moved by", "also")
    made = [
        Listing("Verdicts", moved, _verdicts(found), is_short=True),
        Listing("Inputs", ("table", "row", "column", "old", "new"), _inputs(found.inputs)),
        Listing("Settings", ("file", "setting", "old", "new"), tuple(map(_leaf, found.settings))),
        Listing("Tables of data/derived", kinds, changed, is_short=True),
        *(
            Listing(
                table.table,
                result,
                _merged([(row, _result(row, found)) for row in table.own_rows]),
                is_detail=True,
            )
            for table in found.results
        ),
        Listing("Facts of the pages", ("report", "page", "changed"), counted, is_detail=True),
    ]
    return tuple(listing for listing in made if listing.rows)


def _verdicts(found: Comparison) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    for table in dict.fromkeys(change.table for change in found.verdicts):
        own = [
            (change, (*_result(change, found)[:3], _cell(change.verdict)))
            for change in found.verdicts
            if change.table == table
        ]
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
    measure = measure_of(change.cells_there, found.measures)
    before, after = numbers_of_both(change)
    moved = {cell.column: cell for cell in change.cells}
    told: tuple[str, ...] = ()
    sides = (_telling(change),) * 2
    for quantity in QUANTITIES:
        is_there = quantity[0] in before or quantity[0] in after
        is_moved = any(before.get(name) != after.get(name) for name in quantity)
        if is_there and (change.kind != "changed" or is_moved):
            told = quantity
            sides = quantity_pair(before, after, quantity, measure=measure)
            break
    if change.kind != "changed":
        return (_address(change), *_came(change.kind, sides[change.kind == "added"]), "", "")
    if not told:
        # A verdict says more than a number, and a number more than the words beside it.
        first = min(
            change.cells,
            key=lambda cell: (cell.column not in VERDICT_COLUMNS, not cell.is_number),
        )
        told = (first.column,)
        sides = (f"{first.column}: {_cell(first.old)}", f"{first.column}: {_cell(first.new)}")
    name, far = told[0], ""
    if name in before and name in after:
        is_same = before[name] == after[name]
        far = how_far(name, before[name], after[name], measure=measure)
        far = "interval only" if is_same else far
    others = [column for column in moved if column not in told]
    shown, more = ", ".join(others[:MOST_COLUMNS]), len(others) - MOST_COLUMNS
    also = f"{shown} and {count(more, 'column')} more" if more > 0 else shown
    return _address(change), *sides, far, also


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
    return _cell(", ".join(value for _, value in change.key if value not in EMPTY))


def _telling(change: RowChange) -> str:
    row = change.cells_there
    return next((_cell(row[n]) for n in _TELLING if row.get(n, "") not in EMPTY), "")


def _cell(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 4]} ..."


# A log or a pipe has no width; this one fits an estimate with its interval twice.
WIDTH = 120
_STYLES = {"same": "", "gone": "red strike", "new": "bold green"}
# Without colours; the signs of a word diff would be read as those of numbers.
_PLAIN = {"same": "{}", "gone": "[was: {}]", "new": "[now: {}]"}
_TAGS = {"same": "{}", "gone": "<del>{}</del>", "new": "<ins>{}</ins>"}
# Entities where a backslash would still leave the sign that ends a cell or begins a tag.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_MARKDOWN = {**{sign: f"\\{sign}" for sign in "\\`*_[]#~@"}, **_ENTITIES}


def write_terminal(found: Comparison, *, limit: int) -> None:
    """Write tables to the terminal, or to wherever stdout goes."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, width=None if is_terminal else WIDTH, highlight=False, markup=False
    )
    console.print(Text(headline(found), style="bold"))
    console.print(Text(f"{found.old} -> {found.new}", style="dim"))
    for note in found.notes:
        console.print(Text(f"note: {one_line(note)}", style="yellow"))
    for listing in listings(found):
        shown, left_out = _cut(listing, limit)
        table = Table(title=Text(listing.title), title_justify="left", show_edge=False)
        for name in listing.header:
            table.add_column(Text(name), overflow="fold")
        for row in shown:
            table.add_row(*(Text(cell) for cell in row))
        console.print()
        console.print(table)
        if left_out:
            console.print(Text(f"and {left_out:,} more (--limit 0 lists all)", style="dim"))
    for sentence in reworded(found):
        console.print()
        console.print(Text(sentence.where, style="bold"))
        console.print(_styled(sentence.pieces, has_colour=is_terminal))


def markdown(found: Comparison, *, limit: int) -> str:
    """Write a comparison for a pull request or the summary of a job."""
    lines = [f"## {_escaped(headline(found))}", ""]
    lines.extend([f"{_escaped(found.old)} -> {_escaped(found.new)}", ""])
    for note in found.notes:
        lines.extend([f"> **Note:** {_escaped(note)}", ""])
    made = listings(found)
    for listing in made:
        if not listing.is_detail:
            lines.extend([f"### {listing.title}", "", *_markdown_table(listing, limit), ""])
    sentences = reworded(found)
    if sentences:
        lines.extend(["### Sentences", ""])
    for sentence in sentences:
        words = " ".join(_TAGS[kind].format(_escaped(text)) for kind, text in sentence.pieces)
        lines.extend([f"* **{_escaped(sentence.where)}**: {words}"])
    lines.extend([""] if sentences else [])
    for listing in made:
        if listing.is_detail:
            # Between tags a backslash is a backslash.
            title = html.escape(one_line(listing.title))
            summary = f"<summary>{title} ({len(listing.rows):,})</summary>"
            table = _markdown_table(listing, limit)
            lines.extend([f"<details>{summary}", "", *table, "", "</details>", ""])
    return "\n".join(lines).rstrip("\n") + "\n"


def as_json(found: Comparison) -> str:
    """Write everything, for machines: one object, keys sorted."""
    content = {
        "old": found.old,
        "new": found.new,
        "headline": headline(found),
        "has_new_verdict": found.reaches("verdict"),
        "has_moved_result": found.reaches("result"),
        "notes": list(found.notes),
        "code": list(found.code),
        "inputs": [_table_record(table) for table in found.inputs if table.kind != "same"],
        "settings": [_leaf_record(change) for change in found.settings],
        "results": [_table_record(table) for table in found.results if table.kind != "same"],
        "facts": [_leaf_record(change) for change in found.facts],
    }
    return json.dumps(content, indent=1, sort_keys=True, default=str)


def _table_record(table: TableChange) -> dict[str, Any]:
    return {
        "table": table.table,
        "kind": table.kind,
        "rows": table.total,
        "columns_added": list(table.columns_added),
        "columns_removed": list(table.columns_removed),
        "changes": [_row_record(row) for row in table.rows],
    }


def _row_record(row: RowChange) -> dict[str, Any]:
    record: dict[str, Any] = {"key": dict(row.key), "kind": row.kind, "verdict": row.verdict}
    if row.kind == "changed":
        record["cells"] = [
            {"column": cell.column, "old": cell.old, "new": cell.new} for cell in row.cells
        ]
    else:
        record["row"] = dict(row.cells_there)
    return record


def _leaf_record(change: LeafChange) -> dict[str, Any]:
    names = ("where", "path", "kind", "old", "new", "is_verdict", "is_sentence")
    return {name: getattr(change, name) for name in names}


def _cut(listing: Listing, limit: int) -> tuple[Sequence[tuple[str, ...]], int]:
    if not limit or listing.is_short:
        return listing.rows, 0
    return listing.rows[:limit], max(0, len(listing.rows) - limit)


def _markdown_table(listing: Listing, limit: int) -> list[str]:
    shown, left_out = _cut(listing, limit)
    lines = [f"| {' | '.join(listing.header)} |", f"|{' --- |' * len(listing.header)}"]
    lines.extend(f"| {' | '.join(map(_escaped, row))} |" for row in shown)
    if left_out:
        lines.extend(["", f"and {left_out:,} more"])
    return lines


def _escaped(text: str) -> str:
    """Text that no renderer takes for markup: cells come from whoever opened a pull request."""
    marked = "".join(_MARKDOWN.get(sign, sign) for sign in one_line(text))
    return marked.replace("://", ":\\/\\/")


def _styled(pieces: Sequence[tuple[str, str]], *, has_colour: bool) -> Text:
    from rich.text import Text

    text = Text()
    for place, (kind, words) in enumerate(pieces):
        text.append(" " if place else "")
        text.append(words if has_colour else _PLAIN[kind].format(words), style=_STYLES[kind])
    return text


# -- how far a number moved --------------------------------------------------------------------

# Columns that hold the logarithm of a ratio where the measure of their row is one.
LOGGED = frozenset(
    (
        *("yi", "estimate", "ci_low", "ci_high", "pi_low", "pi_high"),
        *("read_estimate", "read_low", "read_high"),
        *("estimate_used", "ci_low_used", "ci_high_used"),
        *("estimate_other", "ci_low_other", "ci_high_other"),
        *("default_estimate", "default_ci_low", "default_ci_high"),
        *("lowest", "p05", "median", "p95", "highest", "farthest"),
    )
)
# Facts of the pages that repeat a logged number as readers know it.
SHOWN = "shown_"
MOST_DIGITS = 9


def how_far(column: str, old: float, new: float, *, measure: str = "") -> str:
    """Say how far a number moved: ``+0.07``, or ``x1.08`` where it is a ratio."""
    is_ratio = measure in RATIO_MEASURES
    if is_ratio and column in LOGGED:
        return _factor(math.exp(new - old)) if abs(new - old) < math.log(1e300) else ""
    if column in RATIO_COLUMNS or (is_ratio and column.startswith(SHOWN)):
        return _factor(new / old) if old > 0 and new > 0 else ""
    change = new - old
    return f"{change:+.3g}" if math.isfinite(change) else ""


def quantity_pair(
    old: Mapping[str, float], new: Mapping[str, float], quantity: Quantity, *, measure: str
) -> tuple[str, str]:
    """Write estimate and interval before and after, with digits that show the difference."""
    # What is saved as a ratio must not be taken from the log again.
    scale = "" if quantity[0] in RATIO_COLUMNS | {"rd"} else measure
    texts = ("", "")
    for digits in range(2, MOST_DIGITS + 1):
        texts = (
            _quantity_text(old, quantity, scale, digits),
            _quantity_text(new, quantity, scale, digits),
        )
        if texts[0] != texts[1]:
            break
    return texts


def _quantity_text(
    numbers: Mapping[str, float], quantity: Quantity, measure: str, digits: int
) -> str:
    estimate, low, high = (numbers.get(name, math.nan) for name in quantity)
    return estimate_with_interval(estimate, low, high, measure=measure, digits=digits)


def _factor(factor: float) -> str:
    for digits in range(3, MOST_DIGITS + 3):
        text = f"x{factor:.{digits}g}"
        if text != "x1":
            return text
    return "x1"
