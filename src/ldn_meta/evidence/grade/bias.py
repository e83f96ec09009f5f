"""Risk of bias of studies, read from the judgements on file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.bias_tools import (
    ELIGIBLE,
    NOT_APPLICABLE,
    OVERALL,
    RISK_OF_BIAS,
    TOOLS,
    Domain,
)
from ldn_meta.files import TO_DO

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.tables import Evidence


RANDOMISED = "RoB 2"
REASON_COLUMNS = (
    "study_id",
    "study_label",
    "tool",
    "head",
    "domain",
    "judgement",
    "reason",
    "judged_by",
    "source_id",
    "locator",
    "read_from",
    "note",
)


def bias_frame(evidence: Evidence, study_ids: Sequence[str]) -> pd.DataFrame:
    """Judgements as a table of dots: one row a study, one column a domain.

    Studies judged with one family of tools get its domains. If families meet, those of RoB 2
    are shown, and the others have only their overall judgement; without any trial of RoB 2 the
    overall judgement is all that can stand side by side.
    """
    import pandas as pd

    _known(evidence, study_ids)
    rows = evidence.text[RISK_OF_BIAS]
    judged = rows.set_index(["study_id", "domain"])["judgement"].to_dict()
    tool_of = dict(zip(rows["study_id"], rows["tool"], strict=True))
    domains = shown_domains(evidence, study_ids)

    def cell(study_id: str, domain: Domain) -> str:
        tool = TOOLS.get(tool_of.get(study_id, ""))
        if tool is not None and domain not in tool.domains:
            return NOT_APPLICABLE
        return str(judged.get((study_id, domain.name), TO_DO))

    return pd.DataFrame(
        [
            [*(cell(study, domain) for domain in domains), judged.get((study, OVERALL), TO_DO)]
            for study in study_ids
        ],
        columns=[*(domain.head for domain in domains), OVERALL],
        dtype="str",
    )


def shown_domains(evidence: Evidence, study_ids: Sequence[str]) -> list[Domain]:
    """Domains that the columns of ``bias_frame`` stand for, without the overall judgement."""
    rows = evidence.text[RISK_OF_BIAS]
    used = set(rows.loc[rows["study_id"].isin(list(study_ids)), "tool"])
    families = {TOOLS[name].family for name in used}
    family = families.pop() if len(families) == 1 else RANDOMISED
    tools = [tool for tool in TOOLS.values() if tool.name in used and tool.family == family]
    # The tool with the most domains has those of its family, in order.
    return max((list(tool.domains) for tool in tools), key=len, default=[])


def bias_reasons(evidence: Evidence, study_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Every judgement with its reason, domain by domain in the order of the tool."""
    studies = evidence.text["studies"]
    if study_ids is None:
        study_ids = _eligible(studies)
    _known(evidence, study_ids)
    labels = dict(zip(studies["study_id"], studies["label"], strict=True))
    study_place = {name: place for place, name in enumerate(study_ids)}
    rows = evidence.text[RISK_OF_BIAS]
    rows = rows[rows["study_id"].isin(list(study_place))]
    heads = {
        (tool.name, name): (place, head)
        for tool in TOOLS.values()
        for place, (name, head) in enumerate(
            [*((domain.name, domain.head) for domain in tool.domains), (OVERALL, OVERALL)]
        )
    }
    of_row = [heads[key] for key in zip(rows["tool"], rows["domain"], strict=True)]
    return (
        rows.assign(
            study_label=rows["study_id"].map(labels),
            head=[head for _, head in of_row],
            study_place=rows["study_id"].map(study_place),
            domain_place=[place for place, _ in of_row],
        )
        .sort_values(["study_place", "domain_place"], kind="stable")
        .reset_index(drop=True)[list(REASON_COLUMNS)]
    )


def _eligible(studies: pd.DataFrame) -> list[str]:
    place = {use: rank for rank, use in enumerate(ELIGIBLE)}
    kept = studies[studies["eligible_for"].isin(ELIGIBLE)]
    order = kept.assign(place=kept["eligible_for"].map(place))
    return list(order.sort_values(["place", "year", "study_id"], kind="stable")["study_id"])


def _known(evidence: Evidence, study_ids: Sequence[str]) -> None:
    """Refuse keys that are no study."""
    known = set(evidence.text["studies"]["study_id"])
    strangers = [name for name in study_ids if name not in known]
    if strangers:
        message = f"study_ids holds {', '.join(map(repr, strangers))}: no such study_id in studies"
        raise ArgumentError(message)
