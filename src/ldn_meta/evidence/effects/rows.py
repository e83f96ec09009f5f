"""Rows of the raw tables as records, the effects they may become, and which one a trial brings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypedDict, TypeVar, final

import numpy as np

from ldn_meta.evidence.raw.review import listed
from ldn_meta.evidence.raw.selection import BIAS_STEP
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.files import NOT_APPLICABLE
from ldn_meta.stats.printed import NOT_SIGNIFICANT_ABOVE

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.selection import Selection
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.arrays import BoolArray


# One row of any raw table, typed, missing as None.
Row: TypeAlias = Mapping[str, Any]


@final
class Study(TypedDict):
    """What is read of a row of studies.csv."""

    study_id: str
    indication_id: str
    label: str
    year: int | None
    status: str
    design: str
    is_randomised: bool | None
    blinding: str
    n_enrolled: int | None
    n_randomised: int | None
    n_analysed: int | None
    dose_low_mg_per_day: float | None
    dose_high_mg_per_day: float | None
    comparator_class: str
    duration_weeks: float | None
    eligible_for: str
    eligibility_reason: str
    overlaps_with: str | None


@final
class Arm(TypedDict):
    """What is read of a row of arms.csv."""

    arm_id: str
    study_id: str
    group: int
    label: str
    n_randomised: int | None
    n_analysed: int | None


@final
class Outcome(TypedDict):
    """What is read of a row of outcomes.csv."""

    outcome_id: str
    construct: str
    construct_label: str
    instrument: str
    domain: str
    benefit_sign: int | None
    scale_min: float | None
    scale_max: float | None
    unit: str


class Result(TypedDict):
    """What the rows of every value table say; the address is "table:row_id"."""

    address: str
    row_id: str
    study_id: str
    outcome_id: str
    timepoint_weeks: float | None
    timepoint: str | None
    analysis_set: str
    reported_in: str
    read_in: str
    locator: str
    as_reported: str
    read_from: str
    reliability: str
    preferred: bool
    note: str | None


@final
class ArmStat(Result):
    """What is read of a row of arm_stats.csv."""

    arm_id: str
    statistic_of: str
    n: int | None
    mean: float | None
    sd: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    ci_level: float | None
    median: float | None


@final
class ArmEvent(Result):
    """What is read of a row of arm_events.csv."""

    arm_id: str
    counted: str
    events: int | None
    n: int | None
    percent: float | None
    percent_decimals: int | None


@final
class Contrast(Result):
    """What is read of a row of contrasts.csv."""

    arm_1: str
    arm_2: str | None
    measure: str
    is_paired: bool
    estimand: str
    estimate: float | None
    estimate_decimals: int | None
    ci_low: float | None
    ci_high: float | None
    ci_level: float | None
    p_value: float | None
    p_relation: str | None
    p_decimals: int | None
    multiplicity: str | None
    n_1: int | None
    n_2: int | None
    direction: str


ArmRow: TypeAlias = ArmStat | ArmEvent
ValueRow: TypeAlias = ArmStat | ArmEvent | Contrast

CONTRAST = "contrast"
# A comparison in people whom the question does not ask about.
BESIDE = "beside"
CHANGE = "change from baseline"
PROPORTION = "single-arm proportion"
# Kinds that only rows left out have.
ONE_ARM = "one arm"
SET_ASIDE = "set aside"

TREATMENT, COMPARATOR, FURTHER = 1, 2, 3
PAIRED_DESIGNS = ("crossover", "fixed-order crossover")
RATIO_MEASURES = ("RR", "OR", "IRR", "ROM")
# Printed differences of two arms; other measures (a number needed to treat, a relative reduction)
# have no sign of their own, and only the report's words give their side.
SIGNED = ("MD", "SMD", "RD", "median difference", "percent point difference")
# A measure whose name says which way it goes.
NAMED = ("relative reduction", "NNT")
# Measures of people who have an event.
OF_PEOPLE = ("RR", "OR", "RD", "IRR")
TRANSCRIBED = "transcription"
RESPONDER = "responder"
# What a count that is no share can still be used for.
IN_WORDS = "count in words"
NO_ARM = NOT_APPLICABLE
NOT_STATED, NO_DIFFERENCE = "not stated", "no difference"
NO_EVENTS = (math.nan,) * 4
NOT_PRINTED = (math.nan,) * 3

# What a difference is of, beside NOT_STATED (contrasts.csv; of arms by what their rows are of).
OF_CHANGE, OF_END, ADJUSTED, OF_EVENTS = "change from baseline", "end level", "adjusted", "events"

# Routes from the printed numbers to an effect, most direct first.
ROUTES = (
    "difference with CI",
    "events and n per arm",
    "arm changes with CI",
    "arm changes with SD",
    "end values with SD",
    "difference with exact p",
    "arm changes with exact p of the difference",
    "arm results of a crossover, correlation assumed",
    "percentages with n per arm",
    "change with CI",
    "change with exact p",
    "baseline and end values, correlation assumed",
    "events and n",
    "percentage with n",
    "event counts over equal time",
    "percent changes with exact p, times baseline",
    "percent changes with CI, correlation assumed, times baseline",
    "arm changes, error of the printed difference",
    "arm end values, error of the printed difference",
)
# Routes that take their standard error from a difference of another kind.
WITH_BORROWED_ERROR = ROUTES[-2:]
T = TypeVar("T", ArmStat, ArmEvent, Contrast)


@dataclass(frozen=True)
class Candidate:
    """One effect of one study by one route; yi is group 1 (the treatment) minus group 2."""

    kind: str
    lead: ValueRow
    arm_1: str
    arm_2: str
    measure: str
    unit: str
    yi: float
    vi: float
    n_1: float
    n_2: float
    estimand: str
    route: str
    assumptions: tuple[str, ...]
    rows: tuple[str, ...]
    is_paired: bool
    approximate: bool
    has_known_scale: bool
    events: tuple[float, float, float, float]
    # Of the t statistic behind the variance; NaN: a normal one.
    df: float
    # Limits as printed, on the scale of yi, at the level they were printed at; else NaN.
    printed: tuple[float, float, float]
    # Of an effect told as another measure: unit and SD it was divided by, or why it cannot be.
    unit_before: str = ""
    sd: float = math.nan
    not_told: str = ""


@dataclass(frozen=True)
class LeftOut:
    """One row that gave no effect."""

    row: ValueRow
    kind: str
    reason: str
    usable_for: str


@dataclass
class Context:
    """Lookups shared by the routes; collects what they find."""

    evidence: Evidence
    protocol: Protocol
    found: list[Candidate] = field(default_factory=list)
    why_not: dict[str, LeftOut] = field(default_factory=dict)
    compared: set[str] = field(default_factory=set)
    studies: dict[str, Study] = field(init=False)
    outcomes: dict[str, Outcome] = field(init=False)
    arms: dict[str, Arm] = field(init=False)
    arm_stats: list[ArmStat] = field(init=False)
    arm_events: list[ArmEvent] = field(init=False)
    contrasts: list[Contrast] = field(init=False)
    stats_of_arm: dict[str, list[ArmStat]] = field(default_factory=dict)
    rows: dict[str, ValueRow] = field(init=False)
    # Means and medians as printed, by row of arm_stats.csv: 4.50 stays 4.50.
    printed: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        for table, key in (
            ("studies", "study_id"),
            ("outcomes", "outcome_id"),
            ("arms", "arm_id"),
        ):
            rows = plain_rows(self.evidence.tables[table])
            setattr(self, table, {row[key]: row for row in rows})
        for table in VALUE_TABLES:
            rows = plain_rows(self.evidence.tables[table])
            setattr(self, table, [{**row, "address": f"{table}:{row['row_id']}"} for row in rows])
        for row in self.arm_stats:
            self.stats_of_arm.setdefault(row["arm_id"], []).append(row)
        every: list[ValueRow] = [*self.arm_stats, *self.arm_events, *self.contrasts]
        self.rows = {row["address"]: row for row in every}
        text = self.evidence.text["arm_stats"]
        self.printed = {
            name: dict(zip(text["row_id"], text[name], strict=True)) for name in ("mean", "median")
        }

    def eligible_for(self, study: Study) -> str:
        """What a study is used for; beside the answers where it asked other people."""
        is_beside = study["study_id"] in self.evidence.review.beside
        return BESIDE if is_beside and study["eligible_for"] == CONTRAST else study["eligible_for"]

    @property
    def no_result(self) -> str:
        """The kind of a row left out that sets the treatment against nothing."""
        return f"no result of {self.evidence.review.label} against anything"

    def eligible(self, rows: Iterable[T]) -> Iterator[T]:
        """Rows of a value table that may give an effect; the others are left out here."""
        for row in rows:
            study = self.studies[row["study_id"]]
            if study["eligible_for"] == "excluded":
                reason = f"study excluded: {study['eligibility_reason']}"
                self.left_out(row, reason, "none", kind=SET_ASIDE)
            elif row["reliability"] == "low":
                reason = "low reliability: kept for the ledger of conflicts"
                self.left_out(row, reason, "none", kind=SET_ASIDE)
            else:
                yield row

    def table(self, name: str) -> Sequence[Row]:
        """All rows of a value table, for those who read any of them alike."""
        rows: Sequence[Row] = getattr(self, name)
        return rows

    def about(
        self, table: str, study_id: object, construct: object = None, **cells: object
    ) -> list[Row]:
        """Rows of a value table about a study, and an outcome of it, with these cells."""
        return [
            row
            for row in self.table(table)
            if row["study_id"] == study_id
            and construct in (None, self.construct(row))
            and all(row[name] == cell for name, cell in cells.items())
        ]

    def by_group(
        self, table: str, study_id: object, construct: object = None, **cells: object
    ) -> dict[int, Row]:
        """Such rows by group of their arm."""
        found = self.about(table, study_id, construct, **cells)
        return {self.arms[row["arm_id"]]["group"]: row for row in found}

    def construct(self, row: Row) -> str:
        """Construct of the outcome of a value row."""
        return self.outcomes[row["outcome_id"]]["construct"]

    def has_same_people(self, row: Row) -> bool:
        """Whether the arms of the row's study are the same people, one after the other."""
        return self.studies[row["study_id"]]["design"] in PAIRED_DESIGNS

    def why_no_share(self, row: ArmEvent) -> str:
        """Why a count of people in one arm is no share of people; nothing where it is one."""
        choices, study = self.protocol.shares, self.studies[row["study_id"]]
        outcome = self.outcomes[row["outcome_id"]]
        if outcome["construct"] in choices.among_some:
            return "counted among people chosen by another outcome, not among those treated"
        if study["design"] in choices.fixed_by_design and outcome["domain"] == RESPONDER:
            return (
                f"its share is set by the design ({study['design']}), whatever the treatment does"
            )
        if study["design"] in choices.cases:
            return "chosen cases: a count, no share of people"
        if number(row["n"]) < choices.fewest_people:
            return f"fewer than {choices.fewest_people} people: a count, no share of people"
        return ""

    def left_out(self, row: ValueRow, reason: str, usable_for: str, *, kind: str = "") -> None:
        """Note why a row gave no effect; the first reason given stays."""
        left = LeftOut(row, kind or self._kind(row), reason, usable_for)
        self.why_not.setdefault(row["address"], left)

    def _kind(self, row: ValueRow) -> str:
        """What a row without an effect would be the result of."""
        is_compared = row["address"] in self.compared
        group_1 = self.arms[row["arm_1"] if "arm_1" in row else row["arm_id"]]["group"]
        if (group_1 != TREATMENT and not is_compared) or is_before(row):
            return self.no_result
        if "arm_1" not in row:
            return CONTRAST if is_compared else ONE_ARM
        if row["arm_2"] is None:
            return CHANGE
        return self.no_result if self.arms[row["arm_2"]]["group"] == TREATMENT else CONTRAST

    def keep(self, found: Candidate) -> None:
        """Note an effect, or leave its rows out when they give no variance above nought."""
        if math.isfinite(found.yi) and math.isfinite(found.vi) and found.vi > 0:
            self.found.append(found)
            return
        for address in found.rows:
            reason = "the printed numbers give an effect without a variance above nought"
            self.left_out(self.rows[address], reason, "direction")


def is_before(row: Row) -> bool:
    """Whether a row is about the people before treatment."""
    at_start = row["timepoint_weeks"] == 0 or row["timepoint"] == "baseline"
    return at_start or row.get("statistic_of") == "baseline"


def words_of(row: Contrast) -> str:
    """What a report says of a comparison in words.

    The column ``direction`` holds the side of a printed estimate; unless the report's own test
    or interval tells of a difference, nobody called that side better.
    """
    if row["direction"] == NO_DIFFERENCE:
        return NO_DIFFERENCE
    relation, p = row["p_relation"], number(row["p_value"])
    if relation == "=" and not math.isnan(p):
        is_claimed = p <= NOT_SIGNIFICANT_ABOVE
    elif relation is not None:
        is_claimed = relation != "ns" or row["measure"] in NAMED
    elif row["measure"] in (*SIGNED, *RATIO_MEASURES) and row["estimate"] is not None:
        null = 1 if row["measure"] in RATIO_MEASURES else 0
        is_claimed = number(row["ci_low"]) > null or number(row["ci_high"]) < null
    else:
        is_claimed = True
    return row["direction"] if is_claimed else NOT_STATED


def lost(row: Mapping[str, Any]) -> str:
    """What is told beside the p of a comparison that is lost among the others that were tested."""
    return " (lost after adjustment for multiplicity)" if row["multiplicity"] == "lost" else ""


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain dicts, missing as None."""
    names = [str(name) for name in frame.columns]
    cells = frame.to_numpy(dtype=object, copy=True)
    cells[frame.isna().to_numpy()] = None
    return [dict(zip(names, row, strict=True)) for row in cells.tolist()]


def cells(row: Row, *names: str) -> dict[str, Any]:
    """Some cells of a row, under their names."""
    return {name: row[name] for name in names}


def number(value: Any) -> float:
    """A cell as float, NaN when missing."""
    return math.nan if value is None else float(value)


# One estimate per trial within each of these groups.
POOL = ["indication_id", "construct", "comparator_class", "measure", "unit"]
TRIAL = [*POOL, "trial_id"]
# Comparator class of whatever a trial compares LDN with beside its comparator.
FURTHER_ARM = "further arm"
MASKED = ("double-blind",)
NOT_ASKED_ABOUT = "not in the people of the question"
NOT_RANDOMISED = "not randomised or not said to be"
# Column that says why an effect has another measure than the one asked for; absent where none is.
NOT_TOLD = "not_told"
# Domains for which the time of measurement may bar an effect; harms are counted whenever.
IN_WINDOW = ("benefit", "responder")
# Rules that rank the open effects of a trial, and the words for having lost by one.
RANKS = {
    "set_order": "an analysis set that comes first",
    "time_order": "a time nearer to the target",
    "estimand_order": "a kind of difference that comes first",
    "tier_order": "a text closer to the paper",
    "preferred_order": "the preferred source of the same fact",
    "route_order": "a more direct route",
}
CHOSEN = "first choice of this trial by analysis set, text, time and route"


def select(effects: pd.DataFrame, selection: Selection) -> tuple[pd.Series, pd.Series]:
    """Choose one effect per trial and pool, by stated rules only.

    Rules bar effects one by one; of those that no rule bars, a trial brings the first by
    analysis set, nearness to the target time, kind of difference where one comes first, kind of
    text, preferred source and route, in this order. Effects equal by all of them go by name.
    """
    import pandas as pd

    why = barred_by(effects, selection)
    placed = ranks(effects, selection)
    names = effects["effect_id"].tolist()
    chosen = [False] * len(why)
    for place, winner in _by_trial(effects, placed, why):
        chosen[place] = place == winner
        why[place] = (
            CHOSEN if chosen[place] else _reason(placed[place], placed[winner], names[winner])
        )
    return pd.Series(chosen, index=effects.index), pd.Series(why, index=effects.index, dtype="str")


def choose(effects: pd.DataFrame, selection: Selection) -> pd.Series:
    """Which effects ``select`` chooses, without the reasons."""
    import pandas as pd

    found = _by_trial(effects, ranks(effects, selection), barred_by(effects, selection))
    chosen = {place for place, winner in found if place == winner}
    return pd.Series([place in chosen for place in range(len(effects))], index=effects.index)


def _by_trial(
    effects: pd.DataFrame, ranks: list[tuple[float, ...]], why: Sequence[str]
) -> list[tuple[int, int]]:
    """Each effect that no rule bars, first choices first, with the first choice of its trial."""
    trials = list(zip(*(effects[name].tolist() for name in TRIAL), strict=True))
    names = effects["effect_id"].tolist()
    first: dict[tuple[str, ...], int] = {}
    return [
        (place, first.setdefault(trials[place], place))
        for place in sorted(range(len(names)), key=lambda place: (ranks[place], names[place]))
        if not why[place]
    ]


class Rule(NamedTuple):
    """Why an effect may be barred from its pool, and which choices of a Selection lift it."""

    reason: str
    applies: BoolArray
    # Any of these choices of a selection.
    lifted_by: tuple[str, ...] = ()


RULED_BY = (
    *("kind", "eligible_for", "comparator_class", "is_randomised", "is_approximate"),
    *("is_transcribed", "events_1", "events_2", "n_1", "n_2"),
)


def rules(effects: pd.DataFrame) -> list[Rule]:
    """Every rule that bars effects, first come first served, but for the window of time."""
    cells = {name: effects[name].to_numpy() for name in RULED_BY}
    nobody = (cells["events_1"] == 0) & (cells["events_2"] == 0)
    everybody = (cells["events_1"] == cells["n_1"]) & (cells["events_2"] == cells["n_2"])
    is_further = cells["comparator_class"] == FURTHER_ARM
    is_open = ~effects["blinding"].isin(MASKED).to_numpy()
    borrows = effects["route"].isin(WITH_BORROWED_ERROR).to_numpy()
    return [
        Rule("no comparison group: listed beside, never pooled", cells["kind"] != CONTRAST),
        *_not_told(effects),
        Rule(
            "its study is listed beside, never pooled",
            ~effects["eligible_for"].isin((CONTRAST, BESIDE)).to_numpy(),
        ),
        Rule("compared with a further arm, not with the comparator of the question", is_further),
        Rule(
            NOT_RANDOMISED,
            ~cells["is_randomised"].astype(bool),
            lifted_by=("allow_non_randomised",),
        ),
        Rule("not double-blind", is_open, lifted_by=("allow_single_blind",)),
        Rule(NOT_ASKED_ABOUT, cells["eligible_for"] == BESIDE),
        Rule("no event in either arm: says nothing about a ratio", nobody),
        Rule("everybody has the event in both arms: says nothing about a ratio", everybody),
        Rule(
            "rests on an approximation",
            cells["is_approximate"].astype(bool) & ~borrows,
            lifted_by=("allow_approximate",),
        ),
        # A plan that ranks kinds of difference asks for those that are worked out as well.
        Rule(
            "rests on an approximation: its standard error is that of another difference",
            borrows,
            lifted_by=("allow_approximate", "estimands"),
        ),
        Rule(
            "rests on a transcribed value",
            cells["is_transcribed"].astype(bool),
            lifted_by=("allow_transcribed",),
        ),
    ]


def _not_told(effects: pd.DataFrame) -> list[Rule]:
    """Effects that cannot be told as the measure that a run asks for, by reason."""
    if NOT_TOLD not in effects:
        return []
    why = effects[NOT_TOLD].to_numpy()
    return [Rule(reason, why == reason) for reason in dict.fromkeys(why) if reason]


def outside_window(effects: pd.DataFrame, selection: Selection) -> BoolArray:
    """Whether an effect on benefit was measured too early or too late."""
    week = effects["timepoint_weeks"].to_numpy(dtype=float)
    outside = (week < selection.earliest_weeks) | (week > selection.latest_weeks)
    found: BoolArray = outside & effects["domain"].isin(IN_WINDOW).to_numpy()
    return found


def limits(effects: pd.DataFrame, selection: Selection) -> list[Rule]:
    """What was asked beyond the plan's rules: each bars what it does not take, and says so."""
    found = []

    def only(what: str, column: str, words: tuple[str, ...], *, among: Any = True) -> None:
        if words:
            why = f"{what} is not {listed(words, 'or')}"
            found.append(Rule(why, ~effects[column].isin(words).to_numpy() & among))

    if selection.trials:
        found.append(Rule("not one of the trials asked for", ~_named(effects, selection.trials)))
    if selection.without:
        found.append(Rule("left out as asked", _named(effects, selection.without)))
    only("its design", "design", selection.designs)
    only("its blinding", "blinding", selection.blinding)
    if selection.risk_of_bias:
        most = BIAS_STEP[selection.risk_of_bias]
        steps = effects["overall_bias"].map(BIAS_STEP).to_numpy(dtype=float)
        why = f"its risk of bias is above {selection.risk_of_bias}, or nobody judged it"
        found.append(Rule(why, ~(steps <= most)))
    # A ratio of people counted is a difference of neither kind.
    is_difference = ~effects["estimand"].eq(OF_EVENTS).to_numpy()
    is_difference &= ~effects["measure"].isin(OF_PEOPLE).to_numpy()
    only("what its difference is of", "estimand", selection.estimand, among=is_difference)
    only("the set of people analysed", "analysis_set", selection.population)
    if selection.dose_mg:
        low, high = selection.dose_mg
        high_mg = effects["dose_high_mg"].to_numpy(dtype=float)
        low_mg = effects["dose_low_mg"].fillna(effects["dose_high_mg"]).to_numpy(dtype=float)
        why = f"its daily dose is not within {low:g} to {high:g} mg, or not reported"
        found.append(Rule(why, ~((low_mg >= low) & (high_mg <= high))))
    return found


def _named(effects: pd.DataFrame, names: tuple[str, ...]) -> BoolArray:
    """Effects of trials that are named by study or label; all reports of a trial are one."""
    study, trial = (effects[name].to_numpy() for name in ("study_id", "trial_id"))
    is_named = effects["study_id"].isin(names) | effects["study_label"].isin(names)
    found: BoolArray = np.isin(trial, trial[is_named.to_numpy()]) | np.isin(study, names)
    return found


def barred_by(effects: pd.DataFrame, selection: Selection) -> list[str]:
    """The first rule that bars each effect; empty when none does.

    Where somebody asked for more than the plan's rules: everything that bars it, what was asked
    for first.
    """
    window = f"measured outside weeks {selection.earliest_weeks:g} to {selection.latest_weeks:g}"
    stated = [*rules(effects), Rule(window, outside_window(effects, selection))]
    asked = limits(effects, selection)
    why: list[list[str]] = [[] for _ in range(len(effects))]
    for rule in (*asked, *stated):
        if not any(getattr(selection, name) for name in rule.lifted_by):
            for place in rule.applies.nonzero()[0]:
                why[place].append(rule.reason)
    return ["; ".join(reasons if asked else reasons[:1]) for reasons in why]


def precedence(effects: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Ranks of results by each rule in order of precedence (RANKS); smaller goes first."""
    import pandas as pd

    placed = ranks(effects, selection)
    return pd.DataFrame(placed, columns=list(RANKS), index=effects.index, dtype=float)


def ranks(effects: pd.DataFrame, selection: Selection) -> list[tuple[float, ...]]:
    """Place each effect by the rules that choose one of a trial, the weightiest rule first."""
    sets = {name: rank for rank, name in enumerate(selection.analysis_sets)}
    tiers = {name: rank for rank, name in enumerate(selection.read_from)}
    kinds = selection.estimands or selection.estimand
    estimands = {name: rank for rank, name in enumerate(kinds)}
    # Where no kind of difference was asked for, the one that is printed goes before those that
    # lend its error.
    printed = len(ROUTES) - len(WITH_BORROWED_ERROR)
    lent = effects["route_rank"].between(printed + 1, len(ROUTES)).tolist()
    of_kind = [
        estimands.get(name, len(estimands)) if kinds else int(is_lent)
        for name, is_lent in zip(effects["estimand"].tolist(), lent, strict=True)
    ]
    weeks = effects["timepoint_weeks"].to_numpy(dtype=float)
    # An unknown time is further from the target than any known one.
    distances = [
        math.inf if math.isnan(week) else float(round(abs(week - selection.target_weeks)))
        for week in weeks.tolist()
    ]
    return list(
        zip(
            (sets.get(name, len(sets)) for name in effects["analysis_set"].tolist()),
            distances,
            of_kind,
            (tiers.get(name, len(tiers)) for name in effects["read_from"].tolist()),
            (not is_preferred for is_preferred in effects["is_preferred"].tolist()),
            effects["route_rank"].tolist(),
            strict=True,
        )
    )


def _reason(here: tuple[float, ...], best: tuple[float, ...], winner: str) -> str:
    """The first rule by which the winner came before this one."""
    for words, one, other in zip(RANKS.values(), here, best, strict=True):
        if one != other:
            return f"{winner} has {words}"
    return f"{winner} is the same by every rule and comes first by name"
