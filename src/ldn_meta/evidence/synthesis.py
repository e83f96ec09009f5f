"""From selected effects to pools: main analysis, sensitivity pools, and what was possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.evidence.candidates import CONTRAST
from ldn_meta.evidence.selection import POOL, select
from ldn_meta.stats.pool import pool

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Model, Protocol, Selection
    from ldn_meta.stats.result import PooledResult

MAIN = "main"
META_ANALYSIS = "meta-analysis"
ONE_TRIAL = "one trial"
DIRECTION_ONLY = "direction only"
NO_COMPARISON = "no comparison group"
NOTHING = "nothing"
# Which syntheses can carry a pooled number, best first.
KINDS = (META_ANALYSIS, ONE_TRIAL, DIRECTION_ONLY, NO_COMPARISON, NOTHING)
RATIO_MEASURES = ("RR", "OR", "IRR")


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
        Sorted by key; pools without a single trial are not listed.
    """
    chosen, _ = select(effects, selection)
    kept = effects[chosen].sort_values(["year", "study_id"], kind="stable")
    pools = []
    for values, trials in kept.groupby(POOL, sort=True):
        key = dict(zip(POOL, (str(value) for value in values), strict=True))
        pools.append(Pool(key, trials.reset_index(drop=True),
                          pool_trials(trials, model, key["measure"])))
    return pools


def find_pool(pools: list[Pool], *, construct: str, comparator_class: str) -> Pool | None:
    """The pool of a construct against a comparator class with the most trials, if any."""
    fitting = [
        p for p in pools
        if p.key["construct"] == construct and p.key["comparator_class"] == comparator_class
    ]
    return max(fitting, key=lambda p: len(p.trials)) if fitting else None


def sensitivity_pools(
    effects: pd.DataFrame, protocol: Protocol, *, construct: str, comparator_class: str
) -> list[tuple[str, Pool | None]]:
    """The main pool and every named departure from it, in the order of the protocol."""
    variants = [(MAIN, protocol.selection, protocol.model)]
    variants += [(s.name, s.selection, s.model) for s in protocol.sensitivities]
    return [
        (name, find_pool(build_pools(effects, selection, model), construct=construct,
                         comparator_class=comparator_class))
        for name, selection, model in variants
    ]


def pooled_row(name: str, found: Pool | None) -> dict[str, Any]:
    """One line of pooled.csv: settings, trials, estimate, intervals, heterogeneity."""
    if found is None:
        return {"analysis": name, "k": 0, "people": 0, "trials": "none"}
    result = found.result
    return {
        **found.key,
        "analysis": name,
        "k": len(found.trials),
        "people": found.people,
        "trials": " ".join(found.trials["study_id"]),
        "effects": " ".join(found.trials["effect_id"]),
        "tau2_method": result.tau2_method,
        "ci_method": result.ci_method,
        "estimate": result.estimate,
        "se": result.se,
        "ci_low": result.ci_low,
        "ci_high": result.ci_high,
        "p_value": result.p_value,
        "pi_low": result.pi_low,
        "pi_high": result.pi_high,
        "tau2": result.tau2,
        "tau2_ci_low": result.tau2_ci_low,
        "tau2_ci_high": result.tau2_ci_high,
        "q": result.q,
        "q_df": result.q_df,
        "q_pvalue": result.q_pvalue,
        "i2_pct": result.i2_pct,
    }


def pooled_table(effects: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Main result and every sensitivity pool of every outcome group with a trial."""
    import pandas as pd

    variants = [(MAIN, protocol.selection, protocol.model)]
    variants += [(s.name, s.selection, s.model) for s in protocol.sensitivities]
    rows = []
    for name, selection, model in variants:
        for found in build_pools(effects, selection, model):
            # One trial is the same trial under every model: only its main line is news.
            if name == MAIN or len(found.trials) > 1:
                rows.append(pooled_row(name, found))
    frame = pd.DataFrame(rows)
    order = {name: place for place, (name, _, _) in enumerate(variants)}
    return frame.sort_values(
        [*POOL, "analysis"], kind="stable",
        key=lambda c: c.map(order) if c.name == "analysis" else c,
    ).reset_index(drop=True)


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
        Constructs that make up the outcome group; the one with the best synthesis counts.

    Returns
    -------
    dict
        synthesis (one of KINDS), construct, trials, people, estimate, ci_low, ci_high,
        measure, direction, and directions: what each trial without a usable effect reports.
    """
    fitting = [p for p in pools if p.key["construct"] in constructs
               and p.key["comparator_class"] not in ("further arm", "none")]
    if fitting:
        best = max(fitting, key=lambda p: (len(p.trials), -constructs.index(p.key["construct"])))
        result = best.result
        kind = META_ANALYSIS if len(best.trials) > 1 else ONE_TRIAL
        sign = float(best.trials["benefit_sign"].iloc[0])
        return {"synthesis": kind, "construct": best.key["construct"],
                "comparator_class": best.key["comparator_class"],
                "trials": len(best.trials), "people": best.people, "measure": best.key["measure"],
                "estimate": result.estimate, "ci_low": result.ci_low, "ci_high": result.ci_high,
                "direction": interval_direction(result.ci_low, result.ci_high, sign),
                "directions": {}}
    empty = {"construct": constructs[0], "comparator_class": "none", "trials": 0, "people": 0,
             "measure": "none", "estimate": math.nan, "ci_low": math.nan, "ci_high": math.nan,
             "direction": "not stated", "directions": {}}
    directions = _directions(effects, left_out, constructs)
    if directions:
        stated = sorted(set(directions.values()) - {"not stated"})
        word = stated[0] if len(stated) == 1 else ("conflicting" if stated else "not stated")
        return {**empty, "synthesis": DIRECTION_ONLY, "trials": len(directions),
                "direction": word, "directions": directions}
    single = effects[effects["construct"].isin(constructs)]
    if len(single):
        counted = single.drop_duplicates("study_id")
        return {**empty, "synthesis": NO_COMPARISON, "trials": len(counted),
                "people": int(np.nansum(counted["n_1"].to_numpy(dtype=float)))}
    told = left_out[left_out["construct"].isin(constructs)
                    & ~left_out["reason"].str.startswith("study excluded")]
    if len(told):
        return {**empty, "synthesis": NO_COMPARISON, "trials": told["study_id"].nunique()}
    return {**empty, "synthesis": NOTHING}


def _directions(
    effects: pd.DataFrame, left_out: pd.DataFrame, constructs: list[str]
) -> dict[str, str]:
    """Direction by trial that compared LDN with something but brings nothing to a pool."""
    rows = left_out[
        left_out["construct"].isin(constructs) & left_out["compares"].astype(bool)
        & left_out["usable_for"].isin(["direction", "p-value"])
    ]
    barred = effects[effects["construct"].isin(constructs) & (effects["kind"] == CONTRAST)]
    found: dict[str, str] = {}
    for name in [*rows["study_label"], *barred["study_label"]]:
        own = rows[(rows["study_label"] == name) & (rows["direction"] != "not stated")]
        preferred = own[own["is_preferred"].astype(bool)]
        words = sorted(set((preferred if len(preferred) else own)["direction"]))
        found[name] = words[0] if len(words) == 1 else ("conflicting" if words else "not stated")
    return found


def interval_direction(ci_low: float, ci_high: float, benefit_sign: float) -> str:
    """Which side an interval lies on, in words; undefined intervals lie on none."""
    if not (math.isfinite(ci_low) and math.isfinite(ci_high) and math.isfinite(benefit_sign)):
        return "not stated"
    if ci_low <= 0 <= ci_high:
        return "either way"
    upper = ci_low > 0
    return "favours LDN" if upper == (benefit_sign > 0) else "favours comparator"
