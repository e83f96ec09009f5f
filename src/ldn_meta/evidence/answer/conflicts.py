"""What each answer would be had another source been believed, or a missing number been read."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta.evidence.answer.directions import NOT_BLIND, group_of_constructs
from ldn_meta.evidence.answer.pools import (
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    Pool,
    build_pools,
)
from ldn_meta.evidence.effects.effects import as_saved, candidate_effects
from ldn_meta.evidence.effects.routes import counts_behind
from ldn_meta.evidence.effects.rows import (
    COMPARATOR,
    CONTRAST,
    MASKED,
    NOT_ASKED_ABOUT,
    NOT_RANDOMISED,
    PAIRED_DESIGNS,
    POOL,
    TREATMENT,
    Context,
    number,
)
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
    fault_at,
    latest_size,
    stated_twice,
)
from ldn_meta.evidence.raw.tables import VALUE_TABLES, as_records, cited, source_rows
from ldn_meta.stats.arrays import two_sided_quantile
from ldn_meta.stats.convert import ci_from_se, paired_se, se_from_p
from ldn_meta.stats.effects import log_risk_ratio
from ldn_meta.stats.printed import (
    TWO_BY_TWO_TESTS,
    p_interval,
    printed_decimals,
    rounded_interval,
)
from ldn_meta.stats.proportions import wilson_interval

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.errors import Fault
    from ldn_meta.evidence.answer.answer import Answer, Answers
    from ldn_meta.evidence.effects.rows import Outcome, Row
    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.arrays import Interval


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

    missing, sources = set(evidence.dictionary.missing), source_rows(evidence)
    outcomes = evidence.text["outcomes"]
    labels = dict(zip(outcomes["outcome_id"], outcomes["instrument"], strict=True))
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
                    _words(fact, missing, labels),
                    kind,
                    _printed(used, sources),
                    _printed(others, sources),
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
        for row in as_records(rows)
    ]


def _printed(rows: pd.DataFrame, sources: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{row['as_reported']} [{cited(row, sources)}, {row['read_from']}]"
        for row in as_records(rows)
    )


def _words(fact: dict[str, str], missing: set[str], labels: Mapping[str, str]) -> str:
    parts = []
    for name, value in fact.items():
        if name != "study_id" and value not in missing:
            is_week = name == "timepoint_weeks"
            told = labels.get(value, value.replace("_", " "))
            parts.append(f"week {value}" if is_week else told)
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
    for fact in as_records(found):
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
                    "reason": fact["reason"]
                    if fact["kind"] == ANALYSIS_SET
                    else "; ".join(dict.fromkeys(rows[a]["preferred_reason"] for a in addresses)),
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
    if log.empty:
        return pd.DataFrame(columns=list(READING_COLUMNS))
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
        for row in as_records(evidence.text[table])
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
    for twin in as_records(same):
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
    read = pool.read
    numbers = (float(len(pool.trials)), read.estimate, read.low, read.high)
    return {f"{name}_{side}": number for name, number in zip(NUMBERS, numbers, strict=True)}


# -- numbers that nobody has read, and what they could do to an answer ------------------------

WANTED, NEW_ROW = "wanted", "new"
# What the values are that a missing number may have.
COUNTS = "counts that print like the percentages"
MEANS = "the printed difference and its p"
APPROXIMATED = "the approximated effect"
ANY_COUNTS = "any counts of the people who began"
PRINTED_P = "the printed p on the scale of the main outcome"
EITHER_WAY = "an important difference either way"
# Where there are none to try.
UNBOUNDED = "no bound"
NOTHING_PRINTED = "nothing printed says how large or how exact"
OTHER_OUTCOME = "what it lacks is told of {outcome}, which enters no pool of {main}"
NO_PRIOR = "read by {method}, for the plan states no prior for {unit}"
EQUAL_ARMS = "with arms of equal size, for theirs are not known"
NOT_ASKED = "no row of wanted.csv says which number is missing"
NOT_IN_WANTED: dict[Any, Any] = {
    "missing": NOT_ASKED,
    **dict.fromkeys(("likely_in", "address", "table", "rows", "columns"), "none"),
}
OUTLOOK = (
    *("basis", "barred", "assumed", "k", "measure", "unit", "sets", "excluding"),
    *("estimate_low", "estimate_high", "ci_low", "ci_high"),
    *("named", "named_p", "named_estimate", "named_low", "named_high"),
)


def wanted_faults(evidence: Evidence) -> Iterator[Fault]:
    """Every row of wanted.csv that names no cell to fill."""
    text, missing = evidence.text[WANTED], set(evidence.dictionary.missing)
    for line, row in zip(text.index, as_records(text), strict=True):
        table = evidence.text.get(row["table"])
        if table is None:
            continue
        columns = row["columns"].split()
        unknown = [name for name in columns if name not in table.columns]
        if unknown:
            rule = f"{unknown[0]} is no column of {row['table']}.csv"
            yield fault_at(evidence, WANTED, line, "columns", rule, "correct it")
            continue
        if row["rows"] == NEW_ROW:
            continue
        cells = table.set_index("row_id")
        for name in row["rows"].split():
            if name not in cells.index or cells.loc[name, "study_id"] != row["study_id"]:
                rule = f"{name} is no row of {row['table']}.csv about {row['study_id']}"
                yield fault_at(
                    evidence, WANTED, line, "rows", rule, f"correct it, or write {NEW_ROW}"
                )
            elif not set(cells.loc[name, columns]) & missing:
                rule = f"every column of {name} is filled"
                yield fault_at(evidence, WANTED, line, "rows", rule, "delete the row")


def wanted(answers: Answers) -> pd.DataFrame:
    """What to read next: the number each comparative study lacks, and what it could do.

    A study lacks it if it is in no main pool of the main outcome of its condition. The values
    tried are those its printed facts allow; where they allow all, an important difference either
    way with the error that its size and the spread of the scale give. What bars a study from the
    main pool, and what had to be assumed, stands beside it.
    """
    import pandas as pd

    context = Context(answers.evidence, answers.protocol)
    text = answers.evidence.text
    in_order = text["indications"].sort_values("sort_order", key=lambda c: c.astype(int))
    indications = {
        row["indication_id"]: row for row in as_records(in_order) if row["is_reported"] == "yes"
    }
    asked = {row["study_id"]: row for row in as_records(text[WANTED])}
    groups = group_of_constructs(answers.protocol)
    by_construct = {row["construct"]: row for row in context.outcomes.values()}
    studies = as_records(text["studies"].sort_values(["year", "study_id"], kind="stable"))
    lines = []
    for name, indication in indications.items():
        for study in studies:
            if study["indication_id"] != name or study["eligible_for"] != CONTRAST:
                continue
            answer = answers.to(name, indication["main_construct"], study["comparator_class"])
            if answer.pool is not None and study["study_id"] in set(
                answer.pool.trials["study_id"]
            ):
                continue
            row = NOT_IN_WANTED | asked.get(study["study_id"], {})
            main = by_construct[indication["main_construct"]]
            told_of = context.outcomes.get(row.get("outcome_id", ""), main)
            lines.append(
                {
                    "indication_id": name,
                    "study_id": study["study_id"],
                    "study_label": study["label"],
                    **{key: row[key] for key in NOT_IN_WANTED},
                    **_outlook(context, answer, indication, study),
                    **_of_another(told_of, main, groups),
                }
            )
    return pd.DataFrame(lines)


def _of_another(told_of: Outcome, main: Outcome, groups: Mapping[str, str]) -> dict[str, Any]:
    """That nothing is worked out where the number is of an outcome of another group."""
    construct = told_of["construct"]
    if construct == main["construct"] or groups.get(construct) == groups.get(main["construct"]):
        return {}
    words = {"outcome": told_of["construct_label"], "main": main["construct_label"]}
    return {"basis": UNBOUNDED, "assumed": OTHER_OUTCOME.format(**words)}


def _outlook(
    context: Context, answer: Answer, indication: dict[Any, Any], study: dict[Any, Any]
) -> dict[str, Any]:
    """The values a missing number may have, and where they put the answer."""
    blank = dict.fromkeys(OUTLOOK, math.nan) | {
        "barred": "none", "assumed": "none", "measure": "none", "unit": "none", "named": "none",
    }  # fmt: skip
    barred = [
        *[NOT_RANDOMISED] * (study["is_randomised"] != "yes"),
        *[NOT_BLIND] * (study["blinding"] not in MASKED),
        *[f"compared with {study['comparator_class']}"]
        * (study["comparator_class"] != indication["main_comparator"]),
        *[
            f"{NOT_ASKED_ABOUT}: {why}"
            for name, why in answer.answers.evidence.review.beside.items()
            if name == study["study_id"]
        ],
    ]
    blank["barred"] = ", ".join(barred) or "none"
    for find in (_approximated, _counts, _means, _any_counts, _printed_p, _either_way):
        basis, supposed, named = find(context, answer, study)
        if not supposed:
            continue
        with_it = [_with(answer, effect) for effect in supposed]
        read = [pool.read[:3] for pool in with_it]
        assumed = [EQUAL_ARMS] * bool(supposed[0].get("has_equal_arms"))
        if any(_lacks_a_prior(pool) for pool in with_it):
            method, unit = with_it[0].read.method, supposed[0]["unit"]
            assumed.append(NO_PRIOR.format(method=method, unit=unit))
        told = {}
        if named is not None:
            words, p, place = named
            told = {"named": words, "named_p": p} | dict(
                zip(("named_estimate", "named_low", "named_high"), read[place], strict=True)
            )
        return blank | {
            "basis": basis,
            "assumed": "; ".join(assumed) or "none",
            "k": len(with_it[0].trials),
            "measure": supposed[0]["measure"],
            "unit": supposed[0]["unit"],
            "sets": len(read),
            "excluding": sum(low > 0 or high < 0 for _, low, high in read),
            "estimate_low": min(estimate for estimate, _, _ in read),
            "estimate_high": max(estimate for estimate, _, _ in read),
            "ci_low": min(low for _, low, _ in read),
            "ci_high": max(high for _, _, high in read),
            **told,
        }
    return blank | {"basis": UNBOUNDED, "assumed": NOTHING_PRINTED}


Values: TypeAlias = tuple[str, list[dict[str, Any]], tuple[str, float, int] | None]


def _lacks_a_prior(pool: Pool) -> bool:
    """Whether it would be read with a prior that the plan does not state for its unit."""
    model = pool.model
    needs = model.bayes is not None and model.is_read_with_prior(len(pool.trials))
    return needs and pool.posterior is None


def _with(answer: Answer, effect: dict[str, Any]) -> Pool:
    """The pool of the answer, had the study given this effect."""
    import pandas as pd

    own = [] if answer.pool is None else as_records(answer.pool.trials)
    question = (answer.indication_id, answer.construct, answer.comparator_class)
    key = dict(zip(POOL, (*question, effect["measure"], effect["unit"]), strict=True))
    return Pool(key, pd.DataFrame([*own, effect]), answer.protocol.model)


def _effect(
    answer: Answer, study: dict[Any, Any], yi: float, sei: float, **cells: Any
) -> dict[str, Any]:
    """An effect as it stands in the table of effects, as far as pools ask for it."""
    low, high = ci_from_se(yi, sei, level=answer.protocol.model.level)
    return {
        "study_id": study["study_id"],
        "study_label": study["label"],
        "year": float(study["year"]) if study["year"].isdigit() else math.nan,
        "yi": yi,
        "vi": sei**2,
        "sei": sei,
        "ci_low": float(low),
        "ci_high": float(high),
        "df": math.nan,
        "is_paired": False,
        "is_approximate": False,
        "route": "supposed",
        "direction": NOT_STATED,
        "benefit_sign": math.nan,
        **cells,
    }


def _approximated(context: Context, answer: Answer, study: dict[Any, Any]) -> Values:
    """The effect that only an approximation gives, had it been printed."""
    effects = answer.effects
    own = effects[
        (effects["study_id"] == study["study_id"])
        & (effects["kind"] == CONTRAST)
        & effects["is_approximate"].astype(bool)
    ].sort_values(["is_preferred", "route_rank"], ascending=[False, True], kind="stable")
    return APPROXIMATED, as_records(own.head(1)), None


def _test_of(
    context: Context, answer: Answer, study: dict[Any, Any]
) -> tuple[Row, Interval] | None:
    """The row with the exact p of the two groups, and the ends its rounding leaves."""
    exact = {"preferred": True, "p_relation": "="}
    for row in context.about("contrasts", study["study_id"], answer.construct, **exact):
        if row["arm_2"] is not None and context.arms[row["arm_2"]]["group"] == COMPARATOR:
            return row, p_interval("=", number(row["p_value"]), decimals=int(row["p_decimals"]))
    return None


def _counts(context: Context, answer: Answer, study: dict[Any, Any]) -> Values:
    """Counts that print like two percentages, of no more people than began; those with the p."""
    question = study["study_id"], answer.construct
    rows = context.by_group("arm_events", *question, preferred=True)
    nothing: Values = COUNTS, [], None
    if not {TREATMENT, COMPARATOR} <= set(rows):
        return nothing
    pair = rows[TREATMENT], rows[COMPARATOR]
    began = [context.arms[row["arm_id"]]["n_randomised"] for row in pair]
    if any(row["percent"] is None or row["n"] is not None for row in pair) or None in began:
        return nothing
    sizes = [range(1, int(n or 0) + 1) for n in began]
    test = _test_of(context, answer, study)
    p = None if test is None else test[1]
    possible, fitting = (counts_behind(*pair, sizes, by) for by in (None, p))
    supposed = []
    for one in possible:
        ratio = log_risk_ratio(*one.cells)
        names = dict(zip(("events_1", "n_1", "events_2", "n_2"), one.cells, strict=True))
        supposed.append(
            _effect(
                answer, study, float(ratio.yi), math.sqrt(float(ratio.vi)),
                measure="RR", unit="log risk ratio", **names,
            )
        )  # fmt: skip
    if len(fitting) != 1 or p is None:
        return COUNTS, supposed, None
    (only,) = fitting
    place = [one.cells for one in possible].index(only.cells)
    words = f"{only.events_1}/{only.n_1} against {only.events_2}/{only.n_2}"
    exact = float(TWO_BY_TWO_TESTS[only.tests[0]](*only.cells))
    return COUNTS, supposed, (f"{words}, {only.tests[0]}", exact, place)


def _means(context: Context, answer: Answer, study: dict[Any, Any]) -> Values:
    """The difference of two printed means with the error its p gives, whatever rounding hides."""
    question = study["study_id"], answer.construct
    rows = context.by_group("arm_stats", *question, statistic_of="change", preferred=True)
    found = _test_of(context, answer, study)
    if not {TREATMENT, COMPARATOR} <= set(rows) or found is None or found[0]["n_1"] is None:
        return MEANS, [], None
    test, p = found
    ends = [
        rounded_interval(row["mean"], printed_decimals(context.printed["mean"][row["row_id"]]))
        for row in (rows[TREATMENT], rows[COMPARATOR])
    ]
    middle = number(rows[TREATMENT]["mean"]) - number(rows[COMPARATOR]["mean"])
    differences = (
        float(ends[0].low) - float(ends[1].high), middle, float(ends[0].high) - float(ends[1].low)
    )  # fmt: skip
    paired = bool(test["is_paired"])
    df = test["n_1"] - 1 if paired else test["n_1"] + number(test["n_2"]) - 2
    outcome = context.outcomes[rows[TREATMENT]["outcome_id"]]
    supposed = [
        _effect(
            answer, study, d, float(se_from_p(d, end, df=df)),
            measure="MD", unit=outcome["unit"], is_paired=paired,
            n_1=test["n_1"], n_2=test["n_1"] if paired else test["n_2"],
        )
        for d in differences
        for end in p
        if d != 0
    ]  # fmt: skip
    return MEANS, supposed, None


def _any_counts(context: Context, answer: Answer, study: dict[Any, Any]) -> Values:
    """Every pair of counts of the people who began, where an outcome is counted."""
    outcomes = answer.answers.evidence.text["outcomes"]
    own = outcomes["construct"] == answer.construct
    sizes = _by_group(context, study)
    if set(outcomes.loc[own, "kind"]) != {"binary"} or not all(sizes):
        return ANY_COUNTS, [], None
    first, second = sizes
    supposed = []
    for cells in product(range(first + 1), [first], range(second + 1), [second]):
        # The same share of nought or one says nothing of a ratio.
        if cells[0] == cells[2] == 0 or (cells[0], cells[2]) == sizes:
            continue
        ratio = log_risk_ratio(*cells)
        names = dict(zip(("events_1", "n_1", "events_2", "n_2"), cells, strict=True))
        supposed.append(
            _effect(
                answer, study, float(ratio.yi), math.sqrt(float(ratio.vi)),
                measure="RR", unit="log risk ratio", **names,
            )
        )  # fmt: skip
    return ANY_COUNTS, supposed, None


def _printed_p(context: Context, answer: Answer, study: dict[Any, Any]) -> Values:
    """The differences that an exact p and a side give, with the spread of the scale."""
    scale = answer.protocol.certainty.scales.get(answer.construct)
    found = _test_of(context, answer, study)
    sizes, is_assumed = _sizes(context, answer, study, per_arm=True)
    if scale is None or found is None or not all(sizes) or study["design"] in PAIRED_DESIGNS:
        return PRINTED_P, [], None
    row, p = found
    outcome = context.outcomes[row["outcome_id"]]
    towards = {FAVOURS_TREATMENT: 1, FAVOURS_COMPARATOR: -1}.get(str(row["direction"]))
    if towards is None or outcome["benefit_sign"] is None:
        return PRINTED_P, [], None
    sei = scale.sd * math.sqrt(sum(1 / n for n in sizes))
    side = towards * number(outcome["benefit_sign"])
    supposed = [
        _effect(
            answer, study, side * float(two_sided_quantile(1 - end)) * sei, sei,
            measure="MD", unit=scale.unit, n_1=sizes[0], n_2=sizes[1],
            has_equal_arms=is_assumed,
        )
        for end in p
    ]  # fmt: skip
    return PRINTED_P, supposed, None


def _by_group(context: Context, study: dict[Any, Any]) -> tuple[int, int]:
    """People who began on the treatment and on the comparator; 0 where it is not known."""
    arms = [arm for arm in context.arms.values() if arm["study_id"] == study["study_id"]]
    first, second = (
        sum(int(arm["n_randomised"] or 0) for arm in arms if arm["group"] == group)
        for group in (TREATMENT, COMPARATOR)
    )
    return first, second


def _sizes(
    context: Context, answer: Answer, study: dict[Any, Any], *, per_arm: bool = False
) -> tuple[tuple[float, float], bool]:
    """People in the two groups, or in one arm of each, and whether equal arms were assumed."""
    known = _by_group(context, study)
    if all(known) and not per_arm:
        return known, False
    for row in context.about("contrasts", study["study_id"], answer.construct):
        if row["n_1"] is not None and row["n_2"] is not None:
            return (number(row["n_1"]), number(row["n_2"])), False
    text = answer.answers.evidence.text["arms"]
    # Arms that people were assigned to: none of several together.
    own = text[(text["study_id"] == study["study_id"]) & (text["n_randomised"] != "NA")]
    in_all = latest_size(study)
    if not in_all or own.empty:
        return (0.0, 0.0), False
    arms = [(own["group"] == str(group)).sum() for group in (TREATMENT, COMPARATOR)]
    first, second = (in_all / len(own) * (min(n, 1) if per_arm else n) for n in arms)
    return (float(first), float(second)), True


def _either_way(context: Context, answer: Answer, study: dict[Any, Any]) -> Values:
    """An important difference for and against, with the error that its size would give."""
    scale = answer.protocol.certainty.scales.get(answer.construct)
    if scale is None:
        return EITHER_WAY, [], None
    in_all, is_assumed = latest_size(study), False
    is_paired = study["design"] in PAIRED_DESIGNS
    if is_paired and in_all:
        sei = float(paired_se(scale.sd, scale.sd, in_all, answer.protocol.correlation))
        sizes: tuple[float, float] = in_all, in_all
    else:
        sizes, is_assumed = _sizes(context, answer, study)
        if is_paired or not all(sizes):
            return EITHER_WAY, [], None
        sei = scale.sd * math.sqrt(sum(1 / n for n in sizes))
    mid = scale.minimal_important_difference
    supposed = [
        _effect(
            answer, study, end, sei, measure="MD", unit=scale.unit,
            is_paired=is_paired, n_1=sizes[0], n_2=sizes[1], has_equal_arms=is_assumed,
        )
        for end in (-mid, mid)
    ]  # fmt: skip
    return EITHER_WAY, supposed, None
