"""Mean and SD behind a median with its quartiles or range, and whether to believe them.

What is given decides the formula, element by element: all five numbers, the quartiles, or the
range; with neither the answer is NaN. All assume a normal outcome: ask `skewness_of_summary`
first, and leave a skewed row out of pools of means.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ldn_meta.stats.inputs import BoolArray, FloatArray
from ldn_meta.stats.values import FloatOrArray, numbers, ordered, plain, together, truth


class SkewnessTest(NamedTuple):
    """A skewness statistic, its 5% critical value, and whether it is reached."""

    statistic: FloatOrArray
    critical: FloatOrArray
    is_skewed: bool | BoolArray


class _Summary(NamedTuple):
    n: FloatArray
    median: FloatArray
    q1: FloatArray
    q3: FloatArray
    minimum: FloatArray
    maximum: FloatArray

    @property
    def has_quartiles(self) -> BoolArray:
        return np.isfinite(self.q1) & np.isfinite(self.q3)

    @property
    def has_range(self) -> BoolArray:
        return np.isfinite(self.minimum) & np.isfinite(self.maximum)

    def chosen(self, five: FloatArray, quartiles: FloatArray, range_: FloatArray) -> FloatArray:
        """Return, element by element, the value that uses everything that was given."""
        both = self.has_quartiles & self.has_range
        with_one = np.where(
            self.has_quartiles, quartiles, np.where(self.has_range, range_, np.nan)
        )
        return np.where(both, five, with_one)


def mean_from_median(
    n: ArrayLike,
    median: ArrayLike,
    *,
    q1: ArrayLike = np.nan,
    q3: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
    maximum: ArrayLike = np.nan,
) -> FloatOrArray:
    """Return the mean behind a median and its quartiles and/or range.

    A weighted average of median, mid-quartiles and mid-range, the weights best for normal data:

    range      w = 4 / (4 + n^0.75):  w (min + max)/2 + (1 - w) median
    quartiles  w = 0.7 + 0.39/n:      w (q1 + q3)/2 + (1 - w) median
    all five   v = 2.2 / (2.2 + n^0.75), w = 0.7 - 0.72/n^0.55:
               v (min + max)/2 + w (q1 + q3)/2 + (1 - v - w) median

    Parameters
    ----------
    n : float or array, (...)
        People, at least 2.
    median, q1, q3, minimum, maximum : float or array, (...)
        As printed, in the units of the outcome; NaN where not given.

    Raises
    ------
    ArgumentError
        If the five numbers are not in order or n is below 2.

    Source: Luo, Wan, Liu & Tong 2018, Stat Methods Med Res 27:1785, scenarios S1 to S3.

    Examples
    --------
    >>> round(mean_from_median(40, 8, q1=5, q3=12, minimum=2, maximum=20), 6)
    8.667198
    """
    s = _summary(n, median, q1, q3, minimum, maximum)
    mid_range, mid_quartiles = (s.minimum + s.maximum) / 2, (s.q1 + s.q3) / 2
    w_range = 4 / (4 + s.n**0.75)
    w_quartiles = 0.7 + 0.39 / s.n
    v = 2.2 / (2.2 + s.n**0.75)
    w = 0.7 - 0.72 / s.n**0.55
    five = v * mid_range + w * mid_quartiles + (1 - v - w) * s.median
    return plain(
        s.chosen(
            five,
            w_quartiles * mid_quartiles + (1 - w_quartiles) * s.median,
            w_range * mid_range + (1 - w_range) * s.median,
        )
    )


def sd_from_quantiles(
    n: ArrayLike,
    *,
    q1: ArrayLike = np.nan,
    q3: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
    maximum: ArrayLike = np.nan,
) -> FloatOrArray:
    """Return the SD behind an interquartile range and/or a range of normal data.

    With r = Phi^-1((n - 0.375)/(n + 0.25)) and h = Phi^-1((0.75 n - 0.125)/(n + 0.25)):

    range      (max - min) / (2 r)
    quartiles  (q3 - q1) / (2 h)
    both       (max - min) / ((2 + 0.14 n^0.6) r) + (q3 - q1) / ((2 + 2/(0.07 n^0.6)) h)

    Parameters
    ----------
    n : float or array, (...)
        People, at least 2.
    q1, q3, minimum, maximum : float or array, (...)
        As printed, in the units of the outcome; NaN where not given. Full quartile and range
        values, not half-widths.

    Raises
    ------
    ArgumentError
        If the numbers are not in order or n is below 2.

    Source: Wan, Wang, Liu & Tong 2014, BMC Med Res Methodol 14:135, scenarios C1 and C3 (one of
    the two); Shi, Luo, Weng et al. 2020, Res Synth Methods 11:641 (both).

    Examples
    --------
    >>> round(sd_from_quantiles(40, q1=5, q3=12, minimum=2, maximum=20), 6)
    4.645538
    """
    s = _summary(n, np.nan, q1, q3, minimum, maximum)
    r = ndtri((s.n - 0.375) / (s.n + 0.25))
    h = ndtri((0.75 * s.n - 0.125) / (s.n + 0.25))
    spread, middle = s.maximum - s.minimum, s.q3 - s.q1
    power = s.n**0.6
    both = spread / ((2 + 0.14 * power) * r) + middle / ((2 + 2 / (0.07 * power)) * h)
    return plain(s.chosen(both, middle / (2 * h), spread / (2 * r)))


def skewness_of_summary(
    n: ArrayLike,
    median: ArrayLike,
    *,
    q1: ArrayLike = np.nan,
    q3: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
    maximum: ArrayLike = np.nan,
) -> SkewnessTest:
    """Return a 5% test, from the summary alone, of whether the median is off the middle.

    With R = |min + max - 2 median| / (max - min) and H = |q1 + q3 - 2 median| / (q3 - q1):

    range      R                                   against 1.01/log(n + 9) + 2.43/(n + 1)
    quartiles  H                                   against 2.66/sqrt(n) - 5.92/n^2
    all five   max(2.65 log(0.6 n)/sqrt(n) R, H)   against 2.97/sqrt(n) - 39.1/n^3

    Not being skewed here is weak evidence in small samples: the test has little power. Below
    five people there are no five numbers: NaN, and not skewed.

    Raises
    ------
    ArgumentError
        If the five numbers are not in order or n is below 2.

    Source: Shi, Luo, Wan et al. 2023, Stat Methods Med Res 32:1338 (arXiv 2010.05749); the null
    rate of 5% is confirmed by simulation in the tests.

    Examples
    --------
    >>> skewness_of_summary(40, 8, q1=5, q3=12, minimum=2, maximum=20).is_skewed
    False
    """
    s = _summary(n, median, q1, q3, minimum, maximum)
    off_range = _off_middle(s.median, s.minimum, s.maximum)
    off_quartiles = _off_middle(s.median, s.q1, s.q3)
    root = np.sqrt(s.n)
    statistic = s.chosen(
        np.maximum(2.65 * np.log(0.6 * s.n) / root * off_range, off_quartiles),
        off_quartiles,
        off_range,
    )
    critical = s.chosen(
        2.97 / root - 39.1 / s.n**3,
        2.66 / root - 5.92 / s.n**2,
        1.01 / np.log(s.n + 9) + 2.43 / (s.n + 1),
    )
    critical = np.where(s.n >= 5, critical, np.nan)
    return SkewnessTest(plain(statistic), plain(critical), truth(statistic > critical))


def _off_middle(median: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    width = np.where(high > low, high - low, np.nan)
    return np.asarray(np.abs(low + high - 2 * median) / width)


def _summary(
    n: ArrayLike,
    median: ArrayLike,
    q1: ArrayLike,
    q3: ArrayLike,
    minimum: ArrayLike,
    maximum: ArrayLike,
) -> _Summary:
    named = {
        "minimum": numbers("minimum", minimum),
        "q1": numbers("q1", q1),
        "median": numbers("median", median),
        "q3": numbers("q3", q3),
        "maximum": numbers("maximum", maximum),
    }
    names = list(named)
    for position, lower in enumerate(names):
        for upper in names[position + 1 :]:
            ordered(lower, named[lower], upper, named[upper])
    count, low, first, middle, third, high = together(n=numbers("n", n, at_least=2), **named)
    return _Summary(count, middle, first, third, low, high)
