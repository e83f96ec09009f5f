"""Every route from printed numbers to an effect by hand; rows that give none say why."""

from math import isnan, log, nan, sqrt
from types import SimpleNamespace

import pytest
from scipy.stats import norm, t

from builders import Builder, cases
from ldn_meta.evidence.effects.effects import AccountingError, check_accounting, normalise
from ldn_meta.evidence.effects.rows import (
    CHANGE,
    CONTRAST,
    ONE_ARM,
    PROPORTION,
    ROUTES,
    SET_ASIDE,
    WITH_BORROWED_ERROR,
)

Z = norm.ppf(0.975)
CASES = {}


def case(route, *, df=nan, own=None, **also):
    """Register a function that builds one study and returns yi and vi by hand.

    ``df`` of the t statistic that gave the error, ``own``: the interval as printed.
    """
    also = {"df": df} | also

    def register(function):
        CASES[function.__name__] = SimpleNamespace(build=function, route=route, own=own, also=also)
        return function

    return register


def built(build, function, name):
    """What a case returns or yields; its trial is a plain one unless it makes its own."""
    study = name.replace("_", "-")
    found = list(function(build, study))
    if all(row["study_id"] != study for row in build.rows["studies"]):
        build.trial(study)
    return found


def interval(estimate, low, high):
    return {"estimate": estimate, "ci_low": low, "ci_high": high, "ci_level": 0.95}


def se_of_p(estimate, p, df):
    return abs(estimate) / t.ppf(1 - p / 2, df)


@case(
    "difference with CI",
    own=(-0.95, 0.27),
    kind=CONTRAST,
    measure="MD",
    unit="points (0-10)",
    n_1=49,
    n_2=50,
)
def difference_with_interval(b, s):
    b.contrast(s, **interval("-0.34", "-0.95", "0.27"), n_1=49, n_2=50)
    return -0.34, ((0.27 + 0.95) / (2 * Z)) ** 2


@case("difference with CI", n_1=12, n_2=13)
def interval_of_another_level_and_people_of_the_arms(b, s):
    b.trial(s, n=(12, 13))
    b.contrast(s, estimate="1.0", ci_low="0.0", ci_high="2.0", ci_level=0.9)
    return 1.0, (2.0 / (2 * norm.ppf(0.95))) ** 2


@case(
    "difference with CI",
    own=(log(0.5), log(1.28)),
    measure="RR",
    unit="log risk ratio",
    is_approximate=False,
)
def ratio_with_interval_is_logged(b, s):
    b.contrast(s, measure="RR", **interval("0.80", "0.50", "1.28"))
    return log(0.8), ((log(1.28) - log(0.5)) / (2 * Z)) ** 2


@case("difference with CI", own=(-0.8, 0.0), measure="SMD", unit="standard deviations")
def standardised_difference_has_no_scale(b, s):
    b.outcome(f"{s}-vas", scale_max=100, unit="mm (0-100)")
    b.contrast(s, outcome_id=f"{s}-vas", measure="SMD", **interval("-0.40", "-0.80", "0.00"))
    return -0.4, (0.8 / (2 * Z)) ** 2


@case("difference with CI", own=(-2.0, -0.4), unit="points (0-10)", has_known_scale=True)
def a_hundred_points_are_ten(b, s):
    b.outcome(f"{s}-vas", scale_max=100, unit="mm (0-100)")
    b.contrast(s, outcome_id=f"{s}-vas", **interval("-12.0", "-20.0", "-4.0"))
    return -1.2, (1.6 / (2 * Z)) ** 2


@case("difference with CI", own=(-2.0, 0.0), unit="points (0-10)")
def one_to_ten_is_nine_wide(b, s):
    b.outcome(f"{s}-1-10", scale_min=1, unit="points (1-10)")
    b.contrast(s, outcome_id=f"{s}-1-10", **interval("-0.9", "-1.8", "0.0"))
    return -1.0, (2.0 / (2 * Z)) ** 2


@case(
    "difference with CI",
    own=(-4.0, 0.0),
    unit="points (range not reported)",
    has_known_scale=False,
)
def points_of_an_unknown_range_stay_where_they_are(b, s):
    b.outcome(f"{s}-nr", scale_min="NR", scale_max="NR", unit="points (range not reported)")
    b.contrast(s, outcome_id=f"{s}-nr", **interval("-2.0", "-4.0", "0.0"))
    return -2.0, (4.0 / (2 * Z)) ** 2


@case("difference with CI", own=(1.0, 5.0), unit="seconds", has_known_scale=True)
def seconds_are_seconds_without_an_end(b, s):
    b.outcome(f"{s}-s", construct="endurance", scale_max="NR", unit="seconds")
    b.contrast(s, outcome_id=f"{s}-s", **interval("3.0", "1.0", "5.0"))
    return 3.0, (4.0 / (2 * Z)) ** 2


@case("difference with exact p", df=60, n_1=30, n_2=32, is_paired=False)
def difference_with_p_of_a_t_test(b, s):
    b.contrast(s, estimate="-1.20", p_value="0.036", p_relation="=", n_1=30, n_2=32)
    return -1.2, se_of_p(1.2, 0.036, 60) ** 2


@case("difference with exact p", df=94, n_1=47, n_2=49)
def difference_with_p_and_people_of_the_arms(b, s):
    b.trial(s, n=(47, 49))
    b.contrast(s, estimate="0.49", p_value="0.236", p_relation="=")
    return 0.49, se_of_p(0.49, 0.236, 94) ** 2


@case("difference with exact p", df=27, n_1=28, n_2=28, is_paired=True)
def pairs_lose_one_degree_of_freedom(b, s):
    b.trial(s, design="crossover", n=("NR", "NR"))
    b.contrast(
        s, is_paired="yes", estimate="-1.20", p_value="0.036", p_relation="=", n_1=28, n_2="NA"
    )
    return -1.2, se_of_p(1.2, 0.036, 27) ** 2


@case("difference with exact p", df=24, n_1=25, n_2=25)
def pairs_of_the_study(b, s):
    b.trial(s, design="crossover", n=("NR", "NR"), n_analysed=25)
    b.contrast(s, is_paired="yes", estimate="-1.20", p_value="0.036", p_relation="=", n_2="NA")
    return -1.2, se_of_p(1.2, 0.036, 24) ** 2


@case("difference with exact p", df=66, n_1=67, n_2=67)
def pairs_randomised_when_everybody_counts(b, s):
    b.trial(s, design="crossover", n=("NR", "NR"), n_randomised=67)
    b.contrast(s, is_paired="yes", estimate="-1.20", p_value="0.036", p_relation="=", n_2="NA")
    return -1.2, se_of_p(1.2, 0.036, 66) ** 2


@case("difference with exact p", n_1=nan, n_2=nan)
def a_normal_statistic_when_nobody_says_how_many(b, s):
    b.trial(s, n=("NR", "NR"), n_randomised=67)
    b.contrast(s, estimate="-1.20", p_value="0.036", p_relation="=", analysis_set="completers")
    return -1.2, (1.2 / norm.ppf(1 - 0.018)) ** 2


@case("arm changes with CI", n_1=49, n_2=50, arm_data_is="change")
def arm_changes_with_intervals(b, s):
    b.stats("ldn", s, n=49, mean="-1.3", ci_low="-1.7", ci_high="-0.8", ci_level=0.95)
    b.stats("placebo", s, n=50, mean="-0.9", ci_low="-1.4", ci_high="-0.5", ci_level=0.95)
    return -0.4, (0.9 / (2 * Z)) ** 2 + (0.9 / (2 * Z)) ** 2


@case("arm changes with SD", arm_1_data="-2.0 (2.5)", arm_2_data="-1.0 (2)")
def arm_changes_with_standard_deviations(b, s):
    b.stats("ldn", s, n=40, mean="-2.0", sd="2.5")
    b.stats("placebo", s, n=38, mean="-1.0", sd="2.0")
    return -1.0, 2.5**2 / 40 + 2.0**2 / 38


@case("arm changes with SD")
def arm_changes_with_a_standard_error_and_an_interval(b, s):
    b.stats("ldn", s, mean="-2.0", se="0.4", sd="9.9")
    b.stats("placebo", s, mean="-1.0", ci_low="-1.6", ci_high="-0.4", ci_level=0.95)
    return -1.0, 0.4**2 + (1.2 / (2 * Z)) ** 2


@case("end values with SD", unit="points (0-10)")
def end_values_on_a_hundred_points(b, s):
    b.outcome(f"{s}-vas", scale_max=100, unit="mm (0-100)")
    for arm, n, mean, sd in (("ldn", 40, "50.1", "20.0"), ("placebo", 42, "58.3", "22.0")):
        b.stats(arm, s, outcome_id=f"{s}-vas", statistic_of="end", n=n, mean=mean, sd=sd)
    return -0.82, (20.0**2 / 40 + 22.0**2 / 42) / 100


@case(
    "arm results of a crossover, correlation assumed",
    n_1=20,
    n_2=20,
    is_paired=True,
    is_approximate=False,
)
def periods_of_a_crossover(b, s):
    b.trial(s, design="crossover")
    b.stats("ldn", s, statistic_of="end", n=20, mean="4.0", sd="2.0")
    b.stats("placebo", s, statistic_of="end", n=20, mean="5.0", sd="2.4")
    se_1, se_2 = 2.0 / sqrt(20), 2.4 / sqrt(20)
    return -1.0, se_1**2 + se_2**2 - 2 * 0.6 * se_1 * se_2


@case("arm changes with exact p of the difference", df=60, n_1=30, n_2=32)
def arm_changes_with_the_p_of_their_comparison(b, s):
    b.stats("ldn", s, n=30, mean="-2.31")
    b.stats("placebo", s, n=32, mean="-1.12")
    b.contrast(s, measure="statement", p_value="0.012", p_relation="=", n_1=30, n_2=32)
    return -1.19, se_of_p(1.19, 0.012, 60) ** 2


@case("arm changes with exact p of the difference", df=22, n_1=23, n_2=23, is_paired=True)
def periods_with_the_p_of_their_comparison(b, s):
    b.trial(s, design="crossover", n_analysed=23)
    b.stats("ldn", s, mean="-2.31")
    b.stats("placebo", s, mean="-1.12")
    b.contrast(
        s, is_paired="yes", measure="statement", p_value="0.012", p_relation="=", n_1=23, n_2="NA"
    )
    return -1.19, se_of_p(1.19, 0.012, 22) ** 2


@case(
    "events and n per arm",
    measure="RR",
    unit="log risk ratio",
    arm_1_data="20/49",
    arm_2_data="13/50",
    arm_data_is="events",
    n_1=49,
    n_2=50,
    events_1=20,
    events_2=13,
)
def events_and_people(b, s):
    b.events("ldn", s, events=20, n=49)
    b.events("placebo", s, events=13, n=50)
    return log((20 / 49) / (13 / 50)), 1 / 20 - 1 / 49 + 1 / 13 - 1 / 50


@case("events and n per arm", events_1=0, events_2=3)
def an_empty_cell_adds_half_to_all_four(b, s):
    b.events("ldn", s, events=0, n=50)
    b.events("placebo", s, events=3, n=40)
    return log((0.5 / 51) / (3.5 / 41)), 1 / 0.5 - 1 / 51 + 1 / 3.5 - 1 / 41


@case("events and n per arm", events_1=50, events_2=30)
def an_event_in_everybody_of_one_arm(b, s):
    b.events("ldn", s, events=50, n=50)
    b.events("placebo", s, events=30, n=40)
    return log((50.5 / 51) / (30.5 / 41)), 1 / 50.5 - 1 / 51 + 1 / 30.5 - 1 / 41


@case("events and n per arm", is_paired=True)
def people_of_a_crossover_as_if_unpaired(b, s):
    b.trial(s, design="crossover")
    b.events("ldn", s, events=10, n=30)
    b.events("placebo", s, events=5, n=30)
    return log(10 / 5), 1 / 10 - 1 / 30 + 1 / 5 - 1 / 30


@case("percentages with n per arm", events_1=20, events_2=13)
def percentages_with_one_possible_count(b, s):
    b.events("ldn", s, percent="45", n=44)
    b.events("placebo", s, percent="28", n=46)
    return log((20 / 44) / (13 / 46)), 1 / 20 - 1 / 44 + 1 / 13 - 1 / 46


@case("percentages with n per arm", events_1=20, events_2=13)
def a_percentage_against_a_count(b, s):
    b.events("ldn", s, percent="45.5", n=44)
    b.events("placebo", s, events=13, n=46)
    return log((20 / 44) / (13 / 46)), 1 / 20 - 1 / 44 + 1 / 13 - 1 / 46


@case(
    "change with CI",
    own=(-1.21, -0.1),
    kind=CHANGE,
    measure="MC",
    comparator_class="none",
    n_1=31,
    n_2=nan,
)
def change_with_interval(b, s):
    b.trial(s, design="single-arm", eligible_for="single-arm")
    b.contrast(
        s, arm_2="NA", is_paired="yes", **interval("-0.66", "-1.21", "-0.10"), n_1=31, n_2="NA"
    )
    return -0.66, (1.11 / (2 * Z)) ** 2


@case("change with exact p", df=30, kind=CHANGE, measure="MC", n_1=31, n_2=nan)
def change_with_p(b, s):
    b.trial(s, design="single-arm", eligible_for="single-arm")
    b.contrast(
        s,
        arm_2="NA",
        is_paired="yes",
        estimate="-0.66",
        p_value="0.022",
        p_relation="=",
        n_1=31,
        n_2="NA",
    )
    return -0.66, se_of_p(0.66, 0.022, 30) ** 2


@case(
    "baseline and end values, correlation assumed",
    kind=CHANGE,
    measure="MC",
    n_1=31,
    is_approximate=True,
    arm_1_data="-0.65",
    arm_data_is="change",
)
def start_and_end(b, s):
    b.trial(s, design="single-arm", eligible_for="single-arm")
    b.stats("ldn", s, statistic_of="baseline", timepoint_weeks=0, n=31, mean="7.27", sd="1.39")
    b.stats("ldn", s, statistic_of="end", n=31, mean="6.62", sd="2.04")
    return -0.65, (1.39**2 + 2.04**2 - 2 * 0.6 * 1.39 * 2.04) / 31


@case("events and n", kind=PROPORTION, measure="PLO", n_1=25, n_2=nan)
def events_of_one_arm(b, s):
    b.trial(s, design="single-arm", eligible_for="single-arm")
    b.events("ldn", s, events=11, n=25)
    return log(11 / 14), 1 / 11 + 1 / 14


@case("events and n", kind=PROPORTION, arm_1_data="0/93", arm_2_data="NA")
def no_event_in_one_arm(b, s):
    b.trial(s, design="single-arm", eligible_for="single-arm")
    b.events("ldn", s, events=0, n=93)
    return log(0.5 / 93.5), 1 / 0.5 + 1 / 93.5


@case("percentage with n", kind=PROPORTION, events_1=12)
def percentage_of_one_arm(b, s):
    b.trial(s, design="single-arm", eligible_for="single-arm")
    b.events("ldn", s, percent="25.5", n=47)
    return log(12 / 35), 1 / 12 + 1 / 35


@case(
    "event counts over equal time",
    measure="IRR",
    unit="log rate ratio",
    is_paired=True,
    is_approximate=True,
    arm_1_data="8 events",
    n_1=nan,
)
def events_of_a_crossover_counted_as_events(b, s):
    b.trial(s, design="crossover")
    b.events("ldn", s, events=8, counted="events", timepoint_weeks=6)
    b.events("placebo", s, events=52, counted="events", timepoint_weeks=6)
    return log(8 / 52), 1 / 8 + 1 / 52


def percent_changes(b, s, **spread):
    b.trial(s, design="crossover", n_analysed=28)
    b.outcome(f"{s}-vas", scale_max=100, unit="mm (0-100)")
    vas = {"outcome_id": f"{s}-vas", "n": 28}
    b.stats("ldn", s, **vas, statistic_of="baseline", timepoint_weeks=0, mean="50.8")
    # Periods of unequal length: the words say that it is the same moment of both.
    same = vas | {"statistic_of": "percent change", "timepoint": "end of condition"}
    b.stats("ldn", s, **same, timepoint_weeks=12, mean="-28.8", **spread.get("ldn", {}))
    b.stats("placebo", s, **same, timepoint_weeks=4, mean="-18.0", **spread.get("placebo", {}))


@case(
    "percent changes with exact p, times baseline",
    df=27,
    n_1=28,
    is_approximate=True,
    is_paired=True,
    arm_1_data="-28.8%",
    arm_data_is="percent change",
)
def percentages_of_change_with_p(b, s):
    percent_changes(b, s)
    b.contrast(
        s,
        outcome_id=f"{s}-vas",
        is_paired="yes",
        measure="percent point difference",
        p_value="0.016",
        p_relation="=",
        n_2="NA",
    )
    return -10.8 * 0.508 / 10, (se_of_p(10.8, 0.016, 27) * 0.508 / 10) ** 2


@case("percent changes with CI, correlation assumed, times baseline", is_approximate=True)
def percentages_of_change_with_intervals(b, s):
    low = {"ci_low": "-38.1", "ci_high": "-19.5", "ci_level": 0.95}
    high = {"ci_low": "-28.8", "ci_high": "-7.2", "ci_level": 0.95}
    percent_changes(b, s, ldn=low, placebo=high)
    se_1, se_2 = 18.6 / (2 * Z), 21.6 / (2 * Z)
    return (
        -10.8 * 0.508 / 10,
        (se_1**2 + se_2**2 - 2 * 0.6 * se_1 * se_2) * (0.508 / 10) ** 2,
    )


@case("percent changes with exact p, times baseline", df=60, is_paired=False)
def percentages_of_change_of_two_groups(b, s):
    # Two groups that chance made alike: the mean of their two starts.
    b.trial(s, n=(30, 32))
    for arm, start, change in (("ldn", "6.0", "-30.0"), ("placebo", "7.0", "-10.0")):
        b.stats(arm, s, statistic_of="baseline", timepoint_weeks=0, mean=start)
        b.stats(arm, s, statistic_of="percent change", mean=change)
    b.contrast(s, measure="statement", p_value="0.020", p_relation="=")
    return -20 * 6.5 / 100, (se_of_p(20, 0.02, 60) * 6.5 / 100) ** 2


@pytest.fixture(scope="module")
def routed(tmp_path_factory, raw_folder, protocol):
    """All cases in one set of tables: a study each."""
    build = Builder(tmp_path_factory.mktemp("routes") / "raw", raw_folder)
    by_hand = {
        name: SimpleNamespace(effect=built(build, entry.build, name), entry=entry)
        for name, entry in CASES.items()
    }
    effects, left_out = normalise(build.load(), protocol)
    return by_hand, effects, left_out


def test_every_route_has_a_case():
    assert {entry.route for entry in CASES.values()} | set(WITH_BORROWED_ERROR) == set(ROUTES)


def test_changes_with_the_error_of_a_difference_of_end_levels(build, protocol):
    build.trial("levels", n=(47, 49))
    build.outcome("vas", scale_max=100, unit="mm (0-100)")
    vas = {"outcome_id": "vas"}
    printed = {"p_value": "0.236", "p_relation": "=", "estimand": "end level"}
    build.contrast("levels", estimate="4.9", **vas, **printed)
    build.stats("ldn", "levels", mean="-3.3", **vas)
    build.stats("placebo", "levels", mean="-6.4", **vas)
    effects, left_out = normalise(build.load(), protocol)
    stated, borrowed = effects.sort_values("route_rank").to_dict("records")
    assert (stated["estimand"], borrowed["estimand"]) == ("end level", "change from baseline")
    assert borrowed["route"] == "arm changes, error of the printed difference"
    assert (stated["yi"], borrowed["yi"]) == pytest.approx((0.49, 0.31))
    assert borrowed["sei"] == pytest.approx(se_of_p(0.49, 0.236, 94))
    assert (borrowed["df"], borrowed["is_approximate"]) == (94, True)
    assert "assumed to be known as well" in borrowed["assumptions"]
    assert (stated["is_selected"], borrowed["is_selected"]) == (True, False)
    assert left_out.empty


def test_end_levels_worked_out_from_changes_and_starts(build, protocol):
    build.trial("changes", n=(49, 50))
    build.contrast(
        "changes", **interval("-0.34", "-0.95", "0.27"), estimand="change from baseline"
    )
    for arm, start, change in (("ldn", "6.3", "-1.3"), ("placebo", "6.2", "-0.9")):
        build.stats(arm, "changes", statistic_of="baseline", timepoint_weeks=0, mean=start)
        build.stats(arm, "changes", mean=change)
    effects, _ = normalise(build.load(), protocol)
    (found,) = effects[effects["route"].isin(WITH_BORROWED_ERROR)].to_dict("records")
    assert found["estimand"] == "end level"
    assert found["yi"] == pytest.approx((6.3 - 1.3) - (6.2 - 0.9))
    assert found["sei"] == pytest.approx(1.22 / (2 * Z))
    assert (found["arm_1_data"], found["arm_2_data"]) == ("5.0", "5.3")
    assert "worked out with their means at the start" in found["assumptions"]


@pytest.mark.parametrize("estimand", ["not stated", "change from baseline"])
def test_nothing_is_borrowed_for_the_same_kind_or_an_unknown_one(build, protocol, estimand):
    build.trial("same", n=(49, 50))
    build.contrast("same", **interval("-0.34", "-0.95", "0.27"), estimand=estimand)
    build.stats("ldn", "same", mean="-1.3")
    build.stats("placebo", "same", mean="-0.9")
    effects, _ = normalise(build.load(), protocol)
    assert effects["route"].to_list() == ["difference with CI"]


@pytest.mark.parametrize("name", CASES)
def test_effect_and_variance_by_hand(routed, name):
    by_hand, effects, _ = routed
    (row,) = effects[effects["study_id"] == name.replace("_", "-")].to_dict("records")
    entry, (yi, vi) = by_hand[name].entry, by_hand[name].effect
    assert row["route"] == entry.route
    assert row["yi"] == pytest.approx(yi, rel=1e-12)
    assert row["vi"] == pytest.approx(vi, rel=1e-10)
    assert row["sei"] == pytest.approx(sqrt(vi), rel=1e-10)
    df = entry.also["df"]
    reach = sqrt(vi) * (norm.ppf(0.975) if isnan(df) else t.ppf(0.975, df))
    low, high = entry.own or (yi - reach, yi + reach)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high), rel=1e-9)
    told = "normal" if isnan(df) else f"t on {df} df"
    assert row["ci_from"] == ("as printed" if entry.own else told)
    for column, expected in entry.also.items():
        assert row[column] == pytest.approx(expected, nan_ok=True), column


def test_p_of_exactly_five_per_cent_puts_a_limit_on_nought(build, protocol):
    # The limit on no difference is 0 itself, not what rounding leaves on one side of it.
    build.trial("edge")
    build.contrast("edge", estimate="-2.40", p_value="0.050", p_relation="=", n_1=30, n_2=31)
    effects, _ = normalise(build.load(), protocol)
    (row,) = effects.to_dict("records")
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(-4.8), 0.0)


def test_interval_that_another_text_prints_is_the_interval_of_an_exact_p(build, protocol):
    # Same estimate, comparison and time: the paper's own interval, not one computed again.
    build.trial("twice", n=(47, 49))
    build.contrast("twice", estimate="0.49", p_value="0.236", p_relation="=")
    build.contrast("twice", **interval("0.49", "-0.32", "1.31"), preferred="no")
    build.contrast("twice", **interval("0.13", "-0.72", "0.97"), timepoint_weeks=26)
    effects, _ = normalise(build.load(), protocol)
    by_p = effects[effects["route"] == "difference with exact p"].iloc[0]
    assert (by_p["ci_low"], by_p["ci_high"], by_p["df"]) == (-0.32, 1.31, 94)
    assert by_p["sei"] == pytest.approx(se_of_p(0.49, 0.236, 94))


def test_assumptions_are_in_words(routed):
    _, effects, _ = routed
    words = effects.set_index("study_id")["assumptions"]
    assert words["difference-with-interval"] == "interval as printed, read as normal at level 0.95"
    assert words["a-hundred-points-are-ten"].endswith("moved linearly from 0-100 to points (0-10)")
    assert words["pairs-lose-one-degree-of-freedom"] == (
        "two-sided p from a paired t statistic on 27 df"
    )
    assert words["difference-with-p-and-people-of-the-arms"].endswith("a t statistic on 94 df")
    assert "normal statistic" in words["a-normal-statistic-when-nobody-says-how-many"]
    assert "correlation of 0.6" in words["periods-of-a-crossover"]
    assert "baseline not adjusted for" in words["end-values-on-a-hundred-points"]
    assert words["percentages-with-one-possible-count"] == (
        "20 is the only count of 44 that rounds to 45%; "
        "13 is the only count of 46 that rounds to 28%"
    )
    assert "0.5 added to every cell" in words["an-empty-cell-adds-half-to-all-four"]
    assert "0.5 added to every cell" in words["an-event-in-everybody-of-one-arm"]
    assert "unpaired (conservative)" in words["people-of-a-crossover-as-if-unpaired"]
    assert words["events-and-people"] == "none"


def test_every_row_of_every_case_is_used(routed):
    _, effects, left_out = routed
    assert len(effects) == len(CASES)
    assert left_out.empty, left_out


LEFT_OUT = {}
NO_RESULT = "no result of LDN against anything"


def gives_none(reason, usable_for, kind):
    """Register a study that gives no effect; it returns the addresses to look at."""

    def register(function):
        LEFT_OUT[function.__name__] = (function, reason, usable_for, kind)
        return function

    return register


# Rows of contrasts.csv of a plain trial that give no effect: why, what they are good for, what of.
CONTRASTS = dict(cases("contrasts_left_out"))


def contrast(**cells):
    return lambda b, s: b.contrast(s, **cells)


def stats(arm, **cells):
    return lambda b, s: b.stats(arm, s, **cells)


def events(arm, **cells):
    return lambda b, s: b.events(arm, s, **cells)


def beside(*parts):
    """Rows and arms of the study that are not looked at."""

    def add(b, s):
        for part in parts:
            part(b, s)

    return add


def left_out(*parts):
    return lambda b, s: [address for part in parts if (address := part(b, s)) is not None]


for name, (reason, usable_for, kind, *rows) in CONTRASTS.items():
    LEFT_OUT[name] = (left_out(*(contrast(**row) for row in rows)), reason, usable_for, kind)

INTERVAL = interval("-1.0", "-2.0", "0.0")
SPREAD = {"n": 40, "mean": "-2.0", "sd": "2.5"}
LOW = {"reliability": "low"}
START = {"statistic_of": "baseline", "timepoint_weeks": 0}
PERCENT = {"statistic_of": "percent change"}
P = {"measure": "statement", "p_value": "0.012", "p_relation": "=", "n_1": 30, "n_2": 30}
COUNTED = {"counted": "events"}
WHOLE = COUNTED | {"timepoint": "whole condition"}
NO_SPREAD = "a change without its spread or without a comparison"
NO_START = "a percentage of change without the mean at the start"
COARSE = "p and its difference are printed too coarsely"
NO_TIME = "events are counted, not people, and the time at risk is not reported"


def further_arm(b, s):
    b.arm(s, "opioid", 3, 50)


# The same of rows of any table.
ROWS = {
    "an_excluded_study": (
        "study excluded: wrong drug", "none", SET_ASIDE,
        beside(lambda b, s: b.trial(
            s, eligible_for="excluded", eligibility_reason="wrong drug")),
        contrast(**INTERVAL), stats("ldn", **SPREAD), events("ldn", events=20, n=49)),
    "rows_of_low_reliability": (
        "low reliability", "none", SET_ASIDE,
        contrast(**INTERVAL, **LOW), stats("ldn", **SPREAD, **LOW),
        events("ldn", events=20, n=49, **LOW)),
    "an_interval_of_no_width": (
        "the printed numbers give an effect without a variance above nought", "direction",
        CONTRAST, contrast(**(INTERVAL | {"ci_low": "-1.0", "ci_high": "-1.0"})),
        stats("ldn", n=40, mean="-2.0", sd="0"), stats("placebo", n=40, mean="-1.0", sd="0")),
    "a_change_on_placebo": (
        "a change in an arm that the question does not compare", "none", NO_RESULT,
        lambda b, s: b.contrast(
            s, arm_1=f"{s}-placebo", arm_2="NA", is_paired="yes", **INTERVAL)),
    "a_further_arm_against_placebo": (
        "a comparison with an arm that the question does not compare", "none", NO_RESULT,
        further_arm, lambda b, s: b.contrast(s, arm_1=f"{s}-opioid", **INTERVAL)),
    "results_of_a_further_arm": (
        "a further arm that the question does not compare", "none", NO_RESULT,
        further_arm, stats("opioid", **SPREAD), events("opioid", events=20, n=49)),
    "means_before_treatment": (
        "describes the people at the start", "none", NO_RESULT,
        stats("ldn", **START, n=40, mean="6", sd="2"),
        stats("placebo", **START, n=40, mean="6", sd="2")),
    "a_change_of_one_arm": (NO_SPREAD, "direction", ONE_ARM, stats("ldn", **SPREAD)),
    "changes_without_spread": (
        NO_SPREAD, "direction", CONTRAST, stats("ldn", **SPREAD),
        stats("placebo", n=40, mean="-1.0", unlabelled_spread="2.0")),
    "one_mean_of_two": (
        "the other arm has no mean", "none", CONTRAST,
        stats("ldn", **SPREAD), beside(stats("placebo", n=40, median="-1.0"))),
    "two_medians": (
        "no mean is printed", "none", CONTRAST,
        stats("ldn", n=40, median="-2.0"), stats("placebo", n=40, median="-1.0")),
    "means_of_one_digit_with_p": (
        COARSE, "p-value", CONTRAST, stats("ldn", n=30, mean="-4"),
        stats("placebo", n=30, mean="-1"), beside(contrast(**P))),
    # One rounding, of 5%, would pass; the difference of two is known to 10%.
    "two_means_are_rounded_twice": (
        COARSE, "p-value", CONTRAST, stats("ldn", n=30, mean="-2.1"),
        stats("placebo", n=30, mean="-1.1"), beside(contrast(**P))),
    "percentages_without_a_start": (
        NO_START, "direction", CONTRAST, stats("ldn", **PERCENT, n=30, mean="-30.0", sd="20"),
        stats("placebo", **PERCENT, n=30, mean="-10.0", sd="20")),
    "percentages_with_a_start_that_is_not_preferred": (
        NO_START, "direction", CONTRAST,
        beside(stats("ldn", **START, mean="6.0", preferred="no",
                     preferred_reason="superseded")),
        stats("ldn", **PERCENT, mean="-30.0"), stats("placebo", **PERCENT, mean="-10.0")),
    "percentages_without_spread": (
        "a percentage of change without its spread", "direction", CONTRAST,
        beside(stats("ldn", **START, mean="6.0")),
        stats("ldn", **PERCENT, mean="-30.0"), stats("placebo", **PERCENT, mean="-10.0")),
    "fewer_people_at_the_end": (
        "not the same people at the start and at the end", "direction", ONE_ARM,
        beside(stats("ldn", **START, n=40, mean="7", sd="2")),
        stats("ldn", statistic_of="end", n=31, mean="6", sd="2")),
    "a_start_from_another_source": (
        "an end value without a comparison", "direction", ONE_ARM,
        beside(lambda b, s: b.add("sources", source_id=f"{s}-review"),
               lambda b, s: b.stats("ldn", s, **START, n=31, mean="7", sd="2",
                                    source_id=f"{s}-review")),
        stats("ldn", statistic_of="end", n=31, mean="6", sd="2")),
    "percentages_of_nobody_knows_how_many": (
        "the denominator is not reported", "direction", CONTRAST,
        events("ldn", percent="88"), events("placebo", percent="40")),
    "one_denominator_of_two": (
        "the other arm: the denominator is not reported", "direction", CONTRAST,
        events("ldn", events=17, n=20), beside(events("placebo", events=8))),
    "several_counts_fit_a_percentage": (
        "several counts of 210 people round to 50%", "direction", CONTRAST,
        events("ldn", percent="50", n=210), beside(events("placebo", events=50, n=200))),
    "no_count_fits_a_percentage": (
        "no count of 10 people rounds to 33%", "direction", CONTRAST,
        events("ldn", percent="33", n=10), beside(events("placebo", events=5, n=20))),
    "several_counts_in_one_arm": (
        "several counts of 210 people round to 50%", "none", ONE_ARM,
        events("ldn", percent="50", n=210)),
    "only_the_comparator": (
        "the source gives no number for the LDN arm", "none", NO_RESULT,
        events("placebo", events=5, n=20)),
    "events_of_two_groups": (
        NO_TIME, "direction", CONTRAST, events("ldn", events=5, n=20, **COUNTED),
        events("placebo", events=9, n=20, **COUNTED)),
    "events_of_periods_that_differ_in_length": (
        NO_TIME, "direction", CONTRAST, beside(lambda b, s: b.trial(s, design="crossover")),
        events("ldn", events=5, timepoint_weeks=12, **WHOLE),
        events("placebo", events=9, timepoint_weeks=4, **WHOLE)),
    "counted_events_of_one_arm": (
        "events are counted, not people", "none", ONE_ARM,
        events("ldn", events=5, n=20, **COUNTED)),
}  # fmt: skip
for name, (reason, usable_for, kind, *parts) in ROWS.items():
    LEFT_OUT[name] = (left_out(*parts), reason, usable_for, kind)


@gives_none("a change without its spread or without a comparison", "direction", CONTRAST)
def a_p_that_is_not_theirs(b, s):
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


@gives_none("a change without its spread or without a comparison", "direction", ONE_ARM)
def arms_of_different_reports(b, s):
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
    rows = {name: built(build, entry[0], name) for name, entry in LEFT_OUT.items()}
    effects, left_out = normalise(build.load(), protocol)
    return rows, effects, left_out.assign(address=left_out["table"] + ":" + left_out["row_id"])


@pytest.mark.parametrize("name", LEFT_OUT)
def test_reason_use_and_kind(refused, name):
    rows, _, left_out = refused
    _, reason, usable_for, kind = LEFT_OUT[name]
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
    build.contrast(**interval("-1.0", "-2.0", "0.0"), n_1=30, n_2=30)
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
    build.contrast(**interval("-1.0", "-2.0", "0.0"))
    build.contrast(measure="statement")
    evidence = build.load()
    effects, left_out = normalise(evidence, protocol)
    assert check_accounting(evidence, effects, left_out) == (1, 1)
    with pytest.raises(AccountingError, match=r"neither: \['contrasts:row-2'\]"):
        check_accounting(evidence, effects, left_out[:0])
    both = left_out.assign(row_id="row-1")
    with pytest.raises(AccountingError, match=r"both: \['contrasts:row-1'\]"):
        check_accounting(evidence, effects, both)
