"""Printed means, changes and spreads: do they belong together."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan, sqrt

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    Consistency,
    Printed,
    agreement,
    not_checkable,
)
from ldn_meta.stats.convert_sd import change_sd, sd_from_ci, sd_from_se
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.values import numbers

# Two arms more than two standard deviations apart are rarer than an SE that was typed as an SD
# (metafor's `escalc` warns from there; house style rule 11).
IMPLAUSIBLE_G = 2.0
# Lowest correlation of baseline and end that the robustness analyses consider (METHODS.md 2).
LOWEST_CORRELATION = 0.3


def difference_against_arms(difference: Printed, arm_1: Printed, arm_2: Printed) -> Consistency:
    """Whether a difference is arm 1 minus arm 2, by the numbers that print as given.

    For unadjusted means of the same people; a model's difference may differ.

    Examples
    --------
    >>> found = difference_against_arms(Printed(-0.34, 2), Printed(-1.3, 1), Printed(-0.9, 1))
    >>> print(f"{found.verdict}: {found.low:.1f} to {found.high:.1f}")
    consistent: -0.5 to -0.3
    """
    low, high = arm_1.low - arm_2.high, arm_1.high - arm_2.low
    recomputed = arm_1.value - arm_2.value
    note = f"{arm_1} minus {arm_2} is {recomputed:.3g}; {difference} is printed"
    return agreement((difference.low, difference.high), recomputed, low, high, note=note)


def sd_against_se(sd: Printed, se: Printed, n: int) -> Consistency:
    """Whether an SD is its SE times sqrt(n).

    Raises
    ------
    ArgumentError
        If SD or SE are negative or n is below 1.

    Examples
    --------
    >>> sd_against_se(Printed(2.4, 1), Printed(0.45, 2), 28).verdict
    'consistent'
    """
    numbers("sd", sd.value, at_least=0)
    recomputed = float(sd_from_se(se.value, n))
    low, high = (float(sd_from_se(max(end, 0.0), n)) for end in (se.low, se.high))
    note = f"an SE of {se} in {n} people is an SD of {recomputed:.3g}; {sd} is printed"
    return agreement((sd.low, sd.high), recomputed, low, high, note=note)


def sd_against_interval(
    sd: Printed, low: Printed, high: Printed, n: int, *, level: float = 0.95
) -> Consistency:
    """Whether an SD belongs to the interval of the same mean of n people.

    SD = sqrt(n) (high - low) / (2 q), q normal or Student on n - 1 degrees of freedom.

    Raises
    ------
    ArgumentError
        If low is above high, the SD is negative, n is below 2 or the level is not allowed.
    """
    numbers("sd", sd.value, at_least=0)
    numbers("n", n, at_least=2)
    if low.low > high.high:
        raise ArgumentError(f"low: {low} is above high {high}; allowed: low <= high")
    if low.value >= high.value:
        return not_checkable("the interval has no width")
    found = []
    for width in (max(high.low - low.high, 0.0), high.high - low.low):
        for uses_t in (True, False):
            spread = sd_from_ci(0.0, width, n, level=level, uses_t=uses_t) if width > 0 else 0.0
            found.append(float(spread))
    recomputed = float(sd_from_ci(low.value, high.value, n, level=level))
    note = (
        f"an interval from {low} to {high} in {n} people is an SD of {recomputed:.3g}; {sd} is "
        "printed"
    )
    return agreement((sd.low, sd.high), recomputed, min(found), max(found), note=note)


def sd_against_scale(
    mean: Printed, sd: Printed, minimum: float, maximum: float, *, n: float = nan
) -> Consistency:
    """Whether scores between two ends can have this mean and this SD.

    No scores between a and b with mean m have an SD above sqrt((m - a) (b - m) n / (n - 1)).

    Parameters
    ----------
    mean, sd : Printed
    minimum, maximum : float
        Ends of the scale.
    n : float
        People; NaN if not printed, which allows the largest SD (two people).

    Returns
    -------
    Consistency
        `recomputed` is the largest possible SD at the mean as printed.

    Raises
    ------
    ArgumentError
        If the scale has no width, the SD is negative or n is below 2.

    Source: Bhatia & Davis 2000, Am Math Mon 107:353.

    Examples
    --------
    >>> sd_against_scale(Printed(9.0, 1), Printed(4.5, 1), 0, 10, n=50).verdict
    'inconsistent'
    """
    numbers("sd", sd.value, at_least=0)
    size = float(numbers("n", n, at_least=2))
    if not minimum < maximum:
        raise ArgumentError(
            f"minimum: {minimum:g} is not below maximum {maximum:g}; allowed: a scale with a width"
        )
    spread = sqrt(2.0 if isnan(size) else size / (size - 1))

    def largest(value: float) -> float:
        return spread * sqrt(max((value - minimum) * (maximum - value), 0.0))

    middle = min(max((minimum + maximum) / 2, mean.low), mean.high)
    bound = max(largest(mean.low), largest(middle), largest(mean.high))
    note = (
        f"on a scale from {minimum:g} to {maximum:g} a mean of {mean} allows an SD up to "
        f"{bound:.3g}; {sd} is printed"
    )
    return agreement((sd.low, sd.high), largest(mean.value), 0.0, bound, note=note)


def sd_typed_as_se(
    mean_1: Printed, sd_1: Printed, n_1: int, mean_2: Printed, sd_2: Printed, n_2: int
) -> Consistency:
    """Whether two means are implausibly many SDs apart, as if an SE stood for an SD.

    A plausibility check: |g| above 2 is possible, but a mix-up of SE and SD is more frequent.

    Parameters
    ----------
    mean_1, sd_1, mean_2, sd_2 : Printed
    n_1, n_2 : int
        People, at least 2.

    Returns
    -------
    Consistency
        `recomputed` is |g|; `low` is |g| if the two spreads were SEs, `high` is |g| as printed.

    Raises
    ------
    ArgumentError
        If an SD is not above 0 or an n is below 2.
    """
    numbers("sd_1", sd_1.value, above=0)
    numbers("sd_2", sd_2.value, above=0)

    def size(spread_1: float, spread_2: float) -> float:
        found = effect_size(
            "SMD",
            mean_1=mean_1.value,
            sd_1=spread_1,
            n_1=n_1,
            mean_2=mean_2.value,
            sd_2=spread_2,
            n_2=n_2,
        )
        return abs(float(found.yi))

    g = size(sd_1.value, sd_2.value)
    as_se = size(float(sd_from_se(sd_1.value, n_1)), float(sd_from_se(sd_2.value, n_2)))
    note = f"{mean_1} and {mean_2} are {g:.2g} SDs apart, {as_se:.2g} if the spreads are SEs"
    return Consistency(INCONSISTENT if g > IMPLAUSIBLE_G else CONSISTENT, g, as_se, g, note)


def standardised_against_difference(
    standardised: Printed,
    difference: Printed,
    sds: Sequence[Printed],
    *,
    changes: Sequence[tuple[Printed, Printed]] = (),
) -> Consistency:
    """Whether a standardised difference can be the printed difference over a printed SD.

    difference / d is the SD that was divided by. It should be among the printed SDs, or be that
    of the change (correlation of baseline and end from 0.3 to 1). A plausibility check: a model's
    own spread can be another.

    Parameters
    ----------
    standardised, difference : Printed
        Sizes; signs are not looked at.
    sds : sequence of Printed
        SDs of the arms, at baseline and at the end.
    changes : sequence of (Printed, Printed)
        Baseline and end SD of the same people.

    Returns
    -------
    Consistency
        `recomputed` is the standardised difference over the mean of the printed SDs.

    Raises
    ------
    ArgumentError
        If no SD is given, or one is not above 0.
    """
    if not sds:
        raise ArgumentError("sds: none are given; allowed: at least one")
    for sd in sds:
        numbers("sds", sd.value, above=0)
    of_change = [
        float(change_sd(before, after, correlation))
        for one, other in changes
        for before, after, correlation in (
            (one.high, other.high, LOWEST_CORRELATION),
            (one.low, other.low, 1.0),
        )
    ]
    smallest = min([sd.low for sd in sds] + [spread for spread in of_change if spread > 0])
    largest = max([sd.high for sd in sds] + of_change)
    least, most = difference.size
    low = least / largest
    high = most / smallest if smallest > 0 else inf
    typical = sum(sd.value for sd in sds) / len(sds)
    recomputed = abs(difference.value) / typical
    note = (
        f"a difference of {difference} over the printed SDs is {recomputed:.2g}, at least "
        f"{low:.2g}; {standardised} is printed"
    )
    return agreement(standardised.size, recomputed, low, high, note=note)
