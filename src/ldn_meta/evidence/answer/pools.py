"""The sequential look at a pool: with the effect worth finding that the protocol states."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldn_meta.evidence.effects.rows import (
    CHANGE,
    CONTRAST,
    FURTHER_ARM,
    ONE_ARM,
    POOL,
    PROPORTION,
    choose,
)
from ldn_meta.stats.bayes import pool_bayes, prior_sensitivity
from ldn_meta.stats.next_trial import next_trial
from ldn_meta.stats.pool import pool
from ldn_meta.stats.sequential import (
    LEAST_STEP,
    FutilityDesign,
    SequentialLook,
    futility_boundaries,
    sequential_look,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Model, Protocol, Selection
    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult


TWO = 2


def bayes_of_pool(pool: Pool, protocol: Protocol) -> BayesResult | None:
    """Pool the trials again with the protocol's prior."""
    scale = protocol.bayes.scale_for(pool.key["measure"], pool.key["unit"])
    if scale is None:
        return None
    return pool_bayes(
        **_effects(pool),
        tau_prior=protocol.bayes.tau_prior,
        tau_prior_scale=scale,
        **_options(pool, protocol),
    )


class IntervalToRead(NamedTuple):
    """The interval an answer should be read by, on the scale of ``yi``."""

    low: float
    high: float
    has_prior: bool


def interval_to_read(pool: Pool, protocol: Protocol) -> IntervalToRead:
    """Interval of a pool; of two trials that with the protocol's prior, where one is stated.

    The Wald interval of two trials takes the spread between them as known.
    """
    found = bayes_of_pool(pool, protocol) if len(pool.trials) == TWO else None
    if found is None:
        return IntervalToRead(float(pool.result.ci_low), float(pool.result.ci_high), False)
    return IntervalToRead(float(found.mu_low), float(found.mu_high), True)


def sensitivity_of_pool(pool: Pool, protocol: Protocol) -> tuple[BayesResult, ...]:
    """Pool the trials under the other priors that the protocol names."""
    choices = protocol.bayes
    scale = choices.scale_for(pool.key["measure"], pool.key["unit"])
    if scale is None:
        return ()
    every = prior_sensitivity(
        **_effects(pool),
        tau_prior_scale=scale,
        families=choices.sensitivity_families,
        factors=choices.sensitivity_factors,
        **_options(pool, protocol),
    )
    main = (choices.tau_prior, scale)
    return tuple(r for r in every if (r.tau_prior, r.tau_prior_scale) != main)


def _effects(pool: Pool) -> dict[str, Any]:
    return {name: pool.trials[name].to_numpy(dtype=float) for name in ("yi", "vi")}


def _options(pool: Pool, protocol: Protocol) -> dict[str, Any]:
    """What every prior shares; the size that matters only where it is stated for the unit."""
    scale = protocol.scales.get(pool.key["construct"])
    is_same_unit = scale is not None and scale.unit == pool.key["unit"]
    return {
        "level": protocol.model.level,
        "mid": scale.minimal_important_difference if scale is not None and is_same_unit else None,
        "measure": pool.key["measure"],
        "labels": tuple(pool.trials["study_label"]),
    }


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
FAVOURS_TREATMENT, FAVOURS_COMPARATOR = "favours treatment", "favours comparator"
# Some studies on one side and others without a difference do not point opposite ways.
PARTLY_TREATMENT = "partly favours treatment"
PARTLY_COMPARATOR = "partly favours comparator"
CONFLICTING = "conflicting"


@dataclass(frozen=True)
class Pool:
    """The trials of one outcome against one kind of comparator, and their pooled result."""

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


def has_unknown_sign(found: Pool) -> bool:
    """Whether no trial says which of the two was subtracted from which."""
    direct = found.trials["route"].str.startswith("difference")
    return bool((direct & (found.trials["direction"] == NOT_STATED)).all())


def pool_trials(trials: pd.DataFrame, model: Model, measure: str) -> PooledResult:
    """Pool one effect per trial with the model's methods."""
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
    """All pools of a set of effects, each trial with one effect."""
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
    """Say what kind of synthesis an outcome group allows, on how much evidence."""
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
    for_treatment = stated & {FAVOURS_TREATMENT, PARTLY_TREATMENT}
    for_comparator = stated & {FAVOURS_COMPARATOR, PARTLY_COMPARATOR}
    if CONFLICTING in stated or (for_treatment and for_comparator):
        return CONFLICTING
    if len(stated) > 1:
        return PARTLY_TREATMENT if for_treatment else PARTLY_COMPARATOR
    return next(iter(stated), NOT_STATED)


def interval_direction(ci_low: float, ci_high: float, benefit_sign: float) -> str:
    """Which side an interval lies on, in words; undefined intervals lie on none."""
    if not (math.isfinite(ci_low) and math.isfinite(ci_high) and math.isfinite(benefit_sign)):
        return NOT_STATED
    if ci_low <= 0 <= ci_high:
        return EITHER_WAY
    return FAVOURS_TREATMENT if (ci_low > 0) == (benefit_sign > 0) else FAVOURS_COMPARATOR


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


OFF_BETTER = "the pooled interval lies wholly on the side of LDN"
OFF_WORSE = "the pooled interval lies wholly on the side of the comparator"
INSIDE = "the pooled interval lies wholly inside the region of equivalence"


def cumulative_frame(pool: Pool, protocol: Protocol) -> pd.DataFrame:
    """The pool after each trial, in order of publication, by the methods for its size."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for k in range(1, len(pool.trials) + 1):
        trials = pool.trials.iloc[:k]
        result = pool_trials(trials, protocol.model, pool.key["measure"])
        rows.append(
            {
                "label": trials["study_label"].iloc[-1],
                "year": float(trials["year"].iloc[-1]),
                "k": k,
                "people": people(trials),
                "estimate": result.estimate,
                "ci_low": result.ci_low,
                "ci_high": result.ci_high,
                "tau2": result.tau2,
                "shift": result.estimate - rows[-1]["estimate"] if rows else math.nan,
                "ci_method": result.ci_method,
            }
        )
    return pd.DataFrame(rows)


def without_each(pool: Pool, protocol: Protocol) -> pd.DataFrame:
    """The pool without each trial in turn, by the protocol's methods for what is left."""
    import pandas as pd

    rows = []
    for place in range(len(pool.trials) if len(pool.trials) > 1 else 0):
        left = pool.trials.drop(index=pool.trials.index[place])
        result = pool_trials(left, protocol.model, pool.key["measure"])
        numbers = {name: getattr(result, name) for name in ("estimate", "ci_low", "ci_high")}
        label = pool.trials["study_label"].iloc[place]
        rows.append({"label": label, "k": len(left), **numbers})
    return pd.DataFrame(rows, columns=["label", "k", "estimate", "ci_low", "ci_high"])


def variance_per_person(pool: Pool) -> float:
    """Variance of an effect times the people behind it, in the middle trial; NaN if unknown."""
    counted = [people(pool.trials.iloc[[place]]) for place in range(len(pool.trials))]
    products = [float(v) * n for v, n in zip(pool.trials["vi"], counted, strict=True) if n > 0]
    return float(np.median(products)) if products else math.nan


def next_trial_frame(pool: Pool, protocol: Protocol) -> pd.DataFrame:
    """Probabilities of where the interval lies once one more trial is in the pool.

    Supposed true effects: none, what the pool says now, and the minimal important difference
    in favour of LDN where one is stated.
    """
    import pandas as pd

    columns = ["supposed", "true_effect", "what", "people", "probability"]
    unit = variance_per_person(pool)
    if not math.isfinite(unit):
        return pd.DataFrame(columns=columns)
    scale = protocol.scales.get(pool.key["construct"])
    has_scale = scale is not None and scale.unit == pool.key["unit"]
    margin = scale.minimal_important_difference if scale and has_scale else math.nan
    sign = float(pool.trials["benefit_sign"].iloc[0])
    supposed = {"no effect": 0.0, "the pooled effect": float(pool.result.estimate)}
    if math.isfinite(margin):
        supposed["the minimal important difference"] = sign * margin
    model = protocol.model
    found = next_trial(
        pool.trials["yi"].to_numpy(dtype=float),
        pool.trials["vi"].to_numpy(dtype=float),
        people=protocol.next_people,
        true_effects=list(supposed.values()),
        variance_per_person=unit,
        margin=margin,
        tau2_method=model.tau2_method,
        ci_method=model.interval(len(pool.trials) + 1),
        level=model.level,
    )
    better, worse = (found.above, found.below) if sign > 0 else (found.below, found.above)
    answers = {OFF_BETTER: better, OFF_WORSE: worse, INSIDE: found.inside}
    rows = [
        (words, effect, what, int(n), float(table[row, column]))
        for row, (words, effect) in enumerate(supposed.items())
        for what, table in answers.items()
        for column, n in enumerate(found.people)
        if math.isfinite(table[row, column])
    ]
    return pd.DataFrame(rows, columns=columns)


def smallest_size(frame: pd.DataFrame, *, supposed: str, what: str, probability: float) -> float:
    """People of the smallest trial tried that reaches a probability; NaN if none does.

    A size counts if every larger one reaches the probability as well.
    """
    rows = frame[(frame["supposed"] == supposed) & (frame["what"] == what)]
    enough = math.nan
    for n, p in sorted(zip(rows["people"], rows["probability"], strict=True), reverse=True):
        if p < probability:
            break
        enough = float(n)
    return enough


def pooled_table(effects: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Main result and every sensitivity pool of every outcome group with a trial.

    A pool of one trial is that trial under every model, so it has a line only where its effect
    is another than on the lines before. No rows, and no columns, without effects.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    alone: set[str] = set()
    for name, selection, model in protocol.variants:
        for found in build_pools(effects, selection, model):
            if len(found.trials) == 1:
                effect = str(found.trials["effect_id"].iloc[0])
                if effect in alone:
                    continue
                alone.add(effect)
            rows.append(_line(name, found))
    if not rows:
        return pd.DataFrame()
    frame = pd.DataFrame(rows)
    place = {variant.name: order for order, variant in enumerate(protocol.variants)}
    return frame.sort_values(
        [*POOL, "analysis"],
        kind="stable",
        ignore_index=True,
        key=lambda column: column.map(place) if column.name == "analysis" else column,
    )


def _line(name: str, found: Pool) -> dict[str, Any]:
    """Settings, trials, estimate, intervals, heterogeneity."""
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


def minimal_effect(pool: Pool, protocol: Protocol) -> float:
    """Minimal important difference in the unit of a pool; NaN where none is stated."""
    scale = protocol.scales.get(pool.key["construct"])
    if scale is None or scale.unit != pool.key["unit"]:
        return math.nan
    return scale.minimal_important_difference


def sequential_of_pool(pool: Pool | None, protocol: Protocol) -> SequentialLook | None:
    """Look at the trials of a pool in order of publication."""
    if pool is None or len(pool.trials) < 2:
        return None
    size = minimal_effect(pool, protocol)
    if math.isnan(size):
        return None
    counted = [people(pool.trials.iloc[[place]]) for place in range(len(pool.trials))]
    return sequential_look(
        pool.trials["yi"].to_numpy(dtype=float),
        pool.trials["vi"].to_numpy(dtype=float),
        minimal_effect=size,
        people=counted if all(counted) else None,
        tau2_method=protocol.model.tau2_method,
        labels=tuple(pool.trials["study_label"]),
    )


def design_of(look: SequentialLook) -> FutilityDesign | None:
    """Boundaries of the looks so far and of one more, when all the information is there."""
    taken = [
        float(at)
        for at, bound in zip(look.information_fraction, look.boundary, strict=True)
        if math.isfinite(bound)
    ]
    if not taken or taken[-1] >= 1.0 - LEAST_STEP:
        return None
    return futility_boundaries([*taken, 1.0], alpha=look.alpha, power=look.power)
