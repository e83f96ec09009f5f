"""What a dose table may hold; every refusal names argument, value and what is allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, real_array


def share_between(name: str, value: object) -> float:
    """Return a share strictly between 0 and 1.

    Raises
    ------
    ArgumentError
        If `value` is no number or outside (0, 1).
    """
    is_number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    if is_number and 0.0 < float(value) < 1.0:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    message = f"{name}={value!r} is not allowed; allowed: a share between 0 and 1, such as 0.5"
    raise ArgumentError(message)


def shrinkage_target(value: object) -> float | None:
    """Return the target to shrink to, or None for no shrinkage.

    Raises
    ------
    ArgumentError
        If `value` is neither None nor a share between 0 and 1.
    """
    return None if value is None else share_between("shrink_to", value)


def dose_table(
    dose: ArrayLike, responders: ArrayLike, n: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return doses, responders and people (k,), ascending, without doses nobody had.

    Raises
    ------
    ArgumentError
        If shapes differ, a dose repeats, a number is missing, counts are not whole or not from 0
        to n, or nobody was treated.
    """
    x, r, size = (
        real_array(name, values)
        for name, values in (("dose", dose), ("responders", responders), ("n", n))
    )
    if not (x.ndim == 1 and x.shape == r.shape == size.shape):
        message = (
            f"dose has shape {x.shape}, responders {r.shape}, n {size.shape}; "
            "allowed: one list of doses (k,) with as many counts"
        )
        raise ArgumentError(message)
    checked_counts(r, size)
    if np.isnan(x).any():
        message = "dose holds NaN; allowed: a number for every dose"
        raise ArgumentError(message)
    if np.unique(x).size != x.size:
        message = f"dose={x.tolist()} repeats a dose; allowed: each dose once, counts added up"
        raise ArgumentError(message)
    order = np.argsort(x)
    kept = order[size[order] > 0]
    if kept.size == 0:
        message = "n is 0 throughout; allowed: at least one person at one dose"
        raise ArgumentError(message)
    return x[kept], r[kept], size[kept]


def checked_counts(responders: FloatArray, n: FloatArray) -> None:
    """Refuse counts that are not whole, or not from 0 to n.

    Raises
    ------
    ArgumentError
        Names the first offending pair.
    """
    wrong = ~((responders >= 0) & (responders <= n))
    wrong |= (responders != np.floor(responders)) | (n != np.floor(n))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        index = ", ".join(map(str, place))
        message = (
            f"responders[{index}]={float(responders[place])!r} of n[{index}]={float(n[place])!r} "
            "is not a count; allowed: whole numbers, 0 <= responders <= n"
        )
        raise ArgumentError(message)
