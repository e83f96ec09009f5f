"""Everything on file about one study, as a reader of a notebook wants to see it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from ldn_meta.evidence.shown import counted
from ldn_meta.stats.html import html_table

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.schema import Dictionary

NOT_APPLICABLE = "NA"


class Study(dict[str, "pd.DataFrame"]):
    """The rows of one study by table name, as typed; a dict that shows itself in a notebook.

    Parameters
    ----------
    study_id : str
        Key in ``studies.csv``.
    rows : mapping of str to pandas.DataFrame
        Tables that have rows of the study, with those rows only.
    dictionary : Dictionary
        Says what each table holds.
    """

    def __init__(
        self, study_id: str, rows: Mapping[str, pd.DataFrame], dictionary: Dictionary
    ) -> None:
        super().__init__(rows)
        self.study_id, self._dictionary = study_id, dictionary

    @property
    def label(self) -> str:
        """Name of the study for readers; its key where no row of ``studies.csv`` names it."""
        return str(self["studies"]["label"].iloc[0]) if "studies" in self else self.study_id

    def __repr__(self) -> str:
        """Return one line: the study, and how many rows each table has."""
        tables = ", ".join(f"{name} {len(rows)}" for name, rows in self.items())
        return f"<Study {self.study_id}: {tables}>"

    def _repr_html_(self) -> str:
        """Return each table with what it holds; a table of one row stands upright."""
        parts = [f"<h3>{escape(self.label)}</h3>"]
        for name, rows in self.items():
            told = escape(self._dictionary.tables[name].description)
            parts.append(
                f"<p><strong>{escape(name)}</strong>, {counted(len(rows), 'row')}<br>"
                f"<small>{told}</small></p>{_rows(rows)}"
            )
        return f'<div class="ldn-meta-study">{"".join(parts)}</div>'


def _rows(rows: pd.DataFrame) -> str:
    """Rows as HTML; columns that apply to none of them are named below instead."""
    shown = rows.drop(columns="study_id")
    void = [str(name) for name in shown if (shown[name] == NOT_APPLICABLE).all()]
    shown = shown.drop(columns=void)
    columns = [str(name) for name in shown]
    if len(shown) == 1:
        cells = shown.iloc[0].astype(str).to_list()
        table = html_table(list(zip(columns, cells, strict=True)), is_prose=True)
    else:
        table = html_table(shown.astype(str).to_numpy().tolist(), head=columns, is_prose=True)
    return table + (
        f"<p><small>Does not apply: {escape(', '.join(void))}.</small></p>" if void else ""
    )
