"""What a sequential figure is made of: looks, boundaries, and what the looks say of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.wording import percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

LOOK_COLUMNS = ("label", "fraction", "z")
NO_LOOK = "No trial gives an effect of this outcome, so there is no look."
# Of the two-sided normal test at 5%, for somebody who looks once.
CONVENTIONAL = 1.959964


@dataclass(frozen=True)
class Look:
    """The evidence after one trial more.

    Attributes
    ----------
    label : str
    fraction : float
        Share of the required information.
    z : float
        Pooled effect over its standard error.
    """

    label: str
    fraction: float
    z: float


@dataclass(frozen=True)
class Boundary:
    """Size of Z at shares of the required information; both sides are the same.

    Attributes
    ----------
    fraction, size : tuple of float, (m,)
        Ascending shares, and the size there.
    """

    fraction: tuple[float, ...] = ()
    size: tuple[float, ...] = ()

    def at(self, fraction: float) -> float:
        """Size at a share, on a straight line between points; NaN beyond the ends."""
        import numpy as np

        if not self.fraction:
            return math.nan
        found = np.interp(fraction, self.fraction, self.size, left=math.nan, right=math.nan)
        return float(found)

    def below(self, reach: float, last: float) -> list[tuple[float, float]]:
        """Points no higher than ``reach`` and no later than ``last``, ends met exactly."""
        points = list(zip(self.fraction, self.size, strict=True))
        kept: list[tuple[float, float]] = []
        for number, (fraction, size) in enumerate(points):
            if number and (points[number - 1][1] > reach) != (size > reach):
                before, higher = points[number - 1]
                share = (reach - higher) / (size - higher)
                kept.append((before + share * (fraction - before), reach))
            if size <= reach:
                kept.append((fraction, size))
        inside = [(fraction, size) for fraction, size in kept if fraction <= last]
        if inside and len(inside) < len(kept) and inside[-1][0] < last:
            inside.append((last, self.at(last)))
        return inside


def looks_of(frame: pd.DataFrame) -> list[Look]:
    """Read looks in the order they were taken.

    Raises
    ------
    ArgumentError
        If a column is missing, a number is not finite, or information does not grow.
    """
    missing = [name for name in LOOK_COLUMNS if name not in frame.columns]
    if missing:
        message = f"looks lacks {', '.join(missing)}; allowed: {', '.join(LOOK_COLUMNS)}"
        raise ArgumentError(message)
    looks = [
        Look(str(row["label"]), float(row["fraction"]), float(row["z"]))
        for row in frame.to_dict("records")
    ]
    faults, last = [], 0.0
    for look in looks:
        if not (math.isfinite(look.fraction) and look.fraction > last):
            faults.append(
                f"fraction {look.fraction:g} of {look.label!r}: allowed is more than {last:g}, "
                "since every look adds information"
            )
        else:
            last = look.fraction
        if not math.isfinite(look.z):
            faults.append(f"z {look.z:g} of {look.label!r}: allowed is a finite number")
    if faults:
        raise ArgumentError(f"looks: {'; '.join(faults)}")
    return looks


def boundary_of(name: str, pair: tuple[ArrayLike, ArrayLike] | None) -> Boundary:
    """Read a boundary; points that are NaN are left out.

    Raises
    ------
    ArgumentError
        If shares and sizes differ in length, shares do not ascend, or a size is negative.
    """
    import numpy as np

    if pair is None:
        return Boundary()
    fraction, size = (np.asarray(values, dtype=float) for values in pair)
    if fraction.ndim != 1 or fraction.shape != size.shape:
        message = (
            f"{name} has shapes {fraction.shape} and {size.shape}: fractions and sizes need one "
            "shape (m,)"
        )
        raise ArgumentError(message)
    known = np.isfinite(fraction) & np.isfinite(size)
    fraction, size = fraction[known], size[known]
    if np.any(np.diff(fraction) <= 0) or np.any(size < 0):
        message = (
            f"{name} has fractions {fraction.tolist()!r:.60} and sizes {size.tolist()!r:.60}: "
            "allowed are ascending fractions and sizes of at least 0"
        )
        raise ArgumentError(message)
    return Boundary(tuple(fraction.tolist()), tuple(size.tolist()))


def verdict_words(
    looks: Sequence[Look], boundary: Boundary, futility: Boundary, direction: tuple[str, str]
) -> str:
    """Say whether, when and where a boundary was met, and where the last look stands."""
    sentences = []
    crossed = next((look for look in looks if abs(look.z) >= boundary.at(look.fraction)), None)
    if crossed is not None:
        sentences.append(
            f"The boundary was crossed after {crossed.label}: {direction[crossed.z > 0]}."
        )
    elif any(math.isfinite(boundary.at(look.fraction)) for look in looks):
        sentences.append("No look crossed the boundary.")
    single = [
        look.label
        for look in looks
        if abs(look.z) > CONVENTIONAL
        and look.fraction < 1
        and not abs(look.z) >= boundary.at(look.fraction)
    ]
    if single:
        sentences.append(
            f"A single look would have seen an effect after {_joined(single)}: Z beyond 1.96, "
            "not beyond the boundary."
        )
    given_up = next((look for look in looks if abs(look.z) < futility.at(look.fraction)), None)
    if given_up is not None:
        sentences.append(f"Z lay inside the futility wedge after {given_up.label}.")
    last = looks[-1]
    here = f"After {last.label}, Z is {style.number(last.z, 2)}"
    size = boundary.at(last.fraction)
    if math.isfinite(size):
        return " ".join([*sentences, f"{here} and the boundary {style.number(size, 2)}."])
    if last.fraction >= 1:
        return " ".join([*sentences, f"{here}; the required information has been reached."])
    return " ".join([*sentences, f"{here}; so early no boundary is defined."])


def information_words(looks: Sequence[Look], ris_people: float) -> str:
    """Say how far the evidence has come."""
    fraction = looks[-1].fraction
    share = "under 1%" if fraction < 0.005 else percent(fraction)
    if math.isnan(ris_people):
        return f"Information so far: {share} of what is required"
    return f"Information so far: {share} of what {ris_people:,.0f} people would give"


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
