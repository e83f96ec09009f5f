"""Let frictionless check tables against the data dictionary; translate what it says."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.schema import Dictionary, Table

KINDS = {"integer": "a whole number", "number": "a number", "boolean": "yes or no"}
# The header is row 1 of frictionless.
FIRST_ROW = 2


def schema_faults(text: Mapping[str, pd.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Faults of types, categories, ranges, patterns and keys inside each table.

    Foreign keys are checked by ``table_rules``: frictionless opens every table again for each
    of them, which takes three times as long as everything else.

    Parameters
    ----------
    text : mapping of str to pandas.DataFrame
        Tables as typed by people; the index is the line of the file.
    dictionary : Dictionary

    Returns
    -------
    list of Fault
    """
    return [
        fault
        for table in dictionary.tables.values()
        for fault in _table_faults(table, text[table.name], dictionary)
    ]


def _table_faults(table: Table, text: pd.DataFrame, dictionary: Dictionary) -> Iterator[Fault]:
    from frictionless import Resource, Schema

    if text.empty:
        return
    fields = copy.deepcopy(list(table.fields))
    for field in fields:
        if field["name"] == table.key:
            # Else a key given twice is told twice, as a key and as a value.
            field["constraints"].pop("unique", None)
    schema = Schema.from_descriptor(
        {
            "fields": fields,
            "primaryKey": [table.key],
            "missingValues": list(dictionary.missing),
        }
    )
    rows = [table.columns, *text.to_numpy().tolist()]
    report = Resource(name=table.name, data=rows, schema=schema).validate()
    described = {str(field["name"]): field for field in table.fields}
    for error in report.tasks[0].errors:
        position = int(getattr(error, "row_number", FIRST_ROW)) - FIRST_ROW
        line = int(text.index[position])
        column = str(getattr(error, "field_name", "") or table.key)
        value = str(text[column].iloc[position])
        yield Fault(table.name, line, column, value, *_words(error, described[column]))


def _words(error: Any, field: Mapping[str, Any]) -> tuple[str, str]:
    """Rule and remedy of one error of frictionless."""
    constraints = field.get("constraints", {})
    kind = KINDS.get(str(field["type"]), "text")
    if error.type == "type-error":
        return f"is not {kind}", f"type {kind}, or NR / NA / TODO"
    if error.type == "primary-key":
        return (
            "key is given twice",
            "give every row its own key, or delete the copy",
        )
    if error.type == "unique-error":
        return "value is given twice", "give every row its own value"
    broken = re.search(r'constraint "(\w+)"', str(error.note))
    name = broken.group(1) if broken else ""
    if name == "required":
        return "a value is required here", f"type {_allowed(kind, constraints)}"
    if name == "enum":
        return "is not one of the categories", f"use {_allowed(kind, constraints)}"
    if name in ("minimum", "maximum"):
        return "is out of range", f"use {_allowed(kind, constraints)}"
    if name == "pattern":
        return "does not match the pattern", f"use {_allowed(kind, constraints)}"
    return f"{error.type}: {error.note}", "compare with datapackage.json"


def _allowed(kind: str, constraints: Mapping[str, Any]) -> str:
    if "enum" in constraints:
        return "one of " + ", ".join(str(value) for value in constraints["enum"])
    parts = [kind]
    if "minimum" in constraints:
        parts.append(f"at least {constraints['minimum']}")
    if "maximum" in constraints:
        parts.append(f"at most {constraints['maximum']}")
    if "pattern" in constraints:
        parts.append(f"matching {constraints['pattern']}")
    return " ".join(parts)
