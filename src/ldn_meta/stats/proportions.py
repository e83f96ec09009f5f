"""How common an event is, with what uncertainty, and in numbers of people."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf, isinf, isnan, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    ARCSINE,
    DOUBLE_ARCSINE,
    LOGIT,
    FloatOrArray,
    Interval,
    back,
    checked,
    from_data,
    levels,
    numbers,
    one_number,
    one_of,
    plain,
    together,
)
from ldn_meta.stats.printed import MOST_DECIMALS, whole

NNT_ROUNDING = ("nearest", "up", "either")


@dataclass(frozen=True)
class NumberNeededToTreat:
    """A number needed to treat with its interval, which may run through infinity.

    `signed` members are 1 / RD in the direction of benefit: positive is NNTB (number needed to
    treat for one more to benefit), negative NNTH (for one more to be harmed), infinite when the
    risk difference is 0. The interval runs from the bound best for treatment to the worst.
    """

    rd: float
    rd_low: float
    rd_high: float
    benefit_sign: int
    signed: float
    best: float
    worst: float

    @property
    def crosses_infinity(self) -> bool:
        """Whether the interval holds benefit, no difference and harm."""
        return self.best > 0 > self.worst

    def interval_text(self, *, decimals: int = 0) -> str:
        """Return the interval in words, such as "NNTB 5 to infinity to NNTH 20"."""
        decimals = whole("decimals", decimals, at_least=0, at_most=MOST_DECIMALS)
        if isnan(self.best) or isnan(self.worst):
            return "interval not known"
        through = " to infinity to " if self.crosses_infinity else " to "
        return f"{_in_words(self.best, decimals)}{through}{_in_words(self.worst, decimals)}"

    def text(self, *, decimals: int = 0) -> str:
        """Return estimate and interval in words; rounding (half up) happens here only."""
        decimals = whole("decimals", decimals, at_least=0, at_most=MOST_DECIMALS)
        interval = self.interval_text(decimals=decimals)
        return f"{_in_words(self.signed, decimals)} ({interval})"

    def __str__(self) -> str:
        """Return `text` without decimals."""
        return self.text()


def number_needed_to_treat(
    rd: float, rd_low: float = nan, rd_high: float = nan, *, benefit_sign: int = 1
) -> NumberNeededToTreat:
    """Return the number needed to treat of a risk difference, with its interval.

    NNT = 1 / RD, and the bounds likewise. If RD's interval covers 0 the bounds do not enclose the
    estimate: the interval goes from NNTB through infinity (no difference) to NNTH.


    Source: Altman 1998, BMJ 317:1309.

    Examples
    --------
    >>> number_needed_to_treat(0.10, -0.05, 0.25).text()
    'NNTB 10 (NNTB 4 to infinity to NNTH 20)'
    """
    if one_number("benefit_sign", benefit_sign) not in (1, -1):
        raise ArgumentError(f"benefit_sign: {benefit_sign!r} is not allowed; allowed: 1, -1")
    centre = one_number("rd", rd, at_least=-1, at_most=1)
    low, high = one_number("rd_low", rd_low), one_number("rd_high", rd_high)
    if low > centre or high < centre:
        raise ArgumentError(
            f"rd: {centre:g} is outside its interval {low:g} to {high:g}; "
            "allowed: rd_low <= rd <= rd_high"
        )
    least, most = (low, high) if benefit_sign == 1 else (-high, -low)
    return NumberNeededToTreat(
        rd=centre,
        rd_low=low,
        rd_high=high,
        benefit_sign=benefit_sign,
        signed=_reciprocal(benefit_sign * centre, inf),
        best=_reciprocal(most, -inf),
        worst=_reciprocal(least, inf),
    )


def risk_differences_from_nnt(
    nnt: float, *, decimals: int = 0, rounding: str = "either"
) -> Interval:
    """Return the range of |RD| whose number needed to treat prints as `nnt`.

    Source: rounding interval of the printed number, turned by RD = 1 / NNT.

    Examples
    --------
    >>> risk_differences_from_nnt(5, rounding="nearest")
    Interval(low=0.18181818181818182, high=0.2222222222222222)
    """
    printed = one_number("nnt", nnt, at_least=1)
    step = 10.0 ** -whole("decimals", decimals, at_least=0, at_most=MOST_DECIMALS)
    one_of("rounding", rounding, NNT_ROUNDING)
    low = printed - (step / 2 if rounding == "nearest" else step)
    high = printed + (0.0 if rounding == "up" else step / 2)
    return Interval(1 / high, 1 / max(low, 1.0))


class AbsoluteEffect(NamedTuple):
    """What a relative effect means at one baseline risk; proportions (0-1)."""

    risk: FloatOrArray
    difference: FloatOrArray


def absolute_effect_from_risk_ratio(
    risk_ratio: ArrayLike, baseline_risk: ArrayLike
) -> AbsoluteEffect:
    """Return the risk with treatment, and its difference from the baseline risk.

    risk = min(1, RR baseline);  difference = risk - baseline. Assumes that the ratio holds at
    this baseline. For an interval, pass the bounds of the ratio.


    Source: Cochrane Handbook 15.4.4.

    Examples
    --------
    >>> absolute_effect_from_risk_ratio(1.5, 0.2).difference
    0.10000000000000003
    """
    ratio, baseline = together(
        risk_ratio=numbers("risk_ratio", risk_ratio, at_least=0),
        baseline_risk=numbers("baseline_risk", baseline_risk, at_least=0, at_most=1),
    )
    risk = np.minimum(ratio * baseline, 1.0)
    return AbsoluteEffect(plain(risk), plain(risk - baseline))


def absolute_effect_from_odds_ratio(
    odds_ratio: ArrayLike, baseline_risk: ArrayLike
) -> AbsoluteEffect:
    """Return the risk with treatment, and its difference from the baseline risk.

    risk = OR baseline / (1 - baseline + OR baseline).


    Source: Cochrane Handbook 15.4.4.
    """
    ratio, baseline = together(
        odds_ratio=numbers("odds_ratio", odds_ratio, at_least=0),
        baseline_risk=numbers("baseline_risk", baseline_risk, at_least=0, at_most=1),
    )
    odds_share = ratio * baseline
    total = 1 - baseline + odds_share
    # OR = 0 at a baseline of 1 has no answer; everything else has.
    risk = odds_share / np.where(total > 0, total, np.nan)
    return AbsoluteEffect(plain(risk), plain(risk - baseline))


def _reciprocal(difference: float, at_zero: float) -> float:
    if difference == 0:
        return at_zero
    # No risk difference is beyond 1, so no number needed to treat is below 1.
    return 1 / max(-1.0, min(1.0, difference)) if not isnan(difference) else nan


def _in_words(signed: float, decimals: int) -> str:
    if isnan(signed):
        return "not known"
    if isinf(signed):
        return "infinity"
    step = 10**decimals
    half_up = floor(abs(signed) * step + 0.5) / step
    return f"{'NNTB' if signed > 0 else 'NNTH'} {half_up:.{decimals}f}"


@from_data("events", "n")
def wilson_interval(
    events: ArrayLike, n: ArrayLike, *, data: Any = None, level: ArrayLike = 0.95
) -> Interval:
    """Return Wilson's score interval for a proportion, without continuity correction.

    centre = (p + z^2 / 2n) / (1 + z^2 / n)
    half   = z / (1 + z^2 / n) sqrt(p (1 - p) / n + z^2 / 4n^2)


    Source: Wilson 1927, J Am Stat Assoc 22:209; Newcombe 1998, Stat Med 17:857, method 3.

    Examples
    --------
    >>> low, high = wilson_interval(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")
    0.2553 0.3662
    """
    return _interval("wilson", events, n, level)


@from_data("events", "n")
def clopper_pearson_interval(
    events: ArrayLike, n: ArrayLike, *, data: Any = None, level: ArrayLike = 0.95
) -> Interval:
    """Return Clopper and Pearson's interval for a proportion: never covers less than its level.

    low  = the p at which as many events or more have probability (1 - level) / 2
    high = the p at which as many or fewer have it


    Source: Clopper & Pearson 1934, Biometrika 26:404.

    Examples
    --------
    >>> low, high = clopper_pearson_interval(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")
    0.2527 0.3676
    """
    return _interval("beta", events, n, level)


def _interval(method: str, events: ArrayLike, n: ArrayLike, level: ArrayLike) -> Interval:
    # A second to import, which only those who ask for an interval pay.
    from statsmodels.stats.proportion import proportion_confint

    inside = levels(level)
    count, size = checked(events=events, n=n)
    count, size, tail = (x.copy() for x in together(events=count, n=size, level=1 - inside))
    low, high = proportion_confint(count, size, alpha=tail, method=method)
    # Its Wilson interval misses 0 and 1 by a rounding error, which six digits show at 0.
    low, high = np.where(count == 0, 0.0, low), np.where(count == size, 1.0, high)
    return Interval(plain(low), plain(high))


@from_data("events_1", "n_1", "events_2", "n_2")
def risk_difference_interval(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    data: Any = None,
    level: ArrayLike = 0.95,
) -> Interval:
    """Return Newcombe's interval for p_1 - p_2, built from the two Wilson intervals (l, u).

    low  = p_1 - p_2 - sqrt((p_1 - l_1)^2 + (u_2 - p_2)^2)
    high = p_1 - p_2 + sqrt((u_1 - p_1)^2 + (p_2 - l_2)^2)

    Never outside -1 to 1 and sound with zero cells, hence the interval to turn into a number
    needed to treat (Bender 2001); a pool of risk differences uses `risk_difference` instead.


    Source: Newcombe 1998, Stat Med 17:873, method 10.

    Examples
    --------
    >>> low, high = risk_difference_interval(56, 70, 48, 80)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0524 0.3339
    """
    a, size_1, c, size_2 = checked(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    p1, p2 = a / size_1, c / size_2
    low_1, high_1 = wilson_interval(a, size_1, level=level)
    low_2, high_2 = wilson_interval(c, size_2, level=level)
    return Interval(
        plain(p1 - p2 - np.hypot(p1 - low_1, high_2 - p2)),
        plain(p1 - p2 + np.hypot(high_1 - p1, p2 - low_2)),
    )


def proportion_from_logit(value: ArrayLike) -> FloatOrArray:
    """Return the proportion of a log odds: 1 / (1 + exp(-value)); inverse of PLO."""
    return back(numbers("value", value), LOGIT)


def proportion_from_arcsine(value: ArrayLike) -> FloatOrArray:
    """Return the proportion of an arcsine root: sin(value)^2; inverse of PAS.

    Values below 0 or above pi/2, which a pooled interval can reach, count as 0 and 1.
    """
    return back(numbers("value", value), ARCSINE)


def proportion_from_freeman_tukey(value: ArrayLike, n: ArrayLike) -> FloatOrArray:
    """Return the proportion of a Freeman-Tukey double arcsine; inverse of PFT at that n.

    With t = 2 value (Miller's double arcsine is the sum, ours is the mean of the two angles):
    p = (1 - sign(cos t) sqrt(1 - (sin t + (sin t - 1 / sin t) / n)^2)) / 2.

    Values beyond what 0 or n events give at this n count as 0 and 1.


    Source: Miller 1978, Am Stat 32:138; metafor `transf.ipft`.

    Examples
    --------
    >>> round(proportion_from_freeman_tukey(0.41961506386735614, 20), 12)
    0.15
    """
    return back(numbers("value", value), DOUBLE_ARCSINE, n)


@dataclass(frozen=True)
class NaturalFrequencies:
    """Two risks as people out of `per`; rounding happens in `text` only."""

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

    def text(self, *, treatment: str = "treatment", control: str = "control") -> str:
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

    Source: Gigerenzer & Edwards 2003, BMJ 327:741.

    Examples
    --------
    >>> natural_frequencies(10 / 31, 0.11).text()
    '323 of 1,000 with treatment, 110 of 1,000 with control: 213 more'
    """
    return NaturalFrequencies(
        one_number("risk_1", risk_1, at_least=0, at_most=1),
        one_number("risk_2", risk_2, at_least=0, at_most=1),
        whole("per", per, at_least=1),
    )
