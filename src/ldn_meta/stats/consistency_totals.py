"""Printed parts and their total, and percentages and the number needed to treat made of them."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan

from ldn_meta.stats.benefit import risk_differences_from_nnt
from ldn_meta.stats.consistency import Consistency, Printed, agreement
from ldn_meta.stats.counts import whole


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

    Parameters
    ----------
    nnt : Printed
        At least 1, without sign.
    percent_1, percent_2 : Printed
        0 to 100.

    Returns
    -------
    Consistency
        `recomputed`, `low` and `high` are numbers needed to treat; infinite where the percentages
        can be equal.

    Raises
    ------
    ArgumentError
        If the NNT is below 1.

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
