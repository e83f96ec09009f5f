"""The pool after each trial: estimate, Z, spread and information as evidence grows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, IntArray, effects_and_variances
from ldn_meta.stats.pool import pool_many


class CumulativeZ(NamedTuple):
    """The pool after each trial; arrays (k,) in the order the trials were added."""

    estimate: FloatArray
    se: FloatArray
    z: FloatArray
    tau2: FloatArray
    diversity: FloatArray
    information: FloatArray


def cumulative_z(
    yi: ArrayLike, vi: ArrayLike, *, order: ArrayLike | None = None, tau2_method: str = "reml"
) -> CumulativeZ:
    """Pool the first trial, the first two, and so on.

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and their sampling variances.
    order : array_like of int (k,), optional
        Places of the trials in the order they were added; as given by default.
    tau2_method : str
        As in `ldn_meta.stats.pool.pool`.

    Returns
    -------
    CumulativeZ
        `z` is estimate / se with se^2 = 1 / sum w; `diversity` is D2 of the trials so far, 0 for
        one; `information` is sum 1 / vi, what the trials give if there is no spread.

    Raises
    ------
    ArgumentError
        If arrays are not usable, a trial is missing, or `order` does not hold every place once.
    ConvergenceError
        If an iteration does not converge.
    """
    y, v = complete_trials(yi, vi)
    place = places(order, y.size)
    rows = np.tril(np.ones((y.size, y.size), dtype=np.bool_))
    y_all, v_all = np.where(rows, y[place], np.nan), np.where(rows, v[place], np.nan)
    found = pool_many(y_all, v_all, tau2_method=tau2_method, ci_method="wald")
    information = np.cumsum(1.0 / v[place])
    se = np.asarray(found.se)
    return CumulativeZ(
        estimate=np.asarray(found.estimate),
        se=se,
        z=np.asarray(found.statistic),
        tau2=np.asarray(found.tau2),
        diversity=np.maximum(1.0 - 1.0 / (information * se**2), 0.0),
        information=information,
    )


def complete_trials(yi: ArrayLike, vi: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return effects and variances (k,) of at least one trial, none missing.

    Raises
    ------
    ArgumentError
        If the arrays are not usable, or a trial is missing.
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    if y.size == 0 or np.isnan(y).any():
        message = f"yi={y.tolist()!r:.80} lacks a trial; allowed: at least one, none missing"
        raise ArgumentError(message)
    return y, v


def places(order: ArrayLike | None, k: int) -> IntArray:
    """Return the places of k trials in the order they are added.

    Raises
    ------
    ArgumentError
        If `order` does not hold every place once.
    """
    if order is None:
        return np.arange(k)
    place = np.asarray(order)
    if place.shape != (k,) or sorted(place.tolist()) != list(range(k)):
        message = (
            f"order={place.tolist()!r:.80} is not allowed; allowed: each of 0 to {k - 1} once"
        )
        raise ArgumentError(message)
    return place.astype(np.int64)
