"""A p-value and its test statistic, or the counts it tests: do they belong together."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isnan, log, nan, sqrt

from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    Consistency,
    Printed,
    PrintedP,
    agreement,
    not_checkable,
)
from ldn_meta.stats.inputs import one_of
from ldn_meta.stats.joint_counts import TWO_BY_TWO_TESTS
from ldn_meta.stats.values import numbers

STATISTICS = ("t", "z", "F", "chi2", "r")
# Where a paper does not print degrees of freedom, every number from 1 up is possible.
ANY_DF = (1.0, inf)
# Tests that are not computed (mid-p, Barnard, Boschloo) were within this factor of those that are
# in 583 random tables of 4 to 60 people an arm with p above 0.0001; the largest was 3.3.
OTHER_TESTS = 4.0


def p_of_statistic(name: str, statistic: float, *, df: float = inf, df_2: float = inf) -> float:
    """Return the two-sided p-value of a test statistic.

    Parameters
    ----------
    name : {"t", "z", "F", "chi2", "r"}
        "r" is a Pearson correlation, tested with t = r sqrt(df / (1 - r^2)).
    statistic : float
        Sign ignored for t, z and r; at least 0 for F and chi2; at most 1 in size for r.
    df : float
        Degrees of freedom of t, chi2 and r; of the numerator of F.
    df_2 : float
        Degrees of freedom of the denominator of F.

    Raises
    ------
    ArgumentError
        If the name is not known, or a number is out of range.

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

    Parameters
    ----------
    name : {"t", "z", "F", "chi2", "r"}
    statistic : Printed
    p : PrintedP
        Two-sided.
    df, df_2 : float
        Degrees of freedom; of numerator and denominator for F. NaN if not printed: t and the
        denominator of F can then have had any number; the numerator of F has 1 (two groups);
        chi2 and r cannot be checked.

    Raises
    ------
    ArgumentError
        If the name is not known, or a number is out of range.

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

    Parameters
    ----------
    arm_1, arm_2 : iterable of (int, int)
        Every (events, people) the arm can have had.
    p : PrintedP
        Two-sided.

    Raises
    ------
    ArgumentError
        If a count is not whole, negative or above its n.

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
    return Consistency(CONSISTENT if fits else INCONSISTENT, recomputed, low, high, note)


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
