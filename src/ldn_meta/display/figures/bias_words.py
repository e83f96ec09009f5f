"""What is said about judgements of risk of bias under figures and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.evidence.bias import shown_domains
from ldn_meta.evidence.bias_tools import TOOLS, Domain, Tool

if TYPE_CHECKING:
    from ldn_meta.evidence.load import Evidence

WHO = {
    "this project": "by this project, from what could be read of each study",
    "published review": "by published reviews",
}


def domain_key(domains: Iterable[Domain], tools: Sequence[Tool] = ()) -> str:
    """Explain heads: ``D1 randomisation process; D2 ...``.

    Parameters
    ----------
    domains : iterable of Domain
    tools : sequence of Tool
        Those whose judgements are shown: a domain that only some of them have is followed by
        their names.
    """
    # A head at the end of a line, its name on the next, would be read with the name before it.
    return "; ".join(f"{d.head}{style.NO_BREAK}{d.name}{_only(d, tools)}" for d in domains)


def who_judged(judges: Iterable[str]) -> str:
    """Say who judged, and for what; nothing where nobody has.

    Parameters
    ----------
    judges : iterable of str
        Cells of ``judged_by``.
    """
    named = set(judges)
    words = " and ".join(said for judge, said in WHO.items() if judge in named)
    return f"Judged {words}, for the main outcome of the condition." if words else ""


def dots_note(evidence: Evidence, study_ids: list[str]) -> str:
    """Small print for dots beside a forest plot: heads, what was judged, and by whom.

    Parameters
    ----------
    evidence : Evidence
    study_ids : list of str
        The studies of the rows.
    """
    rows = evidence.text["risk_of_bias"]
    own = rows[rows["study_id"].isin(study_ids)]
    domains = shown_domains(evidence, study_ids)
    used = [tool for tool in TOOLS.values() if tool.name in set(own["tool"])]
    shown = [tool for tool in used if set(tool.domains) & set(domains)]
    parts = [domain_key(domains, shown)]
    if shown:
        parts += [f"{tool.name}: overall only" for tool in used if tool not in shown]
    key = "; ".join(part for part in parts if part)
    return " ".join(
        text for text in (f"{key}." if key else "", who_judged(own["judged_by"])) if text
    )


def _only(domain: Domain, tools: Sequence[Tool]) -> str:
    having = [tool.name for tool in tools if domain in tool.domains]
    return f" ({', '.join(having)})" if len(having) < len(tools) else ""
