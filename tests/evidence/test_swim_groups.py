"""Outcome groups without a pool, or beside one: who is counted, on which side, and with what p."""

import math
from math import log

import pytest

from builders import direction_rows, effect_rows
from ldn_meta.evidence.answer.directions import (
    NOT_BLIND,
    NOT_RANDOMISED,
    SAME_TRIAL,
    PValues,
    Votes,
    group_syntheses,
    is_bound,
)
from ldn_meta.evidence.answer.pools import build_pools
from ldn_meta.evidence.effects.effects import LEFT_OUT_COLUMNS

NAN = float("nan")


@pytest.fixture
def group_of(protocol):
    """One group's synthesis from rows of directions and of effects."""
    import pandas as pd

    def made(*rows, effects=(), group="pain", **options):
        chosen = protocol.changed(**options)
        frame = effect_rows(*effects) if effects else pd.DataFrame()
        left_out = pd.DataFrame(columns=list(LEFT_OUT_COLUMNS))
        pools = build_pools(frame, chosen.selection, chosen.model)
        groups = group_syntheses(
            direction_rows(*rows), frame, left_out, pools, chosen, comparator_class="placebo"
        )
        assert [found.group for found in groups] == list(protocol.outcome_groups)
        return next(found for found in groups if found.group == group)

    return made


def study(label, sign=1.0, **cells):
    return {"study_label": label, "sign": sign, **cells}


def test_votes_with_ties_and_unknown_sides():
    votes = Votes(
        direction_rows(study("a"), study("b"), study("c", -1.0), study("d", 0.0), study("e", NAN)),
        0.95,
    )
    assert (votes.test.n_for, votes.test.n_against, votes.test.n_ties) == (2, 1, 1)
    assert votes.test.p_value == 1
    assert list(votes.unknown["study_label"]) == ["e"]
    assert (votes.if_against.n_for, votes.if_against.n_against) == (2, 2)
    assert (votes.if_for.n_for, votes.if_for.n_against) == (3, 1)
    assert votes.if_for.p_value == 0.625


def test_p_values_by_hand():
    found = PValues(
        direction_rows(
            study("a", p_low=0.02, p_high=0.02),
            study("b", -1.0, p_low=0.4, p_high=0.4),
            study("c", p_low=0.0, p_high=0.05),
            study("d", NAN, p_low=0.05, p_high=1.0),
            study("e"),
        )
    )
    assert list(found.usable["study_label"]) == ["a", "b", "c"]
    assert list(found.bounds["study_label"]) == ["c"]
    assert list(found.sideless["study_label"]) == ["d"]
    # One-sided: 0.01, 0.8 and up to 0.025; chi squared on 6 df has the survival function
    # q (1 - ln q + ln^2 q / 2), q the product.
    q = 0.01 * 0.8 * 0.025
    assert found.fisher.p_low == 0
    assert found.fisher.p_high == pytest.approx(q * (1 - log(q) + log(q) ** 2 / 2))
    against = 0.99 * 0.2 * 0.975
    assert found.fisher_against.p_low == pytest.approx(
        against * (1 - log(against) + log(against) ** 2 / 2)
    )
    assert found.leading == "a"
    assert found.fisher_without_leading.k == 2
    # The result without a side counts from 0.025 to 0.975.
    assert found.fisher_either_side.k == 4
    assert found.fisher_either_side.p_high > found.fisher.p_high


def test_what_is_only_a_bound():
    rows = direction_rows(
        study("a", p_low=0.0, p_high=0.05, p_printed="<0.05"),
        study("b", p_low=0.05, p_high=1.0, p_printed="not significant"),
        study("c", p_low=0.995, p_high=1.0, p_printed="1.00"),
        study("d", p_low=0.0, p_high=0.0005, p_printed="0.000"),
        study("e", p_low=0.03, p_high=1.0, p_printed="0.03 (computed); not significant"),
        study("f"),
    )
    assert list(is_bound(rows)) == [True, True, False, True, True, False]


def test_a_pool_with_another_comparator_does_not_answer_the_question(group_of):
    effects = [{"study_id": name, "comparator_class": "usual care"} for name in ("a", "b")]
    found = group_of(study("a", comparator_class="usual care"), study("c"), effects=effects)
    assert not found.is_pooled
    assert found.pool is None
    assert list(found.counted["study_label"]) == ["c"]


def test_weights_need_the_people_of_every_result():
    cells = {"p_low": 0.02, "p_high": 0.02}
    known = PValues(direction_rows(study("a", **cells), study("b", -1.0, n_people=400.0, **cells)))
    assert known.is_weighted
    # z of 0.01 is 2.326; weights 10 and 20, opposite sides.
    assert known.stouffer.statistic_low == pytest.approx(-10 * 2.3263479 / 500**0.5)
    unknown = PValues(direction_rows(study("a", **cells), study("b", n_people=NAN, **cells)))
    assert not unknown.is_weighted
    assert unknown.stouffer.statistic_low == pytest.approx(2**0.5 * 2.3263479)


def test_who_is_counted(group_of):
    rows = (
        study("a"),
        study("b", -1.0, is_randomised=False, blinding="open"),
        study("c", blinding="single-blind"),
        study("d", comparator_class="usual care"),
    )
    found = group_of(*rows)
    assert list(found.counted["study_label"]) == ["a"]
    assert found.reasons == {
        "b": f"{NOT_RANDOMISED}, {NOT_BLIND}",
        "c": NOT_BLIND,
        "d": "compared with usual care",
    }
    assert found.all_votes.test.n_for == 3
    assert found.all_votes.test.n_against == 1
    freed = group_of(*rows, allow_non_randomised=True, allow_single_blind=True)
    assert list(freed.counted["study_label"]) == ["a", "b", "c"]


def test_the_same_people_vote_once(group_of):
    rows = (study("a", NAN, trial_id="x"), study("b", -1.0, trial_id="x"), study("c"))
    found = group_of(*rows)
    assert found.reasons == {"a": SAME_TRIAL}
    assert list(found.counted["study_label"]) == ["b", "c"]
    assert list(found.all_votes.rows["study_label"]) == ["b", "c"]


def test_a_study_brings_its_first_construct_with_a_known_side(group_of):
    rows = [
        study("a", NAN, construct="pain_intensity"),
        study("a", -1.0, construct="pain_interference"),
        study("b", NAN, construct="pain_interference", year=2000.0),
        study("b", NAN, construct="pain_intensity", year=2000.0),
    ]
    found = group_of(*rows)
    assert list(found.results["study_label"]) == ["b", "a"]
    assert list(found.results["construct"]) == ["pain_intensity", "pain_interference"]


def test_a_pool_of_two_and_what_stands_beside_it(group_of):
    effects = [{"study_id": "a"}, {"study_id": "b"}]
    rows = [study("a"), study("b")]
    full = group_of(*rows, effects=effects)
    assert full.is_pooled
    assert full.pooled_labels == ("a", "b")
    assert not full.is_needed
    beside = group_of(*rows, study("c", -1.0), effects=effects)
    assert beside.is_needed
    assert beside.votes.test.n_against == 1


def test_one_effect_is_no_pool(group_of):
    found = group_of(study("a"), effects=[{"study_id": "a"}])
    assert found.synthesis == "one trial"
    assert not found.is_pooled
    assert found.pooled_labels == ()
    assert found.is_needed


def test_a_group_of_which_nobody_tells(group_of):
    found = group_of(study("a"), group="serious adverse event")
    assert found.pool is None
    assert not found.is_needed
    assert len(found.counted) == 0
    assert math.isnan(found.votes.test.p_value)
    assert found.p_values.fisher.k == 0
    assert math.isnan(found.p_values.fisher.p_low)
