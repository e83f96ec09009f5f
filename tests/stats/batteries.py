"""Sizes and seeds of batteries: small and fixed in each run, full and drawn anew in a slow one."""

from types import FunctionType

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
