"""Tables of page 91: claims with their verdicts, rules, and the what-if on responders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.provenance import source_cell
from ldn_meta.display.wording import fixed, interval
from ldn_meta.evidence.claims import COMPUTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ldn_meta.evidence.claims_counts import Ratio
    from ldn_meta.evidence.claims_responder_sum import WhatIf
    from ldn_meta.evidence.derived import Derived


def claim_rows(derived: Derived, rows: pd.DataFrame, *, is_short: bool = False) -> pd.DataFrame:
    """Write claims for readers: what, where, printed numbers, verdict, and what was computed.

    Parameters
    ----------
    derived : Derived
    rows : pandas.DataFrame
        Of ``Derived.claims``, with ``locator`` and ``read_from`` of the raw rows.
    is_short : bool
        The name of the computation instead of its sentence.

    Returns
    -------
    pandas.DataFrame
        Cells as text.
    """
    import pandas as pd

    where = [
        source_cell(derived.evidence, row["claimed_in"], row["locator"], row["read_from"])
        for row in rows_of(rows)
    ]
    shown = {
        "claim": list(rows["claim"]),
        "claimed in": where,
        "printed": [as_text(cell, "no number") for cell in rows["printed"]],
        "verdict": list(rows["verdict"]),
    }
    last = (
        {"computation": list(rows["computation"])}
        if is_short
        else {"what the computation gives": list(rows["sentence"])}
    )
    return pd.DataFrame({**shown, **last})


def as_text(cell: Any, missing: str = "") -> str:
    """A cell of text; something else where nothing is."""
    return cell if isinstance(cell, str) else missing


def rules_table(claims: pd.DataFrame) -> Table:
    """Every computation, with its question and its rule for verdicts, from its own docstring.

    Parameters
    ----------
    claims : pandas.DataFrame
        What is counted: column ``computation``.

    Returns
    -------
    Table
    """
    import pandas as pd

    used = claims["computation"].str.partition(":")[0].value_counts()
    frame = pd.DataFrame(
        [
            {
                "computation": name,
                "claims": int(used.get(name, 0)),
                "what it does": computation.question,
                "when which verdict": computation.rule,
            }
            for name, computation in COMPUTATIONS.items()
        ]
    )
    return Table(frame, "How verdicts are given", "The same rule for every claim of a kind.")


def what_if_table(cases: Sequence[WhatIf]) -> Table:
    """What adding up two responder counts would do; a what-if, no accusation.

    Parameters
    ----------
    cases : sequence of WhatIf

    Returns
    -------
    Table
    """
    import pandas as pd

    frame = pd.DataFrame(
        [
            {
                "counted as responders": case.name,
                "LDN": f"{case.counts.events_1}/{case.counts.n_1}",
                "placebo": f"{case.counts.events_2}/{case.counts.n_2}",
                "risk ratio (95% CI)": _ratio(case.risk_ratio),
                "odds ratio (95% CI)": _ratio(case.odds_ratio),
                "pooled risk ratio, 30%": _ratio(case.pooled_ratio),
            }
            for case in cases
        ]
    )
    return Table(
        frame,
        "What if: FINAL's responders at two thresholds, added up",
        "A letter reportedly says that a review had added these counts. The letter was not "
        "seen; the table shows what an addition like that would do and says nothing "
        "about what "
        "anybody did. People at 50% are among those at 30%, so the sum counts them "
        "twice. Last "
        "column: all trials, with this trial counted so.",
    )


def _ratio(span: Ratio) -> str:
    return f"{fixed(span.estimate)} ({interval(span.low, span.high)})"


def what_if_facts(case: WhatIf) -> dict[str, Any]:
    """Numbers of one way to count."""
    return {
        "events_1": case.counts.events_1,
        "n_1": case.counts.n_1,
        "events_2": case.counts.events_2,
        "n_2": case.counts.n_2,
        "risk_ratio": list(case.risk_ratio),
        "odds_ratio": list(case.odds_ratio),
        "pooled_risk_ratio": list(case.pooled_ratio),
    }
