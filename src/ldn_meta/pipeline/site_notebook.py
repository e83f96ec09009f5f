"""An executed notebook as a page of the site; the committed copy stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.pipeline.normalise_notebook import INJECTED_TAG
from ldn_meta.pipeline.site_downloads import figure_bar, page_bar
from ldn_meta.pipeline.site_gallery import figure_label
from ldn_meta.pipeline.site_links import Links
from ldn_meta.pipeline.templates import PARAMETERS_TAG

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

    Parameters
    ----------
    file : Path
        The executed notebook, in the folder of its report.
    up : str
        Way from the page to the top of the site: ``"../../"``.
    links : Links
        From the folder of the page.

    Returns
    -------
    bytes
        The notebook that Sphinx reads.
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
