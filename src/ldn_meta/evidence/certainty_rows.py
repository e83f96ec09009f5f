"""The judgements of certainty.csv: what people say where no rule can, or against a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ldn_meta.errors import DataError, Fault
from ldn_meta.evidence.certainty_domains import (
    IMPRECISION,
    INCONSISTENCY,
    INDIRECTNESS,
    PUBLICATION_BIAS,
    RISK_OF_BIAS,
    SERIOUS,
    VERY_SERIOUS,
    Finding,
)
from ldn_meta.evidence.certainty_imprecision import EXTREMELY_SERIOUS
from ldn_meta.evidence.rules import fault_at

if TYPE_CHECKING:
    from ldn_meta.evidence.certainty_body import Body
    from ldn_meta.evidence.load import Evidence

# Indication, construct, comparator class, domain.
Key: TypeAlias = tuple[str, str, str, str]

TABLE = "certainty"
JUDGED = (RISK_OF_BIAS, PUBLICATION_BIAS)
JUDGEMENT, OVERRIDE = "judgement", "override"
NOT_SERIOUS, SERIOUS_WORD, VERY_SERIOUS_WORD = "not serious", "serious", "very serious"
# Three levels; GRADE knows them for imprecision alone (guidance 34).
EXTREME_WORD = "extremely serious"
UNDETECTED, SUSPECTED = "undetected", "strongly suspected"
LEVELS = {
    NOT_SERIOUS: 0,
    SERIOUS_WORD: SERIOUS,
    VERY_SERIOUS_WORD: VERY_SERIOUS,
    EXTREME_WORD: EXTREMELY_SERIOUS,
    UNDETECTED: 0,
    SUSPECTED: SERIOUS,
}
OF_OTHERS = (NOT_SERIOUS, SERIOUS_WORD, VERY_SERIOUS_WORD)
ALLOWED = {
    RISK_OF_BIAS: OF_OTHERS,
    INCONSISTENCY: OF_OTHERS,
    INDIRECTNESS: OF_OTHERS,
    IMPRECISION: (*OF_OTHERS, EXTREME_WORD),
    PUBLICATION_BIAS: (UNDETECTED, SUSPECTED),
}
KEY = ["indication_id", "construct", "comparator_class", "domain"]
FIRST_DATA_LINE = 2


class Judged(NamedTuple):
    """One row of certainty.csv."""

    line: int
    kind: str
    judgement: str
    reason: str
    judged_by: str


def certainty_faults(evidence: Evidence) -> list[Fault]:
    """Every breach of a rule that certainty.csv can break by itself.

    Parameters
    ----------
    evidence : Evidence
        The index of its tables is the line of the file.

    Returns
    -------
    list of Fault
    """
    return list(_faults(evidence))


def _faults(evidence: Evidence) -> Iterator[Fault]:
    text = evidence.text[TABLE]
    for line, row in zip(text.index, text.to_dict("records"), strict=True):
        # The schema check tells of words that are no domain and no judgement at all.
        if row["domain"] not in ALLOWED:
            continue
        kind = JUDGEMENT if row["domain"] in JUDGED else OVERRIDE
        if row["kind"] != kind:
            rule = f"{row['domain']} is {'judged' if kind == JUDGEMENT else 'computed'}"
            yield fault_at(evidence, TABLE, line, "kind", rule, f"write {kind}")
        allowed = ALLOWED[row["domain"]]
        if row["judgement"] in LEVELS and row["judgement"] not in allowed:
            rule = f"is no judgement of {row['domain']}"
            remedy = f"use one of {', '.join(allowed)}"
            yield fault_at(evidence, TABLE, line, "judgement", rule, remedy)
    for line in text.index[text.duplicated(KEY)]:
        same = (text[KEY] == text.loc[line, KEY]).all(axis=1)
        rule = f"line {same.idxmax()} judges the same outcome and domain"
        yield fault_at(evidence, TABLE, line, "domain", rule, "keep one of the two")


def match_rows(
    evidence: Evidence, rated: Sequence[tuple[Body, Sequence[Finding]]]
) -> dict[Key, Judged]:
    """Find the judgement of every rated outcome and domain.

    Parameters
    ----------
    evidence : Evidence
        Of all indications, loaded.
    rated : sequence of (Body, sequence of Finding)
        Every body of evidence that is rated, with what the rules found.

    Returns
    -------
    dict of (indication, construct, comparator class, domain) to Judged

    Raises
    ------
    DataError
        If a judgement is missing, or stands for an outcome that is not rated, or an override
        says what the rule says already.
    """
    text = evidence.text[TABLE]
    rows: dict[Key, Judged] = {
        _key(row): Judged(
            place + FIRST_DATA_LINE,
            str(row["kind"]),
            str(row["judgement"]),
            str(row["reason"]),
            str(row["judged_by"]),
        )
        for place, row in enumerate(text.to_dict("records"))
    }
    found = {
        (*body.key, finding.domain): finding for body, findings in rated for finding in findings
    }
    faults = [
        *(_missing(key, text["row_id"].to_list()) for key in _wanted(rated) if key not in rows),
        *(_extra(key, row) for key, row in rows.items() if key not in found),
        *(
            _idle(key, row)
            for key, row in rows.items()
            if key in found and row.kind == OVERRIDE and LEVELS[row.judgement] == found[key].level
        ),
    ]
    if faults:
        raise DataError(faults)
    return rows


def _key(row: dict[Any, Any]) -> Key:
    return row["indication_id"], row["construct"], row["comparator_class"], row["domain"]


def _wanted(rated: Sequence[tuple[Body, Sequence[Finding]]]) -> Iterator[Key]:
    for body, _ in rated:
        for domain in JUDGED:
            yield (*body.key, domain)


def _missing(key: Key, ids: list[str]) -> Fault:
    """A judgement that has to be made, at the line where its row belongs."""
    name = row_id(key)
    line = FIRST_DATA_LINE + sum(there < name for there in ids)
    words = ALLOWED[key[3]]
    return Fault(
        TABLE,
        line,
        "row_id",
        name,
        f"is missing: {key[1]} against {key[2]} ({key[0]}) is rated, but nobody judged {key[3]}",
        f"add the row {name} with one of {', '.join(words)} and the reason",
    )


def _extra(key: Key, row: Judged) -> Fault:
    rule = f"is not rated against {key[2]} in {key[0]}: no comparison tells of it"
    remedy = "delete the row, or correct indication, construct, comparator_class or domain"
    return Fault(TABLE, row.line, "construct", key[1], rule, remedy)


def _idle(key: Key, row: Judged) -> Fault:
    rule = f"overrides nothing: the rule of {key[3]} says the same"
    return Fault(TABLE, row.line, "judgement", row.judgement, rule, "delete the row")


def row_id(key: Key) -> str:
    """The key of a row of certainty.csv: its four parts, hyphened."""
    return "-".join(part.replace(" ", "_") for part in key)
