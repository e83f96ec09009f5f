"""Whether a printed P can belong to the estimate and interval it stands beside."""

from __future__ import annotations

import math

import numpy as np

from ldn_meta.evidence.candidates import Row, number
from ldn_meta.evidence.claim_findings import Finding, finding
from ldn_meta.evidence.claim_material import printed_numbers
from ldn_meta.evidence.synthesis import RATIO_MEASURES
from ldn_meta.stats.convert_se import p_from_se
from ldn_meta.stats.values import two_sided_quantile

# Degrees of freedom of pools with 2, 3, ... studies; above these t is as good as normal.
MOST_DF = 30


def misfit_of_p(claim: Row) -> Finding | None:
    """Remark that a printed P cannot belong to the printed interval; None if it can.

    The P that follows is computed for a normal interval and for t intervals of two or more
    studies, for all numbers that round to the printed ones. Only a P outside all of these does
    not fit: the method of the review need not be known.

    Parameters
    ----------
    claim : Row
        Of claims.csv.

    Returns
    -------
    Finding or None
        Its verdict is empty: the remark stands behind that of a computation.
    """
    names = ("estimate", "ci_low", "ci_high")
    if claim["p_relation"] != "=" or any(claim[name] is None for name in names):
        return None
    printed = printed_numbers(claim["as_reported"])
    decimals = max((len(text.partition(".")[2]) for text in printed[:3]), default=0)
    estimate, low, high = (number(claim[name]) for name in names)
    half = 0.5 * 10.0**-decimals
    df = np.array([*range(1, MOST_DF + 1), np.inf])
    reach = two_sided_quantile(0.95, df)

    def p_of(centre: float, width: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(p_from_se(centre, width / 2 / reach, df=df))

    is_ratio = claim["measure"] in RATIO_MEASURES
    scale = math.log if is_ratio else float
    ends = sorted(abs(scale(estimate + side * half)) for side in (-1, 1))
    if not is_ratio and abs(estimate) < half:
        ends[0] = 0.0
    narrow = scale(high - half) - scale(low + half)
    wide = scale(high + half) - scale(low - half)
    smallest, largest = p_of(ends[1], narrow), p_of(ends[0], wide)
    p = number(claim["p_value"])
    # A whole unit of the last digit: some papers cut P off instead of rounding it.
    unit = 10.0 ** -len(printed[-1].partition(".")[2])
    if np.any((smallest <= p + unit) & (largest >= p - unit)):
        return None
    k = claim["k"]
    by_k = p_of(abs(scale(estimate)), scale(high) - scale(low))
    p_of_k = math.nan if k is None or k < 2 else float(by_k[min(int(k) - 2, MOST_DF)])
    text = (
        "The printed P of {p_printed} does not fit the printed interval, from which a P of "
        "{p_low:.2f} to {p_high:.2f} follows, depending on the number of studies"
    )
    text += " ({p_of_k:.2f} with {k_printed:n})." if not math.isnan(p_of_k) else "."
    return finding(
        "",
        text,
        p_printed=p,
        p_low=float(smallest.min()),
        p_high=float(largest.max()),
        p_of_k=p_of_k,
        k_printed=number(k),
    )
