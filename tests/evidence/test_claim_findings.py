"""How findings are written: numbers as readers meet them, filed by name, read back."""

import math

import pytest

from ldn_meta.evidence.audit.claim_material import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    VERDICTS,
    WITH_CAVEATS,
    at_best_with_caveats,
    finding,
    listed,
    more_cautious,
    numbers_of,
    numbers_text,
)


@pytest.mark.parametrize(
    ("spec", "value", "written"),
    [
        (".2f", -0.001, "0.00"),
        (".2f", -1.005, "-1.00"),
        ("pct", 0.445, "45%"),
        ("pct", 0.444, "44%"),
        ("p", 0.0004, "P < 0.001"),
        ("p", 0.0364, "P = 0.036"),
        ("n", 4960.0, "4,960"),
        ("word", 3, "three"),
        ("word", 12, "12"),
        ("", 4.5, "4.5"),
        ("", 4.0, "4"),
        (".1f", math.inf, "infinity"),
        (".1f", -math.inf, "minus infinity"),
        ("n", math.nan, "not known"),
    ],
)
def test_numbers_are_written_for_readers(spec, value, written):
    found = finding(SUPPORTED, f"it is {{x:{spec}}}", x=value)
    assert found.sentence == f"it is {written}"


def test_texts_are_written_and_only_numbers_are_filed():
    found = finding(SUPPORTED, "{who} {n:n}", who="Ames 2001", n=7, unused=0.5)
    assert found.sentence == "Ames 2001 7"
    assert found.numbers == {"n": 7.0, "unused": 0.5}


def test_a_number_that_was_not_given_is_no_blank():
    with pytest.raises(KeyError, match="missing"):
        finding(SUPPORTED, "{missing:.2f}", n=1)


def test_numbers_are_read_back_as_they_were_filed():
    numbers = {"a": 1 / 3, "b": math.nan, "c": -12.0, "d": math.inf}
    back = numbers_of(numbers_text(numbers))
    assert list(back) == list(numbers)
    assert back["a"] == pytest.approx(1 / 3, rel=1e-5)
    assert math.isnan(back["b"])
    assert (back["c"], back["d"]) == (-12.0, math.inf)
    assert numbers_of("") == {}


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([NOT_SUPPORTED], NOT_SUPPORTED),
        ([SUPPORTED, NOT_SUPPORTED], WITH_CAVEATS),
        ([SUPPORTED, WITH_CAVEATS], WITH_CAVEATS),
        ([NOT_SUPPORTED, CANNOT_BE_TESTED], NOT_SUPPORTED),
        ([CANNOT_BE_TESTED], CANNOT_BE_TESTED),
        ([], CANNOT_BE_TESTED),
    ],
)
def test_ways_that_disagree_leave_a_caveat(verdicts, together):
    assert more_cautious(verdicts) == together


def test_only_supported_is_taken_back():
    taken = [at_best_with_caveats(verdict) for verdict in VERDICTS]
    assert taken == [WITH_CAVEATS, WITH_CAVEATS, NOT_SUPPORTED, CANNOT_BE_TESTED]


def test_lists_read_as_sentences_do():
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert listed(["a", "b"], "or") == "a or b"
