"""Which notebooks have to run again: by content, because git does not keep file times."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ldn_meta import files, paths
from ldn_meta.pipeline.notebooks import OVERVIEW, Job

Row: TypeAlias = Mapping[str, str]
_WORD = re.compile(r"[A-Za-z0-9_-]+")


def read_data() -> tuple[dict[str, list[dict[str, str]]], dict[str, str]]:
    """Read both data folders: rows of the tables as text, and hashes of the other files."""
    tables: dict[str, list[dict[str, str]]] = {}
    other: dict[str, str] = {}
    for folder in (paths.raw_data(), paths.derived_data()):
        for name, digest in files.file_hashes(folder).items():
            key = f"{folder.name}/{name}"
            if name.endswith(".csv"):
                tables[key] = files.csv_records(folder / name)
            elif name != files.MANIFEST:
                other[key] = digest
    return tables, other


def indication_slice(tables: Mapping[str, Sequence[Row]], indication: str) -> dict[str, list[Row]]:
    """Keep what belongs to one indication.

    A row belongs to it by its ``indication_id``, or by a ``study_id`` of one of its studies;
    rows of look-up tables (outcomes, sources, a study that a row refers to) follow the rows
    that mention their key. When in doubt a row is kept: a page made again for nothing is
    cheap, a stale page is wrong.
    """
    studies = tables.get("raw/studies.csv", ())
    wanted = {row["study_id"] for row in studies if row.get("indication_id") == indication}
    wanted.add(indication)
    own = {name: [_is_own(row, wanted) for row in rows] for name, rows in tables.items()}
    words = {
        word
        for name, rows in tables.items()
        for row, is_own in zip(rows, own[name], strict=True)
        if is_own
        for cell in row.values()
        for word in _WORD.findall(cell)
    }
    return {
        name: [
            row
            for row, is_own in zip(rows, own[name], strict=True)
            if is_own or (_is_reference(row) and next(iter(row.values())) in words)
        ]
        for name, rows in tables.items()
    }


def _is_reference(row: Row) -> bool:
    """Whether rows are looked up by a key of their own, as outcomes and sources are."""
    first = next(iter(row), "")
    return first.endswith("_id") and first != "row_id"


def _is_own(row: Row, wanted: set[str]) -> bool:
    """Whether a row belongs to an indication by its keys alone, or to none in particular."""
    keys = {row[name] for name in ("indication_id", "study_id") if name in row}
    if not keys:
        return not _is_reference(row)
    return bool(keys & wanted) or keys <= set(files.EMPTY)


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
        self._tables, self._other = read_data()
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
        """Hash what a target shows: the overview everything, an indication its rows."""
        if target not in self._slices:
            is_all = target == OVERVIEW
            tables = self._tables if is_all else indication_slice(self._tables, target)
            # Rows in their order, cells in theirs.
            rows = {name: [[*row.items()] for row in some] for name, some in tables.items()}
            self._slices[target] = files.json_sha256({"tables": rows, "other": self._other})
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
