"""The runner with a stand-in for Jupyter; test_run_for_real.py has kernels."""

import json
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from ldn_meta import files
from ldn_meta.errors import NotebookError, ParameterError, StaleError
from ldn_meta.pipeline import derive
from ldn_meta.pipeline import run as runner
from ldn_meta.pipeline.kernels import plain_kernels
from ldn_meta.pipeline.notebooks import Outputs
from ldn_meta.pipeline.run import Executed, Lines, Progress


class Jupyter:
    """Executes nothing, remembers what it was asked, breaks where it is told to."""

    def __init__(self):
        self.ran = []
        self.broken = set()
        self.figures = {"20_pooled_effect": {"figures/forest.png": b"png"}}
        self.facts = {}
        self.version = 1

    def __call__(self, job, *, kernel):
        self.ran.append(job.label)
        if job.label in self.broken:
            raise NotebookError(f"{job.label} failed in cell 'sum': ValueError: no")
        page = json.dumps({"version": self.version, **job.parameters}).encode()
        facts = self.facts.get(job.notebook, {"version": self.version})
        return Executed(page, Outputs(facts, self.figures.get(job.notebook, {})), "", 0.1)

    def run(self, *args, **options):
        self.ran.clear()
        runner.run(*args, kernels=plain_kernels, **options)
        return sorted(self.ran)


@pytest.fixture
def jupyter(monkeypatch):
    stand_in = Jupyter()
    monkeypatch.setattr(runner, "execute", stand_in)
    return stand_in


ALL = ["back_pain/20_pooled_effect", "headache/20_pooled_effect", "overview/90_overview"]


def test_first_run_writes_everything_and_the_second_does_nothing(derived, jupyter):
    assert jupyter.run() == ALL
    assert set(derived.snapshot("reports")) == {
        f"{target}/{name}"
        for target in ("headache", "back_pain")
        for name in ("20_pooled_effect.ipynb", "facts.json", "figures/forest.png")
    } | {"overview/90_overview.ipynb", "overview/facts.json"}
    assert json.loads(derived.read("reports/headache/facts.json")) == {
        "20_pooled_effect": {"version": 1}
    }
    assert jupyter.run() == []
    assert jupyter.run(force=True) == ALL


def test_only_what_reads_an_edited_trial_runs_again(derived, jupyter, tables):
    jupyter.run()
    derived.replace("data/raw/contrasts.csv", "-2.0", "-2.5")
    with pytest.raises(StaleError, match="ldn-meta derive"):
        jupyter.run()
    derive.derive()
    assert jupyter.run() == ["back_pain/20_pooled_effect", "overview/90_overview"]


def test_a_fresh_clone_runs_everything(derived, jupyter):
    jupyter.run()
    before = derived.snapshot("reports")
    for record in (derived.root / "build/stale").rglob("*.json"):
        record.unlink()
    assert jupyter.run() == ALL
    assert derived.snapshot("reports") == before


def test_a_removed_report_comes_back(derived, jupyter):
    jupyter.run()
    (derived.root / "reports/headache/figures/forest.png").unlink()
    assert jupyter.run() == ["headache/20_pooled_effect"]
    assert derived.read("reports/headache/figures/forest.png") == "png"


def test_named_indications(derived, jupyter):
    assert jupyter.run(["back_pain"]) == ["back_pain/20_pooled_effect"]
    assert not (derived.root / "reports/headache").exists()


def test_a_broken_notebook_leaves_its_report_and_the_others_go_on(derived, jupyter):
    jupyter.run()
    before = derived.snapshot("reports")
    jupyter.version, jupyter.broken = 2, {"headache/20_pooled_effect"}
    with pytest.raises(NotebookError, match="headache/20_pooled_effect failed in cell 'sum'"):
        jupyter.run(force=True)
    after = derived.snapshot("reports")
    assert {name for name in after if after[name] != before[name]} == {
        "back_pain/20_pooled_effect.ipynb",
        "back_pain/facts.json",
        "overview/90_overview.ipynb",
        "overview/facts.json",
    }
    assert after.keys() == before.keys()


def test_all_failures_are_listed(derived, jupyter):
    jupyter.broken = {"headache/20_pooled_effect", "overview/90_overview"}
    with pytest.raises(NotebookError) as error:
        jupyter.run()
    assert "headache/20_pooled_effect failed" in str(error.value)
    assert "overview/90_overview failed" in str(error.value)
    jupyter.broken = set()
    assert jupyter.run() == ["headache/20_pooled_effect", "overview/90_overview"]


@pytest.fixture
def two_pages(derived):
    """A second notebook on every page, so that one can be stale while the other is not."""
    page = derived.read("notebooks/20_pooled_effect.ipynb")
    derived.write("notebooks/40_safety.ipynb", page.replace("Does it help", "Is it safe"))
    derived.replace(
        "notebooks/parameters.toml", '["20_pooled_effect"]', '["20_pooled_effect", "40_safety"]'
    )
    return derived


def test_half_of_a_report_is_made_again(two_pages, jupyter):
    jupyter.run()
    jupyter.version = 2
    jupyter.figures = {"40_safety": {"figures/harms.png": b"harms"}}
    two_pages.replace("notebooks/40_safety.ipynb", "Is it safe", "Is it harmful")
    assert jupyter.run() == ["back_pain/40_safety", "headache/40_safety"]
    facts = json.loads(two_pages.read("reports/headache/facts.json"))
    assert facts == {"20_pooled_effect": {"version": 1}, "40_safety": {"version": 2}}
    assert set(two_pages.snapshot("reports/headache/figures")) == {"forest.png", "harms.png"}
    assert jupyter.run() == []


def test_a_figure_nobody_draws_any_more_goes(two_pages, jupyter):
    jupyter.run()
    jupyter.figures = {}
    two_pages.replace("notebooks/20_pooled_effect.ipynb", "Does it help", "Did it help")
    jupyter.run()
    assert not (two_pages.root / "reports/headache/figures").exists()


def test_half_of_a_report_that_breaks_changes_nothing(two_pages, jupyter):
    jupyter.run()
    before = two_pages.snapshot("reports")
    jupyter.version, jupyter.broken = 2, {"headache/40_safety", "back_pain/40_safety"}
    two_pages.replace("data/raw/protocol.toml", "x = 1", "x = 2")
    derive.derive()
    with pytest.raises(NotebookError):
        jupyter.run(["headache", "back_pain"])
    assert two_pages.snapshot("reports") == before


def test_two_notebooks_must_not_draw_the_same_figure(two_pages, jupyter):
    jupyter.figures = {
        "20_pooled_effect": {"figures/forest.png": b"a"},
        "40_safety": {"figures/forest.png": b"b"},
    }
    with pytest.raises(NotebookError, match=r"headache: figures/forest.png is drawn by"):
        jupyter.run(["headache"])
    assert not (two_pages.root / "reports/headache").exists()


def test_parameters_of_ones_own_never_reach_the_reports(derived, jupyter):
    jupyter.run()
    before = derived.snapshot("reports")
    jupyter.version = 2
    assert jupyter.run(["headache"], {"tau2_method": "dl"}) == ["headache/20_pooled_effect"]
    assert derived.snapshot("reports") == before
    (run_folder,) = (derived.root / "build/runs").iterdir()
    assert run_folder.name.startswith("tau2_method-dl-")
    page = json.loads((run_folder / "headache/20_pooled_effect.ipynb").read_text())
    assert page["tau2_method"] == "dl"
    assert jupyter.run() == []


def test_parameters_equal_to_the_settings_are_no_run_of_ones_own(derived, jupyter):
    jupyter.run()
    assert jupyter.run(["headache"], {"tau2_method": "reml"}) == []
    assert not (derived.root / "build/runs").exists()


def test_a_misspelt_parameter_runs_nothing(derived, jupyter):
    with pytest.raises(ParameterError):
        jupyter.run(None, {"tau2_metod": "dl"})
    assert jupyter.ran == []


def test_a_report_nobody_wants_is_pointed_out(derived, jupyter, capsys):
    derived.write("reports/migraine/facts.json", "{}")
    jupyter.run(progress=Lines())
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "reports/migraine belongs to no reported indication: delete it"
    assert lines[1] == "running 3 notebooks"
    assert sorted(line.split()[1] for line in lines[2:]) == ALL
    assert lines[-1].startswith("[3/3] ")


def test_a_second_run_waits_for_the_first(derived, jupyter):
    waited = threading.Event()
    finished = threading.Event()

    def second():
        with files.exclusive_writer(waited.set):
            finished.set()

    with files.exclusive_writer():
        other = threading.Thread(target=second)
        other.start()
        assert waited.wait(timeout=30)
        assert not finished.is_set()
    other.join(timeout=30)
    assert finished.is_set()


def test_kernels_come_from_where_they_are_wanted_and_end_before_the_threads(derived, monkeypatch):
    seen = []
    both, ended = threading.Barrier(2), threading.Event()

    @contextmanager
    def source(tell):
        tell("hello")
        try:
            yield "mine"
        finally:
            ended.set()

    def one_breaks_and_one_waits(job, *, kernel):
        if both.wait(timeout=60) == 0:
            raise NotebookError("no")
        seen.append((kernel, ended.wait(timeout=60)))
        raise NotebookError("its kernel died")

    class Interrupting(Progress):
        def note(self, message):
            seen.append(message)

        def failed(self, label):
            raise KeyboardInterrupt

    monkeypatch.setattr(runner, "execute", one_breaks_and_one_waits)
    with pytest.raises(KeyboardInterrupt):
        runner.run(["headache", "back_pain"], jobs=2, kernels=source, progress=Interrupting())
    assert seen == ["hello", ("mine", True)]


def test_an_interrupt_publishes_nothing_and_leaves_no_trace(derived, jupyter, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_result", interrupt)
    before = Path.cwd(), dict(os.environ)
    with pytest.raises(KeyboardInterrupt):
        jupyter.run(jobs=1)
    assert not (derived.root / "reports").exists()
    assert (Path.cwd(), dict(os.environ)) == before
