"""The multiverse of pain in fibromyalgia in a process of its own: in batch, or one by one.

    python -m speed.analyses batch
    python -m speed.analyses loop ANALYSES

Prints one line of JSON. Reading the tables is not timed: both need them. The loop takes every
short cut that keeps it a loop: the tables are normalised once for each choice about data, only
candidates of this outcome are looked at, and a model is no more than the options of `pool`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta import load_evidence, load_protocol
from ldn_meta.evidence.answer.multiverse import NUMBERS, Multiverse, Normalised, build_multiverse
from ldn_meta.evidence.answer.pools import pool_trials, with_prior
from ldn_meta.evidence.effects.rows import select
from ldn_meta.evidence.raw.selection import TWO_TRIALS, Variant, departed
from ldn_meta.stats.multiverse import digits

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.tables import Evidence

INDICATION, CONSTRUCT, COMPARATOR = "fibromyalgia", "pain_intensity", "placebo"
SEED = 5
WARM_UP = 3


def own_evidence() -> Evidence:
    return load_evidence().for_indication(INDICATION)


def built(own: Evidence, protocol: Protocol) -> Multiverse:
    found = build_multiverse(Normalised(own, protocol), CONSTRUCT, COMPARATOR)
    if found is None:
        message = "no trial gives an effect on pain in fibromyalgia"
        raise SystemExit(message)
    return found


def in_batch(own: Evidence, protocol: Protocol) -> dict[str, Any]:
    """Build everything and stream every analysis."""
    built(own, protocol)  # imports
    start = time.process_time()
    found = built(own, protocol)
    build = time.process_time() - start
    rows = sum(len(frame) for frame in found.stream())
    return {
        "analyses": rows,
        "seconds": time.process_time() - start,
        "build_seconds": build,
        "sets": len(found.yi),
        "models": found.results["k"].shape[1],
    }


class Loop:
    """One analysis after the other, by the functions that make a single report."""

    def __init__(self, own: Evidence, protocol: Protocol, key: tuple[str, str]) -> None:
        self.normalised, self.protocol, self.key = Normalised(own, protocol), protocol, key
        self.main = Variant("", protocol.selection, protocol.model)
        self.tables: dict[tuple[tuple[str, Any], ...], pd.DataFrame] = {}

    def candidates(self, changes: dict[str, Any]) -> pd.DataFrame:
        """Return the effects that can meet in the pool, under a choice about data."""
        name = tuple(sorted(changes.items()))
        if name not in self.tables:
            found = self.normalised.effects(changes, CONSTRUCT, COMPARATOR)
            if found is None:
                message = f"no effect on {CONSTRUCT} under {changes}"
                raise SystemExit(message)
            is_ours = found["has_known_scale"].astype(bool)
            is_ours &= (found["measure"] == self.key[0]) & (found["unit"] == self.key[1])
            self.tables[name] = found[is_ours]
        return self.tables[name]

    def changes(self, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what analysis `number` changes: of the data, and of the protocol."""
        places = digits([number], [len(node.options) for node in self.protocol.nodes])[0]
        options = [
            node.options[place] for node, place in zip(self.protocol.nodes, places, strict=True)
        ]
        data = {name: value for option in options for name, value in option.of_data().items()}
        rest = {name: value for option in options for name, value in option.of_protocol().items()}
        return data, rest

    def analysis(self, number: int) -> list[float]:
        """Change the protocol, select and pool; NUMBERS, or NaN where nothing is left."""
        data, rest = self.changes(number)
        changed = departed(self.main, rest)
        effects = self.candidates(data)
        chosen, _ = select(effects, changed.selection)
        if not chosen.any():
            return [0.0, *[np.nan] * (len(NUMBERS) - 1)]
        trials = effects[chosen]
        result = pool_trials(trials, changed.model, self.key[0])
        numbers = {name: float(getattr(result, name)) for name in NUMBERS}
        if len(trials) == TWO_TRIALS and changed.model.is_read_with_prior(TWO_TRIALS):
            y, v = (tuple(trials[name].astype(float)) for name in ("yi", "vi"))
            prior = with_prior(y, v, changed.model, measure=self.key[0], unit=self.key[1])
            if prior is not None:
                numbers |= {"estimate": prior.mu_median, "ci_low": prior.mu_low}
                numbers |= {"ci_high": prior.mu_high, "se": np.nan, "p_value": np.nan}
        return list(numbers.values())


def one_by_one(own: Evidence, protocol: Protocol, timed: int) -> dict[str, Any]:
    """Time a sample of the analyses, and hold the answers against the batch."""
    found = built(own, protocol)
    loop = Loop(own, protocol, (found.measure, found.unit))
    numbers = np.random.default_rng(SEED).choice(len(found), timed, replace=False)
    start = time.process_time()
    for number in numbers:
        loop.candidates(loop.changes(int(number))[0])
    # Once, however long the loop is: never scaled.
    normalising = time.process_time() - start
    for number in numbers[:WARM_UP]:
        loop.analysis(int(number))
    start = time.process_time()
    answers = np.array([loop.analysis(int(number)) for number in numbers])
    seconds = time.process_time() - start
    rows, columns = found.places(digits(numbers, found.sizes))
    batch = np.column_stack([found.results[name][rows, columns] for name in NUMBERS])
    differences = np.abs(answers - batch) / np.maximum(np.abs(batch), 1.0)
    return {
        "timed": timed,
        "seconds_per_analysis": seconds / timed,
        "normalising": normalising,
        "unlike": int((np.isnan(answers) != np.isnan(batch)).any(axis=1).sum()),
        "worst": float(np.nanmax(differences)),
    }


def main() -> None:
    own, protocol = own_evidence(), load_protocol()
    if sys.argv[1] == "batch":
        print(json.dumps(in_batch(own, protocol)))
    else:
        print(json.dumps(one_by_one(own, protocol, int(sys.argv[2]))))


if __name__ == "__main__":
    main()
