"""Which rows are arms of the same report, and so may be compared."""

from __future__ import annotations

from dataclasses import dataclass

from ldn_meta.evidence.candidates import COMPARATOR, FURTHER, LDN, Context, Row

SAME = ("study_id", "outcome_id", "analysis_set", "source_id")


@dataclass(frozen=True)
class Report:
    """Results of the arms of one study: one source, outcome, moment and set of people."""

    treated: tuple[Row, ...]
    control: tuple[Row, ...]


def arm_reports(context: Context, table: str, *, what: str) -> list[Report]:
    """Group the rows of a table into reports.

    Parameters
    ----------
    context : Context
        Told of rows of further arms, and of rows that stand beside another of the same arm.
    table : str
        arm_stats or arm_events.
    what : str
        Column that says which quantity a row describes; only equal ones are compared.

    Returns
    -------
    list of Report
        In the order of the table.
    """
    groups: dict[tuple[object, ...], dict[str, list[Row]]] = {}
    for row in context.eligible(table):
        if context.arms[row["arm_id"]]["group"] == FURTHER:
            context.left_out(row, "a further arm that the question does not compare", "none")
            continue
        key = (*_moment(context, row), row[what], *(row[name] for name in SAME))
        groups.setdefault(key, {}).setdefault(row["arm_id"], []).append(row)
    return [_report(context, arms) for arms in groups.values()]


def _moment(context: Context, row: Row) -> tuple[object, object]:
    """Words and week of a measurement; in a crossover the words alone, when there are any.

    The periods of a crossover may differ in length: "end of condition" is then the same moment
    of both, at different weeks.
    """
    if context.has_same_people(row) and row["timepoint"] is not None:
        return row["timepoint"], None
    return row["timepoint"], row["timepoint_weeks"]


def _report(context: Context, arms: dict[str, list[Row]]) -> Report:
    by_group: dict[int, list[Row]] = {LDN: [], COMPARATOR: []}
    for arm_id, rows in arms.items():
        # False sorts first: the preferred row, else the first one.
        used, *others = sorted(rows, key=lambda row: not row["preferred"])
        by_group[context.arms[arm_id]["group"]].append(used)
        for row in others:
            context.left_out(row, f"{used['row_id']} gives the same result of this arm", "none")
    report = Report(tuple(by_group[LDN]), tuple(by_group[COMPARATOR]))
    if report.treated and report.control:
        context.compared |= {row["address"] for row in (*report.treated, *report.control)}
    return report
