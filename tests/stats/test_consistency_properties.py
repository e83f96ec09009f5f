"""What is printed from real data is never called inconsistent; errors that matter are found.

10,000 cases are made with numpy and scipy.stats, printed as papers print, and checked. Seeds are
fixed, so that a run is the same everywhere; the rates stated are those of these seeds.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from ldn_meta.stats.consistency import (
    CONSISTENT,
    INCONSISTENT,
    NOT_CHECKABLE,
    Printed,
    PrintedP,
    common_denominator,
    difference_against_arms,
    estimate_at_centre,
    estimate_inside,
    mean_of_whole_scores,
    nnt_against_percents,
    p_against_counts,
    p_against_interval,
    p_against_statistic,
    percent_against_n,
    percent_of_some_n,
    same_p,
    same_value,
    sd_against_interval,
    sd_against_scale,
    sd_against_se,
    standardised_against_difference,
    word_against_interval,
)


def shown(value, decimals, rng):
    """A number as printed; halves go up or to the even digit, as software does."""
    if rng.random() < 0.5:
        return Printed(float(f"{value:.{decimals}f}"), decimals)
    step = 10**decimals
    rounded = math.floor(abs(value) * step + 0.5) / step
    return Printed(round(math.copysign(rounded, value), decimals), decimals)


def shown_p(value, rng):
    """A p-value as papers print it: rounded, cut off, a bound, or a word."""
    kind = rng.integers(5)
    if kind == 0:
        return PrintedP("ns") if value > 0.05 else PrintedP("sig")
    if value < 0.001:
        return PrintedP("<", 0.001, 3)
    decimals = int(rng.integers(2, 5))
    if kind == 1:
        step = 10**decimals
        return PrintedP("=", math.floor(value * step) / step, decimals)
    return PrintedP("=", round(float(value), decimals), decimals)


def intervals(rng, count):
    """Estimates with interval and p of a normal or t analysis; ratios are exponentiated."""
    for _ in range(count):
        is_ratio = bool(rng.random() < 0.4)
        df = math.inf if rng.random() < 0.4 else float(rng.integers(1, 150))
        size = 1.0 if is_ratio else 10 ** rng.uniform(-1, 2)
        se = size * rng.uniform(0.05, 0.6)
        estimate = rng.normal(0, 2) * se
        q = stats.norm.isf(0.025) if math.isinf(df) else stats.t.isf(0.025, df)
        half = q * se
        if is_ratio and half > 4:
            continue
        statistic = abs(estimate) / se
        p = 2 * (stats.norm.sf(statistic) if math.isinf(df) else stats.t.sf(statistic, df))
        ends = np.array([estimate, estimate - half, estimate + half])
        yield (np.exp(ends) if is_ratio else ends), float(p), df, is_ratio


def test_3000_intervals_and_p_values():
    rng = np.random.default_rng(20261125)
    decided = 0
    for ends, p, df, is_ratio in intervals(rng, 3000):
        decimals = int(rng.integers(1, 4))
        three = [shown(end, decimals, rng) for end in ends]
        if is_ratio and min(number.value for number in three) <= 0:
            continue
        value = shown_p(p, rng)
        found = [
            estimate_inside(*three),
            estimate_at_centre(*three, is_ratio=is_ratio, tolerance=0),
        ]
        if value.is_word:
            found.append(word_against_interval(value, *three[1:], is_ratio=is_ratio))
        else:
            fewest = 1.0 if rng.random() < 0.5 else min(df, 100.0)
            found.append(p_against_interval(*three, value, is_ratio=is_ratio, fewest_df=fewest))
        decided += sum(one.verdict == CONSISTENT for one in found)
        assert INCONSISTENT not in {one.verdict for one in found}, (three, value, found)
    assert decided > 6000


def test_1500_test_statistics():
    rng = np.random.default_rng(1)
    for _ in range(1500):
        name = ("t", "z", "F", "chi2", "r")[rng.integers(5)]
        df, df_2 = float(rng.integers(1, 60)), float(rng.integers(2, 120))
        if name == "r":
            statistic = rng.uniform(-0.95, 0.95)
            t = statistic * math.sqrt(df / (1 - statistic**2))
            p = 2 * stats.t.sf(abs(t), df)
        else:
            statistic = (
                abs(rng.normal(0, 2))
                if name in ("t", "z")
                else rng.chisquare(df) / (df if name == "F" else 1)
            )
            p = {
                "t": lambda s=statistic, d=df: 2 * stats.t.sf(s, d),
                "z": lambda s=statistic: 2 * stats.norm.sf(s),
                "F": lambda s=statistic, d=df, e=df_2: stats.f.sf(s, d, e),
                "chi2": lambda s=statistic, d=df: stats.chi2.sf(s, d),
            }[name]()
        value = shown_p(float(p), rng)
        degrees = {"t": {"df": df}, "z": {}, "F": {"df": df, "df_2": df_2}}.get(name, {"df": df})
        if name == "t" and rng.random() < 0.3:
            degrees = {}
        found = p_against_statistic(name, shown(statistic, 2, rng), value, **degrees)
        assert found.verdict == CONSISTENT, (name, statistic, df, df_2, p, found)


def test_1500_counts():
    rng = np.random.default_rng(2)
    for _ in range(1500):
        n_1, n_2 = (int(n) for n in rng.integers(3, 60, 2))
        a, c = int(rng.integers(n_1 + 1)), int(rng.integers(n_2 + 1))
        decimals = int(rng.integers(3))
        one, other = (shown(100 * x / n, decimals, rng) for x, n in ((a, n_1), (c, n_2)))
        fewer = int(rng.integers(1, n_1 + 1))
        again = shown(100 * min(a, fewer) / n_1, decimals, rng)
        found = [
            percent_against_n(one, n_1),
            percent_against_n(one, n_1, events=a),
            percent_of_some_n(one, max(1, n_1 - 5), n_1 + 5, events=a),
            common_denominator([one, again], n_1),
        ]
        if a * n_2 != c * n_1:
            exact = 1 / abs(a / n_1 - c / n_2)
            digits = int(rng.integers(2))
            if rng.random() < 0.5:
                nnt = Printed(math.ceil(exact * 10**digits - 1e-9) / 10**digits, digits)
            else:
                nnt = shown(exact, digits, rng)
            found.append(nnt_against_percents(nnt, one, other))
        assert {result.verdict for result in found} == {CONSISTENT}, (a, n_1, c, n_2, found)


def test_1000_tables_and_their_p_values():
    rng = np.random.default_rng(3)
    for _ in range(1000):
        n_1, n_2 = (int(n) for n in rng.integers(4, 80, 2))
        a, c = rng.binomial(n_1, rng.uniform(0.1, 0.9)), rng.binomial(n_2, rng.uniform(0.1, 0.9))
        if a + c in (0, n_1 + n_2):
            continue
        table = [[int(a), n_1 - int(a)], [int(c), n_2 - int(c)]]
        if rng.random() < 0.4:
            p = stats.fisher_exact(table).pvalue
        else:
            kind = "log-likelihood" if rng.random() < 0.3 else "pearson"
            p = stats.chi2_contingency(table, rng.random() < 0.5, lambda_=kind).pvalue
        value = shown_p(float(p), rng)
        found = p_against_counts([(int(a), n_1)], [(int(c), n_2)], value)
        assert found.verdict == CONSISTENT, (table, p, found)


def test_2000_samples_of_scores():
    rng = np.random.default_rng(4)
    for _ in range(2000):
        n, items = int(rng.integers(3, 90)), int(rng.integers(1, 4))
        before = rng.integers(0, 11, (n, items)).mean(axis=1)
        after = rng.integers(0, 11, (n, items)).mean(axis=1)
        decimals = int(rng.integers(1, 4))
        mean, end = (shown(float(x.mean()), decimals, rng) for x in (before, after))
        change = shown(float((after - before).mean()), decimals, rng)
        spread = float(before.std(ddof=1))
        sd = shown(spread, decimals, rng)
        se = shown(spread / math.sqrt(n), decimals + 1, rng)
        uses_t = rng.random() < 0.5
        q = float(stats.t.isf(0.025, n - 1) if uses_t else stats.norm.isf(0.025))
        half = q * spread / math.sqrt(n)
        low, high = (shown(float(before.mean()) + s * half, decimals, rng) for s in (-1, 1))
        found = [
            mean_of_whole_scores(mean, n, items=items),
            difference_against_arms(change, end, mean),
            sd_against_se(sd, se, n),
            sd_against_scale(mean, sd, 0, 10, n=n),
            sd_against_interval(sd, low, high, n),
            same_value(mean, shown(float(before.mean()), decimals + 1, rng)),
        ]
        if sd.value > 0:
            d = shown(abs(float((after - before).mean())) / spread, 2, rng)
            found.append(standardised_against_difference(d, change, [sd]))
        bad = {one.verdict for one in found} - {CONSISTENT, NOT_CHECKABLE}
        assert not bad, (before, after, found)


def test_two_prints_of_one_p():
    rng = np.random.default_rng(5)
    for _ in range(1000):
        p = float(rng.uniform(0.0002, 0.6))
        one, other = shown_p(p, rng), shown_p(p, rng)
        assert same_p(one, other).verdict == CONSISTENT, (p, one, other)


# What a slip does to print, and the least share of slips that is found. The share is what these
# checks find at the precision papers print; what they miss would still be possible numbers.


def rate(found):
    return sum(one.verdict == INCONSISTENT for one in found) / len(found)


def trials(seed, count=600):
    """Two-decimal results of t analyses with 40 to 200 people and p between 0.002 and 0.6."""
    rng = np.random.default_rng(seed)
    while count:
        df, se = float(rng.integers(38, 198)), rng.uniform(0.2, 0.6)
        estimate = rng.normal(0, 1.5) * se
        p = 2 * float(stats.t.sf(abs(estimate) / se, df))
        if 0.002 < p < 0.6:
            count -= 1
            half = stats.t.isf(0.025, df) * se
            three = [
                Printed(round(float(x), 2), 2)
                for x in (estimate, estimate - half, estimate + half)
            ]
            yield three, p, df, rng


def test_a_p_value_of_another_result_is_found():
    known, unknown = [], []
    for three, p, df, rng in trials(6):
        other = min(0.99, p * (3 if rng.random() < 0.5 else 1 / 3))
        value = PrintedP("=", round(other, 3), 3)
        known.append(p_against_interval(*three, value, fewest_df=df / 2))
        unknown.append(p_against_interval(*three, value))
    # 99.8% where the number of people is known, 76% where any degrees of freedom are possible.
    assert rate(known) > 0.99
    assert rate(unknown) > 0.7


def test_a_lost_minus_sign_is_found():
    found = []
    for (estimate, low, high), *_ in trials(7):
        lost = Printed(-low.value if low.value < 0 else low.value, 2)
        if low.value < 0 and lost.value <= high.value:
            found.append(estimate_at_centre(estimate, lost, high))
        elif low.value < 0:
            found.append(estimate_at_centre(estimate, high, lost))
    # 93%; the rest lie so near to 0 that the sign moves them by less than a tenth of the width.
    assert rate(found) > 0.9


def test_an_estimate_of_another_row_is_found():
    rows = [three for three, *_ in trials(8)]
    found = [
        estimate_at_centre(other[0], low, high)
        for (estimate, low, high), other in itertools.pairwise(rows)
        # A slip that matters: a quarter of the width or more.
        if abs(other[0].value - estimate.value) > 0.25 * (high.value - low.value)
    ]
    assert rate(found) == 1


@pytest.mark.parametrize(("n", "least"), [(10, 0.85), (20, 0.75), (39, 0.6)])
def test_a_percentage_of_other_people_is_found(n, least):
    # Of 99 whole percentages about n are of n people: GRIM's own limit.
    found = [percent_against_n(Printed(float(percent), 0), n) for percent in range(1, 100)]
    assert rate(found) > least


def test_an_se_printed_as_an_sd_is_found():
    rng = np.random.default_rng(9)
    found = []
    for _ in range(300):
        n, spread = int(rng.integers(8, 100)), rng.uniform(1, 3)
        se = Printed(round(spread / math.sqrt(n), 2), 2)
        half = float(stats.t.isf(0.025, n - 1)) * spread / math.sqrt(n)
        low, high = Printed(round(5 - half, 2), 2), Printed(round(5 + half, 2), 2)
        found += [sd_against_se(se, se, n), sd_against_interval(se, low, high, n)]
    assert rate(found) == 1


def test_a_wrong_difference_of_arms_is_found():
    rng = np.random.default_rng(10)
    found = []
    for _ in range(300):
        one, other = (Printed(round(float(x), 1), 1) for x in rng.uniform(-3, 0, 2))
        # Further off than the rounding of three numbers with one decimal.
        wrong = Printed(round(one.value - other.value + 0.2 * rng.choice([-1, 1]), 1), 1)
        found.append(difference_against_arms(wrong, one, other))
    assert rate(found) == 1
