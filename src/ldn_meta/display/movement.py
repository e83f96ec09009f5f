"""How far a number moved, and whether its result reads otherwise: on the scale readers know."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ldn_meta.display import wording

# Columns that hold the logarithm of a ratio where the measure of their row is one.
LOGGED = frozenset(
    (
        *("yi", "estimate", "ci_low", "ci_high", "pi_low", "pi_high"),
        *("estimate_used", "ci_low_used", "ci_high_used"),
        *("estimate_other", "ci_low_other", "ci_high_other"),
        *("default_estimate", "default_ci_low", "default_ci_high"),
        *("lowest", "p05", "median", "p95", "highest", "farthest"),
    )
)
# Columns that hold a ratio as readers know it.
RATIO_COLUMNS = frozenset(("rr", "rr_low", "rr_high", "or", "or_low", "or_high"))
# Facts of the pages that repeat a logged number as readers know it.
SHOWN = "shown_"
# Ends of an interval and estimates closer to no difference than this share of the interval are
# there but for the last bits of a processor.
NEGLIGIBLE = 1e-9
MOST_DIGITS = 9
# How a result can read otherwise, what weighs most first: its interval includes no difference or
# does so no more, a judgement is another, a result came or went, the estimate changed its side,
# a check or a computation finds otherwise.
TURNS = ("interval", "judgement", "result", "side", "finding")
INTERVAL, JUDGEMENT, RESULT, SIDE, FINDING = TURNS

_SPANS = {
    "below": "lies below no difference",
    "above": "lies above no difference",
    "at": "includes no difference",
    "": "is not defined",
}
_POINTS = {"below": "below", "above": "above", "at": "exactly at"}


@dataclass(frozen=True)
class Quantity:
    """Columns of an estimate and its interval."""

    estimate: str
    low: str
    high: str

    @property
    def columns(self) -> tuple[str, str, str]:
        """Names of the three."""
        return self.estimate, self.low, self.high


QUANTITIES = (
    Quantity("estimate", "ci_low", "ci_high"),
    Quantity("yi", "ci_low", "ci_high"),
    Quantity("default_estimate", "default_ci_low", "default_ci_high"),
    Quantity("rr", "rr_low", "rr_high"),
    Quantity("or", "or_low", "or_high"),
    Quantity("rd", "rd_low", "rd_high"),
    Quantity("estimate_used", "ci_low_used", "ci_high_used"),
    Quantity("estimate_other", "ci_low_other", "ci_high_other"),
)


def how_far(column: str, old: float, new: float, *, measure: str = "") -> str:
    """Say how far a number moved: ``+0.07``, or ``x1.08`` where it is a ratio.

    Parameters
    ----------
    column : str
        Name of the number; it says whether a logarithm, a ratio or neither is saved.
    old, new : float
        As saved.
    measure : str, optional
        Measure of the result the number belongs to, such as ``"RR"``.

    Returns
    -------
    str
        Three significant digits, more where fewer would say that nothing moved; empty where
        there is no distance (an infinite number).
    """
    is_ratio = measure in wording.RATIOS
    if is_ratio and column in LOGGED:
        return _factor(math.exp(new - old)) if abs(new - old) < math.log(1e300) else ""
    if column in RATIO_COLUMNS or (is_ratio and column.startswith(SHOWN)):
        return _factor(new / old) if old > 0 and new > 0 else ""
    change = new - old
    return f"{change:+.3g}" if math.isfinite(change) else ""


def quantity_pair(
    old: Mapping[str, float], new: Mapping[str, float], quantity: Quantity, *, measure: str
) -> tuple[str, str]:
    """Write estimate and interval before and after, with digits that show the difference.

    Parameters
    ----------
    old, new : mapping of str to float
        Numbers of the row by column; NaN or absent is undefined.
    quantity : Quantity
    measure : str

    Returns
    -------
    (str, str)
        Such as ``("0.03 (-0.78 to 0.84)", "0.10 (-0.70 to 0.90)")``; ratios are taken from the
        log.
    """
    # What is saved as a ratio must not be taken from the log again.
    scale = "" if quantity.estimate in RATIO_COLUMNS | {"rd"} else measure
    texts = ("", "")
    for digits in range(2, MOST_DIGITS + 1):
        texts = (
            _quantity_text(old, quantity, scale, digits),
            _quantity_text(new, quantity, scale, digits),
        )
        if texts[0] != texts[1]:
            break
    return texts


def reading(numbers: Mapping[str, float], quantity: Quantity) -> tuple[str, str] | None:
    """On which side of no difference an estimate and its interval are.

    Parameters
    ----------
    numbers : mapping of str to float
        Numbers of the row by column, as saved.
    quantity : Quantity

    Returns
    -------
    (str, str) or None
        For the estimate "below", "above" or "at"; for the interval also "" where there is none;
        None without an estimate.
    """
    estimate, low, high = (numbers.get(name, math.nan) for name in quantity.columns)
    if not math.isfinite(estimate):
        return None
    no_difference = 1.0 if quantity.estimate in RATIO_COLUMNS else 0.0
    width = high - low if math.isfinite(high - low) else 0.0
    point = _side(estimate - no_difference, width)
    if math.isnan(low) or math.isnan(high):
        return point, ""
    ends = {_side(low - no_difference, width), _side(high - no_difference, width)}
    return point, ends.pop() if len(ends) == 1 else "at"


def turned(old: tuple[str, str] | None, new: tuple[str, str] | None) -> tuple[str, str]:
    """Say what reads otherwise than before.

    Parameters
    ----------
    old, new : (str, str) or None
        As ``reading`` gives them.

    Returns
    -------
    (str, str)
        What kind of turn it is, one of ``TURNS``, and the words; both empty if the same can be
        said as before.
    """
    if old == new:
        return "", ""
    if old is None or new is None:
        return RESULT, "no estimate any more" if old else "an estimate where there was none"
    said = []
    if old[1] != new[1]:
        said.append(f"the interval {_SPANS[new[1]]}; before, it {_past(_SPANS[old[1]])}")
    if old[0] != new[0]:
        said.append(f"the estimate is {_POINTS[new[0]]} no difference, was {_POINTS[old[0]]} it")
    return INTERVAL if old[1] != new[1] else SIDE, "; ".join(said)


def _past(span: str) -> str:
    verb, _, rest = span.partition(" ")
    return f"{ {'lies': 'lay', 'includes': 'included', 'is': 'was'}[verb] } {rest}".strip()


def _side(distance: float, width: float) -> str:
    if abs(distance) <= NEGLIGIBLE * width:
        return "at"
    return "below" if distance < 0 else "above"


def _quantity_text(
    numbers: Mapping[str, float], quantity: Quantity, measure: str, digits: int
) -> str:
    estimate, low, high = (numbers.get(name, math.nan) for name in quantity.columns)
    return wording.estimate_with_interval(estimate, low, high, measure=measure, digits=digits)


def _factor(factor: float) -> str:
    for digits in range(3, MOST_DIGITS + 3):
        text = f"x{factor:.{digits}g}"
        if text != "x1":
            return text
    return "x1"
