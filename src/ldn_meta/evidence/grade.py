"""How certain each answer is: GRADE, domain by domain, with every rule and judgement in view.

What rules are called and how findings are worded stands in grade.toml of the raw folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ldn_meta.errors import ArgumentError, DataError, Fault, did_you_mean
from ldn_meta.evidence.answer.directions import ANALYSED, group_of_constructs
from ldn_meta.evidence.answer.directions import NO_COMPARISON as NO_COMPARISON_PRINTED
from ldn_meta.evidence.answer.pools import (
    DIRECTION_ONLY,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    META_ANALYSIS,
    NO_COMPARISON,
    NO_INTERVAL,
    NOT_STATED,
    NOTHING,
    ONE_TRIAL,
    IntervalToRead,
    find_pool,
    has_unknown_sign,
    possible_synthesis,
    side_of,
    side_of_pool,
)
from ldn_meta.evidence.effects.rows import (
    COMPARATOR,
    CONTRAST,
    FURTHER_ARM,
    RATIO_MEASURES,
)
from ldn_meta.evidence.raw.bias import AGAINST_A_TRIAL, NOT_READABLE, overall_judgements
from ldn_meta.evidence.raw.faults import fault_at
from ldn_meta.evidence.raw.protocol import ALL_LOW, ELSEWHERE, GRADES
from ldn_meta.evidence.raw.review import (
    UNNAMED,
    Review,
    check_names,
    check_template,
    percent,
    section_of,
    write,
)
from ldn_meta.evidence.raw.tables import as_records
from ldn_meta.files import EMPTY, MISSING, TO_DO
from ldn_meta.stats.convert import ci_from_se, correlation_from_paired, paired_se, sd_from_se
from ldn_meta.stats.proportions import (
    absolute_effect_from_odds_ratio,
    absolute_effect_from_risk_ratio,
)
from ldn_meta.stats.sequential import information_size_of_means, information_size_of_risks

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.answer import Answers
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.raw.protocol import CertaintyChoices, RatedScale
    from ldn_meta.evidence.raw.tables import Evidence


FILE = "grade.toml"
MAIN_OUTCOME = "main outcome"
# Outcomes that the protocol names for a condition, each for itself.
FOR_ITSELF = "for itself"
# Outcomes that some page tells of and nobody rates.
TOLD_ELSEWHERE = "told, not rated"
# Comparisons whose reports give neither an effect nor a direction.
NOT_TOLD = "compared, nothing told"
# Comparisons of which the same is printed of both groups, as when nobody had the event.
SAME = "compared, the same in both"
HIGH, LOW = "high", "low"
RATED = (META_ANALYSIS, ONE_TRIAL, DIRECTION_ONLY)
NOT_COMPARED = "none"
ACTIVE = "active drug"

RISK_OF_BIAS = "risk_of_bias"
INCONSISTENCY = "inconsistency"
INDIRECTNESS = "indirectness"
IMPRECISION = "imprecision"
PUBLICATION_BIAS = "publication_bias"
DOMAINS = (RISK_OF_BIAS, INCONSISTENCY, INDIRECTNESS, IMPRECISION, PUBLICATION_BIAS)
# Judgements of the tools, by what they mean for the rating.
AT_LOW_RISK = ("low",)
AT_HIGH_RISK = ("high", "serious", "critical")
AT_CRITICAL_RISK = ("critical",)
NOT_JUDGED = (*EMPTY, "no information", "unclear", NOT_READABLE)
# Below this many trials no test of small-study effects says anything (Handbook 13.3.5.4).
TESTABLE = 10
# Three levels; GRADE knows them for imprecision (guidance 34) and without randomisation (18).
SERIOUS, VERY_SERIOUS, EXTREMELY_SERIOUS = -1, -2, -3

DIFFERENCES = ("MD", "MC")
# Ratios of shares of people; a rate ratio has no risk behind it.
OF_PEOPLE = ("RR", "OR")
PER = 1000.0
# An interval made of a standard error ends on a threshold up to this.
TOUCHING = 1e-9

# What grade.toml says, with what each sentence may hold.
SENTENCES = {
    RISK_OF_BIAS: {
        "rule": "least share",
        "value": "high share not_low told",
        "study": "label word percent",
        "not_judged": "",
        "not_read": "faults rating",
        "no_fault": "",
        "few_faults": "share",
    },
    INCONSISTENCY: {
        "rule": "serious very",
        "value": "i2 overlap predicted where",
        "same_side": "sides",
        "different_sides": "sides",
        "of_important": "ends",
        "of_none": "",
        "not_twice": "i2 where",
        "apart": "pairs",
        "pair": "one other",
        "overlap": "",
        "not_predicted": "",
        "reaches_further": "",
        "reaches_no_further": "",
        "of_directions": "",
        "one_trial": "label others",
        "others": "told",
        "one_study": "told",
    },
    INDIRECTNESS: {
        "rule": "low high shortest least share",
        "comparator": "comparator asked",
        "surrogate": "outcome",
        "dose": "low high",
        "weeks": "shortest",
        "mismatch": "mismatch percent",
        "none": "",
        "no_dose": "studies",
        "no_weeks": "studies",
    },
    IMPRECISION: {
        "rule": "stated far_below few",
        "stated_scale": "mid unit",
        "stated_ratio": "low high people",
        "interval": "name low high",
        "both_ways": "interval",
        "no_important": "interval",
        "nothing_but_important": "interval",
        "one_important": "interval ends",
        "two_important": "interval ends",
        "end_of_scale": "end unit",
        "end_of_ratio": "ratio",
        "people": "",
        "people_in_each_arm": "",
        "size": "there how needed basis",
        "tipping": "size fewest",
        "no_size": "there how few",
        "basis_sd": "sd",
        "basis_several": "basis",
        "basis_risk": "percent",
        "rule_of_people": "few",
        "value_of_people": "why known silent",
        "no_interval": "",
        "no_difference_stated": "",
        "known": "people",
        "counted_early": "people stage",
        "counted_before": "people early stage",
        "not_known": "",
        "silent": "studies",
    },
    PUBLICATION_BIAS: {
        "rule": "testable",
        "value": "k noun registered",
        "study": "",
        "studies": "",
    },
    "share": {"weight": "", "studies": ""},
    "why_not_rated": {
        "no_comparison": "",
        "not_told": "",
        "same_in_both": "printed",
        "not_apart": "studies",
        "nothing": "",
        "same_group": "group rated",
        "no_reason": "",
    },
    "caution": {
        "sign_unknown": "",
        "approximated": "assumptions",
        "active": "comparator",
        "spread": "sd unit expected scale correlation implied low high",
    },
}
Sentences: TypeAlias = Mapping[str, Mapping[str, str]]


def read_sentences(stated: Mapping[str, Any]) -> Sentences:
    """Hold what the file states to the sentences that ratings are written in."""
    if not stated:
        message = f"{FILE} is missing; it says in which words certainty is rated"
        raise ArgumentError(message)
    check_names(FILE, stated, required=SENTENCES, optional=())
    found = {}
    for section, sentences in SENTENCES.items():
        found[section] = section_of(FILE, stated, section, sentences)
        for name, fields in sentences.items():
            check_template(f"{FILE}.{section}.{name}", found[section][name], fields.split())
    return found


@dataclass(frozen=True)
class Study:
    """What a rating asks of a study."""

    study_id: str
    label: str
    year: str
    is_randomised: bool
    # NaN where it is not reported or does not apply.
    dose: float
    weeks: float
    # In its comparisons of the outcome, or in all; 0 when no report says.
    people: int = 0
    # What they were when counted, where that is before the analysis.
    counted_at: str = ""
    # Of risk of bias.
    tool: str = ""

    @classmethod
    def of(
        cls, row: Mapping[str, str], counted: tuple[int, str] = (0, ""), tool: str = ""
    ) -> Study:
        """A row of studies.csv, as typed."""
        dose, weeks = (
            math.nan if row[name] in MISSING else float(row[name])
            for name in ("dose_high_mg_per_day", "duration_weeks")
        )
        is_randomised = row["is_randomised"] == "yes"
        return cls(
            row["study_id"], row["label"], row["year"], is_randomised, dose, weeks, *counted, tool
        )


@dataclass(frozen=True, eq=False)
class Body:
    """What is known of one outcome against one kind of comparator."""

    indication: Mapping[str, str]
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
    # Sign of the side of each result without an effect: +1 the treatment, -1 the comparator.
    told: Mapping[str, float]
    studies: tuple[Study, ...]
    registered: tuple[str, ...]
    sentences: Sentences
    review: Review = UNNAMED
    # Study and what it printed.
    printed: Mapping[str, str] = field(default_factory=dict)
    # Why it is not rated although it tells something.
    why_not: str = ""
    # Comparative studies that print it for one arm, or for all arms together.
    not_apart: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Indication, construct and comparator class."""
        return self.indication["indication_id"], self.construct, self.comparator_class

    @property
    def is_rated(self) -> bool:
        """Whether there is a comparison that tells anything."""
        return self.kind in RATED and not self.why_not

    @property
    def is_randomised(self) -> bool:
        """Whether every study is."""
        return all(study.is_randomised for study in self.studies)

    @property
    def start(self) -> str:
        """Certainty before anything is taken off.

        A study judged against the randomised trial it stands for starts where that would:
        what it lacks is taken off for risk of bias, once.
        """
        as_trials = (
            study.is_randomised or study.tool in AGAINST_A_TRIAL for study in self.studies
        )
        return HIGH if all(as_trials) else LOW

    @property
    def measure(self) -> str:
        """Measure of the pool; none without one."""
        return "none" if self.pool is None else self.pool.key["measure"]

    @property
    def estimate(self) -> float:
        """Estimate that the pool is read by; NaN without one."""
        return self.interval.estimate

    @property
    def is_ratio(self) -> bool:
        """Whether there is a pool on the scale of logarithms."""
        return self.measure in RATIO_MEASURES

    @cached_property
    def people(self) -> int:
        """People behind the rating, each counted once; 0 when no report gives the number."""
        counted = 0 if self.pool is None else self.pool.people
        return counted or sum(study.people for study in self.studies)

    @cached_property
    def counted_before(self) -> tuple[int, str]:
        """How many of the people were counted before the analysis, and when; 0 is none."""
        early = [study for study in self.studies if study.counted_at]
        when = " or ".join(dict.fromkeys(study.counted_at for study in early))
        return sum(study.people for study in early), when or "none"

    @property
    def interval(self) -> IntervalToRead:
        """The interval the answer is read by; NaN without a pool."""
        return NO_INTERVAL if self.pool is None else self.pool.read

    @property
    def weeks(self) -> list[float]:
        """Weeks at which the outcome was measured, or the studies' duration without a pool."""
        if self.pool is not None:
            return sorted(set(self.pool.trials["timepoint_weeks"].dropna().tolist()))
        return sorted({study.weeks for study in self.studies if not math.isnan(study.weeks)})

    @cached_property
    def weights(self) -> list[float]:
        """Weight of each study in the pool, or one over their number without one."""
        if self.pool is None:
            return [1 / len(self.studies) for _ in self.studies]
        given = [float(weight) for weight in self.pool.result.weight_pct]
        return [weight / sum(given) for weight in given]

    @property
    def share_of(self) -> str:
        """What a share of the studies is a share of."""
        return self.say("share", "studies" if self.pool is None else "weight")

    def share(self, holds: Callable[[Study], bool]) -> float:
        """Weight of the studies of which something holds."""
        weights = (w for w, study in zip(self.weights, self.studies, strict=True) if holds(study))
        # Weights are sums of rounded numbers: half of two equal ones must count as half.
        return round(sum(weights), 9)

    def say(self, section: str, sentence: str, **values: float | str) -> str:
        """Write a sentence of grade.toml."""
        return write(self.sentences[section][sentence], **values)


def bodies_of_evidence(answers: Answers) -> list[Body]:
    """Every body of evidence that is rated, or said not to be ratable.

    The main outcome of each reported indication, then of each outcome group of the protocol
    the construct with the best synthesis, then the constructs it names for the indication; each
    against the main comparator, and against every other comparator with a comparison that tells
    something. Last what else is told on some page, with the reason why it is not rated.
    """
    indications = as_records(answers.evidence.text["indications"])
    rows = [row for row in indications if row["is_reported"] == "yes"]
    return [
        body
        for row in sorted(rows, key=lambda row: int(row["sort_order"]))
        for body in _Material(row, answers).bodies()
    ]


@dataclass(frozen=True, eq=False)
class _Material:
    """Everything of one indication."""

    indication: Mapping[str, str]
    answers: Answers

    @property
    def evidence(self) -> Evidence:
        return self.answers.evidence

    @cached_property
    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return self.answers.frames(self.indication["indication_id"])

    @cached_property
    def studies(self) -> dict[str, dict[str, str]]:
        return {row["study_id"]: row for row in as_records(self.evidence.text["studies"])}

    @cached_property
    def sentences(self) -> Sentences:
        return read_sentences(self.evidence.wording.get(FILE, {}))

    @cached_property
    def tools(self) -> dict[str, str]:
        """Tool that each study was judged with."""
        return {
            row["study_id"]: row["tool"] for row in as_records(self.evidence.text["risk_of_bias"])
        }

    @cached_property
    def not_rated(self) -> dict[tuple[str, str], str]:
        """Reasons of certainty.csv not to rate a construct against a comparator."""
        return {
            (row["construct"], row["comparator_class"]): row["reason"]
            for row in as_records(self.evidence.text[TABLE])
            if row["kind"] == NOT_RATED
            and row["indication_id"] == self.indication["indication_id"]
        }

    @cached_property
    def sides(self) -> pd.DataFrame:
        """What each comparative study of the indication tells of each construct."""
        rows = self.answers.directions
        return rows[rows["indication_id"] == self.indication["indication_id"]]

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        """Of it, what it compares."""
        return as_records(self.sides[self.sides["sign_from"] != NO_COMPARISON_PRINTED])

    def _not_apart(self, construct: str, comparator: str) -> tuple[str, ...]:
        """Comparative studies that print a construct without a comparison."""
        rows = self.sides[self.sides["sign_from"] == NO_COMPARISON_PRINTED]
        of = (rows["construct"] == construct) & (rows["comparator_class"] == comparator)
        return tuple(rows.loc[of, "study_label"])

    def bodies(self) -> Iterator[Body]:
        main = self.indication["main_construct"]
        protocol = self.answers.protocol
        certainty = protocol.certainty
        asked = [(MAIN_OUTCOME, [main])]
        reported = {name for frame in self.frames if len(frame) for name in frame["construct"]}
        for group in certainty.also_rated:
            constructs = [n for n in protocol.outcome_groups[group] if n in reported - {main}]
            asked += [(group, constructs)] if constructs else []
        named = certainty.rated_for.get(self.indication["indication_id"], ())
        asked += [(FOR_ITSELF, [name]) for name in named]
        found: dict[tuple[str, str], Body] = {}
        for outcome, constructs in asked:
            for body in self._against_each(outcome, constructs):
                found.setdefault((body.construct, body.comparator_class), body)
        yield from found.values()
        yield from self._told_elsewhere(found)

    def _told_elsewhere(self, found: Mapping[tuple[str, str], Body]) -> Iterator[Body]:
        """What has an effect or a direction somewhere, and no line of its own."""
        groups = group_of_constructs(self.answers.protocol)
        rated = {
            (groups.get(body.construct), body.comparator_class): body
            for body in reversed(list(found.values()))
            if body.is_rated
        }
        # Of the groups also what is printed of one arm alone.
        told = [(row["construct"], row["comparator_class"]) for row in as_records(self.sides)]
        for frame in self.frames:
            if len(frame):
                # What a study compares that does not isolate the treatment answers no question.
                is_own = frame["study_id"].map(self._isolates) & (frame["kind"] == CONTRAST)
                own = frame[is_own]
                told += zip(own["construct"], own["comparator_class"], strict=True)
        for key in dict.fromkeys(told):
            if key in found or key[1] in (FURTHER_ARM, NOT_COMPARED):
                continue
            body = self._body(TOLD_ELSEWHERE, *key)
            other = rated.get((groups.get(key[0]), key[1]))
            if not body.is_rated:
                yield body
            elif key[0] in groups and other is not None:
                group = {"group": groups[key[0]], "rated": other.construct_label}
                why_not = body.say("why_not_rated", "same_group", **group)
                yield replace(body, why_not=why_not)
            else:
                yield replace(body, why_not=body.say("why_not_rated", "no_reason"))

    def _isolates(self, study_id: str) -> bool:
        return bool(self.studies[study_id]["eligible_for"] == CONTRAST)

    def _against_each(self, outcome: str, constructs: list[str]) -> Iterator[Body]:
        main = self.indication["main_comparator"]
        compared: set[str] = set()
        for frame in self.frames:
            if len(frame):
                is_own = frame["construct"].isin(constructs) & (frame["kind"] == CONTRAST)
                compared |= set(frame.loc[is_own, "comparator_class"])
        others = sorted(compared - {FURTHER_ARM, NOT_COMPARED, main})
        first, *further = (self._best(outcome, constructs, name) for name in (main, *others))
        told = [body for body in further if body.is_rated]
        # A main comparator without anything is only worth a line where nothing else is told.
        if first.kind != NOTHING or (outcome in (MAIN_OUTCOME, FOR_ITSELF) and not told):
            yield first
        yield from told

    def _best(self, outcome: str, constructs: list[str], comparator: str) -> Body:
        """The construct with the best synthesis; among equals the first."""
        order = (*RATED, SAME, NOT_TOLD, NO_COMPARISON, NOTHING)
        bodies = [self._body(outcome, name, comparator) for name in constructs]
        return min(bodies, key=lambda body: (order.index(body.kind), -len(body.studies)))

    def _body(self, outcome: str, construct: str, comparator: str) -> Body:
        is_main = comparator == self.indication["main_comparator"]
        allowed = {comparator, NOT_COMPARED} if is_main else {comparator}
        effects, left_out = (
            frame[frame["comparator_class"].isin(allowed)] if len(frame) else frame
            for frame in self.frames
        )
        own = {
            "indication_id": self.indication["indication_id"],
            "comparator_class": comparator,
        }
        pools = [pool for pool in self.answers.pools if own.items() <= pool.key.items()]
        found = possible_synthesis(effects, left_out, pools, self.sides, constructs=[construct])
        answer = self.answers.to(own["indication_id"], construct, comparator)
        kind = found["synthesis"]
        if answer.pool is None:
            approximated = self._approximated(construct, comparator)
            answer = replace(answer, pool=approximated)
            kind = kind if approximated is None else ONE_TRIAL
        pool = answer.pool
        results = [
            row
            for row in self.results
            if (row["construct"], row["comparator_class"]) == (construct, comparator)
        ]
        in_pool = set() if pool is None else set(pool.trials["study_label"])
        told = {
            row["study_label"]: float(row["sign"])
            for row in results
            if kind != META_ANALYSIS and row["study_label"] not in in_pool and _tells(row)
        }
        if pool is None and (results or kind == DIRECTION_ONLY):
            is_same = bool(results) and all(row["sign"] == 0 for row in results)
            kind = DIRECTION_ONLY if told else SAME if is_same else NOT_TOLD
        studies = self._studies_of(construct, pool, told)
        labels = self.evidence.text["outcomes"]
        row = labels[labels["construct"] == construct].iloc[0]
        sign = row["benefit_sign"]
        return Body(
            indication=self.indication,
            outcome=outcome,
            construct=construct,
            construct_label=row["construct_label"],
            domain=row["domain"],
            counted=row["kind"],
            benefit_sign=math.nan if sign in MISSING else float(sign),
            comparator_class=comparator,
            comparator=self._named(comparator, studies),
            kind=kind,
            pool=pool,
            told=told if pool is not None else {s.label: told[s.label] for s in studies},
            printed={
                row["study_label"]: str(row["printed"])
                for row in results
                if not studies or row["study_id"] in {study.study_id for study in studies}
            },
            why_not=self.not_rated.get((construct, comparator), ""),
            not_apart=self._not_apart(construct, comparator),
            studies=tuple(studies),
            registered=self._registered,
            sentences=self.sentences,
            review=self.evidence.review.of(self.indication["intervention"]),
        )

    def _approximated(self, construct: str, comparator: str) -> Pool | None:
        """The one trial whose effect only an approximation gives, where no other effect is."""
        protocol = self.answers.protocol
        selection = replace(protocol.selection, allow_approximate=True)
        found = find_pool(
            self.answers.pools_by(selection, protocol.model),
            indication_id=self.indication["indication_id"],
            construct=construct,
            comparator_class=comparator,
        )
        return found if found is not None and found.is_alone else None

    def _studies_of(
        self, construct: str, pool: Pool | None, told: Mapping[str, float]
    ) -> list[Study]:
        """The pool's trials, else the studies that tell; randomised ones alone."""
        names = None if pool is None else list(pool.trials["study_id"])
        telling = [
            Study.of(row, self._people(row, construct), self.tools.get(row["study_id"], ""))
            for row in self.studies.values()
            if (row["label"] in told if names is None else row["study_id"] in names)
        ]
        if names is not None:
            return sorted(telling, key=lambda study: names.index(study.study_id))
        randomised = [study for study in telling if study.is_randomised]
        return sorted(randomised or telling, key=lambda study: (study.year, study.study_id))

    def _named(self, comparator: str, studies: list[Study]) -> str:
        """The drug behind "active drug", if it is the same in every study."""
        arms = self.evidence.text["arms"]
        own = arms[arms["study_id"].isin([study.study_id for study in studies])]
        names = set(own.loc[own["group"] == str(COMPARATOR), "label"])
        return names.pop() if comparator == ACTIVE and len(names) == 1 else comparator

    def _people(self, study: Mapping[str, str], construct: str) -> tuple[int, str]:
        """People in a study's comparison, as the page without pooling counts them; 0 not known.

        Beside them when they were counted, where that is before the analysis.
        """
        asked = (study["study_id"], construct)
        own = (row for row in self.results if (row["study_id"], row["construct"]) == asked)
        row = next(own, None)
        if row is None or not row["n_people"] > 0:
            return 0, ""
        return int(row["n_people"]), "" if row["people_are"] == ANALYSED else row["people_are"]

    @cached_property
    def _registered(self) -> tuple[str, ...]:
        return tuple(
            row["label"]
            for row in self.studies.values()
            if row["indication_id"] == self.indication["indication_id"]
            and row["status"] in ("registered", "terminated", "protocol", "unpublished")
            # The registration of a trial that is on file hides nothing.
            and row["overlaps_with"] in EMPTY
        )


def _tells(row: Mapping[str, Any]) -> bool:
    """Whether a result lies on a side, or its report says anything of one."""
    return bool(abs(row["sign"]) == 1 or row["direction"] != NOT_STATED)


# -- thresholds and sizes --------------------------------------------------------------------


def scale_of(body: Body, choices: CertaintyChoices) -> RatedScale | None:
    """The rated scale of a body with a pool of differences in the unit of that scale."""
    if body.pool is None or body.measure not in DIFFERENCES:
        return None
    scale = choices.scales.get(body.construct)
    return scale if scale is not None and scale.unit == body.pool.key["unit"] else None


def thresholds(body: Body, choices: CertaintyChoices) -> tuple[float, float]:
    """Ends of what is unimportant, on the scale of yi; NaN when nobody stated them.

    Of a ratio of shares of people, the stated ratios or the stated number of 1,000 people more
    or fewer, whichever is nearer to no difference at the risk of the comparison arms.
    """
    if body.is_ratio:
        low, high = (math.log(choices[f"imprecision.ratio_{end}"]) for end in ("low", "high"))
        absolute = _absolute(body, choices["imprecision.per_1000"] / PER)
        return max(low, absolute[0]), min(high, absolute[1])
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
        elif body.measure == "RR":
            ends.append(math.log(moved / risk))
        else:
            ends.append(math.log(moved / (1 - moved) * (1 - risk) / risk))
    return ends[0], ends[1]


def large_effects(body: Body, choices: CertaintyChoices) -> tuple[float, float]:
    """Effects that count as large, either way, on the scale of yi."""
    if body.is_ratio:
        low, high = (math.log(choices[f"size.large_ratio_{end}"]) for end in ("low", "high"))
        return low, high
    large = choices["size.large_in_mids"] * thresholds(body, choices)[1]
    return -large, large


def control_risk(body: Body) -> float:
    """Share of people with the event in the comparison arms of the pool; NaN without counts."""
    if body.pool is None or body.measure not in OF_PEOPLE:
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
    ratio = math.exp(thresholds(body, choices)[0])
    odds = risk / (1 - risk) * ratio if body.measure == "OR" else math.nan
    other = odds / (1 + odds) if body.measure == "OR" else risk * ratio
    return float(information_size_of_risks(risk, other, **errors))


def people_for_size(body: Body) -> int:
    """People as the information size counts them: those of a crossover once in each arm."""
    if body.pool is None:
        return body.people
    trials = body.pool.trials
    counted = int(trials["n_1"].fillna(0.0).sum() + trials["n_2"].fillna(0.0).sum())
    return counted or body.people


# -- the five rules --------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """What one rule found."""

    domain: str
    rule: str
    value: str
    level: int
    # What readers must know though it took nothing off.
    note: str = "none"
    # The level by the choice of the plan that was made late the other way, if it was.
    otherwise: int | None = None


def find_all(
    body: Body, choices: CertaintyChoices, judgements: Mapping[str, str]
) -> list[Finding]:
    """Apply the five rules to a body of evidence, in the order of DOMAINS."""
    return [
        risk_of_bias(body, choices, judgements),
        inconsistency(body, choices),
        indirectness(body, choices),
        imprecision_of(body, choices),
        publication_bias(body),
    ]


def _level(is_serious: bool, is_very_serious: bool = False) -> int:
    """What is taken off when the rule of one level, or that of two, is broken."""
    return VERY_SERIOUS if is_very_serious else SERIOUS if is_serious else 0


def risk_of_bias(body: Body, choices: CertaintyChoices, judgements: Mapping[str, str]) -> Finding:
    """Share of the weight at critical risk, at high risk, and not at low risk.

    Without randomisation whatever is not at low risk counts as high risk: what starts as a
    randomised trial would does not end above low without a stated reason (GRADE guidance 18).
    """
    least = choices["risk_of_bias.share_of_weight"]
    words = {s.study_id: judgements.get(s.study_id, TO_DO) for s in body.studies}
    critical = body.share(lambda study: words[study.study_id] in AT_CRITICAL_RISK)
    high = body.share(lambda study: words[study.study_id] in AT_HIGH_RISK)
    not_low = body.share(lambda study: words[study.study_id] not in AT_LOW_RISK)
    unlike_a_trial = body.share(
        lambda study: not study.is_randomised and words[study.study_id] not in AT_LOW_RISK
    )
    not_judged = body.say(RISK_OF_BIAS, "not_judged")
    told = (
        body.say(
            RISK_OF_BIAS,
            "study",
            label=study.label,
            word=not_judged if word in NOT_JUDGED and word != NOT_READABLE else word,
            percent=percent(weight),
        )
        for study, word, weight in zip(body.studies, words.values(), body.weights, strict=True)
    )
    shares = {"share": body.share_of, "high": percent(high), "not_low": percent(not_low)}
    level = (
        EXTREMELY_SERIOUS
        if critical >= least
        else _level(not_low >= least, max(high, unlike_a_trial) >= least)
    )
    # Nothing is known against a trial of which too little could be read.
    known = body.share(lambda study: words[study.study_id] not in (*AT_LOW_RISK, NOT_READABLE))
    is_not_read = level == SERIOUS and body.is_randomised and known < least
    faults = body.say(
        RISK_OF_BIAS,
        "few_faults" if known else "no_fault",
        share=body.share_of,
    )
    return Finding(
        RISK_OF_BIAS,
        body.say(RISK_OF_BIAS, "rule", least=percent(least), share=body.share_of),
        body.say(RISK_OF_BIAS, "value", told="; ".join(told), **shares),
        level,
        faults if is_not_read else "none",
        0 if is_not_read else level,
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
        body.say(INCONSISTENCY, "pair", one=a["study_label"], other=b["study_label"])
        for a, b in combinations(as_records(trials), 2)
        if a["ci_low"] > b["ci_high"] or b["ci_low"] > a["ci_high"]
    ]
    low, high = thresholds(body, choices)
    reaches_further = any(
        result.pi_low <= end <= result.pi_high and not result.ci_low <= end <= result.ci_high
        for end in (low, high)
    )
    # That of two trials is made of the prior, which is no finding.
    if not math.isfinite(result.pi_low):
        predicted = "not_predicted"
    else:
        predicted = "reaches_further" if reaches_further else "reaches_no_further"
    # Zones: beyond one important difference, between the two, beyond the other.
    is_stated = math.isfinite(low) and math.isfinite(high)
    zones = {_zone(float(yi), low, high) for yi in trials["yi"]}
    # Without a threshold no difference lies on neither side.
    is_apart = len(zones if is_stated else zones - {0}) > 1
    overlap = "apart" if apart else "overlap"
    sides = body.say(INCONSISTENCY, "of_none")
    if is_stated:
        ends = " and ".join(_ends_in_words(body, choices, [low, high]))
        sides = body.say(INCONSISTENCY, "of_important", ends=ends)
    where = body.say(INCONSISTENCY, "different_sides" if is_apart else "same_side", sides=sides)
    level = _level(i2 >= serious or bool(apart) or reaches_further, bool(apart) and i2 >= very)
    return Finding(
        INCONSISTENCY,
        body.say(INCONSISTENCY, "rule", serious=serious, very=very),
        body.say(
            INCONSISTENCY,
            "value",
            overlap=body.say(INCONSISTENCY, overlap, pairs=", ".join(apart)),
            predicted=body.say(INCONSISTENCY, predicted),
            i2=i2,
            where=where,
        ),
        level if is_apart else 0,
        body.say(INCONSISTENCY, "not_twice", i2=i2, where=where)
        if level and not is_apart
        else "none",
        level,
    )


def _zone(yi: float, low: float, high: float) -> int:
    """-1, 0 or 1: on which side of what is important; without a threshold, of no difference."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low = high = 0.0
    return int(yi >= high) - int(yi <= low)


def _direction_inconsistency(body: Body) -> Finding:
    """Whether two known sides differ; a single trial with a number has that of its estimate."""
    own = set() if body.pool is None else {side_of_pool(body.pool)}
    sides = own | {side_of([sign]) for sign in body.told.values()}
    told = "; ".join(
        f"{name}: {body.review.side(side_of([sign]))}" for name, sign in body.told.items()
    )
    if body.pool is not None:
        label = body.pool.trials["study_label"].iloc[0]
        others = body.say(INCONSISTENCY, "others", told=told) if told else ""
        told = body.say(INCONSISTENCY, "one_trial", label=label, others=others)
    elif len(body.told) == 1:
        told = body.say(INCONSISTENCY, "one_study", told=told)
    rule = body.say(INCONSISTENCY, "of_directions")
    is_apart = {FAVOURS_TREATMENT, FAVOURS_COMPARATOR} <= sides
    return Finding(INCONSISTENCY, rule, told, _level(is_apart))


def indirectness(body: Body, choices: CertaintyChoices) -> Finding:
    """Mismatches between the question and the studies."""
    least = choices["indirectness.share_of_weight"]
    shortest = choices["indirectness.shortest_weeks"]
    low, high = choices.doses[body.indication["intervention"]]
    asked = body.indication["main_comparator"]
    is_surrogate = (
        body.domain in choices.surrogate_domains or body.construct in choices.surrogate_constructs
    )
    values: dict[str, float | str] = {
        "comparator": body.comparator_class,
        "asked": asked,
        "outcome": body.construct_label,
        "low": low,
        "high": high,
        "shortest": shortest,
    }
    # A dose or a duration that is not reported is no mismatch.
    shares = {
        "comparator": body.share(lambda _: body.comparator_class != asked),
        "surrogate": body.share(lambda _: is_surrogate),
        "dose": body.share(lambda study: study.dose < low or study.dose > high),
        "weeks": body.share(lambda study: study.weeks < shortest),
    }
    amiss = sum(share >= least for share in shares.values())
    said = [
        body.say(
            INDIRECTNESS,
            "mismatch",
            mismatch=body.say(INDIRECTNESS, name, **values),
            percent=percent(share),
        )
        for name, share in shares.items()
        if share > 0
    ]
    for name in ("dose", "weeks"):
        silent = [study.label for study in body.studies if math.isnan(getattr(study, name))]
        if silent:
            said.append(body.say(INDIRECTNESS, f"no_{name}", studies=", ".join(silent)))
    return Finding(
        INDIRECTNESS,
        body.say(INDIRECTNESS, "rule", least=percent(least), share=body.share_of, **values),
        "; ".join(said) or body.say(INDIRECTNESS, "none"),
        _level(amiss > 0, amiss > 1),
    )


def imprecision_of(body: Body, choices: CertaintyChoices) -> Finding:
    """Apply the rule of [certainty.imprecision]."""
    ends = thresholds(body, choices)
    low, high = body.interval.low, body.interval.high
    if not all(map(math.isfinite, (*ends, low, high))):
        return _imprecision_by_people(body, choices)
    included = [end for end in ends if _includes(low, high, end)]
    is_extreme = all(_includes(low, high, end) for end in large_effects(body, choices))
    needed, there = information_size(body, choices), people_for_size(body)
    far_below, few = (
        choices[f"imprecision.{name}"] for name in ("far_below", "people_without_estimate")
    )
    # A size that is not defined takes nothing: few people do.
    short = (
        there <= few
        if math.isnan(needed)
        else int(there < needed) + int(there < far_below * needed)
    )
    level = -(len(included) or int(short))
    said = [
        _reach(body, choices, included, is_extreme=is_extreme),
        _people(body, needed, there, choices),
    ]
    rule = body.say(
        IMPRECISION, "rule", stated=_stated(body, choices), far_below=percent(far_below), few=few
    )
    level = EXTREMELY_SERIOUS if is_extreme else level
    return Finding(IMPRECISION, rule, "; ".join(said), level)


def _includes(low: float, high: float, end: float) -> bool:
    """Whether an interval includes a threshold; one that ends on it does."""
    return low - TOUCHING <= end <= high + TOUCHING


def _imprecision_by_people(body: Body, choices: CertaintyChoices) -> Finding:
    """Count people alone: nothing is known to be excluded."""
    few = choices["imprecision.people_without_estimate"]
    silent = [s.label for s in body.studies if body.pool is None and not s.people]
    is_listed = bool(silent and body.people)
    names = body.say(IMPRECISION, "silent", studies=", ".join(silent)) if is_listed else ""
    why = "no_difference_stated" if math.isfinite(body.interval.low) else "no_interval"
    early, stage = body.counted_before
    known = "known" if body.people else "not_known"
    if early:
        known = "counted_early" if early == body.people else "counted_before"
    return Finding(
        IMPRECISION,
        body.say(IMPRECISION, "rule_of_people", few=few),
        body.say(
            IMPRECISION,
            "value_of_people",
            why=body.say(IMPRECISION, why),
            known=body.say(IMPRECISION, known, people=body.people, early=early, stage=stage),
            silent=names,
        ),
        _level(True, body.people <= few),
    )


def _stated(body: Body, choices: CertaintyChoices) -> str:
    """Thresholds as the protocol states them."""
    scale = scale_of(body, choices)
    if scale is not None:
        mid = scale.minimal_important_difference
        return body.say(IMPRECISION, "stated_scale", mid=mid, unit=scale.unit)
    low, high, people = (
        choices[f"imprecision.{name}"] for name in ("ratio_low", "ratio_high", "per_1000")
    )
    return body.say(IMPRECISION, "stated_ratio", low=low, high=high, people=people)


def _reach(
    body: Body, choices: CertaintyChoices, included: list[float], *, is_extreme: bool
) -> str:
    """Which thresholds the interval includes, with its ends."""
    read = body.interval
    low, high = read.low, read.high
    if body.is_ratio:
        low, high = math.exp(low), math.exp(high)
    ends = _ends_in_words(body, choices, included)
    if is_extreme:
        sentence = "both_ways"
    elif included:
        sentence = "one_important" if len(ends) == 1 else "two_important"
    else:
        below, above = thresholds(body, choices)
        is_inside = below < body.estimate < above
        sentence = "no_important" if is_inside else "nothing_but_important"
    return body.say(
        IMPRECISION,
        sentence,
        interval=body.say(IMPRECISION, "interval", name=read.name, low=low, high=high),
        ends=" and ".join(ends),
    )


def _ends_in_words(body: Body, choices: CertaintyChoices, ends: Sequence[float]) -> list[str]:
    """Thresholds as readers see them."""
    scale = scale_of(body, choices)
    return [
        body.say(IMPRECISION, "end_of_ratio", ratio=math.exp(end))
        if scale is None
        else f"{end:+g}"
        if place < len(ends)
        else body.say(IMPRECISION, "end_of_scale", end=f"{end:+g}", unit=scale.unit)
        for place, end in enumerate(ends, 1)
    ]


def _people(body: Body, needed: float, there: int, choices: CertaintyChoices) -> str:
    """How many people there are, and what the size they are held against rests on."""
    how = body.say(IMPRECISION, "people" if there == body.people else "people_in_each_arm")
    scale = scale_of(body, choices)
    basis = (
        body.say(IMPRECISION, "basis_risk", percent=percent(control_risk(body)))
        if scale is None
        else body.say(IMPRECISION, "basis_sd", sd=scale.sd)
    )
    if body.pool is not None and not body.pool.is_alone:
        basis = body.say(IMPRECISION, "basis_several", basis=basis)
    few = choices["imprecision.people_without_estimate"]
    sentence = "size" if math.isfinite(needed) else "no_size"
    numbers = {"needed": needed, "few": few}
    said = body.say(IMPRECISION, sentence, there=str(there), how=how, basis=basis, **numbers)
    is_twice = body.pool is not None and body.pool.is_alone and there == 2 * body.people
    if not (is_twice and there >= needed):
        return said
    # Who finished both periods may be fewer than the people of the trial.
    return body.say(IMPRECISION, "tipping", size=said, fewest=str(math.ceil(needed / 2)))


def publication_bias(body: Body) -> Finding:
    """What bears on it; nothing is computed, it is judged."""
    k = len(body.studies)
    return Finding(
        PUBLICATION_BIAS,
        body.say(PUBLICATION_BIAS, "rule", testable=TESTABLE),
        body.say(
            PUBLICATION_BIAS,
            "value",
            k=k,
            noun=body.say(PUBLICATION_BIAS, "study" if k == 1 else "studies"),
            registered=", ".join(body.registered) or "none",
        ),
        0,
    )


# -- how large, how many people --------------------------------------------------------------

TRIVIAL, SMALL, MODERATE, LARGE = "trivial", "small", "moderate", "large"
UNKNOWN = "not known"
EFFECT_SIZES = (TRIVIAL, SMALL, MODERATE, LARGE, UNKNOWN)
LOWER, HIGHER = "lower", "higher"


def size_of_effect(body: Body, choices: CertaintyChoices) -> str:
    """Name the size of the point estimate; an effect on a threshold is of the larger size."""
    if body.is_ratio:
        end = "low" if body.estimate < 0 else "high"
        steps = [
            abs(math.log(choices[f"{name}_{end}"]))
            for name in ("imprecision.ratio", "size.moderate_ratio", "size.large_ratio")
        ]
    else:
        mid = thresholds(body, choices)[1]
        if not math.isfinite(mid):
            return UNKNOWN
        steps = [mid, choices["size.moderate_in_mids"] * mid, choices["size.large_in_mids"] * mid]
    return EFFECT_SIZES[sum(abs(body.estimate) >= step for step in steps)]


def change_of_outcome(body: Body) -> str:
    """Say whether there was less or more of what was measured; UNKNOWN without a known sign."""
    if body.pool is None or has_unknown_sign(body.pool):
        return UNKNOWN
    return LOWER if body.estimate < 0 else HIGHER


def per_thousand(body: Body) -> dict[str, float]:
    """People of 1,000 with the event, without the drug and with it.

    The risk without the drug is that of the comparison arms of the pool, all people together;
    the ratio is assumed to hold at that risk (Handbook 14.1.5, 15.4.4).
    """
    names = ("with", "low", "high")
    keys = ["without", *names, *(f"difference_{name}" for name in names)]
    found = {f"per_1000_{key}": math.nan for key in keys}
    risk = control_risk(body)
    if body.pool is None or not risk > 0:
        return found
    read = body.pool.read
    is_risk = body.measure == "RR"
    convert = absolute_effect_from_risk_ratio if is_risk else absolute_effect_from_odds_ratio
    found["per_1000_without"] = PER * risk
    for name, value in zip(names, (read.estimate, read.low, read.high), strict=True):
        effect = convert(math.exp(value), risk)
        found[f"per_1000_{name}"] = PER * float(effect.risk)
        found[f"per_1000_difference_{name}"] = PER * float(effect.difference)
    return found


# -- what a reader has to know beside the levels ----------------------------------------------


def cautions(body: Body, choices: CertaintyChoices, correlation: float) -> Iterator[str]:
    """What bears on how an effect is read and is no domain of its own."""
    if body.pool is None or not body.is_rated:
        return
    trials = body.pool.trials
    if trials["is_approximate"].astype(bool).any():
        assumed = "; ".join(dict.fromkeys(trials["assumptions"]))
        yield body.say("caution", "approximated", assumptions=assumed)
    if has_unknown_sign(body.pool):
        yield body.say("caution", "sign_unknown")
    if body.comparator_class == ACTIVE and body.measure in DIFFERENCES:
        yield body.say("caution", "active", comparator=body.comparator)
    spread = unexpected_spread(body, choices, correlation)
    scale = scale_of(body, choices)
    if scale is not None and math.isfinite(spread["spread_sd"]):
        numbers = {name.removeprefix("spread_"): value for name, value in spread.items()}
        yield body.say("caution", "spread", unit=scale.unit, **numbers)


SPREAD = ("sd", "scale", "correlation", "expected", "implied", "low", "high")


def unexpected_spread(
    body: Body, choices: CertaintyChoices, correlation: float
) -> dict[str, float]:
    """The SD of paired differences behind an interval, where it is smaller than expected.

    Beside it what was expected and from what, the correlation within people that the printed one
    needs, and the interval with the expected one. NaN where nothing is unexpected.
    """
    found = dict.fromkeys((f"spread_{name}" for name in SPREAD), math.nan)
    scale = scale_of(body, choices)
    if body.pool is None or not body.is_rated or scale is None or not body.pool.is_alone:
        return found
    trial = body.pool.trials.iloc[0]
    estimate, se, pairs = (float(trial[name]) for name in ("yi", "sei", "n_1"))
    expected = float(paired_se(scale.sd, scale.sd, pairs, correlation))
    least = choices["caution.least_share_of_spread"] * expected
    if not (bool(trial["is_paired"]) and se < least):
        return found
    low, high = ci_from_se(estimate, expected)
    implied = correlation_from_paired(scale.sd, scale.sd, pairs, se)
    sds = (float(sd_from_se(error, pairs)) for error in (se, expected))
    numbers = (next(sds), scale.sd, correlation, next(sds), implied, low, high)
    return dict(zip(found, map(float, numbers), strict=True))


# -- judgements on file ----------------------------------------------------------------------

# Values of KEY.
Key: TypeAlias = tuple[str, ...]

TABLE = "certainty"
JUDGED_DOMAINS = (RISK_OF_BIAS, PUBLICATION_BIAS)
JUDGEMENT, OVERRIDE = "judgement", "override"
# A row about the outcome as a whole: why it is not rated.
NOT_RATED, WHOLE = "not rated", "outcome"
# Kind of a row by its domain, and what is so of the domain; others are computed.
KIND_OF = {
    WHOLE: (NOT_RATED, "is about all of it"),
    **dict.fromkeys(JUDGED_DOMAINS, (JUDGEMENT, "is judged")),
}
LEVELS = {
    "not serious": 0,
    "serious": SERIOUS,
    "very serious": VERY_SERIOUS,
    "extremely serious": EXTREMELY_SERIOUS,
    "undetected": 0,
    "strongly suspected": SERIOUS,
}
WORDS = tuple(LEVELS)
ALLOWED = {
    RISK_OF_BIAS: WORDS[:4],
    INCONSISTENCY: WORDS[:3],
    INDIRECTNESS: WORDS[:3],
    IMPRECISION: WORDS[:4],
    PUBLICATION_BIAS: WORDS[4:],
    WHOLE: (NOT_RATED,),
}
KEY = ["indication_id", "construct", "comparator_class", "domain"]
FIRST_DATA_LINE = 2


class JudgedRow(NamedTuple):
    """One row of certainty.csv."""

    line: int
    kind: str
    judgement: str
    reason: str
    judged_by: str


def certainty_faults(evidence: Evidence) -> Iterator[Fault]:
    """Every breach of a rule that certainty.csv can break by itself."""
    text = evidence.text[TABLE]
    for line, row in zip(text.index, as_records(text), strict=True):
        # The schema check tells of words that are no domain and no judgement at all.
        if row["domain"] not in ALLOWED:
            continue
        kind, is_what = KIND_OF.get(row["domain"], (OVERRIDE, "is computed"))
        if row["kind"] != kind:
            rule = f"{row['domain']} {is_what}"
            yield fault_at(evidence, TABLE, line, "kind", rule, f"write {kind}")
        allowed = ALLOWED[row["domain"]]
        if row["judgement"] in (*LEVELS, NOT_RATED) and row["judgement"] not in allowed:
            rule = f"is no judgement of {row['domain']}"
            remedy = f"use one of {', '.join(allowed)}"
            yield fault_at(evidence, TABLE, line, "judgement", rule, remedy)
    for line in text.index[text.duplicated(KEY)]:
        same = (text[KEY] == text.loc[line, KEY]).all(axis=1)
        rule = f"line {same.idxmax()} judges the same outcome and domain"
        yield fault_at(evidence, TABLE, line, "domain", rule, "keep one of the two")


def judged_rows(evidence: Evidence) -> dict[Key, JudgedRow]:
    """What people judged, by outcome and domain."""
    return {
        tuple(row[name] for name in KEY): JudgedRow(
            line, row["kind"], row["judgement"], row["reason"], row["judged_by"]
        )
        for line, row in enumerate(as_records(evidence.text[TABLE]), FIRST_DATA_LINE)
    }


def match_rows(
    evidence: Evidence,
    rated: Sequence[tuple[Body, Sequence[Finding]]],
    unrated: Sequence[Body] = (),
) -> dict[Key, JudgedRow]:
    """Find the judgement of every rated outcome and domain; and what is said of the others."""
    table, rows = as_records(evidence.text[TABLE]), judged_rows(evidence)
    found: dict[Key, int] = {
        (*body.key, f.domain): f.level for body, findings in rated for f in findings
    }
    wanted = [(*body.key, domain) for body, _ in rated for domain in JUDGED_DOMAINS]
    ids = [row["row_id"] for row in table]
    faults = [_missing(key, ids) for key in wanted if key not in rows]
    for body, _ in rated:
        judged = rows.get((*body.key, RISK_OF_BIAS))
        if judged and LEVELS[judged.judgement] == EXTREMELY_SERIOUS and body.is_randomised:
            rule = "takes three levels for risk of bias of randomised studies"
            remedy = f"use one of {', '.join(ALLOWED[RISK_OF_BIAS][:-1])}"
            faults.append(Fault(TABLE, judged.line, "judgement", judged.judgement, rule, remedy))
    with_reason = {(*body.key, WHOLE) for body in unrated if body.why_not}
    excluded = told_by_excluded(evidence)
    known = [row_id(key) for key in (*found, *with_reason)]
    for key, row in rows.items():
        if key not in found and key not in with_reason and key[:3] not in excluded:
            rule = f"is not rated against {key[2]} in {key[0]}: no comparison tells of it"
            hint = did_you_mean(row_id(key), known, " ")
            named = "indication, construct, comparator_class or domain"
            remedy = f"{hint}delete the row, or correct {named}"
            faults.append(Fault(TABLE, row.line, "construct", key[1], rule, remedy))
        elif row.kind == OVERRIDE and found.get(key) == LEVELS[row.judgement]:
            rule = f"overrides nothing: the rule of {key[3]} says the same"
            faults.append(
                Fault(TABLE, row.line, "judgement", row.judgement, rule, "delete the row")
            )
    if faults:
        raise DataError(faults)
    return rows


def told_by_excluded(evidence: Evidence) -> set[tuple[str, str, str]]:
    """Indication, construct and comparator of what a study tells that somebody left out.

    Their rows stay on file: they are said nowhere, and hold again once the study is let in.
    """

    def cells(table: str, *names: str) -> Iterator[tuple[str, ...]]:
        return zip(*(evidence.text[table][name].tolist() for name in names), strict=True)

    constructs = {row[0]: row[1] for row in cells("outcomes", "outcome_id", "construct")}
    where = ("study_id", "eligible_for", "indication_id", "comparator_class")
    left_out = {row[0]: row[2:] for row in cells("studies", *where) if row[1] == "excluded"}
    return {
        (left_out[study][0], constructs[outcome], left_out[study][1])
        for name, frame in evidence.text.items()
        if "analysis_set" in frame
        for study, outcome in cells(name, "study_id", "outcome_id")
        if study in left_out and outcome in constructs
    }


def _missing(key: Key, ids: list[str]) -> Fault:
    """A judgement that has to be made, at the line where its row belongs."""
    name = row_id(key)
    line = FIRST_DATA_LINE + sum(there < name for there in ids)
    rule = f"is missing: {key[1]} against {key[2]} ({key[0]}) is rated, but nobody judged {key[3]}"
    remedy = f"add the row {name} with one of {', '.join(ALLOWED[key[3]])} and the reason"
    return Fault(TABLE, line, "row_id", name, rule, remedy)


def row_id(key: Key) -> str:
    """The key of a row of certainty.csv: its four parts, hyphened."""
    return "-".join(part.replace(" ", "_") for part in key)


# -- the tables ------------------------------------------------------------------------------

COMPUTED, JUDGED, CONFIRMED, OVERRIDDEN = "computed", "judged", "confirmed", "overridden"
WHY_NOT = {NO_COMPARISON: "no_comparison", NOT_TOLD: "not_told"}


def _why_not(body: Body) -> str:
    """Why nothing is rated, by what is on file."""
    if body.kind == SAME:
        printed = "; ".join(f"{name} {text}" for name, text in body.printed.items())
        return body.say("why_not_rated", "same_in_both", printed=printed)
    if body.kind in (NO_COMPARISON, NOTHING) and body.not_apart:
        return body.say("why_not_rated", "not_apart", studies=", ".join(body.not_apart))
    return body.say("why_not_rated", WHY_NOT.get(body.kind, "nothing"))


class CertaintyTables(NamedTuple):
    """One row an outcome; one a domain of each rated outcome; one a rating that a choice moves."""

    certainty: pd.DataFrame
    certainty_domains: pd.DataFrame
    certainty_otherwise: pd.DataFrame


def certainty_tables(answers: Answers, *, by_plan: bool = True) -> CertaintyTables:
    """Rate the certainty of every outcome that the protocol names.

    Under other choices than the plan's (``by_plan`` False) the rules rate, and of what people
    judged only that stands which no rule says: what overrides one, and publication bias.

    Randomised comparisons start high, and so do those that were judged against the randomised
    trial they stand for; others low. Domains take levels off, and nothing is added (no outcome
    here is large, dose-dependent and without randomisation).

    Notes
    -----
    Guyatt 2011, Journal of Clinical Epidemiology 64:401-406 and the series it begins; without a
    pooled estimate, Murad 2017, Evidence-Based Medicine 22:85-87.
    """
    import pandas as pd

    evidence, choices = answers.evidence, answers.protocol.certainty
    bodies = bodies_of_evidence(answers)
    if bodies and by_plan:
        choices.check_against(evidence)
    risk = overall_judgements(evidence)
    rated = [(b, find_all(b, choices, risk)) for b in bodies if b.is_rated]
    unrated = [body for body in bodies if not body.is_rated]
    judged = match_rows(evidence, rated, unrated) if by_plan else judged_rows(evidence)
    if not by_plan:
        stands = {k: r for k, r in judged.items() if k[3] == PUBLICATION_BIAS}
        judged = stands | {key: row for key, row in judged.items() if row.kind == OVERRIDE}
    lines = {body.key: _domain_lines(body, findings, judged) for body, findings in rated}
    domains = [line for of_body in lines.values() for line in of_body]
    correlation = answers.protocol.correlation
    outcomes = [
        _outcome_line(body, choices, correlation, lines.get(body.key, []))
        | _otherwise(answers, body, lines.get(body.key, []), risk)
        for body in bodies
    ]
    others = pd.DataFrame(list(_others(answers, rated, lines, risk)), columns=list(OTHERWISE))
    return CertaintyTables(pd.DataFrame(outcomes), pd.DataFrame(domains), others)


OTHERWISE = (*KEY[:3], "choice", "answer", "domains", "certainty", "certainty_otherwise")


def _others(
    answers: Answers,
    rated: Sequence[tuple[Body, Sequence[Finding]]],
    lines: Mapping[tuple[str, str, str], list[dict[str, Any]]],
    risk: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Every rating that another answer to one choice of the plan moves; judgements stay."""
    plan = answers.protocol
    rules: dict[str, Callable[[Body, CertaintyChoices], Finding]] = {
        RISK_OF_BIAS: lambda body, choices: risk_of_bias(body, choices, risk),
        INCONSISTENCY: inconsistency,
        INDIRECTNESS: indirectness,
        IMPRECISION: imprecision_of,
    }
    for choice, answer, other in plan.otherwise():
        own = choice.name.removeprefix("certainty.")
        asked = {own: rules[own]} if own in rules else rules
        is_read_otherwise = other.model is not plan.model
        for body, _ in rated:
            domains, found = lines[body.key], body
            if is_read_otherwise:
                if body.pool is None or body.pool.is_alone:
                    continue
                found = replace(body, pool=replace(body.pool, model=other.model))
            levels = (
                _judged_otherwise(domains, answer)
                if choice.name == ELSEWHERE
                else [
                    domain["level"]
                    if domain["status"] in (JUDGED, OVERRIDDEN) or domain["domain"] not in asked
                    else asked[domain["domain"]](found, other.certainty).level
                    for domain in domains
                ]
            )
            changed = _changed(domains, levels)
            if changed:
                before = [domain["level"] for domain in domains]
                ratings = (grade(body.start, of) for of in (before, levels))
                told = (choice.what, answer, changed, *ratings)
                yield dict(zip(OTHERWISE, (*body.key, *told), strict=True))


def _judged_otherwise(domains: list[dict[str, Any]], answer: str) -> list[int]:
    """Levels without what people judged, or without any risk of bias."""
    if answer == ALL_LOW:
        return [0 if d["domain"] == RISK_OF_BIAS else d["level"] for d in domains]
    return [domain["computed_level"] for domain in domains]


def _levels(domains: list[dict[str, Any]], findings: Sequence[Finding]) -> list[int]:
    """Levels of other findings; what a person judged stays as it is."""
    return [
        domain["level"] if domain["status"] in (JUDGED, OVERRIDDEN) else finding.level
        for domain, finding in zip(domains, findings, strict=True)
    ]


def _changed(domains: list[dict[str, Any]], levels: list[int]) -> str:
    """Which levels differ, in words."""
    return "; ".join(
        f"{domain['domain']}: {domain['level']} to {level}"
        for domain, level in zip(domains, levels, strict=True)
        if domain["level"] != level
    )


def _otherwise(
    answers: Answers, body: Body, domains: list[dict[str, Any]], risk: Mapping[str, str]
) -> dict[str, Any]:
    """The rating where another kind of difference goes first; judgements stay as they are.

    "none" where no named pool of the plan takes other numbers of the same trials for it.
    """
    found: dict[str, Any] = {
        **dict.fromkeys(
            ("other_choice", "other_certainty", "other_domains", "other_effects"), "none"
        ),
        **dict.fromkeys(("other_estimate", "other_low", "other_high"), math.nan),
    }
    plan, choices = answers.protocol, answers.protocol.certainty
    kinds = {v.name for v in plan.variants if v.selection.estimands != plan.selection.estimands}
    if body.pool is None or not kinds:
        return found
    for name, pool in answers.to(*body.key).variants:
        if pool is None or name not in kinds:
            continue
        own, other = (one.trials[["study_id", "yi", "vi"]] for one in (body.pool, pool))
        if own.equals(other) or list(own["study_id"]) != list(other["study_id"]):
            continue
        findings = find_all(replace(body, pool=pool), choices, risk)
        levels = _levels(domains, findings)
        found |= {
            "other_choice": name,
            "other_certainty": grade(body.start, levels),
            "other_domains": _changed(domains, levels) or "none",
            "other_effects": " ".join(pool.trials["effect_id"]),
            "other_estimate": pool.read.estimate,
            "other_low": pool.read.low,
            "other_high": pool.read.high,
        }
    return found


def grade(start: str, levels: list[int]) -> str:
    """Return the certainty that is left; never below the lowest."""
    return GRADES[max(0, GRADES.index(start) + sum(levels))]


def _domain_lines(
    body: Body, findings: Sequence[Finding], judged: Mapping[Key, JudgedRow]
) -> list[dict[str, Any]]:
    """The five domains, each with the rating had its late choice been made the other way."""
    lines = [_domain_line(body, f, judged.get((*body.key, f.domain))) for f in findings]
    levels = [line["level"] for line in lines]
    for place, (line, finding) in enumerate(zip(lines, findings, strict=True)):
        is_kept = line["status"] in (JUDGED, OVERRIDDEN)
        other = line["level"] if is_kept or finding.otherwise is None else finding.otherwise
        certainty = grade(body.start, [*levels[:place], other, *levels[place + 1 :]])
        line |= {"level_otherwise": other, "certainty_otherwise": certainty}
        if finding.domain == RISK_OF_BIAS and line["note"] != "none":
            # Said only where the level is that of the rule.
            moved = certainty != grade(body.start, levels)
            told = {"faults": line["note"], "rating": f"{'be' if moved else 'stay'} {certainty}"}
            line["note"] = "none" if is_kept else body.say(RISK_OF_BIAS, "not_read", **told)
    return lines


def _domain_line(body: Body, finding: Finding, row: JudgedRow | None) -> dict[str, Any]:
    level = finding.level if row is None else LEVELS[row.judgement]
    if row is None:
        status = COMPUTED
    elif finding.domain == PUBLICATION_BIAS:
        status = JUDGED
    else:
        status = CONFIRMED if level == finding.level else OVERRIDDEN
    return {
        **dict(zip(KEY, body.key, strict=False)),
        "domain": finding.domain,
        "rule": finding.rule,
        "value": finding.value,
        "computed_level": finding.level,
        "judgement": "none" if row is None else row.judgement,
        "reason": "none" if row is None else row.reason,
        "judged_by": "rule" if row is None else row.judged_by,
        "level": level,
        "status": status,
        "note": finding.note,
    }


def _outcome_line(
    body: Body, choices: CertaintyChoices, correlation: float, domains: list[dict[str, Any]]
) -> dict[str, Any]:
    read = body.interval
    low, high = thresholds(body, choices)
    pool = body.pool
    levels = {domain["domain"]: domain["level"] for domain in domains}
    why_not = body.why_not or _why_not(body)
    return {
        **dict(zip(KEY, body.key, strict=False)),
        "outcome": body.outcome,
        "comparator": body.comparator,
        "construct_label": body.construct_label,
        "domain": body.domain,
        "counted": body.counted,
        "benefit_sign": body.benefit_sign,
        "synthesis": body.kind,
        "studies": len(body.studies),
        "study_ids": " ".join(study.study_id for study in body.studies) or "none",
        "people": body.people,
        **dict(zip(("counted_before", "counted_at"), body.counted_before, strict=True)),
        "week_first": min(body.weeks, default=math.nan),
        "week_last": max(body.weeks, default=math.nan),
        "measure": body.measure,
        "unit": "none" if body.pool is None else body.pool.key["unit"],
        "estimate": body.estimate,
        "ci_low": read.low,
        "ci_high": read.high,
        "interval": "none" if body.pool is None else read.name,
        "method": "none" if body.pool is None else read.method,
        "i2_pct": math.nan if pool is None or pool.is_alone else float(pool.result.i2_pct),
        "important_low": low,
        "important_high": high,
        "information_size": information_size(body, choices),
        **per_thousand(body),
        "registered": "; ".join(body.registered) or "none",
        "size": size_of_effect(body, choices),
        "change": change_of_outcome(body),
        "direction": "none"
        if body.pool is not None
        else side_of(body.told.values())
        if body.told
        else NOT_STATED,
        "printed": "; ".join(f"{name}: {text}" for name, text in body.printed.items()) or "none",
        "caution": " ".join(cautions(body, choices, correlation)) or "none",
        **unexpected_spread(body, choices, correlation),
        "start": body.start if body.is_rated else "none",
        **{f"{name}_level": levels.get(name, math.nan) for name in DOMAINS},
        "certainty": grade(body.start, list(levels.values())) if body.is_rated else NOT_RATED,
        "why_not_rated": "none" if body.is_rated else why_not,
    }
