"""The explore page computes in JavaScript what the package computes in Python, to 1e-9."""

import numpy as np
import pytest
from scipy.stats import chi2, norm, t

from explore_node import AGREEMENT, ask, gap
from ldn_meta.display import words as wording
from ldn_meta.stats.arrays import CI_METHODS, PI_METHODS, TAU2_METHODS
from ldn_meta.stats.pool import NUMBERS, pool

# Two maxima of the likelihood: inside although the score at 0 is negative (PEERS.md section 2),
# and at 0, where metafor's iteration does not converge.
TWO_MAXIMA = (
    (
        (0.202708, 0.431268, 0.196954, -0.058715, 2.326389),
        (0.195864, 0.026169, 0.340638, 0.434471, 0.477374),
    ),
    (
        (-0.904841, 0.657844, 0.337826, 0.326798, 1.846501),
        (0.445883, 0.387687, 0.128092, 0.048903, 0.493837),
    ),
)
# Numbers that JavaScript gives too, and their unit in terms of the smallest standard error: what
# is 0 but for rounding is measured against what it was computed from.
UNITS = {
    **dict.fromkeys(("estimate", "ci_low", "ci_high", "pi_low", "pi_high"), 1),
    **dict.fromkeys(("tau2", "tau2_ci_low", "tau2_ci_high"), 2),
    **dict.fromkeys(("q", "i2_pct"), 0),
}
# Below this, p-values vanish in one of the two a little sooner than in the other.
SMALLEST_P = 1e-290
NOT_GIVEN = {"statistic", "h2", "q_df", "i2_tau2_pct"}


def random_sets(rng):
    """Effects of 0 to 30 trials: scattered, close together, tied, of very unequal precision."""
    for y, v in TWO_MAXIMA:
        yield np.array(y), np.array(v)
        for _ in range(6):
            yield np.array(y) + rng.normal(0, 0.01, len(y)), np.array(v)
    for _ in range(150):
        k = int(rng.integers(1, 31))
        v = 10 ** rng.uniform(-rng.uniform(0, 4), 0, k) * rng.choice([1e-3, 1.0, 1e3])
        y = rng.normal(rng.normal(), np.sqrt(v + rng.choice([0.0, 0.1, 1.0, 10.0]) * v.mean()))
        kind = int(rng.integers(0, 6))
        if kind == 0:
            y, v = np.round(y, 1), np.full(k, v[0])
        if kind == 1:
            y = y.mean() + 1e-3 * (y - y.mean())
        if kind == 2:
            y[0] += 4 * np.sqrt(v.max())
        yield y, v
    yield np.array([0.3, 0.3, 0.3]), np.array([0.1, 0.1, 0.2])
    yield np.array([]), np.array([])


def test_pools_agree():
    rng = np.random.default_rng(20261125)
    tried = []
    for yi, vi in random_sets(rng):
        for tau2_method in TAU2_METHODS:
            options = {
                "tau2_method": tau2_method,
                "ci_method": str(rng.choice(CI_METHODS)),
                "pi_method": str(rng.choice(PI_METHODS)),
                "level": float(rng.choice([0.8, 0.9, 0.95, 0.99])),
            }
            tried.append((yi, vi, options))
    answers = ask([["pool", yi.tolist(), vi.tolist(), options] for yi, vi, options in tried])
    worst = dict.fromkeys((*NUMBERS, "weight_pct"), 0.0)
    several = 0
    for (yi, vi, options), found in zip(tried, answers, strict=True):
        expected = pool(yi, vi, **options)
        unit = np.sqrt(vi.min(initial=np.inf))
        for name in set(NUMBERS) - NOT_GIVEN:
            scale = unit ** UNITS[name] if name in UNITS else SMALLEST_P
            apart = gap([found[name]], [getattr(expected, name)], scale=scale)
            worst[name] = max(worst[name], apart)
        apart = gap(found["weight_pct"], expected.weight_pct, scale=1e-3)
        worst["weight_pct"] = max(worst["weight_pct"], apart)
        has_several = "more than one maximum" in " ".join(expected.notes)
        assert found["several"] == has_several, (yi, vi, options)
        several += has_several
    assert several > 10, "the battery must hold likelihoods with more than one maximum"
    assert max(worst.values()) < AGREEMENT, worst


def test_the_number_of_trials_decides_where_no_interval_is_named():
    model = {
        "tau2_method": "reml",
        "ci_method": None,
        "two_trials": 2,
        "ci_method_two_trials": "wald",
        "ci_method_more_trials": "knapp-hartung-floored",
        "pi_method": "k-1",
        "level": 0.95,
    }
    two, three = ask([["pool", [0.1, 0.2, 0.6][:k], [0.1] * k, model] for k in (2, 3)])
    assert (two["ci_method"], three["ci_method"]) == ("wald", "knapp-hartung-floored")


def test_distributions_agree_with_scipy():
    asked, expected = [], []
    for df in (1, 2, 3, 4, 7, 10, 29, 30, 200):
        for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999):
            asked.append(["tQuantile", level, df])
            expected.append(t.isf((1 - level) / 2, df))
            for chance in ((1 - level) / 2, (1 + level) / 2):
                asked.append(["chi2Quantile", chance, df])
                expected.append(chi2.isf(chance, df))
        for x in (0.0, 0.01, 0.1, 1.0, 2.5, 9.0, 40.0, 300.0):
            asked += [["tTails", -x, df], ["chi2Tail", x, df], ["normalTails", x]]
            expected += [2 * t.sf(x, df), chi2.sf(x, df), 2 * norm.sf(x)]
    levels = (0.1, 0.5, 0.8, 0.95, 0.999, 1 - 1e-9)
    asked += [["normalQuantile", level] for level in levels]
    expected += [norm.isf((1 - level) / 2) for level in levels]
    found = ask([["distribution", *one] for one in asked])
    apart = [gap([a], [b], scale=SMALLEST_P) for a, b in zip(found, expected, strict=True)]
    worst = int(np.argmax(apart))
    assert apart[worst] < 1e-12, asked[worst]


def test_distributions_agree_with_closed_forms_and_printed_tables():
    asked = [["tTails", 1e-6, 1], ["tQuantile", 0.9, 1], ["tQuantile", 0.9, 2], ["tTails", 1.0, 2]]
    found = ask([["distribution", *one] for one in asked])
    # Cauchy: 1 - 2 atan(t) / pi, tan(pi level / 2); on 2 df: level sqrt(2 / (1 - level^2)).
    closed = [1 - 2 * np.arctan(1e-6) / np.pi, np.tan(0.45 * np.pi), 0.9 * np.sqrt(2 / 0.19)]
    assert gap(found, [*closed, 1 - 1 / np.sqrt(3)]) < 1e-14
    # 97.5% of t on 1 and 10 degrees of freedom, 95% of chi-squared on 1 and 10, 97.5% of normal.
    printed = [
        *(["tQuantile", 0.95, 1], ["tQuantile", 0.95, 10]),
        *(["chi2Quantile", 0.05, 1], ["chi2Quantile", 0.05, 10], ["normalQuantile", 0.95]),
    ]
    table = ask([["distribution", *one] for one in printed])
    assert table == pytest.approx([12.706, 2.228, 3.841, 18.307, 1.960], abs=5e-4)


def test_numbers_are_written_alike():
    rng = np.random.default_rng(3)
    values = [*(rng.normal(0, 10 ** rng.uniform(-4, 4)) for _ in range(300)), 0.0, -0.001]
    # Ties that are exact in binary: to even.
    values += [sign * n / 8 for n in range(1, 40) for sign in (-1, 1)]
    for digits in (0, 1, 2, 3):
        found = ask([["word", "fixed", float(value), digits] for value in values])
        expected = [wording.fixed(value, digits).replace("-", "\u2212") for value in values]
        assert found == expected
    p_values = [0.0, 0.0009, 0.001, 0.0495, 0.5, 1.0]
    assert ask([["word", "pValue", p] for p in p_values]) == [wording.p_value(p) for p in p_values]
    assert ask([["word", "minus", "-1.3; -.5 of 0-10, p-value"]]) == [
        "\u22121.3; \u2212.5 of 0-10, p-value"
    ]
