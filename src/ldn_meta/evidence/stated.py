"""Choices stated in a TOML file: every one, none else, each of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ldn_meta.errors import ArgumentError

NUMBER = (int, float)


def check_names(
    where: str,
    stated: Mapping[str, Any],
    *,
    required: Mapping[str, Any],
    optional: tuple[str, ...],
) -> None:
    """Hold that every required name is stated, and no name that is not known.

    Raises
    ------
    ArgumentError
        Names what is missing or unknown, and what is allowed.
    """
    for name in required:
        if name not in stated:
            message = f"{where}: {name!r} is missing; restore it from git"
            raise ArgumentError(message)
    unknown = sorted(set(stated) - set(required) - set(optional))
    if unknown:
        allowed = ", ".join([*required, *optional])
        message = f"{where}: unknown choice {', '.join(unknown)}; allowed: {allowed}"
        raise ArgumentError(message)


def section(
    where: str, stated: Mapping[str, Any], choices: Mapping[str, type | tuple[type, ...]]
) -> dict[str, Any]:
    """The choices of one section, all of them and of the right type, without the reason."""
    check_names(where, stated, required=choices, optional=("reason", "mid_reason"))
    for name, kind in choices.items():
        check_type(f"{where}.{name}", stated[name], kind)
    return {name: stated[name] for name in choices}


def check_type(name: str, value: Any, kind: type | tuple[type, ...]) -> None:
    """Refuse a value of another type than the choice has; to us true is not the number 1."""
    is_wrong = not isinstance(value, kind)
    is_wrong |= isinstance(value, bool) and kind is not bool
    if is_wrong:
        words = {bool: "true or false", str: "text", list: "a list", dict: "a table"}
        allowed = words[kind] if isinstance(kind, type) else "a number"
        message = f"{name}: {value!r} is not allowed; allowed: {allowed}"
        raise ArgumentError(message)
