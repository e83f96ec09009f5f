"""Sign test, combined p-values and albatross contours, against R and by their own definitions."""

import re

import numpy as np
import pytest
from scipy import stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.directions import albatross_contour, combine_p, one_sided_p, sign_test
from reference_values import numbers_of, reference, relative_difference
from stats.batteries import anew

# Closed forms; the worst seen is 2e-13, of a normal tail below 1e-30.
CLOSED = 1e-10
PINNED = reference("swim_metap")
SETS = {record["name"]: record for record in PINNED["combined"]}


def test_sign_test_equals_r():
    votes = PINNED["votes"]
    for theirs in votes["tests"]:
        ours = sign_test(votes["n_for"], votes["n_against"], level=theirs["level"])
        for name in ("p_value", "exact_low", "exact_high", "wilson_low", "wilson_high"):
            assert relative_difference(getattr(ours, name), numbers_of(theirs[name])) < CLOSED
    assert len(votes["n_for"]) > 90
    assert {theirs["level"] for theirs in votes["tests"]} == {0.95, 0.9}


@pytest.mark.parametrize(("n_for", "n_against", "printed"), [(9, 0, 0.0039), (5, 1, 0.2188)])
def test_sign_test_of_hilton_boon_and_thomson(n_for, n_against, printed):
    """Hilton Boon & Thomson, Cochrane Colloquium 2019: P = 0.0039 and P = 0.2188.

    The abstract prints P; the counts are the only ones up to ten studies that give it.
    """
    assert round(sign_test(n_for, n_against).p_value, 4) == printed


def test_one_study_says_nothing_by_hand():
    found = sign_test(1, 0)
    assert found.p_value == 1
    assert found.share == 1
    # Clopper-Pearson of 1 of 1: the p with p^1 = 0.025.
    assert (found.exact_low, found.exact_high) == (pytest.approx(0.025), 1)


def test_sign_test_is_fair_to_both_sides(seed=1):
    n_for, n_against, n_ties = np.random.default_rng(seed).integers(0, 200, (3, 60))
    n_for[:6], n_against[3:9] = 0, 0
    one = sign_test(n_for, n_against, n_ties=n_ties)
    other = sign_test(n_against, n_for)
    n = n_for + n_against
    assert "no study points to either side" in one.notes[0]
    nobody, some = n == 0, n > 0
    for name in ("share", "p_value", "wilson_low", "exact_high"):
        assert (np.isnan(getattr(one, name)) == nobody).all()
    assert (one.n_ties == n_ties).all()
    np.testing.assert_array_equal(one.p_value, other.p_value)
    for i in np.flatnonzero(some):
        exact = stats.binomtest(n_for[i], n[i], 0.5).pvalue
        assert one.p_value[i] == pytest.approx(exact, rel=1e-9)
    np.testing.assert_allclose((one.share + other.share)[some], 1)
    np.testing.assert_allclose(one.exact_low, 1 - other.exact_high, atol=1e-12)
    assert (one.exact_low <= one.share)[some].all() and (one.share <= one.exact_high)[some].all()
    assert sign_test(3, 1).notes == ()


def test_sign_tests_over_arrays_and_missing():
    found = sign_test([[3], [0]], [1, 0, np.nan], n_ties=2)
    assert found.p_value.shape == (2, 3)
    assert found.p_value[0].tolist()[:2] == [0.625, 0.25]
    assert np.isnan(found.p_value[:, 2]).all()
    assert np.isnan(found.share[1, 1])
    assert found.n_ties.tolist() == [[2, 2, 2], [2, 2, 2]]


@pytest.mark.parametrize("name", SETS)
def test_combined_p_equals_metap(name):
    record = SETS[name]
    p, weights = np.array(record["p"]), np.array(record["weights"])
    fisher = combine_p(p)
    plain, weighted = (
        combine_p(p, method="stouffer"),
        combine_p(p, method="stouffer", weights=weights),
    )
    for ours, statistic, theirs in (
        (fisher, "chisq", "fisher"),
        (plain, "z", "stouffer"),
        (weighted, "z_weighted", "stouffer_weighted"),
    ):
        assert relative_difference(ours.statistic_low, record[statistic]) < CLOSED
        assert relative_difference(ours.p_low, record[theirs]) < CLOSED
        assert ours.p_low == ours.p_high
        assert ours.k == len(p) == record["df"] / 2


@pytest.mark.parametrize("name", SETS)
def test_votes_equal_metap(name):
    """votep at its default counts p below and above one half, as we count signs."""
    record = SETS[name]
    p = np.array(record["p"])
    n_for, n_against = int((p < 0.5).sum()), int((p > 0.5).sum())
    assert (n_for, n_against) == (record["votes_for"], record["votes_against"])
    one_sided = stats.binom.sf(n_for - 1, n_for + n_against, 0.5)
    assert one_sided == pytest.approx(record["vote_p_greater"], rel=1e-9)
    expected = min(1, 2 * min(one_sided, stats.binom.cdf(n_for, n_for + n_against, 0.5)))
    assert sign_test(n_for, n_against).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "method", "statistic", "p_value"),
    [
        ("teachexpect", "fisher", 69.473, 0.0014),
        ("beckerp", "fisher", 18.533, None),
        ("cholest", "fisher", 58.62, 0.78),
        ("validity", "fisher", 159.82, 3.0e-16),
        ("beckerp", "stouffer", 1.53, None),
        ("rosenthal", "stouffer", 2.39, None),
    ],
)
def test_combined_p_as_published(name, method, statistic, p_value):
    """Becker 1994, Rosenthal 1978 and Sutton 2000, as metap's help pages quote them.

    Not here: z of 2.435 (teachexpect) and 8.191 (validity), which metap itself gives as 2.423
    and 8.187 from p-values that were printed with three digits.
    """
    found = combine_p(SETS[name]["p"], method=method)
    digits = len(str(statistic).partition(".")[2])
    assert found.statistic_low == pytest.approx(statistic, abs=0.51 * 10.0**-digits)
    if p_value is not None:
        assert found.p_low == pytest.approx(p_value, rel=0.03)


def test_rosenthal_weighted_by_df():
    """Rosenthal 1978 by way of metap's help page: z = 3.01, p = 0.0013."""
    record = SETS["rosenthal"]
    found = combine_p(record["p"], method="stouffer", weights=record["weights"])
    assert round(found.statistic_low, 2) == 3.01
    assert round(found.p_low, 4) == 0.0013


@pytest.mark.parametrize("method", ["fisher", "stouffer"])
def test_an_interval_of_p_holds_what_any_p_inside_gives(method, seed=2):
    low, high = np.sort(np.random.default_rng(seed).random((2, 100, 8)) ** 4, axis=0)
    gone = np.arange(8) > np.arange(100)[:, None] % 8
    low, high = np.where(gone, np.nan, low), np.where(gone, np.nan, high)
    found = combine_p(low, high, method=method)
    middle = combine_p((low + high) / 2, method=method)
    assert (found.p_low * (1 - 1e-9) <= middle.p_low).all()
    assert (middle.p_low <= found.p_high * (1 + 1e-9)).all()
    np.testing.assert_array_equal(found.p_low, combine_p(low, method=method).p_low)
    np.testing.assert_array_equal(found.p_high, combine_p(high, method=method).p_low)


def test_stouffer_is_the_same_from_both_sides(seed=3):
    # Far in the tail 1 - p keeps too few digits of p.
    rng = np.random.default_rng(seed)
    p = rng.uniform(1e-4, 1 - 1e-4, (100, 8))
    p[np.arange(8) >= rng.integers(2, 9, (100, 1))] = np.nan
    one, other = combine_p(p, method="stouffer"), combine_p(1 - p, method="stouffer")
    np.testing.assert_allclose(one.p_low + other.p_low, 1, atol=1e-9)


def test_fisher_of_two_by_hand():
    # P(U1 U2 <= q) = q (1 - ln q).
    q = 0.03 * 0.2
    assert combine_p([0.03, 0.2]).p_low == pytest.approx(q * (1 - np.log(q)), rel=1e-12)


def test_a_bound_reaches_down_to_nothing_and_a_dull_result_does_not():
    bound = combine_p([0.0, 0.3], [0.025, 0.3])
    assert bound.p_low == 0
    assert bound.p_high == pytest.approx(combine_p([0.025, 0.3]).p_low)
    up_to_one = combine_p([0.025, 0.3], [1.0, 0.3])
    assert up_to_one.p_high == pytest.approx(0.3 * (1 - np.log(0.3)))


def test_missing_p_values_are_passed_over():
    found = combine_p([[0.01, np.nan, 0.2], [np.nan] * 3, [0.4, np.nan, np.nan]])
    assert found.k.tolist() == [2, 0, 1]
    assert found.p_low[0] == combine_p([0.01, 0.2]).p_low
    assert np.isnan(found.p_low[1])
    assert found.p_low[2] == pytest.approx(0.4)
    assert len(found.notes) == 3
    assert found.notes[-1] == "6 of 9 p-values are missing (NaN) and were left out"
    half = combine_p([0.1, 0.2], [0.3, np.nan], method="stouffer", weights=[2.0, np.nan])
    assert half.k == 1
    assert (half.p_low, half.p_high) == (pytest.approx(0.1), pytest.approx(0.3))


def test_certain_in_both_directions_is_no_number():
    found = combine_p([0.0, 1.0], method="stouffer")
    assert np.isnan(found.p_low)
    assert "make" in found.notes[0]
    assert combine_p([0.0, 1.0]).p_low == 0


@pytest.mark.parametrize(
    ("two_sided", "sign", "one_sided"),
    [
        ((0.03, 0.03), 1, (0.015, 0.015)),
        ((0.03, 0.03), -2.5, (0.985, 0.985)),
        ((0.0, 0.05), 1, (0.0, 0.025)),
        ((0.05, 1.0), 1, (0.025, 0.5)),
        ((0.05, 1.0), -1, (0.5, 0.975)),
        ((0.775, 0.785), 0, (0.3875, 0.6125)),
        ((1.0, 1.0), 0, (0.5, 0.5)),
    ],
)
def test_one_sided_p(two_sided, sign, one_sided):
    assert one_sided_p(*two_sided, sign) == pytest.approx(one_sided)


def test_one_sided_p_needs_a_sign_and_a_p():
    found = one_sided_p([0.1, np.nan, 0.1], [0.2, np.nan, np.nan], [np.nan, 1, -1])
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


@pytest.mark.parametrize("turn", [1, -1])
def test_one_sided_p_of_a_normal_statistic(turn, seed=4):
    """From the two-sided p of a z and its sign comes back its one-sided p."""
    z = np.array([-6, -1e-3, 1e-3, 1.96, 6, *np.random.default_rng(seed).uniform(-6, 6, 50)])
    p = 2 * stats.norm.sf(abs(z))
    low, high = one_sided_p(p, p, turn * np.sign(z))
    np.testing.assert_array_equal(low, high)
    np.testing.assert_allclose(low, stats.norm.sf(turn * z), atol=1e-12)


def test_contours_equal_metap():
    grid = PINNED["contours"]
    p, effect = np.array(grid["p"]), np.array(grid["effect"])
    assert relative_difference(albatross_contour(p, effect), grid["smd"]) < CLOSED
    away = albatross_contour(1 - p, -effect)
    assert away == pytest.approx(albatross_contour(p, effect), rel=1e-6)


def test_contours_give_back_the_p_of_their_variance():
    """At N people in two equal groups, effect / sqrt(its variance) is the z of p."""
    p, z = 0.01, stats.norm.isf(0.01)
    n = albatross_contour(p, 0.4)
    assert 0.4 / np.sqrt(4 / n + 0.4**2 / (2 * n)) == pytest.approx(z)


def test_no_people_join_a_p_and_an_effect_on_different_sides():
    assert np.isnan(albatross_contour([0.2, 0.8, 0.2], [-0.5, 0.5, 0.0])).all()
    assert albatross_contour(0.5, 0.5) == 0
    assert np.isnan(albatross_contour(np.nan, 0.5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sign_test(-1, 2), "n_for: -1 is not allowed; numbers of at least 0"),
        (lambda: sign_test(1, 2.5), "n_against: 2.5 is not allowed; whole numbers"),
        (lambda: sign_test(1, 2, n_ties=0.5), "n_ties: 0.5 is not allowed"),
        (lambda: sign_test([1, 2], [1, 2, 3]), "shapes do not broadcast"),
        (lambda: sign_test(1, 2, level=95), "level=95 is not allowed"),
        (lambda: combine_p([0.1, 1.2]), "p[1]: 1.2 is not allowed"),
        (lambda: combine_p([0.3], [0.2]), "p: 0.3 is above p_high 0.2"),
        (lambda: combine_p([0.3], method="edgington"), "allowed: fisher, stouffer"),
        (lambda: combine_p([0.3], weights=[1.0]), "Fisher's method has none"),
        (
            lambda: combine_p([0.3, 0.1], method="stouffer", weights=[1.0, np.nan]),
            "missing beside",
        ),
        (
            lambda: combine_p([0.3], method="stouffer", weights=[0.0]),
            "weights[0]: 0 is not allowed",
        ),
        (lambda: one_sided_p(0.3, 0.2, 1), "p_low: 0.3 is above p_high 0.2"),
        (lambda: one_sided_p(0.1, 2, 1), "p_high: 2 is not allowed"),
        (lambda: albatross_contour(0, 0.5), "p_one_sided: 0 is not allowed"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


globals().update(
    anew(
        test_sign_test_is_fair_to_both_sides,
        test_an_interval_of_p_holds_what_any_p_inside_gives,
        test_stouffer_is_the_same_from_both_sides,
        test_one_sided_p_of_a_normal_statistic,
    )
)
