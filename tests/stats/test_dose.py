"""The dose that works in a share: R's cir, upndown and glm, statsmodels, likelihood, by hand."""

import numpy as np
import pytest
from scipy.special import ndtr

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose import (
    centered_isotonic,
    dose_for,
    dose_limits,
    fit_models,
    isotonic,
    isotonic_shares,
    log_likelihood,
    morris_limits,
    share_limits,
)
from ldn_meta.stats.up_and_down import dose_for_many, dose_limits_many, simulate_up_and_down
from reference_values import reference
from stats.batteries import anew, sizes

REFERENCE = reference("dose_reference")
MODELS = [(arm, model) for arm in REFERENCE["arms"].values() for model in arm["models"]]
LADDER = 0.75 * np.arange(1, 9)
# Concentrations given in Benhamou 2003, in hundredths of a per cent, from the vignette of R's cir:
# each neighbour is one step up (no response) or down (response); the last response is unknown.
ROPI = (
    "11 10 9 10 9 8 9 10 9 10 9 8 7 8 9 10 11 10 11 12 "
    "11 10 9 8 7 8 7 8 9 10 9 8 9 8 9 10 9 10 9 10"
)
LEVO = "11 10 11 10 11 10 9 10 9 8 7 8 7 8 7 6 5 6 7 8 7 8 7 6 7 6 7 6 7 6 5 6 7 6 7 8 9 10 11 12"
ARMS = {"ropivacaine": ROPI, "levobupivacaine": LEVO}
# R cir 2.5, vignette BenHamou03: quickInverse(target = 0.5, adaptiveShrink = TRUE, conf = 0.83)
# and quickInverse(target = 0.5, estfun = oldPAVA, conf = 0.83); at 90%, as run for this project
# (design note, six digits).
CIR_83 = {
    "ropivacaine": (0.09383622, 0.07966513, 0.1000783),
    "levobupivacaine": (0.06842105, 0.06038051, 0.0867241),
}
CIR_90 = {
    "ropivacaine": (0.093836, 0.078371, 0.101341),
    "levobupivacaine": (0.068421, 0.059044, 0.092330),
}
IR_83 = {
    "ropivacaine": (0.09287671, 0.0831183, 0.09791556),
    "levobupivacaine": (0.06846154, 0.06240652, 0.08618716),
}
# R's uniroot stops at 1.2e-4 of a share, which is a few in a million of these doses: our limits of
# the share agree with a uniroot run to 1e-15 (test_morris_limits_agree_with_r).
UNIROOT = 2e-6


def counts(walk):
    level = np.array(walk.split(), dtype=int)
    responded = np.diff(level) < 0
    dose = np.unique(level[:-1])
    n = [int((level[:-1] == d).sum()) for d in dose]
    return dose / 100, [int(responded[level[:-1] == d].sum()) for d in dose], n


@pytest.fixture(params=ARMS)
def arm(request):
    return request.param, *counts(ARMS[request.param])


def test_walks_give_the_counts_of_the_reference(arm):
    name, dose, responders, n = arm
    theirs = REFERENCE["arms"][name]
    np.testing.assert_allclose(dose, theirs["dose"])
    assert (responders, n) == (theirs["responders"], theirs["n"])


@pytest.mark.parametrize(
    ("method", "shrink_to", "level", "theirs", "printed"),
    [
        ("cir", 0.5, 0.83, CIR_83, 6e-9),
        ("cir", 0.5, 0.90, CIR_90, 6e-7),
        ("ir", None, 0.83, IR_83, 6e-9),
    ],
)
def test_ed50_agrees_with_cir(monkeypatch, arm, method, shrink_to, level, theirs, printed):
    """With places compared as computed, as cir does; see the next test for the one difference."""
    monkeypatch.setattr("ldn_meta.stats.dose.SAME_PLACE", 0.0)
    name, dose, responders, n = arm
    ours = dose_for(dose, responders, n, method=method, level=level, shrink_to=shrink_to)
    estimate, low, high = theirs[name]
    assert ours.estimate == pytest.approx(estimate, abs=printed)
    assert ours.ci_low == pytest.approx(low, abs=UNIROOT)
    assert ours.ci_high == pytest.approx(high, abs=UNIROOT)
    assert ours.notes == ()
    assert ours.people == 39


def test_the_difference_from_cir_is_a_last_digit():
    """Levobupivacaine: a place of cir's grid is 0.0605 but for its last digit, and moves a limit.

    Compared as computed, the lower limit changes with the unit of the doses; here it does not.
    """
    dose, responders, n = counts(LEVO)
    limits = [
        dose_for(dose * unit, responders, n, level=0.83, shrink_to=0.5).ci_low / unit
        for unit in (1.0, 7.3, 10.0, 100.0)
    ]
    np.testing.assert_allclose(limits, limits[0], rtol=1e-9)
    cir = CIR_83["levobupivacaine"][1]
    assert limits[0] == pytest.approx(cir, abs=0.04 * 0.01), "within 4% of a dose step"
    assert limits[0] != pytest.approx(cir, abs=UNIROOT)


def test_curve_agrees_with_cir():
    """Vignette BenHamou03, levoCurveCIR: shrinkage points and shares at the doses."""
    curve = centered_isotonic(*counts(LEVO), shrink_to=0.5)
    np.testing.assert_allclose(curve.dose, [0.05, 0.06, 0.07, 0.08928571, 0.11], atol=6e-9)
    np.testing.assert_allclose(
        curve.share, [0.1666667, 0.2777778, 0.5416667, 0.5659014, 0.7], atol=6e-8
    )
    assert curve.weight.tolist() == [2, 8, 11, 14, 4]
    np.testing.assert_allclose(
        curve.at([0.08, 0.09, 0.10]), [0.5542328, 0.5705255, 0.6352627], atol=6e-8
    )
    assert np.isnan(curve.at(0.12))


def test_dixon_mood_agrees_with_upndown(arm):
    """R upndown 0.4 dixonmood, as run for this project (design note, six digits)."""
    name, dose, responders, n = arm
    theirs = {"ropivacaine": 0.091316, "levobupivacaine": 0.077105}[name]
    found = dose_for(dose, responders, n, method="dixon-mood")
    assert found.estimate == pytest.approx(theirs, abs=6e-7)
    assert np.isnan(found.ci_low)


def test_dixon_mood_by_hand():
    # Responses are rarer: 4 at doses 2, 3, 3, 4; mean 3, half a step lower 2.5. Places 1, 2, 2, 3:
    # B / N = 18 / 4, A / N = 2, spread 0.5; s = 1.620 (0.5 + 0.029).
    table = ([1, 2, 3, 4], [0, 1, 2, 1], [2, 4, 3, 1])
    assert dose_for(*table, method="dixon-mood").estimate == 2.5
    ed95 = dose_for(*table, method="dixon-mood", target=0.95).estimate
    assert ed95 == pytest.approx(2.5 + 1.6448536269514722 * 1.620 * 0.529)
    # As many of each: those who did not respond, half a step higher.
    even = dose_for([1, 2, 3], [0, 1, 2], [2, 2, 2], method="dixon-mood")
    assert even.estimate == pytest.approx((1 + 1 + 2) / 3 + 0.5)


def test_dixon_mood_is_silent_where_its_formula_does_not_hold():
    close = dose_for([1, 2], [0, 2], [4, 3], method="dixon-mood", target=0.95)
    assert np.isnan(close.estimate)
    assert "does not hold" in close.notes[0]
    nobody = dose_for([1, 2], [0, 0], [4, 3], method="dixon-mood")
    assert np.isnan(nobody.estimate)
    with pytest.raises(ArgumentError, match="unequal steps"):
        dose_for([1, 2, 4], [0, 1, 2], [2, 2, 2], method="dixon-mood")


@pytest.mark.parametrize("level", [0.83, 0.9, 0.95])
def test_morris_limits_agree_with_r(arm, level):
    name, _, responders, n = arm
    theirs = next(m for m in REFERENCE["arms"][name]["morris"] if m["level"] == level)
    ours = morris_limits(np.array(responders, float), np.array(n, float), level=level)
    np.testing.assert_allclose(ours.low, theirs["low"], atol=1e-12)
    np.testing.assert_allclose(ours.high, theirs["high"], atol=1e-12)


def test_morris_limit_of_one_dose_is_clopper_pearsons():
    ours = morris_limits(np.array([3.0]), np.array([10.0]), level=0.95)
    assert ours.low[0] == pytest.approx(0.0667395, abs=1e-7)
    assert ours.high[0] == pytest.approx(0.6524529, abs=1e-7)


def pooled(share, n):
    """Adjacent violators pooled one pair at a time."""
    blocks = [[s, w, 1] for s, w in zip(share, n, strict=True)]
    i = 0
    while i < len(blocks) - 1:
        if blocks[i][0] > blocks[i + 1][0]:
            a, b = blocks[i], blocks.pop(i + 1)
            weight = a[1] + b[1]
            blocks[i] = [(a[0] * a[1] + b[0] * b[1]) / weight, weight, a[2] + b[2]]
            i = max(i - 1, 0)
        else:
            i += 1
    return [s for s, _, size in blocks for _ in range(size)]


def random_tables(seed, m=60, most=9):
    """Tables of eight doses, most of which had up to `most` people."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, most + 1, (m, 8)) * (rng.random((m, 8)) < 0.8)
    n[:, 0] = np.maximum(n[:, 0], 1)
    return np.floor(rng.random((m, 8)) * (n + 1)), n.astype(float)


def test_isotonic_is_pooling_adjacent_violators(seed=1):
    for r, n in zip(*random_tables(seed), strict=True):
        there = n > 0
        ours = isotonic(np.arange(8), r, n)
        np.testing.assert_allclose(ours.share, pooled(r[there] / n[there], n[there]), atol=1e-12)
        assert ours.share @ n[there] == pytest.approx(r.sum())
        again = isotonic_shares(ours.share, n[there])
        np.testing.assert_allclose(again, ours.share, atol=1e-12)


def test_centred_curve_rises_between_its_points_and_keeps_the_people(seed=2):
    for r, n in zip(*random_tables(seed), strict=True):
        dose = np.flatnonzero(n).astype(float)
        curve = centered_isotonic(np.arange(8), r, n)
        assert curve.weight.sum() == n.sum()
        assert (curve.dose[0], curve.dose[-1]) == (dose[0], dose[-1])
        share = curve.share[curve.weight > 0]
        inside = (share[:-1] > 0) & (share[:-1] < 1)
        assert (np.diff(share)[inside] > 0).all()
        assert (np.diff(curve.dose) > 0).all()
        assert curve.dose @ curve.weight == pytest.approx(dose @ n[n > 0])


@pytest.mark.parametrize("method", ["cir", "ir"])
def test_batch_is_one_table_at_a_time(method, seed=3):
    tables = random_tables(seed, m=30)
    ladder = np.arange(8.0)
    many = dose_for_many(ladder, *tables, target=0.5, method=method)
    for row, (r, n) in enumerate(zip(*tables, strict=True)):
        one = dose_for(ladder, r, n, method=method)
        np.testing.assert_allclose(one.estimate, many[row], atol=1e-12)


def test_dose_at_flat_stretches():
    # Flat at the target inside: the middle; at the top: its first dose; at the bottom: its last.
    assert dose_for([1, 2, 3, 4], [0, 1, 1, 2], [2, 2, 2, 2], method="ir").estimate == 2.5
    assert dose_for([1, 2, 3], [0, 1, 1], [2, 2, 2], method="ir").estimate == 2
    assert dose_for([1, 2, 3], [1, 1, 2], [2, 2, 2], method="ir").estimate == 2
    flat = dose_for([1, 2, 3], [1, 1, 1], [2, 2, 2], method="ir")
    assert np.isnan(flat.estimate)


def test_a_share_out_of_reach_has_no_dose():
    found = dose_for([1, 2, 3], [0, 1, 2], [3, 3, 3], target=0.95)
    assert np.isnan([found.estimate, found.ci_low, found.ci_high]).all()
    assert "0 to 0.667" in found.notes[0]


def test_one_dose_has_a_share_and_no_slope():
    curve = centered_isotonic([2.0], [1], [4])
    assert (curve.dose.tolist(), curve.share.tolist()) == ([2.0], [0.25])
    assert np.isnan(dose_limits(curve, 0.5, level=0.95, spacing=1.0)).all()
    assert np.isnan(dose_for([2.0], [1], [4]).estimate)


def test_limits_of_the_share_enclose_the_curve_and_rise(arm):
    _, dose, responders, n = arm
    curve = centered_isotonic(dose, responders, n, shrink_to=0.5)
    share = curve.share[curve.weight > 0]
    narrow, wide = share_limits(curve, 0.8), share_limits(curve, 0.99)
    for limits in (narrow, wide):
        assert (limits.low < share).all() and (share <= limits.high).all()
        assert (np.diff(limits.low) >= 0).all() and (np.diff(limits.high) >= 0).all()
    assert (wide.low < narrow.low).all() and (narrow.high <= wide.high).all()


def test_order_and_unit_of_doses_do_not_matter(arm):
    _, dose, responders, n = arm
    there = dose_for(dose, responders, n, shrink_to=0.5)
    back = dose_for(dose[::-1] * 100, responders[::-1], n[::-1], shrink_to=0.5)
    names = ("estimate", "ci_low", "ci_high")
    np.testing.assert_allclose(
        [getattr(back, f) for f in names], [100 * getattr(there, f) for f in names], rtol=1e-9
    )


def test_shrinkage_adds_one_person_at_the_target_and_spares_single_people():
    curve = isotonic([1, 2], [0, 1], [1, 3], shrink_to=0.5)
    assert curve.share.tolist() == [0.0, 1.5 / 4]


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


@pytest.mark.parametrize("link", ["probit", "logit"])
def test_fit_agrees_with_statsmodels(link):
    from statsmodels.genmod.families import Binomial, links
    from statsmodels.genmod.generalized_linear_model import GLM

    r, n = np.array([0, 0, 1, 2, 3, 3, 2, 1.0]), np.array([1, 2, 4, 5, 5, 4, 2, 1.0])
    family = Binomial(links.Probit() if link == "probit" else links.Logit())
    design = np.stack([np.ones(8), LADDER], axis=1)
    fit = GLM(np.stack([r, n - r], axis=1), design, family=family).fit(tol=1e-13, maxiter=100)
    ours = fit_models(LADDER, r[None], n[None], link=link)
    np.testing.assert_allclose([ours.intercept[0], ours.slope[0]], fit.params, rtol=1e-8)


@pytest.mark.parametrize("link", ["probit", "logit"])
@sizes("most", 2, 6)
def test_fit_is_a_maximum_or_there_is_none(link, most, seed=4):
    tables = random_tables(seed, m=200, most=most)
    fits = fit_models(LADDER, *tables, link=link)
    assert 0 < fits.is_separated.sum() < 180 or most > 2
    for i, (r, n) in enumerate(zip(*tables, strict=True)):
        if not fits.is_separated[i]:
            a, b, top = fits.intercept[i], fits.slope[i], fits.log_likelihood[i]
            for off_a, off_b in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)):
                eta = a + off_a + (b + off_b) * LADDER
                assert log_likelihood(link, eta, r, n) <= top + 1e-12
            continue
        failed, worked = LADDER[n > r], LADDER[r > 0]
        if failed.size and worked.size:
            # A curve through the gap gets steeper for ever: ten times as steep is no worse.
            up = failed.max() <= worked.min()
            cut, sign = (worked.min(), 1.0) if up else (worked.max(), -1.0)
            free = (n == 0) | (cut != LADDER)
            usual, steep = (
                log_likelihood(link, sign * s * (LADDER - cut), r * free, n * free)
                for s in (1.0, 10.0)
            )
            assert steep >= usual


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
@sizes("count", 14, 60)
def test_many_tables_are_one_at_a_time(link, count):
    trials = simulate_up_and_down(
        ndtr((LADDER - 4) / 1.2), people=25, start=3, trials=count, rng=np.random.default_rng(3)
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
    for i in range(count):
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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"method": "gam"}, r"method='gam' .*cir, ir, probit"),
        ({"ci_method": "delta"}, r"ci_method of cir='delta' .*morris-delta"),
        ({"target": 1.0}, r"target=1.0 .*between 0 and 1"),
        ({"target": 50}, r"target=50"),
        ({"level": 95}, r"level=95"),
        ({"shrink_to": 0}, r"shrink_to=0"),
        ({"method": "probit", "shrink_to": 0.5}, r"with cir or ir"),
        ({"log_dose": True}, r"with probit or logit"),
        ({"dose": [1, 1, 2]}, r"repeats a dose"),
        ({"dose": [1, 2]}, r"shape \(2,\)"),
        ({"dose": [1, np.nan, 2]}, r"dose holds NaN"),
        ({"responders": [0, 3, 1]}, r"responders\[1\]=3.0 of n\[1\]=2.0"),
        ({"responders": [0, 0.5, 1]}, r"whole numbers"),
        ({"n": [0, 0, 0], "responders": [0, 0, 0]}, r"n is 0 throughout"),
    ],
)
def test_bad_input_is_refused(change, says):
    given_ = {"dose": [1, 2, 3], "responders": [0, 1, 2], "n": [2, 2, 2]} | change
    with pytest.raises(ArgumentError, match=says):
        dose_for(given_.pop("dose"), given_.pop("responders"), given_.pop("n"), **given_)


globals().update(
    anew(
        test_isotonic_is_pooling_adjacent_violators,
        test_centred_curve_rises_between_its_points_and_keeps_the_people,
        test_batch_is_one_table_at_a_time,
        test_fit_is_a_maximum_or_there_is_none,
    )
)
