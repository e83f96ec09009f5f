"""The traffic-light figure: every study's judgements, a block a tool, letters in colour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.sheet import (
    COLUMN_GAP,
    MARGIN,
    SMALL_SIZE,
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
from ldn_meta.display.words import capitalised, count, percent
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.bias import (
    NOT_APPLICABLE,
    NOT_READABLE,
    OVERALL,
    RANDOMISED,
    TOOLS,
    Domain,
    Tool,
    shown_domains,
)
from ldn_meta.files import EMPTY, TO_DO

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure
    from ldn_meta.evidence.raw.tables import Evidence


WHO = {
    "this project": "by this project, from what could be read of each study",
    "published review": "by published reviews",
}


def domain_key(domains: Iterable[Domain], tools: Sequence[Tool] = ()) -> str:
    """Explain heads: ``D1 randomisation process; D2 ...``."""
    # A head at the end of a line, its name on the next, would be read with the name before it.
    return "; ".join(f"{d.head}{style.NO_BREAK}{d.name}{_only(d, tools)}" for d in domains)


def who_judged(judges: Iterable[str]) -> str:
    """Say who judged, and for what; nothing where nobody has."""
    named = set(judges)
    words = " and ".join(said for judge, said in WHO.items() if judge in named)
    return f"Judged {words}, for the main outcome of the condition." if words else ""


def dots_note(evidence: Evidence, study_ids: list[str]) -> str:
    """Small print for dots beside a forest plot: heads, what was judged, and by whom."""
    rows = evidence.text["risk_of_bias"]
    own = rows[rows["study_id"].isin(study_ids)]
    domains = shown_domains(evidence, study_ids)
    used = [tool for tool in TOOLS.values() if tool.name in set(own["tool"])]
    shown = [tool for tool in used if set(tool.domains) & set(domains)]
    parts = [domain_key(domains, shown)]
    if shown:
        parts += [f"{tool.name}: overall only" for tool in used if tool not in shown]
    key = "; ".join(part for part in parts if part)
    return " ".join(
        text for text in (f"{key}." if key else "", who_judged(own["judged_by"])) if text
    )


def _only(domain: Domain, tools: Sequence[Tool]) -> str:
    having = [tool.name for tool in tools if domain in tool.domains]
    return f" ({', '.join(having)})" if len(having) < len(tools) else ""


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
    NOT_READABLE: Judgement("/", "#ffffff", _BLACK),
    "some concerns": Judgement("C", "#efbf45", _BLACK),
    "moderate": Judgement("M", "#efbf45", _BLACK),
    "serious": Judgement("S", "#d9672b", _BLACK),
    "high": Judgement("H", "#a3331d", _WHITE),
    "no": Judgement("N", "#a3331d", _WHITE),
    "critical": Judgement("X", "#5c1408", _WHITE),
    "no information": Judgement("?", "#ffffff", _BLACK),
    "unclear": Judgement("?", "#ffffff", _BLACK),
}
_NOTHING_TO_DRAW = (*EMPTY, NOT_APPLICABLE)
DOT_SIZE = 10.5


def judgement(value: object) -> Judgement | None:
    """Look up how a judgement is drawn; None when there is none to draw."""
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
    point(page, x, y, "o", DOT_SIZE, how.fill, edge=_BLACK, rim=0.6, gid=gid)
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


# Of a checklist most items may be so: their number says as much as their names.
COUNTED = (NOT_READABLE, "unclear")
COLUMNS = ("study_id", "study_label", "tool", "domain", "judgement", "judged_by")


@dataclass
class Block:
    """The studies judged with one tool."""

    tool: Tool
    labels: dict[str, str] = field(default_factory=dict)
    judgements: dict[tuple[str, str], str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the studies."""
        return len(self.labels)

    @property
    def is_judged(self) -> bool:
        """Whether every study has a judgement in every domain."""
        return all(
            self.judgements.get((study, domain), TO_DO) != TO_DO
            for study in self.labels
            for domain in self.tool.domain_names
        )

    def of_domain(self, domain: str) -> dict[str, str]:
        """Judgements of one domain by study, without those that nobody made."""
        found = {study: self.judgements.get((study, domain), TO_DO) for study in self.labels}
        return {study: word for study, word in found.items() if judgement(word) is not None}

    def told(self, study: str) -> str:
        """Tell a study in words: the overall judgement, then what is behind it."""
        overall = self.judgements.get((study, OVERALL), TO_DO)
        if overall == TO_DO:
            return "not judged yet"
        parts = []
        for word in reversed(list(self.tool.ranks)[1:]):
            names = [d.name for d in self.tool.domains if self._is(study, d.name, word)]
            if names and word in COUNTED:
                parts.append(f"{word} for {len(names)} of {len(self.tool.domains)} items")
            elif names:
                parts.append(f"{word} for {', '.join(names)}")
        return f"overall {overall}" + (f" ({'; '.join(parts)})" if parts else "")

    def _is(self, study: str, domain: str, word: str) -> bool:
        return self.judgements.get((study, domain)) == word


def bias_blocks(frame: pd.DataFrame) -> list[Block]:
    """Sort judgements into blocks, in the order of TOOLS."""
    style.check_columns(frame, COLUMNS)
    blocks: dict[str, Block] = {}
    for row in frame[list(COLUMNS)].astype("str").to_dict("records"):
        name = row["tool"]
        style.check_word(name, "tool", list(TOOLS))
        block = blocks.setdefault(name, Block(TOOLS[name]))
        style.check_word(row["domain"], f"domain of {name}", block.tool.domain_names)
        words = [*block.tool.judgements(row["domain"]), TO_DO]
        style.check_word(row["judgement"], f"judgement with {name}", words)
        key = (row["study_id"], row["domain"])
        if key in block.judgements:
            message = f"frame has {key[0]!r} with {key[1]!r} twice: one row a study and domain"
            raise ArgumentError(message)
        block.labels.setdefault(row["study_id"], row["study_label"])
        block.judgements[key] = row["judgement"]
    return [blocks[name] for name in TOOLS if name in blocks]


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
    def is_overall(self) -> bool:
        """Whether it sums up the overall judgements."""
        return self.label == capitalised(OVERALL)

    @property
    def type(self) -> str:
        """Weight of its letters."""
        return "bold" if self.is_overall else "normal"

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


@style.draws
def bias_summary(
    frame: pd.DataFrame,
    *,
    weights: Mapping[str, float] | None = None,
    title: str | None = None,
) -> tuple[ShownFigure, Axes]:
    """Draw one stacked bar a domain, over the trials judged with RoB 2 or its crossover variant.

    A domain that only crossover trials have is summed up over these alone; what else was not
    judged is left out, and the number of trials behind a bar stands beside it.
    """
    bars = _bars(frame, weights)
    is_weighted = weights is not None
    sentences = [opening("Risk of bias, summed up", title)]
    if not bars:
        return words_only([NOTHING_TO_SUM_UP], title, f"{sentences[0]} {NOTHING_TO_SUM_UP}")
    for bar in bars:
        parts = [f"{word} {percent(share)}" for word, share in bar.shares.items()]
        of = "of the weight" if is_weighted else "of the trials"
        sentences.append(f"{bar.label} ({count(bar.trials, 'trial')}): {', '.join(parts)} {of}.")
    labels = [wrap(bar.label, _LABEL_WIDTH, weight=bar.type) for bar in bars]
    plot_left = MARGIN + max(
        text_width(label, weight=bar.type) for label, bar in zip(labels, bars, strict=True)
    )
    plot_left += COLUMN_GAP
    most = max(bar.trials for bar in bars)
    numbers = [_numbers(bar, most, is_weighted=is_weighted) for bar in bars]
    numbers_left = plot_left + _BAR_WIDTH + COLUMN_GAP
    right = numbers_left + max(text_width(text, weight="bold") for text in numbers)
    heading = Heading(title, right - MARGIN)
    heights = [max(text_height(label), _BAR_HEIGHT) + _ROW_AIR for label in labels]
    axis = heading.bottom + sum(heights) + _OVERALL_GAP
    notes = _summary_notes(bars, frame, is_weighted=is_weighted)
    foot = Foot(axis + 34, right - MARGIN, notes)
    sheet = Sheet(right + MARGIN, foot.bottom + MARGIN, heading, foot)
    top = heading.bottom
    for index, (bar, label, text) in enumerate(zip(bars, labels, numbers, strict=True)):
        if bar.is_overall:
            top += _OVERALL_GAP
            sheet.rule(MARGIN, right, top - _OVERALL_GAP / 2, width=0.5)
        middle, gid = top + heights[index] / 2, f"bar-{index}"
        sheet.write(MARGIN, middle, label, weight=bar.type, gid=f"{gid}-label")
        _draw_bar(sheet, plot_left, middle, bar, gid)
        sheet.write(numbers_left, middle, text, weight=bar.type, gid=f"{gid}-numbers")
        top += heights[index]
    _draw_axis(sheet, plot_left, axis, is_weighted=is_weighted)
    return sheet.shown(" ".join(sentences))


bias_summary_output = output_of(bias_summary)


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


def _numbers(bar: _Bar, most: int, *, is_weighted: bool) -> str:
    """Print the parts of a bar, and of how many trials they are if not of all."""
    text = ", ".join(bar.numbers(is_weighted=is_weighted))
    return text if bar.trials == most else f"{text} ({count(bar.trials, 'trial')})"


def _draw_bar(sheet: Sheet, left: float, middle: float, bar: _Bar, gid: str) -> None:
    x, top = left, middle - _BAR_HEIGHT / 2
    for part, (word, share) in enumerate(bar.shares.items()):
        how, width = JUDGEMENTS[word], style.steady(share * _BAR_WIDTH)
        style.rectangle(
            sheet.page,
            x,
            top,
            width,
            _BAR_HEIGHT,
            how.fill,
            edge=style.INK,
            rim=0.6,
            gid=f"{gid}-part-{part}",
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
    for tick in style.QUARTERS:
        x = left + tick * _BAR_WIDTH
        style.line(sheet.page, [x, x], [top, top + 3], style.RULE, 0.8)
        sheet.caption(x, top + 4, percent(tick), valign="top", gid=f"tick-{tick:g}")
    words = "share of the weight in the pool" if is_weighted else "share of the trials"
    middle = left + _BAR_WIDTH / 2
    sheet.write(middle, top + 16, words, align="center", valign="top", gid="x-label")


def _summary_notes(bars: list[_Bar], frame: pd.DataFrame, *, is_weighted: bool) -> list[str]:
    words = [word for bar in bars for word in bar.shares]
    trials = max(bar.trials for bar in bars)
    counted = "weighted as in the pool" if is_weighted else "each counted once"
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


# More studies than this are counted: nobody listens to sixty.
_MOST_TOLD = 12
NOTHING_JUDGED = "No study to judge."
CHECKLIST_NOTE = (
    "A checklist asks how a group was taken and described: without a comparison no answer to it "
    "makes an effect credible."
)
_STUDY_WIDTH = 190.0
_PITCH = DOT_SIZE + 12.0
_DOT_GAP = 8.0
_OVERALL_HEAD = "Overall"
_STUDY_AIR = 6.0
_BLOCK_GAP = 18.0
# A block of few columns is no wider than its dots, but the words below need more.
_LEAST_WIDTH = 380.0
_BLANK = {NOT_APPLICABLE: "n/a"}
_NOT_JUDGED = "\N{EN DASH}"


@style.draws
def traffic_light(frame: pd.DataFrame, *, title: str | None = None) -> tuple[ShownFigure, Axes]:
    """Draw who was judged how, study by domain.

    A block a tool, since domains of different tools do not compare; within a block the studies
    keep their order. Colour shows the judgement at a glance, its letter says it to everybody.
    In words, up to twelve studies of a block are told one by one; of more, the overall
    judgements are counted.
    """
    blocks = bias_blocks(frame)
    sentences = [opening("Risk of bias by study and domain", title)]
    if not blocks:
        return words_only([NOTHING_JUDGED], title, f"{sentences[0]} {NOTHING_JUDGED}")
    for block in blocks:
        sentences.append(f"{block.tool.label}, {count(len(block), 'study', plural='studies')}:")
        sentences += (
            [f"{label}: {block.told(study)}." for study, label in block.labels.items()]
            if len(block) <= _MOST_TOLD
            else [_overall_counts(block)]
        )
    labels = [wrap(label, _STUDY_WIDTH) for block in blocks for label in block.labels.values()]
    left = max(map(text_width, labels)) + COLUMN_GAP
    width = max(left + max(_dots_width(block) for block in blocks), _LEAST_WIDTH)
    heading = Heading(title, width)
    top = heading.bottom
    places = []
    for block in blocks:
        place = _Place(block, top, left, width)
        places.append(place)
        top = place.bottom + _BLOCK_GAP
    foot = Foot(top, width, _light_notes(blocks, frame))
    sheet = Sheet(width + 2 * MARGIN, foot.bottom + MARGIN, heading, foot)
    for index, place in enumerate(places):
        place.draw(sheet, f"block-{index}")
    return sheet.shown(" ".join(sentences))


traffic_light_output = output_of(traffic_light)


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
            text = wrap(label, _STUDY_WIDTH)
            bottom = top + max(text_height(text), DOT_SIZE) + _STUDY_AIR
            rows.append((study, text, top, bottom))
            top = bottom
        return rows

    @property
    def _key(self) -> str:
        return wrap(f"{domain_key(self.block.tool.domains)}.", self.width, SMALL_SIZE)

    @property
    def bottom(self) -> float:
        """Lower edge of the explanation of the heads."""
        return self._rows[-1][3] + 4 + text_height(self._key, SMALL_SIZE)

    def _centre(self, column: int) -> float:
        gap = _DOT_GAP if column == len(self.block.tool.domains) else 0.0
        wide = text_width(_OVERALL_HEAD, weight="bold") - _PITCH if gap else 0.0
        return MARGIN + self.labels + (column + 0.5) * _PITCH + gap + wide / 2

    def draw(self, sheet: Sheet, gid: str) -> None:
        """Draw name, heads, rows of dots and the explanation of the heads."""
        left, right = MARGIN, MARGIN + self.labels + _dots_width(self.block)
        sheet.write(left, self.top, self._name, valign="top", weight="bold", gid=f"{gid}-name")
        heads = [domain.head for domain in self.block.tool.domains] + [_OVERALL_HEAD]
        places = [(self._centre(column), head, "center") for column, head in enumerate(heads)]
        write_heads(sheet, places, self._head_line - 2, f"{gid}-head")
        sheet.rule(left, right, self._head_line)
        for index, (study, label, top, bottom) in enumerate(self._rows):
            middle, row = (top + bottom) / 2, f"{gid}-row-{index}"
            sheet.write(left, middle, label, gid=f"{row}-label")
            for column, domain in enumerate(self.block.tool.domain_names):
                word = self.block.judgements.get((study, domain), "")
                _draw_cell(sheet, self._centre(column), middle, word, f"{row}-cell-{column}")
        sheet.rule(left, right, self._rows[-1][3])
        sheet.small(
            left,
            self._rows[-1][3] + 4,
            self._key,
            valign="top",
            colour=style.SOFT_INK,
            gid=f"{gid}-key",
        )


def _draw_cell(sheet: Sheet, x: float, y: float, word: str, gid: str) -> None:
    if judgement(word) is not None:
        draw_dot(sheet.page, x, y, word, gid=gid)
        return
    blank = _BLANK.get(word, _NOT_JUDGED)
    sheet.caption(x, y, blank, colour=style.SOFT_INK, gid=f"{gid}-blank")


def _overall_counts(block: Block) -> str:
    found = list(block.of_domain(OVERALL).values())
    parts = [f"{word} in {found.count(word)}" for word in block.tool.ranks if word in found]
    waiting = len(block) - len(found)
    return f"overall {', '.join(parts + ([f'not judged yet in {waiting}'] if waiting else []))}."


def _dots_width(block: Block) -> float:
    head = text_width(_OVERALL_HEAD, weight="bold")
    return len(block.tool.domains) * _PITCH + _DOT_GAP + head


def _light_notes(blocks: list[Block], frame: pd.DataFrame) -> list[str]:
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
