"""The derived tables, read back with the raw ones they were made from."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import files
from ldn_meta.errors import StaleError
from ldn_meta.evidence.raw.protocol import Protocol, load_protocol
from ldn_meta.evidence.raw.tables import Evidence, read_evidence
from ldn_meta.files import MANIFEST, file_hashes

if TYPE_CHECKING:
    import pandas as pd


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
    certainty_otherwise: pd.DataFrame

    def for_indication(self, indication_id: str) -> Derived:
        """Keep the rows of one indication."""
        frames: dict[str, Any] = {}
        for name in TABLES:
            frame = getattr(self, name)
            if len(frame):
                frame = frame[frame["indication_id"] == indication_id].reset_index(drop=True)
            frames[name] = frame
        return replace(self, evidence=self.evidence.for_indication(indication_id), **frames)


# Everything else is raw.
TABLES = tuple(f.name for f in fields(Derived) if f.name not in ("evidence", "protocol"))


def load_derived(indication_id: str | None = None) -> Derived:
    """Read raw and derived tables for a notebook, one indication or all."""
    raw, folder = files.raw_data(), files.derived_data()
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
    key = (raw, folder, *here.values(), *file_hashes(folder).values())
    return _read_all(*key) if indication_id is None else _read_one(indication_id, *key)


@lru_cache(maxsize=16)
def _read_one(indication_id: str, *key: Any) -> Derived:
    return _read_all(*key).for_indication(indication_id)


@lru_cache(maxsize=1)
def _read_all(raw: Path, folder: Path, *hashes: str) -> Derived:
    """Read every table, once a process while no byte changes: many pages are opened in one."""
    frames = {name: _read(folder / f"{name}.csv") for name in TABLES}
    frames["directions"] = _as_made(frames["directions"])
    return Derived(evidence=read_evidence(raw), protocol=load_protocol(raw), **frames)


def _made_from(manifest: Path) -> dict[str, str]:
    """Hashes of the raw files the tables were made from; none if the manifest is no manifest."""
    try:
        return dict(json.loads(manifest.read_text(encoding="utf-8"))["raw"])
    except (ValueError, KeyError, TypeError):
        return {}


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    # A table that nothing gave a row, as of a review without a pool, may have no columns either.
    if not path.read_bytes().strip():
        return pd.DataFrame()
    return pd.read_csv(
        path, na_values=["NA"], keep_default_na=False, true_values=["yes"], false_values=["no"]
    )


def _as_made(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the directions read from a file the values it was made with.

    An absent judgement is "", and whether a study was randomised may be None: not reported.
    """
    randomised = frame["is_randomised"].astype("object")
    return frame.assign(
        overall_bias=frame["overall_bias"].astype("object").fillna(""),
        is_randomised=randomised.where(randomised.notna(), None),
    )
