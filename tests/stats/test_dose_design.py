"""Up-and-down trials: simulated, listed, and added up exactly; each way checks the others."""

from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose import centered_isotonic
from ldn_meta.stats.up_and_down import (
    bootstrap_dose,
    design_probability,
    distinct_tables,
    dose_for_many,
    possible_trials,
    simulate_up_and_down,
)

LADDER = 0.75 * np.arange(1, 9)
CURVE = ndtr((LADDER - 3.88) / 0.924)


def walk(outcomes, start, rungs):
    """One trial by its rule, person by person."""
    at, levels = start, []
    for worked in outcomes:
        levels.append(at)
        at = max(at - 1, 0) if worked else min(at + 1, rungs - 1)
    return levels


def by_hand(chance, start, people, responders, changes):
    """Probability added up over every order of outcomes."""
    total = 0.0
    for outcomes in product([False, True], repeat=people):
        if sum(outcomes) != responders:
            continue
        moved = sum(a != b for a, b in pairwise(outcomes))
        if changes is not None and moved != changes:
            continue
        levels = walk(outcomes, start, len(chance))
        total += np.prod(
            [chance[at] if y else 1 - chance[at] for at, y in zip(levels, outcomes, strict=True)]
        )
    return total


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.integers(1, 7),
    st.data(),
)
def test_exact_sum_is_the_sum_over_all_orders(chance, people, data):
    start = data.draw(st.integers(0, len(chance) - 1))
    responders = data.draw(st.integers(0, people))
    changes = data.draw(st.none() | st.integers(0, people))
    ours = design_probability(
        chance, start=start, people=people, responders=responders, changes=changes
    )
    assert ours == pytest.approx(by_hand(chance, start, people, responders, changes), abs=1e-13)


def test_exact_sum_is_the_sum_over_the_trials_listed():
    for changes in (9, 10):
        trials = possible_trials(rungs=8, start=3, people=20, responders=9, changes=changes)
        r, n, times = distinct_tables(trials)
        listed = times @ np.exp(r @ np.log(CURVE) + (n - r) @ np.log1p(-CURVE))
        exact = design_probability(CURVE, start=3, people=20, responders=9, changes=changes)
        assert listed == pytest.approx(float(exact), rel=1e-12)


def test_probabilities_of_all_ends_add_up_to_one():
    grid = np.stack([CURVE, np.full(8, 0.5), np.linspace(0, 1, 8)])
    total = sum(design_probability(grid, start=2, people=11, responders=r) for r in range(12))
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)
    some = design_probability(grid[:, None], start=2, people=11, responders=5)
    split = sum(
        design_probability(grid, start=2, people=11, responders=5, changes=c) for c in range(11)
    )
    assert some.shape == (3, 1)
    np.testing.assert_allclose(some[:, 0], split, rtol=1e-12)


@given(st.integers(1, 9), st.data())
def test_trials_listed_are_all_there_are(people, data):
    responders = data.draw(st.integers(0, people))
    changes = data.draw(st.integers(0, people))
    rungs = data.draw(st.integers(1, 4))
    trials = possible_trials(
        rungs=rungs, start=0, people=people, responders=responders, changes=changes
    )
    wanted = {
        outcomes
        for outcomes in product([False, True], repeat=people)
        if sum(outcomes) == responders and sum(a != b for a, b in pairwise(outcomes)) == changes
    }
    rows = [tuple(row) for row in trials.responded.tolist()]
    assert len(rows) == len(set(rows))
    assert set(rows) == wanted
    for row, levels in zip(rows, trials.level.tolist(), strict=True):
        assert levels == walk(row, 0, rungs)


def test_number_of_trials_listed_is_a_product_of_binomials():
    """20 people, 9 respond, 10 changes: 6 and 5 runs or 5 and 6, whichever comes first."""
    trials = possible_trials(rungs=8, start=3, people=20, responders=9, changes=10)
    wanted = comb(10, 5) * comb(8, 4) + comb(8, 5) * comb(10, 4)
    assert trials.responded.shape == (wanted, 20)
    assert (trials.changes == 10).all()
    assert (trials.responders.sum(axis=1) == 9).all()
    r, n, times = distinct_tables(trials)
    assert times.sum() == wanted
    assert (n.sum(axis=1) == 20).all() and (r <= n).all()
    assert np.unique(np.concatenate([r, n], axis=1), axis=0).shape[0] == r.shape[0]


def test_simulation_agrees_with_the_exact_sum():
    """200,000 trials: within four standard errors, in a stream that is fixed."""
    trials = simulate_up_and_down(
        CURVE, people=25, start=3, trials=200_000, rng=np.random.default_rng(20)
    )
    hits = trials.responders.sum(axis=1) == 11
    for seen, changes in ((hits, None), (hits & (trials.changes == 10), 10)):
        exact = float(
            design_probability(CURVE, start=3, people=25, responders=11, changes=changes)
        )
        assert abs(seen.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / 200_000)


def test_simulation_follows_the_rule_and_the_seed():
    make = lambda: simulate_up_and_down(  # noqa: E731
        CURVE, people=12, start=0, trials=50, rng=np.random.default_rng(5)
    )
    trials = make()
    assert trials == make()
    for levels, outcomes in zip(trials.level.tolist(), trials.responded.tolist(), strict=True):
        assert levels == walk(outcomes, 0, 8)
    assert trials.people.sum() == 600
    assert trials.level.min() == 0


def test_a_curve_of_its_own_for_each_trial():
    always, never = np.ones(4), np.zeros(4)
    trials = simulate_up_and_down(
        np.stack([always, never]), people=6, start=2, trials=2, rng=np.random.default_rng(0)
    )
    assert trials.level.tolist() == [[2, 1, 0, 0, 0, 0], [2, 3, 3, 3, 3, 3]]
    assert trials.changes.tolist() == [0, 0]
    assert np.isnan(trials.pair_mean([1, 2, 3, 4])).all()


def test_pair_mean_by_hand():
    # N at 1, Y at 2, N at 1, N at 2, Y at 3: pairs (1, 2) and (2, 3), midpoints 1.5 and 2.5.
    trials = possible_trials(rungs=3, start=0, people=5, responders=2, changes=3)
    row = trials.responded.tolist().index([False, True, False, False, True])
    assert trials.pair_mean([1.0, 2.0, 3.0])[row] == 2.0


def test_median_estimate_is_near_the_truth():
    trials = simulate_up_and_down(
        CURVE, people=40, start=4, trials=4000, rng=np.random.default_rng(2)
    )
    for method in ("cir", "ir", "probit", "logit"):
        found = dose_for_many(LADDER, trials.responders, trials.people, target=0.5, method=method)
        assert np.nanmedian(found) == pytest.approx(3.88, abs=0.1)


def test_bootstrap_repeats_with_its_seed_and_covers_the_estimate():
    r, n = [0, 0, 1, 2, 4, 3, 1, 1], [1, 2, 4, 6, 7, 3, 1, 1]
    options = {"start": 3, "trials": 2000, "method": "cir"}
    one = bootstrap_dose(LADDER, r, n, rng=np.random.default_rng(1), **options)
    assert one == bootstrap_dose(LADDER, r, n, rng=np.random.default_rng(1), **options)
    assert one.ci_low < one.estimate < one.ci_high
    narrow = bootstrap_dose(LADDER, r, n, rng=np.random.default_rng(1), level=0.5, **options)
    assert one.ci_low < narrow.ci_low < narrow.ci_high < one.ci_high
    there = one.estimates[~np.isnan(one.estimates)]
    assert one.undefined == pytest.approx(1 - there.size / 2000)
    assert one.ci_low == np.quantile(there, 0.025)
    # Its trials come from the centred isotonic curve: with 0 and 1 beyond doubt, they all agree.
    curve = centered_isotonic([1, 2], [0, 5], [5, 5])
    assert curve.share.tolist() == [0.0, 1.0]
    sure = bootstrap_dose([1, 2], [0, 5], [5, 5], start=0, trials=10, rng=np.random.default_rng(1))
    assert (sure.estimates == 1.5).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: design_probability([0.5, 1.2], start=0, people=3, responders=1), "from 0 to 1"),
        (
            lambda: design_probability([0.5], start=1, people=3, responders=1),
            "start=1 in a ladder",
        ),
        (lambda: design_probability([0.5], start=0, people=0, responders=1), "people: 0"),
        (
            lambda: possible_trials(rungs=8, start=0, people=60, responders=30, changes=20),
            "people=60 have",
        ),
        (lambda: simulate([0.5, np.nan]), "from 0 to 1"),
        (lambda: simulate([[0.5, 0.5]]), r"allowed: \(rungs,\)"),
        (lambda: simulate([0.5, 0.5], start=2), "start=2 in a ladder of 2"),
        (lambda: simulate([0.5, 0.5], trials=0), "trials: 0"),
        (lambda: dose_for_many([1, 2], [[1, 1]], [[2, 0]], target=0.5), r"responders\[0, 1\]"),
        (lambda: dose_for_many([2, 1], [[1, 1]], [[2, 2]], target=0.5), "does not ascend"),
        (lambda: dose_for_many([1, 2], [[0, 0]], [[0, 0]], target=0.5), "throughout in a table"),
        (lambda: dose_for_many([1, 2], [1, 1], [2, 2], target=0.5), r"\(m, k\)"),
        (
            lambda: dose_for_many([1, 2], [[1, 1]], [[2, 2]], target=0.5, method="dixon-mood"),
            "dixon-mood",
        ),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(ArgumentError, match=says):
        call()


def simulate(response, *, start=0, trials=3):
    return simulate_up_and_down(
        response, people=4, start=start, trials=trials, rng=np.random.default_rng(0)
    )
