"""Which possible trials would have printed the numbers a paper printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.dose_design import distinct_tables, possible_trials
from ldn_meta.stats.dose_simulation import dose_for_many
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray

# Name, method, whether of the logarithm of dose.
ESTIMATORS = (
    ("centred isotonic regression", "cir", False),
    ("isotonic regression", "ir", False),
    ("probit regression on dose", "probit", False),
    ("logit regression on dose", "logit", False),
    ("probit regression on log dose", "probit", True),
    ("logit regression on log dose", "logit", True),
)
HALF, NEARLY_ALL = 0.5, 0.95


@dataclass(frozen=True)
class FitCount:
    """How many possible trials give a printed ED50, ED95 and both, by one estimator.

    Attributes
    ----------
    estimator : str
    ed50, ed95, both : int
        Trials whose estimate prints as the number printed.
    """

    estimator: str
    ed50: int
    ed95: int
    both: int


@dataclass(frozen=True)
class PossibleTrials:
    """Every course of the trial with one number of changes of outcome, from every first dose.

    Attributes
    ----------
    changes : int
    trials : int
        Courses: orders of outcomes times first doses.
    pair_mean_fits : int
        Courses with the printed number of pairs whose mean midpoint prints as the printed ED50.
    fits : tuple of FitCount
        By estimator.
    tables : tuple
        For each first dose: responders, people (t, k) and times (t,) of the courses.
    pair_tables : tuple
        The same, of those courses only that `pair_mean_fits` counts.
    """

    changes: int
    trials: int
    pair_mean_fits: int
    fits: tuple[FitCount, ...]
    tables: tuple[tuple[IntArray, IntArray, IntArray], ...]
    pair_tables: tuple[tuple[IntArray, IntArray, IntArray], ...]


def trials_that_fit(
    ladder: ArrayLike,
    *,
    people: int,
    responders: int,
    changes: int,
    pairs: int,
    ed50: float,
    ed95: float,
    decimals: int,
) -> PossibleTrials:
    """List all courses of an up-and-down trial, and count those that print as the paper did.

    Parameters
    ----------
    ladder : array_like (k,)
        Doses, ascending.
    people, responders, changes : int
        As in `ldn_meta.stats.dose_design.possible_trials`; every dose is tried as the first.
    pairs : int
        Pairs "failed, then worked" that the paper reports.
    ed50, ed95 : float
        As printed.
    decimals : int
        Digits printed.

    Returns
    -------
    PossibleTrials

    Raises
    ------
    ArgumentError
        If a size is not usable.
    """
    dose = np.asarray(ladder, dtype=np.float64)
    counts = {name: np.zeros(3, dtype=np.int64) for name, _, _ in ESTIMATORS}
    tables, pair_tables = [], []
    listed = by_pairs = 0
    for start in range(dose.size):
        trials = possible_trials(
            rungs=dose.size, start=start, people=people, responders=responders, changes=changes
        )
        listed += trials.level.shape[0]
        r, n, times = distinct_tables(trials)
        tables.append((r, n, times))
        paired = trials.only(trials.pairs == pairs)
        fits = paired.only(prints_as(paired.pair_mean(dose), ed50, decimals))
        by_pairs += fits.level.shape[0]
        pair_tables.append(distinct_tables(fits))
        for name, method, log_dose in ESTIMATORS:
            first, second = dose_for_many(
                dose, r, n, target=[HALF, NEARLY_ALL], method=method, log_dose=log_dose
            )
            low, high = prints_as(first, ed50, decimals), prints_as(second, ed95, decimals)
            counts[name] += [times[low].sum(), times[high].sum(), times[low & high].sum()]
    return PossibleTrials(
        changes=changes,
        trials=listed,
        pair_mean_fits=by_pairs,
        fits=tuple(FitCount(name, *map(int, found)) for name, found in counts.items()),
        tables=tuple(tables),
        pair_tables=tuple(pair_tables),
    )


def prints_as(values: FloatArray, printed: float, decimals: int) -> BoolArray:
    """Return where values print as a number, an exact tie in the last digit either way."""
    half = HALF * 10.0**-decimals
    # A tie computed in doubles may miss by rounding.
    return np.asarray(np.abs(values - printed) <= half * (1.0 + 1e-9) + 1e-12)
