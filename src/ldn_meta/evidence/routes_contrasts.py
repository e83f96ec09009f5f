"""Routes from a printed comparison (contrasts.csv) to an effect."""

from __future__ import annotations

import math
from typing import Any

from ldn_meta.evidence.candidates import (
    CHANGE,
    CONTRAST,
    Candidate,
    Context,
    is_transcribed,
    missing,
    number,
    plain_rows,
    row_name,
)
from ldn_meta.evidence.scales import place_on_scale
from ldn_meta.stats.convert import se_from_ci, se_from_p
from ldn_meta.stats.rounding import estimate_is_centred, p_interval, se_interval_from_p

TABLE = "contrasts"
# Share of the interval's width by which an estimate may miss its middle beyond rounding.
CENTRE_TOLERANCE = 0.02
RATIOS = ("RR", "OR", "IRR")
DIFFERENCES = ("MD", "SMD", "RD")
WHY_NO_ESTIMATE = {
    "statement": "only a direction or a p-value is printed, no estimate",
    "median difference": "a median difference with an interquartile width: no standard error "
    "without the number analysed and the shape of the distribution",
    "relative reduction": "a relative reduction without the counts or means behind it",
    "NNT": "a number needed to treat without the counts behind it",
    "percent point difference": "a difference of two percentages of change without its spread",
    "percent change": "a percentage of change without its spread",
    "r": "a correlation-type effect size without the data behind it",
}


def contrast_routes(context: Context) -> None:
    """Try every row of contrasts.csv; note effects and reasons in the context."""
    for row in plain_rows(context.evidence.contrasts):
        study = context.studies[row["study_id"]]
        if study["eligible_for"] == "excluded":
            context.left_out(TABLE, row, f"study excluded: {study['eligibility_reason']}", "none")
        elif row["reliability"] == "low":
            context.left_out(TABLE, row, "low reliability: kept for the ledger of conflicts",
                             "none")
        elif context.arms[row["arm_1"]]["group"] != 1:
            context.left_out(TABLE, row, "a change in an arm that the question does not compare",
                             "none")
        elif row["measure"] in DIFFERENCES or row["measure"] in RATIOS:
            _estimate(context, row)
        else:
            usable = "p-value" if not missing(row["p_value"]) else "direction"
            if row["direction"] == "not stated" and usable == "direction":
                usable = "none"
            context.left_out(TABLE, row, WHY_NO_ESTIMATE[row["measure"]], usable)


def _estimate(context: Context, row: dict[str, Any]) -> None:
    if missing(row["estimate"]):
        usable = "p-value" if not missing(row["p_value"]) else "direction"
        context.left_out(TABLE, row, "no estimate is printed", usable)
        return
    ratio = row["measure"] in RATIOS
    estimate = number(row["estimate"])
    if ratio and estimate <= 0:
        context.left_out(TABLE, row, "a ratio that is not positive", "none")
        return
    if not (missing(row["ci_low"]) or missing(row["ci_high"])):
        _with_interval(context, row, estimate, ratio=ratio)
    elif row["p_relation"] == "=" and not ratio:
        _with_exact_p(context, row, estimate)
    elif row["p_relation"] in ("<", ">", "ns"):
        context.left_out(TABLE, row, _bounded(context, row, estimate, ratio=ratio), "p-value")
    else:
        context.left_out(TABLE, row, "an estimate without interval, standard error or exact p",
                         "direction")


def _with_interval(
    context: Context, row: dict[str, Any], estimate: float, *, ratio: bool
) -> None:
    low, high = number(row["ci_low"]), number(row["ci_high"])
    level = number(row["ci_level"])
    if math.isnan(level):
        context.left_out(TABLE, row, "the level of the interval is not stated", "direction")
        return
    decimals = None if missing(row["estimate_decimals"]) else int(row["estimate_decimals"])
    if not estimate_is_centred(estimate, low, high, is_ratio=ratio, decimals=decimals,
                               tolerance=CENTRE_TOLERANCE):
        context.left_out(
            TABLE, row,
            "the estimate is not in the middle of its interval: one of the printed numbers is "
            "off, or the interval is not of the usual kind", "direction")
        return
    if ratio:
        estimate, low, high = math.log(estimate), math.log(low), math.log(high)
    se = float(se_from_ci(low, high, level=level))
    pairing = "paired interval as printed" if row["is_paired"] else "interval as printed"
    scale = "log scale, " if ratio else ""
    _keep(context, row, estimate, se, route="difference with CI",
          assumptions=f"{scale}{pairing}, read as normal at level {level:g}")


def _with_exact_p(
    context: Context, row: dict[str, Any], estimate: float
) -> None:
    df, words = degrees_of_freedom(context, row)
    decimals = 0 if missing(row["estimate_decimals"]) else int(row["estimate_decimals"])
    se, low, high = se_within_rounding(row, estimate, slack=0.5 * 10.0**-decimals, df=df)
    share = max(high - se, se - low) / se if se > 0 else math.inf
    if not share <= context.protocol.largest_se_error:
        context.left_out(
            TABLE, row,
            f"p is printed too coarsely: the standard error lies between {low:.3g} and "
            f"{high:.3g}", "p-value")
        return
    _keep(context, row, estimate, se, route="difference with exact p",
          assumptions=f"two-sided p from {words}")


def _bounded(context: Context, row: dict[str, Any], estimate: float, *, ratio: bool) -> str:
    """Say what an inequality leaves open; the interval itself is for later synthesis."""
    if ratio or row["p_relation"] == "ns" or missing(row["p_value"]):
        return "no exact p and no interval"
    df, _ = degrees_of_freedom(context, row)
    se = float(se_from_p(estimate, number(row["p_value"]), df=df))
    side = "below" if row["p_relation"] == "<" else "above"
    return f"p is only a bound: the standard error is {side} {se:.3g}"


def people_compared(context: Context, row: dict[str, Any]) -> tuple[float, float]:
    """People in the two arms.

    The row's own numbers; else those analysed by the tables; else, where everybody counts
    (intention to treat), those randomised; else NaN.
    """
    everybody = row["analysis_set"] == "intention to treat"
    sizes = ("n_analysed", "n_randomised") if everybody else ("n_analysed",)

    def known(printed: Any, of: dict[str, Any]) -> float:
        stated = [number(printed), *(number(of[size]) for size in sizes)]
        return next((n for n in stated if not math.isnan(n)), math.nan)

    baseline = missing(row["arm_2"])
    if row["is_paired"]:
        pairs = known(row["n_1"], context.studies[row["study_id"]])
        return pairs, (math.nan if baseline else pairs)
    n_2 = math.nan if baseline else known(row["n_2"], context.arms[row["arm_2"]])
    return known(row["n_1"], context.arms[row["arm_1"]]), n_2


def degrees_of_freedom(context: Context, row: dict[str, Any]) -> tuple[float, str]:
    """Degrees of freedom of the printed p-value, and the assumption in words."""
    n_1, n_2 = people_compared(context, row)
    if row["is_paired"]:
        if math.isnan(n_1):
            return math.inf, "a normal statistic (number of pairs not reported)"
        return n_1 - 1, f"a paired t statistic on {n_1 - 1:g} df"
    if math.isnan(n_1) or math.isnan(n_2):
        return math.inf, "a normal statistic (people per arm not reported)"
    return n_1 + n_2 - 2, f"a t statistic on {n_1 + n_2 - 2:g} df"


def se_within_rounding(
    row: dict[str, Any], estimate: float, *, slack: float, df: float
) -> tuple[float, float, float]:
    """Standard error behind a printed exact p, and the range that its rounding leaves open.

    Parameters
    ----------
    row : dict
        Row of contrasts.csv with ``p_value`` and ``p_decimals``.
    estimate : float
        The effect the p belongs to.
    slack : float
        How far the estimate may be from its printed value.
    df : float
        Degrees of freedom; infinite for the normal.

    Returns
    -------
    se, low, high : float
        NaN, 0 and infinity when the rounded estimate may be nought.
    """
    size = abs(estimate)
    if size <= slack:
        return math.nan, 0.0, math.inf
    p_low, p_high = p_interval("=", number(row["p_value"]), decimals=int(row["p_decimals"]))
    low = se_interval_from_p(size - slack, p_low, p_high, df=df).low
    high = se_interval_from_p(size + slack, p_low, p_high, df=df).high
    return float(se_from_p(size, number(row["p_value"]), df=df)), float(low), float(high)


def _keep(
    context: Context, row: dict[str, Any], estimate: float, se: float, *, route: str, assumptions: str,
) -> None:
    baseline = missing(row["arm_2"])
    unit, factor, moved = place_on_scale(context, row["outcome_id"], row["measure"])
    n_1, n_2 = people_compared(context, row)
    if baseline:
        route = route.replace("difference", "change")
    context.found.append(
        Candidate(
            kind=CHANGE if baseline else CONTRAST,
            study_id=row["study_id"],
            outcome_id=row["outcome_id"],
            timepoint_weeks=number(row["timepoint_weeks"]),
            analysis_set=row["analysis_set"],
            measure="MC" if baseline else row["measure"],
            unit=unit,
            yi=estimate * factor,
            vi=(se * factor) ** 2,
            n_1=n_1,
            n_2=n_2,
            route=route,
            assumptions="; ".join(part for part in (assumptions, moved) if part),
            rows=(row_name(TABLE, row),),
            lead=row,
            arm_1=row["arm_1"],
            arm_2="NA" if baseline else row["arm_2"],
            is_paired=bool(row["is_paired"]),
            uses_transcribed=is_transcribed(row),
        )
    )
