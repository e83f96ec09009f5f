"""The side and the p of each study's result, and how a group of them is counted."""

import math
from math import log

import pytest
from pytest import approx

from builders import Builder, direction_rows, effect_rows
from ldn_meta.evidence.answer.directions import (
    COLUMNS,
    NO_BETTER,
    NO_COMPARISON,
    NOT_BLIND,
    NOT_RANDOMISED,
    NOT_SAID_WHICH,
    OTHER,
    SAME_TRIAL,
    WHY_NO_SIDE,
    PValues,
    Votes,
    directions,
    group_syntheses,
    is_bound,
)
from ldn_meta.evidence.answer.pools import build_pools
from ldn_meta.evidence.effects.effects import LEFT_OUT_COLUMNS, normalise

FAVOURS, AGAINST = "favours treatment", "favours comparator"


@pytest.fixture
def told(build, protocol):
    """The directions table of what a builder holds."""

    def made(builder=build):
        evidence = builder.load()
        effects, _ = normalise(evidence, protocol)
        return directions(evidence, protocol, effects)

    return made


def arms(here, there, **cells):
    """Means, or percentages, of the two arms of a study."""

    def add(b, s):
        for arm, mean in (("ldn", here), ("placebo", there)):
            b.stats(arm, s, mean=mean, **cells)

    return add


def people(here, there, **outcome):
    """Events in the two arms, counted as the outcome of the study's name or as responders."""

    def add(b, s):
        if outcome:
            b.outcome(s, domain="harm", **outcome)
        for arm, cells in (("ldn", here), ("placebo", there)):
            b.events(arm, s, **({"outcome_id": s} if outcome else {}), **cells)

    return add


def says(**cells):
    return lambda b, s: b.contrast(s, **({"measure": "statement", "direction": FAVOURS} | cells))


def scale(sign):
    return lambda b, s: b.outcome(s, construct="pain_intensity", benefit_sign=sign)


def on_scale():
    cells = {"measure": "median difference", "estimate": "1.5", "direction": "no difference"}
    return lambda b, s: b.contrast(s, outcome_id=s, **cells)


def trial(n=(50, 50), **cells):
    return lambda b, s: b.trial(s, n=n, **cells)


SAE = {"construct": "serious_adverse_event", "benefit_sign": -1}
COUNTED = {"construct": "adverse_event_count", "benefit_sign": -1}
NOT_KNOWN = {"p_low": math.nan}
INTERVAL = {"ci_low": "-0.99", "ci_high": "-0.01", "ci_level": "0.95"}
NOTHING_TO_COMPARE = "the two arms print nothing that can be set side by side"
WORDS = "the report's words, without an estimate"
# What is on file of a plain trial, and what is told of it.
CASES = {
    # z = 0.5 / 0.25 = 2: the interval is 0.98 wide, 2 x 1.96 standard errors of 0.25.
    "an effect gives side and p": (
        [says(measure="MD", estimate="-0.50", n_1=50, n_2=50, **INTERVAL)],
        {"sign": 1, "known_by": "computed effect", "group": "pain", "direction": FAVOURS,
         "sign_from": "computed effect: difference with CI", "p_printed": "0.0455 (computed)",
         "p_low": approx(0.0455, abs=2e-5), "p_high": approx(0.0455, abs=2e-5),
         "n_people": 100}),
    "less is better": (
        [scale(-1), on_scale()],
        {"sign": -1, "known_by": "printed numbers", "direction": "no difference"}),
    "more is better": (
        [scale(1), on_scale()],
        {"sign": 1, "known_by": "printed numbers", "direction": "no difference"}),
    "nobody says which end of the scale is better": (
        [scale("NR"), lambda b, s: arms("2.0", "3.0", n=50, outcome_id=s)(b, s)],
        {"sign": math.nan, "sign_from": NO_BETTER}),
    "nobody says what was subtracted from what": (
        [lambda b, s: b.contrast(s, estimate="1.5", ci_low="-1.1", ci_high="4.1",
                                 ci_level="0.95", n_1=9, n_2=9)],
        {"sign": math.nan, "sign_from": NOT_SAID_WHICH, "known_by": "not known"}),
    # The word is the p of the same comparison.
    "words give the side only where no number does": (
        [says(direction=AGAINST, p_relation="ns"), arms("-2.0", "-1.5", n=50)],
        {"sign": 1, "sign_from": "change of the two arms: -2.0 against -1.5",
         "direction": "not stated", "p_low": 0.05, "p_high": 1, "p_printed": "not significant"}),
    "the sign of an estimate is no word of its report": (
        [says(measure="MD", estimate="-0.34", p_relation="=", p_value="0.27", n_1=50, n_2=50)],
        {"sign": 1, "direction": "not stated"}),
    "nor that of an estimate without a test": (
        [says(measure="median difference", estimate="-1.65")],
        {"sign": 1, "direction": "not stated"}),
    "a p lost among many is told as that": (
        [says(p_relation="=", p_value="0.004", multiplicity="lost")],
        {"p_printed": "0.004 (lost after adjustment for multiplicity)", "p_high": approx(0.0045),
         "printed": "p 0.004 (lost after adjustment for multiplicity)"}),
    "words for the treatment alone": (
        [says(p_relation="sig")],
        {"sign": 1, "sign_from": WORDS, "p_printed": "significant", "p_low": 0, "p_high": 0.05}),
    "words against it alone": (
        [says(direction=AGAINST, p_relation="sig")],
        {"sign": -1, "sign_from": WORDS, "p_printed": "significant", "p_low": 0,
         "p_high": 0.05}),
    "no difference in words alone": (
        [says(direction="no difference", p_relation="sig")],
        {"sign": math.nan, "sign_from": WHY_NO_SIDE["no difference"],
         "p_printed": "significant"}),
    "no word": (
        [says(direction="not stated", p_relation="sig")],
        {"sign": math.nan, "sign_from": WHY_NO_SIDE["not stated"], "p_printed": "significant"}),
    "a reduction has the side its words give it": (
        [says(measure="relative reduction", estimate="44")],
        {"sign_from": "the report's words, beside a printed relative reduction of 44"}),
    "percentages without denominators": (
        [people({"percent": "88"}, {"percent": "40"}),
         says(outcome_id="responder", p_relation="=", p_value="0.009")],
        {"sign": 1, "sign_from": "people of the two arms: 88% against 40%",
         "p_low": 0.0085, "p_high": 0.0095, "group": "less pain in people"}),
    "more change on placebo favours it": ([arms("-1.7", "-2.0")], {"sign": -1}),
    "equal as printed is a tie": ([arms("-1.1", "-1.1")], {"sign": 0}),
    "nobody in either arm is a tie without a p": (
        [people({"events": 0, "n": 40}, {"events": 0, "n": 60}, **SAE)],
        {"sign": 0, **NOT_KNOWN}),
    # 0 of 3 against 1 of 100: fewer, though adding 0.5 to the cells makes the ratio 8.4.
    "an empty cell moves the ratio and not the side": (
        [people({"events": 0, "n": 3}, {"events": 1, "n": 100}, **SAE)],
        {"sign": 1, **NOT_KNOWN}),
    "event counts of different people say nothing": (
        [people({"events": 8, "counted": "events"}, {"events": 52, "counted": "events"},
                **COUNTED)],
        {"sign": math.nan, "sign_from": NOTHING_TO_COMPARE}),
    "p as printed": (
        [says(p_relation="=", p_value="0.22")],
        {"p_low": 0.215, "p_high": 0.225, "p_printed": "0.22"}),
    "p below": (
        [says(p_relation="<", p_value="0.001")],
        {"p_low": 0, "p_high": 0.001, "p_printed": "<0.001"}),
    "p above": (
        [says(p_relation=">", p_value="0.10")],
        {"p_low": 0.1, "p_high": 1, "p_printed": ">0.10"}),
    "p in a word": (
        [says(p_relation="ns")], {"p_low": 0.05, "p_high": 1, "p_printed": "not significant"}),
    "no p": ([says()], {"p_low": math.nan, "p_high": math.nan, "p_printed": "NR"}),
    "an exact p goes before a computed one": (
        [says(measure="MD", estimate="-0.50", p_relation="=", p_value="0.06", **INTERVAL)],
        {"p_printed": "0.06"}),
    "a computed p goes before a bound": (
        [says(measure="MD", estimate="-0.50", p_relation="<", p_value="0.05", **INTERVAL)],
        {"p_printed": "0.0455 (computed)"}),
    "the p of another time or set is another p": (
        [arms("-2.0", "-1.5", n=50),
         says(direction="not stated", p_relation="=", p_value="0.01", timepoint_weeks=26),
         says(direction="not stated", p_relation="=", p_value="0.02",
              analysis_set="per protocol")],
        NOT_KNOWN),
    "the order of selection decides among equals": (
        [arms("-2.0", "-1.0", timepoint_weeks=26), arms("-1.0", "-2.0", timepoint_weeks=13)],
        {"timepoint_weeks": 13, "sign": -1}),
    "people of a crossover": (
        [trial(("NR", "NR"), design="crossover", n_analysed=28, n_randomised=31), says()],
        {"n_people": 28, "is_paired": True}),
    "people of a crossover who were randomised": (
        [trial(("NR", "NR"), design="crossover", n_randomised=31), says()],
        {"n_people": 31, "is_paired": True}),
    "people of two arms": ([trial((20, 30)), says()], {"n_people": 50, "is_paired": False}),
    "people of one arm of two": (
        [trial(("NR", 30)), says()], {"n_people": math.nan, "is_paired": False}),
    "two directions of one study in one word": (
        [says(), says(direction="no difference", timepoint_weeks=26)],
        {"direction": "partly favours treatment"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(tmp_path_factory, raw_folder, protocol):
    """The table of all cases, a study each."""
    build = Builder(tmp_path_factory.mktemp("directions") / "raw", raw_folder)
    for name, (parts, _) in CASES.items():
        study = name.replace(" ", "-")
        for part in parts:
            part(build, study)
        if all(row["study_id"] != study for row in build.rows["studies"]):
            build.trial(study)
    evidence = build.load()
    return directions(evidence, protocol, normalise(evidence, protocol)[0])


@pytest.mark.parametrize("name", CASES)
def test_side_and_p_of_one_result(cases, name):
    (row,) = cases[cases["study_id"] == name.replace(" ", "-")].to_dict("records")
    for column, expected in CASES[name][1].items():
        if isinstance(expected, float):
            expected = approx(expected, nan_ok=True)
        assert row[column] == expected, column


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
    assert math.isnan(row["n_people"])


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
    beside = real["study_id"].isin(list(evidence.review.beside))
    assert set(real.loc[beside, "eligible_for"]) == {"beside"}
    assert set(real.loc[~beside, "eligible_for"]) == {"contrast"}
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


def test_an_order_of_arms_that_was_inferred_is_said_to_be(real, evidence):
    """Every result of which no other text gives the two arms, by the notes of its rows."""
    stats = evidence.text["arm_stats"]
    inferred = stats["note"].str.contains("arm order inferred")
    named = stats[stats["arm_id"].notna() & ~inferred & stats["statistic_of"].eq("change")]
    elsewhere = set(zip(named["study_id"], named["outcome_id"], strict=True))
    noted = set(stats.loc[inferred, ["study_id", "outcome_id"]].itertuples(index=False, name=None))
    listed = evidence.review.order_inferred.items()
    assert noted - elsewhere == {(study, name) for study, names in listed for name in names}
    marked = real["known_by"].eq("side inferred from the order of arms")
    assert marked.sum() == 4
    assert (real["sign_from"].str.contains("order of arms") == marked).all()


def test_words_and_numbers_of_the_real_reports_agree(real):
    """A result said to favour one side whose numbers lie on the other would be a misreading."""
    said = real["direction"].map({FAVOURS: 1.0, AGAINST: -1.0})
    assert (said * real["sign"]).fillna(1.0).min() > 0


@pytest.mark.parametrize(
    ("study", "construct", "sign", "p_printed", "people"),
    [
        ("smith2011", "clinical_response", 1, "0.009", 40),
        ("beaudette2023", "pain_intensity", -1, "0.22", 23),
        ("beaudette2023", "fatigue", 0, "0.3", 23),
        ("bested2023", "pain_sum_score", 1, "0.4", 58),
        ("innova2026", "pain_intensity", -1, "0.236", 96),
        ("duebruun2024", "pain_intensity", 1, "0.27", 99),
        ("younger2013", "pain_intensity", 1, "0.016", 28),
        ("srinivasan2021", "pain_intensity", math.nan, "0.262 (computed)", 67),
        ("srinivasan2021", "adverse_event_count", 1, "<0.001", 67),
        ("webster2006", "pain_intensity", math.nan, "NR", math.nan),
        ("sharafaddinzadeh2010", "mental_health", math.nan, "not significant", 96),
        ("paula2023", "pain_intensity", math.nan, "NR", math.nan),
    ],
)
def test_real_studies(real, study, construct, sign, p_printed, people):
    row = row_of(real, study, construct)
    assert row["sign"] == pytest.approx(sign, nan_ok=True)
    assert row["p_printed"] == p_printed
    assert row["n_people"] == pytest.approx(people, nan_ok=True)


NAN = float("nan")


@pytest.fixture
def group_of(protocol):
    """One group's synthesis from rows of directions and of effects."""
    import pandas as pd

    def made(*rows, effects=(), group="pain", **options):
        chosen = protocol.changed(**options)
        frame = effect_rows(*effects) if effects else pd.DataFrame()
        left_out = pd.DataFrame(columns=list(LEFT_OUT_COLUMNS))
        pools = build_pools(frame, chosen.selection, chosen.model)
        groups = group_syntheses(
            direction_rows(*rows), frame, left_out, pools, chosen, comparator_class="placebo"
        )
        assert [found.group for found in groups] == list(protocol.outcome_groups)
        return next(found for found in groups if found.group == group)

    return made


def study_row(label, sign=1.0, **cells):
    return {"study_label": label, "sign": sign, **cells}


def test_votes_with_ties_and_unknown_sides():
    votes = Votes(
        direction_rows(
            study_row("a"),
            study_row("b"),
            study_row("c", -1.0),
            study_row("d", 0.0),
            study_row("e", NAN),
        ),
        0.95,
    )
    assert (votes.test.n_for, votes.test.n_against, votes.test.n_ties) == (2, 1, 1)
    assert votes.test.p_value == 1
    assert list(votes.unknown["study_label"]) == ["e"]
    assert (votes.if_against.n_for, votes.if_against.n_against) == (2, 2)
    assert (votes.if_for.n_for, votes.if_for.n_against) == (3, 1)
    assert votes.if_for.p_value == 0.625


def test_p_values_by_hand():
    found = PValues(
        direction_rows(
            study_row("a", p_low=0.02, p_high=0.02),
            study_row("b", -1.0, p_low=0.4, p_high=0.4),
            study_row("c", p_low=0.0, p_high=0.05),
            study_row("d", NAN, p_low=0.05, p_high=1.0),
            study_row("e"),
        )
    )
    assert list(found.usable["study_label"]) == ["a", "b", "c"]
    assert list(found.bounds["study_label"]) == ["c"]
    assert list(found.sideless["study_label"]) == ["d"]
    # One-sided: 0.01, 0.8 and up to 0.025; chi squared on 6 df has the survival function
    # q (1 - ln q + ln^2 q / 2), q the product.
    q = 0.01 * 0.8 * 0.025
    assert found.fisher.p_low == 0
    assert found.fisher.p_high == pytest.approx(q * (1 - log(q) + log(q) ** 2 / 2))
    against = 0.99 * 0.2 * 0.975
    assert found.fisher_against.p_low == pytest.approx(
        against * (1 - log(against) + log(against) ** 2 / 2)
    )
    assert found.leading == "a"
    assert found.fisher_without_leading.k == 2
    # The result without a side counts from 0.025 to 0.975.
    assert found.fisher_either_side.k == 4
    assert found.fisher_either_side.p_high > found.fisher.p_high


def test_what_is_only_a_bound():
    rows = direction_rows(
        study_row("a", p_low=0.0, p_high=0.05, p_printed="<0.05"),
        study_row("b", p_low=0.05, p_high=1.0, p_printed="not significant"),
        study_row("c", p_low=0.995, p_high=1.0, p_printed="1.00"),
        study_row("d", p_low=0.0, p_high=0.0005, p_printed="0.000"),
        study_row("e", p_low=0.03, p_high=1.0, p_printed="0.03 (computed); not significant"),
        study_row("f"),
    )
    assert list(is_bound(rows)) == [True, True, False, True, True, False]


def test_a_pool_with_another_comparator_does_not_answer_the_question(group_of):
    effects = [{"study_id": name, "comparator_class": "usual care"} for name in ("a", "b")]
    found = group_of(
        study_row("a", comparator_class="usual care"), study_row("c"), effects=effects
    )
    assert not found.is_pooled
    assert found.pool is None
    assert list(found.counted["study_label"]) == ["c"]


def test_weights_need_the_people_of_every_result():
    cells = {"p_low": 0.02, "p_high": 0.02}
    known = PValues(
        direction_rows(study_row("a", **cells), study_row("b", -1.0, n_people=400.0, **cells))
    )
    assert known.is_weighted
    # z of 0.01 is 2.326; weights 10 and 20, opposite sides.
    assert known.stouffer.statistic_low == pytest.approx(-10 * 2.3263479 / 500**0.5)
    unknown = PValues(
        direction_rows(study_row("a", **cells), study_row("b", n_people=NAN, **cells))
    )
    assert not unknown.is_weighted
    assert unknown.stouffer.statistic_low == pytest.approx(2**0.5 * 2.3263479)


def test_who_is_counted(group_of):
    rows = (
        study_row("a"),
        study_row("b", -1.0, is_randomised=False, blinding="open"),
        study_row("c", blinding="single-blind"),
        study_row("d", comparator_class="usual care"),
    )
    found = group_of(*rows)
    assert list(found.counted["study_label"]) == ["a"]
    assert found.reasons == {
        "b": f"{NOT_RANDOMISED}, {NOT_BLIND}",
        "c": NOT_BLIND,
        "d": "compared with usual care",
    }
    assert found.all_votes.test.n_for == 3
    assert found.all_votes.test.n_against == 1
    freed = group_of(*rows, allow_non_randomised=True, allow_single_blind=True)
    assert list(freed.counted["study_label"]) == ["a", "b", "c"]


def test_the_same_people_vote_once(group_of):
    rows = (study_row("a", NAN, trial_id="x"), study_row("b", -1.0, trial_id="x"), study_row("c"))
    found = group_of(*rows)
    assert found.reasons == {"a": SAME_TRIAL}
    assert list(found.counted["study_label"]) == ["b", "c"]
    assert list(found.all_votes.rows["study_label"]) == ["b", "c"]


def test_a_study_brings_its_first_construct_with_a_known_side(group_of):
    rows = [
        study_row("a", NAN, construct="pain_intensity"),
        study_row("a", -1.0, construct="pain_interference"),
        study_row("b", NAN, construct="pain_interference", year=2000.0),
        study_row("b", NAN, construct="pain_intensity", year=2000.0),
    ]
    found = group_of(*rows)
    assert list(found.results["study_label"]) == ["b", "a"]
    assert list(found.results["construct"]) == ["pain_intensity", "pain_interference"]


def test_a_pool_of_two_and_what_stands_beside_it(group_of):
    effects = [{"study_id": "a"}, {"study_id": "b"}]
    rows = [study_row("a"), study_row("b")]
    full = group_of(*rows, effects=effects)
    assert full.is_pooled
    assert full.pooled_labels == ("a", "b")
    assert not full.is_needed
    beside = group_of(*rows, study_row("c", -1.0), effects=effects)
    assert beside.is_needed
    assert beside.votes.test.n_against == 1


def test_one_effect_is_no_pool(group_of):
    found = group_of(study_row("a"), effects=[{"study_id": "a"}])
    assert found.synthesis == "one trial"
    assert not found.is_pooled
    assert found.pooled_labels == ()
    assert found.is_needed


def test_a_cell_of_a_pool_has_the_side_of_its_estimate(group_of):
    effects = [{"study_id": "a", "yi": 0.1}, {"study_id": "b", "yi": -0.05}]
    rows = [study_row("a", -1.0), study_row("b"), study_row("c")]
    cell = group_of(*rows, effects=effects).cell
    assert (cell["synthesis"], cell["trials"], cell["people"]) == ("meta-analysis", 2, 200)
    assert cell["side"] == "favours comparator"
    assert cell["ci_low"] < 0 < cell["estimate"] < cell["ci_high"]
    assert cell["beside"] == [("c", "favours treatment", None)]


def barred(*labels):
    """Effects of trials that the plan keeps out of every pool."""
    return [{"study_id": name, "is_approximate": True} for name in labels]


def test_a_cell_counts_what_the_plan_counts_and_names_what_was_measured(group_of):
    rows = [
        study_row("a", construct="pain_intensity", n_people=40.0),
        study_row("b", construct="pain_sum_score", construct_label="pain, summed", n_people=8.0),
        study_row("c", -1.0, is_randomised=False),
    ]
    cell = group_of(*rows, effects=barred("a", "b", "c")).cell
    assert (cell["synthesis"], cell["trials"], cell["people"]) == ("direction only", 2, 48)
    assert (cell["side"], cell["is_randomised"]) == ("favours treatment", True)
    assert cell["measured"] == "pain (a); pain, summed (b)"
    assert cell["beside"] == [("c", "favours comparator", NOT_RANDOMISED)]


def test_a_cell_without_a_randomised_study_says_so(group_of):
    rows = [study_row("a", is_randomised=False), study_row("b", NAN, is_randomised=False)]
    cell = group_of(*rows, effects=barred("a", "b")).cell
    assert (cell["trials"], cell["is_randomised"]) == (2, False)
    assert (cell["side"], cell["unknown"]) == ("favours treatment", 1)


def test_one_study_kept_out_of_pools_still_has_its_number(group_of):
    row = study_row("a", rows="arm_stats:treated arm_stats:untreated")
    cell = group_of(row, effects=barred("a")).cell
    assert (cell["synthesis"], cell["estimate"]) == ("direction only", -1.0)
    assert group_of(study_row("a"), effects=barred("a")).cell["measure"] == "none"


def test_a_group_of_which_nobody_tells(group_of):
    found = group_of(study_row("a"), group="serious adverse event")
    assert found.pool is None
    assert not found.is_needed
    assert len(found.counted) == 0
    assert math.isnan(found.votes.test.p_value)
    assert found.p_values.fisher.k == 0
    assert math.isnan(found.p_values.fisher.p_low)


def test_people_are_those_analysed_or_else_those_randomised_with_that_word(real):
    told = real.set_index(["study_id", "construct"])
    for key, who in {
        ("bested2023", "pain_sum_score"): (58, "randomised"),
        ("duebruun2024", "pain_intensity"): (99, "analysed"),
        ("smith2011", "fatigue_adverse_event"): (40, "randomised"),
        ("martin2022", "responder_pain_50"): (78, "analysed"),
        ("sharafaddinzadeh2010", "pain_quality_of_life"): (96, "enrolled"),
        # Of both outcomes of the same two arms; of a difference within all who were randomised.
        ("smith2011", "clinical_response"): (40, "randomised"),
        ("srinivasan2021", "pain_intensity"): (67, "randomised"),
        # Counts whose denominator is not printed are lent none of those analysed.
        ("cree2010", "serious_adverse_event"): (80, "enrolled"),
        ("younger2013", "headache"): (31, "randomised"),
    }.items():
        assert tuple(told.loc[key, ["n_people", "people_are"]]) == who
    # Results of one arm compare nobody; two of five arms are no share of all.
    for key in (("paula2023", "pain_intensity"), ("webster2006", "pain_intensity")):
        assert math.isnan(told.loc[key, "n_people"])
        assert told.loc[key, "people_are"] == "NR"


def test_printed_numbers_are_those_of_the_columns_with_their_arms(real):
    told = real.set_index(["study_id", "construct"])["printed"]
    assert told["duebruun2024", "pain_intensity"] == "difference -0.34 (-0.95 to 0.27); p 0.27"
    assert told["duebruun2024", "responder_pain_30"] == "LDN 6 mg 20/49, placebo 13/50"
    inferred = "; side inferred from the order of arms"
    assert told["beaudette2023", "depression"] == f"LDN -1.0, placebo -1.7; p 0.04{inferred}"
    # Both arms of this one another text names; these two lie on no side.
    assert told["beaudette2023", "pain_interference"] == "LDN -23, placebo -22; p 0.90"
    assert told["beaudette2023", "fatigue"] == "LDN -1.8, placebo -1.8; p 0.3"
    assert told["chindalore2005", "pain_intensity"] == "oxycodone + naltrexone 2 ug/day: p 0.006"
    assert told["martin2022", "responder_pain_50"] == "NNT 3.2"
    assert told["farahmand2012", "opioid_use"] == "difference 0.04; called not significant"
    assert told["cree2010", "mental_health"] == "difference 6; p < 0.01"
    assert told["paula2023", "pain_intensity"] == "within LDN + sham tDCS: p=0.001"


def test_shares_say_of_whom_they_are(real):
    """32% and 11% are whole counts of the 28 analysed and of the 31 randomised not; 37% is not."""
    own = real[real["study_id"] == "younger2013"].set_index("construct")
    told = own[["n_people", "people_are"]].agg(tuple, axis=1)
    assert told["responder_own_rule"] == (28, "analysed")
    assert told["vivid_dreams"] == told["responder_pain_30"] == (31, "randomised")
