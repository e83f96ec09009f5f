"""Cells that nobody types follow from those that somebody did, and from nothing else."""

import functools

import pytest

from ldn_meta.evidence import entry as new_rows
from ldn_meta.evidence.entry import Answers, NewRows, decimals, slug
from ldn_meta.evidence.raw.faults import cell_check, row_check
from ldn_meta.evidence.raw.tables import load_dictionary

complete = functools.partial(new_rows.complete, treatment="LDN")
STUDY = {
    "study_id": "ames2001",
    "indication_id": "fibromyalgia",
    "status": "published",
    "design": "parallel",
    "is_randomised": "yes",
    "blinding": "double-blind",
    "population": "people",
    "intervention": "LDN 4.5 mg",
    "comparator": "sugar pill",
    "comparator_class": "placebo",
    "eligible_for": "contrast",
    "eligibility_reason": "randomised",
}
CONTRAST = {
    "outcome_id": "pain_nrs_0_10",
    "timepoint_weeks": "12",
    "analysis_set": "intention to treat",
    "measure": "MD",
    "estimate": "-0.50",
    "ci_low": "-1.10",
    "ci_high": "0.1",
    "p_value": "0.10",
    "n_1": "40",
    "n_2": "41",
}


@pytest.fixture(scope="module")
def dictionary(raw_folder):
    return load_dictionary(raw_folder)


def answers(**tables):
    shared = {"reader": "me", "read_from": "abstract", "locator": "p. 3"}
    source = {"kind": "journal article", "authors": "Ames A, Bell B", "year": "2001"}
    rows = {"sources": [source], "studies": [STUDY], "arms": [{}, {"label": "placebo"}]}
    return Answers(shared, rows | tables)


def test_a_trial_is_completed_from_what_was_said(dictionary):
    rows, faults = complete(answers(contrasts=[CONTRAST]), dictionary, {})
    assert faults == []
    assert rows["sources"][0]["source_id"] == "ames2001"
    study = rows["studies"][0]
    assert (study["label"], study["year"], study["source_id"]) == ("Ames 2001", "2001", "ames2001")
    assert (study["washout"], study["n_randomised"], study["note"]) == ("NA", "NR", "NA")
    first, second = rows["arms"]
    assert (first["arm_id"], first["group"], first["treatment"]) == (
        "ames2001-ldn",
        "1",
        "LDN 4.5 mg",
    )
    assert (second["arm_id"], second["group"], second["treatment"]) == (
        "ames2001-placebo",
        "2",
        "sugar pill",
    )
    row = rows["contrasts"][0]
    expected = {
        "row_id": "ames2001-pain_nrs_0_10-w12-md",
        "study_id": "ames2001",
        "arm_1": "ames2001-ldn",
        "arm_2": "ames2001-placebo",
        "is_paired": "no",
        "estimate_decimals": "2",
        "p_decimals": "2",
        "p_relation": "=",
        "ci_level": "0.95",
        "as_reported": "-0.50; -1.10; 0.1; 0.10",
        "direction": "not stated",
        "preferred": "yes",
        "reported_in": "ames2001",
        "read_in": "ames2001",
        "read_from": "abstract",
    }
    assert {name: row[name] for name in expected} == expected
    assert list(row) == dictionary.tables["contrasts"].columns
    (bias,) = rows["risk_of_bias"]
    assert (bias["tool"], bias["domain"], bias["judgement"]) == ("RoB 2", "overall", "TODO")
    assert bias["judged_by"] == "nobody yet"


def test_a_crossover_is_paired_and_has_one_number_of_people(dictionary):
    contrast = {name: text for name, text in CONTRAST.items() if name != "n_2"}
    rows, faults = complete(
        answers(studies=[STUDY | {"design": "crossover"}], contrasts=[contrast]), dictionary, {}
    )
    assert faults == []
    assert rows["studies"][0]["washout"] == "NR"
    assert (rows["contrasts"][0]["is_paired"], rows["contrasts"][0]["n_2"]) == ("yes", "NA")
    assert rows["risk_of_bias"][0]["tool"] == "RoB 2 crossover"


def test_sizes_get_the_row_that_says_where_they_were_read(dictionary):
    said = {"fact": "n_randomised", "value": "80", "locator": "Figure 1"}
    study = STUDY | {"n_randomised": "80", "n_completed": "71"}
    rows, faults = complete(answers(studies=[study], study_facts=[said]), dictionary, {})
    assert faults == []
    found = [
        (row["fact"], row["value"], row["locator"], row["unit"]) for row in rows["study_facts"]
    ]
    assert found == [
        ("n_randomised", "80", "Figure 1", "people"),
        ("n_completed", "71", "p. 3", "people"),
    ]


def test_an_excluded_study_waits_for_no_judgement(dictionary):
    rows, _ = complete(answers(studies=[STUDY | {"eligible_for": "excluded"}]), dictionary, {})
    assert "risk_of_bias" not in rows


def test_keys_on_file_are_refused_if_typed_and_avoided_if_not(dictionary):
    taken = {
        "sources": {"ames2001"},
        "studies": {"ames2001"},
        "contrasts": {"ames2001-pain_nrs_0_10-w12-md"},
    }
    rows, faults = complete(answers(contrasts=[CONTRAST, CONTRAST]), dictionary, taken)
    assert [(fault.table, fault.line, fault.column, fault.value) for fault in faults] == [
        ("studies", 1, "study_id", "ames2001")
    ]
    assert "nothing there is overwritten" in faults[0].rule
    assert rows["sources"][0]["source_id"] == "ames2001-2"
    assert [row["row_id"] for row in rows["contrasts"]] == [
        "ames2001-pain_nrs_0_10-w12-md-2",
        "ames2001-pain_nrs_0_10-w12-md-3",
    ]


def test_what_only_people_know_is_asked_for(dictionary):
    study = {name: text for name, text in STUDY.items() if name != "population"}
    _, faults = complete(
        Answers({}, {"studies": [study], "arms": [{}], "contrasts": [{"measure": "MD"}]}),
        dictionary,
        {},
    )
    assert {(fault.table, fault.column) for fault in faults} >= {
        ("studies", "population"),
        ("studies", "source_id"),
        ("studies", "label"),
        ("arms", "locator"),
        ("arms", "read_from"),
        ("contrasts", "outcome_id"),
        ("contrasts", "as_reported"),
    }


def test_shared_answers_never_name_a_row(dictionary):
    shared = {"study_id": "ames2001", "source_id": "paper"}
    row = NewRows(dictionary, {}, "LDN").filled("studies", {}, shared)
    assert (row["study_id"], row["source_id"]) == ("paper", "paper")


def test_several_new_studies_keep_their_arms_apart(dictionary):
    other = STUDY | {"study_id": "bell2002", "label": "Bell", "comparator": "tea"}
    arms = [{"study_id": "bell2002"}, {"study_id": "ames2001"}, {"study_id": "bell2002"}]
    rows, _ = complete(answers(studies=[STUDY, other], arms=arms), dictionary, {})
    assert [(arm["arm_id"], arm["group"], arm["treatment"]) for arm in rows["arms"]] == [
        ("bell2002-ldn", "1", "LDN 4.5 mg"),
        ("ames2001-ldn", "1", "LDN 4.5 mg"),
        ("bell2002-placebo", "2", "tea"),
    ]


@pytest.mark.parametrize(
    ("text", "count"), [("-0.50", "2"), ("12", "0"), ("0.016", "3"), ("NR", "NA"), ("<0.05", "NA")]
)
def test_decimals_are_counted_as_printed(text, count):
    assert decimals(text) == count


def test_keys_are_spelt_as_keys():
    assert slug("Due Bruun, K. 2024 (FINAL)") == "due-bruun-k-2024-final"
    assert slug("M\u00fcller-\u00d8st 2020", "") == "mullerst2020"
    assert slug("Brief Pain Inventory", "_") == "brief_pain_inventory"


@pytest.mark.parametrize(
    ("table", "column", "text", "rule"),
    [
        ("studies", "year", "20x5", "not a plain number"),
        ("studies", "year", "1850", "is out of range"),
        ("studies", "design", "paralel", "is not one of the categories"),
        ("studies", "design", "NR", "a value is required here"),
        ("studies", "label", " x", "space around the value"),
        ("studies", "study_id", "Ames 2001", "does not match the pattern"),
        ("studies", "is_randomised", "maybe", "is not yes or no"),
        ("contrasts", "n_1", "4.5", "is not a whole number"),
        ("contrasts", "note", "n.a.", "no label for a missing value"),
        ("sources", "doi", "NR", None),
        ("contrasts", "ci_low", "-0.30", None),
    ],
)
def test_one_answer_is_held_to_the_rules_of_its_column(dictionary, table, column, text, rule):
    found = [fault.rule for fault in cell_check(dictionary, table, column, text)]
    assert found == ([] if rule is None else [rule])


def test_one_row_is_held_to_the_rules_between_its_cells(dictionary):
    rows, _ = complete(answers(contrasts=[CONTRAST]), dictionary, {})
    row = rows["contrasts"][0]
    assert row_check(dictionary, "contrasts", row) == []
    turned = row_check(dictionary, "contrasts", row | {"ci_low": "0.1", "ci_high": "-1.10"})
    assert [(fault.column, fault.rule) for fault in turned] == [
        ("ci_low", "ci_low is above ci_high (-1.10)")
    ]
    paired = row_check(dictionary, "contrasts", row | {"is_paired": "yes"})
    assert [fault.column for fault in paired] == ["n_2"]
