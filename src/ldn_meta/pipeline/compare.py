"""What moved between two states of the project: inputs, results, facts, sentences."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from ldn_meta import files
from ldn_meta.errors import ArgumentError, ParameterError
from ldn_meta.evidence.raw.tables import BESIDE, DESCRIPTOR, content_hash, sealed
from ldn_meta.files import EMPTY, MANIFEST, code_of, csv_rows, sha256
from ldn_meta.pipeline.notebooks import FACTS, SETTINGS

WORK_TREE = "work tree"
# Set inside hooks, where they would lead to another repository than the one of the checkout.
_LEADING_AWAY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True)
class Checkout:
    """What is compared of one side, as bytes."""

    label: str
    raw: Mapping[str, bytes]
    derived: Mapping[str, bytes]
    facts: Mapping[str, bytes]
    settings: bytes = b""
    code: Mapping[str, str] = field(default_factory=dict)


def open_checkout(named: str | None, role: str) -> Checkout:
    """Open what a user named: a folder of a checkout, else a revision of this repository."""
    if named is None:
        return from_folder(files.project_root(), WORK_TREE)
    # No text is the folder one is in to Path, and nothing to a reader.
    is_folder = bool(named) and Path(named).is_dir()
    if is_folder:
        opened = from_folder(Path(named), named)
        if opened.raw:
            return opened
    return from_revision(named, role, is_folder=is_folder)


def from_folder(folder: Path, label: str) -> Checkout:
    """Read the files of a folder that are compared; nothing is written."""
    raw, derived, reports, settings = (folder / place for place in _places())
    files = [*raw.glob("*"), *derived.glob("*"), *reports.glob(f"*/{FACTS}"), settings]
    found = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.is_file()
    }
    return replace(_sorted_out(label, found), code=code_of(folder))


def from_revision(named: str, role: str, *, is_folder: bool = False) -> Checkout:
    """Read the same files of a commit; neither the work tree nor a network is touched."""
    what = f"{role} {named!r} is " + ("a folder without data/raw" if is_folder else "no folder")
    if shutil.which("git") is None:
        raise ParameterError(f"{what}, and git is not installed: give two folders of checkouts")
    if _git("rev-parse", "--git-dir") is None:
        remedy = "is no git repository: give two folders of checkouts"
        raise ParameterError(f"{what}, and {files.project_root()} {remedy}")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}")
    if found is None:
        joined = " and no revision" if is_folder else " of a checkout nor a revision"
        what = what if is_folder else f"{role} {named!r} is neither a folder"
        raise ParameterError(f"{what}{joined} of this repository; {_remedy()}")
    commit = found.decode().strip()
    opened = _sorted_out(f"{named} ({commit[:7]})", dict(_files_of(commit)))
    if not opened.raw:
        message = f"{role} {named!r} ({commit[:7]}) has no data/raw: give a later revision"
        raise ParameterError(message)
    return opened


def _remedy() -> str:
    """What somebody can do whose revision is not there."""
    known = "`git log --oneline` lists commits, `git branch -a` branches"
    if (_git("rev-parse", "--is-shallow-repository") or b"").strip() == b"true":
        return (
            f"this clone is shallow, so fetch the history first (`git fetch --unshallow`); {known}"
        )
    return known


def _files_of(commit: str) -> Iterator[tuple[str, bytes]]:
    """Paths below the checkout and contents; git keeps LF, whatever the work tree has."""
    reports = _places()[2]
    listed = _git("ls-tree", "-r", "-z", commit, "--", *_places()) or b""
    for entry in listed.decode(errors="surrogateescape").split("\0"):
        about, _, name = entry.partition("\t")
        is_file = about.startswith("100")  # no link, no submodule
        # Pages and figures are large, and nothing here reads them.
        if is_file and (not name.startswith(f"{reports}/") or name.endswith(f"/{FACTS}")):
            data = _git("cat-file", "blob", about.split(" ")[2])
            if data is None:  # a partial clone that does not have it
                message = f"{name} of {commit[:7]} is not in this clone: `git fetch` it first"
                raise ParameterError(message)
            yield name, data


# Rows of a table that are named one by one.
_NAMED = 5
# Plan, wording and accepted findings.
_BESIDE = (".toml", ".yml")


def edited() -> tuple[list[str], bytes]:
    """What is not as it was sealed, table by table; and the dictionary that seals it."""
    folder = files.raw_data()
    described = (folder / DESCRIPTOR).read_bytes()
    descriptor = json.loads(described)
    tables = {f"{one['name']}.csv": one for one in descriptor["resources"]}
    seals = {name: one.get("hash") for name, one in tables.items()} | descriptor.get(BESIDE, {})
    contents = {
        file.name: file.read_bytes()
        for name in (*tables, *sorted(f.name for f in folder.iterdir() if f.suffix in _BESIDE))
        for file in [folder / name]
    }
    told = []
    for name, data in contents.items():
        if not seals.get(name) or seals[name] == content_hash(data):
            continue
        kept = f"HEAD:./{(folder / name).relative_to(files.project_root()).as_posix()}"
        last = _git("show", kept) if shutil.which("git") else None
        key = tables[name]["schema"]["primaryKey"][0] if name in tables else None
        remedy = "when it is right: ldn-meta seal"
        told.append(f"{name} is not as it was sealed: {_edits(last, data, key)}; {remedy}")
    of_tables = {name.removesuffix(".csv"): contents.pop(name) for name in tables}
    return told, sealed(described, of_tables, contents)


def _edits(last: bytes | None, now: bytes, key: str | None) -> str:
    """Rows that the last commit has otherwise, or lines of what is no table."""
    if last is None:
        return "no commit to compare it with"
    if key is None:
        old, new = (data.decode(errors="replace").splitlines() for data in (last, now))
        found = difflib.unified_diff(old, new, n=0, lineterm="")
        return _some([line for line in found if not line.startswith(("---", "+++", "@@"))])
    before, after = (_by_key(data, key) for data in (last, now))
    named = [f"{one} is gone" for one in before if one not in after]
    named += [f"{one} is new" for one in after if one not in before]
    for one in before.keys() & after.keys():
        cells = before[one], after[one]
        columns = [
            name for name in {**cells[0], **cells[1]} if len({c.get(name) for c in cells}) > 1
        ]
        if columns:
            told = (f"{n} {cells[0].get(n)!r}, now {cells[1].get(n)!r}" for n in columns)
            named.append(f"{one}: {', '.join(told)}")
    return _some(sorted(named))


def _some(named: list[str]) -> str:
    more = [f"and {len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return "; ".join([*named[:_NAMED], *more]) or "nothing differs from the last commit"


def _by_key(data: bytes, key: str) -> dict[str, dict[str, str]]:
    header, *rows = [cells for _, cells in csv_rows(data.decode(errors="replace"))] or [[]]
    records = [dict(zip(header, row, strict=False)) for row in rows]
    return {row.get(key, ""): row for row in records}


def _git(*arguments: str) -> bytes | None:
    """What git answers; None if it refuses."""
    environment = {name: v for name, v in os.environ.items() if name not in _LEADING_AWAY}
    root = str(files.project_root())
    done = subprocess.run(
        # A container often has the checkout of another user; only reading is done here.
        ["git", "-c", "safe.directory=*", "-C", root, *arguments],
        capture_output=True,
        check=False,
        env={**environment, "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"},
    )
    return done.stdout if done.returncode == 0 else None


def _places() -> tuple[str, ...]:
    """Raw tables, derived tables, reports, parameters of notebooks, below the checkout."""
    root = files.project_root()
    settings = files.notebooks() / SETTINGS
    tops = (files.raw_data(), files.derived_data(), files.reports(), settings)
    return tuple(top.relative_to(root).as_posix() for top in tops)


def _sorted_out(label: str, found: Mapping[str, bytes]) -> Checkout:
    """File what is compared by what it is; hidden files and anything else are left out."""
    raw, derived, reports, settings = _places()
    files: dict[str, dict[str, bytes]] = {raw: {}, derived: {}}
    facts = {}
    for path, data in sorted(found.items()):
        folder, _, name = path.rpartition("/")
        if "/." in f"/{path}":
            continue
        if folder in files:
            files[folder][name] = data
        elif name == FACTS and folder.rpartition("/")[0] == reports:
            facts[folder.rpartition("/")[2]] = data
    # Without the dictionary it is some other folder, whatever else it holds.
    is_ours = DESCRIPTOR in files[raw]
    return Checkout(
        label, files[raw] if is_ours else {}, files[derived], facts, found.get(settings, b"")
    )


# Tables, row by row

# Saved numbers have six digits; what differs less is the same number.
TOLERANCE = 1e-9
# Not float(): that also takes "nan" and "1_000", which are words here.
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf)")

Cells: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class CellChange:
    """A cell that differs; ``is_number`` if both sides are numbers or missing."""

    column: str
    old: str
    new: str
    is_number: bool


@dataclass(frozen=True)
class RowChange:
    """A row that differs; ``old`` or ``new`` has no cell where the row came or went."""

    table: str
    key: tuple[tuple[str, str], ...]
    cells: tuple[CellChange, ...]
    old: Cells
    new: Cells
    verdict: str = ""
    turn: str = ""

    @property
    def kind(self) -> str:
        """Whether it changed, was added or was removed."""
        return "changed" if self.old and self.new else "added" if self.new else "removed"

    @property
    def cells_there(self) -> Cells:
        """The row as it is now, or was last."""
        return self.new or self.old

    @property
    def is_moved(self) -> bool:
        """Whether more than words differ."""
        return self.kind != "changed" or bool(self.verdict) or any(c.is_number for c in self.cells)


@dataclass(frozen=True)
class TableChange:
    """What happened to one table."""

    table: str
    kind: str
    total: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    rows: tuple[RowChange, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the table as a whole is new or gone."""
        return self.kind in ("added", "removed")

    @property
    def own_rows(self) -> tuple[RowChange, ...]:
        """What happened within the table; nothing where it is new or gone as a whole."""
        return () if self.is_whole else self.rows


@dataclass(frozen=True)
class Table:
    """A CSV file as text."""

    columns: tuple[str, ...]
    rows: tuple[Cells, ...]


def read_table(data: bytes) -> Table:
    """Read a CSV file as it stands; a short row is filled up, what is too much is left out.

    ``ldn-meta check`` is what refuses such rows; here they must not be in the way.
    """
    lines = [cells for _, cells in csv_rows(data.decode("utf-8-sig", errors="replace")) if cells]
    columns = tuple(lines[0]) if lines else ()
    rows = [dict(zip_longest(columns, line[: len(columns)], fillvalue="")) for line in lines[1:]]
    return Table(columns, tuple(rows))


def compare_tables(
    name: str,
    old: bytes | None,
    new: bytes | None,
    *,
    key: Sequence[str] = (),
    texts: Collection[str] = (),
) -> TableChange:
    """Compare two states of one table."""
    before, after = read_table(old or b""), read_table(new or b"")
    if old == new:
        return TableChange(name, "same", len(after.rows))
    if old is None:
        before = Table(after.columns, ())
    if new is None:
        after = Table(before.columns, ())
    shared = [column for column in after.columns if column in before.columns]
    numbers = {c for c in shared if c not in texts and _is_numeric((*before.rows, *after.rows), c)}
    is_known = bool(key) and set(key) <= set(shared)
    found_by = list(key) if is_known else _first_columns(before.rows, after.rows, shared)
    pairs = list(_paired(before.rows, after.rows, found_by, shared))
    changes = []
    for row, other in pairs:
        cells = _changed_cells(row, other, shared, numbers) if row and other else ()
        if cells or not (row and other):
            address = tuple((column, (other or row)[column]) for column in found_by)
            changes.append(RowChange(name, address, cells, row, other))
    return TableChange(
        name,
        "added" if old is None else "removed" if new is None else "changed",
        len(pairs),
        tuple(c for c in after.columns if c not in before.columns),
        tuple(c for c in before.columns if c not in after.columns),
        tuple(sorted(changes, key=lambda change: change.key)),
    )


def is_number(text: str) -> bool:
    """Whether a cell is a number as tables write it."""
    return _NUMBER.fullmatch(text) is not None


def same_number(old: float, new: float) -> bool:
    """Whether two numbers are the same to relative 1e-9."""
    return math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=0.0)


def _is_numeric(rows: Sequence[Cells], column: str) -> bool:
    present = [row[column] for row in rows if row[column] not in EMPTY]
    return bool(present) and all(map(is_number, present))


def _changed_cells(
    old: Cells, new: Cells, shared: Sequence[str], numbers: Collection[str]
) -> tuple[CellChange, ...]:
    found = []
    for column in shared:
        before, after = old[column], new[column]
        both = column in numbers and before not in EMPTY and after not in EMPTY
        if before != after and not (both and same_number(float(before), float(after))):
            found.append(CellChange(column, before, after, column in numbers))
    return tuple(found)


def _first_columns(
    before: Sequence[Cells], after: Sequence[Cells], shared: Sequence[str]
) -> list[str]:
    """The fewest leading columns that tell the rows of each state apart; measured numbers do not.

    Without such columns, those before the first measured number.
    """
    chosen: list[str] = []
    for column in shared:
        if any(is_number(r[column]) and not r[column].isdigit() for r in (*before, *after)):
            break
        chosen.append(column)
        sides = [[tuple(row[c] for c in chosen) for row in rows] for rows in (before, after)]
        if all(len(set(side)) == len(side) for side in sides):
            break
    return chosen or list(shared[:1])


def _paired(
    before: Sequence[Cells], after: Sequence[Cells], key: Sequence[str], shared: Sequence[str]
) -> Iterator[tuple[Cells, Cells]]:
    """Rows that belong together; an empty mapping stands for a row that is not there.

    Of rows with the same key those that are equal belong together, then the others in order.
    """
    groups: dict[tuple[str, ...], list[list[Cells]]] = defaultdict(lambda: [[], []])
    for place, rows in enumerate((before, after)):
        for row in rows:
            groups[tuple(row[column] for column in key)][place].append(row)
    for left, right in groups.values():
        for row in list(left):
            twin = next((r for r in right if all(r[c] == row[c] for c in shared)), None)
            if twin is not None:
                left.remove(row)
                right.remove(twin)
                yield row, twin
        yield from zip_longest(left, right, fillvalue={})


# Nested values, leaf by leaf

# What names an entry of a list, so that one more at the top does not move all the others.
IDENTITY = (
    *("name", "id", "effect_id", "indication_id", "construct", "comparator_class"),
    *("outcome_label", "study_id", "study_label", "claim_id", "table", "row", "row_id", "check"),
)
# Facts that say what can be concluded.
VERDICTS = ("direction", "synthesis", "certainty", "verdict")
SENTENCES = ("sentence", "headline", "what_would_change_it")
# Stands for a branch that one side does not have.
_GONE = object()


@dataclass(frozen=True)
class LeafChange:
    """One value that differs."""

    where: str
    path: tuple[str, ...]
    kind: str
    old: Any
    new: Any
    measure: str = ""

    @property
    def is_number(self) -> bool:
        """Whether a number moved, appeared or went."""
        return any(_is_number(value) for value in (self.old, self.new))

    @property
    def is_verdict(self) -> bool:
        """Whether it says what can be concluded, and said something else before."""
        is_named = bool(self.path) and self.path[-1] in VERDICTS
        return is_named and self.kind == "changed"

    @property
    def is_sentence(self) -> bool:
        """Whether it is a sentence that readers meet."""
        if not self.path or self.is_number:
            return False
        texts = [value for value in (self.old, self.new) if isinstance(value, str)]
        return self.path[-1] in SENTENCES or any(text.endswith(".") for text in texts)


def compare_leaves(where: str, old: Any, new: Any) -> tuple[LeafChange, ...]:
    """Compare two nested values."""
    return tuple(_walk(where, (), old, new, ""))


def _walk(
    where: str, path: tuple[str, ...], old: Any, new: Any, measure: str
) -> Iterator[LeafChange]:
    kind = "added" if old is _GONE else "removed" if new is _GONE else "changed"
    # A branch that only one side has is walked to its leaves as well.
    branches = _branches(*({"added": (new, new), "removed": (old, old)}.get(kind, (old, new))))
    if all(isinstance(side, Mapping) for side in branches) and any(branches):
        own = str(branches[1].get("measure", measure))
        before, after = (
            {} if v is _GONE else b for v, b in zip((old, new), branches, strict=True)
        )
        for name in sorted({**before, **after}, key=str):
            below = (*path, str(name))
            yield from _walk(where, below, before.get(name, _GONE), after.get(name, _GONE), own)
    elif kind != "changed" or _differ(old, new):
        old, new = (None if value is _GONE else value for value in (old, new))
        yield LeafChange(where, path, kind, old, new, measure)


def _branches(old: Any, new: Any) -> tuple[Any, Any]:
    """Two lists of entries as mappings from their names; anything else as it is.

    As many numbers on both sides are told apart by place; other lists of values stay whole.
    """
    if not isinstance(old, list) or not isinstance(new, list) or not (old or new):
        return old, new
    both = [*old, *new]
    names = [[str(place) for place in range(1, len(side) + 1)] for side in (old, new)]
    if all(isinstance(item, Mapping) for item in both):
        shared = [name for name in IDENTITY if all(name in item for item in both)]
        told = [
            [" ".join(str(item[name]) for name in shared) for item in side] for side in (old, new)
        ]
        if shared and all(len(set(side)) == len(side) for side in told):
            names = told
    elif len(old) != len(new) or not all(_is_number(item) for item in both):
        return old, new
    before, after = (dict(zip(*pair, strict=True)) for pair in zip(names, (old, new), strict=True))
    return before, after


def _differ(old: Any, new: Any) -> bool:
    if _is_number(old) and _is_number(new):
        return not same_number(float(old), float(new))
    # 1 == True, but yes is no number.
    return isinstance(old, bool) != isinstance(new, bool) or bool(old != new)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def leaf_text(value: Any) -> str:
    """Write a leaf for readers; nothing is ``NA``."""
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(leaf_text(item) for item in value) or "none"
    return str(value)


# Results and what they conclude

# What finds a row of each table; a table that is not named here is found by its first columns.
KEYS = {
    "effects": ("effect_id",),
    "responders": ("effect_id",),
    "harms": ("effect_id",),
    "left_out": ("table", "row_id"),
    "pooled": ("indication_id", "construct", "comparator_class", "measure", "unit", "analysis"),
    "conflicts": ("study_id", "table", "fact", "other_source"),
    "directions": ("indication_id", "study_id", "construct"),
    "consistency": ("table", "row_id", "check"),
    "multiverse": ("indication_id", "construct", "comparator_class"),
    "multiverse_nodes": ("indication_id", "construct", "comparator_class", "node"),
}
# Tables a reader looks at first; the others follow by name.
FIRST = ("pooled", "certainty", "claims", "multiverse", "directions", "effects")
# How a result can read otherwise, what weighs most first: its interval includes no difference or
# does so no more, a judgement is another, a result came or went, the estimate changed its side,
# a check or a computation finds otherwise.
TURNS = ("interval", "judgement", "result", "side", "finding")
INTERVAL, JUDGEMENT, RESULT, SIDE, FINDING = TURNS
# Columns whose words are a conclusion. left_out.csv repeats what studies say of themselves.
VERDICT_COLUMNS = {
    **dict.fromkeys(("certainty", "direction", "sign", "changes_verdict"), JUDGEMENT),
    "verdict": FINDING,
    "level": JUDGEMENT,
}
# Where the reason of a verdict stands.
REASONS = {"claims": ("sentence",), "certainty_domains": ("reason", "note", "value")}
WITHOUT_VERDICT = ("left_out",)
MAIN = ("analysis", "main")
# A share of one group, or a group without a comparison: nothing it could differ from.
NO_COMPARISON = {"measure": "PLO", "comparator_class": "none"}
_OUTCOME = ("indication_id", "construct", "comparator_class")


def measures_of_outcomes(derived: Mapping[str, bytes]) -> dict[tuple[str, ...], str]:
    """Measure of every outcome in the multiverse, for tables that do not repeat it."""
    rows = read_table(derived.get("multiverse.csv", b"")).rows
    return {tuple(row.get(c, "") for c in _OUTCOME): row.get("measure", "") for row in rows}


def measure_of(row: Cells, outcomes: Mapping[tuple[str, ...], str]) -> str:
    """Measure of a row: its own, else that of its outcome; empty if neither is known."""
    return row.get("measure") or outcomes.get(tuple(row.get(c, "") for c in _OUTCOME), "")


def numbers_of(row: Cells) -> dict[str, float]:
    """Numbers of a row by column; what is missing or text is absent."""
    return {name: float(text) for name, text in row.items() if is_number(text)}


def numbers_of_both(change: RowChange) -> tuple[dict[str, float], dict[str, float]]:
    """Numbers before and after.

    A table from before results said by which interval they are read was read by its own one.
    """
    sides = numbers_of(change.old), numbers_of(change.new)
    for one, other in (sides, sides[::-1]):
        for read, own in zip(*QUANTITIES[:2], strict=True):
            if read in other and read not in one and own in one:
                one[read] = one[own]
    return sides


def _judged(change: RowChange) -> RowChange:
    """The same with its verdict, if it has one."""
    if change.table in WITHOUT_VERDICT:
        return change
    if change.kind != "changed":
        if not _is_main(change):
            return change
        return replace(change, verdict=f"a main result was {change.kind}", turn=RESULT)
    said = [
        (VERDICT_COLUMNS[cell.column], f"{cell.column}: {cell.old} -> {cell.new}")
        for cell in change.cells
        if cell.column in VERDICT_COLUMNS
    ]
    reasons = [change.new.get(name, "") for name in REASONS.get(change.table, ()) if said]
    because = next((text for text in reasons if text not in (*EMPTY, "none")), "")
    if all(change.new.get(name) != value for name, value in NO_COMPARISON.items()):
        before, after = numbers_of_both(change)
        turns = [turned(reading(before, one), reading(after, one)) for one in QUANTITIES]
        said.extend(turn for turn in turns if turn[0])
    if not said:
        return change
    if because:
        said.append((said[0][0], f"because: {because}"))
    return replace(
        change,
        # rr, or and rd of one row say the same of the same people: told once.
        verdict="; ".join(dict.fromkeys(words for _, words in said)),
        turn=min((turn for turn, _ in said), key=TURNS.index),
    )


def _by_weight(change: RowChange) -> tuple[int, bool, bool, tuple[tuple[str, str], ...]]:
    """What reads otherwise first, main analyses before others, words last."""
    turn = TURNS.index(change.turn) if change.turn else len(TURNS)
    return turn, not change.is_moved, not _is_main(change), change.key


def _is_main(change: RowChange) -> bool:
    return change.cells_there.get(MAIN[0]) == MAIN[1]


# What the manifest of data/derived knows of the code, in words.
CODE = {"source": "the package source", "lock": "requirements.lock"}
# For --fail-on: each includes the ones before it.
GRADES = ("verdict", "result", "any")


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two checkouts."""

    old: str
    new: str
    notes: tuple[str, ...]
    inputs: tuple[TableChange, ...]
    settings: tuple[LeafChange, ...]
    code: tuple[str, ...]
    results: tuple[TableChange, ...]
    facts: tuple[LeafChange, ...]
    measures: Mapping[tuple[str, ...], str]
    is_stale: bool
    unread: tuple[str, ...]

    @property
    def verdicts(self) -> tuple[RowChange, ...]:
        """Results that read otherwise than before, what weighs most first."""
        rows = [row for table in self.results for row in table.rows if row.verdict]
        return tuple(sorted(rows, key=lambda row: TURNS.index(row.turn)))

    @property
    def told_verdicts(self) -> tuple[LeafChange, ...]:
        """Conclusions of the pages that are others than before."""
        return tuple(fact for fact in self.facts if fact.is_verdict)

    @property
    def sentences(self) -> tuple[LeafChange, ...]:
        """Sentences of the pages that are others than before."""
        return tuple(fact for fact in self.facts if fact.is_sentence)

    def reaches(self, grade: str) -> bool:
        """Whether something of this grade moved: a verdict, a result, anything."""
        if grade not in GRADES:
            message = f"grade is {grade!r}; allowed: {', '.join(GRADES)}"
            raise ArgumentError(message)
        if self.verdicts or self.told_verdicts:
            return True
        if grade == "verdict":
            return False
        moved = any(row.is_moved for table in self.results for row in table.rows)
        if moved or any(fact.is_number for fact in self.facts):
            return True
        return grade == "any" and self.has_any

    @property
    def has_any(self) -> bool:
        """Whether anything at all differs."""
        tables = any(table.kind != "same" for table in (*self.inputs, *self.results))
        return tables or bool(self.settings or self.code or self.facts or self.unread)


def compare(old: Checkout, new: Checkout) -> Comparison:
    """Compare two checkouts by value."""
    stale = [*_staleness(old), *_staleness(new)]
    unread: list[str] = []
    nested = {
        name: (old.raw.get(name), new.raw.get(name))
        for name in sorted({*old.raw, *new.raw})
        if not name.endswith(".csv")
    } | {SETTINGS: (old.settings, new.settings)}
    settings = [
        change for name, sides in nested.items() for change in _leaves(name, name, *sides, unread)
    ]
    facts = [
        change
        for report in sorted({*old.facts, *new.facts})
        for change in _leaves(
            report, f"facts.json of {report}", old.facts.get(report), new.facts.get(report), unread
        )
    ]
    place = {name: order for order, name in enumerate(FIRST)}
    results = [
        replace(table, rows=tuple(sorted(map(_judged, table.rows), key=_by_weight)))
        for table in sorted(
            _tables(old.derived, new.derived, {name: (key, ()) for name, key in KEYS.items()}),
            key=lambda table: (place.get(table.table, len(place)), table.table),
        )
    ]
    notes = [*stale, *(f"{name} cannot be read and was left out" for name in unread)]
    if not facts and any(row.is_moved for table in results for row in table.rows):
        notes.append(
            "results moved but no fact of a page did; run `make reports` unless that was done"
        )
    before, after = _manifest(old), _manifest(new)
    return Comparison(
        old=old.label,
        new=new.label,
        notes=tuple(notes),
        inputs=tuple(_tables(old.raw, new.raw, {**_dictionary(old.raw), **_dictionary(new.raw)})),
        settings=tuple(settings),
        code=tuple(
            said
            for name, said in CODE.items()
            if name in before and name in after and before[name] != after[name]
        ),
        results=tuple(results),
        facts=tuple(facts),
        is_stale=bool(stale),
        unread=tuple(unread),
        measures={**measures_of_outcomes(old.derived), **measures_of_outcomes(new.derived)},
    )


# Key columns of a table, and columns that are text whatever they hold.
Known: TypeAlias = tuple[Sequence[str], Collection[str]]


def _tables(
    old: Mapping[str, bytes], new: Mapping[str, bytes], known: Mapping[str, Known]
) -> Iterator[TableChange]:
    for file in sorted(name for name in {*old, *new} if name.endswith(".csv")):
        name = file.removesuffix(".csv")
        key, texts = known.get(name, ((), ()))
        yield compare_tables(name, old.get(file), new.get(file), key=key, texts=texts)


def _dictionary(raw: Mapping[str, bytes]) -> dict[str, Known]:
    """What is known of the tables of data/raw; nothing if the dictionary cannot be read."""
    try:
        schemas = {r["name"]: r["schema"] for r in json.loads(raw[DESCRIPTOR])["resources"]}
        return {
            name: (
                schema["primaryKey"],
                {f["name"] for f in schema["fields"] if f["type"] not in ("number", "integer")},
            )
            for name, schema in schemas.items()
        }
    except (ValueError, KeyError, TypeError):
        return {}


def _leaves(
    where: str, file: str, old: bytes | None, new: bytes | None, unread: list[str]
) -> tuple[LeafChange, ...]:
    """Changes of a nested file; what cannot be read goes to ``unread``."""
    if (old or b"") == (new or b""):
        return ()
    try:
        sides = [_parsed(file, data) if data else None for data in (old, new)]
    except ValueError:
        unread.append(file)
        return ()
    # A file that is not there has none of the entries of the other.
    before, after = (
        type(other)() if side is None else side
        for side, other in zip(sides, reversed(sides), strict=True)
    )
    return compare_leaves(where, before, after)


def _parsed(name: str, data: bytes) -> Any:
    """Read JSON, TOML or YAML, by the end of the name."""
    text = data.decode("utf-8", errors="replace")
    if name.endswith(".toml"):
        return tomllib.loads(text)
    if name.endswith((".yml", ".yaml")):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error
    return json.loads(text)


def _manifest(side: Checkout) -> dict[str, Any]:
    try:
        manifest = json.loads(side.derived[MANIFEST])
    except (ValueError, KeyError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _staleness(side: Checkout) -> list[str]:
    """Whether data/derived was made from data/raw and this code, as its manifest has it."""
    if not side.derived:
        return [f"{side.label}: no data/derived, so no result can have moved; run `make data`"]
    manifest = _manifest(side)
    made_from = manifest.get("raw", {})
    here = {name: sha256(data) for name, data in side.raw.items()}
    others = sorted(n for n in {*made_from, *here} if made_from.get(n) != here.get(n))
    others.extend(
        said
        for name, said in CODE.items()
        if side.code.get(name, manifest.get(name)) != manifest.get(name)
    )
    if not others:
        return []
    return [
        f"{side.label}: data/derived was not made from what is there now ({', '.join(others)}); "
        "run `make data`, or `make reports` for the sentences too"
    ]


# -- whether a result reads otherwise ----------------------------------------------------------

# Columns that hold a ratio as readers know it.
RATIO_COLUMNS = frozenset(("rr", "rr_low", "rr_high", "or", "or_low", "or_high"))
# Ends of an interval and estimates closer to no difference than this share of the interval are
# there but for the last bits of a processor.
NEGLIGIBLE = 1e-9
_SPANS = {
    "below": "lies below no difference",
    "above": "lies above no difference",
    "at": "includes no difference",
    "": "is not defined",
}
_POINTS = {"below": "below", "above": "above", "at": "exactly at"}


# Columns of an estimate and its interval.
Quantity: TypeAlias = tuple[str, str, str]
QUANTITIES = (
    ("read_estimate", "read_low", "read_high"),
    ("estimate", "ci_low", "ci_high"),
    ("yi", "ci_low", "ci_high"),
    ("default_estimate", "default_ci_low", "default_ci_high"),
    ("rr", "rr_low", "rr_high"),
    ("or", "or_low", "or_high"),
    ("rd", "rd_low", "rd_high"),
    ("estimate_used", "ci_low_used", "ci_high_used"),
    ("estimate_other", "ci_low_other", "ci_high_other"),
)


def reading(numbers: Mapping[str, float], quantity: Quantity) -> tuple[str, str] | None:
    """On which side of no difference an estimate and its interval are."""
    estimate, low, high = (numbers.get(name, math.nan) for name in quantity)
    if not math.isfinite(estimate):
        return None
    no_difference = 1.0 if quantity[0] in RATIO_COLUMNS else 0.0
    width = high - low if math.isfinite(high - low) else 0.0
    point = _side(estimate - no_difference, width)
    if math.isnan(low) or math.isnan(high):
        return point, ""
    ends = {_side(low - no_difference, width), _side(high - no_difference, width)}
    return point, ends.pop() if len(ends) == 1 else "at"


def turned(old: tuple[str, str] | None, new: tuple[str, str] | None) -> tuple[str, str]:
    """Say what reads otherwise than before."""
    if old == new:
        return "", ""
    if old is None or new is None:
        return RESULT, "no estimate any more" if old else "an estimate where there was none"
    said = []
    if old[1] != new[1]:
        said.append(f"the interval {_SPANS[new[1]]}; before, it {_past(_SPANS[old[1]])}")
    if old[0] != new[0]:
        said.append(f"the estimate is {_POINTS[new[0]]} no difference, was {_POINTS[old[0]]} it")
    return INTERVAL if old[1] != new[1] else SIDE, "; ".join(said)


def _past(span: str) -> str:
    verb, _, rest = span.partition(" ")
    return f"{ {'lies': 'lay', 'includes': 'included', 'is': 'was'}[verb] } {rest}".strip()


def _side(distance: float, width: float) -> str:
    if abs(distance) <= NEGLIGIBLE * width:
        return "at"
    return "below" if distance < 0 else "above"
