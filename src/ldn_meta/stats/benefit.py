"""Benefit in people: number needed to treat, and what a ratio means at a baseline risk."""

from dataclasses import dataclass
from math import floor, inf, isinf, isnan, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.counts import whole
from ldn_meta.stats.inputs import one_of
from ldn_meta.stats.values import FloatOrArray, Interval, numbers, plain, together

NNT_ROUNDING = ("nearest", "up", "either")


@dataclass(frozen=True)
class NumberNeededToTreat:
    """A number needed to treat with its interval, which may run through infinity.

    `signed` members are 1 / RD in the direction of benefit: positive is NNTB (number needed to
    treat for one more to benefit), negative NNTH (for one more to be harmed), infinite when the
    risk difference is 0. The interval runs from the bound best for treatment to the worst.

    Attributes
    ----------
    rd, rd_low, rd_high : float
        The risk difference (0-1) it was made from, as passed.
    benefit_sign : int
        +1 if the event is wanted, -1 if it is not.
    signed, best, worst : float
        Signed number needed to treat: the estimate and the two ends of its interval.
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
        return self.best > 0 > self.worst and not isnan(self.best + self.worst)

    def interval_text(self, *, decimals: int = 0) -> str:
        """Return the interval in words, such as "NNTB 5 to infinity to NNTH 20"."""
        if isnan(self.best) or isnan(self.worst):
            return "interval not known"
        through = " to infinity to " if self.crosses_infinity else " to "
        return f"{_in_words(self.best, decimals)}{through}{_in_words(self.worst, decimals)}"

    def text(self, *, decimals: int = 0) -> str:
        """Return estimate and interval in words; rounding (half up) happens here only."""
        return f"{_in_words(self.signed, decimals)} ({self.interval_text(decimals=decimals)})"

    def __str__(self) -> str:
        """Return `text` without decimals."""
        return self.text()


def number_needed_to_treat(
    rd: float, rd_low: float = nan, rd_high: float = nan, *, benefit_sign: int = 1
) -> NumberNeededToTreat:
    """Return the number needed to treat of a risk difference, with its interval.

    NNT = 1 / RD, and the bounds likewise. If RD's interval covers 0 the bounds do not enclose the
    estimate: the interval goes from NNTB through infinity (no difference) to NNTH.

    Parameters
    ----------
    rd, rd_low, rd_high : float
        Risk difference, treatment minus control, and its bounds (0-1 units). Bounds may be NaN.
        A bound beyond -1 or 1 (a Wald interval in a small trial) counts as -1 or 1.
    benefit_sign : {1, -1}
        1 if the event is wanted (a responder), -1 if not (an adverse event).

    Returns
    -------
    NumberNeededToTreat
        With `text()`; NaN members where the input is NaN.

    Raises
    ------
    ArgumentError
        If rd is outside -1 to 1, the bounds do not enclose it, or benefit_sign is not 1 or -1.

    Source: Altman 1998, BMJ 317:1309.

    Examples
    --------
    >>> number_needed_to_treat(0.10, -0.05, 0.25).text()
    'NNTB 10 (NNTB 4 to infinity to NNTH 20)'
    """
    if benefit_sign not in (1, -1):
        raise ArgumentError(f"benefit_sign: {benefit_sign!r} is not allowed; allowed: 1, -1")
    centre = float(numbers("rd", rd, at_least=-1, at_most=1))
    low, high = float(numbers("rd_low", rd_low)), float(numbers("rd_high", rd_high))
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

    Parameters
    ----------
    nnt : float
        As printed, at least 1, without sign.
    decimals : int
        Digits printed after the point.
    rounding : {"nearest", "up", "either"}
        How the paper rounded. Many round an NNT up to the next person; "either" takes the range
        of both.

    Returns
    -------
    Interval
        Smallest and largest |RD| (0-1), compared with the risk difference of the arms.

    Raises
    ------
    ArgumentError
        If nnt is below 1, decimals is negative, or the rounding is not known.

    Source: rounding interval of the printed number, turned by RD = 1 / NNT.

    Examples
    --------
    >>> risk_differences_from_nnt(5, rounding="nearest")
    Interval(low=0.18181818181818182, high=0.2222222222222222)
    """
    printed = float(numbers("nnt", nnt, at_least=1))
    step = 10.0 ** -whole("decimals", decimals, at_least=0)
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

    Parameters
    ----------
    risk_ratio : float or array, (...)
        Not logged, at least 0.
    baseline_risk : float or array, (...)
        Risk without treatment, 0 to 1.

    Raises
    ------
    ArgumentError
        If a ratio is negative or a risk is outside 0 to 1.

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

    Raises
    ------
    ArgumentError
        If a ratio is negative or a risk is outside 0 to 1.

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
