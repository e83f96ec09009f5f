"""The specification curve: every defensible analysis in one picture, and what it chose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import (
    LARGEST_LOG,
    TICK_SPACE,
    EffectFormat,
    UprightScale,
    draw_upright,
    spread,
    write_ends,
)
from ldn_meta.display.figures.sheet import (
    DOTTED,
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
    steady,
    text_height,
    text_width,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import MEASURES, capitalised, share_words
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.multiverse import SAME_DIGITS, is_about_model, node_table, weights
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.stats.multiverse import digits as digits_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure
    from ldn_meta.evidence.answer.multiverse import Multiverse
    from ldn_meta.stats.arrays import BoolArray, FloatArray, IntArray


# What an interval says; the order in which results with the same estimate stand.
FOR_TREATMENT, ACROSS, FOR_COMPARATOR, NO_INTERVAL = range(4)
# More columns than this could not be told apart: a column would be hardly a point wide.
MOST_COLUMNS = 240
# Numbers closer than this part of what the axis is likely to span look the same.
_STEPS = 400
_DRAWN = ("estimate", "ci_low", "ci_high")


@dataclass(frozen=True, eq=False)
class Choice:
    """A node that changes results."""

    name: str
    share_explained: float
    options: tuple[str, ...]
    shares: FloatArray


@dataclass(frozen=True, eq=False)
class Columns:
    """Results from the smallest estimate to the largest, as wide as they are frequent."""

    edges: FloatArray
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    verdict: IntArray
    protocol: int
    own: tuple[float, float, float]
    results: int
    choices: tuple[Choice, ...]
    unmoved: tuple[str, ...]

    def __len__(self) -> int:
        """Number of columns."""
        return len(self.estimate)

    @property
    def is_merged(self) -> bool:
        """Whether a column holds more than one distinct result."""
        return self.results > len(self)

    def middle(self, column: int) -> float:
        """Share of the analyses at the middle of a column."""
        return float(self.edges[column] + self.edges[column + 1]) / 2


def columns_of(found: Multiverse) -> Columns | None:
    """Sort the results of a multiverse; None if no analysis has one.

    Estimates that look the same are ordered by verdict, then by interval, so that a band keeps
    its edges. Neighbours with one verdict share a column where there are too many results to
    tell apart; a column then stands at their mean.
    """
    estimate, low, high = (found.results[name].ravel() for name in _DRAWN)
    has = np.flatnonzero(np.isfinite(estimate))
    if not has.size:
        return None
    estimate, low, high = (np.round(v[has], SAME_DIGITS) for v in (estimate, low, high))
    weight = weights(found).ravel()[has]
    verdict = verdicts(low, high, found.benefit_sign)
    tolerance = _tolerance(estimate, low, high)
    level = np.floor((estimate - estimate.min()) / tolerance + 0.5)
    order = np.lexsort((high, estimate, low, verdict, level))
    starts, results = _starts(
        np.stack([estimate, low, high], axis=1)[order], verdict[order], weight[order]
    )
    total = np.add.reduceat(weight[order], starts)
    column_of = np.full(found.results["estimate"].size, -1, dtype=np.int64)
    column_of[has[order]] = np.repeat(np.arange(starts.size), np.diff(np.append(starts, has.size)))

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat((values * weight)[order], starts) / total)

    row, model = found.places(digits_of([0], found.sizes))
    cell = int(row[0]) * found.results["estimate"].shape[1] + int(model[0])
    own_estimate, own_low, own_high = (float(found.results[name].flat[cell]) for name in _DRAWN)
    choices, unmoved = _choices(found, column_of, tolerance)
    return Columns(
        edges=np.append(0.0, np.cumsum(total)) / total.sum(),
        estimate=mean(estimate),
        low=mean(low),
        high=mean(high),
        verdict=verdict[order][starts],
        protocol=int(column_of[cell]),
        own=(own_estimate, own_low, own_high),
        results=results,
        choices=choices,
        unmoved=unmoved,
    )


def verdicts(low: FloatArray, high: FloatArray, benefit_sign: float) -> IntArray:
    """On which side of no effect intervals lie."""
    below, above = (
        (FOR_TREATMENT, FOR_COMPARATOR) if benefit_sign < 0 else (FOR_COMPARATOR, FOR_TREATMENT)
    )
    found = np.where(high < 0, below, np.where(low > 0, above, ACROSS))
    return np.asarray(np.where(np.isnan(low + high), NO_INTERVAL, found))


def _tolerance(estimate: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """Find the smallest difference that a reader could see."""
    widths = (high - low)[np.isfinite(high - low)]
    span = float(np.ptp(estimate)) + (float(np.median(widths)) if widths.size else 0.0)
    return max(span / _STEPS, 10.0**-SAME_DIGITS)


def _starts(results: FloatArray, verdict: IntArray, weight: FloatArray) -> tuple[IntArray, int]:
    """Say where columns begin among sorted results, and how many of these are distinct."""
    # NaN is unlike itself, yet two results without interval may be the same.
    known = np.nan_to_num(results, nan=np.inf)
    is_new = np.append(True, (known[1:] != known[:-1]).any(axis=1))
    starts = np.flatnonzero(is_new)
    if starts.size <= MOST_COLUMNS:
        return starts, starts.size
    total = np.add.reduceat(weight, starts)
    place = np.floor((np.cumsum(total) - total / 2) / total.sum() * MOST_COLUMNS)
    kind = verdict[starts]
    is_next = (place[1:] != place[:-1]) | (kind[1:] != kind[:-1])
    return starts[np.append(True, is_next)], starts.size


def _choices(
    found: Multiverse, column_of: IntArray, tolerance: float
) -> tuple[tuple[Choice, ...], tuple[str, ...]]:
    shares = node_table(found).set_index("node")["share_explained"]
    changing, unmoved = [], []
    for name in shares.index:
        place = [node.name for node in found.nodes].index(name)
        if not _moves(found, place, tolerance):
            unmoved.append(place)
            continue
        counts = np.array(list(_counts(found, place, column_of)))
        options = tuple(option.name for option in found.nodes[place].options)
        changing.append(
            Choice(str(name), float(shares[name]), options, counts / counts.sum(axis=0))
        )
    return tuple(changing), tuple(found.nodes[place].name for place in sorted(unmoved))


def _moves(found: Multiverse, place: int, tolerance: float) -> bool:
    """Whether an option changes any result, all other choices the same."""
    sizes, before = _same_kind(found, place)
    results = np.stack([found.results[name] for name in _DRAWN])
    if is_about_model(found.nodes[place]):
        apart = np.moveaxis(results.reshape(*results.shape[:2], *sizes), 2 + before, 0)
        return any(_differ(apart[0], other, tolerance) for other in apart[1:])
    sets = np.moveaxis(found.set_of.reshape(sizes), before, 0).reshape(sizes[before], -1)
    for other in sets[1:]:
        pairs = np.unique(sets[0] * results.shape[1] + other)
        one, two = np.divmod(pairs, results.shape[1])
        if _differ(results[:, one], results[:, two], tolerance):
            return True
    return False


def _differ(one: FloatArray, other: FloatArray, tolerance: float) -> bool:
    has, also = np.isfinite(one), np.isfinite(other)
    return bool((has != also).any() or (np.abs(one - other)[has & also] > tolerance).any())


def _counts(found: Multiverse, place: int, column_of: IntArray) -> Iterator[FloatArray]:
    """Analyses of each column that take each option in turn."""
    sizes, before = _same_kind(found, place)
    sets, models = found.results["estimate"].shape
    chosen = digits_of(np.arange(int(np.prod(sizes))), sizes)[:, before]
    has = column_of >= 0
    for option in range(sizes[before]):
        takes: BoolArray = chosen == option
        if is_about_model(found.nodes[place]):
            weight = weights(found) * takes
        else:
            per_set = np.bincount(found.set_of[takes], minlength=sets)
            weight = np.repeat(per_set[:, None], models, axis=1).astype(np.float64)
        yield np.asarray(
            np.bincount(column_of[has], weights=weight.ravel()[has]), dtype=np.float64
        )


def _same_kind(found: Multiverse, place: int) -> tuple[list[int], int]:
    """Sizes of the nodes that are about data, or about the model, like this one; its place."""
    about = is_about_model(found.nodes[place])
    same = [number for number, node in enumerate(found.nodes) if is_about_model(node) == about]
    return [found.sizes[number] for number in same], same.index(place)


NO_RESULT = "No analysis of this outcome has a result."
_SHARES = {
    FOR_TREATMENT: "favours_treatment",
    ACROSS: "either_way",
    FOR_COMPARATOR: "favours_comparator",
    NO_INTERVAL: "no_interval",
}


def measure_words(found: Multiverse, columns: Columns, unit_words: str) -> str:
    """Name the axis; where a choice changes the measure, name both."""
    measure = capitalised(MEASURES.get(found.measure, found.measure))
    others = {
        MEASURES[str(option.changes["measure"])]
        for choice in columns.choices
        for node in found.nodes
        if node.name == choice.name
        for option in node.options
        if "measure" in option.changes
    }
    if found.measure in RATIO_MEASURES:
        return f"{' or '.join([measure, *sorted(others)])} {style.unbroken('(log axis)')}"
    return f"{measure}, {unit_words}" if unit_words else measure


def protocol_words(summary: Mapping[str, Any], print_as: EffectFormat) -> str:
    """Write estimate and interval of the protocol's own analysis, or what is missing."""
    begin = "The plan's own analysis:"
    estimate, low, high = (
        float(summary[f"default_{name}"]) for name in ("estimate", "ci_low", "ci_high")
    )
    if math.isnan(estimate):
        return f"{begin} no result"
    if math.isnan(low + high):
        return f"{begin} {print_as.number(estimate)} (no interval)"
    return f"{begin} {print_as.number(estimate)} {print_as.interval(low, high)}"


def verdict_shares(summary: Mapping[str, Any], treatment: str) -> dict[int, str]:
    """Say what share of the analyses each kind of interval has; kinds that do not occur lack."""
    words = {
        FOR_TREATMENT: f"interval on the side of {treatment}",
        ACROSS: "interval across no effect",
        FOR_COMPARATOR: "interval on the side of the comparator",
        NO_INTERVAL: "no interval defined",
    }
    shares = {verdict: float(summary[_SHARES[verdict]]) for verdict in words}
    return {
        verdict: f"{words[verdict]}: {share_words(share)}"
        for verdict, share in shares.items()
        if share > 0
    }


def count_words(summary: Mapping[str, Any], columns: Columns) -> str:
    """Say how many analyses there are, and of how many results."""
    analyses = int(summary["analyses"])
    if columns.results == 1:
        return "Every combination of choices gives the same result."
    sets = int(summary["effect_sets"])
    sets_words = f"{sets:,} sets of effects" if sets != 1 else "one set of effects"
    return f"{analyses:,} analyses of {sets_words}, {columns.results:,} distinct results."


def lacking_words(summary: Mapping[str, Any]) -> str:
    """Say how many analyses have no result."""
    analyses, lacking = int(summary["analyses"]), int(summary["without_result"])
    if not lacking:
        return ""
    return (
        f"Not drawn: {lacking:,} of the {analyses:,} analyses "
        f"({share_words(lacking / analyses)}), whose choices leave no trial."
    )


def unmoved_words(columns: Columns) -> str:
    """Name the nodes whose options change nothing that could be seen."""
    if not columns.unmoved:
        return ""
    return f"Choices that change no result visibly here: {'; '.join(columns.unmoved)}."


def notes(
    summary: Mapping[str, Any],
    columns: Columns,
    *,
    beyond: str,
    mixes_measures: bool,
    has_mid: bool,
) -> list[str]:
    """Write the small print below the picture."""
    width = "A result is as wide as the number of analyses that give it; "
    if columns.is_merged:
        width = "Too many results to draw apart: neighbours with the same verdict are averaged; "
    lines = [
        f"{count_words(summary, columns)} "
        f"{width}estimates that look the same are ordered by their intervals."
        if len(columns) > 1
        else count_words(summary, columns),
        lacking_words(summary),
        beyond,
        "MID: minimal important difference, to either side of no effect." if has_mid else "",
        "One axis for both ratios: 1 is no effect for either, distances are not comparable."
        if mixes_measures
        else "",
    ]
    if columns.choices:
        lines.append(
            "Share explained: of the variance of all estimates, by that choice alone; choices "
            "that act together make up what is missing to 100%."
            if any(math.isfinite(choice.share_explained) for choice in columns.choices)
            else "All estimates are the same, so there is no variance to explain."
        )
    lines += [
        "0%: the choice moves no estimate, but intervals, or whether there is a result."
        if any(share_words(choice.share_explained) == "0%" for choice in columns.choices)
        else "",
        unmoved_words(columns),
        "Analyses are defensible choices, counted; their shares are no probabilities.",
    ]
    return lines


def describe(
    summary: Mapping[str, Any],
    columns: Columns,
    *,
    axis: str,
    direction: tuple[str, str],
    treatment: str,
    mid: float,
    print_as: EffectFormat,
) -> str:
    """Describe a specification curve for people who cannot see it."""
    lowest, middle, highest = (
        print_as.number(float(summary[name])) for name in ("lowest", "median", "highest")
    )
    run = f": estimates run from {lowest} to {highest}, half of them at most {middle}"
    sentences = [
        count_words(summary, columns),
        f"{axis}{run if len(columns) > 1 else ''}.",
        f"Below {print_as.no_effect}: {direction[0]}; above {print_as.no_effect}: {direction[1]}.",
        f"{protocol_words(summary, print_as)}.",
        f"{capitalised('; '.join(verdict_shares(summary, treatment).values()))} of the analyses.",
        f"Lines stand at the minimal important difference, {print_as.number(mid)} to either side."
        if math.isfinite(mid)
        else "",
    ]
    if columns.choices:
        shares = [
            f"{choice.name} {share_words(choice.share_explained)}"
            if math.isfinite(choice.share_explained)
            else choice.name
            for choice in columns.choices
        ]
        sentences.append(
            "Below the curve, each option of the choices that change results is shaded where it "
            f"is taken; share of the variance of estimates explained: {', '.join(shares)}."
        )
    sentences += [lacking_words(summary), unmoved_words(columns)]
    return " ".join(sentence for sentence in sentences if sentence)


def beyond_words(low: float, high: float, ends: Sequence[float], print_as: EffectFormat) -> str:
    """Say how far intervals go that leave the axis; nothing if none does."""
    known = [end for end in ends if math.isfinite(end)]
    if not known:
        return ""
    parts = [
        f"{way} to {_far(end, print_as)}"
        for way, end, is_beyond in (
            ("down", min(known), min(known) < low),
            ("up", max(known), max(known) > high),
        )
        if is_beyond
    ]
    return f"Intervals go on beyond the axis, {' and '.join(parts)}." if parts else ""


def _far(end: float, print_as: EffectFormat) -> str:
    """Write a limit that may be far away: a ratio of 0.00 there is not, nor one of 7241.91."""
    if not print_as.is_log:
        return print_as.number(end)
    ratio = math.exp(min(end, LARGEST_LOG))
    if ratio < 1:
        return f"{ratio:.2g}"
    return f"{ratio:,.0f}" if ratio >= 100 else print_as.number(end)


NEVER = "never gives a result"
_X_LABEL = "Analyses with a result, from the smallest estimate to the largest"
_SHARE_HEAD = "Share explained"
_LEAST_LEFT = 130.0
_MOST_LEFT = 185.0
_INDENT = 12.0
_GAP = 7.0
_ROW_AIR = 2.0
_NODE_AIR = 4.0
_CELL_AIR = 0.8
_SHARE_GAP = 11.0
_SHARE_BAR = 34.0
# Shades are rounded to this part, so that cells that look alike are one.
_SHADES = 10
# White to the project's dark blue.
_DARK = (18, 59, 99)


@dataclass(frozen=True)
class _Row:
    """A head or an option, with its place from the top of the dashboard."""

    text: str
    top: float
    height: float
    choice: int
    option: int | None


class Dashboard:
    """Rows of options below a curve, aligned with it."""

    def __init__(self, columns: Columns, width: float) -> None:
        self._columns, self._width = columns, width
        names = [text for choice in columns.choices for text in _names(choice, _MOST_LEFT)]
        widest = max((text_width(name, SMALL_SIZE, "bold") for name in names), default=0.0)
        self.left_width = min(max(widest + _INDENT, _LEAST_LEFT), _MOST_LEFT) + _GAP
        self.right_width = 0.0
        if columns.choices:
            self.right_width = _SHARE_GAP + max(
                line_width(_SHARE_HEAD, SMALL_SIZE, "bold"),
                _SHARE_BAR + 4 + line_width("under 1%", SMALL_SIZE),
            )
        self._left = self._label_top = self._rows_top = 0.0
        self._rows = self._stack()
        self._height = self._rows[-1].top + self._rows[-1].height if self._rows else 0.0

    def place(self, left: float, top: float) -> None:
        """Set the left edge of the cells and the top of the label above them."""
        self._left, self._label_top = left, top
        self._rows_top = top + text_height(_X_LABEL, SMALL_SIZE) + _NODE_AIR

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self._rows_top + self._height

    def _stack(self) -> list[_Row]:
        rows: list[_Row] = []
        top = 0.0
        room = self.left_width - _GAP
        for number, choice in enumerate(self._columns.choices):
            top += _NODE_AIR if number else 0.0
            texts = _names(choice, room)
            for option, text in zip((None, *range(len(choice.options))), texts, strict=True):
                height = text_height(text, SMALL_SIZE) + _ROW_AIR
                rows.append(_Row(text, top, height, number, option))
                top += height
        return rows

    def draw(self, sheet: Sheet) -> None:
        """Write the label of the common axis, and draw every row below it."""
        edge = self._left + self._width
        sheet.caption(
            self._left + self._width / 2, self._label_top, _X_LABEL, valign="top", gid="x-label"
        )
        if not self._rows:
            return
        sheet.small(
            edge + _SHARE_GAP,
            self._label_top,
            _SHARE_HEAD,
            valign="top",
            weight="bold",
            gid="share-head",
        )
        size = self._width, self._height
        axes = sheet.plot(self._left, self._rows_top, *size, ends=(0.0, 1.0), ticks=[])
        axes.spines["bottom"].set_visible(False)
        for row in self._rows:
            middle = self._rows_top + row.top + row.height / 2
            choice = self._columns.choices[row.choice]
            if row.option is None:
                self._draw_head(sheet, choice, row, middle, edge)
            else:
                self._draw_option(sheet, axes, choice, row, middle)

    def _draw_head(
        self, sheet: Sheet, choice: Choice, row: _Row, middle: float, edge: float
    ) -> None:
        gid = f"choice-{row.choice}"
        sheet.small(MARGIN, middle, row.text, weight="bold", gid=gid)
        if row.choice:
            sheet.rule(MARGIN, edge, middle - row.height / 2 - _NODE_AIR / 2, width=0.4)
        if math.isnan(choice.share_explained):
            return
        left, top = edge + _SHARE_GAP, middle - 3
        sheet.band(left, left + _SHARE_BAR, top, middle + 3, style.BAND)
        filled = steady(_SHARE_BAR * choice.share_explained)
        size, name = (filled, 6.0), f"{gid}-bar"
        style.rectangle(sheet.page, left, top, *size, style.POOLED, zorder=0, gid=name)
        sheet.small(
            left + _SHARE_BAR + 4, middle, share_words(choice.share_explained), gid=f"{gid}-share"
        )

    def _draw_option(
        self, sheet: Sheet, axes: Axes, choice: Choice, row: _Row, middle: float
    ) -> None:
        gid = f"option-{row.choice}-{row.option}"
        option = row.option or 0
        sheet.small(MARGIN + _INDENT, middle, row.text, gid=f"{gid}-name")
        if option == 0:
            _draw_diamond(sheet, MARGIN + _INDENT / 2, middle, f"{gid}-protocol")
        top = self._rows_top + row.top + _CELL_AIR
        bottom = self._rows_top + row.top + row.height - _CELL_AIR
        shares = [float(share) for share in choice.shares[option]]
        _draw_cells(axes, self._columns, shares, top, bottom, gid)
        if not any(shares):
            axes.text(
                0.5,
                middle,
                NEVER,
                horizontalalignment="center",
                verticalalignment="center",
                fontsize=SMALL_SIZE,
                fontstyle="italic",
                color=style.SOFT_INK,
                gid=f"{gid}-never",
            )


def _names(choice: Choice, room: float) -> list[str]:
    """Break the name of a choice and those of its options."""
    options = [wrap(name, room - _INDENT, SMALL_SIZE) for name in choice.options]
    return [wrap(choice.name, room, SMALL_SIZE, "bold"), *options]


def shade(share: float) -> str:
    """Colour of a cell: the darker, the more of its analyses take the option."""
    part = math.floor(share * _SHADES + 0.5) / _SHADES
    return "#" + "".join(f"{round(255 - part * (255 - dark)):02x}" for dark in _DARK)


def _draw_cells(
    axes: Axes, columns: Columns, shares: list[float], top: float, bottom: float, gid: str
) -> None:
    """Draw a row of cells as one collection; neighbours of one shade are one cell."""
    from matplotlib.collections import PolyCollection

    corners, colours = [], []
    for colour, cells in groupby(range(len(shares)), key=lambda cell: shade(shares[cell])):
        places = list(cells)
        left = steady(columns.edges[places[0]])
        right = steady(columns.edges[places[-1] + 1])
        corners.append([(left, top), (right, top), (right, bottom), (left, bottom)])
        colours.append(colour)
    axes.add_collection(
        PolyCollection(corners, facecolors=colours, edgecolors="none", linewidths=0, gid=gid),
        autolim=False,
    )
    frame = [0, 1, 1, 0, 0], [top, top, bottom, bottom, top]
    line(axes, *frame, style.RULE, 0.4, zorder=3, gid=f"{gid}-frame")


# Three lightnesses, so that a grey print tells them apart; the sides differ in place as well.
BANDS = {
    FOR_TREATMENT: "#6aaed6",
    ACROSS: "#e0e0e0",
    FOR_COMPARATOR: "#a8651c",
    NO_INTERVAL: "none",
}
_DIAMOND = 5.5
_ARROW = 4.5
_ROOM = 16.0


def draw_curve(axes: Axes, scale: UprightScale, columns: Columns, mid: float) -> None:
    """Draw bands, reference lines, estimates, and the protocol's own analysis."""
    for index, (start, stop) in enumerate(runs(columns)):
        _draw_band(axes, scale, columns, start, stop, f"band-{index}")
    axes.axhline(scale.y(0.0), color=style.INK, linewidth=0.9, zorder=3, gid="no-effect")
    if math.isfinite(mid):
        for name, value in (("mid-low", -mid), ("mid-high", mid)):
            axes.axhline(
                scale.y(value),
                color=style.SOFT_INK,
                linewidth=0.8,
                linestyle=(0, (4, 3)),
                zorder=3,
                gid=name,
            )
    heights = [scale.y(float(value)) for value in columns.estimate]
    edges = [steady(edge) for edge in columns.edges]
    xs = [x for pair in pairwise(edges) for x in pair]
    ys = [y for y in heights for _ in range(2)]
    line(axes, xs, ys, style.POOLED, 1.6, cap="butt", zorder=4, gid="estimate")
    if columns.protocol >= 0:
        _draw_protocol(axes, scale, columns)


def runs(columns: Columns) -> list[tuple[int, int]]:
    """First column, and the one after the last, of each stretch with one verdict."""
    starts = [
        column
        for column in range(len(columns))
        if column == 0 or columns.verdict[column] != columns.verdict[column - 1]
    ]
    return list(pairwise([*starts, len(columns)]))


def legend_groups(
    summary: Mapping[str, Any], columns: Columns, treatment: str
) -> list[tuple[str, list[Entry]]]:
    """Explain colours with their shares, and the shades of the choices."""
    drawn = {int(verdict) for verdict in columns.verdict}
    half, room = 6.0, _ROOM
    bands = [
        patch_entry(words, BANDS[verdict], half=half, room=room, rim=0.5)
        for verdict, words in verdict_shares(summary, treatment).items()
        if verdict in drawn
    ]
    curve = [
        line_entry("estimate", style.POOLED, 1.6, half=half, room=room, cap="butt"),
        Entry("the plan's own", _draw_diamond, 12.0, style.KEY_HEIGHT),
    ]
    shades = [
        patch_entry(words, shade(share), half=half, room=room, rim=0.5)
        for share, words in ((0.0, "none"), (0.5, "half"), (1.0, "all"))
    ]
    return [
        ("Share of analyses", bands),
        ("Marks", curve),
        ("Analyses with the option", shades if columns.choices else []),
    ]


def _draw_diamond(sheet: Sheet, x: float, y: float, gid: str) -> None:
    """Draw the sign of the protocol's own choice."""
    point(sheet.page, x, y, "D", 4.0, style.INK, gid=gid)


def _draw_band(
    axes: Axes, scale: UprightScale, columns: Columns, start: int, stop: int, gid: str
) -> None:
    """Draw the intervals of a stretch as one shape, cut at the ends of the axis."""
    verdict = int(columns.verdict[start])
    if verdict == NO_INTERVAL:
        return
    edges = [steady(edge) for edge in columns.edges[start : stop + 1]]
    xs = [x for pair in pairwise(edges) for x in pair]
    low = [scale.y(float(v)) for v in columns.low[start:stop] for _ in range(2)]
    high = [scale.y(float(v)) for v in columns.high[start:stop] for _ in range(2)]
    corners = [*zip(xs, high, strict=True), *zip(reversed(xs), reversed(low), strict=True)]
    area(axes, corners, BANDS[verdict], width=0, zorder=1, gid=gid)


def _draw_protocol(axes: Axes, scale: UprightScale, columns: Columns) -> None:
    x = steady(columns.middle(columns.protocol))
    estimate, low, high = columns.own
    # A thread to the words above the plot.
    thread = [scale.top, scale.y(estimate)]
    line(axes, [x, x], thread, style.INK, 0.7, dashes=DOTTED, zorder=5, gid="protocol-thread")
    if math.isfinite(low + high):
        ends, gid = [scale.y(low), scale.y(high)], "protocol-interval"
        line(axes, [x, x], ends, style.INK, 1.2, cap="butt", zorder=5, gid=gid)
        for marker, side, end, is_beyond in (
            ("v", "low", low, low < scale.low),
            ("^", "high", high, high > scale.high),
        ):
            if is_beyond:
                y, gid = scale.y(end), f"protocol-arrow-{side}"
                point(axes, x, y, marker, _ARROW, style.INK, clip=False, zorder=6, gid=gid)
    point(
        axes,
        x,
        scale.y(estimate),
        "D",
        _DIAMOND,
        style.INK,
        edge=style.PAPER,
        rim=0.8,
        clip=False,
        zorder=7,
        gid="protocol",
    )


PLOT_WIDTH = 330.0
_CURVE_HEIGHT = 190.0
# Intervals are shown this many widths of the protocol's own interval beyond all estimates.
_REACH = 1.0
_PADDING = 0.05
_TICK_AIR = 12.0
_WORD_GAP = 11.0
_SMALL_LINE = text_height("", SMALL_SIZE) + 1.5
_PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def _scale(columns: Columns, mid: float, top: float, *, is_log: bool) -> UprightScale:
    """Choose ends that keep every estimate, no effect and the important difference in view.

    How far intervals are shown is measured by the protocol's own: two trials give Knapp-Hartung
    intervals next to which nothing else could be seen.
    """
    widths = columns.high - columns.low
    own = columns.own[2] - columns.own[1]
    known = widths[np.isfinite(widths)]
    typical = (
        own
        if np.isfinite(own)
        else np.quantile(known, 0.25, method="lower")
        if known.size
        else 0.0
    )
    lowest, highest = min(columns.estimate.min(), 0.0), max(columns.estimate.max(), 0.0)
    reach = _REACH * typical or (highest - lowest) / 2 or 1.0
    low = max(np.fmin.reduce([*columns.low, columns.own[1], lowest]), lowest - reach)
    high = min(np.fmax.reduce([*columns.high, columns.own[2], highest]), highest + reach)
    if math.isfinite(mid):
        low, high = min(low, -mid), max(high, mid)
    air = _PADDING * (high - low) or 1.0
    return UprightScale(top, _CURVE_HEIGHT, steady(low - air), steady(high + air), is_log)


def _lines(mid: float, print_as: EffectFormat) -> list[tuple[float, str]]:
    """Name the lines across the curve."""
    if not math.isfinite(mid):
        return [(0.0, "no effect")]
    above, below = print_as.number(mid), print_as.number(-mid)
    if not print_as.is_log:
        above = below = f"{_PLUS_MINUS}{above}"
    return [(0.0, "no effect"), (-mid, f"MID {below}"), (mid, f"MID {above}")]


@style.draws
def specification_curve(
    found: Multiverse,
    summary: Mapping[str, Any],
    *,
    direction: tuple[str, str],
    unit_words: str,
    mid: float | None = None,
    digits: int = 2,
    treatment: str = "treatment",
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw a specification curve (Simonsohn 2020, doi 10.1038/s41562-020-0912-z).

    Above, the distinct results from the smallest estimate to the largest, each as wide as the
    number of analyses that give it, with its interval as a band that is coloured by its side of
    no effect. Below, a row for each option of each node that changes results: the darker, the
    more of the analyses above it take that option. Ten million analyses take no more room than
    a hundred.

    Parameters
    ----------
    found : Multiverse
    summary : mapping
        Of ``evidence.multiverse_summary.summary``.
    direction : (str, str)
        What values below and above no effect mean.
    unit_words : str
        Unit of a difference; not used for ratios.
    mid : float, optional
        Minimal important difference, above 0, on the scale of ``yi``; that of the summary
        otherwise.
    digits : int
        Digits behind the point of printed effects.
    treatment : str
        What the treatment is called.
    title : str, optional
        Bold line above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when no analysis has a result.
    axes : matplotlib.axes.Axes
        The curve: x is the share of the analyses with a result, y is points from the top.

    Raises
    ------
    ArgumentError
        If ``mid`` is not above 0.
    """
    columns = columns_of(found)
    print_as = EffectFormat(digits, found.measure in RATIO_MEASURES)
    mid = _important(summary, mid)
    begin = opening("Specification curve", title)
    if columns is None:
        texts = [NO_RESULT, lacking_words(summary)]
        return words_only(texts, title, f"{begin} {NO_RESULT}")
    axis = measure_words(found, columns, unit_words)
    dashboard = Dashboard(columns, PLOT_WIDTH)
    left = MARGIN + dashboard.left_width
    edge = left + PLOT_WIDTH
    marked = _lines(mid, print_as)
    beside_width = _WORD_GAP + max(line_width(words, SMALL_SIZE) for _, words in marked)
    right = edge + max(beside_width, dashboard.right_width)
    width = right - MARGIN
    heading = Heading(title, width)
    protocol = wrap(protocol_words(summary, print_as), width, SMALL_SIZE)
    top = heading.bottom + text_height(protocol, SMALL_SIZE) + 7
    scale = _scale(columns, mid, top, is_log=print_as.is_log)
    dashboard.place(left, scale.bottom + TICK_SPACE)
    lines = notes(
        summary,
        columns,
        beyond=beyond_words(scale.low, scale.high, [*columns.low, *columns.high], print_as),
        mixes_measures=" or " in axis,
        has_mid=math.isfinite(mid),
    )
    foot = Foot(dashboard.bottom + 8, width, lines, legend_groups(summary, columns, treatment))
    sheet = Sheet(right + MARGIN, foot.bottom + MARGIN, heading, foot)
    shares = [(tick, f"{100 * tick:.0f}%") for tick in style.QUARTERS]
    axes = sheet.plot(left, top, PLOT_WIDTH, scale.height, ends=(0.0, 1.0), ticks=shares)
    draw_curve(axes, scale, columns, mid)
    draw_upright(sheet, axes, scale.y, left, ticks=scale.ticks())
    _write_protocol(sheet, columns, protocol, scale.top - 5, left, right)
    _write_marked(sheet, edge, scale, marked)
    ticks = max(line_width(label, SMALL_SIZE) for _, label in scale.ticks())
    words_width = dashboard.left_width - ticks - _TICK_AIR
    write_ends(sheet, scale, MARGIN + words_width, words_width, direction=direction, name=axis)
    dashboard.draw(sheet)
    words = describe(
        summary,
        columns,
        axis=axis,
        direction=direction,
        treatment=treatment,
        mid=mid,
        print_as=print_as,
    )
    return sheet.shown(f"{begin} {words}", axes)


specification_curve_output = output_of(specification_curve)


def _important(summary: Mapping[str, Any], mid: float | None) -> float:
    """Take the minimal important difference given, or else that of the summary, or NaN."""
    if mid is None:
        return float(summary["mid"])
    if not (math.isfinite(mid) and mid > 0):
        message = f"mid={mid!r} is not allowed; allowed: a number above 0, or None"
        raise ArgumentError(message)
    return mid


def _write_protocol(
    sheet: Sheet, columns: Columns, words: str, bottom: float, left: float, right: float
) -> None:
    """Name the protocol's own analysis above the place where it stands."""
    has_place = columns.protocol >= 0
    x = left + (columns.middle(columns.protocol) if has_place else 0.5) * PLOT_WIDTH
    half = text_width(words, SMALL_SIZE) / 2
    sheet.caption(
        min(max(x, MARGIN + half), right - half),
        bottom,
        words,
        valign="bottom",
        gid="protocol-words",
    )
    if has_place:
        ends = [bottom, bottom + 5]
        line(sheet.page, [x, x], ends, style.INK, 0.7, gid="protocol-joint")


def _write_marked(
    sheet: Sheet, edge: float, scale: UprightScale, marked: Sequence[tuple[float, str]]
) -> None:
    """Name the lines across the curve to its right, each joined to its height."""
    places = [scale.y(at) for at, _ in marked]
    middles = spread(places, [_SMALL_LINE] * len(marked), scale.top, scale.bottom)
    for index, (at, middle, (_, text)) in enumerate(zip(places, middles, marked, strict=True)):
        ends = [edge + 1.5, edge + _WORD_GAP - 2]
        line(sheet.page, ends, [at, middle], style.RULE, 0.6, gid=f"line-{index}-joint")
        sheet.small(edge + _WORD_GAP, middle, text, gid=f"line-{index}")
