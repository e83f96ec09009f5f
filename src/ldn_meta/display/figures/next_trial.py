"""The value of a next trial: how large it must be to settle the question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import (
    TICK_SPACE,
    EffectFormat,
    UprightScale,
    draw_upright,
    spread,
)
from ldn_meta.display.figures.sheet import (
    DOTTED,
    MARGIN,
    SMALL_SIZE,
    Foot,
    Heading,
    Sheet,
    line,
    line_width,
    steady,
    text_height,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import capitalised, percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure


NEXT_TRIAL_COLUMNS = ("people", "true_effect", "probability", "what")
NO_CURVE = "No next trial was simulated for this outcome."
# The power that trials are usually planned for.
LIKELY = 0.8
# More lines could not be told apart by their dashes.
MOST_EFFECTS = 8


@dataclass(frozen=True)
class Curve:
    """Probabilities under one true effect, by people in the next trial."""

    effect: float
    people: tuple[float, ...]
    probability: tuple[float, ...]

    @property
    def likely_from(self) -> float:
        """Fewest people from which on the probability stays likely; infinite if it never is."""
        found = math.inf
        for people, probability in zip(
            reversed(self.people), reversed(self.probability), strict=True
        ):
            if probability < LIKELY:
                break
            found = people
        return found


@dataclass(frozen=True)
class Panel:
    """What may happen, and its curves from the smallest true effect to the largest."""

    what: str
    curves: tuple[Curve, ...]


def panels_of(frame: pd.DataFrame) -> list[Panel]:
    """Read panels in the order in which they first occur."""
    style.check_columns(frame, NEXT_TRIAL_COLUMNS)
    faults = []
    for number, row in enumerate(frame.to_dict("records")):
        if not (math.isfinite(row["people"]) and row["people"] > 0):
            faults.append(f"people {row['people']:g} in row {number}: allowed is a number above 0")
        if not math.isfinite(row["true_effect"]):
            faults.append(
                f"true_effect {row['true_effect']:g} in row {number}: allowed is a finite number"
            )
        if not 0 <= row["probability"] <= 1:
            faults.append(f"probability {row['probability']:g} in row {number}: allowed is 0 to 1")
    twice = frame[frame.duplicated(["what", "true_effect", "people"])]
    faults += [
        f"{row['what']!r} under {row['true_effect']:g} with {row['people']:g} people is there "
        "twice: allowed is once"
        for row in twice.to_dict("records")
    ]
    effects = frame["true_effect"].nunique()
    if effects > MOST_EFFECTS:
        faults.append(f"{effects} true effects: allowed are {MOST_EFFECTS}, or lines look alike")
    if faults:
        raise ArgumentError(f"frame: {'; '.join(faults)}")
    return [
        Panel(
            str(what),
            tuple(
                Curve(
                    float(rows["true_effect"].iloc[0]),
                    tuple(float(people) for people in rows["people"]),
                    tuple(float(probability) for probability in rows["probability"]),
                )
                for _, rows in own.sort_values("people").groupby("true_effect")
            ),
        )
        for what, own in frame.groupby("what", sort=False)
    ]


def effects_of(panels: Sequence[Panel]) -> list[float]:
    """All true effects, from the smallest to the largest; each has a line of its own kind."""
    return sorted({curve.effect for panel in panels for curve in panel.curves})


def likely_words(panel: Panel, print_as: EffectFormat) -> str:
    """Say for each true effect how many people make the event likely."""
    effects: dict[str, list[str]] = {}
    for curve in panel.curves:
        first, last = curve.people[0], curve.people[-1]
        if math.isinf(curve.likely_from):
            when = f"not with up to {last:,.0f} people"
        elif curve.likely_from == first:
            when = f"with {first:,.0f} people already"
        else:
            when = f"from {curve.likely_from:,.0f} people on"
        effects.setdefault(when, []).append(print_as.number(curve.effect))
    parts = [f"{when} if it is {joined(names)}" for when, names in effects.items()]
    return (
        f"{capitalised(panel.what)}, with a probability of {percent(LIKELY)} or more, by true "
        f"effect: {'; '.join(parts)}."
    )


def joined(names: Sequence[str]) -> str:
    """Write names as ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


PLOT_WIDTH = 330.0
TICK_ROOM = 34.0
# From the plot to the name of a line: a joint, then a sample of the line.
SAMPLE_ROOM = 38.0
_PLOT_HEIGHT = 130.0
_PANEL_GAP = 12.0
_JOINT = 10.0
_SAMPLE = 22.0
_SMALL_LINE = text_height("", SMALL_SIZE) + 1.5
_LEAST_REACH = math.log(2)
_MOST_TICKS = 9
_LADDERS = ((1, 2, 5), (1, 3), (1,))
_TICKS = (0.0, 0.25, 0.5, LIKELY, 1.0)
# Dashes tell lines apart in any print; tones help where there is colour.
_LINES: tuple[tuple[style.Dashes, str], ...] = (
    ("solid", style.POOLED),
    ((0, (6, 2)), style.PREDICTION),
    ((0, (2, 1.5)), style.TREATMENT),
    ((0, (7, 2, 1.5, 2)), style.SINGLE_ARM),
    ((0, (1, 1)), style.INK),
    ((0, (10, 3)), style.TREATMENT),
    ((0, (4, 1.5, 1, 1.5, 1, 1.5)), style.PREDICTION),
    ((0, (3, 5)), style.POOLED),
)


@dataclass(frozen=True)
class Place:
    """A panel, its head, and where both stand."""

    panel: Panel
    head: str
    head_bottom: float
    scale: UprightScale


def stack(panels: Sequence[Panel], top: float, least_head: float) -> list[Place]:
    """Place the panels one below the other."""
    places = []
    for number, panel in enumerate(panels):
        head = wrap(
            style.typeset(f"Probability that {panel.what}"),
            TICK_ROOM + PLOT_WIDTH,
            SMALL_SIZE,
            weight="bold",
        )
        # The head of the column of effects stands level with the first.
        height = max(text_height(head, SMALL_SIZE), 0.0 if number else least_head)
        bottom = top + height
        scale = UprightScale(bottom + 5, _PLOT_HEIGHT, 0.0, 1.0)
        places.append(Place(panel, head, bottom, scale))
        top = scale.bottom + TICK_SPACE + _PANEL_GAP
    return places


def draw_panel(
    sheet: Sheet,
    number: int,
    place: Place,
    ends: tuple[float, float],
    effects: Sequence[float],
    print_as: EffectFormat,
) -> Axes:
    """Draw one panel: head, axes, lines, and their names."""
    left, scale, curves = MARGIN + TICK_ROOM, place.scale, place.panel.curves
    sheet.small(
        MARGIN,
        place.head_bottom,
        place.head,
        valign="bottom",
        weight="bold",
        gid=f"panel-{number}-head",
    )
    axes = sheet.plot(
        left,
        scale.top,
        PLOT_WIDTH,
        scale.height,
        ends=(steady(math.exp(ends[0])), steady(math.exp(ends[1]))),
        ticks=[(people, f"{people:,.0f}") for people in people_ticks(*ends)],
        is_log=True,
    )
    axes.axhline(
        scale.y(LIKELY),
        color=style.RULE,
        linewidth=0.8,
        linestyle=DOTTED,
        zorder=1,
        gid=f"panel-{number}-likely",
    )
    for index, curve in enumerate(curves):
        dashes, colour = _LINES[effects.index(curve.effect)]
        axes.plot(
            [steady(people) for people in curve.people],
            [scale.y(probability) for probability in curve.probability],
            color=colour,
            linewidth=1.6,
            linestyle=dashes,
            marker="o" if len(curve.people) == 1 else "",
            markersize=4.0,
            clip_on=False,
            zorder=3,
            gid=f"panel-{number}-curve-{index}",
        )
    ticks = [(tick, percent(tick)) for tick in _TICKS]
    draw_upright(sheet, axes, scale.y, left, ticks=ticks, gid=f"panel-{number}-tick")
    _write_ends(sheet, number, left + PLOT_WIDTH, scale, curves, effects, print_as)
    return axes


def spans_of(panels: Sequence[Panel]) -> tuple[float, float]:
    """Logarithms of the fewest and the most people."""
    people = [number for panel in panels for curve in panel.curves for number in curve.people]
    return math.log(min(people)), math.log(max(people))


def ends_of(panels: Sequence[Panel]) -> tuple[float, float]:
    """Ends of the axis of people, as logarithms."""
    low, high = spans_of(panels)
    lacking = max(0.0, _LEAST_REACH - (high - low)) / 2
    return low - lacking, high + lacking


def people_ticks(low: float, high: float) -> list[float]:
    """Choose round numbers of people between two logarithms, as many as are easily read."""
    powers = range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1)
    for digits in _LADDERS:
        values = [float(f"{digit}e{power}") for power in powers for digit in digits]
        shown = [value for value in values if value >= 1 and low <= math.log(value) <= high]
        if len(shown) <= _MOST_TICKS:
            break
    return shown or [steady(math.exp((low + high) / 2))]


def _write_ends(
    sheet: Sheet,
    number: int,
    edge: float,
    scale: UprightScale,
    curves: Sequence[Curve],
    effects: Sequence[float],
    print_as: EffectFormat,
) -> None:
    """Name each line where it ends, with a sample of it: lines that meet there differ in that."""
    at = [scale.y(curve.probability[-1]) for curve in curves]
    middles = spread(at, [_SMALL_LINE] * len(at), scale.top - 5, scale.bottom + TICK_SPACE)
    for index, (curve, end, middle) in enumerate(zip(curves, at, middles, strict=True)):
        gid = f"panel-{number}-effect-{index}"
        dashes, colour = _LINES[effects.index(curve.effect)]
        joint, sample = [edge + 1.5, edge + _JOINT], edge + _JOINT + 2
        line(sheet.page, joint, [end, middle], style.RULE, 0.6, gid=f"{gid}-joint")
        xs, ys = [sample, sample + _SAMPLE], [middle, middle]
        line(sheet.page, xs, ys, colour, 1.6, dashes=dashes, gid=f"{gid}-sample")
        sheet.small(edge + SAMPLE_ROOM, middle, print_as.number(curve.effect), gid=gid)


_X_LABEL = "People in the next trial (log axis)"
_EFFECT_HEAD = "True effect"


@style.draws
def next_trial_plot(
    frame: pd.DataFrame,
    *,
    direction: tuple[str, str],
    unit_words: str = "",
    log_scale: bool = False,
    digits: int = 2,
    remarks: Sequence[str] = (),
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw how likely a next trial of a given size is to settle the question.

    A panel for each thing that may happen, a line for each true effect, named at its end.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a simulated trial size: ``people`` in the next trial, ``true_effect`` on the
        scale of ``yi``, ``probability`` (0-1), ``what`` may happen, in words that follow
        "probability that": "the pooled interval lies off no effect".
    direction : (str, str)
        What effects below and above no effect mean.
    unit_words : str
        Unit of the effects.
    log_scale : bool
        Effects are logarithms of a ratio; the ratio is printed.
    digits : int
        Digits behind the point of effects.
    remarks : sequence of str
        Assumptions of the simulation, printed below.
    title : str, optional
        Bold line above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any row.
    axes : matplotlib.axes.Axes
        The first panel: x is people on a log axis, y is points from the top.

    Raises
    ------
    ArgumentError
        If the frame is not as described, or has more true effects than lines can be told apart.
    """
    panels = panels_of(frame)
    print_as = EffectFormat(digits, log_scale)
    begin = f"Value of a next trial{f': {title}' if title else ''}"
    sentences = [begin if begin.endswith("?") else f"{begin}."]
    if not panels:
        return words_only([NO_CURVE, *remarks], title, f"{sentences[0]} {NO_CURVE}")
    sides = (
        f"True effect below {print_as.no_effect}: {direction[0]}; "
        f"above {print_as.no_effect}: {direction[1]}."
    )
    likely = [likely_words(panel, print_as) for panel in panels]
    effects = effects_of(panels)
    left = MARGIN + TICK_ROOM
    edge = left + PLOT_WIDTH
    names = [print_as.number(effect) for effect in effects]
    head = wrap(f"{_EFFECT_HEAD}{f', {unit_words}' if unit_words else ''}", 90.0, SMALL_SIZE)
    beside = max(line_width(text, SMALL_SIZE) for text in [*names, *head.split("\n")])
    right = edge + SAMPLE_ROOM + beside
    heading = Heading(title, right - MARGIN)
    places = stack(panels, heading.bottom, text_height(head, SMALL_SIZE))
    label_top = places[-1].scale.bottom + TICK_SPACE
    foot = Foot(
        label_top + text_height(_X_LABEL, SMALL_SIZE) + 8,
        right - MARGIN,
        [sides, *map(style.typeset, likely), *remarks],
    )
    sheet = Sheet(right + MARGIN, foot.bottom + MARGIN, heading, foot)
    ends = ends_of(panels)
    drawn = [
        draw_panel(sheet, number, place, ends, effects, print_as)
        for number, place in enumerate(places)
    ]
    top = places[0].scale.top - 4
    x = edge + SAMPLE_ROOM
    sheet.small(x, top, head, valign="bottom", gid="effect-head")
    sheet.caption(left + PLOT_WIDTH / 2, label_top, _X_LABEL, valign="top", gid="x-label")
    low, high = (math.exp(end) for end in spans_of(panels))
    sentences += [
        f"Probabilities by people in the next trial, {low:,.0f} to {high:,.0f}, a line for each "
        f"true effect{f' ({unit_words})' if unit_words else ''}.",
        sides,
        *(
            f"{_curve_words(panel, print_as)} {words}"
            for panel, words in zip(panels, likely, strict=True)
        ),
    ]
    return sheet.shown(" ".join(sentences), drawn[0])


next_trial_output = output_of(next_trial_plot)


def _curve_words(panel: Panel, print_as: EffectFormat) -> str:
    parts = [
        f"{percent(curve.probability[0])} to {percent(curve.probability[-1])} if it is "
        f"{print_as.number(curve.effect)}"
        for curve in panel.curves
    ]
    return (
        f"Probability that {panel.what}, from the smallest trial to the largest: "
        f"{'; '.join(parts)}."
    )
