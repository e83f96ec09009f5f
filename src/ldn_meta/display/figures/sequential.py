"""The sequential figure: cumulative Z on its way to the required information."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.sheet import (
    Box,
    Entry,
    Heading,
    Legend,
    Notes,
    Sheet,
    UprightScale,
    Wanted,
    around,
    draw_upright,
    is_joined,
    line_width,
    linear_ticks,
    place_names,
    text_height,
    text_width,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import FigureOutput
from ldn_meta.display.words import joined, share_words
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


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
    missing = [name for name in LOOK_COLUMNS if name not in frame.columns]
    if missing:
        message = f"looks lacks {', '.join(missing)}; allowed: {', '.join(LOOK_COLUMNS)}"
        raise ArgumentError(message)
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
    fraction, size = (np.asarray(values, dtype=float) for values in pair)
    if fraction.ndim != 1 or fraction.shape != size.shape:
        message = (
            f"{name} has shapes {fraction.shape} and {size.shape}: fractions and sizes need one "
            "shape (m,)"
        )
        raise ArgumentError(message)
    known = np.isfinite(fraction) & np.isfinite(size)
    fraction, size = fraction[known], size[known]
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
_DOTS = (0, (1, 2))
_DASHES = (0, (5, 3))
_STRIP_HEIGHT = 6.0
_LEAST_STRIP = 1.5
_ROOM = 28.0
_HEIGHT = 9.0
_HALF = 11.0


@dataclass(frozen=True)
class Scales:
    """Where a look stands, in points from the top left of the page."""

    left: float
    width: float
    last: float
    upright: UprightScale

    def x(self, fraction: float) -> float:
        """Place of a share of the required information."""
        return style.steady(self.left + self.width * fraction / self.last)

    def ticks(self) -> list[tuple[float, str]]:
        """Shares to print, in per cent."""
        ticks = linear_ticks(0.0, 100 * self.last, self.width)
        return [(value / 100, f"{label}%") for value, label in ticks]


def draw_boundaries(axes: Axes, scales: Scales, upper: Boundary, inner: Boundary) -> None:
    """Draw the axis of information, the lines across, the boundaries and the wedge."""
    axes.set_xlim(0.0, scales.last)
    ticks = scales.ticks()
    axes.set_xticks([value for value, _ in ticks], [label for _, label in ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    y = scales.upright.y
    axes.axhline(y(0.0), color=style.INK, linewidth=0.8, zorder=1, gid="no-effect")
    for side, word in ((-1, "low"), (1, "high")):
        axes.axhline(
            y(side * CONVENTIONAL),
            color=style.SOFT_INK,
            linewidth=0.9,
            linestyle=_DOTS,
            zorder=2,
            gid=f"conventional-{word}",
        )
        points = upper.below(scales.upright.high, scales.last)
        if points:
            axes.plot(
                [style.steady(fraction) for fraction, _ in points],
                [y(side * size) for _, size in points],
                color=style.PREDICTION,
                linewidth=1.6,
                linestyle=_DASHES,
                zorder=3,
                gid=f"boundary-{word}",
            )
    _draw_wedge(axes, scales, inner)
    if scales.last >= 1:
        axes.plot(
            [1.0, 1.0],
            [scales.upright.top, scales.upright.bottom],
            color=style.INK,
            linewidth=0.9,
            zorder=2,
            gid="required",
        )


def _draw_wedge(axes: Axes, scales: Scales, inner: Boundary) -> None:
    from matplotlib.patches import Polygon

    points = inner.below(scales.upright.high, scales.last)
    if not points:
        return
    y = scales.upright.y
    above = [(style.steady(fraction), y(size)) for fraction, size in points]
    below = [(style.steady(fraction), y(-size)) for fraction, size in reversed(points)]
    axes.add_patch(
        Polygon(
            [*above, *below],
            closed=True,
            facecolor=_WEDGE,
            edgecolor=style.RULE,
            linewidth=0.8,
            zorder=0.5,
            gid="futility",
        )
    )


def draw_looks(axes: Axes, scales: Scales, looks: Sequence[Look]) -> None:
    """Join the looks from nothing to the last."""
    y = scales.upright.y
    axes.plot(
        [0.0, *(style.steady(look.fraction) for look in looks)],
        [y(0.0), *(y(look.z) for look in looks)],
        color=style.POOLED,
        linewidth=1.4,
        zorder=4,
        gid="path",
    )
    for index, look in enumerate(looks):
        axes.plot(
            [style.steady(look.fraction)],
            [y(look.z)],
            marker="o",
            markersize=POINT_SIZE,
            color=style.POOLED,
            linestyle="none",
            clip_on=False,
            zorder=5,
            gid=f"look-{index}",
        )


def draw_progress(sheet: Sheet, left: float, right: float, top: float, fraction: float) -> None:
    """Draw a strip that is filled as far as the required information is there."""
    from matplotlib.patches import Rectangle

    filled = max(min(fraction, 1.0) * (right - left), _LEAST_STRIP)
    for gid, width, colour in (
        ("progress-all", right - left, style.PAPER),
        ("progress", filled, style.POOLED),
    ):
        sheet.page.add_patch(
            Rectangle(
                (left, top),
                style.steady(width),
                _STRIP_HEIGHT,
                facecolor=colour,
                edgecolor=style.RULE if gid == "progress-all" else "none",
                linewidth=0.7,
                gid=gid,
            )
        )


def legend_groups(
    scales: Scales, upper: Boundary, inner: Boundary
) -> list[tuple[str, list[Entry]]]:
    """Explain what is drawn, and nothing else."""
    entries = [
        Entry("Z after each trial", _draw_path, _ROOM, _HEIGHT),
        Entry(
            "1.96 to either side: what a single look would need",
            partial(_draw_line, style.SOFT_INK, 0.9, _DOTS),
            _ROOM,
            _HEIGHT,
        ),
    ]
    if upper.below(scales.upright.high, scales.last):
        words = "boundary: what repeated looks need"
        draw = partial(_draw_line, style.PREDICTION, 1.6, _DASHES)
        entries.append(Entry(words, draw, _ROOM, _HEIGHT))
    if inner.below(scales.upright.high, scales.last):
        words = "futility: inside, the effect looked for is given up"
        entries.append(Entry(words, _draw_patch, _ROOM, _HEIGHT))
    return [("Lines", entries)]


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


def _draw_line(
    colour: str, width: float, dashes: object, sheet: Sheet, x: float, y: float, gid: str
) -> None:
    sheet.page.plot(
        [x - _HALF, x + _HALF],
        [y, y],
        color=colour,
        linewidth=width,
        linestyle=dashes,
        gid=gid,
    )


def _draw_patch(sheet: Sheet, x: float, y: float, gid: str) -> None:
    from matplotlib.patches import Rectangle

    sheet.page.add_patch(
        Rectangle(
            (x - _HALF, y - 4),
            2 * _HALF,
            8,
            facecolor=_WEDGE,
            edgecolor=style.RULE,
            linewidth=0.8,
            gid=gid,
        )
    )


# More names than this are numbers with a key.
_MOST_NAMES = 8
_NAME_WIDTH = 120.0
_GROWTH = 1.25
_HALO = 2.0
_SMALL = style.SMALL_SIZE


@dataclass(frozen=True)
class Names:
    """The scales of the plot, and where the name or number of each look stands in it."""

    scales: Scales
    texts: list[str]
    wanted: list[Wanted]
    boxes: list[Box]
    key: str


def place_looks(
    looks: Sequence[Look], upper: Boundary, inner: Boundary, scales_of: Callable[[float], Scales]
) -> Names:
    """Place names; numbers with a key where names do not fit; a higher plot where neither do."""
    height = 1.0
    if len(looks) <= _MOST_NAMES:
        names = [wrap(look.label, _NAME_WIDTH, _SMALL) for look in looks]
        plan = _attempt(looks, names, scales_of(height), upper, inner, "")
        if plan:
            return plan
    numbers = [str(number + 1) for number in range(len(looks))]
    pairs = zip(numbers, (look.label for look in looks), strict=True)
    key = "; ".join(f"{number}{style.NO_BREAK}{label}" for number, label in pairs)
    while True:
        scales = scales_of(height)
        plan = _attempt(looks, numbers, scales, upper, inner, f"{key}.")
        if plan:
            return plan
        height *= _GROWTH


def _attempt(
    looks: Sequence[Look],
    texts: list[str],
    scales: Scales,
    upper: Boundary,
    inner: Boundary,
    key: str,
) -> Names | None:
    wanted = [_wanted(scales, look, text) for look, text in zip(looks, texts, strict=True)]
    plot = Box(
        scales.left + 1,
        scales.upright.top + 1,
        scales.left + scales.width - 1,
        scales.upright.bottom - 1,
    )
    boxes = place_names(
        wanted,
        taken=[],
        avoided=_line_boxes(scales, looks, upper, inner),
        inside=plot,
        is_far_allowed=bool(key),
    )
    return None if boxes is None else Names(scales, texts, wanted, boxes, key)


def _wanted(scales: Scales, look: Look, text: str) -> Wanted:
    x, y = scales.x(look.fraction), scales.upright.y(look.z)
    return Wanted(
        x,
        y,
        POINT_SIZE / 2 + 1,
        text_width(text, _SMALL),
        text_height(text, _SMALL),
        (around(x, y, POINT_SIZE + 2, POINT_SIZE + 2),),
    )


def write_names(axes: Axes, names: Names) -> None:
    """Write the name or number of every look."""
    for index, text in enumerate(names.texts):
        _write_name(
            axes, names.scales, text, names.boxes[index], names.wanted[index], f"name-{index}"
        )


def _write_name(axes: Axes, scales: Scales, text: str, box: Box, wanted: Wanted, gid: str) -> None:
    from matplotlib.patheffects import withStroke

    def share(x: float) -> float:
        return style.steady((x - scales.left) / scales.width * scales.last)

    if is_joined(box, wanted.x, wanted.y, wanted.radius):
        near_x, near_y = box.nearest(wanted.x, wanted.y)
        axes.plot(
            [share(wanted.x), share(near_x)],
            [wanted.y, near_y],
            color=style.SOFT_INK,
            linewidth=0.5,
            zorder=3.5,
            gid=f"{gid}-joint",
        )
    x, y = box.middle
    axes.text(
        share(x),
        y,
        text,
        horizontalalignment="center",
        verticalalignment="center",
        multialignment="center",
        fontsize=style.SMALL_SIZE,
        color=style.INK,
        linespacing=style.LINE_HEIGHT,
        path_effects=[withStroke(linewidth=_HALO, foreground=style.PAPER)],
        zorder=6,
        gid=gid,
    )


def _line_boxes(
    scales: Scales, looks: Sequence[Look], upper: Boundary, inner: Boundary
) -> list[Box]:
    """Rectangles along lines, which names should not lie on."""
    y = scales.upright.y
    left, right = scales.left, scales.left + scales.width
    boxes = [Box(left, y(z), right, y(z)) for z in (0.0, CONVENTIONAL, -CONVENTIONAL)]
    path = [(0.0, 0.0), *((look.fraction, look.z) for look in looks)]
    lines = [[(scales.x(fraction), y(z)) for fraction, z in path]]
    for boundary in (upper, inner):
        points = boundary.below(scales.upright.high, scales.last)
        lines += [[(scales.x(f), y(side * size)) for f, size in points] for side in (-1, 1)]
    for line in lines:
        for (x1, y1), (x2, y2) in pairwise(line):
            boxes += _along(x1, y1, x2, y2)
    return boxes


def _along(x1: float, y1: float, x2: float, y2: float) -> list[Box]:
    """Cover a slanting line by small rectangles, so that the room beside it stays free."""
    parts = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) // 8))
    ends = [(x1 + (x2 - x1) * i / parts, y1 + (y2 - y1) * i / parts) for i in range(parts + 1)]
    return [Box(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(ends)]


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
_UP, _DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
_AXIS = "Z of the pooled effect"


class SequentialOptions(TypedDict):
    """The options of `sequential_plot`, for the functions that pass them on."""

    boundary: tuple[ArrayLike, ArrayLike]
    direction: tuple[str, str]
    ris_people: float
    futility: NotRequired[tuple[ArrayLike, ArrayLike] | None]
    remarks: NotRequired[Sequence[str]]
    title: NotRequired[str | None]


def sequential_plot(
    looks: pd.DataFrame,
    *,
    boundary: tuple[ArrayLike, ArrayLike],
    direction: tuple[str, str],
    ris_people: float,
    futility: tuple[ArrayLike, ArrayLike] | None = None,
    remarks: Sequence[str] = (),
    title: str | None = None,
) -> tuple[Figure, Axes]:
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
    with style.settings():
        if not taken:
            page = words_only([NO_LOOK, *remarks], title)
            return page.figure, page.page
        right = style.MARGIN + _LEFT_WIDTH + _PLOT_WIDTH
        width = right - style.MARGIN
        heading = Heading(title, width)
        progress = wrap(information_words(taken, ris_people), width, _SMALL)
        strip_top = heading.bottom + text_height(progress, _SMALL) + 2
        plan = place_looks(
            taken, upper, inner, partial(_scales, taken, upper, inner, strip_top + 22)
        )
        scales = plan.scales
        legend = Legend(legend_groups(scales, upper, inner), width)
        lines = [
            plan.key,
            verdict_words(taken, upper, inner, direction),
            *off_axis_words(scales, taken, upper, ris_people),
            *remarks,
        ]
        notes = Notes(lines, width)
        legend_top = scales.upright.bottom + 18 + text_height("", _SMALL) + 6
        notes_top = legend_top + legend.height + 5
        sheet = Sheet(right + 2 * style.MARGIN, notes_top + notes.height + style.MARGIN)
        heading.write(sheet)
        sheet.write(
            style.MARGIN, heading.bottom, progress, valign="top", size=_SMALL, gid="progress-words"
        )
        draw_progress(sheet, style.MARGIN, right, strip_top, taken[-1].fraction)
        axes = sheet.plot(scales.left, scales.upright.top, _PLOT_WIDTH, scales.upright.height)
        draw_boundaries(axes, scales, upper, inner)
        draw_looks(axes, scales, taken)
        write_names(axes, plan)
        draw_upright(sheet, axes, scales.upright, scales.left)
        _write_words(sheet, scales, direction, ris_people)
        legend.draw(sheet, legend_top)
        notes.write(sheet, notes_top)
    return sheet.figure, axes


def sequential_alt_text(looks: pd.DataFrame, **options: Unpack[SequentialOptions]) -> str:
    """Describe the sequential figure of the same arguments in plain words."""
    taken = looks_of(looks)
    upper = boundary_of("boundary", options["boundary"])
    inner = boundary_of("futility", options.get("futility"))
    title = options.get("title")
    sentences = [f"Sequential figure{f': {title}' if title else ''}."]
    if not taken:
        return style.spoken(" ".join([*sentences, NO_LOOK]))
    direction = options["direction"]
    sentences += [
        f"{information_words(taken, options['ris_people'])}.",
        f"Z below 0: {direction[0]}; Z above 0: {direction[1]}.",
        f"Looks: {'; '.join(_look_words(look, upper) for look in taken)}.",
        verdict_words(taken, upper, inner, direction),
        *off_axis_words(_scales(taken, upper, inner, 0.0), taken, upper, options["ris_people"]),
    ]
    return style.spoken(" ".join(sentences))


def sequential_output(
    name: str, looks: pd.DataFrame, **options: Unpack[SequentialOptions]
) -> FigureOutput:
    """Make the sequential figure ready to end a notebook cell."""
    figure, _ = sequential_plot(looks, **options)
    return FigureOutput(figure, name, sequential_alt_text(looks, **options))


def off_axis_words(
    scales: Scales, looks: Sequence[Look], boundary: Boundary, ris_people: float
) -> list[str]:
    """Say what is too far off to be drawn."""
    lines = []
    last = looks[-1]
    size = boundary.at(last.fraction)
    if size > scales.upright.high:
        lines.append(
            f"Off this axis: the boundary, which is {style.number(size, 1)} at the last look."
        )
    if scales.last < 1:
        people = f", {ris_people:,.0f} people" if math.isfinite(ris_people) else ""
        lines.append(f"Off this axis to the right: all of the required information{people}.")
    return lines


def _scales(
    looks: Sequence[Look], upper: Boundary, inner: Boundary, top: float, height: float = 1.0
) -> Scales:
    """Choose ends: every look in view, boundaries as far as they stay near."""
    last = looks[-1].fraction
    sizes = [abs(look.z) for look in looks]
    sizes += [size for size in (upper.at(last), inner.at(last)) if size <= _MOST_REACH]
    reach = style.steady(max(_LEAST_REACH, max(sizes) + _Z_AIR))
    end = last * _BEYOND_LAST if last < _TINY else max(1.0, last) * _BEYOND
    return Scales(
        style.MARGIN + _LEFT_WIDTH,
        _PLOT_WIDTH,
        style.steady(end),
        UprightScale(top, height * _PLOT_HEIGHT, -reach, reach),
    )


def _look_words(look: Look, upper: Boundary) -> str:
    size = upper.at(look.fraction)
    beside = f" (boundary {style.number(size, 2)})" if math.isfinite(size) else ""
    return f"{look.label} at {100 * look.fraction:.3g}%, Z {style.number(look.z, 2)}{beside}"


def _write_words(
    sheet: Sheet, scales: Scales, direction: tuple[str, str], ris_people: float
) -> None:
    """Write what the ends of both axes mean."""
    x, upright = style.MARGIN + _WORDS_WIDTH, scales.upright
    below = wrap(f"{_DOWN} {direction[0]}", _WORDS_WIDTH, _SMALL)
    above = wrap(f"{_UP} {direction[1]}", _WORDS_WIDTH, _SMALL)
    for y, text, valign, gid in (
        (upright.top, above, "top", "favours-high"),
        (upright.y(0.0), wrap(_AXIS, _WORDS_WIDTH - 14, _SMALL), "center", "y-label"),
        (upright.bottom, below, "bottom", "favours-low"),
    ):
        sheet.write(x, y, text, align="right", valign=valign, size=_SMALL, gid=gid)
    sheet.write(
        scales.left + scales.width / 2,
        upright.bottom + 16,
        "Share of the required information",
        align="center",
        valign="top",
        size=_SMALL,
        gid="x-label",
    )
    if scales.last < 1:
        return
    words = f"required: {ris_people:,.0f} people" if math.isfinite(ris_people) else "required"
    half = line_width(words, _SMALL) / 2
    middle = min(scales.x(1.0), scales.left + scales.width + style.MARGIN - half)
    sheet.write(
        middle,
        upright.top - 2,
        words,
        align="center",
        valign="bottom",
        size=_SMALL,
        gid="required-words",
    )
