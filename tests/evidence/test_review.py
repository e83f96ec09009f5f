"""What is true of one review alone is data, and what is not allowed in it is refused."""

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.review import UNNAMED, load_review

TREATMENT = '[treatment]\nlabel = "VD"\nname = "vitamin D"\nshort_name = "vitamin D"\n'


@pytest.fixture
def read(tmp_path):
    def of(text):
        (tmp_path / "review.toml").write_text(text, encoding="utf-8")
        return load_review(tmp_path)

    return of


def test_a_direction_is_said_with_the_label_of_the_treatment(read):
    review = read(TREATMENT)
    assert review.direction("partly favours treatment") == "partly favours VD"
    assert review.direction("favours comparator") == "favours comparator"
    assert review.title == "Vitamin D: the evidence"
    assert UNNAMED.direction("favours treatment") == "favours treatment"


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
    with pytest.raises(ArgumentError, match="it names the treatment"):
        load_review(tmp_path)
