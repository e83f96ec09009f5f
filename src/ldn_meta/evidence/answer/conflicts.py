"""What each answer would be had another source been believed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta.evidence.answer.pools import Pool, build_pools
from ldn_meta.evidence.effects.effects import as_saved, candidate_effects
from ldn_meta.evidence.effects.rows import POOL
from ldn_meta.evidence.raw.faults import (
    FACT_KEYS,
    LOG,
    NO_PLACE,
    NOT_STATED,
    PREFERRED,
    SIZES,
    UNTRACEABLE,
    VALUES,
    Fact,
    fact_columns,
    stated_twice,
)
from ldn_meta.evidence.raw.tables import VALUE_TABLES, cited
from ldn_meta.stats.proportions import wilson_interval

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
ALL_ROWS = "all rows"
READING_COLUMNS = (
    *("reading", "scope", "checked_against", "of", "rows", "seen", "agreed", "low", "high"),
)
# Estimates of the same trials differ by less than this only through the order of additions.
SAME = 1e-12

# Main results of one condition by the values of POOL, and by study where it stands alone.
Results: TypeAlias = dict[tuple[str, ...], Pool]


SIGNIFICANT_BELOW = 0.05
BELOW = ("<", "sig")


def contradict(one: dict[str, str], other: dict[str, str], values: Sequence[str]) -> bool:
    """Whether two rows about one fact differ; a cell that is missing contradicts nothing."""
    differ = any(one[v] != other[v] for v in values if v in one and v in other)
    if one.get("measure") != other.get("measure"):
        # A difference and a standardised difference are two numbers of one result; one number
        # that two sources call by two names is not.
        is_same = "estimate" in one and one["estimate"] == other.get("estimate")
        return is_same or _p_values_contradict(one, other)
    return differ or _p_values_contradict(one, other)


def is_rounding(one: dict[str, str], other: dict[str, str], values: Sequence[str]) -> bool:
    """Whether everything both rows state is the same at the fewer of the printed digits."""
    if one.get("measure") != other.get("measure"):
        return False
    names = [name for name in values if name in one and name in other]
    if _p_values_contradict(one, other):
        if one["p_relation"] != other["p_relation"]:
            return False
        names.append("p_value")
    return all(_same_rounded(one[name], other[name]) for name in names)


def _same_rounded(one: str, other: str) -> bool:
    numbers = (Decimal(one), Decimal(other))
    # The exponent of a decimal is minus the number of its printed digits.
    coarse = max(int(number.as_tuple().exponent) for number in numbers)
    return abs(numbers[0] - numbers[1]) <= Decimal(1).scaleb(coarse) / 2


def _p_values_contradict(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether no p-value fits both statements about significance; words may meet numbers."""
    if "p_relation" not in one or "p_relation" not in other:
        return False
    exact = [row for row in (one, other) if row["p_relation"] == "="]
    if len(exact) == 2:
        return one["p_value"] != other["p_value"]
    if exact:
        rival = other if exact[0] is one else one
        p, bound = _bound(exact[0]), _bound(rival)
        # 0.05 is not below 0.05, but papers call it significant, or not, as they like.
        if p == bound:
            return "p_value" in rival
        return (p < bound) != (rival["p_relation"] in BELOW)
    below, above = sorted((one, other), key=lambda row: row["p_relation"] not in BELOW)
    if (below["p_relation"] in BELOW) == (above["p_relation"] in BELOW):
        return False
    return _bound(above) >= _bound(below)


def _bound(row: dict[str, str]) -> float:
    return float(row.get("p_value", SIGNIFICANT_BELOW))


# Kinds of conflict: two numbers; one number printed with more and with fewer digits; the same
# outcome in two sets of people.
DIFFERENT, ROUNDING, ANALYSIS_SET = "different", "rounding only", "analysis set"
FACT_COLUMNS = (
    *("study_id", "table", "fact", "kind", "used", "others", "reason", "rows"),
    *("used_rows", "other_rows"),
)


def conflicts(evidence: Evidence, protocol: Protocol) -> pd.DataFrame:
    """Facts with more than one value."""
    import pandas as pd

    missing = set(evidence.dictionary.missing)
    found = []
    for table in FACT_KEYS:
        text = evidence.text[table]
        for used, others in [
            *stated_twice(text, table, missing),
            *_by_analysis_set(text, table, protocol.selection.analysis_sets),
        ]:
            kind = _kind(used, others, VALUES[table], missing)
            if kind is None:
                continue
            one = others.iloc[0].to_dict()
            fact = {name: str(one[name]) for name in fact_columns(table)}
            addresses = [(table + ":" + rows["row_id"]).to_list() for rows in (used, others)]
            found.append(
                (
                    fact["study_id"],
                    table,
                    _words(fact, missing),
                    kind,
                    _printed(used),
                    _printed(others),
                    "the plan takes the other analysis set first"
                    if kind == ANALYSIS_SET
                    else "; ".join(dict.fromkeys(others["preferred_reason"])),
                    " ".join(sorted([*addresses[0], *addresses[1]])),
                    *(" ".join(rows) for rows in addresses),
                )
            )
    frame = pd.DataFrame(found, columns=list(FACT_COLUMNS))
    return frame.sort_values(["study_id", "table", "fact"], kind="stable", ignore_index=True)


def _by_analysis_set(text: pd.DataFrame, table: str, order: Sequence[str]) -> Iterator[Fact]:
    """Facts with preferred rows in more than one stated analysis set."""
    if "analysis_set" not in FACT_KEYS[table]:
        return
    stated = text[(text["preferred"] == PREFERRED) & (text["analysis_set"] != NOT_STATED)]
    key = [name for name in FACT_KEYS[table] if name != "analysis_set"]
    for _, rows in stated.groupby(key, sort=True):
        first = min(rows["analysis_set"], key=order.index)
        is_first = rows["analysis_set"] == first
        if not is_first.all():
            yield Fact(rows[is_first], rows[~is_first])


def _kind(
    used: pd.DataFrame, others: pd.DataFrame, values: list[str], missing: Collection[str]
) -> str | None:
    """How the rows differ; None when nothing contradicts what is used."""
    first, second = _rows(used, missing), _rows(others, missing)
    sets = {row.get("analysis_set") for row in first}
    apart = []
    for other in second:
        pairs = [(one, other) for one in first if contradict(one, other, values)]
        # A row that fits one of several analysis sets in use repeats it.
        if sets == {one.get("analysis_set") for one, _ in pairs}:
            apart += pairs
    if not apart:
        return None
    if second[0]["preferred"] == PREFERRED:
        return ANALYSIS_SET
    is_close = all(
        any(is_rounding(one, other, values) for one, rival in apart if rival is other)
        for _, other in apart
    )
    return ROUNDING if is_close else DIFFERENT


def _rows(rows: pd.DataFrame, missing: Collection[str]) -> list[dict[str, str]]:
    """Rows as dicts of the cells that state something."""
    return [
        {str(name): cell for name, cell in row.items() if cell not in missing}
        for row in rows.to_dict("records")
    ]


def _printed(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row['as_reported']} [{cited(row)}, {row['read_from']}]"
        for row in rows.to_dict("records")
    )


def _words(fact: dict[str, str], missing: set[str]) -> str:
    parts = []
    for name, value in fact.items():
        if name != "study_id" and value not in missing:
            is_week = name == "timepoint_weeks"
            parts.append(f"week {value}" if is_week else value.replace("_", " "))
    return ", ".join(parts)


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


def where_read(evidence: Evidence) -> dict[str, int]:
    """How many value rows were read in another text than theirs, or have no place in it."""
    import pandas as pd

    text = evidence.text
    rows = pd.concat([text[name][["reported_in", "read_in", "locator"]] for name in FACT_KEYS])
    return {
        "value_rows": len(rows),
        "read_elsewhere": int((rows["reported_in"] != rows["read_in"]).sum()),
        "without_a_place": int((rows["locator"] == NO_PLACE).sum()),
        "untraceable_sources": int(text["sources"]["note"].str.startswith(UNTRACEABLE).sum()),
    }


def readings(evidence: Evidence) -> pd.DataFrame:
    """How often what was typed was seen again, a row for each reading, its scope, and table.

    Of rows that were seen and hold a number. The interval is Wilson's; kappa is not defined, for
    nobody sorted the same rows into the same categories twice.
    """
    import pandas as pd

    log = evidence.tables[LOG]
    log = log[log["agrees"].notna()]
    named = log[log["address"].notna()]
    named = named.assign(of="named, " + named["address"].str.partition(":")[0])
    whole = pd.concat([log.assign(of=ALL_ROWS), named])
    lines = []
    for key, rows in whole.groupby(["reading", "scope", "checked_against", "of"], sort=False):
        number = rows.groupby("agrees")["rows"].sum().astype("int64").to_dict()
        agreed = number.get("yes", 0)
        seen = agreed + number.get("in part", 0) + number.get("no", 0)
        low, high = wilson_interval(agreed, seen) if seen else (math.nan, math.nan)
        lines.append((*key, sum(number.values()), seen, agreed, float(low), float(high)))
    found = pd.DataFrame(lines, columns=list(READING_COLUMNS))
    # Kinds of rows that are the whole reading, or of which none was seen, say nothing more.
    most = found.groupby(["reading", "scope", "checked_against"])["rows"].transform("max")
    is_part = (found["of"] != ALL_ROWS) & (found["rows"] < most) & (found["seen"] > 0)
    return found[(found["of"] == ALL_ROWS) | is_part].reset_index(drop=True)


def _rows_by_address(evidence: Evidence) -> dict[str, dict[str, str]]:
    return {
        f"{table}:{row['row_id']}": {str(name): str(cell) for name, cell in row.items()}
        for table in (*VALUE_TABLES, "study_facts")
        for row in evidence.text[table].to_dict("records")
    }


def _sources(addresses: str, rows: dict[str, dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Rows that are not used, source by source."""
    listed = addresses.split()
    for source in dict.fromkeys(rows[address]["read_in"] for address in listed):
        yield source, [a for a in listed if rows[a]["read_in"] == source]


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
