"""Pool many sets of 1 to 12 trials in a process of its own: CPU time and peak memory.

    python -m speed.ragged SETS

Prints one line of JSON. The peak is the kernel's, so measuring it costs nothing. As many sets,
1/12 of each size, are timed in turns with the others, one call a size: what mixing sizes costs.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median

import numpy as np

from ldn_meta import pool_many
from speed.memory import peak_megabytes

WIDTH = 12
BLOCK = 10_000  # sets drawn at once, so that drawing leaves no mark on the peak
SEED = 12
CALLS = 3


def ragged_sets(sets: int) -> tuple[np.ndarray, np.ndarray]:
    """Return effects and variances (sets, 12); 1 to 12 trials in a set, NaN elsewhere."""
    rng = np.random.default_rng(SEED)
    y, v = np.empty((sets, WIDTH)), np.empty((sets, WIDTH))
    for start in range(0, sets, BLOCK):
        shape = (min(BLOCK, sets - start), WIDTH)
        rows = slice(start, start + shape[0])
        variance = rng.uniform(0.02, 0.5, shape)
        effect = rng.normal(0.5, np.sqrt(variance + 0.1))
        size = rng.integers(1, WIDTH + 1, (shape[0], 1))
        absent = rng.permuted(np.broadcast_to(np.arange(WIDTH), shape), axis=1) >= size
        effect[absent] = np.nan
        variance[absent] = np.nan
        y[rows], v[rows] = effect, variance
    return y, v


def one_size(sets: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return effects and variances (sets, k), nothing missing."""
    rng = np.random.default_rng(SEED + k)
    variance = rng.uniform(0.02, 0.5, (sets, k))
    return rng.normal(0.5, np.sqrt(variance + 0.1)), variance


def seconds(y: np.ndarray, v: np.ndarray) -> float:
    start = time.process_time()
    pool_many(y, v)
    return time.process_time() - start


def main() -> None:
    sets = int(sys.argv[1])
    y, v = ragged_sets(sets)
    pool_many(y[:100], v[:100])  # imports and look-up tables
    before = peak_megabytes()
    pool_many(y, v)
    peak = peak_megabytes()
    equal = [one_size(sets // WIDTH, k) for k in range(1, WIDTH + 1)]
    pairs = [(seconds(y, v), sum(seconds(*size) for size in equal)) for _ in range(CALLS)]
    equal_trials = sum(variance.size for _, variance in equal)
    print(
        json.dumps(
            {
                "sets": sets,
                "trials": int(np.count_nonzero(~np.isnan(v))),
                "seconds": median(ragged for ragged, _ in pairs),
                "equal_trial_seconds": median(other for _, other in pairs) / equal_trials,
                "before_mb": before,
                "peak_mb": peak,
                "data_mb": (y.nbytes + v.nbytes) / 1e6,
            }
        )
    )


if __name__ == "__main__":
    main()
