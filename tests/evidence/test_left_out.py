"""Rows that give no effect say why, and rows that do not belong together are not paired."""

import pytest
from scipy.stats import t

from builders import Builder
from ldn_meta.evidence.effects.effects import AccountingError, check_accounting, normalise
from ldn_meta.evidence.effects.rows import CHANGE, CONTRAST, ONE_ARM, SET_ASIDE

CASES = {}

NO_RESULT = "no result of LDN against anything"


def case(reason, usable_for, kind):
    """Register a study that gives no effect; it returns the addresses to look at."""

    def register(function):
        CASES[function.__name__] = (function, reason, usable_for, kind)
        return function

    return register


@case("study excluded: wrong drug", "none", SET_ASIDE)
def an_excluded_study(b, s):
    b.trial(s, eligible_for="excluded", eligibility_reason="wrong drug")
    yield b.contrast(s, estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95)
    yield b.stats("ldn", s, n=40, mean="-2.0", sd="2.5")
    yield b.events("ldn", s, events=20, n=49)


@case("low reliability", "none", SET_ASIDE)
def rows_of_low_reliability(b, s):
    b.trial(s)
    low = {"reliability": "low"}
    yield b.contrast(s, estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95, **low)
    yield b.stats("ldn", s, n=40, mean="-2.0", sd="2.5", **low)
    yield b.events("ldn", s, events=20, n=49, **low)


@case("p is only a bound: the standard error is below", "p-value", CONTRAST)
def p_below_a_bound(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.0", p_value="0.01", p_relation="<", n_1=50, n_2=50)


@case("p is only a bound: the standard error is above", "p-value", CONTRAST)
def p_above_a_bound(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.0", p_value="0.05", p_relation=">", n_1=50, n_2=50)


@case("p is only a bound, and there is no interval", "p-value", CONTRAST)
def bounds_that_bound_nothing(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="0.0", p_value="0.05", p_relation=">", n_1=50, n_2=50)
    yield b.contrast(s, measure="RR", estimate="0.5", p_value="0.05", p_relation="<")
    yield b.contrast(s, estimate="-1.0", p_value="1", p_relation="<", n_1=50, n_2=50)


@case("no exact p and no interval", "p-value", CONTRAST)
def called_not_significant(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.0", p_relation="ns", n_1=50, n_2=50)


@case(
    "p and its difference are printed too coarsely: the standard error lies between",
    "p-value",
    CONTRAST,
)
def p_of_one_digit(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.00", p_value="0.3", p_relation="=", n_1=50, n_2=50)
    # A coarse estimate with a fine p is as little worth.
    yield b.contrast(s, estimate="-1", p_value="0.031", p_relation="=", n_1=50, n_2=50)


@case("the difference may be nought within its rounding", "p-value", CONTRAST)
def an_exact_p_with_an_estimate_of_nought(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="0.0", p_value="0.981", p_relation="=", n_1=50, n_2=50)
    yield b.contrast(s, estimate="0", p_value="0.981", p_relation="=", n_1=50, n_2=50)


@case("p is printed as 0", "p-value", CONTRAST)
def p_of_nought(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.00", p_value="0.000", p_relation="=", n_1=50, n_2=50)


@case("p and its difference are printed too coarsely", "p-value", CONTRAST)
def p_of_one(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.00", p_value="1.00", p_relation="=", n_1=50, n_2=50)


@case("too few people for a test", "p-value", CONTRAST)
def one_person_a_group(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.00", p_value="0.036", p_relation="=", n_1=1, n_2=1)


@case("the estimate is not in the middle of its interval", "direction", CONTRAST)
def an_estimate_off_centre(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-0.11", ci_low="-0.96", ci_high="0.24", ci_level=0.95)
    # Symmetric, but a ratio is symmetric on the log scale.
    yield b.contrast(
        s, measure="RR", estimate="2.00", ci_low="0.50", ci_high="3.50", ci_level=0.95
    )


@case("the level of the interval is not stated", "direction", CONTRAST)
def an_interval_of_no_level(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.0", ci_low="-2.0", ci_high="0.0")


@case("the printed numbers give an effect without a variance above nought", "direction", CONTRAST)
def an_interval_of_no_width(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.0", ci_low="-1.0", ci_high="-1.0", ci_level=0.95)
    yield b.stats("ldn", s, n=40, mean="-2.0", sd="0")
    yield b.stats("placebo", s, n=40, mean="-1.0", sd="0")


@case("a ratio, or a limit of its interval, that is not above 0", "direction", CONTRAST)
def a_ratio_that_touches_nought(b, s):
    b.trial(s)
    yield b.contrast(
        s, measure="RR", estimate="0.50", ci_low="0.00", ci_high="2.00", ci_level=0.95
    )
    yield b.contrast(s, measure="OR", estimate="0", ci_level=0.95)


@case("a ratio with a p-value but no interval", "p-value", CONTRAST)
def a_ratio_with_p(b, s):
    b.trial(s)
    yield b.contrast(s, measure="RR", estimate="0.50", p_value="0.036", p_relation="=")


@case("an estimate without interval, standard error or exact p", "direction", CONTRAST)
def a_bare_estimate(b, s):
    b.trial(s)
    yield b.contrast(s, estimate="-1.0", p_relation="sig")


@case("no estimate is printed", "none", CONTRAST)
def a_difference_without_its_number(b, s):
    b.trial(s)
    yield b.contrast(s, p_relation="ns")


@case("only a direction or a p-value is printed", "direction", CONTRAST)
def a_direction(b, s):
    b.trial(s)
    yield b.contrast(s, measure="statement", direction="favours treatment")
    yield b.contrast(s, measure="statement", direction="no difference", p_relation="ns")


@case("only a direction or a p-value is printed", "none", CONTRAST)
def a_statement_of_nothing(b, s):
    b.trial(s)
    yield b.contrast(s, measure="statement")


@case("a median difference", "p-value", CONTRAST)
def a_median_difference(b, s):
    b.trial(s)
    yield b.contrast(
        s,
        measure="median difference",
        estimate="-1.65",
        iqr_width="18.55",
        p_value="0.3",
        p_relation="=",
    )


@case("a number needed to treat", "direction", CONTRAST)
def a_number_needed_to_treat(b, s):
    b.trial(s)
    yield b.contrast(s, measure="NNT", estimate="3.2")


@case("a comparison before treatment", "none", NO_RESULT)
def a_comparison_before_treatment(b, s):
    b.trial(s)
    yield b.contrast(
        s, timepoint_weeks=0, estimate="0.1", ci_low="-0.9", ci_high="1.1", ci_level=0.95
    )
    yield b.contrast(s, timepoint="baseline", measure="statement", p_value="0.45", p_relation="=")


@case("a change in an arm that the question does not compare", "none", NO_RESULT)
def a_change_on_placebo(b, s):
    b.trial(s)
    yield b.contrast(
        s,
        arm_1=f"{s}-placebo",
        arm_2="NA",
        is_paired="yes",
        estimate="-1.0",
        ci_low="-2.0",
        ci_high="0.0",
        ci_level=0.95,
    )


@case("a comparison with an arm that the question does not compare", "none", NO_RESULT)
def a_further_arm_against_placebo(b, s):
    b.trial(s)
    b.arm(s, "opioid", 3, 50)
    yield b.contrast(
        s, arm_1=f"{s}-opioid", estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95
    )


@case("a further arm that the question does not compare", "none", NO_RESULT)
def results_of_a_further_arm(b, s):
    b.trial(s)
    b.arm(s, "opioid", 3, 50)
    yield b.stats("opioid", s, n=40, mean="-2.0", sd="2.5")
    yield b.events("opioid", s, events=20, n=49)


@case("only a direction or a p-value is printed", "direction", CHANGE)
def a_change_in_words(b, s):
    b.trial(s)
    yield b.contrast(s, arm_2="NA", measure="statement", direction="favours treatment")


@case("describes the people at the start", "none", NO_RESULT)
def means_before_treatment(b, s):
    b.trial(s)
    yield b.stats("ldn", s, statistic_of="baseline", timepoint_weeks=0, n=40, mean="6", sd="2")
    yield b.stats("placebo", s, statistic_of="baseline", timepoint_weeks=0, n=40, mean="6", sd="2")


@case("a change without its spread or without a comparison", "direction", ONE_ARM)
def a_change_of_one_arm(b, s):
    b.trial(s)
    yield b.stats("ldn", s, n=40, mean="-2.0", sd="2.5")


@case("a change without its spread or without a comparison", "direction", CONTRAST)
def changes_without_spread(b, s):
    b.trial(s)
    yield b.stats("ldn", s, n=40, mean="-2.0", sd="2.5")
    yield b.stats("placebo", s, n=40, mean="-1.0", unlabelled_spread="2.0")


@case("the other arm has no mean", "none", CONTRAST)
def one_mean_of_two(b, s):
    b.trial(s)
    yield b.stats("ldn", s, n=40, mean="-2.0", sd="2.5")
    b.stats("placebo", s, n=40, median="-1.0")


@case("no mean is printed", "none", CONTRAST)
def two_medians(b, s):
    b.trial(s)
    yield b.stats("ldn", s, n=40, median="-2.0")
    yield b.stats("placebo", s, n=40, median="-1.0")


@case("p and its difference are printed too coarsely", "p-value", CONTRAST)
def means_of_one_digit_with_p(b, s):
    b.trial(s)
    yield b.stats("ldn", s, n=30, mean="-4")
    yield b.stats("placebo", s, n=30, mean="-1")
    b.contrast(s, measure="statement", p_value="0.012", p_relation="=", n_1=30, n_2=30)


@case("p and its difference are printed too coarsely", "p-value", CONTRAST)
def two_means_are_rounded_twice(b, s):
    # One rounding, of 5%, would pass; the difference of two is known to 10%.
    b.trial(s)
    yield b.stats("ldn", s, n=30, mean="-2.1")
    yield b.stats("placebo", s, n=30, mean="-1.1")
    b.contrast(s, measure="statement", p_value="0.012", p_relation="=", n_1=30, n_2=30)


@case("a change without its spread or without a comparison", "direction", CONTRAST)
def a_p_that_is_not_theirs(b, s):
    b.trial(s)
    yield b.stats("ldn", s, n=30, mean="-2.31")
    yield b.stats("placebo", s, n=30, mean="-1.12")
    exact = {"p_value": "0.012", "p_relation": "=", "n_1": 30, "n_2": 30}
    statement = exact | {"measure": "statement"}
    b.contrast(s, **statement, timepoint_weeks=26)
    b.contrast(s, **statement, analysis_set="per protocol")
    b.contrast(s, **statement, reliability="low")
    b.contrast(s, **(statement | {"p_relation": "<"}))
    # The p beside an estimate belongs to that estimate.
    b.contrast(s, **exact, estimate="-1")
    # A rank test of medians is no t test of means.
    b.contrast(s, **exact, measure="median difference")


@case("a percentage of change without the mean at the start", "direction", CONTRAST)
def percentages_without_a_start(b, s):
    b.trial(s)
    yield b.stats("ldn", s, statistic_of="percent change", n=30, mean="-30.0", sd="20")
    yield b.stats("placebo", s, statistic_of="percent change", n=30, mean="-10.0", sd="20")


@case("a percentage of change without the mean at the start", "direction", CONTRAST)
def percentages_with_a_start_that_is_not_preferred(b, s):
    b.trial(s)
    b.stats(
        "ldn",
        s,
        statistic_of="baseline",
        timepoint_weeks=0,
        mean="6.0",
        preferred="no",
        preferred_reason="superseded",
    )
    yield b.stats("ldn", s, statistic_of="percent change", mean="-30.0")
    yield b.stats("placebo", s, statistic_of="percent change", mean="-10.0")


@case("a percentage of change without its spread", "direction", CONTRAST)
def percentages_without_spread(b, s):
    b.trial(s)
    b.stats("ldn", s, statistic_of="baseline", timepoint_weeks=0, mean="6.0")
    yield b.stats("ldn", s, statistic_of="percent change", mean="-30.0")
    yield b.stats("placebo", s, statistic_of="percent change", mean="-10.0")


@case("not the same people at the start and at the end", "direction", ONE_ARM)
def fewer_people_at_the_end(b, s):
    b.trial(s)
    b.stats("ldn", s, statistic_of="baseline", timepoint_weeks=0, n=40, mean="7", sd="2")
    yield b.stats("ldn", s, statistic_of="end", n=31, mean="6", sd="2")


@case("an end value without a comparison", "direction", ONE_ARM)
def a_start_from_another_source(b, s):
    b.trial(s)
    b.add("sources", source_id=f"{s}-review")
    b.stats(
        "ldn",
        s,
        statistic_of="baseline",
        timepoint_weeks=0,
        n=31,
        mean="7",
        sd="2",
        source_id=f"{s}-review",
    )
    yield b.stats("ldn", s, statistic_of="end", n=31, mean="6", sd="2")


@case("the denominator is not reported", "direction", CONTRAST)
def percentages_of_nobody_knows_how_many(b, s):
    b.trial(s)
    yield b.events("ldn", s, percent="88")
    yield b.events("placebo", s, percent="40")


@case("the other arm: the denominator is not reported", "direction", CONTRAST)
def one_denominator_of_two(b, s):
    b.trial(s)
    yield b.events("ldn", s, events=17, n=20)
    b.events("placebo", s, events=8)


@case("several counts of 210 people round to 50%", "direction", CONTRAST)
def several_counts_fit_a_percentage(b, s):
    b.trial(s)
    yield b.events("ldn", s, percent="50", n=210)
    b.events("placebo", s, events=50, n=200)


@case("no count of 10 people rounds to 33%", "direction", CONTRAST)
def no_count_fits_a_percentage(b, s):
    b.trial(s)
    yield b.events("ldn", s, percent="33", n=10)
    b.events("placebo", s, events=5, n=20)


@case("several counts of 210 people round to 50%", "none", ONE_ARM)
def several_counts_in_one_arm(b, s):
    b.trial(s)
    yield b.events("ldn", s, percent="50", n=210)


@case("the source gives no number for the LDN arm", "none", NO_RESULT)
def only_the_comparator(b, s):
    b.trial(s)
    yield b.events("placebo", s, events=5, n=20)


@case(
    "events are counted, not people, and the time at risk is not reported", "direction", CONTRAST
)
def events_of_two_groups(b, s):
    b.trial(s)
    yield b.events("ldn", s, events=5, n=20, counted="events")
    yield b.events("placebo", s, events=9, n=20, counted="events")


@case(
    "events are counted, not people, and the time at risk is not reported", "direction", CONTRAST
)
def events_of_periods_that_differ_in_length(b, s):
    b.trial(s, design="crossover")
    same = {"counted": "events", "timepoint": "whole condition"}
    yield b.events("ldn", s, events=5, timepoint_weeks=12, **same)
    yield b.events("placebo", s, events=9, timepoint_weeks=4, **same)


@case("events are counted, not people", "none", ONE_ARM)
def events_of_one_arm(b, s):
    b.trial(s)
    yield b.events("ldn", s, events=5, n=20, counted="events")


@case("a change without its spread or without a comparison", "direction", ONE_ARM)
def arms_of_different_reports(b, s):
    b.trial(s)
    b.add("sources", source_id=f"{s}-other")
    spread = {"n": 40, "mean": "-2.0", "sd": "2.5"}
    yield b.stats("ldn", s, **spread)
    b.stats("placebo", s, **spread, source_id=f"{s}-other")
    b.stats("placebo", s, **spread, analysis_set="per protocol")
    b.stats("placebo", s, **spread, timepoint_weeks=26)
    # The same words at another week are another moment of a parallel trial.
    yield b.stats("ldn", s, **spread, timepoint="follow-up", timepoint_weeks=20)
    b.stats("placebo", s, **spread, timepoint="follow-up", timepoint_weeks=52)
    b.outcome(f"{s}-other", construct="fatigue")
    b.stats("placebo", s, **spread, outcome_id=f"{s}-other")
    b.stats("placebo", s, **spread, statistic_of="end")


@pytest.fixture(scope="module")
def refused(tmp_path_factory, raw_folder, protocol):
    build = Builder(tmp_path_factory.mktemp("left") / "raw", raw_folder)
    rows = {name: list(entry[0](build, name.replace("_", "-"))) for name, entry in CASES.items()}
    effects, left_out = normalise(build.load(), protocol)
    return rows, effects, left_out.assign(address=left_out["table"] + ":" + left_out["row_id"])


@pytest.mark.parametrize("name", CASES)
def test_reason_use_and_kind(refused, name):
    rows, _, left_out = refused
    _, reason, usable_for, kind = CASES[name]
    assert rows[name]
    for address in rows[name]:
        (row,) = left_out[left_out["address"] == address].to_dict("records")
        assert row["reason"].startswith(reason)
        assert (row["usable_for"], row["kind"]) == (usable_for, kind)
        assert row["study_id"] == name.replace("_", "-")
        assert row["compares"] == (kind == CONTRAST and row["table"] == "contrasts")


def test_none_of_them_gives_an_effect(refused):
    _, effects, _ = refused
    assert effects.empty


def test_bounds_are_those_of_the_printed_p(refused):
    _, _, left_out = refused
    reasons = left_out.set_index("study_id")["reason"]
    at_bound = 1.0 / t.ppf(1 - 0.005, 98)
    assert reasons["p-below-a-bound"].endswith(f"below {at_bound:.3g}")
    at_bound = 1.0 / t.ppf(1 - 0.025, 98)
    assert reasons["p-above-a-bound"].endswith(f"above {at_bound:.3g}")


def test_the_range_of_a_coarse_p_is_what_its_rounding_allows(refused):
    rows, _, left_out = refused
    reason = left_out.set_index("address").loc[rows["p_of_one_digit"][0], "reason"]
    low = 0.995 / t.ppf(1 - 0.25 / 2, 98)
    high = 1.005 / t.ppf(1 - 0.35 / 2, 98)
    assert reason.endswith(f"between {low:.3g} and {high:.3g}")


def test_a_row_that_is_left_out_by_one_pairing_may_be_used_by_another(build, protocol):
    # Two comparators: with one the difference is computed, with the other there is no spread.
    build.trial()
    build.arm("ames2001", "active", 2, 40)
    build.stats("ldn", n=40, mean="-2.0", sd="2.5")
    build.stats("placebo", n=40, mean="-1.0", sd="2.0")
    lone = build.stats("active", n=40, mean="-1.5")
    effects, left_out = normalise(build.load(), protocol)
    assert len(effects) == 1
    assert list(left_out["table"] + ":" + left_out["row_id"]) == [lone]


def test_a_row_beside_another_of_the_same_arm_is_not_paired_again(build, protocol):
    build.trial()
    build.events("ldn", events=20, n=49, preferred="no", preferred_reason="superseded")
    build.events("ldn", events=21, n=49)
    build.events("placebo", events=13, n=50)
    effects, left_out = normalise(build.load(), protocol)
    assert list(effects["rows"]) == ["arm_events:row-2 arm_events:row-3"]
    assert list(left_out["reason"]) == ["row-2 gives the same result of this arm"]


def test_the_p_of_the_same_source_goes_first(build, protocol):
    build.trial()
    build.add("sources", source_id="review")
    build.stats("ldn", n=30, mean="-2.31")
    build.stats("placebo", n=30, mean="-1.12")
    exact = {"measure": "statement", "p_relation": "=", "n_1": 30, "n_2": 30}
    build.contrast(**exact, p_value="0.020", source_id="review")
    own = build.contrast(**exact, p_value="0.012", preferred="no", preferred_reason="second")
    effects, _ = normalise(build.load(), protocol)
    (row,) = effects.to_dict("records")
    assert own in row["rows"].split()
    assert row["sei"] == pytest.approx(1.19 / t.ppf(1 - 0.006, 58))


def test_a_printed_p_of_pairs_goes_before_an_assumed_correlation(build, protocol):
    build.trial(design="crossover", n_analysed=20)
    build.stats("ldn", n=20, mean="-2.31", sd="2.0")
    build.stats("placebo", n=20, mean="-1.12", sd="2.4")
    build.contrast(is_paired="yes", measure="statement", p_value="0.012", p_relation="=", n_2="NA")
    effects, _ = normalise(build.load(), protocol)
    chosen = effects.set_index("route")["is_selected"].to_dict()
    assert chosen == {
        "arm changes with exact p of the difference": True,
        "arm results of a crossover, correlation assumed": False,
    }


def test_an_effect_is_as_trusted_as_its_least_trusted_row(build, protocol):
    build.trial()
    build.stats("ldn", n=40, mean="-2.0", sd="2.5", read_from="abstract")
    build.stats(
        "placebo",
        n=40,
        mean="-1.0",
        sd="2.0",
        read_from="transcription",
        preferred="no",
        preferred_reason="copied",
    )
    effects, _ = normalise(build.load(), protocol)
    (row,) = effects.to_dict("records")
    assert row["read_from"] == "transcription"
    assert row["is_transcribed"]
    assert not row["is_preferred"]


def test_an_unpaired_analysis_of_a_crossover_still_counts_its_people_once(build, protocol):
    build.trial(design="crossover")
    build.contrast(estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95, n_1=30, n_2=30)
    effects, _ = normalise(build.load(), protocol)
    assert list(effects["is_paired"]) == [True]


def test_evidence_without_any_effect(build, protocol):
    build.trial()
    build.contrast(measure="statement", direction="favours treatment")
    effects, left_out = normalise(build.load(), protocol)
    assert effects.empty
    assert len(left_out) == 1
    for table in build.rows.values():
        table.clear()
    effects, left_out = normalise(build.load(), protocol)
    assert effects.empty
    assert left_out.empty


def test_accounting_notices_a_row_lost_and_a_row_used_and_left(build, protocol):
    build.trial()
    build.contrast(estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95)
    build.contrast(measure="statement")
    evidence = build.load()
    effects, left_out = normalise(evidence, protocol)
    assert check_accounting(evidence, effects, left_out) == (1, 1)
    with pytest.raises(AccountingError, match=r"neither: \['contrasts:row-2'\]"):
        check_accounting(evidence, effects, left_out[:0])
    both = left_out.assign(row_id="row-1")
    with pytest.raises(AccountingError, match=r"both: \['contrasts:row-1'\]"):
        check_accounting(evidence, effects, both)
