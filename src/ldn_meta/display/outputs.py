"""What notebook cells end in: text, tables and facts that display themselves."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FACTS_MIME = "application/vnd.ldn-meta.facts+json"
LINK_START = "https://"


@dataclass(frozen=True)
class Text:
    """A paragraph computed from results, shown as Markdown."""

    text: str

    def __str__(self) -> str:
        """Return the paragraph."""
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        """Return the paragraph."""
        return self.text


@dataclass(frozen=True, eq=False)
class Table:
    """A table for readers: a caption that says what it shows, rows of text, a note.

    Attributes
    ----------
    frame : pandas.DataFrame
        Cells as text; a cell ``label|https://...`` becomes a link.
    caption : str
    note : str
        Abbreviations and conventions; empty for none.
    empty : str
        What to print when there is no row.
    """

    frame: pd.DataFrame
    caption: str
    note: str = ""
    empty: str = "None."

    def _repr_html_(self) -> str:
        head = f"<p><strong>{html.escape(self.caption)}</strong></p>"
        note = f"<p><small>{html.escape(self.note)}</small></p>" if self.note else ""
        if not len(self.frame):
            return f"{head}<p>{html.escape(self.empty)}</p>"
        cells = self.frame.astype("str").map(_cell)
        cells.columns = [html.escape(str(name)) for name in cells.columns]
        body = cells.to_html(
            index=False, escape=False, border=0, classes="ldn-table", justify="left"
        )
        return f"{head}{body}{note}"

    def __repr__(self) -> str:
        """Return the table as plain text."""
        if not len(self.frame):
            return f"{self.caption}\n{self.empty}"
        plain = self.frame.astype("str").map(lambda cell: cell.partition("|" + LINK_START)[0])
        return f"{self.caption}\n{plain.to_string(index=False)}"


@dataclass(frozen=True)
class Facts:
    """The numbers behind a page; the runner files them in facts.json."""

    values: dict[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        noun = "fact" if len(self.values) == 1 else "facts"
        return {
            FACTS_MIME: _plain(self.values),
            "text/plain": f"{len(self.values)} {noun} filed in facts.json",
        }


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dicts."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    """Return the same shape in what JSON can hold; undefined numbers become None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def linked(label: str, address: str) -> str:
    """Make a table cell that is a link."""
    return f"{label}|{address}"


def _cell(text: str) -> str:
    label, bar, rest = text.partition("|" + LINK_START)
    if not bar:
        return html.escape(text)
    return f'<a href="{html.escape(LINK_START + rest)}">{html.escape(label)}</a>'
