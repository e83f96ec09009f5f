"""What a printed number can have been before it was rounded, and what follows for its effect.

A number printed with d decimals stands for an interval of width 10^-d. A p-value printed as
"< 0.001", "ns" or with one digit stands for an interval of p-values, hence of standard errors:
such a row has no single variance and stays out of the main pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    LARGEST,
    BoolArray,
    FloatArray,
    FloatOrArray,
    Interval,
    checked,
    is_number,
    numbers,
    one_number,
    one_of,
    ordered,
    plain,
    together,
    truth,
    yes_or_no,
)


def counts_from_percent(percent: float, decimals: int, n: int) -> tuple[int, ...]:
    """Return every whole count x, 0 to n, whose percentage of n prints as `percent`.

    A count belongs if 100 x / n rounds to `percent` at `decimals` under half-up or under
    half-even (papers use both), computed in whole numbers. Empty if none does: then n or the
    percentage is not what it seems (GRIM).


    Source: Brown & Heathers 2017, Soc Psychol Personal Sci 8:363 (GRIM), turned round.

    Examples
    --------
    >>> counts_from_percent(32, 0, 31)
    (10,)
    >>> counts_from_percent(57, 0, 214)
    (121, 122, 123)
    """
    return counts_of_steps(percent_steps(percent, decimals), decimals, whole("n", n, at_least=1))


def percent_steps(percent: float, decimals: int) -> int:
    """Return a percentage in units of its last printed digit."""
    digits = _places(decimals)
    steps = printed_steps("percent", percent, digits)
    if not 0 <= steps <= 100 * 10**digits:
        raise ArgumentError(f"percent: {percent!r} is not allowed; allowed: 0 to 100")
    return steps


def counts_of_steps(steps: int, digits: int, size: int) -> tuple[int, ...]:
    """Return the counts of `counts_from_percent` for numbers that are checked."""
    # In units of the last printed digit: steps - 1/2 <= 100 x 10^digits / n <= steps + 1/2.
    unit = 200 * 10**digits
    low = -((1 - 2 * steps) * size // unit)
    high, rest = divmod((1 + 2 * steps) * size, unit)
    # A tie at the top rounds down to `percent` only under half-even, and only if it is even; a
    # tie at the bottom rounds up to `percent` under half-up.
    if rest == 0 and steps % 2 == 1:
        high -= 1
    return tuple(range(max(low, 0), min(high, size) + 1))


# More people than live on earth; a number with more digits than a double holds.
MOST_PEOPLE, MOST_DECIMALS = 10**10, 15


def whole(name: str, value: object, *, at_least: int, at_most: int = MOST_PEOPLE) -> int:
    """Return `value` as an int, or refuse it by name."""
    if is_number(value) and at_least <= value <= at_most and value == int(value):
        return int(value)
    raise ArgumentError(
        f"{name}: {value!r} is not allowed; allowed: a whole number of at least {at_least}"
    )


def _places(decimals: object) -> int:
    return whole("decimals", decimals, at_least=0, at_most=MOST_DECIMALS)


def printed_steps(name: str, value: float, decimals: int) -> int:
    """Return `value` in units of its last printed digit, refused if it has more digits."""
    if not is_number(value) or not abs(value) <= LARGEST:
        raise ArgumentError(f"{name}: {value!r} is not allowed; allowed: a finite number")
    scaled = Fraction(repr(float(value))) * 10**decimals
    if scaled.denominator != 1:
        raise ArgumentError(
            f"{name}: {value!r} has more than {decimals} decimals; allowed: the number as printed"
        )
    return int(scaled)


@dataclass(frozen=True, order=True)
class JointCount:
    """One pair of arms that agrees with the print; `tests` are those whose p-value agrees."""

    events_1: int
    n_1: int
    events_2: int
    n_2: int
    tests: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """Events and people of the two arms."""
        return self.events_1, self.n_1, self.events_2, self.n_2


def joint_counts(
    percent_1: float,
    n_1: int | Iterable[int],
    percent_2: float,
    n_2: int | Iterable[int],
    *,
    decimals: int,
    n_total: int | None = None,
    events_total: int | None = None,
    p: Interval | None = None,
    tests: Iterable[str] = ("chi-squared", "chi-squared-corrected", "fisher"),
) -> tuple[JointCount, ...]:
    """Return every pair of counts that agrees with two percentages and what else is printed.

    Examples
    --------
    >>> joint_counts(32, 31, 11, 28, decimals=0, p=Interval(0.045, 0.055))
    (JointCount(events_1=10, n_1=31, events_2=3, n_2=28, tests=('chi-squared',)),)
    """
    names = tuple(one_of("tests", name, tuple(TWO_BY_TWO_TESTS)) for name in tests)
    found = []
    for size_1, size_2 in product(_sizes("n_1", n_1), _sizes("n_2", n_2)):
        if n_total is not None and size_1 + size_2 != whole("n_total", n_total, at_least=2):
            continue
        for events_1, events_2 in product(
            counts_from_percent(percent_1, decimals, size_1),
            counts_from_percent(percent_2, decimals, size_2),
        ):
            if events_total is not None and events_1 + events_2 != events_total:
                continue
            agreeing: tuple[str, ...] = ()
            if p is not None:
                agreeing = tuple(
                    name
                    for name in names
                    if p.low
                    <= TWO_BY_TWO_TESTS[name](events_1, size_1, events_2, size_2)
                    <= p.high
                )
                if not agreeing:
                    continue
            found.append(JointCount(events_1, size_1, events_2, size_2, agreeing))
    return tuple(sorted(found))


def chi_squared_p(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> FloatOrArray:
    """Return Pearson's chi-squared p-value of a 2x2 table; NaN if a margin is 0."""
    return _pearson_p(events_1, n_1, events_2, n_2, correction=0.0)


def chi_squared_corrected_p(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> FloatOrArray:
    """Return the chi-squared p-value with Yates' continuity correction; NaN if a margin is 0.

    The correction is at most the deviation itself, as in R and scipy.
    """
    return _pearson_p(events_1, n_1, events_2, n_2, correction=0.5)


def fisher_p(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> FloatOrArray:
    """Return Fisher's two-sided exact p-value of a 2x2 table of whole counts.

    The sum of the probabilities of all tables with these margins that are no more probable than
    the observed one, as scipy adds it up.
    """
    from scipy.stats import fisher_exact

    a, n1, c, n2 = _table(events_1, n_1, events_2, n_2)
    for name, value in (("events_1", a), ("n_1", n1), ("events_2", c), ("n_2", n2)):
        broken = np.isfinite(value) & ((value != np.floor(value)) | (value > MOST_PEOPLE))
        if np.any(broken):
            raise ArgumentError(
                f"{name}: {value[broken].flat[0]:g} is not allowed; allowed: whole numbers"
            )
    p = np.full(a.shape, np.nan)
    for index in np.argwhere(~np.isnan(a + n1 + c + n2)):
        row = (int(cell[tuple(index)]) for cell in (a, n1 - a, c, n2 - c))
        p[tuple(index)] = fisher_exact(np.reshape(list(row), (2, 2))).pvalue
    return plain(p)


TWO_BY_TWO_TESTS = MappingProxyType(
    {
        "chi-squared": chi_squared_p,
        "chi-squared-corrected": chi_squared_corrected_p,
        "fisher": fisher_p,
    }
)


def _pearson_p(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    correction: float,
) -> FloatOrArray:
    a, n1, c, n2 = _table(events_1, n_1, events_2, n_2)
    total, events = n1 + n2, a + c
    others = total - events
    # Every cell of a 2x2 table deviates from its expectation by the same amount.
    deviation = np.abs(a - n1 * events / total)
    deviation = deviation - np.minimum(correction, deviation)
    margins = n1 * n2 * events * others
    statistic = deviation**2 * total**3 / np.where(margins > 0, margins, np.nan)
    return plain(chdtrc(1, statistic))


def _table(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[FloatArray, ...]:
    return checked(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)


def _sizes(name: str, sizes: int | Iterable[int]) -> tuple[int, ...]:
    several = sizes if isinstance(sizes, Iterable) else (sizes,)
    return tuple(whole(name, size, at_least=1) for size in several)


P_RELATIONS = ("=", "<", "<=", ">", ">=", "ns")

# "Not significant" with no threshold named means 0.05 in every paper of this field.
NOT_SIGNIFICANT_ABOVE = 0.05

# Ten rounding units away from 0 and from 1 (two digits of p, and of 1 - p) pin the standard error
# to about 5%; one digit can leave 15% ("0.01") and, near 1, a factor of 3 ("0.9").
EXACT_P_UNITS = 10


def rounded_interval(value: ArrayLike, decimals: int) -> Interval:
    """Return the numbers that print as `value`: value -+ half a unit of its last decimal.

    Both ends belong to it, because papers round halves up, to even, or by truncating binary
    fractions.

    Examples
    --------
    >>> rounded_interval(0.5, 0)
    Interval(low=0.0, high=1.0)
    """
    printed = numbers("value", value)
    half = 0.5 / 10.0 ** _places(decimals)
    return Interval(plain(printed - half), plain(printed + half))


def printed_decimals(text: object) -> int:
    """Return the digits after the point of a number as printed, such as 2 for "-0.30"."""
    stripped = text.strip() if isinstance(text, str) else ""
    whole_part, _, fraction = stripped.lstrip("+-").partition(".")
    if not (whole_part + fraction).isdecimal():
        raise ArgumentError(f"text: {text!r} is not allowed; allowed: one number, such as '-0.30'")
    return len(fraction)


def estimate_is_centred(
    estimate: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    is_ratio: bool = False,
    decimals: int | None = None,
    tolerance: float = 0.1,
) -> bool | BoolArray:
    """Whether an estimate sits in the middle of its interval, on the scale where it should.

    |estimate - (low + high) / 2| <= tolerance (high - low), after logging all three if they are
    ratios. With `decimals` each of the three may be anything that rounds to what is printed, so
    that `tolerance=0` asks whether they can belong together at all.


    Source: the check of metafor's `conv.wald`, made aware of rounding.

    Examples
    --------
    >>> estimate_is_centred(1.37, 1.03, 1.82, is_ratio=True)
    True
    >>> estimate_is_centred(-0.11, -0.96, 0.24)
    False
    """
    centre, lower, upper = together(
        estimate=numbers("estimate", estimate), low=numbers("low", low), high=numbers("high", high)
    )
    ordered("low", lower, "high", upper)
    slack = one_number("tolerance", tolerance, at_least=0)
    half = 0.0 if decimals is None else 0.5 / 10.0 ** _places(decimals)
    if yes_or_no("is_ratio", is_ratio):
        for name, value in (("estimate", centre), ("low", lower), ("high", upper)):
            numbers(name, value, above=0)
    scale: Callable[[ArrayLike], FloatArray] = _log_or_minus_infinity if is_ratio else np.asarray
    allowed = slack * (scale(upper) - scale(lower))
    smallest_middle = (scale(lower - half) + scale(upper - half)) / 2
    largest_middle = (scale(lower + half) + scale(upper + half)) / 2
    # Twelve digits of slack on the size of the numbers, so that 0.3 counts as 0.1 + 0.2.
    noise = 1e-12 * (np.abs(scale(upper)) + np.abs(scale(lower)))
    return truth(
        (scale(centre - half) <= largest_middle + allowed + noise)
        & (scale(centre + half) >= smallest_middle - allowed - noise)
    )


def p_is_exact(relation: str, p: float, decimals: int) -> bool:
    """Whether a printed p-value fixes a standard error: "=", with two digits of p and of 1 - p.

    Examples
    --------
    >>> p_is_exact("=", 0.016, 3), p_is_exact("=", 0.02, 2), p_is_exact("<", 0.001, 3)
    (True, False, False)
    """
    if one_of("relation", relation, P_RELATIONS) != "=":
        return False
    printed = one_number("p", p, at_least=0, at_most=1)
    places = _places(decimals)
    steps = printed_steps("p", printed, places)
    return EXACT_P_UNITS <= steps <= int(10**places) - EXACT_P_UNITS


def p_interval(
    relation: str,
    p: float = NOT_SIGNIFICANT_ABOVE,
    *,
    decimals: int | None = None,
) -> Interval:
    """Return the p-values that print as `relation` and `p`, within 0 to 1.

    "=": everything that rounds to p at `decimals` (p itself without); "<": 0 to p; ">": p to 1;
    "ns": above p, 0.05 unless the paper names another level.

    Examples
    --------
    >>> p_interval("<", 0.001), p_interval("ns")
    (Interval(low=0.0, high=0.001), Interval(low=0.05, high=1.0))
    """
    printed = one_number("p", p, at_least=0, at_most=1)
    kind = one_of("relation", relation, P_RELATIONS)
    if kind in ("<", "<="):
        return Interval(0.0, printed)
    if kind in (">", ">=", "ns"):
        return Interval(printed, 1.0)
    if decimals is None:
        return Interval(printed, printed)
    printed_steps("p", printed, _places(decimals))
    low, high = rounded_interval(printed, decimals)
    return Interval(max(low, 0.0), min(high, 1.0))


def _log_or_minus_infinity(value: ArrayLike) -> FloatArray:
    # A ratio printed as 0.0 can be anything down to 0, whose log is minus infinity.
    positive = np.asarray(value, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(positive, 0.0)))
