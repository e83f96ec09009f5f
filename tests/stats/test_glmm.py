import re

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from effect_grids import reference
from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats.rare_events import (
    QUADRATURE_POINTS,
    TAU_GRID,
    derivatives,
    glmm_proportion,
    log_likelihood,
)

PINNED = reference("effects_reference")["glmm"]
PRITZ = reference("metafor_reference")["proportions"][0]


def exact_log_likelihood(mu, tau, events, n):
    """The same integral without adaptation: 120 Gauss-Hermite points per trial."""
    nodes, weights = np.polynomial.hermite.hermgauss(120)
    p = expit(mu + tau * np.sqrt(2) * nodes)
    mass = stats.binom.pmf(np.asarray(events)[:, np.newaxis], np.asarray(n)[:, np.newaxis], p)
    return np.log(mass @ weights / np.sqrt(np.pi)).sum()


def score(result):
    point = np.asarray(result.estimate), np.asarray(result.tau2**0.5)
    return derivatives(*point, result.events, result.n)


@pytest.mark.parametrize("record", PINNED, ids=lambda record: record["name"])
def test_fits_equal_lme4_at_tight_tolerances(record):
    """1e-6 but for what lme4 takes from finite differences (SE) or a flat likelihood ("rare")."""
    found = glmm_proportion(record["events"], record["n"])
    assert found.estimate == pytest.approx(record["estimate"], rel=1e-6)
    tau2_tolerance = 1e-4 if record["name"] == "rare" else 1e-6
    assert found.tau2 == pytest.approx(record["tau2"], rel=tau2_tolerance, abs=1e-12)
    assert found.se == pytest.approx(record["se"], rel=5e-5)
    assert found.lr_statistic == pytest.approx(record["lr_statistic"], rel=1e-8)
    assert found.lr_pvalue == pytest.approx(record["lr_pvalue"], rel=1e-8)


def test_pinned_metafor_fit_is_near_and_ours_has_the_higher_likelihood():
    """rma.glmm stops 3e-6 (estimate) and 1e-5 (tau2) short of the maximum; see the score."""
    theirs = PRITZ["glmm_logit"]
    found = glmm_proportion(PRITZ["events"], PRITZ["n"])
    for name in ("estimate", "se", "tau2", "ci_low", "ci_high"):
        assert getattr(found, name) == pytest.approx(theirs[name], rel=1.2e-5)
    there = log_likelihood(
        np.asarray(theirs["estimate"]), np.asarray(theirs["tau2"] ** 0.5), found.events, found.n
    )
    assert found.log_likelihood > there
    gradient_there, _ = derivatives(
        np.asarray(theirs["estimate"]), np.asarray(theirs["tau2"] ** 0.5), found.events, found.n
    )
    gradient_here, _ = score(found)
    assert np.abs(gradient_here).max() < 1e-9
    assert np.abs(gradient_there).max() > 1e-5


@pytest.mark.parametrize("record", PINNED, ids=lambda record: record["name"])
def test_the_score_is_zero_at_ours_and_the_se_is_its_curvature(record):
    found = glmm_proportion(record["events"], record["n"])
    gradient, hessian = score(found)
    if found.tau2 == 0:
        # tau enters through its square: the slope along it is 0 at 0, so look along tau2.
        assert abs(gradient[0]) < 1e-8
        assert hessian[1, 1] < 0
        return
    step = np.linalg.solve(hessian, gradient)
    assert np.abs(step).max() < 1e-8
    assert (np.linalg.eigvalsh(hessian) < 0).all()
    assert found.se == pytest.approx(np.sqrt(np.linalg.inv(-hessian)[0, 0]), rel=1e-10)


@pytest.mark.parametrize("name", ["pritz1997", "rare", "no_spread"])
def test_seven_adaptive_points_are_close_to_the_exact_integral(name):
    record = next(record for record in PINNED if record["name"] == name)
    found = glmm_proportion(record["events"], record["n"])
    exact = exact_log_likelihood(found.estimate, found.tau2**0.5, record["events"], record["n"])
    assert found.log_likelihood == pytest.approx(exact, abs=2e-4)
    assert QUADRATURE_POINTS == 7


def test_the_maximum_is_global_in_a_random_battery():
    rng = np.random.default_rng(7)
    tau = np.concatenate([[0], np.geomspace(0.005, 12, 60)])
    for _ in range(60):
        n = rng.integers(5, 200, rng.integers(2, 9))
        events = rng.binomial(n, expit(rng.normal(-1, rng.choice([0.1, 1, 2]), len(n))))
        if events.sum() in (0, n.sum()):
            continue
        found = glmm_proportion(events, n)
        mu = found.estimate + np.linspace(-1.5, 1.5, 41)[:, np.newaxis]
        around = log_likelihood(mu + 0 * tau, tau + 0 * mu, events.astype(float), n.astype(float))
        assert around.max() <= found.log_likelihood + 1e-9, (events, n)


def test_no_spread_is_a_common_fit_and_says_so():
    found = glmm_proportion([3, 3, 3], [10, 10, 10])
    assert found.tau2 == 0
    assert found.estimate == pytest.approx(np.log(9 / 21))
    assert found.se == pytest.approx(np.sqrt(1 / 9 + 1 / 21))
    assert found.notes == ("The likelihood is largest at tau2 = 0: a common-effect fit.",)
    assert (found.lr_statistic, found.lr_df, found.lr_pvalue) == (0, 2, 1)


def test_one_trial_is_that_trial():
    found = glmm_proportion(3, 10)
    assert found.estimate == pytest.approx(np.log(3 / 7))
    assert found.se == pytest.approx(np.sqrt(1 / 3 + 1 / 7))
    assert np.isnan(found.tau2)
    assert "nothing was pooled" in found.notes[0]
    assert found.log_likelihood == pytest.approx(stats.binom.logpmf(3, 10, 0.3))


@pytest.mark.parametrize(("events", "who"), [([0, 0], "Nobody"), ([10, 12], "Everybody")])
def test_infinite_log_odds_are_nan_with_a_note(events, who):
    found = glmm_proportion(events, [10, 12])
    assert np.isnan([found.estimate, found.se, found.ci_low, found.p_value, found.tau2]).all()
    assert found.notes[0].startswith(who)
    assert glmm_proportion([np.nan], [10]).notes[0].startswith("No trial")


def test_the_record_fits_on_one_line():
    found = glmm_proportion(PRITZ["events"], PRITZ["n"])
    assert repr(found) == (
        "GlmmResult(PLO, k=14, 1.377 [95% CI 0.8114, 1.942], tau2=0.5893, logit-normal ML, "
        "7 points)"
    )


def test_missing_trials_are_dropped_and_the_level_is_used():
    one = glmm_proportion([3, 20, 9], [10, 40, 44], level=0.9)
    two = glmm_proportion([3, np.nan, 20, 9], [10, 5, 40, 44], level=0.9)
    assert one == two
    assert one.ci_high - one.estimate == pytest.approx(stats.norm.ppf(0.95) * one.se)
    assert one.p_value == pytest.approx(2 * stats.norm.sf(abs(one.statistic)))


def test_a_likelihood_without_a_maximum_is_an_error_with_advice():
    with pytest.raises(ConvergenceError, match=r"\d+ Newton iterations, last step .* pool"):
        glmm_proportion([0, 1000], [1000, 1000])
    assert TAU_GRID[0] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: glmm_proportion([3], [2]), "events: 3 is above n 2"),
        (lambda: glmm_proportion([[3]], [[5]]), "events: shape (1, 1) is not allowed"),
        (lambda: glmm_proportion([3], [5], level=0), "level=0 is not allowed"),
        (lambda: glmm_proportion(["3"], [5]), "events: ['3'] has type"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
