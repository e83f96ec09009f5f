"""What a responder plot draws, read back from the figure."""

import math

import pandas as pd
import pytest

from builders import assert_legible, mark, marks, says, text_boxes, texts
from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.responders import RESPONDER_COLUMNS, responder_plot

NAN = math.nan
THIRTY, FIFTY = "At least 30% less pain", "At least 50% less pain"
LONG = "A study whose label is far too long for one line and an arm described at great length"
FINAL = "Due Bruun 2024 (FINAL)"


def table(*rows):
    return pd.DataFrame(rows, columns=list(RESPONDER_COLUMNS))


FRAME = table(
    # Comparator before LDN on purpose: the plot puts LDN first.
    (FINAL, "placebo", 2, THIRTY, 14, 50, 0.28, 0.1747, 0.4167, "NA"),
    (FINAL, "LDN 6 mg", 1, THIRTY, 22, 49, 0.449, 0.3184, 0.5871, "NA"),
    (FINAL, "LDN 6 mg", 1, FIFTY, 9, 49, 0.1837, 0.0999, 0.3139, None),
    (FINAL, "placebo", 2, FIFTY, 7, 50, 0.14, 0.0695, 0.2619, None),
    ("INNOVA 2026", "LDN", 1, THIRTY, NAN, 60, 0.41, NAN, NAN, "percentage without a count"),
    ("INNOVA 2026", "placebo", 2, THIRTY, NAN, 60, 0.3, NAN, NAN, "percentage without a count"),
    (LONG, LONG, 3, FIFTY, 6, 10, 0.6, 0.3127, 0.8318, "single-blind"),
    ("Silent 2020", "LDN", 3, THIRTY, NAN, NAN, NAN, NAN, NAN, "NA"),
)


@pytest.fixture(scope="module")
def figure():
    return responder_plot(FRAME, title="Responders in fibromyalgia")[0]


def tops(figure):
    return {text.get_text(): box.y1 for text, box in text_boxes(figure)}


def test_every_text_can_be_read(figure):
    assert_legible(figure)


def test_blocks_follow_the_thresholds_and_single_arms_come_last(figure):
    said = texts(figure)
    order = [said.index(text) for text in (THIRTY, FIFTY, "No comparison group")]
    assert order == sorted(order)
    assert said.count(THIRTY) == 2, "the single-arm block names its thresholds too"
    top = tops(figure)
    assert top["No comparison group"] > top["Silent 2020"]
    assert top["No comparison group"] < top["INNOVA 2026"]


def test_ldn_stands_above_the_comparator_at_its_share(figure):
    ldn, placebo = mark(figure, "line-1-arm-0"), mark(figure, "line-1-arm-1")
    assert ldn.get_xdata()[0] == pytest.approx(0.449)
    assert placebo.get_xdata()[0] == pytest.approx(0.28)
    assert ldn.get_ydata()[0] < placebo.get_ydata()[0]
    assert says(figure, "line-1-arm-0-name") == "LDN 6 mg"
    assert list(mark(figure, "line-1-pair").get_xdata()) == pytest.approx([0.449, 0.28])


def test_arms_differ_in_shape_and_filling_and_not_in_colour_alone(figure):
    ldn, placebo = mark(figure, "line-1-arm-0"), mark(figure, "line-1-arm-1")
    single = next(
        m
        for m in marks(figure, "line-").values()
        if m in figure.axes[1].lines and m.get_marker() == "D"
    )
    assert len({m.get_marker() for m in (ldn, placebo, single)}) == 3
    assert placebo.get_markerfacecolor() == style.PAPER != ldn.get_markerfacecolor()


def test_intervals_and_digits_are_those_of_the_frame(figure):
    assert list(mark(figure, "line-1-arm-0-interval").get_xdata()) == [0.3184, 0.5871]
    assert says(figure, "line-1-arm-0-counted") == "22/49"
    assert says(figure, "line-1-arm-0-share") == "45% (32 to 59)"


def test_a_percentage_without_count_has_no_interval_and_a_numbered_note(figure):
    assert says(figure, "line-2-arm-0-counted") == "NR/60"
    assert says(figure, "line-2-arm-0-share") == "41% (interval NR)"
    assert not marks(figure, "line-2-arm-0-interval")
    raised = "\N{SUPERSCRIPT ONE}"
    assert says(figure, "line-2-arm-0-name").endswith(raised)
    assert says(figure, "line-2-arm-1-name").endswith(raised)
    notes = [text for text in texts(figure) if "percentage without a count" in text]
    assert len(notes) == 1
    assert notes[0] == (
        f"{raised}{style.NO_BREAK}percentage without a count; "
        f"\N{SUPERSCRIPT TWO}{style.NO_BREAK}single-blind"
    )


def test_what_is_not_reported_says_so(figure):
    said = texts(figure)
    assert "NR/NR" in said
    assert "NR" in said


def test_axis_ends_at_a_hundred_per_cent_or_closer_for_rare_events(figure):
    assert figure.axes[1].get_xlim()[1] == pytest.approx(1, abs=0.02)
    rare = table(("A", "LDN", 1, "nausea", 1, 200, 0.005, 0.0009, 0.0278, None))
    axes = responder_plot(rare, title="Harm")[1]
    assert axes.get_xlim()[1] == pytest.approx(0.1, abs=0.01)
    assert [t.get_text() for t in axes.get_xticklabels()] == ["0", "2", "4", "6", "8", "10"]


def test_only_single_arms_still_make_a_plot():
    figure, _ = responder_plot(FRAME[FRAME["group"] == 3], title="Nothing to compare")
    assert_legible(figure)
    assert "No comparison group" in texts(figure)
    assert not any("comparator" in text for text in texts(figure))


def test_sixty_studies_can_be_read():
    rows = [
        (f"Author {i}", arm, group, THIRTY, 5, 20, 0.25, 0.1119, 0.4687, None)
        for i in range(60)
        for arm, group in (("LDN", 1), ("placebo", 2))
    ]
    assert_legible(responder_plot(table(*rows), title="Many")[0])


def test_alt_text_tells_every_arm(figure):
    words = figure.alt
    assert f"{FINAL}: LDN 6 mg 22/49, 45% (32 to 59); placebo 14/50, 28% (17 to 42)." in words
    assert "percentage without a count" in words
    assert words.isascii()
