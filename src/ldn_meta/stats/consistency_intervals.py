"""An estimate, its interval and its p-value: do they belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, inf, isfinite, log

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    NOISE,
    Consistency,
    Printed,
    PrintedP,
    agreement,
    not_checkable,
)
from ldn_meta.stats.values import numbers, p_from_statistic, two_sided_quantile

Scale = Callable[[float], float]

# Share of the interval's width by which an estimate may be off the middle: profile-likelihood,
# score and bootstrap intervals are a little asymmetric (the tolerance of `estimate_is_centred`).
CENTRE_TOLERANCE = 0.1
# Levels a paper may mean that does not name one, the most usual first.
USUAL_LEVELS = (0.95, 0.90, 0.99)


def estimate_inside(estimate: Printed, low: Printed, high: Printed) -> Consistency:
    """Whether an estimate is inside its own interval, by the numbers that print as given.

    Parameters
    ----------
    estimate, low, high : Printed

    Raises
    ------
    ArgumentError
        If low is above high by more than rounding.
    """
    _ordered(low, high)
    return agreement(
        (estimate.low, estimate.high),
        (low.value + high.value) / 2,
        low.low,
        high.high,
        note=f"{estimate} beside an interval from {low} to {high}",
    )


def estimate_at_centre(
    estimate: Printed,
    low: Printed,
    high: Printed,
    *,
    is_ratio: bool = False,
    tolerance: float = CENTRE_TOLERANCE,
) -> Consistency:
    """Whether an estimate is in the middle of its interval, on a scale where it should be.

    A ratio belongs in the middle on the log scale (geometric centre); an interval made on the
    plain scale passes as well. Off the middle by more than rounding and by more than `tolerance`
    of the width, on every such scale, is inconsistent.

    Parameters
    ----------
    estimate, low, high : Printed
    is_ratio : bool
        Whether they are ratios (OR, RR, IRR), all above 0.
    tolerance : float
        Share of the width.

    Returns
    -------
    Consistency
        `recomputed` is the centre: geometric for ratios.

    Raises
    ------
    ArgumentError
        If low is above high, a ratio is not above 0, or the tolerance is negative.

    Source: the check of metafor's `conv.wald`, made aware of rounding.

    Examples
    --------
    >>> found = estimate_at_centre(
    ...     Printed(1.10, 2), Printed(0.78, 2), Printed(3.13, 2), is_ratio=True)
    >>> print(f"{found.verdict}: {found.recomputed:.2f}")
    inconsistent: 1.56
    """
    _ordered(low, high)
    numbers("tolerance", tolerance, at_least=0)
    for name, printed in (("estimate", estimate), ("low", low), ("high", high)):
        if is_ratio:
            numbers(name, printed.value, above=0)
    scales: tuple[Scale, ...] = (_log, _plain) if is_ratio else (_plain,)
    off = [_share_off_centre(estimate, low, high, scale) for scale in scales]
    back: Scale = exp if is_ratio else _plain
    to = scales[0]
    centre = back((to(low.value) + to(high.value)) / 2)
    centre_low, centre_high = (
        back((to(low.low) + to(high.low)) / 2),
        back((to(low.high) + to(high.high)) / 2),
    )
    kind = "geometric centre" if is_ratio else "middle"
    note = f"the {kind} of {low} to {high} is {centre:.3g}; {estimate} is printed"
    if off[0] > NOISE:
        note += f", off by {100 * off[0]:.0f}% of the width"
    verdict = CONSISTENT if min(off) <= tolerance + NOISE else INCONSISTENT
    return Consistency(verdict, centre, centre_low, centre_high, note)


def p_against_interval(
    estimate: Printed,
    low: Printed,
    high: Printed,
    p: PrintedP,
    *,
    is_ratio: bool = False,
    fewest_df: float = 1.0,
    levels: Sequence[float] = (0.95,),
) -> Consistency:
    """Whether a p-value belongs to an estimate and its interval.

    z = |estimate| / se with se = (high - low) / (2 q), q the quantile of the interval's level, all
    logged for ratios. Test and interval are taken to be of one kind: normal, or Student on any
    number of degrees of freedom from `fewest_df` up.

    Parameters
    ----------
    estimate, low, high : Printed
    p : PrintedP
        A number, two-sided.
    is_ratio : bool
    fewest_df : float
        Least degrees of freedom the analysis can have had; 1 if nothing is known.
    levels : sequence of float
        Coverages the interval can have; several if the paper names none.

    Returns
    -------
    Consistency
        `recomputed` is the p-value of the normal at the first level.

    Raises
    ------
    ArgumentError
        If low is above high, a ratio is not above 0, p is a word, or df or level are not allowed.

    Source: Altman & Bland 2011, BMJ 343:d2304 (p from a confidence interval), over the rounding
    of all numbers.

    Examples
    --------
    >>> found = p_against_interval(
    ...     Printed(-0.11, 2), Printed(-0.96, 2), Printed(0.74, 2), PrintedP("=", 0.31, 2))
    >>> print(f"{found.verdict}: {found.recomputed:.2f}")
    inconsistent: 0.80
    """
    _ordered(low, high)
    if p.is_word:
        raise ArgumentError(
            f"p: {p} is not allowed; allowed: a number (see word_against_interval)"
        )
    if is_ratio:
        for name, printed in (("estimate", estimate), ("low", low), ("high", high)):
            numbers(name, printed.value, above=0)
    scale = _log if is_ratio else _plain
    ends = scale(estimate.low), scale(estimate.high)
    crosses = ends[0] <= 0 <= ends[1]
    least = 0.0 if crosses else min(abs(end) for end in ends)
    most = max(abs(end) for end in ends)
    widest, narrowest = scale(high.high) - scale(low.low), scale(high.low) - scale(low.high)
    width = scale(high.value) - scale(low.value)
    if width <= 0:
        return not_checkable("the interval has no width")
    found = [
        _p_of_share(share, level=level, df=df)
        for share in (2 * least / widest, 2 * most / narrowest if narrowest > 0 else inf)
        for level in levels
        for df in (float(fewest_df), inf)
    ]
    recomputed = _p_of_share(2 * abs(scale(estimate.value)) / width, level=levels[0], df=inf)
    p_low, p_high = min(found), max(found)
    note = (
        f"estimate and interval give p = {recomputed:.3g} ({p_low:.3g} to {p_high:.3g} with "
        f"rounding and small samples); {p} is printed"
    )
    return agreement((p.low, p.high), recomputed, p_low, p_high, note=note)


def word_against_interval(
    word: PrintedP, low: Printed, high: Printed, *, is_ratio: bool = False
) -> Consistency:
    """Whether "significant" or "not significant" fits an interval.

    "ns" needs an interval that can hold no effect (0, or 1 for ratios), "sig" one that can
    exclude it. Assumes the level of interval and of test to be the same.

    Parameters
    ----------
    word : PrintedP
        "ns" or "sig".
    low, high : Printed
    is_ratio : bool

    Returns
    -------
    Consistency
        `recomputed` is the bound nearer to no effect.

    Raises
    ------
    ArgumentError
        If low is above high or `word` is a number.
    """
    _ordered(low, high)
    if not word.is_word:
        raise ArgumentError(f"word: {word} is not allowed; allowed: ns, sig")
    nothing = 1.0 if is_ratio else 0.0
    can_hold = low.low <= nothing <= high.high
    can_exclude = low.high >= nothing or high.low <= nothing
    fits = can_hold if word.relation == "ns" else can_exclude
    nearer = min((low.value, high.value), key=lambda bound: abs(bound - nothing))
    told = "not significant" if word.relation == "ns" else "significant"
    note = f"called {told}; the interval runs from {low} to {high}"
    return Consistency(CONSISTENT if fits else INCONSISTENT, nearer, low.low, high.high, note)


def _share_off_centre(estimate: Printed, low: Printed, high: Printed, scale: Scale) -> float:
    """How far off the middle an estimate is beyond all rounding, as a share of the width."""
    middle_low = (scale(low.low) + scale(high.low)) / 2
    middle_high = (scale(low.high) + scale(high.high)) / 2
    beyond = max(scale(estimate.low) - middle_high, middle_low - scale(estimate.high), 0.0)
    width = scale(high.high) - scale(low.low)
    return beyond / width if beyond > NOISE and isfinite(width) and width > 0 else 0.0


def _p_of_share(share: float, *, level: float, df: float) -> float:
    """Two-sided p where the estimate is `share` of half the width of its interval."""
    if share == inf:
        return 0.0
    statistic = share * float(two_sided_quantile(level, df))
    return float(p_from_statistic(np.asarray(statistic), np.asarray(df), two_sided=True))


def _plain(value: float) -> float:
    return value


def _log(value: float) -> float:
    # A ratio printed as 0.0 can be anything down to 0, whose log is minus infinity.
    return log(value) if value > 0 else -inf


def _ordered(low: Printed, high: Printed) -> None:
    if low.low > high.high:
        raise ArgumentError(f"low: {low} is above high {high}; allowed: low <= high")
