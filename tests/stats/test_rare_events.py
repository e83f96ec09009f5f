"""Pools of counts: R's metafor and lme4, published pools, definitions, what is refused."""

import pickle
import re
from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from ldn_meta.errors import ArgumentError, ConvergenceError
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.rare_events import (
    QUADRATURE_POINTS,
    TAU_GRID,
    Binomial,
    derivatives,
    glmm_proportion,
    glmm_two_arm,
    log_likelihood,
    mantel_haenszel,
    peto,
)
from reference_values import numbers_of, reference, relative_difference
from stats.batteries import sizes

NAMES = ("events_1", "n_1", "events_2", "n_2")
SAME = ("estimate", "se", "statistic", "p_value", "ci_low", "ci_high", "q", "q_pvalue")
OURS_TO_R = {name: name for name in (*SAME, "k", "k_informative")} | {"i2_pct": "i2"}
EDGES = reference("effects_reference")["pools"]
# metafor prints a standard error of 0 and an interval of no width where every trial has the same
# empty row; and Q = 0 with p = 1 where no trial can be compared with the pool. Ours are NaN.
NO_WIDTH = {("no_events", "RD"), ("all_events", "RR"), ("all_events", "RD")}
NO_Q = NO_WIDTH | {
    ("no_events", "RR"),
    ("no_events", "OR"),
    ("all_events", "OR"),
    ("one_trial_zero", "RR"),
    ("one_trial_zero", "OR"),
}


each_measure = pytest.mark.parametrize("measure", ["RR", "OR", "RD", "PETO"])


def pooled(measure, tables, level=0.95):
    if measure == "PETO":
        return peto(*tables, level=level)
    return mantel_haenszel(measure, *tables, level=level)


def tables_of(record):
    return [numbers_of(record[name]) for name in NAMES]


@pytest.mark.parametrize(
    "record", reference("metafor_reference")["two_by_two"], ids=lambda r: r["name"]
)
@each_measure
def test_pools_equal_metafor(record, measure):
    found = pooled(measure, tables_of(record))
    theirs = record["peto"] if measure == "PETO" else record["mantel_haenszel"][measure]
    for name, value in theirs.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-8), name


@pytest.mark.parametrize("record", EDGES, ids=lambda r: r["name"])
@each_measure
def test_edge_cases_equal_metafor_or_are_nan_with_a_note(record, measure):
    found = pooled(measure, tables_of(record), record["level"])
    theirs = record["pools"].get(measure)
    if theirs is None:  # rma.peto stops with an error
        assert np.isnan(found.estimate)
        assert any("undefined" in note for note in found.notes)
        return
    for ours, name in OURS_TO_R.items():
        key = (record["name"], measure)
        if (ours in ("se", "ci_low", "ci_high") and key in NO_WIDTH) or (
            ours in ("q", "q_pvalue", "i2_pct") and key in NO_Q
        ):
            assert np.isnan(getattr(found, ours))
            assert len(found.notes) >= 2
            continue
        expected = np.nan if theirs[name] is None else theirs[name]
        assert relative_difference(getattr(found, ours), expected) < 1e-8 or (
            # Q and I2 of metafor below rounding
            abs(expected) < 1e-12 and abs(getattr(found, ours)) < 1e-12
        ), ours


def test_the_grid_is_complete():
    names = {record["name"] for record in EDGES}
    assert {"no_events", "all_events", "none_in_group_1", "one_trial", "mixed"} <= names
    assert all(set(record["pools"]) >= {"RR", "OR", "RD"} for record in EDGES)
    assert {(record["name"], m) for record in EDGES for m in record["pools"]} >= NO_Q


def test_yusuf_1985_by_petos_own_method():
    """Yusuf 1985, Prog Cardiovasc Dis 27:335, table 6: OR 0.9332 (0.7385 to 1.1792)."""
    record = next(record for record in EDGES if record["name"] == "yusuf1985")
    found = peto(*tables_of(record))
    shown = np.exp([found.estimate, found.ci_low, found.ci_high]).round(4)
    assert shown.tolist() == [0.9332, 0.7385, 1.1792]
    assert found.k < len(record["events_1"])


def test_mantel_haenszel_odds_ratio_against_scipy_and_statsmodels():
    from statsmodels.stats.contingency_tables import StratifiedTable

    record = reference("metafor_reference")["two_by_two"][0]
    a, n1, c, n2 = tables_of(record)
    cells = np.array([[a, n1 - a], [c, n2 - c]])
    table = StratifiedTable(cells)
    found = mantel_haenszel("OR", a, n1, c, n2)
    assert found.estimate == pytest.approx(table.logodds_pooled, rel=1e-10)
    assert found.se == pytest.approx(table.logodds_pooled_se, rel=1e-10)
    assert mantel_haenszel("RR", a, n1, c, n2).estimate == pytest.approx(
        np.log(table.riskratio_pooled), rel=1e-10
    )
    assert found.q_pvalue == pytest.approx(stats.chi2.sf(found.q, 12), rel=1e-10)


@each_measure
def test_one_trial_is_that_trial(measure):
    found = pooled(measure, ([3], [20], [5], [25]))
    alone = effect_size(measure, events_1=3, n_1=20, events_2=5, n_2=25)
    assert found.estimate == pytest.approx(alone.yi)
    if measure in ("RR", "OR", "PETO"):
        assert found.se**2 == pytest.approx(alone.vi)
    assert (found.k, found.q, found.q_df, found.q_pvalue, found.i2_pct) == (1, 0, 0, 1, 0)
    assert found.weight_pct.tolist() == [100]
    assert "There is one trial, so nothing was pooled." in found.notes


@each_measure
def test_a_batch_equals_its_sets_one_by_one(measure):
    rng = np.random.default_rng(5)
    n_1, n_2 = rng.integers(5, 60, (2, 20, 6))
    a, c = rng.binomial(n_1, 0.08).astype(float), rng.binomial(n_2, 0.1)
    a[rng.random(a.shape) < 0.3] = np.nan
    a[3] = np.nan
    batch = pooled(measure, (a, n_1, c, n_2))
    for row in range(20):
        present = np.isfinite(a[row])
        one = pooled(measure, [cell[row][present] for cell in (a, n_1, c, n_2)])
        for name in OURS_TO_R:
            value = np.asarray(getattr(batch, name))[row]
            np.testing.assert_allclose(value, getattr(one, name), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(batch.weight_pct[row][present], one.weight_pct)
    assert batch.k[3] == 0
    assert "No trial has complete counts, so nothing was pooled." in batch.notes


def test_trials_without_events_change_no_ratio_and_are_announced():
    few = ([3, 2], [20, 30], [5, 6], [25, 30])
    more = ([3, 2, 0, 0], [20, 30, 40, 9], [5, 6, 0, 0], [25, 30, 40, 11])
    for measure in ("RR", "OR", "PETO"):
        one, two = pooled(measure, few), pooled(measure, more)
        for name in ("estimate", "se", "q", "q_df"):
            assert getattr(two, name) == pytest.approx(getattr(one, name)), name
        assert "Trials without any event (2) carry no weight and are left out of Q." in two.notes
    one, two = pooled("RD", few), pooled("RD", more)
    assert abs(two.estimate) < abs(one.estimate)
    assert (
        "Trials without any event (2) count as no difference and are left out of Q." in two.notes
    )


def test_the_record_is_frozen_equal_by_value_and_pickles():
    found = mantel_haenszel("RR", [3, np.nan], [20, 30], [5, 6], [25, 30])
    assert pickle.loads(pickle.dumps(found)) == found
    assert found != mantel_haenszel("RR", [4, np.nan], [20, 30], [5, 6], [25, 30])
    assert found != 1
    assert repr(found).startswith(
        "RareEventsResult(mantel-haenszel, RR, k=1, log risk ratio -0.2877 [95% CI -1.593"
    )
    batch = peto([[1, 2]] * 3, 9, 2, 9)
    assert repr(batch) == "RareEventsResult(peto, PETO, batch of shape (3,))"
    assert (found.method, found.measure, found.level) == ("mantel-haenszel", "RR", 0.95)
    with pytest.raises(AttributeError):
        found.estimate = 0
    with pytest.raises(ValueError, match="read-only"):
        found.weight_pct[0] = 0
    with pytest.raises(TypeError, match="unhashable"):
        hash(found)


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
    return derivatives(*point, result.events, Binomial(result.n))


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
        np.asarray(theirs["estimate"]),
        np.asarray(theirs["tau2"] ** 0.5),
        found.events,
        Binomial(found.n),
    )
    assert found.log_likelihood > there
    gradient_there, _ = derivatives(
        np.asarray(theirs["estimate"]),
        np.asarray(theirs["tau2"] ** 0.5),
        found.events,
        Binomial(found.n),
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


@sizes(("sets", "wide"), (30, 15), (60, 41))
def test_the_maximum_is_global_in_a_random_battery(sets, wide):
    rng = np.random.default_rng(7)
    tau = np.concatenate([[0], np.geomspace(0.005, 12, sets)])
    for _ in range(sets):
        n = rng.integers(5, 200, rng.integers(2, 9))
        events = rng.binomial(n, expit(rng.normal(-1, rng.choice([0.1, 1, 2]), len(n))))
        if events.sum() in (0, n.sum()):
            continue
        found = glmm_proportion(events, n)
        mu = found.estimate + np.linspace(-1.5, 1.5, wide)[:, np.newaxis]
        around = log_likelihood(
            mu + 0 * tau, tau + 0 * mu, events.astype(float), Binomial(n.astype(float))
        )
        assert around.max() <= found.log_likelihood + 1e-9, (events, n)


def test_no_spread_is_a_common_fit_and_says_so():
    found = glmm_proportion([3, 3, 3], [10, 10, 10])
    assert found.tau2 == 0
    assert found.estimate == pytest.approx(np.log(9 / 21))
    assert found.se == pytest.approx(np.sqrt(1 / 9 + 1 / 21))
    assert found.notes == ("The likelihood is largest at tau2 = 0: a common-effect fit.",)
    assert (found.lr_statistic, found.lr_df, found.lr_pvalue) == (0, 2, 1)


def test_one_group_alone_is_that_trial():
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
        "GlmmResult(PLO, k=14, log odds of the share of people 1.377 [95% CI 0.8114, 1.942], "
        "share of people 0.7984 [0.6924, 0.8746], tau2=0.5893, logit-normal ML, 7 points)"
    )


def test_missing_trials_are_dropped_and_the_level_is_used():
    one = glmm_proportion([3, 20, 9], [10, 40, 44], level=0.9)
    two = glmm_proportion([3, np.nan, 20, 9], [10, 5, 40, 44], level=0.9)
    assert two.notes == (*one.notes, "Trials without complete counts (NaN) were left out (1).")
    assert one.transformed() == two.transformed() and one.tau2 == two.tau2
    assert np.isnan(two.yi).tolist() == [False, True, False, False]
    assert one.ci_high - one.estimate == pytest.approx(stats.norm.ppf(0.95) * one.se)
    assert one.p_value == pytest.approx(2 * stats.norm.sf(abs(one.statistic)))


def test_pools_of_tables_say_what_they_left_out():
    note = "Trials without complete counts (NaN) were left out (1)."
    counts = [1, np.nan, 2], [10] * 3, [2, 3, 4], [10] * 3
    masked = np.ma.array([1, 9, 2], mask=[0, 1, 0]), *counts[1:]
    for call in (peto, partial(mantel_haenszel, "RR")):
        assert note in call(*counts).notes
        assert call(*masked) == call(*counts)
        assert call(*counts).k == 2


def test_a_likelihood_without_a_maximum_is_an_error_with_advice():
    with pytest.raises(ConvergenceError, match=r"\d+ Newton iterations, last step .* pool"):
        glmm_proportion([0, 1000], [1000, 1000])
    assert TAU_GRID[0] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mantel_haenszel("hr", 1, 2, 1, 2), "measure='hr' is not known; allowed: RR, OR"),
        (lambda: mantel_haenszel("RR", 3, 2, 1, 2), "events_1: 3 is above n_1 2"),
        (lambda: peto(1, 2, 1, 0), "n_2: 0 is not allowed"),
        (lambda: peto(1, 2, 1, 2, level=95), "level=95 is not allowed"),
        (lambda: peto([1, 2], [3, 3], [1, 1, 1], [3, 3, 3]), "shapes do not broadcast together"),
        (lambda: glmm_proportion([3], [2]), "events: 3 is above n 2"),
        (lambda: glmm_proportion([[3]], [[5]]), "events: shape (1, 1) is not allowed"),
        (lambda: glmm_proportion([3], [5], level=0), "level=0 is not allowed"),
        (lambda: glmm_proportion(["3"], [5]), "events: ['3'] has type"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


TWO_ARM = {
    name: one for name, one in reference("rare_events_reference")["sets"].items() if "own" in one
}


def cells(one):
    return [np.array(one[name], dtype=float) for name in NAMES]


def exact_two_arm(mu, tau, a, n_1, c, n_2):
    """Fisher's noncentral distribution by scipy, 180 Gauss-Hermite points a trial."""
    nodes, weights = np.polynomial.hermite.hermgauss(180)
    odds = np.exp(mu + tau * np.sqrt(2) * nodes)
    total = 0.0
    for trial in zip(a, n_1, c, n_2, strict=True):
        x, one, y, two = map(int, trial)
        if 0 < x + y < one + two:
            mass = stats.nchypergeom_fisher.pmf(x, one + two, one, x + y, odds)
            total += np.log(mass @ weights / np.sqrt(np.pi))
    return total


@pytest.mark.parametrize("name", TWO_ARM)
def test_two_arm_fits_equal_a_likelihood_maximised_in_r(name):
    """R: integrate() and optim() on the same model, without metafor."""
    one = TWO_ARM[name]
    found = glmm_two_arm(*cells(one))
    assert found.log_likelihood == pytest.approx(one["own"]["log_likelihood"], abs=1e-9)
    assert found.estimate == pytest.approx(one["own"]["estimate"], abs=2e-6)
    assert found.tau2 == pytest.approx(one["own"]["tau2"], abs=5e-6)
    exact = exact_two_arm(found.estimate, found.tau2**0.5, *cells(one))
    assert found.log_likelihood == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("name", ["spread", "nielweise"])
def test_two_arm_fits_equal_metafors_conditional_model(name):
    """Two of five converge there; their likelihood is not above ours, their SE is differences."""
    one = TWO_ARM[name]
    found, theirs = glmm_two_arm(*cells(one)), one["metafor"]
    assert found.estimate == pytest.approx(theirs["estimate"], abs=1e-6)
    assert found.tau2 == pytest.approx(theirs["tau2"], abs=5e-6)
    assert found.se == pytest.approx(theirs["se"], rel=5e-4)
    assert found.log_likelihood > theirs["log_likelihood"] - 1e-10
    assert found.lr_statistic == pytest.approx(theirs["lr_statistic"], rel=1e-9)
    assert found.lr_df == theirs["lr_df"] == found.k - 1


def test_the_two_arm_se_is_the_curvature_of_the_exact_likelihood():
    one = cells(TWO_ARM["spread"])
    found = glmm_two_arm(*one)
    mu, tau, h = found.estimate, found.tau2**0.5, 2e-3
    at = {
        (i, j): exact_two_arm(mu + i * h, tau + j * h, *one)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    }
    on_mu = (at[1, 0] - 2 * at[0, 0] + at[-1, 0]) / h**2
    on_tau = (at[0, 1] - 2 * at[0, 0] + at[0, -1]) / h**2
    both = (at[1, 1] - at[1, -1] - at[-1, 1] + at[-1, -1]) / (4 * h**2)
    assert found.se == pytest.approx((-on_tau / (on_mu * on_tau - both**2)) ** 0.5, rel=1e-4)


def test_nielweise_as_published():
    """Stijnen 2010, page 3052, table III, conditional model, as metafor's own tests quote it."""
    found = glmm_two_arm(*cells(TWO_ARM["nielweise"]))
    assert (round(found.estimate, 3), round(found.se, 3)) == (-1.353, 0.351)
    assert round(found.tau2**0.5, 2) == 0.83
    assert np.round(np.exp([found.ci_low, found.ci_high]), 2).tolist() == [0.13, 0.51]
    assert (found.k, found.measure, found.events.shape) == (17, "OR", (2, 17))
    assert repr(found) == (
        "GlmmResult(OR, k=17, log odds ratio -1.353 [95% CI -2.041, -0.6651], odds ratio 0.2584 "
        "[0.1299, 0.5142], tau2=0.6935, hypergeometric-normal ML, 31 points)"
    )


def test_turning_the_arms_turns_the_sign_and_empty_trials_change_nothing():
    a, n_1, c, n_2 = cells(TWO_ARM["spread"])
    found, turned = glmm_two_arm(a, n_1, c, n_2), glmm_two_arm(c, n_2, a, n_1)
    assert turned.estimate == pytest.approx(-found.estimate, abs=1e-8)
    assert (turned.se, turned.tau2) == pytest.approx((found.se, found.tau2), rel=1e-6)
    more = [
        np.append(row, new)
        for row, new in zip(
            (a, n_1, c, n_2), ([0, np.nan], [30, 9], [0, 1], [700, 9]), strict=True
        )
    ]
    other = glmm_two_arm(*more)
    assert (other.estimate, other.se) == (found.estimate, found.se)
    assert "left out (1)" in other.notes[0]
    assert "(1), tell nothing" in other.notes[1]


def test_one_table_has_the_conditional_estimate_of_fishers_test():
    """The mean of Fisher's noncentral distribution there is what was seen, by scipy."""
    found = glmm_two_arm(3, 10, 8, 10)
    mean = stats.nchypergeom_fisher.mean(20, 10, 11, np.exp(found.estimate))
    assert mean == pytest.approx(3, abs=1e-9)
    assert np.isnan(found.tau2)
    assert "one trial" in found.notes[0]


@pytest.mark.parametrize(
    ("tables", "note"),
    [
        (([0, 0], [20, 30], [2, 1], [20, 31]), "in one arm of every trial"),
        (([2, 3], [2, 3], [0, 1], [4, 5]), "in one arm of every trial"),
        (([0, 5], [20, 5], [0, 4], [20, 4]), "No trial has both an event and a non-event"),
        (([np.nan], [20], [1], [20]), "No trial has both"),
    ],
)
def test_infinite_log_odds_ratios_are_nan_with_a_note(tables, note):
    found = glmm_two_arm(*tables)
    assert np.isnan([found.estimate, found.se, found.tau2, found.p_value, found.lr_pvalue]).all()
    assert any(note in one for one in found.notes)


def test_refusals_of_the_two_arm_model():
    with pytest.raises(ArgumentError, match="events_1: 3 is above n_1 2"):
        glmm_two_arm(3, 2, 1, 2)
    with pytest.raises(ArgumentError, match=re.escape("shape (1, 2) is not allowed")):
        glmm_two_arm([[1, 2]], 5, 2, 5)
    with pytest.raises(ConvergenceError, match=r"glmm_two_arm: no maximum .* mantel_haenszel"):
        glmm_two_arm([0, 40], [40, 40], [40, 0], [40, 40])


READ = reference("labels_reference")


def test_counts_are_read_as_metafor_reads_them():
    *counts, mh, peto_ = READ["counts"].values()
    labels = [f"t{i}" for i in range(len(counts[0]))]
    for ours, theirs in (
        (mantel_haenszel("RR", *counts, labels=labels), mh),
        (peto(*counts, labels=labels), peto_),
    ):
        known = ours.transformed()
        for name in ("estimate", "ci_low", "ci_high"):
            assert getattr(known, name) == pytest.approx(theirs[name], rel=1e-10)
        assert np.isnan(known.pi_low)
        frame = ours.to_frame()
        assert frame.loc[0, "transformed_estimate"] == known.estimate
        assert frame.loc[0, "k"] == len(labels)
        trials = ours.trials_frame()
        assert trials["label"].tolist() == labels
        assert trials["weight_pct"].sum() == pytest.approx(100)
        assert "Mantel-Haenszel" in ours._repr_html_() or "Peto" in ours.summary()
    batch = peto([[1, 2]] * 3, 9, 2, 9)
    assert len(batch.to_frame()) == 3 and "<td>" in batch._repr_html_()


def test_the_glmm_predicts_as_metafor():
    ours = glmm_proportion(READ["glmm"]["events"], READ["glmm"]["n"])
    for name, value in READ["glmm"]["log_scale"].items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-4), name
    for name, value in READ["glmm"]["share"].items():
        assert getattr(ours.transformed(), name) == pytest.approx(value, rel=1e-4), name
    assert ours.to_frame().loc[0, "transformed_pi_low"] == ours.transformed().pi_low
    assert "share of people (95% CI)" in ours._repr_html_()


def test_effects_of_trials_are_those_that_count():
    found = mantel_haenszel("OR", [0, 3, 0, np.nan], [5, 9, 5, 9], [0, 1, 2, 1], [5, 9, 5, 9])
    assert np.isnan(found.yi).tolist() == [True, False, False, True]
    # Nobody in either arm is a difference of none.
    found = mantel_haenszel("RD", [0, 3], [5, 9], [0, 1], [5, 9])
    assert found.yi[0] == 0
