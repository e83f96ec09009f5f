"""Another source that states the same fact: with the same value, or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from ldn_meta.evidence.candidates import Row
from ldn_meta.evidence.conflicts import FACT_KEYS, VALUES
from ldn_meta.evidence.consistency_audit import Audit, Finding
from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    Consistency,
    agreement,
    same_p,
    same_value,
)

# Columns that count people; nobody rounds them.
COUNTS = ("n", "events")


def check_sources(audit: Audit) -> Iterator[Finding]:
    """Compare every row that is not preferred with the preferred row of the same fact.

    Two values agree if one number can print as both (1.6 and 1.64), two statements about
    significance if one p can be behind both. `conflicts` shows the rest with the reasons.

    Parameters
    ----------
    audit : Audit

    Yields
    ------
    Finding
    """
    for table, key in FACT_KEYS.items():
        # A bare "no difference" and an estimate may contradict each other: kinds of measure meet.
        names = [name for name in key if name != "measure"]

        def fact(row: Row, names: list[str] = names) -> tuple[str, ...]:
            return tuple(str(row[name]) for name in names)

        for _, members in groupby(sorted(audit.rows[table], key=fact), key=fact):
            rows = list(members)
            used = [row for row in rows if row["preferred"]]
            for row in rows:
                if row["preferred"]:
                    continue
                found = [
                    (other, result)
                    for other in used
                    for result in _comparisons(audit, table, row, other)
                ]
                if not found:
                    continue
                worst = next((f for f in found if f[1].verdict == INCONSISTENT), found[0])
                told = _told(audit, row), _told(audit, worst[0])
                words = "agrees with" if worst[1].verdict == CONSISTENT else "does not fit"
                result = replace(worst[1], note=f"{told[0]} {words} {told[1]}")
                yield Finding("source against source", row, "; ".join(told), result)


def _comparisons(audit: Audit, table: str, row: Row, other: Row) -> Iterator[Consistency]:
    if table == "study_facts":
        yield from _facts(audit, row, other)
    elif row.get("measure") == other.get("measure"):
        for column in VALUES[table]:
            if column in COUNTS and row[column] is not None and other[column] is not None:
                yield _exactly(row[column], other[column])
                continue
            one, two = audit.printed(row, column), audit.printed(other, column)
            if one is not None and two is not None:
                yield same_value(one, two)
    if "p_relation" in row:
        p, q = audit.p(row), audit.p(other)
        if p is not None and q is not None:
            yield same_p(p, q)


def _exactly(one: float, other: float) -> Consistency:
    """Numbers that nobody rounds: people, doses, weeks."""
    return agreement((one, one), other, other, other, note=f"{one:g} and {other:g}")


def _facts(audit: Audit, row: Row, other: Row) -> Iterator[Consistency]:
    """Two values of a fact: are they equal, or, where one is a range, do they meet."""
    if audit.is_inexact(row, "value") or audit.is_inexact(other, "value"):
        return
    # "Phase II" and "one of the cases" are no printed numbers.
    if not all(any(map(str.isdigit, audit.cell(r, "as_reported"))) for r in (row, other)):
        return
    one, two = _ends(row), _ends(other)
    if one is not None and two is not None:
        note = f"{_words(one)} and {_words(two)}"
        yield agreement(one, (two[0] + two[1]) / 2, *two, note=note)


def _ends(row: Row) -> tuple[float, float] | None:
    if row["value"] is not None:
        return row["value"], row["value"]
    low, high = row["value_low"], row["value_high"]
    return None if low is None or high is None else (low, high)


def _words(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g} to {ends[1]:g}"


def _told(audit: Audit, row: Row) -> str:
    said, p = audit.cell(row, "as_reported"), audit.p(row)
    if p is not None and p.is_word:
        said = "not significant" if p.relation == "ns" else "significant"
    return f"{said or 'no number'} [{row['source_id']}]"
