"""The pages of the site as Sphinx reads them: which there are, and in which order."""

from __future__ import annotations

from pathlib import Path

from ldn_meta import paths
from ldn_meta.pipeline.data_dictionary import dictionary_page
from ldn_meta.pipeline.parameters import OVERVIEW, reported_indications
from ldn_meta.pipeline.readme import read_answers
from ldn_meta.pipeline.site_downloads import data_bar
from ldn_meta.pipeline.site_gallery import GALLERY, gallery
from ldn_meta.pipeline.site_links import STUDIES, study_links
from ldn_meta.pipeline.site_notebook import page_notebook
from ldn_meta.pipeline.site_start import (
    hidden_contents,
    indication_page,
    short_name,
    start_page,
    told,
)
from ldn_meta.pipeline.site_studies import study_sources

DOWNLOADS, DICTIONARY = "downloads", "data_dictionary"


def pages() -> dict[str, bytes]:
    """Make every page from the reports and tables at hand.

    Returns
    -------
    dict of str to bytes
        Sources by path below the folder that Sphinx reads.

    Raises
    ------
    StaleError
        If data/derived was not made from data/raw, or a report has no complete answer.
    """
    reports = {name: _notebooks(name) for name in [*reported_indications(), OVERVIEW]}
    folders = {name: _folder(name) for name, notebooks in reports.items() if notebooks}
    known = [f"{folder}/{file.stem}" for name, folder in folders.items() for file in reports[name]]
    labels, found = study_sources(known)
    for name, folder in folders.items():
        up = "../" * (folder.count("/") + 1)
        links = study_links(labels, up)
        for file in reports[name]:
            found[f"{folder}/{file.name}"] = page_notebook(file, up=up, links=links)
    answers = {
        answer.indication: told(answer, reports[answer.indication]) for answer in read_answers()
    }
    for name, row in reported_indications().items():
        if name not in folders:
            continue
        sidebar = hidden_contents("", map(_entry, reports[name]))
        found[f"{folders[name]}/index.md"] = indication_page(
            row, answers.get(name), reports[name], study_links(labels, "../../"), sidebar
        ).encode()
    methods = sorted((paths.project_root() / "docs").glob("*.md"))
    found |= {f"methods/{file.name}": file.read_bytes() for file in methods}
    found[f"{DICTIONARY}.md"] = dictionary_page().encode()
    found[f"{DOWNLOADS}.md"] = _downloads_page().encode()
    found |= gallery(folders)
    contents = {
        "Indications": [f"{folders[n]}/index" for n in reported_indications() if n in folders],
        "Across indications": [_entry(file, f"{OVERVIEW}/") for file in reports[OVERVIEW]],
        "Look up": [
            name
            for name in (f"{STUDIES}/index", GALLERY, DICTIONARY, DOWNLOADS)
            if f"{name}.md" in found
        ],
        "How it was made": [f"methods/{file.stem}" for file in methods],
    }
    sidebar = "\n\n".join(
        hidden_contents(caption, entries) for caption, entries in contents.items() if entries
    )
    start = start_page(list(answers.values()), study_links(labels, ""), sidebar)
    found["index.md"] = start.encode()
    return found


def _notebooks(report: str) -> list[Path]:
    return sorted((paths.reports() / report).glob("*.ipynb"))


def _folder(report: str) -> str:
    return OVERVIEW if report == OVERVIEW else f"indications/{report}"


def _entry(notebook: Path, folder: str = "") -> str:
    """Entry of a list of contents: the sidebar has no room for a question."""
    return f"{short_name(notebook)} <{folder}{notebook.stem}>"


def _downloads_page() -> str:
    bars = [f"```{{raw}} html\n{data_bar(folder, '')}\n```" for folder in ("derived", "raw")]
    return "\n\n".join(
        [
            "# Tables and files",
            "Every table is CSV: UTF-8, comma, one row a line; NR not reported, NA not "
            "applicable, TODO not extracted yet. The licence is CC BY 4.0; please also cite the "
            "trials whose numbers you use.",
            "## Computed tables",
            bars[0],
            "## Raw tables, typed by people",
            bars[1],
            "What each column means: [data dictionary](data_dictionary.md). Figures and "
            "notebooks are offered on the pages that show them.",
            "",
        ]
    )
