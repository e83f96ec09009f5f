"""The effect and its variance from the numbers of one trial: one door for every code.

The formulas live beside this file, one function each: `effects_means`, `effects_paired`,
`effects_counts`, `effects_single`. Their estimates and variances equal metafor's `escalc`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects_counts import (
    arcsine_difference,
    log_odds_ratio,
    log_rate_ratio,
    log_risk_ratio,
    peto_log_odds_ratio,
    risk_difference,
)
from ldn_meta.stats.effects_means import (
    hedges_correction,
    log_ratio_of_means,
    mean_difference,
    standardised_mean_difference,
)
from ldn_meta.stats.effects_paired import (
    mean_change,
    mean_change_in_first_sd,
    standardised_mean_change,
)
from ldn_meta.stats.effects_single import (
    arcsine_proportion,
    freeman_tukey_proportion,
    logit_proportion,
    raw_proportion,
)
from ldn_meta.stats.inputs import one_of
from ldn_meta.stats.values import EffectSize

__all__ = [
    "EFFECT_CODES",
    "EffectCode",
    "EffectSize",
    "arcsine_difference",
    "arcsine_proportion",
    "effect_size",
    "freeman_tukey_proportion",
    "hedges_correction",
    "log_odds_ratio",
    "log_rate_ratio",
    "log_ratio_of_means",
    "log_risk_ratio",
    "logit_proportion",
    "mean_change",
    "mean_change_in_first_sd",
    "mean_difference",
    "peto_log_odds_ratio",
    "raw_proportion",
    "risk_difference",
    "standardised_mean_change",
    "standardised_mean_difference",
]


@dataclass(frozen=True)
class EffectCode:
    """What one code means: its quantity in words, its formula, and the data it asks for."""

    quantity: str
    formula: Callable[..., EffectSize]
    arguments: tuple[str, ...]
    ignored: tuple[str, ...] = ()


_MEANS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
_PAIRED = ("mean_1", "sd_1", "mean_2", "sd_2", "n", "correlation")
_TABLE = ("events_1", "n_1", "events_2", "n_2")
_RATES = ("events_1", "time_1", "events_2", "time_2")
_SINGLE = ("events", "n")

EFFECT_CODES: Mapping[str, EffectCode] = MappingProxyType(
    {
        "MD": EffectCode("mean difference", mean_difference, _MEANS),
        "SMD": EffectCode("Hedges' g", standardised_mean_difference, _MEANS),
        "ROM": EffectCode("log ratio of means", log_ratio_of_means, _MEANS),
        "MC": EffectCode("mean within-person difference", mean_change, _PAIRED),
        "SMCC": EffectCode("mean change / its SD", standardised_mean_change, _PAIRED),
        "SMCR": EffectCode(
            "mean change / first SD",
            mean_change_in_first_sd,
            ("mean_1", "sd_1", "mean_2", "n", "correlation"),
            ignored=("sd_2",),
        ),
        "RR": EffectCode("log risk ratio", log_risk_ratio, _TABLE),
        "OR": EffectCode("log odds ratio", log_odds_ratio, _TABLE),
        "RD": EffectCode("risk difference", risk_difference, _TABLE),
        "AS": EffectCode("arcsine risk difference", arcsine_difference, _TABLE),
        "PETO": EffectCode("Peto's log odds ratio", peto_log_odds_ratio, _TABLE),
        "IRR": EffectCode("log incidence-rate ratio", log_rate_ratio, _RATES),
        "PR": EffectCode("proportion", raw_proportion, _SINGLE),
        "PLO": EffectCode("log odds", logit_proportion, _SINGLE),
        "PAS": EffectCode("arcsine proportion", arcsine_proportion, _SINGLE),
        "PFT": EffectCode("Freeman-Tukey proportion", freeman_tukey_proportion, _SINGLE),
    }
)


def effect_size(code: str, **data: Any) -> EffectSize:
    """Return the observed effect `yi` and its sampling variance `vi` for one code.

    Group 1 is LDN, group 2 the comparator, and `yi` is 1 minus 2 (or the log of 1 over 2).

    Parameters
    ----------
    code : str
        MD SMD ROM - two groups: mean_1 sd_1 n_1 mean_2 sd_2 n_2.
        MC SMCC SMCR - paired: mean_1 sd_1 mean_2 sd_2 n correlation (SMCR does not use sd_2).
        RR OR RD AS PETO - 2x2 table: events_1 n_1 events_2 n_2.
        IRR - rates: events_1 time_1 events_2 time_2.
        PR PLO PAS PFT - one group: events n.
    **data : float or array, (...)
        The arguments listed for the code; scalars or arrays that broadcast together. NaN is
        missing, and each of yi and vi is NaN if a value it needs is missing.

    Returns
    -------
    EffectSize
        ``(yi, vi)``, floats if every input was a scalar, else arrays of the broadcast shape. RR,
        OR, PETO, IRR and ROM are on the log scale, PLO on the log-odds scale.

    Raises
    ------
    ArgumentError
        Unknown code; an argument missing, unknown or not allowed (negative SD, events above n,
        n of 0, a string, an infinity); shapes that do not broadcast.

    Notes
    -----
    Zero cells get 0.5 in every cell of that table only. What is undefined is NaN; see the
    formula's own function (``EFFECT_CODES[code].formula``) for its edge cases and source.

    Examples
    --------
    >>> yi, vi = effect_size("RR", events_1=4, n_1=123, events_2=11, n_2=139)
    >>> print(f"{yi:.4f} {vi:.4f}")
    -0.8893 0.3256
    """
    entry = EFFECT_CODES[one_of("code", code, tuple(EFFECT_CODES))]
    missing = [name for name in entry.arguments if name not in data]
    unknown = [name for name in data if name not in entry.arguments + entry.ignored]
    if missing or unknown:
        problems = [f"missing {', '.join(missing)}"] if missing else []
        problems += [f"not used by it {', '.join(unknown)}"] if unknown else []
        raise ArgumentError(
            f"code {code!r}: {'; '.join(problems)}; allowed: {', '.join(entry.arguments)}"
        )
    return entry.formula(*(data[name] for name in entry.arguments))
