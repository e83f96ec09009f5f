"""Templates hold no logic, no typed numbers, no hidden state: a style test reads every cell."""

import ast
import json
import re
from pathlib import Path

import pytest

from ldn_meta.evidence.raw.selection import CHOICES, PAGE_SECTIONS

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
FORBIDDEN = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.While,
    ast.If,
    ast.Try,
    ast.With,
    ast.Lambda,
    ast.ListComp,
    ast.DictComp,
    ast.SetComp,
    ast.GeneratorExp,
)
DECIMAL_OR_PERCENT = re.compile(r"\d\.\d|\d\s?%")
LONGEST_CELL = 12


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def tagged(notebook, tag):
    return [cell for cell in notebook["cells"] if tag in cell["metadata"].get("tags", [])]


def test_there_are_templates():
    assert [path.stem for path in NOTEBOOKS] == [
        "10_included_trials",
        "20_pooled_effect",
        "25_without_pooling",
        "30_responder_rates",
        "40_safety",
        "50_robustness",
        "60_certainty",
        "90_overview",
        "91_claims",
        "92_dose",
        "93_printed_numbers",
    ]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def template(request):
    return request.param


def test_canonical_form(template):
    text = template.read_text(encoding="utf-8")
    notebook = load(template)
    assert text == json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in ids)
    for cell in code_cells(notebook):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_one_heading_that_asks(template):
    markdown = [c for c in load(template)["cells"] if c["cell_type"] == "markdown"]
    first_level = [c for c in markdown if "".join(c["source"]).startswith("# ")]
    assert len(first_level) == 1
    assert "".join(first_level[0]["source"]).endswith("?")
    assert first_level[0]["metadata"].get("tags", []) in ([], ["title"])


def test_no_typed_results_in_prose(template):
    for cell in load(template)["cells"]:
        if cell["cell_type"] == "markdown":
            assert not DECIMAL_OR_PERCENT.search("".join(cell["source"]))


def test_parameters_are_annotated_literals_with_a_comment(template):
    cells = tagged(load(template), "parameters")
    assert len(cells) == 1
    source = "".join(cells[0]["source"])
    for statement in ast.parse(source).body:
        assert isinstance(statement, ast.AnnAssign)
        ast.literal_eval(statement.value)
    assert all("  # " in line for line in source.splitlines())


def test_choices_are_the_plans_and_say_what_they_take(template):
    """A value typed here would go before the plan; what is said of it is said in one place."""
    for line in "".join(tagged(load(template), "parameters")[0]["source"]).splitlines():
        name = line.partition(":")[0]
        if name in CHOICES | PAGE_SECTIONS:
            assert line == f'{name}: str = "protocol"  # {(CHOICES | PAGE_SECTIONS)[name].line}'


def test_code_is_calls_only(template):
    notebook = load(template)
    parameters = tagged(notebook, "parameters")[0]["id"]
    for place, cell in enumerate(code_cells(notebook)):
        source = "".join(cell["source"])
        # Every choice of the analysis is a parameter, one a line.
        if cell["id"] == parameters:
            continue
        assert len(source.splitlines()) <= LONGEST_CELL
        tree = ast.parse(source)
        for node in ast.walk(tree):
            assert not isinstance(node, FORBIDDEN), f"{template.stem}: {ast.unparse(node)}"
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, int | float) or isinstance(node.value, bool)
                assert not (isinstance(node.value, str) and "/" in node.value)
            if isinstance(node, ast.Import):
                assert [alias.name for alias in node.names] == ["ldn_meta"]
                assert place == 1, "imports stand in the first cell after the parameters"
            assert not isinstance(node, ast.ImportFrom)


def test_last_cell_is_the_footer(template):
    assert "".join(code_cells(load(template))[-1]["source"]) == "page.footer()"
