"""Every claim of claims.csv, tested by the computation that its row names."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldn_meta.errors import ArgumentError, Fault, did_you_mean
from ldn_meta.evidence.audit import (
    claims_reviews,
)
from ldn_meta.evidence.audit import (
    claims_reviews as claims_body,
)
from ldn_meta.evidence.audit import (
    claims_reviews as claims_pools,
)
from ldn_meta.evidence.audit import (
    claims_reviews as claims_sources,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_benefit,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_cohort,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_comparison,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_counts,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_course,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_dose,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_harms,
)
from ldn_meta.evidence.audit import (
    claims_trials as claims_responder_sum,
)
from ldn_meta.evidence.audit.claim_material import (
    CANNOT_BE_TESTED,
    Finding,
    Material,
    NotOnFileError,
    finding,
    numbers_text,
    printed_numbers,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Row, number
from ldn_meta.evidence.raw.faults import fault_at
from ldn_meta.stats.arrays import two_sided_quantile
from ldn_meta.stats.convert import p_from_se

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence


# Degrees of freedom of pools with 2, 3, ... studies; above these t is as good as normal.
MOST_DF = 30


def misfit_of_p(claim: Row) -> Finding | None:
    """Remark that a printed P cannot belong to the printed interval; None if it can.

    The P that follows is computed for a normal interval and for t intervals of two or more
    studies, for all numbers that round to the printed ones. Only a P outside all of these does
    not fit: the method of the review need not be known.
    """
    names = ("estimate", "ci_low", "ci_high")
    if claim["p_relation"] != "=" or any(claim[name] is None for name in names):
        return None
    printed = printed_numbers(claim["as_reported"])
    decimals = max((len(text.partition(".")[2]) for text in printed[:3]), default=0)
    estimate, low, high = (number(claim[name]) for name in names)
    half = 0.5 * 10.0**-decimals
    df = np.array([*range(1, MOST_DF + 1), np.inf])
    reach = two_sided_quantile(0.95, df)

    def p_of(centre: float, width: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(p_from_se(centre, width / 2 / reach, df=df))

    is_ratio = claim["measure"] in RATIO_MEASURES
    scale = math.log if is_ratio else float
    ends = sorted(abs(scale(estimate + side * half)) for side in (-1, 1))
    if not is_ratio and abs(estimate) < half:
        ends[0] = 0.0
    narrow = scale(high - half) - scale(low + half)
    wide = scale(high + half) - scale(low - half)
    smallest, largest = p_of(ends[1], narrow), p_of(ends[0], wide)
    p = number(claim["p_value"])
    # A whole unit of the last digit: some papers cut P off instead of rounding it.
    unit = 10.0 ** -len(printed[-1].partition(".")[2])
    if np.any((smallest <= p + unit) & (largest >= p - unit)):
        return None
    k = claim["k"]
    by_k = p_of(abs(scale(estimate)), scale(high) - scale(low))
    p_of_k = math.nan if k is None or k < 2 else float(by_k[min(int(k) - 2, MOST_DF)])
    text = (
        "The printed P of {p_printed} does not fit the printed interval, from which a P of "
        "{p_low:.2f} to {p_high:.2f} follows, depending on the number of studies"
    )
    text += " ({p_of_k:.2f} with {k_printed:n})." if not math.isnan(p_of_k) else "."
    return finding(
        "",
        text,
        p_printed=p,
        p_low=float(smallest.min()),
        p_high=float(largest.max()),
        p_of_k=p_of_k,
        k_printed=number(k),
    )


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


@dataclass(frozen=True)
class Computation:
    """A way to test a claim."""

    run: Callable[[Row, Material, str], Finding]
    argument: str = ""

    @property
    def question(self) -> str:
        """First line of the docstring: what is computed."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]

    @property
    def rule(self) -> str:
        """Paragraph of the docstring on verdicts."""
        paragraphs = (inspect.getdoc(self.run) or "").split("\n\n")
        found = [" ".join(part.split()) for part in paragraphs if part.startswith("Verdict")]
        return " ".join(found)


COMPUTATIONS = {
    "agrees-with-source": Computation(claims_sources.agrees_with_source),
    "benefit-on-file": Computation(claims_benefit.benefit_on_file),
    "case-report": Computation(claims_course.case_report),
    "change-beside-placebo": Computation(claims_course.change_beside_placebo),
    "cited-designs": Computation(claims_body.cited_designs),
    "cohort-change": Computation(claims_cohort.cohort_change),
    "compare-people": Computation(claims_harms.compare_people, "construct"),
    "compare-pool": Computation(claims_pools.compare_pool, "construct"),
    "count-pairs": Computation(claims_counts.count_pairs, "construct"),
    "design-limits": Computation(claims_body.design_limits),
    "direction-in-sources": Computation(claims_sources.direction_in_sources, "constructs"),
    "dose-per-weight": Computation(claims_dose.dose_per_weight),
    "dose-range": Computation(claims_dose.dose_range, "indication"),
    "dropout": Computation(claims_course.dropout, "studies"),
    "effective-dose": Computation(claims_dose.effective_dose, "share"),
    "equivalence": Computation(claims_comparison.equivalence),
    "event-rates": Computation(claims_comparison.event_rates),
    "evidence-size": Computation(claims_body.evidence_size),
    "mixed-evidence": Computation(claims_body.mixed_evidence),
    "n-in-sources": Computation(claims_sources.n_in_sources),
    "nnt": Computation(claims_cohort.nnt),
    "no-benefit-on-file": Computation(claims_benefit.no_benefit_on_file),
    "not-testable": Computation(not_testable, "reason"),
    "onset": Computation(claims_course.onset),
    "percent-of-k": Computation(claims_reviews.percent_of_k),
    "responder-share": Computation(claims_counts.responder_share),
    "responder-sum": Computation(claims_responder_sum.responder_sum),
    "safety-on-file": Computation(claims_harms.safety_on_file),
    "same-fact": Computation(claims_reviews.same_fact, "claim"),
    "sizes-add-up": Computation(claims_reviews.sizes_add_up),
    "sums-to": Computation(claims_reviews.sums_to, "claim"),
    "trials-on-file": Computation(claims_reviews.trials_on_file),
    "usual-dose": Computation(claims_dose.usual_dose),
}
# A fault lists as many allowed names; computations always fit.
LONGEST_LIST = 40
# Arguments in words; those that may be left out; those that may be several, joined by +.
KINDS = {
    "construct": "a construct, or construct@comparator class@indication_id,",
    "constructs": "constructs joined by +",
    "claim": "a claim_id",
    "studies": "study_ids joined by +",
    "indication": "an indication_id",
    "share": "an effective dose",
    "reason": "a reason",
}
OPTIONAL = ("constructs", "indication")
JOINED = ("constructs", "studies")
COLUMNS = (
    "claim_id",
    "claimed_in",
    "indication_id",
    "study_id",
    "claim",
    "printed",
    "computation",
    "verdict",
    "sentence",
    "numbers",
)


def claims_table(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> pd.DataFrame:
    """Test every claim."""
    import pandas as pd

    material = Material(evidence, protocol, effects, left_out)
    rows = []
    for claim in material.claims.values():
        found = answered(claim, material)
        rows.append(
            {
                **{name: claim[name] for name in COLUMNS if name in claim},
                "printed": claim["as_reported"],
                "verdict": found.verdict,
                "sentence": found.sentence,
                "numbers": numbers_text(found.numbers),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def answered(claim: Row, material: Material) -> Finding:
    """Run the computation of one claim, and check what it prints against itself."""
    name, _, argument = str(claim["computation"]).partition(":")
    if name not in COMPUTATIONS:
        message = f"computation: {name!r} is not allowed; allowed: {', '.join(COMPUTATIONS)}"
        raise ArgumentError(message)
    try:
        found = COMPUTATIONS[name].run(claim, material, argument)
    except NotOnFileError as missing:
        found = finding(CANNOT_BE_TESTED, f"Not on file: {missing}.")
    remark = misfit_of_p(claim)
    if remark is None:
        return found
    return Finding(
        found.verdict,
        f"{found.sentence} {remark.sentence}",
        {**found.numbers, **remark.numbers},
    )


def computation_faults(evidence: Evidence) -> list[Fault]:
    """Every claim whose computation does not exist, or whose argument is not one."""
    claims = evidence.text["claims"]
    known = _allowed_arguments(evidence)
    faults = []
    for line, cell in zip(claims.index, claims["computation"], strict=True):
        if cell in evidence.dictionary.missing:
            continue
        name, colon, argument = str(cell).partition(":")
        if name not in COMPUTATIONS:
            rule, remedy = f"no computation {name!r}", _meant(name, list(COMPUTATIONS))
        else:
            kind = COMPUTATIONS[name].argument
            found = _misfit(argument if colon else None, kind, known)
            if found is None:
                continue
            rule = f"{name} takes {f'{KINDS[kind]} behind a colon' if kind else 'no argument'}"
            remedy = _meant(*found)
        faults.append(fault_at(evidence, "claims", line, "computation", rule, remedy))
    return faults


def _allowed_arguments(evidence: Evidence) -> dict[str, list[str]]:
    text = evidence.text
    # A review may speak of outcomes that no trial on file measured.
    stated = dict.fromkeys((*text["outcomes"]["construct"], *text["claims"]["construct"]))
    constructs = [name for name in stated if name not in evidence.dictionary.missing]
    return {
        "construct": constructs,
        "constructs": constructs,
        "claim": list(text["claims"]["claim_id"]),
        "studies": list(text["studies"]["study_id"]),
        "comparator": list(dict.fromkeys(text["studies"]["comparator_class"])),
        "indication": list(text["indications"]["indication_id"]),
        "share": list(claims_dose.EFFECTIVE_DOSES),
        "reason": list(REASONS),
    }


def _misfit(
    argument: str | None, kind: str, known: dict[str, list[str]]
) -> tuple[str, list[str]] | None:
    """The part of an argument that is not allowed, and what is; None if all of it is."""
    if argument is None:
        return None if not kind or kind in OPTIONAL else ("", known[kind])
    if not kind:
        return argument, []
    first, *further = argument.split("@") if kind == "construct" else [argument]
    parts = [(part, kind) for part in (first.split("+") if kind in JOINED else [first])]
    parts += zip(further, ("comparator", "indication"), strict=False)
    return next(((part, known[what]) for part, what in parts if part not in known[what]), None)


def _meant(word: str, allowed: list[str]) -> str:
    """What was probably meant, and what is allowed; keys of long tables are not written out."""
    if not allowed:
        return "remove the colon and what follows"
    hint = did_you_mean(word, allowed, " ")
    choice = ", ".join(allowed) if len(allowed) <= LONGEST_LIST else "what the raw tables have"
    return f"{hint}Allowed: {choice}"
