"""Sizes and seeds of batteries: small and fixed in each run, full and drawn anew in a slow one."""

import tracemalloc
from types import FunctionType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
