"""What a printed number can have been before it was rounded, and what follows for its effect.

A number printed with d decimals stands for an interval of width 10^-d. A p-value printed as
"< 0.001", "ns" or with one digit stands for an interval of p-values, hence of standard errors:
such a row has no single variance and stays out of the main pool.
"""

from collections.abc import Callable
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.convert_se import se_from_p
from ldn_meta.stats.counts import printed_steps, whole
from ldn_meta.stats.inputs import BoolArray, FloatArray, one_of
from ldn_meta.stats.values import Interval, numbers, ordered, plain, together, truth

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

    Parameters
    ----------
    value : float or array, (...)
        As printed.
    decimals : int
        Digits printed after the point.

    Raises
    ------
    ArgumentError
        If decimals is not a whole number of at least 0, or a value is not finite.

    Examples
    --------
    >>> rounded_interval(0.5, 0)
    Interval(low=0.0, high=1.0)
    """
    printed = numbers("value", value)
    half = 0.5 / 10.0 ** whole("decimals", decimals, at_least=0)
    return Interval(plain(printed - half), plain(printed + half))


def printed_decimals(text: object) -> int:
    """Return the digits after the point of a number as printed, such as 2 for "-0.30".

    Raises
    ------
    ArgumentError
        If the text is not one plain decimal number.
    """
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

    Parameters
    ----------
    estimate, low, high : float or array, (...)
        As printed. NaN is not centred.
    is_ratio : bool
        Whether they are ratios (OR, RR, HR), whose intervals are symmetric on the log scale.
    decimals : int, optional
        Digits printed after the point.
    tolerance : float
        Share of the interval's width; 0.1 flags typing errors and wrong scales, and lets small
        asymmetry (profile likelihood, bootstrap) pass.

    Raises
    ------
    ArgumentError
        If low is above high, a ratio is not above 0, or the tolerance is negative.

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
    slack = float(numbers("tolerance", tolerance, at_least=0))
    half = 0.0 if decimals is None else 0.5 / 10.0 ** whole("decimals", decimals, at_least=0)
    if is_ratio:
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

    Parameters
    ----------
    relation : {"=", "<", "<=", ">", ">=", "ns"}
        As printed.
    p : float
        As printed; not looked at for "ns".
    decimals : int
        Digits printed after the point.

    Raises
    ------
    ArgumentError
        If the relation is not known or p is outside 0 to 1.

    Examples
    --------
    >>> p_is_exact("=", 0.016, 3), p_is_exact("=", 0.02, 2), p_is_exact("<", 0.001, 3)
    (True, False, False)
    """
    if one_of("relation", relation, P_RELATIONS) != "=":
        return False
    printed = float(numbers("p", p, at_least=0, at_most=1))
    places = whole("decimals", decimals, at_least=0)
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

    Raises
    ------
    ArgumentError
        If the relation is not known, p is outside 0 to 1, or p has more decimals than printed.

    Examples
    --------
    >>> p_interval("<", 0.001), p_interval("ns")
    (Interval(low=0.0, high=0.001), Interval(low=0.05, high=1.0))
    """
    printed = float(numbers("p", p, at_least=0, at_most=1))
    kind = one_of("relation", relation, P_RELATIONS)
    if kind in ("<", "<="):
        return Interval(0.0, printed)
    if kind in (">", ">=", "ns"):
        return Interval(printed, 1.0)
    if decimals is None:
        return Interval(printed, printed)
    printed_steps("p", printed, whole("decimals", decimals, at_least=0))
    low, high = rounded_interval(printed, decimals)
    return Interval(max(low, 0.0), min(high, 1.0))


def se_interval_from_p(
    estimate: ArrayLike,
    p_low: ArrayLike,
    p_high: ArrayLike,
    *,
    df: ArrayLike = np.inf,
    two_sided: bool = True,
) -> Interval:
    """Return the standard errors that an interval of p-values allows.

    The SE grows with p: the low end belongs to `p_low` (0 gives 0: an SE as small as you like),
    the high end to `p_high` (1, or 0.5 one-sided, gives infinity: no bound). Combine with
    `p_interval` for what a paper prints; such a row never enters the main pool.

    Parameters
    ----------
    estimate : float or array, (...)
        Effect on the scale of the test. An estimate of 0 determines nothing: NaN.
    p_low, p_high : float or array, (...)
        0 to 1 (0 to 0.5 one-sided), low not above high.
    df : float or array
        Degrees of freedom above 0; infinite for the normal.
    two_sided : bool
        Whether p counts both tails.

    Returns
    -------
    Interval
        Standard errors, in the units of the estimate.

    Raises
    ------
    ArgumentError
        If a p or df is not allowed or p_low is above p_high.

    Source: METHODS.md section 2, route 3; the inequality form of `se_from_p`.

    Examples
    --------
    >>> low, high = se_interval_from_p(-0.9, *p_interval("=", 0.02, decimals=2), df=26)
    >>> print(f"{low:.3f} to {high:.3f}")
    0.346 to 0.378
    """
    top = 1.0 if two_sided else 0.5
    lower = numbers("p_low", p_low, at_least=0, at_most=top)
    upper = numbers("p_high", p_high, at_least=0, at_most=top)
    ordered("p_low", lower, "p_high", upper)
    centre, lower, upper = together(
        estimate=numbers("estimate", estimate), p_low=lower, p_high=upper
    )
    centre = np.where(centre == 0, np.nan, centre)
    bounds = []
    for p in (lower, upper):
        inner = (p > 0) & (p < top)
        se = np.asarray(se_from_p(centre, np.where(inner, p, 0.25), df=df, two_sided=two_sided))
        at_end = np.where(p == 0, 0.0, np.where(p == top, inf, np.nan))
        bounds.append(np.where(inner, se, at_end + 0 * centre))
    return Interval(plain(bounds[0]), plain(bounds[1]))


def _log_or_minus_infinity(value: ArrayLike) -> FloatArray:
    # A ratio printed as 0.0 can be anything down to 0, whose log is minus infinity.
    positive = np.asarray(value, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(positive, 0.0)))
