"""Cells of one row that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence

# Lower and upper end of what must be in order.
ENDS = {
    "arm_stats": [
        ("ci_low", "ci_high"),
        ("q1", "median"),
        ("median", "q3"),
        ("q1", "q3"),
        ("range_low", "range_high"),
    ],
    "contrasts": [("ci_low", "ci_high")],
    "study_facts": [("value_low", "value_high")],
    "claims": [("ci_low", "ci_high")],
    "outcomes": [("scale_min", "scale_max")],
}
# A number and the count of its printed decimals; True where the count must be given with it.
DECIMALS = {
    "arm_events": [("percent", "percent_decimals", True)],
    "contrasts": [
        ("p_value", "p_decimals", True),
        ("estimate", "estimate_decimals", False),
    ],
}


def row_faults(evidence: Evidence) -> list[Fault]:
    """Every breach of a rule that one row can break alone.

    Parameters
    ----------
    evidence : Evidence
        The index of its tables is the line of the file. Cells that could not be typed are
        missing in ``tables`` and named by the schema check; no rule here takes them for a
        label such as NR.

    Returns
    -------
    list of Fault
    """
    return [
        fault
        for rule in (_ends, _events, _decimals, _p_values, _pairs)
        for fault in rule(evidence)
    ]


def fault_at(
    evidence: Evidence, table: str, line: Any, column: str, rule: str, remedy: str
) -> Fault:
    """Build a fault with the cell as people typed it; column "-" is the row as a whole."""
    value = "" if column == "-" else str(evidence.text[table].loc[line, column])
    return Fault(table, int(line), column, value, rule, remedy)


def is_given(evidence: Evidence, table: str, column: str) -> pd.Series:
    """Whether cells hold something other than a label for a missing value."""
    return ~evidence.text[table][column].isin(list(evidence.dictionary.missing))


def _ends(evidence: Evidence) -> Iterator[Fault]:
    for name, pairs in ENDS.items():
        frame = evidence.tables[name]
        for low, high in pairs:
            for line in frame.index[frame[low] > frame[high]]:
                printed = evidence.text[name].loc[line, high]
                rule = f"{low} is above {high} ({printed})"
                yield fault_at(evidence, name, line, low, rule, "swap or correct the two")


def _events(evidence: Evidence) -> Iterator[Fault]:
    name = "arm_events"
    frame = evidence.tables[name]
    too_many = (frame["events"] > frame["n"]).fillna(False) & (frame["counted"] == "people")
    for line in frame.index[too_many]:
        rule = f"more people with the event than people ({frame.loc[line, 'n']})"
        remedy = "correct one of the two, or set counted to events"
        yield fault_at(evidence, name, line, "events", rule, remedy)
    nothing = ~is_given(evidence, name, "events") & ~is_given(evidence, name, "percent")
    for line in frame.index[nothing]:
        remedy = "state one, or move the row to contrasts as a statement"
        yield fault_at(evidence, name, line, "-", "neither events nor percent is given", remedy)


def _decimals(evidence: Evidence) -> Iterator[Fault]:
    for name, columns in DECIMALS.items():
        text, frame = evidence.text[name], evidence.tables[name]
        for number, count, is_needed in columns:
            here = is_given(evidence, name, number)
            absent = here & ~is_given(evidence, name, count)
            for line in frame.index[absent] if is_needed else ():
                rule = f"{number} without the count of its printed decimals"
                yield fault_at(evidence, name, line, count, rule, "count them (3 for 0.016)")
            typed = text[number].str.extract(r"\.([0-9]*)$", expand=False).str.len()
            more = here & (typed > frame[count]).fillna(False)
            for line in frame.index[more]:
                rule = f"has more decimals than {count} says ({frame.loc[line, count]})"
                yield fault_at(evidence, name, line, number, rule, "correct one of the two")


def _p_values(evidence: Evidence) -> Iterator[Fault]:
    name = "contrasts"
    frame = evidence.tables[name]
    is_numbered = frame["p_relation"].isin(["=", "<", ">"])
    here = is_given(evidence, name, "p_value")
    for line in frame.index[is_numbered & ~here]:
        remedy = "type the printed p, or use ns / sig / NR as relation"
        yield fault_at(evidence, name, line, "p_value", "p_relation needs a p_value", remedy)
    for line in frame.index[~is_numbered & here]:
        rule = "p_value needs a relation"
        yield fault_at(evidence, name, line, "p_relation", rule, "use =, < or >")


def _pairs(evidence: Evidence) -> Iterator[Fault]:
    name = "contrasts"
    frame = evidence.tables[name]
    is_paired = frame["is_paired"].fillna(False).astype(bool)
    for line in frame.index[is_paired & is_given(evidence, name, "n_2")]:
        remedy = "put the number of pairs in n_1 and NA here"
        yield fault_at(evidence, name, line, "n_2", "a paired comparison has one n", remedy)
    alone = is_given(evidence, name, "correlation") != is_given(
        evidence, name, "correlation_basis"
    )
    for line in frame.index[alone]:
        rule = "correlation and its basis come together"
        yield fault_at(evidence, name, line, "correlation_basis", rule, "fill both or neither")
