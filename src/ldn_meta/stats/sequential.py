"""Trial by trial: how far the evidence has come, and whether it crossed a boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import (
    BoolArray,
    FloatArray,
    Labels,
    trial_labels,
)
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.sequential_boundaries import (
    LEAST_FRACTION,
    LEAST_STEP,
    futility_boundaries,
    obf_boundaries,
)
from ldn_meta.stats.sequential_pool import complete_trials, cumulative_z, places
from ldn_meta.stats.sequential_size import error_rate
from ldn_meta.stats.values import numbers


@dataclass(frozen=True, eq=False)
class SequentialLook(FrozenRecord):
    """What trial sequential analysis says, look by look; a look is the evidence up to a trial.

    Attributes
    ----------
    labels : tuple of str
        The trial each look added.
    minimal_effect, alpha, power : float
        Effect worth finding, type I error (two-sided), probability to find it.
    tau2_method : str
        How spread between trials was estimated.
    estimate, z : ndarray (k,)
        Pooled effect and its Z (Wald) at each look.
    diversity : float
        D2 the required information was adjusted for.
    required_information : float
        (z_alpha + z_beta)^2 / minimal_effect^2 / (1 - D2), in units of 1 / variance.
    required_people : float
        The same in people, at the information a person gave in these trials; NaN without `people`.
    information_fraction : ndarray (k,)
        Share of the required information reached.
    boundary, futility : ndarray (k,)
        Size of Z beyond which there is an effect, and below which there is none of the size looked
        for; NaN where not defined.
    crossed : tuple of str
        "effect (positive)", "effect (negative)", "futility", "none" or "not defined".
    inflation : float
        By how much the looks raise the information needed for the power stated.
    notes : tuple of str
        Why something is not defined, or should not be read.
    """

    labels: tuple[str, ...]
    minimal_effect: float
    alpha: float
    power: float
    tau2_method: str
    estimate: FloatArray
    z: FloatArray
    diversity: float
    required_information: float
    required_people: float
    information_fraction: FloatArray
    boundary: FloatArray
    futility: FloatArray
    crossed: tuple[str, ...]
    inflation: float
    notes: tuple[str, ...]


def sequential_look(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    minimal_effect: float,
    people: ArrayLike | None = None,
    order: ArrayLike | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    tau2_method: str = "dl",
    diversity: float | None = None,
    labels: Labels = None,
) -> SequentialLook:
    """Look at a growing meta-analysis with boundaries that allow for looking repeatedly.

    The information fraction is sum 1 / vi of the trials so far over (z_alpha + z_beta)^2 /
    minimal_effect^2 / (1 - D2): for mean differences of parallel groups the same as people over
    the diversity-adjusted required information size with the variance seen in the trials.
    Boundaries are those of `obf_boundaries` and `futility_boundaries`, two-sided, the latter with
    the looks had and one more at 1.

    Parameters
    ----------
    yi, vi : array_like (k,)
        Effects and their sampling variances, on a scale on which `minimal_effect` is meant.
    minimal_effect : float
        Smallest effect worth finding; its sign does not matter.
    people : array_like (k,), optional
        People in each trial, to tell the required information in people.
    order : array_like of int (k,), optional
        Places of the trials in the order they were added, by year as a rule.
    alpha, power : float
        Type I error, both sides together, and probability to find the minimal effect.
    tau2_method : str
        As in `ldn_meta.stats.pool.pool`.
    diversity : float, optional
        D2 to adjust for (0-1); that of all trials together by default.
    labels : sequence, optional
        Names of the trials (k,).

    Returns
    -------
    SequentialLook

    Raises
    ------
    ArgumentError
        If an option or an array is not usable, or a trial is missing.
    ConvergenceError
        If an iteration does not converge.

    Notes
    -----
    Wetterslev and others 2008, Journal of Clinical Epidemiology 61:64-75; Wetterslev, Jakobsen
    and Gluud 2017, BMC Medical Research Methodology 17:39. A look back at published trials:
    the boundaries hold for looks planned before results were known.
    """
    y, v = complete_trials(yi, vi)
    place = places(order, y.size)
    names = trial_labels(labels, y.size)
    alpha, power = error_rate("alpha", alpha), error_rate("power", power)
    size = abs(float(numbers("minimal_effect", minimal_effect)))
    if not size > 0.0:
        message = f"minimal_effect={minimal_effect!r} is not allowed; allowed: an effect, not 0"
        raise ArgumentError(message)
    cumulative = cumulative_z(y, v, order=place, tau2_method=tau2_method)
    notes = ["a look back at published trials; boundaries hold for looks planned beforehand"]
    d2 = (
        cumulative.diversity[-1]
        if diversity is None
        else float(numbers("diversity", diversity, at_least=0, below=1))
    )
    if diversity is None and y.size < 3:
        notes.append(
            f"diversity rests on {y.size} trial{'' if y.size == 1 else 's'}: hardly known"
        )
    quantiles = (float(ndtri(alpha / 2.0)) + float(ndtri(1.0 - power))) ** 2
    required = quantiles / size**2 / (1.0 - d2)
    fraction = cumulative.information / required
    needed = np.nan
    if people is not None:
        number = numbers("people", people, above=0)
        if number.shape != y.shape:
            message = f"people has shape {number.shape}; allowed: {y.shape}, one per trial"
            raise ArgumentError(message)
        needed = float(number.sum() / fraction[-1])
    usable, more = _looks_with_error_to_spend(fraction)
    notes += more
    boundary, futility = np.full(y.size, np.nan), np.full(y.size, np.nan)
    inflation = np.nan
    if usable.any():
        looks = np.minimum(fraction[usable], 1.0)
        boundary[usable] = obf_boundaries(looks, alpha=alpha)
        last = looks[-1] > 1.0 - LEAST_STEP
        planned = np.append(looks[:-1] if last else looks, 1.0)
        design = futility_boundaries(planned, alpha=alpha, power=power)
        futility[usable] = design.futility[: looks.size]
        inflation = design.inflation
    return SequentialLook(
        labels=tuple(names[i] for i in place),
        minimal_effect=size,
        alpha=alpha,
        power=power,
        tau2_method=tau2_method,
        estimate=cumulative.estimate,
        z=cumulative.z,
        diversity=float(d2),
        required_information=float(required),
        required_people=needed,
        information_fraction=fraction,
        boundary=boundary,
        futility=futility,
        crossed=tuple(map(_crossed, cumulative.z, boundary, futility)),
        inflation=float(inflation),
        notes=tuple(notes),
    )


def _looks_with_error_to_spend(fraction: FloatArray) -> tuple[BoolArray, list[str]]:
    """Return which looks have a boundary, and why the others have none."""
    usable = np.zeros(fraction.size, dtype=np.bool_)
    notes = []
    last = 0.0
    for i, at in enumerate(np.minimum(fraction, 1.0)):
        usable[i] = at >= LEAST_FRACTION and at - last >= LEAST_STEP
        last = at if usable[i] else last
    early, late = fraction < LEAST_FRACTION, ~usable & (fraction >= LEAST_FRACTION)
    if early.any():
        notes.append(
            f"no boundary at looks before {LEAST_FRACTION:g} of the required information "
            f"({int(early.sum())} of {fraction.size}): nothing could cross it"
        )
    if late.any():
        notes.append(
            f"no boundary at looks without error left to spend ({int(late.sum())} of "
            f"{fraction.size}): they add no information, or come after all that is required"
        )
    if (fraction > 1.0).any():
        notes.append("the required information was passed: the first look beyond it is the last")
    return usable, notes


def _crossed(z: float, boundary: float, futility: float) -> str:
    if np.isnan(boundary) or np.isnan(z):
        return "not defined"
    if abs(z) >= boundary:
        return "effect (positive)" if z > 0.0 else "effect (negative)"
    return "futility" if abs(z) < futility else "none"
