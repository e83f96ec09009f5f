"""Prediction by the bootstrap, and shares of settings: R, definitions, simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_by_hand import ByHand
from ldn_meta import pool, pool_bayes, pool_many, setting_shares
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.decision import bootstrap_limits, new_effect, q_distribution
from ldn_meta.stats.pool import ENOUGH_TO_PREDICT, HELD_AT_FIVE
from reference_values import reference
from stats.batteries import sizes

ROOT = Path(__file__).parents[2]

PINNED = reference("prediction_reference")["sets"]
each_set = pytest.mark.parametrize("name", PINNED)


def data(name):
    one = PINNED[name]
    return np.array(one["yi"]), np.array(one["vi"]), one


@each_set
def test_limits_equal_those_of_another_way_in_r(name):
    """R: Ruben's series over eigenvalues, sums and integrate(); and draws as in the paper."""
    yi, vi, one = data(name)
    found = bootstrap_limits(yi, vi, level=one["level"])
    assert found == pytest.approx((one["low"], one["high"]), abs=1e-5 * (found.high - found.low))
    width = one["high"] - one["low"]
    assert found == pytest.approx(tuple(one["drawn"]), abs=0.01 * width)


@each_set
def test_the_distribution_of_q_is_rubens(name):
    yi, vi, one = data(name)
    w = 1 / vi
    q = (w * (yi - (w * yi).sum() / w.sum()) ** 2).sum()
    below, slope = q_distribution(q, vi, np.array(one["h_at"], dtype=float))
    assert 1 - below == pytest.approx(one["h"], abs=1e-9)
    step = 1e-5
    ends, _ = q_distribution(
        q, vi, np.array(one["h_at"][1:]) + step * np.array([[-1], [1]]).ravel()[:1]
    )
    later, _ = q_distribution(q, vi, np.array(one["h_at"][1:]) + step)
    assert (later - ends) / (2 * step) == pytest.approx(slope[1:], rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("k", [3, 6, 21, 35])
def test_with_equal_variances_q_is_a_scaled_chi_squared(k):
    tau2 = np.array([0.0, 0.1, 3.0])
    for q in (0.01, 2.0, 40.0):
        below, _ = q_distribution(q, np.full(k, 0.3), tau2)
        assert below == pytest.approx(stats.chi2.cdf(q / (1 + tau2 / 0.3), k - 1), abs=1e-8)


@each_set
def test_the_limits_hold_their_level_in_the_mixture(name):
    yi, vi, _ = data(name)
    found = new_effect(yi, vi)
    assert found.at_zero + found.weight.sum() == pytest.approx(1, abs=1e-10)
    for p in (0.025, 0.2, 0.5, 0.9):
        assert found.below(found.quantile(p)) == pytest.approx(p, abs=1e-11)


def test_finer_steps_change_nothing(monkeypatch):
    yi, vi, _ = data("five")
    found = bootstrap_limits(yi, vi, level=0.95)
    monkeypatch.setattr("ldn_meta.stats.decision.TAU2_STEP", 0.1)
    monkeypatch.setattr("ldn_meta.stats.decision.TAU2_REACH", 34.0)
    assert bootstrap_limits(yi, vi, level=0.95) == pytest.approx(found, rel=1e-9)


def test_pool_prints_it_and_what_it_depends_on():
    yi, vi, one = data("five")
    found = pool(yi, vi, pi_method="bootstrap")
    assert (found.pi_low, found.pi_high) == pytest.approx((one["low"], one["high"]), abs=1e-4)
    other = pool(yi, vi, pi_method="bootstrap", tau2_method="dl", ci_method="wald")
    assert (other.pi_low, other.pi_high) == (found.pi_low, found.pi_high)
    # Another unit, another place: the same interval there.
    moved = pool(1000 * yi + 7, 1e6 * vi, pi_method="bootstrap")
    assert (moved.pi_low, moved.pi_high) == pytest.approx(
        (1000 * found.pi_low + 7, 1000 * found.pi_high + 7), rel=1e-9
    )
    many = pool_many(
        [[*yi, np.nan], [*yi, 0.1]], [[*vi, np.nan], [*vi, 0.05]], pi_method="bootstrap"
    )
    assert (many.pi_low[0], many.pi_high[0]) == (found.pi_low, found.pi_high)
    assert many.pi_high[1] - many.pi_low[1] < found.pi_high - found.pi_low


@pytest.mark.parametrize(
    ("yi", "options", "note"),
    [
        ([0.1, 0.4], {}, "needs at least three trials"),
        ([0.2, 0.2, 0.2], {}, "all effects are identical, so the bootstrap"),
        ([0.1, 0.4] * 51, {}, "is for few trials: above 100"),
        ([0.1, 0.4, 0.2], {"tau2_method": "common"}, "has no new trial's effect"),
    ],
)
def test_where_there_is_nothing_to_predict_from_it_is_nan_and_says_so(yi, options, note):
    found = pool(yi, [0.04] * len(yi), pi_method="bootstrap", **options)
    assert np.isnan([found.pi_low, found.pi_high]).all()
    assert any(note in one for one in found.notes)


def short(result):
    return any("k - 1 degrees of freedom held" in note for note in result.notes)


@pytest.mark.parametrize(("k", "says"), [(2, False), (3, True), (9, True), (10, False)])
def test_the_short_interval_says_so_for_few_trials_only(k, says):
    yi, vi = np.linspace(-1, 1, k), np.full(k, 0.05)
    assert short(pool(yi, vi)) == says == (3 <= k < ENOUGH_TO_PREDICT)
    assert not short(pool(yi, vi, pi_method="k-2"))
    assert not short(pool(yi, vi, pi_method="bootstrap"))
    assert not short(pool(yi, vi, tau2_method="common"))


def test_the_note_says_what_the_stored_simulation_found():
    """docs/simulation.csv: five trials, equal, one large, one small, tau of one standard error."""
    found = pd.read_csv(ROOT / "docs" / "simulation.csv")
    procedure = "floored Knapp-Hartung, REML, k-1"
    rows = found[(found["k"] == 5) & (found["tau"] == 0.25) & (found["procedure"] == procedure)]
    held = rows["coverage_pct"]
    assert len(held) == 3
    assert (round(held.min()), round(held.max())) == HELD_AT_FIVE


@sizes("sets", 60, 2000)
def test_the_bootstrap_holds_its_level_where_k_1_does_not(sets):
    """Variance 1/16, tau 0.25, one large trial: k-1 holds 85%. Two standard errors, 80 sets."""
    rng = np.random.default_rng(2019)
    v = np.tile(np.array([0.1, 1, 1, 1, 1]) / 16, (sets, 1))
    yi = rng.normal(0, 0.25, v.shape) + rng.normal(size=v.shape) * np.sqrt(v)
    found = pool_many(yi, v, pi_method="bootstrap")
    # The new effect is integrated out, not drawn.
    held = np.diff(stats.norm.cdf([found.pi_low / 0.25, found.pi_high / 0.25]), axis=0)
    assert held.mean() > 0.93 - 2 * held.std() / np.sqrt(sets)


def three(found):
    return found.benefit, found.trivial, found.harm


@pytest.mark.parametrize(("pi_method", "lost"), [("k-1", 1), ("k-2", 2)])
@pytest.mark.parametrize("ci_method", ["wald", "knapp-hartung"])
def test_shares_are_metas_cidprop(pi_method, lost, ci_method):
    """R meta, cidprop(): pt((cid - TE) / sqrt(se^2 + tau^2), df), here from tau2 and se."""
    yi, vi, _ = data("five")
    result = pool(yi, vi, pi_method=pi_method, ci_method=ci_method)
    new = stats.t(5 - lost, result.estimate, np.sqrt(result.tau2 + result.se**2))
    found = setting_shares(result, (-0.2, 0.5))
    assert three(found) == pytest.approx(
        (new.sf(0.5), new.cdf(0.5) - new.cdf(-0.2), new.cdf(-0.2))
    )
    turned = setting_shares(result, (-0.2, 0.5), benefit_sign=-1)
    assert three(turned) == three(found)[::-1]
    # At a limit of the interval half of what is outside of it lies beyond.
    at_low = setting_shares(result, (float(result.pi_low), float(result.pi_high)))
    assert three(at_low) == pytest.approx((0.025, 0.95, 0.025))
    assert not found.has_prior
    assert found.notes == ("shares of settings, by the average effect in each: not of people",)


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_shares_of_the_bootstrap_are_those_outside_its_interval(level):
    yi, vi, _ = data("three")
    result = pool(yi, vi, pi_method="bootstrap", level=level)
    found = setting_shares(result, (float(result.pi_low), float(result.pi_high)))
    assert three(found) == pytest.approx(((1 - level) / 2, level, (1 - level) / 2), abs=1e-9)


@pytest.mark.parametrize(("k", "mu_prior"), [(2, None), (4, (0.1, 0.5))])
def test_shares_with_a_prior_are_those_of_the_posterior_by_hand(k, mu_prior):
    yi, vi = np.array([0.1, -0.4, 0.3, 0.9])[:k], np.array([0.04, 0.09, 0.2, 0.1])[:k]
    result = pool_bayes(yi, vi, tau_prior_scale=0.5, mu_prior=mu_prior)
    found = setting_shares(result, (-0.3, 0.6), benefit_sign=-1)
    by_hand = ByHand(yi, vi, "half-normal", 0.5, mu_prior=mu_prior)
    below, above = (by_hand.below(by_hand.theta_given, end) for end in (-0.3, 0.6))
    assert three(found) == pytest.approx((below, above - below, 1 - above), abs=1e-9)
    assert found.has_prior
    assert any("rest on the prior" in note for note in found.notes) == (k == 2)
    # Where the pool was asked for the same difference, it says the same itself.
    told = pool_bayes(yi, vi, tau_prior_scale=0.5, mu_prior=mu_prior, mid=0.6)
    same = setting_shares(result, 0.6)
    assert (told.theta_above_mid, told.theta_below_mid) == (same.benefit, same.harm)


def test_no_share_where_nothing_is_predicted_and_what_is_refused():
    pair, one = pool([0.1, 0.4], [0.04, 0.05]), pool_bayes([0.1], [0.04], tau_prior_scale=1.0)
    common = pool([0.1, 0.4, 0.2], 3 * [0.04], tau2_method="common")
    for result in (pair, one, common):
        found = setting_shares(result, 0.3)
        assert np.isnan(three(found)).all()
        assert found.notes == ("no shares: the pool has no prediction",)
    several = pool_many([[0.1, 0.4, 0.2]], [[0.1, 0.1, 0.1]])
    with pytest.raises(ArgumentError, match="result is a batch"):
        setting_shares(several, 0.3)
    for wrong in (0.0, -1.0, (0.1, 0.4), (-1, 0), [1, 2, 3]):
        with pytest.raises(ArgumentError, match="one number above 0, or"):
            setting_shares(pair, wrong)
    with pytest.raises(ArgumentError, match="benefit_sign=2 is not allowed; allowed: 1, -1"):
        setting_shares(pair, 0.3, benefit_sign=2)
