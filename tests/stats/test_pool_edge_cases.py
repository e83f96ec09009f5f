"""None, one, two and identical trials; bad input; what a reader is told."""

import numpy as np
import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import CI_METHODS, TAU2_METHODS
from ldn_meta.stats.pool import NUMBERS, pool, pool_many
from ldn_meta.stats.tau2 import heterogeneity, tau2_estimate

NAN = float("nan")


def told(result, words):
    return any(words in note for note in result.notes)


@pytest.mark.parametrize("tau2_method", TAU2_METHODS)
@pytest.mark.parametrize("ci_method", CI_METHODS)
@pytest.mark.parametrize("yi", [[], [NAN], [NAN, NAN]], ids=len)
def test_no_trial(yi, tau2_method, ci_method):
    result = pool(yi, yi, tau2_method=tau2_method, ci_method=ci_method)
    assert result.k == 0
    assert result.q_df == 0
    for name in set(NUMBERS) - {"k", "q_df"}:
        assert np.isnan(getattr(result, name)), name
    assert told(result, "no trial has an effect: nothing was estimated")


@pytest.mark.parametrize("tau2_method", TAU2_METHODS)
@pytest.mark.parametrize("ci_method", CI_METHODS)
def test_one_trial_is_that_trial(tau2_method, ci_method):
    result = pool([NAN, 0.3], [0.1, 0.04], tau2_method=tau2_method, ci_method=ci_method)
    assert result.k == 1
    assert (result.estimate, result.se) == pytest.approx((0.3, 0.2), rel=1e-14)
    assert (result.ci_low, result.ci_high) == pytest.approx((-0.0919928, 0.6919928), abs=1e-7)
    assert (result.statistic, result.p_value) == pytest.approx((1.5, 0.1336144), abs=1e-7)
    for name in [
        "tau2",
        "tau2_ci_low",
        "tau2_ci_high",
        "q",
        "q_pvalue",
        "i2_pct",
        "h2",
        "pi_low",
        "pi_high",
    ]:
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


@pytest.mark.parametrize("tau2_method", TAU2_METHODS)
@pytest.mark.parametrize("k", [2, 3, 12])
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
    assert heterogeneity(np.empty((0, 4)), np.empty((0, 4))).q.shape == (0,)


GOOD = [0.1, 0.2, 0.3], [0.01, 0.02, 0.03]


@pytest.mark.parametrize("call", [pool, pool_many, tau2_estimate, heterogeneity])
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
        ([0.1, "0.2"], [0.1, 0.1], r"yi holds str\d+ values such as .*real numbers"),
        ([0.1, None], [0.1, 0.1], r"yi holds object values such as .*None.*real numbers"),
        ([0.1, 0.2j], [0.1, 0.1], r"yi holds complex128 .*real numbers"),
        ([True, False], [0.1, 0.1], r"yi holds bool .*real numbers"),
        ([[0.1], [0.2, 0.3]], [0.1, 0.1], r"yi=.*not rectangular"),
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
        ({"tau2_method": "REML"}, r"tau2_method='REML' .*common, dl, he, hs, sj, ml, reml"),
        ({"tau2_method": None}, r"tau2_method=None"),
        ({"ci_method": "knha"}, r"ci_method='knha' .*wald, knapp-hartung, knapp-hartung-floored"),
        ({"pi_method": "hts"}, r"pi_method='hts' .*k-1, k-2"),
        ({"level": 95}, r"level=95 .*between 0 and 1"),
        ({"level": 1.0}, r"level=1\.0"),
        ({"level": "0.95"}, r"level='0\.95'"),
        ({"level": NAN}, r"level=nan"),
        ({"level": True}, r"level=True"),
        ({"measure": 3}, r"measure=3 .*text"),
        ({"labels": ["a"]}, r"labels has 1 entries; allowed: 3"),
        ({"labels": "abc"}, r"labels='abc' is one text"),
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
