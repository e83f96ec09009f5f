"""The cumulative forest plot: the answer as it stood after each trial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.forest import NO_TRIAL, ONE_TRIAL, Row, draw_rows
from ldn_meta.display.figures.scales import EffectFormat, Interval
from ldn_meta.display.figures.sheet import opening, words_only, wrap
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import capitalised, count, percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.shown import ShownFigure


CUMULATIVE_COLUMNS = ("label", "year", "k", "people", "estimate", "ci_low", "ci_high")
HEADS = ("Trials", "People", "What this trial did")
TODAY = ": today's answer"
_WORDS_WIDTH = 180.0
# From twice as wide on, per cent would have to be reckoned back.
_MANY_TIMES = 2.0


@dataclass(frozen=True)
class Step:
    """The pool after one trial more."""

    label: str
    year: float
    trials: float
    people: float
    span: Interval
    did: str


def cumulative_steps(
    frame: pd.DataFrame, *, direction: tuple[str, str], print_as: EffectFormat
) -> list[Step]:
    """Read the frame, and say what each trial did."""
    style.check_columns(frame, CUMULATIVE_COLUMNS)
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


_MARKS = (
    "Square: all trials down to that row pooled (the first row is that trial alone); diamond and "
    "broken line: today's answer."
)
_ARROW = "Arrow: interval goes on."
_LOOKED_BACK = (
    "Looked back upon with today's methods: nobody pooled after each trial, and intervals that "
    "are looked at again and again miss more often than they say."
)


@style.settings()
def cumulative_plot(
    frame: pd.DataFrame,
    *,
    direction: tuple[str, str],
    x_label: str,
    log_scale: bool = False,
    digits: int = 2,
    level: float = 0.95,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw a cumulative forest plot (Lau 1992, doi 10.1056/NEJM199207233270406).

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a trial, by year of publication: ``label`` of the trial that was added, ``year``,
        ``k`` trials and ``people`` so far, ``estimate, ci_low, ci_high`` of the pool so far, on
        the scale of ``yi``.
    direction : (str, str)
        What values below and above no effect mean.
    x_label : str
        Name of the axis.
    log_scale : bool
        Numbers are logarithms of a ratio; the ratio is shown.
    digits : int
        Digits behind the point.
    level : float
        Level of the intervals.
    limits : (float, float), optional
        Ends of the axis on the scale of ``yi``; chosen from the data otherwise.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any estimate.
    axes : matplotlib.axes.Axes
        x is the effect (the ratio on a log axis), y is points from the top.

    Raises
    ------
    ArgumentError
        If a column is missing, years go back, or an estimate lies outside its interval.
    """
    print_as = EffectFormat(digits, log_scale)
    steps = cumulative_steps(frame, direction=direction, print_as=print_as)
    rows = cumulative_rows(steps, print_as)
    begin = opening("Cumulative forest plot", title)
    if not steps:
        return words_only([NO_TRIAL], title, f"{begin} {NO_TRIAL}")
    sentences = [
        begin,
        f"{capitalised(count(len(steps), 'trial'))} by year, {x_label}.",
        print_as.sides(direction),
        *(
            f"{step.year:.0f}, {step.label}: {print_as.effect(step.span)}, "
            f"{count(int(step.trials), 'trial')}, {style.count(step.people)} people; {step.did}."
            for step in steps
        ),
    ]
    is_many = len(steps) > 1
    sheet, axes = draw_rows(
        rows,
        column_names=HEADS,
        effect_header=f"Answer then\n({100 * level:g}% CI)",
        direction=direction,
        x_label=capitalised(x_label),
        is_log=log_scale,
        limits=limits,
        notes=lambda is_cut: [
            _MARKS if is_many else "",
            _ARROW if is_cut else "",
            _LOOKED_BACK if is_many else "",
        ],
        title=title,
    )
    return sheet.shown(" ".join(sentences), axes)


cumulative_output = output_of(cumulative_plot)
