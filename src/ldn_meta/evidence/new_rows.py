"""Rows to be added to the raw tables: what nobody typed and the other answers decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault
from ldn_meta.evidence.bias_rules import ELIGIBLE, NOBODY
from ldn_meta.evidence.bias_tools import OVERALL, TO_DO, fitting_tool
from ldn_meta.evidence.links import SIZES
from ldn_meta.evidence.usual_cells import NOT_APPLICABLE, Row, filled, is_value

if TYPE_CHECKING:
    from ldn_meta.evidence.schema import Dictionary, Table

# Tables that answers can add to, each before those that point to it.
TABLES = (
    *("sources", "studies", "arms", "outcomes", "study_facts"),
    *("arm_stats", "arm_events", "contrasts", "risk_of_bias"),
)


@dataclass
class Answers:
    """What people said about new rows.

    Attributes
    ----------
    shared : dict of str to str
        Cells by column, for every new row whose own answers leave the column open.
    rows : dict of str to list of dict
        Answered cells by table.
    """

    shared: Row = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, table: str) -> list[Row]:
        """Rows of a table; a list to add to."""
        return self.rows.setdefault(table, [])


def complete(
    answers: Answers, dictionary: Dictionary, taken: Mapping[str, set[str]]
) -> tuple[dict[str, list[Row]], list[Fault]]:
    """Fill every cell of the new rows.

    Sizes of a study get the row of ``study_facts`` that says where they were read, and a study
    that is eligible the row of ``risk_of_bias`` that says that nobody has judged it.

    Parameters
    ----------
    answers : Answers
    dictionary : Dictionary
    taken : mapping of str to set of str
        Keys on file, by table.

    Returns
    -------
    rows : dict of str to list of dict
        Whole rows by table, sorted by key; tables without a new row are left out.
    faults : list of Fault
        Cells that only people can fill, and keys that are taken. ``line`` is the place of the
        row among the new rows of its table, from 1.
    """
    done: dict[str, list[Row]] = {}
    faults: list[Fault] = []
    keys = {name: set(taken.get(name, ())) for name in TABLES}
    for name in TABLES:
        table = dictionary.tables[name]
        given = [*answers.rows.get(name, ()), *_implied(name, done, answers)]
        for place, cells in enumerate(given, 1):
            row = filled(table, cells, answers.shared, done, keys[name])
            faults += _open_cells(table, row, place)
            key = row.get(table.key, "")
            if key in keys[name]:
                rule = f"this key is in {name} already, and nothing there is overwritten"
                faults.append(Fault(name, place, table.key, key, rule, "choose another key"))
            keys[name].add(key)
            done.setdefault(name, []).append(row)
    return done, faults


def _implied(
    name: str, done: Mapping[str, Sequence[Row]], answers: Answers
) -> Iterator[dict[str, Any]]:
    """Rows that follow from the study."""
    for study in done.get("studies", ()):
        if name == "study_facts":
            told = {
                (row.get("study_id", study["study_id"]), row.get("fact"))
                for row in answers.rows.get(name, ())
                if row.get("qualifier", NOT_APPLICABLE) == NOT_APPLICABLE
            }
            for size in SIZES:
                if is_value(study[size]) and (study["study_id"], size) not in told:
                    yield {
                        "study_id": study["study_id"],
                        "source_id": study["source_id"],
                        "fact": size,
                        "value": study[size],
                    }
        asked = {row.get("study_id", study["study_id"]) for row in answers.rows.get(name, ())}
        is_open = study["study_id"] not in asked and study["eligible_for"] in ELIGIBLE
        if name == "risk_of_bias" and is_open:
            yield {
                "study_id": study["study_id"],
                "source_id": study["source_id"],
                "tool": fitting_tool(
                    study["design"],
                    is_randomised=study["is_randomised"],
                    eligible_for=study["eligible_for"],
                ),
                "domain": OVERALL,
                "judgement": TO_DO,
                "reason": "not judged yet",
                "judged_by": NOBODY,
                "locator": "not judged yet",
                # Nobody has read for a judgement; the report itself will be read first.
                **({} if "read_from" in answers.shared else {"read_from": "full text"}),
            }


def _open_cells(table: Table, row: Row, place: int) -> list[Fault]:
    remedy = "datapackage.json says what it means"
    return [
        Fault(
            table.name,
            place,
            column,
            "",
            "nobody has filled this cell, and nothing decides it",
            remedy,
        )
        for column in table.columns
        if row[column] == ""
    ]
