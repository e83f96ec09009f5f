"""Tables of page 50: without each trial, and what each choice does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.wording import estimate_with_interval, fixed, percent, shown

if TYPE_CHECKING:
    from ldn_meta.display.pages.robustness import RobustnessPage


def without_each_table(page: RobustnessPage) -> Table:
    """The pool without each trial in turn."""
    import pandas as pd

    pool = page.effect.pool
    rows = []
    if pool is not None and len(page.without_each_frame):
        measure = pool.key["measure"]
        r = pool.result
        rows.append(
            {
                "left out": "none",
                "trials": str(len(pool.trials)),
                "effect (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure=measure
                ),
            }
        )
        rows += [
            {
                "left out": row["label"],
                "trials": str(row["k"]),
                "effect (95% CI)": estimate_with_interval(
                    row["estimate"], row["ci_low"], row["ci_high"], measure=measure
                ),
            }
            for row in rows_of(page.without_each_frame)
        ]
    return Table(
        pd.DataFrame(rows),
        "Without each trial in turn",
        "Methods by the number of trials that are left, as the protocol states.",
        "Fewer than two trials: there is none to leave out.",
    )


def nodes_table(page: RobustnessPage) -> Table:
    """Every choice, its options, and how much it moves the answer."""
    import pandas as pd

    rows = []
    if page.found is not None:
        measure = page.found.measure
        for row in rows_of(page.node_frame):
            share = float(row["share_explained"])
            (alone,) = shown((row["farthest"],), measure=measure)
            moves = abs(float(row["shift"])) > 0
            rows.append(
                {
                    "choice": row["node"],
                    "options, the protocol's first": row["options"],
                    "of the variance": percent(share) if math.isfinite(share) else "none",
                    "changed alone": f"{fixed(alone)} ({row['farthest_option']})"
                    if moves
                    else "nothing moves",
                    "verdict turns": "yes" if row["changes_verdict"] else "no",
                    "why answers differ": row["reason"],
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Choices, and what each does to the answer",
        "Of the variance: share of the variance of all estimates that the options of this choice "
        "explain; the rest is other choices and choices together. Changed alone: the estimate "
        "farthest from the protocol's own when nothing else changes. Choices and reasons: "
        "data/raw/protocol.toml; one more needs no code.",
        "No trial gives an effect under any choice.",
    )
