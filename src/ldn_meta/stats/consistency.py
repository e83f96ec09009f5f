"""Whether printed numbers can belong together: what every check takes and returns.

A printed number stands for everything that prints like it. A check recomputes one printed number
from others and calls them inconsistent only if no numbers that print as given fit together;
whatever a paper may have done otherwise (rounding or cutting off a p, a t or a normal statistic)
counts as fitting. The checks are in `consistency_intervals`, `consistency_tests`,
`consistency_counts`, `consistency_totals` and `consistency_means`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, isnan, nan

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.counts import whole
from ldn_meta.stats.inputs import one_of
from ldn_meta.stats.rounding import (
    NOT_SIGNIFICANT_ABOVE,
    p_interval,
    rounded_interval,
)
from ldn_meta.stats.values import numbers

CONSISTENT, INCONSISTENT, NOT_CHECKABLE = "consistent", "inconsistent", "not checkable"
WORDS = ("ns", "sig")
# Twelve digits, so that 0.3 counts as 0.1 + 0.2.
NOISE = 1e-12


@dataclass(frozen=True)
class Consistency:
    """What a check found.

    Attributes
    ----------
    verdict : str
        CONSISTENT, INCONSISTENT (no numbers that print as given fit together) or NOT_CHECKABLE.
    recomputed : float
        The printed number, recomputed from the others as printed; NaN if that is not possible.
    low, high : float
        What the recomputed number can be, given the rounding of everything it is made from.
    note : str
        One line.
    """

    verdict: str
    recomputed: float
    low: float
    high: float
    note: str


@dataclass(frozen=True)
class Printed:
    """A number as printed: everything from `low` to `high` prints like this.

    Attributes
    ----------
    value : float
    decimals : int
        Digits printed after the point.
    """

    value: float
    decimals: int

    def __post_init__(self) -> None:
        _ = self._ends

    @cached_property
    def _ends(self) -> tuple[float, float]:
        low, high = rounded_interval(self.value, self.decimals)
        return float(low), float(high)

    @property
    def low(self) -> float:
        """Smallest number that prints like this."""
        return self._ends[0]

    @property
    def high(self) -> float:
        """Largest number that prints like this."""
        return self._ends[1]

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

    Attributes
    ----------
    relation : {"=", "<", "<=", ">", ">=", "ns", "sig"}
    value : float
        NaN for a word.
    decimals : int
        Digits printed after the point; 0 for a word.
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


def agreement(
    printed: tuple[float, float],
    recomputed: float,
    low: float,
    high: float,
    *,
    note: str,
) -> Consistency:
    """Compare what is printed with what the other numbers allow; touching is agreeing.

    Parameters
    ----------
    printed : tuple of float
        Smallest and largest number that prints as given.
    recomputed : float
    low, high : float
        What the recomputed number can be.
    note : str
    """
    slack = NOISE * max(*(abs(end) for end in (*printed, low, high) if abs(end) < inf), 1.0)
    fits = printed[0] <= high + slack and printed[1] >= low - slack
    return Consistency(CONSISTENT if fits else INCONSISTENT, recomputed, low, high, note)


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
    verdict = CONSISTENT if fits else INCONSISTENT
    return Consistency(verdict, other.value, other.low, other.high, f"{one} and {other}")
