"""Questions and their answers: everything that is computed for one of them, each thing once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldn_meta.evidence.answer.directions import directions
from ldn_meta.evidence.answer.multiverse import Multiverse, Normalised, build_multiverse
from ldn_meta.evidence.answer.pools import (
    CI_METHODS,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    NOT_STATED,
    IntervalToRead,
    Pool,
    bayes_of,
    build_pools,
    find_pool,
    one_word,
    people,
    pool_trials,
    possible_synthesis,
    side_of,
    with_prior,
)
from ldn_meta.evidence.effects.effects import as_saved, candidate_effects, normalise
from ldn_meta.evidence.effects.rows import (
    CONTRAST,
    NOT_TOLD,
    OF_PEOPLE,
    POOL,
    RATIO_MEASURES,
    limits,
)
from ldn_meta.evidence.raw.protocol import Protocol
from ldn_meta.evidence.raw.selection import (
    BAYESIAN,
    BIAS_STEP,
    DIFFERENCES_AS,
    RATIOS_AS,
    TWO_TRIALS,
    UNREAD,
    Changes,
    Model,
    Selection,
    named_as,
    read_choice,
)
from ldn_meta.evidence.raw.tables import Evidence, as_records, counted
from ldn_meta.stats.bayes import prior_sensitivity
from ldn_meta.stats.decision import SettingShares, setting_shares
from ldn_meta.stats.influence import next_trial
from ldn_meta.stats.pool import pool as pool_effects
from ldn_meta.stats.regression import meta_regression, subgroups
from ldn_meta.stats.sequential import (
    LEAST_STEP,
    FutilityDesign,
    SequentialLook,
    futility_boundaries,
    sequential_look,
)
from ldn_meta.stats.small_study import (
    ENOUGH_TRIALS,
    BeggTest,
    EggerTest,
    TrimAndFill,
    begg_test,
    egger_test,
    harbord_test,
    peters_test,
    trim_and_fill,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult
    from ldn_meta.stats.regression import RegressionResult, SubgroupResult


BETTER = "the pooled interval lies wholly on the side of treatment"
WORSE = "the pooled interval lies wholly on the side of the comparator"
INSIDE = "the pooled interval lies wholly inside the region of equivalence"
NO_EFFECT, POOLED_EFFECT = "no effect", "the pooled effect"
IMPORTANT_EFFECT = "the minimal important difference"
WITHOUT_ERROR = 1e9
COUNTS = ("events_1", "n_1", "events_2", "n_2")
NOT_REPORTED = "not reported"
# A line through two points fits them whatever they are.
LEAST_FOR_SLOPE = 3
QUESTION = ("indication_id", "construct", "comparator_class")


# Choices that a pool of one trial does not read.
_METHODS = ("tau2_method", "ci_method", "pi_method", "prior_scale")


class Part(NamedTuple):
    """A line of what was asked beside an answer: a subgroup, a slope, a test, or why none."""

    choice: str
    name: str = ""
    k: int = 0
    # On the scale of yi.
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    why: str = ""


class SmallStudies(NamedTuple):
    """What says whether small trials show larger effects than large ones."""

    egger: EggerTest
    begg: BeggTest
    filled: TrimAndFill
    # Of ratios of counts alone, whose effects and standard errors hang together.
    of_counts: tuple[EggerTest, ...] = ()


@dataclass(eq=False)
class Answers:
    """Every question about some effects, under one protocol: what was pooled stays pooled."""

    evidence: Evidence
    protocol: Protocol
    effects: pd.DataFrame
    left_out: pd.DataFrame
    certainty: pd.DataFrame | None = None
    _pools: dict[tuple[Selection, Model, Changes], list[Pool]] = field(
        default_factory=dict, init=False
    )
    _data: dict[Changes, pd.DataFrame] = field(default_factory=dict, init=False)
    _answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict, init=False)

    @property
    def pools(self) -> list[Pool]:
        """Main pools of every outcome."""
        return self.pools_by(self.protocol.selection, self.protocol.model)

    @cached_property
    def directions(self) -> pd.DataFrame:
        """What each comparative study tells of each construct: side, p, what was printed."""
        return directions(self.evidence, self.protocol, self.effects)

    def pools_by(self, selection: Selection, model: Model, data: Changes = ()) -> list[Pool]:
        """Pools of every outcome under other choices, ``data`` those of the effects themselves."""
        key = (selection, model, data)
        if key not in self._pools:
            self._pools[key] = build_pools(self._effects_by(data), selection, model)
        return self._pools[key]

    def _effects_by(self, data: Changes) -> pd.DataFrame:
        """The effects, computed again where a choice changes them."""
        if not data:
            return self.effects
        if data not in self._data:
            changed, _ = candidate_effects(self.evidence, self.protocol.with_data(data))
            self._data[data] = as_saved(changed) if len(changed) else changed
        return self._data[data]

    def to(self, indication_id: str, construct: str, comparator_class: str) -> Answer:
        """The answer to one question."""
        key = (indication_id, construct, comparator_class)
        if key not in self._answers:
            question = dict(zip(QUESTION, key, strict=True))
            self._answers[key] = Answer(self, *key, find_pool(self.pools, **question))
        return self._answers[key]

    def main(self, construct: str | None = None) -> Answer:
        """The answer of the one condition on file, its main outcome unless another is named."""
        row = as_records(self.evidence.text["indications"])[0]
        found = construct or row["main_construct"]
        return self.to(row["indication_id"], found, row["main_comparator"])

    def synthesis(
        self, indication_id: str, constructs: Sequence[str], *, comparator_class: str
    ) -> dict[str, Any]:
        """What kind of synthesis outcomes of a condition allow against a comparator."""
        own = [
            pool
            for pool in self.pools
            if pool.key["indication_id"] == indication_id
            and pool.key["comparator_class"] == comparator_class
        ]
        sides = self.directions[self.directions["indication_id"] == indication_id]
        effects, left_out = (
            rows[rows["kind"].ne(CONTRAST) | rows["comparator_class"].eq(comparator_class)]
            if len(rows)
            else rows
            for rows in self.frames(indication_id)
        )
        frames = effects, left_out
        return possible_synthesis(*frames, own, sides, constructs=list(constructs))

    def frames(self, indication_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Effects of a condition and rows left out; a frame of no rows may have no columns."""
        effects, left_out = (
            rows[rows["indication_id"] == indication_id] if len(rows) else rows
            for rows in (self.effects, self.left_out)
        )
        return effects, left_out

    @cached_property
    def table(self) -> pd.DataFrame:
        """Main result and every sensitivity pool of every outcome with a trial.

        A pool of one trial is that trial under every model, so it has a line only where its
        effect is another than on the lines before. No rows, and no columns, without effects.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        alone: set[str] = set()
        for place, one in enumerate(self.protocol.variants):
            for found in self.pools_by(one.selection, one.model, one.data):
                effect = str(found.trials["effect_id"].iloc[0])
                if found.is_alone and effect in alone:
                    continue
                if found.is_alone:
                    alone.add(effect)
                rows.append({**_line(one.name, found), "place": place})
        if not rows:
            return pd.DataFrame()
        frame = pd.DataFrame(rows).sort_values([*POOL, "place"], kind="stable", ignore_index=True)
        return frame.drop(columns="place")


@dataclass(frozen=True, eq=False)
class Answer:
    """What the trials on file say to one question, and how much it rests on choices.

    ``pool`` is None when no trial gives an effect with its uncertainty.
    """

    answers: Answers
    indication_id: str
    construct: str
    comparator_class: str
    pool: Pool | None

    def __repr__(self) -> str:
        """Return one line: the question, and what it comes to."""
        asked = f"{self.indication_id}, {self.construct} against {self.comparator_class}"
        if self.pool is None:
            return f"<Answer {asked}: nothing pooled; {self.why_none}>"
        read, key = self.pool.read, self.pool.key
        measure = key["measure"]
        of = "" if measure in (*RATIO_MEASURES, "RD") else f" in {key['unit']}"
        estimate, low, high = _as_told((read.estimate, read.low, read.high), measure)
        told = f"{measure}{of} {estimate} ({read.name} {low} to {high}, {read.method})"
        parts = [f"; {_part_words(part, measure)}" for part in self.parts]
        noted = [f"; {named_as(n, self.protocol.asked[n])}: {w}" for n, w in self.notes.items()]
        return f"<Answer {asked}: {counted(self.k, 'trial')}, {told}{''.join([*parts, *noted])}>"

    @property
    def why_none(self) -> str:
        """Why nothing was pooled, trial by trial; nothing where something was."""
        if self.pool is not None:
            return ""
        told = [f"{row['study_label']}: {row['selected_why']}" for row in as_records(self.beside)]
        return "; ".join(told) or "no trial gives an effect with its uncertainty"

    @cached_property
    def notes(self) -> dict[str, str]:
        """Choices that have no effect here, or less than they seem to say, each with why."""
        asked, found = self.protocol.asked, {}
        if "measure" in asked and (why := self._not_applied(asked["measure"])):
            found["measure"] = why
        if self.pool is None:
            return found
        judged = self.trials["overall_bias"].map(BIAS_STEP)
        unread = int((judged == BIAS_STEP[UNREAD]).sum())
        if unread and asked.get("risk_of_bias", "low") != "low":
            found["risk_of_bias"] = f"{unread} of {counted(self.k, 'trial')} {UNREAD}"
        idle: tuple[str, ...] = ("prior_scale",)
        why = "no prior decides this interval"
        if self.pool.is_alone:
            idle, why = _METHODS, "one trial is read by its own interval"
        elif self.pool.read.has_prior:
            idle = ("tau2_method", "pi_method")
            why = "two trials are read by the interval with the plan's prior; give ci_method too"
        found |= {name: f"no effect, {why}" for name in idle if name in asked}
        if "correlation" in asked and not self.trials["is_paired"].any():
            found["correlation"] = "no effect, the arms of every trial are different people"
        return found

    def _not_applied(self, asked: Sequence[str]) -> str:
        """Why none of the measures asked for says anything of the outcome; nothing if one does."""
        rows = self.effects
        if rows.empty or (self.pool is None and rows.get(NOT_TOLD, rows["kind"]).ne("").all()):
            return ""
        rows = rows[rows["kind"] == CONTRAST] if self.pool is None else self.trials
        own = set(rows["measure"])
        if not own or own & {*asked}:
            return ""
        is_counted = own <= {*OF_PEOPLE}
        what = "counted, not measured" if is_counted else "measured, not counted"
        fit = ", ".join(RATIOS_AS if is_counted else DIFFERENCES_AS)
        label = rows["construct_label"].iloc[0]
        return f"{', '.join(asked)} does not apply: {label} is {what}; {fit} do"

    @cached_property
    def parts(self) -> list[Part]:
        """What ``subgroup_by`` and ``regress_on`` ask for beside the answer, or why it is none."""
        found = []
        if by := self.protocol.asked.get("subgroup_by"):
            apart = self.subgroups(by)
            named = f"subgroup_by = {by}"
            if apart is None:
                found.append(Part(named, why=self.why_not_apart(by)))
            else:
                found += [
                    _part(named, name, pool.k, pool.estimate, pool.ci_low, pool.ci_high)
                    for name, pool in zip(apart.names, apart.pools, strict=True)
                ]
                found.append(Part(named, why=apart.test_words))
        if on := self.protocol.asked.get("regress_on"):
            line, named = self.regression(on), f"regress_on = {on}"
            if line is None:
                found.append(Part(named, why=self.why_no_line))
            else:
                ends = (line.coefficients[1], line.ci_low[1], line.ci_high[1])
                found.append(_part(named, "for one more", line.k, *ends))
        return found

    def why_not_apart(self, by: str) -> str:
        """Why nothing can be told apart."""
        if self.pool is None:
            return "nothing to tell apart: there is no pool"
        return f"nothing to tell apart: every trial of the pool is {self.moderators[by].iloc[0]}"

    @property
    def why_no_line(self) -> str:
        """Why there is no regression."""
        return "a line needs three trials that tell it and differ in it"

    @property
    def trials(self) -> pd.DataFrame:
        """The trials of the pool with their effects; no rows where there is none."""
        return self.effects[:0] if self.pool is None else self.pool.trials

    @property
    def left_out(self) -> pd.DataFrame:
        """Every other effect of the question, and why the choices do not take it."""
        columns = ["study_label", "effect_id", "yi", "vi", "unit", "selected_why"]
        if self.effects.empty:
            return self.effects
        return self.effects.loc[~self.effects["effect_id"].isin(self.trials["effect_id"]), columns]

    @property
    def protocol(self) -> Protocol:
        """Choices the answer was made by."""
        return self.answers.protocol

    @property
    def k(self) -> int:
        """Number of trials in the pool."""
        return 0 if self.pool is None else len(self.pool.trials)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Every effect of the outcome against the comparator, chosen or not."""
        rows = self.answers.effects
        return rows if rows.empty else self._about(rows)

    def _about(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows about the question."""
        return rows[np.all([rows[name] == getattr(self, name) for name in QUESTION], axis=0)]

    @cached_property
    def variants(self) -> list[tuple[str, Pool | None]]:
        """The main pool and every named departure from it, in the order of the protocol."""
        question = {name: getattr(self, name) for name in QUESTION}
        return [
            (
                one.name,
                find_pool(self.answers.pools_by(one.selection, one.model, one.data), **question),
            )
            for one in self.protocol.variants
        ]

    @cached_property
    def synthesis(self) -> dict[str, Any]:
        """What kind of synthesis was possible, on how much evidence."""
        return self.answers.synthesis(
            self.indication_id, [self.construct], comparator_class=self.comparator_class
        )

    @cached_property
    def knapp_hartung(self) -> PooledResult | None:
        """The pool with the interval that does not take the spread between trials as known."""
        return next((one for one in self.intervals if one.ci_method == "knapp-hartung"), None)

    @cached_property
    def intervals(self) -> list[PooledResult]:
        """The pool by each method for the interval that needs no prior."""
        if self.pool is None:
            return []
        models = [replace(self.protocol.model, ci_method=name) for name in CI_METHODS]
        return [pool_trials(self.pool.trials, m, self.pool.key["measure"]) for m in models]

    @cached_property
    def read_by(self) -> IntervalToRead | None:
        """The interval to read."""
        return None if self.pool is None else self.pool.read

    @cached_property
    def bayes(self) -> BayesResult | None:
        """The pool with the protocol's prior for the spread; None for fewer than two trials."""
        if self.pool is None or self.k < TWO_TRIALS:
            return None
        return bayes_of(self.pool, self._mid)

    @cached_property
    def other_priors(self) -> tuple[BayesResult, ...]:
        """The same under the other priors that the protocol names."""
        if self.pool is None or self.bayes is None:
            return ()
        choices, main = self.protocol.bayes, (self.bayes.tau_prior, self.bayes.tau_prior_scale)
        every = prior_sensitivity(
            self.pool.trials["yi"].to_numpy(dtype=float),
            self.pool.trials["vi"].to_numpy(dtype=float),
            tau_prior_scale=float(main[1]),
            families=choices.sensitivity_families,
            factors=choices.sensitivity_factors,
            level=self.protocol.model.level,
            mid=self._mid,
            measure=self.pool.key["measure"],
            labels=tuple(self.pool.trials["study_label"]),
        )
        return tuple(r for r in every if (r.tau_prior, r.tau_prior_scale) != main)

    @cached_property
    def multiverse(self) -> Multiverse | None:
        """Every defensible analysis; None where no trial gives an effect under any choice."""
        own = self.answers.evidence.for_indication(self.indication_id)
        normalised = Normalised(own, self.protocol)
        return build_multiverse(normalised, self.construct, self.comparator_class)

    @cached_property
    def beside(self) -> pd.DataFrame:
        """Effects of trials outside the pool on the same scale, with the rule that barred them."""
        same = self.effects
        if same.empty:
            return same
        same = same[same["kind"] == CONTRAST]
        if self.pool is not None:
            same = same[
                (same["unit"] == self.pool.key["unit"])
                & ~same["study_id"].isin(self.pool.trials["study_id"])
            ]
        # Of a trial what comes closest to what was asked for: it says what else it lacks.
        over = [rule.applies.astype(int) for rule in limits(same, self.protocol.selection)]
        same = same.assign(over=np.sum([np.zeros(len(same), dtype=int), *over], axis=0))
        same = same.sort_values(
            ["study_id", "over", "is_preferred", "route_rank"],
            ascending=[True, True, False, True],
            kind="stable",
        ).drop(columns="over")
        return same.groupby("study_id").head(1).sort_values(["year", "study_id"], kind="stable")

    @cached_property
    def not_in_it(self) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
        """Other comparative studies of the condition, oldest first, with the effect barred."""
        studies = self.answers.evidence.text["studies"]
        is_own = studies["indication_id"] == self.indication_id
        comparative = studies[is_own & (studies["eligible_for"] == CONTRAST)].sort_values(
            ["year", "study_id"], kind="stable"
        )
        told = (
            self.synthesis["directions"] if self.pool is None else self.pool.trials["study_label"]
        )
        barred = {row["study_label"]: row for row in as_records(self.beside)}
        return [
            (study, barred.get(study["label"]))
            for study in as_records(comparative)
            if study["label"] not in set(told)
        ]

    @property
    def not_told(self) -> dict[str, str]:
        """Trials outside the pool that cannot be told as the measure asked for, and why."""
        rows = self.effects
        if NOT_TOLD not in rows:
            return {}
        rows = rows[rows[NOT_TOLD].ne("") & ~rows["study_id"].isin(self.trials["study_id"])]
        return dict(zip(rows["study_label"], rows["selected_why"], strict=True))

    def told_by(self, label: str) -> tuple[str, str]:
        """What else a study told of benefit, and the one side of it all.

        Without a known side, no outcome and the one word of its report, not stated without one.
        """
        rows = self.answers.directions
        rows = rows[(rows["study_label"] == label) & (rows["domain"] == "benefit")]
        # Of the question's own outcome, which it compares with something else, before any other.
        is_own = rows["construct"] == self.construct
        rows = rows[is_own] if is_own.any() else rows
        known = rows[rows["sign"].abs().eq(1)]
        side = side_of(known["sign"])
        if side in (FAVOURS_TREATMENT, FAVOURS_COMPARATOR):
            return ", ".join(dict.fromkeys(known["construct_label"])), side
        return "", NOT_STATED if len(known) else one_word(rows["direction"])

    @cached_property
    def rating(self) -> dict[str, Any] | None:
        """The row of certainty.csv, where the derived tables are at hand and rate it."""
        rows = self.answers.certainty
        if rows is None or rows.empty:
            return None
        return next(iter(as_records(self._about(rows))), None)

    @cached_property
    def over_time(self) -> pd.DataFrame:
        """The pool after each trial, in order of publication, by the methods for its size."""
        import pandas as pd

        if self.pool is None:
            return pd.DataFrame()
        trials = self.pool.trials
        parts = [self.pool.of(trials.iloc[:k]) for k in range(1, self.k + 1)]
        frame = pd.DataFrame(
            {
                "label": trials["study_label"],
                "year": trials["year"].astype(float),
                "k": [len(part.trials) for part in parts],
                "people": [part.people for part in parts],
                **_as_read(parts),
                "tau2": [float(part.result.tau2) for part in parts],
                "read_by": [part.read.method for part in parts],
            }
        )
        return frame.assign(shift=frame["estimate"].diff())

    @cached_property
    def without_each(self) -> pd.DataFrame:
        """The pool without each trial in turn, by the protocol's methods for what is left."""
        import pandas as pd

        columns = ["label", "k", "estimate", "ci_low", "ci_high"]
        if self.pool is None or self.pool.is_alone:
            return pd.DataFrame(columns=columns)
        trials = self.pool.trials
        parts = [self.pool.of(trials.drop(index=place)) for place in trials.index]
        left = [self.k - 1] * self.k
        return pd.DataFrame({"label": trials["study_label"], "k": left, **_as_read(parts)})

    @cached_property
    def moderators(self) -> pd.DataFrame:
        """What may make the trials of the pool differ, one row a trial in their order."""
        import pandas as pd

        trials, text = self.trials, self.answers.evidence.text
        studies = self.answers.evidence.tables["studies"].set_index("study_id")
        own = trials["study_id"]
        doses = [_range_text(*ends) for ends in zip(*_doses(trials), strict=True)]
        frame = pd.DataFrame(
            {
                "dose": doses,
                "design": trials["design"],
                "risk_of_bias": trials["overall_bias"].replace("", NOT_REPORTED),
                **{name: trials[name] for name in ("comparator", "estimand")},
                "funding": NOT_REPORTED,
                "dose_mg": _doses(trials)[1],
                "year": trials["year"].astype(float),
                "duration": own.map(studies["duration_weeks"]).astype(float),
                "week": trials["timepoint_weeks"].astype(float),
                "baseline": [self._baseline(row) for row in as_records(trials)],
            }
        )
        if "funding" in text:
            told = dict(zip(text["funding"]["study_id"], text["funding"]["funding"], strict=True))
            frame["funding"] = [told.get(name, NOT_REPORTED) for name in own]
        return frame

    def _baseline(self, trial: Mapping[Any, Any]) -> float:
        """Mean of people at the start of a trial, on the scale of its effect; else NaN."""
        evidence = self.answers.evidence
        rows = evidence.tables["arm_stats"]
        is_own = (rows["study_id"] == trial["study_id"]) & (
            rows["outcome_id"] == trial["outcome_id"]
        )
        started = rows[is_own & (rows["statistic_of"] == "baseline") & rows["mean"].notna()]
        means = started.sort_values("preferred", ascending=False).drop_duplicates("arm_id")["mean"]
        if not len(means):
            return math.nan
        outcomes = evidence.tables["outcomes"].set_index("outcome_id")
        low, high = outcomes.loc[trial["outcome_id"], ["scale_min", "scale_max"]].astype(float)
        common = self.protocol.scales.get(self.construct)
        mean = float(means.astype(float).mean())
        if common is None or not math.isfinite(low + high):
            return mean
        share = (mean - low) / (high - low)
        return float(common.minimum + share * (common.maximum - common.minimum))

    def subgroups(self, by: str) -> SubgroupResult | None:
        """The pool told apart by a moderator, with the test; None without two subgroups.

        Parameters
        ----------
        by : str
            One of dose, design, risk_of_bias, comparator, funding, estimand.

        Returns
        -------
        SubgroupResult or None
            As `ldn_meta.subgroups`, a pool of its own for each.
        """
        name = read_choice("subgroup_by", by)
        if self.pool is None or self.moderators[name].nunique() < 2:
            return None
        # Doses and judgements have an order; other words stand as the trials do.
        order = {"dose": self.moderators["dose_mg"].fillna(math.inf)}
        order["risk_of_bias"] = self.moderators[name].map(BIAS_STEP).fillna(math.inf)
        if name in order:
            placed = self.moderators[name].iloc[np.argsort(order[name], kind="stable")]
        else:
            placed = self.moderators[name]
        found = subgroups(
            self.trials["yi"].to_numpy(dtype=float),
            self.trials["vi"].to_numpy(dtype=float),
            by=list(self.moderators[name]),
            groups=list(dict.fromkeys(placed)),
            labels=list(self.trials["study_label"]),
            measure=self.pool.key["measure"],
            **self._fitting,
        )
        # A trial that is alone keeps its own interval, here as everywhere.
        own = [
            self.pool.of(self.trials[self.moderators[name] == group]).result
            if pool.k == 1
            else pool
            for group, pool in zip(found.names, found.pools, strict=True)
        ]
        return replace(found, pools=tuple(own))

    @property
    def _fitting(self) -> dict[str, Any]:
        """Methods for a model of several pools or of a slope."""
        model = self.protocol.model
        ci_method = model.ci_method or model.ci_method_more_trials
        return {"tau2_method": model.tau2_method, "ci_method": ci_method, "level": model.level}

    def regression(self, on: str) -> RegressionResult | None:
        """Effects on a moderator; None with fewer than three trials that tell it, or one value.

        Parameters
        ----------
        on : str
            One of dose (the highest, in mg a day), year, duration (weeks), baseline, week.

        Returns
        -------
        RegressionResult or None
            As `ldn_meta.meta_regression`.
        """
        name = read_choice("regress_on", on)
        if self.pool is None:
            return None
        values = self.moderators["dose_mg" if name == "dose" else name]
        told = values.notna().to_numpy()
        if told.sum() < LEAST_FOR_SLOPE or values[told].nunique() < 2:
            return None
        return meta_regression(
            self.trials.loc[told, "yi"].to_numpy(dtype=float),
            self.trials.loc[told, "vi"].to_numpy(dtype=float),
            values[told].to_numpy(dtype=float)[:, None],
            names=[name],
            measure=self.pool.key["measure"],
            labels=list(self.trials.loc[told, "study_label"]),
            **self._fitting,
        )

    @cached_property
    def elsewhere(self) -> dict[str, tuple[Pool, dict[str, Any]]]:
        """Trials in a pool of the same question in another unit, by label."""
        question = {name: getattr(self, name) for name in QUESTION}
        own = set() if self.pool is None else set(self.pool.trials["study_id"])
        found: dict[str, tuple[Pool, dict[str, Any]]] = {}
        for pool in self.answers.pools:
            if pool is self.pool or not question.items() <= pool.key.items():
                continue
            for row in as_records(pool.trials):
                if row["study_id"] not in own:
                    found.setdefault(row["study_label"], (pool, row))
        return found

    @cached_property
    def across(self) -> Answer | None:
        """The same question in standard deviations, where trials measured it in several units."""
        others = {pool.key["measure"] for pool, _ in self.elsewhere.values()}
        if self.pool is None or self.pool.key["measure"] != "MD" or others != {"MD"}:
            return None
        changed = self.protocol.changed(measure="SMD")
        effects, left_out = normalise(self.answers.evidence, changed)
        answers = replace(
            self.answers, protocol=changed, effects=as_saved(effects), left_out=left_out
        )
        return answers.to(self.indication_id, self.construct, self.comparator_class)

    @property
    def familiar(self) -> tuple[str, float] | None:
        """Unit that most trials of a standardised pool were measured in, and the SD of people.

        The SD that the plan states for the unit, else the root mean square of its trials'.
        """
        if self.pool is None or self.pool.key["measure"] != "SMD" or "sd" not in self.trials:
            return None
        known = self.trials[self.trials["sd"] > 0]
        if not len(known):
            return None
        unit = str(known["unit_before"].value_counts().index[0])
        stated = self.protocol.certainty.scales.get(self.construct)
        if stated is not None and stated.unit == unit:
            return unit, stated.sd
        own = known.loc[known["unit_before"] == unit, "sd"].to_numpy(dtype=float)
        return unit, float(np.sqrt(np.mean(own**2)))

    @property
    def minimal_effect(self) -> float:
        """Minimal important difference in the unit of the pool; NaN where none is stated."""
        if self.pool is None:
            return math.nan
        return self.protocol.important_difference(self.construct, self.pool.key["unit"])

    @property
    def _mid(self) -> float | None:
        return None if math.isnan(self.minimal_effect) else self.minimal_effect

    @cached_property
    def settings(self) -> SettingShares | None:
        """How often the effect would matter in new settings, by the interval to read.

        None where no effect of a new setting is predicted, no important difference is stated or
        no side is known to be better. What matters is what the rating takes for important.
        """
        pool, rated = self.pool, self.rating or {}
        if pool is None or not pool.benefit_sign:
            return None
        mid = self.minimal_effect
        names = {"important_low": -mid, "important_high": mid}
        low, high = (float(rated.get(name, other)) for name, other in names.items())
        if not (math.isfinite(low) and math.isfinite(high)):
            return None
        predicted = pool.posterior or pool.result
        found = setting_shares(predicted, (low, high), benefit_sign=pool.benefit_sign)
        return found if math.isfinite(found.benefit) else None

    @cached_property
    def look(self) -> SequentialLook | None:
        """Boundaries that allow for looking repeatedly; None without two trials or a MID."""
        if self.pool is None or self.pool.is_alone or math.isnan(self.minimal_effect):
            return None
        trials = self.pool.trials
        counted = _people_of_each(trials)
        return sequential_look(
            trials["yi"].to_numpy(dtype=float),
            trials["vi"].to_numpy(dtype=float),
            minimal_effect=self.minimal_effect,
            people=counted if all(counted) else None,
            tau2_method=self.protocol.model.tau2_method,
            labels=tuple(trials["study_label"]),
        )

    @cached_property
    def design(self) -> FutilityDesign | None:
        """Boundaries of the looks so far and of one more, when all the information is there."""
        if self.look is None:
            return None
        taken = [
            float(at)
            for at, bound in zip(self.look.information_fraction, self.look.boundary, strict=True)
            if math.isfinite(bound)
        ]
        if not taken or taken[-1] >= 1.0 - LEAST_STEP:
            return None
        return futility_boundaries([*taken, 1.0], alpha=self.look.alpha, power=self.look.power)

    @property
    def variance_per_person(self) -> float:
        """Variance of an effect times the people behind it, in the middle trial; else NaN."""
        if self.pool is None:
            return math.nan
        trials = self.pool.trials
        pairs = zip(trials["vi"], _people_of_each(trials), strict=True)
        products = [float(v) * n for v, n in pairs if n > 0]
        return float(np.median(products)) if products else math.nan

    @cached_property
    def next_trials(self) -> pd.DataFrame:
        """Probabilities of where the interval lies once one more trial is in the pool.

        Supposed true effects: none, what the pool says now, and the minimal important difference
        in favour of the treatment where one is stated.
        """
        import pandas as pd

        columns = ["supposed", "true_effect", "what", "people", "probability"]
        unit, margin = self.variance_per_person, self.minimal_effect
        if self.pool is None:
            return pd.DataFrame()
        if not math.isfinite(unit):
            return pd.DataFrame(columns=columns)
        trials, model = self.pool.trials, self.protocol.model
        sign = float(trials["benefit_sign"].iloc[0])
        supposed = {NO_EFFECT: 0.0, POOLED_EFFECT: self.pool.read.estimate}
        if math.isfinite(margin):
            supposed[IMPORTANT_EFFECT] = sign * margin
        found = next_trial(
            trials["yi"].to_numpy(dtype=float),
            trials["vi"].to_numpy(dtype=float),
            people=self.protocol.next_people,
            true_effects=list(supposed.values()),
            variance_per_person=unit,
            margin=margin,
            tau2_method=model.tau2_method,
            ci_method=model.interval(self.k + 1),
            level=model.level,
        )
        better, worse = (found.above, found.below) if sign > 0 else (found.below, found.above)
        ends = {BETTER: better, WORSE: worse, INSIDE: found.inside}
        rows = [
            (words, effect, what, int(n), float(table[row, column]))
            for row, (words, effect) in enumerate(supposed.items())
            for what, table in ends.items()
            for column, n in enumerate(found.people)
            if math.isfinite(table[row, column])
        ]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def growth(self) -> pd.DataFrame:
        """Each interval with one more trial that finds the supposed effect, as it grows.

        Supposed: the minimal important difference in favour of the treatment, else the pooled
        effect. The last row of each interval is its limit: a trial without any error.
        """
        import pandas as pd

        unit = self.variance_per_person
        if self.pool is None or self.pool.is_alone or not math.isfinite(unit):
            return pd.DataFrame()
        pool, margin = self.pool, self.minimal_effect
        sign = float(pool.trials["benefit_sign"].iloc[0])
        effect = sign * margin if math.isfinite(sign * margin) else pool.read.estimate
        measure, model = pool.key["measure"], self.protocol.model
        rows: list[dict[str, Any]] = []
        for size in (*self.protocol.next_people, math.inf):
            # Nobody's error is nought: so many people that more move no digit that is shown.
            variance = unit / min(size, WITHOUT_ERROR)
            yi = (*pool.trials["yi"].astype(float), effect)
            vi = (*pool.trials["vi"].astype(float), variance)
            told = {"people": size, "supposed": effect}
            for method in ("wald", "knapp-hartung-floored"):
                r = pool_effects(
                    yi, vi, tau2_method=model.tau2_method, ci_method=method, level=model.level
                )
                numbers = (r.estimate, r.ci_low, r.ci_high)
                rows.append({**told, "interval": method, **_span(*numbers)})
            found = with_prior(yi, vi, model, measure=measure, unit=pool.key["unit"])
            if found is not None:
                numbers = (found.mu_median, found.mu_low, found.mu_high)
                rows.append({**told, "interval": BAYESIAN, **_span(*numbers)})
        return pd.DataFrame(rows)

    @cached_property
    def small_studies(self) -> SmallStudies | None:
        """Tests of small-study effects; None below the number of trials that they need."""
        if self.pool is None or self.k < ENOUGH_TRIALS:
            return None
        trials, model = self.pool.trials, self.protocol.model
        yi, vi = (trials[name].to_numpy(dtype=float) for name in ("yi", "vi"))
        counts = [trials[name].to_numpy(dtype=float) for name in COUNTS]
        is_counted = self.pool.key["measure"] in RATIO_MEASURES and np.isfinite(counts).all()
        return SmallStudies(
            egger_test(yi, vi),
            begg_test(yi, vi),
            trim_and_fill(
                yi,
                vi,
                tau2_method=model.tau2_method,
                ci_method=model.interval(self.k),
                level=model.level,
            ),
            (harbord_test(*counts), peters_test(*counts)) if is_counted else (),
        )


def _doses(trials: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Lowest and highest daily dose of each trial; the highest alone where no other is told."""
    high = trials["dose_high_mg"].astype(float)
    return list(trials["dose_low_mg"].astype(float).fillna(high)), list(high)


def _range_text(low: float, high: float) -> str:
    if math.isnan(high):
        return NOT_REPORTED
    return f"{high:g} mg" if low == high else f"{low:g} to {high:g} mg"


def _part(choice: str, name: str, k: Any, estimate: Any, low: Any, high: Any) -> Part:
    return Part(choice, name, int(k), float(estimate), float(low), float(high))


def _as_told(numbers: Sequence[float], measure: str) -> list[str]:
    """Numbers for a line of a terminal, ratios as ratios."""
    return [f"{math.exp(n) if measure in RATIO_MEASURES else n:.4g}" for n in numbers]


def _part_words(part: Part, measure: str) -> str:
    if part.why:
        return f"{part.choice}: {part.why}"
    estimate, low, high = _as_told(part[3:6], measure)
    return f"{part.choice}, {part.name}: {estimate} ({low} to {high}), {counted(part.k, 'trial')}"


def _span(estimate: Any, low: Any, high: Any) -> dict[str, float]:
    return {"estimate": float(estimate), "ci_low": float(low), "ci_high": float(high)}


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


def _people_of_each(trials: pd.DataFrame) -> list[int]:
    return [people(trials.iloc[[place]]) for place in range(len(trials))]


def _as_read(parts: Sequence[Pool]) -> dict[str, list[float]]:
    """Estimates of pools with the intervals they are read by."""
    return {
        "estimate": [part.read.estimate for part in parts],
        "ci_low": [part.read.low for part in parts],
        "ci_high": [part.read.high for part in parts],
    }


def _line(name: str, found: Pool) -> dict[str, Any]:
    """Settings, trials, estimate and interval to read, the frequentist pool, heterogeneity."""
    numbers = (
        *("tau2_method", "ci_method", "estimate", "se", "ci_low", "ci_high", "p_value"),
        *("pi_low", "pi_high", "tau2", "tau2_ci_low", "tau2_ci_high"),
        *("q", "q_df", "q_pvalue", "i2_pct"),
    )
    return {
        **found.key,
        "analysis": name,
        "k": len(found.trials),
        "people": found.people,
        "trials": " ".join(found.trials["study_id"]),
        "effects": " ".join(found.trials["effect_id"]),
        "read_estimate": found.read.estimate,
        "read_low": found.read.low,
        "read_high": found.read.high,
        "read_by": found.read.method,
        **{number: getattr(found.result, number) for number in numbers},
    }
