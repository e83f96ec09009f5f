"""Bayesian random effects for few trials, by quadrature: no sampling, no seed.

`pool_bayes` is the batch of one, `prior_sensitivity` a batch over priors: all call one kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    LARGEST,
    FloatArray,
    Labels,
    confidence_level,
    effects_and_variances,
    one_of,
    real_array,
    text,
    trial_labels,
)
from ldn_meta.stats.bayes_result import (
    HALF,
    HALF_NORMAL,
    LOG_NORMAL,
    LOG_T,
    NUMBERS,
    SHRUNK,
    BayesResult,
    TauPrior,
    prior_scale,
    sentences,
)
from ldn_meta.stats.quadrature import Task, bayes_numbers
from ldn_meta.stats.tau2 import rows_of

MuPrior = tuple[float, float] | None
SMALLEST_SD = 1e-15


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
    values = real_array("mid", mid)
    wrong = (values <= 0.0) | (values > LARGEST)
    if wrong.any():
        message = (
            f"mid={float(values[wrong].flat[0])!r} is not allowed; allowed: the size of an effect "
            "that matters, a positive number, or None"
        )
        raise ArgumentError(message)
    return _each("mid", values, shape)


def mu_prior_of(mu_prior: Any) -> MuPrior:
    """Return mean and SD of a normal prior of mu; None for a flat one."""
    if mu_prior is None:
        return None
    try:
        mean, sd = (float(value) for value in mu_prior)
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


def pool_bayes(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
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
    return _pool(
        y,
        v,
        tau_prior=tau_prior_of(tau_prior, tau_prior_scale, ()),
        mu_prior=mu_prior,
        level=level,
        mid=mid,
        measure=measure,
        labels=labels,
    )


def pool_bayes_many(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
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
    return _pool(
        y,
        v,
        tau_prior=tau_prior_of(tau_prior, tau_prior_scale, y.shape[:-1]),
        mu_prior=mu_prior,
        level=level,
        mid=mid,
        measure=measure,
        labels=labels,
    )


def prior_sensitivity(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
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
    for family in families:
        one_of("families", family, HALF)
    times = real_array("factors", factors)
    if times.ndim != 1 or times.size == 0 or not (times > 0.0).all():
        message = f"factors={factors!r} is not allowed; allowed: one or more positive numbers"
        raise ArgumentError(message)
    scales = times * prior_scale(HALF_NORMAL, tau_prior_scale)
    return tuple(
        pool_bayes(y, v, tau_prior=family, tau_prior_scale=float(scale), **options)
        for family in families
        for scale in scales
    )


def _pool(
    y: FloatArray,
    v: FloatArray,
    *,
    tau_prior: tuple[str, FloatArray, float],
    mu_prior: MuPrior,
    level: float,
    mid: Any,
    measure: str,
    labels: Labels,
) -> BayesResult:
    """Run the kernel over checked effects and variances (..., k) and build the record."""
    measure, names = text("measure", measure), trial_labels(labels, y.shape[-1])
    level, mu_prior = confidence_level(level), mu_prior_of(mu_prior)
    shape = y.shape[:-1]
    mids = mids_of(mid, shape)
    family, scale, location = tau_prior
    mean, sd = (0.0, np.inf) if mu_prior is None else mu_prior
    rows = rows_of(y)
    sets = rows.shape[0]
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
    numbers: dict[str, Any]
    if shape:
        numbers = {n: values.reshape(shape) for n, values in zip(NUMBERS, matrix, strict=True)}
        numbers["k"] = numbers["k"].astype(np.int64)
    else:
        numbers = dict(zip(NUMBERS, matrix[:, 0].tolist(), strict=True))
        numbers["k"] = int(numbers["k"])
    return BayesResult(
        **numbers,
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
        notes=sentences(flags),
    )


ANY = "any"
PLACEBO, DRUG = "placebo or control", "drug"
AGAINST = (PLACEBO, DRUG)
TURNER_TABLE = "Turner 2015, Table IV"
RHODES_TABLE = "Rhodes 2015, Table 3"
# Mean and SD of log tau2, against placebo or control; then against another drug.
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


def turner_prior(outcome: str = ANY, *, against: str = PLACEBO) -> TauPrior:
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


def rhodes_prior(outcome: str = ANY, *, against: str = PLACEBO) -> TauPrior:
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
