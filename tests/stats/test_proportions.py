"""Proportions and numbers needed to treat: printed tables, R, scipy, definitions, refusals."""

import math
import pickle
import re
from itertools import product

import numpy as np
import pytest
from scipy import stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.proportions import (
    absolute_effect_from_odds_ratio,
    absolute_effect_from_risk_ratio,
    clopper_pearson_interval,
    natural_frequencies,
    number_needed_to_treat,
    proportion_from_arcsine,
    proportion_from_freeman_tukey,
    proportion_from_logit,
    risk_difference_interval,
    risk_differences_from_nnt,
    wilson_interval,
)
from reference_values import numbers_of, reference, relative_difference
from stats.batteries import anew


def groups(seed):
    """Events and people: everybody, nobody and anything between, in groups of 1 to 2000."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 2001, 300)
    events = np.floor(rng.random(300) * (n + 1))
    events[:20], events[20:40] = 0, n[20:40]
    return events, n


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_of_newcombe_1998(events, n, low, high):
    """Newcombe 1998, Stat Med 17:857, table I, method 3."""
    assert np.round(wilson_interval(events, n), 4).tolist() == [low, high]


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_wilson_interval_against_scipy(level, seed=1):
    events, sizes = groups(seed)
    low, high = wilson_interval(events, sizes, level=level)
    for i, (x, n) in enumerate(zip(events[::5].astype(int), sizes[::5], strict=True)):
        theirs = stats.binomtest(x, n).proportion_ci(level, method="wilson")
        assert (low[5 * i], high[5 * i]) == pytest.approx(theirs, rel=1e-9, abs=1e-15)


def test_wilson_bounds_solve_their_own_equation(seed=1):
    """The bounds are the p at which the score test of the observed p reaches z."""
    events, sizes = groups(seed)
    z2 = stats.norm.ppf(0.975) ** 2
    for p in wilson_interval(events, sizes):
        reached = z2 * p * (1 - p) / sizes
        np.testing.assert_allclose((events / sizes - p) ** 2, reached, atol=1e-12)


def test_clopper_pearson_bounds_solve_their_own_equation(seed=1):
    """As many events or more have probability 0.025 at the low bound, or fewer at the high."""
    events, sizes = groups(seed)
    low, high = clopper_pearson_interval(events, sizes)
    some, most = events > 0, events < sizes
    reached = stats.binom.sf(events - 1, sizes, low)[some]
    np.testing.assert_allclose(reached, 0.025, rtol=1e-8)
    np.testing.assert_allclose(stats.binom.cdf(events, sizes, high)[most], 0.025, rtol=1e-8)
    assert ((low == 0) == ~some).all()
    assert ((high == 1) == ~most).all()


def test_wilson_interval_over_arrays():
    found = wilson_interval([[0], [5]], [5, 10], level=0.9)
    assert found.low.shape == (2, 2)
    assert found.low[0].tolist() == [0, 0]
    assert found.high[1, 0] == 1
    assert np.isnan(wilson_interval(np.nan, 5).low)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_risk_difference_interval_of_newcombe_1998(table, low, high):
    """Newcombe 1998, Stat Med 17:873, table II, method 10."""
    assert np.round(risk_difference_interval(*table), 4).tolist() == [low, high]


def test_back_transforms_equal_metafor():
    pinned = reference("effects_reference")["back_transforms"]
    value, n = np.array(pinned["value"]), np.array(pinned["n"])
    for ours, theirs in (
        (proportion_from_freeman_tukey(value, n), pinned["proportion"]),
        (proportion_from_arcsine(value), pinned["arcsine"]),
        (proportion_from_logit(value), pinned["logit"]),
    ):
        assert relative_difference(ours, numbers_of(theirs)) < 1e-8
    assert {0.0, 1.0} < set(pinned["proportion"])


def test_transformed_proportions_come_back(seed=1):
    events, sizes = groups(seed)
    share = events / sizes
    for code, back in (
        ("PFT", lambda yi: proportion_from_freeman_tukey(yi, sizes)),
        ("PAS", proportion_from_arcsine),
    ):
        found = back(effect_size(code, events=events, n=sizes).yi)
        np.testing.assert_allclose(found, share, rtol=1e-9, atol=1e-9)
    inner = (events > 0) & (events < sizes)
    found = proportion_from_logit(effect_size("PLO", events=events, n=sizes).yi)
    np.testing.assert_allclose(found[inner], share[inner], rtol=1e-9)


def test_miller_1978_pooled():
    """Miller 1978, Am Stat 32:138: pooled 0.3164 unweighted, 0.3595 weighted."""
    n = np.array([11, 17, 21, 6])
    harmonic = 4 / np.sum(1 / n)
    yi, vi = effect_size("PFT", events=[3, 6, 10, 1], n=n)
    assert proportion_from_freeman_tukey(yi.mean(), harmonic) == pytest.approx(0.3164, abs=5e-5)
    weighted = np.average(yi, weights=1 / vi)
    assert proportion_from_freeman_tukey(weighted, harmonic) == pytest.approx(0.3595, abs=5e-5)


def test_values_beyond_the_scale_are_its_ends():
    assert proportion_from_arcsine([-0.1, 2.0]).tolist() == [0, 1]
    assert proportion_from_freeman_tukey([-0.1, 2.0], 20).tolist() == [0, 1]


def test_natural_frequencies_round_only_in_the_sentence():
    found = natural_frequencies(10 / 31, 0.11)
    assert found.people_1 == pytest.approx(322.58, abs=0.01)
    assert found.text() == "323 of 1,000 with treatment, 110 of 1,000 with control: 213 more"
    assert found.text(treatment="a drug", control="sugar").endswith("with sugar: 213 more")
    assert natural_frequencies(0.2, 0.25, per=100).text().endswith(": 5 fewer")
    assert natural_frequencies(0.2, 0.2).text().endswith(": no difference")
    assert natural_frequencies(np.nan, 0.2).text() == "not known"


def test_altman_1998():
    """Altman 1998, BMJ 317:1309: ARR 10% (-5% to 25%) is NNTB 10, NNTB 4 through NNTH 20."""
    found = number_needed_to_treat(0.10, -0.05, 0.25)
    assert found.crosses_infinity
    assert (found.signed, found.best, found.worst) == (10, 4, -20)
    assert str(found) == "NNTB 10 (NNTB 4 to infinity to NNTH 20)"


@pytest.mark.parametrize(
    ("rd", "text_if_wanted", "text_if_unwanted"),
    [
        ((0.25, 0.1, 0.4), "NNTB 4 (NNTB 3 to NNTB 10)", "NNTH 4 (NNTH 10 to NNTH 3)"),
        ((0.2, 0.0, 0.4), "NNTB 5 (NNTB 3 to infinity)", "NNTH 5 (infinity to NNTH 3)"),
        (
            (-0.1, -0.25, 0.05),
            "NNTH 10 (NNTB 20 to infinity to NNTH 4)",
            "NNTB 10 (NNTB 4 to infinity to NNTH 20)",
        ),
        ((-0.1, -0.25, 0.0), "NNTH 10 (infinity to NNTH 4)", "NNTB 10 (NNTB 4 to infinity)"),
        (
            (0.0, -0.1, 0.1),
            "infinity (NNTB 10 to infinity to NNTH 10)",
            "infinity (NNTB 10 to infinity to NNTH 10)",
        ),
        ((0.125,), "NNTB 8 (interval not known)", "NNTH 8 (interval not known)"),
        ((math.nan,), "not known (interval not known)", "not known (interval not known)"),
        ((0.9, 0.5, 1.2), "NNTB 1 (NNTB 1 to NNTB 2)", "NNTH 1 (NNTH 2 to NNTH 1)"),
    ],
)
def test_every_position_of_the_interval(rd, text_if_wanted, text_if_unwanted):
    assert number_needed_to_treat(*rd).text() == text_if_wanted
    assert number_needed_to_treat(*rd, benefit_sign=-1).text() == text_if_unwanted


def test_rounding_is_left_to_the_text():
    found = number_needed_to_treat(0.3, 0.2, 0.45)
    assert found.signed == 1 / 0.3
    assert found.text(decimals=1) == "NNTB 3.3 (NNTB 2.2 to NNTB 5.0)"
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("sign", [1, -1])
def test_the_record_keeps_the_difference_it_came_from(sign, seed=4):
    rng = np.random.default_rng(seed)
    ends = 0.0, 0.5, 1e-3, 1e-99, *rng.uniform(0, 0.5, 4)
    for rd, below, above in product((0.0, 1.0, -1.0, 1e-3, *rng.uniform(-1, 1, 6)), ends, ends):
        found = number_needed_to_treat(rd, rd - below, rd + above, benefit_sign=sign)
        assert found.rd == rd
        assert rd == 0 or sign / found.signed == pytest.approx(rd)
        assert abs(found.best) >= 1 and abs(found.worst) >= 1
        if min(abs(rd - below), abs(rd + above)) > 1e-300:
            assert 1 / found.best >= 1 / found.worst
        assert found.crosses_infinity == (rd - below < 0 < rd + above)
        assert ("to infinity to" in found.text()) == found.crosses_infinity


@pytest.mark.parametrize("decimals", [0, 1])
def test_a_printed_number_needed_to_treat_comes_back(decimals, seed=5):
    step = 10**decimals
    for rd in np.random.default_rng(seed).uniform(0.002, 0.9, 60):
        rounded_up = math.ceil(round(step / rd, 9)) / step
        nearest = math.floor(step / rd + 0.5) / step
        for printed, rounding in ((rounded_up, "up"), (nearest, "nearest")):
            for kind in (rounding, "either"):
                low, high = risk_differences_from_nnt(printed, decimals=decimals, rounding=kind)
                assert low * (1 - 1e-9) <= rd <= high * (1 + 1e-9)


def test_intervals_of_a_printed_number_needed_to_treat():
    assert risk_differences_from_nnt(5, rounding="nearest") == (1 / 5.5, 1 / 4.5)
    assert risk_differences_from_nnt(5, rounding="up") == (1 / 5, 1 / 4)
    assert risk_differences_from_nnt(5) == (1 / 5.5, 1 / 4)
    assert risk_differences_from_nnt(1) == (1 / 1.5, 1)


def test_absolute_effects_agree_with_the_table_they_came_from(seed=3):
    rng = np.random.default_rng(seed)
    n_1, n_2 = rng.integers(1, 201, (2, 300))
    a, c = np.floor(rng.random(300) * (n_1 + 1)), 1 + np.floor(rng.random(300) * n_2)
    p1, p2 = a / n_1, c / n_2
    found = absolute_effect_from_risk_ratio(p1 / p2, p2)
    np.testing.assert_allclose(found, (p1, p1 - p2), atol=1e-12)
    odds = np.exp(effect_size("OR", events_1=a, n_1=n_1, events_2=c, n_2=n_2).yi)
    some = (a > 0) & (a < n_1) & (c < n_2)
    found = absolute_effect_from_odds_ratio(odds[some], p2[some])
    np.testing.assert_allclose(found, (p1[some], (p1 - p2)[some]), atol=1e-9)


def test_risks_never_leave_0_to_1():
    assert absolute_effect_from_risk_ratio([0.5, 3.0], 0.5).risk.tolist() == [0.25, 1.0]
    assert absolute_effect_from_odds_ratio([0.0, 2.0], [0.3, 1.0]).risk.tolist() == [0.0, 1.0]
    assert np.isnan(absolute_effect_from_odds_ratio(0.0, 1.0).risk)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson_interval(6, 5), "events: 6 is above n 5"),
        (lambda: wilson_interval(0, 0), "n: 0 is not allowed"),
        (lambda: wilson_interval(1, 5, level=1), "level: 1 is not allowed; numbers below 1"),
        (lambda: natural_frequencies(1.2, 0.1), "risk_1: 1.2 is not allowed"),
        (lambda: natural_frequencies(0.2, 0.1, per=0), "per: 0 is not allowed"),
        (lambda: proportion_from_freeman_tukey(0.5, 0), "n: 0 is not allowed"),
        (lambda: clopper_pearson_interval(3, 2), "events: 3 is above n 2"),
        (lambda: number_needed_to_treat(0.1, 0.2, 0.3), "rd: 0.1 is outside its interval"),
        (lambda: number_needed_to_treat(1.1), "rd: 1.1 is not allowed"),
        (lambda: number_needed_to_treat(0.1, benefit_sign=0), "benefit_sign: 0 is not allowed"),
        (lambda: risk_differences_from_nnt(0.5), "nnt: 0.5 is not allowed"),
        (lambda: risk_differences_from_nnt(5, rounding="down"), "rounding='down' is not known"),
        (lambda: absolute_effect_from_risk_ratio(-1, 0.2), "risk_ratio: -1 is not allowed"),
        (lambda: absolute_effect_from_odds_ratio(1, 2), "baseline_risk: 2 is not allowed"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


globals().update(
    anew(
        test_wilson_interval_against_scipy,
        test_wilson_bounds_solve_their_own_equation,
        test_clopper_pearson_bounds_solve_their_own_equation,
        test_transformed_proportions_come_back,
        test_the_record_keeps_the_difference_it_came_from,
        test_a_printed_number_needed_to_treat_comes_back,
        test_absolute_effects_agree_with_the_table_they_came_from,
    )
)
