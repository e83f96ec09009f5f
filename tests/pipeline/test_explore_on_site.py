"""How the explore page gets into the site, and what it links to there."""

import pytest

from ldn_meta.errors import StaleError
from ldn_meta.pipeline import site

LINK = '<a href="explore.html">'


@pytest.fixture(autouse=True)
def no_study_pages(project, monkeypatch):
    """Pages of studies need the tables of a whole project."""
    project.copy_docs()
    monkeypatch.setattr(site, "study_sources", lambda known: ({}, {}))


def test_without_derived_tables_there_is_neither_page_nor_link(project, tmp_path):
    assert not site.write_explore(tmp_path)
    assert not (tmp_path / "explore.html").exists()
    assert LINK not in site.pages()["index.md"].decode()


def test_with_derived_tables_there_are_both(project, tmp_path, monkeypatch):
    project.write("data/derived/manifest.json", "{}")
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


def test_stale_tables_are_not_explored(project, tmp_path):
    project.write("data/derived/manifest.json", "{}")
    with pytest.raises(StaleError, match="make data"):
        site.write_explore(tmp_path)
