"""The checks over the raw tables: what they must find, must pass, and do with each kind of row."""

import json

import pandas as pd
import pytest

from builders import cases
from ldn_meta.errors import DataError
from ldn_meta.evidence.audit.consistency import (
    CHECKS,
    COLUMNS,
    check_consistency,
    consistency_summary,
    refuse_inconsistent,
)
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.raw.tables import VALUE_TABLES

NAPIER = {"preferred": "no", "preferred_reason": "another source"}


@pytest.fixture(scope="module")
def real(tables):
    return tables["consistency"]


@pytest.fixture
def checked(build, protocol):
    """Load what was built, and check it."""

    def check():
        evidence = build.load()
        return check_consistency(evidence, protocol, *normalise(evidence, protocol))

    return check


def one(frame, check, row_id=None):
    rows = frame[frame["check"] == check]
    if row_id is not None:
        rows = rows[rows["row_id"] == row_id]
    (row,) = rows.to_dict("records")
    return row


def verdicts(frame):
    return {row["check"]: row["verdict"] for row in frame.to_dict("records")}


# -- the real evidence -----------------------------------------------------------------------

MUST_FIND = cases("checks_that_find")
MUST_PASS = cases("checks_that_pass")


@pytest.mark.parametrize(
    ("verdict", "cases"), [("inconsistent", MUST_FIND), ("consistent", MUST_PASS)]
)
def test_what_is_known_of_the_real_evidence(real, verdict, cases):
    for table, row_id, check in cases:
        rows = real[real["table"] == table]
        assert one(rows, check, row_id)["verdict"] == verdict, (row_id, check)


def test_the_pooled_abstract_in_numbers(real):
    row = one(real[real["table"] == "claims"], "p against interval", "hegde2025-pain-all")
    assert row["printed"] == "-0.11 (-0.96 to 0.74); p = 0.31"
    # The normal gives 0.80; t on one degree of freedom, at the end of rounding, 0.334.
    assert "p = 0.8" in row["explanation"]
    assert (row["low"], row["high"]) == (
        pytest.approx(0.334, abs=5e-4),
        pytest.approx(0.81, abs=5e-3),
    )
    assert (row["severity"], row["study_id"]) == ("medium", "NA")


def test_the_interval_of_another_source_is_that_of_the_abstracts_p(real):
    row = one(real, "p against interval", "innova2026-pain_nrs_0_10-w13-md-innova2026")
    assert row["printed"] == "0.49 (-0.32 to 1.31); p = 0.236"


def test_nothing_that_is_used_is_inconsistent_without_a_reason(real, evidence):
    wrong = real[
        (real["verdict"] == "inconsistent")
        & real["is_preferred"]
        & real["table"].isin(VALUE_TABLES)
    ]
    assert wrong["is_accepted"].all()
    mine = [entry for entry in evidence.corrections if entry.check in CHECKS]
    assert wrong["is_accepted"].sum() == len(mine) >= 10
    # Nothing behind a pooled number: those rows have no finding at all. One stands beside such a
    # number and is of another difference: INNOVA's 0.19, of the changes, beside 0.49.
    assert set(wrong[wrong["severity"] == "high"]["study_id"]) == {"smith2011", "innova2026"}


def test_a_line_a_check_and_row_in_order(real):
    assert tuple(real.columns) == COLUMNS
    assert not real.duplicated(["table", "row_id", "check"]).any()
    assert set(real["check"]) <= set(CHECKS)
    assert set(real["verdict"]) == {"consistent", "inconsistent", "not checkable"}
    assert (real["explanation"] != "").all()
    graded = real["severity"].isin(["high", "medium", "low"])
    assert (graded == (real["verdict"] == "inconsistent")).all()
    assert not (real["is_accepted"] & ~graded).any()
    first, *_ = consistency_summary(real)
    counted = [int(word.strip("(")) for word in first.split() if word.strip("(").isdigit()]
    assert counted[0] == len(real) == counted[1] + counted[2] + counted[4]
    assert len(consistency_summary(real)) == 1 + counted[2]


# -- each kind of row ------------------------------------------------------------------------


def test_a_contrast_that_fits_and_one_that_does_not(build, checked):
    build.trial()
    good = {"estimate": "-0.34", "ci_low": "-0.95", "ci_high": "0.27", "ci_level": "0.95"}
    build.contrast(**good, p_relation="=", p_value="0.27", timepoint_weeks=4)
    build.contrast(**good, p_relation="=", p_value="0.72", timepoint_weeks=8)
    build.contrast(**(good | {"ci_high": "-0.27"}), timepoint_weeks=12)
    frame = checked()
    assert verdicts(frame[frame["row_id"] == "row-1"]) == {
        "estimate at centre": "consistent",
        "estimate inside interval": "consistent",
        "p against interval": "consistent",
    }
    wrong = one(frame, "p against interval", "row-2")
    assert (wrong["verdict"], wrong["severity"], wrong["is_preferred"]) == (
        "inconsistent", "high", True,
    )  # fmt: skip
    assert one(frame, "estimate at centre", "row-3")["verdict"] == "inconsistent"


def test_several_intervals_around_one_number_are_one_finding(build, checked):
    build.trial(n=(50, 50))
    build.events("ldn", events=31, n=50)
    build.events("placebo", events=20, n=50)
    # Centres are the roots of low times high: 1.55, 1.56 and 1.54; the ratios are others.
    ratios = {"tired": ("1.00", "0.80", "3.00"), "sad": ("0.95", "0.85", "2.85"),
              "stiff": ("1.20", "0.90", "2.65")}  # fmt: skip
    for outcome, (estimate, low, high) in ratios.items():
        build.outcome(outcome, construct=outcome)
        build.contrast(
            outcome_id=outcome, measure="RR", estimate=estimate, ci_low=low, ci_high=high
        )
    found = one(checked(), "one centre for several results")
    assert (found["verdict"], found["recomputed"]) == ("inconsistent", "1.55 (1.54 to 1.56)")
    assert "3 are off their own centre" in found["explanation"]
    assert "in the same people is 1.55 (31/50 against 20/50)" in found["explanation"]
    # Intervals with centres of their own, one of them off its estimate, are no pattern.
    for row in build.rows["contrasts"][:2]:
        row |= {"estimate": "1.00", "ci_low": "0.50", "ci_high": "2.00"}
    assert one(checked(), "one centre for several results")["verdict"] == "consistent"


def test_the_level_and_the_people_decide(build, checked):
    build.trial(n=(6, 6))
    numbers = {"estimate": "-1.0", "ci_low": "-2.0", "ci_high": "0.0", "p_relation": "="}
    # Nought is a bound: p is 0.05 at 95%, and 0.10 if no level is printed.
    build.contrast(**numbers, p_value="0.10", timepoint_weeks=1)
    build.contrast(**numbers, p_value="0.10", ci_level="0.90", timepoint_weeks=2)
    build.contrast(**numbers, p_value="0.20", ci_level="0.95", timepoint_weeks=3)
    frame = checked()
    found = frame[frame["check"] == "p against interval"].set_index("row_id")["verdict"]
    assert found.to_dict() == {
        "row-1": "consistent", "row-2": "consistent", "row-3": "inconsistent",
    }  # fmt: skip


def test_words_and_statistics(build, checked):
    build.trial()
    interval = {"estimate": "-0.5", "ci_low": "-0.9", "ci_high": "-0.1"}
    build.contrast(**interval, p_relation="ns", timepoint_weeks=1)
    build.contrast(**interval, p_relation="sig", timepoint_weeks=2)
    test = {"statistic_name": "t", "statistic": "2.20", "p_relation": "="}
    build.contrast(**test, p_value="0.01", timepoint_weeks=3)
    build.contrast(**test, p_value="0.04", timepoint_weeks=4)
    frame = checked()
    assert one(frame, "word against interval", "row-1")["verdict"] == "inconsistent"
    assert one(frame, "word against interval", "row-2")["verdict"] == "consistent"
    assert one(frame, "p against statistic", "row-3")["verdict"] == "inconsistent"
    assert one(frame, "p against statistic", "row-4")["verdict"] == "consistent"


def test_percentages(build, checked):
    build.trial(n=(20, 20))
    build.events(percent="88", timepoint_weeks=1)
    build.events(percent="85", timepoint_weeks=2)
    build.events(percent="88", n=17, timepoint_weeks=3)
    build.events(percent="88", n=20, events=17, timepoint_weeks=4)
    build.events(percent="70", as_reported="about 70%", timepoint_weeks=5)
    frame = checked()
    found = frame[frame["check"].str.startswith("percentage of")].set_index("row_id")
    assert found["verdict"].to_dict() == {
        "row-1": "inconsistent",
        "row-2": "consistent",
        "row-3": "consistent",
        "row-4": "inconsistent",
        "row-5": "not checkable",
    }
    assert found.loc["row-1", "explanation"] == (
        "88% fits no arm of 20 people; it fits 8, 16 or 17 people"
    )
    assert found.loc["row-1", "recomputed"] == "8 to 17 people"


def test_percentages_of_one_instrument_share_their_people(build, checked):
    build.trial(n=(20, 20))
    build.outcome("remission", construct="remission", domain="responder", instrument="index")
    build.outcome("response", construct="response", domain="responder", instrument="index")
    build.outcome("nausea", construct="nausea", domain="harm", instrument="report")
    for outcome, percent in (("remission", "8"), ("response", "28"), ("nausea", "25")):
        build.events(outcome_id=outcome, percent=percent)
    row = one(checked(), "percentages together")
    assert row["verdict"] == "inconsistent"
    assert "8%, 28% fit no common number of people up to 20" in row["explanation"]


def test_no_size_no_answer(build, checked):
    build.trial(n=("NR", "NR"))
    build.events(percent="37")
    build.events(percent="50", arm="placebo")
    build.contrast(outcome_id="responder", p_relation="=", p_value="0.04", measure="statement")
    build.contrast(outcome_id="responder", estimate="8", measure="NNT", timepoint_weeks=3)
    frame = checked()
    assert set(frame["verdict"]) == {"not checkable"}
    assert set(frame["check"]) == {
        "percentage of the arm", "p against counts", "NNT against percentages",
    }  # fmt: skip


def test_counts_with_p_and_number_needed_to_treat(build, checked):
    build.trial(n=(20, 20))
    build.events(events=14, n=20)
    build.events(events=5, n=20, arm="placebo")
    binary = {"outcome_id": "responder"}
    build.contrast(**binary, measure="NNT", estimate="2.2")
    build.contrast(**binary, measure="NNT", estimate="5", preferred="no", preferred_reason="x")
    # Pearson 0.004.
    build.contrast(**binary, measure="statement", p_relation="=", p_value="0.005")
    build.contrast(**binary, measure="RR", p_relation="=", p_value="0.3")
    frame = checked()
    assert one(frame, "NNT against percentages", "row-1")["verdict"] == "consistent"
    assert one(frame, "NNT against percentages", "row-2")["verdict"] == "inconsistent"
    assert one(frame, "p against counts", "row-3")["verdict"] == "consistent"
    assert one(frame, "p against counts", "row-4")["verdict"] == "inconsistent"


def test_difference_of_arms(build, checked):
    cases = {
        "a2001": ("no", "-0.4", "consistent"),
        "b2002": ("no", "-0.9", "inconsistent"),
        "c2003": ("yes", "-0.9", "not checkable"),
        "d2004": ("NR", "-0.9", "not checkable"),
    }
    for study, (is_adjusted, estimate, _) in cases.items():
        build.trial(study)
        build.stats("ldn", study, mean="-1.3")
        build.stats("placebo", study, mean="-0.9")
        build.contrast(study, estimate=estimate, is_adjusted=is_adjusted)
    frame = checked()
    found = frame[frame["check"] == "difference of arms"].set_index("study_id")["verdict"]
    assert found.to_dict() == {study: verdict for study, (*_, verdict) in cases.items()}


def test_a_change_is_end_minus_baseline(build, checked):
    build.trial()
    same = {"analysis_set": "not stated", "n": 30}
    build.stats(mean="7.27", statistic_of="baseline", timepoint_weeks=0, **same)
    build.stats(mean="6.62", statistic_of="end", **same)
    build.contrast(arm_2="NA", is_paired="yes", estimate="-0.66", analysis_set="not stated")
    assert one(checked(), "difference of arms")["verdict"] == "consistent"


def test_spreads(build, checked):
    build.trial(n=(28, 28))
    build.stats(mean="5.0", sd="2.4", se="0.45", n=28, statistic_of="end", timepoint_weeks=1)
    build.stats(mean="5.0", sd="0.45", se="0.45", n=28, statistic_of="end", timepoint_weeks=2)
    build.stats(mean="0.5", sd="2.9", n=28, statistic_of="end", timepoint_weeks=3)
    build.stats(mean="5.0", unlabelled_spread="0.4", n=28, statistic_of="end", timepoint_weeks=4)
    build.stats(
        mean="8.0",
        sd="0.3",
        n=28,
        statistic_of="baseline",
        timepoint_weeks=0,
        timepoint="baseline",
    )
    frame = checked()
    assert one(frame, "SD against SE", "row-1")["verdict"] == "consistent"
    assert one(frame, "SD against SE", "row-2")["verdict"] == "inconsistent"
    assert one(frame, "SD on its scale", "row-3")["verdict"] == "inconsistent"
    assert one(frame, "SD or SE", "row-4")["verdict"] == "not checkable"
    typed = one(frame, "SD or SE", "row-2")
    assert (typed["verdict"], typed["severity"]) == ("inconsistent", "low")


def test_an_sd_and_an_interval_from_two_sources(build, checked):
    build.trial(n=(28, 28))
    build.stats(mean="-28.8", ci_low="-38.1", ci_high="-19.5", ci_level="0.95", n=28)
    build.stats(mean="-28.8", sd="12.5", **NAPIER)
    row = one(checked(), "SD against interval")
    assert (row["row_id"], row["verdict"], row["severity"]) == ("row-2", "inconsistent", "low")


def test_means_of_whole_ratings(build, checked):
    build.trial()
    build.outcome("pain_nrs_0_10")
    rating = {"outcome_id": "pain_nrs_0_10", "statistic_of": "end"}
    build.stats(mean="5.19", n=28, timepoint_weeks=1, **rating)
    build.stats(mean="5.21", n=28, timepoint_weeks=2, **rating)
    # With 100 people every two decimals are possible: there is no question.
    build.stats(mean="5.19", n=100, timepoint_weeks=3, **rating)
    frame = checked()
    grim = frame[frame["check"] == "mean of whole scores"].set_index("row_id")["verdict"]
    assert grim.to_dict() == {"row-1": "inconsistent", "row-2": "consistent"}


def test_people_add_up_and_do_not_grow(build, checked):
    build.trial(n_randomised=60, n_completed=61)
    facts = {"study_id": "ames2001", "qualifier": "NA", "source_id": "paper", "preferred": "yes"}
    sizes = {"n_randomised": 60, "n_sequence_1": 31, "n_sequence_2": 28, "n_withdrawn": 4,
             "n_completed": 61}  # fmt: skip
    for fact, value in sizes.items():
        build.add("study_facts", row_id=f"fact-{fact}", fact=fact, value=value, **facts)
    frame = checked()
    assert one(frame, "people in order")["verdict"] == "inconsistent"
    assert one(frame, "parts and total", "fact-n_randomised")["explanation"] == (
        "31 + 28 = 59; 60 is printed"
    )
    assert one(frame, "parts and total", "fact-n_withdrawn")["verdict"] == "inconsistent"


def test_sources(build, checked):
    build.trial()
    build.contrast(estimate="1.64", p_relation="=", p_value="0.21")
    build.contrast(estimate="1.6", p_relation="=", p_value="0.2", **NAPIER)
    build.contrast(estimate="1.7", p_relation="ns", **NAPIER)
    build.contrast(measure="statement", p_relation="sig", **NAPIER)
    frame = checked()
    found = frame[frame["check"] == "source against source"].set_index("row_id")
    assert found["verdict"].to_dict() == {
        "row-2": "consistent", "row-3": "inconsistent", "row-4": "inconsistent",
    }  # fmt: skip
    assert set(found.loc[["row-3", "row-4"], "severity"]) == {"low"}
    assert "does not fit" in found.loc["row-4", "explanation"]


def test_people_are_not_rounded(build, checked):
    build.trial()
    facts = {"study_id": "ames2001", "fact": "n_randomised", "qualifier": "NA"}
    build.add("study_facts", row_id="a", value=31, as_reported="31", preferred="yes", **facts)
    build.add("study_facts", row_id="b", value=30, as_reported="N=30", preferred="no", **facts)
    assert one(checked(), "source against source")["verdict"] == "inconsistent"


def test_a_number_of_a_single_arm_and_of_an_excluded_study(build, checked):
    build.trial("ames2001", n=(20, 20), eligible_for="single-arm")
    build.trial("bell2002", n=(20, 20), eligible_for="excluded")
    build.events(percent="88", study_id="ames2001")
    build.events(percent="88", study_id="bell2002")
    frame = checked()
    assert list(frame["severity"]) == ["medium", "low"]


def test_a_conclusion_that_turns_is_grave(build, checked):
    claim = {"claimed_in": "paper", "indication_id": "headache", "measure": "MD"}
    numbers = {"estimate": "-0.50", "ci_low": "-0.90", "ci_high": "-0.10"}
    build.add("claims", claim_id="a", **claim, **numbers, p_relation="=", p_value="0.31")
    build.add("claims", claim_id="b", **claim, **numbers, p_relation="=", p_value="0.0001")
    frame = checked()
    found = frame[frame["check"] == "p against interval"].set_index("row_id")
    assert found["severity"].to_dict() == {"a": "high", "b": "medium"}


def test_a_trailing_nought_that_was_not_printed_is_not_counted(build, checked):
    claim = {"claimed_in": "paper", "indication_id": "headache", "measure": "IRR"}
    numbers = {"estimate": "1.40", "ci_low": "1.12", "ci_high": "1.75"}
    build.add("claims", claim_id="a", **claim, **numbers, as_reported="1.4 (1.12 to 1.75)")
    assert one(checked(), "estimate inside interval")["printed"] == "1.4 (1.12 to 1.75)"


# -- what stops the build --------------------------------------------------------------------


def grave(build, protocol):
    build.trial(n=(20, 20))
    build.events(percent="88", as_reported="88%", timepoint_weeks=4)
    build.events(percent="40", as_reported="40%", timepoint_weeks=4, arm="placebo")
    build.contrast(estimate="-0.3", ci_low="-0.9", ci_high="-0.5", as_reported="-0.3 (-0.9, -0.5)")
    evidence = build.load()
    return evidence, check_consistency(evidence, protocol, *normalise(evidence, protocol))


def test_every_grave_number_is_refused_at_once(build, protocol):
    with pytest.raises(DataError) as refused:
        refuse_inconsistent(*grave(build, protocol))
    faults = [(f.table, f.line, f.column, f.value) for f in refused.value.faults]
    assert faults == [
        ("arm_events", 2, "percent", "88"),
        ("contrasts", 2, "ci_low", "-0.9"),
        ("contrasts", 2, "ci_low", "-0.9"),
    ]
    assert "88% fits no arm of 20 people" in str(refused.value)
    assert "accept it in corrections.yml with a reason" in str(refused.value)


def test_what_is_accepted_does_not_stop(build, protocol):
    rows = [("arm_events", "percentage of the arm", "88%")] + [
        ("contrasts", check, "-0.3 (-0.9, -0.5)")
        for check in ("estimate at centre", "estimate inside interval")
    ]
    entries = [
        {"table": table, "row": "row-1", "check": check, "expect": expect, "action": "accept",
         "reason": "because", "by": "a test"}
        for table, check, expect in rows
    ]  # fmt: skip
    (build.folder / "corrections.yml").write_text(json.dumps(entries), encoding="utf-8")
    evidence, frame = grave(build, protocol)
    refuse_inconsistent(evidence, frame)
    assert frame["is_accepted"].sum() == len(entries)
    # A finding that is gone leaves an entry that accepts nothing.
    fine = frame[frame["check"] != "percentage of the arm"]
    with pytest.raises(
        DataError, match=r"corrections:1:check:.*accepts what is consistent; delete"
    ):
        refuse_inconsistent(evidence, fine)


def test_claims_and_other_sources_never_stop(build, protocol):
    build.trial()
    build.contrast(estimate="1.0")
    build.contrast(estimate="2.0", ci_low="3.0", ci_high="4.0", **NAPIER)
    claim = {"claimed_in": "paper", "indication_id": "headache", "measure": "MD"}
    build.add("claims", claim_id="a", estimate="1", ci_low="3", ci_high="4", **claim)
    evidence = build.load()
    frame = check_consistency(evidence, protocol, *normalise(evidence, protocol))
    assert (frame["verdict"] == "inconsistent").sum() >= 3
    refuse_inconsistent(evidence, frame)


def test_nothing_to_check(build, protocol):
    evidence = build.load()
    frame = check_consistency(evidence, protocol, *normalise(evidence, protocol))
    assert list(frame.columns) == list(COLUMNS)
    assert isinstance(frame, pd.DataFrame) and frame.empty
    assert consistency_summary(frame)[0].startswith("0 checks of printed numbers")


def test_an_arm_put_together_has_the_size_of_its_other_results(real):
    """3 and 8 of the 12 of another row: 25% and 67%."""
    told = ["smith2013-remission-end", "smith2013-response-end"]
    rows = real[real["row_id"].isin(told)]
    assert set(rows["verdict"]) == {"consistent"}
