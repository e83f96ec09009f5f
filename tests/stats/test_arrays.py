"""What formulas accept, and that the examples in docstrings give what they print."""

import datetime
import doctest
import importlib
import inspect
import pickle
import pkgutil
import re

import numpy as np
import pandas as pd
import pytest

import ldn_meta as lm
import ldn_meta.stats
from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats.arrays import checked, numbers
from ldn_meta.stats.bayes import TauPrior, pool_bayes, prior_sensitivity
from ldn_meta.stats.convert import counts_from_percent, se_from_p
from ldn_meta.stats.directions import combine_p
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.influence import cumulative
from ldn_meta.stats.pool import pool
from ldn_meta.stats.proportions import (
    natural_frequencies,
    number_needed_to_treat,
    risk_differences_from_nnt,
    wilson_interval,
)
from ldn_meta.stats.regression import meta_regression
from stats.batteries import BCG_TRIALS

REGRESSION = [0.1, 0.4, -0.2, 0.3], [0.04, 0.1, 0.05, 0.2], [1.0, 2.0, 3.0, 5.0]
REST = {"sd_1": 1.0, "n_1": 10, "mean_2": 5.0, "sd_2": 1.0, "n_2": 10}

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
        [1.0, None, 3.0],
        pd.Series([1.0, None, 3.0], dtype=object),
        pd.Series([1.0, pd.NA, 3.0], dtype=object),
    ],
)
def test_every_kind_of_missing_is_nan(given):
    np.testing.assert_array_equal(numbers("x", given), [1.0, np.nan, 3.0])
    found = effect_size("MD", mean_1=given, sd_1=1.0, n_1=10, mean_2=1.0, sd_2=1.0, n_2=10)
    np.testing.assert_array_equal(found.yi, [0.0, np.nan, 2.0])


COLUMNS = {name: f"my {name}" for name in ("yi", "vi", "X", "by", "cluster", "labels", "order")}
COLUMNS |= {"outcome": "my by", "trial": "my cluster", "people": "my n_1", "time": "my order"}
PAIRS = {"both": "my a", "only_1": "my c", "only_2": "my c", "neither": "my b"}
COUNTS = {"events_1": "my a", "n_1": "my n_1", "events_2": "my c", "n_2": "my n_2"}
COLUMNS |= (
    PAIRS | COUNTS | {"events": "my a", "n": "my n_1", "dose": "my order", "responders": "my a"}
)
NEEDED = {"measure": "OR", "tau_prior_scale": 0.5, "minimal_effect": 0.2, "rho": 0.3, "phi": 0.9}


def test_every_function_of_trials_takes_the_columns_of_a_table():
    """One way for all: the same answer as with the columns themselves, names of trials too."""
    table = BCG_TRIALS.assign(X=BCG_TRIALS["ablat"], by=BCG_TRIALS["alloc"], order=range(13))
    table = table.assign(cluster=table["by"], labels=table.index).reset_index(drop=True)
    table.columns = [f"my {name}" for name in table.columns]
    seen = []
    for name in lm.__all__:
        function = getattr(lm, name)
        parameters = inspect.signature(function).parameters if inspect.isfunction(function) else {}
        if not {"yi", "both", "events", "events_1", "responders", "double_zero"} & {*parameters}:
            continue
        assert "data" in parameters, name
        given = {key: COLUMNS[key] for key in parameters if key in COLUMNS}
        given |= COUNTS if "values" in parameters else {}
        rest = {key: NEEDED[key] for key in parameters if key in NEEDED}
        rest |= {"measure": "MPOR"} if name == "matched_effect" else {}
        plain = function(**rest, **{key: table[column] for key, column in given.items()})
        found = function(**rest, **given, data=table)
        if isinstance(found, tuple) and hasattr(found[0], "alt"):
            found, plain = found[0].alt, plain[0].alt
        np.testing.assert_equal(found, plain)
        seen.append(name)
    assert {"pool_bayes", "subgroups", "labbe_plot", "dose_for", "peters_test"} <= {*seen}
    assert len(seen) > 25
    by_group = {"trial": "my trial", "mean_1": "my yi", "mean_2": "mean", "n_1": 9, "n_2": 9}
    table = table.iloc[:3].assign(mean=1.0).assign(**{"my trial": ["a", "a", "b"]})
    found = lm.shared_control("MD", **by_group, sd_1=1.0, sd_2=2.0, data=table)
    assert found.vi[0, 1] == pytest.approx(4 / 9)


def test_columns_are_refused_by_name():
    table = BCG_TRIALS.assign(yi=[None, pd.NA, *BCG_TRIALS["yi"][2:]])
    assert lm.pool(data=table).k == 11
    assert lm.leave_one_out(data=table, measure="RR").labels[0] == "Aronson"
    with pytest.raises(ArgumentError, match=r"by='alocation' is not known; allowed: .*alloc"):
        lm.subgroups(data=table, by="alocation")
    with pytest.raises(ArgumentError, match=r"yi='yi' is the name of a column; .* data= with it"):
        lm.egger_test()
    with pytest.raises(ArgumentError, match="list has no columns; allowed: a data frame"):
        lm.influence(data=[1, 2])


@pytest.mark.parametrize("name", ["p", "p_low", "likelihood", "response"])
def test_a_probability_may_be_tiny(name):
    assert numbers(name, 1e-250) == 1e-250
    with pytest.raises(ArgumentError, match="at least 1e-100"):
        numbers("estimate", 1e-250)


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: number_needed_to_treat([0.1, 0.2]),
            "rd: shape (2,) is not allowed; allowed: one",
        ),
        (lambda: number_needed_to_treat(0.1, [0.0], 0.2), "rd_low: shape (1,)"),
        (lambda: risk_differences_from_nnt([5]), "nnt: shape (1,)"),
        (lambda: natural_frequencies([0.1], 0.2), "risk_1: shape (1,)"),
        (lambda: wilson_interval([1, 2, 3], 9, level=[0.9, 0.95]), "do not broadcast together"),
        (
            lambda: prior_sensitivity([0.1, 0.2], [0.1, 0.1], tau_prior_scale=[0.5, 1]),
            "tau_prior_scale has shape (2,); allowed: one number",
        ),
        (
            lambda: pool_bayes([0.1], [0.1], tau_prior_scale=1, mu_prior=(10**400, 1)),
            "is not allowed; allowed: (mean, sd)",
        ),
        (lambda: se_from_p(0.5, 0.03, two_sided="False"), "two_sided='False' is not allowed"),
        (lambda: pool([0.1], [0.1], level=10**400), "allowed: a number between 0 and 1"),
        (lambda: cumulative([0.1, 0.2], [0.1] * 2, order=[[0.1], [0.2, 0.3]]), "order: ragged"),
        (lambda: counts_from_percent(50, 0, 2**63), "n: 9223372036854775808 is not allowed"),
        (lambda: effect_size("MD", mean_1=1e31, **REST), "numbers of at most 1e+30 in size"),
        (lambda: effect_size("MD", mean_1=1e-101, **REST), "at least 1e-100 in size"),
    ],
)
def test_what_is_wrong_is_named(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


def test_an_interval_of_each_level():
    """Levels broadcast with counts, a level a row."""
    levels = np.array([[0.9], [0.95]])
    both = wilson_interval([1, 2, 3], 9, level=levels)
    for row, level in zip(range(2), levels.ravel(), strict=True):
        np.testing.assert_array_equal(
            both.low[row], wilson_interval([1, 2, 3], 9, level=level).low
        )


def test_p_values_left_out_are_told():
    assert combine_p([0.1, np.nan, 0.2]).notes == (
        "1 of 3 p-values are missing (NaN) and were left out",
    )


# What a parameter may be called and what it then usually is; other names go by their annotation.
USUAL = {
    **{"yi": [0.1, 0.4, -0.2, 0.3], "vi": [0.04, 0.1, 0.05, 0.2], "X": [1.0, 2.0, 3.0, 5.0]},
    **{"events": [1, 2, 4], "events_1": [1, 2, 4], "events_2": [2, 2, 5]},
    **{"n": [10, 12, 20], "n_1": [10, 12, 20], "n_2": [10, 11, 20], "nnt": 5.0},
    **{"measure": "OR", "code": "OR", "method": "reml", "tau2_method": "dl"},
    **{"labels": list("abcd"), "names": ["x"], "order": [0, 2, 1, 3], "level": 0.9},
    **{"low": 0.1, "high": 0.9, "p": 0.03, "p_low": 0.01, "p_high": 0.03, "statistic": 2.0},
    **{"correlation": 0.5, "ratio": 0.5, "estimate": 0.5, "rd": 0.1, "rd_low": -0.1},
    **{"rd_high": 0.3, "median": 5, "q1": 3, "q3": 7, "minimum": 1, "maximum": 9},
    **{"from_min": 0, "from_max": 100, "tau_prior_scale": 0.5, "people": [20.0, 40.0]},
    **{"true_effects": [0.1, 0.2], "dose": [1, 2, 3.0], "responders": [1, 2, 8]},
    **{"information_fractions": [0.3, 0.6, 1.0], "by": list("aabb"), "important": 0.1},
    **{"result": pool([0.1, 0.4, -0.2, 0.3], [0.04, 0.1, 0.05, 0.2])},
}
BY_ANNOTATION = {
    **{"int": 2, "str": "x", "bool": True, "Sequence[float]": [0.5, 1.0]},
    **{"Sequence[str]": ["half-normal"], "Sequence[int]": [2, 3]},
}
LOOSE = {"ArrayLike", "object", "Any", "Labels", "None", "MuPrior", "TauPrior", "float"}
LOOSE |= {"Sequence[object]", "tuple[float, float]"}
LOOSE |= set(BY_ANNOTATION)
# Rooms of numbers that are checked already, and functions that others call with such numbers.
CHECKED_ROOMS = {"arrays", "multiverse", "quadrature", "up_and_down"}
CHECKED = {
    *("prior_words", "prior_scale", "judged", "agreement", "quantile", "counts_of_steps", "whole"),
    *("printed_steps", "places"),
}
ODD = (
    *(None, "", "abc", "False", True, np.bool_(True), [], [[]], {}, object(), len, b"x"),
    *(np.nan, np.inf, -np.inf, 0, -1, -0.0, 3.5, 1e300, -1e300, 5e-324, 1e-300, 1 + 2j),
    *(10**400, -(10**400), 2**63, np.float32(0.5), [1, [2, 3]], [0.1, 0.2], {"a": 1}, {1, 2}),
    *([0.1, 0.2, 0.3, 0.4], [[0.1, 0.2, 0.3, 0.4]] * 2, [0.1, pd.NA, 0.3, 0.4], range(4)),
    *([None, 1, 2, 3], ["a", 1, 2, 3], [np.nan] * 4, [np.inf, 1, 2, 3], [1e300] * 4),
    *([5e-324] * 4, [1e300, 1e-300, 1, 1], np.array(["a", "b"]), np.zeros((0, 3))),
    *(np.zeros((2, 2, 2)), np.ma.array([0.1, 0.2, 0.3, 0.4], mask=[0, 1, 0, 0]), pd.NA),
    *(pd.Series([0.1, None, 0.3, 0.4], dtype="Float64"), pd.DataFrame({"a": [1.0, 2.0]})),
    *(datetime.date(2020, 1, 1), np.datetime64("2020"), pd.Timestamp("2020")),
)


def _takes_anything(parameter):
    parts = {part.strip() for part in str(parameter.annotation).split("|")}
    return parameter.kind is parameter.VAR_KEYWORD or parts <= LOOSE


def _functions():
    """Every public function whose parameters are numbers or words as people have them."""
    for name in MODULES:
        module = importlib.import_module(f"ldn_meta.stats.{name}")
        for function_name, function in vars(module).items():
            if (
                inspect.isfunction(function)
                and function.__module__ == module.__name__
                and name not in CHECKED_ROOMS
                and not function_name.startswith("_")
                and function_name not in CHECKED
                and all(map(_takes_anything, inspect.signature(function).parameters.values()))
            ):
                yield function


FUNCTIONS = list(_functions())
each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.__name__)


def _usual(function):
    """A call as it is meant to be, and the names of all parameters."""
    parameters = inspect.signature(function).parameters
    named = {k: v for k, v in parameters.items() if v.kind is not v.VAR_KEYWORD}
    call = {}
    for name, parameter in named.items():
        if parameter.default is parameter.empty or name in ("yi", "vi", "X"):
            kind = str(parameter.annotation).split("|")[0].strip()
            call[name] = USUAL.get(name, BY_ANNOTATION.get(kind, 0.4))
    names = list(named)
    if function is effect_size:
        tables = ("events_1", "n_1", "events_2", "n_2")
        call |= {name: USUAL[name] for name in tables}
        names += tables
    return call, names


def _answers_or_refuses(function, call):
    """Warnings are errors everywhere in these tests; a record that has no number says why."""
    shown = {name: repr(value)[:60] for name, value in call.items()}
    try:
        found = function(**call)
    except (ArgumentError, ConvergenceError):
        return
    except Exception as error:
        raise AssertionError(f"{function.__name__}({shown}): {error!r}") from error
    if hasattr(found, "notes") and np.isnan(getattr(found, "estimate", 0.0)).any():
        assert found.notes, f"{function.__name__}({shown}): NaN without a note"


@each_function
def test_odd_calls_are_answered_or_refused(function, share=7):
    """One in seven; the slow test makes all."""
    call, names = _usual(function)
    for place, name in enumerate(names):
        for value in ODD[place % share :: share]:
            _answers_or_refuses(function, call | {name: value})


@pytest.mark.slow
@each_function
def test_all_odd_calls_are_answered_or_refused(function):
    call, names = _usual(function)
    rng = np.random.default_rng(len(function.__name__))
    for name in names:
        for value in ODD:
            _answers_or_refuses(function, call | {name: value})
    for _ in range(400):
        pair = {name: ODD[rng.integers(len(ODD))] for name in rng.choice(names, 2)}
        _answers_or_refuses(function, call | pair)


METHODS = {
    "nnt": (lambda one: number_needed_to_treat(0.1, 0.05, 0.2).text(decimals=one)),
    "frequencies": (lambda one: natural_frequencies(0.1, 0.2).text(treatment=one)),
    "points": (lambda one: meta_regression(*REGRESSION).predict(one)),
    "predict": (lambda one: meta_regression(*REGRESSION).predict([1.0], pi_method=one)),
    "family": (lambda one: TauPrior(one, 1.0)),
    "scale": (lambda one: TauPrior("half-normal", one)),
    "location": (lambda one: TauPrior("log-normal", 1.0, one)),
}


@pytest.mark.parametrize("method", METHODS)
def test_odd_calls_of_records_are_answered_or_refused(method):
    for one in ODD:
        _answers_or_refuses(METHODS[method], {"one": one})


def test_the_odd_calls_reach_what_people_call():
    reached = {function.__name__ for function in FUNCTIONS}
    assert len(reached) > 80
    assert {
        "pool",
        "effect_size",
        "meta_regression",
        "number_needed_to_treat",
        "subgroups",
    } <= reached


def test_every_measure_that_can_be_computed_can_be_read():
    from ldn_meta.stats.arrays import MEASURES, known_measure
    from ldn_meta.stats.effects import EFFECT_CODES, MATCHED_CODES

    assert {*EFFECT_CODES, *MATCHED_CODES} <= set(MEASURES)
    assert known_measure("") == "" and known_measure("zcor") == "ZCOR"
    assert MEASURES["RR"].no_effect == 1 and MEASURES["MD"].no_effect == 0
    assert np.isnan(MEASURES["PLO"].no_effect)


def test_the_old_name_of_measure_goes_on_for_a_version():
    from ldn_meta.stats.effects import effect_size, matched_effect

    table = {"events_1": 4, "n_1": 123, "events_2": 11, "n_2": 139}
    with pytest.warns(DeprecationWarning, match="code= of effect_size is now measure="):
        assert effect_size(code="RR", **table) == effect_size("rr", **table)
    pairs = {"both": 20, "only_1": 10, "only_2": 5, "neither": 20}
    with pytest.warns(DeprecationWarning, match="code= of matched_effect is now measure="):
        assert matched_effect(code="MPOR", **pairs) == matched_effect("MPOR", **pairs)
    with pytest.raises(TypeError, match="measure"):
        effect_size(**table)
