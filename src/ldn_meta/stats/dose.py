"""The dose that works in a given share of people, from counts at each dose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose_dixon_mood import dixon_mood
from ldn_meta.stats.dose_inputs import dose_table, share_between, shrinkage_target
from ldn_meta.stats.dose_interval import dose_limits
from ldn_meta.stats.dose_isotonic import DoseCurve, centered_isotonic, dose_at, isotonic
from ldn_meta.stats.dose_model import LINKS, fit_models
from ldn_meta.stats.dose_model_interval import (
    delta_limits,
    fieller_limits,
    model_dose,
    profile_limits,
)
from ldn_meta.stats.inputs import FloatArray, confidence_level, one_of
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import Interval

METHODS = ("cir", "ir", "probit", "logit", "dixon-mood")
# The intervals each method has; the first is the default.
CI_METHODS = {
    "cir": ("morris-delta",),
    "ir": ("morris-delta",),
    "probit": ("profile", "fieller", "delta"),
    "logit": ("profile", "fieller", "delta"),
    "dixon-mood": ("none",),
}
NAMES = {
    "cir": "centred isotonic regression",
    "ir": "isotonic regression",
    "probit": "probit regression",
    "logit": "logit regression",
    "dixon-mood": "Dixon-Mood",
}


@dataclass(frozen=True, eq=False)
class DoseEstimate(FrozenRecord):
    """A dose that a share of people responds to, with its interval.

    Attributes
    ----------
    target : float
        The share (0-1): 0.5 for the ED50, 0.95 for the ED95.
    method, ci_method : str
        How it was estimated; see `dose_for`.
    level : float
        Level of the interval.
    estimate, ci_low, ci_high : float
        In the unit of the doses given. An infinite end is no bound at all; NaN is not defined.
    people : int
        People treated.
    notes : tuple of str
        Why something is not defined, or should not be read.
    """

    target: float
    method: str
    ci_method: str
    level: float
    estimate: float
    ci_low: float
    ci_high: float
    people: int
    notes: tuple[str, ...]


def dose_for(
    dose: ArrayLike,
    responders: ArrayLike,
    n: ArrayLike,
    *,
    target: float = 0.5,
    method: str = "cir",
    ci_method: str | None = None,
    level: float = 0.95,
    shrink_to: float | None = None,
    log_dose: bool = False,
) -> DoseEstimate:
    """Estimate the dose that works in a share of people.

    ==========  =================================================================================
    cir         centred isotonic regression (Oron and Flournoy 2017): assumes only that a higher
                dose never works in fewer people; says nothing beyond the shares it was fitted to
    ir          isotonic regression (Stylianou and Flournoy 2002)
    probit      normal tolerance distribution, maximum likelihood
    logit       logistic tolerance distribution, maximum likelihood
    dixon-mood  mean of the doses with the rarer outcome, for up-and-down designs with equal steps
                (Dixon and Mood 1948); other targets by the spread of those doses
    ==========  =================================================================================

    Intervals: "morris-delta" for isotonic curves (`ldn_meta.stats.dose_interval`); "profile"
    (likelihood), "fieller" or "delta" for models (`ldn_meta.stats.dose_model_interval`); none for
    dixon-mood, whose own is read off a chart.

    Parameters
    ----------
    dose : array_like (k,)
        Distinct doses, in any order and unit.
    responders, n : array_like (k,)
        People who responded and people treated at each dose.
    target : float
        Share of people, 0.5 for the ED50.
    method, ci_method, level
        As above.
    shrink_to : float, optional
        For cir and ir: target of the adaptive design the counts come from; see
        `ldn_meta.stats.dose_isotonic.isotonic`.
    log_dose : bool
        For probit and logit: whether the curve is one of the logarithm of dose.

    Returns
    -------
    DoseEstimate

    Raises
    ------
    ArgumentError
        If an option is unknown or does not belong to the method, or the counts are not usable.
    ConvergenceError
        If the fit of a model does not converge.

    Examples
    --------
    >>> found = dose_for([1, 2, 3, 4], [0, 1, 3, 2], [2, 4, 4, 2])
    >>> round(found.estimate, 3)
    2.5
    """
    one_of("method", method, METHODS)
    target, level = share_between("target", target), confidence_level(level)
    chosen = CI_METHODS[method][0] if ci_method is None else ci_method
    one_of(f"ci_method of {method}", chosen, CI_METHODS[method])
    x, r, size = dose_table(dose, responders, n)
    to = shrinkage_target(shrink_to)
    if to is not None and method not in ("cir", "ir"):
        message = f"shrink_to={shrink_to!r} with method={method!r}; allowed: with cir or ir"
        raise ArgumentError(message)
    if log_dose and (method not in LINKS or x[0] <= 0.0):
        message = (
            f"log_dose=True with method={method!r} and a lowest dose of {x[0]:g}; "
            "allowed: with probit or logit and doses above 0"
        )
        raise ArgumentError(message)
    if method in LINKS:
        found, limits, notes = _by_model(
            np.log(x) if log_dose else x, r, size, target, method, chosen, level
        )
        if log_dose:
            with np.errstate(over="ignore"):
                found = float(np.exp(found))
                limits = Interval(float(np.exp(limits.low)), float(np.exp(limits.high)))
    elif method == "dixon-mood":
        found, notes = dixon_mood(x, r, size, target=target)
        limits = Interval(np.nan, np.nan)
    else:
        fit = centered_isotonic if method == "cir" else isotonic
        found, limits, notes = _by_curve(fit(x, r, size, shrink_to=to), x, target, level)
    return DoseEstimate(
        target=target,
        method=method,
        ci_method=chosen,
        level=level,
        estimate=found,
        ci_low=float(limits.low),
        ci_high=float(limits.high),
        people=int(size.sum()),
        notes=notes,
    )


def _by_curve(
    curve: DoseCurve, dose: FloatArray, target: float, level: float
) -> tuple[float, Interval, tuple[str, ...]]:
    found = float(dose_at(curve.dose, curve.share, target))
    if np.isnan(found):
        reached = f"{curve.share[0]:.3g} to {curve.share[-1]:.3g}"
        note = f"the fitted shares run from {reached} and do not pass through {target:g}"
        return found, Interval(np.nan, np.nan), (note,)
    limits = dose_limits(curve, target, level=level, spacing=float(np.diff(dose).mean()))
    notes = () if np.isfinite([limits.low, limits.high]).all() else ("an end is not defined",)
    return found, limits, notes


def _by_model(
    x: FloatArray,
    responders: FloatArray,
    n: FloatArray,
    target: float,
    link: str,
    ci_method: str,
    level: float,
) -> tuple[float, Interval, tuple[str, ...]]:
    models = fit_models(x, responders[None, :], n[None, :], link=link)
    nothing = Interval(np.nan, np.nan)
    if models.is_separated[0]:
        note = (
            "every dose that failed lies on one side of every dose that worked: a steeper curve "
            "always fits as well, so there is no best one"
        )
        return np.nan, nothing, (note,)
    found = float(model_dose(models, target)[0])
    if np.isnan(found):
        return found, nothing, ("the fitted share does not rise with dose",)
    if ci_method == "profile":
        limits = profile_limits(x, responders, n, models, target, level=level)
    else:
        compute = delta_limits if ci_method == "delta" else fieller_limits
        both = compute(models, target, level=level)
        limits = Interval(float(both.low[0]), float(both.high[0]))
    notes: tuple[str, ...] = ()
    if np.isinf([limits.low, limits.high]).any():
        notes = ("an end is infinite: no dose, however far, is ruled out on that side",)
    return found, limits, notes
