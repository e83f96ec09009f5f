"""The sentences of a forest plot: model, heterogeneity, legend, alternative text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.display.wording import CI_METHODS, MEASURES, TAU2_METHODS, capitalised, p_value

if TYPE_CHECKING:
    from ldn_meta.stats.result import PooledResult

_DEGREES = {"k-1": "k \N{MINUS SIGN} 1 df", "k-2": "k \N{MINUS SIGN} 2 df"}
TAU2 = "\N{GREEK SMALL LETTER TAU}\N{SUPERSCRIPT TWO}"
I2 = "I\N{SUPERSCRIPT TWO}"


def measure_words(result: PooledResult | None) -> str:
    """Name the measure as the header of the effect column does."""
    code = "" if result is None else result.measure
    return capitalised(MEASURES.get(code, code or "effect"))


def effect_header(result: PooledResult | None) -> str:
    """Head the effect column; without any pool neither measure nor level is known."""
    level = "interval" if result is None else f"{level_word(result)} CI"
    return f"{measure_words(result)}\n({level})"


def level_word(result: PooledResult) -> str:
    """Write the confidence level as a percentage."""
    return f"{100 * result.level:g}%"


def pooled_label(result: PooledResult) -> str:
    """Name the pooled row by its model."""
    return "Pooled, common effect" if _is_common(result) else "Pooled, random effects"


def heterogeneity_line(result: PooledResult) -> str:
    """Write Q, I2 and tau2 with its interval, as far as they are defined."""
    q_test = f"{int(result.q_df)} df, {p_value(float(result.q_pvalue))}"
    if _is_common(result):
        tau2 = f"{TAU2} = 0 by assumption"
    else:
        tau2 = f"{TAU2} = {_variance(float(result.tau2))}"
        low, high = float(result.tau2_ci_low), float(result.tau2_ci_high)
        if math.isfinite(low):
            tau2 += f" ({_variance(low)} to {_variance(high)})"
    parts = (
        f"Q = {style.number(float(result.q), 2)} ({q_test})",
        f"{I2} = {style.number(float(result.i2_pct), 0)}%",
        tau2,
    )
    return f"Heterogeneity: {', '.join(style.unbroken(part) for part in parts)}."


def model_line(result: PooledResult) -> str:
    """Name the model, the tau2 method and the interval methods."""
    interval = f"{level_word(result)} CI: {CI_METHODS[result.ci_method]}"
    if _is_common(result):
        return f"Common-effect model; {interval}."
    text = f"Random-effects model; {TAU2} by {TAU2_METHODS[result.tau2_method]}; {interval}"
    if math.isfinite(float(result.pi_low)):
        text += f"; prediction interval: t on {_DEGREES[result.pi_method]}"
    return f"{text}."


def legend_line(kinds: set[str], *, is_clipped: bool) -> str:
    """Explain the marks that occur in the plot, and no others."""
    parts = []
    if "pooled" in kinds:
        parts += ["Area of a square: weight", "diamond: pooled effect with its CI"]
    if "prediction" in kinds:
        parts.append("bar: prediction interval, where the true effect of a new trial may lie")
    if "summary" in kinds:
        parts.append("open diamond: other pool")
    if "shown" in kinds:
        parts.append("open square: not pooled")
    if is_clipped:
        parts.append("arrow: interval goes on")
    text = "; ".join(parts)
    return f"{capitalised(text)}." if text else ""


def _is_common(result: PooledResult) -> bool:
    return result.tau2_method == "common"


def _variance(value: float) -> str:
    """Write a variance, which may be tiny or huge, in about three significant digits."""
    if value == 0 or not math.isfinite(value) or value >= 100:
        return style.number(value, 0)
    return style.number(value, 2 if value >= 1 else 3) if value >= 0.0005 else "below 0.001"
