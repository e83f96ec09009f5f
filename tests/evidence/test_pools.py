"""From effects to pools: who is in them, what metafor says of them, and what else can be said."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from builders import effect_rows
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.pools import (
    DIRECTION_ONLY,
    META_ANALYSIS,
    NO_COMPARISON,
    NOTHING,
    ONE_TRIAL,
    build_pools,
    find_pool,
    interval_direction,
    one_word,
    people,
    possible_synthesis,
    side_of,
    side_of_pool,
)
from ldn_meta.evidence.effects.rows import POOL
from ldn_meta.stats.pool import pool

FINAL, INNOVA, YOUNGER = "duebruun2024", "innova2026", "younger2013"
REFERENCE = Path(__file__).parents[1] / "reference" / "fibromyalgia_metafor.json"
# metafor's word -> ours.
CI_METHODS = {"z": "wald", "knha": "knapp-hartung", "adhoc": "knapp-hartung-floored"}


@pytest.fixture(scope="module")
def fibromyalgia(effects):
    return effects[effects["indication_id"] == "fibromyalgia"]


@pytest.fixture(scope="module")
def pool_of(fibromyalgia, protocol):
    """Pool an outcome of fibromyalgia, with main choices replaced by options."""

    def pooled(construct="pain_intensity", **options):
        chosen = protocol.changed(**options)
        pools = build_pools(fibromyalgia, chosen.selection, chosen.model)
        return find_pool(pools, construct=construct, comparator_class="placebo")

    return pooled


@pytest.fixture(scope="module")
def pain(pool_of):
    return pool_of()


@pytest.fixture(scope="module")
def all_pools(fibromyalgia, protocol):
    """Every pool that another selection of the protocol makes."""
    selections = {variant.selection for variant in protocol.variants}
    return [
        found
        for selection in selections
        for found in build_pools(fibromyalgia, selection, protocol.model)
    ]


def studies(found):
    return set(found.trials["study_id"])


def test_fibromyalgia_pain_is_final_and_innova(pain):
    assert studies(pain) == {FINAL, INNOVA}
    assert pain.key["unit"] == "points (0-10)"
    assert pain.people == 49 + 50 + 47 + 49
    assert pain.result.ci_method == "knapp-hartung-floored"
    assert pain.read.has_prior
    assert math.isnan(pain.result.pi_low)
    assert not pain.trials["is_transcribed"].any()


def test_with_crossovers_with_and_without_transcribed_values(pool_of):
    with_crossovers = pool_of(allow_approximate=True)
    assert studies(with_crossovers) == {FINAL, INNOVA, YOUNGER}
    # 28 people stand in both arms of the crossover.
    assert with_crossovers.people == 49 + 50 + 47 + 49 + 28
    assert with_crossovers.result.ci_method == "knapp-hartung-floored"
    assert with_crossovers.trials["is_transcribed"].any()
    assert studies(pool_of(allow_approximate=True, allow_transcribed=False)) == {FINAL, INNOVA}
    assert studies(pool_of(allow_transcribed=False)) == {FINAL, INNOVA}


def test_other_choices_move_what_they_name(pool_of, protocol):
    read_from = ("transcription", *(x for x in protocol.selection.read_from if x[:5] != "trans"))
    transcribed = pool_of(read_from=read_from).trials.set_index("study_id")
    assert transcribed.loc[INNOVA, "is_transcribed"]
    months = pool_of(target_weeks=26.0).trials.set_index("study_id")
    assert months.loc[INNOVA, "timepoint_weeks"] == 26
    assert months.loc[FINAL, "timepoint_weeks"] == 12
    assert pool_of(tau2_method="dl").result.tau2_method == "dl"
    assert pool_of(ci_method="knapp-hartung").result.ci_method == "knapp-hartung"


def test_less_pain_and_harm_are_pooled_likewise(pool_of):
    for construct in ("responder_pain_30", "any_adverse_event"):
        found = pool_of(construct)
        assert studies(found) == {FINAL, INNOVA}, construct
        assert found.key["measure"] == "RR"


def test_sensitivity_pools_are_those_of_the_protocol(protocol, evidence):
    rows = effect_rows(
        {}, {"study_id": "b", "yi": 1.0}, {"study_id": "c", "is_approximate": True, "yi": 2.0}
    )
    answers = Answers(evidence, protocol, rows, rows[:0])
    found = answers.to("headache", "pain_intensity", "placebo").variants
    assert [name for name, _ in found] == [variant.name for variant in protocol.variants]
    for (_, one), variant in zip(found, protocol.variants, strict=True):
        assert len(one.trials) == (3 if variant.selection.allow_approximate else 2)
        assert one.result.tau2_method == variant.model.tau2_method
        assert one.result.ci_method == variant.model.interval(len(one.trials))
    nowhere = answers.to("headache", "x", "placebo")
    assert {one for _, one in nowhere.variants} == {None}


def test_the_pain_pool_by_hand(pain):
    # With two trials REML is ((y1 - y2)^2 - v1 - v2) / 2.
    (y1, y2), (v1, v2) = pain.trials["yi"], pain.trials["vi"]
    tau2 = ((y1 - y2) ** 2 - v1 - v2) / 2
    w1, w2 = 1 / (v1 + tau2), 1 / (v2 + tau2)
    assert pain.result.tau2 == pytest.approx(tau2, rel=1e-7)
    assert pain.result.estimate == pytest.approx((w1 * y1 + w2 * y2) / (w1 + w2), rel=1e-7)
    assert pain.result.se == pytest.approx((w1 + w2) ** -0.5, rel=1e-7)


PINNED = json.loads(REFERENCE.read_text(encoding="utf-8"))["pools"]


def named(pinned):
    return f"{pinned['construct']}, {pinned['analysis']}"


@pytest.mark.parametrize("pinned", PINNED, ids=named)
def test_metafor_says_the_same_of_the_same_effects(pinned):
    for fit in pinned["fits"]:
        ours = pool(
            pinned["yi"], pinned["vi"], tau2_method="reml", ci_method=CI_METHODS[fit["test"]]
        )
        for name, theirs in fit.items():
            if name != "test":
                # At tau2 = 0 metafor stops at 1e-15.
                assert getattr(ours, name) == pytest.approx(theirs, rel=1e-6, abs=1e-12), name


@pytest.mark.parametrize("pinned", PINNED, ids=named)
def test_metafor_was_asked_about_the_effects_of_today(all_pools, pinned):
    today = [
        found.trials[["yi", "vi"]].to_numpy()
        for found in all_pools
        if found.key["construct"] == pinned["construct"]
    ]
    asked = np.column_stack([pinned["yi"], pinned["vi"]])
    # Six digits stand in data/derived. When this fails: `make reference`.
    assert any(t.shape == asked.shape and np.allclose(t, asked, rtol=1e-5, atol=0) for t in today)


@pytest.mark.parametrize(
    ("construct", "options"),
    [
        ("pain_intensity", {}),
        ("pain_intensity", {"allow_approximate": True}),
        ("responder_pain_30", {}),
        ("any_adverse_event", {}),
    ],
)
def test_metafor_was_asked_about_the_pools_that_matter(pool_of, construct, options):
    yi = pool_of(construct, **options).trials["yi"].to_numpy()
    asked = [np.array(p["yi"]) for p in PINNED if p["construct"] == construct]
    assert any(a.shape == yi.shape and np.allclose(a, yi, rtol=1e-5, atol=0) for a in asked)


def pools_of(protocol, *rows, **options):
    chosen = protocol.changed(**options)
    return build_pools(effect_rows(*rows), chosen.selection, chosen.model)


def test_changes_from_baseline_where_they_can_be_had(evidence, protocol, effects):
    # -0.34 of FINAL and 0.31 of INNOVA with the errors of their printed differences.
    (variant,) = [v for v in protocol.variants if v.selection.estimands]
    own = effects[effects["indication_id"] == "fibromyalgia"]
    wald = dataclasses.replace(variant.model, ci_method="wald")
    pools = build_pools(own, variant.selection, wald)
    found = find_pool(pools, construct="pain_intensity", comparator_class="placebo")
    r = found.result
    assert found.trials["yi"].to_list() == pytest.approx([-0.34, 0.31])
    assert (r.estimate, r.ci_low, r.ci_high) == pytest.approx((-0.0703, -0.698, 0.557), abs=5e-4)
    assert (r.tau2, r.i2_pct) == pytest.approx((0.0784, 37.1), rel=2e-3)


def test_trials_stand_oldest_first_and_keep_their_numbers(protocol):
    (found,) = pools_of(
        protocol,
        {"study_id": "b", "year": 2010.0, "yi": -2.0},
        {"study_id": "c", "year": 2005.0, "yi": -3.0},
        {"study_id": "a", "year": 2010.0, "yi": -1.0},
    )
    assert list(found.trials["study_id"]) == ["c", "a", "b"]
    assert list(found.result.yi) == [-3.0, -1.0, -2.0]
    assert found.result.labels == ("c", "a", "b")
    assert found.result.level == protocol.model.level
    assert found.result.measure == "MD"


def test_nothing_meets_that_is_not_alike(protocol):
    unlike = [{}, {"study_id": "b", "unit": "mm"}, {"study_id": "c", "measure": "SMD"},
              {"study_id": "d", "comparator_class": "active drug"}]  # fmt: skip
    pools = pools_of(protocol, *unlike)
    assert [len(found.trials) for found in pools] == [1, 1, 1, 1]
    keys = [tuple(found.key[name] for name in POOL) for found in pools]
    assert keys == sorted(keys)


def test_points_of_unknown_scales_never_meet(protocol):
    unknown = {"unit": "points (range not reported)", "has_known_scale": False}
    pools = pools_of(protocol, unknown, unknown | {"study_id": "b"})
    assert [studies(found) for found in pools] == [{"ames2001"}, {"b"}]
    known = {"unit": "seconds"}
    assert len(pools_of(protocol, known, known | {"study_id": "b"})) == 1


def test_no_effect_no_pool(protocol, evidence):
    assert pools_of(protocol, {"kind": "change from baseline"}) == []
    empty = effect_rows()
    assert build_pools(empty, protocol.selection, protocol.model) == []
    assert Answers(evidence, protocol, empty, empty).table.empty


def test_the_larger_pool_is_found(protocol):
    pools = pools_of(
        protocol, {}, {"study_id": "b"}, {"study_id": "c", "measure": "SMD"}, {"construct": "x"}
    )
    found = find_pool(pools, construct="pain_intensity", comparator_class="placebo")
    assert found.key["measure"] == "MD"
    assert find_pool(pools, construct="pain_intensity", comparator_class="opioid alone") is None


def test_people_of_pairs_count_once_and_unknown_ones_not_at_all():
    rows = effect_rows(
        {"n_1": 50.0, "n_2": 48.0},
        {"n_1": 28.0, "n_2": 28.0, "is_paired": True},
        {"n_1": math.nan, "n_2": math.nan, "is_paired": True},
        {"n_1": 31.0, "n_2": math.nan},
    )
    assert [people(rows[i : i + 1]) for i in range(4)] == [98, 28, 0, 31]
    assert people(rows) == 157


def test_pooled_table_of_the_real_evidence(tables, protocol):
    effects, table = tables["effects"], tables["pooled"]
    names = [variant.name for variant in protocol.variants]
    assert set(table["analysis"]) <= set(names)
    assert not table.duplicated([*POOL, "analysis", "effects"]).any()
    for row in table.to_dict("records"):
        used = effects.set_index("effect_id").loc[row["effects"].split()]
        assert len(used) == row["k"]
        assert row["people"] == people(used)
        assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
        if row["k"] == 1:
            assert row["estimate"] == pytest.approx(used["yi"].iloc[0])
            assert row["se"] == pytest.approx(used["sei"].iloc[0], rel=1e-5)
    # A lone trial has a line where its effect is news, and no other.
    alone = table[table["k"] == 1]
    assert alone["effects"].is_unique
    order = {name: place for place, name in enumerate(names)}
    for _, rows in table.groupby(POOL):
        places = rows["analysis"].map(order)
        assert places.is_monotonic_increasing


def side_rows(**signs):
    """The directions table as far as a kind of synthesis asks it."""
    import pandas as pd

    rows = [(name, "pain_intensity", sign, name != "Cohort") for name, sign in signs.items()]
    return pd.DataFrame(rows, columns=["study_label", "construct", "sign", "is_randomised"])


def kind_of(effects, left_out, protocol, *constructs, sides=None):
    pools = build_pools(effects, protocol.selection, protocol.model)
    sides = side_rows() if sides is None else sides
    return possible_synthesis(effects, left_out, pools, sides, constructs=list(constructs))


LEFT = {
    "study_label": "Ames",
    "construct": "pain_intensity",
    "kind": "contrast",
    "direction": "not stated",
    "is_preferred": True,
    "comparator_class": "placebo",
    "trial_id": "ames2001",
    "n_1": math.nan,
}


def left_rows(*rows):
    import pandas as pd

    return pd.DataFrame([LEFT | row for row in rows], columns=list(LEFT))


def test_two_trials_are_a_meta_analysis(protocol):
    rows = effect_rows({"yi": -2.0, "vi": 0.01}, {"study_id": "b", "yi": -2.1, "vi": 0.01})
    found = kind_of(rows, left_rows(), protocol, "pain_intensity")
    assert (found["synthesis"], found["trials"], found["people"]) == (META_ANALYSIS, 2, 200)
    assert found["direction"] == "favours treatment"
    assert found["estimate"] == pytest.approx(-2.05)
    assert found["directions"] == {}


def test_one_trial_is_one_trial(protocol):
    rows = effect_rows({"yi": -0.1, "vi": 1.0}, {"study_id": "b", "kind": "change from baseline"})
    found = kind_of(rows, left_rows(), protocol, "pain_intensity")
    assert (found["synthesis"], found["trials"]) == (ONE_TRIAL, 1)
    # The side of the estimate, whatever its interval: -0.1 (-2.1 to 1.9), and less is better.
    assert found["direction"] == "favours treatment"
    assert found["ci_low"] < 0 < found["ci_high"]


def test_the_construct_with_most_trials_and_then_the_first_named_counts(protocol):
    rows = effect_rows(
        {"construct": "second"},
        {"construct": "first"},
        {"construct": "third"},
        {"construct": "third", "study_id": "b"},
    )
    assert kind_of(rows, left_rows(), protocol, "first", "second")["construct"] == "first"
    assert kind_of(rows, left_rows(), protocol, "second", "first")["construct"] == "second"
    assert kind_of(rows, left_rows(), protocol, "first", "third")["construct"] == "third"


@pytest.mark.parametrize(
    ("signs", "sides", "together"),
    [
        # Not called different is no side, whatever the report says of it.
        ({"Ames": math.nan}, ["side not known"], "side not known"),
        ({}, ["side not known"], "side not known"),
        ({"Ames": -1.0}, ["favours comparator"], "favours comparator"),
        ({"Ames": 0.0}, ["same in both"], "same in both"),
    ],
)
def test_a_side_is_that_of_the_directions_table_and_never_a_word(protocol, signs, sides, together):
    left = left_rows({"direction": "no difference"})
    found = kind_of(effect_rows(), left, protocol, "pain_intensity", sides=side_rows(**signs))
    assert list(found["directions"].values()) == sides
    assert found["direction"] == together
    assert found["words"] == {"Ames": "no difference"}


@pytest.mark.parametrize(
    ("signs", "together"),
    [
        ({"Ames": -1.0, "Cohort": 1.0}, "favours comparator"),
        ({"Ames": math.nan, "Cohort": 1.0}, "side not known"),
        ({"Cohort": 1.0}, "favours treatment"),
    ],
)
def test_a_study_that_was_not_randomised_takes_no_side_beside_one_that_was(
    protocol, signs, together
):
    left = left_rows(*({"study_label": name, "trial_id": name} for name in signs))
    found = kind_of(effect_rows(), left, protocol, "pain_intensity", sides=side_rows(**signs))
    assert found["direction"] == together
    assert set(found["directions"]) == set(signs)


def test_direction_of_comparisons_without_an_effect(protocol):
    favours, none = {"direction": "favours treatment"}, {"direction": "no difference"}
    against, bell = {"direction": "favours comparator"}, {"study_label": "Bell"}
    cases = [
        ([favours], 1, "favours treatment"),
        ([{}], 1, "not stated"),
        ([favours, {}], 1, "favours treatment"),
        ([favours, favours | bell], 2, "favours treatment"),
        ([favours, none | bell], 2, "partly favours treatment"),
        ([against, none | bell], 2, "partly favours comparator"),
        ([favours, against | bell], 2, "conflicting"),
        # Of one trial the preferred source speaks.
        ([favours, none | {"is_preferred": False}], 1, "favours treatment"),
        ([{}, none | {"is_preferred": False}], 1, "no difference"),
        ([favours, none], 1, "partly favours treatment"),
        ([favours, none, none | bell], 2, "partly favours treatment"),
        ([favours, none, against | bell], 2, "conflicting"),
        ([favours, against, none | bell], 2, "conflicting"),
        # Against a further arm it is another question.
        ([favours, against | {"comparator_class": "further arm"}], 1, "favours treatment"),
    ]
    for rows, trials, direction in cases:
        found = kind_of(effect_rows(), left_rows(*rows), protocol, "pain_intensity")
        assert found["synthesis"] == DIRECTION_ONLY
        assert (found["trials"], one_word(found["words"].values())) == (trials, direction), rows
        assert len(found["directions"]) == trials


def test_a_barred_comparison_is_direction_only(protocol):
    barred = effect_rows({"is_approximate": True, "direction": "favours treatment"})
    found = kind_of(barred, left_rows(), protocol, "pain_intensity")
    assert (found["synthesis"], found["trials"]) == (DIRECTION_ONLY, 1)
    assert found["directions"] == {"ames2001": "side not known"}
    assert found["words"] == {"ames2001": "favours treatment"}
    assert math.isnan(found["estimate"])


def test_one_arm_is_no_comparison_however_it_favours(protocol):
    favours = {"direction": "favours treatment"}
    for kind in ("change from baseline", "one arm"):
        found = kind_of(
            effect_rows(), left_rows(favours | {"kind": kind}), protocol, "pain_intensity"
        )
        assert (found["synthesis"], found["trials"]) == (NO_COMPARISON, 1)
        assert found["direction"] == "not stated"
    single = {"kind": "single-arm proportion", "n_2": math.nan}
    rows = effect_rows(single | {"n_1": 40.0}, single | {"n_1": 22.0},
                       single | {"study_id": "b", "n_1": math.nan})  # fmt: skip
    found = kind_of(rows, left_rows(), protocol, "pain_intensity")
    # 22 of the 40 are a part of them.
    assert (found["synthesis"], found["trials"], found["people"]) == (NO_COMPARISON, 2, 40)
    # Counts in words have people too, and of studies with perhaps the same people one counts.
    told = left_rows({"kind": "one arm", "study_label": "Case", "trial_id": "case", "n_1": 2.0},
                     {"kind": "one arm", "study_label": "Again", "n_1": 47.0})  # fmt: skip
    found = kind_of(rows, told, protocol, "pain_intensity")
    assert (found["trials"], found["people"]) == (4, 49)
    # Of one nobody says how many.
    assert found["people_unknown"] == 1


def test_what_was_set_aside_is_nothing(protocol):
    rows = left_rows(
        {"kind": "set aside", "direction": "favours treatment"},
        {"kind": "no result of LDN against anything"},
        {"construct": "other"},
    )
    found = kind_of(effect_rows(), rows, protocol, "pain_intensity")
    assert (found["synthesis"], found["trials"], found["people"]) == (NOTHING, 0, 0)


def test_kinds_on_the_real_evidence(effects, left_out, protocol, tables):
    def of(indication, *constructs):
        own = effects[effects["indication_id"] == indication]
        left = left_out[left_out["indication_id"] == indication]
        sides = tables["directions"]
        sides = sides[sides["indication_id"] == indication]
        return kind_of(own, left, protocol, *constructs, sides=sides)

    pain = of("fibromyalgia", "pain_intensity")
    assert (pain["synthesis"], pain["direction"]) == (META_ANALYSIS, "favours comparator")
    assert of("painful_diabetic_neuropathy", "pain_intensity")["synthesis"] == ONE_TRIAL
    response = of("crohns_disease", "clinical_response")
    assert (response["synthesis"], response["direction"]) == (DIRECTION_ONLY, "favours treatment")
    mixed = of("mixed_chronic_pain", "pain_intensity")
    assert mixed["synthesis"] == DIRECTION_ONLY
    # The comparison of Martin's two groups before treatment is no result.
    assert mixed["directions"]["Martin 2022"] == "favours treatment"
    assert of("crohns_disease", "no_such_construct")["synthesis"] == NOTHING


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ((1.0, 1.0), "favours treatment"),
        ((-1.0, 0.0), "favours comparator"),
        ((1.0, -1.0, math.nan), "on both sides"),
        ((0.0, math.nan), "same in both"),
        ((math.nan,), "side not known"),
        ((), "side not known"),
    ],
)
def test_the_side_of_estimates(signs, words):
    assert side_of(signs) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"yi": 0.02}, "favours comparator"),
        ({"yi": 0.02, "benefit_sign": 1.0}, "favours treatment"),
        ({"yi": 0.0}, "same in both"),
        ({"benefit_sign": math.nan}, "side not known"),
        # Printed without a word of which was subtracted from which.
        ({"route": "difference with CI"}, "side not known"),
    ],
)
def test_the_side_of_a_pool_is_that_of_its_estimate(protocol, changes, words):
    (found,) = pools_of(protocol, changes)
    assert side_of_pool(found) == words


@pytest.mark.parametrize(
    ("low", "high", "sign", "words"),
    [
        (-2.0, -1.0, -1.0, "favours treatment"),
        (1.0, 2.0, -1.0, "favours comparator"),
        (1.0, 2.0, 1.0, "favours treatment"),
        (-2.0, -1.0, 1.0, "favours comparator"),
        (-1.0, 1.0, 1.0, "either way"),
        (0.0, 1.0, 1.0, "either way"),
        (-1.0, 0.0, -1.0, "either way"),
        (math.nan, 1.0, 1.0, "not stated"),
        (1.0, math.inf, 1.0, "not stated"),
        (1.0, 2.0, math.nan, "not stated"),
    ],
)
def test_the_side_an_interval_lies_on(low, high, sign, words):
    assert interval_direction(low, high, sign) == words


def test_the_model_of_the_protocol_is_used(protocol):
    rows = [{}, {"study_id": "b", "yi": 1.0}, {"study_id": "c", "yi": 0.5}]
    (found,) = pools_of(protocol, *rows, level=0.9, tau2_method="pm", ci_method="knapp-hartung")
    expected = pool(
        found.trials["yi"], found.trials["vi"], tau2_method="pm", ci_method="knapp-hartung",
        level=0.9, pi_method=protocol.model.pi_method,
    )  # fmt: skip
    for field in ("estimate", "ci_low", "ci_high", "tau2", "pi_low", "level"):
        assert getattr(found.result, field) == getattr(expected, field), field
