"""Curves that agree with what is known, and the trials that would print what was printed."""

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.special import ndtr

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose import dose_for
from ldn_meta.stats.up_and_down import (
    ESTIMATORS,
    compatible_curves,
    curve_grid,
    design_probability,
    distinct_tables,
    possible_trials,
    prints_as,
    table_likelihood,
    trials_that_fit,
)

LADDER = np.array([1.0, 2.0, 3.0, 4.0])
GRID = curve_grid(
    ed50_low=0.5, ed50_high=6.0, spread_low=0.2, spread_high=3.0, ed50_steps=12, spread_steps=5
)


def test_grid_is_even_in_the_middle_and_geometric_in_the_spread():
    ed50, spread = GRID.ed50.reshape(12, 5), GRID.spread.reshape(12, 5)
    np.testing.assert_allclose(np.diff(ed50[:, 0]), 0.5)
    np.testing.assert_allclose(spread[0, 1:] / spread[0, :-1], (3.0 / 0.2) ** 0.25)
    response = GRID.response(LADDER)
    assert response[7, 2] == pytest.approx(float(ndtr((3.0 - GRID.ed50[7]) / GRID.spread[7])))
    assert (response > 0).all() and (response < 1).all()


def test_weights_are_likelihoods_that_add_up_to_one():
    seen = design_probability(GRID.response(LADDER), start=1, people=9, responders=4)
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


def test_likelihood_of_all_tables_is_the_exact_probability():
    trials = possible_trials(rungs=4, start=2, people=9, responders=4, changes=5)
    listed = table_likelihood(GRID, LADDER, *distinct_tables(trials))
    exact = design_probability(GRID.response(LADDER), start=2, people=9, responders=4, changes=5)
    np.testing.assert_allclose(listed, exact, rtol=1e-10)


def test_prints_as_takes_ties_either_way():
    values = np.array([3.8749, 3.875, 3.88, 3.885, 3.8851, np.nan])
    assert prints_as(values, 3.88, 2).tolist() == [False, True, True, True, False, False]


def test_trials_that_fit_are_counted_one_by_one():
    """Every order of nine outcomes from every first dose, estimated with `dose_for`."""
    people, responders, changes, pairs, ed50, ed95 = 9, 4, 5, 3, 2.5, 3.6
    found = trials_that_fit(
        LADDER,
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
        at, levels = start, []
        for worked in outcomes:
            levels.append(at)
            at = max(at - 1, 0) if worked else min(at + 1, 3)
        middles = [
            (LADDER[levels[i]] + LADDER[levels[i + 1]]) / 2
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
                    abs(dose_for(LADDER, r, n, target=share, **options).estimate - printed)
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
