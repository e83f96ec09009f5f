"""What result records have in common: frozen to the last array, equal by value."""

from __future__ import annotations

from typing import Any

import numpy as np


class FrozenRecord:
    """Base of frozen dataclasses that hold arrays: read-only, comparable, safe to pickle.

    Subclasses are declared with ``@dataclass(frozen=True, eq=False)``.
    """

    __hash__ = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle with its arrays read-only again."""
        vars(self).update(state)
        self.__post_init__()

    def __eq__(self, other: object) -> bool:
        """Compare every field; arrays by value, NaN equal to NaN."""
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return all(_same(mine[name], theirs[name]) for name in mine)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str | tuple | None) or isinstance(other, str | tuple | None):
        return bool(one == other)
    return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))
