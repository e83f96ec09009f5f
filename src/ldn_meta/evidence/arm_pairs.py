"""What two arms of one report (arm_stats.csv) have to give: spreads, a printed p, an effect."""

from __future__ import annotations

import math
from collections.abc import Collection

from ldn_meta.evidence.candidates import CONTRAST, Candidate, Context, Row, number
from ldn_meta.evidence.exact_p import se_from_exact_p
from ldn_meta.evidence.scales import place_on_scale
from ldn_meta.stats.convert import change_sd, se_from_ci

TABLE = "arm_stats"


def spread(row: Row) -> tuple[float, str]:
    """Standard error of an arm's mean and the words for where it came from; NaN without one."""
    if row["se"] is not None:
        return number(row["se"]), "SE"
    if row["sd"] is not None and row["n"] is not None:
        return number(row["sd"]) / math.sqrt(number(row["n"])), "SD"
    low, high, level = number(row["ci_low"]), number(row["ci_high"]), number(row["ci_level"])
    if not math.isnan(low + high + level):
        return float(se_from_ci(low, high, level=level)), "CI"
    return math.nan, ""


def paired_se(context: Context, se_1: float, se_2: float) -> float:
    """Standard error of a mean within-person difference: sqrt(se_1^2 + se_2^2 - 2 r se_1 se_2)."""
    return float(change_sd(se_1, se_2, context.protocol.correlation))


def starts_of(arm: Row, starts: list[Row]) -> list[Row]:
    """Rows on the same arm and outcome before treatment; same source and people go first."""
    own = [
        row
        for row in starts
        if row["arm_id"] == arm["arm_id"] and row["outcome_id"] == arm["outcome_id"]
    ]
    near = ("source_id", "analysis_set")
    return sorted(own, key=lambda row: [row[name] != arm[name] for name in near])


def p_row_of(
    context: Context, first: Row, second: Row, *, measures: Collection[str]
) -> Row | None:
    """The printed exact p of the comparison of these two arms, if there is one.

    Of the same people at the same time; that of the same source goes first. The p beside an
    estimate is that estimate's own, and gives it its standard error by another route.
    """
    same = [
        row
        for row in context.table("contrasts")
        if row["arm_1"] == first["arm_id"]
        and row["arm_2"] == second["arm_id"]
        and row["outcome_id"] == first["outcome_id"]
        and row["timepoint_weeks"] is not None
        and row["timepoint_weeks"] == first["timepoint_weeks"]
        and row["analysis_set"] == first["analysis_set"]
        and row["measure"] in measures
        and row["p_relation"] == "="
        and row["estimate"] is None
        and row["reliability"] == "normal"
    ]
    same.sort(key=lambda row: (row["source_id"] != first["source_id"], not row["preferred"]))
    return same[0] if same else None


def se_of_difference(context: Context, first: Row, second: Row, p_row: Row) -> tuple[float, str]:
    """Standard error of the difference of two printed means from its printed p.

    Returns
    -------
    se : float
        NaN when p does not give it well enough; both rows are then left out with the reason.
    words : str
        The distribution assumed.
    """
    difference = number(first["mean"]) - number(second["mean"])
    # Both means are rounded, so their difference is known to a whole last digit, not to half.
    slack = sum(0.5 * 10.0 ** -_decimals(context, row) for row in (first, second))
    se, words = se_from_exact_p(context, p_row, difference, slack=slack)
    if math.isnan(se):
        for row in (first, second):
            context.left_out(row, words, "p-value")
    return se, words


def keep_pair(
    context: Context,
    first: Row,
    second: Row,
    effect: tuple[float, float],
    *,
    route: str,
    assumptions: tuple[str, ...],
    others: tuple[Row, ...] = (),
    approximate: bool = False,
) -> None:
    """Note the effect of two arms.

    Parameters
    ----------
    context : Context
    first, second : Row
        Arm of LDN and arm of the comparator.
    effect : (float, float)
        Difference and its standard error, in units of the instrument.
    route : str
    assumptions : tuple of str
    others : tuple of Row
        Further rows the effect was computed from.
    approximate : bool
    """
    place = place_on_scale(context, first["outcome_id"], "MD")
    difference, se = effect
    n_1, n_2 = number(first["n"]), number(second["n"])
    is_paired = context.has_same_people(first)
    if is_paired:
        analysed = number(context.studies[first["study_id"]]["n_analysed"])
        n_1 = n_2 = analysed if math.isnan(n_1) else n_1
    context.keep(
        Candidate(
            kind=CONTRAST,
            lead=first,
            arm_1=first["arm_id"],
            arm_2=second["arm_id"],
            measure="MD",
            unit=place.unit,
            yi=difference * place.factor,
            vi=(se * place.factor) ** 2,
            n_1=n_1,
            n_2=n_2,
            route=route,
            assumptions=(*assumptions, place.assumption),
            rows=tuple(row["address"] for row in (first, second, *others)),
            is_paired=is_paired,
            approximate=approximate,
            has_known_scale=place.is_known,
        )
    )


def _decimals(context: Context, row: Row) -> int:
    """Decimals of an arm's mean as printed."""
    text = context.evidence.text[TABLE]
    printed = text.loc[text["row_id"] == row["row_id"], "mean"].iloc[0]
    return len(str(printed).partition(".")[2])
