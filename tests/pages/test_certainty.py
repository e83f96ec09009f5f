"""GRADE's statements, the summary of findings and its page: nothing is without words."""

import html
import itertools
import math
import re

import pytest

from builders import REPORTED, cases
from ldn_meta.display.outputs import rows_of
from ldn_meta.display.pages import certainty as certainty_cells
from ldn_meta.display.pages.certainty import HEAD, Finding, SummaryOfFindings, _differences
from ldn_meta.display.words import outcome_phrase, statement, symbols, why
from ldn_meta.evidence.answer.directions import NO_COMPARISON
from ldn_meta.evidence.grade import EFFECT_SIZES as SIZES
from ldn_meta.evidence.grade import NOT_RATED, TOLD_ELSEWHERE
from ldn_meta.evidence.raw.protocol import GRADES
from ldn_meta.evidence.raw.review import Review

ROW = {
    "construct_label": "pain",
    "counted": "continuous",
    "comparator": "placebo",
    "certainty": "low",
    "printed": "none",
    "caution": "none",
    "size": "trivial",
    "change": "lower",
    "direction": "none",
    "why_not_rated": "none",
    "measure": "MD",
    "unit": "points (0-10)",
    "estimate": -1.5,
    "ci_low": -2.5,
    "ci_high": 0.25,
    "important_high": 1.0,
    "synthesis": "one trial",
    "studies": 1,
    "people": 99,
    "counted_before": 0,
    "counted_at": "none",
    "benefit_sign": -1.0,
    "week_first": 12.0,
    "week_last": 12.0,
}
# Santesso 2020, J Clin Epidemiol 119:126-135: size by certainty.
STATEMENTS = {
    ("large", "high"): "LDN results in a large reduction in pain compared with placebo.",
    ("moderate", "high"): "LDN reduces pain compared with placebo.",
    ("small", "high"): "LDN reduces pain slightly compared with placebo.",
    ("trivial", "high"): "LDN results in little to no difference in pain compared with placebo.",
    ("large", "moderate"):
        "LDN likely results in a large reduction in pain compared with placebo.",
    ("moderate", "moderate"): "LDN likely reduces pain compared with placebo.",
    ("small", "moderate"): "LDN likely reduces pain slightly compared with placebo.",
    ("trivial", "moderate"):
        "LDN likely results in little to no difference in pain compared with placebo.",
    ("large", "low"): "LDN may result in a large reduction in pain compared with placebo.",
    ("moderate", "low"): "LDN may reduce pain compared with placebo.",
    ("small", "low"): "LDN may reduce pain slightly compared with placebo.",
    ("trivial", "low"): "LDN may result in little to no difference in pain compared with placebo.",
}  # fmt: skip
UNCERTAIN = "The evidence is very uncertain about the effect of LDN on pain compared with placebo."


def said(**cells):
    return statement(ROW | cells, drug="LDN")


@pytest.mark.parametrize(("size", "certainty"), STATEMENTS)
def test_statements_of_grade(size, certainty):
    assert said(size=size, certainty=certainty) == STATEMENTS[size, certainty]


@pytest.mark.parametrize("size", SIZES)
def test_very_low_certainty_has_one_statement(size):
    assert said(size=size, certainty="very low", direction="favours treatment") == UNCERTAIN


def test_the_table_of_words_is_complete():
    known = {(size, grade) for size in SIZES for grade in GRADES}
    told = set(STATEMENTS) | {(size, "very low") for size in SIZES}
    assert known - told == {("not known", grade) for grade in GRADES if grade != "very low"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("lower", "may reduce pain slightly"),
        ("higher", "may increase pain slightly"),
        ("not known", "may change pain slightly"),
    ],
)
def test_the_verb_follows_the_sign(change, words):
    assert words in said(size="small", change=change)


DIRECTIONS = {
    "favours treatment": "be better than placebo for pain;",
    "favours comparator": "be worse than placebo for pain;",
    "same in both": "be the same as placebo for pain;",
    "on both sides": "be better or worse than placebo for pain: studies differ;",
    "side not known": "be better or worse than placebo for pain: the side is not known;",
}


@pytest.mark.parametrize(
    ("direction", "certainty"), list(itertools.product(DIRECTIONS, ["high", "moderate", "low"]))
)
def test_a_direction_without_a_size(direction, certainty):
    start = {"high": "LDN seems to ", "moderate": "LDN is likely to ", "low": "LDN may "}
    expected = f"{start[certainty]}{DIRECTIONS[direction]} by how much is not known."
    assert said(size="not known", direction=direction, certainty=certainty) == expected


def test_not_rated_is_said():
    assert said(certainty=NOT_RATED, size="not known") == (
        "It is not known what LDN does to pain compared with placebo."
    )


def test_people_are_counted_in_words():
    row = ROW | {"counted": "binary", "construct_label": "nausea"}
    assert outcome_phrase(row) == "the number of people with 'nausea'"


@pytest.mark.parametrize(
    ("certainty", "filled"), [("high", 4), ("moderate", 3), ("low", 2), ("very low", 1)]
)
def test_circles(certainty, filled):
    found = symbols(certainty)
    assert len(found) == 4
    assert found == "\u2295" * filled + "\u25cb" * (4 - filled)


def test_what_took_levels_off():
    domains = [
        {"domain": "risk_of_bias", "level": -1},
        {"domain": "inconsistency", "level": 0},
        {"domain": "imprecision", "level": -3},
    ]
    words = "taken down for risk of bias (one level) and imprecision (three levels)"
    assert why(domains) == words
    assert why(domains[1:2]) == "nothing taken off"
    assert symbols(NOT_RATED) == ""


@pytest.mark.parametrize(
    ("cells", "relative", "absolute"),
    cases("cells_of_an_effect"),
)
def test_cells_of_an_effect(cells, relative, absolute):
    row = ROW | cells
    assert certainty_cells.relative(row) == relative
    assert (
        certainty_cells.absolute(row, drug="LDN", review=Review("LDN", "naltrexone")) == absolute
    )


def line(**cells):
    plain = {
        "group": "LDN against placebo", "outcome": "Pain", "outcome_detail": "week 12",
        "studies": "one study (99 people)", "relative": "-", "absolute": "-",
        "symbols": symbols("low"), "certainty": "low", "statement": "LDN may reduce pain.",
        "notes": ("Imprecision, one level: wide.",),
    }  # fmt: skip
    return Finding(**(plain | cells))


def body_rows(table):
    """Cells of the body, as text, row by row."""
    body = re.search(r"<tbody.*?</tbody>", table, re.S).group()
    rows = re.findall(r"<tr.*?</tr>", body, re.S)
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell))
            for cell in re.findall(r"<td.*?</td>", row, re.S)
        ]
        for row in rows
    ]


def test_the_table_says_everything_without_css():
    second = line(
        outcome="Relief <30%>",
        notes=("Risk of bias, two levels: open.", "Imprecision, one level: wide."),
    )
    table = SummaryOfFindings(
        "sof-x", "Findings & more", "Does it help?", [line(), second], ("End.", "R&D_x_ *y*")
    )
    shown = re.sub(r"<style>.*?</style>", "", table._repr_html_(), flags=re.S)
    assert body_rows(shown)[1] == [
        "Painweek 12", "one study (99 people)", "-", "-", f"{symbols('low')}low1",
        "LDN may reduce pain.",
    ]  # fmt: skip
    assert body_rows(shown)[2][4] == f"{symbols('low')}low1, 2"
    assert "<sup>1, 2</sup>" in shown
    assert "Relief &lt;30%&gt;" in shown
    assert "Findings &amp; more" in shown
    for head in HEAD:
        assert f">{head}</th>" in shown
    foot = shown[shown.index("<tfoot") :]
    assert "R&amp;D_x_ *y*" in foot
    numbered = ["1. Imprecision, one level: wide.", "2. Risk of bias, two levels: open.", "End."]
    assert [foot.index(text) for text in numbered] == sorted(foot.index(t) for t in numbered)


def test_the_table_is_the_same_bytes_every_time():
    made = [SummaryOfFindings("sof-x", "T", "S", [line()])._repr_html_() for _ in range(2)]
    assert made[0] == made[1]
    assert "sof-x" in made[0]
    assert not re.search(r"https?://", made[0])


def test_the_table_as_plain_text():
    text = repr(SummaryOfFindings("sof-x", "T", "S", [line()], ("End.",)))
    assert "certainty low [1]. LDN may reduce pain." in text
    assert text.endswith("[1] Imprecision, one level: wide.\nEnd.")


@pytest.fixture(scope="module", params=REPORTED)
def page(request, opened_once):
    return opened_once("certainty", indication=request.param)


def test_every_indication_has_a_page_without_holes(page):
    parts = [
        page.headline, page.sentence, page.statements, page.what_would_raise_it,
        repr(page.summary), page.summary._repr_html_(),
        *(part._repr_html_() for part in (page.domains, page.overrides, page.rules,
                                                  page.told_elsewhere)),
    ]  # fmt: skip
    for part in map(str, parts):
        assert part.strip()
        assert not re.search(
            r"\bnan\b|\bNone\b|\{|\}|nobody has said why",
            re.sub(r"<style>.*?</style>", "", part, flags=re.S),
        )
    said = page.statements.text.lower()
    others = [row for row in page.outcomes if row is not page.main]
    assert all(str(row["construct_label"]).lower() in said for row in others)
    # Nothing is said twice: a note that two ratings share has a line of its own.
    notes = [part for row in others for part in page._parts(row)]
    assert all(page.statements.text.count(note) == 1 for note in notes)


def test_the_answer_is_that_of_the_main_outcome(page):
    answer = page.facts.values["answer"]
    asked = page.opened.indication
    assert page.main["construct"] == asked["main_construct"]
    assert page.main["comparator_class"] == asked["main_comparator"]
    assert answer["certainty"] == page.main["certainty"]
    assert answer["sentence"].startswith(f"Certainty (GRADE): {answer['certainty']}, ")


def test_every_level_taken_off_has_a_footnote(page):
    for row, finding in zip(page.outcomes, page.summary.findings, strict=True):
        taken = [d for d in page.domains_of(row) if d["level"] < 0]
        cautions = int(row["caution"] != "none")
        cautions += "The evidence map counts" in " ".join(finding.notes)
        expected = len(taken) + cautions if row["certainty"] != NOT_RATED else 1
        assert len(finding.notes) == expected


def test_every_override_is_listed(page):
    differ = [
        d
        for d in page.domain_rows
        if d["level"] != d["computed_level"] and d["domain"] != "publication_bias"
    ]
    assert len(page.overrides.frame) == len(differ)


def test_what_would_raise_it_names_every_domain_that_took_something(page):
    lines = page.what_would_raise_it.text.splitlines()
    assert all(line.startswith("- ") and line.endswith(".") for line in lines)
    taken = [d for d in page.domains_of(page.main) if d["level"] < 0]
    named = [line for line in lines if re.search(r"\((one|two|three) levels?\): ", line)]
    assert len(named) == len(taken)
    is_registered = page.main["registered"] != "none"
    assert ("trials of the condition on file" in lines[-1]) == is_registered


# ---------------------------------------------------------------- in plain words


def test_in_plain_words(page):
    said = str(page.plain)
    assert said.startswith(page.opened.indication["question"])
    assert not re.search(r"\b(?:CI|interval|GRADE|heterogeneity|RR|p =)\b", said)
    if page.main["certainty"] == "not rated":
        assert said.endswith("so nobody knows.")
    elif page.main["certainty"] == "very low":
        assert "so unsure that the next study may say something else" in said
    practice = str(page.implications)
    assert practice.startswith("For practice: ")
    assert "this project's reading" in practice
    assert "no recommendation" in practice


def test_what_matters_is_still_possible_or_not(opened_once):
    """Pain: the important difference is one point; the interval of the row decides."""
    page = opened_once("certainty", indication="fibromyalgia")
    row = {"important_high": 1.0, "benefit_sign": -1.0, "ci_low": -1.33, "ci_high": 1.45}
    row["certainty"] = "moderate"
    assert page._possible(row).endswith("is possible for better and for worse.")
    assert page._possible({**row, "ci_high": 0.5}).endswith("is possible for the better only.")
    assert page._possible({**row, "ci_low": -0.5}).endswith("is possible for the worse only.")
    inside = {**row, "ci_low": -0.78, "ci_high": 0.84}
    assert page._possible(inside).endswith("is ruled out.")
    # What the next study may turn over is not ruled out.
    for unsure in ("low", "very low"):
        said = page._possible({**inside, "certainty": unsure})
        assert said == "What may be true includes no difference that matters (from 1)."
        said = page._possible({**row, "ci_high": 0.5, "certainty": unsure})
        assert said.endswith("includes a difference that matters (from 1) for the better only.")
    assert page._possible({**row, "important_high": math.nan}) == ""


def test_the_source_of_an_important_difference_stands_beside_it(opened_once):
    page = opened_once("certainty", indication="fibromyalgia")
    first = next(f for f in page.summary.findings if f.outcome == "Pain intensity")
    assert (
        "a difference matters from 1 (Dworkin 2008, doi 10.1016/j.jpain.2007.09.005)"
        in first.absolute
    )
    assert any("Guyatt 2011" in note for note in page.summary.closing)
    other = opened_once("certainty", indication="multiple_sclerosis").summary.findings
    assert any("a difference matters from 5 (half an SD, Norman 2003" in f.absolute for f in other)


def test_a_harm_that_is_rated_is_told_in_plain_words(opened_once):
    """The rate ratio of page 40, 8 events against 52; its limits take events as independent."""
    said = str(opened_once("certainty", indication="painful_diabetic_neuropathy").plain)
    told = said.partition("counted as events: ")[2]
    assert told.startswith(
        "0.15 times as many with LDN as with amitriptyline; the truth may lie further off"
    )
    assert "from 0.07 to 0.32, for one person may have several" in told


def test_a_level_for_what_could_not_be_read_is_said_to_be_that(opened_once):
    page = opened_once("certainty", indication="fibromyalgia")
    told = "no fault is known; if the full reports show low risk the rating would be low"
    assert told in str(page.sentence)
    assert told in page.summary.footnotes[0]
    assert "no fault is known" in str(
        opened_once("included_trials", indication="fibromyalgia").bias_sentence
    )
    # Faults of these two are known.
    for name in ("crohns_disease", "painful_diabetic_neuropathy"):
        assert "could not be read: low risk" not in str(
            opened_once("certainty", indication=name).statements
        )


def test_both_halves_of_a_question_are_answered(opened_once):
    """Quality of life or pain: the interval of pain interference stands in paragraph and line."""
    page = opened_once("certainty", indication="multiple_sclerosis")
    assert "Pain interference: 1.60 points (range not reported) lower" in str(page.plain)
    answer = page.facts.values["answer"]["sentence"]
    assert "Also rated: pain interference -1.60 (-3.12 to -0.08), very low" in answer
    mixed = str(opened_once("certainty", indication="mixed_chronic_pain").plain)
    told = "how uncertain the size is is not known; what is printed lies on the side of placebo"
    assert f"Neuropathic pain component and depression: {told}" in mixed


def test_plain_words_tell_in_how_many_studies_a_side_is_printed_and_every_harm(opened_once):
    """The side of one of three studies is no word of all three reports."""
    opioids = str(opened_once("certainty", indication="opioid_combination").plain)
    assert "what is printed in one of three studies lies on the side of" in opioids
    assert (
        "opioid withdrawal symptoms: how uncertain the size is is not known; less often with"
        in opioids
    )
    assert opioids.count("This is so unsure that") == opioids.count("This is no surer.") == 1
    pain = str(opened_once("certainty", indication="fibromyalgia").plain)
    assert (
        "Vivid dreams and headache: how uncertain the size is is not known; more often with LDN"
        in pain
    )


@pytest.mark.parametrize("indication", REPORTED)
def test_plain_words_tell_every_rated_outcome(opened_once, indication):
    """Benefits and harms by one rule; what people may have of harm is said to be untold."""
    page = opened_once("certainty", indication=indication)
    said = str(page.plain)
    for row in page.rated:
        assert str(row["construct_label"]).lower() in said.lower()
    any_harm = any(row["construct"] == "any_adverse_event" for row in page.rated)
    untold = "How many people have an unwanted effect could not be compared"
    assert (untold in said) == (len(page.opened.compared) > 0 and not any_harm)


def test_every_answer_by_which_the_main_rating_would_move_is_named(opened_once):
    """Old: only the pool that changes nothing; two others move it by two levels."""
    page = opened_once("certainty", indication="fibromyalgia")
    told = str(page.sentence).partition("would move the rating: ")[2]
    assert '"interval of two trials: Wald (normal)" (moderate)' in told
    assert 'points (0-10) 0.5" (moderate)' in told
    assert "does not turn on" not in str(page.sentence)
    # And every other outcome, in a table.
    rows = opened_once("certainty", indication="multiple_sclerosis").otherwise.frame
    assert set(rows.query("outcome == 'pain interference, against placebo'")["otherwise"]) == {
        "low"
    }
    none = opened_once("certainty", indication="crohns_disease")
    assert none.otherwise.frame.empty
    assert "Other answers move no rating." in repr(none.otherwise)


def test_a_rating_that_would_not_move_is_said_to_stay(opened_once):
    """Old: "if the full reports show low risk the rating would be very low", which it is."""
    notes = opened_once("certainty", indication="fibromyalgia").summary.footnotes
    assert any("show low risk the rating would stay very low" in note for note in notes)
    assert not any("the rating would be very low" in note for note in notes)


def test_people_counted_before_the_analysis_are_said_to_be(opened_once):
    page = opened_once("certainty", indication="crohns_disease")
    words = "40 people randomised; how many were analysed is not known"
    assert words in str(page.plain)
    assert all(words in finding.studies for finding in page.summary.findings if finding.symbols)
    # Two arms of 36 and 42, printed by arm alone.
    half = page_row(
        opened_once("certainty", indication="mixed_chronic_pain"), "At least 50% less pain"
    )
    assert half.studies == "one study (78 people)"


def page_row(page, outcome):
    return next(one for one in page.summary.findings if one.outcome == outcome)


def test_nought_has_no_side():
    assert _differences([-2.4, -4.8, 0.0]) == ["2.40 lower", "4.80 lower", "no difference"]
    assert _differences([0.0, -1.0, 1.0]) == ["0.00 higher", "1.00 lower", "1.00 higher"]


def test_what_is_named_and_was_not_found_has_a_line(opened_once):
    row = page_row(opened_once("certainty", indication="fibromyalgia"), "Physical function")
    assert (row.studies, row.certainty) == ("none to rate", "not rated")
    assert "told by a counted trial only against its own start" in row.notes[0]


@pytest.mark.parametrize("indication", REPORTED)
def test_every_outcome_compared_on_a_page_is_rated_or_has_its_reason(indication, opened_once):
    """Tables of pages 20 to 40 as readers see them, not the tables they are made from."""
    rated = opened_once("certainty", indication=indication)
    there = {row["construct_label"] for row in rows_of(rated.opened.derived.certainty)}
    harms = opened_once("safety", indication=indication, construct="any_adverse_event")
    response = opened_once("responder_rates", indication=indication, construct="responder_pain_30")
    shown = set()
    for page in (harms, response):
        for table in (page.comparisons, page.pools_table, page.event_counts):
            shown |= set(table.frame["outcome"]) if len(table.frame) else set()
    directions = opened_once("without_pooling", indication=indication).directions.frame
    if len(directions):
        is_compared = directions["known from"] != NO_COMPARISON
        shown |= set(directions[is_compared]["outcome"])
    effect = opened_once("pooled_effect", indication=indication).other_outcomes.frame
    shown |= set(effect["outcome"]) if len(effect) else set()
    assert shown - there == set()


def test_what_no_part_of_a_question_asks_is_not_in_its_population(evidence):
    """Reasons not to rate speak of the question as page 10 prints it."""
    rows = evidence.text["certainty"]
    reasons = rows.loc[
        rows["reason"].str.contains("lasting pain of the question"), "indication_id"
    ]
    people = evidence.text["indications"].set_index("indication_id")["population"]
    assert set(reasons) == {"opioid_combination"}
    assert people[reasons].str.startswith("people with lasting pain").all()


@pytest.mark.parametrize("indication", REPORTED)
def test_table_and_paragraph_say_in_how_many_studies_the_side_is_known(opened_once, indication):
    page = opened_once("certainty", indication=indication)
    cells = [finding.absolute for finding in page.summary.findings]
    partly = [re.search(r"favours [^;]* (in \w+ of \w+ studies);", cell) for cell in cells]
    told = {found[1] for found in filter(None, partly)}
    expected = {
        "multiple_sclerosis": {"in one of two studies"},
        "opioid_combination": {"in one of three studies"},
    }
    assert told == expected.get(indication, set())
    if indication == "opioid_combination":
        assert f"what is printed {told.pop()} lies on the side of" in str(page.plain)


def test_a_size_is_not_known_only_where_none_is_printed(opened_once):
    for name in REPORTED:
        page = opened_once("certainty", indication=name)
        for finding in page.summary.findings:
            told = finding.absolute
            if told.startswith("size not known"):
                printed = re.sub(r"p [<>]? ?[0-9.]+", "", told.partition("printed: ")[2])
                assert not re.search(r"(difference|NNT|reduction|change) -?[0-9]|[0-9]%", printed)
    pain = opened_once("certainty", indication="fibromyalgia")
    lines = [
        f.absolute for f in pain.summary.findings if "how uncertain the size is" in f.absolute
    ]
    assert len(lines) >= 5
    (crohn,) = [
        f
        for f in opened_once("certainty", indication="crohns_disease").summary.findings
        if "fatigue" in f.outcome.lower()
    ]
    assert crohn.absolute.startswith("size not known; ")


def test_what_is_not_rated_has_one_definition(opened_once):
    """Outcomes that the plan names and that a report tells in words are rated."""
    for name in REPORTED:
        table = opened_once("certainty", indication=name).opened.derived.certainty
        for _, row in table[table["certainty"] == "not rated"].iterrows():
            assert row["outcome"] == TOLD_ELSEWHERE or row["synthesis"] in (
                "no comparison", "compared, the same in both", "compared, nothing told",
                "not found in what was read",
            ), row["construct"]  # fmt: skip
