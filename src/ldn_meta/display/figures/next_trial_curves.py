"""Curves of a next trial's worth: probability against people, read from a plain table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures.forest_rows import EffectFormat
from ldn_meta.display.wording import capitalised, percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

NEXT_TRIAL_COLUMNS = ("people", "true_effect", "probability", "what")
NO_CURVE = "No next trial was simulated for this outcome."
# The power that trials are usually planned for.
LIKELY = 0.8
# More lines could not be told apart by their dashes.
MOST_EFFECTS = 8


@dataclass(frozen=True)
class Curve:
    """Probabilities under one true effect, by people in the next trial.

    Attributes
    ----------
    effect : float
        On the scale of ``yi``.
    people, probability : tuple of float, (n,)
        Ascending numbers of people, and the probability at each.
    """

    effect: float
    people: tuple[float, ...]
    probability: tuple[float, ...]

    @property
    def likely_from(self) -> float:
        """Fewest people from which on the probability stays likely; infinite if it never is."""
        found = math.inf
        for people, probability in zip(
            reversed(self.people), reversed(self.probability), strict=True
        ):
            if probability < LIKELY:
                break
            found = people
        return found


@dataclass(frozen=True)
class Panel:
    """What may happen, and its curves from the smallest true effect to the largest."""

    what: str
    curves: tuple[Curve, ...]


def panels_of(frame: pd.DataFrame) -> list[Panel]:
    """Read panels in the order in which they first occur.

    Raises
    ------
    ArgumentError
        If a column is missing, a number is not what it should be, a point is there twice, or
        there are more true effects than lines can be told apart.
    """
    missing = [name for name in NEXT_TRIAL_COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks {', '.join(missing)}; allowed: {', '.join(NEXT_TRIAL_COLUMNS)}"
        raise ArgumentError(message)
    faults = []
    for number, row in enumerate(frame.to_dict("records")):
        if not (math.isfinite(row["people"]) and row["people"] > 0):
            faults.append(f"people {row['people']:g} in row {number}: allowed is a number above 0")
        if not math.isfinite(row["true_effect"]):
            faults.append(
                f"true_effect {row['true_effect']:g} in row {number}: allowed is a finite number"
            )
        if not 0 <= row["probability"] <= 1:
            faults.append(f"probability {row['probability']:g} in row {number}: allowed is 0 to 1")
    twice = frame[frame.duplicated(["what", "true_effect", "people"])]
    faults += [
        f"{row['what']!r} under {row['true_effect']:g} with {row['people']:g} people is there "
        "twice: allowed is once"
        for row in twice.to_dict("records")
    ]
    effects = frame["true_effect"].nunique()
    if effects > MOST_EFFECTS:
        faults.append(f"{effects} true effects: allowed are {MOST_EFFECTS}, or lines look alike")
    if faults:
        raise ArgumentError(f"frame: {'; '.join(faults)}")
    return [
        Panel(
            str(what),
            tuple(
                Curve(
                    float(rows["true_effect"].iloc[0]),
                    tuple(float(people) for people in rows["people"]),
                    tuple(float(probability) for probability in rows["probability"]),
                )
                for _, rows in own.sort_values("people").groupby("true_effect")
            ),
        )
        for what, own in frame.groupby("what", sort=False)
    ]


def effects_of(panels: Sequence[Panel]) -> list[float]:
    """All true effects, from the smallest to the largest; each has a line of its own kind."""
    return sorted({curve.effect for panel in panels for curve in panel.curves})


def likely_words(panel: Panel, print_as: EffectFormat) -> str:
    """Say for each true effect how many people make the event likely."""
    effects: dict[str, list[str]] = {}
    for curve in panel.curves:
        first, last = curve.people[0], curve.people[-1]
        if math.isinf(curve.likely_from):
            when = f"not with up to {last:,.0f} people"
        elif curve.likely_from == first:
            when = f"with {first:,.0f} people already"
        else:
            when = f"from {curve.likely_from:,.0f} people on"
        effects.setdefault(when, []).append(print_as.number(curve.effect))
    parts = [f"{when} if it is {joined(names)}" for when, names in effects.items()]
    return (
        f"{capitalised(panel.what)}, with a probability of {percent(LIKELY)} or more, by true "
        f"effect: {'; '.join(parts)}."
    )


def joined(names: Sequence[str]) -> str:
    """Write names as ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
