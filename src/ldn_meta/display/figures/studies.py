"""Figures of the studies found: how they went through the review, and the map of what they say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    unbroken,
    words_only,
    wrap,
    write_heads,
)
from ldn_meta.display.outputs import FigureOutput, Picture, output_of
from ldn_meta.display.words import capitalised, count
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import (
    BOTH_SIDES,
    DIRECTION_ONLY,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    KINDS,
    META_ANALYSIS,
    NO_COMPARISON,
    NOTHING,
    ONE_TRIAL,
    SAME_IN_BOTH,
    SIDE_UNKNOWN,
)
from ldn_meta.evidence.effects.rows import NOT_RANDOMISED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from prismaflow.layout import DiagramEdge, DiagramLayout, DiagramNode

    from ldn_meta.display.figures.sheet import ShownFigure


MAP_COLUMNS = (
    *("indication_label", "outcome_label", "trials", "people", "side", "synthesis"),
    *("is_randomised", "certainty", "constructs", "number", "told"),
    *("unknown", "people_unknown", "treatment"),
)


@dataclass(frozen=True)
class Mark:
    """Shape and colour of a side, and how the legend calls it."""

    marker: str
    colour: str
    words: str


@dataclass(frozen=True)
class Filling:
    """How strongly a mark is filled, and how the legend calls the kind of synthesis."""

    strength: float
    size: float
    words: str


def sides_of(treatment: str) -> dict[str, Mark]:
    """How the side of an estimate is drawn, whatever its interval."""
    return {
        FAVOURS_TREATMENT: Mark("^", style.TREATMENT, f"favours {treatment}"),
        FAVOURS_COMPARATOR: Mark("v", style.PREDICTION, "favours comparator"),
        SAME_IN_BOTH: Mark("o", style.SOFT_INK, "the same in both"),
        BOTH_SIDES: Mark("X", style.SOFT_INK, "studies on both sides"),
        SIDE_UNKNOWN: Mark("s", style.SOFT_INK, "side not known"),
    }


ALONE = Mark("P", style.SINGLE_ARM, "no comparison")
FILLINGS = {
    META_ANALYSIS: Filling(1.0, 15.0, "solid: meta-analysis"),
    ONE_TRIAL: Filling(0.35, 13.0, "tinted: one trial, not pooled"),
    DIRECTION_ONLY: Filling(0.0, 13.0, "open: no number in a main result"),
    NO_COMPARISON: Filling(0.35, 7.0, ""),
}


@dataclass(frozen=True)
class Cell:
    """One indication and outcome."""

    synthesis: str
    mark: Mark
    trials: int
    people: float
    # Where they were counted before the analysis: randomised, enrolled; and how many were.
    people_are: str
    people_early: float
    is_randomised: bool
    certainty: str
    constructs: str
    number: str
    told: str
    # Of its studies, those whose side and those whose people nobody tells.
    unknown: int
    people_unknown: int
    # The side, with the treatment as the condition calls it.
    side: str

    @property
    def is_empty(self) -> bool:
        """Nothing was found for it."""
        return self.synthesis == NOTHING

    @property
    def is_hatched(self) -> bool:
        """A comparison of which no study was randomised."""
        return self.synthesis in FILLINGS and self.mark is not ALONE and not self.is_randomised

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
        of_some = f" in {self.trials - self.people_unknown}" if self.people_unknown else ""
        who = f"{who} {self.people_are}".strip()
        told = f"{self.people:.0f} {who}{of_some}" if known else "people not given"
        if self.people_are and self.people_early < self.people:
            late = self.people - self.people_early
            told = f"{late:.0f} + {self.people_early:.0f} {self.people_are}"
        return f"{self.trials} {noun}", told

    @property
    def small(self) -> str:
        """What was measured, its number and how certain it is, in small print."""
        certainty = "" if self.mark is ALONE else f"{CERTAINTY}: {self.certainty}"
        told = filter(None, (self.constructs, self.number, certainty))
        return "\n".join(wrap(text, _CELL_WIDTH - 8, style.SMALL_SIZE) for text in told)


def evidence_cells(
    frame: pd.DataFrame, sides: Mapping[str, Mark]
) -> tuple[list[str], list[str], dict[tuple[str, str], Cell]]:
    """Turn rows into labels of rows, labels of columns, and cells."""
    style.check_columns(frame, MAP_COLUMNS)
    cells: dict[tuple[str, str], Cell] = {}
    for entry in frame.to_dict("records"):
        key = (str(entry["indication_label"]), str(entry["outcome_label"]))
        if key in cells:
            message = f"frame has {key[0]!r} with {key[1]!r} twice: one row a cell"
            raise ArgumentError(message)
        synthesis = style.check_word(entry["synthesis"], "synthesis", KINDS)
        side = style.check_word(entry["side"], "side", tuple(sides))
        cells[key] = Cell(
            synthesis,
            ALONE if synthesis == NO_COMPARISON else sides[side],
            0 if entry["trials"] != entry["trials"] else int(entry["trials"] or 0),
            float(entry["people"]),
            str(entry.get("people_are", "")),
            float(entry.get("people_early", entry["people"])),
            bool(entry["is_randomised"]),
            str(entry["certainty"]),
            str(entry["constructs"]),
            str(entry["number"]),
            str(entry["told"]),
            int(entry["unknown"]),
            int(entry["people_unknown"]),
            sides_of(str(entry["treatment"]))[side].words,
        )
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    return rows, columns, cells


NOTHING_MAPPED = "No indication and outcome to map."
TOLD_OF_ALL = "told, arm not named"
CERTAINTY, IN_NO_POOL = "certainty", "an effect in no pool"
_ROW_WIDTH = 140.0
_CELL_WIDTH = 104.0
_LEAST_HEIGHT = 56.0
_MARK_DOWN = 15.0
_TEXT_DOWN = 27.0
_HATCH = 7.0
# A map of one column is no wider than its cells, but its legend is.
_LEAST_WIDTH = 340.0
_LEGEND_LINE = 15.0
_LEGEND_MARK = 16.0
_LEGEND_GAP = 16.0
_LEGEND_SIZE = 8.5


@style.draws
def evidence_map(
    frame: pd.DataFrame, *, treatment: str = "treatment", title: str | None = None
) -> tuple[ShownFigure, Axes]:
    """Draw what is known, indication by outcome.

    The shape of a mark is the side of the estimate, its filling the kind of synthesis, so the map
    reads the same in grey; trials, people, what was measured and the certainty stand below it. A
    cell without a randomised comparison is hatched.
    """
    sides = sides_of(treatment)
    rows, columns, cells = evidence_cells(frame, sides)
    sentences = [opening("Evidence map", title)]
    if not cells:
        return words_only([NOTHING_MAPPED], title, f"{sentences[0]} {NOTHING_MAPPED}")
    for row in rows:
        found = [(column, cells.get((row, column))) for column in columns]
        said = [_cell_words(name, cell) for name, cell in found if cell and not cell.is_empty]
        bare = [
            (name, cell.told if cell else "") for name, cell in found if not cell or cell.is_empty
        ]
        said += [f"{name}: {told}" for name, told in bare if told]
        empty = [name for name, told in bare if not told]
        if empty:
            said.append(f"{NOTHING}: {', '.join(empty)}")
        sentences.append(f"{capitalised(row)}: {'; '.join(said)}.")
    row_labels = [wrap(capitalised(name), _ROW_WIDTH, weight="bold") for name in rows]
    heads = [wrap(capitalised(name), _CELL_WIDTH - 8, weight="bold") for name in columns]
    left = MARGIN + max(text_width(name, weight="bold") for name in row_labels) + 8
    right = left + _CELL_WIDTH * len(columns)
    width = max(right - MARGIN, _LEAST_WIDTH)
    heading = Heading(title, width)
    top = heading.bottom + max(text_height(head) for head in heads) + 6
    heights = [_row_height(cells.get((row, column)) for column in columns) for row in rows]
    tops = [top + sum(heights[:i]) for i in range(len(rows) + 1)]
    bottom = tops[-1]
    legend = _Legend(cells.values(), sides, width)
    sheet = Sheet(width + 2 * MARGIN, bottom + 12 + legend.height + MARGIN, heading)
    places = [(left + (i + 0.5) * _CELL_WIDTH, head, "center") for i, head in enumerate(heads)]
    write_heads(sheet, places, top - 3, "column")
    for index, name in enumerate(row_labels):
        y = (tops[index] + tops[index + 1]) / 2
        sheet.write(MARGIN, y, name, weight="bold", gid=f"row-{index}")
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            box = (left + j * _CELL_WIDTH, tops[i], tops[i + 1])
            _draw_cell(sheet, box, cells.get((row, column)), f"cell-{i}-{j}")
    for y in tops:
        sheet.rule(MARGIN, right, y, width=0.6)
    legend.draw(sheet, bottom + 12)
    return sheet.shown(" ".join(sentences))


evidence_map_output = output_of(evidence_map)


def _cell_words(column: str, cell: Cell) -> str:
    trials, people = cell.lines
    found = {
        META_ANALYSIS: f"meta-analysis of {trials}",
        ONE_TRIAL: "one trial",
        DIRECTION_ONLY: f"{IN_NO_POOL if cell.number else DIRECTION_ONLY}, {trials}",
        NO_COMPARISON: f"{trials} without comparison",
    }[cell.synthesis]
    told = f"{column} ({cell.constructs}): {found}, {people}"
    told += f", {cell.number}" if cell.number else ""
    if cell.synthesis == NO_COMPARISON:
        return told
    open_one = f", {NOT_RANDOMISED}" if cell.is_hatched else ""
    few = 0 < cell.unknown < cell.trials
    silent = f" ({cell.unknown} without a known side)" if few else ""
    return f"{told}{open_one}, {cell.side}{silent}, {CERTAINTY} {cell.certainty}"


def _row_height(cells: Iterable[Cell | None]) -> float:
    """Height of a row, by its cell with the most lines."""
    most = max(
        (
            text_height("\n".join(cell.lines)) + text_height(cell.small, style.SMALL_SIZE)
            for cell in cells
            if cell is not None and not cell.is_empty
        ),
        default=0.0,
    )
    return max(_LEAST_HEIGHT, _TEXT_DOWN + most + 6)


def _draw_cell(sheet: Sheet, box: tuple[float, float, float], cell: Cell | None, gid: str) -> None:
    left, top, bottom = box
    centre, right = left + _CELL_WIDTH / 2, left + _CELL_WIDTH
    if cell is None or cell.is_empty:
        sheet.band(left + 1, right - 1, top + 1, bottom - 1, style.BAND)
        words = wrap(TOLD_OF_ALL if cell and cell.told else NOTHING, _CELL_WIDTH - 12)
        ink = style.INK if cell and cell.told else style.SOFT_INK
        middle = (top + bottom) / 2
        sheet.write(centre, middle, words, align="center", colour=ink, gid=f"{gid}-text")
        return
    if cell.is_hatched:
        # Behind the mark alone, so that the words stay easy to read.
        _hatch(sheet, left + 1, right - 1, top + 1, top + _TEXT_DOWN - 2, f"{gid}-hatch")
    _draw_mark(sheet, centre, top + _MARK_DOWN, cell.mark, cell.filling, f"{gid}-mark")
    y, text = top + _TEXT_DOWN, "\n".join(cell.lines)
    sheet.write(centre, y, text, align="center", valign="top", gid=f"{gid}-text")
    sheet.small(
        centre,
        y + text_height(text) + 2,
        cell.small,
        align="center",
        valign="top",
        colour=style.SOFT_INK,
        gid=f"{gid}-small",
    )


def _hatch(sheet: Sheet, left: float, right: float, top: float, bottom: float, gid: str) -> None:
    """Draw lines from lower left to upper right, cut at the edges of a box."""
    width, height = right - left, bottom - top
    for index in range(1, int((width + height) / _HATCH) + 1):
        reach = index * _HATCH
        xs = [left + max(0.0, reach - height), left + min(reach, width)]
        ys = [top + min(reach, height), top + max(0.0, reach - width)]
        style.line(sheet.page, xs, ys, style.RULE, 0.5, gid=f"{gid}-{index}", zorder=0, cap="butt")


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

    def __init__(self, cells: Iterable[Cell], sides: Mapping[str, Mark], width: float) -> None:
        shown = [cell for cell in cells if not cell.is_empty]
        occurring = {cell.mark for cell in shown}
        marks = [m for m in dict.fromkeys((*sides.values(), ALONE)) if m in occurring]
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
        self._lines = [*_flow("Side", shapes, width), *_flow("Filling", fills, width)]
        if any(cell.is_hatched for cell in shown):
            words = "hatched: no randomised comparison"
            ground = [(Mark("", style.BAND, ""), FILLINGS[DIRECTION_ONLY], words)]
            self._lines += _flow("Ground", ground, width)
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
                    sheet.small(x, y, entry, weight="bold", gid=gid)
                    continue
                mark, filling, words = entry
                if not mark.marker:
                    _hatch(sheet, x - 2, x + 12, y - 6, y + 6, f"{gid}-hatch")
                    sheet.small(x + _LEGEND_MARK, y, words, gid=gid)
                    continue
                size = min(filling.size, _LEGEND_SIZE)
                _draw_mark(sheet, x + 5, y, mark, filling, f"{gid}-mark", size=size)
                sheet.small(x + _LEGEND_MARK, y, words, gid=gid)


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


# All lengths are SVG pixels; prisma-flow writes text this far from the edge of a box.
FONT = 12
PITCH = 15
OTHER_REASONS = "other reasons, see the table of studies"
_BULLET = "\N{BULLET}"
_INDENT = 14.0
_AIR = 20.0
# More reasons than these are added up.
_MOST_REASONS = 8
_LABEL_X, _LABEL_WIDTH = 20.0, 28.0
# Left edge and width of the two columns of boxes.
_MAIN, _SIDE = (62.0, 290.0), (396.0, 344.0)
_THIRD_WIDTH, _THIRD_GAP = 212.0, 21.0
_WIDTH = sum(_SIDE) + 20.0
_TOP, _STEP, _BOTTOM = 62.0, 34.0, 18.0


def flow_layout(counts: Mapping[str, Any], *, treatment: str, title: str) -> DiagramLayout:
    """Place the boxes from the top down; prisma-flow checks that none overlap."""
    from prismaflow.layout import DiagramLayout, assert_no_overlaps

    sources = _box("sources", _MAIN, _TOP, f"Sources read\n(n = {counts['sources']})")
    studies = _box(
        "studies", _MAIN, _below(sources), f"Studies on file\n(n = {counts['studies']})"
    )
    excluded = _box("excluded", _SIDE, studies.rect.y, _excluded_text(counts), is_side=True)
    eligible = _box(
        "eligible",
        _MAIN,
        _below(studies, excluded),
        f"Eligible for a synthesis\n(n = {counts['contrast'] + counts['single_arm']})",
    )
    single_arm = _box(
        "single_arm",
        _SIDE,
        eligible.rect.y,
        "No comparison that isolates the drug: listed beside the trials, never pooled\n"
        f"(n = {counts['single_arm']})",
        is_side=True,
    )
    contrast = _box(
        "contrast",
        _MAIN,
        _below(eligible, single_arm),
        f"Compare {treatment} with something else\n(n = {counts['contrast']})",
    )
    ends = _ends(counts, _below(contrast) + 6)
    stages = [
        _stage("Identified", sources, excluded),
        _stage("Eligible", eligible, contrast),
        _stage("Synthesis", ends[0], ends[0]),
    ]
    layout = DiagramLayout(
        width=_WIDTH,
        height=ends[0].rect.y + ends[0].rect.height + _BOTTOM,
        nodes=[*stages, sources, studies, excluded, eligible, single_arm, contrast, *ends],
        edges=[
            _down(sources, studies),
            _across(studies, excluded),
            _down(studies, eligible),
            _across(eligible, single_arm),
            _down(eligible, contrast),
            *(_down(contrast, end) for end in ends),
        ],
        title=title,
    )
    assert_no_overlaps(layout)
    return layout


def _ends(counts: Mapping[str, Any], top: float) -> list[DiagramNode]:
    """Place what became of the comparisons side by side, in boxes of one height."""
    texts = {
        "in_a_pool": "In a pool of two or more trials",
        "not_pooled": "With an estimate, shown beside and not pooled",
        "narrative": "No estimate with its uncertainty: sides, p or words",
    }
    silent = counts.get("silent", 0)
    if silent:
        texts["narrative"] += f"; {silent} with nothing compared in print"
    boxes = []
    for index, (key, text) in enumerate(texts.items()):
        across = (_MAIN[0] + index * (_THIRD_WIDTH + _THIRD_GAP), _THIRD_WIDTH)
        # The counted number stands on a line of its own, so the boxes compare at a glance.
        boxes.append((key, across, f"{text}\n(n = {counts[key]})"))
    height = max(_height(_broken(text, across[1])) for _, across, text in boxes)
    return [
        _box(key, across, top, text, height=height, is_pooled=key == "in_a_pool")
        for key, across, text in boxes
    ]


def _counted(number: int) -> str:
    """A number that no line break parts from what it is."""
    return style.unbroken(f"n = {number}")


def _excluded_text(counts: Mapping[str, Any]) -> str:
    reasons: dict[str, int] = dict(counts.get("excluded_reasons", {}))
    ordered = sorted(reasons.items(), key=lambda item: -item[1])
    lines = [f"Set aside (n = {counts['excluded']})"]
    # One reason too many is shown rather than called "other".
    most = _MOST_REASONS if len(ordered) > _MOST_REASONS + 1 else len(ordered)
    lines += [f"{_BULLET} {reason} ({_counted(number)})" for reason, number in ordered[:most]]
    if ordered[most:]:
        rest = sum(number for _, number in ordered[most:])
        lines.append(f"{_BULLET} {OTHER_REASONS} ({_counted(rest)})")
    return "\n".join(lines)


def _box(
    name: str,
    across: tuple[float, float],
    top: float,
    text: str,
    *,
    height: float | None = None,
    is_side: bool = False,
    is_pooled: bool = False,
) -> DiagramNode:
    from prismaflow.layout import DiagramNode, Rect

    left, width = across
    broken = _broken(text, width)
    return DiagramNode(
        id=name,
        rect=Rect(left, top, width, height or _height(broken)),
        text=broken,
        kind="exclusion" if is_side else "stage",
        css_class="pooled" if is_pooled else None,
    )


def _stage(text: str, first: DiagramNode, last: DiagramNode) -> DiagramNode:
    from prismaflow.layout import DiagramNode, Rect

    top = first.rect.y
    height = last.rect.y + last.rect.height - top
    return DiagramNode(
        id=f"stage_{text.lower()}",
        rect=Rect(_LABEL_X, top, _LABEL_WIDTH, height),
        text=text,
        kind="header",
        css_class="stage-label",
    )


def _down(source: DiagramNode, target: DiagramNode) -> DiagramEdge:
    from prismaflow.layout import DiagramEdge

    name = f"{source.id}_to_{target.id}"
    return DiagramEdge(name, source.id, target.id, source_anchor="bottom", target_anchor="top")


def _across(source: DiagramNode, target: DiagramNode) -> DiagramEdge:
    from prismaflow.layout import DiagramEdge, Point

    start = source.rect.right_center
    return DiagramEdge(
        f"{source.id}_to_{target.id}",
        source.id,
        target.id,
        source_anchor="right",
        target_anchor="left",
        path=[start, Point(target.rect.x, start.y)],
    )


def _below(*boxes: DiagramNode) -> float:
    return max(box.rect.y + box.rect.height for box in boxes) + _STEP


def _broken(text: str, width: float) -> str:
    """Break by measured width; prisma-flow, which counts letters, must not break again."""
    return unbroken(wrap(text, width - 2 * _INDENT, FONT))


def _height(broken: str) -> float:
    return (broken.count("\n") + 1) * PITCH + _AIR


_COUNTS = (
    "sources",
    "studies",
    "contrast",
    "single_arm",
    "excluded",
    "in_a_pool",
    "not_pooled",
    "narrative",
)
# 96 SVG pixels an inch against the 110 dots of the other figures, and a little for fine lines.
_PNG_SCALE = 1.4
_SIZE = re.compile(r'\b(width|height)="([0-9.]+)"')
_AS_IT_IS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
# Every rule is bound to the class of this drawing: an SVG inside a page shares its style sheet.
_STYLE = f"""<style>
  .study-flow {{ background: #ffffff; }}
  .study-flow text {{
    font-family: "DejaVu Sans", Verdana, Arial, sans-serif;
    font-size: {FONT}px;
    fill: {style.INK};
    dominant-baseline: central;
  }}
  .study-flow text.diagram-title {{ font-size: 15px; font-weight: 700; text-anchor: middle; }}
  .study-flow .node rect {{ fill: #ffffff; stroke: {style.INK}; stroke-width: 1.1; }}
  .study-flow .node.exclusion rect {{ fill: {style.BAND}; stroke: {style.SOFT_INK}; }}
  .study-flow .node.pooled rect {{ stroke: {style.POOLED}; stroke-width: 2.6; }}
  .study-flow .node.stage-label rect {{ fill: {style.POOLED}; stroke: none; rx: 4; ry: 4; }}
  .study-flow .node.stage-label text {{ fill: #ffffff; font-size: 11px; font-weight: 700; }}
  .study-flow .edge {{ fill: none; stroke: {style.INK}; stroke-width: 1.2; }}
  .study-flow marker polygon {{ fill: {style.INK}; }}
</style>"""


def study_flow(
    counts: Mapping[str, Any], *, indication_label: str, treatment: str = "treatment"
) -> str:
    """Draw the flow of studies as SVG, with prisma-flow's boxes, arrows and renderer.

    prisma-flow's ready-made template speaks of databases, screening and retrieval, which
    studies collected from dossiers have not gone through; so the boxes are this project's own.
    """
    from prismaflow.renderers import SVGRenderer

    _check(counts)
    layout = flow_layout(counts, treatment=treatment, title=f"Study flow: {indication_label}")
    drawn = SVGRenderer(font_size=FONT, line_height=PITCH).render(layout)
    words = describe(counts, indication_label=indication_label)
    described = f'<desc id="desc">{escape(words)}</desc>'
    drawn = re.sub(r"<style>.*?</style>", lambda _: _STYLE, drawn, count=1, flags=re.DOTALL)
    drawn = re.sub(r'<desc id="desc">.*?</desc>', lambda _: described, drawn, count=1)
    return drawn.replace('role="img"', 'class="study-flow" role="img"', 1)


def study_flow_png(svg: str) -> bytes:
    """Turn the SVG of `study_flow` into PNG."""
    enlarged = _SIZE.sub(
        lambda found: f'{found[1]}="{float(found[2]) * _PNG_SCALE:.0f}"', svg, count=2
    )
    return rasterised(enlarged)


def rasterised(svg: str) -> bytes:
    """Turn an SVG into PNG of its size, with the rasteriser that prisma-flow brings along.

    Only matplotlib's own copy of DejaVu Sans is loaded, so the machine's fonts do not matter.
    """
    import matplotlib as mpl
    import resvg

    options = resvg.usvg.Options.default()
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        options.load_font_file(str(fonts / name))
    tree = resvg.usvg.Tree.from_str(svg, options)
    return resvg.render(tree, _AS_IT_IS, bg_color=(255, 255, 255, 255))


def describe(counts: Mapping[str, Any], *, indication_label: str) -> str:
    """Describe the study flow in plain words."""
    reasons = "; ".join(f"{why}: {n}" for why, n in counts.get("excluded_reasons", {}).items())
    aside = f"{counts['excluded']} set aside{f' ({reasons})' if reasons else ''}"
    silent = counts.get("silent", 0)
    text = (
        f"Study flow for {indication_label}: {count(counts['sources'], 'source')} read, "
        f"{count(counts['studies'], 'study', plural='studies')} on file. {aside}; "
        f"{counts['single_arm']} without a comparison that isolates the drug, listed beside and "
        "never pooled; "
        f"{counts['contrast']} with a comparison, of these {counts['in_a_pool']} in a pool, "
        f"{counts['not_pooled']} with an estimate, shown and not pooled, "
        f"{counts['narrative']} without an estimate: sides, p or words"
        f"{f', {silent} of these with nothing compared in print' if silent else ''}."
    )
    return style.spoken(text)


def study_flow_output(
    counts: Mapping[str, Any], *, indication_label: str, treatment: str = "treatment"
) -> FigureOutput:
    """Make the study flow ready to end a notebook cell: SVG, PNG, file name, words."""
    svg = study_flow(counts, indication_label=indication_label, treatment=treatment)
    words = describe(counts, indication_label=indication_label)
    return FigureOutput(Picture(svg, study_flow_png(svg)), "study_flow", words)


def _check(counts: Mapping[str, Any]) -> None:
    missing = [key for key in _COUNTS if key not in counts]
    if missing:
        message = f"counts lacks {', '.join(missing)}: needs {', '.join(_COUNTS)}"
        raise ArgumentError(message)
    sums = {
        "studies": ("contrast", "single_arm", "excluded"),
        "contrast": ("in_a_pool", "not_pooled", "narrative"),
    }
    for total, parts in sums.items():
        added = sum(counts[part] for part in parts)
        if counts[total] != added:
            message = f"counts: {total} is {counts[total]}, but {' + '.join(parts)} is {added}"
            raise ArgumentError(message)
    stated = sum(counts.get("excluded_reasons", {}).values())
    if stated not in (0, counts["excluded"]):
        message = f"counts: excluded is {counts['excluded']}, but its reasons add up to {stated}"
        raise ArgumentError(message)
