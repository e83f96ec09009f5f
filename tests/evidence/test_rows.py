"""Records are what the data dictionary says; one effect per trial and pool, by stated rules."""

import dataclasses
import itertools
from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import effect_rows, percent
from ldn_meta.evidence.effects.rows import (
    CHOSEN,
    POOL,
    ROUTES,
    WITH_BORROWED_ERROR,
    Arm,
    ArmEvent,
    ArmStat,
    Contrast,
    Outcome,
    Study,
    choose,
    select,
)

TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}


@pytest.mark.parametrize(
    ("record", "table"),
    [
        (Study, "studies"),
        (Arm, "arms"),
        (Outcome, "outcomes"),
        (ArmStat, "arm_stats"),
        (ArmEvent, "arm_events"),
        (Contrast, "contrasts"),
    ],
)
def test_records_say_of_columns_what_the_data_dictionary_says(evidence, record, table):
    fields = {field["name"]: field for field in evidence.dictionary.tables[table].fields}
    hints = get_type_hints(record)
    # Put together from table and key; no column.
    hints.pop("address", None)
    for name, hint in hints.items():
        kind = TYPES[fields[name]["type"]]
        is_required = fields[name].get("constraints", {}).get("required", False)
        assert hint == (kind if is_required else kind | None), name


@pytest.fixture
def rules(protocol):
    return protocol.selection


def chosen_of(frame, rules):
    chosen, why = select(frame, rules)
    return list(frame.loc[chosen, "effect_id"]), dict(zip(frame["effect_id"], why, strict=True))


# First against second, in order of precedence; the words say by what the first wins.
BETTER = [
    ({"analysis_set": "intention to treat"}, {"analysis_set": "per protocol"},
     "an analysis set that comes first"),
    ({"timepoint_weeks": 13.0}, {"timepoint_weeks": 8.0}, "a time nearer to the target"),
    ({"read_from": "abstract"}, {"read_from": "transcription"}, "a text closer to the paper"),
    ({"is_preferred": True}, {"is_preferred": False}, "the preferred source of the same fact"),
    ({"route_rank": 2}, {"route_rank": 5}, "a more direct route"),
]  # fmt: skip


@pytest.mark.parametrize(("better", "worse", "words"), BETTER)
def test_each_rule_decides_alone(rules, better, worse, words):
    frame = effect_rows(worse, better)
    chosen, why = chosen_of(frame, rules)
    assert chosen == ["effect-1"]
    assert why == {"effect-0": f"effect-1 has {words}", "effect-1": CHOSEN}


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(range(len(BETTER)), 2)))
def test_an_earlier_rule_outweighs_a_later_one(rules, first, second):
    # One is better by the earlier rule and worse by the later.
    frame = effect_rows(BETTER[first][1] | BETTER[second][0], BETTER[first][0] | BETTER[second][1])
    chosen, why = chosen_of(frame, rules)
    assert chosen == ["effect-1"]
    assert why["effect-0"] == f"effect-1 has {BETTER[first][2]}"


def test_a_kind_of_difference_may_go_first(rules):
    frame = effect_rows(
        {"estimand": "end level", "read_from": "full text"},
        {"estimand": "change from baseline", "read_from": "press"},
    )
    assert chosen_of(frame, rules)[0] == ["effect-0"]
    changes_first = dataclasses.replace(rules, estimands=("change from baseline", "end level"))
    chosen, why = chosen_of(frame, changes_first)
    assert chosen == ["effect-1"]
    assert why["effect-0"] == "effect-1 has a kind of difference that comes first"


def test_a_printed_difference_goes_before_one_that_takes_its_error(rules):
    borrowed = {"route": WITH_BORROWED_ERROR[0], "route_rank": len(ROUTES), "is_approximate": True}
    frame = effect_rows({"read_from": "press"}, borrowed | {"estimand": "change from baseline"})
    open_to_all = dataclasses.replace(rules, allow_approximate=True)
    assert chosen_of(frame, open_to_all)[0] == ["effect-0"]
    changes = dataclasses.replace(open_to_all, estimand=("change from baseline",))
    assert chosen_of(frame, changes)[0] == ["effect-1"]


def test_equal_by_every_rule_goes_by_name(rules):
    frame = effect_rows({"effect_id": "b"}, {"effect_id": "a"}, {"effect_id": "c"})
    chosen, why = chosen_of(frame, rules)
    assert chosen == ["a"]
    assert why["b"] == why["c"] == "a is the same by every rule and comes first by name"


def test_times_of_the_same_week_are_equally_near(rules):
    frame = effect_rows(
        {"timepoint_weeks": 12.4}, {"timepoint_weeks": 12.0, "read_from": "abstract"}
    )
    assert chosen_of(frame, rules)[0] == ["effect-0"]


def test_an_unknown_time_loses_to_any_known_one_but_may_enter(rules):
    frame = effect_rows({"timepoint_weeks": float("nan")}, {"timepoint_weeks": 25.0})
    assert chosen_of(frame, rules)[0] == ["effect-1"]
    assert chosen_of(frame[:1], rules)[0] == ["effect-0"]


NOBODY = {"measure": "RR", "events_1": 0.0, "events_2": 0.0}
EVERYBODY = {"measure": "RR", "events_1": 50.0, "events_2": 50.0}
BARRED = [
    ({"kind": "change from baseline"}, "no comparison group: listed beside, never pooled", {}),
    ({"eligible_for": "single-arm"}, "its study is listed beside, never pooled", {}),
    ({"comparator_class": "further arm"},
     "compared with a further arm, not with the comparator of the question", {}),
    ({"is_randomised": False}, "not randomised or not said to be", {"allow_non_randomised": True}),
    ({"blinding": "single-blind"}, "not double-blind", {"allow_single_blind": True}),
    ({"blinding": "not stated"}, "not double-blind", {"allow_single_blind": True}),
    (NOBODY, "no event in either arm: says nothing about a ratio", {}),
    (EVERYBODY, "everybody has the event in both arms: says nothing about a ratio", {}),
    ({"is_approximate": True}, "rests on an approximation", {"allow_approximate": True}),
    ({"route": WITH_BORROWED_ERROR[0], "is_approximate": True},
     "rests on an approximation: its standard error is that of another difference",
     {"estimands": ("end level",)}),
    ({"is_transcribed": True}, None, {}),
    ({"timepoint_weeks": 1.9}, "measured outside weeks 2 to 26", {"earliest_weeks": 1.0}),
    ({"timepoint_weeks": 52.0}, "measured outside weeks 2 to 26", {"latest_weeks": 60.0}),
    ({"timepoint_weeks": 52.0, "domain": "responder"}, "measured outside weeks 2 to 26", {}),
    ({"timepoint_weeks": 52.0, "domain": "harm"}, None, {}),
    ({"timepoint_weeks": 2.0}, None, {}),
    ({"timepoint_weeks": 26.0}, None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reason", "opened_by"), BARRED)
def test_bars_and_what_opens_them(rules, row, reason, opened_by):
    frame = effect_rows(row)
    chosen, why = chosen_of(frame, rules)
    assert why["effect-0"] == (reason or CHOSEN)
    assert bool(chosen) == (reason is None)
    if opened_by:
        opened = dataclasses.replace(rules, **opened_by)
        assert chosen_of(frame, opened)[1]["effect-0"] == CHOSEN


def test_transcribed_values_can_be_shut_out(rules):
    frame = effect_rows({"is_transcribed": True, "read_from": "transcription"}, {"route_rank": 9})
    strict = dataclasses.replace(rules, allow_transcribed=False)
    chosen, why = chosen_of(frame, strict)
    assert chosen == ["effect-1"]
    assert why["effect-0"] == "rests on a transcribed value"


def test_a_barred_effect_does_not_win_over_an_open_one(rules):
    frame = effect_rows({"is_approximate": True}, {"analysis_set": "per protocol"})
    assert chosen_of(frame, rules)[0] == ["effect-1"]


def test_trials_and_pools_do_not_compete(rules):
    differ = [
        {},
        {"study_id": "bell2002"},
        {"indication_id": "other"},
        {"construct": "fatigue"},
        {"comparator_class": "active drug"},
        {"measure": "SMD"},
        {"unit": "mm"},
    ]
    assert len(chosen_of(effect_rows(*differ), rules)[0]) == len(differ)


def test_two_reports_of_one_trial_bring_one_effect(rules):
    frame = effect_rows(
        {"study_id": "main", "trial_id": "main", "timepoint_weeks": 20.0},
        {"study_id": "secondary", "trial_id": "main"},
    )
    chosen, why = chosen_of(frame, rules)
    assert chosen == ["effect-1"]
    assert why["effect-0"] == "effect-1 has a time nearer to the target"


def test_the_order_of_the_rows_does_not_matter(effects, rules):
    chosen, why = select(effects, rules)
    turned = effects[::-1]
    chosen_turned, why_turned = select(turned, rules)
    pd.testing.assert_series_equal(chosen_turned.sort_index(), chosen)
    pd.testing.assert_series_equal(why_turned.sort_index(), why)


@pytest.mark.parametrize("blind", ["permuted", "absent"])
def test_the_result_is_never_looked_at(effects, protocol, blind):
    results = ["yi", "vi", "sei", "ci_low", "ci_high"]
    if blind == "absent":
        other = effects.drop(columns=results)
    else:
        order = np.random.default_rng(1).permutation(len(effects))
        shuffled = effects[results].iloc[order].to_numpy()
        other = effects.assign(**dict(zip(results, shuffled.T, strict=True)))
        other["yi"] *= -1
    # The selections of the protocol; the other variants differ in the model only.
    for selection in {variant.selection for variant in protocol.variants}:
        chosen, why = select(effects, selection)
        chosen_other, why_other = select(other, selection)
        assert chosen.equals(chosen_other)
        assert why.equals(why_other)


def test_one_effect_per_trial_and_pool_in_every_analysis(effects, protocol):
    for selection in {variant.selection for variant in protocol.variants}:
        chosen, why = select(effects, selection)
        pools = effects[chosen].groupby([*POOL, "trial_id"]).size()
        assert (pools == 1).all()
        assert (chosen == (why == CHOSEN)).all()
        assert (why != "").all()
        # Whoever lost names the effect of the same trial that won.
        ids = effects.set_index("effect_id")
        for index in effects.index[~chosen]:
            winner = why[index].split(" has ")[0].split(" is the same")[0]
            if winner in ids.index:
                row = effects.loc[index]
                assert (ids.loc[winner, [*POOL, "trial_id"]] == row[[*POOL, "trial_id"]]).all()
                assert winner in set(effects.loc[chosen, "effect_id"])


def test_the_main_analysis_is_marked_in_the_effects(effects, rules):
    chosen, why = select(effects, rules)
    assert (effects["is_selected"] == chosen).all()
    assert (effects["selected_why"] == why).all()


# What rules look at, in values that meet often, so that trials have rivals and ties.
CANDIDATE = st.fixed_dictionaries(
    {
        "study_id": st.sampled_from(["ames2001", "bell2002"]),
        "construct": st.sampled_from(["pain_intensity", "fatigue"]),
        "analysis_set": st.sampled_from(["intention to treat", "per protocol"]),
        "timepoint_weeks": st.sampled_from([2.0, 12.0, 13.0, np.nan]),
        "read_from": st.sampled_from(["abstract", "transcription"]),
        "is_preferred": st.booleans(),
        "is_approximate": st.booleans(),
        "route_rank": st.integers(1, 2),
    }
)


@percent(60)
@given(rows=st.lists(CANDIDATE, min_size=1, max_size=8), data=st.data())
def test_choosing_without_reasons_chooses_the_same(protocol, rows, data):
    effects = effect_rows(*rows)
    selection = data.draw(st.sampled_from(protocol.variants)).selection
    assert choose(effects, selection).equals(select(effects, selection)[0])
