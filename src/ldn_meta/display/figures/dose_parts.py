"""What the dose figure shows, and the same in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldn_meta.display.figures import style
from ldn_meta.display.wording import fixed, percent

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CurveBands:
    """Shares of people who respond, dose by dose (d,): middle 95%, middle half, median."""

    dose: FloatArray
    low: FloatArray
    lower: FloatArray
    median: FloatArray
    upper: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class DoseSpread:
    """Where one reading of the report puts the dose: middle 95%, middle half, median (mg)."""

    name: str
    low: float
    lower: float
    median: float
    upper: float
    high: float


@dataclass(frozen=True)
class PrintedDose:
    """A dose as printed, the share it is said to work in, and the interval printed with it."""

    name: str
    share: float
    dose: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether a source prints an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def dose_alt_text(
    spreads: Sequence[DoseSpread],
    printed: Sequence[PrintedDose],
    *,
    ladder: tuple[float, float],
    title: str,
) -> str:
    """Describe the dose figure in plain words."""
    points = "; ".join(
        f"{fixed(one.dose)} mg for {percent(one.share)} of people"
        + (f" (interval {fixed(one.low)} to {fixed(one.high)})" if one.has_interval else "")
        for one in printed
    )
    rows = " ".join(
        f"If {one.name}: median {fixed(one.median, 1)} mg, middle 95% {fixed(one.low, 1)} to "
        f"{fixed(one.high, 1)} mg."
        for one in spreads
    )
    return style.spoken(
        f"Dose figure: {title}. Doses tested: {ladder[0]:g} to {ladder[1]:g} mg. A wide band of "
        f"rising curves agrees with the trial. Printed: {points}. Dose that works in "
        f"{percent(printed[-1].share)}: {rows}"
    )
