"""Claims that no published number can test, and why."""

from __future__ import annotations

from ldn_meta.evidence.candidates import Row, number
from ldn_meta.evidence.claim_findings import CANNOT_BE_TESTED, Finding, finding
from ldn_meta.evidence.claim_material import Material

REASONS = {
    "definition": "It is a definition, not a finding.",
    "judgement": "It is a judgement of certainty or quality, not a number.",
    "list-not-seen": "It describes what the review covered; its list was not seen.",
    "mechanism": "It is about how the drug acts; no number on file bears on it.",
    "no-coefficients": "The coefficients of the regression and their errors are not published in "
    "what was read.",
    "no-counts": "Numbers of people with the event in each group are not published in what was "
    "read.",
    "no-number": "It prints no number that could be computed again.",
    "not-about-ldn": "It is about pain drugs in general; LDN is not its subject.",
    "not-seen": "The text itself was not seen.",
    "ongoing": "It speaks of studies under way.",
    "pharmacology": "It is background from pharmacology; the trials on file do not measure it.",
    "recommendation": "It recommends or looks ahead; that is no finding.",
    "regulation": "It is about law or supply.",
    "standard-doses": "It is about all doses of naltrexone; the result at low doses alone and the "
    "numbers of each trial are not published in what was read.",
}


def not_testable(claim: Row, material: Material, argument: str) -> Finding:
    """State why no published number can test a claim; the argument is the reason.

    Verdict: cannot be tested.
    """
    names = {"estimate": "estimate", "ci_low": "low", "ci_high": "high", "k": "k", "n": "n"}
    numbers = {new: number(claim[old]) for old, new in names.items() if claim[old] is not None}
    return finding(CANNOT_BE_TESTED, REASONS[argument], **numbers)
