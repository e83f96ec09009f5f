"""What a notebook shows of evidence, a study, a protocol and a multiverse."""

import copy
import pickle
from dataclasses import replace

import pytest

from ldn_meta.evidence.answer.multiverse import Normalised, build_multiverse
from ldn_meta.evidence.raw.tables import Study
from ldn_meta.stats.arrays import html_table


def row(*cells):
    """The HTML of a row of words."""
    style = ' style="text-align:left"'
    name, *rest = cells
    values = "".join(f"<td{style}>{cell}</td>" for cell in rest)
    return f'<tr><th scope="row"{style}>{name}</th>{values}</tr>'


def test_a_table_escapes_its_cells():
    assert html_table([("a&b", "<1", "2")], head=("x", "y>", "z")) == (
        '<table><tr><th scope="col">x</th><th scope="col">y&gt;</th><th scope="col">z</th></tr>'
        '<tr><th scope="row">a&amp;b</th><td>&lt;1</td><td>2</td></tr></table>'
    )
    assert html_table([]) == "<table></table>"


def test_evidence_lists_its_tables_with_their_rows(evidence):
    page = evidence._repr_html_()
    assert repr(evidence).strip("<>") in page
    for name, frame in evidence.tables.items():
        rows, columns = frame.shape
        assert f'{name}</th><td style="text-align:left">{rows:,}</td>' in page
        assert f">{columns}</td>" in page
    own = evidence.for_indication("fibromyalgia")
    studies = len(own.tables["studies"])
    assert f"{studies} studies" in own._repr_html_()
    assert studies < len(evidence.tables["studies"])


def test_a_study_is_a_dict_that_shows_itself(evidence):
    study = evidence.study("younger2013")
    assert isinstance(study, dict)
    assert repr(study).startswith("<Study younger2013: studies 1, arms 2, ")
    assert study.label == "Younger 2013"
    page = study._repr_html_()
    for name, rows in study.items():
        number = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
        assert f"<strong>{name}</strong>, {number}<br>" in page
        assert (rows["study_id"] == "younger2013").all()
    # The one row of studies stands upright; what does not apply to it is named below.
    assert row("design", "crossover") in page
    assert "Does not apply: overlaps_with.</small>" in page
    assert ">overlaps_with</th>" not in page
    for other in (copy.copy(study), pickle.loads(pickle.dumps(study))):
        assert other._repr_html_() == page


def test_a_study_without_a_row_of_its_own_goes_by_its_key(evidence):
    rows = {"arms": evidence.study("younger2013")["arms"].assign(label="<b>")}
    study = Study("younger2013", rows, evidence.dictionary)
    assert study.label == "younger2013"
    assert "<h3>younger2013</h3>" in study._repr_html_()
    assert "&lt;b&gt;" in study._repr_html_()
    assert "<b>" not in study._repr_html_()


def test_a_protocol_shows_every_choice_and_node(protocol):
    page = protocol._repr_html_()
    assert repr(protocol) == (
        "<Protocol: reml, wald for two trials, knapp-hartung-floored for more; "
        f"{len(protocol.sensitivities)} named departures; multiverse of 129,024 analyses>"
    )
    assert row("tau2_method", "reml") in page
    assert row("allow_transcribed", "yes") in page
    assert row("ci_method", "by number of trials") in page
    assert row("target_weeks", "12") in page
    assert row("analysis_sets", ", ".join(protocol.selection.analysis_sets)) in page
    for departure in protocol.sensitivities:
        assert f"<li>{departure.name}</li>" in page
    for node in protocol.nodes:
        assert row(node.name, "; ".join(o.name for o in node.options), node.reason) in page
    changed = protocol.changed(ci_method="wald", allow_transcribed=False)
    assert repr(changed).startswith("<Protocol: reml, wald; ")
    assert row("allow_transcribed", "no") in changed._repr_html_()
    bare = replace(protocol, nodes=(), sensitivities=())
    assert repr(bare).endswith("0 named departures; multiverse of 1 analysis>")
    assert "Multiverse" not in bare._repr_html_()
    assert "<ul>" not in bare._repr_html_()


@pytest.fixture(scope="module")
def pain(evidence, protocol):
    own = evidence.for_indication("fibromyalgia")
    return build_multiverse(Normalised(own, protocol), "pain_intensity", "placebo")


def test_a_multiverse_shows_its_range_and_the_protocols_own_analysis(pain):
    frame = pain.frame()
    assert repr(pain) == (
        f"<Multiverse fibromyalgia, pain_intensity against placebo: {len(frame):,} analyses, "
        f"{frame['set'].nunique()} distinct sets of effects, {len(pain.trials)} trials>"
    )
    page = pain._repr_html_()
    first = frame.iloc[0]
    own = f"{first['estimate']:.4g} (interval {first['ci_low']:.4g} to {first['ci_high']:.4g})"
    assert row("the protocol&#x27;s own", own) in page
    reach = f"{frame['estimate'].min():.4g} to {frame['estimate'].max():.4g}"
    assert row("all estimates", reach) in page
    assert row("trials", "; ".join(pain.trials)) in page


def test_a_multiverse_without_any_result_says_so(pain):
    nothing = {name: values * float("nan") for name, values in pain.results.items()}
    page = replace(pain, results=nothing)._repr_html_()
    assert row("the protocol&#x27;s own", "not defined") in page
    assert row("all estimates", "not defined") in page
    assert "nan" not in page
