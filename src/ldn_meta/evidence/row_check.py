"""One answer, or one row of answers, held to the rules of the raw tables at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ldn_meta.evidence.cells import cell_faults
from ldn_meta.evidence.read import typed
from ldn_meta.evidence.rules import row_faults
from ldn_meta.evidence.schema import Dictionary
from ldn_meta.evidence.schema_check import schema_faults

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.errors import Fault

THE_ROW = 1
# A column that no table has.
ROW = "-"


def cell_check(dictionary: Dictionary, table: str, column: str, text: str) -> list[Fault]:
    """Faults of one cell by itself: blanks, types, categories, ranges, patterns.

    Parameters
    ----------
    dictionary : Dictionary
    table, column : str
    text : str
        The cell as typed.

    Returns
    -------
    list of Fault
    """
    whole = dictionary.tables[table]
    field = next(entry for entry in whole.fields if entry["name"] == column)
    # The checks ask for a key, and take a row that holds nothing else for a blank one.
    fields = ({"name": ROW, "type": "string", "constraints": {}}, {"constraints": {}, **field})
    alone = replace(whole, fields=fields, key=ROW, foreign_keys=())
    small = Dictionary({table: alone}, dictionary.missing)
    frames = {table: _frame(small, table, [{ROW: "this", column: text}])}
    return cell_faults(frames, small) or schema_faults(frames, small)


def row_check(dictionary: Dictionary, table: str, row: Mapping[str, str]) -> list[Fault]:
    """Faults of the cells of one row, and of the row: ends in order, decimals, p, pairs.

    Parameters
    ----------
    dictionary : Dictionary
    table : str
    row : mapping of str to str
        Every cell as typed.

    Returns
    -------
    list of Fault
    """
    from ldn_meta.evidence.load import Evidence

    text = {
        name: _frame(dictionary, name, [row] if name == table else [])
        for name in dictionary.tables
    }
    tables = {
        name: typed(dictionary.tables[name], frame, dictionary) for name, frame in text.items()
    }
    return (
        cell_faults(text, dictionary)
        or schema_faults(text, dictionary)
        or row_faults(Evidence(tables, text, dictionary))
    )


def _frame(dictionary: Dictionary, table: str, rows: list[Mapping[str, str]]) -> pd.DataFrame:
    import pandas as pd

    columns = dictionary.tables[table].columns
    cells = [[row[column] for column in columns] for row in rows]
    index = pd.RangeIndex(THE_ROW, THE_ROW + len(rows))
    return pd.DataFrame(cells, columns=columns, index=index, dtype="str")
