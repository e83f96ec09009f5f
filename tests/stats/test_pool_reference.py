"""Pooling against R's metafor (whole pinned grid), published tables and plain arithmetic."""

import numpy as np
import pytest

from ldn_meta.stats.arrays import CI_METHODS as OUR_CI_METHODS
from ldn_meta.stats.arrays import TAU2_METHODS as OUR_TAU2_METHODS
from ldn_meta.stats.pool import pool
from ldn_meta.stats.tau2 import heterogeneity, tau2_estimate
from metafor_values import (
    CI_METHODS,
    CLOSED_FORM,
    ITERATED,
    TAU2_METHODS,
    TAU2_ZERO,
    assert_close,
    generic_sets,
    load,
    tolerance,
)

SETS = generic_sets()
IDS = [f"{i}-{one['name']}" for i, one in enumerate(SETS)]
NAMES = {"q_p_value": "q_pvalue"}
VALUES = ["estimate", "se", "statistic", "p_value", "ci_low", "ci_high", "q", "q_p_value"]
BCG = SETS[0]["yi"], SETS[0]["vi"]


def test_the_grid_is_complete():
    assert set(TAU2_METHODS.values()) == set(OUR_TAU2_METHODS)
    assert set(CI_METHODS.values()) == set(OUR_CI_METHODS)
    assert [len(one["yi"]) for one in SETS] == [13, 9, 37, 19, 2, 3, 3, 4, 5, 6]
    full = {(m, t) for m in TAU2_METHODS for t in CI_METHODS if m != "EE" or t == "z"}
    for one in SETS:
        assert {(fit["method"], fit["test"]) for fit in one["reference"]["fits"]} == full
        assert len(one["reference"]["fits"]) == len(full) == 25


@pytest.mark.parametrize("one", SETS, ids=IDS)
def test_every_fit_agrees_with_metafor(one):
    for fit in one["reference"]["fits"]:
        method = TAU2_METHODS[fit["method"]]
        result = pool(one["yi"], one["vi"], tau2_method=method, ci_method=CI_METHODS[fit["test"]])
        where = f"{one['name']} {fit['method']} {fit['test']}"
        assert_close(result.tau2, fit["tau2"], tolerance(method), f"{where} tau2", TAU2_ZERO)
        for name in VALUES:
            ours = getattr(result, NAMES.get(name, name))
            assert_close(ours, fit[name], tolerance(method), f"{where} {name}")


@pytest.mark.parametrize("one", SETS, ids=IDS)
def test_prediction_intervals_agree_with_metafor(one):
    for fit in one["reference"]["fits"]:
        for pi_method, suffix in (("k-1", "k1"), ("k-2", "hts")):
            method = TAU2_METHODS[fit["method"]]
            result = pool(
                one["yi"],
                one["vi"],
                tau2_method=method,
                ci_method=CI_METHODS[fit["test"]],
                pi_method=pi_method,
            )
            if method == "common" or result.k < 3:
                assert np.isnan(result.pi_low)
                assert np.isnan(result.pi_high)
                continue
            where = f"{one['name']} {fit['method']} {fit['test']} {pi_method}"
            assert_close(result.pi_low, fit[f"pi_low_{suffix}"], tolerance(method), where)
            assert_close(result.pi_high, fit[f"pi_high_{suffix}"], tolerance(method), where)


@pytest.mark.parametrize("one", SETS, ids=IDS)
def test_i2_and_h2_agree_where_the_definitions_do(one):
    """metafor's I2 and H2 come from Q for EE, and from tau2, which is Q again, for DL."""
    for fit in one["reference"]["fits"]:
        method = TAU2_METHODS[fit["method"]]
        if method in ("common", "dl"):
            result = pool(one["yi"], one["vi"], tau2_method=method)
            assert_close(result.i2_pct, fit["i2"], CLOSED_FORM, one["name"])
            assert_close(result.h2, fit["h2"], CLOSED_FORM, one["name"])


@pytest.mark.parametrize("one", SETS, ids=IDS)
def test_metafor_has_the_other_i2_for_the_other_methods(one):
    """The documented difference: tau2 / (tau2 + s2) with our tau2 is metafor's number."""
    w = 1 / np.array(one["vi"])
    typical = (w.size - 1) / (w.sum() - (w**2).sum() / w.sum())
    for fit in one["reference"]["fits"]:
        method = TAU2_METHODS[fit["method"]]
        if method != "common":
            tau2 = float(tau2_estimate(one["yi"], one["vi"], method=method))
            theirs = 100 * tau2 / (tau2 + typical)
            assert_close(theirs, fit["i2"], tolerance(method), one["name"], atol=1e-9)


@pytest.mark.parametrize("one", SETS, ids=IDS)
def test_q_profile_intervals_agree_with_metafor(one):
    theirs = one["reference"]["q_profile_reml"]
    ours = heterogeneity(one["yi"], one["vi"])
    for name, value in theirs.items():
        quantity, end = name.split("_")
        assert_close(getattr(ours, f"{quantity}_ci_{end}"), value, ITERATED, name)
    result = pool(one["yi"], one["vi"])
    assert result.tau2_ci_low == ours.tau2_ci_low
    assert result.tau2_ci_high == ours.tau2_ci_high


def test_another_level_agrees_with_metafor():
    for one in load("metafor_pooling_extra.json")["other_level"]:
        result = pool(one["yi"], one["vi"], ci_method="knapp-hartung", level=one["level"])
        spread = heterogeneity(one["yi"], one["vi"], level=one["level"])
        for end in ("low", "high"):
            assert_close(getattr(result, f"ci_{end}"), one[f"ci_{end}"], ITERATED, end)
            for quantity in ("tau2", "i2", "h2"):
                ours = getattr(spread, f"{quantity}_ci_{end}")
                assert_close(ours, one[f"{quantity}_{end}"], ITERATED, quantity)


def test_sixty_small_random_sets_agree_with_metafor():
    """metafor says NA where it fails, and 0 where it resets a stuck iteration."""
    sets = load("metafor_pooling_extra.json")["small_sets"]
    assert len(sets) == 60
    compared = 0
    for one in sets:
        for name, theirs in one["tau2"].items():
            if theirs is not None:
                ours = tau2_estimate(one["yi"], one["vi"], method=TAU2_METHODS[name])
                assert_close(ours, theirs, ITERATED, name, atol=1e-12)
                compared += 1
    assert compared >= 475


def test_bcg_anchors():
    """STYLE.md, numeric anchors: BCG log risk ratios (Colditz 1994), four decimals."""
    assert BCG[0][0] == pytest.approx(-0.8893, abs=5e-5)
    assert BCG[1][0] == pytest.approx(0.3256, abs=5e-5)
    common = pool(*BCG, tau2_method="common", ci_method="wald")
    assert (common.estimate, common.se) == pytest.approx((-0.4303, 0.0405), abs=5e-5)
    assert (common.q, common.q_df) == pytest.approx((152.233, 12), abs=5e-4)
    assert common.i2_pct == pytest.approx(92.12, abs=5e-3)
    dl = pool(*BCG, tau2_method="dl", ci_method="wald")
    assert (dl.tau2, dl.estimate, dl.se) == pytest.approx((0.3088, -0.7141, 0.1787), abs=5e-5)
    reml = pool(*BCG, ci_method="wald")
    assert (reml.tau2, reml.estimate, reml.se) == pytest.approx(
        (0.3132, -0.7145, 0.1798), abs=5e-5
    )
    assert pool(*BCG, ci_method="knapp-hartung").se == pytest.approx(0.1808, abs=5e-5)
    assert pool(*BCG, tau2_method="pm").tau2 == pytest.approx(0.3181, abs=5e-5)
    assert (reml.tau2_ci_low, reml.tau2_ci_high) == pytest.approx((0.1197, 1.1115), abs=5e-5)


@pytest.mark.parametrize(
    ("ci_method", "pi_method", "low", "high"),
    [
        ("wald", "k-1", -1.9953, 0.5663),
        ("wald", "k-2", -2.0084, 0.5793),
        ("knapp-hartung", "k-1", -1.9960, 0.5670),
        ("knapp-hartung", "k-2", -2.0091, 0.5800),
    ],
)
def test_four_prediction_conventions(ci_method, pi_method, low, high):
    """PEERS.md section 2, BCG log RR, REML."""
    result = pool(*BCG, ci_method=ci_method, pi_method=pi_method)
    assert (result.pi_low, result.pi_high) == pytest.approx((low, high), abs=5e-5)


def test_three_agreeing_trials():
    """STYLE.md, numeric anchors: half-widths 0.250, 0.025 and 0.548; DL tau2 is 0."""
    half = {
        ci_method: pool([0.30, 0.31, 0.32], [0.04, 0.05, 0.06], ci_method=ci_method)
        for ci_method in OUR_CI_METHODS
    }
    for (name, result), width in zip(half.items(), (0.250, 0.025, 0.548), strict=True):
        assert result.ci_high - result.estimate == pytest.approx(width, abs=5e-4), name
    assert tau2_estimate([0.30, 0.31, 0.32], [0.04, 0.05, 0.06], method="dl") == 0.0


def test_viechtbauer_2005_example_1():
    """Journal of Educational and Behavioral Statistics 30:261-293, p. 271, ten studies."""
    yi = [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232]
    vi = [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040]
    printed = {"hs": 0.2282, "he": 0.1484, "dl": 0.2768, "ml": 0.1967, "reml": 0.2232}
    printed |= {"eb": 0.1920, "pm": 0.1920, "sj": 0.1992}
    for method, value in printed.items():
        ours = float(tau2_estimate(yi, vi, method=method))
        assert ours == pytest.approx(value, abs=5.1e-5), method


def test_dersimonian_kacker_2007():
    """Contemporary Clinical Trials 28:105-114, tables 3 and 4: tau of six CLASP log odds ratios.

    The printed ML, 0.0023, is an iteration stopped before the boundary 0: the score is negative
    at 0 and at 0.0023 squared.
    """
    a, n1 = np.array([5, 5, 12, 69, 9, 313]), np.array([156, 303, 565, 1570, 103, 4659])
    c, n2 = np.array([8, 17, 9, 94, 11, 352]), np.array([74, 303, 477, 1565, 105, 4650])
    yi = np.log(a * (n2 - c) / (c * (n1 - a)))
    vi = 1 / a + 1 / (n1 - a) + 1 / c + 1 / (n2 - c)
    printed = {"pm": 0.3681, "he": 0.4410, "dl": 0.2323, "eb": 0.3681, "reml": 0.1843}
    printed |= {"hs": 0.1330, "sj": 0.4572}
    for method, value in printed.items():
        tau = float(tau2_estimate(yi, vi, method=method)) ** 0.5
        assert tau == pytest.approx(value, abs=5.1e-5), method
    assert tau2_estimate(yi, vi, method="ml") == 0.0
    for tau2 in (0.0, 0.0023**2):
        w = 1 / (vi + tau2)
        r = yi - (w @ yi) / w.sum()
        assert (w**2 * r**2).sum() < w.sum()


def test_statsmodels_agrees_where_it_is_right():
    """Paule-Mandel with Knapp-Hartung on BCG; its DerSimonian-Laird is not truncated."""
    from statsmodels.stats.meta_analysis import combine_effects

    theirs = combine_effects(
        np.array(BCG[0]), np.array(BCG[1]), method_re="iterated", use_t=True, atol=1e-11
    )
    ours = pool(*BCG, tau2_method="pm", ci_method="knapp-hartung")
    assert ours.tau2 == pytest.approx(theirs.tau2, rel=1e-5)
    assert ours.estimate == pytest.approx(theirs.mean_effect_re, rel=1e-5)
    assert ours.se == pytest.approx(theirs.sd_eff_w_re_hksj, rel=1e-5)
