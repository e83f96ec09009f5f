"""Tables of printed numbers that do not fit each other, for one indication or all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.provenance import source_cell
from ldn_meta.evidence.citations import short_citation
from ldn_meta.evidence.consistency import UNUSED, roles_of_rows
from ldn_meta.stats.consistency import INCONSISTENT, NOT_CHECKABLE

if TYPE_CHECKING:
    from ldn_meta.display.pages.opened import Opened
    from ldn_meta.evidence.derived import Derived

SEVERITIES = ("high", "medium", "low")
SOURCES = "source against source"
COLUMN_OF_SOURCE = {"claims": "claimed_in"}
NOTE = (
    "Recomputed: from what else is printed, with all that rounding allows; a number is called "
    "inconsistent only if no numbers that print as given fit together. Severity: high if the "
    "number is behind an effect or told as a result of a comparison, or if a conclusion turns; "
    "low if it is only unlikely or not used. A finding is about print, not about people: it says "
    "that two numbers do not fit, not which is wrong nor why."
)
NO_FINDING = "None: every number that could be checked fits what else is printed."


def consistency_table(opened: Opened) -> Table:
    """Printed numbers of one indication that do not fit each other.

    Parameters
    ----------
    opened : Opened

    Returns
    -------
    Table
        One row a finding, the gravest first.
    """
    return findings_table(
        opened.derived,
        inconsistent(opened.derived.consistency),
        caption="Printed numbers that do not fit each other",
    )


def inconsistent(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `consistency.csv` that are inconsistent, the gravest first."""
    found = frame[frame["verdict"] == INCONSISTENT]
    order = found["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    return found.assign(order=order).sort_values(
        ["order", "study_id", "table", "row_id", "check"], kind="stable", ignore_index=True
    )


def findings_table(derived: Derived, found: pd.DataFrame, *, caption: str) -> Table:
    """Show findings with what they mean, whether they enter a result, and their source.

    Parameters
    ----------
    derived : Derived
    found : pandas.DataFrame
        Rows of `consistency.csv`.
    caption : str

    Returns
    -------
    Table
    """
    if found.empty:
        return Table(pd.DataFrame(), caption, NOTE, NO_FINDING)
    roles = roles_of_rows(derived.evidence, derived.effects, derived.left_out)
    rows = []
    for finding in rows_of(found):
        raw = _raw(derived, finding)
        rows.append(
            {
                "study": _study(derived, raw),
                "result": _result(derived, finding["table"], raw),
                "check": finding["check"],
                "printed": finding["printed"],
                "recomputed": finding["recomputed"],
                "what it means": finding["explanation"],
                "severity": finding["severity"],
                "enters": roles.get(f"{finding['table']}:{finding['row_id']}", UNUSED),
                "it stands, because": _why(derived, finding, raw),
                "source": _source(derived, finding["table"], raw),
            }
        )
    return Table(pd.DataFrame(rows), caption, NOTE, NO_FINDING)


def undecided_table(derived: Derived) -> Table:
    """Show what a reader would expect to be checked and cannot be."""
    found = derived.consistency[derived.consistency["verdict"] == NOT_CHECKABLE]
    rows = []
    for finding in rows_of(found):
        raw = _raw(derived, finding)
        rows.append(
            {
                "study": _study(derived, raw),
                "result": _result(derived, finding["table"], raw),
                "check": finding["check"],
                "printed": finding["printed"],
                "why it cannot be decided": finding["explanation"],
                "source": _source(derived, finding["table"], raw),
            }
        )
    return Table(pd.DataFrame(rows), "Cannot be checked with what is printed")


def _raw(derived: Derived, finding: dict[str, Any]) -> dict[str, Any]:
    """The row of data/raw that a finding is about, as typed."""
    table = str(finding["table"])
    text = derived.evidence.text[table]
    key = derived.evidence.dictionary.tables[table].key
    return rows_of(text[text[key] == finding["row_id"]])[0]


def _study(derived: Derived, raw: dict[str, Any]) -> str:
    studies = derived.evidence.text["studies"]
    found = studies[studies["study_id"] == raw["study_id"]]
    if len(found):
        return str(found["label"].iloc[0])
    sources = derived.evidence.text["sources"]
    return short_citation(sources[sources["source_id"] == raw["claimed_in"]].iloc[0])


def _result(derived: Derived, table: str, raw: dict[str, Any]) -> str:
    """What a row is about, for readers."""
    if table == "claims":
        return f"pooled by the review: {raw['construct'].replace('_', ' ')}"
    if table == "study_facts":
        qualifier = "" if raw["qualifier"] == "NA" else f", {raw['qualifier']}"
        return f"{raw['fact'].replace('_', ' ')}{qualifier}"
    if "outcome_id" not in raw:
        return table
    evidence = derived.evidence
    labels = evidence.text["outcomes"].set_index("outcome_id")["construct_label"]
    arms = evidence.text["arms"].set_index("arm_id")["label"]
    arm = f", {arms[raw['arm_id']]}" if "arm_id" in raw else ""
    return f"{labels[raw['outcome_id']]}{arm}"


def _why(derived: Derived, finding: dict[str, Any], raw: dict[str, Any]) -> str:
    """Why a number stands as printed: the entry that accepts it, or that another is used."""
    for entry in derived.evidence.corrections:
        address = (entry.table, entry.row, entry.check)
        if address == (finding["table"], finding["row_id"], finding["check"]):
            return entry.reason
    if raw.get("preferred") == "no":
        return f"another row is used: {raw['preferred_reason']}"
    return "a conclusion of others; it enters no result" if finding["table"] == "claims" else "NA"


def _source(derived: Derived, table: str, raw: dict[str, Any]) -> str:
    source = raw[COLUMN_OF_SOURCE.get(table, "source_id")]
    place = str(raw.get("locator", table)), str(raw.get("read_from", "studies table"))
    return source_cell(derived.evidence, str(source), *place)
