"""One direction and one p for each comparative study and outcome: what needs no effect size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.bias import overall_judgements
from ldn_meta.evidence.candidates import Context, number
from ldn_meta.evidence.normalise import trials_of
from ldn_meta.evidence.printed_p import p_of
from ldn_meta.evidence.selection import RANKS, precedence
from ldn_meta.evidence.sides import (
    EFFECT,
    NOT_STATED,
    NUMBERS,
    ONE_ARM_ONLY,
    WORDS,
    Side,
    sides,
)
from ldn_meta.evidence.synthesis import one_word

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol

OTHER = "other"
OPPOSITE = "arms of the drug point to different sides"
# Results of several arms of the drug that agree in these are one result of their study: choosing
# among the arms would be choosing among results.
OF_ONE_RESULT = ("is_unknown", "outcome_id", "set_order", "time_order")
KNOWN_BY = {EFFECT: "computed effect", NUMBERS: "printed numbers", WORDS: "words alone"}
NOT_KNOWN = "not known"
COLUMNS = (
    "indication_id",
    "study_id",
    "study_label",
    "year",
    "design",
    "eligible_for",
    "is_randomised",
    "comparator_class",
    "construct",
    "construct_label",
    "domain",
    "group",
    "direction",
    "sign",
    "sign_from",
    "p_low",
    "p_high",
    "p_printed",
    "n_people",
    "is_paired",
    "overall_bias",
    "source_id",
    "locator",
    "rows",
    "trial_id",
    "blinding",
    "outcome_id",
    "known_by",
    "arms",
    "timepoint_weeks",
    "analysis_set",
    "read_from",
    "printed",
)


def directions(evidence: Evidence, protocol: Protocol, effects: pd.DataFrame) -> pd.DataFrame:
    """Say which side each study's result lies on, and what is known of its p.

    Of several results of one study and construct the row is the first by: a side that is known;
    a computed effect, then printed numbers, then words; the protocol's order of analysis sets,
    nearness to the target time, kind of text, preferred source, directness; name. Results of
    several arms of the drug, of the same outcome, time and people, are one row with the side they
    share, or none where they do not. Only comparisons with the study's own comparator count, and
    only comparative studies.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol
    effects : pandas.DataFrame
        Effects of ``normalise``.

    Returns
    -------
    pandas.DataFrame
        COLUMNS; one row a study and construct, by indication, outcome group, construct and year.
        ``sign`` is that of the point estimate (1 towards LDN, 0 exactly none, NaN not known) and
        never of a test; ``direction`` is what the reports say in words. Constructs of an outcome
        group that a study tells of in one arm only are listed without a direction.
    """
    import pandas as pd

    context = Context(evidence, protocol)
    groups = group_of_constructs(protocol)
    found = pd.DataFrame(
        [_keys(context, side) | {"side": side} for side in sides(context, effects)]
    )
    rows = []
    if len(found):
        ranks = precedence(found, protocol.selection)
        order = ["is_unknown", "tier", *RANKS]
        found = found.join(ranks).sort_values([*order, "name"], kind="stable")
        for (_, construct), told in found.groupby(["study_id", "construct"], sort=False):
            first = told.iloc[0]
            if first["tier"] == ONE_ARM_ONLY and construct not in groups:
                continue
            arms = told.drop_duplicates("arm_1")
            beside = arms[(arms[list(OF_ONE_RESULT)] == first[list(OF_ONE_RESULT)]).all(axis=1)]
            rows.append(_row(context, groups, list(beside["side"]), told["side"]))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    judged = overall_judgements(evidence)
    frame["overall_bias"] = [judged.get(study_id, "") for study_id in frame["study_id"]]
    place = {name: rank for rank, name in enumerate([*protocol.outcome_groups, OTHER])}
    rank_of = {name: rank for rank, name in enumerate(groups)}
    return frame.sort_values(
        ["indication_id", "group", "construct", "year", "study_id"],
        kind="stable",
        ignore_index=True,
        key=lambda c: (
            c.map(place)
            if c.name == "group"
            else c.map(lambda name: f"{rank_of.get(name, len(rank_of)):04d}{name}")
            if c.name == "construct"
            else c
        ),
    )


def group_of_constructs(protocol: Protocol) -> dict[str, str]:
    """Outcome group of each construct, in the order of the protocol."""
    return {
        construct: group
        for group, constructs in protocol.outcome_groups.items()
        for construct in constructs
    }


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame read from a file the values it was made with.

    An absent judgement is "", and whether a study was randomised may be None: not reported.
    """
    randomised = frame["is_randomised"].astype("object")
    return frame.assign(
        overall_bias=frame["overall_bias"].astype("object").fillna(""),
        is_randomised=randomised.where(randomised.notna(), None),
    )


def _keys(context: Context, side: Side) -> dict[str, Any]:
    """What results of one study and construct are ranked by."""
    lead = side.lead
    return {
        "study_id": lead["study_id"],
        "construct": context.outcomes[lead["outcome_id"]]["construct"],
        "outcome_id": lead["outcome_id"],
        "arm_1": side.arm_1,
        "is_unknown": math.isnan(side.sign),
        "tier": side.tier,
        "analysis_set": lead["analysis_set"],
        "timepoint_weeks": number(lead["timepoint_weeks"]),
        "read_from": lead["read_from"],
        "is_preferred": bool(lead["preferred"]),
        "route_rank": side.route_rank,
        "name": " ".join(side.rows),
    }


def _row(
    context: Context, groups: dict[str, str], chosen: list[Side], told: Iterable[Side]
) -> dict[str, Any]:
    first = chosen[0]
    lead = first.lead
    study, outcome = context.studies[lead["study_id"]], context.outcomes[lead["outcome_id"]]
    signs = {side.sign for side in chosen if not math.isnan(side.sign)}
    is_one = len(signs) <= 1
    known = [p for p in (p_of(context, side) for side in chosen) if not math.isnan(p.low)]
    rows = [*(name for s in chosen for name in s.rows), *(name for p in known for name in p.rows)]
    printed = [side.printed for side in chosen]
    printed += [str(context.rows[name]["as_reported"]) for p in known for name in p.rows]
    return {
        "indication_id": study["indication_id"],
        "study_id": lead["study_id"],
        "study_label": study["label"],
        "year": number(study["year"]),
        "design": study["design"],
        "eligible_for": study["eligible_for"],
        # True, False, or None where the report does not say.
        "is_randomised": study["is_randomised"],
        "comparator_class": study["comparator_class"],
        "construct": outcome["construct"],
        "construct_label": outcome["construct_label"],
        "domain": outcome["domain"],
        "group": groups.get(outcome["construct"], OTHER),
        "direction": one_word(_words(told)),
        "sign": next(iter(signs), math.nan) if is_one else math.nan,
        "sign_from": first.known_from if is_one else OPPOSITE,
        # Of several arms the p of any may be meant: from the lowest end to the highest.
        "p_low": min((p.low for p in known), default=math.nan),
        "p_high": max((p.high for p in known), default=math.nan),
        "p_printed": "; ".join(dict.fromkeys(p.text for p in known)) or "NR",
        "n_people": _people(context, chosen),
        "is_paired": _is_paired(context, first),
        "source_id": lead["source_id"],
        "locator": lead["locator"],
        "rows": " ".join(dict.fromkeys(rows)),
        "trial_id": trials_of(context)[lead["study_id"]],
        "blinding": study["blinding"],
        "outcome_id": lead["outcome_id"],
        "known_by": KNOWN_BY[first.tier] if signs and is_one else NOT_KNOWN,
        "arms": "; ".join(context.arms[side.arm_1]["label"] for side in chosen),
        "timepoint_weeks": number(lead["timepoint_weeks"]),
        "analysis_set": lead["analysis_set"],
        "read_from": lead["read_from"],
        "printed": "; ".join(dict.fromkeys(text for text in printed if text)) or "NR",
    }


def _words(told: Iterable[Side]) -> list[str]:
    """Directions that comparisons state; a change within one arm states none."""
    return [side.lead.get("direction") or NOT_STATED for side in told if side.arm_2]


def _is_paired(context: Context, side: Side) -> bool:
    """Whether the same people stand in both arms; a change within one arm pairs none."""
    by_row = bool(side.lead.get("is_paired")) and side.arm_2 != ""
    return by_row or context.has_same_people(side.lead)


def _people(context: Context, chosen: list[Side]) -> float:
    """People behind a comparison, pairs once; NaN where no table says how many.

    By the result's own numbers, else those analysed, else those randomised, arm by arm. A
    percentage printed without its denominator has no people.
    """
    lead = chosen[0].lead
    if _is_paired(context, chosen[0]):
        study = context.studies[lead["study_id"]]
        return _first_known(
            *(side.effect["n_1"] for side in chosen if side.effect is not None),
            lead.get("n_1") or lead.get("n"),
            study["n_analysed"],
            study["n_randomised"],
        )
    if chosen[0].effect is None and _is_share_of_unknown(lead):
        return math.nan
    arms = {side.arm_1: _own(side, 1) for side in chosen}
    if chosen[0].arm_2:
        arms[chosen[0].arm_2] = _own(chosen[0], 2)
    return sum(
        _first_known(*own, context.arms[arm]["n_analysed"], context.arms[arm]["n_randomised"])
        for arm, own in arms.items()
    )


def _is_share_of_unknown(lead: dict[str, Any]) -> bool:
    """Whether a percentage is printed without the people it is of: no size may be lent to it."""
    return math.isnan(number(lead.get("n"))) and not math.isnan(number(lead.get("percent")))


def _own(side: Side, place: int) -> list[Any]:
    """People in an arm by the result itself."""
    of_effect = [] if side.effect is None else [side.effect[f"n_{place}"]]
    return [*of_effect, side.lead.get(f"n_{place}")]


def _first_known(*values: Any) -> float:
    return next((n for n in map(number, values) if not math.isnan(n)), math.nan)
