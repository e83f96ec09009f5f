"""Dixon and Mood's estimate for up-and-down trials with equal steps."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray

# Dixon and Mood 1948: s = 1.620 d (B / N - (A / N)^2 + 0.029), unless the bracket without its
# last term is at most 0.3.
SPREAD_FACTOR, SPREAD_SHIFT, LEAST_SPREAD = 1.620, 0.029, 0.3
# Steps that differ by less than this share of their mean are equal but for rounding.
EQUAL_STEPS = 1e-6


def dixon_mood(
    dose: FloatArray, responders: FloatArray, n: FloatArray, *, target: float
) -> tuple[float, tuple[str, ...]]:
    """Estimate a dose from the mean and spread of the doses with the rarer outcome.

    The ED50 is their mean, half a step lower if the rarer outcome is response, half a step higher
    if it is not (as many of each: not). Another target lies z(target) s away.

    Parameters
    ----------
    dose, responders, n : ndarray (k,)
        Ascending doses with equal steps, counts.
    target : float

    Returns
    -------
    estimate : float
        NaN where everybody, or nobody, responded; for targets other than one half also where the
        spread is too small for the formula.
    notes : tuple of str

    Raises
    ------
    ArgumentError
        If the steps between doses differ.

    Notes
    -----
    Dixon and Mood 1948, Journal of the American Statistical Association 43:109-126, section 4. It
    takes tails of equal outcomes and visits to the end of the ladder for signal (Oron, Souter and
    Flournoy 2022, Anesthesiology 137:137-150): given for comparison with what papers print.
    """
    steps = np.diff(dose)
    if steps.size and np.ptp(steps) > EQUAL_STEPS * steps.mean():
        message = f"dose={dose.tolist()} has unequal steps; allowed with dixon-mood: equal steps"
        raise ArgumentError(message)
    failed = n - responders
    is_response_rarer = responders.sum() < failed.sum()
    rarer = responders if is_response_rarer else failed
    if rarer.sum() == 0 or steps.size == 0:
        return np.nan, ("everybody or nobody responded, or one dose only was tested",)
    step = float(steps.mean())
    count = float(rarer.sum())
    place = np.arange(dose.size)
    mean = float(rarer @ dose) / count + (-0.5 if is_response_rarer else 0.5) * step
    z = float(ndtri(target))
    if z == 0.0:
        return mean, ()
    spread = float(rarer @ place**2) / count - (float(rarer @ place) / count) ** 2
    if spread <= LEAST_SPREAD:
        note = f"spread {spread:.3g} is at most {LEAST_SPREAD}: the formula for s does not hold"
        return np.nan, (note,)
    return mean + z * SPREAD_FACTOR * step * (spread + SPREAD_SHIFT), ()
