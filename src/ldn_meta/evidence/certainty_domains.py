"""The five domains of GRADE: what each rule asks, what it found, and how many levels it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.certainty_body import LOW, MISSING
from ldn_meta.evidence.certainty_imprecision import imprecision_of, thresholds
from ldn_meta.evidence.synthesis import (
    CONFLICTING,
    EITHER_WAY,
    NO_DIFFERENCE,
    NOT_STATED,
    has_unknown_sign,
    interval_direction,
)

if TYPE_CHECKING:
    from ldn_meta.evidence.certainty_body import Body
    from ldn_meta.evidence.certainty_choices import CertaintyChoices

RISK_OF_BIAS = "risk_of_bias"
INCONSISTENCY = "inconsistency"
INDIRECTNESS = "indirectness"
IMPRECISION = "imprecision"
PUBLICATION_BIAS = "publication_bias"
DOMAINS = (RISK_OF_BIAS, INCONSISTENCY, INDIRECTNESS, IMPRECISION, PUBLICATION_BIAS)
# Judgements of the tools, by what they mean for the rating.
AT_LOW_RISK = ("low",)
# ROBINS-I: as sound as a study without randomisation gets; that it has none is in the start.
SOUND_WITHOUT_RANDOMISATION = ("moderate",)
AT_HIGH_RISK = ("high", "serious", "critical")
NOT_JUDGED = (*MISSING, "no information", "unclear", "")
# Below this many trials no test of small-study effects says anything (Handbook 13.3.5.4).
TESTABLE = 10
SERIOUS, VERY_SERIOUS = -1, -2


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    Attributes
    ----------
    domain : str
    rule : str
        The question, with its thresholds.
    value : str
        What was found.
    level : int
        0, -1 or -2: what the rule takes off.
    """

    domain: str
    rule: str
    value: str
    level: int


def find_all(
    body: Body, choices: CertaintyChoices, judgements: Mapping[str, str]
) -> list[Finding]:
    """Apply the five rules to a body of evidence, in the order of DOMAINS.

    Parameters
    ----------
    body : Body
        One that is rated.
    choices : CertaintyChoices
    judgements : mapping of str to str
        Overall risk of bias by study_id.

    Returns
    -------
    list of Finding
    """
    return [
        risk_of_bias(body, choices, judgements),
        inconsistency(body, choices),
        indirectness(body, choices),
        Finding(IMPRECISION, *imprecision_of(body, choices)),
        publication_bias(body),
    ]


def risk_of_bias(body: Body, choices: CertaintyChoices, judgements: Mapping[str, str]) -> Finding:
    """Share of the weight at high risk, and not at low risk."""
    least = choices["risk_of_bias.share_of_weight"]
    words = [judgements.get(study["study_id"], "TODO") for study in body.studies]
    sound = AT_LOW_RISK + (SOUND_WITHOUT_RANDOMISATION if body.start == LOW else ())
    high = _share(body, [word in AT_HIGH_RISK for word in words])
    not_low = _share(body, [word not in sound for word in words])
    level = _levels((not_low >= least, high >= least))
    said = "; ".join(
        f"{study['label']} {'not judged' if word in NOT_JUDGED else word} ({_percent(weight)})"
        for study, word, weight in zip(body.studies, words, body.weights, strict=True)
    )
    share = "weight" if body.pool is not None else "studies"
    return Finding(
        RISK_OF_BIAS,
        f"at least {_percent(least)} of the {share} not at low risk: one level; at high risk: two "
        "(a study not judged is not at low risk)",
        f"{_percent(high)} of the {share} at high risk, {_percent(not_low)} not at low: {said}",
        level,
    )


def inconsistency(body: Body, choices: CertaintyChoices) -> Finding:
    """Spread between trials; directions where there are no numbers."""
    if body.pool is None or len(body.pool.trials) == 1:
        return _direction_inconsistency(body)
    serious = choices["inconsistency.i2_serious_pct"]
    very = choices["inconsistency.i2_very_serious_pct"]
    result, trials = body.pool.result, body.pool.trials
    i2 = float(result.i2_pct)
    apart = [
        f"{a['study_label']} and {b['study_label']}"
        for a, b in combinations(trials.to_dict("records"), 2)
        if a["ci_low"] > b["ci_high"] or b["ci_low"] > a["ci_high"]
    ]
    only_predicted = [
        end
        for end in thresholds(body, choices)
        if result.pi_low <= end <= result.pi_high and not result.ci_low <= end <= result.ci_high
    ]
    level = _levels(
        (i2 >= serious or bool(apart) or bool(only_predicted), bool(apart) and i2 >= very)
    )
    predicted = (
        "no prediction interval with two trials"
        if not math.isfinite(result.pi_low)
        else "the prediction interval reaches an important effect that the interval excludes"
        if only_predicted
        else "the prediction interval reaches no further threshold"
    )
    overlap = f"intervals do not overlap: {', '.join(apart)}" if apart else "all intervals overlap"
    return Finding(
        INCONSISTENCY,
        f"I2 of {serious:g}% or more, intervals that do not overlap, or a prediction interval "
        "that reaches an important effect the interval excludes: one level; no overlap and I2 of "
        f"{very:g}% or more: two",
        f"I2 {i2:.0f}%; {overlap}; {predicted}",
        level,
    )


def _direction_inconsistency(body: Body) -> Finding:
    """Whether studies tell the same; a single trial with a number tells its point estimate."""
    rule = "studies that tell different directions: one level"
    words = set(body.told.values()) | _own_word(body)
    said = "; ".join(f"{name}: {word}" for name, word in body.told.items())
    if body.pool is not None:
        name = body.pool.trials["study_label"].iloc[0]
        others = f"; told without numbers: {said}" if said else ""
        return Finding(
            INCONSISTENCY,
            rule,
            f"one trial ({name}): nothing to compare it with{others}",
            _levels((len(words) > 1 or CONFLICTING in words,)),
        )
    if len(body.told) == 1 and CONFLICTING not in words:
        return Finding(INCONSISTENCY, rule, f"one study, nothing to compare it with: {said}", 0)
    return Finding(INCONSISTENCY, rule, said, _levels((len(words) > 1 or CONFLICTING in words,)))


def _own_word(body: Body) -> set[str]:
    """What the number of a single trial tells, in the words of those without numbers."""
    if body.pool is None:
        return set()
    result = body.pool.result
    sign = float(body.pool.trials["benefit_sign"].iloc[0])
    word = interval_direction(float(result.ci_low), float(result.ci_high), sign)
    if has_unknown_sign(body.pool) and word != EITHER_WAY:
        return set()
    return {NO_DIFFERENCE if word == EITHER_WAY else word} - {NOT_STATED}


def indirectness(body: Body, choices: CertaintyChoices) -> Finding:
    """Mismatches between the question and the studies."""
    least = choices["indirectness.share_of_weight"]
    shortest = choices["indirectness.shortest_weeks"]
    low, high = choices.doses[body.indication["intervention"]]
    asked = body.indication["main_comparator"]
    is_surrogate = (
        body.domain in choices.surrogate_domains or body.construct in choices.surrogate_constructs
    )
    mismatches = {
        f"compared with {body.comparator_class}, the question asks about {asked}": [
            body.comparator_class != asked for _ in body.studies
        ],
        f"{body.construct_label} stands for another outcome": [is_surrogate for _ in body.studies],
        f"target dose outside {low:g} to {high:g} mg a day": [
            not low <= dose <= high
            for dose in _numbers(body, "dose_high_mg_per_day", (low + high) / 2)
        ],
        f"treatment shorter than {shortest:g} weeks": [
            weeks < shortest for weeks in _numbers(body, "duration_weeks", shortest)
        ],
    }
    found = {what: _share(body, has_it) for what, has_it in mismatches.items()}
    counted = [what for what, share in found.items() if share >= least]
    said = [f"{what} ({_percent(share)})" for what, share in found.items() if share > 0]
    for column, what in (("dose_high_mg_per_day", "dose"), ("duration_weeks", "duration")):
        silent = [s["label"] for s in body.studies if not _is_number(s[column])]
        if silent:
            said.append(f"{what} not reported or not applicable: {', '.join(silent)}")
    share = "weight" if body.pool is not None else "studies"
    return Finding(
        INDIRECTNESS,
        f"comparator, outcome, dose ({low:g} to {high:g} mg a day) or duration (from {shortest:g} "
        f"weeks) amiss in at least {_percent(least)} of the {share}: one level; two of them: two",
        "; ".join(said) or "no mismatch found",
        _levels((len(counted) > 0, len(counted) > 1)),
    )


def publication_bias(body: Body) -> Finding:
    """What bears on it; nothing is computed, it is judged."""
    k = len(body.studies)
    noun = "study" if k == 1 else "studies"
    missing = ", ".join(body.registered) or "none"
    return Finding(
        PUBLICATION_BIAS,
        "judged: strongly suspected takes one level; tests of small-study effects need "
        f"{TESTABLE} trials",
        f"{k} {noun}; registered, planned or unpublished trials of the condition on file: "
        f"{missing}; targeted look-up, no systematic search",
        0,
    )


def _levels(broken: tuple[bool, ...]) -> int:
    """What is taken off when the rule of one level, or that of two, is broken."""
    return VERY_SERIOUS if broken[1:] == (True,) else SERIOUS if broken[0] else 0


def _share(body: Body, has_it: list[bool]) -> float:
    # Weights are sums of rounded numbers: half of two equal ones must count as half.
    return round(sum(w for w, has in zip(body.weights, has_it, strict=True) if has), 9)


def _numbers(body: Body, column: str, otherwise: float) -> list[float]:
    return [float(s[column]) if _is_number(s[column]) else otherwise for s in body.studies]


def _is_number(cell: Any) -> bool:
    return str(cell) not in MISSING


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
