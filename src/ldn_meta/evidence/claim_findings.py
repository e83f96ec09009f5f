"""What a computation answers about a claim: a verdict, the numbers, and one plain paragraph."""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ldn_meta.errors import LdnMetaError

T = TypeVar("T")
SUPPORTED = "supported"
WITH_CAVEATS = "supported with caveats"
NOT_SUPPORTED = "not supported"
CANNOT_BE_TESTED = "cannot be tested with published data"
# In the order in which pages count them.
VERDICTS = (SUPPORTED, WITH_CAVEATS, NOT_SUPPORTED, CANNOT_BE_TESTED)
SMALL_P = 0.001
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class NotOnFileError(LdnMetaError):
    """What a computation needs is in no table; the claim then cannot be tested."""


def first(rows: Iterable[T], what: str) -> T:
    """The first of some rows.

    Raises
    ------
    NotOnFileError
        If there is none; ``what`` was looked for.
    """
    for row in rows:
        return row
    raise NotOnFileError(what)


@dataclass(frozen=True)
class Finding:
    """The answer of one computation.

    Attributes
    ----------
    verdict : str
        One of VERDICTS.
    sentence : str
        In words; every number of it is among ``numbers``.
    numbers : mapping of str to float
        Everything that was computed, by name; NaN where undefined.
    """

    verdict: str
    sentence: str
    numbers: Mapping[str, float]


class _Words(string.Formatter):
    """str.format with the ways in which a reader meets numbers."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):
            return value
        number = float(value)
        if math.isnan(number):
            return "not known"
        if math.isinf(number):
            return "infinity" if number > 0 else "minus infinity"
        match format_spec:
            case "pct":
                # Half a per cent goes up, as readers round.
                return f"{math.floor(100 * number + 0.5)}%"
            case "p":
                return "P < 0.001" if number < SMALL_P else f"P = {number:.3f}"
            case "n":
                return f"{number:,.0f}"
            case "word":
                whole = int(number)
                return COUNTS[whole] if 0 <= whole < len(COUNTS) else f"{whole:,}"
            case "":
                return f"{number:g}"
            case _:
                # "z": what rounds to nought has no sign.
                return f"{number:z{format_spec}}"


def finding(verdict: str, template: str, **values: float | str) -> Finding:
    """Write the answer of a computation.

    Parameters
    ----------
    verdict : str
        One of VERDICTS.
    template : str
        The paragraph, with the names of values in braces. Behind a colon: ``.2f`` digits,
        ``pct`` a share as per cent, ``p`` a p-value, ``n`` a count, ``word`` a count in
        letters, nothing for as few digits as the number has.
    **values
        Numbers, all of which are filed, and texts, which are only written.

    Returns
    -------
    Finding
    """
    numbers = {name: float(v) for name, v in values.items() if not isinstance(v, str)}
    return Finding(verdict, _Words().format(template, **values), numbers)


def more_cautious(verdicts: Iterable[str]) -> str:
    """What several ways to compute the same thing come to.

    Their verdict if they agree. If they do not: "supported with caveats", for the claim then
    holds under some choices and not under others; ways that could not be computed do not count.

    Parameters
    ----------
    verdicts : iterable of str

    Returns
    -------
    str
    """
    found = set(verdicts) - {CANNOT_BE_TESTED}
    if not found:
        return CANNOT_BE_TESTED
    return found.pop() if len(found) == 1 else WITH_CAVEATS


def at_best_with_caveats(verdict: str) -> str:
    """Take "supported" back to "supported with caveats"; leave other verdicts alone."""
    return WITH_CAVEATS if verdict == SUPPORTED else verdict


def listed(words: Iterable[str], joint: str = "and") -> str:
    """Join words as a sentence does: ``a, b and c``; "none" for no word."""
    parts = list(words)
    if len(parts) < 2:
        return parts[0] if parts else "none"
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def numbers_text(numbers: Mapping[str, float]) -> str:
    """Write numbers for one cell: ``key=value; key=value``, six significant digits.

    Parameters
    ----------
    numbers : mapping of str to float

    Returns
    -------
    str
        ``not defined`` for NaN, so that the cell can be read back.
    """
    return "; ".join(
        f"{name}={'not defined' if math.isnan(value) else format(value, '.6g')}"
        for name, value in numbers.items()
    )


def numbers_of(text: str) -> dict[str, float]:
    """Read back what ``numbers_text`` wrote; a cell without any gives nothing.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to float
    """
    pairs = [part.partition("=") for part in text.split("; ") if "=" in part]
    return {name: math.nan if value == "not defined" else float(value) for name, _, value in pairs}
