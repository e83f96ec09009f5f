"""The runner: with a stand-in for Jupyter, and with kernels where only real ones can show it."""

import json
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from papermill.iorw import papermill_io

from ldn_meta import files
from ldn_meta.errors import DataError, Fault, NotebookError, ParameterError, StaleError
from ldn_meta.pipeline import readme
from ldn_meta.pipeline import run as derive
from ldn_meta.pipeline import run as runner
from ldn_meta.pipeline.cli import main
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


# Three kernels (3 s each): what only real ones can show.


SHOW = """\
from IPython.display import display

PNG = "iVBORw0KGgo="
answer = {"label": indication, "outcome": construct, "comparison": "placebo",
          "comparative_studies": 1, "trials": 1,
          "people": 31, "effect": "-1.0", "sentence": f"One trial in {indication}."}
facts = {"answer": answer, "level": level / 3}
display({"application/vnd.ldn-meta.facts+json": facts, "text/plain": answer["sentence"]}, raw=True)
display({"image/png": PNG, "image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"}, raw=True,
        metadata={"ldn-meta": {"figure": "dot", "alt": "one dot"}})
"""
PRINT = """\
import os
import sys
import warnings

print("one", flush=True)
print(object(), os.getcwd(), os.environ["TZ"], hash("a"), flush=True)
warnings.warn("mind the step")
print("two", file=sys.stderr, flush=True)
print("three")
"""
BREAK = "assert indication == 'headache', 'no evidence on ' + indication"


def command(*arguments):
    return CliRunner().invoke(main, [*arguments], catch_exceptions=False)


def test_a_good_page_a_broken_one_and_the_same_bytes_again(
    derived, code, monkeypatch, light_server
):
    derived.page(code(PRINT, name="print"), code(SHOW, name="show"), code(BREAK, name="break"))
    old = derived.write("reports/back_pain/20_pooled_effect.ipynb", "the last good page")
    answer = dict.fromkeys(("label", "outcome", "comparison", "effect", "sentence"), "x")
    old_facts = {
        "20_pooled_effect": {
            "answer": {**answer, "comparative_studies": 0, "trials": 0, "people": 0}
        }
    }
    derived.write("reports/back_pain/facts.json", json.dumps(old_facts))
    before = derived.snapshot("reports"), Path.cwd(), dict(os.environ)
    # What threads of an earlier run in another project may have left behind in this process.
    papermill_io.get_handler("local").cwd("/another/project")

    result = command("run", "headache", "back_pain")

    # The broken page: named, kept for a look, and nothing of its report touched.
    assert result.exit_code == 1
    assert (
        "back_pain/20_pooled_effect failed in cell 'break': "
        "AssertionError: no evidence on back_pain" in result.stderr
    )
    assert "build/failed/back_pain/20_pooled_effect.ipynb" in result.stderr
    failed = json.loads(derived.read("build/failed/back_pain/20_pooled_effect.ipynb"))
    assert any("AssertionError" in json.dumps(cell) for cell in failed["cells"])
    after = derived.snapshot("reports")
    assert {name: after[name] for name in before[0]} == before[0]
    assert old.read_text() == "the last good page"
    assert (Path.cwd(), dict(os.environ)) == before[1:]

    # The good page went on.
    assert "headache/20_pooled_effect wrote to stderr:" in result.stderr
    assert "UserWarning: mind the step" in result.stderr
    facts = json.loads(derived.read("reports/headache/facts.json"))["20_pooled_effect"]
    assert facts["level"] == 0.316667
    assert facts["answer"]["sentence"] == "One trial in headache."
    assert after["headache/figures/dot.png"] == b"\x89PNG\r\n\x1a\n"
    assert after["headache/figures/dot.svg"].startswith(b"<svg")
    page = json.loads(derived.read("reports/headache/20_pooled_effect.ipynb"))
    by_id = {cell["id"]: cell for cell in page["cells"]}
    assert by_id["question"]["source"] == ["# Does it help in headache?"]
    # Values of the run stand where the choices are, and nowhere else.
    assert "injected-parameters" not in by_id
    assert any(
        line.startswith("indication") and "headache" in line
        for line in by_id["parameters"]["source"]
    )
    printed = by_id["print"]["outputs"]
    assert [output["output_type"] for output in printed] == ["stream"]
    assert printed[0]["text"][1].startswith("<object object>")
    assert [cell["execution_count"] for cell in page["cells"][1:]] == [1, 3, 4, 5]
    assert page["metadata"]["papermill"]["parameters"]["tau2_method"] == "reml"
    assert derived.read("README.md") == readme.with_answers()
    assert "One trial in headache; certainty: " in derived.read("README.md")
    assert not [f for f in derived.snapshot("build") if f.startswith("executing/")]

    # The same page again, in another surrounding: the same bytes.
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    again = command("run", "headache", "--force")
    assert again.exit_code == 0
    assert derived.snapshot("reports") == after
    assert command("run", "headache").stdout.endswith("reports: up to date\n")


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
    monkeypatch.setattr(derive, "_compute", lambda stage: pytest.fail("computed"))
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

    def refuse(stage):
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

    def slow(stage):
        project.replace("data/raw/contrasts.csv", "-1.0", "-1.5")
        return compute(stage)

    monkeypatch.setattr(derive, "_compute", slow)
    derive.derive()
    assert not files.derived_is_current()
