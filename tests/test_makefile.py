"""The Makefile as a newcomer meets it; nothing is installed or executed here."""

import importlib.util
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
WANTED = {
    *("setup", "data", "notebooks", "report", "reports", "site", "test", "test-all"),
    *("lint", "verify", "clean", "bench", "reference", "lab", "diff"),
}


def make(*arguments, cwd=REPOSITORY):
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_help_is_the_default_and_lists_every_target():
    plain = make()
    assert plain.returncode == 0
    assert plain.stdout == make("help").stdout
    listed = dict(re.findall(r"^  (\S+) +(\S.*)$", plain.stdout, re.MULTILINE))
    assert set(listed) >= WANTED
    text = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: help((?:.|\\\n)*?)$(?<!\\)", text, re.MULTILINE)[1]
    assert set(listed) - {"help"} == set(phony.replace("\\", " ").split())


def test_help_reads_well():
    assert max(map(len, make().stdout.splitlines())) <= 99


@pytest.fixture
def copy(tmp_path):
    """The files that make reads, in a folder whose name has a space and a quote."""
    folder = tmp_path / "a copy's folder"
    (folder / ".ci").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, folder / name)
    for file in (REPOSITORY / ".ci").iterdir():
        shutil.copy(file, folder / ".ci")
    return folder


@pytest.mark.parametrize(
    "target", ["reports", "test", "notebooks", "report", "lint", "verify", "diff"]
)
def test_every_target_sets_up_by_itself_once(copy, target):
    shown = make("-n", target, cwd=copy)
    assert shown.returncode == 0
    assert shown.stdout.count(".ci/bootstrap") == 1
    (copy / ".venv").mkdir()
    (copy / ".venv" / ".ready").touch()
    (copy / ".venv" / ".location").write_text(str(copy))
    assert ".ci/bootstrap" not in make("-n", target, cwd=copy).stdout


def test_a_copied_environment_is_made_again(copy):
    (copy / ".venv").mkdir()
    (copy / ".venv" / ".ready").touch()
    (copy / ".venv" / ".location").write_text("/somewhere/else")
    assert ".ci/bootstrap" in make("-n", "test", cwd=copy).stdout


def test_the_indication_reaches_the_command_as_one_word(copy):
    shown = make("-n", "report", "INDICATION=it's; echo gone", cwd=copy).stdout
    assert "run --site -- 'it'\\''s; echo gone'" in shown


def test_what_is_compared_reaches_the_command_as_two_words(copy):
    assert "compare --format 'terminal' -- 'HEAD'" in make("-n", "diff", cwd=copy).stdout
    shown = make("-n", "diff", "OLD=it's; x", "NEW=a b", "FORMAT=markdown", cwd=copy).stdout
    words = shlex.split(shown.replace("\\\n", " ").splitlines()[-1])
    assert words[-6:] == ["compare", "--format", "markdown", "--", "it's; x", "a b"]


def test_a_wrong_python_is_named(copy):
    fake = copy / "oldpython"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    result = make("setup", "PY=./oldpython", cwd=copy)
    assert result.returncode == 2
    assert "needs Python 3.11 to 3.13 and ./oldpython is not" in result.stderr
    assert not (copy / ".venv").exists()


def test_the_lock_names_no_hosts_and_hashes_everything():
    text = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in text
    packages = re.findall(r"^[a-z0-9][^\n]*==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 100


def test_the_lock_has_what_pyproject_asks_for_and_not_the_slow_import():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    extras = itertools.chain(*project["project"]["optional-dependencies"].values())
    main = project["project"]["dependencies"]
    asked = [*main, *extras, *project["dependency-groups"]["dev"]]
    text = (REPOSITORY / "requirements.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))
    assert {re.match(r"[a-z0-9-]+", name)[0] for name in asked} <= locked
    assert "rfc3987-syntax" not in locked


def test_ci_calls_the_same_commands_as_the_readme():
    script = (REPOSITORY / ".ci" / "run").read_text()
    called = re.findall(r"^make (\S+)$", script, re.MULTILINE)
    assert called == ["setup", "lint", "test", "verify"]
    assert "LDN_META_REQUIRE_ALL=1" in script
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_a_release_says_one_version_and_how_each_file_was_made():
    spec = importlib.util.spec_from_file_location("release", REPOSITORY / ".ci" / "release.py")
    release = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(release)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    data = json.loads((REPOSITORY / "data" / "raw" / "datapackage.json").read_text())
    assert citation["version"] == project["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["version"])
    told = {"project": project, "citation": citation, "data": data, "version": "0.1.0"}
    names = ("data/raw/a.csv", "data/derived/b.csv", "reports/c.ipynb", "README.md")
    made = release.crate(dict.fromkeys(names, b"x"), told, "2026-12-01T10:00:00+00:00")
    graph = {one["@id"]: one for one in made["@graph"]}
    # Every id that is pointed to is there.
    pointed = set(re.findall(r'{"@id": "([^"]+)"}', json.dumps(made["@graph"])))
    assert pointed - {release.PROFILE} <= set(graph)
    assert graph["#derive"]["object"] == [{"@id": "data/raw/a.csv"}]
    assert graph["#derive"]["result"] == graph["#run"]["object"] == [{"@id": "data/derived/b.csv"}]
    assert graph["#run"]["result"] == [{"@id": "reports/c.ipynb"}]
    assert release.codemeta(told, "2026-12-01")["version"] == "0.1.0"
    assert release.zenodo(told, "2026-12-01")["metadata"]["creators"] == [
        {"name": "The ldn-meta contributors"}
    ]
    assert release.notes("9.9.9").startswith("* ")
