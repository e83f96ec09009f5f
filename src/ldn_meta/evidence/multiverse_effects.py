"""Which effect each trial brings under each combination of choices about data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ldn_meta.evidence.candidates import CONTRAST
from ldn_meta.evidence.nodes import Option
from ldn_meta.evidence.normalise import as_saved, candidate_effects
from ldn_meta.evidence.protocol import Variant, departed
from ldn_meta.evidence.selection import RANKS, outside_window, precedence, rules
from ldn_meta.evidence.synthesis import build_pools, find_pool
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.multiverse import combined, digits, first_choices

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.nodes import Node
    from ldn_meta.evidence.protocol import Protocol, Selection
    from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray

Changes: TypeAlias = tuple[tuple[str, Any], ...]
COUNTS = ("events_1", "n_1", "events_2", "n_2")


class Normalised:
    """Effects of one condition under every choice about data; each is computed once.

    Parameters
    ----------
    own : Evidence
        Of one indication (``Evidence.for_indication``).
    protocol : Protocol
    """

    def __init__(self, own: Evidence, protocol: Protocol) -> None:
        self.own, self.protocol = own, protocol
        self._effects: dict[tuple[float, float], dict[Any, pd.DataFrame]] = {}

    def effects(
        self, changes: dict[str, Any], construct: str, comparator_class: str
    ) -> pd.DataFrame | None:
        """Comparisons of an outcome under a choice of correlation and of how far p is rounded.

        Returns
        -------
        pandas.DataFrame or None
            None if there is none.
        """
        correlation = changes.get("within_person", self.protocol.correlation)
        largest = changes.get("largest_se_error", self.protocol.largest_se_error)
        if (correlation, largest) not in self._effects:
            changed = replace(self.protocol, correlation=correlation, largest_se_error=largest)
            effects, _ = candidate_effects(self.own, changed)
            if len(effects):
                effects = as_saved(effects[effects["kind"] == CONTRAST])
            self._effects[correlation, largest] = _by_outcome(effects)
        return self._effects[correlation, largest].get((construct, comparator_class))


class ChoiceOfEffects:
    """Candidate effects of one outcome, and what every combination of choices makes of them.

    Parameters
    ----------
    normalised : Normalised
    construct, comparator_class : str
    """

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

    def choose(self, nodes: Sequence[Node]) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
        """The effect of each trial under each combination of options.

        Parameters
        ----------
        nodes : sequence of Node
            Their m combinations are numbered as by ``stats.multiverse.digits``.

        Returns
        -------
        trials : tuple of str, (t,)
            Labels of the trials that ever bring an effect.
        yi, vi : ndarray (m, t)
            NaN where a trial brings none.
        """
        # Most combinations differ in neither: a few changes of the data times a few selections.
        changes, data_of = _distinct(nodes, Option.of_data)
        departures, selection_of = _distinct(nodes, Option.of_protocol)
        main = Variant("", self._protocol.selection, self._protocol.model)
        selections = [departed(main, departure).selection for departure in departures]
        groups = self._groups(changes)
        names: dict[str, str] = {}
        for frame, _ in groups:
            names |= dict(zip(frame["trial_id"], frame["study_label"], strict=True))
        trials = sorted(names)
        yi = np.full((len(data_of), len(trials)), np.nan)
        vi = yi.copy()
        for frame, alike in groups:
            chosen = first_choices(
                *_barred_and_ranked(frame, selections),
                np.array([trials.index(name) for name in frame["trial_id"]]),
                len(trials),
            )
            places = np.flatnonzero(np.isin(data_of, alike))
            for target, column in ((yi, "yi"), (vi, "vi")):
                # The last place, -1, stands for no effect.
                values = np.append(frame[column].to_numpy(dtype=float), np.nan)
                target[places] = values[chosen[selection_of[places]]]
        is_there = ~np.isnan(vi).all(axis=0)
        labels = tuple(names[t] for t, there in zip(trials, is_there, strict=True) if there)
        return labels, yi[:, is_there], vi[:, is_there]

    def _groups(self, changes: Sequence[dict[str, Any]]) -> list[tuple[pd.DataFrame, list[int]]]:
        """Changes of the data by the candidates they leave; most of them change nothing."""
        found: dict[tuple[Any, ...], tuple[pd.DataFrame, list[int]]] = {}
        frames: dict[Changes, pd.DataFrame | None] = {}
        for place, change in enumerate(changes):
            if self.key is not None and self.key[0] != "RR":
                change = {name: value for name, value in change.items() if name != "measure"}
            if _frozen(change) not in frames:
                frames[_frozen(change)] = self._candidates(change)
            frame = frames[_frozen(change)]
            if frame is not None:
                numbers = (frame[name].to_numpy().tobytes() for name in ("yi", "vi"))
                what = (*numbers, tuple(frame["effect_id"]))
                found.setdefault(what, (frame, []))[1].append(place)
        return list(found.values())

    def _effects(self, changes: dict[str, Any]) -> pd.DataFrame | None:
        """All comparisons of the outcome with the comparator, under a choice about data."""
        return self._normalised.effects(changes, self._construct, self._comparator_class)

    def _candidates(self, changes: dict[str, Any]) -> pd.DataFrame | None:
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


def _by_outcome(effects: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    if effects.empty:
        return {}
    return dict(iter(effects.groupby(["construct", "comparator_class"], sort=False)))


def _distinct(
    nodes: Sequence[Node], part: Callable[[Option], dict[str, Any]]
) -> tuple[list[dict[str, Any]], IntArray]:
    """Distinct changes of one kind, and which of them each combination of options makes."""
    concerned = [any(part(option) for option in node.options) for node in nodes]
    sizes = [len(node.options) for node in nodes]
    all_options = digits(np.arange(prod(sizes)), sizes)
    own = [node for node, is_concerned in zip(nodes, concerned, strict=True) if is_concerned]
    of = combined(all_options[:, concerned], [len(node.options) for node in own])
    # Of two nodes that change the same, the later one counts.
    changes = [
        {name: value for option in options for name, value in part(option).items()}
        for options in product(*(node.options for node in own))
    ]
    return changes, of


def _frozen(changes: dict[str, Any]) -> Changes:
    return tuple(sorted(changes.items()))


def _as_odds_ratios(effects: pd.DataFrame) -> pd.DataFrame:
    """The same counts as odds ratios; a risk ratio without its counts has none."""
    counts = {name: effects[name].to_numpy(dtype=float) for name in COUNTS}
    is_counted = ~np.isnan(np.array(list(counts.values()))).any(axis=0)
    kept = effects[is_counted]
    found = effect_size("OR", **{name: value[is_counted] for name, value in counts.items()})
    odds: pd.DataFrame = kept.assign(yi=found.yi, vi=found.vi)
    return odds


def _barred_and_ranked(
    frame: pd.DataFrame, selections: Sequence[Selection]
) -> tuple[BoolArray, FloatArray]:
    """What each selection bars, and its order of preference, (m, c); rules are worked out once."""
    stated = [(rule.applies.to_numpy(dtype=bool), rule.lifted_by) for rule in rules(frame)]
    windows: dict[tuple[float, float], BoolArray] = {}
    orders: dict[tuple[Any, ...], FloatArray] = {}
    barred = np.zeros((len(selections), len(frame)), dtype=np.bool_)
    rank = np.zeros((len(selections), len(frame)))
    for place, selection in enumerate(selections):
        window = (selection.earliest_weeks, selection.latest_weeks)
        if window not in windows:
            windows[window] = outside_window(frame, selection).to_numpy(dtype=bool)
        order = (selection.analysis_sets, selection.target_weeks, selection.read_from)
        if order not in orders:
            ranks = precedence(frame, selection)
            sorted_rows = ranks.reset_index(drop=True).sort_values(list(RANKS), kind="stable")
            orders[order] = np.argsort(sorted_rows.index.to_numpy()).astype(np.float64)
        barred[place] = windows[window]
        for applies, lifted_by in stated:
            if lifted_by is None or not getattr(selection, lifted_by):
                barred[place] |= applies
        rank[place] = orders[order]
    return barred, rank
