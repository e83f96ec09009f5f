"""Every combination of choices at once: which effects it uses, and what moves the answer.

Analyses are numbered. The number written in digits, one a node with as many values as the node
has options, names the options of an analysis; the last node counts fastest, and analysis 0 takes
the first option everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import BoolArray, FloatArray, IntArray

NOTHING = -1


def digits(index: ArrayLike, sizes: Sequence[int]) -> IntArray:
    """Options of numbered analyses.

    Examples
    --------
    >>> digits([0, 5], [2, 3]).tolist()
    [[0, 0], [1, 2]]
    """
    numbers = np.atleast_1d(np.asarray(index, dtype=np.int64))
    if any(size < 1 for size in sizes):
        raise ArgumentError(f"sizes: {list(sizes)} is not allowed; allowed: at least 1 each")
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < prod(sizes)):
        raise ArgumentError(
            f"index: {numbers.min()} to {numbers.max()} is not allowed; allowed: 0 to "
            f"{prod(sizes) - 1}"
        )
    found = np.empty((numbers.size, len(sizes)), dtype=np.int64)
    rest = numbers
    for node in range(len(sizes) - 1, -1, -1):
        rest, found[:, node] = np.divmod(rest, sizes[node])
    return found


def combined(options: IntArray, sizes: Sequence[int]) -> IntArray:
    """Number the combinations of some nodes; the inverse of `digits`."""
    number = np.zeros(options.shape[0], dtype=np.int64)
    for node, size in enumerate(sizes):
        number = number * size + options[:, node]
    return number


def first_choices(barred: ArrayLike, rank: ArrayLike, trial: ArrayLike, trials: int) -> IntArray:
    """Choose the effect that each trial brings to each combination of choices.

    Of the effects of a trial that are not barred, the one of lowest rank; of equals, the first.
    """
    closed: BoolArray = np.asarray(barred, dtype=np.bool_)
    order: FloatArray = np.where(closed, np.inf, np.asarray(rank, dtype=np.float64))
    owner = np.asarray(trial, dtype=np.int64)
    chosen = np.full((closed.shape[0], trials), NOTHING, dtype=np.int64)
    for number in range(trials):
        own = np.flatnonzero(owner == number)
        if own.size:
            best = order[:, own].argmin(axis=1)
            is_open = np.isfinite(order[np.arange(order.shape[0]), own[best]])
            chosen[:, number] = np.where(is_open, own[best], NOTHING)
    return chosen


def share_explained(total: ArrayLike, square: ArrayLike, count: ArrayLike) -> float:
    """Share of the variance of the estimates that the options of one node explain.

    The correlation ratio: the variance of the means of the options, weighted by the analyses
    behind them, over the variance of all estimates. 1 if the node decides everything; the shares
    of several nodes add up to less than 1 where choices act together.


    Source: the first-order index of a full design, Saltelli and others 2008, Global Sensitivity
    Analysis, eq. 1.25.
    """
    n = np.asarray(count, dtype=np.float64)
    sums, squares = np.asarray(total, dtype=np.float64), np.asarray(square, dtype=np.float64)
    if not n.sum() > 0:
        return float("nan")
    mean = sums.sum() / n.sum()
    spread = squares.sum() / n.sum() - mean**2
    # Twelve digits: what is left of equal numbers when their mean is taken off.
    if not spread > 1e-12 * squares.sum() / n.sum():
        return float("nan")
    means = np.divide(sums, n, out=np.full_like(sums, mean), where=n > 0)
    return float(np.clip(np.sum(n * (means - mean) ** 2) / n.sum() / spread, 0.0, 1.0))


def weighted_quantiles(values: ArrayLike, weights: ArrayLike, at: Sequence[float]) -> FloatArray:
    """Quantiles of values that stand for several analyses each.

    The smallest value that at least the share `at` of the analyses does not exceed.
    """
    v, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if not v.size:
        return np.full(len(at), np.nan)
    order = np.argsort(v, kind="stable")
    reached = np.cumsum(w[order]) / w.sum()
    # The sum of shares may fall a rounding error short of the share asked for.
    places = np.searchsorted(reached, np.asarray(at) - 1e-12)
    return np.asarray(v[order][np.minimum(places, v.size - 1)])
