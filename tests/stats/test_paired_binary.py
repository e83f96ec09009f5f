import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effect_grids import numbers_of, reference, relative_difference
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects import (
    MATCHED_CODES,
    effect_size,
    marginal_effect,
    matched_effect,
    within_person_correlation,
)

CELLS = ("both", "only_1", "only_2", "neither")
MATCHED = reference("effects_reference")["matched"]
PAIRS = st.tuples(*[st.integers(1, 60)] * 4)


@pytest.mark.parametrize("code", MATCHED_CODES)
def test_matched_effects_equal_metafor(code):
    ours = matched_effect(code, *(MATCHED[cell] for cell in CELLS))
    theirs = MATCHED["effect_sizes"][code]
    assert relative_difference(ours.yi, numbers_of(theirs["yi"])) < 1e-8
    assert relative_difference(ours.vi, numbers_of(theirs["vi"])) < 1e-8
    assert set(MATCHED["effect_sizes"]) == set(MATCHED_CODES)


@pytest.mark.parametrize(
    ("code", "yi", "vi"),
    [
        ("MPRD", 0.0909091, 0.00480841),
        ("MPRR", 0.182322, 0.02),
        ("MPOR", 0.364643, 0.0782222),
        ("MPORC", 0.693147, 0.3),
        ("MPPETO", 0.666667, 0.266667),
    ],
)
def test_matched_effects_of_the_metafor_5_1_oracle(code, yi, vi):
    """Table 20, 10, 5, 20; R metafor 5.1-12, PEERS.md section 4."""
    assert matched_effect(code, 20, 10, 5, 20) == pytest.approx((yi, vi), rel=1e-5)


def test_the_conditional_odds_ratio_is_that_of_mcnemar():
    from statsmodels.stats.contingency_tables import StratifiedTable

    # Each pair is a 2x2 stratum; Mantel-Haenszel over pairs is McNemar's odds ratio.
    pairs = [(1, 0, 1, 0)] * 4 + [(1, 0, 0, 1)] * 10 + [(0, 1, 1, 0)] * 5 + [(0, 1, 0, 1)] * 6
    strata = np.array(pairs, dtype=float).reshape(-1, 2, 2)
    pooled = StratifiedTable(list(strata)).logodds_pooled
    assert matched_effect("MPORC", 4, 10, 5, 6).yi == pytest.approx(pooled)


@given(PAIRS)
def test_margins_and_correlation_carry_all_of_the_full_table(cells):
    a, b, c, d = cells
    n = a + b + c + d
    phi = within_person_correlation(*cells)
    for measure in ("OR", "RR", "RD"):
        full = matched_effect(f"MP{measure}", *cells)
        found = marginal_effect(measure, a + b, a + c, n, correlation=phi)
        assert (found.yi, found.vi) == pytest.approx((full.yi, full.vi), rel=1e-7, abs=1e-12)
        assert not found.is_unpaired


@given(PAIRS)
def test_phi_is_the_pearson_correlation_of_the_answers(cells):
    a, b, c, d = cells
    one = np.repeat([1, 1, 0, 0], cells)
    two = np.repeat([1, 0, 1, 0], cells)
    assert within_person_correlation(a, b, c, d) == pytest.approx(np.corrcoef(one, two)[0, 1])


@given(st.integers(2, 200), st.data())
def test_without_correlation_the_variance_is_that_of_two_groups(n, data):
    x1, x2 = (data.draw(st.integers(0, n)) for _ in range(2))
    for measure in ("OR", "RR", "RD"):
        found = marginal_effect(measure, x1, x2, n)
        apart = effect_size(measure, events_1=x1, n_1=n, events_2=x2, n_2=n)
        assert (found.yi, found.vi) == pytest.approx(apart, abs=1e-12)
        assert found.is_unpaired
        assert "conservative" in found.notes[0]
        paired = marginal_effect(measure, x1, x2, n, correlation=0.05)
        assert np.isnan(paired.vi) or paired.vi < found.vi


def test_elbourne_2002_by_hand():
    """Becker-Balagtas variance in counts, table 20, 10, 5, 20: 1/30 + 1/25 + 1/25 + 1/30 - ..."""
    n, s = 55, 20
    p1, p2 = 30 / n, 25 / n
    delta = n**2 * (s / n - p1 * p2)
    counts = 1 / 30 + 1 / 25 + 1 / 25 + 1 / 30
    expected = counts - 2 * delta / n * n**2 / (30 * 25 * 25 * 30)
    phi = within_person_correlation(20, 10, 5, 20)
    found = marginal_effect("OR", 30, 25, n, correlation=phi)
    assert found.vi == pytest.approx(expected)
    assert found.vi == pytest.approx(0.0782222, abs=5e-8)


def test_impossible_correlations_give_no_variance_and_say_so():
    found = marginal_effect("OR", [30, 20], 25, 55, correlation=[0.9, 0.5])
    assert np.isnan(found.vi[0]) and found.vi[1] > 0
    assert np.isfinite(found.yi).all()
    assert any("cannot have the correlation" in note for note in found.notes)
    # Equal margins allow a correlation of 1: then nobody changes.
    assert marginal_effect("RD", 20, 20, 40, correlation=1.0).vi == 0


def test_empty_cells_are_corrected_and_announced():
    found = marginal_effect("OR", 0, 5, 20, correlation=0.1)
    assert np.isfinite(found.yi) and found.vi > 0
    assert any("0.5 was added" in note for note in found.notes)
    assert matched_effect("MPORC", 20, 0, 5, 20).yi == pytest.approx(np.log(0.5 / 5.5))


def test_shapes_missing_values_and_equality():
    found = marginal_effect("RR", [[30], [np.nan]], [20, 25], 55, correlation=0.3)
    assert found.yi.shape == found.vi.shape == (2, 2)
    assert np.isnan(found.vi[1]).all()
    assert not any("cannot" in note for note in found.notes)
    assert found == marginal_effect("RR", [[30], [np.nan]], [20, 25], 55, correlation=0.3)
    assert found != marginal_effect("RR", [[30], [np.nan]], [20, 25], 55, correlation=0.4)
    one = marginal_effect("RR", 30, 25, 55)
    assert type(one.yi) is float and type(one.vi) is float
    assert np.isnan(within_person_correlation(5, 0, 0, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: marginal_effect("HR", 1, 1, 5), "measure='HR' is not known; allowed: OR, RR, RD"),
        (lambda: marginal_effect("OR", 6, 1, 5), "events_1: 6 is above n 5"),
        (lambda: marginal_effect("OR", 1, 1, 5, correlation=2), "correlation: 2 is not allowed"),
        (lambda: matched_effect("MPHR", 1, 1, 1, 1), "code='MPHR' is not known"),
        (lambda: matched_effect("MPOR", -1, 1, 1, 1), "both: -1 is not allowed"),
        (lambda: matched_effect("MPOR", 0, 0, 0, 0), "numbers above 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
