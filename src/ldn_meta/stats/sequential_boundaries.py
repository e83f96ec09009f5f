"""How large |Z| must be at each look, so that looking again and again does not mislead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, real_array
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.sequential_size import error_rate
from ldn_meta.stats.sequential_walk import Walk, solve

# Below this share of the required information the spent error is smaller than 1e-100, and a
# boundary would be a number of the method alone.
LEAST_FRACTION = 0.01
# Looks closer than this are one look: quadrature would need more nodes than the answer is worth.
LEAST_STEP = 1e-3
LARGEST_Z = 40.0
# Drift, in expected Z at full information, between which the one with the wanted power lies.
DRIFTS = (0.1, 20.0)


@dataclass(frozen=True, eq=False)
class FutilityDesign(FrozenRecord):
    """Boundaries for an effect and for giving up, at the looks of one design.

    Attributes
    ----------
    information_fraction : ndarray (k,)
        Looks; the last is 1.
    boundary : ndarray (k,)
        Z beyond which there is an effect.
    futility : ndarray (k,)
        Z (two-sided: size of Z) below which the effect looked for is not there; not binding.
    drift : float
        Expected Z at full information under the effect looked for.
    inflation : float
        By how much looking raises the information required, against one look: (drift /
        (z_alpha + z_beta))^2.
    """

    information_fraction: FloatArray
    boundary: FloatArray
    futility: FloatArray
    drift: float
    inflation: float


def obf_boundaries(
    information_fractions: ArrayLike, *, alpha: float = 0.05, two_sided: bool = True
) -> FloatArray:
    """Return the O'Brien-Fleming-type alpha-spending boundaries of Lan and DeMets.

    By information fraction t a side has spent 2 - 2 Phi(z(a / 2) / sqrt(t)), where a is alpha, or
    alpha / 2 for each of two sides. The boundary at a look spends exactly what the function gained
    since the look before, by recursive integration.

    Parameters
    ----------
    information_fractions : array_like (k,)
        Looks, ascending, from 0.01 to 1. Boundaries do not depend on looks still to come.
    alpha : float
        Type I error in all, both sides together if `two_sided`.
    two_sided : bool
        Whether harm is looked for as well as benefit.

    Returns
    -------
    ndarray (k,)
        Z: the upper boundary; the lower one is its mirror image.

    Raises
    ------
    ArgumentError
        If fractions do not ascend, or lie outside 0.01 to 1, or alpha is not between 0 and 1.

    Notes
    -----
    Lan and DeMets 1983, Biometrika 70:659-663; Reboussin and others 2000, Controlled Clinical
    Trials 21:190-207. Agrees with R's ldbounds and gsDesign.

    Examples
    --------
    >>> obf_boundaries([0.5, 1.0]).round(4)
    array([2.9626, 1.9686])
    """
    looks = _looks(information_fractions)
    side = error_rate("alpha", alpha) / (2.0 if two_sided else 1.0)
    return spending_boundaries(looks, spent_by_obf(looks, side), two_sided=two_sided)


def spent_by_obf(fractions: FloatArray, error: float) -> FloatArray:
    """Return the error that the O'Brien-Fleming-type function has spent at each fraction."""
    return np.asarray(2.0 * np.exp(log_ndtr(ndtri(error / 2.0) / np.sqrt(fractions))))


def spending_boundaries(
    fractions: FloatArray, spent: FloatArray, *, two_sided: bool
) -> FloatArray:
    """Return the boundaries that spend given amounts of error on a side.

    Parameters
    ----------
    fractions, spent : ndarray (k,)
        Looks, and error of one side spent until each, both ascending.
    two_sided : bool
        Whether a trial ends at the lower boundary too.

    Returns
    -------
    ndarray (k,)
    """
    walk = Walk()
    boundary = np.empty(fractions.size)
    for i, (time, gain) in enumerate(zip(fractions, np.diff(spent, prepend=0.0), strict=True)):
        boundary[i] = solve(partial(walk.above, time), gain, -LARGEST_Z, LARGEST_Z)
        lower = -boundary[i] if two_sided else -np.inf
        walk.go_on(time, [(lower, boundary[i])])
    return boundary


def futility_boundaries(
    information_fractions: ArrayLike,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    two_sided: bool = True,
) -> FutilityDesign:
    """Return boundaries for futility that spend beta as `obf_boundaries` spend alpha.

    The drift is the one at which both boundaries meet at full information, so that power is as
    asked for. Not binding: the boundary for an effect is computed as if nobody ever gave up. Two
    sides make a wedge: a trial gives up when Z is smaller in size than the boundary.

    Parameters
    ----------
    information_fractions : array_like (k,)
        Looks, ascending, from 0.01 to 1; the last must be 1.
    alpha, two_sided
        As in `obf_boundaries`.
    power : float
        Probability to find the effect looked for; beta = 1 - power is spent.

    Returns
    -------
    FutilityDesign

    Raises
    ------
    ArgumentError
        If the fractions are not usable or do not end at 1, or alpha or power is not between 0
        and 1.

    Notes
    -----
    Pampallona, Tsiatis and Kim 2001, Drug Information Journal 35:1113-1121; Jennison and Turnbull
    2000, sections 5.1 and 7.3. One-sided this is gsDesign's test.type 4.
    """
    looks = _looks(information_fractions)
    if looks[-1] != 1.0:
        message = f"information_fractions end at {looks[-1]:g}; allowed: a last look at 1"
        raise ArgumentError(message)
    side = error_rate("alpha", alpha) / (2.0 if two_sided else 1.0)
    beta = 1.0 - error_rate("power", power)
    boundary = spending_boundaries(looks, spent_by_obf(looks, side), two_sided=two_sided)
    return spending_futility(looks, boundary, spent_by_obf(looks, beta), side, two_sided=two_sided)


def spending_futility(
    looks: FloatArray, boundary: FloatArray, spent: FloatArray, side: float, *, two_sided: bool
) -> FutilityDesign:
    """Return the futility design that spends given amounts of type II error.

    Parameters
    ----------
    looks, boundary, spent : ndarray (k,)
        Looks up to 1, boundaries for an effect, type II error spent until each look.
    side : float
        Type I error of one side.
    two_sided : bool

    Returns
    -------
    FutilityDesign
    """

    def missed(drift: float) -> float:
        """How much more is missed than may be, if the last look decides by the boundary alone."""
        walk, _ = _wedge(looks, boundary, spent, drift, two_sided=two_sided)
        gain = float(spent[-1] - (spent[-2] if looks.size > 1 else 0.0))
        return _miss(walk, 1.0, float(boundary[-1]), two_sided=two_sided) - gain

    drift = float(brentq(missed, *DRIFTS, xtol=1e-13))
    _, futility = _wedge(looks, boundary, spent, drift, two_sided=two_sided)
    fixed = -float(ndtri(side)) - float(ndtri(spent[-1]))
    return FutilityDesign(
        information_fraction=looks,
        boundary=boundary,
        futility=np.append(futility, boundary[-1]),
        drift=drift,
        inflation=(drift / fixed) ** 2,
    )


def _wedge(
    looks: FloatArray, boundary: FloatArray, spent: FloatArray, drift: float, *, two_sided: bool
) -> tuple[Walk, FloatArray]:
    """Walk through all looks but the last; return it with the futility boundaries passed."""
    walk = Walk(drift)
    futility = np.empty(looks.size - 1)
    gains = np.diff(spent, prepend=0.0)
    for i, time in enumerate(looks[:-1]):
        lowest = 0.0 if two_sided else -LARGEST_Z
        highest = boundary[i]
        if _miss(walk, time, highest, two_sided=two_sided) <= gains[i]:
            futility[i] = highest
        else:
            under = partial(_miss, walk, time, two_sided=two_sided)
            futility[i] = solve(under, gains[i], lowest, highest)
        if two_sided:
            kept = [(-highest, -futility[i]), (futility[i], highest)]
        else:
            kept = [(futility[i], highest)]
        walk.go_on(time, kept)
    return walk, futility


def _miss(walk: Walk, time: float, z: float, *, two_sided: bool) -> float:
    """Probability to end below `z` (two-sided: within -z and z) at a look."""
    under = walk.below(time, z)
    return under - walk.below(time, -z) if two_sided else under


def _looks(fractions: ArrayLike) -> FloatArray:
    looks = real_array("information_fractions", fractions)
    usable = looks.ndim == 1 and looks.size > 0
    if not usable or not ((looks >= LEAST_FRACTION) & (looks <= 1.0)).all():
        message = (
            f"information_fractions={looks.tolist()!r:.80} is not allowed; allowed: a list of "
            f"numbers from {LEAST_FRACTION:g} to 1"
        )
        raise ArgumentError(message)
    if (np.diff(looks) < LEAST_STEP).any():
        message = (
            f"information_fractions={looks.tolist()!r:.80} do not ascend; allowed: each at least "
            f"{LEAST_STEP:g} above the one before"
        )
        raise ArgumentError(message)
    return looks
