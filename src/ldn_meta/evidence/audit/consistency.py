"""Whether the numbers that papers print agree with each other: every check over every row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple, cast

from ldn_meta.errors import DataError, Fault
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.effects.routes import degrees_of_freedom
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, Context, Row, is_before, plain_rows
from ldn_meta.evidence.raw.faults import FACT_KEYS, LEVELS, SPLIT_DESIGNS, VALUES
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.stats.consistency import (
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
SIZES = ("n_enrolled", "n_randomised", "n_completed", "n_analysed")


@dataclass(frozen=True)
class Finding:
    """The answer of one check for one row."""

    check: str
    row: Row
    printed: str
    result: Consistency


class Audit:
    """The raw tables, typed and as printed."""

    def __init__(self, evidence: Evidence, protocol: Protocol) -> None:
        self.evidence = evidence
        self.context = Context(evidence, protocol)
        self._missing = set(evidence.dictionary.missing)
        self.rows: dict[str, list[Row]] = {}
        self.text: dict[str, dict[str, str]] = {}
        for table in CHECKED_TABLES:
            key = evidence.dictionary.tables[table].key
            cells = evidence.text[table].to_dict("records")
            typed = plain_rows(evidence.tables[table])
            self.rows[table] = []
            for row, texts in zip(typed, cells, strict=True):
                address = f"{table}:{row[key]}"
                self.rows[table].append(
                    {**row, "address": address, "table": table, "row_id": row[key]}
                )
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
        size = abs(Decimal(text))
        as_printed = [
            len(found.partition(".")[2])
            for found in NUMBER.findall(self.cell(row, "as_reported"))
            if Decimal(found) == size
        ]
        return Printed(float(text), min(as_printed, default=len(text.partition(".")[2])))

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
        decimals = self.cell(row, "p_decimals")
        if not decimals:
            as_printed = [
                found
                for found in NUMBER.findall(self.cell(row, "as_reported"))
                if Decimal(found) == Decimal(value)
            ]
            text = min(as_printed, key=len, default=value)
            decimals = str(len(text.partition(".")[2]))
        return PrintedP(str(relation), float(value), int(decimals))

    def sizes(self, row: Row) -> tuple[int, int] | None:
        """Smallest and largest size on file of a row's arm; None if there is none."""
        arm: Row = self.context.arms[row["arm_id"]]
        study: Row = self.context.studies[row["study_id"]]
        found = [arm[name] for name in SIZES if arm.get(name) is not None]
        if not found and study["design"] in ONE_GROUP:
            found = [study[name] for name in SIZES if study[name] is not None]
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
            for other in self.rows[table]
            if other["arm_id"] == arm_id
            and other["outcome_id"] == row["outcome_id"]
            and other["analysis_set"] == row["analysis_set"]
            and self.moment(other) == self.moment(row)
        ]
        return sorted(found, key=lambda other: not other["preferred"])


@dataclass(frozen=True)
class Check:
    """One question put to printed numbers."""

    name: str
    asks: str
    column: str
    is_plausibility: bool = False
    unit: str = ""


CHECKS = {
    check.name: check
    for check in (
        Check(
            "estimate inside interval",
            "Is the estimate inside its own interval?",
            "ci_low",
        ),
        Check(
            "estimate at centre",
            "Is the estimate in the middle of its interval (geometric for ratios)?",
            "ci_low",
        ),
        Check(
            "p against interval",
            "Does the p-value belong to the estimate and its interval (normal or t)?",
            "p_value",
        ),
        Check(
            "word against interval",
            "Does 'significant' or 'not significant' fit the interval?",
            "p_relation",
        ),
        Check(
            "p against statistic",
            "Does the p-value belong to the test statistic and its degrees of freedom?",
            "p_value",
        ),
        Check(
            "p against counts",
            "Can the p-value come from the counts of the two arms by any test of a 2x2 table?",
            "p_value",
        ),
        Check(
            "percentage of n",
            "Is the percentage a whole number of the people it is said to be of (GRIM)?",
            "percent",
        ),
        Check(
            "percentage of the arm",
            "Without a stated n: is the percentage a whole number of any number of people "
            "between the smallest and the largest size of the arm on file?",
            "percent",
            unit="people",
        ),
        Check(
            "percentages together",
            "Can percentages of one instrument, arm and time be of one number of people?",
            "percent",
            unit="people",
        ),
        Check(
            "NNT against percentages",
            "Does the number needed to treat belong to the percentages of the arms?",
            "estimate",
        ),
        Check(
            "difference of arms",
            "Is the difference what the two arms, or baseline and end, leave?",
            "estimate",
        ),
        Check(
            "SD against SE",
            "Is the SD the SE times the root of n?",
            "sd",
        ),
        Check(
            "SD against interval",
            "Does the SD belong to the interval of the same mean?",
            "sd",
        ),
        Check(
            "SD on its scale",
            "Can scores on this scale have this mean and this SD?",
            "sd",
        ),
        Check(
            "SD or SE",
            "Are two means implausibly many SDs apart, as if an SE stood for an SD?",
            "sd",
            is_plausibility=True,
        ),
        Check(
            "mean of whole scores",
            "Is the mean possible for whole-number scores of n people (GRIM)?",
            "mean",
            is_plausibility=True,
        ),
        Check(
            "standardised difference",
            "Is the standardised difference the difference over a printed SD?",
            "estimate",
            is_plausibility=True,
        ),
        Check(
            "parts and total",
            "Do arms or sequences add up to the total?",
            "value",
            unit="people",
        ),
        Check(
            "people in order",
            "Are no more people analysed or completed than began?",
            "n",
            unit="people",
        ),
        Check(
            "source against source",
            "Does another source state the same fact with the same value?",
            "as_reported",
        ),
    )
}


VALUES_WITH_N = ("arm_stats", "arm_events")
# Percentages of one instrument at one moment, told by one source, are of the same people.
TOGETHER = ("study_id", "arm_id", "source_id", "timepoint_weeks", "timepoint", "analysis_set")
SEQUENCES = {
    ("n_sequence_1", "n_sequence_2"): ("n_randomised", "n_enrolled"),
    ("n_completed_sequence_1", "n_completed_sequence_2"): ("n_completed",),
}


def check_people(audit: Audit) -> Iterator[Finding]:
    """Every check of people."""
    counted = [row for row in audit.rows["arm_events"] if row["counted"] == "people"]
    for row in counted:
        if audit.cell(row, "percent"):
            yield _percentage(audit, row)
    yield from _together(audit, counted)
    for row in audit.rows["contrasts"]:
        if row["measure"] == "NNT" and audit.cell(row, "estimate"):
            yield _nnt(audit, row)
    for table in VALUES_WITH_N:
        yield from _within_arm(audit, table)
    yield from _studies_and_arms(audit)
    yield from _facts(audit)


def _percentage(audit: Audit, row: Row) -> Finding:
    percent = audit.printed(row, "percent")
    events = None if row["events"] is None else int(row["events"])
    n = None if row["n"] is None else int(row["n"])
    counted = "" if events is None else f"{events} people, "
    shown = f"{counted}{audit.cell(row, 'percent')}% of {'an n not stated' if n is None else n}"
    check = "percentage of the arm" if n is None else "percentage of n"
    if percent is None:
        found = not_checkable("the percentage is printed as a bound or a guess")
    elif n is not None:
        found = percent_against_n(percent, n, events=events)
    else:
        sizes = audit.sizes(row)
        if sizes is None:
            found = not_checkable("neither the denominator nor the size of the arm is on file")
        else:
            found = percent_of_some_n(percent, *sizes, events=events)
    return Finding(check, row, shown, found)


def _together(audit: Audit, counted: list[Row]) -> Iterator[Finding]:
    outcomes = audit.context.outcomes

    def group(row: Row) -> tuple[str, ...]:
        return tuple(
            str(value)
            for value in (
                outcomes[row["outcome_id"]]["instrument"],
                *(row[name] for name in TOGETHER),
            )
        )

    for _, members in groupby(sorted(counted, key=group), key=group):
        rows = [(row, audit.printed(row, "percent")) for row in members]
        told = [(row, percent) for row, percent in rows if percent is not None]
        if len(told) < 2 or all(row["n"] is not None for row, _ in told):
            continue
        sizes = audit.sizes(told[0][0])
        if sizes is None:
            continue
        events = [None if row["events"] is None else int(row["events"]) for row, _ in told]
        percents = [percent for _, percent in told]
        found = common_denominator(percents, sizes[1], events=events)
        shown = " and ".join(
            f"{percent}% ({outcomes[row['outcome_id']]['construct_label']})"
            for row, percent in told
        )
        # One line for the group, at its first row.
        yield Finding("percentages together", told[0][0], shown, found)


def _nnt(audit: Audit, row: Row) -> Finding:
    nnt = audit.printed(row, "estimate")
    arms = [audit.of_arm("arm_events", row, row[arm]) for arm in ("arm_1", "arm_2")]
    percents = [_percent_of(audit, rows[0]) if rows else None for rows in arms]
    shown = f"NNT {audit.cell(row, 'estimate')}"
    if nnt is None or percents[0] is None or percents[1] is None:
        found = not_checkable("the percentages of the two arms are not on file")
    else:
        found = nnt_against_percents(nnt, percents[0], percents[1])
        shown = f"{shown}; {percents[0]}% against {percents[1]}%"
    return Finding("NNT against percentages", row, shown, found)


def _percent_of(audit: Audit, row: Row) -> Printed | None:
    if row["events"] is not None and row["n"]:
        # Exact to far more digits than any number needed to treat has.
        return Printed(round(100 * row["events"] / row["n"], 9), 9)
    return audit.printed(row, "percent")


def _within_arm(audit: Audit, table: str) -> Iterator[Finding]:
    for row in audit.rows[table]:
        arm = audit.context.arms[row["arm_id"]]
        if row["n"] is None or arm["n_randomised"] is None:
            continue
        n, randomised = int(row["n"]), int(arm["n_randomised"])
        shown = f"n = {n}; {randomised} randomised to the arm"
        yield Finding("people in order", row, shown, no_more_than(n, randomised))


def _studies_and_arms(audit: Audit) -> Iterator[Finding]:
    for table in ("studies", "arms"):
        for row in audit.rows[table]:
            began = next(
                (name for name in ("n_randomised", "n_enrolled") if row.get(name) is not None),
                None,
            )
            later = [
                name
                for name in ("n_randomised", "n_completed", "n_analysed")
                if name != began and row.get(name) is not None
            ]
            if table == "studies" and row["n_enrolled"] is not None and began == "n_randomised":
                began, later = "n_enrolled", ["n_randomised", *later]
            if began is None or not later:
                continue
            largest = max(later, key=lambda name: int(row[name]))
            shown = f"{_words(began)} {row[began]}; " + ", ".join(
                f"{_words(name)} {row[name]}" for name in later
            )
            yield Finding(
                "people in order", row, shown, no_more_than(int(row[largest]), int(row[began]))
            )
    arms: Iterable[Row] = audit.context.arms.values()
    for study in audit.rows["studies"]:
        if study["design"] not in SPLIT_DESIGNS:
            continue
        for name in SIZES[1:]:
            of_arms = [arm[name] for arm in arms if arm["study_id"] == study["study_id"]]
            if study[name] is None or not of_arms or None in of_arms:
                continue
            parts = [int(size) for size in of_arms]
            shown = f"{_words(name)}: {' + '.join(map(str, parts))}; {study[name]} in all"
            found = parts_against_total(parts, int(study[name]))
            yield Finding("parts and total", study, shown, found)
            break


def _facts(audit: Audit) -> Iterator[Finding]:
    """Sequences against the study, and who left against who stayed."""
    facts = [
        row
        for row in audit.rows["study_facts"]
        if row["preferred"] and row["value"] is not None and row["value"] == int(row["value"])
    ]
    for _, members in groupby(facts, key=lambda row: str(row["study_id"])):
        of_study = list(members)
        for parts, totals in SEQUENCES.items():
            found = [_one(of_study, part) for part in parts]
            total = next(
                (
                    row
                    for fact in totals
                    if (row := _plain(of_study, fact) or _one(of_study, fact))
                ),
                None,
            )
            if all(found) and total is not None:
                sizes = [int(row["value"]) for row in found if row is not None]
                shown = f"{' + '.join(map(str, sizes))}; {int(total['value'])} in all"
                result = parts_against_total(sizes, int(total["value"]))
                yield Finding("parts and total", total, shown, result)
        yield from _who_left(of_study)


def _who_left(of_study: list[Row]) -> Iterator[Finding]:
    left = _one(of_study, "n_withdrawn")
    began = _plain(of_study, "n_randomised") or _plain(of_study, "n_enrolled")
    stayed = _plain(of_study, "n_completed") or _plain(of_study, "n_analysed")
    if left is None or began is None or stayed is None:
        return
    sizes = [int(row["value"]) for row in (began, left, stayed)]
    shown = f"{sizes[0]} began, {sizes[1]} left, {sizes[2]} stayed"
    if sizes[1] + sizes[2] < sizes[0]:
        result = not_checkable("others may have left for other reasons")
    else:
        result = parts_against_total(sizes[1:], sizes[0])
    yield Finding("parts and total", left, shown, result)


def _plain(of_study: list[Row], fact: str) -> Row | None:
    return next((r for r in of_study if r["fact"] == fact and r["qualifier"] is None), None)


def _one(of_study: list[Row], fact: str) -> Row | None:
    found = [row for row in of_study if row["fact"] == fact]
    return found[0] if len(found) == 1 else None


def _words(column: str) -> str:
    return column.removeprefix("n_")


# The estimate of a mean or of a table is called otherwise.
ESTIMATES = {"contrasts": "estimate", "claims": "estimate", "arm_stats": "mean"}
# Measures whose interval and p come from a statistic that is symmetric about the estimate.
ASYMMETRIC = ("median difference", "NNT", "r")
# A model with covariates, or fewer people analysed than the arms have, leaves fewer degrees of
# freedom than the arms; less than half of them would be another trial.
LEAST_SHARE_OF_DF = 0.5


class Interval(NamedTuple):
    """An estimate with its interval, as printed."""

    estimate: Printed
    low: Printed
    high: Printed


def check_results(audit: Audit) -> Iterator[Finding]:
    """Every check of estimates, intervals and p-values."""
    for table in ESTIMATES:
        for row in audit.rows[table]:
            yield from _interval_findings(audit, row)
    for row in audit.rows["contrasts"]:
        yield from _statistic_findings(audit, row)
        yield from _count_findings(audit, row)


def interval_of(audit: Audit, row: Row) -> Interval | None:
    """Estimate and interval of a row; None if one of the three is missing."""
    cells = [audit.printed(row, name) for name in (ESTIMATES[row["table"]], "ci_low", "ci_high")]
    if cells[0] is None or cells[1] is None or cells[2] is None:
        return None
    return Interval(cells[0], cells[1], cells[2])


def _interval_findings(audit: Audit, row: Row) -> Iterator[Finding]:
    measure = row.get("measure")
    is_ratio = measure in RATIO_MEASURES
    own = interval_of(audit, row)
    p = audit.p(row)
    if own is not None:
        shown = f"{own.estimate} ({own.low} to {own.high})"
        yield Finding("estimate inside interval", row, shown, estimate_inside(*own))
        if measure not in ASYMMETRIC:
            centred = estimate_at_centre(*own, is_ratio=is_ratio)
            yield Finding("estimate at centre", row, shown, centred)
    if p is None or measure in ASYMMETRIC:
        return
    of = row if own is not None else _interval_elsewhere(audit, row)
    partner = None if of is None else interval_of(audit, of)
    if of is None or partner is None:
        return
    shown = f"{partner.estimate} ({partner.low} to {partner.high}); {p}"
    if p.is_word:
        found = word_against_interval(p, partner.low, partner.high, is_ratio=is_ratio)
        yield Finding("word against interval", row, shown, found)
        return
    level = of.get("ci_level")
    found = p_against_interval(
        *partner,
        p,
        is_ratio=is_ratio,
        fewest_df=_fewest_df(audit, row),
        # Reviews print 95% intervals; contrasts.csv says which level a report names.
        levels=(0.95,) if row["table"] == "claims" else (level,) if level else USUAL_LEVELS,
    )
    yield Finding("p against interval", row, shown, found)


def _interval_elsewhere(audit: Audit, row: Row) -> Row | None:
    """The row of another source that gives an interval for the same estimate of the same fact."""
    if row["table"] != "contrasts" or row["estimate"] is None:
        return None
    key = FACT_KEYS["contrasts"]
    own = audit.printed(row, "estimate")
    for other in audit.rows["contrasts"]:
        found = interval_of(audit, other)
        is_same_fact = all(other[name] == row[name] for name in key)
        if (
            found
            and own
            and is_same_fact
            and same_value(own, found.estimate).verdict == CONSISTENT
        ):
            return other
    return None


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


def _statistic_findings(audit: Audit, row: Row) -> Iterator[Finding]:
    name, p = row["statistic_name"], audit.p(row)
    statistic = audit.printed(row, "statistic")
    if name not in STATISTICS or statistic is None or p is None or p.is_word:
        return
    found = p_against_statistic(name, statistic, p)
    yield Finding("p against statistic", row, f"{name} = {statistic}; {p}", found)


def _count_findings(audit: Audit, row: Row) -> Iterator[Finding]:
    p = audit.p(row)
    if p is None or p.is_word or row["arm_2"] is None:
        return
    arms = [audit.of_arm("arm_events", row, row[arm]) for arm in ("arm_1", "arm_2")]
    if not all(arms) or any(rows[0]["counted"] != "people" for rows in arms):
        return
    cells = [_shown_count(audit, rows[0]) for rows in arms]
    shown = f"{cells[0]} against {cells[1]}; {p}"
    if row["is_paired"]:
        found = not_checkable("the same people in both arms: the counts do not fix the test")
    else:
        counts = [_counts(audit, rows[0]) for rows in arms]
        if not all(counts):
            found = not_checkable("the counts are not known")
        else:
            found = p_against_counts(counts[0], counts[1], p)
    yield Finding("p against counts", row, shown, found)


def _counts(audit: Audit, row: Row) -> list[tuple[int, int]]:
    """Every (events, people) that a row of arm_events.csv can stand for."""
    percent = audit.printed(row, "percent")
    if row["n"] is not None:
        sizes = [int(row["n"])]
    else:
        largest = audit.sizes(row)
        sizes = [] if largest is None else list(range(1, largest[1] + 1))
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
    percent = audit.cell(row, "percent")
    return f"{events}/{n or 'n not stated'}" if events else f"{percent}%"


# Scores that are whole numbers: the numeric rating scale is one of 0, 1, ... 10, and the PEG is
# the mean of three such ratings.
WHOLE_ITEMS = {"pain_nrs_0_10": 1, "peg": 3}
# Which statistics of the arms a difference of each measure is made of, the closest first.
MADE_OF = {"MD": ("change", "end"), "percent point difference": ("percent change",)}


def check_arms(audit: Audit) -> Iterator[Finding]:
    """Every check of means and spreads."""
    for row in audit.rows["arm_stats"]:
        yield from _spread(audit, row)
        yield from _grim(audit, row)
    for row in audit.rows["contrasts"]:
        if row["measure"] in MADE_OF:
            yield from _difference(audit, row)
        if row["measure"] == "SMD":
            yield from _standardised(audit, row)


def _spread(audit: Audit, row: Row) -> Iterator[Finding]:
    mean, sd, se = (audit.printed(row, name) for name in ("mean", "sd", "se"))
    n = _people(audit, row)
    if sd is not None and se is not None and n is not None:
        yield Finding("SD against SE", row, f"SD {sd}; SE {se}", sd_against_se(sd, se, n))
    if audit.cell(row, "unlabelled_spread"):
        shown = f"{audit.cell(row, 'mean')} +/- {audit.cell(row, 'unlabelled_spread')}"
        yield Finding("SD or SE", row, shown, not_checkable(_unlabelled(audit, row)))
    if mean is None or sd is None:
        return
    outcome = audit.context.outcomes[row["outcome_id"]]
    low, high = outcome["scale_min"], outcome["scale_max"]
    if row["statistic_of"] in LEVELS and low is not None and high is not None:
        found = sd_against_scale(mean, sd, low, high, n=float("nan") if n in (None, 1) else n)
        yield Finding("SD on its scale", row, f"mean {mean}, SD {sd}", found)
    yield from _sd_and_interval(audit, row, mean, sd)
    yield from _sd_or_se(audit, row, mean, sd, n)


def _unlabelled(audit: Audit, row: Row) -> str:
    """What a spread that is called neither SD nor SE would mean as each of them."""
    words = "the spread is called neither SD nor SE"
    found = _before(audit, row, "unlabelled_spread")
    mean, spread = audit.printed(row, "mean"), audit.printed(row, "unlabelled_spread")
    n = _people(audit, row)
    if row["statistic_of"] != "end" or found is None or mean is None or spread is None:
        return words
    study: Row = audit.context.studies[row["study_id"]]
    n = n or next((int(study[name]) for name in reversed(SIZES) if study[name] is not None), None)
    if n is None or n < 2:
        return words
    result = sd_typed_as_se(mean, spread, n, *found, n)
    return f"{words}: {result.note}"


def _before(audit: Audit, row: Row, spread: str) -> tuple[Printed, Printed] | None:
    """Mean and spread of the same arm before treatment."""
    for other in audit.rows["arm_stats"]:
        is_same = other["arm_id"] == row["arm_id"] and other["outcome_id"] == row["outcome_id"]
        if is_same and is_before(other):
            mean, found = audit.printed(other, "mean"), audit.printed(other, spread)
            if mean is not None and found is not None:
                return mean, found
    return None


def _sd_and_interval(audit: Audit, row: Row, mean: Printed, sd: Printed) -> Iterator[Finding]:
    """The SD of a row against the interval of the same mean, of any source."""
    for other in audit.rows["arm_stats"]:
        found, n = interval_of(audit, other), other["n"]
        is_same = all(other[name] == row[name] for name in FACT_KEYS["arm_stats"])
        if not is_same or found is None or n is None or n < 2:
            continue
        if same_value(mean, found.estimate).verdict != CONSISTENT:
            continue
        level = other["ci_level"] or 0.95
        result = sd_against_interval(sd, found.low, found.high, int(n), level=level)
        shown = f"SD {sd}; {found.estimate} ({found.low} to {found.high}), n = {n}"
        yield Finding("SD against interval", row, shown, result)
        return


def _sd_or_se(
    audit: Audit, row: Row, mean: Printed, sd: Printed, n: int | None
) -> Iterator[Finding]:
    """How many SDs a mean at the end is from the same arm's at baseline."""
    before = _before(audit, row, "sd")
    if row["statistic_of"] != "end" or before is None or n is None or n < 2:
        return
    if sd.value > 0 and before[1].value > 0:
        result = sd_typed_as_se(mean, sd, n, *before, n)
        shown = f"{before[0]} (SD {before[1]}) before, {mean} (SD {sd}) after"
        yield Finding("SD or SE", row, shown, result)


def _grim(audit: Audit, row: Row) -> Iterator[Finding]:
    items, mean = WHOLE_ITEMS.get(row["outcome_id"]), audit.printed(row, "mean")
    is_level = row["statistic_of"] in (*LEVELS, "change")
    if items is None or mean is None or row["n"] is None or not is_level:
        return
    # Where every printed value is possible the question has no answer that could be bad.
    if row["n"] * items < 10**mean.decimals:
        result = mean_of_whole_scores(mean, int(row["n"]), items=items)
        yield Finding("mean of whole scores", row, f"mean {mean}, n = {row['n']}", result)


def _difference(audit: Audit, row: Row) -> Iterator[Finding]:
    difference = audit.printed(row, "estimate")
    if difference is None:
        return
    found = []
    for one, other in _pairs_of(audit, row):
        means = audit.printed(one, "mean"), audit.printed(other, "mean")
        if means[0] is None or means[1] is None:
            continue
        result = difference_against_arms(difference, means[0], means[1])
        is_same_people = row["arm_2"] is None and one["n"] == other["n"]
        if result.verdict == INCONSISTENT and not (is_same_people or row["is_adjusted"] is False):
            result = not_checkable(f"{result.note}, by a model that may adjust")
        shown = f"{difference}; {means[0]} and {means[1]}"
        found.append(Finding("difference of arms", row, shown, result))
    if not found:
        return
    # A paper that prints changes and end values may have compared either.
    best = min(found, key=lambda finding: finding.result.verdict != CONSISTENT)
    others = [one.result.note for one in found if one.result.verdict != best.result.verdict]
    note = "; but ".join([best.result.note, *others])
    yield replace(best, result=replace(best.result, note=note))


def _pairs_of(audit: Audit, row: Row) -> Iterator[tuple[Row, Row]]:
    """The two means a difference is made of: of two arms, or the end and the baseline of one."""
    if row["arm_2"] is None:
        ends = [r for r in _all_of(audit, row) if r["statistic_of"] == "end"]
        starts = [r for r in _all_of(audit, row) if r["statistic_of"] == "baseline"]
        if len(ends) == len(starts) == 1:
            yield ends[0], starts[0]
        return
    for kind in MADE_OF[row["measure"]]:
        found = []
        for arm in (row["arm_1"], row["arm_2"]):
            rows = [r for r in audit.of_arm("arm_stats", row, arm) if r["statistic_of"] == kind]
            same_source = [r for r in rows if r["source_id"] == row["source_id"]]
            found.extend((same_source or rows)[:1])
        if len(found) == 2:
            yield found[0], found[1]


def _all_of(audit: Audit, row: Row) -> list[Row]:
    return [
        other
        for other in audit.rows["arm_stats"]
        if other["arm_id"] == row["arm_1"]
        and other["outcome_id"] == row["outcome_id"]
        and other["preferred"]
    ]


def _standardised(audit: Audit, row: Row) -> Iterator[Finding]:
    """A standardised difference against the same source's difference and the arms' SDs."""
    smd = audit.printed(row, "estimate")
    same = [name for name in FACT_KEYS["contrasts"] if name != "measure"]
    differences = [
        other
        for other in audit.rows["contrasts"]
        if other["measure"] == "MD"
        and other["source_id"] == row["source_id"]
        and all(other[name] == row[name] for name in same)
    ]
    if smd is None or not differences:
        return
    difference = audit.printed(differences[0], "estimate")
    sds: list[Printed] = []
    changes: list[tuple[Printed, Printed]] = []
    for arm in (row["arm_1"], row["arm_2"]):
        ends = [
            sd
            for r in audit.of_arm("arm_stats", row, arm)
            if r["statistic_of"] == "end" and (sd := audit.printed(r, "sd")) is not None
        ]
        before = _before(audit, {**row, "arm_id": arm}, "sd")
        sds.extend([*ends[:1], *([before[1]] if before else [])])
        if ends and before:
            changes.append((before[1], ends[0]))
    if difference is None:
        return
    if not sds:
        result = not_checkable("no SD of the arms is on file")
    else:
        result = standardised_against_difference(smd, difference, sds, changes=changes)
        left = _difference_of_changes(audit, row)
        if result.verdict == INCONSISTENT and left is not None:
            other = standardised_against_difference(smd, left, sds, changes=changes)
            if other.verdict == CONSISTENT:
                words = f"it fits the difference of the printed changes, {left}"
                result = replace(result, note=f"{result.note}; {words}")
    yield Finding("standardised difference", row, f"d {smd}; difference {difference}", result)


def _difference_of_changes(audit: Audit, row: Row) -> Printed | None:
    changes = [
        change
        for arm in (row["arm_1"], row["arm_2"])
        for r in audit.of_arm("arm_stats", row, arm)[:1]
        if r["statistic_of"] == "change" and (change := audit.printed(r, "mean")) is not None
    ]
    if len(changes) != 2:
        return None
    decimals = max(change.decimals for change in changes)
    return Printed(round(changes[0].value - changes[1].value, decimals), decimals)


def _people(audit: Audit, row: Row) -> int | None:
    if row["n"] is not None:
        return int(row["n"])
    sizes = audit.sizes(row)
    return None if sizes is None else sizes[1]


# Columns that count people; nobody rounds them.
COUNTS = ("n", "events")


def check_sources(audit: Audit) -> Iterator[Finding]:
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
                if row["preferred"]:
                    continue
                found = [
                    (other, result)
                    for other in used
                    for result in _comparisons(audit, table, row, other)
                ]
                if not found:
                    continue
                worst = next((f for f in found if f[1].verdict == INCONSISTENT), found[0])
                told = _told(audit, row), _told(audit, worst[0])
                words = "agrees with" if worst[1].verdict == CONSISTENT else "does not fit"
                result = replace(worst[1], note=f"{told[0]} {words} {told[1]}")
                yield Finding("source against source", row, "; ".join(told), result)


def _comparisons(audit: Audit, table: str, row: Row, other: Row) -> Iterator[Consistency]:
    if table == "study_facts":
        yield from _facts_consistency_sources(audit, row, other)
    elif row.get("measure") == other.get("measure"):
        for column in VALUES[table]:
            if column in COUNTS and row[column] is not None and other[column] is not None:
                yield _exactly(row[column], other[column])
                continue
            one, two = audit.printed(row, column), audit.printed(other, column)
            if one is not None and two is not None:
                yield same_value(one, two)
    if "p_relation" in row:
        p, q = audit.p(row), audit.p(other)
        if p is not None and q is not None:
            yield same_p(p, q)


def _exactly(one: float, other: float) -> Consistency:
    """Numbers that nobody rounds: people, doses, weeks."""
    return agreement((one, one), other, other, other, note=f"{one:g} and {other:g}")


def _facts_consistency_sources(audit: Audit, row: Row, other: Row) -> Iterator[Consistency]:
    """Two values of a fact: are they equal, or, where one is a range, do they meet."""
    if audit.is_inexact(row, "value") or audit.is_inexact(other, "value"):
        return
    # "Phase II" and "one of the cases" are no printed numbers.
    if not all(any(map(str.isdigit, audit.cell(r, "as_reported"))) for r in (row, other)):
        return
    one, two = _ends(row), _ends(other)
    if one is not None and two is not None:
        note = f"{_words_consistency_sources(one)} and {_words_consistency_sources(two)}"
        yield agreement(one, (two[0] + two[1]) / 2, *two, note=note)


def _ends(row: Row) -> tuple[float, float] | None:
    if row["value"] is not None:
        return row["value"], row["value"]
    low, high = row["value_low"], row["value_high"]
    return None if low is None or high is None else (low, high)


def _words_consistency_sources(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g} to {ends[1]:g}"


def _told(audit: Audit, row: Row) -> str:
    said, p = audit.cell(row, "as_reported"), audit.p(row)
    if p is not None and p.is_word:
        said = "not significant" if p.relation == "ns" else "significant"
    return f"{said or 'no number'} [{row['source_id']}]"


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
    found = chain(
        check_results(audit), check_people(audit), check_arms(audit), check_sources(audit)
    )
    rows = [
        _record(audit, finding, roles, (*_key(finding), finding.check) in accepted)
        for finding in found
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
    for row in wrong.to_dict("records"):
        state = row["severity"] + (", accepted" if row["is_accepted"] else "")
        lines.append(
            f"  {row['table']}:{row['row_id']}: {row['check']} ({state}): {row['explanation']}"
        )
    return lines


def _record(
    audit: Audit, finding: Finding, roles: dict[str, str], is_accepted: bool
) -> tuple[object, ...]:
    row, result = finding.row, finding.result
    is_wrong = result.verdict == INCONSISTENT
    return (
        row["table"],
        row["row_id"],
        row.get("study_id") or NO_STUDY,
        _indication(audit, row),
        finding.check,
        finding.printed,
        _recomputed(result, CHECKS[finding.check].unit),
        result.low,
        result.high,
        result.verdict,
        _severity(audit, finding, roles) if is_wrong else "NA",
        row.get("preferred", True) is not False,
        is_wrong and is_accepted,
        result.note,
    )


def _key(finding: Finding) -> tuple[str, str]:
    return finding.row["table"], finding.row["row_id"]


def _indication(audit: Audit, row: Row) -> str:
    own = row.get("indication_id")
    return str(own or audit.context.studies[row["study_id"]]["indication_id"])


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


def _severity(audit: Audit, finding: Finding, roles: dict[str, str]) -> str:
    row = finding.row
    if CHECKS[finding.check].is_plausibility or row.get("preferred") is False:
        return "low"
    if row["table"] == "claims":
        return "high" if _turns(audit.p(row), finding) else "medium"
    if row["table"] not in VALUE_TABLES:
        return "medium"
    if roles[row["address"]] != UNUSED:
        return "high"
    study = audit.context.studies[row["study_id"]]
    is_set_aside = study["eligible_for"] == "excluded" or row["reliability"] == "low"
    return "low" if is_set_aside else "medium"


def _turns(p: PrintedP | None, finding: Finding) -> bool:
    """Whether a claim is significant as printed and not as recomputed, or the other way round."""
    if p is None or finding.check not in P_CHECKS:
        return False
    told, result = p.is_significant, finding.result
    if p.is_word:
        return True
    turned_off = told is True and result.low > NOT_SIGNIFICANT_ABOVE
    return turned_off or (told is False and result.high <= NOT_SIGNIFICANT_ABOVE)


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
        if (entry.table, entry.row, entry.check) not in known:
            yield entry.fault("check", "accepts what is consistent", "delete the entry")
