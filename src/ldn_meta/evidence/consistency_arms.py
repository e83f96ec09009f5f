"""Checks of means and spreads: arm_stats.csv, and contrasts.csv against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ldn_meta.evidence.candidates import Row, is_before
from ldn_meta.evidence.conflicts import FACT_KEYS
from ldn_meta.evidence.consistency_audit import SIZES, Audit, Finding
from ldn_meta.evidence.consistency_results import interval_of
from ldn_meta.evidence.links import LEVELS
from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    Printed,
    not_checkable,
    same_value,
)
from ldn_meta.stats.consistency_counts import mean_of_whole_scores
from ldn_meta.stats.consistency_means import (
    difference_against_arms,
    sd_against_interval,
    sd_against_scale,
    sd_against_se,
    sd_typed_as_se,
    standardised_against_difference,
)

# Scores that are whole numbers: the numeric rating scale is one of 0, 1, ... 10, and the PEG is
# the mean of three such ratings.
WHOLE_ITEMS = {"pain_nrs_0_10": 1, "peg": 3}
# Which statistics of the arms a difference of each measure is made of, the closest first.
MADE_OF = {"MD": ("change", "end"), "percent point difference": ("percent change",)}


def check_arms(audit: Audit) -> Iterator[Finding]:
    """Every check of means and spreads.

    Parameters
    ----------
    audit : Audit

    Yields
    ------
    Finding
    """
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
    study = audit.context.studies[row["study_id"]]
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
