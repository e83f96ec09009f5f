"""Slips of the hand: a cell that is typed well and does not fit what else is on file."""

from dataclasses import replace

import pandas as pd
import pytest

from builders import cases, faults_of
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.faults import PRINTED, SLIPS, numbers_in, slip_faults
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
CHANGES = dict(cases("slips"))


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


def test_a_source_that_no_row_cites_says_so(raw):
    row = {**raw.find("sources", source_id="innova2026"), "source_id": "other", "note": "NA"}
    raw.append(
        "sources", {**row, "doi": "NA", "pmid": "12345678", "pmcid": "NA", "title": "Another"}
    )
    raw.find("sources", source_id="duebruun2024")["note"] = "no row cites it"
    told = {(f.table, f.column, f.rule) for f in faults_of(raw.save()).faults}
    assert len(told) == len(["uncited", "cited"])
    assert ("sources", "source_id", "is a source that no row cites") in told
    assert ("sources", "note", "says that no row cites it, and one does") in told


def test_a_low_dose_above_the_high_one(raw):
    raw.find("studies", study_id="cree2010")["dose_low_mg_per_day"] = "45"
    (fault,) = [f for f in faults_of(raw.save()).faults if f.table == "studies"]
    assert fault.rule == "dose_low_mg_per_day is above dose_high_mg_per_day (4.5)"


def test_what_is_accepted_of_a_row_is_the_number_that_the_reason_has(read):
    entry = next(e for e in read.corrections if e.check == PRINTED)

    def change(text):
        text.loc[text["row_id"] == entry.row, ["sd"]] = ["125"]
        return text

    told = found(with_rows(read, entry.table, change))
    assert told == {(entry.table, "sd", PRINTED)}
