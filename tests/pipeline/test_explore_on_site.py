"""How the explore page gets into the site, and what it links to there."""

import pytest

from ldn_meta.errors import StaleError
from ldn_meta.pipeline import site as site_pages
from ldn_meta.pipeline import site_pages as explore

LINK = '<a href="explore.html">'


@pytest.fixture(autouse=True)
def no_study_pages(monkeypatch):
    """Pages of studies need the tables of a whole project."""
    monkeypatch.setattr(site_pages, "study_sources", lambda known: ({}, {}))


def test_without_derived_tables_there_is_neither_page_nor_link(project, tmp_path):
    assert not explore.write_explore(tmp_path)
    assert not (tmp_path / "explore.html").exists()
    assert LINK not in site_pages.pages()["index.md"].decode()


def test_with_derived_tables_there_are_both(project, tmp_path, monkeypatch):
    project.write("data/derived/manifest.json", "{}")
    given = []

    def page(*, study_pages):
        given.append(study_pages)
        return "a page"

    monkeypatch.setattr(explore, "explore_page", page)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "ames2001.html").write_text("a study")
    assert explore.write_explore(tmp_path)
    assert (tmp_path / "explore.html").read_text() == "a page"
    assert given == [{"ames2001": "studies/ames2001.html"}]
    assert LINK in site_pages.pages()["index.md"].decode()


def test_stale_tables_are_not_explored(project, tmp_path):
    project.write("data/derived/manifest.json", "{}")
    with pytest.raises(StaleError, match="make data"):
        explore.write_explore(tmp_path)
