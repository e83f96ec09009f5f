"""The lines of pooled.csv: every pool under the main choices and every departure from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.selection import POOL
from ldn_meta.evidence.synthesis import Pool, build_pools

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Protocol


def pooled_table(effects: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Main result and every sensitivity pool of every outcome group with a trial.

    A pool of one trial is that trial under every model, so it has a line only where its effect
    is another than on the lines before. No rows, and no columns, without effects.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    alone: set[str] = set()
    for name, selection, model in protocol.variants:
        for found in build_pools(effects, selection, model):
            if len(found.trials) == 1:
                effect = str(found.trials["effect_id"].iloc[0])
                if effect in alone:
                    continue
                alone.add(effect)
            rows.append(_line(name, found))
    if not rows:
        return pd.DataFrame()
    frame = pd.DataFrame(rows)
    place = {variant.name: order for order, variant in enumerate(protocol.variants)}
    return frame.sort_values(
        [*POOL, "analysis"],
        kind="stable",
        ignore_index=True,
        key=lambda column: column.map(place) if column.name == "analysis" else column,
    )


def _line(name: str, found: Pool) -> dict[str, Any]:
    """Settings, trials, estimate, intervals, heterogeneity."""
    result = found.result
    return {
        **found.key,
        "analysis": name,
        "k": len(found.trials),
        "people": found.people,
        "trials": " ".join(found.trials["study_id"]),
        "effects": " ".join(found.trials["effect_id"]),
        "tau2_method": result.tau2_method,
        "ci_method": result.ci_method,
        "estimate": result.estimate,
        "se": result.se,
        "ci_low": result.ci_low,
        "ci_high": result.ci_high,
        "p_value": result.p_value,
        "pi_low": result.pi_low,
        "pi_high": result.pi_high,
        "tau2": result.tau2,
        "tau2_ci_low": result.tau2_ci_low,
        "tau2_ci_high": result.tau2_ci_high,
        "q": result.q,
        "q_df": result.q_df,
        "q_pvalue": result.q_pvalue,
        "i2_pct": result.i2_pct,
    }
