"""What stands in the files, cell by cell, and whether each is a table of the dictionary."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ldn_meta.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.schema import Dictionary, Table

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A row that does not fit the header is quoted in its fault; this much of it finds the place.
QUOTED = 60


@dataclass(frozen=True)
class FileContent:
    """One file as text.

    Attributes
    ----------
    text : pandas.DataFrame
        Every cell as typed; the index is the line of the file, 1 being the header.
    faults : list of Fault
        What is wrong with the file itself: bytes, line ends, header, number of cells.
    is_read : bool
        Whether the rows could be told at all; False leaves ``text`` without rows.
    misfits : frozenset of int
        Lines with too many or too few cells. They are in ``text``, cut or filled up, so that
        their keys are known; what their other cells seem to hold means nothing.
    """

    text: pd.DataFrame
    faults: list[Fault]
    is_read: bool
    misfits: frozenset[int] = frozenset()


def read_file(folder: Path, table: Table) -> FileContent:
    """Read one table as text.

    Parameters
    ----------
    folder : Path
        Raw data folder.
    table : Table

    Returns
    -------
    FileContent
    """
    faults: list[Fault] = []

    def note(line: int, value: str, rule: str, remedy: str) -> None:
        faults.append(Fault(table.name, line, "-", value, rule, remedy))

    def nothing() -> FileContent:
        return FileContent(_frame(table, [], []), faults, is_read=False)

    path = folder / f"{table.name}.csv"
    if not path.is_file():
        note(0, "", f"file {path.name} is missing", "restore it from git")
        return nothing()
    data = path.read_bytes()
    if data.startswith(BYTE_ORDER_MARK):
        data = data.removeprefix(BYTE_ORDER_MARK)
        note(1, "", "file starts with a byte-order mark", "save it as UTF-8 without BOM")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        value = repr(data[error.start : error.end])
        note(line, value, "is not UTF-8", "save the file as UTF-8")
        return nothing()
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        note(line, "", "line ends with a carriage return", "save the file with LF line ends")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    reader = csv.reader(io.StringIO(text), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    start = 1
    try:
        for row in reader:
            lines.append(start)
            rows.append(row)
            start = reader.line_num + 1
    except csv.Error as error:
        note(start, "", f"is no CSV: {error}", "close every quote that is opened")
        return nothing()
    if not rows or rows[0] != table.columns:
        note(
            1,
            ",".join(rows[0]) if rows else "",
            "header differs from datapackage.json",
            f"use: {','.join(table.columns)}",
        )
        return nothing()
    width = len(table.columns)
    misfits = frozenset(
        line for line, row in zip(lines[1:], rows[1:], strict=True) if len(row) != width
    )
    for line, row in zip(lines[1:], rows[1:], strict=True):
        if line in misfits:
            note(
                line,
                ",".join(row)[:QUOTED],
                f"row has {len(row)} cells, not {width}",
                "quote cells that hold a comma; fill missing cells with NR or NA",
            )
    fitted = [(row + [""] * width)[:width] for row in rows[1:]]
    return FileContent(_frame(table, fitted, lines[1:]), faults, is_read=True, misfits=misfits)


def typed(table: Table, text: pd.DataFrame, dictionary: Dictionary) -> pd.DataFrame:
    """Type a table: numbers as float64, whole numbers as Int64, yes/no as boolean.

    Parameters
    ----------
    table : Table
    text : pandas.DataFrame
        Its cells as typed by people.
    dictionary : Dictionary

    Returns
    -------
    pandas.DataFrame
        Same index. Missing is NA, whatever its label, and so is what cannot be typed.
    """
    import pandas as pd

    nothing = {*dictionary.missing, ""}
    columns = {}
    for field in table.fields:
        name, kind = str(field["name"]), field["type"]
        cells = [None if cell in nothing else cell for cell in text[name].tolist()]
        columns[name] = _column(pd.Series(cells, index=text.index, dtype="str"), str(kind))
    return pd.DataFrame(columns, index=text.index)


def _column(cells: pd.Series, kind: str) -> pd.Series:
    import pandas as pd

    if kind == "boolean":
        return cells.map({"yes": True, "no": False}).astype("boolean")
    if kind not in ("number", "integer"):
        return cells
    number = pd.to_numeric(cells, errors="coerce").astype("float64")
    return number.where(number % 1 == 0).astype("Int64") if kind == "integer" else number


def _frame(table: Table, rows: list[list[str]], lines: list[int]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        rows, columns=table.columns, index=pd.Index(lines, dtype="int"), dtype="str"
    )
