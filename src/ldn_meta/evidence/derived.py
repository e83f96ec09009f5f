"""The derived tables: made from the raw ones, read back by notebooks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ldn_meta import paths
from ldn_meta.errors import StaleError
from ldn_meta.evidence.answer.conflicts import ledger
from ldn_meta.evidence.answer.directions import as_read, directions
from ldn_meta.evidence.answer.multiverse import multiverse_tables
from ldn_meta.evidence.answer.people import people_with_events
from ldn_meta.evidence.answer.pools import pooled_table
from ldn_meta.evidence.audit.claims import claims_table
from ldn_meta.evidence.audit.consistency import check_consistency, refuse_inconsistent
from ldn_meta.evidence.effects.effects import as_saved, normalise
from ldn_meta.evidence.grade.certainty import certainty_tables
from ldn_meta.evidence.raw.protocol import Protocol, load_protocol
from ldn_meta.evidence.raw.tables import Evidence, load_evidence
from ldn_meta.files import MANIFEST, file_hashes

if TYPE_CHECKING:
    import pandas as pd


TABLES = (
    *("effects", "left_out", "responders", "harms", "pooled", "conflicts", "directions"),
    *("consistency", "multiverse", "multiverse_nodes", "claims"),
    *("certainty", "certainty_domains"),
)


@dataclass(frozen=True)
class Derived:
    """Raw and derived tables that belong together."""

    evidence: Evidence
    protocol: Protocol
    effects: pd.DataFrame
    left_out: pd.DataFrame
    responders: pd.DataFrame
    harms: pd.DataFrame
    pooled: pd.DataFrame
    conflicts: pd.DataFrame
    directions: pd.DataFrame
    consistency: pd.DataFrame
    multiverse: pd.DataFrame
    multiverse_nodes: pd.DataFrame
    claims: pd.DataFrame
    certainty: pd.DataFrame
    certainty_domains: pd.DataFrame


def derive_tables(evidence: Evidence, protocol: Protocol) -> dict[str, pd.DataFrame]:
    """Compute every derived table."""
    effects, left_out = normalise(evidence, protocol)
    effects = as_saved(effects)
    consistency = check_consistency(evidence, protocol, effects, left_out)
    # Before anything is computed that takes seconds.
    refuse_inconsistent(evidence, consistency)
    multiverse, multiverse_nodes = multiverse_tables(evidence, protocol)
    certainty, certainty_domains = certainty_tables(evidence, protocol, effects, left_out)
    frames = {
        "effects": effects,
        "left_out": left_out,
        "responders": people_with_events(effects, ("responder",)),
        "harms": people_with_events(effects, ("harm",)),
        "pooled": pooled_table(effects, protocol),
        "conflicts": ledger(evidence, protocol),
        "directions": directions(evidence, protocol, effects),
        "consistency": consistency,
        "claims": claims_table(evidence, protocol, effects, left_out),
        "certainty": certainty,
        "certainty_domains": certainty_domains,
        "multiverse": multiverse,
        "multiverse_nodes": multiverse_nodes,
    }
    return {name: frames[name] for name in TABLES}


def load_derived(indication_id: str | None = None) -> Derived:
    """Read raw and derived tables for a notebook, one indication or all."""
    raw, folder = paths.raw_data(), paths.derived_data()
    manifest = folder / MANIFEST
    remedy = "run `make data` (or `ldn-meta derive`)"
    for file in (manifest, *(folder / f"{name}.csv" for name in TABLES)):
        if not file.is_file():
            message = f"{file} is missing; {remedy}"
            raise StaleError(message)
    made_from = _made_from(manifest)
    here = file_hashes(raw)
    if made_from != here:
        names = sorted(n for n in {*made_from, *here} if made_from.get(n) != here.get(n))
        message = f"data/derived was not made from this data/raw ({', '.join(names)}); {remedy}"
        raise StaleError(message)
    evidence = load_evidence(raw, validate=False)
    if indication_id is not None:
        evidence = evidence.for_indication(indication_id)
    frames = {name: _read(folder / f"{name}.csv", indication_id) for name in TABLES}
    frames["directions"] = as_read(frames["directions"])
    return Derived(evidence=evidence, protocol=load_protocol(raw), **frames)


def _made_from(manifest: Path) -> dict[str, str]:
    """Hashes of the raw files the tables were made from; none if the manifest is no manifest."""
    try:
        return dict(json.loads(manifest.read_text(encoding="utf-8"))["raw"])
    except (ValueError, KeyError, TypeError):
        return {}


def _read(path: Path, indication_id: str | None) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(
        path, na_values=["NA"], keep_default_na=False, true_values=["yes"], false_values=["no"]
    )
    if indication_id is None:
        return frame
    return frame[frame["indication_id"] == indication_id].reset_index(drop=True)
