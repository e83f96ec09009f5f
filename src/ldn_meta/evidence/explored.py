"""Everything the explore page computes from: candidate effects under every choice about data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.multiverse_effects import ChoiceOfEffects, Normalised
from ldn_meta.evidence.protocol import TWO_TRIALS
from ldn_meta.evidence.selection import IN_WINDOW, rules
from ldn_meta.evidence.synthesis import NOT_STATED

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

# Columns of an effect that selection, forest plot and sentence need.
COLUMNS = (
    *("effect_id", "study_id", "study_label", "trial_id", "year", "analysis_set", "read_from"),
    *("comparator", "route_rank", "yi", "vi", "n_1", "n_2", "arm_1_data", "arm_2_data"),
    *("is_preferred", "is_paired"),
)


def explored(evidence: Evidence, protocol: Protocol) -> dict[str, Any]:
    """Collect what a reader's choices act upon, as JSON can hold it.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol

    Returns
    -------
    dict
        selection, model: the protocol's choices; nodes: the questions of its multiverse; rules:
        why effects are barred and what lifts it; indications: each reported one with its
        outcomes of the evidence map for which some choice lets an effect against the main
        comparator in. An outcome
        has its effects once each, and states: which effects, of which measure, there are under
        each combination of choices about data. Undefined numbers are None.
    """
    model = asdict(protocol.model) | {"two_trials": TWO_TRIALS}
    found: dict[str, Any] = {
        "selection": _plain(asdict(protocol.selection)),
        "model": model,
        "nodes": [
            {
                "name": node.name,
                "reason": node.reason,
                "options": [
                    {"name": option.name, "changes": _plain(dict(option.changes))}
                    for option in node.options
                ],
            }
            for node in protocol.nodes
        ],
        "rules": [],
        "indications": [],
    }
    for row in evidence.text["indications"].to_dict("records"):
        if row["is_reported"] != "yes":
            continue
        own = evidence.for_indication(row["indication_id"])
        found["indications"].append(
            {
                "indication_id": row["indication_id"],
                "label": row["label"],
                "drug": row["intervention"],
                "comparator_class": row["main_comparator"],
                "main_construct": row["main_construct"],
                "outcomes": list(
                    _outcomes(Normalised(own, protocol), row["main_comparator"], found["rules"])
                ),
            }
        )
    return found


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
                stated += [{"reason": r.reason, "lifted_by": r.lifted_by} for r in rules(frame)]
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
        }


def _may_enter(effect: dict[str, Any], stated: list[dict[str, Any]]) -> bool:
    """Whether some choice lifts everything that bars an effect."""
    return all(stated[rule]["lifted_by"] is not None for rule in effect["bars"])


def _data_changes(protocol: Protocol) -> list[dict[str, Any]]:
    """Every combination of choices that change effects themselves, each once."""
    found: list[dict[str, Any]] = []
    about_data = [n for n in protocol.nodes if any(option.of_data() for option in n.options)]
    for options in product(*(node.options for node in about_data)):
        changes = {name: value for option in options for name, value in option.of_data().items()}
        if changes not in found:
            found.append(changes)
    return found


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Effects as JSON can hold them, with the rules that bar each by place."""
    if frame.empty:
        return []
    applies = [rule.applies.to_numpy(dtype=bool) for rule in rules(frame)]
    direct = frame["route"].str.startswith("difference") & (frame["direction"] == NOT_STATED)
    records = []
    for place, row in enumerate(frame.to_dict("records")):
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
