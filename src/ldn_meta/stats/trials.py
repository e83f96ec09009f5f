"""How trials are laid out for arithmetic, the same for one fit and for a hundred thousand."""

from __future__ import annotations

from dataclasses import dataclass

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
    centre : ndarray (m,)
        Effect of the most precise trial, in the units of the effects.
    scale : ndarray (m,)
        A power of 4, so that scaling variances and effects loses nothing.
    """

    y: FloatArray
    v: FloatArray
    count: IntArray
    centre: FloatArray
    scale: FloatArray


def arrange(yi: FloatArray, vi: FloatArray) -> Trials:
    """Lay out checked effects and variances (m, k), NaN where missing, as `Trials`.

    A set with no trial gets a stand-in (effect 0, variance 1) and count 0, so that arithmetic
    stays finite; callers turn its answers into NaN.
    """
    sets, width = yi.shape
    if width == 0:
        nothing = np.zeros((1, sets))
        zeros = np.zeros(sets, dtype=np.int64)
        return Trials(nothing, nothing + 1.0, zeros, nothing[0] * np.nan, nothing[0] + 1.0)
    # lexsort puts NaN last; equal variances are ordered by effect, so the order of the input
    # cannot change a bit of the answer.
    order = np.lexsort((yi, vi), axis=-1)
    flat = (order + np.arange(0, sets * width, width)[:, None]).T
    y, v = yi.take(flat), vi.take(flat)
    missing = np.isnan(v)
    centre = y[0].copy()
    if np.count_nonzero(missing):
        count = width - np.count_nonzero(missing, axis=0)
        v[missing] = np.inf
        v[0, count == 0] = 1.0
    else:
        count = np.full(sets, width)
    root = np.ldexp(1.0, (np.frexp(v[0])[1] - 1) >> 1)
    scale = root * root
    y = (y - centre) / root
    y[missing] = 0.0
    return Trials(y=y, v=v / scale, count=count, centre=centre, scale=scale)


def total(array: FloatArray) -> FloatArray:
    """Sum over trials, in order, whatever the number of sets.

    numpy sums a lone column pairwise, several columns row after row; accumulating keeps a batch
    of one equal to any other batch in every bit.
    """
    if array.shape[1] == 1 and array.shape[0] > 0:
        last: FloatArray = np.add.accumulate(array, axis=0)[-1]
        return last
    summed: FloatArray = np.add.reduce(array, axis=0)
    return summed
