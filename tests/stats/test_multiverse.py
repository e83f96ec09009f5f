"""Numbered analyses, choice of effects in one go, and what moves the answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.multiverse import (
    NOTHING,
    combined,
    digits,
    first_choices,
    share_explained,
    weighted_quantiles,
)
from stats.batteries import SEEDS, anew


@pytest.mark.parametrize("sizes", [[1], [5], [2, 3], [3, 1, 4], [2, 2, 5, 3], [4, 1, 1, 2, 3, 2]])
def test_numbers_and_digits_are_inverse_and_the_last_node_counts_fastest(sizes):
    count = int(np.prod(sizes))
    options = digits(np.arange(count), sizes)
    assert options[0].tolist() == [0] * len(sizes)
    assert options[-1].tolist() == [size - 1 for size in sizes]
    assert np.array_equal(combined(options, sizes), np.arange(count))
    assert np.array_equal(options, np.array(list(np.ndindex(*sizes))))


@pytest.mark.slow
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_numbers_and_digits_of_any_sizes(sizes):
    test_numbers_and_digits_are_inverse_and_the_last_node_counts_fastest(sizes)


@pytest.mark.parametrize(("index", "sizes"), [([6], [2, 3]), ([-1], [2, 3]), ([0], [2, 0])])
def test_numbers_of_no_analysis_are_refused(index, sizes):
    with pytest.raises(ArgumentError, match="is not allowed; allowed:"):
        digits(index, sizes)


@pytest.mark.parametrize("seed", range(20))
def test_choices_are_those_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    m, c, trials = rng.integers(1, [5, 9, 5])
    barred = rng.random((m, c)) < rng.random()
    rank, trial = rng.integers(0, 4, (m, c)) * 1.0, rng.integers(0, trials, c)
    chosen = first_choices(barred, rank, trial, trials)
    for row in range(m):
        for number in range(trials):
            own = [i for i in range(c) if trial[i] == number and not barred[row, i]]
            best = min(own, key=lambda i: (rank[row, i], i)) if own else NOTHING
            assert chosen[row, number] == best


@pytest.mark.slow
@given(SEEDS)
def test_choices_of_any_seed_are_those_of_a_loop(seed):
    test_choices_are_those_of_a_loop(seed)


def test_one_node_decides_everything_or_nothing():
    # Two options with estimates 1, 1 and 3, 3: all variance lies between them.
    assert share_explained([2, 6], [2, 18], [2, 2]) == pytest.approx(1.0)
    # 1, 3 and 1, 3: none does.
    assert share_explained([4, 4], [10, 10], [2, 2]) == 0.0
    # 0, 2 and 1, 5: means 1 and 3, between (1 + 1) / 2 = 1; all: mean 2, 30/4 - 4 = 3.5.
    assert share_explained([2, 6], [4, 26], [2, 2]) == pytest.approx(1 / 3.5)
    assert np.isnan(share_explained([2, 2], [2, 2], [2, 2]))
    assert np.isnan(share_explained([0, 0], [0, 0], [0, 0]))
    # An option without a result weighs nothing.
    assert share_explained([2, 6, 0], [2, 18, 0], [2, 2, 0]) == pytest.approx(1.0)


def test_shares_of_a_full_design_add_up_to_at_most_one(seed=1):
    for values in np.round(np.random.default_rng(seed).uniform(-9, 9, (200, 3, 4)), 3):
        shares = [
            share_explained(values.sum(axis), (values**2).sum(axis), np.full(n, 12 / n))
            for axis, n in ((1, 3), (0, 4))
        ]
        assert all(0 <= share <= 1 for share in shares)
        assert sum(shares) <= 1 + 1e-9


def test_quantiles_of_values_that_stand_for_several():
    values, weights = [3.0, 1.0, 2.0], [1, 8, 1]
    assert weighted_quantiles(values, weights, [0.0, 0.5, 0.8, 0.85, 0.95]).tolist() == [
        1.0, 1.0, 1.0, 2.0, 3.0,
    ]  # fmt: skip
    assert np.isnan(weighted_quantiles([], [], [0.5])).all()
    repeated = np.repeat(values, weights)
    at = [0.05, 0.3, 0.7, 0.99]
    assert (
        weighted_quantiles(values, weights, at).tolist()
        == np.quantile(repeated, at, method="inverted_cdf").tolist()
    )


globals().update(
    anew(
        test_shares_of_a_full_design_add_up_to_at_most_one,
    )
)
