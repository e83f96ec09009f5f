"""Judgements sorted into one block a tool, for the figures that draw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ldn_meta.display.figures.judgement_dots import judgement
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.bias_tools import OVERALL, TO_DO, TOOLS, Tool

if TYPE_CHECKING:
    import pandas as pd

UNCLEAR = "unclear"
COLUMNS = ("study_id", "study_label", "tool", "domain", "judgement", "judged_by")


@dataclass
class Block:
    """The studies judged with one tool.

    Attributes
    ----------
    tool : Tool
    labels : dict of str to str
        Name of each study by its key, in the order of first appearance.
    judgements : dict of (str, str) to str
        Word by study and domain.
    """

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
            if names and word == UNCLEAR:
                # Of a checklist most items may be unclear: their number says as much.
                parts.append(f"{word} for {len(names)} of {len(self.tool.domains)} items")
            elif names:
                parts.append(f"{word} for {', '.join(names)}")
        return f"overall {overall}" + (f" ({'; '.join(parts)})" if parts else "")

    def _is(self, study: str, domain: str, word: str) -> bool:
        return self.judgements.get((study, domain)) == word


def bias_blocks(frame: pd.DataFrame) -> list[Block]:
    """Sort judgements into blocks, in the order of TOOLS.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a study and domain, with the columns of COLUMNS.

    Returns
    -------
    list of Block
        Only tools that were used.

    Raises
    ------
    ArgumentError
        If a column is missing, a tool, domain or judgement is not known, or a study is judged
        twice.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        message = f"frame lacks the column(s) {', '.join(missing)}: needs {', '.join(COLUMNS)}"
        raise ArgumentError(message)
    blocks: dict[str, Block] = {}
    for row in frame[list(COLUMNS)].astype("str").to_dict("records"):
        name = row["tool"]
        _allowed(name, "tool", list(TOOLS))
        block = blocks.setdefault(name, Block(TOOLS[name]))
        _allowed(row["domain"], f"domain of {name}", block.tool.domain_names)
        words = [*block.tool.judgements(row["domain"]), TO_DO]
        _allowed(row["judgement"], f"judgement with {name}", words)
        key = (row["study_id"], row["domain"])
        if key in block.judgements:
            message = f"frame has {key[0]!r} with {key[1]!r} twice: one row a study and domain"
            raise ArgumentError(message)
        block.labels.setdefault(row["study_id"], row["study_label"])
        block.judgements[key] = row["judgement"]
    return [blocks[name] for name in TOOLS if name in blocks]


def _allowed(value: str, what: str, allowed: list[str]) -> None:
    if value not in allowed:
        message = f"{what} is {value!r}: allowed are {', '.join(allowed)}"
        raise ArgumentError(message)
