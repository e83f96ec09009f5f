"""The choices of an analysis in one set of words: which effects enter, and how they are pooled.

The plan (``protocol.toml``), the command line (``-p``) and Python state a choice in the same
words; each is read and checked here, before anything is computed with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as of_record
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ldn_meta.errors import ArgumentError, did_you_mean
from ldn_meta.evidence.raw.review import NUMBER, check_type, choices_of
from ldn_meta.stats.arrays import BOOTSTRAP, CI_METHODS, IN_SDS, PI_METHODS, TAU2_METHODS

if TYPE_CHECKING:
    from ldn_meta.evidence.raw.tables import Dictionary


# Units that are the same for every outcome; any other unit goes by its own name.
LOG, STANDARDISED = "log", "standardised"
_FAMILY_OF_MEASURE = {
    **dict.fromkeys(("RR", "OR", "PETO", "IRR", "ROM"), LOG),
    **dict.fromkeys(IN_SDS, STANDARDISED),
}
MAIN = "main"
TWO_TRIALS = 2
# What two trials may be read by, beside the intervals of `pool`; one is read by its own.
BAYESIAN, ONE_TRIAL = "bayesian", "wald"
# Kinds of difference, as contrasts.csv names them, in the order in which they follow one chosen.
ESTIMANDS = ("change from baseline", "adjusted", "end level", "events", "not stated")
# Overall judgements of any tool as steps of one ladder. What could not be read is no known
# concern, and no low risk either.
UNREAD = "not readable here"
BIAS_STEPS = ("low", UNREAD, "some concerns", "high")
BIAS_STEP = {
    **{"low": 0, "yes": 0, UNREAD: 1, "some concerns": 2, "moderate": 2},
    **{"unclear": 2, "high": 3, "serious": 3, "critical": 3, "no information": 3, "no": 3},
}
DIFFERENCES_AS, RATIOS_AS = ("MD", "SMD", "ROM"), ("RR", "OR", "RD")


@dataclass(frozen=True)
class BayesChoices:
    """Priors of tau, the standard deviation of true effects between trials."""

    tau_prior: str
    scale: dict[str, float] = of_record(hash=False)
    sensitivity_families: tuple[str, ...]
    sensitivity_factors: tuple[float, ...]
    # One scale for every unit, where somebody chose it for a run.
    scale_of_all: float | None = None

    def scale_for(self, measure: str, unit: str) -> float | None:
        """Scale of the prior for effects of a measure in a unit; None if none is stated."""
        if self.scale_of_all is not None:
            return self.scale_of_all
        return self.scale.get(_FAMILY_OF_MEASURE.get(measure, unit))


@dataclass(frozen=True)
class Selection:
    """Which of a trial's candidate effects may enter a pool, in which order.

    The plan states all up to the times; the limits below them are nothing until somebody asks.
    """

    analysis_sets: tuple[str, ...]
    read_from: tuple[str, ...]
    # Kinds of difference, first choice first; none: each trial's as its paper states it.
    estimands: tuple[str, ...]
    allow_transcribed: bool
    allow_approximate: bool
    allow_non_randomised: bool
    allow_single_blind: bool
    target_weeks: float
    earliest_weeks: float
    latest_weeks: float
    trials: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    designs: tuple[str, ...] = ()
    blinding: tuple[str, ...] = ()
    risk_of_bias: str = ""
    estimand: tuple[str, ...] = ()
    population: tuple[str, ...] = ()
    dose_mg: tuple[float, ...] = ()

    @property
    def limits(self) -> tuple[Any, ...]:
        """What was asked beyond the plan's own rules; equal for selections that ask the same."""
        return tuple(getattr(self, name) for name in LIMITS)


TIMES = ("target_weeks", "earliest_weeks", "latest_weeks")
LIMITS = (
    *("trials", "without", "designs", "blinding", "risk_of_bias", "estimand", "population"),
    "dose_mg",
)


@dataclass(frozen=True)
class Model:
    """How a pool is computed; ``ci_method`` None leaves it to the number of trials."""

    tau2_method: str
    ci_method: str | None
    ci_method_two_trials: str
    ci_method_without_prior: str
    ci_method_more_trials: str
    pi_method: str
    level: float
    # Priors for a pool of two; a choice of its own section, so no choice of [pooling].
    bayes: BayesChoices | None = None

    def interval(self, k: int) -> str:
        """Interval method of `pool` for k trials; of one alone it is only a name."""
        if self.ci_method is not None:
            return self.ci_method
        if self.tau2_method == "common":
            # No spread between trials is allowed for, so none can widen the interval.
            return "wald"
        if k != TWO_TRIALS:
            return ONE_TRIAL if k < TWO_TRIALS else self.ci_method_more_trials
        two = self.ci_method_two_trials
        return self.ci_method_without_prior if two == BAYESIAN else two

    def is_read_with_prior(self, k: int) -> bool:
        """Whether a pool of k trials is read with a prior for the spread between them."""
        is_open = self.ci_method is None and self.tau2_method != "common"
        return is_open and k == TWO_TRIALS and self.ci_method_two_trials == BAYESIAN


# Choices that change effects themselves, before any is selected.
DATA_CHOICES = ("within_person", "largest_se_error", "measure", "construct")
Changes: TypeAlias = tuple[tuple[str, Any], ...]


class Variant(NamedTuple):
    """The main choices, or a named departure from them.

    ``data`` are the changes of effects themselves, ``changes`` everything as it was stated.
    """

    name: str
    selection: Selection
    model: Model
    data: Changes = ()
    changes: Changes = ()


# Words a choice may be given as, each with the word it stands for.
Known: TypeAlias = Mapping[str, Mapping[str, str]]
WORD, WORDS, A_NUMBER, RANGE, FLAG = "a word", "words", "a number", "two numbers", "true or false"
BY_PLAN = "protocol"


class Choice(NamedTuple):
    """What somebody may choose: in words, of what kind, which values."""

    what: str
    kind: str
    allowed: tuple[str, ...] = ()
    # Table and column whose words are allowed; trials are those on file.
    column: tuple[str, str] = ("", "")
    # Ends of a number; the upper one does not belong to it.
    ends: tuple[float, float] = (0.0, math.inf)
    example: str = ""

    @property
    def line(self) -> str:
        """What it decides and which values it takes, in one line."""
        if self.kind == FLAG:
            return f"{self.what}: true or false"
        if self.allowed:
            return f"{self.what}: {', '.join(self.allowed)}"
        return f"{self.what}, such as {self.example}" if self.example else self.what


_STUDY = ("studies", "study_id")
CHOICES: dict[str, Choice] = {
    "construct": Choice(
        "outcome of outcomes.csv; several are pooled as one, standardised",
        WORDS,
        column=("outcomes", "construct"),
    ),
    "measure": Choice(
        "differences and ratios told as", WORDS, (*DIFFERENCES_AS, *RATIOS_AS), example="SMD"
    ),
    "trials": Choice("only these trials", WORDS, column=_STUDY, example="a label or study_id"),
    "without": Choice("without these trials", WORDS, column=_STUDY, example="a label or study_id"),
    "designs": Choice(
        "only these designs", WORDS, column=("studies", "design"), example="parallel"
    ),
    "blinding": Choice(
        "only trials blinded so", WORDS, column=("studies", "blinding"), example="double-blind"
    ),
    "risk_of_bias": Choice("overall, at most", WORD, BIAS_STEPS),
    "estimand": Choice("only", WORDS, ESTIMANDS, example="change"),
    "population": Choice(
        "only people analysed so",
        WORDS,
        column=("contrasts", "analysis_set"),
        example="intention to treat",
    ),
    "dose_mg": Choice("only trials with daily doses in mg from and to", RANGE, example="3,6"),
    "timepoint_weeks": Choice("weeks; the result nearest to it is taken", A_NUMBER, example="26"),
    "window_weeks": Choice("weeks from and to which a result may be taken", RANGE, example="2,60"),
    "correlation": Choice("correlation within people", A_NUMBER, ends=(0.0, 1.0), example="0.3"),
    "tau2_method": Choice("between-trial variance", WORD, TAU2_METHODS),
    "ci_method": Choice("interval", WORD, CI_METHODS),
    "pi_method": Choice("prediction interval", WORD, (*PI_METHODS, BOOTSTRAP)),
    "level": Choice("level of intervals", A_NUMBER, ends=(0.5, 1.0), example="0.9"),
    "prior_scale": Choice("scale of the prior for the spread", A_NUMBER, example="0.5"),
    "allow_transcribed": Choice("values that third parties copied from papers", FLAG),
    "allow_approximate": Choice("effects that rest on an approximation", FLAG),
    "allow_non_randomised": Choice("comparisons without randomisation", FLAG),
    "allow_single_blind": Choice("comparisons that were not double-blind", FLAG),
}
# What a trial may be told apart by, and what an effect may follow.
SUBGROUPS = ("dose", "design", "risk_of_bias", "comparator", "funding", "estimand")
COVARIATES = ("dose", "year", "duration", "baseline", "week")
# Choices that change no number of the answer: what is told beside it.
PAGE_SECTIONS: dict[str, Choice] = {
    "subgroup_by": Choice("by", WORD, SUBGROUPS),
    "regress_on": Choice("on", WORD, COVARIATES),
}
# What else people call a value: other programs' words, and short ones.
SYNONYMS: Known = {
    "tau2_method": {
        **dict.fromkeys(("fe", "ee", "ce", "fixed", "fixed effect", "equal"), "common"),
        **{"dersimonian-laird": "dl", "paule-mandel": "pm", "hedges": "he"},
    },
    "ci_method": {
        **dict.fromkeys(("z", "normal"), "wald"),
        **dict.fromkeys(("knha", "hksj", "hk", "kh"), "knapp-hartung"),
        **dict.fromkeys(("adhoc", "hk-adhoc", "mkh"), "knapp-hartung-floored"),
    },
    "designs": {"cross-over": "crossover", "parallel-group": "parallel"},
    "blinding": {"double": "double-blind", "single": "single-blind", "open-label": "open"},
    "risk_of_bias": {"some": "some concerns", "moderate": "some concerns"},
    "estimand": {
        **dict.fromkeys(("change", "change score", "change scores"), "change from baseline"),
        **dict.fromkeys(("end", "final", "post", "end value"), "end level"),
        **{"ancova": "adjusted", "not-stated": "not stated"},
    },
    "population": {"itt": "intention to treat", "pp": "per protocol", "cc": "complete case"},
    "measure": {"hedges": "SMD", "g": "SMD", "logrr": "RR", "logor": "OR"},
}
# A choice by the names that the plan has for its parts.
FIELDS = {
    "timepoint_weeks": ("target_weeks",),
    "window_weeks": ("earliest_weeks", "latest_weeks"),
}
_IN_PLAN = {"correlation": "within_person"}
# A list of more words than this helps nobody who was told what was probably meant.
MOST_LISTED = 30
_SEPARATORS = re.compile(r"\s*(?:,|;|:|\.\.|\bto\b)\s*")


def plain_word(word: str) -> str:
    """A word without what people spell differently: capitals, spaces, underscores."""
    return " ".join(word.replace("_", " ").casefold().split())


def known_words(dictionary: Dictionary, studies: Iterable[Mapping[str, str]]) -> Known:
    """The words of choices that the tables on file give: their columns, and their trials."""
    found: dict[str, Mapping[str, str]] = {}
    named: dict[str, str] = {}
    for row in studies:
        named |= {row["study_id"]: row["study_id"], row["label"]: row["study_id"]}
    for name, choice in CHOICES.items():
        table, column = choice.column
        if choice.column == _STUDY:
            found[name] = named
        elif table in dictionary.tables:
            of_column = {str(f["name"]): f for f in dictionary.tables[table].fields}[column]
            words = of_column.get("constraints", {}).get("enum", ())
            if words:
                found[name] = {word: word for word in words}
    return found


def outcome_words(outcomes: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Outcomes by their names and by the labels that pages print, in plain words."""
    found: dict[str, str] = {}
    for row in outcomes:
        found.setdefault(plain_word(row["construct_label"]), row["construct"])
    return found | {plain_word(name): name for name in list(found.values())}


def read_choice(name: str, value: Any, known: Known | None = None, *, where: str = "") -> Any:
    """Read the value of a choice as people type it; refuse what is not allowed.

    Parameters
    ----------
    name : str
        One of ``CHOICES``.
    value : object
        A word, several in a list or between commas, a number, two of them, or true or false.
    known : mapping, optional
        Words on file by choice, as ``known_words``; without them words of tables are taken as
        they are.
    where : str
        Said before the name in an error.

    Returns
    -------
    object
        A word, a tuple of words or numbers, a number, or a bool.
    """
    choice = (CHOICES | PAGE_SECTIONS)[name]
    place = f"{where}: {name}" if where else name

    def refused(allowed: str, hint: str = "") -> ArgumentError:
        shown = f"{value:g}" if isinstance(value, float) else repr(value)
        return ArgumentError(f"{place}: {shown} is not allowed; {hint}allowed: {allowed}")

    if choice.kind == FLAG:
        check_type(place, value, bool)
        return value
    if choice.kind in (A_NUMBER, RANGE):
        low, high = choice.ends
        parts = _SEPARATORS.split(value.strip()) if isinstance(value, str) else value
        numbers = [_number(one) for one in (parts if isinstance(parts, list | tuple) else [parts])]
        words = f"{low:g} to below {high:g}" if math.isfinite(high) else f"{low:g} or more"
        if choice.kind == A_NUMBER:
            if len(numbers) != 1 or not low <= numbers[0] < high:
                raise refused(f"a number, {words}")
            if name == "prior_scale" and numbers[0] == 0:
                raise refused("a number above 0")
            return numbers[0]
        if len(numbers) != 2 or not low <= numbers[0] <= numbers[1] < high:
            raise refused(f"two numbers, the lower first, as {choice.example}")
        return tuple(numbers)
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given:
        raise refused("text: a word, or several in a list or between commas")
    allowed = (known or {}).get(name) or {word: word for word in choice.allowed}
    by_plain = {plain_word(word): stands for word, stands in allowed.items()}
    by_plain |= {
        plain_word(word): stands
        for word, stands in SYNONYMS.get(name, {}).items()
        if plain_word(word) not in by_plain
    }
    found: list[str] = []
    for one in given:
        if not isinstance(one, str) or not one.strip():
            raise refused("words")
        word = one.strip()
        if allowed and plain_word(word) not in by_plain:
            hint = did_you_mean(word, [*allowed, *SYNONYMS.get(name, {})], " ")
            listed = list(dict.fromkeys(allowed.values()))
            if hint and len(listed) > MOST_LISTED:
                raise ArgumentError(f"{place}: {word!r} is not allowed; {hint.strip()}")
            raise ArgumentError(
                f"{place}: {word!r} is not allowed; {hint}allowed: {', '.join(listed)}"
            )
        found.append(by_plain.get(plain_word(word), word))
    if choice.kind == WORD:
        if len(found) != 1:
            each = f"; -p answers several, each by itself, as {'|'.join(found)}"
            each = each if len(found) > 1 else ""
            raise refused(f"one of {', '.join(allowed) or 'the words on file'}{each}")
        return found[0]
    if len(set(found)) < len(found):
        raise refused("each word once")
    return tuple(found)


def _number(value: Any) -> float:
    """A number, or a text that is one; NaN, which no range holds, for anything else."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return math.nan
    is_number = isinstance(value, NUMBER) and not isinstance(value, bool)
    return float(value) if is_number else math.nan


def chosen(names: Mapping[str, Any]) -> dict[str, Any]:
    """The choices among some names, as of a notebook's parameters; the outcome stands apart.

    Parameters
    ----------
    names : mapping
        Such as ``globals()``.

    Returns
    -------
    dict
        By name of the choice, as the pages take them.

    Examples
    --------
    >>> chosen({"designs": "parallel", "page": 20})
    {'designs': 'parallel'}
    """
    known = (*CHOICES, *PAGE_SECTIONS)
    return {name: names[name] for name in known if name in names and name != "construct"}


def named_as(name: str, value: Any) -> str:
    """A choice in words: what it is, and what it was set to."""
    values = value if isinstance(value, list | tuple) else [value]
    told = (v if isinstance(v, str) else f"{v:g}" if isinstance(v, float) else v for v in values)
    words = ",".join(str(v).lower() if isinstance(v, bool) else str(v) for v in told)
    # A judgement is no value of its trials, but the worst that is let in.
    return f"{name} at most {words}" if name == "risk_of_bias" else f"{name} = {words}"


def named_back(name: str, given: Any, found: Any) -> str:
    """Say what a value was read as, where it was given in other words; else nothing."""
    if (CHOICES | PAGE_SECTIONS)[name].kind not in (WORD, WORDS):
        return ""
    said = given.split(",") if isinstance(given, str) else list(given)
    words = [found] if isinstance(found, str) else list(found)
    if [word.strip() for word in said] == words:
        return ""
    return f"{name} = {', '.join(words)} (given as {', '.join(w.strip() for w in said)})"


def departed(main: Variant, options: Mapping[str, Any]) -> Variant:
    """Return the same choices, but for those that the options name."""
    kinds = choices_of(Selection, without=(*LIMITS, *CHOICES))
    kinds |= choices_of(Model, without=("bayes", *CHOICES))
    unknown = sorted(set(options) - {*kinds, *CHOICES, *DATA_CHOICES})
    if unknown:
        allowed = ", ".join(sorted({*kinds, *CHOICES}))
        hint = did_you_mean(unknown[0], [*kinds, *CHOICES])
        message = f"{main.name}: unknown choice {', '.join(unknown)}; allowed: {allowed}; {hint}"
        raise ArgumentError(message.removesuffix("; "))
    selection, model = main.selection, main.model
    data: dict[str, Any] = {}
    for name, value in options.items():
        if name in CHOICES:
            selection, model = _with_choice(selection, model, main.name, name, value, data)
        elif name in DATA_CHOICES:
            data[name] = value
        else:
            thawed = list(value) if isinstance(value, tuple) else value
            check_type(f"{main.name}: {name}", thawed, kinds[name])
            if name in vars(selection):
                selection = replace(selection, **{name: frozen(value)})
            else:
                model = replace(model, **{name: frozen(value)})
    stated = tuple((name, frozen(value)) for name, value in options.items())
    return Variant(main.name, selection, model, tuple(sorted(data.items())), stated)


def _with_choice(
    selection: Selection, model: Model, where: str, name: str, value: Any, data: dict[str, Any]
) -> tuple[Selection, Model]:
    """Make one choice; what changes effects themselves is noted in ``data``."""
    found = read_choice(name, value, where=where)
    if name in ("correlation", "measure", "construct"):
        data[_IN_PLAN.get(name, name)] = found
    elif name in FIELDS:
        values = found if isinstance(found, tuple) else (found,)
        selection = replace(selection, **dict(zip(FIELDS[name], values, strict=True)))
    elif name == "prior_scale":
        if model.bayes is not None:
            model = replace(model, bayes=replace(model.bayes, scale_of_all=found))
    elif name in vars(model):
        model = replace(model, **{name: found})
    else:
        selection = replace(selection, **{name: found}, **_with_it(selection, name, found))
    return selection, model


def _with_it(selection: Selection, name: str, found: Any) -> dict[str, Any]:
    """What a limit needs of the plan's rules: what is asked for is let in, and goes first."""
    if name == "blinding" and set(found) != {"double-blind"}:
        return {"allow_single_blind": True}
    if name == "population":
        others = (word for word in selection.analysis_sets if word not in found)
        return {"analysis_sets": (*found, *others)}
    return {}


def check_times(where: str, selection: Selection) -> None:
    """Refuse a target that lies outside its own window: nothing would be nearest to it."""
    target, low, high = (getattr(selection, name) for name in TIMES)
    if not low <= target <= high:
        message = (
            f"{where}: target_weeks (timepoint_weeks): {target:g} is not allowed; allowed: "
            f"within earliest_weeks to latest_weeks (window_weeks), {low:g} to {high:g}, "
            "or a window that holds it"
        )
        raise ArgumentError(message)


def frozen(value: Any) -> Any:
    """A value that nobody can change."""
    return tuple(value) if isinstance(value, list) else value
