"""Checks of people: percentages, counts, arms and totals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ldn_meta.evidence.candidates import Row
from ldn_meta.evidence.consistency_audit import SIZES, Audit, Finding
from ldn_meta.evidence.links import SPLIT_DESIGNS
from ldn_meta.stats.consistency import Printed, not_checkable
from ldn_meta.stats.consistency_counts import (
    common_denominator,
    percent_against_n,
    percent_of_some_n,
)
from ldn_meta.stats.consistency_totals import (
    nnt_against_percents,
    no_more_than,
    parts_against_total,
)

VALUES_WITH_N = ("arm_stats", "arm_events")
# Percentages of one instrument at one moment, told by one source, are of the same people.
TOGETHER = ("study_id", "arm_id", "source_id", "timepoint_weeks", "timepoint", "analysis_set")
SEQUENCES = {
    ("n_sequence_1", "n_sequence_2"): ("n_randomised", "n_enrolled"),
    ("n_completed_sequence_1", "n_completed_sequence_2"): ("n_completed",),
}


def check_people(audit: Audit) -> Iterator[Finding]:
    """Every check of people.

    Parameters
    ----------
    audit : Audit

    Yields
    ------
    Finding
    """
    counted = [row for row in audit.rows["arm_events"] if row["counted"] == "people"]
    for row in counted:
        if audit.cell(row, "percent"):
            yield _percentage(audit, row)
    yield from _together(audit, counted)
    for row in audit.rows["contrasts"]:
        if row["measure"] == "NNT" and audit.cell(row, "estimate"):
            yield _nnt(audit, row)
    for table in VALUES_WITH_N:
        yield from _within_arm(audit, table)
    yield from _studies_and_arms(audit)
    yield from _facts(audit)


def _percentage(audit: Audit, row: Row) -> Finding:
    percent = audit.printed(row, "percent")
    events = None if row["events"] is None else int(row["events"])
    n = None if row["n"] is None else int(row["n"])
    counted = "" if events is None else f"{events} people, "
    shown = f"{counted}{audit.cell(row, 'percent')}% of {'an n not stated' if n is None else n}"
    check = "percentage of the arm" if n is None else "percentage of n"
    if percent is None:
        found = not_checkable("the percentage is printed as a bound or a guess")
    elif n is not None:
        found = percent_against_n(percent, n, events=events)
    else:
        sizes = audit.sizes(row)
        if sizes is None:
            found = not_checkable("neither the denominator nor the size of the arm is on file")
        else:
            found = percent_of_some_n(percent, *sizes, events=events)
    return Finding(check, row, shown, found)


def _together(audit: Audit, counted: list[Row]) -> Iterator[Finding]:
    outcomes = audit.context.outcomes

    def group(row: Row) -> tuple[str, ...]:
        return tuple(
            str(value)
            for value in (
                outcomes[row["outcome_id"]]["instrument"],
                *(row[name] for name in TOGETHER),
            )
        )

    for _, members in groupby(sorted(counted, key=group), key=group):
        rows = [(row, audit.printed(row, "percent")) for row in members]
        told = [(row, percent) for row, percent in rows if percent is not None]
        if len(told) < 2 or all(row["n"] is not None for row, _ in told):
            continue
        sizes = audit.sizes(told[0][0])
        if sizes is None:
            continue
        events = [None if row["events"] is None else int(row["events"]) for row, _ in told]
        percents = [percent for _, percent in told]
        found = common_denominator(percents, sizes[1], events=events)
        shown = " and ".join(
            f"{percent}% ({outcomes[row['outcome_id']]['construct_label']})"
            for row, percent in told
        )
        # One line for the group, at its first row.
        yield Finding("percentages together", told[0][0], shown, found)


def _nnt(audit: Audit, row: Row) -> Finding:
    nnt = audit.printed(row, "estimate")
    arms = [audit.of_arm("arm_events", row, row[arm]) for arm in ("arm_1", "arm_2")]
    percents = [_percent_of(audit, rows[0]) if rows else None for rows in arms]
    shown = f"NNT {audit.cell(row, 'estimate')}"
    if nnt is None or percents[0] is None or percents[1] is None:
        found = not_checkable("the percentages of the two arms are not on file")
    else:
        found = nnt_against_percents(nnt, percents[0], percents[1])
        shown = f"{shown}; {percents[0]}% against {percents[1]}%"
    return Finding("NNT against percentages", row, shown, found)


def _percent_of(audit: Audit, row: Row) -> Printed | None:
    if row["events"] is not None and row["n"]:
        # Exact to far more digits than any number needed to treat has.
        return Printed(round(100 * row["events"] / row["n"], 9), 9)
    return audit.printed(row, "percent")


def _within_arm(audit: Audit, table: str) -> Iterator[Finding]:
    for row in audit.rows[table]:
        arm = audit.context.arms[row["arm_id"]]
        if row["n"] is None or arm["n_randomised"] is None:
            continue
        n, randomised = int(row["n"]), int(arm["n_randomised"])
        shown = f"n = {n}; {randomised} randomised to the arm"
        yield Finding("people in order", row, shown, no_more_than(n, randomised))


def _studies_and_arms(audit: Audit) -> Iterator[Finding]:
    for table in ("studies", "arms"):
        for row in audit.rows[table]:
            began = next(
                (name for name in ("n_randomised", "n_enrolled") if row.get(name) is not None),
                None,
            )
            later = [
                name
                for name in ("n_randomised", "n_completed", "n_analysed")
                if name != began and row.get(name) is not None
            ]
            if table == "studies" and row["n_enrolled"] is not None and began == "n_randomised":
                began, later = "n_enrolled", ["n_randomised", *later]
            if began is None or not later:
                continue
            largest = max(later, key=lambda name: int(row[name]))
            shown = f"{_words(began)} {row[began]}; " + ", ".join(
                f"{_words(name)} {row[name]}" for name in later
            )
            yield Finding(
                "people in order", row, shown, no_more_than(int(row[largest]), int(row[began]))
            )
    arms = audit.context.arms.values()
    for study in audit.rows["studies"]:
        if study["design"] not in SPLIT_DESIGNS:
            continue
        for name in SIZES[1:]:
            of_arms = [arm[name] for arm in arms if arm["study_id"] == study["study_id"]]
            if study[name] is None or not of_arms or None in of_arms:
                continue
            parts = [int(size) for size in of_arms]
            shown = f"{_words(name)}: {' + '.join(map(str, parts))}; {study[name]} in all"
            found = parts_against_total(parts, int(study[name]))
            yield Finding("parts and total", study, shown, found)
            break


def _facts(audit: Audit) -> Iterator[Finding]:
    """Sequences against the study, and who left against who stayed."""
    facts = [
        row
        for row in audit.rows["study_facts"]
        if row["preferred"] and row["value"] is not None and row["value"] == int(row["value"])
    ]
    for _, members in groupby(facts, key=lambda row: str(row["study_id"])):
        of_study = list(members)
        for parts, totals in SEQUENCES.items():
            found = [_one(of_study, part) for part in parts]
            total = next(
                (
                    row
                    for fact in totals
                    if (row := _plain(of_study, fact) or _one(of_study, fact))
                ),
                None,
            )
            if all(found) and total is not None:
                sizes = [int(row["value"]) for row in found if row is not None]
                shown = f"{' + '.join(map(str, sizes))}; {int(total['value'])} in all"
                result = parts_against_total(sizes, int(total["value"]))
                yield Finding("parts and total", total, shown, result)
        yield from _who_left(of_study)


def _who_left(of_study: list[Row]) -> Iterator[Finding]:
    left = _one(of_study, "n_withdrawn")
    began = _plain(of_study, "n_randomised") or _plain(of_study, "n_enrolled")
    stayed = _plain(of_study, "n_completed") or _plain(of_study, "n_analysed")
    if left is None or began is None or stayed is None:
        return
    sizes = [int(row["value"]) for row in (began, left, stayed)]
    shown = f"{sizes[0]} began, {sizes[1]} left, {sizes[2]} stayed"
    if sizes[1] + sizes[2] < sizes[0]:
        result = not_checkable("others may have left for other reasons")
    else:
        result = parts_against_total(sizes[1:], sizes[0])
    yield Finding("parts and total", left, shown, result)


def _plain(of_study: list[Row], fact: str) -> Row | None:
    return next((r for r in of_study if r["fact"] == fact and r["qualifier"] is None), None)


def _one(of_study: list[Row], fact: str) -> Row | None:
    found = [row for row in of_study if row["fact"] == fact]
    return found[0] if len(found) == 1 else None


def _words(column: str) -> str:
    return column.removeprefix("n_")
