"""From selected effects to pools; where none is possible, to what else can be said."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.candidates import CHANGE, CONTRAST, ONE_ARM, PROPORTION
from ldn_meta.evidence.candidates import RATIO_MEASURES as RATIO_MEASURES
from ldn_meta.evidence.protocol import MAIN as MAIN
from ldn_meta.evidence.selection import FURTHER_ARM, POOL, choose
from ldn_meta.stats.pool import pool

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Model, Protocol, Selection
    from ldn_meta.stats.result import PooledResult

META_ANALYSIS = "meta-analysis"
ONE_TRIAL = "one trial"
DIRECTION_ONLY = "direction only"
NO_COMPARISON = "no comparison group"
NOTHING = "nothing"
# Kinds of synthesis, best first; only the first two carry a number.
KINDS = (META_ANALYSIS, ONE_TRIAL, DIRECTION_ONLY, NO_COMPARISON, NOTHING)
# Results of people on LDN alone.
SINGLE = (CHANGE, PROPORTION, ONE_ARM)
NOT_STATED = "not stated"
NO_DIFFERENCE = "no difference"
EITHER_WAY = "either way"
FAVOURS_LDN, FAVOURS_COMPARATOR = "favours LDN", "favours comparator"
# Some studies on one side and others without a difference do not point opposite ways.
PARTLY_LDN = "partly favours LDN"
PARTLY_COMPARATOR = "partly favours comparator"
CONFLICTING = "conflicting"


@dataclass(frozen=True)
class Pool:
    """The trials of one outcome against one kind of comparator, and their pooled result.

    Attributes
    ----------
    key : dict of str
        Values of indication_id, construct, comparator_class, measure and unit.
    trials : pandas.DataFrame
        The chosen effect of each trial, oldest first.
    result : PooledResult
    """

    key: dict[str, str]
    trials: pd.DataFrame
    result: PooledResult

    @property
    def people(self) -> int:
        """People in the pooled comparisons; pairs are counted once."""
        return people(self.trials)


def people(trials: pd.DataFrame) -> int:
    """Number of people behind comparisons; the two arms of a pair are the same people."""
    first = trials["n_1"].fillna(0.0)
    second = trials["n_2"].fillna(0.0).where(~trials["is_paired"].astype(bool), 0.0)
    return int((first + second).sum())


def pool_trials(trials: pd.DataFrame, model: Model, measure: str) -> PooledResult:
    """Pool one effect per trial with the model's methods.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows with ``yi``, ``vi`` and ``study_label``.
    model : Model
    measure : str
        Code of the effect measure, for the record.

    Returns
    -------
    PooledResult
    """
    return pool(
        trials["yi"].to_numpy(dtype=float),
        trials["vi"].to_numpy(dtype=float),
        tau2_method=model.tau2_method,
        ci_method=model.interval(len(trials)),
        level=model.level,
        pi_method=model.pi_method,
        measure=measure,
        labels=tuple(trials["study_label"]),
    )


def build_pools(effects: pd.DataFrame, selection: Selection, model: Model) -> list[Pool]:
    """All pools of a set of effects, each trial with one effect.

    Parameters
    ----------
    effects : pandas.DataFrame
        Candidate effects (``normalise``).
    selection : Selection
    model : Model

    Returns
    -------
    list of Pool
        Sorted by key; pools without a single trial are not listed. Trials on scales whose ends
        are not known stand alone, each in a pool of the same key.
    """
    if effects.empty:
        return []
    kept = effects[choose(effects, selection)].sort_values(["year", "study_id"], kind="stable")
    alone = kept["study_id"].mask(kept["has_known_scale"].astype(bool), "")
    pools = []
    for values, trials in kept.groupby([*POOL, alone.rename("alone")], sort=True):
        key = dict(zip(POOL, (str(value) for value in values[: len(POOL)]), strict=True))
        result = pool_trials(trials, model, key["measure"])
        pools.append(Pool(key, trials.reset_index(drop=True), result))
    return pools


def find_pool(pools: list[Pool], *, construct: str, comparator_class: str) -> Pool | None:
    """The pool of a construct against a comparator class with the most trials, if any."""
    fitting = [
        p
        for p in pools
        if p.key["construct"] == construct and p.key["comparator_class"] == comparator_class
    ]
    return max(fitting, key=lambda p: len(p.trials)) if fitting else None


def sensitivity_pools(
    effects: pd.DataFrame, protocol: Protocol, *, construct: str, comparator_class: str
) -> list[tuple[str, Pool | None]]:
    """The main pool and every named departure from it, in the order of the protocol."""
    return [
        (
            name,
            find_pool(
                build_pools(effects, selection, model),
                construct=construct,
                comparator_class=comparator_class,
            ),
        )
        for name, selection, model in protocol.variants
    ]


def possible_synthesis(
    effects: pd.DataFrame, left_out: pd.DataFrame, pools: list[Pool], *, constructs: list[str]
) -> dict[str, Any]:
    """Say what kind of synthesis an outcome group allows, on how much evidence.

    Parameters
    ----------
    effects, left_out : pandas.DataFrame
        Of one indication.
    pools : list of Pool
        Main pools of the indication.
    constructs : list of str
        Constructs that make up the outcome group; the one with the best synthesis counts, and
        among equals the first.

    Returns
    -------
    dict
        synthesis (one of KINDS), construct, comparator_class, trials, people, measure,
        estimate, ci_low, ci_high, direction, and directions: what each trial that brings
        nothing to a pool reports. Numbers are NaN where nothing is pooled, people 0 where
        nobody said how many.
    """
    # Frames without any row may have no columns either.
    seen = effects[effects["construct"].isin(constructs)] if len(effects) else left_out[:0]
    said = left_out[left_out["construct"].isin(constructs)]
    columns = ["study_label", "kind", "direction", "is_preferred", "comparator_class", "construct"]
    rows = [row for frame in (said, seen) for row in frame[columns].to_dict("records")]
    rows = [row for row in rows if row["comparator_class"] != FURTHER_ARM]
    directions = _directions([row for row in rows if row["kind"] == CONTRAST])
    fitting = [found for found in pools if found.key["construct"] in constructs]
    if fitting:
        best = max(fitting, key=lambda p: (len(p.trials), -constructs.index(p.key["construct"])))
        return _with_others(_of_pool(best), best, directions)
    answer = {
        "construct": constructs[0],
        "comparator_class": "none",
        "people": 0,
        "measure": "none",
        "estimate": math.nan,
        "ci_low": math.nan,
        "ci_high": math.nan,
        "direction": NOT_STATED,
        "directions": {},
    }
    if directions:
        return {
            **answer,
            "synthesis": DIRECTION_ONLY,
            "trials": len(directions),
            "direction": one_word(directions.values()),
            "directions": directions,
            "construct": _first(constructs, [row for row in rows if row["kind"] == CONTRAST]),
        }
    alone = {row["study_label"] for row in rows if row["kind"] in SINGLE}
    # A study's largest group: its other groups are parts of it.
    people = seen.groupby("study_id")["n_1"].max().fillna(0).sum() if "n_1" in seen else 0
    kind = NO_COMPARISON if alone else NOTHING
    said_alone = [row for row in rows if row["kind"] in SINGLE]
    return {
        **answer,
        "synthesis": kind,
        "trials": len(alone),
        "people": int(people),
        "construct": _first(constructs, said_alone),
    }


def _first(constructs: list[str], rows: list[dict[Any, Any]]) -> str:
    """The first of the constructs that a row is about."""
    told = {row["construct"] for row in rows}
    return next((name for name in constructs if name in told), constructs[0])


def _with_others(answer: dict[str, Any], best: Pool, told: dict[str, str]) -> dict[str, Any]:
    """What other studies of the group told, beside the number of a single trial."""
    own = set(best.trials["study_label"])
    others = {name: word for name, word in told.items() if name not in own}
    if answer["synthesis"] != ONE_TRIAL or not others:
        return answer
    said = NO_DIFFERENCE if answer["direction"] == EITHER_WAY else answer["direction"]
    word = one_word([said, *others.values()])
    return {
        **answer,
        "direction": EITHER_WAY if word == NO_DIFFERENCE else word,
        "directions": others,
    }


def _directions(rows: list[dict[Any, Any]]) -> dict[str, str]:
    """Direction that each trial reports; by its preferred sources, if they state one."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(row["study_label"] for row in rows):
        own = [r for r in rows if r["study_label"] == name and r["direction"] != NOT_STATED]
        first = [r for r in own if r["is_preferred"]] or own
        found[name] = one_word(r["direction"] for r in first)
    return found


def one_word(words: Iterable[str]) -> str:
    """What several directions come to; those that are not stated say nothing."""
    stated = set(words) - {NOT_STATED}
    for_ldn = stated & {FAVOURS_LDN, PARTLY_LDN}
    for_comparator = stated & {FAVOURS_COMPARATOR, PARTLY_COMPARATOR}
    if CONFLICTING in stated or (for_ldn and for_comparator):
        return CONFLICTING
    if len(stated) > 1:
        return PARTLY_LDN if for_ldn else PARTLY_COMPARATOR
    return next(iter(stated), NOT_STATED)


def interval_direction(ci_low: float, ci_high: float, benefit_sign: float) -> str:
    """Which side an interval lies on, in words; undefined intervals lie on none."""
    if not (math.isfinite(ci_low) and math.isfinite(ci_high) and math.isfinite(benefit_sign)):
        return NOT_STATED
    if ci_low <= 0 <= ci_high:
        return EITHER_WAY
    return FAVOURS_LDN if (ci_low > 0) == (benefit_sign > 0) else FAVOURS_COMPARATOR


def _of_pool(best: Pool) -> dict[str, Any]:
    result = best.result
    low, high = float(result.ci_low), float(result.ci_high)
    sign = float(best.trials["benefit_sign"].iloc[0])
    return {
        "synthesis": META_ANALYSIS if len(best.trials) > 1 else ONE_TRIAL,
        "construct": best.key["construct"],
        "comparator_class": best.key["comparator_class"],
        "trials": len(best.trials),
        "people": best.people,
        "measure": best.key["measure"],
        "estimate": result.estimate,
        "ci_low": low,
        "ci_high": high,
        "direction": interval_direction(low, high, sign),
        "directions": {},
    }
