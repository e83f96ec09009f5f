"""The pre-stated choices: what they are, and that nothing else is taken for one."""

import dataclasses
import shutil

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.protocol import MAIN, Model, Selection, load_protocol


@pytest.fixture
def edited(raw_folder, tmp_path):
    """Load a protocol with a piece of its text replaced, or with one more piece at its end."""

    def load(old, new):
        file = tmp_path / "protocol.toml"
        shutil.copy(raw_folder / "protocol.toml", file)
        text = file.read_text(encoding="utf-8")
        assert old in text
        text = text.replace(old, new, 1) if old else f"{text}\n{new}\n"
        file.write_text(text, encoding="utf-8")
        return load_protocol(file)

    return load


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


def test_the_interval_follows_the_number_of_trials(protocol):
    assert [protocol.model.interval(k) for k in (1, 2, 3, 10)] == [
        "wald",
        "wald",
        "knapp-hartung-floored",
        "knapp-hartung-floored",
    ]
    model = dataclasses.replace(protocol.model, ci_method="knapp-hartung")
    assert [model.interval(k) for k in (2, 3)] == ["knapp-hartung"] * 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("allow_transcribed = true", "", "'allow_transcribed' is missing"),
        ("[timepoint]", "[time]", "'timepoint' is missing"),
        ("allow_transcribed = true", "allow_transcribd = true\nallow_transcribed = true",
         "selection: unknown choice allow_transcribd; allowed: analysis_sets"),
        ("[rounding]", "[roundings]\na = 1\n[rounding]", "unknown choice roundings"),
        ("allow_transcribed = true", "allow_transcribed = 'no'",
         r"selection\.allow_transcribed: 'no' is not allowed; allowed: true or false"),
        ("target_weeks = 12.0", "target_weeks = true", "True is not allowed; allowed: a number"),
        ("target_weeks = 12.0", "target_weeks = '12'", "'12' is not allowed; allowed: a number"),
        ("tau2_method = \"reml\"", "tau2_method = 1", "1 is not allowed; allowed: text"),
        ("", "[[sensitivity]]\nname = 'new'\nallow_copied = true",
         "new: unknown choice allow_copied; allowed: allow_approximate"),
        ("", "[[sensitivity]]\nname = 'new'\nallow_transcribed = 0",
         "new: allow_transcribed: 0 is not allowed; allowed: true or false"),
        ("", "[[sensitivity]]\nallow_transcribed = false", "sensitivity: 'name' is missing"),
        ("[bayes]", "[bayesian]", "'bayes' is missing"),
        ('"log" = 0.5', '"log" = -0.5', r"bayes\.scale\.log: -0\.5 is not allowed"),
        ("scale = {", "sensitivity = {", r"bayes: 'scale' is missing"),
        ('scale = { "log" = 0.5, "standardised" = 0.5, "points (0-10)" = 1.0 }', "scale = 0.5",
         r"bayes\.scale: 0\.5 is not allowed; allowed: a table"),
        ("[pooling]", "[pooling", "is no TOML"),
        ("minimum = 0.0\n", "", r"scale.*'minimum' is missing"),
    ],
)  # fmt: skip
def test_a_choice_that_is_missing_unknown_or_of_the_wrong_type_is_refused(
    edited, old, new, message
):
    with pytest.raises(ArgumentError, match=message):
        edited(old, new)


def test_no_protocol(tmp_path):
    with pytest.raises(FileNotFoundError):
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
    twice = edited('"press", "transcription"]', '"press", "press", "transcription"]')
    with pytest.raises(ArgumentError, match="a word given twice"):
        twice.check_words(evidence.dictionary)
    of_sensitivity = edited("", "[[sensitivity]]\nname = 'new'\nread_from = ['full text']")
    with pytest.raises(ArgumentError, match="new: read_from must rank every read_from"):
        of_sensitivity.check_words(evidence.dictionary)


def test_sensitivities_change_only_what_they_name(protocol, raw_folder):
    import tomllib

    stated = tomllib.loads((raw_folder / "protocol.toml").read_text(encoding="utf-8"))
    named = {entry.pop("name"): entry for entry in stated["sensitivity"]}
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
                    assert value != getattr(getattr(main, part), field.name), field.name
                else:
                    assert value == getattr(getattr(main, part), field.name), field.name
        assert not changes


def test_main_choices_can_be_replaced(protocol):
    other = protocol.changed(tau2_method="dl", allow_approximate=True, ci_method=None)
    assert other.model == dataclasses.replace(protocol.model, tau2_method="dl")
    assert other.selection == dataclasses.replace(protocol.selection, allow_approximate=True)
    assert other.sensitivities == protocol.sensitivities
    assert protocol.changed() == protocol
    with pytest.raises(
        ArgumentError, match=r"options: unknown choice tau_method; allowed: .*tau2"
    ):
        protocol.changed(tau_method="dl")
    with pytest.raises(ArgumentError, match="allow_approximate: 'yes' is not allowed"):
        protocol.changed(allow_approximate="yes")
