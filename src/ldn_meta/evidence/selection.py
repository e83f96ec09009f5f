"""Which of its candidate effects a trial brings to a pool, and why the others stay out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.evidence.candidates import CONTRAST

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Selection

# One estimate per trial within each of these groups.
POOL = ["indication_id", "construct", "comparator_class", "measure", "unit"]
MASKED = ("double-blind",)


def select(effects: pd.DataFrame, selection: Selection) -> tuple[pd.Series, pd.Series]:
    """Choose one effect per trial and pool, by stated rules only.

    Parameters
    ----------
    effects : pandas.DataFrame
        All candidate effects (``normalise``).
    selection : Selection
        Rules; never looks at ``yi``.

    Returns
    -------
    chosen : pandas.Series of bool
        Whether the effect enters its pool.
    why : pandas.Series of str
        The rule that let it in or kept it out.
    """
    why = _barred(effects, selection)
    open_ = why == ""
    order = _order(effects, selection)[open_]
    ranked = effects[open_].assign(**order).sort_values(
        [*order.columns, "effect_id"], kind="stable"
    )
    first = ranked.groupby([*POOL, "study_id"], sort=False).head(1).index
    chosen = effects.index.isin(first)
    why = why.mask(open_ & ~chosen, "")
    why = why.mask(chosen, "first choice of this trial by analysis set, text, time and route")
    for index in effects.index[open_ & ~chosen]:
        same = ranked.loc[first]
        winner = same[(same[[*POOL, "study_id"]] == effects.loc[index, [*POOL, "study_id"]])
                      .all(axis=1)].iloc[0]
        why[index] = _reason(order.loc[index], order.loc[winner.name], winner["effect_id"])
    import pandas as pd

    return pd.Series(chosen, index=effects.index), why


def mark_selected(effects: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Add ``is_selected`` and ``selected_why`` for the main analysis."""
    chosen, why = select(effects, selection)
    return effects.assign(is_selected=chosen, selected_why=why)


def _barred(effects: pd.DataFrame, selection: Selection) -> pd.Series:
    """The first rule that bars each effect; empty when none does."""
    import pandas as pd

    week = effects["timepoint_weeks"]
    outside = (week < selection.earliest_weeks) | (week > selection.latest_weeks)
    efficacy = effects["domain"].isin(["benefit", "responder"])
    bars = {
        "no comparison group: listed beside, never pooled": effects["kind"] != CONTRAST,
        "not randomised": ~effects["is_randomised"].astype(bool)
        & (not selection.allow_non_randomised),
        "not double-blind": ~effects["blinding"].isin(MASKED)
        & (not selection.allow_single_blind),
        "no event in either arm: says nothing about a ratio": (effects["events_1"] == 0)
        & (effects["events_2"] == 0),
        "rests on an approximation": effects["is_approximate"].astype(bool)
        & (not selection.allow_approximate),
        "rests on a transcribed value": effects["is_transcribed"].astype(bool)
        & (not selection.allow_transcribed),
        f"measured outside weeks {selection.earliest_weeks:g} to {selection.latest_weeks:g}":
            outside & efficacy,
    }
    why = pd.Series("", index=effects.index, dtype="str")
    for reason, applies in bars.items():
        why = why.mask((why == "") & applies.astype(bool), reason)
    return why


def _order(effects: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Ranks in order of precedence; smaller goes first."""
    import pandas as pd

    sets = {name: rank for rank, name in enumerate(selection.analysis_sets)}
    tiers = {name: rank for rank, name in enumerate(selection.read_from)}
    distance = (effects["timepoint_weeks"] - selection.target_weeks).abs().fillna(1e6)
    return pd.DataFrame(
        {
            "set_order": effects["analysis_set"].map(sets).fillna(len(sets)).astype(int),
            "time_order": distance.round(0),
            "tier_order": effects["read_from"].map(tiers).fillna(len(tiers)).astype(int),
            "preferred_order": 1 - effects["is_preferred"].astype(int),
            "route_order": effects["route_rank"].astype(int),
        },
        index=effects.index,
    )


def _reason(here: pd.Series, there: pd.Series, winner: str) -> str:
    words = {
        "set_order": "an analysis set that comes first",
        "time_order": "a time nearer to the target",
        "tier_order": "a text closer to the paper",
        "preferred_order": "the preferred source of the same fact",
        "route_order": "a more direct route",
    }
    for name, word in words.items():
        if here[name] != there[name]:
            return f"{winner} has {word}"
    return f"{winner} is the same by every rule and comes first by name"
