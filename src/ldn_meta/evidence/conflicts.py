"""Facts that more than one row states, with different numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.evidence.rules import FACT_KEYS

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence

# The columns that hold the stated value; text, so that 31 and NR differ and 4.50 and 4.5 too
# (a printed digit more is a different statement).
VALUES = {
    "arm_stats": ["n", "mean", "sd", "se", "ci_low", "ci_high", "median"],
    "arm_events": ["events", "n", "percent"],
    "contrasts": ["estimate", "ci_low", "ci_high", "p_value", "p_relation"],
    "study_facts": ["value", "value_low", "value_high"],
}
MISSING = ("NR", "NA", "TODO")


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

    found = []
    for table, fact_key in FACT_KEYS.items():
        # A bare "no difference" and an estimate may contradict each other: kinds of measure meet.
        key = [name for name in fact_key if name != "measure"]
        text = evidence.text[table]
        for values, rows in text.groupby(key, sort=True):
            if len(rows) > 1 and _differ(rows[VALUES[table]]):
                used = rows[rows["preferred"] == "yes"]
                others = rows[rows["preferred"] != "yes"]
                found.append({
                    "study_id": rows["study_id"].iloc[0],
                    "table": table,
                    "fact": _words(dict(zip(key, values, strict=True))),
                    "used": _printed(used),
                    "others": _printed(others),
                    "reason": "; ".join(dict.fromkeys(others["preferred_reason"])),
                    "rows": " ".join(table + ":" + rows["row_id"]),
                })
    columns = ["study_id", "table", "fact", "used", "others", "reason", "rows"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["study_id", "table", "fact"], kind="stable").reset_index(drop=True)


def _differ(values: pd.DataFrame) -> bool:
    """Whether two rows state different values; a cell that is missing contradicts nothing."""
    for column in values.columns:
        stated = {v for v in values[column] if v not in MISSING}
        if len(stated) > 1:
            return True
    return False


def _printed(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row.as_reported} [{row.source_id}, {row.read_from}]" for row in rows.itertuples()
    )


def _words(key: dict[str, str]) -> str:
    parts = []
    for name, value in key.items():
        if name == "study_id" or value in ("NA", "NR"):
            continue
        parts.append(f"week {value}" if name == "timepoint_weeks" else value.replace("_", " "))
    return ", ".join(parts)
