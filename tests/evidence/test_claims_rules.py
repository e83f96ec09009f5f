"""The rule of every verdict, on cases made for it: what turns it, in both directions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.evidence.audit.claim_material import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Material,
    Span,
    printed_numbers,
    prints_as,
)
from ldn_meta.evidence.audit.claims import answered, misfit_of_p
from ldn_meta.evidence.audit.claims_reviews import verdict_on
from ldn_meta.evidence.effects.effects import normalise


@pytest.fixture
def judge(build, protocol):
    """The finding on one claim of the built evidence."""
    build.add("sources", source_id="review", year=2020)

    def of(claim_id="claim", *, computation, **cells):
        build.add("claims", claim_id=claim_id, computation=computation, **cells)
        evidence = build.load()
        effects, left_out = normalise(evidence, protocol)
        material = Material(evidence, protocol, effects, left_out)
        return answered(material.claims[claim_id], material)

    return of


OURS_LOW, OURS_NONE = Span(-0.5, -0.8, -0.2), Span(0.0, -0.6, 0.6)


@pytest.mark.parametrize(
    ("theirs", "ours", "effect", "verdict"),
    [
        # A difference is claimed: same side and inside, same side alone, inside alone, neither.
        (Span(-0.4, -0.7, -0.1), OURS_LOW, True, SUPPORTED),
        (Span(-0.9, -1.1, -0.7), OURS_LOW, True, WITH_CAVEATS),
        (Span(-0.4, -0.9, 0.0), Span(-0.1, -0.6, 0.4), True, WITH_CAVEATS),
        (Span(-0.4, -0.7, -0.1), OURS_NONE, True, NOT_SUPPORTED),
        (Span(0.4, 0.1, 0.7), OURS_LOW, True, NOT_SUPPORTED),
        # None is claimed: we see none either and both agree, or not, or we see one.
        (Span(0.1, -0.5, 0.7), OURS_NONE, False, SUPPORTED),
        (Span(0.8, -0.1, 1.7), OURS_NONE, False, WITH_CAVEATS),
        (Span(-0.1, -0.6, 0.4), OURS_LOW, False, NOT_SUPPORTED),
        # Words only: the sides of no difference are all there is.
        (None, OURS_LOW, True, WITH_CAVEATS),
        (None, OURS_NONE, True, NOT_SUPPORTED),
        (None, OURS_NONE, False, WITH_CAVEATS),
        (None, OURS_LOW, False, NOT_SUPPORTED),
    ],
)
def test_a_published_pool_by_our_interval(theirs, ours, effect, verdict):
    assert verdict_on(theirs, ours, claims_effect=effect) == verdict


@given(
    st.floats(-5, 5), st.floats(0.01, 5), st.floats(-5, 5), st.floats(0.01, 5), st.booleans()
)  # fmt: skip
def test_turning_both_signs_turns_no_verdict(theirs, half, ours, our_half, effect):
    here = Span(theirs, theirs - half, theirs + half)
    there = Span(ours, ours - our_half, ours + our_half)
    turned = [Span(-s.estimate, -s.high, -s.low) for s in (here, there)]
    assert verdict_on(here, there, claims_effect=effect) == verdict_on(
        *turned, claims_effect=effect
    )


def pool_of(build, *effects):
    for place, (estimate, low, high, year) in enumerate(effects):
        name = f"trial{place}"
        build.trial(name, n=(50, 50), year=year)
        build.contrast(name, estimate=estimate, ci_low=low, ci_high=high, ci_level=0.95)


def test_pools_then_and_now(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010), ("-1.2", "-1.6", "-0.8", 2020))
    cells = {"measure": "MD", "estimate": "-1.1", "ci_low": "-1.4", "ci_high": "-0.8"}
    found = judge(computation="compare-pool:pain_intensity", **cells)
    assert found.verdict == SUPPORTED
    assert found.numbers["newest"] == 2020
    assert (found.numbers["then"], found.numbers["then_k"]) == pytest.approx((-1.0, 1))
    assert (found.numbers["now"], found.numbers["now_k"]) == pytest.approx((-1.1, 2))
    assert "Our interval now excludes no difference." in found.sentence


def test_a_pool_without_standard_deviations_compares_sides_only(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010), ("-1.2", "-1.6", "-0.8", 2020))
    cells = {"measure": "SMD", "estimate": "-0.5", "ci_low": "-0.7", "ci_high": "-0.3"}
    found = judge(computation="compare-pool:pain_intensity", **cells)
    assert found.verdict == WITH_CAVEATS
    assert "No standard deviation is on file" in found.sentence
    for arm, sd in (("ldn", "2.0"), ("placebo", "4.0")):
        build.stats(
            arm, "trial0", statistic_of="baseline", timepoint_weeks=0, mean="6.0", sd=sd
        )  # fmt: skip
    found = judge("again", computation="compare-pool:pain_intensity", **cells)
    assert found.numbers["sd"] == pytest.approx(math.sqrt((4 + 16) / 2))
    # -0.55 at the smallest SD lies inside, -0.28 at the largest outside: ways disagree.
    assert (found.numbers["now_sd_low"], found.numbers["now_sd_high"]) == pytest.approx(
        (-0.55, -0.275)
    )
    assert found.verdict == WITH_CAVEATS


def test_no_effect_on_file_or_another_quantity(build, judge):
    found = judge(computation="compare-pool:pain_intensity", measure="MD", estimate="-1")
    assert found.verdict == CANNOT_BE_TESTED
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010), ("-1.2", "-1.6", "-0.8", 2020))
    found = judge(
        "rate",
        computation="compare-pool:pain_intensity",
        measure="IRR",
        estimate="1.4",
        ci_low="1.1",
        ci_high="1.8",
    )
    assert found.verdict == CANNOT_BE_TESTED


@pytest.mark.parametrize(
    ("estimate", "ci", "verdict"),
    [("0.1", ("-0.4", "0.6"), WITH_CAVEATS), ("0.3", ("-0.5", "1.1"), NOT_SUPPORTED)],
)
def test_equivalence_within_and_beyond_what_matters(build, judge, estimate, ci, verdict):
    build.trial(design="crossover")
    build.contrast(
        estimate=estimate, ci_low=ci[0], ci_high=ci[1], ci_level=0.95, n_1=20, is_paired="yes"
    )
    found = judge(computation="equivalence", study_id="ames2001")
    assert found.verdict == verdict
    assert found.numbers["margin"] == float(ci[1])
    assert ("But no margin" in found.sentence) == (verdict == WITH_CAVEATS)
    # Nothing that is printed for that trial is needed beyond the interval.
    assert judge("none", computation="equivalence", study_id="NA").verdict == CANNOT_BE_TESTED


@pytest.mark.parametrize(("second", "verdict"), [(40, WITH_CAVEATS), (12, NOT_SUPPORTED)])
def test_event_rates_that_repeated_counting_can_or_cannot_explain(build, judge, second, verdict):
    build.trial(design="crossover", n=(30, 30), n_randomised=30)
    build.outcome("ae", construct="adverse_event_count", domain="harm", benefit_sign=-1)
    for arm, events in (("ldn", 8), ("placebo", second)):
        build.events(arm, outcome_id="ae", events=events, counted="events")
    for qualifier, weeks in (("each period", 6), ("between visits", 3)):
        build.add(
            "study_facts", row_id=f"f{weeks}", study_id="ames2001", fact="duration",
            qualifier=qualifier, value=weeks, preferred="yes", reliability="normal",
            source_id="paper",
        )  # fmt: skip
    found = judge(computation="event-rates", study_id="ames2001")
    assert found.verdict == verdict
    assert found.numbers["visits"] == 2
    half = 1.959964 * math.sqrt(2 * (1 / 8 + 1 / second))
    assert found.numbers["wide_high"] == pytest.approx(8 / second * math.exp(half), rel=1e-5)


def size(build, fact, value, source="paper", preferred="yes", **cells):
    rows = len(build.rows["study_facts"])
    build.add(
        "study_facts", row_id=f"s{rows}", study_id="ames2001", fact=fact, value=value,
        qualifier="NA", source_id=source, preferred=preferred, reliability="normal", **cells,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("people", "verdict"),
    [(40, SUPPORTED), (36, WITH_CAVEATS), (34, WITH_CAVEATS), (35, NOT_SUPPORTED)],
)
def test_people_of_a_trial(build, judge, people, verdict):
    build.trial()
    build.add("sources", source_id="digest")
    size(build, "n_randomised", 40)
    size(build, "n_completed", 36)
    size(build, "n_randomised", 34, source="digest", preferred="no")
    # The claim's own row is no second witness.
    size(build, "n_randomised", 35, source="review", preferred="no")
    found = judge(computation="n-in-sources", study_id="ames2001", n=people)
    assert found.verdict == verdict
    assert found.numbers["n_randomised"] == 40


def test_people_nobody_else_counts(build, judge):
    build.trial()
    size(build, "n_randomised", 40, source="review")
    found = judge(computation="n-in-sources", study_id="ames2001", n=40)
    assert found.verdict == CANNOT_BE_TESTED


@pytest.mark.parametrize(
    ("row", "relation", "verdict"),
    [
        ({"p_relation": "ns"}, "ns", SUPPORTED),
        ({"p_relation": "sig"}, "ns", NOT_SUPPORTED),
        ({"p_relation": "sig"}, "sig", SUPPORTED),
        ({"p_relation": "=", "p_value": "0.049"}, "ns", NOT_SUPPORTED),
        ({"p_relation": "=", "p_value": "0.051"}, "ns", SUPPORTED),
        ({"p_relation": "<", "p_value": "0.001"}, "sig", SUPPORTED),
        ({"direction": "no difference"}, "ns", SUPPORTED),
        ({"direction": "favours treatment"}, "ns", NOT_SUPPORTED),
        ({"direction": "not stated"}, "ns", CANNOT_BE_TESTED),
        ({"source_id": "review", "p_relation": "ns"}, "ns", CANNOT_BE_TESTED),
        ({"reliability": "low", "p_relation": "sig"}, "ns", CANNOT_BE_TESTED),
    ],
)
def test_a_direction_by_the_closest_other_text(build, judge, row, relation, verdict):
    build.trial()
    build.contrast(**({"measure": "statement"} | row))
    found = judge(
        computation="direction-in-sources",
        study_id="ames2001",
        construct="pain_intensity",
        p_relation=relation,
    )
    assert found.verdict == verdict


def test_the_closest_text_speaks_first(build, judge):
    build.trial()
    build.contrast(measure="statement", p_relation="sig", read_from="press", preferred="no")
    build.contrast(measure="statement", p_relation="ns", read_from="abstract")
    found = judge(
        computation="direction-in-sources",
        study_id="ames2001",
        construct="pain_intensity",
        p_relation="ns",
    )
    assert found.verdict == SUPPORTED


@pytest.mark.parametrize(
    ("there", "tier", "verdict"),
    [
        (7, "press", SUPPORTED),
        (8, "press", WITH_CAVEATS),
        (8, "abstract", WITH_CAVEATS),
        (8, "full text", NOT_SUPPORTED),
    ],
)
def test_the_same_fact_in_two_texts(build, judge, there, tier, verdict):
    build.add("claims", claim_id="other", k=there, read_from=tier, computation="same-fact:claim")
    found = judge(computation="same-fact:other", k=7, read_from="abstract", as_reported="7")
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [((3, 4), SUPPORTED), ((3, 5), WITH_CAVEATS), ((3, 3), NOT_SUPPORTED)],
)
def test_parts_of_a_total(build, judge, parts, verdict):
    build.add("claims", claim_id="total", k=7, computation="same-fact:total")
    build.add("claims", claim_id="part", k=parts[0], computation="sums-to:total")
    found = judge(computation="sums-to:total", k=parts[1])
    assert found.verdict == verdict
    assert found.numbers["added"] == sum(parts)


def test_trials_on_file_up_to_the_year_of_the_review(build, judge):
    build.trial("early", year=2015)
    build.trial("late", year=2024)
    build.trial("cohort", year=2015, is_randomised="no")
    assert judge("two", computation="trials-on-file", k=2).verdict == CANNOT_BE_TESTED
    found = judge("one", computation="trials-on-file", k=1)
    assert found.verdict == WITH_CAVEATS
    assert "beside cohort, not randomised" in found.sentence


@pytest.mark.parametrize(
    ("percent", "verdict"), [(78, SUPPORTED), (44, SUPPORTED), (70, NOT_SUPPORTED)]
)
def test_percentages_of_nine_studies(judge, percent, verdict):
    assert judge(computation="percent-of-k", k=9, estimate=percent).verdict == verdict


@pytest.mark.parametrize(
    ("is_randomised", "value", "verdict"),
    [("yes", "2.0", SUPPORTED), ("no", "2.0", WITH_CAVEATS), ("yes", "25.0", NOT_SUPPORTED)],
)
def test_a_number_needed_to_treat(build, judge, is_randomised, value, verdict):
    build.trial(is_randomised=is_randomised)
    size(build, "n_arm_1", 60)
    size(build, "n_arm_2", 60)
    found = judge(
        computation="nnt", study_id="ames2001", measure="NNT", estimate=value, as_reported=value
    )
    assert found.verdict == verdict
    # Two of 60 people more are a number of 30.0, three 20.0: nothing prints as 25.0.
    assert (found.numbers["pairs"] == 0) == (value == "25.0")


def trials_of(build, *directions):
    build.outcome("impact", construct="disease_impact")
    for place, direction in enumerate(directions):
        build.trial(f"trial{place}", year=2010 + place)
        build.contrast(
            f"trial{place}", measure="statement", outcome_id="impact", direction=direction,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("directions", "verdict"),
    [
        (("favours treatment", "no difference"), WITH_CAVEATS),
        (("no difference", "favours comparator"), NOT_SUPPORTED),
        ((), CANNOT_BE_TESTED),
    ],
)
def test_promise_without_a_pool(build, judge, directions, verdict):
    trials_of(build, *directions)
    assert judge(computation="benefit-on-file").verdict == verdict


def test_promise_by_the_pool_of_the_main_outcome(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010), ("-1.2", "-1.6", "-0.8", 2020))
    assert judge(computation="benefit-on-file").verdict == SUPPORTED
    assert judge("none", computation="no-benefit-on-file").verdict == NOT_SUPPORTED


def test_promise_that_the_pool_does_not_bear_out(build, judge):
    pool_of(build, ("-0.3", "-0.9", "0.3", 2010), ("0.3", "-0.3", "0.9", 2020))
    assert judge(computation="benefit-on-file").verdict == NOT_SUPPORTED
    assert judge("none", computation="no-benefit-on-file").verdict == SUPPORTED


def test_a_direction_with_a_large_p_is_no_difference(build, judge):
    build.outcome("impact", construct="disease_impact")
    build.trial("trial0")
    build.contrast(
        "trial0", measure="statement", outcome_id="impact", direction="favours treatment",
        p_value="0.30", p_relation="=",
    )  # fmt: skip
    found = judge(computation="benefit-on-file")
    assert found.verdict == NOT_SUPPORTED
    assert found.numbers["none"] == 1


@pytest.mark.parametrize(
    ("events", "verdict"),
    [((30, 30), WITH_CAVEATS), ((40, 12), NOT_SUPPORTED), (None, CANNOT_BE_TESTED)],
)
def test_safety_by_people_with_events(build, judge, events, verdict):
    build.outcome("any_ae", construct="any_adverse_event", domain="harm", benefit_sign=-1)
    build.trial(n=(60, 60))
    for arm, count in zip(("ldn", "placebo"), events or (), strict=False):
        build.events(arm, outcome_id="any_ae", events=count, n=60)
    assert judge(computation="safety-on-file").verdict == verdict


@pytest.mark.parametrize(
    ("early", "later", "verdict"),
    [
        ("favours treatment", True, SUPPORTED),
        ("no difference", True, NOT_SUPPORTED),
        ("favours treatment", False, CANNOT_BE_TESTED),
    ],
)
def test_onset_needs_an_early_and_a_later_comparison(build, judge, early, later, verdict):
    build.trial()
    build.contrast(measure="statement", timepoint_weeks=3, direction=early)
    if later:
        build.contrast(measure="statement", timepoint_weeks=12, direction="favours treatment")
    assert judge(computation="onset").verdict == verdict


@pytest.mark.parametrize(("claimed", "verdict"), [("4.5", SUPPORTED), ("3", NOT_SUPPORTED)])
def test_the_usual_dose(build, judge, claimed, verdict):
    for name, dose in (("one", "4.5"), ("two", "4.5"), ("three", "3")):
        build.trial(name, dose_low_mg_per_day=dose, dose_high_mg_per_day=dose)
    assert judge(computation="usual-dose", estimate=claimed).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [("1", "9", SUPPORTED), ("1", "5", WITH_CAVEATS), ("1", "2", NOT_SUPPORTED)],
)
def test_a_range_of_doses(build, judge, low, high, verdict):
    for name, dose in (("one", "4.5"), ("two", "3"), ("three", "9")):
        build.trial(name, dose_low_mg_per_day=dose, dose_high_mg_per_day=dose)
    found = judge(computation="dose-range", ci_low=low, ci_high=high)
    assert found.verdict == verdict


def up_and_down(build, *, events, people, highest):
    build.trial(design="up-and-down", dose_low_mg_per_day="1", dose_high_mg_per_day=highest)
    build.outcome("responder_own_rule", construct="responder_own_rule", domain="responder")
    build.events(outcome_id="responder_own_rule", events=events, n=people)
    for fact, qualifier, value in (
        ("dose", "step", "1"),
        ("ed95", "NA", "5.0"),
        ("ed50", "NA", "3.0"),
    ):
        rows = len(build.rows["study_facts"])
        build.add(
            "study_facts", row_id=f"d{rows}", study_id="ames2001", fact=fact, qualifier=qualifier,
            value=value, preferred="yes", reliability="normal", source_id="paper",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("share", "dose", "high", "people", "highest", "verdict"),
    [
        # Enough people and an interval inside the doses: still no comparison group.
        ("ed95", "5.0", "5.8", 80, "6", WITH_CAVEATS),
        ("ed95", "5.0", "6.2", 80, "6", NOT_SUPPORTED),
        ("ed95", "5.0", "5.8", 25, "6", NOT_SUPPORTED),
        ("ed50", "3.0", "3.8", 25, "6", WITH_CAVEATS),
        ("ed50", "3.3", "3.8", 25, "6", CANNOT_BE_TESTED),
    ],
)
def test_an_effective_dose(build, judge, share, dose, high, people, highest, verdict):
    up_and_down(build, events=people // 2, people=people, highest=highest)
    found = judge(
        computation=f"effective-dose:{share}",
        study_id="ames2001",
        measure="dose",
        estimate=dose,
        ci_low="2.0",
        ci_high=high,
    )
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("numbers", "fits"),
    [
        (("-0.34", "-0.62", "-0.06", "0.0186", 2), True),
        (("0.67", "-4.69", "6.02", "0.35", 2), True),
        (("-0.11", "-0.96", "0.74", "0.31", 2), False),
        (("-0.46", "-0.85", "-0.06", "0.02", 2), True),
        (("-0.46", "-0.85", "-0.06", "0.20", 2), False),
    ],
)
def test_a_printed_p_and_its_interval(numbers, fits):
    estimate, low, high, p, _ = numbers
    claim = {
        "measure": "SMD",
        "estimate": float(estimate),
        "ci_low": float(low),
        "ci_high": float(high),
        "p_value": float(p),
        "p_relation": "=",
        "k": 7,
        "as_reported": f"d = {estimate} ({low} to {high}); P = {p}",
    }
    assert (misfit_of_p(claim) is None) == fits
    assert misfit_of_p({**claim, "p_relation": "<"}) is None


@given(st.floats(-3, 3), st.floats(0.05, 1), st.integers(2, 25))
def test_a_p_that_was_computed_and_rounded_always_fits(estimate, se, k):
    from scipy.stats import t

    half = t.ppf(0.975, k - 1) * se
    p = 2 * t.sf(abs(estimate) / se, k - 1)
    shown = [f"{value:.2f}" for value in (estimate, estimate - half, estimate + half)]
    claim = {
        "measure": "MD",
        "p_relation": "=",
        "k": k,
        **dict(zip(("estimate", "ci_low", "ci_high"), map(float, shown), strict=True)),
        "p_value": round(p, 3),
        "as_reported": f"{shown[0]} ({shown[1]} to {shown[2]}); P = {p:.3f}",
    }
    assert misfit_of_p(claim) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("-37.8% vs -4.3%; P < .001", ["-37.8", "-4.3", "0.001"]),
        ("3.88 mg; 3.39-4.35; 25", ["3.88", "3.39", "4.35", "25"]),
        ("26; 4,960", ["26", "4960"]),
        ("NR", []),
        (None, []),
    ],
)
def test_numbers_as_printed(text, numbers):
    assert printed_numbers(text) == numbers


def test_rounding_to_what_is_printed():
    assert prints_as(1.64, "1.6")
    assert prints_as(-0.92, "0.9")
    assert not prints_as(1.5, "1.6")
    assert not prints_as(math.nan, "0")
