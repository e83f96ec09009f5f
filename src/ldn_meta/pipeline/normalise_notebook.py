"""Executed notebooks as the repository keeps them: the same bytes wherever they were run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ldn_meta import paths
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.errors import NotebookError
from ldn_meta.pipeline.digits import rounded

INJECTED_TAG = "injected-parameters"
TITLE_TAG = "title"

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}")
_CELL_FILE = re.compile(r"[^\s\"']*/ipykernel_\d+/\d+\.py")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FIELD = re.compile(r"\{(\w+)\}")


def fill_titles(notebook: Any, fields: Mapping[str, str], *, name: str) -> None:
    """Put the indication into the cells tagged ``title``, in place.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A template.
    fields : mapping of str to str
        What ``{label}`` and the like stand for.
    name : str
        The notebook, for the error message.

    Raises
    ------
    NotebookError
        If a title asks for a field that does not exist.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return fields[match[1]]
        except KeyError:
            message = (
                f"{name}: the title asks for {match[0]}; "
                f"fields are {', '.join(fields) or 'none (this notebook runs once)'}"
            )
            raise NotebookError(message) from None

    for cell in notebook["cells"]:
        if TITLE_TAG in cell["metadata"].get("tags", []):
            cell["source"] = _FIELD.sub(value, cell["source"])


def normalise(notebook: Any) -> str:
    """Remove from an executed notebook what differs between two runs, in place.

    Run times, random cell ids, memory addresses, temporary file names, the place of the
    checkout, the version of Python, the chunks in which printed text arrived, and everything
    written to stderr (it arrives between the other outputs in no fixed order).

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As papermill returns it.

    Returns
    -------
    str
        What was written to stderr, for the log.
    """
    stamp = notebook["metadata"].get("papermill", {})
    notebook["metadata"] = type(notebook)(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={
            "file_extension": ".py",
            "mimetype": "text/x-python",
            "name": "python",
            "pygments_lexer": "ipython3",
        },
        papermill={"parameters": stamp.get("parameters", {}), "version": stamp.get("version")},
    )
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    stderr: list[str] = []
    for position, cell in enumerate(notebook["cells"]):
        _normalise_cell(cell, position)
        if cell["cell_type"] == "code":
            cell["outputs"] = _normalised_outputs(cell["outputs"], stderr)
    return "".join(stderr)


def _normalise_cell(cell: Any, position: int) -> None:
    for name in ("execution", "papermill"):
        cell["metadata"].pop(name, None)
    tags = cell["metadata"].get("tags", [])
    if not tags:
        cell["metadata"].pop("tags", None)
    if INJECTED_TAG in tags:
        cell["id"] = INJECTED_TAG
    elif any(tag.startswith("papermill-error") for tag in tags) or "id" not in cell:
        cell["id"] = f"cell-{position}"


def _normalised_outputs(outputs: Iterable[Any], stderr: list[str]) -> list[Any]:
    kept: list[Any] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream" and output["name"] == "stderr":
            stderr.append(output["text"])
        elif kind == "stream" and kept and kept[-1]["output_type"] == "stream":
            kept[-1]["text"] += output["text"]
        else:
            kept.append(output)
    clean = _cleaner()
    for output in kept:
        if output["output_type"] == "stream":
            output["text"] = clean(output["text"])
        elif output["output_type"] == "error":
            # Tracebacks stand in failed notebooks only, which are looked at on screen.
            output["traceback"] = [_COLOUR.sub("", clean(line)) for line in output["traceback"]]
        else:
            for mime, content in output["data"].items():
                if mime.startswith("text/"):
                    output["data"][mime] = clean(content)
                elif mime == FACTS_MIME:
                    output["data"][mime] = rounded(content)
    return kept


def _cleaner() -> Callable[[str], str]:
    """Return a function that removes addresses and places from text."""
    root = f"{paths.project_root()}/"

    def clean(text: str) -> str:
        text = _CELL_FILE.sub("<cell>", text)
        return _ADDRESS.sub("", text.replace(root, ""))

    return clean
