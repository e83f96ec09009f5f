"""Meta-regression against metafor, statsmodels and exact arithmetic."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import pool_many
from ldn_meta.stats.regression import meta_regression
from reference_values import (
    CI_METHODS,
    ITERATED,
    TAU2_METHODS,
    assert_close,
    generic_sets,
    reference,
    tolerance,
)
from stats.batteries import anew

REGRESSIONS = reference("metafor_pooling_extra")["regressions"]
VALUES = {"coef": "coefficients", "qe_p_value": "qe_pvalue", "qm_p_value": "qm_pvalue"}
VALUES |= {"r2": "r2_pct"}
VALUES |= {x: x for x in ("se", "statistic", "p_value", "ci_low", "ci_high", "tau2", "qe", "qm")}
BCG = next(one for one in REGRESSIONS if one["name"] == "bcg_latitude_year")


@pytest.mark.parametrize("one", REGRESSIONS, ids=[one["name"] for one in REGRESSIONS])
def test_every_fit_agrees_with_metafor(one):
    """R2 of metafor's EE is another quantity, a share of Q; ours needs a tau2 to explain."""
    assert len(one["fits"]) == 25
    for fit in one["fits"]:
        method = TAU2_METHODS[fit["method"]]
        result = meta_regression(
            one["yi"],
            one["vi"],
            one["X"],
            tau2_method=method,
            ci_method=CI_METHODS[fit["test"]],
            add_intercept=one["intercept"],
        )
        for name, field in VALUES.items():
            where = f"{one['name']} {fit['method']} {fit['test']} {name}"
            if name == "r2" and method == "common":
                assert np.isnan(result.r2_pct)
                continue
            assert_close(getattr(result, field), fit[name], tolerance(method), where, 1e-12)
    assert_close(
        [result.tau2_ci_low, result.tau2_ci_high],
        [one["tau2_low"], one["tau2_high"]],
        ITERATED,
        "Q-profile",
    )


def test_the_first_pinned_regression():
    one = reference("metafor_reference")["meta_regression"][0]
    for test, theirs in one["reference"].items():
        result = meta_regression(one["yi"], one["vi"], one["X"], ci_method=CI_METHODS[test])
        for name in set(theirs) - {"qm_p_value", "r2"}:
            assert_close(getattr(result, VALUES[name]), theirs[name], ITERATED, name)


def test_common_effect_coefficients_against_exact_arithmetic():
    """metafor's own last digits are lost to a raw year; rational arithmetic has them all."""
    design = np.column_stack([np.ones(13), BCG["X"]])
    rows = [[Fraction(float(x)) for x in row] for row in design]
    w = [1 / Fraction(v) for v in BCG["vi"]]
    left = [
        [sum(w[i] * r[a] * r[b] for i, r in enumerate(rows)) for b in range(3)] for a in range(3)
    ]
    right = [
        sum(w[i] * r[a] * Fraction(BCG["yi"][i]) for i, r in enumerate(rows)) for a in range(3)
    ]
    for pivot in range(3):
        for other in set(range(3)) - {pivot}:
            factor = left[other][pivot] / left[pivot][pivot]
            left[other] = [x - factor * y for x, y in zip(left[other], left[pivot], strict=True)]
            right[other] -= factor * right[pivot]
    exact = [float(right[a] / left[a][a]) for a in range(3)]
    ours = meta_regression(BCG["yi"], BCG["vi"], BCG["X"], tau2_method="common")
    np.testing.assert_allclose(ours.coefficients, exact, rtol=1e-11)


def test_statsmodels_wls_is_the_common_effect_knapp_hartung_fit():
    from statsmodels.regression.linear_model import WLS

    design = np.column_stack([np.ones(13), BCG["X"]])
    theirs = WLS(BCG["yi"], design, weights=1 / np.array(BCG["vi"])).fit()
    ours = meta_regression(
        BCG["yi"], BCG["vi"], BCG["X"], tau2_method="common", ci_method="knapp-hartung"
    )
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(ours.se, theirs.bse, rtol=1e-7)
    np.testing.assert_allclose(ours.p_value, theirs.pvalues, rtol=1e-7)
    assert ours.qm == pytest.approx(theirs.fvalue, rel=1e-7)


@pytest.mark.parametrize("tau2_method", TAU2_METHODS.values())
def test_only_an_intercept_is_the_pool(tau2_method, seed=3):
    """Two kernels that share no sums: contrasts here, weights there."""
    rng = np.random.default_rng(seed)
    for k, ci_method in product((3, 4, 8), CI_METHODS.values()):
        v = 10 ** rng.uniform(-2, 0, (20, k))
        y = rng.normal(0, np.sqrt(v + 0.2))
        options = {"tau2_method": tau2_method, "ci_method": ci_method}
        one = pool_many(y, v, **options)
        other = meta_regression(y, v, np.ones(k), add_intercept=False, **options)
        for ours, theirs, rtol, atol in (
            (other.tau2, one.tau2, 1e-7, 1e-9),
            (other.coefficients[:, 0], one.estimate, 1e-6, 1e-8),
            (other.ci_low[:, 0], one.ci_low, 1e-6, 1e-8),
            (other.qe, one.q, 1e-9, 0),
            (other.tau2_ci_high, one.tau2_ci_high, 1e-7, 1e-9),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)
        assert np.isnan(other.qm).all()


def test_the_global_maximum_is_found_here_too():
    """PEERS.md: the bimodal set, as a regression on a constant."""
    y = (0.202708, 0.431268, 0.196954, -0.058715, 2.326389)
    v = (0.195864, 0.026169, 0.340638, 0.434471, 0.477374)
    result = meta_regression(y, v, np.ones(5), add_intercept=False)
    assert result.tau2 == pytest.approx(0.2179, abs=5e-5)
    assert any("more than one maximum" in note for note in result.notes)


def test_a_ragged_batch_is_its_rows():
    rng = np.random.default_rng(3)
    v = rng.uniform(0.01, 0.2, (6, 9))
    y = rng.normal(0, 0.5, (6, 9))
    x = rng.normal(size=(9, 2))
    y[rng.random((6, 9)) < 0.3] = np.nan
    batch = meta_regression(y, v, x)
    for i in range(6):
        there = ~np.isnan(y[i])
        row = meta_regression(y[i, there], v[i, there], x[there])
        assert batch.k[i] == row.k
        np.testing.assert_allclose(batch.coefficients[i], row.coefficients, rtol=1e-9)
        np.testing.assert_allclose(batch.tau2[i], row.tau2, rtol=1e-9, atol=1e-12)


def test_too_few_trials_give_nan_and_a_note():
    result = meta_regression([0.1, 0.2], [0.01, 0.02], [1.0, 2.0])
    assert np.isnan(result.coefficients).all()
    assert np.isnan(result.tau2)
    assert "nothing was estimated" in result.notes[0]
    assert (result.k, result.df) == (2, 0)


def test_notes_announce_missing_covariates_and_few_trials():
    x = [1.0, 2.0, np.nan, 4.0, 5.0]
    result = meta_regression([0.1, 0.4, 0.2, 0.9, 1.1], [0.01] * 5, x, names=["dose"])
    assert result.k == 4
    assert result.names == ("intercept", "dose")
    assert any("left out" in note for note in result.notes)
    assert any("exploratory" in note for note in result.notes)
    assert "dose=" in repr(result)
    assert result.to_frame().loc["dose", "se"] == result.se[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"X": [1.0, 2.0]}, r"X has shape \(2, 1\) and yi has shape \(4,\)"),
        ({"X": [1.0, 1.0, 1.0, 1.0]}, r"X has rank 1 for 2 coefficients \(intercept, x1\)"),
        ({"X": ["a", "b", "c", "d"]}, "X: .* has type <U1"),
        ({"X": [1.0, np.inf, 2.0, 3.0]}, r"X\[1\]: inf is not allowed"),
        ({"X": np.empty((4, 0)), "add_intercept": False}, "X has no column"),
        ({"names": ["a", "b"]}, r"names=.*1 names"),
        ({"names": "a"}, r"names='a'"),
        ({"tau2_method": "x"}, "tau2_method='x'"),
        ({"ci_method": "x"}, "ci_method='x'"),
        ({"level": 2}, "level=2"),
        ({"vi": [0.1, 0.1, 0.1, 0.0]}, r"vi\[3\]=0\.0"),
    ],
)
def test_bad_input_is_refused(changes, words):
    good = {"yi": [0.1, 0.2, 0.5, 0.4], "vi": [0.01] * 4, "X": [1.0, 2.0, 3.0, 5.0]}
    with pytest.raises(ArgumentError, match=words):
        meta_regression(**{**good, **changes})


def test_bcg_latitude_explains_most_of_the_spread():
    """Berkey and others 1995 and PEERS.md: R2 75.6% for absolute latitude alone (REML)."""
    one = next(x for x in REGRESSIONS if x["name"] == "bcg_latitude")
    result = meta_regression(one["yi"], one["vi"], one["X"])
    assert result.r2_pct == pytest.approx(75.6, abs=0.05)
    assert result.tau2 == pytest.approx(0.0763, abs=1e-4)
    assert generic_sets()[0]["yi"] == one["yi"]


globals().update(
    anew(
        test_only_an_intercept_is_the_pool,
        examples=3,
    )
)
