"""Which side each comparison of a study points to, and how that is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.candidates import (
    COMPARATOR,
    CONTRAST,
    LDN,
    RATIO_MEASURES,
    Context,
    Row,
    is_before,
    number,
)
from ldn_meta.evidence.reports import arm_reports
from ldn_meta.evidence.selection import FURTHER_ARM

if TYPE_CHECKING:
    import pandas as pd

# How a side can be known, best first. A number goes before words: words that favour one side are
# printed mostly where a test was significant, and counting them alone would count significance.
EFFECT, NUMBERS, WORDS, ONE_ARM_ONLY = 1, 2, 3, 4
# Printed differences of LDN and comparator; other measures (a number needed to treat, a relative
# reduction) have no sign of their own, and only the report's words give their side.
SIGNED = ("MD", "SMD", "RD", "median difference", "percent point difference")
SIDES = {"favours LDN": 1.0, "favours comparator": -1.0}
NOT_STATED = "not stated"
NOT_SAID_WHICH = "a difference is printed, but not which of the two was subtracted from which"
NO_BETTER = "numbers are printed, but not which end of the scale is better"
WHY_NO_SIDE = {
    "no difference": "called no difference, and no number gives the side",
    NOT_STATED: "only a test is told, and neither words nor numbers give the side",
}
NO_COMPARISON = "only results within one arm are printed, no comparison"


@dataclass(frozen=True)
class Side:
    """One comparison of LDN with the study's comparator, or the lack of it.

    Attributes
    ----------
    lead : Row
        The row that says what was measured: outcome, time, analysis set, source.
    arm_1, arm_2 : str
        Keys of the arms; arm_2 is empty where nothing is compared.
    sign : float
        1 if the point estimate favours LDN, -1 the comparator, 0 if it is exactly none; NaN if
        that is not known. Never from significance.
    known_from : str
        How the sign is known, or why not, in words.
    tier : int
        EFFECT, NUMBERS, WORDS or ONE_ARM_ONLY.
    route_rank : int
        More direct ones first within a tier.
    rows : tuple of str
        Addresses of the rows it was read from.
    printed : str
        The numbers as printed.
    effect : Row, optional
        The effect that was computed from the rows.
    """

    lead: Row
    arm_1: str
    arm_2: str
    sign: float
    known_from: str
    tier: int
    route_rank: int
    rows: tuple[str, ...]
    printed: str
    effect: Row | None = None


def sides(context: Context, effects: pd.DataFrame) -> list[Side]:
    """Find every comparison of a comparative study with its comparator.

    Rows that are not preferred, of low reliability, about the people before treatment or about a
    further arm do not count.

    Parameters
    ----------
    context : Context
    effects : pandas.DataFrame
        Effects of ``normalise``.

    Returns
    -------
    list of Side
        Several for one study and construct where it was told more than once.
    """
    found = [
        *_of_effects(context, effects),
        *_of_contrasts(context),
        *_of_arms(context, "arm_stats", what="statistic_of"),
        *_of_arms(context, "arm_events", what="counted"),
    ]
    return [
        side
        for side in found
        if context.studies[side.lead["study_id"]]["eligible_for"] == CONTRAST
    ]


def _of_effects(context: Context, effects: pd.DataFrame) -> Iterator[Side]:
    if effects.empty:
        return
    counts = effects[
        (effects["kind"] == CONTRAST)
        & (effects["comparator_class"] != FURTHER_ARM)
        & effects["is_preferred"].astype(bool)
    ]
    for effect in counts.to_dict("records"):
        rows = tuple(effect["rows"].split(" "))
        lead = context.rows[rows[0]]
        is_direct = "arm_1" in lead
        second = lead["arm_2"] if is_direct else context.rows[rows[1]]["arm_id"]
        if is_direct and lead["direction"] == NOT_STATED:
            sign, words = math.nan, NOT_SAID_WHICH
        else:
            sign = _signed(_difference(effect), effect["benefit_sign"])
            words = NO_BETTER if math.isnan(sign) else f"computed effect: {effect['route']}"
        printed = lead["as_reported"] if is_direct else _against(context, rows[:2])
        yield Side(
            lead=lead,
            arm_1=lead["arm_1" if is_direct else "arm_id"],
            arm_2=second,
            sign=sign,
            known_from=words,
            tier=EFFECT,
            route_rank=int(effect["route_rank"]),
            rows=rows,
            printed=printed,
            effect={str(name): value for name, value in effect.items()},
        )


def _difference(effect: dict[Any, Any]) -> float:
    """The effect; for people with an event the plain difference of their shares.

    What is added to the cells of a table with an empty one moves its ratio, and can turn it.
    """
    events = [float(effect[name]) for name in ("events_1", "n_1", "events_2", "n_2")]
    if any(math.isnan(value) for value in events):
        return float(effect["yi"])
    return events[0] * events[3] - events[2] * events[1]


def _signed(difference: float, benefit_sign: Any) -> float:
    """The side of a difference, LDN minus comparator; NaN if nobody says which end is better."""
    better = number(benefit_sign)
    if math.isnan(difference) or math.isnan(better):
        return math.nan
    return 0.0 if difference == 0 else math.copysign(1.0, difference * better)


def _of_contrasts(context: Context) -> Iterator[Side]:
    for row in context.eligible("contrasts"):
        arm_2 = row["arm_2"]
        if (
            not row["preferred"]
            or is_before(row)
            or context.arms[row["arm_1"]]["group"] != LDN
            or (arm_2 is not None and context.arms[arm_2]["group"] != COMPARATOR)
        ):
            continue
        if arm_2 is None:
            yield _alone(row, row["arm_1"])
            continue
        printed = row["as_reported"] or ""
        sign, words, tier = _told(context, row)
        yield Side(row, row["arm_1"], arm_2, sign, words, tier, 1, (row["address"],), printed)


def _told(context: Context, row: Row) -> tuple[float, str, int]:
    """Side of a printed comparison: by its estimate, else by its words."""
    estimate, direction = number(row["estimate"]), row["direction"]
    null = 1.0 if row["measure"] in RATIO_MEASURES else 0.0
    if row["measure"] in (*SIGNED, *RATIO_MEASURES) and not math.isnan(estimate):
        if direction == NOT_STATED:
            return math.nan, NOT_SAID_WHICH, NUMBERS
        better = context.outcomes[row["outcome_id"]]["benefit_sign"]
        sign = _signed(estimate - null, better)
        if not math.isnan(sign):
            return sign, f"printed {row['measure']} of {estimate:g}", NUMBERS
    if direction in SIDES:
        beside = "without an estimate"
        if not math.isnan(estimate):
            beside = f"beside a printed {row['measure']} of {estimate:g}"
        return SIDES[direction], f"the report's words, {beside}", WORDS
    return math.nan, WHY_NO_SIDE[direction], WORDS


def _of_arms(context: Context, table: str, *, what: str) -> Iterator[Side]:
    for report in arm_reports(context, table, what=what):
        for first in report.treated:
            if not first["preferred"] or is_before(first):
                continue
            if not report.control:
                yield _alone(first, first["arm_id"])
            for second in report.control:
                if second["preferred"]:
                    yield _two_arms(context, first, second, first[what])


def _two_arms(context: Context, first: Row, second: Row, what: str) -> Side:
    difference, printed = (
        _shares(context, first, second)
        if what in ("people", "events")
        else _means(context, first, second)
    )
    better = context.outcomes[first["outcome_id"]]["benefit_sign"]
    sign = _signed(difference, better)
    rows = (first["address"], second["address"])
    if math.isnan(difference):
        words = "the two arms print nothing that can be set side by side"
    elif math.isnan(sign):
        words = NO_BETTER
    else:
        words = f"{what} of the two arms: {printed}"
    return Side(
        lead=first,
        arm_1=first["arm_id"],
        arm_2=second["arm_id"],
        sign=sign,
        known_from=words,
        tier=NUMBERS,
        route_rank=2,
        rows=rows,
        printed=_against(context, rows),
    )


def _means(context: Context, first: Row, second: Row) -> tuple[float, str]:
    """Difference of two means, or of two medians, and both as they were typed."""
    text = context.evidence.text["arm_stats"].set_index("row_id")
    for name in ("mean", "median"):
        one, two = number(first[name]), number(second[name])
        if not math.isnan(one + two):
            typed = (str(text.loc[row["row_id"], name]) for row in (first, second))
            return one - two, " against ".join(typed)
    return math.nan, ""


def _shares(context: Context, first: Row, second: Row) -> tuple[float, str]:
    """Difference of two shares of people, or of two counts over the same people or of nobody."""
    events_1, events_2 = number(first["events"]), number(second["events"])
    n_1, n_2 = number(first["n"]), number(second["n"])
    is_people = first["counted"] == "people"
    if events_1 == events_2 == 0:
        return 0.0, "none against none"
    if is_people and not math.isnan(events_1 + n_1 + events_2 + n_2):
        return (
            events_1 * n_2 - events_2 * n_1,
            f"{events_1:g}/{n_1:g} against {events_2:g}/{n_2:g}",
        )
    percent_1, percent_2 = number(first["percent"]), number(second["percent"])
    if is_people and not math.isnan(percent_1 + percent_2):
        return percent_1 - percent_2, f"{percent_1:g}% against {percent_2:g}%"
    if context.has_same_people(first) and not math.isnan(events_1 + events_2):
        return events_1 - events_2, f"{events_1:g} against {events_2:g}"
    return math.nan, ""


def _against(context: Context, rows: tuple[str, ...]) -> str:
    return " against ".join(str(context.rows[name]["as_reported"] or "NR") for name in rows)


def _alone(row: Row, arm: str) -> Side:
    printed = row["as_reported"] or ""
    return Side(row, arm, "", math.nan, NO_COMPARISON, ONE_ARM_ONLY, 1, (row["address"],), printed)
