"""GRADE's words: symbols of a certainty, statements of a finding, why a level was taken off."""

from __future__ import annotations

from typing import Any

from ldn_meta.display.wording import capitalised, count
from ldn_meta.evidence.certainty import GRADES, NOT_RATED
from ldn_meta.evidence.certainty_effect import (
    LARGE,
    LOWER,
    MODERATE,
    SMALL,
    TRIVIAL,
    UNKNOWN,
)
from ldn_meta.evidence.synthesis import (
    CONFLICTING,
    FAVOURS_COMPARATOR,
    FAVOURS_LDN,
    NO_DIFFERENCE,
    PARTLY_COMPARATOR,
    PARTLY_LDN,
)

FILLED, OPEN = "\u2295", "\u25cb"
VERY_LOW = GRADES[0]
# Certainty -> how sure the verb sounds: Santesso 2020, doi 10.1016/j.jclinepi.2019.10.014.
# Very low certainty has one statement for all sizes.
SURE, LIKELY, MAY = "", "likely ", "may "
HOW_SURE = {"high": SURE, "moderate": LIKELY, "low": MAY}
# Size of the effect -> what the drug does to the outcome; {s} is the ending of the third person.
OF_SIZE = {
    TRIVIAL: "result{s} in little to no difference in {outcome}",
    SMALL: "{verb}{s} {outcome} slightly",
    MODERATE: "{verb}{s} {outcome}",
    LARGE: "result{s} in a large {noun} in {outcome}",
}
VERBS = {
    LOWER: ("reduce", "reduction"),
    UNKNOWN: ("change", "difference"),
}
MORE = ("increase", "increase")
# Directions without a size; beyond GRADE's table, which needs one.
OF_DIRECTION = {
    FAVOURS_LDN: "be better than {comparator} for {outcome}",
    PARTLY_LDN: "be better than {comparator} for {outcome} by some studies and not by others",
    FAVOURS_COMPARATOR: "be worse than {comparator} for {outcome}",
    PARTLY_COMPARATOR: "be worse than {comparator} for {outcome} by some studies, not by others",
    NO_DIFFERENCE: "not differ from {comparator} in {outcome}",
    CONFLICTING: "be better or worse than {comparator} for {outcome}: reports differ",
}
BE_SURE = {"high": "seems to ", "moderate": "is likely to ", "low": "may "}
DOMAIN_WORDS = {
    "risk_of_bias": "risk of bias",
    "inconsistency": "inconsistency",
    "indirectness": "indirectness",
    "imprecision": "imprecision",
    "publication_bias": "publication bias",
}


def symbols(certainty: str) -> str:
    """GRADE's four circles, as many filled as there is certainty; empty when not rated."""
    if certainty == NOT_RATED:
        return ""
    filled = GRADES.index(certainty) + 1
    return FILLED * filled + OPEN * (len(GRADES) - filled)


def outcome_phrase(row: dict[str, Any]) -> str:
    """The outcome as the object of a sentence: people with it, where people are counted."""
    label = str(row["construct_label"])
    return f"the number of people with '{label}'" if row["counted"] == "binary" else label


def statement(row: dict[str, Any], *, drug: str) -> str:
    """Say what was found in GRADE's informative statements.

    Parameters
    ----------
    row : dict
        Row of ``data/derived/certainty.csv``.
    drug : str
        As readers see it.

    Returns
    -------
    str
        One sentence with a full stop.

    Notes
    -----
    Santesso 2020, Journal of Clinical Epidemiology 119:126-135. Where only a direction was
    told, the sentence says so: the table of that paper needs a size.
    """
    outcome, comparator = outcome_phrase(row), str(row["comparator"])
    certainty = str(row["certainty"])
    if certainty == NOT_RATED:
        return f"It is not known what {drug} does to {outcome} compared with {comparator}."
    if certainty == VERY_LOW:
        return (
            f"The evidence is very uncertain about the effect of {drug} on {outcome} compared "
            f"with {comparator}."
        )
    if row["size"] == UNKNOWN:
        words = OF_DIRECTION[str(row["direction"])].format(comparator=comparator, outcome=outcome)
        return f"{capitalised(drug)} {BE_SURE[certainty]}{words}; by how much is not known."
    how = HOW_SURE[certainty]
    verb, noun = VERBS.get(str(row["change"]), MORE)
    words = OF_SIZE[str(row["size"])].format(
        s="" if how == MAY else "s", verb=verb, noun=noun, outcome=outcome
    )
    return f"{capitalised(drug)} {how}{words} compared with {comparator}."


def levels(number: int) -> str:
    """Write ``one level``, ``two levels``: what was taken off."""
    return count(-number, "level")


def why(domains: list[dict[str, Any]]) -> str:
    """Name the domains that took something off, as ``imprecision (two levels)``.

    Parameters
    ----------
    domains : list of dict
        Rows of ``data/derived/certainty_domains.csv`` of one outcome.
    """
    taken = [
        f"{DOMAIN_WORDS[d['domain']]} ({levels(int(d['level']))})"
        for d in domains
        if d["level"] < 0
    ]
    if not taken:
        return "nothing taken off"
    listed = taken[0] if len(taken) == 1 else f"{', '.join(taken[:-1])} and {taken[-1]}"
    return f"taken down for {listed}"


def reason(domain: dict[str, Any]) -> str:
    """Why a domain took something off: the reason of the judgement, else what the rule found."""
    return str(domain["value"] if domain["reason"] == "none" else domain["reason"])
