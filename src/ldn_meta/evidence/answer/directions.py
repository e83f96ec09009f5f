"""One direction and one p for each comparative study and outcome: what needs no effect size."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ldn_meta.evidence.answer.pools import (
    DIRECTION_ONLY,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    META_ANALYSIS,
    ONE_TRIAL,
    IntervalToRead,
    one_word,
    possible_synthesis,
    side_of,
    side_of_pool,
)
from ldn_meta.evidence.effects.effects import t_df, trials_of
from ldn_meta.evidence.effects.routes import A, arm_reports, what_of
from ldn_meta.evidence.effects.rows import (
    BESIDE,
    COMPARATOR,
    CONTRAST,
    FURTHER_ARM,
    MASKED,
    NOT_ASKED_ABOUT,
    NOT_RANDOMISED,
    NOT_STATED,
    RANKS,
    RATIO_MEASURES,
    SIGNED,
    TREATMENT,
    ArmEvent,
    ArmRow,
    ArmStat,
    Context,
    Contrast,
    Row,
    ValueRow,
    cells,
    is_before,
    lost,
    number,
    precedence,
    words_of,
)
from ldn_meta.evidence.raw.bias import overall_judgements
from ldn_meta.evidence.raw.tables import as_records
from ldn_meta.files import NOT_REPORTED
from ldn_meta.stats.consistency import Printed, denominators
from ldn_meta.stats.convert import p_from_se
from ldn_meta.stats.directions import CombinedP, SignTest, combine_p, one_sided_p, sign_test
from ldn_meta.stats.printed import NOT_SIGNIFICANT_ABOVE, p_interval

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence


# How a side can be known, best first. A number goes before words: words that favour one side are
# printed mostly where a test was significant, and counting them alone would count significance.
EFFECT, NUMBERS, ORDER, WORDS, ONE_ARM_ONLY = 1, 2, 3, 4, 5
# How far a result is a share, and whether its words are more than a p.
PER_CENT = re.compile("percent|relative reduction")
LETTERS = re.compile("[a-oq-z]", re.IGNORECASE)
PERCENT_CHANGE = "percent change"
TWO_ARMS = 2
WORDS_OF_P = {"ns": "not significant", "sig": "significant"}
BARE = ("ns", "no number")
SIDES = {FAVOURS_TREATMENT: 1.0, FAVOURS_COMPARATOR: -1.0}
NOT_SAID_WHICH = "a difference is printed, but not which of the two was subtracted from which"
NO_BETTER = "numbers are printed, but not which end of the scale is better"
NOT_COMPARED = "what is printed compares the two neither in words nor in numbers"
WHY_NO_SIDE = {
    "no difference": "called no difference, and no reliable number gives the side",
    NOT_STATED: "only a test is told, and neither words nor numbers give the side",
}
PRINTED_BESIDE = "beside a printed"
NO_COMPARISON = "only results within one arm are printed, no comparison"


@dataclass(frozen=True)
class Side:
    """One comparison of the treatment with the study's comparator, or the lack of it."""

    lead: ValueRow
    arm_1: str
    arm_2: str
    sign: float
    known_from: str
    tier: int
    route_rank: int
    rows: tuple[str, ...]
    printed: str
    effect: Row | None = None

    @property
    def is_paired(self) -> bool:
        """Whether the row itself says that its arms are pairs; a change within one pairs none."""
        return "arm_1" in self.lead and self.lead["is_paired"] and self.arm_2 != ""

    def people(self, place: int) -> list[float | None]:
        """People in an arm, 1 or 2, by the result itself."""
        printed = None
        if "arm_1" in self.lead:
            printed = self.lead["n_1"] if place == 1 else self.lead["n_2"]
        return [printed] if self.effect is None else [self.effect[f"n_{place}"], printed]


def sides(context: Context, effects: pd.DataFrame) -> list[Side]:
    """Find every comparison of a comparative study with its comparator.

    Rows that are not preferred, of low reliability, about the people before treatment or about a
    further arm do not count.
    """
    found = [
        *_of_effects(context, effects),
        *_of_contrasts(context),
        *_of_arms(context, context.arm_stats, _means),
        *_of_arms(context, context.arm_events, _shares),
    ]
    return [
        side
        for side in found
        if context.studies[side.lead["study_id"]]["eligible_for"] == CONTRAST
    ]


def _of_effects(context: Context, effects: pd.DataFrame) -> Iterator[Side]:
    if effects.empty:
        return
    counts = effects[
        (effects["kind"] == CONTRAST)
        & (effects["comparator_class"] != FURTHER_ARM)
        & effects["is_preferred"].astype(bool)
    ]
    for effect in as_records(counts):
        rows = tuple(effect["rows"].split(" "))
        lead, *others = (context.rows[name] for name in rows)
        sign = _signed(_difference(effect), effect["benefit_sign"])
        words = NO_BETTER if math.isnan(sign) else f"computed effect: {effect['route']}"
        if "arm_1" in lead:
            arms = lead["arm_1"], lead["arm_2"] or ""
            printed = _contrast_words(context, lead)
            if lead["direction"] == NOT_STATED:
                sign, words = math.nan, NOT_SAID_WHICH
        else:
            second = others[0]
            arms = lead["arm_id"], "" if "arm_1" in second else second["arm_id"]
            # The second row of some routes is the test of one arm against the other.
            printed = (
                _contrast_words(context, second)
                if "arm_1" in second
                else _against(context, lead, second)
            )
        yield Side(
            lead=lead,
            arm_1=arms[0],
            arm_2=arms[1],
            sign=sign,
            known_from=words,
            tier=EFFECT,
            route_rank=int(effect["route_rank"]),
            rows=rows,
            printed=printed,
            effect={str(name): value for name, value in effect.items()},
        )


def _difference(effect: Mapping[str, Any]) -> float:
    """The effect; for people with an event the plain difference of their shares.

    What is added to the cells of a table with an empty one moves its ratio, and can turn it.
    """
    events = [float(effect[name]) for name in ("events_1", "n_1", "events_2", "n_2")]
    if any(math.isnan(value) for value in events):
        return float(effect["yi"])
    return events[0] * events[3] - events[2] * events[1]


def _signed(difference: float, benefit_sign: float | None) -> float:
    """The side of a difference, group 1 minus 2; NaN if nobody says which end is better."""
    better = number(benefit_sign)
    if math.isnan(difference) or math.isnan(better):
        return math.nan
    return 0.0 if difference == 0 else math.copysign(1.0, difference * better)


def _of_contrasts(context: Context) -> Iterator[Side]:
    for row in context.eligible(context.contrasts):
        arm_2 = row["arm_2"]
        if (
            not row["preferred"]
            or is_before(row)
            or context.arms[row["arm_1"]]["group"] != TREATMENT
            or (arm_2 is not None and context.arms[arm_2]["group"] != COMPARATOR)
        ):
            continue
        if arm_2 is None:
            yield _alone(context, row, row["arm_1"])
            continue
        sign, words, tier = side_of_contrast(context, row)
        rows, printed = (row["address"],), _contrast_words(context, row)
        yield Side(row, row["arm_1"], arm_2, sign, words, tier, 1, rows, printed)


def side_of_contrast(context: Context, row: Contrast) -> tuple[float, str, int]:
    """Side of a printed comparison: by its estimate, else by its words; what that rests on."""
    estimate, direction = number(row["estimate"]), row["direction"]
    null = 1.0 if row["measure"] in RATIO_MEASURES else 0.0
    if row["measure"] in (*SIGNED, *RATIO_MEASURES) and not math.isnan(estimate):
        if direction == NOT_STATED:
            return math.nan, NOT_SAID_WHICH, NUMBERS
        better = context.outcomes[row["outcome_id"]]["benefit_sign"]
        sign = _signed(estimate - null, better)
        if not math.isnan(sign):
            return sign, f"printed {row['measure']} of {estimate:g}", NUMBERS
    if direction in SIDES:
        beside = "without an estimate"
        if not math.isnan(estimate):
            beside = f"{PRINTED_BESIDE} {row['measure']} of {estimate:g}"
        return SIDES[direction], f"the report's words, {beside}", WORDS
    is_silent = direction == NOT_STATED and row["p_relation"] is None
    return math.nan, NOT_COMPARED if is_silent else WHY_NO_SIDE[direction], WORDS


def _of_arms(
    context: Context,
    table: Iterable[A],
    compare: Callable[[Context, A, A], tuple[float, str]],
) -> Iterator[Side]:
    for report in arm_reports(context, table):
        for first in report.treated:
            if not first["preferred"] or is_before(first):
                continue
            if not report.control:
                yield _alone(context, first, first["arm_id"])
            for second in report.control:
                if second["preferred"]:
                    yield _two_arms(context, first, second, *compare(context, first, second))


def _two_arms(
    context: Context, first: ArmRow, second: ArmRow, difference: float, printed: str
) -> Side:
    better = context.outcomes[first["outcome_id"]]["benefit_sign"]
    sign = _signed(difference, better)
    if math.isnan(difference):
        words = "the two arms print nothing that can be set side by side"
    elif math.isnan(sign):
        words = NO_BETTER
    else:
        words = f"{what_of(first)} of the two arms: {printed}"
    inferred = context.evidence.review.order_inferred.get(first["study_id"], ())
    is_inferred = bool(sign) and first["outcome_id"] in inferred
    return Side(
        lead=first,
        arm_1=first["arm_id"],
        arm_2=second["arm_id"],
        sign=sign,
        known_from=words,
        tier=ORDER if is_inferred else NUMBERS,
        route_rank=2,
        rows=(first["address"], second["address"]),
        printed=_against(context, first, second),
    )


def _means(context: Context, first: ArmStat, second: ArmStat) -> tuple[float, str]:
    """Difference of two means, or of two medians, and both as they were typed."""
    for name, one, two in (
        ("mean", first["mean"], second["mean"]),
        ("median", first["median"], second["median"]),
    ):
        if one is not None and two is not None:
            typed = (context.printed[name][row["row_id"]] for row in (first, second))
            return one - two, " against ".join(typed)
    return math.nan, ""


def _shares(context: Context, first: ArmEvent, second: ArmEvent) -> tuple[float, str]:
    """Difference of two shares of people, or of two counts over the same people or of nobody."""
    events_1, events_2 = number(first["events"]), number(second["events"])
    n_1, n_2 = number(first["n"]), number(second["n"])
    is_people = first["counted"] == "people"
    if events_1 == events_2 == 0:
        return 0.0, "none against none"
    if is_people and not math.isnan(events_1 + n_1 + events_2 + n_2):
        return (
            events_1 * n_2 - events_2 * n_1,
            f"{events_1:g}/{n_1:g} against {events_2:g}/{n_2:g}",
        )
    percent_1, percent_2 = number(first["percent"]), number(second["percent"])
    if is_people and not math.isnan(percent_1 + percent_2):
        return percent_1 - percent_2, f"{percent_1:g}% against {percent_2:g}%"
    if context.has_same_people(first) and not math.isnan(events_1 + events_2):
        return events_1 - events_2, f"{events_1:g} against {events_2:g}"
    return math.nan, ""


def _against(context: Context, first: ArmRow, second: ArmRow) -> str:
    """What two arms printed, each with its name: "drug -1.7, dummy -2.0"."""
    pair = (first, second)
    told = ", ".join(
        f"{context.arms[row['arm_id']]['label']} {_own(context, row)}" for row in pair
    )
    is_bare = all(row.get("percent") is not None and row.get("n") is None for row in pair)
    return f"{told}, of how many people is not reported" if is_bare else told


def _own(context: Context, told: ValueRow) -> str:
    """The number of one arm as it was typed, by its columns; else the words of the report."""
    row = cast("Mapping[str, Any]", told)
    if "counted" in row:
        events, n, percent = (row[name] for name in ("events", "n", "percent"))
        if events is not None:
            return f"{events:g}/{n:g}" if n is not None else f"{events:g}"
        return row["as_reported"] or "NR" if percent is None else f"{percent:g}%"
    for name, word in (("mean", ""), ("median", "median ")):
        if row.get(name) is not None:
            unit = "%" if row["statistic_of"] == PERCENT_CHANGE else ""
            spread = next(
                (f" ({kind.upper()} {row[kind]:g})" for kind in ("sd", "se") if row[kind]), ""
            )
            return f"{word}{context.printed[name][row['row_id']]}{unit}{spread}"
    return row["as_reported"] or "NR"


def _contrast_words(context: Context, row: Contrast) -> str:
    """What a printed comparison says without its p, by its columns; else the report's words."""
    estimate, measure = row["estimate"], row["measure"]
    if estimate is not None:
        words = {"MD": "difference", "SMD": "standardised difference"}.get(measure, measure)
        unit = "%" if PER_CENT.search(measure) else ""
        told = f"{words} {estimate:.{row['estimate_decimals'] or 0}f}{unit}"
        low, high = row["ci_low"], row["ci_high"]
        return told if low is None or high is None else f"{told} ({low:g} to {high:g})"
    pair = [
        one
        for arm in (row["arm_1"], row["arm_2"])
        for one in context.stats_of_arm.get(arm or "", ())
        if one["preferred"]
        and not is_before(one)
        and one["outcome_id"] == row["outcome_id"]
        and one["timepoint_weeks"] == row["timepoint_weeks"]
    ]
    if len(pair) == TWO_ARMS:
        return _against(context, pair[0], pair[1])
    said = row["as_reported"] or ""
    is_p = row["p_relation"] in ("=", "<", ">") and not LETTERS.search(said)
    if row["arm_2"] is None:
        return f"within {context.arms[row['arm_1']]['label']}: {said}"
    words = WORDS_OF_P.get(str(row["p_relation"]), "")
    # Words that say no more than the test are told once, as the p.
    return "" if is_p or (words and said in (*BARE, words)) else said


def _alone(context: Context, row: ValueRow, arm: str) -> Side:
    rows = (row["address"],)
    printed = (
        _contrast_words(context, row)
        if "arm_1" in row
        else f"{context.arms[arm]['label']} {_own(context, row)}"
    )
    return Side(row, arm, "", math.nan, NO_COMPARISON, ONE_ARM_ONLY, 1, rows, printed)


# A standard error that rests on an assumed correlation gives no p of the study's.
ASSUMED = "assumed"


class PrintedP(NamedTuple):
    """Ends of a two-sided p, how it was printed, and the row; NaN where nobody says."""

    low: float
    high: float
    text: str
    rows: tuple[str, ...] = ()


UNKNOWN = PrintedP(math.nan, math.nan, NOT_REPORTED)


def p_of(context: Context, side: Side) -> PrintedP:
    """Find the p of a comparison.

    An exact printed p first, as what its rounding leaves open; then the p of the computed effect
    and its standard error (normal), unless that rests on an approximation or an assumption; then
    a printed bound or word: "<0.05" and "significant" are 0 to 0.05, "not significant" 0.05 to 1.
    """
    if not side.arm_2:
        return UNKNOWN
    lead = side.lead
    # Rows that test this comparison; the side's own row goes first.
    rows = [
        row
        for row in context.contrasts
        if row["preferred"]
        and row["reliability"] == "normal"
        and row["p_relation"] is not None
        and (row["arm_1"], row["arm_2"]) == (side.arm_1, side.arm_2)
        and row["study_id"] == lead["study_id"]
        and row["outcome_id"] == lead["outcome_id"]
        and row["analysis_set"] == lead["analysis_set"]
        and row["timepoint_weeks"] == lead["timepoint_weeks"]
        and (row["timepoint_weeks"] is not None or row["timepoint"] == lead["timepoint"])
    ]
    rows.sort(key=lambda row: row["address"] != lead["address"])
    printed = [_printed_p(row) for row in rows]
    exact = [p for row, p in zip(rows, printed, strict=True) if row["p_relation"] == "="]
    return next(iter([*exact, *_computed(side), *printed]), UNKNOWN)


def _printed_p(row: Contrast) -> PrintedP:
    relation, own = str(row["p_relation"]), (row["address"],)
    if relation == "sig":
        return PrintedP(*p_interval("<", NOT_SIGNIFICANT_ABOVE), "significant", own)
    if relation == "ns":
        return PrintedP(*p_interval("ns"), "not significant", own)
    p, decimals = number(row["p_value"]), int(number(row["p_decimals"]))
    text = f"{'' if relation == '=' else relation}{p:.{decimals}f}"
    return PrintedP(*p_interval(relation, p, decimals=decimals), text + lost(row), own)


def _computed(side: Side) -> list[PrintedP]:
    """P of the effect behind a side; none where it rests on a guess."""
    effect = side.effect
    if effect is None or effect["is_approximate"] or ASSUMED in effect["route"]:
        return []
    # With an empty cell the ratio rests on what was added to it.
    events, people = ([effect[f"{name}_{arm}"] for arm in (1, 2)] for name in ("events", "n"))
    if 0 in (*events, people[0] - events[0], people[1] - events[1]):
        return []
    p = float(p_from_se(effect["yi"], effect["sei"], df=t_df(effect["df"])))
    return [PrintedP(p, p, f"{p:.3g} (computed)")]


OTHER = "other"
OPPOSITE = "arms of the drug point to different sides"
# Results of several arms of the drug that agree in these are one result of their study: choosing
# among the arms would be choosing among results.
OF_ONE_RESULT = ("is_unknown", "outcome_id", "set_order", "time_order")
KNOWN_BY = {
    EFFECT: "computed effect",
    NUMBERS: "printed numbers",
    ORDER: "side inferred from the order of arms",
    WORDS: "words alone",
}
NOT_KNOWN = "not known"
COLUMNS = (
    *("indication_id", "study_id", "study_label", "year", "design", "eligible_for"),
    *("is_randomised", "comparator_class", "construct", "construct_label", "domain", "group"),
    *("direction", "sign", "sign_from", "p_low", "p_high", "p_printed", "n_people", "is_paired"),
    *("overall_bias", "reported_in", "read_in", "locator", "rows", "trial_id", "blinding"),
    *(
        "outcome_id",
        "known_by",
        "arms",
        "timepoint_weeks",
        "analysis_set",
        "read_from",
        "printed",
        "people_are",
    ),
)


def directions(evidence: Evidence, protocol: Protocol, effects: pd.DataFrame) -> pd.DataFrame:
    """Say which side each study's result lies on, and what is known of its p.

    Of several results of one study and construct the row is the first by: a side that is known;
    a computed effect, then printed numbers, then words; the protocol's order of analysis sets,
    nearness to the target time, kind of text, preferred source, directness; name. Results of
    several arms of the drug, of the same outcome, time and people, are one row with the side they
    share, or none where they do not. Only comparisons with the study's own comparator count, and
    only comparative studies.
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
    judged, trials = overall_judgements(evidence), trials_of(context)
    frame["overall_bias"] = [judged.get(study_id, "") for study_id in frame["study_id"]]
    frame["trial_id"] = [trials[study_id] for study_id in frame["study_id"]]
    # In the order of the protocol, and by name what it does not list.
    order = [*protocol.outcome_groups, OTHER]
    listed = [*groups, *sorted(set(frame["construct"]) - set(groups))]
    place = {"group": order.index, "construct": listed.index}
    return frame.sort_values(
        ["indication_id", "group", "construct", "year", "study_id"],
        kind="stable",
        ignore_index=True,
        key=lambda c: c.map(place[c.name]) if c.name in place else c,
    )


def group_of_constructs(protocol: Protocol) -> dict[str, str]:
    """Outcome group of each construct, in the order of the protocol."""
    return {
        construct: group
        for group, constructs in protocol.outcome_groups.items()
        for construct in constructs
    }


def _keys(context: Context, side: Side) -> dict[str, Any]:
    """What results of one study and construct are ranked by."""
    lead = side.lead
    return {
        **cells(lead, "study_id", "outcome_id", "analysis_set", "read_from"),
        "construct": context.construct(lead),
        "arm_1": side.arm_1,
        "is_unknown": math.isnan(side.sign),
        "tier": side.tier,
        "timepoint_weeks": number(lead["timepoint_weeks"]),
        "estimand": NOT_STATED if side.effect is None else side.effect["estimand"],
        "is_preferred": lead["preferred"],
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
    stated = "; ".join(printed)
    printed += [
        _p_words(p.text)
        for p in known
        if p.rows and _p_words(p.text).removeprefix("called ") not in stated
    ]
    own = [arm for arm in context.arms.values() if arm["study_id"] == lead["study_id"]]
    labels = list(dict.fromkeys(context.arms[side.arm_1]["label"] for side in chosen))
    who, stage = _people(context, chosen)
    is_said = (
        all(name in stated for name in labels)
        or sum(arm["group"] == TREATMENT for arm in own) == 1
    )
    known_by = KNOWN_BY[first.tier] if signs and is_one else NOT_KNOWN
    if known_by == KNOWN_BY[ORDER]:
        printed.append(known_by)
    how = f", {known_by}" if known_by == KNOWN_BY[ORDER] else ""
    return {
        # Randomised: True, False, or None where the report does not say.
        **cells(study, "indication_id", "design", "is_randomised"),
        "eligible_for": context.eligible_for(study),
        **cells(study, "comparator_class", "blinding"),
        **cells(outcome, "construct", "construct_label", "domain"),
        **cells(lead, "study_id", "outcome_id", "analysis_set"),
        **cells(lead, "reported_in", "read_in", "read_from", "locator"),
        "study_label": study["label"],
        "year": number(study["year"]),
        "group": groups.get(outcome["construct"], OTHER),
        # A change within one arm states none.
        "direction": one_word(
            words_of(side.lead) if "arm_1" in side.lead else NOT_STATED
            for side in told
            if side.arm_2
        ),
        "sign": next(iter(signs), math.nan) if is_one else math.nan,
        "sign_from": first.known_from + how if is_one else OPPOSITE,
        # Of several arms the p of any may be meant: from the lowest end to the highest.
        "p_low": min((p.low for p in known), default=math.nan),
        "p_high": max((p.high for p in known), default=math.nan),
        "p_printed": "; ".join(dict.fromkeys(p.text for p in known)) or "NR",
        "n_people": who,
        "is_paired": _is_paired(context, first),
        "rows": " ".join(dict.fromkeys(rows)),
        "known_by": known_by,
        "arms": "; ".join(context.arms[side.arm_1]["label"] for side in chosen),
        "timepoint_weeks": number(lead["timepoint_weeks"]),
        "printed": ("" if is_said else f"{'; '.join(labels)}: ")
        + ("; ".join(dict.fromkeys(text for text in printed if text)) or "NR"),
        "people_are": stage,
    }


def _p_words(text: str) -> str:
    said = re.sub("^([<>])", r"\1 ", text)
    return f"p {said}" if said[:1] in "0123456789<>" else f"called {text}"


def _people(context: Context, chosen: list[Side]) -> tuple[float, str]:
    """People behind a comparison, pairs once, and at which stage they were counted.

    By the result's own numbers, else those analysed, else those randomised or enrolled, arm by
    arm or, of two arms, in all; NaN where no table says how many. A count or share without its
    denominator is lent none of those analysed, who may be others, unless the shares say so.
    """
    first = chosen[0]
    lead = first.lead
    study: Mapping[str, Any] = context.studies[lead["study_id"]]
    arms = [arm for arm in context.arms.values() if arm["study_id"] == lead["study_id"]]
    is_count = lead.get("events") is not None or lead.get("percent") is not None
    is_bare = is_count and lead.get("n") is None and not _are_of_analysed(context, first, study)
    bare = {"n_analysed": None} if is_bare else {}
    if _is_paired(context, first):
        # An effect of pairs may have been lent the people of its study.
        return people_of([lead["n_1"] if "arm_1" in lead else lead["n"]], {**study, **bare})
    if not first.arm_2:
        # People of one arm are not those of a comparison.
        return math.nan, NOT_REPORTED
    own = {side.arm_1: side.people(1) for side in chosen} | {first.arm_2: first.people(2)}
    every = [people_of(printed, {**context.arms[arm], **bare}) for arm, printed in own.items()]
    total, stage = sum(n for n, _ in every), earliest(stage for _, stage in every)
    if stage != ANALYSED and len(arms) == TWO_ARMS:
        # The study is its two arms; what it tells of both may be more.
        of_both = people_of([], {**study, **bare})
        if math.isnan(total) or of_both[1] == ANALYSED:
            return of_both
    return total, stage


def _are_of_analysed(context: Context, side: Side, study: Mapping[str, Any]) -> bool:
    """Whether shares of pairs are whole counts of the analysed, and of those who began are not."""
    rows = [row for row in context.arm_events if f"arm_events:{row['row_id']}" in side.rows]
    shares = [
        Printed(row["percent"], row["percent_decimals"] or 0)
        for row in rows
        if row["percent"] is not None
    ]
    analysed, began = (number(study[f"n_{stage}"]) for stage in STAGES[:2])
    if not _is_paired(context, side) or len(shares) < TWO_ARMS or not analysed < began:
        return False
    fits = [
        all(int(n) in denominators(share, int(n)) for share in shares) for n in (analysed, began)
    ]
    return fits == [True, False]


ANALYSED, RANDOMISED, ENROLLED = STAGES = ("analysed", "randomised", "enrolled")


def earliest(stages: Iterable[str]) -> str:
    """At which stage people were counted who were counted at several; NR where one is not told."""
    found = set(stages)
    return next((one for one in (NOT_REPORTED, *STAGES[::-1]) if one in found), NOT_REPORTED)


def people_of(printed: Iterable[float | None], of: Mapping[str, Any]) -> tuple[float, str]:
    """People of a study or an arm: of the result, else of the latest stage that is told."""
    sizes = [of.get(f"n_{stage}") for stage in STAGES]
    told = ([*printed, sizes[0]], *([size] for size in sizes[1:]))
    for values, stage in zip(told, STAGES, strict=True):
        for n in map(number, values):
            if not math.isnan(n):
                return n, stage
    return math.nan, NOT_REPORTED


def _is_paired(context: Context, side: Side) -> bool:
    return side.is_paired or context.has_same_people(side.lead)


NOT_BLIND = "not double-blind or not said to be"
# How p-values are printed that are no number.
BOUND = "[<>]|significant"
SAME_TRIAL = "the same people as in another study of this row"


@dataclass(frozen=True, eq=False)
class Votes:
    """Results counted by the side they lie on, one a trial."""

    rows: pd.DataFrame
    level: float

    @cached_property
    def unknown(self) -> pd.DataFrame:
        """Rows whose side is not known."""
        return self.rows[self.rows["sign"].isna()]

    @cached_property
    def test(self) -> SignTest:
        """The sign test of those whose side is known."""
        return self._test()

    @cached_property
    def if_against(self) -> SignTest:
        """The same, had every unknown side been that of the comparator."""
        return self._test(against=len(self.unknown))

    @cached_property
    def if_for(self) -> SignTest:
        """The same, had every unknown side been that of the treatment."""
        return self._test(for_treatment=len(self.unknown))

    def _test(self, *, for_treatment: int = 0, against: int = 0) -> SignTest:
        sign = self.rows["sign"]
        return sign_test(
            int((sign > 0).sum()) + for_treatment,
            int((sign < 0).sum()) + against,
            n_ties=int((sign == 0).sum()),
            level=self.level,
        )


@dataclass(frozen=True, eq=False)
class PValues:
    """P-values of the results counted, combined."""

    rows: pd.DataFrame

    @cached_property
    def usable(self) -> pd.DataFrame:
        """Rows with a side and a p."""
        return self.rows[self.rows["sign"].notna() & self.rows["p_low"].notna()]

    @cached_property
    def bounds(self) -> pd.DataFrame:
        """Those of them whose p is known only as a bound or a word."""
        return self.usable[is_bound(self.usable)]

    @cached_property
    def sideless(self) -> pd.DataFrame:
        """Rows with a p and no side: their one-sided p can lie on either."""
        return self.rows[self.rows["sign"].isna() & self.rows["p_low"].notna()]

    @cached_property
    def is_weighted(self) -> bool:
        """Whether Stouffer's method can weight by people: all numbers are known."""
        return bool(len(self.usable) and self.usable["n_people"].notna().all())

    @cached_property
    def fisher(self) -> CombinedP:
        """Fisher's method towards the treatment."""
        return combine_p(*one_sided(self.usable))

    @cached_property
    def fisher_against(self) -> CombinedP:
        """Fisher's method towards the comparator."""
        low, high = one_sided(self.usable)
        return combine_p(1 - high, 1 - low)

    @cached_property
    def stouffer(self) -> CombinedP:
        """Stouffer's method towards it, weighted by the root of the number of people."""
        weights = np.sqrt(self.usable["n_people"].to_numpy(float)) if self.is_weighted else None
        return combine_p(*one_sided(self.usable), method="stouffer", weights=weights)

    @cached_property
    def leading(self) -> str:
        """The study with the smallest one-sided p, on which Fisher's method leans."""
        low, high = one_sided(self.usable)
        return str(self.usable["study_label"].iloc[int(np.argmin(low + high))])

    @cached_property
    def fisher_without_leading(self) -> CombinedP:
        """Fisher's method without the smallest p."""
        low, high = one_sided(self.usable[self.usable["study_label"] != self.leading])
        return combine_p(low, high)

    @cached_property
    def fisher_either_side(self) -> CombinedP:
        """Fisher's method when p-values without a side are let in: they may lie on either."""
        import pandas as pd

        return combine_p(*one_sided(pd.concat([self.usable, self.sideless.assign(sign=0.0)])))


@dataclass(frozen=True, eq=False)
class GroupSynthesis:
    """One outcome group of an indication: what is pooled, and what its other results say."""

    group: str
    synthesis: str
    pool: Pool | None
    results: pd.DataFrame
    reasons: dict[str, str]
    level: float
    possible: dict[str, Any]
    effects: pd.DataFrame

    @cached_property
    def once(self) -> pd.DataFrame:
        """Results of each trial once."""
        repeated = [name for name, why in self.reasons.items() if why == SAME_TRIAL]
        return self.results[~self.results["study_label"].isin(repeated)]

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Results that compare something, of a trial once."""
        return self.once[self.once["sign_from"] != NO_COMPARISON]

    @cached_property
    def cell(self) -> dict[str, Any]:
        """What the evidence map shows of the group: how many studies of what, and their side.

        A pool, or one trial, has the side of its estimate. Without one, the studies that the
        protocol counts have the sides of theirs; if it counts none, the others do, and the cell
        says whether any of them was randomised. ``beside`` are the rest.
        """
        number: IntervalToRead | None
        signs: list[float] = []
        if self.pool is not None and self.synthesis in (META_ANALYSIS, ONE_TRIAL):
            shown, number = self.pool.trials, self.pool.read
            measure, who = self.pool.key["measure"], float(self.pool.people)
            side = side_of_pool(self.pool)
        elif self.synthesis == DIRECTION_ONLY:
            counted = self.compared[~self.compared["study_label"].isin(list(self.reasons))]
            shown = counted if len(counted) else self.compared
            signs, who = list(shown["sign"]), float(shown["n_people"].sum(skipna=False))
            number, measure = self._number(shown)
            side = side_of(signs)
        else:
            shown, number, measure = self.results[:0], None, "none"
            side, who = side_of([]), float(self.possible["people"]) or math.nan
        # Also those of which only results within one arm are printed.
        told = self.once if len(shown) else self.compared
        beside = told[~told["study_label"].isin(shown["study_label"])]
        stage, early = self._counted_at(shown)
        return {
            "group": self.group,
            "synthesis": self.synthesis,
            "construct": next(iter(shown["construct"]), self.possible["construct"]),
            "comparator_class": next(iter(shown["comparator_class"]), "none"),
            "measured": _measured(shown),
            "constructs": "; ".join(dict.fromkeys(shown["construct_label"])),
            "trials": len(shown) or int(self.possible["trials"]),
            "studies": list(shown["study_label"]),
            "people": who,
            "people_are": stage,
            "people_early": early,
            # A trial that prints its arms together, or one of them, is randomised all the same.
            "is_randomised": any(
                value is True
                for value in (shown if len(shown) else self.results)["is_randomised"].tolist()
            ),
            "measure": measure,
            "estimate": math.nan if number is None else number.estimate,
            "ci_low": math.nan if number is None else number.low,
            "ci_high": math.nan if number is None else number.high,
            "side": side,
            "unknown": sum(math.isnan(sign) for sign in signs),
            "people_unknown": 0 if len(shown) else int(self.possible["people_unknown"]),
            "beside": [
                (
                    row["study_label"],
                    side_of([row["sign"]]),
                    row["sign_from"]
                    if row["sign_from"] == NO_COMPARISON
                    else self.reasons.get(row["study_label"]),
                )
                for row in as_records(beside)
            ],
        }

    def _counted_at(self, shown: pd.DataFrame) -> tuple[str, float]:
        """At which stage people shown were counted, and how many before the analysis."""
        keys = ("study_label", "construct")
        asked = np.all([self.results[key].isin(list(shown[key])) for key in keys], axis=0)
        own = self.results[asked]
        stage = earliest(own["people_are"])
        early = float(own.loc[own["people_are"].isin(STAGES[1:]), "n_people"].sum())
        return (stage, early) if stage in STAGES[1:] else ("", 0.0)

    def _number(self, shown: pd.DataFrame) -> tuple[IntervalToRead | None, str]:
        """The effect of one study that is kept out of every pool, where one was computed."""
        if len(shown) != 1 or self.effects.empty:
            return None, "none"
        row = shown.iloc[0]
        rows = set(row["rows"].split(" "))
        own = self.effects[self.effects["study_id"] == row["study_id"]]
        for effect in as_records(own):
            if effect["kind"] == CONTRAST and set(effect["rows"].split(" ")) <= rows:
                ends = effect["yi"], effect["ci_low"], effect["ci_high"]
                return IntervalToRead(*ends), effect["measure"]
        return None, "none"

    @cached_property
    def is_pooled(self) -> bool:
        """Whether at least two trials are pooled."""
        return self.synthesis == META_ANALYSIS

    @cached_property
    def pooled_labels(self) -> tuple[str, ...]:
        """Studies in a pool of two or more."""
        if self.pool is None or not self.is_pooled:
            return ()
        return tuple(self.pool.trials["study_label"])

    @cached_property
    def counted(self) -> pd.DataFrame:
        """Results that the protocol lets into a main synthesis."""
        return self.results[~self.results["study_label"].isin(list(self.reasons))]

    @cached_property
    def is_needed(self) -> bool:
        """Whether a result of the group stands in no pool, so that there is something to say."""
        return bool((~self.results["study_label"].isin(self.pooled_labels)).any())

    @cached_property
    def votes(self) -> Votes:
        """Directions of the results that count."""
        return Votes(self.counted, self.level)

    @cached_property
    def all_votes(self) -> Votes:
        """Directions of all comparative studies, whatever their design and comparator."""
        return Votes(self.once, self.level)

    @cached_property
    def p_values(self) -> PValues:
        """P-values of the results that count."""
        return PValues(self.counted)


def _measured(rows: pd.DataFrame) -> str:
    """What was measured; by which study, where not all measured the same."""
    studies: dict[str, list[str]] = {}
    for row in as_records(rows):
        studies.setdefault(row["construct_label"], []).append(row["study_label"])
    if len(studies) < 2:
        return "".join(studies)
    return "; ".join(f"{what} ({', '.join(who)})" for what, who in studies.items())


def group_syntheses(
    directions: pd.DataFrame,
    effects: pd.DataFrame,
    left_out: pd.DataFrame,
    pools: list[Pool],
    protocol: Protocol,
    *,
    comparator_class: str,
) -> list[GroupSynthesis]:
    """Decide for every outcome group how it is synthesised, and count what is told of it.

    A study brings one result: that of the first construct of the group, in the order of the
    protocol, whose side is known; else of the first it tells of. Counted are randomised,
    double-blind comparisons with the question's comparator unless the protocol allows others,
    and of studies with (possibly) the same people one.
    """
    found = []
    pools = [pool for pool in pools if pool.key["comparator_class"] == comparator_class]
    for group, constructs in protocol.outcome_groups.items():
        of_group = directions[directions["group"] == group]
        place = {name: rank for rank, name in enumerate(constructs)}
        results = (
            of_group.assign(
                is_unknown=of_group["sign"].isna(), place=of_group["construct"].map(place)
            )
            .sort_values(["is_unknown", "place"], kind="stable")
            .drop_duplicates("study_id")
            .sort_values(["year", "study_id"], kind="stable", ignore_index=True)
            .drop(columns=["is_unknown", "place"])
        )
        kind = possible_synthesis(effects, left_out, pools, of_group, constructs=list(constructs))
        fitting = [p for p in pools if p.key["construct"] in constructs]
        largest = max(
            fitting, key=lambda p: (len(p.trials), -place[p.key["construct"]]), default=None
        )
        found.append(
            GroupSynthesis(
                group=group,
                synthesis=kind["synthesis"],
                pool=largest,
                results=results,
                reasons=_reasons(results, protocol, comparator_class),
                level=protocol.model.level,
                possible=kind,
                effects=effects,
            )
        )
    return found


def one_sided(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the one-sided p towards the treatment of rows of the directions table."""
    low, high = one_sided_p(
        rows["p_low"].to_numpy(float), rows["p_high"].to_numpy(float), rows["sign"].to_numpy(float)
    )
    return np.asarray(low), np.asarray(high)


def is_bound(rows: pd.DataFrame) -> pd.Series:
    """Whether a two-sided p is known only as a bound or a word; 0.000 is a bound, 1.00 is not."""
    is_word = rows["p_printed"].astype("str").str.contains(BOUND)
    return rows["p_low"].notna() & (is_word | (rows["p_low"] == 0))


def _reasons(results: pd.DataFrame, protocol: Protocol, comparator_class: str) -> dict[str, str]:
    """The rules that keep studies out of the count."""
    selection = protocol.selection
    reasons: dict[str, str] = {}
    for row in as_records(results):
        is_other = row["comparator_class"] != comparator_class
        is_open = not (row["blinding"] in MASKED or selection.allow_single_blind)
        words = [
            *[NO_COMPARISON] * (row["sign_from"] == NO_COMPARISON),
            *[f"compared with {row['comparator_class']}"] * is_other,
            *[NOT_RANDOMISED] * (not (row["is_randomised"] or selection.allow_non_randomised)),
            *[NOT_BLIND] * is_open,
            *[NOT_ASKED_ABOUT] * (row["eligible_for"] == BESIDE),
        ]
        if words:
            reasons[row["study_label"]] = ", ".join(words)
    open_ones = results[~results["study_label"].isin(list(reasons))]
    known_first = open_ones.assign(is_unknown=open_ones["sign"].isna()).sort_values(
        "is_unknown", kind="stable"
    )
    for label in known_first.loc[known_first.duplicated("trial_id"), "study_label"]:
        reasons[label] = SAME_TRIAL
    return reasons
