"""The data dictionary as a page, from datapackage.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ldn_meta import paths


def dictionary_page() -> str:
    """Write every table and column of data/raw as Markdown.

    Returns
    -------
    str
        One section for each table, with type, allowed values, keys and meaning of each column.
    """
    package = json.loads((paths.raw_data() / "datapackage.json").read_bytes())
    labels = package.get("missingValueLabels", {})
    missing = ", ".join(f"`{value}` ({words})" for value, words in labels.items())
    parts = ["# Data dictionary", package.get("description", "")]
    if missing:
        parts.append(f"Missing cells are never blank: {missing}.")
    parts.extend(_table_section(resource) for resource in package["resources"])
    return "\n\n".join(part for part in parts if part) + "\n"


def _table_section(resource: Mapping[str, Any]) -> str:
    schema = resource["schema"]
    refers = {
        _one(key["fields"]): key["reference"].get("resource") or resource["name"]
        for key in schema.get("foreignKeys", [])
    }
    keys = schema.get("primaryKey", [])
    rows = [
        f"| `{field['name']}` | {_type_words(field)} | "
        f"{_meaning(field, is_key=field['name'] in keys, refers=refers.get(field['name']))} |"
        for field in schema["fields"]
    ]
    return "\n\n".join(
        part
        for part in (
            f"## {resource['name']}",
            resource.get("description", ""),
            "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *rows]),
        )
        if part
    )


def _type_words(field: Mapping[str, Any]) -> str:
    limits = field.get("constraints", {})
    words = [field["type"]]
    if "minimum" in limits:
        words.append(f"from {limits['minimum']}")
    if "maximum" in limits:
        words.append(f"to {limits['maximum']}")
    return " ".join(words)


def _meaning(field: Mapping[str, Any], *, is_key: bool, refers: str | None) -> str:
    parts = [field.get("description", "").rstrip(".")]
    options = field.get("constraints", {}).get("enum")
    if "unit" in field:
        parts.append(f"in {field['unit']}")
    if options:
        parts.append("one of " + ", ".join(f"`{option}`" for option in options))
    if is_key:
        parts.append("key of the table")
    if refers:
        parts.append(f"a row of `{refers}`")
    return "; ".join(part for part in parts if part).replace("|", "\\|")


def _one(names: str | list[str]) -> str:
    return names if isinstance(names, str) else names[0]
