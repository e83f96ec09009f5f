"""The reports as pages that open without a network: Sphinx, MyST-NB, sphinx-book-theme."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.errors import LdnMetaError
from ldn_meta.files import (
    exclusive_writer,
    json_sha256,
    lock_sha256,
    replace_folder,
    restore_folder,
    source_sha256,
    tree_sha256,
    write_whole,
)
from ldn_meta.pipeline.notebooks import (
    INJECTED_TAG,
    OVERVIEW,
    PARAMETERS_TAG,
    reported_indications,
)
from ldn_meta.pipeline.readme import read_answers
from ldn_meta.pipeline.site_pages import (
    GALLERY,
    dictionary_page,
    figure_label,
    gallery,
    hidden_contents,
    indication_page,
    short_name,
    start_page,
    study_sources,
    told,
    write_explore,
)
from ldn_meta.pipeline.site_parts import (
    STUDIES,
    Links,
    data_bar,
    downloads,
    figure_bar,
    page_bar,
    study_links,
)

# A cell that is hidden or removed already says how by one of these.
_FOLDED = ("hide-", "remove-")
# What the site links study by study: output type -> how.
_HTML, _WORDS = "text/html", "text/markdown"


def page_notebook(file: Path, *, up: str, links: Links) -> bytes:
    """Prepare an executed notebook for readers.

    Code is folded, the default parameters give way to the effective ones, facts for machines
    go, figures get their alternative text and links to their files, names of studies lead to
    the pages of the studies, tables scroll by themselves, and the end offers the notebook and
    its data.
    """
    notebook = json.loads(file.read_bytes())
    report = file.parent.name
    is_injected = any(INJECTED_TAG in _tags(cell) for cell in notebook["cells"])
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        _fold(cell, is_injected=is_injected)
        cell["outputs"] = [output for output in cell["outputs"] if _is_for_people(output)]
        labels = [label for output in cell["outputs"] if (label := figure_label(output))]
        if labels:
            words = "; ".join(label["alt"] for label in labels)
            cell["metadata"]["mystnb"] = {"image": {"alt": words}}
        for output in cell["outputs"]:
            _link(output, links)
        cells += [_markup(figure_bar(label["figure"], report, up)) for label in labels]
    cells.append(_markup(page_bar(file.stem, report, up)))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    return json.dumps({**notebook, "cells": cells}, sort_keys=True).encode()


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def _fold(cell: dict[str, Any], *, is_injected: bool) -> None:
    tags = _tags(cell)
    if is_injected and PARAMETERS_TAG in tags:
        tags.append("remove-cell")
    if not any(tag.startswith(_FOLDED) for tag in tags):
        tags.append("hide-input")
    cell["metadata"]["tags"] = tags


def _is_for_people(output: dict[str, Any]) -> bool:
    """Take the facts out of an output, in place; say whether anything is left to look at."""
    if "data" not in output:
        return True
    was_facts = output["data"].pop(FACTS_MIME, None) is not None
    return bool(output["data"]) and not (was_facts and set(output["data"]) == {"text/plain"})


def _link(output: dict[str, Any], links: Links) -> None:
    for kind, linked in ((_HTML, links.in_html), (_WORDS, links.in_words)):
        if kind in output.get("data", {}):
            output["data"][kind] = linked("".join(output["data"][kind]))


def _markup(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


DOWNLOADS, DICTIONARY = "downloads", "data_dictionary"


def pages() -> dict[str, bytes]:
    """Make every page from the reports and tables at hand."""
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


# What Sphinx leaves for itself.
_NO_PAGES = (".buildinfo*", "_sources", "objects.inv")
_ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": "1577836800",  # the moment Sphinx writes instead of the clock's
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "",
    "TZ": "UTC",
}


def build_site(*, force: bool = False) -> bool:
    """Build ``build/site`` if anything it shows changed."""
    with exclusive_writer():
        site = paths.build() / "site"
        restore_folder(site)
        key = _key()
        record = paths.build() / "stale" / "site.key"
        is_same = record.is_file() and record.read_text() == key
        if is_same and (site / "index.html").is_file() and not force:
            return False
        work = paths.build() / "sphinx"
        if force:
            shutil.rmtree(work, ignore_errors=True)
        _write_sources(work / "source", pages())
        _run_sphinx(work)
        staged = paths.build() / "staging" / "site"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(work / "html", staged, ignore=shutil.ignore_patterns(*_NO_PAGES))
        for name, file in downloads().items():
            write_whole(staged / name, file.read_bytes())
        write_explore(staged)
        replace_folder(staged, site)
        write_whole(record, key.encode())
    return True


def _key() -> str:
    """Hash everything the pages show and everything that makes them."""
    root = paths.project_root()
    shown = [
        file
        for folder in (paths.reports(), paths.raw_data(), paths.derived_data(), root / "docs")
        for file in folder.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(root).parts)
    ]
    return json_sha256(
        {
            "shown": tree_sha256(root, shown),
            "source": source_sha256(),
            "lock": lock_sha256(),
            "python": sys.version,
        }
    )


def _write_sources(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Write what changed and remove what is no page any more, so that Sphinx redoes little."""
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        if file.relative_to(folder).as_posix() not in wanted:
            file.unlink()
    for name, data in wanted.items():
        write_whole(folder / name, data)


def _run_sphinx(work: Path) -> None:
    settings = paths.project_root() / "docs"
    folders = ("-c", settings, "-d", work / "doctrees", work / "source", work / "html")
    # -a writes every page: the sidebar of each shows the titles of all. Nothing older lies there,
    # or addresses of style sheets would tell a second build from a first.
    shutil.rmtree(work / "html", ignore_errors=True)
    sphinx = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-a", "-b", "html")
    command = [*sphinx, *map(str, folders)]
    done = subprocess.run(
        command, env={**os.environ, **_ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        # Pages that warned count as done for Sphinx; it must look at them again next time.
        shutil.rmtree(work / "doctrees", ignore_errors=True)
        reason = (done.stderr or done.stdout).strip()
        message = f"the site was not built, the last good one stays in build/site:\n{reason}"
        raise LdnMetaError(message)
