"""The site: what pages show, where names lead, what is built when, that nothing leads nowhere."""

import base64
import io
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from urllib.parse import unquote

import nbformat
import pytest
from PIL import Image

from builders import cases
from ldn_meta import files
from ldn_meta.display.outputs import FACTS_MIME, Table, linked
from ldn_meta.errors import LdnMetaError, StaleError
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.review import Review, load_review
from ldn_meta.pipeline import site
from ldn_meta.pipeline.notebooks import reported_indications
from ldn_meta.pipeline.site import (
    FORMATS,
    TABLES,
    Links,
    dictionary_page,
    direction_in_words,
    downloads,
    figure_bar,
    page_bar,
    page_notebook,
    scrolling,
    study_links,
)

new = nbformat.v4
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg=="
)
TABLE = (
    "<p><strong>Trials</strong></p><table class='ldn-table'><thead><tr><th>trial</th></tr></thead>"
    "<tbody><tr><td>Ames 2001</td></tr></tbody></table>"
)
NOTHING = "<p><strong>Harms</strong></p><p>None.</p>"
LINKS = Links({"Ames 2001": "../../studies/ames2001.html"})


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
                output({FACTS_MIME: {"k": 2}, "text/markdown": "A **sentence** on Ames 2001."}),
                output({"text/html": TABLE, "text/plain": "a table"}),
                output({"image/png": PNG, "text/plain": "x"}, figure="dot", alt="one dot"),
            ],
            id="forest",
        ),
        new.new_markdown_cell("## A heading over nothing"),
        new.new_code_cell("none()", outputs=[output({"text/html": NOTHING})], id="none"),
        new.new_code_cell(
            "words()",
            outputs=[output({"image/png": PNG}, figure="no", alt="None.", is_words_only=True)],
        ),
        new.new_markdown_cell("## Facts"),
        new.new_code_cell("hidden()", metadata={"tags": ["hide-output"]}),
    ]
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return nbformat.writes(new.new_notebook(cells=cells, metadata=metadata))


STUDY = "---\norphan: true\n---\n# Ames 2001\n\n## Design\n\nCrossover.\n"


@pytest.fixture
def reported(project, monkeypatch):
    """The tiny project with reports; the pages of its studies stand in for the evidence room."""

    def report_forms():
        return ()

    monkeypatch.setattr(site, "report_forms", report_forms)
    project.copy_docs()
    project.write("docs/methods.md", "# Methods\n\nAs stated.\n")
    project.write("docs/decisions.md", "# Decisions\n\nFew.\n")
    answer = {
        "label": "headache",
        "outcome": "pain",
        "comparison": "placebo",
        "comparative_studies": 3,
        "trials": 2,
        "people": 151,
        "effect": "-0.4 (-0.6 to -0.2)",
        "sentence": "Two trials; not Ames 2001.",
    }
    project.write("reports/headache/20_pooled_effect.ipynb", executed("Does it help?"))
    for ending in ("png", "svg"):
        file = project.write(f"reports/headache/figures/dot.{ending}", "")
        file.write_bytes(base64.b64decode(PNG))
    facts = {
        "20_pooled_effect": {
            "answer": answer,
            "synthesis": {"direction": "favours treatment", "synthesis": "meta-analysis"},
            "what_would_change_it": "- Largest weight: Ames 2001.\n- Nothing else.",
        }
    }
    project.write("reports/headache/facts.json", json.dumps(facts))
    project.write("reports/overview/90_overview.ipynb", executed("What is there?"))
    for ending in ("png", "svg"):
        shutil.copy(
            project.root / "reports/headache/figures/dot.png",
            project.write(f"reports/overview/figures/dot.{ending}", ""),
        )
    project.write("reports/overview/facts.json", "{}")
    project.write("data/derived/pooled.csv", "x\n1\n")
    sources = {
        "studies/index.md": b"# Studies\n\n[Ames 2001](ames2001.md)\n",
        "studies/ames2001.md": STUDY.encode(),
    }
    labels = {"ames2001": "Ames 2001"}
    monkeypatch.setattr(site, "study_sources", lambda known: (labels, sources))
    return project


def test_a_notebook_is_prepared_for_readers(reported):
    file = reported.root / "reports/headache/20_pooled_effect.ipynb"
    before = file.read_bytes()
    page = json.loads(page_notebook(file, up="../../", links=LINKS))
    assert file.read_bytes() == before
    code = [cell for cell in page["cells"] if cell["cell_type"] == "code"]
    assert [cell["metadata"].get("tags") for cell in code] == [
        ["parameters", "remove-cell"],
        ["injected-parameters", "hide-input"],
        ["hide-input"],
        ["hide-output"],
    ]
    shown = code[2]
    assert [set(output["data"]) for output in shown["outputs"]] == [
        {"text/markdown"},
        {"text/html", "text/plain"},
        {"text/html"},
    ]
    figure = shown["outputs"][2]["data"]["text/html"]
    assert '<img src="../../downloads/headache/dot.svg" alt="one dot"' in figure
    assert 'href="../../downloads/headache/dot.png"' in figure
    link = '<a href="../../studies/ames2001.html">Ames 2001</a>'
    assert shown["outputs"][0]["data"]["text/markdown"] == f"A **sentence** on {link}."
    assert f"<td>{link}</td>" in shown["outputs"][1]["data"]["text/html"]
    bars = [cell["source"] for cell in page["cells"][1:] if cell["cell_type"] == "markdown"]
    assert "".join(bars[0]) == "## Facts", (
        "a heading over nothing vanishes, with what says that it is none"
    )
    assert 'href="../../downloads/headache/notebooks.zip"' in bars[-1]
    assert 'href="../../downloads/data/derived/pooled.csv"' in bars[-1]
    ids = [cell["id"] for cell in page["cells"]]
    assert len(ids) == len(set(ids))


def test_pages_of_reports_at_hand_only(reported):
    assert sorted(site.pages()) == [
        "data_dictionary.md",
        "downloads.md",
        "gallery.md",
        "index.md",
        "indications/headache/20_pooled_effect.ipynb",
        "indications/headache/index.md",
        "methods/decisions.md",
        "methods/methods.md",
        "overview/90_overview.ipynb",
        "studies/ames2001.md",
        "studies/index.md",
    ]


def test_the_start_page_tells_all_of_an_answer_in_one_row(reported):
    start = site.pages()["index.md"].decode()
    row = start[start.index("<tbody>") : start.index("</tbody>")]
    for told in (
        '<a href="indications/headache/index.html">Headache</a>',
        'aria-label="Estimate favours nothing. -0.4 (-0.6 to -0.2)."',
        "</a>-0.4 (-0.6 to -0.2)</td>",
        ">not rated</td>",
        ">151 people in 2 trials</td>",
        ">Two trials; not Ames 2001.<br>",
        '<a href="indications/headache/index.html#harms">harms</a>',
    ):
        assert told in row, told


def rate(reported, **result):
    """Rate the main outcome of the tiny project."""
    file = reported.root / "reports/headache/facts.json"
    facts = json.loads(file.read_text())
    rated = {
        "outcome": "main outcome", "comparator_class": "placebo", "construct": "pain",
        "measure": "MD", "unit": "points", "benefit_sign": -1.0, "important_low": -1.0,
        "important_high": 1.0, "estimate": -0.4, "ci_low": -0.6, "ci_high": -0.2,
        "statement": "LDN may reduce pain slightly.",
    }  # fmt: skip
    facts["60_certainty"] = {
        "answer": {"certainty": "low", "sentence": "Certainty: low."},
        "outcomes": [{**rated, "comparator_class": "active drug"}, rated | result],
    }
    file.write_text(json.dumps(facts))
    return site.pages()


def test_certainty_and_its_statement_come_from_their_own_page_when_it_is_there(reported):
    made = rate(reported)
    for page in ("index.md", "indications/headache/index.md"):
        text = made[page].decode()
        assert "LDN may reduce pain slightly." in text
        assert "\u2295\u2295\u25cb\u25cb low" in text


@pytest.mark.parametrize(
    ("result", "inner"),
    [
        # Better with the treatment is on the left, whether less or more is better.
        ({}, ("1 better", 'x1="60.2"', 'x2="100.1"')),
        (
            {"benefit_sign": 1.0, "estimate": 0.4, "ci_low": 0.2, "ci_high": 0.6},
            ("1 better", 'x1="100.1"', 'x2="60.2"'),
        ),
        ({"estimate": None}, ("no size", "ldn-arrow")),
    ],
)
def test_the_small_picture(reported, result, inner):
    text = rate(reported, **result)["index.md"].decode()
    picture = text[text.index("<svg") : text.index("</svg>")]
    assert [part for part in inner if part not in picture] == []


def test_a_result_without_a_side_is_drawn_to_both():
    result = {
        "measure": "MD", "unit": "points", "benefit_sign": -1.0,
        "estimate": 0.1, "ci_low": -0.1, "ci_high": 0.5,
    }  # fmt: skip
    picture = site.mini_picture(result, "side not known", span=1.0, words="x")
    assert 'class="ldn-ci ldn-unsided" x1="70.2"' in picture
    assert 'x2="169.8"' in picture
    assert "ldn-point" not in picture


def test_a_condition_is_one_page_of_layers_from_its_notebooks(reported):
    page = site.pages()["indications/headache/index.md"].decode()
    assert page.index('<h2 id="forest">') < page.index('src="../../downloads/headache/dot.svg"')
    assert '<a href="../../studies/ames2001.html">Ames 2001</a>' in page
    assert "facts for machines" not in page
    assert 'id="harms"' not in page, "a part without content is left out"
    assert '<a href="20_pooled_effect.html">Does it help?</a>' in page
    assert "level = 0.9\n" in page
    assert "# default" not in page


def test_other_choices_are_shown_only_beside_what_they_would_change(reported):
    file = reported.root / "reports/headache/20_pooled_effect.ipynb"
    notebook = json.loads(file.read_text())
    table = "<p><strong>Choices</strong></p><table><tr><td>main</td></tr></table>"
    cell = new.new_code_cell("x", outputs=[output({"text/html": table})], id="sensitivity")
    notebook["cells"].append(cell)
    file.write_text(json.dumps(notebook))

    def keys():
        shown = site.layers_of([file], "", LINKS, has_number=True)
        return [one.layer.key for one in shown]

    assert keys() == ["forest", "robustness"]
    notebook["cells"] = [one for one in notebook["cells"] if one["id"] != "forest"]
    file.write_text(json.dumps(notebook))
    assert keys() == []


def test_every_cell_of_the_layers_is_on_file_once():
    """Renamed cells would vanish from the pages of the conditions without a word."""
    templates = files.notebooks()
    named = [name for layer in site._layers() for name in layer.cells]
    assert len(named) == len(set(named))
    for name in named:
        notebook, _, cell = name.partition("/")
        cells = json.loads((templates / f"{notebook}.ipynb").read_text())["cells"]
        assert cell in [one["id"] for one in cells], name


def test_what_is_known_of_each_condition_is_one_short_sentence_and_its_page_is_short():
    """On the reports at hand: budgets of words for what a reader meets first."""
    review = load_review(files.raw_data())
    reports = {name: site._notebooks(name) for name in site.reported_indications()}
    found = site.told(reports, review)
    assert found
    for name, one in found.items():
        assert len(one.statement.split()) <= 40, one.statement
        assert re.search(r"\. [A-Z]", one.statement) is None, one.statement
        layers = site.layers_of(reports[name], "", Links({}), has_number=bool(one.answer.trials))
        assert all("None." not in part for shown in layers for part in shown.parts)
        if not one.answer.trials:
            shown = " ".join(shown.content for shown in layers if not shown.is_folded)
            assert len(re.sub("<[^>]*>", " ", shown).split()) <= 700, name


def test_what_a_reader_asks_first_is_taken_from_the_tables():
    about = site.export.stated()
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", about["searched"])
    assert about["changed"] >= about["searched"]
    assert about["funding"] == "not recorded"
    assert about["citation"].endswith(f"Version {about['version']}, data of {about['changed']}.")


def test_cells_of_the_evidence_map_lead_to_the_page_of_their_condition():
    heads, rows = site.evidence_grid({"fibromyalgia": "indications/fibromyalgia"})
    assert [label for label, _ in rows] == ["fibromyalgia"]
    cells = dict(zip(heads, rows[0][1], strict=True))
    assert 'href="indications/fibromyalgia/index.html#findings"' in cells["pain"]
    assert 'href="indications/fibromyalgia/index.html#harms"' in cells["any adverse event"]


def test_what_is_told_without_an_arm_is_not_called_not_found(reported):
    cell = {
        "indication_id": "headache", "indication_label": "headache", "outcome_label": "harm",
        "trials": 0, "told": "Ames 2001: one person; arm not named", "construct": "harm",
        "synthesis": "not found in what was read", "side": "side not known", "people": None,
        "number": "", "certainty": "not rated", "is_randomised": True,
    }  # fmt: skip
    plain = {"outcome_label": "pain", "trials": 1, "told": "", "people": 1}
    loose = {**cell, **plain, "synthesis": "direction only", "is_randomised": False}
    none = {**cell, "outcome_label": "sleep", "told": ""}
    facts = {"90_overview": {"cells": [cell, loose, none]}}
    reported.write("reports/overview/facts.json", json.dumps(facts))
    _, [(_, cells)] = site.evidence_grid({"headache": "indications/headache"})
    assert "told, arm not named" in cells[0]
    assert "Ames 2001: one person" in cells[0]
    assert "1 study, 1 person, not randomised or not said to be" in cells[1]
    assert "not found in what was read" in cells[2]


def test_gallery_shows_the_first_figure_of_a_kind_with_its_words(reported):
    found = site.gallery({"headache": "indications/headache", "overview": "overview"})
    assert set(found) == {"gallery.md"}
    text = found["gallery.md"].decode()
    assert 'src="downloads/headache/dot.svg" alt="one dot"' in text
    assert "*In words:* one dot" in text
    assert "(indications/headache/20_pooled_effect.ipynb)" in text
    assert site.gallery({}) == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("forest_pain_intensity", "Forest plot"),
        ("risk_of_bias_summary", "Risk of bias, summary"),
        ("risk_of_bias", "Risk of bias, study by study"),
        ("something_new", "Something new"),
    ],
)
def test_kind_of_a_figure(name, kind):
    assert site.Drawn(name, "words", "headache", "20_pooled_effect").kind[0] == kind


class Page(HTMLParser):
    """What a page has: addresses, headings, ids, pictures, tables outside a scroller."""

    VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr")

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.headings, self.ids = [], [], [], []
        self.without_alt, self.loose_tables, self.open = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        has = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and has.get("src"):
            self.loads.append(has["src"])
        if tag == "link" and has.get("href"):
            self.loads.append(has["href"])
        if tag == "a" and has.get("href"):
            self.links.append(has["href"])
        # The theme repeats the title for paper.
        if re.fullmatch("h[1-6]", tag) and not any("onlyprint" in c for _, c in self.open):
            self.headings.append(int(tag[1]))
        if has.get("id"):
            self.ids.append(has["id"])
        if tag == "img" and not has.get("alt", "").strip():
            self.without_alt.append(has.get("src"))
        if tag == "table" and not any("pst-scrollable-table-container" in c for _, c in self.open):
            self.loose_tables += 1
        if tag not in self.VOID:
            self.open.append((tag, has.get("class") or ""))

    def handle_endtag(self, tag):
        while self.open and any(name == tag for name, _ in self.open):
            if self.open.pop()[0] == tag:
                break


def faults(file, folder):
    page = Page(file.read_text())
    for address in page.loads:
        if re.match(r"(https?:)?//", address):
            yield f"loads {address}"
    for address in [*page.loads, *page.links]:
        if re.match(r"[a-z]+:|#|//", address):
            continue
        target = (file.parent / unquote(re.split("[?#]", address)[0])).resolve()
        if not target.exists():
            yield f"leads nowhere: {address}"
    if page.without_alt:
        yield f"no words for {page.without_alt}"
    if page.loose_tables:
        yield f"{page.loose_tables} tables outside a scroller"
    twice = {name for name in page.ids if page.ids.count(name) > 1}
    if twice:
        yield f"ids twice: {twice}"
    if page.headings[:1] != [1] or page.headings.count(1) != 1:
        yield f"first headings: {page.headings}"
    if any(later > before + 1 for before, later in zip(page.headings, page.headings[1:])):  # noqa: B905
        yield f"a heading is skipped: {page.headings}"


def html_pages(folder):
    return [file for file in sorted(folder.rglob("*.html")) if "_static" not in file.parts]


def test_site_is_built_once_opens_offline_and_survives_a_bad_page(reported, monkeypatch):
    assert site.build_site()
    folder = reported.root / "build" / "site"
    start = (folder / "index.html").read_text()
    assert 'href="indications/headache/index.html"' in start
    page = (folder / "indications/headache/20_pooled_effect.html").read_text()
    assert 'alt="one dot"' in page
    assert "facts for machines" not in page
    assert "<strong>sentence</strong>" in page
    assert '<a href="../../studies/ames2001.html">Ames 2001</a>' in page
    assert "<math" in page
    assert "# default" not in page
    assert not (folder / "_images").exists(), "figures are there once, to show and to take along"
    assert not [*folder.rglob("*.map")]
    assert (folder / "downloads/data/derived/pooled.csv").read_text() == "x\n1\n"
    for name in ("notebooks.zip", "dot.svg"):
        assert (folder / "downloads/headache" / name).is_file()
    pages = html_pages(folder)
    assert len(pages) > 10
    assert {
        file.relative_to(folder).as_posix(): found
        for file in pages
        if (found := [f for f in faults(file, folder) if not _of_the_tiny_project(f)])
    } == {}

    assert not site.build_site()
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    reported.write("docs/methods.md", "# Methods\n\n[broken](nowhere.md)\n")
    with pytest.raises(LdnMetaError, match=r"(?s)the last good one stays.*nowhere"):
        site.build_site()
    assert (folder / "index.html").read_text() == start
    assert "nowhere" not in (folder / "methods/methods.html").read_text()

    # Mended, and put back: a page that is made again among others that are not.
    reported.write("docs/methods.md", "# Methods\n\nOtherwise.\n")
    assert site.build_site()
    assert "Otherwise" in (folder / "methods/methods.html").read_text()
    reported.write("docs/methods.md", "# Methods\n\nAs stated.\n")
    assert site.build_site()
    assert {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()} == before

    # From nothing on request, whatever is there.
    def sphinx(work):
        assert not (work / "doctrees").exists()
        shutil.copytree(folder, work / "html")

    monkeypatch.setattr(site, "_run_sphinx", sphinx)
    assert site.build_site(force=True)


def _of_the_tiny_project(fault):
    """The tiny project has not all the tables that a page of the real one offers."""
    return "leads nowhere" in fault and "downloads/data/" in fault


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("<h1>A</h1><img src='https://x/y.png' alt='y'>", "loads https"),
        ("<h1>A</h1><a href='nowhere.html'>x</a>", "leads nowhere"),
        ("<h1>A</h1><img src='page.html'>", "no words"),
        ("<h1>A</h1><table></table>", "outside a scroller"),
        ("<h1 id='a'>A</h1><p id='a'></p>", "ids twice"),
        ("<h1>A</h1><h3>B</h3>", "a heading is skipped"),
        ("<h2>A</h2>", "first headings"),
    ],
)
def test_the_check_of_pages_finds_what_it_looks_for(tmp_path, page, fault):
    file = tmp_path / "page.html"
    file.write_text(page)
    assert any(fault in found for found in faults(file, tmp_path))


def test_data_dictionary(project):
    project.copy_docs()
    page = dictionary_page().decode()
    assert page.startswith("# Data dictionary\n\nA tiny package.\n")
    assert "Missing cells are never blank: `NR` (not reported)." in page
    assert "| `study_id` | string | Key; key of the table |" in page
    assert "| `status` | string | one of `a`, `b\\|c`; a row of `studies` |" in page


# Names become links where a study is meant, and nowhere else.


LABELS = {
    "younger2009": "Younger & Mackey 2009",
    "younger2009-50mg": "Younger 2009 (50 mg)",
    "younger2013": "Younger 2013",
    "final": "FINAL",
}
STUDY_LINKS = study_links(LABELS, "../../")


def link(key):
    label = LABELS[key].replace("&", "&amp;")
    return f'<a href="../../studies/{key}.html">{label}</a>'


@pytest.mark.parametrize(
    ("cell", "becomes"),
    [
        ("Younger 2013", link("younger2013")),
        ("Younger &amp; Mackey 2009", link("younger2009")),
        ("Younger 2009 (50 mg)", link("younger2009-50mg")),
        ("Younger 2013, FINAL", f"{link('younger2013')}, {link('final')}"),
        ("Younger 2013 (not randomised)", f"{link('younger2013')} (not randomised)"),
        ("pre-FINAL", "pre-FINAL"),
        ("FINALLY", "FINALLY"),
        ("Younger 2013: Abstract (press); no address on file",) * 2,
        ('<a href="https://doi.org/1">Younger 2013: Abstract</a>',) * 2,
        ("0.5", "0.5"),
    ],
)
def test_a_cell(cell, becomes):
    text = f"<table><tr><td>{cell}</td></tr></table>"
    assert f"<td>{becomes}</td>" in STUDY_LINKS.in_html(text)


def test_heads_and_captions_of_tables_stay(tmp_path):
    text = "<p><strong>Younger 2013</strong></p><table><tr><th>FINAL</th></tr></table>"
    shown = STUDY_LINKS.in_html(text)
    assert "studies/" not in shown
    caption = "<table><caption>Younger 2013</caption>"
    assert f'role="group" aria-label="Younger 2013">{caption}' in shown


def test_a_table_of_the_project_with_a_source_keeps_its_own_link():
    import pandas as pd

    frame = pd.DataFrame(
        {"study": ["FINAL"], "source": [linked("FINAL: Abstract", "https://doi.org/1")]}
    )
    shown = STUDY_LINKS.in_html(Table(frame, "Trials")._repr_html_())
    assert re.findall(r'href="([^"]*)"', shown) == [
        "../../studies/final.html", "https://doi.org/1",
    ]  # fmt: skip


def test_words():
    text = "Not in this number: Younger & Mackey 2009 (no usable numbers); FINALLY."
    shown = STUDY_LINKS.in_words(text)
    assert '<a href="../../studies/younger2009.html">Younger & Mackey 2009</a> (no' in shown
    assert shown.endswith("FINALLY.")


def test_without_names_tables_only_scroll():
    text = "<table><tr><td>FINAL</td></tr></table>"
    assert Links({}).in_html(text) == scrolling(text)
    assert Links({}).in_words("FINAL") == "FINAL"


def test_every_table_scrolls_once():
    named = scrolling("<table><caption class='x'>Ours</caption></table>")
    assert 'aria-label="Ours"><table>' in named
    shown = scrolling("<table><tr><td>1</td></tr></table><p>x</p><table></table>")
    assert shown.count("<table") == shown.count('aria-label="Table"') == 2


def test_labels_on_file_are_told_apart():
    studies = load_evidence(validate=False).text["studies"]
    labels = dict(zip(studies["study_id"], studies["label"], strict=True))
    assert len(set(labels.values())) == len(labels)
    found = study_links(labels, "")
    for key, label in labels.items():
        assert found.in_words(label) == f'<a href="studies/{key}.html">{label}</a>'


def test_every_table_that_a_page_offers_is_there():
    offered_files = set(downloads())
    for notebook in TABLES:
        bar = page_bar(notebook, "overview", "")
        offered = re.findall(r'href="(downloads/data/[^"]*)"', bar)
        assert offered
        assert set(offered) <= offered_files, notebook
    assert "downloads/data/raw/datapackage.json" in offered_files


def test_a_picture_that_only_says_there_is_nothing_is_not_offered(reported):
    file = reported.root / "reports/headache/20_pooled_effect.ipynb"
    notebook = json.loads(file.read_text())
    for cell in notebook["cells"]:
        for one in cell.get("outputs", ()):
            if site.figure_label(one).get("figure") == "dot":
                one["metadata"]["ldn-meta"]["is_words_only"] = True
    assert "downloads/headache/dot.png" in downloads()
    file.write_text(json.dumps(notebook))
    assert "downloads/headache/dot.png" not in downloads()


def test_what_pages_load_and_do_not_use_is_left_out(tmp_path):
    styles, icons = tmp_path / "a.css", tmp_path / "_static" / "fontawesome.js"
    icons.parent.mkdir()
    icons.write_text("icons")
    styles.write_text(
        'a{b:c}.fa-x-y{--fa:"x"}.fa-bars,.fa-navicon:not(.no){--fa:"y"}@media print{.gone{d:e}}'
        ":is(.x,.y) b{c:d}.made,.gone{e:f}/* .x{} */@keyframes k{0%{a:b}}"
    )
    (tmp_path / "a.js").write_text('add("made")')
    loaded = (
        '<script src="../searchindex.js"></script><script defer src="a/fontawesome.js?x"></script>'
    )
    page, search = tmp_path / "index.html", tmp_path / "search.html"
    body = '<pre>  a\n  b</pre>\n   <p aria-label="Toggle hidden content">'
    page.write_text(f'<i class="fa-solid fa-bars"></i>\n{loaded}<!-- none -->\n  {body}')
    search.write_text(loaded)
    site.lighten(tmp_path)
    assert not icons.exists()
    kept = 'a{b:c}.fa-bars{--fa:"y"}:is(.x,.y) b{c:d}.made{e:f}@keyframes k{0%{a:b}}'
    assert styles.read_text() == kept
    body = "<pre>  a\n  b</pre>\n<p>"
    assert page.read_text() == f'<i class="fa-solid fa-bars"></i>\n{body}'
    assert search.read_text() == '<script src="../searchindex.js"></script>'


def test_every_figure_on_file_is_offered_in_its_formats():
    figures = {name for name in downloads() if re.fullmatch(r"[^.]*\.(?:png|svg)", name)}
    assert len(figures) > 20
    for name in sorted(figures)[:4]:
        _, report, file = name.split("/")
        bar = figure_bar(file[:-4], report, "../")
        assert f'href="../{name}"' in bar
        assert bar.count("<a ") >= len(FORMATS)


@pytest.mark.parametrize(
    ("facts", "words"),
    cases("directions_in_words"),
)
def test_directions_in_words(facts, words):
    review = Review("LDN", "low-dose naltrexone", "naltrexone")
    assert direction_in_words(facts, review) == words


# How the explore page gets into the site, and what it links to there.


LINK = '<a href="explore.html">'


@pytest.fixture
def no_study_pages(project, monkeypatch):
    """Pages of studies need the tables of a whole project."""
    project.copy_docs()
    monkeypatch.setattr(site, "study_sources", lambda known: ({}, {}))
    return project


def test_without_derived_tables_there_is_neither_page_nor_link(no_study_pages, tmp_path):
    assert not site.write_explore(tmp_path)
    assert not (tmp_path / "explore.html").exists()
    assert LINK not in site.pages()["index.md"].decode()


def test_with_derived_tables_there_are_both(no_study_pages, tmp_path, monkeypatch):
    no_study_pages.write("data/derived/manifest.json", "{}")
    given = []

    def page(*, study_pages):
        given.append(study_pages)
        return "a page"

    monkeypatch.setattr(site, "explore_page", page)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "ames2001.html").write_text("a study")
    assert site.write_explore(tmp_path)
    assert (tmp_path / "explore.html").read_text() == "a page"
    assert given == [{"ames2001": "studies/ames2001.html"}]
    assert LINK in site.pages()["index.md"].decode()


def test_stale_tables_are_not_explored(no_study_pages, tmp_path):
    no_study_pages.write("data/derived/manifest.json", "{}")
    with pytest.raises(StaleError, match="make data"):
        site.write_explore(tmp_path)


def test_each_forest_plot_has_its_rows_and_a_picture_for_print():
    made = site.made_to_take_along()
    name = "downloads/fibromyalgia/forest_pain_intensity.png"
    image = Image.open(io.BytesIO(made[name]))
    assert round(image.info["dpi"][0]) == 300
    assert name in downloads()
    bar = figure_bar("forest_pain_intensity", "fibromyalgia", "../")
    offered = re.findall(r'href="../(downloads/[^"]*)"', bar)
    assert [one.rpartition(".")[2] for one in offered] == ["png", "svg", "pdf", "csv", "R"]
    assert set(offered) <= {*made, *downloads()}
    rows = made[offered[3]].decode().splitlines()
    assert len(rows) == 3
    assert offered[3].rpartition("/")[2] in made[offered[4]].decode()
    assert (
        zipfile.ZipFile(io.BytesIO(made["downloads/fibromyalgia/notebooks.zip"])).testzip() is None
    )
    assert not site.forest_rows("risk_of_bias", "fibromyalgia")
    for one in reported_indications():
        for form in site.report_forms():
            assert f"downloads/{one}/{one}.{form}" in made
    assert site.report_forms()
