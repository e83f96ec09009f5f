"""Let frictionless check the tables against the dictionary; translate what it says."""

from __future__ import annotations

import copy
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ldn_meta.errors import Fault
from ldn_meta.evidence.schema import Dictionary

REMEDIES = {
    "type-error": "type {allowed}, or NR / NA / TODO",
    "constraint-error": "use {allowed}",
    "unique-error": "give every row its own value",
    "primary-key": "give every row its own key",
    "foreign-key": "add the row it points to, or correct the key",
}
HEADER_LINES = 1


def schema_faults(folder: Path, dictionary: Dictionary, *, skip: Collection[str]) -> list[Fault]:
    """Faults of types, constraints, keys and foreign keys.

    Parameters
    ----------
    folder : Path
        Raw data folder.
    dictionary : Dictionary
    skip : collection of str
        Tables whose file could not be read at all; they, and references to them, are not
        checked again.

    Returns
    -------
    list of Fault
    """
    from frictionless import Package

    descriptor = copy.deepcopy(dictionary.descriptor)
    descriptor["resources"] = [r for r in descriptor["resources"] if r["name"] not in skip]
    for resource in descriptor["resources"]:
        links = resource["schema"]["foreignKeys"]
        resource["schema"]["foreignKeys"] = [
            link for link in links if link["reference"]["resource"] not in skip
        ]
    if not descriptor["resources"]:
        return []
    report = Package.from_descriptor(descriptor, basepath=str(folder)).validate()
    faults = [
        _package_fault(error.message) for error in report.errors
    ]
    for task in report.tasks:
        fields = {f["name"]: f for f in dictionary.tables[task.name].fields}
        faults.extend(_fault(task.name, error, fields) for error in task.errors)
    return faults


def _package_fault(message: str) -> Fault:
    return Fault("datapackage", 0, "-", "", message, "correct data/raw/datapackage.json")


def _fault(table: str, error: Any, fields: dict[str, dict[str, Any]]) -> Fault:
    line = int(getattr(error, "row_number", 0) or 0)
    column = str(getattr(error, "field_name", "") or "-")
    value = str(getattr(error, "cell", "") or "")
    if error.type == "foreign-key":
        names = getattr(error, "field_names", None) or [column]
        cells = getattr(error, "field_cells", None) or [value]
        column, value = ",".join(names), ",".join(str(cell) for cell in cells)
    remedy = REMEDIES.get(error.type, "compare with datapackage.json")
    note = str(getattr(error, "note", "") or error.title)
    return Fault(table, line, column, value, f"{error.type}: {note}",
                 remedy.format(allowed=_allowed(fields.get(column, {}))))


def _allowed(field: dict[str, Any]) -> str:
    constraints = field.get("constraints", {})
    if "enum" in constraints:
        return "one of " + ", ".join(str(v) for v in constraints["enum"])
    kind = {"integer": "a whole number", "number": "a number", "boolean": "yes or no"}.get(
        str(field.get("type")), "text"
    )
    parts = [kind]
    if "minimum" in constraints:
        parts.append(f"at least {constraints['minimum']}")
    if "maximum" in constraints:
        parts.append(f"at most {constraints['maximum']}")
    if "pattern" in constraints:
        parts.append(f"matching {constraints['pattern']}")
    return " ".join(parts)
