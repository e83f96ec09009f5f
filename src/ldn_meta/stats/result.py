"""The record of a pooled effect, which every reader of a number gets."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.html import html_table
from ldn_meta.stats.inputs import FloatArray, IntArray
from ldn_meta.stats.records import FrozenRecord

if TYPE_CHECKING:
    import pandas as pd

METHOD_NAMES = {
    "common": "common effect",
    "dl": "DerSimonian-Laird",
    "he": "Hedges-Olkin",
    "hs": "Hunter-Schmidt",
    "sj": "Sidik-Jonkman",
    "ml": "maximum likelihood",
    "reml": "restricted maximum likelihood",
    "eb": "empirical Bayes",
    "pm": "Paule-Mandel",
}
INTERVAL_NAMES = {
    "wald": "Wald (normal)",
    "knapp-hartung": "Knapp-Hartung (t)",
    "knapp-hartung-floored": "Knapp-Hartung, scale at least 1 (t)",
}
SETTINGS = ("measure", "tau2_method", "ci_method", "pi_method", "level")
NUMBERS = (
    "k",
    "estimate",
    "se",
    "statistic",
    "p_value",
    "ci_low",
    "ci_high",
    "tau2",
    "tau2_ci_low",
    "tau2_ci_high",
    "q",
    "q_df",
    "q_pvalue",
    "i2_pct",
    "h2",
    "pi_low",
    "pi_high",
)


@dataclass(frozen=True, eq=False, repr=False)
class PooledResult(FrozenRecord):
    """A pooled effect, its uncertainty, the spread between trials, and how they were obtained.

    For one set of trials the numbers are floats; for a batch they are arrays, one entry a set.
    What is undefined is NaN, and `notes` has a sentence for every automatic decision.

    Attributes
    ----------
    k : int
        Trials that contributed.
    measure : str
        Code of the effect measure, as given by the caller ("MD", "RR", ...).
    tau2_method, ci_method, pi_method : str
        The settings asked for.
    level : float
        Level of all intervals, 0.95 for 95%.
    estimate, se : float
        Mean of the true effects and its standard error, in units of `yi`.
    statistic, p_value : float
        Test of no difference: z for Wald, t on k - 1 df for Knapp-Hartung; two-sided.
    ci_low, ci_high : float
        Interval for the mean of the true effects.
    tau2, tau2_ci_low, tau2_ci_high : float
        Between-trial variance in squared units of `yi`, with its Q-profile interval, which
        depends on the data only, not on `tau2_method`.
    q, q_df, q_pvalue : float
        Cochran's Q, its degrees of freedom k - 1 and the chi-squared test.
    i2_pct : float
        max(0, (Q - df) / Q) in percent: a share of the variability seen, not an amount of
        heterogeneity. Q-based for every method; metafor's is tau2-based and equal for dl only.
    h2 : float
        Q / df; at least 1 for random-effects methods, unbounded for tau2_method "common".
    pi_low, pi_high : float
        Where the true effect of a new trial is expected; t on k - 1 or k - 2 df.
    yi, vi : ndarray (k,)
        Effects and variances as given, NaN where missing.
    weight_pct : ndarray (k,)
        Weights 1 / (vi + tau2) in percent of their sum; NaN where missing.
    labels : tuple of str
        Names of the trials.
    notes : tuple of str
        One sentence per automatic decision.
    """

    k: int | IntArray
    measure: str
    tau2_method: str
    ci_method: str
    level: float
    estimate: float | FloatArray
    se: float | FloatArray
    statistic: float | FloatArray
    p_value: float | FloatArray
    ci_low: float | FloatArray
    ci_high: float | FloatArray
    tau2: float | FloatArray
    tau2_ci_low: float | FloatArray
    tau2_ci_high: float | FloatArray
    q: float | FloatArray
    q_df: int | IntArray
    q_pvalue: float | FloatArray
    i2_pct: float | FloatArray
    h2: float | FloatArray
    pi_low: float | FloatArray
    pi_high: float | FloatArray
    yi: FloatArray
    vi: FloatArray
    weight_pct: FloatArray
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    pi_method: str = "k-1"

    @property
    def is_batch(self) -> bool:
        """Whether the record holds many sets of trials."""
        return isinstance(self.estimate, np.ndarray)

    def __repr__(self) -> str:
        """Return one line: effect, interval, spread, settings."""
        head = f"PooledResult({self.measure + ', ' if self.measure else ''}"
        settings = f"{self.tau2_method}, {self.ci_method}"
        if self.is_batch:
            return f"{head}batch of shape {np.shape(self.estimate)}, {settings})"
        percent = f"{100 * self.level:g}%"
        return (
            f"{head}k={self.k}, {self.estimate:.4g} [{percent} CI {self.ci_low:.4g}, "
            f"{self.ci_high:.4g}], tau2={self.tau2:.4g}, I2={self.i2_pct:.0f}%, {settings})"
        )

    def _repr_html_(self) -> str:
        """Return settings above the numbers, notes below."""
        percent = f"{100 * self.level:g}%"
        settings = [
            ("measure", self.measure or "not named"),
            ("tau2 method", METHOD_NAMES[self.tau2_method]),
            ("interval", f"{percent}, {INTERVAL_NAMES[self.ci_method]}"),
            ("prediction interval", f"t on {self.pi_method} degrees of freedom"),
        ]
        if self.is_batch:
            table = self.to_frame().drop(columns=[*SETTINGS, "notes"])
            body = str(table.to_html(max_rows=10, border=0, float_format="{:.4g}".format))
        else:
            body = html_table(self._shown_numbers(percent))
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f'<div class="ldn-meta-pooled">{html_table(settings)}{body}'
            f"{f'<ul>{notes}</ul>' if notes else ''}</div>"
        )

    def _shown_numbers(self, percent: str) -> list[tuple[str, str]]:
        rows = [
            ("trials", str(self.k)),
            ("pooled effect (SE)", f"{self.estimate:.4g} ({self.se:.4g})"),
            (f"{percent} CI", f"{self.ci_low:.4g} to {self.ci_high:.4g}"),
            (f"{percent} prediction interval", f"{self.pi_low:.4g} to {self.pi_high:.4g}"),
            ("test of no difference", f"{self.statistic:.4g}, p = {self.p_value:.3g}"),
            (
                f"tau2 ({percent} CI)",
                f"{self.tau2:.4g} ({self.tau2_ci_low:.4g} to {self.tau2_ci_high:.4g})",
            ),
            ("Q (df), p", f"{self.q:.4g} ({self.q_df}), p = {self.q_pvalue:.3g}"),
            ("I2 (Q-based), H2", f"{self.i2_pct:.1f}%, {self.h2:.4g}"),
        ]
        return [(name, "not defined" if "nan" in shown else shown) for name, shown in rows]

    def to_frame(self) -> pd.DataFrame:
        """Return settings and numbers as a data frame: one row, or one row per set."""
        import pandas as pd

        columns: dict[str, Any] = {name: getattr(self, name) for name in SETTINGS}
        columns |= {name: np.ravel(getattr(self, name)) for name in NUMBERS}
        columns["notes"] = "; ".join(self.notes)
        return pd.DataFrame(columns)

    def trials_frame(self) -> pd.DataFrame:
        """Return one row per trial: label, yi, vi, sei, weight_pct (one set only).

        Raises
        ------
        ArgumentError
            For a batch, which has no single table of trials.
        """
        import pandas as pd

        if self.is_batch:
            message = "trials_frame of a batch; allowed: the result of pool, which is one set"
            raise ArgumentError(message)
        return pd.DataFrame(
            {
                "label": list(self.labels),
                "yi": self.yi,
                "vi": self.vi,
                "sei": np.sqrt(self.vi),
                "weight_pct": self.weight_pct,
            }
        )
