import errno
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import pandas as pd
import pytest
from click.testing import CliRunner

from ldn_meta import files
from ldn_meta.errors import DataError, Fault
from ldn_meta.pipeline import kernels
from ldn_meta.pipeline import kernels as fork_kernels
from ldn_meta.pipeline import run as derive
from ldn_meta.pipeline import run as runner
from ldn_meta.pipeline.cli import main


def command(*arguments):
    return CliRunner().invoke(main, [*arguments], catch_exceptions=False)


@pytest.fixture
def refused(monkeypatch):
    def refuse(stage):
        raise DataError([Fault("studies", 3, "year", "nineteen", "is no whole number", "mend it")])

    monkeypatch.setattr(derive, "_compute", refuse)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "No space left"), (errno.EROFS, "Read-only file system")]
)
def test_a_disk_that_takes_nothing_is_said(project, tables, monkeypatch, number, words):
    def refuse(folder, made):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "write_folder", refuse)
    result = command("derive")
    assert result.exit_code == 1
    assert words in result.stderr
    monkeypatch.undo()


def test_help_has_examples():
    result = command("run", "--help")
    assert result.exit_code == 0
    assert "ldn-meta run fibromyalgia -p tau2_method=dl -p ci_method=wald" in result.stdout


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_examples(name):
    for option in ("-h", "--help"):
        result = command(name, option)
        assert result.exit_code == 0
        assert "Example" in result.stdout
        assert f"\n    ldn-meta {name}" in result.stdout


def test_the_help_says_what_exit_codes_mean():
    said = " ".join(command("-h").stdout.split())
    assert "Exit codes: 0 good; 1 the work failed, or the data were refused; 2 the" in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_commands(shell):
    """As CONTRIBUTING.md says: _LDN_META_COMPLETE=bash_source ldn-meta."""
    done = CliRunner().invoke(
        main, prog_name="ldn-meta", env={"_LDN_META_COMPLETE": f"{shell}_source"}
    )
    assert done.exit_code == 0
    assert "_LDN_META_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "headahce"], "error: indication 'headahce' is unknown; did you mean 'headache'?"),
        (["run", ""], "allowed: headache, back_pain, overview"),
        (["run", "-p", "tau2_metod=pm"], "did you mean 'tau2_method'?"),
        (["run", "-p", "tau2_method"], "is not name=value"),
        (["run", "-p", "tau2_method=remm"], "allowed: reml, pm, dl"),
        (["run", "--jobs", "0"], "0 is not in the range x>=1"),
        (["show", "other"], "error: indication 'other' is unknown"),
        (["runn"], "No such command 'runn'"),
        (["run", "--forse"], "No such option"),
    ],
)
def test_wrong_requests_exit_2_before_any_work(project, monkeypatch, arguments, message):
    monkeypatch.setattr(derive, "_compute", lambda stage: pytest.fail("worked"))
    result = command(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_outside_a_checkout(monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = (
        "import ldn_meta.files as p, pathlib; p.__file__ = '/'; "
        "from ldn_meta.pipeline.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "readme"],
        cwd=elsewhere,
        env={name: value for name, value in os.environ.items() if name != "LDN_META_ROOT"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "ldn-meta init FOLDER" in done.stderr


def test_refused_data_exit_1_with_every_fault(project, refused):
    for arguments in (["check"], ["derive"], ["run"]):
        result = command(*arguments)
        assert result.exit_code == 1
        assert "studies:3:year: value 'nineteen' is no whole number; mend it" in result.stderr
    for name in ("check", "derive", "run"):
        result = command(name, "--json")
        assert result.exit_code == 1
        told = json.loads(result.stdout)
        assert told["faults"][0]["line"] == 3
        assert told["error"].startswith("data/raw was refused: 1 fault")


def test_wrong_requests_are_told_to_machines_too(project):
    result = command("run", "headahce", "--json")
    assert result.exit_code == 2
    assert "did you mean 'headache'?" in json.loads(result.stdout)["error"]


def test_check_writes_nothing(project, tables):
    result = command("check")
    assert result.exit_code == 0
    assert result.stdout == (
        "data/raw is in order\ndata/derived would change: effects.csv, manifest.json\n"
    )
    assert not (project.root / "data/derived").exists()
    told = json.loads(command("check", "--json").stdout)
    same = {"faults": [], "findings": [], "edited": []}
    assert told == {**same, "changed": ["effects.csv", "manifest.json"]}


def test_check_computes_nothing_that_stands_on_disk(project, tables, monkeypatch):
    command("derive")
    monkeypatch.setattr(derive, "_compute", lambda stage: pytest.fail("computed again"))
    assert command("check").stdout == "data/raw is in order\n"


def test_the_version_is_told():
    assert command("--version").stdout.split() == ["ldn-meta", version("ldn-meta")]


@pytest.mark.parametrize("arguments", [["check", "--quiet"], ["derive", "-q"]])
def test_quiet_commands_say_nothing(project, tables, arguments):
    assert command(*arguments).stdout == ""
    assert json.loads(command(*arguments, "--json").stdout)["changed"] is not None


def test_quiet_commands_tell_failures(project, refused):
    result = command("check", "--quiet")
    assert result.exit_code == 1
    assert "studies:3:year" in result.stderr


@pytest.mark.parametrize("arguments", [["run", "--jbos"], ["shwo"], ["run", "--jobs", "one"]])
def test_usage_errors_are_one_json_object(arguments):
    result = command(*arguments, "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert arguments[-1] in told["error"]
    assert told["faults"] == []


def test_derive_says_what_changed(project, tables):
    assert command("derive").stdout == (
        "data/derived: effects 1\ndata/derived: changed effects.csv, manifest.json\n"
    )
    assert command("derive").stdout == "data/derived: up to date\n"


def test_derive_for_machines(project, tables):
    told = json.loads(command("derive", "--json").stdout)
    assert told == {
        "was_current": False,
        "rows": {"effects": 1},
        "changed": ["effects.csv", "manifest.json"],
        "printed_numbers": [],
    }
    assert json.loads(command("derive", "--json").stdout)["was_current"] is True


def test_printed_numbers_that_do_not_fit_are_told(project, tables):
    found = {
        "table": ["arm_events", "claims"],
        "row_id": ["smith-88", "hegde"],
        "check": ["percentage of the arm", "p against interval"],
        "verdict": ["inconsistent", "not checkable"],
        "severity": ["high", "NA"],
        "is_accepted": [True, False],
        "explanation": ["88% fits no arm of 20 people", "no width"],
    }
    tables["consistency"] = pd.DataFrame(found)
    told = (
        "2 checks of printed numbers: 0 consistent, 1 inconsistent (1 of them accepted), "
        "1 not checkable\n"
        "  arm_events:smith-88: percentage of the arm (high, accepted): "
        "88% fits no arm of 20 people\n"
    )
    assert told in command("check").stdout
    assert command("derive").stdout.endswith(told)
    # Nothing is computed the second time: what is told stands on disk.
    assert command("derive").stdout == f"data/derived: up to date\n{told}"


def test_wanted_tells_where_a_number_goes():
    lines = command("wanted").stdout.splitlines()
    place = next(i for i, line in enumerate(lines) if line.endswith("Smith 2011"))
    assert lines[place + 3].startswith("  goes to  arm_events.csv, smith2011-cdai70-w12-ldn and ")
    rows = json.loads(command("wanted", "--json").stdout)
    assert len(rows) == len(lines) / 5
    assert all(row["missing"] and row["could_do"] for row in rows)


ROW = {
    "trial": "A 2001",
    "people": "9",
    "shown_yi": -0.5,
    "shown_ci_low": -1.0,
    "shown_ci_high": 0.0,
}
ANSWER = {
    **{"label": "headache", "outcome": "pain", "comparison": "placebo", "trials": 1, "people": 9},
    **{"effect": "mean difference -0.5", "sentence": "One trial."},
}
RATED = {"certainty": "low", "sentence": "Certainty: low."}


def facts_of(**changes):
    page = {"answer": ANSWER | changes, "rows": [ROW], "tau2": 0.5}
    return json.dumps({"20_pooled_effect": page, "60_certainty": {"answer": RATED}})


def test_show(project):
    result = command("show", "headache")
    assert result.exit_code == 1
    assert "run `ldn-meta run headache`" in result.stderr
    file = project.write("reports/headache/facts.json", facts_of())
    assert command("show", "headache").stdout == (
        "headache (headache): pain against placebo\n"
        "  mean difference -0.5; 1 trial, 9 people; certainty low\n\n"
        "One trial. Certainty: low.\n"
        "  A 2001: -0.50 (-1.00 to 0.00), 9 people\n"
    )
    assert json.loads(command("show", "headache", "--json").stdout) == json.loads(facts_of())
    # The overview is a line for each condition, not thousands.
    project.write("reports/overview/facts.json", '{"90_overview": {"k": 2}}')
    assert command("show", "overview").stdout.splitlines() == [
        "headache (headache): pain against placebo",
        "  mean difference -0.5; 1 trial, 9 people; certainty low",
    ]
    file.write_text(json.dumps({"10_x": {"k": 2}}))
    assert command("show", "headache").stdout.startswith("no page here answers a question")


def test_a_run_of_other_choices_is_told_beside_the_plan(project):
    project.write("reports/headache/facts.json", facts_of())
    name = "build/runs/tau2_method-pm-1"
    project.write(f"{name}/headache/facts.json", facts_of(effect="mean difference -0.7"))
    project.write(f"{name}/choices.json", '{"tau2_method": "pm"}')
    head, *lines = command("runs").stdout.splitlines()[-3:]
    assert head.split() == ["choices", "effect", "folder"]
    assert lines[0].split("  ")[0] == "as planned"
    assert "tau2_method = pm" in lines[1]
    assert "mean difference -0.7" in lines[1]
    assert lines[1].endswith(name)
    rows = json.loads(command("runs", "--json").stdout)
    assert [row["folder"] for row in rows] == ["reports", name]
    folder = str(project.root / name)
    shown = command("show", folder).stdout
    assert shown.startswith("tau2_method = pm\n")
    assert "mean difference -0.7" in shown
    told = command("compare", folder).stdout
    assert "headache, as planned: pain: mean difference -0.5" in told
    assert "headache/20_pooled_effect: answer.effect\n  as planned: mean difference -0.5" in told
    assert len(json.loads(command("compare", folder, "--json").stdout)["moved"]) == 1
    other = "build/runs/tau2_method-dl-2"
    project.write(f"{other}/headache/facts.json", facts_of(effect="mean difference -0.6"))
    project.write(f"{other}/choices.json", '{"tau2_method": "dl"}')
    told = command("compare", folder, str(project.root / other)).stdout
    assert "answer.effect\n  tau2_method-pm-1: mean difference -0.7\n  tau2_method-dl-2: m" in told


def test_what_stands_beside_an_answer_is_printed(project):
    project.write("reports/headache/facts.json", facts_of())
    page = json.loads(facts_of(trials=0))["20_pooled_effect"] | {
        "noted": {"measure = RR": "RR does not apply", "level = 0.9": "no effect, why"},
        "unapplied": "RR does not apply",
        "barred": {"B 2002": "not double-blind"},
        "parts": [
            {
                "choice": "subgroup_by = dose",
                "name": "3 mg",
                "trials": 1,
                "effect": "-0.5 (-1 to 0)",
            },
            {"choice": "subgroup_by = dose", "name": "", "trials": 0, "effect": "Q = 1"},
        ],
    }
    folder = project.root / "build/runs/measure-RR-1"
    people = {"40_safety": {"sentence": "Nobody."}}
    project.write(f"{folder}/headache/facts.json", json.dumps({"20_pooled_effect": page} | people))
    project.write(f"{folder}/choices.json", '{"measure": ["RR"], "risk_of_bias": "high"}')
    shown = command("show", str(folder)).stdout
    assert shown.startswith("measure = RR; risk_of_bias at most high\n")
    # A number in another measure than the one asked for is not printed as its effect.
    assert "  RR does not apply; 0 trials, 0 people" in shown
    assert "mean difference" not in shown
    assert shown.endswith(
        "  level = 0.9: no effect, why\n"
        "  subgroup_by = dose, 3 mg: -0.5 (-1 to 0) (1 trial)\n"
        "  subgroup_by = dose: Q = 1\n"
        "  not in it, B 2002: not double-blind\n"
        "headache/40_safety: Nobody.\n"
    )
    del page["unapplied"], page["noted"], page["parts"], page["barred"]
    page |= {"answer": ANSWER, "without_each": {"A 2001": "0.1 (0 to 0.2)"}}
    project.write(f"{folder}/headache/facts.json", json.dumps({"20_pooled_effect": page}))
    assert command("show", str(folder)).stdout.endswith("  without A 2001: 0.1 (0 to 0.2)\n")
    (_, row) = json.loads(command("runs", "--json").stdout)
    assert row["notes"] == ["the same trials and numbers as planned"]


def test_a_grid_is_answered_at_once_as_python_answers_it():
    import ldn_meta as lm

    grid = ("tau2_method=dl|DL|pm", "ci_method=wald")
    arguments = [part for text in grid for part in ("-p", text)]
    rows = json.loads(command("run", "fibromyalgia", *arguments, "--json").stdout)
    assert [row["choices"] for row in rows] == [
        "as planned",
        "tau2_method = dl; ci_method = wald",
        "tau2_method = dl; ci_method = wald",
        "tau2_method = pm; ci_method = wald",
    ]
    read = lm.answer("fibromyalgia", tau2_method="dl", ci_method="wald").read_by
    assert rows[1]["interval"] == f"{read.low:.2f} to {read.high:.2f}"
    assert rows[0]["interval"] != rows[1]["interval"]
    # The plan answers the outcome that is asked for, and ratios carry no unit.
    asked = ("-p", "measure=RR|OR", "-p", "construct=responder_pain_30", "--json")
    ratios = json.loads(command("run", "fibromyalgia", *asked).stdout)
    assert [row["effect"].rpartition(" ")[0] for row in ratios] == [
        *("risk ratio", "risk ratio", "odds ratio")
    ]
    refused = command("run", "fibromyalgia", "-p", "harm_construct=nausea|death")
    assert refused.exit_code == 2
    assert "the outcome that is asked for is construct" in refused.stderr
    refused = command("run", "fibromyalgia", "-p", "tau2_method=dl|dm")
    assert refused.exit_code == 2
    assert "tau2_method: 'dm' is not allowed; allowed: common, dl" in refused.stderr


def test_a_grid_says_what_does_not_apply_what_has_no_effect_and_why_nothing_is_pooled():
    def rows(*choices):
        arguments = [part for text in choices for part in ("-p", text)]
        return json.loads(command("run", "fibromyalgia", *arguments, "--json").stdout)[1:]

    ratio, sd = rows("measure=RR|SMD")
    assert ratio["effect"].startswith("RR does not apply: pain intensity is measured")
    assert ratio["interval"] == ratio["trials"] == ""
    assert sd["effect"].startswith("standardised mean difference")
    idle, same = rows("prior_scale=1|2"), rows("designs=parallel|crossover")
    assert idle[0]["note"] == same[0]["note"] == "the same trials and numbers as planned"
    assert idle[1]["note"] == ""
    (none, _) = rows("dose_mg=1,2|3,6")
    assert "INNOVA 2026: its daily dose is not within 1 to 2 mg" in none["note"]
    apart = rows("subgroup_by=dose|comparator")
    assert [row["choices"].strip() for row in apart] == [
        *("subgroup_by = dose", "subgroup_by = dose 4.5 mg", "subgroup_by = dose 6 mg"),
        *("subgroup_by = dose", "subgroup_by = comparator", "subgroup_by = comparator"),
    ]
    assert (apart[1]["effect"], apart[1]["interval"]) == ("0.49", "-0.32 to 1.31")
    assert apart[3]["note"].startswith("test between subgroups: Q = ")
    assert apart[-1]["note"].startswith("nothing to tell apart: every trial")


def test_runs_without_any(project):
    assert "no run of other choices yet" in command("runs").stdout


def test_run_derives_runs_and_writes_the_table(project, tables, monkeypatch):
    seen = {}

    def run(indications, parameters, **options):
        seen.update(indications=indications, parameters=parameters, **options)
        return runner.RunSummary(("headache/x",), ("headache/y",), project.root / "reports")

    monkeypatch.setattr(runner, "run", run)
    result = command("run", "headache", "-p", "level=0.9", "-p", "tau2_method=pm", "-j", "3")
    assert result.exit_code == 0
    assert seen["indications"] == ("headache",)
    assert seen["parameters"] == {"level": 0.9, "tau2_method": "pm"}
    assert (seen["jobs"], seen["force"]) == (3, False)
    # Tables had to be derived, so a server was on its way in the meantime.
    assert seen["kernels"].func is fork_kernels.forked_kernels
    assert result.stdout.endswith("reports: 1 notebook executed, 1 were up to date\n")
    assert "| Indication |" in project.read("README.md")
    told = json.loads(command("run", "headache", "--json").stdout)
    assert (told["executed"], told["fresh"]) == (["headache/x"], ["headache/y"])
    assert (told["folder"], told["derived"]["was_current"]) == ("reports", True)
    assert command("run", "headache").exit_code == 0
    assert seen["kernels"] is fork_kernels.forked_kernels
    assert command("run", "headache", "--force", "--kernels", "plain").exit_code == 0
    assert seen["kernels"] is kernels.plain_kernels


def test_being_told_to_end_is_like_ctrl_c(project, tables, monkeypatch):
    cleaned = []

    def run(*_, **__):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        finally:
            cleaned.append("up")

    monkeypatch.setattr(runner, "run", run)
    before = signal.getsignal(signal.SIGTERM)
    assert command("run").exit_code == 128 + signal.SIGTERM
    assert cleaned == ["up"]
    assert signal.getsignal(signal.SIGTERM) == before


# What only the extras of pyproject.toml bring, and a module that Windows does not have.
EXTRAS = (
    "fcntl",
    *("click", "fastparquet", "frictionless", "great_tables", "jinja2", "jupyter_client"),
    *("myst_nb", "papermill", "prisma_flow", "yaml", "resvg", "rich", "sphinx"),
    *("openpyxl", "docx", "distributed", "nbformat"),
)


def without_extras(code):
    """Run code where nothing but the packages of a plain install can be imported."""
    barred = f"import sys\nsys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
    return subprocess.run(
        [sys.executable, "-c", barred + code], capture_output=True, text=True, check=False
    )


def test_a_plain_install_pools_and_draws():
    code = """import ldn_meta as lm
for name in lm.__all__:
    getattr(lm, name)
lm.forest_plot(lm.pool([-0.1, 0.2, 0.3], [0.1, 0.2, 0.1]))
"""
    done = without_extras(code)
    assert done.returncode == 0, done.stderr


def test_a_plain_install_says_what_the_command_needs():
    done = without_extras("from ldn_meta.__main__ import main\nmain()")
    assert (done.returncode, done.stderr) == (
        1,
        "ldn-meta needs click: pip install 'ldn-meta[site]'\n",
    )
