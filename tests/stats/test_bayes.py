"""Bayesian pools: definition, brute force, closed forms, bayesmeta; refusals, notes, record."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import stats

import ldn_meta as lm
from bayes_by_hand import ByHand, summary_on_its_grid
from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats import quadrature
from ldn_meta.stats.bayes import (
    NUMBERS,
    RHODES,
    TURNER,
    TauPrior,
    pool_bayes,
    pool_bayes_many,
    prior_sensitivity,
    rhodes_prior,
    turner_prior,
)
from reference_values import reference
from stats.batteries import sizes

PUBLISHED = reference("bayesmeta_published")
# Probabilities and moments by another rule; worst seen 2e-11.
BY_HAND = 1e-9
# bayesmeta's tau is exact to what it prints; its effects come from a grid, see below.
PRINTED = 0.6e-5
# It looks for the shortest interval with R's default tolerance; worst seen 2.3e-5.
ITS_SEARCH = 3e-5
PRIORS = {
    "half-normal": TauPrior("half-normal", 0.5),
    "half-cauchy": TauPrior("half-cauchy", 0.5),
    "log-normal": turner_prior("pain"),
    "log-t": rhodes_prior("pain"),
}
SETS = {
    1: ([0.3], [0.04]),
    2: ([0.9, -0.2], [0.04, 0.09]),
    3: ([0.1, 0.1, 0.1], [0.04, 0.05, 0.2]),
    5: ([-0.9, -1.6, -1.3, -1.4, -0.2], [0.33, 0.19, 0.42, 0.02, 0.05]),
}


@pytest.mark.parametrize("mu_prior", [None, (0.2, 0.7)], ids=["flat", "normal"])
@pytest.mark.parametrize("k", SETS)
@pytest.mark.parametrize("family", PRIORS)
def test_the_answer_satisfies_its_definition(family, k, mu_prior):
    (y, v), prior = SETS[k], PRIORS[family]
    r = pool_bayes(y, v, tau_prior=prior, mu_prior=mu_prior, mid=0.25, level=0.9)
    hand = ByHand(y, v, family, prior.scale, prior.location, mu_prior)
    assert hand.below(hand.mu_given, r.mu_median) == pytest.approx(0.5, abs=BY_HAND)
    for given, low, high in (
        (hand.mu_given, r.mu_low, r.mu_high),
        (hand.theta_given, r.theta_low, r.theta_high),
        (hand.own_given(k - 1), r.shrunk_low[-1], r.shrunk_high[-1]),
    ):
        held = hand.below(given, high) - hand.below(given, low)
        assert held == pytest.approx(0.9, abs=BY_HAND)
        # Shortest: equal density at both ends.
        assert hand.density(given, low) == pytest.approx(hand.density(given, high), rel=1e-7)
    assert r.prob_below_zero == pytest.approx(hand.below(hand.mu_given, 0.0), abs=BY_HAND)
    assert r.prob_below_mid == pytest.approx(hand.below(hand.mu_given, -0.25), abs=BY_HAND)
    assert 1 - r.prob_above_mid == pytest.approx(hand.below(hand.mu_given, 0.25), abs=BY_HAND)
    assert r.prob_below_mid + r.prob_within_mid + r.prob_above_mid == pytest.approx(1.0)
    assert hand.tau_below(r.tau_median) == pytest.approx(0.5, abs=BY_HAND)
    below = hand.tau_below(r.tau_low) if r.tau_low > 0 else 0.0
    assert hand.tau_below(r.tau_high) - below == pytest.approx(0.9, abs=BY_HAND)
    assert r.log_marginal_likelihood == pytest.approx(np.log(hand.mass), abs=BY_HAND)
    own = hand.own_given(0)
    assert r.shrunk_mean[0] == pytest.approx(hand.expect(lambda t: own(t)[0]), abs=BY_HAND)
    if not np.isnan(r.mu_sd):
        mean = hand.expect(lambda t: hand.mu_given(t)[0])
        second = hand.expect(lambda t: hand.mu_given(t)[0] ** 2 + hand.mu_given(t)[1])
        assert r.mu_mean == pytest.approx(mean, abs=BY_HAND)
        assert r.mu_sd == pytest.approx(np.sqrt(second - mean**2), rel=10 * BY_HAND)


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("family", PRIORS)
def test_the_interval_of_tau_is_the_shortest(family, k):
    (y, v), prior = SETS[k], PRIORS[family]
    r = pool_bayes(y, v, tau_prior=prior)
    hand = ByHand(y, v, family, prior.scale, prior.location)
    if r.tau_low > 0:
        at_ends = [hand.tau_density(end) for end in (r.tau_low, r.tau_high)]
        assert at_ends[0] == pytest.approx(at_ends[1], rel=1e-7)
    # No interval from another lower end that holds as much is shorter.
    for low in np.linspace(0.01, 0.3, 5):
        below = hand.tau_below(low)
        other = hand.tau_below(low + (r.tau_high - r.tau_low)) - below
        assert other <= 0.95 + 1e-6


@sizes("points", 501, 2001)
def test_a_grid_over_both_parameters_says_the_same(points):
    """Brute force without any integral done analytically."""
    y, v = (np.array(values) for values in SETS[2])
    tau = np.linspace(0.0, 4.0, points)[:, None]
    mu = np.linspace(-9.0, 9.6, 6201)
    log = -0.5 * (tau / 0.5) ** 2
    for effect, variance in zip(y, v, strict=True):
        spread = variance + tau**2
        log = log - 0.5 * np.log(spread) - 0.5 * (effect - mu) ** 2 / spread
    joint = np.exp(log)
    joint[0] *= 0.5
    marginal = joint.sum(axis=0)
    below = np.cumsum(marginal) - 0.5 * marginal
    r = pool_bayes(y, v, tau_prior_scale=0.5)
    found = np.interp([r.mu_low, r.mu_median, r.mu_high], mu, below / marginal.sum())
    assert found[1] == pytest.approx(0.5, abs=1e-6)
    assert found[2] - found[0] == pytest.approx(0.95, abs=1e-6)
    mean = (marginal @ mu) / marginal.sum()
    assert r.mu_mean == pytest.approx(mean, abs=1e-6)
    assert r.mu_sd == pytest.approx(
        np.sqrt(marginal @ (mu - mean) ** 2 / marginal.sum()), rel=1e-6
    )
    of_tau = joint.sum(axis=1)
    upto = np.cumsum(of_tau) - 0.5 * of_tau
    # Read off between grid points by a straight line, hence less exact.
    half = np.interp(r.tau_median, tau[:, 0], (upto - upto[0]) / (of_tau.sum() - upto[0]))
    assert half == pytest.approx(0.5, abs=5e-4)


def test_a_tiny_scale_is_the_common_effect():
    y, v = SETS[5]
    common = lm.pool(y, v, tau2_method="common", ci_method="wald")
    r = pool_bayes(y, v, tau_prior_scale=1e-9)
    assert r.mu_mean == pytest.approx(common.estimate, rel=1e-12)
    assert r.mu_sd == pytest.approx(common.se, rel=1e-12)
    assert (r.mu_low, r.mu_high) == pytest.approx((common.ci_low, common.ci_high), rel=1e-10)
    assert r.shrunk_mean == pytest.approx(np.full(5, common.estimate), rel=1e-12)


def test_without_spread_a_normal_prior_is_conjugate():
    y, v = SETS[5]
    w = 1 / np.array(v)
    precision = w.sum() + 1 / 0.3**2
    mean = (w @ y + 0.4 / 0.3**2) / precision
    r = pool_bayes(y, v, tau_prior_scale=1e-9, mu_prior=(0.4, 0.3))
    assert r.mu_median == pytest.approx(mean, rel=1e-12)
    assert r.mu_sd == pytest.approx(precision**-0.5, rel=1e-12)
    assert r.prob_below_zero == pytest.approx(stats.norm.cdf(-mean * precision**0.5), rel=1e-10)


def test_one_trial_leaves_the_prior_of_tau_as_it_was():
    r = pool_bayes([0.3], [0.04], tau_prior_scale=0.5)
    assert r.tau_median == pytest.approx(stats.halfnorm.median(scale=0.5), rel=1e-9)
    assert r.tau_high == pytest.approx(stats.halfnorm.ppf(0.95, scale=0.5), rel=1e-9)
    # A half-normal mixture of normals: var = v + scale^2.
    assert r.mu_sd == pytest.approx(np.sqrt(0.04 + 0.25), rel=1e-9)
    cauchy = pool_bayes([0.3], [0.04], tau_prior="half-cauchy", tau_prior_scale=0.5)
    assert cauchy.tau_high == pytest.approx(stats.halfcauchy.ppf(0.95, scale=0.5), rel=1e-9)
    normal = pool_bayes([0.3], [0.04], tau_prior=PRIORS["log-normal"])
    assert normal.tau_median == pytest.approx(np.exp(-1.83 / 2), rel=1e-9)


def bcg(trials):
    table = np.array(PUBLISHED["bcg"]["tables"])[np.array(trials) - 1].T
    effect = lm.effect_size(
        "RR",
        events_1=table[0],
        n_1=table[0] + table[1],
        events_2=table[2],
        n_2=table[2] + table[3],
    )
    return effect.yi, effect.vi


@pytest.mark.parametrize("case", PUBLISHED["bcg"]["answers"], ids=lambda c: str(c["trials"]))
def test_bayesmeta_on_the_bcg_trials(case):
    """Its tau agrees to all digits, its effects once its grid is used in place of ours.

    bayesmeta integrates over a grid whose neighbours may differ by a divergence of 0.01. That is
    why its ends lie up to 0.0018 further out than the exact ones; the same grid gives its digits.
    """
    y, v = bcg(case["trials"])
    r = pool_bayes(y, v, tau_prior_scale=0.5)
    theirs = (case["mu_median"], case["mu_low"], case["mu_high"])
    assert (r.mu_median, r.mu_low, r.mu_high) == pytest.approx(theirs, abs=2e-3)
    on_its_grid = summary_on_its_grid(ByHand(y, v, "half-normal", 0.5))
    assert on_its_grid[0] == pytest.approx(theirs[0], abs=PRINTED)
    assert on_its_grid[1:] == pytest.approx(theirs[1:], abs=ITS_SEARCH)
    if case["tau_median"] is not None:
        assert r.tau_median == pytest.approx(case["tau_median"], abs=PRINTED)


def test_the_eight_schools_of_bayesmetas_vignette():
    school = PUBLISHED["eight_schools"]
    y, v = np.array(school["yi"]), np.array(school["sei"]) ** 2
    r = pool_bayes(y, v, tau_prior="half-cauchy", tau_prior_scale=25.0, mu_prior=(0.0, 50.0))
    printed = school["answers"]
    assert r.tau_median == pytest.approx(printed["tau_median"], abs=1e-6)
    assert (r.tau_low, r.tau_high) == pytest.approx((0.0, printed["tau_high"]), abs=1e-6)
    # On a scale of ten points; its grid again.
    for name in ("mu_median", "mu_mean", "mu_sd", "mu_low", "mu_high"):
        assert getattr(r, name) == pytest.approx(printed[name], abs=3e-3), name
    assert 1 - r.prob_below_zero == pytest.approx(printed["prob_above_zero"], abs=2e-5)
    for name, column in school["shrunk"].items():
        at = "ABCDEFGH".index(name)
        assert r.shrunk_mean[at] == pytest.approx(column["mean"], abs=1e-2)
        assert r.shrunk_sd[at] == pytest.approx(column["sd"], abs=5e-3)
        assert r.shrunk_low[at] == pytest.approx(column["low"], abs=2e-2)
        assert r.shrunk_high[at] == pytest.approx(column["high"], abs=3e-2)
    hand = ByHand(y, v, "half-cauchy", 25.0, mu_prior=(0.0, 50.0))
    assert summary_on_its_grid(hand) == pytest.approx(
        [printed[name] for name in ("mu_median", "mu_low", "mu_high")], abs=ITS_SEARCH
    )


@pytest.mark.parametrize("trial", [0, -1])
def test_two_peaks_are_searched_for_the_shortest_interval(trial):
    """A precise trial far from an imprecise one: mu is near the one, or between the two."""
    y, v = [2.199, -4.403], [0.0025, 2.6071]
    r = pool_bayes(y, v, tau_prior_scale=0.5)
    hand = ByHand(y, v, "half-normal", 0.5)
    points = np.linspace(-4.0, 4.0, 161)
    density = np.array([hand.density(hand.mu_given, x) for x in points])
    assert np.count_nonzero(np.diff(np.sign(np.diff(density)))) == 3
    given, low, high = (
        (hand.mu_given, r.mu_low, r.mu_high)
        if trial == 0
        else (hand.own_given(-1), r.shrunk_low[-1], r.shrunk_high[-1])
    )
    held = hand.below(given, high) - hand.below(given, low)
    assert held == pytest.approx(0.95, abs=1e-9)
    # An interval of this length holds less wherever else it lies.
    for shift in np.linspace(-1.5, 1.5, 31):
        other = hand.below(given, high + shift) - hand.below(given, low + shift)
        assert other <= 0.95 + 1e-9


def test_sensitivity_is_a_grid_of_priors():
    y, v = SETS[2]
    grid = prior_sensitivity(y, v, tau_prior_scale=0.5, mid=0.2)
    priors = [(r.tau_prior, r.tau_prior_scale) for r in grid]
    assert priors == [
        (family, scale)
        for family in ("half-normal", "half-cauchy")
        for scale in (0.25, 0.5, 1.0, 2.0)
    ]
    assert grid[1] == pool_bayes(y, v, tau_prior_scale=0.5, mid=0.2)
    widths = [r.mu_high - r.mu_low for r in grid[:4]]
    assert widths == sorted(widths)


def test_empirical_priors_are_those_of_the_tables():
    pain = turner_prior("pain", against="drug")
    assert (pain.family, pain.location, pain.scale) == ("log-normal", -1.03, 0.79)
    assert "Turner 2015, Table IV: pain" in pain.source
    general = rhodes_prior()
    assert (general.family, general.location, general.scale) == ("log-t", -1.72, 1.295)
    # Every row: a drug as comparator lowers log tau2 by a quarter (Turner 0.23 or 0.24, Rhodes
    # 0.27 or 0.28), except where one number stands for all comparisons.
    for table, expected in ((TURNER, (0.22, 0.25)), (RHODES, (0.26, 0.29))):
        for outcome, ((none, _), (drug, _)) in table.items():
            shift = none - drug
            assert shift == 0.0 if outcome == "any" else expected[0] < shift < expected[1]


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
        ({"tau_prior_scale": 0.0}, r"tau_prior_scale: 0 is not allowed; numbers above 0"),
        ({"tau_prior_scale": -1}, r"tau_prior_scale: -1 is"),
        ({"tau_prior_scale": NAN}, r"tau_prior_scale=nan"),
        ({"tau_prior_scale": np.inf}, r"tau_prior_scale: inf is"),
        ({"tau_prior_scale": "0.5"}, r"tau_prior_scale: '0\.5' has type"),
        ({"tau_prior_scale": True}, r"tau_prior_scale: True has type bool"),
        ({"tau_prior_scale": [0.5, 0.5]}, r"tau_prior_scale has shape \(2,\); allowed: one"),
        ({"tau_prior_scale": [[1], [1, 2]]}, r"tau_prior_scale: ragged"),
        ({"tau_prior": "uniform", "tau_prior_scale": 1}, r"tau_prior='uniform' .*half-cauchy"),
        ({"tau_prior": "log-normal", "tau_prior_scale": 1}, r"'log-normal' .*turner_prior"),
        ({"tau_prior": None}, r"tau_prior=None"),
        ({"tau_prior": turner_prior(), "tau_prior_scale": 1}, r"beside a whole prior"),
        ({"tau_prior_scale": 1, "mu_prior": (0, 0)}, r"mu_prior=\(0, 0\) .*positive sd"),
        ({"tau_prior_scale": 1, "mu_prior": (0, NAN)}, r"mu_prior=\(0, nan\)"),
        ({"tau_prior_scale": 1, "mu_prior": 3}, r"mu_prior=3"),
        ({"tau_prior_scale": 1, "mu_prior": (1, 2, 3)}, r"mu_prior=\(1, 2, 3\)"),
        ({"tau_prior_scale": 1, "mid": 0}, r"mid: 0 is .*above 0"),
        ({"tau_prior_scale": 1, "mid": -1}, r"mid: -1 is"),
        ({"tau_prior_scale": 1, "mid": "1"}, r"mid: '1' has type"),
        ({"tau_prior_scale": 1, "mid": [1, 2]}, r"mid has shape \(2,\)"),
        ({"tau_prior_scale": 1, "level": 95}, r"level=95 .*between 0 and 1"),
        ({"tau_prior_scale": 1, "measure": 3}, r"measure=3 .*MD, MC"),
        ({"tau_prior_scale": 1, "measure": "foo"}, r"measure='foo' is not known"),
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
        (lambda: TauPrior("log-t", 11.0), r"tau_prior_scale: 11 .*at most 10"),
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
    monkeypatch.setattr(quadrature, "MOST_NODES", 2)
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
    r = pool_bayes(Y[:2], V[:2], tau_prior=turner_prior("pain"), mu_prior=(0.0, 2.0), measure="RR")
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
    assert "risk ratio (95% interval)" in page
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


def test_one_vocabulary_and_the_scale_readers_know():
    r = pool_bayes(Y, V, tau_prior_scale=1, measure="RR")
    assert (r.estimate, r.ci_low, r.ci_high) == (r.mu_median, r.mu_low, r.mu_high)
    assert (r.pi_low, r.pi_high) == (r.theta_low, r.theta_high)
    assert r.transformed().pi_high == pytest.approx(np.exp(r.theta_high))
    assert "risk ratio" in r.summary() and "risk ratio" in repr(r)
