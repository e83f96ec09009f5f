"""Slips of the hand: a cell that is typed well and does not fit what else is on file."""

from dataclasses import replace

import pandas as pd
import pytest

from builders import faults_of
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.faults import SLIPS, numbers_in, slip_faults
from ldn_meta.evidence.raw.tables import read_folder
from ldn_meta.stats.printed import counts_from_percent

FINAL = "duebruun2024-pain_nrs_0_10-w12-md-duebruun2024"
INNOVA = "innova2026-pain_nrs_0_10-w13-md-innova2026"
CREE = "cree2010-mcs-w8-diff"
SRINIVASAN = "srinivasan2021-pain-6wk-itt"
COUNTS = "duebruun2024-responder_pain_30-w12-ldn-intention-to-treat-indand21-transcription"
NUMBERS = ("estimate", "ci_low", "ci_high")


def three(estimate, low, high):
    return dict(zip(NUMBERS, (estimate, low, high), strict=True))


# What is typed in which row, the check that finds it, and the column that is named.
CHANGES = {
    "sign of all three numbers": (
        "contrasts", FINAL, three("0.34", "-0.27", "0.95"), "number as printed", "estimate"),
    "sign of an estimate with its p": (
        "contrasts", INNOVA, {"estimate": "-0.49"}, "number as printed", "estimate"),
    "sign of an estimate with its p, paired": (
        "contrasts", CREE, {"estimate": "-3.3"}, "number as printed", "estimate"),
    "sign of a size printed without one": (
        "contrasts", "cree2010-pdq-w8-diff", {"estimate": "2.4"}, "direction and sign",
        "direction"),
    "times ten": ("contrasts", INNOVA, {"estimate": "4.90"}, "number as printed", "estimate"),
    "times a hundred": (
        "contrasts", INNOVA, {"estimate": "49.00"}, "inside the span", "estimate"),
    "times ten, paired": (
        "contrasts", CREE, {"estimate": "33.0"}, "number as printed", "estimate"),
    "three numbers times ten": (
        "contrasts", SRINIVASAN, three("15", "-11.1", "41.3"), "number as printed", "ci_high"),
    "estimate times a hundred": (
        "contrasts", SRINIVASAN, {"estimate": "150"}, "inside the span", "estimate"),
    "all of a trial times ten": (
        "contrasts", FINAL, three("-3.4", "-9.5", "2.7"), "number as printed", "ci_low"),
    "estimate outside the span": (
        "contrasts", FINAL, {"estimate": "-12"}, "inside the span", "estimate"),
    "events without a digit": (
        "arm_events", COUNTS, {"events": "2"}, "number as printed", "events"),
    "events of everybody": (
        "arm_events", COUNTS, {"events": "49"}, "events apart from people", "events"),
    "n times ten": ("arm_events", COUNTS, {"n": "490"}, "size on file", "n"),
    "n of a billion": ("contrasts", FINAL, {"n_1": "1000000000"}, "size on file", "n_1"),
    "n swapped": (
        "contrasts", "innova2026-pain_nrs_0_10-w13-md-indand21-transcription",
        {"n_1": "49", "n_2": "47"}, "size on file", "n_1"),
    "p of another row": (
        "contrasts", FINAL, {"p_value": "0.72"}, "number as printed", "p_value"),
    "time in days": (
        "contrasts", FINAL, {"timepoint_weeks": "84"}, "moment of the study", "timepoint_weeks"),
    "time in months": (
        "contrasts", FINAL, {"timepoint_weeks": "3"}, "moment of the study", "timepoint_weeks"),
    "outcome of people": (
        "contrasts", FINAL, {"outcome_id": "any_ae"}, "measure of the outcome", "measure"),
    "outcome of responders": (
        "contrasts", FINAL, {"outcome_id": "responder_pain_30"}, "measure of the outcome",
        "measure"),
    "kind turned": (
        "outcomes", "pain_nrs_0_10", {"kind": "binary"}, "measure of the outcome", "kind"),
    "kind turned the other way": (
        "outcomes", "any_ae", {"kind": "continuous"}, "measure of the outcome", "kind"),
    "scale of ten times the length": (
        "outcomes", "pain_nrs_0_10", {"scale_max": "100"}, "inside the span", "scale_max"),
    "direction against the number": (
        "contrasts", FINAL, {"direction": "favours comparator"}, "direction and sign",
        "direction"),
    "benefit turned": (
        "outcomes", "pain_nrs_0_10", {"benefit_sign": "1"}, "direction and sign",
        "benefit_sign"),
    "benefit gone": (
        "outcomes", "pain_nrs_0_10", {"benefit_sign": "NA"}, "direction and sign", "direction"),
    "domain turned": (
        "outcomes", "pain_nrs_0_10", {"domain": "harm"}, "direction and sign", "domain"),
    "crossover as parallel": (
        "studies", "cree2010", {"design": "parallel"}, "design and pairs", "is_paired"),
    "parallel as crossover": (
        "studies", "duebruun2024", {"design": "crossover"}, "design and pairs", "design"),
    "pairs of other people": (
        "contrasts", FINAL, {"is_paired": "yes"}, "design and pairs", "is_paired"),
    "main outcome misspelt": (
        "indications", "fibromyalgia", {"main_construct": "pain_intensit"},
        "outcome of the condition", "main_construct"),
    "comparator turned": (
        "indications", "fibromyalgia", {"main_comparator": "opioid alone"},
        "outcome of the condition", "main_comparator"),
    "dose in micrograms": (
        "studies", "cree2010", {"dose_high_mg_per_day": "4500"}, "dose on file",
        "dose_high_mg_per_day"),
    "low dose above high": (
        "studies", "cree2010", {"dose_low_mg_per_day": "45"}, "dose on file",
        "dose_low_mg_per_day"),
    "duration in days": (
        "studies", "duebruun2024", {"duration_weeks": "84"}, "moment of the study",
        "duration_weeks"),
    "year to come": ("studies", "duebruun2024", {"year": "2030"}, "moment of the study", "year"),
    "identifier of another source": (
        "sources", "innova2026", {"doi": "10.1016/S2665-9913(23)00278-3"}, "on file once",
        "doi"),
}  # fmt: skip


@pytest.fixture(scope="module")
def read(raw_folder):
    return read_folder(raw_folder).evidence


def with_rows(evidence, table, change):
    text = evidence.text[table].copy()
    return replace(evidence, text={**evidence.text, table: change(text)})


def found(evidence):
    return {(f.table, f.column, f.remedy.rpartition("corrections.yml (")[2][:-1])
            for f in slip_faults(evidence)}  # fmt: skip


def test_what_is_on_file_has_no_slip(read):
    assert slip_faults(read) == []


@pytest.mark.parametrize("name", CHANGES)
def test_a_slip_of_one_cell_is_named(read, name):
    table, key, cells, check, column = CHANGES[name]

    def change(text):
        where = text[read.dictionary.tables[table].key] == key
        assert where.sum() == 1
        text.loc[where, list(cells)] = list(cells.values())
        return text

    assert check in SLIPS
    told = found(with_rows(read, table, change))
    assert {(one[1], one[2]) for one in told} & {(column, check)}, told


def again(text, where, **cells):
    row = text[text.iloc[:, 0] == where].assign(**cells)
    row.index = [text.index.max() + 1]
    return pd.concat([text, row])


def test_a_trial_under_a_second_key_is_one_trial(read):
    copied = with_rows(read, "studies", lambda t: again(t, "bested2023", study_id="bested"))
    assert ("studies", "registry_id", "on file once") in found(copied)
    copied = with_rows(read, "sources", lambda t: again(t, "duebruun2024", source_id="due"))
    assert ("sources", "doi", "on file once") in found(copied)


@pytest.mark.parametrize("cells", [{"timepoint_weeks": "NR"}, {"analysis_set": "per protocol"}])
def test_the_same_numbers_are_one_result(read, cells):
    copied = with_rows(read, "contrasts", lambda t: again(t, FINAL, row_id="again", **cells))
    assert ("contrasts", "row_id", "on file once") in found(copied)


def test_what_corrections_accept_is_not_told_and_must_be_there(read):
    mine = [entry for entry in read.corrections if entry.check in SLIPS]
    assert mine
    told = slip_faults(replace(read, corrections=()))
    assert {str(read.text[f.table].loc[f.line].iloc[0]) for f in told} == {e.row for e in mine}
    stale = replace(mine[0], row=FINAL, table="contrasts")
    (fault,) = slip_faults(replace(read, corrections=(*read.corrections, stale)))
    assert (fault.column, fault.rule) == ("check", "accepts what is consistent")


def test_a_slip_stops_the_reading_of_the_folder(raw):
    row = raw.find("contrasts", row_id=FINAL)
    row["estimate"] = "0.34"
    line = raw.line("contrasts", row)
    told = str(faults_of(raw.save()))
    assert f"contrasts:{line}:estimate: value '0.34' has another sign in as_reported" in told
    assert load_evidence(raw.folder, validate=False)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("-0.34 (-0.95 to 0.27; p=.27)", ["-0.34", "-0.95", "0.27", "0.27"]),
        ("0.10-1.21", ["0.10", "1.21"]),
        ("\u22120.5", ["-0.5"]),
        ("120,2", ["120.2", "120", "2"]),
        ("15 297 people", ["15297", "15", "297"]),
        ("no deaths among fifty-two", ["0", "50", "52"]),
        ("phase II", ["2"]),
    ],
)
def test_numbers_are_read_in_digits_and_words(text, numbers):
    assert [str(number) for number in numbers_in(text)] == numbers


def test_the_people_typed_beside_a_percentage_fit_all_that_its_text_prints_of_the_arm(evidence):
    """28 of a meeting report gave 57%, and no count of 28 prints as its 37, 13, 16 or 3%."""
    rows = evidence.text["arm_events"]
    rows = rows[rows["percent"].str.fullmatch(r"[\d.]+") & rows["counted"].eq("people")]
    for row in rows[rows["n"].str.isdigit() & ~rows["events"].str.isdigit()].to_dict("records"):
        of_text = rows["read_in"].eq(row["read_in"]) & rows["arm_id"].eq(row["arm_id"])
        for other in rows[of_text & rows["n"].isin(["NR", row["n"]])].to_dict("records"):
            digits = int(other["percent_decimals"])
            assert list(counts_from_percent(float(other["percent"]), digits, int(row["n"]))), row
