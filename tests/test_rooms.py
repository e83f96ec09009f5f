"""One way through the house: imports point one way, no circle, no crowd of doors.

A topic is one file. There is no limit on its length; what is held here is the shape of the whole:
how many modules there are, how many of them serve a single other, and that nothing imports its
importer, imports for type checkers counted.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "ldn_meta"
ROOMS = ("stats", "evidence", "display", "pipeline")
# Floors of the evidence room, lowest first; audit and grade stand side by side.
FLOORS = {"raw": 0, "effects": 1, "answer": 2, "audit": 3, "grade": 3}
FOUNDATIONS = {"errors", "files"}
MOST_MODULES = 100
MOST_WITH_ONE_IMPORTER = 20
# The array layer knows no tables and no files.
FORBIDDEN_IN_STATS = {"pandas", "pathlib", "matplotlib", "io", "csv", "json"}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}
# What the package imports stands in its stub.
MODULES["ldn_meta"] = PACKAGE / "__init__.pyi"


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(body):
    """Every statement; an expression, which is most of a file, holds no import."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(node, part, ()))


@cache
def imports(path):
    """(module, name or None, whether at the top and at run time) of every import statement."""
    return list(_imports(path))


def _imports(path):
    tree = parsed(path)
    at_the_top = {id(node) for node in tree.body}
    for node in statements(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, id(node) in at_the_top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            for alias in node.names:
                yield node.module, alias.name, id(node) in at_the_top


def imported_modules(path):
    """Modules of the package that a file imports, wherever and for whatever."""
    found = set()
    for module, name, _ in imports(path):
        for candidate in (f"{module}.{name}", module):
            if candidate in MODULES:
                found.add(candidate)
                break
    return found - {module_name(path)}


@cache
def graph():
    """What each module imports; worked out by the process that asks, not by all that collect."""
    return {name: imported_modules(path) for name, path in MODULES.items()}


def circles(edges):
    """Groups of modules that import each other (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_module_imports_its_importer():
    assert circles(graph()) == []


def test_the_house_has_few_doors():
    importers = defaultdict(set)
    for name, others in graph().items():
        for other in others:
            importers[other].add(name)
    alone = sorted(name for name in MODULES if len(importers[name]) == 1)
    assert len(MODULES) <= MOST_MODULES
    assert len(alone) <= MOST_WITH_ONE_IMPORTER, alone


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name):
    parts = name.split(".")[1:]
    if not parts or parts[0] not in ROOMS:
        return
    allowed = set(ROOMS[: ROOMS.index(parts[0]) + 1]) | FOUNDATIONS
    for other in graph()[name] - {"ldn_meta"}:
        theirs = other.split(".")[1:]
        assert theirs[0] in allowed, f"{name} imports {other}"
        if parts[0] == theirs[0] == "evidence" and parts[1] in FLOORS:
            below = FLOORS.get(theirs[1], 99) < FLOORS[parts[1]]
            assert below or theirs[1] == parts[1], f"{name} imports {other}"


def test_pages_read_derived_tables_and_nothing_that_makes_them():
    makers = {"ldn_meta.evidence.derive", "ldn_meta.evidence.raw.faults"}
    reached = {name: graph()[name] & makers for name in MODULES if ".display." in name}
    assert {name: found for name, found in reached.items() if found} == {}


@pytest.mark.parametrize("name", [n for n in MODULES if n.startswith("ldn_meta.stats.")])
def test_the_array_layer_knows_no_tables(name):
    for module, _, at_the_top in imports(MODULES[name]):
        top = module.split(".")[0]
        assert top not in FORBIDDEN_IN_STATS - {"pandas"}, f"{name} imports {module}"
        # `to_frame` of a result alone reaches for pandas, when it is called.
        assert not (top == "pandas" and at_the_top), f"{name} imports pandas at the top"


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_what_they_are(name):
    said = ast.get_docstring(parsed(MODULES[name]))
    assert said and "TODO" not in said


def test_public_names_are_all_there():
    import ldn_meta as lm

    for name in lm.__all__:
        assert callable(getattr(lm, name)), name
    stub = MODULES["ldn_meta"].read_text(encoding="utf-8")
    assert dir(lm) == lm.__all__ == sorted(set(re.findall(r" as (\w+),?$", stub, re.MULTILINE)))


def test_every_name_for_those_who_come_from_elsewhere_is_public():
    import ldn_meta as lm

    words = (PACKAGE.parents[1] / "docs" / "coming_from.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\blm\.(\w+)", words))
    assert named <= set(dir(lm))
    assert len(named) > 50
    # What is not here has its reason, or is told below with it.
    assert not re.search(r"\| not here *\|", words)
    assert words.count("not here:") + words.count("not here as") >= 8


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, ldn_meta; "
        "print([m for m in ('numpy', 'pandas', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert found.strip() == "[]"
