"""Routes from people (or events) per arm (arm_events.csv) to an effect."""

from __future__ import annotations

import math
from typing import Any

from ldn_meta.evidence.candidates import (
    CONTRAST,
    PROPORTION,
    Candidate,
    Context,
    is_transcribed,
    missing,
    number,
    plain_rows,
    row_name,
)
from ldn_meta.stats.convert import counts_from_percent
from ldn_meta.stats.effects import effect_size

TABLE = "arm_events"
SAME_REPORT = ("study_id", "outcome_id", "analysis_set", "source_id", "counted", "reliability")


def event_routes(context: Context) -> None:
    """Pair the arms of one report of one outcome; note effects and reasons."""
    reports: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in plain_rows(context.evidence.arm_events):
        study = context.studies[row["study_id"]]
        if study["eligible_for"] == "excluded":
            context.left_out(TABLE, row, f"study excluded: {study['eligibility_reason']}", "none")
        elif row["reliability"] == "low":
            context.left_out(TABLE, row, "low reliability: kept for the ledger of conflicts",
                             "none")
        else:
            # Periods of a crossover may differ in length; the words then name the same moment.
            time = row["timepoint"] if not missing(row["timepoint"]) else row["timepoint_weeks"]
            reports.setdefault((time, *(row[name] for name in SAME_REPORT)), []).append(row)
    for rows in reports.values():
        _one_report(context, rows)


def _one_report(context: Context, rows: list[dict[str, Any]]) -> None:
    treated = [row for row in rows if context.arms[row["arm_id"]]["group"] == 1]
    control = [row for row in rows if context.arms[row["arm_id"]]["group"] == 2]  # noqa: PLR2004
    for row in rows:
        if context.arms[row["arm_id"]]["group"] == 3:  # noqa: PLR2004
            context.left_out(TABLE, row, "a further arm that the question does not compare",
                             "none")
    if not treated:
        for row in control:
            context.left_out(TABLE, row, "the source gives no number for the LDN arm", "none")
    for first in treated:
        if control:
            for second in control:
                _two_arms(context, first, second)
        else:
            _one_arm(context, first)


def _count(row: dict[str, Any]) -> tuple[float, str, str]:
    """Number of people with the event; how it was found; why it was not."""
    events, n = number(row["events"]), number(row["n"])
    if math.isnan(n):
        return math.nan, "", "the denominator is not reported"
    if not math.isnan(events):
        return events, "", ""
    counts = counts_from_percent(number(row["percent"]), int(row["percent_decimals"]), int(n))
    if len(counts) == 1:
        return float(counts[0]), f"{counts[0]} is the only count of {n:g} that rounds to " \
            f"{number(row['percent']):g}%", ""
    if len(counts) == 0:
        return math.nan, "", f"no whole number of {n:g} people rounds to {row['percent']:g}%"
    return math.nan, "", f"several counts of {n:g} people round to {row['percent']:g}%"


def _two_arms(context: Context, first: dict[str, Any], second: dict[str, Any]) -> None:
    if first["counted"] == "events":
        _event_counts(context, first, second)
        return
    found_1, found_2 = _count(first), _count(second)
    for row, (_, _, problem) in ((first, found_1), (second, found_2)):
        other = found_2[2] if row is first else found_1[2]
        if problem or other:
            context.left_out(TABLE, row, problem or f"the other arm: {other}", "direction")
    if found_1[2] or found_2[2]:
        return
    study = context.studies[first["study_id"]]
    events_1, events_2 = found_1[0], found_2[0]
    n_1, n_2 = number(first["n"]), number(second["n"])
    effect = effect_size("RR", events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    notes = [found_1[1], found_2[1]]
    if study["design"] in ("crossover", "fixed-order crossover"):
        notes.append("same people in both arms, compared as if unpaired (conservative)")
    if events_1 == 0 and events_2 == 0:
        notes.append("no event in either arm: the ratio rests on the continuity correction only")
    elif 0 in (events_1, events_2) or events_1 == n_1 or events_2 == n_2:
        notes.append("0.5 added to every cell because one is empty")
    printed = not missing(first["events"]) and not missing(second["events"])
    context.found.append(
        Candidate(
            kind=CONTRAST,
            study_id=first["study_id"],
            outcome_id=first["outcome_id"],
            timepoint_weeks=number(first["timepoint_weeks"]),
            analysis_set=first["analysis_set"],
            measure="RR",
            unit="log risk ratio",
            yi=float(effect.yi),
            vi=float(effect.vi),
            n_1=n_1,
            n_2=n_2,
            route="events and n per arm" if printed else "percentages with n per arm",
            assumptions="; ".join(note for note in notes if note),
            rows=(row_name(TABLE, first), row_name(TABLE, second)),
            lead=first,
            arm_1=first["arm_id"],
            arm_2=second["arm_id"],
            is_paired=study["design"] in ("crossover", "fixed-order crossover"),
            events=(events_1, n_1, events_2, n_2),
            uses_transcribed=is_transcribed(first, second),
        )
    )


def _event_counts(context: Context, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Counts of events: a rate ratio over equal time, never a share of people."""
    study = context.studies[first["study_id"]]
    if study["design"] != "crossover":
        for row in (first, second):
            context.left_out(TABLE, row, "events are counted, not people, and the time at risk "
                             "is not reported", "direction")
        return
    events_1, events_2 = number(first["events"]), number(second["events"])
    effect = effect_size("IRR", events_1=events_1, time_1=1.0, events_2=events_2, time_2=1.0)
    context.found.append(
        Candidate(
            kind=CONTRAST,
            study_id=first["study_id"],
            outcome_id=first["outcome_id"],
            timepoint_weeks=number(first["timepoint_weeks"]),
            analysis_set=first["analysis_set"],
            measure="IRR",
            unit="log rate ratio",
            yi=float(effect.yi),
            vi=float(effect.vi),
            n_1=number(first["n"]),
            n_2=number(second["n"]),
            route="event counts over equal time",
            assumptions="events counted as independent although one person may have several; "
            "equal time on both drugs",
            rows=(row_name(TABLE, first), row_name(TABLE, second)),
            lead=first,
            arm_1=first["arm_id"],
            arm_2=second["arm_id"],
            is_paired=True,
            approximate=True,
            events=(events_1, math.nan, events_2, math.nan),
            uses_transcribed=is_transcribed(first, second),
        )
    )


def _one_arm(context: Context, row: dict[str, Any]) -> None:
    if row["counted"] == "events":
        context.left_out(TABLE, row, "events are counted, not people", "none")
        return
    events, how, problem = _count(row)
    if problem:
        context.left_out(TABLE, row, problem, "none")
        return
    n = number(row["n"])
    effect = effect_size("PLO", events=events, n=n)
    context.found.append(
        Candidate(
            kind=PROPORTION,
            study_id=row["study_id"],
            outcome_id=row["outcome_id"],
            timepoint_weeks=number(row["timepoint_weeks"]),
            analysis_set=row["analysis_set"],
            measure="PLO",
            unit="log odds",
            yi=float(effect.yi),
            vi=float(effect.vi),
            n_1=n,
            n_2=math.nan,
            route="events and n" if not missing(row["events"]) else "percentage with n",
            assumptions="; ".join(part for part in (how, "no comparison group: listed beside, "
                                                    "never pooled with contrasts") if part),
            rows=(row_name(TABLE, row),),
            lead=row,
            arm_1=row["arm_id"],
            arm_2="NA",
            events=(events, n, math.nan, math.nan),
            uses_transcribed=is_transcribed(row),
        )
    )
