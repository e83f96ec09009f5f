"""Pages 30 and 40 of a review that has what they show, and of one that has not."""

import math
from dataclasses import replace

import pytest

from builders import REPORTED, made_page, seven_trials
from ldn_meta.display.pages.included import IncludedPage
from ldn_meta.display.pages.page import open_page
from ldn_meta.display.pages.people import PeoplePage
from ldn_meta.display.pages.without_pooling import WithoutPoolingPage
from ldn_meta.evidence.raw.review import Review

PARTS = {
    PeoplePage: "pools_table forest shares sentence sensitivity comparisons event_counts "
    "single_arms not_usable left_out facts headline",
    WithoutPoolingPage: "groups_table directions direction_figure harvest votes combined "
    "albatross sentence swim other_outcomes left_out facts headline",
    IncludedPage: "studies flow reading conflicts consistency bias_sentence traffic_light "
    "bias_summary bias left_out facts headline",
}


@pytest.fixture(scope="module")
def bare():
    """Fibromyalgia as if nobody had counted people, told a direction or judged a study."""
    opened = open_page("30_responder_rates", indication="fibromyalgia")
    derived, evidence = opened.derived, opened.derived.evidence
    outcomes = evidence.text["outcomes"]
    kept = outcomes[~outcomes["domain"].isin(["responder", "harm"])]
    changes = {
        "outcomes": kept,
        "arm_events": evidence.text["arm_events"].iloc[:0],
        "risk_of_bias": evidence.text["risk_of_bias"].iloc[:0],
    }
    empty = ("responders", "harms", "consistency", "conflicts", "directions")
    left_out = derived.left_out
    return replace(
        opened,
        derived=replace(
            derived,
            evidence=replace(
                evidence,
                text={**evidence.text, **changes},
                review=Review("VD", "vitamin D", "vitamin D"),
            ),
            effects=derived.effects[derived.effects["construct"].isin(kept["construct"])],
            left_out=left_out[left_out["outcome_id"].isin(kept["outcome_id"])],
            **{name: getattr(derived, name).iloc[:0] for name in empty},
        ),
    )


@pytest.mark.parametrize(
    ("page", "arguments", "says"),
    [
        (PeoplePage, ("responder", "responder_pain_30"), "responses**: no trials with people"),
        (PeoplePage, ("harm", "any_adverse_event"), "harms**: no trials with people"),
        (WithoutPoolingPage, (), "no outcome group has a comparison to tell of"),
        (IncludedPage, (), "six compare VD with something"),
    ],
)
def test_a_review_without_what_a_page_shows_says_so(bare, page, arguments, says):
    made = page(bare, *arguments)
    for name in PARTS[page].split():
        part = getattr(made, name)
        words = part.alt if hasattr(part, "alt") else repr(part)
        assert words.strip(), name
    assert says in str(made.headline)


def test_the_order_of_outcomes_is_that_of_the_review(opened_once):
    page = opened_once("safety", indication="fibromyalgia", construct="any_adverse_event")
    order = page.opened.derived.evidence.review.order["harm"]
    shown = list(dict.fromkeys(page.rows["construct"]))
    listed = [name for name in shown if name in order]
    assert listed == sorted(listed, key=order.index)
    others = shown[len(listed) :]
    assert others == sorted(others)
    assert not set(others) & set(order)


def test_shares_of_the_plot_are_those_of_the_tables(opened_once):
    """Every group told of alone is drawn, perhaps overlapping series are marked in both."""
    for indication in REPORTED:
        for name, construct in (("responder_rates", "responder_pain_30"),
                                ("safety", "any_adverse_event")):  # fmt: skip
            page = opened_once(name, indication=indication, construct=construct)
            alone, drawn = page.groups_alone, page._arms()
            shown = drawn[drawn["group"] == 3]
            assert list(shown["events"]) == list(alone["events_1"])
            assert list(shown["arm_label"]) == list(alone["arm"])
            pairs = drawn[drawn["group"] != 3]
            compared = page.rows[page.rows["kind"] == "contrast"]
            told = {(row.study_label, row.construct_label) for row in compared.itertuples()}
            assert {(row.study_label, row.threshold_label) for row in pairs.itertuples()} == told


def test_series_with_perhaps_the_same_people_are_marked_in_both(opened_once):
    page = opened_once(
        "responder_rates", indication="crohns_disease", construct="clinical_response"
    )
    drawn = page._arms().set_index("arm_label")
    assert "perhaps the same people as Lie 2018" in drawn.loc["LDN, Crohn's disease", "note"]
    assert drawn.loc["LDN, Crohn's disease", "events"] == 8
    table = page.single_arms.frame.set_index("study")["perhaps the same people as"]
    assert table["Lie 2018"].unique().tolist() == ["IBD case series 2014 (P418)"]


def test_a_count_that_is_no_share_stands_in_words(opened_once):
    page = opened_once(
        "responder_rates",
        indication="complex_regional_pain_syndrome",
        construct="responder_own_rule",
    )
    assert page.single_arms.frame.empty
    assert "2 of 2 (chosen cases" in page.shares.alt
    assert "2 of 2" in page.not_usable.frame["as reported"].tolist()
    page = opened_once("responder_rates", indication="fibromyalgia", construct="responder_pain_30")
    assert "Bruun-Plesner 2020" not in page._arms()["study_label"].tolist()
    assert "Bruun-Plesner 2020" not in page.single_arms.frame["study"].tolist()
    assert "11 of 25 (its share is set by the design" in page.shares.alt


def test_counts_of_events_are_drawn_where_nobody_counted_people():
    """8 events against 52 on equal time: 0.15 (0.07 to 0.32), in table, words and figure."""
    opened = open_page("40_safety", indication="painful_diabetic_neuropathy")
    page = PeoplePage(opened, "harm", "any_adverse_event")
    assert page.pool is None
    assert "0.15 (0.07 to 0.32)" in page.forest.alt
    assert "adverse events, counted as events" in page.forest.alt
    assert "0.15" in str(page.sentence)


def test_people_picked_by_how_they_went_are_said_to_be():
    opened = open_page("40_safety", indication="mixed_chronic_pain")
    frame = PeoplePage(opened, "harm", "any_adverse_event").single_arms.frame
    irwin = frame[frame["study"] == "Irwin 2024"]
    assert irwin["not all who began"].str.contains("stayed for a month or longer").all()


def test_a_printed_percentage_less_stands_with_its_words():
    opened = open_page("40_safety", indication="opioid_combination")
    frame = PeoplePage(opened, "harm", "any_adverse_event").not_usable.frame
    webster = frame[frame["study"] == "Webster 2006"]
    assert webster["as reported"].str.contains("44% less").any()


@pytest.mark.parametrize("measure", ["or", "rd"])
def test_people_are_compared_by_the_measure_asked_for(measure, tmp_path, raw_folder, protocol):
    """The pool against metafor, and people per 1,000 by hand."""
    build, known = seven_trials(tmp_path / "raw", raw_folder)
    plan = replace(protocol, sensitivities=(), nodes=())
    page = PeoplePage(
        made_page(build.load(), plan.changed(measure=measure.upper())),
        "responder",
        "responder_pain_30",
    )
    r = known["pools"][measure]
    assert page.pool.result.estimate == pytest.approx(r["estimate"], rel=1e-5)
    control = sum(row["ci"] for row in known["counts"]) / sum(row["n2"] for row in known["counts"])
    if measure == "or":
        words, told = "odds ratio", math.exp(r["estimate"])
        odds = told * control / (1 - control)
        with_it = odds / (1 + odds)
    else:
        words, told = "risk difference", r["estimate"]
        with_it = control + told
    assert f"The pooled {words} is {told:.2f}" in str(page.sentence)
    people = f"{1000 * control:.0f} had it without LDN and {1000 * with_it:.0f} ("
    assert people in str(page.sentence)
    (cell,) = page.pools_table.frame[f"{measure.upper()} (95% interval)"]
    assert cell.startswith(f"{told:.2f} (")
    assert page.forest.alt
    assert len(page.comparisons.frame) == 3
