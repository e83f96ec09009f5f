"""Every claim is tested by its rule; headline numbers worked out a second time by hand."""

import itertools
import math
import re
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact, t
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.audit.claim_material import (
    Material,
    Span,
    at_best_with_caveats,
    more_cautious,
    numbers_of,
    numbers_text,
    printed_numbers,
    prints_as,
)
from ldn_meta.evidence.audit.claim_rules import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    VERDICTS,
    WITH_CAVEATS,
)
from ldn_meta.evidence.audit.claims import COLUMNS, COMPUTATIONS, answered, misfit_of_p, rules_of
from ldn_meta.evidence.audit.claims_reviews import verdict_on
from ldn_meta.evidence.effects.effects import normalise

# -- all claims

NUMBER = re.compile(r"(?<![\w.])-?\d(?:[\d,]*\d)?(?:\.\d+)?")
# Words with digits in them: level, scales, years and names of sources, thresholds by name.
NAMES = re.compile(
    r"95% CI|at 5%|at 30%|at 50%|points of 0-100?|points \(0-10\)|0-100? scale|scale of 0-10"
    r"|(?:19|20)\d\d|nct\d+|[a-z]+\d{4}-\w+|empr-aapm2012"
)


@pytest.fixture(scope="module")
def claims(tables):
    return tables["claims"]


@pytest.fixture(scope="module")
def rules(evidence):
    return rules_of(evidence)


@pytest.fixture(scope="module")
def material(evidence, protocol, effects, left_out):
    return Material(Answers(evidence, protocol, effects, left_out))


def test_every_claim_has_one_row_with_a_verdict(claims, evidence):
    assert list(claims.columns) == list(COLUMNS)
    assert list(claims["claim_id"]) == list(evidence.text["claims"]["claim_id"])
    assert set(claims["verdict"]) == set(VERDICTS)
    assert (claims["sentence"].str.len() > 20).all()
    assert not claims["sentence"].str.contains(r"[{}]|\bnan\b|\bNR\b|not known").any()


def test_every_number_of_a_sentence_is_filed(claims):
    for row in claims.to_dict("records"):
        values = list(numbers_of(row["numbers"]).values())
        for number in NUMBER.findall(NAMES.sub(" ", row["sentence"])):
            digits = len(number.partition(".")[2])
            stated = float(number.replace(",", ""))
            near = [
                v
                for v in values
                if abs(round(v, digits) - stated) < 0.6 * 10.0**-digits
                or abs(100 * v - stated) <= 0.501 * 10.0**-digits
            ]
            assert near, f"{row['claim_id']}: {number} of {row['sentence']!r} is not filed"


def test_the_check_on_numbers_can_fail():
    assert NUMBER.findall(NAMES.sub(" ", "a share of 44% (95% CI 27%) in Ames 2001, 0-10 scale"))
    assert not NUMBER.findall(NAMES.sub(" ", "Ames 2001 (95% CI) on the 0-10 scale"))


def test_every_computation_is_used_and_states_its_rule(claims, rules):
    used = set(claims["computation"].str.partition(":")[0])
    assert used == set(rules.rules)
    assert {rule.computes for rule in rules.rules.values()} == set(COMPUTATIONS)
    for name, rule in rules.rules.items():
        assert rule.question.endswith("."), name
        assert rule.told.startswith("Verdict"), name


def test_every_reason_is_used(claims, rules):
    named = claims.loc[claims["computation"].str.startswith("not-testable:"), "computation"]
    assert set(named.str.partition(":")[2]) == set(rules.rules["not-testable"].sentences)


def test_the_same_claim_kind_has_the_same_rule_whatever_the_source(claims):
    # The two answers on dose and the two on amitriptyline: one computation, one verdict each.
    for name in ("effective-dose:ed95", "equivalence"):
        rows = claims[claims["computation"] == name]
        assert len(rows) == 2
        assert rows["verdict"].nunique() == 1


def test_what_is_not_on_file_cannot_be_answered(material, rules):
    claim = material.claims["radi-jfp-martin-nnt"]
    found = answered({**claim, "study_id": "smith2011"}, material, rules)
    assert found.verdict == CANNOT_BE_TESTED
    assert found.sentence == "Not on file: n arm 1 of smith2011."
    found = answered({**claim, "study_id": None}, material, rules)
    assert "one study that the claim rests on" in found.sentence
    with pytest.raises(ArgumentError, match="'ntt' is not allowed; allowed: agrees-with-source"):
        answered({**claim, "computation": "ntt"}, material, rules)


def test_only_one_printed_p_cannot_belong_to_its_interval(claims):
    remarked = claims["sentence"].str.contains("does not fit the printed interval")
    assert list(claims.loc[remarked, "claim_id"]) == ["hegde2025-pain-all"]


# -- the rule of every verdict, on cases made for it


@pytest.fixture
def judge_all(build, protocol):
    """The findings on claims of the built evidence, in order."""
    build.add("sources", source_id="review", year=2020)

    def of(*claims):
        names = []
        for place, cells in enumerate(claims):
            row = {"claim_id": f"claim{place}", **cells}
            build.add("claims", **row)
            names.append(row["claim_id"])
        evidence = build.load()
        effects, left_out = normalise(evidence, protocol)
        material = Material(Answers(evidence, protocol, effects, left_out))
        rules = rules_of(evidence)
        return [answered(material.claims[name], material, rules) for name in names]

    return of


@pytest.fixture
def judge(judge_all):
    """The finding on one claim."""
    return lambda claim_id="claim", **cells: judge_all({"claim_id": claim_id, **cells})[0]


def verdicts_of(found):
    return [one.verdict for one in found]


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


def fact(build, name, value, study="ames2001", **cells):
    row = {"qualifier": "NA", "source_id": "paper", "preferred": "yes", "reliability": "normal"}
    row |= {"row_id": f"fact{len(build.rows['study_facts'])}", "study_id": study, "fact": name}
    build.add("study_facts", **(row | {"value": value} | cells))


def test_event_rates_that_repeated_counting_can_or_cannot_explain(build, judge_all):
    build.outcome("ae", construct="adverse_event_count", domain="harm", benefit_sign=-1)
    seconds = {"ames2001": 40, "bell2002": 12}
    for study, second in seconds.items():
        build.trial(study, design="crossover", n=(30, 30), n_randomised=30)
        for arm, events in (("ldn", 8), ("placebo", second)):
            build.events(arm, study, outcome_id="ae", events=events, counted="events")
        for qualifier, weeks in (("each period", 6), ("between visits", 3)):
            fact(build, "duration", weeks, study, qualifier=qualifier)
    found = judge_all(*({"computation": "event-rates", "study_id": study} for study in seconds))
    assert verdicts_of(found) == [WITH_CAVEATS, NOT_SUPPORTED]
    for one, second in zip(found, seconds.values(), strict=True):
        assert one.numbers["visits"] == 2
        half = 1.959964 * math.sqrt(2 * (1 / 8 + 1 / second))
        assert one.numbers["wide_high"] == pytest.approx(8 / second * math.exp(half), rel=1e-5)


def test_people_of_a_trial(build, judge_all):
    build.trial()
    build.add("sources", source_id="digest")
    fact(build, "n_randomised", 40)
    fact(build, "n_completed", 36)
    fact(build, "n_randomised", 34, source_id="digest", preferred="no")
    # The claim's own row is no second witness.
    fact(build, "n_randomised", 35, source_id="review", preferred="no")
    claim = {"computation": "n-in-sources", "study_id": "ames2001"}
    found = judge_all(*(claim | {"n": people} for people in (40, 36, 34, 35)))
    assert verdicts_of(found) == [SUPPORTED, WITH_CAVEATS, WITH_CAVEATS, NOT_SUPPORTED]
    assert {one.numbers["n_randomised"] for one in found} == {40}


def test_people_nobody_else_counts(build, judge):
    build.trial()
    fact(build, "n_randomised", 40, source_id="review")
    found = judge(computation="n-in-sources", study_id="ames2001", n=40)
    assert found.verdict == CANNOT_BE_TESTED


# What another text says of a result, what is claimed of it, and the verdict.
OTHER_TEXTS = [
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
]
DIRECTION = {"computation": "direction-in-sources", "construct": "pain_intensity"}


def test_a_direction_by_the_closest_other_text(build, judge_all):
    claims = []
    for place, (row, relation, _) in enumerate(OTHER_TEXTS):
        build.trial(f"trial{place}")
        build.contrast(f"trial{place}", **({"measure": "statement"} | row))
        claims.append(DIRECTION | {"study_id": f"trial{place}", "p_relation": relation})
    assert verdicts_of(judge_all(*claims)) == [verdict for *_, verdict in OTHER_TEXTS]


def test_the_closest_text_speaks_first(build, judge):
    build.trial()
    build.contrast(measure="statement", p_relation="sig", read_from="press", preferred="no")
    build.contrast(measure="statement", p_relation="ns", read_from="abstract")
    assert judge(**DIRECTION, study_id="ames2001", p_relation="ns").verdict == SUPPORTED


def test_the_same_fact_in_two_texts(build, judge_all):
    texts = [
        (7, "press", SUPPORTED),
        (8, "press", WITH_CAVEATS),
        (8, "abstract", WITH_CAVEATS),
        (8, "full text", NOT_SUPPORTED),
    ]
    same = {"k": 7, "read_from": "abstract", "as_reported": "7"}
    claims = []
    for place, (there, tier, _) in enumerate(texts):
        other = {"claim_id": f"other{place}", "k": there, "read_from": tier}
        build.add("claims", **other, computation=f"same-fact:claim{place}")
        claims.append({"computation": f"same-fact:other{place}", **same})
    assert verdicts_of(judge_all(*claims)) == [verdict for *_, verdict in texts]


def test_parts_of_a_total(build, judge_all):
    last = {4: SUPPORTED, 5: WITH_CAVEATS, 3: NOT_SUPPORTED}
    for k in last:
        build.add("claims", claim_id=f"total{k}", k=7, computation=f"same-fact:total{k}")
        build.add("claims", claim_id=f"part{k}", k=3, computation=f"sums-to:total{k}")
    found = judge_all(*({"computation": f"sums-to:total{k}", "k": k} for k in last))
    assert verdicts_of(found) == list(last.values())
    assert [one.numbers["added"] for one in found] == [3 + k for k in last]


def test_trials_on_file_up_to_the_year_of_the_review(build, judge):
    build.trial("early", year=2015)
    build.trial("late", year=2024)
    build.trial("cohort", year=2015, is_randomised="no")
    assert judge("two", computation="trials-on-file", k=2).verdict == CANNOT_BE_TESTED
    found = judge("one", computation="trials-on-file", k=1)
    assert found.verdict == WITH_CAVEATS
    assert "beside cohort, not randomised" in found.sentence


def test_percentages_of_nine_studies(judge_all):
    claim = {"computation": "percent-of-k", "k": 9}
    found = judge_all(*(claim | {"estimate": percent} for percent in (78, 44, 70)))
    assert verdicts_of(found) == [SUPPORTED, SUPPORTED, NOT_SUPPORTED]


def test_a_number_needed_to_treat(build, judge_all):
    cases = {
        "ames2001": ("yes", "2.0", SUPPORTED),
        "bell2002": ("no", "2.0", WITH_CAVEATS),
        "chow2003": ("yes", "25.0", NOT_SUPPORTED),
    }
    claims = []
    for study, (is_randomised, value, _) in cases.items():
        build.trial(study, is_randomised=is_randomised)
        fact(build, "n_arm_1", 60, study)
        fact(build, "n_arm_2", 60, study)
        claim = {"computation": "nnt", "study_id": study, "measure": "NNT"}
        claims.append(claim | {"estimate": value, "as_reported": value})
    found = judge_all(*claims)
    assert verdicts_of(found) == [verdict for *_, verdict in cases.values()]
    # Two of 60 people more are a number of 30.0, three 20.0: nothing prints as 25.0.
    assert [one.numbers["pairs"] == 0 for one in found] == [False, False, True]


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


def trials_by_dose(build, *doses):
    for place, dose in enumerate(doses):
        build.trial(f"trial{place}", dose_low_mg_per_day=dose, dose_high_mg_per_day=dose)


def test_the_usual_dose(build, judge_all):
    trials_by_dose(build, "4.5", "4.5", "3")
    usual = {"computation": "usual-dose"}
    found = judge_all(usual | {"estimate": "4.5"}, usual | {"estimate": "3"})
    assert verdicts_of(found) == [SUPPORTED, NOT_SUPPORTED]


def test_a_range_of_doses(build, judge_all):
    trials_by_dose(build, "4.5", "3", "9")
    doses = {"computation": "dose-range", "ci_low": "1"}
    found = judge_all(*(doses | {"ci_high": high} for high in ("9", "5", "2")))
    assert verdicts_of(found) == [SUPPORTED, WITH_CAVEATS, NOT_SUPPORTED]


EFFECTIVE_DOSES = [
    # Enough people and an interval inside the doses: still no comparison group.
    ("ed95", "5.0", "5.8", 80, WITH_CAVEATS),
    ("ed95", "5.0", "6.2", 80, NOT_SUPPORTED),
    ("ed95", "5.0", "5.8", 25, NOT_SUPPORTED),
    ("ed50", "3.0", "3.8", 25, WITH_CAVEATS),
    ("ed50", "3.3", "3.8", 25, CANNOT_BE_TESTED),
]


def test_an_effective_dose(build, judge_all):
    build.outcome("responder_own_rule", construct="responder_own_rule", domain="responder")
    doses = {"dose_low_mg_per_day": "1", "dose_high_mg_per_day": "6"}
    claims = []
    for place, (share, dose, high, people, _) in enumerate(EFFECTIVE_DOSES):
        study = f"trial{place}"
        build.trial(study, design="up-and-down", **doses)
        events = {"outcome_id": "responder_own_rule", "events": people // 2, "n": people}
        build.events("ldn", study, **events)
        fact(build, "dose", "1", study, qualifier="step")
        fact(build, "ed95", "5.0", study)
        fact(build, "ed50", "3.0", study)
        claim = {"computation": f"effective-dose:{share}", "study_id": study, "measure": "dose"}
        claims.append(claim | {"estimate": dose, "ci_low": "2.0", "ci_high": high})
    assert verdicts_of(judge_all(*claims)) == [verdict for *_, verdict in EFFECTIVE_DOSES]


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


# -- headline claims by hand

Z = NormalDist().inv_cdf(0.975)


@pytest.fixture(scope="module")
def claim(tables):
    rows = tables["claims"].set_index("claim_id")

    def of(key):
        row = rows.loc[key]
        return row["verdict"], numbers_of(row["numbers"]), row["sentence"]

    return of


def ratio_interval(estimate, se):
    return math.exp(estimate - Z * se), math.exp(estimate + Z * se)


def log_rr(a, n, c, m):
    return math.log((a / n) / (c / m)), math.sqrt(1 / a - 1 / n + 1 / c - 1 / m)


def near(value, rel=1e-4):
    return pytest.approx(value, rel=rel)


def test_dose_for_95_percent(claim):
    verdict, n, sentence = claim("radi-jfp-ed95-answer")
    assert verdict == NOT_SUPPORTED
    # Eleven of 25 are what the design gives, not a share with an interval.
    assert (n["design_low"], n["design_high"]) == near((0.397159, 0.581968))
    assert "Wilson" not in sentence.partition("An effective dose")[0]
    assert "no rate and no argument about this dose" in sentence
    # Doses 0.75, 1.5, ..., 6.0: only the last reaches 5.4.
    assert (n["tried"], n["above"], n["highest"]) == (8, 1, 6)
    assert (n["low"], n["high"]) == (4.66, 6.13)
    # The lower Wilson limit of n of n is n / (n + z^2).
    assert n["everybody"] == near(25 / (25 + Z**2))
    needed = next(m for m in itertools.count(1) if m / (m + Z**2) >= 0.95)
    assert n["needed"] == needed == 73
    assert "no placebo group" in sentence
    assert "reaches above the highest dose tried, 6 mg" in sentence


def test_dose_for_half_stays_within_the_doses_tried(claim):
    verdict, n, sentence = claim("radi-jfp-bp-ed50")
    assert verdict == WITH_CAVEATS
    assert (n["dose"], n["low"], n["high"]) == (3.88, 3.39, 4.35)
    assert "stays within the doses tried" in sentence


def test_as_effective_as_amitriptyline(claim):
    verdict, n, _ = claim("radi-jfp-as-effective")
    assert verdict == WITH_CAVEATS
    assert (n["estimate"], n["low"], n["high"], n["mid"], n["people"]) == (
        1.5, -1.11, 4.13, 10, 67,
    )  # fmt: skip
    assert n["margin"] == 4.13
    se = (4.13 + 1.11) / (2 * Z)
    assert n["narrow"] == near(1.5 + NormalDist().inv_cdf(0.95) * se)
    assert n["spread"] == near(se * math.sqrt(67))
    # Differences on a scale of 0-10 lie between -10 and 10: their SD is at most 10.08 in 67.
    assert n["spread"] > 10 * math.sqrt(67 / 66)


def test_superior_safety(claim):
    verdict, n, sentence = claim("radi-jfp-superior-safety")
    assert verdict == WITH_CAVEATS
    estimate, se = math.log(8 / 52), math.sqrt(1 / 8 + 1 / 52)
    low, high = ratio_interval(estimate, se)
    assert (n["ratio"], n["low"], n["high"]) == near((8 / 52, low, high))
    # Visits every two of six weeks: one complaint can be counted three times.
    wide_low, wide_high = ratio_interval(estimate, se * math.sqrt(3))
    assert (n["visits"], n["wide_low"], n["wide_high"]) == near((3, wide_low, wide_high))
    assert n["limit"] == near((estimate / (Z * se)) ** 2)
    # One person more or fewer than needed.
    assert n["needed"] == 18
    for people, excludes in ((17, False), (18, True)):
        effect, error = log_rr(8, 67, people, 67)
        assert (effect + Z * error < 0) == excludes
    assert "Events are not people" in sentence


def test_number_needed_to_treat(claim):
    verdict, n, _ = claim("radi-jfp-martin-nnt")
    assert verdict == WITH_CAVEATS
    # 3.2 is 3.15 to 3.25 rounded, or anything above 3.1 rounded up.
    pairs = [
        (a, c) for a in range(37) for c in range(43) if 1 / 3.25 <= a / 36 - c / 42 <= 1 / 3.1
    ]
    assert n["pairs"] == len(pairs) == 17
    limits = [
        confint_proportions_2indep(a, 36, c, 42, method="newcomb", compare="diff")
        for a, c in pairs
    ]
    assert n["low"] == near(min(low for low, _ in limits))
    assert n["high"] == near(max(high for _, high in limits))
    assert (n["best"], n["worst"]) == near((1 / n["high"], 1 / n["low"]))
    assert n["away"] == 17


def test_percentages_within_a_cohort(claim):
    for key, claimed in (("radi-jfp-inflammatory-32", 32), ("radi-jfp-neuropathic-44", 44)):
        verdict, n, _ = claim(key)
        assert verdict == CANNOT_BE_TESTED
        assert n["claimed"] == claimed
        # (36 - k) 32 + k 44 = 36 * 37.8 within rounding: k from 15.75 to 19.05.
        assert (n["fewest"], n["most"]) == (16, 19)
        assert n["points"] == near(0.378 * 6.09)
        assert (n["stopped_low"], n["stopped_high"]) == near((0.36, 27 / 31))
        assert n["diluted_low"] == near(0.64 * 37.8 + 0.36 * 4.3)
        assert n["p_neuropathic_value"] == 0.048
    verdict, _, sentence = claim("radi-jfp-martin-title")
    assert verdict == WITH_CAVEATS
    assert "an association, not an effect of the drug" in sentence


@pytest.mark.parametrize(
    ("key", "one", "two", "p", "pair"),
    [
        ("reis2025-smith2011-response", 88, 40, 0.009, (14, 16, 6, 15)),
        ("cochrane-cd010410-2018-endoscopy", 78, 28, 0.008, (14, 18, 5, 18)),
    ],
)
def test_percentages_without_denominators(claim, key, one, two, p, pair):
    verdict, n, _ = claim(key)
    assert verdict == WITH_CAVEATS

    def printed(percent):
        # Half up or half to even: no tie occurs among groups of at most 20 for these.
        return [
            (x, m) for m in range(1, 21) for x in range(m + 1) if round(100 * x / m) == percent
        ]

    possible = [(a, m, c, k) for (a, m), (c, k) in itertools.product(printed(one), printed(two))]
    assert n["possible"] == len(possible)
    fitting = []
    for a, m, c, k in possible:
        table = [[a, m - a], [c, k - c]]
        tests = (
            fisher_exact(table).pvalue,
            chi2_contingency(table, correction=True).pvalue,
            chi2_contingency(table, correction=False).pvalue,
        )
        if any(abs(value - p) <= 0.0005 for value in tests):
            fitting.append((a, m, c, k))
    assert fitting == [pair]
    assert (n["fitting"], n["events_1"], n["n_1"], n["events_2"], n["n_2"]) == (1, *pair)
    estimate, se = log_rr(*pair)
    low, high = ratio_interval(estimate, se)
    assert (n["rr_low"], n["limit_low"], n["limit_high"]) == near((math.exp(estimate), low, high))
    # Neither size that sources give, 34 or 40, is the sum of two arms that print both.
    sums = {m + k for _, m, _, k in possible}
    assert not {34, 40} & sums
    a, _, c, k = pair
    assert n["worst_low"] == near((a / 20) / ((c + 20 - k) / 20))


def test_what_if_responders_are_added_up(claim):
    verdict, n, sentence = claim("bruun2026-responder-slip")
    assert verdict == CANNOT_BE_TESTED
    for key, table in (
        ("at_30", (20, 49, 13, 50)),
        ("at_50", (12, 49, 7, 50)),
        ("sum", (32, 49, 20, 50)),
    ):
        a, m, c, k = table
        estimate, se = log_rr(*table)
        low, high = ratio_interval(estimate, se)
        assert (n[f"{key}_rr"], n[f"{key}_rr_low"], n[f"{key}_rr_high"]) == near(
            (math.exp(estimate), low, high)
        )
        odds = math.log(a * (k - c) / (c * (m - a)))
        error = math.sqrt(1 / a + 1 / (m - a) + 1 / c + 1 / (k - c))
        low, high = ratio_interval(odds, error)
        assert (n[f"{key}_or"], n[f"{key}_or_low"], n[f"{key}_or_high"]) == near(
            (math.exp(odds), low, high)
        )
        # With INNOVA's 5 of 47 against 9 of 49: REML for two trials in closed form.
        other, other_se = log_rr(5, 47, 9, 49)
        v1, v2 = se**2, other_se**2
        tau2 = max(0.0, ((estimate - other) ** 2 - v1 - v2) / 2)
        w1, w2 = 1 / (v1 + tau2), 1 / (v2 + tau2)
        mean = (w1 * estimate + w2 * other) / (w1 + w2)
        low, high = ratio_interval(mean, 1 / math.sqrt(w1 + w2))
        assert (n[f"{key}_pool"], n[f"{key}_pool_low"], n[f"{key}_pool_high"]) == near(
            (math.exp(mean), low, high), rel=1e-3
        )
    assert "Neither count alone gives an interval that excludes no difference" in sentence
    assert "says nothing about what anybody did" in sentence


def test_published_pools_in_points(claim):
    verdict, n, sentence = claim("vatvani2024-pain")
    assert verdict == NOT_SUPPORTED
    assert (n["then"], n["then_low"], n["then_high"], n["then_k"]) == near((-0.34, -0.95, 0.27, 1))
    # Younger 2013 (-0.549, SE 0.2135) and FINAL (-0.34, SE 0.3112) agree: tau2 is nought.
    weights = 1 / 0.213464**2, 1 / 0.311230**2
    mean = -(0.54864 * weights[0] + 0.34 * weights[1]) / sum(weights)
    assert n["then_approximate"] == near(mean, rel=1e-3)
    assert n["then_approximate_high"] == near(mean + Z / math.sqrt(sum(weights)), rel=1e-2)
    assert (n["now"], n["now_k"]) == near((0.0316706, 2))
    assert "outside the published interval, the published estimate outside ours" in sentence
    # The women-only review is outside by the protocol, inside with approximated effects; but no
    # interval of ours shows the difference that it prints.
    verdict, n, sentence = claim("bibliomed-303821-pain")
    assert verdict == NOT_SUPPORTED
    assert not -0.85 <= n["now"] <= -0.06
    assert -0.85 <= n["now_approximate"] <= -0.06
    assert "(inside it with approximated effects)" in sentence


def test_published_pools_in_standard_deviations(claim):
    verdicts = {}
    for key in (
        "nazir2025-pain", "nazir2025-pain-sensitivity", "ologunowa2025-pain", "rizwan2025-pain",
        "hegde2025-pain-fibromyalgia", "bruun2026-pain-12wk",
    ):  # fmt: skip
        verdicts[key], n, _ = claim(key)
        # Baseline SDs of the four arms: 1.3 and 1.6 in FINAL, 1.55 and 1.66 in INNOVA.
        typical = math.sqrt((1.3**2 + 1.6**2 + 1.55**2 + 1.66**2) / 4)
        assert (n["sd"], n["sd_low"], n["sd_high"]) == near((typical, 1.3, 2.26))
        assert n["now"] == near(0.0316706 / typical)
        assert n["now_sd_high"] == near(0.0316706 / 2.26)
        assert n["then"] == near(-0.34 / typical)
    assert verdicts == {
        "nazir2025-pain": NOT_SUPPORTED,
        "nazir2025-pain-sensitivity": NOT_SUPPORTED,
        "ologunowa2025-pain": WITH_CAVEATS,
        "rizwan2025-pain": NOT_SUPPORTED,
        "hegde2025-pain-fibromyalgia": NOT_SUPPORTED,
        "bruun2026-pain-12wk": SUPPORTED,
    }


def test_the_printed_p_beside_all_comparators(claim):
    verdict, n, _ = claim("hegde2025-pain-all")
    assert verdict == WITH_CAVEATS
    # Seven trials: t on six degrees of freedom; two trials, the largest estimate, the narrowest
    # interval that round to what is printed give the smallest P.
    se = (0.74 + 0.96) / 2 / t.ppf(0.975, 6)
    assert n["p_of_k"] == near(2 * t.sf(0.11 / se, 6))
    narrow = ((0.735 + 0.955) / 2) / t.ppf(0.975, 1)
    assert n["p_low"] == near(2 * t.sf(0.115 / narrow, 1))
    assert n["p_low"] > 0.32


@pytest.mark.parametrize(
    ("key", "verdict", "people"),
    [
        ("reis2025-bested2023-n", NOT_SUPPORTED, {"n_randomised": 58}),
        ("reis2025-younger2013-n", NOT_SUPPORTED, {"n_randomised": 31, "n_analysed": 28}),
        ("reis2025-smith2011-n", WITH_CAVEATS, {"n_enrolled": 40}),
        ("reis2025-cree2010-n", WITH_CAVEATS, {"n_enrolled": 80, "n_completed": 60}),
        ("reis2025-duebruun2024-n", SUPPORTED, {"n_randomised": 99}),
        ("cochrane-cd010410-2018-child-n", SUPPORTED, {"n_randomised": 12, "n_enrolled": 14}),
    ],
)
def test_numbers_of_people(claim, key, verdict, people):
    found, n, _ = claim(key)
    assert found == verdict
    assert {name: n[name] for name in people} == people


def test_what_the_sources_say_of_multiple_sclerosis(claim):
    verdict, n, sentence = claim("reis2025-cree2010-physical-pain")
    assert verdict == NOT_SUPPORTED
    assert (n["pain_interference_estimate"], n["pain_interference_p"]) == (-1.6, 0.04)
    assert "physical quality of life: no difference" in sentence
    # A difference that was there before treatment is none of the drug.
    verdict, n, sentence = claim("reis2025-sharafaddinzadeh2010-qol")
    assert verdict == WITH_CAVEATS
    assert (n["agreeing"], n["contradicting"], n["constructs"]) == (10, 0, 11)
    assert "health perception: difference, but at baseline as well" in sentence


def test_the_per_protocol_result_is_named_as_one(claim):
    verdict, n, _ = claim("radi-jfp-pdn-md")
    assert verdict == WITH_CAVEATS
    assert (n["itt"], n["itt_low"], n["itt_high"]) == (1.5, -1.11, 4.13)
    # P = 0.21 stands in no other source but follows from 1.64 (-0.92 to 4.20).
    se = (4.20 + 0.92) / (2 * Z)
    assert 2 * NormalDist().cdf(-1.64 / se) == pytest.approx(0.21, abs=0.005)
    assert (n["found"], n["printed"]) == (5, 5)


def test_a_fall_on_placebo_that_was_left_out(claim):
    verdict, n, sentence = claim("reis2025-younger2013-reduction")
    assert verdict == WITH_CAVEATS
    assert (n["ldn"], n["placebo"]) == (28.8, 18)
    assert (n["difference"], n["share"]) == near((10.8, 18 / 28.8))
    assert "which the claim leaves out" in sentence
    verdict, n, sentence = claim("reis2025-younger2013-responders")
    assert verdict == WITH_CAVEATS
    # 57% is 17 of 30 and 16 of 28, but no whole number of 29 or 31.
    assert "no whole number of 29 or 31 people" in sentence
    assert [x for x in range(30) if round(100 * x / 29) == 57] == []


def test_harms_beside_the_reviews(claim):
    verdict, n, _ = claim("nazir2025-vivid-dreams")
    assert verdict == WITH_CAVEATS
    # 37% of 28 to 31 women is 11 of 30 alone; 13% is 4 of 30 or of 31.
    fits = {
        percent: [
            (x, m) for m in range(28, 32) for x in range(m + 1) if round(100 * x / m) == percent
        ]
        for percent in (37, 13)
    }
    assert fits == {37: [(11, 30)], 13: [(4, 30), (4, 31)]}
    assert n["pairs"] == 2
    assert (n["ratio_low"], n["ratio_high"]) == near(((11 / 30) / (4 / 30), (11 / 30) / (4 / 31)))
    verdict, n, sentence = claim("hegde2025-ae-placebo")
    assert verdict == CANNOT_BE_TESTED
    assert "More events in no more people is possible" in sentence
    assert (n["estimate"], n["k"]) == (1.4, 2)
    verdict, n, _ = claim("reis2025-tolerated")
    assert verdict == WITH_CAVEATS
    assert (n["any_1"], n["n_1"], n["any_2"], n["n_2"]) == (41 + 33, 49 + 48, 43 + 36, 50 + 50)
    # FINAL counts serious events of any cause: none of 49. INNOVA counts unexpected ones only.
    assert n["upper"] == near(proportion_confint(0, 49, method="wilson")[1])


def test_four_trials_with_222_people(claim):
    verdict, n, sentence = claim("vatvani2024-size")
    assert verdict == WITH_CAVEATS
    assert n["ways"] == 2
    assert 99 + 52 + 43 + 28 == 222 == 99 + 85 + 28 + 10
    assert "Bested 2023 52" in sentence
    assert "Younger & Mackey 2009 10" in sentence


def test_parts_and_totals_of_reviews(claim):
    verdict, n, _ = claim("bolton2019-dose-50")
    assert verdict == WITH_CAVEATS
    assert (n["parts"], n["added"], n["total"]) == (5, 5 + 7 + 61 + 12 + 8, 89)
    verdict, n, _ = claim("soin2021-k-case")
    assert verdict == SUPPORTED
    assert (n["parts"], n["added"]) == (6, 11 + 10 + 3 + 2 + 2 + 1)
    assert claim("univadis-bolton2019-size")[0] == NOT_SUPPORTED
    assert claim("bolton2019-size")[0] == WITH_CAVEATS


def test_no_conclusion_from_studies_without_a_randomised_placebo_group(claim):
    verdict, n, _ = claim("radi-jfp-overall")
    assert verdict == NOT_SUPPORTED
    assert (n["cited"], n["placebo"], n["active"], n["controlled"], n["alone"]) == (3, 0, 1, 1, 1)
    assert claim("reis2025-promise-fibromyalgia")[0] == NOT_SUPPORTED
    assert claim("reis2025-promise-ms")[0] == WITH_CAVEATS
    assert claim("reis2025-promise-crps")[0] == CANNOT_BE_TESTED


# -- findings


def test_numbers_are_read_back_as_they_were_filed():
    numbers = {"a": 1 / 3, "b": math.nan, "c": -12.0, "d": math.inf}
    back = numbers_of(numbers_text(numbers))
    assert list(back) == list(numbers)
    assert back["a"] == pytest.approx(1 / 3, rel=1e-5)
    assert math.isnan(back["b"])
    assert (back["c"], back["d"]) == (-12.0, math.inf)
    assert numbers_of("") == {}


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([NOT_SUPPORTED], NOT_SUPPORTED),
        ([SUPPORTED, NOT_SUPPORTED], WITH_CAVEATS),
        ([SUPPORTED, WITH_CAVEATS], WITH_CAVEATS),
        ([NOT_SUPPORTED, CANNOT_BE_TESTED], NOT_SUPPORTED),
        ([CANNOT_BE_TESTED], CANNOT_BE_TESTED),
        ([], CANNOT_BE_TESTED),
    ],
)
def test_ways_that_disagree_leave_a_caveat(verdicts, together):
    assert more_cautious(verdicts) == together


def test_only_supported_is_taken_back():
    taken = [at_best_with_caveats(verdict) for verdict in VERDICTS]
    assert taken == [WITH_CAVEATS, WITH_CAVEATS, NOT_SUPPORTED, CANNOT_BE_TESTED]
