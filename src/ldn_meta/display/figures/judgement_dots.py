"""Risk-of-bias judgements as dots: colour for a glance, letter for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Judgement:
    """How one judgement is drawn."""

    letter: str
    fill: str
    ink: str


_BLACK, _WHITE = "#111111", "#ffffff"
# Lightness falls as concern rises, so the order survives greyscale printing.
JUDGEMENTS = {
    "low": Judgement("L", "#cfeee0", _BLACK),
    "yes": Judgement("Y", "#cfeee0", _BLACK),
    "some concerns": Judgement("C", "#efbf45", _BLACK),
    "moderate": Judgement("M", "#efbf45", _BLACK),
    "serious": Judgement("S", "#d9672b", _BLACK),
    "high": Judgement("H", "#a3331d", _WHITE),
    "no": Judgement("N", "#a3331d", _WHITE),
    "critical": Judgement("X", "#5c1408", _WHITE),
    "no information": Judgement("?", "#ffffff", _BLACK),
    "unclear": Judgement("?", "#ffffff", _BLACK),
}
_NOTHING_TO_DRAW = ("", "not applicable", "NA", "TODO", "NR")
DOT_SIZE = 10.5


def judgement(value: object) -> Judgement | None:
    """Look up how a judgement is drawn; None when there is none to draw.

    Raises
    ------
    ArgumentError
        If the word is no judgement of RoB 2, ROBINS-I or the JBI checklists.
    """
    word = "" if value is None or value != value else str(value).strip()
    if word in _NOTHING_TO_DRAW:
        return None
    if word.lower() not in JUDGEMENTS:
        message = f"dots hold the judgement {word!r}: allowed are {', '.join(JUDGEMENTS)}, or NA"
        raise ArgumentError(message)
    return JUDGEMENTS[word.lower()]


def judgement_legend(values: Iterable[object]) -> str:
    """Explain the letters that occur, in order of concern; each letter once."""
    words = {str(value).strip().lower() for value in values if judgement(value) is not None}
    meanings: dict[str, list[str]] = {}
    for word, how in JUDGEMENTS.items():
        if word in words:
            meanings.setdefault(how.letter, []).append(word)
    used = [f"{letter} {' or '.join(said)}" for letter, said in meanings.items()]
    return f"Risk of bias: {', '.join(used)}." if used else ""


def draw_dot(page: Axes, x: float, y: float, value: object, *, gid: str) -> None:
    """Draw one judgement centred on a point of the page; nothing when there is none."""
    how = judgement(value)
    if how is None:
        return
    page.plot(
        [x],
        [y],
        marker="o",
        markersize=DOT_SIZE,
        markerfacecolor=how.fill,
        markeredgecolor=_BLACK,
        markeredgewidth=0.6,
        linestyle="none",
        gid=gid,
    )
    page.text(
        x,
        y,
        how.letter,
        horizontalalignment="center",
        verticalalignment="center_baseline",
        fontsize=6.5,
        fontweight="bold",
        color=how.ink,
        gid=f"{gid}-letter",
    )
