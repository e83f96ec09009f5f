"""Whether printed numbers can belong together.

A printed number stands for everything that prints like it. A check recomputes one printed number
from others and calls them inconsistent only if no numbers that print as given fit together;
whatever a paper may have done otherwise (rounding or cutting off a p, a t or a normal statistic)
counts as fitting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, exp, floor, inf, isfinite, isnan, log, nan, sqrt

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import numbers, one_of, p_from_statistic, two_sided_quantile
from ldn_meta.stats.convert import change_sd, sd_from_ci, sd_from_se
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.printed import (
    NOT_SIGNIFICANT_ABOVE,
    TWO_BY_TWO_TESTS,
    counts_from_percent,
    counts_of_steps,
    p_interval,
    percent_steps,
    rounded_interval,
    whole,
)
from ldn_meta.stats.proportions import risk_differences_from_nnt

CONSISTENT, INCONSISTENT, NOT_CHECKABLE = "consistent", "inconsistent", "not checkable"
WORDS = ("ns", "sig")
# Twelve digits, so that 0.3 counts as 0.1 + 0.2.
NOISE = 1e-12


@dataclass(frozen=True)
class Consistency:
    """What a check found."""

    verdict: str
    recomputed: float
    low: float
    high: float
    note: str


@dataclass(frozen=True)
class Printed:
    """A number as printed: everything from `low` to `high` prints like this."""

    value: float
    decimals: int

    low: float = field(init=False)
    high: float = field(init=False)

    def __post_init__(self) -> None:
        low, high = rounded_interval(self.value, self.decimals)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def size(self) -> tuple[float, float]:
        """Smallest and largest absolute value that prints like this."""
        ends = abs(self.low), abs(self.high)
        return (0.0 if self.low <= 0 <= self.high else min(ends)), max(ends)

    def __str__(self) -> str:
        """Return the number as printed."""
        return f"{self.value:.{self.decimals}f}"


@dataclass(frozen=True)
class PrintedP:
    """A p-value as printed, or a word about significance.

    "= 0.35" stands for 0.345 to 0.36: papers round p, and some cut it off. "ns" is above 0.05 and
    "sig" below it.
    """

    relation: str
    value: float = nan
    decimals: int = 0

    def __post_init__(self) -> None:
        one_of("relation", self.relation, ("=", "<", "<=", ">", ">=", *WORDS))
        if self.is_word != isnan(self.value):
            raise ArgumentError(
                f"value: {self.value!r} beside {self.relation!r} is not allowed; allowed: a "
                "p-value with a relation, none with a word"
            )
        if not self.is_word:
            numbers("value", self.value, at_least=0, at_most=1)
            whole("decimals", self.decimals, at_least=0)

    @property
    def is_word(self) -> bool:
        """Whether only significance is stated."""
        return self.relation in WORDS

    @property
    def low(self) -> float:
        """Smallest p-value that prints like this."""
        if self.is_word:
            return NOT_SIGNIFICANT_ABOVE if self.relation == "ns" else 0.0
        return float(p_interval(self.relation, self.value, decimals=self.decimals).low)

    @property
    def high(self) -> float:
        """Largest p-value that prints like this."""
        if self.is_word:
            return 1.0 if self.relation == "ns" else NOT_SIGNIFICANT_ABOVE
        if self.relation == "=":
            return float(min(1.0, self.value + 10.0**-self.decimals))
        return float(p_interval(self.relation, self.value).high)

    @property
    def is_significant(self) -> bool | None:
        """Whether p is below 0.05; None if the print leaves it open."""
        if self.relation == "=":
            return self.value <= NOT_SIGNIFICANT_ABOVE
        if self.high <= NOT_SIGNIFICANT_ABOVE:
            return True
        return False if self.low >= NOT_SIGNIFICANT_ABOVE else None

    def __str__(self) -> str:
        """Return the p-value as printed."""
        shown = "" if self.is_word else f" {self.value:.{self.decimals}f}"
        return f"{self.relation}{shown}" if self.is_word else f"p {self.relation}{shown}"


def judged(fits: bool, recomputed: float, low: float, high: float, note: str) -> Consistency:
    """Call what fits consistent."""
    return Consistency(CONSISTENT if fits else INCONSISTENT, recomputed, low, high, note)


def agreement(
    printed: tuple[float, float],
    recomputed: float,
    low: float,
    high: float,
    *,
    note: str,
) -> Consistency:
    """Compare what is printed with what the other numbers allow; touching is agreeing."""
    slack = NOISE * max(*(abs(end) for end in (*printed, low, high) if abs(end) < inf), 1.0)
    fits = printed[0] <= high + slack and printed[1] >= low - slack
    return judged(fits, recomputed, low, high, note)


def not_checkable(note: str) -> Consistency:
    """Say why there is nothing to compare."""
    return Consistency(NOT_CHECKABLE, nan, nan, nan, note)


def same_value(one: Printed, other: Printed) -> Consistency:
    """Whether two printed numbers can be the same number, printed with other digits.

    Examples
    --------
    >>> same_value(Printed(1.6, 1), Printed(1.64, 2)).verdict
    'consistent'
    """
    note = f"{one} and {other}"
    return agreement((one.low, one.high), other.value, other.low, other.high, note=note)


def same_p(one: PrintedP, other: PrintedP) -> Consistency:
    """Whether two statements about p can both be right.

    Examples
    --------
    >>> same_p(PrintedP("ns"), PrintedP("=", 0.04, 2)).verdict
    'inconsistent'
    """
    # "ns" begins above 0.05, where 0.04 that was cut off ends: touching is not agreeing here.
    fits = min(one.high, other.high) > max(one.low, other.low)
    return judged(fits, other.value, other.low, other.high, f"{one} and {other}")


# More possible denominators than these are told by their ends.
LISTED = 6


def percent_against_n(percent: Printed, n: int, *, events: int | None = None) -> Consistency:
    """Whether a percentage is a whole number of n people (GRIM).

    Source: Brown & Heathers 2017, Soc Psychol Personal Sci 8:363.

    Examples
    --------
    >>> percent_against_n(Printed(88, 0), 20).verdict
    'inconsistent'
    """
    counts = counts_from_percent(percent.value, percent.decimals, n)
    below, above = floor(percent.value * n / 100), ceil(percent.value * n / 100)
    low, high = 100 * below / n, 100 * above / n
    if events is not None:
        if not 0 <= whole("events", events, at_least=0) <= n:
            raise ArgumentError(f"events: {events} is not allowed; allowed: 0 to n ({n})")
        share = 100 * events / n
        note = f"{events} of {n} is {share:.3g}%; {percent}% is printed"
        return judged(events in counts, share, share, share, note)
    if counts:
        nearest = 100 * counts[len(counts) // 2] / n
        note = f"{percent}% is {_listed(counts)} of {n}"
    else:
        nearest = min((low, high), key=lambda share: abs(share - percent.value))
        parts = f"{below}/{n} is {low:.1f}%, {above}/{n} {high:.1f}%"
        note = f"{percent}% is no whole number of {n}: {parts}"
    return judged(bool(counts), nearest, low, high, note)


def denominators(percent: Printed, up_to: int, *, events: int | None = None) -> tuple[int, ...]:
    """Return every number of people up to `up_to` that the percentage can be of.

    Examples
    --------
    >>> denominators(Printed(88, 0), 20)
    (8, 16, 17)
    """
    steps = percent_steps(percent.value, percent.decimals)
    found = []
    for n in range(1, whole("up_to", up_to, at_least=1) + 1):
        counts = counts_of_steps(steps, percent.decimals, n)
        if counts and (events is None or events in counts):
            found.append(n)
    return tuple(found)


def percent_of_some_n(
    percent: Printed, fewest: int, most: int, *, events: int | None = None
) -> Consistency:
    """Whether a percentage is a whole number of any number of people between two sizes.

    For percentages printed without their denominator: whoever was analysed, there were at least
    those who completed and at most those who began.
    """
    whole("fewest", fewest, at_least=1)
    if whole("most", most, at_least=1) < fewest:
        raise ArgumentError(f"most: {most} is below fewest {fewest}; allowed: fewest <= most")
    possible = denominators(percent, most, events=events)
    fits = [n for n in possible if n >= fewest]
    of = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    what = f"{percent}%" if events is None else f"{events} being {percent}%"
    if fits:
        note = f"{what} fits {_listed(fits)} people"
    else:
        fewer = f"it fits {_listed(possible)} people" if possible else "it fits no smaller number"
        note = f"{what} fits no arm of {of} people; {fewer}"
    return judged(bool(fits), nan, *_ends(possible), note)


def common_denominator(
    percents: Sequence[Printed],
    up_to: int,
    *,
    events: Sequence[int | None] | None = None,
) -> Consistency:
    """Whether several percentages can be of one and the same number of people.

    Examples
    --------
    >>> common_denominator([Printed(28, 0), Printed(8, 0)], 20).verdict
    'inconsistent'
    """
    counted = [None] * len(percents) if events is None else list(events)
    if len(counted) != len(percents):
        raise ArgumentError(
            f"events: {len(counted)} are not allowed; allowed: {len(percents)}, one a percentage"
        )
    sets = [
        denominators(percent, up_to, events=count)
        for percent, count in zip(percents, counted, strict=True)
    ]
    common = sorted(set(sets[0]).intersection(*sets[1:])) if sets else []
    shown = ", ".join(f"{percent}%" for percent in percents)
    if common:
        note = f"{shown} fit {_listed(common)} people"
    else:
        parts = "; ".join(
            f"{percent}% fits {_listed(found) if found else 'none'}"
            for percent, found in zip(percents, sets, strict=True)
        )
        note = f"{shown} fit no common number of people up to {up_to}: {parts}"
    return judged(bool(common), nan, *_ends(common), note)


def mean_of_whole_scores(mean: Printed, n: int, *, items: int = 1) -> Consistency:
    """Whether a mean can come from n people whose scores are whole numbers (GRIM).

    Source: Brown & Heathers 2017, Soc Psychol Personal Sci 8:363.

    Examples
    --------
    >>> mean_of_whole_scores(Printed(5.19, 2), 28).verdict
    'inconsistent'
    """
    grains = whole("n", n, at_least=1) * whole("items", items, at_least=1)
    below, above = floor(mean.value * grains) / grains, ceil(mean.value * grains) / grains
    # Every multiple of 1 / grains between the ends prints like the mean; ties go either way.
    slack = 1e-9
    fits = ceil(mean.low * grains - slack) <= floor(mean.high * grains + slack)
    nearest = min((below, above), key=lambda value: abs(value - mean.value))
    words = "a possible mean" if fits else "no possible mean"
    near = f"the nearest are {below:.4g} and {above:.4g}"
    note = f"{mean} is {words} of whole scores of {n} people; {near}"
    return judged(fits, nearest, below, above, note)


def _ends(found: Sequence[int]) -> tuple[float, float]:
    return (float(found[0]), float(found[-1])) if found else (nan, nan)


def _listed(found: Sequence[int]) -> str:
    if len(found) == 1:
        return str(found[0])
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return f"{found[0]} to {found[-1]}"
    if len(found) <= LISTED:
        return f"{', '.join(map(str, found[:-1]))} or {found[-1]}"
    return f"{len(found)} numbers from {found[0]} to {found[-1]}"


Scale = Callable[[float], float]

# Share of the interval's width by which an estimate may be off the middle: profile-likelihood,
# score and bootstrap intervals are a little asymmetric (the tolerance of `estimate_is_centred`).
CENTRE_TOLERANCE = 0.1
# Levels a paper may mean that does not name one, the most usual first.
USUAL_LEVELS = (0.95, 0.90, 0.99)


def estimate_inside(estimate: Printed, low: Printed, high: Printed) -> Consistency:
    """Whether an estimate is inside its own interval, by the numbers that print as given."""
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


    Source: the check of metafor's `conv.wald`, made aware of rounding.

    Examples
    --------
    >>> found = estimate_at_centre(
    ...     Printed(1.10, 2), Printed(0.78, 2), Printed(3.13, 2), is_ratio=True)
    >>> print(f"{found.verdict}: {found.recomputed:.2f}")
    inconsistent: 1.56
    """
    _check(estimate, low, high, is_ratio=is_ratio)
    numbers("tolerance", tolerance, at_least=0)
    scales: tuple[Scale, ...] = (_log, _plain) if is_ratio else (_plain,)
    off = [_share_off_centre(estimate, low, high, scale) for scale in scales]
    back: Scale = exp if is_ratio else _plain
    to = scales[0]
    centre = back((to(low.value) + to(high.value)) / 2)
    centre_low = back((to(low.low) + to(high.low)) / 2)
    centre_high = back((to(low.high) + to(high.high)) / 2)
    kind = "geometric centre" if is_ratio else "middle"
    note = f"the {kind} of {low} to {high} is {centre:.3g}; {estimate} is printed"
    if off[0] > NOISE:
        note += f", off by {100 * off[0]:.0f}% of the width"
    return judged(min(off) <= tolerance + NOISE, centre, centre_low, centre_high, note)


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


    Source: Altman & Bland 2011, BMJ 343:d2304 (p from a confidence interval), over the rounding
    of all numbers.

    Examples
    --------
    >>> found = p_against_interval(
    ...     Printed(-0.11, 2), Printed(-0.96, 2), Printed(0.74, 2), PrintedP("=", 0.31, 2))
    >>> print(f"{found.verdict}: {found.recomputed:.2f}")
    inconsistent: 0.80
    """
    _check(estimate, low, high, is_ratio=is_ratio)
    if p.is_word:
        raise ArgumentError(
            f"p: {p} is not allowed; allowed: a number (see word_against_interval)"
        )
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
    return judged(fits, nearer, low.low, high.high, note)


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


def _check(estimate: Printed, low: Printed, high: Printed, *, is_ratio: bool) -> None:
    _ordered(low, high)
    for name, printed in (("estimate", estimate), ("low", low), ("high", high)):
        if is_ratio:
            numbers(name, printed.value, above=0)


def _ordered(low: Printed, high: Printed) -> None:
    if low.low > high.high:
        raise ArgumentError(f"low: {low} is above high {high}; allowed: low <= high")


# Two arms more than two standard deviations apart are rarer than an SE that was typed as an SD
# (metafor's `escalc` warns from there; house style rule 11).
IMPLAUSIBLE_G = 2.0
# Correlations of baseline and end between which the robustness analyses look.
LOWEST_CORRELATION, HIGHEST_CORRELATION = 0.3, 0.9


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
    """
    numbers("sd", sd.value, at_least=0)
    numbers("n", n, at_least=2)
    _ordered(low, high)
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
    return judged(not g > IMPLAUSIBLE_G, g, as_se, g, note)


def standardised_against_difference(
    standardised: Printed,
    difference: Printed,
    sds: Sequence[Printed],
    *,
    changes: Sequence[tuple[Printed, Printed]] = (),
) -> Consistency:
    """Whether a standardised difference can be the printed difference over a printed SD.

    difference / d is the SD that was divided by. It should be among the printed SDs, or be that
    of the change (correlation of baseline and end from 0.3 to 0.9). A plausibility check: a
    model's own spread can be another.
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
            (one.low, other.low, HIGHEST_CORRELATION),
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


STATISTICS = ("t", "z", "F", "chi2", "r")
# Where a paper does not print degrees of freedom, every number from 1 up is possible.
ANY_DF = (1.0, inf)
# Tests that are not computed (mid-p, Barnard, Boschloo) were within this factor of those that are
# in 583 random tables of 4 to 60 people an arm with p above 0.0001; the largest was 3.3.
OTHER_TESTS = 4.0


def p_of_statistic(name: str, statistic: float, *, df: float = inf, df_2: float = inf) -> float:
    """Return the two-sided p-value of a test statistic.

    Examples
    --------
    >>> print(f"{p_of_statistic('t', 2.20, df=28):.4f}")
    0.0362
    """
    one_of("name", name, STATISTICS)
    at_least = 0.0 if name in ("F", "chi2") else -inf
    at_most = 1.0 if name == "r" else inf
    value = float(numbers("statistic", statistic, at_least=at_least, at_most=at_most))
    first = float(numbers("df", df, above=0, finite=False))
    second = float(numbers("df_2", df_2, above=0, finite=False))
    if name == "r":
        if abs(value) == 1:
            return 0.0
        value *= sqrt(first / (1 - value**2))
    if name == "z" or (name in ("t", "r") and first == inf):
        return float(2 * ndtr(-abs(value)))
    if name in ("t", "r"):
        return float(2 * stdtr(first, -abs(value)))
    if name == "chi2" or second == inf:
        return float(chdtrc(first, value * (first if name == "F" else 1)))
    return float(fdtrc(first, second, value))


def p_against_statistic(
    name: str, statistic: Printed, p: PrintedP, *, df: float = nan, df_2: float = nan
) -> Consistency:
    """Whether a p-value belongs to a test statistic and its degrees of freedom.

    Source: Nuijten et al. 2016, Behav Res Methods 48:1205 (statcheck).

    Examples
    --------
    >>> p_against_statistic("t", Printed(1.02, 2), PrintedP("<", 0.05, 2), df=48).verdict
    'inconsistent'
    """
    one_of("name", name, STATISTICS)
    if isnan(df) and name in ("chi2", "r"):
        return not_checkable(f"degrees of freedom of {name} are not printed")
    first: tuple[float, ...] = (df,)
    second: tuple[float, ...] = (inf,)
    if name == "F":
        first = (1.0,) if isnan(df) else (df,)
        second = ANY_DF if isnan(df_2) else (df_2,)
    elif name == "z":
        first = (inf,)
    elif isnan(df):
        first = ANY_DF
    sizes = statistic.size
    if name == "r":
        sizes = min(sizes[0], 1.0), min(sizes[1], 1.0)
    found = [
        p_of_statistic(name, size, df=one, df_2=other)
        for size in sizes
        for one in first
        for other in second
    ]
    recomputed = p_of_statistic(name, abs(statistic.value), df=max(first), df_2=max(second))
    words = "" if len(found) == len(sizes) else ", degrees of freedom not printed"
    note = (
        f"{name} = {statistic} gives p = {recomputed:.3g} "
        f"({min(found):.3g} to {max(found):.3g}{words}); {p} is printed"
    )
    return agreement((p.low, p.high), recomputed, min(found), max(found), note=note)


def p_against_counts(
    arm_1: Iterable[tuple[int, int]], arm_2: Iterable[tuple[int, int]], p: PrintedP
) -> Consistency:
    """Whether a p-value can come from the counts of two separate arms.

    Pearson's and Yates' chi-squared, the likelihood ratio, Fisher's exact and the unpooled z test
    give a range of p for a pair of counts; within a factor of OTHER_TESTS of that range is where
    the other tests of a 2x2 table lie. A paper may have used any of them.

    Examples
    --------
    >>> p_against_counts([(4, 6)], [(1, 6)], PrintedP("=", 0.09, 2)).verdict
    'consistent'
    """
    pairs = [(one, other) for one in arm_1 for other in arm_2]
    ranges = []
    for (events_1, n_1), (events_2, n_2) in pairs:
        found = _two_by_two(events_1, n_1, events_2, n_2)
        if found:
            ranges.append((min(found) / OTHER_TESTS, min(1.0, max(found) * OTHER_TESTS)))
    if not ranges:
        return not_checkable("no test: nobody or everybody had the event")
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    (events_1, n_1), (events_2, n_2) = pairs[0]
    alone = f"{events_1}/{n_1} against {events_2}/{n_2}"
    counts = alone if len(pairs) == 1 else f"{len(pairs)} pairs of counts that fit the percentages"
    note = f"{counts}: p from {low:.2g} to {high:.2g} by whatever test; {p} is printed"
    recomputed = float(TWO_BY_TWO_TESTS["chi-squared"](events_1, n_1, events_2, n_2))
    fits = any(p.low <= most and p.high >= least for least, most in ranges)
    return judged(fits, recomputed, low, high, note)


def _two_by_two(events_1: int, n_1: int, events_2: int, n_2: int) -> list[float]:
    """The p-values of the tests of one table; none if nobody or everybody had the event."""
    found = [float(test(events_1, n_1, events_2, n_2)) for test in TWO_BY_TWO_TESTS.values()]
    total, events = n_1 + n_2, events_1 + events_2
    if events in (0, total):
        return []
    share = events / total
    cells = (
        (events_1, n_1 * share),
        (n_1 - events_1, n_1 * (1 - share)),
        (events_2, n_2 * share),
        (n_2 - events_2, n_2 * (1 - share)),
    )
    ratio = 2 * sum(seen * log(seen / expected) for seen, expected in cells if seen)
    found.append(float(chdtrc(1, max(ratio, 0.0))))
    share_1, share_2 = events_1 / n_1, events_2 / n_2
    variance = share_1 * (1 - share_1) / n_1 + share_2 * (1 - share_2) / n_2
    # Everybody against nobody: the unpooled statistic has no bound.
    unpooled = p_of_statistic("z", (share_1 - share_2) / sqrt(variance)) if variance > 0 else 0.0
    return [*found, unpooled]


def parts_against_total(parts: Iterable[int], total: int) -> Consistency:
    """Whether parts add up to their total.

    Examples
    --------
    >>> parts_against_total([16, 15], 31).verdict
    'consistent'
    """
    numbers = [whole("parts", part, at_least=0) for part in parts]
    whole("total", total, at_least=0)
    added = sum(numbers)
    note = f"{' + '.join(map(str, numbers))} = {added}; {total} is printed"
    return agreement((total, total), added, added, added, note=note)


def no_more_than(part: int, of: int) -> Consistency:
    """Whether a number of people is no larger than the number it was taken from."""
    whole("part", part, at_least=0)
    whole("of", of, at_least=0)
    return agreement((part, part), nan, 0, of, note=f"{part} of {of}")


def nnt_against_percents(nnt: Printed, percent_1: Printed, percent_2: Printed) -> Consistency:
    """Whether a number needed to treat belongs to two percentages.

    NNT = 1 / |p_1 - p_2|, rounded to the nearest or up to the next person.

    Examples
    --------
    >>> nnt_against_percents(Printed(3.2, 1), Printed(45, 0), Printed(14, 0)).verdict
    'consistent'
    """
    printed = risk_differences_from_nnt(nnt.value, decimals=nnt.decimals)
    low = (percent_1.low - percent_2.high) / 100
    high = (percent_1.high - percent_2.low) / 100
    if low < 0 < high:
        least, most = 0.0, max(-low, high)
    else:
        least, most = min(abs(low), abs(high)), max(abs(low), abs(high))
    difference = abs(percent_1.value - percent_2.value) / 100
    note = (
        f"{percent_1}% against {percent_2}% differ by {100 * difference:.3g} points; an NNT of "
        f"{nnt} is a difference of {100 * printed.low:.1f} to {100 * printed.high:.1f} points"
    )
    found = agreement(printed, difference, least, most, note=note)
    return Consistency(
        found.verdict, _reciprocal(difference), _reciprocal(most), _reciprocal(least), note
    )


def _reciprocal(difference: float) -> float:
    return 1 / difference if difference > 0 else inf
