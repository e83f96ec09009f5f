"""From raw rows to effects: every row becomes part of an effect or is left out with a reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import LdnMetaError
from ldn_meta.evidence.effects.routes import ESTIMAND_OF, arm_routes, contrast_routes, event_routes
from ldn_meta.evidence.effects.rows import (
    COMPARATOR,
    CONTRAST,
    FURTHER_ARM,
    NOT_PRINTED,
    NOT_STATED,
    ROUTES,
    TRANSCRIBED,
    Arm,
    ArmStat,
    Candidate,
    Context,
    Study,
    cells,
    number,
    select,
)
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.files import six_digits
from ldn_meta.stats.convert import ci_from_se

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
    trials = trials_of(context)
    records = [_record(context, found, trials) for found in context.found]
    effects = pd.DataFrame(_with_ids(records))
    left_out = _left_out(context, trials)
    check_accounting(evidence, effects, left_out)
    return effects, left_out


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


def _record(context: Context, found: Candidate, trials: dict[str, str]) -> dict[str, Any]:
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
        **cells(study, "design", "eligible_for"),
        "is_randomised": bool(study["is_randomised"]),
        "blinding": study["blinding"],
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
    }


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
        for row in context.arm_stats
        if row["arm_id"] == arm_id
        and row["outcome_id"] == found.lead["outcome_id"]
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
                row.get("direction", NOT_STATED),
                left.kind == CONTRAST and is_direct,
                _comparator_class(study, control),
                row["preferred"],
                trials[row["study_id"]],
                number(row["n_1"] if "arm_1" in row else row["n"]),
            )
        )
    rows.sort(key=lambda row: row[:2])
    return pd.DataFrame(rows, columns=list(LEFT_OUT_COLUMNS))
