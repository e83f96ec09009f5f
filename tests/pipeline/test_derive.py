import json

import numpy as np
import pandas as pd
import pytest

from ldn_meta import files
from ldn_meta.errors import DataError, Fault
from ldn_meta.pipeline import derive


def test_tables_and_manifest(project, tables):
    summary = derive.derive()
    assert summary.rows == {"effects": 1}
    assert summary.changed == ("effects.csv", "manifest.json")
    assert project.read("data/derived/effects.csv") == "indication_id,yi\nheadache,0.1\n"
    manifest = json.loads(project.read("data/derived/manifest.json"))
    assert sorted(manifest) == ["derived", "lock", "raw", "source"]
    assert set(manifest["derived"]) == {"effects.csv"}
    assert "studies.csv" in manifest["raw"]
    assert files.derived_is_current()


def test_nothing_to_do_computes_nothing(derived, monkeypatch):
    monkeypatch.setattr(derive, "_compute", lambda: pytest.fail("computed"))
    assert derive.derive().was_current


@pytest.mark.parametrize(
    "name",
    [
        "data/raw/studies.csv",
        "data/raw/protocol.toml",
        "data/derived/effects.csv",
        "data/derived/manifest.json",
        "src/tiny/__init__.py",
        "requirements.lock",
    ],
)
def test_every_input_and_output_counts(derived, name):
    derived.write(name, derived.read(name) + "\n")
    assert not files.derived_is_current()
    assert not derive.derive().was_current
    assert files.derived_is_current()


def test_refused_tables_leave_the_last_good_ones(derived, monkeypatch):
    before = derived.snapshot("data/derived")
    derived.replace("data/raw/contrasts.csv", "-1.0", "minus one")

    def refuse():
        raise DataError([Fault("contrasts", 2, "estimate", "minus one", "is no number", "mend")])

    monkeypatch.setattr(derive, "_compute", refuse)
    with pytest.raises(DataError, match="contrasts:2:estimate: value 'minus one'"):
        derive.derive()
    assert derived.snapshot("data/derived") == before
    assert not files.derived_is_current()


def test_a_table_that_cannot_be_written_leaves_the_last_good_ones(derived, tables):
    before = derived.snapshot("data/derived")
    tables["effects"] = pd.DataFrame({"yi": [9.9]})
    tables["broken"] = pd.DataFrame({"x": [np.array([1, 2])]})
    with pytest.raises(ValueError, match="ambiguous"):
        derive.derive(force=True)
    assert derived.snapshot("data/derived") == before


def test_a_table_that_is_no_longer_made_goes(derived, tables):
    tables["pooled"] = tables.pop("effects")
    assert derive.derive(force=True).changed == ("effects.csv", "manifest.json", "pooled.csv")
    assert set(derived.snapshot("data/derived")) == {"manifest.json", "pooled.csv"}


def test_check_only_writes_nothing(project, tables):
    summary = derive.derive(check_only=True)
    assert summary.changed == ("effects.csv", "manifest.json")
    assert not (project.root / "data/derived").exists()


def test_an_edit_while_computing_is_seen_by_the_next_run(project, tables, monkeypatch):
    compute = derive._compute

    def slow():
        project.replace("data/raw/contrasts.csv", "-1.0", "-1.5")
        return compute()

    monkeypatch.setattr(derive, "_compute", slow)
    derive.derive()
    assert not files.derived_is_current()
