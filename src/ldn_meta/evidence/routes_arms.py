"""Routes from results of each arm (arm_stats.csv) to an effect."""

from __future__ import annotations

import math

from ldn_meta.evidence.arm_pairs import (
    TABLE,
    keep_pair,
    p_row_of,
    paired_se,
    se_of_difference,
    spread,
    starts_of,
)
from ldn_meta.evidence.candidates import CHANGE, NO_ARM, Candidate, Context, Row, number
from ldn_meta.evidence.reports import arm_reports
from ldn_meta.evidence.routes_percent import percent_routes
from ldn_meta.evidence.scales import place_on_scale

WHY_NOT = {
    "baseline": ("describes the people at the start; it is no effect", "none"),
    "end": ("an end value without a comparison or without its spread", "direction"),
    "change": ("a change without its spread or without a comparison", "direction"),
    "percent change": ("a percentage of change without its spread", "direction"),
}
# Comparisons whose p may be the p of a difference of means; the p of a median difference or of
# a ratio answers another question.
P_OF_MEANS = ("MD", "statement")


def arm_routes(context: Context) -> None:
    """Compare the arms of one report; note effects, and a reason for every row."""
    reports = arm_reports(context, TABLE, what="statistic_of")
    starts = [
        row
        for report in reports
        for row in (*report.treated, *report.control)
        if row["statistic_of"] == "baseline" and row["mean"] is not None
    ]
    for report in reports:
        for first in report.treated:
            if first["statistic_of"] == "end" and not report.control:
                _before_after(context, first, starts)
            for second in report.control:
                _two_arms(context, first, second, starts)
    for row in context.table(TABLE):
        context.left_out(row, *WHY_NOT[row["statistic_of"]])


def _two_arms(context: Context, first: Row, second: Row, starts: list[Row]) -> None:
    what = first["statistic_of"]
    if what == "baseline":
        return
    if first["mean"] is None or second["mean"] is None:
        for row in (first, second):
            reason = "no mean is printed" if row["mean"] is None else "the other arm has no mean"
            context.left_out(row, reason, "none")
    elif what == "percent change":
        percent_routes(context, first, second, starts)
    elif context.has_same_people(first):
        _with_exact_p(context, first, second)
        _with_spreads(context, first, second)
    elif not _with_spreads(context, first, second):
        _with_exact_p(context, first, second)


def _with_spreads(context: Context, first: Row, second: Row) -> bool:
    """Difference of two means with the standard errors of both; whether there are any.

    se = sqrt(se_1^2 + se_2^2), less 2 r se_1 se_2 under the root for the same people.
    """
    (se_1, how_1), (se_2, how_2) = spread(first), spread(second)
    if math.isnan(se_1 + se_2):
        return False
    if context.has_same_people(first):
        se = paired_se(context, se_1, se_2)
        route = "arm results of a crossover, correlation assumed"
        people = f"correlation of {context.protocol.correlation:g} between periods assumed"
    else:
        se, people = math.hypot(se_1, se_2), "independent arms"
        is_ci = how_1 == how_2 == "CI"
        route = {
            "end": "end values with SD",
            "change": f"arm changes with {'CI' if is_ci else 'SD'}",
        }[first["statistic_of"]]
    how = how_1 if how_1 == how_2 else f"{how_1} and {how_2}"
    words = (f"standard error from {how} of each arm", people, _of_ends(first))
    difference = number(first["mean"]) - number(second["mean"])
    keep_pair(context, first, second, (difference, se), route=route, assumptions=words)
    return True


def _with_exact_p(context: Context, first: Row, second: Row) -> None:
    """Difference of two means with the printed p of their comparison."""
    p_row = p_row_of(context, first, second, measures=P_OF_MEANS)
    if p_row is None:
        return
    se, words = se_of_difference(context, first, second, p_row)
    if math.isnan(se):
        return
    keep_pair(
        context,
        first,
        second,
        (number(first["mean"]) - number(second["mean"]), se),
        route="arm changes with exact p of the difference",
        assumptions=(
            "difference of the two printed means",
            f"two-sided p from {words}",
            _of_ends(first),
        ),
        others=(p_row,),
    )


def _of_ends(first: Row) -> str:
    is_end = first["statistic_of"] == "end"
    return "end values compared, baseline not adjusted for" if is_end else ""


def _before_after(context: Context, end: Row, starts: list[Row]) -> None:
    """One arm's end value against its own start, with an assumed correlation."""
    own = [row for row in starts_of(end, starts) if row["source_id"] == end["source_id"]]
    if not own or end["mean"] is None:
        return
    start = own[0]
    se_1, se_2 = spread(end)[0], spread(start)[0]
    if math.isnan(se_1 + se_2):
        return
    if end["n"] != start["n"]:
        context.left_out(end, "not the same people at the start and at the end", "direction")
        return
    place = place_on_scale(context, end["outcome_id"], "MC")
    correlation = context.protocol.correlation
    context.keep(
        Candidate(
            kind=CHANGE,
            lead=end,
            arm_1=end["arm_id"],
            arm_2=NO_ARM,
            measure="MC",
            unit=place.unit,
            yi=(number(end["mean"]) - number(start["mean"])) * place.factor,
            vi=(paired_se(context, se_1, se_2) * place.factor) ** 2,
            n_1=number(end["n"]),
            n_2=math.nan,
            route="baseline and end values, correlation assumed",
            assumptions=(
                f"correlation of {correlation:g} between start and end assumed",
                place.assumption,
            ),
            rows=(end["address"], start["address"]),
            is_paired=True,
            approximate=True,
            has_known_scale=place.is_known,
        )
    )
