"""Checks of estimates, intervals and p-values: contrasts.csv, claims.csv and arm_stats.csv."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from ldn_meta.evidence.candidates import RATIO_MEASURES, Row
from ldn_meta.evidence.conflicts import FACT_KEYS
from ldn_meta.evidence.consistency_audit import SIZES, Audit, Finding
from ldn_meta.evidence.exact_p import degrees_of_freedom
from ldn_meta.stats.consistency import CONSISTENT, Printed, not_checkable, same_value
from ldn_meta.stats.consistency_intervals import (
    USUAL_LEVELS,
    estimate_at_centre,
    estimate_inside,
    p_against_interval,
    word_against_interval,
)
from ldn_meta.stats.consistency_tests import STATISTICS, p_against_counts, p_against_statistic
from ldn_meta.stats.counts import counts_from_percent

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
    """Every check of estimates, intervals and p-values.

    Parameters
    ----------
    audit : Audit

    Yields
    ------
    Finding
    """
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
    arm = audit.context.arms[row["arm_1"]]
    if row["n_1"] is None and all(arm.get(name) is None for name in SIZES):
        return 1.0
    df, _ = degrees_of_freedom(audit.context, row)
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
