"""Derived tables are read back only beside the raw tables they were made from."""

import json
import shutil

import pandas as pd
import pytest

from ldn_meta.errors import ArgumentError, StaleError
from ldn_meta.evidence.derived import TABLES, load_derived
from ldn_meta.files import MANIFEST, csv_bytes, file_hashes


@pytest.fixture
def project(tmp_path, monkeypatch, raw_folder, tables):
    """A project with data/raw and the data/derived made from it."""
    shutil.copytree(raw_folder, tmp_path / "data" / "raw")
    derived = tmp_path / "data" / "derived"
    derived.mkdir()
    for name, table in tables.items():
        (derived / f"{name}.csv").write_bytes(csv_bytes(table))
    made_from = {"raw": file_hashes(tmp_path / "data" / "raw")}
    (derived / MANIFEST).write_text(json.dumps(made_from), encoding="utf-8")
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    return tmp_path


def test_what_is_read_back_is_what_was_made(project, tables):
    derived = load_derived()
    for name in TABLES:
        made, read = tables[name], getattr(derived, name)
        assert list(read.columns) == list(made.columns), name
        assert len(read) == len(made)
    for column in ("yi", "vi", "n_1", "events_2", "timepoint_weeks", "benefit_sign", "year"):
        pd.testing.assert_series_equal(
            derived.effects[column].astype(float), tables["effects"][column].astype(float),
            rtol=1e-5, check_names=False,
        )  # fmt: skip
    truths = ("is_selected", "is_paired", "is_randomised", "is_transcribed", "has_known_scale")
    for column in truths:
        assert derived.effects[column].dtype == bool
        assert (derived.effects[column] == tables["effects"][column]).all()
    assert derived.left_out["compares"].dtype == bool
    assert derived.protocol.correlation == 0.6


def test_one_indication(project):
    derived = load_derived("fibromyalgia")
    for name in TABLES:
        frame = getattr(derived, name)
        assert set(frame["indication_id"]) == {"fibromyalgia"}, name
        assert list(frame.index) == list(range(len(frame)))
    assert list(derived.evidence.indications["indication_id"]) == ["fibromyalgia"]
    with pytest.raises(ArgumentError, match="no indication 'fibro'"):
        load_derived("fibro")


def test_tables_that_nothing_gave_a_row(project):
    """As of a review in which no main outcome has an effect; its pages can still be opened."""
    for name in ("multiverse", "multiverse_nodes", "pooled"):
        (project / "data" / "derived" / f"{name}.csv").write_bytes(csv_bytes(pd.DataFrame()))
    for derived in (load_derived(), load_derived("crohns_disease")):
        assert derived.multiverse.empty
        assert derived.pooled.empty
        assert len(derived.effects)


@pytest.mark.parametrize("change", ["edited", "added", "removed"])
def test_raw_files_that_differ_from_the_manifest(project, change):
    file = project / "data" / "raw" / ("notes.csv" if change == "added" else "protocol.toml")
    if change == "removed":
        file.unlink()
    else:
        with file.open("a", encoding="utf-8") as stream:
            stream.write("# one more line\n")
    with pytest.raises(StaleError, match=rf"\({file.name}\); run `make data`"):
        load_derived()


def test_a_hidden_file_is_no_data(project):
    (project / "data" / "raw" / ".swp").write_text("x", encoding="utf-8")
    assert len(load_derived("fibromyalgia").effects)


@pytest.mark.parametrize("name", [MANIFEST, "effects.csv", "pooled.csv"])
def test_a_derived_file_is_missing(project, name):
    (project / "data" / "derived" / name).unlink()
    with pytest.raises(StaleError, match=rf"{name} is missing; run `make data`"):
        load_derived()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"raw": 1}', '{"raw": '])
def test_a_manifest_that_is_none(project, content):
    (project / "data" / "derived" / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(StaleError, match="was not made from this data/raw"):
        load_derived()
