"""Facts that sources state differently are shown with both values."""

import pytest

from builders import Builder
from ldn_meta.evidence.answer.conflicts import conflicts


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
        "fact": "ames2001-ldn, responder, week 12, intention to treat, people",
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
