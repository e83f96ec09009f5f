"""Read the raw tables, refuse them as a whole when anything is wrong, type them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.errors import ArgumentError, DataError, Fault
from ldn_meta.evidence.schema import Dictionary, Table, load_dictionary

if TYPE_CHECKING:
    import pandas as pd

MARK = b"\xef\xbb\xbf"
FIRST_DATA_LINE = 2
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

    Notes
    -----
    Each table is also an attribute: ``evidence.studies``, ``evidence.contrasts``.
    """

    tables: dict[str, pd.DataFrame]
    text: dict[str, pd.DataFrame]
    dictionary: Dictionary

    def __getattr__(self, name: str) -> Any:
        if name in ("tables", "text", "dictionary"):
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

    def study(self, study_id: str) -> dict[str, pd.DataFrame]:
        """Everything on file about one study, as typed.

        Parameters
        ----------
        study_id : str
            Key in ``studies.csv``.

        Returns
        -------
        dict of str to pandas.DataFrame
            Rows by table name; tables without a row of the study are left out.

        Raises
        ------
        ArgumentError
            If there is no such study.
        """
        if study_id not in set(self.text["studies"]["study_id"]):
            raise ArgumentError(_unknown("study", study_id, list(self.text["studies"]["study_id"])))
        found = {}
        for name, frame in self.text.items():
            if "study_id" in frame.columns:
                rows = frame[frame["study_id"] == study_id]
                if len(rows):
                    found[name] = rows.reset_index(drop=True)
        return found

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
        known = list(self.text["indications"]["indication_id"])
        if indication_id not in known:
            raise ArgumentError(_unknown("indication", indication_id, known))
        studies = self.text["studies"]
        kept = set(studies.loc[studies["indication_id"] == indication_id, "study_id"])

        def keep(name: str) -> Any:
            frame = self.text[name]
            if "study_id" in frame.columns and name != "claims":
                return frame["study_id"].isin(kept)
            if "indication_id" in frame.columns:
                return frame["indication_id"] == indication_id
            return frame.index >= 0

        rows = {name: keep(name) for name in self.tables}
        return replace(
            self,
            tables={n: t[rows[n].to_numpy() if hasattr(rows[n], "to_numpy") else rows[n]]
                    .reset_index(drop=True) for n, t in self.tables.items()},
            text={n: t[rows[n].to_numpy() if hasattr(rows[n], "to_numpy") else rows[n]]
                  .reset_index(drop=True) for n, t in self.text.items()},
        )


def load_evidence(path: str | Path | None = None, *, validate: bool = True) -> Evidence:
    """Read and check every raw table.

    Parameters
    ----------
    path : str or Path, optional
        Folder with ``datapackage.json`` and the tables; ``data/raw`` of the checkout by
        default.
    validate : bool
        ``False`` skips the checks; only for callers that have proof that these very bytes
        passed them (see ``ldn_meta.evidence.derived.load_derived``).

    Returns
    -------
    Evidence

    Raises
    ------
    DataError
        If anything is wrong anywhere; lists every fault as
        ``table:line:column: value rule; remedy``.
    """
    folder = paths.raw_data() if path is None else Path(path)
    dictionary = load_dictionary(folder)
    faults: list[Fault] = []
    text: dict[str, pd.DataFrame] = {}
    for table in dictionary.tables.values():
        rows, found = _read_rows(folder, table)
        faults.extend(found)
        text[table.name] = _as_text(table, rows)
    if validate:
        from ldn_meta.evidence import rules, schema_check

        broken = {fault.table for fault in faults}
        faults.extend(schema_check.schema_faults(folder, dictionary, skip=broken))
    tables = {t.name: _typed(t, text[t.name], dictionary) for t in dictionary.tables.values()}
    evidence = Evidence(tables, text, dictionary)
    if validate:
        faults.extend(rules.domain_faults(evidence))
    if faults:
        raise DataError(list(dict.fromkeys(faults)))
    return evidence


def _unknown(what: str, value: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(value, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"no {what} {value!r}{hint} Known: {', '.join(sorted(known))}"


def _read_rows(folder: Path, table: Table) -> tuple[list[list[str]], list[Fault]]:
    """Rows of one file with its header checked; any structural fault empties the table."""
    path = folder / f"{table.name}.csv"
    name = table.name

    def fault(line: int, column: str, value: str, rule: str, remedy: str) -> Fault:
        return Fault(name, line, column, value, rule, remedy)

    if not path.is_file():
        return [], [fault(0, "-", "", f"file {path.name} is missing", "restore it from git")]
    data = path.read_bytes()
    found = []
    if data.startswith(MARK):
        data = data[len(MARK):]
        found.append(fault(1, "-", "", "file starts with a byte-order mark",
                           "save it as UTF-8 without BOM"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        value = repr(data[error.start : error.end])
        return [], [*found, fault(line, "-", value, "is not UTF-8", "save the file as UTF-8")]
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        found.append(fault(line, "-", "", "line ends with a carriage return",
                           "save the file with LF line ends"))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0] != table.columns:
        header = ",".join(rows[0]) if rows else ""
        return [], [*found, fault(1, "-", header, "header differs from datapackage.json",
                                  f"use: {','.join(table.columns)}")]
    good = []
    for line, row in enumerate(rows[1:], FIRST_DATA_LINE):
        if len(row) == len(table.columns):
            good.append(row)
        else:
            found.append(fault(line, "-", ",".join(row)[:60],
                               f"row has {len(row)} cells, not {len(table.columns)}",
                               "quote cells that hold a comma; fill missing cells with NR or NA"))
            good.append((row + [""] * len(table.columns))[: len(table.columns)])
    return good, found


def _as_text(table: Table, rows: list[list[str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=table.columns, dtype="str")


def _typed(table: Table, text: pd.DataFrame, dictionary: Dictionary) -> pd.DataFrame:
    """Numbers as float64, whole numbers as Int64, yes/no as boolean, the rest as text."""
    import pandas as pd

    frame = text.mask(text.isin(list(dictionary.missing)) | (text == ""))
    whole = set(table.of_type("integer"))
    for column in table.of_type("number", "integer"):
        number = pd.to_numeric(frame[column], errors="coerce")
        if column in whole:
            number = number.where(number.isna() | (number % 1 == 0)).astype("Int64")
        else:
            number = number.astype("float64")
        frame[column] = number
    for column in table.of_type("boolean"):
        frame[column] = frame[column].map({"yes": True, "no": False}).astype("boolean")
    return frame
