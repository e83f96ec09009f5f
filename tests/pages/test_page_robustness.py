"""Page 50 on the real evidence: every branch of its sentences, and numbers that agree."""

import math

import numpy as np
import pytest

import ldn_meta as lm
from ldn_meta.display.outputs import Text
from ldn_meta.evidence.answer.answer import INSIDE
from ldn_meta.evidence.answer.multiverse import weights


@pytest.fixture(scope="module")
def fibromyalgia():
    return lm.robustness(indication="fibromyalgia")


def test_two_trials(fibromyalgia):
    said = str(fibromyalgia.sentence)
    assert said.startswith("The main answer: the interval includes no difference.")
    one, two = fibromyalgia.pool.trials["yi"]
    assert f"runs from {one:.2f} to {two:.2f}" in said
    assert f"Over {len(fibromyalgia.answer.multiverse):,} combinations" in said
    assert "the probability that LDN is better on average is" in said
    assert "futile" in said


def test_shares_are_those_of_the_analyses(fibromyalgia):
    found, told = fibromyalgia.answer.multiverse, fibromyalgia.choices
    low, high = found.results["ci_low"], found.results["ci_high"]
    share = weights(found)[(low <= 0) & (high >= 0)].sum() / len(found)
    assert told["either_way"] == pytest.approx(share)
    assert f"in {math.floor(100 * share + 0.5)}% of those with a result" in str(
        fibromyalgia.choices_sentence
    )
    assert 'moves the estimates most: "transcribed values"' in str(fibromyalgia.choices_sentence)
    assert fibromyalgia.node_frame["share_explained"].is_monotonic_decreasing


def test_the_next_trial_is_sized_in_words(fibromyalgia):
    sizes = fibromyalgia.facts.values["next_enough"]
    said = str(fibromyalgia.next_sentence)
    inside = sizes[f"no effect: {INSIDE}"]
    assert f"if its true effect is no effect, {inside:,.0f} people" in said
    assert sizes["the pooled effect: the pooled interval lies wholly on the side of LDN"] is None
    assert "not even 6,400 people" in said


def test_one_trial():
    page = lm.robustness(indication="multiple_sclerosis")
    said = str(page.sentence)
    assert "It rests on one trial, so nothing has tested it yet." in said
    assert "combinations of the choices in the protocol give the same result" in said
    assert page.answer.look is None
    assert math.isnan(page.answer.minimal_effect)
    assert str(page.sequential_sentence).startswith("Fewer than two trials")
    assert isinstance(page.sequential, Text)
    assert page.without_each.frame.empty


def test_a_sign_nobody_explained():
    page = lm.robustness(indication="painful_diabetic_neuropathy")
    assert "which side is which is not known" in str(page.sentence)
    assert "favour of LDN" not in str(page.choices_sentence)
    assert page.sides == ("negative as printed", "positive as printed")


@pytest.mark.parametrize(
    "indication",
    ["crohns_disease", "complex_regional_pain_syndrome", "mixed_chronic_pain"],
)
def test_nothing_to_shake(indication):
    page = lm.robustness(indication=indication)
    assert str(page.sentence).startswith("There is no result to be shaken")
    assert "no result that could be fragile" in str(page.headline)
    for cell in (page.curve, page.cumulative, page.sequential, page.next_trial):
        assert isinstance(cell, Text)
    assert page.nodes.frame.empty
    assert page.facts.values["choices"] is None


def test_an_outcome_without_a_stated_difference():
    page = lm.robustness(indication="fibromyalgia", construct="responder_pain_30")
    assert "No minimal important difference is stated" in str(page.sequential_sentence)
    assert "ratio" in {node.name for node in page.answer.multiverse.nodes}
    displayed = page.facts.values["choices"]
    assert displayed["shown_lowest"] == pytest.approx(math.exp(displayed["lowest"]))
    assert "leave no trial" in str(page.choices_sentence)


def test_facts_are_numbers(fibromyalgia):
    values = fibromyalgia.facts.values
    assert values["pool"]["k"] == 2
    assert len(values["cumulative"]) == 2
    assert np.isfinite([row["probability"] for row in values["next_trial"]]).all()
    assert values["sequential"]["crossed"] == list(fibromyalgia.answer.look.crossed)
