"""What Bayesian pools refuse, what they note, and the record they return."""

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pytest

import ldn_meta as lm
from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats import quadrature as bayes_nodes
from ldn_meta.stats.bayes import (
    NUMBERS,
    TauPrior,
    pool_bayes,
    pool_bayes_many,
    prior_sensitivity,
    rhodes_prior,
    turner_prior,
)

NAN = float("nan")
Y, V = [0.1, 0.6, -0.2], [0.04, 0.05, 0.01]


def told(result, words):
    return any(words in note for note in result.notes)


@pytest.fixture
def result():
    return pool_bayes(
        Y, V, tau_prior_scale=0.5, mid=0.3, measure="MD", labels=["A & B", "<C>", "D"]
    )


@pytest.mark.parametrize("call", [pool_bayes, pool_bayes_many])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, r"tau_prior_scale is missing for the half-normal prior; allowed: positive"),
        ({"tau_prior_scale": 0.0}, r"tau_prior_scale=0\.0 .*positive numbers from 1e-15"),
        ({"tau_prior_scale": -1}, r"tau_prior_scale=-1\.0"),
        ({"tau_prior_scale": NAN}, r"tau_prior_scale=nan"),
        ({"tau_prior_scale": np.inf}, r"tau_prior_scale=inf"),
        ({"tau_prior_scale": "0.5"}, r"tau_prior_scale='0\.5' is not a number"),
        ({"tau_prior_scale": True}, r"tau_prior_scale=True is not a number"),
        ({"tau_prior_scale": [0.5, 0.5]}, r"tau_prior_scale has shape \(2,\); allowed: one"),
        ({"tau_prior_scale": [[1], [1, 2]]}, r"tau_prior_scale=.* is not a number"),
        ({"tau_prior": "uniform", "tau_prior_scale": 1}, r"tau_prior='uniform' .*half-cauchy"),
        ({"tau_prior": "log-normal", "tau_prior_scale": 1}, r"'log-normal' .*turner_prior"),
        ({"tau_prior": None}, r"tau_prior=None"),
        ({"tau_prior": turner_prior(), "tau_prior_scale": 1}, r"beside a whole prior"),
        ({"tau_prior_scale": 1, "mu_prior": (0, 0)}, r"mu_prior=\(0, 0\) .*positive sd"),
        ({"tau_prior_scale": 1, "mu_prior": (0, NAN)}, r"mu_prior=\(0, nan\)"),
        ({"tau_prior_scale": 1, "mu_prior": 3}, r"mu_prior=3"),
        ({"tau_prior_scale": 1, "mu_prior": (1, 2, 3)}, r"mu_prior=\(1, 2, 3\)"),
        ({"tau_prior_scale": 1, "mid": 0}, r"mid=0\.0 .*positive"),
        ({"tau_prior_scale": 1, "mid": -1}, r"mid=-1\.0"),
        ({"tau_prior_scale": 1, "mid": "1"}, r"mid holds str"),
        ({"tau_prior_scale": 1, "mid": [1, 2]}, r"mid has shape \(2,\)"),
        ({"tau_prior_scale": 1, "level": 95}, r"level=95 .*between 0 and 1"),
        ({"tau_prior_scale": 1, "measure": 3}, r"measure=3 .*text"),
        ({"tau_prior_scale": 1, "labels": ["a"]}, r"labels has 1 entries; allowed: 3"),
    ],
)
def test_bad_options_are_refused(call, options, words):
    with pytest.raises(ArgumentError, match=words):
        call(Y, V, **options)


@pytest.mark.parametrize(
    ("yi", "vi", "words"),
    [
        ([0.1, 0.2], [0.1], r"yi has shape \(2,\) and vi has shape \(1,\)"),
        ([0.1, 0.2], [0.1, 0.0], r"vi\[1\]=0\.0 .*positive"),
        ([0.1, np.inf], [0.1, 0.1], r"yi\[1\]=inf .*finite"),
        ([[0.1, 0.2]], [[0.1, 0.1]], r"allowed: \(k,\)"),
    ],
)
def test_bad_numbers_are_refused(yi, vi, words):
    with pytest.raises(ArgumentError, match=words):
        pool_bayes(yi, vi, tau_prior_scale=0.5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TauPrior("normal", 1.0), r"tau_prior='normal' is not known"),
        (lambda: TauPrior("log-t", 11.0), r"tau_prior_scale=11\.0 .*from 0 to 10"),
        (lambda: TauPrior("log-t", 1.0, 60.0), r"location=60\.0 .*at most 50"),
        (lambda: TauPrior("log-t", 1.0, NAN), r"location=nan"),
        (lambda: TauPrior("half-normal", 1.0, 1.0), r"location=1\.0 .*only a scale"),
        (lambda: TauPrior("half-normal", [1.0, 2.0]), r"one number for one prior"),
        (lambda: TauPrior("half-normal", 1.0, source=None), r"source=None"),
        (lambda: turner_prior("pian"), r"outcome='pian' .*pain, quality of life"),
        (lambda: rhodes_prior("pain", against="sham"), r"against='sham' .*placebo or control"),
        (
            lambda: prior_sensitivity(Y, V, tau_prior_scale=1, families=["log-t"]),
            r"families='log-t'",
        ),
        (lambda: prior_sensitivity(Y, V, tau_prior_scale=1, factors=[]), r"factors=\[\]"),
        (lambda: prior_sensitivity(Y, V, tau_prior_scale=1, factors=[0]), r"factors=\[0\]"),
    ],
)
def test_bad_priors_are_refused(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_too_few_points_are_an_error_not_a_number(monkeypatch):
    monkeypatch.setattr(bayes_nodes, "MOST_NODES", 2)
    with pytest.raises(ConvergenceError, match=r"not enough for 1 of 1 sets .* wrong unit"):
        pool_bayes(Y, V, tau_prior_scale=0.5)


def test_trials_that_rounding_would_decide_are_refused():
    """An effect ten thousand million standard errors away: Q is 4e20, rounding of it 1e4."""
    with pytest.raises(ConvergenceError, match="wrong unit"):
        pool_bayes([1e25, -1e25], [1e-30, 1e30], tau_prior_scale=0.5)


@pytest.mark.parametrize("mu_prior", [None, (0.0, 1.0)])
@pytest.mark.parametrize("yi", [[], [NAN], [NAN, NAN]], ids=len)
def test_no_trial(yi, mu_prior):
    r = pool_bayes(yi, yi, tau_prior_scale=0.5, mu_prior=mu_prior, mid=1.0)
    assert r.k == 0
    for name in set(NUMBERS) - {"k"}:
        assert np.isnan(getattr(r, name)), name
    assert told(r, "nothing was estimated")
    assert "not defined" in r._repr_html_()


def test_few_trials_are_announced():
    assert told(pool_bayes(Y[:1], V[:1], tau_prior_scale=0.5), "from the prior alone")
    assert told(pool_bayes(Y[:2], V[:2], tau_prior_scale=0.5), "compare other priors")
    assert pool_bayes(Y, V, tau_prior_scale=0.5).notes == ()


def test_moments_that_do_not_exist_are_nan_with_a_note():
    heavy = [
        pool_bayes(Y[:k], V[:k], tau_prior="half-cauchy", tau_prior_scale=0.5) for k in (1, 2, 3)
    ]
    assert np.isnan([r.mu_mean for r in heavy]).tolist() == [True, False, False]
    assert np.isnan([r.mu_sd for r in heavy]).tolist() == [True, True, False]
    assert told(heavy[0], "mean and SD of mu are undefined")
    assert told(heavy[1], "the SD of mu is undefined")
    assert heavy[2].notes == ()
    proper = pool_bayes(
        Y[:1], V[:1], tau_prior="half-cauchy", tau_prior_scale=0.5, mu_prior=(0.0, 1.0)
    )
    assert np.isfinite(proper.mu_sd)


def test_trials_that_contradict_the_prior_are_announced():
    assert told(pool_bayes([0.0, 30.0], [0.1, 0.1], tau_prior_scale=0.5), "wrong unit")
    assert not told(pool_bayes([0.0, 1.0], [0.1, 0.1], tau_prior_scale=0.5), "wrong unit")
    batch = pool_bayes_many([[0.0, 30.0], [0.0, 1.0]], [[0.1, 0.1]] * 2, tau_prior_scale=0.5)
    assert told(batch, "1 of 2 sets: the posterior median of tau")


def test_a_missing_trial_has_no_effect_of_its_own():
    r = pool_bayes([0.1, NAN, 0.6], [0.04, 0.1, 0.05], tau_prior_scale=0.5)
    assert np.isnan(r.shrunk_mean).tolist() == [False, True, False]
    assert told(r, "left out")
    assert r.mu_low == pool_bayes([0.1, 0.6], [0.04, 0.05], tau_prior_scale=0.5).mu_low


def test_empty_batches():
    assert pool_bayes_many(np.empty((0, 4)), np.empty((0, 4)), tau_prior_scale=1).k.shape == (0,)
    nothing = pool_bayes_many(np.empty((3, 0)), np.empty((3, 0)), tau_prior_scale=1)
    assert nothing.k.tolist() == [0, 0, 0]
    assert np.isnan(nothing.mu_median).all()


def test_public_names():
    assert lm.pool_bayes is pool_bayes
    assert lm.pool_bayes_many is pool_bayes_many
    assert isinstance(pool_bayes(Y, V, tau_prior_scale=1), lm.BayesResult)


def test_numbers_of_one_set_are_plain(result):
    assert type(result.k) is int
    for name in set(NUMBERS) - {"k"}:
        assert type(getattr(result, name)) is float, name
    assert (result.measure, result.tau_prior, result.tau_prior_scale) == ("MD", "half-normal", 0.5)
    assert (result.level, result.mid, result.mu_prior) == (0.95, 0.3, None)


def test_it_is_frozen_comparable_and_safe_to_pickle(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.mu_mean = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.shrunk_mean[0] = 1.0
    back = pickle.loads(pickle.dumps(result))
    assert back == result
    assert not back.yi.flags.writeable
    assert result != dataclasses.replace(result, mu_prior=(0.0, 1.0))
    assert result != dataclasses.replace(result, mu_low=0.0)


def test_repr_is_one_line(result):
    assert repr(result) == (
        f"BayesResult(MD, k=3, {result.mu_median:.4g} [95% {result.mu_low:.4g}, "
        f"{result.mu_high:.4g}], tau={result.tau_median:.4g}, half-normal, scale 0.5)"
    )
    batch = pool_bayes_many([Y, Y], [V, V], tau_prior_scale=[0.5, 1.0])
    assert repr(batch) == "BayesResult(batch of shape (2,), half-normal, scales differ)"


def test_html_has_settings_above_numbers_and_notes_below():
    r = pool_bayes(
        Y[:2], V[:2], tau_prior=turner_prior("pain"), mu_prior=(0.0, 2.0), measure="R<R"
    )
    page = r._repr_html_()
    order = [
        page.index(words)
        for words in (
            "log-normal, log tau at -0.915 with scale 0.76",
            "normal, mean 0, SD 2",
            "95%, the shortest",
            "mean effect: median",
            "for a new trial",
            "<li>two trials",
        )
    ]
    assert order == sorted(order)
    assert "R&lt;R" in page
    assert "P(mean effect &lt; -" not in page
    assert "P(mean effect &lt; -0.3)" in pool_bayes(Y, V, tau_prior_scale=1, mid=0.3)._repr_html_()
    assert "<td>" in pool_bayes_many([Y, Y], [V, V], tau_prior_scale=1)._repr_html_()


def test_frames(result):
    frame = result.to_frame()
    assert len(frame) == 1
    assert frame.loc[0, "mu_low"] == result.mu_low
    assert frame.loc[0, "mu_prior_sd"] == np.inf
    many = pool_bayes_many([Y, Y], [V, V], tau_prior_scale=[0.5, 1.0]).to_frame()
    assert many["tau_prior_scale"].tolist() == [0.5, 1.0]
    assert many["mu_low"][0] == result.mu_low
    trials = result.trials_frame()
    assert trials["label"].tolist() == ["A & B", "<C>", "D"]
    assert trials["shrunk_low"].tolist() == result.shrunk_low.tolist()
    with pytest.raises(ArgumentError, match="batch"):
        pool_bayes_many([Y, Y], [V, V], tau_prior_scale=1).trials_frame()


def test_nothing_heavy_is_imported():
    code = (
        "import sys, ldn_meta.stats.bayes; heavy = {'scipy.stats', 'scipy.optimize', "
        "'scipy.integrate', 'pandas', 'matplotlib'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
