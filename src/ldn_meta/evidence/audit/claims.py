"""Every claim of claims.csv, tested by the computation that its row names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError, Fault, did_you_mean

# They file their computations.
from ldn_meta.evidence.audit import claims_reviews, claims_trials  # noqa: F401
from ldn_meta.evidence.audit.claim_material import (
    COMPUTATIONS,
    Case,
    Finding,
    Material,
    NotOnFileError,
    numbers_text,
    printed_numbers,
)
from ldn_meta.evidence.audit.claims_reviews import MEASURED, SAID_OF_STUDIES
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Row, number
from ldn_meta.evidence.raw.faults import fault_at
from ldn_meta.evidence.raw.review import (
    CANNOT_BE_TESTED,
    CLAIM_RULES,
    ClaimRules,
    listed,
    read_rules,
    write,
)
from ldn_meta.stats.arrays import two_sided_quantile
from ldn_meta.stats.convert import p_from_se

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.answer import Answers
    from ldn_meta.evidence.raw.review import Rule
    from ldn_meta.evidence.raw.tables import Evidence


FORMS = {name: computation.form for name, computation in COMPUTATIONS.items()}
# Degrees of freedom of pools with 2, 3, ... studies; above these t is as good as normal.
MOST_DF = 30


def misfit_of_p(claim: Row) -> dict[str, float] | None:
    """The P that follows from a printed interval; None if the printed one is among them.

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
    return {
        "p_printed": p,
        "p_low": float(smallest.min()),
        "p_high": float(largest.max()),
        "p_of_k": p_of_k,
        "k_printed": number(k),
    }


ENDS = ("", "_low", "_high")
# A fault lists as many allowed names; computations always fit.
LONGEST_LIST = 40
# Arguments in words; those that may be left out; those that may be several, joined by +.
ARGUMENTS = {
    "construct": "a construct, or construct@comparator class@indication_id,",
    "constructs": "constructs joined by +",
    "claim": "a claim_id",
    "studies": "study_ids joined by +",
    "indication": "an indication_id",
    "share": "an effective dose",
    "parts": "columns, constructs and facts of a study joined by +",
    "source": "a source_id",
    "reading": "what a claim says of the comparisons on file",
    "reason": "a reason",
}
OPTIONAL = ("constructs", "indication")
JOINED = ("constructs", "studies", "parts")
# What the parameters of a rule name on file, by name.
NAMED_BY_RULES = {
    **dict.fromkeys(("comparator", "inactive"), "comparator"),
    **dict.fromkeys(("study_id",), "studies"),
    **dict.fromkeys(("indication",), "indication"),
    **dict.fromkeys(
        ("construct", "subgroups", "own_rule", "lower", "higher", "any", "serious", "stopped"),
        "construct",
    ),
}
# What would test a claim that no computation can test, and where it most likely stands.
WANTED = ("missing", "likely_in")
COLUMNS = (
    "claim_id",
    "claimed_in",
    "read_in",
    "indication_id",
    "study_id",
    "claim",
    "printed",
    "computation",
    "verdict",
    "verdict_then",
    "then_and_now",
    "sentence",
    "numbers",
)


def rules_of(evidence: Evidence) -> ClaimRules:
    """The rules that the raw folder states for claims."""
    return read_rules(evidence.wording.get(CLAIM_RULES, {}), FORMS, evidence.review)


def claims_table(answers: Answers) -> pd.DataFrame:
    """Test every claim on all trials on file, and on those there were when it was written."""
    import pandas as pd

    now = Material(answers)
    pooled = answers.protocol.changed(tau2_method="common", ci_method="wald")
    common = Material(replace(answers, protocol=pooled))
    rules = rules_of(answers.evidence)
    known: dict[float, Material] = {}
    rows = []
    for claim in now.claims.values():
        found = answered(claim, now, rules)
        before = None
        year = number(now.sources[claim["claimed_in"]]["year"])
        if found.trials and year < max(now.years[name] for name in found.trials):
            if year not in known:
                known[year] = Material(known_by(answers, year), now)
            before = answered(claim, known[year], rules)
        numbers, story = then_and_now(found, before, year, rules.remarks)
        if before is not None and before.trials and before.verdict != found.verdict:
            # Only the prior: read by a common effect all trials would have given the same verdict.
            alike = answered(claim, common, rules)
            if alike.verdict == before.verdict:
                prior = {f"common{end}": alike.numbers[f"now{end}"] for end in ENDS}
                numbers |= prior
                story = " ".join((str(story), write(rules.remarks["prior"], **prior)))
        rows.append(
            {
                **{name: claim[name] for name in COLUMNS if name in claim},
                "printed": claim["as_reported"],
                "verdict": found.verdict,
                "verdict_then": None if before is None else before.verdict,
                "then_and_now": story,
                "sentence": found.sentence,
                "numbers": numbers_text({**found.numbers, **numbers}),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def known_by(answers: Answers, year: float) -> Answers:
    """The same questions asked of what had been published by the end of a year."""
    evidence = answers.evidence
    studies = evidence.tables["studies"]
    later = set(studies.loc[studies["year"] > year, "study_id"])

    def kept(frame: pd.DataFrame) -> pd.DataFrame:
        # A claim stays: it is what is judged.
        is_of_trials = "study_id" in frame and "claim_id" not in frame
        return frame[~frame["study_id"].isin(later)] if is_of_trials else frame

    return replace(
        answers,
        evidence=evidence.each(kept),
        effects=kept(answers.effects),
        left_out=kept(answers.left_out),
    )


def then_and_now(
    found: Finding, before: Finding | None, year: float, remarks: Mapping[str, str]
) -> tuple[dict[str, float], str | None]:
    """What was known when a claim was written beside what is known now, in numbers and words."""
    if before is None:
        return {}, None
    if not before.trials:
        return {}, write(remarks["nothing_then"], year=f"{year:.0f}")
    numbers = {
        name.replace("now", "then"): value
        for name, value in before.numbers.items()
        if name.startswith("now")
    }
    parts = []
    if "then" in numbers:
        noun = remarks["trial" if numbers["then_k"] == 1 else "trials"]
        parts.append(write(remarks["then"], year=f"{year:.0f}", noun=noun, **numbers))
    newer = listed(name for name in found.trials if name not in before.trials)
    is_same = before.verdict == found.verdict
    parts.append(write(remarks["held" if is_same else "changed"], verdict=before.verdict))
    moved: dict[tuple[bool | None, bool | None], str]
    moved = {(True, False): "overtaken", (False, True): "borne_out"}
    if (before.agrees, found.agrees) in moved:
        parts.append(write(remarks[moved[before.agrees, found.agrees]], newer=newer))
    return numbers, " ".join(parts) or None


def answered(claim: Row, material: Material, stated: ClaimRules) -> Finding:
    """Run the computation of one claim, and check what it prints against itself."""
    name, _, argument = str(claim["computation"]).partition(":")
    rules, remarks = stated.rules, stated.remarks
    if name not in rules:
        message = f"computation: {name!r} is not allowed; allowed: {', '.join(rules)}"
        raise ArgumentError(message)
    rule = rules[name]
    if claim["corrected_in"] is not None:
        where = str(material.sources[claim["corrected_in"]]["title"])
        return Finding(CANNOT_BE_TESTED, write(remarks["corrected"], where=where), {})
    try:
        found = COMPUTATIONS[rule.computes].run(Case(claim, material, rules, rule, argument))
    except NotOnFileError as missing:
        sentence = write(remarks["not_on_file"], what=str(missing))
        found = Finding(CANNOT_BE_TESTED, sentence, {})
    if claim["missing"] is not None:
        told = write(remarks["missing"], **{name: str(claim[name]) for name in WANTED})
        wanted = {
            f"wanted_{n}": float(text)
            for n, text in enumerate(printed_numbers(claim["missing"]), 1)
        }
        sentence = f"{found.sentence} {told}"
        found = replace(found, sentence=sentence, numbers={**found.numbers, **wanted})
    misfit = misfit_of_p(claim)
    if misfit is None:
        return found
    has_k = not math.isnan(misfit["p_of_k"])
    with_k = write(remarks["misfit_with_k"], **misfit) if has_k else ""
    remark = write(remarks["misfit"], with_k=with_k, **misfit)
    numbers = {**found.numbers, **misfit}
    return replace(found, sentence=f"{found.sentence} {remark}", numbers=numbers)


def computation_faults(evidence: Evidence) -> list[Fault]:
    """Every claim whose computation does not exist, or whose argument is not one."""
    claims = evidence.text["claims"]
    rules = rules_of(evidence).rules
    on_file = _on_file(evidence)
    used = {str(cell).partition(":")[0] for cell in claims["computation"]}
    faults = [
        Fault(CLAIM_RULES, 0, f"{name}.{key}", word, f"is no {kind} on file", remedy)
        for name in sorted(used & set(rules))
        for key, stated in {**rules[name].words, **rules[name].lists}.items()
        for kind in [NAMED_BY_RULES.get(key, "")]
        for word in ([stated] if isinstance(stated, str) else stated)
        if kind and word not in on_file[kind]
        for remedy in [_meant(word, on_file[kind])]
    ]
    for line, cell in zip(claims.index, claims["computation"], strict=True):
        if cell in evidence.dictionary.missing:
            continue
        name, colon, argument = str(cell).partition(":")
        if name not in rules:
            rule, remedy = f"no computation {name!r}", _meant(name, list(rules))
        else:
            form = FORMS[rules[name].computes]
            known = on_file | _of_rule(rules[name])
            found = _misfit(argument if colon else None, form.argument, known)
            if found is None:
                faults += _wanted(evidence, line, is_asked=form.argument == "reason")
                continue
            takes = (
                f"{ARGUMENTS[form.argument]} behind a colon" if form.argument else "no argument"
            )
            rule, remedy = f"{name} takes {takes}", _meant(*found)
        faults.append(fault_at(evidence, "claims", line, "computation", rule, remedy))
    return faults


def _wanted(evidence: Evidence, line: Any, *, is_asked: bool) -> Iterator[Fault]:
    """Whether a claim without a test says what would test it, and one with a test does not."""
    for column in WANTED:
        cell = evidence.text["claims"].loc[line, column]
        if (cell in evidence.dictionary.missing) == is_asked:
            rule = "only a claim that no computation can test says what is missing, and where"
            remedy = "name it" if is_asked else "type NA, for a computation tests the claim"
            yield fault_at(evidence, "claims", line, column, rule, remedy)


def _on_file(evidence: Evidence) -> dict[str, list[str]]:
    """What an argument of each kind may name, but for what its rule states."""
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
        "parts": [
            *(
                f"{field['name']}={cell}"
                for field in evidence.dictionary.tables["studies"].fields
                if field["name"] in SAID_OF_STUDIES
                for cell in _words_of(field) or text["studies"][field["name"]].unique()
            ),
            *(f"{MEASURED}{name}" for name in constructs),
            *(
                f"{row.fact}@{row.qualifier}".removesuffix("@NA")
                for row in text["study_facts"].itertuples()
            ),
        ],
        "source": list(text["sources"]["source_id"]),
        "reading": list(claims_reviews.READINGS),
    }


def _words_of(field: Mapping[str, Any]) -> list[str]:
    """The words the data dictionary knows for a column, on file or not; none for free text."""
    truths = [*field.get("trueValues", ()), *field.get("falseValues", ())]
    return truths or list(field.get("constraints", {}).get("enum", ()))


def _of_rule(rule: Rule) -> dict[str, list[str]]:
    return {"share": list(rule.tables.get("shares", {})), "reason": list(rule.sentences)}


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
