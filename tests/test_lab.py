"""Notebooks as a reader of JupyterLab runs them: from their folder, cell by cell, no papermill."""

import json
import os
import re
import subprocess
import warnings
from pathlib import Path

import nbclient
import nbformat
import pytest

import ldn_meta as lm
from ldn_meta.display.outputs import FigureOutput

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
TEMPLATES = sorted(NOTEBOOKS.glob("*.ipynb"))
TUTORIALS = sorted((NOTEBOOKS / "tutorial").glob("*.ipynb"))


def run_by_hand(path, monkeypatch, tmp_path):
    """Execute a notebook in its folder; code cells by id."""
    # The package is found as the test found it; the root as a reader's kernel does: by the folder.
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.delenv("LDN_META_ROOT", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    with warnings.catch_warnings():
        # An event loop that Jupyter's libraries leave open; nothing of ours.
        warnings.simplefilter("ignore", ResourceWarning)
        nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    return {cell["id"]: cell for cell in notebook["cells"] if cell["cell_type"] == "code"}


def complaints(cells):
    return [
        output["text"]
        for cell in cells.values()
        for output in cell["outputs"]
        if output["output_type"] == "stream" and output["name"] == "stderr"
    ]


def shown(cell):
    """The MIME types of what a cell ends in."""
    return set(cell["outputs"][-1]["data"])


SPLIT = {
    f"page.{name}" for name in ("across", "subgroups", "subgroup_forest", "regression", "bubble")
}


@pytest.mark.slow
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_runs_by_hand(path, monkeypatch, tmp_path):
    cells = run_by_hand(path, monkeypatch, tmp_path)
    assert not complaints(cells)
    silent = [cell["source"] for cell in cells.values() if not cell["outputs"]]
    # Sections that are there only where trials can be told apart.
    shown = [source for source in silent[1:] if source not in SPLIT]
    assert not shown, "every cell but that of the parameters shows something"
    assert ": str" in silent[0] or ": int" in silent[0]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_kept_without_outputs(path):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert text == json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    prose = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    assert prose[0].startswith("# ")
    assert prose[0].endswith("?")
    assert not any(re.search(r"\d\.\d|\d\s?%", words) for words in prose), "no typed results"


@pytest.mark.slow
def test_the_tutorial_pools_a_readers_table(monkeypatch, tmp_path):
    assert [path.name for path in TUTORIALS] == ["01_pool_your_own_table.ipynb"]
    cells = run_by_hand(TUTORIALS[0], monkeypatch, tmp_path)
    assert not complaints(cells)
    for name in ("pool", "bayes", "without", "priors", "evidence", "study", "protocol"):
        assert "text/html" in shown(cells[name]), name
    for name in ("forest", "subgroups-forest", "without-forest"):
        assert "image/png" in shown(cells[name]), name
    assert "dose" in plain(cells["regression"])
    assert "95%" in cells["export"]["outputs"][0]["text"]
    assert "image/png" in shown(cells["curve"])
    # The table in the first cell, pooled here.
    typed = re.findall(r'\("(\w+ \d+)", ([\d., ]+)\)', cells["table"]["source"])
    numbers = [[float(number) for number in row.split(", ")] for _, row in typed]
    n_1, mean_1, sd_1, n_2, mean_2, sd_2 = zip(*numbers, strict=True)
    effects = [one - other for one, other in zip(mean_1, mean_2, strict=True)]
    variances = [s**2 / n + t**2 / m for s, n, t, m in zip(sd_1, n_1, sd_2, n_2, strict=True)]
    assert repr(lm.pool(effects, variances, measure="MD")) == plain(cells["pool"])
    assert f"k={len(typed)}" in plain(cells["bayes"])
    count = cells["landscape"]["outputs"][0]["text"].split()[0]
    assert int(count) == 4 * 3 * (len(typed) + 1)


def plain(cell):
    return cell["outputs"][-1]["data"]["text/plain"]


def test_a_figure_shows_itself_once_and_pyplot_does_not_know_it():
    from IPython.core.formatters import DisplayFormatter
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    figure, _ = lm.forest_plot(lm.pool([0.1, 0.6, -0.2], [0.04, 0.05, 0.01], measure="MD"))
    assert plt.get_fignums() == before
    picture = DisplayFormatter().format(figure)[0]["image/png"]
    assert picture.startswith(b"\x89PNG")
    words = FigureOutput(figure, "forest", "three trials")
    assert picture == words.png()


def test_binder_sets_up_what_everybody_else_has():
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    commands = [line for line in script.read_text().splitlines() if not line.startswith("#")]
    assert "make setup" in commands
    version = (ROOT / "binder" / "runtime.txt").read_text().strip()
    supported = (ROOT / "pyproject.toml").read_text()
    allowed = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', supported)
    minor = int(version.removeprefix("python-3."))
    assert int(allowed[1]) <= minor < int(allowed[2])
    for file in script.parent.iterdir():
        assert "://" not in file.read_text(), "no package server is named"
