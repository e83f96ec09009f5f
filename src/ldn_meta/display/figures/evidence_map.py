"""The evidence map: for each indication and outcome, how much there is and where it points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.sheet import (
    MARGIN,
    Heading,
    Sheet,
    line_width,
    opening,
    point,
    text_height,
    text_width,
    words_only,
    wrap,
    write_heads,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import capitalised
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import (
    DIRECTION_ONLY,
    KINDS,
    META_ANALYSIS,
    NO_COMPARISON,
    NOTHING,
    ONE_TRIAL,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.shown import ShownFigure


MAP_COLUMNS = ("indication_label", "outcome_label", "trials", "people", "direction", "synthesis")


@dataclass(frozen=True)
class Mark:
    """Shape and colour of a direction, and how the legend calls it."""

    marker: str
    colour: str
    words: str


@dataclass(frozen=True)
class Filling:
    """How strongly a mark is filled, and how the legend calls the kind of synthesis."""

    strength: float
    size: float
    words: str


_EITHER = Mark(
    "o", style.SOFT_INK, "either way (the interval includes no difference, or none was found)"
)
_UNKNOWN = Mark("s", style.SOFT_INK, "direction not stated")


def directions_of(treatment: str) -> dict[str, Mark]:
    """How each direction of the tables is drawn."""
    return {
        "favours treatment": Mark("^", style.TREATMENT, f"favours {treatment}"),
        "favours comparator": Mark("v", style.PREDICTION, "favours comparator"),
        "either way": _EITHER,
        "no difference": _EITHER,
        "partly favours treatment": Mark(
            "D", style.TREATMENT, f"some favour {treatment}, others found no difference"
        ),
        "partly favours comparator": Mark(
            "d", style.PREDICTION, "some favour the comparator, others found no difference"
        ),
        "conflicting": Mark("X", style.SOFT_INK, "studies point both ways"),
        "unclear": _UNKNOWN,
        "not stated": _UNKNOWN,
        "none": _UNKNOWN,
    }


ALONE = Mark("P", style.SINGLE_ARM, "no comparison group")
FILLINGS = {
    META_ANALYSIS: Filling(1.0, 15.0, "solid: meta-analysis"),
    ONE_TRIAL: Filling(0.35, 13.0, "tinted: one trial, not pooled"),
    DIRECTION_ONLY: Filling(0.0, 13.0, "open: direction only, no number"),
    NO_COMPARISON: Filling(0.35, 7.0, ""),
}


@dataclass(frozen=True)
class Cell:
    """One indication and outcome."""

    synthesis: str
    mark: Mark
    trials: int
    people: float

    @property
    def is_empty(self) -> bool:
        """Nothing was found for it."""
        return self.synthesis == NOTHING

    @property
    def filling(self) -> Filling:
        """How strongly the mark is filled."""
        return FILLINGS[self.synthesis]

    @property
    def lines(self) -> tuple[str, str]:
        """Trials and people as printed."""
        has_number = self.synthesis in (META_ANALYSIS, ONE_TRIAL)
        one, many = ("trial", "trials") if has_number else ("study", "studies")
        noun = one if self.trials == 1 else many
        # No people behind a trial means that nobody said how many.
        known = math.isfinite(self.people) and self.people > 0
        who = "person" if self.people == 1 else "people"
        return f"{self.trials} {noun}", f"{self.people:.0f} {who}" if known else "people not given"


def evidence_cells(
    frame: pd.DataFrame, directions: Mapping[str, Mark]
) -> tuple[list[str], list[str], dict[tuple[str, str], Cell]]:
    """Turn rows into labels of rows, labels of columns, and cells."""
    style.check_columns(frame, MAP_COLUMNS)
    cells: dict[tuple[str, str], Cell] = {}
    for entry in frame.to_dict("records"):
        key = (str(entry["indication_label"]), str(entry["outcome_label"]))
        if key in cells:
            message = f"frame has {key[0]!r} with {key[1]!r} twice: one row a cell"
            raise ArgumentError(message)
        synthesis = _known(entry["synthesis"], "synthesis", KINDS)
        direction = _known(entry["direction"], "direction", tuple(directions))
        mark = ALONE if synthesis == NO_COMPARISON else directions[direction]
        trials = 0 if entry["trials"] != entry["trials"] else int(entry["trials"] or 0)
        cells[key] = Cell(synthesis, mark, trials, float(entry["people"]))
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    return rows, columns, cells


def _known(value: object, column: str, allowed: tuple[str, ...]) -> str:
    if str(value) not in allowed:
        message = f"{column} is {value!r}: allowed are {', '.join(allowed)}"
        raise ArgumentError(message)
    return str(value)


NOTHING_MAPPED = "No indication and outcome to map."
_ROW_WIDTH = 150.0
_CELL_WIDTH = 84.0
_ROW_HEIGHT = 56.0
_MARK_DOWN = 15.0
_TEXT_DOWN = 39.0
# A map of one column is no wider than its cells, but its legend is.
_LEAST_WIDTH = 340.0
_LEGEND_LINE = 15.0
_LEGEND_MARK = 16.0
_LEGEND_GAP = 16.0
_LEGEND_SIZE = 8.5


@style.settings()
def evidence_map(
    frame: pd.DataFrame, *, treatment: str = "treatment", title: str | None = None
) -> tuple[ShownFigure, Axes]:
    """Draw what is known, indication by outcome.

    The shape of a mark is the direction, its filling the kind of synthesis, so the map reads
    the same in grey; the numbers of trials and people stand below it.
    """
    directions = directions_of(treatment)
    rows, columns, cells = evidence_cells(frame, directions)
    sentences = [opening("Evidence map", title)]
    if not cells:
        return words_only([NOTHING_MAPPED], title, f"{sentences[0]} {NOTHING_MAPPED}")
    for row in rows:
        found = [(column, cells.get((row, column))) for column in columns]
        said = [_cell_words(name, cell) for name, cell in found if cell and not cell.is_empty]
        empty = [name for name, cell in found if cell is None or cell.is_empty]
        if empty:
            said.append(f"no data on {', '.join(empty)}")
        sentences.append(f"{capitalised(row)}: {'; '.join(said)}.")
    row_labels = [wrap(capitalised(name), _ROW_WIDTH, weight="bold") for name in rows]
    heads = [wrap(capitalised(name), _CELL_WIDTH - 8, weight="bold") for name in columns]
    left = MARGIN + max(text_width(name, weight="bold") for name in row_labels) + 8
    right = left + _CELL_WIDTH * len(columns)
    width = max(right - MARGIN, _LEAST_WIDTH)
    heading = Heading(title, width)
    top = heading.bottom + max(text_height(head) for head in heads) + 6
    bottom = top + _ROW_HEIGHT * len(rows)
    legend = _Legend(cells.values(), directions, width)
    sheet = Sheet(width + 2 * MARGIN, bottom + 12 + legend.height + MARGIN)
    heading.write(sheet)
    places = [(left + (i + 0.5) * _CELL_WIDTH, head, "center") for i, head in enumerate(heads)]
    write_heads(sheet, places, top - 3, "column")
    for index, name in enumerate(row_labels):
        y = top + (index + 0.5) * _ROW_HEIGHT
        sheet.write(MARGIN, y, name, weight="bold", gid=f"row-{index}")
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            corner = (left + j * _CELL_WIDTH, top + i * _ROW_HEIGHT)
            _draw_cell(sheet, corner, cells.get((row, column)), f"cell-{i}-{j}")
    for index in range(len(rows) + 1):
        sheet.rule(MARGIN, right, top + index * _ROW_HEIGHT, width=0.6)
    legend.draw(sheet, bottom + 12)
    return sheet.shown(" ".join(sentences))


evidence_map_output = output_of(evidence_map)


def _cell_words(column: str, cell: Cell) -> str:
    trials, people = cell.lines
    found = {
        META_ANALYSIS: f"meta-analysis of {trials}",
        ONE_TRIAL: "one trial",
        DIRECTION_ONLY: f"direction only, {trials}",
        NO_COMPARISON: f"{trials} without comparison group",
    }[cell.synthesis]
    direction = "" if cell.synthesis == NO_COMPARISON else f", {cell.mark.words}"
    return f"{column}: {found}, {people}{direction}"


def _draw_cell(sheet: Sheet, corner: tuple[float, float], cell: Cell | None, gid: str) -> None:
    left, top = corner
    centre = left + _CELL_WIDTH / 2
    if cell is None or cell.is_empty:
        sheet.band(left + 1, left + _CELL_WIDTH - 1, top + 1, top + _ROW_HEIGHT - 1, style.BAND)
        middle = top + _ROW_HEIGHT / 2
        sheet.write(
            centre, middle, "no data", align="center", colour=style.SOFT_INK, gid=f"{gid}-text"
        )
        return
    _draw_mark(sheet, centre, top + _MARK_DOWN, cell.mark, cell.filling, f"{gid}-mark")
    text = "\n".join(cell.lines)
    sheet.write(centre, top + _TEXT_DOWN, text, align="center", gid=f"{gid}-text")


def _draw_mark(
    sheet: Sheet, x: float, y: float, mark: Mark, filling: Filling, gid: str, *, size: float = 0
) -> None:
    from matplotlib.colors import to_hex, to_rgb

    # Mixed with white here: transparency would let the rules shine through.
    red, green, blue = (1 - filling.strength * (1 - part) for part in to_rgb(mark.colour))
    fill, size = to_hex((red, green, blue)), size or filling.size
    point(sheet.page, x, y, mark.marker, size, fill, edge=mark.colour, rim=1.4, zorder=3, gid=gid)


class _Legend:
    """Explains the marks that occur, in as many lines as they need."""

    def __init__(
        self, cells: Iterable[Cell], directions: Mapping[str, Mark], width: float
    ) -> None:
        shown = [cell for cell in cells if not cell.is_empty]
        occurring = {cell.mark for cell in shown}
        marks = [m for m in dict.fromkeys((*directions.values(), ALONE)) if m in occurring]
        kinds = [kind for kind in FILLINGS if any(cell.synthesis == kind for cell in shown)]
        neutral = Mark("o", style.INK, "")
        shapes = [
            (mark, FILLINGS[NO_COMPARISON if mark is ALONE else DIRECTION_ONLY], mark.words)
            for mark in marks
        ]
        fills = [
            (neutral, FILLINGS[kind], FILLINGS[kind].words)
            for kind in kinds
            if kind != NO_COMPARISON
        ]
        self._lines = [*_flow("Shape", shapes, width), *_flow("Filling", fills, width)]
        self.height = _LEGEND_LINE * len(self._lines)

    def draw(self, sheet: Sheet, top: float) -> None:
        """Draw the legend below ``top``."""
        count = 0
        for index, line in enumerate(self._lines):
            y = top + (index + 0.5) * _LEGEND_LINE
            for x, entry in line:
                gid = f"legend-{count}"
                count += 1
                if isinstance(entry, str):
                    sheet.write(x, y, entry, size=style.SMALL_SIZE, weight="bold", gid=gid)
                    continue
                mark, filling, words = entry
                size = min(filling.size, _LEGEND_SIZE)
                _draw_mark(sheet, x + 5, y, mark, filling, f"{gid}-mark", size=size)
                sheet.write(x + _LEGEND_MARK, y, words, size=style.SMALL_SIZE, gid=gid)


_Entry = tuple[Mark, Filling, str]


def _flow(
    head: str, entries: Sequence[_Entry], width: float
) -> list[list[tuple[float, str | _Entry]]]:
    """Set entries side by side, beginning a new line where the page ends."""
    if not entries:
        return []
    indent = MARGIN + line_width("Filling", style.SMALL_SIZE, "bold") + 8
    lines: list[list[tuple[float, str | _Entry]]] = [[(MARGIN, head)]]
    x = indent
    for entry in entries:
        reach = _LEGEND_MARK + line_width(entry[2], style.SMALL_SIZE)
        if x + reach > MARGIN + width and x > indent:
            lines.append([])
            x = indent
        lines[-1].append((x, entry))
        x += reach + _LEGEND_GAP
    return lines
