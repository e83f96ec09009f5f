"""Two states of data/derived: what moved, and which results read otherwise than before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ldn_meta.display.movement import (
    FINDING,
    JUDGEMENT,
    QUANTITIES,
    RESULT,
    TURNS,
    reading,
    turned,
)
from ldn_meta.pipeline.compare_tables import (
    Cells,
    RowChange,
    TableChange,
    compare_tables,
    is_number,
    read_table,
)

# What finds a row of each table; a table that is not named here is found by its first columns.
KEYS = {
    "effects": ("effect_id",),
    "responders": ("effect_id",),
    "harms": ("effect_id",),
    "left_out": ("table", "row_id"),
    "pooled": ("indication_id", "construct", "comparator_class", "measure", "unit", "analysis"),
    "conflicts": ("study_id", "table", "fact", "other_source"),
    "directions": ("indication_id", "study_id", "construct"),
    "consistency": ("table", "row_id", "check"),
    "multiverse": ("indication_id", "construct", "comparator_class"),
    "multiverse_nodes": ("indication_id", "construct", "comparator_class", "node"),
}
# Tables a reader looks at first; the others follow by name.
FIRST = ("pooled", "certainty", "claims", "multiverse", "directions", "effects")
# Columns whose words are a conclusion. left_out.csv repeats what studies say of themselves.
VERDICT_COLUMNS = {
    **dict.fromkeys(("certainty", "direction", "sign", "changes_verdict"), JUDGEMENT),
    "verdict": FINDING,
}
WITHOUT_VERDICT = ("left_out",)
MAIN = ("analysis", "main")
# A share of one group, or a group without a comparison: nothing it could differ from.
NO_COMPARISON = {"measure": "PLO", "comparator_class": "none"}
_OUTCOME = ("indication_id", "construct", "comparator_class")


def compare_results(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[TableChange, ...]:
    """Compare every table of data/derived.

    Parameters
    ----------
    old, new : mapping of str to bytes
        Files of data/derived by name.

    Returns
    -------
    tuple of TableChange
        Also of tables that are the same; those a reader looks at first come first.
    """
    names = sorted({file.removesuffix(".csv") for file in (*old, *new) if file.endswith(".csv")})
    place = {name: order for order, name in enumerate(FIRST)}
    found = []
    for name in sorted(names, key=lambda name: (place.get(name, len(place)), name)):
        file = f"{name}.csv"
        change = compare_tables(name, old.get(file), new.get(file), key=KEYS.get(name, ()))
        rows = sorted((_judged(row) for row in change.rows), key=_by_weight)
        found.append(replace(change, rows=tuple(rows)))
    return tuple(found)


def measures_of_outcomes(derived: Mapping[str, bytes]) -> dict[tuple[str, ...], str]:
    """Measure of every outcome in the multiverse, for tables that do not repeat it."""
    rows = read_table(derived.get("multiverse.csv", b"")).rows
    return {tuple(row.get(c, "") for c in _OUTCOME): row.get("measure", "") for row in rows}


def measure_of(row: Cells, outcomes: Mapping[tuple[str, ...], str]) -> str:
    """Measure of a row: its own, else that of its outcome; empty if neither is known."""
    return row.get("measure") or outcomes.get(tuple(row.get(c, "") for c in _OUTCOME), "")


def numbers_of(row: Cells) -> dict[str, float]:
    """Numbers of a row by column; what is missing or text is absent."""
    return {name: float(text) for name, text in row.items() if is_number(text)}


def _judged(change: RowChange) -> RowChange:
    """The same with its verdict, if it has one."""
    if change.table in WITHOUT_VERDICT:
        return change
    if change.kind != "changed":
        if not _is_main(change):
            return change
        return replace(change, verdict=f"a main result was {change.kind}", turn=RESULT)
    said = [
        (VERDICT_COLUMNS[cell.column], f"{cell.column}: {cell.old} -> {cell.new}")
        for cell in change.cells
        if cell.column in VERDICT_COLUMNS
    ]
    if all(change.new.get(name) != value for name, value in NO_COMPARISON.items()):
        before, after = numbers_of(change.old), numbers_of(change.new)
        turns = [turned(reading(before, one), reading(after, one)) for one in QUANTITIES]
        said.extend(turn for turn in turns if turn[0])
    if not said:
        return change
    return replace(
        change,
        # rr, or and rd of one row say the same of the same people: told once.
        verdict="; ".join(dict.fromkeys(words for _, words in said)),
        turn=min((turn for turn, _ in said), key=TURNS.index),
    )


def _by_weight(change: RowChange) -> tuple[int, bool, bool, tuple[tuple[str, str], ...]]:
    """What reads otherwise first, main analyses before others, words last."""
    turn = TURNS.index(change.turn) if change.turn else len(TURNS)
    return turn, not change.is_moved, not _is_main(change), change.key


def _is_main(change: RowChange) -> bool:
    return (change.new or change.old).get(MAIN[0]) == MAIN[1]
