"""Whether studies whose effects cannot be pooled point one way more often than a coin would.

A vote count by the direction of the point estimate, never by significance; it answers nothing
about size. METHODS.md section 5; McKenzie & Brennan, Cochrane Handbook, chapter 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, chdtrc, ndtr, ndtri

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    FloatArray,
    FloatOrArray,
    FrozenRecord,
    Interval,
    confidence_level,
    numbers,
    one_of,
    ordered,
    plain,
    together,
)
from ldn_meta.stats.proportions import clopper_pearson_interval, wilson_interval

CONTOUR_MEASURES = ("SMD", "OR", "RR", "RD")
INVERTIBLE = ("SMD", "OR")
# A logistic distribution has this standard deviation: a log odds ratio is an SMD times it.
LOGISTIC_SD = np.pi / np.sqrt(3.0)


def albatross_contour(
    p_one_sided: ArrayLike,
    effect: ArrayLike,
    *,
    measure: str = "SMD",
    correlation: float | None = None,
    baseline_risk: float | None = None,
) -> FloatOrArray:
    """Return the number of people at which an effect has a given p.

    With z the upper normal quantile of p, N = z^2 times what N var(effect) is, over effect^2:

    * SMD d, two equal groups, N in both: var = 4 / N + d^2 / 2N, so N = z^2 (8 + d^2) / 2 d^2;
    * SMD with `correlation` r, N pairs (crossover): var = 2 (1 - r) / N + d^2 / 2N, so
      N = z^2 (2 (1 - r) / d^2 + 1/2), d in standard deviations between people;
    * OR (log): the SMD it stands for, log OR = d pi / sqrt(3);
    * RR (log), RD with `baseline_risk` q, two equal groups, risk r with the effect:
      N = 2 z^2 ((1 - r) / r + (1 - q) / q) / log RR^2, N = 2 z^2 (r (1 - r) + q (1 - q)) / RD^2.


    Source: Harrison et al. 2017, Res Synth Methods 8:281, whose contours for SMD and OR these
    are; the others follow from the usual large-sample variances.

    Examples
    --------
    >>> print(round(albatross_contour(0.025, 0.5), 1))
    63.4
    """
    one_of("measure", measure, CONTOUR_MEASURES)
    _check_options(measure, correlation, baseline_risk)
    z, size = together(
        p_one_sided=-ndtri(numbers("p_one_sided", p_one_sided, above=0, below=1)),
        effect=numbers("effect", effect),
    )
    scaled = size / LOGISTIC_SD if measure == "OR" else size
    usable = np.where(size == 0, np.nan, scaled)
    if measure in INVERTIBLE:
        people = np.square(z) * (_spread(correlation) / np.square(usable) + 0.5)
    else:
        people = np.square(z / usable) * 2 * _risk_variance(measure, usable, baseline_risk)
    return plain(np.where(z * size < 0, np.nan, people))


def albatross_effect(
    p_one_sided: ArrayLike,
    n: ArrayLike,
    *,
    measure: str = "SMD",
    correlation: float | None = None,
) -> FloatOrArray:
    """Return the effect whose contour runs through a p and a number of people.

    The inverse of `albatross_contour`: d^2 = 4 z^2 / (N - z^2 / 2) for two equal groups, and
    2 (1 - r) z^2 / (N - z^2 / 2) for pairs. Risk ratios are not offered: two of them can have
    the same p with the same people.

    Examples
    --------
    >>> print(round(albatross_effect(0.025, 63.4), 2))
    0.5
    """
    one_of("measure", measure, INVERTIBLE)
    _check_options(measure, correlation, None)
    z, people = together(
        p_one_sided=-ndtri(numbers("p_one_sided", p_one_sided, above=0, below=1)),
        n=numbers("n", n, above=0),
    )
    room = people - np.square(z) / 2
    size = np.sqrt(_spread(correlation) / np.where(room > 0, room, np.nan)) * z
    return plain(size * LOGISTIC_SD if measure == "OR" else size)


def _spread(correlation: float | None) -> float:
    """N var(d) at d = 0: of a difference between two groups, or within people."""
    return 4.0 if correlation is None else 2.0 * (1.0 - correlation)


def _risk_variance(measure: str, effect: FloatArray, baseline_risk: float | None) -> FloatArray:
    """N / 2 times the variance of a log risk ratio or a risk difference."""
    q = float(baseline_risk or np.nan)
    r = q * np.exp(effect) if measure == "RR" else q + effect
    if np.any((r <= 0) | (r >= 1)):
        first = effect[(r <= 0) | (r >= 1)].flat[0]
        raise ArgumentError(
            f"effect: {first:g} is not allowed; allowed: effects that leave the risk, from a "
            f"baseline_risk of {q:g}, between 0 and 1"
        )
    if measure == "RR":
        return np.asarray((1 - r) / r + (1 - q) / q)
    return np.asarray(r * (1 - r) + q * (1 - q))


def _check_options(measure: str, correlation: float | None, baseline_risk: float | None) -> None:
    needs_risk = measure not in INVERTIBLE
    if needs_risk != (baseline_risk is not None):
        allowed = f"needed for {measure}" if needs_risk else f"none for {measure}"
        raise ArgumentError(f"baseline_risk: {baseline_risk!r} is not allowed; {allowed}")
    if baseline_risk is not None:
        numbers("baseline_risk", baseline_risk, above=0, below=1)
    if correlation is not None:
        if measure != "SMD":
            raise ArgumentError(
                f"correlation: {correlation!r} is not allowed; none for {measure}, only for SMD"
            )
        numbers("correlation", correlation, at_least=-1, below=1)


COMBINING_METHODS = ("fisher", "stouffer")
NO_P = "no usable p-value: nothing was combined"
ONE_P = "one p-value: it stands for itself, nothing was combined"
NO_Z = "a p of 0 and a p of 1 meet, of which Stouffer's method makes no number"


def one_sided_p(p_low: ArrayLike, p_high: ArrayLike, sign: ArrayLike) -> Interval:
    """Turn two-sided p-values, known as intervals, into one-sided ones towards LDN.

    Towards LDN (sign above 0) p / 2; away from it 1 - p / 2. Where the estimate is printed as
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
