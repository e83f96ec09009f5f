"""What is believed of the spread between trials before they are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, one_of, text

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
    """Return one scale or an array of scales of a prior.

    Raises
    ------
    ArgumentError
        If a scale is missing, no number, or not in the range allowed for the family.
    """
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
