"""Which notebooks have to run again: by content, because git does not keep file times."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ldn_meta import files, paths
from ldn_meta.pipeline.notebooks import OVERVIEW, Job

Row: TypeAlias = tuple[str, ...]

# A row without a key belongs to no indication in particular.
_NOBODY = frozenset(files.EMPTY)
_WORD = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Table:
    """A table as text."""

    columns: Row
    rows: tuple[Row, ...]

    def column(self, name: str) -> int | None:
        """Position of a column, None if there is no such column."""
        return self.columns.index(name) if name in self.columns else None

    @property
    def is_reference(self) -> bool:
        """Whether rows are looked up by a key of their own, as outcomes and sources are."""
        first = self.columns[0] if self.columns else ""
        return first.endswith("_id") and first != "row_id"


@dataclass(frozen=True)
class Data:
    """Everything in data/raw and data/derived."""

    tables: Mapping[str, Table]
    other_files: Mapping[str, str]

    def everything_sha256(self) -> str:
        """Hash all of it, for pages that show all indications."""
        return _sha256(self.tables, self.other_files)

    def slice_sha256(self, indication: str) -> str:
        """Hash what belongs to one indication: its rows and all files that are no tables."""
        return _sha256(indication_slice(self.tables, indication), self.other_files)


def read_data() -> Data:
    """Read both data folders as text."""
    tables: dict[str, Table] = {}
    other: dict[str, str] = {}
    for folder in (paths.raw_data(), paths.derived_data()):
        for name, digest in files.file_hashes(folder).items():
            key = f"{folder.name}/{name}"
            if name.endswith(".csv"):
                tables[key] = _read_table(folder / name)
            elif name != files.MANIFEST:
                other[key] = digest
    return Data(tables, other)


def indication_slice(tables: Mapping[str, Table], indication: str) -> dict[str, Table]:
    """Keep what belongs to one indication.

    A row belongs to it by its ``indication_id``, or by a ``study_id`` of one of its studies;
    rows of look-up tables (outcomes, sources, a study that a row refers to) follow the rows
    that mention their key. When in doubt a row is kept: a page made again for nothing is
    cheap, a stale page is wrong.
    """
    studies = _studies_of(tables.get("raw/studies.csv"), indication)
    own = {name: _own_rows(table, indication, studies) for name, table in tables.items()}
    words = {
        word
        for name, rows in own.items()
        for row in rows
        for cell in row
        for word in _WORD.findall(cell)
    }
    return {
        name: Table(
            table.columns,
            tuple(
                row
                for row in table.rows
                if row in own[name] or (table.is_reference and row[:1] and row[0] in words)
            ),
        )
        for name, table in tables.items()
    }


def _own_rows(table: Table, indication: str, studies: set[str]) -> set[Row]:
    """Rows that belong to an indication by their keys alone."""
    keyed = [i for i in (table.column("indication_id"), table.column("study_id")) if i is not None]
    if not keyed:
        return set() if table.is_reference else set(table.rows)
    wanted = {indication} | studies
    own = set()
    for row in table.rows:
        keys = {row[i] for i in keyed if i < len(row)}
        if keys & wanted or keys <= _NOBODY:
            own.add(row)
    return own


def _studies_of(table: Table | None, indication: str) -> set[str]:
    if table is None:
        return set()
    study, wanted = table.column("study_id"), table.column("indication_id")
    if study is None or wanted is None:
        return set()
    return {row[study] for row in table.rows if row[wanted : wanted + 1] == (indication,)}


def _read_table(file: Path) -> Table:
    rows = [tuple(cells) for _, cells in files.csv_rows(file.read_text(encoding="utf-8"))]
    return Table(rows[0], tuple(rows[1:])) if rows else Table((), ())


def _sha256(tables: Mapping[str, Table], other: Mapping[str, str]) -> str:
    content = {name: [table.columns, *table.rows] for name, table in tables.items()}
    return files.json_sha256({"tables": content, "other": dict(other)})


FACTS = "facts.json"


@dataclass(frozen=True)
class Record:
    """What a notebook was made from and what it wrote."""

    key: str
    outputs: Mapping[str, str]
    facts: str


class Keys:
    """Keys of notebooks; what they share is read and hashed once."""

    def __init__(self) -> None:
        self._data = read_data()
        self._shared = {
            **files.code_of(paths.project_root()),
            # The lock has markers: another Python is another set of packages.
            "python": [*sys.version_info[:2]],
        }
        self._slices: dict[str, str] = {}

    def key(self, job: Job) -> str:
        """Hash everything that decides what a notebook shows."""
        return files.json_sha256(
            {
                **self._shared,
                "template": files.sha256(job.template.read_bytes()),
                "parameters": dict(job.parameters),
                "data": self._slice(job.target),
            }
        )

    def _slice(self, target: str) -> str:
        if target not in self._slices:
            self._slices[target] = (
                self._data.everything_sha256()
                if target == OVERVIEW
                else self._data.slice_sha256(target)
            )
        return self._slices[target]


def is_fresh(job: Job, key: str, report: Path) -> bool:
    """Whether the report of a notebook is what running it now would give."""
    record = read_record(job)
    if record is None or record.key != key:
        return False
    for name, digest in record.outputs.items():
        file = report / name
        if not file.is_file() or files.sha256(file.read_bytes()) != digest:
            return False
    return files.json_sha256(read_facts(report).get(job.notebook)) == record.facts


def read_record(job: Job) -> Record | None:
    """Read what is known of the last good run; None if nothing (usable) is."""
    try:
        return Record(**json.loads(_record_file(job).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_record(job: Job, record: Record) -> None:
    """Remember a good run."""
    data = json.dumps(asdict(record), indent=1, sort_keys=True).encode()
    files.write_whole(_record_file(job), data)


def read_facts(report: Path) -> dict[str, Any]:
    """Read the facts of a report by notebook; nothing if there are none (yet)."""
    try:
        facts = json.loads((report / FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _record_file(job: Job) -> Path:
    return paths.build() / "stale" / job.target / f"{job.notebook}.json"
