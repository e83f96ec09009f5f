"""One way through the house: imports point down, folders have one writer, modules stay short."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "ldn_meta"
ROOMS = ("stats", "evidence", "display", "pipeline")
FOUNDATIONS = {"errors", "paths"}
LONGEST_MODULE = 320
# The array layer knows no tables and no files.
FORBIDDEN_IN_STATS = {"pandas", "pathlib", "matplotlib", "io", "csv", "json"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """(module, whether it is imported for type checkers only) of every import statement."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            yield node.module, id(node) in for_types


def room_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_down(path):
    room = room_of(path)
    if room is None:
        return
    allowed = set(ROOMS[: ROOMS.index(room) + 1]) | FOUNDATIONS
    for module, _ in imports(path):
        if module.startswith("ldn_meta."):
            assert module.split(".")[1] in allowed, f"{path.name} imports {module}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if room_of(p) == "stats"], ids=lambda p: p.stem
)
def test_the_array_layer_knows_no_tables(path):
    for module, is_for_types in imports(path):
        top = module.split(".")[0]
        if top in FORBIDDEN_IN_STATS and not is_for_types:
            assert path.stem.endswith("result"), f"{path.name} imports {module}"
            assert top == "pandas", "to_frame of a result alone reaches for pandas"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_modules_stay_short_and_say_what_they_are(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert ast.get_docstring(ast.parse(text))
    assert "TODO" not in (ast.get_docstring(ast.parse(text)) or "")


def test_public_names_are_all_there():
    import ldn_meta as lm

    for name in lm.__all__:
        assert callable(getattr(lm, name)), name


def test_importing_the_package_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, ldn_meta; "
        "print([m for m in ('numpy', 'pandas', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert found.strip() == "[]"
