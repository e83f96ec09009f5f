"""One body of evidence whose certainty is rated: an outcome, a comparator, and its studies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.synthesis import DIRECTION_ONLY, META_ANALYSIS, ONE_TRIAL

if TYPE_CHECKING:
    from ldn_meta.evidence.bayes_pool import IntervalToRead
    from ldn_meta.evidence.synthesis import Pool

MAIN_OUTCOME = "main outcome"
# Comparisons whose reports give neither an effect nor a direction.
NOT_TOLD = "compared, nothing told"
HIGH, LOW = "high", "low"
MISSING = ("NR", "NA", "TODO")
RATED = (META_ANALYSIS, ONE_TRIAL, DIRECTION_ONLY)


@dataclass(frozen=True, eq=False)
class Body:
    """What is known of one outcome against one kind of comparator.

    Attributes
    ----------
    indication : dict of str
        Row of ``indications.csv``.
    outcome : str
        MAIN_OUTCOME, or the outcome group it stands for.
    construct, construct_label, domain, counted : str
        What was measured; counted is binary, count, continuous or other.
    benefit_sign : float
        1 where more is better, -1 where less is, NaN where nobody said.
    comparator_class, comparator : str
        The kind of comparator, and the drug where all studies compared with the same one.
    kind : str
        What synthesis it allows (a word of KINDS, or NOT_TOLD).
    pool : Pool or None
        The main pool; also of a single trial.
    told : dict of str to str
        Directions that studies outside the pool tell, by label.
    studies : tuple of dict
        Rows of ``studies.csv`` behind the rating; without a pool each with its "people", 0
        where nobody said how many.
    weights : tuple of float
        Share of each of these studies: of the pool, or the same for all without one.
    registered : tuple of str
        Trials of the indication without results on file.
    read_by : IntervalToRead or None
        The interval the answer is read by, where it is not the pool's own.
    """

    indication: dict[str, str]
    outcome: str
    construct: str
    construct_label: str
    domain: str
    counted: str
    benefit_sign: float
    comparator_class: str
    comparator: str
    kind: str
    pool: Pool | None
    told: dict[str, str]
    studies: tuple[dict[str, Any], ...]
    weights: tuple[float, ...]
    registered: tuple[str, ...]
    read_by: IntervalToRead | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Indication, construct and comparator class."""
        return self.indication["indication_id"], self.construct, self.comparator_class

    @property
    def is_rated(self) -> bool:
        """Whether there is a comparison that tells anything."""
        return self.kind in RATED

    @property
    def start(self) -> str:
        """Certainty before anything is taken off."""
        is_randomised = all(study["is_randomised"] == "yes" for study in self.studies)
        return HIGH if is_randomised else LOW

    @cached_property
    def people(self) -> int:
        """People behind the rating, each counted once; 0 when no report gives the number."""
        if self.pool is not None:
            return self.pool.people
        return sum(study["people"] for study in self.studies)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval the answer is read by; NaN without a pool."""
        if self.read_by is not None:
            return self.read_by.low, self.read_by.high
        if self.pool is None:
            return math.nan, math.nan
        return float(self.pool.result.ci_low), float(self.pool.result.ci_high)

    @property
    def has_prior(self) -> bool:
        """Whether that interval rests on a prior for the spread between trials."""
        return self.read_by is not None and self.read_by.has_prior

    @property
    def without_size(self) -> list[str]:
        """Studies that do not give their number of people."""
        if self.pool is not None:
            return []
        return [study["label"] for study in self.studies if not study["people"]]

    @property
    def weeks(self) -> list[float]:
        """Weeks at which the outcome was measured, or the studies' duration without a pool."""
        if self.pool is not None:
            found = self.pool.trials["timepoint_weeks"].dropna().tolist()
        else:
            found = [
                float(s["duration_weeks"])
                for s in self.studies
                if s["duration_weeks"] not in MISSING
            ]
        return sorted(set(found))
