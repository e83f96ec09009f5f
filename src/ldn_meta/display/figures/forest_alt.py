"""A forest plot in plain words, from the rows that are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ldn_meta.display.figures.forest_rows import Row
from ldn_meta.display.figures.judgement_dots import judgement
from ldn_meta.display.figures.style import spoken
from ldn_meta.display.wording import count
from ldn_meta.evidence.bias_tools import OVERALL

# More trials than this are a range: nobody listens to sixty intervals.
_MOST_NAMED = 12


def describe(
    rows: Sequence[Row],
    *,
    measure: str,
    direction: tuple[str, str],
    dot_names: Sequence[str],
    is_log: bool,
    title: str | None,
) -> str:
    """Describe a forest plot for people who cannot see it.

    Parameters
    ----------
    rows : sequence of Row
        What is drawn.
    measure : str
        Name of the effect measure.
    direction : (str, str)
        What smaller and larger values than no effect mean.
    dot_names : sequence of str
        Heads of the judgements; of these only the overall one is told.
    is_log : bool
        No effect is a ratio of 1 and not a difference of 0.
    title : str or None
        Title of the figure.
    """
    trials = [row for row in rows if row.kind == "trial"]
    opening = "Forest plot without trials"
    if trials:
        opening = f"Forest plot of {count(len(trials), 'trial')}, {measure.lower()}"
    sentences = [f"{opening}: {title}." if title else f"{opening}."]
    if all(direction) and any(row.effect for row in rows):
        middle = "1" if is_log else "0"
        sentences.append(
            f"Values below {middle}: {direction[0]}; values above {middle}: {direction[1]}."
        )
    bias = _OverallBias(dot_names)
    sentences += _trial_sentences(trials, bias)
    for row in rows:
        if row.kind == "remark":
            sentences.append(row.label if row.label.endswith(".") else f"{row.label}.")
        elif row.kind == "heading":
            sentences.append(f"{row.label}:")
        elif row.kind == "shown" and row.note:
            sentences.append(f"{row.label} {row.effect}, {row.note}{bias.told(row)}.")
        elif row.kind != "trial":
            sentences.append(f"{row.label} {row.effect}{bias.told(row)}.")
    return spoken(" ".join(sentences))


class _OverallBias:
    """Tells the overall judgement of a row, if there is one to tell."""

    def __init__(self, dot_names: Sequence[str]) -> None:
        heads = [name.lower() for name in dot_names]
        self._place = heads.index(OVERALL) if OVERALL in heads else None

    def told(self, row: Row) -> str:
        """Write ``, risk of bias high``; nothing where nobody has judged."""
        if self._place is None or not row.dots or judgement(row.dots[self._place]) is None:
            return ""
        return f", risk of bias {row.dots[self._place]}"


def _trial_sentences(trials: Sequence[Row], bias: _OverallBias) -> list[str]:
    if len(trials) <= _MOST_NAMED:
        return [
            f"{row.label} {row.effect}{f', weight {row.weight}' if row.weight else ''}"
            f"{bias.told(row)}."
            for row in trials
        ]
    known = [row for row in trials if math.isfinite(row.span.estimate)]
    lowest = min(known, key=lambda row: row.span.estimate)
    highest = max(known, key=lambda row: row.span.estimate)
    return [
        f"Effects run from {lowest.effect} in {lowest.label} "
        f"to {highest.effect} in {highest.label}."
    ]
