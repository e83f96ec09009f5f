"""What a new trial is asked, in which order, and which questions an answer makes needless."""

from __future__ import annotations

from collections.abc import Callable

from ldn_meta.evidence.usual_cells import Row, is_value

# Columns that are not here have a usual value (evidence/new_rows.py); an answer file can give any.
ASKED = {
    "sources": (
        *("kind", "authors", "year", "title", "container", "doi", "pmid", "registry_id"),
        *("url", "source_id"),
    ),
    "studies": (
        *("study_id", "indication_id", "label", "year", "status", "design", "is_randomised"),
        *("blinding", "washout", "population", "intervention", "dose_low_mg_per_day"),
        *("dose_high_mg_per_day", "comparator", "comparator_class", "duration_weeks"),
        *("n_enrolled", "n_randomised", "n_completed", "n_analysed", "registry_id"),
        *("eligible_for", "eligibility_reason", "overlaps_with", "note"),
    ),
    "arms": (
        *("group", "label", "treatment", "n_randomised", "n_completed", "n_analysed"),
        *("locator", "as_reported", "arm_id"),
    ),
    "outcomes": (
        *("outcome_id", "construct", "construct_label", "instrument", "kind", "domain"),
        *("benefit_sign", "scale_min", "scale_max", "unit", "threshold_pct", "responder_rule"),
    ),
    "study_facts": (
        *("fact", "qualifier", "value", "value_low", "value_high", "range_kind", "unit"),
        *("locator", "as_reported", "read_from"),
    ),
    "arm_stats": (
        *("arm_id", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set"),
        *("statistic_of", "n", "mean", "sd", "se", "ci_low", "ci_high", "ci_level", "median"),
        *("q1", "q3", "locator", "as_reported", "read_from", "note"),
    ),
    "arm_events": (
        *("arm_id", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set", "counted"),
        *("events", "n", "percent", "locator", "as_reported", "read_from", "note"),
    ),
    "contrasts": (
        *("arm_1", "arm_2", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set"),
        *("measure", "is_paired", "is_adjusted", "estimate", "ci_low", "ci_high", "ci_level"),
        *("p_value", "p_relation", "n_1", "n_2", "direction", "locator", "as_reported"),
        *("read_from", "note"),
    ),
}
# Which rows the report can be asked for after the arms, as people say it.
VALUE_KINDS = {
    "difference": "contrasts",
    "means": "arm_stats",
    "events": "arm_events",
    "fact": "study_facts",
    "done": "",
}
# Columns whose answer is the usual one for the rows after it.
CARRIED = ("locator", "read_from", "outcome_id", "timepoint_weeks", "analysis_set", "statistic_of")


def _no(*columns: str) -> Callable[[Row], bool]:
    return lambda row: not any(is_value(row.get(column)) for column in columns)


def _is_text_only(row: Row) -> bool:
    return row.get("measure") == "statement"


_NEEDLESS: dict[tuple[str, str], Callable[[Row], bool]] = {
    ("sources", "url"): lambda row: not _no("doi", "pmid")(row),
    ("studies", "washout"): lambda row: "crossover" not in row.get("design", ""),
    ("arm_stats", "timepoint"): lambda row: is_value(row.get("timepoint_weeks")),
    ("arm_events", "timepoint"): lambda row: is_value(row.get("timepoint_weeks")),
    ("contrasts", "timepoint"): lambda row: is_value(row.get("timepoint_weeks")),
    ("arm_stats", "se"): lambda row: is_value(row.get("sd")),
    ("arm_stats", "ci_high"): _no("ci_low"),
    ("arm_stats", "ci_level"): _no("ci_low"),
    ("arm_stats", "q1"): _no("median"),
    ("arm_stats", "q3"): _no("median"),
    ("contrasts", "estimate"): _is_text_only,
    ("contrasts", "ci_low"): _no("estimate"),
    ("contrasts", "ci_high"): _no("ci_low"),
    ("contrasts", "ci_level"): _no("ci_low"),
    ("contrasts", "n_2"): lambda row: row.get("is_paired") == "yes",
    ("outcomes", "scale_min"): lambda row: row.get("kind") != "continuous",
    ("outcomes", "scale_max"): lambda row: row.get("kind") != "continuous",
    ("outcomes", "threshold_pct"): lambda row: row.get("kind") != "binary",
    ("outcomes", "responder_rule"): lambda row: row.get("kind") != "binary",
    ("study_facts", "range_kind"): _no("value_low", "value_high"),
}


def is_needless(table: str, column: str, row: Row) -> bool:
    """Whether the answers before make a question needless.

    Parameters
    ----------
    table, column : str
    row : dict of str to str
        Answers of the row so far.
    """
    rule = _NEEDLESS.get((table, column))
    return rule is not None and rule(row)
