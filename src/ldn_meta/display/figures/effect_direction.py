"""The effect direction plot: which way each study points, outcome by outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.direction_rows import MIXED, NOT_KNOWN, direction_rows
from ldn_meta.display.figures.effect_direction_alt import counted, describe, verdict_words
from ldn_meta.display.figures.effect_direction_cells import (
    AGREEING_PCT,
    By,
    Cell,
    Study,
    studies_and_columns,
)
from ldn_meta.display.figures.effect_direction_layout import Layout, lay_out
from ldn_meta.display.figures.effect_direction_marks import (
    LARGE_ABOVE,
    ROOM,
    SMALL_BELOW,
    arrow_size,
    draw_arrow,
    half_width,
)
from ldn_meta.display.figures.judgement_dots import draw_dot, judgement, judgement_legend
from ldn_meta.display.figures.legend import Entry, Legend
from ldn_meta.display.figures.sheet import Notes, Sheet, words_only
from ldn_meta.evidence.synthesis import FAVOURS_LDN

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NO_DIRECTION = "No study with a comparison told of an outcome, so there is no direction to show."
_LEGEND_GAP = 10.0
_MARK_ROOM = 22.0
_SUBSCRIPT_DOWN = 4.0


def effect_direction_plot(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw an effect direction plot (Boon & Thomson 2021, doi 10.1002/jrsm.1458).

    Rows are studies, oldest first; columns are groups of outcomes. An arrow up favours LDN,
    down the comparator, sideways neither; its size says how many people, and it is hollow if
    nobody said. A question mark is an outcome whose direction nobody told, a blank cell one
    that was not reported. Several outcomes of one column share a direction if at least 70%
    of them do. Directions are those of point estimates, whatever their p-values.

    Parameters
    ----------
    directions : pandas.DataFrame
        One row a study and construct, with the columns of ``DIRECTION_COLUMNS``; studies
        with a comparison only.
    by : {"group", "construct"}
        What a column is: a group of outcomes or a single one.
    order : sequence of str, optional
        Columns from left to right; as they come otherwise, "other" last.
    title : str, optional
        Bold line above the table.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when there is no row.
    axes : matplotlib.axes.Axes
        The whole page; x and y are points from its top left corner.

    Raises
    ------
    ArgumentError
        If a column is missing, a word, sign or judgement is not known, a study has no
        comparison, or a study has one construct twice.
    """
    studies, columns = studies_and_columns(direction_rows(directions), by=by, order=order)
    with style.settings():
        if not studies:
            page = words_only([NO_DIRECTION], title)
            return page.figure, page.page
        counts = [counted(studies, key) for key in columns]
        layout = lay_out(studies, list(columns.values()), counts, title=title)
        width = layout.right - style.MARGIN
        legend = Legend(_legend_groups(studies, columns), width)
        notes = Notes(_notes(studies), width)
        legend_top = layout.bottom + _LEGEND_GAP
        notes_top = legend_top + legend.height + _LEGEND_GAP / 2
        sheet = Sheet(layout.right + style.MARGIN, notes_top + notes.height + style.MARGIN)
        _write_heads(sheet, layout)
        for index, study in enumerate(studies):
            _write_study(sheet, layout, index, study, list(columns))
        _write_counts(sheet, layout)
        legend.draw(sheet, legend_top)
        notes.write(sheet, notes_top)
    return sheet.figure, sheet.page


def effect_direction_alt_text(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> str:
    """Describe the effect direction plot of the same arguments in plain words."""
    studies, columns = studies_and_columns(direction_rows(directions), by=by, order=order)
    opening = f"Effect direction plot{f': {title}' if title else ''}."
    if not studies:
        return style.spoken(f"{opening} {NO_DIRECTION}")
    return style.spoken(f"{opening} {describe(studies, columns)}")


def effect_direction_output(
    name: str,
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> FigureOutput:
    """Make the effect direction plot ready to end a notebook cell."""
    figure, _ = effect_direction_plot(directions, by=by, order=order, title=title)
    words = effect_direction_alt_text(directions, by=by, order=order, title=title)
    return FigureOutput(figure, name, words)


def _write_heads(sheet: Sheet, layout: Layout) -> None:
    layout.heading.write(sheet)
    base = layout.header_bottom - 3
    for kind, heads in (("head", layout.heads), ("column", layout.columns)):
        for index, head in enumerate(heads):
            sheet.write(
                head.x,
                base,
                head.text,
                align=head.align,
                valign="bottom",
                weight="bold",
                gid=f"{kind}-{index}",
            )
    sheet.rule(style.MARGIN, layout.right, layout.header_top)
    sheet.rule(style.MARGIN, layout.right, layout.header_bottom)


def _write_study(
    sheet: Sheet, layout: Layout, index: int, study: Study, keys: Sequence[str]
) -> None:
    place = layout.rows[index]
    gid = f"study-{index}"
    label, design, people, bias = layout.heads
    sheet.write(label.x, place.middle, place.label, gid=f"{gid}-label")
    sheet.write(design.x, place.middle, place.design, gid=f"{gid}-design")
    sheet.write(people.x, place.middle, study.people, align="right", gid=f"{gid}-people")
    draw_dot(sheet.page, bias.x, place.middle, study.bias, gid=f"{gid}-bias")
    for number, (column, key) in enumerate(zip(layout.columns, keys, strict=True)):
        if key in study.cells:
            _draw_cell(sheet, column.x, place.middle, study.cells[key], f"{gid}-{number}")
    if index:
        sheet.rule(style.MARGIN, layout.right, place.top, width=0.3)


def _draw_cell(sheet: Sheet, x: float, y: float, cell: Cell, gid: str) -> None:
    draw_arrow(sheet, x, y, cell.verdict, cell.people, gid=gid)
    if cell.combined > 1:
        beside = x + half_width(cell.verdict, cell.people) + 2.0
        sheet.write(
            beside,
            y + _SUBSCRIPT_DOWN,
            str(cell.combined),
            size=style.SMALL_SIZE,
            gid=f"{gid}-outcomes",
        )


def _write_counts(sheet: Sheet, layout: Layout) -> None:
    sheet.rule(style.MARGIN, layout.right, layout.counts_top)
    for index, line in enumerate(layout.counts):
        gid = f"count-{index}"
        sheet.write(style.MARGIN, line.middle, line.label, weight="bold", gid=f"{gid}-label")
        for number, (column, text) in enumerate(zip(layout.columns, line.texts, strict=True)):
            sheet.write(
                column.x, line.middle, text, align="center", weight="bold", gid=f"{gid}-{number}"
            )
    sheet.rule(style.MARGIN, layout.right, layout.bottom)


def _legend_groups(
    studies: Sequence[Study], columns: dict[str, str]
) -> list[tuple[str, list[Entry]]]:
    """Explain the directions and sizes that occur, and no others."""
    cells = [cell for study in studies for cell in study.cells.values()]
    occurring = {cell.verdict for cell in cells}
    ways = [
        Entry(words, partial(_draw_key, verdict, LARGE_ABOVE), _MARK_ROOM, ROOM)
        for verdict, words in verdict_words().items()
        if verdict in occurring
    ]
    if any(key not in study.cells for study in studies for key in columns):
        ways.append(Entry("blank: not reported", _draw_nothing, 0.0, 0.0))
    arrows = {
        (arrow_size(cell.people), math.isnan(cell.people))
        for cell in cells
        if cell.verdict != NOT_KNOWN
    }
    sizes = (
        (SMALL_BELOW - 1, f"fewer than {SMALL_BELOW}"),
        (SMALL_BELOW, f"{SMALL_BELOW} to {LARGE_ABOVE}"),
        (LARGE_ABOVE + 1, f"more than {LARGE_ABOVE}"),
        (math.nan, "hollow: number not reported"),
    )
    people = [
        Entry(words, partial(_draw_size, number), _MARK_ROOM, ROOM)
        for number, words in sizes
        if (arrow_size(number), math.isnan(number)) in arrows
    ]
    return [("Direction", ways), ("People", people)]


def _draw_key(verdict: str, people: float, sheet: Sheet, x: float, y: float, gid: str) -> None:
    draw_arrow(sheet, x, y, verdict, people, gid=gid)


def _draw_size(people: float, sheet: Sheet, x: float, y: float, gid: str) -> None:
    draw_arrow(sheet, x, y, FAVOURS_LDN, people, gid=gid, colour=style.SOFT_INK)


def _draw_nothing(_sheet: Sheet, _x: float, _y: float, _gid: str) -> None:
    """Leave the mark of a blank cell blank."""


def _notes(studies: Sequence[Study]) -> list[str]:
    cells = [cell for study in studies for cell in study.cells.values()]
    lines = [
        "Direction of the point estimate, whatever its p-value; where no estimate is known, the "
        "study's own words. Nothing here says how large an effect is."
    ]
    if any(cell.combined > 1 for cell in cells):
        rule = (
            f"Small number: outcomes combined; the arrow is the direction of at least "
            f"{AGREEING_PCT}% of them"
        )
        is_mixed = any(cell.verdict == MIXED for cell in cells)
        lines.append(f"{rule}, otherwise the cell is mixed." if is_mixed else f"{rule}.")
    if any(study.people == "NR" for study in studies):
        lines.append("NR: number of people in the comparison not reported.")
    lines.append(judgement_legend(study.bias for study in studies))
    if any(judgement(study.bias) is None for study in studies):
        lines.append("No dot: risk of bias not judged.")
    return lines
