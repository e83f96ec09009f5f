"""How many people one adequately powered trial would need: the optimal information size."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ldn_meta.stats.values import FloatOrArray, numbers, plain, together

ARMS = 2


def information_size_of_means(
    difference: ArrayLike, sd: ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> FloatOrArray:
    """Return the people, both arms together, that a difference of two means asks for.

    n per arm = 2 (z_{1 - alpha/2} + z_power)^2 sd^2 / difference^2, rounded up.

    Parameters
    ----------
    difference : float or array, (...)
        The smallest difference worth finding, in the unit of `sd`; its sign does not matter.
    sd : float or array, (...)
        Standard deviation between people within an arm, above 0.
    alpha : float
        Two-sided error of the first kind.
    power : float
        One minus the error of the second kind.

    Returns
    -------
    float or array, (...)
        Infinite for a difference of 0; NaN where an input is missing.

    Raises
    ------
    ArgumentError
        If `sd` is not above 0, or `alpha` or `power` is not strictly between 0 and 1.

    Notes
    -----
    It is a threshold for fragility, not for importance: an interval can be too wide with more
    people than this. Source: Guyatt 2011, Journal of Clinical Epidemiology 64:1283-1293.

    Examples
    --------
    >>> information_size_of_means(1.0, 2.0)
    126.0

    One point on a scale with a standard deviation of two points asks for 63 people an arm.
    """
    gap, spread = together(
        difference=numbers("difference", difference), sd=numbers("sd", sd, above=0)
    )
    factor = ARMS * sum(_quantiles(alpha, power)) ** 2
    with np.errstate(divide="ignore"):
        per_arm = factor * (spread / np.abs(gap)) ** 2
    return plain(ARMS * np.ceil(per_arm))


def information_size_of_risks(
    risk_1: ArrayLike, risk_2: ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> FloatOrArray:
    """Return the people, both arms together, that a difference of two risks asks for.

    n per arm = (z_{1 - alpha/2} sqrt(2 p q) + z_power sqrt(p1 q1 + p2 q2))^2 / (p1 - p2)^2,
    rounded up, with p the mean of the two risks and q = 1 - p.

    Parameters
    ----------
    risk_1, risk_2 : float or array, (...)
        Risks of the two arms, 0 to 1.
    alpha : float
        Two-sided error of the first kind.
    power : float
        One minus the error of the second kind.

    Returns
    -------
    float or array, (...)
        Infinite where the two risks are equal; NaN where an input is missing.

    Raises
    ------
    ArgumentError
        If a risk is outside 0 to 1, or `alpha` or `power` is not strictly between 0 and 1.

    Notes
    -----
    Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, section 4.2,
    without continuity correction; the formula behind R's ``power.prop.test``.

    Examples
    --------
    >>> information_size_of_risks(0.2, 0.15)
    1812.0
    """
    first, second = together(
        risk_1=numbers("risk_1", risk_1, at_least=0, at_most=1),
        risk_2=numbers("risk_2", risk_2, at_least=0, at_most=1),
    )
    for_alpha, for_power = _quantiles(alpha, power)
    mean = (first + second) / 2
    spread = for_alpha * np.sqrt(2 * mean * (1 - mean)) + for_power * np.sqrt(
        first * (1 - first) + second * (1 - second)
    )
    gap = np.abs(first - second)
    per_arm = np.divide(spread, gap, out=np.full_like(spread, math.inf), where=gap != 0) ** 2
    return plain(ARMS * np.ceil(per_arm))


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    tail = float(numbers("alpha", alpha, above=0, below=1)) / 2
    return -float(ndtri(tail)), float(ndtri(float(numbers("power", power, above=0, below=1))))
