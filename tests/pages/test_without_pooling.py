"""Page 25 says what sides and p-values say, and no more: every branch, on the real evidence."""

import json

import pytest
from scipy import stats

import ldn_meta as lm
from builders import REPORTED
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.display.pages import without_pooling as swim_items
from ldn_meta.display.pages.without_pooling import WithoutPoolingPage, p_range, smallest_p
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.directions import NO_COMPARISON
from ldn_meta.stats.directions import sign_test
from test_reports import test_every_number_of_a_sentence_is_a_fact as check_numbers

NOBODY = "complex_regional_pain_syndrome"


@pytest.fixture(scope="module")
def pages(opened_once):
    return {name: opened_once("without_pooling", indication=name) for name in REPORTED}


@pytest.mark.parametrize("indication", REPORTED)
def test_every_indication_has_the_whole_page(pages, indication):
    page = pages[indication]
    facts = page.facts._repr_mimebundle_()[FACTS_MIME]
    assert facts["indication"] == indication
    check_numbers((None, facts))
    assert list(page.swim.frame["item"]) == list(swim_items.ITEMS)
    assert page.swim.frame["answer"].str.len().min() > 20
    assert len(page.groups_table.frame) == len(page.opened.protocol.outcome_groups)
    tables = (
        page.groups_table, page.directions, page.votes, page.combined, page.other_outcomes,
        page.swim, page.left_out,
    )  # fmt: skip
    said = " ".join([str(page.headline), str(page.sentence), *map(repr, tables)])
    for word in ("nan", "inf", "NaT"):
        assert f" {word} " not in said.replace(",", " ").replace(")", " ")
    json.dumps(facts, allow_nan=False)


def test_results_lead_to_their_sources(pages):
    page = pages["crohns_disease"]
    frame = page.directions.frame
    assert frame["source"].str.contains("|https://", regex=False).all()
    smith = frame[(frame["study"] == "Smith 2011") & (frame["outcome"] == "clinical response")]
    told = "LDN 88%, placebo 40%, of how many people is not reported; p 0.009"
    assert smith["printed"].iloc[0] == told
    assert smith["estimate lies"].iloc[0] == "towards LDN"


def test_fibromyalgia_pain_by_hand(pages):
    page = pages["fibromyalgia"]
    facts = page.facts.values["groups"]["pain"]
    assert facts["pooled"] == ["Due Bruun 2024 (FINAL)", "INNOVA 2026"]
    signs = facts["sign_test"]
    assert (signs["n_for"], signs["n_against"]) == (3, 1)
    # Four coins: 2 (1 + 4) / 16.
    assert signs["p_value"] == pytest.approx(0.625)
    # It prints each arm alone: no comparison, so no vote that could fall on either side.
    assert facts["unknown"] == []
    assert facts["not_counted"]["Paula 2023"].startswith("only results within one arm")
    # p 0.016, 0.4, 0.27 towards LDN and 0.236 away, at the middle of their rounding intervals.
    p = [0.008, 0.2, 0.135, 1 - 0.118]
    fisher = stats.combine_pvalues(p).pvalue
    assert facts["fisher"]["p_low"] < fisher < facts["fisher"]["p_high"]
    people = [28, 58, 99, 96]
    stouffer = stats.combine_pvalues(p, method="stouffer", weights=[n**0.5 for n in people])
    assert facts["stouffer"]["p_low"] < stouffer.pvalue < facts["stouffer"]["p_high"]
    without = stats.combine_pvalues(p[1:]).pvalue
    rest = facts["fisher_without_smallest"]
    assert rest["p_low"] < without < rest["p_high"]
    sentence = str(page.sentence)
    assert (
        "beside the pool: towards LDN Younger 2013, Bested 2023 and Due Bruun 2024 (FINAL); "
        in sentence
    )
    assert "without Younger 2013, on whose small p it leans, p 0" in sentence
    assert "supports no recommendation" in sentence


@pytest.mark.parametrize("indication", REPORTED)
def test_no_interval_stands_beside_fewer_votes_than_the_plan_asks(pages, indication):
    page = pages[indication]
    least = page.opened.protocol.least_votes
    # Six on one side are the fewest with a two-sided sign test below 0.05.
    assert 2 * 0.5**least < 0.05 < 2 * 0.5 ** (least - 1)
    most = max(group.votes.test.n_for + group.votes.test.n_against for group in page.opened.groups)
    assert most < least
    assert "Wilson;" not in str(page.sentence)
    if len(page.votes.frame):
        assert not page.votes.frame["share (95% Wilson; exact)"].str.contains("to").any()


def test_one_vote_decides_nothing_and_an_unknown_side_could_turn_it(pages):
    assert "Smith 2013 (only results within one arm" in str(pages["crohns_disease"].sentence)
    sentence = str(pages["opioid_combination"].sentence)
    assert "One vote decides nothing. Not known is the side of Webster 2006." in sentence
    votes = pages["opioid_combination"].votes.frame
    assert votes["unknown all against"].str.startswith("1 of 2").any()
    assert "nothing combined" in sentence


def test_a_result_told_as_a_bound_stays_one(pages):
    page = pages["painful_diabetic_neuropathy"]
    assert "p < 0.001 towards LDN in Srinivasan 2021 (known only as a bound)" in str(page.sentence)
    row = page.combined.frame.set_index("outcome group").loc["any adverse event"]
    assert row["known only as a bound"] == "Srinivasan 2021"


def test_a_p_without_a_side_is_let_in_as_an_interval(pages):
    facts = pages["multiple_sclerosis"].facts.values["groups"]["pain"]
    # Cree's one-sided p of about 0.02 and Sharafaddinzadeh's anywhere from 0.025 to 0.975.
    assert facts["fisher_either_side"]["p_low"] < stats.combine_pvalues([0.02, 0.03]).pvalue
    assert facts["fisher_either_side"]["p_high"] > stats.combine_pvalues([0.02, 0.97]).pvalue
    assert facts["fisher_either_side"]["k"] == 2
    assert facts["p_without_side"] == 1


def test_swim_names_who_could_not_contribute_and_why(pages):
    items = pages["opioid_combination"].facts.values["swim"]
    limits = items["9 Limitations"]
    assert "called no difference, and no reliable number gives the side (Oxytrex OA" in limits
    assert "Known from words alone: Chindalore 2005 on pain" in limits
    assert "leans towards what was significant" in limits
    assert "Hamann & Sloan 2007" in items["1 Grouping of studies"]
    assert "Webster 2006" in limits
    mixed = pages["mixed_chronic_pain"].facts.values["swim"][
        "4 Criteria that give results priority"
    ]
    assert "Martin 2022 (compared with usual care, not randomised or not said to be" in mixed


def test_swim_tells_when_the_groups_were_set(pages):
    """The plan was not registered, and one group changed when the first pages were read."""
    for page in pages.values():
        first = page.facts.values["swim"]["1 Grouping of studies"]
        assert "stated before numbers were pooled" not in first
        if page.needed:
            assert "The plan was not registered. The groups were set" in first
            assert "set before any pool (2026-11-22 22:28 UTC) and changed later (" in first
            assert '2026-11-22 23:39 UTC, once the first pooled numbers were there: "' in first


def test_nobody_compared_anything(pages):
    page = pages[NOBODY]
    assert str(page.sentence).startswith("No study of complex regional pain syndrome on file")
    assert page.needed == []
    assert len(page.votes.frame) == len(page.combined.frame) == len(page.directions.frame) == 0
    assert "no outcome group has a comparison to tell of" in str(page.headline)
    assert page.facts.values["swim"]["3 Synthesis methods"].startswith("None was used")


def test_everything_stands_in_a_pool(pages):
    page = WithoutPoolingPage(pages["fibromyalgia"].opened)
    page.needed = []
    assert "nothing is left to synthesise here" in str(page.sentence)


def test_other_choices_count_other_studies():
    page = lm.without_pooling(
        indication="fibromyalgia", allow_non_randomised=True, allow_single_blind=True
    )
    group = page.facts.values["groups"]["impact and quality of life"]
    assert group["sign_test"]["n_for"] == 3
    assert group["not_counted"] == {}
    without = lm.without_pooling(indication="fibromyalgia", allow_transcribed=False)
    assert without.facts.values["groups"]["less pain in people"]["pooled"] == []


def test_figures_are_named_where_the_page_has_them(pages, monkeypatch):
    page = pages["crohns_disease"]
    assert "Figures: effect direction plot, harvest plot" in page.swim.frame["answer"].iloc[6]
    monkeypatch.setattr(type(page), "FIGURES", ())
    assert "Figures" not in WithoutPoolingPage(page.opened).swim.frame["answer"].iloc[6]


def test_an_unknown_indication_is_refused():
    with pytest.raises(ArgumentError, match="fibromyalgia"):
        lm.without_pooling(indication="fibromyalga")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.2359, 0.2361, "p = 0.236"),
        (0.2, 0.25, "p 0.200 to 0.250"),
        (0.0, 0.025, "p at most 0.025"),
        (0.0, 0.0004, "p < 0.001"),
        (0.0002, 0.0008, "p < 0.001"),
        (0.975, 1.0, "p 0.975 to 1.000"),
        (float("nan"), 0.1, "p not defined"),
    ],
)
def test_a_p_that_is_an_interval_in_words(low, high, words):
    assert p_range(low, high) == words


@pytest.mark.parametrize("n", range(1, 12))
def test_the_smallest_p_is_that_of_all_on_one_side(n):
    assert smallest_p(sign_test(n, 0)) == pytest.approx(sign_test(0, n).p_value)
    assert smallest_p(sign_test(1, n - 1)) == pytest.approx(sign_test(n, 0).p_value)


def test_people_not_analysed_in_print_are_called_randomised(pages):
    rows = pages["fibromyalgia"].directions.frame.set_index(["study", "outcome"])["people"]
    assert rows["Bested 2023", "summed pain intensity ratings"] == "58 randomised"
    assert rows["Due Bruun 2024 (FINAL)", "pain intensity"] == "99"


def test_an_effect_that_a_rule_keeps_out_is_named(pages):
    page = pages["painful_diabetic_neuropathy"]
    rows = page.groups_table.frame.set_index("outcome group")["synthesis"]
    said = "Srinivasan 2021, rests on an approximation"
    assert rows["any adverse event"] == f"an effect in no pool: {said}"
    assert f"any adverse event, the one effect is kept out ({said})" in page.swim.frame.to_string()


def test_where_nobody_compared_anything_the_rows_left_out_are_listed(pages):
    rows = pages["complex_regional_pain_syndrome"].left_out.frame
    assert "pain intensity" in set(rows["outcomes"])


def test_figures_draw_the_result_that_votes(opened_once):
    page = opened_once("without_pooling", indication="mixed_chronic_pain")
    pain = page.votes.frame.set_index("outcome group").loc["pain"]
    assert (str(pain["towards LDN"]), str(pain["towards placebo"])) == ("0", "1")
    drawn = " ".join(page.harvest.alt.split())
    assert "Pain: favours comparator one study, Beaudette-Zlatanova 2023 (" in drawn
    assert "pain favours comparator" in " ".join(page.direction_figure.alt.split())


@pytest.mark.parametrize(
    ("indication", "group", "where"),
    [
        ("mixed_chronic_pain", "stopped for harm", "40_safety"),
        ("complex_regional_pain_syndrome", "response or remission", "30_responder_rates"),
        ("complex_regional_pain_syndrome", "pain", "20_pooled_effect"),
    ],
)
def test_what_compares_nothing_is_on_the_page_of_its_domain(opened_once, indication, group, where):
    page = opened_once("without_pooling", indication=indication)
    row = page.groups_table.frame.set_index("outcome group").loc[group]
    assert (row["synthesis"], row["page"]) == ("no comparison", where)


def test_weeks_are_those_of_every_result_of_the_page(opened_once):
    page = opened_once("without_pooling", indication="fibromyalgia")
    told = page.swim.frame.set_index("item")["answer"]["5 Heterogeneity"]
    # Serious adverse events of a year stand beside pain at three months.
    assert "weeks (3 to 52" in told


def test_a_reports_words_are_not_the_side_of_its_estimate(opened_once):
    """Where the report's own p is above 0.05 nobody called a side better."""
    for name in REPORTED:
        frame = opened_once("without_pooling", indication=name).directions.frame
        for row in frame.to_dict("records"):
            p = row["p, two-sided"].split(" ")[0]
            if p.replace(".", "").isdigit() and float(p) > 0.05 and "computed" not in p:
                assert "better" not in row["report's words"], (row["study"], row["outcome"])
    told = str(opened_once("pooled_effect", indication="fibromyalgia").claims.frame)
    frame = opened_once("without_pooling", indication="fibromyalgia").directions.frame
    words = frame.set_index("study")["report's words"]
    assert set(words["Bested 2023"]) == {"not stated"}
    assert "no difference, -0.34" not in told


def test_a_p_lost_after_adjustment_is_told_as_that_wherever_it_stands(opened_once):
    word = "0.004 (lost after adjustment for multiplicity)"
    opened = {
        name: opened_once(name, indication="fibromyalgia")
        for name in ("without_pooling", "certainty", "pooled_effect")
    }
    cells = opened["without_pooling"].other_outcomes.frame.astype("str").stack()
    assert word in set(cells)
    (finding,) = [
        f for f in opened["certainty"].summary.findings if "cognition" in f.outcome.lower()
    ]
    assert word in finding.absolute
    told = opened["pooled_effect"].without_estimate.frame["as reported"]
    assert any(cell.endswith("P=0.004 (lost after adjustment for multiplicity)") for cell in told)


def test_none_in_either_arm_is_the_same_in_both_and_one_arm_is_listed(opened_once):
    page = opened_once("without_pooling", indication="crohns_disease")
    rows = page.directions.frame
    rows = rows[rows["study"] == "Smith 2013"].set_index("outcome")
    assert "none against none" in rows.loc["serious adverse event", "known from"]
    assert rows.loc["quality of life, paediatric IBD", "known from"] == NO_COMPARISON
    told = opened_once("certainty", indication="crohns_disease").opened.derived.certainty
    why = told[told["certainty"] == "not rated"].set_index("construct")["why_not_rated"]
    assert "the same in both" in why["serious_adverse_event"]
    for construct in ("clinical_remission", "quality_of_life_paediatric_ibd"):
        assert "printed of one arm" in why[construct]


def test_what_is_taken_for_a_misprint_gives_no_effect_and_a_p_its_own_reason(opened_once):
    derived = opened_once("pooled_effect", indication="fibromyalgia").opened.derived
    ledger = derived.conflicts
    doubted = ledger[ledger["reason"].str.contains("printed as two arms")]
    assert set(doubted["consequence"]) == {"enters no result"}
    left = derived.left_out
    tested = left[
        left["row_id"].str.startswith("duebruun2024-fiqr_memory")
        & left["is_preferred"].astype(bool)
    ]
    assert len(tested) == 3
    assert tested["reason"].str.contains("too coarsely").all()


def test_weeks_are_counted_by_study(opened_once):
    """Old: "not known of 3", of two studies."""
    said = str(opened_once("without_pooling", indication="multiple_sclerosis").swim._repr_html_())
    assert "weeks (8, not known of one)" in said or "weeks (8, not known of 1)" in said
