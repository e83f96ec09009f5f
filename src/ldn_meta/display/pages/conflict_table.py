"""The ledger of conflicts as a table: both values, which is used, and what the other would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.wording import MEASURES, estimate_with_interval
from ldn_meta.evidence.ledger import NO_RESULT, UNCHANGED

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.pages.opened import Opened
    from ldn_meta.evidence.derived import Derived


def conflict_table(opened: Opened) -> Table:
    """Facts that sources state differently, and the answer under each value.

    Parameters
    ----------
    opened : Opened

    Returns
    -------
    Table
        One row a fact and other source.
    """
    return conflicts_told(opened.derived, opened.derived.conflicts)


def conflicts_told(derived: Derived, conflicts: pd.DataFrame) -> Table:
    """Write rows of the ledger for readers.

    Parameters
    ----------
    derived : Derived
    conflicts : pandas.DataFrame
        Rows of ``Derived.conflicts``, of one indication or one study.

    Returns
    -------
    Table
        One row a fact and other source.
    """
    import pandas as pd

    studies = derived.evidence.text["studies"]
    names = dict(zip(studies["study_id"], studies["label"], strict=True))
    outcomes = derived.evidence.text["outcomes"]
    labels = dict(zip(outcomes["construct"], outcomes["construct_label"], strict=True))
    rows = [
        {
            "study": names[row["study_id"]],
            "fact": row["fact"],
            "used": row["used"],
            "also printed": f"{row['other']} [{row['other_source']}]",
            "differ by": row["kind"],
            "used, because": row["reason"],
            "the answer with each": _consequence(row, labels),
        }
        for row in rows_of(conflicts)
    ]
    return Table(
        pd.DataFrame(rows),
        "Facts that sources state differently",
        "Every value is kept in data/raw. The last column computes the main results again with "
        "the other value in place of the one that is used.",
    )


def _consequence(row: dict[str, Any], labels: dict[str, str]) -> str:
    word = str(row["consequence"])
    if word == NO_RESULT:
        return word
    what = f"{labels[row['construct']]} ({MEASURES[row['measure']]})"
    used, other = (_result(row, side) for side in ("used", "other"))
    if word == UNCHANGED:
        return f"{what}: {used} with either"
    return f"{what}: {used} as used, {other} with the other"


def _result(row: dict[str, Any], side: str) -> str:
    if not row[f"k_{side}"] > 0:
        return "no result"
    numbers = [row[f"{name}_{side}"] for name in ("estimate", "ci_low", "ci_high")]
    return estimate_with_interval(*numbers, measure=row["measure"])
