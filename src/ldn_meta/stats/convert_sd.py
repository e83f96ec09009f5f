"""The standard deviation, correlation or scale behind what was printed for one arm."""

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.convert_se import se_from_ci
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.values import Estimate, FloatOrArray, numbers, plain, together


def sd_from_se(se: ArrayLike, n: ArrayLike) -> FloatOrArray:
    """Return the standard deviation behind the SE of one arm's mean: se sqrt(n).

    Raises
    ------
    ArgumentError
        If an SE is negative or an n is below 1.

    Source: Cochrane Handbook 6.5.2.2. Inverse: `se_from_sd`.
    """
    spread, count = together(se=numbers("se", se, at_least=0), n=numbers("n", n, at_least=1))
    return plain(spread * np.sqrt(count))


def se_from_sd(sd: ArrayLike, n: ArrayLike) -> FloatOrArray:
    """Return the SE of one arm's mean: sd / sqrt(n); inverse of `sd_from_se`.

    Raises
    ------
    ArgumentError
        If an SD is negative or an n is below 1.
    """
    spread, count = together(sd=numbers("sd", sd, at_least=0), n=numbers("n", n, at_least=1))
    return plain(spread / np.sqrt(count))


def sd_from_ci(
    low: ArrayLike,
    high: ArrayLike,
    n: ArrayLike,
    *,
    level: ArrayLike = 0.95,
    uses_t: bool = True,
) -> FloatOrArray:
    """Return the SD behind the interval of one arm's mean: sqrt(n) (high - low) / (2 q).

    q is Student's quantile on n - 1 degrees of freedom, as the interval of one arm's own mean is
    usually made; `uses_t=False` takes the normal (an interval from a model or a large sample).

    Raises
    ------
    ArgumentError
        If low is above high, a level is not allowed, or n is below 1 (below 2 with t).

    Source: Cochrane Handbook 6.5.2.2.
    """
    count = numbers("n", n, at_least=2 if uses_t else 1)
    se = se_from_ci(low, high, level=level, df=count - 1 if uses_t else np.inf)
    return plain(np.sqrt(count) * se)


def change_sd(sd_baseline: ArrayLike, sd_end: ArrayLike, correlation: ArrayLike) -> FloatOrArray:
    """Return the SD of the change: sqrt(sd_baseline^2 + sd_end^2 - 2 r sd_baseline sd_end).

    The correlation is an assumption unless the paper prints it: vary it.

    Raises
    ------
    ArgumentError
        If an SD is negative or the correlation is outside -1 to 1.

    Source: Cochrane Handbook 6.5.2.8. Inverse: `correlation_from_change_sd`.
    """
    before, after, r = together(
        sd_baseline=numbers("sd_baseline", sd_baseline, at_least=0),
        sd_end=numbers("sd_end", sd_end, at_least=0),
        correlation=numbers("correlation", correlation, at_least=-1, at_most=1),
    )
    return plain(np.sqrt((before - after) ** 2 + 2 * (1 - r) * before * after))


def correlation_from_change_sd(
    sd_baseline: ArrayLike, sd_end: ArrayLike, sd_change: ArrayLike
) -> FloatOrArray:
    """Return the within-person correlation behind three printed SDs; inverse of `change_sd`.

    r = (sd_baseline^2 + sd_end^2 - sd_change^2) / (2 sd_baseline sd_end). NaN when the three
    cannot belong together (|r| above 1 by more than rounding of floats) or an SD is 0.

    Raises
    ------
    ArgumentError
        If an SD is negative.

    Source: Cochrane Handbook 6.5.2.8.
    """
    before, after, change = together(
        sd_baseline=numbers("sd_baseline", sd_baseline, at_least=0),
        sd_end=numbers("sd_end", sd_end, at_least=0),
        sd_change=numbers("sd_change", sd_change, at_least=0),
    )
    product = np.where(before * after > 0, before * after, np.nan)
    # 1 - r from the difference of squares: no cancellation when r is near 1.
    one_minus_r = (change - (before - after)) * (change + (before - after)) / (2 * product)
    r = 1 - one_minus_r
    # 1e-9 is far above float rounding and far below anything a paper prints.
    return plain(np.where(np.abs(r) <= 1 + 1e-9, np.clip(r, -1, 1), np.nan))


def paired_se(
    sd_1: ArrayLike, sd_2: ArrayLike, n: ArrayLike, correlation: ArrayLike
) -> FloatOrArray:
    """Return the SE of a mean within-person difference: change_sd / sqrt(n).

    Parameters
    ----------
    sd_1, sd_2 : float or array, (...)
        SD under each condition, of the same `n` people.
    n : float or array
        Pairs.
    correlation : float or array
        Between a person's two values, -1 to 1.

    Raises
    ------
    ArgumentError
        If an SD is negative, n is below 1, or the correlation is outside -1 to 1.

    Source: Elbourne 2002, Int J Epidemiol 31:140; Cochrane Handbook 23.2.7. Inverse:
    `correlation_from_paired`.
    """
    count = numbers("n", n, at_least=1)
    return se_from_sd(change_sd(sd_1, sd_2, correlation), count)


def correlation_from_paired(
    sd_1: ArrayLike, sd_2: ArrayLike, n: ArrayLike, se: ArrayLike
) -> FloatOrArray:
    """Return the within-person correlation behind a paired SE; inverse of `paired_se`.

    NaN when no correlation gives that SE.

    Raises
    ------
    ArgumentError
        If an SD or SE is negative, or n is below 1.

    Source: Cochrane Handbook 23.2.7.
    """
    return correlation_from_change_sd(sd_1, sd_2, sd_from_se(se, n))


def rescale(
    value: ArrayLike,
    se: ArrayLike,
    from_min: ArrayLike,
    from_max: ArrayLike,
    to_min: ArrayLike = 0.0,
    to_max: ArrayLike = 10.0,
) -> Estimate:
    """Return a score (a mean on the scale) and its SE (or SD) on another scale, linearly.

    value' = to_min + f (value - from_min), se' = |f| se, f = (to_max - to_min) / (from_max -
    from_min). For a difference or a change use `rescale_difference`, which has no offset.

    Assumes the two scales measure the same thing with equal steps. A reversed scale (to_min above
    to_max) turns the direction round.

    Raises
    ------
    ArgumentError
        If a scale has no width or an SE is negative.

    Inverse: itself with the scales exchanged.

    Examples
    --------
    >>> rescale(58.0, 2.5, 0, 100)
    Estimate(estimate=5.8, se=0.25)
    """
    width, new_width = _scale_widths(from_min, from_max, to_min, to_max)
    score, spread, start, end, width, new_width = together(
        value=numbers("value", value),
        se=numbers("se", se, at_least=0),
        from_min=numbers("from_min", from_min),
        to_min=numbers("to_min", to_min),
        width=width,
        new_width=new_width,
    )
    return Estimate(
        plain(end + (score - start) * new_width / width),
        plain(spread * np.abs(new_width) / np.abs(width)),
    )


def rescale_difference(
    value: ArrayLike,
    se: ArrayLike,
    from_min: ArrayLike,
    from_max: ArrayLike,
    to_min: ArrayLike = 0.0,
    to_max: ArrayLike = 10.0,
) -> Estimate:
    """Return a difference (or a change) and its SE (or SD) on another scale: both times f.

    f as in `rescale`; a difference has no offset, so the ends matter only through the widths.

    Raises
    ------
    ArgumentError
        If a scale has no width or an SE is negative.

    Examples
    --------
    >>> rescale_difference(-12.0, 5.0, 0, 100)
    Estimate(estimate=-1.2, se=0.5)
    """
    width, new_width = _scale_widths(from_min, from_max, to_min, to_max)
    difference, spread, width, new_width = together(
        value=numbers("value", value),
        se=numbers("se", se, at_least=0),
        width=width,
        new_width=new_width,
    )
    return Estimate(
        plain(difference * new_width / width), plain(spread * np.abs(new_width) / np.abs(width))
    )


def _scale_widths(
    from_min: ArrayLike, from_max: ArrayLike, to_min: ArrayLike, to_max: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    low, high, new_low, new_high = together(
        from_min=numbers("from_min", from_min),
        from_max=numbers("from_max", from_max),
        to_min=numbers("to_min", to_min),
        to_max=numbers("to_max", to_max),
    )
    for name, bottom, top in (("from", low, high), ("to", new_low, new_high)):
        if np.any(bottom == top):
            raise ArgumentError(
                f"{name}_min: {bottom[bottom == top].flat[0]:g} equals {name}_max; "
                "allowed: a scale with a width"
            )
    return high - low, new_high - new_low
