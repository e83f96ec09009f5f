"""What all pages share: every one can be made, and outputs say what they hold."""

import math

import pytest

import ldn_meta as lm
from builders import REPORTED
from ldn_meta.display import words as wording
from ldn_meta.display.outputs import FACTS_MIME, Facts, Table, linked


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
