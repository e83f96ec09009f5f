"""How the answer depends on single trials: leave one out, cumulative, influence diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    FloatArray,
    FrozenRecord,
    Labels,
    effects_and_variances,
    trial_labels,
)
from ldn_meta.stats.pool import PooledResult, pool_many


@dataclass(frozen=True, eq=False)
class Influence(FrozenRecord):
    """What each trial does to the pooled answer; arrays have the shape (..., k) of the effects.

    A missing trial has NaN throughout. Everything that compares with the fit without the trial
    is NaN when fewer than two other trials are left, because tau2 is undefined then.
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
    labels: tuple[str, ...]
    tau2_method: str
    ci_method: str


def leave_one_out(yi: ArrayLike, vi: ArrayLike, **options: Any) -> PooledResult:
    """Pool again without each trial in turn."""
    y, v = effects_and_variances(yi, vi)
    left_out = np.eye(y.shape[-1], dtype=np.bool_)
    return pool_many(
        np.where(left_out, np.nan, y[..., None, :]),
        np.where(left_out, np.nan, v[..., None, :]),
        **options,
    )


def cumulative(
    yi: ArrayLike, vi: ArrayLike, *, order: ArrayLike | None = None, **options: Any
) -> PooledResult:
    """Pool the first trial, the first two, and so on."""
    y, v = effects_and_variances(yi, vi)
    k = y.shape[-1]
    turn = np.arange(k)
    if order is not None:
        key = np.asarray(order)
        if key.shape != (k,) or key.dtype.kind not in "iuf" or np.isnan(key).any():
            message = f"order={order!r} is not usable; allowed: {k} numbers, one per trial"
            raise ArgumentError(message)
        turn = np.argsort(key, kind="stable")
    names = trial_labels(options.pop("labels", None), k)
    y, v = y[..., turn], v[..., turn]
    seen = np.tril(np.ones((k, k), dtype=np.bool_))
    return pool_many(
        np.where(seen, y[..., None, :], np.nan),
        np.where(seen, v[..., None, :], np.nan),
        labels=tuple(names[i] for i in turn),
        **options,
    )


def influence(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau2_method: str = "reml",
    ci_method: str = "knapp-hartung-floored",
    labels: Labels = None,
) -> Influence:
    """Measure what each trial does to the pooled answer.

    Notes
    -----
    Viechtbauer and Cheung 2010, Research Synthesis Methods 1:112-125, section 3.
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
        labels=full.labels,
        tau2_method=tau2_method,
        ci_method=ci_method,
    )
