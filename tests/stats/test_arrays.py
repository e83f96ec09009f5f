"""What formulas accept, and that the examples in docstrings give what they print."""

import doctest
import importlib
import pickle
import pkgutil
import re

import numpy as np
import pandas as pd
import pytest

import ldn_meta.stats
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import checked, numbers
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.pool import pool

MODULES = [module.name for module in pkgutil.iter_modules(ldn_meta.stats.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    found = doctest.testmod(importlib.import_module(f"ldn_meta.stats.{name}"))
    assert found.failed == 0


def test_what_a_mask_hides_is_missing():
    hidden = np.ma.array([5.0, 600.0, 7.0], mask=[False, True, False])
    assert np.isnan(numbers("mean_1", hidden)).tolist() == [False, True, False]
    found = effect_size("MD", mean_1=hidden, sd_1=1.0, n_1=10, mean_2=5.0, sd_2=1.0, n_2=10)
    np.testing.assert_array_equal(found.yi, [0.0, np.nan, 2.0])


@pytest.mark.parametrize(
    "given",
    [
        [1.0, pd.NA, 3.0],
        pd.Series([1, None, 3], dtype="Int64"),
        pd.DataFrame({"m": [1, None, 3]}, dtype="Float64")["m"],
        [1.0, np.ma.masked, 3.0],
        np.ma.array([1, 600, 3], mask=[0, 1, 0]),
    ],
)
def test_every_kind_of_missing_is_nan(given):
    np.testing.assert_array_equal(numbers("x", given), [1.0, np.nan, 3.0])
    found = effect_size("MD", mean_1=given, sd_1=1.0, n_1=10, mean_2=1.0, sd_2=1.0, n_2=10)
    np.testing.assert_array_equal(found.yi, [0.0, np.nan, 2.0])


def test_masks_within_a_list_count():
    rows = [np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([3.0, 4.0], mask=[1, 0])]
    np.testing.assert_array_equal(numbers("x", rows), [[1.0, np.nan], [np.nan, 4.0]])


@pytest.mark.parametrize("labels", [5, "abcd", ["a", "b"]])
def test_labels_are_one_a_trial(labels):
    with pytest.raises(ArgumentError, match=r"labels.*allowed: 4 labels, one per trial"):
        pool([0.1, 0.2, 0.3, 0.4], [0.1] * 4, labels=labels)


def test_an_effect_is_a_pair_with_notes():
    found = effect_size("RR", events_1=0, n_1=10, events_2=2, n_2=10)
    yi, vi = found
    assert (yi, vi) == found == (found.yi, found.vi)
    assert found.notes == ("0.5 was added to each count, because one is 0",)
    assert pickle.loads(pickle.dumps(found)).notes == found.notes
    assert effect_size("RR", events_1=1, n_1=10, events_2=2, n_2=10).notes == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"sd_1": [[1.0, 2.0], [3.0, -1.0]]},
            "sd_1[1, 1]: -1 is not allowed; numbers of at least",
        ),
        ({"events_1": 3, "n_1": 2}, "events_1: 3 is above n_1 2; allowed: events_1 <= n_1"),
        ({"events_2": [1, 9], "n": 5}, "events_2: 9 is above n 5"),
        ({"df": 0}, "df: 0 is not allowed; numbers above 0"),
        ({"correlation": -1.5}, "correlation: -1.5 is not allowed"),
        ({"se": [1, 2], "n": [1, 2, 3]}, "shapes do not broadcast together: se (2,), n (3,)"),
    ],
)
def test_a_name_says_what_a_number_may_be(values, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        checked(**values)
    assert checked(value=-1.0, df=np.inf)[1] == np.inf
