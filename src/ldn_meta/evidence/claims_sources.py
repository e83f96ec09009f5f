"""Claims that repeat a report: numbers of people, results, directions, and the same fact twice."""

from __future__ import annotations

import math

from ldn_meta.evidence.candidates import Row, number
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    finding,
    listed,
)
from ldn_meta.evidence.claim_material import (
    SIGNIFICANT,
    SIZES,
    Material,
    printed_numbers,
    prints_as,
    tells,
)
from ldn_meta.stats.convert_se import p_from_se, se_from_ci

# Stages at which a trial is as large as it was; later ones have lost people.
BEGINNING = ("n_enrolled", "n_randomised")
VALUES = (
    "events", "n", "percent", "mean", "sd", "median", "estimate", "ci_low", "ci_high",
    "statistic", "p_value", "n_1", "n_2",
)  # fmt: skip
STAGES = {
    "n_enrolled": "enrolled",
    "n_randomised": "randomised",
    "n_completed": "completed",
    "n_analysed": "analysed",
}


def n_in_sources(claim: Row, material: Material, argument: str) -> Finding:
    """Look for a number of people among those that other sources give for the trial.

    Verdict: supported if it is the number enrolled or randomised by the preferred source;
    supported with caveats if it is that of a later stage (completed, analysed) while more began,
    or if another source gives it against the preferred one; not supported if no other source
    does; cannot be tested if no other source gives any number.
    """
    rows = [
        row
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"] in SIZES
        and row["value"] is not None
        and row["qualifier"] is None
        and row["source_id"] != claim["claimed_in"]
    ]
    people = number(claim["n"])
    preferred = {row["fact"]: row for row in rows if row["preferred"]}
    began = [number(row["value"]) for name, row in preferred.items() if name in BEGINNING]
    same = [row for row in rows if number(row["value"]) == people]
    if not rows:
        verdict = CANNOT_BE_TESTED
    elif people in began or (not began and same):
        verdict = SUPPORTED
    else:
        verdict = WITH_CAVEATS if same else NOT_SUPPORTED
    words = [
        f"{number(row['value']):g} {STAGES[name]} ({material.source(row['source_id'])}, "
        f"{row['read_from']})"
        for name, row in sorted(preferred.items(), key=lambda item: SIZES.index(item[0]))
    ]
    where = [
        f"{material.source(row['source_id'])} ({STAGES[row['fact']]}, {row['read_from']})"
        for row in same
    ]
    return finding(
        verdict,
        "The claim says {people:n}. Preferred sources: {words}. {people:n} is the number in "
        "{where}."
        if same
        else "The claim says {people:n}. Preferred sources: {words}. No other "
        "source on file gives {people:n}.",
        people=people,
        words=listed(words),
        where=listed(dict.fromkeys(where)),
        **{name: number(row["value"]) for name, row in preferred.items()},
    )


def agrees_with_source(claim: Row, material: Material, argument: str) -> Finding:
    """Look for every printed number of a claim in what other sources give for the same outcome.

    A number agrees if a value of another source rounds to it, whatever its sign; a P also if it
    follows from the interval of the agreeing row.

    Verdict: supported if all numbers are found; supported with caveats if some are, or if they
    are those of another analysis set than intention to treat, which is on file with other
    numbers; cannot be tested if none is found, because no other source gives the result.
    """
    printed = printed_numbers(claim["as_reported"])
    rows = material.results(
        str(claim["study_id"]), {str(claim["construct"])}, without=claim["claimed_in"]
    )
    sizes = [
        number(row["value"])
        for row in material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"].startswith("n_")
        and row["source_id"] != claim["claimed_in"]
    ]
    by_row = {row["address"]: _matched(row, printed) for row in rows}
    elsewhere = set().union(*by_row.values()) if by_row else set()
    found = [
        text
        for text in printed
        if text in elsewhere or (elsewhere and any(prints_as(n, text) for n in sizes))
    ]
    lost = [text for text in printed if text not in found]
    best = max(rows, key=lambda row: len(by_row[row["address"]]), default=None)
    intended = [row for row in rows if row["analysis_set"] == "intention to treat"]
    is_other_set = bool(
        best is not None
        and best["analysis_set"] == "per protocol"
        and intended
        and by_row[best["address"]] > by_row[intended[0]["address"]]
    )
    if not elsewhere:
        verdict = CANNOT_BE_TESTED
    else:
        verdict = WITH_CAVEATS if lost or is_other_set else SUPPORTED
    template = (
        "{found:n} of {printed:n} printed numbers agree with {where}."
        if elsewhere
        else "No other source on file gives this result."
    )
    if elsewhere and lost:
        template += " Not found elsewhere: {lost}."
    values: dict[str, float | str] = {}
    if is_other_set:
        row = intended[0]
        template += (
            " They are the per-protocol result; by intention to treat it is {itt} ({itt_low} to "
            "{itt_high})."
        )
        values = {
            "itt": number(row["estimate"]),
            "itt_low": number(row["ci_low"]),
            "itt_high": number(row["ci_high"]),
        }
    where = [
        f"{material.source(row['source_id'])} ({row['read_from']})"
        for row in rows
        if by_row[row["address"]]
    ]
    return finding(
        verdict,
        template,
        printed=len(printed),
        found=len(found),
        where=listed(dict.fromkeys(where)),
        lost=listed(lost),
        **{f"printed_{place}": float(text) for place, text in enumerate(printed, 1)},
        **values,
    )


def _matched(row: Row, printed: list[str]) -> set[str]:
    """Printed numbers that a row gives."""
    values = [number(row.get(name)) for name in VALUES]
    low, high, estimate = (number(row.get(name)) for name in ("ci_low", "ci_high", "estimate"))
    if math.isfinite(low + high + estimate):
        values.append(float(p_from_se(estimate, se_from_ci(low, high))))
    return {text for text in printed if any(prints_as(value, text) for value in values)}


def direction_in_sources(claim: Row, material: Material, argument: str) -> Finding:
    """Compare a statement of difference or none with what the text closest to the paper says.

    The argument lists constructs joined by +; the claim's own one without it. "No difference"
    here means that P was not below 0.05, as claims of this kind use the words.

    Verdict: not supported if the closest text says the opposite about any of the constructs;
    supported if it agrees on all; supported with caveats if it agrees on some and is silent on
    others, or tells of a difference that was there before treatment; cannot be tested if no other
    source says anything.
    """
    p = claim["p_value"]
    says_difference = claim["p_relation"] == "sig" or (
        claim["p_relation"] in ("=", "<") and p is not None and p < SIGNIFICANT
    )
    told_in: dict[str, list[str]] = {}
    verdicts: list[bool | None] = []
    values: dict[str, float] = {}
    for construct in argument.split("+") if argument else [str(claim["construct"])]:
        rows = [
            row
            for row in material.results(
                str(claim["study_id"]), {construct}, without=claim["claimed_in"]
            )
            if row["address"].startswith("contrasts") and row["arm_2"] is not None
        ]
        told = [(row, tells(row)) for row in rows]
        later = [(row, word) for row, word in told if row["timepoint_weeks"] != 0]
        row, difference = next((pair for pair in later if pair[1] is not None), (None, None))
        if row is None:
            verdicts.append(None)
            continue
        before = any(word for other, word in told if other["timepoint_weeks"] == 0)
        if difference and before:
            # What was there before treatment is no effect of it.
            verdicts.append(None)
        else:
            verdicts.append(difference == says_difference)
        text = f"{material.label(construct)}: {'difference' if difference else 'no difference'}"
        if difference and before:
            text += ", but at baseline as well"
        if row["estimate"] is not None:
            text += f", {{{construct}_estimate}}"
            values[f"{construct}_estimate"] = number(row["estimate"])
        if row["p_value"] is not None:
            text += f", P {row['p_relation']} {{{construct}_p}}"
            values[f"{construct}_p"] = number(row["p_value"])
        told_in.setdefault(f"{material.source(row['source_id'])}, {row['read_from']}", []).append(
            text
        )
    words = [f"{'; '.join(texts)} ({where})" for where, texts in told_in.items()]
    return finding(
        _joined(verdicts),
        "Other sources: " + "; ".join(words) + "."
        if words
        else "No other source on file says whether there was a difference.",
        constructs=len(verdicts),
        agreeing=sum(v is True for v in verdicts),
        contradicting=sum(v is False for v in verdicts),
        **values,
    )


def _joined(verdicts: list[bool | None]) -> str:
    if False in verdicts:
        return NOT_SUPPORTED
    if True not in verdicts:
        return CANNOT_BE_TESTED
    return WITH_CAVEATS if None in verdicts else SUPPORTED
