import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from effect_grids import numbers_of, reference, relative_difference
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.proportions import (
    natural_frequencies,
    proportion_from_arcsine,
    proportion_from_freeman_tukey,
    proportion_from_logit,
    risk_difference_interval,
    wilson_interval,
)

COUNTS = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


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


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.999]))
def test_wilson_interval_against_scipy(counts, level):
    theirs = stats.binomtest(*counts).proportion_ci(level, method="wilson")
    assert wilson_interval(*counts, level=level) == pytest.approx(
        (theirs.low, theirs.high), rel=1e-9, abs=1e-15
    )


@given(COUNTS)
def test_wilson_bounds_solve_their_own_equation(counts):
    """The bounds are the p at which the score test of the observed p reaches z."""
    events, n = counts
    z2 = stats.norm.ppf(0.975) ** 2
    for p in wilson_interval(events, n):
        assert (events / n - p) ** 2 == pytest.approx(z2 * p * (1 - p) / n, abs=1e-12)


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


@given(COUNTS)
def test_transformed_proportions_come_back(counts):
    events, n = counts
    p = events / n
    assert proportion_from_freeman_tukey(
        effect_size("PFT", events=events, n=n).yi, n
    ) == pytest.approx(p, abs=1e-9)
    assert proportion_from_arcsine(effect_size("PAS", events=events, n=n).yi) == pytest.approx(p)
    if 0 < events < n:
        assert proportion_from_logit(effect_size("PLO", events=events, n=n).yi) == pytest.approx(p)


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
    assert found.text(treatment="naltrexone", control="placebo").endswith("with placebo: 213 more")
    assert natural_frequencies(0.2, 0.25, per=100).text().endswith(": 5 fewer")
    assert natural_frequencies(0.2, 0.2).text().endswith(": no difference")
    assert natural_frequencies(np.nan, 0.2).text() == "not known"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson_interval(6, 5), "events: 6 is above n 5"),
        (lambda: wilson_interval(0, 0), "n: 0 is not allowed"),
        (lambda: wilson_interval(1, 5, level=1), "level: 1 is not allowed; numbers below 1"),
        (lambda: natural_frequencies(1.2, 0.1), "risk_1: 1.2 is not allowed"),
        (lambda: natural_frequencies(0.2, 0.1, per=0), "per: 0 is not allowed"),
        (lambda: proportion_from_freeman_tukey(0.5, 0), "n: 0 is not allowed"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
