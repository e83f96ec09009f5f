"""Routes from a printed comparison (contrasts.csv) to an effect."""

from __future__ import annotations

import math

from ldn_meta.evidence.candidates import (
    CHANGE,
    CONTRAST,
    LDN,
    NO_ARM,
    RATIO_MEASURES,
    Candidate,
    Context,
    Row,
    is_before,
    number,
)
from ldn_meta.evidence.exact_p import degrees_of_freedom, people_compared, se_from_exact_p
from ldn_meta.evidence.scales import place_on_scale
from ldn_meta.stats.convert import se_from_ci, se_from_p
from ldn_meta.stats.rounding import estimate_is_centred

TABLE = "contrasts"
# Share of the interval's width by which an estimate may miss its middle beyond rounding.
CENTRE_TOLERANCE = 0.02
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
    for row in context.eligible(TABLE):
        measure = row["measure"]
        if is_before(row):
            context.left_out(row, "a comparison before treatment; it is no effect", "none")
        elif context.arms[row["arm_1"]]["group"] != LDN:
            what = "a change in" if row["arm_2"] is None else "a comparison with"
            context.left_out(row, f"{what} an arm that the question does not compare", "none")
        elif measure not in (*DIFFERENCES, *RATIO_MEASURES):
            context.left_out(row, WHY_NO_ESTIMATE[measure], _still_says(row))
        elif row["estimate"] is None:
            context.left_out(row, "no estimate is printed", _still_says(row))
        elif measure in RATIO_MEASURES and not _is_positive(row):
            reason = "a ratio, or a limit of its interval, that is not above 0"
            context.left_out(row, reason, _still_says(row))
        elif row["ci_low"] is not None and row["ci_high"] is not None:
            _with_interval(context, row)
        elif measure not in RATIO_MEASURES and row["p_relation"] == "=":
            _with_exact_p(context, row)
        else:
            context.left_out(row, _why_no_spread(context, row), _still_says(row))


def _still_says(row: Row) -> str:
    """What a row without an effect is still good for."""
    has_estimate = row["estimate"] is not None
    if row["p_value"] is not None or (has_estimate and row["p_relation"] == "ns"):
        return "p-value"
    return "direction" if has_estimate or row["direction"] != "not stated" else "none"


def _is_positive(row: Row) -> bool:
    printed = (row["estimate"], row["ci_low"], row["ci_high"])
    return all(value is None or value > 0 for value in printed)


def _with_interval(context: Context, row: Row) -> None:
    """Se = (high - low) / (2 z); logged first for ratios."""
    estimate, low, high = (number(row[name]) for name in ("estimate", "ci_low", "ci_high"))
    is_ratio = row["measure"] in RATIO_MEASURES
    if row["ci_level"] is None:
        context.left_out(row, "the level of the interval is not stated", _still_says(row))
        return
    decimals = None if row["estimate_decimals"] is None else int(row["estimate_decimals"])
    is_centred = estimate_is_centred(
        estimate, low, high, is_ratio=is_ratio, decimals=decimals, tolerance=CENTRE_TOLERANCE
    )
    if not is_centred:
        context.left_out(
            row,
            "the estimate is not in the middle of its interval: one of the printed numbers is "
            "off, or the interval is not of the usual kind",
            _still_says(row),
        )
        return
    if is_ratio:
        estimate, low, high = math.log(estimate), math.log(low), math.log(high)
    level = number(row["ci_level"])
    words = "paired interval as printed" if row["is_paired"] else "interval as printed"
    scale = "log scale, " if is_ratio else ""
    _keep(
        context,
        row,
        estimate,
        float(se_from_ci(low, high, level=level)),
        route="with CI",
        assumption=f"{scale}{words}, read as normal at level {level:g}",
    )


def _with_exact_p(context: Context, row: Row) -> None:
    estimate = number(row["estimate"])
    decimals = 0 if row["estimate_decimals"] is None else int(row["estimate_decimals"])
    se, words = se_from_exact_p(context, row, estimate, slack=0.5 * 10.0**-decimals)
    if math.isnan(se):
        context.left_out(row, words, "p-value")
        return
    _keep(context, row, estimate, se, route="with exact p", assumption=f"two-sided p from {words}")


def _why_no_spread(context: Context, row: Row) -> str:
    """Say why an estimate without an interval has no standard error."""
    relation = row["p_relation"]
    if relation == "=":
        return "a ratio with a p-value but no interval and no counts"
    if relation == "ns":
        return "no exact p and no interval"
    if relation not in ("<", ">"):
        return "an estimate without interval, standard error or exact p"
    df, _ = degrees_of_freedom(context, row)
    estimate, p = number(row["estimate"]), number(row["p_value"])
    if row["measure"] in RATIO_MEASURES or estimate == 0 or not 0 < p < 1 or df <= 0:
        return "p is only a bound, and there is no interval"
    side = "below" if relation == "<" else "above"
    bound = float(se_from_p(estimate, p, df=df))
    return f"p is only a bound: the standard error is {side} {bound:.3g}"


def _keep(
    context: Context, row: Row, estimate: float, se: float, *, route: str, assumption: str
) -> None:
    is_change = row["arm_2"] is None
    measure = "MC" if is_change and row["measure"] == "MD" else row["measure"]
    place = place_on_scale(context, row["outcome_id"], measure)
    n_1, n_2 = people_compared(context, row)
    context.keep(
        Candidate(
            kind=CHANGE if is_change else CONTRAST,
            lead=row,
            arm_1=row["arm_1"],
            arm_2=NO_ARM if is_change else row["arm_2"],
            measure=measure,
            unit=place.unit,
            yi=estimate * place.factor,
            vi=(se * place.factor) ** 2,
            n_1=n_1,
            n_2=n_2,
            route=f"{'change' if is_change else 'difference'} {route}",
            assumptions=(assumption, place.assumption),
            rows=(row["address"],),
            is_paired=bool(row["is_paired"]) or context.has_same_people(row),
            has_known_scale=place.is_known,
        )
    )
