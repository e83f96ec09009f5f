"""The record of a Bayesian pool, which every reader of a number gets."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.bayes_priors import prior_words
from ldn_meta.stats.html import html_table
from ldn_meta.stats.inputs import FloatArray, IntArray
from ldn_meta.stats.records import FrozenRecord

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = ("measure", "tau_prior", "tau_prior_scale", "tau_prior_location", "level", "mid")
NUMBERS = (
    "k",
    "mu_mean",
    "mu_median",
    "mu_sd",
    "mu_low",
    "mu_high",
    "tau_median",
    "tau_low",
    "tau_high",
    "theta_low",
    "theta_high",
    "prob_below_zero",
    "prob_below_mid",
    "prob_above_mid",
    "prob_within_mid",
    "log_marginal_likelihood",
)
SHRUNK = ("shrunk_mean", "shrunk_sd", "shrunk_low", "shrunk_high")


@dataclass(frozen=True, eq=False, repr=False)
class BayesResult(FrozenRecord):
    """What is known of an effect after the trials, given what was believed before.

    For one set of trials the numbers are floats; for a batch they are arrays, one entry a set.
    All intervals are the shortest that hold probability `level`. What is undefined is NaN, and
    `notes` has a sentence for it.

    Attributes
    ----------
    k : int
        Trials that contributed.
    measure : str
        Code of the effect measure, as given by the caller.
    tau_prior : str
        Family of the prior of tau: half-normal, half-cauchy, log-normal or log-t.
    tau_prior_scale, tau_prior_location : float
        Its parameters, see `ldn_meta.stats.bayes_priors.TauPrior`.
    mu_prior : tuple of float, or None
        Mean and SD of the normal prior of mu; None for a flat one.
    level : float
        Probability that each interval holds.
    mid : float
        Size of an effect that matters; NaN if none was stated.
    mu_mean, mu_median, mu_sd, mu_low, mu_high : float
        Posterior of the mean of the true effects.
    tau_median, tau_low, tau_high : float
        Posterior of the SD of true effects between trials.
    theta_low, theta_high : float
        Where the true effect of a new trial is expected.
    prob_below_zero : float
        P(mu < 0).
    prob_below_mid, prob_above_mid, prob_within_mid : float
        P(mu < -mid), P(mu > mid) and P(|mu| <= mid).
    log_marginal_likelihood : float
        Log of the density of the effects under model and priors. With a flat prior of mu it
        takes that prior's density as 1, so it compares priors of tau only.
    shrunk_mean, shrunk_sd, shrunk_low, shrunk_high : ndarray (k,)
        Posterior of each trial's own true effect; NaN where missing.
    yi, vi : ndarray (k,)
        Effects and variances as given, NaN where missing.
    labels : tuple of str
        Names of the trials.
    notes : tuple of str
        One sentence per automatic decision or limit.
    """

    k: int | IntArray
    measure: str
    tau_prior: str
    tau_prior_scale: float | FloatArray
    tau_prior_location: float | FloatArray
    mu_prior: tuple[float, float] | None
    level: float
    mid: float | FloatArray
    mu_mean: float | FloatArray
    mu_median: float | FloatArray
    mu_sd: float | FloatArray
    mu_low: float | FloatArray
    mu_high: float | FloatArray
    tau_median: float | FloatArray
    tau_low: float | FloatArray
    tau_high: float | FloatArray
    theta_low: float | FloatArray
    theta_high: float | FloatArray
    prob_below_zero: float | FloatArray
    prob_below_mid: float | FloatArray
    prob_above_mid: float | FloatArray
    prob_within_mid: float | FloatArray
    log_marginal_likelihood: float | FloatArray
    shrunk_mean: FloatArray
    shrunk_sd: FloatArray
    shrunk_low: FloatArray
    shrunk_high: FloatArray
    yi: FloatArray
    vi: FloatArray
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_batch(self) -> bool:
        """Whether the record holds many sets of trials."""
        return isinstance(self.mu_median, np.ndarray)

    @property
    def prior(self) -> str:
        """The prior of tau in words."""
        if np.ndim(self.tau_prior_scale):
            return f"{self.tau_prior}, scales differ"
        scale, location = float(self.tau_prior_scale), float(self.tau_prior_location)
        return prior_words(self.tau_prior, scale, location)

    def __repr__(self) -> str:
        """Return one line: effect, interval, spread, settings."""
        head = f"BayesResult({self.measure + ', ' if self.measure else ''}"
        if self.is_batch:
            return f"{head}batch of shape {np.shape(self.mu_median)}, {self.prior})"
        percent = f"{100 * self.level:g}%"
        return (
            f"{head}k={self.k}, {self.mu_median:.4g} [{percent} {self.mu_low:.4g}, "
            f"{self.mu_high:.4g}], tau={self.tau_median:.4g}, {self.prior})"
        )

    def _repr_html_(self) -> str:
        """Return settings above the numbers, notes below."""
        percent = f"{100 * self.level:g}%"
        mu = (
            "flat"
            if self.mu_prior is None
            else f"normal, mean {self.mu_prior[0]:.4g}, SD {self.mu_prior[1]:.4g}"
        )
        settings = [
            ("measure", self.measure or "not named"),
            ("prior of the spread tau", self.prior),
            ("prior of the mean effect", mu),
            ("intervals", f"{percent}, the shortest"),
        ]
        if self.is_batch:
            table = self.to_frame().drop(columns=[*SETTINGS, "notes"])
            body = str(table.to_html(max_rows=10, border=0, float_format="{:.4g}".format))
        else:
            body = html_table(self._shown_numbers(percent))
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f'<div class="ldn-meta-bayes">{html_table(settings)}{body}'
            f"{f'<ul>{notes}</ul>' if notes else ''}</div>"
        )

    def _shown_numbers(self, percent: str) -> list[tuple[str, str]]:
        rows = [
            ("trials", str(self.k)),
            ("mean effect: median", f"{self.mu_median:.4g}"),
            ("mean effect: mean (SD)", f"{self.mu_mean:.4g} ({self.mu_sd:.4g})"),
            (f"{percent} interval", f"{self.mu_low:.4g} to {self.mu_high:.4g}"),
            (f"{percent} for a new trial", f"{self.theta_low:.4g} to {self.theta_high:.4g}"),
            (
                f"tau: median ({percent})",
                f"{self.tau_median:.4g} ({self.tau_low:.4g} to {self.tau_high:.4g})",
            ),
            ("P(mean effect < 0)", f"{self.prob_below_zero:.4g}"),
        ]
        if not np.isnan(self.mid):
            rows += [
                (f"P(mean effect < -{self.mid:g})", f"{self.prob_below_mid:.4g}"),
                (f"P(mean effect > {self.mid:g})", f"{self.prob_above_mid:.4g}"),
            ]
        return [(name, "not defined" if "nan" in shown else shown) for name, shown in rows]

    def to_frame(self) -> pd.DataFrame:
        """Return settings and numbers as a data frame: one row, or one row per set."""
        import pandas as pd

        columns: dict[str, Any] = {name: np.ravel(getattr(self, name)) for name in NUMBERS}
        rows = columns["k"].size
        settings: dict[str, Any] = {
            name: np.ravel(np.broadcast_to(getattr(self, name), np.shape(self.k)))
            if name in ("tau_prior_scale", "tau_prior_location", "mid")
            else [getattr(self, name)] * rows
            for name in SETTINGS
        }
        mean, sd = (np.nan, np.inf) if self.mu_prior is None else self.mu_prior
        priors = {"mu_prior_mean": mean, "mu_prior_sd": sd}
        return pd.DataFrame(settings | priors | columns | {"notes": "; ".join(self.notes)})

    def trials_frame(self) -> pd.DataFrame:
        """Return one row per trial: label, yi, vi, sei and its shrunken effect (one set only).

        Raises
        ------
        ArgumentError
            For a batch, which has no single table of trials.
        """
        import pandas as pd

        if self.is_batch:
            message = "trials_frame of a batch; allowed: the result of pool_bayes, one set"
            raise ArgumentError(message)
        return pd.DataFrame(
            {
                "label": list(self.labels),
                "yi": self.yi,
                "vi": self.vi,
                "sei": np.sqrt(self.vi),
                **{name: getattr(self, name) for name in SHRUNK},
            }
        )
