"""People an adequately powered trial needs: R, published numbers, the definition itself."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.sequential import information_size_of_means, information_size_of_risks

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "information_size.json").read_text(encoding="utf-8")
)


def cases(kind):
    table = REFERENCE[kind]
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def test_the_reference_is_the_full_grid():
    assert len(cases("risks")) == 5 * 3 * 2 * 2
    assert len(cases("means")) == 3 * 3 * 2 * 2
    assert {"call", "R", "script"} <= set(REFERENCE["source"])


@pytest.mark.parametrize("case", cases("risks"), ids=lambda c: f"{c['risk_1']}-{c['risk_2']:.3g}")
def test_risks_as_power_prop_test(case):
    found = information_size_of_risks(
        case["risk_1"], case["risk_2"], alpha=case["alpha"], power=case["power"]
    )
    assert found == 2 * math.ceil(case["per_arm"])


@pytest.mark.parametrize("case", cases("means"), ids=lambda c: f"{c['difference']}-{c['sd']}")
def test_means_as_the_power_of_the_z_test(case):
    found = information_size_of_means(
        case["difference"], case["sd"], alpha=case["alpha"], power=case["power"]
    )
    assert found == 2 * math.ceil(case["per_arm"])


def test_by_hand():
    # 2 (1.959964 + 0.841621)^2 2^2 / 1^2 = 62.79 an arm.
    assert information_size_of_means(1.0, 2.0) == 2 * 63
    assert information_size_of_means(-1.0, 2.0) == 2 * 63
    # KCE process book, section 5.5.4, read off a figure: about 2000 for a control risk of 0.2 and
    # a relative reduction of 25%.
    assert 1500 < information_size_of_risks(0.2, 0.15) < 2000


@given(difference=st.floats(0.05, 5), sd=st.floats(0.1, 10), power=st.floats(0.6, 0.99))
def test_the_size_satisfies_its_definition(difference, sd, power):
    per_arm = information_size_of_means(difference, sd, power=power) / 2

    def power_of(n):
        return ndtr(difference / (sd * math.sqrt(2 / n)) - ndtri(0.975))

    assert power_of(per_arm) >= power - 1e-9
    assert per_arm == 1 or power_of(per_arm - 1) < power + 1e-9


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_risks_do_not_care_which_arm_is_first(a, b):
    assert information_size_of_risks(a, b) == information_size_of_risks(b, a)


def test_what_is_missing_or_equal():
    found = information_size_of_means([0.0, math.nan, 1.0], 2.0)
    np.testing.assert_array_equal(found, [math.inf, math.nan, 126])
    found = information_size_of_risks([0.2, math.nan], 0.2)
    np.testing.assert_array_equal(found, [math.inf, math.nan])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: information_size_of_means(1.0, 0.0), "sd: 0 is not allowed"),
        (lambda: information_size_of_means(1.0, 1.0, alpha=0.0), "alpha: 0 is not allowed"),
        (lambda: information_size_of_means(1.0, 1.0, power=1.0), "power: 1 is not allowed"),
        (lambda: information_size_of_risks(1.2, 0.1), "risk_1: 1.2 is not allowed"),
        (lambda: information_size_of_risks(0.1, -0.1), "risk_2: -0.1 is not allowed"),
        (lambda: information_size_of_risks(0.1, "x"), "risk_2: 'x' has type"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
