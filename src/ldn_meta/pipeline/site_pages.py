"""The pages of the site as Sphinx reads them: Markdown, and notebooks with folded code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.pipeline import explore
from ldn_meta.pipeline.data_dictionary import dictionary_page
from ldn_meta.pipeline.normalise_notebook import INJECTED_TAG
from ldn_meta.pipeline.parameters import OVERVIEW, reported_indications
from ldn_meta.pipeline.readme import ANSWERED_BY, Answer, answers_block, read_answers
from ldn_meta.pipeline.templates import PARAMETERS_TAG

# A cell that is hidden or removed already says how by one of these.
_FOLDED = ("hide-", "remove-")
# HTML: the page is none of Sphinx's, which would look for it among its own.
_EXPLORE = (
    f'<a href="{explore.PAGE}">Explore</a>: leave a trial out or choose another method, and see '
    "what the answer would be."
)


def pages() -> dict[str, bytes]:
    """Make every page from the reports at hand.

    Returns
    -------
    dict of str to bytes
        Sources by path below the folder that Sphinx reads.
    """
    answers = {answer.indication: answer for answer in read_answers()}
    found: dict[str, bytes] = {}
    indications = []
    for indication, row in reported_indications().items():
        notebooks = _notebooks(paths.reports() / indication)
        if not notebooks:
            continue
        folder = f"indications/{indication}"
        indications.append(f"{folder}/index")
        index = _indication_page(row, answers.get(indication), notebooks)
        found[f"{folder}/index.md"] = index.encode()
        found |= {f"{folder}/{file.name}": page_notebook(file.read_bytes()) for file in notebooks}
    overview = _notebooks(paths.reports() / OVERVIEW)
    found |= {f"{OVERVIEW}/{file.name}": page_notebook(file.read_bytes()) for file in overview}
    methods = sorted((paths.project_root() / "docs").glob("*.md"))
    found |= {f"methods/{file.name}": file.read_bytes() for file in methods}
    found["data_dictionary.md"] = dictionary_page().encode()
    contents = {
        "Indications": indications,
        "Across indications": [_short(file, OVERVIEW) for file in overview],
        "How it was made": [*(f"methods/{file.stem}" for file in methods), "data_dictionary"],
    }
    found["index.md"] = _start_page(list(answers.values()), contents).encode()
    return found


def page_notebook(data: bytes) -> bytes:
    """Prepare an executed notebook for the site; the committed copy shows everything.

    Code is folded, the default parameters give way to the effective ones, facts for machines
    go, and figures get their alternative text.

    Parameters
    ----------
    data : bytes
        The executed notebook.

    Returns
    -------
    bytes
    """
    notebook = json.loads(data)
    is_injected = any(INJECTED_TAG in _tags(cell) for cell in notebook["cells"])
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        tags = _tags(cell)
        if is_injected and PARAMETERS_TAG in tags:
            tags.append("remove-cell")
        if not any(tag.startswith(_FOLDED) for tag in tags):
            tags.append("hide-input")
        cell["metadata"]["tags"] = tags
        cell["outputs"] = [output for output in cell["outputs"] if _is_for_people(output)]
        alts = [_alternative_text(output) for output in cell["outputs"]]
        words = "; ".join(alt for alt in alts if alt)
        if words:
            cell["metadata"]["mystnb"] = {"image": {"alt": words}}
    return json.dumps(notebook, sort_keys=True).encode()


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def _is_for_people(output: dict[str, Any]) -> bool:
    """Take the facts out of an output, in place; say whether anything is left to look at."""
    if "data" not in output:
        return True
    was_facts = output["data"].pop(FACTS_MIME, None) is not None
    return bool(output["data"]) and not (was_facts and set(output["data"]) == {"text/plain"})


def _alternative_text(output: Mapping[str, Any]) -> str:
    return str(output.get("metadata", {}).get("ldn-meta", {}).get("alt", ""))


def _notebooks(report: Path) -> list[Path]:
    return sorted(report.glob("*.ipynb"))


def _short(notebook: Path, folder: str = "") -> str:
    """Entry of a list of contents: the sidebar has no room for a question."""
    words = notebook.stem.lstrip("0123456789_").replace("_", " ")
    return f"{words.capitalize()} <{folder}{'/' if folder else ''}{notebook.stem}>"


def _indication_page(row: Mapping[str, str], answer: Answer | None, notebooks: list[Path]) -> str:
    label = row["label"]
    parts = [f"# {label[:1].upper()}{label[1:]}", f"**{row['question']}**"]
    if answer is not None:
        parts.append(answer.sentence)
    return "\n\n".join([*parts, _contents("", map(_short, notebooks))]) + "\n"


def _start_page(answers: list[Answer], contents: Mapping[str, list[str]]) -> str:
    block = answers_block(
        answers, lambda answer: f"indications/{answer.indication}/{ANSWERED_BY}.ipynb"
    )
    parts = [
        "# Low-dose naltrexone: the evidence",
        "What published trials say, one row for each condition. The first column leads to the "
        "whole answer: which trials, how they were put together, what would change it, and "
        "what was left out.",
        block,
        *([_EXPLORE] if explore.has_data() else []),
        "This is research software and no medical advice. The trials were found by a targeted "
        "look-up, not by a systematic search with two reviewers.",
        *(_contents(caption, entries) for caption, entries in contents.items() if entries),
    ]
    return "\n\n".join(parts) + "\n"


def _contents(caption: str, entries: Iterable[str]) -> str:
    options = [":maxdepth: 2", *([f":caption: {caption}", ":hidden:"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *entries, "```"])
