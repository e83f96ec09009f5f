"""A comparison in words: one headline, and sentences with what came and went."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass

from ldn_meta.pipeline.compare import Comparison
from ldn_meta.pipeline.compare_facts import LeafChange

_TURNS = {
    "interval": "intervals across no difference",
    "judgement": "judgements",
    "result": "main results that came or went",
    "side": "estimates on the other side",
    "finding": "findings of checks",
    "page": "conclusions of pages",
}
# A long text keeps this many words on either side of what changed.
LONG, AROUND = 150, 8


@dataclass(frozen=True)
class Reworded:
    """A sentence before and after, in pieces: ("same" | "gone" | "new", text)."""

    where: str
    pieces: tuple[tuple[str, str], ...]


def headline(found: Comparison) -> str:
    """Say in one line what happened.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    str
        Such as "1 input row changed; 12 of 1,296 results moved (pooled 11, effects 1); no
        verdict changed; 3 sentences changed".
    """
    total = sum(table.total for table in found.results)
    if not found.has_any:
        return f"nothing moved: the inputs and all {total:,} results are the same"
    said = [*_input_words(found), *_result_words(found, total)]
    said.append(_verdict_words(found))
    sentences = len(found.sentences)
    if sentences:
        said.append(f"{sentences} {_plural('sentence', sentences)} changed")
    return "; ".join(said)


def reworded(found: Comparison) -> tuple[Reworded, ...]:
    """Sentences of the pages that changed, word by word.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    tuple of Reworded
        The answers of the conditions first.
    """
    ordered = sorted(found.sentences, key=lambda fact: ("answer" not in fact.path, fact.where))
    return tuple(Reworded(_place(fact), _pieces(fact.old, fact.new)) for fact in ordered)


def one_line(text: str) -> str:
    """A text without line ends and without what a terminal would take for a command."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _input_words(found: Comparison) -> list[str]:
    kinds = Counter(row.kind for table in found.inputs for row in table.own_rows)
    said = [
        f"{number} input {_plural('row', number)} {kind}"
        for kind in ("changed", "added", "removed")
        if (number := kinds[kind])
    ]
    for kind in ("added", "removed"):
        names = [table.table for table in found.inputs if table.kind == kind]
        said.extend(f"input table {name} {kind}" for name in names)
    columns = sum(len(t.columns_added) + len(t.columns_removed) for t in found.inputs)
    if columns:
        said.append(f"{columns} input {_plural('column', columns)} added or removed")
    if found.settings:
        by_file = Counter(change.where for change in found.settings)
        files = ", ".join(f"{name} {changed}" for name, changed in by_file.items())
        number = len(found.settings)
        said.append(f"{number} {_plural('setting', number)} changed ({files})")
    said.extend(f"{name} changed" for name in found.code)
    return said or ["no input changed"]


def _verdict_words(found: Comparison) -> str:
    turns = Counter(row.turn for row in found.verdicts)
    turns["page"] = len(found.told_verdicts)
    if not turns.total():
        return "no verdict changed"
    which = ", ".join(f"{said} {turns[turn]}" for turn, said in _TURNS.items() if turns[turn])
    return f"{turns.total()} {_plural('verdict', turns.total())} changed ({which})"


def _result_words(found: Comparison, total: int) -> list[str]:
    changed = {
        table.table: sum(row.kind == "changed" and row.is_moved for row in table.own_rows)
        for table in found.results
    }
    moved = sum(changed.values())
    where = ", ".join(f"{name} {number}" for name, number in changed.items() if number)
    said = ["results are older than their inputs or code"] if found.is_stale else []
    if found.unread:
        said.append(
            f"{len(found.unread)} unreadable {_plural('file', len(found.unread))} left out"
        )
    said.append(f"{moved} of {total:,} results moved" + (f" ({where})" if where else ""))
    for kind in ("added", "removed"):
        number = sum(row.kind == kind for table in found.results for row in table.own_rows)
        if number:
            said.append(f"{number} {_plural('result', number)} {kind}")
        names = [table.table for table in found.results if table.kind == kind]
        said.extend(f"table {name} {kind}" for name in names)
    words = sum(not row.is_moved for table in found.results for row in table.rows)
    if words:
        said.append(f"{words} {'differs' if words == 1 else 'differ'} in words only")
    return said


def _place(fact: LeafChange) -> str:
    return one_line(f"{fact.where}: {' / '.join(fact.path)}")


def _pieces(old: object, new: object) -> tuple[tuple[str, str], ...]:
    """Runs of words that stayed, went and came."""
    before, after = (
        re.findall(r"\S+", one_line(text)) if isinstance(text, str) else [] for text in (old, new)
    )
    pieces: list[tuple[str, str]] = []
    matched = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matched.get_opcodes():
        if tag == "equal":
            is_cut = len(after) > LONG and b - a > 2 * AROUND + 1
            kept = [*before[a : a + AROUND], "[...]", *before[b - AROUND : b]]
            pieces.append(("same", " ".join(kept if is_cut else before[a:b])))
            continue
        pieces.extend([("gone", " ".join(before[a:b]))] if b > a else [])
        pieces.extend([("new", " ".join(after[c:d]))] if d > c else [])
    return tuple(pieces)


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"
