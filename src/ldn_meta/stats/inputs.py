"""What a caller may pass; every refusal names argument, value and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldn_meta.errors import ArgumentError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Labels = Sequence[object] | None

# Beyond this in either direction squares of squares leave the range of doubles.
SMALLEST, LARGEST = 1e-30, 1e30


def one_of(name: str, value: object, allowed: Sequence[str]) -> str:
    """Return an option that must be one of a few words.

    Raises
    ------
    ArgumentError
        If `value` is not one of `allowed`.
    """
    if isinstance(value, str) and value in allowed:
        return value
    message = f"{name}={value!r} is not known; allowed: {', '.join(allowed)}"
    raise ArgumentError(message)


def text(name: str, value: object) -> str:
    """Return a text.

    Raises
    ------
    ArgumentError
        If `value` is no text.
    """
    if isinstance(value, str):
        return value
    message = f"{name}={value!r} is not text; allowed: a text, may be empty"
    raise ArgumentError(message)


def confidence_level(level: object) -> float:
    """Return a level strictly between 0 and 1 (0.95, not 95).

    Raises
    ------
    ArgumentError
        If `level` is no number or outside (0, 1).
    """
    is_number = isinstance(level, int | float | np.floating) and not isinstance(level, bool)
    if is_number and 0.0 < float(level) < 1.0:  # type: ignore[arg-type]
        return float(level)  # type: ignore[arg-type]
    message = f"level={level!r} is not allowed; allowed: a number between 0 and 1, such as 0.95"
    raise ArgumentError(message)


def real_array(name: str, values: ArrayLike) -> FloatArray:
    """Return finite numbers, or NaN, as a float array; text and objects are refused.

    Raises
    ------
    ArgumentError
        If `values` is ragged, holds anything but real numbers, or holds an infinity.
    """
    array = _real_array(name, values)
    _refuse_infinite(name, array)
    return array


def _real_array(name: str, values: ArrayLike) -> FloatArray:
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        raw: NDArray[Any] = np.asarray(values)
    except ValueError as error:
        message = f"{name}={values!r} is not rectangular; allowed: rows of equal length"
        raise ArgumentError(message) from error
    if raw.dtype.kind not in "iuf":
        shown = raw.ravel()[:3].tolist()
        message = (
            f"{name} holds {raw.dtype.name} values such as {shown!r}; "
            "allowed: real numbers, with NaN for a missing trial"
        )
        raise ArgumentError(message)
    return raw.astype(np.float64)


def _refuse_infinite(name: str, array: FloatArray) -> None:
    infinite = np.isinf(array)
    if np.count_nonzero(infinite):
        message = f"{_first(name, array, infinite)} is infinite; allowed: finite numbers or NaN"
        raise ArgumentError(message)


def effects_and_variances(
    yi: ArrayLike, vi: ArrayLike, *, dimensions: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances of one shape (..., k), NaN in both where missing.

    A trial with either number missing is missing: an effect without a variance has no weight.

    Raises
    ------
    ArgumentError
        If shapes differ, the number of axes is wrong, an entry is no finite real number, or a
        variance is not positive, or a number is beyond 1e30 in either direction.
    """
    y, v = _real_array("yi", yi), _real_array("vi", vi)
    if y.shape != v.shape:
        message = f"yi has shape {y.shape} and vi has shape {v.shape}; allowed: equal shapes"
        raise ArgumentError(message)
    if y.ndim == 0 or (dimensions is not None and y.ndim != dimensions):
        wanted = "(k,)" if dimensions == 1 else "(..., k)"
        message = f"yi has shape {y.shape}; allowed: {wanted}, trials along the last axis"
        raise ArgumentError(message)
    usable = (np.abs(y) <= LARGEST) & (v >= SMALLEST) & (v <= LARGEST)
    if np.count_nonzero(usable) == usable.size:
        return y, v
    _refuse_infinite("yi", y)
    _refuse_infinite("vi", v)
    wrong = (v < SMALLEST) | (v > LARGEST)
    if np.count_nonzero(wrong):
        message = (
            f"{_first('vi', v, wrong)} is not a usable variance; allowed: positive numbers from "
            f"{SMALLEST:g} to {LARGEST:g}, with NaN for a missing trial"
        )
        raise ArgumentError(message)
    wrong = np.abs(y) > LARGEST
    if np.count_nonzero(wrong):
        message = f"{_first('yi', y, wrong)} is out of range; allowed: at most {LARGEST:g} in size"
        raise ArgumentError(message)
    missing = np.isnan(y) | np.isnan(v)
    y[missing] = np.nan
    v[missing] = np.nan
    return y, v


def trial_labels(labels: Labels, k: int) -> tuple[str, ...]:
    """Return one label per trial; "trial 1", "trial 2", ... when none are given.

    Raises
    ------
    ArgumentError
        If there is not exactly one label per trial.
    """
    if labels is None:
        return tuple(f"trial {i + 1}" for i in range(k))
    if isinstance(labels, str):
        message = f"labels={labels!r} is one text; allowed: a sequence of {k} labels"
        raise ArgumentError(message)
    named = tuple(str(label) for label in labels)
    if len(named) != k:
        message = f"labels has {len(named)} entries; allowed: {k}, one per trial"
        raise ArgumentError(message)
    return named


def _first(name: str, array: FloatArray, wrong: BoolArray) -> str:
    position = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{name}[{', '.join(map(str, position))}]={float(array[position])!r}"
