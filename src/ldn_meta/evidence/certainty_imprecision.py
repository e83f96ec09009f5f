"""Imprecision: what an interval includes, and how many people there are for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.synthesis import RATIO_MEASURES
from ldn_meta.stats.information_size import information_size_of_means, information_size_of_risks

if TYPE_CHECKING:
    from ldn_meta.evidence.certainty_body import Body
    from ldn_meta.evidence.certainty_choices import CertaintyChoices, RatedScale

DIFFERENCES = ("MD", "MC")
# Ratios of shares of people; a rate ratio has no risk behind it.
OF_PEOPLE = ("RR", "OR")
PER = 1000.0
# An interval made of a standard error ends on a threshold up to this.
TOUCHING = 1e-9
TWO = 2
SERIOUS, EXTREMELY_SERIOUS = -1, -3


class Imprecision(NamedTuple):
    """Rule in words, what was found, and the levels it takes."""

    rule: str
    value: str
    level: int


def scale_of(body: Body, choices: CertaintyChoices) -> RatedScale | None:
    """The rated scale of a body with a pool of differences in the unit of that scale."""
    if body.pool is None or body.pool.key["measure"] not in DIFFERENCES:
        return None
    scale = choices.scales.get(body.construct)
    return scale if scale is not None and scale.unit == body.pool.key["unit"] else None


def thresholds(body: Body, choices: CertaintyChoices) -> tuple[float, float]:
    """Ends of what is unimportant, on the scale of yi; NaN when nobody stated them.

    Of a ratio of shares of people, the stated ratios or the stated number of 1,000 people more
    or fewer, whichever is nearer to no difference at the risk of the comparison arms.
    """
    if body.pool is not None and body.pool.key["measure"] in RATIO_MEASURES:
        ratios = (
            math.log(choices["imprecision.ratio_low"]),
            math.log(choices["imprecision.ratio_high"]),
        )
        absolute = _absolute(body, choices["imprecision.per_1000"] / PER)
        return max(ratios[0], absolute[0]), min(ratios[1], absolute[1])
    scale = scale_of(body, choices)
    mid = math.nan if scale is None else scale.minimal_important_difference
    return -mid, mid


def _absolute(body: Body, difference: float) -> tuple[float, float]:
    """Log ratios that move the risk of the comparison arms by a difference; else no ends."""
    risk = control_risk(body)
    if not 0 < risk < 1:
        return -math.inf, math.inf
    ends = []
    for moved in (risk - difference, risk + difference):
        if not 0 < moved < 1:
            ends.append(math.copysign(math.inf, moved - risk))
        elif body.pool is not None and body.pool.key["measure"] == "RR":
            ends.append(math.log(moved / risk))
        else:
            ends.append(math.log(moved / (1 - moved) * (1 - risk) / risk))
    return ends[0], ends[1]


def large_effects(body: Body, choices: CertaintyChoices) -> tuple[float, float]:
    """Effects that count as large, either way, on the scale of yi."""
    if body.pool is not None and body.pool.key["measure"] in RATIO_MEASURES:
        return math.log(choices["size.large_ratio_low"]), math.log(
            choices["size.large_ratio_high"]
        )
    mid = thresholds(body, choices)[1]
    return -choices["size.large_in_mids"] * mid, choices["size.large_in_mids"] * mid


def control_risk(body: Body) -> float:
    """Share of people with the event in the comparison arms of the pool; NaN without counts."""
    if body.pool is None or body.pool.key["measure"] not in OF_PEOPLE:
        return math.nan
    trials = body.pool.trials
    people = float(trials["n_2"].sum())
    return float(trials["events_2"].sum(skipna=False)) / people if people > 0 else math.nan


def information_size(body: Body, choices: CertaintyChoices) -> float:
    """People one adequately powered trial would need; NaN when it cannot be computed.

    For differences the important difference and the SD of the scale, for ratios the control
    risk of the pool and that risk at the lower threshold of an important effect.
    """
    errors = {"alpha": choices["imprecision.alpha"], "power": choices["imprecision.power"]}
    scale = scale_of(body, choices)
    if scale is not None:
        size = information_size_of_means(scale.minimal_important_difference, scale.sd, **errors)
        return float(size)
    risk = control_risk(body)
    if not risk > 0:
        return math.nan
    # The lower threshold the interval is held against, which may be nearer than the stated ratio.
    lower = thresholds(body, choices)[0]
    if body.pool is not None and body.pool.key["measure"] == "OR":
        odds = risk / (1 - risk) * math.exp(lower)
        return float(information_size_of_risks(risk, odds / (1 + odds), **errors))
    return float(information_size_of_risks(risk, risk * math.exp(lower), **errors))


def people_for_size(body: Body) -> int:
    """People as the information size counts them: those of a crossover once in each arm."""
    if body.pool is None:
        return body.people
    trials = body.pool.trials
    return int(trials["n_1"].fillna(0.0).sum() + trials["n_2"].fillna(0.0).sum())


def imprecision_of(body: Body, choices: CertaintyChoices) -> Imprecision:
    """Apply the rule of [certainty.imprecision].

    Parameters
    ----------
    body : Body
        One that is rated.
    choices : CertaintyChoices

    Returns
    -------
    Imprecision
    """
    if body.pool is None or not math.isfinite(thresholds(body, choices)[0]):
        return _without_thresholds(body, choices)
    low, high = body.interval
    included = [end for end in thresholds(body, choices) if _includes(low, high, end)]
    is_extreme = all(_includes(low, high, end) for end in large_effects(body, choices))
    needed, there = information_size(body, choices), people_for_size(body)
    share = choices["imprecision.far_below"]
    level = -len(included) or -(int(not there >= needed) + int(not there >= share * needed))
    alone = _includes_alone(body, choices)
    if alone:
        level = min(level, SERIOUS)
    return Imprecision(
        f"one level for each threshold of an important effect ({_stated(body, choices)}) that the "
        "95% interval includes (of two trials, the interval with the protocol's prior), three if "
        "it includes large effects both ways, at least one if the interval of either of two "
        "trials includes one; if none, one level below the optimal "
        f"information size, two below {100 * share:.0f}% of it",
        "; ".join(
            [
                _reach(body, choices, included, is_extreme=is_extreme),
                _people(body, needed, there, choices),
                *_blind(body, [] if included else alone),
            ]
        ),
        EXTREMELY_SERIOUS if is_extreme else level,
    )


def _includes(low: float, high: float, end: float) -> bool:
    """Whether an interval includes a threshold; one that ends on it does."""
    return low - TOUCHING <= end <= high + TOUCHING


def _without_thresholds(body: Body, choices: CertaintyChoices) -> Imprecision:
    """Count people alone: nothing is known to be excluded."""
    few = choices["imprecision.people_without_estimate"]
    silent = body.without_size
    is_few = body.people <= few
    why = (
        "no effect with an interval was printed"
        if body.pool is None
        else "no important difference is stated for this scale"
    )
    known = f"{body.people:,} people known" if body.people else "number of people not known"
    names = f" (not known: {', '.join(silent)})" if silent and body.people else ""
    return Imprecision(
        "without an interval to hold against an important difference: one level; with "
        f"{few:g} people or fewer, or an unknown number: two",
        f"{why}; {known}{names}",
        -2 if is_few else -1,
    )


def _stated(body: Body, choices: CertaintyChoices) -> str:
    """Thresholds as the protocol states them."""
    scale = scale_of(body, choices)
    if scale is not None:
        return f"{scale.minimal_important_difference:g} {scale.unit} either way"
    low, high, people = (
        choices[f"imprecision.{name}"] for name in ("ratio_low", "ratio_high", "per_1000")
    )
    return (
        f"a ratio of {low:g} or {high:g}, or {people:g} of 1,000 people more or fewer where that "
        "is nearer to no difference"
    )


def _reach(
    body: Body, choices: CertaintyChoices, included: list[float], *, is_extreme: bool
) -> str:
    """Which thresholds the interval includes."""
    if is_extreme:
        return f"{_which(body)} includes large effects both ways"
    if not included:
        low, high = thresholds(body, choices)
        is_inside = body.pool is not None and low < float(body.pool.result.estimate) < high
        return (
            f"{_which(body)} includes {'no' if is_inside else 'nothing but an'} important effect"
        )
    scale = scale_of(body, choices)
    names = [
        f"{end:+g} {scale.unit}" if scale is not None else f"a ratio of {math.exp(end):.2f}"
        for end in included
    ]
    what = "an important effect" if len(names) == 1 else "important effects"
    return f"{_which(body)} includes {what} ({' and '.join(names)})"


def _which(body: Body) -> str:
    """Name the interval; one with a prior with its ends, which stand nowhere else in the table."""
    if not body.has_prior or body.pool is None:
        return "the interval"
    low, high = body.interval
    if body.pool.key["measure"] in RATIO_MEASURES:
        low, high = math.exp(low), math.exp(high)
    ends = f"{low:.2f} to {high:.2f}"
    return f"the interval with a prior for the spread between the two trials ({ends})"


def _people(body: Body, needed: float, there: int, choices: CertaintyChoices) -> str:
    """How many people there are, and what the size they are held against rests on."""
    how = "people, counted once in each arm," if there != body.people else "people"
    if not math.isfinite(needed):
        return f"{there} {how} for an information size that is not defined"
    scale = scale_of(body, choices)
    basis = (
        f"SD {scale.sd:g}"
        if scale is not None
        else f"risk without the drug {100 * control_risk(body):.0f}%"
    )
    return f"{there} {how} for an information size of {needed:,.0f} ({basis})"


def _includes_alone(body: Body, choices: CertaintyChoices) -> list[str]:
    """Of two trials, those whose own interval includes an important effect."""
    if body.pool is None or len(body.pool.trials) != TWO:
        return []
    return [
        str(trial["study_label"])
        for trial in body.pool.trials.to_dict("records")
        if any(
            _includes(trial["ci_low"], trial["ci_high"], end) for end in thresholds(body, choices)
        )
    ]


def _blind(body: Body, alone: list[str]) -> list[str]:
    """What an interval of two trials does not know."""
    if body.pool is None or len(body.pool.trials) != TWO:
        return []
    words = "with two trials the interval takes the spread between them as known"
    if body.has_prior:
        return [f"{' and '.join(alone)} alone includes an important effect"] if alone else []
    own = f"that of {' and of '.join(alone)} alone includes an important effect"
    return [f"{words}; {own}" if alone else words]
