"""How many people a study needs for its p-value to belong to a given effect, and back.

The contours of an albatross plot, which shows p against the number of people for studies that
report no more than these two (Harrison 2017). A point between two contours is a study whose p
would follow from an effect between theirs, if its design was the simple one the contour assumes:
a rough size, not an estimate of one.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, one_of
from ldn_meta.stats.values import FloatOrArray, numbers, plain, together

CONTOUR_MEASURES = ("SMD", "OR", "RR", "RD")
INVERTIBLE = ("SMD", "OR")
# A logistic distribution has this standard deviation: a log odds ratio is an SMD times it.
LOGISTIC_SD = np.pi / np.sqrt(3.0)


def albatross_contour(
    p_one_sided: ArrayLike,
    effect: ArrayLike,
    *,
    measure: str = "SMD",
    correlation: float | None = None,
    baseline_risk: float | None = None,
) -> FloatOrArray:
    """Return the number of people at which an effect has a given p.

    With z the upper normal quantile of p, N = z^2 times what N var(effect) is, over effect^2:

    * SMD d, two equal groups, N in both: var = 4 / N + d^2 / 2N, so N = z^2 (8 + d^2) / 2 d^2;
    * SMD with `correlation` r, N pairs (crossover): var = 2 (1 - r) / N + d^2 / 2N, so
      N = z^2 (2 (1 - r) / d^2 + 1/2), d in standard deviations between people;
    * OR (log): the SMD it stands for, log OR = d pi / sqrt(3);
    * RR (log), RD with `baseline_risk` q, two equal groups, risk r with the effect:
      N = 2 z^2 ((1 - r) / r + (1 - q) / q) / log RR^2, N = 2 z^2 (r (1 - r) + q (1 - q)) / RD^2.

    Parameters
    ----------
    p_one_sided : float or array, (...)
        Towards effects above 0; strictly between 0 and 1.
    effect : float or array, (...)
        On the scale of `measure`, ratios as logs; above 0 is towards the side p is about.
    measure : {"SMD", "OR", "RR", "RD"}
    correlation : float, optional
        Within people, for SMD of paired data; below 1.
    baseline_risk : float, optional
        Risk in the comparison group, for RR and RD; strictly between 0 and 1.

    Returns
    -------
    float or array
        People, not rounded; people in pairs once. NaN where p and effect lie on different
        sides, or the effect is 0: no number of people joins them. 0 at p = 0.5.

    Raises
    ------
    ArgumentError
        If the measure is not known, an option does not belong to it, or a number is out of range.

    Source: Harrison et al. 2017, Res Synth Methods 8:281, whose contours for SMD and OR these
    are; the others follow from the usual large-sample variances.

    Examples
    --------
    >>> print(round(albatross_contour(0.025, 0.5), 1))
    63.4
    """
    one_of("measure", measure, CONTOUR_MEASURES)
    _check_options(measure, correlation, baseline_risk)
    z, size = together(
        p_one_sided=-ndtri(numbers("p_one_sided", p_one_sided, above=0, below=1)),
        effect=numbers("effect", effect),
    )
    scaled = size / LOGISTIC_SD if measure == "OR" else size
    usable = np.where(size == 0, np.nan, scaled)
    if measure in INVERTIBLE:
        people = np.square(z) * (_spread(correlation) / np.square(usable) + 0.5)
    else:
        people = np.square(z / usable) * 2 * _risk_variance(measure, usable, baseline_risk)
    return plain(np.where(z * size < 0, np.nan, people))


def albatross_effect(
    p_one_sided: ArrayLike,
    n: ArrayLike,
    *,
    measure: str = "SMD",
    correlation: float | None = None,
) -> FloatOrArray:
    """Return the effect whose contour runs through a p and a number of people.

    The inverse of `albatross_contour`: d^2 = 4 z^2 / (N - z^2 / 2) for two equal groups, and
    2 (1 - r) z^2 / (N - z^2 / 2) for pairs. Risk ratios are not offered: two of them can have
    the same p with the same people.

    Parameters
    ----------
    p_one_sided : float or array, (...)
        Towards effects above 0; strictly between 0 and 1.
    n : float or array, (...)
        People, in both groups together; pairs with `correlation`.
    measure : {"SMD", "OR"}
        An odds ratio is returned as its log.
    correlation : float, optional
        Within people, for SMD of paired data; below 1.

    Returns
    -------
    float or array
        NaN where so few people cannot have so small a p.

    Raises
    ------
    ArgumentError
        If the measure is not one of the two, or a number is out of range.

    Examples
    --------
    >>> print(round(albatross_effect(0.025, 63.4), 2))
    0.5
    """
    one_of("measure", measure, INVERTIBLE)
    _check_options(measure, correlation, None)
    z, people = together(
        p_one_sided=-ndtri(numbers("p_one_sided", p_one_sided, above=0, below=1)),
        n=numbers("n", n, above=0),
    )
    room = people - np.square(z) / 2
    size = np.sqrt(_spread(correlation) / np.where(room > 0, room, np.nan)) * z
    return plain(size * LOGISTIC_SD if measure == "OR" else size)


def _spread(correlation: float | None) -> float:
    """N var(d) at d = 0: of a difference between two groups, or within people."""
    return 4.0 if correlation is None else 2.0 * (1.0 - correlation)


def _risk_variance(measure: str, effect: FloatArray, baseline_risk: float | None) -> FloatArray:
    """N / 2 times the variance of a log risk ratio or a risk difference."""
    q = float(baseline_risk or np.nan)
    r = q * np.exp(effect) if measure == "RR" else q + effect
    if np.any((r <= 0) | (r >= 1)):
        first = effect[(r <= 0) | (r >= 1)].flat[0]
        raise ArgumentError(
            f"effect: {first:g} is not allowed; allowed: effects that leave the risk, from a "
            f"baseline_risk of {q:g}, between 0 and 1"
        )
    if measure == "RR":
        return np.asarray((1 - r) / r + (1 - q) / q)
    return np.asarray(r * (1 - r) + q * (1 - q))


def _check_options(measure: str, correlation: float | None, baseline_risk: float | None) -> None:
    needs_risk = measure not in INVERTIBLE
    if needs_risk != (baseline_risk is not None):
        allowed = f"needed for {measure}" if needs_risk else f"none for {measure}"
        raise ArgumentError(f"baseline_risk: {baseline_risk!r} is not allowed; {allowed}")
    if baseline_risk is not None:
        numbers("baseline_risk", baseline_risk, above=0, below=1)
    if correlation is not None:
        if measure != "SMD":
            raise ArgumentError(
                f"correlation: {correlation!r} is not allowed; none for {measure}, only for SMD"
            )
        numbers("correlation", correlation, at_least=-1, below=1)
