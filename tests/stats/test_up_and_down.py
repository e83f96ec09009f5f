"""Up-and-down trials: simulated, listed, added up exactly; each way checks the others."""

from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from scipy.special import ndtr

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose import dose_for
from ldn_meta.stats.up_and_down import (
    ESTIMATORS,
    compatible_curves,
    curve_grid,
    design_distribution,
    design_probability,
    distinct_tables,
    dose_for_many,
    possible_trials,
    prints_as,
    simulate_up_and_down,
    table_likelihood,
    trials_that_fit,
)
from stats.batteries import anew, sizes, slow

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


@pytest.mark.parametrize("people", [1, 2, 4, 6, *slow(3, 5, 7)])
def test_exact_sum_is_the_sum_over_all_orders(people, seed=0):
    rng = np.random.default_rng([seed, people])
    for chance in ([0.3], [0.0, 1.0], rng.random(3), rng.random(4)):
        for start in range(len(chance)):
            responders = int(rng.integers(0, people + 1))
            for changes in (None, 0, int(rng.integers(0, people + 1))):
                args = (start, people, responders, changes)
                options = dict(
                    zip(("start", "people", "responders", "changes"), args, strict=True)
                )
                ours = design_probability(chance, **options)
                assert ours == pytest.approx(by_hand(chance, *args), abs=1e-13)


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


def test_the_distribution_holds_the_probability_of_every_number():
    grid = np.stack([CURVE, np.full(8, 0.5), np.linspace(0, 1, 8)])
    found = design_distribution(grid[:, None], start=2, people=11)
    assert found.shape == (3, 1, 12)
    each = [design_probability(grid, start=2, people=11, responders=r) for r in range(12)]
    np.testing.assert_allclose(found[:, 0].T, each, rtol=1e-12, atol=1e-15)


def test_the_distribution_is_that_of_trials_simulated():
    count = 20_000
    for start, ed50 in ((0, 1.5), (3, 3.88), (7, 5.5)):
        curve = ndtr((LADDER - ed50) / 0.924)
        rng = np.random.default_rng(2020)
        trials = simulate_up_and_down(curve, people=25, start=start, trials=count, rng=rng)
        seen = np.bincount(trials.responders.sum(axis=1), minlength=26) / count
        exact = design_distribution(curve, start=start, people=25)
        assert np.abs(seen - exact).max() < 4 * np.sqrt(0.25 / count)


@pytest.mark.parametrize("people", [1, 2, 5, 8, *slow(3, 4, 6, 7, 9)])
def test_trials_listed_are_all_there_are(people):
    orders = list(product([False, True], repeat=people))
    for responders in range(people + 1):
        for changes in range(people + 1):
            rungs = 1 + (responders + changes) % 4
            trials = possible_trials(
                rungs=rungs, start=0, people=people, responders=responders, changes=changes
            )
            rows = [tuple(row) for row in trials.responded.tolist()]
            assert len(rows) == len(set(rows))
            assert set(rows) == {
                outcomes
                for outcomes in orders
                if sum(outcomes) == responders
                and sum(a != b for a, b in pairwise(outcomes)) == changes
            }
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


@sizes("count", 60_000, 200_000)
def test_simulation_agrees_with_the_exact_sum(count):
    """Within four standard errors, in a stream that is fixed."""
    trials = simulate_up_and_down(
        CURVE, people=25, start=3, trials=count, rng=np.random.default_rng(20)
    )
    hits = trials.responders.sum(axis=1) == 11
    for seen, changes in ((hits, None), (hits & (trials.changes == 10), 10)):
        exact = float(
            design_probability(CURVE, start=3, people=25, responders=11, changes=changes)
        )
        assert abs(seen.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / count)


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


@sizes("count", 2000, 4000)
def test_median_estimate_is_near_the_truth(count):
    trials = simulate_up_and_down(
        CURVE, people=40, start=4, trials=count, rng=np.random.default_rng(2)
    )
    for method in ("cir", "ir", "probit", "logit"):
        found = dose_for_many(LADDER, trials.responders, trials.people, target=0.5, method=method)
        assert np.nanmedian(found) == pytest.approx(3.88, abs=0.1)


FOUR = np.array([1.0, 2.0, 3.0, 4.0])
GRID = curve_grid(
    ed50_low=0.5, ed50_high=6.0, spread_low=0.2, spread_high=3.0, ed50_steps=12, spread_steps=5
)


def test_grid_is_even_in_the_middle_and_geometric_in_the_spread():
    ed50, spread = GRID.ed50.reshape(12, 5), GRID.spread.reshape(12, 5)
    np.testing.assert_allclose(np.diff(ed50[:, 0]), 0.5)
    np.testing.assert_allclose(spread[0, 1:] / spread[0, :-1], (3.0 / 0.2) ** 0.25)
    response = GRID.response(FOUR)
    assert response[7, 2] == pytest.approx(float(ndtr((3.0 - GRID.ed50[7]) / GRID.spread[7])))
    assert (response > 0).all() and (response < 1).all()


def test_weights_are_likelihoods_that_add_up_to_one():
    seen = design_probability(GRID.response(FOUR), start=1, people=9, responders=4)
    curves = compatible_curves(GRID, seen)
    assert curves.weight.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(curves.weight / curves.weight[20], seen / seen[20])
    assert curves.likelihood == pytest.approx(seen.mean())
    low = compatible_curves(GRID, seen, largest_spread=0.5)
    assert set(low.spread) == {s for s in GRID.spread if s <= 0.5}
    assert low.probability(low.ed50 > 0) == pytest.approx(1.0)


def test_quantiles_and_probabilities_by_hand():
    grid = curve_grid(
        ed50_low=1.0, ed50_high=2.0, spread_low=1.0, spread_high=2.0, ed50_steps=2, spread_steps=2
    )
    # Curves (1, 1), (1, 2), (2, 1), (2, 2) with weights 0.1, 0.2, 0.3, 0.4.
    curves = compatible_curves(grid, [1, 2, 3, 4])
    assert curves.quantiles(curves.ed50, [0.3, 0.31, 1.0]).tolist() == [1.0, 2.0, 2.0]
    assert curves.probability(curves.ed50 == 2) == pytest.approx(0.7)
    np.testing.assert_allclose(curves.dose(0.5), curves.ed50)
    np.testing.assert_allclose(curves.share(2.0), ndtr([1.0, 0.5, 0.0, 0.0]))
    np.testing.assert_allclose(curves.dose(ndtr(1.0)), [2.0, 3.0, 3.0, 4.0])


def test_a_curve_that_all_but_excludes_what_was_seen_keeps_its_tiny_weight():
    """Page 92: probabilities of whole trials reach 1e-103, which is a probability like others."""
    seen = np.full(GRID.ed50.size, 1e-120)
    seen[0] = 1e-3
    assert compatible_curves(GRID, seen).weight[1] == pytest.approx(1e-117)


def test_likelihood_of_all_tables_is_the_exact_probability():
    trials = possible_trials(rungs=4, start=2, people=9, responders=4, changes=5)
    listed = table_likelihood(GRID, FOUR, *distinct_tables(trials))
    exact = design_probability(GRID.response(FOUR), start=2, people=9, responders=4, changes=5)
    np.testing.assert_allclose(listed, exact, rtol=1e-10)


def test_prints_as_takes_ties_either_way():
    values = np.array([3.8749, 3.875, 3.88, 3.885, 3.8851, np.nan])
    assert prints_as(values, 3.88, 2).tolist() == [False, True, True, True, False, False]


@sizes("people", 8, 9)
def test_trials_that_fit_are_counted_one_by_one(people):
    """Every order of outcomes from every first dose, estimated with `dose_for`."""
    responders, changes, pairs, ed50, ed95 = 4, 5, 3, 2.5, 3.6
    found = trials_that_fit(
        FOUR,
        people=people,
        responders=responders,
        changes=changes,
        pairs=pairs,
        ed50=ed50,
        ed95=ed95,
        decimals=1,
    )
    listed, by_pairs = 0, 0
    counts = {name: [0, 0, 0] for name, _, _ in ESTIMATORS}
    memory = {}
    for start, outcomes in product(range(4), product([0, 1], repeat=people)):
        if sum(outcomes) != responders or sum(a != b for a, b in pairwise(outcomes)) != changes:
            continue
        listed += 1
        levels = walk(outcomes, start, 4)
        middles = [
            (FOUR[levels[i]] + FOUR[levels[i + 1]]) / 2
            for i in range(people - 1)
            if outcomes[i] < outcomes[i + 1]
        ]
        by_pairs += len(middles) == pairs and 2.45 - 1e-9 <= np.mean(middles) <= 2.55 + 1e-9
        n = tuple(levels.count(rung) for rung in range(4))
        r = tuple(
            sum(y for y, at in zip(outcomes, levels, strict=True) if at == g) for g in range(4)
        )
        for name, method, log_dose in ESTIMATORS:
            key = (n, r, name)
            if key not in memory:
                options = {"method": method, "log_dose": log_dose}
                if method in ("probit", "logit"):
                    options["ci_method"] = "delta"
                memory[key] = [
                    abs(dose_for(FOUR, r, n, target=share, **options).estimate - printed)
                    <= 0.05 + 1e-9
                    for share, printed in ((0.5, ed50), (0.95, ed95))
                ]
            one, two = memory[key]
            counts[name] = [
                a + b for a, b in zip(counts[name], (one, two, one & two), strict=True)
            ]
    assert (found.trials, found.pair_mean_fits) == (listed, by_pairs)
    assert by_pairs > 0
    assert {fit.estimator: [fit.ed50, fit.ed95, fit.both] for fit in found.fits} == counts
    assert sum(sum(c) for c in counts.values()) > 0
    assert sum(times.sum() for _, _, times in found.tables) == listed
    assert sum(times.sum() for _, _, times in found.pair_tables) == by_pairs


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ed50_high": 0.4}, "rising ranges"),
        ({"spread_low": 0.0}, "spread_low"),
        ({"spread_high": 0.1}, "rising ranges"),
        ({"ed50_steps": 1}, "ed50_steps"),
    ],
)
def test_bad_grids_are_refused(change, says):
    given = {
        "ed50_low": 0.5,
        "ed50_high": 6.0,
        "spread_low": 0.2,
        "spread_high": 3.0,
        "ed50_steps": 4,
        "spread_steps": 4,
    }
    with pytest.raises(ArgumentError, match=says):
        curve_grid(**given | change)


def test_what_no_curve_could_give_is_refused():
    with pytest.raises(ArgumentError, match="above 0 for one"):
        compatible_curves(GRID, np.zeros(60))
    with pytest.raises(ArgumentError, match="for 0 curves"):
        compatible_curves(GRID, np.ones(60), largest_spread=0.1)
    with pytest.raises(ArgumentError, match=r"shape \(3,\)"):
        compatible_curves(GRID, np.ones(3))


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


globals().update(
    anew(
        test_exact_sum_is_the_sum_over_all_orders,
    )
)


def test_a_probability_of_what_was_seen_may_be_tiny():
    seen = np.full(GRID.ed50.shape, 1e-103)
    seen[-1] = 1.0
    assert compatible_curves(GRID, seen).weight[0] == 1e-103
