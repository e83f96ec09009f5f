"""What is true of one review alone: what its treatment is called, and words that follow from it.

Everything else in the package holds for any treatment; tables and code say "treatment", and a
reader's page says what ``review.toml`` calls it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ldn_meta.errors import ArgumentError

FILE = "review.toml"
TREATMENT: dict[str, type] = {"label": str, "name": str, "short_name": str}
DOMAINS = ("benefit", "responder", "harm")
# How tables name the treatment's side; see the column `direction` of contrasts.csv.
NEUTRAL = "treatment"


@dataclass(frozen=True)
class Review:
    """Names of the treatment: a label for tables and figures, a name for headings, a short one.

    The short name stands where the dose goes without saying. ``order`` is that in which a reader
    meets the outcomes of a domain; others follow by name.
    """

    label: str
    name: str
    short_name: str = NEUTRAL
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Title of the whole, for the pages and their start."""
        return f"{self.name[:1].upper()}{self.name[1:]}: the evidence"

    def direction(self, word: str) -> str:
        """Say a direction as readers see it: "favours treatment" with the treatment's label."""
        return word.replace(f"favours {NEUTRAL}", f"favours {self.label}")


# Of evidence that was put together by hand, without a folder.
UNNAMED = Review(NEUTRAL, "the treatment")


def load_review(folder: Path) -> Review:
    """Read ``review.toml`` of a raw folder; refuse what is missing, unknown or of another type."""
    try:
        stated = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{folder / FILE} is missing; it names the treatment that the review is about"
        raise ArgumentError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{FILE}: {error}; correct it"
        raise ArgumentError(message) from error
    check_names(FILE, stated, required={"treatment": dict}, optional=("order",))
    for name, part in stated.items():
        check_type(f"{FILE}: {name}", part, dict)
    names = section(f"{FILE}: treatment", stated["treatment"], TREATMENT)
    order = stated.get("order", {})
    check_names(f"{FILE}: order", order, required={}, optional=DOMAINS)
    for domain, constructs in order.items():
        check_type(f"{FILE}: order.{domain}", constructs, list)
    return Review(**names, order={domain: tuple(found) for domain, found in order.items()})


def check_names(
    where: str,
    stated: Mapping[str, Any],
    *,
    required: Mapping[str, Any],
    optional: tuple[str, ...],
) -> None:
    """Hold that every required name is stated, and no name that is not known."""
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
