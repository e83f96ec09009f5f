"""The analysis plan: what it chooses, when, and that nothing else is taken for a choice."""

import dataclasses
import itertools
from dataclasses import replace

import pytest

from builders import cases, html_row
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.protocol import (
    AFTER,
    BEFORE,
    SECTIONS,
    bayes_choices,
    load_protocol,
)
from ldn_meta.evidence.raw.review import HISTORY
from ldn_meta.evidence.raw.selection import MAIN, Model, Selection

LATE = 'set_on = 2026-12-01T12:00:00Z\nknown_then = "after the main pool was seen"'


@pytest.fixture
def edited(rewritten):
    return lambda old, new: load_protocol(rewritten(old, new))


def test_the_protocol_of_the_project(protocol):
    assert protocol.selection.analysis_sets[0] == "intention to treat"
    assert protocol.selection.read_from[0] == "full text"
    assert protocol.selection.read_from[-1] == "transcription"
    assert protocol.selection.target_weeks == 12
    assert not protocol.selection.allow_approximate
    assert protocol.model.tau2_method == "reml"
    assert protocol.correlation == 0.6
    assert protocol.largest_se_error == 0.1
    assert protocol.scales["pain_intensity"].maximum == 10


def test_choices_are_varied_by_nodes_that_there_are(protocol):
    nodes = {node.name for node in protocol.nodes}
    assert {name for one in protocol.history.decisions for name in one.varied_by} <= nodes


def test_a_late_choice_that_bears_on_ratings_has_other_answers(protocol):
    answered = [one.what for one, _, _ in protocol.otherwise()]
    for one in protocol.history.decisions:
        # Of these two the rule itself has another answer (level_otherwise).
        is_rule = one.name in ("certainty.risk_of_bias", "certainty.inconsistency")
        if one.is_late and one.bears_on.startswith("ratings") and not is_rule:
            assert one.what in answered, one.name
    priors = protocol.bayes.sensitivity_families, protocol.bayes.sensitivity_factors
    # All but the one of the plan.
    assert (
        answered.count("prior for the spread between trials")
        == len(list(itertools.product(*priors))) - 1
    )


def test_another_answer_changes_what_it_names_and_nothing_else(protocol):
    answers = {(one.name, words): plan for one, words, plan in protocol.otherwise()}
    shorter = answers["certainty.indirectness", "shortest treatment in weeks: 4"]
    assert shorter.certainty["indirectness.shortest_weeks"] == 4
    assert shorter.certainty.numbers | protocol.certainty.numbers == protocol.certainty.numbers
    assert replace(shorter, certainty=protocol.certainty) == protocol
    wald = answers["pooling", "interval of two trials: Wald (normal)"]
    assert wald.model.interval(2) == "wald"
    assert not wald.model.is_read_with_prior(2)


def test_the_interval_follows_the_number_of_trials(protocol):
    assert [protocol.model.interval(k) for k in (1, 2, 3, 10)] == [
        "wald",
        "knapp-hartung-floored",
        "knapp-hartung-floored",
        "knapp-hartung-floored",
    ]
    model = dataclasses.replace(protocol.model, ci_method="knapp-hartung")
    assert [model.interval(k) for k in (2, 3)] == ["knapp-hartung"] * 2
    assert [protocol.model.is_read_with_prior(k) for k in (1, 2, 3)] == [False, True, False]
    assert not model.is_read_with_prior(2)
    wald = dataclasses.replace(protocol.model, ci_method_two_trials="wald")
    assert (wald.interval(2), wald.is_read_with_prior(2)) == ("wald", False)
    # Without spread between trials there is none to judge the interval by.
    common = dataclasses.replace(protocol.model, tau2_method="common")
    assert [common.interval(k) for k in (2, 3)] == ["wald"] * 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    cases("protocol_choices_refused"),
)
def test_a_choice_that_is_missing_unknown_or_of_the_wrong_type_is_refused(
    edited, old, new, message
):
    with pytest.raises(ArgumentError, match=message):
        edited(old, new)


def test_no_protocol(tmp_path):
    with pytest.raises(ArgumentError, match=r"protocol\.toml is missing; restore it from git"):
        load_protocol(tmp_path)
    (tmp_path / "protocol.toml").write_bytes(b'# plan\nnote = "\xff"')
    with pytest.raises(ArgumentError, match=r"protocol\.toml:2: is not UTF-8 .*; save the file"):
        load_protocol(tmp_path)


def test_words_of_the_rankings_are_those_of_the_data_dictionary(evidence, protocol, edited):
    protocol.check_words(evidence.dictionary)
    misspelt = edited('"intention to treat", "not stated"', '"intention-to-treat", "not stated"')
    with pytest.raises(
        ArgumentError, match=r"main: analysis_sets .* wrong: intention to treat, i"
    ):
        misspelt.check_words(evidence.dictionary)
    lost = edited('"press", "transcription"]', '"press"]')
    with pytest.raises(ArgumentError, match=r"main: read_from .* wrong: transcription; allowed"):
        lost.check_words(evidence.dictionary)
    with pytest.raises(ArgumentError, match=r"selection\.read_from: 'press' is a word given twi"):
        edited('"press", "transcription"]', '"press", "press", "transcription"]')
    lost = edited('first", estimands = ["end level", ', 'first", estimands = ["end levels", ')
    with pytest.raises(
        ArgumentError, match=r"node 'kind of d.*option 'end levels f.*: end level, end levels;"
    ):
        lost.check_words(evidence.dictionary)
    new = f"[[sensitivity]]\nname = 'new'\nread_from = ['full text']\n{LATE}"
    of_sensitivity = edited("", new)
    with pytest.raises(ArgumentError, match="new: read_from must rank every read_from"):
        of_sensitivity.check_words(evidence.dictionary)


def test_sensitivities_change_only_what_they_name(protocol, raw_folder):
    import tomllib

    stated = tomllib.loads((raw_folder / "protocol.toml").read_text(encoding="utf-8"))
    named = {
        entry["name"]: {k: v for k, v in entry.items() if k not in (*HISTORY, "name")}
        for entry in stated["sensitivity"]
    }
    assert [variant.name for variant in protocol.variants] == [MAIN, *named]
    assert len(set(named)) == len(stated["sensitivity"])
    main = protocol.variants[0]
    for variant in protocol.sensitivities:
        changes = named[variant.name]
        assert changes, f"{variant.name} changes nothing"
        for part, kind in (("selection", Selection), ("model", Model)):
            for field in dataclasses.fields(kind):
                value = getattr(getattr(variant, part), field.name)
                if field.name in changes:
                    stated_value = changes.pop(field.name)
                    assert value == (
                        tuple(stated_value) if isinstance(stated_value, list) else stated_value
                    )
                    # A name that says the method states it, whatever the plan's own becomes.
                    is_named = str(value).lower() in variant.name.lower()
                    assert is_named or value != getattr(getattr(main, part), field.name)
                else:
                    assert value == getattr(getattr(main, part), field.name), field.name
        assert not changes


def test_main_choices_can_be_replaced(protocol):
    other = protocol.changed(tau2_method="dl", allow_approximate=True, ci_method=None)
    assert other.model == dataclasses.replace(protocol.model, tau2_method="dl")
    assert other.selection == dataclasses.replace(protocol.selection, allow_approximate=True)
    # A departure changes what its name says; the rest is as chosen.
    for before, after in zip(protocol.sensitivities, other.sensitivities, strict=True):
        stated = dict(before.changes)
        assert after.name == before.name
        assert after.model.tau2_method == stated.get("tau2_method", "dl")
        assert after.selection.allow_approximate == stated.get("allow_approximate", True)
        assert after.selection.target_weeks == before.selection.target_weeks
    assert protocol.changed() == protocol
    with pytest.raises(
        ArgumentError, match=r"options: unknown choice tau_method; allowed: .*tau2"
    ):
        protocol.changed(tau_method="dl")
    with pytest.raises(ArgumentError, match="allow_approximate: 'yes' is not allowed"):
        protocol.changed(allow_approximate="yes")


def test_the_thresholds_of_the_project(protocol, evidence):
    choices = protocol.certainty
    assert choices["imprecision.alpha"] == 0.05
    assert choices["imprecision.power"] == 0.8
    assert (choices["imprecision.ratio_low"], choices["imprecision.ratio_high"]) == (0.75, 1.25)
    assert choices["imprecision.people_without_estimate"] == 400
    assert choices.doses["LDN"] == (1, 6)
    common = protocol.scales["pain_intensity"].minimal_important_difference
    assert choices.scales["pain_intensity"].minimal_important_difference == common
    choices.check_against(evidence)


def test_every_part_has_its_reason(raw_folder):
    import tomllib

    stated = tomllib.loads((raw_folder / "protocol.toml").read_text(encoding="utf-8"))["certainty"]
    parts = [stated, *(part for part in stated.values() if isinstance(part, dict))]
    parts += list(stated["scale"].values())
    parts.remove(stated["scale"])
    assert all(len(part["reason"]) > 40 for part in parts)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    cases("protocol_refused"),
)
def test_refused_with_place_and_remedy(edited, old, new, message):
    with pytest.raises(ArgumentError, match=message):
        edited(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sd = 1.96", "sd = 2.0", r"pain_intensity\.sd: 2 is said .*, but its SD is 1\.96"),
        (
            "end-placebo-indand21",
            "end-placebo-nobody",
            "there is no such row; correct sd or sd_row",
        ),
        ('sd_row = "arm_stats:', 'sd_row = "arm_stat:', "there is no such row"),
        ('"LDN" = [1.0, 6.0]\n', "", "dose_mg_per_day: LDN has no doses; add"),
        ('"crohns_disease" = [', '"crons_disease" = [', r"did you mean 'crohns_disease'\?"),
        ('["endoscopic_remission"', '["endoscopic_remissio"', r"mean 'endoscopic_remission'\?"),
    ],
)
def test_refused_against_the_evidence(edited, evidence, old, new, message):
    choices = edited(old, new).certainty
    with pytest.raises(ArgumentError, match=message):
        choices.check_against(evidence)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    cases("protocol_names_refused"),
)
def test_a_name_of_nothing_on_file_is_refused(edited, evidence, protocol, old, new, message):
    """It would silently change nothing, or take a choice away."""
    protocol.check_against(evidence)
    with pytest.raises(ArgumentError, match=message):
        edited(old, new).check_against(evidence)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    cases("protocol_numbers_refused"),
)
def test_numbers_of_counts_and_axes_are_held(edited, old, new, message):
    with pytest.raises(ArgumentError, match=message):
        edited(old, new)


GOOD = {
    "tau_prior": "half-normal",
    "scale": {"log": 0.5, "points (0-10)": 1},
    "sensitivity_families": ["half-normal", "half-cauchy"],
    "sensitivity_factors": [0.5, 1, 2],
}


def test_the_priors_of_the_project(protocol):
    stated = {field.name for field in dataclasses.fields(protocol.bayes)} - {"scale_of_all"}
    assert set(SECTIONS["bayes"]) == stated
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


def test_a_protocol_shows_every_choice_and_node(protocol):
    page = protocol._repr_html_()
    assert repr(protocol) == (
        "<Protocol: reml, bayesian for two trials, knapp-hartung-floored for more; "
        f"{len(protocol.sensitivities)} named departures; multiverse of 387,072 analyses>"
    )
    assert html_row("tau2_method", "reml") in page
    assert html_row("allow_transcribed", "yes") in page
    assert html_row("ci_method", "by number of trials") in page
    assert html_row("target_weeks", "12") in page
    assert html_row("analysis_sets", ", ".join(protocol.selection.analysis_sets)) in page
    for departure in protocol.sensitivities:
        assert f"<li>{departure.name}</li>" in page
    for node in protocol.nodes:
        assert html_row(node.name, "; ".join(o.name for o in node.options), node.reason) in page
    changed = protocol.changed(ci_method="wald", allow_transcribed=False)
    assert repr(changed).startswith("<Protocol: reml, wald; ")
    assert html_row("allow_transcribed", "no") in changed._repr_html_()
    bare = replace(protocol, nodes=(), sensitivities=())
    assert repr(bare).endswith("0 named departures; multiverse of 1 analysis>")
    assert "Multiverse" not in bare._repr_html_()
    assert "<ul>" not in bare._repr_html_()


def test_what_was_known_agrees_with_the_dates(protocol):
    """The first executed reports are of 2026-11-22 23:39: no choice after them came before."""
    history = protocol.history
    assert f"{history.first_pool:%Y-%m-%d %H:%M}" == "2026-11-22 23:39"
    assert len(history.decisions) > 40
    for one in history.decisions:
        assert (one.set_on >= history.first_pool) == (one.known_then == AFTER) == one.is_late
        assert all(on > one.set_on for on, _ in one.changed), one.name
    late = {one.name for one in history.decisions if one.is_late}
    assert {"bayes", "certainty.imprecision", "multiverse", "dose", "next_trial"} <= late
    assert not {"pooling", "timepoint", "selection", "outcome_group"} & late
    assert "never registered" in protocol._repr_html_()


def test_the_group_changed_when_the_first_pages_were_read_says_so(protocol):
    groups = protocol.history.of("outcome_group")
    assert groups.known_then == BEFORE
    (on, what), *_ = groups.changed
    assert on == protocol.history.first_pool
    assert "stopped for harm" in what


def test_every_choice_is_dated(raw_folder, tmp_path):
    """A choice without its date, or without what was known then, is refused by its name."""
    text = (raw_folder / "protocol.toml").read_text(encoding="utf-8")
    file = tmp_path / "protocol.toml"
    lines = text.split("\n")
    places = [n for n, line in enumerate(lines) if line.startswith(("set_on", "known_then"))]
    assert len(places) == 2 * len(load_protocol(raw_folder).history.decisions)
    for n in places:
        file.write_text("\n".join([*lines[:n], *lines[n + 1 :]]), encoding="utf-8")
        key = lines[n].split(" ")[0]
        with pytest.raises(ArgumentError, match=rf"toml: \S+.*'{key}' is missing; say when"):
            load_protocol(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    cases("protocol_history_refused"),
)
def test_a_history_that_cannot_be_is_refused(edited, old, new, message):
    with pytest.raises(ArgumentError, match=message):
        edited(old, new)
