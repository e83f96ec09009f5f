"""Pools for R: what the files hold, that it gives the saved result, and that metafor agrees."""

import csv
import html
import io
import itertools
import json
import math
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import docx
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from builders import read
from ldn_meta import files
from ldn_meta.display.words import capitalised
from ldn_meta.errors import LdnMetaError, ParameterError
from ldn_meta.evidence import load
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.pipeline import export
from ldn_meta.pipeline import export as multiverse
from ldn_meta.pipeline.cli import main
from ldn_meta.pipeline.notebooks import reported_indications
from ldn_meta.stats.arrays import CI_METHODS, TAU2_METHODS
from ldn_meta.stats.pool import pool

ESTIMATE = ("estimate", "ci_low", "ci_high", "tau2")


def saved(script):
    """The numbers a script compares with."""
    text = re.search(r"^saved <- c\((.*)\)$", script, re.MULTILINE)[1]
    pairs = [part.split(" = ") for part in text.split(", ")]
    return {name: math.nan if value == "NA" else float(value) for name, value in pairs}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Every main pool there is, in a folder of its own."""
    folder = tmp_path_factory.mktemp("export")
    found = []
    for indication in reported_indications():
        pools = load_derived(indication).pooled
        for construct in sorted(set(pools.loc[pools["analysis"] == "main", "construct"])):
            found += export.export(indication, construct=construct, folder=folder)
    return found


def test_every_main_pool_can_be_had(everything):
    pooled = read(files.derived_data() / "pooled.csv")
    assert len(everything) == sum(row["analysis"] == "main" for row in pooled)
    assert len({one.table for one in everything}) == len(everything)


def test_the_table_alone_gives_the_saved_result(everything):
    for one in everything:
        table = pd.read_csv(one.table)
        script = one.script.read_text(encoding="utf-8")
        method = re.search(r'method = "(\w+)"', script)[1]
        test = re.search(r'test = "(\w+)"', script)[1]
        result = pool(
            table["yi"].to_numpy(float),
            table["vi"].to_numpy(float),
            tau2_method=next(ours for ours, name in export.METHODS.items() if name == method),
            ci_method=next(ours for ours, name in export.TESTS.items() if name == test),
            level=float(re.search(r"level = ([\d.]+)", script)[1]) / 100,
        )
        found = {name: getattr(result, name) for name in ESTIMATE}
        if len(table) == 1:
            found |= {name: table[name].iloc[0] for name in ("ci_low", "ci_high")}
        for name, value in saved(script).items():
            assert found[name] == pytest.approx(value, rel=1e-5, abs=1e-9, nan_ok=True), one.script
        assert saved(script) == pytest.approx(one.results, rel=0, abs=0, nan_ok=True)
        assert len(table) == one.trials
        assert f'read.csv("{one.table.name}"' in script


def test_the_script_is_short_and_stops_where_it_does_not_agree(everything):
    lines = everything[0].script.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 15
    assert lines[0].startswith("# any adverse event, fibromyalgia, against placebo: RR,")
    assert lines[-1].startswith("stopifnot(all(abs(found - saved) <= 1e-05")


def test_arm_columns_hold_the_printed_numbers_behind_an_effect():
    trials = pd.DataFrame(
        {
            "study_label": ["A", "B", "C"],
            "rows": ["arm_stats:x arm_stats:y", "contrasts:z", "arm_events:v arm_events:w"],
            **{name: [0.1, 0.2, 0.3] for name in ("yi", "vi", "df", "ci_low", "ci_high")},
            **{name: [10, 20, 30] for name in ("n_1", "n_2")},
            **{name: [math.nan, math.nan, 4] for name in ("events_1", "events_2")},
            **{
                name: ["t"] * 3
                for name in (
                    *("study_id", "effect_id", "measure", "unit", "instrument"),
                    *("timepoint_weeks", "route", "reported_in", "read_in", "locator", "ci_from"),
                    "estimand",
                )
            },
        }
    )
    arms = pd.DataFrame({"row_id": ["y", "x"], "mean": [6.5, 5.0], "sd": [2.2, math.nan]})
    table = export.metafor_table(trials, arms)
    assert table["m1i"].to_list()[0] == 5.0 and table["m2i"].to_list()[0] == 6.5
    assert math.isnan(table["sd1i"].iloc[0]) and table["sd2i"].iloc[0] == 2.2
    assert table["m1i"].iloc[1:].isna().all()
    assert table["ai"].to_list()[2] == 4 and math.isnan(table["ai"].iloc[0])
    assert list(table.columns[:3]) == ["slab", "yi", "vi"]


def test_metafor_has_a_name_for_every_method():
    assert set(export.METHODS) == set(TAU2_METHODS)
    assert set(export.TESTS) == set(CI_METHODS)


def test_the_command_prints_the_paths(tmp_path):
    result = CliRunner().invoke(main, ["export", "fibromyalgia", "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    name = "fibromyalgia-pain_intensity-placebo-md-points_0_10"
    assert result.stdout == (
        f"{tmp_path}/{name}.csv: 2 trials, MD\n"
        f"{tmp_path}/{name}.R: run it there with Rscript {name}.R\n"
    )
    result = CliRunner().invoke(
        main, ["export", "fibromyalgia", "--output", str(tmp_path), "--json"]
    )
    (told,) = json.loads(result.stdout)
    assert told["table"] == f"{tmp_path}/{name}.csv"
    assert told["results"] == saved((tmp_path / f"{name}.R").read_text(encoding="utf-8"))


def test_wrong_requests(tmp_path):
    with pytest.raises(ParameterError, match="did you mean 'fibromyalgia'"):
        export.export("fibromialgia", folder=tmp_path)
    with pytest.raises(ParameterError, match=r"did you mean 'pain_intensity'\?"):
        export.export("fibromyalgia", construct="pain_intensty", folder=tmp_path)
    with pytest.raises(LdnMetaError, match="nothing was pooled for clinical_response in crohns"):
        export.export("crohns_disease", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def run_r(script):
    return subprocess.run(
        ["Rscript", script.name], cwd=script.parent, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_metafor_agrees_with_every_pool(everything):
    for one in everything:
        done = run_r(one.script)
        assert done.returncode == 0, f"{one.script}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize("tau2_method", TAU2_METHODS)
@pytest.mark.parametrize("ci_method", CI_METHODS)
def test_metafor_agrees_whatever_the_method_and_notices_if_not(tmp_path, tau2_method, ci_method):
    yi, vi = [-0.5, 0.1, -1.2, -0.3], [0.04, 0.09, 0.2, 0.05]
    pd.DataFrame({"slab": list("abcd"), "yi": yi, "vi": vi}).to_csv(tmp_path / "t.csv")
    result = pool(yi, vi, tau2_method=tau2_method, ci_method=ci_method, level=0.9)
    numbers = SimpleNamespace(**{name: float(getattr(result, name)) for name in ESTIMATE})
    settings = {"tau2_method": tau2_method, "ci_method": ci_method, "level": 0.9}
    script = tmp_path / "t.R"
    script.write_text(export.r_script("t.csv", "Test", settings | vars(numbers)))
    done = run_r(script)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers.ci_low += 1e-3
    script.write_text(export.r_script("t.csv", "Test", settings | vars(numbers)))
    assert "is not TRUE" in run_r(script).stderr


CHUNK = 50_000


@pytest.fixture
def project(tmp_path, monkeypatch, evidence):
    """The real data, read once, in a project of its own, so that build/ is nobody else's."""
    monkeypatch.setattr(load, "load_evidence", lambda: evidence)
    root = files.project_root()
    for name in ("notebooks", "src", "requirements.lock"):
        (tmp_path / name).symlink_to(root / name)
    shutil.copytree(root / "data", tmp_path / "data")
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    return tmp_path


def specifications(file):
    from fastparquet import ParquetFile

    with file.open("rb") as stream:
        return ParquetFile(stream).to_pandas()


def frame_of(folder):
    return pd.concat([specifications(file) for file in sorted(folder.glob("part-*.parquet"))])


def test_interrupted_it_goes_on_and_ends_the_same(project):
    laid_out = multiverse.plan(["painful_diabetic_neuropathy"], chunk=CHUNK)
    (pain, *_) = laid_out.found
    assert laid_out.kept == 0
    steps = multiverse.run(laid_out)
    first = next(steps)
    steps.close()
    assert first.file.is_file()
    again = multiverse.plan(["painful_diabetic_neuropathy"], chunk=CHUNK)
    assert (again.kept, len(again.missing)) == (1, len(laid_out.missing) - 1)
    assert first.file not in [part.file for part in again.missing]
    list(multiverse.run(again))
    written = frame_of(first.file.parent)
    expected = pain.frame()
    assert list(written["analysis"]) == list(range(len(pain)))
    pd.testing.assert_series_equal(
        written["estimate"].reset_index(drop=True), expected["estimate"], check_exact=True
    )
    assert list(written["interval"].cat.categories) == list(expected["interval"].cat.categories)
    assert not list(first.file.parent.glob(".*"))


@pytest.mark.parametrize(
    "in_processes", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["thread", "process"]
)
def test_workers_in_other_processes_write_the_same(project, in_processes):
    from distributed import LocalCluster

    laid_out = multiverse.plan(["painful_diabetic_neuropathy"], chunk=CHUNK)
    # Another process gets a copy; it need not be started to see that the copy does.
    laid_out = replace(laid_out, found=pickle.loads(pickle.dumps(laid_out.found)))
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=in_processes, dashboard_address=None
    ) as cluster:
        written = {
            part.file: specifications(part.file)
            for part in multiverse.run(laid_out, scheduler=cluster.scheduler_address)
        }
    assert len(written) == len(laid_out.missing)
    for part in laid_out.missing:
        found = laid_out.found[part.place]
        expected = found.frame(part.start, part.stop).reset_index(drop=True)
        pd.testing.assert_frame_equal(
            written[part.file], expected, check_exact=True, check_index_type=False
        )


def test_requests_that_cannot_be_met(project):
    with pytest.raises(ParameterError, match="did you mean 'fibromyalgia'"):
        multiverse.plan(["fibromyalga"])
    laid_out = multiverse.plan(["painful_diabetic_neuropathy"])
    with pytest.raises(ParameterError, match="no dask scheduler answers at 'nowhere'"):
        list(multiverse.run(laid_out, scheduler="nowhere"))


def test_the_command_says_what_it_did(project):
    result = CliRunner().invoke(main, ["multiverse", "painful_diabetic_neuropathy"])
    assert result.exit_code == 0, result.output
    assert "774,144 analyses of 2 outcomes; 8 parts written, 0 were there" in result.output
    again = CliRunner().invoke(main, ["multiverse", "painful_diabetic_neuropathy"])
    assert "0 parts written, 8 were there" in again.output
    # Other inputs start from nothing.
    protocol = project / "data" / "raw" / "protocol.toml"
    protocol.write_text(protocol.read_text(encoding="utf-8") + "# moved\n", encoding="utf-8")
    assert multiverse.plan(["painful_diabetic_neuropathy"]).kept == 0


# The report to carry away


@pytest.fixture(scope="module")
def zips(tmp_path_factory):
    """Every condition's archive, opened: its members by their names below its folder."""
    folder = tmp_path_factory.mktemp("report")
    found = {}
    for name in reported_indications():
        with zipfile.ZipFile(export.write_report(name, "zip", folder=folder)) as archive:
            members = {one: archive.read(one) for one in archive.namelist()}
        found[name] = {one.removeprefix(f"{name}/"): data for one, data in members.items()}
    return found


def words_of(document):
    """What a reader of a Word file sees: paragraphs and cells."""
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def test_the_word_report_holds_the_numbers_of_the_pages(zips):
    for name, members in zips.items():
        facts = json.loads(members["facts.json"])
        words = words_of(docx.Document(io.BytesIO(members[f"{name}.docx"])))
        effect = facts["20_pooled_effect"]["answer"]
        told = (effect["sentence"], facts["60_certainty"]["plain"])
        for sentence in told:
            for line in sentence.split("\n\n"):
                assert line in words, name
        for outcome in facts["60_certainty"]["outcomes"]:
            assert capitalised(outcome["construct_label"]) in words, name
        # The same in the page for browsers.
        page = html.unescape(members[f"{name}.html"].decode())
        assert all(line in page for line in told[0].split("\n\n")), name
        read = facts["20_pooled_effect"]["read"] or {}
        if read.get("shown_estimate") is not None:
            assert f"{read['shown_low']:.2f} to {read['shown_high']:.2f}" in words, name
        for outcome in facts["60_certainty"]["outcomes"]:
            if outcome["measure"] in RATIO_MEASURES and outcome["shown_ci_low"] is not None:
                shown = f"{outcome['shown_ci_low']:.2f} to {outcome['shown_ci_high']:.2f}"
                assert shown in words, name


def test_figures_have_300_dots_an_inch_and_words(zips):
    drawn = 0
    for name, members in zips.items():
        document = docx.Document(io.BytesIO(members[f"{name}.docx"]))
        for shape in document.inline_shapes:
            drawn += 1
            relation = shape._inline.graphic.graphicData.pic.blipFill.blip.embed
            image = document.part.related_parts[relation].image
            assert image.horz_dpi == image.vert_dpi == export.DOTS_PER_INCH
            assert image.px_width / shape.width.inches == pytest.approx(300, rel=0.01)
            assert len(shape._inline.docPr.get("descr")) > 40
        assert 'alt=""' not in members[f"{name}.html"].decode()
    assert drawn > len(zips)


def test_nothing_pooled_gives_a_short_report_without_empty_parts(zips):
    name = "complex_regional_pain_syndrome"
    document = docx.Document(io.BytesIO(zips[name][f"{name}.docx"]))
    styles = [one.style.name for one in document.paragraphs if one.text]
    assert ("Heading 1", "Heading 1") not in itertools.pairwise(styles)
    assert not any(one.startswith("metafor/") for one in zips[name])
    assert all(len(table.rows) > 1 for table in document.tables)


def test_the_bytes_are_the_same_and_listed(zips, tmp_path):
    name = "painful_diabetic_neuropathy"
    export.png_300.cache_clear()
    with pytest.MonkeyPatch.context() as patched:
        later = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
        patched.setattr("time.time", later.timestamp)
        again = export.write_report(name, "zip", folder=tmp_path)
    with zipfile.ZipFile(again) as archive:
        members = {one.removeprefix(f"{name}/"): archive.read(one) for one in archive.namelist()}
        assert {one.date_time[3:] for one in archive.infolist()} == {(0, 0, 0)}
    assert members == zips[name]
    for members in zips.values():
        listed = dict(
            reversed(line.split("  ", 1)) for line in members["SHA256SUMS"].decode().splitlines()
        )
        assert set(listed) == set(members) - {"SHA256SUMS"}
        assert all(files.sha256(members[one]) == value for one, value in listed.items())


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        *((same, same) for same in ("-", "-0.34", "-0.34 (-0.95 to 0.27)", "-1e-05", "a = b")),
    ],
)
def test_no_cell_is_a_formula(cell, kept):
    assert export.neutral(cell) == kept
    rows = (("head", "other"), (cell, "x"))
    book = export.as_xlsx(
        export.Report("x", "=title", "2026-01-02", (export.Block("table", "", "=c.", rows),))
    )
    loaded = openpyxl.load_workbook(io.BytesIO(book))
    kinds = {c.data_type for sheet in loaded for row in sheet for c in row if c.value is not None}
    assert kinds <= {"s", "n"}


def test_the_tables_are_those_of_the_report(zips):
    members = zips["fibromyalgia"]
    book = openpyxl.load_workbook(io.BytesIO(members["fibromyalgia.xlsx"]))
    document = docx.Document(io.BytesIO(members["fibromyalgia.docx"]))
    assert len(book.sheetnames) - 1 == len(document.tables)
    assert any("summary_of_findings" in one for one in book.sheetnames)
    for name, table in zip(book.sheetnames[1:], document.tables, strict=True):
        heads = [cell.text for cell in table.rows[0].cells]
        assert [cell.value for cell in book[name][2]] == heads
        rows = list(csv.reader(io.StringIO(members[f"tables/{name}.csv"].decode())))
        assert rows[0] == heads
        assert len(rows) == len(table.rows)


def test_sources_for_reference_managers(zips):
    for members in zips.values():
        records = members["sources.ris"].decode().split("ER  - ")[:-1]
        entries = re.findall(r"^@\w+\{([^,]+),$", members["sources.bib"].decode(), re.MULTILINE)
        keys = [re.search(r"^ID  - (.+?)\r?$", one, re.MULTILINE)[1] for one in records]
        assert keys == entries
        assert len(set(keys)) == len(keys) > 0
        assert all(one.strip().startswith("TY  - ") for one in records)
    source = {
        **{"source_id": "a2", "kind": "journal article", "authors": "van Dam AB, et al."},
        **{"title": "50% & more", "container": "J 1:2", "year": "2001", "doi": "10.1/a_b"},
        **{"pmid": "", "registry_id": "", "url": "", "note": ""},
    }
    told = "van Dam AB, et al. 50% & more. J 1:2. 2001. https://doi.org/10.1/a_b"
    assert export.reference(source) == told
    assert "AU  - van Dam, AB\r\n" in export.ris([source]).decode()
    bib = export.bibtex([source]).decode()
    assert r"title = {{50\% \& more}}" in bib
    assert "author = {van Dam, AB}" in bib
    assert "doi = {10.1/a_b}" in bib


def test_risk_of_bias_for_robvis(zips):
    members = zips["fibromyalgia"]
    rows = list(csv.reader(io.StringIO(members["robvis/rob_2.csv"].decode())))
    assert rows[0] == ["Study", "D1", "D2", "D3", "D4", "D5", "Overall"]
    judged = {cell for row in rows[1:] for cell in row[1:]}
    assert judged <= {"Low", "Some concerns", "High", "No information", "NA"}
    assert not any("jbi" in one for one in members)


def test_a_wrong_request_for_a_report_is_told(monkeypatch, tmp_path):
    asked = CliRunner().invoke(main, ["report", "fibromyalgia", "--to", "dock"])
    assert asked.exit_code == 2
    assert "did you mean 'docx'?" in asked.output
    assert CliRunner().invoke(main, ["report", "gout", "--to", "docx"]).exit_code == 2
    monkeypatch.setitem(sys.modules, "docx", None)
    asked = CliRunner().invoke(
        main, ["report", "fibromyalgia", "--to", "docx", "--output", str(tmp_path)]
    )
    assert asked.exit_code == 2
    assert "ldn-meta[word]" in asked.output


def test_a_data_package_of_revman_comes_back_as_it_went(zips, tmp_path):
    from ldn_meta.evidence.foreign import chosen_lines, read_foreign, recognise

    kinds = set()
    for name, members in zips.items():
        file = tmp_path / f"{name}.zip"
        file.write_bytes(members[f"{name}-revman.zip"])
        derived = load_derived(name)
        pools = derived.pooled[derived.pooled["analysis"] == "main"]
        if pools.empty:
            continue
        content = read_foreign(file)
        columns = recognise(content.header, {})
        assert not columns.problems
        by_key = derived.effects.set_index("effect_id")
        assert len(content.analyses) == len(pools)
        for place, main_pool in enumerate(pools.to_dict("records"), 1):
            (about,) = [one for one in content.analyses if one.endswith(f".{place}")]
            found = chosen_lines(content.lines, columns, analysis=about)
            assert not found.problems
            kinds.add(found.layout)
            effects = by_key.loc[main_pool["effects"].split(" ")]
            assert len(found.lines) == len(effects)
            for line, effect in zip(found.lines, effects.to_dict("records"), strict=True):
                assert line.label == effect["study_label"]
                if found.layout == "effect":
                    assert float(line.value("estimate")) == pytest.approx(effect["yi"])
                    assert float(line.value("se")) == pytest.approx(effect["sei"], rel=1e-5)
                elif found.layout == "events":
                    counted = [int(line.value(f"events_{n}")) for n in "12"]
                    assert counted == [effect["events_1"], effect["events_2"]]
                else:
                    difference = float(line.value("mean_1")) - float(line.value("mean_2"))
                    assert difference == pytest.approx(effect["yi"], rel=1e-5)
    assert {"effect", "events"} <= kinds


def test_findings_and_flow_stand_in_plain_tables(zips):
    members = zips["fibromyalgia"]
    facts = json.loads(members["facts.json"])
    rows = list(csv.DictReader(io.StringIO(members["summary_of_findings.csv"].decode())))
    rated = facts["60_certainty"]["outcomes"]
    assert [row["certainty"] for row in rows] == [one["certainty"] for one in rated]
    assert float(rows[0]["estimate"]) == pytest.approx(rated[0]["estimate"])
    flow = dict(csv.reader(io.StringIO(members["prisma_flow.csv"].decode())))
    parts = sum(int(flow[name]) for name in ("contrast", "single_arm", "excluded"))
    assert int(flow["studies"]) == parts == facts["10_included_trials"]["studies"]
