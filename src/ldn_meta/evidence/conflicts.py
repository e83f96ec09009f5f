"""Facts that more than one row states, with different numbers."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence

# Rows that agree in these columns state the same fact, whatever their source.
FACT_KEYS = {
    "arm_stats": [
        "study_id",
        "arm_id",
        "outcome_id",
        "timepoint_weeks",
        "timepoint",
        "analysis_set",
        "statistic_of",
    ],
    "arm_events": [
        "study_id",
        "arm_id",
        "outcome_id",
        "timepoint_weeks",
        "timepoint",
        "analysis_set",
        "counted",
    ],
    "contrasts": [
        "study_id",
        "arm_1",
        "arm_2",
        "outcome_id",
        "timepoint_weeks",
        "timepoint",
        "analysis_set",
        "measure",
    ],
    "study_facts": ["study_id", "fact", "qualifier"],
}
# The columns that hold the stated value. As text: 4.50 and 4.5 differ, for a printed digit more
# is a different statement.
VALUES = {
    "arm_stats": ["n", "mean", "sd", "se", "ci_low", "ci_high", "median"],
    "arm_events": ["events", "n", "percent"],
    "contrasts": ["estimate", "ci_low", "ci_high"],
    "study_facts": ["value", "value_low", "value_high"],
}
SIGNIFICANT_BELOW = 0.05


def conflicts(evidence: Evidence) -> pd.DataFrame:
    """Facts with more than one value.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    pandas.DataFrame
        study_id, table, fact (in words), used (numbers as printed, with source), others,
        reason (of the rows that are not used), rows.
    """
    import pandas as pd

    missing = set(evidence.dictionary.missing)
    found = []
    for table, fact_key in FACT_KEYS.items():
        # A bare "no difference" and an estimate may contradict each other: kinds of measure meet.
        key = [name for name in fact_key if name != "measure"]
        text = evidence.text[table]
        for _, rows in text[text.duplicated(key, keep=False)].groupby(key, sort=True):
            stated = [
                {str(name): cell for name, cell in row.items() if cell not in missing}
                for row in rows.to_dict("records")
            ]
            pairs = combinations(stated, 2)
            if not any(_contradict(one, other, VALUES[table]) for one, other in pairs):
                continue
            is_used = rows["preferred"] == "yes"
            fact = {name: str(rows[name].iloc[0]) for name in key}
            found.append(
                (
                    fact["study_id"],
                    table,
                    _words(fact, missing),
                    _printed(rows[is_used]),
                    _printed(rows[~is_used]),
                    "; ".join(dict.fromkeys(rows.loc[~is_used, "preferred_reason"])),
                    " ".join(table + ":" + rows["row_id"]),
                )
            )
    columns = ["study_id", "table", "fact", "used", "others", "reason", "rows"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["study_id", "table", "fact"], kind="stable", ignore_index=True)


def _contradict(one: dict[str, str], other: dict[str, str], values: list[str]) -> bool:
    """Whether two rows about one fact differ; a cell that is missing contradicts nothing."""
    differ = any(one[v] != other[v] for v in values if v in one and v in other)
    if one.get("measure") != other.get("measure"):
        # A difference and a standardised difference are two numbers of one result; one number
        # that two sources call by two names is not.
        is_same = "estimate" in one and one["estimate"] == other.get("estimate")
        return is_same or _p_values_contradict(one, other)
    return differ or _p_values_contradict(one, other)


def _p_values_contradict(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether two statements about significance exclude each other; words may meet numbers."""
    stated = {
        (row["p_relation"], row.get("p_value")) for row in (one, other) if "p_relation" in row
    }
    words = [relation for relation, p in stated if p is None]
    numbers = [(relation, float(p)) for relation, p in stated if p is not None]
    if len(stated) < 2 or not words:
        return len(stated) > 1
    if not numbers:
        return True
    (word,), ((relation, p),) = words, numbers
    if word == "ns":
        return relation in "=<" and p < SIGNIFICANT_BELOW
    return relation in "=>" and p > SIGNIFICANT_BELOW


def _printed(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row['as_reported']} [{row['source_id']}, {row['read_from']}]"
        for row in rows.to_dict("records")
    )


def _words(fact: dict[str, str], missing: set[str]) -> str:
    parts = []
    for name, value in fact.items():
        if name != "study_id" and value not in missing:
            is_week = name == "timepoint_weeks"
            parts.append(f"week {value}" if is_week else value.replace("_", " "))
    return ", ".join(parts)
