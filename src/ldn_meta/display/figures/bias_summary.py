"""The summary of risk of bias: for each domain of RoB 2, how much was judged how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.bias_blocks import bias_blocks
from ldn_meta.display.figures.bias_words import who_judged
from ldn_meta.display.figures.judgement_dots import JUDGEMENTS, judgement_legend
from ldn_meta.display.figures.lettering import text_height, text_width, wrap
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only
from ldn_meta.display.wording import capitalised, count, percent
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.bias import RANDOMISED
from ldn_meta.evidence.bias_tools import OVERALL, TOOLS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOTHING_TO_SUM_UP = "No trial was judged with RoB 2."
_LABEL_WIDTH = 210.0
_BAR_WIDTH = 260.0
_BAR_HEIGHT = 13.0
_ROW_AIR = 7.0
_OVERALL_GAP = 5.0
# A letter needs this much room inside its part of a bar; the numbers stand beside it anyway.
_LETTER_ROOM = 11.0
_LETTER_SIZE = 7.5


@dataclass(frozen=True)
class _Bar:
    """One domain: how much weight each judgement has, and of how many trials."""

    label: str
    weights: dict[str, float]
    trials: int

    @property
    def shares(self) -> dict[str, float]:
        """Share of the weight by judgement, from the least concern on; those that occur."""
        total = sum(self.weights.values())
        return {word: weight / total for word, weight in self.weights.items() if weight > 0}

    def numbers(self, *, is_weighted: bool) -> list[str]:
        """Print each judgement's part: trials, or per cent of the weight."""
        return [
            f"{JUDGEMENTS[word].letter} "
            f"{percent(share) if is_weighted else f'{self.weights[word]:.0f}'}"
            for word, share in self.shares.items()
        ]


def bias_summary(
    frame: pd.DataFrame,
    *,
    weights: Mapping[str, float] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw one stacked bar a domain, over the trials judged with RoB 2 or its crossover variant.

    A domain that only crossover trials have is summed up over these alone; what else was not
    judged is left out, and the number of trials behind a bar stands beside it.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a study and domain, as ``evidence.bias.bias_reasons`` makes it; other tools are
        passed over.
    weights : mapping of str to float, optional
        Weight of each trial by ``study_id``, as of a pool: bars then show shares of the weight,
        and trials without weight are left out. Without weights every trial counts once.
    title : str, optional
        Bold line above.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when there is no trial to sum up.
    axes : matplotlib.axes.Axes
        The whole page; x and y are points from its top left corner.

    Raises
    ------
    ArgumentError
        If ``frame`` is not as it should be, or a weight is negative or not finite.
    """
    bars = _bars(frame, weights)
    with style.settings():
        if not bars:
            page = words_only([NOTHING_TO_SUM_UP], title)
            return page.figure, page.page
        labels = [wrap(bar.label, _LABEL_WIDTH, weight=_weight(bar)) for bar in bars]
        plot_left = style.MARGIN + max(
            text_width(label, weight=_weight(bar)) for label, bar in zip(labels, bars, strict=True)
        )
        plot_left += style.COLUMN_GAP
        most = max(bar.trials for bar in bars)
        numbers = [_numbers(bar, most, is_weighted=weights is not None) for bar in bars]
        right = plot_left + _BAR_WIDTH + style.COLUMN_GAP
        right += max(text_width(text, weight="bold") for text in numbers)
        heading = Heading(title, right - style.MARGIN)
        heights = [max(text_height(label), _BAR_HEIGHT) + _ROW_AIR for label in labels]
        axis = heading.bottom + sum(heights) + _OVERALL_GAP
        notes = Notes(_notes(bars, frame, weights), right - style.MARGIN)
        sheet = Sheet(right + style.MARGIN, axis + 34 + notes.height + style.MARGIN)
        heading.write(sheet)
        top = heading.bottom
        for index, (bar, label, text) in enumerate(zip(bars, labels, numbers, strict=True)):
            if bar.label == capitalised(OVERALL):
                top += _OVERALL_GAP
                sheet.rule(style.MARGIN, right, top - _OVERALL_GAP / 2, width=0.5)
            middle, gid = top + heights[index] / 2, f"bar-{index}"
            weight = _weight(bar)
            sheet.write(style.MARGIN, middle, label, weight=weight, gid=f"{gid}-label")
            _draw_bar(sheet, plot_left, middle, bar, gid)
            sheet.write(
                plot_left + _BAR_WIDTH + style.COLUMN_GAP,
                middle,
                text,
                weight=weight,
                gid=f"{gid}-numbers",
            )
            top += heights[index]
        _draw_axis(sheet, plot_left, axis, is_weighted=weights is not None)
        notes.write(sheet, axis + 34)
    return sheet.figure, sheet.page


def bias_summary_alt_text(
    frame: pd.DataFrame,
    *,
    weights: Mapping[str, float] | None = None,
    title: str | None = None,
) -> str:
    """Describe the summary of the same arguments in plain words, domain by domain."""
    bars = _bars(frame, weights)
    opening = f"Risk of bias, summed up{f': {title}' if title else ''}."
    if not bars:
        return f"{opening} {NOTHING_TO_SUM_UP}"
    of = "of the weight" if weights is not None else "of the trials"
    sentences = [opening]
    for bar in bars:
        parts = [f"{word} {percent(share)}" for word, share in bar.shares.items()]
        sentences.append(f"{bar.label} ({count(bar.trials, 'trial')}): {', '.join(parts)} {of}.")
    return style.spoken(" ".join(sentences))


def bias_summary_output(
    name: str,
    frame: pd.DataFrame,
    *,
    weights: Mapping[str, float] | None = None,
    title: str | None = None,
) -> FigureOutput:
    """Make the summary ready to end a notebook cell: drawing, file name, words."""
    figure, _ = bias_summary(frame, weights=weights, title=title)
    return FigureOutput(figure, name, bias_summary_alt_text(frame, weights=weights, title=title))


def _bars(frame: pd.DataFrame, weights: Mapping[str, float] | None) -> list[_Bar]:
    """One bar a domain, in the order of the tool that has them all, then the overall one."""
    for study, weight in (weights or {}).items():
        if not (math.isfinite(weight) and weight >= 0):
            message = f"weights has {weight!r} for {study!r}: allowed are finite numbers from 0 on"
            raise ArgumentError(message)
    blocks = [block for block in bias_blocks(frame) if block.tool.family == RANDOMISED]
    widest = max((t.domains for t in TOOLS.values() if t.family == RANDOMISED), key=len)
    named = [(d.name, f"{d.head} {d.name}") for d in widest] + [(OVERALL, capitalised(OVERALL))]
    bars = []
    for name, label in named:
        words = {s: word for block in blocks for s, word in block.of_domain(name).items()}
        given = {s: 1.0 if weights is None else weights.get(s, 0.0) for s in words}
        kept = {s: weight for s, weight in given.items() if weight > 0}
        if kept:
            ranks = blocks[0].tool.ranks
            sums = {word: sum(w for s, w in kept.items() if words[s] == word) for word in ranks}
            bars.append(_Bar(label, sums, len(kept)))
    return bars


def _weight(bar: _Bar) -> str:
    return "bold" if bar.label == capitalised(OVERALL) else "normal"


def _numbers(bar: _Bar, most: int, *, is_weighted: bool) -> str:
    """Print the parts of a bar, and of how many trials they are if not of all."""
    text = ", ".join(bar.numbers(is_weighted=is_weighted))
    return text if bar.trials == most else f"{text} ({count(bar.trials, 'trial')})"


def _draw_bar(sheet: Sheet, left: float, middle: float, bar: _Bar, gid: str) -> None:
    from matplotlib.patches import Rectangle

    x = left
    for part, (word, share) in enumerate(bar.shares.items()):
        how, width = JUDGEMENTS[word], style.steady(share * _BAR_WIDTH)
        sheet.page.add_patch(
            Rectangle(
                (x, middle - _BAR_HEIGHT / 2),
                width,
                _BAR_HEIGHT,
                facecolor=how.fill,
                edgecolor=style.INK,
                linewidth=0.6,
                gid=f"{gid}-part-{part}",
            )
        )
        if width >= _LETTER_ROOM:
            sheet.write(
                x + width / 2,
                middle,
                how.letter,
                align="center",
                size=_LETTER_SIZE,
                weight="bold",
                colour=how.ink,
                gid=f"{gid}-letter-{part}",
            )
        x += width


def _draw_axis(sheet: Sheet, left: float, top: float, *, is_weighted: bool) -> None:
    sheet.rule(left, left + _BAR_WIDTH, top)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + tick * _BAR_WIDTH
        sheet.page.plot([x, x], [top, top + 3], color=style.RULE, linewidth=0.8)
        sheet.write(
            x,
            top + 4,
            percent(tick),
            align="center",
            valign="top",
            size=style.SMALL_SIZE,
            gid=f"tick-{tick:g}",
        )
    words = "share of the weight in the pool" if is_weighted else "share of the trials"
    middle = left + _BAR_WIDTH / 2
    sheet.write(middle, top + 16, words, align="center", valign="top", gid="x-label")


def _notes(
    bars: list[_Bar], frame: pd.DataFrame, weights: Mapping[str, float] | None
) -> list[str]:
    words = [word for bar in bars for word in bar.shares]
    trials = max(bar.trials for bar in bars)
    counted = "weighted as in the pool" if weights is not None else "each counted once"
    has_carryover = any(bar.label.startswith("DS") for bar in bars)
    crossover = "; DS is asked of crossover trials only" if has_carryover else ""
    trial_rows = frame[
        frame["tool"].isin([t.name for t in TOOLS.values() if t.family == RANDOMISED])
    ]
    return [
        judgement_legend(words),
        f"{capitalised(count(trials, 'trial'))} judged with RoB 2, {counted}{crossover}.",
        who_judged(trial_rows["judged_by"]),
    ]
