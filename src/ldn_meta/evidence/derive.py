"""The derived tables, computed from the raw ones."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.conflicts import ledger
from ldn_meta.evidence.answer.multiverse import multiverse_tables
from ldn_meta.evidence.audit.claims import claims_table
from ldn_meta.evidence.audit.consistency import check_consistency, refuse_inconsistent
from ldn_meta.evidence.effects.effects import as_saved, normalise
from ldn_meta.evidence.effects.rows import CONTRAST, OF_PEOPLE
from ldn_meta.evidence.grade import certainty_tables
from ldn_meta.stats.convert import ci_from_se
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.proportions import (
    number_needed_to_treat,
    risk_difference_interval,
    wilson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence


BINARY = ("RR", "PLO")
SHOWN = [
    *("effect_id", "indication_id", "study_id", "study_label", "trial_id", "year", "kind"),
    "construct",
    *("construct_label", "outcome_id", "benefit_sign", "arm", "comparator", "comparator_class"),
    *("timepoint_weeks", "analysis_set", "design", "is_paired", "read_from", "is_transcribed"),
    *("is_preferred", "is_selected", "selected_why", "notes", "reported_in", "read_in"),
    "locator",
]
NUMBERS = [
    *("events_1", "n_1", "share_1", "share_1_low", "share_1_high", "events_2", "n_2", "share_2"),
    *("share_2_low", "share_2_high", "rr", "rr_low", "rr_high", "or", "or_low", "or_high", "rd"),
    *("rd_low", "rd_high"),
]


def people_with_events(effects: pd.DataFrame, domains: tuple[str, ...]) -> pd.DataFrame:
    """Table of binary outcomes, one row a comparison or a single arm.

    Notes
    -----
    Arms of a crossover are compared as if they were different people, which is conservative.
    Newcombe 1998, Statistics in Medicine 17:873-890, method 10; Altman 1998, BMJ 317:1309.
    """
    import pandas as pd

    columns = [*SHOWN, *NUMBERS, "nnt"]
    if effects.empty:
        return pd.DataFrame(columns=columns)
    is_counted = effects["measure"].isin(OF_PEOPLE) & effects["events_1"].notna()
    is_binary = (effects["measure"].isin(BINARY) | is_counted) & (effects["measure"] != "IRR")
    binary = effects[effects["domain"].isin(domains) & is_binary]
    rows = [
        {name: row[name] for name in SHOWN} | _numbers(row)
        for row in binary.to_dict(orient="records")
    ]
    return pd.DataFrame(rows, columns=columns)


def _numbers(row: dict[Any, Any]) -> dict[str, Any]:
    one = _share(row["events_1"], row["n_1"], "1")
    if row["kind"] != CONTRAST:
        return one | {"nnt": "NA"}
    two = _share(row["events_2"], row["n_2"], "2")
    table = {name: row[name] for name in ("events_1", "n_1", "events_2", "n_2")}
    difference = one["share_1"] - two["share_2"]
    low, high = (float(end) for end in risk_difference_interval(**table))
    sign = row["benefit_sign"]
    needed = "NA"
    if not math.isnan(sign):
        needed = number_needed_to_treat(difference, low, high, benefit_sign=int(sign)).text()
    return {
        **one,
        **two,
        **_ratio("RR", table),
        **_ratio("OR", table),
        "rd": difference,
        "rd_low": low,
        "rd_high": high,
        "nnt": needed,
    }


def _share(events: float, n: float, arm: str) -> dict[str, float]:
    low, high = wilson_interval(events, n)
    return {
        f"events_{arm}": events,
        f"n_{arm}": n,
        f"share_{arm}": events / n,
        f"share_{arm}_low": float(low),
        f"share_{arm}_high": float(high),
    }


def _ratio(code: str, table: dict[str, Any]) -> dict[str, float]:
    """Ratio and its interval; nothing where the same share of 0 or 1 says nothing about it."""
    nobody = table["events_1"] == table["events_2"] == 0
    everybody = (table["events_1"], table["events_2"]) == (table["n_1"], table["n_2"])
    if nobody or everybody:
        return {}
    effect = effect_size(code, **table)
    yi, se = float(effect.yi), math.sqrt(float(effect.vi))
    low, high = (float(end) for end in ci_from_se(yi, se))
    name = code.lower()
    return {
        name: math.exp(yi),
        f"{name}_low": math.exp(low),
        f"{name}_high": math.exp(high),
    }


def derive_tables(
    evidence: Evidence, protocol: Protocol, stage: Callable[[str], None] = lambda words: None
) -> dict[str, pd.DataFrame]:
    """Compute every derived table; ``stage`` is told what comes next."""
    protocol.check_against(evidence)
    stage("effects")
    effects, left_out = normalise(evidence, protocol)
    effects = as_saved(effects)
    stage("printed numbers against each other")
    consistency = check_consistency(evidence, protocol, effects, left_out)
    # Before anything is computed that takes seconds.
    refuse_inconsistent(evidence, consistency)
    stage("every defensible analysis")
    multiverse, multiverse_nodes = multiverse_tables(evidence, protocol)
    stage("pools, directions and certainty")
    answers = Answers(evidence, protocol, effects, left_out)
    rated = certainty_tables(answers)
    stage("claims and the other tables")
    return {
        **_of_effects(answers),
        "pooled": answers.table,
        "conflicts": ledger(evidence, protocol),
        "consistency": consistency,
        "claims": claims_table(replace(answers, certainty=rated.certainty)),
        **rated._asdict(),
        "multiverse": multiverse,
        "multiverse_nodes": multiverse_nodes,
    }


def _of_effects(answers: Answers) -> dict[str, pd.DataFrame]:
    """The tables that list effects and what was left out."""
    effects = answers.effects
    return {
        "effects": effects,
        "left_out": answers.left_out,
        "responders": people_with_events(effects, ("responder",)),
        "harms": people_with_events(effects, ("harm",)),
        "directions": answers.directions,
    }


def tables_of_run(evidence: Evidence, protocol: Protocol) -> dict[str, pd.DataFrame]:
    """The derived tables that follow the choices of a run; the others tell of the plan."""
    effects, left_out = normalise(evidence, protocol)
    effects = as_saved(effects) if len(effects) else effects
    answers = Answers(evidence, protocol, effects, left_out)
    return {**_of_effects(answers), **certainty_tables(answers, by_plan=False)._asdict()}
