"""Pools: R's metafor on its whole pinned grid, published tables, what must hold for any trials."""

import dataclasses
import pickle
import subprocess
import sys
from itertools import product

import numpy as np
import pandas as pd
import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import CI_METHODS, PI_METHODS, TAU2_METHODS
from ldn_meta.stats.bayes import pool_bayes
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.pool import CHUNK_TRIALS, NUMBERS, PooledResult, pool, pool_many, side
from ldn_meta.stats.regression import meta_regression
from ldn_meta.stats.tau2 import tau2_estimate
from reference_values import CI_METHODS as METAFOR_CI
from reference_values import (
    CLOSED_FORM,
    ITERATED,
    TAU2_ZERO,
    assert_close,
    generic_sets,
    reference,
    tolerance,
)
from reference_values import TAU2_METHODS as METAFOR_TAU2
from stats.batteries import anew, sizes, slow

NAN, INF = float("nan"), float("inf")
SETS = generic_sets()
each_set = pytest.mark.parametrize(
    "one", SETS, ids=[f"{i}-{one['name']}" for i, one in enumerate(SETS)]
)
NAMES = {"q_p_value": "q_pvalue"}
VALUES = ["estimate", "se", "statistic", "p_value", "ci_low", "ci_high", "q", "q_p_value"]
BCG = SETS[0]["yi"], SETS[0]["vi"]


def fits_of(one):
    """Every pinned fit of a set of trials, with our words for its settings."""
    for fit in one["reference"]["fits"]:
        method = METAFOR_TAU2[fit["method"]]
        options = {"tau2_method": method, "ci_method": METAFOR_CI[fit["test"]]}
        yield fit, options, tolerance(method), f"{one['name']} {fit['method']} {fit['test']}"


def test_the_grid_is_complete():
    assert set(METAFOR_TAU2.values()) == set(TAU2_METHODS)
    assert set(METAFOR_CI.values()) == set(CI_METHODS)
    assert [len(one["yi"]) for one in SETS] == [13, 9, 37, 19, 2, 3, 3, 4, 5, 6]
    full = {(m, t) for m in METAFOR_TAU2 for t in METAFOR_CI if m != "EE" or t == "z"}
    for one in SETS:
        assert {(fit["method"], fit["test"]) for fit in one["reference"]["fits"]} == full
        assert len(one["reference"]["fits"]) == len(full) == 25


@each_set
def test_every_fit_agrees_with_metafor(one):
    for fit, options, rtol, where in fits_of(one):
        result = pool(one["yi"], one["vi"], **options)
        assert_close(result.tau2, fit["tau2"], rtol, f"{where} tau2", TAU2_ZERO)
        for name in VALUES:
            ours = getattr(result, NAMES.get(name, name))
            assert_close(ours, fit[name], rtol, f"{where} {name}")


@each_set
def test_prediction_intervals_agree_with_metafor(one):
    for fit, options, rtol, where in fits_of(one):
        for pi_method, suffix in (("k-1", "k1"), ("k-2", "hts")):
            result = pool(one["yi"], one["vi"], pi_method=pi_method, **options)
            if options["tau2_method"] == "common" or result.k < 3:
                assert np.isnan([result.pi_low, result.pi_high]).all()
                continue
            assert_close(result.pi_low, fit[f"pi_low_{suffix}"], rtol, where)
            assert_close(result.pi_high, fit[f"pi_high_{suffix}"], rtol, where)


@each_set
def test_i2_and_h2_agree_where_the_definitions_do(one):
    """metafor's I2 and H2 come from Q for EE, and from tau2, which is Q again, for DL."""
    for fit, options, _, where in fits_of(one):
        if options["tau2_method"] in ("common", "dl"):
            result = pool(one["yi"], one["vi"], **options)
            assert_close(result.i2_pct, fit["i2"], CLOSED_FORM, where)
            assert result.i2_tau2_pct == pytest.approx(result.i2_pct, rel=1e-12)
            assert_close(result.h2, fit["h2"], CLOSED_FORM, where)


@each_set
def test_metafor_has_the_other_i2_for_the_other_methods(one):
    """The documented difference: tau2 / (tau2 + s2) with our tau2 is metafor's number."""
    w = 1 / np.array(one["vi"])
    typical = (w.size - 1) / (w.sum() - (w**2).sum() / w.sum())
    for fit, options, rtol, where in fits_of(one):
        if options["tau2_method"] != "common":
            tau2 = float(tau2_estimate(one["yi"], one["vi"], method=options["tau2_method"]))
            assert_close(100 * tau2 / (tau2 + typical), fit["i2"], rtol, where, atol=1e-9)
            ours = pool(one["yi"], one["vi"], **options).i2_tau2_pct
            assert_close(ours, fit["i2"], rtol, where, atol=1e-9)


@each_set
def test_q_profile_intervals_agree_with_metafor(one):
    theirs, ours = one["reference"]["q_profile_reml"], pool(one["yi"], one["vi"])
    for end in ("low", "high"):
        assert_close(getattr(ours, f"tau2_ci_{end}"), theirs[f"tau2_{end}"], ITERATED, end)


def test_another_level_agrees_with_metafor():
    for one in reference("metafor_pooling_extra")["other_level"]:
        result = pool(one["yi"], one["vi"], ci_method="knapp-hartung", level=one["level"])
        for end in ("low", "high"):
            assert_close(getattr(result, f"ci_{end}"), one[f"ci_{end}"], ITERATED, end)
            assert_close(getattr(result, f"tau2_ci_{end}"), one[f"tau2_{end}"], ITERATED, end)


def test_sixty_small_random_sets_agree_with_metafor():
    """metafor says NA where it fails, and 0 where it resets a stuck iteration."""
    sets = reference("metafor_pooling_extra")["small_sets"]
    assert len(sets) == 60
    compared = 0
    for one in sets:
        for name, theirs in one["tau2"].items():
            if theirs is not None:
                ours = tau2_estimate(one["yi"], one["vi"], method=METAFOR_TAU2[name])
                assert_close(ours, theirs, ITERATED, name, atol=1e-12)
                compared += 1
    assert compared >= 475


def test_bcg_anchors():
    """STYLE.md, numeric anchors: BCG log risk ratios (Colditz 1994), four decimals."""
    assert BCG[0][0] == pytest.approx(-0.8893, abs=5e-5)
    assert BCG[1][0] == pytest.approx(0.3256, abs=5e-5)
    common = pool(*BCG, tau2_method="common", ci_method="wald")
    assert (common.estimate, common.se) == pytest.approx((-0.4303, 0.0405), abs=5e-5)
    assert (common.q, common.q_df) == pytest.approx((152.233, 12), abs=5e-4)
    assert common.i2_pct == pytest.approx(92.12, abs=5e-3)
    dl = pool(*BCG, tau2_method="dl", ci_method="wald")
    assert (dl.tau2, dl.estimate, dl.se) == pytest.approx((0.3088, -0.7141, 0.1787), abs=5e-5)
    reml = pool(*BCG, ci_method="wald")
    assert (reml.tau2, reml.estimate, reml.se) == pytest.approx(
        (0.3132, -0.7145, 0.1798), abs=5e-5
    )
    assert pool(*BCG, ci_method="knapp-hartung").se == pytest.approx(0.1808, abs=5e-5)
    assert pool(*BCG, tau2_method="pm").tau2 == pytest.approx(0.3181, abs=5e-5)
    assert (reml.tau2_ci_low, reml.tau2_ci_high) == pytest.approx((0.1197, 1.1115), abs=5e-5)


@pytest.mark.parametrize(
    ("ci_method", "pi_method", "low", "high"),
    [
        ("wald", "k-1", -1.9953, 0.5663),
        ("wald", "k-2", -2.0084, 0.5793),
        ("knapp-hartung", "k-1", -1.9960, 0.5670),
        ("knapp-hartung", "k-2", -2.0091, 0.5800),
    ],
)
def test_four_prediction_conventions(ci_method, pi_method, low, high):
    """PEERS.md section 2, BCG log RR, REML."""
    result = pool(*BCG, ci_method=ci_method, pi_method=pi_method)
    assert (result.pi_low, result.pi_high) == pytest.approx((low, high), abs=5e-5)


def test_three_agreeing_trials():
    """STYLE.md, numeric anchors: half-widths 0.250, 0.025 and 0.548; DL tau2 is 0."""
    half = {
        ci_method: pool([0.30, 0.31, 0.32], [0.04, 0.05, 0.06], ci_method=ci_method)
        for ci_method in CI_METHODS
    }
    for (name, result), width in zip(half.items(), (0.250, 0.025, 0.548), strict=True):
        assert result.ci_high - result.estimate == pytest.approx(width, abs=5e-4), name
    assert tau2_estimate([0.30, 0.31, 0.32], [0.04, 0.05, 0.06], method="dl") == 0.0


def test_viechtbauer_2005_example_1():
    """Journal of Educational and Behavioral Statistics 30:261-293, p. 271, ten studies."""
    yi = [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232]
    vi = [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040]
    printed = {"hs": 0.2282, "he": 0.1484, "dl": 0.2768, "ml": 0.1967, "reml": 0.2232}
    printed |= {"eb": 0.1920, "pm": 0.1920, "sj": 0.1992}
    for method, value in printed.items():
        ours = float(tau2_estimate(yi, vi, method=method))
        assert ours == pytest.approx(value, abs=5.1e-5), method


def test_dersimonian_kacker_2007():
    """Contemporary Clinical Trials 28:105-114, tables 3 and 4: tau of six CLASP log odds ratios.

    The printed ML, 0.0023, is an iteration stopped before the boundary 0: the score is negative
    at 0 and at 0.0023 squared.
    """
    a, n1 = np.array([5, 5, 12, 69, 9, 313]), np.array([156, 303, 565, 1570, 103, 4659])
    c, n2 = np.array([8, 17, 9, 94, 11, 352]), np.array([74, 303, 477, 1565, 105, 4650])
    yi = np.log(a * (n2 - c) / (c * (n1 - a)))
    vi = 1 / a + 1 / (n1 - a) + 1 / c + 1 / (n2 - c)
    printed = {"pm": 0.3681, "he": 0.4410, "dl": 0.2323, "eb": 0.3681, "reml": 0.1843}
    printed |= {"hs": 0.1330, "sj": 0.4572}
    for method, value in printed.items():
        tau = float(tau2_estimate(yi, vi, method=method)) ** 0.5
        assert tau == pytest.approx(value, abs=5.1e-5), method
    assert tau2_estimate(yi, vi, method="ml") == 0.0
    for tau2 in (0.0, 0.0023**2):
        w = 1 / (vi + tau2)
        r = yi - (w @ yi) / w.sum()
        assert (w**2 * r**2).sum() < w.sum()


def test_statsmodels_agrees_where_it_is_right():
    """Paule-Mandel with Knapp-Hartung on BCG; its DerSimonian-Laird is not truncated."""
    from statsmodels.stats.meta_analysis import combine_effects

    theirs = combine_effects(
        np.array(BCG[0]), np.array(BCG[1]), method_re="iterated", use_t=True, atol=1e-11
    )
    ours = pool(*BCG, tau2_method="pm", ci_method="knapp-hartung")
    assert ours.tau2 == pytest.approx(theirs.tau2, rel=1e-5)
    assert ours.estimate == pytest.approx(theirs.mean_effect_re, rel=1e-5)
    assert ours.se == pytest.approx(theirs.sd_eff_w_re_hksj, rel=1e-5)


each_method = pytest.mark.parametrize("tau2_method", TAU2_METHODS)


def intervals_of(tau2_method):
    """Options of a pool, one for each kind of interval."""
    return [{"tau2_method": tau2_method, "ci_method": ci_method} for ci_method in CI_METHODS]


def battery(seed, m=120):
    """Sets of two to nine trials: equal and very unequal variances, no spread and much."""
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-rng.choice([0.0, 1.0, 3.0], (m, 1)), 0.0, (m, 9))
    y = rng.normal(0.2, np.sqrt(v + rng.choice([0.0, 0.3, 3.0], (m, 1)) ** 2))
    gone = np.arange(9) >= rng.integers(2, 10, (m, 1))
    return np.where(gone, NAN, y), np.where(gone, NAN, v)


def same(one, other, *, factor=None, offset=None, rtol=1e-7, atol=0.0, but=()):
    """Compare all numbers, some of them after a change of unit or of origin."""
    for name in set(NUMBERS) - set(but):
        unit, shift = (factor or {}).get(name, 1.0), (offset or {}).get(name, 0.0)
        np.testing.assert_allclose(
            getattr(one, name),
            getattr(other, name) * unit + shift,
            rtol=rtol,
            atol=atol * unit,
            err_msg=name,
        )


PLACES = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
SPREADS = ("tau2", "tau2_ci_low", "tau2_ci_high")


@each_method
def test_bounds(tau2_method, seed=1):
    y, v = battery(seed)
    for options in intervals_of(tau2_method):
        found = pool_many(y, v, **options)
        assert (found.tau2 >= 0.0).all()
        assert ((found.i2_pct >= 0.0) & (found.i2_pct <= 100.0)).all()
        assert (found.tau2_ci_low >= 0.0).all() and (found.tau2_ci_high < INF).all()
        assert (found.tau2_ci_low <= found.tau2_ci_high).all()
        assert ((found.p_value >= 0.0) & (found.p_value <= 1.0)).all()
        assert (found.ci_low < found.estimate).all() and (found.estimate < found.ci_high).all()
        assert (np.nanmin(y, axis=1) <= found.estimate).all()
        assert (found.estimate <= np.nanmax(y, axis=1)).all()
        np.testing.assert_allclose(np.nansum(found.weight_pct, axis=1), 100.0, rtol=1e-12)
        assert (found.weight_pct[~np.isnan(v)] > 0.0).all()
        if tau2_method != "common":
            more = found.k > 2
            assert (found.pi_low <= found.ci_low)[more].all()
            assert (found.pi_high >= found.ci_high)[more].all()


@each_method
def test_random_effects_are_never_more_certain_than_common(tau2_method, seed=2):
    y, v = battery(seed)
    common = pool_many(y, v, tau2_method="common", ci_method="wald")
    found = pool_many(y, v, tau2_method=tau2_method, ci_method="wald")
    assert (found.se >= common.se * (1 - 1e-14)).all()


@each_method
def test_the_floored_interval_holds_both_others(tau2_method, seed=3):
    wald, plain, floored = (
        pool_many(*battery(seed), **options) for options in intervals_of(tau2_method)
    )
    assert (floored.se == np.maximum(plain.se, wald.se)).all()
    assert (floored.ci_low <= np.minimum(plain.ci_low, wald.ci_low)).all()


@each_method
def test_the_order_of_trials_does_not_change_a_bit(tau2_method, seed=4):
    y, v = battery(seed)
    shuffled = np.argsort(np.random.default_rng(5).random(y.shape), axis=1)
    turned = [np.take_along_axis(x, shuffled, axis=1) for x in (y, v)]
    for options in intervals_of(tau2_method):
        one, other = pool_many(y, v, **options), pool_many(*turned, **options)
        for name in NUMBERS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        weights = np.take_along_axis(one.weight_pct, shuffled, axis=1)
        np.testing.assert_array_equal(weights, other.weight_pct)


@each_method
def test_units_and_shifts_and_signs(tau2_method, seed=6):
    y, v = battery(seed)
    for options in intervals_of(tau2_method):
        plain = pool_many(y, v, **options)
        for c in (1e-6, 0.1, 10.0, 1e6):
            unit = {**dict.fromkeys((*PLACES, "se"), c), **dict.fromkeys(SPREADS, c**2)}
            same(pool_many(y * c, v * c**2, **options), plain, factor=unit, atol=1e-9)
        for c in (-100.0, 1.0, 1000.0):
            but, moved = ("statistic", "p_value"), dict.fromkeys(PLACES, c)
            same(pool_many(y + c, v, **options), plain, offset=moved, atol=1e-7, but=but)
        other = pool_many(-y, v, **options)
        for ours, theirs in (
            (other.estimate, -plain.estimate),
            (other.ci_low, -plain.ci_high),
            (other.tau2, plain.tau2),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def ragged(m, k, seed):
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-2, 0, (m, k))
    y = rng.normal(0, np.sqrt(v + 0.1))
    gone = rng.random((m, k)) < rng.uniform(0, 1, (m, 1))
    y[gone] = np.nan
    v[gone] = np.nan
    return y, v


@each_method
@sizes("sets", 16, 40)
def test_pool_is_exactly_a_row_of_pool_many(tau2_method, sets):
    """Not close: equal, with the missing trials present as NaN or absent."""
    y, v = ragged(sets, 12, seed=7)
    for options, pi_method in product(intervals_of(tau2_method), PI_METHODS):
        batch = pool_many(y, v, pi_method=pi_method, **options)
        for i in range(sets):
            there = ~np.isnan(y[i])
            for data in ((y[i], v[i]), (y[i, there], v[i, there])):
                row = pool(*data, pi_method=pi_method, **options)
                for name in NUMBERS:
                    ours, theirs = getattr(row, name), getattr(batch, name)[i]
                    assert np.array_equal(ours, theirs, equal_nan=True), (i, name, ours, theirs)
            np.testing.assert_array_equal(row.weight_pct, batch.weight_pct[i, there])


def test_chunks_do_not_show():
    """More trials than one chunk holds, in an order that sorting by size must undo."""
    m = CHUNK_TRIALS // 6 + 11
    y, v = ragged(m, 6, seed=8)
    batch = pool_many(y, v)
    assert m * 6 > CHUNK_TRIALS
    some = np.random.default_rng(9).choice(m, 200, replace=False)
    part = pool_many(y[some], v[some])
    for name in (*NUMBERS, "weight_pct"):
        np.testing.assert_array_equal(getattr(batch, name)[some], getattr(part, name))


def test_leading_axes_are_kept():
    y, v = ragged(24, 5, seed=10)
    flat = pool_many(y, v)
    cube = pool_many(y.reshape(2, 3, 4, 5), v.reshape(2, 3, 4, 5))
    assert cube.estimate.shape == (2, 3, 4)
    assert cube.k.dtype == np.int64
    np.testing.assert_array_equal(cube.estimate.ravel(), flat.estimate)
    assert cube.weight_pct.shape == (2, 3, 4, 5)


@pytest.mark.parametrize("k", [8, 15, 16, 33, 129, 400, *slow(9, 31, 64, 100, 250)])
def test_large_k_in_a_batch_of_one(k, seed=0):
    """numpy sums a lone column in another order; the layout must hide that."""
    rng = np.random.default_rng([seed, k])
    for _ in range(5):
        v = 10.0 ** rng.uniform(-2, 0, k)
        y = rng.normal(0, np.sqrt(v + 0.1))
        one = pool(y, v)
        three = pool_many(np.tile(y, (3, 1)), np.tile(v, (3, 1)))
        for name in NUMBERS:
            assert getattr(one, name) == getattr(three, name)[1], name


def told(result, words):
    return any(words in note for note in result.notes)


UNDEFINED_FOR_ONE = (*SPREADS, "q", "q_pvalue", "i2_pct", "i2_tau2_pct", "h2", "pi_low", "pi_high")


@each_method
def test_no_trial(tau2_method):
    for options, yi in product(intervals_of(tau2_method), ([], [NAN], [NAN, NAN])):
        result = pool(yi, yi, **options)
        assert result.k == result.q_df == 0
        for name in set(NUMBERS) - {"k", "q_df"}:
            assert np.isnan(getattr(result, name)), name
        assert told(result, "no trial has an effect: nothing was estimated")


@each_method
def test_one_trial_is_that_trial(tau2_method):
    for options in intervals_of(tau2_method):
        result = pool([NAN, 0.3], [0.1, 0.04], **options)
        assert result.k == 1
        assert (result.estimate, result.se) == pytest.approx((0.3, 0.2), rel=1e-14)
        assert (result.ci_low, result.ci_high) == pytest.approx((-0.0919928, 0.6919928), abs=1e-7)
        assert (result.statistic, result.p_value) == pytest.approx((1.5, 0.1336144), abs=1e-7)
        for name in UNDEFINED_FOR_ONE:
            assert np.isnan(getattr(result, name)), name
        np.testing.assert_array_equal(result.weight_pct, [NAN, 100.0])
        assert told(result, "nothing was pooled")
        assert told(result, "left out")


def test_two_trials_are_flagged():
    wald = pool([0.1, 0.6], [0.04, 0.05], ci_method="wald")
    assert told(wald, "takes tau2 as known")
    student = pool([0.1, 0.6], [0.04, 0.05])
    assert told(student, "1 degree of freedom")
    assert told(student, "at least three trials")
    assert np.isnan(student.pi_low)
    assert student.ci_high - student.estimate == pytest.approx(12.7062047 * student.se, rel=1e-8)


@pytest.mark.parametrize("k", [2, 3, 12])
@each_method
def test_identical_effects(tau2_method, k):
    """No spread: tau2 is 0 by every method, and unmodified Knapp-Hartung has no variance."""
    y, v = [0.5] * k, np.linspace(0.01, 0.09, k)
    for ci_method in ("wald", "knapp-hartung-floored"):
        result = pool(y, v, tau2_method=tau2_method, ci_method=ci_method)
        assert (result.tau2, result.q, result.i2_pct) == (0.0, 0.0, 0.0)
        assert result.q_pvalue == 1.0
        assert result.se == pytest.approx((1 / (1 / v).sum()) ** 0.5, rel=1e-14)
        assert result.estimate == 0.5
        assert (result.tau2_ci_low, result.tau2_ci_high) == (0.0, 0.0)
        assert told(result, "set for tau2 is empty")
    plain = pool(y, v, tau2_method=tau2_method, ci_method="knapp-hartung")
    assert plain.estimate == 0.5
    for name in ["se", "statistic", "p_value", "ci_low", "ci_high", "pi_low", "pi_high"]:
        assert np.isnan(getattr(plain, name)), name
    assert told(plain, "all effects are identical")


def test_common_effect():
    result = pool([0.1, 0.6, 0.2], [0.04, 0.05, 0.01], tau2_method="common", ci_method="wald")
    assert result.tau2 == 0.0
    assert np.isnan(result.pi_low)
    assert told(result, "no new trial's effect")
    assert result.tau2_ci_high > 0.0
    rescaled = pool([0.1, 0.6, 0.2], [0.04, 0.05, 0.01], tau2_method="common")
    assert told(rescaled, "rescaled")


def test_h2_is_bounded_for_random_effects_only():
    y, v = [0.30, 0.31, 0.32], [0.04, 0.05, 0.06]
    assert pool(y, v).h2 == 1.0
    assert pool(y, v, tau2_method="common").h2 == pytest.approx(0.002027027, abs=1e-9)


@pytest.mark.parametrize("method", [m for m in TAU2_METHODS if m not in ("common", "sj")])
def test_a_root_that_is_not_positive_is_announced(method):
    result = pool([0.30, 0.31, 0.32], [0.04, 0.05, 0.06], tau2_method=method)
    assert result.tau2 == 0.0
    wanted = "global maximum at tau2 = 0" if method in ("ml", "reml") else "was set to 0"
    assert told(result, wanted)


def test_knapp_hartung_announces_floor_and_narrowness():
    y, v = [0.30, 0.31, 0.32], [0.04, 0.05, 0.06]
    assert told(pool(y, v), "scale was set to 1")
    assert told(pool(y, v, ci_method="knapp-hartung"), "narrower than the Wald")
    spread = pool([-1.0, 0.0, 1.0, 2.0], [0.01] * 4, ci_method="knapp-hartung")
    assert not told(spread, "narrower")


def test_a_trial_with_half_its_numbers_is_missing():
    result = pool([0.1, 0.6, NAN, 0.2], [0.04, NAN, 0.05, 0.01])
    assert result.k == 2
    assert result == pool([0.1, NAN, NAN, 0.2], [0.04, NAN, NAN, 0.01])


def test_batches_count_the_sets_of_each_note():
    result = pool_many([[0.1, NAN], [0.1, 0.9], [NAN, NAN]], [[0.1, 0.1]] * 3)
    assert result.k.tolist() == [1, 2, 0]
    assert told(result, "1 of 3 sets: one trial")
    assert told(result, "2 of 3 sets: trials without an effect")


def test_empty_batches():
    assert pool_many(np.empty((0, 4)), np.empty((0, 4))).estimate.shape == (0,)
    nothing = pool_many(np.empty((3, 0)), np.empty((3, 0)))
    assert nothing.k.tolist() == [0, 0, 0]
    assert np.isnan(nothing.estimate).all()


GOOD = [0.1, 0.2, 0.3], [0.01, 0.02, 0.03]


@pytest.mark.parametrize("call", [pool, pool_many, tau2_estimate])
@pytest.mark.parametrize(
    ("yi", "vi", "words"),
    [
        ([0.1, 0.2], [0.1], r"yi has shape \(2,\) and vi has shape \(1,\)"),
        ([0.1, 0.2], [0.1, 0.0], r"vi\[1\]=0\.0 .*positive"),
        ([0.1, 0.2], [0.1, -0.3], r"vi\[1\]=-0\.3 .*positive"),
        ([0.1, 0.2], [0.1, 1e-200], r"vi\[1\]=1e-200 .*1e-30"),
        ([0.1, 0.2], [0.1, 1e200], r"vi\[1\]=1e\+200 .*1e\+30"),
        ([1e31, 0.2], [0.1, 0.1], r"yi\[0\]=1e\+31 .*1e\+30"),
        ([0.1, 0.2], [0.1, np.inf], r"vi\[1\]=inf .*finite"),
        ([0.1, -np.inf], [0.1, 0.1], r"yi\[1\]=-inf .*finite"),
        ([0.1, "0.2"], [0.1, 0.1], r"yi: \['0.1', '0.2'\] has type <U\d+; .*real numbers"),
        ([0.1, "a", None], [0.1] * 3, r"yi: .*None.* has type object; .*real numbers"),
        (None, [0.1, 0.1], r"yi: None has type object; .*real numbers"),
        ([0.1, 0.2j], [0.1, 0.1], r"yi: .* has type complex128; .*real numbers"),
        ([True, False], [0.1, 0.1], r"yi: .* has type bool; .*real numbers"),
        ([[0.1], [0.2, 0.3]], [0.1, 0.1], r"yi: ragged sequence"),
        (0.1, 0.1, r"yi has shape \(\)"),
    ],
)
def test_bad_numbers_are_refused(call, yi, vi, words):
    with pytest.raises(ArgumentError, match=words):
        call(yi, vi)


def test_pool_takes_one_set():
    with pytest.raises(ArgumentError, match=r"yi has shape \(1, 2\); allowed: \(k,\)"):
        pool([[0.1, 0.2]], [[0.1, 0.1]])


@pytest.mark.parametrize("call", [pool, pool_many])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tau2_method": "REMLL"}, r"tau2_method='REMLL' .*dl, he.*; did you mean 'reml'\?"),
        ({"tau2_method": None}, r"tau2_method=None"),
        ({"ci_method": "t"}, r"ci_method='t' .*wald, knapp-hartung, knapp-hartung-floored"),
        ({"pi_method": "hts"}, r"pi_method='hts' .*k-1, k-2"),
        ({"level": 95}, r"level=95 .*between 0 and 1"),
        ({"level": 1.0}, r"level=1\.0"),
        ({"level": "0.95"}, r"level='0\.95'"),
        ({"level": NAN}, r"level=nan"),
        ({"level": True}, r"level=True"),
        ({"measure": 3}, r"measure=3 .*MD, MC"),
        ({"measure": "foo"}, r"measure='foo' is not known; allowed: MD, .*PFT$"),
        ({"measure": "smdd"}, r"did you mean 'SMD'\?$"),
        ({"labels": ["a"]}, r"labels has 1 entries; allowed: 3"),
        ({"labels": "abc"}, r"labels='abc' is one text"),
        ({"labels": 5}, r"labels=5 is no sequence"),
    ],
)
def test_unknown_options_are_refused(call, options, words):
    with pytest.raises(ArgumentError, match=words):
        call(*GOOD, **options)


def test_masked_entries_are_missing():
    y = np.ma.masked_array([0.1, 9.9, 0.3], mask=[False, True, False])
    assert pool(y, [0.01, 0.02, 0.03]) == pool([0.1, NAN, 0.3], [0.01, NAN, 0.03])


def test_arguments_are_not_changed():
    y, v = np.array([0.1, NAN, 0.3]), np.array([0.01, 0.02, 0.03])
    pool(y, v)
    assert v.tolist() == [0.01, 0.02, 0.03]
    assert y.flags.writeable


PUBLISHED = (
    *("k", "measure", "tau2_method", "ci_method", "level", "estimate", "se", "statistic"),
    *("p_value", "ci_low", "ci_high", "tau2", "tau2_ci_low", "tau2_ci_high", "q", "q_df"),
    *("q_pvalue", "i2_pct", "i2_tau2_pct", "h2", "pi_low", "pi_high", "yi", "vi", "weight_pct"),
    *("labels", "notes", "pi_method", "sets"),
)
Y, V = [0.1, 0.6, -0.2, 0.4], [0.04, 0.05, 0.01, 0.03]


def test_both_i2_of_ten_tables_where_they_part():
    """https://github.com/guido-s/meta/issues/69: RevMan prints 15% since 2025, and 50% before."""
    ten = reference("inputs_reference")["ten"]
    counts = {name: ten[name] for name in ("events_1", "n_1", "events_2", "n_2")}
    found = pool(*effect_size("OR", **counts), measure="OR")
    assert_close(found.i2_tau2_pct, ten["i2_tau2"], ITERATED, "from tau2")
    assert_close(found.i2_pct, ten["i2_q"], CLOSED_FORM, "from Q")
    assert (round(found.i2_pct), round(found.i2_tau2_pct)) == (50, 15)


def test_what_is_hard_to_believe_is_said():
    """metafor warns of both, of the ratio since 2.0-0: `pool` of a variance in another unit."""
    ratio = "the largest variance is more than 1e+07 times the smallest"
    assert any(ratio in note for note in pool([0.1, 0.2, 0.3], [1e-12, 1, 1e12]).notes)
    assert any(
        ratio in note for note in pool_bayes([0.1, 0.2], [1e-9, 1], tau_prior_scale=1).notes
    )
    assert any(
        ratio in note for note in meta_regression([0, 1, 2, 3], [1e-9, 1, 1, 1], range(4)).notes
    )
    assert not any(ratio in note for note in pool([0.1, 0.2], [1e-7, 0.99]).notes)
    giant = "a trial differs by more than 3 standard deviations"
    assert any(giant in note for note in pool([0.1, -3.1], [0.1, 0.2], measure="SMD").notes)
    assert not any(giant in note for note in pool([0.1, 3.1], [0.1, 0.2], measure="MD").notes)
    many = pool_many([[0.1, -3.1], [0.2, 0.3]], np.full((2, 2), 0.1), measure="SMD")
    assert any(note.startswith(f"1 of 2 sets: {giant}") for note in many.notes)


@pytest.fixture
def result():
    return pool(Y, V, measure="MD", labels=["A & B", "<C>", "D", "E"])


def test_fields_are_the_published_ones():
    names = [field.name for field in dataclasses.fields(PooledResult)]
    assert names == list(PUBLISHED)


def test_settings_are_repeated(result):
    assert (result.measure, result.tau2_method, result.level) == ("MD", "reml", 0.95)
    assert (result.ci_method, result.pi_method) == ("knapp-hartung-floored", "k-1")
    assert result.labels == ("A & B", "<C>", "D", "E")
    assert pool(Y, V).labels == ("trial 1", "trial 2", "trial 3", "trial 4")


def test_numbers_of_one_set_are_plain(result):
    for name in PUBLISHED:
        value = getattr(result, name)
        kind = {"k": int, "q_df": int} | dict.fromkeys(("notes", "labels", "sets"), tuple)
        kind = kind.get(name)
        if name in ("yi", "vi", "weight_pct"):
            kind = np.ndarray
        elif name in ("measure", "tau2_method", "ci_method", "pi_method"):
            kind = str
        assert type(value) is (kind or float), name


def test_it_is_frozen(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.estimate = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.yi[0] = 1.0


def test_equality_sees_every_field(result):
    same = pool(Y, V, measure="MD", labels=["A & B", "<C>", "D", "E"])
    assert result == same
    assert result != "something else"
    for name in PUBLISHED:
        value = getattr(result, name)
        other = value + 1 if isinstance(value, int | float | np.ndarray) else ("changed",)
        other = "changed" if isinstance(value, str) else other
        assert dataclasses.replace(result, **{name: other}) != result, name


def test_nan_equals_nan():
    assert pool([], []) == pool([], [])
    assert pool(Y[:1], V[:1]) == pool(Y[:1], V[:1])


def test_pickle_keeps_it_equal_and_read_only(result):
    for one in (result, pool([], []), pool_many([Y, Y], [V, V])):
        back = pickle.loads(pickle.dumps(one))
        assert back == one
        assert not back.yi.flags.writeable


def test_repr_is_one_line(result):
    text = repr(result)
    assert text == (
        f"PooledResult(MD, k=4, {result.estimate:.4g} [95% CI {result.ci_low:.4g}, "
        f"{result.ci_high:.4g}], tau2={result.tau2:.4g}, I2={result.i2_pct:.0f}%, reml, "
        "knapp-hartung-floored)"
    )
    batch = repr(pool_many([Y, Y], [V, V]))
    assert batch == "PooledResult(batch of shape (2,), reml, knapp-hartung-floored)"


def test_html_has_settings_above_numbers_and_notes_below(result):
    page = pool(Y[:2], V[:2], measure="RR", labels=["R<R", "b"])._repr_html_()
    order = [
        page.index(words)
        for words in (
            "restricted maximum likelihood",
            "Knapp-Hartung, scale at least 1",
            "t on k-1 degrees of freedom",
            "pooled effect",
            "<li>two trials",
        )
    ]
    assert order == sorted(order)
    assert "risk ratio (95% CI)" in page
    assert "R<R" not in page
    assert f"{result.estimate:.4g}" in result._repr_html_()
    assert "<td>" in pool_many([Y, Y], [V, V])._repr_html_()


def test_frame_of_one_set_and_of_many(result):
    frame = result.to_frame()
    assert len(frame) == 1
    assert frame.loc[0, "estimate"] == result.estimate
    assert frame.loc[0, "ci_method"] == "knapp-hartung-floored"
    many = pool_many([Y, Y, Y], [V, V, V]).to_frame()
    assert len(many) == 3
    assert (many["estimate"] == result.estimate).all()


def test_frame_of_trials(result):
    frame = result.trials_frame()
    assert frame["label"].tolist() == ["A & B", "<C>", "D", "E"]
    assert frame["sei"].tolist() == np.sqrt(V).tolist()
    assert frame["weight_pct"].sum() == pytest.approx(100)
    with pytest.raises(ArgumentError, match="batch"):
        pool_many([Y, Y], [V, V]).trials_frame()


def test_weights_are_those_of_the_random_effects_model(result):
    w = 1 / (np.array(V) + result.tau2)
    np.testing.assert_allclose(result.weight_pct, 100 * w / w.sum(), rtol=1e-13)
    assert result.estimate == pytest.approx((w @ Y) / w.sum(), rel=1e-13)


def test_nothing_heavy_is_imported():
    """Start-up is the budget of a notebook: scipy.stats alone costs more than a second."""
    modules = "arrays bayes convert directions effects influence pool proportions rare_events"
    code = (
        f"import sys\nfor name in '{modules} regression small_study tau2'.split():\n"
        "    __import__(f'ldn_meta.stats.{name}')\n"
        "heavy = 'scipy.stats scipy.optimize scipy.integrate pandas statsmodels matplotlib'\n"
        "print(sorted(set(heavy.split()) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SIDES = [
    (0.2, 1.4, 1.0, 1.0),
    (-1.4, -0.2, 1.0, -1.0),
    (-0.2, 1.4, 1.0, 0.0),
    (0.2, 1.4, -1.0, -1.0),
    (-1.4, -0.2, -1.0, 1.0),
    (0.0, 1.4, 1.0, 0.0),
    (-1.4, 0.0, 1.0, 0.0),
    (-0.0, 0.0, -1.0, 0.0),
    (5e-324, 1.4, 1.0, 1.0),
    (0.2, INF, 1.0, 1.0),
    (-INF, -0.2, 1.0, -1.0),
    (-INF, INF, 1.0, 0.0),
    (NAN, 1.4, 1.0, NAN),
    (0.2, NAN, 1.0, NAN),
    (0.2, 1.4, NAN, NAN),
]


@pytest.mark.parametrize(("low", "high", "benefit", "found"), SIDES)
def test_side_of_no_effect(low, high, benefit, found):
    ours = side(low, high, benefit)
    assert type(ours) is float
    assert ours == pytest.approx(found, nan_ok=True)
    assert not (ours == 0.0 and np.signbit(ours))


def test_side_of_many_is_side_of_each():
    low, high, benefit, found = np.array(SIDES).T
    np.testing.assert_array_equal(side(low, high, benefit), found)
    grid = side(low[:, None], high[:, None], np.array([1.0, -1.0]))
    np.testing.assert_array_equal(grid[:, 0], -grid[:, 1])
    assert grid.shape == (len(SIDES), 2)


globals().update(
    anew(
        test_bounds,
        test_random_effects_are_never_more_certain_than_common,
        test_the_floored_interval_holds_both_others,
        test_the_order_of_trials_does_not_change_a_bit,
        test_units_and_shifts_and_signs,
        test_large_k_in_a_batch_of_one,
        examples=3,
    )
)


READ = reference("labels_reference")


@pytest.mark.parametrize("record", READ["spread"], ids=lambda record: record["name"])
def test_se_of_tau2_and_log_likelihood_are_those_of_metafor(record):
    for fit in record["fits"]:
        ours = pool(record["yi"], record["vi"], tau2_method=fit["method"])
        assert ours.tau == pytest.approx(np.sqrt(ours.tau2))
        assert ours.log_likelihood == pytest.approx(fit["log_likelihood"], rel=1e-8), fit["method"]
        if fit["method"] == "EE":
            assert np.isnan(ours.tau2_se)
        else:
            assert ours.tau2_se == pytest.approx(fit["se_tau2"], rel=1e-6), fit["method"]
    both = pool_many([record["yi"]] * 2, [record["vi"]] * 2, tau2_method="pm")
    one = pool(record["yi"], record["vi"], tau2_method="pm")
    for name in ("tau", "tau2_se", "log_likelihood"):
        assert getattr(both, name).tolist() == [getattr(one, name)] * 2


def test_what_one_trial_and_none_cannot_tell_is_nan():
    for result in (pool([0.5], [0.04]), pool([NAN], [NAN])):
        assert np.isnan([result.tau, result.tau2_se, result.log_likelihood]).all()


@pytest.mark.parametrize("record", READ["read_as"], ids=lambda record: record["measure"])
def test_the_measure_decides_the_scale_readers_know(record):
    ours = pool(
        record["yi"],
        record["vi"],
        measure=record["measure"].lower(),
        tau2_method="DL",
        ci_method="knha",
    )
    known = ours.transformed(n=record.get("n"))
    for name, value in record["numbers"].items():
        assert getattr(known, name) == pytest.approx(value, rel=1e-10, abs=1e-12), name
    if record["measure"] == "PFT":
        assert "transformed_estimate" not in ours.to_frame()
        with pytest.raises(ArgumentError, match=r"n is missing; .* harmonic mean"):
            ours.transformed()
        return
    assert ours.to_frame().loc[0, "transformed_pi_high"] == known.pi_high
    for shown in (ours._repr_html_(), ours.summary()):
        assert f"{known.estimate:.4g} ({known.ci_low:.4g} to {known.ci_high:.4g})" in shown
    assert f"{known.quantity} {known.estimate:.4g} [" in repr(ours)


def test_a_difference_is_read_as_it_is():
    ours = pool(Y, V, measure="MD")
    assert ours.transformed() == (
        *("mean difference", ours.estimate, ours.ci_low, ours.ci_high, ours.pi_low, ours.pi_high),
    )
    assert "transformed" not in ours.to_frame()


def test_words_of_other_programs_are_understood_and_named_back():
    ours = pool(Y, V, tau2_method="DL", ci_method="knha")
    assert (ours.tau2_method, ours.ci_method) == ("dl", "knapp-hartung")
    assert ours.notes[:2] == (
        "tau2_method='DL' was read as 'dl'",
        "ci_method='knha' was read as 'knapp-hartung'",
    )
    plain = pool(Y, V, tau2_method="dl", ci_method="knapp-hartung")
    assert ours.estimate == plain.estimate and ours.notes[2:] == plain.notes
    for word, meant in (("EE", "common"), ("FE", "common"), ("REML", "reml"), ("MP", "pm")):
        assert pool(Y, V, tau2_method=word).tau2_method == meant
    for word, meant in (
        ("z", "wald"),
        ("HK", "knapp-hartung"),
        ("adhoc", "knapp-hartung-floored"),
    ):
        assert pool(Y, V, ci_method=word).ci_method == meant


def test_columns_of_a_table_are_taken_by_name():
    table = {"d": Y, "v": V, "study": list("abcdefghijklm")[: len(Y)]}
    assert pool("d", "v", data=table, labels="study") == pool(Y, V, labels=table["study"])
    assert pool(data={"yi": Y, "vi": V}).estimate == pool(Y, V).estimate
    with pytest.raises(ArgumentError, match="yi='e' is not known; allowed: d, v, study"):
        pool("e", "v", data=table)
    frame = pd.DataFrame(table).set_index("study")
    assert pool("d", "v", data=frame).labels == tuple(frame.index)
    frame["label"] = ["x", None, np.nan, pd.NA][: len(Y)]
    assert pool("d", "v", data=frame).labels == ("x", "trial 2", "trial 3", "trial 4")
    assert pool("d", "v", data=frame.reset_index(drop=True)[["d", "v"]]).labels[0] == "trial 1"
    with pytest.raises(ArgumentError, match=r"yi='yi' is the name of a column; .* data= with it"):
        pool()


def test_the_floored_scale_is_explained_truly_where_i2_is_high():
    # Effects scatter less than tau2 and their variances predict, and far more than chance.
    y, v = [0.0, 0.5, 1.0, 2.0], [0.01, 0.02, 0.4, 0.5]
    ours = pool(y, v, tau2_method="he")
    assert ours.i2_pct > 75
    assert any("around tau2 as estimated the trials scatter less" in note for note in ours.notes)
