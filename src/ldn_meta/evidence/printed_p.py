"""The two-sided p of a comparison, as far as it is known: an interval, never a guess."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.candidates import Context, Row, number
from ldn_meta.stats.convert import p_from_se
from ldn_meta.stats.rounding import NOT_SIGNIFICANT_ABOVE, p_interval

if TYPE_CHECKING:
    from ldn_meta.evidence.sides import Side

NOT_REPORTED = "NR"
# A standard error that rests on an assumed correlation gives no p of the study's.
ASSUMED = "assumed"
# What rows must share with a comparison for their p to be its p.
SAME = ("study_id", "outcome_id", "analysis_set", "timepoint_weeks")


class PrintedP(NamedTuple):
    """Ends of a two-sided p, how it was printed, and the row; NaN where nobody says."""

    low: float
    high: float
    text: str
    rows: tuple[str, ...] = ()


UNKNOWN = PrintedP(math.nan, math.nan, NOT_REPORTED)


def p_of(context: Context, side: Side) -> PrintedP:
    """Find the p of a comparison.

    An exact printed p first, as what its rounding leaves open; then the p of the computed effect
    and its standard error (normal), unless that rests on an approximation or an assumption; then
    a printed bound or word: "<0.05" and "significant" are 0 to 0.05, "not significant" 0.05 to 1.

    Parameters
    ----------
    context : Context
    side : Side

    Returns
    -------
    PrintedP
    """
    if not side.arm_2:
        return UNKNOWN
    printed = [_read(row) for row in _rows(context, side)]
    exact = [p for row, p in zip(_rows(context, side), printed, strict=True) if _is_exact(row)]
    candidates = [*exact[:1], *_computed(side), *printed]
    return candidates[0] if candidates else UNKNOWN


def _rows(context: Context, side: Side) -> list[Row]:
    """Rows of contrasts.csv that test this comparison; the side's own row goes first."""
    is_own = side.lead["address"]
    fitting = [
        row
        for row in context.table("contrasts")
        if row["preferred"]
        and row["reliability"] == "normal"
        and row["p_relation"] is not None
        and (row["arm_1"], row["arm_2"]) == (side.arm_1, side.arm_2)
        and all(row[name] == side.lead[name] for name in SAME)
        and (row["timepoint_weeks"] is not None or row["timepoint"] == side.lead["timepoint"])
    ]
    return sorted(fitting, key=lambda row: row["address"] != is_own)


def _is_exact(row: Row) -> bool:
    return bool(row["p_relation"] == "=")


def _read(row: Row) -> PrintedP:
    relation, p = row["p_relation"], number(row["p_value"])
    own = (row["address"],)
    if relation == "sig":
        return PrintedP(*p_interval("<", NOT_SIGNIFICANT_ABOVE), "significant", own)
    if relation == "ns":
        return PrintedP(*p_interval("ns"), "not significant", own)
    decimals = int(row["p_decimals"])
    text = f"{'' if relation == '=' else relation}{p:.{decimals}f}"
    return PrintedP(*p_interval(relation, p, decimals=decimals), text, own)


def _computed(side: Side) -> list[PrintedP]:
    """P of the effect behind a side; none where it rests on a guess."""
    effect = side.effect
    if effect is None or effect["is_approximate"] or ASSUMED in effect["route"]:
        return []
    # With an empty cell the ratio rests on what was added to it.
    cells = (
        effect["events_1"],
        effect["events_2"],
        effect["n_1"] - effect["events_1"],
        effect["n_2"] - effect["events_2"],
    )
    if 0 in cells:
        return []
    p = float(p_from_se(effect["yi"], effect["sei"]))
    return [PrintedP(p, p, f"{p:.3g} (computed)")]
