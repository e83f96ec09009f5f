"""Every analysis of the multiverse is the one its options spell out, computed the long way."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t

import ldn_meta as lm
from builders import cases, html_row
from explore_node import AGREEMENT, ask, gap
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer import multiverse as multiverse_module
from ldn_meta.evidence.answer.multiverse import (
    NUMBERS,
    Normalised,
    all_multiverses,
    build_multiverse,
    explored,
    multiverse,
    node_table,
    summary,
    weights,
)
from ldn_meta.evidence.answer.pools import build_pools, find_pool
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.effects.effects import as_saved, normalise
from ldn_meta.evidence.raw.protocol import load_protocol, read_nodes
from ldn_meta.pipeline.site import explore_words
from ldn_meta.stats.bayes import pool_bayes
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.multiverse import digits
from ldn_meta.stats.pool import pool


def option_of(node, name):
    return next(option for option in node.options if option.name == name)


@pytest.fixture(scope="module")
def pain(evidence, protocol):
    own = evidence.for_indication("fibromyalgia")
    return build_multiverse(Normalised(own, protocol), "pain_intensity", "placebo")


SEEN = {}


def normalised_once(own, protocol):
    """Effects under choices about data; most analyses share them."""
    name = own.text["indications"]["indication_id"].iloc[0]
    key = (name, protocol.correlation, protocol.largest_se_error)
    if key not in SEEN:
        SEEN[key] = as_saved(normalise(own, protocol)[0])
    return SEEN[key]


def the_long_way(own, protocol, row, construct, comparator):
    """The pool of one analysis: change the protocol, normalise, select, pool."""
    options = [option_of(node, row[node.name]) for node in protocol.nodes]
    data = {n: v for option in options for n, v in option.of_data().items()}
    changed = protocol.changed(**{n: v for o in options for n, v in o.of_protocol().items()})
    # Effects are data: the protocol's order of texts says how each was read.
    of_data = replace(
        protocol,
        correlation=data.get("within_person", protocol.correlation),
        largest_se_error=data.get("largest_se_error", protocol.largest_se_error),
    )
    effects = normalised_once(own, of_data).copy()
    if data.get("measure") == "OR":
        is_ratio = effects["measure"] == "RR"
        counts = {n: effects.loc[is_ratio, n] for n in ("events_1", "n_1", "events_2", "n_2")}
        odds = effect_size("OR", **counts)
        effects.loc[is_ratio, "yi"], effects.loc[is_ratio, "vi"] = odds.yi, odds.vi
        half = norm.ppf(0.975) * np.sqrt(odds.vi)
        effects.loc[is_ratio, "ci_low"] = odds.yi - half
        effects.loc[is_ratio, "ci_high"] = odds.yi + half
    pools = build_pools(effects, changed.selection, changed.model)
    return find_pool(pools, construct=construct, comparator_class=comparator)


OUTCOMES = [
    ("fibromyalgia", "pain_intensity", "placebo"),
    ("fibromyalgia", "responder_pain_30", "placebo"),
    ("multiple_sclerosis", "quality_of_life_mental", "placebo"),
    ("painful_diabetic_neuropathy", "pain_intensity", "active drug"),
]


@pytest.mark.parametrize(("indication", "construct", "comparator"), OUTCOMES)
def test_analyses_are_those_of_the_long_way(evidence, protocol, indication, construct, comparator):
    own = evidence.for_indication(indication)
    found = build_multiverse(Normalised(own, protocol), construct, comparator)
    rng = np.random.default_rng(1)
    for number in [0, len(found) - 1, *rng.integers(0, len(found), 3)]:
        row = found.frame(int(number), int(number) + 1).iloc[0]
        assert row["analysis"] == number
        pool = the_long_way(own, protocol, row, construct, comparator)
        if pool is None:
            assert row["k"] == 0
            assert math.isnan(row["estimate"])
            continue
        expected = {name: float(getattr(pool.result, name)) for name in NUMBERS}
        if pool.read.has_prior:
            expected |= dict(zip(("estimate", "ci_low", "ci_high"), pool.read, strict=False))
            expected |= {"se": math.nan, "p_value": math.nan}
        for name in NUMBERS:
            assert row[name] == pytest.approx(expected[name], rel=1e-9, nan_ok=True), name


def test_the_first_analysis_is_the_protocols_own(evidence, protocol, tables):
    frame = multiverse(evidence, protocol, "fibromyalgia", "pain_intensity")
    main = tables["pooled"].query(
        "indication_id == 'fibromyalgia' and construct == 'pain_intensity' and analysis == 'main'"
    )
    assert frame["estimate"].iloc[0] == pytest.approx(main["read_estimate"].iloc[0], rel=1e-12)
    assert frame["ci_low"].iloc[0] == pytest.approx(main["read_low"].iloc[0], rel=1e-12)
    assert len(frame) == math.prod(len(node.options) for node in protocol.nodes)
    assert lm.multiverse is multiverse


def test_streamed_in_pieces_it_is_the_same(pain):
    whole = pain.frame()
    pieces = list(pain.stream(chunk=50_000))
    assert [len(piece) for piece in pieces] == [*[50_000] * 7, len(whole) - 350_000]
    assert sum(piece["estimate"].sum() for piece in pieces) == pytest.approx(
        whole["estimate"].sum(), rel=1e-12
    )
    assert pieces[1].reset_index(drop=True).equals(whole[50_000:100_000].reset_index(drop=True))


def test_the_summary_is_that_of_all_rows(pain, protocol):
    frame, told = pain.frame(), summary(pain, protocol)
    assert weights(pain).sum() == len(frame) == told["combinations"]
    # Nodes that move nothing repeat each analysis; the rest are as many as can differ.
    own = [n.name for n, moves in zip(pain.nodes, pain.moves, strict=True) if moves]
    assert len(frame[own].drop_duplicates()) == told["analyses"] == pain.distinct
    numbers = frame[["estimate", "ci_low", "ci_high"]].round(9)
    assert (numbers.groupby([frame[name] for name in own], observed=True).nunique() <= 1).all(
        axis=None
    )
    assert told["favours_treatment"] == pytest.approx((frame["ci_high"] < 0).mean())
    assert told["leans_treatment"] == pytest.approx((frame["estimate"] < 0).mean())
    assert told["ci_beyond_mid"] == pytest.approx((frame["ci_low"] <= -1).mean())
    assert told["median"] == pytest.approx(
        np.quantile(frame["estimate"], 0.5, method="inverted_cdf"), abs=1e-12
    )
    assert told["results"] == len(
        frame[["estimate", "ci_low", "ci_high"]].round(9).drop_duplicates()
    )
    nodes = node_table(pain).set_index("node")
    everything = frame["estimate"].var(ddof=0)
    for node in protocol.nodes:
        means = frame.groupby(node.name, observed=True)["estimate"].transform("mean")
        expected = means.var(ddof=0) / everything
        assert nodes.loc[node.name, "share_explained"] == pytest.approx(expected, abs=1e-9)
    crossovers = nodes.loc["approximated effects"]
    assert crossovers["farthest_option"] == "used"
    assert crossovers["shift"] == pytest.approx(crossovers["farthest"] - told["default_estimate"])


def test_what_rounding_leaves_decides_no_place(pain, monkeypatch):
    noise = dict(zip([node.name for node in pain.nodes], (3e-17, 1e-16, 2e-16) * 99, strict=False))
    monkeypatch.setattr(multiverse_module, "_sums", lambda found, place: found.nodes[place].name)
    monkeypatch.setattr(multiverse_module, "share_explained", lambda *name: noise["".join(name)])
    told = node_table(pain)
    order = [node.name for node in pain.nodes]
    still = told.loc[told["shift"].abs() < 1e-9, "node"].map(order.index)
    assert len(still) > 2
    assert still.is_monotonic_increasing


def test_outcomes_without_an_effect_or_a_name(evidence, protocol):
    assert multiverse(evidence, protocol, "crohns_disease", "clinical_response").empty
    with pytest.raises(ArgumentError, match="known:"):
        multiverse(evidence, protocol, "fibromyalgia", "pain_intensty")
    with pytest.raises(ArgumentError, match="did you mean 'fibromyalgia'"):
        multiverse(evidence, protocol, "fibromyalga", "pain_intensity")


NODE = """
[multiverse]
set_on = 2026-12-01T12:00:00Z
known_then = "after the main pool was seen"
reason = "r"
[[multiverse.node]]
set_on = 2026-12-01T12:00:00Z
known_then = "after the main pool was seen"
name = "spread"
reason = "r"
options = [{ name = "a" }, { name = "b", tau2_method = "dl" }]
"""
FAULTS = cases("nodes_refused")


@pytest.mark.parametrize(("old", "new", "message"), FAULTS, ids=[f[2][:25] for f in FAULTS])
def test_a_node_that_cannot_be_read_is_refused(raw_folder, tmp_path, old, new, message):
    text = (raw_folder / "protocol.toml").read_text(encoding="utf-8")
    rest = re.sub(r"\nvaried_by = [^\n]*", "", text[: text.index("[multiverse]")])
    file = tmp_path / "protocol.toml"
    file.write_text(rest + NODE, encoding="utf-8")
    assert load_protocol(file).nodes[0].options[1].changes == {"tau2_method": "dl"}
    assert old in NODE
    file.write_text(rest + NODE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ArgumentError, match=message):
        load_protocol(file)


def test_without_nodes_there_is_one_analysis(evidence, protocol):
    bare = replace(protocol, nodes=read_nodes({}, lambda place, changes: None))
    own = evidence.for_indication("fibromyalgia")
    found = build_multiverse(Normalised(own, bare), "pain_intensity", "placebo")
    assert len(found) == 1
    assert found.frame()["estimate"].iloc[0] == pytest.approx(0.018327, abs=1e-6)


def test_options_change_what_they_name(build, protocol):
    interval = {"ci_level": 0.95}
    build.trial()
    build.contrast(estimate="-1.0", ci_low="-2.0", ci_high="0.0", **interval)
    build.contrast(estimate="-3.0", ci_low="-4.0", ci_high="-2.0", timepoint_weeks=26, **interval)
    build.trial("bell2002", blinding="open")
    build.contrast("bell2002", estimate="-2.0", ci_low="-3.0", ci_high="-1.0", **interval)
    own = build.load().for_indication("headache")
    found = build_multiverse(Normalised(own, protocol), "pain_intensity", "placebo")
    frame = found.frame()
    first = frame.iloc[0]
    alone = {node.name: first[node.name] for node in protocol.nodes}

    def only(**changes):
        wanted = alone | {name.replace("_", " "): value for name, value in changes.items()}
        match = np.all([frame[name] == value for name, value in wanted.items()], axis=0)
        return frame[match].iloc[0]

    assert (first["k"], first["estimate"]) == (1, -1.0)
    later = only(time="nearest to 26 weeks")
    assert (later["k"], later["estimate"]) == (1, -3.0)
    with_open = frame[
        np.all(
            [frame[n] == v for n, v in alone.items() if not n.startswith("comparisons that")]
            + [frame["comparisons that are not double-blind"] == "used"],
            axis=0,
        )
    ].iloc[0]
    # Equal variances: the mean of -1 and -2.
    assert (with_open["k"], with_open["estimate"]) == (2, pytest.approx(-1.5))


def test_a_multiverse_shows_its_range_and_the_protocols_own_analysis(pain):
    frame = pain.frame()
    assert repr(pain) == (
        f"<Multiverse fibromyalgia, pain_intensity against placebo: {len(frame):,} analyses, "
        f"{frame['set'].nunique()} distinct sets of effects, {len(pain.trials)} trials>"
    )
    page = pain._repr_html_()
    first = frame.iloc[0]
    own = f"{first['estimate']:.4g} (interval {first['ci_low']:.4g} to {first['ci_high']:.4g})"
    assert html_row("the plan&#x27;s own", own) in page
    reach = f"{frame['estimate'].min():.4g} to {frame['estimate'].max():.4g}"
    assert html_row("all estimates", reach) in page
    assert html_row("trials", "; ".join(pain.trials)) in page


def test_a_multiverse_without_any_result_says_so(pain):
    nothing = {name: values * float("nan") for name, values in pain.results.items()}
    page = replace(pain, results=nothing)._repr_html_()
    assert html_row("the plan&#x27;s own", "not defined") in page
    assert html_row("all estimates", "not defined") in page
    assert "nan" not in page


# What the explore page selects and pools is the analysis of the multiverse with those options.
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
    scale = 1.0 if found.measure == "MD" else 0.5
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
        left = pooled(data, model, found.yi[row][kept], found.vi[row][kept], scale)
        expected.append(left | own_numbers(data, found, row, kept))
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


def own_numbers(data, found, row, kept):
    """Interval and p of a trial that is left alone: its own."""
    (alone,) = [np.flatnonzero(kept & ~np.isnan(found.vi[row]))]
    if len(alone) != 1:
        return {}
    yi, vi = found.yi[row, alone[0]], found.vi[row, alone[0]]
    effects = outcome_of(data, found)["effects"]
    (own, *_) = [e for e in effects if (e["yi"], e["vi"]) == (yi, vi)]
    df = np.inf if own["df"] is None else own["df"]
    p_value = 2 * t.sf(abs(yi) / vi**0.5, df)
    return {"ci_low": own["ci_low"], "ci_high": own["ci_high"], "p_value": p_value}


def trial_of(data, found, place):
    """Key of a trial, from its label."""
    effects = outcome_of(data, found)["effects"]
    return next(e["trial_id"] for e in effects if e["study_label"] == found.trials[place])


def outcome_of(data, found):
    own = [i for i in data["indications"] if i["indication_id"] == found.indication_id]
    return next(o for o in own[0]["outcomes"] if o["construct"] == found.construct)


def pooled(data, model, yi, vi, scale):
    """The pool of what is left when a trial is taken out by hand."""
    nodes, options = model
    settings = dict(data["model"])
    for node, option in zip(nodes, options, strict=True):
        changes = node["options"][option]["changes"]
        settings |= {name: value for name, value in changes.items() if name in settings}
    k = int((~np.isnan(vi)).sum())
    few = {1: "without_prior", 2: "without_prior"}.get(k, "more_trials")
    by_number = "wald" if settings["tau2_method"] == "common" else settings[f"ci_method_{few}"]
    result = pool(
        yi,
        vi,
        tau2_method=settings["tau2_method"],
        ci_method=settings["ci_method"] or by_number,
        pi_method=settings["pi_method"],
        level=settings["level"],
    )
    numbers = {name: getattr(result, name) for name in NUMBERS}
    is_open = settings["ci_method"] is None and settings["tau2_method"] != "common"
    if k == settings["two_trials"] and is_open:
        there = ~np.isnan(vi)
        r = pool_bayes(yi[there], vi[there], tau_prior_scale=scale)
        numbers |= {"estimate": r.mu_median, "ci_low": r.mu_low, "ci_high": r.mu_high}
        numbers |= {"se": math.nan, "p_value": math.nan}
    return numbers


def test_real_selections_agree(evidence, protocol, real):
    rng = np.random.default_rng(1)
    multiverses = all_multiverses(evidence, protocol, ["fibromyalgia"])
    own = real["indications"][0]
    told = [(o["construct"], o["measure"], o["unit"]) for o in own["outcomes"]]
    assert told == [(found.construct, found.measure, found.unit) for found in multiverses]
    for found in multiverses:
        compare(real, found, rng, 10)


def test_invented_selections_agree(invented, protocol):
    data = explored(invented, protocol) | {"words": explore_words()}
    rng = np.random.default_rng(2)
    seen = set()
    for found in all_multiverses(invented, protocol):
        _, counts = compare(data, found, rng, 25)
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
