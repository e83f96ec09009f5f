"""What an effect means: its size in words, and per 1,000 people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.evidence.certainty_imprecision import OF_PEOPLE, control_risk, thresholds
from ldn_meta.evidence.synthesis import RATIO_MEASURES, has_unknown_sign
from ldn_meta.stats.benefit import (
    absolute_effect_from_odds_ratio,
    absolute_effect_from_risk_ratio,
)

if TYPE_CHECKING:
    from ldn_meta.evidence.certainty_body import Body
    from ldn_meta.evidence.certainty_choices import CertaintyChoices

TRIVIAL, SMALL, MODERATE, LARGE = "trivial", "small", "moderate", "large"
UNKNOWN = "not known"
SIZES = (TRIVIAL, SMALL, MODERATE, LARGE, UNKNOWN)
LOWER, HIGHER = "lower", "higher"
PER = 1000.0


def size_of_effect(body: Body, choices: CertaintyChoices) -> str:
    """Name the size of the point estimate; an effect on a threshold is of the larger size.

    Parameters
    ----------
    body : Body
    choices : CertaintyChoices

    Returns
    -------
    str
        A word of SIZES; UNKNOWN without a number, or without an important difference to
        hold it against.
    """
    if body.pool is None:
        return UNKNOWN
    estimate = float(body.pool.result.estimate)
    if body.pool.key["measure"] in RATIO_MEASURES:
        end = "low" if estimate < 0 else "high"
        steps = [
            abs(math.log(choices[f"{name}_{end}"]))
            for name in ("imprecision.ratio", "size.moderate_ratio", "size.large_ratio")
        ]
    else:
        mid = thresholds(body, choices)[1]
        if not math.isfinite(mid):
            return UNKNOWN
        steps = [mid, choices["size.moderate_in_mids"] * mid, choices["size.large_in_mids"] * mid]
    reached = sum(abs(estimate) >= step for step in steps)
    return SIZES[reached]


def change_of_outcome(body: Body) -> str:
    """Say whether there was less or more of what was measured; UNKNOWN without a known sign."""
    if body.pool is None or has_unknown_sign(body.pool):
        return UNKNOWN
    return LOWER if float(body.pool.result.estimate) < 0 else HIGHER


def per_thousand(body: Body) -> dict[str, float]:
    """People of 1,000 with the event, without the drug and with it.

    The risk without the drug is that of the comparison arms of the pool, all people together;
    the ratio is assumed to hold at that risk (Handbook 14.1.5, 15.4.4).

    Parameters
    ----------
    body : Body

    Returns
    -------
    dict of str to float
        per_1000_without, per_1000_with, per_1000_low, per_1000_high, and the three
        differences from without; NaN where the effect is no ratio of shares of people, or
        nobody had the event without the drug.
    """
    names = ("with", "low", "high")
    risk = control_risk(body)
    if body.pool is None or body.pool.key["measure"] not in OF_PEOPLE or not risk > 0:
        keys = ["without", *names, *(f"difference_{name}" for name in names)]
        return {f"per_1000_{key}": math.nan for key in keys}
    result = body.pool.result
    convert = (
        absolute_effect_from_risk_ratio
        if body.pool.key["measure"] == "RR"
        else absolute_effect_from_odds_ratio
    )
    found = {"per_1000_without": PER * risk}
    differences = {}
    for name, value in zip(names, (result.estimate, result.ci_low, result.ci_high), strict=True):
        effect = convert(math.exp(float(value)), risk)
        found[f"per_1000_{name}"] = PER * float(effect.risk)
        differences[f"per_1000_difference_{name}"] = PER * float(effect.difference)
    return found | differences
