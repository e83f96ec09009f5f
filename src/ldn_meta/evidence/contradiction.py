"""Whether two rows about one fact contradict each other, or differ by rounding alone.

Rows are dicts of the cells that state something, as typed: 4.50 and 4.5 are two statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

SIGNIFICANT_BELOW = 0.05
BELOW = ("<", "sig")


def contradict(one: dict[str, str], other: dict[str, str], values: Sequence[str]) -> bool:
    """Whether two rows about one fact differ; a cell that is missing contradicts nothing."""
    differ = any(one[v] != other[v] for v in values if v in one and v in other)
    if one.get("measure") != other.get("measure"):
        # A difference and a standardised difference are two numbers of one result; one number
        # that two sources call by two names is not.
        is_same = "estimate" in one and one["estimate"] == other.get("estimate")
        return is_same or _p_values_contradict(one, other)
    return differ or _p_values_contradict(one, other)


def is_rounding(one: dict[str, str], other: dict[str, str], values: Sequence[str]) -> bool:
    """Whether everything both rows state is the same at the fewer of the printed digits."""
    if one.get("measure") != other.get("measure"):
        return False
    names = [name for name in values if name in one and name in other]
    if _p_values_contradict(one, other):
        if one["p_relation"] != other["p_relation"]:
            return False
        names.append("p_value")
    return all(_same_rounded(one[name], other[name]) for name in names)


def _same_rounded(one: str, other: str) -> bool:
    numbers = (Decimal(one), Decimal(other))
    # The exponent of a decimal is minus the number of its printed digits.
    coarse = max(int(number.as_tuple().exponent) for number in numbers)
    unit = Decimal(1).scaleb(coarse)
    apart = abs(numbers[0] - numbers[1])
    return apart <= unit / 2


def _p_values_contradict(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether no p-value fits both statements about significance; words may meet numbers."""
    if "p_relation" not in one or "p_relation" not in other:
        return False
    exact = [row for row in (one, other) if row["p_relation"] == "="]
    if len(exact) == 2:
        return one["p_value"] != other["p_value"]
    if exact:
        rival = other if exact[0] is one else one
        p, bound = _bound(exact[0]), _bound(rival)
        # 0.05 is not below 0.05, but papers call it significant, or not, as they like.
        if p == bound:
            return "p_value" in rival
        return (p < bound) != (rival["p_relation"] in BELOW)
    below, above = sorted((one, other), key=lambda row: row["p_relation"] not in BELOW)
    if (below["p_relation"] in BELOW) == (above["p_relation"] in BELOW):
        return False
    return _bound(above) >= _bound(below)


def _bound(row: dict[str, str]) -> float:
    return float(row.get("p_value", SIGNIFICANT_BELOW))
