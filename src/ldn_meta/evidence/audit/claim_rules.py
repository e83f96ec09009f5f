"""What claim_rules.toml states: for each rule its computation, its verdicts and its sentences.

A computation (``claims_reviews``, ``claims_trials``) knows numbers and no words. Its form says
which outcomes it can have, which sentences it asks for and which values they may hold; a rule
fills the form in. What does not fit the form is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ldn_meta.errors import ArgumentError, did_you_mean
from ldn_meta.evidence.raw.review import (
    Review,
    check_names,
    check_template,
    check_type,
    section_of,
    sentences_of,
    write,
)

FILE = "claim_rules.toml"
SUPPORTED = "supported"
WITH_CAVEATS = "supported with caveats"
COMPATIBLE = "compatible, cannot confirm"
CONTRADICTED = "contradicted"
CANNOT_BE_TESTED = "cannot be tested with published data"
# In the order in which pages count them; what each means is in the legend of the file.
VERDICTS = (SUPPORTED, WITH_CAVEATS, COMPATIBLE, CONTRADICTED, CANNOT_BE_TESTED)
# As rules say them.
BY_WORD = {verdict.removesuffix(" with published data"): verdict for verdict in VERDICTS}
# Every sentence may name the treatment, as review.toml does.
NAMES = frozenset({"treatment", "drug"})
TEXTS = ("computes", "question", "told")
# Kinds of parameters, with what TOML makes of them.
KINDS: dict[str, type | tuple[type, ...]] = {
    "numbers": (int, float),
    "words": str,
    "lists": list,
    "tables": dict,
}
# What is said of any claim, with what each sentence may hold.
REMARKS = {
    "not_on_file": frozenset({"what"}),
    "misfit": frozenset({"p_printed", "p_low", "p_high", "with_k"}),
    "misfit_with_k": frozenset({"p_of_k", "k_printed"}),
    "corrected": frozenset({"where"}),
    "then": frozenset({"year", "then", "then_low", "then_high", "then_k", "noun"}),
    "trial": frozenset(),
    "trials": frozenset(),
    "nothing_then": frozenset({"year"}),
    "held": frozenset(),
    "changed": frozenset({"verdict"}),
    "prior": frozenset({"common", "common_low", "common_high"}),
    "overtaken": frozenset({"newer"}),
    "borne_out": frozenset({"newer"}),
}


@dataclass(frozen=True)
class Form:
    """What a computation asks of a rule, and the values it gives to the rule's sentences."""

    outcomes: tuple[str, ...]
    # None: the rule names its sentences itself, and the argument of a claim picks one.
    sentences: tuple[str, ...] | None
    fields: frozenset[str]
    parameters: Mapping[str, str]
    argument: str


@dataclass(frozen=True)
class Rule:
    """One rule: what is computed, what readers are told of it, and how findings are worded."""

    computes: str
    question: str
    told: str
    verdicts: Mapping[str, str]
    sentences: Mapping[str, str]
    # Other names under which numbers are filed.
    filed: Mapping[str, str]
    numbers: Mapping[str, float]
    words: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class ClaimRules:
    """Every rule by name, and what is said of any claim."""

    rules: Mapping[str, Rule]
    remarks: Mapping[str, str]
    # What each verdict means, by its word.
    legend: Mapping[str, str]


def read_rules(stated: Mapping[str, Any], forms: Mapping[str, Form], review: Review) -> ClaimRules:
    """Hold what the file states to the forms of the computations."""
    if not stated:
        return ClaimRules({}, {}, {})
    parts = {"legend": dict, "remarks": dict, "rules": dict}
    check_names(FILE, stated, required=parts, optional=())
    legend = section_of(FILE, stated, "legend", BY_WORD)
    for word, meaning in legend.items():
        check_template(f"{FILE}: legend.{word}", meaning, frozenset())
    remarks = section_of(FILE, stated, "remarks", REMARKS)
    for name, fields in REMARKS.items():
        check_template(f"{FILE}: remarks.{name}", remarks[name], fields)
    rules = section_of(FILE, stated, "rules", None)
    return ClaimRules(
        {name: _rule(name, of_rule, forms, review) for name, of_rule in rules.items()},
        remarks,
        {BY_WORD[word]: meaning for word, meaning in legend.items()},
    )


def _rule(name: str, stated: Any, forms: Mapping[str, Form], review: Review) -> Rule:
    where = f"{FILE}: rules.{name}"
    check_type(where, stated, dict)
    check_names(
        where,
        stated,
        required=dict.fromkeys((*TEXTS, "verdicts", "sentences")),
        optional=("parameters", "filed"),
    )
    for key in TEXTS:
        check_template(f"{where}.{key}", stated[key], NAMES)
    computes = stated["computes"]
    if computes not in forms:
        hint = did_you_mean(computes, forms, " ")
        allowed = ", ".join(sorted(forms))
        message = f"{where}.computes: {computes!r} is no computation; {hint}Allowed: {allowed}"
        raise ArgumentError(message)
    form = forms[computes]
    verdicts = section_of(where, stated, "verdicts", form.outcomes)
    for outcome, word in verdicts.items():
        if word not in BY_WORD:
            hint, allowed = did_you_mean(word, BY_WORD, " "), ", ".join(BY_WORD)
            where = f"{where}.verdicts.{outcome}"
            message = f"{where}: {word!r} is no verdict; {hint}Allowed: {allowed}"
            raise ArgumentError(message)
    filed = section_of(where, stated, "filed", None)
    # Also of every value that begins with the name: "lower" of "lower_low" and "lower_high".
    starts = {s for name in form.fields for s in accumulate(name.split("_"), "{}_{}".format)}
    check_names(f"{where}.filed", filed, required={}, optional=tuple(sorted(starts)))
    given = section_of(where, stated, "parameters", form.parameters)
    of_kind: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for key, kind in form.parameters.items():
        check_type(f"{where}.parameters.{key}", given[key], KINDS[kind])
        of_kind[kind][key] = tuple(given[key]) if kind == "lists" else given[key]
    names = {"treatment": review.label, "drug": review.name}
    return Rule(
        computes=computes,
        question=write(stated["question"], **names),
        told=write(stated["told"], **names),
        verdicts={outcome: BY_WORD[word] for outcome, word in verdicts.items()},
        sentences=sentences_of(where, stated, "sentences", form.sentences, form.fields | NAMES),
        filed=filed,
        numbers=of_kind["numbers"],
        words=of_kind["words"],
        lists=of_kind["lists"],
        tables=of_kind["tables"],
    )
