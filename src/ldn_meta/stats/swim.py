"""Whether studies whose effects cannot be pooled point one way more often than a coin would.

A vote count by the direction of the point estimate, never by significance; it answers nothing
about size. METHODS.md section 5; McKenzie & Brennan, Cochrane Handbook, chapter 12.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.inputs import FloatArray, confidence_level
from ldn_meta.stats.proportions import clopper_pearson_interval, wilson_interval
from ldn_meta.stats.records import FrozenRecord
from ldn_meta.stats.values import FloatOrArray, numbers, plain, together

NO_SIGN = "no study points to either side: share, intervals and p are not defined"


@dataclass(frozen=True, eq=False)
class SignTest(FrozenRecord):
    """Studies on each side of no difference, and how far a fair coin would explain them.

    Attributes
    ----------
    n_for, n_against : float or array, (...)
        Studies whose point estimate lies on the side of LDN, and on the other side.
    n_ties : float or array, (...)
        Studies exactly between; they say nothing about a side and are not in the test.
    share : float or array, (...)
        n_for / (n_for + n_against): a share of studies, not a size of effect and not a share
        of people.
    p_value : float or array, (...)
        Exact, two-sided.
    wilson_low, wilson_high, exact_low, exact_high : float or array, (...)
        Intervals of the share: Wilson's, and Clopper and Pearson's, which never covers less than
        its level.
    level : float
        Of both intervals.
    notes : tuple of str
    """

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

    Parameters
    ----------
    n_for, n_against : int or array, (...)
        Studies on each side; NaN gives NaN.
    n_ties : int or array, (...)
        Studies exactly between: counted, not tested.
    level : float
        Of the intervals.

    Returns
    -------
    SignTest
        NaN with a note where no study points to a side.

    Raises
    ------
    ArgumentError
        If a count is negative or no whole number, or the level is not between 0 and 1.

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
