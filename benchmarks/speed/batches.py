"""Large batches of sets of different size, and what importing costs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from speed.environment import PEER_PYTHON
from speed.session import alone, start_up

ROUNDS = 3
SIZES = (20_000, 50_000, 100_000, 200_000)
IMPORT_ROUNDS = 7


@dataclass(frozen=True)
class Ragged:
    """One process that pooled `sets` sets, of `trials` trials together."""

    sets: int
    trials: int
    seconds: float
    equal_trial_seconds: float
    before_mb: float
    peak_mb: float
    data_mb: float


def measure_ragged(progress: Callable[[str], None]) -> dict[int, list[Ragged]]:
    """Pool batches of growing size, in turns."""
    runs: dict[int, list[Ragged]] = {sets: [] for sets in SIZES}
    for turn in range(ROUNDS):
        for sets in SIZES:
            progress(f"round {turn + 1} of {ROUNDS}: {sets:,} sets of 1 to 12 trials")
            runs[sets].append(Ragged(**alone("ragged", sets)))
    return runs


def measure_imports(progress: Callable[[str], None]) -> dict[str, float | None]:
    """Return CPU seconds to import each package, beyond those of an empty process."""
    ours, peers = sys.executable, str(PEER_PYTHON)
    statements = {
        "import ldn_meta": ours,
        "import ldn_meta.stats.pool": ours,
        "import numpy": ours,
        "import scipy.special": ours,
        "import statsmodels.stats.meta_analysis": peers,
        "import pymare": peers,
        "import pimeta": peers,
        "import meta_analyze": peers,
    }
    commands = {what: [python, "-c", what] for what, python in statements.items()}
    empty = {what: [python, "-c", "pass"] for what, python in statements.items()}
    commands["library(metafor)"] = _r("suppressPackageStartupMessages(library(metafor))")
    empty["library(metafor)"] = _r("invisible(1)")
    found: dict[str, float | None] = {}
    for what, command in commands.items():
        progress(what)
        mine = command[0] == ours
        start_up(command, ours=mine)  # compiles modules and fills the file cache
        pairs = [
            (start_up(command, ours=mine), start_up(empty[what], ours=mine))
            for _ in range(IMPORT_ROUNDS)
        ]
        differences = [a - b for a, b in pairs if a is not None and b is not None]
        found[what] = max(median(differences), 0.0) if differences else None
    return found


def _r(expression: str) -> list[str]:
    return ["Rscript", "--vanilla", "-e", expression]
