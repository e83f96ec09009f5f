"""How numbers are saved: six significant digits, the same on every processor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# The last bits of a sum or a matrix product differ between processors; six digits do not,
# and no reader of a trial report needs more.
SIGNIFICANT_DIGITS = 6
# Beyond this a float no longer holds every whole number.
_LARGEST_EXACT = 2.0**53


def number_text(value: float) -> str:
    """Write a number for a table.

    Parameters
    ----------
    value : float
        Finite or infinite, not NaN.

    Returns
    -------
    str
        Whole numbers in full (a registry number keeps all its digits), others with six
        significant digits.
    """
    if math.isfinite(value) and value == int(value) and abs(value) < _LARGEST_EXACT:
        return str(int(value))
    return f"{value:.{SIGNIFICANT_DIGITS}g}"


def rounded(value: Any) -> Any:
    """Round every number inside lists and dictionaries to six significant digits.

    Parameters
    ----------
    value : Any
        What JSON can hold.

    Returns
    -------
    Any
        The same shape; NaN and infinities, which JSON cannot hold, become None.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        # Adding zero turns -0.0 into 0.0: the sign of nothing depends on the processor too.
        return float(number_text(value)) + 0.0
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
