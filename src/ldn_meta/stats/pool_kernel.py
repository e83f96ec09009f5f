"""The arithmetic of pooling, over m sets of trials at once."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri, stdtr

from ldn_meta.stats.heterogeneity import cochran, q_profile
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray
from ldn_meta.stats.options import Settings
from ldn_meta.stats.pool_notes import FLAGS
from ldn_meta.stats.quantiles import quantiles
from ldn_meta.stats.result import NUMBERS
from ldn_meta.stats.tau2 import scaled_tau2
from ldn_meta.stats.trials import arrange, total

# Trials per chunk of a batch. The grid of the likelihood search is about 20 points for each, so
# its arrays of 1 MB stay in the cache, and memory beyond the answer stays at some 30 MB however
# many sets there are (measured: 6,000 to 10,000 is fastest, 40,000 half as fast).
CHUNK_TRIALS = 8_000
# By default glibc hands freed arrays of 128 kB and more back to the system; getting their pages
# back one by one took more than half of the time of a batch. One untouched block of this many
# numbers (16 MB), released, makes it keep what is smaller. Other C libraries do not mind.
KEPT_NUMBERS = 2_000_000
# Trials from which the grid of the likelihood search is that large.
KEEP_FROM_TRIALS = 600
# Two trials with tau2 > 0 scatter by exactly 1; rounding is not to decide what is said of them.
ROUNDING = 1e-9


def pooled_numbers(
    yi: FloatArray, vi: FloatArray, settings: Settings
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Pool each row, in chunks of sets of similar size.

    Parameters
    ----------
    yi, vi : ndarray (m, k)
        Checked effects and variances; NaN marks a missing trial.
    settings : Settings
        How to pool.

    Returns
    -------
    numbers : ndarray (len(NUMBERS), m)
        In the order of `ldn_meta.stats.result.NUMBERS`.
    weight_pct : ndarray (m, k)
        NaN where missing.
    flags : ndarray (len(FLAGS), m)
        Where each of `ldn_meta.stats.pool_notes.FLAGS` applies.
    """
    sets, width = yi.shape
    if sets * width >= KEEP_FROM_TRIALS:
        np.empty(KEPT_NUMBERS)
    if sets * width <= CHUNK_TRIALS:
        return _pool_chunk(yi, vi, settings)
    # Sets of similar size go together, so a ragged batch costs what its trials cost; the largest
    # first, so that the first of a chunk bounds it.
    count = np.count_nonzero(~np.isnan(vi), axis=1)
    order = np.argsort(-count, kind="stable")
    numbers = np.empty((len(NUMBERS), sets))
    weight = np.empty((sets, width))
    flags = np.empty((len(FLAGS), sets), dtype=np.bool_)
    start = 0
    while start < sets:
        stop = start + max(1, CHUNK_TRIALS // max(int(count[order[start]]), 1))
        rows = order[start:stop]
        numbers[:, rows], weight[rows], flags[:, rows] = _pool_chunk(
            yi.take(rows, axis=0), vi.take(rows, axis=0), settings
        )
        start = stop
    return numbers, weight, flags


def _pool_chunk(
    yi: FloatArray, vi: FloatArray, settings: Settings
) -> tuple[FloatArray, FloatArray, BoolArray]:
    trials = arrange(yi, vi)
    y, v, count, df = trials.y, trials.v, trials.count, trials.df
    few = (count < 2).nonzero()[0]
    z_quantile = float(ndtri(0.5 + 0.5 * settings.level))
    found = quantiles(count, level=settings.level)

    tau2, several = scaled_tau2(trials, settings.tau2_method)
    w = 1.0 / (v + tau2)
    precision = total(w)
    if few.size:
        precision[count == 0] = np.nan
    mean = total(w * y) / precision
    r = y - mean
    scatter = total(w * (r * r)) / df
    if settings.ci_method == "knapp-hartung-floored":
        factor = np.maximum(scatter, 1.0)
    elif settings.ci_method == "knapp-hartung":
        factor = np.where(scatter > 0.0, scatter, np.nan)
    else:
        factor = np.ones(count.size)
    factor[few] = 1.0
    variance = factor / precision
    root = np.sqrt(trials.scale)
    estimate, se = trials.centre + mean * root, np.sqrt(variance) * root
    statistic = estimate / se
    p_value, half = _test_and_half_width(statistic, se, settings, df, found.t, z_quantile, few)
    if settings.is_random:
        t_new = found.t_new_k1 if settings.pi_method == "k-1" else found.t_new_k2
        reach = t_new * np.sqrt(tau2 + variance) * root
    else:
        reach = np.full(count.size, np.nan)

    q, h2, i2_pct = cochran(trials)
    if settings.is_random:
        h2 = np.maximum(h2, 1.0)
    low, high = q_profile(trials, found)
    scaled = tau2.copy()
    scaled[few] = np.nan
    numbers = {
        "k": count,
        "estimate": estimate,
        "se": se,
        "statistic": statistic,
        "p_value": p_value,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "tau2": scaled * trials.scale,
        "tau2_ci_low": low * trials.scale,
        "tau2_ci_high": high * trials.scale,
        "q": q,
        "q_df": np.maximum(count - 1, 0),
        "q_pvalue": chdtrc(df, q),
        "i2_pct": i2_pct,
        "h2": h2,
        "pi_low": estimate - reach,
        "pi_high": estimate + reach,
    }
    weight = (100.0 / precision)[:, None] / (vi / trials.scale[:, None] + tau2[:, None])
    flags = dict.fromkeys(FLAGS, np.zeros(count.size, dtype=np.bool_))
    flags["missing"] = count < yi.shape[1]
    flags["several"] = several
    flags["empty_profile"] = q < found.lower
    if np.count_nonzero(count < 3):
        pair = count == 2
        flags["none"] = count == 0
        flags["single"] = count == 1
        flags["pair_t" if settings.uses_t else "pair_wald"] = pair & (
            settings.uses_t | settings.is_random
        )
        flags["no_prediction"] = pair
    if settings.is_random:
        flags["boundary"] = scaled == 0.0
    else:
        flags["no_prediction"] = count > 1
        flags["common_t"] = (count > 1) & settings.uses_t
    if settings.ci_method == "knapp-hartung-floored":
        flags["floored"] = (count > 1) & (scatter < 1.0 - ROUNDING)
    elif settings.ci_method == "knapp-hartung":
        flags["zero_width"] = (count > 1) & (scatter == 0.0)
        flags["narrow"] = (count > 1) & (found.t * se < z_quantile * root / np.sqrt(precision))
    return (
        np.array([numbers[name] for name in NUMBERS]),
        weight,
        np.array([flags[name] for name in FLAGS]),
    )


def _test_and_half_width(
    statistic: FloatArray,
    se: FloatArray,
    settings: Settings,
    df: FloatArray,
    t_quantile: FloatArray,
    z_quantile: float,
    few: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Return p-value and half-width: normal for Wald and for single trials, else t."""
    magnitude = -np.abs(statistic)
    if not settings.uses_t:
        return 2.0 * ndtr(magnitude), z_quantile * se
    p_value, half = 2.0 * stdtr(df, magnitude), t_quantile * se
    if few.size:
        p_value[few], half[few] = 2.0 * ndtr(magnitude[few]), z_quantile * se[few]
    return p_value, half
