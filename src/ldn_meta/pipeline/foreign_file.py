"""A table written by another program, as text: header, lines and their numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from ldn_meta.errors import ParameterError

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class ForeignFile:
    """Header and lines of a file; ``lines`` are (number in the file, cells)."""

    header: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]


def read_foreign(path: Path) -> ForeignFile:
    """Read a table whose cells are set apart by commas, semicolons or tabs.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ForeignFile
        Names of columns and cells as they stand, without a byte-order mark.

    Raises
    ------
    ldn_meta.errors.ParameterError
        If the file is missing, is not UTF-8, has no line below its header, has two columns of
        one name, or lines of another width; lists all of it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not UTF-8; save it as CSV UTF-8") from error
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    start = 1
    for cells in reader:
        rows.append((start, tuple(cells)))
        start = reader.line_num + 1
    if len(rows) <= 1:
        raise ParameterError(f"{path} has no line below its header")
    header = tuple(name.strip() for name in rows[0][1])
    lines = [(number, cells) for number, cells in rows[1:] if any(c.strip() for c in cells)]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems = [f"two columns are called {name!r}" for name in twice]
    problems += [
        f"line {number} has {len(cells)} cells, the header {len(header)}"
        for number, cells in lines
        if len(cells) != len(header)
    ]
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ParameterError(f"{path} is no table:\n{listed}")
    return ForeignFile(header, tuple(lines))
