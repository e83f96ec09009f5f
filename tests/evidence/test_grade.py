"""Ratings of the real evidence and of small bodies; each rule at its thresholds; refusals."""

import dataclasses
import math
import tomllib

import numpy as np
import pandas as pd
import pytest

from builders import CHOICES, body, counts, study, trial
from ldn_meta.errors import ArgumentError, DataError
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.directions import NO_COMPARISON
from ldn_meta.evidence.answer.pools import side_of
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.effects.rows import FURTHER_ARM
from ldn_meta.evidence.grade import (
    DOMAINS,
    FILE,
    NOT_RATED,
    SENTENCES,
    bodies_of_evidence,
    certainty_faults,
    certainty_tables,
    change_of_outcome,
    find_all,
    grade,
    imprecision_of,
    inconsistency,
    indirectness,
    information_size,
    match_rows,
    people_for_size,
    per_thousand,
    publication_bias,
    read_sentences,
    risk_of_bias,
    row_id,
    size_of_effect,
    thresholds,
)
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.protocol import GRADES, load_protocol

# -- the real evidence

KEY = ["indication_id", "construct", "comparator_class"]


@pytest.fixture(scope="module")
def outcomes(tables):
    return tables["certainty"]


@pytest.fixture(scope="module")
def domains(tables):
    return tables["certainty_domains"]


def test_every_reported_indication_has_its_main_outcome(outcomes, evidence):
    reported = evidence.indications[evidence.indications["is_reported"]]
    for row in reported.to_dict("records"):
        own = outcomes[
            (outcomes["indication_id"] == row["indication_id"])
            & (outcomes["outcome"] == "main outcome")
        ]
        assert set(own["construct"]) == {row["main_construct"]}
        assert row["main_comparator"] in set(own["comparator_class"])
    assert not outcomes.duplicated(KEY).any()


def test_the_certainty_is_the_start_less_what_the_domains_take(outcomes, domains):
    for row in outcomes.to_dict("records"):
        own = domains[(domains[KEY] == pd.Series({name: row[name] for name in KEY})).all(axis=1)]
        if row["certainty"] == NOT_RATED:
            assert own.empty
            assert row["why_not_rated"] != "none"
            continue
        assert tuple(own["domain"]) == DOMAINS
        assert row["certainty"] == grade(row["start"], own["level"].tolist())
        assert row["certainty"] in GRADES


def test_no_text_is_blank_or_nan(outcomes, domains):
    for frame in (outcomes, domains):
        for column in frame.columns[frame.dtypes == frame["construct"].dtype]:
            cells = frame[column].astype(str)
            assert (cells.str.strip() != "").all(), column
            assert not cells.str.contains(r"\bnan\b|inf\b|None").any(), column


def test_a_decision_is_the_judgement_or_the_rule(domains):
    judged = domains["judgement"] != "none"
    assert (domains.loc[~judged, "level"] == domains.loc[~judged, "computed_level"]).all()
    assert (domains.loc[~judged, "status"] == "computed").all()
    assert (domains.loc[judged, "reason"].str.len() > 20).all()
    overridden = domains["status"] == "overridden"
    assert (domains.loc[overridden, "level"] != domains.loc[overridden, "computed_level"]).all()
    always = domains["domain"].isin(["risk_of_bias", "publication_bias"])
    assert judged[always].all()


def test_fibromyalgia_pain_by_hand(outcomes, domains):
    row = outcomes[outcomes["indication_id"] == "fibromyalgia"].iloc[0]
    assert (row["construct"], row["people"], row["synthesis"]) == (
        "pain_intensity",
        195,
        "meta-analysis",
    )
    # The interval to read, -1.33 to 1.45, reaches an important effect on both sides.
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx([-1.330, 1.448], abs=1e-3)
    assert row["interval"] == "95% credible interval"
    assert row["imprecision_level"] == -2
    value = domains.loc[domains["domain"] == "imprecision", "value"].iloc[0]
    assert "95% credible interval (-1.33 to 1.45)" in value
    # Neither trial is at low risk; what could not be read counts against, here as elsewhere.
    assert row["risk_of_bias_level"] == -1
    # I2 = 1 - 1 / 2.593 = 61%, but -0.34 and 0.49 both lie between -1 and 1.
    assert row["inconsistency_level"] == 0
    note = domains.loc[domains["domain"] == "inconsistency", "note"].iloc[0]
    assert note.startswith("I2 is 61%, but the estimates of the trials lie on the same side")
    assert (row["size"], row["information_size"]) == ("trivial", 122)
    taken = row[[f"{name}_level" for name in DOMAINS]].tolist()
    assert row["certainty"] == grade("high", [int(level) for level in taken])


def test_one_event_is_no_certainty(outcomes):
    row = outcomes[outcomes["construct"] == "serious_adverse_event"].iloc[0]
    # 0 of 49 against 1 of 50.
    assert row["per_1000_without"] == pytest.approx(20)
    assert row["imprecision_level"] == -3
    assert row["certainty"] == "very low"


def test_a_condition_without_a_comparison_is_not_rated(outcomes):
    rows = outcomes[outcomes["indication_id"] == "complex_regional_pain_syndrome"]
    assert set(rows["certainty"]) == {NOT_RATED}
    assert rows["estimate"].isna().all()
    assert rows["imprecision_level"].isna().all()
    assert "no comparison is printed" in rows["why_not_rated"].iloc[0]


def test_a_comparison_that_tells_nothing_is_not_rated(outcomes):
    row = line_of(outcomes, "multiple_sclerosis", "serious_adverse_event", "placebo")
    # Nobody had one on either side: told, and no side to rate.
    assert row["synthesis"] == "compared, the same in both"
    assert "the same in both: Cree 2010 LDN 0, placebo 0" in row["why_not_rated"]
    assert row["certainty"] == NOT_RATED


def test_a_trial_that_prints_its_arms_together_is_no_lack_of_a_comparative_study(outcomes):
    row = line_of(outcomes, "crohns_disease", "clinical_remission", "placebo")
    assert row["why_not_rated"].startswith("compared by Smith 2013, but printed of one arm or of")
    row = line_of(outcomes, "crohns_disease", "serious_adverse_event", "placebo")
    assert row["why_not_rated"].startswith("compared, and the same in both: Smith 2013")


def test_people_behind_a_rating_are_those_of_the_page_without_pooling(outcomes, tables):
    told = tables["directions"].set_index(["study_id", "construct"])
    rated = outcomes[outcomes["synthesis"] == "direction only"].to_dict("records")
    assert len(rated) > 20
    for row in rated:
        own = told.loc[[(name, row["construct"]) for name in row["study_ids"].split()]]
        assert row["people"] == own["n_people"].sum()
        early = own[~own["people_are"].isin(["analysed", "NR"])]
        assert row["counted_before"] == early["n_people"].sum()
        assert row["counted_at"] == (" or ".join(early["people_are"].unique()) or "none")


def test_a_rating_without_a_pool_has_the_side_of_the_directions_table(outcomes, tables):
    """One function says the side: of every rating, and never the words of a report."""
    told = tables["directions"][tables["directions"]["sign_from"] != NO_COMPARISON]
    rows = outcomes[(outcomes["synthesis"] == "direction only")].to_dict("records")
    assert len(rows) > 20
    for row in rows:
        own = told[np.all([told[name] == row[name] for name in KEY], axis=0)]
        own = own[own["study_id"].isin(row["study_ids"].split())]
        assert row["direction"] == side_of(own["sign"])


def test_another_comparator_is_rated_apart(outcomes):
    rows = outcomes[
        (outcomes["indication_id"] == "mixed_chronic_pain")
        & (outcomes["construct"] == "pain_intensity")
    ]
    assert rows["comparator_class"].tolist() == ["placebo", "usual care"]
    # The study without randomisation was judged against a trial: what it lacks is taken off once.
    assert rows["start"].tolist() == ["high", "high"]
    assert rows["risk_of_bias_level"].tolist() == [-2, -3]
    assert rows["study_ids"].tolist() == ["beaudette2023", "martin2022"]


def rated(build, **choices):
    evidence = build.load()
    effects, left_out = normalise(evidence, choices["protocol"])
    return bodies_of_evidence(Answers(evidence, choices["protocol"], effects, left_out))


def test_randomised_studies_are_rated_without_the_others(build, protocol):
    for name, randomised in (("a2001", "yes"), ("b2002", "no")):
        build.trial(name, is_randomised=randomised, n=(15, 15))
        build.contrast(name, measure="statement", direction="favours treatment")
    (body,) = rated(build, protocol=protocol)
    assert [study.study_id for study in body.studies] == ["a2001"]
    assert (body.start, body.people, body.kind) == ("high", 30, "direction only")


def test_people_in_a_comparison_go_before_people_in_the_study(build, protocol):
    build.trial("a2001", n_analysed=99)
    build.contrast("a2001", measure="statement", direction="no difference", n_1=20, n_2=21)
    (body,) = rated(build, protocol=protocol)
    assert body.people == 41


def test_no_data_at_all_still_gives_the_main_outcome(build, protocol):
    (body,) = rated(build, protocol=protocol)
    assert (body.construct, body.kind, body.is_rated) == (
        "pain_intensity",
        "not found in what was read",
        False,
    )
    build.rows["indications"][0]["intervention"] = "LDN"
    evidence = build.load()
    effects, left_out = normalise(evidence, protocol)
    choices = dataclasses.replace(protocol.certainty, scales={}, rated_for={})
    protocol = dataclasses.replace(protocol, certainty=choices)
    outcomes, domains, _ = certainty_tables(Answers(evidence, protocol, effects, left_out))
    assert outcomes["certainty"].tolist() == [NOT_RATED]
    assert outcomes["why_not_rated"].tolist() == ["no study on file reported it"]
    assert domains.empty


@pytest.fixture(scope="module")
def found(evidence, protocol, effects, left_out):
    """Every rated body with what the rules found, and the others, once."""
    bodies = bodies_of_evidence(Answers(evidence, protocol, effects, left_out))
    rated = [(b, find_all(b, protocol.certainty, {})) for b in bodies if b.is_rated]
    return rated, [b for b in bodies if not b.is_rated]


def judged(evidence, change):
    """The evidence with another certainty.csv."""
    rows = evidence.text["certainty"].to_dict("records")
    table = pd.DataFrame(change(rows), columns=evidence.text["certainty"].columns)
    return dataclasses.replace(evidence, text={**evidence.text, "certainty": table})


def refused(evidence, found):
    with pytest.raises(DataError) as error:
        match_rows(evidence, *found)
    return [str(fault) for fault in error.value.faults]


def place_of(evidence):
    """A judgement of risk of bias in fibromyalgia."""
    table = evidence.text["certainty"]
    is_one = (table["domain"] == "risk_of_bias") & (table["indication_id"] == "fibromyalgia")
    return int(is_one.to_numpy().argmax())


def test_a_row_about_a_study_that_was_left_out_stays(raw):
    """The way to leave a trial out is one cell; its ratings say nothing, and are no fault."""
    row = raw.find("studies", study_id="innova2026")
    row["eligible_for"], row["eligibility_reason"] = "excluded", "left out"
    folder = raw.save()
    evidence, protocol = load_evidence(folder), load_protocol(folder)
    tables = certainty_tables(Answers(evidence, protocol, *normalise(evidence, protocol)))
    named = " ".join(tables.certainty["study_ids"])
    assert "younger2013" in named
    assert "innova2026" not in named


def test_a_rating_under_another_answer_is_that_of_the_other_plan(evidence, protocol):
    """Each is computed from the bodies at hand; here everything is rated again by the plan."""
    name = "painful_diabetic_neuropathy"
    one = evidence.for_indication(name)
    # What the plan says of other conditions, and of rows of their trials, is not asked here.
    stated = protocol.certainty
    scales = {n: dataclasses.replace(s, sd_row="none") for n, s in stated.scales.items()}
    rated_for = {name: stated.rated_for[name]}
    choices = dataclasses.replace(stated, rated_for=rated_for, scales=scales)
    protocol = dataclasses.replace(protocol, certainty=choices)
    answers = Answers(one, protocol, *normalise(one, protocol))
    tables = certainty_tables(answers)
    key = ["indication_id", "construct", "comparator_class"]
    before = tables.certainty.set_index(key)["certainty"]
    told = tables.certainty_otherwise
    for choice, words, plan in protocol.otherwise():
        if choice.name not in ("certainty.indirectness", "certainty.scale.pain_intensity"):
            continue
        again = certainty_tables(dataclasses.replace(answers, protocol=plan))
        after = again.certainty.set_index(key)["certainty"]
        rows = told[(told["choice"] == choice.what) & (told["answer"] == words)].set_index(key)
        moved = after[after != before]
        is_moved = rows["certainty"] != rows["certainty_otherwise"]
        assert rows.loc[is_moved, "certainty_otherwise"].to_dict() == moved.to_dict()


def test_by_the_wald_interval_two_trials_on_pain_would_be_rated_higher(tables):
    rows = tables["certainty_otherwise"].set_index(["indication_id", "construct", "answer"])
    row = rows.loc["fibromyalgia", "pain_intensity", "interval of two trials: Wald (normal)"]
    main = tables["certainty"].set_index(["indication_id", "construct"])
    levels = main.loc["fibromyalgia", "pain_intensity"]
    # -0.78 to 0.84 holds no difference of a point, and enough people were studied.
    assert row["domains"] == f"imprecision: {levels['imprecision_level']:g} to 0"
    assert levels["people"] >= levels["information_size"]
    left = GRADES.index("high") + levels["risk_of_bias_level"]
    assert (row["certainty"], row["certainty_otherwise"]) == ("very low", GRADES[int(left)])


def test_a_missing_judgement_names_the_row_to_add(evidence, found):
    place = place_of(evidence)
    gone = evidence.text["certainty"].iloc[place]
    less = judged(evidence, lambda rows: rows[:place] + rows[place + 1 :])
    (text,) = refused(less, found)
    # The header is line 1.
    assert text.startswith(f"certainty:{place + 2}:row_id: value '{gone['row_id']}' is missing: ")
    assert f"add the row {gone['row_id']} with one of " in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"construct": "nausea"}, "construct: value 'nausea' is not rated against placebo in "),
        (
            {"comparator_class": "usual care"},
            "is not rated against usual care in fibromyalgia: no ",
        ),
    ],
)
def test_a_judgement_of_what_is_not_rated(evidence, found, change, message):
    place = place_of(evidence)
    changed = judged(
        evidence, lambda rows: [*rows[:place], rows[place] | change, *rows[place + 1 :]]
    )
    texts = refused(changed, found)
    assert len(texts) == 2, "one judgement too many, one too few"
    assert any(f"certainty:{place + 2}:" in text and message in text for text in texts)
    assert all("; " in text for text in texts)


def test_a_judgement_of_a_misspelt_comparator_is_told_what_was_meant(evidence, found):
    place = place_of(evidence)
    changed = judged(
        evidence,
        lambda rows: [
            *rows[:place],
            rows[place] | {"comparator_class": "placeb"},
            *rows[place + 1 :],
        ],
    )
    (text,) = (text for text in refused(changed, found) if "placeb in" in text)
    assert "; did you mean 'fibromyalgia-" in text


LESS_PAIN = {
    "row_id": "zzz",
    "indication_id": "fibromyalgia",
    "construct": "responder_pain_30",
    "comparator_class": "placebo",
    "domain": "inconsistency",
    "kind": "override",
    "judged_by": "this project",
    "reason": "both are small",
    "rests_on": "studies",
    "note": "NA",
}


def test_an_override_of_a_rule(evidence, protocol, effects, left_out):
    more = judged(evidence, lambda rows: [*rows, LESS_PAIN | {"judgement": "not serious"}])
    outcomes, domains, _ = certainty_tables(Answers(more, protocol, effects, left_out))
    assert outcomes["inconsistency_level"].iloc[1] == 0
    row = domains[domains["domain"] == "inconsistency"].iloc[1]
    assert (row["computed_level"], row["level"], row["status"]) == (-1, 0, "overridden")
    assert row["reason"] == "both are small"


def test_an_override_that_overrides_nothing(evidence, found):
    (text,) = refused(
        judged(evidence, lambda rows: [*rows, LESS_PAIN | {"judgement": "serious"}]), found
    )
    assert "overrides nothing: the rule of inconsistency says the same; delete the row" in text


def test_three_levels_for_bias_are_for_studies_without_randomisation(evidence, found):
    place = place_of(evidence)
    worst = {"judgement": "extremely serious"}
    (text,) = refused(
        judged(evidence, lambda rows: [*rows[:place], rows[place] | worst, *rows[place + 1 :]]),
        found,
    )
    assert f"certainty:{place + 2}:judgement" in text
    assert "risk of bias of randomised studies; use one of not serious, serious" in text


def test_every_outcome_told_anywhere_is_rated_or_has_its_reason(tables, evidence, outcomes):
    """Walk every effect and every told direction; find it in the table of ratings."""
    reported = set(evidence.indications.loc[evidence.indications["is_reported"], KEY[0]])
    compared = [
        tables["directions"][tables["directions"]["sign_from"] != NO_COMPARISON],
        tables["effects"][tables["effects"]["kind"] == "contrast"],
        tables["left_out"][tables["left_out"]["kind"] == "contrast"],
    ]
    studies = evidence.studies
    isolates = studies.loc[studies["eligible_for"] == "contrast", "study_id"]
    told = {
        key
        for frame in compared
        for key in frame[frame["study_id"].isin(isolates)][KEY].itertuples(index=False, name=None)
        if key[0] in reported and key[2] not in ("none", FURTHER_ARM)
    }
    assert len(told) > 70
    keys = outcomes[KEY].itertuples(index=False, name=None)
    lines = dict(zip(keys, outcomes.to_dict("records"), strict=True))
    assert told <= set(lines)
    reasons = [lines[key]["why_not_rated"] for key in told]
    assert not any("nobody has said why" in reason for reason in reasons)
    for key in told:
        row = lines[key]
        assert (row["certainty"] == NOT_RATED) == (row["why_not_rated"] != "none")
        # What has an effect that enters a pool is rated, or is another measure of what is.
        if row["synthesis"] in ("meta-analysis", "one trial") and row["certainty"] == NOT_RATED:
            assert "another measure of the group" in row["why_not_rated"]


def line_of(outcomes, *key):
    (row,) = outcomes[(outcomes[KEY] == list(key)).all(axis=1)].to_dict("records")
    return row


def test_a_printed_rate_ratio_is_rated(outcomes):
    # 8 events against 52 over equal time: ratio 0.154, log SE sqrt(1/8 + 1/52) = 0.380.
    row = line_of(outcomes, "painful_diabetic_neuropathy", "adverse_event_count", "active drug")
    assert (row["measure"], row["people"], row["synthesis"]) == ("IRR", 67, "one trial")
    half = 1.959964 * math.sqrt(1 / 8 + 1 / 52)
    assert row["estimate"] == pytest.approx(math.log(8 / 52), abs=1e-5)
    assert row["ci_low"] == pytest.approx(math.log(8 / 52) - half, abs=1e-4)
    assert row["ci_high"] == pytest.approx(math.log(8 / 52) + half, abs=1e-4)
    assert row["caution"].startswith("Rests on an approximation: events counted as independent")
    # 67 people are few; a size nobody can compute is no reason for a second level.
    assert math.isnan(row["information_size"])
    assert (row["imprecision_level"], row["certainty"]) == (-1, "very low")


def test_what_the_questions_ask_for_has_a_line(outcomes):
    pain = line_of(outcomes, "multiple_sclerosis", "pain_interference", "placebo")
    assert pain["estimate"] == pytest.approx(-1.6)
    remission = line_of(outcomes, "crohns_disease", "endoscopic_remission", "placebo")
    assert "LDN 33%, placebo 8%" in remission["printed"]
    impact = line_of(outcomes, "fibromyalgia", "disease_impact", "placebo")
    assert "-1.65" in impact["printed"]
    for harm, printed in (("constipation", "reduction 44%"), ("pruritus", "reduction 51%"),
                          ("somnolence", "reduction 33%")):  # fmt: skip
        row = line_of(outcomes, "opioid_combination", f"{harm}_moderate_severe", "opioid alone")
        assert printed in row["printed"]
        assert row["certainty"] == "very low"
    left = line_of(outcomes, "opioid_combination", "discontinuation_any", "opioid alone")
    assert "48 to 60%" in left["why_not_rated"]
    dreams = line_of(outcomes, "fibromyalgia", "vivid_dreams", "placebo")
    assert (dreams["direction"], "37%, placebo 13%" in dreams["printed"]) == (
        "favours comparator",
        True,
    )


def test_nobody_is_rated_twice(outcomes):
    # INNOVA's range of p is over the responder rates that are counted by arm.
    row = line_of(outcomes, "fibromyalgia", "responder_own_rule", "placebo")
    assert (row["study_ids"], row["people"]) == ("younger2013", 28)


def test_an_unexpected_spread_is_named(outcomes):
    row = line_of(outcomes, "painful_diabetic_neuropathy", "pain_intensity", "active drug")
    # Interval -1.11 to 4.13 of 100 in 67 pairs: SE 1.337, SD 10.9; sqrt(2 (1 - 0.6)) 19.6 = 17.5.
    assert "an SD of differences of 1.09 points" in row["caution"]
    assert "give 1.75" in row["caution"]
    # 1 - 10.94^2 / (2 19.6^2) = 0.844; 1.96 x 17.53 / sqrt(67) = 4.20.
    assert "a correlation of 0.84" in row["caution"]
    assert row["caution"].endswith("the interval is -0.27 to 0.57.")
    assert "the side is not known" in row["caution"]


def test_people_lost_are_those_the_registry_counts(outcomes, evidence):
    arms = evidence.arms[evidence.arms["study_id"] == "smith2011"]
    assert arms["n_completed"].tolist() == [20, 19]
    assert line_of(outcomes, "crohns_disease", "clinical_response", "placebo")[
        "risk_of_bias_level"
    ] == -1  # fmt: skip


def test_all_faults_are_told_at_once(evidence, found):
    fewer = judged(evidence, lambda rows: [rows[0] | {"construct": "nausea"}, *rows[3:]])
    texts = refused(fewer, found)
    assert len([text for text in texts if "is missing" in text]) == 3
    assert len([text for text in texts if "is not rated" in text]) == 1


@pytest.mark.parametrize(
    ("domain", "change", "message"),
    [
        ("publication_bias", {"kind": "override"},
         "kind: value 'override' publication_bias is judged; write judgement"),
        ("publication_bias", {"judgement": "serious"},
         "judgement: value 'serious' is no judgement of publication_bias; use one of undetected"),
        ("publication_bias", {"domain": "imprecision", "judgement": "serious"},
         "kind: value 'judgement' imprecision is computed; write override"),
        ("risk_of_bias", {"judgement": "undetected"}, "'undetected' is no judgement of risk_of"),
        ("inconsistency", {"kind": "override", "domain": "inconsistency",
                           "judgement": "extremely serious"},
         "'extremely serious' is no judgement of inconsistency; use one of not serious, serious"),
        ("outcome", {"kind": "override"}, "'override' outcome is about all of it; write not ra"),
        ("outcome", {"judgement": "serious"}, "'serious' is no judgement of outcome; use one of"),
    ],
)  # fmt: skip
def test_a_row_that_contradicts_itself(evidence, domain, change, message):
    rows = evidence.text["certainty"].to_dict("records")
    first = "risk_of_bias" if domain == "inconsistency" else domain
    place = next(i for i, row in enumerate(rows) if row["domain"] == first)
    changed = judged(
        evidence, lambda rows: [*rows[:place], rows[place] | change, *rows[place + 1 :]]
    )
    (fault,) = certainty_faults(changed)
    assert str(fault).startswith(f"certainty:{place}:")
    assert message in str(fault)


def test_two_judgements_of_the_same(evidence):
    twice = judged(evidence, lambda rows: [*rows, rows[0] | {"row_id": "zzz"}])
    (fault,) = certainty_faults(twice)
    assert "line 0 judges the same outcome and domain; keep one of the two" in str(fault)


def test_the_table_of_the_project_is_in_order(evidence):
    assert list(certainty_faults(evidence)) == []
    text = evidence.text["certainty"]
    assert text["row_id"].is_monotonic_increasing
    keys = text[["indication_id", "construct", "comparator_class", "domain"]]
    assert text["row_id"].tolist() == [row_id(tuple(key)) for key in keys.to_numpy()]


def test_numbers_of_the_table_are_finite_or_missing(outcomes):
    numbers = outcomes.select_dtypes("number")
    assert not numbers.isin([math.inf, -math.inf]).any().any()


# -- each domain

TWO = (trial(-0.5, 0.5, "ames2001"), trial(-0.5, 0.5, "bell2002"))
OPEN_COHORT = {"is_randomised": "no"}


@pytest.mark.parametrize(
    ("words", "level"),
    [
        (("low", "low"), 0),
        (("low", "some concerns"), -1),
        (("low", "TODO"), -1),
        (("low", "no information"), -1),
        (("some concerns", "some concerns"), -1),
        (("low", "high"), -2),
        (("high", "critical"), -3),
        (("moderate", "low"), -1),
    ],
)
def test_risk_of_bias_of_two_equal_trials(words, level):
    # Half of the weight is at least half of it.
    found = risk_of_bias(
        body(*TWO), CHOICES, dict(zip(("ames2001", "bell2002"), words, strict=True))
    )
    assert found.level == level
    assert "ames2001" in found.value


def test_risk_of_bias_goes_by_weight():
    # Weights of 4 to 1: the small trial at high risk does not carry half of the information.
    rated = body(trial(-0.5, 0.5, "ames2001"), trial(-1.0, 1.0, "bell2002"))
    judged = {"ames2001": "low", "bell2002": "high"}
    found = risk_of_bias(rated, CHOICES, judged)
    assert found.level == 0
    assert "20% of the weight at high risk" in found.value
    assert risk_of_bias(rated, CHOICES, {"ames2001": "high", "bell2002": "low"}).level == -2


def test_a_study_nobody_judged_is_named():
    found = risk_of_bias(body(*TWO), CHOICES, {})
    assert found.level == -1
    assert found.value.count("not judged") == 2


@pytest.mark.parametrize(
    ("word", "left"),
    [("low", "high"), ("moderate", "low"), ("serious", "low"), ("critical", "very low")],
)
def test_without_randomisation_what_lacks_is_taken_off_once(word, left):
    # GRADE guidance 18: a study judged with ROBINS-I starts high and rarely ends above low.
    cohort = [study("ames2001", tool="ROBINS-I", **OPEN_COHORT)]
    rated = body(told={"ames2001": 1.0}, studies=cohort)
    assert rated.start == "high"
    found = risk_of_bias(rated, CHOICES, {"ames2001": word})
    assert grade(rated.start, [found.level]) == left


def test_a_study_judged_against_no_trial_starts_low():
    cohort = [study("ames2001", **OPEN_COHORT)]
    assert body(told={"ames2001": 1.0}, studies=cohort).start == "low"
    assert risk_of_bias(body(*TWO[:1]), CHOICES, {"ames2001": "moderate"}).level == -1


def equal_pair(i2):
    """Two trials of variance 1 whose I2 is as asked: Q = d^2 / 2, I2 = 1 - 1 / Q."""
    gap = math.sqrt(2 / (1 - i2 / 100))
    cells = {"vi": 1.0, "unit": "points (0-10)"}
    return body(
        {"study_id": "ames2001", "yi": 0.0, **cells}, {"study_id": "bell2002", "yi": gap, **cells}
    )


@pytest.mark.parametrize(
    ("i2", "level"), [(0.0, 0), (49.0, 0), (51.0, -1), (74.0, -1), (86.0, -1)]
)
def test_bands_of_i2_while_intervals_overlap(i2, level):
    rated = equal_pair(i2)
    assert float(rated.pool.result.i2_pct) == pytest.approx(i2, abs=1e-9)
    found = inconsistency(rated, CHOICES)
    assert found.level == level
    assert "all intervals overlap" in found.value
    assert "of two trials, where one is printed, comes from the prior" in found.value


def test_intervals_apart_with_a_high_i2_take_two():
    # 2 x 1.96 apart: intervals touch at Q = 7.68, I2 = 87%.
    found = inconsistency(equal_pair(88.0), CHOICES)
    assert found.level == -2
    assert "intervals do not overlap: ames2001 and bell2002" in found.value


@pytest.mark.parametrize(
    ("effects", "level"),
    [
        # Important from 1 point on; narrow trials, so that I2 is high throughout.
        ((-0.6, 0.6), 0),
        ((-0.9, 0.9), 0),
        ((-1.0, 0.6), -2),
        ((-1.2, 0.6), -2),
        ((-1.2, 1.2), -2),
        ((0.4, 1.2), -2),
        # Both say that it matters: they agree on what is asked.
        ((-1.2, -4.0), 0),
        ((1.0, 4.0), 0),
    ],
)
def test_trials_in_one_zone_are_not_inconsistent(effects, level):
    """GRADE 7: some suggest substantial benefit, others none or harm; not large against small."""
    rows = [trial(yi - 0.2, yi + 0.2, f"s{i}") for i, yi in enumerate(effects)]
    found = inconsistency(body(*rows), CHOICES)
    assert found.level == level
    side = "different sides" if level else "the same side"
    assert f"lie on {side} of every important difference (-1 and +1, in points" in found.value
    assert ("is not taken off again" in found.note) == (level == 0)


@pytest.mark.parametrize(
    ("effects", "level"), [((0.5, 3.0), 0), ((-0.5, 3.0), -2), ((0.0, 3.0), 0)]
)
def test_without_an_important_difference_the_two_sides_of_none_count(effects, level):
    rows = [
        trial(
            yi - 0.2, yi + 0.2, f"s{i}", unit="points (range not reported)", has_known_scale=True
        )
        for i, yi in enumerate(effects)
    ]
    found = inconsistency(body(*rows), CHOICES)
    assert found.level == level
    assert "side of no difference" in found.value or "sides of no difference" in found.value


def test_a_prediction_interval_that_reaches_further_than_the_interval():
    means = (-1.05, -0.3, 0.0, 0.3, 0.5, 0.1)
    rows = [trial(mean - 0.8, mean + 0.8, f"s{i}") for i, mean in enumerate(means)]
    spread = body(*rows)
    result = spread.pool.result
    assert float(result.pi_low) < -1 < float(result.ci_low)
    found = inconsistency(spread, CHOICES)
    assert found.level == -1
    assert float(result.i2_pct) < 50
    assert "the prediction interval reaches an important effect" in found.value
    # The same spread between trials that all lie between the two thresholds takes nothing.
    less = body(*(r | {"yi": 0.9 * r["yi"]} for r in rows))
    assert inconsistency(less, CHOICES).level == 0


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({"a2001": 1.0}, 0),
        ({"a2001": 1.0, "b2002": 1.0}, 0),
        # Not called different is no known side.
        ({"a2001": 1.0, "b2002": math.nan}, 0),
        ({"a2001": 1.0, "b2002": 0.0}, 0),
        ({"a2001": 1.0, "b2002": -1.0}, -1),
    ],
)
def test_directions_without_numbers(told, level):
    assert inconsistency(body(told=told), CHOICES).level == level


@pytest.mark.parametrize(
    ("interval", "told", "level"),
    [
        # An estimate has a side, whatever its interval.
        ((-0.6, 0.5), math.nan, 0),
        ((-0.6, 0.5), 1.0, 0),
        ((-0.5, 0.6), 1.0, -1),
        ((-1.5, -0.5), 1.0, 0),
        ((-1.5, -0.5), -1.0, -1),
    ],
)
def test_one_trial_beside_what_another_tells(interval, told, level):
    # Less pain is better: an interval below nought favours treatment.
    found = inconsistency(body(trial(*interval), told={"other": told}), CHOICES)
    assert found.level == level
    assert f"told without numbers: other: {side_of([told])}" in found.value


def test_one_trial_alone_is_not_inconsistent():
    found = inconsistency(body(trial(-3, 3)), CHOICES)
    assert found.level == 0
    assert "nothing to compare it with" in found.value


@pytest.mark.parametrize(
    ("cells", "level", "words"),
    [
        ({}, 0, "no mismatch found"),
        ({"dose_high_mg_per_day": "1"}, 0, "no mismatch"),
        ({"dose_high_mg_per_day": "6"}, 0, "no mismatch"),
        ({"dose_high_mg_per_day": "0.9"}, -1, "target dose outside 1 to 6 mg a day (100%)"),
        ({"dose_high_mg_per_day": "6.5"}, -1, "target dose outside"),
        ({"duration_weeks": "8"}, 0, "no mismatch"),
        ({"duration_weeks": "7.9"}, -1, "treatment shorter than 8 weeks (100%)"),
        ({"duration_weeks": "2", "dose_high_mg_per_day": "50"}, -2, "outside"),
        ({"duration_weeks": "NR"}, 0, "duration not reported or not applicable: ames2001"),
        ({"dose_high_mg_per_day": "NR"}, 0, "dose not reported or not applicable: ames2001"),
    ],
)
def test_indirectness_of_one_trial(cells, level, words):
    found = indirectness(body(TWO[0], studies=[study("ames2001", **cells)]), CHOICES)
    assert found.level == level
    assert words in found.value


def test_indirectness_goes_by_weight():
    short = [study("ames2001"), study("bell2002", duration_weeks="4")]
    small = body(trial(-0.5, 0.5, "ames2001"), trial(-0.6, 0.6, "bell2002"), studies=short)
    found = indirectness(small, CHOICES)
    assert found.level == 0
    assert "treatment shorter than 8 weeks (41%)" in found.value
    assert indirectness(body(*TWO, studies=short), CHOICES).level == -1


def test_another_comparator_and_a_surrogate():
    rated = body(TWO[0], comparator_class="usual care")
    assert indirectness(rated, CHOICES).level == -1
    surrogate = body(TWO[0], construct="endoscopic_response")
    assert indirectness(surrogate, CHOICES).level == -1
    assert indirectness(body(TWO[0], domain="mechanism"), CHOICES).level == -1
    both = body(TWO[0], construct="endoscopic_response", comparator_class="usual care")
    assert indirectness(both, CHOICES).level == -2


# SD 1.96 and one point: 4 (1.959964 + 0.841621)^2 1.96^2 = 120.6, 61 an arm.
NEEDED = 122


@pytest.mark.parametrize(
    ("interval", "people", "level"),
    [
        ((-0.5, 0.5), 200, 0),
        ((-0.5, 0.5), NEEDED, 0),
        ((-0.5, 0.5), NEEDED - 2, -1),
        ((-0.5, 0.5), NEEDED / 2, -1),
        ((-0.5, 0.5), NEEDED / 2 - 2, -2),
        ((-0.999, 0.999), 200, 0),
        ((-1.0, 0.5), 200, -1),
        ((-0.5, 1.0), 200, -1),
        ((-0.5, 1.0), 20, -1),
        ((-1.0, 1.0), 200, -2),
        ((-3.4, 3.4), 200, -2),
        ((-3.5, 3.5), 200, -3),
        ((-9.0, 3.4), 200, -2),
        ((-3.0, -1.1), 200, 0),
        ((-3.0, -1.0), 200, -1),
    ],
)
def test_imprecision_of_a_difference(interval, people, level):
    half = people / 2
    rated = body(trial(*interval, n_1=half, n_2=half))
    assert information_size(rated, CHOICES) == NEEDED
    assert imprecision_of(rated, CHOICES).level == level


def test_people_of_a_crossover_count_once_in_each_arm():
    rated = body(trial(-0.5, 0.5, n_1=62.0, n_2=62.0, is_paired=True))
    assert rated.people == 62
    assert people_for_size(rated) == 124
    found = imprecision_of(rated, CHOICES)
    assert found.level == 0
    assert "124 people, counted once in each arm, for an information size of 122" in found.value
    # 60 in both arms are 120, and take a level.
    assert found.value.endswith("fewer than 61 in both arms would be too few: one level")
    fewer = imprecision_of(body(trial(-0.5, 0.5, n_1=60.0, n_2=60.0, is_paired=True)), CHOICES)
    assert fewer.level == -1
    assert "too few" not in fewer.value


def test_of_two_trials_the_interval_to_read_is_held_against_the_thresholds():
    # Pooled, 1.1 / sqrt(2) = 0.78 excludes one point; with the prior the interval is wider.
    rows = [trial(-1.1, 1.1, name, n_1=99.0, n_2=99.0) for name in ("a2001", "b2002")]
    rated = body(*rows)
    assert rated.interval.has_prior
    assert rated.interval.high > 1
    found = imprecision_of(rated, CHOICES)
    assert found.level == -2
    assert "the 95% credible interval (-1." in found.value
    three = body(*rows, trial(-1.1, 1.1, "c2003", n_1=99.0, n_2=99.0))
    assert "the 95% CI (-" in imprecision_of(three, CHOICES).value


@pytest.mark.parametrize(
    ("risk", "low", "high"),
    [
        # 25% of 200 per 1,000 is 50 people, nearer than 100.
        (0.2, 0.75, 1.25),
        # At a risk of 0.4 both are the same distance; above it 100 people are nearer.
        (0.4, 0.75, 1.25),
        (0.5, 0.8, 1.2),
        (0.8, 0.875, 1.125),
        # 100 more of 1,000 is more than everybody.
        (0.95, 1 - 0.1 / 0.95, 1.25),
    ],
)
def test_thresholds_of_a_ratio(risk, low, high):
    rated = body(counts(90 * risk, 100, 100 * risk, 100), construct="responder_pain_30")
    assert [math.exp(end) for end in thresholds(rated, CHOICES)] == pytest.approx([low, high])


def test_imprecision_of_a_ratio():
    wide = body(counts(10, 50, 9, 50))
    assert imprecision_of(wide, CHOICES).level == -3
    assert "large effects both ways" in imprecision_of(wide, CHOICES).value
    narrow = body(counts(800, 4000, 800, 4000))
    assert imprecision_of(narrow, CHOICES).level == 0
    # 1 / 500 - 1 / 2500 twice: 0.90 to 1.11 by hand.
    one_side = body(counts(160, 1000, 190, 1000))
    found = imprecision_of(one_side, CHOICES)
    assert found.level == -1
    assert "an important effect (a ratio of 0.75)" in found.value


def test_no_event_without_the_drug_leaves_the_size_undefined():
    row = counts(3, 50, 1, 50) | {"events_2": 0, "yi": 0.0, "vi": 0.001}
    rated = body(row)
    assert math.isnan(information_size(rated, CHOICES))
    found = imprecision_of(rated, CHOICES)
    # A size that is not defined takes nothing; 400 people or fewer take one level.
    assert found.level == -1
    assert "an information size is not defined, and 400 or fewer are few" in found.value
    many = body(row | {"n_1": 300, "n_2": 300})
    assert math.isnan(information_size(many, CHOICES))
    assert imprecision_of(many, CHOICES).level == 0
    assert all(math.isnan(value) for value in per_thousand(rated).values())


@pytest.mark.parametrize(
    ("people", "level", "words"),
    [
        (0, -2, "number of people not known"),
        (400, -2, "400 people known"),
        (401, -1, "401 people known"),
    ],
)
def test_imprecision_without_an_estimate(people, level, words):
    """Murad 2017, table 1: a total of 400 or less is concerning."""
    rated = body(told={"ames2001": 1.0}, studies=[study("ames2001", people=people)])
    found = imprecision_of(rated, CHOICES)
    assert (found.level, words in found.value) == (level, True)


def test_a_scale_without_an_important_difference_is_rated_by_people():
    rated = body(trial(-0.5, 0.5, unit="points (range not reported)"))
    found = imprecision_of(rated, CHOICES)
    assert found.level == -2
    assert "no important difference is stated for this scale" in found.value
    assert size_of_effect(rated, CHOICES) == "not known"


def test_publication_bias_is_judged_not_computed():
    found = publication_bias(body(*TWO, registered=("NCT1",)))
    assert found.level == 0
    assert "2 studies" in found.value
    assert "NCT1" in found.value


def test_every_domain_once_and_in_order():
    assert tuple(f.domain for f in find_all(body(*TWO), CHOICES, {})) == DOMAINS


@pytest.mark.parametrize(
    ("start", "levels", "left"),
    [
        ("high", [0, 0, 0, 0, 0], "high"),
        ("high", [-1, 0, 0, 0, 0], "moderate"),
        ("high", [-1, 0, 0, -1, 0], "low"),
        ("high", [0, 0, 0, -3, 0], "very low"),
        ("high", [-2, -2, -2, -3, -1], "very low"),
        ("low", [0, 0, 0, 0, 0], "low"),
        ("low", [-1, 0, 0, 0, 0], "very low"),
    ],
)
def test_what_is_left(start, levels, left):
    assert grade(start, levels) == left


@pytest.mark.parametrize(
    ("estimate", "size"),
    [
        (0.0, "trivial"), (-0.999, "trivial"), (-1.0, "small"), (1.0, "small"), (1.99, "small"),
        (2.0, "moderate"), (-3.4, "moderate"), (-3.5, "large"), (9.0, "large"),
    ],
)  # fmt: skip
def test_sizes_of_differences(estimate, size):
    assert size_of_effect(body({"yi": estimate}), CHOICES) == size


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        (1.0, "trivial"), (0.76, "trivial"), (1.24, "trivial"), (0.74, "small"), (1.26, "small"),
        (0.66, "moderate"), (1.51, "moderate"), (0.49, "large"), (2.01, "large"),
    ],
)  # fmt: skip
def test_sizes_of_ratios(ratio, size):
    row = counts(20, 100, 20, 100) | {"yi": math.log(ratio)}
    assert size_of_effect(body(row), CHOICES) == size


def test_change_needs_a_sign():
    assert change_of_outcome(body({"yi": -1.0})) == "lower"
    assert change_of_outcome(body({"yi": 1.0})) == "higher"
    printed = {"yi": 1.0, "route": "difference with CI", "direction": "not stated"}
    assert change_of_outcome(body(printed)) == "not known"
    assert change_of_outcome(body(told={"a": 1.0})) == "not known"


def test_absolute_effects_of_the_handbook():
    """Risk 100 per 1,000 and a ratio of 0.8 are 80 per 1,000: 20 fewer (Handbook 14.1.5)."""
    found = per_thousand(body(counts(8, 100, 10, 100)))
    assert found["per_1000_without"] == pytest.approx(100)
    assert found["per_1000_with"] == pytest.approx(80)
    assert found["per_1000_difference_with"] == pytest.approx(-20)


@pytest.mark.parametrize(
    ("risk", "ratio", "shown"),
    [
        # Summary of findings of Clarke 2016 (doi 10.1002/14651858.CD004002.pub3), compression
        # stockings: odds ratios and the risks printed beside them.
        (10, (0.10, 0.04, 0.25), (1, 0, 3)),
        (30, (0.10, 0.04, 0.25), (3, 1, 8)),
        (13, (0.45, 0.18, 1.13), (6, 2, 15)),
    ],
)
def test_absolute_effects_of_a_published_table(risk, ratio, shown):
    yi, low, high = (math.log(value) for value in ratio)
    row = counts(risk, 1000, risk, 1000) | {
        "measure": "OR", "unit": "log odds ratio", "yi": yi, "vi": ((high - low) / 3.919928) ** 2,
    }  # fmt: skip
    found = per_thousand(body(row))
    values = [found[f"per_1000_{name}"] for name in ("with", "low", "high")]
    assert found["per_1000_without"] == risk
    # The pooled interval is symmetric on the log scale, the printed one only nearly.
    assert values == pytest.approx(shown, abs=0.6)


def test_control_risk_is_that_of_all_people_together():
    found = per_thousand(body(counts(1, 10, 1, 10, "a2001"), counts(30, 90, 35, 90, "b2002")))
    assert found["per_1000_without"] == pytest.approx(1000 * 36 / 100)


def test_nobody_is_above_one_thousand():
    found = per_thousand(body(counts(49, 50, 40, 50)))
    assert max(found["per_1000_high"], found["per_1000_with"]) <= 1000


# -- wording that is data


@pytest.mark.parametrize(
    ("section", "sentence", "value", "message"),
    [
        ("imprecision", "rule", None, r"grade\.toml\.imprecision: 'rule' is missing"),
        ("imprecision", "rules", "x", r"grade\.toml\.imprecision: unknown choice rules; allowed"),
        ("imprecision", "size", "{their}", r"size: {their} is .*; did you mean 'there'\?"),
        ("share", "weight", 1, r"share\.weight: 1 is not allowed; allowed: text"),
    ],
)
def test_wording_that_no_rule_has(raw_folder, section, sentence, value, message):
    stated = tomllib.loads((raw_folder / FILE).read_text(encoding="utf-8"))
    assert set(read_sentences(stated)) == set(SENTENCES)
    stated[section].pop(sentence, None)
    if value is not None:
        stated[section][sentence] = value
    with pytest.raises(ArgumentError, match=message):
        read_sentences(stated)


def test_nothing_is_rated_without_words():
    with pytest.raises(ArgumentError, match=r"grade\.toml is missing; it says in which words"):
        read_sentences({})


def test_what_could_not_be_read_takes_a_level_and_is_no_fault():
    rated = body(*TWO)
    words = dict.fromkeys((s.study_id for s in rated.studies), "not readable here")
    found = risk_of_bias(rated, CHOICES, words)
    assert (found.level, found.otherwise, found.note != "none") == (-1, 0, True)
    first = next(iter(words))
    known = risk_of_bias(rated, CHOICES, words | dict.fromkeys(words, "some concerns"))
    assert (known.level, known.otherwise, known.note) == (-1, -1, "none")
    assert risk_of_bias(rated, CHOICES, words | {first: "high"}).level == -2
    assert risk_of_bias(rated, CHOICES, dict.fromkeys(words, "low")).otherwise == 0


def test_the_rating_otherwise_is_one_call(domains, outcomes):
    """Pain: by the spread alone one level more; with full reports at low risk one level less."""
    is_pain = (domains["indication_id"] == "fibromyalgia") & (
        domains["construct"] == "pain_intensity"
    )
    own = domains[is_pain].set_index("domain")
    spread, bias = own.loc["inconsistency"], own.loc["risk_of_bias"]
    assert (spread["level"], spread["level_otherwise"]) == (0, -1)
    assert spread["certainty_otherwise"] == "very low"
    assert (bias["level"], bias["level_otherwise"]) == (-1, 0)
    assert bias["certainty_otherwise"] == "low"
    assert "the rating would be low" in bias["note"]
    rest = domains["domain"].isin(["indirectness", "imprecision", "publication_bias"])
    assert (domains.loc[rest, "level_otherwise"] == domains.loc[rest, "level"]).all()


def test_dropout_without_a_share_is_no_fault(evidence, outcomes):
    rows = evidence.text["risk_of_bias"].set_index("row_id")["judgement"]
    for study_id in ("chindalore2005", "webster2006"):
        assert rows[f"{study_id}-d3"] == rows[f"{study_id}-overall"] == "not readable here"
    # A share that is printed stays a fault.
    assert rows["oxytrex-oa2005-d3"] == "high"
    for name, level in (("pain_intensity", -1), ("opioid_withdrawal", -2)):
        row = line_of(outcomes, "opioid_combination", name, "opioid alone")
        assert (row["risk_of_bias_level"], row["certainty"]) == (level, "very low")


def test_unread_is_never_unclear(evidence):
    """What a reason says was not in the text read is judged as not readable."""
    rows = evidence.text["risk_of_bias"]
    unclear = rows[rows["judgement"].isin(["unclear", "no information"])]
    assert not unclear["reason"].str.contains("text read|abstract").any()
