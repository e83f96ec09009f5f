"""REML and ML at the global maximum; Paule-Mandel and Q-profile at their roots."""

from fractions import Fraction

import numpy as np
import pytest

import ldn_meta.stats.tau2
from ldn_meta.errors import ConvergenceError, LdnMetaError
from ldn_meta.stats.pool import pool, pool_many
from ldn_meta.stats.tau2 import tau2_estimate
from reference_values import generic_sets
from stats.batteries import many_trials, most_memory, sizes

# PEERS.md section 2: the global maximum is inside although the score at 0 is negative.
INSIDE = (
    (0.202708, 0.431268, 0.196954, -0.058715, 2.326389),
    (0.195864, 0.026169, 0.340638, 0.434471, 0.477374),
)
# The same place: metafor's iteration does not converge; the answer is 0.
METAFOR_FAILS = (
    (-0.904841, 0.657844, 0.337826, 0.326798, 1.846501),
    (0.445883, 0.387687, 0.128092, 0.048903, 0.493837),
)


def log_likelihood(y, v, tau2, *, restricted):
    """Plain formula; y, v (..., 1, k) against tau2 (..., g, 1)."""
    w = 1 / (v + tau2)
    mu = (w * y).sum(-1, keepdims=True) / w.sum(-1, keepdims=True)
    value = -0.5 * (np.log(v + tau2).sum(-1) + (w * (y - mu) ** 2).sum(-1))
    return value - 0.5 * np.log(w.sum(-1)) if restricted else value


def exact_score(y, v, tau2, *, restricted):
    """Half-scores N and D in rational arithmetic: no rounding at all."""
    y, v, tau2 = [Fraction(x) for x in y], [Fraction(x) for x in v], Fraction(tau2)
    w = [1 / (x + tau2) for x in v]
    total = sum(w)
    mu = sum(a * b for a, b in zip(w, y, strict=True)) / total
    n = sum((a * (b - mu)) ** 2 for a, b in zip(w, y, strict=True))
    d = total - sum(a * a for a in w) / total if restricted else total
    return n, d


def exact_q(y, v, tau2):
    y, v, tau2 = [Fraction(x) for x in y], [Fraction(x) for x in v], Fraction(tau2)
    w = [1 / (x + tau2) for x in v]
    mu = sum(a * b for a, b in zip(w, y, strict=True)) / sum(w)
    return sum(a * (b - mu) ** 2 for a, b in zip(w, y, strict=True))


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_blocks_of_the_search_change_no_bit(method, monkeypatch):
    """Two maxima among the sets, so that deviances are compared too."""
    y = [[0.202708, 0.431268, 0.196954, -0.058715, 2.326389], [0.1, 0.4, 0.2, 0.9, 0.3]]
    v = [[0.195864, 0.026169, 0.340638, 0.434471, 0.477374], [0.01, 0.02, 0.01, 0.04, 0.02]]
    whole = tau2_estimate(y, v, method=method)
    monkeypatch.setattr(ldn_meta.stats.tau2, "BLOCK_NUMBERS", 1)
    np.testing.assert_array_equal(tau2_estimate(y, v, method=method), whole)


def test_the_search_takes_little_memory_for_very_many_trials():
    """The points of the search in blocks: all at once they took 1.8 GB for a million trials."""
    y, v = many_trials(200_000)
    assert most_memory(lambda: tau2_estimate(y, v)) < 120e6


def test_bimodal_set_with_the_maximum_inside():
    y, v = INSIDE
    n, d = exact_score(y, v, 0.0, restricted=True)
    assert n < d, "the score at 0 is negative, so the shortcut would answer 0"
    assert tau2_estimate(y, v) == pytest.approx(0.2179, abs=5e-5)
    assert "more than one maximum" in " ".join(pool(y, v).notes)


def test_set_on_which_metafor_fails():
    assert tau2_estimate(*METAFOR_FAILS) == 0.0


@pytest.mark.parametrize(
    ("restricted", "m"), [(True, 1429), (False, 300)], ids=["reml-10000", "ml-2100"]
)
@sizes("steps", 150, 240)
def test_small_random_sets_have_no_missed_maximum(restricted, m, steps):
    """Against a fine grid of the likelihood; k from 2 to 8, variances spanning up to 1:1000."""
    rng = np.random.default_rng(20261122)
    method = "reml" if restricted else "ml"
    misses, several = 0, 0
    for k in range(2, 9):
        span = rng.uniform(0, 3, (m, 1))
        v = 10 ** rng.uniform(-span, 0, (m, k)) * rng.choice([1e-3, 1.0, 1e3], (m, 1))
        spread = rng.choice([0.0, 0.1, 1.0, 10.0], (m, 1)) * v.mean(-1, keepdims=True)
        y = rng.normal(0, np.sqrt(v + spread))
        wild = rng.random(m) < 0.3
        y[wild, 0] += 3 * np.sqrt(v[wild].max(-1))
        ours = tau2_estimate(y, v, method=method)
        top = v.max(-1) + (y.max(-1) - y.min(-1)) ** 2
        low = np.log(v.min(-1) * 1e-3)
        step = np.linspace(0, 1, steps)
        grid = np.exp(low[:, None] + step * (np.log(top * 4) - low)[:, None])
        grid = np.concatenate([np.zeros((m, 1)), grid], axis=1)
        at = (y[:, None, :], v[:, None, :])
        best = log_likelihood(*at, grid[..., None], restricted=restricted).max(-1)
        mine = log_likelihood(*at, ours[:, None, None], restricted=restricted)[:, 0]
        misses += int((mine < best - 1e-9).sum())
        result = pool_many(y, v, tau2_method=method)
        several += sum(int(note.split()[0]) for note in result.notes if "maximum;" in note)
    assert misses == 0
    assert several >= 10, "the battery must contain bimodal sets to prove anything"


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_score_is_zero_at_our_answer(method):
    """metafor stops when a step is small; the definition of the estimate is a zero score."""
    positive = 0
    for one in generic_sets():
        tau2 = float(tau2_estimate(one["yi"], one["vi"], method=method))
        n, d = exact_score(one["yi"], one["vi"], tau2, restricted=method == "reml")
        if tau2 > 0.0:
            positive += 1
            assert abs(float(n / d) - 1.0) < 1e-11, one["name"]
        else:
            assert n <= d, one["name"]
    assert positive >= 4


@pytest.mark.parametrize("method", ["pm", "eb"])
def test_generalised_q_is_k_minus_1_at_our_answer(method):
    for one in generic_sets():
        tau2 = float(tau2_estimate(one["yi"], one["vi"], method=method))
        q, df = exact_q(one["yi"], one["vi"], tau2), len(one["yi"]) - 1
        if tau2 > 0.0:
            assert float(q) == pytest.approx(df, rel=1e-11)
        else:
            assert q <= df


def test_q_profile_limits_reach_their_quantiles():
    """Chi-squared quantiles from a printed table (95%: 0.025 and 0.975 on 12 df)."""
    one = generic_sets()[0]
    result = pool(one["yi"], one["vi"])
    assert float(exact_q(one["yi"], one["vi"], result.tau2_ci_low)) == pytest.approx(
        23.337, abs=5e-4
    )
    assert float(exact_q(one["yi"], one["vi"], result.tau2_ci_high)) == pytest.approx(
        4.404, abs=5e-4
    )


def test_q_profile_is_not_capped():
    """PEERS.md: metafor's default returns its cap, 100, where the true bound is 246.4."""
    result = pool([-1.0, 0.5], [0.1, 0.2])
    assert result.tau2_ci_high > 1000
    q = exact_q([-1.0, 0.5], [0.1, 0.2], result.tau2_ci_high)
    assert float(q) == pytest.approx(0.000982069, rel=1e-6)


@pytest.mark.parametrize("method", ["dl", "he", "hs", "sj", "ml", "reml", "eb", "pm"])
def test_extreme_scales_are_exact_rescalings(method):
    y = np.array([0.1, 0.9, -0.4, 0.7])
    v = np.array([0.01, 0.04, 0.09, 0.02])
    plain = tau2_estimate(y, v, method=method)
    for scale in (1e-12, 1.0, 1e12):
        scaled = tau2_estimate(y * np.sqrt(scale), v * scale, method=method)
        assert scaled == pytest.approx(plain * scale, rel=1e-11)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_very_unequal_variances(method):
    """Weights span 1e24; the answer must still make the exact score vanish."""
    v = [1e-12, 1e-6, 1.0, 1e6, 1e12]
    for y in (
        [0.0, 1e-5, 2.0, -3e3, 1e6],
        [0.0, 1.0, 2.0, -3.0, 1e6],
        [0.0, 1e-3, 1e-3, 1e-3, 0.0],
        [0.0, 1e3, -1e3, 1e3, -1e3],
    ):
        tau2 = float(tau2_estimate(y, v, method=method))
        n, d = exact_score(y, v, tau2, restricted=method == "reml")
        if tau2 > 0.0:
            assert abs(float(n / d) - 1.0) < 1e-9
        else:
            assert n <= d
        grid = np.concatenate([[0.0], np.geomspace(1e-15, 1e14, 4000)])
        at = np.array(y)[None], np.array(v)[None]
        best = log_likelihood(*at, grid[:, None], restricted=method == "reml").max()
        assert (
            log_likelihood(*at, np.array([[tau2]]), restricted=method == "reml")[0] > best - 1e-8
        )


def test_q_profile_and_pm_with_very_unequal_variances():
    v = [1e-12, 1e-6, 1.0, 1e6, 1e12]
    for y in ([0.0, 1e-5, 2.0, -3e3, 1e6], [0.0, 1.0, 2.0, -3.0, 1e6]):
        result = pool(y, v, tau2_method="pm")
        assert float(exact_q(y, v, result.tau2)) == pytest.approx(4.0, rel=1e-9)
        for limit, target in ((result.tau2_ci_low, 11.1433), (result.tau2_ci_high, 0.484419)):
            assert float(exact_q(y, v, limit)) == pytest.approx(target, rel=1e-5)


def test_convergence_error_names_method_iterations_and_last_step(monkeypatch):
    one = generic_sets()[0]
    monkeypatch.setattr(ldn_meta.stats.tau2, "MAX_ITERATIONS", 1)
    monkeypatch.setattr(ldn_meta.stats.tau2, "STEP_TOLERANCE", 0.0)
    with pytest.raises(ConvergenceError, match=r"reml: .* 1 iterations .*\(last step \S+ of.*use"):
        tau2_estimate(one["yi"], one["vi"], method="reml")
    monkeypatch.setattr(ldn_meta.stats.tau2, "MAX_ITERATIONS", 1)
    with pytest.raises(ConvergenceError, match=r"pm: .* 1 iterations .*\(last step \S+ of.*use"):
        tau2_estimate(one["yi"], one["vi"], method="pm")
    assert issubclass(ConvergenceError, LdnMetaError)


@pytest.mark.parametrize("method", ["ml", "reml", "pm"])
def test_the_largest_numbers_allowed(method):
    result = pool([1e30, -1e30, 0.0], [1e-30, 1e30, 1.0], tau2_method=method)
    assert result.tau2 == pytest.approx(1e60 * (1.0 if method != "ml" else 2 / 3), rel=1e-9)
