"""What the evidence map draws, read back from the figure."""

import itertools
import math

import pandas as pd
import pytest

from builders import (
    assert_legible,
    mark,
    marks,
    overlap,
    says,
    text_boxes,
    texts,
)
from ldn_meta.display.figures.studies import (
    MAP_COLUMNS,
    TOLD_OF_ALL,
    evidence_map,
    sides_of,
)
from ldn_meta.evidence.answer.pools import KINDS, NOTHING


def table(*rows):
    """Rows of place, numbers, side, kind, and what of the rest differs from the usual."""
    usual = {"is_randomised": True, "certainty": "low", "constructs": "a score", "number": "",
             "told": "", "unknown": 0, "people_unknown": 0, "treatment": "treatment"}  # fmt: skip
    names = MAP_COLUMNS[:6]
    return pd.DataFrame(
        [dict(zip(names, row[:6], strict=True)) | usual | dict(*row[6:]) for row in rows],
        columns=list(MAP_COLUMNS),
    )


FRAME = table(
    ("fibromyalgia", "pain", 3, 195, "same in both", "meta-analysis", {"number": "0 (-1 to 1)"}),
    ("fibromyalgia", "any adverse event", 1, 99, "favours comparator", "one trial"),
    ("Crohn's disease", "pain", 0, 0, "side not known", NOTHING),
    (
        *("Crohn's disease", "response or remission", 2, 0, "favours treatment"),
        *("direction only", {"is_randomised": False}),
    ),
    ("multiple sclerosis", "pain", 1, 1, "side not known", "no comparison"),
    (
        *("multiple sclerosis", "any adverse event", 0, 0, "side not known", NOTHING),
        {"told": "Ames 2001: one person; arm not named"},
    ),
)


@pytest.fixture(scope="module")
def figure():
    return evidence_map(FRAME, title="What is known")[0]


def full_map():
    pairs = itertools.product(range(7), range(7))
    kinds = itertools.cycle(KINDS)
    ways = itertools.cycle(sides_of("treatment"))
    return table(
        *(
            (
                f"an indication with a long name, number {i}",
                f"outcome in words {j}",
                3,
                12345,
                next(ways),
                next(kinds),
            )
            for i, j in pairs
        )
    )


@pytest.fixture(scope="module")
def full():
    return evidence_map(full_map(), title="What is known, in a title that is long")[0]


def test_every_text_can_be_read(figure):
    assert_legible(figure)


def test_a_full_map_and_a_single_cell_can_be_read(full):
    assert_legible(full)
    assert_legible(evidence_map(FRAME[:1])[0])


def test_no_mark_lies_on_a_text(full):
    boxes = [box for _, box in text_boxes(full)]
    symbols = [m for name, m in marks(full, "cell-").items() if name.endswith("-mark")]
    assert len(symbols) > 30
    for symbol in symbols:
        assert not any(overlap(symbol.get_window_extent(), box) for box in boxes)


def test_rows_and_columns_keep_their_order(figure):
    assert [says(figure, f"row-{i}") for i in range(3)] == [
        "Fibromyalgia",
        "Crohn's disease",
        "Multiple sclerosis",
    ]
    assert says(figure, "column-0") == "Pain"
    assert says(figure, "column-1").replace("\n", " ") == "Any adverse event"


def test_cells_print_trials_and_people(figure):
    assert says(figure, "cell-0-0-text") == "3 trials\n195 people"
    assert says(figure, "cell-1-2-text") == "2 studies\npeople not given"
    assert says(figure, "cell-2-0-text") == "1 study\n1 person"


def test_a_pair_without_a_row_is_nothing(figure):
    assert says(figure, "cell-1-0-text").replace("\n", " ") == NOTHING
    assert says(figure, "cell-2-2-text").replace("\n", " ") == NOTHING
    assert not marks(figure, "cell-2-2-mark")


def test_what_is_told_of_all_people_together_is_no_empty_cell(figure):
    assert says(figure, "cell-2-1-text").replace("\n", " ") == TOLD_OF_ALL
    assert "any adverse event: Ames 2001: one person; arm not named" in figure.alt


def test_what_was_measured_its_number_and_its_certainty_stand_in_the_cell(figure):
    assert says(figure, "cell-0-0-small") == "a score\n0 (-1 to 1)\ncertainty: low"
    # People on the drug alone show no effect that could be certain.
    assert says(figure, "cell-2-0-small") == "a score"


def test_a_comparison_that_was_not_randomised_is_hatched_and_the_legend_says_so(figure):
    assert len(marks(figure, "cell-1-2-hatch")) > 5
    assert not marks(figure, "cell-0-0-hatch")
    assert not marks(figure, "cell-2-0-hatch")
    assert "hatched: no randomised comparison" in texts(figure)
    assert "not randomised" in figure.alt
    assert "hatched: no randomised comparison" not in texts(evidence_map(FRAME[:2])[0])


def test_shape_is_the_direction(figure):
    assert mark(figure, "cell-0-0-mark").get_marker() == "o"
    assert mark(figure, "cell-0-1-mark").get_marker() == "v"
    assert mark(figure, "cell-1-2-mark").get_marker() == "^"
    assert mark(figure, "cell-2-0-mark").get_marker() == "P"


def test_directions_that_differ_have_shapes_that_differ():
    words = {look.words: look.marker for look in sides_of("treatment").values()}
    assert len(set(words.values())) == len(words)


def test_filling_is_the_kind_of_synthesis():
    rows = [("a", kind, 2, 30, "favours treatment", kind) for kind in KINDS[:3]]
    figure, _ = evidence_map(table(*rows))
    solid, tinted, hollow = (mark(figure, f"cell-0-{i}-mark") for i in range(3))
    assert solid.get_markerfacecolor() == solid.get_markeredgecolor()
    assert hollow.get_markerfacecolor() == "#ffffff"
    assert tinted.get_markerfacecolor() not in ("#ffffff", tinted.get_markeredgecolor())


def test_legend_explains_what_occurs_and_no_more(figure):
    said = texts(figure)
    assert "solid: meta-analysis" in said
    assert "favours treatment" in said
    assert "trials point both ways" not in said
    assert said.index("favours treatment") < said.index("favours comparator")


def test_alt_text_tells_every_cell(figure):
    words = figure.alt
    start = "Fibromyalgia: pain (a score): meta-analysis of 3 trials, 195 people, 0 (-1 to 1)"
    assert f"{start}, the same in both, certainty low" in words
    assert "one trial, 99 people, favours comparator" in words
    assert "1 study without comparison, 1 person" in words
    assert f"{NOTHING}: pain, any adverse event" in words
    assert words.isascii()


def test_missing_numbers_are_not_reported():
    figure, _ = evidence_map(table(("a", "b", 2, math.nan, "on both sides", "direction only")))
    assert says(figure, "cell-0-0-text") == "2 studies\npeople not given"
