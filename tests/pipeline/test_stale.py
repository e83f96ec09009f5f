import json

import pytest

from ldn_meta import files
from ldn_meta.pipeline import notebooks as staleness
from ldn_meta.pipeline import run as derive
from ldn_meta.pipeline.notebooks import plan


def keys():
    current = staleness.Keys()
    return {job.target: current.key(job) for job in plan()}


def changed(project, name, old, new):
    """Targets whose notebooks have to run again after an edit."""
    before = keys()
    project.replace(name, old, new)
    return {target for target, key in keys().items() if key != before[target]}


EVERYTHING = {"headache", "back_pain", "overview"}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("data/raw/contrasts.csv", "-1.0", "-1.5", {"headache", "overview"}),
        ("data/raw/contrasts.csv", "-2.0", "-2.5", {"back_pain", "overview"}),
        ("data/raw/studies.csv", "Bell 2002", "Bell & Ode 2002", {"back_pain", "overview"}),
        ("data/raw/outcomes.csv", "scale B", "scale C", {"back_pain", "overview"}),
        ("data/raw/sources.csv", "first", "1st", {"headache", "overview"}),
        ("data/raw/sources.csv", "third", "3rd", {"overview"}),
        ("data/raw/indications.csv", "back pain,", "low back pain,", {"back_pain", "overview"}),
        ("data/raw/indications.csv", "other conditions", "others", {"overview"}),
        ("data/derived/effects.csv", "0.1", "0.2", {"headache", "overview"}),
        ("data/raw/protocol.toml", "x = 1", "x = 2", EVERYTHING),
        ("data/raw/datapackage.json", "tiny", "small", EVERYTHING),
        ("src/tiny/__init__.py", "x = 1", "x = 2", EVERYTHING),
        ("requirements.lock", "a==1", "a==2", EVERYTHING),
        ("notebooks/90_overview.ipynb", "What is there", "What", {"overview"}),
        ("notebooks/20_pooled_effect.ipynb", "1 + 1", "1 + 2", {"headache", "back_pain"}),
        ("notebooks/parameters.toml", '"function"', '"sleep"', {"back_pain"}),
        ("notebooks/parameters.toml", '["reml", "pm"', '["hs", "reml", "pm"', set()),
        ("README.md", "The end", "An end", set()),
    ],
)
def test_an_edit_touches_what_reads_it(derived, name, old, new, expected):
    assert changed(derived, name, old, new) == expected


def test_a_new_trial_touches_its_indication_only(derived):
    row = "cole2003,headache,Cole 2003,NA,paper3\n"
    before = keys()
    derived.write("data/raw/studies.csv", derived.read("data/raw/studies.csv") + row)
    after = keys()
    assert {t for t in after if after[t] != before[t]} == {"headache", "overview"}


def test_a_moved_trial_touches_both_indications(derived):
    name = "data/raw/studies.csv"
    assert changed(derived, name, "ames2001,headache", "ames2001,back_pain") == EVERYTHING


def test_a_study_that_is_referred_to_comes_along(derived):
    derived.replace("data/raw/studies.csv", "Ames 2001,NA", "Ames 2001,bell2002")
    name = "data/raw/studies.csv"
    assert changed(derived, name, "Bell 2002", "Bell 2002a") == EVERYTHING
    name = "data/raw/contrasts.csv"
    assert changed(derived, name, "-2.0", "-2.5") == {"back_pain", "overview"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a claim about an indication, about a study, and about neither
        ("claim_id,indication_id,study_id,claim\nc1,headache,NA,x\n", {"headache", "overview"}),
        ("claim_id,indication_id,study_id,claim\nc1,NA,ames2001,x\n", {"headache", "overview"}),
        ("claim_id,indication_id,study_id,claim\nc1,NA,NR,x\n", EVERYTHING),
        # a table without keys could be read by any page
        ("row_id,text\n1,x\n", EVERYTHING),
    ],
)
def test_rows_without_an_owner_belong_to_all(derived, text, expected):
    derived.write("data/raw/claims.csv", text.replace(",x", ",y"))
    assert changed(derived, "data/raw/claims.csv", ",y", ",z") == expected


def test_order_of_rows_counts(derived):
    text = derived.read("data/raw/sources.csv")
    before = keys()
    header, first, second, third = text.splitlines(keepends=True)
    derived.write("data/raw/sources.csv", header + second + first + third)
    assert keys()["overview"] != before["overview"]


def test_slices_cover_every_row(derived):
    tables, _ = staleness.read_data()
    kept = [
        row
        for indication in ("headache", "back_pain", "other")
        for rows in staleness.indication_slice(tables, indication).values()
        for row in rows
    ]
    unused = {"source_id": "paper3", "title": "third"}
    assert [row for rows in tables.values() for row in rows if row not in kept] == [unused]


@pytest.fixture
def reported(derived):
    """A page that was written and recorded, its key, and its folder."""
    job = plan(["headache"])[0]
    derived.write("reports/headache/20_pooled_effect.ipynb", "{}")
    derived.write("reports/headache/figures/forest.png", "png")
    facts = {job.notebook: {"k": 1}}
    derived.write("reports/headache/facts.json", json.dumps(facts))
    report = derived.root / "reports/headache"
    outputs = {
        name: files.sha256((report / name).read_bytes())
        for name in ("20_pooled_effect.ipynb", "figures/forest.png")
    }
    key = staleness.Keys().key(job)
    record = staleness.Record(key, outputs, files.json_sha256(facts[job.notebook]))
    staleness.write_record(job, record)
    return derived, job, key, report


def test_a_recorded_page_is_fresh(reported):
    _, job, key, report = reported
    assert staleness.is_fresh(job, key, report)
    assert not staleness.is_fresh(job, "another key", report)


@pytest.mark.parametrize("name", ["20_pooled_effect.ipynb", "figures/forest.png", "facts.json"])
def test_a_missing_or_edited_output_is_stale(reported, name):
    project, job, key, report = reported
    file = f"reports/headache/{name}"
    before = project.read(file)
    project.write(file, before.replace("1", "2") + " ." * (name != "facts.json"))
    assert not staleness.is_fresh(job, key, report)
    project.write(file, before)
    assert staleness.is_fresh(job, key, report)
    (project.root / file).unlink()
    assert not staleness.is_fresh(job, key, report)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "", "x": 1}'])
def test_a_broken_record_means_stale(reported, text):
    project, job, key, report = reported
    project.write("build/stale/headache/20_pooled_effect.json", text)
    assert not staleness.is_fresh(job, key, report)


def test_rows_of_a_derived_table_go_to_their_indication(derived, tables):
    import pandas as pd

    tables["harms"] = pd.DataFrame({"indication_id": ["headache"], "events": [1]})
    derive.derive(force=True)
    before = keys()
    tables["harms"].loc[1] = ["back_pain", 2]
    derive.derive(force=True)
    after = keys()
    assert {t for t in after if after[t] != before[t]} == {"back_pain", "overview"}
