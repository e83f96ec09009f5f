"""The raw tables and the corrections that go with them, as they are read; nobody judges here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import ArgumentError, CsvError, DataError, Fault, did_you_mean
from ldn_meta.evidence.raw.review import UNNAMED, Review, Wording, load_review, load_wording
from ldn_meta.files import MISSING, NOT_APPLICABLE, NOT_REPORTED, csv_rows, sha256
from ldn_meta.stats.arrays import html_table

if TYPE_CHECKING:
    import pandas as pd


def short_citation(row: Any) -> str:
    """First author and year; where nobody is named the registration, or where it stands."""
    told = {name: str(row[name] or NOT_REPORTED) for name in _CITED}
    authors, place = told["authors"], re.split(r",| \(", told["container"])[0]
    if authors not in MISSING:
        words = authors.split(",")[0].removesuffix(" et al.").split(" ")
        # "Due Bruun K": initials go, a double surname stays.
        first = " ".join(words[:-1] if len(words) > 1 and words[-1].isupper() else words)
    elif told["registry_id"] not in MISSING:
        first = told["registry_id"]
        return first if place in (first.split(" ")[0], REGISTRY) else f"{first}, {place}"
    else:
        names = (place, told["title"], str(row["source_id"]))
        first = next(name for name in names if name not in MISSING)
    return first if told["year"] in MISSING else f"{first} {told['year']}"


_CITED = ("authors", "container", "registry_id", "title", "year")
REGISTRY = "ClinicalTrials.gov"


# Columns that name a source: whose number it is, and last where it was read.
NAMING_SOURCES = ("source_id", "claimed_in", "reported_in", "read_in")


def cited(row: Mapping[Any, Any], sources: Mapping[str, Any]) -> str:
    """Whose number a row holds and, where that is another text, where it was read."""
    keys = [str(row[name]) for name in NAMING_SOURCES if name in row]
    return ", read in ".join(dict.fromkeys(short_citation(sources[key]) for key in keys))


def source_rows(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Rows of the sources by key."""
    return {str(row["source_id"]): row for row in as_records(evidence.text["sources"])}


FILE = "corrections.yml"
TABLE = "corrections"
KEYS = ("table", "row", "check", "expect", "action", "reason", "by")
ACCEPT = "accept"
# The cell that shows what is printed; an entry quotes it, so that it trips when the row changes.
GUARDED = "as_reported"


@dataclass(frozen=True)
class Correction:
    """One inconsistency that stays as printed, with the reason."""

    table: str
    row: str
    check: str
    expect: str
    action: str
    reason: str
    by: str
    line: int = field(compare=False)

    def fault(self, key: str, rule: str, remedy: str) -> Fault:
        """Build a fault that points at one key of the entry."""
        return Fault(TABLE, self.line, key, str(getattr(self, key)), rule, remedy)


def read_corrections(folder: Path) -> tuple[tuple[Correction, ...], list[Fault]]:
    """Read the entries of a raw data folder."""
    import yaml

    path = folder / FILE
    if path.is_dir():
        return (), [Fault(TABLE, 0, "-", "", "is a folder", "restore the file from git")]
    if not path.is_file():
        return (), []
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except RecursionError:
        return (), [Fault(TABLE, 0, "-", "", "is nested too deeply to be read", "mend it")]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 0
        words = str(getattr(error, "problem", None) or error)
        return (), [Fault(TABLE, line, "-", "", f"is no YAML: {words}", "mend it")]
    if root is None:
        return (), []
    if not isinstance(root, yaml.SequenceNode):
        remedy = "begin each entry with '- table:'"
        return (), [Fault(TABLE, root.start_mark.line + 1, "-", "", "is no list", remedy)]
    corrections, faults = [], []
    for node in root.value:
        cells, own = _entry(node)
        faults.extend(own)
        if not own:
            corrections.append(Correction(**cells, line=node.start_mark.line + 1))
    return tuple(corrections), faults


def _entry(node: Any) -> tuple[dict[str, str], list[Fault]]:
    """Keys and texts of one entry, and what is wrong with its shape."""
    import yaml

    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        return {}, [Fault(TABLE, line, "-", "", "is no entry", f"give {', '.join(KEYS)}")]
    cells: dict[str, str] = {}
    faults = []
    for key, value in node.value:
        name, at = str(key.value), key.start_mark.line + 1
        if name not in KEYS:
            hint = did_you_mean(name, KEYS, " ")
            rule = "is no key of an entry"
            faults.append(Fault(TABLE, at, name, "", rule, f"{hint}Use {', '.join(KEYS)}"))
        elif name in cells:
            faults.append(Fault(TABLE, at, name, "", "is given twice", "delete one of the two"))
        elif not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            faults.append(Fault(TABLE, at, name, "", "is no text", "write it on one line"))
        else:
            cells[name] = value.value.strip()
    faults += [
        Fault(TABLE, line, name, "", "is missing", "add it to the entry")
        for name in KEYS
        if name not in cells and not any(fault.column == name for fault in faults)
    ]
    return cells, faults


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A row that does not fit the header is quoted in its fault; this much of it finds the place.
QUOTED = 60


@dataclass(frozen=True)
class FileContent:
    """One file as text."""

    text: pd.DataFrame
    faults: list[Fault]
    is_read: bool
    misfits: frozenset[int] = frozenset()


def read_file(folder: Path, table: Table) -> FileContent:
    """Read one table as text."""
    faults: list[Fault] = []

    def note(line: int, value: str, rule: str, remedy: str) -> None:
        faults.append(Fault(table.name, line, "-", value, rule, remedy))

    def nothing() -> FileContent:
        return FileContent(as_text(table, [], []), faults, is_read=False)

    path = folder / f"{table.name}.csv"
    if not path.is_file():
        note(0, "", f"file {path.name} is missing", "restore it from git")
        return nothing()
    data = path.read_bytes()
    if data.startswith(BYTE_ORDER_MARK):
        data = data.removeprefix(BYTE_ORDER_MARK)
        note(1, "", "file starts with a byte-order mark", "save it as UTF-8 without BOM")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        value = repr(data[error.start : error.end])
        note(line, value, "is not UTF-8", "save the file as UTF-8")
        return nothing()
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        note(line, "", "line ends with a carriage return", "save the file with LF line ends")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for line, row in csv_rows(text, strict=True):
            lines.append(line)
            rows.append(row)
    except CsvError as error:
        note(error.line, "", f"is no CSV: {error}", "close every quote that is opened")
        return nothing()
    if not rows or rows[0] != table.columns:
        note(
            1,
            ",".join(rows[0]) if rows else "",
            "header differs from datapackage.json",
            f"use: {','.join(table.columns)}",
        )
        return nothing()
    if len(rows) <= table.rows:
        rule = f"has {counted(len(rows) - 1, 'row')}, and {table.rows} when it was sealed"
        note(0, "", rule, "restore them from git, or tell `ldn-meta seal` that they may go")
    width = len(table.columns)
    numbered = zip(lines[1:], rows[1:], strict=True)
    misfits = {line: row for line, row in numbered if len(row) != width}
    for line, row in misfits.items():
        note(
            line,
            ",".join(row)[:QUOTED],
            f"row has {len(row)} cells, not {width}",
            "quote cells that hold a comma; fill missing cells with NR or NA",
        )
    fitted = [(row + [""] * width)[:width] for row in rows[1:]]
    return FileContent(as_text(table, fitted, lines[1:]), faults, True, frozenset(misfits))


YES_NO = {"yes": True, "no": False}
# Whole numbers from here on have no room in a column.
BEYOND = 2.0**63


def typed(table: Table, text: pd.DataFrame, dictionary: Dictionary) -> pd.DataFrame:
    """Type a table: numbers as float64, whole numbers as Int64, yes/no as boolean."""
    import pandas as pd

    nothing = {*dictionary.missing, ""}
    columns = {}
    for column in table.fields:
        name = str(column["name"])
        cells = [None if cell in nothing else cell for cell in text[name].tolist()]
        columns[name] = _column(cells, str(column["type"]))
    return pd.DataFrame(columns, index=text.index)


def _column(cells: list[str | None], kind: str) -> Any:
    """An array of one type; what is not of it is missing."""
    import numpy as np
    import pandas as pd

    if kind == "boolean":
        return pd.array([YES_NO.get(cell or "") for cell in cells], dtype="boolean")
    if kind not in ("number", "integer"):
        return pd.array(cells, dtype="str")
    number = np.asarray(pd.to_numeric(np.array(cells, dtype=object), errors="coerce"), dtype=float)
    if kind == "number":
        return number
    whole = [int(n) if n.is_integer() and abs(n) < BEYOND else None for n in number.tolist()]
    return pd.array(whole, dtype="Int64")


def as_text(table: Table, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> pd.DataFrame:
    """Rows of a table as text, by line of their file."""
    import pandas as pd

    return pd.DataFrame(
        rows, columns=table.columns, index=pd.Index(lines, dtype="int"), dtype="str"
    )


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as ``to_dict("records")`` makes them, in a quarter of its time."""
    import pandas as pd

    names = [str(name) for name in frame.columns]
    return [
        dict(zip(names, [None if cell is pd.NA else cell for cell in row], strict=True))
        for row in frame.to_numpy(dtype=object).tolist()
    ]


DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True)
class Table:
    """One table of the data dictionary."""

    name: str
    description: str
    key: str
    fields: tuple[dict[str, Any], ...]
    foreign_keys: tuple[tuple[str, str, str], ...]
    # Rows and hash of the file when it was sealed; a table may be without.
    rows: int = 0
    hash: str = ""

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return [str(field["name"]) for field in self.fields]

    def of_type(self, *types: str) -> list[str]:
        """Names of the columns of these Table Schema types."""
        return [str(field["name"]) for field in self.fields if field["type"] in types]


@dataclass(frozen=True)
class Dictionary:
    """All tables of ``datapackage.json`` and the labels that mean "missing"."""

    tables: dict[str, Table]
    missing: dict[str, str]


MEND = "correct datapackage.json, or restore it from git"
TYPES = ("string", "number", "integer", "boolean")
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Constraints of a field and the types their values may have.
LIMITS: dict[str, Any] = {
    **dict.fromkeys(("required", "unique"), bool),
    **dict.fromkeys(("minimum", "maximum"), int | float),
    **{"enum": list, "pattern": str},
}
# What a table held when somebody last said that it is as it should be.
SEAL: dict[str, Any] = {"rows": int, "hash": str}


# Where the hashes of the files stand that are no tables: plan, wording, what is accepted.
BESIDE = "beside"


def sealed(
    descriptor: bytes, contents: Mapping[str, bytes], beside: Mapping[str, bytes] | None = None
) -> bytes:
    """The data dictionary with row count and hash of these tables, and hashes of other files."""
    told = json.loads(descriptor)
    for resource in told["resources"]:
        data = contents.get(resource["name"])
        if data is not None:
            rows = sum(1 for _ in csv_rows(data.decode(errors="replace"))) - 1
            resource |= {"rows": rows, "hash": content_hash(data)}
    if beside:
        told[BESIDE] = {name: content_hash(beside[name]) for name in sorted(beside)}
    return dictionary_bytes(told)


def dictionary_bytes(descriptor: Mapping[str, Any]) -> bytes:
    """The data dictionary as it is kept."""
    return f"{json.dumps(descriptor, indent=1, ensure_ascii=False)}\n".encode()


def content_hash(data: bytes) -> str:
    """Hash as a data package states it."""
    return f"sha256:{sha256(data)}"


def _described(data: bytes) -> Any:
    """What the data dictionary says, or a refusal with the line."""

    def refuse(line: int, rule: str) -> DataError:
        return DataError([Fault("datapackage", line, "-", "", rule, MEND)])

    def no_number(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    try:
        return json.loads(data.decode("utf-8"), parse_constant=no_number)
    except UnicodeDecodeError as error:
        raise refuse(data[: error.start].count(b"\n") + 1, "is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise refuse(error.lineno, f"is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise refuse(0, "is nested too deeply to be read") from error
    except ValueError as error:
        raise refuse(0, f"is no JSON: {error}") from error


def _misdescribed(descriptor: Any) -> Iterator[tuple[str, str, str]]:
    """Place, value and rule of whatever the data dictionary cannot say."""

    def typed_as(owner: Any, place: str, **kinds: Any) -> Iterator[tuple[str, str, str]]:
        words = {str: "text", list: "a list", dict: "an object", bool: "true or false"}
        if not isinstance(owner, dict):
            yield place, _shown(owner), "is no object"
            return
        for name, kind in kinds.items():
            value = owner.get(name)
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                rule = (
                    "is missing" if name not in owner else f"is not {words.get(kind, 'a number')}"
                )
                yield f"{place}.{name}".strip("."), _shown(value) if name in owner else "", rule
            elif kind is not int and value in ("", [], {}) and name != "foreignKeys":
                yield f"{place}.{name}".strip("."), "", "is empty"

    found = list(typed_as(descriptor, "", resources=list, missingValueLabels=dict))
    if found:
        yield from found
        return
    for label, told in descriptor["missingValueLabels"].items():
        if not isinstance(told, str):
            yield f"missingValueLabels.{label}", _shown(told), "is not text"
    if not isinstance(descriptor.get(BESIDE, {}), dict):
        yield BESIDE, _shown(descriptor[BESIDE]), "is no object"
    columns: dict[str, set[str]] = {}
    for place, resource in enumerate(descriptor["resources"]):
        where = f"resources[{place}]"
        found = list(typed_as(resource, where, name=str, description=str, schema=dict))
        yield from found
        if found:
            continue
        seal = {key: kind for key, kind in SEAL.items() if key in resource}
        yield from typed_as(resource, where, **seal)
        name, schema = resource["name"], resource["schema"]
        if not TABLE_NAME.fullmatch(name) or resource.get("path", f"{name}.csv") != f"{name}.csv":
            shown = name if not TABLE_NAME.fullmatch(name) else _shown(resource["path"])
            yield f"{where}.name", shown, "is no file NAME.csv of this folder"
        elif name in columns:
            yield f"{where}.name", name, "is described twice"
        columns[name] = set()
        found = list(typed_as(schema, name, primaryKey=list, fields=list))
        yield from found
        if found:
            continue
        for field_ in schema["fields"]:
            known = columns[name]
            told = field_.get("name", "") if isinstance(field_, dict) else ""
            at = f"{name}.{told}"
            found = list(typed_as(field_, at, name=str, type=str))
            yield from found
            if found:
                continue
            if told in known:
                yield at, "", "is described twice"
            known.add(told)
            if field_["type"] not in TYPES:
                yield f"{at}.type", field_["type"], f"is none of {', '.join(TYPES)}"
            limits = field_.get("constraints", {})
            kinds = {key: LIMITS[key] for key in LIMITS if key in limits}
            yield from typed_as(limits, f"{at}.constraints", **kinds)
            yield from _no_pattern(limits, at)
        if len(schema["primaryKey"]) != 1 or schema["primaryKey"][0] not in columns[name]:
            yield f"{name}.primaryKey", _shown(schema["primaryKey"]), "is not one column of it"
    yield from _mislinked(descriptor["resources"], columns)


def _no_pattern(limits: Any, at: str) -> Iterator[tuple[str, str, str]]:
    if not isinstance(limits, dict) or not isinstance(limits.get("pattern", ""), str):
        return
    try:
        re.compile(limits.get("pattern", ""))
    except re.error as error:
        rule = f"is no regular expression: {error}"
        yield f"{at}.constraints.pattern", limits["pattern"], rule


def _mislinked(
    resources: list[Any], columns: Mapping[str, set[str]]
) -> Iterator[tuple[str, str, str]]:
    """Foreign keys from or to what is not described."""
    for resource in resources:
        schema = resource.get("schema") if isinstance(resource, dict) else None
        name = resource.get("name") if isinstance(resource, dict) else None
        if not isinstance(schema, dict) or not isinstance(name, str) or not columns.get(name):
            continue
        links = schema.get("foreignKeys", [])
        for place, link in enumerate(links if isinstance(links, list) else [links]):
            at = f"{name}.foreignKeys[{place}]"
            target = link.get("reference") if isinstance(link, dict) else None
            if not isinstance(target, dict):
                yield at, _shown(link), "names no column and no reference"
                continue
            other = target.get("resource") or name
            if other not in [*columns]:
                hint = did_you_mean(str(other), columns, "")
                yield f"{at}.reference", _shown(other), f"is no table{hint and f', {hint}'}"
                continue
            for table, column in ((name, link.get("fields")), (other, target.get("fields"))):
                if columns[table] and column not in [*columns[table]]:
                    yield at, _shown(column), f"is no column of {table}"


def _shown(value: Any) -> str:
    return str(value)[:QUOTED]


def load_dictionary(folder: Path) -> Dictionary:
    """Read the data dictionary of a raw data folder."""
    path = folder / DESCRIPTOR
    if not path.is_file():
        message = f"{path} is missing: it is the data dictionary; restore it from git"
        raise FileNotFoundError(message)
    descriptor = _described(path.read_bytes())
    faults = [
        Fault("datapackage", 0, place, value, rule, MEND)
        for place, value, rule in _misdescribed(descriptor)
    ]
    if faults:
        raise DataError(faults)
    tables = {}
    for resource in descriptor["resources"]:
        schema = resource["schema"]
        name = str(resource["name"])
        links = tuple(
            (
                str(link["fields"]),
                str(link["reference"]["resource"]) or name,
                str(link["reference"]["fields"]),
            )
            for link in schema.get("foreignKeys", [])
        )
        tables[name] = Table(
            name=name,
            description=str(resource["description"]),
            key=str(schema["primaryKey"][0]),
            fields=tuple(schema["fields"]),
            foreign_keys=links,
            rows=int(resource.get("rows", 0)),
            hash=str(resource.get("hash", "")),
        )
    return Dictionary(tables, dict(descriptor["missingValueLabels"]))


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things in words; the noun takes an s, or its own plural."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def titled_html(name: str, headline: str, *parts: str) -> str:
    """Write parts of HTML under a headline, in a block with a class of its own."""
    head = f"<p><strong>{escape(headline)}</strong></p>"
    return f'<div class="ldn-meta-{name}">{head}{"".join(parts)}</div>'


class Study(dict[str, "pd.DataFrame"]):
    """The rows of one study by table name, as typed; a dict that shows itself in a notebook."""

    def __init__(
        self, study_id: str, rows: Mapping[str, pd.DataFrame], dictionary: Dictionary
    ) -> None:
        super().__init__(rows)
        self.study_id, self._dictionary = study_id, dictionary

    @property
    def label(self) -> str:
        """Name of the study for readers; its key where no row of ``studies.csv`` names it."""
        return str(self["studies"]["label"].iloc[0]) if "studies" in self else self.study_id

    def __repr__(self) -> str:
        """Return one line: the study, and how many rows each table has."""
        tables = ", ".join(f"{name} {len(rows)}" for name, rows in self.items())
        return f"<Study {self.study_id}: {tables}>"

    def _repr_html_(self) -> str:
        """Return each table with what it holds; a table of one row stands upright."""
        parts = [f"<h3>{escape(self.label)}</h3>"]
        for name, rows in self.items():
            told = escape(self._dictionary.tables[name].description)
            parts.append(
                f"<p><strong>{escape(name)}</strong>, {counted(len(rows), 'row')}<br>"
                f"<small>{told}</small></p>{_rows(rows)}"
            )
        return f'<div class="ldn-meta-study">{"".join(parts)}</div>'


def _rows(rows: pd.DataFrame) -> str:
    """Rows as HTML; columns that apply to none of them are named below instead."""
    shown = rows.drop(columns="study_id")
    void = [str(name) for name in shown if (shown[name] == NOT_APPLICABLE).all()]
    shown = shown.drop(columns=void)
    columns = [str(name) for name in shown]
    if len(shown) == 1:
        cells = shown.iloc[0].astype(str).to_list()
        table = html_table(list(zip(columns, cells, strict=True)), is_prose=True)
    else:
        table = html_table(shown.astype(str).to_numpy().tolist(), head=columns, is_prose=True)
    return table + (
        f"<p><small>Does not apply: {escape(', '.join(void))}.</small></p>" if void else ""
    )


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
    review : Review
        What the treatment of this review is called (review.toml).
    wording : mapping
        Rules and sentences that are data, as files of the folder state them.

    Notes
    -----
    Each table is also an attribute: ``evidence.studies``, ``evidence.contrasts``.
    """

    tables: dict[str, pd.DataFrame]
    text: dict[str, pd.DataFrame]
    dictionary: Dictionary
    corrections: tuple[Correction, ...] = ()
    review: Review = UNNAMED
    wording: Wording = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        if name in ("tables", "text", "dictionary", "corrections", "review", "wording"):
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
        rows = [
            (
                name,
                f"{len(frame):,}",
                str(frame.shape[1]),
                self.dictionary.tables[name].description,
            )
            for name, frame in self.tables.items()
        ]
        head = ("table", "rows", "columns", "what")
        table = html_table(rows, head=head, is_prose=True)
        return titled_html("evidence", repr(self).strip("<>"), table)

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

        def of_indication(frame: pd.DataFrame) -> pd.DataFrame:
            # A claim about several studies belongs to its indication: that column goes first.
            if "indication_id" in frame.columns:
                return frame[frame["indication_id"] == indication_id].reset_index(drop=True)
            if "study_id" in frame.columns:
                return frame[frame["study_id"].isin(own)].reset_index(drop=True)
            return frame

        return self.each(of_indication)

    def each(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Evidence:
        """The same evidence with every table changed, as typed by us and by people."""
        tables, text = (
            {name: change(frame) for name, frame in frames.items()}
            for frames in (self.tables, self.text)
        )
        return replace(self, tables=tables, text=text)


@dataclass(frozen=True)
class Reading:
    """A raw folder as it was read: rows by line of their file, and what could not be read."""

    evidence: Evidence
    faults: list[Fault]
    unread: frozenset[str]
    misfits: frozenset[tuple[str, int]]

    def settled(self, faults: Sequence[Fault]) -> Evidence:
        """The evidence with its rows by position, or a refusal that lists the faults."""
        if faults:
            raise DataError(faults)
        return self.evidence.each(lambda frame: frame.reset_index(drop=True))


def read_folder(folder: Path) -> Reading:
    """Read every raw table, the corrections and the review of a folder."""
    dictionary = load_dictionary(folder)
    files = {name: read_file(folder, table) for name, table in dictionary.tables.items()}
    text = {name: file.text for name, file in files.items()}
    tables = {
        name: typed(table, text[name], dictionary) for name, table in dictionary.tables.items()
    }
    corrections, faults = read_corrections(folder)
    faults += [
        Fault("datapackage", 0, "resources", file.name, "is described by no table", MEND)
        for file in sorted(folder.glob("*.csv"))
        if file.stem not in files
    ]
    return Reading(
        evidence=Evidence(
            tables, text, dictionary, corrections, load_review(folder), load_wording(folder)
        ),
        faults=[*faults, *(fault for file in files.values() for fault in file.faults)],
        unread=frozenset(name for name, file in files.items() if not file.is_read),
        misfits=frozenset((name, line) for name, file in files.items() for line in file.misfits),
    )


def read_evidence(folder: Path) -> Evidence:
    """Read the raw tables without judging them; what cannot be read at all is refused."""
    reading = read_folder(folder)
    return reading.settled(reading.faults)


def _known(what: str, value: str, known: list[str]) -> None:
    """Refuse a key that is not among those known."""
    if value in known:
        return
    hint = did_you_mean(value, known, " ")
    message = f"no {what} {value!r}; {hint}Known: {', '.join(sorted(known))}"
    raise ArgumentError(message)
