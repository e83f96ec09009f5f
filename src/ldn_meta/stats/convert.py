"""From what a paper printed to an effect: one function per route, one door to them all.

In order of trust (METHODS.md section 2): an effect with SE or interval; arm means with SD, SE or
interval; a paired effect with an exact p; medians; percentages; and last what gives only a range.
The formulas live in `convert_se`, `convert_sd`, `medians`, `counts`,
`joint_counts` and `rounding`.
"""

from ldn_meta.stats.convert_sd import (
    change_sd,
    correlation_from_change_sd,
    correlation_from_paired,
    paired_se,
    rescale,
    rescale_difference,
    sd_from_ci,
    sd_from_se,
    se_from_sd,
)
from ldn_meta.stats.convert_se import (
    ci_from_se,
    difference_from_arm_changes,
    log_ratio_from_ci,
    p_from_se,
    paired_effect_from_p,
    se_from_ci,
    se_from_p,
    se_from_statistic,
)
from ldn_meta.stats.counts import counts_from_percent
from ldn_meta.stats.joint_counts import (
    JointCount,
    chi_squared_corrected_p,
    chi_squared_p,
    fisher_p,
    joint_counts,
)
from ldn_meta.stats.medians import (
    SkewnessTest,
    mean_from_median,
    sd_from_quantiles,
    skewness_of_summary,
)
from ldn_meta.stats.rounding import (
    estimate_is_centred,
    p_interval,
    p_is_exact,
    printed_decimals,
    rounded_interval,
    se_interval_from_p,
)
from ldn_meta.stats.values import Estimate, Interval

__all__ = [
    "Estimate",
    "Interval",
    "JointCount",
    "SkewnessTest",
    "change_sd",
    "chi_squared_corrected_p",
    "chi_squared_p",
    "ci_from_se",
    "correlation_from_change_sd",
    "correlation_from_paired",
    "counts_from_percent",
    "difference_from_arm_changes",
    "estimate_is_centred",
    "fisher_p",
    "joint_counts",
    "log_ratio_from_ci",
    "mean_from_median",
    "p_from_se",
    "p_interval",
    "p_is_exact",
    "paired_effect_from_p",
    "paired_se",
    "printed_decimals",
    "rescale",
    "rescale_difference",
    "rounded_interval",
    "sd_from_ci",
    "sd_from_quantiles",
    "sd_from_se",
    "se_from_ci",
    "se_from_p",
    "se_from_sd",
    "se_from_statistic",
    "se_interval_from_p",
    "skewness_of_summary",
]
