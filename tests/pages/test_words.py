"""Numbers, lists and shares are written in one way."""

import math
from dataclasses import replace

import numpy as np
import pytest

from ldn_meta.display import words as wording
from ldn_meta.evidence import grade
from ldn_meta.evidence.raw import review
from ldn_meta.stats.decision import SettingShares


def test_a_share_has_one_writer():
    assert wording.percent is review.percent is grade.percent
    assert [wording.percent(n / 200) for n in range(1, 201, 2)] == [f"{n}%" for n in range(1, 101)]


def test_numbers_for_readers():
    assert wording.fixed(-0.004) == "0.00"
    assert wording.fixed(math.nan) == "not defined"
    assert wording.interval(-1, math.inf) == "not defined"
    assert wording.estimate_with_interval(0.0, -1.0, 1.0, measure="RR") == "1.00 (0.37 to 2.72)"
    assert wording.p_value(0.00001) == "p < 0.001"
    assert wording.agree(1, "has", "have") == "one has"
    assert wording.agree(0, "has", "have") == "none has"
    assert wording.people(0) == "number of people not reported"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0%"), (1e-12, "0%"), (0.0049, "under 1%"), (0.005, "1%"), (0.48, "48%"),
        (0.995, "over 99%"), (0.9999, "over 99%"), (1.0, "100%"), (1.2, "120%"),
        (math.nan, "not defined"),
    ],
)  # fmt: skip
def test_a_share_is_not_rounded_to_none_or_all(value, words):
    assert wording.share_words(value) == words


def test_a_half_goes_up_and_a_range_has_two_ends():
    assert wording.percents(0.125, 0.135) == "13% to 14%"


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "trial", "no trials"), (1, "study", "one study"),
        (2, "other study", "two other studies"),
        (10, "trial", "ten trials"), (11, "trial", "11 trials"),
    ],
)  # fmt: skip
def test_a_number_stands_with_its_noun(number, noun, words):
    assert wording.count(number, noun) == words


def test_names_in_a_row_stand_once():
    assert wording.listed(["b", "a", "b"]) == "b, a"
    assert wording.listed([]) == "none"
    assert [wording.joined(list(names)) for names in ("", "a", "ab", "abc")] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip


def test_what_is_missing_says_so():
    assert [wording.weeks(v) for v in (12.0, 4.5, math.nan, None)] == ["12", "4.5", "NR", "NR"]
    cells = (3.0, 4, "x", None, math.nan, np.nan)
    assert [wording.plain(cell) for cell in cells] == ["3", "4", "x", "NR", "NR", "NR"]
    assert wording.plain(None, "none") == "none"


def test_shares_of_settings_in_words():
    shares = {"benefit": 0.424, "trivial": 0.001, "harm": 0.5751}
    found = SettingShares(2, -1.0, 1.0, -1.0, **shares, has_prior=True, notes=())
    told = wording.settings_words(found, drug="Drug", measure="MD", unit="points (0-10)")
    assert " ".join(told) == (
        "In about 42% of settings like those of the trials Drug would make a difference that "
        "matters (at least 1, in points (0-10)) for the better, in 58% one for the worse, in "
        "under 1% none. These numbers rest, with two trials, mostly on what the plan assumes of "
        "the spread between settings, and take the trials at their word; each setting counts by "
        "its average, so they are no shares of people."
    )
    ratio = replace(found, k=4, low=np.log(0.75), high=np.log(1.25), has_prior=False)
    told = wording.settings_words(ratio, drug="Drug", measure="RR", unit="none")
    assert "(a risk ratio of 0.75 or less, or of 1.25 or more)" in told[0]
    assert "These numbers are rough with four trials, and take" in told[1]
