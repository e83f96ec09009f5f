"""What one more trial could do: against the closed form of a common-effect pool."""

import numpy as np
import pytest
from scipy.stats import norm

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.next_trial import RESULTS, next_trial

COMMON = {"tau2_method": "common", "ci_method": "wald"}


@pytest.mark.parametrize("margin", [0.3, 0.6])
def test_a_common_effect_has_a_closed_form(margin):
    yi, vi = np.array([0.2, -0.1]), np.array([0.05, 0.08])
    people, effects, unit = np.array([50, 200, 1000]), np.array([0.0, 0.4]), 4.0
    found = next_trial(
        yi, vi, people=people, true_effects=effects, variance_per_person=unit, margin=margin,
        **COMMON,
    )  # fmt: skip
    w = 1 / vi
    for place, n in enumerate(people):
        new = n / unit
        total = w.sum() + new
        half = norm.ppf(0.975) / np.sqrt(total)
        for row, effect in enumerate(effects):
            # The pooled mean is normal around this, with this spread.
            mean = ((w * yi).sum() + new * effect) / total
            spread = np.sqrt(new) / total
            above = norm.sf((half - mean) / spread)
            below = norm.cdf((-half - mean) / spread)
            room = margin - half
            inside = (
                norm.cdf((room - mean) / spread) - norm.cdf((-room - mean) / spread)
                if room > 0 else 0.0
            )  # fmt: skip
            assert found.above[row, place] == pytest.approx(above, abs=1 / RESULTS)
            assert found.below[row, place] == pytest.approx(below, abs=1 / RESULTS)
            assert found.inside[row, place] == pytest.approx(inside, abs=2 / RESULTS)
            assert found.half_width[row, place] == pytest.approx(half, rel=1e-9)


def test_a_huge_trial_decides_and_a_tiny_one_changes_nothing():
    yi, vi = [-0.34, 0.49], [0.097, 0.173]
    found = next_trial(
        yi, vi, people=[1, 1e7], true_effects=[-1.0], variance_per_person=9.6, **COMMON
    )
    assert found.below.tolist() == [[0.0, 1.0]]
    assert np.isnan(found.inside).all()
    assert np.isnan(found.margin)


def test_the_spread_between_trials_is_estimated_again():
    # Two trials that disagree stay apart however large the third: Knapp-Hartung on 2 df.
    found = next_trial(
        [-1.0, 1.0], [0.01, 0.01], people=[1e6], true_effects=[-0.3], variance_per_person=9.6,
        ci_method="knapp-hartung-floored",
    )  # fmt: skip
    assert found.below[0, 0] == 0.0
    assert found.half_width[0, 0] > 1.0


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"people": [0]}, "people"),
        ({"variance_per_person": 0.0}, "variance_per_person"),
        ({"margin": -1.0}, "margin"),
        ({"true_effects": [np.inf]}, "true_effects"),
        ({"ci_method": "t"}, "ci_method"),
    ],
)
def test_what_cannot_be_is_refused(options, name):
    good = {"people": [100], "true_effects": [0.0], "variance_per_person": 4.0}
    with pytest.raises(ArgumentError, match=name):
        next_trial([0.1], [0.04], **(good | options))


def test_the_record_is_frozen_and_compares():
    one, two = (
        next_trial([0.1], [0.04], people=[9], true_effects=[0], variance_per_person=4.0)
        for _ in range(2)
    )
    assert one == two
    with pytest.raises(ValueError, match="read-only"):
        one.below[0, 0] = 1.0
