"""The tau2 at which Cochran's generalised Q takes a given value.

Paule-Mandel, empirical Bayes and both Q-profile limits are this one question.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ldn_meta.errors import ConvergenceError
from ldn_meta.stats.inputs import FloatArray, IntArray
from ldn_meta.stats.trials import total

# Newton on 1/Q needs 4 to 8 steps on ordinary data and about 40 when variances span 1e24.
MAX_ITERATIONS = 200
# Convergence is quadratic: a step this small, relative to tau2 plus the smallest variance, leaves
# an error of about its square.
STEP_TOLERANCE = 1e-7
# Far above the rounding of a sum, far below what one Newton step covers.
ROUNDING = 1e-12
# Stand-ins that keep 0 / 0 and infinity * 0 out of the arithmetic and change no other number.
SMALLEST = np.finfo(np.float64).tiny
LARGEST = np.finfo(np.float64).max


def generalised_q(y: FloatArray, v: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Q(t) = sum w (y - mu)^2 with w = 1 / (v + t), and minus its derivative.

    Parameters
    ----------
    y, v : ndarray (k, n)
        Trials as laid out by `ldn_meta.stats.trials.arrange`.
    t : ndarray (n,)
        Between-trial variances.
    """
    w = 1.0 / (v + t)
    r = y - total(w * y) / total(w)
    z = w * r
    return total(z * r), total(z * z)


def tau2_where_q_is(
    y: FloatArray, v: FloatArray, target: FloatArray, *, method: str
) -> FloatArray:
    """Solve Q(t) = `target` for t >= 0; 0 where Q(0) does not exceed the target.

    Parameters
    ----------
    y, v : ndarray (k, n)
        Trials as laid out by `ldn_meta.stats.trials.arrange`.
    target : ndarray (n,)
        Positive values of Q to be reached; NaN gives NaN.
    method : str
        Name for the error message.

    Raises
    ------
    ConvergenceError
        If the iteration limit is reached or a step is not a number.

    Notes
    -----
    Paule and Mandel 1982; Viechtbauer 2007, Statistics in Medicine 26:37-52, eq. 10-12.
    """

    def evaluate(rows: IntArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        return generalised_q(y.take(rows, axis=1), v.take(rows, axis=1), t)

    return climb(evaluate, _below_root(y, v, target), target, floor=v[0], method=method)


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
    t = start[rows]
    step = t
    for _ in range(MAX_ITERATIONS):
        if rows.size == 0:
            return answer
        goal = target[rows]
        q, slope = evaluate(rows, t)
        # Rounding can leave q a hair below its goal at the root, and q = slope = 0 for identical
        # effects: no step then.
        step = q / np.maximum(slope, SMALLEST) * (np.maximum(q - goal, 0.0) / goal)
        t = t + step
        moving = ~(step <= STEP_TOLERANCE * (t + floor[rows]))
        if np.count_nonzero(moving) < rows.size:
            answer[rows] = t
            rows, t, step = rows[moving], t[moving], step[moving]
    if rows.size == 0:
        return answer
    message = (
        f"{method}: tau2 did not converge in {MAX_ITERATIONS} iterations "
        f"(last step {np.max(np.abs(step)):.3g} in scaled units, {rows.size} of {target.size} "
        "sets); check the effects and variances for a wrong unit, or use tau2_method='dl'"
    )
    raise ConvergenceError(message)


def _below_root(y: FloatArray, v: FloatArray, goal: FloatArray) -> FloatArray:
    """Start close to the root and never beyond it.

    For large t, 1 / Q approaches the line (t + c) / S with S = sum (y - mean)^2 and
    c = sum v (y - mean)^2 / S. A concave function lies below its asymptote, so that line reaches
    1 / goal first; the margin for rounding keeps it so when the two terms nearly cancel.
    """
    present = v < np.inf
    count = total(present.astype(np.float64))
    r = (y - total(y) / count) * present
    s = np.maximum(total(r * r), SMALLEST)
    c = total(np.minimum(v, LARGEST) * (r * r / s))
    return np.maximum(s / goal * (1.0 - ROUNDING) - c * (1.0 + ROUNDING), 0.0)
