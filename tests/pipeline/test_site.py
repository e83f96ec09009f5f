import base64
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.errors import LdnMetaError
from ldn_meta.pipeline import site, site_pages
from ldn_meta.pipeline.data_dictionary import dictionary_page

new = nbformat.v4
REPOSITORY = Path(__file__).resolve().parents[2]
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg=="
)


def output(data, **label):
    metadata = {"ldn-meta": label} if label else {}
    return new.new_output("display_data", data=data, metadata=metadata)


def executed(title):
    """A page with everything that the site treats in its own way."""
    cells = [
        new.new_markdown_cell(f"# {title}\n\nThe formula is $a^2$."),
        new.new_code_cell("level = 0.95  # default", metadata={"tags": ["parameters"]}),
        new.new_code_cell("level = 0.9", metadata={"tags": ["injected-parameters"]}),
        new.new_code_cell(
            "show()",
            outputs=[
                output({FACTS_MIME: {"k": 2}, "text/plain": "facts for machines"}),
                output({FACTS_MIME: {"k": 2}, "text/markdown": "A **sentence**."}),
                output({"image/png": PNG, "text/plain": "x"}, figure="dot", alt="one dot"),
            ],
        ),
        new.new_code_cell("hidden()", metadata={"tags": ["hide-output"]}),
    ]
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return nbformat.writes(new.new_notebook(cells=cells, metadata=metadata))


@pytest.fixture
def reported(project):
    shutil.copytree(REPOSITORY / "docs" / "_static", project.root / "docs" / "_static")
    shutil.copy(REPOSITORY / "docs" / "conf.py", project.root / "docs" / "conf.py")
    project.write("docs/methods.md", "# Methods\n\nAs stated.\n")
    answer = {
        "label": "headache",
        "outcome": "pain",
        "comparison": "placebo",
        "comparative_studies": 3,
        "trials": 2,
        "people": 151,
        "effect": "-0.4",
        "sentence": "Two trials.",
    }
    project.write("reports/headache/20_pooled_effect.ipynb", executed("Does it help?"))
    facts = {"20_pooled_effect": {"answer": answer}}
    project.write("reports/headache/facts.json", json.dumps(facts))
    project.write("reports/overview/90_overview.ipynb", executed("What is there?"))
    project.write("reports/overview/facts.json", "{}")
    return project


def test_a_notebook_is_prepared_for_readers():
    page = json.loads(site_pages.page_notebook(executed("A page").encode()))
    tags = [cell["metadata"].get("tags") for cell in page["cells"][1:]]
    assert tags == [
        ["parameters", "remove-cell"],
        ["injected-parameters", "hide-input"],
        ["hide-input"],
        ["hide-output"],
    ]
    shown = page["cells"][3]
    assert [set(output["data"]) for output in shown["outputs"]] == [
        {"text/markdown"},
        {"image/png", "text/plain"},
    ]
    assert shown["metadata"]["mystnb"] == {"image": {"alt": "one dot"}}


def test_pages_of_reports_at_hand_only(reported):
    assert sorted(site_pages.pages()) == [
        "data_dictionary.md",
        "index.md",
        "indications/headache/20_pooled_effect.ipynb",
        "indications/headache/index.md",
        "methods/methods.md",
        "overview/90_overview.ipynb",
    ]


def test_site_is_built_once_opens_offline_and_survives_a_bad_page(reported):
    assert site.build_site()
    folder = reported.root / "build" / "site"
    start = (folder / "index.html").read_text()
    assert 'href="indications/headache/20_pooled_effect.html"' in start
    assert "Two trials." in start
    page = (folder / "indications/headache/20_pooled_effect.html").read_text()
    assert 'alt="one dot"' in page
    assert "facts for machines" not in page
    assert "<strong>sentence</strong>" in page
    assert "<math" in page
    assert "# default" not in page
    images = {file.read_bytes() for file in (folder / "_images").iterdir()}
    assert base64.b64decode(PNG) in images
    loads = r"""<(?:script|img|iframe)[^>]*src=["']?https?:|<link[^>]*stylesheet[^>]*https?:"""
    for html in folder.rglob("*.html"):
        assert not re.search(loads, html.read_text()), html

    assert not site.build_site()

    reported.write("docs/methods.md", "# Methods\n\n[broken](nowhere.md)\n")
    with pytest.raises(LdnMetaError, match=r"(?s)the last good one stays.*nowhere"):
        site.build_site()
    assert (folder / "index.html").read_text() == start
    assert "nowhere" not in (folder / "methods/methods.html").read_text()


def test_data_dictionary(project):
    page = dictionary_page()
    assert page.startswith("# Data dictionary\n\nA tiny package.\n")
    assert "Missing cells are never blank: `NR` (not reported)." in page
    assert "| `study_id` | string | Key; key of the table |" in page
    assert "| `status` | string | one of `a`, `b\\|c`; a row of `studies` |" in page
