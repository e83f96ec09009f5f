"""What all pages share: every one can be made, and outputs say what they hold."""

import pytest

import ldn_meta as lm
from builders import REPORTED


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
