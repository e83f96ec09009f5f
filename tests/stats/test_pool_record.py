"""The result record: frozen, complete, readable, comparable, safe to pickle."""

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import PooledResult, pool, pool_many

# ARCHITECTURE.md, "Public names", in that order.
PUBLISHED = [
    "k",
    "measure",
    "tau2_method",
    "ci_method",
    "level",
    "estimate",
    "se",
    "statistic",
    "p_value",
    "ci_low",
    "ci_high",
    "tau2",
    "tau2_ci_low",
    "tau2_ci_high",
    "q",
    "q_df",
    "q_pvalue",
    "i2_pct",
    "h2",
    "pi_low",
    "pi_high",
    "yi",
    "vi",
    "weight_pct",
    "labels",
    "notes",
]
Y, V = [0.1, 0.6, -0.2, 0.4], [0.04, 0.05, 0.01, 0.03]


@pytest.fixture
def result():
    return pool(Y, V, measure="MD", labels=["A & B", "<C>", "D", "E"])


def test_fields_are_the_published_ones():
    names = [field.name for field in dataclasses.fields(PooledResult)]
    assert names == [*PUBLISHED, "pi_method"]


def test_settings_are_repeated(result):
    assert (result.measure, result.tau2_method, result.level) == ("MD", "reml", 0.95)
    assert (result.ci_method, result.pi_method) == ("knapp-hartung-floored", "k-1")
    assert result.labels == ("A & B", "<C>", "D", "E")
    assert pool(Y, V).labels == ("trial 1", "trial 2", "trial 3", "trial 4")


def test_numbers_of_one_set_are_plain(result):
    for name in PUBLISHED:
        value = getattr(result, name)
        kind = {"k": int, "q_df": int, "notes": tuple, "labels": tuple}.get(name)
        if name in ("yi", "vi", "weight_pct"):
            kind = np.ndarray
        elif name in ("measure", "tau2_method", "ci_method"):
            kind = str
        assert type(value) is (kind or float), name


def test_it_is_frozen(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.estimate = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.yi[0] = 1.0


def test_equality_sees_every_field(result):
    same = pool(Y, V, measure="MD", labels=["A & B", "<C>", "D", "E"])
    assert result == same
    assert result != "something else"
    for name in (*PUBLISHED, "pi_method"):
        value = getattr(result, name)
        other = value + 1 if isinstance(value, int | float | np.ndarray) else ("changed",)
        other = "changed" if isinstance(value, str) else other
        assert dataclasses.replace(result, **{name: other}) != result, name


def test_nan_equals_nan():
    assert pool([], []) == pool([], [])
    assert pool(Y[:1], V[:1]) == pool(Y[:1], V[:1])


def test_pickle_keeps_it_equal_and_read_only(result):
    for one in (result, pool([], []), pool_many([Y, Y], [V, V])):
        back = pickle.loads(pickle.dumps(one))
        assert back == one
        assert not back.yi.flags.writeable


def test_repr_is_one_line(result):
    text = repr(result)
    assert text == (
        f"PooledResult(MD, k=4, {result.estimate:.4g} [95% CI {result.ci_low:.4g}, "
        f"{result.ci_high:.4g}], tau2={result.tau2:.4g}, I2={result.i2_pct:.0f}%, reml, "
        "knapp-hartung-floored)"
    )
    batch = repr(pool_many([Y, Y], [V, V]))
    assert batch == "PooledResult(batch of shape (2,), reml, knapp-hartung-floored)"


def test_html_has_settings_above_numbers_and_notes_below(result):
    page = pool(Y[:2], V[:2], measure="R<R")._repr_html_()
    order = [
        page.index(words)
        for words in (
            "restricted maximum likelihood",
            "Knapp-Hartung, scale at least 1",
            "t on k-1 degrees of freedom",
            "pooled effect",
            "<li>two trials",
        )
    ]
    assert order == sorted(order)
    assert "R&lt;R" in page
    assert "R<R" not in page
    assert f"{result.estimate:.4g}" in result._repr_html_()
    assert "<td>" in pool_many([Y, Y], [V, V])._repr_html_()


def test_frame_of_one_set_and_of_many(result):
    frame = result.to_frame()
    assert len(frame) == 1
    assert frame.loc[0, "estimate"] == result.estimate
    assert frame.loc[0, "ci_method"] == "knapp-hartung-floored"
    many = pool_many([Y, Y, Y], [V, V, V]).to_frame()
    assert len(many) == 3
    assert (many["estimate"] == result.estimate).all()


def test_frame_of_trials(result):
    frame = result.trials_frame()
    assert frame["label"].tolist() == ["A & B", "<C>", "D", "E"]
    assert frame["sei"].tolist() == np.sqrt(V).tolist()
    assert frame["weight_pct"].sum() == pytest.approx(100)
    with pytest.raises(ArgumentError, match="batch"):
        pool_many([Y, Y], [V, V]).trials_frame()


def test_weights_are_those_of_the_random_effects_model(result):
    w = 1 / (np.array(V) + result.tau2)
    np.testing.assert_allclose(result.weight_pct, 100 * w / w.sum(), rtol=1e-13)
    assert result.estimate == pytest.approx((w @ Y) / w.sum(), rel=1e-13)


@pytest.mark.parametrize("module", ["pool", "influence", "regression", "small_study"])
def test_nothing_heavy_is_imported(module):
    """Start-up is the budget of a notebook: scipy.stats alone costs more than a second."""
    code = (
        f"import sys, ldn_meta.stats.{module}; heavy = {{'scipy.stats', 'scipy.optimize', "
        "'pandas', 'statsmodels', 'matplotlib'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
