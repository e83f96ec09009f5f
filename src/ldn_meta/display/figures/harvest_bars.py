"""The bars of a harvest plot: where each study stands, how high, and in what pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.figures.direction_rows import MIXED, NOT_KNOWN
from ldn_meta.display.figures.effect_direction_cells import Study
from ldn_meta.display.figures.judgement_dots import JUDGEMENTS, judgement
from ldn_meta.evidence.synthesis import FAVOURS_COMPARATOR, FAVOURS_LDN, NO_DIFFERENCE

if TYPE_CHECKING:
    from ldn_meta.display.figures.sheet import Sheet

# A panel takes the directions listed beside its head, from left to right.
PANELS = {
    "Favours comparator": (FAVOURS_COMPARATOR,),
    "No difference, or mixed": (NO_DIFFERENCE, MIXED),
    "Favours LDN": (FAVOURS_LDN,),
    "Direction not known": (NOT_KNOWN,),
}
UNKNOWN_PANEL = "Direction not known"
# How well a design suits the question whether a drug works: chance decides who gets it, and
# nobody knows who does. Ogilvie 2008 (doi 10.1186/1471-2288-8-8) has the same three steps for
# designs of another kind.
SUITABILITY = {
    3: "randomised, double-blind",
    2: "randomised, not or not said to be double-blind",
    1: "not randomised, or not said to be",
}
STEP = 13.0
BAR_WIDTH = 11.0
NOT_JUDGED = "not judged"
_DOUBLE_BLIND = "double-blind"
# The pattern repeats what lightness says, so neighbours are told apart in grey as well.
_PATTERNS = {
    "some concerns": "....",
    "moderate": "----",
    "serious": "////",
    "critical": "xxxx",
    NOT_JUDGED: "\\\\\\\\",
}


@dataclass(frozen=True)
class Bar:
    """One study in one panel."""

    key: str
    height: float
    bias: str
    people: str


def suitability(study: Study) -> int:
    """Give the step of a study's design, 3 for the most suitable."""
    if not study.is_randomised:
        return 1
    return 3 if study.blinding == _DOUBLE_BLIND else 2


def bias_word(study: Study) -> str:
    """Name the judgement on a study as the legend does."""
    return study.bias.lower() if judgement(study.bias) is not None else NOT_JUDGED


def letters(number: int) -> list[str]:
    """Name ``number`` studies A, B, ... Z, AA, AB, ..."""
    pairs = (first + second for first, second in product(ascii_uppercase, repeat=2))
    return [*ascii_uppercase, *pairs][:number]


def bars_of(studies: Sequence[Study], keys: Sequence[str], column: str) -> dict[str, list[Bar]]:
    """Distribute the studies of one group of outcomes over the panels.

    Within a panel the most suitable designs come first, then the oldest.
    """
    panels: dict[str, list[Bar]] = {head: [] for head in PANELS}
    for study, key in zip(studies, keys, strict=True):
        if column not in study.cells:
            continue
        cell = study.cells[column]
        head = next(head for head, verdicts in PANELS.items() if cell.verdict in verdicts)
        number = style.count(cell.people)
        people = f"{number}*" if cell.verdict == MIXED else number
        bar = Bar(key, STEP * suitability(study), bias_word(study), people)
        panels[head].append(bar)
    for bars in panels.values():
        bars.sort(key=lambda bar: -bar.height)
    return panels


def draw_bar(sheet: Sheet, x: float, base: float, height: float, bias: str, *, gid: str) -> None:
    """Draw a bar that stands on ``base``, its middle at ``x``."""
    from matplotlib.patches import Rectangle

    how = JUDGEMENTS.get(bias)
    sheet.page.add_patch(
        Rectangle(
            (x - BAR_WIDTH / 2, base - height),
            BAR_WIDTH,
            height,
            facecolor=style.PAPER if how is None else how.fill,
            edgecolor=style.INK,
            hatch=_PATTERNS.get(bias),
            linewidth=0.8,
            zorder=3,
            gid=gid,
        )
    )


def biases_in_order(studies: Sequence[Study]) -> list[str]:
    """List the judgements that occur, in order of concern, those that are missing last."""
    words = {bias_word(study) for study in studies}
    return [word for word in (*JUDGEMENTS, NOT_JUDGED) if word in words]
