"""What was found wrong in print, and why it stands as it is: entries of corrections.yml."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault

if TYPE_CHECKING:
    from ldn_meta.evidence.load import Evidence

FILE = "corrections.yml"
TABLE = "corrections"
KEYS = ("table", "row", "check", "expect", "action", "reason", "by")
ACCEPT = "accept"
# The cell that shows what is printed; an entry quotes it, so that it trips when the row changes.
GUARDED = "as_reported"


@dataclass(frozen=True)
class Correction:
    """One inconsistency that stays as printed, with the reason.

    Attributes
    ----------
    table, row : str
        Address of the row in data/raw.
    check : str
        Name of the check that finds it (``consistency_kinds.CHECKS``).
    expect : str
        ``as_reported`` of the row when the entry was written: the guard.
    action : str
        "accept".
    reason, by : str
        Why it stays, and who decided.
    line : int
        Line of corrections.yml where the entry begins.
    """

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
    """Read the entries of a raw data folder.

    Parameters
    ----------
    folder : Path
        Raw data folder; without a corrections.yml there are no corrections.

    Returns
    -------
    corrections : tuple of Correction
        The entries that are whole.
    faults : list of Fault
        What is wrong with the file or with the shape of an entry.
    """
    import yaml

    path = folder / FILE
    if not path.is_file():
        return (), []
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
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


def correction_faults(evidence: Evidence) -> list[Fault]:
    """Entries that do not belong to the tables.

    Parameters
    ----------
    evidence : Evidence
        With its corrections.

    Returns
    -------
    list of Fault
        Tables, rows, checks and actions that do not exist, guards that do not match, and
        entries given twice.
    """
    return [fault for entry in evidence.corrections for fault in _entry_faults(evidence, entry)]


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
            near = difflib.get_close_matches(name, KEYS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
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


def _entry_faults(evidence: Evidence, entry: Correction) -> Iterator[Fault]:
    from ldn_meta.evidence.consistency_audit import CHECKED_TABLES
    from ldn_meta.evidence.consistency_kinds import CHECKS

    if entry.action != ACCEPT:
        remedy = (
            f"use {ACCEPT}; a wrong cell is corrected in its table, with a note there and a line "
            "in CHANGELOG.md"
        )
        yield entry.fault("action", "is no action", remedy)
    if entry.check not in CHECKS:
        near = difflib.get_close_matches(entry.check, CHECKS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        yield entry.fault("check", "is no check", f"{hint}Use one of {', '.join(CHECKS)}")
    if entry.table not in CHECKED_TABLES:
        yield entry.fault("table", "is not checked", f"use one of {', '.join(CHECKED_TABLES)}")
        return
    text = evidence.text[entry.table]
    rows = text[text[evidence.dictionary.tables[entry.table].key] == entry.row]
    if not len(rows):
        yield entry.fault("row", f"is no row of {entry.table}", "correct it, or delete the entry")
        return
    if GUARDED in rows.columns and rows[GUARDED].iloc[0] != entry.expect:
        rule = f"is not what the row says now ({rows[GUARDED].iloc[0]!r})"
        yield entry.fault("expect", rule, "look at the row again, then quote it")
    same = [c for c in evidence.corrections if (c.table, c.row, c.check) == _address(entry)]
    if same[0] is not entry:
        yield entry.fault("row", f"has an entry at line {same[0].line}", "delete one of the two")


def _address(entry: Correction) -> tuple[str, str, str]:
    return entry.table, entry.row, entry.check
