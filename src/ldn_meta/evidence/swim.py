"""What can be said of an outcome group whose results cannot be pooled, or beside its pool."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ldn_meta.evidence.selection import MASKED
from ldn_meta.evidence.synthesis import META_ANALYSIS, possible_synthesis
from ldn_meta.stats.combined_p import CombinedP, combine_p, one_sided_p
from ldn_meta.stats.swim import SignTest, sign_test

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.evidence.synthesis import Pool

NOT_RANDOMISED = "not randomised or not said to be"
NOT_BLIND = "not double-blind or not said to be"
# How p-values are printed that are no number.
BOUND = "[<>]|significant"
SAME_TRIAL = "the same people as in another study of this row"


@dataclass(frozen=True, eq=False)
class Votes:
    """Results counted by the side they lie on, one a trial.

    Attributes
    ----------
    rows : pandas.DataFrame
        Rows of the directions table that are counted.
    level : float
        Of the intervals.
    """

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
        """The same, had every unknown side been that of LDN."""
        return self._test(for_ldn=len(self.unknown))

    def _test(self, *, for_ldn: int = 0, against: int = 0) -> SignTest:
        sign = self.rows["sign"]
        return sign_test(
            int((sign > 0).sum()) + for_ldn,
            int((sign < 0).sum()) + against,
            n_ties=int((sign == 0).sum()),
            level=self.level,
        )


@dataclass(frozen=True, eq=False)
class PValues:
    """P-values of the results counted, combined.

    Attributes
    ----------
    rows : pandas.DataFrame
        Rows of the directions table that are counted.
    """

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
        """Fisher's method towards LDN."""
        return combine_p(*one_sided(self.usable))

    @cached_property
    def fisher_against(self) -> CombinedP:
        """Fisher's method towards the comparator."""
        low, high = one_sided(self.usable)
        return combine_p(1 - high, 1 - low)

    @cached_property
    def stouffer(self) -> CombinedP:
        """Stouffer's method towards LDN, weighted by the root of the number of people."""
        weights = np.sqrt(self.usable["n_people"].to_numpy(float)) if self.is_weighted else None
        return combine_p(*one_sided(self.usable), method="stouffer", weights=weights)

    @cached_property
    def leading(self) -> str:
        """The study with the smallest one-sided p towards LDN, on which Fisher's method leans."""
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
    """One outcome group of an indication: what is pooled, and what its other results say.

    Attributes
    ----------
    group : str
        Name in ``protocol.toml``.
    synthesis : str
        Kind of synthesis the group allows (``evidence.synthesis.KINDS``).
    pool : Pool, optional
        The largest main pool of the group, also of one trial.
    results : pandas.DataFrame
        One row of the directions table for each comparative study that tells of the group.
    reasons : dict of str to str
        Why a study of ``results`` is listed and not counted, by label.
    level : float
        Of the intervals.
    """

    group: str
    synthesis: str
    pool: Pool | None
    results: pd.DataFrame
    reasons: dict[str, str]
    level: float

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
        repeated = [name for name, why in self.reasons.items() if why == SAME_TRIAL]
        return Votes(self.results[~self.results["study_label"].isin(repeated)], self.level)

    @cached_property
    def p_values(self) -> PValues:
        """P-values of the results that count."""
        return PValues(self.counted)


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

    Parameters
    ----------
    directions, effects, left_out : pandas.DataFrame
        Of one indication.
    pools : list of Pool
        Main pools of the indication; those with another comparator do not answer the question.
    protocol : Protocol
    comparator_class : str
        The comparator of the question.

    Returns
    -------
    list of GroupSynthesis
        In the order of the protocol; groups of which no comparative study tells have no results.
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
        kind = possible_synthesis(effects, left_out, pools, constructs=list(constructs))
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
            )
        )
    return found


def one_sided(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the one-sided p towards LDN of rows of the directions table."""
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
    for row in results.to_dict("records"):
        is_other = row["comparator_class"] != comparator_class
        is_open = not (row["blinding"] in MASKED or selection.allow_single_blind)
        words = [
            *[f"compared with {row['comparator_class']}"] * is_other,
            *[NOT_RANDOMISED] * (not (row["is_randomised"] or selection.allow_non_randomised)),
            *[NOT_BLIND] * is_open,
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
