"""What a notebook template lets a caller choose, read without starting Jupyter."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldn_meta.errors import ParameterError

PARAMETERS_TAG = "parameters"


def default_parameters(template: Path) -> dict[str, Any]:
    """Read the defaults from the cell tagged ``parameters``.

    Parameters
    ----------
    template : Path
        A notebook; the cell holds assignments of literals, annotated or not.

    Returns
    -------
    dict of str to Any
        Defaults by name, in the order of the cell.

    Raises
    ------
    ParameterError
        If the notebook is missing or broken, or has no such cell, or the cell holds more than
        literals: papermill would run on without the parameters it was given.
    """
    source = _parameters_source(template)
    try:
        statements = ast.parse(source).body
        return dict(_assignment(statement) for statement in statements)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or "?"
        message = (
            f"{template.name}: line {line} of the parameters cell is not 'name = literal': {error}"
        )
        raise ParameterError(message) from error


def _parameters_source(template: Path) -> str:
    try:
        cells = json.loads(template.read_bytes())["cells"]
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in template.parent.glob("*.ipynb")))
        message = f"there is no notebook {template.stem!r}; in {template.parent.name}/: {known}"
        raise ParameterError(message) from None
    except (ValueError, KeyError, TypeError) as error:
        message = f"{template.name} is not a notebook: {error}"
        raise ParameterError(message) from error
    tagged = [cell for cell in cells if PARAMETERS_TAG in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        message = f"{template.name} needs one cell tagged 'parameters' and has {len(tagged)}"
        raise ParameterError(message)
    source = tagged[0]["source"]
    return source if isinstance(source, str) else "".join(source)


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, ast.literal_eval(value)
    message = ast.unparse(statement)
    raise ValueError(message)


def fits(value: Any, default: Any) -> bool:
    """Whether a value can stand in for a default without changing its type.

    Parameters
    ----------
    value : Any
        What the caller wants.
    default : Any
        The literal in the template. A whole number may stand for a float; a default of None
        takes anything but a table.

    Returns
    -------
    bool
    """
    if default is None:
        return not isinstance(value, Mapping)
    if isinstance(default, list):
        return isinstance(value, list) and (
            not default or all(fits(item, default[0]) for item in value)
        )
    if isinstance(default, float):
        return isinstance(value, float | int) and not isinstance(value, bool)
    return type(value) is type(default)


def type_words(default: Any) -> str:
    """Name the type of a default as a person would."""
    if isinstance(default, list):
        return f"a list of {type_words(default[0])} values" if default else "a list"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return words.get(type(default), "a single value")
