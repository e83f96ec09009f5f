"""Sizes and seeds of batteries: small and fixed in each run, full and drawn anew in a slow one."""

import tracemalloc
from types import FunctionType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldn_meta.stats.effects import effect_size

SEEDS = st.integers(0, 2**32 - 1)


def slow(*values):
    """Values of a parameter that only slow runs take; a tuple is of several parameters."""
    several = (value if isinstance(value, tuple) else (value,) for value in values)
    return [pytest.param(*value, marks=pytest.mark.slow) for value in several]


def sizes(name, usual, full):
    """A size of a battery: the usual one, and the full one in slow runs."""
    return pytest.mark.parametrize(name, [usual, *slow(full)])


def anew(*tests, examples=5):
    """The same tests under other names, slow, on seeds that are drawn anew (the same in CI)."""
    found = {}
    for test in tests:
        # given() takes no argument that has a value already.
        copy = FunctionType(test.__code__, test.__globals__, f"{test.__name__}_anew")
        copy.__dict__.update(test.__dict__)
        drawn = settings(max_examples=examples)(given(seed=SEEDS)(copy))
        found[copy.__name__] = pytest.mark.slow(drawn)
    return found


def many_trials(k):
    """Effects and variances of k trials, the same in each run."""
    i = np.arange(k)
    v = 0.01 + 0.2 * ((i * 37) % 101) / 101
    return np.sin(i) * np.sqrt(v + 0.05), v


def most_memory(call):
    """Bytes that a call holds at the most."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


# metafor's dat.bcg, with its log risk ratios.
_BCG = """
    Aronson                4   119  11   128  44 1948 random
    Ferguson & Simes       6   300  29   274  55 1949 random
    Rosenthal et al.1      3   228  11   209  42 1960 random
    Hart & Sutherland     62 13536 248 12619  52 1977 random
    Frimodt-Moller et al  33  5036  47  5761  13 1973 alternate
    Stein & Aronson      180  1361 372  1079  44 1953 alternate
    Vandiviere et al       8  2537  10   619  19 1973 random
    TPT Madras           505 87886 499 87892  13 1980 random
    Coetzee & Berjak      29  7470  45  7232  27 1968 random
    Rosenthal et al.2     17  1699  65  1600  42 1961 systematic
    Comstock et al.1     186 50448 141 27197  18 1974 systematic
    Comstock & Webster     5  2493   3  2338  33 1969 systematic
    Comstock et al.2      27 16886  29 17825  33 1976 systematic
"""
_LINES = [line.rsplit(maxsplit=7) for line in _BCG.strip().splitlines()]
BCG_TRIALS = pd.DataFrame(
    [(name.strip(), *map(int, numbers), alloc) for name, *numbers, alloc in _LINES],
    columns=["study", "a", "b", "c", "d", "ablat", "year", "alloc"],
).set_index("study")
BCG_TRIALS = BCG_TRIALS.assign(
    n_1=lambda t: t["a"] + t["b"],
    n_2=lambda t: t["c"] + t["d"],
    yi=lambda t: effect_size("RR", events_1="a", n_1="n_1", events_2="c", n_2="n_2", data=t).yi,
    vi=lambda t: effect_size("RR", events_1="a", n_1="n_1", events_2="c", n_2="n_2", data=t).vi,
)
