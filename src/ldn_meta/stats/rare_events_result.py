"""What a pool of 2x2 tables says about itself, and the checked counts it is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from ldn_meta.stats.effects_counts import checked_events
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray, confidence_level
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import FloatOrArray, plain, together, two_sided_quantile


@dataclass(frozen=True, eq=False, repr=False)
class RareEventsResult(FrozenRecord):
    """A common effect pooled from counts; floats for one set of trials, arrays for a batch.

    Attributes
    ----------
    method : str
        "mantel-haenszel" or "peto".
    measure : str
        "RR", "OR", "RD" or "PETO"; ratios are logs.
    level : float
        Level of the interval.
    k : int
        Trials with complete counts.
    k_informative : int
        Those with both an event and a non-event somewhere in the table.
    estimate, se, statistic, p_value, ci_low, ci_high : float
        Pooled effect, its standard error, z, two-sided p and interval.
    q, q_df, q_pvalue : float
        Cochran's Q of the informative trials around the estimate, and its chi-squared test.
    i2_pct : float
        max(0, (Q - df) / Q) in percent: a share of the variability, not an amount.
    weight_pct : ndarray (..., k)
        Share of each trial in the pool, in percent; NaN where missing.
    notes : tuple of str
        One sentence per automatic decision.
    """

    method: str
    measure: str
    level: float
    k: int | IntArray
    k_informative: int | IntArray
    estimate: FloatOrArray
    se: FloatOrArray
    statistic: FloatOrArray
    p_value: FloatOrArray
    ci_low: FloatOrArray
    ci_high: FloatOrArray
    q: FloatOrArray
    q_df: int | IntArray
    q_pvalue: FloatOrArray
    i2_pct: FloatOrArray
    weight_pct: FloatArray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return method, trials and estimate with interval on one line."""
        if np.ndim(self.estimate) > 0:
            shape = np.shape(self.estimate)
            return f"RareEventsResult({self.method}, {self.measure}, batch of shape {shape})"
        return (
            f"RareEventsResult({self.method}, {self.measure}, k={self.k}, {self.estimate:.4g} "
            f"[{100 * self.level:g}% CI {self.ci_low:.4g}, {self.ci_high:.4g}])"
        )


@dataclass(frozen=True)
class Tables:
    """Counts of every trial (..., k); missing trials hold a harmless table and no weight."""

    a: FloatArray
    n1: FloatArray
    c: FloatArray
    n2: FloatArray
    is_present: BoolArray

    @property
    def total(self) -> FloatArray:
        """Return the people of both groups."""
        return self.n1 + self.n2

    @property
    def is_informative(self) -> BoolArray:
        """Return whether a trial has both an event and a non-event."""
        events = self.a + self.c
        return self.is_present & (events > 0) & (events < self.total)

    def summed(self, values: FloatArray) -> FloatArray:
        """Return the sum over the trials that are present."""
        return np.asarray(np.where(self.is_present, values, 0).sum(axis=-1))


def tables_of(events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike) -> Tables:
    """Return checked counts, with any trial that has a NaN marked as missing."""
    a, n1 = checked_events(events_1, n_1, events_name="events_1", n_name="n_1")
    c, n2 = checked_events(events_2, n_2, events_name="events_2", n_name="n_2")
    cells = np.atleast_1d(*together(events_1=a, n_1=n1, events_2=c, n_2=n2))
    is_present = np.logical_and.reduce([np.isfinite(cell) for cell in cells])
    a, n1, c, n2 = (np.where(is_present, cell, 1.0) for cell in cells)
    return Tables(a, n1, c, n2, is_present)


def rare_events_result(
    method: str,
    measure: str,
    level: float,
    table: Tables,
    estimate: FloatArray,
    variance: FloatArray,
    q: FloatArray,
    weight: FloatArray,
) -> RareEventsResult:
    """Return the record of a pool from its estimate, variance, Q and weights per trial."""
    coverage = confidence_level(level)
    se = np.sqrt(positive(variance))
    statistic = estimate / se
    half = two_sided_quantile(coverage) * se
    k, k_informative = table.is_present.sum(axis=-1), table.is_informative.sum(axis=-1)
    df = np.maximum(k_informative - 1, 0)
    # One trial is its own pool: what differs from 0 there is the zero-cell rule or rounding.
    q = np.where(df > 0, q, np.where(k_informative == 1, 0 * np.abs(estimate), np.nan))
    weight = np.where(table.is_present, weight, 0)
    total_weight = positive(weight.sum(axis=-1, keepdims=True))
    return RareEventsResult(
        method=method,
        measure=measure,
        level=coverage,
        k=_count(k),
        k_informative=_count(k_informative),
        estimate=plain(estimate),
        se=plain(se),
        statistic=plain(statistic),
        p_value=plain(2 * ndtr(-np.abs(statistic))),
        ci_low=plain(estimate - half),
        ci_high=plain(estimate + half),
        q=plain(q),
        q_df=_count(df),
        q_pvalue=plain(np.where(df > 0, chdtrc(np.maximum(df, 1), q), q + 1)),
        i2_pct=plain(100 * np.maximum(0 * q, (q - df) / np.where(q > 0, q, 1))),
        weight_pct=np.where(table.is_present, 100 * weight / total_weight, np.nan),
        notes=_notes(measure, table, k, estimate, se),
    )


def positive(values: FloatArray) -> FloatArray:
    """Return `values`, NaN where they are not above 0."""
    return np.where(values > 0, values, np.nan)


def _count(values: IntArray) -> int | IntArray:
    return int(values) if values.ndim == 0 else values


def _notes(
    measure: str, table: Tables, k: IntArray, estimate: FloatArray, se: FloatArray
) -> tuple[str, ...]:
    notes = ["Common effect: the trials are taken to share one true effect."]
    if np.any(k == 0):
        notes.append("No trial has complete counts, so nothing was pooled.")
    if np.any(k == 1):
        notes.append("There is one trial, so nothing was pooled.")
    events = table.a + table.c
    kinds = (
        ("without any event", events == 0, measure == "RD"),
        ("with events in everybody", events == table.total, measure in ("RD", "RR")),
    )
    for words, found, counts in kinds:
        most = int(np.max((found & table.is_present).sum(axis=-1), initial=0))
        if most:
            role = "count as no difference" if counts else "carry no weight"
            notes.append(f"Trials {words} ({most}) {role} and are left out of Q.")
    if np.any(np.isnan(estimate) & (k > 0)):
        notes.append("The effect is undefined: a group has no event, or no non-event, anywhere.")
    if np.any(np.isfinite(estimate) & np.isnan(se)):
        notes.append("The formula gives a standard error of 0, so no interval is reported.")
    return tuple(notes)
