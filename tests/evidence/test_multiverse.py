"""Every analysis of the multiverse is the one its options spell out, computed the long way."""

import math
from dataclasses import replace

import numpy as np
import pytest

import ldn_meta as lm
from builders import html_row
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.multiverse import (
    NUMBERS,
    Normalised,
    build_multiverse,
    multiverse,
    node_table,
    summary,
    weights,
)
from ldn_meta.evidence.answer.pools import build_pools, find_pool
from ldn_meta.evidence.effects.effects import as_saved, normalise
from ldn_meta.evidence.raw.protocol import load_protocol, read_nodes
from ldn_meta.stats.effects import effect_size


def option_of(node, name):
    return next(option for option in node.options if option.name == name)


@pytest.fixture(scope="module")
def pain(evidence, protocol):
    own = evidence.for_indication("fibromyalgia")
    return build_multiverse(Normalised(own, protocol), "pain_intensity", "placebo")


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
    effects = as_saved(normalise(own, of_data)[0])
    if data.get("measure") == "OR":
        is_ratio = effects["measure"] == "RR"
        counts = {n: effects.loc[is_ratio, n] for n in ("events_1", "n_1", "events_2", "n_2")}
        odds = effect_size("OR", **counts)
        effects.loc[is_ratio, "yi"], effects.loc[is_ratio, "vi"] = odds.yi, odds.vi
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
    for number in [0, len(found) - 1, *rng.integers(0, len(found), 5)]:
        row = found.frame(int(number), int(number) + 1).iloc[0]
        assert row["analysis"] == number
        pool = the_long_way(own, protocol, row, construct, comparator)
        if pool is None:
            assert row["k"] == 0
            assert math.isnan(row["estimate"])
            continue
        for name in NUMBERS:
            expected = float(getattr(pool.result, name))
            assert row[name] == pytest.approx(expected, rel=1e-9, nan_ok=True), name


def test_the_first_analysis_is_the_protocols_own(evidence, protocol, tables):
    frame = multiverse(evidence, protocol, "fibromyalgia", "pain_intensity")
    main = tables["pooled"].query(
        "indication_id == 'fibromyalgia' and construct == 'pain_intensity' and analysis == 'main'"
    )
    assert frame["estimate"].iloc[0] == pytest.approx(main["estimate"].iloc[0], rel=1e-12)
    assert frame["ci_low"].iloc[0] == pytest.approx(main["ci_low"].iloc[0], rel=1e-12)
    assert len(frame) == math.prod(len(node.options) for node in protocol.nodes)
    assert lm.multiverse is multiverse


def test_streamed_in_pieces_it_is_the_same(pain):
    whole = pain.frame()
    pieces = list(pain.stream(chunk=50_000))
    assert [len(piece) for piece in pieces] == [50_000, 50_000, 29_024]
    assert sum(piece["estimate"].sum() for piece in pieces) == pytest.approx(
        whole["estimate"].sum(), rel=1e-12
    )
    assert pieces[1].reset_index(drop=True).equals(whole[50_000:100_000].reset_index(drop=True))


def test_the_summary_is_that_of_all_rows(pain, protocol):
    frame, told = pain.frame(), summary(pain, protocol)
    assert weights(pain).sum() == len(frame) == told["analyses"]
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


def test_outcomes_without_an_effect_or_a_name(evidence, protocol):
    assert multiverse(evidence, protocol, "crohns_disease", "clinical_response").empty
    with pytest.raises(ArgumentError, match="known:"):
        multiverse(evidence, protocol, "fibromyalgia", "pain_intensty")
    with pytest.raises(ArgumentError, match="did you mean 'fibromyalgia'"):
        multiverse(evidence, protocol, "fibromyalga", "pain_intensity")


NODE = """
[multiverse]
reason = "r"
[[multiverse.node]]
name = "spread"
reason = "r"
options = [{ name = "a" }, { name = "b", tau2_method = "dl" }]
"""
FAULTS = [
    ('reason = "r"\n[[', "seed = 1\n[[", "unknown choice seed; allowed: reason, node"),
    ('name = "spread"', 'nom = "spread"', "'name' is missing"),
    ('name = "spread"\nreason = "r"', 'name = "spread"', "'reason' is missing"),
    (', { name = "b", tau2_method = "dl" }', "", "one option is no choice"),
    ('{ name = "a" }', '{ name = "a", tau2_method = "pm" }', "changes nothing"),
    ('name = "b", tau2_method = "dl"', 'name = "b"', "name a choice it changes"),
    ('name = "b", tau2', "tau2", "an option without a name"),
    ('name = "b"', 'name = "a"', "a is there twice"),
    ("tau2_method", "tau2_metod", "unknown choice tau2_metod"),
    ('tau2_method = "dl"', "tau2_method = 3", "3 is not allowed; allowed: text"),
    ('tau2_method = "dl"', "within_person = 1.5", "1.5 is not allowed; allowed: a number, 0 to 1"),
    ('tau2_method = "dl"', 'measure = "RD"', "'RD' is not allowed; allowed: RR, OR"),
]


@pytest.mark.parametrize(("old", "new", "message"), FAULTS, ids=[f[2][:25] for f in FAULTS])
def test_a_node_that_cannot_be_read_is_refused(raw_folder, tmp_path, old, new, message):
    text = (raw_folder / "protocol.toml").read_text(encoding="utf-8")
    rest = text[: text.index("[multiverse]")]
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
    assert found.frame()["estimate"].iloc[0] == pytest.approx(0.0316706, abs=1e-6)


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
    assert html_row("the protocol&#x27;s own", own) in page
    reach = f"{frame['estimate'].min():.4g} to {frame['estimate'].max():.4g}"
    assert html_row("all estimates", reach) in page
    assert html_row("trials", "; ".join(pain.trials)) in page


def test_a_multiverse_without_any_result_says_so(pain):
    nothing = {name: values * float("nan") for name, values in pain.results.items()}
    page = replace(pain, results=nothing)._repr_html_()
    assert html_row("the protocol&#x27;s own", "not defined") in page
    assert html_row("all estimates", "not defined") in page
    assert "nan" not in page
