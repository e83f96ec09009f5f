"""What all pages share: every one can be made, and outputs say what they hold."""

import re
from dataclasses import replace

import numpy as np
import pytest

import ldn_meta as lm
from builders import REPORTED, numbers_in
from ldn_meta.display.pages.effect import _diamonds
from ldn_meta.display.pages.page import _probability
from ldn_meta.evidence.effects.rows import NOT_RANDOMISED


@pytest.mark.parametrize("indication", REPORTED)
def test_every_page_of_every_indication_can_be_made(opened_once, indication):
    included = opened_once("included_trials", indication=indication)
    counts = included.counts
    assert counts["rows_used"] + counts["rows_left_out"] == counts["value_rows"]
    assert counts["contrast"] + counts["single_arm"] + counts["excluded"] == counts["studies"]
    assert counts["in_a_pool"] + counts["not_pooled"] + counts["narrative"] == counts["contrast"]
    effect = opened_once("pooled_effect", indication=indication)
    for page in (
        included,
        effect,
        opened_once("responder_rates", indication=indication, construct="responder_pain_30"),
        opened_once("safety", indication=indication, construct="any_adverse_event"),
    ):
        assert page.facts.values["indication"] == indication
        html = page.left_out._repr_html_()
        assert "<p><strong>" in html
        assert "nan" not in str(page.headline)
    for table in (effect.trials, effect.sensitivity, effect.other_outcomes):
        assert "nan" not in repr(table)


@pytest.mark.parametrize("indication", REPORTED)
def test_an_arm_that_is_not_named_stands_on_every_page_of_harms(opened_once, indication):
    """The map, the page without pooling and the page of harms tell of the same people."""
    told = opened_once("overview").cells.query("indication_id == @indication")["told"]
    groups = opened_once("without_pooling", indication=indication).groups_table.frame
    harms = opened_once("safety", indication=indication, construct="any_adverse_event")
    for text in filter(None, told):
        assert text in set(groups["synthesis"])
        assert text in str(harms.sentence)
    assert any(told) == (indication == "multiple_sclerosis")


@pytest.mark.parametrize("indication", REPORTED)
def test_what_is_told_against_a_comparator_was_compared_with_it(opened_once, indication, evidence):
    """The count of the answer, and who told of it, against the table of studies."""
    page = opened_once("pooled_effect", indication=indication)
    studies = evidence.text["studies"]
    own = studies[studies["indication_id"].eq(indication) & studies["eligible_for"].eq("contrast")]
    against = set(own.loc[own["comparator_class"] == page.comparator_class, "label"])
    assert page.facts.values["answer"]["comparative_studies"] == len(against)
    assert set(page.answer.synthesis["directions"]) <= against
    for name in set(own["label"]) - against:
        assert page.not_in_the_number[name].startswith("compared with ")


@pytest.mark.parametrize("indication", REPORTED)
def test_a_trial_of_unknown_allocation_is_called_that(opened_once, indication, evidence):
    studies = evidence.text["studies"].query("indication_id == @indication")
    unknown = set(studies.loc[~studies["is_randomised"].isin(["yes", "no"]), "label"])
    included = opened_once("included_trials", indication=indication)
    page = opened_once("pooled_effect", indication=indication)
    for name in unknown & set(studies.query("eligible_for == 'contrast'")["label"]):
        assert f"how people were allocated in {name}: judged" in str(included.bias_sentence)
        assert "not randomised" not in page.not_in_the_number[name]
    rows = page.other_outcomes.frame
    if "used" in rows:
        told = rows["used"].str.contains("not randomised")
        assert rows.loc[told, "used"].str.contains(NOT_RANDOMISED).all()


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


@pytest.fixture
def pain(effect_page):
    return effect_page


@pytest.fixture(scope="module")
def ratio(opened_once):
    return opened_once("pooled_effect", indication="fibromyalgia", construct="responder_pain_30")


def test_the_table_has_both_kinds_and_marks_the_one_to_read(pain):
    frame = pain.bayes.frame
    assert frame["analysis"].tolist()[:4] == [
        "REML, Wald interval",
        "REML, Knapp-Hartung interval",
        "REML, floored Knapp-Hartung interval",
        "Bayesian: half-normal, scale 1 (analysis plan), the one to read",
    ]
    # Eight priors, of which one is the protocol's own.
    assert len(frame) == 3 + 8
    assert frame.columns[-4:-1].tolist() == [
        "P(LDN better)",
        "P(better by more than 1)",
        "P(differ by less than 1)",
    ]
    assert frame.iloc[:3, -4:-1].eq("not defined").all(axis=None)
    r = pain.answer.bayes
    assert frame.loc[3, "effect (95%)"] == f"{r.mu_median:.2f} ({r.mu_low:.2f} to {r.mu_high:.2f})"
    assert frame.loc[3, "new trial (95%)"] == f"{r.theta_low:.2f} to {r.theta_high:.2f}"
    assert "two trials: they say little about tau" in pain.bayes.note


def test_the_numbers_are_those_of_the_pool_with_the_stated_prior(pain):
    trials = pain.pool.trials
    expected = lm.pool_bayes(
        trials["yi"].to_numpy(),
        trials["vi"].to_numpy(),
        tau_prior_scale=1.0,
        mid=1.0,
        measure="MD",
        labels=tuple(trials["study_label"]),
    )
    assert pain.answer.bayes == expected
    facts = pain.facts.values["bayes"]
    assert facts["mu_low"] == expected.mu_low
    assert facts["prob_benefit"] == expected.prob_below_zero
    assert facts["prob_benefit_beyond_mid"] == expected.prob_below_mid
    assert facts["shrunk"]["INNOVA 2026"]["mean"] == expected.shrunk_mean[1]
    assert len(facts["other_priors"]) == 7


def test_ratios_are_shown_as_ratios_and_more_is_better(ratio):
    r, facts = ratio.answer.bayes, ratio.facts.values["bayes"]
    assert r.tau_prior_scale == 0.5
    assert facts["shown_mu_high"] == pytest.approx(np.exp(r.mu_high))
    assert facts["prob_benefit"] == 1.0 - r.prob_below_zero
    frame = ratio.bayes.frame
    assert frame.columns[-2] == "P(LDN better)"
    assert frame["effect (95%)"][3].startswith(f"{np.exp(r.mu_median):.2f} (")
    # No ratio is nought.
    assert not frame["new trial (95%)"].str.contains(r"\b0\.00 ").any()
    assert "minimal important difference" not in str(ratio.bayes_sentence)


@pytest.mark.parametrize("page", ["pain", "ratio"])
def test_every_number_of_the_sentence_is_a_fact(page, request):
    page = request.getfixturevalue(page)
    sentence = str(page.bayes_sentence)
    known = list(numbers_in(page.facts.values["bayes"]))
    stated = NUMBER.findall(re.sub(r"points \(0-10\)", "", sentence))
    assert len(stated) > 8
    for number in stated:
        digits = len(number.partition(".")[2])
        assert any(
            abs(round(v, digits) - float(number)) < 1e-9
            or abs(np.floor(100 * v + 0.5) - float(number)) < 1e-9
            for v in known
        ), f"{number} of {sentence!r}"


def test_with_two_trials_the_answer_gives_the_bayesian_interval(pain):
    r = pain.answer.bayes
    told = f"95% credible interval {r.mu_low:.2f} to {r.mu_high:.2f} (Bayesian, half-normal"
    assert told in str(pain.sentence)
    assert "this is the interval to read" in str(pain.bayes_sentence)


def test_with_three_trials_it_stands_beside(opened_once):
    page = opened_once("pooled_effect", indication="fibromyalgia", allow_approximate=True)
    assert page.answer.bayes.k == 3
    analyses = page.bayes.frame["analysis"].tolist()
    assert analyses[:4] == [
        "REML, Wald interval",
        "REML, Knapp-Hartung interval",
        "REML, floored Knapp-Hartung interval, the one to read",
        "Bayesian: half-normal, scale 1 (analysis plan)",
    ]
    assert "to read" not in str(page.bayes_sentence)


def test_one_trial_and_none_say_why_there_is_nothing(opened_once):
    one = opened_once("pooled_effect", indication="multiple_sclerosis")
    assert one.answer.bayes is None
    assert one.bayes.frame.empty
    assert "would be the prior alone" in str(one.bayes_sentence)
    none = opened_once("pooled_effect", indication="crohns_disease")
    assert str(none.bayes_sentence) == ""
    assert none.facts.values["bayes"] == {"sentence": ""}


def test_a_unit_without_a_stated_prior_gets_none(pain):
    protocol = pain.opened.protocol
    model = replace(protocol.model, bayes=replace(protocol.bayes, scale={}))
    bare = replace(protocol, model=model)
    page = type(pain)(replace(pain.opened, protocol=bare), "protocol")
    assert page.answer.bayes is None
    assert page.answer.other_priors == ()
    assert "states no prior for the spread in points (0-10)" in str(page.bayes_sentence)
    assert "prior" not in str(page.sentence)
    assert "95% CI -5.21 to 5.28 (REML, floored Knapp-Hartung interval)" in str(page.sentence)


def test_where_the_side_is_not_known_no_benefit_is_claimed(pain):
    page = type(pain)(pain.opened, "protocol")
    trials = page.pool.trials.assign(benefit_sign=np.nan)
    page.answer = replace(page.answer, pool=replace(page.pool, trials=trials))
    assert page.bayes.frame.columns[-2] == "P(below 0)"
    assert "no probability of a benefit" in str(page.bayes_sentence)
    assert np.isnan(page.posterior.benefit)
    assert np.isnan(page.posterior.benefit_beyond_mid)


def test_nearly_certain_is_not_written_as_certain():
    assert _probability(0.0004) == "under 1%"
    assert _probability(0.9999) == "over 99%"
    assert _probability(0.48) == "48%"


def test_the_forest_plot_draws_the_interval_to_read(pain):
    r = pain.answer.bayes
    assert f"Pooled, Bayesian {r.mu_median:.2f} ({r.mu_low:.2f} to {r.mu_high:.2f})" in (
        pain.forest.alt
    )
    assert "Wald" not in pain.forest.alt
    assert _diamonds(pain.pool, []) is None
    label, diamond = next(
        pair for pair in _diamonds(pain.pool, pain.answer.variants) if pair[1].k == 3
    )
    wide = dict(pain.answer.variants)["with approximated effects (crossovers)"]
    assert label == f"with approximated effects (crossovers), {wide.read.method}"
    assert (diamond.ci_low, diamond.ci_high) == (wide.result.ci_low, wide.result.ci_high)
