"""What is true of one review alone: what its treatment is called, and words that follow from it.

Everything else in the package holds for any treatment; tables and code say "treatment", and a
reader's page says what ``review.toml`` calls it.
"""

from __future__ import annotations

import math
import string
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta.errors import ArgumentError, LdnMetaError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Types that a choice of a TOML file may have.
Kind: TypeAlias = type | tuple[type, ...]
Choices: TypeAlias = Mapping[str, Kind]
NUMBER = (int, float)
# The same by the annotation of a field that such a choice fills.
KINDS: Mapping[str, Kind] = {
    "str": str,
    "str | None": str,
    "bool": bool,
    "int": NUMBER,
    "float": NUMBER,
    "tuple[str, ...]": list,
    "tuple[float, ...]": list,
    "dict[str, float]": dict,
}

FILE = "review.toml"
TREATMENT: dict[str, type] = {"label": str, "name": str, "short_name": str}
DOMAINS = ("benefit", "responder", "harm")
CONDUCT = "conduct"
# Sections that say something of outcomes, and what each says of one.
MAPPINGS: dict[str, type] = {
    "order": list,
    "short": str,
    "whole_items": int,
    "arm_not_named": list,
    "order_inferred": list,
    "beside": str,
}
# What a choice of the analysis plan tells of its own history; protocol.py reads it.
HISTORY = ("set_on", "known_then", "what", "bears_on", "changed", "varied_by", "otherwise")
# How tables name the treatment's side; see the column `direction` of contrasts.csv.
NEUTRAL = "treatment"


@dataclass(frozen=True)
class PublishedPool:
    """Published pooled results that page 91 sets beside our pool of the same question.

    ``benefit`` is the sign that favours the treatment; ``points`` names the scale of differences
    and ``unit`` follows a number on it.
    """

    indication: str
    construct: str
    comparator: str
    computation: str
    benefit: str
    points: str
    unit: str
    remark: str


@dataclass(frozen=True)
class AddedUp:
    """What page 91 tells of the claim rule that adds up two counts of one trial."""

    rule: str
    comparator: str
    pooled: str
    title: str
    note: str


@dataclass(frozen=True)
class Conduct:
    """How the review was made, in sentences that its pages repeat; of what no file says, not told.

    ``search_limits`` says what the search cannot find, ``readings`` what a reading is worth.
    """

    search: str = "How the trials were looked for is not told."
    search_limits: str = ""
    criteria: str = "Whether criteria were written down before the search is not told."
    checked: str = "Who checked the data is not told."
    readings: str = ""
    registration: str = "Whether the plan was registered is not told."


@dataclass(frozen=True)
class Review:
    """Names of the treatment: a label for tables and figures, a name for headings, a short one.

    The short name stands where the dose goes without saying. ``order`` is that in which a reader
    meets the outcomes of a domain; others follow by name. ``short`` holds a word for an outcome
    where a heading has no room for its label, ``whole_items`` of how many whole ratings a score
    is the mean. ``arm_not_named`` names, by outcome group, a fact and a piece of its qualifier
    that tell of it for all people of a study together; ``order_inferred``, by study, the outcomes
    whose two arms are told apart by their order alone, and ``beside`` whom a comparison outside
    the question was made in.
    """

    label: str
    name: str
    short_name: str = NEUTRAL
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    short: Mapping[str, str] = field(default_factory=dict)
    whole_items: Mapping[str, int] = field(default_factory=dict)
    arm_not_named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order_inferred: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    published_pool: PublishedPool | None = None
    added_up: AddedUp | None = None
    conduct: Conduct = Conduct()

    @property
    def title(self) -> str:
        """Title of the whole, for the pages and their start."""
        return f"{self.name[:1].upper()}{self.name[1:]}: the evidence"

    def direction(self, word: str) -> str:
        """Say what a report tells of a direction, with the treatment's label.

        "Favours" is kept for the side of an estimate; a report tells which was better.
        """
        return word.replace("favours comparator", "better with comparator").replace(
            f"favours {NEUTRAL}", f"better with {self.label}"
        )

    def of(self, intervention: str) -> Review:
        """The same names, with the treatment as a condition calls it in indications.csv."""
        return replace(self, label=intervention)

    def side(self, word: str) -> str:
        """Say the side of an estimate with the treatment's label."""
        return word.replace(f"favours {NEUTRAL}", f"favours {self.label}")


# Of evidence that was put together by hand, without a folder.
UNNAMED = Review(NEUTRAL, "the treatment")


def read_toml(
    file: Path,
    remedy: str = "restore it from git",
    *,
    error: type[LdnMetaError] = ArgumentError,
    parse_float: Callable[[str], Any] = float,
) -> dict[str, Any]:
    """What a TOML file states; refuse one that is missing or cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=parse_float)
    except FileNotFoundError:
        raise error(f"{file} is missing; {remedy}") from None
    except UnicodeDecodeError as found:
        line = found.object[: found.start].count(b"\n") + 1
        message = f"{file.name}:{line}: is not UTF-8 ({found.reason}); save the file as UTF-8"
        raise error(message) from found
    except OSError as found:
        raise error(f"{file.name}: cannot be read ({found.strerror}); {remedy}") from found
    except RecursionError:
        raise error(f"{file.name}: is nested too deeply to be read; {remedy}") from None
    # A number of too many digits is no TOML either, and no error of the reader's own.
    except ValueError as found:
        raise error(f"{file.name} is no TOML: {found}; correct it, or {remedy}") from found


def load_review(folder: Path) -> Review:
    """Read ``review.toml`` of a raw folder; refuse what is missing, unknown or of another type."""
    stated = read_toml(folder / FILE)
    parts: dict[str, type[DataclassInstance]]
    parts = {"published_pool": PublishedPool, "added_up": AddedUp}
    check_names(FILE, stated, required={"treatment": dict}, optional=(*MAPPINGS, *parts, CONDUCT))
    for name, part in stated.items():
        check_type(f"{FILE}: {name}", part, dict)
    names = section(f"{FILE}: treatment", stated["treatment"], TREATMENT)
    told: dict[str, Any] = {
        name: part(**section(f"{FILE}: {name}", stated[name], choices_of(part)))
        for name, part in parts.items()
        if name in stated
    }
    said = stated.get(CONDUCT, {})
    known = choices_of(Conduct)
    check_names(f"{FILE}: {CONDUCT}", said, required=(), optional=known)
    for name, text in said.items():
        check_type(f"{FILE}: {CONDUCT}.{name}", text, known[name])
    told["conduct"] = Conduct(**said)
    check_names(f"{FILE}: order", stated.get("order", {}), required=(), optional=DOMAINS)
    for name, kind in MAPPINGS.items():
        for key, value in stated.get(name, {}).items():
            check_type(f"{FILE}: {name}.{key}", value, kind)
        told[name] = {
            key: tuple(value) if kind is list else value
            for key, value in stated.get(name, {}).items()
        }
    return Review(**names, **told)


def check_names(
    where: str, stated: Mapping[str, Any], *, required: Iterable[str], optional: Iterable[str]
) -> None:
    """Hold that every required name is stated, and no name that is not known."""
    for name in required:
        if name not in stated:
            message = f"{where}: {name!r} is missing; restore it from git"
            raise ArgumentError(message)
    known = [*required, *optional]
    unknown = sorted(set(stated) - set(known))
    if unknown:
        message = f"{where}: unknown choice {', '.join(unknown)}; allowed: {', '.join(known)}"
        raise ArgumentError(message)


def choices_of(
    record: type[DataclassInstance], *names: str, without: Collection[str] = ()
) -> dict[str, Kind]:
    """The choices that fill the fields of a record, all or some, with the types they may have."""
    wanted = names or {field.name for field in fields(record)} - set(without)
    return {f.name: KINDS[str(f.type)] for f in fields(record) if f.name in wanted}


def section(where: str, stated: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """The choices of one section, all of them and of the right type, without the reason."""
    check_names(where, stated, required=choices, optional=("reason", "mid_reason", *HISTORY))
    for name, kind in choices.items():
        check_type(f"{where}.{name}", stated[name], kind)
    return {name: stated[name] for name in choices}


def check_type(where: str, value: Any, kind: Kind) -> None:
    """Refuse a value of another type than the choice has; to us true is not the number 1."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {
            bool: "true or false",
            str: "text",
            list: "a list",
            dict: "a table",
            int: "a whole number",
        }
        allowed = words[kind] if isinstance(kind, type) else "a number"
        raise not_allowed(where, value, allowed)


def not_allowed(where: str, value: Any, allowed: str) -> ArgumentError:
    """Say where a value stands that is not allowed, and what is."""
    shown = f"{value:g}" if isinstance(value, float) else repr(value)
    return ArgumentError(f"{where}: {shown} is not allowed; allowed: {allowed}")


# -- sentences that are data: what a computation found, said by a file of the raw folder --------

# Read with the tables; one that is not there states nothing.
CLAIM_RULES = "claim_rules.toml"
FILES = (CLAIM_RULES, "grade.toml")
Wording: TypeAlias = Mapping[str, Mapping[str, Any]]
SMALL_P = 0.001
# Ways to write a number that are this project's, beside those of Python.
CODES = ("", "pct", "p", "n", "word")
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def load_wording(folder: Path) -> Wording:
    """What each of the files states, by name of the file."""
    return {name: read_toml(folder / name) for name in FILES if (folder / name).is_file()}


def section_of(
    where: str, stated: Mapping[str, Any], name: str, keys: Iterable[str] | None
) -> dict[str, Any]:
    """A table inside another, with exactly these keys; with any if none are given."""
    found = stated.get(name, {})
    check_type(f"{where}.{name}", found, dict)
    if keys is not None:
        check_names(f"{where}.{name}", found, required=dict.fromkeys(keys), optional=())
    return dict(found)


def sentences_of(
    where: str,
    stated: Mapping[str, Any],
    name: str,
    keys: Iterable[str] | None,
    fields: Collection[str],
) -> dict[str, str]:
    """A table of templates, none of which holds a field that nothing fills in."""
    found = section_of(where, stated, name, keys)
    for key, template in found.items():
        check_template(f"{where}.{name}.{key}", template, fields)
    return found


def check_template(where: str, template: object, fields: Collection[str]) -> None:
    """Refuse a template that is no text, or holds a field that nothing fills in."""
    check_type(where, template, str)
    try:
        parts = [part for part in string.Formatter().parse(str(template)) if part[1] is not None]
        for _, _, code, _ in parts:
            if code not in CODES:
                _formatted(1.0, str(code))
    except ValueError as error:
        message = f"{where}: {error}; write {{name}} for a value"
        raise ArgumentError(message) from error
    for name in sorted({str(name) for _, name, _, _ in parts} - set(fields)):
        allowed = ", ".join(sorted(fields))
        hint = did_you_mean(name, fields, " ")
        message = f"{where}: {{{name}}} is filled in by nothing; {hint}Allowed: {allowed}"
        raise ArgumentError(message)


def _formatted(number: float, code: str) -> str:
    """Write a number by a code of Python; "z": what rounds to nought has no sign."""
    try:
        return format(number, f"z{code}")
    except ValueError as error:
        message = f":{code} writes no number; known are :.2f and {', :'.join(CODES)[2:]}"
        raise ValueError(message) from error


def percent(share: float) -> str:
    """Write a share as per cent without decimals."""
    # Half a per cent goes up, as readers round: the digits left of a product are no reason for
    # the lower number, and Python's format would go to the even one.
    if not math.isfinite(share):
        return "not defined"
    return f"{math.floor(round(100 * share, 9) + 0.5)}%"


class _Writer(string.Formatter):
    """str.format with the ways in which a reader meets numbers."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):
            return value
        number = float(value)
        if math.isnan(number):
            return "not known"
        if math.isinf(number):
            return "infinity" if number > 0 else "minus infinity"
        match format_spec:
            case "pct":
                return percent(number)
            case "p":
                return "P < 0.001" if number < SMALL_P else f"P = {number:.3f}"
            case "n":
                return f"{number:,.0f}"
            case "word":
                whole = int(number)
                return COUNTS[whole] if 0 <= whole < len(COUNTS) else f"{whole:,}"
            case "":
                return f"{number:g}"
            case _:
                return _formatted(number, format_spec)


def write(template: str, **values: float | str) -> str:
    """Fill a template in."""
    return _Writer().format(template, **values)


def listed(words: Iterable[str], joint: str = "and") -> str:
    """Join words as a sentence does: ``a, b and c``; "none" for no word."""
    parts = list(words)
    if len(parts) < 2:
        return parts[0] if parts else "none"
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


# What claim_rules.toml states: for each rule its computation, its verdicts and its sentences. A
# computation (audit) knows numbers and no words; its form says which outcomes it can have, which
# sentences it asks for and what they may hold. What does not fit the form is refused.
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
IN_EVERY_SENTENCE = frozenset({"treatment", "drug"})
TEXTS = ("computes", "question", "told")
# Kinds of parameters, with what TOML makes of them.
PARAMETERS: dict[str, type | tuple[type, ...]] = {
    "numbers": (int, float),
    "words": str,
    "lists": list,
    "tables": dict,
}
# What is said of any claim, with what each sentence may hold.
REMARKS = {
    "not_on_file": frozenset({"what"}),
    "missing": frozenset({"missing", "likely_in"}),
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
    check_names(CLAIM_RULES, stated, required=parts, optional=())
    legend = section_of(CLAIM_RULES, stated, "legend", BY_WORD)
    for word, meaning in legend.items():
        check_template(f"{CLAIM_RULES}: legend.{word}", meaning, frozenset())
    remarks = section_of(CLAIM_RULES, stated, "remarks", REMARKS)
    for name, values in REMARKS.items():
        check_template(f"{CLAIM_RULES}: remarks.{name}", remarks[name], values)
    rules = section_of(CLAIM_RULES, stated, "rules", None)
    return ClaimRules(
        {name: _rule(name, of_rule, forms, review) for name, of_rule in rules.items()},
        remarks,
        {BY_WORD[word]: meaning for word, meaning in legend.items()},
    )


def _rule(name: str, stated: Any, forms: Mapping[str, Form], review: Review) -> Rule:
    where = f"{CLAIM_RULES}: rules.{name}"
    check_type(where, stated, dict)
    check_names(
        where,
        stated,
        required=dict.fromkeys((*TEXTS, "verdicts", "sentences")),
        optional=("parameters", "filed"),
    )
    for key in TEXTS:
        check_template(f"{where}.{key}", stated[key], IN_EVERY_SENTENCE)
    computes = stated["computes"]
    if computes not in forms:
        hint = did_you_mean(computes, forms, " ")
        allowed = ", ".join(sorted(forms))
        message = f"{where}.computes: {computes!r} is no computation; {hint}Allowed: {allowed}"
        raise ArgumentError(message)
    form = forms[computes]
    verdicts = section_of(where, stated, "verdicts", form.outcomes)
    for outcome, word in verdicts.items():
        if str(word) not in BY_WORD:
            hint, allowed = did_you_mean(word, BY_WORD, " "), ", ".join(BY_WORD)
            where = f"{where}.verdicts.{outcome}"
            message = f"{where}: {word!r} is no verdict; {hint}Allowed: {allowed}"
            raise ArgumentError(message)
    filed = section_of(where, stated, "filed", None)
    # Also of every value that begins with the name: "lower" of "lower_low" and "lower_high".
    starts = {s for name in form.fields for s in accumulate(name.split("_"), "{}_{}".format)}
    check_names(f"{where}.filed", filed, required={}, optional=tuple(sorted(starts)))
    given = section_of(where, stated, "parameters", form.parameters)
    of_kind: dict[str, dict[str, Any]] = {kind: {} for kind in PARAMETERS}
    for key, kind in form.parameters.items():
        check_type(f"{where}.parameters.{key}", given[key], PARAMETERS[kind])
        of_kind[kind][key] = tuple(given[key]) if kind == "lists" else given[key]
    names = {"treatment": review.label, "drug": review.name}
    return Rule(
        computes=computes,
        question=write(stated["question"], **names),
        told=write(stated["told"], **names),
        verdicts={outcome: BY_WORD[word] for outcome, word in verdicts.items()},
        sentences=sentences_of(
            where, stated, "sentences", form.sentences, form.fields | IN_EVERY_SENTENCE
        ),
        filed=filed,
        numbers=of_kind["numbers"],
        words=of_kind["words"],
        lists=of_kind["lists"],
        tables=of_kind["tables"],
    )
