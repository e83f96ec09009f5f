"""An effect direction plot in plain words: study by study, and counted by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ldn_meta.display.figures.direction_rows import MIXED, NOT_KNOWN, VERDICTS
from ldn_meta.display.figures.effect_direction_cells import Cell, Study
from ldn_meta.display.figures.effect_direction_layout import design_words
from ldn_meta.display.wording import agree, capitalised, count
from ldn_meta.evidence.synthesis import FAVOURS_COMPARATOR, FAVOURS_LDN, NO_DIFFERENCE

# More studies than this are counted only: nobody listens to forty rows.
MOST_NAMED = 12


def verdict_words() -> dict[str, str]:
    """How legends call each direction."""
    return {
        FAVOURS_LDN: "favours LDN",
        FAVOURS_COMPARATOR: "favours comparator",
        NO_DIFFERENCE: "no difference told, or an estimate of exactly none",
        MIXED: "mixed: its outcomes, or the reports of one, differ",
        NOT_KNOWN: "reported, but direction not known",
    }


def counted(studies: Sequence[Study], key: str) -> Counter[str]:
    """Count the studies of one column by direction."""
    return Counter(study.cells[key].verdict for study in studies if key in study.cells)


def describe(studies: Sequence[Study], columns: Mapping[str, str]) -> str:
    """Describe rows and columns for people who cannot see the arrows.

    Parameters
    ----------
    studies : sequence of Study
        Rows, oldest first.
    columns : mapping of str to str
        Heads of the columns by key.
    """
    outcomes = count(len(columns), "column") + " of outcomes"
    sentences = [f"{capitalised(count(len(studies), 'study', plural='studies'))}, {outcomes}."]
    if len(studies) <= MOST_NAMED:
        sentences += [_study_sentence(study, columns) for study in studies]
    sentences += [
        f"{capitalised(head)}: {counts_in_words(counted(studies, key))}."
        for key, head in columns.items()
    ]
    biases = Counter(study.bias.lower() or "not judged" for study in studies)
    judged = ", ".join(f"{word} in {times}" for word, times in biases.items())
    return " ".join([*sentences, f"Overall risk of bias: {judged}."])


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Say how many studies point each way; nothing of directions that do not occur."""
    verbs = {
        FAVOURS_LDN: ("favours LDN", "favour LDN"),
        FAVOURS_COMPARATOR: ("favours comparator", "favour comparator"),
        NO_DIFFERENCE: ("shows no difference", "show no difference"),
        MIXED: ("is mixed", "are mixed"),
        NOT_KNOWN: ("does not tell its direction", "do not tell their direction"),
    }
    always = (FAVOURS_LDN, FAVOURS_COMPARATOR)
    parts = [
        agree(counts.get(verdict, 0), *verbs[verdict])
        for verdict in VERDICTS
        if verdict in always or counts.get(verdict, 0)
    ]
    return ", ".join(parts)


def _study_sentence(study: Study, columns: Mapping[str, str]) -> str:
    who = "people not reported" if study.people == "NR" else f"{study.people} people"
    told = [
        f"{head} {_cell_words(study.cells[key])}"
        for key, head in columns.items()
        if key in study.cells
    ]
    return f"{study.label} ({design_words(study)}; {who}): {'; '.join(told)}."


def _cell_words(cell: Cell) -> str:
    outcomes = f" ({count(cell.combined, 'outcome')})" if cell.combined > 1 else ""
    return f"{cell.verdict}{outcomes}"
