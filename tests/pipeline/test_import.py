"""Tables of other programs through the command: rows, report, refusals."""

import json
import shutil

import pytest
from click.testing import CliRunner

from builders import added, cut_down, read, snapshot
from ldn_meta import paths
from ldn_meta.errors import ParameterError
from ldn_meta.evidence.entry.foreign import read_foreign
from ldn_meta.pipeline.cli import main

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


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return cut_down(paths.raw_data(), tmp_path_factory.mktemp("small"))


@pytest.fixture
def raw(small, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "raw"
    shutil.copytree(small, folder)
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    return folder


def command(*arguments):
    arguments = ["import", *map(str, arguments)]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def written(tmp_path, text, name="table.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_revman_table_becomes_rows_that_derive_takes(raw, tmp_path):
    before = snapshot(raw)
    file = written(tmp_path, REVMAN)
    result = command(file, *SAID, *SET, "--statistic", "end")
    assert result.exit_code == 0, result.output
    assert {name: len(lines) for name, lines in added(before, raw).items()} == {
        **{"studies": 1, "arms": 2, "arm_stats": 2, "risk_of_bias": 1}
    }
    for words in (
        "study = Name",
        "line 3: doe2021 (new)",
        "not placed, line 2: names an analysis",
        "not placed, line 4 SD 1: no number, so 'Roe' is not placed",
        "not placed, Weight: computed by the program that wrote the file",
        "Effect Estimate",
        "effect doe2021-pain_nrs_0_10-w12-md-1: MD -1.5",
        "data/raw: studies 1, arms 2, arm_stats 2, risk_of_bias 1 rows added",
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
    result = command(file, *SAID, *SET, "--measure", "MD", "--json", "--dry-run")
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
    result = command(file, *SAID, *SET, "--outcome", "any_ae")
    assert result.exit_code == 0, result.output
    events = [r for r in read(raw / "arm_events.csv") if r["study_id"] == "doe2021"]
    assert [(row["events"], row["n"]) for row in events] == [("15", "41"), ("20", "40")]


def test_a_source_that_is_not_on_file_can_come_with_the_table(raw, tmp_path):
    file = written(tmp_path, "study,ai,n1i,ci,n2i\nDue Bruun 2024 (FINAL),20,49,15,50\n")
    said = [*SAID, "--outcome", "dizziness_new", "--source", "review2025"]
    result = command(file, *said)
    assert result.exit_code == 1
    assert "value 'review2025' no such source_id in sources" in result.stderr
    assert "a cell that the file cannot say: --set COLUMN=TEXT" in result.stderr
    said = [*SAID, "--outcome", "constipation_mod_sev", "--source", "review2025"]
    result = command(file, *said, "--set", "kind=meta-analysis", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "sources.csv\n  review2025,meta-analysis,NR" in result.stdout


def test_what_the_request_lacks_is_told_at_once(raw, tmp_path):
    file = written(tmp_path, "author,trial,m1i,sd1i,n1i,m2i,sd2i,n2i,x\nA,1,5,2,40,6,2,41,0\n")
    result = command(file, "--set", "desing=parallel", "--column", "study=author")
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
    result = command(file, *SAID)
    assert result.exit_code == 2
    assert "'author', 'trial' could all be study" in result.stderr
    file = written(tmp_path, "study,yi,vi\nA,1,0.1\n")
    assert "--measure is missing; use one of MD" in command(file, *SAID).stderr
    assert "'--study' " not in command(file, *SAID).stderr
    assert "--study 'A' is not NAME=VALUE" in command(file, *SAID, "--study", "A").stderr


def test_revman_5_effects_are_no_logarithms(raw, tmp_path):
    file = written(tmp_path, "Name,Effect Estimate,CI Start,CI End\nA 2001,0.8,0.5,1.3\n")
    result = command(file, *SAID, "--measure", "logRR")
    assert result.exit_code == 2
    assert "'Effect Estimate' of RevMan 5 is no logarithm; use --measure RR" in result.stderr


def test_cells_that_the_file_cannot_say_are_named(raw, tmp_path):
    before = snapshot(raw)
    file = written(tmp_path, "study,yi,sei\nDoe 2021,-0.5,0.2\n")
    result = command(file, *SAID, "--measure", "MD", "--json")
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
    result = command(file, *SAID, "--statistic", "end")
    assert result.exit_code == 1
    assert f"no line of {file} could be placed" in result.stderr
    assert "line 2 sd2i: 'many' is not a plain number" in result.stderr


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
