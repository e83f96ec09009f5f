"""Facts that sources state differently, and the answer had another been believed."""

import dataclasses
import math
from statistics import NormalDist

import pandas as pd
import pytest
from scipy.stats import fisher_exact

from builders import Builder
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.conflicts import (
    ANY_COUNTS,
    COLUMNS,
    NOT_ASKED,
    UNBOUNDED,
    conflicts,
    ledger,
    readings,
    wanted,
    wanted_faults,
)


def test_two_values_of_one_fact_and_which_is_used(build, protocol):
    build.trial()
    build.add("sources", source_id="review")
    other = {"preferred": "no", "preferred_reason": "not the paper", "source_id": "review"}
    build.events(events=20, n=49, as_reported="20/49")
    build.events(events=21, n=49, as_reported="21/49", read_from="secondary review", **other)
    (row,) = conflicts(build.load(), protocol).to_dict("records")
    assert row == {
        "study_id": "ames2001",
        "table": "arm_events",
        "fact": "ames2001-ldn, scale, week 12, intention to treat, people",
        "kind": "different",
        "used": "20/49 [paper, full text]",
        "others": "21/49 [review, secondary review]",
        "reason": "not the paper",
        "rows": "arm_events:row-1 arm_events:row-2",
        "used_rows": "arm_events:row-1",
        "other_rows": "arm_events:row-2",
    }


def test_what_is_no_conflict(build, protocol):
    build.trial()
    second = {"preferred": "no", "preferred_reason": "second"}
    # The same value twice; a value and its absence; two facts.
    build.events(events=20, n=49)
    build.events(events=20, n=49, **second)
    build.stats(mean="-1.3", n=49)
    build.stats(mean="-1.3", sd="2.0", **second)
    build.contrast(estimate="-0.3", p_value="0.27", p_relation="=")
    build.contrast(estimate="-0.4", timepoint_weeks=26)
    assert conflicts(build.load(), protocol).empty


def test_a_printed_digit_more_is_another_statement(build, protocol):
    build.trial()
    build.stats(mean="4.5")
    build.stats(mean="4.50", preferred="no", preferred_reason="second")
    (row,) = conflicts(build.load(), protocol).to_dict("records")
    assert (row["table"], row["kind"]) == ("arm_stats", "rounding only")


NS, SIG = (
    {"measure": "statement", "p_relation": "ns"},
    {"measure": "statement", "p_relation": "sig"},
)


def p(relation, value, **cells):
    return {"estimate": "-0.3", "p_relation": relation, "p_value": value} | cells


CASES = [
    (p("=", "0.3"), NS, False),
    (p("=", "0.04"), NS, True),
    (p("<", "0.01"), NS, True),
    (p(">", "0.05"), NS, False),
    (p(">", "0.01"), NS, False),
    (p("=", "0.04"), SIG, False),
    (p("<", "0.05"), SIG, False),
    (p("<", "0.2"), SIG, False),
    (p("=", "0.3"), SIG, True),
    (p(">", "0.2"), SIG, True),
    (NS, SIG, True),
    (p("=", "0.3"), p("=", "0.31"), True),
    (p("=", "0.3"), p("<", "0.3"), True),
    (p("=", "0.01"), p("<", "0.05"), False),
    (p("<", "0.01"), p("<", "0.05"), False),
    (p("<", "0.01"), p(">", "0.05"), True),
    (p("=", "0.05"), NS, False),
    (p("=", "0.05"), SIG, False),
    # Two measures of one result are no conflict, one number under two names is.
    (p("=", "0.3"), p("=", "0.3", measure="SMD", estimate="-0.1"), False),
    (p("=", "0.3"), p("=", "0.3", measure="median difference"), True),
    (p("=", "0.3"), p("=", "0.2", measure="SMD", estimate="-0.1"), True),
    (p("=", "0.3"), p("=", "0.3", estimate="-0.4"), True),
    (p("=", "0.3"), p("=", "0.3", ci_low="-1", ci_high="0.4"), False),
]


@pytest.fixture(scope="module")
def contradicted(tmp_path_factory, raw_folder, protocol):
    """Weeks with a conflict: each case has its own, and another the other way round."""
    build = Builder(tmp_path_factory.mktemp("conflicts") / "raw", raw_folder)
    build.trial()
    second = {"preferred": "no", "preferred_reason": "second"}
    for week, (one, other, _) in enumerate(CASES, 1):
        for first, then, moment in ((one, other, week), (other, one, week + 100)):
            build.contrast(**first, timepoint_weeks=moment)
            build.contrast(**then, timepoint_weeks=moment, **second)
    facts = conflicts(build.load(), protocol)["fact"]
    return {int(fact.partition("week ")[2].partition(",")[0]) for fact in facts}


@pytest.mark.parametrize("place", range(len(CASES)))
def test_when_two_comparisons_contradict_each_other(contradicted, place):
    for week in (place + 1, place + 101):
        assert (week in contradicted) == CASES[place][2], CASES[place]


def test_real_conflicts_have_a_value_in_use_and_a_reason(evidence, protocol):
    found = conflicts(evidence, protocol)
    assert len(found) > 5
    assert found.equals(found.sort_values(["study_id", "table", "fact"], ignore_index=True))
    assert (found[["used", "others", "reason"]] != "").all(axis=None)


OTHER = {"preferred": "no", "preferred_reason": "not the paper", "source_id": "review"}


def log_rr(a, n1, c, n2):
    return math.log((a / n1) / (c / n2))


@pytest.fixture
def trial(build):
    build.trial()
    build.add("sources", source_id="review")
    return build


def test_both_arms_of_the_other_source_are_taken_together(trial, protocol):
    trial.events(events=20, n=50)
    trial.events("placebo", events=10, n=50)
    trial.events(events=30, n=50, **OTHER)
    trial.events("placebo", events=25, n=50, **OTHER)
    frame = ledger(trial.load(), protocol)
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 2
    for row in frame.to_dict("records"):
        assert (row["consequence"], row["other_source"]) == ("the result moves", "review")
        assert (row["construct"], row["measure"]) == ("responder_pain_30", "RR")
        assert row["estimate_used"] == pytest.approx(log_rr(20, 50, 10, 50), rel=1e-5)
        assert row["estimate_other"] == pytest.approx(log_rr(30, 50, 25, 50), rel=1e-5)
        half = 1.959964 * math.sqrt(1 / 30 - 1 / 50 + 1 / 25 - 1 / 50)
        assert row["ci_high_other"] - row["estimate_other"] == pytest.approx(half, rel=1e-4)


def test_each_other_source_has_its_own_answer(trial, protocol):
    trial.add("sources", source_id="news")
    estimate = {"ci_low": -2, "ci_high": 1, "ci_level": 0.95}
    trial.contrast(estimate="-0.5", **estimate)
    trial.contrast(estimate="-0.6", **(estimate | {"ci_low": "-2.1", "ci_high": "0.9"}), **OTHER)
    trial.contrast(
        estimate="-0.7", **(estimate | {"ci_low": "-2.2", "ci_high": "0.8"}),
        **(OTHER | {"source_id": "news"}),
    )  # fmt: skip
    frame = ledger(trial.load(), protocol)
    assert list(frame["other_source"]) == ["review", "news"]
    assert list(frame["estimate_other"]) == pytest.approx([-0.6, -0.7])
    assert list(frame["estimate_used"]) == pytest.approx([-0.5, -0.5])


def test_in_a_pool_of_two(trial, protocol):
    interval = {"ci_low": -2, "ci_high": 2, "ci_level": 0.95, "estimate": "0.0"}
    trial.contrast(**(interval | {"estimate": "-1.0", "ci_low": -3, "ci_high": 1}))
    trial.contrast(**(interval | {"estimate": "-2.0", "ci_low": -4, "ci_high": 0}), **OTHER)
    trial.trial("bell2002")
    trial.contrast("bell2002", **interval)
    (row,) = ledger(trial.load(), protocol).to_dict("records")
    assert (row["k_used"], row["k_other"]) == (2, 2)
    # Equal variances: the mean of both trials, whatever tau2.
    assert row["estimate_used"] == pytest.approx(-0.5)
    assert row["estimate_other"] == pytest.approx(-1.0)


def test_results_that_come_and_go(trial, protocol):
    interval = {"ci_low": -2, "ci_high": 1, "ci_level": 0.95}
    trial.contrast(estimate="-0.5", **interval)
    trial.contrast(estimate="-0.9", **OTHER)
    (row,) = ledger(trial.load(), protocol).to_dict("records")
    assert row["consequence"] == "the result would be gone"
    assert row["k_other"] == 0
    assert math.isnan(row["estimate_other"])


def test_a_result_that_stays_and_a_fact_behind_none(trial, protocol):
    interval = {"ci_low": -2, "ci_high": 1, "ci_level": 0.95}
    trial.contrast(estimate="-0.5", **interval)
    trial.contrast(measure="SMD", estimate="-0.2")
    trial.contrast(measure="SMD", estimate="-0.3", **OTHER)
    fact = {"study_id": "ames2001", "fact": "dose", "qualifier": "NA", "read_from": "full text"}
    fact |= {"preferred_reason": "NA", "reliability": "normal"}
    trial.add("study_facts", row_id="a", value=4, preferred="yes", source_id="paper", **fact)
    trial.add("study_facts", row_id="b", value=5, **(fact | OTHER))
    frame = ledger(trial.load(), protocol).set_index("table")
    assert frame.loc["contrasts", "consequence"] == "the result stays"
    assert frame.loc["contrasts", "estimate_used"] == frame.loc["contrasts", "estimate_other"]
    assert frame.loc["study_facts", "consequence"] == "enters no result"


def test_the_set_that_the_protocol_takes_second(trial, protocol):
    trial.events(events=20, n=50)
    trial.events("placebo", events=10, n=50)
    trial.events(events=20, n=40, analysis_set="complete case")
    trial.events("placebo", events=10, n=45, analysis_set="complete case")
    frame = ledger(trial.load(), protocol)
    assert set(frame["kind"]) == {"analysis set"}
    assert list(frame["estimate_other"]) == pytest.approx([log_rr(20, 40, 10, 45)] * 2, rel=1e-5)


def test_a_quotation_that_names_no_set_is_set_against_all_of_them(trial, protocol):
    trial.events(events=20, n=50)
    trial.events(events=20, n=40, percent=50, analysis_set="complete case")
    # 50% is the complete case again; 21 of 50 fits neither.
    trial.events(percent=50, analysis_set="not stated", **OTHER)
    assert set(ledger(trial.load(), protocol)["kind"]) == {"analysis set"}
    trial.events(events=21, n=50, percent=42, analysis_set="not stated", **OTHER)
    assert set(ledger(trial.load(), protocol)["kind"]) == {"analysis set", "different"}


def test_the_real_ledger(evidence, protocol, tables):
    frame = tables["conflicts"]
    assert set(frame["study_id"]) >= {"bested2023", "smith2011", "younger2013", "cree2010"}
    moved = frame[frame["consequence"] == "the result moves"]
    used = moved[moved["construct"] == "responder_pain_30"].iloc[0]
    pooled = tables["pooled"].set_index(["indication_id", "construct", "analysis"])
    main = pooled.loc[("fibromyalgia", "responder_pain_30", "main")]
    assert used["estimate_used"] == main["read_estimate"]
    sets_first = pooled.loc[
        ("fibromyalgia", "responder_pain_30", "per protocol or complete cases first")
    ]
    assert used["estimate_other"] == pytest.approx(sets_first["read_estimate"], rel=1e-12)


def test_readings_count_what_was_seen_and_agreed(build):
    build.trial()
    first = build.contrast(estimate="0.30", p_value="0.50", p_relation="=")
    said = {"scope": "a sample", "reader": "me", "checked_against": "the paper"}
    build.add("extraction_log", log_id="0", reading="first", rows=9, address="NA", **said)
    for place, (agrees, rows, address) in enumerate(
        [("yes", 1, first), ("yes", 6, "NA"), ("no", 1, "NA"), ("not seen", 4, "NA")], 1
    ):
        line = {"log_id": str(place), "reading": "second", "agrees": agrees, "rows": rows}
        build.add("extraction_log", address=address, study_id="NA", **(said | line))
    found = readings(build.load())
    numbers = found[["of", "rows", "seen", "agreed"]].to_numpy().tolist()
    assert numbers == [["all rows", 12, 8, 7], ["named, contrasts", 1, 1, 1]]
    # Wilson's interval of 7 of 8, as R prints it: prop.test(7, 8, correct = FALSE).
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([0.5291, 0.9776], abs=1e-4)


def test_the_reading_of_the_sample_is_on_file_whole(evidence):
    found = readings(evidence)
    sample = found[found["scope"].str.contains("random sample") & (found["of"] == "all rows")]
    assert sample[["rows", "seen", "agreed"]].to_numpy().tolist() == [[80, 55, 52]]
    eight = found[found["scope"].str.contains("eight named") & (found["of"] == "all rows")]
    assert eight["rows"].tolist() == [321]


# -- numbers nobody has read


@pytest.fixture(scope="module")
def to_read(evidence, protocol, effects, left_out):
    found = wanted(Answers(evidence, protocol, effects, left_out))
    return {row["study_id"]: row for row in found.to_dict("records")}


def test_every_study_without_a_number_for_the_main_pool_is_asked_for(to_read, evidence):
    assert all(row["missing"] != NOT_ASKED for row in to_read.values())
    assert set(to_read) == set(evidence.text["wanted"]["study_id"])
    assert {"smith2011", "webster2006", "paula2023", "sharafaddinzadeh2010"} <= set(to_read)
    assert not {"duebruun2024", "innova2026", "cree2010", "srinivasan2021"} & set(to_read)


def test_counts_that_two_percentages_and_a_p_allow(to_read):
    row = to_read["smith2011"]
    # 88% of at most 20 is 14/16, 15/17 or 7/8; 40% is 2/5, 4/10, 6/15 or 8/20.
    assert (row["sets"], row["k"], row["measure"]) == (12, 1, "RR")
    assert row["named"] == "14/16 against 6/15, fisher"
    assert row["named_p"] == pytest.approx(fisher_exact([[14, 2], [6, 9]]).pvalue)
    ratio, error = 14 / 16 / (6 / 15), math.sqrt(1 / 14 - 1 / 16 + 1 / 6 - 1 / 15)
    assert math.exp(row["named_estimate"]) == pytest.approx(ratio)
    assert row["named_low"] == pytest.approx(math.log(ratio) - 1.959964 * error, abs=1e-5)
    # R: 2.19, 1.15 to 4.18, p = 0.009.
    assert [round(math.exp(row[f"named_{end}"]), 2) for end in ("low", "high")] == [1.15, 4.18]


def test_a_what_if_is_in_no_table(tables, to_read):
    assert "smith2011" in to_read
    effects = tables["effects"]
    assert not ((effects["study_id"] == "smith2011") & (effects["kind"] == "contrast")).any()
    assert "wanted" not in tables


def test_a_difference_with_its_p_gives_the_error(to_read):
    row = to_read["beaudette2023"]
    # -1.7 less -2.0 with either rounded is 0.2 to 0.4; p = 0.22 on 22 df is t = 1.262.
    assert row["estimate_low"] == pytest.approx(0.2)
    assert row["estimate_high"] == pytest.approx(0.4)
    assert (row["sets"], row["excluding"]) == (6, 0)


def test_the_approximated_trial_joins_the_others(to_read):
    row = to_read["younger2013"]
    # R, metafor: -0.215 (-1.499 to 1.070), REML with the floored Knapp-Hartung interval.
    assert (row["k"], row["sets"]) == (3, 1)
    assert row["estimate_low"] == pytest.approx(-0.2149, abs=1e-4)
    assert (row["ci_low"], row["ci_high"]) == (
        pytest.approx(-1.4993, abs=1e-3),
        pytest.approx(1.0695, abs=1e-3),
    )


def test_two_trials_without_a_prior_for_their_unit_are_read_as_the_plan_says(to_read, protocol):
    row = to_read["sharafaddinzadeh2010"]
    assert protocol.bayes.scale_for("MD", "points (norm-based)") is None
    assert protocol.model.ci_method_without_prior == "knapp-hartung-floored"
    assert "floored Knapp-Hartung" in row["assumed"]
    assert "states no prior for points (norm-based)" in row["assumed"]
    # One degree of freedom: t is 12.7, so an important difference shows nothing.
    assert (row["k"], row["excluding"]) == (2, 0)


def test_what_the_plan_keeps_outside_says_why_and_what_letting_it_in_would_do(to_read):
    row = to_read["martin2022"]
    assert "not randomised" in row["barred"]
    assert "compared with usual care" in row["barred"]
    # 36 against 42 people, alone: no pool against usual care.
    error = 1.96 * math.sqrt(1 / 36 + 1 / 42)
    assert (row["k"], row["assumed"]) == (1, "none")
    assert row["ci_high"] == pytest.approx(1 + 1.959964 * error)
    # One point is more than twice its error, so either way it would be seen.
    assert row["excluding"] == row["sets"] == 2


def test_every_study_has_bounds_or_the_plain_reason(to_read):
    silent = [row for row in to_read.values() if row["basis"] == UNBOUNDED]
    assert [(row["study_id"], row["assumed"]) for row in silent] == [
        (
            "younger2009",
            "what it lacks is told of overall symptom severity, "
            "which enters no pool of pain intensity",
        )
    ]


def test_a_p_and_a_side_give_a_difference_on_the_scale(to_read):
    row = to_read["chindalore2005"]
    # 350 people in four arms; p = 0.006 is 0.0055 to 0.0065, towards less pain.
    error = 1.96 * math.sqrt(2 * 4 / 350)
    ends = sorted(NormalDist().inv_cdf(p / 2) * error for p in (0.0055, 0.0065))
    assert (row["estimate_low"], row["estimate_high"]) == (
        pytest.approx(ends[0]),
        pytest.approx(ends[1]),
    )
    assert "arms of equal size" in row["assumed"]
    assert (row["excluding"], row["sets"]) == (2, 2)


def test_any_counts_of_the_people_who_began(to_read):
    row = to_read["smith2013"]
    # Six against six: 49 pairs but nobody and everybody in both.
    assert (row["basis"], row["sets"], row["measure"]) == (ANY_COUNTS, 7 * 7 - 2, "RR")
    # Six of six against none of six, with half a person added to each cell.
    assert row["estimate_high"] == pytest.approx(math.log((6.5 / 7) / (0.5 / 7)))


def test_an_important_difference_either_way(to_read):
    row = to_read["hamann2007"]
    # Ten people against five, SD 1.96: 1.96 sqrt(1/10 + 1/5) = 1.0735, so -1 - 1.96 x 1.0735.
    assert (row["estimate_low"], row["estimate_high"]) == (pytest.approx(-1), pytest.approx(1))
    assert row["ci_high"] == pytest.approx(1 + 1.959964 * 1.96 * math.sqrt(0.3), abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": "event n"}, "columns: value 'event n' event is no column of arm_events.csv"),
        ({"rows": "nobody"}, "nobody is no row of arm_events.csv about smith2011; correct it, or"),
        ({"columns": "percent"}, "every column of smith2011-cdai70-w12-ldn is filled; delete the"),
    ],
)
def test_a_row_that_asks_for_nothing(evidence, change, message):
    rows = evidence.text["wanted"].to_dict("records")
    rows = [row | change if row["study_id"] == "smith2011" else row for row in rows]
    table = pd.DataFrame(rows, index=evidence.text["wanted"].index)
    changed = dataclasses.replace(evidence, text={**evidence.text, "wanted": table})
    faults = [str(fault) for fault in wanted_faults(changed)]
    assert any(message in fault for fault in faults)
    assert list(wanted_faults(evidence)) == []
