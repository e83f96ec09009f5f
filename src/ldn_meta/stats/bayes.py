"""Bayesian random effects for few trials, by quadrature: no sampling, no seed.

`pool_bayes` is the batch of one, `prior_sensitivity` a batch over priors: all call one kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.bayes_arguments import MuPrior, mids_of, mu_prior_of, tau_prior_of
from ldn_meta.stats.bayes_kernel import Task, bayes_numbers
from ldn_meta.stats.bayes_notes import sentences
from ldn_meta.stats.bayes_priors import HALF, HALF_NORMAL, TauPrior, prior_scale
from ldn_meta.stats.bayes_result import NUMBERS, SHRUNK, BayesResult
from ldn_meta.stats.inputs import (
    FloatArray,
    Labels,
    confidence_level,
    effects_and_variances,
    one_of,
    real_array,
    text,
    trial_labels,
)
from ldn_meta.stats.trials import rows_of

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
        `ldn_meta.stats.bayes_empirical.turner_prior("pain")`, which brings its own scale.
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
