import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats import convert as c

ESTIMATE = st.floats(-50, 50).filter(lambda x: abs(x) > 1e-3)
SE = st.floats(1e-3, 50)
DF = st.one_of(st.just(np.inf), st.integers(1, 500))
LEVEL = st.sampled_from([0.8, 0.9, 0.95, 0.99])


# --- standard errors: published and independent answers ----------------------------------------


def test_log_ratio_from_ci_of_the_metafor_example():
    """metafor's conv.wald: OR 1.37 [1.03, 1.82]; R metafor 5.1-12, PEERS.md section 4."""
    log_or, se = c.log_ratio_from_ci(1.37, 1.03, 1.82)
    assert log_or == pytest.approx(0.314811, abs=5e-7)
    assert se**2 == pytest.approx(0.0210908, abs=5e-8)
    assert c.se_from_p(log_or, 0.03) ** 2 == pytest.approx(0.0210447, abs=5e-8)


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
        (lambda: c.counts_from_percent(32.5, 0, 31), "percent: 32.5 has more than 0 decimals"),
        (lambda: c.counts_from_percent(132, 0, 31), "percent: 132 is not allowed"),
        (lambda: c.counts_from_percent(32, 0, 31.5), "n: 31.5 is not allowed"),
        (lambda: c.counts_from_percent(32, -1, 31), "decimals: -1 is not allowed"),
        (lambda: c.counts_from_percent("32", 0, 31), "percent: '32' is not allowed"),
        (lambda: c.p_interval("~", 0.05), "relation='~' is not known; allowed: =, <, <="),
        (lambda: c.se_interval_from_p(1, 0.05, 0.01), "p_low: 0.05 is above p_high 0.01"),
        (lambda: c.printed_decimals("0.3 to 0.4"), "text: '0.3 to 0.4' is not allowed"),
        (lambda: c.mean_from_median(10, 5, q1=6, q3=7), "q1: 6 is above median 5"),
        (lambda: c.joint_counts(1, 9, 1, 9, decimals=0, tests=["t"]), "tests='t' is not known"),
    ],
)
def test_refusals_name_argument_value_and_what_is_allowed(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


# --- round trips -------------------------------------------------------------------------------


@given(ESTIMATE, SE, LEVEL, DF)
def test_an_interval_goes_to_its_se_and_back(estimate, se, level, df):
    low, high = c.ci_from_se(estimate, se, level=level, df=df)
    assert c.se_from_ci(low, high, level=level, df=df) == pytest.approx(se, rel=1e-6)


@given(ESTIMATE, st.floats(1e-10, 1 - 1e-6), DF)
def test_a_p_value_goes_to_its_se_and_back(estimate, p, df):
    se = c.se_from_p(estimate, p, df=df)
    assert c.p_from_se(estimate, se, df=df) == pytest.approx(p, rel=1e-6)


@given(SE, st.integers(1, 10_000))
def test_an_sd_goes_to_its_se_and_back(sd, n):
    assert c.sd_from_se(c.se_from_sd(sd, n), n) == pytest.approx(sd)


@given(SE, st.integers(2, 500), LEVEL, st.booleans())
def test_an_sd_goes_to_its_interval_and_back(sd, n, level, uses_t):
    df = n - 1 if uses_t else np.inf
    low, high = c.ci_from_se(0.0, c.se_from_sd(sd, n), level=level, df=df)
    assert c.sd_from_ci(low, high, n, level=level, uses_t=uses_t) == pytest.approx(sd)


@given(SE, SE, st.floats(-1, 1))
def test_a_correlation_goes_to_its_change_sd_and_back(before, after, r):
    change = c.change_sd(before, after, r)
    assert abs(before - after) * (1 - 1e-12) <= change <= (before + after) * (1 + 1e-12)
    # The SD of the change hardly depends on r when one SD is tiny beside the other.
    assume(0.01 < before / after < 100)
    assert c.correlation_from_change_sd(before, after, change) == pytest.approx(r, abs=1e-9)


@given(SE, SE, st.integers(1, 500), st.floats(-1, 1))
def test_a_correlation_goes_to_its_paired_se_and_back(sd_1, sd_2, n, r):
    assume(0.01 < sd_1 / sd_2 < 100)
    se = c.paired_se(sd_1, sd_2, n, r)
    assert c.correlation_from_paired(sd_1, sd_2, n, se) == pytest.approx(r, abs=1e-9)


def test_impossible_correlations_are_nan():
    assert np.isnan(c.correlation_from_change_sd(2.0, 2.0, 4.1))
    assert np.isnan(c.correlation_from_change_sd(3.0, 1.0, 1.9))
    assert np.isnan(c.correlation_from_change_sd(0.0, 1.0, 1.0))


SCALE = st.tuples(st.floats(-10, 10), st.floats(1, 100)).map(lambda t: (t[0], t[0] + t[1]))


@given(st.floats(-50, 50), SE, SCALE, SCALE)
def test_rescaling_there_and_back_changes_nothing(value, se, here, there):
    for move in (c.rescale, c.rescale_difference):
        back = move(*move(value, se, *here, *there), *there, *here)
        assert back.estimate == pytest.approx(value, abs=1e-8)
        assert back.se == pytest.approx(se)


@given(st.floats(0, 100), st.floats(0, 100), SCALE, SCALE)
def test_differences_of_rescaled_scores_are_rescaled_differences(one, two, here, there):
    moved = [c.rescale(score, 1.0, *here, *there).estimate for score in (one, two)]
    difference = c.rescale_difference(one - two, 1.0, *here, *there).estimate
    assert moved[0] - moved[1] == pytest.approx(difference, abs=1e-9)


def test_a_scale_can_be_turned_round():
    assert c.rescale(2.0, 0.5, 0, 10, 10, 0) == (8.0, 0.5)
    assert c.rescale_difference(-1.0, 0.5, 0, 10, 100, 0) == (10.0, 5.0)


# --- rounding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decimals"), [("-0.30", 2), ("5", 0), ("+1.5", 1), (" .05 ", 2), ("10.", 0)]
)
def test_printed_decimals(text, decimals):
    assert c.printed_decimals(text) == decimals


@given(st.floats(-1000, 1000), st.integers(0, 4))
def test_a_number_lies_in_the_interval_of_its_print(value, decimals):
    low, high = c.rounded_interval(round(value, decimals), decimals)
    assert low - 1e-9 <= value <= high + 1e-9


def test_centre_check_of_published_intervals():
    assert c.estimate_is_centred(1.37, 1.03, 1.82, is_ratio=True, tolerance=0, decimals=2)
    assert not c.estimate_is_centred(1.37, 1.03, 1.82, tolerance=0, decimals=2)
    assert c.estimate_is_centred(-0.11, -0.96, 0.74, tolerance=0, decimals=2)
    assert not c.estimate_is_centred(-0.11, -0.96, 0.78, tolerance=0, decimals=2)
    assert c.estimate_is_centred(-0.11, -0.96, 0.78)
    assert not c.estimate_is_centred(np.nan, 0, 1)
    found = c.estimate_is_centred([0.5, 0.9], [0, 0], [1, 1])
    assert found.tolist() == [True, False]


@given(ESTIMATE, SE, st.integers(1, 3))
def test_whatever_is_printed_from_one_interval_is_centred(estimate, se, decimals):
    low, high = c.ci_from_se(estimate, se)
    printed = [round(x, decimals) for x in (estimate, low, high)]
    assert c.estimate_is_centred(*printed, decimals=decimals, tolerance=0)


@given(st.floats(0.05, 20), st.floats(0.05, 2), st.integers(1, 3))
def test_whatever_is_printed_from_one_ratio_is_centred(ratio, se, decimals):
    low, high = np.exp(c.ci_from_se(np.log(ratio), se))
    printed = [round(float(x), decimals) for x in (ratio, low, high)]
    assume(min(printed) > 0)
    assert c.estimate_is_centred(*printed, is_ratio=True, decimals=decimals, tolerance=0)


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


@given(ESTIMATE, st.floats(0.0005, 0.9995), st.integers(1, 4), DF)
def test_the_true_se_lies_in_the_interval_of_the_printed_p(estimate, p, decimals, df):
    se = c.se_from_p(estimate, p, df=df)
    printed = c.p_interval("=", round(p, decimals), decimals=decimals)
    low, high = c.se_interval_from_p(estimate, *printed, df=df)
    assert low * (1 - 1e-9) <= se <= high * (1 + 1e-9)


def test_inequalities_leave_the_se_open_on_one_side():
    low, high = c.se_interval_from_p(-0.9, *c.p_interval("<", 0.001))
    assert (low, high) == (0.0, pytest.approx(0.9 / stats.norm.isf(0.0005)))
    low, high = c.se_interval_from_p([-0.9, 0.9, 0.0], *c.p_interval("ns"))
    assert low[:2] == pytest.approx(0.9 / stats.norm.isf(0.025))
    assert np.isinf(high[:2]).all() and np.isnan(low[2]) and np.isnan(high[2])
    assert c.p_interval("=", 0.0, decimals=3) == (0.0, 0.0005)
    assert c.p_interval(">", 0.2) == (0.2, 1.0)
    assert c.p_interval("=", 0.3) == (0.3, 0.3)


# --- medians -----------------------------------------------------------------------------------


def test_five_numbers_of_the_metafor_oracle():
    """metafor's conv.fivenum(2, 5, 8, 12, 20, n=40); R metafor 5.1-12, PEERS.md section 4."""
    five = {"q1": 5, "q3": 12, "minimum": 2, "maximum": 20}
    assert c.mean_from_median(40, 8, **five) == pytest.approx(8.667198, abs=5e-7)
    assert c.sd_from_quantiles(40, **five) == pytest.approx(4.645538, abs=5e-7)


def test_wan_2014_by_hand():
    """Wan 2014: (b - a) / (2 E z(n)), and IQR / 1.35 for large n (scenario C3)."""
    r = stats.norm.ppf((40 - 0.375) / 40.25)
    assert c.sd_from_quantiles(40, minimum=2, maximum=20) == pytest.approx(18 / (2 * r))
    assert c.sd_from_quantiles(1e7, q1=0, q3=1.349) == pytest.approx(1, abs=1e-4)
    w = 4 / (4 + 40**0.75)
    mean = c.mean_from_median(40, 8, minimum=2, maximum=20)
    assert mean == pytest.approx(w * 11 + (1 - w) * 8)
    w = 0.7 + 0.39 / 40
    assert c.mean_from_median(40, 8, q1=5, q3=12) == pytest.approx(w * 8.5 + (1 - w) * 8)


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


# --- counts ------------------------------------------------------------------------------------


def _prints_as(count, n, decimals, rounding):
    exact = Decimal(100 * count) / Decimal(n)
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)


@given(st.integers(1, 300), st.integers(0, 2), st.integers(0, 100), st.data())
def test_counts_are_exactly_those_that_round_to_the_percentage(n, decimals, whole, data):
    fraction = data.draw(st.integers(0, 10**decimals - 1)) if whole < 100 else 0
    printed = Decimal(whole) + Decimal(fraction).scaleb(-decimals)
    expected = tuple(
        count
        for count in range(n + 1)
        if any(
            _prints_as(count, n, decimals, rounding) == printed
            for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)
        )
    )
    assert c.counts_from_percent(float(printed), decimals, n) == expected


@given(st.integers(1, 5000), st.integers(0, 3), st.data())
def test_every_count_is_found_from_its_own_percentage(n, decimals, data):
    count = data.draw(st.integers(0, n))
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        printed = float(_prints_as(count, n, decimals, rounding))
        assert count in c.counts_from_percent(printed, decimals, n)


def test_ties_and_impossible_percentages():
    # 100 x 1/8 = 12.5: half up prints 13, half to even prints 12.
    assert c.counts_from_percent(13, 0, 8) == (1,)
    assert c.counts_from_percent(12, 0, 8) == (1,)
    assert c.counts_from_percent(11, 0, 8) == ()
    assert c.counts_from_percent(0, 0, 5) == (0,)
    assert c.counts_from_percent(100, 1, 31) == (31,)


TABLES = [(10, 31, 3, 28), (0, 20, 5, 25), (20, 20, 5, 25), (3, 9, 4, 9), (50, 400, 20, 390)]


@pytest.mark.parametrize("table", TABLES)
def test_two_by_two_tests_against_scipy(table):
    a, n1, b, n2 = table
    cells = np.array([[a, n1 - a], [b, n2 - b]])
    for ours, corrected in ((c.chi_squared_p, False), (c.chi_squared_corrected_p, True)):
        theirs = stats.chi2_contingency(cells, correction=corrected).pvalue
        assert ours(*table) == pytest.approx(theirs, rel=1e-10)
    assert c.fisher_p(*table) == pytest.approx(stats.fisher_exact(cells).pvalue, rel=1e-10)


def test_two_by_two_tests_have_no_answer_without_a_margin():
    assert np.isnan(c.chi_squared_p(0, 10, 0, 12))
    assert c.fisher_p(0, 10, 0, 12) == 1.0
    assert np.isnan(c.fisher_p(np.nan, 10, 0, 12))
    with pytest.raises(ArgumentError, match=r"events_1: 1\.5 is not allowed; allowed: whole"):
        c.fisher_p(1.5, 10, 0, 12)


def test_more_facts_leave_fewer_pairs_of_counts():
    """57% of 214 against 43% of 107 leaves three pairs; a total or a p-value picks among them."""
    wide = c.joint_counts(57, 214, 43, 107, decimals=0)
    assert len(wide) == 3
    by_total = c.joint_counts(57, 214, 43, 107, decimals=0, events_total=168)
    assert [(found.events_1, found.events_2) for found in by_total] == [(122, 46)]
    p = c.chi_squared_p(122, 214, 46, 107)
    by_p = c.joint_counts(57, 214, 43, 107, decimals=0, p=c.rounded_interval(round(p, 4), 4))
    assert set(by_p) <= {c.JointCount(f.events_1, 214, f.events_2, 107, f.tests) for f in by_p}
    assert (122, 46) in [(found.events_1, found.events_2) for found in by_p]
    assert len(by_p) < len(wide)
    assert all(found.tests for found in by_p)


def test_unknown_arm_sizes_are_searched_within_their_total():
    found = c.joint_counts(25, range(10, 31), 60, range(10, 31), decimals=0, n_total=40)
    assert c.JointCount(5, 20, 12, 20) in found
    assert {pair.n_1 + pair.n_2 for pair in found} == {40}
    assert c.joint_counts(33, 10, 60, 10, decimals=0) == ()
