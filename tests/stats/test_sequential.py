"""Sequential boundaries and information sizes: R, published values, exact probabilities."""

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal, norm

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import pool
from ldn_meta.stats.sequential import (
    LARGEST_Z,
    Walk,
    futility_boundaries,
    information_size_of_means,
    information_size_of_risks,
    obf_boundaries,
    sequential_look,
    solve,
    spent_by_obf,
)
from stats.batteries import anew, sizes

FIFTHS = np.arange(1, 6) / 5
REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "information_size.json").read_text(encoding="utf-8")
)


def hwang_shih_decani(t, error, gamma):
    return error * (1 - np.exp(-gamma * t)) / (1 - np.exp(-gamma))


def one_sided(t, spent):
    """Boundaries of a trial that stops on one side only, by the recursion of two sides."""
    walk, found = Walk(), []
    for time, gain in zip(t, np.diff(spent, prepend=0.0), strict=True):
        found.append(solve(partial(walk.above, time), gain, -LARGEST_Z, LARGEST_Z))
        walk.go_on(time, [(-np.inf, found[-1])])
    return found


def by_quadrature(t, first, second, third, drift=0.0):
    """P(Z1, Z2, Z3 each in its interval), drift at information 1, as one integral over the second.

    Given the second score, the first and the third are independent normals: the product of two
    closed forms is integrated, to ten digits.
    """
    t1, t2, t3 = t
    bridge, step = np.sqrt(t1 * (1 - t1 / t2)), np.sqrt(t3 - t2)

    def inside(interval, centre, sd, root):
        low, high = interval
        return norm.cdf((high * root - centre) / sd) - norm.cdf((low * root - centre) / sd)

    def density(score):
        return (
            norm.pdf(score, drift * t2, np.sqrt(t2))
            * inside(first, score * t1 / t2, bridge, np.sqrt(t1))
            * inside(third, score + drift * (t3 - t2), step, np.sqrt(t3))
        )

    low, high = (z * np.sqrt(t2) for z in second)
    return quad(density, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]


def test_five_looks_agree_with_ldbounds_and_gsdesign():
    """Lan-DeMets OBF-type, two-sided 0.05, as printed by ldbounds and gsDesign (sfLDOF)."""
    published = [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]
    # ldbounds integrates on a coarser grid: its second look is 1e-4 low.
    np.testing.assert_allclose(obf_boundaries(FIFTHS), published, atol=1.2e-4)


def test_four_looks_one_sided_agree_with_seqbounds():
    """Julia's SeqBounds 0.1, README: one-sided 0.05, step 0.05."""
    published = [3.74955, 2.53993, 2.01604, 1.72014]
    t = np.arange(1, 5) / 4
    ours = one_sided(t, spent_by_obf(t, 0.05))
    np.testing.assert_allclose(ours, published, atol=5e-5)


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming"),
    [
        (2, 2.178, 1.977),
        (3, 2.289, 2.004),
        (4, 2.361, 2.024),
        (5, 2.413, 2.040),
        (10, 2.555, 2.087),
    ],
)
def test_recursion_gives_five_per_cent_at_published_constants(looks, pocock, obrien_fleming):
    """Jennison and Turnbull 2000, tables 2.1 and 2.3, alpha 0.05: constants to three digits."""
    for constant, power in ((pocock, 0.0), (obrien_fleming, 0.5)):
        for off, sign in ((-0.0006, 1), (0.0006, -1)):
            walk, spent = Walk(), 0.0
            for k in range(1, looks + 1):
                z = (constant + off) * (looks / k) ** power
                spent += 2 * walk.above(k / looks, z)
                walk.go_on(k / looks, [(-z, z)])
            assert sign * (spent - 0.05) > 0


def test_non_binding_futility_agrees_with_gsdesign():
    """gsDesign test.type 4, k = 5, alpha 0.025, beta 0.1, HSD(-4), HSD(-2): printed snapshot."""
    boundary = one_sided(FIFTHS, hwang_shih_decani(FIFTHS, 0.025, -4))
    np.testing.assert_allclose(boundary, [3.25, 2.99, 2.69, 2.37, 2.03], atol=0.0051)
    gains = np.diff(hwang_shih_decani(FIFTHS, 0.1, -2), prepend=0.0)

    def futility(drift):
        walk, found = Walk(drift), []
        for t, gain, upper in zip(FIFTHS, gains, boundary, strict=True):
            found.append(solve(partial(walk.below, t), gain, -LARGEST_Z, LARGEST_Z))
            walk.go_on(t, [(found[-1], upper)])
        return found

    drift = brentq(lambda drift: futility(drift)[-1] - boundary[-1], 3, 4)
    np.testing.assert_allclose(futility(drift), [-0.90, -0.04, 0.69, 1.36, 2.03], atol=0.0051)
    np.testing.assert_allclose(
        ndtr(futility(drift)), [0.1836, 0.4853, 0.7563, 0.9131, 0.9786], atol=6e-5
    )
    # 882 people at most where a fixed design needs 800.
    assert 881 / 800 < (drift / (ndtri(0.975) + ndtri(0.9))) ** 2 <= 882 / 800


def test_two_looks_by_quadrature():
    """P(|Z1| < b1, |Z2| >= b2) as a single integral, to ten digits."""
    t1, t2 = 0.37, 0.81
    b1, b2 = obf_boundaries([t1, t2])
    spent = 2 * spent_by_obf(np.array([t1, t2]), 0.025)
    assert 2 * norm.sf(b1) == pytest.approx(spent[0], rel=1e-12)

    def second(z):
        rest = np.sqrt(t2 - t1)
        up = (b2 * np.sqrt(t2) - z * np.sqrt(t1)) / rest
        down = (-b2 * np.sqrt(t2) - z * np.sqrt(t1)) / rest
        return norm.pdf(z) * (norm.sf(up) + norm.cdf(down))

    found, _ = quad(second, -b1, b1, epsabs=1e-14, epsrel=1e-12)
    assert found == pytest.approx(spent[1] - spent[0], rel=1e-9)


@pytest.mark.parametrize("t", [[0.3, 0.6, 1.0], [0.1, 0.2, 0.9], [0.4, 0.41, 0.9]])
def test_third_look_by_quadrature(t):
    b = obf_boundaries(t)
    gain = np.diff(2 * spent_by_obf(np.array(t), 0.025))[1]
    beyond = [(-np.inf, -b[2]), (b[2], np.inf)]
    found = sum(by_quadrature(t, (-b[0], b[0]), (-b[1], b[1]), end) for end in beyond)
    assert found == pytest.approx(gain, rel=1e-8)


def test_four_looks_by_multivariate_normal():
    """Genz's integral, good to a few in a million, against all four looks together."""
    t = np.array([0.25, 0.5, 0.75, 1.0])
    b = obf_boundaries(t)
    cov = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    inside = multivariate_normal.cdf(b, lower_limit=-b, cov=cov, abseps=1e-7, maxpts=200_000)
    assert 1 - inside == pytest.approx(0.05, abs=3e-5)


def test_power_of_a_design_with_futility_by_quadrature():
    """Under the drift: what the wedge stops and the last look misses is beta, look by look."""
    t = np.array([0.4, 0.7, 1.0])
    design = futility_boundaries(t, power=0.9)
    gains = np.diff(spent_by_obf(t, 0.1), prepend=0.0)
    b, f, d = design.boundary, design.futility, design.drift
    shift = d * np.sqrt(0.4)
    assert norm.cdf(f[0] - shift) - norm.cdf(-f[0] - shift) == pytest.approx(gains[0], rel=1e-10)
    anywhere = (-np.inf, np.inf)
    on = [[(f[i], b[i]), (-b[i], -f[i])] for i in range(2)]
    second = sum(by_quadrature(t, one, (-f[1], f[1]), anywhere, d) for one in on[0])
    assert second == pytest.approx(gains[1], rel=1e-8)
    third = sum(by_quadrature(t, one, two, (-b[2], b[2]), d) for one in on[0] for two in on[1])
    assert third == pytest.approx(gains[2], rel=1e-8)
    assert f[2] == b[2]


@sizes("count", 300_000, 1_000_000)
def test_spent_error_by_simulation(count):
    """The share that ever crosses is alpha, within four standard errors."""
    t = np.array([0.2, 0.5, 0.8, 1.0])
    steps = np.random.default_rng(7).standard_normal((4, count))
    walk = np.cumsum(steps * np.sqrt(np.diff(t, prepend=0.0))[:, None], axis=0)
    ever = (np.abs(walk) >= (obf_boundaries(t) * np.sqrt(t))[:, None]).any(axis=0)
    assert abs(ever.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / count)


def test_one_look_is_the_ordinary_test():
    assert obf_boundaries([1.0])[0] == pytest.approx(1.959963984540054, rel=1e-12)
    one = futility_boundaries([1.0], power=0.9)
    # That Z may come out below minus the boundary adds next to nothing.
    assert one.inflation == pytest.approx(1.0, rel=1e-5)
    assert one.drift == pytest.approx(ndtri(0.975) + ndtri(0.9), rel=1e-5)


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_boundaries_fall_and_do_not_look_ahead(alpha, seed=8):
    rng = np.random.default_rng(seed)
    for looks in (1, 2, 3, 5, 5):
        t = np.unique(np.round(rng.uniform(0.01, 1.0, looks), 2))
        bounds = obf_boundaries(t, alpha=alpha)
        assert (bounds > ndtri(1 - alpha / 2) - 1e-9).all()
        np.testing.assert_allclose(obf_boundaries(t[:1], alpha=alpha), bounds[:1], rtol=1e-12)


YI, VI = [-0.34, 0.49, -0.8, 0.1], [0.097, 0.173, 0.2, 0.05]


def test_cumulative_z_is_the_pool_of_the_trials_so_far():
    order = [2, 0, 3, 1]
    look = sequential_look(YI, VI, minimal_effect=1, order=order, tau2_method="dl")
    information = look.information_fraction * look.required_information
    for k in range(1, 5):
        y, v = np.array(YI)[order[:k]], np.array(VI)[order[:k]]
        one = pool(y, v, tau2_method="dl", ci_method="wald")
        fixed = pool(y, v, tau2_method="common", ci_method="wald")
        assert look.z[k - 1] == pytest.approx(one.statistic, rel=1e-12)
        assert look.estimate[k - 1] == pytest.approx(one.estimate, rel=1e-12)
        assert information[k - 1] == pytest.approx(1 / fixed.se**2)
        so_far = sequential_look(y, v, minimal_effect=1, tau2_method="dl")
        assert so_far.diversity == pytest.approx(1 - fixed.se**2 / one.se**2, abs=1e-12)
    assert so_far.diversity == look.diversity > 0
    assert sequential_look(YI[:1], VI[:1], minimal_effect=1).diversity == 0


def test_a_look_by_hand():
    look = sequential_look(YI, VI, minimal_effect=-1, people=[99, 96, 40, 200], diversity=0.58)
    needed = (1.959963984540054 + 0.8416212335729143) ** 2 / 0.42
    assert look.required_information == pytest.approx(needed)
    fraction = np.cumsum(1 / np.array(VI)) / needed
    np.testing.assert_allclose(look.information_fraction, fraction)
    assert look.required_people == pytest.approx(435 / fraction[-1])
    assert fraction[0] < 1 < fraction[2]
    np.testing.assert_allclose(look.boundary[:2], obf_boundaries(fraction[:2]))
    np.testing.assert_allclose(look.boundary[2], obf_boundaries([*fraction[:2], 1.0])[2])
    assert np.isnan(look.boundary[3]) and np.isnan(look.futility[3])
    assert look.crossed[3] == "not defined"
    assert look.futility[2] == look.boundary[2]
    assert any("required information was passed" in note for note in look.notes)
    assert look.labels == ("trial 1", "trial 2", "trial 3", "trial 4")


def test_fraction_is_that_of_people_where_variances_are_sd_squared_times_four_over_n():
    people = np.array([40, 60, 100])
    sd, vi = 2.5, 4 * 2.5**2 / np.array([40, 60, 100])
    look = sequential_look(
        [0.1, 0.2, 0.3], vi, minimal_effect=1, people=people, tau2_method="common"
    )
    # N = 4 (z_alpha/2 + z_beta)^2 sd^2 / effect^2, two equal groups together.
    size = 4 * (ndtri(0.975) + ndtri(0.8)) ** 2 * sd**2
    assert look.required_people == pytest.approx(size)
    np.testing.assert_allclose(look.information_fraction, np.cumsum(people) / size)


def test_what_was_crossed():
    strong = sequential_look([-1.5, -1.5], [0.1, 0.1], minimal_effect=1, diversity=0.0)
    assert strong.crossed[0] == "effect (negative)"
    assert sequential_look([1.5], [0.1], minimal_effect=1).crossed == ("effect (positive)",)
    assert sequential_look([0.01], [0.15], minimal_effect=1).crossed == ("futility",)
    assert sequential_look([0.9], [0.3], minimal_effect=1).crossed == ("none",)


def test_too_little_information_has_no_boundary():
    look = sequential_look([1.0, 1.0], [50.0, 0.5], minimal_effect=1, tau2_method="common")
    assert np.isnan(look.boundary[0]) and not np.isnan(look.boundary[1])
    assert look.crossed[0] == "not defined"
    assert any("no boundary at looks before 0.01" in note for note in look.notes)
    nothing = sequential_look([1.0], [50.0], minimal_effect=1)
    assert np.isnan(nothing.inflation)
    assert any("diversity rests on 1 trial:" in note for note in nothing.notes)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: obf_boundaries([0.5, 0.4]), "do not ascend"),
        (lambda: obf_boundaries([0.5, 0.5001]), "at least 0.001 above"),
        (lambda: obf_boundaries([0.005, 1]), "from 0.01 to 1"),
        (lambda: obf_boundaries([0.5, 1.2]), "from 0.01 to 1"),
        (lambda: obf_boundaries([]), "from 0.01 to 1"),
        (lambda: obf_boundaries([[0.5, 1.0]]), "a list of"),
        (lambda: obf_boundaries([np.nan]), "from 0.01 to 1"),
        (lambda: obf_boundaries([1.0], alpha=5), "alpha=5"),
        (lambda: futility_boundaries([0.5]), "a last look at 1"),
        (lambda: futility_boundaries([1.0], power=80), "power=80"),
        (lambda: sequential_look([], [], minimal_effect=1), "at least one"),
        (lambda: sequential_look([np.nan], [1], minimal_effect=1), "lacks a trial"),
        (lambda: sequential_look([1], [1], minimal_effect=0), "minimal_effect=0"),
        (lambda: sequential_look([1], [1], minimal_effect=1, people=[1, 2]), "people has shape"),
        (lambda: sequential_look([1], [1], minimal_effect=1, labels=["a", "b"]), "labels"),
        (lambda: sequential_look([1, 2], [1, 1], minimal_effect=1, order=[0, 0]), "0 to 1 once"),
        (lambda: sequential_look([1], [1], minimal_effect=1, tau2_method="x"), "method='x'"),
        (lambda: sequential_look([1], [1], minimal_effect=1, diversity=1.0), "diversity: 1"),
        (lambda: information_size_of_means(1.0, 0.0), "sd: 0 is not allowed"),
        (lambda: information_size_of_means(1.0, 1.0, alpha=0.0), "alpha=0.0 is not allowed"),
        (lambda: information_size_of_means(1.0, 1.0, power=1.0), "power=1.0 is not allowed"),
        (lambda: information_size_of_risks(1.2, 0.1), "risk_1: 1.2 is not allowed"),
        (lambda: information_size_of_risks(0.1, -0.1), "risk_2: -0.1 is not allowed"),
        (lambda: information_size_of_risks(0.1, "x"), "risk_2: 'x' has type"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(ArgumentError, match=says):
        call()


def test_the_reference_is_the_full_grid():
    assert {kind: len(REFERENCE[kind]["per_arm"]) for kind in ("risks", "means")} == {
        "risks": 5 * 3 * 2 * 2,
        "means": 3 * 3 * 2 * 2,
    }
    assert {"call", "R", "script"} <= set(REFERENCE["source"])


@pytest.mark.parametrize(
    ("kind", "function", "names"),
    [
        ("risks", information_size_of_risks, ("risk_1", "risk_2")),
        ("means", information_size_of_means, ("difference", "sd")),
    ],
)
def test_sizes_as_power_prop_test_and_the_power_of_the_z_test(kind, function, names):
    table = REFERENCE[kind]
    columns = (*names, "alpha", "power", "per_arm")
    for *data, alpha, power, per_arm in zip(*(table[x] for x in columns), strict=True):
        assert function(*data, alpha=alpha, power=power) == 2 * math.ceil(per_arm)


def test_by_hand():
    # 2 (1.959964 + 0.841621)^2 2^2 / 1^2 = 62.79 an arm.
    assert information_size_of_means(1.0, 2.0) == 2 * 63
    assert information_size_of_means(-1.0, 2.0) == 2 * 63
    # KCE process book, section 5.5.4, read off a figure: about 2000 for a control risk of 0.2 and
    # a relative reduction of 25%.
    assert 1500 < information_size_of_risks(0.2, 0.15) < 2000


def test_the_size_satisfies_its_definition(seed=9):
    rng = np.random.default_rng(seed)
    difference, sd = rng.uniform(0.05, 5, 200), rng.uniform(0.1, 10, 200)
    for power in (0.6, 0.8, 0.99):
        per_arm = information_size_of_means(difference, sd, power=power) / 2

        def power_of(n):
            return ndtr(difference / (sd * np.sqrt(2 / n)) - ndtri(0.975))

        assert (power_of(per_arm) >= power - 1e-9).all()
        fewer = np.maximum(per_arm - 1, 1)
        assert ((per_arm == 1) | (power_of(fewer) < power + 1e-9)).all()


def test_risks_do_not_care_which_arm_is_first(seed=10):
    a, b = np.random.default_rng(seed).uniform(0.01, 0.99, (2, 200))
    found = information_size_of_risks(a, b)
    np.testing.assert_array_equal(found, information_size_of_risks(b, a))


def test_what_is_missing_or_equal():
    found = information_size_of_means([0.0, math.nan, 1.0], 2.0)
    np.testing.assert_array_equal(found, [math.inf, math.nan, 126])
    found = information_size_of_risks([0.2, math.nan], 0.2)
    np.testing.assert_array_equal(found, [math.inf, math.nan])


globals().update(
    anew(
        test_boundaries_fall_and_do_not_look_ahead,
        test_the_size_satisfies_its_definition,
        test_risks_do_not_care_which_arm_is_first,
        examples=7,
    )
)
