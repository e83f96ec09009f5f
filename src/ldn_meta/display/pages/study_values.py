"""Printed results of one study as a table: what stands there, where, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.pages.study_tables import effect_words, used_words
from ldn_meta.display.provenance import source_cell
from ldn_meta.evidence.citations import MISSING

if TYPE_CHECKING:
    from ldn_meta.evidence.derived import Derived

VALUE_CAPTIONS = {
    "contrasts": "Comparisons, between arms or within people",
    "arm_stats": "Means and medians of arms",
    "arm_events": "People with an event, arm by arm",
}
# Columns that hold what is printed as numbers; the rest says what, where and how.
NUMBERS = {
    "contrasts": (
        *("measure", "estimate", "ci_low", "ci_high", "ci_level", "iqr_width"),
        *("statistic_name", "statistic", "p_relation", "p_value", "n_1", "n_2"),
        *("correlation", "direction"),
    ),
    "arm_stats": (
        *("statistic_of", "n", "mean", "sd", "se", "unlabelled_spread", "ci_low", "ci_high"),
        *("ci_level", "median", "q1", "q3", "range_low", "range_high"),
    ),
    "arm_events": ("events", "n", "percent", "counted"),
}
# Columns of an effect that say what a row became.
EFFECT = ("construct_label", "measure", "unit", "yi", "ci_low", "ci_high", "is_selected", "rows")
NOTE = (
    "As reported: the printed numbers. Stored as: the columns of the row in data/raw that are "
    "filled. Used: whether the row is the one that is used of its fact. The last column says "
    "what the row became."
)


def values_table(derived: Derived, table: str, rows: pd.DataFrame) -> Table:
    """Every row of one table of results.

    Parameters
    ----------
    derived : Derived
    table : str
        arm_stats, arm_events or contrasts.
    rows : pandas.DataFrame
        Rows of the study, as typed.

    Returns
    -------
    Table
        One row a row of ``data/raw``, in its order.
    """
    evidence = derived.evidence
    outcomes = evidence.text["outcomes"].set_index("outcome_id")
    arms = evidence.text["arms"].set_index("arm_id")["label"]
    became = _became(derived, table, rows)
    told = [
        {
            "result": f"{outcomes.loc[row['outcome_id'], 'construct_label']} "
            f"({outcomes.loc[row['outcome_id'], 'instrument']})",
            "arms": _arms(row, arms),
            "when, whom": _moment(row),
            "as reported": row["as_reported"],
            "stored as": _stored(row, table),
            "used": used_words(row),
            "source": source_cell(evidence, row["source_id"], row["locator"], row["read_from"]),
            "note": row["note"],
            "became": became[row["row_id"]],
        }
        for row in rows_of(rows)
    ]
    return Table(pd.DataFrame(told), VALUE_CAPTIONS[table], NOTE)


def _became(derived: Derived, table: str, rows: pd.DataFrame) -> dict[str, str]:
    """Effects computed with a row, or the reason why there is none, by row_id."""
    effects, left_out = derived.effects, derived.left_out
    own = effects
    if len(effects):
        own = effects.loc[effects["study_id"].isin(rows["study_id"]), list(EFFECT)]
    found: dict[str, list[str]] = {row_id: [] for row_id in rows["row_id"]}
    for effect in rows_of(own):
        main = "a main result" if bool(effect["is_selected"]) else "beside the main results"
        words = f"{effect['construct_label']}, {effect_words(effect)} ({main})"
        for address in str(effect["rows"]).split(" "):
            name, _, row_id = address.partition(":")
            if name == table and row_id in found:
                found[row_id].append(words)
    told = (left_out["table"] == table) & left_out["row_id"].isin(list(found))
    reasons = {
        row["row_id"]: f"no effect: {row['reason']}"
        + ("" if row["usable_for"] == "none" else f"; usable for a {row['usable_for']}")
        for row in rows_of(left_out.loc[told, ["row_id", "reason", "usable_for"]])
    }
    return {
        row_id: "; ".join(dict.fromkeys(words)) or reasons[row_id]
        for row_id, words in found.items()
    }


def _arms(row: dict[str, str], arms: pd.Series) -> str:
    if "arm_id" in row:
        return str(arms[row["arm_id"]])
    if row["arm_2"] in MISSING:
        return str(arms[row["arm_1"]])
    return f"{arms[row['arm_1']]} against {arms[row['arm_2']]}"


def _moment(row: dict[str, str]) -> str:
    week = "" if row["timepoint_weeks"] in MISSING else f"week {row['timepoint_weeks']}"
    parts = [week, "" if row["timepoint"] in MISSING else row["timepoint"]]
    return f"{', '.join(filter(None, parts)) or 'time not reported'}; {row['analysis_set']}"


def _stored(row: dict[str, str], table: str) -> str:
    filled = [
        f"{name} {row[name]}"
        for name in NUMBERS[table]
        if row[name] not in MISSING and row[name] != "not stated"
    ]
    return ", ".join(filled) or "no number"
