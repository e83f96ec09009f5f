"""Questions and their answers: by hand on small pools, and nothing pooled twice."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from builders import effect_rows
from ldn_meta.evidence.answer.answer import (
    BETTER,
    INSIDE,
    WORSE,
    Answers,
    smallest_size,
)
from ldn_meta.evidence.answer.pools import pool_trials
from ldn_meta.stats.decision import setting_shares
from ldn_meta.stats.small_study import begg_test, egger_test, trim_and_fill

PAIN = ("fibromyalgia", "pain_intensity", "placebo")


@pytest.fixture(scope="module")
def answers(evidence, protocol, effects, left_out):
    return Answers(evidence, protocol, effects, left_out)


@pytest.fixture(scope="module")
def pain(answers):
    return answers.to(*PAIN)


def of_rows(evidence, protocol, *rows):
    """The answer on pain in headache from effects as `effect_rows`."""
    effects = effect_rows(*rows).assign(route="means and SD of change")
    return Answers(evidence, protocol, effects, pd.DataFrame()).to(
        "headache", "pain_intensity", "placebo"
    )


def with_trials(answer, **cells):
    return replace(answer, pool=replace(answer.pool, trials=answer.pool.trials.assign(**cells)))


def with_protocol(answer, **fields):
    answers = replace(answer.answers, protocol=replace(answer.protocol, **fields))
    return answers.to(answer.indication_id, answer.construct, answer.comparator_class)


def test_one_question_has_one_answer(answers, pain):
    assert answers.to(*PAIN) is pain
    assert answers.pools is answers.pools
    assert pain.pool in answers.pools
    assert pain.variants is pain.variants


def test_a_question_nobody_answered(answers):
    none = answers.to("fibromyalgia", "pain_intensity", "opioid alone")
    assert none.pool is None
    assert none.k == 0
    assert {found for _, found in none.variants} == {None}
    assert none.read_by is none.bayes is none.knapp_hartung is none.look is none.design is None
    assert none.other_priors == ()
    assert none.over_time.empty
    assert none.without_each.empty
    assert none.next_trials.empty
    assert none.small_studies is None
    assert none.beside.empty
    assert math.isnan(none.minimal_effect)
    assert math.isnan(none.variance_per_person)


def test_what_is_not_in_the_number(answers, pain):
    studies = answers.evidence.text["studies"].set_index("study_id")
    told = {study["study_id"]: barred for study, barred in pain.not_in_it}
    assert not set(told) & set(pain.pool.trials["study_id"])
    assert set(studies.loc[list(told), "eligible_for"]) == {"contrast"}
    assert set(studies.loc[list(told), "indication_id"]) == {"fibromyalgia"}
    barred = {row["study_id"] for row in told.values() if row is not None}
    assert barred == set(pain.beside["study_id"])


def test_the_rating_stands_beside_the_answer(answers, tables):
    rated = replace(answers, certainty=tables["certainty"]).to(*PAIN)
    assert rated.rating["certainty"] in {"high", "moderate", "low", "very low"}
    assert rated.rating["estimate"] == pytest.approx(rated.read_by.estimate, abs=1e-5)
    assert answers.to(*PAIN).rating is None


def test_the_interval_to_read_of_two_trials_has_the_prior(pain):
    assert pain.read_by == pain.pool.read
    assert pain.read_by.has_prior
    assert pain.read_by.name == "95% credible interval"
    assert pain.read_by.method == (
        "Bayesian, half-normal prior of scale 1 for the spread between trials"
    )
    # bayesmeta and a posterior on a grid: 0.018, -1.330 to 1.448.
    assert pain.read_by[:3] == pytest.approx((0.018, -1.330, 1.448), abs=1e-3)


def test_shares_of_settings_are_those_of_the_interval_to_read(pain, evidence, protocol):
    """Two trials: by the prior; three: by t; one, or no known side: none."""
    found = pain.settings
    mid = protocol.scales[PAIN[1]].minimal_important_difference
    assert found == setting_shares(pain.pool.posterior, mid, benefit_sign=-1)
    assert (found.has_prior, found.k, found.high) == (True, 2, mid)
    rows = [{"study_id": f"s{i}", "yi": -i / 10, "vi": 0.02} for i in (1, 5, 9)]
    three = of_rows(evidence, protocol, *rows)
    assert three.settings == setting_shares(three.pool.result, mid, benefit_sign=-1)
    assert not three.settings.has_prior
    assert of_rows(evidence, protocol, rows[0]).settings is None
    unknown = [{**row, "benefit_sign": np.nan} for row in rows]
    assert of_rows(evidence, protocol, *unknown).settings is None


def test_the_posterior_of_two_trials_by_a_grid(pain):
    """The mixture of normal posteriors over tau, summed by hand on a fine grid."""
    (y1, y2), (v1, v2) = pain.pool.trials["yi"], pain.pool.trials["vi"]
    tau = np.linspace(0.0, 8.0, 8001)
    one, two = v1 + tau**2, v2 + tau**2
    precision = 1 / one + 1 / two
    mean = (y1 / one + y2 / two) / precision
    # Flat prior of mu: what is left of the likelihood is that of the difference.
    weight = np.exp(-((y1 - y2) ** 2) / (2 * (one + two)) - tau**2 / 2) / np.sqrt(one + two)
    weight /= weight.sum()
    mu = np.linspace(-6, 6, 4801)
    below = np.array([(weight * ndtr((m - mean) * np.sqrt(precision))).sum() for m in mu])
    read = pain.read_by
    assert np.interp(0.5, below, mu) == pytest.approx(read.estimate, abs=1e-3)
    held = np.interp([read.low, read.high], mu, below)
    assert held[1] - held[0] == pytest.approx(0.95, abs=1e-4)
    # Shortest: any other interval of that probability is as long or longer.
    starts = np.linspace(0.001, 0.049, 97)
    lengths = np.interp(starts + 0.95, below, mu) - np.interp(starts, below, mu)
    assert read.high - read.low == pytest.approx(lengths.min(), abs=2e-3)


def test_without_a_stated_prior_two_trials_are_read_by_the_floored_interval(pain, protocol):
    bare = replace(protocol.model, bayes=replace(protocol.bayes, scale={}))
    read = replace(pain.pool, model=bare).read
    assert not read.has_prior
    assert read.method == "REML, floored Knapp-Hartung interval"
    # t on 1 df is 12.706; both weights, by hand: -5.21 to 5.28.
    assert read[:3] == pytest.approx((0.0317, -5.213, 5.276), abs=1e-3)


def test_a_named_interval_is_read_as_named(pain, protocol):
    wald = replace(pain.pool, model=replace(protocol.model, ci_method="wald"))
    assert wald.read[:3] == pytest.approx((0.0317, -0.777, 0.841), abs=1e-3)
    common = replace(pain.pool, model=replace(protocol.model, tau2_method="common"))
    assert not common.read.has_prior


def test_one_trial_is_read_by_its_own_interval(evidence, protocol):
    cells = {"study_id": "s", "yi": 3.0, "vi": 4.0, "ci_low": -1.0, "ci_high": 7.0}
    one = of_rows(evidence, protocol, cells)
    assert one.read_by == (3.0, -1.0, 7.0, False, "the trial's own interval", 0.95)


def test_three_trials_are_read_by_the_floored_interval(evidence, protocol):
    three = of_rows(evidence, protocol, *({"study_id": f"s{i}", "yi": i / 3} for i in range(3)))
    assert not three.read_by.has_prior
    assert three.read_by.low == three.pool.result.ci_low
    assert three.read_by.method == "REML, floored Knapp-Hartung interval"


def test_deriving_pools_nothing_twice(derivation):
    _, pooled = derivation
    assert len(set(pooled)) == len(pooled) > 100


def test_the_last_row_is_todays_answer(pain):
    frame = pain.over_time
    assert list(frame["label"]) == list(pain.pool.trials["study_label"])
    last, first = frame.iloc[-1], frame.iloc[0]
    assert tuple(last[["estimate", "ci_low", "ci_high"]]) == pain.read_by[:3]
    assert first["estimate"] == pain.pool.trials["yi"].iloc[0]
    assert math.isnan(first["shift"])
    assert last["shift"] == pytest.approx(last["estimate"] - first["estimate"])
    assert list(frame["people"]) == [99, 195]


def test_without_each_trial_of_two_the_other_is_left(pain):
    frame = pain.without_each
    assert list(frame["estimate"]) == list(pain.pool.trials["yi"])[::-1]
    assert list(frame["label"]) == list(pain.pool.trials["study_label"])
    one = replace(pain, pool=replace(pain.pool, trials=pain.pool.trials.iloc[:1]))
    assert one.without_each.empty


def test_parts_of_a_pool_have_the_interval_for_their_number_of_trials(evidence, protocol):
    four = of_rows(evidence, protocol, *({"study_id": f"s{i}", "yi": i / 3} for i in range(4)))
    assert len(set(four.over_time["read_by"])) == 3
    for k, row in enumerate(four.over_time.to_dict("records"), 1):
        part = replace(four.pool, trials=four.pool.trials.iloc[:k]).read
        assert [row[n] for n in ("estimate", "ci_low", "ci_high")] == list(part[:3]), k
    for place, row in enumerate(four.without_each.to_dict("records")):
        left = four.pool.trials.drop(index=place)
        part = pool_trials(left, protocol.model, "MD")
        assert row["k"] == 3
        assert row["ci_low"] == pytest.approx(part.ci_low, rel=1e-12)


def test_the_middle_variance_for_one_person(pain):
    one, two = pain.pool.trials["vi"]
    assert pain.variance_per_person == pytest.approx((one * 99 + two * 96) / 2)
    assert math.isnan(with_trials(pain, n_1=math.nan, n_2=math.nan).variance_per_person)


def test_probabilities_of_the_next_trial(pain, protocol):
    frame = pain.next_trials
    assert frame["probability"].between(0, 1).all()
    assert set(frame["what"]) == {BETTER, WORSE, INSIDE}
    assert set(frame["people"]) == set(protocol.next_people)
    effects = frame.drop_duplicates("supposed").set_index("supposed")["true_effect"]
    assert effects.to_dict() == {
        "no effect": 0.0,
        "the pooled effect": pain.read_by.estimate,
        "the minimal important difference": -1.0,
    }
    assert with_trials(pain, n_1=math.nan, n_2=math.nan).next_trials.empty


def test_without_a_stated_difference_nothing_is_said_of_equivalence(pain):
    frame = with_protocol(pain, scales={}).next_trials
    assert set(frame["what"]) == {BETTER, WORSE}
    assert len(set(frame["supposed"])) == 2


def test_the_smallest_size_is_one_after_which_all_are_enough():
    frame = pd.DataFrame(
        {
            "supposed": "x",
            "what": "y",
            "people": [50, 100, 200, 400],
            "probability": [0.9, 0.7, 0.8, 0.95],
        }
    )
    smallest = {p: smallest_size(frame, supposed="x", what="y", probability=p)
                for p in (0.8, 0.9, 0.6, 0.99)}  # fmt: skip
    assert smallest[0.8] == 200
    assert smallest[0.9] == 400
    assert smallest[0.6] == 50
    assert math.isnan(smallest[0.99])


def test_the_look_is_that_of_the_pool(pain):
    look, trials, design = pain.look, pain.pool.trials, pain.design
    assert look.minimal_effect == 1.0
    assert look.z[0] == pytest.approx(trials["yi"].iloc[0] / math.sqrt(trials["vi"].iloc[0]))
    assert look.z[-1] == pytest.approx(pain.pool.result.estimate / pain.pool.result.se)
    assert design.information_fraction[:-1] == pytest.approx(look.information_fraction)
    assert design.boundary[:-1] == pytest.approx(look.boundary, rel=1e-9)
    assert design.futility[:-1] == pytest.approx(look.futility, rel=1e-9)


def test_all_the_information_is_there(pain):
    precise = with_trials(pain, vi=pain.pool.trials["vi"] / 50, yi=0.1)
    assert precise.look.information_fraction[-1] > 1
    assert precise.design is None


def test_points_have_a_size_that_matters_and_ratios_have_none(answers, pain):
    found = pain.bayes
    assert (found.k, found.measure, found.tau_prior_scale, found.mid) == (2, "MD", 1.0, 1.0)
    assert found.labels == tuple(pain.pool.trials["study_label"])
    ratio = answers.to("fibromyalgia", "responder_pain_30", "placebo").bayes
    assert (ratio.measure, ratio.tau_prior_scale) == ("RR", 0.5)
    assert ratio.mid != ratio.mid


def test_the_main_prior_is_not_among_the_others(pain):
    named = [(r.tau_prior, r.tau_prior_scale) for r in pain.other_priors]
    assert named == [
        ("half-normal", 0.5),
        ("half-normal", 2.0),
        ("half-normal", 4.0),
        ("half-cauchy", 0.5),
        ("half-cauchy", 1.0),
        ("half-cauchy", 2.0),
        ("half-cauchy", 4.0),
    ]
    assert {r.mid for r in pain.other_priors} == {1.0}


def test_a_unit_without_a_scale_gets_no_bayesian_pool(pain):
    key = {**pain.pool.key, "unit": "points (norm-based)"}
    other = replace(pain, pool=replace(pain.pool, key=key))
    assert other.bayes is None
    assert other.other_priors == ()


def test_small_study_effects_are_looked_at_from_ten_trials(evidence, protocol):
    rows = [{"study_id": f"s{i:02}", "yi": -i / 10, "vi": 0.02 * i} for i in range(1, 13)]
    assert of_rows(evidence, protocol, *rows[:9]).small_studies is None
    answer = of_rows(evidence, protocol, *rows)
    found, trials = answer.small_studies, answer.pool.trials
    yi, vi = np.array(trials["yi"]), np.array(trials["vi"])
    assert found.egger == egger_test(yi, vi)
    assert found.begg == begg_test(yi, vi)
    model = protocol.model
    filled = trim_and_fill(yi, vi, tau2_method=model.tau2_method, ci_method=model.interval(12))
    assert found.filled.filled == filled.filled
    assert (found.filled.k_filled, found.filled.side) == (filled.k_filled, filled.side)
    assert filled.k_filled > 0
    assert found.of_counts == ()


def test_ratios_of_counts_are_tested_by_their_counts_too(evidence, protocol):
    counts = {"measure": "RR", "events_1": 3.0, "n_1": 20.0, "events_2": 5.0, "n_2": 21.0}
    rows = [
        {**counts, "study_id": f"s{i:02}", "yi": -i / 10, "vi": 0.02 * i, "n_1": 20.0 + i}
        for i in range(1, 13)
    ]
    found = of_rows(evidence, protocol, *rows).small_studies
    assert [test.model for test in found.of_counts] == ["harbord", "peters"]
    assert np.isfinite([test.p_value for test in found.of_counts]).all()
