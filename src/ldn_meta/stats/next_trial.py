"""What one more trial could do to a pooled interval, before anybody runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import FloatArray, FrozenRecord, effects_and_variances, numbers
from ldn_meta.stats.pool import pool_many, side

# Results of the new trial tried for each size and true effect: the middles of equally likely
# slices, so that a probability is known to within half of 1 / RESULTS, and is the same each time.
RESULTS = 1_000


@dataclass(frozen=True, eq=False)
class NextTrial(FrozenRecord):
    """Probabilities of what the pool says once one more trial is in it."""

    people: FloatArray
    true_effects: FloatArray
    below: FloatArray
    above: FloatArray
    inside: FloatArray
    half_width: FloatArray
    variance_per_person: float
    margin: float


def next_trial(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    people: ArrayLike,
    true_effects: ArrayLike,
    variance_per_person: float,
    margin: float = float("nan"),
    **options: Any,
) -> NextTrial:
    """Add one trial of every size and true effect to the pool, and see where the interval lies.

    The result of a trial of n people is N(true effect, variance_per_person / n). It is taken at
    the middles of 1,000 equally likely slices, each is pooled with the trials at hand, and the
    share of the slices is the probability: no random numbers. The true effect of the new trial is
    as supposed; the spread between trials is estimated again in every pool, as a reader would.

    Notes
    -----
    The power of an updated meta-analysis: Sutton and others 2007, Statistics in Medicine
    26:2479-2500, by quadrature instead of simulation.

    Examples
    --------
    >>> found = next_trial([0.1], [0.04], people=[100, 400], true_effects=[0.5],
    ...     variance_per_person=4.0, tau2_method="common", ci_method="wald")
    >>> found.above.round(3).tolist()
    [[0.59, 0.999]]
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    size = np.atleast_1d(numbers("people", people, above=0))
    effect = np.atleast_1d(numbers("true_effects", true_effects))
    unit = float(numbers("variance_per_person", variance_per_person, above=0))
    if not np.isnan(margin) and not margin > 0:
        raise ArgumentError(f"margin: {margin!r} is not allowed; allowed: above 0, or NaN")
    slices = ndtri((np.arange(RESULTS) + 0.5) / RESULTS)
    variance = unit / size
    new = effect[:, None, None] + np.sqrt(variance)[:, None] * slices
    shape = (*new.shape, y.size)
    all_yi = np.concatenate([np.broadcast_to(y, shape), new[..., None]], axis=-1)
    new_vi = np.broadcast_to(variance[:, None], new.shape)
    all_vi = np.concatenate([np.broadcast_to(v, shape), new_vi[..., None]], axis=-1)
    pooled = pool_many(all_yi, all_vi, **options)
    low, high = np.asarray(pooled.ci_low), np.asarray(pooled.ci_high)
    where = side(low, high)
    is_inside = (low > -margin) & (high < margin)
    return NextTrial(
        people=size,
        true_effects=effect,
        below=(where == -1.0).mean(axis=-1),
        above=(where == 1.0).mean(axis=-1),
        inside=np.where(np.isnan(margin), np.nan, is_inside.mean(axis=-1)),
        half_width=np.median((high - low) / 2, axis=-1),
        variance_per_person=unit,
        margin=float(margin),
    )
