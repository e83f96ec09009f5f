"""The standard error behind a printed exact p-value, and how well it is known."""

from __future__ import annotations

import math

from ldn_meta.evidence.candidates import Context, Row, number
from ldn_meta.stats.convert import se_from_p
from ldn_meta.stats.rounding import p_interval, se_interval_from_p


def people_compared(context: Context, row: Row) -> tuple[float, float]:
    """People in the two arms of a row of contrasts.csv; pairs stand in both.

    The row's own numbers; else those analysed by the tables; else, where everybody counts
    (intention to treat), those randomised; else NaN. NaN for the second arm of a change from
    baseline.
    """
    is_everybody = row["analysis_set"] == "intention to treat"
    sizes = ("n_analysed", "n_randomised") if is_everybody else ("n_analysed",)

    def known(printed: object, of: Row) -> float:
        stated = [number(printed), *(number(of[size]) for size in sizes)]
        return next((n for n in stated if not math.isnan(n)), math.nan)

    is_change = row["arm_2"] is None
    if row["is_paired"]:
        pairs = known(row["n_1"], context.studies[row["study_id"]])
        return pairs, (math.nan if is_change else pairs)
    n_2 = math.nan if is_change else known(row["n_2"], context.arms[row["arm_2"]])
    return known(row["n_1"], context.arms[row["arm_1"]]), n_2


def degrees_of_freedom(context: Context, row: Row) -> tuple[float, str]:
    """Degrees of freedom of the p-value of a row of contrasts.csv, and the assumption in words.

    Pairs minus 1, or people minus 2; infinite, for a normal statistic, where they are not known.
    """
    n_1, n_2 = people_compared(context, row)
    if row["is_paired"]:
        if math.isnan(n_1):
            return math.inf, "a normal statistic (number of pairs not reported)"
        return n_1 - 1, f"a paired t statistic on {n_1 - 1:g} df"
    if math.isnan(n_1) or math.isnan(n_2):
        return math.inf, "a normal statistic (people per arm not reported)"
    return n_1 + n_2 - 2, f"a t statistic on {n_1 + n_2 - 2:g} df"


def se_from_exact_p(
    context: Context, row: Row, estimate: float, *, slack: float
) -> tuple[float, str]:
    """Standard error behind a printed exact p, or why it is not known well enough.

    se = |estimate| / t(p), t on ``degrees_of_freedom``. The rounding of p and of the estimate
    leaves a range of standard errors; beyond the protocol's ``largest_se_error`` the row is
    refused (METHODS section 2, route 3).

    Parameters
    ----------
    context : Context
    row : Row
        Row of contrasts.csv with ``p_relation`` "=".
    estimate : float
        The effect that p belongs to.
    slack : float
        How far the effect may be from its printed value.

    Returns
    -------
    se : float
        In units of the estimate; NaN when refused.
    words : str
        The distribution assumed, or the reason of the refusal.
    """
    df, words = degrees_of_freedom(context, row)
    p, size = number(row["p_value"]), abs(estimate)
    if df <= 0:
        return math.nan, "too few people for a test"
    if p == 0:
        return math.nan, "p is printed as 0, which is a bound and no number"
    if size <= slack:
        return math.nan, "the difference may be nought within its rounding: p gives no spread"
    se = float(se_from_p(size, p, df=df))
    p_low, p_high = p_interval("=", p, decimals=int(row["p_decimals"]))
    low = float(se_interval_from_p(size - slack, p_low, p_high, df=df).low)
    high = float(se_interval_from_p(size + slack, p_low, p_high, df=df).high)
    if not max(high - se, se - low) <= context.protocol.largest_se_error * se:
        return (
            math.nan,
            "p and its difference are printed too coarsely: the standard error lies between "
            f"{low:.3g} and {high:.3g}",
        )
    return se, words
