"""Answers about new rows as a TOML file: read, or written for the next try."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ldn_meta.errors import ParameterError
from ldn_meta.evidence.new_rows import TABLES, Answers
from ldn_meta.evidence.schema import Dictionary
from ldn_meta.evidence.usual_cells import Row


def read_answers(path: Path, dictionary: Dictionary) -> Answers:
    """Read a file of answers.

    A section is named after a raw table (``[studies]``, or ``[[arms]]`` for several rows), its
    entries after columns. Entries above the first section hold for every new row that leaves
    the column open. Numbers keep the digits that were typed; true and false are yes and no.

    Parameters
    ----------
    path : Path
    dictionary : Dictionary

    Returns
    -------
    Answers

    Raises
    ------
    ldn_meta.errors.ParameterError
        If the file is missing or no TOML, or names tables or columns that there are not; lists
        everything.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except FileNotFoundError as error:
        raise ParameterError(f"{path} is missing; name a file of answers") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is no TOML: {error}") from error
    answers, problems = Answers(), []
    columns = {name: dictionary.tables[name].columns for name in TABLES}
    anywhere = {column for names in columns.values() for column in names}
    for name, value in content.items():
        if not isinstance(value, dict | list):
            problems += _unknown("", name, anywhere)
            answers.shared[name], fault = _cell(name, value)
            problems += fault
        elif name not in columns:
            problems += _unknown("", name, columns)
        else:
            for row in value if isinstance(value, list) else [value]:
                cells, faults = _row(name, row, columns[name])
                answers.of(name).append(cells)
                problems += faults
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ParameterError(f"{path} cannot be read as answers:\n{listed}")
    return answers


def answers_text(answers: Answers) -> str:
    """Write answers as ``read_answers`` reads them.

    Parameters
    ----------
    answers : Answers

    Returns
    -------
    str
        TOML.
    """
    return "\n".join(_lines(answers))


def _lines(answers: Answers) -> Iterator[str]:
    # A string of JSON is a basic string of TOML.
    for column, text in answers.shared.items():
        yield f"{column} = {json.dumps(text)}"
    for table in TABLES:
        for row in answers.rows.get(table, ()):
            yield f"\n[[{table}]]"
            for column, text in row.items():
                yield f"{column} = {json.dumps(text)}"
    yield ""


def _row(table: str, row: Any, columns: Collection[str]) -> tuple[Row, list[str]]:
    if not isinstance(row, Mapping):
        return {}, [f"{table}: {row!r} is no row; write [[{table}]] and its columns below"]
    cells: Row = {}
    faults: list[str] = []
    for column, value in row.items():
        faults += _unknown(f"{table}: ", column, columns)
        cells[column], fault = _cell(f"{table}: {column}", value)
        faults += fault
    return cells, faults


def _cell(what: str, value: Any) -> tuple[str, list[str]]:
    if isinstance(value, bool):
        return ("yes" if value else "no"), []
    if isinstance(value, int | str):
        return str(value), []
    return "", [f"{what}: {value!r} is neither text nor number; put it between quotes"]


def _unknown(where: str, name: str, known: Collection[str]) -> list[str]:
    if name in known:
        return []
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
    return [f"{where}{name!r} is unknown; {hint}"]
