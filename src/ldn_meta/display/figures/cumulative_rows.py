"""The rows of a cumulative forest plot: the pool after each trial, and what that trial did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import Interval
from ldn_meta.display.figures.forest_rows import NO_TRIAL, ONE_TRIAL, EffectFormat, Row
from ldn_meta.display.figures.lettering import wrap
from ldn_meta.display.wording import percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

CUMULATIVE_COLUMNS = ("label", "year", "k", "people", "estimate", "ci_low", "ci_high")
HEADS = ("Trials", "People", "What this trial did")
TODAY = ": today's answer"
_WORDS_WIDTH = 180.0
# From twice as wide on, per cent would have to be reckoned back.
_MANY_TIMES = 2.0


@dataclass(frozen=True)
class Step:
    """The pool after one trial more.

    Attributes
    ----------
    label : str
        The trial that was added.
    year, trials, people : float
        Its year; trials and people so far, NaN if not reported.
    span : Interval
        Of the pool, or of the trial itself while there is one.
    did : str
        What the trial did to the answer.
    """

    label: str
    year: float
    trials: float
    people: float
    span: Interval
    did: str


def cumulative_steps(
    frame: pd.DataFrame, *, direction: tuple[str, str], print_as: EffectFormat
) -> list[Step]:
    """Read the frame, and say what each trial did.

    Raises
    ------
    ArgumentError
        If a column is missing, years go back, or an estimate lies outside its interval.
    """
    missing = [name for name in CUMULATIVE_COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks {', '.join(missing)}; allowed: {', '.join(CUMULATIVE_COLUMNS)}"
        raise ArgumentError(message)
    rows = frame.to_dict("records")
    faults = [
        f"year {after['year']:g} of {after['label']!r} stands below {before['year']:g}: rows go "
        "from the earliest year to the latest"
        for before, after in pairwise(rows)
        if after["year"] < before["year"]
    ]
    faults += [
        f"estimate {row['estimate']:g} of {row['label']!r} lies outside {row['ci_low']:g} to "
        f"{row['ci_high']:g}: allowed is an estimate inside its interval, or NaN"
        for row in rows
        if row["estimate"] < row["ci_low"] or row["estimate"] > row["ci_high"]
    ]
    if faults:
        raise ArgumentError(f"frame: {'; '.join(faults)}")
    spans = [
        Interval(*(style.steady(row[name]) for name in ("estimate", "ci_low", "ci_high")))
        for row in rows
    ]
    return [
        Step(
            label=str(row["label"]),
            year=float(row["year"]),
            trials=float(row["k"]),
            people=float(row["people"]),
            span=now,
            did=what_it_did(before, now, direction=direction, print_as=print_as),
        )
        for row, before, now in zip(rows, [None, *spans], spans, strict=False)
    ]


def cumulative_rows(steps: list[Step], print_as: EffectFormat) -> list[Row]:
    """List the rows from the first trial down to today's answer."""
    if not steps:
        return [Row("remark", NO_TRIAL)]
    rows = []
    for number, step in enumerate(steps):
        is_last = number > 0 and number == len(steps) - 1
        rows.append(
            Row(
                "pooled" if is_last else "trial",
                f"{'+ ' if number else ''}{step.label}{TODAY if is_last else ''}",
                step.span,
                print_as.effect(step.span),
                (
                    style.count(step.trials),
                    style.count(step.people),
                    wrap(step.did, _WORDS_WIDTH, weight="bold" if is_last else "normal"),
                ),
            )
        )
    return rows if len(steps) > 1 else [*rows, Row("remark", ONE_TRIAL)]


def what_it_did(
    before: Interval | None,
    now: Interval,
    *,
    direction: tuple[str, str],
    print_as: EffectFormat,
) -> str:
    """Say how a trial moved the answer: estimate, width of the interval, side of no effect."""
    here = _where(now, direction)
    if before is None:
        return f"the first: interval {here}"
    when = "still" if here == _where(before, direction) else "now"
    parts = (
        _shift(now.estimate - before.estimate, direction, print_as),
        f"interval {_width(before, now)}{when} {here}",
    )
    return "; ".join(part for part in parts if part)


def _shift(shift: float, direction: tuple[str, str], print_as: EffectFormat) -> str:
    if math.isnan(shift):
        return ""
    size = print_as.number(abs(shift))
    if size == print_as.number(0.0):
        return "estimate unmoved"
    side = direction[shift > 0].removeprefix("favours ")
    return f"{'factor ' if print_as.is_log else ''}{size} towards {side}"


def _width(before: Interval, now: Interval) -> str:
    if not (before.is_complete and now.is_complete):
        return ""
    times = (now.high - now.low) / (before.high - before.low)
    if times >= _MANY_TIMES:
        return f"{style.number(times, 1)} times as wide, "
    size = percent(abs(times - 1))
    if size == "0%":
        return "as wide, "
    return f"{size} {'narrower' if times < 1 else 'wider'}, "


def _where(span: Interval, direction: tuple[str, str]) -> str:
    if not span.is_complete:
        return "not defined"
    if span.low <= 0 <= span.high:
        return "across no effect"
    side = direction[span.low > 0].removeprefix("favours ")
    return f"on the side of {side}"
