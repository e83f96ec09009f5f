"""The dose figure: curves that agree with a trial, and where they put the dose for nearly all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import linear_ticks
from ldn_meta.display.figures.sheet import (
    MARGIN,
    SMALL_SIZE,
    Foot,
    Heading,
    Sheet,
    line,
    line_width,
    opening,
    point,
    steady,
    text_height,
    wrap,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import fixed, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure


FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CurveBands:
    """Shares of people who respond, dose by dose (d,): middle 95%, middle half, median."""

    dose: FloatArray
    low: FloatArray
    lower: FloatArray
    median: FloatArray
    upper: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class DoseSpread:
    """Where one reading of the report puts the dose: middle 95%, middle half, median (mg)."""

    name: str
    low: float
    lower: float
    median: float
    upper: float
    high: float


@dataclass(frozen=True)
class PrintedDose:
    """A dose as printed, the share it is said to work in, and the interval printed with it."""

    name: str
    share: float
    dose: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether a source prints an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


WIDTH, CURVES_HEIGHT = 430.0, 190.0
_WIDE, _NARROW = "#d5e4f1", "#8fb8da"
_TICK_SPACE = 14.0
_ROW_AIR, _MARK_HEIGHT = 8.0, 16.0
# Share of the axis kept free beyond the farthest end.
_PADDING = 0.03


@style.draws
def dose_figure(
    bands: CurveBands,
    spreads: Sequence[DoseSpread],
    printed: Sequence[PrintedDose],
    *,
    ladder: tuple[float, float],
    title: str,
) -> tuple[ShownFigure, Axes]:
    """Draw response against dose, and below, on the same axis, the dose for nearly all.

    Returned with the figure is the axes of the curves; that of the rows is the figure's last.
    """
    share = percent(printed[-1].share)
    shares = [f"{100 * tick:.0f}" for tick in style.QUARTERS]
    left = MARGIN + max(line_width(tick, SMALL_SIZE) for tick in shares) + 24
    right = left + WIDTH
    heading = Heading(title, right - MARGIN)
    top = heading.bottom + 6
    rows_top = top + CURVES_HEIGHT + _TICK_SPACE + 12
    words = [_row_words(spread) for spread in spreads]
    heights = [_ROW_AIR + text_height(text, SMALL_SIZE) + _MARK_HEIGHT for text in words]
    rows_bottom = rows_top + sum(heights) + _ROW_AIR
    label_top = rows_bottom + _TICK_SPACE
    foot = Foot(label_top + text_height("mg") + 8, right - MARGIN, _notes(printed))
    sheet = Sheet(right + MARGIN + 8, foot.bottom + MARGIN, heading, foot)
    ends = [float(bands.dose[-1]), *(spread.high for spread in spreads), ladder[1]]
    end = (1.0 + _PADDING) * max(ends)
    curves = _axes(sheet, left, top, CURVES_HEIGHT, end, ladder)
    _draw_curves(curves, bands, printed, top)
    for tick, text in zip(style.QUARTERS, shares, strict=True):
        y = top + CURVES_HEIGHT * (1 - tick)
        sheet.small(left - 5, y, text, align="right")
    middle = top + CURVES_HEIGHT / 2
    sheet.write(MARGIN + 5, middle, "People who respond (%)", align="center", rotation=90)
    rows = _axes(sheet, left, rows_top, rows_bottom - rows_top, end, ladder)
    _draw_rows(rows, spreads, printed[-1], words, heights, rows_top)
    axis = f"Dose (mg a day); below: dose that works in {share}"
    sheet.write(left + WIDTH / 2, label_top, axis, align="center", valign="top", gid="x-label")
    points = "; ".join(
        f"{fixed(one.dose)} mg for {percent(one.share)} of people"
        + (f" (interval {fixed(one.low)} to {fixed(one.high)})" if one.has_interval else "")
        for one in printed
    )
    sentences = [
        opening("Dose figure", title),
        f"Doses tested: {ladder[0]:g} to {ladder[1]:g} mg. A wide band of rising curves agrees "
        f"with the trial. Printed: {points}. Dose that works in {share}:",
        *(
            f"If {one.name}: median {fixed(one.median, 1)} mg, middle 95% {fixed(one.low, 1)} to "
            f"{fixed(one.high, 1)} mg."
            for one in spreads
        ),
    ]
    return sheet.shown(" ".join(sentences), curves)


dose_output = output_of(dose_figure)


def _axes(
    sheet: Sheet, left: float, top: float, height: float, end: float, ladder: tuple[float, float]
) -> Axes:
    ticks = linear_ticks(0.0, end, WIDTH)
    axes = sheet.plot(left, top, WIDTH, height, ends=(0.0, end), ticks=ticks)
    axes.axvspan(ladder[0], ladder[1], color=style.BAND, zorder=0, gid="ladder")
    return axes


def _draw_curves(
    axes: Axes, bands: CurveBands, printed: Sequence[PrintedDose], top: float
) -> None:
    def y(share: FloatArray | float) -> FloatArray:
        return np.array([steady(s) for s in np.atleast_1d(top + CURVES_HEIGHT * (1 - share))])

    pairs = ((bands.low, bands.high, _WIDE, "wide"), (bands.lower, bands.upper, _NARROW, "half"))
    for low, high, colour, gid in pairs:
        axes.fill_between(
            bands.dose, y(low), y(high), color=colour, linewidth=0, zorder=1, gid=f"band-{gid}"
        )
    line(axes, bands.dose, y(bands.median), style.TREATMENT, 1.6, gid="curve-median")
    for i, one in enumerate(printed):
        at, red, gid = float(y(one.share)[0]), style.PREDICTION, f"printed-{i}"
        if one.has_interval:
            ends, name = [one.low, one.high], f"{gid}-interval"
            line(axes, ends, [at, at], red, 2.0, cap="butt", zorder=3, gid=name)
        point(axes, one.dose, at, "D", 5.5, red, zorder=4, gid=gid)


def _row_words(spread: DoseSpread) -> str:
    numbers = f"{fixed(spread.median, 1)} ({fixed(spread.low, 1)} to {fixed(spread.high, 1)})"
    return wrap(style.typeset(f"If {spread.name}: {numbers}"), WIDTH - 12.0, SMALL_SIZE)


def _draw_rows(
    axes: Axes,
    spreads: Sequence[DoseSpread],
    statement: PrintedDose,
    words: Sequence[str],
    heights: Sequence[float],
    top: float,
) -> None:
    if statement.has_interval:
        axes.axvspan(
            statement.low,
            statement.high,
            facecolor="none",
            edgecolor=style.PREDICTION,
            hatch="////",
            linewidth=0.0,
            alpha=0.45,
            zorder=1,
            gid="printed-span",
        )
    axes.axvline(statement.dose, color=style.PREDICTION, linewidth=1.2, zorder=2, gid="printed-at")
    # Four points to the right of the axis, whatever its range.
    inset = 4.0 * axes.get_xlim()[1] / WIDTH
    for i, one in enumerate(spreads):
        text = axes.text(
            inset,
            top + _ROW_AIR,
            words[i],
            fontsize=SMALL_SIZE,
            verticalalignment="top",
            linespacing=style.LINE_HEIGHT,
            color=style.INK,
            gid=f"row-{i}-words",
            zorder=5,
        )
        text.set_bbox({"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85})
        top += heights[i]
        y = top - _MARK_HEIGHT / 2 + 2.0
        for low, high, width, part in (
            (one.low, one.high, 1.4, "wide"),
            (one.lower, one.upper, 5.0, "half"),
        ):
            ends, gid = [steady(low), steady(high)], f"row-{i}-{part}"
            line(axes, ends, [y, y], style.TREATMENT, width, cap="butt", zorder=3, gid=gid)
        point(
            axes,
            steady(one.median),
            y,
            "o",
            5.5,
            style.PAPER,
            edge=style.TREATMENT,
            rim=1.6,
            zorder=4,
            gid=f"row-{i}-median",
        )


def _notes(printed: Sequence[PrintedDose]) -> list[str]:
    said = " and ".join(f"{fixed(one.dose)} mg for {percent(one.share)}" for one in printed)
    intervals = (
        "; lines through them and hatched: the intervals one secondary source prints"
        if any(one.has_interval for one in printed)
        else ""
    )
    return [
        "Above: line, dark and light band are median, middle half and middle 95% of the curves "
        "that agree with the first row below. Tinted: doses that were tested.",
        f"Diamonds and line: {said}, as printed{intervals}. Below: circle, thick and thin line "
        "are median, middle half and middle 95%.",
    ]
