"""The side and the p of each study's result: every rule by hand, then the real tables."""

import math

import pytest

from ldn_meta.evidence.answer.directions import (
    COLUMNS,
    NO_BETTER,
    NO_COMPARISON,
    NOT_SAID_WHICH,
    OTHER,
    WHY_NO_SIDE,
    directions,
)
from ldn_meta.evidence.effects.effects import normalise

FAVOURS, AGAINST = "favours treatment", "favours comparator"


@pytest.fixture
def told(build, protocol):
    """The directions table of what a builder holds."""

    def made(builder=build):
        evidence = builder.load()
        effects, _ = normalise(evidence, protocol)
        return directions(evidence, protocol, effects)

    return made


@pytest.fixture
def one(told):
    """The only row of the table."""

    def made():
        frame = told()
        assert len(frame) == 1
        return frame.iloc[0]

    return made


def test_an_effect_gives_side_and_p(build, one):
    build.trial()
    build.contrast(
        estimate="-0.50", ci_low="-0.99", ci_high="-0.01", ci_level="0.95", n_1=50, n_2=50,
        direction=FAVOURS,
    )  # fmt: skip
    row = one()
    assert row["sign"] == 1
    assert row["known_by"] == "computed effect"
    assert row["sign_from"] == "computed effect: difference with CI"
    # z = 0.5 / 0.25 = 2: the interval is 0.98 wide, 2 x 1.96 standard errors of 0.25.
    assert row["p_low"] == row["p_high"] == pytest.approx(0.0455, abs=2e-5)
    assert row["p_printed"] == "0.0455 (computed)"
    assert (row["n_people"], row["group"], row["direction"]) == (100, "pain", FAVOURS)


@pytest.mark.parametrize(("better", "sign"), [(-1, -1), (1, 1)])
def test_the_same_number_on_a_scale_the_other_way_round(build, one, better, sign):
    build.outcome("relief", construct="pain_intensity", benefit_sign=better)
    build.trial()
    build.contrast(
        outcome_id="relief", measure="median difference", estimate="1.5", direction="no difference"
    )
    row = one()
    assert row["sign"] == sign
    assert row["known_by"] == "printed numbers"
    assert row["direction"] == "no difference"


def test_nobody_says_which_end_of_the_scale_is_better(build, one):
    build.outcome("score", construct="pain_intensity", benefit_sign="NR")
    build.trial()
    build.stats(outcome_id="score", mean="2.0", n=50)
    build.stats("placebo", outcome_id="score", mean="3.0", n=50)
    row = one()
    assert math.isnan(row["sign"])
    assert row["sign_from"] == NO_BETTER


def test_nobody_says_what_was_subtracted_from_what(build, one):
    build.trial()
    build.contrast(estimate="1.5", ci_low="-1.1", ci_high="4.1", ci_level="0.95", n_1=9, n_2=9)
    row = one()
    assert math.isnan(row["sign"])
    assert row["sign_from"] == NOT_SAID_WHICH
    assert row["known_by"] == "not known"


def test_words_give_the_side_only_where_no_number_does(build, one):
    build.trial()
    build.contrast(measure="statement", direction=AGAINST, p_relation="ns")
    build.stats(mean="-2.0", n=50)
    build.stats("placebo", mean="-1.5", n=50)
    row = one()
    assert row["sign"] == 1
    assert row["sign_from"] == "change of the two arms: -2.0 against -1.5"
    assert row["direction"] == AGAINST
    # The word is the p of the same comparison.
    assert (row["p_low"], row["p_high"], row["p_printed"]) == (0.05, 1, "not significant")


def test_words_alone(build, told):
    for direction in (FAVOURS, AGAINST, "no difference", "not stated"):
        study = direction.replace(" ", "")
        build.trial(study)
        build.contrast(study, measure="statement", direction=direction, p_relation="sig")
    frame = told().set_index("direction")
    assert frame["sign"].dropna().to_dict() == {FAVOURS: 1, AGAINST: -1}
    words = "the report's words, without an estimate"
    assert frame["sign_from"].to_dict() == {FAVOURS: words, AGAINST: words, **WHY_NO_SIDE}
    assert set(frame["p_printed"]) == {"significant"}
    assert (frame["p_low"].max(), frame["p_high"].min()) == (0, 0.05)


def test_a_reduction_has_the_side_its_words_give_it(build, one):
    build.trial()
    build.contrast(measure="relative reduction", estimate="44", direction=FAVOURS)
    assert one()["sign_from"] == "the report's words, beside a printed relative reduction of 44"


def test_percentages_without_denominators(build, one):
    build.trial()
    build.events(percent="88")
    build.events("placebo", percent="40")
    build.contrast(
        outcome_id="responder", measure="statement", p_relation="=", p_value="0.009",
        direction=FAVOURS,
    )  # fmt: skip
    row = one()
    assert row["sign"] == 1
    assert row["sign_from"] == "people of the two arms: 88% against 40%"
    assert (row["p_low"], row["p_high"]) == pytest.approx((0.0085, 0.0095))
    assert row["group"] == "less pain in people"


def test_more_change_on_placebo_favours_it(build, one):
    build.trial()
    build.stats(mean="-1.7")
    build.stats("placebo", mean="-2.0")
    assert one()["sign"] == -1


def test_equal_as_printed_is_a_tie(build, one):
    build.trial()
    build.stats(mean="-1.1")
    build.stats("placebo", mean="-1.1")
    assert one()["sign"] == 0


def test_nobody_in_either_arm_is_a_tie_without_a_p(build, one):
    build.trial()
    build.outcome("sae", construct="serious_adverse_event", domain="harm")
    build.events(outcome_id="sae", events=0, n=40)
    build.events("placebo", outcome_id="sae", events=0, n=60)
    row = one()
    assert row["sign"] == 0
    assert math.isnan(row["p_low"])


def test_an_empty_cell_moves_the_ratio_and_not_the_side(build, one):
    # 0 of 3 against 1 of 100: fewer, though adding 0.5 to the cells makes the ratio 8.4.
    build.trial()
    build.outcome("sae", construct="serious_adverse_event", domain="harm", benefit_sign=-1)
    build.events(outcome_id="sae", events=0, n=3)
    build.events("placebo", outcome_id="sae", events=1, n=100)
    row = one()
    assert row["sign"] == 1
    assert math.isnan(row["p_low"])


def test_event_counts_of_different_people_say_nothing(build, one):
    build.trial()
    build.outcome("events", construct="adverse_event_count", domain="harm", benefit_sign=-1)
    build.events(outcome_id="events", events=8, counted="events")
    build.events("placebo", outcome_id="events", events=52, counted="events")
    row = one()
    assert math.isnan(row["sign"])
    assert "nothing that can be set side by side" in row["sign_from"]


def test_a_printed_p_is_what_it_leaves_open(build, told):
    cases = {
        "a": ({"p_relation": "=", "p_value": "0.22"}, 0.215, 0.225, "0.22"),
        "b": ({"p_relation": "<", "p_value": "0.001"}, 0, 0.001, "<0.001"),
        "c": ({"p_relation": ">", "p_value": "0.10"}, 0.1, 1, ">0.10"),
        "d": ({"p_relation": "ns"}, 0.05, 1, "not significant"),
        "e": ({"p_relation": "sig"}, 0, 0.05, "significant"),
        "f": ({}, math.nan, math.nan, "NR"),
    }
    for study, (cells, *_) in cases.items():
        build.trial(study)
        build.contrast(study, measure="statement", direction=FAVOURS, **cells)
    frame = told().set_index("study_id")
    for study, (_, low, high, text) in cases.items():
        found = frame.loc[study, ["p_low", "p_high"]]
        assert list(found) == pytest.approx([low, high], nan_ok=True)
        assert frame.loc[study, "p_printed"] == text


def test_an_exact_p_goes_before_a_computed_one_and_that_before_a_bound(build, told):
    interval = {"ci_low": "-0.99", "ci_high": "-0.01", "ci_level": "0.95", "direction": FAVOURS}
    for study, cells in (
        ("ames2001", {"p_relation": "=", "p_value": "0.06"}),
        ("bell2002", {"p_relation": "<", "p_value": "0.05"}),
    ):
        build.trial(study)
        build.contrast(study, estimate="-0.50", **interval, **cells)
    frame = told()
    assert list(frame["p_printed"]) == ["0.06", "0.0455 (computed)"]


def test_the_p_of_another_time_or_set_is_another_p(build, one):
    build.trial()
    build.stats(mean="-2.0", n=50)
    build.stats("placebo", mean="-1.5", n=50)
    build.contrast(measure="statement", p_relation="=", p_value="0.01", timepoint_weeks=26)
    build.contrast(
        measure="statement", p_relation="=", p_value="0.02", analysis_set="per protocol"
    )
    assert math.isnan(one()["p_low"])


def test_rows_that_do_not_count(build, told):
    build.trial()
    build.arm("ames2001", "other", 3)
    build.contrast(measure="statement", direction=FAVOURS, preferred="no", preferred_reason="copy")
    build.contrast(measure="statement", direction=FAVOURS, reliability="low")
    build.contrast(measure="statement", direction=FAVOURS, timepoint_weeks=0)
    build.contrast(measure="statement", direction=FAVOURS, arm_2="ames2001-other")
    build.contrast(
        measure="statement", direction=FAVOURS, arm_1="ames2001-placebo", arm_2="ames2001-other"
    )
    build.trial("chow2003", eligible_for="single-arm")
    build.contrast("chow2003", measure="statement", direction=FAVOURS)
    assert len(told()) == 0
    assert list(told().columns) == list(COLUMNS)


def test_a_change_within_one_arm_is_no_comparison(build, told):
    build.trial()
    build.outcome("mood", construct="mood")
    for outcome in ("pain", "mood"):
        build.contrast(
            outcome_id=outcome, arm_2="NA", measure="statement", direction=FAVOURS,
            is_paired="yes", p_relation="=", p_value="0.001",
        )  # fmt: skip
    frame = told()
    # Of an outcome of no group it is not even listed.
    assert list(frame["construct"]) == ["pain_intensity"]
    row = frame.iloc[0]
    assert row["sign_from"] == NO_COMPARISON
    assert math.isnan(row["sign"])
    assert math.isnan(row["p_low"])
    assert (row["direction"], row["is_paired"]) == ("not stated", False)
    assert row["n_people"] == 50


def test_the_order_of_selection_decides_among_equals(build, one):
    build.trial()
    for week, here, there in ((26, "-2.0", "-1.0"), (13, "-1.0", "-2.0")):
        build.stats(mean=here, timepoint_weeks=week)
        build.stats("placebo", mean=there, timepoint_weeks=week)
    assert one()["timepoint_weeks"] == 13
    assert one()["sign"] == -1


def test_arms_of_the_drug_that_agree_and_that_do_not(build, told):
    for study, second in (("ames2001", "-2.5"), ("bell2002", "-0.5")):
        build.trial(study, n=(20, 30))
        build.arm(study, "high", 1, 25)
        build.stats("ldn", study, mean="-2.0")
        build.stats("high", study, mean=second)
        build.stats("placebo", study, mean="-1.0")
        # Only the second p is exact enough for an effect; both arms count all the same.
        for arm, p in (("ldn", "0.20"), ("high", "0.04")):
            build.contrast(
                study, arm_1=f"{study}-{arm}", measure="statement", p_relation="=", p_value=p
            )
    agreed, split = told().to_dict("records")
    assert agreed["sign"] == 1
    assert set(agreed["arms"].split("; ")) == {"ldn", "high"}
    assert agreed["n_people"] == 75
    assert (agreed["p_low"], agreed["p_high"]) == pytest.approx((0.035, 0.205))
    assert math.isnan(split["sign"])
    assert split["sign_from"] == "arms of the drug point to different sides"


def test_people(build, told):
    cases = {
        "a": ({"design": "crossover", "n_analysed": 28, "n_randomised": 31}, ("NR", "NR"), 28),
        "b": ({"design": "crossover", "n_randomised": 31}, ("NR", "NR"), 31),
        "c": ({}, (20, 30), 50),
        "d": ({}, ("NR", 30), math.nan),
    }
    for study, (cells, arms, _) in cases.items():
        build.trial(study, n=arms, **cells)
        build.contrast(study, measure="statement", direction=FAVOURS)
    frame = told().set_index("study_id")
    assert list(frame["n_people"]) == pytest.approx([28, 31, 50, math.nan], nan_ok=True)
    assert list(frame["is_paired"]) == [True, True, False, False]


def test_two_directions_of_one_study_in_one_word(build, one):
    build.trial()
    build.contrast(measure="statement", direction=FAVOURS)
    build.contrast(measure="statement", direction="no difference", timepoint_weeks=26)
    assert one()["direction"] == "partly favours treatment"


def test_overall_risk_of_bias_once_somebody_has_judged(build, told):
    for study, judgement in (("ames2001", "low"), ("bell2002", "TODO")):
        build.trial(study)
        build.contrast(study, measure="statement", direction=FAVOURS)
        build.add(
            "risk_of_bias", row_id=f"{study}-overall", study_id=study, tool="RoB 2",
            domain="overall", judgement=judgement, judged_by="this project",
        )  # fmt: skip
    assert list(told()["overall_bias"]) == ["low", ""]


def test_no_comparative_study_at_all(build, told):
    build.trial(eligible_for="single-arm")
    build.stats(mean="-2.0", n=50)
    frame = told()
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 0


@pytest.fixture(scope="module")
def real(tables):
    return tables["directions"]


def row_of(real, study, construct):
    rows = real[(real["study_id"] == study) & (real["construct"] == construct)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_one_row_a_study_and_construct_of_comparative_studies(real, evidence):
    assert not real.duplicated(["study_id", "construct"]).any()
    assert set(real["eligible_for"]) == {"contrast"}
    assert set(real["sign"].dropna()) <= {1.0, 0.0, -1.0}
    known = real["p_low"].notna()
    assert (real.loc[known, "p_low"] <= real.loc[known, "p_high"]).all()
    addresses = {
        f"{table}:{row_id}"
        for table in ("arm_stats", "arm_events", "contrasts")
        for row_id in evidence.text[table]["row_id"]
    }
    assert {name for rows in real["rows"] for name in rows.split(" ")} <= addresses
    assert OTHER in set(real["group"])


def test_words_and_numbers_of_the_real_reports_agree(real):
    """A result said to favour one side whose numbers lie on the other would be a misreading."""
    said = real["direction"].map({FAVOURS: 1.0, AGAINST: -1.0})
    assert (said * real["sign"]).fillna(1.0).min() > 0


@pytest.mark.parametrize(
    ("study", "construct", "sign", "p_printed", "people"),
    [
        ("smith2011", "clinical_response", 1, "0.009", math.nan),
        ("beaudette2023", "pain_intensity", -1, "0.22", 23),
        ("beaudette2023", "fatigue", 0, "0.3", 23),
        ("bested2023", "pain_sum_score", 1, "0.4", 58),
        ("innova2026", "pain_intensity", -1, "0.236", 96),
        ("duebruun2024", "pain_intensity", 1, "0.27", 99),
        ("younger2013", "pain_intensity", 1, "0.016", 28),
        ("srinivasan2021", "pain_intensity", math.nan, "0.262 (computed)", 67),
        ("srinivasan2021", "adverse_event_count", 1, "<0.001", 67),
        ("webster2006", "pain_intensity", math.nan, "NR", math.nan),
        ("sharafaddinzadeh2010", "mental_health", math.nan, "not significant", math.nan),
        ("paula2023", "pain_intensity", math.nan, "NR", 22),
    ],
)
def test_real_studies(real, study, construct, sign, p_printed, people):
    row = row_of(real, study, construct)
    assert row["sign"] == pytest.approx(sign, nan_ok=True)
    assert row["p_printed"] == p_printed
    assert row["n_people"] == pytest.approx(people, nan_ok=True)
