"""The harvest plot: a bar for each study, gathered where its outcomes point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.direction_rows import direction_rows
from ldn_meta.display.figures.effect_direction import NO_DIRECTION
from ldn_meta.display.figures.effect_direction_cells import By, Study, studies_and_columns
from ldn_meta.display.figures.harvest_bars import (
    SUITABILITY,
    UNKNOWN_PANEL,
    Bar,
    bars_of,
    bias_word,
    letters,
    suitability,
)
from ldn_meta.display.figures.harvest_grid import Grid
from ldn_meta.display.figures.harvest_key import legend_groups, notes
from ldn_meta.display.figures.legend import Legend
from ldn_meta.display.figures.sheet import Notes, Sheet, words_only
from ldn_meta.display.wording import capitalised, count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEGEND_GAP = 9.0
# More bars than this are counted and not named.
_MOST_NAMED = 30


def harvest_plot(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a harvest plot (Ogilvie 2008, doi 10.1186/1471-2288-8-8).

    A row for each group of outcomes, a panel for each direction, a bar for each study. The
    height of a bar is the suitability of the design, its colour and pattern the overall risk
    of bias, its letter the study, the number above it the people.

    Parameters
    ----------
    directions : pandas.DataFrame
        As for `effect_direction_plot`, and ``blinding`` (the word of studies.csv).
    by, order, title
        As for `effect_direction_plot`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when there is no row.
    axes : matplotlib.axes.Axes
        The whole page; x and y are points from its top left corner.

    Raises
    ------
    ArgumentError
        As `effect_direction_plot`.
    """
    rows = direction_rows(directions, also=("blinding",))
    studies, columns = studies_and_columns(rows, by=by, order=order)
    with style.settings():
        if not studies:
            page = words_only([NO_DIRECTION], title)
            return page.figure, page.page
        names = letters(len(studies))
        panels = {key: bars_of(studies, names, key) for key in columns}
        grid = Grid(panels, columns, title)
        width = grid.right - style.MARGIN
        legend = Legend(legend_groups(studies), width)
        small_print = Notes(notes(studies, names), width)
        legend_top = grid.bottom + _LEGEND_GAP
        notes_top = legend_top + legend.height + _LEGEND_GAP / 2
        sheet = Sheet(grid.right + style.MARGIN, notes_top + small_print.height + style.MARGIN)
        grid.draw(sheet)
        legend.draw(sheet, legend_top)
        small_print.write(sheet, notes_top)
    return sheet.figure, sheet.page


def harvest_alt_text(
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> str:
    """Describe the harvest plot of the same arguments in plain words, panel by panel."""
    rows = direction_rows(directions, also=("blinding",))
    studies, columns = studies_and_columns(rows, by=by, order=order)
    opening = f"Harvest plot{f': {title}' if title else ''}."
    if not studies:
        return style.spoken(f"{opening} {NO_DIRECTION}")
    sentences = [opening]
    labels = dict(zip(letters(len(studies)), studies, strict=True))
    is_short = sum(len(study.cells) for study in studies) <= _MOST_NAMED
    for column, name in columns.items():
        panels = bars_of(studies, list(labels), column)
        said = [
            f"{head.lower().replace('ldn', 'LDN')} {_panel_words(bars, labels, is_short)}"
            for head, bars in panels.items()
            if bars or head != UNKNOWN_PANEL
        ]
        sentences.append(f"{capitalised(name)}: {'; '.join(said)}.")
    return style.spoken(" ".join(sentences))


def harvest_output(
    name: str,
    directions: pd.DataFrame,
    *,
    by: By = "group",
    order: Sequence[str] | None = None,
    title: str | None = None,
) -> FigureOutput:
    """Make the harvest plot ready to end a notebook cell."""
    figure, _ = harvest_plot(directions, by=by, order=order, title=title)
    return FigureOutput(
        figure, name, harvest_alt_text(directions, by=by, order=order, title=title)
    )


def _panel_words(bars: Sequence[Bar], labels: Mapping[str, Study], is_short: bool) -> str:
    """Say which studies stand in a panel; of many, how many of each design."""
    many = count(len(bars), "study", plural="studies")
    if not bars:
        return many
    if is_short:
        each = [_bar_words(labels[bar.key], bar) for bar in bars]
        return f"{many}, {', '.join(each)}"
    steps = [suitability(labels[bar.key]) for bar in bars]
    kinds = [
        f"{steps.count(step)} {words}" for step, words in SUITABILITY.items() if step in steps
    ]
    return f"{many}, {', '.join(kinds)}"


def _bar_words(study: Study, bar: Bar) -> str:
    who = "people not reported" if bar.people.startswith("NR") else f"{bar.people} people"
    mixed = ", mixed" if bar.people.endswith("*") else ""
    bias = f"risk of bias {bias_word(study)}"
    return (
        f"{study.label} ({SUITABILITY[suitability(study)]}; {bias}; {who.replace('*', '')}{mixed})"
    )
