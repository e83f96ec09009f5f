"""What must hold for any trials: bounds, symmetry, equivariance, and one batch of one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldn_meta.stats.arrays import CI_METHODS, PI_METHODS, TAU2_METHODS
from ldn_meta.stats.pool import CHUNK_TRIALS, NUMBERS, pool, pool_many

RANDOM = [method for method in TAU2_METHODS if method != "common"]
methods = st.sampled_from(TAU2_METHODS)
intervals = st.sampled_from(CI_METHODS)


@st.composite
def trials(draw, least=2, most=9):
    k = draw(st.integers(least, most))
    seed = draw(st.integers(0, 2**32 - 1))
    span = draw(st.sampled_from([0.0, 1.0, 3.0]))
    tau = draw(st.sampled_from([0.0, 0.3, 3.0]))
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-span, 0.0, k)
    return rng.normal(0.2, np.sqrt(v + tau**2)), v


@given(trials(), methods, intervals)
def test_bounds(data, tau2_method, ci_method):
    result = pool(*data, tau2_method=tau2_method, ci_method=ci_method)
    assert result.tau2 >= 0.0
    assert 0.0 <= result.i2_pct <= 100.0
    assert 0.0 <= result.tau2_ci_low <= result.tau2_ci_high < np.inf
    assert 0.0 <= result.p_value <= 1.0
    assert result.ci_low < result.estimate < result.ci_high
    assert data[0].min() <= result.estimate <= data[0].max()
    assert result.weight_pct.sum() == pytest.approx(100.0, rel=1e-12)
    assert (result.weight_pct > 0.0).all()
    if result.k > 2 and tau2_method != "common":
        assert result.pi_low <= result.ci_low
        assert result.pi_high >= result.ci_high


@given(trials(), st.sampled_from(RANDOM))
def test_random_effects_are_never_more_certain_than_common(data, tau2_method):
    common = pool(*data, tau2_method="common", ci_method="wald")
    assert pool(*data, tau2_method=tau2_method, ci_method="wald").se >= common.se * (1 - 1e-14)


@given(trials(), methods)
def test_the_floored_interval_holds_both_others(data, tau2_method):
    floored, plain, wald = (
        pool(*data, tau2_method=tau2_method, ci_method=name) for name in reversed(CI_METHODS)
    )
    assert floored.se == max(plain.se, wald.se)
    assert floored.ci_low <= min(plain.ci_low, wald.ci_low)


@given(trials(), methods, intervals, st.randoms(use_true_random=False))
def test_the_order_of_trials_does_not_change_a_bit(data, tau2_method, ci_method, random):
    y, v = data
    shuffled = list(range(y.size))
    random.shuffle(shuffled)
    options = {"tau2_method": tau2_method, "ci_method": ci_method}
    one, other = pool(y, v, **options), pool(y[shuffled], v[shuffled], **options)
    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(one.weight_pct[shuffled], other.weight_pct)


@given(trials(), methods, intervals, st.sampled_from([1e-6, 0.1, 10.0, 1e6]))
def test_units(data, tau2_method, ci_method, c):
    y, v = data
    options = {"tau2_method": tau2_method, "ci_method": ci_method}
    once = {
        name: lambda x: x * c
        for name in ["estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high"]
    }
    twice = {name: lambda x: x * c**2 for name in ("tau2", "tau2_ci_low", "tau2_ci_high")}
    scaled = pool(y * c, v * c**2, **options)
    for name in NUMBERS:
        expected = {**once, **twice}.get(name, lambda x: x)(getattr(pool(y, v, **options), name))
        unit = {**dict.fromkeys(once, c), **dict.fromkeys(twice, c**2)}.get(name, 1.0)
        np.testing.assert_allclose(
            getattr(scaled, name), expected, rtol=1e-7, atol=1e-9 * unit, err_msg=name
        )


@given(trials(), methods, intervals, st.sampled_from([-100.0, 1.0, 1000.0]))
def test_shifts(data, tau2_method, ci_method, c):
    y, v = data
    options = {"tau2_method": tau2_method, "ci_method": ci_method}
    moved = {
        name: lambda x: x + c for name in ["estimate", "ci_low", "ci_high", "pi_low", "pi_high"]
    }
    one, other = pool(y + c, v, **options), pool(y, v, **options)
    for name in set(NUMBERS) - {"statistic", "p_value"}:
        expected = moved.get(name, lambda x: x)(getattr(other, name))
        np.testing.assert_allclose(
            getattr(one, name), expected, rtol=1e-7, atol=1e-7, err_msg=name
        )


@given(trials(), methods, intervals)
def test_signs(data, tau2_method, ci_method):
    y, v = data
    options = {"tau2_method": tau2_method, "ci_method": ci_method}
    one, other = pool(-y, v, **options), pool(y, v, **options)
    assert one.estimate == pytest.approx(-other.estimate, rel=1e-9, abs=1e-12)
    assert one.ci_low == pytest.approx(-other.ci_high, rel=1e-9, abs=1e-12)
    assert one.tau2 == pytest.approx(other.tau2, rel=1e-9, abs=1e-12)


def ragged(m, k, seed):
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-2, 0, (m, k))
    y = rng.normal(0, np.sqrt(v + 0.1))
    gone = rng.random((m, k)) < rng.uniform(0, 1, (m, 1))
    y[gone] = np.nan
    v[gone] = np.nan
    return y, v


@pytest.mark.parametrize("tau2_method", TAU2_METHODS)
@pytest.mark.parametrize("ci_method", CI_METHODS)
@pytest.mark.parametrize("pi_method", PI_METHODS)
def test_pool_is_exactly_a_row_of_pool_many(tau2_method, ci_method, pi_method):
    """Not close: equal, with the missing trials present as NaN or absent."""
    y, v = ragged(40, 12, seed=7)
    options = {"tau2_method": tau2_method, "ci_method": ci_method, "pi_method": pi_method}
    batch = pool_many(y, v, **options)
    for i in range(40):
        there = ~np.isnan(y[i])
        for row in (pool(y[i], v[i], **options), pool(y[i, there], v[i, there], **options)):
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


@settings(max_examples=30)
@given(st.integers(8, 400), st.integers(0, 2**32 - 1))
def test_large_k_in_a_batch_of_one(k, seed):
    """numpy sums a lone column in another order; the layout must hide that."""
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-2, 0, k)
    y = rng.normal(0, np.sqrt(v + 0.1))
    one = pool(y, v)
    three = pool_many(np.tile(y, (3, 1)), np.tile(v, (3, 1)))
    for name in NUMBERS:
        assert getattr(one, name) == getattr(three, name)[1], name
