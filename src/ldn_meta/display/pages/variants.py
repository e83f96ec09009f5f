"""The table of what other choices would give, for effects and for shares of people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.display.outputs import Table
from ldn_meta.display.wording import estimate_with_interval, fixed, interval, method, shown

if TYPE_CHECKING:
    from ldn_meta.evidence.synthesis import Pool

NONE = ("none", "NR", "no trial", "not defined", "not defined", "none")
HEAD = ("trials", "people", "effect (95% CI)", "95% prediction", "tau", "method")


def variants_table(variants: list[tuple[str, Pool | None]], *, outcome: str) -> Table:
    """Tabulate the main pool, then every departure that changes a cell; the note names the rest.

    Parameters
    ----------
    variants : list of (str, Pool or None)
        The main pool and the named departures of the protocol.
    outcome : str
        For the caption.

    Returns
    -------
    Table
    """
    import pandas as pd

    rows = [(name, _cells(found)) for name, found in variants]
    main = rows[0][1]
    same = [name for name, cells in rows[1:] if cells == main]
    frame = pd.DataFrame(
        [(name, *cells) for name, cells in rows if name not in same], columns=["analysis", *HEAD]
    )
    unmoved = f"No change: {'; '.join(same)}. " if same else ""
    return Table(
        frame,
        f"What other choices would give: {outcome}",
        f"{unmoved}Each line changes only what its name says; choices and reasons are in "
        "data/raw/protocol.toml. With three trials or more the protocol's interval is the "
        "floored Knapp-Hartung one. tau: standard deviation between trials, on the log "
        "scale for ratios.",
    )


def _cells(found: Pool | None) -> tuple[str, ...]:
    if found is None:
        return NONE
    r, measure = found.result, found.key["measure"]
    alone = len(found.trials) == 1
    low, high = shown((r.pi_low, r.pi_high), measure=measure)
    return (
        ", ".join(found.trials["study_label"]),
        str(found.people or "NR"),
        estimate_with_interval(r.estimate, r.ci_low, r.ci_high, measure=measure),
        interval(low, high),
        "not defined" if alone else fixed(math.sqrt(r.tau2)),
        "one trial" if alone else method(r.tau2_method, r.ci_method),
    )
