"""A project of two indications, one page each and an overview, small enough to read."""

import json
import os
import shutil
from pathlib import Path

import pytest

from ldn_meta.pipeline import kernels
from ldn_meta.pipeline import run as derive

REPOSITORY = Path(__file__).resolve().parents[2]
INDICATIONS = """\
indication_id,label,sort_order,is_reported,question
headache,headache,1,yes,Does it help?
back_pain,back pain,2,yes,Does it help?
other,other conditions,3,no,What was set aside?
"""
STUDIES = """\
study_id,indication_id,label,overlaps_with,source_id
ames2001,headache,Ames 2001,NA,paper1
bell2002,back_pain,Bell 2002,NA,paper2
"""
OUTCOMES = """\
outcome_id,instrument
pain_a,scale A
pain_b,scale B
"""
SOURCES = """\
source_id,title
paper1,first
paper2,second
paper3,third
"""
CONTRASTS = """\
row_id,study_id,outcome_id,estimate,source_id
ames2001-pain,ames2001,pain_a,-1.0,paper1
bell2002-pain,bell2002,pain_b,-2.0,paper2
"""
DATAPACKAGE = {
    "name": "tiny",
    "description": "A tiny package.",
    "missingValueLabels": {"NR": "not reported"},
    "resources": [
        {
            "name": "studies",
            "path": "studies.csv",
            "schema": {
                "fields": [
                    {"name": "study_id", "type": "string", "description": "Key."},
                    {"name": "status", "type": "string", "constraints": {"enum": ["a", "b|c"]}},
                ],
                "primaryKey": ["study_id"],
                "foreignKeys": [
                    {"fields": "status", "reference": {"resource": "", "fields": "study_id"}}
                ],
            },
        }
    ],
}
PARAMETERS = """\
[notebooks]
per_indication = ["20_pooled_effect"]
once = ["90_overview"]

[allowed]
tau2_method = ["reml", "pm", "dl"]

[once]
level = 0.9

[indications.headache]
construct = "pain"

[indications.back_pain]
construct = "function"
tau2_method = "pm"
"""
REVIEW = """\
[treatment]
label = "NIL"
name = "nothing at all"
short_name = "nothing"
"""
README = """\
# Tiny

<!-- answers:begin -->
<!-- answers:end -->

The end.
"""


def code(source, *tags, name):
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def markdown(source, *tags, name):
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "markdown", "id": name, "metadata": metadata, "source": source}


def template(*cells):
    metadata = {"kernelspec": {"display_name": "x", "language": "python", "name": "python3"}}
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


PAGE_PARAMETERS = """\
indication = "headache"  # which page
construct: str = "pain"
tau2_method: str = "reml"
level: float = 0.95
years: list[int] = [2000, 2001]
is_blind: bool = True
correlation: float | None = None
"""


class Project:
    """The tiny project and ways to change it."""

    def __init__(self, root: Path):
        self.root = root
        self.write("data/raw/datapackage.json", json.dumps(DATAPACKAGE))
        self.write("data/raw/protocol.toml", "x = 1\n")
        self.write("data/raw/review.toml", REVIEW)
        for name, text in {
            "indications": INDICATIONS,
            "studies": STUDIES,
            "outcomes": OUTCOMES,
            "sources": SOURCES,
            "contrasts": CONTRASTS,
            "wanted": "row_id,study_id\n",
            "checklists": "item_id\n",
        }.items():
            self.write(f"data/raw/{name}.csv", text)
        self.write("requirements.lock", "a==1\n")
        self.write("src/tiny/__init__.py", "x = 1\n")
        self.write("README.md", README)
        self.write("notebooks/parameters.toml", PARAMETERS)
        self.page(code("1 + 1", name="sum"))
        overview = template(
            markdown("# What is there?", name="question"),
            code("level = 0.95", "parameters", name="parameters"),
        )
        self.write("notebooks/90_overview.ipynb", json.dumps(overview))

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def replace(self, name, old, new):
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new))

    def page(self, *cells, parameters=PAGE_PARAMETERS):
        notebook = template(
            markdown("# Does it help in {label}?", "title", name="question"),
            code(parameters, "parameters", name="parameters"),
            *cells,
        )
        self.write("notebooks/20_pooled_effect.ipynb", json.dumps(notebook))

    def copy_docs(self):
        """Settings, styles and templates of the site, from the checkout."""
        for name in ("_static", "_templates"):
            shutil.copytree(REPOSITORY / "docs" / name, self.root / "docs" / name)
        shutil.copy(REPOSITORY / "docs" / "conf.py", self.root / "docs" / "conf.py")

    def snapshot(self, folder):
        base = self.root / folder
        return {
            file.relative_to(base).as_posix(): file.read_bytes()
            for file in sorted(base.rglob("*"))
            if file.is_file()
        }


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "a {project} with space"
    root.mkdir()
    monkeypatch.setenv("LDN_META_ROOT", str(root))
    return Project(root)


@pytest.fixture
def tables(monkeypatch):
    """Stand in for the evidence room: whatever stands here is what derive computes."""
    import pandas as pd

    current = {"effects": pd.DataFrame({"indication_id": ["headache"], "yi": [0.1]})}
    monkeypatch.setattr(derive, "_compute", lambda stage: dict(current))
    return current


@pytest.fixture
def derived(project, tables):
    derive.derive()
    return project


@pytest.fixture(name="code")
def code_cell():
    return code


# Where its life and death is looked at, a server need not import what pages import.
LIGHT_SERVER = """\
from ldn_meta.pipeline import fork_server

fork_server.LIBRARIES, fork_server.ROOMS = ("ipykernel.kernelapp", "ipykernel.ipkernel"), ()
fork_server.main()
"""


@pytest.fixture
def light_server(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("server")
    (folder / "light_server.py").write_text(LIGHT_SERVER)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(kernels, "SERVER", "light_server")
