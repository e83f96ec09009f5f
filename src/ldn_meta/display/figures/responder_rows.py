"""Which lines a responder plot has, in order, with every text they print."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from ldn_meta.display.figures import style
from ldn_meta.display.figures.axis_scale import Interval
from ldn_meta.display.wording import capitalised, percent
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

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
LDN_GROUP, COMPARATOR_GROUP, SINGLE_ARM_GROUP = 1, 2, 3
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
    """Arrange arms by threshold and study; studies without comparison come last.

    Raises
    ------
    ArgumentError
        If a column is missing or a group is not 1, 2 or 3.
    """
    missing = [name for name in RESPONDER_COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks the column(s) {', '.join(missing)}: needs {RESPONDER_COLUMNS}"
        raise ArgumentError(message)
    entries: list[dict[Hashable, Any]] = frame.to_dict("records")
    known = (LDN_GROUP, COMPARATOR_GROUP, SINGLE_ARM_GROUP)
    strange = sorted({str(entry["group"]) for entry in entries if entry["group"] not in known})
    if strange:
        message = (
            f"frame has the group(s) {', '.join(strange)}: "
            "1 is LDN, 2 the comparator, 3 an arm without comparison"
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
