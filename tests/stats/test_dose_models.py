"""Probit and logit curves of dose: against R's glm, statsmodels, and the likelihood itself."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import ndtr

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose import dose_for, fit_models, log_likelihood
from ldn_meta.stats.up_and_down import dose_for_many, dose_limits_many, simulate_up_and_down

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "dose_reference.json").read_text(encoding="utf-8")
)
MODELS = [(arm, model) for arm in REFERENCE["arms"].values() for model in arm["models"]]
LADDER = 0.75 * np.arange(1, 9)


@pytest.mark.parametrize(("arm", "theirs"), MODELS)
def test_fits_agree_with_r(arm, theirs):
    dose, r, n = (np.array(arm[name], dtype=float) for name in ("dose", "responders", "n"))
    ours = fit_models(dose, r[None], n[None], link=theirs["link"])
    assert ours.intercept[0] == pytest.approx(theirs["intercept"], rel=1e-9)
    assert ours.slope[0] == pytest.approx(theirs["slope"], rel=1e-9)
    np.testing.assert_allclose(ours.covariance[0], theirs["covariance"], rtol=1e-7)
    assert ours.log_likelihood[0] == pytest.approx(theirs["log_likelihood"], rel=1e-12)


@pytest.mark.parametrize("ci_method", ["delta", "fieller", "profile"])
@pytest.mark.parametrize(("arm", "theirs"), MODELS)
def test_intervals_agree_with_r(arm, theirs, ci_method):
    ours = dose_for(
        arm["dose"],
        arm["responders"],
        arm["n"],
        target=theirs["target"],
        method=theirs["link"],
        ci_method=ci_method,
        level=theirs["level"],
    )
    assert ours.estimate == pytest.approx(theirs["estimate"], rel=1e-9)
    if theirs[ci_method][0] is None:
        # R found no bound on at least one side: slopes that could as well be 0.
        assert np.isinf(ours.ci_high)
        assert "infinite" in ours.notes[0]
        return
    # R's optimize stops the inner search at 1e-8 of the slope.
    np.testing.assert_allclose([ours.ci_low, ours.ci_high], theirs[ci_method], rtol=1e-7)
    assert ours.notes == ()


def test_fit_agrees_with_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    dose, r, n = LADDER, np.array([0, 0, 1, 2, 3, 3, 2, 1.0]), np.array([1, 2, 4, 5, 5, 4, 2, 1.0])
    for link, theirs in (("probit", sm.families.links.Probit()), ("logit", None)):
        fit = sm.GLM(
            np.stack([r, n - r], axis=1),
            sm.add_constant(dose),
            family=sm.families.Binomial(theirs or sm.families.links.Logit()),
        ).fit(tol=1e-13, maxiter=100)
        ours = fit_models(dose, r[None], n[None], link=link)
        np.testing.assert_allclose([ours.intercept[0], ours.slope[0]], fit.params, rtol=1e-8)


COUNTS = st.lists(
    st.integers(0, 6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=8,
    max_size=8,
)


@given(COUNTS, st.sampled_from(["probit", "logit"]))
def test_fit_is_a_maximum_or_there_is_none(counts, link):
    r, n = np.array(counts, dtype=float).T
    assume(n.sum() > 0)
    ours = fit_models(LADDER, r[None], n[None], link=link)
    if ours.is_separated[0]:
        # A curve through the gap gets steeper for ever: ten times as steep is no worse.
        failed, worked = LADDER[n > r], LADDER[r > 0]
        if failed.size and worked.size:
            up = failed.max() <= worked.min()
            cut = worked.min() if up else worked.max()
            sign = 1.0 if up else -1.0
            free = (n == 0) | (cut != LADDER)
            steep = [
                log_likelihood(link, sign * s * (LADDER - cut), r * free, n * free)
                for s in (1.0, 10.0)
            ]
            assert steep[1] >= steep[0]
        return
    top = ours.log_likelihood[0]
    for a, b in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)):
        eta = ours.intercept[0] + a + (ours.slope[0] + b) * LADDER
        assert log_likelihood(link, eta, r, n) <= top + 1e-12


def test_profile_interval_is_where_the_likelihood_says():
    """At each end the best curve through (end, target) is half a chi-squared quantile lower."""
    r, n = np.array([0, 0, 1, 2, 3, 3, 2, 2.0]), np.array([1, 2, 4, 5, 5, 3, 2, 2.0])
    found = dose_for(LADDER, r, n, target=0.95, method="probit", level=0.9)
    top = fit_models(LADDER, r[None], n[None], link="probit").log_likelihood[0]
    slopes = np.linspace(0.01, 5, 4991)
    for end in (found.ci_low, found.ci_high):
        through = max(
            log_likelihood("probit", 1.6448536269514722 + s * (LADDER - end), r, n) for s in slopes
        )
        assert 2 * (top - through) == pytest.approx(2.705543454095404, abs=1e-4)


def test_separated_data_have_no_curve():
    for r in ([0, 0, 2, 2], [0, 0, 1, 2], [2, 2, 0, 0], [0, 0, 0, 0], [2, 2, 2, 2]):
        found = dose_for([1, 2, 3, 4], r, [2, 2, 2, 2], method="logit")
        assert np.isnan([found.estimate, found.ci_low, found.ci_high]).all()
        assert "steeper curve" in found.notes[0]


def test_a_falling_curve_has_no_dose():
    found = dose_for([1, 2, 3, 4], [2, 1, 1, 0], [2, 2, 2, 2], method="probit")
    assert np.isnan(found.estimate)
    assert "does not rise" in found.notes[0]


def test_hardly_rising_curves_have_infinite_ends():
    table = ([1, 2, 3, 4], [1, 2, 2, 3], [5, 5, 5, 5])
    for ci_method in ("profile", "fieller"):
        found = dose_for(*table, target=0.95, method="probit", ci_method=ci_method)
        assert found.ci_high == np.inf
    delta = dose_for(*table, target=0.95, method="probit", ci_method="delta")
    assert np.isfinite([delta.ci_low, delta.ci_high]).all()


def test_log_dose_is_a_curve_of_the_logarithm():
    table = ([0, 1, 3, 4], [4, 4, 4, 4])
    plain = dose_for(np.log([1, 2, 4, 8]), *table, method="logit")
    logged = dose_for([1, 2, 4, 8], *table, method="logit", log_dose=True)
    for name in ("estimate", "ci_low", "ci_high"):
        assert getattr(logged, name) == pytest.approx(np.exp(getattr(plain, name)), rel=1e-8)
    with pytest.raises(ArgumentError, match="lowest dose of 0"):
        dose_for([0, 1, 2, 3], *table, method="logit", log_dose=True)


@pytest.mark.parametrize("link", ["probit", "logit"])
def test_many_tables_are_one_at_a_time(link):
    trials = simulate_up_and_down(
        ndtr((LADDER - 4) / 1.2), people=25, start=3, trials=60, rng=np.random.default_rng(3)
    )
    r, n = trials.responders, trials.people
    many = dose_for_many(LADDER, r, n, target=0.95, method=link)
    both_targets = dose_for_many(LADDER, r, n, target=[0.5, 0.95], method=link)
    np.testing.assert_array_equal(both_targets[1], many)
    np.testing.assert_array_equal(
        both_targets[0], dose_for_many(LADDER, r, n, target=0.5, method=link)
    )
    limits = {
        ci: dose_limits_many(LADDER, r, n, target=0.95, method=link, ci_method=ci)
        for ci in ("delta", "fieller")
    }
    logged = dose_for_many(LADDER, r, n, target=0.95, method=link, log_dose=True)
    assert np.isnan(many).any() and np.isinf(limits["fieller"].high).any()
    for i in range(60):
        assert np.isnan(many[i]) == np.isnan(limits["delta"].low[i])
        for ci, both in limits.items():
            one = dose_for(LADDER, r[i], n[i], target=0.95, method=link, ci_method=ci)
            np.testing.assert_allclose(
                [many[i], both.low[i], both.high[i]],
                [one.estimate, one.ci_low, one.ci_high],
                rtol=1e-7,
            )
        one = dose_for(LADDER, r[i], n[i], target=0.95, method=link, log_dose=True)
        np.testing.assert_allclose(logged[i], one.estimate, rtol=1e-7)
