import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.proportions import (
    absolute_effect_from_odds_ratio,
    absolute_effect_from_risk_ratio,
    number_needed_to_treat,
    risk_differences_from_nnt,
)


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


@given(st.floats(-1, 1), st.floats(0, 0.5), st.floats(0, 0.5), st.sampled_from([1, -1]))
def test_the_record_keeps_the_difference_it_came_from(rd, below, above, sign):
    found = number_needed_to_treat(rd, rd - below, rd + above, benefit_sign=sign)
    assert found.rd == rd
    if abs(rd) > 1e-300:
        assert sign / found.signed == pytest.approx(rd)
    assert abs(found.best) >= 1 and abs(found.worst) >= 1
    if min(abs(rd - below), abs(rd + above)) > 1e-300:
        assert 1 / found.best >= 1 / found.worst
    assert found.crosses_infinity == (rd - below < 0 < rd + above)
    assert ("to infinity to" in found.text()) == found.crosses_infinity


@given(st.floats(0.002, 0.9), st.integers(0, 1))
def test_a_printed_number_needed_to_treat_comes_back(rd, decimals):
    step = 10**decimals
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


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_absolute_effects_agree_with_the_table_they_came_from(n_1, n_2, data):
    a, c = data.draw(st.integers(0, n_1)), data.draw(st.integers(1, n_2))
    p1, p2 = a / n_1, c / n_2
    found = absolute_effect_from_risk_ratio(p1 / p2, p2)
    assert found == pytest.approx((p1, p1 - p2), abs=1e-12)
    if 0 < a < n_1 and c < n_2:
        odds = math.exp(effect_size("OR", events_1=a, n_1=n_1, events_2=c, n_2=n_2).yi)
        assert absolute_effect_from_odds_ratio(odds, p2) == pytest.approx((p1, p1 - p2), abs=1e-9)


def test_risks_never_leave_0_to_1():
    assert absolute_effect_from_risk_ratio([0.5, 3.0], 0.5).risk.tolist() == [0.25, 1.0]
    assert absolute_effect_from_odds_ratio([0.0, 2.0], [0.3, 1.0]).risk.tolist() == [0.0, 1.0]
    assert np.isnan(absolute_effect_from_odds_ratio(0.0, 1.0).risk)


@pytest.mark.parametrize(
    ("call", "message"),
    [
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
