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


def test_weeks_after_the_last_dose_stand_where_somebody_says(opened_once, evidence):
    frame = opened_once("included_trials", indication="crohns_disease").studies.frame
    after = frame.set_index("study")["weeks after the last dose"]
    facts = evidence.text["study_facts"]
    told = facts[facts["fact"] == "followed_after"].set_index("study_id")["value"]
    assert after["Smith 2007"] == told["smith2007"]
    assert after["Smith 2011"] == "NR"


def test_rows_that_no_page_shows_are_counted_apart(opened_once):
    from ldn_meta.evidence.effects.effects import used_rows

    for name in ("fibromyalgia", "mixed_chronic_pain", "crohns_disease"):
        page = opened_once("included_trials", indication=name)
        counts, effects = page.counts, page.opened.derived.effects
        unseen = counts["rows_used"] - counts["rows_shown"]
        assert ("counted, not shown" in str(page.headline)) == (unseen > 0)
        # What is not shown is another analysis of a trial and outcome that is.
        is_shown = effects["effect_id"].isin(page.opened.shown)
        keys = ["study_id", "construct"]
        shown = set(effects[is_shown][keys].itertuples(index=False, name=None))
        assert set(effects[~is_shown][keys].itertuples(index=False, name=None)) <= shown
        assert counts["rows_shown"] == len(used_rows(effects[is_shown]))
    assert page.counts["rows_used"] == page.counts["rows_shown"] == 10


def test_arms_told_together_are_no_arm_of_their_own(opened_once):
    said = str(opened_once("included_trials", indication="crohns_disease").units)
    assert "More than two arms" not in said
    opioid = str(opened_once("included_trials", indication="opioid_combination").units)
    assert "nothing is pooled, so no arm counts twice" in opioid


def test_the_flow_tells_who_compares_nothing_in_print(opened_once):
    for name, silent in (
        ("crohns_disease", 0),  # Smith 2013: none in either arm
        ("mixed_chronic_pain", 1),  # NCT03970330
        ("opioid_combination", 1),  # Hamann & Sloan 2007
        ("multiple_sclerosis", 0),
    ):
        page = opened_once("included_trials", indication=name)
        assert page.counts["silent"] == silent
        assert ("nothing compared in print" in page.flow.alt) == (silent > 0)


def test_the_main_outcome_is_no_other_outcome(opened_once):
    rows = opened_once("included_trials", indication="complex_regional_pain_syndrome").question
    told = dict(rows.frame.to_numpy())
    assert told["main outcome"] == "pain intensity"
    assert not told["other outcomes"].startswith("pain;")


def test_conflicts_name_arms_as_readers_know_them(opened_once):
    for name in ("fibromyalgia", "mixed_chronic_pain", "opioid_combination"):
        page = opened_once("included_trials", indication=name)
        arms = set(page.opened.derived.evidence.text["arms"]["arm_id"])
        told = {part for fact in page.conflicts.frame["fact"] for part in fact.split(", ")}
        assert not told & arms


def test_people_told_by_arm_alone_stand_by_arm(opened_once):
    told = {}
    for name in ("crohns_disease", "mixed_chronic_pain", "fibromyalgia"):
        frame = opened_once("included_trials", indication=name).studies.frame
        told |= dict(frame[["study", "enrolled / randomised / analysed"]].to_numpy())
    assert told["Smith 2011"] == "40 / 20 + 20 / NR"
    assert told["Martin 2022"] == "NR / NR / 36 + 42"
    assert told["Due Bruun 2024 (FINAL)"] == "NR / 99 / 49 + 50"
    # Nobody is in one arm of a crossover alone.
    assert told["Bested 2023"] == "NR / 58 / NR"


def test_arms_that_share_people_are_not_added(opened_once):
    page = opened_once("included_trials", indication="complex_regional_pain_syndrome")
    row = page.studies.frame.set_index("study").loc["Chopra & Cooper 2013"]
    assert row["enrolled / randomised / analysed"] == "2 / NA / NR"


def test_people_whom_the_question_does_not_ask_about_stand_beside(opened_once, evidence):
    """The rule of page 10, the number page 90 works out, and what page 60 asks for."""
    beside = set(evidence.review.beside)
    names = evidence.studies.set_index("study_id")["label"][sorted(beside)]
    rules = opened_once("included_trials", indication="opioid_combination").eligibility.frame
    told = rules.set_index("so the study")["studies"]
    wanted = {row["study_id"]: row for row in opened_once("overview").to_read}
    asked = str(opened_once("certainty", indication="opioid_combination").implications)
    for study, name in names.items():
        assert name in told["shown beside it, by name"]
        assert name not in told["may enter the main answer"]
        assert "not in the people of the question: acute pain" in wanted[study]["barred"]
        assert name not in asked
    # What page 60 wants else is what page 90 lists.
    for row in opened_once("overview").to_read:
        if row["indication_id"] == "opioid_combination" and row["study_id"] not in beside:
            assert row["study_label"] in asked
