"""Pools: the trials of one outcome against one kind of comparator, and their pooled result."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ldn_meta.evidence.effects.effects import own_intervals, t_df
from ldn_meta.evidence.effects.rows import (
    CHANGE,
    CONTRAST,
    FURTHER_ARM,
    ONE_ARM,
    POOL,
    PROPORTION,
    choose,
)
from ldn_meta.evidence.raw.tables import as_records
from ldn_meta.stats.bayes import pool_bayes
from ldn_meta.stats.convert import p_from_se
from ldn_meta.stats.pool import pool, side

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.selection import Model, Selection
    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult


# The same trials come back under other selections, in the ledger of conflicts and on other pages.
_pool_once = lru_cache(maxsize=4096)(pool)
_bayes_once = lru_cache(maxsize=512)(pool_bayes)

TAU2_METHODS = {
    "common": "common effect",
    "dl": "DerSimonian-Laird",
    "he": "Hedges",
    "hs": "Hunter-Schmidt",
    "sj": "Sidik-Jonkman",
    "ml": "maximum likelihood",
    "reml": "REML",
    "eb": "empirical Bayes",
    "pm": "Paule-Mandel",
}
CI_METHODS = {
    "wald": "Wald interval",
    "knapp-hartung": "Knapp-Hartung interval",
    "knapp-hartung-floored": "floored Knapp-Hartung interval",
}

META_ANALYSIS = "meta-analysis"
ONE_TRIAL = "one trial"
DIRECTION_ONLY = "direction only"
NO_COMPARISON = "no comparison"
NOTHING = "not found in what was read"
# Kinds of synthesis, best first; only the first two carry a number.
KINDS = (META_ANALYSIS, ONE_TRIAL, DIRECTION_ONLY, NO_COMPARISON, NOTHING)
# Results of people on the treatment alone.
SINGLE = (CHANGE, PROPORTION, ONE_ARM)
NOT_STATED = "not stated"
NO_DIFFERENCE = "no difference"
EITHER_WAY = "either way"
FAVOURS_TREATMENT, FAVOURS_COMPARATOR = "favours treatment", "favours comparator"
# Some studies on one side and others without a difference do not point opposite ways.
PARTLY_TREATMENT = "partly favours treatment"
PARTLY_COMPARATOR = "partly favours comparator"
CONFLICTING = "conflicting"
# On which side an estimate lies, whatever its interval: what "favours" means on every page.
SAME_IN_BOTH, BOTH_SIDES, SIDE_UNKNOWN = "same in both", "on both sides", "side not known"


class IntervalToRead(NamedTuple):
    """What an answer is read by, on the scale of ``yi``: the one interval that pages print.

    ``method`` says in words how it was made, ``has_prior`` whether a prior decides its width.
    """

    estimate: float
    low: float
    high: float
    has_prior: bool = False
    method: str = "not defined"
    level: float = 0.95

    @property
    def name(self) -> str:
        """Name the interval as readers know it."""
        kind = "credible interval" if self.has_prior else "CI"
        return f"{100 * self.level:g}% {kind}"


NO_INTERVAL = IntervalToRead(math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class Pool:
    """The trials of one outcome against one kind of comparator, pooled by a model when asked."""

    key: dict[str, str]
    trials: pd.DataFrame
    model: Model

    @cached_property
    def result(self) -> PooledResult:
        """One effect per trial, pooled with the model's methods."""
        return pool_trials(self.trials, self.model, self.key["measure"])

    @cached_property
    def read(self) -> IntervalToRead:
        """Estimate and interval by the rule of the plan, or by the model that a variant names."""
        r, prior = self.result, self.posterior
        if prior is None:
            if self.is_alone:
                words = "the trial's own interval"
            else:
                words = f"{TAU2_METHODS[r.tau2_method]}, {CI_METHODS[r.ci_method]}"
            return IntervalToRead(
                float(r.estimate), float(r.ci_low), float(r.ci_high), False, words, r.level
            )
        return IntervalToRead(
            float(prior.mu_median),
            float(prior.mu_low),
            float(prior.mu_high),
            True,
            prior_method(prior),
            prior.level,
        )

    @cached_property
    def posterior(self) -> BayesResult | None:
        """The pool with the plan's prior, where that is what it is read by and one is stated."""
        if self.model.bayes is None or not self.model.is_read_with_prior(len(self.trials)):
            return None
        return bayes_of(self)

    def of(self, trials: pd.DataFrame) -> Pool:
        """Some of its trials, pooled by the methods for their number."""
        return replace(self, trials=trials.reset_index(drop=True))

    @property
    def own_intervals(self) -> list[tuple[float, float]]:
        """Each trial's own interval, at the level of the model."""
        return [(low, high) for low, high in own_intervals(self.trials, level=self.model.level)]

    @property
    def people(self) -> int:
        """People in the pooled comparisons; pairs are counted once."""
        return people(self.trials)

    @property
    def benefit_sign(self) -> float:
        """+1 if more is better, -1 if less is; 0 if neither is known to be, or to be shown."""
        sign = float(self.trials["benefit_sign"].iloc[0])
        return 0.0 if math.isnan(sign) or has_unknown_sign(self) else sign

    @property
    def is_alone(self) -> bool:
        """Whether it is one trial, so that nothing was pooled."""
        return len(self.trials) == 1


def people(trials: pd.DataFrame) -> int:
    """Number of people behind comparisons; the two arms of a pair are the same people."""
    first = trials["n_1"].fillna(0.0)
    second = trials["n_2"].fillna(0.0).where(~trials["is_paired"].astype(bool), 0.0)
    return int((first + second).sum())


def has_unknown_sign(found: Pool) -> bool:
    """Whether no trial says which of the two was subtracted from which."""
    direct = found.trials["route"].str.startswith("difference")
    return bool((direct & (found.trials["direction"] == NOT_STATED)).all())


def prior_method(found: BayesResult) -> str:
    """How a pool with a prior was made, in words."""
    scale = float(found.tau_prior_scale)
    return f"Bayesian, {found.tau_prior} prior of scale {scale:g} for the spread between trials"


def bayes_of(found: Pool, mid: float | None = None) -> BayesResult | None:
    """Pool the trials with the plan's prior; None if none is stated for the unit."""
    return with_prior(
        tuple(found.trials["yi"].astype(float)),
        tuple(found.trials["vi"].astype(float)),
        found.model,
        measure=found.key["measure"],
        unit=found.key["unit"],
        mid=mid,
        labels=tuple(found.trials["study_label"]),
    )


def with_prior(
    yi: tuple[float, ...],
    vi: tuple[float, ...],
    model: Model,
    *,
    measure: str,
    unit: str,
    mid: float | None = None,
    labels: tuple[str, ...] | None = None,
) -> BayesResult | None:
    """Pool effects with the prior of a model; None if none is stated for the unit."""
    scale = None if model.bayes is None else model.bayes.scale_for(measure, unit)
    if model.bayes is None or scale is None:
        return None
    return _bayes_once(
        yi,
        vi,
        tau_prior=model.bayes.tau_prior,
        tau_prior_scale=scale,
        level=model.level,
        mid=mid,
        measure=measure,
        labels=labels,
    )


def pool_trials(trials: pd.DataFrame, model: Model, measure: str) -> PooledResult:
    """Pool one effect per trial with the model's methods; the same trials once in a process.

    One trial keeps its own interval and the p of its own statistic.
    """
    found = _pool_once(
        tuple(trials["yi"].astype(float)),
        tuple(trials["vi"].astype(float)),
        tau2_method=model.tau2_method,
        ci_method=model.interval(len(trials)),
        level=model.level,
        pi_method=model.pi_method,
        measure=measure,
        labels=tuple(trials["study_label"]),
    )
    if len(trials) != 1:
        return found
    low, high = own_intervals(trials, level=model.level)[0]
    p_value = float(p_from_se(found.estimate, found.se, df=t_df(trials["df"].iloc[0])))
    return replace(found, ci_low=float(low), ci_high=float(high), p_value=p_value)


def build_pools(effects: pd.DataFrame, selection: Selection, model: Model) -> list[Pool]:
    """All pools of a set of effects, each trial with one effect."""
    if effects.empty:
        return []
    kept = effects[choose(effects, selection)].sort_values(["year", "study_id"], kind="stable")
    alone = kept["study_id"].mask(kept["has_known_scale"].astype(bool), "")
    pools = []
    for values, trials in kept.groupby([*POOL, alone.rename("alone")], sort=True):
        key = dict(zip(POOL, (str(value) for value in values[: len(POOL)]), strict=True))
        pools.append(Pool(key, trials.reset_index(drop=True), model))
    return pools


def find_pool(pools: Iterable[Pool], **question: str) -> Pool | None:
    """The pool with the most trials of those with some values of POOL in their key, if any."""
    fitting = [p for p in pools if question.items() <= p.key.items()]
    return max(fitting, key=lambda p: len(p.trials), default=None)


def possible_synthesis(
    effects: pd.DataFrame,
    left_out: pd.DataFrame,
    pools: list[Pool],
    sides: pd.DataFrame,
    *,
    constructs: list[str],
) -> dict[str, Any]:
    """Say what kind of synthesis an outcome group allows, on how much evidence.

    ``sides`` is the directions table: of every study without an estimate its side stands under
    ``directions``, and what its report says in words under ``words``.
    """
    # Frames without any row may have no columns either.
    seen = effects[effects["construct"].isin(constructs)] if len(effects) else left_out[:0]
    said = left_out[left_out["construct"].isin(constructs)]
    columns = ["study_label", "kind", "direction", "is_preferred", "comparator_class", "construct"]
    columns += ["trial_id", "n_1"]
    rows = [row for frame in (said, seen) for row in as_records(frame[columns])]
    rows = [row for row in rows if row["comparator_class"] != FURTHER_ARM]
    words = _words([row for row in rows if row["kind"] == CONTRAST])
    signs = _signs(sides, list(words), constructs)
    directions = {name: side_of([sign]) for name, sign in signs.items()}
    fitting = [found for found in pools if found.key["construct"] in constructs]
    if fitting:
        # What other studies of the group told, beside the number of a single trial.
        best = max(fitting, key=lambda p: (len(p.trials), -constructs.index(p.key["construct"])))
        in_it = set(best.trials["study_label"])
        others = {name: word for name, word in directions.items() if name not in in_it}
        return {
            "synthesis": ONE_TRIAL if best.is_alone else META_ANALYSIS,
            "construct": best.key["construct"],
            "comparator_class": best.key["comparator_class"],
            "trials": len(best.trials),
            "people": best.people,
            "measure": best.key["measure"],
            "estimate": best.read.estimate,
            "ci_low": best.read.low,
            "ci_high": best.read.high,
            "direction": side_of_pool(best),
            "directions": others if best.is_alone else {},
            "words": words,
            "people_unknown": 0,
        }
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
        "words": words,
        "people_unknown": 0,
    }
    if directions:
        return {
            **answer,
            "synthesis": DIRECTION_ONLY,
            "trials": len(directions),
            "direction": side_of(_randomised_first(signs, sides)),
            "directions": directions,
            "construct": _first(constructs, [row for row in rows if row["kind"] == CONTRAST]),
        }
    said_alone = [row for row in rows if row["kind"] in SINGLE]
    alone = {row["study_label"] for row in said_alone}
    # A trial's largest group: its other groups are parts of it, and of studies with (possibly) the
    # same people one counts.
    largest: dict[str, float] = {}
    for row in said_alone:
        largest[row["trial_id"]] = max(largest.get(row["trial_id"], 0.0), row["n_1"])
    people = sum(largest.values())
    kind = NO_COMPARISON if alone else NOTHING
    return {
        **answer,
        "synthesis": kind,
        "trials": len(alone),
        "people": int(people),
        "people_unknown": sum(not size > 0 for size in largest.values()),
        "construct": _first(constructs, said_alone),
    }


def _first(constructs: list[str], rows: list[dict[Any, Any]]) -> str:
    """The first of the constructs that a row is about."""
    told = {row["construct"] for row in rows}
    return next((name for name in constructs if name in told), constructs[0])


def _signs(sides: pd.DataFrame, labels: Iterable[str], constructs: list[str]) -> dict[str, float]:
    """The sign of each study's first result with a known side, by the order of constructs."""
    own = sides[sides["construct"].isin(constructs) & sides["sign"].notna()]
    own = own.sort_values("construct", key=lambda c: c.map(constructs.index), kind="stable")
    known = own.drop_duplicates("study_label").set_index("study_label")["sign"].to_dict()
    return {name: float(known.get(name, math.nan)) for name in labels}


def _randomised_first(signs: dict[str, float], sides: pd.DataFrame) -> list[float]:
    """Signs of randomised studies; of the others only where none is randomised."""
    randomised = set(
        sides.loc[sides["is_randomised"].eq(True).fillna(False).astype(bool), "study_label"]
    )
    return [sign for name, sign in signs.items() if name in randomised] or list(signs.values())


def _words(rows: list[dict[Any, Any]]) -> dict[str, str]:
    """What each trial's report says in words; by its preferred sources, if they state it."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(row["study_label"] for row in rows):
        own = [r for r in rows if r["study_label"] == name and r["direction"] != NOT_STATED]
        first = [r for r in own if r["is_preferred"]] or own
        found[name] = one_word(r["direction"] for r in first)
    return found


def one_word(words: Iterable[str]) -> str:
    """What several words of reports come to; a report's word is no side, see `side_of`."""
    stated = set(words) - {NOT_STATED}
    for_treatment = stated & {FAVOURS_TREATMENT, PARTLY_TREATMENT}
    for_comparator = stated & {FAVOURS_COMPARATOR, PARTLY_COMPARATOR}
    if CONFLICTING in stated or (for_treatment and for_comparator):
        return CONFLICTING
    if len(stated) > 1:
        return PARTLY_TREATMENT if for_treatment else PARTLY_COMPARATOR
    return next(iter(stated), NOT_STATED)


def side_of(signs: Iterable[float]) -> str:
    """The side of some results, each +1 for the treatment, -1 for the comparator, 0 or NaN.

    The one place where a side gets its name. The sign is that of the estimate or the printed
    numbers, else of words that claim a side; a result that is only called not different has none.
    """
    known = {sign for sign in signs if not math.isnan(sign)}
    if {1.0, -1.0} <= known:
        return BOTH_SIDES
    sided = {1.0: FAVOURS_TREATMENT, -1.0: FAVOURS_COMPARATOR}
    found = [word for sign, word in sided.items() if sign in known]
    return found[0] if found else SAME_IN_BOTH if known else SIDE_UNKNOWN


def side_of_pool(found: Pool) -> str:
    """The side of the estimate that a pool is read by; its interval says nothing here."""
    towards = found.read.estimate * found.benefit_sign
    is_known = found.benefit_sign and math.isfinite(towards)
    return side_of([float((towards > 0) - (towards < 0)) if is_known else math.nan])


def interval_direction(ci_low: float, ci_high: float, benefit_sign: float) -> str:
    """Which side an interval lies on, in words; undefined intervals lie on none."""
    if not (math.isfinite(ci_low) and math.isfinite(ci_high) and math.isfinite(benefit_sign)):
        return NOT_STATED
    words = {1.0: FAVOURS_TREATMENT, 0.0: EITHER_WAY, -1.0: FAVOURS_COMPARATOR}
    return words[side(ci_low, ci_high, benefit_sign)]
