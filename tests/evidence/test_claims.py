"""Every claim is tested by its rule; headline numbers worked out a second time by hand."""

import itertools
import math
import re
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact, t
from statsmodels.stats.proportion import proportion_confint

from bayes_by_hand import ByHand
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.audit.claim_material import (
    EITHER,
    EXCLUDED,
    SHOWN,
    Claimed,
    Material,
    Span,
    judged,
    numbers_of,
    numbers_text,
    printed_numbers,
    prints_as,
    together,
)
from ldn_meta.evidence.audit.claims import (
    COLUMNS,
    COMPUTATIONS,
    answered,
    claims_table,
    misfit_of_p,
    rules_of,
)
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.raw.review import (
    CANNOT_BE_TESTED,
    COMPATIBLE,
    CONTRADICTED,
    SUPPORTED,
    VERDICTS,
    WITH_CAVEATS,
)

# -- all claims

NUMBER = re.compile(r"(?<![\w.])-?\d(?:[\d,]*\d)?(?:\.\d+)?")
# Words with digits in them: level, scales, years and names of sources, thresholds by name.
NAMES = re.compile(
    r"95% CI|at 5%|at 30%|at 50%|of scale [\d.]+|t on \d+ df|points of 0-100?"
    r"|points \(0-10\)|0-100? scale|scale of 0-10"
    r"|n arm \d|occupied after \d mg|period \d"
    r"|10\.\d{4}/\S+|(?:19|20)\d\d|nct\d+"
    r"|PMC\d+|PMID \d+|figshare \d+|CRD\d+|\S+\.pub\d|NCT\d+|[a-z]+\d{4}-\w+|empr-aapm2012"
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


def test_a_claim_without_a_test_says_what_would_test_it(claims, evidence):
    raw = evidence.text["claims"].set_index("claim_id")
    untested = raw["computation"].str.startswith("not-testable:")
    for column in ("missing", "likely_in"):
        assert ((raw[column] != "NA") == untested).all()
    told = claims.set_index("claim_id")["sentence"]
    for key, row in raw[untested].iterrows():
        assert told[key].endswith(f"Missing: {row['missing']}. Where: {row['likely_in']}.")
    # Whose list was not seen, is said with its table and an address.
    lists = raw[raw["computation"] == "not-testable:list-not-seen"]
    assert lists["missing"].str.startswith("the list of its studies").all()
    assert lists["likely_in"].str.contains("table|plots").all()


def test_a_claim_read_in_another_text_leads_there(evidence):
    raw = evidence.text["claims"].set_index("claim_id")
    elsewhere = raw[raw["read_in"] != raw["claimed_in"]]
    assert set(elsewhere["read_from"]) <= {"press", "transcription", "secondary review"}
    assert raw.loc["bolton2019-sae-rr", ["claimed_in", "read_in"]].to_list() == [
        "bolton2019",
        "univadis-bolton2019",
    ]


def test_what_is_said_of_no_study_is_set_beside_facts_of_any(build, judge):
    build.add("studies", study_id="kinetics")
    about = {"study_id": "kinetics", "fact": "other", "qualifier": "half-life"}
    build.add(
        "study_facts", row_id="half", value=4, unit="hours", as_reported="about 4 h",
        read_from="abstract", preferred="yes", **about,
    )  # fmt: skip
    asked = {"study_id": "NA", "computation": "said-of-study:other@half-life"}
    assert judge(as_reported="4 hours", **asked).verdict == SUPPORTED
    asked |= {"claim_id": "other", "read_from": "source document"}
    assert judge(as_reported="9 hours", **asked).verdict == CONTRADICTED


def test_the_same_claim_kind_has_the_same_rule_whatever_the_source(claims):
    # The two answers on dose and the two on amitriptyline: one computation, one verdict each.
    for name in ("effective-dose:ed95", "equivalence"):
        rows = claims[claims["computation"] == name]
        assert len(rows) == 2
        assert rows["verdict"].nunique() == 1


def test_what_is_not_on_file_cannot_be_answered(material, rules):
    claim = material.claims["reis2025-smith2011-response"]
    found = answered({**claim, "study_id": "martin2022"}, material, rules)
    assert found.verdict == CANNOT_BE_TESTED
    assert found.sentence == "Not on file: a percentage of both groups."
    found = answered({**claim, "study_id": None}, material, rules)
    assert "one study that the claim rests on" in found.sentence
    with pytest.raises(ArgumentError, match="'ntt' is not allowed; allowed: agrees-with-source"):
        answered({**claim, "computation": "ntt"}, material, rules)


@pytest.mark.parametrize(("source", "statements"), [("reis2025", 74), ("radi-jfp", 52)])
def test_every_statement_of_both_documents_is_on_file(claims, evidence, source, statements):
    raw = evidence.text["claims"]
    own = raw[raw["claimed_in"] == source]
    numbered = own.loc[own["statement"] != "NA", "statement"].astype(int)
    assert set(numbered) == set(range(1, statements + 1))
    # What has no number is a reference; every one of them has a verdict too.
    rest = own.loc[own["statement"] == "NA", "claim_id"]
    assert rest.str.contains("-reference-", regex=False).all()
    assert len(rest) == {"reis2025": 13, "radi-jfp": 3}[source]
    # Other sources are not counted in statements.
    assert set(raw.loc[~raw["claimed_in"].isin(["reis2025", "radi-jfp"]), "statement"]) == {"NA"}


# Named by an editor as wrong: verdict, and words of what was found.
NAMED = [
    ("reis2025-reference-1", CONTRADICTED, "10.1097/pr9.0000000000001080"),
    ("reis2025-no-receptor-study", CONTRADICTED, "Rabiner 2011"),
    ("reis2025-younger2013-similar-design", CONTRADICTED, "randomised yes, not no"),
    ("reis2025-younger2009-crossover", WITH_CAVEATS, "fixed-order crossover"),
    ("radi-jfp-martin-years", CONTRADICTED, "2014-2020"),
    ("radi-jfp-martin-subgroups", COMPATIBLE, "neuropathic pain seemed to gain more"),
    ("rassimariani2024-size-abstract", CANNOT_BE_TESTED, "count different things"),
    ("rassimariani2024-size-lay", CANNOT_BE_TESTED, "count different things"),
    ("reis2025-bested2023-no-opioids", SUPPORTED, "opioids at entry: 0"),
    ("reis2025-cree2010-no-new-dmt", SUPPORTED, "disease-modifying therapy started: 0"),
    ("reis2025-smith2011-no-opioids", CANNOT_BE_TESTED, "No other source"),
    ("reis2025-smith2011-severity", WITH_CAVEATS, "220"),
    ("reis2025-tolerated-dreams", COMPATIBLE, "11 of 30 against 4 of 30"),
    ("reis2025-tolerated-headache", COMPATIBLE, "5 of 31 against 1 of 29"),
    ("reis2025-dose-dependent", CANNOT_BE_TESTED, "harms by dose"),
    ("reis2025-bl-populations", SUPPORTED, "palliative"),
]


@pytest.mark.parametrize(("key", "verdict", "words"), NAMED)
def test_claims_that_an_editor_named(claim, key, verdict, words):
    found, _, sentence = claim(key)
    assert found == verdict
    assert words in sentence


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


LESS, NONE = Span(-0.5, -0.8, -0.2), Span(0.0, -0.6, 0.6)
DIFFERENCE, NO_DIFFERENCE = Claimed(True, -1.0), Claimed(False)


@pytest.mark.parametrize(
    ("claimed", "ours", "outcome"),
    [
        # A difference on this side: ours lies wholly on it, holds both, lies on the other.
        (DIFFERENCE, LESS, SHOWN),
        (DIFFERENCE, NONE, EITHER),
        (DIFFERENCE, Span(0.5, 0.2, 0.8), EXCLUDED),
        # A size is compared apart: it turns no verdict, whether ours holds it or not.
        (Claimed(True, -1.0, Span(-0.9, -1.1, -0.7)), LESS, SHOWN),
        (Claimed(True, -1.0, Span(-1.2, -1.5, -0.9)), LESS, SHOWN),
        (Claimed(True, -1.0, Span(-0.9, -1.1, -0.7)), NONE, EITHER),
        # No difference: ours lies inside what is unimportant, holds more, lies outside.
        (NO_DIFFERENCE, Span(0.1, -0.8, 0.9), SHOWN),
        (NO_DIFFERENCE, Span(0.1, -1.3, 1.5), EITHER),
        (NO_DIFFERENCE, Span(-0.9, -1.4, -0.4), EITHER),
        (NO_DIFFERENCE, Span(-1.9, -2.4, -1.4), EXCLUDED),
        # Unimportant and not nought: no difference that matters.
        (NO_DIFFERENCE, LESS, SHOWN),
        # Words without a side.
        (Claimed(True), LESS, SHOWN),
        (Claimed(True), NONE, EITHER),
        # Uncertainty: no difference in ours, and ours rated low; neither; one of them; not rated.
        (Claimed(False, is_unclear=True, is_poor=True), NONE, SHOWN),
        (Claimed(False, is_unclear=True, is_poor=False), LESS, EXCLUDED),
        (Claimed(False, is_unclear=True, is_poor=True), LESS, EITHER),
        (Claimed(False, is_unclear=True, is_poor=False), NONE, EITHER),
        (Claimed(False, is_unclear=True), NONE, EITHER),
    ],
)
def test_the_one_rule(claimed, ours, outcome):
    assert judged(claimed, ours, (-1.0, 1.0)) == outcome


def test_without_an_important_difference_none_is_never_shown():
    none = (math.nan, math.nan)
    assert judged(NO_DIFFERENCE, Span(0.0, -0.01, 0.01), none) == EITHER
    assert judged(NO_DIFFERENCE, Span(0.2, 0.1, 0.3), none) == EXCLUDED


@given(
    st.floats(-5, 5), st.floats(0.01, 5), st.floats(-5, 5), st.floats(0.01, 5), st.booleans()
)  # fmt: skip
def test_turning_both_signs_turns_no_verdict(theirs, half, ours, our_half, is_difference):
    here = Span(theirs, theirs - half, theirs + half)
    there = Span(ours, ours - our_half, ours + our_half)
    turned, turned_ours = (Span(-s.estimate, -s.high, -s.low) for s in (here, there))
    claimed = Claimed(is_difference, math.copysign(1, theirs), here)
    other = Claimed(is_difference, -math.copysign(1, theirs), turned)
    assert judged(claimed, there, (-1, 1)) == judged(other, turned_ours, (-1, 1))


@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_a_wider_interval_never_makes_a_verdict(ours, half):
    narrow, wide = (Span(ours, ours - half * f, ours + half * f) for f in (1, 2))
    for claimed in (DIFFERENCE, NO_DIFFERENCE):
        before, after = (judged(claimed, span, (-1, 1)) for span in (narrow, wide))
        assert after in (before, EITHER)


def pool_of(build, *effects):
    for place, (estimate, low, high, year) in enumerate(effects):
        name = f"trial{place}"
        build.trial(name, n=(50, 50), year=year)
        side = "favours treatment" if float(estimate) < 0 else "favours comparator"
        ends = {"ci_low": low, "ci_high": high, "ci_level": 0.95}
        build.contrast(name, estimate=estimate, direction=side, **ends)


def test_pools_then_and_now(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010), ("-1.2", "-1.6", "-0.8", 2020))
    cells = {"measure": "MD", "estimate": "-1.1", "ci_low": "-1.4", "ci_high": "-0.8"}
    found = judge(computation="compare-pool:pain_intensity", **cells)
    assert found.verdict == SUPPORTED
    # Wider than that of the Wald pool, -1.38 to -0.82: the spread between two trials is not known.
    assert found.numbers["now_low"] < -1.6
    assert -0.6 < found.numbers["now_high"] < 0
    assert (found.numbers["now"], found.numbers["now_k"]) == pytest.approx((-1.1, 2), abs=0.01)
    assert "half-normal prior" in found.sentence


# Effects of two trials, what a review of 2015 prints, the verdicts then and now, and the story.
LARGE, SMALL, UP = ("-1.0", "-1.4", "-0.6"), ("-0.2", "-0.9", "0.5"), ("0.8", "0.4", "1.2")
THEN_AND_NOW = [
    (LARGE, UP, SUPPORTED, COMPATIBLE, "time: supported. The .* overtaken by trial1"),
    (SMALL, ("-1.4", "-1.6", "-1.2"), COMPATIBLE, COMPATIBLE, "same verdict .* trial1 it is"),
    (LARGE, LARGE, SUPPORTED, SUPPORTED, "The same verdict"),
    # Only the prior: a common effect of both would be what the first was.
    (UP, UP, CONTRADICTED, COMPATIBLE, "verdict of then; two trials are read with the prior"),
    (
        ("-0.9", "-1.7", "-0.1"),
        ("-0.9", "-1.7", "-0.1"),
        SUPPORTED,
        COMPATIBLE,
        "-0.90 .-1.47 to -0.33. and the verdict of then; two trials are read with the prior",
    ),
]


@pytest.mark.parametrize(("first", "second", "then", "now", "story"), THEN_AND_NOW)
def test_what_was_known_is_judged_apart(build, protocol, first, second, then, now, story):
    pool_of(build, (*first, 2010), (*second, 2020))
    build.add("sources", source_id="old", year=2015)
    build.add("sources", source_id="new", year=2020)
    cells = {"measure": "MD", "estimate": "-0.9", "ci_low": "-1.3", "ci_high": "-0.5"}
    for source in ("old", "new"):
        build.add(
            "claims", claim_id=source, claimed_in=source,
            computation="compare-pool:pain_intensity", **cells,
        )  # fmt: skip
    evidence = build.load()
    effects, left_out = normalise(evidence, protocol)
    rows = claims_table(Answers(evidence, protocol, effects, left_out)).set_index("claim_id")
    assert rows.loc["old", "verdict_then"] == then
    assert rows.loc["old", "verdict"] == rows.loc["new", "verdict"] == now
    assert re.search(story, rows.loc["old", "then_and_now"])
    # A text of the year of the newest trial has nothing newer to be judged by.
    assert not isinstance(rows.loc["new", "verdict_then"], str)


def test_a_result_whose_correction_was_not_seen_is_not_tested(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010))
    build.add("sources", source_id="erratum", title="Erratum of Bell")
    cells = {"measure": "MD", "estimate": "-1.1", "ci_low": "-1.4", "ci_high": "-0.8"}
    found = judge(computation="compare-pool:pain_intensity", corrected_in="erratum", **cells)
    assert found.verdict == CANNOT_BE_TESTED
    assert "A correction of the paper, Erratum of Bell, was not seen" in found.sentence


def test_a_difference_in_words_has_a_side(build, judge_all):
    build.outcome("nausea", construct="nausea", domain="harm", benefit_sign=-1)
    build.trial(n=(60, 60))
    pool_of(build, ("1.5", "1.1", "1.9", 2010))
    for arm, count in (("ldn", 30), ("placebo", 8)):
        build.events(arm, outcome_id="nausea", events=count, n=60)
    words = {"measure": "statement", "p_relation": "sig"}
    found = judge_all(
        words | {"construct": "pain_intensity", "computation": "compare-pool:pain_intensity"},
        words | {"construct": "nausea", "computation": "compare-people:nausea"},
    )
    # Less pain is claimed and more is seen; more nausea is claimed and seen.
    assert verdicts_of(found) == [CONTRADICTED, SUPPORTED]


def test_the_opposite_of_a_difference_is_judged_alike(build, judge_all):
    pool_of(build, ("-0.2", "-0.8", "0.4", 2010))
    words = {"measure": "statement", "computation": "compare-pool:pain_intensity"}
    claims = [{**words, "p_relation": relation} for relation in ("sig", "ns")]
    # -0.8 to 0.4 lies inside the point that matters, so none is shown; a difference is not.
    assert verdicts_of(judge_all(*claims)) == [COMPATIBLE, SUPPORTED]


def test_a_pool_without_standard_deviations_compares_sides_only(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010), ("-1.2", "-1.6", "-0.8", 2020))
    cells = {"measure": "SMD", "estimate": "-0.5", "ci_low": "-0.7", "ci_high": "-0.3"}
    found = judge(computation="compare-pool:pain_intensity", **cells)
    assert found.verdict == SUPPORTED
    assert "No standard deviation is on file" in found.sentence
    for arm, sd in (("ldn", "2.0"), ("placebo", "4.0")):
        build.stats(
            arm, "trial0", statistic_of="baseline", timepoint_weeks=0, mean="6.0", sd=sd
        )  # fmt: skip
    found = judge("again", computation="compare-pool:pain_intensity", **cells)
    assert found.numbers["sd"] == pytest.approx(math.sqrt((4 + 16) / 2))
    # An interval at the smallest and at the largest: twice as far apart, but for the prior.
    ends = [found.numbers[f"sd_{sd}_{end}"] for sd in ("low", "high") for end in ("low", "high")]
    assert ends[0] < -0.55 < ends[1]
    assert ends[2] < -0.275 < ends[3]
    # Half a standard deviation of 3.16 points is no prior of one point.
    assert found.numbers["prior_as_points"] == pytest.approx(0.5 * math.sqrt(10))
    assert found.numbers["prior_points"] == 1


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
    ("estimate", "ci", "is_inside"),
    [("0.1", ("-0.4", "0.6"), True), ("0.3", ("-0.5", "1.1"), False)],
)
def test_equivalence_within_and_beyond_what_matters(build, judge, estimate, ci, is_inside):
    build.trial(design="crossover")
    build.contrast(
        estimate=estimate, ci_low=ci[0], ci_high=ci[1], ci_level=0.95, n_1=20, is_paired="yes"
    )
    found = judge(computation="equivalence", study_id="ames2001")
    assert found.verdict == COMPATIBLE
    assert found.numbers["margin"] == float(ci[1])
    assert ("But no margin" in found.sentence) == is_inside
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
    assert verdicts_of(found) == [COMPATIBLE, COMPATIBLE]
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
    fact(build, "n_randomised", 52, source_id="digest", preferred="no", reliability="low")
    # The claim's own row is no second witness.
    fact(build, "n_randomised", 35, source_id="review", preferred="no")
    claim = {"computation": "n-in-sources", "study_id": "ames2001"}
    found = judge_all(*(claim | {"n": people} for people in (40, 36, 34, 52, 35)))
    assert verdicts_of(found) == [SUPPORTED, *[WITH_CAVEATS] * 2, *[CONTRADICTED] * 2]
    assert {one.numbers["n_randomised"] for one in found} == {40}


def test_people_nobody_else_counts(build, judge):
    build.trial()
    fact(build, "n_randomised", 40, source_id="review")
    found = judge(computation="n-in-sources", study_id="ames2001", n=40)
    assert found.verdict == CANNOT_BE_TESTED


# Fact in another text, or column of studies.csv, what is claimed, and the verdict.
SAID_OF_STUDIES = [
    ("dose", {"value": "4.5"}, "4.5", SUPPORTED),
    ("dose", {"value": "4.5"}, "3", CONTRADICTED),
    ("duration@whole study", {"value": "56", "unit": "days"}, "8", SUPPORTED),
    ("timing@charts", {"value_low": "2014", "value_high": "2020"}, "2014; 2019", CONTRADICTED),
    # Only a text farther from the paper says otherwise, or none says anything.
    ("dose", {"value": "4.5", "read_from": "press"}, "3", WITH_CAVEATS),
    ("dose", None, "4.5", CANNOT_BE_TESTED),
    # The claim is in words.
    ("dose", {"value": "4.5"}, "NR", WITH_CAVEATS),
    ("design=crossover", None, "NR", WITH_CAVEATS),
    ("blinding=double-blind", None, "NR", SUPPORTED),
    ("blinding=open", None, "NR", CONTRADICTED),
    ("measured@pain_intensity", None, "NR", CANNOT_BE_TESTED),
]


def test_what_is_said_of_a_study(build, judge_all):
    claims = []
    build.trial("open-one", blinding="open")
    build.trial("crossed", design="crossover")
    for place, (part, cells, printed, _) in enumerate(SAID_OF_STUDIES):
        study = f"trial{place}"
        build.trial(study, design="fixed-order crossover", blinding="double-blind")
        name, _, qualifier = part.partition("@")
        # So that every part is one: a study of its own states it.
        if "=" not in part and name != "measured":
            fact(build, name, "1", "crossed", qualifier=qualifier or "NA")
        if cells is not None:
            own = {"value": "NR", "unit": "units", "read_from": "abstract"} | cells
            fact(build, name, own.pop("value"), study, qualifier=qualifier or "NA", **own)
        claim = {"computation": f"said-of-study:{part}", "study_id": study}
        claims.append(claim | {"as_reported": printed, "read_from": "secondary review"})
    found = judge_all(*claims)
    assert verdicts_of(found) == [verdict for *_, verdict in SAID_OF_STUDIES]
    named = re.compile("could be compared|is a kind of it|farther|Not all|No text of")
    assert [bool(named.search(one.sentence)) for one in found] == [
        one.verdict == WITH_CAVEATS for one in found
    ]


def test_a_printed_identifier(build, judge_all):
    build.add("sources", source_id="right", doi="10.1/AB.0001")
    build.add("sources", source_id="bare", doi="NR")
    claims = [
        {"computation": f"doi:{source}", "as_reported": printed}
        for source, printed in (("right", "10.1/ab.0001"), ("right", "10.1/ab.001"), ("bare", "x"))
    ]
    assert verdicts_of(judge_all(*claims)) == [SUPPORTED, CONTRADICTED, CANNOT_BE_TESTED]


def test_what_is_said_to_be_on_no_file(build, judge_all):
    build.trial(population="people in palliative care")
    fact(build, "other", "27", qualifier="occupancy")
    found = judge_all(
        {"computation": "not-on-file:other@occupancy"}, {"computation": "word-in-populations"}
    )
    assert verdicts_of(found) == [CONTRADICTED, CONTRADICTED]
    assert "27" in found[0].sentence


# What another text says of a result, what is claimed of it, and the verdict.
OTHER_TEXTS = [
    ({"p_relation": "ns"}, "ns", SUPPORTED),
    ({"p_relation": "sig"}, "ns", CONTRADICTED),
    ({"p_relation": "sig"}, "sig", SUPPORTED),
    ({"p_relation": "=", "p_value": "0.049"}, "ns", CONTRADICTED),
    ({"p_relation": "=", "p_value": "0.051"}, "ns", SUPPORTED),
    ({"p_relation": "<", "p_value": "0.001"}, "sig", SUPPORTED),
    ({"direction": "no difference"}, "ns", SUPPORTED),
    ({"direction": "favours treatment"}, "ns", CONTRADICTED),
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
        (8, "full text", CONTRADICTED),
    ]
    same = {"k": 7, "read_from": "abstract", "as_reported": "7"}
    claims = []
    for place, (there, tier, _) in enumerate(texts):
        other = {"claim_id": f"other{place}", "k": there, "read_from": tier}
        build.add("claims", **other, computation=f"same-fact:claim{place}")
        claims.append({"computation": f"same-fact:other{place}", **same})
    assert verdicts_of(judge_all(*claims)) == [verdict for *_, verdict in texts]


def test_parts_of_a_total(build, judge_all):
    last = {4: SUPPORTED, 5: WITH_CAVEATS, 3: CONTRADICTED}
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
    assert verdicts_of(found) == [SUPPORTED, SUPPORTED, CONTRADICTED]


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
        (("favours treatment", "no difference"), COMPATIBLE),
        (("no difference", "favours comparator"), COMPATIBLE),
        ((), CANNOT_BE_TESTED),
    ],
)
def test_promise_without_a_pool(build, judge, directions, verdict):
    trials_of(build, *directions)
    assert judge(computation="on-file:promise").verdict == verdict


@pytest.mark.parametrize(
    ("effects", "promise", "none"),
    [
        ((("-3.0", "-3.4", "-2.6"), ("-3.2", "-3.6", "-2.8")), SUPPORTED, CONTRADICTED),
        ((("3.0", "2.6", "3.4"), ("3.2", "2.8", "3.6")), CONTRADICTED, CONTRADICTED),
        ((("-0.3", "-0.9", "0.3"), ("0.3", "-0.3", "0.9")), COMPATIBLE, COMPATIBLE),
        ((("-0.3", "-0.9", "0.3"),), COMPATIBLE, SUPPORTED),
    ],
)
def test_promise_and_its_absence_by_the_same_pool(build, judge_all, effects, promise, none):
    pool_of(build, *((*ends, 2010 + place) for place, ends in enumerate(effects)))
    found = judge_all({"computation": "on-file:promise"}, {"computation": "on-file:none"})
    assert verdicts_of(found) == [promise, none]


def test_one_trial_does_not_speak_for_others(build, judge):
    pool_of(build, ("-1.0", "-1.4", "-0.6", 2010))
    assert judge("alone", computation="on-file:promise").verdict == SUPPORTED
    build.outcome("impact", construct="disease_impact")
    build.trial("other")
    build.contrast("other", measure="statement", outcome_id="impact", direction="no difference")
    assert judge("beside", computation="on-file:promise").verdict == COMPATIBLE


def test_a_side_is_a_vote_whatever_its_p_and_no_difference_is_none(build, judge):
    build.outcome("impact", construct="disease_impact")
    build.trial("trial0")
    build.contrast(
        "trial0", measure="statement", outcome_id="impact", direction="favours treatment",
        p_value="0.30", p_relation="=",
    )  # fmt: skip
    build.trial("trial1")
    build.contrast("trial1", measure="statement", outcome_id="impact", direction="no difference")
    found = judge(computation="on-file:promise")
    assert found.verdict == COMPATIBLE
    assert (found.numbers["for_treatment"], found.numbers["unknown"]) == (1, 1)
    assert found.numbers["against"] == 0


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ((50, 52), SUPPORTED),
        ((30, 30), COMPATIBLE),
        ((40, 12), CONTRADICTED),
        (None, CANNOT_BE_TESTED),
    ],
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
        ("no difference", True, COMPATIBLE),
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
    assert verdicts_of(found) == [SUPPORTED, CONTRADICTED]


def test_a_range_of_doses(build, judge_all):
    trials_by_dose(build, "4.5", "3", "9")
    doses = {"computation": "dose-range", "ci_low": "1"}
    found = judge_all(*(doses | {"ci_high": high} for high in ("9", "5", "2")))
    assert verdicts_of(found) == [SUPPORTED, WITH_CAVEATS, CONTRADICTED]


EFFECTIVE_DOSES = [
    # Enough people and an interval inside the doses: still no comparison group.
    ("ed95", "5.0", "5.8", 80, WITH_CAVEATS),
    ("ed95", "5.0", "6.2", 80, COMPATIBLE),
    ("ed95", "5.0", "5.8", 25, COMPATIBLE),
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
    assert verdict == COMPATIBLE
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


def test_a_share_that_the_design_fixes_is_no_argument(claim):
    for key in ("radi-jfp-ed95-answer", "radi-jfp-bp-ed95", "radi-jfp-bp-ed50"):
        _, _, sentence = claim(key)
        assert "44%" not in sentence
        assert "no rate and no argument about this dose" in sentence


def test_dose_for_half_stays_within_the_doses_tried(claim):
    verdict, n, sentence = claim("radi-jfp-bp-ed50")
    assert verdict == WITH_CAVEATS
    assert (n["dose"], n["low"], n["high"]) == (3.88, 3.39, 4.35)
    assert "stays within the doses tried" in sentence


def test_as_effective_as_amitriptyline(claim):
    verdict, n, _ = claim("radi-jfp-as-effective")
    assert verdict == COMPATIBLE
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
    assert verdict == COMPATIBLE
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


def test_a_number_needed_to_treat_of_a_model_has_no_counts(claim):
    verdict, n, sentence = claim("radi-jfp-martin-nnt")
    assert (verdict, n) == (CANNOT_BE_TESTED, {"estimate": 3.2, "k": 1.0})
    assert "regression model" in sentence


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
    # What fits the printed P is no data: every pair has to lie away from no difference.
    assert verdict == (WITH_CAVEATS if n["any_low"] > 1 else COMPATIBLE)

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
        # With INNOVA's 5 of 47 against 9 of 49: the posterior of two trials, by another program.
        other, other_se = log_rr(5, 47, 9, 49)
        by_hand = ByHand([estimate, other], [se**2, other_se**2], "half-normal", 0.5)
        ends = [math.log(n[f"{key}_pool{end}"]) for end in ("", "_low", "_high")]
        # The shortest interval of 95%.
        middle, low, high = (by_hand.below(by_hand.mu_given, point) for point in ends)
        assert (middle, high - low) == pytest.approx((0.5, 0.95), abs=1e-3)
    assert "Neither count alone gives an interval that excludes no difference" in sentence
    assert "says nothing about what anybody did" in sentence


def test_published_pools_in_points(claim):
    # The correction of the one was not seen; the other's difference lies in our interval to read,
    # as its opposite does.
    verdict, n, sentence = claim("vatvani2024-pain")
    assert (verdict, n) == (CANNOT_BE_TESTED, {})
    assert "Corrigendum to the LDN fibromyalgia meta-analysis, was not seen" in sentence
    verdict, n, sentence = claim("bibliomed-303821-pain")
    assert verdict == COMPATIBLE
    # The posterior of two trials with a half-normal prior of scale 1, by another program.
    assert (n["now"], n["now_low"], n["now_high"]) == pytest.approx((0.02, -1.33, 1.45), abs=0.01)
    assert not -0.85 <= n["now"] <= -0.06
    assert n["now_low"] < -0.46 < n["now_high"]
    assert "interval does not hold our estimate now, ours holds the published one" in sentence
    # Each pool is named with what it is read by.
    assert re.findall(r"read by: (\w+)", sentence) == ["Bayesian", "REML"]


HELD = "The same verdict by the trials of its time and by those of now."
OVERTAKEN = "The estimate of then was as claimed; overtaken by INNOVA 2026, with which it is not."
PAIN_POOLS = {
    "hegde2025-pain-fibromyalgia": (COMPATIBLE, OVERTAKEN),
    "nazir2025-pain": (COMPATIBLE, OVERTAKEN),
    "nazir2025-pain-sensitivity": (COMPATIBLE, HELD),
    # "Not clear" is what a very low certainty says as well.
    "ologunowa2025-pain": (SUPPORTED, HELD),
    "rizwan2025-pain": (COMPATIBLE, HELD),
}


def test_published_pools_in_standard_deviations(claim, claims):
    rows = claims.set_index("claim_id")
    for key, (expected, story) in PAIN_POOLS.items():
        verdict, n, _ = claim(key)
        # Neither a difference nor its absence is shown or excluded by an interval of -0.7 to 0.8.
        assert verdict == expected
        # Baseline SDs of the four arms: 1.3 and 1.6 in FINAL, 1.55 and 1.66 in INNOVA.
        typical = math.sqrt((1.3**2 + 1.6**2 + 1.55**2 + 1.66**2) / 4)
        assert (n["sd"], n["sd_low"], n["sd_high"]) == near((typical, 1.3, 2.26))
        assert n["now_low"] < -0.6 < 0.6 < n["now_high"]
        # What was known before INNOVA: FINAL, divided as now, so that it is one number.
        assert (n["then"], n["then_k"]) == near((-0.34 / typical, 1))
        assert (n["prior"], n["prior_as_points"], n["prior_points"]) == near((0.5, typical / 2, 1))
        assert rows.loc[key, "verdict_then"] == expected
        assert rows.loc[key, "then_and_now"].endswith(story)
    # A letter of the year of the newest trial has no other past.
    assert not isinstance(rows.loc["bruun2026-pain-12wk", "verdict_then"], str)


def test_the_printed_p_beside_all_comparators(claim):
    verdict, n, _ = claim("hegde2025-pain-all")
    assert verdict == COMPATIBLE
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
        ("reis2025-bested2023-n", CONTRADICTED, {"n_randomised": 58}),
        ("reis2025-younger2013-n", CONTRADICTED, {"n_randomised": 31, "n_analysed": 28}),
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
    # One sentence of the source, two claims: the one holds, the other does not.
    verdict, n, _ = claim("reis2025-cree2010-pain")
    assert verdict == CONTRADICTED
    assert (n["pain_interference_estimate"], n["pain_interference_p"]) == (-1.6, 0.04)
    verdict, _, sentence = claim("reis2025-cree2010-physical")
    # A word of the press, and no text of the trial.
    assert verdict == WITH_CAVEATS
    assert "physical quality of life: no difference" in sentence
    # No index differed, it says; the abstract has one that did, as it did before treatment.
    verdict, n, sentence = claim("reis2025-sharafaddinzadeh2010-qol")
    assert verdict == CONTRADICTED
    assert (n["agreeing"], n["contradicting"], n["constructs"]) == (10, 1, 11)
    assert "health perception: difference, but at baseline as well" in sentence


def test_the_per_protocol_result_is_named_as_one(claim, material):
    verdict, n, _ = claim("radi-jfp-pdn-md")
    assert verdict == WITH_CAVEATS
    rows = material.results("srinivasan2021", {"pain_intensity"}, without="radi-jfp")
    by_set = {row["analysis_set"]: row for row in rows}
    ends = ("estimate", "ci_low", "ci_high")
    itt = by_set["intention to treat"]
    assert [n[name] for name in ("itt", "itt_low", "itt_high")] == [itt[end] for end in ends]
    # The printed P stands in no other source but follows from the per-protocol interval.
    estimate, low, high = (by_set["per protocol"][end] for end in ends)
    p = 2 * NormalDist().cdf(-abs(estimate) / ((high - low) / (2 * Z)))
    printed = material.claims["radi-jfp-pdn-md"]["p_value"]
    assert printed not in {row["p_value"] for row in rows}
    assert round(p, 2) == printed
    # With it every printed number is found.
    assert n["found"] == n["printed"] == sum(name.startswith("printed_") for name in n)


def test_a_fall_on_placebo_that_was_left_out(claim, material):
    verdict, n, sentence = claim("reis2025-younger2013-reduction")
    assert verdict == WITH_CAVEATS
    assert (n["ldn"], n["placebo"]) == (28.8, 18)
    assert (n["difference"], n["share"]) == near((10.8, 18 / 28.8))
    assert "which the claim leaves out" in sentence
    verdict, n, sentence = claim("reis2025-younger2013-responders")
    assert verdict == WITH_CAVEATS
    # A share of so many per cent is a whole number of people for some sizes on file only.
    share = material.claims["reis2025-younger2013-responders"]["estimate"]
    sizes = {int(row["value"]) for row in material.sizes("younger2013")}
    unfit = [m for m in sorted(sizes) if share not in {round(100 * x / m) for x in range(m + 1)}]
    assert unfit
    assert f"no whole number of {' or '.join(map(str, unfit))} people" in sentence
    # The 57% of the meeting report: 17 of 30, the size of the claim, or 16 of the 28 analysed.
    assert "A count of 28 people prints as it too." in sentence
    assert "people prints" not in claim("reis2025-younger2009-responders")[2]


def test_harms_beside_the_reviews(claim):
    verdict, n, _ = claim("nazir2025-vivid-dreams")
    assert verdict == COMPATIBLE
    # 37% of 28 to 31 women is 11 of 30 alone; 13% is 4 of 30 or of 31.
    fits = {
        percent: [
            (x, m) for m in range(28, 32) for x in range(m + 1) if round(100 * x / m) == percent
        ]
        for percent in (37, 13)
    }
    assert fits == {37: [(11, 30)], 13: [(4, 30), (4, 31)]}
    assert n["pairs"] == len(fits[37]) * len(fits[13])
    assert (n["ratio_low"], n["ratio_high"]) == near(((11 / 30) / (4 / 30), (11 / 30) / (4 / 31)))
    verdict, n, sentence = claim("hegde2025-ae-placebo")
    assert verdict == CANNOT_BE_TESTED
    assert "More events in no more people is possible" in sentence
    assert (n["estimate"], n["k"]) == (1.4, 2)
    verdict, n, _ = claim("reis2025-tolerated")
    assert verdict == COMPATIBLE
    assert (n["any_1"], n["n_1"], n["any_2"], n["n_2"]) == (41 + 33, 49 + 48, 43 + 36, 50 + 50)
    # FINAL counts serious events of any cause: none of 49. INNOVA counts unexpected ones only.
    assert n["upper"] == near(proportion_confint(0, 49, method="wilson")[1])


def test_an_important_difference_stands_with_its_source(claim, protocol):
    scale = protocol.scales["pain_intensity"]
    for key in ("radi-jfp-as-effective", "reis2025-promise-fibromyalgia"):
        assert f"({scale.mid_source})" in claim(key)[2]
    _, n, sentence = claim("hegde2025-ae-active")
    stated = protocol.certainty
    assert (n["margin_low"], n["margin_high"]) == near(
        (stated["imprecision.ratio_low"], stated["imprecision.ratio_high"])
    )
    assert f"({stated.ratio_source})" in sentence
    # Of people with events too, whether from a pool or from pairs of counts.
    for key in ("reis2025-tolerated", "nazir2025-headache-sensitivity"):
        assert f"({stated.ratio_source})" in claim(key)[2]


def test_no_difference_in_headache_is_not_shown_by_a_ratio_of_nearly_five(claim):
    assert claim("nazir2025-headache")[0] == SUPPORTED  # that it is not clear
    verdict, n, _ = claim("nazir2025-headache-sensitivity")
    assert verdict == COMPATIBLE
    assert n["ratio_low"] > 4
    assert n["limit_low"] < 1


def test_two_drugs_are_not_shown_alike_and_events_show_and_exclude_nothing(claim):
    # One interval, -1.11 to 4.13 of 100 points, and one verdict for both sources.
    for key in ("hegde2025-pain-active", "radi-jfp-as-effective", "radi-jfp-pdn-comparable"):
        verdict, _, sentence = claim(key)
        assert verdict == COMPATIBLE
        assert "margin was named beforehand" in sentence
    # One rate ratio, 0.15, of two claims: that a drug is safer, and that they do not differ.
    for key, high in (
        ("radi-jfp-superior-safety", "wide_high"),
        ("hegde2025-ae-active", "now_approximate_high"),
    ):
        verdict, n, sentence = claim(key)
        assert (verdict, n[high] < 1) == (COMPATIBLE, True)
        assert "Events are not people" in sentence


def test_what_a_row_is_said_to_contradict_does_not_bear_it_out(claims, evidence):
    rows, raw = evidence.text["contrasts"], evidence.text["claims"]
    rows = rows[rows["preferred_reason"].str.startswith("contradicts the ")]
    constructs = evidence.text["outcomes"].set_index("outcome_id")["construct"]
    found = set()
    for row in rows.to_dict("records"):
        told = constructs[row["outcome_id"]]
        of_row = raw[
            (raw["claimed_in"] == row["reported_in"])
            & (raw["study_id"] == row["study_id"])
            & (raw["construct"].eq(told) | raw["computation"].str.contains(rf"[:+]{told}(?:\+|$)"))
        ]
        found |= set(of_row["claim_id"])
    verdicts = claims.set_index("claim_id").loc[sorted(found), "verdict"]
    assert {"reis2025-cree2010-pain", "reis2025-sharafaddinzadeh2010-qol"} <= found
    assert set(verdicts) == {CONTRADICTED}


def test_a_share_that_names_no_trial_is_no_trials_share(claim):
    _, n, sentence = claim("reis2025-uld-dropout")
    assert (n["low"], n["high"]) == (0.48, 0.60)
    assert "No share is on file for Webster 2006 and Chindalore 2005." in sentence
    assert "secondary review" not in sentence


def test_a_verdict_that_only_the_prior_changed_says_so(claims):
    rows = claims.set_index("claim_id").loc[["reis2025-tolerated", "reis2025-bl-safety"]]
    assert set(rows["verdict_then"]) == {SUPPORTED}
    assert set(rows["verdict"]) == {COMPATIBLE}
    # Common effect of 41/49 v 43/50 and 33/48 v 36/50, by inverse variances.
    y, v = zip(*(log_rr(*cells) for cells in ((41, 49, 43, 50), (33, 48, 36, 50))), strict=True)
    weights = [1 / se**2 for se in v]
    middle = sum(a * w for a, w in zip(y, weights, strict=True)) / sum(weights)
    half = 1.959964 / math.sqrt(sum(weights))
    told = " to ".join(f"{math.exp(middle + side * half):.2f}" for side in (-1, 1))
    assert rows["then_and_now"].str.contains(f"{math.exp(middle):.2f} ({told})", regex=False).all()


def test_no_result_of_a_paper_with_an_unseen_correction_is_tested(evidence, claims):
    raw = evidence.text["claims"]
    corrected = set(raw.loc[raw["corrected_in"] != "NA", "claimed_in"])
    results = raw[raw["claimed_in"].isin(corrected) & (raw["role"] == "result")]
    assert corrected == {"vatvani2024"}
    assert (results["corrected_in"] != "NA").all()
    verdicts = claims.set_index("claim_id").loc[results["claim_id"], "verdict"]
    assert set(verdicts) == {CANNOT_BE_TESTED}


def test_words_of_uncertainty_are_their_own_kind(evidence):
    raw = evidence.text["claims"]
    words = raw["claim"].str.contains("uncertain|not clear|not clearly")
    said = set(raw.loc[words & raw["p_relation"].ne("="), "p_relation"])
    assert said == {"unclear"}


def test_a_reconstruction_is_called_one(claims):
    rebuilt = claims["sentence"].str.contains("fit.? the printed P|whole counts give them")
    assert rebuilt.sum() >= 8
    assert claims.loc[rebuilt, "sentence"].str.contains("A what-if and no data").all()


def test_an_odds_ratio_stands_beside_the_risk_ratio_that_decides(claim):
    verdict, n, sentence = claim("rizwan2025-vivid-dreams")
    assert (verdict, n["limit_low"] > 1 > n["risks_low"]) == (COMPATIBLE, True)
    assert "risk ratio run from 0.99" in sentence


def test_a_study_that_others_tell_of_is_supported_in_part(claim):
    for key in ("radi-jfp-bp-responders", "radi-jfp-bp-rule", "reis2025-cree2010-physical"):
        verdict, _, sentence = claim(key)
        assert verdict == WITH_CAVEATS
        assert re.search("secondary review|press", sentence)
        assert not re.search("abstract|registry", sentence)


def test_one_trial_alone_is_given_as_the_reason(claim):
    _, n, sentence = claim("reis2025-promise-ms")
    assert n["now_low"] > 0
    assert "are called not different: Sharafaddinzadeh 2010" in sentence


def test_a_dose_by_weight_with_the_numbers_of_a_dose_a_day(claim):
    verdict, n, sentence = claim("reis2025-uld-dose")
    assert verdict == CONTRADICTED
    assert (n["day_low"], n["day_high"]) == (140, 280)
    assert "doses a day of a whole person in Chindalore 2005 and Webster 2006" in sentence
    assert "70 times too many" in sentence


def test_four_trials_with_222_people(claim):
    verdict, n, sentence = claim("vatvani2024-size")
    assert verdict == WITH_CAVEATS
    ways = re.search(r"people: (.*)\. Which", sentence).group(1).split(" | ")
    sizes = [[int(part.rsplit(" ", 1)[1]) for part in way.split("; ")] for way in ways]
    assert n["ways"] == len(ways)
    assert {(len(way), sum(way)) for way in sizes} == {(n["k"], n["people"])}
    # Two of the sizes that a reviewer asked after.
    assert "Bested 2023 52" in sentence
    assert "Younger & Mackey 2009 10" in sentence


def test_parts_and_totals_of_reviews(claim):
    verdict, n, _ = claim("bolton2019-dose-50")
    assert verdict == WITH_CAVEATS
    assert (n["parts"], n["added"], n["total"]) == (5, 5 + 7 + 61 + 12 + 8, 89)
    verdict, n, _ = claim("soin2021-k-case")
    assert verdict == SUPPORTED
    assert (n["parts"], n["added"]) == (6, 11 + 10 + 3 + 2 + 2 + 1)
    assert claim("univadis-bolton2019-size")[0] == CONTRADICTED
    assert claim("bolton2019-size")[0] == WITH_CAVEATS


def test_no_conclusion_from_studies_without_a_randomised_placebo_group(claim):
    verdict, n, _ = claim("radi-jfp-overall")
    assert verdict == COMPATIBLE
    assert (n["cited"], n["placebo"], n["active"], n["controlled"], n["alone"]) == (3, 0, 1, 1, 1)
    assert claim("reis2025-promise-fibromyalgia")[0] == COMPATIBLE
    assert claim("reis2025-promise-ms")[0] == COMPATIBLE
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
    ("outcomes", "word"),
    [
        ([SHOWN, SHOWN], SHOWN),
        ([EXCLUDED], EXCLUDED),
        ([SHOWN, EXCLUDED], EITHER),
        ([SHOWN, EITHER], EITHER),
        ([EXCLUDED, EITHER], EITHER),
    ],
)
def test_ways_that_disagree_show_and_exclude_nothing(outcomes, word):
    assert together(outcomes) == word


def test_a_statement_of_no_event_is_set_beside_the_reports_of_its_time(claims):
    """Old: tested by a trial of the year after, and no report of its time was seen."""
    row = claims.set_index("claim_id").loc["yang2023-severe-ae"]
    assert row["verdict"] == WITH_CAVEATS
    assert row["sentence"].endswith("serious adverse event: 0. 0 (Younger 2013, abstract).")
