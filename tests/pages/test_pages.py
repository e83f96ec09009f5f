"""Pages say what the data say: every branch of the sentences, on the real evidence."""

import math

import pytest

import ldn_meta as lm
from builders import REPORTED
from ldn_meta.display import words as wording
from ldn_meta.display.outputs import FACTS_MIME, Facts, Table, linked
from ldn_meta.errors import ArgumentError


@pytest.fixture(scope="module")
def fibromyalgia():
    return lm.pooled_effect(indication="fibromyalgia")


def test_two_trials_agree_with_the_closed_form_of_two(fibromyalgia):
    # With two trials REML is ((y1 - y2)^2 - v1 - v2) / 2, floored at zero (DerSimonian and
    # Laird's estimator has the same form at k = 2).
    trials = fibromyalgia.pool.trials
    assert list(trials["study_id"]) == ["duebruun2024", "innova2026"]
    (y1, y2), (v1, v2) = trials["yi"], trials["vi"]
    tau2 = max(0.0, ((y1 - y2) ** 2 - v1 - v2) / 2)
    w1, w2 = 1 / (v1 + tau2), 1 / (v2 + tau2)
    mean = (w1 * y1 + w2 * y2) / (w1 + w2)
    half = 1.959963984540054 / math.sqrt(w1 + w2)
    result = fibromyalgia.result
    assert result.tau2 == pytest.approx(tau2, rel=1e-6)
    assert result.estimate == pytest.approx(mean, rel=1e-6)
    expected = f"{mean:.2f} points (0-10) (95% CI {mean - half:.2f} to {mean + half:.2f})"
    assert expected in str(fibromyalgia.sentence)
    assert "195 people" in str(fibromyalgia.sentence)
    assert "With two trials" in str(fibromyalgia.sentence)


def test_with_crossovers_there_are_three_trials_and_a_prediction_interval():
    page = lm.pooled_effect(indication="fibromyalgia", allow_approximate=True)
    assert "younger2013" in set(page.pool.trials["study_id"])
    assert len(page.pool.trials) == 3
    assert page.result.ci_method == "knapp-hartung-floored"
    assert "in a new trial is expected between" in str(page.sentence)


def test_without_transcribed_values_the_pain_pool_stays_and_responders_go():
    pain = lm.pooled_effect(indication="fibromyalgia", allow_transcribed=False)
    assert len(pain.pool.trials) == 2
    assert not pain.pool.trials["is_transcribed"].any()
    responders = lm.responder_rates(
        indication="fibromyalgia", construct="responder_pain_30", allow_transcribed=False
    )
    assert responders.pool is None
    assert str(responders.sentence).startswith("No study")


def test_one_trial_is_not_called_pooled():
    page = lm.pooled_effect(indication="multiple_sclerosis")
    assert len(page.pool.trials) == 1
    assert "Nothing was pooled" in str(page.sentence)
    assert "Sharafaddinzadeh 2010 (no usable numbers; told: no difference)" in str(page.sentence)
    assert "pooled mean" not in str(page.sentence)


def test_direction_only_names_each_trial():
    page = lm.pooled_effect(indication="crohns_disease")
    assert page.pool is None
    assert "Smith 2011: favours LDN (printed: 88% against 40%" in str(page.sentence)
    assert "Nothing was pooled." in str(page.sentence)


def test_a_case_report_is_no_comparison():
    page = lm.pooled_effect(indication="complex_regional_pain_syndrome")
    assert page.answer.synthesis["synthesis"] == "no comparison group"
    assert "cannot show an effect" in str(page.sentence)


def test_unknown_names_are_refused_with_what_is_allowed():
    with pytest.raises(ArgumentError, match="fibromyalgia"):
        lm.pooled_effect(indication="fibromyalga")
    with pytest.raises(ArgumentError, match="known"):
        lm.pooled_effect(indication="fibromyalgia", construct="pain_intensty")


@pytest.mark.parametrize("indication", REPORTED)
def test_every_page_of_every_indication_can_be_made(indication):
    included = lm.included_trials(indication=indication)
    counts = included.counts
    assert counts["rows_used"] + counts["rows_left_out"] == counts["value_rows"]
    assert counts["contrast"] + counts["single_arm"] + counts["excluded"] == counts["studies"]
    assert counts["in_a_pool"] + counts["single_trial"] + counts["narrative"] == counts["contrast"]
    effect = lm.pooled_effect(indication=indication)
    for page in (
        included,
        effect,
        lm.responder_rates(indication=indication, construct="responder_pain_30"),
        lm.safety(indication=indication, construct="any_adverse_event"),
    ):
        assert page.facts.values["indication"] == indication
        html = page.left_out._repr_html_()
        assert "<p><strong>" in html
        assert "nan" not in str(page.headline)
    for table in (effect.trials, effect.sensitivity, effect.other_outcomes):
        assert "nan" not in repr(table)


def test_every_trial_row_leads_to_a_source(fibromyalgia):
    for cell in fibromyalgia.trials.frame["source"]:
        label, _, address = cell.partition("|")
        assert label
        assert address.startswith("https://doi.org/10.")


def test_overview_counts_every_cell():
    page = lm.overview()
    assert len(page.cells) == len(REPORTED) * len(page.derived.protocol.outcome_groups)
    assert sum(page.facts.values["kinds"].values()) == len(page.cells)


def test_numbers_for_readers():
    assert wording.fixed(-0.004) == "0.00"
    assert wording.fixed(math.nan) == "not defined"
    assert wording.interval(-1, math.inf) == "not defined"
    assert wording.estimate_with_interval(0.0, -1.0, 1.0, measure="RR") == "1.00 (0.37 to 2.72)"
    assert wording.p_value(0.00001) == "p < 0.001"
    assert wording.agree(1, "has", "have") == "one has"
    assert wording.agree(0, "has", "have") == "none has"
    assert wording.people(0) == "number of people not reported"


def test_tables_escape_and_link():
    import pandas as pd

    table = Table(pd.DataFrame({"a": ["<b>", linked("x & y", "https://doi.org/10.1/z")]}), "c")
    html = table._repr_html_()
    assert "&lt;b&gt;" in html
    assert '<a href="https://doi.org/10.1/z">x &amp; y</a>' in html
    assert "https" not in repr(table)


def test_facts_hold_only_what_json_can():
    bundle = Facts({"a": math.nan, "b": [1.5, {"c": math.inf}]})._repr_mimebundle_()
    assert bundle[FACTS_MIME] == {"a": None, "b": [1.5, {"c": None}]}
