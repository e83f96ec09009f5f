"""The tau2 at which Cochran's generalised Q takes a given value.

Paule-Mandel, empirical Bayes and both Q-profile limits are this one question.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ldn_meta.stats.convergence import not_converged
from ldn_meta.stats.inputs import FloatArray, IntArray
from ldn_meta.stats.trials import Trials, generalised_q, total

# Newton on 1/Q needs 4 to 8 steps on ordinary data and about 40 when variances span 1e24.
MAX_ITERATIONS = 200
# Convergence is quadratic: a step this small, relative to tau2 plus the smallest variance, leaves
# an error of about its square.
STEP_TOLERANCE = 1e-6
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

    Parameters
    ----------
    trials : Trials
        m sets of trials.
    targets : ndarray (r, m)
        Positive values of Q to be reached; NaN gives NaN.
    method : str
        Name for the error message.

    Returns
    -------
    ndarray (r, m)
        In the units of `trials`.

    Raises
    ------
    ConvergenceError
        If the iteration limit is reached or a step is not a number.

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

    Parameters
    ----------
    evaluate : callable
        (rows, t) -> Q and minus its derivative, each (n,).
    start, target, floor : ndarray (m,)
        Where to begin; the value to reach; a positive bound below every d.
    method : str
        Name for the error message.

    Raises
    ------
    ConvergenceError
        If the iteration limit is reached or a step is not a number.
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
