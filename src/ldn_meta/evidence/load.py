"""The evidence on disk: read as a whole, or refused as a whole."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.errors import ArgumentError, DataError, Fault
from ldn_meta.evidence.corrections import Correction, correction_faults, read_corrections
from ldn_meta.evidence.read import FileContent, read_file, typed
from ldn_meta.evidence.schema import Dictionary, load_dictionary
from ldn_meta.evidence.shown import evidence_html
from ldn_meta.evidence.study import Study

if TYPE_CHECKING:
    import pandas as pd

VALUE_TABLES = ("arm_stats", "arm_events", "contrasts")


@dataclass(frozen=True, eq=False)
class Evidence:
    """The raw tables, typed; ``text`` keeps every cell as people typed it.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        Typed tables by name; missing is NA, whatever its label.
    text : dict of str to pandas.DataFrame
        The same rows as text, so that NR, NA and TODO can be told apart.
    dictionary : Dictionary
        Columns, types, units and labels.
    corrections : tuple of Correction
        What is known to be inconsistent in print and stands with a reason (corrections.yml).

    Notes
    -----
    Each table is also an attribute: ``evidence.studies``, ``evidence.contrasts``.
    """

    tables: dict[str, pd.DataFrame]
    text: dict[str, pd.DataFrame]
    dictionary: Dictionary
    corrections: tuple[Correction, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name in ("tables", "text", "dictionary", "corrections"):
            raise AttributeError(name)
        try:
            return self.tables[name]
        except KeyError:
            known = ", ".join(self.tables)
            message = f"Evidence has no table {name!r}; tables are {known}"
            raise AttributeError(message) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tables]

    def __repr__(self) -> str:
        values = sum(len(self.tables[name]) for name in VALUE_TABLES)
        return f"<Evidence: {len(self.tables['studies'])} studies, {values} value rows>"

    def _repr_html_(self) -> str:
        """Return every table with its rows and what it holds."""
        return evidence_html(repr(self).strip("<>"), self.tables, self.dictionary)

    def study(self, study_id: str) -> Study:
        """Everything on file about one study, as typed.

        Parameters
        ----------
        study_id : str
            Key in ``studies.csv``.

        Returns
        -------
        Study
            A dict: rows by table name; tables without a row of the study are left out.

        Raises
        ------
        ArgumentError
            If there is no such study.
        """
        _known("study", study_id, self.text["studies"]["study_id"].to_list())
        found = {
            name: frame[frame["study_id"] == study_id].reset_index(drop=True)
            for name, frame in self.text.items()
            if "study_id" in frame.columns
        }
        kept = {name: rows for name, rows in found.items() if len(rows)}
        return Study(study_id, kept, self.dictionary)

    def for_indication(self, indication_id: str) -> Evidence:
        """Keep the rows of one indication, and all outcomes and sources.

        Parameters
        ----------
        indication_id : str
            Key in ``indications.csv``.

        Returns
        -------
        Evidence

        Raises
        ------
        ArgumentError
            If there is no such indication.
        """
        _known("indication", indication_id, self.text["indications"]["indication_id"].to_list())
        studies = self.text["studies"]
        own = studies.loc[studies["indication_id"] == indication_id, "study_id"].to_list()

        def kept(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
            return {name: of_indication(frame) for name, frame in tables.items()}

        def of_indication(frame: pd.DataFrame) -> pd.DataFrame:
            # A claim about several studies belongs to its indication: that column goes first.
            if "indication_id" in frame.columns:
                return frame[frame["indication_id"] == indication_id].reset_index(drop=True)
            if "study_id" in frame.columns:
                return frame[frame["study_id"].isin(own)].reset_index(drop=True)
            return frame

        return replace(self, tables=kept(self.tables), text=kept(self.text))


def load_evidence(path: str | Path | None = None, *, validate: bool = True) -> Evidence:
    """Read and check every raw table.

    Parameters
    ----------
    path : str or Path, optional
        Folder with ``datapackage.json`` and the tables; ``data/raw`` of the checkout by
        default.
    validate : bool
        ``False`` skips the checks of contents; only for callers that have proof that these
        very bytes passed them (see ``ldn_meta.evidence.derived.load_derived``).

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
    folder = paths.raw_data() if path is None else Path(path)
    dictionary = load_dictionary(folder)
    files = {name: read_file(folder, table) for name, table in dictionary.tables.items()}
    text = {name: file.text for name, file in files.items()}
    tables = {
        name: typed(table, text[name], dictionary) for name, table in dictionary.tables.items()
    }
    corrections, faults = read_corrections(folder)
    evidence = Evidence(tables, text, dictionary, corrections)
    faults += _all_faults(evidence, files) if validate else _file_faults(files)
    if faults:
        raise DataError(faults)
    return replace(evidence, tables=_numbered(tables), text=_numbered(text))


def _file_faults(files: dict[str, FileContent]) -> list[Fault]:
    return [fault for file in files.values() for fault in file.faults]


def _all_faults(evidence: Evidence, files: dict[str, FileContent]) -> list[Fault]:
    """Faults of every layer; what an earlier layer says of a cell silences the later ones."""
    from ldn_meta.evidence.bias_rules import bias_faults
    from ldn_meta.evidence.cells import cell_faults
    from ldn_meta.evidence.certainty_rows import certainty_faults
    from ldn_meta.evidence.claims import computation_faults
    from ldn_meta.evidence.links import fact_faults, link_faults
    from ldn_meta.evidence.rules import row_faults
    from ldn_meta.evidence.schema_check import schema_faults

    unread = {name for name, file in files.items() if not file.is_read}
    misfits = {(name, line) for name, file in files.items() for line in file.misfits}
    found = _file_faults(files)
    for layer in (
        cell_faults(evidence.text, evidence.dictionary),
        schema_faults(evidence.text, evidence.dictionary),
        row_faults(evidence),
        certainty_faults(evidence),
        link_faults(evidence, unread=unread),
        bias_faults(evidence, unread=unread),
        correction_faults(evidence),
        computation_faults(evidence),
    ):
        named = {(fault.table, fault.line, fault.column) for fault in found}
        found += [
            fault
            for fault in layer
            if (fault.table, fault.line) not in misfits
            and (fault.table, fault.line, fault.column) not in named
        ]
    return found or fact_faults(evidence)


def _numbered(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Rows by position; while they were checked they went by line of the file."""
    return {name: frame.reset_index(drop=True) for name, frame in tables.items()}


def _known(what: str, value: str, known: list[str]) -> None:
    """Refuse a key that is not among those known."""
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    message = f"no {what} {value!r}{hint} Known: {', '.join(sorted(known))}"
    raise ArgumentError(message)
