"""The explore page computes in JavaScript what the package computes in Python, to 1e-9."""

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, norm, t

from ldn_meta.evidence.explored import explored
from ldn_meta.evidence.multiverse_effects import Normalised
from ldn_meta.evidence.multiverse import NUMBERS, build_multiverse
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.protocol import load_protocol
from ldn_meta.stats.multiverse import combined
from ldn_meta.stats.options import CI_METHODS, PI_METHODS, TAU2_METHODS
from ldn_meta.stats.pool import pool

TESTS = Path(__file__).parent
NODE = shutil.which("node")
AGREEMENT = 1e-9
# Bimodal likelihoods, the second with its global maximum inside (PEERS.md section 2, and the set
# on which metafor's iteration does not converge).
HARD = (
    (
        (0.202708, 0.431268, 0.196954, -0.058715, 2.326389),
        (0.195864, 0.026169, 0.340638, 0.434471, 0.477374),
    ),
    (
        (-0.904841, 0.657844, 0.337826, 0.326798, 1.846501),
        (0.445883, 0.387687, 0.128092, 0.048903, 0.493837),
    ),
)


def node(battery):
    """What the page's own files answer."""
    if NODE is None:
        pytest.skip("node is not installed; the explore page cannot be tried without it")
    done = subprocess.run(
        [NODE, TESTS / "explore_battery.js"],
        input=json.dumps(battery, allow_nan=False),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def as_number(value):
    return np.nan if value is None else float(value)


def differences(found, expected, *, scale=0.0):
    """|found / expected - 1|, relative to `scale` where the expected is smaller than it."""
    ours = np.array([as_number(value) for value in found])
    theirs = np.asarray(expected, dtype=float)
    theirs = np.where(np.isinf(theirs), np.nan, theirs)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    size = np.maximum(np.abs(theirs), scale)
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(theirs) | (ours == theirs), 0.0, np.abs(ours - theirs) / size)


def random_sets(rng):
    """Effects of 1 to 30 trials: spread out, close together, tied, of very unequal precision."""
    for y, v in HARD:
        yield list(y), list(v)
        for _ in range(5):
            yield (np.array(y) + rng.normal(0, 0.01, len(y))).tolist(), list(v)
    for _ in range(180):
        k = int(rng.integers(1, 31))
        v = 10 ** rng.uniform(-rng.uniform(0, 4), 0, k) * rng.choice([1e-3, 1.0, 1e3])
        y = rng.normal(rng.normal(), np.sqrt(v + rng.choice([0.0, 0.1, 1.0, 10.0]) * v.mean()))
        kind = rng.integers(0, 6)
        if kind == 0:
            y = np.round(y, 1)
            v = np.full(k, v[0])
        if kind == 1:
            y = y.mean() + 1e-3 * (y - y.mean())
        if kind == 2:
            y[0] += 4 * np.sqrt(v.max())
        yield y.tolist(), v.tolist()
    yield [0.3, 0.3, 0.3], [0.1, 0.1, 0.2]
    yield [], []


def model(tau2_method, ci_method, pi_method="k-1", level=0.95):
    return {
        "tau2_method": tau2_method,
        "ci_method": ci_method,
        "pi_method": pi_method,
        "level": level,
        "ci_method_two_trials": "wald",
        "ci_method_more_trials": "knapp-hartung-floored",
        "two_trials": 2,
    }


def test_pools_agree():
    rng = np.random.default_rng(20261125)
    tried = []
    for yi, vi in random_sets(rng):
        for tau2_method in TAU2_METHODS:
            ci_method, pi_method = rng.choice(CI_METHODS), rng.choice(PI_METHODS)
            level = float(rng.choice([0.8, 0.9, 0.95, 0.99]))
            tried.append((yi, vi, model(tau2_method, str(ci_method), str(pi_method), level)))
    battery = {"pools": [{"yi": y, "vi": v, "model": m} for y, v, m in tried]}
    worst = {}
    several = 0
    for (yi, vi, m), found in zip(tried, node(battery)["pools"], strict=True):
        names = ("tau2_method", "ci_method", "pi_method", "level")
        expected = pool(yi, vi, **{name: m[name] for name in names})
        # Numbers that are 0 but for rounding are measured against what they were computed from.
        unit = float(np.sqrt(min(vi))) if vi else 1.0
        scales = {
            "estimate": unit, "ci_low": unit, "ci_high": unit, "pi_low": unit, "pi_high": unit,
            "tau2": unit**2, "tau2_ci_low": unit**2, "tau2_ci_high": unit**2, "q": 1.0,
            "i2_pct": 1.0,
        }  # fmt: skip
        for name in (*NUMBERS, "q", "q_pvalue", "tau2_ci_low", "tau2_ci_high"):
            gap = differences([found[name]], [getattr(expected, name)], scale=scales.get(name, 0))
            worst[name] = max(worst.get(name, 0.0), float(gap[0]))
        gap = differences(found["weight_pct"], expected.weight_pct, scale=1e-3)
        worst["weight_pct"] = max(worst.get("weight_pct", 0.0), float(gap.max(initial=0.0)))
        is_several = "more than one maximum" in " ".join(expected.notes)
        assert found["several"] == is_several
        several += is_several
    print(worst)
    assert several > 5, "the battery must hold likelihoods with more than one maximum"
    assert max(worst.values()) < AGREEMENT, worst


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
    asked += [["normalQuantile", level] for level in (0.1, 0.5, 0.8, 0.95, 0.999, 1 - 1e-9)]
    expected += [norm.isf((1 - level) / 2) for level in (0.1, 0.5, 0.8, 0.95, 0.999, 1 - 1e-9)]
    found = node({"distributions": asked})["distributions"]
    gaps = differences(found, expected, scale=1e-290)
    worst = int(gaps.argmax())
    print(gaps[worst], asked[worst])
    assert gaps[worst] < 1e-12, asked[worst]
    # Printed in every table of the t distribution: 97.5% on 1 and on 10 degrees of freedom.
    table = node({"distributions": [["tQuantile", 0.95, 1], ["tQuantile", 0.95, 10]]})
    assert table["distributions"] == pytest.approx([12.706, 2.228], abs=5e-4)
