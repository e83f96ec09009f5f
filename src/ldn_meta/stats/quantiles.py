"""The t and chi-squared quantiles that go with each number of trials."""

from __future__ import annotations

from functools import lru_cache
from math import nan
from typing import NamedTuple

import numpy as np
from scipy.special import chdtri, stdtrit

from ldn_meta.stats.inputs import FloatArray, IntArray


class Quantiles(NamedTuple):
    """Quantiles for each of m sets, all (m,); NaN where a set is too small to use them.

    Attributes
    ----------
    t : t on k - 1 df, for the mean; from two trials.
    t_new_k1, t_new_k2 : t on k - 1 and k - 2 df, for a new trial; from three trials.
    upper, lower : chi-squared on k - 1 df, exceeded with the small and with the large
        probability; from two trials.
    """

    t: FloatArray
    t_new_k1: FloatArray
    t_new_k2: FloatArray
    upper: FloatArray
    lower: FloatArray


def quantiles(count: IntArray, *, level: float) -> Quantiles:
    """Look up the two-sided quantiles at `level` for sets of `count` (m,) trials."""
    if count.size == 0:
        return Quantiles(*np.empty((5, 0)))
    lowest, highest = int(np.minimum.reduce(count)), int(np.maximum.reduce(count))
    table = np.array([_for_trials(k, level) for k in range(lowest, highest + 1)])
    return Quantiles(*table.T.take(count - lowest, axis=1))


@lru_cache(maxsize=4096)
def _for_trials(k: int, level: float) -> tuple[float, ...]:
    """One row of the table; remembered, because it costs as much as a closed-form fit."""
    if k < 2:
        return (nan, nan, nan, nan, nan)
    tail = 0.5 + 0.5 * level
    df = float(k - 1)
    t = float(stdtrit(df, tail))
    new = (t, float(stdtrit(df - 1.0, tail))) if k > 2 else (nan, nan)
    return t, *new, float(chdtri(df, 0.5 - 0.5 * level)), float(chdtri(df, tail))
