"""What is true of one review alone is data, and what is not allowed in it is refused."""

import math

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.review import (
    UNNAMED,
    check_template,
    listed,
    load_review,
    load_wording,
    write,
)

TREATMENT = '[treatment]\nlabel = "VD"\nname = "vitamin D"\nshort_name = "vitamin D"\n'


@pytest.fixture
def read(tmp_path):
    def of(text):
        (tmp_path / "review.toml").write_text(text, encoding="utf-8")
        return load_review(tmp_path)

    return of


def test_a_direction_is_said_with_the_label_of_the_treatment(read):
    review = read(TREATMENT)
    assert review.direction("partly favours treatment") == "partly better with VD"
    assert review.direction("favours comparator") == "better with comparator"
    # Only an estimate favours something.
    assert review.side("favours treatment") == "favours VD"
    assert review.title == "Vitamin D: the evidence"
    assert UNNAMED.direction("favours treatment") == "better with treatment"


def test_an_order_is_stated_or_not(read):
    assert read(TREATMENT).order == {}
    assert read(f'{TREATMENT}[order]\nharm = ["falls"]\n').order == {"harm": ("falls",)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'treatment' is missing"),
        ('[treatment]\nlabel = "VD"\n', "'name' is missing"),
        (TREATMENT.replace('"VD"', "1"), "label: 1 is not allowed; allowed: text"),
        (f"{TREATMENT}[orders]\n", "unknown choice orders; allowed: treatment, order"),
        (
            f'{TREATMENT}[order]\nbenefits = ["pain"]\n',
            "unknown choice benefits; allowed: ben",
        ),
        (f'{TREATMENT}[order]\nharm = "falls"\n', "order.harm: 'falls' is not allowed"),
        ("[treatment", "correct it"),
    ],
)
def test_what_is_not_allowed_is_refused(read, text, words):
    with pytest.raises(ArgumentError, match=r"review\.toml") as refused:
        read(text)
    assert words in str(refused.value)


def test_a_folder_without_it_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"review\.toml is missing; restore it from git"):
        load_review(tmp_path)


# -- sentences that are data


@pytest.mark.parametrize(
    ("spec", "value", "written"),
    [
        (".2f", -0.001, "0.00"),
        (".2f", -1.005, "-1.00"),
        ("pct", 0.445, "45%"),
        ("pct", 0.444, "44%"),
        ("pct", 0.125, "13%"),
        ("pct", 0.145, "15%"),
        ("pct", 0.575, "58%"),
        ("p", 0.0004, "P < 0.001"),
        ("p", 0.0364, "P = 0.036"),
        ("n", 4960.0, "4,960"),
        ("word", 3, "three"),
        ("word", 12, "12"),
        ("", 4.5, "4.5"),
        ("", 4.0, "4"),
        ("", "4.50", "4.50"),
        (".1f", math.inf, "infinity"),
        (".1f", -math.inf, "minus infinity"),
        ("n", math.nan, "not known"),
    ],
)
def test_numbers_are_written_for_readers(spec, value, written):
    assert write(f"it is {{x:{spec}}}", x=value, unused=0.5) == f"it is {written}"


def test_a_number_that_was_not_given_is_no_blank():
    with pytest.raises(KeyError, match="missing"):
        write("{missing:.2f}", n=1)


def test_lists_read_as_sentences_do():
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert listed(["a", "b"], "or") == "a or b"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{trails:n} trials", r"here: {trails} is filled in by nothing; did you mean 'trials'\?"),
        ("{trials", r"here: expected '}' .* write {name} for a value"),
        (3, "here: 3 is not allowed; allowed: text"),
    ],
)
def test_a_template_is_refused_where_nothing_fills_it_in(template, message):
    with pytest.raises(ArgumentError, match=message):
        check_template("here", template, {"trials", "people"})


def test_a_file_that_is_not_there_states_nothing(tmp_path):
    assert load_wording(tmp_path) == {}
    (tmp_path / "grade.toml").write_text("a = ", encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"grade\.toml is no TOML: .*; correct it"):
        load_wording(tmp_path)


@pytest.mark.parametrize("name", ["review.toml", "grade.toml", "claim_rules.toml"])
def test_a_file_in_another_encoding_is_refused_with_its_line(name, tmp_path):
    (tmp_path / name).write_bytes(b'a = 1\nb = "\xe9"\n')
    read = load_review if name == "review.toml" else load_wording
    with pytest.raises(ArgumentError, match=rf"{name}:2: is not UTF-8 .*; save the file as UTF-8"):
        read(tmp_path)


@pytest.mark.parametrize("template", ["{sd:.2q}", "{sd:pc}", "{sd:d}", "{}", "{0}"])
def test_a_template_that_cannot_be_written_is_refused(template):
    good = "{sd} {sd:.2f} {sd:pct} {sd:p} {sd:n} {sd:word} {sd:g}"
    check_template("grade.toml: here", good, ["sd"])
    with pytest.raises(ArgumentError, match=r"grade\.toml: here: "):
        check_template("grade.toml: here", template, ["sd"])


def test_whole_items_are_whole_numbers(read):
    assert read(f"{TREATMENT}\n[whole_items]\npeg = 3\n").whole_items == {"peg": 3}
    with pytest.raises(ArgumentError, match=r"whole_items\.peg: 1\.5 is .*: a whole number"):
        read(f"{TREATMENT}\n[whole_items]\npeg = 1.5\n")
