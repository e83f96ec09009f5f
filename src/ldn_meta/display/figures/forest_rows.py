"""Which rows a forest plot has, in order, with every text they print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, Protocol

from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import Interval
from ldn_meta.display.figures.forest_words import heterogeneity_line, level_word, pooled_label
from ldn_meta.display.wording import capitalised, count
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.stats.inputs import FloatArray, IntArray
    from ldn_meta.stats.result import PooledResult

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

    Raises
    ------
    ArgumentError
        If labels, columns or dots do not have one entry a trial, or ``shown_only`` lacks a
        column.
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
