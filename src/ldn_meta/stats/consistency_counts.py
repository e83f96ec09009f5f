"""Whole people behind printed percentages, and whole scores behind printed means."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, nan

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    Consistency,
    Printed,
)
from ldn_meta.stats.counts import counts_from_percent, whole

# More possible denominators than these are told by their ends.
LISTED = 6


def percent_against_n(percent: Printed, n: int, *, events: int | None = None) -> Consistency:
    """Whether a percentage is a whole number of n people (GRIM).

    Parameters
    ----------
    percent : Printed
        0 to 100.
    n : int
        People in the denominator, at least 1.
    events : int, optional
        People with the event, if that is printed too.

    Returns
    -------
    Consistency
        `recomputed` is the nearest possible percentage, or that of `events`; `low` and `high` are
        the possible percentages on either side of the printed one.

    Raises
    ------
    ArgumentError
        If the percentage is not 0 to 100, n is below 1 or events are not 0 to n.

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
        verdict = CONSISTENT if events in counts else INCONSISTENT
        return Consistency(
            verdict, share, share, share, f"{events} of {n} is {share:.3g}%; {percent}% is printed"
        )
    if counts:
        nearest = 100 * counts[len(counts) // 2] / n
        note = f"{percent}% is {_listed(counts)} of {n}"
        return Consistency(CONSISTENT, nearest, low, high, note)
    nearest = min((low, high), key=lambda share: abs(share - percent.value))
    note = (
        f"{percent}% is no whole number of {n}: {below}/{n} is {low:.1f}%, {above}/{n} {high:.1f}%"
    )
    return Consistency(INCONSISTENT, nearest, low, high, note)


def denominators(percent: Printed, up_to: int, *, events: int | None = None) -> tuple[int, ...]:
    """Return every number of people up to `up_to` that the percentage can be of.

    Raises
    ------
    ArgumentError
        If the percentage is not 0 to 100 or `up_to` is below 1.

    Examples
    --------
    >>> denominators(Printed(88, 0), 20)
    (8, 16, 17)
    """
    found = []
    for n in range(1, whole("up_to", up_to, at_least=1) + 1):
        counts = counts_from_percent(percent.value, percent.decimals, n)
        if counts and (events is None or events in counts):
            found.append(n)
    return tuple(found)


def percent_of_some_n(
    percent: Printed, fewest: int, most: int, *, events: int | None = None
) -> Consistency:
    """Whether a percentage is a whole number of any number of people between two sizes.

    For percentages printed without their denominator: whoever was analysed, there were at least
    those who completed and at most those who began.

    Parameters
    ----------
    percent : Printed
        0 to 100.
    fewest, most : int
        Smallest and largest size of the arm on file.
    events : int, optional
        People with the event, if that is printed too.

    Returns
    -------
    Consistency
        `low` and `high` are the smallest and the largest denominator up to `most` that fits;
        `recomputed` is NaN, because there is not one.

    Raises
    ------
    ArgumentError
        If the percentage is not 0 to 100 or the sizes are not in order.
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
    return _of_denominators(possible, is_consistent=bool(fits), note=note)


def common_denominator(
    percents: Sequence[Printed],
    up_to: int,
    *,
    events: Sequence[int | None] | None = None,
) -> Consistency:
    """Whether several percentages can be of one and the same number of people.

    Parameters
    ----------
    percents : sequence of Printed
        0 to 100 each.
    up_to : int
        Largest size of the arm on file.
    events : sequence of int or None, optional
        People with each event, where printed.

    Returns
    -------
    Consistency
        `low` and `high` are the smallest and the largest common denominator; `recomputed` is
        NaN, because there is not one.

    Raises
    ------
    ArgumentError
        If a percentage is not 0 to 100, `up_to` is below 1 or the lengths differ.

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
    return _of_denominators(common, is_consistent=bool(common), note=note)


def mean_of_whole_scores(mean: Printed, n: int, *, items: int = 1) -> Consistency:
    """Whether a mean can come from n people whose scores are whole numbers (GRIM).

    Parameters
    ----------
    mean : Printed
    n : int
        People, at least 1.
    items : int
        Whole-number items averaged in each person's score.

    Returns
    -------
    Consistency
        `recomputed` is the nearest possible mean; `low` and `high` are those on either side.

    Raises
    ------
    ArgumentError
        If n or items is below 1.

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
    return Consistency(CONSISTENT if fits else INCONSISTENT, nearest, below, above, note)


def _of_denominators(found: Sequence[int], *, is_consistent: bool, note: str) -> Consistency:
    verdict = CONSISTENT if is_consistent else INCONSISTENT
    if not found:
        return Consistency(verdict, nan, nan, nan, note)
    return Consistency(verdict, nan, float(found[0]), float(found[-1]), note)


def _listed(found: Sequence[int]) -> str:
    if len(found) == 1:
        return str(found[0])
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return f"{found[0]} to {found[-1]}"
    if len(found) <= LISTED:
        return f"{', '.join(map(str, found[:-1]))} or {found[-1]}"
    return f"{len(found)} numbers from {found[0]} to {found[-1]}"
