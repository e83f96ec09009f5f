"""Which of its candidate effects a trial brings to a pool, and why the others stay out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.candidates import CONTRAST

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Selection

# One estimate per trial within each of these groups.
POOL = ["indication_id", "construct", "comparator_class", "measure", "unit"]
TRIAL = [*POOL, "trial_id"]
# Comparator class of whatever a trial compares LDN with beside its comparator.
FURTHER_ARM = "further arm"
MASKED = ("double-blind",)
# Rules that rank the open effects of a trial, and the words for having lost by one.
RANKS = {
    "set_order": "an analysis set that comes first",
    "time_order": "a time nearer to the target",
    "tier_order": "a text closer to the paper",
    "preferred_order": "the preferred source of the same fact",
    "route_order": "a more direct route",
}
CHOSEN = "first choice of this trial by analysis set, text, time and route"


def select(effects: pd.DataFrame, selection: Selection) -> tuple[pd.Series, pd.Series]:
    """Choose one effect per trial and pool, by stated rules only.

    Rules bar effects one by one; of those that no rule bars, a trial brings the first by
    analysis set, nearness to the target time, kind of text, preferred source and route, in
    this order. Effects that are equal by all of them go by name.

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
    order = precedence(effects, selection)
    for _, rivals in _ranked(effects[why == ""], order).groupby(TRIAL, sort=False):
        winner = rivals.iloc[0]
        why.loc[rivals.index[0]] = CHOSEN
        for index in rivals.index[1:]:
            why.loc[index] = _reason(order.loc[index], winner)
    return why == CHOSEN, why


def choose(effects: pd.DataFrame, selection: Selection) -> pd.Series:
    """Which effects ``select`` chooses, without the reasons, which take most of its time."""
    order = precedence(effects, selection)
    ranked = _ranked(effects[_barred(effects, selection) == ""], order)
    chosen: pd.Series = effects.index.to_series().isin(ranked.drop_duplicates(TRIAL).index)
    return chosen


def _ranked(open_ones: pd.DataFrame, order: pd.DataFrame) -> pd.DataFrame:
    """Effects that no rule bars, first choices first."""
    with_order = open_ones[[*TRIAL, "effect_id"]].join(order)
    return with_order.sort_values([*RANKS, "effect_id"], kind="stable")


def mark_selected(effects: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Add ``is_selected`` and ``selected_why`` for the main analysis."""
    chosen, why = select(effects, selection)
    return effects.assign(is_selected=chosen, selected_why=why)


class Rule(NamedTuple):
    """Why an effect may be barred from its pool, and the choice of a Selection that lifts it."""

    reason: str
    applies: pd.Series
    lifted_by: str | None = None


def rules(effects: pd.DataFrame) -> list[Rule]:
    """Every rule that bars effects, first come first served, but for the window of time.

    Parameters
    ----------
    effects : pandas.DataFrame
        Candidate effects (``normalise``).

    Returns
    -------
    list of Rule
        ``applies`` is of shape (effects,).
    """
    nobody = (effects["events_1"] == 0) & (effects["events_2"] == 0)
    everybody = (effects["events_1"] == effects["n_1"]) & (effects["events_2"] == effects["n_2"])
    is_further = effects["comparator_class"] == FURTHER_ARM
    is_open = ~effects["blinding"].isin(MASKED)
    return [
        Rule("no comparison group: listed beside, never pooled", effects["kind"] != CONTRAST),
        Rule("its study is listed beside, never pooled", effects["eligible_for"] != "contrast"),
        Rule("compared with a further arm, not with the comparator of the question", is_further),
        Rule(
            "not randomised",
            ~effects["is_randomised"].astype(bool),
            lifted_by="allow_non_randomised",
        ),
        Rule("not double-blind", is_open, lifted_by="allow_single_blind"),
        Rule("no event in either arm: says nothing about a ratio", nobody),
        Rule("everybody has the event in both arms: says nothing about a ratio", everybody),
        Rule(
            "rests on an approximation",
            effects["is_approximate"].astype(bool),
            lifted_by="allow_approximate",
        ),
        Rule(
            "rests on a transcribed value",
            effects["is_transcribed"].astype(bool),
            lifted_by="allow_transcribed",
        ),
    ]


def outside_window(effects: pd.DataFrame, selection: Selection) -> pd.Series:
    """Whether an effect on benefit was measured too early or too late."""
    week = effects["timepoint_weeks"]
    outside = (week < selection.earliest_weeks) | (week > selection.latest_weeks)
    return outside & effects["domain"].isin(["benefit", "responder"])


def _barred(effects: pd.DataFrame, selection: Selection) -> pd.Series:
    """The first rule that bars each effect; empty when none does."""
    import pandas as pd

    window = f"measured outside weeks {selection.earliest_weeks:g} to {selection.latest_weeks:g}"
    why = pd.Series("", index=effects.index, dtype="str")
    for rule in [*rules(effects), Rule(window, outside_window(effects, selection))]:
        if rule.lifted_by is None or not getattr(selection, rule.lifted_by):
            why = why.mask((why == "") & rule.applies.astype(bool), rule.reason)
    return why


def precedence(effects: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Ranks of results by each rule in order of precedence (RANKS); smaller goes first."""
    import pandas as pd

    sets = {name: rank for rank, name in enumerate(selection.analysis_sets)}
    tiers = {name: rank for rank, name in enumerate(selection.read_from)}
    # An unknown time is further from the target than any known one.
    distance = (effects["timepoint_weeks"] - selection.target_weeks).abs().fillna(float("inf"))
    ranks = (
        effects["analysis_set"].map(sets).fillna(len(sets)),
        distance.round(0),
        effects["read_from"].map(tiers).fillna(len(tiers)),
        1 - effects["is_preferred"].astype(int),
        effects["route_rank"].astype(int),
    )
    return pd.DataFrame(dict(zip(RANKS, ranks, strict=True)), index=effects.index)


def _reason(here: pd.Series, winner: pd.Series) -> str:
    """The first rule by which the winner came before this one."""
    for name, words in RANKS.items():
        if here[name] != winner[name]:
            return f"{winner['effect_id']} has {words}"
    return f"{winner['effect_id']} is the same by every rule and comes first by name"
