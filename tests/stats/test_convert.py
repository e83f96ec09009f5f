"""From print to an effect: published examples, scipy, round trips, what is refused."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import integrate, stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats import convert as c
from ldn_meta.stats.effects import effect_size
from reference_values import reference
from stats.batteries import anew

SEED, M = 20261130, 300


def drawn(seed):
    """What papers print and what they leave out, M of each."""
    rng = np.random.default_rng(seed)
    se, other_se = 10 ** rng.uniform(-3, 1.7, (2, M))
    return SimpleNamespace(
        rng=rng,
        estimate=rng.choice([-1, 1], M) * 10 ** rng.uniform(-3, 1.7, M),
        se=se,
        other_se=other_se,
        df=np.where(rng.random(M) < 0.3, np.inf, rng.integers(1, 501, M)),
        level=rng.choice([0.8, 0.9, 0.95, 0.99], M),
        n=rng.integers(2, 501, M),
        r=np.append([-1, 0, 1], rng.uniform(-1, 1, M - 3)),
    )


def test_log_ratio_from_ci_of_the_metafor_example():
    """metafor's conv.wald: OR 1.37 [1.03, 1.82]; R metafor 5.1-12, PEERS.md section 4."""
    log_or, se = c.log_ratio_from_ci(1.37, 1.03, 1.82)
    assert log_or == pytest.approx(0.314811, abs=5e-7)
    assert se**2 == pytest.approx(0.0210908, abs=5e-8)
    assert c.se_from_p(log_or, 0.03) ** 2 == pytest.approx(0.0210447, abs=5e-8)


@pytest.mark.parametrize("distribution", ["logistic", "normal"])
def test_smd_and_log_odds_ratio_equal_metafor(distribution):
    odds, smds = (reference("dependent_reference")[name] for name in ("odds", "smds"))
    to_smd = c.smd_from_log_odds_ratio(*odds["log_or"].values(), distribution=distribution)
    to_odds = c.log_odds_ratio_from_smd(*smds["smd"].values(), distribution=distribution)
    for ours, theirs in ((to_smd, odds[distribution]), (to_odds, smds[distribution])):
        np.testing.assert_allclose(ours, [theirs["yi"], theirs["vi"]], rtol=1e-12)
    back = c.smd_from_log_odds_ratio(*to_odds, distribution=distribution)
    np.testing.assert_allclose(back, list(smds["smd"].values()), rtol=1e-12)


def test_smd_becomes_the_log_odds_ratio_of_two_logistic_groups():
    """Chinn 2000: any cut of logistic outcomes of SD 1, d apart, has odds ratio exp(1.81 d)."""
    d, scale = 0.5, 3**0.5 / np.pi
    for cut in (-1.0, 0.2, 2.0):
        above = stats.logistic.logsf(cut, [d, 0], scale) - stats.logistic.logcdf(
            cut, [d, 0], scale
        )
        assert c.log_odds_ratio_from_smd(d, 0.1).yi == pytest.approx(above[0] - above[1])


def test_log_hazard_ratio_is_petos():
    """One table is a log-rank test with one time: metafor's rma.peto and PETO from O - E and V."""
    a, n_1, b, n_2 = 5, 40, 9, 42
    total, events = n_1 + n_2, a + b
    score = a - n_1 * events / total
    variance = n_1 * n_2 * events * (total - events) / (total**2 * (total - 1))
    found = c.log_hazard_ratio_from_score([score, 1.0], [variance, 0.0])
    one = effect_size("PETO", events_1=a, n_1=n_1, events_2=b, n_2=n_2)
    assert (found.yi[0], found.vi[0]) == pytest.approx(tuple(one), rel=1e-13)
    assert np.isnan([found.yi[1], found.vi[1]]).all()


def test_se_from_ci_and_p_of_the_cochrane_handbook():
    """Version 6, 6.3.1: RD 0.03, P = 0.008, Z = 2.652; 6.5.2.3: MD 3.8, 45 df, t = 2.78."""
    assert 0.03 / c.se_from_p(0.03, 0.008) == pytest.approx(2.652, abs=5e-4)
    assert 3.8 / c.se_from_p(3.8, 0.008, df=45) == pytest.approx(2.78, abs=5e-3)
    assert c.se_from_p(3.8, 0.008, df=45) == pytest.approx(1.37, abs=5e-3)
    t = stats.t.ppf(0.975, 45)
    assert c.se_from_ci(3.8 - 2 * t, 3.8 + 2 * t, df=45) == pytest.approx(2)


@pytest.mark.parametrize("df", [1, 2, 26, np.inf])
@pytest.mark.parametrize("p", [1e-12, 0.016, 0.5, 0.99])
def test_se_from_p_against_scipy_stats(df, p):
    quantile = stats.norm if np.isinf(df) else stats.t(df)
    assert c.se_from_p(-0.9, p, df=df) == pytest.approx(0.9 / quantile.isf(p / 2), rel=1e-9)
    one_sided = c.se_from_p(-0.9, p, df=df, two_sided=False)
    if p == 0.5:
        assert np.isnan(one_sided)
        return
    assert one_sided == pytest.approx(0.9 / abs(quantile.isf(p)), rel=1e-7)


def test_paired_effect_from_p_is_the_paired_t_test():
    x = np.array([3.1, 4.0, 5.2, 6.1, 4.4, 2.0, 7.7])
    y = np.array([4.0, 4.4, 5.0, 7.5, 6.0, 2.9, 8.8])
    p = stats.ttest_rel(x, y).pvalue
    yi, vi = c.paired_effect_from_p((x - y).mean(), p, 7)
    assert yi == (x - y).mean()
    assert vi == pytest.approx((x - y).var(ddof=1) / 7, rel=1e-10)


def test_difference_from_arm_changes_is_the_welch_standard_error():
    rng = np.random.default_rng(3)
    one, two = rng.normal(-1.5, 2, 49), rng.normal(-0.9, 2.2, 50)
    found = c.difference_from_arm_changes(one.mean(), stats.sem(one), two.mean(), stats.sem(two))
    assert found.estimate == pytest.approx(one.mean() - two.mean())
    assert found.estimate / found.se == pytest.approx(
        stats.ttest_ind(one, two, equal_var=False).statistic
    )


def test_statistics_of_the_other_sign_are_refused():
    assert c.se_from_statistic(-1.2, -2.4) == 0.5
    assert np.isnan(c.se_from_statistic(0.0, 0.0))
    with pytest.raises(ArgumentError, match=r"statistic: 2\.4 has not the sign"):
        c.se_from_statistic(-1.2, 2.4)


def test_nothing_is_made_of_intervals_and_p_values_that_say_nothing():
    assert np.isnan(c.se_from_ci(1.0, 1.0))
    assert np.isnan(c.se_from_p(0.0, 0.5))
    assert np.isnan(c.se_from_p(0.3, 1.0))
    assert np.isnan(c.se_from_ci(np.nan, 1.0))


DOOR = """Estimate Interval JointCount SkewnessTest change_sd chi_squared_corrected_p chi_squared_p
    ci_from_se correlation_from_change_sd correlation_from_paired counts_from_percent
    difference_from_arm_changes estimate_is_centred fisher_p joint_counts log_ratio_from_ci
    mean_from_median p_from_se p_interval p_is_exact paired_effect_from_p paired_se
    printed_decimals rescale rescale_difference rounded_interval sd_from_ci sd_from_quantiles
    sd_from_se se_from_ci se_from_p se_from_sd se_from_statistic se_interval_from_p
    skewness_of_summary"""


def test_the_door_opens_all_rooms():
    """What a user of `ldn_meta.stats.convert` was ever told to find there is there."""
    assert all(callable(getattr(c, name)) for name in DOOR.split())


def test_an_interval_goes_to_its_se_and_back(seed=SEED):
    x = drawn(seed)
    low, high = c.ci_from_se(x.estimate, x.se, level=x.level, df=x.df)
    np.testing.assert_allclose(c.se_from_ci(low, high, level=x.level, df=x.df), x.se, rtol=1e-6)


def test_a_p_value_goes_to_its_se_and_back(seed=SEED):
    x = drawn(seed)
    p = np.concatenate([10 ** x.rng.uniform(-10, 0, M - 50), 1 - 10 ** x.rng.uniform(-6, 0, 50)])
    se = c.se_from_p(x.estimate, p, df=x.df)
    np.testing.assert_allclose(c.p_from_se(x.estimate, se, df=x.df), p, rtol=1e-6)


def test_an_sd_goes_to_its_se_and_back(seed=SEED):
    x = drawn(seed)
    n = x.rng.integers(1, 10_001, M)
    np.testing.assert_allclose(c.sd_from_se(c.se_from_sd(x.se, n), n), x.se)


@pytest.mark.parametrize("uses_t", [True, False])
def test_an_sd_goes_to_its_interval_and_back(uses_t, seed=SEED):
    x = drawn(seed)
    df = x.n - 1 if uses_t else np.inf
    low, high = c.ci_from_se(0.0, c.se_from_sd(x.se, x.n), level=x.level, df=df)
    found = c.sd_from_ci(low, high, x.n, level=x.level, uses_t=uses_t)
    np.testing.assert_allclose(found, x.se, rtol=1e-6)


def test_a_correlation_goes_to_its_change_sd_and_back(seed=SEED):
    x = drawn(seed)
    change = c.change_sd(x.se, x.other_se, x.r)
    assert (abs(x.se - x.other_se) * (1 - 1e-12) <= change).all()
    assert (change <= (x.se + x.other_se) * (1 + 1e-12)).all()
    # The SD of the change hardly depends on r when one SD is tiny beside the other.
    fit = (x.se / x.other_se > 0.01) & (x.se / x.other_se < 100)
    found = c.correlation_from_change_sd(x.se[fit], x.other_se[fit], change[fit])
    np.testing.assert_allclose(found, x.r[fit], atol=1e-9)
    paired = c.paired_se(x.se[fit], x.other_se[fit], x.n[fit] - 1, x.r[fit])
    found = c.correlation_from_paired(x.se[fit], x.other_se[fit], x.n[fit] - 1, paired)
    np.testing.assert_allclose(found, x.r[fit], atol=1e-9)


def test_impossible_correlations_are_nan():
    assert np.isnan(c.correlation_from_change_sd(2.0, 2.0, 4.1))
    assert np.isnan(c.correlation_from_change_sd(3.0, 1.0, 1.9))
    assert np.isnan(c.correlation_from_change_sd(0.0, 1.0, 1.0))


def test_rescaling_there_and_back_changes_nothing(seed=SEED):
    x = drawn(seed)
    here, there = ((low, low + x.rng.uniform(1, 100, M)) for low in x.rng.uniform(-10, 10, (2, M)))
    one, two = x.rng.uniform(-50, 100, (2, M))
    for move in (c.rescale, c.rescale_difference):
        back = move(*move(one, x.se, *here, *there), *there, *here)
        np.testing.assert_allclose(back.estimate, one, atol=1e-8)
        np.testing.assert_allclose(back.se, x.se)
    moved = [c.rescale(score, 1.0, *here, *there).estimate for score in (one, two)]
    difference = c.rescale_difference(one - two, 1.0, *here, *there).estimate
    np.testing.assert_allclose(moved[0] - moved[1], difference, atol=1e-9)


def test_a_scale_can_be_turned_round():
    assert c.rescale(2.0, 0.5, 0, 10, 10, 0) == (8.0, 0.5)
    assert c.rescale_difference(-1.0, 0.5, 0, 10, 100, 0) == (10.0, 5.0)


@pytest.mark.parametrize(
    ("relation", "p", "decimals", "exact"),
    [
        ("=", 0.016, 3, True),
        ("=", 0.31, 2, True),
        ("=", 0.10, 2, True),
        ("=", 0.02, 2, False),
        ("=", 0.002, 3, False),
        ("=", 0.97, 2, False),
        ("=", 0.0, 3, False),
        ("=", 1.0, 0, False),
        ("<", 0.001, 3, False),
        ("ns", 0.05, 2, False),
    ],
)
def test_which_p_values_fix_a_standard_error(relation, p, decimals, exact):
    assert c.p_is_exact(relation, p, decimals) is exact
    low, high = c.se_interval_from_p(1.0, *c.p_interval(relation, p, decimals=decimals))
    if exact:
        assert high / low < 1.12


@pytest.mark.parametrize("decimals", [1, 2, 3, 4])
def test_the_true_se_lies_in_the_interval_of_the_printed_p(decimals, seed=SEED):
    x = drawn(seed)
    for estimate, p, df in zip(x.estimate, x.rng.uniform(0.0005, 0.9995, M), x.df, strict=True):
        low, high = c.p_interval("=", round(p, decimals), decimals=decimals)
        se = c.se_from_p(estimate, p, df=df)
        ends = c.se_interval_from_p(estimate, low, high, df=df)
        assert ends.low * (1 - 1e-9) <= se <= ends.high * (1 + 1e-9)


def test_inequalities_leave_the_se_open_on_one_side():
    low, high = c.se_interval_from_p(-0.9, *c.p_interval("<", 0.001))
    assert (low, high) == (0.0, pytest.approx(0.9 / stats.norm.isf(0.0005)))
    low, high = c.se_interval_from_p([-0.9, 0.9, 0.0], *c.p_interval("ns"))
    assert low[:2] == pytest.approx(0.9 / stats.norm.isf(0.025))
    assert np.isinf(high[:2]).all() and np.isnan(low[2]) and np.isnan(high[2])
    assert c.p_interval("=", 0.0, decimals=3) == (0.0, 0.0005)
    assert c.p_interval(">", 0.2) == (0.2, 1.0)
    assert c.p_interval("=", 0.3) == (0.3, 0.3)


def test_five_numbers_of_the_metafor_oracle():
    """metafor's conv.fivenum(2, 5, 8, 12, 20, n=40); R metafor 5.1-12, PEERS.md section 4."""
    five = {"q1": 5, "q3": 12, "minimum": 2, "maximum": 20}
    assert c.mean_from_median(40, 8, **five) == pytest.approx(8.667198, abs=5e-7)
    assert c.sd_from_quantiles(40, **five) == pytest.approx(4.645538, abs=5e-7)


def test_wan_2014_by_hand():
    """Wan 2014: (b - a) / (2 E z(n)), and IQR / 1.35 for large n (scenario C3)."""
    r = stats.norm.ppf((60 - 0.375) / 60.25)
    assert c.sd_from_quantiles(60, minimum=2, maximum=20) == pytest.approx(18 / (2 * r))
    assert c.sd_from_quantiles(1e7, q1=0, q3=1.349) == pytest.approx(1, abs=1e-4)
    w = 4 / (4 + 40**0.75)
    mean = c.mean_from_median(40, 8, minimum=2, maximum=20)
    assert mean == pytest.approx(w * 11 + (1 - w) * 8)
    w = 0.7 + 0.39 / 40
    assert c.mean_from_median(40, 8, q1=5, q3=12) == pytest.approx(w * 8.5 + (1 - w) * 8)


# Wan 2014, BMC Med Res Methodol 14:135, as R's meta prints them (guido-s/meta, R/settings.R).
WAN_RANGES = """
0.000 1.128 1.693 2.059 2.326 2.534 2.704 2.847 2.970 3.078 3.173 3.259 3.336 3.407 3.472 3.532
3.588 3.640 3.689 3.735 3.778 3.819 3.858 3.895 3.931 3.964 3.997 4.027 4.057 4.086 4.113 4.139
4.165 4.189 4.213 4.236 4.259 4.280 4.301 4.322 4.341 4.361 4.379 4.398 4.415 4.433 4.450 4.466
4.482 4.498"""
WAN_QUARTILES = """
0.990 1.144 1.206 1.239 1.260 1.274 1.284 1.292 1.298 1.303 1.307 1.311 1.313 1.316 1.318 1.320
1.322 1.323 1.324 1.326 1.327 1.328 1.329 1.330 1.330 1.331 1.332 1.332 1.333 1.333 1.334 1.334
1.335 1.335 1.336 1.336 1.336 1.337 1.337 1.337 1.338 1.338 1.338 1.338 1.339 1.339 1.339 1.339
1.339 1.340"""


def test_ranges_of_up_to_fifty_people_use_the_table_of_the_paper():
    table = np.array(WAN_RANGES.split(), dtype=float)
    n = np.arange(1, 51)
    # At n = 12 the paper prints 3.259 for 3.25846.
    np.testing.assert_allclose(c.expected_range(n), table, atol=5.5e-4)
    # A second way to the same: the largest of n has density n Phi^(n-1) phi.
    largest = [
        integrate.quad(
            lambda x, k=k: k * x * stats.norm.cdf(x) ** (k - 1) * stats.norm.pdf(x), -9, 9
        )
        for k in n
    ]
    np.testing.assert_allclose(c.expected_range(n), [2 * m for m, _ in largest], atol=1e-8)
    assert c.sd_from_quantiles(5, minimum=0, maximum=2.326) == pytest.approx(1, abs=1e-4)
    assert c.sd_from_quantiles(50, minimum=0, maximum=1) == pytest.approx(
        c.sd_from_quantiles(51, minimum=0, maximum=1), rel=2e-3
    )


def test_quartiles_meet_the_table_of_the_paper():
    table = np.array(WAN_QUARTILES.split(), dtype=float)
    n = 4 * np.arange(1, 51) + 1
    np.testing.assert_allclose(1 / c.sd_from_quantiles(n, q1=0, q3=1), table, atol=4.5e-3)


def test_normal_samples_give_back_their_mean_and_sd():
    rng = np.random.default_rng(11)
    for n in (21, 61, 201):
        x = rng.normal(5, 2, (4000, n))
        low, q1, median, q3, high = np.quantile(x, [0, 0.25, 0.5, 0.75, 1], axis=1)
        shown = [{"q1": q1, "q3": q3}, {"minimum": low, "maximum": high}]
        for given_ in (*shown, shown[0] | shown[1]):
            assert c.mean_from_median(n, median, **given_).mean() == pytest.approx(5, abs=0.02)
            assert c.sd_from_quantiles(n, **given_).mean() == pytest.approx(2, rel=0.03)
            rate = c.skewness_of_summary(n, median, **given_).is_skewed.mean()
            assert rate == pytest.approx(0.05, abs=0.013)


def test_skewed_samples_are_called_skewed():
    x = np.random.default_rng(12).lognormal(0, 1, (500, 101))
    low, q1, median, q3, high = np.quantile(x, [0, 0.25, 0.5, 0.75, 1], axis=1)
    found = c.skewness_of_summary(101, median, q1=q1, q3=q3, minimum=low, maximum=high)
    assert found.is_skewed.mean() > 0.95


def test_each_row_uses_what_it_has():
    nan = np.nan
    mean = c.mean_from_median(
        40,
        8,
        q1=[5, 5, nan, nan],
        q3=[12, 12, nan, 12],
        minimum=[2, nan, 2, nan],
        maximum=[20, nan, 20, nan],
    )
    assert mean[0] == c.mean_from_median(40, 8, q1=5, q3=12, minimum=2, maximum=20)
    assert mean[1] == c.mean_from_median(40, 8, q1=5, q3=12)
    assert mean[2] == c.mean_from_median(40, 8, minimum=2, maximum=20)
    assert np.isnan(mean[3])
    few = c.skewness_of_summary(3, 1, q1=0, q3=1)
    assert np.isnan(few.critical) and few.is_skewed is False


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: c.se_from_ci(2, 1), "low: 2 is above high 1"),
        (lambda: c.se_from_ci(1, 2, level=95), "level: 95 is not allowed"),
        (lambda: c.se_from_ci(1, 2, df=0), "df: 0 is not allowed; numbers above 0"),
        (lambda: c.se_from_p(1, 0), "p: 0 is not allowed; numbers above 0"),
        (lambda: c.se_from_p(1, 1.2), "p: 1.2 is not allowed; numbers of at most 1"),
        (lambda: c.log_ratio_from_ci(1, 0, 2), "low: 0 is not allowed; numbers above 0"),
        (lambda: c.sd_from_ci(1, 2, 1), "n: 1 is not allowed; numbers of at least 2"),
        (lambda: c.sd_from_se(-1, 10), "se: -1 is not allowed"),
        (lambda: c.change_sd(1, 2, 1.5), "correlation: 1.5 is not allowed"),
        (lambda: c.rescale(1, 1, 5, 5), "from_min: 5 equals from_max"),
        (lambda: c.rescale(1, 1, 0, 100, 10, 10), "to_min: 10 equals to_max"),
        (lambda: c.se_interval_from_p(1, 0.05, 0.01), "p_low: 0.05 is above p_high 0.01"),
        (lambda: c.mean_from_median(10, 5, q1=6, q3=7), "q1: 6 is above median 5"),
    ],
)
def test_refusals_name_argument_value_and_what_is_allowed(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


globals().update(
    anew(
        test_an_interval_goes_to_its_se_and_back,
        test_a_p_value_goes_to_its_se_and_back,
        test_an_sd_goes_to_its_se_and_back,
        test_an_sd_goes_to_its_interval_and_back,
        test_a_correlation_goes_to_its_change_sd_and_back,
        test_rescaling_there_and_back_changes_nothing,
        test_the_true_se_lies_in_the_interval_of_the_printed_p,
    )
)
