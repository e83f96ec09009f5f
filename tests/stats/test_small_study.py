"""Egger, Begg and trim-and-fill against metafor, and against their definitions."""

import dataclasses
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import pool
from ldn_meta.stats.small_study import (
    MOST_EXACT,
    begg_test,
    egger_test,
    harbord_test,
    peters_test,
    trim_and_fill,
)
from reference_values import CLOSED_FORM, ITERATED, assert_close, generic_sets, reference
from stats.batteries import BCG_TRIALS

SETS = [one for one in generic_sets() if one["reference"]["small_study"]]
each_set = pytest.mark.parametrize("one", SETS, ids=[one["name"] for one in SETS])


def test_seven_sets_are_large_enough():
    assert len(SETS) == 7


@each_set
def test_egger_agrees_with_metafor(one):
    theirs = one["reference"]["small_study"]
    linear = egger_test(one["yi"], one["vi"])
    assert_close(linear.statistic, theirs["egger_lm"]["t"], CLOSED_FORM, "t")
    assert_close(linear.p_value, theirs["egger_lm"]["p_value"], CLOSED_FORM, "p")
    assert linear.df == theirs["egger_lm"]["df"]
    mixed = egger_test(one["yi"], one["vi"], model="mixed")
    assert_close(mixed.statistic, theirs["egger_rma"]["z"], ITERATED, "z")
    assert_close(mixed.p_value, theirs["egger_rma"]["p_value"], ITERATED, "p")
    assert mixed.df == np.inf


@each_set
def test_begg_agrees_with_metafor(one):
    theirs = one["reference"]["small_study"]["begg"]
    ours = begg_test(one["yi"], one["vi"])
    assert_close(ours.kendall_tau, theirs["kendall_tau"], CLOSED_FORM, "tau")
    assert_close(ours.p_value, theirs["p_value"], CLOSED_FORM, "p")
    assert ours.is_exact == (one["name"] != "raudenbush_smd")


@each_set
def test_trim_and_fill_agrees_with_metafor(one):
    theirs = one["reference"]["trim_fill_dl"]
    ours = trim_and_fill(one["yi"], one["vi"], tau2_method="dl", ci_method="wald")
    assert (ours.k_filled, ours.side) == (theirs["k0"], theirs["side"])
    assert ours.filled.k == len(one["yi"]) + theirs["k0"]
    for name in ("estimate", "se", "tau2"):
        assert_close(getattr(ours.filled, name), theirs[name], CLOSED_FORM, name)


def test_filled_trials_are_metafors():
    for one in reference("metafor_pooling_extra")["other_level"]:
        ours = trim_and_fill(one["yi"], one["vi"], tau2_method="dl")
        assert ours.k_filled == one["trim_fill"]["k0"] > 0
        # As there: trials in the order given, imputed ones last.
        assert_close(ours.filled.yi, one["trim_fill"]["yi"], CLOSED_FORM, "yi")
        assert ours.filled.labels[-1] == f"imputed {ours.k_filled}"


def test_filled_trials_mirror_the_trimmed_ones():
    one = SETS[2]
    ours = trim_and_fill(one["yi"], one["vi"])
    extreme = np.sort(one["yi"])[-ours.k_filled :]
    imputed = np.sort(ours.filled.yi[-ours.k_filled :])[::-1]
    np.testing.assert_allclose(extreme + imputed, (extreme + imputed)[0], rtol=1e-12)


def test_begg_exact_p_is_a_count_of_orders():
    """k = 5: of all 120 orders, those with a Kendall tau at least as large."""
    y = np.array([0.9, 0.1, 0.8, 0.35, 0.6])
    v = np.array([0.01, 0.02, 0.05, 0.1, 0.3])
    w = 1 / v
    deviate = (y - (w @ y) / w.sum()) / np.sqrt(v - 1 / w.sum())

    def kendall(order):
        pairs = [(i, j) for i in range(5) for j in range(i)]
        return sum(np.sign((order[i] - order[j]) * (v[i] - v[j])) for i, j in pairs) / 10

    seen = abs(kendall(deviate))
    at_least = [abs(kendall(order)) >= seen - 1e-12 for order in permutations(deviate)]
    ours = begg_test(y, v)
    assert ours.p_value == pytest.approx(np.mean(at_least), rel=1e-12)
    assert abs(ours.kendall_tau) == pytest.approx(seen)


@pytest.mark.parametrize("call", [egger_test, begg_test, trim_and_fill])
def test_few_trials_are_flagged(call):
    one = SETS[0]
    assert call(one["yi"], one["vi"]).notes == ()
    nine = call(one["yi"][:9], one["vi"][:9])
    assert "k = 9 is below 10" in nine.notes[0]
    two = call(one["yi"][:2], one["vi"][:2])
    assert "k = 2" in two.notes[0]
    assert "at least 3" in two.notes[0]


@pytest.mark.parametrize("k", [0, 1, 2])
def test_too_few_trials_give_nan(k):
    y, v = SETS[0]["yi"][:k], SETS[0]["vi"][:k]
    assert np.isnan(egger_test(y, v).p_value)
    assert np.isnan(begg_test(y, v).p_value)
    assert trim_and_fill(y, v).k_filled == 0


def test_equal_variances_have_no_slope():
    y, v = [0.1, 0.5, 0.9, 0.2], [0.04] * 4
    assert np.isnan(egger_test(y, v).p_value)
    assert "all standard errors are equal" in egger_test(y, v).notes[1]
    assert np.isnan(begg_test(y, v).p_value)
    assert "no order to compare" in begg_test(y, v).notes[1]
    assert trim_and_fill(y, v).side == "left"


def test_missing_trials_are_left_aside():
    one = SETS[0]
    y, v = [np.nan, *one["yi"]], [0.1, *one["vi"]]
    note = "trials without an effect or a variance (NaN) were left out"
    for test in (egger_test, begg_test):
        there, missing = test(one["yi"], one["vi"]), test(y, v)
        assert missing.notes == (*there.notes, note)
        assert dataclasses.replace(missing, notes=there.notes) == there
    assert note in trim_and_fill(y, v).notes
    assert (
        trim_and_fill(y, v).filled.estimate == trim_and_fill(one["yi"], one["vi"]).filled.estimate
    )


def test_begg_beyond_the_exact_trials():
    """The exact p-value, which takes time with the cube of the trials, and the one given."""
    rng = np.random.default_rng(5)
    y, v = rng.normal(size=MOST_EXACT), rng.uniform(0.01, 1, MOST_EXACT)
    exact = begg_test(y, v)
    assert exact.is_exact
    one_more = begg_test([*y, 0.1], [*v, 0.5])
    assert not one_more.is_exact
    w = 1 / v
    deviate = (y - w @ y / w.sum()) / np.sqrt(v - 1 / w.sum())
    normal = stats.kendalltau(deviate, v, method="asymptotic").pvalue
    assert exact.p_value == pytest.approx(normal, rel=0.01)
    # Pairs of trials would take 40 GB.
    many = begg_test(np.tile(y, 200) + np.arange(100_000) * 1e-9, np.tile(v, 200))
    assert many.k == 100_000
    assert many.kendall_tau == pytest.approx(exact.kendall_tau, abs=0.005)


def test_filled_trials_keep_their_names():
    y, v = [np.nan, 0.1, 0.2, 0.9], [0.1, 0.02, 0.03, 0.4]
    found = trim_and_fill(y, v)
    kept = ("trial 2", "trial 3", "trial 4")
    assert found.filled.labels == (*kept, *(f"imputed {i + 1}" for i in range(found.k_filled)))
    assert found.k_filled > 0
    named = trim_and_fill(y, v, labels=["a", "b", "c", "d"])
    assert named.filled.labels[:3] == ("b", "c", "d")
    with pytest.raises(ArgumentError, match="labels has 3 entries; allowed: 4"):
        trim_and_fill(y, v, labels=["a", "b", "c"])


def test_the_side_can_be_chosen():
    one = SETS[0]
    left = trim_and_fill(one["yi"], one["vi"], side="left")
    assert left.side == "left"
    mirrored = trim_and_fill(-np.array(one["yi"]), one["vi"], side="right")
    assert mirrored.filled.estimate == pytest.approx(-left.filled.estimate)


def test_bad_input_is_refused():
    one = SETS[0]
    with pytest.raises(ArgumentError, match=r"model='ols' .*lm, mixed"):
        egger_test(one["yi"], one["vi"], model="ols")
    with pytest.raises(ArgumentError, match=r"side='up' .*left, right"):
        trim_and_fill(one["yi"], one["vi"], side="up")
    with pytest.raises(ArgumentError, match=r"vi\[0\]=-1\.0"):
        begg_test([0.1, 0.2], [-1.0, 1.0])
    with pytest.raises(ArgumentError, match=r"allowed: \(k,\)"):
        egger_test([one["yi"]], [one["vi"]])


COUNTED = {
    name: one
    for name, one in reference("rare_events_reference")["sets"].items()
    if one.get("harbord")
}


def counts_of(one):
    return [np.array(one[name]) for name in ("events_1", "n_1", "events_2", "n_2")]


@pytest.mark.parametrize("name", COUNTED)
def test_tests_of_counts_are_regressions_by_lm(name):
    """Harbord as in the paper, Z / sqrt(V) on sqrt(V): R's lm(); Peters by lm() with weights."""
    one = COUNTED[name]
    harbord, peters = harbord_test(*counts_of(one)), peters_test(*counts_of(one))
    for found, theirs, slope in ((harbord, "harbord", "bias"), (peters, "peters", "slope")):
        assert found.model == theirs
        assert found.slope == pytest.approx(one[theirs][slope], rel=1e-9)
        assert found.statistic == pytest.approx(one[theirs]["t"], rel=1e-9)
        assert found.p_value == pytest.approx(one[theirs]["p_value"], rel=1e-9)
        assert found.df == one[theirs]["df"] == found.k - 2


def test_tests_of_counts_by_hand_and_without_a_slope():
    a, n1, c, n2 = (
        np.array(x) for x in ([1, 4, 2, 8], [20, 50, 31, 90], [3, 2, 5, 9], [21, 52, 30, 88])
    )
    y, w = np.log(a * (n2 - c) / (c * (n1 - a))), 1 / (1 / (a + c) + 1 / (n1 + n2 - a - c))
    x = np.column_stack([np.ones(4), 1 / (n1 + n2)])
    b = np.linalg.solve(x.T * w @ x, x.T * w @ y)
    s2 = (w * (y - x @ b) ** 2).sum() / 2
    found = peters_test(a, n1, c, n2)
    assert (found.intercept, found.slope) == pytest.approx(tuple(b))
    assert found.statistic == pytest.approx(b[1] / np.sqrt(s2 * np.linalg.inv(x.T * w @ x)[1, 1]))
    # A trial without events, one with a missing count, and the order of trials change nothing.
    more = [
        np.append(row[::-1], other)
        for row, other in zip((a, n1, c, n2), ([0, 1], [9, 9], [0, np.nan], [8, 8]), strict=True)
    ]
    for test in (harbord_test, peters_test):
        one, other = test(a, n1, c, n2), test(*more)
        assert other.p_value == pytest.approx(one.p_value)
        assert other.k == 4
        assert "without events" in other.notes[-1]
        same = test([1, 2, 3], 20, [2, 3, 2], 20)
        assert np.isnan(same.p_value) == (test is peters_test)
    assert "all sizes are equal" in peters_test([1, 2, 3], 20, [2, 3, 2], 20).notes[-1]
    with pytest.raises(ArgumentError, match="events_1: 3 is above n_1 2"):
        harbord_test(3, 2, 1, 2)


def test_the_filled_pool_is_read_like_every_other():
    found = trim_and_fill([0.1, 0.3, 0.5, 0.9, 1.2], [0.01, 0.02, 0.05, 0.1, 0.2], measure="OR")
    assert (found.estimate, found.ci_low, found.ci_high) == (
        *(found.filled.estimate, found.filled.ci_low, found.filled.ci_high),
    )
    assert found.transformed().estimate == pytest.approx(np.exp(found.estimate))
    assert found.transformed().quantity == "odds ratio"


def test_methods_are_by_default_those_of_the_pool():
    """metafor 3.8: trimfill(rma(yi, vi)) and regtest(rma(yi, vi)) of its BCG_TRIALS trials."""
    filled = trim_and_fill(data=BCG_TRIALS).filled
    # Its REML stops at 1e-5.
    assert filled.estimate == pytest.approx(-0.65708280076, rel=1e-6)
    assert filled.tau2 == pytest.approx(0.331288037337, rel=1e-4)
    assert filled.yi[-1] == pytest.approx(0.3104030240144, rel=1e-5)
    whole = pool(data=BCG_TRIALS)
    assert (filled.tau2_method, filled.ci_method) == (whole.tau2_method, whole.ci_method)
    egger = egger_test(data=BCG_TRIALS, model="mixed")
    assert (egger.statistic, egger.p_value) == pytest.approx((-0.8033, 0.4218), abs=5e-5)


def test_records_of_tests_have_a_summary():
    for found in (
        egger_test(data=BCG_TRIALS),
        begg_test(data=BCG_TRIALS),
        trim_and_fill(data=BCG_TRIALS),
    ):
        shown = found.summary()
        assert "\n- " in shown or not found.notes
        assert "k  " in shown and "13" in shown
    assert "imputed 1" in shown and "pooled effect (SE)" in shown


def test_a_set_that_is_its_own_mirror_lacks_nobody():
    # Distances that only rounding parts share their rank: by every tau2, on either side.
    yi, vi = np.linspace(-0.6, 0.6, 12), [0.1] * 12
    for method in ("dl", "reml", "common"):
        for side in ("left", "right"):
            assert trim_and_fill(yi, vi, side=side, tau2_method=method).k_filled == 0
