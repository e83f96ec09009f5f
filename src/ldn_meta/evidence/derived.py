"""The derived tables, read back with the raw ones they were made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import files
from ldn_meta.errors import ArgumentError, StaleError, did_you_mean
from ldn_meta.evidence.raw.protocol import Protocol, load_protocol
from ldn_meta.evidence.raw.selection import (
    CHOICES,
    PAGE_SECTIONS,
    known_words,
    outcome_words,
    read_choice,
)
from ldn_meta.evidence.raw.tables import Evidence, as_records, read_evidence
from ldn_meta.files import MANIFEST, file_hashes

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.answer import Answer, Answers


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

    @property
    def answers(self) -> Answers:
        """Every question about the evidence, answered by its protocol."""
        from ldn_meta.evidence.answer.answer import Answers

        found = (self.evidence, self.protocol, self.effects, self.left_out, self.certainty)
        return Answers(*found)

    def constructs(self, asked: str | Sequence[str]) -> tuple[str, ...]:
        """The outcomes that are asked for, in this order; refuse what is none."""
        rows = as_records(self.evidence.text["outcomes"])
        names = {row["construct"]: row["construct"] for row in rows}
        known = {"construct": names | outcome_words(rows)}
        found: tuple[str, ...] = read_choice("construct", asked, known)
        return found

    def under(self, **choices: Any) -> Derived:
        """The same evidence under other choices than the plan's; None leaves a choice as it is.

        Conflicts, claims, printed numbers and the multiverse of all conditions stay those of the
        plan.
        """
        from ldn_meta.evidence.derive import tables_of_run

        studies = as_records(self.evidence.text["studies"])
        words = known_words(self.evidence.dictionary, studies)
        protocol = self.protocol.changed(known=words, **choices)
        if protocol == self.protocol:
            return replace(self, protocol=protocol)
        made: dict[str, Any] = dict(tables_of_run(self.evidence, protocol))
        return replace(self, protocol=protocol, **made)


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


def answer(
    indication: str, construct: str | Sequence[str] | None = None, **choices: Any
) -> Answer:
    """Answer the question of a condition under choices of your own.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str or list of str, optional
        Outcome; the condition's main one by default. Several are pooled as one, standardised.
    **choices
        The choices of pages 20 and 50 in ``ldn-meta parameters``, by the same words, such as
        ``designs=["parallel"]``; None leaves one as in the plan.

    Returns
    -------
    Answer
        ``trials``, ``pool`` (``pool.result`` is drawn by `ldn_meta.forest_plot`) and ``read_by``,
        the interval to read; ``left_out`` has what was not taken, and why, ``without_each`` the
        pool without each trial in turn (a leave-one-out), ``over_time`` after each. ``notes`` says
        which choices had no effect. ``subgroups("dose")`` and ``regression("year")`` are what
        ``subgroup_by`` and ``regress_on`` ask for, and ``parts`` tells them in lines.

    Raises
    ------
    ArgumentError
        If a name or a value is not allowed, or a measure does not apply to the outcome; it says
        what is.

    Examples
    --------
    >>> import ldn_meta as lm
    >>> lm.answer("fibromyalgia", designs=["parallel"], tau2_method="DL").k  # doctest: +SKIP
    2
    """
    found = answered(indication, construct, **choices)
    if "measure" in found.notes:
        raise ArgumentError(f"measure: {found.notes['measure']}")
    return found


def answered(
    indication: str, construct: str | Sequence[str] | None = None, **choices: Any
) -> Answer:
    """As `answer`; that a measure does not apply stands in the notes."""
    unknown = [name for name in choices if name not in CHOICES | PAGE_SECTIONS]
    if unknown:
        allowed = [name for name in (*CHOICES, *PAGE_SECTIONS) if name != "construct"]
        hint = did_you_mean(unknown[0], allowed, " ")
        if unknown[0].endswith("construct"):
            hint = "the outcome that is asked for is construct; "
        message = f"unknown choice {unknown[0]}; {hint}allowed: {', '.join(allowed)}"
        raise ArgumentError(message)
    known = read_evidence(files.raw_data()).text["indications"]["indication_id"].tolist()
    if indication not in known:
        hint = did_you_mean(indication, known, " ")
        message = f"indication {indication!r} is unknown; {hint}allowed: {', '.join(known)}"
        raise ArgumentError(message)
    own = load_derived(indication)
    outcomes = own.constructs(construct) if construct else ()
    several = {"construct": outcomes} if len(outcomes) > 1 else {}
    return own.under(**several, **choices).answers.main(outcomes[0] if outcomes else None)


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
