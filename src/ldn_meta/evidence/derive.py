"""The derived tables, computed from the raw ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.conflicts import ledger
from ldn_meta.evidence.answer.directions import directions
from ldn_meta.evidence.answer.multiverse import multiverse_tables
from ldn_meta.evidence.answer.people import people_with_events
from ldn_meta.evidence.audit.claims import claims_table
from ldn_meta.evidence.audit.consistency import check_consistency, refuse_inconsistent
from ldn_meta.evidence.derived import TABLES
from ldn_meta.evidence.effects.effects import as_saved, normalise
from ldn_meta.evidence.grade.certainty import certainty_tables

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence


def derive_tables(evidence: Evidence, protocol: Protocol) -> dict[str, pd.DataFrame]:
    """Compute every derived table."""
    effects, left_out = normalise(evidence, protocol)
    effects = as_saved(effects)
    consistency = check_consistency(evidence, protocol, effects, left_out)
    # Before anything is computed that takes seconds.
    refuse_inconsistent(evidence, consistency)
    multiverse, multiverse_nodes = multiverse_tables(evidence, protocol)
    answers = Answers(evidence, protocol, effects, left_out)
    certainty, certainty_domains = certainty_tables(answers)
    frames = {
        "effects": effects,
        "left_out": left_out,
        "responders": people_with_events(effects, ("responder",)),
        "harms": people_with_events(effects, ("harm",)),
        "pooled": answers.table,
        "conflicts": ledger(evidence, protocol),
        "directions": directions(evidence, protocol, effects),
        "consistency": consistency,
        "claims": claims_table(answers),
        "certainty": certainty,
        "certainty_domains": certainty_domains,
        "multiverse": multiverse,
        "multiverse_nodes": multiverse_nodes,
    }
    return {name: frames[name] for name in TABLES}
