"""Numbers in, numbers out: what the formulas accept and the shape of what they return.

Every public function of this layer takes scalars or arrays that broadcast together. Missing is
NaN and stays NaN; everything else that is not a usable number is refused by name.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtr, stdtrit

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import BoolArray, FloatArray

# A float where every input was a scalar, else an array. Any, because callers know which they
# passed and a union would make each of them prove it.
FloatOrArray: TypeAlias = Any


class EffectSize(NamedTuple):
    """An observed effect and its sampling variance; floats for scalars, else arrays (...,)."""

    yi: FloatOrArray
    vi: FloatOrArray


class Estimate(NamedTuple):
    """A value and its standard error, both in the units of the value."""

    estimate: FloatOrArray
    se: FloatOrArray


class Interval(NamedTuple):
    """A lower and an upper bound, both included unless the function says otherwise."""

    low: FloatOrArray
    high: FloatOrArray


def numbers(
    name: str,
    value: ArrayLike,
    *,
    above: float = -np.inf,
    at_least: float = -np.inf,
    at_most: float = np.inf,
    below: float = np.inf,
    finite: bool = True,
) -> FloatArray:
    """Return `value` as a float array or refuse it by name.

    NaN means missing and passes. Strings, booleans, complex numbers and objects are refused, and
    so are infinities unless `finite` is False.

    Raises
    ------
    ArgumentError
        Names the argument, the first offending value and what is allowed.
    """
    try:
        raw = np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{name}: ragged sequence; allowed: a number or an array") from error
    if raw.dtype.kind not in "iuf":
        raise ArgumentError(
            f"{name}: {value!r} has type {raw.dtype}; allowed: a number or an array of numbers "
            "(NaN for missing)"
        )
    array: FloatArray = raw.astype(np.float64)
    rules = (
        (np.isinf(array) & finite, "finite numbers"),
        (array <= above if above > -np.inf else None, f"numbers above {above:g}"),
        (array < at_least if at_least > -np.inf else None, f"numbers of at least {at_least:g}"),
        (array > at_most if at_most < np.inf else None, f"numbers of at most {at_most:g}"),
        (array >= below if below < np.inf else None, f"numbers below {below:g}"),
    )
    for broken, allowed in rules:
        if broken is not None and broken.any():
            raise ArgumentError(f"{name}: {array[broken].flat[0]:g} is not allowed; {allowed}")
    return array


def together(**arrays: FloatArray) -> tuple[FloatArray, ...]:
    """Broadcast named arrays against each other.

    Raises
    ------
    ArgumentError
        If the shapes do not fit together; all of them are named.
    """
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ArgumentError(f"shapes do not broadcast together: {shapes}") from error


def ordered(low_name: str, low: FloatArray, high_name: str, high: FloatArray) -> None:
    """Refuse any pair with `low` above `high`; pairs with NaN pass."""
    together(**{low_name: low, high_name: high})
    wrong = low > high
    if np.any(wrong):
        low_all, high_all = np.broadcast_arrays(low, high)
        raise ArgumentError(
            f"{low_name}: {low_all[wrong].flat[0]:g} is above {high_name} "
            f"{high_all[wrong].flat[0]:g}; allowed: {low_name} <= {high_name}"
        )


def plain(array: Any) -> FloatOrArray:
    """Return a zero-dimensional result as a Python float, anything else as an array."""
    result = np.asarray(array, dtype=np.float64)
    return float(result) if result.ndim == 0 else result


def truth(array: Any) -> bool | BoolArray:
    """Return a zero-dimensional answer as a Python bool, anything else as an array."""
    result: BoolArray = np.asarray(array, dtype=np.bool_)
    return bool(result) if result.ndim == 0 else result


def effect(yi: Any, vi: Any) -> EffectSize:
    """Return an EffectSize with both members in the shape they broadcast to."""
    yi_all, vi_all = np.broadcast_arrays(yi, vi)
    return EffectSize(plain(yi_all), plain(vi_all))


def two_sided_quantile(level: ArrayLike, df: ArrayLike = np.inf) -> FloatArray:
    """Return q with P(-q < T < q) = level, T Student on `df` (normal where df is infinite).

    Raises
    ------
    ArgumentError
        If a level is not strictly between 0 and 1, or a df is not above 0.
    """
    tail = (1 - numbers("level", level, above=0, below=1)) / 2
    freedom = numbers("df", df, above=0, finite=False)
    return -_student_quantile(tail, freedom)


def quantile_from_p(p: FloatArray, df: FloatArray, *, two_sided: bool) -> FloatArray:
    """Return the size of the statistic |t| that gives `p`, on `df` degrees of freedom."""
    return np.abs(_student_quantile(p / 2 if two_sided else p, df))


def p_from_statistic(statistic: FloatArray, df: FloatArray, *, two_sided: bool) -> FloatArray:
    """Return the p-value of |statistic|, Student on `df` (normal where df is infinite)."""
    tail = stdtr(df, -np.abs(statistic))
    return np.asarray(2 * tail if two_sided else tail)


def _student_quantile(tail: FloatArray, df: FloatArray) -> FloatArray:
    normal = np.isinf(df)
    return np.asarray(np.where(normal, ndtri(tail), stdtrit(np.where(normal, 1.0, df), tail)))
