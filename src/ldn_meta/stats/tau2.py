"""Nine estimators of the variance of true effects between trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.arrays import (
    TAU2_METHODS,
    BoolArray,
    FloatArray,
    IntArray,
    Quantiles,
    effects_and_variances,
    from_data,
    not_converged,
    one_of,
)

# Ratio of neighbouring grid points in x = tau2 + (smallest variance). N falls no faster than
# x^-2 and D no faster than x^-1, so below 2^(1/3) = 1.26 an interval around a lone maximum is
# proven to hold just one, without halving.
GRID_RATIO = 1.25
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
    """The two halves of twice the score, N - D, and their slopes, at tau2 = t."""

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
    """What the search needs to know about m likelihoods."""

    floor: FloatArray
    ceiling: FloatArray
    score: Callable[[IntArray, FloatArray], Score]
    deviance: Callable[[IntArray, FloatArray], FloatArray]


def global_maximum(likelihood: Likelihood, *, method: str) -> tuple[FloatArray, BoolArray]:
    """Return tau2 >= 0 at the global maximum, and whether there was more than one maximum."""
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


@dataclass(frozen=True)
class Trials:
    """m independent sets of up to k trials, ordered, centred and scaled.

    Trials run along the first axis, most precise first, because

    * a sum over the first axis is sequential, so trailing missing trials and neighbouring sets
      cannot change a single bit of it: one fit is exactly the same row of a batch;
    * the most precise trial keeps the largest weight at every tau2. Effects are measured from
      it and sums keep it apart, so nothing cancels when one trial outweighs the rest by 1e24.

    A missing trial has effect 0 and variance infinity: its weight 1 / (v + tau2) is exactly 0,
    and the arithmetic needs no mask.
    """

    y: FloatArray
    v: FloatArray
    count: IntArray
    df: FloatArray
    centre: FloatArray
    scale: FloatArray
    squares: FloatArray
    spread: FloatArray
    q: FloatArray
    q_slope: FloatArray


def arrange(yi: FloatArray, vi: FloatArray) -> Trials:
    """Lay out checked effects and variances (m, k), NaN where missing, as `Trials`.

    A set with no trial gets a stand-in (effect 0, variance 1) and count 0, so that arithmetic
    stays finite; callers turn its answers into NaN.
    """
    sets, width = yi.shape
    if width == 0:
        yi = vi = np.full((sets, 1), np.nan)
        width = 1
    # Sorting puts NaN last; equal variances are ordered by effect, so the order of the input
    # cannot change a bit of the answer.
    start = np.arange(0, sets * width, width)[:, None]
    flat = (np.argsort(vi, axis=-1, kind="stable") + start).T
    v = vi.take(flat)
    if np.count_nonzero(v[1:] == v[:-1]):
        flat = (np.lexsort((yi, vi), axis=-1) + start).T
    y = yi.take(flat)
    missing = np.isnan(v)
    centre = y[0].copy()
    if np.count_nonzero(missing):
        count = width - np.count_nonzero(missing, axis=0)
        # What is missing in every set comes last, and has nothing to add.
        widest = max(int(count.max()), 1)
        y, v, missing = y[:widest], v[:widest], missing[:widest]
        v[missing] = np.inf
        v[0, count == 0] = 1.0
    else:
        count = np.full(sets, width)
    df = np.maximum(count - 1.0, 1.0)
    root = np.ldexp(1.0, (np.frexp(v[0])[1] - 1) >> 1)
    scale = root * root
    y = (y - centre) / root
    y[missing] = 0.0
    deviation = y - total(y) / np.maximum(count, 1)
    deviation[missing] = 0.0
    squares = deviation * deviation
    v /= scale
    q, q_slope = generalised_q(y, v, np.zeros(sets))
    return Trials(
        y=y,
        v=v,
        count=count,
        df=df,
        centre=centre,
        scale=scale,
        squares=squares,
        spread=total(squares),
        q=q,
        q_slope=q_slope,
    )


def chunks(count: IntArray, numbers_of: Callable[[int], int], most: int) -> Iterator[IntArray]:
    """Yield the places of sets of `count` (m,) trials, those of similar size together.

    The largest come first. A ragged batch then costs what its trials cost. `numbers_of` says how
    many numbers a set of so many trials takes; the first of a chunk bounds it, and a chunk has
    about `most` numbers.
    """
    # Short numbers are sorted by their digits, which is several times as fast.
    order = np.argsort(
        (-count).astype(np.min_scalar_type(-int(count.max(initial=0)))), kind="stable"
    )
    fewer = -count[order]
    start = 0
    while start < order.size:
        each = numbers_of(int(-fewer[start]))
        stop = start + max(1, most // each)
        # Sets of one size are quicker together, if they are worth a chunk.
        alike = int(fewer.searchsorted(fewer[start], side="right"))
        if 2 * (alike - start) * each > most:
            stop = min(stop, alike)
        yield order[start:stop]
        start = stop


def rows_of(array: FloatArray) -> FloatArray:
    """Return (..., k) as (m, k), also where k or m is 0."""
    return array.reshape(prod(array.shape[:-1]), array.shape[-1])


def total(array: FloatArray) -> FloatArray:
    """Sum over trials, the first axis, in order, whatever the number of sets.

    numpy sums a lone column pairwise, several columns row after row; accumulating keeps a batch
    of one equal to any other batch in every bit.
    """
    if array.shape[1] == 1 and array.shape[0] > 0:
        last: FloatArray = np.add.accumulate(array)[-1]
        return last
    summed: FloatArray = np.add.reduce(array)
    return summed


def generalised_q(y: FloatArray, v: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Q(t) = sum w (y - mu)^2 with w = 1 / (v + t), and minus its derivative."""
    w = v + t
    np.divide(1.0, w, out=w)
    product = w * y
    r = y - total(product) / total(w)
    w *= r
    return total(np.multiply(w, r, out=product)), total(np.multiply(w, w, out=product))


# Newton on 1/Q needs 4 to 8 steps on ordinary data and about 40 when variances span 1e24.
# Convergence is quadratic: a step this small, relative to tau2 plus the smallest variance, leaves
# an error of about its square.
# A margin far above the rounding of a sum, far below what one Newton step covers.
ROUNDING = 1e-12
# Stand-ins that keep 0 / 0 and infinity * 0 out of the arithmetic and change no other number.
SMALLEST = np.finfo(np.float64).tiny
LARGEST = np.finfo(np.float64).max


def tau2_where_q_is(trials: Trials, targets: FloatArray, *, method: str) -> FloatArray:
    """Solve Q(t) = target for t >= 0; 0 where Q(0) does not exceed the target.

    The climb starts close to the root and not beyond it. A concave function lies below its
    tangents and asymptotes, so 1 / target is reached first by the tangent of 1 / Q at 0 and by
    its asymptote (t + c) / S, with S = sum (y - mean)^2 and c = sum v (y - mean)^2 / S.

    Notes
    -----
    Paule and Mandel 1982; Viechtbauer 2007, Statistics in Medicine 26:37-52, eq. 10-12.
    """
    share = trials.squares / np.maximum(trials.spread, SMALLEST)
    c = total(np.minimum(trials.v, LARGEST) * share) * (1.0 + ROUNDING)
    asymptote = trials.spread * (1.0 - ROUNDING) / targets - c
    tangent = _newton_step(trials.q, trials.q_slope, targets)
    start = np.maximum(asymptote, tangent * (1.0 - ROUNDING))
    m = trials.count.size

    def evaluate(places: IntArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        rows = places % m
        return generalised_q(trials.y.take(rows, axis=1), trials.v.take(rows, axis=1), t)

    floor = np.concatenate([trials.v[0]] * targets.shape[0])
    found = climb(evaluate, start.ravel(), targets.ravel(), floor=floor, method=method)
    return found.reshape(targets.shape)


def climb(
    evaluate: Callable[[IntArray, FloatArray], tuple[FloatArray, FloatArray]],
    start: FloatArray,
    target: FloatArray,
    *,
    floor: FloatArray,
    method: str,
) -> FloatArray:
    """Solve Q(t) = `target` from a start that is not beyond the root.

    Q is a positive combination of 1 / (t + d), so by Cauchy-Schwarz 1 / Q is concave and
    increasing: Newton's method on it climbs from any point below the root without overshooting,
    and the left end of the bracket is always the current value. A single 1 / (t + d) takes one
    step.
    """
    answer = target * 0.0
    rows = (target > 0.0).nonzero()[0]
    t, goal, lowest = start[rows], target[rows], floor[rows]
    step = t
    if rows.size == 0:
        return answer
    for _ in range(MAX_ITERATIONS):
        q, slope = evaluate(rows, t)
        step = _newton_step(q, slope, goal)
        t = t + step
        answer[rows] = t
        moving = (~(step <= STEP_TOLERANCE * (t + lowest))).nonzero()[0]
        if moving.size == 0:
            return answer
        if moving.size < rows.size:
            rows, t, step = rows[moving], t[moving], step[moving]
            goal, lowest = goal[moving], lowest[moving]
    raise not_converged(method, MAX_ITERATIONS, step / (t + lowest), target.size)


def _newton_step(q: FloatArray, slope: FloatArray, target: FloatArray) -> FloatArray:
    """Newton's step on 1 / Q towards 1 / target.

    Rounding can leave q a hair below its target at the root, and q = slope = 0 for identical
    effects: no step then.
    """
    return q / np.maximum(slope, SMALLEST) * (np.maximum(q - target, 0.0) / target)


@from_data("yi", "vi")
def tau2_estimate(
    yi: ArrayLike = "yi", vi: ArrayLike = "vi", *, data: Any = None, method: str = "reml"
) -> FloatArray:
    """Estimate the between-trial variance of each set of trials.

    ========  =============================================================================
    common    0 by assumption: one true effect
    dl        (Q - (k - 1)) / (sum w - sum w^2 / sum w), w = 1 / v (DerSimonian, Laird 1986)
    he        sample variance of y minus mean of v (Hedges, Olkin 1985)
    hs        (Q - k) / sum w (Hunter, Schmidt 1990)
    sj        two-step estimator started at sum (y - mean)^2 / k (Sidik, Jonkman 2005)
    ml, reml  global maximum of the (restricted) likelihood
    pm, eb    generalised Q equals k - 1 (Paule, Mandel 1982; Morris 1983: same solution)
    ========  =============================================================================

    Negative roots are 0.

    Notes
    -----
    Formulas as collected by Veroniki and others 2016, Research Synthesis Methods 7:55-79.
    """
    one_of("method", method, TAU2_METHODS)
    y, v = effects_and_variances(yi, vi)
    trials = arrange(rows_of(y), rows_of(v))
    scaled, _ = scaled_tau2(trials, method)
    return np.where(trials.count > 1, scaled * trials.scale, np.nan).reshape(y.shape[:-1])


def scaled_tau2(trials: Trials, method: str) -> tuple[FloatArray, BoolArray]:
    """Estimate tau2 in the units of `trials`, and say where a likelihood had several maxima.

    Sets with fewer than two trials give 0; callers turn it into NaN.
    """
    v, count, df = trials.v, trials.count, trials.df
    one_maximum = np.zeros(count.size, dtype=np.bool_)
    if method == "common":
        return np.zeros(count.size), one_maximum
    if method in ("ml", "reml"):
        tau2, several = global_maximum(
            normal_likelihood(trials, restricted=method == "reml"), method=method
        )
        return tau2, several
    if method in ("pm", "eb"):
        raw = tau2_where_q_is(trials, df[None], method=method)[0]
    elif method in ("dl", "hs"):
        w = 1.0 / v
        if method == "dl":
            raw = (trials.q - df) / np.maximum(trace_of_p(w, total(w))[0], SMALLEST)
        else:
            raw = (trials.q - count) / total(w)
    else:
        spread = trials.spread
        if method == "he":
            present = np.where(np.isinf(v), 0.0, v)
            raw = spread / df - total(present) / np.maximum(count, 1)
        else:
            start = spread / np.maximum(count, 1)
            q, _ = generalised_q(trials.y, v, start)
            raw = start * q / df
    return np.maximum(raw, 0.0) * (count > 1), one_maximum


def highest_root(mean_square: FloatArray, span: FloatArray) -> FloatArray:
    """Return the positive root of x^2 = A (x + s), A the mean square and s the span."""
    root = np.sqrt(mean_square) * np.sqrt(mean_square + 4.0 * span)
    return np.asarray(0.5 * (mean_square + root))


def normal_likelihood(trials: Trials, *, restricted: bool) -> Likelihood:
    """Describe the (restricted) normal likelihood of each set for the global search.

    A stationary point has y'P^2 y = tr(P). The left side is at most S / (t + v_min)^2 with
    S = sum (y - mean)^2, the right side at least (k - 1) / (t + v_max) (for ML: k), which
    bounds x = t + v_min by the positive root of x^2 = A (x + v_max - v_min).
    """
    y, v, count = trials.y, trials.v, trials.count
    degrees = trials.df if restricted else np.maximum(count, 1)
    mean_square = trials.spread / degrees
    floor = v[0]
    span = v[np.maximum(count - 1, 0), np.arange(count.size)] - floor
    ceiling = highest_root(mean_square, span)

    def score(rows: IntArray, t: FloatArray) -> Score:
        return Score(in_blocks(score_table, rows, t, numbers=v.shape[0]))

    def score_table(rows: IntArray, t: FloatArray) -> FloatArray:
        # In place: most of the time of a batch is spent here, and most of that on memory.
        z, w = y.take(rows, axis=1), v.take(rows, axis=1)
        w += t
        np.divide(1.0, w, out=w)
        s1 = total(w)
        product = w * z
        z -= total(product) / s1
        z *= w
        n = total(np.multiply(z, z, out=product))
        z -= total(np.multiply(w, z, out=product)) / s1
        z *= z
        n_slope = -2.0 * total(np.multiply(w, z, out=product))
        d, d_slope = trace_of_p(w, s1) if restricted else (s1, -total(w * w))
        return np.array([t, n, d, n_slope, d_slope])

    def deviance(rows: IntArray, t: FloatArray) -> FloatArray:
        return np.asarray(in_blocks(deviance_row, rows, t, numbers=v.shape[0])[0])

    def deviance_row(rows: IntArray, t: FloatArray) -> FloatArray:
        ys, vs = y.take(rows, axis=1), v.take(rows, axis=1)
        q, _ = generalised_q(ys, vs, t)
        logs = total(np.log(np.where(np.isinf(vs), 1.0, vs + t)))
        found = logs + q + np.log(total(1.0 / (vs + t))) if restricted else logs + q
        return np.array([found])

    return Likelihood(floor=floor, ceiling=ceiling, score=score, deviance=deviance)


# Numbers of one array of a block: 8 MB, far above what a batch of usual sets has, so that only
# sets of very many trials are cut.
BLOCK_NUMBERS = 1_000_000


def in_blocks(
    table: Callable[[IntArray, FloatArray], FloatArray],
    rows: IntArray,
    t: FloatArray,
    *,
    numbers: int,
) -> FloatArray:
    """Return `table` (..., n) of n points a few at a time, if each takes very many numbers.

    Sums run over trials, so points do not know of each other: not a bit is another.
    """
    step = max(1, BLOCK_NUMBERS // max(numbers, 1))
    if rows.size <= step:
        return table(rows, t)
    cuts = range(0, rows.size, step)
    parts = [table(rows[i : i + step], t[i : i + step]) for i in cuts]
    return np.asarray(np.concatenate(parts, axis=-1))


def trace_of_p(w: FloatArray, sum_w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return tr(P) = sum w - sum w^2 / sum w, and minus tr(P^2), with nothing that cancels.

    With p the shares of the weights, tr(P) is sum w times sum p (1 - p), and tr(P^2) the square
    of sum w times sum p^2 (1 - 2 p + sum p^2). The heaviest trial is kept apart: its 1 - p is the
    sum of the other shares, and those are at most a half.
    """
    others = w[1:] / sum_w
    squares = others * others
    p, rest, rest_squares = w[0] / sum_w, total(others), total(squares)
    p_squared = p * p
    trace = sum_w * (rest * (1.0 + p) - rest_squares)
    squares *= others
    # A share of the rest is at most a half, where all squares sum to a half at least.
    light = (1.0 + p_squared + rest_squares) * rest_squares - 2.0 * total(squares)
    heavy = p_squared * (rest * rest + rest_squares)
    return trace, -(light + heavy) * (sum_w * sum_w)


def cochran(trials: Trials) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Q, Q / df and I2 in percent, each (m,); NaN with fewer than two trials."""
    q = trials.q.copy()
    q[trials.count < 2] = np.nan
    h2 = q / trials.df
    return q, h2, 100.0 * np.maximum(1.0 - 1.0 / np.maximum(h2, SMALLEST), 0.0)


def q_profile(trials: Trials, found: Quantiles) -> tuple[FloatArray, FloatArray]:
    """Return the Q-profile limits of tau2, (m,), in the units of `trials`.

    A limit is 0 where Q(0) does not exceed its quantile. Where that holds for the upper limit,
    no tau2 >= 0 is compatible with effects that agree so well: the set is empty, printed as
    0 to 0. NaN with fewer than two trials.
    """
    targets = np.array([found.upper, found.lower])
    low, high = tau2_where_q_is(trials, targets, method="Q-profile interval")
    return low, high
