"""Routes from percentages of change of two arms to an effect on the scale."""

from __future__ import annotations

import math

from ldn_meta.evidence.arm_pairs import (
    keep_pair,
    p_row_of,
    paired_se,
    se_of_difference,
    spread,
    starts_of,
)
from ldn_meta.evidence.candidates import Context, Row, number

P_OF_PERCENTAGES = ("percent point difference", "percent change", "statement")


def percent_routes(context: Context, first: Row, second: Row, starts: list[Row]) -> None:
    """Place a difference of two percentages of change on the scale; note effects and reasons.

    effect = (percentage_1 - percentage_2) / 100 x mean at the start, and its standard error
    likewise. Two means at the start, of arms that chance made alike, are taken for one. Taking
    the mean of percentages for the percentage of means makes every such effect approximate.

    Parameters
    ----------
    context : Context
    first, second : Row
        Rows of arm_stats.csv about "percent change", of LDN and of the comparator.
    starts : list of Row
        Means before treatment.
    """
    own = [
        row
        for arm in (first, second)
        for row in [r for r in starts_of(arm, starts) if r["preferred"]][:1]
    ]
    construct = context.outcomes[first["outcome_id"]]["construct"]
    if not own or construct not in context.protocol.scales:
        for row in (first, second):
            reason = "a percentage of change without the mean at the start on a common scale"
            context.left_out(row, reason, "direction")
        return
    base = sum(number(row["mean"]) for row in own) / len(own)
    points = number(first["mean"]) - number(second["mean"])
    shared = (
        f"per cent of change times the baseline mean of {base:g}: the mean of percentages is "
        "taken for the percentage of means, and the baseline as known"
    )

    def keep(se: float, route: str, words: str, *others: Row) -> None:
        keep_pair(
            context,
            first,
            second,
            (points * base / 100, se * base / 100),
            route=route,
            assumptions=(shared, words),
            others=(*own, *others),
            approximate=True,
        )

    p_row = p_row_of(context, first, second, measures=P_OF_PERCENTAGES)
    if p_row is not None:
        se, words = se_of_difference(context, first, second, p_row)
        if not math.isnan(se):
            route = "percent changes with exact p, times baseline"
            keep(se, route, f"two-sided p from {words}", p_row)
    se_1, se_2 = spread(first)[0], spread(second)[0]
    if context.has_same_people(first) and not math.isnan(se_1 + se_2):
        keep(
            paired_se(context, se_1, se_2),
            "percent changes with CI, correlation assumed, times baseline",
            f"correlation of {context.protocol.correlation:g} between periods assumed",
        )
