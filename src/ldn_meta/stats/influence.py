"""How the answer depends on single trials: without each, up to each, with one more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    FloatArray,
    FrozenRecord,
    Labels,
    effects_and_variances,
    from_data,
    numbers,
    one_number,
    trial_labels,
)
from ldn_meta.stats.pool import SENTENCES, PooledResult, pool_many, side


@dataclass(frozen=True, eq=False)
class Influence(FrozenRecord):
    """What each trial does to the pooled answer; arrays have the shape (..., k) of the effects.

    A missing trial has NaN throughout. Everything that compares with the fit without the trial
    is NaN when fewer than two other trials are left, because tau2 is undefined then. The last two
    are the coordinates of a Baujat plot: (yi - mean)^2 / (vi + tau2), which under a common effect
    is the trial's part in Q, and (mean - mean without it)^2 / (its se)^2.
    """

    hat: FloatArray
    weight_pct: FloatArray
    rstudent: FloatArray
    dffits: FloatArray
    cooks_distance: FloatArray
    cov_ratio: FloatArray
    estimate_deleted: FloatArray
    tau2_deleted: FloatArray
    q_deleted: FloatArray
    squared_residual: FloatArray
    squared_shift: FloatArray
    labels: tuple[str, ...]
    tau2_method: str
    ci_method: str


@from_data("yi", "vi", "labels")
def leave_one_out(
    yi: ArrayLike = "yi", vi: ArrayLike = "vi", *, data: Any = None, **options: Any
) -> PooledResult:
    """Pool again without each trial in turn; `sets` and the frame say without which."""
    y, v = effects_and_variances(yi, vi)
    return _some_of(y, v, ~np.eye(y.shape[-1], dtype=np.bool_), "without {}", options)


def _some_of(
    y: FloatArray, v: FloatArray, chosen: BoolArray, words: str, options: dict[str, Any]
) -> PooledResult:
    """Pool the trials (k, k) chosen in turn; each set is named by a trial, in words."""
    found = pool_many(
        np.where(chosen, y[..., None, :], np.nan),
        np.where(chosen, v[..., None, :], np.nan),
        **options,
    )
    notes = found.notes
    if not np.isnan(y).any():
        # Nothing is missing but what was left out here.
        notes = tuple(note for note in notes if SENTENCES["missing"] not in note)
    return replace(found, notes=notes, sets=tuple(map(words.format, found.labels)))


@from_data("yi", "vi", "order", "labels")
def cumulative(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    order: ArrayLike | None = None,
    **options: Any,
) -> PooledResult:
    """Pool the first trial, the first two, and so on; `sets` and the frame say which is added."""
    y, v = effects_and_variances(yi, vi)
    k = y.shape[-1]
    turn = np.arange(k)
    if order is not None:
        key = numbers("order", order)
        if key.shape != (k,) or np.isnan(key).any():
            message = f"order={order!r} is not usable; allowed: {k} numbers, one per trial"
            raise ArgumentError(message)
        turn = np.argsort(key, kind="stable")
    names = trial_labels(options.pop("labels", None), k)
    options["labels"] = [names[i] for i in turn]
    seen = np.tril(np.ones((k, k), dtype=np.bool_))
    return _some_of(y[..., turn], v[..., turn], seen, "+ {}", options)


@from_data("yi", "vi", "labels")
def influence(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    labels: Labels = None,
) -> Influence:
    """Measure what each trial does to the pooled answer.

    Notes
    -----
    Viechtbauer and Cheung 2010, Research Synthesis Methods 1:112-125, section 3; Baujat and others
    2002, Statistics in Medicine 21:2641-2652, section 2.
    """
    full = pool_many(yi, vi, tau2_method=tau2_method, ci_method=ci_method, labels=labels)
    without = leave_one_out(yi, vi, tau2_method=tau2_method, ci_method=ci_method)
    present = ~np.isnan(full.vi)
    mean, se = np.asarray(full.estimate)[..., None], np.asarray(full.se)[..., None]
    comparable = present & (np.asarray(full.k) > 2)[..., None]
    mean_i = np.where(comparable, without.estimate, np.nan)
    se_i, tau2_i = np.asarray(without.se), np.asarray(without.tau2)
    hat = full.weight_pct / 100.0
    shift = mean - mean_i
    precision_i = np.nansum(1.0 / (without.vi + tau2_i[..., None]), axis=-1)
    spread_i = se_i**2 * precision_i * (full.vi + tau2_i)
    return Influence(
        hat=hat,
        weight_pct=full.weight_pct,
        rstudent=(full.yi - mean_i) / np.sqrt(spread_i + se_i**2),
        dffits=shift / np.sqrt(hat * spread_i),
        cooks_distance=shift**2 / se**2,
        cov_ratio=np.where(comparable, se_i**2 / se**2, np.nan),
        estimate_deleted=mean_i,
        tau2_deleted=np.where(comparable, tau2_i, np.nan),
        q_deleted=np.where(comparable, without.q, np.nan),
        squared_residual=(full.yi - mean) ** 2 / (full.vi + np.asarray(full.tau2)[..., None]),
        squared_shift=shift**2 / se_i**2,
        labels=full.labels,
        tau2_method=tau2_method,
        ci_method=ci_method,
    )


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
    notes: tuple[str, ...] = ()


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
    unit = one_number("variance_per_person", variance_per_person, above=0)
    margin = one_number("margin", margin, above=0)
    for name, values in (("people", size), ("true_effects", effect)):
        if values.ndim != 1 or values.size == 0:
            shape = np.shape(values)
            raise ArgumentError(f"{name}: shape {shape} is not allowed; allowed: (m,), m >= 1")
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
        margin=margin,
        notes=(SENTENCES["missing"],) if np.isnan(y).any() else (),
    )
