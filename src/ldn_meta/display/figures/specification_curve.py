"""The specification curve: every defensible analysis in one picture, and what it chose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_rows import EffectFormat
from ldn_meta.display.figures.lettering import text_width, wrap
from ldn_meta.display.figures.sheet import Sheet, words_only
from ldn_meta.display.figures.specification_columns import Columns, columns_of
from ldn_meta.display.figures.specification_draw import draw_curve
from ldn_meta.display.figures.specification_layout import PLOT_WIDTH, Plan, lay_out
from ldn_meta.display.figures.specification_words import (
    NO_RESULT,
    describe,
    lacking_words,
    measure_words,
)
from ldn_meta.display.figures.upright_axis import draw_upright, write_beside
from ldn_meta.display.wording import RATIOS
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ldn_meta.evidence.multiverse import Multiverse

_SMALL = style.SMALL_SIZE
_UP, _DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"


class SpecificationOptions(TypedDict):
    """The options of `specification_curve`, for the functions that pass them on."""

    direction: tuple[str, str]
    unit_words: str
    mid: NotRequired[float | None]
    digits: NotRequired[int]
    title: NotRequired[str | None]


def specification_curve(
    found: Multiverse,
    summary: Mapping[str, Any],
    *,
    direction: tuple[str, str],
    unit_words: str,
    mid: float | None = None,
    digits: int = 2,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw a specification curve (Simonsohn 2020, doi 10.1038/s41562-020-0912-z).

    Above, the distinct results from the smallest estimate to the largest, each as wide as the
    number of analyses that give it, with its interval as a band that is coloured by its side of
    no effect. Below, a row for each option of each node that changes results: the darker, the
    more of the analyses above it take that option. Ten million analyses take no more room than
    a hundred.

    Parameters
    ----------
    found : Multiverse
    summary : mapping
        Of ``evidence.multiverse_summary.summary``.
    direction : (str, str)
        What values below and above no effect mean.
    unit_words : str
        Unit of a difference; not used for ratios.
    mid : float, optional
        Minimal important difference, above 0, on the scale of ``yi``; that of the summary
        otherwise.
    digits : int
        Digits behind the point of printed effects.
    title : str, optional
        Bold line above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In words only when no analysis has a result.
    axes : matplotlib.axes.Axes
        The curve: x is the share of the analyses with a result, y is points from the top.

    Raises
    ------
    ArgumentError
        If ``mid`` is not above 0.
    """
    columns = columns_of(found)
    print_as = EffectFormat(digits, found.measure in RATIOS)
    mid = _important(summary, mid)
    with style.settings():
        if columns is None:
            page = words_only([NO_RESULT, lacking_words(summary)], title)
            return page.figure, page.page
        plan = lay_out(found, summary, columns, direction, unit_words, mid, print_as, title)
        sheet = Sheet(plan.right + style.MARGIN, plan.bottom + style.MARGIN)
        plan.heading.write(sheet)
        axes = sheet.plot(plan.left, plan.scale.top, PLOT_WIDTH, plan.scale.height)
        draw_curve(axes, plan.scale, columns, mid)
        draw_upright(sheet, axes, plan.scale, plan.left)
        _write_protocol(sheet, plan, columns)
        write_beside(sheet, plan.left + PLOT_WIDTH, plan.beside, gid="line")
        _write_left(sheet, plan)
        plan.dashboard.draw(sheet)
        plan.legend.draw(sheet, plan.legend_top)
        plan.notes.write(sheet, plan.notes_top)
    return sheet.figure, axes


def specification_curve_alt_text(
    found: Multiverse, summary: Mapping[str, Any], **options: Unpack[SpecificationOptions]
) -> str:
    """Describe the specification curve of the same arguments in plain words."""
    columns = columns_of(found)
    return describe(
        summary,
        columns,
        axis=measure_words(found, columns, options["unit_words"]),
        direction=options["direction"],
        mid=_important(summary, options.get("mid")),
        print_as=EffectFormat(options.get("digits", 2), found.measure in RATIOS),
        title=options.get("title"),
    )


def specification_curve_output(
    name: str,
    found: Multiverse,
    summary: Mapping[str, Any],
    **options: Unpack[SpecificationOptions],
) -> FigureOutput:
    """Make the specification curve ready to end a notebook cell."""
    figure, _ = specification_curve(found, summary, **options)
    return FigureOutput(figure, name, specification_curve_alt_text(found, summary, **options))


def _important(summary: Mapping[str, Any], mid: float | None) -> float:
    """Take the minimal important difference given, or else that of the summary, or NaN."""
    if mid is None:
        return float(summary["mid"])
    if not (math.isfinite(mid) and mid > 0):
        message = f"mid={mid!r} is not allowed; allowed: a number above 0, or None"
        raise ArgumentError(message)
    return mid


def _write_protocol(sheet: Sheet, plan: Plan, columns: Columns) -> None:
    """Name the protocol's own analysis above the place where it stands."""
    share = columns.middle(columns.protocol) if columns.protocol >= 0 else 0.5
    x = plan.left + share * PLOT_WIDTH
    half = text_width(plan.protocol, _SMALL) / 2
    middle = min(max(x, style.MARGIN + half), plan.right - half)
    bottom = plan.scale.top - 5
    sheet.write(
        middle,
        bottom,
        plan.protocol,
        align="center",
        valign="bottom",
        size=_SMALL,
        weight="normal",
        gid="protocol-words",
    )
    if columns.protocol >= 0:
        sheet.page.plot(
            [x, x],
            [bottom, plan.scale.top],
            color=style.INK,
            linewidth=0.7,
            gid="protocol-joint",
        )


def _write_left(sheet: Sheet, plan: Plan) -> None:
    """Write what the ends of the axis mean, and its name between them."""
    x, low, high = style.MARGIN + plan.words_width, plan.scale.bottom, plan.scale.top
    below = wrap(f"{_DOWN} {plan.direction[0]}", plan.words_width, _SMALL)
    above = wrap(f"{_UP} {plan.direction[1]}", plan.words_width, _SMALL)
    name = wrap(plan.axis, plan.words_width, _SMALL)
    for y, text, valign, gid in (
        (high, above, "top", "favours-high"),
        ((low + high) / 2, name, "center", "y-label"),
        (low, below, "bottom", "favours-low"),
    ):
        sheet.write(x, y, text, align="right", valign=valign, size=_SMALL, gid=gid)
