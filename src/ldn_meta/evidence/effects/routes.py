"""Routes from what trials print to an effect: comparisons, events and results of each arm."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from ldn_meta.evidence.effects.rows import (
    ADJUSTED,
    CHANGE,
    COMPARATOR,
    CONTRAST,
    FURTHER,
    IN_WORDS,
    NO_ARM,
    NO_EVENTS,
    NOT_PRINTED,
    NOT_STATED,
    OF_CHANGE,
    OF_END,
    OF_EVENTS,
    PROPORTION,
    RATIO_MEASURES,
    TREATMENT,
    Arm,
    ArmEvent,
    ArmRow,
    ArmStat,
    Candidate,
    Context,
    Contrast,
    Row,
    Study,
    ValueRow,
    is_before,
    number,
)
from ldn_meta.stats.arrays import Interval
from ldn_meta.stats.convert import (
    change_sd,
    rescale_difference,
    se_from_ci,
    se_from_p,
    se_interval_from_p,
)
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.printed import (
    JointCount,
    counts_from_percent,
    estimate_is_centred,
    joint_counts,
    p_interval,
)

A = TypeVar("A", ArmStat, ArmEvent)


def people_compared(context: Context, row: Contrast) -> tuple[float, float]:
    """People in the two arms of a row of contrasts.csv; pairs stand in both.

    The row's own numbers; else those analysed by the tables; else, where everybody counts
    (intention to treat), those randomised; else NaN. NaN for the second arm of a change from
    baseline.
    """
    is_everybody = row["analysis_set"] == "intention to treat"

    def known(printed: int | None, of: Study | Arm) -> float:
        stated = [printed, of["n_analysed"], of["n_randomised"] if is_everybody else None]
        return number(next((n for n in stated if n is not None), None))

    if row["is_paired"]:
        pairs = known(row["n_1"], context.studies[row["study_id"]])
        return pairs, (math.nan if row["arm_2"] is None else pairs)
    n_2 = math.nan if row["arm_2"] is None else known(row["n_2"], context.arms[row["arm_2"]])
    return known(row["n_1"], context.arms[row["arm_1"]]), n_2


def degrees_of_freedom(context: Context, row: Contrast) -> tuple[float, str]:
    """Degrees of freedom of the p-value of a row of contrasts.csv, and the assumption in words.

    Pairs minus 1, or people minus 2; infinite, for a normal statistic, where they are not known.
    """
    n_1, n_2 = people_compared(context, row)
    if row["is_paired"]:
        if math.isnan(n_1):
            return math.inf, "a normal statistic (number of pairs not reported)"
        return n_1 - 1, f"a paired t statistic on {n_1 - 1:g} df"
    if math.isnan(n_1) or math.isnan(n_2):
        return math.inf, "a normal statistic (people per arm not reported)"
    return n_1 + n_2 - 2, f"a t statistic on {n_1 + n_2 - 2:g} df"


class Spread(NamedTuple):
    """A standard error, where it came from or why there is none, and the df of its t, if any."""

    se: float
    words: str
    df: float = math.nan


def se_from_exact_p(context: Context, row: Contrast, estimate: float, *, slack: float) -> Spread:
    """Standard error behind a printed exact p, or why it is not known well enough.

    se = |estimate| / t(p), t on ``degrees_of_freedom``. The rounding of p and of the estimate
    leaves a range of standard errors; beyond the protocol's ``largest_se_error`` the row is
    refused.
    """
    df, words = degrees_of_freedom(context, row)
    p, size = number(row["p_value"]), abs(estimate)
    if df <= 0:
        return Spread(math.nan, "too few people for a test")
    if p == 0:
        return Spread(math.nan, "p is printed as 0, which is a bound and no number")
    if size <= slack:
        why = "the difference may be nought within its rounding: p gives no spread"
        return Spread(math.nan, why)
    se = float(se_from_p(size, p, df=df))
    p_low, p_high = p_interval("=", p, decimals=int(number(row["p_decimals"])))
    low = float(se_interval_from_p(size - slack, p_low, p_high, df=df).low)
    high = float(se_interval_from_p(size + slack, p_low, p_high, df=df).high)
    if not max(high - se, se - low) <= context.protocol.largest_se_error * se:
        return Spread(
            math.nan,
            "p and its difference are printed too coarsely: the standard error lies between "
            f"{low:.3g} and {high:.3g}",
        )
    return Spread(se, words, df if math.isfinite(df) else math.nan)


@dataclass(frozen=True)
class Report(Generic[A]):
    """Results of the arms of one study: one source, outcome, moment and set of people."""

    treated: tuple[A, ...]
    control: tuple[A, ...]


def what_of(row: ArmRow) -> str:
    """What a row of an arm is of: end, change ...; people or events."""
    return row["statistic_of"] if "statistic_of" in row else row["counted"]


def arm_reports(context: Context, rows: Iterable[A]) -> list[Report[A]]:
    """Group the rows of a table into reports.

    The periods of a crossover may differ in length: the words of a time, when there are any, are
    then the same moment of both, at different weeks.
    """
    groups: dict[tuple[object, ...], dict[str, list[A]]] = {}
    for row in context.eligible(rows):
        if context.arms[row["arm_id"]]["group"] == FURTHER:
            context.left_out(row, "a further arm that the question does not compare", "none")
            continue
        words = row["timepoint"]
        week = row["timepoint_weeks"]
        key = (
            words,
            None if context.has_same_people(row) and words is not None else week,
            what_of(row),
            row["study_id"],
            row["outcome_id"],
            row["analysis_set"],
            row["read_in"],
        )
        groups.setdefault(key, {}).setdefault(row["arm_id"], []).append(row)
    return [_report(context, arms) for arms in groups.values()]


def _report(context: Context, arms: dict[str, list[A]]) -> Report[A]:
    by_group: dict[int, list[A]] = {TREATMENT: [], COMPARATOR: []}
    for arm_id, rows in arms.items():
        # False sorts first: the preferred row, else the first one.
        used, *others = sorted(rows, key=lambda row: not row["preferred"])
        by_group[context.arms[arm_id]["group"]].append(used)
        for row in others:
            context.left_out(row, f"{used['row_id']} gives the same result of this arm", "none")
    report: Report[A] = Report(tuple(by_group[TREATMENT]), tuple(by_group[COMPARATOR]))
    if report.treated and report.control:
        context.compared |= {row["address"] for row in (*report.treated, *report.control)}
    return report


SCALE_FREE = {
    "RR": "log risk ratio",
    "OR": "log odds ratio",
    "IRR": "log rate ratio",
    "PLO": "log odds",
    "RD": "risk difference",
    "SMD": "standard deviations",
    "ROM": "log ratio of means",
}
# A point is a share of its scale: without the ends of the scale nobody knows how much it is.
VAGUE = ("points", "various")


class Placement(NamedTuple):
    """Where an effect stands."""

    unit: str
    factor: float = 1.0
    assumption: str = ""
    is_known: bool = True


def place_on_scale(context: Context, outcome_id: str, measure: str) -> Placement:
    """Find the common scale of an outcome's construct, and the way to it."""
    if measure in SCALE_FREE:
        return Placement(SCALE_FREE[measure])
    outcome = context.outcomes[outcome_id]
    unit, low, high = outcome["unit"], outcome["scale_min"], outcome["scale_max"]
    if low is None or high is None:
        return Placement(unit, is_known=unit not in VAGUE and "not reported" not in unit)
    common = context.protocol.scales.get(outcome["construct"])
    if common is None:
        return Placement(unit)
    if low == common.minimum and high == common.maximum:
        return Placement(common.unit)
    moved = rescale_difference(1.0, 1.0, low, high, common.minimum, common.maximum)
    words = f"moved linearly from {low:g}-{high:g} to {common.unit}"
    return Placement(common.unit, float(moved.estimate), words)


class Effect(NamedTuple):
    """An effect and its standard error, where the rows stand that print it.

    ``df`` are those of the t statistic that the error came from, NaN for a normal one;
    ``printed`` is its interval as printed (low, high, level).
    """

    measure: str
    estimate: float
    se: float
    df: float = math.nan
    printed: tuple[float, float, float] = NOT_PRINTED


def _keep(
    context: Context,
    effect: Effect,
    rows: Sequence[ValueRow],
    people: tuple[float, float],
    *,
    estimand: str,
    route: str,
    assumptions: Sequence[str],
    is_paired: bool,
    approximate: bool = False,
    events: tuple[float, float, float, float] = NO_EVENTS,
    kind: str = CONTRAST,
) -> None:
    """Place an effect on the scale of its outcome and note it; the first rows are its arms."""
    lead = rows[0]
    if "arm_1" in lead:
        arms = lead["arm_1"], lead["arm_2"] or NO_ARM
    else:
        arms = lead["arm_id"], NO_ARM
        if kind == CONTRAST and "arm_1" not in rows[1]:
            arms = lead["arm_id"], rows[1]["arm_id"]
    place = place_on_scale(context, lead["outcome_id"], effect.measure)
    low, high, level = effect.printed
    context.keep(
        Candidate(
            kind=kind,
            lead=lead,
            arm_1=arms[0],
            arm_2=arms[1],
            measure=effect.measure,
            unit=place.unit,
            yi=effect.estimate * place.factor,
            vi=(effect.se * place.factor) ** 2,
            n_1=people[0],
            n_2=people[1],
            estimand=estimand,
            route=route,
            assumptions=(*assumptions, place.assumption),
            rows=tuple(row["address"] for row in rows),
            is_paired=is_paired,
            approximate=approximate,
            has_known_scale=place.is_known,
            events=events,
            df=effect.df,
            printed=(low * place.factor, high * place.factor, level),
        )
    )


def spread(row: ArmStat) -> tuple[float, str]:
    """Standard error of an arm's mean and the words for where it came from; NaN without one."""
    if row["se"] is not None:
        return row["se"], "SE"
    if row["sd"] is not None and row["n"] is not None:
        return row["sd"] / math.sqrt(row["n"]), "SD"
    low, high, level = number(row["ci_low"]), number(row["ci_high"]), number(row["ci_level"])
    if not math.isnan(low + high + level):
        return float(se_from_ci(low, high, level=level)), "CI"
    return math.nan, ""


def paired_se(context: Context, se_1: float, se_2: float) -> float:
    """Standard error of a mean within-person difference: sqrt(se_1^2 + se_2^2 - 2 r se_1 se_2)."""
    return float(change_sd(se_1, se_2, context.protocol.correlation))


def starts_of(arm: ArmStat, starts: list[ArmStat]) -> list[ArmStat]:
    """Rows on the same arm and outcome before treatment; same source and people go first."""
    own = [
        row
        for row in starts
        if row["arm_id"] == arm["arm_id"] and row["outcome_id"] == arm["outcome_id"]
    ]
    return sorted(
        own,
        key=lambda row: (
            row["read_in"] != arm["read_in"],
            row["analysis_set"] != arm["analysis_set"],
        ),
    )


def p_row_of(
    context: Context, first: ArmStat, second: ArmStat, *, measures: Collection[str]
) -> Contrast | None:
    """The printed exact p of the comparison of these two arms, if there is one.

    Of the same people at the same time; that of the same source goes first. The p beside an
    estimate is that estimate's own, and gives it its standard error by another route.
    """
    same = [
        row
        for row in context.contrasts
        if row["arm_1"] == first["arm_id"]
        and row["arm_2"] == second["arm_id"]
        and row["outcome_id"] == first["outcome_id"]
        and row["timepoint_weeks"] is not None
        and row["timepoint_weeks"] == first["timepoint_weeks"]
        and row["analysis_set"] == first["analysis_set"]
        and row["measure"] in measures
        and row["p_relation"] == "="
        and row["estimate"] is None
        and row["reliability"] == "normal"
    ]
    same.sort(key=lambda row: (row["read_in"] != first["read_in"], not row["preferred"]))
    return same[0] if same else None


def se_of_difference(context: Context, first: ArmStat, second: ArmStat, p_row: Contrast) -> Spread:
    """Standard error of the difference of two printed means from its printed p."""
    difference = number(first["mean"]) - number(second["mean"])
    # Both means are rounded, so their difference is known to a whole last digit, not to half.
    printed = [context.printed["mean"][row["row_id"]] for row in (first, second)]
    slack = sum(0.5 * 10.0 ** -len(text.partition(".")[2]) for text in printed)
    found = se_from_exact_p(context, p_row, difference, slack=slack)
    if math.isnan(found.se):
        # Beside the means of its arms a p has an estimate, and the reason is theirs.
        what = p_row["arm_1"], p_row["arm_2"], p_row["outcome_id"], p_row["measure"]
        tests = [
            row
            for row in context.contrasts
            if row["preferred"]
            and row["timepoint_weeks"] == p_row["timepoint_weeks"]
            and (row["arm_1"], row["arm_2"], row["outcome_id"], row["measure"]) == what
        ]
        for test in tests:
            context.why_not.pop(test["address"], None)
        left: tuple[ValueRow, ...] = (first, second, *tests)
        for each in left:
            context.left_out(each, found.words, "p-value")
    return found


# What a difference of arms is of, by what their rows are of.
ESTIMAND_OF = {"end": OF_END, "change": OF_CHANGE, "percent change": OF_CHANGE}


def keep_pair(
    context: Context,
    first: ArmStat,
    second: ArmStat,
    effect: Effect,
    *,
    route: str,
    assumptions: tuple[str, ...],
    others: tuple[ValueRow, ...] = (),
    approximate: bool = False,
) -> None:
    """Note the difference of two arms and its standard error."""
    n_1, n_2 = number(first["n"]), number(second["n"])
    is_paired = context.has_same_people(first)
    if is_paired:
        analysed = number(context.studies[first["study_id"]]["n_analysed"])
        n_1 = n_2 = analysed if math.isnan(n_1) else n_1
    _keep(
        context,
        effect,
        (first, second, *others),
        (n_1, n_2),
        estimand=ESTIMAND_OF[first["statistic_of"]],
        route=route,
        assumptions=assumptions,
        is_paired=is_paired,
        approximate=approximate,
    )


# Share of the interval's width by which an estimate may miss its middle beyond rounding.
CENTRE_TOLERANCE = 0.02
DIFFERENCES = ("MD", "SMD", "RD")
WHY_NO_ESTIMATE = {
    "statement": "only a direction or a p-value is printed, no estimate",
    "median difference": "a median difference with an interquartile width: no standard error "
    "without the number analysed and the shape of the distribution",
    "relative reduction": "a relative reduction without the counts or means behind it",
    "NNT": "a number needed to treat without the counts behind it",
    "percent point difference": "a difference of two percentages of change without its spread",
    "percent change": "a percentage of change without its spread",
    "r": "a correlation-type effect size without the data behind it",
}


def contrast_routes(context: Context) -> None:
    """Try every row of contrasts.csv; note effects and reasons in the context."""
    for row in context.eligible(context.contrasts):
        measure = row["measure"]
        if is_before(row):
            context.left_out(row, "a comparison before treatment; it is no effect", "none")
        elif context.arms[row["arm_1"]]["group"] != TREATMENT:
            what = "a change in" if row["arm_2"] is None else "a comparison with"
            context.left_out(row, f"{what} an arm that the question does not compare", "none")
        elif measure not in (*DIFFERENCES, *RATIO_MEASURES):
            context.left_out(row, WHY_NO_ESTIMATE[measure], _still_says(row))
        elif row["estimate"] is None:
            context.left_out(row, "no estimate is printed", _still_says(row))
        elif measure in RATIO_MEASURES and not _is_positive(row):
            reason = "a ratio, or a limit of its interval, that is not above 0"
            context.left_out(row, reason, _still_says(row))
        elif row["ci_low"] is not None and row["ci_high"] is not None:
            _with_interval(context, row)
        elif measure not in RATIO_MEASURES and row["p_relation"] == "=":
            _with_exact_p(context, row)
        else:
            context.left_out(row, _why_no_spread(context, row), _still_says(row))


def _still_says(row: Contrast) -> str:
    """What a row without an effect is still good for."""
    has_estimate = row["estimate"] is not None
    if row["p_value"] is not None or (has_estimate and row["p_relation"] == "ns"):
        return "p-value"
    return "direction" if has_estimate or row["direction"] != NOT_STATED else "none"


def _is_positive(row: Contrast) -> bool:
    printed = (row["estimate"], row["ci_low"], row["ci_high"])
    return all(value is None or value > 0 for value in printed)


def _with_interval(context: Context, row: Contrast) -> None:
    """Se = (high - low) / (2 z); logged first for ratios."""
    estimate, low, high = number(row["estimate"]), number(row["ci_low"]), number(row["ci_high"])
    is_ratio = row["measure"] in RATIO_MEASURES
    if row["ci_level"] is None:
        context.left_out(row, "the level of the interval is not stated", _still_says(row))
        return
    is_centred = estimate_is_centred(
        estimate,
        low,
        high,
        is_ratio=is_ratio,
        decimals=row["estimate_decimals"],
        tolerance=CENTRE_TOLERANCE,
    )
    if not is_centred:
        context.left_out(
            row,
            "the estimate is not in the middle of its interval: one of the printed numbers is "
            "off, or the interval is not of the usual kind",
            _still_says(row),
        )
        return
    if is_ratio:
        estimate, low, high = math.log(estimate), math.log(low), math.log(high)
    level = number(row["ci_level"])
    words = "paired interval as printed" if row["is_paired"] else "interval as printed"
    scale = "log scale, " if is_ratio else ""
    _keep_contrast(
        context,
        row,
        Spread(float(se_from_ci(low, high, level=level)), words),
        route="with CI",
        assumption=f"{scale}{words}, read as normal at level {level:g}",
    )


def _with_exact_p(context: Context, row: Contrast) -> None:
    estimate = number(row["estimate"])
    slack = 0.5 * 10.0 ** -(row["estimate_decimals"] or 0)
    found = se_from_exact_p(context, row, estimate, slack=slack)
    if math.isnan(found.se):
        context.left_out(row, found.words, "p-value")
        return
    words = f"two-sided p from {found.words}"
    _keep_contrast(context, row, found, route="with exact p", assumption=words)


def printed_interval(context: Context, row: Contrast) -> tuple[float, float, float]:
    """Low, high and level of the interval printed for an estimate, logged for ratios.

    By the row itself, or by another text that prints the same estimate of the same comparison.
    """
    here: Row = row
    same = ("arm_1", "arm_2", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set")
    others = [
        text
        for text in context.table("contrasts")
        if text["reliability"] == "normal"
        and all(text[name] == here[name] for name in (*same, "measure", "estimate"))
    ]
    for text in (here, *others):
        low, high, level = (number(text[name]) for name in ("ci_low", "ci_high", "ci_level"))
        if not math.isnan(low + high + level):
            is_ratio = row["measure"] in RATIO_MEASURES
            return (math.log(low), math.log(high), level) if is_ratio else (low, high, level)
    return NOT_PRINTED


def _why_no_spread(context: Context, row: Contrast) -> str:
    """Say why an estimate without an interval has no standard error."""
    relation = row["p_relation"]
    if relation == "=":
        return "a ratio with a p-value but no interval and no counts"
    if relation == "ns":
        return "no exact p and no interval"
    if relation not in ("<", ">"):
        return "an estimate without interval, standard error or exact p"
    df, _ = degrees_of_freedom(context, row)
    estimate, p = number(row["estimate"]), number(row["p_value"])
    if row["measure"] in RATIO_MEASURES or estimate == 0 or not 0 < p < 1 or df <= 0:
        return "p is only a bound, and there is no interval"
    side = "below" if relation == "<" else "above"
    bound = float(se_from_p(estimate, p, df=df))
    return f"p is only a bound: the standard error is {side} {bound:.3g}"


def _keep_contrast(
    context: Context, row: Contrast, spread: Spread, *, route: str, assumption: str
) -> None:
    is_change = row["arm_2"] is None
    measure = "MC" if is_change and row["measure"] == "MD" else row["measure"]
    estimate = number(row["estimate"])
    if measure in RATIO_MEASURES:
        estimate = math.log(estimate)
    _keep(
        context,
        Effect(measure, estimate, spread.se, spread.df, printed_interval(context, row)),
        (row,),
        people_compared(context, row),
        estimand=row["estimand"],
        route=f"{'change' if is_change else 'difference'} {route}",
        assumptions=(assumption,),
        is_paired=row["is_paired"] or context.has_same_people(row),
        kind=CHANGE if is_change else CONTRAST,
    )


def counts_behind(
    one: Row, two: Row, sizes: Sequence[Iterable[int]], p: Interval | None = None
) -> tuple[JointCount, ...]:
    """Counts that print like the percentages of two arms, whose sizes may be several."""
    return joint_counts(
        number(one["percent"]),
        sizes[0],
        number(two["percent"]),
        sizes[1],
        decimals=int(number(one["percent_decimals"])),
        p=p,
    )


@dataclass(frozen=True)
class Count:
    """People with the event among n: the number, how it was found, or why it was not."""

    events: float
    words: str = ""
    problem: str = ""


def event_routes(context: Context) -> None:
    """Compare the arms of one report of one outcome; note effects and reasons."""
    label = context.evidence.review.label
    for report in arm_reports(context, context.arm_events):
        if not report.treated:
            for row in report.control:
                context.left_out(row, f"the source gives no number for the {label} arm", "none")
        for first in report.treated:
            if not report.control:
                _one_arm(context, first)
            for second in report.control:
                if first["counted"] == "events":
                    _event_counts(context, first, second)
                else:
                    _shares(context, first, second)


def _count(row: ArmEvent) -> Count:
    if row["n"] is None:
        return Count(math.nan, problem="the denominator is not reported")
    if row["events"] is not None:
        return Count(number(row["events"]))
    n, percent = row["n"], number(row["percent"])
    counts = counts_from_percent(percent, int(number(row["percent_decimals"])), n)
    if len(counts) == 1:
        words = f"{counts[0]} is the only count of {n} that rounds to {percent:g}%"
        return Count(float(counts[0]), words=words)
    which = "several counts" if counts else "no count"
    verb = "round" if counts else "rounds"
    return Count(math.nan, problem=f"{which} of {n} people {verb} to {percent:g}%")


def _shares(context: Context, first: ArmEvent, second: ArmEvent) -> None:
    """Log risk ratio, with 0.5 added to the cells of a table that has an empty one."""
    one, two = _count(first), _count(second)
    if one.problem or two.problem:
        context.left_out(first, one.problem or f"the other arm: {two.problem}", "direction")
        context.left_out(second, two.problem or f"the other arm: {one.problem}", "direction")
        return
    n_1, n_2 = number(first["n"]), number(second["n"])
    effect = effect_size("RR", events_1=one.events, n_1=n_1, events_2=two.events, n_2=n_2)
    notes = [one.words, two.words]
    is_paired = context.has_same_people(first)
    if is_paired:
        notes.append("same people in both arms, compared as if unpaired (conservative)")
    if one.events == two.events == 0:
        notes.append("no event in either arm: the ratio rests on the continuity correction only")
    elif 0 in (one.events, two.events, n_1 - one.events, n_2 - two.events):
        notes.append("0.5 added to every cell because one is empty")
    is_printed = first["events"] is not None and second["events"] is not None
    _keep(
        context,
        Effect("RR", float(effect.yi), math.sqrt(effect.vi)),
        (first, second),
        (n_1, n_2),
        estimand=OF_EVENTS,
        route="events and n per arm" if is_printed else "percentages with n per arm",
        assumptions=notes,
        is_paired=is_paired,
        events=(one.events, n_1, two.events, n_2),
    )


def _event_counts(context: Context, first: ArmEvent, second: ArmEvent) -> None:
    """Counts of events: a rate ratio over equal time, never a share of people."""
    week = first["timepoint_weeks"]
    is_equal_time = week is not None and week == second["timepoint_weeks"]
    if not (context.has_same_people(first) and is_equal_time):
        reason = "events are counted, not people, and the time at risk is not reported"
        for row in (first, second):
            context.left_out(row, reason, "direction")
        return
    events_1, events_2 = number(first["events"]), number(second["events"])
    effect = effect_size("IRR", events_1=events_1, time_1=1.0, events_2=events_2, time_2=1.0)
    _keep(
        context,
        Effect("IRR", float(effect.yi), math.sqrt(effect.vi)),
        (first, second),
        (number(first["n"]), number(second["n"])),
        estimand=OF_EVENTS,
        route="event counts over equal time",
        assumptions=(
            "events counted as independent although one person may have several",
            "equal time on both drugs",
        ),
        is_paired=True,
        approximate=True,
        events=(events_1, math.nan, events_2, math.nan),
    )


def _one_arm(context: Context, row: ArmEvent) -> None:
    """Log odds of one arm."""
    if row["counted"] == "events":
        context.left_out(row, "events are counted, not people", "none")
        return
    count = _count(row)
    if count.problem:
        context.left_out(row, count.problem, "none")
        return
    no_share = context.why_no_share(row)
    if no_share:
        context.left_out(row, no_share, IN_WORDS)
        return
    n = number(row["n"])
    effect = effect_size("PLO", events=count.events, n=n)
    _keep(
        context,
        Effect("PLO", float(effect.yi), math.sqrt(effect.vi)),
        (row,),
        (n, math.nan),
        estimand=OF_EVENTS,
        route="percentage with n" if row["events"] is None else "events and n",
        assumptions=(
            count.words,
            "no comparison group: listed beside, never pooled with contrasts",
        ),
        is_paired=False,
        events=(count.events, n, math.nan, math.nan),
        kind=PROPORTION,
    )


P_OF_PERCENTAGES = ("percent point difference", "percent change", "statement")


def percent_routes(
    context: Context, first: ArmStat, second: ArmStat, starts: list[ArmStat]
) -> None:
    """Place a difference of two percentages of change on the scale; note effects and reasons.

    effect = (percentage_1 - percentage_2) / 100 x mean at the start, and its standard error
    likewise. Two means at the start, of arms that chance made alike, are taken for one. Taking
    the mean of percentages for the percentage of means makes every such effect approximate.
    """
    own = [
        row
        for arm in (first, second)
        for row in [r for r in starts_of(arm, starts) if r["preferred"]][:1]
    ]
    construct = context.outcomes[first["outcome_id"]]["construct"]
    if not own or construct not in context.protocol.scales:
        for row in (first, second):
            reason = "a percentage of change without the mean at the start on a common scale"
            context.left_out(row, reason, "direction")
        return
    base = sum(number(row["mean"]) for row in own) / len(own)
    points = number(first["mean"]) - number(second["mean"])
    shared = (
        f"per cent of change times the baseline mean of {base:g}: the mean of percentages is "
        "taken for the percentage of means, and the baseline as known"
    )

    def keep(found: Spread, route: str, *others: ValueRow) -> None:
        keep_pair(
            context,
            first,
            second,
            Effect("MD", points * base / 100, found.se * base / 100, found.df),
            route=route,
            assumptions=(shared, found.words),
            others=(*own, *others),
            approximate=True,
        )

    p_row = p_row_of(context, first, second, measures=P_OF_PERCENTAGES)
    if p_row is not None:
        found = se_of_difference(context, first, second, p_row)
        if not math.isnan(found.se):
            route = "percent changes with exact p, times baseline"
            keep(found._replace(words=f"two-sided p from {found.words}"), route, p_row)
    se_1, se_2 = spread(first)[0], spread(second)[0]
    if context.has_same_people(first) and not math.isnan(se_1 + se_2):
        words = f"correlation of {context.protocol.correlation:g} between periods assumed"
        keep(
            Spread(paired_se(context, se_1, se_2), words),
            "percent changes with CI, correlation assumed, times baseline",
        )


WHY_NOT = {
    "baseline": ("describes the people at the start; it is no effect", "none"),
    "end": ("an end value without a comparison or without its spread", "direction"),
    "change": ("a change without its spread or without a comparison", "direction"),
    "percent change": ("a percentage of change without its spread", "direction"),
}
# Comparisons whose p may be the p of a difference of means; the p of a median difference or of
# a ratio answers another question.
P_OF_MEANS = ("MD", "statement")


def arm_routes(context: Context) -> None:
    """Compare the arms of one report; note effects, and a reason for every row."""
    reports = arm_reports(context, context.arm_stats)
    starts = [
        row
        for report in reports
        for row in (*report.treated, *report.control)
        if row["statistic_of"] == "baseline" and row["mean"] is not None
    ]
    _with_borrowed_errors(context, starts)
    for report in reports:
        for first in report.treated:
            if first["statistic_of"] == "end" and not report.control:
                _before_after(context, first, starts)
            for second in report.control:
                _means(context, first, second, starts)
    for row in context.arm_stats:
        context.left_out(row, *WHY_NOT[row["statistic_of"]])


def _means(context: Context, first: ArmStat, second: ArmStat, starts: list[ArmStat]) -> None:
    what = first["statistic_of"]
    if what == "baseline":
        return
    if first["mean"] is None or second["mean"] is None:
        for row in (first, second):
            reason = "no mean is printed" if row["mean"] is None else "the other arm has no mean"
            context.left_out(row, reason, "none")
    elif what == "percent change":
        percent_routes(context, first, second, starts)
    elif context.has_same_people(first):
        _with_p_of_means(context, first, second)
        _with_spreads(context, first, second)
    elif not _with_spreads(context, first, second):
        _with_p_of_means(context, first, second)


def _with_spreads(context: Context, first: ArmStat, second: ArmStat) -> bool:
    """Difference of two means with the standard errors of both; whether there are any.

    se = sqrt(se_1^2 + se_2^2), less 2 r se_1 se_2 under the root for the same people.
    """
    (se_1, how_1), (se_2, how_2) = spread(first), spread(second)
    if math.isnan(se_1 + se_2):
        return False
    if context.has_same_people(first):
        se = paired_se(context, se_1, se_2)
        route = "arm results of a crossover, correlation assumed"
        people = f"correlation of {context.protocol.correlation:g} between periods assumed"
    else:
        se, people = math.hypot(se_1, se_2), "independent arms"
        is_ci = how_1 == how_2 == "CI"
        route = {
            "end": "end values with SD",
            "change": f"arm changes with {'CI' if is_ci else 'SD'}",
        }[first["statistic_of"]]
    how = how_1 if how_1 == how_2 else f"{how_1} and {how_2}"
    words = (f"standard error from {how} of each arm", people, _of_ends(first))
    effect = Effect("MD", number(first["mean"]) - number(second["mean"]), se)
    keep_pair(context, first, second, effect, route=route, assumptions=words)
    return True


def _with_p_of_means(context: Context, first: ArmStat, second: ArmStat) -> None:
    """Difference of two means with the printed p of their comparison."""
    p_row = p_row_of(context, first, second, measures=P_OF_MEANS)
    if p_row is None:
        return
    found = se_of_difference(context, first, second, p_row)
    if math.isnan(found.se):
        return
    difference = number(first["mean"]) - number(second["mean"])
    keep_pair(
        context,
        first,
        second,
        Effect("MD", difference, found.se, found.df),
        route="arm changes with exact p of the difference",
        assumptions=(
            "difference of the two printed means",
            f"two-sided p from {found.words}",
            _of_ends(first),
        ),
        others=(p_row,),
    )


def _with_borrowed_errors(context: Context, starts: list[ArmStat]) -> None:
    """Differences of another kind than the printed one, with its standard error.

    Of changes where a paper printed a difference of levels, or the other way round: the arms say
    how large it is, and only the printed difference how well it is known.
    """
    printed = [
        (found, found.lead)
        for found in context.found
        if found.estimand in (OF_CHANGE, OF_END, ADJUSTED) and found.measure == "MD"
    ]
    done: set[tuple[object, ...]] = set()
    for found, lead in sorted(printed, key=lambda pair: not pair[1]["preferred"]):
        if "arm_1" not in lead:
            continue
        for what in (OF_CHANGE, OF_END):
            both = (found.arm_1, found.arm_2)
            arms = [_arm_mean(context, lead, arm, what, starts) for arm in both]
            key = (found.arm_1, found.arm_2, what, *_moment(lead))
            if what == found.estimand or key in done or not all(arms):
                continue
            done.add(key)
            _borrow(context, found, lead, what, arms)


def _moment(row: Row) -> tuple[object, ...]:
    """What rows of the same people at the same time agree in."""
    return tuple(row[n] for n in ("outcome_id", "timepoint_weeks", "timepoint", "analysis_set"))


def _arm_mean(
    context: Context, lead: Contrast, arm_id: str, what: str, starts: list[ArmStat]
) -> tuple[ArmStat, ...]:
    """Rows that give an arm's change or end value: its own, else the other and the start."""
    wanted, other = ("change", "end") if what == OF_CHANGE else ("end", "change")
    rows = {
        row["statistic_of"]: row
        for row in context.stats_of_arm.get(arm_id, ())
        if _moment(row) == _moment(lead)
        and row["mean"] is not None
        and row["reliability"] == "normal"
        and row["preferred"]
    }
    if wanted in rows:
        return (rows[wanted],)
    begun = starts_of(rows[other], starts)[:1] if other in rows else []
    return (rows[other], *begun) if begun else ()


def _borrow(
    context: Context,
    found: Candidate,
    lead: Contrast,
    what: str,
    arms: Sequence[tuple[ArmStat, ...]],
) -> None:
    # A start is taken from an end value, and added to a change.
    sign = -1.0 if what == OF_CHANGE else 1.0
    first, second = (
        number(mean["mean"]) + sum(sign * number(start["mean"]) for start in starts)
        for mean, *starts in arms
    )
    name = "changes" if what == OF_CHANGE else "end values"
    is_worked_out = max(map(len, arms)) > 1
    factor = place_on_scale(context, lead["outcome_id"], "MD").factor
    _keep(
        context,
        Effect("MD", first - second, math.sqrt(found.vi) / factor, found.df),
        (*(rows[0] for rows in arms), *(row for rows in arms for row in rows[1:]), lead),
        people_compared(context, lead),
        estimand=what,
        route=f"arm {name}, error of the printed difference",
        assumptions=(
            f"difference of the {name} of the two arms",
            "worked out with their means at the start" if is_worked_out else "",
            f"standard error of the printed difference ({found.estimand}): this one is assumed to "
            "be known as well",
        ),
        is_paired=found.is_paired,
        approximate=True,
    )


def _of_ends(first: ArmStat) -> str:
    is_end = first["statistic_of"] == "end"
    return "end values compared, baseline not adjusted for" if is_end else ""


def _before_after(context: Context, end: ArmStat, starts: list[ArmStat]) -> None:
    """One arm's end value against its own start, with an assumed correlation."""
    own = [row for row in starts_of(end, starts) if row["read_in"] == end["read_in"]]
    if not own or end["mean"] is None:
        return
    start = own[0]
    se_1, se_2 = spread(end)[0], spread(start)[0]
    if math.isnan(se_1 + se_2):
        return
    if end["n"] != start["n"]:
        context.left_out(end, "not the same people at the start and at the end", "direction")
        return
    correlation = context.protocol.correlation
    _keep(
        context,
        Effect("MC", end["mean"] - number(start["mean"]), paired_se(context, se_1, se_2)),
        (end, start),
        (number(end["n"]), math.nan),
        estimand=OF_CHANGE,
        route="baseline and end values, correlation assumed",
        assumptions=(f"correlation of {correlation:g} between start and end assumed",),
        is_paired=True,
        approximate=True,
        kind=CHANGE,
    )
