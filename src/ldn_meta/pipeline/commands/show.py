"""``ldn-meta show``: the answer of one indication in the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from ldn_meta import paths
from ldn_meta.errors import LdnMetaError, ParameterError
from ldn_meta.pipeline.commands.options import json_option


@click.command()
@click.argument("indication")
@json_option
def show(indication: str, as_json: bool) -> None:
    """Print the answer of one indication and its numbers; all facts of all pages: --json.

    \b
    Examples:
      ldn-meta show fibromyalgia
      ldn-meta show overview --json
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.pipeline import parameters, readme, staleness

    known = [*parameters.reported_indications(), parameters.OVERVIEW]
    if indication not in known:
        what = f"indication {indication!r}"
        raise ParameterError(parameters.unknown(what, indication, known))
    facts = staleness.read_facts(paths.reports() / indication)
    if not facts:
        message = f"reports/{indication} has no facts yet: run `ldn-meta run {indication}`"
        raise LdnMetaError(message)
    if as_json:
        click.echo(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False))
        return
    answer = facts.get(readme.ANSWERED_BY, {}).get("answer", {})
    if "sentence" in answer:
        # Facts of every page are thousands of lines: the answer would scroll away.
        click.echo(f"{answer.pop('sentence')}\n")
        facts = {readme.ANSWERED_BY: answer}
    for notebook, entries in facts.items():
        click.echo(notebook)
        for name, value in _flat(entries):
            click.echo(f"  {name}: {value}")


def _flat(entries: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Facts as name.part.part and value."""
    found: list[tuple[str, Any]] = []
    for name, value in entries.items():
        if isinstance(value, Mapping):
            found.extend(_flat(value, f"{prefix}{name}."))
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            found.append((f"{prefix}{name}", f"{len(value)} rows, see --json"))
        else:
            found.append((f"{prefix}{name}", value))
    return found
