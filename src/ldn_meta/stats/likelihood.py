"""The global maximum of the (restricted) likelihood of tau2.

The likelihood of a few trials can have two maxima, and one of them can be the boundary 0: a score
that is negative at 0 proves nothing. The search below cannot miss one.

Write P for the matrix that removes the fixed effects, y'Py for the generalised Q. The score is
half of N(t) - D(t) with N = y'P^2 y and D = tr(P) for REML (sum of w for ML). P is a sum of
projections u u' / (t + d) with d > 0, so N, D and Q are completely monotone: positive,
decreasing, convex, with derivatives that are monotone too. On an interval [a, b] this bounds them
between tangents and chords, and their slopes between the slopes at the ends. Each interval of a
geometric grid is therefore proven to hold no maximum, proven to hold at most one, or halved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ldn_meta.stats.convergence import not_converged
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray

# Ratio of neighbouring grid points in x = tau2 + (smallest variance). N falls no faster than
# x^-2 and D no faster than x^-1, so below 2^(1/3) = 1.26 an interval around a lone maximum is
# proven to hold just one, without halving. Half of that leaves one Newton step to most of them.
GRID_RATIO = 1.16
GRID = GRID_RATIO ** np.arange(3000.0)  # exact table: the same points in every batch
# An interval this narrow, relative to x, that still proves nothing holds two roots that differ by
# less than any user of tau2 can see.
NARROWEST = 1e-7
MAX_ITERATIONS = 200
# Relative to x. Newton converges quadratically: the error after such a step is about its square.
STEP_TOLERANCE = 1e-6
# Beside a step like that, a bracket this much narrower can only be rounding.
CLOSED = 1e-9


class Score:
    """The two halves of twice the score, N - D, and their slopes, at tau2 = t.

    Attributes
    ----------
    table : ndarray (5, n)
        Rows t, N, D, N' and D', which are also attributes `t`, `n`, `d`, `n_slope`, `d_slope`.
    """

    __slots__ = ("d", "d_slope", "n", "n_slope", "t", "table")

    def __init__(self, table: FloatArray) -> None:
        self.table = table
        self.t, self.n, self.d, self.n_slope, self.d_slope = table

    def take(self, which: IntArray) -> Score:
        """Return the chosen points."""
        return Score(self.table.take(which, axis=1))

    def join(self, other: Score) -> Score:
        """Return these points followed by the others."""
        return Score(np.concatenate([self.table, other.table], axis=1))


@dataclass(frozen=True)
class Likelihood:
    """What the search needs to know about m likelihoods.

    Attributes
    ----------
    floor : ndarray (m,)
        A positive bound below every d; grid points are geometric in t + floor.
    ceiling : ndarray (m,)
        No stationary point has t + floor above this; at or below `floor` there is none.
    score : callable
        (rows, t) -> `Score` of likelihoods `rows` at `t`, both (n,).
    deviance : callable
        (rows, t) -> minus twice the log likelihood up to a constant per row, (n,).
    """

    floor: FloatArray
    ceiling: FloatArray
    score: Callable[[IntArray, FloatArray], Score]
    deviance: Callable[[IntArray, FloatArray], FloatArray]


def global_maximum(likelihood: Likelihood, *, method: str) -> tuple[FloatArray, BoolArray]:
    """Return tau2 >= 0 at the global maximum, and whether there was more than one maximum.

    Raises
    ------
    ConvergenceError
        If a maximum was bracketed but not reached.
    """
    tau2 = np.zeros(likelihood.floor.size)
    several = np.zeros(tau2.size, dtype=np.bool_)
    rows, node = _grid(likelihood)
    if rows.size == 0:
        return tau2, several
    falls_at_zero = np.ones(tau2.size, dtype=np.bool_)
    falls_at_zero[rows[(node.t == 0.0) & (node.n > node.d)]] = False
    rows, left, right = _brackets(likelihood, rows, node)
    root = _refine(likelihood, rows, left, right, method=method)
    maxima = np.bincount(rows, minlength=tau2.size) + falls_at_zero
    tau2[rows] = root
    several = maxima > 1
    if np.count_nonzero(several):
        chosen = several[rows]
        _choose(likelihood, tau2, falls_at_zero, several, rows[chosen], root[chosen])
    return tau2, several


def _choose(
    likelihood: Likelihood,
    tau2: FloatArray,
    falls_at_zero: BoolArray,
    several: BoolArray,
    rows: IntArray,
    root: FloatArray,
) -> None:
    """Write the maximum with the smallest deviance; the smaller tau2 wins an exact tie."""
    at_zero = (several & falls_at_zero).nonzero()[0]
    rows = np.concatenate([at_zero, rows])
    root = np.concatenate([np.zeros(at_zero.size), root])
    order = np.lexsort((root, likelihood.deviance(rows, root), rows))
    _, first = np.unique(rows[order], return_index=True)
    tau2[rows[order][first]] = root[order][first]


def _grid(likelihood: Likelihood) -> tuple[IntArray, Score]:
    """Return the points of each row's grid from 0 to beyond its ceiling, row after row."""
    ratio = likelihood.ceiling / likelihood.floor
    inside = (ratio > 1.0).nonzero()[0]
    points = GRID.searchsorted(ratio[inside]) + 1
    rows = inside.repeat(points)
    index = np.arange(rows.size) - (points.cumsum() - points).repeat(points)
    floor = likelihood.floor[rows]
    return rows, likelihood.score(rows, floor * GRID[index] - floor)


def _brackets(
    likelihood: Likelihood, rows: IntArray, node: Score
) -> tuple[IntArray, Score, Score]:
    """Return the intervals that hold exactly one maximum each."""
    one, unclear = _classify(Score(node.table[:, :-1]), Score(node.table[:, 1:]))
    # Where one row's grid ends and the next begins there is no interval.
    one, unclear = one[rows[one] == rows[one + 1]], unclear[rows[unclear] == rows[unclear + 1]]
    found = [(rows[one], node.take(one), node.take(one + 1))]
    rows = rows[unclear]
    if rows.size:
        left, right = node.take(unclear), node.take(unclear + 1)
    while rows.size:
        undecided = _undecided(left, right)
        if undecided.size == 0:
            break
        rows, left, right = rows[undecided], left.take(undecided), right.take(undecided)
        floor = likelihood.floor[rows]
        x_left, x_right = left.t + floor, right.t + floor
        narrow = x_right - x_left <= NARROWEST * x_left
        if np.count_nonzero(narrow):
            last = (narrow & (left.n > left.d) & (right.n <= right.d)).nonzero()[0]
            found.append((rows[last], left.take(last), right.take(last)))
            wide = (~narrow).nonzero()[0]
            rows, left, right = rows[wide], left.take(wide), right.take(wide)
            floor, x_left, x_right = floor[wide], x_left[wide], x_right[wide]
        middle = likelihood.score(rows, np.sqrt(x_left) * np.sqrt(x_right) - floor)
        rows = np.concatenate([rows, rows])
        left, right = left.join(middle), middle.join(right)
        one, unclear = _classify(left, right)
        found.append((rows[one], left.take(one), right.take(one)))
        rows, left, right = rows[unclear], left.take(unclear), right.take(unclear)
    rows, left, right = found[0]
    for more_rows, more_left, more_right in found[1:]:
        rows = np.concatenate([rows, more_rows])
        left, right = left.join(more_left), right.join(more_right)
    return rows, left, right


def _classify(left: Score, right: Score) -> tuple[IntArray, IntArray]:
    """Return intervals with exactly one maximum, and those about which nothing is proven yet."""
    # N and D fall, so N - D lies between these two on the interval; N' and D' rise.
    crossing = (right.n <= left.d) & (left.n >= right.d)
    falling = right.n_slope < left.d_slope
    rising = left.n_slope > right.d_slope
    one = crossing & falling & (left.n > left.d) & (right.n <= right.d)
    return one.nonzero()[0], (crossing & ~(falling | rising)).nonzero()[0]


def _undecided(left: Score, right: Score) -> IntArray:
    """Return intervals on which N - D may be 0: convex functions lie between chord and tangent."""
    width = right.t - left.t
    score_left, score_right = left.n - left.d, right.n - right.d
    highest = np.minimum(
        np.maximum(score_left, right.n - (left.d + left.d_slope * width)),
        np.maximum(left.n - (right.d - right.d_slope * width), score_right),
    )
    lowest = np.maximum(
        np.minimum(score_left, left.n + left.n_slope * width - right.d),
        np.minimum(right.n - right.n_slope * width - left.d, score_right),
    )
    undecided: IntArray = ((highest >= 0.0) & (lowest <= 0.0)).nonzero()[0]
    return undecided


def _excess(at: Score) -> tuple[FloatArray, FloatArray]:
    """D / N - 1, negative where the likelihood rises, nearly linear in t; and its slope."""
    return (at.d - at.n) / at.n, (at.d_slope - at.d * (at.n_slope / at.n)) / at.n


def _between(left: Score, right: Score) -> FloatArray:
    """Guess the root by a cubic that takes t for a function of D / N - 1 on the interval."""
    below, slope_left = _excess(left)
    above, slope_right = _excess(right)
    rise, width = above - below, right.t - left.t
    u = -below / rise
    one_minus = 1.0 - u
    guess: FloatArray = left.t + u * u * (3.0 - 2.0 * u) * width
    guess += u * one_minus * rise * (one_minus / slope_left - u / slope_right)
    unsure = ~((guess > left.t) & (guess < right.t))
    if np.count_nonzero(unsure):
        np.copyto(guess, left.t + u * width, where=unsure)
    return guess


def _refine(
    likelihood: Likelihood, rows: IntArray, left: Score, right: Score, *, method: str
) -> FloatArray:
    """Newton on D / N - 1 inside a shrinking bracket."""
    low, high = left.t.copy(), right.t.copy()
    answer = np.empty(rows.size)
    if rows.size == 0:
        return answer
    place = np.arange(rows.size)
    t = _between(left, right)
    step = high - low
    for _ in range(MAX_ITERATIONS):
        excess, slope = _excess(likelihood.score(rows, t))
        under = excess < 0.0
        np.copyto(low, t, where=under)
        np.copyto(high, t, where=~under)
        after = t - excess / slope
        inside = (after >= low) & (after <= high)
        if np.count_nonzero(inside) < inside.size:
            np.copyto(after, 0.5 * (low + high), where=~inside)
        step = np.abs(after - t)
        t = after
        settled = STEP_TOLERANCE * (t + likelihood.floor[rows])
        done = (inside & (step <= settled)) | (high - low <= CLOSED * settled)
        answer[place] = t
        moving = (~done).nonzero()[0]
        if moving.size == 0:
            return answer
        if moving.size < place.size:
            rows, place, t, step = rows[moving], place[moving], t[moving], step[moving]
            low, high = low[moving], high[moving]
    raise not_converged(method, MAX_ITERATIONS, step / (t + likelihood.floor[rows]), answer.size)
