"""Small HTML tables of text, for what a notebook shows of a record."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(
    rows: Sequence[Sequence[str]], *, head: Sequence[str] = (), is_prose: bool = False
) -> str:
    """Write rows of plain text as an HTML table; the first cell of a row names it.

    Parameters
    ----------
    rows : sequence of sequence of str
    head : sequence of str
        Names of the columns; none by default.
    is_prose : bool
        Cells hold words, not numbers: they begin at the left, where Jupyter ends them at the
        right.

    Returns
    -------
    str

    Examples
    --------
    >>> html_table([("trials", "<3")])
    '<table><tr><th scope="row">trials</th><td>&lt;3</td></tr></table>'
    """
    style = ' style="text-align:left"' if is_prose else ""
    columns = "".join(f'<th scope="col"{style}>{escape(name)}</th>' for name in head)
    lines = [f"<tr>{columns}</tr>"] if head else []
    for name, *cells in rows:
        values = "".join(f"<td{style}>{escape(cell)}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row"{style}>{escape(name)}</th>{values}</tr>')
    return f"<table>{''.join(lines)}</table>"
