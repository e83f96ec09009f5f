"""The data dictionary: which tables, columns and labels for missing values there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldn_meta.errors import DataError, Fault

DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True)
class Table:
    """One table of the data dictionary.

    Attributes
    ----------
    name : str
    description : str
    key : str
        The column that identifies a row.
    fields : tuple of dict
        Field descriptors of Frictionless Table Schema, in column order.
    foreign_keys : tuple of (str, str, str)
        Column, table it points to, column there.
    """

    name: str
    description: str
    key: str
    fields: tuple[dict[str, Any], ...]
    foreign_keys: tuple[tuple[str, str, str], ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return [str(field["name"]) for field in self.fields]

    def of_type(self, *types: str) -> list[str]:
        """Names of the columns of these Table Schema types."""
        return [str(field["name"]) for field in self.fields if field["type"] in types]


@dataclass(frozen=True)
class Dictionary:
    """All tables of ``datapackage.json`` and the labels that mean "missing"."""

    tables: dict[str, Table]
    missing: dict[str, str]


def load_dictionary(folder: Path) -> Dictionary:
    """Read the data dictionary of a raw data folder.

    Parameters
    ----------
    folder : Path
        Folder that holds ``datapackage.json``.

    Returns
    -------
    Dictionary

    Raises
    ------
    FileNotFoundError
        If there is no ``datapackage.json``.
    DataError
        If it is no JSON.
    """
    path = folder / DESCRIPTOR
    if not path.is_file():
        message = f"{path} is missing: it is the data dictionary; restore it from git"
        raise FileNotFoundError(message)
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        remedy = f"correct {DESCRIPTOR}, or restore it from git"
        fault = Fault("datapackage", error.lineno, "-", "", f"is no JSON: {error.msg}", remedy)
        raise DataError([fault]) from error
    tables = {}
    for resource in descriptor["resources"]:
        schema = resource["schema"]
        name = str(resource["name"])
        links = tuple(
            (
                str(link["fields"]),
                str(link["reference"]["resource"]) or name,
                str(link["reference"]["fields"]),
            )
            for link in schema.get("foreignKeys", [])
        )
        tables[name] = Table(
            name=name,
            description=str(resource["description"]),
            key=str(schema["primaryKey"][0]),
            fields=tuple(schema["fields"]),
            foreign_keys=links,
        )
    return Dictionary(tables, dict(descriptor["missingValueLabels"]))
