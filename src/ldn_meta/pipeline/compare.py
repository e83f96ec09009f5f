"""What moved between two states of the project: inputs, results, facts, sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldn_meta.display.movement import TURNS
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.schema import DESCRIPTOR
from ldn_meta.pipeline import hashes
from ldn_meta.pipeline.compare_facts import LeafChange, compare_leaves, parsed
from ldn_meta.pipeline.compare_results import compare_results, measures_of_outcomes
from ldn_meta.pipeline.compare_sources import Checkout
from ldn_meta.pipeline.compare_tables import RowChange, TableChange, compare_tables
from ldn_meta.pipeline.parameters import SETTINGS

# What the manifest of data/derived knows of the code, in words.
CODE = {"source": "the package source", "lock": "requirements.lock"}
# For --fail-on: each includes the ones before it.
GRADES = ("verdict", "result", "any")


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two checkouts.

    Attributes
    ----------
    old, new : str
        What was compared.
    notes : tuple of str
        What a reader should know before believing it: results that do not belong to their
        inputs, files that could not be read.
    inputs : tuple of TableChange
        Tables of data/raw.
    settings : tuple of LeafChange
        Protocol, corrections, dictionary, parameters of notebooks.
    code : tuple of str
        What of the code differs, as far as the manifests of data/derived tell.
    results : tuple of TableChange
        Tables of data/derived.
    facts : tuple of LeafChange
        Facts of the reports.
    measures : mapping of tuple of str to str
        Measure by indication, construct and comparator, for tables that do not repeat it.
    is_stale : bool
        Whether the results of a side do not belong to its inputs.
    unread : tuple of str
        Files that differ and could not be read, so that nobody knows what moved in them.
    """

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
        """Whether something of this grade moved: a verdict, a result, anything.

        Parameters
        ----------
        grade : str
            One of ``GRADES``.

        Returns
        -------
        bool

        Raises
        ------
        ldn_meta.errors.ArgumentError
            If there is no such grade.
        """
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
    """Compare two checkouts by value.

    Parameters
    ----------
    old, new : Checkout

    Returns
    -------
    Comparison
        The same for the same bytes, whatever the order of rows, columns or keys in the files.
    """
    notes = [*_staleness(old), *_staleness(new)]
    is_stale = bool(notes)
    unread: list[str] = []
    settings: list[LeafChange] = []
    for name in sorted({*old.raw, *new.raw}):
        if not name.endswith(".csv"):
            settings.extend(_leaves(name, old.raw.get(name), new.raw.get(name), unread))
    settings.extend(_leaves(SETTINGS, old.settings, new.settings, unread))
    facts: list[LeafChange] = []
    for report in sorted({*old.facts, *new.facts}):
        facts.extend(
            _leaves(report, old.facts.get(report), new.facts.get(report), unread, facts_of=report)
        )
    results = compare_results(old.derived, new.derived)
    notes.extend(f"{name} cannot be read and was left out" for name in unread)
    notes.extend(_unmade_pages(results, tuple(facts)))
    before, after = _manifest(old), _manifest(new)
    return Comparison(
        old=old.label,
        new=new.label,
        notes=tuple(notes),
        inputs=_compare_inputs(old.raw, new.raw),
        settings=tuple(settings),
        code=tuple(
            said
            for name, said in CODE.items()
            if name in before and name in after and before[name] != after[name]
        ),
        results=results,
        facts=tuple(facts),
        is_stale=is_stale,
        unread=tuple(unread),
        measures={**measures_of_outcomes(old.derived), **measures_of_outcomes(new.derived)},
    )


def _compare_inputs(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[TableChange, ...]:
    """Every table of data/raw, found by the keys of the dictionary."""
    tables = {**_dictionary(old), **_dictionary(new)}
    found = []
    for file in sorted(name for name in {*old, *new} if name.endswith(".csv")):
        name = file.removesuffix(".csv")
        key, texts = tables.get(name, ((), ()))
        found.append(compare_tables(name, old.get(file), new.get(file), key=key, texts=texts))
    return tuple(found)


def _dictionary(raw: Mapping[str, bytes]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Key columns and text columns by table; nothing if the dictionary cannot be read."""
    try:
        resources = json.loads(raw[DESCRIPTOR])["resources"]
        return {
            str(resource["name"]): (
                tuple(resource["schema"]["primaryKey"]),
                tuple(
                    str(field["name"])
                    for field in resource["schema"]["fields"]
                    if field["type"] not in ("number", "integer")
                ),
            )
            for resource in resources
        }
    except (ValueError, KeyError, TypeError):
        return {}


def _leaves(
    name: str,
    old: bytes | None,
    new: bytes | None,
    unread: list[str],
    *,
    facts_of: str = "",
) -> tuple[LeafChange, ...]:
    """Changes of a nested file; what cannot be read goes to ``unread``."""
    if (old or b"") == (new or b""):
        return ()
    sides: list[Any] = []
    for data in (old, new):
        try:
            sides.append(parsed("facts.json" if facts_of else name, data) if data else None)
        except ValueError:
            unread.append(f"facts.json of {facts_of}" if facts_of else name)
            return ()
    # A file that is not there has none of the entries of the other.
    before, after = (
        type(sides[1 - place])() if side is None else side for place, side in enumerate(sides)
    )
    return compare_leaves(name, before, after)


def _manifest(side: Checkout) -> dict[str, Any]:
    try:
        manifest = json.loads(side.derived[hashes.MANIFEST])
    except (ValueError, KeyError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _staleness(side: Checkout) -> list[str]:
    """Whether data/derived was made from data/raw and this code, as its manifest has it."""
    if not side.derived:
        return [f"{side.label}: no data/derived, so no result can have moved; run `make data`"]
    manifest = _manifest(side)
    made_from = manifest.get("raw", {})
    here = {name: hashes.sha256(data) for name, data in side.raw.items()}
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


def _unmade_pages(results: tuple[TableChange, ...], facts: tuple[LeafChange, ...]) -> list[str]:
    """Whether results moved that no page tells of."""
    moved = any(row.is_moved for table in results for row in table.rows)
    if facts or not moved:
        return []
    return ["results moved but no fact of a page did; run `make reports` unless that was done"]
