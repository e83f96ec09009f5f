"""An effect of a foreign table as cells of contrasts.csv."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

from ldn_meta.evidence.usual_cells import NOT_APPLICABLE, Row

# Codes of measures whose estimate and spread are logarithms, and what they are logarithms of.
LOGS = {"logRR": "RR", "logOR": "OR", "logIRR": "IRR"}
RATIOS = tuple(LOGS.values())
MEASURES = ("MD", "SMD", "RD", *RATIOS, *LOGS)
DIGITS = 6
FROM_SE = "limits from the standard error"


def effect_cells(
    numbers: Mapping[str, str], *, measure: str, level: float, is_turned: bool
) -> Row | str:
    """Cells of an effect; as they stand in the file where they can.

    Parameters
    ----------
    numbers : mapping of str to str
        Plain numbers by role: estimate, and ci_low and ci_high, or se, or variance.
    measure : str
        One of MEASURES.
    level : float
        Of the interval.
    is_turned : bool
        Whether the file's first group is the comparator.

    Returns
    -------
    dict of str to str, or str
        Cells by column of ``contrasts``; in words why there are none. What had to be computed
        has six significant digits and says so in ``note``.
    """
    is_log, is_ratio = measure in LOGS, measure in (*RATIOS, *LOGS)
    ends = _ends(numbers, level, takes_se=measure not in RATIOS)
    if isinstance(ends, str):
        return ends
    row: Row = {"measure": LOGS.get(measure, measure), "estimate": numbers["estimate"]}
    if ends:
        row["ci_level"] = f"{level:g}"
    done = [FROM_SE] if ends and "ci_low" not in numbers else []
    values = [float(numbers["estimate"]), *ends]
    if is_log:
        values = [math.exp(value) for value in values]
        done.append("taken out of logarithms")
    if is_turned:
        if is_ratio and min(values) <= 0:
            return "a ratio, or a limit of its interval, that is not above 0"
        values = [1 / value if is_ratio else -value for value in values]
        values[1:] = reversed(values[1:])
        done.append("turned to LDN against the comparator")
    if not done:
        return row | {name: numbers[name] for name in ("ci_low", "ci_high") if ends}
    row |= {
        name: _plain(value)
        for name, value in zip(("estimate", "ci_low", "ci_high"), values, strict=False)
    }
    if done == [FROM_SE]:
        row["estimate"] = numbers["estimate"]
    else:
        row["estimate_decimals"] = NOT_APPLICABLE
    return row | {"note": f"computed on import: {'; '.join(done)}"}


def _ends(numbers: Mapping[str, str], level: float, *, takes_se: bool) -> tuple[float, ...] | str:
    """Limits on the scale of the estimate: those of the file, or estimate -+ z se; maybe none."""
    if "ci_low" in numbers and "ci_high" in numbers:
        return float(numbers["ci_low"]), float(numbers["ci_high"])
    spread = next((name for name in ("se", "variance") if name in numbers), None)
    if spread is None:
        return ()
    if not takes_se:
        return (
            "a ratio with a standard error: of the ratio or of its logarithm? Where estimate "
            "and spread are logarithms, give --measure logRR, logOR or logIRR"
        )
    value = float(numbers[spread])
    if value <= 0:
        return f"a {spread} that is not above 0"
    reach = NormalDist().inv_cdf((1 + level) / 2) * (
        math.sqrt(value) if spread == "variance" else value
    )
    estimate = float(numbers["estimate"])
    return estimate - reach, estimate + reach


def _plain(value: float) -> str:
    """Six significant digits without an exponent, which the raw tables do not take."""
    text = f"{value:.{DIGITS}g}"
    if "e" not in text:
        return text
    behind = max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{behind}f}"
