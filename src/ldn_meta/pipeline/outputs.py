"""What an executed notebook hands on besides its page: facts and figures."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.errors import NotebookError

FIGURES = "figures"
_PNG, _SVG = "image/png", "image/svg+xml"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Outputs:
    """What was found in one notebook.

    Attributes
    ----------
    facts : dict of str to Any
        All facts, merged.
    figures : dict of str to bytes
        Files by path below the folder of the report: ``figures/forest.png``.
    """

    facts: dict[str, Any]
    figures: dict[str, bytes]


def take_outputs(notebook: Any, *, name: str) -> Outputs:
    """Collect facts and figures; the SVG of a figure leaves the notebook, in place.

    GitHub does not show SVG in notebooks, so the PNG stays; both become files.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A normalised notebook.
    name : str
        The notebook, for error messages.

    Returns
    -------
    Outputs

    Raises
    ------
    NotebookError
        If one fact has two values, or a figure has a bad or repeated name, no alternative
        text, or no PNG.
    """
    facts: dict[str, Any] = {}
    figures: dict[str, bytes] = {}
    for output in _displayed(notebook):
        for key, value in output["data"].get(FACTS_MIME, {}).items():
            if key in facts and facts[key] != value:
                message = f"{name}: fact {key!r} has two values: {facts[key]!r} and {value!r}"
                raise NotebookError(message)
            facts[key] = value
        label = output["metadata"].get("ldn-meta", {})
        if "figure" in label:
            for file, content in _take_figure(output, label, name).items():
                if file in figures:
                    raise NotebookError(f"{name}: two figures are called {label['figure']!r}")
                figures[file] = content
    return Outputs(facts, figures)


def facts_bytes(facts: dict[str, Any]) -> bytes:
    """Write facts as the repository keeps them: sorted, indented, final newline."""
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _displayed(notebook: Any) -> Iterator[Any]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "data" in output:
                yield output


def _take_figure(output: Any, label: Any, name: str) -> dict[str, bytes]:
    figure, alt = str(label["figure"]), str(label.get("alt", "")).strip()
    if not _NAME.fullmatch(figure):
        message = f"{name}: figure {figure!r} is not named in small letters, digits, '-' and '_'"
        raise NotebookError(message)
    if not alt:
        raise NotebookError(f"{name}: figure {figure!r} has no alternative text")
    if _PNG not in output["data"]:
        raise NotebookError(f"{name}: figure {figure!r} has no PNG, which GitHub needs")
    # Where Jupyter looks for the alternative text of an image.
    output["metadata"].setdefault(_PNG, {})["alt"] = alt
    files = {f"{FIGURES}/{figure}.png": base64.b64decode(output["data"][_PNG])}
    if _SVG in output["data"]:
        files[f"{FIGURES}/{figure}.svg"] = output["data"].pop(_SVG).encode()
    return files
