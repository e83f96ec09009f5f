"""What the explore page selects and pools is the analysis of the multiverse with those options."""

import numpy as np
import pytest

from explore_node import AGREEMENT, ask, gap
from ldn_meta.display.pages.explore import explore_words
from ldn_meta.evidence.answer.multiverse import NUMBERS, all_multiverses, explored
from ldn_meta.evidence.derived import load_derived
from ldn_meta.stats.multiverse import digits
from ldn_meta.stats.pool import pool

WEEKS = ("NR", 1, 6, 10.5, 11.5, 12, 12.5, 13.5, 26, 52)
SETS = ("intention to treat", "not stated", "complete case", "per protocol")
TEXTS = ("full text", "abstract", "transcription", "press")


@pytest.fixture(scope="module")
def real(evidence, protocol):
    return explored(evidence, protocol) | {"words": explore_words()}


@pytest.fixture
def invented(build):
    """Nine trials with everything that a rule, a rank or a choice about data looks at."""
    rng = np.random.default_rng(7)

    def one_of(values):
        return values[int(rng.integers(len(values)))]

    build.outcome("responder", construct="responder_pain_30", domain="responder")
    for number in range(9):
        name = f"trial{number}"
        build.trial(
            name,
            n=(40, 44),
            year=2001 + number // 2,
            is_randomised="no" if number == 1 else "yes",
            blinding="open" if number == 2 else "double-blind",
        )
        for _ in range(int(rng.integers(1, 4))):
            middle = rng.normal(-0.5, 1)
            where = {
                "timepoint_weeks": one_of(WEEKS),
                "analysis_set": one_of(SETS),
                "read_from": one_of(TEXTS),
                "preferred": one_of(("yes", "no")),
                "estimate": f"{middle:.2f}",
            }
            if number in (3, 4):
                printed = {"p_relation": "=", "p_value": "0.2" if number == 3 else "0.04"}
                build.contrast(name, **printed, **where)
            else:
                half = rng.uniform(0.5, 2)
                limits = {"ci_low": f"{middle - half:.2f}", "ci_high": f"{middle + half:.2f}"}
                build.contrast(name, ci_level=0.95, **limits, **where)
        same = {"timepoint_weeks": 12, "analysis_set": one_of(SETS[:2])}
        nobody = number == 5
        for arm, size in (("ldn", 40), ("placebo", 44)):
            events = 0 if nobody else int(rng.integers(1, size - 1))
            build.events(arm, name, events=events, n=size, **same)
    build.trial("crossover", n=(20, 20), design="crossover")
    for arm, mean in (("ldn", "3.1"), ("placebo", "4.0")):
        build.stats(arm, "crossover", statistic_of="end", mean=mean, sd="2.0", n=20)
    return build.load()


def compare(data, found, rng, analyses):
    """Random analyses of a multiverse, some without a trial, against the page."""
    asked, expected = [], []
    for number in [0, len(found) - 1, *rng.integers(0, len(found), analyses)]:
        options = digits([int(number)], found.sizes)
        row = int(found.places(options)[0][0])
        frame = found.frame(int(number), int(number) + 1).iloc[0]
        choices = [found.indication_id, found.construct, options[0].tolist()]
        asked.append(["analysis", *choices, []])
        expected.append({name: frame[name] for name in NUMBERS})
        model = data["nodes"], options[0]
        out = int(rng.integers(len(found.trials)))
        asked.append(["analysis", *choices, [trial_of(data, found, out)]])
        kept = np.arange(len(found.trials)) != out
        expected.append(pooled(data, model, found.yi[row][kept], found.vi[row][kept]))
    worst = 0.0
    counts = set()
    for question, analysis, numbers in zip(asked, ask(asked, data), expected, strict=True):
        result = analysis["result"]
        counts.add(result["k"])
        for name in NUMBERS:
            scale = 0.0 if name in ("k", "se", "p_value") else 1e-2
            apart = gap([result[name]], [numbers[name]], scale=scale)
            assert apart < AGREEMENT, (question, name, result[name], numbers[name])
            worst = max(worst, apart)
    return worst, counts


def trial_of(data, found, place):
    """Key of a trial, from its label."""
    effects = outcome_of(data, found)["effects"]
    return next(e["trial_id"] for e in effects if e["study_label"] == found.trials[place])


def outcome_of(data, found):
    own = [i for i in data["indications"] if i["indication_id"] == found.indication_id]
    return next(o for o in own[0]["outcomes"] if o["construct"] == found.construct)


def pooled(data, model, yi, vi):
    """The pool of what is left when a trial is taken out by hand."""
    nodes, options = model
    settings = dict(data["model"])
    for node, option in zip(nodes, options, strict=True):
        changes = node["options"][option]["changes"]
        settings |= {name: value for name, value in changes.items() if name in settings}
    k = int((~np.isnan(vi)).sum())
    few = "two" if k <= settings["two_trials"] else "more"
    result = pool(
        yi,
        vi,
        tau2_method=settings["tau2_method"],
        ci_method=settings["ci_method"] or settings[f"ci_method_{few}_trials"],
        pi_method=settings["pi_method"],
        level=settings["level"],
    )
    return {name: getattr(result, name) for name in NUMBERS}


def test_real_selections_agree(evidence, protocol, real):
    rng = np.random.default_rng(1)
    multiverses = all_multiverses(evidence, protocol, ["fibromyalgia"])
    own = real["indications"][0]
    told = [(o["construct"], o["measure"], o["unit"]) for o in own["outcomes"]]
    assert told == [(found.construct, found.measure, found.unit) for found in multiverses]
    for found in multiverses:
        compare(real, found, rng, 60)


def test_invented_selections_agree(invented, protocol):
    data = explored(invented, protocol) | {"words": explore_words()}
    rng = np.random.default_rng(2)
    seen = set()
    for found in all_multiverses(invented, protocol):
        _, counts = compare(data, found, rng, 150)
        seen |= counts
    assert len(seen) > 3, "pools of many sizes must have been tried"
    pain = data["indications"][0]["outcomes"][0]
    states = {tuple(state["effects"]) for state in pain["states"]}
    assert len(states) > 3, "correlation and rounding must have changed effects"
    risk = next(o for o in data["indications"][0]["outcomes"] if o["measure"] == "RR")
    assert {state["measure"] for state in risk["states"]} == {"RR", "OR"}


def test_the_data_are_the_derived_effects_under_the_protocol(real):
    saved = load_derived().effects.set_index("effect_id")
    for indication in real["indications"]:
        for outcome in indication["outcomes"]:
            assert outcome["states"][0]["changes"] == {}
            for place in outcome["states"][0]["effects"]:
                effect = outcome["effects"][place]
                row = saved.loc[effect["effect_id"]]
                assert (effect["yi"], effect["vi"]) == (row["yi"], row["vi"])


def test_no_effect_leaves_an_indication_without_outcomes(build, protocol):
    data = explored(build.load(), protocol)
    assert [i["outcomes"] for i in data["indications"]] == [[]]
    assert data["rules"] == []
