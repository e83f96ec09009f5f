"""From raw rows to effects: every row becomes part of an effect or is left out with a reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import LdnMetaError
from ldn_meta.evidence.candidates import ROUTES, Candidate, Context, number
from ldn_meta.evidence.load import VALUE_TABLES
from ldn_meta.evidence.routes_arms import arm_routes
from ldn_meta.evidence.routes_contrasts import contrast_routes
from ldn_meta.evidence.routes_events import event_routes
from ldn_meta.evidence.selection import mark_selected

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

# Two-sided 97.5% normal quantile: the intervals of single trials in tables and figures.
NORMAL_95 = 1.959963984540054
MAIN_COMPARATOR = 2
FURTHER_ARM = "further arm"
LEFT_OUT_COLUMNS = ["table", "row_id", "indication_id", "study_id", "study_label", "outcome_id",
                    "construct", "reason", "usable_for", "direction", "compares", "is_preferred"]


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
        One row an effect: ``yi``, ``vi`` (group 1, LDN, minus group 2, in the direction of
        the scale), route, assumptions, the rows it was computed from, whether it is the one
        its trial brings to the main pool, and why.
    left_out : pandas.DataFrame
        One row for every value row that is in no effect, with the reason and what it can
        still be used for (direction, p-value, none).

    Raises
    ------
    AccountingError
        If used and left-out rows do not add up to the rows on file.
    """
    import pandas as pd

    context = Context(evidence, protocol)
    contrast_routes(context)
    event_routes(context)
    arm_routes(context)
    effects = pd.DataFrame([_record(context, found) for found in context.found])
    effects = _with_ids(effects)
    effects = mark_selected(effects, protocol.selection)
    used = {name for found in context.found for name in found.rows}
    left_out = _left_out(context, used)
    check_accounting(evidence, effects, left_out)
    return effects, left_out


def used_rows(effects: pd.DataFrame) -> set[str]:
    """Addresses (table:row_id) of the raw rows that stand behind the effects."""
    return {name for rows in effects["rows"] for name in rows.split(" ")}


def check_accounting(
    evidence: Evidence, effects: pd.DataFrame, left_out: pd.DataFrame
) -> tuple[int, int]:
    """Hold that used and left-out rows are all the value rows there are.

    Returns
    -------
    used, left : int
        Number of raw rows behind effects, and of rows left out.

    Raises
    ------
    AccountingError
    """
    rows = {
        f"{table}:{row_id}"
        for table in VALUE_TABLES
        for row_id in evidence.tables[table]["row_id"]
    }
    used = used_rows(effects)
    left = set(left_out["table"] + ":" + left_out["row_id"])
    if used & left or used | left != rows or len(left) != len(left_out):
        message = (
            f"rows do not add up: {len(rows)} on file, {len(used)} used, {len(left)} left out, "
            f"both: {sorted(used & left)[:5]}, neither: {sorted(rows - used - left)[:5]}"
        )
        raise AccountingError(message)
    return len(used), len(left)


def _record(context: Context, found: Candidate) -> dict[str, Any]:
    study, outcome = context.studies[found.study_id], context.outcomes[found.outcome_id]
    control = context.arms.get(found.arm_2)
    ranks = {name: rank for rank, name in enumerate(context.protocol.selection.read_from)}
    tier = _least_trusted(context, found, ranks)
    se = math.sqrt(found.vi)
    data_1, what = _arm_data(context, found, found.arm_1, 0)
    data_2 = _arm_data(context, found, found.arm_2, 2)[0] if control else "NA"
    return {
        "effect_id": "",
        "indication_id": study["indication_id"],
        "study_id": found.study_id,
        "study_label": study["label"],
        "year": study["year"],
        "kind": found.kind,
        "construct": outcome["construct"],
        "construct_label": outcome["construct_label"],
        "outcome_id": found.outcome_id,
        "instrument": outcome["instrument"],
        "domain": outcome["domain"],
        "benefit_sign": outcome["benefit_sign"],
        "direction": str(found.lead.get("direction") or "not stated"),
        "comparator_class": _comparator_class(study, control),
        "comparator": control["label"] if control else "none",
        "timepoint_weeks": found.timepoint_weeks,
        "analysis_set": found.analysis_set,
        "design": study["design"],
        "is_randomised": bool(study["is_randomised"]),
        "blinding": study["blinding"],
        "is_paired": found.is_paired,
        "measure": found.measure,
        "unit": found.unit,
        "yi": found.yi,
        "vi": found.vi,
        "sei": se,
        "ci_low": found.yi - NORMAL_95 * se,
        "ci_high": found.yi + NORMAL_95 * se,
        "n_1": found.n_1,
        "n_2": found.n_2,
        "events_1": found.events[0],
        "events_2": found.events[2],
        "arm_1_data": data_1,
        "arm_2_data": data_2,
        "arm_data_is": what,
        "route": found.route,
        "route_rank": ROUTES.index(found.route) + 1,
        "is_approximate": found.approximate,
        "read_from": tier,
        "is_transcribed": found.uses_transcribed,
        "is_preferred": bool(found.lead["preferred"]),
        "assumptions": found.assumptions or "none",
        "rows": " ".join(found.rows),
        "source_id": found.lead["source_id"],
        "locator": found.lead["locator"],
        "as_reported": found.lead["as_reported"],
    }


def _comparator_class(study: dict[str, Any], control: dict[str, Any] | None) -> str:
    if control is None:
        return "none"
    return str(study["comparator_class"]) if control["group"] == MAIN_COMPARATOR else FURTHER_ARM


def _least_trusted(context: Context, found: Candidate, ranks: dict[str, int]) -> str:
    tiers = []
    for name in found.rows:
        table, _, row_id = name.partition(":")
        frame = context.evidence.tables[table]
        tiers.append(frame.loc[frame["row_id"] == row_id, "read_from"].iloc[0])
    return str(max(tiers, key=lambda tier: ranks.get(tier, len(ranks))))


def _arm_data(context: Context, found: Candidate, arm_id: str, place: int) -> tuple[str, str]:
    """Numbers of one arm as readers of a forest plot expect them, and what they are."""
    events, n = found.events[place], found.events[place + 1]
    if not math.isnan(events):
        return (f"{events:g}/{n:g}" if not math.isnan(n) else f"{events:g} events"), "events"
    stats = context.evidence.arm_stats
    own = {name.partition(":")[2] for name in found.rows if name.startswith("arm_stats:")}
    rows = stats[
        (stats["arm_id"] == arm_id)
        & (stats["outcome_id"] == found.outcome_id)
        & (stats["row_id"].isin(own) | (stats["timepoint_weeks"] == found.timepoint_weeks))
        & stats["mean"].notna()
    ]
    for what in ("change", "end", "percent change"):
        of_kind = rows[rows["statistic_of"] == what].sort_values("preferred", ascending=False)
        if len(of_kind):
            row = of_kind.iloc[0]
            mean = context.evidence.text["arm_stats"].loc[of_kind.index[0], "mean"]
            spread = number(None if row["sd"] != row["sd"] else row["sd"])
            text = f"{mean}%" if what == "percent change" else str(mean)
            return (text if math.isnan(spread) else f"{text} ({spread:g})"), what
    return "NR", "none"


def _with_ids(effects: pd.DataFrame) -> pd.DataFrame:
    """Stable, readable keys; rows sorted by key."""
    week = effects["timepoint_weeks"].map(lambda w: "w" + (f"{w:g}" if w == w else "nr"))  # noqa: PLR0124
    stem = (
        effects["study_id"] + "-" + effects["outcome_id"] + "-" + week + "-"
        + effects["measure"].str.lower()
    )
    effects = effects.assign(effect_id=stem).sort_values(
        ["effect_id", "route_rank", "rows"], kind="stable"
    )
    count = effects.groupby("effect_id").cumcount() + 1
    effects["effect_id"] = effects["effect_id"] + "-" + count.astype("str")
    return effects.reset_index(drop=True)


def _left_out(context: Context, used: set[str]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for (table, row_id), found in context.why_not.items():
        if f"{table}:{row_id}" in used:
            continue
        study, outcome = context.studies[found.study_id], context.outcomes[found.outcome_id]
        rows.append([table, row_id, study["indication_id"], found.study_id, study["label"],
                     found.outcome_id, outcome["construct"], found.reason, found.usable_for,
                     found.direction, found.compares, found.is_preferred])
    frame = pd.DataFrame(rows, columns=LEFT_OUT_COLUMNS)
    return frame.sort_values(["table", "row_id"], kind="stable").reset_index(drop=True)
