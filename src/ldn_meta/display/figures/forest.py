"""The forest plot: every trial with its arms, effect and weight, and what pools them.

And the cumulative forest plot, its rows the answer as it stood after each trial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.bias import DOT_SIZE, draw_dot, judgement, judgement_legend
from ldn_meta.display.figures.scales import (
    LARGEST_LOG,
    EffectFormat,
    Interval,
    Scale,
    Under,
    axis_limits,
    checked_limits,
    format_of,
    pool_of,
    result_of,
    shown_limits,
)
from ldn_meta.display.figures.sheet import (
    COLUMN_GAP,
    MARGIN,
    SMALL_SIZE,
    Foot,
    Heading,
    Sheet,
    area,
    line,
    opening,
    point,
    text_height,
    text_width,
    words_only,
    wrap,
    write_heads,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import (
    capitalised,
    count,
    p_value,
    percent,
)
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import CI_METHODS, TAU2_METHODS, Pool
from ldn_meta.evidence.raw.bias import OVERALL
from ldn_meta.stats.arrays import PoolRecord, trial_labels
from ldn_meta.stats.influence import cumulative
from ldn_meta.stats.pool import PooledResult, pool_many
from ldn_meta.stats.rare_events import METHOD_NAMES, MODELS
from ldn_meta.stats.regression import SubgroupResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ldn_meta.display.figures.sheet import ShownFigure
    from ldn_meta.evidence.answer.pools import IntervalToRead


_PREDICTED = {
    "k-1": "t on k \N{MINUS SIGN} 1 df",
    "k-2": "t on k \N{MINUS SIGN} 2 df",
    "bootstrap": "parametric bootstrap",
}
TAU = "\N{GREEK SMALL LETTER TAU}"
TAU2 = f"{TAU}\N{SUPERSCRIPT TWO}"
I2 = "I\N{SUPERSCRIPT TWO}"


def measure_words(result: PoolRecord | None) -> str:
    """Name the measure as the header of the effect column does."""
    return format_of(result, 2)[1].words


def effect_header(
    result: PoolRecord | None, read: IntervalToRead | None = None, words: str = ""
) -> str:
    """Head the effect column; without any pool neither measure nor level is known."""
    has_prior = read.has_prior if read is not None else _kind(result) == "bayes"
    kind = "interval" if has_prior else "CI"
    level = "interval" if result is None else f"{level_word(result)} {kind}"
    return f"{words or measure_words(result)}\n({level})"


def note_sentences(notes: Sequence[str]) -> list[str]:
    """Write the notes of a record as a figure prints them."""
    return [f"{capitalised(note.replace('tau2', TAU2))}." for note in notes]


def has_weights(result: PoolRecord | None) -> bool:
    """Whether trials have weights in the pool; with a prior or counts in a model they have not."""
    return hasattr(result, "weight_pct")


def _kind(result: PoolRecord | None) -> str:
    return "" if result is None else result.KIND


def level_word(result: PoolRecord) -> str:
    """Write the confidence level as a percentage."""
    return f"{100 * result.level:g}%"


def pooled_label(result: Any) -> str:
    """Name the pooled row by its model."""
    if _kind(result) == "rare-events":
        return f"Pooled, {METHOD_NAMES[result.method]}"
    if _kind(result) == "glmm":
        return f"Pooled, {MODELS[result.measure]} model"
    if _kind(result) == "bayes":
        return "Pooled, Bayesian"
    if _kind(result) == "dependent":
        return "Pooled, effects in clusters"
    return "Pooled, common effect" if _is_common(result) else "Pooled, random effects"


def heterogeneity_line(result: Any, read: IntervalToRead | None = None) -> str:
    """Write Q, I2 and tau2 with its interval, as far as they are defined.

    With a prior the spread is not judged by these trials alone, and their tau2 stays away.
    """
    if _kind(result) == "bayes":
        span = f"{variance_text(result.tau_low)} to {variance_text(result.tau_high)}"
        spread = style.unbroken(f"{TAU} = {variance_text(result.tau_median)} ({span})")
        return f"Spread between trials, median and interval: {spread}."
    if _kind(result) == "glmm":
        test = f"{result.lr_df} df, {p_value(result.lr_pvalue)}"
        ratio = style.unbroken(f"{style.number(result.lr_statistic, 2)} ({test})")
        spread = style.unbroken(f"{TAU2} = {variance_text(result.tau2)}")
        return f"Heterogeneity: likelihood ratio = {ratio}, {spread}."
    if _kind(result) == "dependent":
        parts = [
            f"{TAU2} between clusters = {variance_text(result.tau2_between)}",
            f"within = {variance_text(result.tau2_within)}",
        ]
        return f"Heterogeneity: {', '.join(style.unbroken(part) for part in parts)}."
    q_test = f"{int(result.q_df)} df, {p_value(float(result.q_pvalue))}"
    if _is_common(result):
        tau2 = f"{TAU2} = 0 by assumption"
    else:
        tau2 = f"{TAU2} = {variance_text(float(result.tau2))}"
        low, high = float(result.tau2_ci_low), float(result.tau2_ci_high)
        if math.isfinite(low):
            tau2 += f" ({variance_text(low)} to {variance_text(high)})"
    parts = [
        f"Q = {style.number(float(result.q), 2)} ({q_test})",
        f"{I2} = {style.number(float(result.i2_pct), 0)}%",
    ]
    if read is None or not read.has_prior:
        parts.append(tau2)
    return f"Heterogeneity: {', '.join(style.unbroken(part) for part in parts)}."


def model_line(
    result: Any, read: IntervalToRead | None = None, *, has_prediction: bool = True
) -> str:
    """Name the model, the tau2 method and the interval methods drawn; or how it is read."""
    if _kind(result) == "bayes":
        return (
            f"Random-effects model; diamond: median and shortest {level_word(result)} interval; "
            f"prior of {TAU}: {result.prior}."
        )
    if _kind(result) == "glmm":
        return (
            f"{capitalised(MODELS[result.measure])} model of the counts; {level_word(result)} CI: "
            f"{CI_METHODS['wald']}; squares: each trial by its own counts."
        )
    if _kind(result) == "dependent":
        how = "cluster-robust (CR2), t" if result.robust else "from the model, t"
        return (
            f"Effects of {result.clusters} clusters, {TAU2} by {TAU2_METHODS['reml']}; "
            f"{level_word(result)} CI: {how}; squares: each effect by itself."
        )
    if _kind(result) == "rare-events":
        return (
            f"Common-effect model by {METHOD_NAMES[result.method]}; {level_word(result)} CI: "
            f"{CI_METHODS['wald']}."
        )
    if read is not None and read.has_prior:
        weights = f"weights: of the pool by {TAU2_METHODS[result.tau2_method]}, not of the diamond"
        return f"Random-effects model; diamond: median and {read.name}, {read.method}; {weights}."
    interval = f"{level_word(result)} CI: {CI_METHODS[result.ci_method]}"
    if _is_common(result):
        return f"Common-effect model; {interval}."
    text = f"Random-effects model; {TAU2} by {TAU2_METHODS[result.tau2_method]}; {interval}"
    if has_prediction and math.isfinite(float(result.pi_low)):
        text += f"; prediction interval: {_PREDICTED[result.pi_method]}"
    return f"{text}."


def between_line(found: SubgroupResult) -> str:
    """Write the test between subgroups, or that there is none."""
    if math.isnan(found.q_between):
        return "Test between subgroups: not defined."
    name, df = "Q", f"{found.q_between_df}"
    if math.isfinite(found.q_between_df_residual):
        name, df = "F", f"{found.q_between_df} and {found.q_between_df_residual:.0f}"
    test = f"{name} = {style.number(found.q_between, 2)} ({df} df, "
    return (
        f"Test between subgroups: {style.unbroken(f'{test}{p_value(found.q_between_pvalue)})')}."
    )


def subgroup_line(found: SubgroupResult) -> str:
    """Say whose tau2 and whose weights the plot shows."""
    if _is_common(found.overall):
        return "Weights: of the overall pool."
    whose = "one for all subgroups" if found.tau2 == "common" else "its own in each subgroup"
    return f"{TAU2}: {whose}; weights: of the overall pool."


def legend_line(kinds: set[str], *, is_clipped: bool, has_weights: bool = True) -> str:
    """Explain the marks that occur in the plot, and no others."""
    parts = []
    if "pooled" in kinds:
        parts += ["area of a square: weight"] if has_weights else []
        parts += ["diamond: pooled effect with its interval"]
    if "subtotal" in kinds:
        parts.append("light diamond: pooled effect of a subgroup")
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


def _is_common(result: Any) -> bool:
    return _kind(result) == "rare-events" or result.tau2_method == "common"


def variance_text(value: float) -> str:
    """Write a variance, which may be tiny or huge, in about three significant digits."""
    if value == 0 or not math.isfinite(value) or value >= 100:
        return style.number(value, 0)
    return style.number(value, 2 if value >= 1 else 3) if value >= 0.0005 else "below 0.001"


Kind = Literal[
    "trial", "subtotal", "pooled", "prediction", "summary", "shown", "heading", "remark"
]

SHOWN_COLUMNS = ("label", "yi", "ci_low", "ci_high", "note")
SHOWN_HEADING = "Shown, not pooled"
SUMMARY_HEADING = "Other pools of this outcome"
_NOTHING = Interval(math.nan, math.nan, math.nan)
ONE_TRIAL = "One trial, nothing pooled."
NO_TRIAL = "No trial gave an estimate that a pool takes; nothing is pooled."


class Diamond(NamedTuple):
    """A pool as an open diamond: the estimate and interval that it is read by."""

    k: int
    estimate: float
    ci_low: float
    ci_high: float


Summaries = Sequence[tuple[str, "PoolRecord | Diamond | None"]]


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


def trial_spans(
    result: PoolRecord,
    print_as: EffectFormat,
    intervals: Sequence[Sequence[float]] | None = None,
) -> list[Interval]:
    """Give each trial its estimate and its own interval; normal at the level of the result."""
    if intervals is not None:
        ends = zip(result.yi, intervals, strict=True)
        return [print_as.span(effect, low, high) for effect, (low, high) in ends]
    reach = NormalDist().inv_cdf(0.5 + result.level / 2)
    spans = []
    for effect, variance in zip(result.yi, result.vi, strict=True):
        half = reach * math.sqrt(variance) if variance >= 0 else math.nan
        spans.append(print_as.span(effect, effect - half, effect + half))
    return spans


def _trial_rows(
    result: Any,
    labels: Sequence[str] | None,
    columns: pd.DataFrame | None,
    dots: pd.DataFrame | None,
    print_as: EffectFormat,
    intervals: Sequence[Sequence[float]] | None,
) -> list[Row]:
    if result is None:
        return []
    names = list(result.labels if labels is None else labels)
    spans = [_NOTHING] * len(result.yi)
    for argument, length in (
        ("labels", len(names)),
        ("intervals", len(spans) if intervals is None else len(intervals)),
        ("columns", len(spans) if columns is None else len(columns)),
        ("dots", len(spans) if dots is None else len(dots)),
    ):
        if length != len(spans):
            message = f"{argument} has {length} rows and the result {len(spans)} trials: one each"
            raise ArgumentError(message)
    names = list(trial_labels(names, len(names)))
    spans = trial_spans(result, print_as, intervals)
    cells = _texts(columns, len(spans))
    judgements = _judgements(dots, len(spans))
    is_weighted = has_weights(result) and result.k > 1
    weights = result.weight_pct if is_weighted else [math.nan] * len(spans)
    return [
        Row("trial", str(name), span, print_as.effect(span), row, style.steady(weight), dots=marks)
        for name, span, row, weight, marks in zip(
            names, spans, cells, weights, judgements, strict=True
        )
    ]


def _pool_rows(
    result: PoolRecord | None,
    totals: Sequence[str] | None,
    columns: pd.DataFrame | None,
    print_as: EffectFormat,
    read: IntervalToRead | None,
    *,
    has_prediction: bool,
) -> list[Row]:
    if result is None or result.k < 2:
        return [Row("remark", ONE_TRIAL if result is not None and result.k else NO_TRIAL)]
    width = 0 if columns is None else len(columns.columns)
    if totals is not None and len(totals) != width:
        message = f"totals has {len(totals)} texts for {width} columns: one each, '' for none"
        raise ArgumentError(message)
    span = _pooled_span(result, print_as)
    label = pooled_label(result)
    if read is not None:
        span = print_as.span(read.estimate, read.low, read.high)
        label = "Pooled, Bayesian" if read.has_prior else label
    cells = tuple(_text(total) for total in totals or ())
    weight = 100.0 if has_weights(result) else math.nan
    rows = [Row("pooled", label, span, print_as.effect(span), cells, weight)]
    prediction = print_as.span(result.estimate, result.pi_low, result.pi_high)
    if has_prediction and prediction.is_complete:
        text = print_as.interval(prediction.low, prediction.high)
        label = f"{level_word(result)} prediction interval"
        rows.append(Row("prediction", label, prediction, text))
    rows.append(Row("remark", heterogeneity_line(result, read)))
    return rows


def _grouped(found: SubgroupResult, trials: list[Row], print_as: EffectFormat) -> list[Row]:
    """Put the rows of trials below the heads of their subgroups, each above its subtotal."""
    rows = []
    for name, one in zip(found.names, found.pools, strict=True):
        own = [row for row, by in zip(trials, found.by, strict=True) if by == name]
        rows += [Row("heading", capitalised(name)), *own]
        if one.k < 2:
            rows.append(Row("remark", ONE_TRIAL if one.k else NO_TRIAL))
            continue
        span = _pooled_span(one, print_as)
        weight = math.fsum(row.weight_pct for row in own if not math.isnan(row.weight_pct))
        rows.append(Row("subtotal", "Subtotal", span, print_as.effect(span), (), weight))
        rows.append(Row("remark", heterogeneity_line(one)))
    return rows


def _summary_row(label: str, pool: PoolRecord | Diamond | None, print_as: EffectFormat) -> Row:
    k = 0 if pool is None else int(pool.k)
    trials = style.unbroken(f"({count(k, 'trial')})")
    name = f"{capitalised(label)} {trials}"
    if pool is None or k == 0:
        return Row("summary", name, effect="no estimate")
    span = _pooled_span(pool, print_as)
    # A diamond stands for a pool; one trial is none.
    return Row("summary" if k > 1 else "shown", name, span, print_as.effect(span))


def _shown_rows(
    shown_only: pd.DataFrame | None,
    columns: pd.DataFrame | None,
    dots: pd.DataFrame | None,
    print_as: EffectFormat,
) -> list[Row]:
    if shown_only is None or shown_only.empty:
        return []
    style.check_columns(shown_only, SHOWN_COLUMNS, "shown_only")
    cells = _texts(_shared(shown_only, columns), len(shown_only))
    judgements = _judgements(_shared(shown_only, dots), len(shown_only))
    entries = shown_only.to_dict("records")
    spans = [print_as.span(entry["yi"], entry["ci_low"], entry["ci_high"]) for entry in entries]
    heading = Row("heading", SHOWN_HEADING)
    return [heading] + [
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


def _pooled_span(result: PoolRecord | Diamond, print_as: EffectFormat) -> Interval:
    return print_as.span(result.estimate, result.ci_low, result.ci_high)


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
    print_as: EffectFormat,
    title: str | None,
) -> str:
    """Describe a forest plot for people who cannot see it."""
    trials = [row for row in rows if row.kind == "trial"]
    kind = "Forest plot without trials"
    if trials:
        kind = f"Forest plot of {count(len(trials), 'trial')}, {measure.lower()}"
    sentences = [opening(kind, title)]
    if all(direction) and any(row.effect for row in rows):
        sentences.append(print_as.sides(direction))
    heads = [name.lower() for name in dot_names]
    overall = heads.index(OVERALL) if OVERALL in heads else None

    def bias(row: Row) -> str:
        """Write ``, risk of bias high``; nothing where nobody has judged."""
        if overall is None or not row.dots or judgement(row.dots[overall]) is None:
            return ""
        return f", risk of bias {row.dots[overall]}"

    if len(trials) > _MOST_NAMED:
        known = [row for row in trials if math.isfinite(row.span.estimate)]
        lowest = min(known, key=lambda row: row.span.estimate)
        highest = max(known, key=lambda row: row.span.estimate)
        sentences.append(
            f"Effects run from {lowest.effect} in {lowest.label} "
            f"to {highest.effect} in {highest.label}."
        )
    for row in rows:
        if row.kind == "remark":
            sentences.append(row.label if row.label.endswith(".") else f"{row.label}.")
        elif row.kind == "heading":
            sentences.append(f"{row.label}:")
        elif row.kind == "trial":
            weight = f", weight {row.weight}" if row.weight else ""
            if len(trials) <= _MOST_NAMED:
                sentences.append(f"{row.label} {row.effect}{weight}{bias(row)}.")
        else:
            note = f", {row.note}" if row.kind == "shown" and row.note else ""
            sentences.append(f"{row.label} {row.effect}{note}{bias(row)}.")
    return " ".join(sentences)


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
class Place:
    """A row with its broken texts, its name, and its heights in points from the top."""

    row: Row
    gid: str
    label: str
    note: str
    top: float
    mark: float
    bottom: float


class Table:
    """The rows as a table with a plot in it: each column as wide as its widest cell."""

    plot_width = PLOT_WIDTH

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        column_names: Sequence[str],
        dot_names: Sequence[str] = (),
        effect_header: str,
        title: str | None,
    ) -> None:
        self.rows = rows
        heads = [wrap(name, _HEADER_WIDTH, weight="bold") for name in column_names]
        widths = [
            max(_bold_width(head), *(_cell_width(row, index) for row in rows))
            for index, head in enumerate(heads)
        ]
        cells_width = sum(width + COLUMN_GAP for width in widths)
        label_width = max(_label_width(rows), _LEFT_WIDTH - cells_width)
        self._heads = [(MARGIN, LABEL_HEADER, "left")]
        edge = MARGIN + label_width
        for head, width in zip(heads, widths, strict=True):
            self._heads.append((edge + COLUMN_GAP + width / 2, head, "center"))
            edge += COLUMN_GAP + width
        self._cells = [x for x, _, _ in self._heads[1:]]

        self.plot_left = edge + COLUMN_GAP
        effect_head = wrap(effect_header, _HEADER_WIDTH, weight="bold")
        effect_width = max(text_width(row.effect, weight=_weight(row)) for row in rows)
        right = self.plot_left + PLOT_WIDTH
        right += COLUMN_GAP + max(effect_width, _bold_width(effect_head))
        self._effect = right
        self._heads.append((right, effect_head, "right"))
        self._weight = None
        if any(row.weight for row in rows):
            self._weight = right = right + COLUMN_GAP + _bold_width(WEIGHT_HEADER)
            self._heads.append((right, WEIGHT_HEADER, "right"))
        self._dot_names = dot_names
        upright = [_bold_width(name) + _HEAD_GAP for name in dot_names if _is_upright(name)]
        pitch = max(_DOT_PITCH, *upright, 0.0)
        self._dots = [right + COLUMN_GAP + (i + 0.5) * pitch for i in range(len(dot_names))]
        self.right = self._dots[-1] + pitch / 2 if dot_names else right

        self.heading = Heading(title, self.right - MARGIN)
        header_height = max(
            *(text_height(head) for head in (LABEL_HEADER, effect_head, *heads)),
            *(
                text_height(name) if _is_upright(name) else _bold_width(name) + 2
                for name in dot_names
            ),
        )
        self._rule = self.heading.bottom + header_height + 6
        self._places = self._stack(rows, label_width, edge - MARGIN)
        self.bottom = self._places[-1].bottom

    def _stack(self, rows: Sequence[Row], label_width: float, left_width: float) -> list[Place]:
        """Give each row the height of its lines, and the number among rows of its kind."""
        top = self._rule + 3
        air = _ROW_AIR if len(rows) < _MANY else _ROW_AIR_MANY
        places: list[Place] = []
        for row in rows:
            width = left_width if row.kind in ("remark", "heading") else label_width
            label = wrap(row.label, width, weight=_weight(row))
            note = wrap(row.note, left_width - NOTE_INDENT, SMALL_SIZE) if row.note else ""
            main = max(text_height(text) for text in (label, row.effect, *row.cells)) + air
            extra = text_height(note, SMALL_SIZE) + 1 if note else 0.0
            if row.kind == "heading" and places:
                top += air
            number = sum(place.row.kind == row.kind for place in places)
            gid = f"{row.kind}-{number}"
            places.append(Place(row, gid, label, note, top, top + main / 2, top + main + extra))
            top += main + extra
        return places

    def draw(self, sheet: Sheet, scale: Scale, *, has_no_effect: bool = True) -> Axes:
        """Draw axis, reference lines and the mark of every row, and write the table."""
        top = self._rule
        axes = sheet.plot(
            self.plot_left,
            top,
            PLOT_WIDTH,
            self.bottom - top,
            ends=scale.ends,
            ticks=scale.ticks,
            is_log=scale.is_log,
        )
        if has_no_effect:
            middle = [scale.place(0.0)] * 2
            line(axes, middle, [top, self.bottom], style.INK, 0.8, zorder=1, gid="no-effect")
        weights = [place.row.weight_pct for place in self._places if place.row.kind == "trial"]
        pen = _Pen(axes, scale, top, max(weights, default=0.0))
        for place in self._places:
            if not math.isnan(place.row.span.estimate):
                pen.draw(place.row, place.mark, place.gid)
        write_heads(sheet, self._heads, self._rule - 3)
        for index, (x, name) in enumerate(zip(self._dots, self._dot_names, strict=True)):
            sheet.write(
                x,
                self._rule - 3,
                name,
                align="center",
                valign="bottom",
                weight="bold",
                rotation=0 if _is_upright(name) else 90,
                gid=f"head-dot-{index}",
            )
        for place in self._places:
            self._write_row(sheet, place)
        sheet.rule(MARGIN, self.right, self.heading.bottom)
        sheet.rule(MARGIN, self.right, self._rule)
        return axes

    def _write_row(self, sheet: Sheet, place: Place) -> None:
        row, y, gid, weight = place.row, place.mark, place.gid, _weight(place.row)
        colour = style.SOFT_INK if row.kind == "remark" else style.INK
        if row.kind in ("pooled", "heading") and place is not self._places[0]:
            sheet.rule(MARGIN, self.right, place.top, width=0.5)
        sheet.write(MARGIN, y, place.label, weight=weight, colour=colour, gid=f"{gid}-label")
        for index, (x, text) in enumerate(zip(self._cells, row.cells, strict=False)):
            sheet.write(x, y, text, align="center", weight=weight, gid=f"{gid}-cell-{index}")
        sheet.write(self._effect, y, row.effect, align="right", weight=weight, gid=f"{gid}-effect")
        if self._weight is not None:
            sheet.write(
                self._weight, y, row.weight, align="right", weight=weight, gid=f"{gid}-weight"
            )
        for index, (x, value) in enumerate(zip(self._dots, row.dots, strict=False)):
            draw_dot(sheet.page, x, y, value, gid=f"{gid}-dot-{index}")
        sheet.small(
            MARGIN + NOTE_INDENT,
            place.bottom - 1,
            place.note,
            valign="bottom",
            colour=style.SOFT_INK,
            gid=f"{gid}-note",
        )


def _weight(row: Row) -> str:
    """Print totals and headings bold, as tables do."""
    return "bold" if row.kind in ("subtotal", "pooled", "heading") else "normal"


def _is_upright(dot_name: str) -> bool:
    """Say whether the head of a dot column fits its width without being turned."""
    return _bold_width(dot_name) <= _UPRIGHT_WIDTH


def _bold_width(text: str) -> float:
    return text_width(text, weight="bold")


def _cell_width(row: Row, index: int) -> float:
    return text_width(row.cells[index], weight=_weight(row)) if row.cells else 0.0


def _label_width(rows: Sequence[Row]) -> float:
    """Width the labels need once the longest are broken."""
    widest = _bold_width(LABEL_HEADER)
    for row in rows:
        if row.kind not in ("remark", "heading"):
            weight = _weight(row)
            broken = wrap(row.label, _LABEL_WIDTH, weight=weight)
            widest = max(widest, text_width(broken, weight=weight))
    return widest


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
_NEEDED = ("trial", "subtotal", "pooled", "summary")


@dataclass(frozen=True)
class _Pen:
    """Draws the marks of rows on one axis, below ``top``."""

    axes: Axes
    scale: Scale
    top: float
    largest: float

    def draw(self, row: Row, y: float, gid: str) -> None:
        """Draw the mark of a row at its height."""
        if row.kind == "pooled":
            line(
                self.axes,
                [self.scale.place(row.span.estimate)] * 2,
                [self.top, y],
                style.POOLED,
                0.8,
                dashes=(0, (2, 2)),
                zorder=1,
                gid="pooled-line",
            )
            self._diamond(row.span, y, _DIAMOND_HALF, style.POOLED, gid)
        elif row.kind == "subtotal":
            self._diamond(row.span, y, _SUMMARY_HALF, _SQUARE, gid)
        elif row.kind == "summary":
            self._diamond(row.span, y, _SUMMARY_HALF, style.PAPER, gid)
        elif row.kind == "prediction":
            self._interval(row.span, y, style.PREDICTION, _BAR_WIDTH, gid)
        else:
            self._interval(row.span, y, style.INK, 1.1, gid)
            self._square(row, y, gid)

    def _interval(self, span: Interval, y: float, colour: str, width: float, gid: str) -> None:
        """Draw an interval; an end that leaves the axis becomes an arrow."""
        if not span.is_complete:
            return
        scale = self.scale
        if span.high >= scale.low and span.low <= scale.high:
            ends = [scale.place(span.low), scale.place(span.high)]
            name = f"{gid}-interval"
            line(self.axes, ends, [y, y], colour, width, cap="butt", zorder=3, gid=name)
        self._arrows(span, y, colour, gid)

    def _arrows(self, span: Interval, y: float, colour: str, gid: str) -> None:
        for end, marker, side, is_outside in (
            (self.scale.low, "<", "low", span.low < self.scale.low),
            (self.scale.high, ">", "high", span.high > self.scale.high),
        ):
            if is_outside:
                x, name = self.scale.place(end), f"{gid}-arrow-{side}"
                point(self.axes, x, y, marker, _ARROW_SIZE, colour, clip=False, zorder=4, gid=name)

    def _square(self, row: Row, y: float, gid: str) -> None:
        if not self.scale.holds(row.span.estimate):
            return
        side = _SHOWN_SQUARE
        if row.kind == "trial" and row.weight_pct > 0:
            share = row.weight_pct / self.largest
            side = max(_LARGEST_SQUARE * math.sqrt(share), _SMALLEST_SQUARE)
        is_shown = row.kind == "shown"
        fill = style.PAPER if is_shown else style.TREATMENT if side < _SOLID_SQUARE else _SQUARE
        point(
            self.axes,
            self.scale.place(row.span.estimate),
            y,
            "s",
            side,
            fill,
            edge=style.INK if is_shown else style.TREATMENT,
            rim=0.9,
            # In a large square a short interval must stay visible, so the line lies above it.
            zorder=2 if fill == _SQUARE else 4,
            gid=gid,
        )

    def _diamond(self, span: Interval, y: float, half: float, fill: str, gid: str) -> None:
        if not span.is_complete:
            return
        low, middle, high = map(self.scale.place, (span.low, span.estimate, span.high))
        corners = [(low, y), (middle, y - half), (high, y), (middle, y + half)]
        area(self.axes, corners, fill, edge=style.POOLED, width=0.9, zorder=3, gid=gid)
        self._arrows(span, y, style.POOLED, gid)


# On a telephone of 390 pixels small print of a page this wide is 11 pixels high.
NARROW = 244.0
_BAND = 9.0
_AIR = 1.5
# What is longer may break where a line ends.
_SHORT = 30


class Stacked:
    """The rows for a telephone: the words of each, and its mark on a line below them."""

    plot_left = MARGIN
    plot_width = NARROW - 2 * MARGIN
    right = NARROW - MARGIN

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        column_names: Sequence[str],
        dot_names: Sequence[str] = (),
        effect_header: str,
        title: str | None,
    ) -> None:
        self.rows = rows
        self.heading = Heading(title, self.plot_width)
        self._head = wrap(_in_line(effect_header), self.plot_width, weight="bold")
        self._top = top = self.heading.bottom + text_height(self._head) + 3
        self._places: list[tuple[Place, str]] = []
        for row in rows:
            label = wrap(row.label, self.plot_width, weight=_weight(row))
            told = [
                _in_line(f"{head} {cell}")
                for head, cell in zip(column_names, row.cells, strict=False)
                if cell
            ]
            told += [f"weight {row.weight}"] if row.weight else []
            told += [
                f"risk of bias {value}"
                for name, value in zip(dot_names, row.dots, strict=False)
                if name.lower() == OVERALL and judgement(value) is not None
            ]
            short = [part if len(part) > _SHORT else style.unbroken(part) for part in told]
            parts = [row.note, "; ".join(short)]
            note = wrap("\n".join(filter(None, parts)), self.plot_width, SMALL_SIZE)
            room = self.plot_width - text_width(label, weight=_weight(row)) - COLUMN_GAP
            is_beside = text_width(row.effect, weight=_weight(row)) <= room
            words = _AIR + text_height(label) + (0 if is_beside else text_height(row.effect))
            words += text_height(note, SMALL_SIZE) if note else 0.0
            mark = top + 4 + words + (_BAND if row.span.is_complete else 0.0)
            gid = f"{row.kind}-{sum(one.row.kind == row.kind for one, _ in self._places)}"
            bottom = mark + (_BAND if row.span.is_complete else 0.0)
            effect = row.effect if is_beside else f"{row.effect}\n"
            self._places.append((Place(row, gid, label, note, top, mark, bottom), effect))
            top = bottom
        self.bottom = top

    def draw(self, sheet: Sheet, scale: Scale, *, has_no_effect: bool = True) -> Axes:
        """Draw axis, words and marks; no line runs through letters."""
        axes = sheet.plot(
            self.plot_left,
            self._top,
            self.plot_width,
            self.bottom - self._top,
            ends=scale.ends,
            ticks=scale.ticks,
            is_log=scale.is_log,
        )
        top = self.heading.bottom
        sheet.write(self.right, top, self._head, align="right", valign="top", weight="bold")
        weights = [place.row.weight_pct for place, _ in self._places if place.row.kind == "trial"]
        for place, effect in self._places:
            row, weight = place.row, _weight(place.row)
            colour = style.SOFT_INK if row.kind == "remark" else style.INK
            sheet.rule(MARGIN, self.right, place.top, width=0.5)
            y = place.top + 3
            sheet.write(
                MARGIN, y, place.label, valign="top", weight=weight, colour=colour, gid=place.gid
            )
            y += text_height(place.label) + _AIR
            is_below = effect.endswith("\n")
            level = y if is_below else place.top + 3
            effect = effect.rstrip("\n")
            sheet.write(self.right, level, effect, align="right", valign="top", weight=weight)
            y += text_height(effect) if is_below else 0.0
            sheet.small(MARGIN, y, place.note, valign="top", colour=style.SOFT_INK)
            if row.span.is_complete:
                ends = [place.mark - _BAND + 1, place.mark + _BAND - 1]
                if has_no_effect:
                    line(axes, [scale.place(0.0)] * 2, ends, style.INK, 0.8, zorder=1)
                pen = _Pen(axes, scale, ends[0], max(weights, default=0.0))
                pen.draw(row, place.mark, place.gid)
        return axes


def _in_line(text: str) -> str:
    return text.replace("\n", " ")


def draw_figure(
    rows: Sequence[Row], alt: str, *, heads: Mapping[str, Any], **drawn: Any
) -> tuple[ShownFigure, Axes]:
    """Draw rows as a table with a plot, and say how they would be drawn for a telephone."""
    sheet, axes = draw_table(Table(rows, **heads), **drawn)
    figure, axes = sheet.shown(alt, axes)

    def narrow() -> ShownFigure:
        with style.settings():
            return draw_table(Stacked(rows, **heads), **drawn)[0].shown(alt)[0]

    figure.narrow = narrow
    return figure, axes


def draw_table(
    table: Table | Stacked,
    *,
    direction: tuple[str, str],
    x_label: str,
    is_log: bool,
    limits: tuple[float, float] | None,
    notes: Callable[[bool], list[str]],
    has_no_effect: bool = True,
    dot_notes: Sequence[str] = (),
) -> tuple[Sheet, Axes]:
    """Draw a table with its plot, and ``notes`` below: they are told whether an interval is cut.

    Limits are chosen so that every pooled trial's estimate is in view. Notes on dots stand where
    dots do: a telephone has words in their place.
    """
    if limits is None:
        needed = [row.span for row in table.rows if row.kind in _NEEDED]
        wished = [row.span for row in table.rows if row.kind not in _NEEDED]
        # Without a pooled row every row is needed.
        limits = axis_limits(needed or wished, wished, reference=0.0)
    else:
        limits = checked_limits(
            limits,
            holds=(("no effect", 0.0),) if has_no_effect else (),
            most=LARGEST_LOG if is_log else math.inf,
        )
    if is_log:
        limits = max(limits[0], -LARGEST_LOG), min(limits[1], LARGEST_LOG)
    scale = Scale.between(*limits, table.plot_width, is_log=is_log)
    is_cut = any(
        row.span.is_complete and not (scale.holds(row.span.low) and scale.holds(row.span.high))
        for row in table.rows
    )
    under = Under(
        table.bottom,
        left=table.plot_left,
        width=table.plot_width,
        right=table.right,
        no_effect=scale.no_effect if has_no_effect else 0.5,
        direction=direction if has_no_effect else ("", ""),
        label=x_label,
    )
    told = [*notes(is_cut), *(dot_notes if isinstance(table, Table) else ())]
    foot = Foot(under.bottom, table.right - MARGIN, told)
    sheet = Sheet(table.right + MARGIN, foot.bottom + MARGIN, table.heading, foot)
    axes = table.draw(sheet, scale, has_no_effect=has_no_effect)
    under.write(sheet)
    return sheet, axes


@style.draws
def forest_plot(
    result: Any = "yi",
    vi: ArrayLike | str | None = None,
    *,
    data: Any = None,
    measure: str = "",
    read: IntervalToRead | None = None,
    labels: Sequence[str] | str | None = None,
    intervals: Sequence[Sequence[float]] | None = None,
    columns: pd.DataFrame | None = None,
    totals: Sequence[str] | None = None,
    shown_only: pd.DataFrame | None = None,
    summaries: Summaries | None = None,
    direction: tuple[str, str] = ("", ""),
    x_label: str = "",
    log_scale: bool | None = None,
    prediction: bool = True,
    digits: int | None = None,
    limits: tuple[float, float] | None = None,
    dots: pd.DataFrame | None = None,
    dots_note: str = "",
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw a forest plot: trials, pooled effect, prediction interval, other pools.

    Each trial has a square (area shows weight) with its interval; the pooled effect is a
    diamond, the prediction interval a thin bar below it. An interval that leaves the axis
    ends in an arrow, and its numbers stand beside it in full. The figure grows with its text:
    nothing overlaps and nothing is cut.

    Parameters
    ----------
    result : pool record, SubgroupResult, TrimAndFill, answer, EffectSize, frame, array or None
        What `pool`, `pool_bayes`, `mantel_haenszel`, `peto`, `glmm_proportion` or `subgroups`
        returned, or `answer`, by the interval that it is read by; or what `effect_size` did, a
        frame with columns ``yi``, ``vi`` and perhaps ``label``, or ``yi`` itself, beside ``vi``:
        these are pooled as `pool` does. None or ``k == 0`` gives a figure that
        says in words that there is nothing; ``k == 1`` draws no diamond. Subgroups stand below
        their names, each with a subtotal; arguments of one entry a trial keep the order that
        `subgroups` was given.
    vi : array_like or str, optional
        Sampling variances, where ``result`` is ``yi``.
    data : pandas.DataFrame or mapping, optional
        Table of which ``yi``, ``vi`` and ``labels`` may name columns.
    measure : str
        Code of the effect measure, where no result says it.
    read : IntervalToRead, optional
        Estimate and interval of the diamond; those of the result otherwise.
    labels : sequence of str, optional
        One a trial, or the name of a column of the data; the result's own labels otherwise.
    intervals : sequence of (float, float), optional
        Own interval of each trial, where it is not the normal one at the level of the result.
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
        What the left and the right side of no effect mean; not said without.
    x_label : str
        Name of the axis; the measure in words otherwise.
    log_scale : bool, optional
        Whether ``yi`` are logarithms of a ratio, so that numbers and axis show the ratio, on a
        log axis. The measure decides; False draws logarithms, and calls them so.
    prediction : bool
        Whether the prediction interval is drawn, where there is one.
    digits : int, optional
        Digits behind the point of effects and limits; two, or as many as show the interval.
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
    told = None if hasattr(result, "columns") else getattr(result, "pool", result)
    if isinstance(told, Pool):
        read, intervals = read or told.read, intervals or told.own_intervals
    given = result_of(result, vi, data=data, labels=labels, measure=measure)
    found = given if isinstance(given, SubgroupResult) else None
    result = given.overall if isinstance(given, SubgroupResult) else given
    labels = None if isinstance(labels, str) else labels
    others = summaries or ()
    first_pool = _first_pool([result, *(pool for _, pool in others)])
    print_as, called = format_of(first_pool, digits, log_scale)
    direction = direction if called.has_no_effect else ("", "")
    trials = _trial_rows(result, labels, columns, dots, print_as, intervals)
    notes = note_sentences(() if found is None else found.notes)
    rows = [
        *(trials if found is None else _grouped(found, trials, print_as)),
        *_pool_rows(result, totals, columns, print_as, read, has_prediction=prediction),
        *([] if found is None else [Row("remark", between_line(found))]),
        *([Row("heading", SUMMARY_HEADING)] if others else []),
        *(_summary_row(label, pool, print_as) for label, pool in others),
        *_shown_rows(shown_only, columns, dots, print_as),
    ]
    dot_names = [] if dots is None else [str(name) for name in dots.columns]
    alt = describe(
        rows,
        measure=called.words,
        direction=direction,
        dot_names=dot_names,
        print_as=print_as,
        title=title,
    )
    alt = " ".join([alt, *notes])
    if not any(row.effect for row in rows):
        texts = [f"{row.label}: {row.note}" if row.note else row.label for row in rows]
        return words_only(texts, title, alt)
    return draw_figure(
        rows,
        alt,
        heads={
            "column_names": [] if columns is None else [str(name) for name in columns.columns],
            "dot_names": dot_names,
            "effect_header": effect_header(first_pool, read, called.words),
            "title": title,
        },
        direction=direction,
        x_label=capitalised(x_label) or print_as.axis_name(called.words),
        is_log=print_as.is_log,
        limits=shown_limits(limits, print_as),
        has_no_effect=called.has_no_effect,
        notes=lambda is_cut: [
            model_line(result, read, has_prediction=prediction)
            if result is not None and result.k > 1
            else "",
            "" if found is None else subgroup_line(found),
            *notes,
            legend_line(
                {row.kind for row in rows}, is_clipped=is_cut, has_weights=has_weights(result)
            ),
        ],
        dot_notes=[
            judgement_legend(value for row in rows for value in row.dots),
            dots_note if any(row.dots for row in rows) else "",
        ],
    )


forest_output = output_of(forest_plot)


def _first_pool(pools: Sequence[PoolRecord | Diamond | None]) -> PoolRecord | None:
    """Take measure and level from the pool shown first, if there is any; refuse many in one."""
    found = [pool for pool in pools if isinstance(pool, PoolRecord)]
    for pool in found:
        if pool.is_batch:
            message = (
                f"{pool!r} is a batch: a forest plot needs the result of one set; of "
                "leave_one_out draw leave_one_out_plot, of a batch the rows of to_frame()"
            )
            raise ArgumentError(message)
    return next(iter(found), None)


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
    frame: pd.DataFrame, *, direction: tuple[str, str] | None, print_as: EffectFormat
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
    spans = [print_as.span(row["estimate"], row["ci_low"], row["ci_high"]) for row in rows]
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


def cumulative_rows(
    steps: list[Step], print_as: EffectFormat, *, has_people: bool = True
) -> list[Row]:
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
                    *([style.count(step.people)] if has_people else []),
                    wrap(step.did, _WORDS_WIDTH, weight="bold" if is_last else "normal"),
                ),
            )
        )
    return rows if len(steps) > 1 else [*rows, Row("remark", ONE_TRIAL)]


def what_it_did(
    before: Interval | None,
    now: Interval,
    *,
    direction: tuple[str, str] | None,
    print_as: EffectFormat,
) -> str:
    """Say how a trial moved the answer: estimate, width of the interval, side of no effect."""
    here = _where(now, direction)
    if before is None:
        return f"the first: interval {here}" if here else "the first"
    when = "still" if here == _where(before, direction) else "now"
    width = _width(before, now)
    parts = (
        _shift(now.estimate - before.estimate, direction, print_as),
        f"interval {width}{when} {here}" if here else f"interval {width.rstrip(', ')}",
    )
    return "; ".join(part for part in parts if part)


def _shift(shift: float, direction: tuple[str, str] | None, print_as: EffectFormat) -> str:
    if math.isnan(shift):
        return ""
    size = print_as.number(abs(shift))
    if size == print_as.number(0.0):
        return "estimate unmoved"
    where = "higher" if shift > 0 else "lower"
    if direction is not None and any(direction):
        where = f"towards {direction[shift > 0].removeprefix('favours ')}"
    return f"{'factor ' if print_as.is_log else ''}{size} {where}"


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


def _where(span: Interval, direction: tuple[str, str] | None) -> str:
    """Say on which side an interval lies; nothing where there is no value of no effect."""
    if not span.is_complete:
        return "not defined"
    if direction is None:
        return ""
    if span.low <= 0 <= span.high:
        return "across no effect"
    if not any(direction):
        return f"{'above' if span.low > 0 else 'below'} no effect"
    return f"on the side of {direction[span.low > 0].removeprefix('favours ')}"


_MARKS = (
    "Square: all trials down to that row pooled (the first row is that trial alone); diamond and "
    "broken line: today's answer."
)
ARROW = "Arrow: interval goes on."
_LOOKED_BACK = (
    "Looked back upon with today's methods: nobody pooled after each trial, and intervals that "
    "are looked at again and again miss more often than they say."
)


@style.draws
def cumulative_plot(
    frame: pd.DataFrame | PooledResult,
    *,
    direction: tuple[str, str] = ("", ""),
    x_label: str = "",
    log_scale: bool | None = None,
    digits: int | None = None,
    level: float = 0.95,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw a cumulative forest plot (Lau 1992, doi 10.1056/NEJM199207233270406).

    Parameters
    ----------
    frame : pandas.DataFrame or PooledResult
        What `cumulative` returned; or the pool of one set, which is done again up to each trial
        in the order given; or one row a trial, by year of publication: ``label`` of the trial
        that was added, ``year``, ``k`` trials and ``people`` so far, ``estimate, ci_low,
        ci_high`` of the pool so far, on the scale of ``yi``.
    direction : (str, str)
        What values below and above no effect mean; not said without.
    x_label : str
        Name of the axis; the measure in words otherwise.
    log_scale : bool, optional
        Numbers of a frame are logarithms of a ratio; the ratio is shown. Of a result the measure
        decides.
    digits : int, optional
        Digits behind the point; two, or as many as show the interval of all trials.
    level : float
        Level of the intervals of a frame.
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
    shown = pool_of(frame)
    result = shown if isinstance(shown, PooledResult) else None
    if result is not None:
        shown, last = _up_to_each(result)
        level = result.level
        print_as, called = format_of(last, digits, log_scale)
        x_label, axis_name = x_label or called.words.lower(), x_label
        axis_name = axis_name or print_as.axis_name(called.words)
    else:
        axis_name = x_label
        print_as, called = format_of(None, digits, bool(log_scale))
    has_no_effect = called.has_no_effect
    steps = cumulative_steps(
        shown, direction=direction if has_no_effect else None, print_as=print_as
    )
    has_people, has_years = (
        any(not math.isnan(value) for value in values)
        for values in ([step.people for step in steps], [step.year for step in steps])
    )
    rows = cumulative_rows(steps, print_as, has_people=has_people)
    begin = opening("Cumulative forest plot", title)
    if not steps:
        return words_only([NO_TRIAL], title, f"{begin} {NO_TRIAL}")
    sentences = [
        begin,
        f"{capitalised(count(len(steps), 'trial'))} {'by year' if has_years else 'in turn'}, "
        f"{x_label}.",
        *([print_as.sides(direction)] if has_no_effect and any(direction) else []),
        *(
            f"{f'{step.year:.0f}, ' if has_years else ''}{step.label}: "
            f"{print_as.effect(step.span)}, {count(int(step.trials), 'trial')}"
            f"{f', {style.count(step.people)} people' if has_people else ''}; {step.did}."
            for step in steps
        ),
    ]
    is_many = len(steps) > 1
    header = f"Answer then\n({100 * level:g}% CI)"
    return draw_figure(
        rows,
        " ".join(sentences),
        heads={
            "column_names": [name for name in HEADS if has_people or name != "People"],
            "effect_header": header,
            "title": title,
        },
        direction=direction,
        x_label=capitalised(axis_name),
        is_log=print_as.is_log,
        limits=shown_limits(limits, print_as),
        has_no_effect=has_no_effect,
        notes=lambda is_cut: [
            _MARKS if is_many else "",
            ARROW if is_cut else "",
            "" if result is None else model_line(result, has_prediction=False),
            _LOOKED_BACK if is_many else "",
        ],
    )


def _up_to_each(result: PooledResult) -> tuple[pd.DataFrame, PooledResult]:
    """Return the pools up to each trial that has an effect as a frame, and that of all trials."""
    import pandas as pd

    names = ("tau2_method", "ci_method", "level", "measure")
    settings = {name: getattr(result, name) for name in names}
    if not result.is_batch:
        found = cumulative(result.yi, result.vi, labels=result.labels, **settings)
    elif result.sets and result.sets[0].startswith("+ ") and result.yi.ndim == 2:
        found = result
    else:
        message = f"{result!r} is a batch; allowed: what cumulative returned for one set"
        raise ArgumentError(message)
    last = pool_many(found.yi[-1], found.vi[-1], labels=found.labels, **settings)
    numbers = {name: getattr(found, name) for name in ("k", "estimate", "ci_low", "ci_high")}
    frame = pd.DataFrame(numbers).assign(label=found.labels, year=math.nan, people=math.nan)
    return frame[[not math.isnan(vi) for vi in last.vi]], last


cumulative_output = output_of(cumulative_plot)
