"""The responder plot: the share of people who respond, arm beside arm, study by study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.lettering import text_height, text_width, wrap
from ldn_meta.display.figures.responder_marks import (
    PLOT_WIDTH,
    LinePlace,
    draw_arms,
    draw_axis,
    legend,
)
from ldn_meta.display.figures.responder_rows import Arm, Line, responder_lines
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOTHING_REPORTED = "No study reported how many people had this outcome."
_LABEL_WIDTH = 180.0
_ARM_WIDTH = 140.0
_ARM_AIR = 3.0
_STUDY_AIR = 5.0
_HEADING_AIR = 6.0
_TICK_SPACE = 15.0
# The first heading stands right under the rule of the table head and needs none of its own.
_FIRST = "line-0"
_HEADS = ("Study", "Arm", "Events/n", "Share (95% CI)")


def responder_plot(
    frame: pd.DataFrame, *, title: str, x_label: str = "People with the outcome (%)"
) -> tuple[Figure, Axes]:
    """Draw the share of people with an outcome, LDN beside comparator, by threshold.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an arm: study_label, arm_label, group (1 LDN, 2 comparator, 3 single-arm),
        threshold_label, events, n, proportion and its Wilson limits ci_low and ci_high (0 to
        1), note. Blocks and studies keep the order of the rows. What is not reported is NaN.
        Group 3 stands in a block of its own below, headed "No comparison group".
    title : str
        Bold line above the plot.
    x_label : str
        Name of the axis.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when ``frame`` has no row.
    axes : matplotlib.axes.Axes
        x is the share of people (0 to 1), y is points from the top of the page.

    Raises
    ------
    ArgumentError
        If a column is missing or a group is not 1, 2 or 3.
    """
    lines, footnotes = responder_lines(frame)
    with style.settings():
        if not lines:
            page = words_only([NOTHING_REPORTED], title)
            return page.figure, page.page
        columns = _Columns(lines)
        heading = Heading(title, columns.right - style.MARGIN)
        rule = heading.bottom + text_height(_HEADS[0]) + 6
        places = _stack(lines, rule + 3, columns)
        bottom = places[-1].bottom + 2
        notes = Notes([legend(lines), footnotes.line()], columns.right - style.MARGIN)
        label_top = bottom + _TICK_SPACE
        notes_top = label_top + text_height(x_label) + 8
        sheet = Sheet(columns.right + style.MARGIN, notes_top + notes.height + style.MARGIN)
        heading.write(sheet)
        columns.write_heads(sheet, heading.bottom, rule)
        axes = draw_axis(sheet, columns.plot_left, rule, bottom, lines)
        for index, place in enumerate(places):
            _write(sheet, columns, place, f"line-{index}")
            draw_arms(axes, place, f"line-{index}")
        sheet.write(
            columns.plot_left + PLOT_WIDTH / 2,
            label_top,
            x_label,
            align="center",
            valign="top",
            gid="x-label",
        )
        notes.write(sheet, notes_top)
    return sheet.figure, axes


def responder_alt_text(frame: pd.DataFrame, *, title: str) -> str:
    """Describe the responder plot of the same frame in plain words, arm by arm."""
    lines, _ = responder_lines(frame)
    if not lines:
        return style.spoken(f"Responder plot: {title}. {NOTHING_REPORTED}")
    sentences = [f"Responder plot: {title}."]
    for line in lines:
        if line.kind == "study":
            arms = "; ".join(_arm_words(arm) for arm in line.arms)
            sentences.append(f"{line.label}: {arms}.")
        else:
            sentences.append(f"{line.label}:")
    return style.spoken(" ".join(sentences))


def responder_output(name: str, frame: pd.DataFrame, *, title: str) -> FigureOutput:
    """Make the responder plot ready to end a notebook cell: drawing, file name, words."""
    figure, _ = responder_plot(frame, title=title)
    return FigureOutput(figure, name, responder_alt_text(frame, title=title))


class _Columns:
    """Where the columns stand, from their widest cells."""

    def __init__(self, lines: Sequence[Line]) -> None:
        studies = [line for line in lines if line.kind == "study"]
        arms = [arm for line in studies for arm in line.arms]
        heads = [text_width(head, weight="bold") for head in _HEADS]
        label = max(text_width(wrap(line.label, _LABEL_WIDTH)) for line in studies)
        block = max(
            text_width(wrap(line.label, _LABEL_WIDTH + _ARM_WIDTH, weight="bold"), weight="bold")
            for line in lines
        )
        arm = max(text_width(arm_text(arm)) for arm in arms)
        counted = max(text_width(arm.counted) for arm in arms)
        share = max(text_width(arm.share) for arm in arms)
        gap = style.COLUMN_GAP
        self.arm_left = style.MARGIN + max(label, heads[0]) + gap
        self.counted_right = self.arm_left + max(arm, heads[1]) + gap + max(counted, heads[2])
        self.counted_right = max(self.counted_right, style.MARGIN + block)
        self.plot_left = self.counted_right + gap
        self.right = self.plot_left + PLOT_WIDTH + gap + max(share, heads[3])
        self.block_width = self.counted_right - style.MARGIN

    def write_heads(self, sheet: Sheet, top: float, rule: float) -> None:
        """Write the heads between two rules."""
        base = rule - 3
        places = (
            (style.MARGIN, "left"),
            (self.arm_left, "left"),
            (self.counted_right, "right"),
            (self.right, "right"),
        )
        for index, ((x, align), head) in enumerate(zip(places, _HEADS, strict=True)):
            gid = f"head-{index}"
            sheet.write(x, base, head, align=align, valign="bottom", weight="bold", gid=gid)
        sheet.rule(style.MARGIN, self.right, top)
        sheet.rule(style.MARGIN, self.right, rule)


def arm_text(arm: Arm) -> str:
    """Name an arm with the raised numbers of its notes."""
    return wrap(f"{arm.name}{style.NO_BREAK}{arm.mark}" if arm.mark else arm.name, _ARM_WIDTH)


def _stack(lines: Sequence[Line], top: float, columns: _Columns) -> list[LinePlace]:
    places = []
    for index, line in enumerate(lines):
        if line.kind != "study":
            top += _HEADING_AIR if index else 0.0
            label = wrap(line.label, columns.block_width, weight="bold")
            height = text_height(label) + _ARM_AIR
            places.append(LinePlace(line, label, top, (), top + height))
        else:
            label = wrap(line.label, _LABEL_WIDTH)
            heights = [text_height(arm_text(arm)) + _ARM_AIR for arm in line.arms]
            marks = [top + sum(heights[:i]) + height / 2 for i, height in enumerate(heights)]
            height = max(sum(heights), text_height(label) + _ARM_AIR) + _STUDY_AIR
            places.append(LinePlace(line, label, top, tuple(marks), top + height))
        top = places[-1].bottom
    return places


def _write(sheet: Sheet, columns: _Columns, place: LinePlace, gid: str) -> None:
    line = place.line
    if line.kind != "study":
        if line.kind == "block" and gid != _FIRST:
            sheet.rule(style.MARGIN, columns.right, place.top, width=0.5)
        sheet.write(
            style.MARGIN,
            place.top + _ARM_AIR / 2,
            place.label,
            valign="top",
            weight="bold" if line.kind == "block" else "normal",
            colour=style.INK if line.kind == "block" else style.SOFT_INK,
            gid=f"{gid}-label",
        )
        return
    sheet.write(
        style.MARGIN, place.top + _ARM_AIR / 2, place.label, valign="top", gid=f"{gid}-label"
    )
    for index, (arm, y) in enumerate(zip(line.arms, place.marks, strict=True)):
        name = f"{gid}-arm-{index}"
        sheet.write(columns.arm_left, y, arm_text(arm), gid=f"{name}-name")
        sheet.write(columns.counted_right, y, arm.counted, align="right", gid=f"{name}-counted")
        sheet.write(columns.right, y, arm.share, align="right", gid=f"{name}-share")


def _arm_words(arm: Arm) -> str:
    note = f", {arm.note}" if arm.note else ""
    return f"{arm.name} {arm.counted}, {arm.share}{note}"
