"""Whether the numbers that papers print agree with each other: every check over every row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from ldn_meta.errors import DataError, Fault
from ldn_meta.evidence.candidates import Row
from ldn_meta.evidence.consistency_arms import check_arms
from ldn_meta.evidence.consistency_audit import CHECKED_TABLES, Audit, Finding
from ldn_meta.evidence.consistency_kinds import CHECKS
from ldn_meta.evidence.consistency_people import check_people
from ldn_meta.evidence.consistency_results import check_results
from ldn_meta.evidence.consistency_sources import check_sources
from ldn_meta.evidence.load import VALUE_TABLES
from ldn_meta.evidence.normalise import used_rows
from ldn_meta.stats.consistency import INCONSISTENT, NOT_CHECKABLE, Consistency, PrintedP
from ldn_meta.stats.rounding import NOT_SIGNIFICANT_ABOVE

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

COLUMNS = (
    "table",
    "row_id",
    "study_id",
    "indication_id",
    "check",
    "printed",
    "recomputed",
    "low",
    "high",
    "verdict",
    "severity",
    "is_preferred",
    "is_accepted",
    "explanation",
)
# What a row of results is used for, and so what a wrong number in it would change.
MAIN, BESIDE, TOLD, UNUSED = (
    "a main result",
    "an effect shown beside",
    "told without an effect",
    "no result",
)
NO_STUDY = "NA"
P_CHECKS = ("p against interval", "word against interval")
REMEDY = "correct the cell, or accept it in corrections.yml with a reason"


def check_consistency(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> pd.DataFrame:
    """Put every check to every row of the raw tables.

    Parameters
    ----------
    evidence : Evidence
        Checked raw tables, with the corrections that accept what is known.
    protocol : Protocol
    effects, left_out : pandas.DataFrame
        As ``normalise`` returns them: they say what a row is used for.

    Returns
    -------
    pandas.DataFrame
        One row a check and row of data/raw that has something to check, in COLUMNS:
        ``printed`` and ``recomputed`` in words, ``low`` and ``high`` what rounding allows the
        recomputed number to be (NaN where nothing could be computed), ``verdict``, and for
        inconsistent rows a ``severity``: high if the row is preferred and is behind an effect or
        told as a result of a comparison, or a conclusion that turns from significant to not; low
        for plausibility checks and what is not used; else medium.
    """
    import pandas as pd

    audit = Audit(evidence, protocol)
    roles = roles_of_rows(evidence, effects, left_out)
    accepted = {(c.table, c.row, c.check) for c in evidence.corrections}
    found = chain(
        check_results(audit), check_people(audit), check_arms(audit), check_sources(audit)
    )
    rows = [
        _record(audit, finding, roles, (*_key(finding), finding.check) in accepted)
        for finding in found
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {table: place for place, table in enumerate(CHECKED_TABLES)}
    return frame.sort_values(
        ["table", "row_id", "check"],
        key=lambda column: column.map(order) if column.name == "table" else column,
        kind="stable",
        ignore_index=True,
    )


def refuse_inconsistent(evidence: Evidence, frame: pd.DataFrame) -> None:
    """Stop at printed numbers that cannot be right, are used, and nobody has accepted.

    Parameters
    ----------
    evidence : Evidence
    frame : pandas.DataFrame
        As ``check_consistency`` returns it.

    Raises
    ------
    DataError
        Every preferred row of results with a finding of high severity that corrections.yml does
        not accept; and every entry of corrections.yml that accepts what is consistent.
    """
    faults = [*_unaccepted(evidence, frame), *_not_needed(evidence, frame)]
    if faults:
        raise DataError(faults)


def roles_of_rows(
    evidence: Evidence, effects: pd.DataFrame, left_out: pd.DataFrame
) -> dict[str, str]:
    """What each row of results is used for.

    Parameters
    ----------
    evidence : Evidence
    effects, left_out : pandas.DataFrame
        As ``normalise`` returns them.

    Returns
    -------
    dict of str to str
        MAIN, BESIDE, TOLD or UNUSED by address (table:row_id).
    """
    studies = evidence.studies
    compared = set(studies.loc[studies["eligible_for"] == "contrast", "study_id"])
    roles = {
        f"{table}:{row_id}": UNUSED
        for table in VALUE_TABLES
        for row_id in evidence.tables[table]["row_id"]
    }
    told = left_out[(left_out["usable_for"] != "none") & left_out["study_id"].isin(compared)]
    roles |= dict.fromkeys(told["table"] + ":" + told["row_id"], TOLD)
    if len(effects):
        roles |= dict.fromkeys(used_rows(effects), BESIDE)
        chosen = effects[effects["is_selected"].astype(bool)]
        roles |= dict.fromkeys(used_rows(chosen), MAIN)
    return roles


def consistency_summary(frame: pd.DataFrame) -> list[str]:
    """Counts in one line, then one line for every inconsistent row.

    Parameters
    ----------
    frame : pandas.DataFrame
        As ``check_consistency`` returns it.

    Returns
    -------
    list of str
    """
    wrong = frame[frame["verdict"] == INCONSISTENT]
    open_ones = int((frame["verdict"] == NOT_CHECKABLE).sum())
    accepted = int(wrong["is_accepted"].sum())
    lines = [
        f"{len(frame)} checks of printed numbers: {len(frame) - len(wrong) - open_ones} "
        f"consistent, {len(wrong)} inconsistent ({accepted} of them accepted), "
        f"{open_ones} not checkable"
    ]
    for row in wrong.to_dict("records"):
        state = row["severity"] + (", accepted" if row["is_accepted"] else "")
        lines.append(
            f"  {row['table']}:{row['row_id']}: {row['check']} ({state}): {row['explanation']}"
        )
    return lines


def _record(
    audit: Audit, finding: Finding, roles: dict[str, str], is_accepted: bool
) -> tuple[object, ...]:
    row, result = finding.row, finding.result
    is_wrong = result.verdict == INCONSISTENT
    return (
        row["table"],
        row["row_id"],
        row.get("study_id") or NO_STUDY,
        _indication(audit, row),
        finding.check,
        finding.printed,
        _recomputed(result, CHECKS[finding.check].unit),
        result.low,
        result.high,
        result.verdict,
        _severity(audit, finding, roles) if is_wrong else "NA",
        row.get("preferred", True) is not False,
        is_wrong and is_accepted,
        result.note,
    )


def _key(finding: Finding) -> tuple[str, str]:
    return finding.row["table"], finding.row["row_id"]


def _indication(audit: Audit, row: Row) -> str:
    own = row.get("indication_id")
    return str(own or audit.context.studies[row["study_id"]]["indication_id"])


def _recomputed(result: Consistency, unit: str) -> str:
    if math.isnan(result.low):
        return "none"
    low, high = _digits(result.low), _digits(result.high)
    span = low if low == high else f"{low} to {high}"
    if not math.isnan(result.recomputed) and _digits(result.recomputed) != span:
        span = f"{_digits(result.recomputed)} ({span})"
    return f"{span} {unit}".strip()


def _digits(value: float) -> str:
    return f"{value:.0f}" if value == round(value, 0) and abs(value) < 1e6 else f"{value:.3g}"


def _severity(audit: Audit, finding: Finding, roles: dict[str, str]) -> str:
    row = finding.row
    if CHECKS[finding.check].is_plausibility or row.get("preferred") is False:
        return "low"
    if row["table"] == "claims":
        return "high" if _turns(audit.p(row), finding) else "medium"
    if row["table"] not in VALUE_TABLES:
        return "medium"
    if roles[row["address"]] != UNUSED:
        return "high"
    study = audit.context.studies[row["study_id"]]
    is_set_aside = study["eligible_for"] == "excluded" or row["reliability"] == "low"
    return "low" if is_set_aside else "medium"


def _turns(p: PrintedP | None, finding: Finding) -> bool:
    """Whether a claim is significant as printed and not as recomputed, or the other way round."""
    if p is None or finding.check not in P_CHECKS:
        return False
    told, result = p.is_significant, finding.result
    if p.is_word:
        return True
    turned_off = told is True and result.low > NOT_SIGNIFICANT_ABOVE
    return turned_off or (told is False and result.high <= NOT_SIGNIFICANT_ABOVE)


def _unaccepted(evidence: Evidence, frame: pd.DataFrame) -> Iterator[Fault]:
    for row in frame[
        (frame["verdict"] == INCONSISTENT)
        & (frame["severity"] == "high")
        & frame["is_preferred"]
        & ~frame["is_accepted"]
        & frame["table"].isin(VALUE_TABLES)
    ].to_dict("records"):
        table, column = row["table"], CHECKS[row["check"]].column
        text = evidence.text[table]
        place = list(text["row_id"]).index(row["row_id"])
        column = column if column in text.columns else "-"
        value = "" if column == "-" else str(text[column].iloc[place])
        rule = f"does not fit what else is printed ({row['check']}: {row['explanation']})"
        # The header is line 1, and no cell holds a line break (cells.py).
        yield Fault(table, place + 2, column, value, rule, REMEDY)


def _not_needed(evidence: Evidence, frame: pd.DataFrame) -> Iterable[Fault]:
    wrong = frame[frame["verdict"] == INCONSISTENT]
    known = set(zip(wrong["table"], wrong["row_id"], wrong["check"], strict=True))
    for entry in evidence.corrections:
        if (entry.table, entry.row, entry.check) not in known:
            yield entry.fault("check", "accepts what is consistent", "delete the entry")
