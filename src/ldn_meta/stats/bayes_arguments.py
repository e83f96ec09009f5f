"""What a caller of the Bayesian pool may pass, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.bayes_priors import HALF, TauPrior, prior_scale
from ldn_meta.stats.inputs import LARGEST, FloatArray, real_array

MuPrior = tuple[float, float] | None
SMALLEST_SD = 1e-15


def tau_prior_of(
    tau_prior: object, scale: Any, shape: tuple[int, ...]
) -> tuple[str, FloatArray, float]:
    """Return family, scale of each set (...) and location of a prior of tau.

    Raises
    ------
    ArgumentError
        If there is no such prior, no scale, one too many, or not one for each set.
    """
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
    """Return the size of an effect that matters for each set (...); NaN where none is stated.

    Raises
    ------
    ArgumentError
        If a size is not positive, or there is not one for each set.
    """
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
    """Return mean and SD of a normal prior of mu; None for a flat one.

    Raises
    ------
    ArgumentError
        If it is not a pair of finite numbers with a positive SD.
    """
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
