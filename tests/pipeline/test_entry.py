"""New rows from the keyboard, a file or the table of another program: all of them or none."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from builders import added, cut_down, read, snapshot
from ldn_meta import files
from ldn_meta.errors import ParameterError
from ldn_meta.evidence.entry import Answers, answers_text, read_answers
from ldn_meta.evidence.foreign import read_foreign
from ldn_meta.evidence.raw.tables import load_dictionary
from ldn_meta.files import csv_records
from ldn_meta.pipeline import entry as raw_rows
from ldn_meta.pipeline.cli import main
from ldn_meta.stats.pool import pool

CHECKOUT = Path(__file__).parents[2]
EXAMPLE = CHECKOUT / "docs" / "new_trial_example.toml"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return cut_down(files.raw_data(), tmp_path_factory.mktemp("small"))


@pytest.fixture
def raw(small, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "raw"
    shutil.copytree(small, folder)
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    return folder


def command(*arguments, keys=None):
    return CliRunner().invoke(main, ["new-trial", *arguments], input=keys, catch_exceptions=False)


def keyboard(*parts):
    """Answers, one a line; a part that is a number is that many times Enter."""
    lines = [line for part in parts for line in ([""] * part if isinstance(part, int) else [part])]
    return "".join(f"{line}\n" for line in lines)


# reader; a new report: kind, authors, year, title, container, four numbers, source_id
REPORT = ("A. Reader", 1, "?", "1", "Doe J, Roe R", "20x5", "2025", "A trial", "J Trials 1", 5)
# study_id; condition, label, year, status, design, randomised, blinding, population, intervention,
# doses, comparator and its class, weeks, four sizes, registry, use and why, overlap, note
STUDY = (
    *(
        1,
        "fibromyalgia",
        2,
        "published",
        "parallel",
        "yes",
        "double-blind",
        "adults",
        "LDN 4.5 mg",
    ),
    *("4.5", "4.5", "identical placebo", "placebo", "12", 1, "80", 1, "0", "75", 1, "contrast"),
    *("randomised", 2),
)
# kind of text, place of the sizes; two arms: group, label, treatment, sizes, place, print, id
ARMS = ("full text", "Methods", 3, "40", 5, "y", 1, "placebo", 1, "40", 5, "n")
# arms, outcome (a misspelt one first), week, set, measure, paired, adjusted, of what, estimate,
# limits the wrong way round, level, p, relation, sizes, direction, place, printed, kind of text,
# note; then the two limits again
DIFFERENCE = (
    *(
        "difference",
        2,
        "pain_nrs",
        "pain_nrs_0_10",
        "12",
        "intention to treat",
        "MD",
        2,
        "end level",
    ),
    *("-0.50", "0.10", "-1.10", 1, "0.10", 1, "40", "40", "no difference", "Table 2"),
    *("-0.50 (-1.10 to 0.10), P=0.10", 2, "-1.10", "0.10"),
)
# arm, outcome "new" (described at once), and the rest of the row
EVENTS = (
    *("events", "doe2025-ldn", "new"),
    *("felt_odd", "feeling_odd", "feeling odd", "interview", "binary", "harm", "-1", "people"),
    *(2, "12", "as treated", "people", "3", "40", 5),
)


def test_a_whole_trial_from_the_keyboard(raw):
    before = snapshot(raw)
    keys = keyboard(*REPORT, *STUDY, *ARMS, *DIFFERENCE, *EVENTS, "done", "y")
    result = command(keys=keys)
    assert result.exit_code == 0, result.output
    found = added(before, raw)
    assert {name: len(lines) for name, lines in found.items()} == {
        **{"sources": 1, "studies": 1, "arms": 2, "outcomes": 1, "study_facts": 2},
        **{"arm_events": 1, "contrasts": 1, "risk_of_bias": 1, "extraction_log": 1},
    }
    for name in found:
        keys = [next(iter(row.values())) for row in read(raw / f"{name}.csv")]
        assert keys == sorted(keys), name
    (row,) = [row for row in read(raw / "contrasts.csv") if row["study_id"] == "doe2025"]
    expected = {
        "row_id": "doe2025-pain_nrs_0_10-w12-md",
        "arm_2": "doe2025-placebo",
        "estimand": "end level",
        "estimate": "-0.50",
        "estimate_decimals": "2",
        "ci_low": "-1.10",
        "ci_high": "0.10",
        "p_relation": "=",
        "as_reported": "-0.50 (-1.10 to 0.10), P=0.10",
        "locator": "Table 2",
        "read_in": "doe2025",
    }
    assert {name: row[name] for name in expected} == expected
    # Every wrong answer was told at once, with the reason, and asked again.
    for words in (
        "'20x5' not a plain number; type digits",
        "  What it is.",
        "'0' is out of range; use a whole number at least 1",
        "'pain_nrs' is not in outcomes; did you mean 'pain_nrs_0_10'",
        "ci_low: ci_low is above ci_high (-1.10); swap or correct the two",
    ):
        assert words in result.output
    # The preview says what the rows come to.
    assert "effect doe2025-pain_nrs_0_10-w12-md-1: MD -0.5 (95% CI -1.1 to 0.1)" in result.output
    derived = CliRunner().invoke(main, ["derive", "--json"], catch_exceptions=False)
    assert derived.exit_code == 0, derived.output
    assert "effects.csv" in json.loads(derived.stdout)["changed"]
    effects = read(raw.parent / "derived" / "effects.csv")
    (effect,) = [row for row in effects if row["study_id"] == "doe2025" and row["measure"] == "MD"]
    assert (effect["yi"], effect["is_selected"]) == ("-0.5", "yes")


def test_an_interview_goes_back_and_is_resumed_where_it_was_broken_off(raw):
    before = snapshot(raw)
    # The population is taken back and typed anew, then somebody breaks off.
    wrong = (*STUDY[:7], "adluts", "back", *STUDY[7:12])
    assert command(keys=keyboard(*REPORT, *wrong)).exit_code == 1
    rest = (*STUDY[12:], *ARMS, *DIFFERENCE, *EVENTS, "done", "y")
    result = command("--resume", keys=keyboard(*rest))
    assert result.exit_code == 0, result.output
    found = added(before, raw)
    (study,) = found["studies"]
    assert "adults" in str(study)
    assert "adluts" not in str(study)
    assert len(found["contrasts"]) == len(found["arm_events"]) == 1
    # What was typed before is not asked again, and nothing is left to resume.
    assert "The report (sources.csv)" not in result.output
    result = command("--resume")
    assert result.exit_code == 2
    assert "no interview was broken off here" in result.output


def test_back_at_the_first_question_and_an_empty_answer_are_told(raw):
    output = command(keys=keyboard("back", "")).output
    assert "there is no answer to take back" in output
    assert "an answer is needed; NR if the report does not say, ? explains" in output


def test_outcomes_and_arms_are_found_by_what_people_call_them(raw):
    called = ("difference", "2", "placebo", "pain intensity", "12")
    result = command(keys=keyboard(*REPORT, *STUDY, *ARMS, *called))
    assert "1 doe2025-ldn   2 doe2025-placebo" in result.output
    labels = [row["construct_label"] for row in read(raw / "outcomes.csv")]
    if labels.count("pain intensity") == 1:
        assert "\n  pain_nrs_0_10\n" in result.output
    else:
        (line,) = [text for text in result.output.splitlines() if "is measured by" in text]
        assert "pain_nrs_0_10" in line


def test_an_interview_broken_off_writes_nothing_and_loses_nothing(raw):
    before = snapshot(raw)
    keys = keyboard(*REPORT, *STUDY[:12])
    result = command(keys=keys)
    assert result.exit_code == 1
    assert snapshot(raw) == before
    assert "nothing was written to data/raw; your answers are in build/new-trial/" in result.output
    (file,) = (raw.parents[1] / "build" / "new-trial").glob("*.toml")
    kept = read_answers(file, load_dictionary(raw))
    assert kept.rows["sources"][0]["authors"] == "Doe J, Roe R"
    assert kept.rows["studies"][0]["population"] == "adults"
    # The file tells what is still open.
    again = command("--from", str(file))
    assert again.exit_code == 1
    assert "new row studies:1:comparator_class: nobody has filled this cell" in again.output
    assert snapshot(raw) == before


def test_no_at_the_end_writes_nothing(raw):
    before = snapshot(raw)
    result = command(keys=keyboard(*REPORT, *STUDY, *ARMS, "done", "n"))
    assert result.exit_code == 1
    assert "Write these 8 rows?" in result.output
    assert snapshot(raw) == before
    file = raw.parents[1] / "build" / "new-trial" / "doe2025.toml"
    # What was typed can be written from the file, without a question.
    assert command("--from", str(file)).exit_code == 0
    assert set(added(before, raw)) == {
        *("sources", "studies", "arms", "study_facts", "risk_of_bias", "extraction_log")
    }


def test_a_trial_from_the_documented_file(raw):
    before = snapshot(raw)
    dry = command("--from", str(EXAMPLE), "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout.endswith("nothing was written; 10 rows would be\n")
    assert snapshot(raw) == before
    result = command("--from", str(EXAMPLE), "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["is_written"] is True
    assert {row["effect_id"] for row in told["effects"]} == {
        "example2025-any_ae-w12-rr-1",
        "example2025-pain_nrs_0_10-w12-md-1",
    }
    assert all(effect["is_selected"] for effect in told["effects"])
    assert {name: len(rows) for name, rows in told["rows"].items()} == {
        name: len(lines) for name, lines in added(before, raw).items()
    }
    # A second time the key is taken.
    written = snapshot(raw)
    again = command("--from", str(EXAMPLE), "--json")
    assert again.exit_code == 1
    faults = json.loads(again.stdout)["faults"]
    assert ("studies", "study_id", "example2025-2") not in [
        (fault["table"], fault["column"], fault["value"]) for fault in faults
    ]
    assert snapshot(raw) == written


def refused(raw, tmp_path, *changes):
    """What is said of the example with some texts exchanged; nothing may be written."""
    before = snapshot(raw)
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "answers.toml"
    file.write_text(text, encoding="utf-8")
    result = command("--from", str(file))
    assert result.exit_code == 1, result.output
    assert "nothing was written" in result.stderr
    assert snapshot(raw) == before
    return result.stderr


def test_refused_rows_are_named_all_at_once_and_nothing_is_written(raw, tmp_path):
    said = refused(
        raw,
        tmp_path,
        ("n_randomised = 80", "n_randomised = 81"),
        ("ci_high = 0.10", "ci_high = -1.50"),
        ('"pain_nrs_0_10"', '"pain_nsr_0_10"'),
        ("events = 21", "events = 41"),
        ('arm_id = "example2025-placebo"', 'arm_id = "cree2010-ldn"\nrow_id = "zz"'),
    )
    for words in (
        "5 faults in the new rows",
        "new row studies:1:n_randomised: value '81' its arms add up to 80",
        "new row contrasts:1:ci_low: value '-1.10' ci_low is above ci_high (-1.50)",
        "new row contrasts:1:outcome_id: value 'pain_nsr_0_10' no such outcome_id in outcomes; "
        "did you mean 'pain_nrs_0_10'?",
        "new row arm_events:1:events: value '41' more people with the event than people (40)",
        "new row arm_events:2:arm_id: value 'cree2010-ldn' arm of another study",
    ):
        assert words in said


def test_cells_that_nobody_filled_are_asked_for(raw, tmp_path):
    said = refused(raw, tmp_path, ('blinding = "double-blind"', ""), ('authors = "Ex', 'note = "'))
    assert "studies:1:blinding: nobody has filled this cell" in said
    assert "sources:1:source_id" not in said


def test_printed_numbers_that_contradict_each_other_are_refused(raw, tmp_path):
    said = refused(raw, tmp_path, ("n_1 = 40", "n_1 = 40\np_value = 0.04"))
    assert "contrasts:1:p_value: value '0.04' does not fit what else is printed" in said


def test_a_row_that_contradicts_a_row_on_file_names_both(raw, tmp_path):
    old = next(row for row in read(raw / "contrasts.csv") if row["study_id"] == "cree2010")
    cells = {name: text for name, text in old.items() if name != "row_id"} | {"note": "again"}
    file = tmp_path / "again.toml"
    answers = Answers({"reader": "A"}, {"contrasts": [{"row_id": "a-new-row", **cells}]})
    file.write_text(answers_text(answers), encoding="utf-8")
    result = command("--from", str(file))
    assert result.exit_code == 1
    line = [row["row_id"] for row in read(raw / "contrasts.csv")].index(old["row_id"]) + 2
    assert f"on file contrasts:{line}:preferred: value 'yes' new row 1 states" in result.stderr


def test_files_that_are_no_answers_are_refused_with_everything(raw, tmp_path):
    file = tmp_path / "answers.toml"
    file.write_text(
        'locater = "p. 1"\n[study]\nx = 1\n[studies]\ndesing = "parallel"\nyear = [2001]\n'
        "[arms]\nn_analysed = 2024-01-01\n",
        encoding="utf-8",
    )
    result = command("--from", str(file))
    assert result.exit_code == 2
    for words in (
        "'locater' is unknown; did you mean 'locator'?",
        "'study' is unknown; did you mean 'studies'?",
        "studies: 'desing' is unknown; did you mean 'design'?",
        "studies: year: [2001] is neither text nor number",
        "arms: n_analysed: datetime.date(2024, 1, 1) is neither",
    ):
        assert words in result.stderr
    assert "is missing; name a file" in command("--from", str(tmp_path / "no.toml")).stderr
    file.write_text("a = = 1", encoding="utf-8")
    assert "is no TOML" in command("--from", str(file)).stderr
    assert "--json needs --from" in command("--json").stderr


def test_answers_come_back_from_their_file_as_they_were(raw, tmp_path):
    answers = Answers(
        {"reader": 'A "quoted" name'},
        {"arms": [{"n_analysed": "40", "label": "a\\b"}, {"note": "caf\u00e9"}], "studies": [{}]},
    )
    file = tmp_path / "answers.toml"
    file.write_text(answers_text(answers), encoding="utf-8")
    assert read_answers(file, load_dictionary(raw)) == answers
    file.write_text("[studies]\nis_randomised = true\ndose_low_mg_per_day = 4.50\nyear = 2001\n")
    assert read_answers(file, load_dictionary(raw)).rows["studies"] == [
        {"is_randomised": "yes", "dose_low_mg_per_day": "4.50", "year": "2001"}
    ]


def test_a_disk_that_fails_half_way_leaves_everything_as_it_was(raw, monkeypatch):
    before = snapshot(raw)
    replace, count = Path.replace, 0

    def fail(self, target):
        nonlocal count
        if Path(target).parent == raw:
            count += 1
            if count == 3:
                raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    answers = read_answers(EXAMPLE, load_dictionary(raw))
    with pytest.raises(OSError, match="No space left"):
        raw_rows.add_rows(answers)
    assert count > 3
    assert snapshot(raw) == before


def test_an_edit_in_between_is_not_overwritten(raw, monkeypatch):
    real = raw_rows._on_a_copy

    def edited(*arguments):
        found = real(*arguments)
        with (raw / "arms.csv").open("a", encoding="utf-8") as stream:
            stream.write("zz\n")
        return found

    monkeypatch.setattr(raw_rows, "_on_a_copy", edited)
    result = command("--from", str(EXAMPLE))
    assert result.exit_code == 1
    assert "data/raw changed while the rows were checked" in result.stderr
    assert "example2025" not in (raw / "studies.csv").read_text(encoding="utf-8")


def test_data_that_are_wrong_without_the_rows_are_told_as_they_are(raw):
    with (raw / "arms.csv").open("a", encoding="utf-8") as stream:
        stream.write("zz\n")
    result = command("--from", str(EXAMPLE))
    assert result.exit_code == 1
    assert "data/raw was refused" in result.stderr


def test_only_line_feeds_end_a_line_of_a_table():
    # A separator of lines in Unicode is a character of a cell, and a blank line is kept.
    before = 'key,note\na,"x\u2028y, z"\n\nc,NA\n'.encode()
    after = raw_rows.with_rows(before, ["key", "note"], [{"key": "b", "note": "new"}])
    assert after == 'key,note\na,"x\u2028y, z"\n\nb,new\nc,NA\n'.encode()
    last = raw_rows.with_rows(b"key,note\na,b", ["key", "note"], [{"key": "z", "note": "x,y"}])
    assert last == b'key,note\na,b\nz,"x,y"\n'


def test_a_line_break_in_a_cell_is_refused(raw, tmp_path):
    said = refused(raw, tmp_path, ('title = "An', 'title = "An\\n\\nother'))
    assert "line break inside a cell" in said


def test_an_interview_that_is_only_looked_at_keeps_its_answers(raw):
    before = snapshot(raw)
    result = command("--dry-run", keys=keyboard(*REPORT, *STUDY, *ARMS, "done"))
    assert result.exit_code == 0, result.output
    assert "your answers are in build/new-trial/doe2025.toml" in result.stderr
    assert snapshot(raw) == before


def test_answer_files_need_tables(raw, tmp_path):
    file = tmp_path / "answers.toml"
    file.write_text("arms = [1]\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="1 is no row"):
        read_answers(file, load_dictionary(raw))
    file.write_text('read_from = "press"\n', encoding="utf-8")
    assert "there is no row to add" in command("--from", str(file)).stderr


# Tables of other programs through the command: rows, report, refusals.


SAID = (
    *("--outcome", "pain_nrs_0_10", "--source", "reis2025", "--read-from", "secondary review"),
    *("--extracted-by", "A. Reader", "--indication", "fibromyalgia", "--weeks", "12"),
)
NEW_STUDY = {
    "status": "published",
    "design": "parallel",
    "is_randomised": "yes",
    "blinding": "double-blind",
    "population": "adults",
    "intervention": "LDN",
    "comparator": "placebo",
    "comparator_class": "placebo",
    "eligible_for": "contrast",
    "eligibility_reason": "randomised",
}
SET = [part for name, text in NEW_STUDY.items() for part in ("--set", f"{name}={text}")]
REVMAN = """\
\ufeffComparison Number,Outcome Number,Subgroup Number,Name,Data Type,Effect Measure,Events 1,\
Mean 1,SD 1,Total 1,Events 2,Mean 2,SD 2,Total 2,Effect Estimate,SE,CI Start,CI End,Weight,\
Year of study
1,1,0,Pain,CON,MD,0,,,53,0,,,54,-0.7,,-1.2,-0.1,100,
1,1,0,Doe,,,0,5.0,2.10,40,0,6.5,2.2,40,-1.5,0.48,-2.4,-0.5,50,2021
1,1,0,Roe,,,0,4.9,,13,0,6.1,2.0,14,-1.2,0.45,-2.1,-0.3,50,2022
"""


def imported(*arguments):
    arguments = ["import", *map(str, arguments)]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def written(tmp_path, text, name="table.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_an_import_asks_for_what_the_file_cannot_say(raw, tmp_path):
    before = snapshot(raw)
    file = written(tmp_path, REVMAN)
    # Outcome, a new report, kind of text, reader; then what nobody has filled, in its order.
    report = ("new", *REPORT[1:])
    keys = keyboard("pain_nrs_0_10", *report, "secondary review", "A. Reader")
    given = [part for part in SET if not part.startswith("population=")]
    given = [
        p for i, p in enumerate(given) if not (p == "--set" and given[i + 1 : i + 2] == ["--set"])
    ]
    arguments = ["import", str(file), "--ask", "--indication", "fibromyalgia", "--weeks", "12"]
    arguments += ["--statistic", "end", *given]
    keys += keyboard("adults with pain")
    result = CliRunner().invoke(main, arguments, input=keys, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = added(before, raw)
    assert len(found["sources"]) == len(found["studies"]) == 1
    assert "adults with pain" in str(found["studies"])
    assert "population" in result.output


def test_arms_of_an_import_have_their_own_treatments(raw, tmp_path):
    file = written(tmp_path, REVMAN)
    result = imported(file, *SAID, *SET, "--statistic", "end", "--set", "treatment=LDN")
    assert result.exit_code == 2
    assert "--set treatment=... would be the same for both arms" in result.stderr
    assert imported(file, *SAID, *SET, "--statistic", "end").exit_code == 0
    arms = {row["group"]: row for row in read(raw / "arms.csv") if row["study_id"] == "doe2021"}
    assert {group: arm["treatment"] for group, arm in arms.items()} == {"1": "LDN", "2": "placebo"}


def test_a_revman_table_becomes_rows_that_derive_takes(raw, tmp_path):
    before = snapshot(raw)
    file = written(tmp_path, REVMAN)
    result = imported(file, *SAID, *SET, "--statistic", "end")
    assert result.exit_code == 0, result.output
    assert {name: len(lines) for name, lines in added(before, raw).items()} == {
        **{"studies": 1, "arms": 2, "arm_stats": 2, "risk_of_bias": 1, "extraction_log": 1}
    }
    for words in (
        "study = Name",
        "line 3: doe2021 (new)",
        "not placed, line 2: names an analysis",
        "not placed, line 4 SD 1: no number, so 'Roe' is not placed",
        "not placed, Weight: computed by the program that wrote the file",
        "Effect Estimate",
        "effect doe2021-pain_nrs_0_10-w12-md-1: MD -1.5",
        "data/raw: studies 1, arms 2, arm_stats 2, risk_of_bias 1, extraction_log 1 rows added",
    ):
        assert words in result.stdout
    (first, second) = [r for r in read(raw / "arm_stats.csv") if r["study_id"] == "doe2021"]
    assert (first["arm_id"], first["mean"]) == ("doe2021-comparator", "6.5")
    assert (second["sd"], second["locator"]) == ("2.10", "table.csv, line 3")
    derived = CliRunner().invoke(main, ["derive"], catch_exceptions=False)
    assert derived.exit_code == 0, derived.output
    (effect,) = [
        row for row in read(raw.parent / "derived" / "effects.csv") if row["study_id"] == "doe2021"
    ]
    # By hand: 5.0 - 6.5, and 2.1^2 / 40 + 2.2^2 / 40.
    assert (effect["yi"], effect["vi"]) == ("-1.5", "0.23125")


def test_effects_and_counts_of_metafor(raw, tmp_path):
    before = snapshot(raw)
    file = written(tmp_path, "slab;yi;vi\nDoe 2021;-0.50;0.0625\n")
    result = imported(file, *SAID, *SET, "--measure", "MD", "--json", "--dry-run")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["is_written"] is False
    assert told["lines"] == {"2": "doe2021"}
    assert told["columns"] == {"study": "slab", "estimate": "yi", "variance": "vi"}
    (row,) = told["rows"]["contrasts"]
    assert (row["estimate"], row["ci_low"], row["as_reported"]) == (
        "-0.50",
        "-0.989991",
        "yi -0.50; vi 0.0625",
    )
    assert told["effects"][0]["yi"] == -0.5
    assert snapshot(raw) == before
    file = written(tmp_path, "trial\tai\tn1i\tci\tn2i\nDoe 2021\t20\t40\t15\t41\n")
    result = imported(file, *SAID, *SET, "--outcome", "any_ae")
    assert result.exit_code == 0, result.output
    events = [r for r in read(raw / "arm_events.csv") if r["study_id"] == "doe2021"]
    assert [(row["events"], row["n"]) for row in events] == [("15", "41"), ("20", "40")]


def test_a_source_that_is_not_on_file_can_come_with_the_table(raw, tmp_path):
    file = written(tmp_path, "study,ai,n1i,ci,n2i\nDue Bruun 2024 (FINAL),20,49,15,50\n")
    said = [*SAID, "--outcome", "dizziness_new", "--source", "review2025"]
    result = imported(file, *said)
    assert result.exit_code == 1
    assert "value 'review2025' no such source_id in sources" in result.stderr
    assert "a cell that the file cannot say: --set COLUMN=TEXT" in result.stderr
    said = [*SAID, "--outcome", "constipation_mod_sev", "--source", "review2025"]
    result = imported(file, *said, "--set", "kind=meta-analysis", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "sources.csv\n  review2025,meta-analysis,NR" in result.stdout


def test_what_the_request_lacks_is_told_at_once(raw, tmp_path):
    file = written(tmp_path, "author,trial,m1i,sd1i,n1i,m2i,sd2i,n2i,x\nA,1,5,2,40,6,2,41,0\n")
    result = imported(file, "--set", "desing=parallel", "--column", "study=author")
    assert result.exit_code == 2
    for words in (
        "--outcome is missing: the file cannot say it",
        "--source is missing",
        "--read-from is missing",
        "--extracted-by is missing",
        "--statistic is missing",
        "--set desing=...: no table has this column",
    ):
        assert words in result.stderr
    result = imported(file, *SAID)
    assert result.exit_code == 2
    assert "'author', 'trial' could all be study" in result.stderr
    file = written(tmp_path, "study,yi,vi\nA,1,0.1\n")
    assert "--measure is missing; use one of MD" in imported(file, *SAID).stderr
    assert "'--study' " not in imported(file, *SAID).stderr
    assert "--study 'A' is not NAME=VALUE" in imported(file, *SAID, "--study", "A").stderr


def test_revman_5_effects_are_no_logarithms(raw, tmp_path):
    file = written(tmp_path, "Name,Effect Estimate,CI Start,CI End\nA 2001,0.8,0.5,1.3\n")
    result = imported(file, *SAID, "--measure", "logRR")
    assert result.exit_code == 2
    assert "'Effect Estimate' of RevMan 5 is no logarithm; use --measure RR" in result.stderr


def test_cells_that_the_file_cannot_say_are_named(raw, tmp_path):
    before = snapshot(raw)
    file = written(tmp_path, "study,yi,sei\nDoe 2021,-0.5,0.2\n")
    result = imported(file, *SAID, "--measure", "MD", "--json")
    assert result.exit_code == 1
    faults = json.loads(result.stdout)["faults"]
    assert {fault["column"] for fault in faults if fault["table"] == "studies"} == {
        *("status", "design", "blinding", "population", "intervention", "comparator"),
        *("comparator_class", "eligible_for", "eligibility_reason"),
    }
    assert not any(fault["is_on_file"] for fault in faults)
    assert snapshot(raw) == before


def test_a_table_without_a_line_to_place_fails(raw, tmp_path):
    file = written(tmp_path, "study,m1i,sd1i,n1i,m2i,sd2i,n2i\nDoe,5,-,40,6,many,41\n")
    result = imported(file, *SAID, "--statistic", "end")
    assert result.exit_code == 1
    assert f"no line of {file} could be placed" in result.stderr
    assert "line 2 sd2i: 'many' is not a plain number" in result.stderr


def test_judgements_take_the_place_of_the_row_that_says_nobody_has_judged(raw, tmp_path):
    table = "study,m1i,sd1i,n1i,m2i,sd2i,n2i\nDoe 2021,5,2,40,6,2.5,41\n"
    done = imported(written(tmp_path, table), *SAID, *SET, "--statistic", "end")
    assert done.exit_code == 0, done.output
    (before,) = [r for r in read(raw / "risk_of_bias.csv") if r["study_id"] == "doe2021"]
    assert (before["judgement"], before["judged_by"]) == ("TODO", "nobody yet")
    judged = "Study,D1,D2,D3,D4,D5,Overall\nDoe 2021,Low,Low,Low,Some concerns,Low,Some concerns\n"
    said = [*SAID, "--data", "bias", "--set", "judged_by=this project"]
    done = imported(written(tmp_path, judged, "rob.csv"), *said)
    assert done.exit_code == 0, done.output
    after = [r for r in read(raw / "risk_of_bias.csv") if r["study_id"] == "doe2021"]
    assert len(after) == 6
    assert {r["judgement"] for r in after} == {"low", "some concerns"}
    # What somebody has judged is not overwritten.
    done = imported(written(tmp_path, judged, "rob.csv"), *said)
    assert done.exit_code == 1
    assert "the same row again under another key" in done.output


def test_references_are_added_once(raw, tmp_path):
    reference = "TY  - JOUR\nAU  - Zorn, A\nPY  - 2019\nTI  - Of nothing\nT2  - J Inv\nER  - \n"
    file = written(tmp_path, reference, "a.ris")
    done = imported(file)
    assert done.exit_code == 0, done.output
    (row,) = [r for r in read(raw / "sources.csv") if r["title"] == "Of nothing"]
    assert (row["source_id"], row["kind"]) == ("zorn2019", "journal article")
    assert row["note"] == "untraceable: no identifier was given; no row cites it"
    done = imported(file)
    assert done.exit_code == 1
    assert "is on file, or in it before: zorn2019" in done.output


def test_files_that_are_no_tables_are_refused(tmp_path):
    def refused(data):
        file = tmp_path / "t.csv"
        file.write_bytes(data)
        with pytest.raises(ParameterError) as error:
            read_foreign(file)
        return str(error.value)

    said = refused(b"a,b,a\n1,2\n1,2,3\n1,2,3,4\n")
    assert "two columns are called 'a'" in said
    assert "line 2 has 2 cells, the header 3" in said
    assert "line 4 has 4 cells, the header 3" in said
    assert "is not UTF-8" in refused(b"a,b\n\xe9,1\n")
    assert "no line below its header" in refused(b"a,b\n")
    with pytest.raises(ParameterError, match="cannot be read: No such file"):
        read_foreign(tmp_path / "none.csv")
    with pytest.raises(ParameterError, match="cannot be read: Is a directory"):
        read_foreign(tmp_path)


def test_line_numbers_are_those_of_the_file(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(b'\xef\xbb\xbfa;b\r\n"x\r\ny";1,5\r\n\r\n;\r\nz;2\r\n')
    content = read_foreign(file)
    assert content.header == ("a", "b")
    assert [number for number, _ in content.lines] == [2, 6]
    assert content.lines[0][1][1] == "1,5"


# A new review


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """What init makes, from options, and three trials imported."""
    folder = tmp_path_factory.mktemp("new") / "review"
    done = CliRunner().invoke(
        main,
        [
            *("init", str(folder), "--drug", "vitamin D", "--comparator", "sham pill"),
            *("--condition", "migraine", "--condition", "knee pain"),
            *("--outcome", "headache days:days a month:lower", "--outcome", "falls:people:harm"),
        ],
    )
    assert done.exit_code == 0, done.output
    return folder


def test_a_new_review_has_nothing_of_this_one(begun):
    told = {file: file.read_text(encoding="utf-8") for file in begun.rglob("*") if file.is_file()}
    word = re.compile(r"LDN\b(?!_)|[Nn]altrexone|[Ll]ow-dose|[Ff]ibromyalgia|Crohn|[Oo]pioid")
    assert {
        file.name: word.findall(text) for file, text in told.items() if word.search(text)
    } == {}
    assert (begun / "data/raw/studies.csv").read_text(encoding="utf-8").count("\n") == 1
    assert not (begun / "notebooks/92_dose.ipynb").exists()


def test_a_new_review_is_in_order_and_takes_trials(begun, tmp_path):
    table = tmp_path / "three.csv"
    table.write_text(
        "study,year,n1i,m1i,sd1i,n2i,m2i,sd2i\n"
        "Arden 2001,2001,40,4.1,2.5,42,5.6,2.4\n"
        "Brook 2005,2005,61,5.0,3.1,58,5.9,2.8\n"
        "Cole 2010,2010,25,3.8,2.0,27,4.0,2.2\n",
        encoding="utf-8",
    )
    cells = {
        **{"kind": "journal article", "authors": "Reader A", "title": "An invented review"},
        **{"year": "2015", "container": "J Invented Rev", "locator": "Table 2"},
        **{"design": "parallel", "blinding": "double-blind", "status": "published"},
        **{"is_randomised": "yes", "population": "adults", "intervention": "vitamin D"},
        **{"comparator": "sham", "comparator_class": "sham pill", "eligible_for": "contrast"},
        "eligibility_reason": "randomised",
    }
    given = ["--outcome", "headache_days", "--source", "made2015", "--indication", "migraine"]
    given += ["--read-from", "secondary review", "--extracted-by", "A. Reader"]
    given += ["--weeks", "12", "--statistic", "end"]
    for name, text in cells.items():
        given += ["--set", f"{name}={text}"]
    where = ["-C", str(begun)]
    for command in (["check"], ["import", str(table), *given], ["derive"]):
        done = CliRunner().invoke(main, where + command)
        assert done.exit_code == 0, done.output
    # What the tools write is sealed, and what is lost afterwards is refused.
    told = json.loads(CliRunner().invoke(main, [*where, "check", "--json"]).stdout)
    assert told["edited"] == []
    assert {t.rows for t in load_dictionary(begun / "data/raw").tables.values()} >= {0, 3, 6}
    stats = begun / "data/raw/arm_stats.csv"
    whole = stats.read_bytes()
    stats.write_bytes(whole[: whole[:-1].rindex(b"\n") + 1])
    done = CliRunner().invoke(main, [*where, "check"])
    assert "arm_stats:0:-: has 5 rows, and 6 when it was sealed" in done.output
    stats.write_bytes(whole)
    named = {arm["label"] for arm in csv_records(begun / "data/raw/arms.csv")}
    assert named == {"vitamin D", "sham pill"}
    pooled = csv_records(begun / "data/derived/pooled.csv")
    (one,) = [row for row in pooled if row["analysis"] == "main"]
    sds = ((2.5, 40, 2.4, 42), (3.1, 61, 2.8, 58), (2.0, 25, 2.2, 27))
    vi = [s1**2 / n1 + s2**2 / n2 for s1, n1, s2, n2 in sds]
    assert float(one["estimate"]) == pytest.approx(pool([-1.5, -0.9, -0.2], vi).estimate, rel=1e-4)


def test_a_new_review_takes_judgements(begun, tmp_path):
    file = tmp_path / "rob.csv"
    file.write_text("Study,D1,D2,D3,D4,D5,Overall\nArden 2001,Low,Low,Low,Low,Low,Low\n")
    said = ["--source", "made2015", "--read-from", "full text", "--extracted-by", "A. Reader"]
    said += ["--data", "bias", "--set", "judged_by=this project"]
    for command in (["import", str(file), *said], ["check"]):
        done = CliRunner().invoke(main, ["-C", str(begun), *command])
        assert done.exit_code == 0, done.output
    judged = csv_records(begun / "data/raw/risk_of_bias.csv")
    described = json.loads((begun / "data/raw/datapackage.json").read_text())
    (table,) = [one for one in described["resources"] if one["name"] == "risk_of_bias"]
    # Two are not judged yet.
    assert len(judged) == table["rows"] == 8


def test_a_new_review_overwrites_nothing(begun, tmp_path):
    for arguments, words in (
        ([str(begun), "--drug", "x", "--condition", "y", "--comparator", "z"], "--outcome is"),
        ([str(begun), "--from", str(CHECKOUT / "docs/new_review/example.toml")], "not empty"),
        ([str(tmp_path / "a"), "--from", str(tmp_path / "none.toml")], "example.toml is one"),
    ):
        done = CliRunner().invoke(main, ["init", *arguments])
        assert done.exit_code == 2
        assert words in done.output
    done = CliRunner().invoke(main, ["-C", str(tmp_path), "check"])
    assert done.exit_code == 2
    assert "holds no review" in done.output


def test_a_file_of_answers_makes_a_review(tmp_path):
    example = CHECKOUT / "docs/new_review/example.toml"
    for arguments in (
        ["init", str(tmp_path / "r"), "--from", str(example)],
        ["-C", str(tmp_path / "r"), "check"],
    ):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output


# How this project works, and not every review.
OWN_WAYS = re.compile(
    r"look-up|not registered|by machine|machine-assisted|second person|two reviewers|"
    r"not a systematic search|LDN\b(?!_)|[Nn]altrexone"
)


@pytest.fixture(scope="module")
def thirteen(tmp_path_factory):
    """The review of examples/bcg with its executed pages and its site."""
    program = Path(sys.executable).with_name("ldn-meta")
    folder = tmp_path_factory.mktemp("bcg") / "bcg"
    env = {**os.environ, "LDN_META": str(program), "LDN_META_ROOT": ""}
    for command in (
        [CHECKOUT / "examples" / "bcg" / "make", folder],
        [program, "-C", folder, "run", "--site"],
    ):
        subprocess.run(command, env=env, check=True, capture_output=True)
    return folder


def words_of(page):
    """What a page or a source of one says, without tags, scripts and styles."""
    text = re.sub(r"(?s)<(script(?! type=.application/json)|style).*?</\1>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def test_pages_of_another_drug_tell_nothing_of_how_this_review_was_made(thirteen):
    pages = [
        file
        for folder in ("reports", "build/site")
        for file in (thirteen / folder).rglob("*")
        # The dictionary tells which values a column may have.
        if file.suffix in (".html", ".ipynb", ".json", ".svg", ".md")
        and "_static" not in file.parts
        and file.stem not in ("data_dictionary", "datapackage")
    ]
    told = {
        file.relative_to(thirteen).as_posix(): words_of(file.read_text(encoding="utf-8"))
        for file in pages
    }
    own = {name: OWN_WAYS.findall(text) for name, text in told.items()}
    assert {name: words for name, words in own.items() if words} == {}
    included = "reports/tuberculosis/10_included_trials.ipynb"
    for name in ("build/site/index.html", "build/site/explore.html", included):
        assert "How the trials were looked for is not told." in told[name]


def test_thirteen_trials_give_the_printed_result(thirteen):
    # rma(ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg, measure="RR") of metafor.
    pooled = csv_records(thirteen / "data/derived/pooled.csv")
    (wald,) = [row for row in pooled if row["analysis"] == "REML, Wald"]
    assert (wald["k"], wald["q_df"]) == ("13", "12")
    found = [round(float(wald[name]), 4) for name in ("estimate", "se", "ci_low", "ci_high")]
    assert found == [-0.7145, 0.1798, -1.0669, -0.3622]
    assert round(float(wald["tau2"]), 4) == 0.3132
    page = thirteen / "reports/tuberculosis/50_robustness.ipynb"
    # exp(-0.7145), exp(-1.0669), exp(-0.3622)
    assert "0.49 (0.34 to 0.70)" in words_of(page.read_text(encoding="utf-8"))
