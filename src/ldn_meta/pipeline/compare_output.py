"""A comparison on a terminal, in a pull request, or for machines."""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ldn_meta.pipeline.compare import Comparison
from ldn_meta.pipeline.compare_facts import LeafChange
from ldn_meta.pipeline.compare_listings import Listing, listings
from ldn_meta.pipeline.compare_tables import RowChange, TableChange
from ldn_meta.pipeline.compare_words import headline, one_line, reworded

if TYPE_CHECKING:
    from rich.text import Text

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
    """Write tables to the terminal, or to wherever stdout goes.

    Parameters
    ----------
    found : Comparison
    limit : int
        Rows of each table; 0 is all of them.
    """
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
    """Write a comparison for a pull request or the summary of a job.

    Parameters
    ----------
    found : Comparison
    limit : int
        Rows of each table; 0 is all of them.

    Returns
    -------
    str
        Headline first, details folded; with a final newline. Nothing of the tables can become
        markup.
    """
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
    """Write everything, for machines: one object, keys sorted.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    str
        JSON with a headline, notes, and every change with its old and its new value.
    """
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
        record["row"] = dict(row.new or row.old)
    return record


def _leaf_record(change: LeafChange) -> dict[str, Any]:
    return {
        "where": change.where,
        "path": list(change.path),
        "kind": change.kind,
        "old": change.old,
        "new": change.new,
        "is_verdict": change.is_verdict,
        "is_sentence": change.is_sentence,
    }


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
