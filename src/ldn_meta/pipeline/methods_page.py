"""The generated parts of docs/methods.md: measures, and the choices of the protocol."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import StaleError
from ldn_meta.pipeline import hashes, publish

BEGIN, END = "<!-- generated:begin -->", "<!-- generated:end -->"


def write_methods() -> bool:
    """Put the generated tables into docs/methods.md.

    Returns
    -------
    bool
        Whether the page changed.

    Raises
    ------
    StaleError
        If the page has lost the marks around the tables.
    """
    record = paths.build() / "stale" / "methods"
    if not _page().is_file() or (record.is_file() and record.read_text() == _made_from()):
        return False
    has_changed = publish.write_whole(_page(), _with_tables().encode())
    publish.write_whole(record, _made_from().encode())
    return has_changed


def methods_are_current() -> bool:
    """Whether docs/methods.md says what the package and the protocol say."""
    return _page().read_text(encoding="utf-8") == _with_tables()


def _made_from() -> str:
    """Hash what the page says and what it says it of: importing all measures takes longer."""
    files = (_page(), paths.raw_data() / "protocol.toml")
    stated = [hashes.sha256(file.read_bytes()) for file in files]
    return hashes.json_sha256([*stated, hashes.source_sha256(), hashes.lock_sha256()])


def _with_tables() -> str:
    text = _page().read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"docs/methods.md needs the lines {BEGIN} and {END} around its tables"
        raise StaleError(message)
    return f"{before}{BEGIN}\n\n{_effects()}\n\n{_choices()}\n\n{END}{after}"


def _effects() -> str:
    from ldn_meta.stats.effects import EFFECT_CODES

    rows = [
        (
            f"`{code}`",
            entry.quantity,
            f"`{entry.formula.__name__}`",
            ", ".join(f"`{name}`" for name in entry.arguments),
        )
        for code, entry in EFFECT_CODES.items()
    ]
    return _table(
        "### Effect measures of `effect_size`", ("code", "quantity", "function", "arguments"), rows
    )


def _choices() -> str:
    file = paths.raw_data() / "protocol.toml"
    stated = tomllib.loads(file.read_text(encoding="utf-8"))
    rows = []
    for table, entries in stated.items():
        if not isinstance(entries, dict) or "reason" not in entries:
            continue
        values = "; ".join(
            f"`{name}` = {_value(value)}" for name, value in entries.items() if name != "reason"
        )
        rows.append((table, values, " ".join(entries["reason"].split())))
    return _table("### Choices of the protocol", ("choice", "value", "reason"), rows)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(heading: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    body = "\n".join(f"| {' | '.join(line)} |" for line in escaped)
    return f"{heading}\n\n{body}"


def _page() -> Path:
    return paths.project_root() / "docs" / "methods.md"
