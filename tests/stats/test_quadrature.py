"""The arithmetic of Bayesian pools for any trials: exactness, equivariance, one batch of one."""

import numpy as np
import pytest

from bayes_by_hand import ByHand
from ldn_meta.stats import quadrature
from ldn_meta.stats.bayes import TauPrior, pool_bayes, pool_bayes_many, rhodes_prior, turner_prior
from ldn_meta.stats.quadrature import NUMBERS, SHRUNK, Task, bayes_numbers
from stats.batteries import anew, sizes, slow

EVERY = (*NUMBERS, *SHRUNK)
# In units of the effect; the others are probabilities, counts or logs.
IN_UNITS = (
    *("mu_mean", "mu_median", "mu_sd", "mu_low", "mu_high"),
    *("tau_median", "tau_low", "tau_high", "theta_low", "theta_high"),
    *SHRUNK,
)
PRIORS = (
    {"tau_prior": "half-normal", "tau_prior_scale": 0.5},
    {"tau_prior": "half-cauchy", "tau_prior_scale": 0.5},
    {"tau_prior": turner_prior("pain")},
    {"tau_prior": rhodes_prior("pain")},
    {"tau_prior_scale": 0.5, "mu_prior": (0.1, 1.0), "mid": 0.2, "level": 0.8},
)
each_prior = pytest.mark.parametrize("prior", PRIORS, ids=range(len(PRIORS)))


def battery(seed, prior, least=1):
    """Sets of up to seven trials, equal and unequal, close and far apart; few of slow log-t."""
    rng = np.random.default_rng(seed)
    m = 2 if prior is PRIORS[3] else 16
    v = 10.0 ** rng.uniform(-rng.choice([0.0, 1.0, 3.0], (m, 1)), 0.0, (m, 7))
    y = rng.normal(0.2, np.sqrt(v + rng.choice([0.0, 0.3, 3.0], (m, 1)) ** 2))
    gone = np.arange(7) >= rng.integers(least, 8, (m, 1))
    return np.where(gone, np.nan, y), np.where(gone, np.nan, v)


def tasks(sets, k, family, scale, location=0.0):
    """Random sets of trials as the kernel takes them."""
    rng = np.random.default_rng(10 * sets + k)
    v = 10.0 ** rng.uniform(-3.0, 1.0, (sets, k))
    y = rng.normal(0.0, np.sqrt(v + 10.0 ** rng.uniform(-4.0, 2.0, (sets, 1))))
    each = np.ones(sets)
    return Task(
        yi=y,
        vi=v,
        family=family,
        scale=scale * each,
        location=location * each,
        mu_mean=0.0 * each,
        mu_sd=np.where(rng.random(sets) < 0.5, np.inf, 2.0),
        mid=0.3 * each,
        level=0.95,
    )


@pytest.mark.parametrize(
    ("family", "scale", "location"),
    [
        ("half-normal", 0.01, 0.0),
        ("half-normal", 0.5, 0.0),
        ("half-normal", 100.0, 0.0),
        ("half-cauchy", 0.5, 0.0),
        ("log-normal", 0.76, -0.9),
        ("log-t", 1.25, -1.6),
    ],
)
@pytest.mark.parametrize("is_full", [False, *slow(True)])
def test_halving_the_grid_changes_nothing(family, scale, location, is_full):
    """In shares of the interval each number belongs to; worst seen 1e-8, allowed 1e-7."""
    # A log-t prior takes ten times as long.
    is_short = family == "log-t" and not is_full
    for k in (1, 3, 6) if is_short else range(1, 7):
        task = tasks(1 if is_short else 5 + k * is_full, k, family, scale, location)
        numbers, shrunk, flags = bayes_numbers(task)
        finer = bayes_numbers(task, nodes=2 * quadrature.NODES)
        one, other = (dict(zip(NUMBERS, found, strict=True)) for found in (numbers, finer[0]))
        unit = {name: one[f"{name}_high"] - one[f"{name}_low"] for name in ("mu", "tau", "theta")}
        for name in NUMBERS:
            size = unit.get(name.partition("_")[0], 1.0)
            np.testing.assert_allclose(one[name] / size, other[name] / size, rtol=0, atol=1e-7)
        size = shrunk[3] - shrunk[2]
        np.testing.assert_allclose(shrunk / size, finer[1] / size, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(flags, finer[2])


@each_prior
def test_order_and_bounds(prior, seed=1):
    y, v = battery(seed, prior)
    r = pool_bayes_many(y, v, **prior)
    there = ~np.isnan(v)
    assert (r.mu_low < r.mu_median).all() and (r.mu_median < r.mu_high).all()
    assert (r.tau_low >= 0.0).all()
    assert (r.tau_low < r.tau_median).all() and (r.tau_median < r.tau_high).all()
    assert (r.theta_high - r.theta_low > r.mu_high - r.mu_low).all()
    assert ((r.prob_below_zero >= 0.0) & (r.prob_below_zero <= 1.0)).all()
    assert (r.shrunk_low < r.shrunk_mean)[there].all()
    assert (r.shrunk_mean < r.shrunk_high)[there].all()
    if "mu_prior" not in prior:
        slack = 1e-9 * (r.mu_high - r.mu_low)
        least, most = np.nanmin(y, axis=1), np.nanmax(y, axis=1)
        assert (least - slack <= r.mu_median).all() and (r.mu_median <= most + slack).all()
        # Each trial's own effect is pulled towards the rest.
        pulled = np.nanmax(r.shrunk_mean, axis=1) - np.nanmin(r.shrunk_mean, axis=1)
        assert (pulled <= (most - least) * (1 + 1e-12)).all()


@pytest.mark.parametrize("c", [1e-6, 0.37, 1e5])
@pytest.mark.parametrize("prior", PRIORS[:2], ids=["half-normal", "half-cauchy"])
def test_other_units_give_the_same_answer(prior, c, seed=2):
    """yi times c, vi times c squared, the scale of the prior times c."""
    y, v = battery(seed, prior, least=2)
    r = pool_bayes_many(y, v, mid=0.2, **prior)
    scaled = prior | {"tau_prior_scale": c * prior["tau_prior_scale"]}
    other = pool_bayes_many(c * y, c * c * v, mid=c * 0.2, **scaled)
    size = r.mu_high - r.mu_low
    for name in IN_UNITS:
        mine, theirs = getattr(r, name), getattr(other, name) / c
        unit = size if mine.ndim == 1 else size[:, None]
        np.testing.assert_allclose(mine / unit, theirs / unit, rtol=1e-8, atol=1e-8, err_msg=name)
    for name in ("prob_below_zero", "prob_below_mid", "prob_above_mid", "prob_within_mid"):
        np.testing.assert_allclose(getattr(r, name), getattr(other, name), rtol=0, atol=1e-9)
    shifted = r.log_marginal_likelihood - (r.k - 1) * np.log(c)
    np.testing.assert_allclose(other.log_marginal_likelihood, shifted, rtol=1e-6, atol=1e-8)


@each_prior
def test_the_order_of_trials_does_not_matter(prior, seed=3):
    y, v = battery(seed, prior, least=2)
    order = np.argsort(np.random.default_rng(4).random(y.shape), axis=1)
    turned = (np.take_along_axis(x, order, axis=1) for x in (y, v))
    r, other = pool_bayes_many(y, v, **prior), pool_bayes_many(*turned, **prior)
    for name in NUMBERS:
        assert np.array_equal(getattr(r, name), getattr(other, name), equal_nan=True), name
    for name in SHRUNK:
        mine = np.take_along_axis(getattr(r, name), order, axis=1)
        np.testing.assert_array_equal(mine, getattr(other, name))


@pytest.mark.parametrize("prior", PRIORS[:4], ids=range(4))
def test_turning_the_sign_turns_the_answer(prior, seed=5):
    y, v = battery(seed, prior, least=2)
    r, other = pool_bayes_many(y, v, **prior), pool_bayes_many(-y, v, **prior)
    size = r.mu_high - r.mu_low
    assert (abs(other.mu_median + r.mu_median) <= 1e-9 * size).all()
    assert (abs(other.mu_low + r.mu_high) <= 1e-7 * size).all()
    np.testing.assert_allclose(other.prob_below_zero, 1.0 - r.prob_below_zero, atol=1e-10)
    np.testing.assert_allclose(other.tau_median, r.tau_median, rtol=1e-10)


@each_prior
@sizes(("sets", "chunk"), (12, 300), (20, 3000))
def test_a_batch_is_its_rows_bit_for_bit(prior, sets, chunk, monkeypatch):
    rng = np.random.default_rng(7)
    sets = 2 if prior is PRIORS[3] and sets == 12 else sets
    v = 10.0 ** rng.uniform(-3.0, 1.0, (sets, 5))
    y = rng.normal(0.0, np.sqrt(v + 0.3))
    y[rng.random(y.shape) < 0.4] = np.nan
    batch = pool_bayes_many(y, v, **prior)
    monkeypatch.setattr(quadrature, "CHUNK_NUMBERS", chunk)
    small = pool_bayes_many(y, v, **prior)
    for name in EVERY:
        assert np.array_equal(getattr(batch, name), getattr(small, name), equal_nan=True), name
    for i in range(0, sets, 4):
        one = pool_bayes(y[i], v[i], **prior)
        for name in EVERY:
            mine, theirs = getattr(batch, name)[i], getattr(one, name)
            assert np.array_equal(mine, theirs, equal_nan=True), name


def test_scales_and_mids_for_each_set():
    y, v = np.array([[0.1, 0.6]] * 3), np.array([[0.04, 0.05]] * 3)
    batch = pool_bayes_many(y, v, tau_prior_scale=[0.25, 0.5, 1.0], mid=[0.1, 0.2, 0.3])
    for i, (scale, mid) in enumerate(((0.25, 0.1), (0.5, 0.2), (1.0, 0.3))):
        one = pool_bayes(y[i], v[i], tau_prior_scale=scale, mid=mid)
        assert batch.mu_low[i] == one.mu_low
        assert batch.prob_above_mid[i] == one.prob_above_mid
    shaped = pool_bayes_many(y.reshape(3, 1, 2), v.reshape(3, 1, 2), tau_prior_scale=0.5)
    assert shaped.mu_low.shape == (3, 1)
    assert shaped.shrunk_low.shape == (3, 1, 2)


@pytest.mark.parametrize("nodes", [16, 40, 64])
def test_the_first_grid_does_not_matter(nodes):
    """With one trial the integral over tau is right long before the effects are."""
    task = tasks(30, 1, "log-normal", 0.76, -0.9)
    numbers, shrunk, _ = bayes_numbers(task, nodes=nodes)
    exact, exact_shrunk, _ = bayes_numbers(task, nodes=320)
    size = float(np.min(exact[5] - exact[4]))
    np.testing.assert_allclose(numbers, exact, rtol=0, atol=1e-7 * size)
    np.testing.assert_allclose(shrunk, exact_shrunk, rtol=0, atol=1e-7 * size)


@sizes("sets", 3, 12)
def test_heavy_tails_are_exact_far_out_as_well(sets):
    """The ends of a 99% interval lie far from the middle, where grids agree first."""
    v = 10.0 ** np.linspace(-3.0, 1.0, sets)[:, None]
    each = np.ones(sets)
    task = Task(
        yi=np.sqrt(v),
        vi=v,
        family="log-t",
        scale=1.25 * each,
        location=-3.0 * each,
        mu_mean=0.0 * each,
        mu_sd=np.inf * each,
        mid=0.3 * each,
        level=0.99,
    )
    numbers, exact = bayes_numbers(task)[0], bayes_numbers(task, nodes=320)[0]
    for low, high in ((4, 5), (9, 10)):
        size = exact[high] - exact[low]
        np.testing.assert_allclose(numbers[low] / size, exact[low] / size, rtol=0, atol=1e-7)
        np.testing.assert_allclose(numbers[high] / size, exact[high] / size, rtol=0, atol=1e-7)


def test_quantiles_do_not_go_round_in_circles():
    """Newton's method alone never arrives here: a prior far below what the trials show."""
    y = [3.8325131421923895, 1.647214739192306, 1.7664212104386583]
    y += [-1.4201506440415315, -0.33858364474256636]
    v = [0.34192006023955435, 0.5025275056554397, 0.1417138030733051]
    v += [0.05965046757366699, 0.002078087489640921]
    prior = TauPrior("log-normal", 0.3, -3.0)
    r = pool_bayes(y, v, tau_prior=prior, mu_prior=(0.0, 2.0))
    hand = ByHand(y, v, "log-normal", 0.3, -3.0, mu_prior=(0.0, 2.0))
    held = hand.below(hand.mu_given, r.mu_high) - hand.below(hand.mu_given, r.mu_low)
    assert held == pytest.approx(0.95, abs=1e-9)


@pytest.mark.parametrize(
    ("seed", "k"),
    [(18, 8), (31, 8), (32, 8), (57, 8), *slow((32, 60))],
)
def test_of_two_intervals_of_tau_the_shorter_is_taken(seed, k):
    """A log-t density rises without bound at 0, so the interval from 0 is nearly the shortest."""
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-3.0, 1.0, k)
    y = rng.normal(0.0, np.sqrt(v + 0.0016))
    prior = TauPrior("log-t", 0.5, -1.6)
    r = pool_bayes(y, v, tau_prior=prior, mu_prior=(0.0, 2.0), level=0.99)
    hand = ByHand(y, v, "log-t", 0.5, -1.6, mu_prior=(0.0, 2.0))
    assert hand.tau_below(r.tau_high) - hand.tau_below(r.tau_low) == pytest.approx(0.99, abs=1e-9)
    assert r.tau_low > 0 and hand.tau_below(r.tau_high - r.tau_low) < 0.99
    ends = hand.tau_density(np.array([r.tau_low, r.tau_high]))
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)


@pytest.mark.parametrize("k", [2, 3, 60])
@pytest.mark.parametrize("prior", PRIORS[:4])
def test_identical_effects(k, prior):
    r = pool_bayes([0.5] * k, np.linspace(0.01, 0.09, k), **prior)
    assert r.mu_median == pytest.approx(0.5, abs=1e-9)
    assert r.mu_low + r.mu_high == pytest.approx(1.0, abs=1e-7)
    assert r.shrunk_mean == pytest.approx(np.full(k, 0.5), abs=1e-9)


@pytest.mark.parametrize(
    ("y", "v", "prior"),
    [
        ([-1000.0, 1000.0], [0.01, 0.01], PRIORS[0]),
        ([-1e6, 1e6], [1e-6, 1e-6], PRIORS[1]),
        ([0.1, 0.2], [1e-30, 1e30], PRIORS[0]),
        ([0.1, 0.2, 0.3], [1e-30, 1e-30, 1.0], {"tau_prior_scale": 1e15}),
        ([0.1, 0.2, 0.3], [1e30, 1e30, 1e30], {"tau_prior_scale": 1e-15}),
        ([0.0, 10.0], [0.01, 4.0], {"tau_prior_scale": 0.5, "mu_prior": (1e6, 1e-3)}),
    ],
)
def test_extreme_numbers_stay_finite(y, v, prior):
    r = pool_bayes(y, v, **prior)
    assert r.mu_low <= r.mu_median <= r.mu_high
    assert np.isfinite([r.tau_low, r.tau_median, r.tau_high, r.theta_low, r.theta_high]).all()
    assert np.isfinite(r.shrunk_low).all()


def test_a_trial_that_says_nothing_takes_the_mean_of_the_others():
    """Its own effect is that of a new trial; rounding must not let its 1e14 in."""
    r = pool_bayes([0.5, -1e14], [1e-6, 1e30], tau_prior_scale=0.5)
    assert r.shrunk_mean[1] == pytest.approx(0.5, abs=1e-9)
    assert (r.shrunk_low[1], r.shrunk_high[1]) == pytest.approx(
        (r.theta_low, r.theta_high), abs=1e-6
    )


def test_sixty_trials_approach_the_restricted_likelihood():
    rng = np.random.default_rng(0)
    y, v = rng.normal(0.0, 0.9, 60), np.full(60, 0.1)
    r = pool_bayes(y, v, tau_prior_scale=5.0)
    tau = np.sqrt(y.var(ddof=1) - 0.1)
    assert r.tau_median == pytest.approx(tau, rel=0.02)
    assert r.mu_median == pytest.approx(y.mean(), abs=1e-9)


globals().update(
    anew(
        test_order_and_bounds,
        test_other_units_give_the_same_answer,
        test_the_order_of_trials_does_not_matter,
        test_turning_the_sign_turns_the_answer,
        examples=3,
    )
)
