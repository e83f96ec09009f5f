"""Dependent effects: metafor and clubSandwich, plain matrix algebra, printed examples."""

import re

import numpy as np
import pytest
from scipy import linalg, optimize, stats

import ldn_meta as lm
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dependent import SENTENCES, SHARED_MEASURES
from ldn_meta.stats.effects import effect_size
from reference_values import reference
from stats.batteries import most_memory

PINNED = reference("dependent_reference")
FITS = {record["name"]: record for record in PINNED["fits"]}
# rma.mv stops when the likelihood, which is flat at its maximum, no longer moves: worst seen 2e-7
# of the larger variance, 6e-8 of a standard error, 4e-8 in the standard errors.
ITERATED = 1e-6
# Three trials with two, three and one effects, used where any data will do.
Y = np.array([0.1, 0.45, 0.2, 0.75, 0.6, -0.3])
V = np.array([0.04, 0.05, 0.03, 0.08, 0.02, 0.06])
TRIAL = ["a", "a", "b", "b", "b", "c"]


def blocks(v, cluster, rho=0.5):
    return lm.covariance_block(v, cluster=cluster, rho=rho)


@pytest.mark.parametrize("name", FITS)
def test_three_levels_and_cr2_equal_metafor_and_clubsandwich(name):
    r = FITS[name]
    v, unit = np.array(r["V"]), r["se_model"]
    ours = lm.pool_dependent(r["yi"], v, cluster=r["cluster"])
    model = lm.pool_dependent(r["yi"], v, cluster=r["cluster"], robust=False)
    spread = max(r["tau2_between"], r["tau2_within"])
    for field in ("tau2_between", "tau2_within"):
        assert getattr(ours, field) == pytest.approx(r[field], abs=ITERATED * spread)
    for field in ("estimate", "ci_low", "ci_high"):
        assert getattr(ours, field) == pytest.approx(r[field], abs=ITERATED * unit)
    for field in ("ci_low", "ci_high"):
        assert getattr(model, field) == pytest.approx(r[f"{field}_model"], abs=ITERATED * unit)
    for field in ("se", "df", "p_value"):
        assert getattr(ours, field) == pytest.approx(r[field], rel=ITERATED)
    assert model.se == ours.se_model == pytest.approx(r["se_model"], rel=ITERATED)
    assert model.df == r["df_model"]
    assert (ours.q, ours.q_pvalue) == pytest.approx((r["q"], r["q_pvalue"]), rel=1e-8)
    np.testing.assert_allclose(ours.weight_pct, r["weight"], atol=100 * ITERATED)


def test_the_pinned_grid_is_whole():
    assert set(FITS) == {
        "konstantopoulos2011",
        "berkey1998",
        "ishak2007",
        "assink2016",
        *(f"made_{i}" for i in range(1, 13)),
    }
    where = {(r["tau2_between"] > 0, r["tau2_within"] > 0) for r in FITS.values()}
    assert where == {(True, True), (False, True), (True, False)}
    assert min(r["df"] for r in FITS.values()) < 4 < max(r["df"] for r in FITS.values())
    assert PINNED["source"]["metafor"] and PINNED["source"]["clubSandwich"]


def test_school_calendars_of_konstantopoulos_2011():
    """Res Synth Methods 2:61, table 5: REML, three levels; four decimals of metafor's page."""
    r = FITS["konstantopoulos2011"]
    found = lm.pool_dependent(r["yi"], np.diag(r["V"]), cluster=r["cluster"], robust=False)
    assert (round(found.estimate, 4), round(found.se, 4)) == (0.1847, 0.0846)
    assert (round(found.tau2_between, 4), round(found.tau2_within, 4)) == (0.0651, 0.0327)
    assert round(found.q, 4) == 578.8640
    assert found.notes == (SENTENCES["independent"],)


def whole(v, cluster, between, within):
    """The covariance matrix of all effects."""
    same = np.equal.outer(np.array(cluster), np.array(cluster))
    return v + within * np.eye(len(v)) + between * same


def reml_deviance(y, phi):
    x, inverse = np.ones(len(y)), linalg.inv(phi)
    precision = x @ inverse @ x
    residual = y - x @ inverse @ y / precision
    return np.linalg.slogdet(phi)[1] + np.log(precision) + residual @ inverse @ residual


def cr2_by_matrices(y, phi, cluster):
    """Pustejovsky and Tipton 2018, eq. 6 to 11, with whole matrices and matrix square roots."""
    n, x, inverse = len(y), np.ones(len(y)), linalg.inv(phi)
    unit = 1 / (x @ inverse @ x)
    leave = np.eye(n) - np.outer(x, x) @ inverse * unit
    variance, parts = 0.0, []
    for label in sorted(set(cluster)):
        rows = np.flatnonzero(np.array(cluster) == label)
        own, upper = leave[rows], linalg.cholesky(phi[np.ix_(rows, rows)])
        middle = upper @ own @ phi @ own.T @ upper.T
        size, axes = linalg.eigh(middle)
        adjust = upper.T @ (axes / np.sqrt(size)) @ axes.T @ upper
        weight = unit * linalg.inv(phi[np.ix_(rows, rows)]) @ np.ones(len(rows))
        variance += (weight @ adjust @ own @ y) ** 2
        parts.append(linalg.cholesky(phi) @ own.T @ adjust @ weight)
    cross = np.array(parts) @ np.array(parts).T
    return variance, np.trace(cross) ** 2 / (cross**2).sum()


@pytest.mark.parametrize("rho", [-0.2, 0.0, 0.7])
def test_variances_and_cr2_by_matrix_algebra(rho):
    v = blocks(V, TRIAL, rho)
    found = lm.pool_dependent(Y, v, cluster=TRIAL)

    def deviance(at):
        return reml_deviance(Y, whole(v, TRIAL, *np.abs(at)))

    theirs = optimize.minimize(
        deviance, [0.05, 0.05], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}
    )
    ours = [found.tau2_between, found.tau2_within]
    assert deviance(ours) <= theirs.fun + 1e-12
    np.testing.assert_allclose(ours, np.abs(theirs.x), atol=1e-6)
    phi = whole(v, TRIAL, *ours)
    weight = linalg.inv(phi).sum(axis=0)
    variance, df = cr2_by_matrices(Y, phi, TRIAL)
    assert found.estimate == pytest.approx(weight @ Y / weight.sum(), rel=1e-10)
    assert found.se_model == pytest.approx(weight.sum() ** -0.5, rel=1e-10)
    assert (found.se, found.df) == pytest.approx((variance**0.5, df), rel=1e-8)
    np.testing.assert_allclose(found.weight_pct, 100 * weight / weight.sum(), rtol=1e-9)
    half = stats.t.ppf(0.975, df) * found.se
    assert (found.ci_low, found.ci_high) == pytest.approx(
        (found.estimate - half, found.estimate + half), rel=1e-8
    )
    new = stats.t.ppf(0.975, df) * (sum(ours) + variance) ** 0.5
    assert found.pi_high - found.estimate == pytest.approx(new, rel=1e-8)


def test_the_likelihood_is_highest_where_it_says():
    """No point of a fine grid is better, on sets made to be difficult."""
    draw = np.random.default_rng(7)
    axis = np.concatenate([[0.0], np.geomspace(1e-4, 30, 60)])
    for _ in range(25):
        sizes = draw.integers(1, 5, draw.integers(2, 6))
        cluster = np.repeat(np.arange(sizes.size), sizes)
        v = 10 ** draw.uniform(-3, 1, cluster.size)
        y = draw.standard_t(2, sizes.size)[cluster] + draw.standard_t(2, cluster.size) * v**0.5
        if sizes.max() == 1:
            continue
        matrix = blocks(v, cluster, rho=draw.choice([0.0, 0.4, 0.8]))
        found = lm.pool_dependent(y, matrix, cluster=cluster)
        at = whole(matrix, cluster, found.tau2_between, found.tau2_within)
        best = min(
            reml_deviance(y, whole(matrix, cluster, between, within))
            for between in axis[::3]
            for within in axis[::3]
        )
        assert reml_deviance(y, at) <= best + 1e-9


def test_one_effect_a_cluster_is_the_usual_pool():
    found = lm.pool_dependent(Y, V, cluster=range(6), robust=False)
    usual = lm.pool(Y, V, ci_method="wald")
    assert (found.estimate, found.se) == pytest.approx((usual.estimate, usual.se), rel=1e-8)
    assert found.tau2_between == pytest.approx(usual.tau2, rel=1e-8)
    assert (found.q, found.df) == pytest.approx((usual.q, 5))
    assert np.isnan(found.tau2_within) and SENTENCES["single"] in found.notes


def test_unit_origin_and_order_do_not_matter():
    v = blocks(V, TRIAL)
    one = lm.pool_dependent(Y, v, cluster=TRIAL)
    turn = np.array([5, 3, 0, 2, 4, 1])
    for factor, origin in ((1e-6, 0.0), (1e5, 0.0), (1.0, 50.0)):
        other = lm.pool_dependent(
            factor * Y[turn] + origin,
            factor**2 * v[np.ix_(turn, turn)],
            cluster=[TRIAL[i] for i in turn],
        )
        for name, power in (("se", 1), ("tau2_between", 2), ("tau2_within", 2), ("df", 0)):
            expected = factor**power * getattr(one, name)
            assert getattr(other, name) == pytest.approx(expected, rel=1e-7), name
        assert other.estimate == pytest.approx(factor * one.estimate + origin, rel=1e-9)


def test_variances_of_very_different_size_and_many_effects():
    """A diagonal matrix is what variances are, whatever their ratio; memory grows with k."""
    v = np.array([1e-9, 1.0, 1e-3, 1e3, 0.1, 1e-9])
    one = lm.pool_dependent(Y, v, cluster=TRIAL)
    two = lm.pool_dependent(Y, np.diag(v), cluster=TRIAL)
    assert (one.estimate, one.se, one.df) == (two.estimate, two.se, two.df)
    assert one.se_model == lm.pool_dependent(Y, v, cluster=TRIAL, robust=False).se
    most = most_memory(
        lambda: lm.pool_dependent(np.tile(Y, 500), np.tile(V, 500), cluster=np.arange(3000) // 3)
    )
    # A matrix of all effects alone would be 72 MB.
    assert most < 20e6


def test_what_is_not_defined_is_nan_with_a_note():
    nothing = lm.pool_dependent([np.nan], [0.1], cluster=["a"])
    assert np.isnan(nothing.estimate) and SENTENCES["none"] in nothing.notes
    one = lm.pool_dependent([0.1, 0.5], [0.04, 0.02], cluster=["a", "a"])
    assert np.isnan([one.tau2_between, one.pi_low]).all() and SENTENCES["one"] in one.notes
    assert one.ci_high - one.estimate == pytest.approx(stats.norm.ppf(0.975) * one.se)
    alone = lm.pool_dependent([0.1], [0.04], cluster=["a"])
    usual = lm.pool([0.1], [0.04])
    assert (alone.ci_low, alone.p_value) == pytest.approx((usual.ci_low, usual.p_value))
    agree = lm.pool_dependent([0.2] * 4, [0.04] * 4, cluster=[1, 1, 2, 3])
    assert agree.estimate == pytest.approx(0.2) and SENTENCES["agree"] in agree.notes
    assert np.isnan([agree.se, agree.ci_low, agree.p_value, agree.pi_low]).all()
    assert SENTENCES["few"] in lm.pool_dependent(Y, V, cluster=TRIAL).notes


def test_missing_effects_are_left_out_and_told():
    v = blocks(np.append(V, 0.05), [*TRIAL, "c"])
    v[6], v[:, 6] = np.nan, np.nan
    more = lm.pool_dependent(np.append(Y, 0.9), v, cluster=[*TRIAL, "c"])
    less = lm.pool_dependent(Y, v[:6, :6], cluster=TRIAL)
    assert (more.estimate, more.se, more.k) == (less.estimate, less.se, 6)
    assert more.notes == (SENTENCES["missing"], *less.notes)
    assert np.isnan(more.weight_pct[6]) and np.isnan(more.yi[6])


def test_the_record_shows_itself():
    found = lm.pool_dependent(Y, V, cluster=TRIAL, measure="SMD", labels=list("uvwxyz"))
    assert repr(found).startswith("DependentResult(SMD, k=6 in 3 clusters, ")
    assert "variance between clusters" in found._repr_html_()
    frame = found.to_frame()
    assert frame.loc[0, "tau2_between"] == found.tau2_between and len(frame) == 1
    trials = found.trials_frame()
    assert trials["cluster"].tolist() == TRIAL and trials["label"].tolist() == list("uvwxyz")
    assert trials["weight_pct"].sum() == pytest.approx(100)


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_shared_counts_of_gleser_and_olkin_2009(measure):
    """The Handbook of Research Synthesis, 2nd edition, table 19.1; V and the pool by metafor."""
    pinned = dict(PINNED["shared"])
    data = {k: v for k, v in pinned["data"].items() if k != "trial"}
    yi, vi = lm.shared_control(measure, trial=pinned["data"]["trial"], **data)
    theirs = pinned[measure]
    np.testing.assert_allclose(yi, theirs["yi"], rtol=1e-12)
    np.testing.assert_allclose(vi, theirs["V"], rtol=1e-12, atol=1e-18)
    weight = linalg.inv(vi).sum(axis=0)
    assert weight @ yi / weight.sum() == pytest.approx(theirs["fixed"], rel=1e-9)
    assert weight.sum() ** -0.5 == pytest.approx(theirs["fixed_se"], rel=1e-9)


def test_a_comparison_group_can_be_split():
    pinned = PINNED["shared"]
    data = {k: v for k, v in pinned["data"].items() if k != "trial"}
    yi, vi = lm.shared_control("OR", trial=pinned["data"]["trial"], method="split", **data)
    np.testing.assert_allclose(yi, pinned["split"]["yi"], rtol=1e-12)
    np.testing.assert_allclose(vi, np.diag(pinned["split"]["vi"]), rtol=1e-12)


@pytest.mark.parametrize("measure", ["SMD", "MD"])
def test_shared_means_equal_metafor(measure):
    pinned = PINNED["shared"]["means"]
    data = {k: v for k, v in pinned["data"].items() if k != "trial"}
    yi, vi = lm.shared_control(measure, trial=pinned["data"]["trial"], **data)
    np.testing.assert_allclose(yi, pinned[measure]["yi"], rtol=1e-12)
    np.testing.assert_allclose(vi, pinned[measure]["V"], rtol=1e-12)
    alone = {name: values[3] for name, values in data.items()}
    assert (yi[3], vi[3, 3]) == pytest.approx(tuple(effect_size(measure, **alone)), rel=1e-12)


@pytest.mark.parametrize("measure", SHARED_MEASURES)
def test_covariances_are_those_of_drawn_trials(measure):
    """Two arms and one comparison group, drawn 20,000 times: the matrix is what effects have."""
    draw, times, n = np.random.default_rng(11), 20_000, 200
    if measure in ("MD", "SMD", "ROM"):
        true = np.array([6.0, 5.5, 5.0])
        x = draw.normal(true, 1.5, (n, times, 3))
        mean, sd = x.mean(axis=0), x.std(axis=0, ddof=1)
        arms = {"mean": mean, "sd": sd, "n": np.full((times, 3), n)}
        exact = {"mean": true, "sd": np.full(3, 1.5), "n": np.full(3, n)}
    else:
        shares = np.array([0.5, 0.4, 0.3])
        events = draw.binomial(n, shares, (times, 3))
        arms = {"events": events, "n": np.full((times, 3), n)}
        exact = {"events": n * shares, "n": np.full(3, n)}

    def spread(of, trial):
        """Both arms against the last one, one comparison an entry."""
        data = {f"{name}_1": values[..., :2].ravel() for name, values in of.items()}
        data |= {f"{name}_2": np.repeat(values[..., 2], 2) for name, values in of.items()}
        return data | {"trial": trial}

    # The effects themselves, in whole: a matrix for 20,000 trials would be too large.
    if measure == "SMD":
        pooled = np.sqrt((arms["sd"] ** 2).mean(axis=1))
        y = (arms["mean"][:, :2] - arms["mean"][:, 2:]) / pooled[:, None]
    else:
        data = {k: v for k, v in spread(arms, None).items() if k != "trial"}
        y = effect_size(measure, **data).yi.reshape(times, 2)
    _, vi = lm.shared_control(measure, **spread(exact, [1, 1]))
    drawn = np.cov(y.T)
    np.testing.assert_allclose(vi, drawn, rtol=0.05)


def test_comparisons_with_missing_numbers_are_nan_and_do_not_count():
    data = {"mean_1": [1.0, 2.0, 3.0], "sd_1": [2.0, np.nan, 3.0], "n_1": [20, 30, 40]}
    data |= {"mean_2": 0.0, "sd_2": 2.5, "n_2": 25}
    yi, vi = lm.shared_control("SMD", trial=["a"] * 3, **data)
    kept = {k: np.delete(np.broadcast_to(v, 3), 1) for k, v in data.items()}
    two, of_two = lm.shared_control("SMD", trial=["a"] * 2, **kept)
    np.testing.assert_allclose(yi[[0, 2]], two)
    np.testing.assert_allclose(vi[np.ix_([0, 2], [0, 2])], of_two)
    assert np.isnan(yi[1]) and np.isnan(vi[1]).all() and np.isnan(vi[:, 1]).all()
    split = lm.shared_control("MD", trial=["a"] * 3, method="split", **data)
    assert split.vi[0, 0] == pytest.approx(4 / 20 + 2.5**2 / 12.5)


def test_zero_cells_leave_a_matrix_that_can_be_inverted():
    counts = {"events_1": [0, 4, 30], "n_1": 30, "events_2": [0, 0, 0], "n_2": 25}
    for measure in ("RR", "OR", "RD"):
        found = lm.shared_control(measure, trial=[1, 1, 1], **counts)
        assert linalg.eigvalsh(found.vi)[0] > 0
        assert "3 of 3: 0.5 was added" in found.notes[0]
        dropped = lm.shared_control(measure, trial=[1, 1, 1], double_zero="drop", **counts)
        assert np.isnan(dropped.yi).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rho", {"rho": 0.6}),
        ("outcomes_times", {"rho": 0.6, "phi": 0.8, "outcome": "outcome", "time": "time"}),
        ("times", {"phi": 0.8, "time": "times_at"}),
    ],
)
def test_blocks_equal_vcalc(name, options):
    pinned = PINNED["blocks"]
    chosen = {k: pinned[v] if isinstance(v, str) else v for k, v in options.items()}
    found = lm.covariance_block(pinned["vi"], cluster=pinned["study"], **chosen)
    np.testing.assert_allclose(found, pinned[name], rtol=1e-12)


def test_bivariate_block_of_berkey_1998():
    """The covariance that trial 1 prints is the one its correlation gives."""
    record = FITS["berkey1998"]
    printed = np.array(record["V"])
    r = printed[0, 1] / np.sqrt(printed[0, 0] * printed[1, 1])
    found = lm.covariance_block(printed.diagonal()[:2], cluster=[1, 1], rho=r)
    np.testing.assert_allclose(found, printed[:2, :2], rtol=1e-12)


def test_design_effect_of_the_cochrane_handbook():
    """Handbook 5.1, 16.3.5: 295 and 330 children in clusters of 29.8, ICC 0.02."""
    found = lm.design_effect([295, 330], 29.8, 0.02)
    assert round(found.factor[0], 3) == 1.576
    np.testing.assert_array_equal(found.effective_n.round(1), [187.2, 209.4])
    np.testing.assert_array_equal((np.array([63, 84]) / found.factor).round(1), [40.0, 53.3])
    # A mean of clusters: variance of the mean of n people, by the correlation of each pair.
    m, icc, clusters = 5, 0.3, 4
    one = np.full((m, m), icc) + (1 - icc) * np.eye(m)
    variance = one.sum() * clusters / (m * clusters) ** 2
    exact = lm.design_effect(m * clusters, m, icc)
    assert exact.factor / (m * clusters) == pytest.approx(variance)
    assert exact.se_factor == pytest.approx(exact.factor**0.5)
    # Unequal sizes add the square of their coefficient of variation: sum m^2 / sum m for M.
    sizes = np.array([2.0, 4.0, 9.0])
    unequal = lm.design_effect(15, sizes.mean(), icc, cv=sizes.std() / sizes.mean())
    assert unequal.factor == pytest.approx(1 + ((sizes**2).sum() / sizes.sum() - 1) * icc)


ARMS = {"mean_1": [1.0, 2.0], "sd_1": 1.0, "n_1": 10, "mean_2": 0.0, "sd_2": 1.0}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lm.pool_dependent(Y, V, cluster=TRIAL[:5]), "cluster has 5 entries; allowed: 6"),
        (lambda: lm.pool_dependent(Y, V, cluster="aabbbc"), "is no sequence"),
        (
            lambda: lm.pool_dependent(Y, V, cluster=[*TRIAL[:5], None]),
            "cluster[5] is missing",
        ),
        (
            lambda: lm.pool_dependent(Y, V, cluster=TRIAL, robust="no"),
            "robust='no' is not allowed",
        ),
        (lambda: lm.pool_dependent(Y, V, cluster=TRIAL, level=95), "level=95 is not allowed"),
        (
            lambda: lm.pool_dependent(Y, blocks(V, [1] * 6), cluster=TRIAL),
            "is between two clusters",
        ),
        (
            lambda: lm.pool_dependent(Y[:2], [[1, 0.2], [0.3, 1]], cluster=["a", "b"]),
            "vi[0, 1]=0.2 is no number or not the one across; allowed: a symmetric matrix",
        ),
        (
            lambda: lm.pool_dependent(Y[:2], [[1, 2], [2, 1]], cluster=[1, 1]),
            "vi is not positive definite for effects 0, 1",
        ),
        (lambda: lm.pool_dependent(Y[:2], np.ones((2, 3)), cluster=[1, 1]), "vi has shape (2, 3)"),
        (lambda: lm.pool_dependent(Y[:3], np.eye(2), cluster=[1, 1]), "allowed: equal shapes"),
        (lambda: lm.covariance_block(V, cluster=TRIAL), "rho is missing"),
        (lambda: lm.covariance_block(V, cluster=TRIAL, rho=0.5, phi=0.5), "time goes with phi"),
        (lambda: lm.covariance_block(V, cluster=TRIAL, rho=2), "rho: 2 is not allowed"),
        (lambda: lm.covariance_block(V, cluster=TRIAL, rho=[0.1, 0.2]), "allowed: one number"),
        (lambda: lm.pool_dependent(Y, V, cluster=TRIAL, level=10**400), "is not allowed"),
        (lambda: lm.covariance_block(V, cluster=TRIAL, rho=-0.9), "not positive definite"),
        (
            lambda: lm.covariance_block(V, cluster=TRIAL, phi=0.5, time=[1.0]),
            "time has shape (1,); allowed: (6,)",
        ),
        (lambda: lm.design_effect(10, 0.5, 0.1), "cluster_size: 0.5 is not allowed"),
        (lambda: lm.design_effect(10, 5, 1.5), "icc: 1.5 is not allowed"),
        (lambda: lm.shared_control("IRR", trial=[1]), "measure='IRR' is not known; allowed: MD"),
        (
            lambda: lm.shared_control("MD", trial=[1, 1], method="halve", n_2=10, **ARMS),
            "method='halve' is not known; allowed: covariance, split",
        ),
        (
            lambda: lm.shared_control("MD", trial=[1, 1], n_2=[10, 12], **ARMS),
            "n_2: 10 and 12 in trial '1'; allowed: one comparison group",
        ),
    ],
)
def test_refusals_name_argument_value_and_what_is_allowed(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
