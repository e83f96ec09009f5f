"""Whether at least one of several studies shows an effect towards LDN: p-values combined.

A result known only as "p < 0.05" or "not significant" is an interval of p, and so is what comes
of it. A combined p is no size of effect. METHODS.md section 5; Cochrane Handbook, chapter 12.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, one_of
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import FloatOrArray, Interval, numbers, ordered, plain, together

COMBINING_METHODS = ("fisher", "stouffer")
NO_P = "no usable p-value: nothing was combined"
ONE_P = "one p-value: it stands for itself, nothing was combined"
NO_Z = "a p of 0 and a p of 1 meet, of which Stouffer's method makes no number"


def one_sided_p(p_low: ArrayLike, p_high: ArrayLike, sign: ArrayLike) -> Interval:
    """Turn two-sided p-values, known as intervals, into one-sided ones towards LDN.

    Towards LDN (sign above 0) p / 2; away from it 1 - p / 2. Where the estimate is printed as
    nought (sign 0) its side was lost in rounding: everything from p_low / 2 to 1 - p_low / 2.

    Parameters
    ----------
    p_low, p_high : float or array, (...)
        Ends of the two-sided p, 0 to 1; the same twice for a p that is known exactly.
    sign : float or array, (...)
        Of the point estimate, above 0 where it favours LDN; NaN, not known, gives NaN.

    Returns
    -------
    Interval
        One-sided p, 0 to 1.

    Raises
    ------
    ArgumentError
        If a p is outside 0 to 1 or p_low is above p_high.

    Examples
    --------
    >>> one_sided_p(0.0, 0.05, 1), one_sided_p(0.0, 0.05, -1)
    (Interval(low=0.0, high=0.025), Interval(low=0.975, high=1.0))
    """
    low, high, side = together(
        p_low=numbers("p_low", p_low, at_least=0, at_most=1),
        p_high=numbers("p_high", p_high, at_least=0, at_most=1),
        sign=numbers("sign", sign),
    )
    ordered("p_low", low, "p_high", high)
    gone = np.isnan(side + low + high)
    one_low = np.select([gone, side < 0], [np.nan, 1 - high / 2], low / 2)
    one_high = np.select([gone, side > 0], [np.nan, high / 2], 1 - low / 2)
    return Interval(plain(one_low), plain(one_high))


@dataclass(frozen=True, eq=False)
class CombinedP(FrozenRecord):
    """One p-value from several, as an interval where some of them are intervals.

    Attributes
    ----------
    method : str
        One of COMBINING_METHODS.
    k : float or array, (...)
        P-values combined.
    statistic_low, statistic_high : float or array, (...)
        Fisher: chi squared on 2 k degrees of freedom. Stouffer: standard normal.
    p_low, p_high : float or array, (...)
        One-sided combined p; equal where every p is known exactly. Not a size of effect: with
        enough people a trivial effect gives a small p.
    notes : tuple of str
    """

    method: str
    k: FloatOrArray
    statistic_low: FloatOrArray
    statistic_high: FloatOrArray
    p_low: FloatOrArray
    p_high: FloatOrArray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return method and p on one line."""
        return f"<CombinedP: {self.method}, k = {self.k}; p {self.p_low} to {self.p_high}>"


def combine_p(
    p: ArrayLike,
    p_high: ArrayLike | None = None,
    *,
    method: str = "fisher",
    weights: ArrayLike | None = None,
) -> CombinedP:
    """Combine one-sided p-values of independent studies along the last axis.

    Fisher: X = -2 sum ln p, chi squared on 2 k df. Stouffer: Z = sum w z(p) / sqrt(sum w^2),
    standard normal, z(p) the upper quantile. Both grow as any p shrinks, so p-values known only
    as intervals give an interval: all low ends together, and all high ends.

    Parameters
    ----------
    p : float or array, (..., k)
        One-sided, all towards the same side, 0 to 1; NaN is missing. The low ends with `p_high`.
    p_high : float or array, (..., k), optional
        High ends; `p` itself by default. Missing where either end is.
    method : {"fisher", "stouffer"}
        Fisher leans on the smallest p; in Stouffer opposite results cancel.
    weights : array, (..., k), optional
        For Stouffer only, above 0, such as the root of the number of people (Zaykin 2011);
        equal by default.

    Returns
    -------
    CombinedP
        NaN with a note where no p is left; one p stands for itself.

    Raises
    ------
    ArgumentError
        If the method is not known, a p is outside 0 to 1, a low end is above its high end, or
        weights are not above 0, are missing beside a p, or meet Fisher's method.

    Source: Fisher 1925; Stouffer 1949; Cochrane Handbook, section 12.2.1.2; Becker 1994.

    Examples
    --------
    >>> print(f"{combine_p([0.016, 0.067, 0.25, 0.405, 0.871]).statistic_low:.3f}")
    18.533
    """
    one_of("method", method, COMBINING_METHODS)
    low = np.atleast_1d(numbers("p", p, at_least=0, at_most=1))
    high = low if p_high is None else numbers("p_high", p_high, at_least=0, at_most=1)
    low, high = together(p=low, p_high=np.atleast_1d(high))
    ordered("p", low, "p_high", high)
    here = ~np.isnan(low + high)
    weight = _weights(weights, method, here)
    k = here.sum(axis=-1)
    combined = _fisher if method == "fisher" else _stouffer
    ends = [combined(np.where(here, end, np.nan), weight, k) for end in (high, low)]
    (statistic_low, largest), (statistic_high, smallest) = ends
    notes = [NO_P] * bool(np.any(k == 0)) + [ONE_P] * bool(np.any(k == 1))
    if np.any((k > 0) & np.isnan(statistic_low + statistic_high)):
        notes.append(NO_Z)
    return CombinedP(
        method=method,
        k=plain(k),
        statistic_low=plain(statistic_low),
        statistic_high=plain(statistic_high),
        p_low=plain(smallest),
        p_high=plain(largest),
        notes=tuple(notes),
    )


def _fisher(p: FloatArray, _weight: FloatArray, k: FloatArray) -> tuple[FloatArray, FloatArray]:
    with np.errstate(divide="ignore"):
        statistic = np.where(k > 0, -2 * np.nansum(np.log(p), axis=-1), np.nan)
    return statistic, np.asarray(chdtrc(2 * k, statistic))


def _stouffer(p: FloatArray, weight: FloatArray, k: FloatArray) -> tuple[FloatArray, FloatArray]:
    z = -ndtri(p)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.where(np.isnan(z), 0.0, weight * z).sum(axis=-1)
        statistic = total / np.sqrt(np.square(weight).sum(axis=-1))
    return statistic, np.asarray(ndtr(-statistic))


def _weights(weights: ArrayLike | None, method: str, here: FloatArray) -> FloatArray:
    """Weights of the p-values that are there, 0 for the others."""
    if weights is None:
        return np.where(here, 1.0, 0.0)
    if method == "fisher":
        raise ArgumentError("weights: Fisher's method has none; allowed: with method='stouffer'")
    given, there = together(weights=numbers("weights", weights, above=0), p=here)
    lacking = there.astype(bool) & np.isnan(given)
    if lacking.any():
        raise ArgumentError(
            "weights: missing beside a p-value; allowed: a weight above 0 for every p, or none"
        )
    return np.where(there, given, 0.0)
