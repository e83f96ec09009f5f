"""Routes from results of each arm (arm_stats.csv) to an effect."""

from __future__ import annotations

import math
from typing import Any

from ldn_meta.evidence.candidates import (
    CHANGE,
    CONTRAST,
    Candidate,
    Context,
    is_transcribed,
    missing,
    number,
    plain_rows,
    row_name,
)
from ldn_meta.evidence.routes_contrasts import degrees_of_freedom, se_within_rounding
from ldn_meta.evidence.scales import place_on_scale
from ldn_meta.stats.convert import change_sd, se_from_ci

TABLE = "arm_stats"
PAIRED_DESIGNS = ("crossover", "fixed-order crossover")
REPORT = ("study_id", "outcome_id", "analysis_set", "source_id", "statistic_of")
WHY_NOT = {
    "baseline": ("describes the people at the start; it is no effect", "none"),
    "end": ("an end value without a comparison or without its spread", "direction"),
    "change": ("a change without its spread or without a comparison", "direction"),
    "percent change": ("a percentage of change without its spread", "direction"),
}


def arm_routes(context: Context) -> None:
    """Compare the arms of one report; note effects, and a reason for every row."""
    text = context.evidence.text["arm_stats"].set_index("row_id")["mean"]
    reports: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    baselines: list[dict[str, Any]] = []
    for row in plain_rows(context.evidence.arm_stats):
        row["decimals"] = len(str(text[row["row_id"]]).partition(".")[2])
        study = context.studies[row["study_id"]]
        if study["eligible_for"] == "excluded":
            context.left_out(TABLE, row, f"study excluded: {study['eligibility_reason']}", "none")
        elif row["reliability"] == "low":
            context.left_out(TABLE, row, "low reliability: kept for the ledger of conflicts",
                             "none")
        else:
            # Periods of a crossover may differ in length; the words then name the same moment.
            time = row["timepoint"] if not missing(row["timepoint"]) else row["timepoint_weeks"]
            reports.setdefault((time, *(row[name] for name in REPORT)), []).append(row)
            if row["statistic_of"] == "baseline" and row["preferred"]:
                baselines.append(row)
            context.left_out(TABLE, row, *WHY_NOT[row["statistic_of"]])
    for rows in reports.values():
        treated = [row for row in rows if context.arms[row["arm_id"]]["group"] == 1]
        control = [row for row in rows if context.arms[row["arm_id"]]["group"] == 2]  # noqa: PLR2004
        kind = rows[0]["statistic_of"]
        for first in treated:
            for second in control:
                if kind == "percent change":
                    _percent_changes(context, first, second, baselines)
                elif kind != "baseline":
                    _two_arms(context, first, second)
            if kind == "end" and not control:
                _before_after(context, first, baselines)


def _spread(row: dict[str, Any]) -> tuple[float, str]:
    """Standard error of an arm's mean and the words for where it came from."""
    se, sd, n = number(row["se"]), number(row["sd"]), number(row["n"])
    if not math.isnan(se):
        return se, "SE"
    if not (math.isnan(sd) or math.isnan(n)):
        return sd / math.sqrt(n), "SD"
    if not (missing(row["ci_low"]) or missing(row["ci_high"]) or missing(row["ci_level"])):
        low, high = number(row["ci_low"]), number(row["ci_high"])
        return float(se_from_ci(low, high, level=number(row["ci_level"]))), "CI"
    return math.nan, ""


def _two_arms(context: Context, first: dict[str, Any], second: dict[str, Any]) -> None:
    study = context.studies[first["study_id"]]
    paired = study["design"] in PAIRED_DESIGNS
    mean_1, mean_2 = number(first["mean"]), number(second["mean"])
    if math.isnan(mean_1) or math.isnan(mean_2):
        for row in (first, second):
            context.left_out(TABLE, row, "no mean is printed", "none")
        return
    (se_1, how_1), (se_2, how_2) = _spread(first), _spread(second)
    if math.isnan(se_1) or math.isnan(se_2):
        _with_p_of_difference(context, first, second, mean_1 - mean_2, paired=paired)
        return
    what = "changes" if first["statistic_of"] == "change" else "end values"
    spread = how_1 if how_1 == how_2 else f"{how_1} and {how_2}"
    if paired:
        correlation = context.protocol.correlation
        se = float(change_sd(se_1, se_2, correlation))
        words = f"correlation of {correlation:g} between periods assumed"
    else:
        se = math.hypot(se_1, se_2)
        words = "independent arms"
    if what == "end values":
        words += "; end values compared, baseline not adjusted for"
    route = "arm changes with CI" if what == "changes" and spread == "CI" else (
        "arm changes with SD" if what == "changes" else "end values with SD")
    _keep(context, first, second, mean_1 - mean_2, se, route=route,
          assumptions=f"standard error from {spread} of each arm; {words}",
          rows=(row_name(TABLE, first), row_name(TABLE, second)), paired=paired)


def _p_row(context: Context, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """The printed exact p of the comparison of these two arms, if there is one."""
    found: list[dict[str, Any]] = []
    for row in plain_rows(context.evidence.contrasts):
        same = (
            row["arm_1"] == first["arm_id"]
            and row["arm_2"] == second["arm_id"]
            and row["outcome_id"] == first["outcome_id"]
            and number(row["timepoint_weeks"]) == number(first["timepoint_weeks"])
            and row["p_relation"] == "="
            and missing(row["estimate"])
            and row["reliability"] == "normal"
        )
        if same:
            found.append(row)
    found.sort(key=lambda row: (not row["preferred"], row["source_id"] != first["source_id"]))
    return found[0] if found else None


def _se_of_difference(
    context: Context, first: dict[str, Any], second: dict[str, Any], difference: float
) -> tuple[float, dict[str, Any], str] | None:
    """Standard error of a difference of two printed means from the printed p, or a reason."""
    row = _p_row(context, first, second)
    if row is None:
        return None
    df, words = degrees_of_freedom(context, row)
    # Both means are rounded, so their difference is known to a whole last digit, not to half.
    slack = 0.5 * 10.0 ** -first["decimals"] + 0.5 * 10.0 ** -second["decimals"]
    se, low, high = se_within_rounding(row, difference, slack=slack, df=df)
    if not (se > 0 and max(high - se, se - low) / se <= context.protocol.largest_se_error):
        for arm in (first, second):
            context.why_not.pop((TABLE, arm["row_id"]), None)
            context.left_out(TABLE, arm, "the difference of the two rounded means is known too "
                             f"coarsely: its standard error lies between {low:.3g} and "
                             f"{high:.3g}", "p-value")
        return None
    return se, row, words


def _with_p_of_difference(
    context: Context, first: dict[str, Any], second: dict[str, Any], difference: float,
    *, paired: bool,
) -> None:
    known = _se_of_difference(context, first, second, difference)
    if known is None:
        return
    se, p_row, words = known
    _keep(context, first, second, difference, se,
          route="arm changes with exact p of the difference",
          assumptions=f"difference of the two printed means; two-sided p from {words}",
          rows=(row_name(TABLE, first), row_name(TABLE, second), row_name("contrasts", p_row)),
          paired=paired, extra=(p_row,))


def _percent_changes(
    context: Context, first: dict[str, Any], second: dict[str, Any],
    baselines: list[dict[str, Any]],
) -> None:
    """Percentages of change of two arms, placed on the scale with the baseline mean."""
    outcome = context.outcomes[first["outcome_id"]]
    start = [
        row for row in baselines
        if row["study_id"] == first["study_id"] and row["outcome_id"] == first["outcome_id"]
        and not missing(row["mean"])
    ]
    points = number(first["mean"]) - number(second["mean"])
    if not start or outcome["construct"] not in context.protocol.scales or math.isnan(points):
        return
    base = number(start[0]["mean"])
    paired = context.studies[first["study_id"]]["design"] in PAIRED_DESIGNS
    rows = (row_name(TABLE, first), row_name(TABLE, second), row_name(TABLE, start[0]))
    shared = f"per cent of change times the baseline mean of {base:g}: the mean of percentages " \
        "is taken for the percentage of means, and the baseline as known"
    (se_1, _), (se_2, _) = _spread(first), _spread(second)
    if not (math.isnan(se_1) or math.isnan(se_2)) and paired:
        correlation = context.protocol.correlation
        _keep(context, first, second, points * base / 100,
              float(change_sd(se_1, se_2, correlation)) * base / 100,
              route="percent changes with CI, correlation assumed, times baseline",
              assumptions=f"{shared}; correlation of {correlation:g} between periods assumed",
              rows=rows, paired=True, extra=(start[0],), approximate=True)
        return
    known = _se_of_difference(context, first, second, points)
    if known is None:
        return
    se, p_row, words = known
    _keep(context, first, second, points * base / 100, se * base / 100,
          route="percent changes with exact p, times baseline",
          assumptions=f"{shared}; two-sided p from {words}",
          rows=(*rows, row_name("contrasts", p_row)), paired=paired,
          extra=(start[0], p_row), approximate=True)


def _before_after(
    context: Context, end: dict[str, Any], baselines: list[dict[str, Any]]
) -> None:
    """One arm's end value against its own start, with an assumed correlation."""
    start = [
        row for row in baselines
        if row["arm_id"] == end["arm_id"] and row["outcome_id"] == end["outcome_id"]
        and row["source_id"] == end["source_id"]
    ]
    if not start:
        return
    (se_1, _), (se_2, _) = _spread(end), _spread(start[0])
    change = number(end["mean"]) - number(start[0]["mean"])
    if math.isnan(se_1) or math.isnan(se_2) or math.isnan(change):
        return
    correlation = context.protocol.correlation
    unit, factor, moved = place_on_scale(context, end["outcome_id"], "MC")
    note = f"correlation of {correlation:g} between start and end assumed"
    context.found.append(
        Candidate(
            kind=CHANGE, study_id=end["study_id"], outcome_id=end["outcome_id"],
            timepoint_weeks=number(end["timepoint_weeks"]), analysis_set=end["analysis_set"],
            measure="MC", unit=unit, yi=change * factor,
            vi=(float(change_sd(se_1, se_2, correlation)) * factor) ** 2,
            n_1=number(end["n"]), n_2=math.nan,
            route="baseline and end values, correlation assumed",
            assumptions="; ".join(part for part in (note, moved) if part),
            rows=(row_name(TABLE, end), row_name(TABLE, start[0])), lead=end,
            arm_1=end["arm_id"], arm_2="NA", is_paired=True, approximate=True,
            uses_transcribed=is_transcribed(end, start[0]),
        )
    )


def _keep(
    context: Context, first: dict[str, Any], second: dict[str, Any], estimate: float, se: float,
    *, route: str, assumptions: str, rows: tuple[str, ...], paired: bool,
    extra: tuple[dict[str, Any], ...] = (), approximate: bool = False,
) -> None:
    unit, factor, moved = place_on_scale(context, first["outcome_id"], "MD")
    n_1, n_2 = number(first["n"]), number(second["n"])
    if paired:
        n_1 = n_2 = n_1 if not math.isnan(n_1) else number(
            context.studies[first["study_id"]]["n_analysed"])
    context.found.append(
        Candidate(
            kind=CONTRAST, study_id=first["study_id"], outcome_id=first["outcome_id"],
            timepoint_weeks=number(first["timepoint_weeks"]),
            analysis_set=first["analysis_set"], measure="MD", unit=unit,
            yi=estimate * factor, vi=(se * factor) ** 2, n_1=n_1, n_2=n_2, route=route,
            assumptions="; ".join(part for part in (assumptions, moved) if part), rows=rows,
            lead=first, arm_1=first["arm_id"], arm_2=second["arm_id"], is_paired=paired,
            approximate=approximate, uses_transcribed=is_transcribed(first, second, *extra),
        )
    )
