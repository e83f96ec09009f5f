"""Nothing in the package is about one drug: an invented review of vitamin D is checked and run.

Two conditions and five trials: one with means, two crossovers (an interval, a p-value), one with
counts only, one with an interval. No claims, no responders, no trial that looked for the dose.
"""

import html
import json
import math
import os
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from papermill.engines import Engine, papermill_engines
from traitlets.config import Config

from builders import Builder
from ldn_meta import files
from ldn_meta.pipeline import kernels, site
from ldn_meta.pipeline.cli import main
from ldn_meta.stats.convert import se_from_ci, se_from_p
from ldn_meta.stats.pool import pool

CHECKOUT = Path(__file__).parents[2]
REVIEW = """\
[treatment]
label = "vitamin D"
name = "vitamin D"
short_name = "vitamin D"
"""
PARAMETERS = """
[once]

[indications.migraine]

[indications.knee_pain]
harm_construct = "falls"
"""
# Sections of the analysis plan that name outcomes, doses or trials of the other review.
PLAN = (
    (r"\[outcome_group\].*?\n\n", '[outcome_group]\nset_on = 2026-12-01T12:00:00Z\n'
     'known_then = "after the main pool was seen"\n"headache days" = ["headache_days"]\n'
     '"pain" = ["pain_intensity"]\n"falls" = ["falls"]\n\n'),
    (r'\n"fibromyalgia" = \[.*?\n\n', '\n"knee_pain" = ["falls"]\n\n'),
    (r"(\namong_some = )[^\n]*", r"\1[]"),
    (r"also_rated = [^\n]*", 'also_rated = ["falls"]'),
    (r"(\.dose_mg_per_day\]\n).*?\n\n", r'\1"vitamin D" = [0.0, 5.0]\n\n'),
    (r"# Page 92.*?\n\n(?=# Pools shown)", ""),
    (r"\[certainty\.scale\.quality_of_life_mental\].*?\n\n", ""),
    ("No LDN crossover prints it", "No crossover prints it"),
    (r"surrogate_constructs = [^\n]*", "surrogate_constructs = []"),
    (r'\nsd_row = "arm_stats:[^\n]*', '\nsd_row = "none"'),
)  # fmt: skip
PNG = "image/png"
# Words of the first review; the package's own name, in addresses and commands, is none of them.
FOREIGN = re.compile(r"LDN\b(?!_)|[Nn]altrexone|[Ll]ow-dose|[Ff]ibromyalgia|Crohn")


def typed(folder):
    """Write data/raw of the review."""
    build = Builder(folder, CHECKOUT / "data" / "raw")
    build.rows = {name: [] for name in build.columns}
    build.add("sources", source_id="paper")
    conditions = (
        ("migraine", "headache_days", "placebo"),
        ("knee_pain", "pain_intensity", "usual care"),
    )
    for order, (name, construct, comparator) in enumerate(conditions, 1):
        build.add(
            "indications",
            indication_id=name,
            label=name.replace("_", " "),
            intervention="vitamin D",
            sort_order=order,
            main_construct=construct,
            main_comparator=comparator,
        )
    days = {
        "construct": "headache_days",
        "construct_label": "headache days",
        "unit": "days a month",
    }
    build.outcome("days", scale_min="NA", scale_max="NA", **days)
    build.outcome("pain", construct_label="pain intensity")
    build.outcome(
        "falls", construct="falls", construct_label="falls", domain="harm", benefit_sign=-1
    )
    for key, condition, design in (
        ("arden2001", 0, "parallel"),
        ("brook2005", 0, "crossover"),
        ("cole2010", 0, "crossover"),
        ("dahl2012", 1, "parallel"),
        ("evans2015", 1, "parallel"),
    ):
        name, _, comparator = conditions[condition]
        build.add(
            "studies",
            study_id=key,
            label=f"{key[:-4].title()} {key[-4:]}",
            year=key[-4:],
            indication_id=name,
            design=design,
            intervention="vitamin D",
            comparator=comparator,
            comparator_class=comparator,
        )
        build.arm(key, "ldn", 1, 40)
        build.arm(key, "placebo", 2, 42)
    for arm, n, mean in (("ldn", 40, "-3.0"), ("placebo", 42, "-1.5")):
        build.stats(arm, "arden2001", outcome_id="days", n=n, mean=mean, sd="2.5")
    paired = {"outcome_id": "days", "is_paired": "yes", "n_2": "NA"}
    interval = {"ci_low": "-2.0", "ci_high": "-0.4", "ci_level": "0.95"}
    build.contrast("brook2005", estimate="-1.2", n_1=30, **interval, **paired)
    build.contrast("cole2010", estimate="-0.60", p_value="0.041", p_relation="=", n_1=24, **paired)
    for arm, n, events in (("ldn", 40, 4), ("placebo", 42, 9)):
        build.events(arm, "dahl2012", outcome_id="falls", n=n, events=events)
    interval = {"ci_low": "-1.5", "ci_high": "-0.1", "ci_level": "0.95"}
    build.contrast("evans2015", outcome_id="pain", estimate="-0.8", **interval)
    for name, construct, comparator in (*conditions, ("knee_pain", "falls", "usual care")):
        for domain, judgement in (
            ("risk_of_bias", "not serious"),
            ("publication_bias", "undetected"),
        ):
            build.add(
                "certainty",
                row_id=f"{name}-{construct}-{comparator.replace(' ', '_')}-{domain}",
                indication_id=name,
                construct=construct,
                comparator_class=comparator,
                domain=domain,
                kind="judgement",
                judgement=judgement,
                judged_by="this project",
                rests_on="studies",
            )
    build.write()
    (folder / "review.toml").write_text(REVIEW, encoding="utf-8")
    plan = (folder / "protocol.toml").read_text(encoding="utf-8")
    for old, new in PLAN:
        plan, count = re.subn(old, new, plan, flags=re.DOTALL)
        assert count, old
    (folder / "protocol.toml").write_text(plan, encoding="utf-8")
    (folder / "claim_rules.toml").write_text("", encoding="utf-8")
    dictionary = (folder / "datapackage.json").read_text(encoding="utf-8")
    title = dictionary.replace("Low-dose naltrexone: extracted", "Vitamin D: extracted")
    (folder / "datapackage.json").write_text(title, encoding="utf-8")


WITHOUT_HISTORY = Config({"HistoryManager": {"enabled": False}})


class Here(Engine):
    """Runs the cells in this process: 17 kernels cost more than the pages they make."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **options):
        # make exports it empty, of which a shell would warn.
        os.environ.pop("VIRTUAL_ENV", None)
        shell = InteractiveShell.instance(config=WITHOUT_HISTORY)
        try:
            for cell in nb_man.nb.cells:
                if cell.cell_type == "code" and cell.source:
                    # Pages print nothing, and the runner tells how far it is meanwhile.
                    shown = capture_output(stdout=False, stderr=False)
                    with shell.builtin_trap, shell.display_trap, shown as got:
                        done = shell.run_cell(cell.source, store_history=True)
                    done.raise_error()
                    cell.execution_count = done.execution_count
                    cell.outputs = [cls.output(one, done) for one in got._outputs]
        finally:
            InteractiveShell.clear_instance()

    @staticmethod
    def output(one, done):
        """Where a kernel says that a cell shows something, or that it ends with it."""
        shown = {"data": one["data"], "metadata": one["metadata"]}
        if "transient" in one:
            return nbformat.v4.new_output("display_data", **shown)
        count = {"execution_count": done.execution_count}
        return nbformat.v4.new_output("execute_result", **shown, **count)


def commanded(*commands):
    for command in commands:
        result = CliRunner().invoke(main, command.split())
        assert result.exit_code == 0, f"{command}: {result.output}"


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """The folder after check, derive and run; nothing of it was there before."""
    root = tmp_path_factory.mktemp("vitamin")
    typed(root / "data" / "raw")
    shutil.copytree(CHECKOUT / "notebooks", root / "notebooks")
    settings = root / "notebooks" / "parameters.toml"
    text = settings.read_text(encoding="utf-8").partition("\n[once]")[0]
    text = text.replace('"92_dose", ', "")
    settings.write_text(text + PARAMETERS, encoding="utf-8")
    # Not what this project tells of itself.
    shutil.copytree(CHECKOUT / "docs", root / "docs")
    for file in (root / "docs").glob("*.md"):
        file.unlink()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LDN_META_ROOT", str(root))
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(kernels, "NAME", "here")
            inside.setitem(papermill_engines._engines, "here", Here)
            commanded("check", "derive", "run --jobs 1 --kernels plain")
        yield root


@pytest.fixture(scope="module")
def sources(review):
    """What Sphinx is given, in words."""
    made = site.pages()
    return {name: data.decode() for name, data in made.items() if not name.endswith(".png")}


def texts(folder, *patterns):
    """What a reader sees in files, by their names: pictures aside."""
    found = {}
    for file in (file for pattern in patterns for file in folder.rglob(pattern)):
        if file.suffix in (".ipynb", ".json", ".svg", ".html") and file.is_file():
            found[file.relative_to(folder).as_posix()] = file.read_text(encoding="utf-8")
    return found


def foreign(told):
    # A template's default names a condition of the other review; what ran stands below it.
    found = {
        name: sorted(
            {
                word
                for line in text.splitlines()
                if "indication: str" not in line and PNG not in line
                for word in FOREIGN.findall(line)
            }
        )
        for name, text in told.items()
    }
    return {name: words for name, words in found.items() if words}


def test_the_pool_is_that_of_the_printed_numbers(review):
    facts = json.loads((review / "reports/migraine/facts.json").read_text(encoding="utf-8"))
    answer = facts["20_pooled_effect"]
    sd = 2.5
    sei = (
        sd * math.sqrt(1 / 40 + 1 / 42),
        float(se_from_ci(-2.0, -0.4)),
        float(se_from_p(-0.60, 0.041, df=23)),
    )
    expected = pool([-1.5, -1.2, -0.60], [se**2 for se in sei])
    synthesis = answer["synthesis"]
    for name in ("estimate", "ci_low", "ci_high"):
        assert synthesis[name] == pytest.approx(getattr(expected, name), rel=1e-5), name
    sentence = answer["answer"]["sentence"]
    assert sentence.startswith("Three trials (136 people) compared vitamin D with placebo")
    assert "Negative numbers favour vitamin D." in sentence


def test_events_alone_give_a_risk_ratio(review):
    facts = json.loads((review / "reports/knee_pain/facts.json").read_text(encoding="utf-8"))
    risk_ratio = f"{4 / 40 / (9 / 42):.2f}"
    page = (review / "reports/knee_pain/40_safety.ipynb").read_text(encoding="utf-8")
    assert facts["40_safety"]["construct"] == "falls"
    assert risk_ratio in page


def test_no_word_of_another_drug(review, sources):
    assert foreign(texts(review / "reports", "*.*")) == {}
    assert foreign(sources) == {}


def test_its_report_can_be_carried_away(review, tmp_path):
    for name in ("migraine", "knee_pain"):
        commanded(f"report {name} --to zip --output {tmp_path}")
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as archive:
            inside = {one: archive.read(one) for one in archive.namelist()}
        told = {
            one: data.decode()
            for one, data in inside.items()
            if one.endswith((".html", ".csv", ".ris", ".bib", ".txt"))
        }
        facts = json.loads(inside[f"{name}/facts.json"])
        page = html.unescape(told[f"{name}/{name}.html"])
        assert facts["20_pooled_effect"]["answer"]["sentence"] in page
        assert any(one.endswith(f"{name}.docx") for one in inside)
        assert foreign({one: re.sub('src="data:[^"]*"', "", t) for one, t in told.items()}) == {}


def test_every_page_is_there(review, sources):
    named = set(texts(review / "reports", "*.ipynb"))
    assert {f"migraine/{n}.ipynb" for n in ("20_pooled_effect", "40_safety")} <= named
    assert {"index.md", "indications/migraine/20_pooled_effect.ipynb"} <= set(sources)
    assert files.project_root() == review


@pytest.mark.slow
def test_kernels_make_the_same_pages_and_a_site_without_a_word_of_another_drug(review):
    before = texts(review / "reports", "*.ipynb", "*.json", "*.svg")
    commanded("run --force --site")
    assert texts(review / "reports", "*.ipynb", "*.json", "*.svg") == before
    assert (review / "build/site/index.html").is_file()
    assert foreign(texts(review / "build/site", "*.html")) == {}
