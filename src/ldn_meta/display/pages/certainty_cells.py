"""Cells of the summary of findings: effects in relative and absolute terms, studies, footnotes."""

from __future__ import annotations

import math
from typing import Any

from ldn_meta.display.certainty_table import Finding
from ldn_meta.display.certainty_words import DOMAIN_WORDS, levels, reason, statement, symbols
from ldn_meta.display.wording import (
    MEASURES,
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    interval,
    people,
    shown,
)
from ldn_meta.evidence.certainty import NOT_RATED
from ldn_meta.evidence.synthesis import DIRECTION_ONLY, RATIO_MEASURES

NONE = "none"
DASH = "-"


def finding(row: dict[str, Any], domains: list[dict[str, Any]], *, drug: str) -> Finding:
    """Build one line of the summary of findings.

    Parameters
    ----------
    row : dict
        Row of ``data/derived/certainty.csv``.
    domains : list of dict
        Its rows of ``data/derived/certainty_domains.csv``.
    drug : str
    """
    return Finding(
        group=f"{drug} against {row['comparator']}",
        outcome=capitalised(str(row["construct_label"])),
        outcome_detail=_detail(row),
        studies=studies(row),
        relative=relative(row),
        absolute=absolute(row, drug=drug),
        symbols=symbols(str(row["certainty"])),
        certainty=str(row["certainty"]),
        statement=statement(row, drug=drug),
        notes=notes(row, domains),
    )


def notes(row: dict[str, Any], domains: list[dict[str, Any]]) -> tuple[str, ...]:
    """Footnotes of a certainty: every level taken off, or why nothing was rated."""
    if row["certainty"] == NOT_RATED:
        return (f"Not rated: {row['why_not_rated']}.",)
    return tuple(footnote(d) for d in domains if d["level"] < 0)


def footnote(domain: dict[str, Any]) -> str:
    """A level taken off, and why."""
    name = capitalised(DOMAIN_WORDS[domain["domain"]])
    return f"{name}, {levels(int(domain['level']))}: {reason(domain)}."


def studies(row: dict[str, Any]) -> str:
    """Write how many studies and people stand behind a rating."""
    if row["certainty"] == NOT_RATED:
        return NONE
    known = people(int(row["people"]))
    return f"{count(int(row['studies']), 'study', plural='studies')} ({known})"


def relative(row: dict[str, Any]) -> str:
    """Write a ratio with its interval; a dash for what is no ratio."""
    if row["measure"] not in RATIO_MEASURES:
        return DASH
    effect = estimate_with_interval(
        row["estimate"], row["ci_low"], row["ci_high"], measure=str(row["measure"])
    )
    return f"{MEASURES[str(row['measure'])]} {effect}"


def absolute(row: dict[str, Any], *, drug: str) -> str:
    """Write people per 1,000 for ratios, points with the important difference for differences."""
    if row["certainty"] == NOT_RATED:
        return DASH
    if row["synthesis"] == DIRECTION_ONLY:
        return f"not known; told: {row['direction']}"
    if row["measure"] in RATIO_MEASURES:
        return _per_thousand(row, drug=drug)
    unit = str(row["unit"])
    values = [float(row[name]) for name in ("estimate", "ci_low", "ci_high")]
    if row["change"] == "not known":
        ends = interval(values[1], values[2])
        words = f"{fixed(values[0])} {unit} ({ends}), sign as printed"
    else:
        first, low, high = (_side(value, "higher", "lower") for value in values)
        words = f"{first.replace(' ', f' {unit} ', 1)} ({low} to {high})"
    mid = float(row["important_high"])
    known = f"important from {mid:g}" if math.isfinite(mid) else "important difference not stated"
    return f"{words}; {known}"


def _per_thousand(row: dict[str, Any], *, drug: str) -> str:
    names = ("without", "with", "low", "high")
    without, with_drug, low, high = (float(row[f"per_1000_{name}"]) for name in names)
    if not math.isfinite(without):
        return "not defined: nobody had the event without it, or people were not counted"
    more, least, most = (
        _side(float(row[f"per_1000_difference_{name}"]), "more", "fewer", digits=0)
        for name in ("with", "low", "high")
    )
    return (
        f"without {drug} {without:.0f} per 1,000, with it {with_drug:.0f} ({low:.0f} to "
        f"{high:.0f}): {more} ({least} to {most})"
    )


def _side(value: float, above: str, below: str, *, digits: int = 2) -> str:
    """Write ``0.78 lower``: a difference by its size and its side."""
    return f"{fixed(abs(value), digits)} {above if value >= 0 else below}"


def _detail(row: dict[str, Any]) -> str:
    """When it was measured, in what unit, and which way is better."""
    first, last = float(row["week_first"]), float(row["week_last"])
    parts = []
    if math.isfinite(first):
        parts.append(f"week {first:g}" if first == last else f"weeks {first:g} to {last:g}")
    if row["unit"] not in (NONE, None) and row["measure"] not in RATIO_MEASURES:
        parts.append(str(row["unit"]))
    sign = float(row["benefit_sign"])
    if math.isfinite(sign):
        parts.append(f"{'more' if sign > 0 else 'less'} is better")
    return ", ".join(parts)


def numbers_shown(row: dict[str, Any]) -> dict[str, float]:
    """Numbers of a row as its cells display them, for the facts."""
    names = ("estimate", "ci_low", "ci_high")
    values = shown([row[name] for name in names], measure=str(row["measure"]))
    return {f"shown_{name}": value for name, value in zip(names, values, strict=True)}
