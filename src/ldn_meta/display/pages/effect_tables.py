"""Tables of an effect page: the trials, other outcomes, and what was told without numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.pages.opened import construct_labels, plain
from ldn_meta.display.sentences import has_unknown_sign
from ldn_meta.display.wording import MEASURES, estimate_with_interval, weeks
from ldn_meta.evidence.synthesis import RATIO_MEASURES

if TYPE_CHECKING:
    from ldn_meta.display.pages.effect import EffectPage


def trials(page: EffectPage) -> Table:
    """One row a trial in the pool, in the order of the figure."""
    rows = []
    if page.pool is not None:
        weights = np.atleast_1d(page.pool.result.weight_pct)
        for row, weight in zip(rows_of(page.pool.trials), weights, strict=True):
            rows.append(
                {
                    "trial": row["study_label"],
                    "design": f"{row['design']}, {row['analysis_set']}",
                    "people": _people(row),
                    "week": weeks(row["timepoint_weeks"]),
                    "effect (95% CI)": estimate_with_interval(
                        row["yi"], row["ci_low"], row["ci_high"], measure=row["measure"]
                    ),
                    "weight": f"{weight:.1f}%",
                    "route": row["route"],
                    "assumptions and notes": _with_notes(row),
                    "source": page.opened.source(row),
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Trials behind the result",
        _unit_note(page),
        "No trial gave an effect with its uncertainty.",
    )


def other_outcomes(page: EffectPage) -> Table:
    """Every other outcome of the indication with a trial effect, benefit only."""
    labels = construct_labels(page.opened)
    rows = []
    for found in page.opened.pools:
        domain = found.trials["domain"].iloc[0]
        is_main = page.pool is not None and found.key == page.pool.key
        if domain != "benefit" or is_main:
            continue
        r = found.result
        rows.append(
            {
                "outcome": labels[found.key["construct"]],
                "against": found.key["comparator_class"],
                "trials": ", ".join(found.trials["study_label"]),
                "people": str(found.people or "NR"),
                "effect (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure=found.key["measure"]
                ),
                "unit": found.key["unit"],
                "better is": "higher" if found.trials["benefit_sign"].iloc[0] > 0 else "lower",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Other outcomes with an effect estimate",
        "Unit as measured; LDN minus comparator.",
    )


def without_estimate(page: EffectPage) -> Table:
    """Comparisons that were reported only as a direction or a p-value."""
    d = page.opened.derived
    left = d.left_out[
        d.left_out["compares"].astype(bool)
        & (d.left_out["comparator_class"] == page.comparator_class)
        & d.left_out["is_preferred"].astype(bool)
        & d.left_out["usable_for"].isin(["direction", "p-value"])
    ]
    raw = d.evidence.text["contrasts"].set_index("row_id")
    labels = d.evidence.text["outcomes"].set_index("outcome_id")
    arms = d.evidence.text["arms"].set_index("arm_id")["label"]
    rows = []
    for row in rows_of(left):
        source = raw.loc[row["row_id"]]
        rows.append(
            {
                "study": row["study_label"],
                "outcome": labels.loc[row["outcome_id"], "construct_label"],
                "compared": f"{arms[source['arm_1']]} against {arms[source['arm_2']]}",
                "direction extracted": row["direction"],
                "as reported": source["as_reported"],
                "why no effect": row["reason"],
                "source": page.opened.source(source.to_dict()),
            }
        )
    return Table(pd.DataFrame(rows), "Reported without an effect that could be computed")


def _unit_note(page: EffectPage) -> str:
    if page.pool is None:
        return ""
    measure, unit = page.pool.key["measure"], page.pool.key["unit"]
    if has_unknown_sign(page.pool):
        return (
            f"Effect: {MEASURES[measure]} in {unit}, with the sign as printed; the text read "
            "does not say which drug was subtracted from which."
        )
    if measure in RATIO_MEASURES:
        return f"Effect: {MEASURES[measure]}, {page.drug} divided by {page.comparator_class}."
    return f"Effect: {MEASURES[measure]} in {unit}, {page.drug} minus {page.comparator_class}."


def _with_notes(row: dict[str, Any]) -> str:
    parts = [text for text in (row["assumptions"], row["notes"]) if text != "none"]
    return "; ".join(parts) or "none"


def _people(row: dict[str, Any]) -> str:
    if row["is_paired"]:
        return f"{plain(row['n_1'])} in both arms"
    return f"{plain(row['n_1'])} + {plain(row['n_2'])}"
