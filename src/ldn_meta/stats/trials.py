"""How trials are laid out for arithmetic, the same for one fit and for a hundred thousand."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from ldn_meta.stats.inputs import FloatArray, IntArray


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

    Attributes
    ----------
    y : ndarray (k, m)
        Effects minus `centre`, divided by sqrt(`scale`).
    v : ndarray (k, m)
        Variances divided by `scale`, ascending; the first lies in [1, 4).
    count : ndarray (m,)
        Trials present in each set.
    df : ndarray (m,)
        `count` - 1, but at least 1, as floats.
    centre : ndarray (m,)
        Effect of the most precise trial, in the units of the effects.
    scale : ndarray (m,)
        A power of 4, so that scaling variances and effects loses nothing.
    squares : ndarray (k, m)
        Squared deviations from the unweighted mean of the trials present; 0 where missing.
    spread : ndarray (m,)
        Their sum.
    q, q_slope : ndarray (m,)
        Cochran's Q, and minus the derivative of the generalised Q at tau2 = 0.
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
    # lexsort puts NaN last; equal variances are ordered by effect, so the order of the input
    # cannot change a bit of the answer.
    order = np.lexsort((yi, vi), axis=-1)
    flat = (order + np.arange(0, sets * width, width)[:, None]).T
    y, v = yi.take(flat), vi.take(flat)
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
    """Return Q(t) = sum w (y - mu)^2 with w = 1 / (v + t), and minus its derivative.

    Parameters
    ----------
    y, v : ndarray (k, n)
        Trials as laid out by `arrange`.
    t : ndarray (n,)
        Between-trial variances.
    """
    w = 1.0 / (v + t)
    r = y - total(w * y) / total(w)
    z = w * r
    return total(z * r), total(z * z)
