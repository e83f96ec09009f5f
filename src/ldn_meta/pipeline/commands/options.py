"""What commands share: output for machines, how it tells of failures, how commands end."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from typing import Any

import click

_WANTED = "ldn_meta.json"


def _note(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[_WANTED] = value
    return value


# Read first, so that a failure in another option is told in the same way.
json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_note, help="For machines."
)


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it started is ended first."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wants_json(context: click.Context) -> bool:
    """Whether the command that runs below this context was asked for JSON."""
    return bool(context.meta.get(_WANTED))


def failure_json(error: Exception) -> str:
    """Write a failure: the message, and the faults one by one where the error has them."""
    faults: list[dict[str, Any]] = [
        {**vars(fault), "is_on_file": is_on_file}
        for name, is_on_file in (("faults", not hasattr(error, "elsewhere")), ("elsewhere", True))
        for fault in getattr(error, name, ())
    ]
    return json.dumps({"error": str(error), "faults": faults}, indent=1)
