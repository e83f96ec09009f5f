"""What each answer would be had another source been believed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta.evidence.answer.pools import Pool, build_pools
from ldn_meta.evidence.effects.effects import as_saved, candidate_effects
from ldn_meta.evidence.effects.rows import POOL
from ldn_meta.evidence.raw.faults import SIZES, conflicts
from ldn_meta.evidence.raw.tables import VALUE_TABLES

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence


# What believing the other source would do.
NO_RESULT = "enters no result"
UNCHANGED = "the result stays"
MOVED = "the result moves"
GONE = "the result would be gone"
NEW = "there would be a result"
NUMBERS = ("k", "estimate", "ci_low", "ci_high")
COLUMNS = (
    *("study_id", "indication_id", "table", "fact", "kind", "used", "other", "other_source"),
    *("reason", "consequence", "construct", "comparator_class", "measure", "unit"),
    *(f"{name}_{side}" for side in ("used", "other") for name in NUMBERS),
    "rows",
)
# Estimates of the same trials differ by less than this only through the order of additions.
SAME = 1e-12

# Main results of one condition by the values of POOL, and by study where it stands alone.
Results: TypeAlias = dict[tuple[str, ...], Pool]


def ledger(evidence: Evidence, protocol: Protocol) -> pd.DataFrame:
    """Every fact that sources state differently, and the answer under each of them.

    For every source that states another value, the rows in use make way for those of that
    source (all its facts on the outcome at once, so that the arms of two sources never mix),
    the results of the condition are computed anew, and old and new are set side by side.
    """
    import pandas as pd

    found = conflicts(evidence, protocol)
    studies = evidence.text["studies"].set_index("study_id")["indication_id"].to_dict()
    main = evidence.text["indications"].set_index("indication_id")["main_construct"].to_dict()
    rows = _rows_by_address(evidence)
    own: dict[str, Evidence] = {}
    base: dict[str, Results] = {}
    believed: dict[tuple[frozenset[str], frozenset[str]], Results] = {}
    lines: list[dict[str, Any]] = []
    for fact in found.to_dict("records"):
        name = str(studies[fact["study_id"]])
        if name not in base:
            own[name] = evidence.for_indication(name)
            base[name] = _results(own[name], protocol)
        for source, addresses in _sources(fact["other_rows"], rows):
            change = _exchanged(found, fact, source, rows)
            if change not in believed:
                believed[change] = _results(_believing(own[name], *change, rows), protocol)
            constructs = [str(main[name]), _construct(evidence, rows[addresses[0]])]
            lines.append(
                {
                    **{n: fact[n] for n in ("study_id", "table", "fact", "kind", "used")},
                    "indication_id": name,
                    "other": "; ".join(rows[address]["as_reported"] for address in addresses),
                    "other_source": source,
                    "reason": fact["reason"],
                    **_answers(base[name], believed[change], str(fact["study_id"]), constructs),
                    "rows": fact["rows"],
                }
            )
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _rows_by_address(evidence: Evidence) -> dict[str, dict[str, str]]:
    return {
        f"{table}:{row['row_id']}": {str(name): str(cell) for name, cell in row.items()}
        for table in (*VALUE_TABLES, "study_facts")
        for row in evidence.text[table].to_dict("records")
    }


def _sources(addresses: str, rows: dict[str, dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Rows that are not used, source by source."""
    listed = addresses.split()
    for source in dict.fromkeys(rows[address]["source_id"] for address in listed):
        yield source, [a for a in listed if rows[a]["source_id"] == source]


def _exchanged(
    found: pd.DataFrame, fact: dict[Any, Any], source: str, rows: dict[str, dict[str, str]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Rows to drop and rows to use instead: everything the source says on this outcome."""
    outcome = rows[fact["other_rows"].split()[0]].get("outcome_id")
    same = found[(found["study_id"] == fact["study_id"]) & (found["table"] == fact["table"])]
    drop: set[str] = set()
    promote: set[str] = set()
    for twin in same.to_dict("records"):
        is_this = twin["fact"] == fact["fact"] and twin["kind"] == fact["kind"]
        others = twin["other_rows"].split()
        if not is_this and (outcome is None or rows[others[0]]["outcome_id"] != outcome):
            continue
        # Third sources make way as well, or one of them could win instead.
        drop |= set(others)
        stated = dict(_sources(twin["other_rows"], rows)).get(source, [])
        if stated and twin["kind"] == fact["kind"]:
            promote |= set(stated)
            drop |= _replaced(twin["used_rows"].split(), stated, rows)
    return frozenset(drop - promote), frozenset(promote)


def _replaced(used: list[str], stated: list[str], rows: dict[str, dict[str, str]]) -> set[str]:
    """Rows in use that make way: those with the measure of the other source, or else all."""
    measures = {rows[address].get("measure") for address in stated}
    return {a for a in used if rows[a].get("measure") in measures} or set(used)


def _believing(
    evidence: Evidence,
    drop: Collection[str],
    promote: Collection[str],
    rows: dict[str, dict[str, str]],
) -> Evidence:
    """The same evidence, had the promoted rows been preferred and the dropped never read."""
    tables, text = dict(evidence.tables), dict(evidence.text)
    concerned = {address.partition(":")[0] for address in (*drop, *promote)}
    for name in concerned & set(VALUE_TABLES):
        column = name + ":" + text[name]["row_id"]
        kept, chosen = ~column.isin(list(drop)), column.isin(list(promote))
        for frames, yes in ((tables, True), (text, "yes")):
            frame = frames[name].copy()
            frame.loc[chosen, "preferred"] = yes
            frame.loc[chosen, "reliability"] = "normal"
            frames[name] = frame[kept].reset_index(drop=True)
    studies = tables["studies"].copy()
    for address in promote:
        row = rows[address]
        # Of the facts about a study, sizes alone are looked at when effects are computed.
        if row.get("fact") in SIZES and row["qualifier"] == "NA" and row["value"].isdecimal():
            studies.loc[studies["study_id"] == row["study_id"], row["fact"]] = int(row["value"])
    return replace(evidence, tables={**tables, "studies": studies}, text=text)


def _results(evidence: Evidence, protocol: Protocol) -> Results:
    effects, _ = candidate_effects(evidence, protocol)
    if effects.empty:
        return {}
    pools = build_pools(as_saved(effects), protocol.selection, protocol.model)
    return {(*(p.key[name] for name in POOL), _alone(p)): p for p in pools}


def _alone(pool: Pool) -> str:
    """Study of a result on a scale of its own; several of them share a key."""
    first = pool.trials.iloc[0]
    return "" if first["has_known_scale"] else str(first["study_id"])


def _construct(evidence: Evidence, row: dict[str, str]) -> str:
    outcomes = evidence.text["outcomes"].set_index("outcome_id")["construct"]
    return str(outcomes[row["outcome_id"]]) if "outcome_id" in row else ""


def _answers(
    base: Results, other: Results, study_id: str, constructs: list[str]
) -> dict[str, Any]:
    """The result concerned, with either value; a result that moves goes before one that stays."""
    keys = dict.fromkeys([*base, *other])
    changed = [key for key in keys if not _is_same(base.get(key), other.get(key))]
    resting = [key for key, pool in base.items() if study_id in set(pool.trials["study_id"])]
    concerned = changed or [key for key in resting if key[1] == constructs[-1]]
    if not concerned:
        return {"consequence": NO_RESULT}
    key = min(concerned, key=lambda k: constructs.index(k[1]) if k[1] in constructs else 9)
    one, two = base.get(key), other.get(key)
    word = (MOVED if one and two else GONE if one else NEW) if changed else UNCHANGED
    return {
        "consequence": word,
        **dict(zip(POOL[1:], key[1:], strict=False)),
        **_numbers(one, "used"),
        **_numbers(two, "other"),
    }


def _is_same(one: Pool | None, two: Pool | None) -> bool:
    if one is None or two is None:
        return False
    pairs = [(getattr(one.result, n), getattr(two.result, n)) for n in NUMBERS]
    return all(abs(float(a) - float(b)) <= SAME for a, b in pairs)


def _numbers(pool: Pool | None, side: str) -> dict[str, float]:
    if pool is None:
        return {f"{name}_{side}": 0.0 if name == "k" else math.nan for name in NUMBERS}
    return {f"{name}_{side}": float(getattr(pool.result, name)) for name in NUMBERS}
