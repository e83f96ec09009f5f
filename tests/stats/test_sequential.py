"""Sequential boundaries and information sizes against published values and exact probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal, norm

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import pool
from ldn_meta.stats.sequential import (
    Walk,
    cumulative_z,
    futility_boundaries,
    obf_boundaries,
    required_information_size,
    sequential_look,
    spending_boundaries,
    spending_futility,
    spent_by_obf,
)

FIFTHS = np.arange(1, 6) / 5


def hwang_shih_decani(t, error, gamma):
    return error * (1 - np.exp(-gamma * t)) / (1 - np.exp(-gamma))


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
    ours = obf_boundaries([0.25, 0.5, 0.75, 1.0], two_sided=False)
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
    boundary = spending_boundaries(FIFTHS, hwang_shih_decani(FIFTHS, 0.025, -4), two_sided=False)
    np.testing.assert_allclose(boundary, [3.25, 2.99, 2.69, 2.37, 2.03], atol=0.0051)
    design = spending_futility(
        FIFTHS, boundary, hwang_shih_decani(FIFTHS, 0.1, -2), 0.025, two_sided=False
    )
    np.testing.assert_allclose(design.futility, [-0.90, -0.04, 0.69, 1.36, 2.03], atol=0.0051)
    np.testing.assert_allclose(
        ndtr(design.futility), [0.1836, 0.4853, 0.7563, 0.9131, 0.9786], atol=6e-5
    )
    # 882 people at most where a fixed design needs 800.
    assert 881 / 800 < design.inflation <= 882 / 800


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


def test_spent_error_by_simulation():
    """A million walks: the share that ever crosses is alpha, within four standard errors."""
    t = np.array([0.2, 0.5, 0.8, 1.0])
    steps = np.random.default_rng(7).standard_normal((4, 1_000_000))
    walk = np.cumsum(steps * np.sqrt(np.diff(t, prepend=0.0))[:, None], axis=0)
    ever = (np.abs(walk) >= (obf_boundaries(t) * np.sqrt(t))[:, None]).any(axis=0)
    assert abs(ever.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1_000_000)


def test_one_look_is_the_ordinary_test():
    assert obf_boundaries([1.0])[0] == pytest.approx(1.959963984540054, rel=1e-12)
    one = futility_boundaries([1.0], two_sided=False, power=0.9)
    assert one.inflation == pytest.approx(1.0, rel=1e-10)
    assert one.drift == pytest.approx(ndtri(0.95) + ndtri(0.9), rel=1e-10)


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5), st.floats(0.001, 0.2))
def test_boundaries_fall_and_do_not_look_ahead(fractions, alpha):
    t = np.unique(np.round(fractions, 2))
    bounds = obf_boundaries(t, alpha=alpha)
    assert (bounds > ndtri(1 - alpha / 2) - 1e-9).all()
    np.testing.assert_allclose(obf_boundaries(t[:1], alpha=alpha), bounds[:1], rtol=1e-12)


def test_published_information_sizes():
    """Bjelakovic 2013 (PLoS ONE 8:e74558, figure 4) and Thorlund 2010 (Clin Epidemiol 2:57)."""
    # 10% of controls, 15% or 5% fewer with treatment: 48,417 and 456,748 people, diversity "76%".
    shares = []
    for ratio, published in ((0.85, 48_417), (0.95, 456_748)):
        alone = required_information_size(measure="RR", effect=ratio, control_risk=0.1)
        shares.append(1 - alone.people_one_trial / published)
        assert round(shares[-1], 2) == 0.76
        again = required_information_size(
            measure="RR", effect=ratio, control_risk=0.1, diversity=shares[-1]
        )
        assert abs(again.people - published) <= 1
    assert shares[0] == pytest.approx(shares[1], abs=3e-5), "one diversity explains both"
    # 5% of controls, 25% fewer, alpha 1%, power 90%: 19,920. The figure does not say so, but that
    # is the size without spread (15,936) raised by a quarter.
    quarter = required_information_size(
        measure="RR", effect=0.75, control_risk=0.05, alpha=0.01, power=0.9, diversity=0.2
    )
    assert quarter.people == 19_920


def test_information_size_of_a_mean_difference_by_hand():
    # 4 (1.95996 + 0.84162)^2 x 4 / 1 = 125.58; with D2 = 0.5 twice that.
    found = required_information_size(measure="MD", effect=-1.0, sd=2.0)
    assert found.people_one_trial == pytest.approx(125.582, abs=1e-3)
    assert found.people == 126
    assert required_information_size(measure="MD", effect=1, sd=2, diversity=0.5).people == 252
    one_sided = required_information_size(measure="MD", effect=1, sd=2, two_sided=False)
    assert one_sided.people_one_trial == pytest.approx(16 * (1.644854 + 0.841621) ** 2, abs=1e-3)


YI, VI = [-0.34, 0.49, -0.8, 0.1], [0.097, 0.173, 0.2, 0.05]


def test_cumulative_z_is_the_pool_of_the_trials_so_far():
    order = [2, 0, 3, 1]
    found = cumulative_z(YI, VI, order=order, tau2_method="dl")
    for k in range(1, 5):
        y, v = np.array(YI)[order[:k]], np.array(VI)[order[:k]]
        one = pool(y, v, tau2_method="dl", ci_method="wald")
        fixed = pool(y, v, tau2_method="common", ci_method="wald")
        assert found.z[k - 1] == pytest.approx(one.statistic, rel=1e-12)
        assert found.information[k - 1] == pytest.approx(1 / fixed.se**2)
        assert found.diversity[k - 1] == pytest.approx(1 - fixed.se**2 / one.se**2, abs=1e-12)
    assert found.diversity[0] == 0
    assert found.diversity[-1] > 0


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
    size = required_information_size(measure="MD", effect=1, sd=sd)
    assert look.required_people == pytest.approx(size.people_one_trial)
    np.testing.assert_allclose(
        look.information_fraction, np.cumsum(people) / size.people_one_trial
    )


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
        (lambda: size("OR"), "measure='OR'"),
        (lambda: size("MD", effect=1.0), "a number is missing"),
        (lambda: size("MD", effect=0.0, sd=1.0), "no difference"),
        (lambda: size("RR", effect=1.0, control_risk=0.2), "no difference"),
        (lambda: size("RR", effect=6.0, control_risk=0.2), "effect"),
        (lambda: size("MD", effect=1.0, sd=1.0, diversity=1.0), "diversity"),
        (lambda: sequential_look([], [], minimal_effect=1), "at least one"),
        (lambda: sequential_look([np.nan], [1], minimal_effect=1), "lacks a trial"),
        (lambda: sequential_look([1], [1], minimal_effect=0), "minimal_effect=0"),
        (lambda: sequential_look([1], [1], minimal_effect=1, people=[1, 2]), "people has shape"),
        (lambda: sequential_look([1], [1], minimal_effect=1, labels=["a", "b"]), "labels"),
        (lambda: cumulative_z([1, 2], [1, 1], order=[0, 0]), "each of 0 to 1 once"),
        (lambda: cumulative_z([1, 2], [1, 1], tau2_method="x"), "tau2_method='x'"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(ArgumentError, match=says):
        call()


def size(measure, *, effect=1.0, **options):
    return required_information_size(measure=measure, effect=effect, **options)
