"""Pages say what the data say: every branch of the sentences, on the real evidence."""

import dataclasses
import math
import re

import numpy as np
import pytest
from matplotlib.text import Text

import ldn_meta as lm
from builders import REPORTED, made_page, seven_trials
from ldn_meta import files
from ldn_meta.display.pages.certainty import relative
from ldn_meta.display.pages.effect import EffectPage
from ldn_meta.display.pages.page import size
from ldn_meta.display.words import estimate_with_interval
from ldn_meta.errors import ArgumentError
from ldn_meta.pipeline.readme import read_answers


@pytest.fixture
def fibromyalgia(effect_page):
    return effect_page


def test_two_trials_agree_with_the_closed_form_of_two(fibromyalgia):
    # With two trials REML is ((y1 - y2)^2 - v1 - v2) / 2, floored at zero (DerSimonian and
    # Laird's estimator has the same form at k = 2).
    trials = fibromyalgia.pool.trials
    assert list(trials["study_id"]) == ["duebruun2024", "innova2026"]
    (y1, y2), (v1, v2) = trials["yi"], trials["vi"]
    tau2 = max(0.0, ((y1 - y2) ** 2 - v1 - v2) / 2)
    w1, w2 = 1 / (v1 + tau2), 1 / (v2 + tau2)
    mean = (w1 * y1 + w2 * y2) / (w1 + w2)
    result = fibromyalgia.pool.result
    assert result.tau2 == pytest.approx(tau2, rel=1e-6)
    assert result.estimate == pytest.approx(mean, rel=1e-6)
    sentence = str(fibromyalgia.sentence)
    assert "195 people" in sentence
    assert "0.02 points (0-10), 95% credible interval -1.33 to 1.45 (Bayesian, " in sentence
    # One question, one interval: those not read stand on the robustness page alone.
    half = 1.959963984540054 / math.sqrt(w1 + w2)
    assert f"{mean - half:.2f}" not in sentence
    assert not re.search("Wald|Hartung", sentence)


def test_one_interval_of_a_trial_in_table_figure_and_data(opened_once):
    # By t, as printed or normal: what stands in effects.csv stands in the table and the figure.
    told = {}
    for indication in ("fibromyalgia", "multiple_sclerosis", "painful_diabetic_neuropathy"):
        page = opened_once("pooled_effect", indication=indication)
        drawn = page.forest.alt.replace("\u2212", "-")
        # Rows shown and not pooled follow those of the pool.
        rows = [*page.pool.trials.to_dict("records"), *page.answer.beside.to_dict("records")]
        for row, cell in zip(rows, page.trials.frame["effect (95% CI)"], strict=True):
            ends = [float(end) + 0.0 for end in (row["yi"], row["ci_low"], row["ci_high"])]
            assert cell == "{:.2f} ({:.2f} to {:.2f})".format(*ends)
            assert f"{row['study_label']} {cell}" in drawn
            told[row["study_id"]] = cell
    assert told["cree2010"] == "3.30 (0.16 to 6.44)"
    assert told["innova2026"] == "0.49 (-0.32 to 1.31)"
    assert told["duebruun2024"] == "-0.34 (-0.95 to 0.27)"
    assert told["srinivasan2021"] == "0.15 (-0.11 to 0.41)"


def test_the_forest_shows_the_numbers_an_effect_is_made_of(fibromyalgia):
    # A difference of end levels beside one of changes: what the means are stands in a column.
    drawn = " ".join(text.get_text() for text in fibromyalgia.forest.figure.findobj(Text))
    for number in ("7.33 (1.48)", "6.83 (1.96)", "1.3", "0.9", "mean is", "end level", "change"):
        assert number in drawn
    assert list(fibromyalgia.trials.frame["difference of"]) == [
        "changes from baseline", "end levels", "changes from baseline",
    ]  # fmt: skip


def test_with_crossovers_there_are_three_trials_and_a_prediction_interval(opened_once):
    page = opened_once("pooled_effect", indication="fibromyalgia", allow_approximate=True)
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


def test_one_trial_is_not_called_pooled(opened_once):
    page = opened_once("pooled_effect", indication="multiple_sclerosis")
    assert len(page.pool.trials) == 1
    assert "Nothing was pooled" in str(page.sentence)
    assert "Sharafaddinzadeh 2010: no usable numbers, called no difference." in str(page.sentence)
    assert "pooled mean" not in str(page.sentence)


def test_direction_only_names_each_trial(opened_once):
    page = opened_once("pooled_effect", indication="crohns_disease")
    assert page.pool is None
    printed = "(printed: LDN 88%, placebo 40%, of how many people is not reported; p 0.009)"
    assert f"Smith 2011: favours LDN {printed}" in str(page.sentence)
    assert "Nothing was pooled." in str(page.sentence)


def test_a_case_report_is_no_comparison(opened_once):
    page = opened_once("pooled_effect", indication="complex_regional_pain_syndrome")
    assert page.answer.synthesis["synthesis"] == "no comparison"
    assert "cannot show an effect" in str(page.sentence)


def test_unknown_names_are_refused_with_what_is_allowed():
    with pytest.raises(ArgumentError, match="fibromyalgia"):
        lm.pooled_effect(indication="fibromyalga")
    with pytest.raises(ArgumentError, match=r"pain_intensty.* did you mean .pain_intensity"):
        lm.pooled_effect(indication="fibromyalgia", construct="pain_intensty")


def test_every_trial_row_leads_to_a_source(fibromyalgia):
    for cell in fibromyalgia.trials.frame["source"]:
        label, _, address = cell.partition("|")
        assert label
        assert address.startswith("https://doi.org/10.")


CONDITIONS = ("fibromyalgia", "multiple_sclerosis", "painful_diabetic_neuropathy")


@pytest.fixture(scope="module")
def overview_cells():
    cells = lm.overview().facts.values["cells"]
    return {(c["indication_id"], c["construct"]): c for c in cells}


@pytest.mark.parametrize("indication", CONDITIONS)
def test_one_question_has_one_interval_on_every_page(indication, overview_cells):
    """Headline, forest, certainty, robustness, map and README of the main outcome."""
    page = lm.pooled_effect(indication=indication)
    read = page.pool.read
    text = size(page.pool)
    numbers = estimate_with_interval(*read[:3], measure=page.pool.key["measure"])
    facts = page.facts.values
    assert facts["read"]["estimate"] == facts["variants"]["main"]["read"]["estimate"]
    assert (facts["read"]["low"], facts["read"]["high"]) == (read.low, read.high)
    assert text in facts["answer"]["effect"]
    assert text in str(page.sentence)
    assert numbers.replace("-", "\N{MINUS SIGN}") in page.forest.alt.replace("-", "\N{MINUS SIGN}")
    assert not re.search("Wald|Hartung", str(page.sentence)) or len(page.pool.trials) > 2
    assert page.sensitivity.frame.iloc[0]["effect (95% interval)"] == numbers
    # Page 60 rates and prints the same.
    (row,) = [
        row
        for row in lm.certainty(indication=indication).outcomes
        if (row["construct"], row["comparator_class"]) == (page.construct, page.comparator_class)
    ]
    told = (row["estimate"], row["ci_low"], row["ci_high"])
    assert told == pytest.approx(read[:3], rel=1e-5)
    assert (row["interval"], row["method"]) == (read.name, read.method)
    # Page 50: history, choices and the parts of the pool end where the answer is.
    robust = lm.robustness(indication=indication)
    last = robust.answer.over_time.iloc[-1]
    assert tuple(last[["estimate", "ci_low", "ci_high"]]) == read[:3]
    own = robust.choices
    default = tuple(own[f"default_{name}"] for name in ("estimate", "ci_low", "ci_high"))
    assert default == pytest.approx(read[:3], rel=1e-9)
    # Page 90 and the table of the README.
    cell = overview_cells[indication, page.construct]
    assert (cell["estimate"], cell["ci_low"], cell["ci_high"]) == pytest.approx(read[:3])
    (answer,) = [a for a in read_answers() if a.indication == indication]
    assert text in answer.effect
    assert text in (files.project_root() / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "construct"),
    [(lm.responder_rates, "responder_pain_30"), (lm.safety, "any_adverse_event")],
)
def test_people_counted_have_one_interval_too(make, construct, overview_cells):
    page = make(indication="fibromyalgia", construct=construct)
    read, text = page.pool.read, size(page.pool)
    assert read.has_prior
    assert text in str(page.sentence)
    numbers = estimate_with_interval(*read[:3], measure="RR")
    assert numbers in page.pools_table.frame["RR (95% interval)"].tolist()
    (row,) = [
        row
        for row in lm.certainty(indication="fibromyalgia").outcomes
        if row["construct"] == construct
    ]
    assert numbers in relative(row)
    # People per 1,000 stand for the same interval.
    for name, ratio in zip(("with", "low", "high"), np.exp(read[:3]), strict=True):
        of_1000 = min(1000.0, ratio * row["per_1000_without"])
        assert row[f"per_1000_{name}"] == pytest.approx(of_1000, rel=1e-4)
    cell = overview_cells["fibromyalgia", construct]
    told = (cell["estimate"], cell["ci_low"], cell["ci_high"])
    assert told == pytest.approx(tuple(np.exp(read[:3])))


@pytest.mark.parametrize("indication", REPORTED)
def test_every_effect_that_is_no_response_and_no_harm_stands_on_the_page(indication, opened_once):
    page = opened_once("pooled_effect", indication=indication)
    effects = page.opened.derived.effects
    if effects.empty:
        return
    told = str(page.trials.frame.to_dict()) + str(page.other_outcomes.frame.to_dict())
    alone = page.one_arm.frame
    for row in effects[~effects["domain"].isin(["responder", "harm"])].to_dict("records"):
        if row["kind"] == "contrast":
            assert row["study_label"] in told
            in_any_pool = any(
                row["study_id"] in set(p.trials["study_id"]) for p in page.opened.pools
            )
            if row["is_preferred"] and not in_any_pool:
                effect = estimate_with_interval(
                    row["yi"], row["ci_low"], row["ci_high"], measure=row["measure"]
                )
                assert effect in told
                assert row["selected_why"] in told
    is_here = ~effects["domain"].isin(["responder", "harm"]) & (effects["kind"] != "contrast")
    assert len(alone) == is_here.sum()


def test_an_effect_that_is_kept_out_stands_with_its_rule_and_arm(opened_once):
    page = opened_once("pooled_effect", indication="opioid_combination")
    rows = page.other_outcomes.frame.set_index("trials")
    low, high = (f"Naltrexone after caesarean, naltrexone {dose} mg" for dose in (3, 6))
    assert rows.loc[low, "effect (95% interval)"] == "-9.20 (-19.39 to 0.99)"
    assert rows.loc[high, "effect (95% interval)"] == "-6.80 (-16.99 to 3.39)"
    assert set(rows["used"]) == {"shown, not pooled: not randomised or not said to be"}
    # Its test is no result without an effect.
    assert "duration of analgesia" not in set(page.without_estimate.frame["outcome"])


def test_changes_and_ends_of_treatment_of_one_arm_are_shown(opened_once):
    page = opened_once("pooled_effect", indication="mixed_chronic_pain")
    told = dict(page.one_arm.frame[["outcome", "change, or share (95% interval)"]].to_numpy())
    assert told["stopped for lack of benefit"] == "16/31 (35% to 68%)"
    changes = page.one_arm.frame.iloc[:, 5]
    assert "-0.66 (-1.21 to -0.10)" in set(changes)


def test_printed_numbers_carry_their_arms_and_their_p(opened_once):
    page = opened_once("pooled_effect", indication="mixed_chronic_pain")
    assert (
        "(printed: LDN -1.7, placebo -2.0; p 0.22; side inferred from the order of arms)"
        in str(page.sentence)
    )
    for indication in REPORTED:
        rows = opened_once("without_pooling", indication=indication).results["printed"]
        assert not [text for text in rows if "|" in text or " against " in text]
        assert not [text for text in rows if re.fullmatch(r"[-+\d.;% ]+", text)]


def test_one_trial_counts_the_analyses_that_differ(opened_once):
    page = opened_once("pooled_effect", indication="painful_diabetic_neuropathy")
    said = str(page.caveats)
    assert "Largest weight" not in said
    distinct = {
        (found.read.estimate, found.read.low, found.read.high)
        for _, found in page.answer.variants
        if found is not None
    }
    assert len(distinct) == 2
    assert "Over the two analyses of the table that differ" in said


# -- runs with other choices, on made-up trials ---------------------------------------------------


@pytest.fixture(scope="module")
def seven(tmp_path_factory, raw_folder):
    """The made-up trials of reference/selection_reference.R, and R's answers."""
    build, known = seven_trials(tmp_path_factory.mktemp("pages") / "raw", raw_folder)
    return build.load(), known


@pytest.fixture
def page_of_run(seven, protocol):
    """Page 20 of made-up trials under some choices."""
    plan = dataclasses.replace(protocol, sensitivities=(), nodes=())
    return lambda evidence=seven[0], sections=(), **choices: run_page(
        evidence, plan.changed(**choices), dict(sections)
    )


def run_page(evidence, protocol, sections):
    return EffectPage(made_page(evidence, protocol, **sections))


def test_a_run_prints_what_metafor_pools(page_of_run, seven):
    """The story of the newcomer: parallel, double-blind, no high risk, changes, in SDs."""
    page = page_of_run(
        designs=["parallel"],
        blinding=["double-blind"],
        risk_of_bias="some concerns",
        estimand="change",
        measure="SMD",
        tau2_method="reml",
        ci_method="knapp-hartung-floored",
    )
    known = seven[1]["pools"]["story"]
    shown = ", ".join(f"{known[name]:.2f}" for name in ("estimate", "ci_low"))
    assert f"is {shown.partition(', ')[0]} standard deviations, 95% CI" in str(page.sentence)
    assert f"95% CI {known['ci_low']:.2f} to {known['ci_high']:.2f}" in str(page.sentence)
    # Said on the scale that readers know: times the SD that the plan states for it.
    assert f"that is {1.96 * known['estimate']:.2f} points (0-10)" in str(page.sentence)
    each = page.answer.without_each
    assert list(each["label"]) == ["Dahl 2007", "Ekman 2009"]
    assert list(each["estimate"]) == pytest.approx(known["yi"][::-1], rel=1e-5)
    out = page.not_in_the_number
    # The choices made come first, then the rules of the plan; of every trial all that bars it.
    change = "what its difference is of is not change from baseline"
    assert out["Falk 2011"].endswith(f"its design is not parallel; {change}")
    assert f"or nobody judged it; {change}" in out["Cole 2005"]
    assert out["Ames 2001"].endswith(f", {change}")
    assert out["Gray 2013"].endswith("; not double-blind")
    assert "Chosen, beside the plan: designs = parallel; blinding = double-b" in str(page.sentence)


def test_sections_are_there_only_where_there_is_something_to_split(page_of_run, effect_page):
    for nothing in ("subgroups", "subgroup_forest", "regression", "bubble", "across"):
        assert getattr(effect_page, nothing) is None
    page = page_of_run()
    told = page.subgroups.frame
    # Dose has one subgroup of two trials, design one; judgements have two.
    assert list(told["told apart by"]) == ["risk of bias", "", "", "estimand", ""]
    assert page.regression is page.bubble is None
    assert "subgroups" in page.facts.values
    assert not {"subgroups", "regression", "across"} & set(effect_page.facts.values)


def test_subgroups_as_asked(page_of_run, seven):
    page, known = page_of_run(sections={"subgroup_by": "dose"}), seven[1]["apart"]["dose"]
    told = page.subgroups.frame
    assert list(told["subgroup"]) == ["1.5 mg", "3 mg", "4.5 mg", "6 mg"]
    assert list(told["trials"]) == ["1", "1", "3", "1"]
    middle = known["estimate"][known["names"].index("4.5 mg")]
    assert told["effect (95% CI)"].iloc[2].startswith(f"{middle:.2f} (")
    assert f"p = {known['p']:.3g}" in told["test between subgroups"].iloc[0]
    # One trial has its own interval, as in the figures.
    own = dict(zip(page.answer.moderators["dose"], page.pool.own_intervals, strict=True))
    for dose in ("1.5 mg", "3 mg", "6 mg"):
        low, high = own[dose]
        shown = told["effect (95% CI)"][told["subgroup"] == dose].item()
        assert shown.replace("\N{MINUS SIGN}", "-").endswith(f"({low:.2f} to {high:.2f})")
        assert f"({low:.2f} to {high:.2f})" in page.subgroup_forest.alt
    assert "Six trials are few" in page.subgroups.note
    assert "nobody was randomised to it" in page.subgroups.note
    assert "4.5 mg" in page.subgroup_forest.alt
    only = page_of_run(sections={"subgroup_by": "comparator"})
    assert str(only.subgroups) == (
        "By comparator: nothing to tell apart: every trial of the pool is placebo."
    )
    assert only.subgroup_forest is None


def test_a_regression_as_asked(page_of_run, seven):
    page = page_of_run(sections={"regress_on": "dose"}, ci_method="knapp-hartung")
    slope = {name: values[1] for name, values in seven[1]["slope"].items()}
    (row,) = page.regression.frame.to_dict("records")
    numbers = f"{slope['estimate']:.2f} ({slope['ci_low']:.2f} to {slope['ci_high']:.2f})"
    assert (row["covariate"], row["trials"]) == ("highest dose, mg a day", "6")
    assert row["effect moves by (95% CI)"] == numbers
    assert "fewer than ten trials are not enough for a covariate" in page.regression.note
    assert "Bubble plot" in page.bubble.alt
    few = page_of_run(sections={"regress_on": "baseline"})
    assert str(few.regression).startswith("No regression on baseline: a line needs three trials")


def test_several_outcomes_are_all_named():
    names = ["quality_of_life_mental", "pain_interference"]
    page = lm.pooled_effect(indication="multiple_sclerosis", construct=names)
    assert page.outcome == "mental quality of life or pain interference"
    assert "in mental quality of life or pain interference is 0.33" in str(page.sentence)
    (row,) = page.pool.trials.to_dict("records")
    # Cree 2010 by hand: 3.3 points over the norm-based SD of 10.
    assert row["yi"] == pytest.approx(0.33)


def test_a_trial_on_another_instrument_is_said_to_be(build, protocol):
    """What a newcomer found: 'no usable numbers' of a trial that a table pooled on its scale."""
    build.rows["outcomes"][0] |= {"unit": "metres", "scale_min": "NA", "scale_max": "NA"}
    build.outcome("pace", unit="seconds", scale_min="NA", scale_max="NA")
    for study, outcome, mean, sd in (
        ("ames2001", "pain", 4.0, 2.0),
        ("berg2003", "pain", 4.5, 2.0),
        ("cole2005", "pace", 40.0, 12.0),
    ):
        build.trial(study, label=study, year=study[-4:])
        for arm, value in (("ldn", mean), ("placebo", 1.25 * mean)):
            build.stats(
                arm, study, outcome_id=outcome, statistic_of="end", n=50, mean=value, sd=sd
            )
    plan = dataclasses.replace(protocol, sensitivities=(), nodes=())
    page = run_page(build.load(), plan, {})
    correction = 1 - 3 / (4 * 98 - 1)
    assert page.not_in_the_number == {"cole2005": "measured in seconds: -10.00 (-14.70 to -5.30)"}
    last = page.across.frame.iloc[-1]
    assert last["trials"] == "ames2001, berg2003, cole2005"
    by_hand = [-correction * 1.0 / 2, -correction * 1.125 / 2, -correction * 10 / 12]
    every = page.answer.across.pool
    assert list(every.trials["yi"]) == pytest.approx(by_hand, rel=1e-4)
    told = str(page.sentence)
    assert "With every instrument in standard deviations (three trials): " in told
    # Two of three trials walked metres, with an SD of 2.
    shift = 2.0 * float(every.read.estimate)
    assert f"On the familiar scale that is {shift:.2f} metres" in told
    assert "no usable numbers" not in told
    assert page.facts.values["across"]["k"] == 3


def test_a_side_that_is_inferred_and_a_study_beside_are_told_in_forty_words(opened_once):
    said = {
        name: opened_once("pooled_effect", indication=name)
        for name in ("mixed_chronic_pain", "opioid_combination")
    }
    mixed, combined = (page.short for page in said.values())
    assert mixed.endswith("one favours comparator (side inferred from the order of arms)")
    assert "of two studies that told of it" in combined
    assert combined.endswith("(one more beside)")
    assert max(len(text.split()) for text in (mixed, combined)) <= 40
    told = str(said["opioid_combination"].sentence)
    assert "Beside the answer: Oxytrex OA phase III (unpublished) (not double-blind" in told
    for name, page in said.items():
        on_map = opened_once("overview").table.frame.astype(str).to_string()
        assert ("order of arms" in str(opened_once("certainty", indication=name).plain)) == (
            page is said["mixed_chronic_pain"]
        )
        assert "favours comparator (side inferred from the order of arms)" in on_map
