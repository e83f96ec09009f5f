"""The panels of a next trial's worth: curves by people, named where they end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_rows import EffectFormat
from ldn_meta.display.figures.lettering import text_height, wrap
from ldn_meta.display.figures.next_trial_curves import LIKELY, Curve, Panel
from ldn_meta.display.figures.upright_axis import UprightScale, draw_upright, spread
from ldn_meta.display.wording import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import Sheet

PLOT_WIDTH = 330.0
TICK_ROOM = 34.0
TICK_SPACE = 15.0
# From the plot to the name of a line: a joint, then a sample of the line.
SAMPLE_ROOM = 38.0
_PLOT_HEIGHT = 130.0
_PANEL_GAP = 12.0
_JOINT = 10.0
_SAMPLE = 22.0
_SMALL = style.SMALL_SIZE
_SMALL_LINE = text_height("", _SMALL) + 1.5
_LEAST_REACH = math.log(2)
_MOST_TICKS = 9
_LADDERS = ((1, 2, 5), (1, 3), (1,))
_TICKS = (0.0, 0.25, 0.5, LIKELY, 1.0)
# Dashes tell lines apart in any print; tones help where there is colour.
_LINES = (
    ("solid", style.POOLED),
    ((0, (6, 2)), style.PREDICTION),
    ((0, (2, 1.5)), style.LDN),
    ((0, (7, 2, 1.5, 2)), style.SINGLE_ARM),
    ((0, (1, 1)), style.INK),
    ((0, (10, 3)), style.LDN),
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
            _SMALL,
            weight="bold",
        )
        # The head of the column of effects stands level with the first.
        height = max(text_height(head, _SMALL), 0.0 if number else least_head)
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
    left, scale, curves = style.MARGIN + TICK_ROOM, place.scale, place.panel.curves
    sheet.write(
        style.MARGIN,
        place.head_bottom,
        place.head,
        valign="bottom",
        size=_SMALL,
        weight="bold",
        gid=f"panel-{number}-head",
    )
    axes = sheet.plot(left, scale.top, PLOT_WIDTH, scale.height)
    axes.set_xscale("log")
    axes.set_xlim(*(style.steady(math.exp(end)) for end in ends))
    axes.minorticks_off()
    ticks = people_ticks(*ends)
    axes.set_xticks(ticks, [f"{people:,.0f}" for people in ticks])
    axes.tick_params(labelsize=_SMALL, length=3, width=0.8, pad=2)
    axes.axhline(
        scale.y(LIKELY),
        color=style.RULE,
        linewidth=0.8,
        linestyle=(0, (1, 2)),
        zorder=1,
        gid=f"panel-{number}-likely",
    )
    for index, curve in enumerate(curves):
        _draw_curve(
            axes, scale, curve, effects.index(curve.effect), f"panel-{number}-curve-{index}"
        )
    draw_upright(
        sheet,
        axes,
        scale,
        left,
        ticks=[(tick, percent(tick)) for tick in _TICKS],
        gid=f"panel-{number}-tick",
    )
    _write_ends(sheet, number, left + PLOT_WIDTH, scale, curves, effects, print_as)
    return axes


def _draw_curve(axes: Axes, scale: UprightScale, curve: Curve, kind: int, gid: str) -> None:
    dashes, colour = _LINES[kind]
    axes.plot(
        [style.steady(people) for people in curve.people],
        [scale.y(probability) for probability in curve.probability],
        color=colour,
        linewidth=1.6,
        linestyle=dashes,
        marker="o" if len(curve.people) == 1 else "",
        markersize=4.0,
        clip_on=False,
        zorder=3,
        gid=gid,
    )


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
    return shown or [style.steady(math.exp((low + high) / 2))]


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
        sheet.page.plot(
            [edge + 1.5, edge + _JOINT],
            [end, middle],
            color=style.RULE,
            linewidth=0.6,
            gid=f"{gid}-joint",
        )
        sheet.page.plot(
            [edge + _JOINT + 2, edge + _JOINT + 2 + _SAMPLE],
            [middle, middle],
            color=colour,
            linewidth=1.6,
            linestyle=dashes,
            gid=f"{gid}-sample",
        )
        sheet.write(
            edge + SAMPLE_ROOM, middle, print_as.number(curve.effect), size=_SMALL, gid=gid
        )
