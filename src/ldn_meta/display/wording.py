"""Numbers and measures as readers see them; the only place where results are rounded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import SupportsFloat

MEASURES = {
    "MD": "mean difference",
    "MC": "mean change",
    "SMD": "standardised mean difference",
    "SMCC": "standardised mean change",
    "SMCR": "standardised mean change",
    "ROM": "ratio of means",
    "RR": "risk ratio",
    "OR": "odds ratio",
    "PETO": "odds ratio (Peto)",
    "IRR": "rate ratio",
    "RD": "risk difference",
    "PLO": "share of people",
}
TAU2_METHODS = {
    "common": "common effect",
    "dl": "DerSimonian-Laird",
    "he": "Hedges",
    "hs": "Hunter-Schmidt",
    "sj": "Sidik-Jonkman",
    "ml": "maximum likelihood",
    "reml": "REML",
    "eb": "empirical Bayes",
    "pm": "Paule-Mandel",
}
CI_METHODS = {
    "wald": "Wald interval",
    "knapp-hartung": "Knapp-Hartung interval",
    "knapp-hartung-floored": "floored Knapp-Hartung interval",
}
RATIOS = ("RR", "OR", "IRR")
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SMALL_P = 0.001
SMALLEST_RATIO = 0.005


def fixed(value: SupportsFloat, digits: int = 2) -> str:
    """Write a number with a fixed number of digits; undefined is "not defined"."""
    number = float(value)
    if not math.isfinite(number):
        return "not defined"
    text = f"{number:.{digits}f}"
    return text[1:] if text.startswith("-") and float(text) == 0 else text


def interval(low: SupportsFloat, high: SupportsFloat, digits: int = 2) -> str:
    """Write ``low to high``, or "not defined"."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return "not defined"
    return f"{fixed(low, digits)} to {fixed(high, digits)}"


def estimate_with_interval(
    estimate: SupportsFloat,
    low: SupportsFloat,
    high: SupportsFloat,
    *,
    measure: str,
    digits: int = 2,
) -> str:
    """Write estimate and interval on the scale readers know: ratios are taken from the log."""
    values = shown((estimate, low, high), measure=measure)
    if not math.isfinite(values[0]):
        return "not defined"
    if measure in RATIOS and min(values[1:]) < SMALLEST_RATIO:
        # 0.00 would say that the ratio can be nought, which none can.
        return f"{values[0]:.2g} ({values[1]:.2g} to {values[2]:.3g})"
    return f"{fixed(values[0], digits)} ({interval(values[1], values[2], digits)})"


def shown(values: Iterable[SupportsFloat], *, measure: str) -> tuple[float, ...]:
    """Return values as displayed: exponentials for ratios, themselves otherwise."""
    numbers = tuple(float(value) for value in values)
    if measure not in RATIOS:
        return numbers
    return tuple(math.exp(number) if math.isfinite(number) else number for number in numbers)


def p_value(p: float) -> str:
    """Write ``p = 0.236`` or ``p < 0.001``."""
    if not math.isfinite(p):
        return "p not defined"
    return "p < 0.001" if p < SMALL_P else f"p = {p:.3f}"


def percent(share: float) -> str:
    """Write a share as per cent without decimals."""
    # Half a per cent goes up, as readers round; Python's format would go to the even number.
    return "not defined" if not math.isfinite(share) else f"{math.floor(100 * share + 0.5)}%"


def count(number: int, noun: str, *, plural: str | None = None) -> str:
    """Write ``one trial``, ``two trials``, ``14 trials``."""
    word = COUNTS[number] if 0 <= number < len(COUNTS) else str(number)
    return f"{word} {noun if number == 1 else (plural or noun + 's')}"


def agree(number: int, singular: str, plural: str) -> str:
    """Write ``one compares``, ``two compare``, ``none compares``: a number with its verb."""
    if number == 0:
        return f"none {singular}"
    word = COUNTS[number] if 0 <= number < len(COUNTS) else str(number)
    return f"{word} {singular if number == 1 else plural}"


def people(number: int) -> str:
    """Write ``195 people``; nought means that no report gives the number."""
    return f"{number} people" if number else "number of people not reported"


def capitalised(text: str) -> str:
    """Make the first letter upper case, the rest untouched."""
    return text[:1].upper() + text[1:]


def weeks(value: float) -> str:
    """Write weeks without needless digits; NR when not reported."""
    return "NR" if not math.isfinite(value) else f"{value:g}"


def method(tau2_method: str, ci_method: str) -> str:
    """Write the model in words, as printed above results."""
    return f"{TAU2_METHODS[tau2_method]}, {CI_METHODS[ci_method]}"
