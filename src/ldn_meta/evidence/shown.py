"""What a notebook shows of the evidence, the protocol and a multiverse: counts and choices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.stats.html import html_table

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.multiverse import Multiverse
    from ldn_meta.evidence.nodes import Node
    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.evidence.schema import Dictionary

BY_NUMBER = "by number of trials"


def counted(number: int, noun: str) -> str:
    """Return a number of things in words; the noun takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def evidence_html(
    headline: str, tables: Mapping[str, pd.DataFrame], dictionary: Dictionary
) -> str:
    """Write every table with its rows and columns, and what it holds.

    Parameters
    ----------
    headline : str
    tables : mapping of str to pandas.DataFrame
    dictionary : Dictionary

    Returns
    -------
    str
    """
    rows = [
        (name, f"{len(frame):,}", str(frame.shape[1]), dictionary.tables[name].description)
        for name, frame in tables.items()
    ]
    head = ("table", "rows", "columns", "what")
    return _page("evidence", headline, html_table(rows, head=head, is_prose=True))


def protocol_line(protocol: Protocol) -> str:
    """Sum a protocol up in one line."""
    model = protocol.model
    interval = model.ci_method or (
        f"{model.ci_method_two_trials} for two trials, {model.ci_method_more_trials} for more"
    )
    departures = counted(len(protocol.sensitivities), "named departure")
    analyses = _analyses(protocol.nodes)
    return f"<Protocol: {model.tau2_method}, {interval}; {departures}; multiverse of {analyses}>"


def protocol_html(protocol: Protocol) -> str:
    """Write every choice of a protocol, what departs from it, and the nodes of its multiverse.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    str
    """
    choices = [
        (choice.name, _words(getattr(part, choice.name)))
        for part in (protocol.selection, protocol.model)
        for choice in fields(part)
    ]
    choices += [
        ("largest_se_error", _words(protocol.largest_se_error)),
        ("correlation", _words(protocol.correlation)),
        ("bayes.tau_prior", _words(protocol.bayes.tau_prior)),
    ]
    choices += [
        (f"scale.{name}", f"{scale.minimum:g} to {scale.maximum:g}, {scale.unit}; minimal "
         f"important difference {scale.minimal_important_difference:g}")
        for name, scale in protocol.scales.items()
    ]  # fmt: skip
    departures = "".join(f"<li>{escape(one.name)}</li>" for one in protocol.sensitivities)
    return _page(
        "protocol",
        "Protocol: the pre-stated choices; data/raw/protocol.toml has the reasons",
        html_table(choices, head=("choice", "value"), is_prose=True),
        f"<p>Shown beside the main pool:</p><ul>{departures}</ul>" if departures else "",
        f"<p>Multiverse of {_analyses(protocol.nodes)}:</p>{_nodes(protocol.nodes)}"
        if protocol.nodes
        else "",
    )


def multiverse_line(found: Multiverse) -> str:
    """Sum a multiverse up in one line."""
    sets = counted(len(found.yi), "distinct set")
    return (
        f"<Multiverse {found.indication_id}, {found.construct} against {found.comparator_class}: "
        f"{_analyses(found.nodes)}, {sets} of effects, {counted(len(found.trials), 'trial')}>"
    )


def multiverse_html(found: Multiverse) -> str:
    """Write what a multiverse holds: the outcome, the first analysis, the range, the nodes.

    Parameters
    ----------
    found : Multiverse

    Returns
    -------
    str
    """
    first = found.frame(0, 1).iloc[0]
    estimate = found.results["estimate"]
    finite = estimate[np.isfinite(estimate)]
    rows = [
        ("outcome", f"{found.construct} against {found.comparator_class}, {found.indication_id}"),
        ("measure", f"{found.measure}, {found.unit}; numbers on the scale of yi"),
        ("analyses", f"{len(found):,}"),
        (
            "computed",
            f"{counted(len(found.yi), 'distinct set')} of effects, each under "
            f"{counted(estimate.shape[1], 'model')}",
        ),
        ("trials", "; ".join(found.trials)),
        ("the protocol's own", _interval(first["estimate"], first["ci_low"], first["ci_high"])),
        (
            "all estimates",
            f"{finite.min():.4g} to {finite.max():.4g}" if finite.size else "not defined",
        ),
    ]
    choices = f"<p>Every combination of these choices:</p>{_nodes(found.nodes)}"
    return _page("multiverse", "Multiverse", html_table(rows, is_prose=True), choices)


def _page(name: str, headline: str, *parts: str) -> str:
    head = f"<p><strong>{escape(headline)}</strong></p>"
    return f'<div class="ldn-meta-{name}">{head}{"".join(parts)}</div>'


def _nodes(nodes: Sequence[Node]) -> str:
    rows = [
        (node.name, "; ".join(option.name for option in node.options), node.reason)
        for node in nodes
    ]
    head = ("question", "answers, the protocol's own first", "why")
    return html_table(rows, head=head, is_prose=True)


def _analyses(nodes: Sequence[Node]) -> str:
    number = math.prod(len(node.options) for node in nodes)
    return f"{number:,} {'analysis' if number == 1 else 'analyses'}"


def _interval(estimate: float, low: float, high: float) -> str:
    if not math.isfinite(estimate):
        return "not defined"
    limits = f"{low:.4g} to {high:.4g}" if math.isfinite(low + high) else "not defined"
    return f"{estimate:.4g} (interval {limits})"


def _words(value: Any) -> str:
    """Write a choice as people type it."""
    if value is None:
        return BY_NUMBER
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value)
    return f"{value:g}" if isinstance(value, float | int) else str(value)
