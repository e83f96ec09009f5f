"""How much information a meta-analysis needs before it can be called conclusive."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isnan

from scipy.special import ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import confidence_level, one_of
from ldn_meta.stats.values import numbers

MEASURES = ("MD", "RR")


@dataclass(frozen=True)
class RequiredInformation:
    """The required information size and what it rests on.

    Attributes
    ----------
    measure : str
        MD or RR.
    alpha, power : float
        Type I error (both sides together if two-sided), and probability to find the effect.
    diversity : float
        D2: share by which the spread between trials widens the variance of the mean (0-1).
    people_one_trial : float
        People, both groups together, that one trial without spread would need; not rounded.
    people : int
        The same divided by 1 - diversity, rounded up to the next even number.
    """

    measure: str
    alpha: float
    power: float
    diversity: float
    people_one_trial: float
    people: int


def required_information_size(
    *,
    measure: str,
    effect: float,
    sd: float = float("nan"),
    control_risk: float = float("nan"),
    alpha: float = 0.05,
    power: float = 0.8,
    diversity: float = 0.0,
    two_sided: bool = True,
) -> RequiredInformation:
    """Return the number of people that evidence for or against an effect needs.

    N = 4 (z_alpha + z_beta)^2 variance / effect^2 / (1 - D2), two equal groups together:

    ====  ============================================================================
    MD    variance = sd^2, effect = the mean difference looked for
    RR    variance = p (1 - p) with p the mean of both risks, effect = their difference
    ====  ============================================================================

    Parameters
    ----------
    measure : str
        MD or RR.
    effect : float
        Smallest effect worth finding: a mean difference (not 0), or a risk ratio (not 1).
    sd : float
        For MD: standard deviation within a group, in the unit of the effect.
    control_risk : float
        For RR: risk without treatment (0-1).
    alpha, power : float
        Type I error and probability to find the effect.
    diversity : float
        D2 (0-1), see `ldn_meta.stats.sequential_pool.cumulative_z`.
    two_sided : bool
        Whether harm is looked for as well.

    Returns
    -------
    RequiredInformation

    Raises
    ------
    ArgumentError
        If the measure is unknown, or a number is missing or not allowed.

    Notes
    -----
    Wetterslev and others 2008, Journal of Clinical Epidemiology 61:64-75; 2009, BMC Medical
    Research Methodology 9:86 (diversity). Not raised for looking repeatedly, as in the TSA
    software: see `FutilityDesign.inflation`.

    Examples
    --------
    >>> required_information_size(measure="MD", effect=1.0, sd=2.0).people
    126
    """
    one_of("measure", measure, MEASURES)
    side = error_rate("alpha", alpha) / (2.0 if two_sided else 1.0)
    power = error_rate("power", power)
    d2 = float(numbers("diversity", diversity, at_least=0, below=1))
    size = float(numbers("effect", effect))
    if measure == "MD":
        variance = float(numbers("sd", sd, above=0)) ** 2
        difference = size
    else:
        risk = float(numbers("control_risk", control_risk, above=0, below=1))
        ratio = float(numbers("effect", effect, above=0, below=1.0 / risk))
        mean = risk * (1.0 + ratio) / 2.0
        variance, difference = mean * (1.0 - mean), risk * (1.0 - ratio)
    if isnan(variance) or isnan(difference) or isnan(d2):
        needed = "effect and sd" if measure == "MD" else "effect and control_risk"
        message = f"a number is missing for measure={measure!r}; allowed: {needed}, diversity"
        raise ArgumentError(message)
    if difference == 0.0:
        message = f"effect={effect!r} is no difference; allowed: an effect worth finding"
        raise ArgumentError(message)
    quantiles = (float(ndtri(side)) + float(ndtri(1.0 - power))) ** 2
    alone = 4.0 * quantiles * variance / difference**2
    return RequiredInformation(
        measure=measure,
        alpha=alpha,
        power=power,
        diversity=d2,
        people_one_trial=alone,
        people=2 * ceil(alone / (1.0 - d2) / 2.0),
    )


def error_rate(name: str, value: object) -> float:
    """Return an error or a power strictly between 0 and 1.

    Raises
    ------
    ArgumentError
        If `value` is no number or outside (0, 1).
    """
    try:
        return confidence_level(value)
    except ArgumentError as error:
        message = f"{name}={value!r} is not allowed; allowed: a number between 0 and 1"
        raise ArgumentError(message) from error
