"""The responder plot: the share of people who respond, arm beside arm, study by study."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import TICK_SPACE, Interval
from ldn_meta.display.figures.sheet import (
    COLUMN_GAP,
    MARGIN,
    Foot,
    Heading,
    Sheet,
    opening,
    point,
    text_height,
    text_width,
    words_only,
    wrap,
    write_heads,
)
from ldn_meta.display.outputs import output_of
from ldn_meta.display.words import capitalised, percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure


RESPONDER_COLUMNS = (
    "study_label",
    "arm_label",
    "group",
    "threshold_label",
    "events",
    "n",
    "proportion",
    "ci_low",
    "ci_high",
    "note",
)
TREATMENT_GROUP, COMPARATOR_GROUP, SINGLE_ARM_GROUP = 1, 2, 3
NO_COMPARISON = "No comparison group"
_SUPERSCRIPTS = str.maketrans(
    "0123456789",
    "\N{SUPERSCRIPT ZERO}\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}"
    "\N{SUPERSCRIPT FOUR}\N{SUPERSCRIPT FIVE}\N{SUPERSCRIPT SIX}\N{SUPERSCRIPT SEVEN}"
    "\N{SUPERSCRIPT EIGHT}\N{SUPERSCRIPT NINE}",
)


@dataclass(frozen=True)
class Arm:
    """One arm of one study at one threshold."""

    name: str
    group: int
    counted: str
    span: Interval
    share: str
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Line:
    """A heading, or a study with its arms."""

    kind: Literal["block", "threshold", "study"]
    label: str
    arms: tuple[Arm, ...] = ()


@dataclass
class Footnotes:
    """Notes in order of first use; equal notes share one number."""

    texts: list[str] = field(default_factory=list)

    def mark(self, note: str) -> str:
        """Give the raised number of a note; nothing for no note."""
        if not note:
            return ""
        if note not in self.texts:
            self.texts.append(note)
        return str(self.texts.index(note) + 1).translate(_SUPERSCRIPTS)

    def line(self) -> str:
        """Write all notes behind their numbers."""
        return "; ".join(f"{self.mark(text)}{style.NO_BREAK}{text}" for text in self.texts)


def responder_lines(frame: pd.DataFrame) -> tuple[list[Line], Footnotes]:
    """Arrange arms by threshold and study; studies without comparison come last."""
    style.check_columns(frame, RESPONDER_COLUMNS)
    entries: list[dict[Hashable, Any]] = frame.to_dict("records")
    known = (TREATMENT_GROUP, COMPARATOR_GROUP, SINGLE_ARM_GROUP)
    strange = sorted({str(entry["group"]) for entry in entries if entry["group"] not in known})
    if strange:
        message = (
            f"frame has the group(s) {', '.join(strange)}: "
            "1 is the treatment, 2 the comparator, 3 an arm without comparison"
        )
        raise ArgumentError(message)
    footnotes = Footnotes()
    compared = [entry for entry in entries if entry["group"] != SINGLE_ARM_GROUP]
    alone = [entry for entry in entries if entry["group"] == SINGLE_ARM_GROUP]
    lines = list(_threshold_lines(compared, footnotes, heading="block"))
    if alone:
        lines.append(Line("block", NO_COMPARISON))
        lines += _threshold_lines(alone, footnotes, heading="threshold")
    return lines, footnotes


def _threshold_lines(
    entries: Sequence[dict[Hashable, Any]],
    footnotes: Footnotes,
    *,
    heading: Literal["block", "threshold"],
) -> Iterator[Line]:
    for threshold, rows in _in_order(entries, "threshold_label"):
        yield Line(heading, capitalised(threshold))
        for study, arms in _in_order(rows, "study_label"):
            ordered = sorted(arms, key=lambda entry: int(entry["group"]))
            yield Line("study", study, tuple(_arm(entry, footnotes) for entry in ordered))


def _in_order(
    entries: Sequence[dict[Hashable, Any]], column: str
) -> list[tuple[str, list[dict[Hashable, Any]]]]:
    """Group by a column, groups in order of first appearance."""
    places = {str(entry[column]): place for place, entry in reversed(list(enumerate(entries)))}
    ordered = sorted(entries, key=lambda entry: places[str(entry[column])])
    return [(key, list(rows)) for key, rows in groupby(ordered, lambda e: str(e[column]))]


def _arm(entry: dict[Hashable, Any], footnotes: Footnotes) -> Arm:
    span = Interval(*(style.steady(entry[name]) for name in ("proportion", "ci_low", "ci_high")))
    note = entry["note"]
    text = "" if note is None or note != note or note == "NA" else str(note)
    return Arm(
        name=str(entry["arm_label"]),
        group=int(entry["group"]),
        counted=f"{style.count(float(entry['events']))}/{style.count(float(entry['n']))}",
        span=span,
        share=_share(span),
        note=text,
        mark=footnotes.mark(text),
    )


def _share(span: Interval) -> str:
    if math.isnan(span.estimate):
        return "NR"
    if not span.is_complete:
        return f"{percent(span.estimate)} (interval NR)"
    low, high = (percent(end).removesuffix("%") for end in (span.low, span.high))
    return f"{percent(span.estimate)} ({low} to {high})"


PLOT_WIDTH = 240.0
_CEILINGS = (0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Look:
    """How the arms of a group are drawn; shape and filling differ, not colour alone."""

    shape: str
    marker: str
    fill: str
    edge: str
    size: float


LOOKS = {
    TREATMENT_GROUP: Look("filled circle", "o", style.TREATMENT, style.TREATMENT, 6.5),
    COMPARATOR_GROUP: Look("open square", "s", style.PAPER, style.COMPARATOR, 5.8),
    SINGLE_ARM_GROUP: Look("grey diamond", "D", style.SINGLE_ARM, style.INK, 5.2),
}


@dataclass(frozen=True)
class LinePlace:
    """A line with the height of each of its parts, in points from the top."""

    line: Line
    label: str
    top: float
    marks: tuple[float, ...]
    bottom: float


def draw_axis(sheet: Sheet, left: float, top: float, bottom: float, lines: Sequence[Line]) -> Axes:
    """Draw an axis of shares from 0 to the first round share that holds every interval."""
    ends = [
        end
        for line in lines
        for arm in line.arms
        for end in (arm.span.estimate, arm.span.high)
        if end == end
    ]
    ceiling = next(c for c in _CEILINGS if c >= min(max(ends, default=1.0), 1.0))
    ticks = [ceiling * step / 5 for step in range(6)]
    axes = sheet.plot(
        left,
        top,
        PLOT_WIDTH,
        bottom - top,
        ends=(-0.015 * ceiling, 1.015 * ceiling),
        ticks=[(tick, f"{100 * tick:.0f}") for tick in ticks],
    )
    for tick in ticks:
        style.line(axes, [tick, tick], [top, bottom], style.BAND, 1.0, zorder=0)
    return axes


def draw_arms(axes: Axes, place: LinePlace, gid: str) -> None:
    """Draw the arms of a study, treatment and comparator joined where there is one of each."""
    arms = place.line.arms
    if [arm.group for arm in arms] == [TREATMENT_GROUP, COMPARATOR_GROUP]:
        shares, dashes = [arm.span.estimate for arm in arms], (0, (2, 2))
        name = f"{gid}-pair"
        style.line(axes, shares, place.marks, style.RULE, 0.8, dashes=dashes, zorder=1, gid=name)
    for index, (arm, y) in enumerate(zip(arms, place.marks, strict=True)):
        look = LOOKS[arm.group]
        name = f"{gid}-arm-{index}"
        if arm.span.is_complete:
            ends = [arm.span.low, arm.span.high]
            style.line(axes, ends, [y, y], look.edge, 1.3, cap="butt", gid=f"{name}-interval")
        point(
            axes,
            arm.span.estimate,
            y,
            look.marker,
            look.size,
            look.fill,
            edge=look.edge,
            rim=1.4,
            clip=False,
            zorder=3,
            gid=name,
        )


def legend(lines: Sequence[Line], treatment: str) -> str:
    """Explain the marks that occur, and no others."""
    names = {
        TREATMENT_GROUP: treatment,
        COMPARATOR_GROUP: "comparator",
        SINGLE_ARM_GROUP: f"{treatment} without comparison group",
    }
    groups = sorted({arm.group for line in lines for arm in line.arms})
    words = "; ".join(f"{LOOKS[group].shape}: {names[group]}" for group in groups)
    return f"{capitalised(words)}; lines: 95% Wilson intervals."


NOTHING_REPORTED = "No study gave a share of people with such an outcome."
NO_SHARES = "Counted, but no share of people and so not drawn"
_LABEL_WIDTH = 180.0
_ARM_WIDTH = 140.0
_ARM_AIR = 3.0
_STUDY_AIR = 5.0
_HEADING_AIR = 6.0
# The first heading stands right under the rule of the table head and needs none of its own.
_FIRST = "line-0"
_HEADS = ("Study", "Arm", "Events/n", "Share (95% CI)")


@style.draws
def responder_plot(
    frame: pd.DataFrame,
    *,
    title: str,
    x_label: str = "People with the outcome (%)",
    treatment: str = "treatment",
    in_words: Sequence[str] = (),
) -> tuple[ShownFigure, Axes]:
    """Draw the share of people with an outcome, treatment beside comparator, by threshold.

    Counts that are no share of people stand below in words, without an interval.
    """
    lines, footnotes = responder_lines(frame)
    sentences = [opening("Responder plot", title)]
    not_drawn = f"{NO_SHARES}: {'; '.join(in_words)}." if in_words else ""
    if not lines:
        words = [NOTHING_REPORTED, *filter(None, [not_drawn])]
        return words_only(words, title, " ".join([*sentences, *words]))
    for line in lines:
        arms = [
            f"{arm.name} {arm.counted}, {arm.share}{f', {arm.note}' if arm.note else ''}"
            for arm in line.arms
        ]
        told = f" {'; '.join(arms)}." if line.kind == "study" else ""
        sentences.append(f"{line.label}:{told}")
    columns = _Columns(lines)
    heading = Heading(title, columns.right - MARGIN)
    rule = heading.bottom + text_height(_HEADS[0]) + 6
    places = _stack(lines, rule + 3, columns)
    bottom = places[-1].bottom + 2
    label_top = bottom + TICK_SPACE
    foot = Foot(
        label_top + text_height(x_label) + 8,
        columns.right - MARGIN,
        [legend(lines, treatment), footnotes.line(), not_drawn],
    )
    sheet = Sheet(columns.right + MARGIN, foot.bottom + MARGIN, heading, foot)
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
    return sheet.shown(" ".join([*sentences, *filter(None, [not_drawn])]), axes)


responder_output = output_of(responder_plot)


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
        gap = COLUMN_GAP
        self.arm_left = MARGIN + max(label, heads[0]) + gap
        self.counted_right = self.arm_left + max(arm, heads[1]) + gap + max(counted, heads[2])
        self.counted_right = max(self.counted_right, MARGIN + block)
        self.plot_left = self.counted_right + gap
        self.right = self.plot_left + PLOT_WIDTH + gap + max(share, heads[3])
        self.block_width = self.counted_right - MARGIN

    def write_heads(self, sheet: Sheet, top: float, rule: float) -> None:
        """Write the heads between two rules."""
        places = (MARGIN, self.arm_left, self.counted_right, self.right)
        heads = list(zip(places, _HEADS, ("left", "left", "right", "right"), strict=True))
        write_heads(sheet, heads, rule - 3)
        sheet.rule(MARGIN, self.right, top)
        sheet.rule(MARGIN, self.right, rule)


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
            sheet.rule(MARGIN, columns.right, place.top, width=0.5)
        sheet.write(
            MARGIN,
            place.top + _ARM_AIR / 2,
            place.label,
            valign="top",
            weight="bold" if line.kind == "block" else "normal",
            colour=style.INK if line.kind == "block" else style.SOFT_INK,
            gid=f"{gid}-label",
        )
        return
    sheet.write(MARGIN, place.top + _ARM_AIR / 2, place.label, valign="top", gid=f"{gid}-label")
    for index, (arm, y) in enumerate(zip(line.arms, place.marks, strict=True)):
        name = f"{gid}-arm-{index}"
        sheet.write(columns.arm_left, y, arm_text(arm), gid=f"{name}-name")
        sheet.write(columns.counted_right, y, arm.counted, align="right", gid=f"{name}-counted")
        sheet.write(columns.right, y, arm.share, align="right", gid=f"{name}-share")
