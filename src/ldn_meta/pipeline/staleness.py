"""Which notebooks have to run again: by content, because git does not keep file times."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.pipeline import hashes, publish, slices
from ldn_meta.pipeline.parameters import OVERVIEW, Job

FACTS = "facts.json"


@dataclass(frozen=True)
class Record:
    """What a notebook was made from and what it wrote.

    Attributes
    ----------
    key : str
        Hash of everything the notebook reads.
    outputs : mapping of str to str
        Hash of each file it wrote, by path below the folder of its report.
    facts : str
        Hash of its entry in ``facts.json``.
    """

    key: str
    outputs: Mapping[str, str]
    facts: str


class Keys:
    """Keys of notebooks; what they share is read and hashed once."""

    def __init__(self) -> None:
        self._data = slices.read_data()
        self._shared = {
            "source": hashes.source_sha256(),
            "lock": hashes.lock_sha256(),
            # The lock has markers: another Python is another set of packages.
            "python": [*sys.version_info[:2]],
        }
        self._slices: dict[str, str] = {}

    def key(self, job: Job) -> str:
        """Hash everything that decides what a notebook shows.

        Parameters
        ----------
        job : Job
            The notebook with its parameters.

        Returns
        -------
        str
            Changes with the template, the effective parameters, the package, the lock, and the
            rows of the job's indication (all rows for the overview).
        """
        return hashes.json_sha256(
            {
                **self._shared,
                "template": hashes.sha256(job.template.read_bytes()),
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
    """Whether the report of a notebook is what running it now would give.

    Parameters
    ----------
    job : Job
        The notebook with its parameters.
    key : str
        Its key now.
    report : Path
        Folder of the report.

    Returns
    -------
    bool
        False as well if a file it wrote is gone or was changed by hand.
    """
    record = read_record(job)
    if record is None or record.key != key:
        return False
    for name, digest in record.outputs.items():
        file = report / name
        if not file.is_file() or hashes.sha256(file.read_bytes()) != digest:
            return False
    return hashes.json_sha256(read_facts(report).get(job.notebook)) == record.facts


def read_record(job: Job) -> Record | None:
    """Read what is known of the last good run; None if nothing (usable) is."""
    try:
        return Record(**json.loads(_record_file(job).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_record(job: Job, record: Record) -> None:
    """Remember a good run."""
    data = json.dumps(asdict(record), indent=1, sort_keys=True).encode()
    publish.write_whole(_record_file(job), data)


def read_facts(report: Path) -> dict[str, Any]:
    """Read the facts of a report by notebook; nothing if there are none (yet)."""
    try:
        facts = json.loads((report / FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _record_file(job: Job) -> Path:
    return paths.build() / "stale" / job.target / f"{job.notebook}.json"
