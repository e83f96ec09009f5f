"""The nodes of the multiverse: questions of analysis with more than one defensible answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ldn_meta.errors import ArgumentError

# Choices that change effects themselves, before any is selected.
DATA_CHOICES: dict[str, type | tuple[type, ...]] = {
    "within_person": (int, float),
    "largest_se_error": (int, float),
    "measure": str,
}
# Risk ratios can be told as odds ratios from the same counts.
MEASURES = ("RR", "OR")


@dataclass(frozen=True)
class Option:
    """One answer: the choices it changes; the first option of a node changes none."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def of_data(self) -> dict[str, Any]:
        """Changes of the effects themselves."""
        return {name: value for name, value in self.changes.items() if name in DATA_CHOICES}

    def of_protocol(self) -> dict[str, Any]:
        """Changes of what is selected and how it is pooled."""
        return {name: value for name, value in self.changes.items() if name not in DATA_CHOICES}


@dataclass(frozen=True)
class Node:
    """One question, why answers differ, and the answers; the protocol's own comes first."""

    name: str
    reason: str
    options: tuple[Option, ...]


def read_nodes(
    stated: Mapping[str, Any], check: Callable[[str, Mapping[str, Any]], object]
) -> tuple[Node, ...]:
    """Read the section ``multiverse`` of protocol.toml.

    Parameters
    ----------
    stated : mapping
        The section: ``reason`` and ``node``, a list of tables with ``name``, ``reason`` and
        ``options``, each with a ``name`` and the choices it changes.
    check : callable
        Called with the place and the changes of an option that concern selection and model;
        raises ArgumentError if it does not know one or its type is wrong.

    Returns
    -------
    tuple of Node

    Raises
    ------
    ArgumentError
        If a name or reason is missing or doubled, a node has fewer than two options, its first
        option changes anything, a later one nothing, or a choice is unknown.
    """
    _only("multiverse", stated, {"reason", "node"})
    nodes = tuple(_node(entry, check) for entry in stated.get("node", ()))
    _once("multiverse: node", [node.name for node in nodes])
    return nodes


def _node(entry: Mapping[str, Any], check: Callable[[str, Mapping[str, Any]], object]) -> Node:
    where = f"multiverse: node {entry.get('name', '?')!r}"
    _only(where, entry, {"name", "reason", "options"})
    for name in ("name", "reason", "options"):
        if not entry.get(name):
            message = f"{where}: {name!r} is missing; say it in a few words"
            raise ArgumentError(message)
    options = tuple(_option(where, option, check) for option in entry["options"])
    if len(options) < 2:
        message = f"{where}: one option is no choice; state at least two, the protocol's own first"
        raise ArgumentError(message)
    _once(f"{where}: option", [option.name for option in options])
    if options[0].changes:
        message = (
            f"{where}: the first option, {options[0].name!r}, changes "
            f"{', '.join(options[0].changes)}; it stands for the protocol and changes nothing"
        )
        raise ArgumentError(message)
    for option in options[1:]:
        if not option.changes:
            message = f"{where}: option {option.name!r} changes nothing; name a choice it changes"
            raise ArgumentError(message)
    return Node(str(entry["name"]), " ".join(str(entry["reason"]).split()), options)


def _option(
    where: str, entry: Mapping[str, Any], check: Callable[[str, Mapping[str, Any]], object]
) -> Option:
    if "name" not in entry:
        message = f"{where}: an option without a name: {dict(entry)!r}; name it"
        raise ArgumentError(message)
    changes = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in entry.items()
        if name != "name"
    }
    option = Option(str(entry["name"]), changes)
    place = f"{where}, option {option.name!r}"
    check(place, option.of_protocol())
    for name, value in option.of_data().items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if DATA_CHOICES[name] is str and value not in MEASURES:
            message = f"{place}: {name} {value!r} is not allowed; allowed: {', '.join(MEASURES)}"
            raise ArgumentError(message)
        if DATA_CHOICES[name] is not str and not (is_number and 0 <= value <= 1):
            message = f"{place}: {name} {value!r} is not allowed; allowed: a number, 0 to 1"
            raise ArgumentError(message)
    return option


def _only(where: str, entry: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(set(entry) - allowed)
    if unknown:
        message = f"{where}: unknown {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}"
        raise ArgumentError(message)


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{what} {', '.join(twice)} is there twice; give each a name of its own"
        raise ArgumentError(message)
