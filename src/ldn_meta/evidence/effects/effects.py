"""From raw rows to effects: every row becomes part of an effect or is left out with a reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import LdnMetaError
from ldn_meta.evidence.effects.routes import (
    ESTIMAND_OF,
    SCALE_FREE,
    arm_routes,
    contrast_routes,
    event_routes,
    place_on_scale,
)
from ldn_meta.evidence.effects.rows import (
    COMPARATOR,
    CONTRAST,
    FURTHER_ARM,
    NOT_PRINTED,
    NOT_STATED,
    NOT_TOLD,
    OF_PEOPLE,
    ROUTES,
    TRANSCRIBED,
    Arm,
    ArmStat,
    Candidate,
    Context,
    Study,
    barred_by,
    cells,
    number,
    select,
    words_of,
)
from ldn_meta.evidence.raw.bias import overall_judgements
from ldn_meta.evidence.raw.review import listed
from ldn_meta.evidence.raw.selection import DIFFERENCES_AS, RATIOS_AS
from ldn_meta.evidence.raw.tables import VALUE_TABLES, as_records
from ldn_meta.files import six_digits
from ldn_meta.stats.arrays import EffectSize
from ldn_meta.stats.convert import ci_from_se
from ldn_meta.stats.effects import effect_size, hedges_correction

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.arrays import FloatArray


# Level of a single trial's own interval in tables and figures.
OWN_LEVEL = 0.95
LEFT_OUT_COLUMNS = (
    *("table", "row_id", "indication_id", "study_id", "study_label", "outcome_id", "construct"),
    *("kind", "reason", "usable_for", "direction", "compares", "comparator_class", "is_preferred"),
    *("trial_id", "n_1"),
)


class AccountingError(LdnMetaError):
    """A value row that is neither used nor left out, or both: a defect of a route."""


def normalise(evidence: Evidence, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn every value row into an effect, or say why not.

    Parameters
    ----------
    evidence : Evidence
        Checked raw tables.
    protocol : Protocol
        Analysis choices.

    Returns
    -------
    effects : pandas.DataFrame
        One row an effect: ``yi``, ``vi`` (group 1, the treatment, minus group 2, in the
        direction of the scale), route, assumptions, the rows it was computed from, whether it is
        the one its trial brings to the main pool, and why. No rows, and no columns, without
        effects.
    left_out : pandas.DataFrame
        One row for every value row that is in no effect, with the reason, what kind of result
        it would be (``kind``), what it can still be used for (direction, p-value,
        count in words, none)
        and whether the row itself compares the treatment with another (``compares``).

    Raises
    ------
    AccountingError
        If used and left-out rows do not add up to the rows on file.
    ArgumentError
        If the protocol ranks an analysis set or kind of text that the data dictionary does not
        know, or leaves one out.
    """
    effects, left_out = candidate_effects(evidence, protocol)
    if len(effects):
        chosen, why = select(effects, protocol.selection)
        effects = effects.assign(is_selected=chosen, selected_why=why)
    return effects, left_out


def candidate_effects(evidence: Evidence, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As ``normalise``, without the columns that say which effects are selected and why."""
    import pandas as pd

    protocol.check_words(evidence.dictionary)
    context = Context(evidence, protocol)
    contrast_routes(context)
    event_routes(context)
    arm_routes(context)
    if protocol.measures:
        context.found = [told_as(context, found) for found in context.found]
    trials = trials_of(context)
    risk = overall_judgements(evidence)
    records = [_record(context, found, trials, risk) for found in context.found]
    effects = pd.DataFrame(_with_ids(records))
    if protocol.constructs and len(effects):
        effects = joined(effects, protocol)
    left_out = _left_out(context, trials)
    check_accounting(evidence, effects, left_out)
    return effects, left_out


def told_as(context: Context, found: Candidate) -> Candidate:
    """The same effect by the measure that a run asks for; as it is where that says nothing of it.

    A ratio of people from their counts. A difference in standard deviations of people on its
    instrument, or as a ratio of the two means.
    """
    asked = context.protocol.measures
    if found.kind != CONTRAST or found.measure in asked:
        return found
    if found.measure in OF_PEOPLE:
        wanted = next((name for name in asked if name in RATIOS_AS), "")
        if not wanted or found.measure == "IRR":
            return found
        if any(map(math.isnan, found.events)):
            return _not_told(found, wanted, "the counts of both arms")
        names = ("events_1", "n_1", "events_2", "n_2")
        counts: dict[str, Any] = dict(zip(names, found.events, strict=True))
        told = effect_size(wanted, **counts)
        return _told(found, wanted, told, "")
    wanted = next((name for name in asked if name in DIFFERENCES_AS), "")
    if found.measure != "MD" or wanted in ("", "MD"):
        return found
    if wanted == "SMD":
        return _standardised(context, found)
    ends = _spreads(context, found, "end", is_now=True)
    if len(ends) < 2 or found.is_paired or any(row["mean"] is None for row in ends):
        return _not_told(found, wanted, "end levels with SDs in two arms of different people")
    return _told(
        found, wanted, effect_size("ROM", **_of_arms(context, ends)), "end levels, baseline apart"
    )


def _told(
    found: Candidate, measure: str, told: EffectSize, words: str, **fields: Any
) -> Candidate:
    """An effect as another measure, with a normal interval of its own."""
    yi, vi = float(told.yi), float(told.vi)
    if not (math.isfinite(yi) and vi > 0):
        return _not_told(found, measure, "numbers that define one")
    changes: dict[str, Any] = {"unit": SCALE_FREE[measure], "has_known_scale": True, **fields}
    return replace(
        found,
        measure=measure,
        yi=yi,
        vi=vi,
        df=math.nan,
        printed=NOT_PRINTED,
        assumptions=(*found.assumptions, words),
        unit_before=found.unit,
        **changes,
    )


def _not_told(found: Candidate, measure: str, lacks: str) -> Candidate:
    return replace(found, not_told=f"not told as {measure}, which needs {lacks}")


def _spreads(
    context: Context, found: Candidate, what: str, *, is_now: bool = False
) -> list[ArmStat]:
    """Preferred rows with an SD of the two arms, at the moment of the effect or at any."""
    rows: dict[str, ArmStat] = {}
    for row in context.arm_stats:
        is_of_effect = row["outcome_id"] == found.lead["outcome_id"] and (
            not is_now or row["timepoint_weeks"] == found.lead["timepoint_weeks"]
        )
        is_usable = row["sd"] is not None and row["reliability"] != "low"
        is_usable = is_usable and _people(context, row) > 1
        if is_of_effect and is_usable and row["statistic_of"] == what:
            is_first = row["arm_id"] not in rows
            if is_first or (row["preferred"] and not rows[row["arm_id"]]["preferred"]):
                rows[row["arm_id"]] = row
    return [rows[arm] for arm in (found.arm_1, found.arm_2) if arm in rows]


def _people(context: Context, row: ArmStat) -> float:
    """People behind a row: its own number, else those of its arm."""
    arm = context.arms[row["arm_id"]]
    stated = (row["n"], arm["n_analysed"], arm["n_randomised"])
    return number(next((n for n in stated if n is not None), None))


def _of_arms(context: Context, rows: Sequence[ArmStat]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, row in enumerate(rows, 1):
        found |= {f"mean_{place}": number(row["mean"]), f"sd_{place}": number(row["sd"])}
        found[f"n_{place}"] = _people(context, row)
    return found


def _standardised(context: Context, found: Candidate) -> Candidate:
    """An effect in standard deviations of people on its instrument, by Hedges' correction.

    The SD is that of levels, whatever the difference is of: changes divided by the SD of changes
    would be another quantity. End levels of the arms go first, then those at the start; else the
    SD that the plan states for the scale. With the arms' own means and SDs it is the usual g
    (SMD), of a crossover SMCRP. Else yi = J MD / SD, and vi = vi(MD) / SD^2 + yi^2 / (2 N), N
    the people behind the SD; of a crossover N = 2 n / (1 + r^2).

    Notes
    -----
    Hedges 1981 (g); Cousineau 2020, Quant Meth Psych 16:418, equation 2 (the same people twice);
    Cochrane Handbook 6.4, 10.5.1 (one SD for changes and levels).
    """
    now = _spreads(context, found, "end", is_now=True)
    factor = place_on_scale(context, found.lead["outcome_id"], "MD").factor
    if len(now) == 2 and {row["address"] for row in now} <= {*found.rows}:
        words = "in pooled standard deviations of its end levels"
        arms, code = _of_arms(context, now), "SMD"
        if found.is_paired:
            code, arms["n"] = "SMCRP", found.n_1
            arms["correlation"] = context.protocol.correlation
            del arms["n_1"], arms["n_2"]
        sd = _pooled_sd(context, now) * factor
        return _told(found, "SMD", effect_size(code, **arms), words, sd=sd)
    for rows, moment in (
        (now, "at the end"),
        (_spreads(context, found, "baseline"), "at the start"),
        (_spreads(context, found, "end"), "at another time"),
    ):
        if rows:
            sd, n = _pooled_sd(context, rows) * factor, sum(_people(context, row) for row in rows)
            words = f"divided by the SD of its people {moment}, {sd:.3g} {found.unit}"
            break
    else:
        construct = context.outcomes[found.lead["outcome_id"]]["construct"]
        scale = context.protocol.certainty.scales.get(construct)
        if scale is None or scale.unit != found.unit:
            return _not_told(found, "SMD", "a standard deviation of its instrument")
        sd, n = scale.sd, math.inf
        words = f"divided by the SD of the scale in the plan, {sd:.3g} {found.unit}"
    if found.is_paired:
        n = (n if len(rows) < 2 else n / 2) * 2 / (1 + context.protocol.correlation**2)
        df = n - 2 / (1 + context.protocol.correlation**2)
    else:
        df = n - len(rows)
    correction = 1.0 if math.isinf(df) else float(hedges_correction(df))
    yi = correction * found.yi / sd
    told = EffectSize(yi, found.vi / sd**2 + yi**2 / (2 * n))
    return _told(found, "SMD", told, words, sd=sd)


def _pooled_sd(context: Context, rows: Sequence[ArmStat]) -> float:
    weights = [_people(context, row) - 1 for row in rows]
    squares = [w * number(row["sd"]) ** 2 for w, row in zip(weights, rows, strict=True)]
    return math.sqrt(sum(squares) / sum(weights))


def joined(effects: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Comparisons of several outcomes as those of the first, each in its direction.

    A trial that has an open effect of an outcome named earlier does not bring a later one.
    """
    first, place = protocol.constructs[0], {n: p for p, n in enumerate(protocol.constructs)}
    known = {row["construct"]: row for row in as_records(effects)}
    named = [name for name in protocol.constructs if name in known]
    is_one = effects["construct"].isin(named) & (effects["kind"] == CONTRAST)
    if not named or not is_one.any():
        return effects
    sign = float(known[named[0]]["benefit_sign"])
    turned = (effects["benefit_sign"] * sign).where(is_one, 1.0).fillna(1.0)
    low = effects["ci_low"].where(turned > 0, -effects["ci_high"])
    high = effects["ci_high"].where(turned > 0, -effects["ci_low"])
    order = effects["construct"].map(place)
    is_open = np.array([not why for why in barred_by(effects, protocol.selection)])
    keys = ["trial_id", "comparator_class"]
    best = order.where(is_one & is_open).groupby([effects[k] for k in keys]).transform("min")
    is_second = is_one & (order > best)
    why = "an outcome that was named first stands for its trial"
    return effects.assign(
        yi=effects["yi"] * turned,
        ci_low=low,
        ci_high=high,
        benefit_sign=effects["benefit_sign"].where(~is_one, sign),
        construct_label=effects["construct_label"].where(
            ~is_one, listed([known[name]["construct_label"] for name in named], "or")
        ),
        construct=effects["construct"].where(~is_one, first),
        **{NOT_TOLD: effects[NOT_TOLD].where(~is_second, why)},
    )


def t_df(df: float) -> float:
    """Degrees of freedom of an effect's statistic; infinite for a normal one."""
    return math.inf if math.isnan(df) else float(df)


def own_interval(
    yi: float, sei: float, df: float, printed: tuple[float, float, float], *, level: float
) -> tuple[float, float]:
    """A trial's own interval: as printed, else by the statistic its standard error came from.

    By t where the error came from a t statistic, else normal. A printed interval at another
    level is computed again.
    """
    low, high, printed_at = printed
    if printed_at == level:
        return low, high
    limits = ci_from_se(yi, sei, level=level, df=t_df(df))
    # p = 0.05 puts a limit on nought: what is left of rounding must not decide the side.
    nought = 1e-12 * sei
    low, high = (0.0 if abs(float(end)) < nought else float(end) for end in limits)
    return low, high


def own_intervals(effects: pd.DataFrame, *, level: float = OWN_LEVEL) -> FloatArray:
    """Own intervals of effects, (k, 2): those on file at their level, else computed."""
    if level == OWN_LEVEL:
        return effects[["ci_low", "ci_high"]].to_numpy(dtype=float)
    rows = zip(*(effects[name] for name in ("yi", "vi", "df")), strict=True)
    limits = [
        own_interval(float(y), math.sqrt(v), float(df), NOT_PRINTED, level=level)
        for y, v, df in rows
    ]
    return np.array(limits).reshape(-1, 2)


def as_saved(effects: pd.DataFrame) -> pd.DataFrame:
    """Round effects as they are saved.

    Pools computed here and pools computed by a reader, or by R, from effects.csv are then the
    same to the last digit.
    """
    numbers = effects.select_dtypes("float").map(six_digits)
    return effects.assign(**{str(name): numbers[name] for name in numbers.columns})


def used_rows(effects: pd.DataFrame) -> set[str]:
    """Addresses (table:row_id) of the raw rows that stand behind the effects."""
    if effects.empty:
        return set()
    return {name for rows in effects["rows"] for name in rows.split(" ")}


def check_accounting(
    evidence: Evidence, effects: pd.DataFrame, left_out: pd.DataFrame
) -> tuple[int, int]:
    """Hold that used and left-out rows are all the value rows there are."""
    rows = {
        f"{table}:{row_id}"
        for table in VALUE_TABLES
        for row_id in evidence.tables[table]["row_id"]
    }
    used = used_rows(effects)
    left = set(map(":".join, zip(left_out["table"], left_out["row_id"], strict=True)))
    if used & left or used | left != rows or len(left) != len(left_out):
        message = (
            f"rows do not add up: {len(rows)} on file, {len(used)} used, {len(left)} left out, "
            f"both: {sorted(used & left)[:5]}, neither: {sorted(rows - used - left)[:5]}"
        )
        raise AccountingError(message)
    return len(used), len(left)


def trials_of(context: Context) -> dict[str, str]:
    """The trial of each study: studies with (possibly) the same people are one trial."""
    trials = {study_id: study_id for study_id in context.studies}
    for study_id, study in context.studies.items():
        other = study["overlaps_with"]
        if other in trials:
            joined = {trials[study_id], trials[other]}
            trials = {s: min(joined) if t in joined else t for s, t in trials.items()}
    return trials


def _record(
    context: Context, found: Candidate, trials: dict[str, str], risk: dict[str, str]
) -> dict[str, Any]:
    lead = found.lead
    study, outcome = context.studies[lead["study_id"]], context.outcomes[lead["outcome_id"]]
    control = context.arms.get(found.arm_2)
    rows = [context.rows[address] for address in found.rows]
    tiers = context.protocol.selection.read_from
    se = math.sqrt(found.vi)
    low, high = own_interval(found.yi, se, found.df, found.printed, level=OWN_LEVEL)
    data_1, what = _arm_data(context, found, found.arm_1, 0)
    data_2 = _arm_data(context, found, found.arm_2, 2)[0] if control else "NA"
    return {
        "effect_id": "",
        **cells(study, "indication_id", "study_id"),
        "study_label": study["label"],
        "trial_id": trials[study["study_id"]],
        "year": number(study["year"]),
        "kind": found.kind,
        **cells(outcome, "construct", "construct_label", "outcome_id", "instrument", "domain"),
        "benefit_sign": number(outcome["benefit_sign"]),
        "direction": lead.get("direction", NOT_STATED),
        "arm": context.arms[found.arm_1]["label"],
        "comparator_class": _comparator_class(study, control),
        "comparator": control["label"] if control else "none",
        "timepoint_weeks": number(lead["timepoint_weeks"]),
        "analysis_set": lead["analysis_set"],
        "design": study["design"],
        "eligible_for": context.eligible_for(study),
        "is_randomised": bool(study["is_randomised"]),
        "blinding": study["blinding"],
        "overall_bias": risk.get(study["study_id"], ""),
        "dose_low_mg": number(study["dose_low_mg_per_day"]),
        "dose_high_mg": number(study["dose_high_mg_per_day"]),
        "is_paired": found.is_paired,
        "measure": found.measure,
        "unit": found.unit,
        "has_known_scale": found.has_known_scale,
        "yi": found.yi,
        "vi": found.vi,
        "sei": se,
        "df": found.df,
        "ci_low": low,
        "ci_high": high,
        "ci_from": _interval_from(found),
        "n_1": found.n_1,
        "n_2": found.n_2,
        "events_1": found.events[0],
        "events_2": found.events[2],
        "arm_1_data": data_1,
        "arm_2_data": data_2,
        "arm_data_is": what,
        "estimand": found.estimand,
        "route": found.route,
        "route_rank": ROUTES.index(found.route) + 1,
        "is_approximate": found.approximate,
        # The kind of text furthest from the paper.
        "read_from": max((row["read_from"] for row in rows), key=tiers.index),
        "is_transcribed": any(row["read_from"] == TRANSCRIBED for row in rows),
        "is_preferred": all(row["preferred"] for row in rows),
        "assumptions": "; ".join(words for words in found.assumptions if words) or "none",
        "notes": "; ".join(dict.fromkeys(row["note"] for row in rows if row["note"])) or "none",
        "rows": " ".join(found.rows),
        **cells(lead, "reported_in", "read_in", "locator", "as_reported"),
    } | (
        {"unit_before": found.unit_before, "sd": found.sd, NOT_TOLD: found.not_told}
        if context.protocol.measures
        else {}
    )


def _interval_from(found: Candidate) -> str:
    """Where the trial's own interval comes from, in words."""
    if found.printed[-1] == OWN_LEVEL:
        return "as printed"
    return "normal" if math.isnan(found.df) else f"t on {found.df:g} df"


def _comparator_class(study: Study, control: Arm | None) -> str:
    if control is None:
        return "none"
    return study["comparator_class"] if control["group"] == COMPARATOR else FURTHER_ARM


def _arm_data(context: Context, found: Candidate, arm_id: str, place: int) -> tuple[str, str]:
    """Numbers of one arm that the effect is made of, and what they are.

    Of the kind of the effect, where the arms print it; its own rows go first.
    """
    events, n = found.events[place], found.events[place + 1]
    if not math.isnan(events):
        return (f"{events:g}/{n:g}" if not math.isnan(n) else f"{events:g} events"), "events"
    rows = [
        row
        for row in context.stats_of_arm.get(arm_id, ())
        if row["outcome_id"] == found.lead["outcome_id"]
        and row["mean"] is not None
        and (
            row["address"] in found.rows
            or number(row["timepoint_weeks"]) == number(found.lead["timepoint_weeks"])
        )
    ]
    kinds = ("change", "end", "percent change")
    worked_out = _worked_out(context, found, rows)
    if worked_out is not None:
        return worked_out
    for what in sorted(kinds, key=lambda kind: ESTIMAND_OF[kind] != found.estimand):
        of_kind = [row for row in rows if row["statistic_of"] == what]
        if of_kind:
            row = max(of_kind, key=lambda row: (row["address"] in found.rows, row["preferred"]))
            mean = context.printed["mean"][row["row_id"]]
            text = f"{mean}%" if what == "percent change" else mean
            return (text if row["sd"] is None else f"{text} ({row['sd']:g})"), what
    return "NR", "none"


def _worked_out(
    context: Context, found: Candidate, rows: Sequence[ArmStat]
) -> tuple[str, str] | None:
    """An arm's change from its end value and start, or its end value from change and start."""
    own = {row["statistic_of"]: row for row in rows if row["address"] in found.rows}
    start = own.pop("baseline", None)
    other = next(iter(own.values()), None)
    if start is None or other is None or ESTIMAND_OF[other["statistic_of"]] == found.estimand:
        return None
    printed = [context.printed["mean"][row["row_id"]] for row in (start, other)]
    digits = max(len(text.partition(".")[2]) for text in printed)
    is_end = other["statistic_of"] == "end"
    value = number(other["mean"]) + (-1 if is_end else 1) * number(start["mean"])
    return f"{value:.{digits}f}", "change" if is_end else "end"


def _with_ids(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stable, readable keys; rows sorted by key."""

    def stem(row: dict[str, Any]) -> str:
        week = row["timepoint_weeks"]
        time = "wnr" if math.isnan(week) else f"w{week:g}"
        return f"{row['study_id']}-{row['outcome_id']}-{time}-{row['measure'].lower()}"

    counts: Counter[str] = Counter()
    found = []
    for row in sorted(records, key=lambda row: (stem(row), row["route_rank"], row["rows"])):
        name = stem(row)
        counts[name] += 1
        found.append({**row, "effect_id": f"{name}-{counts[name]}"})
    return found


def _left_out(context: Context, trials: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    used = {address for found in context.found for address in found.rows}
    rows = []
    for address, left in context.why_not.items():
        if address in used:
            continue
        row = left.row
        study, outcome = context.studies[row["study_id"]], context.outcomes[row["outcome_id"]]
        is_direct = "arm_1" in row
        # What a row of contrasts.csv is set against; other rows compare nothing by themselves.
        control = context.arms.get(row["arm_2"] or "") if "arm_1" in row else None
        rows.append(
            (
                address.partition(":")[0],
                row["row_id"],
                study["indication_id"],
                row["study_id"],
                study["label"],
                row["outcome_id"],
                outcome["construct"],
                left.kind,
                left.reason,
                left.usable_for,
                words_of(row) if "arm_1" in row else NOT_STATED,
                left.kind == CONTRAST and is_direct,
                _comparator_class(study, control),
                row["preferred"],
                trials[row["study_id"]],
                number(row["n_1"] if "arm_1" in row else row["n"]),
            )
        )
    rows.sort(key=lambda row: row[:2])
    return pd.DataFrame(rows, columns=list(LEFT_OUT_COLUMNS))
