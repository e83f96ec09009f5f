"""Choices of an analysis: each against metafor or a hand computation, and what is refused."""

import json
import math
from dataclasses import fields, replace
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from builders import MADE_UP, cases, seven_trials
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.derived import answer
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.raw.protocol import load_protocol
from ldn_meta.evidence.raw.selection import (
    BIAS_STEP,
    BIAS_STEPS,
    CHOICES,
    ESTIMANDS,
    LIMITS,
    Model,
    Selection,
    chosen,
    known_words,
    named_back,
    read_choice,
)
from ldn_meta.stats.bayes import pool_bayes

REFERENCE = json.loads(MADE_UP.read_text(encoding="utf-8"))
POOLS = REFERENCE["pools"]
PAIN = ("headache", "pain_intensity", "placebo")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory, raw_folder):
    """The trials of reference/selection_reference.R as raw tables."""
    build, _ = seven_trials(tmp_path_factory.mktemp("selection") / "raw", raw_folder)
    return build.load()


@pytest.fixture(scope="module")
def under(made_up, protocol):
    """The answer on pain under some choices, computed from the raw tables."""
    plan = replace(protocol, sensitivities=(), nodes=())
    words = known_words(made_up.dictionary, made_up.text["studies"].to_dict("records"))

    def answered(construct="pain_intensity", **choices):
        changed = plan.changed(known=words, **choices)
        effects, left_out = normalise(made_up, changed)
        return Answers(made_up, changed, effects, left_out).to("headache", construct, "placebo")

    return answered


ASKED = {
    "plan": {},
    "dl_knha": {"tau2_method": "DL", "ci_method": "knha"},
    "common": {"tau2_method": "FE", "ci_method": "z"},
    "without": {"without": "Cole 2005"},
    "trials": {"trials": ["Ames 2001", "berg2003", "Falk 2011"]},
    "parallel": {"designs": ["parallel"]},
    "any_blinding": {"blinding": "double-blind, single-blind"},
    "not_high": {"risk_of_bias": "some concerns"},
    "low": {"risk_of_bias": "low"},
    "ends": {"estimand": "end"},
    "dose": {"dose_mg": (3, 5)},
    "week_26": {"timepoint_weeks": 26},
    "per_protocol": {"population": "per protocol, ITT"},
    "correlation": {"correlation": 0.3},
    "smd": {"measure": "SMD"},
    "rom": {"measure": "ROM"},
    "story": {
        "designs": "parallel",
        "blinding": "double-blind",
        "risk_of_bias": "some concerns",
        "estimand": "change",
        "measure": "SMD",
    },
}


@pytest.mark.parametrize("name", ASKED)
def test_each_choice_pools_what_metafor_pools(under, name):
    found, known = under(**ASKED[name]).pool, POOLS[name]
    assert list(found.trials["study_id"]) == known["trials"]
    assert found.trials["yi"].to_numpy() == pytest.approx(known["yi"], rel=1e-9)
    assert found.trials["vi"].to_numpy() == pytest.approx(known["vi"], rel=1e-9)
    result = found.result
    if known["k"] == 2:
        # Two trials are read with the prior; metafor has the pool beside it.
        assert found.read.has_prior
    assert result.estimate == pytest.approx(known["estimate"], rel=1e-6)
    assert (result.ci_low, result.ci_high) == pytest.approx(
        (known["ci_low"], known["ci_high"]), rel=1e-6
    )
    assert result.tau2 == pytest.approx(known["tau2"], rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("measure", ["rr", "or", "rd"])
def test_ratios_of_people_are_told_as_asked(under, measure):
    found = under("responder_pain_30", measure=measure).pool
    known = POOLS[measure]
    assert found.key["measure"] == measure.upper()
    assert found.trials["yi"].to_numpy() == pytest.approx(known["yi"], rel=1e-9)
    assert found.result.estimate == pytest.approx(known["estimate"], rel=1e-6)
    assert found.result.ci_high == pytest.approx(known["ci_high"], rel=1e-6)


def test_the_scale_of_the_prior(under):
    two = {"trials": "ames2001, berg2003"}
    as_planned, wide = under(**two).pool, under(**two, prior_scale=3).pool
    yi, vi = (wide.trials[name].to_numpy() for name in ("yi", "vi"))
    by_hand = pool_bayes(yi, vi, tau_prior="half-normal", tau_prior_scale=3)
    assert wide.read.high == pytest.approx(by_hand.mu_high)
    assert wide.read.high - wide.read.low > as_planned.read.high - as_planned.read.low
    with pytest.raises(ArgumentError, match="prior_scale: 0 is not allowed; allowed: a number ab"):
        under(prior_scale=0)


def test_flags_let_in_what_the_plan_keeps_out(under):
    assert under(allow_single_blind=True).k == under().k + 1
    assert under(allow_non_randomised=True).k == under().k


@pytest.mark.parametrize("by", ["dose", "risk_of_bias", "design"])
def test_subgroups_are_metafors(under, by):
    found, known = under().subgroups(by), REFERENCE["apart"][by]
    for name, k, estimate in zip(known["names"], known["k"], known["estimate"], strict=True):
        assert found[name].k == k
        assert found[name].estimate == pytest.approx(estimate, rel=1e-6)
    assert found.q_between == pytest.approx(known["q"], rel=1e-5)
    assert found.q_between_pvalue == pytest.approx(known["p"], rel=1e-5)


def test_subgroups_stand_in_their_own_order(under):
    assert under().subgroups("dose").names == ("1.5 mg", "3 mg", "4.5 mg", "6 mg")
    assert under().subgroups("risk_of_bias").names == ("low", "some concerns", "high")
    assert under(dose_mg="4.5,4.5").subgroups("dose") is None
    with pytest.raises(ArgumentError, match="subgroup_by: 'colour' is not allowed; allowed: dose"):
        under().subgroups("colour")


def test_a_regression_on_dose_is_metafors(under):
    found, known = under(ci_method="knha").regression("dose"), REFERENCE["slope"]
    assert found.names == ("intercept", "dose")
    for name, ours in (("estimate", found.coefficients), ("ci_low", found.ci_low)):
        assert ours == pytest.approx(known[name], rel=1e-6)
    assert found.ci_high == pytest.approx(known["ci_high"], rel=1e-6)


@pytest.mark.parametrize("on", ["dose", "year", "duration", "week"])
def test_a_slope_by_weighted_least_squares(under, on):
    """With no spread between trials: (X'WX)^-1 X'Wy, by hand."""
    found = under(tau2_method="common", ci_method="wald")
    line, values = found.regression(on), found.moderators["dose_mg" if on == "dose" else on]
    told = values.notna().to_numpy()
    if values[told].nunique() < 2:
        assert line is None
        return
    y, v = (found.trials.loc[told, name].to_numpy(dtype=float) for name in ("yi", "vi"))
    x = np.column_stack([np.ones(told.sum()), values[told].to_numpy(dtype=float)])
    covariance = np.linalg.inv(x.T @ (x / v[:, None]))
    assert line.coefficients == pytest.approx(covariance @ x.T @ (y / v), rel=1e-8)
    half = NormalDist().inv_cdf(0.975) * math.sqrt(covariance[1, 1])
    assert line.ci_high[1] == pytest.approx(line.coefficients[1] + half, rel=1e-8)


def test_a_window_and_flags_on_file():
    """INNOVA 2026 at 52 weeks as printed; counts that only a third party copied; by the flags."""
    late = answer("fibromyalgia", timepoint_weeks=52, window_weeks="40,60")
    assert list(late.trials["study_label"]) == ["INNOVA 2026"]
    assert late.read_by[:3] == pytest.approx((0.37, -0.53, 1.26), abs=0.006)
    assert "measured outside weeks 40 to 60" in set(late.left_out["selected_why"])
    strict = answer("fibromyalgia", "responder_pain_30", allow_transcribed=False)
    assert "rests on a transcribed value" in strict.why_none
    every = answer("fibromyalgia", allow_approximate=True).trials
    assert list(every["yi"]) == pytest.approx([-0.548571, -0.34, 0.49], abs=1e-4)


def test_a_baseline_is_told_on_the_scale_of_the_effects(under):
    """Two trials print one, 6 on both arms: too few for a line, and they do not differ."""
    assert list(under().moderators["baseline"].dropna()) == [6.0, 6.0]
    assert under().regression("baseline") is None
    assert under().regression("year").k == 6


# Words that pages print under "left out", by choice.
LEFT_OUT = [
    ({"without": "cole2005"}, "cole2005", "left out as asked"),
    ({"trials": "ames2001"}, "cole2005", "not one of the trials asked for"),
    ({"designs": "parallel"}, "falk2011", "its design is not parallel"),
    ({"blinding": "double-blind"}, "gray2013", "its blinding is not double-blind; not double-b"),
    ({"blinding": "single-blind"}, "ames2001", "its blinding is not single-blind"),
    ({"risk_of_bias": "low"}, "berg2003", "its risk of bias is above low, or nobody judged it"),
    ({"estimand": "change"}, "ames2001", "what its difference is of is not change from baseline"),
    ({"dose_mg": "4,5"}, "berg2003", "its daily dose is not within 4 to 5 mg, or not reported"),
    ({"population": "PP"}, "ames2001", "the set of people analysed is not per protocol"),
    ({"measure": "ROM"}, "dahl2007", "not told as ROM, which needs end levels with SDs in two"),
]


@pytest.mark.parametrize(("choices", "study", "words"), LEFT_OUT)
def test_each_choice_says_what_it_left_out(under, choices, study, words):
    found = under(**choices)
    own = found.effects[found.effects["study_id"] == study]
    assert own["selected_why"].str.startswith(words).any(), list(own["selected_why"])
    assert study not in set(found.trials["study_id"])


def test_one_rule_for_what_is_approximated(under):
    """The error of an end level lent to a change enters with the flag, and only with it."""
    asked = {"estimand": "change", "designs": "parallel"}
    alone = answer("fibromyalgia", **asked)
    assert list(alone.trials["yi"]) == [-0.34]
    both = answer("fibromyalgia", **asked, allow_approximate=True)
    assert list(both.trials["is_approximate"]) == [False, True]
    out = dict(alone.left_out.groupby("study_label")["selected_why"].agg("; ".join))
    words = "rests on an approximation: its standard error is that of another difference"
    assert words in out["INNOVA 2026"]
    assert dict(zip(alone.beside["study_label"], alone.beside["selected_why"], strict=True)) == {
        "Younger 2013": "its design is not parallel; rests on an approximation",
        "INNOVA 2026": words,
    }


def test_a_measure_that_does_not_apply_is_refused(under):
    with pytest.raises(ArgumentError, match="RR does not apply: pain intensity is measured, not"):
        answer("fibromyalgia", measure="RR")
    with pytest.raises(ArgumentError, match=r"event is counted, not measured; RR, OR, RD do"):
        answer("fibromyalgia", "any_adverse_event", measure="SMD")
    assert answer("fibromyalgia", "any_adverse_event", measure=["SMD", "OR"]).k == 2


IDLE = [
    ({"tau2_method": "dl"}, "two trials are read by the interval with the plan's prior"),
    ({"pi_method": "k-2"}, "two trials are read by the interval with the plan's prior"),
    ({"tau2_method": "dl", "without": "INNOVA 2026"}, "one trial is read by its own interval"),
    ({"prior_scale": 2, "ci_method": "wald"}, "no prior decides this interval"),
    ({"correlation": 0.3}, "the arms of every trial are different people"),
]


@pytest.mark.parametrize(("choices", "words"), IDLE)
def test_a_choice_without_effect_says_so_and_why(choices, words):
    found, first = answer("fibromyalgia", **choices), next(iter(choices))
    assert found.notes[first] == f"no effect, {words}" + "; give ci_method too" * (
        "two trials" in words
    )
    assert words in repr(found)
    others = {name: value for name, value in choices.items() if name != first}
    assert found.read_by == answer("fibromyalgia", **others).read_by


def test_a_judgement_says_how_many_could_not_be_read(under):
    found = answer("fibromyalgia", risk_of_bias="some concerns")
    assert "risk_of_bias at most some concerns: 2 of 2 trials not readable here" in repr(found)
    assert under(risk_of_bias="some concerns").notes == {}


def test_nothing_pooled_has_a_reason():
    found = answer("fibromyalgia", estimand="adjusted")
    assert "INNOVA 2026: what its difference is of is not adjusted" in found.why_none
    assert f"nothing pooled; {found.why_none}" in repr(found)
    assert "no trial gives an effect" in repr(answer("crohns_disease"))


def test_a_ratio_is_told_as_one():
    found = answer("fibromyalgia", "any_adverse_event", measure="OR")
    low, high = (math.exp(end) for end in found.read_by[1:3])
    assert f"OR {math.exp(found.read_by.estimate):.4g} (95% credible interval {low:.4g} to " in (
        repr(found)
    )
    assert f"{high:.4g}, Bayesian" in repr(found)
    assert "ROM 1.073 (" in repr(answer("fibromyalgia", measure="ROM"))


def test_what_is_asked_beside_an_answer_is_told(under):
    """One trial keeps its own interval in a subgroup: Younger 2013 by t on 27 df."""
    found = answer("fibromyalgia", subgroup_by="design", allow_approximate=True)
    crossed, parallel, test = found.parts
    assert (crossed.name, crossed.k, parallel.k) == ("crossover", 1, 2)
    assert (crossed.low, crossed.high) == pytest.approx((-0.99, -0.11), abs=0.005)
    assert test.why.startswith("test between subgroups: Q = 1.56 on 1 df")
    assert "subgroup_by = design, crossover: -0.5486" in repr(found)
    (slope,) = answer("fibromyalgia", regress_on="year", allow_approximate=True).parts
    (none,) = answer("fibromyalgia", regress_on="dose").parts
    assert (slope.name, slope.k) == ("for one more", 3)
    assert none.why == "a line needs three trials that tell it and differ in it"
    (same,) = answer("fibromyalgia", subgroup_by="design").parts
    assert same.why == "nothing to tell apart: every trial of the pool is parallel"
    assert under().parts == []


@pytest.mark.parametrize("level", [0.8, 0.9, 0.99])
def test_the_level_of_intervals(under, level):
    found = under(level=level, ci_method="wald").pool
    half = NormalDist().inv_cdf(0.5 + level / 2) * found.result.se
    assert found.read.high == pytest.approx(found.read.estimate + half)
    assert found.read.name == f"{100 * level:g}% CI"


@pytest.mark.parametrize(("method", "df"), [("k-1", 5), ("k-2", 4)])
def test_the_prediction_interval(under, method, df):
    found = under(pi_method=method, ci_method="wald").pool.result
    half = stats.t.ppf(0.975, df) * math.hypot(found.se, math.sqrt(found.tau2))
    assert found.pi_high == pytest.approx(found.estimate + half)


def test_counts_of_people_are_no_difference_of_either_kind(under):
    assert under("responder_pain_30", estimand="change").k == 3


REFUSED = cases("choices_refused")


@pytest.mark.parametrize(("name", "value", "message"), REFUSED)
def test_what_is_not_allowed_is_refused_by_name(under, name, value, message):
    with pytest.raises(ArgumentError, match=message):
        under(**{name: value})


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("tau2_method", "DL", "dl"),
        ("tau2_method", "REML", "reml"),
        ("tau2_method", "EE", "common"),
        ("ci_method", "knha", "knapp-hartung"),
        ("ci_method", "adhoc", "knapp-hartung-floored"),
        ("measure", "smd", ("SMD",)),
        ("designs", "Cross-over", ("crossover",)),
        ("risk_of_bias", "Some_Concerns", "some concerns"),
        ("dose_mg", "3 to 6", (3.0, 6.0)),
        ("dose_mg", [3, 6], (3.0, 6.0)),
        ("timepoint_weeks", "26", 26.0),
    ],
)
def test_words_of_other_programs_are_understood(name, given, found):
    assert read_choice(name, given) == found


def test_words_of_other_programs_are_named_back():
    assert named_back("tau2_method", "DL", "dl") == "tau2_method = dl (given as DL)"
    assert named_back("designs", "parallel, crossover", ("parallel", "crossover")) == ""
    assert named_back("correlation", 0.3, 0.3) == ""


def test_choices_and_fields_are_the_same_words(evidence, protocol):
    known = {field.name for field in (*fields(Selection), *fields(Model))}
    others = {"construct", "measure", "correlation", "prior_scale"}
    times = {"timepoint_weeks", "window_weeks"}
    assert set(CHOICES) - others - times <= known
    assert set(LIMITS) <= set(CHOICES)
    columns = evidence.dictionary.tables["contrasts"].fields
    (estimands,) = (f["constraints"]["enum"] for f in columns if f["name"] == "estimand")
    assert sorted(ESTIMANDS) == sorted(estimands)
    judged = evidence.text["risk_of_bias"]
    overall = set(judged.loc[judged["domain"] == "overall", "judgement"]) - {"TODO"}
    assert overall <= set(BIAS_STEP)
    assert [BIAS_STEP[word] for word in BIAS_STEPS] == [0, 1, 2, 3]
    assert all(protocol.selection.limits) is False


def test_a_notebook_hands_over_the_choices_it_has():
    names = {"designs": "parallel", "construct": "pain", "page": 1, "without": "protocol"}
    assert chosen(names) == {"designs": "parallel", "without": "protocol"}


# -- the same words in the plan -----------------------------------------------------------------

LATE = 'set_on = 2026-12-01T12:00:00Z\nknown_then = "after the main pool was seen"'


def test_the_plan_takes_the_same_words(rewritten, evidence, effects, left_out):
    stated = "\n".join(
        f"[[sensitivity]]\nname = '{name}'\n{choice}\n{LATE}"
        for name, choice in (
            ("parallel", "designs = ['parallel']"),
            ("without one", "without = ['INNOVA 2026']"),
            ("changes", "estimand = 'change'"),
            (
                "changes, approximated",
                "estimand = 'change'\nallow_approximate = true\nwithout = ['Younger 2013']",
            ),
            ("closer", "correlation = 0.9\nallow_approximate = true"),
        )
    )
    protocol = load_protocol(rewritten("", stated))
    protocol.check_against(evidence)
    protocol.check_words(evidence.dictionary)
    pain = Answers(evidence, protocol, effects, left_out).to(
        "fibromyalgia", "pain_intensity", "placebo"
    )
    told = {name: list(found.trials["yi"]) for name, found in pain.variants if found is not None}
    assert told["parallel"] == told["main"]
    assert told["without one"] == [-0.34]
    assert told["changes"] == [-0.34]
    assert told["changes, approximated"] == pytest.approx([-0.34, 0.31])
    # Younger 2013: the error of its difference shrinks with the correlation within people.
    closer = dict(pain.variants)["closer"].trials
    assert "younger2013" in set(closer["study_id"])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("designs = ['paralel']", "new: designs: 'paralel' is not allowed; did you mean 'paral"),
        ("without = ['INOVA 2026']", "new: without: 'INOVA 2026' is not allowed; did you mean"),
        ("risk_of_bias = 'small'", "new: risk_of_bias: 'small' is not allowed; "),
        ("target_weeks = 30.0", r"new: target_weeks \(timepoint_weeks\): 30 is not allowed; "),
    ],
)
def test_a_wrong_word_in_the_plan_is_refused_with_its_key(rewritten, evidence, choice, message):
    with pytest.raises(ArgumentError, match=message):
        protocol = load_protocol(rewritten("", f"[[sensitivity]]\nname='new'\n{choice}\n{LATE}"))
        protocol.check_words(evidence.dictionary)
        protocol.check_against(evidence)


def test_a_target_outside_its_own_window_is_refused(rewritten):
    with pytest.raises(ArgumentError, match=r"timepoint: target_weeks .*: 30 is not allowed"):
        load_protocol(rewritten("target_weeks = 12.0", "target_weeks = 30.0"))
    with pytest.raises(ArgumentError, match=r"correlation.within_person: 1.6 is not allowed"):
        load_protocol(rewritten("within_person = 0.6", "within_person = 1.6"))


def test_a_node_of_the_multiverse_takes_the_same_words(rewritten, made_up):
    from ldn_meta.evidence.answer.multiverse import Normalised, build_multiverse

    node = (
        f"[[multiverse.node]]\n{LATE}\nname = 'designs'\nreason = 'why'\n"
        "options = [{ name = 'all' }, { name = 'parallel', designs = ['parallel'] },"
        " { name = 'no high', risk_of_bias = 'some concerns' }]\n"
    )
    found = build_multiverse(Normalised(made_up, load_protocol(rewritten("", node))), *PAIN[1:])
    place = [one.name for one in found.nodes].index("designs")
    k = found.results["k"][found.alone(place)]
    assert list(k) == [POOLS[name]["k"] for name in ("plan", "parallel", "not_high")]


# -- several instruments of one construct -------------------------------------------------------


def test_several_outcomes_are_one_in_standard_deviations(build, protocol):
    """Two instruments, of which one counts the other way; a trial with both brings the first."""
    build.outcome("mood", construct="mood", construct_label="mood", unit="points (0-60)",
                  scale_max=60, benefit_sign=1)  # fmt: skip
    for study, outcomes in (("ames2001", ("pain",)), ("berg2003", ("mood",)),
                            ("cole2005", ("pain", "mood"))):  # fmt: skip
        build.trial(study, label=study)
        for outcome in outcomes:
            larger = 6 if outcome == "mood" else 1
            for arm, mean in (("ldn", 4 if outcome == "pain" else 34), ("placebo", 5)):
                value = 30 if (outcome, arm) == ("mood", "placebo") else mean
                build.stats(arm, study, outcome_id=outcome, statistic_of="end", n=50,
                            mean=value, sd=2 * larger)  # fmt: skip
    own = build.load()
    changed = protocol.changed(construct=["pain_intensity", "mood"])
    effects, left_out = normalise(own, changed)
    found = Answers(own, changed, effects, left_out).to(*PAIN)
    assert found.pool.key["measure"] == "SMD"
    correction = 1 - 3 / (4 * 98 - 1)
    assert list(found.trials["study_id"]) == ["ames2001", "berg2003", "cole2005"]
    expected = [-correction / 2, -correction * 4 / 12, -correction / 2]
    assert list(found.trials["yi"]) == pytest.approx(expected, rel=1e-4)
    assert set(found.trials["construct_label"]) == {"pain or mood"}
    other = found.left_out
    why = other.loc[other["study_label"] == "cole2005", "selected_why"]
    assert list(why) == ["an outcome that was named first stands for its trial"]


def test_without_a_standard_deviation_nothing_is_standardised(build, protocol):
    build.outcome("walk", construct="walk", unit="metres", scale_min="NA", scale_max="NA")
    build.trial("ames2001")
    build.contrast(outcome_id="walk", estimate=5.0, ci_low=1.0, ci_high=9.0, ci_level=0.95)
    own = build.load()
    effects, _ = normalise(own, protocol.changed(measure="SMD"))
    assert list(effects["selected_why"]) == [
        "not told as SMD, which needs a standard deviation of its instrument"
    ]
    assert list(effects["measure"]) == ["MD"]


# -- the door in Python ---------------------------------------------------------------------------


def test_the_answer_of_a_condition_on_file():
    """Change scores of the two trials: -0.34 as printed, 0.31 of the arms, pooled by hand."""
    asked = {"estimand": "change", "designs": "parallel", "allow_approximate": True}
    found = answer("fibromyalgia", **asked, tau2_method="common", ci_method="wald")
    y, v = (found.trials[name].to_numpy() for name in ("yi", "vi"))
    assert list(y) == pytest.approx([-0.34, 0.31])
    by_hand = float((y / v).sum() / (1 / v).sum())
    half = 1.959964 * math.sqrt(1 / float((1 / v).sum()))
    assert found.read_by[:3] == pytest.approx((by_hand, by_hand - half, by_hand + half), rel=1e-5)
    assert repr(found).startswith(
        "<Answer fibromyalgia, pain_intensity against placebo: 2 trials, MD in points (0-10) -0.1"
    )
    assert np.isfinite(found.without_each["estimate"]).all()
    assert "Younger 2013" in set(found.left_out["study_label"])


@pytest.mark.parametrize(
    ("arguments", "choices", "message"),
    [
        (["fibromialgia"], {}, r"indication 'fibromialgia' is unknown; did you mean 'fibromyalg"),
        (["fibromyalgia", "fatige"], {}, r"construct: 'fatige' is not allowed; did you mean 'fat"),
        (["fibromyalgia", "pain"], {}, r"did you mean .*'pain_intensity'\?$"),
        (["fibromyalgia"], {"read_from": "press"}, "unknown choice read_from; allowed: measure, "),
        (["fibromyalgia"], {"harm_construct": "nausea"}, "is asked for is construct; allowed: me"),
        (["fibromyalgia"], {"without": "INOVA 2026"}, r"without: 'INOVA 2026' .*'INNOVA 2026'\?"),
    ],
)
def test_the_door_refuses_by_name(arguments, choices, message):
    with pytest.raises(ArgumentError, match=message):
        answer(*arguments, **choices)
