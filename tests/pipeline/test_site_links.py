"""Names become links where a study is meant, and nowhere else."""

import re

import pytest

from ldn_meta.display.outputs import Table, linked
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.review import Review
from ldn_meta.pipeline.site import (
    FORMATS,
    TABLES,
    Links,
    as_paragraph,
    direction_in_words,
    downloads,
    figure_bar,
    page_bar,
    scrolling,
    study_links,
)

LABELS = {
    "younger2009": "Younger & Mackey 2009",
    "younger2009-50mg": "Younger 2009 (50 mg)",
    "younger2013": "Younger 2013",
    "final": "FINAL",
}
LINKS = study_links(LABELS, "../../")


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
    assert f"<td>{becomes}</td>" in LINKS.in_html(text)


def test_heads_and_captions_of_tables_stay(tmp_path):
    text = "<p><strong>Younger 2013</strong></p><table><tr><th>FINAL</th></tr></table>"
    shown = LINKS.in_html(text)
    assert "studies/" not in shown
    assert 'role="region" aria-label="Younger 2013"><table>' in shown


def test_a_table_of_the_project_with_a_source_keeps_its_own_link():
    import pandas as pd

    frame = pd.DataFrame(
        {"study": ["FINAL"], "source": [linked("FINAL: Abstract", "https://doi.org/1")]}
    )
    shown = LINKS.in_html(Table(frame, "Trials")._repr_html_())
    assert re.findall(r'href="([^"]*)"', shown) == [
        "../../studies/final.html", "https://doi.org/1",
    ]  # fmt: skip


def test_words():
    text = "Not in this number: Younger & Mackey 2009 (no usable numbers); FINALLY."
    shown = LINKS.in_words(text)
    assert '<a href="../../studies/younger2009.html">Younger & Mackey 2009</a> (no' in shown
    assert shown.endswith("FINALLY.")


def test_without_names_tables_only_scroll():
    text = "<table><tr><td>FINAL</td></tr></table>"
    assert Links({}).in_html(text) == scrolling(text)
    assert Links({}).in_words("FINAL") == "FINAL"


def test_every_table_scrolls_once():
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
    files = set(downloads())
    for notebook in TABLES:
        bar = page_bar(notebook, "overview", "")
        offered = re.findall(r'href="(downloads/data/[^"]*)"', bar)
        assert offered
        assert set(offered) <= files, notebook
    assert "downloads/data/raw/datapackage.json" in files


def test_every_figure_on_file_is_offered_in_its_formats():
    files = downloads()
    figures = {name for name in files if name.endswith((".png", ".svg"))}
    assert len(figures) > 20
    for name in sorted(figures)[:4]:
        _, report, file = name.split("/")
        bar = figure_bar(file[:-4], report, "../")
        assert f'href="../{name}"' in bar
        assert bar.count("<a ") == len(FORMATS)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"direction": "favours treatment", "synthesis": "meta-analysis"}, "Favours naltrexone"),
        (
            {"direction": "favours treatment", "synthesis": "one trial"},
            "Favours naltrexone (one trial)",
        ),
        (
            {"direction": "partly favours treatment", "synthesis": "direction only"},
            "Partly favours naltrexone (told without usable numbers)",
        ),
        (
            {"direction": "not stated", "synthesis": "no comparison group"},
            "Not known (no comparison group)",
        ),
        (
            {"direction": "either way", "synthesis": "meta-analysis"},
            "Not shown either way: the interval includes no difference",
        ),
        ({}, "Not known"),
    ],
)
def test_directions_in_words(facts, words):
    review = Review("LDN", "low-dose naltrexone", "naltrexone")
    assert direction_in_words(facts, review) == words


def test_a_list_becomes_a_paragraph():
    assert as_paragraph("- One.\n- Two - three.\n\n") == "One. Two - three."
    assert as_paragraph("") == ""
