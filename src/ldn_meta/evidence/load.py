"""The evidence as a whole: read, judged by every rule of every floor, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ldn_meta import files
from ldn_meta.errors import DataError, Fault
from ldn_meta.evidence.answer.conflicts import wanted_faults
from ldn_meta.evidence.audit.claims import computation_faults
from ldn_meta.evidence.audit.consistency import CHECKED_TABLES, CHECKS
from ldn_meta.evidence.grade import certainty_faults
from ldn_meta.evidence.raw.faults import (
    SLIPS,
    bias_faults,
    cell_faults,
    correction_faults,
    fact_faults,
    link_faults,
    row_faults,
    schema_faults,
    slip_faults,
    source_faults,
)
from ldn_meta.evidence.raw.tables import MEND, read_folder

if TYPE_CHECKING:
    from ldn_meta.evidence.raw.tables import Evidence, Reading


# Tables that are held against others, though no number of theirs is recomputed.
BESIDE = ("outcomes", "sources", "indications")


def load_evidence(path: str | Path | None = None, *, validate: bool = True) -> Evidence:
    """Read and check every raw table.

    Parameters
    ----------
    path : str or Path, optional
        Folder with ``datapackage.json`` and the tables; ``data/raw`` of the checkout by
        default.
    validate : bool
        ``False`` skips the checks of contents; only for callers that have proof that these
        very bytes passed them.

    Returns
    -------
    Evidence

    Raises
    ------
    DataError
        If anything is wrong anywhere; lists every fault as
        ``table:line:column: value rule; remedy``.
    FileNotFoundError
        If there is no data dictionary.
    """
    reading = read_folder(files.raw_data() if path is None else Path(path))
    try:
        return reading.settled(_all_faults(reading) if validate else reading.faults)
    except KeyError as error:
        # Rules ask for tables and columns by name.
        rule = "is asked for by a rule, and no table or column of this name is described"
        told = Fault("datapackage", 0, "-", str(error.args[0]), rule, MEND)
        raise DataError(reading.faults or [told]) from error


def _all_faults(reading: Reading) -> list[Fault]:
    """Faults of every layer; what an earlier layer says of a cell silences the later ones."""
    evidence, unread = reading.evidence, reading.unread
    found = list(reading.faults)
    for layer in (
        cell_faults(evidence.text, evidence.dictionary),
        schema_faults(evidence.text, evidence.dictionary),
        row_faults(evidence),
        certainty_faults(evidence),
        wanted_faults(evidence),
        link_faults(evidence, unread=unread),
        bias_faults(evidence, unread=unread),
        correction_faults(
            evidence,
            checks=[*CHECKS, *SLIPS],
            checked_tables=[*CHECKED_TABLES, *BESIDE],
            unread=unread,
        ),
        computation_faults(evidence),
    ):
        named = {(fault.table, fault.line, fault.column) for fault in found}
        found += [
            fault
            for fault in layer
            if (fault.table, fault.line) not in reading.misfits
            and (fault.table, fault.line, fault.column) not in named
        ]
    return found or [*fact_faults(evidence), *source_faults(evidence), *slip_faults(evidence)]
