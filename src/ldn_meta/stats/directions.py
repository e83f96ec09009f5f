"""Whether studies whose effects cannot be pooled point one way more often than a coin would.

A vote count by the direction of the point estimate, never by significance; it answers nothing
about size. McKenzie & Brennan, Cochrane Handbook, chapter 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    FloatArray,
    FloatOrArray,
    FrozenRecord,
    Interval,
    checked,
    confidence_level,
    numbers,
    one_of,
    ordered,
    plain,
    together,
)
from ldn_meta.stats.proportions import clopper_pearson_interval, wilson_interval


def albatross_contour(p_one_sided: ArrayLike, effect: ArrayLike) -> FloatOrArray:
    """Return the number of people at which a standardised difference has a given p.

    Two equal groups, N people in both: var(d) = 4 / N + d^2 / 2N, so that with z the upper normal
    quantile of p, N = z^2 (4 / d^2 + 1/2). NaN where the p is on the other side of no difference.


    Source: Harrison et al. 2017, Res Synth Methods 8:281.

    Examples
    --------
    >>> print(round(albatross_contour(0.025, 0.5), 1))
    63.4
    """
    p = numbers("p_one_sided", p_one_sided, above=0, below=1)
    p, d = checked(p_one_sided=p, effect=effect)
    z = -ndtri(p)
    usable = np.where(d == 0, np.nan, d)
    people = np.square(z) * (4.0 / np.square(usable) + 0.5)
    return plain(np.where(z * d < 0, np.nan, people))


COMBINING_METHODS = ("fisher", "stouffer")
NO_P = "no usable p-value: nothing was combined"
ONE_P = "one p-value: it stands for itself, nothing was combined"
NO_Z = "a p of 0 and a p of 1 meet, of which Stouffer's method makes no number"


def one_sided_p(p_low: ArrayLike, p_high: ArrayLike, sign: ArrayLike) -> Interval:
    """Turn two-sided p-values, known as intervals, into one-sided ones towards the treatment.

    Towards it (sign above 0) p / 2; away from it 1 - p / 2. Where the estimate is printed as
    nought (sign 0) its side was lost in rounding: everything from p_low / 2 to 1 - p_low / 2.

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
    """One p-value from several, as an interval where some of them are intervals."""

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
    left_out = int(np.count_nonzero(~here))
    weight = _weights(weights, method, here)
    k = here.sum(axis=-1)
    ends = [_combined(np.where(here, end, np.nan), method, weight) for end in (high, low)]
    (statistic_low, largest), (statistic_high, smallest) = ends
    notes = [NO_P] * bool(np.any(k == 0)) + [ONE_P] * bool(np.any(k == 1))
    if left_out:
        notes.append(f"{left_out} of {here.size} p-values are missing (NaN) and were left out")
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


def _combined(p: FloatArray, method: str, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Statistic and p of what is not NaN; NaN where that is nothing, or 0 beside 1 (Stouffer)."""
    from scipy.stats import combine_pvalues

    of_method = {"weights": weight} if method == "stouffer" else {}
    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)
        found = combine_pvalues(p, method=method, axis=-1, nan_policy="omit", **of_method)
    return np.asarray(found.statistic), np.asarray(found.pvalue)


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


NO_SIGN = "no study points to either side: share, intervals and p are not defined"


@dataclass(frozen=True, eq=False)
class SignTest(FrozenRecord):
    """Studies on each side of no difference, and how far a fair coin would explain them."""

    n_for: FloatOrArray
    n_against: FloatOrArray
    n_ties: FloatOrArray
    share: FloatOrArray
    p_value: FloatOrArray
    wilson_low: FloatOrArray
    wilson_high: FloatOrArray
    exact_low: FloatOrArray
    exact_high: FloatOrArray
    level: float
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return counts and p on one line."""
        return (
            f"<SignTest: {self.n_for} for, {self.n_against} against, {self.n_ties} between; "
            f"p = {self.p_value}>"
        )


def sign_test(
    n_for: ArrayLike, n_against: ArrayLike, *, n_ties: ArrayLike = 0, level: float = 0.95
) -> SignTest:
    """Test whether studies point one way more often than chance would have it.

    p = min(1, 2 P(X <= min(n_for, n_against))), X binomial of n_for + n_against at 0.5.

    What it is not: a small and a large effect, a small and a large study all count one. Under no
    effect anywhere the test is exact; the share itself has no simple meaning, for larger studies
    find the right side more often (Nikolakopoulos 2020).


    Source: Cochrane Handbook, section 12.2.1.3; Nikolakopoulos 2020, Res Synth Methods 11:714.

    Examples
    --------
    Nine studies of nine on one side; five of six (Hilton Boon & Thomson 2019 print these two p).

    >>> print(f"{sign_test(9, 0).p_value:.4f} {sign_test(5, 1).p_value:.4f}")
    0.0039 0.2188
    """
    up, down, ties = together(
        n_for=_counts("n_for", n_for),
        n_against=_counts("n_against", n_against),
        n_ties=_counts("n_ties", n_ties),
    )
    checked = confidence_level(level)
    n = up + down
    tested = np.where(n > 0, n, np.nan)
    fewer = np.minimum(up, down)
    p_value = np.minimum(1.0, 2 * betainc(tested - fewer, fewer + 1, 0.5))
    wilson = wilson_interval(np.where(n > 0, up, np.nan), tested, level=checked)
    exact = clopper_pearson_interval(np.where(n > 0, up, np.nan), tested, level=checked)
    return SignTest(
        n_for=plain(up),
        n_against=plain(down),
        n_ties=plain(ties),
        share=plain(up / tested),
        p_value=plain(p_value),
        wilson_low=wilson.low,
        wilson_high=wilson.high,
        exact_low=exact.low,
        exact_high=exact.high,
        level=checked,
        notes=(NO_SIGN,) if np.any(n == 0) else (),
    )


def _counts(name: str, value: ArrayLike) -> FloatArray:
    counts = numbers(name, value, at_least=0)
    broken = counts != np.floor(counts)
    if np.any(broken & ~np.isnan(counts)):
        first = counts[broken & ~np.isnan(counts)].flat[0]
        raise ArgumentError(f"{name}: {first:g} is not allowed; whole numbers of at least 0")
    return counts
