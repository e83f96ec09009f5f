"""What adding up the responders of one trial at two thresholds would do: a what-if."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.candidates import Row, plain_rows
from ldn_meta.evidence.claim_findings import CANNOT_BE_TESTED, Finding, finding
from ldn_meta.evidence.claim_material import Material
from ldn_meta.evidence.claims_counts import Ratio, cells, ratio_of
from ldn_meta.evidence.selection import select
from ldn_meta.evidence.synthesis import pool_trials
from ldn_meta.stats.effects_counts import log_risk_ratio
from ldn_meta.stats.joint_counts import JointCount

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.stats.result import PooledResult

# The trial whose counts were reportedly added up, and the thresholds.
TRIAL = "duebruun2024"
LOWER, HIGHER = "responder_pain_30", "responder_pain_50"


class WhatIf(NamedTuple):
    """One way to count the responders of a trial, and what it does to the pool."""

    name: str
    counts: JointCount
    risk_ratio: Ratio
    odds_ratio: Ratio
    pooled: PooledResult | None

    @property
    def pooled_ratio(self) -> Ratio:
        """The pooled risk ratio; NaN without a pool."""
        r = self.pooled
        ends = (math.nan,) * 3 if r is None else (r.estimate, r.ci_low, r.ci_high)
        return Ratio(*(math.exp(float(end)) for end in ends))


def responder_sums(
    effects: pd.DataFrame, protocol: Protocol, study_id: str = TRIAL
) -> list[WhatIf]:
    """Count the responders of a trial at 30%, at 50%, and as the sum of both.

    Somebody whose pain fell by half is also among those whose pain fell by 30%: the sum counts
    him twice. The pool is that of 30% responders with this trial's counts replaced.

    Parameters
    ----------
    effects : pandas.DataFrame
        All effects, as ``normalise`` gives them.
    protocol : Protocol
    study_id : str
        A trial with counts at both thresholds.

    Returns
    -------
    list of WhatIf
        "30% or more", "50% or more", "both added up"; nothing if a count is not on file.
    """
    rows = effects[
        (effects["study_id"] == study_id)
        & (effects["measure"] == "RR")
        & effects["is_selected"].astype(bool)
    ]
    by_construct = {row["construct"]: row for row in plain_rows(rows)}
    at_30, at_50 = (_counted(by_construct.get(name)) for name in (LOWER, HIGHER))
    if at_30 is None or at_50 is None:
        return []
    both = JointCount(
        at_30.events_1 + at_50.events_1, at_30.n_1, at_30.events_2 + at_50.events_2, at_30.n_2
    )
    named = (("30% or more", at_30), ("50% or more", at_50), ("both added up", both))
    return [
        WhatIf(
            name, c, ratio_of(c), ratio_of(c, odds=True), _pooled(effects, protocol, study_id, c)
        )
        for name, c in named
    ]


def _counted(row: Row | None) -> JointCount | None:
    if row is None:
        return None
    return JointCount(int(row["events_1"]), int(row["n_1"]), int(row["events_2"]), int(row["n_2"]))


def _pooled(
    effects: pd.DataFrame, protocol: Protocol, study_id: str, counts: JointCount
) -> PooledResult | None:
    """The pool of 30% responders with other counts for one trial; None with fewer than two."""
    own = effects["study_id"] == study_id
    indication_id = effects.loc[own, "indication_id"].iloc[0]
    same = effects[(effects["construct"] == LOWER) & (effects["indication_id"] == indication_id)]
    chosen, _ = select(same, protocol.selection)
    trials = same[chosen].copy()
    if len(trials) < 2:
        return None
    effect = log_risk_ratio(*cells(counts))
    own = trials["study_id"] == study_id
    trials["yi"] = trials["yi"].mask(own, float(effect.yi))
    trials["vi"] = trials["vi"].mask(own, float(effect.vi))
    return pool_trials(trials, protocol.model, "RR")


def responder_sum(claim: Row, material: Material, argument: str) -> Finding:
    """Show what adding up the responders at two thresholds would do. A what-if, no accusation.

    The letter that reportedly describes such an addition was not seen, and neither were the
    numbers of the review it is about.

    Verdict: cannot be tested, whatever the numbers: they show how much such an addition would
    move an answer, not that anybody made one.
    """
    cases = responder_sums(material.effects, material.protocol)
    values: dict[str, float | str] = {}
    for key, case in zip(("at_30", "at_50", "sum"), cases, strict=False):
        c = case.counts
        values |= {
            f"{key}_events_1": c.events_1,
            f"{key}_n_1": c.n_1,
            f"{key}_events_2": c.events_2,
            f"{key}_n_2": c.n_2,
        }
        for measure, ratio in (("rr", case.risk_ratio), ("or", case.odds_ratio)):
            values |= {f"{key}_{measure}{end}": v for end, v in _ends(ratio)}
        if case.pooled is not None:
            values |= {f"{key}_pool{end}": v for end, v in _ends(case.pooled_ratio)}
    template = (
        "What if: FINAL's responders are {at_30_events_1:n} of {at_30_n_1:n} against "
        "{at_30_events_2:n} of {at_30_n_2:n} at 30% and {at_50_events_1:n} of {at_50_n_1:n} "
        "against {at_50_events_2:n} of {at_50_n_2:n} at 50%. Added up, {sum_events_1:n} against "
        "{sum_events_2:n}, people at 50% count twice. The risk ratio would go from {at_30_rr:.2f} "
        "({at_30_rr_low:.2f} to {at_30_rr_high:.2f}) at 30% to {sum_rr:.2f} ({sum_rr_low:.2f} to "
        "{sum_rr_high:.2f}), the odds ratio from {at_30_or:.2f} ({at_30_or_low:.2f} to "
        "{at_30_or_high:.2f}) to {sum_or:.2f} ({sum_or_low:.2f} to {sum_or_high:.2f}), and the "
        "pooled risk ratio from {at_30_pool:.2f} ({at_30_pool_low:.2f} to {at_30_pool_high:.2f}) "
        "to {sum_pool:.2f} ({sum_pool_low:.2f} to {sum_pool_high:.2f}). {alone}The letter was not "
        "seen; this says nothing about what anybody did."
    )
    if not cases or cases[0].pooled is None:
        return finding(CANNOT_BE_TESTED, "The counts at both thresholds are not on file.")
    counted, summed = cases[:2], cases[2]
    turns = summed.risk_ratio.low > 1 and all(case.risk_ratio.low <= 1 for case in counted)
    values["alone"] = (
        "Neither count alone gives an interval that excludes no difference in the trial; the sum "
        "would. "
        if turns
        else ""
    )
    return finding(CANNOT_BE_TESTED, template, **values)


def _ends(ratio: Ratio) -> tuple[tuple[str, float], ...]:
    return ("", ratio.estimate), ("_low", ratio.low), ("_high", ratio.high)
