"""Meta-regression against metafor, statsmodels and exact arithmetic."""

from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.stats import regression
from ldn_meta.stats.pool import pool, pool_many
from ldn_meta.stats.regression import meta_regression, subgroups
from reference_values import (
    CI_METHODS,
    ITERATED,
    TAU2_METHODS,
    assert_close,
    generic_sets,
    reference,
    tolerance,
)
from stats.batteries import BCG_TRIALS, anew, many_trials, most_memory

REGRESSIONS = reference("metafor_pooling_extra")["regressions"]
VALUES = {"coef": "coefficients", "qe_p_value": "qe_pvalue", "qm_p_value": "qm_pvalue"}
VALUES |= {"r2": "r2_pct"}
VALUES |= {x: x for x in ("se", "statistic", "p_value", "ci_low", "ci_high", "tau2", "qe", "qm")}
LONG = reference("inputs_reference")["long"]
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


@pytest.mark.parametrize("one", REGRESSIONS, ids=[one["name"] for one in REGRESSIONS])
def test_sets_of_many_trials_are_fitted_alike(one, monkeypatch):
    """The kernel of long sets on short ones, where metafor's answers are pinned."""
    monkeypatch.setattr(regression, "MOST_DECOMPOSED", 0)
    test_every_fit_agrees_with_metafor(one)


@pytest.mark.parametrize("fit", LONG["fits"], ids=lambda fit: fit["method"])
def test_a_regression_of_three_hundred_trials(fit):
    assert len(LONG["yi"]) > regression.MOST_DECOMPOSED
    method = TAU2_METHODS[fit["method"]]
    result = meta_regression(
        LONG["yi"], LONG["vi"], LONG["x"], tau2_method=method, ci_method="knapp-hartung"
    )
    for name in ("coef", "se", "tau2", "qe", "qm"):
        assert_close(getattr(result, VALUES[name]), fit[name], tolerance(method), name, 1e-12)
    if method == "reml":
        found = [result.tau2_ci_low, result.tau2_ci_high]
        assert_close(found, [fit["tau2_low"], fit["tau2_high"]], ITERATED, "Q-profile")


def test_both_kernels_are_one_where_they_meet(monkeypatch):
    y, v, x = (np.array(LONG[name]) for name in ("yi", "vi", "x"))
    y = y + 3 * (np.arange(y.size) % 7 == 0)
    for method in ("ml", "reml", "pm", "dl", "he", "sj", "hs"):
        long = meta_regression(y, v, x, tau2_method=method)
        with monkeypatch.context() as patch:
            patch.setattr(regression, "MOST_DECOMPOSED", 1000)
            short = meta_regression(y, v, x, tau2_method=method)
        assert long.tau2 == pytest.approx(short.tau2, rel=1e-9)
        np.testing.assert_allclose(long.ci_low, short.ci_low, rtol=1e-9)
        assert long.tau2_ci_high == pytest.approx(short.tau2_ci_high, rel=1e-9)


def test_memory_grows_with_the_trials():
    """A matrix of trials by trials would be 3.2 GB."""
    k = 20_000
    y, v = many_trials(k)
    most = most_memory(lambda: meta_regression(y, v, np.sqrt(v), tau2_method="dl"))
    assert most < 1000 * k


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
        ({"names": ["a", "b"]}, r"names has 2 entries; allowed: 1 names, one per column of X"),
        ({"names": "a"}, r"names='a' is one text"),
        ({"names": 5}, r"names=5 is no sequence"),
        (
            {"add_intercept": "False"},
            r"add_intercept='False' is not allowed; allowed: True, False",
        ),
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


def test_a_method_without_a_formula_is_refused():
    y, v = np.array([[0.1, 0.2, 0.5, 0.4]]), np.full((1, 4), 0.01)
    contrasts = regression.contrasts_of(y, v, np.ones((1, 4, 1)))
    with pytest.raises(ArgumentError, match="'new' has no formula around a regression"):
        regression.residual_tau2(contrasts, y, "new")


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


GROUPED = reference("subgroups_reference")
OF_GROUP = ("estimate", "se", "statistic", "p_value", "ci_low", "ci_high", "tau2")
# Absolute, for the few statistics near 0.
DIGITS = 1e-10


@pytest.mark.parametrize("one", GROUPED["subgroups"], ids=lambda one: one["name"])
@pytest.mark.parametrize("tau2", ["separate", "common"])
def test_subgroups_agree_with_metafor(one, tau2):
    assert len(one["fits"]) == 10
    for fit in one["fits"]:
        method, theirs = TAU2_METHODS[fit["method"]], fit[tau2]
        where = f"{one['name']} {fit['method']} {fit['test']} {tau2}"
        ours = subgroups(
            one["yi"], one["vi"], by=one["by"], tau2=tau2, tau2_method=method,
            ci_method=CI_METHODS[fit["test"]],
        )  # fmt: skip
        groups = theirs["groups"]
        if tau2 == "separate":
            groups = {name: [group[name] for group in groups] for name in OF_GROUP}
        groups["tau2"] = np.broadcast_to(groups["tau2"], len(ours.pools)).tolist()
        for name in OF_GROUP:
            found = [getattr(pool, name) for pool in ours.pools]
            assert_close(found, groups[name], tolerance(method), f"{where} {name}", DIGITS)
        for name in ("pi_low", "pi_high"):
            if theirs.get(name):
                found = [getattr(pool, name) for pool in ours.pools]
                assert_close(found, theirs[name], tolerance(method), f"{where} {name}", DIGITS)
        assert_close(ours.q_between, theirs["q"], tolerance(method), f"{where} q")
        assert_close(ours.q_between_pvalue, theirs["p_value"], tolerance(method), f"{where} p")
        assert ours.q_between_df == theirs["df"] == len(ours.names) - 1
        is_f = tau2 == "common" and fit["test"] != "z"
        assert ours.q_between_df_residual == (len(one["yi"]) - len(ours.names) if is_f else np.inf)


def test_two_subgroups_of_four_trials_by_hand():
    """Means 0.2 and 0.9, each with variance 0.02: Q = 0.7^2 / 0.04; with tau2 the sum of both."""
    y, v, by = [0.1, 0.3, 0.8, 1.0], [0.04] * 4, ["a", "a", "b", "b"]
    common = subgroups(y, v, by=by, tau2_method="common", ci_method="wald", labels=list("wxyz"))
    assert [one.estimate for one in common.pools] == pytest.approx([0.2, 0.9])
    assert common.q_between == pytest.approx(12.25)
    assert common["b"].labels == ("y", "z")
    assert common.overall == pool(
        y, v, tau2_method="common", ci_method="wald", labels=["w", "x", "y", "z"]
    )
    wide = subgroups([0.0, 1.0, 2.0, 3.0], [0.1] * 4, by=by, tau2_method="he", ci_method="wald")
    # Sample variance 0.5 less 0.1: tau2 0.4, so each mean has variance 0.5 / 2.
    assert [one.tau2 for one in wide.pools] == pytest.approx([0.4, 0.4])
    assert wide.q_between == pytest.approx(2.0**2 / 0.5)
    assert wide["a"].weight_pct.tolist() == pytest.approx([50, 50])


def test_i2_of_a_subgroup_follows_the_tau2_it_has():
    """Three variances of 0.5 are typical with 0.5; where the common tau2 is the own, so is I2."""
    y = np.array([0.0, 2.0, 4.0])
    ours = subgroups([*y, *(y + 1)], [0.5] * 6, by=list("aaabbb"), tau2="common", tau2_method="dl")
    for one in ours.pools:
        assert one.i2_tau2_pct == pytest.approx(100 * one.tau2 / (one.tau2 + 0.5))
    alone = pool(y, [0.5] * 3, tau2_method="dl")
    assert ours["a"].tau2 == pytest.approx(alone.tau2)
    assert ours["a"].i2_tau2_pct == pytest.approx(alone.i2_tau2_pct)
    fixed = subgroups(y, [0.5] * 3, by=list("aab"), tau2="common", tau2_method="common")
    assert fixed["a"].i2_tau2_pct == fixed["a"].i2_pct
    assert np.isnan(fixed["b"].i2_tau2_pct)


@pytest.mark.parametrize("tau2", ["separate", "common"])
def test_logarithms_of_ratios_are_told_as_ratios_too(tau2):
    y, by = np.log([0.5, 0.7, 1.5, 2.0]), list("aabb")
    ours = subgroups(y, [0.1] * 4, by=by, measure="RR", tau2=tau2)
    ratio = f"{np.exp(ours['a'].estimate):.4g}"
    assert f"risk ratio {ratio} [" in repr(ours) and "log risk ratio" in repr(ours)
    assert f"<td>{ratio} (" in ours._repr_html_()
    assert "risk ratio (95% CI)" in ours._repr_html_() and "log risk ratio (" in ours._repr_html_()
    assert ours.to_frame()["transformed_estimate"].iloc[0] == np.exp(ours["a"].estimate)


def test_of_one_model_a_subgroup_has_no_likelihood_of_its_own():
    y, v, by = [0.1, 0.3, 0.8, 1.0, 0.2, 0.4], [0.04] * 6, list("aaabbb")
    common = subgroups(y, v, by=by, tau2="common")
    assert np.isnan([common["a"].tau2_se, common["a"].log_likelihood]).all()
    alone = subgroups(y, v, by=by)["a"]
    assert alone.log_likelihood == pool(y[:3], v[:3]).log_likelihood
    assert "nan" not in common["a"]._repr_html_()


@pytest.mark.parametrize("tau2", ["separate", "common"])
def test_small_subgroups_are_named(tau2):
    nan = np.nan
    ours = subgroups(
        [0.1, 0.3, 0.8, 1.0, 0.5, nan], [0.04] * 6, by=["a", "a", "b", "b", "c", "e"],
        groups=["b", "a", "c", "d", "e"], tau2=tau2,
    )  # fmt: skip
    assert ours.names == ("b", "a", "c", "d", "e")
    assert [one.k for one in ours.pools] == [2, 2, 1, 0, 0]
    assert ours.q_between_df == 2
    said = " ".join(ours.notes)
    assert "no trial of subgroup d has" in said and "no trial of subgroup e has" in said
    assert ("one trial in subgroup c" in said) == (tau2 == "separate")
    assert "5 trials in 3 subgroups (b 2, a 2, c 1, d 0, e 0) are fewer than 10" in said
    assert "(NaN) were left out" in said
    frame = ours.to_frame()
    assert frame["subgroup"].tolist() == ["b", "a", "c", "d", "e", "overall"]
    assert frame["k"].tolist() == [2, 2, 1, 0, 0, 5]
    assert set(frame["q_between"]) == {ours.q_between}
    html = ours._repr_html_()
    assert "not defined" in html and "test between subgroups" in html and "nan" not in html
    assert repr(ours).count("k=") == 6 and ours.test_words in repr(ours)
    assert ours == subgroups(
        ours.overall.yi, ours.overall.vi, by=list("aabbce"), groups=ours.names, tau2=tau2
    )


@pytest.mark.parametrize("tau2", ["separate", "common"])
@pytest.mark.parametrize(
    ("y", "by", "words"),
    [
        ([0.1, 0.2], ["a", "a"], "nothing to compare"),
        ([np.nan, np.nan], ["a", "b"], "nothing to compare"),
        ([], [], "nothing to compare"),
    ],
)
def test_without_two_subgroups_there_is_no_test(tau2, y, by, words):
    ours = subgroups(y, np.ones(len(y)), by=by, tau2=tau2)
    assert words in ours.notes[-1]
    assert np.isnan(ours.q_between) and np.isnan(ours.q_between_pvalue)
    assert ours.test_words == "test between subgroups: not defined"


def test_a_common_tau2_of_single_trials_is_not_defined():
    ours = subgroups([0.1, 0.9], [0.04, 0.04], by=["a", "b"], tau2="common")
    assert np.isnan([ours.q_between, *(one.estimate for one in ours.pools)]).all()
    assert any("a common tau2 is not defined" in note for note in ours.notes)


def test_many_trials_are_not_called_few():
    rng = np.random.default_rng(4)
    ours = subgroups(rng.normal(size=12), [0.1] * 12, by=["a", "b"] * 6)
    assert ours.notes == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": ["a", None]}, r"by\[1\]='None' is no subgroup"),
        ({"by": [np.nan, "a"]}, r"by\[0\]='nan'"),
        ({"by": ["a"]}, "allowed: 2 subgroups"),
        ({"by": "ab"}, "allowed: 2 subgroups"),
        ({"by": 3}, "allowed: 2 subgroups"),
        ({"by": ["a", "b"], "groups": ["a"]}, "groups=.* lacks 'b'"),
        ({"by": ["a", "b"], "groups": "ab"}, "groups='ab' is not usable"),
        ({"by": ["a", "b"], "groups": 3}, "groups=3 is not usable"),
        ({"by": np.array([["a"], ["b"]])}, "allowed: 2 subgroups"),
        ({"by": ["a", "b"], "tau2": "pooled"}, "allowed: separate, common"),
        ({"by": ["a", "b"], "tau2_method": "magic"}, "tau2_method"),
    ],
)
def test_unusable_subgroups_are_refused(options, words):
    with pytest.raises(ArgumentError, match=words):
        subgroups([0.1, 0.2], [0.1, 0.1], **options)


@pytest.mark.parametrize("one", GROUPED["predictions"], ids=lambda one: one["name"])
def test_predictions_agree_with_metafor(one):
    """metafor takes a normal quantile for the new trial under z, and we never do."""
    assert len(one["fits"]) == 20
    for fit in one["fits"]:
        method = TAU2_METHODS[fit["method"]]
        options = {"ci_method": CI_METHODS[fit["test"]], "level": fit["level"]}
        result = meta_regression(one["yi"], one["vi"], one["X"], tau2_method=method, **options)
        ours = result.predict(one["new"])
        for name in ("estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high"):
            if fit.get(name):
                where = f"{one['name']} {fit['method']} {fit['test']} {name}"
                assert_close(getattr(ours, name), fit[name], tolerance(method), where, 1e-7)
        assert np.isnan(ours.pi_low).all() == (method == "common")
        assert ours.to_frame().shape == (len(one["new"]), len(result.names) + 5)


def test_a_prediction_by_matrix_algebra():
    y, v, x = np.array([0.1, 0.3, 0.2, 0.8]), np.array([0.1, 0.2, 0.1, 0.3]), [0.0, 1.0, 2.0, 4.0]
    result = meta_regression(y, v, x, tau2_method="he", ci_method="wald")
    design = np.column_stack([np.ones(4), x])
    inverse = np.linalg.inv(design.T @ np.diag(1 / (v + result.tau2)) @ design)
    b = inverse @ design.T @ (y / (v + result.tau2))
    ours = result.predict(3.0)
    assert ours.estimate[0] == pytest.approx(np.array([1, 3]) @ b)
    assert ours.se[0] == pytest.approx(np.sqrt(np.array([1, 3]) @ inverse @ np.array([1, 3])))
    assert ours.notes == ()
    # On 2 - 1 df the t quantile is tan(0.475 pi), and a new trial is spread by tau2 more.
    wide = result.predict([3.0], pi_method="k-2")
    reach = np.tan(0.475 * np.pi) * np.hypot(ours.se[0], np.sqrt(result.tau2))
    assert wide.pi_high[0] - wide.estimate[0] == pytest.approx(reach)


def test_points_beyond_the_trials_are_named():
    ours = meta_regression(BCG["yi"], BCG["vi"], BCG["X"]).predict([[20, 1950], [70, 1950]])
    assert ours.notes == ("row 1 lies beyond the covariates of the trials: extrapolated",)
    assert "<td>70" in ours._repr_html_() and ours.notes[0] in ours._repr_html_()
    # A vector is one point of several covariates.
    result = meta_regression(BCG["yi"], BCG["vi"], BCG["X"], names=["latitude", "year"])
    assert result.predict([20, 1950]).to_frame()["year"].tolist() == [1950]


@pytest.mark.parametrize(
    ("new_x", "words"),
    [
        ([1.0, 2.0, 3.0], r"shape \(3,\); allowed: \(m, 2\)"),
        ([[1.0, "a"]], "new_x"),
        (np.ones((2, 2, 2)), "allowed"),
    ],
)
def test_unusable_points_are_refused(new_x, words):
    result = meta_regression(BCG["yi"], BCG["vi"], BCG["X"])
    with pytest.raises(ArgumentError, match=words):
        result.predict(new_x)
    batch = meta_regression(np.ones((2, 5)), np.ones((2, 5)), np.arange(5.0))
    with pytest.raises(ArgumentError, match="batch"):
        batch.predict([1.0])


def test_no_trials_predict_nothing():
    ours = meta_regression([0.1], [0.1], [1.0]).predict([1.0])
    assert np.isnan([ours.estimate, ours.ci_low, ours.pi_high]).all()


def test_columns_keep_their_names():
    import pandas as pd

    table = pd.DataFrame({"yi": Y_, "vi": V_, "dose": D_, "weeks": [4.0, 8, 12, 6, 9]})
    one = meta_regression(data=table, x=["dose"])
    assert one.names == ("intercept", "dose")
    assert one == meta_regression(table["yi"], table["vi"], table[["dose"]])
    assert one == meta_regression(Y_, V_, table["dose"])
    assert one == meta_regression(Y_, V_, D_, names=["dose"])
    assert meta_regression(data=table, x=["dose", "weeks"]).names[1:] == ("dose", "weeks")
    assert meta_regression(Y_, V_, D_).names == ("intercept", "x1")
    with pytest.raises(ArgumentError, match=r"x='dosis' is not known; .* did you mean 'dose'"):
        meta_regression(data=table, x="dosis")
    with pytest.raises(ArgumentError, match="allowed is one of the two"):
        meta_regression(data=table)


Y_, V_, D_ = [0.1, 0.3, 0.2, 0.6, 0.5], [0.02, 0.04, 0.03, 0.05, 0.02], [1.0, 2, 3, 4, 6]


def test_words_of_metafor_are_named_back():
    found = meta_regression(Y_, V_, D_, tau2_method="DL", ci_method="knha")
    assert (found.tau2_method, found.ci_method) == ("dl", "knapp-hartung")
    assert found.notes[0] == "tau2_method='DL' was read as 'dl'"


def test_points_with_names_are_read_by_their_names():
    """A frame in another order, a Series and a dict are one point; other names are refused."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {"yi": rng.normal(size=9), "vi": 0.1, "a": range(9), "b": range(9, 0, -1)}
    )
    table.loc[4, "b"] = 20
    fit = meta_regression(data=table, yi="yi", vi="vi", x=["a", "b"])
    plain = fit.predict([[2.0, 5.0]]).estimate
    turned = pd.DataFrame({"b": [5.0], "a": [2.0]})
    for point in (turned, turned.iloc[0], {"b": 5.0, "a": 2.0}, {"b": [5.0], "a": [2.0]}):
        assert fit.predict(point).estimate == pytest.approx(plain)
    with pytest.raises(ArgumentError, match="new_x has foo, a; allowed: a, b"):
        fit.predict(pd.DataFrame({"foo": [5.0], "a": [2.0]}))
    with pytest.raises(ArgumentError, match="x is empty"):
        meta_regression(data=table, yi="yi", vi="vi", x=[])


def test_a_regression_tells_its_tests_and_is_read_by_its_measure():
    """metafor 3.8: rma(mods = ~ ablat + year, test = "knha") and its predict(transf = exp).

    Its REML stops at 1e-5.
    """
    found = meta_regression(data=BCG_TRIALS, x=["ablat", "year"], measure="RR")
    theirs = (4.96490309751, 0.0318042107482, 28.3251436563, 0.00160097442224, 64.6321749397)
    names = ("qm", "qm_pvalue", "qe", "qe_pvalue", "r2_pct")
    assert tuple(getattr(found, name) for name in names) == pytest.approx(theirs, rel=1e-4)
    told = "R2: 65%, F (2 and 10 df): 4.965, p = 0.0318, QE (10 df): 28.33, p = 0.0016"
    assert told in repr(found)
    assert {"k", "tau2", *names} <= {*found.to_frame()}
    shown = found.summary()
    assert "F (2 and 10 df)  4.965, p = 0.0318" in shown and "ablat" in shown
    assert found.labels[0] == "Aronson" and "- fewer than 10 trials per covariate" in shown
    at = found.predict({"year": [1970, 1949], "ablat": [10, 44]})
    known = at.transformed()
    assert known.quantity == "risk ratio"
    for name, pair in {
        "estimate": (0.934511509, 0.34639574628),
        "ci_low": (0.51591800349, 0.18111256756),
        "ci_high": (1.692733641188, 0.662516216611),
        "pi_low": (0.361329957407, 0.129338415976),
        "pi_high": (2.416937047979, 0.927721374467),
    }.items():
        assert tuple(getattr(known, name)) == pytest.approx(pair, rel=2e-5)
    assert "extrapolated" in at.summary()
    wald = meta_regression(data=BCG_TRIALS, x=["ablat", "year"], ci_method="z")
    assert "QM (2 df): 12.2" in repr(wald)


def test_factors_and_truths_are_columns_of_0_and_1():
    """metafor 3.8: mods = ~ alloc + ablat, and ~ I(year > 1965)."""
    dummies = pd.get_dummies(BCG_TRIALS[["ablat", "alloc"]], drop_first=True)
    found = meta_regression(data=BCG_TRIALS, X=dummies, ci_method="wald")
    theirs = (0.2931936937216, -0.0272757391021, -0.2674916665505, 0.0584619738159)
    assert found.names == ("intercept", "ablat", "alloc_random", "alloc_systematic")
    assert tuple(found.coefficients) == pytest.approx(theirs, rel=1e-4)
    assert (found.qm, found.qm_pvalue) == pytest.approx((11.0605339952, 0.0114030084), rel=1e-4)
    late = BCG_TRIALS["year"] > 1965
    for given in (late, late.to_numpy(), late.astype("boolean"), list(late)):
        one = meta_regression(BCG_TRIALS["yi"], BCG_TRIALS["vi"], given, ci_method="wald")
        assert tuple(one.coefficients) == pytest.approx((-1.156921579, 0.678132125), rel=1e-4)
    by_name = meta_regression(data=BCG_TRIALS.assign(late=late), x="late", ci_method="wald")
    assert by_name.predict([True, False]) == by_name.predict([1, 0])
    missing = pd.Series([pd.NA, *late[1:]], dtype="boolean")
    assert meta_regression(BCG_TRIALS["yi"], BCG_TRIALS["vi"], missing).k == 12


def test_subgroups_name_words_back_and_are_read_by_their_measure():
    found = subgroups(
        data=BCG_TRIALS, by="alloc", measure="RR", tau2_method="DL", ci_method="knha"
    )
    assert found.notes[:2] == (
        "tau2_method='DL' was read as 'dl'",
        "ci_method='knha' was read as 'knapp-hartung'",
    )
    known = found.transformed()
    each = [*found.pools, found.overall]
    assert tuple(known.estimate) == tuple(np.exp(one.estimate) for one in each)
    assert known.quantity == "risk ratio"
    shown = found.summary()
    assert "test between subgroups  Q" in shown and "systematic  4" in shown
    assert shown.count("was read as") == 2


def test_without_an_intercept_dl_is_the_method_of_moments():
    """metafor 3.8-1 says 0.3936 of QE 209.7; by hand QE is 48.70 and tau2 0.0731."""
    found = meta_regression(
        data=BCG_TRIALS, x="ablat", tau2_method="dl", ci_method="wald", add_intercept=False
    )
    x, y, w = BCG_TRIALS["ablat"], BCG_TRIALS["yi"], 1 / BCG_TRIALS["vi"]
    q = (w * (y - x * (w * x * y).sum() / (w * x * x).sum()) ** 2).sum()
    trace = w.sum() - (w**2 * x**2).sum() / (w * x * x).sum()
    assert q == pytest.approx(48.7020856119)
    assert (found.qe, found.tau2) == pytest.approx((q, (q - 12) / trace))
