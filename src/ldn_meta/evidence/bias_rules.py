"""Judgements of risk of bias that do not fit their tool, their study or each other."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault
from ldn_meta.evidence.bias_tools import OVERALL, TO_DO, TOOLS, Tool, fitting_tool
from ldn_meta.evidence.rules import fault_at, is_given

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence

TABLE = "risk_of_bias"
NOBODY = "nobody yet"
ELIGIBLE = ("contrast", "single-arm")


def bias_faults(evidence: Evidence, *, unread: Collection[str] = ()) -> list[Fault]:
    """Every breach of a rule of the tools, and every eligible study that nobody lists.

    Parameters
    ----------
    evidence : Evidence
        The index of its tables is the line of the file.
    unread : collection of str
        Tables whose rows could not be told.

    Returns
    -------
    list of Fault
    """
    if TABLE in unread:
        return []
    found = [*_judgements(evidence)]
    studies = {row["study_id"]: row for row in evidence.text["studies"].to_dict("records")}
    for study_id, rows in evidence.text[TABLE].groupby("study_id", sort=False):
        found += _tools(evidence, rows)
        tool = TOOLS.get(rows["tool"].iloc[0])
        if tool is None:
            continue
        if study_id in studies:
            found += _fit(evidence, rows, tool, studies[study_id])
        own = rows[rows["tool"] == tool.name]
        found += _domains(evidence, own, tool)
        found += _overall(evidence, own, tool)
    if "studies" not in unread:
        found += _unlisted(evidence)
    return found


def _judgements(evidence: Evidence) -> Iterator[Fault]:
    text = evidence.text[TABLE]
    given = is_given(evidence, TABLE, "judgement")
    for line in text.index[~given & (text["judgement"] != TO_DO)]:
        rule = "neither a judgement nor TODO"
        yield _fault(evidence, line, "judgement", rule, "judge, or type TODO until judged")
    for line in text.index[(text["judgement"] == TO_DO) & (text["judged_by"] != NOBODY)]:
        rule = "a judgement that is TODO was made by nobody"
        yield _fault(evidence, line, "judged_by", rule, f"type {NOBODY}, or judge")
    for line in text.index[given & (text["judged_by"] == NOBODY)]:
        remedy = "say who judged, or set the judgement to TODO"
        yield _fault(evidence, line, "judged_by", "somebody made this judgement", remedy)


def _tools(evidence: Evidence, rows: pd.DataFrame) -> Iterator[Fault]:
    first = rows.index[0]
    for line in rows.index[rows["tool"] != rows.loc[first, "tool"]]:
        rule = f"a second tool for {rows.loc[line, 'study_id']}, after line {first}"
        yield _fault(evidence, line, "tool", rule, f"use {rows.loc[first, 'tool']} throughout")


def _fit(
    evidence: Evidence, rows: pd.DataFrame, tool: Tool, study: Mapping[Hashable, str]
) -> Iterator[Fault]:
    if study["eligible_for"] not in ELIGIBLE:
        return
    fitting = _tool_of(study)
    if tool.name != fitting:
        rule = (
            f"does not fit a study of design {study['design']}, randomised: "
            f"{study['is_randomised']}, eligible for {study['eligible_for']}"
        )
        yield _fault(evidence, rows.index[0], "tool", rule, f"use {fitting}, or correct the study")


def _domains(evidence: Evidence, rows: pd.DataFrame, tool: Tool) -> Iterator[Fault]:
    known = tool.domain_names
    for line in rows.index[~rows["domain"].isin(known)]:
        near = difflib.get_close_matches(rows.loc[line, "domain"], known, n=1)
        hint = f"did you mean {near[0]!r}? Else " if near else ""
        remedy = f"{hint}use one of {', '.join(known)}"
        yield _fault(evidence, line, "domain", f"no domain of {tool.name}", remedy)
    for line in rows.index[rows["domain"].duplicated()]:
        same = rows.index[rows["domain"] == rows.loc[line, "domain"]][0]
        rule = f"judged on line {same} already"
        yield _fault(evidence, line, "domain", rule, "keep one of the two")
    given = is_given(evidence, TABLE, "judgement").loc[rows.index]
    for line in rows.index[rows["domain"].isin(known) & given]:
        allowed = tool.judgements(rows.loc[line, "domain"])
        if rows.loc[line, "judgement"] not in allowed:
            rule = f"is not on the scale of {tool.name}"
            yield _fault(evidence, line, "judgement", rule, f"use one of {', '.join(allowed)}")
    # A study that waits for its judgement needs no more than one row that says so.
    if (rows["judgement"] != TO_DO).any():
        for name in known:
            if name not in set(rows["domain"]):
                rule = f"{rows['study_id'].iloc[0]} has no row for {name} of {tool.name}"
                remedy = "add the row; its judgement may be TODO"
                yield _fault(evidence, rows.index[0], "-", rule, remedy)


def _overall(evidence: Evidence, rows: pd.DataFrame, tool: Tool) -> Iterator[Fault]:
    """An overall judgement may be worse than the worst domain, with a note, and never better."""
    is_overall = rows["domain"] == OVERALL
    least = tool.least_overall(rows.loc[~is_overall, "judgement"])
    for line in rows.index[is_overall & rows["judgement"].isin(list(tool.ranks))]:
        stated = rows.loc[line, "judgement"]
        if least is None or stated == least:
            continue
        if tool.ranks[stated] < tool.ranks[least]:
            rule = f"is better than its domains allow ({least})"
            yield _fault(evidence, line, "judgement", rule, f"use {least}, or a worse one")
        elif not is_given(evidence, TABLE, "note")[line]:
            rule = f"the overall judgement is worse than its worst domain ({least})"
            yield _fault(evidence, line, "note", rule, "say why, or use the worst domain's")


def _unlisted(evidence: Evidence) -> Iterator[Fault]:
    studies = evidence.text["studies"]
    listed = evidence.text[TABLE]["study_id"]
    eligible = studies["eligible_for"].isin(ELIGIBLE)
    for line in studies.index[eligible & ~studies["study_id"].isin(listed)]:
        rule = f"no row of {TABLE} is about this study"
        remedy = (
            f"add one row a domain of {_tool_of(studies.loc[line].to_dict())}, "
            f"or one with domain {OVERALL} and judgement {TO_DO}"
        )
        yield fault_at(evidence, "studies", line, "study_id", rule, remedy)


def _tool_of(study: Mapping[Hashable, str]) -> str:
    return fitting_tool(
        study["design"],
        is_randomised=study["is_randomised"],
        eligible_for=study["eligible_for"],
    )


def _fault(evidence: Evidence, line: Any, column: str, rule: str, remedy: str) -> Fault:
    return fault_at(evidence, TABLE, line, column, rule, remedy)
