"""The value of a next trial: how large it must be to settle the question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_rows import EffectFormat
from ldn_meta.display.figures.lettering import line_width, text_height, wrap
from ldn_meta.display.figures.next_trial_curves import (
    NO_CURVE,
    Panel,
    effects_of,
    likely_words,
    panels_of,
)
from ldn_meta.display.figures.next_trial_draw import (
    PLOT_WIDTH,
    SAMPLE_ROOM,
    TICK_ROOM,
    TICK_SPACE,
    draw_panel,
    ends_of,
    spans_of,
    stack,
)
from ldn_meta.display.figures.sheet import Heading, Notes, Sheet, words_only
from ldn_meta.display.wording import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SMALL = style.SMALL_SIZE
_X_LABEL = "People in the next trial (log axis)"
_EFFECT_HEAD = "True effect"


class NextTrialOptions(TypedDict):
    """The options of `next_trial_plot`, for the functions that pass them on."""

    direction: tuple[str, str]
    unit_words: NotRequired[str]
    log_scale: NotRequired[bool]
    digits: NotRequired[int]
    remarks: NotRequired[Sequence[str]]
    title: NotRequired[str | None]


def next_trial_plot(
    frame: pd.DataFrame,
    *,
    direction: tuple[str, str],
    unit_words: str = "",
    log_scale: bool = False,
    digits: int = 2,
    remarks: Sequence[str] = (),
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw how likely a next trial of a given size is to settle the question.

    A panel for each thing that may happen, a line for each true effect, named at its end.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a simulated trial size: ``people`` in the next trial, ``true_effect`` on the
        scale of ``yi``, ``probability`` (0-1), ``what`` may happen, in words that follow
        "probability that": "the pooled interval lies off no effect".
    direction : (str, str)
        What effects below and above no effect mean.
    unit_words : str
        Unit of the effects.
    log_scale : bool
        Effects are logarithms of a ratio; the ratio is printed.
    digits : int
        Digits behind the point of effects.
    remarks : sequence of str
        Assumptions of the simulation, printed below.
    title : str, optional
        Bold line above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only without any row.
    axes : matplotlib.axes.Axes
        The first panel: x is people on a log axis, y is points from the top.

    Raises
    ------
    ArgumentError
        If the frame is not as described, or has more true effects than lines can be told apart.
    """
    panels = panels_of(frame)
    print_as = EffectFormat(digits, log_scale)
    with style.settings():
        if not panels:
            page = words_only([NO_CURVE, *remarks], title)
            return page.figure, page.page
        effects = effects_of(panels)
        left = style.MARGIN + TICK_ROOM
        edge = left + PLOT_WIDTH
        names = [print_as.number(effect) for effect in effects]
        head = wrap(f"{_EFFECT_HEAD}{f', {unit_words}' if unit_words else ''}", 90.0, _SMALL)
        beside = max(line_width(line, _SMALL) for line in [*names, *head.split("\n")])
        right = edge + SAMPLE_ROOM + beside
        heading = Heading(title, right - style.MARGIN)
        places = stack(panels, heading.bottom, text_height(head, _SMALL))
        notes = Notes(
            [
                _direction_words(direction, is_log=log_scale),
                *(style.typeset(likely_words(panel, print_as)) for panel in panels),
                *remarks,
            ],
            right - style.MARGIN,
        )
        label_top = places[-1].scale.bottom + TICK_SPACE
        notes_top = label_top + text_height(_X_LABEL, _SMALL) + 8
        sheet = Sheet(right + style.MARGIN, notes_top + notes.height + style.MARGIN)
        heading.write(sheet)
        ends = ends_of(panels)
        drawn = [
            draw_panel(sheet, number, place, ends, effects, print_as)
            for number, place in enumerate(places)
        ]
        sheet.write(
            edge + SAMPLE_ROOM,
            places[0].scale.top - 4,
            head,
            valign="bottom",
            size=_SMALL,
            gid="effect-head",
        )
        sheet.write(
            left + PLOT_WIDTH / 2,
            label_top,
            _X_LABEL,
            align="center",
            valign="top",
            size=_SMALL,
            gid="x-label",
        )
        notes.write(sheet, notes_top)
    return sheet.figure, drawn[0]


def next_trial_alt_text(frame: pd.DataFrame, **options: Unpack[NextTrialOptions]) -> str:
    """Describe the figure of the same arguments in plain words."""
    panels = panels_of(frame)
    title, is_log = options.get("title") or "", options.get("log_scale", False)
    opening = f"Value of a next trial{': ' if title else ''}{title}"
    print_as = EffectFormat(options.get("digits", 2), is_log)
    sentences = [opening if opening.endswith("?") else f"{opening}."]
    if not panels:
        return style.spoken(" ".join([*sentences, NO_CURVE]))
    low, high = (math.exp(end) for end in spans_of(panels))
    unit = options.get("unit_words", "")
    sentences += [
        f"Probabilities by people in the next trial, {low:,.0f} to {high:,.0f}, a line for each "
        f"true effect{f' ({unit})' if unit else ''}.",
        _direction_words(options["direction"], is_log=is_log),
        *(f"{_curve_words(panel, print_as)} {likely_words(panel, print_as)}" for panel in panels),
    ]
    return style.spoken(" ".join(sentences))


def next_trial_output(
    name: str, frame: pd.DataFrame, **options: Unpack[NextTrialOptions]
) -> FigureOutput:
    """Make the figure ready to end a notebook cell."""
    figure, _ = next_trial_plot(frame, **options)
    return FigureOutput(figure, name, next_trial_alt_text(frame, **options))


def _direction_words(direction: tuple[str, str], *, is_log: bool) -> str:
    middle = "1" if is_log else "0"
    return f"True effect below {middle}: {direction[0]}; above {middle}: {direction[1]}."


def _curve_words(panel: Panel, print_as: EffectFormat) -> str:
    parts = [
        f"{percent(curve.probability[0])} to {percent(curve.probability[-1])} if it is "
        f"{print_as.number(curve.effect)}"
        for curve in panel.curves
    ]
    return (
        f"Probability that {panel.what}, from the smallest trial to the largest: "
        f"{'; '.join(parts)}."
    )
