"""Every whole-number count that can stand behind a printed percentage, not one guess."""

from fractions import Fraction
from math import ceil, floor

from ldn_meta.errors import ArgumentError


def counts_from_percent(percent: float, decimals: int, n: int) -> tuple[int, ...]:
    """Return every whole count x, 0 to n, whose percentage of n prints as `percent`.

    A count belongs if 100 x / n rounds to `percent` at `decimals` under half-up or under
    half-even (papers use both), computed in exact fractions. Empty if none does: then n or the
    percentage is not what it seems (GRIM).

    Parameters
    ----------
    percent : float
        As printed, 0 to 100, with no more decimals than `decimals`.
    decimals : int
        Digits printed after the point.
    n : int
        People in the denominator, at least 1.

    Raises
    ------
    ArgumentError
        If an argument is out of range or `percent` has more decimals than `decimals`.

    Source: Brown & Heathers 2017, Soc Psychol Personal Sci 8:363 (GRIM), turned round.

    Examples
    --------
    >>> counts_from_percent(32, 0, 31)
    (10,)
    >>> counts_from_percent(57, 0, 214)
    (121, 122, 123)
    """
    size = whole("n", n, at_least=1)
    digits = whole("decimals", decimals, at_least=0)
    steps = printed_steps("percent", percent, digits)
    if not 0 <= steps <= 100 * 10**digits:
        raise ArgumentError(f"percent: {percent!r} is not allowed; allowed: 0 to 100")
    # In units of the last printed digit: steps - 1/2 <= 100 x 10^digits / n <= steps + 1/2.
    per_count = Fraction(100 * 10**digits, size)
    low = ceil((steps - Fraction(1, 2)) / per_count)
    highest = (steps + Fraction(1, 2)) / per_count
    high = floor(highest)
    # A tie at the top rounds down to `percent` only under half-even, and only if it is even; a
    # tie at the bottom rounds up to `percent` under half-up.
    if high == highest and steps % 2 == 1:
        high -= 1
    return tuple(range(max(low, 0), min(high, size) + 1))


def whole(name: str, value: float, *, at_least: int) -> int:
    """Return `value` as an int, or refuse it by name."""
    if isinstance(value, bool | str) or value != value or value != int(value) or value < at_least:
        raise ArgumentError(
            f"{name}: {value!r} is not allowed; allowed: a whole number of at least {at_least}"
        )
    return int(value)


def printed_steps(name: str, value: float, decimals: int) -> int:
    """Return `value` in units of its last printed digit, refused if it has more digits."""
    if isinstance(value, bool | str) or not abs(value) < float("inf"):
        raise ArgumentError(f"{name}: {value!r} is not allowed; allowed: a finite number")
    scaled = Fraction(repr(float(value))) * 10**decimals
    if scaled.denominator != 1:
        raise ArgumentError(
            f"{name}: {value!r} has more than {decimals} decimals; allowed: the number as printed"
        )
    return int(scaled)
