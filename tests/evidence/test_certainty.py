"""Ratings of the real evidence and of small sets of tables; judgements that are refused."""

import dataclasses
import math

import pandas as pd
import pytest

from builders import RawCopy
from ldn_meta.errors import DataError
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.grade.certainty import (
    DOMAINS,
    GRADES,
    NOT_RATED,
    bodies_of_evidence,
    certainty_faults,
    certainty_tables,
    find_all,
    grade,
    match_rows,
    row_id,
)
from ldn_meta.evidence.load import load_evidence

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
    # -0.78 to 0.84 lies between -1 and 1, and 195 people are more than 122; but two trials do not
    # tell the spread between them. With a prior for it the interval, -1.33 to 1.45, reaches an
    # important effect on both sides.
    assert row["imprecision_level"] == -2
    value = domains.loc[domains["domain"] == "imprecision", "value"].iloc[0]
    assert "-1.33 to 1.45" in value
    # I2 = 1 - 1 / 2.593 = 61%.
    assert row["inconsistency_level"] == -1
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
    assert "no comparative study" in rows["why_not_rated"].iloc[0]


def test_a_comparison_that_tells_nothing_is_not_rated(outcomes):
    (row,) = outcomes[
        (outcomes["indication_id"] == "multiple_sclerosis")
        & (outcomes["construct"] == "serious_adverse_event")
    ].to_dict("records")
    assert row["synthesis"] == "compared, nothing told"
    assert row["certainty"] == NOT_RATED


def test_another_comparator_is_rated_apart(outcomes):
    rows = outcomes[
        (outcomes["indication_id"] == "mixed_chronic_pain")
        & (outcomes["construct"] == "pain_intensity")
    ]
    assert rows["comparator_class"].tolist() == ["placebo", "usual care"]
    assert rows["start"].tolist() == ["high", "low"]
    assert rows["study_ids"].tolist() == ["beaudette2023", "martin2022"]


def rated(build, **choices):
    evidence = build.load()
    effects, left_out = normalise(evidence, choices["protocol"])
    return bodies_of_evidence(evidence, choices["protocol"], effects, left_out)


def test_randomised_studies_are_rated_without_the_others(build, protocol):
    for name, randomised in (("a2001", "yes"), ("b2002", "no")):
        build.trial(name, is_randomised=randomised, n_analysed=30)
        build.contrast(name, measure="statement", direction="favours treatment")
    (body,) = rated(build, protocol=protocol)
    assert [study["study_id"] for study in body.studies] == ["a2001"]
    assert (body.start, body.people, body.kind) == ("high", 30, "direction only")


def test_people_in_a_comparison_go_before_people_in_the_study(build, protocol):
    build.trial("a2001", n_analysed=99)
    build.contrast("a2001", measure="statement", direction="no difference", n_1=20, n_2=21)
    (body,) = rated(build, protocol=protocol)
    assert body.people == 41


def test_no_data_at_all_still_gives_the_main_outcome(build, protocol):
    (body,) = rated(build, protocol=protocol)
    assert (body.construct, body.kind, body.is_rated) == ("pain_intensity", "nothing", False)
    build.rows["indications"][0]["intervention"] = "LDN"
    evidence = build.load()
    effects, left_out = normalise(evidence, protocol)
    choices = dataclasses.replace(protocol.certainty, scales={})
    protocol = dataclasses.replace(protocol, certainty=choices)
    outcomes, domains = certainty_tables(evidence, protocol, effects, left_out)
    assert outcomes["certainty"].tolist() == [NOT_RATED]
    assert outcomes["why_not_rated"].tolist() == ["no study on file reported it"]
    assert domains.empty


@pytest.fixture(scope="module")
def found(evidence, protocol, effects, left_out):
    """Every rated body with what the rules found, once."""
    bodies = bodies_of_evidence(evidence, protocol, effects, left_out)
    return [(b, find_all(b, protocol.certainty, {})) for b in bodies if b.is_rated]


def judged(evidence, change):
    """The evidence with another certainty.csv."""
    rows = evidence.text["certainty"].to_dict("records")
    table = pd.DataFrame(change(rows), columns=evidence.text["certainty"].columns)
    return dataclasses.replace(evidence, text={**evidence.text, "certainty": table})


def refused(evidence, found):
    with pytest.raises(DataError) as error:
        match_rows(evidence, found)
    return [str(fault) for fault in error.value.faults]


PLACE = 5


def test_a_missing_judgement_names_the_row_to_add(evidence, found):
    gone = evidence.text["certainty"].iloc[PLACE]
    less = judged(evidence, lambda rows: rows[:PLACE] + rows[PLACE + 1 :])
    (text,) = refused(less, found)
    # The header is line 1.
    assert text.startswith(f"certainty:{PLACE + 2}:row_id: value '{gone['row_id']}' is missing: ")
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
    changed = judged(
        evidence, lambda rows: [*rows[:PLACE], rows[PLACE] | change, *rows[PLACE + 1 :]]
    )
    texts = refused(changed, found)
    assert len(texts) == 2, "one judgement too many, one too few"
    assert any(f"certainty:{PLACE + 2}:" in text and message in text for text in texts)
    assert all("; " in text for text in texts)


PAIN = {
    "row_id": "zzz",
    "indication_id": "fibromyalgia",
    "construct": "pain_intensity",
    "comparator_class": "placebo",
    "domain": "inconsistency",
    "kind": "override",
    "judged_by": "this project",
    "reason": "both are small",
    "rests_on": "studies",
    "note": "NA",
}


def test_an_override_of_a_rule(evidence, protocol, effects, left_out):
    more = judged(evidence, lambda rows: [*rows, PAIN | {"judgement": "not serious"}])
    outcomes, domains = certainty_tables(more, protocol, effects, left_out)
    assert outcomes["inconsistency_level"].iloc[0] == 0
    row = domains[domains["domain"] == "inconsistency"].iloc[0]
    assert (row["computed_level"], row["level"], row["status"]) == (-1, 0, "overridden")
    assert row["reason"] == "both are small"


def test_an_override_that_overrides_nothing(evidence, found):
    (text,) = refused(
        judged(evidence, lambda rows: [*rows, PAIN | {"judgement": "serious"}]), found
    )
    assert "overrides nothing: the rule of inconsistency says the same; delete the row" in text


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
        ("risk_of_bias", {"judgement": "extremely serious"},
         "'extremely serious' is no judgement of risk_of_bias; use one of not serious, serious"),
    ],
)  # fmt: skip
def test_a_row_that_contradicts_itself(evidence, domain, change, message):
    rows = evidence.text["certainty"].to_dict("records")
    place = next(i for i, row in enumerate(rows) if row["domain"] == domain)
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
    assert certainty_faults(evidence) == []
    text = evidence.text["certainty"]
    assert text["row_id"].is_monotonic_increasing
    keys = text[["indication_id", "construct", "comparator_class", "domain"]]
    assert text["row_id"].tolist() == [row_id(tuple(key)) for key in keys.to_numpy()]


def test_faults_of_the_file_reach_whoever_loads_it(raw_folder, tmp_path):
    raw = RawCopy(raw_folder, tmp_path / "raw")
    rows = raw.rows["certainty"]
    rows[0]["judgement"] = "probable"
    rows[1]["kind"] = "override" if rows[1]["kind"] == "judgement" else "judgement"
    rows[2]["indication_id"] = "fibro"
    rows[3]["reason"] = "NA"
    rows[4]["judged_by"] = "nobody yet"
    with pytest.raises(DataError) as error:
        load_evidence(raw.save())
    told = [(fault.table, fault.line, fault.column) for fault in error.value.faults]
    assert told == [
        ("certainty", 2, "judgement"),
        ("certainty", 3, "kind"),
        ("certainty", 4, "indication_id"),
        ("certainty", 5, "reason"),
        ("certainty", 6, "judged_by"),
    ]


def test_numbers_of_the_table_are_finite_or_missing(outcomes):
    numbers = outcomes.select_dtypes("number")
    assert not numbers.isin([math.inf, -math.inf]).any().any()
