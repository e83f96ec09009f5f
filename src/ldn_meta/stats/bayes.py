"""Bayesian random effects for few trials, by quadrature: no sampling, no seed.

`pool_bayes` is the batch of one, `prior_sensitivity` a batch over priors: all call one kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    HALF,
    HALF_NORMAL,
    LARGEST,
    LOG_NORMAL,
    LOG_T,
    TAU_PRIORS,
    FloatArray,
    IntArray,
    Labels,
    PoolRecord,
    by_name,
    confidence_level,
    doubts,
    effects_and_variances,
    from_data,
    known_measure,
    numbers,
    one_number,
    one_of,
    text,
    told,
    trial_labels,
)
from ldn_meta.stats.quadrature import NUMBERS, SENTENCES, SHRUNK, Task, bayes_numbers
from ldn_meta.stats.tau2 import rows_of

if TYPE_CHECKING:
    import pandas as pd

MuPrior = tuple[float, float] | None
SMALLEST_SD = 1e-15
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
        one_of("tau_prior", self.family, TAU_PRIORS)
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


def prior_scale(family: str, scale: Any) -> FloatArray:
    """Return one scale or an array of scales of a prior."""
    least, most = (SMALLEST_SCALE, LARGEST_SCALE) if family in HALF else (0.0, LARGEST_LOG_SCALE)
    allowed = f"positive numbers from {least:g} to {most:g}"
    if scale is None:
        message = (
            f"tau_prior_scale is missing for the {family} prior; allowed: {allowed}, in units of "
            "the effect (0.5 is usual for log ratios and standardised differences)"
        )
        raise ArgumentError(message)
    array = numbers("tau_prior_scale", scale, above=0, at_least=least, at_most=most)
    if np.isnan(array).any():
        message = f"tau_prior_scale={scale!r} is not a number; allowed: {allowed}"
        raise ArgumentError(message)
    return array


def _location(family: str, location: object) -> float:
    is_number = isinstance(location, int | float | np.floating) and not isinstance(location, bool)
    if is_number and family in HALF and location == 0.0:
        return 0.0
    if is_number and family not in HALF and abs(location) <= LARGEST_LOCATION:  # type: ignore[arg-type]
        return float(location)  # type: ignore[arg-type]
    allowed = (
        "0, because this family has only a scale"
        if family in HALF
        else f"a number of at most {LARGEST_LOCATION:g} in size"
    )
    message = f"location={location!r} is not allowed for the {family} prior; allowed: {allowed}"
    raise ArgumentError(message)


SETTINGS = ("measure", "tau_prior", "tau_prior_scale", "tau_prior_location", "level", "mid")


@dataclass(frozen=True, eq=False, repr=False)
class BayesResult(PoolRecord):
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
        Its parameters, see `ldn_meta.stats.bayes.TauPrior`.
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
    theta_below_mid, theta_above_mid : float
        The same two of the true effect of a new trial.
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
    theta_below_mid: float | FloatArray
    theta_above_mid: float | FloatArray
    log_marginal_likelihood: float | FloatArray
    shrunk_mean: FloatArray
    shrunk_sd: FloatArray
    shrunk_low: FloatArray
    shrunk_high: FloatArray
    yi: FloatArray
    vi: FloatArray
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    KIND = "bayes"
    TRIAL_NUMBERS = SHRUNK
    SETTINGS = SETTINGS
    NUMBERS = NUMBERS
    INTERVAL = "interval"

    @property
    def estimate(self) -> float | FloatArray:
        """The median of the mean effect: `mu_median`."""
        return self.mu_median

    @property
    def ci_low(self) -> float | FloatArray:
        """Lower end of the interval of the mean effect: `mu_low`."""
        return self.mu_low

    @property
    def ci_high(self) -> float | FloatArray:
        """Upper end of the interval of the mean effect: `mu_high`."""
        return self.mu_high

    @property
    def pi_low(self) -> float | FloatArray:
        """Lower end for a new trial's effect: `theta_low`."""
        return self.theta_low

    @property
    def pi_high(self) -> float | FloatArray:
        """Upper end for a new trial's effect: `theta_high`."""
        return self.theta_high

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
        return f"{head}k={self.k}, {self._in_brackets()}, tau={self.tau_median:.4g}, {self.prior})"

    def _settings(self) -> list[tuple[str, str]]:
        mu = (
            "flat"
            if self.mu_prior is None
            else f"normal, mean {self.mu_prior[0]:.4g}, SD {self.mu_prior[1]:.4g}"
        )
        return [
            ("measure", self.measure or "not named"),
            ("prior of the spread tau", self.prior),
            ("prior of the mean effect", mu),
            ("intervals", f"{self._percent}, the shortest"),
        ]

    def _shown_numbers(self) -> list[tuple[str, str]]:
        percent = self._percent
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
        return rows

    def to_frame(self) -> pd.DataFrame:
        """Return settings and numbers as a data frame: one row, or one row per set."""
        frame = super().to_frame()
        mean, sd = (np.nan, np.inf) if self.mu_prior is None else self.mu_prior
        frame.insert(len(SETTINGS), "mu_prior_mean", mean)
        frame.insert(len(SETTINGS) + 1, "mu_prior_sd", sd)
        return frame


def tau_prior_of(
    tau_prior: object, scale: Any, shape: tuple[int, ...]
) -> tuple[str, FloatArray, float]:
    """Return family, scale of each set (...) and location of a prior of tau."""
    if isinstance(tau_prior, TauPrior):
        if scale is not None:
            message = (
                f"tau_prior_scale={scale!r} beside a whole prior; allowed: one of the two, "
                f"because the prior has its own scale ({tau_prior.scale:g})"
            )
            raise ArgumentError(message)
        return tau_prior.family, np.full(shape, tau_prior.scale), tau_prior.location
    if isinstance(tau_prior, str) and tau_prior in HALF:
        return tau_prior, _each("tau_prior_scale", prior_scale(tau_prior, scale), shape), 0.0
    message = (
        f"tau_prior={tau_prior!r} is not known; allowed: {', '.join(HALF)} with a "
        "tau_prior_scale, or a TauPrior, such as turner_prior and rhodes_prior return"
    )
    raise ArgumentError(message)


def _each(name: str, values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return one value for each set."""
    try:
        return np.broadcast_to(values, shape).copy()
    except ValueError as error:
        wanted = f"one number or an array of shape {shape}" if shape else "one number"
        message = f"{name} has shape {values.shape}; allowed: {wanted}"
        raise ArgumentError(message) from error


def mids_of(mid: Any, shape: tuple[int, ...]) -> FloatArray:
    """Return the size of an effect that matters for each set (...); NaN where none is stated."""
    if mid is None:
        return np.full(shape, np.nan)
    return _each("mid", numbers("mid", mid, above=0, at_most=LARGEST), shape)


def mu_prior_of(mu_prior: Any) -> MuPrior:
    """Return mean and SD of a normal prior of mu; None for a flat one."""
    if mu_prior is None:
        return None
    try:
        mean, sd = (one_number("mu_prior", value) for value in mu_prior)
    except (TypeError, ValueError):
        mean = sd = np.nan
    if abs(mean) <= LARGEST and SMALLEST_SD <= sd <= LARGEST:
        return mean, sd
    message = (
        f"mu_prior={mu_prior!r} is not allowed; allowed: (mean, sd) with a positive sd, or None "
        "for a flat prior"
    )
    raise ArgumentError(message)


# Multiples of the stated scale; 0.25 to 2 around the usual 0.5.
FACTORS = (0.5, 1.0, 2.0, 4.0)


@from_data("yi", "vi", "labels")
def pool_bayes(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    tau_prior_scale: float | None = None,
    tau_prior: str | TauPrior = HALF_NORMAL,
    mu_prior: MuPrior = None,
    level: float = 0.95,
    mid: float | None = None,
    measure: str = "",
    labels: Labels = None,
) -> BayesResult:
    """Pool the effects of independent trials, with a prior for the spread between them.

    The model is yi ~ N(theta_i, vi), theta_i ~ N(mu, tau^2), with priors for mu and tau. mu is
    integrated out analytically, tau by the trapezoid rule in a coordinate in which that is exact
    to rounding; the grid is doubled until doubling changes nothing. With two or three trials
    this says what the Knapp-Hartung interval (no prior: very wide) and the Wald interval (tau
    taken as known: too narrow) cannot; the price is the prior, so show others beside it.

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and their sampling variances; NaN marks a missing trial.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi` and `labels` may be given as names of columns.
    tau_prior_scale : float
        Scale of a half-normal or half-Cauchy prior, in units of the effect. There is no
        default: 0.5 is usual for log ratios and standardised differences, other units need a
        reason of their own.
    tau_prior : str or TauPrior
        half-normal, half-cauchy, or a whole prior such as
        `ldn_meta.stats.bayes.turner_prior("pain")`, which brings its own scale.
    mu_prior : (mean, sd), optional
        Normal prior of mu; flat by default.
    level : float
        Probability that each interval holds.
    mid : float, optional
        Size of an effect that matters, for the probabilities beyond it.
    measure : str
        Code of the effect measure; repeated in the result.
    labels : sequence, optional
        Names of the trials, (k,).

    Returns
    -------
    BayesResult

    Raises
    ------
    ArgumentError
        If a prior or option is not allowed or the arrays are not usable.
    ConvergenceError
        If the quadrature does not settle.

    Notes
    -----
    Roever 2020, Journal of Statistical Software 93(6), sections 2 and 3, doi
    10.18637/jss.v093.i06; Friede, Roever, Wandel and Neuenschwander 2017, Research Synthesis
    Methods 8:79-91 (half-normal priors for few trials); Roever and others 2021, Research
    Synthesis Methods 12:448-474 (choice of scale).

    Examples
    --------
    >>> pool_bayes([0.1, 0.6], [0.04, 0.05], tau_prior_scale=0.5)
    BayesResult(k=2, 0.3357 [95% -0.3899, 1.08], tau=0.3184, half-normal, scale 0.5)
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    return pool_bayes_many(
        y,
        v,
        tau_prior_scale=tau_prior_scale,
        tau_prior=tau_prior,
        mu_prior=mu_prior,
        level=level,
        mid=mid,
        measure=measure,
        labels=labels,
    )


@from_data("yi", "vi", "labels")
def pool_bayes_many(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    tau_prior_scale: ArrayLike | None = None,
    tau_prior: str | TauPrior = HALF_NORMAL,
    mu_prior: MuPrior = None,
    level: float = 0.95,
    mid: ArrayLike | None = None,
    measure: str = "",
    labels: Labels = None,
) -> BayesResult:
    """Pool many sets of trials at once; each row is, bit for bit, what `pool_bayes` gives for it.

    Parameters
    ----------
    yi, vi : array_like (..., k)
        Effects and variances, one set per row; NaN marks a missing trial.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi` and `labels` may be given as names of columns.
    tau_prior_scale, mid : array_like
        As in `pool_bayes`; one number, or one for each set, broadcast to the shape (...).
    tau_prior, mu_prior, level, measure, labels
        As in `pool_bayes`; `labels` names the k columns.

    Returns
    -------
    BayesResult
        With arrays (...) in place of numbers; `notes` counts the sets each sentence applies to.

    Raises
    ------
    ArgumentError
        If a prior or option is not allowed or the arrays are not usable.
    ConvergenceError
        If the quadrature does not settle.
    """
    y, v = effects_and_variances(yi, vi)
    shape, rows = y.shape[:-1], rows_of(y)
    sets = rows.shape[0]
    family, scale, location = tau_prior_of(tau_prior, tau_prior_scale, shape)
    measure, names = known_measure(measure), trial_labels(labels, y.shape[-1])
    level, mu_prior, mids = confidence_level(level), mu_prior_of(mu_prior), mids_of(mid, shape)
    mean, sd = (0.0, np.inf) if mu_prior is None else mu_prior
    matrix, shrunk, flags = bayes_numbers(
        Task(
            yi=rows,
            vi=rows_of(v),
            family=family,
            scale=scale.reshape(sets),
            location=np.full(sets, location),
            mu_mean=np.full(sets, mean),
            mu_sd=np.full(sets, sd),
            mid=mids.reshape(sets),
            level=level,
        )
    )
    return BayesResult(
        **by_name(NUMBERS, matrix, shape, whole=("k",)),
        **dict(zip(SHRUNK, shrunk.reshape(len(SHRUNK), *y.shape), strict=True)),
        measure=measure,
        tau_prior=family,
        tau_prior_scale=scale if shape else float(scale),
        tau_prior_location=np.full(shape, location) if shape else location,
        mu_prior=mu_prior,
        level=level,
        mid=mids if shape else float(mids),
        yi=y,
        vi=v,
        labels=names,
        notes=told(SENTENCES.values(), flags) + doubts(y, v, measure),
    )


@from_data("yi", "vi", "labels")
def prior_sensitivity(
    yi: ArrayLike = "yi",
    vi: ArrayLike = "vi",
    *,
    data: Any = None,
    tau_prior_scale: float,
    factors: Sequence[float] = FACTORS,
    families: Sequence[str] = HALF,
    **options: Any,
) -> tuple[BayesResult, ...]:
    """Pool the same trials under a grid of priors of tau.

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and variances; NaN marks a missing trial.
    data : pandas.DataFrame or mapping, optional
        Table of which `yi`, `vi` and `labels` may be given as names of columns.
    tau_prior_scale : float
        The stated scale, which `factors` multiply.
    factors : sequence of float
    families : sequence of str
        Of half-normal and half-cauchy.
    **options
        `mu_prior`, `level`, `mid`, `measure` and `labels` of `pool_bayes`.

    Returns
    -------
    tuple of BayesResult
        For each family in turn, one result for each factor.

    Raises
    ------
    ArgumentError
        If a family, factor or option is not allowed or the arrays are not usable.
    ConvergenceError
        If the quadrature does not settle.
    """
    y, v = effects_and_variances(yi, vi, dimensions=1)
    if isinstance(families, str) or not hasattr(families, "__iter__"):
        message = f"families={families!r:.80} is no sequence; allowed: some of {', '.join(HALF)}"
        raise ArgumentError(message)
    families = tuple(one_of("families", family, HALF) for family in families)
    times = numbers("factors", factors)
    if times.ndim != 1 or times.size == 0 or not (times > 0.0).all():
        message = f"factors={factors!r} is not allowed; allowed: one or more positive numbers"
        raise ArgumentError(message)
    stated = prior_scale(HALF_NORMAL, tau_prior_scale)
    if stated.ndim:
        message = f"tau_prior_scale has shape {stated.shape}; allowed: one number"
        raise ArgumentError(message)
    scales = times * stated
    return tuple(
        pool_bayes(y, v, tau_prior=family, tau_prior_scale=float(scale), **options)
        for family in families
        for scale in scales
    )


ANY = "any"
NO_DRUG, OTHER_DRUG = "placebo or control", "drug"
AGAINST = (NO_DRUG, OTHER_DRUG)
TURNER_TABLE = "Turner 2015, Table IV"
RHODES_TABLE = "Rhodes 2015, Table 3"
# Mean and SD of log tau2, against no drug; then against another drug.
TURNER = {
    ANY: ((-2.56, 1.74), (-2.56, 1.74)),
    "all-cause mortality": ((-3.95, 1.34), (-4.18, 1.41)),
    "obstetric outcome": ((-3.52, 1.74), (-3.75, 1.79)),
    "cause-specific mortality or major morbidity": ((-3.71, 1.74), (-3.95, 1.79)),
    "resource use or hospital stay": ((-2.34, 1.74), (-2.58, 1.79)),
    "surgical or device success": ((-2.14, 1.74), (-2.37, 1.79)),
    "withdrawal": ((-2.99, 1.74), (-3.23, 1.79)),
    "structure-related outcome": ((-2.71, 1.74), (-2.94, 1.79)),
    "general physical health": ((-2.29, 1.53), (-2.53, 1.58)),
    "adverse event": ((-1.87, 1.52), (-2.10, 1.58)),
    "infection or new disease": ((-2.49, 1.52), (-2.73, 1.58)),
    "signs or symptoms": ((-2.06, 1.51), (-2.29, 1.58)),
    "pain": ((-1.83, 1.52), (-2.06, 1.58)),
    "quality of life": ((-2.54, 1.54), (-2.78, 1.60)),
    "mental health": ((-2.12, 1.53), (-2.35, 1.60)),
    "biological marker": ((-1.77, 1.52), (-2.00, 1.58)),
    "subjective outcome": ((-2.70, 1.52), (-2.93, 1.58)),
}
_PHYSICAL = ((-3.16, 2.50), (-3.44, 2.44))
_DISEASE = ((-3.00, 2.50), (-3.27, 2.47))
# Location and scale of log tau2; one row of the table for several outcomes where they share it.
RHODES = {
    ANY: ((-3.44, 2.59), (-3.44, 2.59)),
    "obstetric outcome": ((-4.13, 2.34), (-4.40, 2.31)),
    "resource use or hospital stay": ((-2.55, 2.73), (-2.83, 2.70)),
    "structure-related outcome": ((-2.43, 2.50), (-2.70, 2.46)),
    "general physical health": _PHYSICAL,
    "adverse event": _PHYSICAL,
    "pain": _PHYSICAL,
    "quality of life": _PHYSICAL,
    "infection or new disease": _DISEASE,
    "signs or symptoms": _DISEASE,
    "mental health": ((-2.99, 2.16), (-3.27, 2.14)),
    "biological marker": ((-3.41, 2.83), (-3.68, 2.78)),
    "subjective outcome": ((-2.76, 2.58), (-3.03, 2.59)),
}


def turner_prior(outcome: str = ANY, *, against: str = NO_DRUG) -> TauPrior:
    """Return the log-normal prior of tau for log odds ratios of drug trials.

    Parameters
    ----------
    outcome : str
        A key of `TURNER`, such as "pain"; "any" for outcomes of any kind.
    against : str
        "placebo or control", or "drug".

    Returns
    -------
    TauPrior

    Raises
    ------
    ArgumentError
        If there is no such row or column in the table.

    Examples
    --------
    >>> turner_prior("pain").words
    'log-normal, log tau at -0.915 with scale 0.76'
    """
    mean, sd = TURNER[one_of("outcome", outcome, tuple(TURNER))][_column(against)]
    source = f"{TURNER_TABLE}: {outcome}, drug against {against}"
    return TauPrior(LOG_NORMAL, scale=sd / 2.0, location=mean / 2.0, source=source)


def rhodes_prior(outcome: str = ANY, *, against: str = NO_DRUG) -> TauPrior:
    """Return the log-t prior of tau, on five df, for standardised mean differences.

    Parameters
    ----------
    outcome : str
        A key of `RHODES`, such as "pain"; "any" for outcomes of any kind.
    against : str
        "placebo or control", or "drug".

    Returns
    -------
    TauPrior

    Raises
    ------
    ArgumentError
        If there is no such row or column in the table.

    Examples
    --------
    >>> rhodes_prior("pain").words
    'log-t, log tau at -1.58 with scale 1.25'
    """
    location, scale = RHODES[one_of("outcome", outcome, tuple(RHODES))][_column(against)]
    source = f"{RHODES_TABLE}: {outcome}, drug against {against}"
    return TauPrior(LOG_T, scale=scale / 2.0, location=location / 2.0, source=source)


def _column(against: str) -> int:
    return AGAINST.index(one_of("against", against, AGAINST))
