"""An albatross plot in plain words: every result, and between which curves it lies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ldn_meta.display.figures.albatross_draw import Curve
from ldn_meta.display.figures.albatross_marks import COMPARATOR_SIDE, LDN_SIDE, Mark
from ldn_meta.display.wording import agree, capitalised, count

# More results than this are counted: nobody listens to thirty of them.
MOST_NAMED = 20
_SIDES = {LDN_SIDE: "on the side of LDN", COMPARATOR_SIDE: "on the side of the comparator"}


def describe(marks: Sequence[Mark], curves: Mapping[str, Curve], *, measure: str) -> str:
    """Describe the plot for people who cannot see it.

    Parameters
    ----------
    marks : sequence of Mark
    curves : mapping of str to (sequence of float, sequence of float)
        Two-sided p and people by name of the curve.
    measure : str
        What the curves are values of.
    """
    results = sum(len(mark.results) for mark in marks)
    sentences = [
        f"{capitalised(count(results, 'result'))} by two-sided p-value (across, mirrored about "
        "p = 1) and number of people (upwards)."
    ]
    if len(marks) <= MOST_NAMED:
        sentences += [_mark_sentence(mark, curves, measure) for mark in marks]
    else:
        sentences.append(_summary(marks))
    return " ".join(sentences)


def side_words(mark: Mark) -> str:
    """Say on which side a mark stands."""
    return _SIDES[mark.sides[0]] if mark.is_side_known else "on a side that is not known"


def between_curves(mark: Mark, curves: Mapping[str, Curve], measure: str) -> str:
    """Say between which curves a point lies; nothing where the curves do not hold.

    A larger effect reaches the same p with fewer people.
    """
    if mark.is_paired or not mark.is_point or not curves:
        return ""
    people = {name: _people_at(mark.p, curve) for name, curve in curves.items()}
    known = {name: value for name, value in people.items() if not math.isnan(value)}
    # From the smallest effect, which needs the most people, to the largest.
    ordered = sorted(known, key=lambda name: -known[name])
    smaller = [name for name in ordered if known[name] >= mark.people]
    larger = [name for name in ordered if known[name] < mark.people]
    if smaller and larger:
        return f", between the curves of {measure} {smaller[-1]} and {larger[0]}"
    if larger:
        return f", nearer to no effect than the curve of {measure} {larger[0]}"
    if smaller:
        return f", beyond the curve of {measure} {smaller[-1]}"
    return ""


def _mark_sentence(mark: Mark, curves: Mapping[str, Curve], measure: str) -> str:
    design = "the same people in both arms" if mark.is_paired else "two groups"
    chance = "" if mark.is_randomised else ", not or not said to be randomised"
    return (
        f"{mark.name} ({mark.p_words}, {mark.people:.0f} people, {design}{chance}): "
        f"{side_words(mark)}{between_curves(mark, curves, measure)}."
    )


def _summary(marks: Sequence[Mark]) -> str:
    sides = [mark.sides[0] if mark.is_side_known else 0 for mark in marks for _ in mark.results]
    parts = [
        agree(sides.count(side), f"lies {words}", f"lie {words}") for side, words in _SIDES.items()
    ]
    if 0 in sides:
        parts.append(agree(sides.count(0), "has no known side", "have no known side"))
    points = [mark.p for mark in marks if mark.is_point]
    people = [mark.people for mark in marks]
    ranged = sum(len(mark.results) for mark in marks if not mark.is_point)
    sentences = [f"{capitalised(', '.join(parts))}."]
    if points:
        sentences.append(f"Known p-values run from {min(points):.3g} to {max(points):.3g}.")
    if ranged:
        known = agree(ranged, "has a p-value", "have a p-value")
        sentences.append(f"{capitalised(known)} known only as a range.")
    sentences.append(f"Numbers of people run from {min(people):.0f} to {max(people):.0f}.")
    return " ".join(sentences)


def _people_at(p: float, curve: Curve) -> float:
    """Read the people of a curve at a p, between its points on log axes; NaN outside."""
    points = sorted(
        (math.log(x), math.log(people))
        for x, people in zip(*curve, strict=True)
        if x > 0 and people > 0
    )
    at = math.log(p)
    for (left, low), (right, high) in pairwise(points):
        if left <= at <= right:
            share = (at - left) / (right - left) if right > left else 0.0
            return math.exp(low + share * (high - low))
    return math.nan
