"""Risk of bias on pages: the table, the sentence, and dots beside the right rows."""

import re

import pytest

from builders import REPORTED, assert_legible, marks, says
from ldn_meta.display.figures.forest import SHOWN_HEADING
from ldn_meta.display.pages import effect as forest_page
from ldn_meta.display.words import COUNTS
from ldn_meta.evidence.raw.bias import TOOLS, bias_frame


@pytest.fixture(scope="module", params=REPORTED)
def page(request, opened_once):
    return opened_once("included_trials", indication=request.param)


@pytest.fixture
def fibromyalgia(effect_page):
    return effect_page


def test_the_table_has_a_row_for_every_judgement(page):
    frame = page.bias.frame
    assert len(frame) == len(page.opened.derived.evidence.risk_of_bias)
    assert (frame["judged by"] == "this project").all()
    assert frame["reason"].str.len().min() >= 10


def test_numbers_of_the_sentence_are_counts(page):
    counts = page.bias_counts
    allowed = {COUNTS[n] if n < len(COUNTS) else str(n) for n in counts.values()}
    sentence = str(page.bias_sentence)
    words = {word.lower() for word in re.findall(r"[A-Za-z]+|\d+", sentence.replace("RoB 2", ""))}
    assert words & (set(COUNTS) - {"no"}) <= allowed
    assert counts["trials"] == sum(counts[word] for word in TOOLS["RoB 2"].ranks)


def test_every_study_is_counted_once(page):
    counts = page.bias_counts
    studies = page.opened.derived.evidence.risk_of_bias["study_id"].nunique()
    kinds = ("trials", "other_comparisons", "without_comparison", "not_judged")
    assert sum(counts[kind] for kind in kinds) == studies


def test_figures_can_be_read_on_every_page(page):
    light = page.traffic_light
    assert_legible(light.figure)
    assert page.opened.label.lower() in light.alt.lower()
    assert_legible(page.bias_summary.figure)


def test_sentences_by_hand(opened_once):
    def said(name):
        return str(opened_once("included_trials", indication=name).bias_sentence)

    assert said("fibromyalgia").startswith(
        "Risk of bias of five trials judged with RoB 2: not readable here in four "
        "trials, high in one trial. One comparison that was not randomised was judged "
        "with ROBINS-I. Six studies without a comparison went through a checklist"
    )
    assert said("painful_diabetic_neuropathy").startswith(
        "Risk of bias of one trial judged with RoB 2: some concerns. Not readable here: what"
    )
    assert said("complex_regional_pain_syndrome").startswith("There is no trial whose risk")


# ---------------------------------------------------------------- dots beside forest plots


def letters(figure, row, width):
    found = []
    for column in range(width):
        name = f"{row}-dot-{column}-letter"
        found.append(says(figure, name) if name in marks(figure, name) else "")
    return found


def test_pooled_and_shown_rows_have_their_judgements(fibromyalgia):
    figure = fibromyalgia.forest.figure
    assert_legible(figure)
    assert letters(figure, "trial-0", 7) == ["L", "", "L", "L", "L", "/", "/"]
    assert letters(figure, "trial-1", 7) == ["/", "", "L", "/", "L", "/", "/"]
    shown = [name for name in marks(figure, "shown-") if name.endswith("-dot-6-letter")]
    place = shown[0].removesuffix("-dot-6-letter")
    assert says(figure, f"{place}-label") == "Younger 2013"
    assert letters(figure, place, 7) == ["/", "H", "/", "C", "C", "/", "H"]


def test_judgements_of_the_figure_are_those_on_file(fibromyalgia):
    trials = fibromyalgia.pool.trials
    frame = bias_frame(fibromyalgia.opened.derived.evidence, list(trials["study_id"]))
    for row, overall in enumerate(frame["overall"]):
        letter = {"low": "L", "not readable here": "/", "high": "H"}[overall]
        assert says(fibromyalgia.forest.figure, f"trial-{row}-dot-6-letter") == letter


def test_alt_text_tells_the_overall_judgement(fibromyalgia):
    alt = fibromyalgia.forest.alt
    assert "INNOVA 2026 0.49 (-0.32 to 1.31), weight 44.8%, risk of bias not readable here." in alt
    shown = alt[alt.index(SHOWN_HEADING) :]
    assert "rests on an approximation, risk of bias high." in shown


def test_rows_alone_have_dots_too(fibromyalgia):
    """Nothing pooled, everything shown hollow: as where only barred trials gave a number."""
    output = forest_page.forest_of_pool(
        None,
        beside=fibromyalgia.answer.beside,
        variants=[],
        comparator="placebo",
        evidence=fibromyalgia.opened.derived.evidence,
        name="forest",
        title="Beside",
    )
    assert_legible(output.figure)
    assert letters(output.figure, "shown-0", 7)[-1] == "H"
    assert "risk of bias high" in output.alt


@pytest.mark.parametrize(
    ("page", "construct"),
    [("responder_rates", "responder_pain_30"), ("safety", "any_adverse_event")],
)
def test_pages_of_people_have_dots(opened_once, page, construct):
    output = opened_once(page, indication="fibromyalgia", construct=construct).forest
    assert_legible(output.figure)
    assert letters(output.figure, "trial-0", 6) == [*"LLLL//"]


# ---------------------------------------------------------------- what reviews must have


def test_the_question_has_its_parts(page):
    told = dict(page.question.frame.itertuples(index=False))
    assert told["people"] == page.opened.indication["population"]
    assert page.opened.indication["main_comparator"] in told["compared with"]
    assert page.opened.indication["question"] in page.question.caption


def test_every_study_is_in_or_out_by_one_rule(page):
    told = ", ".join(page.eligibility.frame["studies"].str.replace(" and ", ", "))
    studies = page.opened.derived.evidence.text["studies"]
    for label in studies["label"].str.replace(" and ", ", "):
        assert label in told


def test_how_studies_were_found_is_said_plainly(page):
    assert "not by a systematic search" in str(page.found_sentence)
    assert "string" in page.found.frame.columns
    assert (page.found.frame["hits"] == "not recorded").all()


def test_units_of_analysis_by_hand(opened_once):
    def said(name):
        return str(opened_once("included_trials", indication=name).units)

    first = "Three crossovers (Bested 2023, Younger & Mackey 2009, Younger 2013)"
    assert said("fibromyalgia").startswith(first)
    assert "correlation within people of 0.6 is assumed and varied" in said("fibromyalgia")
    assert said("opioid_combination").startswith("No crossover")
    assert said("complex_regional_pain_syndrome").startswith("There is no comparison")


def test_who_paid_is_told_or_not_reported(opened_once):
    frame = opened_once("included_trials", indication="opioid_combination").studies.frame
    paid = frame.set_index("study")["funding"]
    assert paid["Chindalore 2005"] == "company trial (Pain Therapeutics)"
    assert paid["Farahmand 2012"] == "NR"
    assert (frame["conflicts of interest"] == "NR").all()
