"""How common an event is, with what uncertainty, and in numbers of people."""

from dataclasses import dataclass
from math import floor, isnan

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, expit

from ldn_meta.stats.counts import whole
from ldn_meta.stats.effects_counts import checked_events
from ldn_meta.stats.effects_single import freeman_tukey_proportion
from ldn_meta.stats.values import (
    FloatOrArray,
    Interval,
    numbers,
    plain,
    together,
    two_sided_quantile,
)


def wilson_interval(events: ArrayLike, n: ArrayLike, *, level: ArrayLike = 0.95) -> Interval:
    """Return Wilson's score interval for a proportion, without continuity correction.

    centre = (p + z^2 / 2n) / (1 + z^2 / n)
    half   = z / (1 + z^2 / n) sqrt(p (1 - p) / n + z^2 / 4n^2)

    Parameters
    ----------
    events, n : float or array, (...)
        Counts; NaN gives NaN.
    level : float or array
        Coverage, strictly between 0 and 1.

    Returns
    -------
    Interval
        Proportions (0-1). Exactly 0 below when nobody had the event, exactly 1 above when all.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, an n is below 1, or a level is not allowed.

    Source: Wilson 1927, J Am Stat Assoc 22:209; Newcombe 1998, Stat Med 17:857, method 3.

    Examples
    --------
    >>> low, high = wilson_interval(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")
    0.2553 0.3662
    """
    count, size = checked_events(events, n)
    z2 = np.square(two_sided_quantile(level))
    # In counts, both bounds come from one quadratic and neither cancels near 0 or n.
    root = np.sqrt(z2 * (count * (size - count) / size + z2 / 4))
    low = (count + z2 / 2 - root) / (size + z2)
    high = (count + z2 / 2 + root) / (size + z2)
    return Interval(
        plain(np.where(count == 0, 0.0, low)), plain(np.where(count == size, 1.0, high))
    )


def clopper_pearson_interval(
    events: ArrayLike, n: ArrayLike, *, level: ArrayLike = 0.95
) -> Interval:
    """Return Clopper and Pearson's interval for a proportion: never covers less than its level.

    low  = the p at which as many events or more have probability (1 - level) / 2
    high = the p at which as many or fewer have it

    Parameters
    ----------
    events, n : float or array, (...)
        Counts; NaN gives NaN.
    level : float or array
        Coverage, strictly between 0 and 1.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, an n is below 1, or a level is not allowed.

    Source: Clopper & Pearson 1934, Biometrika 26:404.

    Examples
    --------
    >>> low, high = clopper_pearson_interval(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")
    0.2527 0.3676
    """
    count, size = checked_events(events, n)
    tail = (1 - numbers("level", level, above=0, below=1)) / 2
    count, size, tail = together(events=count, n=size, level=tail)
    others = size - count
    # Where a bound is exactly 0 or 1 the beta distribution has no second parameter.
    low = betaincinv(np.where(count == 0, 1.0, count), others + 1, tail)
    high = 1 - betaincinv(np.where(others == 0, 1.0, others), count + 1, tail)
    return Interval(plain(np.where(count == 0, 0.0, low)), plain(np.where(others == 0, 1.0, high)))


def risk_difference_interval(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    level: ArrayLike = 0.95,
) -> Interval:
    """Return Newcombe's interval for p_1 - p_2, built from the two Wilson intervals (l, u).

    low  = p_1 - p_2 - sqrt((p_1 - l_1)^2 + (u_2 - p_2)^2)
    high = p_1 - p_2 + sqrt((u_1 - p_1)^2 + (p_2 - l_2)^2)

    Never outside -1 to 1 and sound with zero cells, hence the interval to turn into a number
    needed to treat (Bender 2001); a pool of risk differences uses `risk_difference` instead.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : float or array, (...)
        Counts; NaN gives NaN.
    level : float or array
        Coverage, strictly between 0 and 1.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, an n is below 1, or a level is not allowed.

    Source: Newcombe 1998, Stat Med 17:873, method 10.

    Examples
    --------
    >>> low, high = risk_difference_interval(56, 70, 48, 80)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0524 0.3339
    """
    a, size_1 = checked_events(events_1, n_1, events_name="events_1", n_name="n_1")
    c, size_2 = checked_events(events_2, n_2, events_name="events_2", n_name="n_2")
    a, size_1, c, size_2 = together(events_1=a, n_1=size_1, events_2=c, n_2=size_2)
    p1, p2 = a / size_1, c / size_2
    low_1, high_1 = wilson_interval(a, size_1, level=level)
    low_2, high_2 = wilson_interval(c, size_2, level=level)
    return Interval(
        plain(p1 - p2 - np.hypot(p1 - low_1, high_2 - p2)),
        plain(p1 - p2 + np.hypot(high_1 - p1, p2 - low_2)),
    )


def proportion_from_logit(value: ArrayLike) -> FloatOrArray:
    """Return the proportion of a log odds: 1 / (1 + exp(-value)); inverse of PLO.

    Raises
    ------
    ArgumentError
        If a value is not a finite number.
    """
    return plain(expit(numbers("value", value)))


def proportion_from_arcsine(value: ArrayLike) -> FloatOrArray:
    """Return the proportion of an arcsine root: sin(value)^2; inverse of PAS.

    Values below 0 or above pi/2, which a pooled interval can reach, count as 0 and 1.

    Raises
    ------
    ArgumentError
        If a value is not a finite number.
    """
    angle = np.clip(numbers("value", value), 0, np.pi / 2)
    return plain(np.sin(angle) ** 2)


def proportion_from_freeman_tukey(value: ArrayLike, n: ArrayLike) -> FloatOrArray:
    """Return the proportion of a Freeman-Tukey double arcsine; inverse of PFT at that n.

    With t = 2 value (Miller's double arcsine is the sum, ours is the mean of the two angles):
    p = (1 - sign(cos t) sqrt(1 - (sin t + (sin t - 1 / sin t) / n)^2)) / 2.

    Values beyond what 0 or n events give at this n count as 0 and 1.

    Parameters
    ----------
    value : float or array, (...)
        Radians, as `freeman_tukey_proportion` returns them.
    n : float or array, (...)
        People; for a pooled value the harmonic mean of the trials' n (Miller 1978). That choice
        can move the answer a great deal (Schwarzer 2019, Res Synth Methods 10:476): prefer the
        logit or `glmm_proportion` for pooling.

    Raises
    ------
    ArgumentError
        If an n is below 1 or a value is not a finite number.

    Source: Miller 1978, Am Stat 32:138; metafor `transf.ipft`.

    Examples
    --------
    >>> round(proportion_from_freeman_tukey(freeman_tukey_proportion(3, 20).yi, 20), 12)
    0.15
    """
    angle, size = together(value=numbers("value", value), n=numbers("n", n, at_least=1))
    low = np.asarray(freeman_tukey_proportion(np.zeros_like(size), size).yi)
    high = np.asarray(freeman_tukey_proportion(size, size).yi)
    t = 2 * np.clip(angle, low, high)
    inner = np.sin(t) + (np.sin(t) - 1 / np.sin(t)) / size
    p = (1 - np.sign(np.cos(t)) * np.sqrt(np.maximum(1 - inner**2, 0))) / 2
    return plain(np.where(angle <= low, 0.0, np.where(angle >= high, 1.0, p)))


@dataclass(frozen=True)
class NaturalFrequencies:
    """Two risks as people out of `per`; rounding happens in `text` only.

    Attributes
    ----------
    risk_1, risk_2 : float
        Proportions (0-1), treatment and control.
    per : int
        People of whom the counts are told, 1000 by default.
    """

    risk_1: float
    risk_2: float
    per: int = 1000

    @property
    def people_1(self) -> float:
        """People with the event out of `per` with treatment, not rounded."""
        return self.risk_1 * self.per

    @property
    def people_2(self) -> float:
        """People with the event out of `per` with control, not rounded."""
        return self.risk_2 * self.per

    def text(self, *, treatment: str = "LDN", control: str = "control") -> str:
        """Return one sentence; the difference told is that of the rounded counts."""
        if isnan(self.risk_1) or isnan(self.risk_2):
            return "not known"
        count_1, count_2 = floor(self.people_1 + 0.5), floor(self.people_2 + 0.5)
        more = count_1 - count_2
        told = f"{abs(more):,} {'more' if more > 0 else 'fewer'}" if more else "no difference"
        return (
            f"{count_1:,} of {self.per:,} with {treatment}, "
            f"{count_2:,} of {self.per:,} with {control}: {told}"
        )


def natural_frequencies(risk_1: float, risk_2: float, *, per: int = 1000) -> NaturalFrequencies:
    """Return two risks as people out of `per`, the form most readers understand best.

    Raises
    ------
    ArgumentError
        If a risk is outside 0 to 1 or `per` is not a whole number of at least 1.

    Source: Gigerenzer & Edwards 2003, BMJ 327:741.

    Examples
    --------
    >>> natural_frequencies(10 / 31, 0.11).text()
    '323 of 1,000 with LDN, 110 of 1,000 with control: 213 more'
    """
    return NaturalFrequencies(
        float(numbers("risk_1", risk_1, at_least=0, at_most=1)),
        float(numbers("risk_2", risk_2, at_least=0, at_most=1)),
        whole("per", per, at_least=1),
    )
