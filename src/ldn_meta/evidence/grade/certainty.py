"""How certain each answer is: GRADE, domain by domain, with every rule and judgement in view."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ldn_meta.errors import DataError, Fault
from ldn_meta.evidence.answer.answer import interval_to_read
from ldn_meta.evidence.answer.pools import (
    CONFLICTING,
    DIRECTION_ONLY,
    EITHER_WAY,
    META_ANALYSIS,
    NO_COMPARISON,
    NO_DIFFERENCE,
    NOT_STATED,
    NOTHING,
    ONE_TRIAL,
    build_pools,
    has_unknown_sign,
    interval_direction,
    one_word,
    possible_synthesis,
)
from ldn_meta.evidence.effects.rows import COMPARATOR, CONTRAST, FURTHER_ARM, RATIO_MEASURES
from ldn_meta.evidence.raw.bias_tools import overall_judgements
from ldn_meta.evidence.raw.faults import fault_at
from ldn_meta.evidence.raw.review import UNNAMED, Review
from ldn_meta.files import EMPTY, MISSING, TO_DO
from ldn_meta.stats.proportions import (
    absolute_effect_from_odds_ratio,
    absolute_effect_from_risk_ratio,
)
from ldn_meta.stats.sequential import information_size_of_means, information_size_of_risks

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.answer import IntervalToRead
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.raw.protocol import CertaintyChoices, Protocol, RatedScale
    from ldn_meta.evidence.raw.tables import Evidence


MAIN_OUTCOME = "main outcome"
# Comparisons whose reports give neither an effect nor a direction.
NOT_TOLD = "compared, nothing told"
HIGH, LOW = "high", "low"
RATED = (META_ANALYSIS, ONE_TRIAL, DIRECTION_ONLY)


@dataclass(frozen=True, eq=False)
class Body:
    """What is known of one outcome against one kind of comparator."""

    indication: dict[str, str]
    outcome: str
    construct: str
    construct_label: str
    domain: str
    counted: str
    benefit_sign: float
    comparator_class: str
    comparator: str
    kind: str
    pool: Pool | None
    told: dict[str, str]
    studies: tuple[dict[str, Any], ...]
    weights: tuple[float, ...]
    registered: tuple[str, ...]
    read_by: IntervalToRead | None = None
    review: Review = UNNAMED

    @property
    def key(self) -> tuple[str, str, str]:
        """Indication, construct and comparator class."""
        return self.indication["indication_id"], self.construct, self.comparator_class

    @property
    def is_rated(self) -> bool:
        """Whether there is a comparison that tells anything."""
        return self.kind in RATED

    @property
    def start(self) -> str:
        """Certainty before anything is taken off."""
        is_randomised = all(study["is_randomised"] == "yes" for study in self.studies)
        return HIGH if is_randomised else LOW

    @cached_property
    def people(self) -> int:
        """People behind the rating, each counted once; 0 when no report gives the number."""
        if self.pool is not None:
            return self.pool.people
        return sum(study["people"] for study in self.studies)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval the answer is read by; NaN without a pool."""
        if self.read_by is not None:
            return self.read_by.low, self.read_by.high
        if self.pool is None:
            return math.nan, math.nan
        return float(self.pool.result.ci_low), float(self.pool.result.ci_high)

    @property
    def has_prior(self) -> bool:
        """Whether that interval rests on a prior for the spread between trials."""
        return self.read_by is not None and self.read_by.has_prior

    @property
    def without_size(self) -> list[str]:
        """Studies that do not give their number of people."""
        if self.pool is not None:
            return []
        return [study["label"] for study in self.studies if not study["people"]]

    @property
    def weeks(self) -> list[float]:
        """Weeks at which the outcome was measured, or the studies' duration without a pool."""
        if self.pool is not None:
            found = self.pool.trials["timepoint_weeks"].dropna().tolist()
        else:
            found = [
                float(s["duration_weeks"])
                for s in self.studies
                if s["duration_weeks"] not in MISSING
            ]
        return sorted(set(found))


NOT_COMPARED = "none"
ACTIVE = "active drug"
TWO_ARMS = 2
# Best first: who of a study counts when nobody says how many were compared.
SIZES = ("n_analysed", "n_completed", "n_randomised", "n_enrolled")


def bodies_of_evidence(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> list[Body]:
    """Every body of evidence that is rated, or said not to be ratable.

    The main outcome of each reported indication, then of each outcome group of the protocol
    the construct with the best synthesis; each against the main comparator, and against every
    other comparator with a comparison that tells something.
    """
    rows = evidence.text["indications"].to_dict("records")
    reported = [{str(n): v for n, v in row.items()} for row in rows if row["is_reported"] == "yes"]
    found: list[Body] = []
    for row in sorted(reported, key=lambda row: int(row["sort_order"])):
        name = row["indication_id"]
        own = _Material(
            row,
            evidence,
            protocol,
            effects[effects["indication_id"] == name] if len(effects) else effects,
            left_out[left_out["indication_id"] == name] if len(left_out) else left_out,
        )
        found.extend(own.bodies())
    return found


@dataclass(frozen=True, eq=False)
class _Material:
    """Everything of one indication."""

    indication: dict[str, str]
    evidence: Evidence
    protocol: Protocol
    effects: pd.DataFrame
    left_out: pd.DataFrame

    def bodies(self) -> Iterator[Body]:
        main = self.indication["main_construct"]
        yield from self._against_each(MAIN_OUTCOME, [main])
        for group in self.protocol.certainty.also_rated:
            constructs = [
                name
                for name in self.protocol.outcome_groups[group]
                if name != main and name in self._reported
            ]
            if constructs:
                yield from self._against_each(group, constructs)

    @cached_property
    def _reported(self) -> set[str]:
        """Constructs that a row of the indication is about."""
        frames = [frame for frame in (self.effects, self.left_out) if len(frame)]
        return {name for frame in frames for name in frame["construct"]}

    def _against_each(self, outcome: str, constructs: list[str]) -> Iterator[Body]:
        main = self.indication["main_comparator"]
        others = sorted(self._comparators(constructs) - {main})
        first = self._best(outcome, constructs, main)
        further = [self._best(outcome, constructs, name) for name in others]
        told = [body for body in further if body.is_rated]
        # A main comparator without anything is only worth a line where nothing else is told.
        if first.kind != NOTHING or (outcome == MAIN_OUTCOME and not told):
            yield first
        yield from told

    def _comparators(self, constructs: list[str]) -> set[str]:
        found: set[str] = set()
        for frame in (self.effects, self.left_out):
            if len(frame):
                is_own = frame["construct"].isin(constructs) & (frame["kind"] == CONTRAST)
                found |= set(frame.loc[is_own, "comparator_class"])
        return found - {FURTHER_ARM, NOT_COMPARED}

    def _best(self, outcome: str, constructs: list[str], comparator: str) -> Body:
        """The construct with the best synthesis; among equals the first."""
        order = (*RATED, NOT_TOLD, NO_COMPARISON, NOTHING)
        bodies = [self._body(outcome, name, comparator) for name in constructs]
        return min(bodies, key=lambda body: (order.index(body.kind), -len(body.studies)))

    @cached_property
    def _pools(self) -> list[Pool]:
        return build_pools(self.effects, self.protocol.selection, self.protocol.model)

    def _body(self, outcome: str, construct: str, comparator: str) -> Body:
        is_main = comparator == self.indication["main_comparator"]
        allowed = {comparator, NOT_COMPARED} if is_main else {comparator}
        frames = [
            frame[frame["comparator_class"].isin(allowed)] if len(frame) else frame
            for frame in (self.effects, self.left_out)
        ]
        pools = [p for p in self._pools if p.key["comparator_class"] == comparator]
        found = possible_synthesis(frames[0], frames[1], pools, constructs=[construct])
        fitting = [p for p in pools if p.key["construct"] == construct]
        pool = max(fitting, key=lambda p: len(p.trials)) if fitting else None
        told = {n: word for n, word in found["directions"].items() if word != NOT_STATED}
        kind = found["synthesis"]
        if kind == DIRECTION_ONLY and not told:
            kind = NOT_TOLD
        studies = self._studies(construct, pool, told)
        told = told if pool is not None else {s["label"]: told[s["label"]] for s in studies}
        return Body(
            review=self.evidence.review,
            indication=self.indication,
            outcome=outcome,
            construct=construct,
            comparator_class=comparator,
            comparator=self._named(comparator, studies),
            kind=kind,
            pool=pool,
            told=told,
            studies=tuple(studies),
            weights=_weights(pool, studies),
            registered=self._registered(),
            read_by=None if pool is None else interval_to_read(pool, self.protocol),
            **self._of_outcome(construct),
        )

    def _studies(
        self, construct: str, pool: Pool | None, told: dict[str, str]
    ) -> list[dict[str, Any]]:
        """Rows of the pool's trials, else of the studies that tell; randomised ones alone."""
        rows = {row["study_id"]: row for row in self._all_studies}
        if pool is not None:
            return [rows[name] for name in pool.trials["study_id"]]
        telling = [row for row in rows.values() if row["label"] in told]
        randomised = [row for row in telling if row["is_randomised"] == "yes"]
        return [
            {**row, "people": self._people(row, construct)}
            for row in sorted(
                randomised or telling, key=lambda row: (row["year"], row["study_id"])
            )
        ]

    @cached_property
    def _all_studies(self) -> list[dict[str, Any]]:
        rows = self.evidence.text["studies"].to_dict("records")
        return [{str(name): cell for name, cell in row.items()} for row in rows]

    def _named(self, comparator: str, studies: list[dict[str, Any]]) -> str:
        """The drug behind "active drug", if it is the same in every study."""
        arms = self.evidence.text["arms"]
        own = arms[arms["study_id"].isin([study["study_id"] for study in studies])]
        names = set(own.loc[own["group"] == str(COMPARATOR), "label"])
        return names.pop() if comparator == ACTIVE and len(names) == 1 else comparator

    def _people(self, study: dict[str, Any], construct: str) -> int:
        """People in a study's comparisons of a construct, or in the study; 0 is not known.

        The size of a study of more than two arms is not that of one comparison in it.
        """
        contrasts, outcomes = self.evidence.contrasts, self.evidence.outcomes
        of_construct = outcomes.loc[outcomes["construct"] == construct, "outcome_id"]
        own = contrasts[
            (contrasts["study_id"] == study["study_id"])
            & contrasts["outcome_id"].isin(list(of_construct))
        ]
        compared = own["n_1"] + own["n_2"].where(~own["is_paired"].astype(bool), 0)
        if compared.notna().any():
            return int(compared.max())
        if (self.evidence.arms["study_id"] == study["study_id"]).sum() > TWO_ARMS:
            return 0
        return next((int(study[name]) for name in SIZES if study[name].isdigit()), 0)

    def _of_outcome(self, construct: str) -> dict[str, Any]:
        rows = self.evidence.text["outcomes"]
        row = rows[rows["construct"] == construct].iloc[0]
        return {
            "construct_label": row["construct_label"],
            "domain": row["domain"],
            "counted": row["kind"],
            "benefit_sign": math.nan
            if row["benefit_sign"] in MISSING
            else float(row["benefit_sign"]),
        }

    def _registered(self) -> tuple[str, ...]:
        rows = self.evidence.text["studies"]
        own = rows[
            (rows["indication_id"] == self.indication["indication_id"])
            & rows["status"].isin(["registered", "protocol", "unpublished"])
        ]
        return tuple(own["label"])


def _weights(pool: Pool | None, studies: list[dict[str, Any]]) -> tuple[float, ...]:
    if pool is None:
        return tuple(1 / len(studies) for _ in studies)
    given = [float(weight) for weight in pool.result.weight_pct]
    return tuple(weight / sum(given) for weight in given)


DIFFERENCES = ("MD", "MC")
# Ratios of shares of people; a rate ratio has no risk behind it.
OF_PEOPLE = ("RR", "OR")
PER = 1000.0
# An interval made of a standard error ends on a threshold up to this.
TOUCHING = 1e-9
TWO = 2
SERIOUS, EXTREMELY_SERIOUS = -1, -3


class Imprecision(NamedTuple):
    """Rule in words, what was found, and the levels it takes."""

    rule: str
    value: str
    level: int


def scale_of(body: Body, choices: CertaintyChoices) -> RatedScale | None:
    """The rated scale of a body with a pool of differences in the unit of that scale."""
    if body.pool is None or body.pool.key["measure"] not in DIFFERENCES:
        return None
    scale = choices.scales.get(body.construct)
    return scale if scale is not None and scale.unit == body.pool.key["unit"] else None


def thresholds(body: Body, choices: CertaintyChoices) -> tuple[float, float]:
    """Ends of what is unimportant, on the scale of yi; NaN when nobody stated them.

    Of a ratio of shares of people, the stated ratios or the stated number of 1,000 people more
    or fewer, whichever is nearer to no difference at the risk of the comparison arms.
    """
    if body.pool is not None and body.pool.key["measure"] in RATIO_MEASURES:
        ratios = (
            math.log(choices["imprecision.ratio_low"]),
            math.log(choices["imprecision.ratio_high"]),
        )
        absolute = _absolute(body, choices["imprecision.per_1000"] / PER)
        return max(ratios[0], absolute[0]), min(ratios[1], absolute[1])
    scale = scale_of(body, choices)
    mid = math.nan if scale is None else scale.minimal_important_difference
    return -mid, mid


def _absolute(body: Body, difference: float) -> tuple[float, float]:
    """Log ratios that move the risk of the comparison arms by a difference; else no ends."""
    risk = control_risk(body)
    if not 0 < risk < 1:
        return -math.inf, math.inf
    ends = []
    for moved in (risk - difference, risk + difference):
        if not 0 < moved < 1:
            ends.append(math.copysign(math.inf, moved - risk))
        elif body.pool is not None and body.pool.key["measure"] == "RR":
            ends.append(math.log(moved / risk))
        else:
            ends.append(math.log(moved / (1 - moved) * (1 - risk) / risk))
    return ends[0], ends[1]


def large_effects(body: Body, choices: CertaintyChoices) -> tuple[float, float]:
    """Effects that count as large, either way, on the scale of yi."""
    if body.pool is not None and body.pool.key["measure"] in RATIO_MEASURES:
        return math.log(choices["size.large_ratio_low"]), math.log(
            choices["size.large_ratio_high"]
        )
    mid = thresholds(body, choices)[1]
    return -choices["size.large_in_mids"] * mid, choices["size.large_in_mids"] * mid


def control_risk(body: Body) -> float:
    """Share of people with the event in the comparison arms of the pool; NaN without counts."""
    if body.pool is None or body.pool.key["measure"] not in OF_PEOPLE:
        return math.nan
    trials = body.pool.trials
    people = float(trials["n_2"].sum())
    return float(trials["events_2"].sum(skipna=False)) / people if people > 0 else math.nan


def information_size(body: Body, choices: CertaintyChoices) -> float:
    """People one adequately powered trial would need; NaN when it cannot be computed.

    For differences the important difference and the SD of the scale, for ratios the control
    risk of the pool and that risk at the lower threshold of an important effect.
    """
    errors = {"alpha": choices["imprecision.alpha"], "power": choices["imprecision.power"]}
    scale = scale_of(body, choices)
    if scale is not None:
        size = information_size_of_means(scale.minimal_important_difference, scale.sd, **errors)
        return float(size)
    risk = control_risk(body)
    if not risk > 0:
        return math.nan
    # The lower threshold the interval is held against, which may be nearer than the stated ratio.
    lower = thresholds(body, choices)[0]
    if body.pool is not None and body.pool.key["measure"] == "OR":
        odds = risk / (1 - risk) * math.exp(lower)
        return float(information_size_of_risks(risk, odds / (1 + odds), **errors))
    return float(information_size_of_risks(risk, risk * math.exp(lower), **errors))


def people_for_size(body: Body) -> int:
    """People as the information size counts them: those of a crossover once in each arm."""
    if body.pool is None:
        return body.people
    trials = body.pool.trials
    return int(trials["n_1"].fillna(0.0).sum() + trials["n_2"].fillna(0.0).sum())


def imprecision_of(body: Body, choices: CertaintyChoices) -> Imprecision:
    """Apply the rule of [certainty.imprecision]."""
    if body.pool is None or not math.isfinite(thresholds(body, choices)[0]):
        return _without_thresholds(body, choices)
    low, high = body.interval
    included = [end for end in thresholds(body, choices) if _includes(low, high, end)]
    is_extreme = all(_includes(low, high, end) for end in large_effects(body, choices))
    needed, there = information_size(body, choices), people_for_size(body)
    share = choices["imprecision.far_below"]
    level = -len(included) or -(int(not there >= needed) + int(not there >= share * needed))
    alone = _includes_alone(body, choices)
    if alone:
        level = min(level, SERIOUS)
    return Imprecision(
        f"one level for each threshold of an important effect ({_stated(body, choices)}) that the "
        "95% interval includes (of two trials, the interval with the protocol's prior), three if "
        "it includes large effects both ways, at least one if the interval of either of two "
        "trials includes one; if none, one level below the optimal "
        f"information size, two below {100 * share:.0f}% of it",
        "; ".join(
            [
                _reach(body, choices, included, is_extreme=is_extreme),
                _people(body, needed, there, choices),
                *_blind(body, [] if included else alone),
            ]
        ),
        EXTREMELY_SERIOUS if is_extreme else level,
    )


def _includes(low: float, high: float, end: float) -> bool:
    """Whether an interval includes a threshold; one that ends on it does."""
    return low - TOUCHING <= end <= high + TOUCHING


def _without_thresholds(body: Body, choices: CertaintyChoices) -> Imprecision:
    """Count people alone: nothing is known to be excluded."""
    few = choices["imprecision.people_without_estimate"]
    silent = body.without_size
    is_few = body.people <= few
    why = (
        "no effect with an interval was printed"
        if body.pool is None
        else "no important difference is stated for this scale"
    )
    known = f"{body.people:,} people known" if body.people else "number of people not known"
    names = f" (not known: {', '.join(silent)})" if silent and body.people else ""
    return Imprecision(
        "without an interval to hold against an important difference: one level; with "
        f"{few:g} people or fewer, or an unknown number: two",
        f"{why}; {known}{names}",
        -2 if is_few else -1,
    )


def _stated(body: Body, choices: CertaintyChoices) -> str:
    """Thresholds as the protocol states them."""
    scale = scale_of(body, choices)
    if scale is not None:
        return f"{scale.minimal_important_difference:g} {scale.unit} either way"
    low, high, people = (
        choices[f"imprecision.{name}"] for name in ("ratio_low", "ratio_high", "per_1000")
    )
    return (
        f"a ratio of {low:g} or {high:g}, or {people:g} of 1,000 people more or fewer where that "
        "is nearer to no difference"
    )


def _reach(
    body: Body, choices: CertaintyChoices, included: list[float], *, is_extreme: bool
) -> str:
    """Which thresholds the interval includes."""
    if is_extreme:
        return f"{_which(body)} includes large effects both ways"
    if not included:
        low, high = thresholds(body, choices)
        is_inside = body.pool is not None and low < float(body.pool.result.estimate) < high
        return (
            f"{_which(body)} includes {'no' if is_inside else 'nothing but an'} important effect"
        )
    scale = scale_of(body, choices)
    names = [
        f"{end:+g} {scale.unit}" if scale is not None else f"a ratio of {math.exp(end):.2f}"
        for end in included
    ]
    what = "an important effect" if len(names) == 1 else "important effects"
    return f"{_which(body)} includes {what} ({' and '.join(names)})"


def _which(body: Body) -> str:
    """Name the interval; one with a prior with its ends, which stand nowhere else in the table."""
    if not body.has_prior or body.pool is None:
        return "the interval"
    low, high = body.interval
    if body.pool.key["measure"] in RATIO_MEASURES:
        low, high = math.exp(low), math.exp(high)
    ends = f"{low:.2f} to {high:.2f}"
    return f"the interval with a prior for the spread between the two trials ({ends})"


def _people(body: Body, needed: float, there: int, choices: CertaintyChoices) -> str:
    """How many people there are, and what the size they are held against rests on."""
    how = "people, counted once in each arm," if there != body.people else "people"
    if not math.isfinite(needed):
        return f"{there} {how} for an information size that is not defined"
    scale = scale_of(body, choices)
    basis = (
        f"SD {scale.sd:g}"
        if scale is not None
        else f"risk without the drug {100 * control_risk(body):.0f}%"
    )
    return f"{there} {how} for an information size of {needed:,.0f} ({basis})"


def _includes_alone(body: Body, choices: CertaintyChoices) -> list[str]:
    """Of two trials, those whose own interval includes an important effect."""
    if body.pool is None or len(body.pool.trials) != TWO:
        return []
    return [
        str(trial["study_label"])
        for trial in body.pool.trials.to_dict("records")
        if any(
            _includes(trial["ci_low"], trial["ci_high"], end) for end in thresholds(body, choices)
        )
    ]


def _blind(body: Body, alone: list[str]) -> list[str]:
    """What an interval of two trials does not know."""
    if body.pool is None or len(body.pool.trials) != TWO:
        return []
    words = "with two trials the interval takes the spread between them as known"
    if body.has_prior:
        return [f"{' and '.join(alone)} alone includes an important effect"] if alone else []
    own = f"that of {' and of '.join(alone)} alone includes an important effect"
    return [f"{words}; {own}" if alone else words]


RISK_OF_BIAS = "risk_of_bias"
INCONSISTENCY = "inconsistency"
INDIRECTNESS = "indirectness"
IMPRECISION = "imprecision"
PUBLICATION_BIAS = "publication_bias"
DOMAINS = (RISK_OF_BIAS, INCONSISTENCY, INDIRECTNESS, IMPRECISION, PUBLICATION_BIAS)
# Judgements of the tools, by what they mean for the rating.
AT_LOW_RISK = ("low",)
# ROBINS-I: as sound as a study without randomisation gets; that it has none is in the start.
SOUND_WITHOUT_RANDOMISATION = ("moderate",)
AT_HIGH_RISK = ("high", "serious", "critical")
NOT_JUDGED = (*EMPTY, "no information", "unclear")
# Below this many trials no test of small-study effects says anything (Handbook 13.3.5.4).
TESTABLE = 10
SERIOUS_CERTAINTY_DOMAINS, VERY_SERIOUS = -1, -2


@dataclass(frozen=True)
class Finding:
    """What one rule found."""

    domain: str
    rule: str
    value: str
    level: int


def find_all(
    body: Body, choices: CertaintyChoices, judgements: Mapping[str, str]
) -> list[Finding]:
    """Apply the five rules to a body of evidence, in the order of DOMAINS."""
    return [
        risk_of_bias(body, choices, judgements),
        inconsistency(body, choices),
        indirectness(body, choices),
        Finding(IMPRECISION, *imprecision_of(body, choices)),
        publication_bias(body),
    ]


def risk_of_bias(body: Body, choices: CertaintyChoices, judgements: Mapping[str, str]) -> Finding:
    """Share of the weight at high risk, and not at low risk."""
    least = choices["risk_of_bias.share_of_weight"]
    words = [judgements.get(study["study_id"], TO_DO) for study in body.studies]
    sound = AT_LOW_RISK + (SOUND_WITHOUT_RANDOMISATION if body.start == LOW else ())
    high = _share(body, [word in AT_HIGH_RISK for word in words])
    not_low = _share(body, [word not in sound for word in words])
    level = _levels((not_low >= least, high >= least))
    said = "; ".join(
        f"{study['label']} {'not judged' if word in NOT_JUDGED else word} ({_percent(weight)})"
        for study, word, weight in zip(body.studies, words, body.weights, strict=True)
    )
    share = "weight" if body.pool is not None else "studies"
    return Finding(
        RISK_OF_BIAS,
        f"at least {_percent(least)} of the {share} not at low risk: one level; at high risk: two "
        "(a study not judged is not at low risk)",
        f"{_percent(high)} of the {share} at high risk, {_percent(not_low)} not at low: {said}",
        level,
    )


def inconsistency(body: Body, choices: CertaintyChoices) -> Finding:
    """Spread between trials; directions where there are no numbers."""
    if body.pool is None or len(body.pool.trials) == 1:
        return _direction_inconsistency(body)
    serious = choices["inconsistency.i2_serious_pct"]
    very = choices["inconsistency.i2_very_serious_pct"]
    result, trials = body.pool.result, body.pool.trials
    i2 = float(result.i2_pct)
    apart = [
        f"{a['study_label']} and {b['study_label']}"
        for a, b in combinations(trials.to_dict("records"), 2)
        if a["ci_low"] > b["ci_high"] or b["ci_low"] > a["ci_high"]
    ]
    only_predicted = [
        end
        for end in thresholds(body, choices)
        if result.pi_low <= end <= result.pi_high and not result.ci_low <= end <= result.ci_high
    ]
    level = _levels(
        (i2 >= serious or bool(apart) or bool(only_predicted), bool(apart) and i2 >= very)
    )
    predicted = (
        "no prediction interval with two trials"
        if not math.isfinite(result.pi_low)
        else "the prediction interval reaches an important effect that the interval excludes"
        if only_predicted
        else "the prediction interval reaches no further threshold"
    )
    overlap = f"intervals do not overlap: {', '.join(apart)}" if apart else "all intervals overlap"
    return Finding(
        INCONSISTENCY,
        f"I2 of {serious:g}% or more, intervals that do not overlap, or a prediction interval "
        "that reaches an important effect the interval excludes: one level; no overlap and I2 of "
        f"{very:g}% or more: two",
        f"I2 {i2:.0f}%; {overlap}; {predicted}",
        level,
    )


def _direction_inconsistency(body: Body) -> Finding:
    """Whether studies tell the same; a single trial with a number tells its point estimate."""
    rule = "studies that tell different directions: one level"
    words = set(body.told.values()) | _own_word(body)
    said = "; ".join(f"{name}: {body.review.direction(word)}" for name, word in body.told.items())
    if body.pool is not None:
        name = body.pool.trials["study_label"].iloc[0]
        others = f"; told without numbers: {said}" if said else ""
        return Finding(
            INCONSISTENCY,
            rule,
            f"one trial ({name}): nothing to compare it with{others}",
            _levels((len(words) > 1 or CONFLICTING in words,)),
        )
    if len(body.told) == 1 and CONFLICTING not in words:
        return Finding(INCONSISTENCY, rule, f"one study, nothing to compare it with: {said}", 0)
    return Finding(INCONSISTENCY, rule, said, _levels((len(words) > 1 or CONFLICTING in words,)))


def _own_word(body: Body) -> set[str]:
    """What the number of a single trial tells, in the words of those without numbers."""
    if body.pool is None:
        return set()
    result = body.pool.result
    sign = float(body.pool.trials["benefit_sign"].iloc[0])
    word = interval_direction(float(result.ci_low), float(result.ci_high), sign)
    if has_unknown_sign(body.pool) and word != EITHER_WAY:
        return set()
    return {NO_DIFFERENCE if word == EITHER_WAY else word} - {NOT_STATED}


def indirectness(body: Body, choices: CertaintyChoices) -> Finding:
    """Mismatches between the question and the studies."""
    least = choices["indirectness.share_of_weight"]
    shortest = choices["indirectness.shortest_weeks"]
    low, high = choices.doses[body.indication["intervention"]]
    asked = body.indication["main_comparator"]
    is_surrogate = (
        body.domain in choices.surrogate_domains or body.construct in choices.surrogate_constructs
    )
    mismatches = {
        f"compared with {body.comparator_class}, the question asks about {asked}": [
            body.comparator_class != asked for _ in body.studies
        ],
        f"{body.construct_label} stands for another outcome": [is_surrogate for _ in body.studies],
        f"target dose outside {low:g} to {high:g} mg a day": [
            not low <= dose <= high
            for dose in _numbers(body, "dose_high_mg_per_day", (low + high) / 2)
        ],
        f"treatment shorter than {shortest:g} weeks": [
            weeks < shortest for weeks in _numbers(body, "duration_weeks", shortest)
        ],
    }
    found = {what: _share(body, has_it) for what, has_it in mismatches.items()}
    counted = [what for what, share in found.items() if share >= least]
    said = [f"{what} ({_percent(share)})" for what, share in found.items() if share > 0]
    for column, what in (("dose_high_mg_per_day", "dose"), ("duration_weeks", "duration")):
        silent = [s["label"] for s in body.studies if not _is_number(s[column])]
        if silent:
            said.append(f"{what} not reported or not applicable: {', '.join(silent)}")
    share = "weight" if body.pool is not None else "studies"
    return Finding(
        INDIRECTNESS,
        f"comparator, outcome, dose ({low:g} to {high:g} mg a day) or duration (from {shortest:g} "
        f"weeks) amiss in at least {_percent(least)} of the {share}: one level; two of them: two",
        "; ".join(said) or "no mismatch found",
        _levels((len(counted) > 0, len(counted) > 1)),
    )


def publication_bias(body: Body) -> Finding:
    """What bears on it; nothing is computed, it is judged."""
    k = len(body.studies)
    noun = "study" if k == 1 else "studies"
    missing = ", ".join(body.registered) or "none"
    return Finding(
        PUBLICATION_BIAS,
        "judged: strongly suspected takes one level; tests of small-study effects need "
        f"{TESTABLE} trials",
        f"{k} {noun}; registered, planned or unpublished trials of the condition on file: "
        f"{missing}; targeted look-up, no systematic search",
        0,
    )


def _levels(broken: tuple[bool, ...]) -> int:
    """What is taken off when the rule of one level, or that of two, is broken."""
    return VERY_SERIOUS if broken[1:] == (True,) else SERIOUS_CERTAINTY_DOMAINS if broken[0] else 0


def _share(body: Body, has_it: list[bool]) -> float:
    # Weights are sums of rounded numbers: half of two equal ones must count as half.
    return round(sum(w for w, has in zip(body.weights, has_it, strict=True) if has), 9)


def _numbers(body: Body, column: str, otherwise: float) -> list[float]:
    return [float(s[column]) if _is_number(s[column]) else otherwise for s in body.studies]


def _is_number(cell: Any) -> bool:
    return str(cell) not in MISSING


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


TRIVIAL, SMALL, MODERATE, LARGE = "trivial", "small", "moderate", "large"
UNKNOWN = "not known"
SIZES_CERTAINTY_EFFECT = (TRIVIAL, SMALL, MODERATE, LARGE, UNKNOWN)
LOWER, HIGHER = "lower", "higher"


def size_of_effect(body: Body, choices: CertaintyChoices) -> str:
    """Name the size of the point estimate; an effect on a threshold is of the larger size."""
    if body.pool is None:
        return UNKNOWN
    estimate = float(body.pool.result.estimate)
    if body.pool.key["measure"] in RATIO_MEASURES:
        end = "low" if estimate < 0 else "high"
        steps = [
            abs(math.log(choices[f"{name}_{end}"]))
            for name in ("imprecision.ratio", "size.moderate_ratio", "size.large_ratio")
        ]
    else:
        mid = thresholds(body, choices)[1]
        if not math.isfinite(mid):
            return UNKNOWN
        steps = [mid, choices["size.moderate_in_mids"] * mid, choices["size.large_in_mids"] * mid]
    reached = sum(abs(estimate) >= step for step in steps)
    return SIZES_CERTAINTY_EFFECT[reached]


def change_of_outcome(body: Body) -> str:
    """Say whether there was less or more of what was measured; UNKNOWN without a known sign."""
    if body.pool is None or has_unknown_sign(body.pool):
        return UNKNOWN
    return LOWER if float(body.pool.result.estimate) < 0 else HIGHER


def per_thousand(body: Body) -> dict[str, float]:
    """People of 1,000 with the event, without the drug and with it.

    The risk without the drug is that of the comparison arms of the pool, all people together;
    the ratio is assumed to hold at that risk (Handbook 14.1.5, 15.4.4).
    """
    names = ("with", "low", "high")
    risk = control_risk(body)
    if body.pool is None or body.pool.key["measure"] not in OF_PEOPLE or not risk > 0:
        keys = ["without", *names, *(f"difference_{name}" for name in names)]
        return {f"per_1000_{key}": math.nan for key in keys}
    result = body.pool.result
    convert = (
        absolute_effect_from_risk_ratio
        if body.pool.key["measure"] == "RR"
        else absolute_effect_from_odds_ratio
    )
    found = {"per_1000_without": PER * risk}
    differences = {}
    for name, value in zip(names, (result.estimate, result.ci_low, result.ci_high), strict=True):
        effect = convert(math.exp(float(value)), risk)
        found[f"per_1000_{name}"] = PER * float(effect.risk)
        differences[f"per_1000_difference_{name}"] = PER * float(effect.difference)
    return found | differences


# Indication, construct, comparator class, domain.
Key: TypeAlias = tuple[str, str, str, str]

TABLE = "certainty"
JUDGED = (RISK_OF_BIAS, PUBLICATION_BIAS)
JUDGEMENT, OVERRIDE = "judgement", "override"
NOT_SERIOUS, SERIOUS_WORD, VERY_SERIOUS_WORD = "not serious", "serious", "very serious"
# Three levels; GRADE knows them for imprecision alone (guidance 34).
EXTREME_WORD = "extremely serious"
UNDETECTED, SUSPECTED = "undetected", "strongly suspected"
LEVELS = {
    NOT_SERIOUS: 0,
    SERIOUS_WORD: SERIOUS_CERTAINTY_DOMAINS,
    VERY_SERIOUS_WORD: VERY_SERIOUS,
    EXTREME_WORD: EXTREMELY_SERIOUS,
    UNDETECTED: 0,
    SUSPECTED: SERIOUS_CERTAINTY_DOMAINS,
}
OF_OTHERS = (NOT_SERIOUS, SERIOUS_WORD, VERY_SERIOUS_WORD)
ALLOWED = {
    RISK_OF_BIAS: OF_OTHERS,
    INCONSISTENCY: OF_OTHERS,
    INDIRECTNESS: OF_OTHERS,
    IMPRECISION: (*OF_OTHERS, EXTREME_WORD),
    PUBLICATION_BIAS: (UNDETECTED, SUSPECTED),
}
KEY = ["indication_id", "construct", "comparator_class", "domain"]
FIRST_DATA_LINE = 2


class Judged(NamedTuple):
    """One row of certainty.csv."""

    line: int
    kind: str
    judgement: str
    reason: str
    judged_by: str


def certainty_faults(evidence: Evidence) -> list[Fault]:
    """Every breach of a rule that certainty.csv can break by itself."""
    return list(_faults(evidence))


def _faults(evidence: Evidence) -> Iterator[Fault]:
    text = evidence.text[TABLE]
    for line, row in zip(text.index, text.to_dict("records"), strict=True):
        # The schema check tells of words that are no domain and no judgement at all.
        if row["domain"] not in ALLOWED:
            continue
        kind = JUDGEMENT if row["domain"] in JUDGED else OVERRIDE
        if row["kind"] != kind:
            rule = f"{row['domain']} is {'judged' if kind == JUDGEMENT else 'computed'}"
            yield fault_at(evidence, TABLE, line, "kind", rule, f"write {kind}")
        allowed = ALLOWED[row["domain"]]
        if row["judgement"] in LEVELS and row["judgement"] not in allowed:
            rule = f"is no judgement of {row['domain']}"
            remedy = f"use one of {', '.join(allowed)}"
            yield fault_at(evidence, TABLE, line, "judgement", rule, remedy)
    for line in text.index[text.duplicated(KEY)]:
        same = (text[KEY] == text.loc[line, KEY]).all(axis=1)
        rule = f"line {same.idxmax()} judges the same outcome and domain"
        yield fault_at(evidence, TABLE, line, "domain", rule, "keep one of the two")


def match_rows(
    evidence: Evidence, rated: Sequence[tuple[Body, Sequence[Finding]]]
) -> dict[Key, Judged]:
    """Find the judgement of every rated outcome and domain."""
    text = evidence.text[TABLE]
    rows: dict[Key, Judged] = {
        _key(row): Judged(
            place + FIRST_DATA_LINE,
            str(row["kind"]),
            str(row["judgement"]),
            str(row["reason"]),
            str(row["judged_by"]),
        )
        for place, row in enumerate(text.to_dict("records"))
    }
    found = {
        (*body.key, finding.domain): finding for body, findings in rated for finding in findings
    }
    faults = [
        *(_missing(key, text["row_id"].to_list()) for key in _wanted(rated) if key not in rows),
        *(_extra(key, row) for key, row in rows.items() if key not in found),
        *(
            _idle(key, row)
            for key, row in rows.items()
            if key in found and row.kind == OVERRIDE and LEVELS[row.judgement] == found[key].level
        ),
    ]
    if faults:
        raise DataError(faults)
    return rows


def _key(row: dict[Any, Any]) -> Key:
    return row["indication_id"], row["construct"], row["comparator_class"], row["domain"]


def _wanted(rated: Sequence[tuple[Body, Sequence[Finding]]]) -> Iterator[Key]:
    for body, _ in rated:
        for domain in JUDGED:
            yield (*body.key, domain)


def _missing(key: Key, ids: list[str]) -> Fault:
    """A judgement that has to be made, at the line where its row belongs."""
    name = row_id(key)
    line = FIRST_DATA_LINE + sum(there < name for there in ids)
    words = ALLOWED[key[3]]
    return Fault(
        TABLE,
        line,
        "row_id",
        name,
        f"is missing: {key[1]} against {key[2]} ({key[0]}) is rated, but nobody judged {key[3]}",
        f"add the row {name} with one of {', '.join(words)} and the reason",
    )


def _extra(key: Key, row: Judged) -> Fault:
    rule = f"is not rated against {key[2]} in {key[0]}: no comparison tells of it"
    remedy = "delete the row, or correct indication, construct, comparator_class or domain"
    return Fault(TABLE, row.line, "construct", key[1], rule, remedy)


def _idle(key: Key, row: Judged) -> Fault:
    rule = f"overrides nothing: the rule of {key[3]} says the same"
    return Fault(TABLE, row.line, "judgement", row.judgement, rule, "delete the row")


def row_id(key: Key) -> str:
    """The key of a row of certainty.csv: its four parts, hyphened."""
    return "-".join(part.replace(" ", "_") for part in key)


# From the lowest up; what is taken off stops at the first.
GRADES = ("very low", "low", "moderate", "high")
NOT_RATED = "not rated"
COMPUTED, JUDGED_CERTAINTY, CONFIRMED, OVERRIDDEN = "computed", "judged", "confirmed", "overridden"
WHY_NOT = {
    NO_COMPARISON: "no comparative study; people on the drug alone cannot show what it adds",
    NOT_TOLD: "compared, but the reports give neither an effect nor a direction",
}
NOTHING_REPORTED = "no study on file reported it"


class CertaintyTables(NamedTuple):
    """One row an outcome, and one row a domain of each rated outcome."""

    certainty: pd.DataFrame
    certainty_domains: pd.DataFrame


def certainty_tables(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> CertaintyTables:
    """Rate the certainty of every outcome that the protocol names.

    Randomised comparisons start high and others low; domains take levels off,
    and nothing is added (no outcome here is large, dose-dependent and without randomisation).

    Notes
    -----
    Guyatt 2011, Journal of Clinical Epidemiology 64:401-406 and the series it begins; without a
    pooled estimate, Murad 2017, Evidence-Based Medicine 22:85-87.
    """
    import pandas as pd

    choices = protocol.certainty
    bodies = bodies_of_evidence(evidence, protocol, effects, left_out)
    if bodies:
        choices.check_against(evidence)
    risk = overall_judgements(evidence)
    rated = [(b, find_all(b, choices, risk)) for b in bodies if b.is_rated]
    judged = match_rows(evidence, rated)
    lines: dict[tuple[str, str, str], list[dict[str, Any]]] = {
        body.key: [_domain_line(body, f, judged.get((*body.key, f.domain))) for f in findings]
        for body, findings in rated
    }
    domains = [line for of_body in lines.values() for line in of_body]
    outcomes = [_outcome_line(body, protocol, lines.get(body.key, [])) for body in bodies]
    return CertaintyTables(pd.DataFrame(outcomes), pd.DataFrame(domains))


def grade(start: str, levels: list[int]) -> str:
    """Return the certainty that is left; never below the lowest."""
    return GRADES[max(0, GRADES.index(start) + sum(levels))]


def _domain_line(body: Body, finding: Finding, row: Judged | None) -> dict[str, Any]:
    level = finding.level if row is None else LEVELS[row.judgement]
    return {
        **_key_certainty(body),
        "domain": finding.domain,
        "rule": finding.rule,
        "value": finding.value,
        "computed_level": finding.level,
        "judgement": "none" if row is None else row.judgement,
        "reason": "none" if row is None else row.reason,
        "judged_by": "rule" if row is None else row.judged_by,
        "level": level,
        "status": _status(finding, row, level),
    }


def _status(finding: Finding, row: Judged | None, level: int) -> str:
    if row is None:
        return COMPUTED
    if finding.domain == DOMAINS[-1]:
        return JUDGED_CERTAINTY
    return CONFIRMED if level == finding.level else OVERRIDDEN


def _outcome_line(body: Body, protocol: Protocol, domains: list[dict[str, Any]]) -> dict[str, Any]:
    choices = protocol.certainty
    result = None if body.pool is None else body.pool.result
    low, high = thresholds(body, choices)
    levels = {domain["domain"]: domain["level"] for domain in domains}
    missing = float("nan")
    return {
        **_key_certainty(body),
        "outcome": body.outcome,
        "comparator": body.comparator,
        "construct_label": body.construct_label,
        "domain": body.domain,
        "counted": body.counted,
        "benefit_sign": body.benefit_sign,
        "synthesis": body.kind,
        "studies": len(body.studies),
        "study_ids": " ".join(study["study_id"] for study in body.studies) or "none",
        "people": body.people,
        "week_first": min(body.weeks, default=missing),
        "week_last": max(body.weeks, default=missing),
        "measure": "none" if body.pool is None else body.pool.key["measure"],
        "unit": "none" if body.pool is None else body.pool.key["unit"],
        "estimate": missing if result is None else float(result.estimate),
        "ci_low": missing if result is None else float(result.ci_low),
        "ci_high": missing if result is None else float(result.ci_high),
        "important_low": low,
        "important_high": high,
        "information_size": information_size(body, choices),
        **per_thousand(body),
        "registered": "; ".join(body.registered) or "none",
        "size": size_of_effect(body, choices),
        "change": change_of_outcome(body),
        "direction": one_word(body.told.values()) if body.pool is None else "none",
        "start": body.start if body.is_rated else "none",
        **{f"{name}_level": levels.get(name, missing) for name in DOMAINS},
        "certainty": grade(body.start, list(levels.values())) if body.is_rated else NOT_RATED,
        "why_not_rated": "none" if body.is_rated else WHY_NOT.get(body.kind, NOTHING_REPORTED),
    }


def _key_certainty(body: Body) -> dict[str, str]:
    return dict(zip(("indication_id", "construct", "comparator_class"), body.key, strict=True))
