"""The traffic-light figure: every study's judgements, a block a tool, letters in colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.bias_blocks import Block, bias_blocks
from ldn_meta.display.figures.bias_words import domain_key, who_judged
from ldn_meta.display.figures.judgement_dots import (
    DOT_SIZE,
    draw_dot,
    judgement,
    judgement_legend,
)
from ldn_meta.display.figures.lettering import text_height, text_width, wrap
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only
from ldn_meta.display.wording import count
from ldn_meta.evidence.bias_tools import NOT_APPLICABLE, OVERALL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More studies than this are counted: nobody listens to sixty.
_MOST_TOLD = 12
NOTHING_JUDGED = "No study to judge."
CHECKLIST_NOTE = (
    "A checklist asks how a group was taken and described: without a comparison no answer to it "
    "makes an effect credible."
)
_LABEL_WIDTH = 190.0
_PITCH = DOT_SIZE + 12.0
_OVERALL_GAP = 8.0
_OVERALL_HEAD = "Overall"
_ROW_AIR = 6.0
_BLOCK_GAP = 18.0
# A block of few columns is no wider than its dots, but the words below need more.
_LEAST_WIDTH = 380.0
_BLANK = {NOT_APPLICABLE: "n/a"}
_NOT_JUDGED = "\N{EN DASH}"


def traffic_light(frame: pd.DataFrame, *, title: str | None = None) -> tuple[Figure, Axes]:
    """Draw who was judged how, study by domain.

    A block a tool, since domains of different tools do not compare; within a block the studies
    keep their order. Colour shows the judgement at a glance, its letter says it to everybody.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a study and domain: study_id, study_label, tool, domain, judgement, judged_by;
        as ``evidence.bias.bias_reasons`` makes it.
    title : str, optional
        Bold line above.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when ``frame`` has no row.
    axes : matplotlib.axes.Axes
        The whole page; x and y are points from its top left corner.

    Raises
    ------
    ArgumentError
        If a column is missing, a tool, domain or judgement is not known, or a study is judged
        twice.
    """
    blocks = bias_blocks(frame)
    with style.settings():
        if not blocks:
            page = words_only([NOTHING_JUDGED], title)
            return page.figure, page.page
        labels = _label_width(blocks)
        width = max(labels + max(_dots_width(block) for block in blocks), _LEAST_WIDTH)
        heading = Heading(title, width)
        top = heading.bottom
        places = []
        for block in blocks:
            place = _Place(block, top, labels, width)
            places.append(place)
            top = place.bottom + _BLOCK_GAP
        notes = Notes(_notes(blocks, frame), width)
        sheet = Sheet(width + 2 * style.MARGIN, top + notes.height + style.MARGIN)
        heading.write(sheet)
        for index, place in enumerate(places):
            place.draw(sheet, f"block-{index}")
        notes.write(sheet, top)
    return sheet.figure, sheet.page


def traffic_light_alt_text(frame: pd.DataFrame, *, title: str | None = None) -> str:
    """Describe the traffic-light figure in plain words.

    Up to twelve studies of a block are told one by one; of more, the overall judgements are
    counted.
    """
    blocks = bias_blocks(frame)
    opening = f"Risk of bias by study and domain{f': {title}' if title else ''}."
    if not blocks:
        return f"{opening} {NOTHING_JUDGED}"
    sentences = [opening]
    for block in blocks:
        sentences.append(f"{block.tool.label}, {count(len(block), 'study', plural='studies')}:")
        sentences += (
            [f"{label}: {block.told(study)}." for study, label in block.labels.items()]
            if len(block) <= _MOST_TOLD
            else [_overall_counts(block)]
        )
    return style.spoken(" ".join(sentences))


def traffic_light_output(
    name: str, frame: pd.DataFrame, *, title: str | None = None
) -> FigureOutput:
    """Make the traffic-light figure ready to end a notebook cell: drawing, file name, words."""
    figure, _ = traffic_light(frame, title=title)
    return FigureOutput(figure, name, traffic_light_alt_text(frame, title=title))


@dataclass(frozen=True)
class _Place:
    """Where the parts of a block stand, in points from the top of the page."""

    block: Block
    top: float
    labels: float
    width: float

    @property
    def _name(self) -> str:
        words = f"{self.block.tool.label} ({count(len(self.block), 'study', plural='studies')})"
        return wrap(words, self.width, weight="bold")

    @property
    def _head_line(self) -> float:
        return self.top + text_height(self._name) + 4 + text_height(_OVERALL_HEAD) + 3

    @property
    def _rows(self) -> list[tuple[str, str, float, float]]:
        """Study, label, top and bottom of every row."""
        rows, top = [], self._head_line + 2
        for study, label in self.block.labels.items():
            text = wrap(label, _LABEL_WIDTH)
            bottom = top + max(text_height(text), DOT_SIZE) + _ROW_AIR
            rows.append((study, text, top, bottom))
            top = bottom
        return rows

    @property
    def _key(self) -> str:
        return wrap(f"{domain_key(self.block.tool.domains)}.", self.width, style.SMALL_SIZE)

    @property
    def bottom(self) -> float:
        """Lower edge of the explanation of the heads."""
        return self._rows[-1][3] + 4 + text_height(self._key, style.SMALL_SIZE)

    def _centre(self, column: int) -> float:
        gap = _OVERALL_GAP if column == len(self.block.tool.domains) else 0.0
        wide = text_width(_OVERALL_HEAD, weight="bold") - _PITCH if gap else 0.0
        return style.MARGIN + self.labels + (column + 0.5) * _PITCH + gap + wide / 2

    def draw(self, sheet: Sheet, gid: str) -> None:
        """Draw name, heads, rows of dots and the explanation of the heads."""
        left, right = style.MARGIN, style.MARGIN + self.labels + _dots_width(self.block)
        sheet.write(left, self.top, self._name, valign="top", weight="bold", gid=f"{gid}-name")
        heads = [domain.head for domain in self.block.tool.domains] + [_OVERALL_HEAD]
        for column, head in enumerate(heads):
            sheet.write(
                self._centre(column),
                self._head_line - 2,
                head,
                align="center",
                valign="bottom",
                weight="bold",
                gid=f"{gid}-head-{column}",
            )
        sheet.rule(left, right, self._head_line)
        for index, (study, label, top, bottom) in enumerate(self._rows):
            middle, row = (top + bottom) / 2, f"{gid}-row-{index}"
            sheet.write(left, middle, label, gid=f"{row}-label")
            for column, domain in enumerate(self.block.tool.domain_names):
                word = self.block.judgements.get((study, domain), "")
                _draw_cell(sheet, self._centre(column), middle, word, f"{row}-cell-{column}")
        sheet.rule(left, right, self._rows[-1][3])
        sheet.write(
            left,
            self._rows[-1][3] + 4,
            self._key,
            valign="top",
            size=style.SMALL_SIZE,
            colour=style.SOFT_INK,
            gid=f"{gid}-key",
        )


def _draw_cell(sheet: Sheet, x: float, y: float, word: str, gid: str) -> None:
    if judgement(word) is not None:
        draw_dot(sheet.page, x, y, word, gid=gid)
        return
    blank = _BLANK.get(word, _NOT_JUDGED)
    sheet.write(
        x,
        y,
        blank,
        align="center",
        size=style.SMALL_SIZE,
        colour=style.SOFT_INK,
        gid=f"{gid}-blank",
    )


def _overall_counts(block: Block) -> str:
    found = list(block.of_domain(OVERALL).values())
    parts = [f"{word} in {found.count(word)}" for word in block.tool.ranks if word in found]
    waiting = len(block) - len(found)
    return f"overall {', '.join(parts + ([f'not judged yet in {waiting}'] if waiting else []))}."


def _label_width(blocks: list[Block]) -> float:
    names = [wrap(label, _LABEL_WIDTH) for block in blocks for label in block.labels.values()]
    return max(text_width(name) for name in names) + style.COLUMN_GAP


def _dots_width(block: Block) -> float:
    head = text_width(_OVERALL_HEAD, weight="bold")
    return len(block.tool.domains) * _PITCH + _OVERALL_GAP + head


def _notes(blocks: list[Block], frame: pd.DataFrame) -> list[str]:
    words = [word for block in blocks for word in block.judgements.values()]
    blanks = []
    if NOT_APPLICABLE in words:
        blanks.append(f"{_BLANK[NOT_APPLICABLE]} not applicable")
    if any(not block.is_judged for block in blocks):
        blanks.append(f"{_NOT_JUDGED} not judged yet")
    has_checklist = any(block.tool.allows_not_applicable for block in blocks)
    return [
        judgement_legend(words),
        f"{'; '.join(blanks)}." if blanks else "",
        who_judged(frame["judged_by"]),
        CHECKLIST_NOTE if has_checklist else "",
    ]
