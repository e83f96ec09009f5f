"""The analysis plan: which values enter a pool, how it is computed, and when that was decided."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from html import escape
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta import files
from ldn_meta.errors import ArgumentError, did_you_mean
from ldn_meta.evidence.raw.review import (
    HISTORY,
    NUMBER,
    Choices,
    check_names,
    check_type,
    choices_of,
    not_allowed,
    read_toml,
    section,
)
from ldn_meta.evidence.raw.selection import (
    BAYESIAN,
    CHOICES,
    DATA_CHOICES,
    LIMITS,
    LOG,
    MAIN,
    PAGE_SECTIONS,
    STANDARDISED,
    TIMES,
    BayesChoices,
    Changes,
    Known,
    Model,
    Selection,
    Variant,
    check_times,
    departed,
    frozen,
    known_words,
    read_choice,
)
from ldn_meta.evidence.raw.tables import as_records, counted, titled_html
from ldn_meta.stats.arrays import CI_METHODS, HALF, TAU2_METHODS, html_table
from ldn_meta.stats.pool import INTERVAL_NAMES

if TYPE_CHECKING:
    from ldn_meta.evidence.raw.tables import Dictionary, Evidence


def bayes_choices(stated: Mapping[str, Any]) -> BayesChoices:
    """Read the section ``bayes`` of the protocol, whose names and types were checked."""
    families = [("tau_prior", stated["tau_prior"])]
    families += [("sensitivity_families", name) for name in stated["sensitivity_families"]]
    for where, family in families:
        if family not in HALF:
            message = f"bayes.{where}: {family!r} is not known; allowed: {', '.join(HALF)}"
            raise ArgumentError(message)
    numbers = [(f"scale.{unit}", value) for unit, value in stated["scale"].items()]
    numbers += [("sensitivity_factors", value) for value in stated["sensitivity_factors"]]
    for where, value in numbers:
        if not _is_number(value) or not 0 < value < math.inf:
            raise not_allowed(f"bayes.{where}", value, "a positive number")
    return BayesChoices(
        stated["tau_prior"],
        {str(unit): float(value) for unit, value in stated["scale"].items()},
        tuple(stated["sensitivity_families"]),
        tuple(float(value) for value in stated["sensitivity_factors"]),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, NUMBER) and not isinstance(value, bool)


# Risk ratios can be told as odds ratios from the same counts.
MEASURES = ("RR", "OR")


@dataclass(frozen=True)
class Option:
    """One answer: the choices it changes; the first option of a node changes none."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def of_data(self) -> dict[str, Any]:
        """Changes of the effects themselves."""
        return {name: value for name, value in self.changes.items() if name in DATA_CHOICES}

    def of_protocol(self) -> dict[str, Any]:
        """Changes of what is selected and how it is pooled."""
        return {name: value for name, value in self.changes.items() if name not in DATA_CHOICES}


@dataclass(frozen=True)
class Node:
    """One question, why answers differ, and the answers; the protocol's own comes first."""

    name: str
    reason: str
    options: tuple[Option, ...]


# Says that some changes are departures the protocol knows, or raises with their place.
Check: TypeAlias = Callable[[str, Mapping[str, Any]], object]


def read_nodes(stated: Mapping[str, Any], check: Check) -> tuple[Node, ...]:
    """Read the section ``multiverse`` of protocol.toml."""
    check_names("multiverse", stated, required=(), optional=("reason", "node"))
    nodes = tuple(_node(entry, check) for entry in stated.get("node", ()))
    _once("multiverse: node", [node.name for node in nodes])
    return nodes


def _node(entry: Mapping[str, Any], check: Check) -> Node:
    where = f"multiverse: node {entry.get('name', '?')!r}"
    check_names(where, entry, required=("name", "reason", "options"), optional=())
    options = tuple(_option(where, option, check) for option in entry["options"])
    if len(options) < 2:
        message = f"{where}: one option is no choice; state at least two, the plan's own first"
        raise ArgumentError(message)
    _once(f"{where}: option", [option.name for option in options])
    first, *others = options
    if first.changes:
        message = (
            f"{where}: the first option, {first.name!r}, changes {', '.join(first.changes)}; it "
            "stands for the plan and changes nothing"
        )
        raise ArgumentError(message)
    for option in others:
        if not option.changes:
            message = f"{where}: option {option.name!r} changes nothing; name a choice it changes"
            raise ArgumentError(message)
    return Node(str(entry["name"]), " ".join(str(entry["reason"]).split()), options)


def _option(where: str, entry: Mapping[str, Any], check: Check) -> Option:
    if "name" not in entry:
        message = f"{where}: an option without a name: {dict(entry)!r}; name it"
        raise ArgumentError(message)
    changes = {name: frozen(value) for name, value in entry.items() if name != "name"}
    place = f"{where}, option {entry['name']!r}"
    if "correlation" in changes:
        changes["within_person"] = read_choice(
            "correlation", changes.pop("correlation"), where=place
        )
    option = Option(str(entry["name"]), changes)
    check(place, option.of_protocol())
    for name, value in option.of_data().items():
        if name == "construct":
            raise not_allowed(f"{place}: {name}", value, "no other outcome in a multiverse")
        if name == "measure":
            is_allowed, allowed = value in MEASURES, ", ".join(MEASURES)
        else:
            is_allowed, allowed = _is_number(value) and 0 <= value <= 1, "a number, 0 to 1"
        if not is_allowed:
            raise not_allowed(f"{place}: {name}", value, allowed)
    return option


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{what} {', '.join(twice)} is there twice; give each a name of its own"
        raise ArgumentError(message)


WHERE = "certainty"
MID = "minimal_important_difference"
NO_ROW = "none"
# Numbers of each list have to rise from one to the next, from above 0 on.
RISING = (
    ("inconsistency.i2_serious_pct", "inconsistency.i2_very_serious_pct"),
    ("imprecision.ratio_low", "imprecision.ratio_high"),
    (
        "size.large_ratio_low",
        "size.moderate_ratio_low",
        "imprecision.ratio_low",
        "imprecision.ratio_high",
        "size.moderate_ratio_high",
        "size.large_ratio_high",
    ),
    ("size.moderate_in_mids", "size.large_in_mids"),
    ("imprecision.per_1000",),
    ("indirectness.shortest_weeks",),
    ("imprecision.people_without_estimate",),
)
SHARES = (
    "risk_of_bias.share_of_weight",
    "indirectness.share_of_weight",
    "imprecision.alpha",
    "imprecision.power",
    "imprecision.far_below",
    "caution.least_share_of_spread",
)
# Every number is held to one of these two; what is no number stands below.
RATED_BY: Choices = {
    **dict.fromkeys((*SHARES, *chain(*RISING)), NUMBER),
    "indirectness.surrogate_domains": list,
    "indirectness.surrogate_constructs": list,
    "indirectness.dose_mg_per_day": dict,
    "imprecision.ratio_source": str,
}
PARTS: dict[str, Choices] = {
    part: {n.removeprefix(start): k for n, k in RATED_BY.items() if n.startswith(start)}
    for part in dict.fromkeys(name.partition(".")[0] for name in RATED_BY)
    for start in [f"{part}."]
}


@dataclass(frozen=True)
class RatedScale:
    """What is known of a scale: a difference that matters, and the spread between people."""

    unit: str
    minimal_important_difference: float
    mid_source: str
    sd: float
    sd_row: str


@dataclass(frozen=True)
class CertaintyChoices:
    """Everything the section [certainty] states."""

    also_rated: tuple[str, ...]
    # By indication, constructs that are rated each for itself.
    rated_for: dict[str, tuple[str, ...]]
    numbers: dict[str, float]
    surrogate_domains: tuple[str, ...]
    surrogate_constructs: tuple[str, ...]
    doses: dict[str, tuple[float, float]]
    scales: dict[str, RatedScale]
    ratio_source: str

    def __getitem__(self, name: str) -> float:
        """Return a threshold by "part.name"."""
        return self.numbers[name]

    def check_against(self, evidence: Evidence) -> None:
        """Hold that SDs are those of their rows, that drugs have doses, that names exist."""
        asked = set(evidence.text["indications"]["intervention"])
        if not asked <= set(self.doses):
            missing = ", ".join(sorted(asked - set(self.doses)))
            message = (
                f"{WHERE}.indirectness.dose_mg_per_day: {missing} has no doses; add "
                "[lowest, highest], spelt as the intervention in indications.csv"
            )
            raise ArgumentError(message)
        for table, column, named in (
            ("indications", "indication_id", {*self.rated_for}),
            ("outcomes", "construct", {n for names in self.rated_for.values() for n in names}),
        ):
            known = set(evidence.text[table][column])
            unknown = sorted(named - known)
            if unknown:
                hint = did_you_mean(unknown[0], known, " ")
                message = (
                    f"{WHERE}.rated_for: {unknown[0]!r} is no {column} of {table}.csv; "
                    f"{hint}correct it"
                )
                raise ArgumentError(message)
        for name, scale in self.scales.items():
            table, _, row_id = scale.sd_row.partition(":")
            if scale.sd_row == NO_ROW:
                continue
            rows = evidence.tables.get(table)
            found = [] if rows is None else rows.loc[rows["row_id"] == row_id, "sd"].to_list()
            if found != [scale.sd]:
                there = f"its SD is {found[0]}" if found else "there is no such row"
                message = (
                    f"{WHERE}.scale.{name}.sd: {scale.sd:g} is said to be the SD of "
                    f"{scale.sd_row}, but {there}; correct sd or sd_row, or write "
                    f"sd_row = {NO_ROW!r} and the reason"
                )
                raise ArgumentError(message)


def read_certainty(
    stated: Mapping[str, Any],
    *,
    scales: Mapping[str, Scale],
    outcome_groups: Mapping[str, Any],
) -> CertaintyChoices:
    """Read the section [certainty]."""
    kinds = {"also_rated": list, **dict.fromkeys(("rated_for", *PARTS, "scale"), dict)}
    check_names(WHERE, stated, required=kinds, optional=("reason",))
    for name, kind in kinds.items():
        check_type(f"{WHERE}.{name}", stated[name], kind)
    parts = {n: section(f"{WHERE}.{n}", stated[n], choices) for n, choices in PARTS.items()}
    numbers = {
        f"{part}.{name}": float(value)
        for part, choices in parts.items()
        for name, value in choices.items()
        if isinstance(value, NUMBER)
    }
    _check_numbers(numbers)
    rated_for = {name: of for name, of in stated["rated_for"].items() if name != "reason"}
    for name, constructs in rated_for.items():
        check_type(f"{WHERE}.rated_for.{name}", constructs, list)
    unknown = [name for name in stated["also_rated"] if name not in outcome_groups]
    if unknown:
        hint = did_you_mean(unknown[0], outcome_groups, " ")
        allowed = f"{hint}allowed: {', '.join(outcome_groups)}"
        message = f"{WHERE}.also_rated: {unknown[0]!r} is no outcome group; {allowed}"
        raise ArgumentError(message)
    indirect = parts["indirectness"]
    return CertaintyChoices(
        also_rated=tuple(stated["also_rated"]),
        rated_for={name: tuple(names) for name, names in rated_for.items()},
        numbers=numbers,
        surrogate_domains=tuple(indirect["surrogate_domains"]),
        surrogate_constructs=tuple(indirect["surrogate_constructs"]),
        doses={name: _ends(name, pair) for name, pair in indirect["dose_mg_per_day"].items()},
        scales={name: _scale(name, entry, scales) for name, entry in stated["scale"].items()},
        ratio_source=parts["imprecision"]["ratio_source"],
    )


def _check_numbers(numbers: Mapping[str, float]) -> None:
    for names in RISING:
        values = [numbers[name] for name in names]
        if values[0] <= 0 or any(a >= b for a, b in pairwise(values)):
            shown = ", ".join(f"{n} = {v:g}" for n, v in zip(names, values, strict=True))
            message = f"{WHERE}: {shown}; allowed: above 0 and rising in this order"
            raise ArgumentError(message)
    for name in SHARES:
        if not 0 < numbers[name] < 1:
            raise not_allowed(f"{WHERE}.{name}", numbers[name], "above 0, below 1")


def _ends(name: str, pair: Any) -> tuple[float, float]:
    is_pair = isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))
    if not is_pair or pair[0] > pair[1]:
        raise not_allowed(
            f"{WHERE}.indirectness.dose_mg_per_day.{name}", pair, "[lowest, highest]"
        )
    return float(pair[0]), float(pair[1])


def _scale(name: str, entry: Mapping[str, Any], scales: Mapping[str, Scale]) -> RatedScale:
    where = f"{WHERE}.scale.{name}"
    common = scales.get(name)
    # Of a scale that the protocol knows already, it states the difference that matters.
    own = choices_of(RatedScale, "unit", "sd", "sd_row")
    values = section(where, entry, own if common is not None else choices_of(RatedScale))
    mid = float(values[MID] if common is None else common.minimal_important_difference)
    if common is not None and common.unit != values["unit"]:
        raise not_allowed(f"{where}.unit", values["unit"], repr(common.unit))
    for what, value in ((MID, mid), ("sd", float(values["sd"]))):
        if value <= 0:
            raise not_allowed(f"{where}.{what}", value, "above 0")
    source = values["mid_source"] if common is None else common.mid_source
    return RatedScale(values["unit"], mid, source, float(values["sd"]), values["sd_row"])


# What was known when a choice was made.
BEFORE, AFTER = "before any pool", "after the main pool was seen"
# Sections whose entries are choices of their own, and whether the section itself is one.
ENTRIES = {"certainty": True, "scale": False, "multiverse": True, "sensitivity": False}
ELSEWHERE = "history.elsewhere"
# Other answers to judgements that stand in tables.
# Certainty, from the lowest up; what is taken off stops at the first.
GRADES = ("very low", "low", "moderate", "high")
ALL_LOW, RULES_ALONE = "every study at low risk of bias", "by the rules alone"
JUDGED = (ALL_LOW, RULES_ALONE)
FILE_NAME = re.compile(r"[\w/-]+\.(?:csv|toml|yml|json)\b")
# Files of data/raw that are no tables and hold no sentences.
OTHER_FILES = ("review.toml", "corrections.yml", "datapackage.json")


@dataclass(frozen=True)
class Decision:
    """A choice of the plan: when it was made, what was known then, and how it has changed.

    ``name`` is its place in the file, ``bears_on`` what it can move where that is no estimate,
    ``varied_by`` the nodes of the multiverse that answer it otherwise, and ``otherwise`` other
    values of its own that ratings are computed under.
    """

    name: str
    what: str
    set_on: datetime
    known_then: str
    changed: tuple[tuple[datetime, str], ...] = ()
    bears_on: str = ""
    varied_by: tuple[str, ...] = ()
    otherwise: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_late(self) -> bool:
        """Whether the answer was known when it was made."""
        return self.known_then == AFTER


@dataclass(frozen=True)
class History:
    """When the first pooled number was there, and when each choice was made."""

    first_pool: datetime
    note: str
    decisions: tuple[Decision, ...]

    def of(self, name: str) -> Decision:
        """The choice at a place of the file."""
        return next(one for one in self.decisions if one.name == name)


def take_history(stated: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Take out of every choice what it tells of its history: place, words, what was told."""

    def taken(name: str, words: str, table: dict[str, Any]) -> None:
        told = {key: table.pop(key) for key in HISTORY if key in table}
        found.append((name, told.pop("what", words), told))

    found: list[tuple[str, str, dict[str, Any]]] = []
    for entry in stated.get("history", {}).pop("elsewhere", ()):
        taken(ELSEWHERE, "a choice in another file", entry)
    for name, part in stated.items():
        if name == "history":
            continue
        if ENTRIES.get(name, True):
            taken(name, name.replace("_", " "), part)
        if name == "sensitivity":
            for entry in part:
                words = str(entry.get("name", "?"))
                taken(f"sensitivity {words!r}", f'pool beside the main one: "{words}"', entry)
        elif name == "multiverse":
            for entry in part.get("node", ()):
                words = str(entry.get("name", "?"))
                taken(f"multiverse.node {words!r}", f'other answers to "{words}"', entry)
                found[-1][2]["varied_by"] = [words]
        elif name in ENTRIES:
            parts = {f"{name}.{key}": one for key, one in part.items() if isinstance(one, dict)}
            scales = parts.pop("certainty.scale", {})
            parts |= {f"certainty.scale.{key}": one for key, one in scales.items()}
            for place, one in parts.items():
                taken(place, place.replace("_", " ").replace(".", ": "), one)
    return found


def read_history(
    stated: Mapping[str, Any],
    found: Sequence[tuple[str, str, Mapping[str, Any]]],
    nodes: Collection[str],
) -> History:
    """Read the section ``history``, and hold that every choice says when it was made."""
    check_names("history", stated, required=("first_pool", "note"), optional=("reason",))
    first = _moment("history.first_pool", stated["first_pool"])
    decisions = tuple(_decision(first, *one) for one in found)
    for one in decisions:
        for node in one.varied_by:
            if node not in nodes:
                hint = did_you_mean(node, nodes, " ")
                message = f"{one.name}.varied_by: {node!r} is no node of the multiverse; {hint}"
                raise ArgumentError(f"{message}Allowed: {', '.join(nodes)}")
    return History(first, " ".join(stated["note"].split()), decisions)


def _decision(first: datetime, name: str, what: str, told: Mapping[str, Any]) -> Decision:
    for key in ("set_on", "known_then"):
        if key not in told:
            message = (
                f"protocol.toml: {name}: {key!r} is missing; say when the choice was made and "
                "what was known then: set_on = <when the choice was made, YYYY-MM-DDTHH:MM:SSZ> "
                f'and known_then = "{BEFORE}" or "{AFTER}"'
            )
            raise ArgumentError(message)
    on, known = _moment(f"{name}.set_on", told["set_on"]), told["known_then"]
    if known not in (BEFORE, AFTER):
        raise not_allowed(f"{name}.known_then", known, f"{BEFORE!r}, {AFTER!r}")
    if known != (BEFORE if on < first else AFTER):
        message = (
            f"protocol.toml: {name}: set on {on:%Y-%m-%d %H:%M} and said to be {known!r}, but the "
            f"first pool is of {first:%Y-%m-%d %H:%M}; correct set_on or known_then"
        )
        raise ArgumentError(message)
    _check_text(f"{name}.what", what)
    for key, kind in (("varied_by", list), ("changed", list), ("otherwise", list)):
        if key in told:
            check_type(f"{name}.{key}", told[key], kind)
            if not told[key]:
                raise not_allowed(f"{name}.{key}", told[key], "a list that is not empty")
    if "bears_on" in told:
        _check_text(f"{name}.bears_on", told["bears_on"])
    changed: list[tuple[datetime, str]] = []
    for change in told.get("changed", ()):
        where = f"{name}.changed"
        check_type(where, change, dict)
        check_names(where, change, required=("on", "what"), optional=())
        _check_text(f"{where}.what", change["what"])
        at, before = _moment(f"{where}.on", change["on"]), changed[-1][0] if changed else on
        # One commit may bring several changes of one choice.
        if at < before or at == on:
            message = (
                f"{where}.on: {at:%Y-%m-%d %H:%M} comes too early after {before:%Y-%m-%d %H:%M}; "
                "a change is later than the choice, and not before the last change: correct one"
            )
            raise ArgumentError(message)
        changed.append((at, change["what"]))
    return Decision(
        name, what, on, known, tuple(changed), told.get("bears_on", ""),
        tuple(told.get("varied_by", ())), tuple(told.get("otherwise", ())),
    )  # fmt: skip


def _check_text(where: str, value: Any) -> None:
    check_type(where, value, str)
    if not value.strip():
        raise not_allowed(where, value, "some words")


def _moment(where: str, value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise not_allowed(where, value, "date, time and zone, as 2026-11-22T22:28:09Z")
    return value


# Choices that rank the words of a column of contrasts.csv.
RANKED = {"analysis_sets": "analysis_set", "read_from": "read_from", "estimands": "estimand"}
BY_NUMBER = "by number of trials"


@dataclass(frozen=True)
class Scale:
    """A common range for the instruments of one construct."""

    minimum: float
    maximum: float
    unit: str
    minimal_important_difference: float
    mid_source: str


@dataclass(frozen=True)
class ShareChoices:
    """Which counts of people in one arm are no share of people."""

    fixed_by_design: tuple[str, ...]
    cases: tuple[str, ...]
    fewest_people: int
    among_some: tuple[str, ...]


@dataclass(frozen=True)
class DoseChoices:
    """The one trial that looked for the dose, and curves considered; doses and spreads in mg."""

    study_id: str
    responder_outcome: str
    ed50_low_mg: float
    ed50_high_mg: float
    ed50_steps: int
    spread_low_mg: float
    spread_high_mg: float
    spread_steps: int
    other_spread_caps_mg: tuple[float, ...]
    design_ed50_low_mg: float
    design_ed50_high_mg: float
    design_steps: int


# Sections of protocol.toml and the choices of each; every choice must be stated, and none else.
# A section may add its "reason".
SECTIONS: dict[str, Choices] = {
    "selection": choices_of(Selection, without=(*TIMES, *LIMITS)),
    "timepoint": choices_of(Selection, *TIMES),
    "pooling": choices_of(Model, without=("ci_method", "bayes")),
    "rounding": {"largest_se_error": NUMBER},
    "correlation": dict.fromkeys(("within_person", "low", "high"), NUMBER),
    "next_trial": {"people": list, "probability": NUMBER},
    "votes": {"least_for_interval": int},
    "bayes": choices_of(BayesChoices, without=("scale_of_all",)),
    "shares": choices_of(ShareChoices),
}
OTHER_SECTIONS = ("certainty", "scale", "outcome_group", "sensitivity", "multiverse", "dose")


@dataclass(frozen=True)
class Protocol:
    """Everything ``protocol.toml`` states."""

    selection: Selection
    model: Model
    largest_se_error: float
    correlation: float
    scales: dict[str, Scale]
    outcome_groups: dict[str, tuple[str, ...]]
    certainty: CertaintyChoices
    shares: ShareChoices
    history: History
    dose: DoseChoices | None = None
    sensitivities: tuple[Variant, ...] = ()
    nodes: tuple[Node, ...] = ()
    next_people: tuple[int, ...] = ()
    next_probability: float = math.nan
    # Below so many votes the share of studies on a side has no interval.
    least_votes: int = 1
    # Measures that differences and ratios are told as, and outcomes pooled as one, if a run asks.
    measures: tuple[str, ...] = ()
    constructs: tuple[str, ...] = ()
    # What somebody chose beside the plan, by name, as it was read.
    asked: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def bayes(self) -> BayesChoices:
        """Priors of the spread between trials."""
        if self.model.bayes is None:
            raise ArgumentError("no priors are stated; add the section bayes to protocol.toml")
        return self.model.bayes

    def important_difference(self, construct: str, unit: str) -> float:
        """The difference that matters on the common scale of a construct; else NaN."""
        scale = self.scales.get(construct)
        is_stated = scale is not None and scale.unit == unit
        return scale.minimal_important_difference if scale and is_stated else math.nan

    def __repr__(self) -> str:
        """Return one line: how effects are pooled, and how much is varied."""
        model = self.model
        interval = model.ci_method or (
            f"{model.ci_method_two_trials} for two trials, {model.ci_method_more_trials} for more"
        )
        departures = counted(len(self.sensitivities), "named departure")
        analyses = analyses_text(self.nodes)
        return (
            f"<Protocol: {model.tau2_method}, {interval}; {departures}; multiverse of {analyses}>"
        )

    def _repr_html_(self) -> str:
        """Return every choice, the named departures and the nodes."""
        choices = [
            (choice.name, _words(getattr(part, choice.name)))
            for part in (self.selection, self.model)
            for choice in fields(part)
            if choice.name != "bayes" and (choice.name not in LIMITS or getattr(part, choice.name))
        ]
        choices += [
            ("largest_se_error", _words(self.largest_se_error)),
            ("correlation", _words(self.correlation)),
            ("bayes.tau_prior", _words(self.bayes.tau_prior)),
        ]
        choices += [
            (f"scale.{name}", f"{scale.minimum:g} to {scale.maximum:g}, {scale.unit}; minimal "
             f"important difference {scale.minimal_important_difference:g}")
            for name, scale in self.scales.items()
        ]  # fmt: skip
        departures = "".join(f"<li>{escape(one.name)}</li>" for one in self.sensitivities)
        return titled_html(
            "protocol",
            "Analysis plan; data/raw/protocol.toml has reasons and dates",
            f"<p>{escape(self.history.note)}</p>",
            html_table(choices, head=("choice", "value"), is_prose=True),
            f"<p>Shown beside the main pool:</p><ul>{departures}</ul>" if departures else "",
            f"<p>Multiverse of {analyses_text(self.nodes)}:</p>{nodes_html(self.nodes)}"
            if self.nodes
            else "",
        )

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The main choices and every named departure, in the order of the file."""
        return (Variant(MAIN, self.selection, self.model), *self.sensitivities)

    def changed(self, *, known: Known | None = None, **options: Any) -> Protocol:
        """Return the same protocol with some main choices replaced.

        A sensitivity changes what its name says and takes the rest from the new choices.

        Parameters
        ----------
        known : mapping, optional
            Words on file, as ``known_words``; a choice of a word on file is held to them.
        **options
            Choices of ``CHOICES`` and ``PAGE_SECTIONS``, or fields of ``Selection`` or ``Model``;
            None leaves a choice as it is.

        Returns
        -------
        Protocol

        Raises
        ------
        ArgumentError
            If an option is not a choice of the protocol, or its value is not allowed.
        """
        given = {
            name: read_choice(name, value, known)
            if (known and name in CHOICES) or name in PAGE_SECTIONS
            else value
            for name, value in options.items()
            if value is not None
        }
        if not given:
            return self
        asked = self.asked | given
        given = {name: value for name, value in given.items() if name not in PAGE_SECTIONS}
        main = departed(Variant("options", self.selection, self.model), given)
        if {*TIMES, "timepoint_weeks", "window_weeks"} & set(given):
            check_times(main.name, main.selection)
        plain = main._replace(data=(), changes=())
        others = tuple(
            departed(plain._replace(name=one.name), dict(one.changes))
            for one in self.sensitivities
        )
        changed = replace(
            self, selection=main.selection, model=main.model, sensitivities=others, asked=asked
        )
        return changed.with_data(main.data)

    def with_data(self, data: Changes) -> Protocol:
        """The same protocol with choices that change effects themselves."""
        fields_of = {"within_person": "correlation", "measure": "measures"}
        fields_of |= {"construct": "constructs"}
        changes = {fields_of.get(name, name): value for name, value in data}
        for name in ("measures", "constructs"):
            if isinstance(changes.get(name), str):
                changes[name] = (changes[name],)
        if changes.get("constructs") and not set(changes.get("measures", ())) & {"SMD", "ROM"}:
            # Several outcomes have no unit in common but standard deviations.
            changes["measures"] = (*changes.get("measures", self.measures), "SMD")
        return replace(self, **changes)

    def otherwise(self) -> Iterator[tuple[Decision, str, Protocol]]:
        """Every other answer to a choice that bears on ratings: the choice, words, the plan then.

        Of priors those of the sensitivity analysis. Judgements of tables change no plan.
        """
        for one in self.history.decisions:
            for changes in self._others_of(one):
                said = {SAID.get(n, n.replace("_", " ")): _said(v) for n, v in changes.items()}
                words = said.get("judged") or "; ".join(f"{n}: {v}" for n, v in said.items())
                yield one, words, self._answered(one, changes)

    def _others_of(self, one: Decision) -> Iterable[Mapping[str, Any]]:
        scale = one.name.removeprefix("certainty.scale.")
        if scale != one.name and scale not in self.certainty.scales:
            return ()
        if one.name != "bayes":
            return one.otherwise
        stated = self.model.bayes
        if stated is None:
            return ()
        return [
            {"tau_prior": family, "scale": {u: s * factor for u, s in stated.scale.items()}}
            for family in stated.sensitivity_families
            for factor in stated.sensitivity_factors
            if (family, factor) != (stated.tau_prior, 1.0)
        ]

    def _answered(self, one: Decision, changes: Mapping[str, Any]) -> Protocol:
        """The plan with one choice answered otherwise."""
        kind, _, name = one.name.partition(".")
        part, _, construct = name.partition(".")
        if one.name == ELSEWHERE:
            _known_names(one, changes, ["judged"])
            if changes["judged"] not in JUDGED:
                raise not_allowed(
                    f"{one.name}.otherwise.judged", changes["judged"], " or ".join(JUDGED)
                )
            return self
        if kind == "pooling":
            return self.changed(**changes)
        if kind == "bayes":
            return replace(self, model=replace(self.model, bayes=replace(self.bayes, **changes)))
        rated = self.certainty
        if part == "scale":
            scale = rated.scales[construct]
            _known_names(one, changes, ["sd", "minimal_important_difference"])
            scales = {**rated.scales, construct: replace(scale, **changes)}
            return replace(self, certainty=replace(rated, scales=scales))
        stated = [n.removeprefix(f"{part}.") for n in rated.numbers if n.startswith(f"{part}.")]
        _known_names(one, changes, stated)
        numbers = rated.numbers | {f"{part}.{n}": float(v) for n, v in changes.items()}
        return replace(self, certainty=replace(rated, numbers=numbers))

    def check_words(self, dictionary: Dictionary) -> None:
        """Hold that every ranking ranks exactly the words of the data dictionary.

        A word that the protocol misspells would rank last, behind every other, unnoticed.

        Raises
        ------
        ArgumentError
            If a word is missing, unknown or given twice.
        """
        columns = {str(f["name"]): f for f in dictionary.tables["contrasts"].fields}
        every = [(v.name, vars(v.selection)) for v in self.variants]
        every += [
            (f"multiverse: node {node.name!r}, option {one.name!r}", dict(one.changes))
            for node in self.nodes
            for one in node.options
        ]
        for place, choices in every:
            for name, column in RANKED.items():
                ranked = choices.get(name, ())
                known = columns[column]["constraints"]["enum"]
                if not ranked and (name == "estimands" or name not in choices):
                    continue
                if sorted(ranked) != sorted(known):
                    wrong = ", ".join(sorted(set(ranked) ^ set(known))) or "a word given twice"
                    message = (
                        f"{place}: {name} must rank every {column} of datapackage.json "
                        f"once; wrong: {wrong}; allowed: {', '.join(known)}"
                    )
                    raise ArgumentError(message)
        words = known_words(dictionary, ())
        for place, choices in every:
            for name in CHOICES:
                if choices.get(name):
                    read_choice(name, choices[name], words, where=place)
        designs = {str(f["name"]): f for f in dictionary.tables["studies"].fields}["design"]
        known = designs["constraints"]["enum"]
        for name in ("fixed_by_design", "cases"):
            unknown = sorted(set(getattr(self.shares, name)) - set(known))
            if unknown:
                raise not_allowed(f"shares.{name}", unknown[0], ", ".join(known))

    def check_against(self, evidence: Evidence) -> None:
        """Hold that what the plan names is on file; a name of nothing would change nothing.

        Raises
        ------
        ArgumentError
            If a unit, outcome, construct, intervention, study or file is not on file.
        """
        text, rated, dose = evidence.text, self.certainty, self.dose
        outcomes = text["outcomes"]
        domains = {str(f["name"]): f for f in evidence.dictionary.tables["outcomes"].fields}
        constructs = ("construct of outcomes.csv", {*outcomes["construct"]})
        keys = ("outcome_id of outcomes.csv", {*outcomes["outcome_id"]})
        common = {scale.unit for scale in self.scales.values()}
        units = ("unit in use", {LOG, STANDARDISED, *common, *outcomes["unit"]})
        files = {f"{name}.csv" for name in evidence.tables} | {*evidence.wording, *OTHER_FILES}
        told = (one.what for one in self.history.decisions if one.name == ELSEWHERE)
        indirect = "certainty.indirectness"
        places: list[tuple[str, Iterable[str], tuple[str, Collection[str]]]] = [
            ("bayes.scale", self.bayes.scale, units),
            ("shares.among_some", self.shares.among_some, keys),
            ("scale", self.scales, constructs),
            ("certainty.scale", rated.scales, constructs),
            *((f"outcome_group.{n}", of, constructs) for n, of in self.outcome_groups.items()),
            (f"{indirect}.surrogate_constructs", rated.surrogate_constructs, constructs),
            (
                f"{indirect}.surrogate_domains",
                rated.surrogate_domains,
                ("domain of outcomes.csv", domains["domain"]["constraints"]["enum"]),
            ),
            (
                f"{indirect}.dose_mg_per_day",
                rated.doses,
                ("intervention of indications.csv", {*text["indications"]["intervention"]}),
            ),
            *((ELSEWHERE, FILE_NAME.findall(what), ("file of data/raw", files)) for what in told),
        ]
        if dose is not None:
            studies = ("study_id of studies.csv", {*text["studies"]["study_id"]})
            places.append(("dose.study_id", [dose.study_id], studies))
            places.append(("dose.responder_outcome", [dose.responder_outcome], keys))
        on_file = known_words(evidence.dictionary, as_records(text["studies"]))
        for variant in self.variants:
            for choice, value in variant.changes:
                if choice in ("trials", "without"):
                    read_choice(choice, value, on_file, where=variant.name)
        for place, named, (what, known) in places:
            for name in named:
                if name not in known:
                    hint = did_you_mean(name, known, " ")
                    message = f"protocol.toml: {place}: {name!r} is no {what}; {hint}correct it"
                    raise ArgumentError(message)


def load_protocol(path: str | Path | None = None) -> Protocol:
    """Read ``protocol.toml``.

    Parameters
    ----------
    path : str or Path, optional
        The file, or the folder that holds it; ``data/raw`` by default.

    Returns
    -------
    Protocol

    Raises
    ------
    ArgumentError
        If there is no such file, or a choice is missing, unknown or of the wrong type.
    """
    file = files.raw_data() if path is None else Path(path)
    if file.is_dir():
        file = file / "protocol.toml"
    stated = read_toml(file)
    _no_word_twice("", stated)
    check_names(file.name, stated, required=(*SECTIONS, "history"), optional=OTHER_SECTIONS)
    decisions = take_history(stated)
    history = stated.pop("history")
    part = {name: section(name, stated[name], choices) for name, choices in SECTIONS.items()}
    for name in set(RANKED) & set(part["selection"]):
        for word in part["selection"][name]:
            check_type(f"selection.{name}", word, str)
    main = Variant(
        MAIN,
        Selection(**{n: frozen(v) for n, v in (part["selection"] | part["timepoint"]).items()}),
        Model(**part["pooling"], ci_method=None, bayes=bayes_choices(part["bayes"])),
    )
    _check_intervals(main.model)
    check_times("timepoint", main.selection)
    scales = {
        name: Scale(**section(f"scale.{name}", scale, choices_of(Scale)))
        for name, scale in stated.get("scale", {}).items()
    }
    nodes = read_nodes(
        stated.get("multiverse", {}),
        lambda place, changes: check_times(
            place, departed(main._replace(name=place), changes).selection
        ),
    )
    plan = Protocol(
        selection=main.selection,
        model=main.model,
        largest_se_error=part["rounding"]["largest_se_error"],
        correlation=_correlation(part["correlation"]),
        scales=scales,
        outcome_groups={
            name: tuple(constructs) for name, constructs in stated.get("outcome_group", {}).items()
        },
        certainty=read_certainty(
            stated.get("certainty", {}),
            scales=scales,
            outcome_groups=stated.get("outcome_group", {}),
        ),
        shares=_shares(part["shares"]),
        dose=_dose(stated["dose"]) if "dose" in stated else None,
        sensitivities=tuple(
            _sensitivity(main, **entry) for entry in stated.get("sensitivity", [])
        ),
        history=read_history(history, decisions, [node.name for node in nodes]),
        next_people=tuple(part["next_trial"]["people"]),
        next_probability=part["next_trial"]["probability"],
        least_votes=_least_votes(part["votes"]["least_for_interval"]),
        nodes=nodes,
    )
    # Refuses other answers that are none.
    list(plan.otherwise())
    return plan


def _known_names(one: Decision, changes: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse another answer to what a choice does not state."""
    check_names(f"{one.name}.otherwise", changes, required=(), optional=names)
    if not changes:
        raise not_allowed(f"{one.name}.otherwise", dict(changes), f"some of {', '.join(names)}")


# Names of the plan as readers know them; of the others the words themselves.
SAID = {
    "ci_method_two_trials": "interval of two trials",
    "far_below": "far below the information size",
    "people_without_estimate": "few people",
    "per_1000": "important of 1,000 people",
    "ratio_high": "important ratio above",
    "ratio_low": "important ratio below",
    "scale": "its scale",
    "sd": "standard deviation between people",
    "share_of_weight": "share of the weight that counts",
    "shortest_weeks": "shortest treatment in weeks",
    "tau_prior": "prior for the spread between trials",
}


def _said(value: Any) -> str:
    """A value of the plan in words; of scales by unit the numbers alone."""
    if isinstance(value, Mapping):
        ratios = {LOG: "log ratios"}
        return ", ".join(f"{ratios.get(unit, unit)} {n:g}" for unit, n in value.items())
    return f"{value:g}" if _is_number(value) else INTERVAL_NAMES.get(str(value), str(value))


def _no_word_twice(where: str, stated: Any) -> None:
    """Refuse a list that holds a word twice, wherever it stands."""
    if isinstance(stated, dict):
        for name, value in stated.items():
            _no_word_twice(f"{where}.{name}" if where else str(name), value)
    elif isinstance(stated, list):
        for value in stated:
            _no_word_twice(where, value)
            if isinstance(value, str) and stated.count(value) > 1:
                raise ArgumentError(f"{where}: {value!r} is a word given twice; delete one")


def _shares(stated: Mapping[str, Any]) -> ShareChoices:
    fewest = stated["fewest_people"]
    if not isinstance(fewest, int) or fewest < 1:
        raise not_allowed("shares.fewest_people", fewest, "a whole number from 1 on")
    return ShareChoices(**{name: frozen(value) for name, value in stated.items()})


def _dose(stated: Mapping[str, Any]) -> DoseChoices:
    """Read the section ``dose``: every axis goes up from above nought in two steps or more."""
    choices = section("dose", stated, choices_of(DoseChoices))
    choices = {name: frozen(value) for name, value in choices.items()}
    for axis in ("ed50", "spread", "design_ed50"):
        low, high = (choices[f"{axis}_{end}_mg"] for end in ("low", "high"))
        if not 0 < low < high < math.inf:
            raise not_allowed(
                f"dose.{axis}_low_mg", low, f"above 0, below {axis}_high_mg {high:g}"
            )
    for name in ("ed50_steps", "spread_steps", "design_steps"):
        if not isinstance(choices[name], int) or choices[name] < 2:
            raise not_allowed(f"dose.{name}", choices[name], "a whole number from 2 on")
    for cap in choices["other_spread_caps_mg"]:
        if not _is_number(cap) or not choices["spread_low_mg"] < cap < choices["spread_high_mg"]:
            allowed = "numbers between spread_low_mg and spread_high_mg"
            raise not_allowed("dose.other_spread_caps_mg", cap, allowed)
    return DoseChoices(**choices)


def _correlation(stated: Mapping[str, float]) -> float:
    """The correlation within people; the others only bound it."""
    for name, value in stated.items():
        if not 0 <= value < 1:
            raise not_allowed(f"correlation.{name}", float(value), "from 0 to below 1")
    return stated["within_person"]


def _least_votes(number: int) -> int:
    if number < 1:
        raise not_allowed("votes.least_for_interval", number, "1 or more")
    return number


def _check_intervals(model: Model) -> None:
    """Refuse a method that is not known; only two trials may be read with a prior."""
    if model.tau2_method not in TAU2_METHODS:
        raise not_allowed("pooling.tau2_method", model.tau2_method, ", ".join(TAU2_METHODS))
    for name in ("two_trials", "without_prior", "more_trials"):
        allowed = (BAYESIAN, *CI_METHODS) if name == "two_trials" else CI_METHODS
        value = getattr(model, f"ci_method_{name}")
        if value not in allowed:
            raise not_allowed(f"pooling.ci_method_{name}", value, ", ".join(allowed))


def _sensitivity(main: Variant, name: str = "", **options: Any) -> Variant:
    if not name:
        message = "sensitivity: 'name' is missing; say in a few words what it changes"
        raise ArgumentError(message)
    found = departed(main._replace(name=name), options)
    check_times(name, found.selection)
    return found


def nodes_html(nodes: Sequence[Node]) -> str:
    """Write the questions of a multiverse with their answers."""
    rows = [
        (node.name, "; ".join(option.name for option in node.options), node.reason)
        for node in nodes
    ]
    head = ("question", "answers, the plan's own first", "why")
    return html_table(rows, head=head, is_prose=True)


def analyses_text(nodes: Sequence[Node]) -> str:
    """Count the analyses that some nodes span."""
    number = math.prod(len(node.options) for node in nodes)
    return f"{number:,} {'analysis' if number == 1 else 'analyses'}"


def _words(value: Any) -> str:
    """Write a choice as people type it."""
    if value is None:
        return BY_NUMBER
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value)
    return f"{value:g}" if isinstance(value, float | int) else str(value)
