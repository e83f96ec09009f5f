"""The dose-finding trial as the raw tables have it, and what is refused."""

import dataclasses

import numpy as np
import pytest
from scipy.special import ndtr

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.dose import (
    DoseReadings,
    design_shares,
    dose_trial,
    load_dose_choices,
    widest,
)
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.raw.protocol import load_protocol
from ldn_meta.stats.up_and_down import simulate_up_and_down


@pytest.fixture
def edited(rewritten):
    return lambda old, new: load_dose_choices(rewritten(old, new))


def test_the_trial_of_the_project(evidence):
    trial = dose_trial(evidence, load_dose_choices())
    assert trial.label == "Bruun-Plesner 2020"
    assert trial.ladder == (0.75, 1.5, 2.25, 3.0, 3.75, 4.5, 5.25, 6.0)
    assert (trial.people, trial.responders, trial.changes, trial.pairs) == (25, 11, 10, 6)
    half, most = trial.printed["ed50"], trial.printed["ed95"]
    assert (half.dose, half.decimals, half.low, half.high) == (3.88, 2, 3.39, 4.35)
    # Typed as printed, 5.40: two digits, although the number is 5.4.
    assert (most.dose, most.decimals, most.low, most.high) == (5.4, 2, 4.66, 6.13)
    assert half.row["read_in"] == "bruunplesner2020"
    assert half.interval_row["read_in"] == "radi-jfp"


def test_a_fact_that_is_not_there_is_named(evidence):
    without = {**evidence.tables}
    facts = without["study_facts"]
    without["study_facts"] = facts[facts["fact"] != "reversals"]
    with pytest.raises(ArgumentError, match=r"0 preferred rows of 'reversals'"):
        dose_trial(dataclasses.replace(evidence, tables=without), load_dose_choices())
    events = {**evidence.tables}
    events["arm_events"] = events["arm_events"].iloc[:0]
    with pytest.raises(ArgumentError, match=r"0 preferred rows of 'responder_own_rule'"):
        dose_trial(dataclasses.replace(evidence, tables=events), load_dose_choices())


def test_an_interval_nobody_prints_is_nan(evidence):
    without = {**evidence.tables}
    facts = without["study_facts"]
    without["study_facts"] = facts[facts["row_id"] != "bruunplesner2020-ed95-radi-jfp"]
    trial = dose_trial(dataclasses.replace(evidence, tables=without), load_dose_choices())
    assert np.isnan([trial.printed["ed95"].low, trial.printed["ed95"].high]).all()
    assert trial.printed["ed95"].interval_row == {}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ed50_steps = 60", "ed50_step = 60", "ed50_steps"),
        ("ed50_steps = 60", 'ed50_steps = "many"', "ed50_steps"),
        ("ed50_low_mg = 0.1\n", "", "'ed50_low_mg' is missing"),
    ],
)
def test_choices_that_are_no_choices_are_refused(edited, old, new, says):
    with pytest.raises(ArgumentError, match=says):
        edited(old, new)


def test_a_protocol_may_name_no_dose_finding_trial(raw_folder, tmp_path):
    text = (raw_folder / "protocol.toml").read_text(encoding="utf-8")
    start = text.index("[dose]")
    file = tmp_path / "protocol.toml"
    file.write_text(text[:start] + text[text.index("[[sensitivity]]", start) :], encoding="utf-8")
    assert load_dose_choices(file) is None


def small(evidence, **changes):
    """A smaller trial on a coarser grid, so that everything is quick."""
    choices = dataclasses.replace(load_dose_choices(), ed50_steps=12, spread_steps=6)
    trial = dose_trial(evidence, choices)
    smaller = {
        "people": 13,
        "responders": 6,
        "changes": 4,
        "pairs": 3,
        "ladder": trial.ladder[2:6],
    }
    return DoseReadings(
        dataclasses.replace(trial, **smaller | changes), choices, seed=3, trials=200
    )


def test_the_design_alone_makes_about_half_respond(evidence):
    """25 people, 0.75 to 6 mg in steps of 0.75: 40% to 58%, wherever the dose for half lies."""
    trial, choices = dose_trial(evidence, load_dose_choices()), load_dose_choices()
    found = design_shares(trial.ladder, trial.people, choices)
    assert [one.ed50 for one in found] == [1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5]
    assert widest(found, "means") == pytest.approx((0.397, 0.582), abs=1e-3)
    assert widest(found, "by_start") == pytest.approx((0.337, 0.643), abs=1e-3)
    for one in found:
        # A steeper or flatter curve moves the mean by a few people in a hundred at most.
        assert one.means[1] - one.means[0] < 0.05
        assert one.middle[0] <= one.by_start[0] <= one.means[0]
        assert one.means[1] <= one.by_start[1] <= one.middle[1]
    share = trial.responders / trial.people
    assert widest(found, "means")[0] < share < widest(found, "means")[1]


def test_the_same_by_simulation(evidence):
    """The curve of the printed doses, moved along the ladder; every first dose alike."""
    trial, choices = dose_trial(evidence, load_dose_choices()), load_dose_choices()
    found = design_shares(trial.ladder, trial.people, choices)
    rng = np.random.default_rng(11)
    for one in found:
        chance = ndtr((np.array(trial.ladder) - one.ed50) / 0.924)
        runs = [
            simulate_up_and_down(chance, people=25, start=start, trials=500, rng=rng)
            for start in range(8)
        ]
        mean = np.mean([run.responded.mean() for run in runs])
        assert one.means[0] - 0.005 < mean < one.means[1] + 0.005


def test_counts_that_are_no_share_give_no_effect(evidence):
    effects, left_out = normalise(evidence, load_protocol())
    in_words = left_out[left_out["usable_for"] == "count in words"]
    reasons = dict(zip(in_words["row_id"], in_words["reason"], strict=True))
    assert {name.split("-")[0] for name in reasons} == {"bruunplesner2020", "chopra2013"}
    assert not set(in_words["study_id"]) & set(effects["study_id"])
    by_design = reasons["bruunplesner2020-responder_own_rule-w2-ldn-bruunplesner2020"]
    assert by_design.startswith("its share is set by the design (up-and-down)")
    among = reasons["bruunplesner2020-responder_tenderness_30-w2-ldn-radi-jfp"]
    assert among.startswith("counted among people chosen by another outcome")
    assert reasons["chopra2013-dystonia-followup"].startswith("chosen cases")
    # Nobody on the drug alone gives a share of fewer people than the protocol asks for.
    alone = effects[effects["kind"] == "single-arm proportion"]
    assert alone["n_1"].min() >= load_protocol().shares.fewest_people


def test_a_design_that_is_none_is_refused(evidence, rewritten):
    file = rewritten('fixed_by_design = ["up-and-down"]', 'fixed_by_design = ["up and down"]')
    with pytest.raises(ArgumentError, match=r"shares\.fixed_by_design: 'up and down'"):
        normalise(evidence, load_protocol(file))


def test_more_of_the_report_is_less_probable(evidence):
    readings = small(evidence)
    assert readings.changes_for_pairs == 5
    assert [found.changes for found in readings.possible] == [4, 5]
    first, second, third = readings.readings
    assert (second.by_start <= first.by_start + 1e-15).all()
    assert third.by_start.shape == (4, 72)
    assert "5 changes" in third.name
    curves = readings.curves(first)
    single = readings.curves(first, start=2)
    np.testing.assert_allclose(
        curves.weight, first.by_start.mean(axis=0) / first.by_start.mean(axis=0).sum()
    )
    np.testing.assert_allclose(single.weight, first.by_start[2] / first.by_start[2].sum())


def test_changes_that_hold_the_pairs_are_listed_once(evidence):
    readings = small(evidence, pairs=2, changes=3)
    assert [found.changes for found in readings.possible] == [3]


def test_the_trial_run_again_is_the_same_with_its_seed(evidence):
    one, two = small(evidence).repeated, small(evidence).repeated
    assert one == two or str(one) == str(two)
    assert len(one) == 6
    for found in one:
        assert found.low <= found.median <= found.high
        assert 0 <= found.inside <= 1
        assert np.isnan(found.delta) == (found.method == "cir")
