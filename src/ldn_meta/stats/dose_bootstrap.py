"""How far a dose estimate strays when the same up-and-down trial is run again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.dose import dose_for
from ldn_meta.stats.dose_isotonic import centered_isotonic
from ldn_meta.stats.dose_simulation import dose_for_many, simulate_up_and_down
from ldn_meta.stats.inputs import FloatArray, confidence_level
from ldn_meta.stats.records import FrozenRecord


@dataclass(frozen=True, eq=False)
class DoseBootstrap(FrozenRecord):
    """A percentile interval from trials simulated under the fitted curve.

    Attributes
    ----------
    target : float
        Share of people.
    level : float
        Level of the interval.
    estimate, ci_low, ci_high : float
        Of the trial given; ends are quantiles of the simulated estimates that are defined.
    undefined : float
        Share of simulated trials without an estimate (0-1). Where it is not 0 the interval is too
        narrow: the missing estimates lie beyond the ladder.
    estimates : ndarray (trials,)
        Simulated estimates, NaN where undefined.
    """

    target: float
    level: float
    estimate: float
    ci_low: float
    ci_high: float
    undefined: float
    estimates: FloatArray


def bootstrap_dose(
    ladder: ArrayLike,
    responders: ArrayLike,
    n: ArrayLike,
    *,
    start: int,
    trials: int,
    rng: np.random.Generator,
    target: float = 0.5,
    method: str = "cir",
    level: float = 0.95,
    shrink_to: float | None = None,
) -> DoseBootstrap:
    """Simulate the design under the centred isotonic curve, and estimate anew each time.

    Doses outside those tested get the share of the nearest one.

    Parameters
    ----------
    ladder, responders, n : array_like (k,)
        Every dose of the ladder, ascending, with its counts.
    start : int
        Dose of the first person, as its place in the ladder from 0.
    trials : int
        Trials to simulate.
    rng : numpy.random.Generator
        Source of randomness; the same seed gives the same interval.
    target, method, level, shrink_to
        As in `ldn_meta.stats.dose.dose_for`; cir, ir, probit or logit.

    Returns
    -------
    DoseBootstrap

    Raises
    ------
    ArgumentError
        If an option is unknown or the counts are not usable.

    Notes
    -----
    Stylianou, Proschan and Flournoy 2003, Statistics in Medicine 22:535-543. Percentiles without
    bias correction.
    """
    level = confidence_level(level)
    settings = {"target": target, "method": method, "shrink_to": shrink_to}
    found = dose_for(ladder, responders, n, level=level, **settings)  # type: ignore[arg-type]
    curve = centered_isotonic(ladder, responders, n, shrink_to=shrink_to)
    chance = np.interp(np.asarray(ladder, dtype=np.float64), curve.dose, curve.share)
    runs = simulate_up_and_down(chance, people=found.people, start=start, trials=trials, rng=rng)
    again = dose_for_many(ladder, runs.responders, runs.people, **settings)  # type: ignore[arg-type]
    there = again[~np.isnan(again)]
    low, high = np.nan, np.nan
    if there.size:
        low, high = np.quantile(there, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return DoseBootstrap(
        target=found.target,
        level=level,
        estimate=found.estimate,
        ci_low=float(low),
        ci_high=float(high),
        undefined=1.0 - there.size / again.size,
        estimates=again,
    )
