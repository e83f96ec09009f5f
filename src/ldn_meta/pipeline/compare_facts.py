"""Two states of nested values (facts of reports, settings), leaf by leaf."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ldn_meta.pipeline.compare_tables import same_number

# What names an entry of a list, so that one more at the top does not move all the others.
IDENTITY = (
    *(
        "name",
        "id",
        "effect_id",
        "indication_id",
        "construct",
        "comparator_class",
        "outcome_label",
    ),
    *("study_id", "study_label", "claim_id", "table", "row", "row_id", "check"),
)
# Facts that say what can be concluded.
VERDICTS = ("direction", "synthesis", "certainty", "verdict")
SENTENCES = ("sentence", "headline", "what_would_change_it")

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class LeafChange:
    """One value that differs.

    Attributes
    ----------
    where : str
        Report or file.
    path : tuple of str
        Names that lead to the value.
    kind : str
        "added", "removed" or "changed".
    old, new : object
        What JSON can hold; None on the side where it is not.
    measure : str
        Measure of the result it belongs to; empty if it is none's.
    """

    where: str
    path: Path
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


def parsed(name: str, data: bytes) -> Any:
    """Read JSON, TOML or YAML, by the end of the name.

    Raises
    ------
    ValueError
        If it is none; half-written settings are not this command's to judge.
    """
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


def compare_leaves(where: str, old: Any, new: Any) -> tuple[LeafChange, ...]:
    """Compare two nested values.

    Parameters
    ----------
    where : str
        Report or file they belong to.
    old, new : object
        What JSON can hold. Entries of a list that have names (a key of the data, ``name``) are
        found by them, others by place.

    Returns
    -------
    tuple of LeafChange
        Numbers compare by relative 1e-9, everything else exactly; in order of the paths.
    """
    return tuple(replace(change, where=where) for change in _walk((), old, new, ""))


def _walk(path: Path, old: Any, new: Any, measure: str) -> Iterator[LeafChange]:
    old, new = _branches(old, new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        own = str(new.get("measure", measure))
        for name in sorted({*old, *new}, key=str):
            below = (*path, str(name))
            if name not in old:
                yield from _whole(below, new[name], "added", own)
            elif name not in new:
                yield from _whole(below, old[name], "removed", own)
            else:
                yield from _walk(below, old[name], new[name], own)
    elif _differ(old, new):
        yield LeafChange("", path, "changed", old, new, measure)


def _whole(path: Path, value: Any, kind: str, measure: str) -> Iterator[LeafChange]:
    """Every leaf of a branch that only one side has."""
    branch, _ = _branches(value, value)
    if isinstance(branch, Mapping) and branch:
        own = str(branch.get("measure", measure))
        for name in sorted(branch, key=str):
            yield from _whole((*path, str(name)), branch[name], kind, own)
    elif kind == "added":
        yield LeafChange("", path, kind, None, value, measure)
    else:
        yield LeafChange("", path, kind, value, None, measure)


def _branches(old: Any, new: Any) -> tuple[Any, Any]:
    """Two lists of entries as mappings from their names; anything else as it is.

    As many numbers on both sides are told apart by place; other lists of values stay whole.
    """
    if not isinstance(old, list) or not isinstance(new, list):
        return old, new
    both = [*old, *new]
    if not both:
        return old, new
    if all(isinstance(item, Mapping) for item in both):
        shared = [name for name in IDENTITY if all(name in item for item in both)]

        def names(items: Sequence[Any]) -> list[str]:
            return [" ".join(str(item[name]) for name in shared) for item in items]

        if shared and all(len(set(names(side))) == len(side) for side in (old, new)):
            old_by_name, new_by_name = (
                dict(zip(names(side), side, strict=True)) for side in (old, new)
            )
            return old_by_name, new_by_name
    elif len(old) != len(new) or not all(_is_number(item) for item in both):
        return old, new
    old_by_place, new_by_place = (
        {str(place): item for place, item in enumerate(side, start=1)} for side in (old, new)
    )
    return old_by_place, new_by_place


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
