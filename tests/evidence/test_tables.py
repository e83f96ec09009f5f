"""The raw tables as they are read: files, types, labels, studies and corrections."""

import copy
import json
import pickle
import shutil

import pytest

from builders import addressed, entry_lines, faults_of, html_row
from ldn_meta.errors import ArgumentError, DataError
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.review import read_toml
from ldn_meta.evidence.raw.tables import (
    Study,
    load_dictionary,
    read_corrections,
    sealed,
    short_citation,
)
from ldn_meta.stats.arrays import html_table


def test_files_that_can_be_told_are_named_and_still_checked_inside(raw):
    # Byte-order mark, carriage returns, rows that do not fit: one fault each, and a wrong cell
    # of the same file is not hidden behind it.
    category = raw.find("arms", group="2")
    category["group"] = "4"
    # A cell over two lines moves the lines of the rows after it.
    raw.find("claims")["claim"] = "two\nlines"
    moved = raw.find("claims")
    moved["locator"] = ""
    folder = raw.save()
    arms = raw.path("arms")
    arms.write_bytes(b"\xef\xbb\xbf" + arms.read_bytes())
    sources = raw.path("sources")
    sources.write_bytes(sources.read_bytes().replace(b"\n", b"\r\n"))
    events = raw.path("arm_events").read_text(encoding="utf-8").split("\n")
    events[2] += ",one more"
    events[3] = events[3].rpartition(",")[0]
    events.insert(5, "")
    raw.path("arm_events").write_text("\n".join(events), encoding="utf-8")
    refused = faults_of(folder)
    width = len(raw.columns["arm_events"])
    assert {f[:3] + f[4:] for f in addressed(refused.faults)} == {
        ("arms", 1, "-", "file starts with a byte-order mark"),
        ("arms", raw.line("arms", category), "group", "is not one of the categories"),
        ("sources", 1, "-", "line ends with a carriage return"),
        ("claims", 2, "claim", "line break inside a cell"),
        ("claims", raw.line("claims", moved) + 1, "locator", "blank cell"),
        ("arm_events", 3, "-", f"row has {width + 1} cells, not {width}"),
        ("arm_events", 4, "-", f"row has {width - 1} cells, not {width}"),
        ("arm_events", 6, "-", f"row has 0 cells, not {width}"),
    }


def test_files_that_cannot_be_told_are_named_without_blaming_those_that_refer_to_them(raw):
    folder = raw.save()
    raw.path("sources").unlink()
    claims = raw.path("claims")
    claims.write_text(
        claims.read_text(encoding="utf-8").replace("claim_id", "claim", 1), encoding="utf-8"
    )
    facts = raw.path("study_facts")
    facts.write_bytes(facts.read_bytes().replace(b"\n", b"\nM\xfcller,", 1))
    risk = raw.path("risk_of_bias")
    text = risk.read_text(encoding="utf-8").rstrip("\n")
    risk.write_text(text[: text.rindex(",")] + ',"not closed\n', encoding="utf-8")
    last = len(text.splitlines())
    outcomes = raw.path("outcomes")
    outcomes.write_text("", encoding="utf-8")
    refused = faults_of(folder)
    assert {(f.table, f.line, f.column) for f in refused.faults} == {
        ("sources", 0, "-"),
        ("claims", 1, "-"),
        ("study_facts", 2, "-"),
        ("risk_of_bias", last, "-"),
        ("outcomes", 1, "-"),
    }
    by_table = {f.table: f for f in refused.faults}
    assert len(by_table) == len(refused.faults)
    assert by_table["sources"].rule == "file sources.csv is missing"
    assert by_table["claims"].rule == "header differs from datapackage.json"
    assert by_table["claims"].value.startswith("claim,claimed_in")
    assert by_table["claims"].remedy.startswith("use: claim_id,claimed_in")
    assert by_table["study_facts"].rule == "is not UTF-8"
    assert by_table["study_facts"].value == repr(b"\xfc")
    assert by_table["risk_of_bias"].rule.startswith("is no CSV")


def test_no_data_dictionary(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"datapackage\.json is missing"):
        load_evidence(tmp_path)
    (tmp_path / "datapackage.json").write_text('{\n "resources": [,]\n}', encoding="utf-8")
    (fault,) = faults_of(tmp_path).faults
    assert (fault.table, fault.line, fault.column) == ("datapackage", 2, "-")
    assert fault.rule.startswith("is no JSON")


def test_types_and_labels(evidence):
    assert evidence.contrasts["estimate"].dtype == "float64"
    assert evidence.arms["n_randomised"].dtype == "Int64"
    assert evidence.contrasts["is_paired"].dtype == "boolean"
    for name, text in evidence.text.items():
        typed = evidence.tables[name]
        labelled = text.isin(["NR", "NA", "TODO"])
        assert (typed.isna() == labelled).all(axis=None), name
        assert list(typed.columns) == list(text.columns)
        assert typed.index.equals(text.index)
        numbers = evidence.dictionary.tables[name].of_type("number", "integer")
        for column in numbers:
            stated = ~labelled[column]
            assert (typed.loc[stated, column] == text.loc[stated, column].astype(float)).all()


def test_evidence_is_friendly(evidence):
    assert repr(evidence).startswith(f"<Evidence: {len(evidence.studies)} studies, ")
    assert "contrasts" in dir(evidence)
    assert copy.copy(evidence).studies is evidence.studies
    with pytest.raises(AttributeError, match="no table 'contrast'; tables are"):
        evidence.contrast  # noqa: B018


def test_everything_about_one_study(evidence):
    found = evidence.study("duebruun2024")
    assert {"studies", "arms", "arm_stats", "arm_events", "contrasts"} <= set(found)
    for rows in found.values():
        assert (rows["study_id"] == "duebruun2024").all()
    with pytest.raises(ArgumentError, match="did you mean 'duebruun2024'"):
        evidence.study("duebrunn2024")


def test_one_indication(evidence):
    part = evidence.for_indication("fibromyalgia")
    assert list(part.indications["indication_id"]) == ["fibromyalgia"]
    assert (part.studies["indication_id"] == "fibromyalgia").all()
    assert (part.claims["indication_id"] == "fibromyalgia").all()
    assert part.claims["study_id"].isna().any()
    assert set(part.contrasts["study_id"]) <= set(part.studies["study_id"])
    assert len(part.outcomes) == len(evidence.outcomes)
    assert list(part.contrasts.index) == list(range(len(part.contrasts)))
    names = list(evidence.indications["indication_id"])
    rows = sum(len(evidence.for_indication(name).contrasts) for name in names)
    assert rows == len(evidence.contrasts)
    with pytest.raises(ArgumentError, match=r"no indication 'fibromyalgic'; did you mean"):
        evidence.for_indication("fibromyalgic")


def test_an_entry_is_read_as_typed(tmp_path):
    (tmp_path / "corrections.yml").write_text(
        "# a comment\n\n" + entry_lines(expect="0.10", reason=">-\n    two\n    lines"),
        encoding="utf-8",
    )
    (entry,), faults = read_corrections(tmp_path)
    assert not faults
    # YAML would make 0.1 of it, and "no" of no.
    assert (entry.expect, entry.reason, entry.line) == ("0.10", "two lines", 3)


@pytest.mark.parametrize("text", ["", "# nothing accepted\n"])
def test_no_entries(tmp_path, text):
    assert read_corrections(tmp_path) == ((), [])
    (tmp_path / "corrections.yml").write_text(text, encoding="utf-8")
    assert read_corrections(tmp_path) == ((), [])


def test_bytes_that_are_no_text(build, tmp_path):
    (tmp_path / "corrections.yml").write_bytes(b"- table: \xff\n")
    entries, faults = read_corrections(tmp_path)
    assert (entries, len(faults)) == ((), 1)


def test_a_table_escapes_its_cells():
    assert html_table([("a&b", "<1", "2")], head=("x", "y>", "z")) == (
        '<table><tr><th scope="col">x</th><th scope="col">y&gt;</th><th scope="col">z</th></tr>'
        '<tr><th scope="row">a&amp;b</th><td>&lt;1</td><td>2</td></tr></table>'
    )
    assert html_table([]) == "<table></table>"


def test_evidence_lists_its_tables_with_their_rows(evidence):
    page = evidence._repr_html_()
    assert repr(evidence).strip("<>") in page
    for name, frame in evidence.tables.items():
        rows, columns = frame.shape
        assert f'{name}</th><td style="text-align:left">{rows:,}</td>' in page
        assert f">{columns}</td>" in page
    own = evidence.for_indication("fibromyalgia")
    studies = len(own.tables["studies"])
    assert f"{studies} studies" in own._repr_html_()
    assert studies < len(evidence.tables["studies"])


def test_a_study_is_a_dict_that_shows_itself(evidence):
    study = evidence.study("younger2013")
    assert isinstance(study, dict)
    assert repr(study).startswith("<Study younger2013: studies 1, arms 2, ")
    assert study.label == "Younger 2013"
    page = study._repr_html_()
    for name, rows in study.items():
        number = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
        assert f"<strong>{name}</strong>, {number}<br>" in page
        assert (rows["study_id"] == "younger2013").all()
    # The one row of studies stands upright; what does not apply to it is named below.
    assert html_row("design", "crossover") in page
    assert "Does not apply: overlaps_with.</small>" in page
    assert ">overlaps_with</th>" not in page
    for other in (copy.copy(study), pickle.loads(pickle.dumps(study))):
        assert other._repr_html_() == page


def test_a_study_without_a_row_of_its_own_goes_by_its_key(evidence):
    rows = {"arms": evidence.study("younger2013")["arms"].assign(label="<b>")}
    study = Study("younger2013", rows, evidence.dictionary)
    assert study.label == "younger2013"
    assert "<h3>younger2013</h3>" in study._repr_html_()
    assert "&lt;b&gt;" in study._repr_html_()
    assert "<b>" not in study._repr_html_()


def test_a_construct_has_one_name(raw_folder):
    import csv

    names = {}
    with (raw_folder / "outcomes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            names.setdefault(row["construct"], set()).add(row["construct_label"])
    assert {name: said for name, said in names.items() if len(said) > 1} == {}


def arms(descriptor):
    return next(one for one in descriptor["resources"] if one["name"] == "arms")


def schema(descriptor):
    return arms(descriptor)["schema"]


# What is done to the data dictionary, the place that is named and what is said of it.
MISDESCRIBED = {
    "no labels": (lambda d: d.pop("missingValueLabels"), "missingValueLabels", "is missing"),
    "no tables": (lambda d: d.update(resources=[]), "resources", "is empty"),
    "key gone": (lambda d: schema(d).pop("primaryKey"), "arms.primaryKey", "is missing"),
    "key renamed": (
        lambda d: schema(d).update(primaryKey=["nope"]), "arms.primaryKey", "is not one column"),
    "column that is a text": (
        lambda d: schema(d)["fields"].insert(0, "arm"), "arms.", "is no object"),
    "link to no table": (
        lambda d: schema(d)["foreignKeys"][0]["reference"].update(resource="study"),
        "arms.foreignKeys[0].reference", "is no table, did you mean"),
    "link to no column": (
        lambda d: schema(d)["foreignKeys"][0]["reference"].update(fields="nope"),
        "arms.foreignKeys[0]", "is no column of studies"),
    "unknown type": (
        lambda d: schema(d)["fields"][0].update(type="blob"), "arms.arm_id.type", "is none of"),
    "bad pattern": (
        lambda d: schema(d)["fields"][0]["constraints"].update(pattern="([a"),
        "arms.arm_id.constraints.pattern", "is no regular expression"),
    "table elsewhere": (
        lambda d: arms(d).update(name="../arms"), "resources[", "is no file NAME.csv"),
    "column twice": (
        lambda d: schema(d)["fields"].append(schema(d)["fields"][0]), "arms.arm_id",
        "is described twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISDESCRIBED)
def test_a_data_dictionary_that_misdescribes_is_refused(raw_folder, tmp_path, name):
    change, place, rule = MISDESCRIBED[name]
    descriptor = json.loads((raw_folder / "datapackage.json").read_text(encoding="utf-8"))
    change(descriptor)
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load_dictionary(tmp_path)
    faults = refused.value.faults
    assert any(f.column.startswith(place) and f.rule.startswith(rule) for f in faults), faults
    assert {(f.table, f.remedy.rpartition(", or ")[2]) for f in faults} == {
        ("datapackage", "restore it from git")
    }


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ('{"name": "L\xf6w"}'.encode("latin-1"), "is not UTF-8"),
        (b"[]", "is no object"),
        (b"null", "is no object"),
        (b"{}", "is missing"),
        (b"[" * 100_000, "is nested too deeply to be read"),
        (b'{"a": NaN}', "is no JSON: NaN is no number of JSON"),
        (b"[" + b"9" * 5000 + b"]", "is no JSON: Exceeds the limit"),
    ],
)
def test_a_data_dictionary_that_cannot_be_read_is_refused(tmp_path, data, rule):
    (tmp_path / "datapackage.json").write_bytes(data)
    with pytest.raises(DataError) as refused:
        load_dictionary(tmp_path)
    assert refused.value.faults[0].rule.startswith(rule)


def test_tables_and_rules_need_a_description(raw):
    file = raw.save() / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    descriptor["resources"].remove(arms(descriptor))
    schemas = [resource["schema"] for resource in descriptor["resources"]]
    for one in schemas:
        links = one.get("foreignKeys", [])
        one["foreignKeys"] = [k for k in links if k["reference"]["resource"] != "arms"]
    file.write_text(json.dumps(descriptor), encoding="utf-8")
    told = [(f.value, f.rule) for f in faults_of(raw.folder).faults]
    assert told == [("arms.csv", "is described by no table")]
    raw.path("arms").unlink()
    (fault,) = faults_of(raw.folder).faults
    assert (fault.value, fault.table) == ("arms", "datapackage")


@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000 + "x"])
def test_corrections_that_are_nested_too_deeply(tmp_path, text):
    (tmp_path / "corrections.yml").write_text(text, encoding="utf-8")
    _, (fault,) = read_corrections(tmp_path)
    assert fault.rule == "is nested too deeply to be read"


def test_a_folder_in_the_place_of_a_file(tmp_path):
    for name in ("corrections.yml", "protocol.toml"):
        (tmp_path / name).mkdir()
    assert read_corrections(tmp_path)[1][0].rule == "is a folder"
    with pytest.raises(ArgumentError, match=r"protocol\.toml: cannot be read"):
        read_toml(tmp_path / "protocol.toml")
    for text in ("x = " + "[" * 5000, "x = " + "9" * 5000):
        (tmp_path / "deep.toml").write_text(text, encoding="utf-8")
        with pytest.raises(ArgumentError, match=r"nested too deeply|is no TOML"):
            read_toml(tmp_path / "deep.toml")


@pytest.mark.parametrize("cell", ["9" * 30, "L\x00N", "4\u200b5"])
def test_cells_that_no_column_can_keep(raw, cell):
    column = "n_analysed" if cell.isdigit() else "label"
    row = raw.find("arms")
    row[column] = cell
    told = [(f.line, f.column, f.value) for f in faults_of(raw.save()).faults]
    assert told == [(raw.line("arms", row), column, cell)]


def test_a_table_that_lost_rows_since_it_was_sealed_is_refused(raw_folder, tmp_path):
    folder = tmp_path / "raw"
    shutil.copytree(raw_folder, folder)
    file = folder / "contrasts.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-3]), encoding="utf-8")
    (fault,) = faults_of(folder, validate=False).faults
    assert (fault.table, fault.line, fault.column) == ("contrasts", 0, "-")
    rows = load_dictionary(raw_folder).tables["contrasts"].rows
    assert fault.rule == f"has {rows - 3} rows, and {rows} when it was sealed"


def test_what_is_committed_is_sealed(raw_folder):
    described = (raw_folder / "datapackage.json").read_bytes()
    contents = {file.stem: file.read_bytes() for file in raw_folder.glob("*.csv")}
    assert sealed(described, contents) == described, "read your edits, then: ldn-meta seal"


@pytest.mark.parametrize(("key", "value"), [("rows", "many"), ("rows", True), ("hash", 3)])
def test_a_seal_that_is_none_is_told(raw_folder, tmp_path, key, value):
    descriptor = json.loads((raw_folder / "datapackage.json").read_bytes())
    descriptor["resources"][0][key] = value
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load_dictionary(tmp_path)
    assert [fault.column for fault in refused.value.faults] == [f"resources[0].{key}"]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"authors": "Due Bruun K, Amris K", "year": 2024}, "Due Bruun 2024"),
        ({"registry_id": "NCT00000001", "container": "ClinicalTrials.gov, a copy"}, "NCT00000001"),
        ({"registry_id": "NL-1", "container": "Dutch register (x.nl, 1)"}, "NL-1, Dutch register"),
        ({"container": "Weekly (weekly.org), 12 May", "year": 2023}, "Weekly 2023"),
        ({"title": "A narrative review", "year": 2026}, "A narrative review 2026"),
        ({}, "key2001"),
    ],
)
def test_a_source_without_authors_is_cited_by_what_is_known(cells, words):
    names = ("authors", "container", "registry_id", "title", "year")
    assert short_citation({**dict.fromkeys(names), "source_id": "key2001", **cells}) == words
