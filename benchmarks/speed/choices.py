"""Quadrature, whole multiverses and large batches of small sets: everything measured in turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from speed.fits import BUDGET, ROUNDS, Agreement, agreement, relative
from speed.session import Contender, UnavailableError, alone

SEED = 50
QUADRATURE = (2, 5, 13)
ONE_BY_ONE, IN_BATCH = 50, 2_000
SETS, SMALLEST, LARGEST = 100_000, 2, 6
# Sets of each size that a loop is timed on; it is scaled to all of that size.
LOOPED = 100
# contender -> sets of each size that it gets; None for all of them
SET_CONTENDERS = {"pool_many": None, "pool": LOOPED, "pymare_many": None, "metafor": LOOPED}
LOOP_ANALYSES = 300
STREAMED = (100_000, 1_000_000, 10_000_000)
MIXED = "mixed"

Progress = Callable[[str], None]
Seconds = dict[str, list[float]]


@dataclass
class Choices:
    """Everything one run found; CPU seconds, one number a round.

    ``quadrature`` has seconds a fit by trials and contender, ``sets`` seconds for all the sets
    by contender; ``batch`` and ``loop`` are what the processes of a round printed.
    """

    streamed: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    batch: list[dict[str, Any]] = field(default_factory=list)
    loop: list[dict[str, Any]] = field(default_factory=list)
    quadrature: dict[int, Seconds] = field(default_factory=dict)
    quadrature_apart: float = 0.0
    sets: Seconds = field(default_factory=dict)
    agreement: dict[str, Agreement] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def loop_seconds(self) -> list[float]:
        """CPU seconds of the loop over the whole multiverse, scaled from its sample."""
        return [
            run["normalising"] + run["seconds_per_analysis"] * whole["analyses"]
            for run, whole in zip(self.loop, self.batch, strict=True)
        ]

    @property
    def loop_ratios(self) -> list[float]:
        """How many times longer the loop takes, round by round."""
        return [a / b["seconds"] for a, b in zip(self.loop_seconds, self.batch, strict=True)]

    def set_ratios(self, contender: str) -> list[float]:
        """Return how many times longer than pool_many a contender takes, round by round."""
        ours = self.sets["pool_many"]
        return [a / b for a, b in zip(self.sets.get(contender, []), ours, strict=False)]

    def quadrature_ratios(self, k: int) -> list[float]:
        """Return how many times longer a fit takes one by one than in a batch."""
        seconds = self.quadrature[k]
        return [
            a / b for a, b in zip(seconds["pool_bayes"], seconds["pool_bayes_many"], strict=True)
        ]

    @property
    def growth(self) -> float:
        """How many times the memory of the short stream the long one takes at its peak."""
        peaks = [median(run["peak_mb"] for run in self.streamed[size]) for size in STREAMED]
        return peaks[-1] / peaks[0]


def measure_choices(progress: Progress) -> Choices:
    """Measure everything, each part in rounds in which its contenders take turns."""
    found = Choices()
    _measure_multiverse(found, progress)
    _measure_quadrature(found, progress)
    _measure_sets(found, progress)
    return found


def _measure_multiverse(found: Choices, progress: Progress) -> None:
    for turn in range(ROUNDS):
        progress(f"round {turn + 1} of {ROUNDS}: the multiverse")
        found.batch.append(alone("analyses", "batch"))
        found.loop.append(alone("analyses", "loop", LOOP_ANALYSES))
        for size in STREAMED:
            found.streamed.setdefault(size, []).append(alone("streamed", size))


def _measure_quadrature(found: Choices, progress: Progress) -> None:
    rng = np.random.default_rng(SEED)
    with Contender("pool_bayes") as single, Contender("pool_bayes_many") as batch:
        found.versions["pool"] = single.about
        for k in QUADRATURE:
            yi, vi = _drawn(rng, (IN_BATCH, k))
            single.keep(f"k{k}", yi[:ONE_BY_ONE], vi[:ONE_BY_ONE])
            batch.keep(f"k{k}", yi, vi)
            ours, theirs = single.answers(f"k{k}"), batch.answers(f"k{k}")[:ONE_BY_ONE]
            apart = float(np.abs(ours - theirs).max())
            found.quadrature_apart = max(found.quadrature_apart, apart)
        for turn in range(ROUNDS):
            progress(f"round {turn + 1} of {ROUNDS}: quadrature")
            for k in QUADRATURE:
                seconds = found.quadrature.setdefault(k, {})
                for one in (single, batch):
                    used = one.seconds_per_fit(f"k{k}", BUDGET)
                    seconds.setdefault(one.name, []).append(used)


def _measure_sets(found: Choices, progress: Progress) -> None:
    by_size, mixed = _sets()
    with ExitStack() as stack:
        running: dict[str, Contender] = {}
        for name in SET_CONTENDERS:
            progress(f"start {name}, and compare its answers")
            try:
                one = stack.enter_context(Contender(name))
                _hand_over(one, by_size, mixed)
                if name != "pool_many":
                    found.agreement[name] = _compared(one, running["pool_many"], by_size)
            except UnavailableError:
                continue
            running[name], found.versions[name] = one, one.about
        for turn in range(ROUNDS):
            progress(f"round {turn + 1} of {ROUNDS}: {SETS:,} different sets")
            for name, one in list(running.items()):
                try:
                    used = _seconds_for_all(one, by_size)
                except UnavailableError:
                    del running[name]
                    continue
                found.sets.setdefault(name, []).append(used)


def _drawn(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Draw effects around 0.5 with tau2 = 0.1 and sampling variances from 0.02 to 0.5."""
    variance = rng.uniform(0.02, 0.5, shape)
    return rng.normal(0.5, np.sqrt(variance + 0.1)), variance


Sets = tuple[np.ndarray, np.ndarray]


def _sets() -> tuple[dict[int, Sets], Sets]:
    """Draw the sets: those of each size, and all of them in random order with NaN for no trial."""
    rng = np.random.default_rng(SEED)
    yi, vi = _drawn(rng, (SETS, LARGEST))
    size = rng.integers(SMALLEST, LARGEST + 1, SETS)
    by_size = {
        k: (yi[size == k, :k].copy(), vi[size == k, :k].copy())
        for k in range(SMALLEST, LARGEST + 1)
    }
    absent = np.arange(LARGEST) >= size[:, None]
    yi[absent] = vi[absent] = np.nan
    return by_size, (yi, vi)


def _hand_over(one: Contender, by_size: dict[int, Sets], mixed: Sets) -> None:
    for k, (yi, vi) in by_size.items():
        stop = SET_CONTENDERS[one.name]
        one.keep(f"k{k}", yi[:stop], vi[:stop])
    if one.name == "pool_many":
        one.keep(MIXED, *mixed)


def _seconds_for_all(one: Contender, by_size: dict[int, Sets]) -> float:
    """CPU seconds for all the sets: as they come, or size by size."""
    if one.name == "pool_many":
        return one.seconds_per_fit(MIXED, BUDGET) * SETS
    return sum(one.seconds_per_fit(f"k{k}", BUDGET) * len(yi) for k, (yi, _) in by_size.items())


def _compared(one: Contender, ours: Contender, by_size: dict[int, Sets]) -> Agreement:
    parts = []
    for k, (_, vi) in by_size.items():
        theirs = one.answers(f"k{k}")
        truth = ours.answers(f"k{k}")[: len(theirs)]
        parts.append(relative(theirs, truth, vi[: len(theirs)]))
    return agreement(np.concatenate(parts))
