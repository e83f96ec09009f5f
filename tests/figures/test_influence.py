"""Leave-one-out, Baujat, L'Abbe and bubble plots: what stands where, and what is said of it."""

import math

import numpy as np
import pytest

from builders import assert_legible, mark, marks, plain, says, slow, texts
from ldn_meta.display.figures.forest import ONE_TRIAL
from ldn_meta.display.figures.influence import (
    baujat_plot,
    bubble_plot,
    labbe_plot,
    leave_one_out_plot,
)
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.influence import influence
from ldn_meta.stats.pool import pool, pool_many
from ldn_meta.stats.rare_events import mantel_haenszel, peto
from ldn_meta.stats.regression import meta_regression

NAN = math.nan
Y, V = np.array([-0.5, 0.36, -0.7, 0.9, 0.2]), np.array([0.25, 0.04, 0.5, 0.09, 0.1])
NAMES = ["Ash 2001", "Birch 2002", "Cedar 2003", "Daisy 2004", "Elm 2005"]
LONG = "A trial whose label is far too long for one line of a table and must be broken "


def many(k):
    random = np.random.default_rng(k)
    v = random.uniform(0.02, 0.6, k)
    return random.normal(-0.3, np.sqrt(v + 0.05)), v, [f"{LONG}{1970 + i}" for i in range(k)]


def axis_y(figure, gid):
    """Value of an upright axis at a mark, from the straight line through its ticks."""
    ticks = sorted(name for name in marks(figure, "y-tick-"))
    labels = [float(says(figure, name).replace("\N{MINUS SIGN}", "-")) for name in ticks]
    # Words stand on their baseline, a little below the tick.
    places = [mark(figure, name).get_position()[1] - BASELINE for name in ticks]
    return np.polyval(np.polyfit(places, labels, 1), mark(figure, gid).get_ydata()[0])


BASELINE = 7.5 * (0.98 - 0.625)


# ---------------------------------------------------------------- leave-one-out


@pytest.mark.parametrize("options", [{}, {"tau2_method": "dl", "ci_method": "wald", "level": 0.9}])
def test_each_row_is_the_pool_of_the_others(options):
    result = pool(Y, V, measure="MD", labels=NAMES, **options)
    figure, _ = leave_one_out_plot(result, limits=(-9, 9))
    for i in range(5):
        rest = pool(np.delete(Y, i), np.delete(V, i), **options)
        assert says(figure, f"trial-{i}-label") == f"without {NAMES[i]}"
        at = mark(figure, f"trial-{i}").get_xdata()[0]
        assert at == pytest.approx(rest.estimate, rel=1e-5)
        ends = mark(figure, f"trial-{i}-interval").get_xdata()
        assert list(ends) == pytest.approx([rest.ci_low, rest.ci_high], rel=1e-5)
        assert says(figure, f"trial-{i}-cell-1") == f"{rest.i2_pct:.0f}%"
    assert mark(figure, "pooled-0").get_xy()[:4, 0].min() == pytest.approx(result.ci_low, rel=1e-5)
    assert f"({100 * result.level:g}% CI)" in plain(figure)


def test_ratios_without_a_trial_stand_on_a_log_axis():
    result = pool(Y, V, measure="RR", labels=NAMES)
    figure, axes = leave_one_out_plot(result, direction=("fewer", "more"))
    assert axes.get_xscale() == "log"
    assert "Values below 1: " in figure.alt
    rest = pool(Y[1:], V[1:])
    assert f"Without Ash 2001: {math.exp(rest.estimate):.2f} (" in figure.alt
    shift = max(abs(pool(np.delete(Y, i), np.delete(V, i)).estimate - pool(Y, V).estimate)
                for i in range(5))  # fmt: skip
    assert f"by a factor of {math.exp(shift):.2f}" in figure.alt


def test_it_is_said_which_trial_decides():
    sure = pool([0.5, 0.5, 0.5], [0.01, 0.01, 0.01], ci_method="wald", measure="MD")
    assert "no single trial decides" in leave_one_out_plot(sure)[0].alt
    y, v = [0.9, 0.1, 0.1], [0.02, 0.1, 0.1]
    one = pool(y, v, ci_method="wald", tau2_method="common", measure="MD", labels=list("abc"))
    assert one.ci_low > 0
    assert "without a the interval includes no effect." in leave_one_out_plot(one)[0].alt
    none = pool([0.5, 0.5, -0.9], [0.03] * 3, ci_method="wald", measure="MD", labels=list("abc"))
    assert none.ci_low < 0
    words = leave_one_out_plot(none)[0].alt
    assert "Leaving out c moves the estimate most" in words
    assert "without c the interval no longer includes no effect." in words


def test_a_missing_trial_has_no_row_and_two_trials_stand_alone():
    result = pool([0.1, NAN, 0.4], [0.1, 0.2, 0.3], measure="MD", labels=list("abc"))
    figure, _ = leave_one_out_plot(result)
    assert [t for t in texts(figure) if t.startswith("without")] == ["without a", "without c"]
    assert "the other stands alone" in plain(figure)
    assert "nan" not in plain(figure)
    figure, _ = leave_one_out_plot(pool([0.1], [0.1], measure="MD"))
    assert texts(figure) == [ONE_TRIAL]


# ---------------------------------------------------------------- Baujat


@pytest.mark.parametrize("method", ["common", "reml"])
def test_circles_stand_at_the_coordinates_of_influence(method):
    result = pool(Y, V, tau2_method=method, measure="MD", labels=NAMES)
    found = influence(Y, V, tau2_method=method)
    figure, _ = baujat_plot(result)
    for i in range(5):
        circle = mark(figure, f"trial-{i}")
        assert circle.get_xdata()[0] == pytest.approx(found.squared_residual[i], rel=1e-4)
        assert axis_y(figure, f"trial-{i}") == pytest.approx(
            found.squared_shift[i], abs=0.02 * found.squared_shift.max()
        )
    sizes = np.array([mark(figure, f"trial-{i}").get_markersize() for i in range(5)])
    share = result.weight_pct / result.weight_pct.max()
    assert sizes == pytest.approx(np.maximum(20 * np.sqrt(share), 5), rel=1e-4)
    far = NAMES[int(np.argmax(found.squared_residual))]
    assert f"Furthest from the pool: {far}." in figure.alt
    assert ("art in Q" in plain(figure)) == (method == "common")


def test_of_many_trials_those_that_matter_are_named():
    y, v, labels = many(40)
    figure, _ = baujat_plot(pool(y, v, measure="MD", labels=labels))
    assert len([n for n in marks(figure, "trial-") if n.count("-") == 1]) == 40
    assert len([n for n in marks(figure, "name-") if n.count("-") == 1]) == 12
    assert "Named: the 12 furthest" in plain(figure)
    assert_legible(figure)


def test_identical_trials_stand_in_the_corner():
    assert_legible(baujat_plot(pool([0.5] * 3, [0.1] * 3, measure="MD"))[0])


# ---------------------------------------------------------------- L'Abbe


A, N, C, M = [3, 9, 0, 12], [20, 30, 15, 40], [1, 9, 2, 20], [20, 30, 16, 40]


def test_shares_of_both_arms_are_the_coordinates():
    figure, _ = labbe_plot(A, N, C, M, arms=("drug", "placebo"), event="nausea")
    for i in range(4):
        assert mark(figure, f"trial-{i}").get_xdata()[0] == pytest.approx(100 * C[i] / M[i])
        at = axis_y(figure, f"trial-{i}")
        assert at == pytest.approx(100 * A[i] / N[i], abs=0.6)
    sides = "on drug in one trial, on placebo in two trials, the same share in one trial."
    assert f"More people with nausea {sides}" in figure.alt
    assert "trial 3: 0 of 15 (0%) against 2 of 16 (13%)." in figure.alt
    assert "pooled" not in figure.alt


@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "PETO"])
def test_the_curve_is_the_pooled_effect(measure):
    result = peto(A, N, C, M) if measure == "PETO" else mantel_haenszel(measure, A, N, C, M)
    figure, _ = labbe_plot(A, N, C, M, result=result)
    curve = mark(figure, "pooled")
    x, y = np.array(curve.get_xdata()) / 100, np.array(curve.get_ydata())
    top, bottom = mark(figure, "no-effect").get_ydata()[::-1]
    last = mark(figure, "no-effect").get_xdata()[1]
    share = (bottom - y) / (bottom - top) * last / 100
    inside = (x > 0.02) & np.isfinite(share) & (share > 0.02)
    pairs = share[inside] * 1e6, [1e6] * inside.sum(), x[inside] * 1e6, [1e6] * inside.sum()
    code = "OR" if measure == "PETO" else measure
    assert inside.sum() > 5
    np.testing.assert_allclose(effect_size(code, **dict(zip(
        ("events_1", "n_1", "events_2", "n_2"), pairs, strict=True
    ))).yi, result.estimate, rtol=2e-3, atol=1e-4)  # fmt: skip


def test_trials_without_counts_are_left_out_and_wrong_counts_refused():
    figure, _ = labbe_plot([3, NAN], [20, 30], [1, 9], [20, 30], labels=["A", "B"])
    assert not marks(figure, "trial-1")
    with pytest.raises(ArgumentError, match="events_1: 21 is above n_1 20"):
        labbe_plot([21], [20], [1], [20])
    with pytest.raises(ArgumentError, match=r"allowed: \(k,\)"):
        labbe_plot([[1]], [[20]], [[1]], [[20]])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_events_or_only_events_can_be_drawn(share):
    figure, _ = labbe_plot([20 * share] * 2, [20] * 2, [20 * share] * 2, [20] * 2)
    assert_legible(figure)


# ---------------------------------------------------------------- bubble


DOSE = np.array([1.0, 2.0, 3.0, 4.5, 5.0])


def test_line_and_limits_are_those_of_predict():
    result = meta_regression(Y, V, DOSE, names=["dose"])
    figure, _ = bubble_plot(result, measure="MD", labels=NAMES)
    fitted = result.predict([1.0, 5.0])
    line = mark(figure, "expected")
    assert line.get_xdata()[[0, -1]] == pytest.approx([1, 5])
    zero = mark(figure, "no-effect").get_ydata()[0]
    # Two trials give the scale: points from the top for each unit of effect.
    high, low = (mark(figure, f"trial-{i}").get_ydata()[0] for i in (3, 2))
    unit = (high - low) / (Y[3] - Y[2])
    found = (line.get_ydata()[[0, -1]] - zero) / unit
    assert found == pytest.approx(fitted.estimate, abs=1e-3)
    band = (mark(figure, "limits").get_xy()[:, 1] - zero) / unit
    assert band.max() <= fitted.ci_high.max() + 1e-3
    assert band[0] == pytest.approx(max(fitted.ci_low[0], band.min()), abs=1e-3)
    slope = result.coefficients[1]
    assert f"For each unit more of dose: change {slope:.3f} (" in figure.alt
    assert "exploratory only" in figure.alt
    assert "Ash 2001: 1, -0.50." in figure.alt


def test_ratios_by_a_covariate_stand_on_a_log_axis():
    result = meta_regression(Y, V, DOSE, names=["dose"])
    figure, _ = bubble_plot(result, measure="RR")
    assert "Risk ratio (log axis)" in plain(figure)
    assert f"times {math.exp(result.coefficients[1]):.3f} (" in figure.alt
    assert "trial 1: 1, 0.61." in figure.alt
    assert_legible(figure)


def test_shares_by_a_covariate_have_no_value_of_no_effect():
    result = meta_regression(Y - 4, V, DOSE, names=["dose"])
    figure, _ = bubble_plot(result, measure="plo", direction=("fewer", "more"))
    assert "log odds of the share of people by dose. For each unit" in figure.alt
    assert not marks(figure, "no-effect") and "fewer" not in plain(figure)
    assert says(figure, "y-label") == "Log odds of the share of people"
    assert_legible(figure)
    bubble_plot(result, measure="PLO", limits=(-7, -2))
    with pytest.raises(ArgumentError, match="measure='XX' is not known"):
        bubble_plot(result, measure="XX")


def test_other_covariates_are_held_at_their_mean():
    x = np.column_stack([DOSE, [2001.0, 2008, 2004, 2009, 2002]])
    result = meta_regression(Y, V, x, names=["dose", "year"], ci_method="wald")
    figure, _ = bubble_plot(result, covariate="dose", measure="MD")
    at = result.predict([1.0, x[:, 1].mean()])
    assert "Held at their mean: year." in figure.alt
    assert f"Expected {at.estimate[0]:.2f} (" in figure.alt
    own = meta_regression(Y, V, np.column_stack([np.ones(5), DOSE]), add_intercept=False)
    with pytest.raises(ArgumentError, match="constant"):
        bubble_plot(own, covariate="x1")


def test_without_a_spread_there_are_no_prediction_limits():
    figure, _ = bubble_plot(meta_regression(Y, V, DOSE, tau2_method="common"), measure="MD")
    assert not marks(figure, "prediction")
    assert "prediction" not in plain(figure)


def test_a_line_beyond_the_axis_is_not_in_the_legend():
    result = meta_regression([0.2, -1.5, -2.4, 0.9, -0.5], V, DOSE, names=["dose"])
    high = result.predict([3.0]).pi_high[0]
    wide, tight, one = (
        bubble_plot(result, measure="MD", limits=limits)[0]
        for limits in ((-30, 30), (-2.5, 1), (-2.5, high + 1))
    )
    words = "95% prediction limits of a new trial"
    for figure in (wide, one):
        assert plain(figure).count(words) == 1 and "Beyond the axis" not in plain(figure)
    assert plain(tight).count(words) == 1 and f"Beyond the axis: {words}." in plain(tight)
    assert len(marks(tight, "legend-")) < len(marks(wide, "legend-"))
    assert_legible(tight)


@pytest.mark.parametrize("plot", [leave_one_out_plot, baujat_plot])
def test_a_batch_is_refused(plot):
    with pytest.raises(ArgumentError, match="batch"):
        plot(pool_many(np.ones((2, 3)), np.ones((2, 3))))
    with pytest.raises(ArgumentError, match="batch"):
        bubble_plot(meta_regression(np.ones((2, 5)), np.ones((2, 5)), np.arange(5.0)))


@pytest.mark.parametrize("plot", [leave_one_out_plot, baujat_plot, bubble_plot])
@pytest.mark.parametrize("result", [None, 3, mantel_haenszel("RR", [1], [9], [2], [9])])
def test_another_record_is_refused_by_its_type(plot, result):
    with pytest.raises(ArgumentError, match=f"result has type {type(result).__name__}; allowed"):
        plot(result)
    with pytest.raises(ArgumentError, match="the measure of result=None is not known"):
        labbe_plot(A, N, C, M, result=3)


@pytest.mark.parametrize("k", [3, slow(40)])
def test_long_names_can_be_read(k):
    y, v, labels = many(k)
    one = pool(y, v, measure="MD", labels=labels)
    x = np.random.default_rng(1).uniform(1, 5, k)
    figures = [leave_one_out_plot(one)[0], baujat_plot(one)[0]]
    figures.append(bubble_plot(meta_regression(y, v, x), labels=labels, measure="MD")[0])
    random = np.random.default_rng(k)
    n = random.integers(8, 200, k)
    events = random.binomial(n, 0.3), n, random.binomial(n, 0.2), n
    figures.append(labbe_plot(*events, labels=labels)[0])
    for figure in figures:
        assert_legible(figure)
