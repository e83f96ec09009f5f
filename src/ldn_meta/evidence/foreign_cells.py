"""Cells of a foreign table: plain numbers, or why they are none."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ldn_meta.evidence.cells import NO_VALUE, NUMBER
from ldn_meta.evidence.column_names import EFFECT, EVENTS, MEANS, NON_EVENTS, Columns, plain_name
from ldn_meta.evidence.foreign_layout import Line
from ldn_meta.evidence.usual_cells import Row

COUNTS = ("n_1", "n_2", "events_1", "events_2", *NON_EVENTS)
NUMBERS = tuple(dict.fromkeys((*MEANS, *EVENTS, *NON_EVENTS, *EFFECT)))


def cell(line: Line, columns: Columns, role: str) -> str:
    """What a line says of a role; "" if nothing, in whatever words."""
    place = columns.place.get(role)
    text = "" if place is None else line.cells[place].strip()
    return "" if plain_name(text) in NO_VALUE and not re.search("[0-9]", text) else text


def number_cells(line: Line, columns: Columns) -> tuple[Row, list[tuple[str, str]]]:
    """Find the numbers of a line.

    Parameters
    ----------
    line : Line
    columns : Columns

    Returns
    -------
    numbers : dict of str to str
        Plain numbers by role, digits as in the file; counts without a vain ".0".
    faults : list of (str, str)
        Role and reason, of cells that should hold a number and hold something else.
    """
    found: Row = {}
    faults = []
    for role in NUMBERS:
        text = given = cell(line, columns, role)
        text = text.replace("\u2212", "-")
        text = re.sub(r"^(-?)\.(?=[0-9])", r"\g<1>0.", text)
        if role in COUNTS:
            text = re.sub(r"\.0+$", "", text)
        if not text:
            continue
        if NUMBER.fullmatch(text) and (role not in COUNTS or text.isdigit()):
            found[role] = text
        else:
            kind = "whole number of people" if role in COUNTS else "plain number"
            faults.append((role, f"{given!r} is not a {kind}"))
    return found, faults


def printed(line: Line, columns: Columns, roles: Iterable[str]) -> str:
    """Cells as the file has them, with its names of the columns."""
    return "; ".join(
        f"{columns.name[role]} {cell(line, columns, role)}"
        for role in roles
        if cell(line, columns, role)
    )
