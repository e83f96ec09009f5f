"""What may stand in one cell, whatever its column means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ldn_meta.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.schema import Dictionary

# Decimal notation as papers print it. Schema validators and pandas also take inf, nan, 1_000
# and digits of other scripts, and not both the same of them.
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Ways to say "no value" that are not a label of the dictionary, once points, strokes and spaces
# are gone; "none" is not among them: a study without a comparator has the comparator "none".
NO_VALUE = frozenset({"", "nr", "na", "todo", "nan", "null", "tbd", "?"})


def cell_faults(text: Mapping[str, pd.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Find cells that are blank, padded, broken over lines, or say "missing" in other words.

    Parameters
    ----------
    text : mapping of str to pandas.DataFrame
        Tables as typed by people; the index is the line of the file.
    dictionary : Dictionary

    Returns
    -------
    list of Fault
        At most one a cell.
    """
    return list(_faults(text, dictionary))


def _faults(text: Mapping[str, pd.DataFrame], dictionary: Dictionary) -> Iterator[Fault]:
    labels = "; ".join(f"{label} ({words})" for label, words in dictionary.missing.items())
    for name, frame in text.items():
        numeric = set(dictionary.tables[name].of_type("number", "integer"))
        for column in frame.columns:
            for line, cell in zip(frame.index, frame[column], strict=True):
                if cell in dictionary.missing:
                    continue
                found = _fault_of(cell, is_number=column in numeric, labels=labels)
                if found is not None:
                    yield Fault(name, int(line), str(column), cell, *found)


def _fault_of(cell: str, *, is_number: bool, labels: str) -> tuple[str, str] | None:
    """Rule and remedy of a bad cell."""
    if cell.strip() == "":
        return "blank cell", f"write the value, or a label: {labels}"
    if "\n" in cell:
        return "line break inside a cell", "put the text on one line"
    if cell != cell.strip():
        return "space around the value", "remove it"
    if re.sub(r"[\s./\\_-]", "", cell).casefold() in NO_VALUE:
        return "no label for a missing value", f"use one of these, spelt exactly: {labels}"
    if is_number and not NUMBER.fullmatch(cell):
        return "not a plain number", "type digits with a decimal point, or NR / NA / TODO"
    return None
