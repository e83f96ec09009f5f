"""Overall risk of bias of each study, as risk_of_bias.csv has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldn_meta.evidence.load import Evidence

OVERALL = "overall"


def overall_judgements(evidence: Evidence) -> dict[str, str]:
    """Return the overall judgement of every study with one; TODO where nobody has judged.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    dict of str to str
        Judgement as the tool words it, by study_id.
    """
    rows = evidence.text["risk_of_bias"]
    overall = rows[rows["domain"] == OVERALL]
    return dict(zip(overall["study_id"], overall["judgement"], strict=True))
