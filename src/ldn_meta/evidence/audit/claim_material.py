"""What the computations on claims look things up in: claims, studies, sizes, values by source."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ldn_meta.errors import ArgumentError, LdnMetaError
from ldn_meta.evidence.answer.directions import NO_COMPARISON
from ldn_meta.evidence.answer.pools import (
    NO_DIFFERENCE,
    NOT_STATED,
    Pool,
    build_pools,
    find_pool,
    side_of,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Context, Row, number, plain_rows
from ldn_meta.evidence.raw.faults import SIZES
from ldn_meta.evidence.raw.review import Form, write
from ldn_meta.evidence.raw.tables import VALUE_TABLES, cited
from ldn_meta.files import number_text
from ldn_meta.stats.convert import ci_from_se
from ldn_meta.stats.pool import side

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.answer import Answers
    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.review import Rule
    from ldn_meta.evidence.raw.tables import Evidence


T = TypeVar("T")


class NotOnFileError(LdnMetaError):
    """What a computation needs is in no table; the claim then cannot be tested."""


def first(rows: Iterable[T], what: str) -> T:
    """The first of some rows."""
    for row in rows:
        return row
    raise NotOnFileError(what)


@dataclass(frozen=True)
class Finding:
    """The answer of one computation."""

    verdict: str
    sentence: str
    numbers: Mapping[str, float]
    # Whether our estimate is as claimed, and the trials it comes from; None where nothing is
    # pooled.
    agrees: bool | None = None
    trials: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One claim with the rule that tests it, and all there is to look up."""

    claim: Row
    material: Material
    rules: Mapping[str, Rule]
    rule: Rule
    argument: str = ""

    @property
    def context(self) -> Context:
        """Raw tables by key."""
        return self.material.context

    @property
    def indication_id(self) -> str:
        """Indication of the claim."""
        return str(self.claim["indication_id"])

    @cached_property
    def printed(self) -> list[str]:
        """Numbers that the claim prints."""
        return printed_numbers(self.claim["as_reported"])

    def under(self, name: str) -> Case:
        """The same claim under another rule."""
        if name not in self.rules:
            message = f"{self.rule.computes}: no rule {name!r}; allowed: {', '.join(self.rules)}"
            raise ArgumentError(message)
        return replace(self, rule=self.rules[name])

    def claimed(self, **names: str) -> dict[str, float]:
        """Numbers of the claim under other names; what it does not print is left out."""
        found = ((new, self.claim[old]) for old, new in names.items())
        return {name: number(value) for name, value in found if value is not None}

    def say(self, sentence: str, **values: float | str) -> str:
        """Write one sentence of the rule, or a part of one."""
        review = self.material.evidence.review
        template = self.rule.sentences[sentence]
        return write(template, treatment=review.label, drug=review.name, **values)

    def answer(self, outcome: str, *sentences: str, **values: float | str) -> Finding:
        """The finding with the verdict of an outcome, in some sentences of the rule."""
        text = " ".join(self.say(sentence, **values) for sentence in sentences)
        return self.by(outcome, text, **values)

    def by(self, outcome: str, text: str, **values: float | str) -> Finding:
        """The finding with the verdict of an outcome and a text; numbers are filed."""
        numbers = {
            self._filed(name): float(v) for name, v in values.items() if not isinstance(v, str)
        }
        return Finding(self.rule.verdicts[outcome], text, numbers)

    def _filed(self, name: str) -> str:
        for ours, theirs in self.rule.filed.items():
            if name == ours or name.startswith(f"{ours}_"):
                return theirs + name.removeprefix(ours)
        return name


@dataclass(frozen=True)
class Computation:
    """A way to test a claim, and the form of the rules that use it."""

    run: Callable[[Case], Finding]
    form: Form


# Ways to test a claim, by what a rule says that it computes; filed by the modules that hold them.
COMPUTATIONS: dict[str, Computation] = {}


def computes(
    name: str,
    *,
    outcomes: str = "",
    says: str | None = None,
    gives: str = "",
    argument: str = "",
    **parameters: str,
) -> Callable[[Callable[[Case], Finding]], Callable[[Case], Finding]]:
    """File a computation with its form; names stand in one text, with blanks between them."""
    kinds = {one: kind for kind, named in parameters.items() for one in named.split()}
    sentences = None if says is None else tuple(says.split())
    form = Form(tuple(outcomes.split()), sentences, frozenset(gives.split()), kinds, argument)

    def file(run: Callable[[Case], Finding]) -> Callable[[Case], Finding]:
        COMPUTATIONS[name] = Computation(run, form)
        return run

    return file


# What the one rule can find: the claim is shown, is neither shown nor excluded, or is excluded.
SHOWN, EITHER, EXCLUDED = "shown", "either", "excluded"


def judged(claimed: Claimed, ours: Span, unimportant: tuple[float, float]) -> str:
    """Judge a claim by our interval: the one rule, the same for a difference and for none.

    A difference is shown by an interval wholly on its side, and excluded by one wholly on the
    other: the claim is its side, and a printed size is compared apart. No difference is shown by
    an interval wholly inside what is unimportant, and excluded by one wholly outside; where
    nothing is said to be unimportant, it is never shown, and excluded by an interval that does
    not hold no effect. Uncertainty is shown by an interval that holds no effect together with a
    poor certainty, and excluded where neither is so.
    """
    if claimed.is_unclear:
        if claimed.is_poor is None or claimed.is_poor == bool(ours.side):
            return EITHER
        return SHOWN if claimed.is_poor else EXCLUDED
    if not claimed.is_difference:
        low, high = (0.0 if math.isnan(end) else end for end in unimportant)
        if low < ours.low and ours.high < high:
            return SHOWN
        return EXCLUDED if ours.high < low or high < ours.low else EITHER
    side = claimed.side
    if side == 0:
        return SHOWN if ours.side else EITHER
    return {side: SHOWN, -side: EXCLUDED}.get(ours.side, EITHER)


def together(found: Iterable[str]) -> str:
    """What several ways to compute the same thing come to: what all say, else neither."""
    words = set(found)
    return words.pop() if len(words) == 1 else EITHER


def numbers_text(numbers: Mapping[str, float]) -> str:
    """Write numbers for one cell: ``key=value; key=value``, six significant digits."""
    return "; ".join(
        f"{name}={'not defined' if math.isnan(value) else number_text(value)}"
        for name, value in numbers.items()
    )


def numbers_of(text: str) -> dict[str, float]:
    """Read back what ``numbers_text`` wrote; a cell without any gives nothing."""
    pairs = [part.partition("=") for part in text.split("; ") if "=" in part]
    return {name: math.nan if value == "not defined" else float(value) for name, _, value in pairs}


@dataclass(frozen=True)
class Claimed:
    """What is claimed: a difference, on a side of no effect (0: on either), none, or neither.

    ``is_poor`` says of a claim of uncertainty whether ours is rated low; None if it is not rated.
    """

    is_difference: bool
    side: float = 0.0
    span: Span | None = None
    is_unclear: bool = False
    is_poor: bool | None = None


class Span(NamedTuple):
    """An estimate with its interval; sides are told on the scale where no effect is 0."""

    estimate: float
    low: float
    high: float

    @property
    def side(self) -> float:
        """-1 or 1 for the side of no effect the interval lies on; 0 if it includes none."""
        return side(self.low, self.high)

    def holds(self, value: float) -> bool:
        """Whether the interval includes a value."""
        return self.low <= value <= self.high


class Pools(NamedTuple):
    """Pools of one outcome of one condition against one kind of comparator."""

    strict: Pool | None
    approximate: Pool | None

    @property
    def main(self) -> Pool | None:
        """The pool by the plan, or else that with approximated effects."""
        return self.strict or self.approximate

    @property
    def named(self) -> dict[str, Pool]:
        """The pools there are by the names of their numbers; the same trials stand once."""
        found = {"now": self.strict, "now_approximate": self.approximate}
        if self.strict is not None and self.approximate is not None:
            same = [list(pool.trials["effect_id"]) for pool in (self.strict, self.approximate)]
            if same[0] == same[1]:
                del found["now_approximate"]
        return {name: pool for name, pool in found.items() if pool is not None}


def of_outcome(effects: pd.DataFrame, construct: str, **cells: object) -> pd.DataFrame:
    """Effects of an outcome with these cells."""
    is_asked = effects["construct"] == construct
    for column, cell in cells.items():
        is_asked &= effects[column] == cell
    return effects[is_asked]


def pools_of(
    effects: pd.DataFrame,
    protocol: Protocol,
    indication_id: str,
    construct: str,
    comparator_class: str,
    *,
    until: float = math.inf,
) -> Pools:
    """Pool an outcome by the plan and with approximated effects, of trials up to a year."""
    if effects.empty:
        return Pools(None, None)
    question = {"indication_id": indication_id, "comparator_class": comparator_class}
    same = of_outcome(effects, construct, **question)
    same = same[same["year"] <= until]
    loose = protocol.changed(allow_approximate=True)
    return Pools(
        *(
            find_pool(
                build_pools(same, choices.selection, choices.model),
                construct=construct,
                comparator_class=comparator_class,
            )
            for choices in (protocol, loose)
        )
    )


def span_of(found: Pool) -> Span:
    """Estimate and interval that a pool is read by."""
    return Span(*found.read[:3])


def standardised(found: Pool, sd: float) -> Pool:
    """The same trials with every effect divided by one standard deviation."""
    divided = {name: found.trials[name] / sd for name in ("yi", "ci_low", "ci_high")}
    trials = found.trials.assign(**divided, vi=found.trials["vi"] / sd**2)
    return replace(found, key={**found.key, "measure": "SMD"}, trials=trials)


# Quartiles of normal data lie this many standard deviations apart (Handbook 6.5.2.5).
IQR_IN_SDS = 1.35


class MedianAsMean(NamedTuple):
    """A median difference within people, taken as a standardised difference: approximate."""

    study_id: str
    label: str
    outcome: str
    construct: str
    people: float
    is_randomised_count: bool
    yi: float
    vi: float

    @property
    def span(self) -> Span:
        """The difference with its 95% interval."""
        low, high = ci_from_se(self.yi, math.sqrt(self.vi))
        return Span(self.yi, float(low), float(high))


def medians_as_means(
    evidence: Evidence, *, indication_id: str, comparator_class: str, correlation: float
) -> list[MedianAsMean]:
    """Paired median differences with an interquartile width, in standard deviations of people.

    The median stands for the mean m, and the width / 1.35 for the standard deviation s of the
    differences. With r, the correlation within people, and n pairs:

    d = m / s sqrt(2 (1 - r)), var = 2 (1 - r) (1/n + d^2 / (2 n))

    The sign is that of benefit: below nought favours the treatment. Where no report gives the
    number analysed, n is the number randomised, which makes the interval too narrow.

    Source: Handbook 6.5.2.5 and 23.2.7.1; Borenstein 2009, Introduction to Meta-Analysis, 4.28.
    """
    own = evidence.for_indication(indication_id)
    studies = {row["study_id"]: row for row in plain_rows(own.tables["studies"])}
    outcomes = {row["outcome_id"]: row for row in plain_rows(own.tables["outcomes"])}
    found = []
    for row in plain_rows(own.tables["contrasts"]):
        study, outcome = studies[row["study_id"]], outcomes[row["outcome_id"]]
        people, counted = number(row["n_1"]), False
        if not math.isfinite(people):
            people, counted = number(study["n_randomised"]), True
        width, middle = number(row["iqr_width"]), number(row["estimate"])
        is_usable = (
            row["measure"] == "median difference"
            and row["is_paired"]
            and row["preferred"]
            and study["comparator_class"] == comparator_class
            and all(map(math.isfinite, (people, width, middle)))
        )
        if not is_usable:
            continue
        unit = 2 * (1 - correlation)
        d = -float(outcome["benefit_sign"]) * middle / (width / IQR_IN_SDS) * math.sqrt(unit)
        found.append(
            MedianAsMean(
                row["study_id"],
                study["label"],
                outcome["construct_label"],
                outcome["construct"],
                people,
                counted,
                d,
                unit * (1 / people + d * d / (2 * people)),
            )
        )
    return found


def with_medians(found: Pool, sd: float, added: Iterable[MedianAsMean]) -> Pool:
    """A pool of differences divided by one standard deviation, with medians let in."""
    import pandas as pd

    by = -found.benefit_sign / sd
    ends = found.trials[["ci_low", "ci_high"]] * by
    trials = found.trials.assign(
        yi=found.trials["yi"] * by,
        vi=found.trials["vi"] / sd**2,
        benefit_sign=-1,
        ci_low=ends.min(axis=1),
        ci_high=ends.max(axis=1),
    )
    rows = [
        {"study_id": one.study_id, "study_label": one.label, "yi": one.yi, "vi": one.vi,
         "n_1": one.people, "is_paired": True, "benefit_sign": -1, "route": "median",
         **dict(zip(("ci_low", "ci_high"), ci_from_se(one.yi, math.sqrt(one.vi)), strict=True))}
        for one in added
        if one.study_id not in set(trials["study_id"])
    ]  # fmt: skip
    every = pd.concat([trials, pd.DataFrame(rows)]) if rows else trials
    key = {**found.key, "measure": "SMD", "unit": "standard deviations"}
    return replace(found, key=key).of(every)


class Spread(NamedTuple):
    """Standard deviations of people's scores: the smallest, one typical, the largest on file."""

    low: float
    typical: float
    high: float


def priors_of(found: Pool, points: Pool, sd: float) -> dict[str, float]:
    """Scales of the prior by which two trials are read in standard deviations and in points.

    They are two priors: ``prior`` standard deviations are ``prior_as_points`` points, and the
    prior of the pool in points has a scale of ``prior_points``. Empty where none is used.
    """
    here, there = found.posterior, points.posterior
    if here is None or there is None:
        return {}
    own, other = float(here.tau_prior_scale), float(there.tau_prior_scale)
    return {"prior": own, "prior_as_points": own * sd, "prior_points": other}


def spread_on_file(evidence: Evidence, found: Pool) -> Spread | None:
    """Standard deviations that the trials of a pool printed for its outcome on its own scale.

    Typical is the root mean square of the arms' standard deviations at baseline; low and high
    are the extremes over arms and times. None if no trial printed one.
    """
    outcomes = {row["outcome_id"]: row for row in plain_rows(evidence.tables["outcomes"])}
    ends = found.key["unit"].partition("(")[2].rstrip(")").split("-")
    rows = [
        row
        for row in plain_rows(evidence.tables["arm_stats"])
        if row["study_id"] in set(found.trials["study_id"])
        and outcomes[row["outcome_id"]]["construct"] == found.key["construct"]
        and [f"{outcomes[row['outcome_id']][end]:g}" for end in ("scale_min", "scale_max")] == ends
        and row["statistic_of"] in ("baseline", "end", "change")
        and row["sd"] is not None
        and row["reliability"] != "low"
    ] if len(ends) == 2 else []  # fmt: skip
    at_start = [row["sd"] for row in rows if row["statistic_of"] == "baseline"]
    if not at_start:
        return None
    everything = [row["sd"] for row in rows]
    typical = math.sqrt(sum(sd**2 for sd in at_start) / len(at_start))
    return Spread(min(everything), typical, max(everything))


def is_ratio(found: Pool) -> bool:
    """Whether a pool is on the scale of logarithms."""
    return found.key["measure"] in RATIO_MEASURES


# Numbers as reports print them: 4,960 is one number, and a sign is no minus between numbers.
PRINTED = re.compile(r"(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)?|(?<![\w.])\.\d+")
# Below it a claim calls a difference one.
SIGNIFICANT = 0.05
# Texts of a study itself.
OWN_TEXTS = frozenset({"full text", "abstract", "registry"})


@dataclass(frozen=True, eq=False)
class Material:
    """Tables and answers with the look-ups that claims need."""

    answers: Answers
    # What is on file now, where these are the tables of an earlier year.
    today: Material | None = None
    _pools: dict[tuple[str, ...], Pools] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        """The raw tables."""
        return self.answers.evidence

    @property
    def protocol(self) -> Protocol:
        """Choices by which pools are made."""
        return self.answers.protocol

    @cached_property
    def context(self) -> Context:
        """Raw tables by key."""
        return Context(self.evidence, self.protocol)

    @cached_property
    def pooled(self) -> list[Pool]:
        """Our pools of every question."""
        return self.answers.pools

    def effects(self, construct: str, **cells: object) -> pd.DataFrame:
        """Effects of an outcome with these cells; a frame without rows may have no columns."""
        frame = self.answers.effects
        return frame if frame.empty else of_outcome(frame, construct, **cells)

    @cached_property
    def claims(self) -> dict[str, Row]:
        """Rows of claims.csv by key, typed."""
        return {row["claim_id"]: row for row in plain_rows(self.evidence.tables["claims"])}

    @cached_property
    def sources(self) -> dict[str, Row]:
        """Rows of sources.csv by key."""
        return {row["source_id"]: row for row in plain_rows(self.evidence.tables["sources"])}

    @cached_property
    def all_facts(self) -> list[Row]:
        """Rows of study_facts.csv, typed."""
        return list(plain_rows(self.evidence.tables["study_facts"]))

    @cached_property
    def facts(self) -> list[Row]:
        """Rows of study_facts.csv that are not of low reliability."""
        return [row for row in self.all_facts if row["reliability"] != "low"]

    def study(self, claim: Row) -> Row:
        """The study a claim rests on."""
        if claim["study_id"] is None:
            raise NotOnFileError("one study that the claim rests on")
        return self.context.studies[claim["study_id"]]

    def fact(self, study_id: str, name: str, qualifier: str | None = None) -> Row | None:
        """The preferred statement of a fact about a study, if there is one."""
        asked = {"study_id": study_id, "fact": name, "qualifier": qualifier, "preferred": True}
        return next((row for row in self.facts if asked.items() <= row.items()), None)

    def sizes(self, study_id: object, *, with_low_reliability: bool = False) -> list[Row]:
        """Statements of how many people are in a study, whatever their source."""
        return [
            row
            for row in (self.all_facts if with_low_reliability else self.facts)
            if row["study_id"] == study_id
            and row["fact"] in SIZES
            and row["value"] is not None
            and row["qualifier"] is None
        ]

    def stated(
        self, part: str, without: str | None = None, study_id: str | None = None
    ) -> list[Row]:
        """Rows of a fact, with its qualifier behind an @, from other sources, closest first."""
        fact, _, qualifier = part.partition("@")
        found = [
            row
            for row in self.facts
            if (row["fact"], row["qualifier"] or "") == (fact, qualifier)
            and study_id in (None, row["study_id"])
            and row["study_id"] in self.context.studies
            and row["read_in"] != without
        ]
        closest = min((self.closeness(row["read_from"]) for row in found), default=0)
        return [row for row in found if self.closeness(row["read_from"]) == closest]

    def closeness(self, read_from: str) -> int:
        """Rank of a kind of text by the protocol; 0 is closest to the paper."""
        return self.protocol.selection.read_from.index(read_from)

    def results(self, study_id: str, constructs: Iterable[str], *, without: str) -> list[Row]:
        """Value rows of a study about some constructs, from other sources, closest text first."""
        wanted = set(constructs)
        rows = [
            row
            for table in VALUE_TABLES
            for row in self.context.about(table, study_id)
            if self.context.construct(row) in wanted
            and row["read_in"] != without
            and row["reliability"] != "low"
        ]
        return sorted(rows, key=lambda row: self.closeness(row["read_from"]))

    def pools(self, indication_id: str, construct: str, comparator_class: str) -> Pools:
        """Our pools of an outcome; many claims are about the same ones."""
        key = (indication_id, construct, comparator_class)
        if key not in self._pools:
            self._pools[key] = pools_of(self.answers.effects, self.protocol, *key)
        return self._pools[key]

    def spread(self, found: Pool) -> Spread | None:
        """Standard deviations that a pool is divided by: then those of now, so sizes compare."""
        source, names = self.today or self, ("indication_id", "construct", "comparator_class")
        same = source.pools(*(found.key[name] for name in names))
        return spread_on_file(source.evidence, same.main or found)

    def certainty(self, *question: str) -> str:
        """How certain our evidence on a question is, as rated now."""
        rating = self.answers.to(*question).rating
        return "not rated" if rating is None else str(rating["certainty"])

    @cached_property
    def unimportant_ratio(self) -> tuple[float, float]:
        """Logarithms of the ratios that the plan names as the ends of what is unimportant."""
        stated = self.protocol.certainty
        low, high = (math.log(stated[f"imprecision.ratio_{end}"]) for end in ("low", "high"))
        return low, high

    def unimportant(self, found: Pool, sd: float = 1.0) -> tuple[float, float]:
        """Ends of what is unimportant on the scale of a pool; NaN if nobody stated them."""
        if is_ratio(found):
            return self.unimportant_ratio
        mid = math.nan
        for scales in (self.protocol.certainty.scales, self.protocol.scales):
            scale = scales.get(found.key["construct"])
            if scale is not None and scale.unit == found.key["unit"]:
                mid = scale.minimal_important_difference / sd
        return -mid, mid

    def mid_source(self, found: Pool) -> str:
        """Where the ends of what is unimportant come from; nothing if nobody stated them."""
        if is_ratio(found):
            return self.protocol.certainty.ratio_source
        for scales in (self.protocol.certainty.scales, self.protocol.scales):
            scale = scales.get(found.key["construct"])
            if scale is not None and scale.unit == found.key["unit"]:
                return scale.mid_source
        return ""

    def source(self, row: Row) -> str:
        """Where a row stands, as a citation: first author and year."""
        return cited(row, self.sources)

    def is_apart(self, indication_id: str) -> bool:
        """Whether something else than the treatment alone is given in an indication."""
        given = self.indication_row(indication_id)["intervention"]
        return given is not None and given != self.evidence.review.label

    @cached_property
    def years(self) -> dict[str, float]:
        """Year of each study, by the label that pools print."""
        return {str(s["label"]): number(s["year"]) for s in self.context.studies.values()}

    def label(self, construct: str) -> str:
        """What a construct is called for readers; its name with blanks when none is on file."""
        rows = self.context.outcomes.values()
        found = (row["construct_label"] for row in rows if row["construct"] == construct)
        return str(next(found, construct.replace("_", " ")))

    def indication(self, indication_id: str) -> str:
        """What an indication is called for readers."""
        return str(self.indication_row(indication_id)["label"])

    @cached_property
    def indications(self) -> list[Row]:
        """Rows of indications.csv, typed."""
        return list(plain_rows(self.evidence.tables["indications"]))

    @cached_property
    def conditions(self) -> list[Row]:
        """Indications with a report in which the treatment alone is given, in their order."""
        kept = (
            row
            for row in self.indications
            if row["is_reported"] and not self.is_apart(row["indication_id"])
        )
        return sorted(kept, key=lambda row: row["sort_order"])

    def indication_row(self, indication_id: str) -> Row:
        """Row of indications.csv."""
        return first(
            (r for r in self.indications if r["indication_id"] == indication_id), indication_id
        )

    def randomised(
        self, indication_id: str | None = None, *, until: float = math.inf
    ) -> list[Row]:
        """Randomised comparative studies with a report, of the treatment alone, by year."""
        kept = {row["indication_id"] for row in self.conditions}
        if indication_id is not None:
            kept = {indication_id}
        found = [
            study
            for study in self.context.studies.values()
            if study["indication_id"] in kept
            and study["eligible_for"] == "contrast"
            and study["is_randomised"]
            and study["status"] in ("published", "unpublished")
            and number(study["year"]) <= until
        ]
        return sorted(found, key=lambda study: (study["year"], study["study_id"]))

    @cached_property
    def unheard(self) -> int:
        """Randomised comparisons of the treatment alone that are on file without any report."""
        kept = {row["indication_id"] for row in self.conditions}
        found = [
            study
            for study in self.context.studies.values()
            if study["indication_id"] in kept
            and study["eligible_for"] == "contrast"
            and study["is_randomised"]
        ]
        return len(found) - len(self.randomised())

    def size(self, study: Row) -> float:
        """People a study began with; NaN when nobody says."""
        given = (study["n_randomised"], study["n_enrolled"], study["n_analysed"])
        return next((float(n) for n in given if n is not None), math.nan)

    def constructs(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Constructs of some outcome groups of the protocol."""
        return tuple(c for group in groups for c in self.protocol.outcome_groups.get(group, ()))

    def sides(self, studies: Iterable[Row], constructs: Sequence[str]) -> dict[str, str]:
        """The side of each study's result on some outcomes, by label: one a study.

        That of the first of the constructs whose side is known, as results vote on the page
        without pooling. A study that compares none of these outcomes is not in the answer.
        """
        return {
            label: side_of(rows["sign"].dropna().head(1))
            for label, rows in self._compared(studies, constructs)
        }

    def denied_by(self, studies: Iterable[Row], constructs: Sequence[str]) -> list[str]:
        """Studies whose report calls one of these outcomes not different."""
        compared = self._compared(studies, constructs)
        return [label for label, rows in compared if (rows["direction"] == NO_DIFFERENCE).any()]

    def _compared(
        self, studies: Iterable[Row], constructs: Sequence[str]
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        """What studies compare of some constructs, in the order of these."""
        rows = self.answers.directions
        rows = rows[rows["construct"].isin(constructs) & (rows["sign_from"] != NO_COMPARISON)]
        rows = rows.sort_values(
            "construct", key=lambda c: c.map(list(constructs).index), kind="stable"
        )
        for study in studies:
            own = rows[rows["study_id"] == study["study_id"]]
            if len(own):
                yield str(study["label"]), own


def tells(row: Row) -> bool | None:
    """Whether a comparison speaks of a difference, by its P or its words; None if by neither.

    A direction that goes with a P of 0.05 or more is that of an estimate, not of a difference.
    """
    relation, p = row["p_relation"], row["p_value"]
    if relation == "ns":
        return False
    if relation == "sig" or (relation == "<" and p is not None and p <= SIGNIFICANT):
        return True
    if relation == "=" and p is not None:
        return bool(p < SIGNIFICANT)
    return None if row["direction"] == NOT_STATED else bool(row["direction"] != NO_DIFFERENCE)


def printed_numbers(text: str | None) -> list[str]:
    """Numbers in what a source printed, as typed but for commas; ``.21`` becomes ``0.21``."""
    found = [part.replace(",", "").lstrip("+") for part in PRINTED.findall(text or "")]
    return [f"0{part}" if part.startswith(".") else part for part in found]


def prints_as(value: float, printed: str) -> bool:
    """Whether a value rounds to a printed number, whatever its sign."""
    decimals = len(printed.partition(".")[2])
    # A thousandth of a unit of slack: 0.285 is not held exactly.
    slack = 0.501 * 10.0**-decimals
    return math.isfinite(value) and abs(abs(value) - abs(float(printed))) <= slack
