"""Comparative studies that an answer does not rest on: what they say, and why they are outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.display.outputs import rows_of
from ldn_meta.display.wording import fixed, interval, shown

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.pages.effect import EffectPage

MISSING = ("NR", "NA", "TODO")


def not_in_the_number(page: EffectPage) -> dict[str, str]:
    """Say of every other comparative study of the indication why it is not in the number.

    Parameters
    ----------
    page : EffectPage

    Returns
    -------
    dict of str to str
        Reason by label of the study, oldest first.
    """
    used = set() if page.pool is None else set(page.pool.trials["study_label"])
    used |= set(page.synthesis["directions"]) if page.pool is None else set()
    studies = page.opened.derived.evidence.text["studies"]
    comparative = studies[studies["eligible_for"] == "contrast"].sort_values(
        ["year", "study_id"], kind="stable"
    )
    beside = {row["study_label"]: row for row in rows_of(page.beside)}
    reasons = {}
    for study in rows_of(comparative):
        label = study["label"]
        if label in used:
            continue
        if label in beside:
            row = beside[label]
            estimate, low, high = shown(
                (row["yi"], row["ci_low"], row["ci_high"]), measure=row["measure"]
            )
            effect = f"{fixed(estimate)}, 95% CI {interval(low, high)}"
            reasons[label] = f"{effect}, {row['selected_why']}"
        elif study["is_randomised"] == "no":
            reasons[label] = f"not randomised{_told(page, label)}"
        else:
            reasons[label] = f"no usable numbers{_told(page, label)}"
    return reasons


def _told(page: EffectPage, label: str) -> str:
    """The direction of everything a study told of benefit, if it is one and the same."""
    d = page.opened.derived
    domains = d.evidence.text["outcomes"].set_index("outcome_id")["domain"]
    rows = d.left_out[
        (d.left_out["study_label"] == label)
        & d.left_out["compares"].astype(bool)
        & (d.left_out["comparator_class"] != "further arm")
        & (d.left_out["outcome_id"].map(domains) == "benefit")
        & (d.left_out["direction"] != "not stated")
    ]
    words = sorted(set(rows["direction"]))
    return f"; told: {words[0]}" if len(words) == 1 else ""


def study_note(page: EffectPage, label: str) -> str:
    """Warn of a study that was not randomised."""
    studies = page.opened.derived.evidence.text["studies"]
    row = studies[studies["label"] == label].iloc[0]
    return " (not randomised)" if row["is_randomised"] == "no" else ""


def printed(page: EffectPage, label: str) -> str:
    """Quote the numbers that a study printed about the page's outcome."""
    d = page.opened.derived
    rows = d.left_out[
        (d.left_out["study_label"] == label)
        & (d.left_out["construct"] == page.construct)
        & d.left_out["is_preferred"].astype(bool)
    ]
    compared = rows[
        rows["compares"].astype(bool) & (rows["comparator_class"] == page.comparator_class)
    ]
    words = [
        *_shares(page, rows[rows["table"] == "arm_events"]["row_id"]),
        *_as_reported(d.evidence.text["contrasts"], compared["row_id"]),
    ]
    return f" (printed: {'; '.join(dict.fromkeys(words))})" if words else ""


def _shares(page: EffectPage, row_ids: pd.Series) -> list[str]:
    """Percentages of the two arms whose denominators are not reported."""
    evidence = page.opened.derived.evidence
    groups = evidence.arms.set_index("arm_id")["group"]
    rows = evidence.text["arm_events"]
    rows = rows[rows["row_id"].isin(row_ids) & (rows["n"] == "NR")]
    rows = rows[rows["percent"] != "NR"].assign(group=rows["arm_id"].map(groups))
    shares = [f"{percent}%" for percent in rows.sort_values("group")["percent"]]
    if len(shares) != len(("LDN", "comparator")):
        return []
    return [f"{shares[0]} against {shares[1]}, of how many people is not reported"]


def _as_reported(contrasts: pd.DataFrame, row_ids: pd.Series) -> list[str]:
    told = contrasts[contrasts["row_id"].isin(row_ids)]["as_reported"]
    return [text for text in told if text not in MISSING and any(c.isdigit() for c in text)]
