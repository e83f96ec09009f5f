"""Which notebook runs with which parameters; anything misspelt is refused, never ignored."""

from __future__ import annotations

import csv
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import ParameterError
from ldn_meta.pipeline import templates

OVERVIEW = "overview"
SETTINGS = "parameters.toml"
_TABLES = ("notebooks", "allowed", "once", "indications")


@dataclass(frozen=True)
class Job:
    """One notebook to be executed for one page of the report.

    Attributes
    ----------
    target : str
        Indication, or "overview" for the notebooks that run once.
    notebook : str
        Template without its ending.
    template : Path
        The template.
    parameters : mapping of str to Any
        Every parameter of the template with its effective value.
    title_fields : mapping of str to str
        What ``{label}`` and the like in a cell tagged ``title`` stand for: the row of the
        indication in ``indications.csv``.
    """

    target: str
    notebook: str
    template: Path
    parameters: Mapping[str, Any]
    title_fields: Mapping[str, str]

    @property
    def label(self) -> str:
        """Name for people: ``fibromyalgia/20_pooled_effect``."""
        return f"{self.target}/{self.notebook}"


def reported_indications() -> dict[str, dict[str, str]]:
    """Read the indications that get pages.

    Returns
    -------
    dict of str to dict
        Rows of ``indications.csv`` by key, in their sort order.

    Raises
    ------
    ParameterError
        If the table cannot be read; ``ldn-meta check`` says what is wrong with it.
    """
    file = paths.raw_data() / "indications.csv"
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["is_reported"] == "yes"]
        rows.sort(key=lambda row: int(row["sort_order"]))
        return {row["indication_id"]: row for row in rows}
    except (OSError, ValueError, KeyError) as error:
        message = f"data/raw/{file.name} cannot be read ({error!r}): run `ldn-meta check`"
        raise ParameterError(message) from error


def plan(
    indications: Sequence[str] | None = None, overrides: Mapping[str, Any] | None = None
) -> list[Job]:
    """List the notebooks to run, with the effective value of every parameter.

    Parameters
    ----------
    indications : sequence of str, optional
        Which pages, "overview" among them; all by default.
    overrides : mapping of str to Any, optional
        Values that go before those of ``notebooks/parameters.toml``, for every notebook that
        has the parameter.

    Returns
    -------
    list of Job
        By indication in its sort order, then the overview.

    Raises
    ------
    ParameterError
        If an indication, a notebook, a parameter or a value is not allowed; names what was
        meant, if that can be guessed, and what is allowed.
    """
    settings = _read_settings()
    reported = reported_indications()
    chosen = _chosen([*reported, OVERVIEW], indications)
    _check_indications(settings["indications"], reported)
    allowed = settings["allowed"]
    per_indication = _defaults(settings["notebooks"], "per_indication")
    once = _defaults(settings["notebooks"], "once")
    _check_names(allowed, [*per_indication.values(), *once.values()], "[allowed]")
    _check_indication_parameter(per_indication)

    selected = [
        *(per_indication.values() if set(chosen) - {OVERVIEW} else ()),
        *(once.values() if OVERVIEW in chosen else ()),
    ]
    given = dict(overrides or {})
    if "indication" in given:
        message = "indication is no parameter to set: name the indication as an argument"
        raise ParameterError(message)
    _check_names(given, [_without_indication(defaults) for defaults in selected], "-p")

    jobs = []
    for target in [*reported, OVERVIEW]:
        group, table, where = (
            (once, settings["once"], "[once]")
            if target == OVERVIEW
            else (per_indication, settings["indications"][target], f"[indications.{target}]")
        )
        _check_names(table, group.values(), where)
        for notebook, defaults in group.items():
            own = {name: value for name, value in table.items() if name in defaults}
            if target != OVERVIEW:
                own["indication"] = target
            _check_values(own, defaults, allowed, f"{SETTINGS} {where}")
            _check_values(defaults, defaults, allowed, f"{notebook}.ipynb")
            if target not in chosen:
                continue
            asked = {name: value for name, value in given.items() if name in defaults}
            _check_values(asked, defaults, allowed, "-p")
            jobs.append(
                Job(
                    target=target,
                    notebook=notebook,
                    template=_template(notebook),
                    parameters={**defaults, **own, **asked},
                    title_fields=reported.get(target, {}),
                )
            )
    return jobs


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read ``name=value`` from a command line.

    Parameters
    ----------
    text : str
        The value is a JSON or TOML literal (``0.9``, ``true``, ``["a", "b"]``, ``null``);
        anything else is text.

    Returns
    -------
    tuple of str and Any

    Raises
    ------
    ParameterError
        If there is no name or no equals sign.
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        message = f"-p {text!r} is not name=value, as in -p tau2_method=pm"
        raise ParameterError(message)
    try:
        return name, json.loads(value)
    except ValueError:
        pass
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        return name, value


def unknown(what: str, value: object, allowed: Iterable[object]) -> str:
    """Say that something is unknown, what was probably meant, and what is allowed."""
    known = [str(item) for item in allowed]
    near = difflib.get_close_matches(str(value), known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{what} is unknown{meant} allowed: {', '.join(known)}"


def _read_settings() -> dict[str, Any]:
    file = paths.notebooks() / SETTINGS
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"notebooks/{SETTINGS} cannot be read: {error}"
        raise ParameterError(message) from error
    for name in settings:
        if name not in _TABLES:
            raise ParameterError(f"{SETTINGS}: " + unknown(f"table [{name}]", name, _TABLES))
    return {name: settings.get(name, {}) for name in _TABLES}


def _template(notebook: str) -> Path:
    return paths.notebooks() / f"{notebook}.ipynb"


def _defaults(listed: Mapping[str, list[str]], group: str) -> dict[str, dict[str, Any]]:
    return {name: templates.default_parameters(_template(name)) for name in listed.get(group, [])}


def _chosen(known: Sequence[str], asked: Sequence[str] | None) -> Sequence[str]:
    for target in asked or ():
        if target not in known:
            raise ParameterError(unknown(f"indication {target!r}", target, known))
    return asked or known


def _check_indications(tables: Mapping[str, Any], reported: Mapping[str, Any]) -> None:
    for indication in tables:
        if indication not in reported:
            what = f"{SETTINGS}: [indications.{indication}]"
            raise ParameterError(unknown(what, indication, reported))
    for indication in reported:
        if indication not in tables:
            message = (
                f"{SETTINGS} has no table [indications.{indication}], so its notebooks would run "
                "with the values of another indication; add the table"
            )
            raise ParameterError(message)


def _check_indication_parameter(per_indication: Mapping[str, Mapping[str, Any]]) -> None:
    for notebook, defaults in per_indication.items():
        if "indication" not in defaults:
            message = (
                f"{notebook}.ipynb has no parameter 'indication', so every page would "
                "show the same; add it, or list the notebook under 'once'"
            )
            raise ParameterError(message)


def _without_indication(defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in defaults.items() if name != "indication"}


def _check_names(
    given: Iterable[str], templates_defaults: Iterable[Mapping[str, Any]], where: str
) -> None:
    known = dict.fromkeys(name for defaults in templates_defaults for name in defaults)
    for name in given:
        if name not in known:
            raise ParameterError(unknown(f"{where} parameter {name!r}", name, known))


def _check_values(
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    allowed: Mapping[str, list[Any]],
    where: str,
) -> None:
    for name, value in given.items():
        if not templates.fits(value, defaults[name]):
            message = (
                f"{where} parameter {name!r} is {value!r}: must be "
                f"{templates.type_words(defaults[name])}, as {defaults[name]!r} is"
            )
            raise ParameterError(message)
        # TOML has no null: a default of None is an option nobody can list.
        options = [*allowed.get(name, []), *([None] if defaults[name] is None else [])]
        items = value if isinstance(value, list) else [value]
        if name in allowed and not all(item in options for item in items):
            raise ParameterError(unknown(f"{where} value {value!r} of {name!r}", value, options))
