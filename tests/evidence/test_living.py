"""The answer over time and with one more trial, by hand on small pools."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from ldn_meta.evidence.answer.pools import (
    INSIDE,
    OFF_BETTER,
    OFF_WORSE,
    build_pools,
    cumulative_frame,
    find_pool,
    next_trial_frame,
    smallest_size,
    variance_per_person,
    without_each,
)


@pytest.fixture(scope="module")
def pain(effects, protocol):
    own = effects[effects["indication_id"] == "fibromyalgia"]
    pools = build_pools(own, protocol.selection, protocol.model)
    return find_pool(pools, construct="pain_intensity", comparator_class="placebo")


def test_the_last_row_is_todays_answer(pain, protocol):
    frame = cumulative_frame(pain, protocol)
    assert list(frame["label"]) == list(pain.trials["study_label"])
    last, first = frame.iloc[-1], frame.iloc[0]
    for name in ("estimate", "ci_low", "ci_high"):
        assert last[name] == getattr(pain.result, name)
    assert first["estimate"] == pain.trials["yi"].iloc[0]
    assert math.isnan(first["shift"])
    assert last["shift"] == pytest.approx(last["estimate"] - first["estimate"])
    assert list(frame["people"]) == [99, 195]


def test_without_each_trial_of_two_the_other_is_left(pain, protocol):
    frame = without_each(pain, protocol)
    assert list(frame["estimate"]) == list(pain.trials["yi"])[::-1]
    assert list(frame["label"]) == list(pain.trials["study_label"])
    assert without_each(replace(pain, trials=pain.trials.iloc[:1]), protocol).empty


def test_the_middle_variance_for_one_person(pain):
    one, two = pain.trials["vi"]
    assert variance_per_person(pain) == pytest.approx((one * 99 + two * 96) / 2)
    nobody = replace(pain, trials=pain.trials.assign(n_1=math.nan, n_2=math.nan))
    assert math.isnan(variance_per_person(nobody))


def test_probabilities_of_the_next_trial(pain, protocol):
    frame = next_trial_frame(pain, protocol)
    assert frame["probability"].between(0, 1).all()
    assert set(frame["what"]) == {OFF_BETTER, OFF_WORSE, INSIDE}
    assert set(frame["people"]) == set(protocol.next_people)
    effects = frame.drop_duplicates("supposed").set_index("supposed")["true_effect"]
    assert effects.to_dict() == {
        "no effect": 0.0,
        "the pooled effect": pain.result.estimate,
        "the minimal important difference": -1.0,
    }
    nobody = replace(pain, trials=pain.trials.assign(n_1=math.nan, n_2=math.nan))
    assert next_trial_frame(nobody, protocol).empty


def test_without_a_stated_difference_nothing_is_said_of_equivalence(pain, protocol):
    frame = next_trial_frame(pain, replace(protocol, scales={}))
    assert set(frame["what"]) == {OFF_BETTER, OFF_WORSE}
    assert len(set(frame["supposed"])) == 2


def test_the_smallest_size_is_one_after_which_all_are_enough():
    frame = pd.DataFrame(
        {
            "supposed": "x",
            "what": "y",
            "people": [50, 100, 200, 400],
            "probability": [0.9, 0.7, 0.8, 0.95],
        }
    )
    smallest = {p: smallest_size(frame, supposed="x", what="y", probability=p)
                for p in (0.8, 0.9, 0.6, 0.99)}  # fmt: skip
    assert smallest[0.8] == 200
    assert smallest[0.9] == 400
    assert smallest[0.6] == 50
    assert math.isnan(smallest[0.99])
