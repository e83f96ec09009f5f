"""Facts that more than one row states, with different numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.contradiction import contradict, is_rounding

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

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
PREFERRED, NOT_STATED = "yes", "not stated"
# Kinds of conflict: two numbers; one number printed with more and with fewer digits; the same
# outcome in two sets of people.
DIFFERENT, ROUNDING, ANALYSIS_SET = "different", "rounding only", "analysis set"
COLUMNS = (
    *("study_id", "table", "fact", "kind", "used", "others", "reason", "rows"),
    *("used_rows", "other_rows"),
)


class Fact(NamedTuple):
    """Rows about one fact: those in use, and those beside them."""

    used: pd.DataFrame
    others: pd.DataFrame


def conflicts(evidence: Evidence, protocol: Protocol) -> pd.DataFrame:
    """Facts with more than one value.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol
        Says which of two analysis sets goes first.

    Returns
    -------
    pandas.DataFrame
        study_id, table, fact (in words), kind ("different", "rounding only" or "analysis
        set"), used (numbers as printed, with source), others, reason (of the rows that are not
        used), rows, used_rows, other_rows (addresses ``table:row_id``).
    """
    import pandas as pd

    missing = set(evidence.dictionary.missing)
    found = []
    for table in FACT_KEYS:
        text = evidence.text[table]
        for used, others in [
            *_stated_twice(text, table, missing),
            *_by_analysis_set(text, table, protocol.selection.analysis_sets),
        ]:
            kind = _kind(used, others, VALUES[table], missing)
            if kind is None:
                continue
            one = others.iloc[0].to_dict()
            fact = {name: str(one[name]) for name in _key(table)}
            addresses = [(table + ":" + rows["row_id"]).to_list() for rows in (used, others)]
            found.append(
                (
                    fact["study_id"],
                    table,
                    _words(fact, missing),
                    kind,
                    _printed(used),
                    _printed(others),
                    _reason(kind, others),
                    " ".join(sorted([*addresses[0], *addresses[1]])),
                    *(" ".join(rows) for rows in addresses),
                )
            )
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    return frame.sort_values(["study_id", "table", "fact"], kind="stable", ignore_index=True)


def without_preferred(text: pd.DataFrame, table: str, missing: Collection[str]) -> list[int]:
    """Index of the first row of every fact of which no row is preferred.

    Parameters
    ----------
    text : pandas.DataFrame
        A table of FACT_KEYS as typed.
    table : str
    missing : collection of str
        Labels for missing values.

    Returns
    -------
    list of int
    """
    return [
        int(fact.others.index[0])
        for fact in _stated_twice(text, table, missing)
        if fact.used.empty
    ]


def _key(table: str) -> list[str]:
    """Columns that name a fact; a bare "no difference" may contradict an estimate."""
    return [name for name in FACT_KEYS[table] if name != "measure"]


def _stated_twice(text: pd.DataFrame, table: str, missing: Collection[str]) -> Iterator[Fact]:
    """Facts with rows that are not preferred.

    Such a row alone is set against the preferred rows of the same people, outcome and time in
    any analysis set: secondary sources seldom say which set they quote.
    """
    people = _same_people(text, table, missing)
    is_preferred = text["preferred"] == PREFERRED
    # Of most facts every row is preferred: they are not looked at one by one.
    is_whole = is_preferred.groupby([text[name] for name in _key(table)]).transform("all")
    for _, rows in text[~is_whole].groupby(_key(table), sort=True):
        chosen = is_preferred[rows.index]
        if chosen.any():
            yield Fact(rows[chosen], rows[~chosen])
        else:
            beside = text[is_preferred & (people == people[rows.index[0]])]
            yield Fact(beside, rows)


def _by_analysis_set(text: pd.DataFrame, table: str, order: Sequence[str]) -> Iterator[Fact]:
    """Facts with preferred rows in more than one stated analysis set."""
    if "analysis_set" not in FACT_KEYS[table]:
        return
    stated = text[(text["preferred"] == PREFERRED) & (text["analysis_set"] != NOT_STATED)]
    key = [name for name in FACT_KEYS[table] if name != "analysis_set"]
    for _, rows in stated.groupby(key, sort=True):
        first = min(rows["analysis_set"], key=order.index)
        is_first = rows["analysis_set"] == first
        if not is_first.all():
            yield Fact(rows[is_first], rows[~is_first])


def _same_people(text: pd.DataFrame, table: str, missing: Collection[str]) -> pd.Series:
    """One word for people, outcome and time of each row; of the time, a known week is enough."""
    names = [n for n in _key(table) if n not in ("analysis_set", "timepoint", "timepoint_weeks")]
    words = text[names].agg("|".join, axis=1)
    if "timepoint" not in FACT_KEYS[table]:
        return words
    has_week = ~text["timepoint_weeks"].isin(list(missing))
    return words + "|" + text["timepoint_weeks"].where(has_week, text["timepoint"])


def _kind(
    used: pd.DataFrame, others: pd.DataFrame, values: list[str], missing: Collection[str]
) -> str | None:
    """How the rows differ; None when nothing contradicts what is used."""
    first, second = _rows(used, missing), _rows(others, missing)
    sets = {row.get("analysis_set") for row in first}
    apart = []
    for other in second:
        pairs = [(one, other) for one in first if contradict(one, other, values)]
        # A row that fits one of several analysis sets in use repeats it.
        if sets == {one.get("analysis_set") for one, _ in pairs}:
            apart += pairs
    if not apart:
        return None
    if second[0]["preferred"] == PREFERRED:
        return ANALYSIS_SET
    is_close = all(
        any(is_rounding(one, other, values) for one, rival in apart if rival is other)
        for _, other in apart
    )
    return ROUNDING if is_close else DIFFERENT


def _rows(rows: pd.DataFrame, missing: Collection[str]) -> list[dict[str, str]]:
    """Rows as dicts of the cells that state something."""
    return [
        {str(name): cell for name, cell in row.items() if cell not in missing}
        for row in rows.to_dict("records")
    ]


def _reason(kind: str, others: pd.DataFrame) -> str:
    if kind == ANALYSIS_SET:
        return "the protocol takes the other analysis set first"
    return "; ".join(dict.fromkeys(others["preferred_reason"]))


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
