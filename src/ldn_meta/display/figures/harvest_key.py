"""What the bars of a harvest plot mean: legend, letters and conventions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.direction_rows import MIXED
from ldn_meta.display.figures.effect_direction_cells import AGREEING_PCT, Study
from ldn_meta.display.figures.harvest_bars import (
    BAR_WIDTH,
    STEP,
    SUITABILITY,
    biases_in_order,
    draw_bar,
    suitability,
)
from ldn_meta.display.figures.legend import Entry

if TYPE_CHECKING:
    from ldn_meta.display.figures.sheet import Sheet

# Bars in the legend are lower than those of the plot, in the same proportions.
_KEY_SHARE = 0.3
_KEY_HEIGHT = 12.0
_ROOM = BAR_WIDTH + 5.0


def legend_groups(studies: Sequence[Study]) -> list[tuple[str, list[Entry]]]:
    """Explain the heights and patterns that occur."""
    steps = {suitability(study) for study in studies}
    heights = [
        Entry(words, partial(_draw_key, STEP * step * _KEY_SHARE, ""), _ROOM, _KEY_HEIGHT)
        for step, words in SUITABILITY.items()
        if step in steps
    ]
    patterns = [
        Entry(word, partial(_draw_key, _KEY_HEIGHT, word), _ROOM, _KEY_HEIGHT)
        for word in biases_in_order(studies)
    ]
    return [("Height: design", heights), ("Risk of bias", patterns)]


def notes(studies: Sequence[Study], names: Sequence[str]) -> list[str]:
    """Say which letter is which study, and what numbers and stars mean."""
    cells = [cell for study in studies for cell in study.cells.values()]
    key = "; ".join(
        f"{name}:{style.NO_BREAK}{study.label}" for name, study in zip(names, studies, strict=True)
    )
    above = "Number above a bar: people"
    if any(math.isnan(cell.people) for cell in cells):
        above += ", NR if not reported"
    lines = [f"{key}.", f"{above}. Direction of the point estimate, whatever its p-value."]
    if any(cell.combined > 1 for cell in cells):
        lines.append(
            "Several outcomes of a study count as one bar, in the direction of at least "
            f"{AGREEING_PCT}% of them."
        )
    if any(cell.verdict == MIXED for cell in cells):
        lines.append("* mixed: outcomes of the study, or its reports of one, differ.")
    return lines


def _draw_key(height: float, bias: str, sheet: Sheet, x: float, y: float, gid: str) -> None:
    draw_bar(sheet, x, y + _KEY_HEIGHT / 2, height, bias, gid=gid)
