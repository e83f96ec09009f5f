"""The protocol's priors, and pools under them."""

import dataclasses

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import bayes_of_pool, build_pools, sensitivity_of_pool
from ldn_meta.evidence.raw.protocol import SECTION, bayes_choices

GOOD = {
    "tau_prior": "half-normal",
    "scale": {"log": 0.5, "points (0-10)": 1},
    "sensitivity_families": ["half-normal", "half-cauchy"],
    "sensitivity_factors": [0.5, 1, 2],
}


@pytest.fixture(scope="module")
def pools(effects, protocol):
    found = build_pools(effects, protocol.selection, protocol.model)
    return {pool.key["construct"]: pool for pool in found if len(pool.trials) > 1}


def test_the_priors_of_the_project(protocol):
    assert set(SECTION) == {field.name for field in dataclasses.fields(protocol.bayes)}
    assert protocol.bayes.tau_prior == "half-normal"
    assert protocol.bayes.scale_for("RR", "log risk ratio") == 0.5
    assert protocol.bayes.scale_for("SMD", "standardised") == 0.5
    assert protocol.bayes.scale_for("MD", "points (0-10)") == 1.0
    assert protocol.bayes.scale_for("MD", "points (norm-based)") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tau_prior": "log-t"}, r"bayes\.tau_prior: 'log-t' is not known; allowed: half-normal"),
        ({"sensitivity_families": ["x"]}, r"bayes\.sensitivity_families: 'x'"),
        ({"scale": {"log": 0}}, r"bayes\.scale\.log: 0 is not allowed; allowed: a positive"),
        ({"scale": {"log": True}}, r"bayes\.scale\.log: True"),
        ({"scale": {"log": "0.5"}}, r"bayes\.scale\.log: '0\.5'"),
        ({"sensitivity_factors": [0.5, -1]}, r"bayes\.sensitivity_factors: -1"),
    ],
)
def test_priors_that_are_none_are_refused(change, message):
    assert bayes_choices(GOOD).sensitivity_factors == (0.5, 1.0, 2.0)
    with pytest.raises(ArgumentError, match=message):
        bayes_choices(GOOD | change)


def test_points_have_a_size_that_matters_and_ratios_have_none(pools, protocol):
    pain = bayes_of_pool(pools["pain_intensity"], protocol)
    assert (pain.k, pain.measure, pain.tau_prior_scale, pain.mid) == (2, "MD", 1.0, 1.0)
    assert pain.labels == tuple(pools["pain_intensity"].trials["study_label"])
    ratio = bayes_of_pool(pools["responder_pain_30"], protocol)
    assert (ratio.measure, ratio.tau_prior_scale) == ("RR", 0.5)
    assert ratio.mid != ratio.mid


def test_the_main_prior_is_not_among_the_others(pools, protocol):
    others = sensitivity_of_pool(pools["pain_intensity"], protocol)
    named = [(r.tau_prior, r.tau_prior_scale) for r in others]
    assert named == [
        ("half-normal", 0.5),
        ("half-normal", 2.0),
        ("half-normal", 4.0),
        ("half-cauchy", 0.5),
        ("half-cauchy", 1.0),
        ("half-cauchy", 2.0),
        ("half-cauchy", 4.0),
    ]
    assert {r.mid for r in others} == {1.0}


def test_a_unit_without_a_scale_gets_no_bayesian_pool(pools, protocol):
    pool = pools["pain_intensity"]
    other = dataclasses.replace(pool, key={**pool.key, "unit": "points (norm-based)"})
    assert bayes_of_pool(other, protocol) is None
    assert sensitivity_of_pool(other, protocol) == ()
