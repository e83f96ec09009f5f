"""From data/raw to data/derived: every table, or none."""

from __future__ import annotations

import csv
import io
import numbers
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.pipeline import files as hashes
from ldn_meta.pipeline import files as publish
from ldn_meta.pipeline.files import number_text

if TYPE_CHECKING:
    import pandas as pd


NOT_APPLICABLE = "NA"
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
    with publish.exclusive_writer():
        publish.restore_folder(paths.derived_data())
        if not check_only and not force and hashes.derived_is_current():
            return DeriveSummary(rows={}, changed=(), was_current=True)
        # Hashed before the tables are read: an edit in between makes the manifest too old,
        # which the next run sees, and never too new.
        made_from = hashes.inputs()
        tables = _compute()
        files = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
        written = {name: hashes.sha256(data) for name, data in files.items()}
        files[hashes.MANIFEST] = hashes.manifest_bytes(made_from, written)
        changed = _changed(files)
        if changed and not check_only:
            _write(files)
    rows = {name: len(table) for name, table in tables.items()}
    return DeriveSummary(
        rows=rows,
        changed=changed,
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


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as the repository keeps it: UTF-8, LF, six significant digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False, name=None):
        writer.writerow([_cell_text(value) for value in row])
    return text.getvalue().encode()


def _compute() -> dict[str, pd.DataFrame]:
    from ldn_meta.evidence.derived import derive_tables
    from ldn_meta.evidence.raw.protocol import load_protocol
    from ldn_meta.evidence.raw.tables import load_evidence

    evidence = load_evidence(paths.raw_data())
    protocol = load_protocol(paths.raw_data())
    return derive_tables(evidence, protocol)


def _printed_numbers(table: pd.DataFrame | None) -> tuple[str, ...]:
    from ldn_meta.evidence.audit.consistency import consistency_summary

    return () if table is None else tuple(consistency_summary(table))


def _cell_text(value: Any) -> str:
    import numpy as np
    import pandas as pd

    if pd.isna(value) or value == "":
        return NOT_APPLICABLE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return number_text(float(value))
    return str(value)


def _changed(files: Mapping[str, bytes]) -> tuple[str, ...]:
    folder = paths.derived_data()
    new = {name: hashes.sha256(data) for name, data in files.items()}
    old = hashes.file_hashes(folder)
    return tuple(
        sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    )


def _write(files: Mapping[str, bytes]) -> None:
    staged = paths.build() / "staging" / "derived"
    shutil.rmtree(staged, ignore_errors=True)
    for name, data in files.items():
        publish.write_whole(staged / name, data)
    publish.replace_folder(staged, paths.derived_data())
