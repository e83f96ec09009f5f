"""Page 50 on the real evidence: every branch of its sentences, and numbers that agree."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import ldn_meta as lm
from ldn_meta.display.pages.effect import EffectPage
from ldn_meta.display.words import fixed
from ldn_meta.evidence.answer.answer import INSIDE
from ldn_meta.evidence.answer.multiverse import weights
from ldn_meta.evidence.audit.claim_material import medians_as_means, with_medians
from ldn_meta.evidence.raw.review import Review
from ldn_meta.stats.multiverse import digits
from ldn_meta.stats.small_study import begg_test, egger_test, trim_and_fill
from pool_calls import pool_calls


@pytest.fixture(scope="module")
def fibromyalgia(opened_once):
    return opened_once("robustness", indication="fibromyalgia")


def test_two_trials(fibromyalgia):
    said = str(fibromyalgia.sentence)
    assert said.startswith("The main answer: the interval includes no difference.")
    one, two = fibromyalgia.pool.trials["yi"]
    assert f"runs from {one:.2f} to {two:.2f}" in said
    assert f"Over {fibromyalgia.answer.multiverse.distinct:,} analyses by defensible" in said
    assert "the probability that LDN is better on average is" in said
    # No word of futility without what it rests on.
    assert "futility" not in said
    assert (
        "futility bound, which holds only if the spread between trials is taken as known"
        in str(fibromyalgia.sequential_sentence)
    )


def test_shares_are_those_of_the_analyses(fibromyalgia):
    found, told = fibromyalgia.answer.multiverse, fibromyalgia.choices
    low, high = found.results["ci_low"], found.results["ci_high"]
    share = weights(found)[(low <= 0) & (high >= 0)].sum() / len(found)
    assert told["either_way"] == pytest.approx(share)
    assert f"in {math.floor(100 * share + 0.5)}% of those with a result" in str(
        fibromyalgia.sentence
    )
    assert 'moves the estimates most: "transcribed values"' in str(fibromyalgia.choices_sentence)
    assert fibromyalgia.node_frame["share_explained"].is_monotonic_decreasing


def test_the_next_trial_is_sized_in_words(fibromyalgia):
    sizes = fibromyalgia.facts.values["next_enough"]
    said = str(fibromyalgia.next_sentence)
    inside = sizes[f"no effect: {INSIDE}"]
    assert f"if its true effect is no effect, {inside:,.0f} people" in said
    assert sizes["the pooled effect: the pooled interval lies wholly on the side of LDN"] is None
    assert "not even" not in said
    assert "no size can put the interval wholly on the side of LDN: what keeps it wide" in said


def test_each_interval_as_the_next_trial_grows(fibromyalgia):
    """metafor, a third trial of a million people at -1: Wald and floored Knapp-Hartung."""
    frame = fibromyalgia.answer.growth
    last = frame[np.isinf(frame["people"])].set_index("interval")[["ci_low", "ci_high"]]
    assert last.loc["wald"].tolist() == pytest.approx([-1.20, 0.48], abs=5e-3)
    assert last.loc["knapp-hartung-floored"].tolist() == pytest.approx([-2.21, 1.49], abs=5e-3)
    # The limit is one: a million times the people move nothing that is shown.
    most = frame[frame["people"] == max(fibromyalgia.opened.protocol.next_people)]
    assert np.abs(most.set_index("interval")["ci_low"] - last["ci_low"]).max() < 0.005
    table = fibromyalgia.growth.frame
    assert table["people in it"].tolist() == ["100", "400", "1,600", "6,400", "without limit"]
    assert [c for c in table.columns if "the one to read" in c] == [
        "floored Knapp-Hartung (the one to read)"
    ]


def test_what_moves_nothing_is_named_and_not_counted(fibromyalgia):
    found = fibromyalgia.answer.multiverse
    said = str(fibromyalgia.choices_sentence)
    idle = [n.name for n, moves in zip(found.nodes, found.moves, strict=True) if not moves]
    listed = said.partition("are not counted: ")[2].partition(". Shares")[0]
    assert set(listed.split("; ")) == set(idle)
    assert found.distinct == math.prod(len(n.options) for n in found.nodes if n.name not in idle)
    # Each, answered otherwise anywhere, leaves every number: the long way on some analyses.
    rng = np.random.default_rng(3)
    for name in idle:
        place = [n.name for n in found.nodes].index(name)
        some = digits(rng.integers(0, len(found), 200), found.sizes)
        other = some.copy()
        other[:, place] = 0
        for what in ("estimate", "ci_low", "ci_high"):
            values = found.results[what]
            assert values[found.places(some)] == pytest.approx(
                values[found.places(other)], nan_ok=True, abs=1e-9
            )
    moved = fibromyalgia.node_frame.set_index("node")["moves"]
    assert not moved[idle].any()
    assert moved.sum() == len(found.nodes) - len(idle)


def test_one_trial(opened_once):
    page = opened_once("robustness", indication="multiple_sclerosis")
    said = str(page.sentence)
    assert "It rests on one trial, so nothing has tested it yet." in said
    assert "analyses" not in said
    assert "say nothing of how robust" in str(page.choices_sentence)
    assert page.nodes.frame.empty
    assert page.curve is None
    assert page.answer.look is None
    assert math.isnan(page.answer.minimal_effect)
    assert str(page.sequential_sentence) == ""
    assert page.sequential is None
    assert page.without_each.frame.empty


def test_a_sign_nobody_explained(opened_once):
    page = opened_once("robustness", indication="painful_diabetic_neuropathy")
    assert "which side is which is not known" in str(page.next_sentence)
    assert "favour of LDN" not in str(page.choices_sentence)
    assert page.sides == ("negative as printed", "positive as printed")


@pytest.mark.parametrize(
    "indication",
    ["crohns_disease", "complex_regional_pain_syndrome", "mixed_chronic_pain"],
)
def test_nothing_to_shake(indication, opened_once):
    page = opened_once("robustness", indication=indication)
    assert str(page.sentence).startswith("There is no result to be shaken")
    assert "no result that could be fragile" in str(page.headline)
    for cell in (page.curve, page.cumulative, page.sequential, page.next_trial):
        assert cell is None
    assert page.nodes.frame.empty
    assert page.facts.values["choices"] is None


def test_an_outcome_without_a_stated_difference(opened_once):
    page = opened_once("robustness", indication="fibromyalgia", construct="responder_pain_30")
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
    assert values["sequential"]["crossed"] == fibromyalgia.answer.look.crossed


def with_pool(page, trials):
    """The page of another pool."""
    other = type(page)(page.opened, page.construct)
    other.answer = replace(page.answer, pool=replace(page.pool, trials=trials))
    return other


@pytest.fixture(scope="module")
def twelve(fibromyalgia):
    """Twelve trials, the smaller the more in favour of the treatment."""
    page = fibromyalgia
    trials = pd.concat([page.pool.trials] * 6, ignore_index=True)
    names = [f"Trial {number}" for number in range(1, 13)]
    sizes = np.arange(1, 13)
    return with_pool(
        page, trials.assign(study_label=names, study_id=names, yi=-sizes / 10, vi=0.02 * sizes)
    )


def test_small_studies_are_looked_at_from_ten_trials(fibromyalgia, twelve, monkeypatch):
    assert str(fibromyalgia.small_studies).startswith("Funnel plot and tests of small-study")
    assert "small_studies" not in fibromyalgia.facts.values
    page, output = twelve, twelve.small_studies
    said = str(output)
    yi, vi = (page.pool.trials[name].to_numpy() for name in ("yi", "vi"))
    egger, begg = egger_test(yi, vi), begg_test(yi, vi)
    filled = trim_and_fill(yi, vi, tau2_method="reml", ci_method="knapp-hartung-floored")
    assert said.startswith("12 trials: enough to look for small-study effects.")
    assert f"slope {egger.slope:.2f}, p" in said
    assert f"tau {begg.kendall_tau:.2f}, p" in said
    assert filled.k_filled > 0
    r = filled.filled
    assert f"is {fixed(r.estimate)} ({fixed(r.ci_low)} to {fixed(r.ci_high)})" in said
    facts = page.facts.values["small_studies"]
    assert (facts["egger_slope"], facts["begg_tau"]) == (egger.slope, begg.kendall_tau)
    assert (facts["filled"], facts["filled_estimate"]) == (filled.k_filled, r.estimate)
    text, funnel = output.outputs
    assert str(text) == said
    assert funnel.name == "funnel_pain_intensity"
    assert "12 trials" in funnel.alt
    assert "imputed" in funnel.alt
    # They are shown in turn.
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *outputs: shown.extend(outputs))
    output._ipython_display_()
    assert shown == list(output.outputs)


def test_nothing_missing_is_said(twelve):
    alike = twelve.pool.trials.assign(yi=np.linspace(-0.6, 0.6, 12), vi=0.1)
    said = str(with_pool(twelve, alike).small_studies)
    assert "slope not defined, p not defined" in said
    assert "Trim and fill finds no trial missing." in said
    assert "Noted: all standard errors are equal" in said


def test_another_treatment_is_called_by_its_name(fibromyalgia):
    opened = fibromyalgia.opened
    evidence = replace(opened.derived.evidence, review=Review("ABC", "abecedarin"))
    row = opened.indication | {"intervention": "ABC"}
    other = replace(opened, indication=row, derived=replace(opened.derived, evidence=evidence))
    page, effect = type(fibromyalgia)(other), EffectPage(other)
    cells = [getattr(page, name) for name in ("sentence", "choices_sentence", "next_sentence")]
    cells += [page.headline, page.bayes_sentence, effect.sentence, effect.other_outcomes]
    cells += [effect.trials.note, page.sides, page.facts.values]
    cells += [effect.forest.alt, page.next_trial.alt, page.cumulative.alt, page.bayes.frame]
    said = " ".join(map(str, cells))
    assert "ABC" in said
    assert not re.search(r"LDN|naltrexone", said)


def test_the_page_pools_nothing_twice():
    with pool_calls() as pooled:
        page = lm.robustness(indication="fibromyalgia")
        for name in dir(type(page)):
            if not name.startswith("_"):
                getattr(page, name)
        effect = lm.pooled_effect(indication="fibromyalgia")
        for name in ("facts", "forest", "sensitivity", "other_outcomes"):
            getattr(effect, name)
    assert len(pooled) == len(set(pooled)) < 60


@pytest.mark.parametrize("indication", ["fibromyalgia", "crohns_disease"])
def test_every_late_choice_is_told_with_what_it_can_move(indication, opened_once):
    page = opened_once("robustness", indication=indication)
    history = page.opened.protocol.history
    table = page.history.frame
    told = f"; {'; '.join(table['choice'])}; "
    for one in history.decisions:
        assert (f"; {one.what}; " in told) == bool(one.is_late or one.changed)
    assert (table["with it otherwise"] != "not computed").all()
    said = str(page.history_sentence)
    late = sum(one.is_late for one in history.decisions)
    assert "never registered" in said
    named = f"{late} were made after the main pool of the project (fibromyalgia) was seen"
    assert named in said


def test_with_a_choice_otherwise_by_hand(fibromyalgia):
    """The node "approximated effects" lets a third trial in: the pool is computed anew."""
    table = fibromyalgia.history.frame
    named = table["choice"].str.contains("approximated effects")
    (cell,) = table.loc[named, "with it otherwise"]
    other = fibromyalgia.opened.protocol.changed(allow_approximate=True)
    page = lm.robustness(indication="fibromyalgia")
    page.opened = replace(page.opened, protocol=other)
    assert page.answer.k == 3
    r = page.answer.pool.result
    assert cell == f"{fixed(r.estimate)} (ends {fixed(r.ci_low)} and {fixed(r.ci_high)})"


def test_medians_are_let_in_by_hand(fibromyalgia):
    """Bested 2023: -0.33, quartiles 6.33 apart, 58 people, r = 0.6 within them.

    Handbook 23.2.7.1: SE = sqrt(1/N + SMD^2/(2N)) sqrt(2 (1 - r)). Borenstein 2009, 4.26 to 4.28:
    d = difference / (S_diff / sqrt(2 (1 - r))), V = (1/n + d^2/(2n)) 2 (1 - r).
    """
    said = str(fibromyalgia.medians_sentence)
    for middle, width, outcome in (
        (-0.33, 6.33, "summed pain intensity ratings"),
        (-1.65, 18.55, "fibromyalgia impact"),
    ):
        d = middle / (width / 1.35 / math.sqrt(2 * (1 - 0.6)))
        half = 1.959964 * math.sqrt(1 / 58 + d**2 / (2 * 58)) * math.sqrt(2 * (1 - 0.6))
        ends = f"{fixed(d)} ({fixed(d - half)} to {fixed(d + half)})"
        assert f"Bested 2023, {outcome}: {ends}, 58 people randomised" in said
    # Without it: both trials divided by 1.53 points, with the plan's prior for such differences.
    assert "(of 1.53 points, the typical one at baseline) is 0.01 (-0.72 to 0.79)" in said
    assert "with Bested 2023 let in it is -0.05 (-0.52 to 0.42)" in said
    # Half a standard deviation of 1.53 points is no prior of one point.
    assert "0.5 standard deviations would be one of 0.77 points, another than that of 1" in said
    assert "Approximate" in said
    assert "the number analysed is not told" in said


def test_medians_are_let_in_beside_one_trial(fibromyalgia):
    """One trial is read by its own interval, divided like its estimate."""
    opened, pool = fibromyalgia.opened, fibromyalgia.pool
    medians = medians_as_means(
        opened.derived.evidence,
        indication_id="fibromyalgia",
        comparator_class=fibromyalgia.comparator_class,
        correlation=opened.protocol.correlation,
    )
    for at in range(len(pool.trials)):
        alone = pool.of(pool.trials.iloc[[at]])
        ends = sorted(-alone.benefit_sign * end / 2 for end in alone.own_intervals[0])
        assert with_medians(alone, 2.0, []).read[1:3] == pytest.approx(ends)
        after = with_medians(alone, 2.0, medians)
        assert len(after.trials) == 1 + len(medians)
        assert not np.isnan([*after.read[:3], *np.ravel(after.own_intervals)]).any()


def test_without_medians_nothing_is_let_in(opened_once):
    said = str(opened_once("robustness", indication="multiple_sclerosis").medians_sentence)
    assert said == ""


@pytest.mark.parametrize("indication", ["crohns_disease", "opioid_combination"])
def test_a_section_without_a_pool_has_nothing_to_show(indication, opened_once):
    page = opened_once("robustness", indication=indication)
    assert page.next_sentence is page.growth is page.next_trial is None
    assert page.facts.values["next_sentence"] == ""


def test_two_sizes_of_information_are_told_apart(fibromyalgia):
    said = str(fibromyalgia.sequential_sentence)
    assert "made larger for the spread between trials" in said
    assert "The size on the page on certainty is another" in said


@pytest.mark.parametrize("indication", ["fibromyalgia", "multiple_sclerosis"])
def test_ratings_that_what_was_not_read_decides_are_counted(opened_once, indication):
    page = opened_once("robustness", indication=indication)
    told = page.history.frame.set_index("choice").loc["GRADE: risk of bias", "with it otherwise"]
    derived, key = page.opened.derived, ["construct", "comparator_class"]
    rated = derived.certainty.set_index(key)["certainty"]
    rows = derived.certainty_domains.set_index(key).query("domain == 'risk_of_bias'")
    moved = rows.index[rows["certainty_otherwise"] != rated.reindex(rows.index)]
    others = [one for one in moved if one != (page.construct, page.comparator_class)]
    assert len(others) == {"fibromyalgia": 1, "multiple_sclerosis": 2}[indication]
    noun = "one other rating" if len(others) == 1 else "two other ratings"
    assert told.endswith(f"; {noun} of the condition would move")


def test_one_choice_has_one_interval_on_two_pages(opened_once, fibromyalgia):
    """A common effect on the page of the effect, and as an answer to the spread between trials."""
    effect = opened_once("pooled_effect", indication="fibromyalgia")
    (read,) = (found.read for name, found in effect.answer.variants if name == "common effect")
    told = fibromyalgia.history.frame.set_index("choice")["with it otherwise"]
    ends = f"{fixed(read.low)} and {fixed(read.high)}"
    assert told['other answers to "spread between trials"'].endswith(f"(ends {ends})")


def test_a_choice_that_acts_only_with_others_is_said_to(opened_once):
    """Old: the choice that moves most, of which the table said that nothing moves."""
    page = opened_once("robustness", indication="fibromyalgia")
    top = page.node_frame.iloc[0]
    told = page.nodes.frame.set_index("choice").loc[top["node"], "changed alone"]
    assert top["shift"] == 0
    assert told == "nothing moves, only together with other choices"
    assert "of their variance, only together with other choices)" in str(page.choices_sentence)
