"""Every sentence of every page, in files that a person reads as a diff (`make golden`)."""

import ast
import inspect
import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "notebooks" / "parameters.toml").read_text(encoding="utf-8"))
# Page 92 takes twelve seconds; its own test holds each number of its sentences against the facts.
OVERVIEW = [name for name in SETTINGS["notebooks"]["once"] if name != "92_dose"]
PAGES = dict.fromkeys(SETTINGS["indications"], SETTINGS["notebooks"]["per_indication"]) | {
    "overview": OVERVIEW
}


def code_of(notebook):
    """Syntax trees of a template's code cells."""
    text = (ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return [ast.parse("".join(cell["source"])) for cell in cells]


def run(statements, scope):
    # The project's own templates, cell by cell, as a kernel would run them.
    exec(compile(ast.Module(statements, type_ignores=[]), "template", "exec"), scope)  # noqa: S102


def opened(notebook, target):
    """The page object of a notebook and the names that its cells show, in their order."""
    parameters, opening, *shown = code_of(notebook)
    scope = {}
    run(parameters.body, scope)
    changed = {"indication": target} | SETTINGS["indications"].get(target, {})
    scope |= {name: value for name, value in changed.items() if name in scope}
    run(opening.body[:-1], scope)
    last = [tree.body[-1].value for tree in (opening, *shown)]
    return scope["page"], [cell.attr for cell in last if isinstance(cell, ast.Attribute)]


def is_text(page, name):
    """Whether an attribute is words: told by its declaration, so that no figure is drawn."""
    found = inspect.getattr_static(type(page), name, None)
    maker = getattr(found, "fget", None) or getattr(found, "func", None)
    return maker is not None and maker.__annotations__.get("return", "").startswith("Text")


@pytest.mark.parametrize("target", PAGES)
def test_sentences_are_as_reviewed(golden, target):
    parts = [f"# {target}"]
    for notebook in PAGES[target]:
        page, names = opened(notebook, target)
        words = [name for name in names if is_text(page, name)]
        assert "headline" in words
        for name in words:
            # A sentence a line: a diff shows the sentence that changed.
            said = getattr(page, name)
            if said is None or not str(said):
                continue
            text = re.sub(r"(?<=[.?!]) (?=[A-Z0-9])", "\n", str(said))
            parts.append(f"## {notebook}: {name}\n\n{text.strip()}")
    golden(f"{target}.md", "\n\n".join(parts) + "\n")


def test_every_golden_file_has_its_pages():
    assert {file.stem for file in (ROOT / "tests" / "golden").iterdir()} == set(PAGES)
