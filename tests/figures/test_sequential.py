"""What a sequential figure draws: looks, boundaries, wedge, and what is too far off."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from builders import (
    assert_legible,
    grid,
    holds_for,
    mark,
    marks,
    overlap,
    plain,
    says,
    text_boxes,
)
from ldn_meta.display.figures.sequential import (
    CONVENTIONAL,
    LOOK_COLUMNS,
    NO_LOOK,
    Boundary,
    sequential_plot,
)

NAN = math.nan
T = np.linspace(0.01, 1, 100)
BOUNDARY = (T, CONVENTIONAL / np.sqrt(T))
F = np.linspace(0.4, 1, 40)
FUTILITY = (F, CONVENTIONAL * (F - 0.4) / 0.6)
WORDS = {"direction": ("favours LDN", "favours placebo"), "ris_people": 1723.4}


def looks(*rows):
    return pd.DataFrame(rows, columns=LOOK_COLUMNS)


# At 0.25 and 0.64 the boundary is 3.92 and 2.45.
CROSSED = looks(("A 2001", 0.25, -1.2), ("B 2004", 0.49, -2.4), ("C 2009", 0.64, -2.6))
EARLY = looks(("A 2001", 0.004, 0.1), ("B 2004", 0.02, 2.3))


def draw(frame=CROSSED, **options):
    options = {"boundary": BOUNDARY, "futility": FUTILITY} | WORDS | options
    return sequential_plot(frame, **options)[0]


@pytest.fixture(scope="module")
def figure():
    return draw(title="Pain")


def z_of(figure, y):
    """Z of a height, from two lines of known Z."""
    zero = mark(figure, "no-effect").get_ydata()[0]
    return (zero - y) / (zero - mark(figure, "conventional-high").get_ydata()[0]) * CONVENTIONAL


# ---------------------------------------------------------------- legible


def walk(k, *, long_labels=False, last=0.9):
    random = np.random.default_rng(k)
    label = "A trial with a name that takes more than one line" if long_labels else "Trial"
    fractions = np.linspace(last / max(k, 1), last, k)
    return looks(*((f"{label} {i}", f, random.normal(0, 2)) for i, f in enumerate(fractions)))


@pytest.mark.parametrize(
    ("k", "last"),
    grid(
        [0, 1, 3, 40],
        [0.01, 0.1, 0.9, 1.6],
        fast=[(1, 0.01), (3, 0.1), (3, 1.6), (40, 0.9)],
    ),
)
def test_every_text_can_be_read(k, last):
    assert_legible(draw(walk(k, last=last, long_labels=True), title="A title " * 20))


@holds_for(
    6,
    10,
    zs=st.lists(st.floats(-40, 40), min_size=1, max_size=7),
    last=st.floats(1e-4, 3),
)
def test_any_path_is_in_view_and_can_be_read(zs, last):
    rows = [(f"T{i}", last * (i + 1) / len(zs), z) for i, z in enumerate(zs)]
    figure = draw(looks(*rows))
    assert_legible(figure)
    axes = mark(figure, "path").axes
    bottom, top = axes.get_ylim()
    for index in range(len(zs)):
        look = mark(figure, f"look-{index}")
        assert top <= look.get_ydata()[0] <= bottom
        assert 0 <= look.get_xdata()[0] <= axes.get_xlim()[1]


def test_names_lie_on_no_mark_and_near_their_own(figure):
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    for index in range(3):
        assert says(figure, f"name-{index}") == CROSSED["label"][index]
        for other in range(3):
            assert not overlap(
                boxes[f"name-{index}"], mark(figure, f"look-{other}").get_window_extent()
            )


# ---------------------------------------------------------------- what is drawn


def test_looks_stand_at_their_information_and_z(figure):
    for index, row in CROSSED.iterrows():
        look = mark(figure, f"look-{index}")
        assert look.get_xdata()[0] == row["fraction"]
        assert z_of(figure, look.get_ydata()[0]) == pytest.approx(row["z"], abs=1e-3)
    path = mark(figure, "path")
    assert path.get_xdata().tolist() == [0, 0.25, 0.49, 0.64]
    assert z_of(figure, path.get_ydata()[0]) == pytest.approx(0, abs=1e-3)


def test_the_conventional_line_is_that_of_one_look():
    assert pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-6) == CONVENTIONAL


def test_boundaries_are_mirrored_and_end_where_they_leave_the_axis(figure):
    high, low = (mark(figure, f"boundary-{word}") for word in ("high", "low"))
    assert high.get_xdata().tolist() == low.get_xdata().tolist()
    heights = [z_of(figure, y) for y in high.get_ydata()]
    assert heights == pytest.approx([-z_of(figure, y) for y in low.get_ydata()], abs=2e-3)
    axes = high.axes
    reach = z_of(figure, axes.get_ylim()[1])
    assert heights[0] == pytest.approx(reach, abs=1e-3)
    assert max(heights) <= reach + 1e-3
    for x, z in list(zip(high.get_xdata(), heights, strict=True))[1:]:
        assert z == pytest.approx(CONVENTIONAL / math.sqrt(x), abs=2e-3)


def test_the_wedge_lies_between_both_futility_boundaries(figure):
    corners = mark(figure, "futility").get_xy()
    ends = {}
    for x, y in corners:
        ends.setdefault(round(x, 4), []).append(z_of(figure, y))
    assert min(ends) == 0.4
    for x, zs in ends.items():
        size = CONVENTIONAL * (x - 0.4) / 0.6
        assert (min(zs), max(zs)) == pytest.approx((-size, size), abs=3e-3)
    assert not marks(draw(futility=None), "futility")


def test_required_information_is_marked_with_its_people(figure):
    assert mark(figure, "required").get_xdata()[0] == 1
    assert says(figure, "required-words") == "required: 1,723 people"
    assert says(figure, "progress-words") == (
        "Information so far: 64% of what 1,723 people would give"
    )
    shares = mark(figure, "progress").get_width() / mark(figure, "progress-all").get_width()
    assert shares == pytest.approx(0.64, rel=1e-4)
    unknown = draw(ris_people=NAN)
    assert says(unknown, "required-words") == "required"
    assert says(unknown, "progress-words") == "Information so far: 64% of what is required"


def test_more_than_all_fills_the_strip_and_no_more():
    figure = draw(walk(3, last=1.6))
    assert mark(figure, "progress").get_width() == mark(figure, "progress-all").get_width()
    assert mark(figure, "path").axes.get_xlim()[1] > 1.6


def test_directions_stand_at_the_ends(figure):
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    assert says(figure, "favours-low").endswith("favours LDN")
    assert says(figure, "favours-high").endswith("favours placebo")
    assert boxes["favours-low"].y1 < boxes["y-label"].y0 < boxes["favours-high"].y0


# ---------------------------------------------------------------- far off, in words


def test_little_information_is_shown_at_its_own_scale_and_the_rest_told():
    figure = draw(EARLY)
    axes = mark(figure, "path").axes
    assert axes.get_xlim()[1] == pytest.approx(0.032)
    assert not marks(figure, "boundary")
    assert not marks(figure, "required")
    said = plain(figure)
    # 1.96 / sqrt(0.02), and between two points of the curve a little more.
    assert "Off this axis: the boundary, which is 13.9 at the last look." in said
    assert "Off this axis to the right: all of the required information, 1,723 people." in said
    assert "boundary: what repeated looks need" not in said
    assert "Off this axis" in figure.alt


def test_a_boundary_that_is_near_is_drawn_and_not_told(figure):
    said = plain(figure)
    assert "Off this axis" not in said
    assert "boundary: what repeated looks need" in said


@pytest.mark.parametrize(
    ("frame", "words", "not_said"),
    [
        (
            CROSSED,
            "The boundary was crossed after C 2009: favours LDN. A single look would have seen an "
            "effect after B 2004: Z beyond 1.96, not beyond the boundary. After C 2009, Z is "
            "-2.60 and the boundary 2.45.",
            "futility wedge",
        ),
        (
            looks(("A", 0.25, 4.0)),
            "The boundary was crossed after A: favours placebo.",
            "single look would",
        ),
        (
            looks(("A", 0.25, 0.1), ("B", 0.7, 0.1)),
            "No look crossed the boundary. Z lay inside the futility wedge after B.",
            "single look would",
        ),
        (
            looks(("A", 0.25, 0.1), ("B", 1.2, 2.5)),
            "After B, Z is 2.50; the required information has been reached.",
            "single look would",
        ),
        (
            looks(("A", 0.004, 2.5)),
            "After A, Z is 2.50; so early no boundary is defined.",
            "No look crossed",
        ),
        (
            looks(("A", 0.1, 2.5), ("B", 0.2, 2.2), ("C", 0.3, 2.1)),
            "A single look would have seen an effect after A, B and C:",
            "futility",
        ),
    ],
)
def test_what_the_looks_say_is_put_in_words(frame, words, not_said):
    figure = draw(frame)
    assert words in figure.alt
    assert not_said not in figure.alt
    assert words in plain(figure).replace("\N{MINUS SIGN}", "-")


def test_many_looks_are_numbers_with_a_key():
    figure = draw(walk(12))
    assert says(figure, "name-0") == "1"
    assert "1 Trial 0; 2 Trial 1;" in plain(figure)


def test_remarks_stand_below_and_nothing_is_said_in_words():
    assert "Looked back upon." in plain(draw(remarks=["Looked back upon."]))
    empty = draw(CROSSED[:0], remarks=["Looked back upon."])
    assert plain(empty) == f"{NO_LOOK} Looked back upon."
    assert NO_LOOK in empty.alt


def test_alt_text_names_every_look_with_its_boundary(figure):
    words = figure.alt
    assert words.startswith("Sequential figure: Pain. Information so far: 64% of what 1,723")
    assert "Z below 0: favours LDN; Z above 0: favours placebo." in words
    assert "A 2001 at 25%, Z -1.20 (boundary 3.92); B 2004 at 49%" in words
    assert words.isascii()


# ---------------------------------------------------------------- boundaries as lists of points


def test_a_boundary_is_a_line_between_points_and_nothing_beyond():
    line = Boundary((0.2, 0.6), (4.0, 2.0))
    assert line.at(0.4) == pytest.approx(3.0)
    assert math.isnan(line.at(0.1))
    assert math.isnan(line.at(0.7))
    assert math.isnan(Boundary().at(0.5))
    assert line.below(5, 1) == [(0.2, 4.0), (0.6, 2.0)]
    cut = line.below(3, 0.5)
    assert np.allclose(cut, [(0.4, 3.0), (0.5, 2.5)])
    assert line.below(1, 1) == []
    assert Boundary((0.2, 0.6), (2.0, 4.0)).below(3, 1)[-1] == pytest.approx((0.4, 3.0))


def test_points_that_are_not_defined_are_left_out():
    figure = draw(boundary=([0.004, 0.25, 0.49, 0.64], [NAN, 3.92, 2.8, 2.45]))
    assert mark(figure, "boundary-high").get_xdata()[-1] == 0.64
