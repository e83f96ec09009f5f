"""The explore page: one HTML file with data, style and scripts that asks nothing of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.pipeline import publish

PAGE = "explore.html"
# In the order in which each needs the ones before it.
SCRIPTS = (
    *("distributions", "tau2", "pooling", "selection", "analysis", "fragment"),
    *("wording", "axis", "sentence", "rows", "forest", "explore"),
)


def has_data() -> bool:
    """Whether there are derived tables to explore."""
    return (paths.derived_data() / "manifest.json").is_file()


def write_explore(site: Path) -> bool:
    """Write the explore page into a folder of finished pages.

    Parameters
    ----------
    site : Path
        Study pages that are in it (``studies/<study_id>.html``) are linked.

    Returns
    -------
    bool
        Whether there is a page: without derived tables there is none.

    Raises
    ------
    ldn_meta.errors.StaleError
        If the derived tables do not belong to the raw ones.
    """
    if not has_data():
        return False
    studies = (site / "studies").glob("*.html")
    links = {file.stem: f"studies/{file.name}" for file in sorted(studies)}
    publish.write_whole(site / PAGE, explore_page(study_pages=links).encode())
    return True


def explore_page(*, study_pages: dict[str, str] | None = None) -> str:
    """Put the page together.

    Parameters
    ----------
    study_pages : dict of str to str, optional
        Address of the page of each study that has one.

    Returns
    -------
    str
        HTML.
    """
    from ldn_meta.display.pages.explore_table import answers_html, explore_words
    from ldn_meta.evidence.derived import load_derived
    from ldn_meta.evidence.explored import explored

    derived = load_derived()
    found = explored(derived.evidence, derived.protocol)
    data = {**found, "words": explore_words(), "study_pages": study_pages or {}}
    folder = paths.project_root() / "docs" / "explore"
    parts = {
        "style": _text(folder / "explore.css"),
        "table": answers_html(found, derived.pooled),
        "data": script_json(data),
        "scripts": "\n".join(_text(folder / f"{name}.js") for name in SCRIPTS),
    }
    page = _text(folder / "page.html")
    for name, text in parts.items():
        # What is put in may hold the mark of a later part only if somebody writes it on purpose.
        before, _, after = page.partition(f"@@{name}@@")
        page = f"{before}{text}{after}"
    return page + "\n"


def script_json(data: Any) -> str:
    """Write JSON that cannot end the element it stands in, whatever its texts hold."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").rstrip("\n")
