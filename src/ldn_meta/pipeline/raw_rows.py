"""Adding rows to data/raw: checked with everything else on a copy, then all of them or none."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import DataError, Fault, LdnMetaError, NewRowsError
from ldn_meta.evidence.new_rows import Answers, complete
from ldn_meta.evidence.schema import Dictionary, load_dictionary
from ldn_meta.evidence.usual_cells import Row
from ldn_meta.pipeline import publish

HEADER_LINES = 1


@dataclass(frozen=True)
class Added:
    """What was added, or would be.

    Attributes
    ----------
    rows : dict of str to list of dict
        Whole rows by table.
    effects : tuple of dict
        Effects that rest on a new row: effect_id, study_label, construct, measure, yi, ci_low,
        ci_high, unit, is_selected, selected_why.
    left_out : tuple of dict
        New value rows that are in no effect: table, row_id, reason.
    is_written : bool
    """

    rows: dict[str, list[Row]]
    effects: tuple[dict[str, Any], ...]
    left_out: tuple[dict[str, Any], ...]
    is_written: bool = False

    @property
    def count(self) -> int:
        """Number of new rows."""
        return sum(len(rows) for rows in self.rows.values())


def taken_keys(folder: Path, dictionary: Dictionary) -> dict[str, set[str]]:
    """Keys on file, by table.

    Parameters
    ----------
    folder : Path
        Raw data folder.
    dictionary : Dictionary

    Returns
    -------
    dict of str to set of str
    """
    return {
        name: {row[table.key] for row in read_rows(folder, name)}
        for name, table in dictionary.tables.items()
    }


def read_rows(folder: Path, name: str) -> list[Row]:
    """Rows of one raw table as typed; none where the file is missing."""
    file = folder / f"{name}.csv"
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def add_rows(answers: Answers, *, write: bool = True) -> Added:
    """Complete, check and add rows.

    Parameters
    ----------
    answers : Answers
    write : bool
        ``False`` does everything but the writing.

    Returns
    -------
    Added

    Raises
    ------
    ldn_meta.errors.NewRowsError
        If a cell is open, a key is taken, or data/raw with these rows would be refused, by
        ``load_evidence`` or because printed numbers contradict each other. data/raw is as it was.
    ldn_meta.errors.DataError
        If data/raw is not in order without them.
    ldn_meta.errors.LdnMetaError
        If there is nothing to add, or somebody changed data/raw in between.
    """
    folder = paths.raw_data()
    dictionary = load_dictionary(folder)
    with publish.exclusive_writer():
        rows, faults = complete(answers, dictionary, taken_keys(folder, dictionary))
        if faults:
            raise NewRowsError(faults)
        if not rows:
            raise LdnMetaError("there is no row to add")
        before = {name: (folder / f"{name}.csv").read_bytes() for name in rows}
        after = {
            name: with_rows(before[name], dictionary.tables[name].columns, rows[name])
            for name in rows
        }
        effects, left_out = _on_a_copy(folder, rows, after)
        if not write:
            return Added(rows, effects, left_out)
        if any((folder / f"{name}.csv").read_bytes() != data for name, data in before.items()):
            raise LdnMetaError("data/raw changed while the rows were checked; try again")
        publish.write_together({folder / f"{name}.csv": data for name, data in after.items()})
    return Added(rows, effects, left_out, is_written=True)


def with_rows(data: bytes, columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Put rows among those of a table, by their first column; no other line changes.

    Parameters
    ----------
    data : bytes
        The table as it is.
    columns : sequence of str
        Its columns, the key first.
    rows : sequence of dict

    Returns
    -------
    bytes
    """
    lines = [f"{line}\n" for line in _lines(data)]
    for row in rows:
        cells = [row[column] for column in columns]
        keys = [_key_of(line) for line in lines[HEADER_LINES:]]
        place = next((i for i, key in enumerate(keys) if key > cells[0]), len(keys))
        lines.insert(HEADER_LINES + place, csv_line(cells))
    return "".join(lines).encode()


def _lines(data: bytes) -> list[str]:
    """Lines of a table; nothing but a line feed ends one."""
    return data.decode("utf-8").removesuffix("\n").split("\n")


def _key_of(line: str) -> str:
    return next(iter(next(csv.reader([line]), [])), "")


def csv_line(cells: Sequence[str]) -> str:
    """Write one line of a raw table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _on_a_copy(
    folder: Path, rows: Mapping[str, list[Row]], after: Mapping[str, bytes]
) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """Check the whole with the new rows, and say what becomes of them."""
    from ldn_meta.evidence.consistency import check_consistency, refuse_inconsistent
    from ldn_meta.evidence.load import load_evidence
    from ldn_meta.evidence.normalise import as_saved, normalise
    from ldn_meta.evidence.protocol import load_protocol

    with TemporaryDirectory(dir=paths.build(), prefix=".raw-") as scratch:
        copy = Path(scratch) / "raw"
        shutil.copytree(folder, copy)
        for name, data in after.items():
            (copy / f"{name}.csv").write_bytes(data)
        try:
            evidence, protocol = load_evidence(copy), load_protocol(copy)
            effects, left_out = normalise(evidence, protocol)
            effects = as_saved(effects)
            refuse_inconsistent(evidence, check_consistency(evidence, protocol, effects, left_out))
        except DataError as error:
            # Faults that were there before are not of these rows.
            load_evidence(folder)
            raise _of_new_rows(error, rows, after) from error
    new = {f"{name}:{next(iter(row.values()))}" for name, some in rows.items() for row in some}
    kept = ("effect_id", "study_label", "construct", "measure", "yi", "ci_low", "ci_high", "unit")
    found = tuple(
        {name: row[name] for name in (*kept, "is_selected", "selected_why")}
        for row in effects.to_dict("records")
        if new & set(row["rows"].split(" "))
    )
    lost = tuple(
        {name: row[name] for name in ("table", "row_id", "reason")}
        for row in left_out.to_dict("records")
        if f"{row['table']}:{row['row_id']}" in new
    )
    return found, lost


def _of_new_rows(
    error: DataError, rows: Mapping[str, list[Row]], after: Mapping[str, bytes]
) -> NewRowsError:
    """Faults by the place of the new row, instead of by line of a copy nobody sees."""
    ours: list[Fault] = []
    elsewhere: list[Fault] = []
    for fault in error.faults:
        new = [next(iter(row.values())) for row in rows.get(fault.table, ())]
        keys = [_key_of(line) for line in _lines(after.get(fault.table, b""))]
        # A rule may name the line of another row.
        rule = re.sub(
            r"\bline (\d+)",
            lambda found: _told_place(int(found[1]), keys, new),  # noqa: B023  (used at once)
            fault.rule,
        )
        if fault.line <= len(keys) and keys[fault.line - 1] in new:
            place = new.index(keys[fault.line - 1]) + 1
            ours.append(replace(fault, line=place, rule=rule))
        else:
            elsewhere.append(replace(fault, line=_old_line(fault.line, keys, new), rule=rule))
    return NewRowsError(ours, elsewhere)


def _told_place(line: int, keys: Sequence[str], new: Sequence[str]) -> str:
    if line <= len(keys) and keys[line - 1] in new:
        return f"new row {new.index(keys[line - 1]) + 1}"
    return f"line {_old_line(line, keys, new)}"


def _old_line(line: int, keys: Sequence[str], new: Sequence[str]) -> int:
    """Line in the file on disk, where the new rows before it are not."""
    return line - sum(key in new for key in keys[:line])
