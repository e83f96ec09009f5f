"""Our pool of an outcome before the newest trial and with it, in points and in SDs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.candidates import plain_rows
from ldn_meta.evidence.synthesis import RATIO_MEASURES, Pool, build_pools, find_pool
from ldn_meta.stats.pool import pool

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.stats.result import PooledResult


class Span(NamedTuple):
    """An estimate with its interval, on the scale where no effect is 0."""

    estimate: float
    low: float
    high: float

    @property
    def side(self) -> int:
        """-1 or 1 for the side of no effect the interval lies on; 0 if it includes none."""
        return int(self.low > 0) - int(self.high < 0)

    def holds(self, value: float) -> bool:
        """Whether the interval includes a value."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class ThenAndNow:
    """Pools of one outcome of one indication against one kind of comparator.

    Attributes
    ----------
    newest : float
        Year of the newest trial; "then" is every trial of an earlier year.
    then, now : Pool or None
        By the protocol.
    then_approximate, now_approximate : Pool or None
        With effects that rest on an approximation, as crossovers without a paired result do.
    """

    newest: float
    then: Pool | None
    now: Pool | None
    then_approximate: Pool | None
    now_approximate: Pool | None

    @property
    def named(self) -> dict[str, Pool | None]:
        """The pools by the names of their numbers."""
        return {
            "then": self.then,
            "then_approximate": self.then_approximate,
            "now": self.now,
            "now_approximate": self.now_approximate,
        }


def then_and_now(
    effects: pd.DataFrame,
    protocol: Protocol,
    *,
    indication_id: str,
    construct: str,
    comparator_class: str,
) -> ThenAndNow:
    """Pool an outcome without the trials of the newest year, and with them.

    Parameters
    ----------
    effects : pandas.DataFrame
        Candidate effects (``normalise``).
    protocol : Protocol
    indication_id, construct, comparator_class : str
        Which pool.

    Returns
    -------
    ThenAndNow
    """
    same = effects[
        (effects["indication_id"] == indication_id)
        & (effects["construct"] == construct)
        & (effects["comparator_class"] == comparator_class)
    ]
    if same.empty:
        return ThenAndNow(math.nan, None, None, None, None)
    loose = protocol.changed(allow_approximate=True)

    def pooled(rows: pd.DataFrame, choices: Protocol) -> Pool | None:
        return find_pool(
            build_pools(rows, choices.selection, choices.model),
            construct=construct,
            comparator_class=comparator_class,
        )

    now, now_approximate = pooled(same, protocol), pooled(same, loose)
    years = [
        float(year)
        for found in (now, now_approximate)
        if found is not None
        for year in found.trials["year"]
    ]
    newest = max(years, default=math.nan)
    earlier = same[same["year"] < newest]
    return ThenAndNow(
        newest, pooled(earlier, protocol), now, pooled(earlier, loose), now_approximate
    )


def span_of(found: Pool, *, per: float = 1.0) -> Span:
    """Estimate and interval of a pool, divided by a standard deviation if one is given."""
    r = found.result
    return Span(float(r.estimate) / per, float(r.ci_low) / per, float(r.ci_high) / per)


def standardised(found: Pool, sd: float) -> PooledResult:
    """Pool the same trials with every effect divided by one standard deviation.

    Parameters
    ----------
    found : Pool
        Of mean differences.
    sd : float
        In the unit of the pool.

    Returns
    -------
    PooledResult
        Of standardised mean differences: the same pool in other units.
    """
    r = found.result
    return pool(
        found.trials["yi"].to_numpy(dtype=float) / sd,
        found.trials["vi"].to_numpy(dtype=float) / sd**2,
        tau2_method=r.tau2_method,
        ci_method=r.ci_method,
        level=r.level,
        pi_method=r.pi_method,
        measure="SMD",
        labels=tuple(found.trials["study_label"]),
    )


class Spread(NamedTuple):
    """Standard deviations of people's scores: the smallest, one typical, the largest on file."""

    low: float
    typical: float
    high: float


def spread_on_file(evidence: Evidence, found: Pool) -> Spread | None:
    """Standard deviations that the trials of a pool printed for its outcome on its own scale.

    Typical is the root mean square of the arms' standard deviations at baseline; low and high
    are the extremes over arms and times. None if no trial printed one.

    Parameters
    ----------
    evidence : Evidence
    found : Pool
        Of mean differences in points of a known scale.

    Returns
    -------
    Spread or None
    """
    outcomes = {row["outcome_id"]: row for row in plain_rows(evidence.tables["outcomes"])}
    ends = found.key["unit"].partition("(")[2].rstrip(")").split("-")
    rows = [
        row
        for row in plain_rows(evidence.tables["arm_stats"])
        if row["study_id"] in set(found.trials["study_id"])
        and outcomes[row["outcome_id"]]["construct"] == found.key["construct"]
        and [f"{outcomes[row['outcome_id']][end]:g}" for end in ("scale_min", "scale_max")] == ends
        and row["statistic_of"] in ("baseline", "end", "change")
        and row["sd"] is not None
        and row["reliability"] != "low"
    ] if len(ends) == 2 else []  # fmt: skip
    at_start = [row["sd"] for row in rows if row["statistic_of"] == "baseline"]
    if not at_start:
        return None
    everything = [row["sd"] for row in rows]
    typical = math.sqrt(sum(sd**2 for sd in at_start) / len(at_start))
    return Spread(min(everything), typical, max(everything))


def is_ratio(found: Pool) -> bool:
    """Whether a pool is on the scale of logarithms."""
    return found.key["measure"] in RATIO_MEASURES
