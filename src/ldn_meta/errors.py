"""Every failure this package raises on purpose, each with a remedy in its message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class LdnMetaError(Exception):
    """Base of all deliberate errors of this package."""


class ArgumentError(LdnMetaError, ValueError):
    """An argument that is not allowed: names it, shows the value and what is allowed."""


class ConvergenceError(LdnMetaError, ArithmeticError):
    """An iteration that did not converge: names method, iterations and last step."""


class ParameterError(LdnMetaError, ValueError):
    """A notebook parameter with an unknown name or a value that is not allowed."""


class NotebookError(LdnMetaError, RuntimeError):
    """A notebook that raised while it was executed."""


class StaleError(LdnMetaError, RuntimeError):
    """A derived file that does not belong to the inputs on disk."""


class CsvError(LdnMetaError, ValueError):
    """A text that is no CSV from some line on."""

    def __init__(self, line: int, reason: object) -> None:
        super().__init__(str(reason))
        self.line = line


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with the raw tables, with an address and a remedy."""

    table: str
    line: int
    column: str
    value: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        shown = f" value {self.value!r}" if self.value else ""
        return f"{self.table}:{self.line}:{self.column}:{shown} {self.rule}; {self.remedy}"


class DataError(LdnMetaError, ValueError):
    """Raw tables that were refused as a whole; ``faults`` lists everything found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        count = len(self.faults)
        noun = "fault" if count == 1 else "faults"
        super().__init__(f"data/raw was refused: {count} {noun}\n{lines}")


class NewRowsError(LdnMetaError, ValueError):
    """Rows that were to be added to the raw tables and were refused; nothing was written.

    ``faults`` lists everything found; the ``line`` of a fault is the place of the row among the
    new rows of its table, from 1. ``elsewhere`` are faults of rows that are on file.
    """

    def __init__(self, faults: Sequence[Fault], elsewhere: Sequence[Fault] = ()) -> None:
        self.faults = tuple(sorted(faults))
        self.elsewhere = tuple(sorted(elsewhere))
        count = len(self.faults) + len(self.elsewhere)
        noun = "fault" if count == 1 else "faults"
        lines = [f"new row {fault}" for fault in self.faults]
        lines += [f"on file {fault}" for fault in self.elsewhere]
        listed = "\n".join(f"  {line}" for line in lines)
        super().__init__(f"nothing was written, {count} {noun} in the new rows:\n{listed}")

    @property
    def unanswered(self) -> list[Fault]:
        """The first fault of each column that nobody has filled."""
        first: dict[str, Fault] = {}
        for fault in self.faults:
            if fault.value == "":
                first.setdefault(fault.column, fault)
        return list(first.values())


# Letters from which a part of a name says which are meant.
SHORTEST_PART, MOST_PARTS = 4, 3


def did_you_mean(value: object, known: Iterable[object], then: str = "", *, most: int = 1) -> str:
    """Ask for what was probably meant and go on; nothing where no known word is near."""
    given, words = str(value).casefold(), [str(word) for word in known]
    by_small = {word.casefold(): word for word in reversed(words)}
    near = [by_small[word] for word in difflib.get_close_matches(given, by_small, n=most)]
    if not near and len(given) >= SHORTEST_PART:
        # A part of longer names, as "pain" is; those that begin with it go first.
        holds = [word for word in words if given in word.casefold()]
        near = sorted(holds, key=lambda word: not word.casefold().startswith(given))[:MOST_PARTS]
    return f"did you mean {' or '.join(map(repr, near))}?{then}" if near else ""
