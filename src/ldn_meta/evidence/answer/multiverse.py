"""All defensible analyses of one outcome: the full product of the protocol's nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations, product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import (
    NOT_STATED,
    build_pools,
    find_pool,
    prior_method,
    with_prior,
)
from ldn_meta.evidence.effects.effects import OWN_LEVEL, as_saved, candidate_effects
from ldn_meta.evidence.effects.rows import (
    CONTRAST,
    IN_WINDOW,
    OF_PEOPLE,
    limits,
    outside_window,
    ranks,
    rules,
)
from ldn_meta.evidence.raw.protocol import Option, analyses_text, nodes_html
from ldn_meta.evidence.raw.selection import (
    BIAS_STEP,
    CHOICES,
    LIMITS,
    TWO_TRIALS,
    Changes,
    Variant,
    departed,
    known_words,
)
from ldn_meta.evidence.raw.tables import as_records, counted, titled_html
from ldn_meta.stats.arrays import CI_METHODS, PI_METHODS, TAU2_METHODS, html_table
from ldn_meta.stats.convert import ci_from_se, p_from_se
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.multiverse import (
    combined,
    digits,
    first_choices,
    share_explained,
    weighted_quantiles,
)
from ldn_meta.stats.pool import pool_many, side

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Node, Protocol
    from ldn_meta.evidence.raw.selection import Model, Selection
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.arrays import BoolArray, FloatArray, IntArray


COUNTS = ("events_1", "n_1", "events_2", "n_2")
# Numbers of an effect that a pool needs; from the third on, where it is alone.
EFFECT = ("yi", "vi", "ci_low", "ci_high", "df")


class Normalised:
    """Effects of one condition under every choice about data; each is computed once."""

    def __init__(self, own: Evidence, protocol: Protocol) -> None:
        self.own, self.protocol = own, protocol
        self._effects: dict[tuple[float, float], dict[Any, pd.DataFrame]] = {}

    def effects(
        self, changes: dict[str, Any], construct: str, comparator_class: str
    ) -> pd.DataFrame | None:
        """Comparisons of an outcome under a choice of correlation and of how far p is rounded."""
        correlation = changes.get("within_person", self.protocol.correlation)
        largest = changes.get("largest_se_error", self.protocol.largest_se_error)
        if (correlation, largest) not in self._effects:
            changed = replace(self.protocol, correlation=correlation, largest_se_error=largest)
            effects, _ = candidate_effects(self.own, changed)
            by_outcome: Iterable[tuple[Any, pd.DataFrame]] = ()
            if len(effects):
                compared = as_saved(effects[effects["kind"] == CONTRAST])
                by_outcome = compared.groupby(["construct", "comparator_class"], sort=False)
            self._effects[correlation, largest] = dict(iter(by_outcome))
        return self._effects[correlation, largest].get((construct, comparator_class))


class ChoiceOfEffects:
    """Candidate effects of one outcome, and what every combination of choices makes of them."""

    def __init__(self, normalised: Normalised, construct: str, comparator_class: str) -> None:
        self._normalised, self._protocol = normalised, normalised.protocol
        self._construct, self._comparator_class = construct, comparator_class

    @cached_property
    def key(self) -> tuple[str, str] | None:
        """Measure and unit of the main result; else of most candidates; None without any."""
        effects = self._effects({})
        if effects is not None:
            pools = build_pools(effects, self._protocol.selection, self._protocol.model)
            found = find_pool(
                pools, construct=self._construct, comparator_class=self._comparator_class
            )
            if found is not None:
                return found.key["measure"], found.key["unit"]
        changes = {_frozen(o.of_data()) for node in self._protocol.nodes for o in node.options}
        pairs = [
            pair
            for change in sorted(changes)
            for tried in [self._effects(dict(change))]
            if tried is not None
            for known in [tried[tried["has_known_scale"].astype(bool)]]
            for pair in zip(known["measure"], known["unit"], strict=True)
        ]
        return max(sorted(set(pairs)), key=pairs.count) if pairs else None

    @property
    def benefit_sign(self) -> float:
        """+1 if more is better, -1 if less is."""
        outcomes = self._normalised.own.tables["outcomes"]
        return float(
            outcomes.loc[outcomes["construct"] == self._construct, "benefit_sign"].iloc[0]
        )

    def choose(self, nodes: Sequence[Node]) -> tuple[tuple[str, ...], FloatArray]:
        """The effect of each trial under each combination of options, by number of EFFECT."""
        # Most combinations differ in neither: a few changes of the data times a few selections.
        changes, data_of = _distinct(nodes, Option.of_data)
        departures, selection_of = _distinct(nodes, Option.of_protocol)
        main = Variant("", self._protocol.selection, self._protocol.model)
        selections = [_selection(main, _frozen(departure)) for departure in departures]
        groups = self._groups(changes)
        names: dict[str, str] = {}
        for frame, _ in groups:
            names |= dict(zip(frame["trial_id"], frame["study_label"], strict=True))
        trials = sorted(names)
        chosen_effects = np.full((len(EFFECT), len(data_of), len(trials)), np.nan)
        for frame, alike in groups:
            chosen = first_choices(
                *_barred_and_ranked(frame, selections),
                np.array([trials.index(name) for name in frame["trial_id"]]),
                len(trials),
            )
            places = np.flatnonzero(np.isin(data_of, alike))
            for target, column in zip(chosen_effects, EFFECT, strict=True):
                # The last place, -1, stands for no effect.
                values = np.append(frame[column].to_numpy(dtype=float), np.nan)
                target[places] = values[chosen[selection_of[places]]]
        is_there = ~np.isnan(chosen_effects[1]).all(axis=0)
        labels = tuple(names[t] for t, there in zip(trials, is_there, strict=True) if there)
        return labels, chosen_effects[:, :, is_there]

    def _groups(self, changes: Sequence[dict[str, Any]]) -> list[tuple[pd.DataFrame, list[int]]]:
        """Changes of the data by the candidates they leave; most of them change nothing."""
        found: dict[tuple[Any, ...], tuple[pd.DataFrame, list[int]]] = {}
        frames: dict[Changes, pd.DataFrame | None] = {}
        for place, change in enumerate(changes):
            if self.key is not None and self.key[0] != "RR":
                change = {name: value for name, value in change.items() if name != "measure"}
            if _frozen(change) not in frames:
                frames[_frozen(change)] = self.candidates(change)
            frame = frames[_frozen(change)]
            if frame is not None:
                numbers = (frame[name].to_numpy().tobytes() for name in ("yi", "vi"))
                what = (*numbers, tuple(frame["effect_id"]))
                found.setdefault(what, (frame, []))[1].append(place)
        return list(found.values())

    def _effects(self, changes: dict[str, Any]) -> pd.DataFrame | None:
        """All comparisons of the outcome with the comparator, under a choice about data."""
        return self._normalised.effects(changes, self._construct, self._comparator_class)

    def candidates(self, changes: dict[str, Any]) -> pd.DataFrame | None:
        """Effects that can meet in one pool, in order of their names."""
        effects = self._effects(changes)
        if effects is None or self.key is None:
            return None
        measure, unit = self.key
        kept = effects[(effects["measure"] == measure) & (effects["unit"] == unit)]
        known = kept["has_known_scale"].astype(bool)
        # Scales of unknown ends never meet: where there is no other, the first trial stands for
        # itself.
        alone = kept["trial_id"] == kept["trial_id"].min()
        kept = kept[known if known.any() else alone]
        if "measure" in changes and measure == "RR":
            kept = _as_odds_ratios(kept)
        return None if kept.empty else kept.sort_values("effect_id", kind="stable")


def _distinct(
    nodes: Sequence[Node], part: Callable[[Option], dict[str, Any]]
) -> tuple[list[dict[str, Any]], IntArray]:
    """Distinct changes of one kind, and which of them each combination of options makes."""
    concerned = [any(part(option) for option in node.options) for node in nodes]
    sizes = [len(node.options) for node in nodes]
    all_options = digits(np.arange(prod(sizes)), sizes)
    own = [node for node, is_concerned in zip(nodes, concerned, strict=True) if is_concerned]
    of = combined(all_options[:, concerned], [len(node.options) for node in own])
    return _all_changes(own, part), of


def _all_changes(
    nodes: Sequence[Node], part: Callable[[Option], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Changes of every combination of options; of two that change the same, the later counts."""
    return [
        {name: value for option in options for name, value in part(option).items()}
        for options in product(*(node.options for node in nodes))
    ]


def _frozen(changes: dict[str, Any]) -> Changes:
    return tuple(sorted(changes.items()))


# The nodes are the same for every outcome.
@lru_cache(maxsize=4096)
def _selection(main: Variant, departure: Changes) -> Selection:
    return departed(main, dict(departure)).selection


def _as_odds_ratios(effects: pd.DataFrame) -> pd.DataFrame:
    """The same counts as odds ratios; a risk ratio without its counts has none."""
    counts = {name: effects[name].to_numpy(dtype=float) for name in COUNTS}
    is_counted = ~np.isnan(np.array(list(counts.values()))).any(axis=0)
    kept = effects[is_counted]
    found = effect_size("OR", **{name: value[is_counted] for name, value in counts.items()})
    low, high = ci_from_se(found.yi, np.sqrt(found.vi))
    odds: pd.DataFrame = kept.assign(yi=found.yi, vi=found.vi, ci_low=low, ci_high=high)
    return odds


def _barred_and_ranked(
    frame: pd.DataFrame, selections: Sequence[Selection]
) -> tuple[BoolArray, FloatArray]:
    """What each selection bars, and its order of preference, (m, c); rules are worked out once."""
    stated = rules(frame)
    liftable = dict.fromkeys(name for rule in stated for name in rule.lifted_by)
    windows: dict[tuple[float, float], BoolArray] = {}
    bars: dict[tuple[Any, ...], BoolArray] = {}
    orders: dict[tuple[Any, ...], FloatArray] = {}
    asked: dict[tuple[Any, ...], BoolArray] = {}
    barred = np.zeros((len(selections), len(frame)), dtype=np.bool_)
    rank = np.zeros((len(selections), len(frame)))
    for place, selection in enumerate(selections):
        lifted = [name for name in liftable if getattr(selection, name)]
        window = (selection.earliest_weeks, selection.latest_weeks)
        if window not in windows:
            windows[window] = outside_window(frame, selection)
        if (*window, *lifted) not in bars:
            own = [one.applies for one in stated if not {*one.lifted_by} & {*lifted}]
            bars[*window, *lifted] = np.logical_or.reduce([windows[window], *own])
        if selection.limits not in asked:
            own = [rule.applies for rule in limits(frame, selection)]
            asked[selection.limits] = np.logical_or.reduce([windows[window] & False, *own])
        ranked = (selection.analysis_sets, selection.read_from, selection.estimands)
        order = (selection.target_weeks, selection.estimand, *ranked)
        if order not in orders:
            in_order = np.lexsort(np.array(ranks(frame, selection), dtype=float).T[::-1])
            orders[order] = np.argsort(in_order).astype(np.float64)
        barred[place] = bars[*window, *lifted] | asked[selection.limits]
        rank[place] = orders[order]
    return barred, rank


# Columns of an effect that selection, forest plot and sentence need.
COLUMNS = (
    *("effect_id", "study_id", "study_label", "trial_id", "year", "analysis_set", "read_from"),
    *("comparator", "estimand", "route_rank", *EFFECT, "n_1", "n_2", "arm_1_data", "arm_2_data"),
    *("is_preferred", "is_paired", "design", "blinding", "overall_bias", "dose_low_mg"),
    "dose_high_mg",
)


def explored(evidence: Evidence, protocol: Protocol) -> dict[str, Any]:
    """Collect what a reader's choices act upon, as JSON can hold it."""
    model = asdict(replace(protocol.model, bayes=None)) | {"two_trials": TWO_TRIALS}
    found: dict[str, Any] = {
        "selection": _plain(asdict(protocol.selection)),
        "model": model,
        "nodes": [
            {
                "name": node.name,
                "reason": node.reason,
                "options": [
                    {"name": option.name, "changes": _plain(_changes(protocol, option))}
                    for option in node.options
                ],
            }
            for node in protocol.nodes
        ],
        "rules": [],
        "bias_steps": BIAS_STEP,
        "of_people": list(OF_PEOPLE),
        "limits": _limits(evidence),
        "indications": [],
    }
    for row in as_records(evidence.text["indications"]):
        if row["is_reported"] != "yes":
            continue
        own = evidence.for_indication(row["indication_id"])
        found["indications"].append(
            {
                "indication_id": row["indication_id"],
                "label": row["label"],
                "drug": row["intervention"],
                "treatment": evidence.review.label,
                "comparator_class": row["main_comparator"],
                "main_construct": row["main_construct"],
                "outcomes": list(
                    _outcomes(Normalised(own, protocol), row["main_comparator"], found["rules"])
                ),
            }
        )
    return found


def _limits(evidence: Evidence) -> dict[str, list[str]]:
    """Words of every limit and method that an address of the page may state; doses are numbers."""
    words = known_words(evidence.dictionary, as_records(evidence.text["studies"]))
    found = {
        name: list(dict.fromkeys(words[name].values() if name in words else CHOICES[name].allowed))
        for name in LIMITS
        # Trials taken out are a part of the page.
        if name != "without"
    }
    methods = {"tau2_method": TAU2_METHODS, "ci_method": CI_METHODS, "pi_method": PI_METHODS}
    return found | {name: list(of) for name, of in methods.items()}


def _changes(protocol: Protocol, option: Option) -> dict[str, Any]:
    """What an option changes, by the fields of selection and model that it comes to."""
    main = Variant(option.name, protocol.selection, protocol.model)
    other = departed(main, option.of_protocol())
    fields = {
        name: value
        for one, mine in ((other.selection, main.selection), (other.model, main.model))
        for name, value in vars(one).items()
        if value != getattr(mine, name)
    }
    return {**option.of_data(), **fields}


def _outcomes(
    normalised: Normalised, comparator_class: str, stated: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Outcomes of the evidence map with an effect; ``stated`` gets the rules when first seen."""
    protocol = normalised.protocol
    outcomes = normalised.own.text["outcomes"]
    labels = dict(zip(outcomes["construct"], outcomes["construct_label"], strict=True))
    for construct in dict.fromkeys(c for g in protocol.outcome_groups.values() for c in g):
        choice = ChoiceOfEffects(normalised, construct, comparator_class)
        if choice.key is None:
            continue
        measure, unit = choice.key
        effects: list[dict[str, Any]] = []
        states = []
        for changes in _data_changes(protocol):
            frame = choice.candidates(changes)
            if frame is not None and not stated:
                stated += [
                    {"reason": rule.reason, "lifted_by": list(rule.lifted_by)}
                    for rule in rules(frame)
                ]
            places = []
            for record in [] if frame is None else _records(frame):
                if record not in effects:
                    effects.append(record)
                places.append(effects.index(record))
            is_odds = "measure" in changes and measure == "RR"
            told = str(changes["measure"]) if is_odds else measure
            states.append({"changes": changes, "measure": told, "effects": places})
        if not any(_may_enter(effect, stated) for effect in effects):
            continue
        yield {
            "construct": construct,
            "label": labels[construct],
            "measure": measure,
            "unit": unit,
            "benefit_sign": _plain(choice.benefit_sign),
            "effects": effects,
            "states": states,
            **_pairs(effects, stated, protocol.model, choice.key),
        }


def _may_enter(effect: dict[str, Any], stated: list[dict[str, Any]]) -> bool:
    """Whether some choice lifts everything that bars an effect."""
    return all(stated[rule]["lifted_by"] for rule in effect["bars"])


def _pairs(
    effects: list[dict[str, Any]],
    stated: list[dict[str, Any]],
    model: Model,
    key: tuple[str, str],
) -> dict[str, Any]:
    """What two trials are read by, for every pair that can meet: the page has no integrals."""
    found: dict[str, Any] = {"pairs": [], "read_by": ""}
    able = [n for n, effect in enumerate(effects) if _may_enter(effect, stated)]
    for one, two in combinations(able, 2):
        pair = (effects[one], effects[two])
        if pair[0]["trial_id"] == pair[1]["trial_id"] or not model.is_read_with_prior(TWO_TRIALS):
            continue
        yi, vi = (tuple(float(effect[name]) for effect in pair) for name in ("yi", "vi"))
        r = with_prior(yi, vi, model, measure=key[0], unit=key[1])
        if r is not None:
            read = (r.mu_median, r.mu_low, r.mu_high)
            found["pairs"].append([one, two, *map(float, read)])
            found["read_by"] = prior_method(r)
    return found


def _data_changes(protocol: Protocol) -> list[dict[str, Any]]:
    """Every combination of choices that change effects themselves, each once."""
    about_data = [n for n in protocol.nodes if any(option.of_data() for option in n.options)]
    found = _all_changes(about_data, Option.of_data)
    return [changes for place, changes in enumerate(found) if changes not in found[:place]]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Effects as JSON can hold them, with the rules that bar each by place."""
    applies = [rule.applies for rule in rules(frame)]
    direct = frame["route"].str.startswith("difference") & (frame["direction"] == NOT_STATED)
    records = []
    for place, row in enumerate(as_records(frame)):
        record = {name: _plain(row[name]) for name in COLUMNS}
        record |= {
            "week": _plain(row["timepoint_weeks"]),
            "bars": [number for number, rule in enumerate(applies) if rule[place]],
            "has_window": row["domain"] in IN_WINDOW,
            "sign_is_as_printed": bool(direct.iloc[place]),
        }
        records.append(record)
    return records


def _plain(value: Any) -> Any:
    """Return what JSON can hold; NaN becomes None."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


NUMBERS = (
    *("k", "estimate", "se", "ci_low", "ci_high", "p_value", "tau2", "i2_pct"),
    *("pi_low", "pi_high"),
)
# Analyses in one frame of a stream: 20 MB.
CHUNK = 100_000
# Choices of the model alone: they change how effects are pooled, not which.
MODEL_CHOICES = frozenset({"tau2_method", "ci_method", "pi_method", "level"})


@dataclass(frozen=True, eq=False)
class Multiverse:
    """Every combination of choices for one outcome, computed once a distinct set of effects."""

    indication_id: str
    construct: str
    comparator_class: str
    measure: str
    unit: str
    benefit_sign: float
    nodes: tuple[Node, ...]
    trials: tuple[str, ...]
    yi: FloatArray
    vi: FloatArray
    set_of: IntArray
    results: dict[str, FloatArray]

    @property
    def sizes(self) -> list[int]:
        """Number of options of each node."""
        return [len(node.options) for node in self.nodes]

    def __len__(self) -> int:
        """Number of combinations of options."""
        return math.prod(self.sizes)

    @cached_property
    def told(self) -> FloatArray:
        """Estimates with their intervals, (sets, models, 3), equal where they are the same.

        Results without an interval are one and the same; NaN would differ from itself.
        """
        names = ("estimate", "ci_low", "ci_high")
        numbers = np.stack([self.results[name] for name in names], axis=-1)
        return np.nan_to_num(np.round(numbers, SAME_DIGITS), nan=np.inf)

    @cached_property
    def moves(self) -> list[bool]:
        """Whether each node moves any estimate or interval of this outcome."""
        found = []
        for place, node in enumerate(self.nodes):
            about = is_about_model(node)
            places, sizes = self.part(about)
            axis = places.index(place) + int(about)
            shape = (-1, *sizes, self.told.shape[-1])
            grid = self.told.reshape(shape) if about else self.set_of.reshape(sizes)
            found.append(bool((grid != grid.take([0], axis=axis)).any()))
        return found

    @property
    def distinct(self) -> int:
        """Number of analyses that can differ: nodes that move nothing are not counted."""
        return math.prod(s for s, moves in zip(self.sizes, self.moves, strict=True) if moves)

    def __repr__(self) -> str:
        """Return one line: the outcome, and how many analyses it has."""
        sets = counted(len(self.yi), "distinct set")
        question = f"{self.indication_id}, {self.construct} against {self.comparator_class}"
        trials = counted(len(self.trials), "trial")
        return f"<Multiverse {question}: {analyses_text(self.nodes)}, {sets} of effects, {trials}>"

    def _repr_html_(self) -> str:
        """Return the outcome, the protocol's own analysis, the range, and the nodes."""
        first = self.frame(0, 1).iloc[0]
        estimate = self.results["estimate"]
        finite = estimate[np.isfinite(estimate)]
        rows = [
            ("outcome", f"{self.construct} against {self.comparator_class}, {self.indication_id}"),
            ("measure", f"{self.measure}, {self.unit}; numbers on the scale of yi"),
            ("analyses", f"{len(self):,}"),
            (
                "computed",
                f"{counted(len(self.yi), 'distinct set')} of effects, each under "
                f"{counted(estimate.shape[1], 'model')}",
            ),
            ("trials", "; ".join(self.trials)),
            ("the plan's own", _interval(*first[["estimate", "ci_low", "ci_high"]])),
            (
                "all estimates",
                f"{finite.min():.4g} to {finite.max():.4g}" if finite.size else "not defined",
            ),
        ]
        choices = f"<p>Every combination of these choices:</p>{nodes_html(self.nodes)}"
        return titled_html("multiverse", "Multiverse", html_table(rows, is_prose=True), choices)

    def part(self, about_model: bool) -> tuple[list[int], list[int]]:
        """Places and sizes of the nodes about the model, or of those about the data."""
        places = [p for p, node in enumerate(self.nodes) if is_about_model(node) == about_model]
        return places, [self.sizes[place] for place in places]

    def places(self, options: IntArray) -> tuple[IntArray, IntArray]:
        """Row and column of ``results`` of analyses given by their options, (n, nodes)."""
        row, column = (
            combined(options[:, places], sizes) for places, sizes in map(self.part, (False, True))
        )
        return self.set_of[row], column

    def alone(self, place: int) -> tuple[IntArray, IntArray]:
        """Row and column of ``results`` for each option of a node, all others as in the plan."""
        options = np.zeros((self.sizes[place], len(self.nodes)), dtype=np.int64)
        options[:, place] = range(self.sizes[place])
        return self.places(options)

    def frame(self, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        """Analyses ``start`` to ``stop``, one row each."""
        import pandas as pd

        index = np.arange(start, len(self) if stop is None else min(stop, len(self)))
        options = digits(index, self.sizes)
        row, column = self.places(options)
        chosen = {
            node.name: pd.Categorical.from_codes(
                options[:, place], categories=pd.Index([option.name for option in node.options])
            )
            for place, node in enumerate(self.nodes)
        }
        numbers = {name: self.results[name][row, column] for name in NUMBERS}
        return pd.DataFrame({"analysis": index, **chosen, **numbers, "set": row})

    def stream(self, *, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
        """All analyses in frames of at most ``chunk`` rows: memory does not grow with them."""
        for start in range(0, len(self), chunk):
            yield self.frame(start, start + chunk)


def multiverse(
    evidence: Evidence, protocol: Protocol, indication: str, outcome: str
) -> pd.DataFrame:
    """Every defensible analysis of an outcome, one row each.

    Parameters
    ----------
    evidence : Evidence
        All conditions or one.
    protocol : Protocol
        Its nodes are the choices.
    indication : str
        Key in ``indications.csv``.
    outcome : str
        Construct of outcomes.csv, against the main comparator of the condition.

    Returns
    -------
    pandas.DataFrame
        As ``Multiverse.frame``; no rows if no trial gives an effect under any choice.

    Raises
    ------
    ArgumentError
        If there is no such indication or outcome.
    """
    import pandas as pd

    own = evidence.for_indication(indication)
    known = sorted(set(own.text["outcomes"]["construct"]))
    if outcome not in known:
        message = f"outcome {outcome!r} is not in outcomes.csv; known: {', '.join(known)}"
        raise ArgumentError(message)
    comparator = str(own.text["indications"]["main_comparator"].iloc[0])
    found = build_multiverse(Normalised(own, protocol), outcome, comparator)
    return pd.DataFrame() if found is None else found.frame()


def build_multiverse(
    normalised: Normalised, construct: str, comparator_class: str
) -> Multiverse | None:
    """Compute everything that differs between the analyses of one outcome."""
    protocol = normalised.protocol
    nodes = protocol.nodes
    about_data = [node for node in nodes if not is_about_model(node)]
    choice = ChoiceOfEffects(normalised, construct, comparator_class)
    if choice.key is None:
        return None
    trials, effects = choice.choose(about_data)
    if not trials:
        return None
    # The last tell analyses apart only where a trial is alone.
    effects[2:, np.count_nonzero(~np.isnan(effects[1]), axis=1) > 1] = np.nan
    stacked = np.nan_to_num(np.concatenate(effects, axis=1), nan=np.inf)
    _, first, set_of = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
    yi, vi, *own = effects[:, first]
    main = Variant("", protocol.selection, protocol.model)
    models = [
        departed(main, changes).model
        for changes in _all_changes([n for n in nodes if is_about_model(n)], Option.of_protocol)
    ]
    return Multiverse(
        indication_id=str(normalised.own.text["indications"]["indication_id"].iloc[0]),
        construct=construct,
        comparator_class=comparator_class,
        measure=choice.key[0],
        unit=choice.key[1],
        benefit_sign=choice.benefit_sign,
        nodes=nodes,
        trials=trials,
        yi=yi,
        vi=vi,
        set_of=np.asarray(set_of).reshape(-1),
        results=_with_prior(_pooled(yi, vi, own, models), yi, vi, models, choice.key),
    )


def is_about_model(node: Node) -> bool:
    """Whether a node changes nothing but how effects are pooled."""
    return all(set(option.changes) <= MODEL_CHOICES for option in node.options)


def _pooled(
    yi: FloatArray, vi: FloatArray, of_one: Sequence[FloatArray], models: list[Model]
) -> dict[str, FloatArray]:
    """Pool every set under every model; one batch for each way to pool, each set once in it.

    A trial that is alone keeps the limits of its own interval, and its df.
    """
    k = np.count_nonzero(~np.isnan(vi), axis=1)
    results = {name: np.full((len(yi), len(models)), np.nan) for name in NUMBERS}
    ways: dict[tuple[str, str, float, str], list[tuple[int, IntArray]]] = {}
    for column, model in enumerate(models):
        intervals = np.array([model.interval(int(number)) for number in k])
        for ci_method in np.unique(intervals):
            way = (model.tau2_method, str(ci_method), model.level, model.pi_method)
            ways.setdefault(way, []).append((column, np.flatnonzero(intervals == ci_method)))
    for (tau2_method, ci_method, level, pi_method), cells in ways.items():
        rows = np.unique(np.concatenate([own for _, own in cells]))
        found = pool_many(
            yi[rows],
            vi[rows],
            tau2_method=tau2_method,
            ci_method=ci_method,
            level=level,
            pi_method=pi_method,
        )
        for column, own in cells:
            for name in NUMBERS:
                results[name][own, column] = getattr(found, name)[np.searchsorted(rows, own)]
    alone = k == 1
    at_level = [column for column, model in enumerate(models) if model.level == OWN_LEVEL]
    low, high, df = (np.nansum(numbers[alone], axis=1, keepdims=True) for numbers in of_one)
    for name, ends in (("ci_low", low), ("ci_high", high)):
        results[name][np.ix_(alone, at_level)] = ends
    estimate, se = (results[name][alone] for name in ("estimate", "se"))
    results["p_value"][alone] = p_from_se(estimate, se, df=np.where(df > 0, df, np.inf))
    return results


def _with_prior(
    results: dict[str, FloatArray],
    yi: FloatArray,
    vi: FloatArray,
    models: list[Model],
    key: tuple[str, str],
) -> dict[str, FloatArray]:
    """Put what two trials are read by, with the plan's prior, in place of their pool."""
    is_there = ~np.isnan(vi)
    read = [column for column, model in enumerate(models) if model.is_read_with_prior(TWO_TRIALS)]
    for row in np.flatnonzero(np.count_nonzero(is_there, axis=1) == TWO_TRIALS):
        y, v = (tuple(map(float, part[row][is_there[row]])) for part in (yi, vi))
        for column in read:
            found = with_prior(y, v, models[column], measure=key[0], unit=key[1])
            if found is not None:
                told = {"estimate": found.mu_median, "ci_low": found.mu_low}
                # Standard error and p-value are those of an interval that is not read.
                told |= {"ci_high": found.mu_high, "se": math.nan, "p_value": math.nan}
                for name, value in told.items():
                    results[name][row, column] = value
    return results


# Results that differ by less are one: they come from the same effects by another way.
SAME_DIGITS = 9
QUANTILES = {"p05": 0.05, "median": 0.5, "p95": 0.95}


def summary(found: Multiverse, protocol: Protocol) -> dict[str, Any]:
    """Where the analyses of an outcome end up.

    Shares are shares of the analyses with a result. They count defensible choices; they are no
    probabilities.
    """
    weight = weights(found)
    estimate, low, high = (found.results[name] for name in ("estimate", "ci_low", "ci_high"))
    has = np.isfinite(estimate)
    total = weight[has].sum()
    sign = found.benefit_sign
    lies = side(low, high, sign)
    # Towards benefit: positive is better, whatever the scale.
    best = np.maximum(sign * low, sign * high)
    mid = protocol.important_difference(found.construct, found.unit)

    def share(where: BoolArray) -> float:
        return float(weight[has & where].sum() / total) if total else math.nan

    cell = found.places(_first(found))
    names = ("k", "estimate", "ci_low", "ci_high")
    default = {name: float(found.results[name][cell][0]) for name in names}
    finite = estimate[has]
    quantiles = weighted_quantiles(finite, weight[has], list(QUANTILES.values()))
    return {
        "indication_id": found.indication_id,
        "construct": found.construct,
        "comparator_class": found.comparator_class,
        "measure": found.measure,
        "unit": found.unit,
        "trials": "; ".join(found.trials),
        "combinations": len(found),
        "analyses": found.distinct,
        # A node that moves nothing repeats every analysis.
        "without_result": int(weight[~has].sum()) * found.distinct // len(found),
        "effect_sets": int((~np.isnan(found.vi)).any(axis=1).sum()),
        "results": len(np.unique(found.told[has], axis=0)),
        **{f"default_{name}": value for name, value in default.items()},
        "lowest": float(finite.min()) if finite.size else math.nan,
        **dict(zip(QUANTILES, map(float, quantiles), strict=True)),
        "highest": float(finite.max()) if finite.size else math.nan,
        "below_default": share(estimate < default["estimate"] - 10.0**-SAME_DIGITS),
        "favours_treatment": share(lies == 1),
        "either_way": share(lies == 0),
        "favours_comparator": share(lies == -1),
        "no_interval": share(np.isnan(low)),
        "leans_treatment": share(sign * estimate > 0),
        "mid": mid,
        "beyond_mid": share(sign * estimate >= mid) if math.isfinite(mid) else math.nan,
        "ci_beyond_mid": share(best >= mid) if math.isfinite(mid) else math.nan,
    }


def node_table(found: Multiverse) -> pd.DataFrame:
    """How much each node moves the answer."""
    import pandas as pd

    estimate = found.results["estimate"]
    # Results without an interval are of one kind; NaN would differ from itself.
    excludes = np.abs(side(found.results["ci_low"], found.results["ci_high"]))
    excludes = np.nan_to_num(excludes, nan=-1.0)
    default = found.places(_first(found))
    rows = []
    for place, node in enumerate(found.nodes):
        cells = found.alone(place)
        values = estimate[cells]
        shift = np.round(np.abs(values - estimate[default]), SAME_DIGITS)
        farthest = int(np.nanargmax(shift)) if np.isfinite(shift).any() else 0
        rows.append(
            {
                "indication_id": found.indication_id,
                "construct": found.construct,
                "comparator_class": found.comparator_class,
                "node": node.name,
                "reason": node.reason,
                "options": "; ".join(option.name for option in node.options),
                "moves": found.moves[place],
                "share_explained": share_explained(*_sums(found, place)),
                "farthest": float(values[farthest]),
                "farthest_option": node.options[farthest].name,
                "shift": float(values[farthest] - estimate[default][0]),
                "changes_verdict": len(np.unique(excludes[cells])) > 1,
            }
        )
    # Shares are never below nought.
    return pd.DataFrame(rows).sort_values(
        ["share_explained", "shift"],
        ascending=False,
        kind="stable",
        ignore_index=True,
        # What rounding leaves decides no place; the order of the plan does.
        key=lambda column: column.abs().round(SAME_DIGITS),
    )


def weights(found: Multiverse, kept: BoolArray | None = None) -> FloatArray:
    """Analyses behind each cell of ``results``, (sets, models); of all sets or of those kept."""
    sets, models = found.results["estimate"].shape
    per_set = np.bincount(found.set_of[... if kept is None else kept], minlength=sets)
    return np.repeat(per_set[:, None].astype(np.float64), models, axis=1)


def multiverse_tables(evidence: Evidence, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summary and node table of every outcome of the evidence map that has an effect."""
    import pandas as pd

    summaries, nodes = [], []
    for found in all_multiverses(evidence, protocol):
        summaries.append(summary(found, protocol))
        nodes.append(node_table(found))
    if not summaries:
        return pd.DataFrame(), pd.DataFrame()
    return pd.DataFrame(summaries), pd.concat(nodes, ignore_index=True)


def all_multiverses(
    evidence: Evidence, protocol: Protocol, indications: Collection[str] | None = None
) -> list[Multiverse]:
    """Every outcome of the evidence map with an effect, against the main comparator."""
    found = []
    for row in as_records(evidence.tables["indications"]):
        name = row["indication_id"]
        if not row["is_reported"] or (indications is not None and name not in indications):
            continue
        normalised = Normalised(evidence.for_indication(name), protocol)
        for construct in dict.fromkeys(c for g in protocol.outcome_groups.values() for c in g):
            one = build_multiverse(normalised, construct, row["main_comparator"])
            if one is not None:
                found.append(one)
    return found


def _first(found: Multiverse) -> Any:
    return digits([0], found.sizes)


def _sums(found: Multiverse, place: int) -> FloatArray:
    """Sum, sum of squares and number of the estimates of each option of a node, (3, options)."""
    node = found.nodes[place]
    about = is_about_model(node)
    places, sizes = found.part(about)
    chosen = digits(np.arange(math.prod(sizes)), sizes)[:, places.index(place)]
    estimate = found.results["estimate"]
    has, finite = np.isfinite(estimate), np.nan_to_num(estimate, nan=0.0)
    sums = []
    for option in range(len(node.options)):
        own = chosen == option
        weight = (weights(found) * own if about else weights(found, own)) * has
        sums.append([(weight * part).sum() for part in (finite, finite**2, 1.0)])
    return np.array(sums).T


def _interval(estimate: float, low: float, high: float) -> str:
    if not math.isfinite(estimate):
        return "not defined"
    limits = f"{low:.4g} to {high:.4g}" if math.isfinite(low + high) else "not defined"
    return f"{estimate:.4g} (interval {limits})"
