"""The sequential figure: cumulative Z on its way to the required information."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import (
    Box,
    UprightScale,
    Wanted,
    along,
    around,
    draw_upright,
    fit_names,
    known_pairs,
    linear_ticks,
    place_names,
    wanted_at,
    write_ends,
    write_names,
)
from ldn_meta.display.figures.sheet import (
    DOTTED,
    KEY_HEIGHT,
    MARGIN,
    SMALL_SIZE,
    Entry,
    Foot,
    Heading,
    Sheet,
    area,
    line,
    line_entry,
    line_width,
    opening,
    patch_entry,
    point,
    rectangle,
    steady,
    text_height,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import joined, share_words
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ldn_meta.display.figures.sheet import ShownFigure


LOOK_COLUMNS = ("label", "fraction", "z")
NO_LOOK = "No trial gives an effect of this outcome, so there is no look."
# Of the two-sided normal test at 5%, for somebody who looks once.
CONVENTIONAL = 1.959964


@dataclass(frozen=True)
class Look:
    """The evidence after one trial more."""

    label: str
    fraction: float
    z: float


@dataclass(frozen=True)
class Boundary:
    """Size of Z at shares of the required information; both sides are the same."""

    fraction: tuple[float, ...] = ()
    size: tuple[float, ...] = ()

    def at(self, fraction: float) -> float:
        """Size at a share, on a straight line between points; NaN beyond the ends."""
        import numpy as np

        if not self.fraction:
            return math.nan
        found = np.interp(fraction, self.fraction, self.size, left=math.nan, right=math.nan)
        return float(found)

    def below(self, reach: float, last: float) -> list[tuple[float, float]]:
        """Points no higher than ``reach`` and no later than ``last``, ends met exactly."""
        points = list(zip(self.fraction, self.size, strict=True))
        kept: list[tuple[float, float]] = []
        for number, (fraction, size) in enumerate(points):
            if number and (points[number - 1][1] > reach) != (size > reach):
                before, higher = points[number - 1]
                share = (reach - higher) / (size - higher)
                kept.append((before + share * (fraction - before), reach))
            if size <= reach:
                kept.append((fraction, size))
        inside = [(fraction, size) for fraction, size in kept if fraction <= last]
        if inside and len(inside) < len(kept) and inside[-1][0] < last:
            inside.append((last, self.at(last)))
        return inside


def looks_of(frame: pd.DataFrame) -> list[Look]:
    """Read looks in the order they were taken."""
    style.check_columns(frame, LOOK_COLUMNS, "looks")
    looks = [
        Look(str(row["label"]), float(row["fraction"]), float(row["z"]))
        for row in frame.to_dict("records")
    ]
    faults, last = [], 0.0
    for look in looks:
        if not (math.isfinite(look.fraction) and look.fraction > last):
            faults.append(
                f"fraction {look.fraction:g} of {look.label!r}: allowed is more than {last:g}, "
                "since every look adds information"
            )
        else:
            last = look.fraction
        if not math.isfinite(look.z):
            faults.append(f"z {look.z:g} of {look.label!r}: allowed is a finite number")
    if faults:
        raise ArgumentError(f"looks: {'; '.join(faults)}")
    return looks


def boundary_of(name: str, pair: tuple[ArrayLike, ArrayLike] | None) -> Boundary:
    """Read a boundary; points that are NaN are left out."""
    import numpy as np

    if pair is None:
        return Boundary()
    fraction, size = known_pairs(name, pair, "fractions and sizes")
    if np.any(np.diff(fraction) <= 0) or np.any(size < 0):
        message = (
            f"{name} has fractions {fraction.tolist()!r:.60} and sizes {size.tolist()!r:.60}: "
            "allowed are ascending fractions and sizes of at least 0"
        )
        raise ArgumentError(message)
    return Boundary(tuple(fraction.tolist()), tuple(size.tolist()))


def verdict_words(
    looks: Sequence[Look], boundary: Boundary, futility: Boundary, direction: tuple[str, str]
) -> str:
    """Say whether, when and where a boundary was met, and where the last look stands."""
    sentences = []
    crossed = next((look for look in looks if abs(look.z) >= boundary.at(look.fraction)), None)
    if crossed is not None:
        sentences.append(
            f"The boundary was crossed after {crossed.label}: {direction[crossed.z > 0]}."
        )
    elif any(math.isfinite(boundary.at(look.fraction)) for look in looks):
        sentences.append("No look crossed the boundary.")
    single = [
        look.label
        for look in looks
        if abs(look.z) > CONVENTIONAL
        and look.fraction < 1
        and not abs(look.z) >= boundary.at(look.fraction)
    ]
    if single:
        sentences.append(
            f"A single look would have seen an effect after {joined(single)}: Z beyond 1.96, "
            "not beyond the boundary."
        )
    given_up = next((look for look in looks if abs(look.z) < futility.at(look.fraction)), None)
    if given_up is not None:
        sentences.append(f"Z lay inside the futility wedge after {given_up.label}.")
    last = looks[-1]
    here = f"After {last.label}, Z is {style.number(last.z, 2)}"
    size = boundary.at(last.fraction)
    if math.isfinite(size):
        return " ".join([*sentences, f"{here} and the boundary {style.number(size, 2)}."])
    if last.fraction >= 1:
        return " ".join([*sentences, f"{here}; the required information has been reached."])
    return " ".join([*sentences, f"{here}; so early no boundary is defined."])


def information_words(looks: Sequence[Look], ris_people: float) -> str:
    """Say how far the evidence has come."""
    fraction = looks[-1].fraction
    share = share_words(fraction)
    if math.isnan(ris_people):
        return f"Information so far: {share} of what is required"
    return f"Information so far: {share} of what {ris_people:,.0f} people would give"


POINT_SIZE = 6.0
_WEDGE = "#e3e3e3"
_DASHES: style.Dashes = (0, (5, 3))
_STRIP_HEIGHT = 6.0
_LEAST_STRIP = 1.5
_ROOM = 28.0
_HALF = 11.0
# More names than this are numbers with a key.
_MOST_NAMES = 8
_PLOT_WIDTH = 380.0
_PLOT_HEIGHT = 230.0
_LEFT_WIDTH = 112.0
_WORDS_WIDTH = 88.0
# The axis shows Z to this size even if nothing goes so far, so that figures look alike.
_LEAST_REACH = 3.5
_Z_AIR = 0.6
# A boundary further off than this would press the looks into a line: it is told in words.
_MOST_REACH = 6.0
# Below this share of the required information an axis up to all of it would show a dot.
_TINY = 0.15
_BEYOND = 1.06
_BEYOND_LAST = 1.6
_AXIS = "Z of the pooled effect"


@dataclass(frozen=True)
class Plot:
    """Looks and boundaries, and where they stand in points from the top left of the page."""

    looks: Sequence[Look]
    upper: Boundary
    inner: Boundary
    left: float
    width: float
    last: float
    upright: UprightScale

    def x(self, fraction: float) -> float:
        """Place of a share of the required information."""
        return steady(self.left + self.width * fraction / self.last)

    def share(self, x: float) -> float:
        """Share of the required information at a place."""
        return steady((x - self.left) / self.width * self.last)

    def ticks(self) -> list[tuple[float, str]]:
        """Shares to print, in per cent."""
        ticks = linear_ticks(0.0, 100 * self.last, self.width)
        return [(value / 100, f"{label}%") for value, label in ticks]

    def shown(self, boundary: Boundary) -> list[tuple[float, float]]:
        """Points of a boundary that the plot shows."""
        return boundary.below(self.upright.high, self.last)

    def draw(self, sheet: Sheet) -> Axes:
        """Draw the axis of information, the lines across, boundaries, wedge and looks."""
        upright, y = self.upright, self.upright.y
        size = self.width, upright.height
        ends = (0.0, self.last)
        axes = sheet.plot(self.left, upright.top, *size, ends=ends, ticks=self.ticks())
        axes.axhline(y(0.0), color=style.INK, linewidth=0.8, zorder=1, gid="no-effect")
        points = self.shown(self.upper)
        for side, word in ((-1, "low"), (1, "high")):
            axes.axhline(
                y(side * CONVENTIONAL),
                color=style.SOFT_INK,
                linewidth=0.9,
                linestyle=DOTTED,
                zorder=2,
                gid=f"conventional-{word}",
            )
            if points:
                line(
                    axes,
                    [steady(fraction) for fraction, _ in points],
                    [y(side * height) for _, height in points],
                    style.PREDICTION,
                    1.6,
                    dashes=_DASHES,
                    zorder=3,
                    gid=f"boundary-{word}",
                )
        wedge = [(steady(fraction), height) for fraction, height in self.shown(self.inner)]
        if wedge:
            above = [(x, y(height)) for x, height in wedge]
            below = [(x, y(-height)) for x, height in reversed(wedge)]
            corners = [*above, *below]
            area(axes, corners, _WEDGE, edge=style.RULE, width=0.8, zorder=0.5, gid="futility")
        if self.last >= 1:
            ys = [upright.top, upright.bottom]
            line(axes, [1.0, 1.0], ys, style.INK, 0.9, gid="required")
        path = [(0.0, y(0.0)), *((steady(look.fraction), y(look.z)) for look in self.looks)]
        xs, ys = [x for x, _ in path], [height for _, height in path]
        line(axes, xs, ys, style.POOLED, 1.4, zorder=4, gid="path")
        for index, place in enumerate(path[1:]):
            gid = f"look-{index}"
            point(axes, *place, "o", POINT_SIZE, style.POOLED, clip=False, zorder=5, gid=gid)
        return axes

    def names(
        self, texts: Sequence[str], *, is_far_allowed: bool
    ) -> tuple[list[Wanted], list[Box]] | None:
        """Find a place for the name or number of each look, off marks and lines."""
        size = POINT_SIZE + 2, POINT_SIZE + 2
        wanted = [
            wanted_at(x, y, text, radius=POINT_SIZE / 2 + 1, mark=[around(x, y, *size)])
            for text, look in zip(texts, self.looks, strict=True)
            for x, y in [(self.x(look.fraction), self.upright.y(look.z))]
        ]
        upright, right = self.upright, self.left + self.width
        boxes = place_names(
            wanted,
            taken=[],
            avoided=self._lines(),
            inside=Box(self.left, upright.top, right, upright.bottom).inset(1),
            is_far_allowed=is_far_allowed,
        )
        return None if boxes is None else (wanted, boxes)

    def _lines(self) -> list[Box]:
        """Rectangles along lines, which names should not lie on."""
        y = self.upright.y
        right = self.left + self.width
        across = [Box(self.left, y(z), right, y(z)) for z in (0.0, CONVENTIONAL, -CONVENTIONAL)]
        lines = [[(0.0, 0.0), *((look.fraction, look.z) for look in self.looks)]]
        for boundary in (self.upper, self.inner):
            points = self.shown(boundary)
            lines += [[(fraction, side * size) for fraction, size in points] for side in (-1, 1)]
        covered = [along([(self.x(x), y(z)) for x, z in points]) for points in lines]
        return [*across, *(box for boxes in covered for box in boxes)]

    def legend(self) -> list[tuple[str, list[Entry]]]:
        """Explain what is drawn, and nothing else."""
        single = "1.96 to either side: what a single look would need"
        entries = [
            Entry("Z after each trial", _draw_path, _ROOM, KEY_HEIGHT),
            line_entry(single, style.SOFT_INK, 0.9, half=_HALF, room=_ROOM, dashes=DOTTED),
        ]
        if self.shown(self.upper):
            words = "boundary: what repeated looks need"
            entries.append(
                line_entry(words, style.PREDICTION, 1.6, half=_HALF, room=_ROOM, dashes=_DASHES)
            )
        if self.shown(self.inner):
            words = "futility: inside, the effect looked for is given up"
            entries.append(patch_entry(words, _WEDGE, half=_HALF, room=_ROOM, rim=0.8))
        return [("Lines", entries)]

    def off_axis(self, ris_people: float) -> list[str]:
        """Say what is too far off to be drawn."""
        lines = []
        size = self.upper.at(self.looks[-1].fraction)
        if size > self.upright.high:
            lines.append(
                f"Off this axis: the boundary, which is {style.number(size, 1)} at the last look."
            )
        if self.last < 1:
            people = f", {ris_people:,.0f} people" if math.isfinite(ris_people) else ""
            lines.append(f"Off this axis to the right: all of the required information{people}.")
        return lines


def plot_of(
    looks: Sequence[Look], upper: Boundary, inner: Boundary, top: float, height: float
) -> Plot:
    """Choose ends: every look in view, boundaries as far as they stay near."""
    last = looks[-1].fraction
    sizes = [abs(look.z) for look in looks]
    sizes += [size for size in (upper.at(last), inner.at(last)) if size <= _MOST_REACH]
    reach = steady(max(_LEAST_REACH, max(sizes) + _Z_AIR))
    end = last * _BEYOND_LAST if last < _TINY else max(1.0, last) * _BEYOND
    return Plot(
        looks,
        upper,
        inner,
        MARGIN + _LEFT_WIDTH,
        _PLOT_WIDTH,
        steady(end),
        UprightScale(top, height * _PLOT_HEIGHT, -reach, reach),
    )


def _draw_path(sheet: Sheet, x: float, y: float, gid: str) -> None:
    sheet.page.plot(
        [x - _HALF, x, x + _HALF],
        [y, y, y],
        color=style.POOLED,
        linewidth=1.4,
        marker="o",
        markevery=[1],
        markersize=POINT_SIZE,
        gid=gid,
    )


@style.draws
def sequential_plot(
    looks: pd.DataFrame,
    *,
    boundary: tuple[ArrayLike, ArrayLike],
    direction: tuple[str, str],
    ris_people: float,
    futility: tuple[ArrayLike, ArrayLike] | None = None,
    remarks: Sequence[str] = (),
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw cumulative Z against sequential boundaries.

    After Wetterslev 2008, doi 10.1016/j.jclinepi.2007.03.013.
    Where only a small part of the required information is there, the axis ends soon after the
    last look; the end of the way, and boundaries too far off to be drawn, are told in words.

    Parameters
    ----------
    looks : pandas.DataFrame
        One row a look, in the order they were taken: ``label`` of the trial that was added,
        ``fraction`` of the required information, ``z`` of the pool.
    boundary : (array (m,), array (m,))
        Shares of the required information, and the size of Z beyond which there is an effect;
        the sizes that hold at the looks stand at the looks.
    direction : (str, str)
        What Z below and above 0 means.
    ris_people : float
        Required information size in people; NaN if not known.
    futility : (array (m,), array (m,)), optional
        The same for the size of Z below which the effect looked for is not there.
    remarks : sequence of str
        Assumptions, printed below.
    title : str, optional
        Bold line above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any look.
    axes : matplotlib.axes.Axes
        x is the share of the required information, y is points from the top.

    Raises
    ------
    ArgumentError
        If looks or boundaries are not as described.
    """
    taken, upper = looks_of(looks), boundary_of("boundary", boundary)
    inner = boundary_of("futility", futility)
    begin = opening("Sequential figure", title)
    if not taken:
        return words_only([NO_LOOK, *remarks], title, f"{begin} {NO_LOOK}")
    right = MARGIN + _LEFT_WIDTH + _PLOT_WIDTH
    width = right - MARGIN
    heading = Heading(title, width)
    information = information_words(taken, ris_people)
    progress = wrap(information, width, SMALL_SIZE)
    strip_top = heading.bottom + text_height(progress, SMALL_SIZE) + 2

    def attempt(
        texts: list[str], height: float, is_far_allowed: bool
    ) -> tuple[Plot, list[Wanted], list[Box]] | None:
        plot = plot_of(taken, upper, inner, strip_top + 22, height)
        placed = plot.names(texts, is_far_allowed=is_far_allowed)
        return placed and (plot, *placed)

    labels = [look.label for look in taken]
    (plot, wanted, boxes), texts, key = fit_names(labels, _MOST_NAMES, attempt)
    verdict = verdict_words(taken, upper, inner, direction)
    beyond = plot.off_axis(ris_people)
    foot = Foot(
        plot.upright.bottom + 18 + text_height("", SMALL_SIZE) + 6,
        width,
        [key, verdict, *beyond, *remarks],
        plot.legend(),
    )
    sheet = Sheet(right + 2 * MARGIN, foot.bottom + MARGIN, heading, foot)
    sheet.small(MARGIN, heading.bottom, progress, valign="top", gid="progress-words")
    _draw_progress(sheet, width, strip_top, taken[-1].fraction)
    axes = plot.draw(sheet)
    write_names(axes, plot.share, texts, boxes, wanted, above=3.5)
    draw_upright(sheet, axes, plot.upright.y, plot.left, ticks=plot.upright.ticks())
    write_ends(
        sheet,
        plot.upright,
        MARGIN + _WORDS_WIDTH,
        _WORDS_WIDTH,
        direction=direction,
        name=_AXIS,
        name_width=_WORDS_WIDTH - 14,
    )
    _write_information(sheet, plot, ris_people)
    sentences = [
        begin,
        f"{information}.",
        f"Z below 0: {direction[0]}; Z above 0: {direction[1]}.",
        f"Looks: {'; '.join(_look_words(look, upper) for look in taken)}.",
        verdict,
        *beyond,
    ]
    return sheet.shown(" ".join(sentences), axes)


sequential_output = output_of(sequential_plot)


def _look_words(look: Look, upper: Boundary) -> str:
    size = upper.at(look.fraction)
    beside = f" (boundary {style.number(size, 2)})" if math.isfinite(size) else ""
    return f"{look.label} at {100 * look.fraction:.3g}%, Z {style.number(look.z, 2)}{beside}"


def _draw_progress(sheet: Sheet, width: float, top: float, fraction: float) -> None:
    """Draw a strip that is filled as far as the required information is there."""
    filled = steady(max(min(fraction, 1.0) * width, _LEAST_STRIP))
    for gid, length, fill, edge in (
        ("progress-all", steady(width), style.PAPER, style.RULE),
        ("progress", filled, style.POOLED, "none"),
    ):
        size = length, _STRIP_HEIGHT
        rectangle(sheet.page, MARGIN, top, *size, fill, edge=edge, rim=0.7, gid=gid)


def _write_information(sheet: Sheet, plot: Plot, ris_people: float) -> None:
    """Name the axis of information, and where all that is required is there."""
    sheet.caption(
        plot.left + plot.width / 2,
        plot.upright.bottom + 16,
        "Share of the required information",
        valign="top",
        gid="x-label",
    )
    if plot.last < 1:
        return
    words = f"required: {ris_people:,.0f} people" if math.isfinite(ris_people) else "required"
    half = line_width(words, SMALL_SIZE) / 2
    sheet.caption(
        min(plot.x(1.0), plot.left + plot.width + MARGIN - half),
        plot.upright.top - 2,
        words,
        valign="bottom",
        gid="required-words",
    )
