"""The record of a Bayesian pool, which every reader of a number gets."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BoolArray,
    FloatArray,
    FrozenRecord,
    IntArray,
    html_table,
    one_of,
    text,
)

if TYPE_CHECKING:
    import pandas as pd


SENTENCES = {
    "missing": "trials without an effect or a variance (NaN) were left out",
    "none": "no trial has an effect: nothing was estimated",
    "single": "one trial: tau, and with it the width for mu, comes from the prior alone",
    "pair": "two trials: they say little about tau, so compare other priors",
    "no_mean": (
        "mean and SD of mu are undefined: one trial, a flat prior for mu and this prior for tau "
        "leave tails too heavy for them; median and interval are defined"
    ),
    "no_variance": (
        "the SD of mu is undefined: two trials, a flat prior for mu and this prior for tau leave "
        "tails too heavy for it; median and interval are defined"
    ),
    "surprising": (
        "the posterior median of tau lies beyond the 97.5% point of its prior: the trials differ "
        "more than the prior expects; look for a wrong unit, or take a wider prior"
    ),
}
FLAGS = tuple(SENTENCES)


def sentences(flags: BoolArray) -> tuple[str, ...]:
    """Return the sentences that apply; for a batch each with the number of sets it applies to."""
    sets = flags.shape[1]
    times = np.add.reduce(flags, axis=1, dtype=np.int64).tolist()
    return tuple(
        f"{count} of {sets} sets: {sentence}" if sets > 1 else sentence
        for sentence, count in zip(SENTENCES.values(), times, strict=True)
        if count
    )


HALF_NORMAL, HALF_CAUCHY, LOG_NORMAL, LOG_T = "half-normal", "half-cauchy", "log-normal", "log-t"
FAMILIES = (HALF_NORMAL, HALF_CAUCHY, LOG_NORMAL, LOG_T)
# Those whose only parameter is a scale in units of the effect.
HALF = (HALF_NORMAL, HALF_CAUCHY)
# Their upper tail falls like a power of tau (or slower), so few trials leave moments undefined.
HEAVY = (HALF_CAUCHY, LOG_T)
# Rhodes 2015 fitted a t distribution with five degrees of freedom to log tau2.
LOG_T_DF = 5.0
# Beyond this in either direction squares of squares leave the range of doubles.
SMALLEST_SCALE, LARGEST_SCALE = 1e-15, 1e15
# The same for a distribution of log tau; the widest published one has a scale of 1.4.
LARGEST_LOG_SCALE, LARGEST_LOCATION = 10.0, 50.0


@dataclass(frozen=True)
class TauPrior:
    """A prior distribution of tau, the standard deviation of true effects between trials.

    ===========  ===============================================================================
    half-normal  density proportional to exp(-tau^2 / (2 scale^2)), tau >= 0
    half-cauchy  density proportional to 1 / (1 + tau^2 / scale^2), tau >= 0
    log-normal   log tau is normal with mean `location` and standard deviation `scale`
    log-t        (log tau - location) / scale is Student t on five degrees of freedom
    ===========  ===============================================================================

    Published log-normal and log-t priors are often stated for tau2: halve both parameters.

    Attributes
    ----------
    family : str
    scale : float
        In units of the effect for the half families, of log tau for the others.
    location : float
        Of log tau; 0 for the half families, which have none.
    source : str
        Where the numbers come from; may be empty.

    Raises
    ------
    ArgumentError
        If the family is unknown or a parameter is not allowed.
    """

    family: str
    scale: float
    location: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        """Check family and parameters."""
        one_of("tau_prior", self.family, FAMILIES)
        text("source", self.source)
        scale = prior_scale(self.family, self.scale)
        if scale.ndim:
            message = f"scale={self.scale!r} is not a number; allowed: one number for one prior"
            raise ArgumentError(message)
        object.__setattr__(self, "scale", float(scale))
        object.__setattr__(self, "location", _location(self.family, self.location))

    @property
    def words(self) -> str:
        """The prior in words, as printed above results."""
        return prior_words(self.family, self.scale, self.location)


def prior_words(family: str, scale: float, location: float) -> str:
    """Say a prior in words."""
    if family in HALF:
        return f"{family}, scale {scale:.4g}"
    return f"{family}, log tau at {location:.4g} with scale {scale:.4g}"


def prior_scale(family: str, scale: object) -> FloatArray:
    """Return one scale or an array of scales of a prior."""
    least, most = (SMALLEST_SCALE, LARGEST_SCALE) if family in HALF else (0.0, LARGEST_LOG_SCALE)
    allowed = f"positive numbers from {least:g} to {most:g}"
    if scale is None:
        message = (
            f"tau_prior_scale is missing for the {family} prior; allowed: {allowed}, in units of "
            "the effect (0.5 is usual for log ratios and standardised differences)"
        )
        raise ArgumentError(message)
    try:
        given = np.asarray(scale)
    except ValueError:
        given = np.asarray("ragged")
    if given.dtype.kind not in "iuf":
        message = f"tau_prior_scale={scale!r} is not a number; allowed: {allowed}"
        raise ArgumentError(message)
    array: FloatArray = given.astype(np.float64)
    fine = (array >= least) & (array <= most) & (array > 0.0)
    if not fine.all():
        wrong = float(array[~fine].flat[0])
        message = f"tau_prior_scale={wrong!r} is not allowed; allowed: {allowed}"
        raise ArgumentError(message)
    return array


def _location(family: str, location: object) -> float:
    is_number = isinstance(location, int | float | np.floating) and not isinstance(location, bool)
    if is_number and family in HALF and location == 0.0:
        return 0.0
    if is_number and family not in HALF and abs(float(location)) <= LARGEST_LOCATION:  # type: ignore[arg-type]
        return float(location)  # type: ignore[arg-type]
    allowed = (
        "0, because this family has only a scale"
        if family in HALF
        else f"a number of at most {LARGEST_LOCATION:g} in size"
    )
    message = f"location={location!r} is not allowed for the {family} prior; allowed: {allowed}"
    raise ArgumentError(message)


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
