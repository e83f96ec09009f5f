"""From data/raw to data/derived: every table, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta import files, paths

if TYPE_CHECKING:
    import pandas as pd


PRINTED_NUMBERS = "consistency"


@dataclass(frozen=True)
class DeriveSummary:
    """What ``derive`` did."""

    rows: Mapping[str, int]
    changed: tuple[str, ...]
    was_current: bool
    printed_numbers: tuple[str, ...] = ()


def derive(*, check_only: bool = False, force: bool = False) -> DeriveSummary:
    """Check the raw tables and compute the derived ones."""
    folder = paths.derived_data()
    with files.exclusive_writer():
        files.restore_folder(folder)
        if not check_only and not force and files.derived_is_current():
            return DeriveSummary(rows={}, changed=(), was_current=True)
        # Hashed before the tables are read: an edit in between makes the manifest too old,
        # which the next run sees, and never too new.
        made_from = files.inputs()
        tables = _compute()
        made = {f"{name}.csv": files.csv_bytes(table) for name, table in tables.items()}
        hashes = {name: files.sha256(data) for name, data in made.items()}
        made[files.MANIFEST] = files.manifest_bytes(made_from, hashes)
        new = {name: files.sha256(data) for name, data in made.items()}
        old = files.file_hashes(folder)
        changed = sorted(
            name for name in new.keys() | old.keys() if new.get(name) != old.get(name)
        )
        if changed and not check_only:
            files.write_folder(folder, made)
    return DeriveSummary(
        rows={name: len(table) for name, table in tables.items()},
        changed=tuple(changed),
        was_current=False,
        printed_numbers=_printed_numbers(tables.get(PRINTED_NUMBERS)),
    )


def printed_numbers_on_disk() -> tuple[str, ...]:
    """What the checks found when data/derived was made, in lines; none without that table."""
    import pandas as pd

    file = paths.derived_data() / f"{PRINTED_NUMBERS}.csv"
    if not file.is_file():
        return ()
    return _printed_numbers(pd.read_csv(file, true_values=["yes"], false_values=["no"]))


def _compute() -> dict[str, pd.DataFrame]:
    from ldn_meta.evidence.derive import derive_tables
    from ldn_meta.evidence.load import load_evidence
    from ldn_meta.evidence.raw.protocol import load_protocol

    evidence = load_evidence(paths.raw_data())
    protocol = load_protocol(paths.raw_data())
    return derive_tables(evidence, protocol)


def _printed_numbers(table: pd.DataFrame | None) -> tuple[str, ...]:
    from ldn_meta.evidence.audit.consistency import consistency_summary

    return () if table is None else tuple(consistency_summary(table))
