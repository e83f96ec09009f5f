"""Where each column and row of an effect direction plot stands, from measured text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ldn_meta.display.figures.direction_rows import MIXED, NOT_KNOWN, VERDICTS
from ldn_meta.display.figures.effect_direction_cells import Study
from ldn_meta.display.figures.effect_direction_marks import ROOM
from ldn_meta.display.figures.lettering import line_width, text_height, text_width, wrap
from ldn_meta.display.figures.sheet import Heading
from ldn_meta.display.figures.style import COLUMN_GAP, MARGIN
from ldn_meta.display.wording import capitalised

_LABEL_WIDTH = 180.0
_DESIGN_WIDTH = 105.0
_HEADS = ("Study", "Design", "People", "Risk\nof bias")
# A column is as wide as the longest word of any head, within these bounds; so heads break
# between words and columns are even.
_NARROWEST, _WIDEST = 62.0, 110.0
# The notes need room to be read even under a single column.
_LEAST_WIDTH = 400.0
_HEAD_AIR = 8.0
# From this many rows on, rows stand closer so that forty studies still fit a printed page.
_MANY = 25
_ROW_AIR, _ROW_AIR_MANY = 6.0, 1.5
_COUNT_AIR = 4.0


@dataclass(frozen=True)
class Head:
    """A broken head with the place its column is anchored at."""

    text: str
    x: float
    align: str


@dataclass(frozen=True)
class RowPlace:
    """A study's broken texts and its heights in points from the top of the page."""

    label: str
    design: str
    top: float
    middle: float


@dataclass(frozen=True)
class CountLine:
    """How many studies have a direction, column by column."""

    label: str
    texts: tuple[str, ...]
    middle: float


@dataclass(frozen=True)
class Layout:
    """All positions of the table, in points from the top left corner of the page."""

    heading: Heading
    heads: tuple[Head, Head, Head, Head]
    columns: tuple[Head, ...]
    right: float
    header_top: float
    header_bottom: float
    rows: tuple[RowPlace, ...]
    counts_top: float
    counts: tuple[CountLine, ...]
    bottom: float


def design_words(study: Study) -> str:
    """Name the design with what decides about it."""
    if study.is_randomised is None:
        chance = "randomisation not reported"
    else:
        chance = "randomised" if study.is_randomised else "not randomised"
    return f"{study.design}, {chance}" if study.design else chance


def lay_out(
    studies: Sequence[Study],
    column_names: Sequence[str],
    counts: Sequence[Mapping[str, int]],
    *,
    title: str | None,
) -> Layout:
    """Give each column the width of its widest text and each row the height of its lines."""
    labels = [wrap(study.label, _LABEL_WIDTH) for study in studies]
    designs = [wrap(design_words(study), _DESIGN_WIDTH) for study in studies]
    lines = [
        verdict
        for verdict in VERDICTS
        if verdict not in (MIXED, NOT_KNOWN) or any(count[verdict] for count in counts)
    ]
    label_width = _widest(labels, _HEADS[0])
    design_left = MARGIN + label_width + COLUMN_GAP
    people_width = _widest([study.people for study in studies], _HEADS[2])
    people_right = design_left + _widest(designs, _HEADS[1]) + COLUMN_GAP + people_width
    dot_width = text_width(_HEADS[3], weight="bold")
    counts_right = MARGIN + max(line_width(capitalised(line), weight="bold") for line in lines)
    edge = max(people_right + COLUMN_GAP + dot_width, counts_right) + COLUMN_GAP
    heads = (
        Head(_HEADS[0], MARGIN, "left"),
        Head(_HEADS[1], design_left, "left"),
        Head(_HEADS[2], people_right, "right"),
        Head(_HEADS[3], people_right + COLUMN_GAP + dot_width / 2, "center"),
    )
    pitch = _pitch(column_names)
    columns = tuple(
        Head(wrap(name, pitch - _HEAD_AIR, weight="bold"), edge + (index + 0.5) * pitch, "center")
        for index, name in enumerate(map(capitalised, column_names))
    )
    right = max(edge + pitch * len(columns), MARGIN + _LEAST_WIDTH)
    heading = Heading(title, right - MARGIN)
    header = max(text_height(head.text) for head in (*heads, *columns)) + 6
    header_bottom = heading.bottom + header
    rows = []
    top = header_bottom + 2
    air = _ROW_AIR if len(studies) < _MANY else _ROW_AIR_MANY
    for label, design in zip(labels, designs, strict=True):
        height = max(text_height(label), text_height(design), ROOM) + air
        rows.append(RowPlace(label, design, top, top + height / 2))
        top += height
    counts_top = top + 2
    pitch_y = text_height("0") + _COUNT_AIR
    places = tuple(
        CountLine(
            capitalised(line),
            tuple(str(count[line]) for count in counts),
            counts_top + _COUNT_AIR / 2 + (index + 0.5) * pitch_y,
        )
        for index, line in enumerate(lines)
    )
    bottom = counts_top + _COUNT_AIR + pitch_y * len(places)
    return Layout(
        heading,
        heads,
        columns,
        right,
        heading.bottom,
        header_bottom,
        tuple(rows),
        counts_top,
        places,
        bottom,
    )


def _widest(texts: Sequence[str], head: str) -> float:
    return max(text_width(head, weight="bold"), *(text_width(text) for text in texts))


def _pitch(names: Sequence[str]) -> float:
    words = [word for name in names for word in capitalised(name).split(" ")]
    longest = max(line_width(word, weight="bold") for word in words)
    return min(max(longest + _HEAD_AIR, _NARROWEST), _WIDEST)
