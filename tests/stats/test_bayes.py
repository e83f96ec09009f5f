"""Bayesian pools against their definition, two brute forces, closed forms and bayesmeta."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import ldn_meta as lm
from bayes_by_hand import ByHand
from bayes_grid_of_bayesmeta import summary_on_its_grid
from ldn_meta.stats.bayes import (
    RHODES,
    TURNER,
    TauPrior,
    pool_bayes,
    prior_sensitivity,
    rhodes_prior,
    turner_prior,
)

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "reference" / "bayesmeta_published.json").read_text()
)
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


def test_a_grid_over_both_parameters_says_the_same():
    """Brute force without any integral done analytically."""
    y, v = (np.array(values) for values in SETS[2])
    tau = np.linspace(0.0, 4.0, 2001)[:, None]
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
        for outcome, ((placebo, _), (drug, _)) in table.items():
            shift = placebo - drug
            assert shift == 0.0 if outcome == "any" else expected[0] < shift < expected[1]
