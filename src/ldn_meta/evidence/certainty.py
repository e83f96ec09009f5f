"""How certain each answer is: GRADE, domain by domain, with every rule and judgement in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ldn_meta.evidence.bias import overall_judgements
from ldn_meta.evidence.certainty_bodies import bodies_of_evidence
from ldn_meta.evidence.certainty_body import NOT_TOLD
from ldn_meta.evidence.certainty_domains import DOMAINS, find_all
from ldn_meta.evidence.certainty_effect import (
    change_of_outcome,
    per_thousand,
    size_of_effect,
)
from ldn_meta.evidence.certainty_imprecision import information_size, thresholds
from ldn_meta.evidence.certainty_rows import LEVELS, Judged, match_rows
from ldn_meta.evidence.synthesis import NO_COMPARISON, one_word

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.certainty_body import Body
    from ldn_meta.evidence.certainty_domains import Finding
    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

# From the lowest up; what is taken off stops at the first.
GRADES = ("very low", "low", "moderate", "high")
NOT_RATED = "not rated"
COMPUTED, JUDGED, CONFIRMED, OVERRIDDEN = "computed", "judged", "confirmed", "overridden"
WHY_NOT = {
    NO_COMPARISON: "no comparative study; people on the drug alone cannot show what it adds",
    NOT_TOLD: "compared, but the reports give neither an effect nor a direction",
}
NOTHING_REPORTED = "no study on file reported it"


class CertaintyTables(NamedTuple):
    """One row an outcome, and one row a domain of each rated outcome."""

    certainty: pd.DataFrame
    certainty_domains: pd.DataFrame


def certainty_tables(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> CertaintyTables:
    """Rate the certainty of every outcome that the protocol names.

    Randomised comparisons start high and others low; domains take levels off,
    and nothing is added (no outcome here is large, dose-dependent and without randomisation).

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol
    effects, left_out : pandas.DataFrame
        From ``normalise``, rounded as they are saved.

    Returns
    -------
    CertaintyTables

    Raises
    ------
    DataError
        If certainty.csv lacks a judgement, or has one for an outcome that is not rated.
    ArgumentError
        If the rules do not fit the evidence (a source row, an intervention without doses).

    Notes
    -----
    Guyatt 2011, Journal of Clinical Epidemiology 64:401-406 and the series it begins; without a
    pooled estimate, Murad 2017, Evidence-Based Medicine 22:85-87.
    """
    import pandas as pd

    choices = protocol.certainty
    bodies = bodies_of_evidence(evidence, protocol, effects, left_out)
    if bodies:
        choices.check_against(evidence)
    risk = overall_judgements(evidence)
    rated = [(b, find_all(b, choices, risk)) for b in bodies if b.is_rated]
    judged = match_rows(evidence, rated)
    lines: dict[tuple[str, str, str], list[dict[str, Any]]] = {
        body.key: [_domain_line(body, f, judged.get((*body.key, f.domain))) for f in findings]
        for body, findings in rated
    }
    domains = [line for of_body in lines.values() for line in of_body]
    outcomes = [_outcome_line(body, protocol, lines.get(body.key, [])) for body in bodies]
    return CertaintyTables(pd.DataFrame(outcomes), pd.DataFrame(domains))


def grade(start: str, levels: list[int]) -> str:
    """Return the certainty that is left; never below the lowest.

    Parameters
    ----------
    start : str
        "high" or "low".
    levels : list of int
        What the domains take off, each 0 or negative.

    Returns
    -------
    str
        A word of GRADES.
    """
    return GRADES[max(0, GRADES.index(start) + sum(levels))]


def _domain_line(body: Body, finding: Finding, row: Judged | None) -> dict[str, Any]:
    level = finding.level if row is None else LEVELS[row.judgement]
    return {
        **_key(body),
        "domain": finding.domain,
        "rule": finding.rule,
        "value": finding.value,
        "computed_level": finding.level,
        "judgement": "none" if row is None else row.judgement,
        "reason": "none" if row is None else row.reason,
        "judged_by": "rule" if row is None else row.judged_by,
        "level": level,
        "status": _status(finding, row, level),
    }


def _status(finding: Finding, row: Judged | None, level: int) -> str:
    if row is None:
        return COMPUTED
    if finding.domain == DOMAINS[-1]:
        return JUDGED
    return CONFIRMED if level == finding.level else OVERRIDDEN


def _outcome_line(body: Body, protocol: Protocol, domains: list[dict[str, Any]]) -> dict[str, Any]:
    choices = protocol.certainty
    result = None if body.pool is None else body.pool.result
    low, high = thresholds(body, choices)
    levels = {domain["domain"]: domain["level"] for domain in domains}
    missing = float("nan")
    return {
        **_key(body),
        "outcome": body.outcome,
        "comparator": body.comparator,
        "construct_label": body.construct_label,
        "domain": body.domain,
        "counted": body.counted,
        "benefit_sign": body.benefit_sign,
        "synthesis": body.kind,
        "studies": len(body.studies),
        "study_ids": " ".join(study["study_id"] for study in body.studies) or "none",
        "people": body.people,
        "week_first": min(body.weeks, default=missing),
        "week_last": max(body.weeks, default=missing),
        "measure": "none" if body.pool is None else body.pool.key["measure"],
        "unit": "none" if body.pool is None else body.pool.key["unit"],
        "estimate": missing if result is None else float(result.estimate),
        "ci_low": missing if result is None else float(result.ci_low),
        "ci_high": missing if result is None else float(result.ci_high),
        "important_low": low,
        "important_high": high,
        "information_size": information_size(body, choices),
        **per_thousand(body),
        "registered": "; ".join(body.registered) or "none",
        "size": size_of_effect(body, choices),
        "change": change_of_outcome(body),
        "direction": one_word(body.told.values()) if body.pool is None else "none",
        "start": body.start if body.is_rated else "none",
        **{f"{name}_level": levels.get(name, missing) for name in DOMAINS},
        "certainty": grade(body.start, list(levels.values())) if body.is_rated else NOT_RATED,
        "why_not_rated": "none" if body.is_rated else WHY_NOT.get(body.kind, NOTHING_REPORTED),
    }


def _key(body: Body) -> dict[str, str]:
    return dict(zip(("indication_id", "construct", "comparator_class"), body.key, strict=True))
