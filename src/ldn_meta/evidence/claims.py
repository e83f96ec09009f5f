"""Every claim of claims.csv, tested by the computation that its row names."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.errors import ArgumentError, Fault
from ldn_meta.evidence import (
    claims_benefit,
    claims_body,
    claims_cohort,
    claims_comparison,
    claims_counts,
    claims_course,
    claims_dose,
    claims_harms,
    claims_pools,
    claims_responder_sum,
    claims_reviews,
    claims_sources,
)
from ldn_meta.evidence.candidates import Row
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    Finding,
    NotOnFileError,
    finding,
    numbers_text,
)
from ldn_meta.evidence.claim_material import Material
from ldn_meta.evidence.claim_print import misfit_of_p
from ldn_meta.evidence.claims_untestable import REASONS, not_testable
from ldn_meta.evidence.rules import fault_at

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol


@dataclass(frozen=True)
class Computation:
    """A way to test a claim.

    Attributes
    ----------
    run : callable
        Of the claim's row, the material and the argument, gives a Finding. What it computes and
        when it gives which verdict stand in its docstring, and from there on the page.
    argument : str
        What stands behind the colon of the name; empty where nothing does.
    """

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
    """Test every claim.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol
    effects, left_out : pandas.DataFrame
        As ``normalise`` gives them.

    Returns
    -------
    pandas.DataFrame
        One row a claim, in the order of claims.csv: COLUMNS. ``numbers`` is one cell,
        ``key=value; key=value`` (``claim_findings.numbers_of`` reads it back).
    """
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
    """Run the computation of one claim, and check what it prints against itself.

    Parameters
    ----------
    claim : Row
        Of claims.csv.
    material : Material

    Returns
    -------
    Finding
        With a remark if the printed P cannot belong to the printed interval.

    Raises
    ------
    ArgumentError
        If there is no such computation; ``load_evidence`` refuses that before.
    """
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
    """Every claim whose computation does not exist, or whose argument is not one.

    Parameters
    ----------
    evidence : Evidence
        The index of its tables is the line of the file.

    Returns
    -------
    list of Fault
    """
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
    near = difflib.get_close_matches(word, allowed, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    choice = ", ".join(allowed) if len(allowed) <= LONGEST_LIST else "what the raw tables have"
    return f"{hint}Allowed: {choice}"
