"""The forest plot: every trial with its arms, effect and weight, and what pools them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Unpack

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.bias import DOT_SIZE, draw_dot, judgement, judgement_legend
from ldn_meta.display.figures.sheet import (
    COLUMN_GAP,
    MARGIN,
    SMALL_SIZE,
    Heading,
    Interval,
    Notes,
    Sheet,
    axis_limits,
    linear_ticks,
    ratio_ticks,
    spoken,
    text_height,
    text_width,
    words_only,
    wrap,
)
from ldn_meta.display.outputs import FigureOutput
from ldn_meta.display.words import CI_METHODS, MEASURES, TAU2_METHODS, capitalised, count, p_value
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.bias_tools import OVERALL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ldn_meta.stats.arrays import FloatArray, IntArray
    from ldn_meta.stats.pool import PooledResult


_DEGREES = {"k-1": "k \N{MINUS SIGN} 1 df", "k-2": "k \N{MINUS SIGN} 2 df"}
TAU2 = "\N{GREEK SMALL LETTER TAU}\N{SUPERSCRIPT TWO}"
I2 = "I\N{SUPERSCRIPT TWO}"


def measure_words(result: PooledResult | None) -> str:
    """Name the measure as the header of the effect column does."""
    code = "" if result is None else result.measure
    return capitalised(MEASURES.get(code, code or "effect"))


def effect_header(result: PooledResult | None) -> str:
    """Head the effect column; without any pool neither measure nor level is known."""
    level = "interval" if result is None else f"{level_word(result)} CI"
    return f"{measure_words(result)}\n({level})"


def level_word(result: PooledResult) -> str:
    """Write the confidence level as a percentage."""
    return f"{100 * result.level:g}%"


def pooled_label(result: PooledResult) -> str:
    """Name the pooled row by its model."""
    return "Pooled, common effect" if _is_common(result) else "Pooled, random effects"


def heterogeneity_line(result: PooledResult) -> str:
    """Write Q, I2 and tau2 with its interval, as far as they are defined."""
    q_test = f"{int(result.q_df)} df, {p_value(float(result.q_pvalue))}"
    if _is_common(result):
        tau2 = f"{TAU2} = 0 by assumption"
    else:
        tau2 = f"{TAU2} = {_variance(float(result.tau2))}"
        low, high = float(result.tau2_ci_low), float(result.tau2_ci_high)
        if math.isfinite(low):
            tau2 += f" ({_variance(low)} to {_variance(high)})"
    parts = (
        f"Q = {style.number(float(result.q), 2)} ({q_test})",
        f"{I2} = {style.number(float(result.i2_pct), 0)}%",
        tau2,
    )
    return f"Heterogeneity: {', '.join(style.unbroken(part) for part in parts)}."


def model_line(result: PooledResult) -> str:
    """Name the model, the tau2 method and the interval methods."""
    interval = f"{level_word(result)} CI: {CI_METHODS[result.ci_method]}"
    if _is_common(result):
        return f"Common-effect model; {interval}."
    text = f"Random-effects model; {TAU2} by {TAU2_METHODS[result.tau2_method]}; {interval}"
    if math.isfinite(float(result.pi_low)):
        text += f"; prediction interval: t on {_DEGREES[result.pi_method]}"
    return f"{text}."


def legend_line(kinds: set[str], *, is_clipped: bool) -> str:
    """Explain the marks that occur in the plot, and no others."""
    parts = []
    if "pooled" in kinds:
        parts += ["Area of a square: weight", "diamond: pooled effect with its CI"]
    if "prediction" in kinds:
        parts.append("bar: prediction interval, where the true effect of a new trial may lie")
    if "summary" in kinds:
        parts.append("open diamond: other pool")
    if "shown" in kinds:
        parts.append("open square: not pooled")
    if is_clipped:
        parts.append("arrow: interval goes on")
    text = "; ".join(parts)
    return f"{capitalised(text)}." if text else ""


def _is_common(result: PooledResult) -> bool:
    return result.tau2_method == "common"


def _variance(value: float) -> str:
    """Write a variance, which may be tiny or huge, in about three significant digits."""
    if value == 0 or not math.isfinite(value) or value >= 100:
        return style.number(value, 0)
    return style.number(value, 2 if value >= 1 else 3) if value >= 0.0005 else "below 0.001"


Kind = Literal["trial", "pooled", "prediction", "summary", "shown", "heading", "remark"]

SHOWN_COLUMNS = ("label", "yi", "ci_low", "ci_high", "note")
SHOWN_HEADING = "Shown, not pooled"
SUMMARY_HEADING = "Other pools of this outcome"
_NOTHING = Interval(math.nan, math.nan, math.nan)
ONE_TRIAL = "One trial, nothing pooled."
NO_TRIAL = "No trial gave an estimate for this outcome; nothing is pooled."


class Diamond(Protocol):
    """What an open diamond needs to know; a PooledResult does."""

    @property
    def k(self) -> int | IntArray:
        """Number of trials."""

    @property
    def estimate(self) -> float | FloatArray:
        """Where its middle is."""

    @property
    def ci_low(self) -> float | FloatArray:
        """Where it starts."""

    @property
    def ci_high(self) -> float | FloatArray:
        """Where it ends."""

    @property
    def is_batch(self) -> bool:
        """Whether it is many pools, which cannot be drawn."""


@dataclass(frozen=True)
class Row:
    """One line of the plot; what is not drawn is empty or NaN."""

    kind: Kind
    label: str
    span: Interval = _NOTHING
    effect: str = ""
    cells: tuple[str, ...] = ()
    weight_pct: float = math.nan
    note: str = ""
    dots: tuple[object, ...] = ()

    @property
    def weight(self) -> str:
        """Weight as printed."""
        return "" if math.isnan(self.weight_pct) else f"{self.weight_pct:.1f}%"


@dataclass(frozen=True)
class EffectFormat:
    """How a value on the scale of analysis is printed: ratios leave the logarithm here."""

    digits: int
    is_log: bool

    def number(self, value: float) -> str:
        """Print one value."""
        return style.number(self._shown(value), self.digits)

    def interval(self, low: float, high: float) -> str:
        """Print limits in brackets."""
        return style.interval(self._shown(low), self._shown(high), self.digits)

    def effect(self, span: Interval) -> str:
        """Print an estimate with its limits, or say what is missing."""
        if math.isnan(span.estimate):
            return "not estimable"
        if not span.is_complete:
            return f"{self.number(span.estimate)} (interval NR)"
        return f"{self.number(span.estimate)} {self.interval(span.low, span.high)}"

    def _shown(self, value: float) -> float:
        if not self.is_log:
            return value
        try:
            return math.exp(value)
        except OverflowError:
            return math.inf


def forest_rows(
    result: PooledResult | None,
    *,
    labels: Sequence[str] | None,
    columns: pd.DataFrame | None,
    totals: Sequence[str] | None,
    shown_only: pd.DataFrame | None,
    summaries: Sequence[tuple[str, Diamond | None]] | None,
    dots: pd.DataFrame | None,
    print_as: EffectFormat,
) -> list[Row]:
    """List the rows of a forest plot from the top down.

    ``shown_only`` may hold columns of ``columns`` and of ``dots`` by their names.
    """
    for pool in (result, *(pool for _, pool in summaries or ())):
        if pool is not None and pool.is_batch:
            message = f"{pool!r} is a batch of pool_many: a forest plot needs the result of pool"
            raise ArgumentError(message)
    width = 0 if columns is None else len(columns.columns)
    rows = _trial_rows(result, labels, columns, dots, print_as)
    pooled = 0 if result is None else int(result.k)
    if result is None or pooled == 0:
        rows.append(Row("remark", NO_TRIAL))
    elif pooled == 1:
        rows.append(Row("remark", ONE_TRIAL))
    else:
        rows += _pool_rows(result, totals, width, print_as)
    if summaries:
        rows.append(Row("heading", SUMMARY_HEADING))
        rows += [_summary_row(label, pool, print_as) for label, pool in summaries]
    if shown_only is not None and len(shown_only):
        rows.append(Row("heading", SHOWN_HEADING))
        rows += _shown_rows(shown_only, columns, dots, print_as)
    return rows


def trial_spans(result: PooledResult) -> list[Interval]:
    """Give each trial its estimate and its own interval at the level of the result."""
    reach = NormalDist().inv_cdf(0.5 + result.level / 2)
    spans = []
    for effect, variance in zip(result.yi, result.vi, strict=True):
        half = reach * math.sqrt(variance) if variance >= 0 else math.nan
        spans.append(_span(effect, effect - half, effect + half))
    return spans


def _trial_rows(
    result: PooledResult | None,
    labels: Sequence[str] | None,
    columns: pd.DataFrame | None,
    dots: pd.DataFrame | None,
    print_as: EffectFormat,
) -> list[Row]:
    if result is None:
        return []
    spans = trial_spans(result)
    names = list(result.labels if labels is None else labels)
    for argument, length in (
        ("labels", len(names)),
        ("columns", len(spans) if columns is None else len(columns)),
        ("dots", len(spans) if dots is None else len(dots)),
    ):
        if length != len(spans):
            message = f"{argument} has {length} rows and the result {len(spans)} trials: one each"
            raise ArgumentError(message)
    cells = _texts(columns, len(spans))
    judgements = _judgements(dots, len(spans))
    weights = result.weight_pct if result.k > 1 else [math.nan] * len(spans)
    return [
        Row("trial", str(name), span, print_as.effect(span), row, style.steady(weight), dots=marks)
        for name, span, row, weight, marks in zip(
            names, spans, cells, weights, judgements, strict=True
        )
    ]


def _pool_rows(
    result: PooledResult, totals: Sequence[str] | None, width: int, print_as: EffectFormat
) -> list[Row]:
    if totals is not None and len(totals) != width:
        message = f"totals has {len(totals)} texts for {width} columns: one each, '' for none"
        raise ArgumentError(message)
    span = _pooled_span(result)
    cells = tuple(_text(total) for total in totals or ())
    rows = [Row("pooled", pooled_label(result), span, print_as.effect(span), cells, 100.0)]
    prediction = _span(float(result.estimate), float(result.pi_low), float(result.pi_high))
    if prediction.is_complete:
        text = print_as.interval(prediction.low, prediction.high)
        label = f"{level_word(result)} prediction interval"
        rows.append(Row("prediction", label, prediction, text))
    rows.append(Row("remark", heterogeneity_line(result)))
    return rows


def _summary_row(label: str, pool: Diamond | None, print_as: EffectFormat) -> Row:
    k = 0 if pool is None else int(pool.k)
    trials = style.unbroken(f"({count(k, 'trial')})")
    name = f"{capitalised(label)} {trials}"
    if pool is None or k == 0:
        return Row("summary", name, effect="no estimate")
    span = _pooled_span(pool)
    # A diamond stands for a pool; one trial is none.
    return Row("summary" if k > 1 else "shown", name, span, print_as.effect(span))


def _shown_rows(
    shown_only: pd.DataFrame,
    columns: pd.DataFrame | None,
    dots: pd.DataFrame | None,
    print_as: EffectFormat,
) -> list[Row]:
    missing = [name for name in SHOWN_COLUMNS if name not in shown_only.columns]
    if missing:
        message = f"shown_only lacks the column(s) {', '.join(missing)}: needs {SHOWN_COLUMNS}"
        raise ArgumentError(message)
    cells = _texts(_shared(shown_only, columns), len(shown_only))
    judgements = _judgements(_shared(shown_only, dots), len(shown_only))
    entries = shown_only.to_dict("records")
    spans = [_span(entry["yi"], entry["ci_low"], entry["ci_high"]) for entry in entries]
    return [
        Row(
            "shown",
            str(entry["label"]),
            span,
            print_as.effect(span),
            texts,
            note=_text(entry["note"]),
            dots=marks,
        )
        for entry, span, texts, marks in zip(entries, spans, cells, judgements, strict=True)
    ]


def _shared(shown_only: pd.DataFrame, columns: pd.DataFrame | None) -> pd.DataFrame | None:
    """Take from the rows shown only what the columns of the trials show too."""
    return None if columns is None else shown_only.reindex(columns=columns.columns)


def _judgements(dots: pd.DataFrame | None, length: int) -> list[tuple[object, ...]]:
    if dots is None:
        return [()] * length
    return list(dots.itertuples(index=False, name=None))


def _pooled_span(result: Diamond) -> Interval:
    return _span(float(result.estimate), float(result.ci_low), float(result.ci_high))


def _span(estimate: float, low: float, high: float) -> Interval:
    return Interval(style.steady(estimate), style.steady(low), style.steady(high))


def _texts(frame: pd.DataFrame | None, length: int) -> list[tuple[str, ...]]:
    if frame is None:
        return [()] * length
    return [tuple(_text(cell) for cell in row) for row in frame.itertuples(index=False, name=None)]


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else style.typeset(str(cell))


# More trials than this are a range: nobody listens to sixty intervals.
_MOST_NAMED = 12


def describe(
    rows: Sequence[Row],
    *,
    measure: str,
    direction: tuple[str, str],
    dot_names: Sequence[str],
    is_log: bool,
    title: str | None,
) -> str:
    """Describe a forest plot for people who cannot see it."""
    trials = [row for row in rows if row.kind == "trial"]
    opening = "Forest plot without trials"
    if trials:
        opening = f"Forest plot of {count(len(trials), 'trial')}, {measure.lower()}"
    sentences = [f"{opening}: {title}." if title else f"{opening}."]
    if all(direction) and any(row.effect for row in rows):
        middle = "1" if is_log else "0"
        sentences.append(
            f"Values below {middle}: {direction[0]}; values above {middle}: {direction[1]}."
        )
    bias = _OverallBias(dot_names)
    sentences += _trial_sentences(trials, bias)
    for row in rows:
        if row.kind == "remark":
            sentences.append(row.label if row.label.endswith(".") else f"{row.label}.")
        elif row.kind == "heading":
            sentences.append(f"{row.label}:")
        elif row.kind == "shown" and row.note:
            sentences.append(f"{row.label} {row.effect}, {row.note}{bias.told(row)}.")
        elif row.kind != "trial":
            sentences.append(f"{row.label} {row.effect}{bias.told(row)}.")
    return spoken(" ".join(sentences))


class _OverallBias:
    """Tells the overall judgement of a row, if there is one to tell."""

    def __init__(self, dot_names: Sequence[str]) -> None:
        heads = [name.lower() for name in dot_names]
        self._place = heads.index(OVERALL) if OVERALL in heads else None

    def told(self, row: Row) -> str:
        """Write ``, risk of bias high``; nothing where nobody has judged."""
        if self._place is None or not row.dots or judgement(row.dots[self._place]) is None:
            return ""
        return f", risk of bias {row.dots[self._place]}"


def _trial_sentences(trials: Sequence[Row], bias: _OverallBias) -> list[str]:
    if len(trials) <= _MOST_NAMED:
        return [
            f"{row.label} {row.effect}{f', weight {row.weight}' if row.weight else ''}"
            f"{bias.told(row)}."
            for row in trials
        ]
    known = [row for row in trials if math.isfinite(row.span.estimate)]
    lowest = min(known, key=lambda row: row.span.estimate)
    highest = max(known, key=lambda row: row.span.estimate)
    return [
        f"Effects run from {lowest.effect} in {lowest.label} "
        f"to {highest.effect} in {highest.label}."
    ]


PLOT_WIDTH = 230.0
LABEL_HEADER = "Trial"
WEIGHT_HEADER = "Weight"
NOTE_INDENT = 8.0
# Wider labels break into lines; a narrower left block would break the heterogeneity line
# into a column of words.
_LABEL_WIDTH = 190.0
_LEFT_WIDTH = 225.0
_HEADER_WIDTH = 110.0
_DOT_PITCH = DOT_SIZE + 3.5
_HEAD_GAP = 4.0
# A head up to this width (D1, All) stands upright and widens its columns; a word is turned.
_UPRIGHT_WIDTH = 18.0
# From this many rows on, rows stand closer so that sixty trials still fit a printed page.
_MANY = 30
_ROW_AIR = 5.0
_ROW_AIR_MANY = 2.0


@dataclass(frozen=True)
class RowPlace:
    """A row with its broken texts and its heights in points from the top of the page."""

    row: Row
    label: str
    note: str
    top: float
    mark: float
    bottom: float


@dataclass(frozen=True)
class Column:
    """A printed column: its head and where its text is anchored."""

    header: str
    anchor: float


@dataclass(frozen=True)
class Layout:
    """All positions of the table, in points from the top left corner of the page."""

    heading: Heading
    cells: tuple[Column, ...]
    effect: Column
    weight: Column | None
    dots: tuple[Column, ...]
    plot_left: float
    right: float
    header_top: float
    header_bottom: float
    places: tuple[RowPlace, ...]

    @property
    def bottom(self) -> float:
        """Lower edge of the last row, where the axis stands."""
        return self.places[-1].bottom


def row_weight(row: Row) -> str:
    """Print totals and headings bold, as tables do."""
    return "bold" if row.kind in ("pooled", "heading") else "normal"


def lay_out(
    rows: Sequence[Row],
    *,
    column_names: Sequence[str],
    dot_names: Sequence[str],
    effect_header: str,
    title: str | None,
) -> Layout:
    """Give each column the width of its widest cell and each row the height of its lines."""
    heads = [wrap(name, _HEADER_WIDTH, weight="bold") for name in column_names]
    widths = [
        max(_bold_width(head), *(_cell_width(row, index) for row in rows))
        for index, head in enumerate(heads)
    ]
    cells_width = sum(width + COLUMN_GAP for width in widths)
    label_width = max(_label_width(rows), _LEFT_WIDTH - cells_width)
    cells = []
    edge = MARGIN + label_width
    for head, width in zip(heads, widths, strict=True):
        cells.append(Column(head, edge + COLUMN_GAP + width / 2))
        edge += COLUMN_GAP + width

    plot_left = edge + COLUMN_GAP
    effect_head = wrap(effect_header, _HEADER_WIDTH, weight="bold")
    effect_width = max(text_width(row.effect, weight=row_weight(row)) for row in rows)
    right = plot_left + PLOT_WIDTH + COLUMN_GAP + max(effect_width, _bold_width(effect_head))
    effect = Column(effect_head, right)
    weight = None
    if any(row.weight for row in rows):
        right += COLUMN_GAP + _bold_width(WEIGHT_HEADER)
        weight = Column(WEIGHT_HEADER, right)
    upright = [_bold_width(name) + _HEAD_GAP for name in dot_names if is_upright(name)]
    pitch = max(_DOT_PITCH, *upright, 0.0)
    dots = [
        Column(name, right + COLUMN_GAP + (index + 0.5) * pitch)
        for index, name in enumerate(dot_names)
    ]
    if dots:
        right = dots[-1].anchor + pitch / 2

    heading = Heading(title, right - MARGIN)
    header_top = heading.bottom
    header_height = max(
        *(text_height(head) for head in (LABEL_HEADER, effect_head, *heads)),
        *(dot_head_height(name) for name in dot_names),
    )
    header_bottom = header_top + header_height + 6
    places = _stack(rows, header_bottom + 3, label_width, edge - MARGIN)
    return Layout(
        heading,
        tuple(cells),
        effect,
        weight,
        tuple(dots),
        plot_left,
        right,
        header_top,
        header_bottom,
        tuple(places),
    )


def is_upright(dot_name: str) -> bool:
    """Say whether the head of a dot column fits its width without being turned."""
    return _bold_width(dot_name) <= _UPRIGHT_WIDTH


def dot_head_height(name: str) -> float:
    """Height of the head of a dot column, which is turned when it is a word."""
    return text_height(name) if is_upright(name) else _bold_width(name) + 2


def _stack(
    rows: Sequence[Row], top: float, label_width: float, left_width: float
) -> Iterator[RowPlace]:
    air = _ROW_AIR if len(rows) < _MANY else _ROW_AIR_MANY
    for row in rows:
        spans_block = row.kind in ("remark", "heading")
        label = wrap(row.label, left_width if spans_block else label_width, weight=row_weight(row))
        note = wrap(row.note, left_width - NOTE_INDENT, SMALL_SIZE) if row.note else ""
        main = max(text_height(text) for text in (label, row.effect, *row.cells)) + air
        extra = text_height(note, SMALL_SIZE) + 1 if note else 0.0
        if row.kind == "heading":
            top += air
        yield RowPlace(row, label, note, top, top + main / 2, top + main + extra)
        top += main + extra


def _bold_width(text: str) -> float:
    return text_width(text, weight="bold")


def _cell_width(row: Row, index: int) -> float:
    return text_width(row.cells[index], weight=row_weight(row)) if row.cells else 0.0


def _label_width(rows: Sequence[Row]) -> float:
    """Width the labels need once the longest are broken."""
    widest = _bold_width(LABEL_HEADER)
    for row in rows:
        if row.kind not in ("remark", "heading"):
            weight = row_weight(row)
            broken = wrap(row.label, _LABEL_WIDTH, weight=weight)
            widest = max(widest, text_width(broken, weight=weight))
    return widest


_NO_EFFECT = 0.0
_SQUARE = "#8fbfe0"
_LARGEST_SQUARE = 10.5
_SMALLEST_SQUARE = 3.2
# A smaller square would vanish behind its own line, so it is drawn solid and above it.
_SOLID_SQUARE = 5.5
_SHOWN_SQUARE = 6.0
_DIAMOND_HALF = 5.2
_SUMMARY_HALF = 4.2
_BAR_WIDTH = 3.2
_ARROW_SIZE = 4.5
# Ratios beyond 5e21 are typing errors; without a bound they would overflow the axis.
_LARGEST_LOG = 50.0
_NEEDED = ("trial", "pooled", "summary")


@dataclass(frozen=True)
class Scale:
    """The shown part of the scale of analysis; ratios are drawn as ratios on a log axis."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Turn a value of the analysis into a coordinate of the axis, cut at its ends."""
        inside = min(max(value, self.low), self.high)
        return math.exp(inside) if self.is_log else inside

    def holds(self, value: float) -> bool:
        """Say whether a value is on the axis."""
        return self.low <= value <= self.high

    @property
    def no_effect(self) -> float:
        """Share of the axis, from the left, at which no effect lies."""
        return (_NO_EFFECT - self.low) / (self.high - self.low)


def choose_scale(
    rows: Sequence[Row], *, is_log: bool, limits: tuple[float, float] | None
) -> Scale:
    """Choose limits and ticks that keep every pooled trial's estimate in view."""
    if limits is None:
        needed = [row.span for row in rows if row.kind in _NEEDED]
        wished = [row.span for row in rows if row.kind not in _NEEDED]
        limits = axis_limits(needed, wished, reference=_NO_EFFECT)
    if is_log:
        limits = max(limits[0], -_LARGEST_LOG), min(limits[1], _LARGEST_LOG)
    ticks = (ratio_ticks if is_log else linear_ticks)(*limits, PLOT_WIDTH)
    return Scale(*limits, is_log, tuple(ticks))


def is_clipped(rows: Sequence[Row], scale: Scale) -> bool:
    """Say whether any interval leaves the axis."""
    return any(
        row.span.is_complete and not (scale.holds(row.span.low) and scale.holds(row.span.high))
        for row in rows
    )


def draw_marks(sheet: Sheet, layout: Layout, scale: Scale) -> Axes:
    """Draw axis, reference lines and the mark of every row."""
    top = layout.header_bottom
    axes = sheet.plot(layout.plot_left, top, PLOT_WIDTH, layout.bottom - top)
    axes.set_xscale("log" if scale.is_log else "linear")
    axes.set_xlim(scale.place(scale.low), scale.place(scale.high))
    axes.minorticks_off()
    axes.set_xticks([value for value, _ in scale.ticks], [label for _, label in scale.ticks])
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, width=0.8, pad=2)
    axes.plot(
        [scale.place(_NO_EFFECT)] * 2,
        [top, layout.bottom],
        color=style.INK,
        linewidth=0.8,
        zorder=1,
        gid="no-effect",
    )
    largest = max((p.row.weight_pct for p in layout.places if p.row.kind == "trial"), default=0.0)
    seen: dict[str, int] = {}
    for place in layout.places:
        kind = place.row.kind
        index = seen[kind] = seen.get(kind, -1) + 1
        if not math.isnan(place.row.span.estimate):
            _draw_row(axes, place, scale, layout, largest=largest, gid=f"{kind}-{index}")
    return axes


def _draw_row(
    axes: Axes, place: RowPlace, scale: Scale, layout: Layout, *, largest: float, gid: str
) -> None:
    row, y = place.row, place.mark
    if row.kind == "pooled":
        axes.plot(
            [scale.place(row.span.estimate)] * 2,
            [layout.header_bottom, y],
            color=style.POOLED,
            linewidth=0.8,
            linestyle=(0, (2, 2)),
            zorder=1,
            gid="pooled-line",
        )
        _draw_diamond(axes, row.span, y, scale, _DIAMOND_HALF, style.POOLED, gid)
    elif row.kind == "summary":
        _draw_diamond(axes, row.span, y, scale, _SUMMARY_HALF, style.PAPER, gid)
    elif row.kind == "prediction":
        _draw_line(axes, row.span, y, scale, style.PREDICTION, _BAR_WIDTH, gid)
    else:
        _draw_line(axes, row.span, y, scale, style.INK, 1.1, gid)
        _draw_square(axes, row, y, scale, largest=largest, gid=gid)


def _draw_line(
    axes: Axes, span: Interval, y: float, scale: Scale, colour: str, width: float, gid: str
) -> None:
    """Draw an interval; an end that leaves the axis becomes an arrow."""
    if not span.is_complete:
        return
    if span.high >= scale.low and span.low <= scale.high:
        axes.plot(
            [scale.place(span.low), scale.place(span.high)],
            [y, y],
            color=colour,
            linewidth=width,
            solid_capstyle="butt",
            zorder=3,
            gid=f"{gid}-interval",
        )
    _draw_arrows(axes, span, y, scale, colour, gid)


def _draw_arrows(
    axes: Axes, span: Interval, y: float, scale: Scale, colour: str, gid: str
) -> None:
    for end, marker, is_outside in (
        (scale.low, "<", span.low < scale.low),
        (scale.high, ">", span.high > scale.high),
    ):
        if is_outside:
            axes.plot(
                [scale.place(end)],
                [y],
                marker=marker,
                markersize=_ARROW_SIZE,
                color=colour,
                linestyle="none",
                clip_on=False,
                zorder=4,
                gid=f"{gid}-arrow-{'low' if marker == '<' else 'high'}",
            )


def _draw_square(
    axes: Axes, row: Row, y: float, scale: Scale, *, largest: float, gid: str
) -> None:
    if not scale.holds(row.span.estimate):
        return
    side = _SHOWN_SQUARE
    if row.kind == "trial" and row.weight_pct > 0:
        side = max(_LARGEST_SQUARE * math.sqrt(row.weight_pct / largest), _SMALLEST_SQUARE)
    is_shown = row.kind == "shown"
    fill = style.PAPER if is_shown else style.TREATMENT if side < _SOLID_SQUARE else _SQUARE
    axes.plot(
        [scale.place(row.span.estimate)],
        [y],
        marker="s",
        markersize=side,
        markerfacecolor=fill,
        markeredgecolor=style.INK if is_shown else style.TREATMENT,
        markeredgewidth=0.9,
        linestyle="none",
        # In a large square a short interval must stay visible, so the line lies above it.
        zorder=2 if fill == _SQUARE else 4,
        gid=gid,
    )


def _draw_diamond(
    axes: Axes, span: Interval, y: float, scale: Scale, half: float, fill: str, gid: str
) -> None:
    from matplotlib.patches import Polygon

    if not span.is_complete:
        return
    middle = scale.place(span.estimate)
    corners = [
        (scale.place(span.low), y),
        (middle, y - half),
        (scale.place(span.high), y),
        (middle, y + half),
    ]
    axes.add_patch(
        Polygon(
            corners,
            closed=True,
            facecolor=fill,
            edgecolor=style.POOLED,
            linewidth=0.9,
            zorder=3,
            gid=gid,
        )
    )
    _draw_arrows(axes, span, y, scale, style.POOLED, gid)


_TICK_SPACE = 15.0
_ARROW_LEFT = "\N{LEFTWARDS ARROW}"
_ARROW_RIGHT = "\N{RIGHTWARDS ARROW}"
_WORD_GAP = 5.0
_LABEL_GAP = 2.0


class Footer:
    """Direction words, axis label and notes, broken to fit, stacked below the axis."""

    def __init__(
        self,
        layout: Layout,
        *,
        no_effect: float,
        direction: tuple[str, str],
        x_label: str,
        lines: Sequence[str],
    ) -> None:
        self._part = layout.plot_left + PLOT_WIDTH * no_effect
        left, right = direction
        left_space = self._part - _WORD_GAP - style.MARGIN
        right_space = layout.right - self._part - _WORD_GAP
        self._left = wrap(f"{_ARROW_LEFT} {left}", left_space) if left else ""
        self._right = wrap(f"{right} {_ARROW_RIGHT}", right_space) if right else ""
        self._label = wrap(x_label, PLOT_WIDTH) if x_label else ""
        self._label_x = layout.plot_left + PLOT_WIDTH / 2
        self._words_top = layout.bottom + _TICK_SPACE
        words = [text_height(text) for text in (self._left, self._right) if text]
        self._label_top = self._words_top + max(words, default=0.0) + _LABEL_GAP
        self._notes_top = self._label_top + (text_height(self._label) if self._label else 0.0) + 8
        self._notes = Notes(lines, layout.right - style.MARGIN)
        self.bottom = self._notes_top + self._notes.height

    def write(self, sheet: Sheet) -> None:
        """Write everything below the axis."""
        top = self._words_top
        sheet.write(
            self._part - _WORD_GAP, top, self._left, align="right", valign="top", gid="favours-low"
        )
        sheet.write(self._part + _WORD_GAP, top, self._right, valign="top", gid="favours-high")
        sheet.write(
            self._label_x,
            self._label_top,
            self._label,
            align="center",
            valign="top",
            gid="x-label",
        )
        self._notes.write(sheet, self._notes_top)


def write_table(sheet: Sheet, layout: Layout) -> None:
    """Write title, heads, and the cells of every row."""
    layout.heading.write(sheet)
    _write_heads(sheet, layout)
    seen: dict[str, int] = {}
    for place in layout.places:
        kind = place.row.kind
        index = seen[kind] = seen.get(kind, -1) + 1
        _write_row(sheet, layout, place, f"{kind}-{index}")
    sheet.rule(style.MARGIN, layout.right, layout.header_top)
    sheet.rule(style.MARGIN, layout.right, layout.header_bottom)


def _write_heads(sheet: Sheet, layout: Layout) -> None:
    base = layout.header_bottom - 3
    heads = [(style.MARGIN, LABEL_HEADER, "left")]
    heads += [(column.anchor, column.header, "center") for column in layout.cells]
    heads.append((layout.effect.anchor, layout.effect.header, "right"))
    if layout.weight:
        heads.append((layout.weight.anchor, layout.weight.header, "right"))
    for index, (x, text, align) in enumerate(heads):
        sheet.write(
            x, base, text, align=align, valign="bottom", weight="bold", gid=f"head-{index}"
        )
    for index, column in enumerate(layout.dots):
        turn = 0 if is_upright(column.header) else 90
        sheet.write(
            column.anchor,
            base,
            column.header,
            align="center",
            valign="bottom",
            weight="bold",
            rotation=turn,
            gid=f"head-dot-{index}",
        )


def _write_row(sheet: Sheet, layout: Layout, place: RowPlace, gid: str) -> None:
    row, y = place.row, place.mark
    weight = row_weight(row)
    is_remark = row.kind == "remark"
    colour = style.SOFT_INK if is_remark else style.INK
    if row.kind in ("pooled", "heading"):
        sheet.rule(style.MARGIN, layout.right, place.top, width=0.5)
    sheet.write(style.MARGIN, y, place.label, weight=weight, colour=colour, gid=f"{gid}-label")
    for index, (column, text) in enumerate(zip(layout.cells, row.cells, strict=False)):
        cell = f"{gid}-cell-{index}"
        sheet.write(column.anchor, y, text, align="center", weight=weight, gid=cell)
    sheet.write(
        layout.effect.anchor, y, row.effect, align="right", weight=weight, gid=f"{gid}-effect"
    )
    if layout.weight:
        sheet.write(
            layout.weight.anchor, y, row.weight, align="right", weight=weight, gid=f"{gid}-weight"
        )
    for index, (column, value) in enumerate(zip(layout.dots, row.dots, strict=False)):
        draw_dot(sheet.page, column.anchor, y, value, gid=f"{gid}-dot-{index}")
    sheet.write(
        style.MARGIN + NOTE_INDENT,
        place.bottom - 1,
        place.note,
        valign="bottom",
        size=style.SMALL_SIZE,
        colour=style.SOFT_INK,
        gid=f"{gid}-note",
    )


class ForestOptions(TypedDict, total=False):
    """The options of `forest_plot`, for the functions that pass them on."""

    labels: Sequence[str] | None
    columns: pd.DataFrame | None
    totals: Sequence[str] | None
    shown_only: pd.DataFrame | None
    summaries: Sequence[tuple[str, Diamond | None]] | None
    direction: tuple[str, str]
    x_label: str
    log_scale: bool
    digits: int
    limits: tuple[float, float] | None
    dots: pd.DataFrame | None
    dots_note: str
    title: str | None


def forest_plot(
    result: PooledResult | None,
    *,
    labels: Sequence[str] | None = None,
    columns: pd.DataFrame | None = None,
    totals: Sequence[str] | None = None,
    shown_only: pd.DataFrame | None = None,
    summaries: Sequence[tuple[str, Diamond | None]] | None = None,
    direction: tuple[str, str] = ("favours LDN", "favours comparator"),
    x_label: str = "",
    log_scale: bool = False,
    digits: int = 2,
    limits: tuple[float, float] | None = None,
    dots: pd.DataFrame | None = None,
    dots_note: str = "",
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a forest plot: trials, pooled effect, prediction interval, other pools.

    Each trial has a square (area shows weight) with its interval; the pooled effect is a
    diamond, the prediction interval a thin bar below it. An interval that leaves the axis
    ends in an arrow, and its numbers stand beside it in full. The figure grows with its text:
    nothing overlaps and nothing is cut.

    Parameters
    ----------
    result : PooledResult or None
        The pool, with ``yi``, ``vi``, ``weight_pct`` of shape (k,). None or ``k == 0`` gives a
        figure that says in words that there is nothing; ``k == 1`` draws no diamond.
    labels : sequence of str, optional
        One a trial; the result's own labels otherwise.
    columns : pandas.DataFrame, optional
        Arm data as text, one row a trial in the order of the trials; the column names are the
        heads, and may hold line breaks.
    totals : sequence of str, optional
        One text a column for the pooled row.
    shown_only : pandas.DataFrame, optional
        Rows drawn hollow below and never pooled: ``label, yi, ci_low, ci_high, note`` on the
        scale of ``yi``, and any of the names in ``columns`` and ``dots``.
    summaries : sequence of (str, PooledResult, other Diamond or None), optional
        Further pools, drawn as open diamonds; None is a choice that leaves no trial.
    direction : (str, str)
        What the left and the right side of no effect mean.
    x_label : str
        Name of the axis; the measure in words otherwise.
    log_scale : bool
        ``yi`` are logarithms of a ratio: numbers and axis show the ratio, on a log axis.
    digits : int
        Digits behind the point of effects and limits.
    limits : (float, float), optional
        Ends of the axis on the scale of ``yi``; chosen from the data otherwise.
    dots : pandas.DataFrame, optional
        Risk-of-bias judgements, one row a trial, one column a domain; without a trial, no row.
    dots_note : str
        What the heads of ``dots`` stand for, below the legend of the judgements.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Not known to pyplot, so it is never shown twice. Its size follows its content.
    axes : matplotlib.axes.Axes
        The drawn part: x is the effect (the ratio on a log axis), y is points from the top.

    Raises
    ------
    ArgumentError
        If an argument does not have one entry a trial, lacks a column, or holds an unknown
        judgement.
    """
    print_as = EffectFormat(digits, log_scale)
    rows = forest_rows(
        result,
        labels=labels,
        columns=columns,
        totals=totals,
        shown_only=shown_only,
        summaries=summaries,
        dots=dots,
        print_as=print_as,
    )
    with style.settings():
        if not any(row.effect for row in rows):
            texts = [f"{row.label}: {row.note}" if row.note else row.label for row in rows]
            page = words_only(texts, title)
            return page.figure, page.page
        first_pool = _first_pool(result, summaries)
        layout = lay_out(
            rows,
            column_names=[] if columns is None else [str(name) for name in columns.columns],
            dot_names=[] if dots is None else [str(name) for name in dots.columns],
            effect_header=effect_header(first_pool),
            title=title,
        )
        scale = choose_scale(rows, is_log=log_scale, limits=limits)
        measure = measure_words(first_pool)
        axis_name = f"{measure} (log axis)" if log_scale else measure
        footer = Footer(
            layout,
            no_effect=scale.no_effect,
            direction=direction,
            x_label=capitalised(x_label) or axis_name,
            lines=[
                model_line(result) if result is not None and result.k > 1 else "",
                legend_line({row.kind for row in rows}, is_clipped=is_clipped(rows, scale)),
                judgement_legend(value for row in rows for value in row.dots),
                dots_note if any(row.dots for row in rows) else "",
            ],
        )
        sheet = Sheet(layout.right + style.MARGIN, footer.bottom + style.MARGIN)
        axes = draw_marks(sheet, layout, scale)
        write_table(sheet, layout)
        footer.write(sheet)
    return sheet.figure, axes


def forest_alt_text(result: PooledResult | None, **options: Unpack[ForestOptions]) -> str:
    """Describe the forest plot of the same arguments in plain words.

    Up to twelve trials are named with their numbers; of more, the range is given.
    """
    log_scale, dots = options.get("log_scale", False), options.get("dots")
    rows = forest_rows(
        result,
        labels=options.get("labels"),
        columns=options.get("columns"),
        totals=options.get("totals"),
        shown_only=options.get("shown_only"),
        summaries=options.get("summaries"),
        dots=dots,
        print_as=EffectFormat(options.get("digits", 2), log_scale),
    )
    return describe(
        rows,
        measure=measure_words(_first_pool(result, options.get("summaries"))),
        direction=options.get("direction", ("favours LDN", "favours comparator")),
        dot_names=[] if dots is None else [str(name) for name in dots.columns],
        is_log=log_scale,
        title=options.get("title"),
    )


def forest_output(
    name: str, result: PooledResult | None, **options: Unpack[ForestOptions]
) -> FigureOutput:
    """Make the forest plot ready to end a notebook cell: drawing, file name, words."""
    figure, _ = forest_plot(result, **options)
    return FigureOutput(figure, name, forest_alt_text(result, **options))


def _first_pool(
    result: PooledResult | None, summaries: Sequence[tuple[str, Diamond | None]] | None
) -> PooledResult | None:
    """Take measure and level from the pool shown first, if there is any."""
    from ldn_meta.stats.pool import PooledResult

    pools = (result, *(pool for _, pool in summaries or ()))
    return next((pool for pool in pools if isinstance(pool, PooledResult)), None)
