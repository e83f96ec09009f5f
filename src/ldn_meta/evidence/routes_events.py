"""Routes from people (or events) per arm (arm_events.csv) to an effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ldn_meta.evidence.candidates import (
    CONTRAST,
    NO_ARM,
    PROPORTION,
    Candidate,
    Context,
    Row,
    number,
)
from ldn_meta.evidence.reports import Report, arm_reports
from ldn_meta.evidence.scales import place_on_scale
from ldn_meta.stats.convert import counts_from_percent
from ldn_meta.stats.effects import effect_size

TABLE = "arm_events"


@dataclass(frozen=True)
class Count:
    """People with the event among n: the number, how it was found, or why it was not."""

    events: float
    words: str = ""
    problem: str = ""


def event_routes(context: Context) -> None:
    """Compare the arms of one report of one outcome; note effects and reasons."""
    for report in arm_reports(context, TABLE, what="counted"):
        _one_report(context, report)


def _one_report(context: Context, report: Report) -> None:
    if not report.treated:
        for row in report.control:
            context.left_out(row, "the source gives no number for the LDN arm", "none")
    for first in report.treated:
        if not report.control:
            _one_arm(context, first)
        for second in report.control:
            if first["counted"] == "events":
                _event_counts(context, first, second)
            else:
                _two_arms(context, first, second)


def _count(row: Row) -> Count:
    if row["n"] is None:
        return Count(math.nan, problem="the denominator is not reported")
    if row["events"] is not None:
        return Count(number(row["events"]))
    n, percent = int(row["n"]), number(row["percent"])
    counts = counts_from_percent(percent, int(row["percent_decimals"]), n)
    if len(counts) == 1:
        words = f"{counts[0]} is the only count of {n} that rounds to {percent:g}%"
        return Count(float(counts[0]), words=words)
    which = "several counts" if counts else "no count"
    verb = "round" if counts else "rounds"
    return Count(math.nan, problem=f"{which} of {n} people {verb} to {percent:g}%")


def _two_arms(context: Context, first: Row, second: Row) -> None:
    """Log risk ratio, with 0.5 added to the cells of a table that has an empty one."""
    one, two = _count(first), _count(second)
    if one.problem or two.problem:
        context.left_out(first, one.problem or f"the other arm: {two.problem}", "direction")
        context.left_out(second, two.problem or f"the other arm: {one.problem}", "direction")
        return
    n_1, n_2 = number(first["n"]), number(second["n"])
    effect = effect_size("RR", events_1=one.events, n_1=n_1, events_2=two.events, n_2=n_2)
    notes = [one.words, two.words]
    is_paired = context.has_same_people(first)
    if is_paired:
        notes.append("same people in both arms, compared as if unpaired (conservative)")
    if one.events == two.events == 0:
        notes.append("no event in either arm: the ratio rests on the continuity correction only")
    elif 0 in (one.events, two.events, n_1 - one.events, n_2 - two.events):
        notes.append("0.5 added to every cell because one is empty")
    is_printed = first["events"] is not None and second["events"] is not None
    context.keep(
        Candidate(
            kind=CONTRAST,
            lead=first,
            arm_1=first["arm_id"],
            arm_2=second["arm_id"],
            measure="RR",
            unit=place_on_scale(context, first["outcome_id"], "RR").unit,
            yi=float(effect.yi),
            vi=float(effect.vi),
            n_1=n_1,
            n_2=n_2,
            route="events and n per arm" if is_printed else "percentages with n per arm",
            assumptions=tuple(notes),
            rows=(first["address"], second["address"]),
            is_paired=is_paired,
            events=(one.events, n_1, two.events, n_2),
        )
    )


def _event_counts(context: Context, first: Row, second: Row) -> None:
    """Counts of events: a rate ratio over equal time, never a share of people."""
    week = first["timepoint_weeks"]
    is_equal_time = week is not None and week == second["timepoint_weeks"]
    if not (context.has_same_people(first) and is_equal_time):
        reason = "events are counted, not people, and the time at risk is not reported"
        for row in (first, second):
            context.left_out(row, reason, "direction")
        return
    events_1, events_2 = number(first["events"]), number(second["events"])
    effect = effect_size("IRR", events_1=events_1, time_1=1.0, events_2=events_2, time_2=1.0)
    context.keep(
        Candidate(
            kind=CONTRAST,
            lead=first,
            arm_1=first["arm_id"],
            arm_2=second["arm_id"],
            measure="IRR",
            unit=place_on_scale(context, first["outcome_id"], "IRR").unit,
            yi=float(effect.yi),
            vi=float(effect.vi),
            n_1=number(first["n"]),
            n_2=number(second["n"]),
            route="event counts over equal time",
            assumptions=(
                "events counted as independent although one person may have several",
                "equal time on both drugs",
            ),
            rows=(first["address"], second["address"]),
            is_paired=True,
            approximate=True,
            events=(events_1, math.nan, events_2, math.nan),
        )
    )


def _one_arm(context: Context, row: Row) -> None:
    """Log odds of one arm."""
    if row["counted"] == "events":
        context.left_out(row, "events are counted, not people", "none")
        return
    count = _count(row)
    if count.problem:
        context.left_out(row, count.problem, "none")
        return
    n = number(row["n"])
    effect = effect_size("PLO", events=count.events, n=n)
    context.keep(
        Candidate(
            kind=PROPORTION,
            lead=row,
            arm_1=row["arm_id"],
            arm_2=NO_ARM,
            measure="PLO",
            unit="log odds",
            yi=float(effect.yi),
            vi=float(effect.vi),
            n_1=n,
            n_2=math.nan,
            route="percentage with n" if row["events"] is None else "events and n",
            assumptions=(
                count.words,
                "no comparison group: listed beside, never pooled with contrasts",
            ),
            rows=(row["address"],),
            events=(count.events, n, math.nan, math.nan),
        )
    )
