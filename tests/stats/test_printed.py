"""What printed numbers stand for: decimals, rounding, p-values, percentages, 2x2 tables."""

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from scipy import stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats import printed as c
from ldn_meta.stats.convert import ci_from_se
from stats.batteries import anew, sizes


@pytest.mark.parametrize(
    ("text", "decimals"), [("-0.30", 2), ("5", 0), ("+1.5", 1), (" .05 ", 2), ("10.", 0)]
)
def test_printed_decimals(text, decimals):
    assert c.printed_decimals(text) == decimals


@pytest.mark.parametrize("decimals", range(5))
def test_a_number_lies_in_the_interval_of_its_print(decimals, seed=1):
    values = np.random.default_rng(seed).uniform(-1000, 1000, 200)
    low, high = c.rounded_interval(np.round(values, decimals), decimals)
    assert (low - 1e-9 <= values).all() and (values <= high + 1e-9).all()


def test_centre_check_of_published_intervals():
    assert c.estimate_is_centred(1.37, 1.03, 1.82, is_ratio=True, tolerance=0, decimals=2)
    assert not c.estimate_is_centred(1.37, 1.03, 1.82, tolerance=0, decimals=2)
    assert c.estimate_is_centred(-0.11, -0.96, 0.74, tolerance=0, decimals=2)
    assert not c.estimate_is_centred(-0.11, -0.96, 0.78, tolerance=0, decimals=2)
    assert c.estimate_is_centred(-0.11, -0.96, 0.78)
    assert not c.estimate_is_centred(np.nan, 0, 1)
    found = c.estimate_is_centred([0.5, 0.9], [0, 0], [1, 1])
    assert found.tolist() == [True, False]


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_whatever_is_printed_from_one_interval_is_centred(decimals, seed=2):
    rng = np.random.default_rng(seed)
    estimate, se = rng.choice([-1, 1], 300) * 10 ** rng.uniform(-3, 1.7, (2, 300))
    printed = np.round([estimate, *ci_from_se(estimate, abs(se))], decimals)
    assert c.estimate_is_centred(*printed, decimals=decimals, tolerance=0).all()
    ratio, spread = 10 ** rng.uniform(-1.3, 1.3, 300), rng.uniform(0.05, 2, 300)
    printed = np.round(np.exp([np.log(ratio), *ci_from_se(np.log(ratio), spread)]), decimals)
    above = printed[:, printed.min(axis=0) > 0]
    assert c.estimate_is_centred(*above, is_ratio=True, decimals=decimals, tolerance=0).all()


def prints_as(count, n, decimals, rounding):
    exact = Decimal(100 * count) / Decimal(n)
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)


@pytest.mark.parametrize("decimals", [0, 1, 2])
@sizes("people", (1, 2, 7, 8, 40, 64, 125, 200), range(1, 301))
def test_counts_are_exactly_those_that_round_to_the_percentage(decimals, people, seed=3):
    rng = np.random.default_rng(seed)
    for n in people:
        expected = {}
        for count in range(n + 1):
            for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
                expected.setdefault(prints_as(count, n, decimals, rounding), set()).add(count)
        top = 100 * 10**decimals
        steps = {*range(101), *rng.integers(0, top + 1, 20).tolist()}
        for step in steps | {int(x.scaleb(decimals)) for x in expected}:
            value = Decimal(step).scaleb(-decimals)
            found = c.counts_from_percent(float(value), decimals, n)
            assert found == tuple(sorted(expected.get(value, ()))), (value, n)


def test_every_count_is_found_from_its_own_percentage(seed=4):
    rng = np.random.default_rng(seed)
    for n in rng.integers(1, 5000, 100).tolist():
        count, decimals = int(rng.integers(0, n + 1)), int(rng.integers(0, 4))
        for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
            printed = float(prints_as(count, n, decimals, rounding))
            assert count in c.counts_from_percent(printed, decimals, n)


def test_ties_and_impossible_percentages():
    # 100 x 1/8 = 12.5: half up prints 13, half to even prints 12.
    assert c.counts_from_percent(13, 0, 8) == (1,)
    assert c.counts_from_percent(12, 0, 8) == (1,)
    assert c.counts_from_percent(11, 0, 8) == ()
    assert c.counts_from_percent(0, 0, 5) == (0,)
    assert c.counts_from_percent(100, 1, 31) == (31,)


TABLES = [(10, 31, 3, 28), (0, 20, 5, 25), (20, 20, 5, 25), (3, 9, 4, 9), (50, 400, 20, 390)]


@pytest.mark.parametrize("table", TABLES)
def test_two_by_two_tests_against_scipy(table):
    a, n1, b, n2 = table
    cells = np.array([[a, n1 - a], [b, n2 - b]])
    for ours, corrected in ((c.chi_squared_p, False), (c.chi_squared_corrected_p, True)):
        theirs = stats.chi2_contingency(cells, correction=corrected).pvalue
        assert ours(*table) == pytest.approx(theirs, rel=1e-10)
    assert c.fisher_p(*table) == pytest.approx(stats.fisher_exact(cells).pvalue, rel=1e-10)


def test_two_by_two_tests_have_no_answer_without_a_margin():
    assert np.isnan(c.chi_squared_p(0, 10, 0, 12))
    assert c.fisher_p(0, 10, 0, 12) == 1.0
    assert np.isnan(c.fisher_p(np.nan, 10, 0, 12))
    with pytest.raises(ArgumentError, match=r"events_1: 1\.5 is not allowed; allowed: whole"):
        c.fisher_p(1.5, 10, 0, 12)


def test_more_facts_leave_fewer_pairs_of_counts():
    """57% of 214 against 43% of 107 leaves three pairs; a total or a p-value picks among them."""
    wide = c.joint_counts(57, 214, 43, 107, decimals=0)
    assert len(wide) == 3
    by_total = c.joint_counts(57, 214, 43, 107, decimals=0, events_total=168)
    assert [(found.events_1, found.events_2) for found in by_total] == [(122, 46)]
    p = c.chi_squared_p(122, 214, 46, 107)
    by_p = c.joint_counts(57, 214, 43, 107, decimals=0, p=c.rounded_interval(round(p, 4), 4))
    assert set(by_p) <= {c.JointCount(f.events_1, 214, f.events_2, 107, f.tests) for f in by_p}
    assert (122, 46) in [(found.events_1, found.events_2) for found in by_p]
    assert len(by_p) < len(wide)
    assert all(found.tests for found in by_p)


def test_unknown_arm_sizes_are_searched_within_their_total():
    found = c.joint_counts(25, range(10, 31), 60, range(10, 31), decimals=0, n_total=40)
    assert c.JointCount(5, 20, 12, 20) in found
    assert {pair.n_1 + pair.n_2 for pair in found} == {40}
    assert c.joint_counts(33, 10, 60, 10, decimals=0) == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: c.counts_from_percent(32.5, 0, 31), "percent: 32.5 has more than 0 decimals"),
        (lambda: c.counts_from_percent(132, 0, 31), "percent: 132 is not allowed"),
        (lambda: c.counts_from_percent(32, 0, 31.5), "n: 31.5 is not allowed"),
        (lambda: c.counts_from_percent(32, -1, 31), "decimals: -1 is not allowed"),
        (lambda: c.counts_from_percent("32", 0, 31), "percent: '32' is not allowed"),
        (lambda: c.p_interval("~", 0.05), "relation='~' is not known; allowed: =, <, <="),
        (lambda: c.printed_decimals("0.3 to 0.4"), "text: '0.3 to 0.4' is not allowed"),
        (lambda: c.joint_counts(1, 9, 1, 9, decimals=0, tests=["t"]), "tests='t' is not known"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


globals().update(
    anew(
        test_a_number_lies_in_the_interval_of_its_print,
        test_whatever_is_printed_from_one_interval_is_centred,
        test_every_count_is_found_from_its_own_percentage,
    )
)
