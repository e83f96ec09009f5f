"""The trials of a funnel plot, and the regions of p that they lie in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import confidence_level

if TYPE_CHECKING:
    import pandas as pd

FUNNEL_COLUMNS = ("label", "yi", "vi")
# Ratios beyond 5e21 are typing errors; they would overflow a log axis.
LARGEST_LOG = 50.0


@dataclass(frozen=True)
class Trial:
    """A trial, or one that trim and fill imputed.

    Attributes
    ----------
    label : str
    effect, se : float
        On the scale of analysis (logarithms for ratios).
    is_imputed : bool
    """

    label: str
    effect: float
    se: float
    is_imputed: bool

    @property
    def p(self) -> float:
        """Two-sided p of the trial on its own, by the normal distribution."""
        return math.erfc(abs(self.effect) / self.se / math.sqrt(2))


@dataclass(frozen=True)
class Region:
    """Effects whose two-sided p lies above a bound, up to the bound of the next region.

    Attributes
    ----------
    words : str
    above : float
    tone : str
        A grey; none so dark that a mark in ink would be lost on it.
    """

    words: str
    above: float
    tone: str

    @property
    def z(self) -> float:
        """Standard errors from no effect to its outer boundary; infinite for the outermost."""
        return NormalDist().inv_cdf(1 - self.above / 2) if self.above else math.inf


# From the outermost to the middle, as they are painted one over the other.
REGIONS = (
    Region("below 0.01", 0.0, "#a8a8a8"),
    Region("0.01 to 0.05", 0.01, "#c6c6c6"),
    Region("0.05 to 0.10", 0.05, "#e3e3e3"),
    Region("above 0.10", 0.10, style.PAPER),
)


def trials_of(frame: pd.DataFrame, *, is_log: bool) -> list[Trial]:
    """Read the trials in the order given.

    Raises
    ------
    ArgumentError
        If a column is missing, an effect is not finite, a variance not above 0, or ``imputed``
        neither True nor False.
    """
    missing = [name for name in FUNNEL_COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks {', '.join(missing)}; allowed: {', '.join(FUNNEL_COLUMNS)}"
        raise ArgumentError(message)
    rows = frame.to_dict("records")
    faults = []
    for row in rows:
        yi, vi, imputed = row["yi"], row["vi"], row.get("imputed", False)
        if not math.isfinite(yi):
            faults.append(f"yi {yi:g} of {row['label']!r}: allowed is a finite number")
        elif is_log and abs(yi) > LARGEST_LOG:
            faults.append(
                f"yi {yi:g} of {row['label']!r}: allowed is a logarithm of at most "
                f"{LARGEST_LOG:g} in size"
            )
        if not (math.isfinite(vi) and vi > 0):
            faults.append(f"vi {vi:g} of {row['label']!r}: allowed is a finite number above 0")
        if not isinstance(imputed, bool):
            faults.append(f"imputed {imputed!r} of {row['label']!r}: allowed are True and False")
    if faults:
        raise ArgumentError(f"frame: {'; '.join(faults)}")
    return [
        Trial(str(row["label"]), row["yi"], math.sqrt(row["vi"]), row.get("imputed", False))
        for row in rows
    ]


def checked_trials(
    frame: pd.DataFrame,
    *,
    centre: float | None,
    is_log: bool,
    level: float,
    limits: tuple[float, float] | None,
) -> list[Trial]:
    """Read the trials, and refuse options under which one could not be seen.

    Raises
    ------
    ArgumentError
        If the frame is refused (`trials_of`), centre or level is not usable, or the limits leave
        out a trial, the centre or no effect.
    """
    confidence_level(level)
    trials = trials_of(frame, is_log=is_log)
    most = LARGEST_LOG if is_log else math.inf
    if centre is not None and not (math.isfinite(centre) and abs(centre) <= most):
        message = f"centre={centre!r} is not usable; allowed: a finite effect like yi, or None"
        raise ArgumentError(message)
    if limits is None:
        return trials
    low, high = limits
    places = [("no effect", 0.0), *((repr(trial.label), trial.effect) for trial in trials)]
    places += [] if centre is None else [("centre", centre)]
    outside = [f"{name} at {value:g}" for name, value in places if not low <= value <= high]
    if outside or not low < high or max(-low, high) > most or math.isinf(high - low):
        left_out = f" leaves out {', '.join(outside)}" if outside else " is no range"
        message = (
            f"limits={limits!r}{left_out}; allowed: finite limits, the lower first, that hold "
            "every trial, centre and no effect"
        )
        raise ArgumentError(message)
    return trials


def region_of(trial: Trial) -> Region:
    """Find the region a trial lies in."""
    return next(region for region in reversed(REGIONS) if trial.p >= region.above)


def quantile(level: float) -> float:
    """Standard errors from the middle to the limits that hold a share ``level`` of trials."""
    return NormalDist().inv_cdf((1 + level) / 2)
