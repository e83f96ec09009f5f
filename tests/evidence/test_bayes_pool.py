"""The protocol's priors."""

import dataclasses

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.protocol import SECTIONS, bayes_choices

GOOD = {
    "tau_prior": "half-normal",
    "scale": {"log": 0.5, "points (0-10)": 1},
    "sensitivity_families": ["half-normal", "half-cauchy"],
    "sensitivity_factors": [0.5, 1, 2],
}


def test_the_priors_of_the_project(protocol):
    assert set(SECTIONS["bayes"]) == {field.name for field in dataclasses.fields(protocol.bayes)}
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
