"""The record of a meta-regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, IntArray
from ldn_meta.stats.records import FrozenRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class RegressionResult(FrozenRecord):
    """A meta-regression: floats and (p,) arrays for one set, with leading axes for a batch.

    Attributes
    ----------
    k : int
        Trials that contributed.
    names : tuple of str
        Names of the p coefficients; "intercept" first if one was added.
    tau2_method, ci_method, level : str, str, float
        The settings asked for.
    coefficients, se, statistic, p_value, ci_low, ci_high : ndarray (p,)
        Estimates with tests and intervals; z for Wald, t on `df` for Knapp-Hartung.
    covariance : ndarray (p, p)
        Covariance of the coefficients.
    df : int
        k - p.
    tau2, tau2_ci_low, tau2_ci_high : float
        Variance between trials that the covariates leave, with its Q-profile interval.
    qe, qe_pvalue : float
        Residual heterogeneity: Cochran's Q around the regression, chi-squared on k - p df.
    qm, qm_df, qm_pvalue : float
        Test that all coefficients but the intercept are 0: chi-squared for Wald, F on
        (qm_df, k - p) df for Knapp-Hartung.
    r2_pct : float
        Percent of the tau2 without covariates that they explain, at least 0; NaN without an
        intercept or when there is nothing to explain. Very imprecise below about 40 trials.
    notes : tuple of str
        One sentence per automatic decision.
    """

    k: int | IntArray
    names: tuple[str, ...]
    tau2_method: str
    ci_method: str
    level: float
    coefficients: FloatArray
    se: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    covariance: FloatArray
    df: int | IntArray
    tau2: float | FloatArray
    tau2_ci_low: float | FloatArray
    tau2_ci_high: float | FloatArray
    qe: float | FloatArray
    qe_pvalue: float | FloatArray
    qm: float | FloatArray
    qm_df: int
    qm_pvalue: float | FloatArray
    r2_pct: float | FloatArray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: coefficients with intervals, spread, settings."""
        settings = f"{self.tau2_method}, {self.ci_method}"
        if isinstance(self.tau2, np.ndarray):
            return f"RegressionResult(batch of shape {self.tau2.shape}, {settings})"
        terms = ", ".join(
            f"{name}={value:.4g} [{low:.4g}, {high:.4g}]"
            for name, value, low, high in zip(
                self.names, self.coefficients, self.ci_low, self.ci_high, strict=True
            )
        )
        return f"RegressionResult(k={self.k}, {terms}, tau2={self.tau2:.4g}, {settings})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coefficient (one set only).

        Raises
        ------
        ArgumentError
            For a batch.
        """
        import pandas as pd

        if isinstance(self.tau2, np.ndarray):
            message = "to_frame of a batch of regressions; allowed: the result of one set"
            raise ArgumentError(message)
        columns = ("coefficients", "se", "statistic", "p_value", "ci_low", "ci_high")
        return pd.DataFrame(
            {name: getattr(self, name) for name in columns},
            index=pd.Index(self.names, name="coefficient"),
        )
