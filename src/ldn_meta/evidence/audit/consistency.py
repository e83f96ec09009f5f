"""Whether the numbers that papers print agree with each other: every check over every row."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from ldn_meta.errors import DataError, Fault
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.effects.routes import degrees_of_freedom
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Context, Row, is_before, plain_rows
from ldn_meta.evidence.raw.faults import FACT_KEYS, LEVELS, SIZES, SPLIT_DESIGNS, VALUES
from ldn_meta.evidence.raw.tables import VALUE_TABLES, as_records, cited, source_rows
from ldn_meta.stats.consistency import (
    CENTRE_TOLERANCE,
    CONSISTENT,
    INCONSISTENT,
    NOT_CHECKABLE,
    STATISTICS,
    USUAL_LEVELS,
    Consistency,
    Printed,
    PrintedP,
    agreement,
    common_denominator,
    difference_against_arms,
    estimate_at_centre,
    estimate_inside,
    judged,
    mean_of_whole_scores,
    nnt_against_percents,
    no_more_than,
    not_checkable,
    p_against_counts,
    p_against_interval,
    p_against_statistic,
    parts_against_total,
    percent_against_n,
    percent_of_some_n,
    same_p,
    same_value,
    sd_against_interval,
    sd_against_scale,
    sd_against_se,
    sd_typed_as_se,
    standardised_against_difference,
    word_against_interval,
)
from ldn_meta.stats.printed import NOT_SIGNIFICANT_ABOVE, counts_from_percent

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.effects.rows import Contrast
    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence


# Tables that are checked, in the order of the findings.
CHECKED_TABLES = (
    "arm_stats",
    "arm_events",
    "contrasts",
    "claims",
    "study_facts",
    "studies",
    "arms",
)
DECIMALS = {
    "estimate": "estimate_decimals",
    "p_value": "p_decimals",
    "percent": "percent_decimals",
}
NUMBER = re.compile(r"(?<![\d.])(?:\d+(?:\.\d+)?|\.\d+)")
# A number after one of these was not printed as a number but as a bound or a guess.
INEXACT = (
    r"(?:\b(?:about|approximately|around|nearly|almost|over|more than|less than|at least|up to)"
    r"|[<>~]=?)"
)
# Designs in which everybody is in every arm, or there is one arm: the study's size is the arm's.
ONE_GROUP = (
    "crossover",
    "fixed-order crossover",
    "single-arm",
    "cohort without controls",
    "case series",
    "case report",
    "up-and-down",
    "register before-after",
)

# The estimate of a mean or of a table is called otherwise.
ESTIMATES = {"contrasts": "estimate", "claims": "estimate", "arm_stats": "mean"}


class Interval(NamedTuple):
    """An estimate with its interval, as printed."""

    estimate: Printed
    low: Printed
    high: Printed

    def __str__(self) -> str:
        return f"{self.estimate} ({self.low} to {self.high})"


def _decimals_of(text: str) -> int:
    return len(text.partition(".")[2])


class Audit:
    """The raw tables, typed and as printed."""

    def __init__(self, evidence: Evidence, protocol: Protocol) -> None:
        self.evidence = evidence
        self.context = Context(evidence, protocol)
        self._missing = set(evidence.dictionary.missing)
        self.sources = source_rows(evidence)
        self.rows: dict[str, list[Row]] = {}
        self.by_arm: dict[tuple[str, str | None], list[Row]] = {}
        self.text: dict[str, dict[str, str]] = {}
        for table in CHECKED_TABLES:
            key = evidence.dictionary.tables[table].key
            cells = as_records(evidence.text[table])
            typed = plain_rows(evidence.tables[table])
            self.rows[table] = []
            for row, texts in zip(typed, cells, strict=True):
                address = f"{table}:{row[key]}"
                self.rows[table].append(
                    {**row, "address": address, "table": table, "row_id": row[key]}
                )
                self.by_arm.setdefault((table, row.get("arm_id")), []).append(self.rows[table][-1])
                self.text[address] = {str(name): str(cell) for name, cell in texts.items()}

    def cell(self, row: Row, column: str) -> str:
        """A cell as typed; empty if it is missing or there is no such column."""
        text = self.text[row["address"]].get(column, "")
        return "" if text in self._missing else text

    def printed(self, row: Row, column: str) -> Printed | None:
        """A number of a row as printed; None if it is missing, or printed as a bound or a guess.

        Its decimals are those counted beside it, else those of the same number in
        ``as_reported``, else those typed.
        """
        text = self.cell(row, column)
        if not text or self.is_inexact(row, column):
            return None
        counted = self.cell(row, DECIMALS.get(column, ""))
        if counted:
            return Printed(float(text), int(counted))
        decimals = self._decimals(row, abs(Decimal(text)))
        return Printed(float(text), min(decimals, default=_decimals_of(text)))

    def _decimals(self, row: Row, size: Decimal) -> list[int]:
        """Decimals with which a number stands in ``as_reported``."""
        found = NUMBER.findall(self.cell(row, "as_reported"))
        return [_decimals_of(text) for text in found if Decimal(text) == size]

    def is_inexact(self, row: Row, column: str) -> bool:
        """Whether a number is printed as "about", "over" or the like."""
        number = self.cell(row, column).lstrip("-")
        pattern = rf"{INEXACT}\s*-?{re.escape(number)}(?![\d.]*\d)"
        return bool(number and re.search(pattern, self.cell(row, "as_reported")))

    def p(self, row: Row) -> PrintedP | None:
        """The p-value or the word about significance of a row."""
        relation, value = row.get("p_relation"), self.cell(row, "p_value")
        if relation is None:
            return None
        if not value:
            return PrintedP(str(relation)) if relation in ("ns", "sig") else None
        counted = self.cell(row, "p_decimals")
        decimals = min(self._decimals(row, Decimal(value)), default=_decimals_of(value))
        return PrintedP(str(relation), float(value), int(counted or decimals))

    def interval(self, row: Row) -> Interval | None:
        """Estimate and interval of a row; None if one of the three is missing."""
        name = ESTIMATES[row["table"]]
        estimate, low, high = (self.printed(row, cell) for cell in (name, "ci_low", "ci_high"))
        if estimate is None or low is None or high is None:
            return None
        return Interval(estimate, low, high)

    def people(self, row: Row) -> int | None:
        """People of a row of an arm, else the largest size of the arm on file."""
        if row["n"] is not None:
            return int(row["n"])
        sizes = self.sizes(row)
        return None if sizes is None else sizes[1]

    def before(self, arm_id: str, outcome_id: str, spread: str) -> tuple[Printed, Printed] | None:
        """Mean and spread of an arm before treatment."""
        for row in self.by_arm.get(("arm_stats", arm_id), ()):
            if row["outcome_id"] == outcome_id and is_before(row):
                mean, found = self.printed(row, "mean"), self.printed(row, spread)
                if mean is not None and found is not None:
                    return mean, found
        return None

    def sizes(self, row: Row) -> tuple[int, int] | None:
        """Smallest and largest size on file of a row's arm; None if there is none."""
        arm: Row = self.context.arms[row["arm_id"]]
        study: Row = self.context.studies[row["study_id"]]
        found = [arm[name] for name in SIZES if arm.get(name) is not None]
        if not found and study["design"] in ONE_GROUP:
            found = [study[name] for name in SIZES if study[name] is not None]
        if not found:
            # An arm put together of others is told by its other results.
            tables = ("arm_stats", "arm_events")
            rows = (one for name in tables for one in self.by_arm.get((name, row["arm_id"]), ()))
            found = [one["n"] for one in rows if one["n"]]
        people = [int(size) for size in found if size >= 1]
        return (min(people), max(people)) if people else None

    def moment(self, row: Row) -> tuple[object, object]:
        """Words and week of a measurement; in crossovers, whose periods differ, the words."""
        if self.context.has_same_people(row) and row["timepoint"] is not None:
            return row["timepoint"], None
        return row["timepoint"], row["timepoint_weeks"]

    def of_arm(self, table: str, row: Row, arm_id: str | None) -> list[Row]:
        """Rows of an arm with the outcome, time and people of a row; the preferred first."""
        found = [
            other
            for other in self.by_arm.get((table, arm_id), ())
            if other["outcome_id"] == row["outcome_id"]
            and other["analysis_set"] == row["analysis_set"]
            and self.moment(other) == self.moment(row)
        ]
        return sorted(found, key=lambda other: not other["preferred"])

    def of_both_arms(self, table: str, row: Row) -> tuple[list[Row], list[Row]]:
        """Such rows of the two arms of a comparison."""
        return self.of_arm(table, row, row["arm_1"]), self.of_arm(table, row, row["arm_2"])


# What a check makes of a row: what is printed, and whether it fits; None where it has no question.
Found: TypeAlias = tuple[str, Consistency] | None
Findings: TypeAlias = Iterator[tuple[Row, str, Consistency]]


@dataclass(frozen=True)
class Check:
    """One question put to printed numbers; ``column`` is the cell to correct."""

    name: str
    asks: str
    column: str
    run: Callable[[Audit], Findings]
    is_plausibility: bool = False
    unit: str = ""


CHECKS: dict[str, Check] = {}
# Checks of estimates and of the people behind them.
WITH_INTERVAL = ("contrasts", "claims", "arm_stats")
WITH_PEOPLE = ("arm_stats", "arm_events", "studies", "arms")
# Measures whose interval and p come from a statistic that is not symmetric about the estimate.
ASYMMETRIC = ("median difference", "NNT", "r")
# A model with covariates, or fewer people analysed than the arms have, leaves fewer degrees of
# freedom than the arms; less than half of them would be another trial.
LEAST_SHARE_OF_DF = 0.5
# Which statistics of the arms a difference of each measure is made of, the closest first.
MADE_OF = {"MD": ("change", "end"), "percent point difference": ("percent change",)}
# Percentages of one instrument at one moment, told by one source, are of the same people.
TOGETHER = ("study_id", "arm_id", "read_in", "timepoint_weeks", "timepoint", "analysis_set")
# Fewer intervals around one number may be chance.
FEWEST_RESULTS = 3
SEQUENCES = {
    ("n_sequence_1", "n_sequence_2"): ("n_randomised", "n_enrolled"),
    ("n_completed_sequence_1", "n_completed_sequence_2"): ("n_completed",),
}
# Columns that count people; nobody rounds them.
COUNTS = ("n", "events")


def _check(
    name: str, asks: str, column: str, *, is_plausibility: bool = False, unit: str = ""
) -> Callable[[Callable[[Audit], Findings]], Callable[[Audit], Findings]]:
    """File a check of whole tables."""

    def file(run: Callable[[Audit], Findings]) -> Callable[[Audit], Findings]:
        CHECKS[name] = Check(name, asks, column, run, is_plausibility, unit)
        return run

    return file


def _check_of(
    tables: tuple[str, ...],
    name: str,
    asks: str,
    column: str,
    *,
    is_plausibility: bool = False,
    unit: str = "",
) -> Callable[[Callable[[Audit, Row], Found]], Callable[[Audit, Row], Found]]:
    """File a check that is put to every row of some tables."""

    def file(find: Callable[[Audit, Row], Found]) -> Callable[[Audit, Row], Found]:
        @_check(name, asks, column, is_plausibility=is_plausibility, unit=unit)
        def run(audit: Audit) -> Findings:
            for table in tables:
                for row in audit.rows[table]:
                    found = find(audit, row)
                    if found is not None:
                        yield row, *found

        return find

    return file


# -- estimates, intervals and p-values -------------------------------------------------------


@_check_of(
    WITH_INTERVAL,
    "estimate inside interval",
    "Is the estimate inside its own interval?",
    "ci_low",
)
def _inside(audit: Audit, row: Row) -> Found:
    own = audit.interval(row)
    return None if own is None else (str(own), estimate_inside(*own))


@_check_of(
    WITH_INTERVAL,
    "estimate at centre",
    "Is the estimate in the middle of its interval (geometric for ratios)?",
    "ci_low",
)
def _centre(audit: Audit, row: Row) -> Found:
    own, measure = audit.interval(row), row.get("measure")
    if own is None or measure in ASYMMETRIC:
        return None
    return str(own), estimate_at_centre(*own, is_ratio=measure in RATIO_MEASURES)


@_check(
    "one centre for several results",
    "Do ratios of different outcomes have intervals with centres of their own?",
    "ci_low",
)
def _one_centre(audit: Audit) -> Findings:
    """Intervals of several outcomes that share a centre which is not that of their ratios.

    One interval off its estimate may be a slip; several around one number are a pattern, told
    once, at the row that is furthest off, with the printed counts whose ratio that number is.
    """

    def report(row: Row) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in ("study_id", *TOGETHER[2:], "measure"))

    ratios = [row for row in audit.rows["contrasts"] if row["measure"] in RATIO_MEASURES]
    for _, members in groupby(sorted(ratios, key=report), key=report):
        found = [
            (row, own, estimate_at_centre(*own, is_ratio=True))
            for row in members
            if (own := audit.interval(row)) is not None
        ]
        if len({row["outcome_id"] for row, _, _ in found}) < FEWEST_RESULTS:
            continue
        off = [row for row, _, result in found if result.verdict == INCONSISTENT]
        centres = [result.recomputed for _, _, result in found]
        shared = all(
            abs(math.log(one / other))
            <= CENTRE_TOLERANCE * math.log(own.high.value / own.low.value)
            for one, (_, own, _) in zip(centres, found, strict=True)
            for other in centres
        )
        low = min(result.low for _, _, result in found)
        high = max(result.high for _, _, result in found)
        printed = [own.estimate for _, own, _ in found]
        note = (
            f"the {len(found)} intervals have their centres at {min(centres):.2f} to "
            f"{max(centres):.2f}, their ratios lie at {min(printed, key=_size)} to "
            f"{max(printed, key=_size)}; {len(off)} are off their own centre"
        )
        alike = "; ".join(_ratios_of_counts(audit, found[0][0], low, high))
        worst = max(
            found, key=lambda one: abs(math.log(one[2].recomputed / one[1].estimate.value))
        )
        is_pattern = shared and 2 * len(off) > len(found)
        if is_pattern and alike:
            note += f"; {alike}"
        told = "; ".join(str(own) for _, own, _ in found)
        centre = math.exp(sum(map(math.log, centres)) / len(centres))
        yield worst[0], told, judged(not is_pattern, centre, low, high, note)


def _size(printed: Printed) -> float:
    return printed.value


def _ratios_of_counts(audit: Audit, row: Row, low: float, high: float) -> Iterator[str]:
    """Outcomes of the same people whose printed counts have a ratio between two numbers."""
    studies: Mapping[str, Row] = audit.context.studies
    same = (row["study_id"], studies[row["study_id"]]["overlaps_with"])
    people = [
        event
        for event in audit.rows["arm_events"]
        if event["study_id"] in same and event["events"] and event["n"] and event["preferred"]
    ]
    groups = {name: arm["group"] for name, arm in audit.context.arms.items()}
    for one in people:
        for two in people:
            is_pair = (groups[one["arm_id"]], groups[two["arm_id"]]) == (1, 2)
            if is_pair and all(one[name] == two[name] for name in ("outcome_id", *TOGETHER[2:])):
                ratio = one["events"] * two["n"] / (one["n"] * two["events"])
                if low <= ratio <= high:
                    label = audit.context.outcomes[one["outcome_id"]]["construct_label"]
                    counts = f"{one['events']}/{one['n']} against {two['events']}/{two['n']}"
                    yield f"the ratio of {label} in the same people is {ratio:.2f} ({counts})"


@_check_of(
    WITH_INTERVAL,
    "p against interval",
    "Does the p-value belong to the estimate and its interval (normal or t)?",
    "p_value",
)
def _p_and_interval(audit: Audit, row: Row) -> Found:
    p, (partner, level) = audit.p(row), _interval_and_level(audit, row)
    if p is None or p.is_word or partner is None:
        return None
    result = p_against_interval(
        *partner,
        p,
        is_ratio=row.get("measure") in RATIO_MEASURES,
        fewest_df=_fewest_df(audit, row),
        # Reviews print 95% intervals; contrasts.csv says which level a report names.
        levels=(0.95,) if row["table"] == "claims" else (level,) if level else USUAL_LEVELS,
    )
    return f"{partner}; {p}", result


@_check_of(
    WITH_INTERVAL,
    "word against interval",
    "Does 'significant' or 'not significant' fit the interval?",
    "p_relation",
)
def _word_and_interval(audit: Audit, row: Row) -> Found:
    p, (partner, _) = audit.p(row), _interval_and_level(audit, row)
    if p is None or not p.is_word or partner is None:
        return None
    is_ratio = row.get("measure") in RATIO_MEASURES
    result = word_against_interval(p, partner.low, partner.high, is_ratio=is_ratio)
    return f"{partner}; {p}", result


def _interval_and_level(audit: Audit, row: Row) -> tuple[Interval | None, float | None]:
    """Interval of a row, or of another source for the same estimate of the same fact."""
    if row.get("measure") in ASYMMETRIC:
        return None, None
    interval = audit.interval(row)
    if interval is not None:
        return interval, row.get("ci_level")
    own = audit.printed(row, "estimate") if row["table"] == "contrasts" else None
    for other in audit.rows["contrasts"]:
        if own is None or any(other[name] != row[name] for name in FACT_KEYS["contrasts"]):
            continue
        found = audit.interval(other)
        if found and same_value(own, found.estimate).verdict == CONSISTENT:
            return found, other["ci_level"]
    return None, None


def _fewest_df(audit: Audit, row: Row) -> float:
    """Least degrees of freedom of a row's analysis; 1 if the people are not known."""
    if row["table"] != "contrasts":
        return 1.0
    # The size of the study says nothing about an arm that is a part of it.
    arm: Row = audit.context.arms[row["arm_1"]]
    if row["n_1"] is None and all(arm.get(name) is None for name in SIZES):
        return 1.0
    df, _ = degrees_of_freedom(audit.context, cast("Contrast", row))
    return 1.0 if math.isinf(df) else max(1.0, LEAST_SHARE_OF_DF * df)


@_check_of(
    ("contrasts",),
    "p against statistic",
    "Does the p-value belong to the test statistic and its degrees of freedom?",
    "p_value",
)
def _p_and_statistic(audit: Audit, row: Row) -> Found:
    name, p, statistic = row["statistic_name"], audit.p(row), audit.printed(row, "statistic")
    if name not in STATISTICS or statistic is None or p is None or p.is_word:
        return None
    return f"{name} = {statistic}; {p}", p_against_statistic(name, statistic, p)


@_check_of(
    ("contrasts",),
    "p against counts",
    "Can the p-value come from the counts of the two arms by any test of a 2x2 table?",
    "p_value",
)
def _p_and_counts(audit: Audit, row: Row) -> Found:
    p = audit.p(row)
    if p is None or p.is_word or row["arm_2"] is None:
        return None
    arms = audit.of_both_arms("arm_events", row)
    if not all(arms) or any(rows[0]["counted"] != "people" for rows in arms):
        return None
    one, two = (_shown_count(audit, rows[0]) for rows in arms)
    shown = f"{one} against {two}; {p}"
    if row["is_paired"]:
        words = "the same people in both arms: the counts do not fix the test"
        return shown, not_checkable(words)
    counts = [_counts(audit, rows[0]) for rows in arms]
    if not all(counts):
        return shown, not_checkable("the counts are not known")
    return shown, p_against_counts(counts[0], counts[1], p)


def _counts(audit: Audit, row: Row) -> list[tuple[int, int]]:
    """Every (events, people) that a row of arm_events.csv can stand for."""
    percent, people = audit.printed(row, "percent"), audit.people(row)
    if people is None:
        return []
    sizes = [people] if row["n"] is not None else range(1, people + 1)
    if row["events"] is not None:
        return [(int(row["events"]), n) for n in sizes if n >= row["events"]]
    if percent is None:
        return []
    return [
        (events, n)
        for n in sizes
        for events in counts_from_percent(percent.value, percent.decimals, n)
    ]


def _shown_count(audit: Audit, row: Row) -> str:
    events, n = audit.cell(row, "events"), audit.cell(row, "n")
    return f"{events}/{n or 'n not stated'}" if events else f"{audit.cell(row, 'percent')}%"


# -- percentages -----------------------------------------------------------------------------


@_check_of(
    ("arm_events",),
    "percentage of n",
    "Is the percentage a whole number of the people it is said to be of (GRIM)?",
    "percent",
)
def _percentage_of_n(audit: Audit, row: Row) -> Found:
    return _percentage(audit, row) if row["n"] is not None else None


@_check_of(
    ("arm_events",),
    "percentage of the arm",
    "Without a stated n: is the percentage a whole number of any number of people "
    "between the smallest and the largest size of the arm on file?",
    "percent",
    unit="people",
)
def _percentage_of_the_arm(audit: Audit, row: Row) -> Found:
    return _percentage(audit, row) if row["n"] is None else None


def _percentage(audit: Audit, row: Row) -> Found:
    if row["counted"] != "people" or not audit.cell(row, "percent"):
        return None
    percent, sizes = audit.printed(row, "percent"), audit.sizes(row)
    events, n = _whole(row, "events"), _whole(row, "n")
    counted = "" if events is None else f"{events} people, "
    shown = f"{counted}{audit.cell(row, 'percent')}% of {'an n not stated' if n is None else n}"
    if percent is None:
        return shown, not_checkable("the percentage is printed as a bound or a guess")
    if n is not None:
        return shown, percent_against_n(percent, n, events=events)
    if sizes is None:
        words = "neither the denominator nor the size of the arm is on file"
        return shown, not_checkable(words)
    return shown, percent_of_some_n(percent, *sizes, events=events)


def _whole(row: Row, column: str) -> int | None:
    return None if row[column] is None else int(row[column])


@_check(
    "percentages together",
    "Can percentages of one instrument, arm and time be of one number of people?",
    "percent",
    unit="people",
)
def _percentages_together(audit: Audit) -> Findings:
    outcomes = audit.context.outcomes

    def group(row: Row) -> tuple[str, ...]:
        instrument = outcomes[row["outcome_id"]]["instrument"]
        return tuple(str(value) for value in (instrument, *(row[name] for name in TOGETHER)))

    counted = [row for row in audit.rows["arm_events"] if row["counted"] == "people"]
    for _, members in groupby(sorted(counted, key=group), key=group):
        rows = [(row, audit.printed(row, "percent")) for row in members]
        told = [(row, percent) for row, percent in rows if percent is not None]
        if len(told) < 2 or all(row["n"] is not None for row, _ in told):
            continue
        # One line for the group, at its first row.
        first = told[0][0]
        sizes = audit.sizes(first)
        if sizes is None:
            continue
        events = [_whole(row, "events") for row, _ in told]
        shown = " and ".join(
            f"{percent}% ({outcomes[row['outcome_id']]['construct_label']})"
            for row, percent in told
        )
        percents = [percent for _, percent in told]
        yield first, shown, common_denominator(percents, sizes[1], events=events)


@_check_of(
    ("contrasts",),
    "NNT against percentages",
    "Does the number needed to treat belong to the percentages of the arms?",
    "estimate",
)
def _nnt(audit: Audit, row: Row) -> Found:
    if row["measure"] != "NNT" or not audit.cell(row, "estimate"):
        return None
    nnt = audit.printed(row, "estimate")
    one, two = (
        _percent_of(audit, rows[0]) if rows else None
        for rows in audit.of_both_arms("arm_events", row)
    )
    shown = f"NNT {audit.cell(row, 'estimate')}"
    if nnt is None or one is None or two is None:
        return shown, not_checkable("the percentages of the two arms are not on file")
    return f"{shown}; {one}% against {two}%", nnt_against_percents(nnt, one, two)


def _percent_of(audit: Audit, row: Row) -> Printed | None:
    if row["events"] is not None and row["n"]:
        # Exact to far more digits than any number needed to treat has.
        return Printed(round(100 * row["events"] / row["n"], 9), 9)
    return audit.printed(row, "percent")


# -- means and spreads -----------------------------------------------------------------------


@_check_of(
    ("contrasts",),
    "difference of arms",
    "Is the difference what the two arms, or baseline and end, leave?",
    "estimate",
)
def _difference(audit: Audit, row: Row) -> Found:
    difference = audit.printed(row, "estimate")
    if difference is None or row["measure"] not in MADE_OF:
        return None
    found = []
    for one, other in _pairs_of(audit, row):
        means = audit.printed(one, "mean"), audit.printed(other, "mean")
        if means[0] is None or means[1] is None:
            continue
        result = difference_against_arms(difference, means[0], means[1])
        is_same_people = row["arm_2"] is None and one["n"] == other["n"]
        if result.verdict == INCONSISTENT and not (is_same_people or row["is_adjusted"] is False):
            result = not_checkable(f"{result.note}, by a model that may adjust")
        found.append((f"{difference}; {means[0]} and {means[1]}", result))
    if not found:
        return None
    # A paper that prints changes and end values may have compared either.
    shown, best = min(found, key=lambda one: one[1].verdict != CONSISTENT)
    others = [result.note for _, result in found if result.verdict != best.verdict]
    return shown, replace(best, note="; but ".join([best.note, *others]))


def _pairs_of(audit: Audit, row: Row) -> Iterator[tuple[Row, Row]]:
    """The two means a difference is made of: of two arms, or the end and the baseline of one."""
    if row["arm_2"] is None:
        ends, starts = (
            [
                other
                for other in audit.rows["arm_stats"]
                if other["arm_id"] == row["arm_1"]
                and other["outcome_id"] == row["outcome_id"]
                and other["preferred"]
                and other["statistic_of"] == kind
            ]
            for kind in ("end", "baseline")
        )
        if len(ends) == len(starts) == 1:
            yield ends[0], starts[0]
        return
    for kind in MADE_OF[row["measure"]]:
        found = []
        for of_arm in audit.of_both_arms("arm_stats", row):
            rows = [other for other in of_arm if other["statistic_of"] == kind]
            same_source = [other for other in rows if other["read_in"] == row["read_in"]]
            found.extend((same_source or rows)[:1])
        if len(found) == 2:
            yield found[0], found[1]


@_check_of(("arm_stats",), "SD against SE", "Is the SD the SE times the root of n?", "sd")
def _sd_and_se(audit: Audit, row: Row) -> Found:
    sd, se, n = audit.printed(row, "sd"), audit.printed(row, "se"), audit.people(row)
    if sd is None or se is None or n is None:
        return None
    return f"SD {sd}; SE {se}", sd_against_se(sd, se, n)


@_check_of(
    ("arm_stats",),
    "SD against interval",
    "Does the SD belong to the interval of the same mean?",
    "sd",
)
def _sd_and_interval(audit: Audit, row: Row) -> Found:
    mean, sd = audit.printed(row, "mean"), audit.printed(row, "sd")
    if mean is None or sd is None:
        return None
    # The interval may be that of any source.
    for other in audit.by_arm["arm_stats", row["arm_id"]]:
        if any(other[name] != row[name] for name in FACT_KEYS["arm_stats"]):
            continue
        found, n = audit.interval(other), other["n"]
        if found is None or n is None or n < 2:
            continue
        if same_value(mean, found.estimate).verdict == CONSISTENT:
            level = other["ci_level"] or 0.95
            result = sd_against_interval(sd, found.low, found.high, int(n), level=level)
            return f"SD {sd}; {found}, n = {n}", result
    return None


@_check_of(
    ("arm_stats",), "SD on its scale", "Can scores on this scale have this mean and this SD?", "sd"
)
def _sd_on_its_scale(audit: Audit, row: Row) -> Found:
    mean, sd, n = audit.printed(row, "mean"), audit.printed(row, "sd"), audit.people(row)
    outcome = audit.context.outcomes[row["outcome_id"]]
    low, high = outcome["scale_min"], outcome["scale_max"]
    if mean is None or sd is None or low is None or high is None:
        return None
    if row["statistic_of"] not in LEVELS:
        return None
    result = sd_against_scale(mean, sd, low, high, n=math.nan if n in (None, 1) else n)
    return f"mean {mean}, SD {sd}", result


@_check_of(
    ("arm_stats",),
    "SD or SE",
    "Are two means implausibly many SDs apart, as if an SE stood for an SD?",
    "sd",
    is_plausibility=True,
)
def _sd_or_se(audit: Audit, row: Row) -> Found:
    """How many SDs a mean at the end is from the same arm's at baseline."""
    is_unlabelled = bool(audit.cell(row, "unlabelled_spread"))
    column = "unlabelled_spread" if is_unlabelled else "sd"
    mean, spread, n = audit.printed(row, "mean"), audit.printed(row, column), audit.people(row)
    before = audit.before(row["arm_id"], row["outcome_id"], column)
    if n is None and is_unlabelled:
        study: Row = audit.context.studies[row["study_id"]]
        n = next((int(study[name]) for name in reversed(SIZES) if study[name] is not None), None)
    result = None
    if row["statistic_of"] == "end" and mean and spread and before and n is not None and n >= 2:
        result = sd_typed_as_se(mean, spread, n, *before, n)
    if is_unlabelled:
        # What such a spread would mean as each of the two.
        words = "the spread is called neither SD nor SE"
        shown = f"{audit.cell(row, 'mean')} +/- {audit.cell(row, column)}"
        return shown, not_checkable(words if result is None else f"{words}: {result.note}")
    if result is None or before is None or spread is None:
        return None
    if not (spread.value > 0 and before[1].value > 0):
        return None
    return f"{before[0]} (SD {before[1]}) before, {mean} (SD {spread}) after", result


@_check_of(
    ("arm_stats",),
    "mean of whole scores",
    "Is the mean possible for whole-number scores of n people (GRIM)?",
    "mean",
    is_plausibility=True,
)
def _whole_scores(audit: Audit, row: Row) -> Found:
    items = audit.evidence.review.whole_items.get(row["outcome_id"])
    mean = audit.printed(row, "mean")
    is_level = row["statistic_of"] in (*LEVELS, "change")
    if items is None or mean is None or row["n"] is None or not is_level:
        return None
    # Where every printed value is possible the question has no answer that could be bad.
    if row["n"] * items >= 10**mean.decimals:
        return None
    return f"mean {mean}, n = {row['n']}", mean_of_whole_scores(mean, int(row["n"]), items=items)


STANDARDISED = "standardised difference"


def _differences_beside(audit: Audit, row: Row) -> list[Row]:
    """Differences that the same text prints beside a standardised one."""
    same = [*(name for name in FACT_KEYS["contrasts"] if name != "measure"), "read_in"]
    return [
        other
        for other in audit.rows["contrasts"]
        if other["measure"] == "MD" and all(other[name] == row[name] for name in same)
    ]


@_check_of(
    ("contrasts",),
    STANDARDISED,
    "Is the standardised difference the difference over a printed SD?",
    "estimate",
    is_plausibility=True,
)
def _standardised(audit: Audit, row: Row) -> Found:
    """A standardised difference against the same source's difference and the arms' SDs."""
    smd = audit.printed(row, "estimate")
    if smd is None or row["measure"] != "SMD":
        return None
    differences = _differences_beside(audit, row)
    difference = audit.printed(differences[0], "estimate") if differences else None
    if difference is None:
        return None
    shown = f"d {smd}; difference {difference}"
    sds: list[Printed] = []
    changes: list[tuple[Printed, Printed]] = []
    arms = audit.of_both_arms("arm_stats", row)
    for arm_id, rows in zip((row["arm_1"], row["arm_2"]), arms, strict=True):
        printed = (audit.printed(other, "sd") for other in rows if other["statistic_of"] == "end")
        ends = [sd for sd in printed if sd is not None]
        before = audit.before(arm_id, row["outcome_id"], "sd")
        sds.extend([*ends[:1], *([before[1]] if before else [])])
        if ends and before:
            changes.append((before[1], ends[0]))
    if not sds:
        return shown, not_checkable("no SD of the arms is on file")
    result = standardised_against_difference(smd, difference, sds, changes=changes)
    left = _difference_of_changes(audit, arms)
    if result.verdict == INCONSISTENT and left is not None:
        other = standardised_against_difference(smd, left, sds, changes=changes)
        if other.verdict == CONSISTENT:
            words = f"it fits the difference of the printed changes, {left}"
            result = replace(result, note=f"{result.note}; {words}")
    return shown, result


def _difference_of_changes(audit: Audit, arms: tuple[list[Row], list[Row]]) -> Printed | None:
    firsts = [row for rows in arms for row in rows[:1] if row["statistic_of"] == "change"]
    changes = [change for row in firsts if (change := audit.printed(row, "mean")) is not None]
    if len(changes) != 2:
        return None
    decimals = max(change.decimals for change in changes)
    return Printed(round(changes[0].value - changes[1].value, decimals), decimals)


# -- people ----------------------------------------------------------------------------------


@_check("parts and total", "Do arms or sequences add up to the total?", "value", unit="people")
def _parts_and_total(audit: Audit) -> Findings:
    """Arms against the study, sequences against the study, and who left against who stayed."""
    arms_of: dict[str, list[Row]] = {}
    for arm in audit.context.arms.values():
        arms_of.setdefault(arm["study_id"], []).append({**arm})
    for study in audit.rows["studies"]:
        if study["design"] not in SPLIT_DESIGNS:
            continue
        for name in SIZES[1:]:
            of_arms = [arm[name] for arm in arms_of.get(study["study_id"], ())]
            if study[name] is None or not of_arms or None in of_arms:
                continue
            parts, total = [int(size) for size in of_arms], int(study[name])
            shown = f"{name.removeprefix('n_')}: {_sum(parts)}; {total} in all"
            yield study, shown, parts_against_total(parts, total)
            break
    facts = [
        row
        for row in audit.rows["study_facts"]
        if row["preferred"] and row["value"] is not None and row["value"] == int(row["value"])
    ]
    for _, members in groupby(facts, key=lambda row: str(row["study_id"])):
        of_study = list(members)
        for names, totals in SEQUENCES.items():
            found = [row for name in names if (row := _one(of_study, name)) is not None]
            told = (_plain(of_study, fact) or _one(of_study, fact) for fact in totals)
            of_all = next((row for row in told if row is not None), None)
            if len(found) == len(names) and of_all is not None:
                parts, total = [int(row["value"]) for row in found], int(of_all["value"])
                yield of_all, f"{_sum(parts)}; {total} in all", parts_against_total(parts, total)
        yield from _who_left(of_study)


def _who_left(of_study: list[Row]) -> Findings:
    left = _one(of_study, "n_withdrawn")
    began = _plain(of_study, "n_randomised") or _plain(of_study, "n_enrolled")
    stayed = _plain(of_study, "n_completed") or _plain(of_study, "n_analysed")
    if left is None or began is None or stayed is None:
        return
    sizes = [int(row["value"]) for row in (began, left, stayed)]
    shown = f"{sizes[0]} began, {sizes[1]} left, {sizes[2]} stayed"
    if sizes[1] + sizes[2] < sizes[0]:
        yield left, shown, not_checkable("others may have left for other reasons")
    else:
        yield left, shown, parts_against_total(sizes[1:], sizes[0])


def _sum(parts: Iterable[int]) -> str:
    return " + ".join(map(str, parts))


def _plain(of_study: list[Row], fact: str) -> Row | None:
    return next((r for r in of_study if r["fact"] == fact and r["qualifier"] is None), None)


def _one(of_study: list[Row], fact: str) -> Row | None:
    found = [row for row in of_study if row["fact"] == fact]
    return found[0] if len(found) == 1 else None


@_check_of(
    WITH_PEOPLE,
    "people in order",
    "Are no more people analysed or completed than began?",
    "n",
    unit="people",
)
def _people_in_order(audit: Audit, row: Row) -> Found:
    if row["table"] in ("arm_stats", "arm_events"):
        randomised = audit.context.arms[row["arm_id"]]["n_randomised"]
        if row["n"] is None or randomised is None:
            return None
        n, all_of_arm = int(row["n"]), int(randomised)
        shown = f"n = {n}; {all_of_arm} randomised to the arm"
        return shown, no_more_than(n, all_of_arm)
    # Arms have no number enrolled, or one that is not held against the number randomised.
    names = SIZES if row["table"] == "studies" else ("n_randomised", "n_enrolled")
    began = next((name for name in names[:2] if row.get(name) is not None), None)
    stages = [name for name in ("n_randomised", "n_completed", "n_analysed") if name != began]
    later = [name for name in stages if row.get(name) is not None]
    if began is None or not later:
        return None
    told = [f"{name.removeprefix('n_')} {row[name]}" for name in (began, *later)]
    largest = max(int(row[name]) for name in later)
    return f"{told[0]}; {', '.join(told[1:])}", no_more_than(largest, int(row[began]))


# -- other sources ---------------------------------------------------------------------------


@_check(
    "source against source",
    "Does another source state the same fact with the same value?",
    "as_reported",
)
def _source_and_source(audit: Audit) -> Findings:
    """Compare every row that is not preferred with the preferred row of the same fact.

    Two values agree if one number can print as both (1.6 and 1.64), two statements about
    significance if one p can be behind both. `conflicts` shows the rest with the reasons.
    """
    for table, key in FACT_KEYS.items():
        # A bare "no difference" and an estimate may contradict each other: kinds of measure meet.
        names = [name for name in key if name != "measure"]

        def fact(row: Row, names: list[str] = names) -> tuple[str, ...]:
            return tuple(str(row[name]) for name in names)

        for _, members in groupby(sorted(audit.rows[table], key=fact), key=fact):
            rows = list(members)
            used = [row for row in rows if row["preferred"]]
            for row in rows:
                found = [
                    (other, result)
                    for other in used
                    for result in _comparisons(audit, table, row, other)
                ]
                if row["preferred"] or not found:
                    continue
                other, worst = next((f for f in found if f[1].verdict == INCONSISTENT), found[0])
                told = _told(audit, row), _told(audit, other)
                words = "agrees with" if worst.verdict == CONSISTENT else "does not fit"
                yield row, "; ".join(told), replace(worst, note=f"{told[0]} {words} {told[1]}")


def _comparisons(audit: Audit, table: str, row: Row, other: Row) -> Iterator[Consistency]:
    if table == "study_facts":
        yield from _two_facts(audit, row, other)
    elif row.get("measure") == other.get("measure"):
        for column in VALUES[table]:
            if column in COUNTS and row[column] is not None and other[column] is not None:
                yield _within((row[column],) * 2, (other[column],) * 2)
                continue
            one, two = audit.printed(row, column), audit.printed(other, column)
            if one is not None and two is not None:
                yield same_value(one, two)
    if "p_relation" in row:
        p, q = audit.p(row), audit.p(other)
        if p is not None and q is not None:
            yield same_p(p, q)


def _two_facts(audit: Audit, row: Row, other: Row) -> Iterator[Consistency]:
    """Two values of a fact: are they equal, or, where one is a range, do they meet."""
    if audit.is_inexact(row, "value") or audit.is_inexact(other, "value"):
        return
    # "Phase II" and "one of the cases" are no printed numbers.
    if not all(any(map(str.isdigit, audit.cell(r, "as_reported"))) for r in (row, other)):
        return
    one, two = _ends(row), _ends(other)
    if one is not None and two is not None:
        yield _within(one, two)


def _within(one: tuple[float, float], two: tuple[float, float]) -> Consistency:
    """Numbers that nobody rounds, or ranges of them: people, doses, weeks."""
    shown = [f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in (one, two)]
    return agreement(one, (two[0] + two[1]) / 2, *two, note=" and ".join(shown))


def _ends(row: Row) -> tuple[float, float] | None:
    if row["value"] is not None:
        return row["value"], row["value"]
    low, high = row["value_low"], row["value_high"]
    return None if low is None or high is None else (low, high)


def _told(audit: Audit, row: Row) -> str:
    said, p = audit.cell(row, "as_reported"), audit.p(row)
    if p is not None and p.is_word:
        said = "not significant" if p.relation == "ns" else "significant"
    return f"{said or 'no number'} [{cited(row, audit.sources)}]"


# -- the table of findings -------------------------------------------------------------------

COLUMNS = (
    "table",
    "row_id",
    "study_id",
    "indication_id",
    "check",
    "printed",
    "recomputed",
    "low",
    "high",
    "verdict",
    "severity",
    "is_preferred",
    "is_accepted",
    "explanation",
)
# What a row of results is used for, and so what a wrong number in it would change.
MAIN, BESIDE, TOLD, UNUSED = (
    "a main result",
    "an effect shown beside",
    "told without an effect",
    "no result",
)
NO_STUDY = "NA"
P_CHECKS = ("p against interval", "word against interval")
REMEDY = "correct the cell, or accept it in corrections.yml with a reason"


def check_consistency(
    evidence: Evidence, protocol: Protocol, effects: pd.DataFrame, left_out: pd.DataFrame
) -> pd.DataFrame:
    """Put every check to every row of the raw tables."""
    import pandas as pd

    audit = Audit(evidence, protocol)
    roles = roles_of_rows(evidence, effects, left_out)
    accepted = {(c.table, c.row, c.check) for c in evidence.corrections}
    rows = [
        _record(audit, check, row, printed, result, roles, accepted)
        for check in CHECKS.values()
        for row, printed, result in check.run(audit)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {table: place for place, table in enumerate(CHECKED_TABLES)}
    return frame.sort_values(
        ["table", "row_id", "check"],
        key=lambda column: column.map(order) if column.name == "table" else column,
        kind="stable",
        ignore_index=True,
    )


def refuse_inconsistent(evidence: Evidence, frame: pd.DataFrame) -> None:
    """Stop at printed numbers that cannot be right, are used, and nobody has accepted."""
    faults = [*_unaccepted(evidence, frame), *_not_needed(evidence, frame)]
    if faults:
        raise DataError(faults)


def roles_of_rows(
    evidence: Evidence, effects: pd.DataFrame, left_out: pd.DataFrame
) -> dict[str, str]:
    """What each row of results is used for."""
    studies = evidence.studies
    compared = set(studies.loc[studies["eligible_for"] == "contrast", "study_id"])
    roles = {
        f"{table}:{row_id}": UNUSED
        for table in VALUE_TABLES
        for row_id in evidence.tables[table]["row_id"]
    }
    told = left_out[(left_out["usable_for"] != "none") & left_out["study_id"].isin(compared)]
    roles |= dict.fromkeys(told["table"] + ":" + told["row_id"], TOLD)
    if len(effects):
        roles |= dict.fromkeys(used_rows(effects), BESIDE)
        chosen = effects[effects["is_selected"].astype(bool)]
        roles |= dict.fromkeys(used_rows(chosen), MAIN)
    return roles


def consistency_summary(frame: pd.DataFrame) -> list[str]:
    """Counts in one line, then one line for every inconsistent row."""
    wrong = frame[frame["verdict"] == INCONSISTENT]
    open_ones = int((frame["verdict"] == NOT_CHECKABLE).sum())
    accepted = int(wrong["is_accepted"].sum())
    lines = [
        f"{len(frame)} checks of printed numbers: {len(frame) - len(wrong) - open_ones} "
        f"consistent, {len(wrong)} inconsistent ({accepted} of them accepted), "
        f"{open_ones} not checkable"
    ]
    for row in as_records(wrong):
        state = row["severity"] + (", accepted" if row["is_accepted"] else "")
        lines.append(
            f"  {row['table']}:{row['row_id']}: {row['check']} ({state}): {row['explanation']}"
        )
    return lines


def _record(
    audit: Audit,
    check: Check,
    row: Row,
    printed: str,
    result: Consistency,
    roles: Mapping[str, str],
    accepted: Collection[tuple[str, str, str]],
) -> tuple[object, ...]:
    is_wrong = result.verdict == INCONSISTENT
    study_id = row.get("study_id")
    own = row.get("indication_id") or audit.context.studies[str(study_id)]["indication_id"]
    return (
        row["table"],
        row["row_id"],
        study_id or NO_STUDY,
        own,
        check.name,
        printed,
        _recomputed(result, check.unit),
        result.low,
        result.high,
        result.verdict,
        _severity(audit, check, row, result, roles) if is_wrong else "NA",
        row.get("preferred", True) is not False,
        is_wrong and (row["table"], row["row_id"], check.name) in accepted,
        result.note,
    )


def _recomputed(result: Consistency, unit: str) -> str:
    if math.isnan(result.low):
        return "none"
    low, high = _digits(result.low), _digits(result.high)
    span = low if low == high else f"{low} to {high}"
    if not math.isnan(result.recomputed) and _digits(result.recomputed) != span:
        span = f"{_digits(result.recomputed)} ({span})"
    return f"{span} {unit}".strip()


def _digits(value: float) -> str:
    return f"{value:.0f}" if value == round(value, 0) and abs(value) < 1e6 else f"{value:.3g}"


def _severity(
    audit: Audit, check: Check, row: Row, result: Consistency, roles: Mapping[str, str]
) -> str:
    beside = _differences_beside(audit, row) if check.name == STANDARDISED else []
    if any(roles[other["address"]] == MAIN for other in beside):
        # Two numbers that are said to be of one difference are of two, and one is in a result.
        return "high"
    if check.is_plausibility or row.get("preferred") is False:
        return "low"
    if row["table"] == "claims":
        p = audit.p(row) if check.name in P_CHECKS else None
        return "high" if p is not None and _turns(p, result) else "medium"
    if row["table"] not in VALUE_TABLES:
        return "medium"
    if roles[row["address"]] != UNUSED:
        return "high"
    study = audit.context.studies[row["study_id"]]
    is_set_aside = study["eligible_for"] == "excluded" or row["reliability"] == "low"
    return "low" if is_set_aside else "medium"


def _turns(p: PrintedP, result: Consistency) -> bool:
    """Whether a claim is significant as printed and not as recomputed, or the other way round."""
    told = p.is_significant
    turned_off = told is True and result.low > NOT_SIGNIFICANT_ABOVE
    turned_on = told is False and result.high <= NOT_SIGNIFICANT_ABOVE
    return p.is_word or turned_off or turned_on


def _unaccepted(evidence: Evidence, frame: pd.DataFrame) -> Iterator[Fault]:
    for row in frame[
        (frame["verdict"] == INCONSISTENT)
        & (frame["severity"] == "high")
        & frame["is_preferred"]
        & ~frame["is_accepted"]
        & frame["table"].isin(VALUE_TABLES)
    ].to_dict("records"):
        table, column = row["table"], CHECKS[row["check"]].column
        text = evidence.text[table]
        place = list(text["row_id"]).index(row["row_id"])
        column = column if column in text.columns else "-"
        value = "" if column == "-" else str(text[column].iloc[place])
        rule = f"does not fit what else is printed ({row['check']}: {row['explanation']})"
        # The header is line 1, and no cell holds a line break (cells.py).
        yield Fault(table, place + 2, column, value, rule, REMEDY)


def _not_needed(evidence: Evidence, frame: pd.DataFrame) -> Iterable[Fault]:
    wrong = frame[frame["verdict"] == INCONSISTENT]
    known = set(zip(wrong["table"], wrong["row_id"], wrong["check"], strict=True))
    for entry in evidence.corrections:
        if entry.check in CHECKS and (entry.table, entry.row, entry.check) not in known:
            yield entry.fault("check", "accepts what is consistent", "delete the entry")
