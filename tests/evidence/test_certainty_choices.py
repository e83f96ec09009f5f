"""The section [certainty]: what it states, and that nothing else is taken for it."""

import shutil

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.protocol import load_protocol


@pytest.fixture
def edited(raw_folder, tmp_path):
    """Load a protocol with a piece of its text replaced."""

    def load(old, new):
        file = tmp_path / "protocol.toml"
        shutil.copy(raw_folder / "protocol.toml", file)
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")
        return load_protocol(file).certainty

    return load


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
    [
        ("alpha = 0.05", "alhpa = 0.05", r"certainty\.imprecision: 'alpha' is missing"),
        ("alpha = 0.05", "alpha = 0.05\nbeta = 0.2", r"unknown choice beta; allowed:"),
        ("alpha = 0.05", "alpha = true", r"imprecision\.alpha: True is not allowed; .* a number"),
        ("alpha = 0.05", "alpha = 1.5", r"certainty\.imprecision\.alpha: 1\.5 is not allowed"),
        ("power = 0.8", "power = 0.0", r"imprecision\.power: 0 is not allowed; .* below 1"),
        ("\nratio_low = 0.75", "\nratio_low = 1.3", r"imprecision\.ratio_low = 1\.3, .*rising"),
        ("i2_very_serious_pct = 75.0", "i2_very_serious_pct = 50.0", "rising in this order"),
        ("large_in_mids = 3.5", "large_in_mids = 1.5", r"size\.large_in_mids = 1\.5; allowed"),
        ("\nper_1000 = 100.0", "\nper_1000 = -1.0", r"per_1000 = -1; allowed: above 0"),
        ('"LDN" = [1.0, 6.0]', '"LDN" = [6.0, 1.0]', r"dose_mg_per_day\.LDN: \[6\.0, 1\.0\]"),
        ('"LDN" = [1.0, 6.0]', '"LDN" = 4.5', r"LDN: 4\.5 is not allowed; allowed: \[lowest"),
        ('also_rated = ["less pain', 'also_rated = ["les pain', "'les pain in people' is no out"),
        ("[certainty.size]", "[certainty.sizes]", "'size' is missing"),
        ("sd = 1.96", "sd = 0.0", r"pain_intensity\.sd: 0 is not allowed; allowed: above"),
        ("sd = 1.96", "sd = 1.96\nminimal_important_difference = 2.0",
         "pain_intensity: unknown choice minimal_important_difference"),
        ("minimal_important_difference = 5.0\n", "", "'minimal_important_difference' is missing"),
        ('unit = "points (0-10)"\nsd', 'unit = "points (0-100)"\nsd',
         r"pain_intensity\.unit: 'points \(0-100\)' is not allowed"),
    ],
)  # fmt: skip
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
    ],
)
def test_refused_against_the_evidence(edited, evidence, old, new, message):
    choices = edited(old, new)
    with pytest.raises(ArgumentError, match=message):
        choices.check_against(evidence)
