"""Which pairs of counts can stand behind two printed percentages, given everything else printed.

Each further fact (a total, a p-value) removes pairs. Whatever is left is returned: one pair is an
answer, several are a set to carry on, none means that the printed facts contradict each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, gammaln

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.counts import counts_from_percent, whole
from ldn_meta.stats.effects_counts import checked_events
from ldn_meta.stats.inputs import FloatArray, one_of
from ldn_meta.stats.values import FloatOrArray, Interval, plain, together


@dataclass(frozen=True, order=True)
class JointCount:
    """One pair of arms that agrees with the print; `tests` are those whose p-value agrees."""

    events_1: int
    n_1: int
    events_2: int
    n_2: int
    tests: tuple[str, ...] = ()


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

    Parameters
    ----------
    percent_1, percent_2 : float
        As printed, 0 to 100.
    n_1, n_2 : int or iterable of int
        People in each arm, or the sizes it can have had if the paper gives only their total.
    decimals : int
        Digits printed after the point of the percentages.
    n_total, events_total : int, optional
        Printed totals over both arms.
    p : Interval, optional
        The p-values that print as the paper's (`p_interval`); both ends belong to it.
    tests : iterable of str
        Tests the paper may have used: "chi-squared" (Pearson), "chi-squared-corrected" (Yates),
        "fisher" (two-sided exact).

    Returns
    -------
    tuple of JointCount
        Sorted; each with the tests whose p-value agrees (empty if no p was given).

    Raises
    ------
    ArgumentError
        If an argument is out of range or a test is not known.

    Source: METHODS.md section 2, route 5.

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
    """Return Pearson's chi-squared p-value of a 2x2 table; NaN if a margin is 0.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.
    """
    return _pearson_p(events_1, n_1, events_2, n_2, correction=0.0)


def chi_squared_corrected_p(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> FloatOrArray:
    """Return the chi-squared p-value with Yates' continuity correction; NaN if a margin is 0.

    The correction is at most the deviation itself, as in R and scipy.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.
    """
    return _pearson_p(events_1, n_1, events_2, n_2, correction=0.5)


def fisher_p(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> FloatOrArray:
    """Return Fisher's two-sided exact p-value of a 2x2 table of whole counts.

    The sum of the probabilities of all tables with these margins that are no more probable than
    the observed one (R's and scipy's definition; 1e-7 of slack for ties).

    Raises
    ------
    ArgumentError
        If a count is not whole, negative or above its n, or an n is below 1.
    """
    a, n1, c, n2 = _table(events_1, n_1, events_2, n_2)
    for name, value in (("events_1", a), ("n_1", n1), ("events_2", c), ("n_2", n2)):
        broken = np.isfinite(value) & (value != np.floor(value))
        if np.any(broken):
            raise ArgumentError(
                f"{name}: {value[broken].flat[0]:g} is not allowed; allowed: whole numbers"
            )
    p = np.empty(a.shape)
    for index in np.ndindex(a.shape):
        p[index] = _fisher_one(*(float(cell[index]) for cell in (a, n1, c, n2)))
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


def _fisher_one(a: float, n1: float, c: float, n2: float) -> float:
    if np.isnan(a + n1 + c + n2):
        return np.nan
    events, total = a + c, n1 + n2
    x = np.arange(max(0.0, events - n2), min(n1, events) + 1)
    log_p = _log_binomial(n1, x) + _log_binomial(n2, events - x) - _log_binomial(total, events)
    observed = log_p[int(a - x[0])]
    return float(min(1.0, np.exp(log_p[log_p <= observed + 1e-7]).sum()))


def _log_binomial(n: float, k: FloatArray | float) -> FloatArray:
    return np.asarray(gammaln(n + 1) - gammaln(np.add(k, 1)) - gammaln(n - np.asarray(k) + 1))


def _table(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[FloatArray, ...]:
    a, n1 = checked_events(events_1, n_1, events_name="events_1", n_name="n_1")
    c, n2 = checked_events(events_2, n_2, events_name="events_2", n_name="n_2")
    return together(events_1=a, n_1=n1, events_2=c, n_2=n2)


def _sizes(name: str, sizes: int | Iterable[int]) -> tuple[int, ...]:
    several = sizes if isinstance(sizes, Iterable) else (sizes,)
    return tuple(whole(name, size, at_least=1) for size in several)
