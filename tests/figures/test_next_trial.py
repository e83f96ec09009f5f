"""What the figure of a next trial draws: curves by people, named at their ends."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from builders import assert_legible, grid, mark, marks, plain, says, text_boxes
from ldn_meta.display.figures.next_trial import (
    MOST_EFFECTS,
    NEXT_TRIAL_COLUMNS,
    NO_CURVE,
    Curve,
    next_trial_plot,
    people_ticks,
)
from ldn_meta.errors import ArgumentError

NAN = math.nan
MINUS = "\N{MINUS SIGN}"
OFF, INSIDE = "the pooled interval lies off no effect", "the pooled interval lies inside -1 to 1"
WORDS = {"direction": ("favours LDN", "favours placebo"), "unit_words": "points (0-10)"}


def rows(*values):
    return pd.DataFrame(values, columns=NEXT_TRIAL_COLUMNS)


TWO = rows(
    (400, -1.0, 0.9, OFF),
    (100, -1.0, 0.5, OFF),
    (200, -1.0, 0.8, OFF),
    (100, 0.0, 0.05, OFF),
    (400, 0.0, 0.05, OFF),
    (100, 0.0, 0.85, INSIDE),
    (400, 0.0, 0.95, INSIDE),
)


def simulated(effects, people):
    """Normal theory, as a simulation would give it."""
    normal = NormalDist()
    values = []
    for n in people:
        se = math.sqrt(20 / n)
        for effect in effects:
            lies_off = 1 - normal.cdf(1.96 - effect / se) + normal.cdf(-1.96 - effect / se)
            values += [(n, effect, lies_off, OFF), (n, effect, 1 - lies_off, INSIDE)]
    return rows(*values)


def draw(frame=TWO, **options):
    return next_trial_plot(frame, **(WORDS | options))[0]


@pytest.fixture(scope="module")
def figure():
    return draw(title="What would settle it?")


EFFECTS = [[0.0], [-1, 0, 1.5], list(np.linspace(-0.2, 0.2, MOST_EFFECTS))]
PEOPLE = [[100], [40, 60], list(np.geomspace(5, 1e6, 30))]


@pytest.mark.parametrize(
    ("effects", "people"), grid(EFFECTS, PEOPLE, fast=zip(EFFECTS, PEOPLE, strict=True))
)
def test_every_text_can_be_read(effects, people):
    figure = draw(
        simulated(effects, people),
        title="A title " * 20,
        unit_words="points on a scale that takes many words to name",
        remarks=["A remark " * 30],
    )
    assert_legible(figure)
    names = [n for n in marks(figure, "panel-0-effect-") if n.count("-") == 3]
    assert len(names) == len(effects)


def test_curves_stand_at_people_and_probability_sorted_by_people(figure):
    curve = mark(figure, "panel-0-curve-0")
    assert curve.get_xdata().tolist() == [100, 200, 400]
    axes = curve.axes
    bottom, top = axes.get_ylim()
    heights = [(bottom - y) / (bottom - top) for y in curve.get_ydata()]
    assert heights == pytest.approx([0.5, 0.8, 0.9], abs=1e-4)
    assert axes.get_xscale() == "log"
    likely = mark(figure, "panel-0-likely").get_ydata()[0]
    assert likely == pytest.approx(curve.get_ydata()[1])


def test_a_line_keeps_its_kind_in_every_panel_and_in_its_name(figure):
    null, same = mark(figure, "panel-0-curve-1"), mark(figure, "panel-1-curve-0")
    assert null.get_linestyle() == same.get_linestyle()
    assert null.get_color() == same.get_color()
    for name, sample in (
        ("panel-0-curve-0", "panel-0-effect-0-sample"),
        ("panel-0-curve-1", "panel-0-effect-1-sample"),
        ("panel-1-curve-0", "panel-1-effect-0-sample"),
    ):
        line, shown = mark(figure, name), mark(figure, sample)
        assert line._dash_pattern == shown._dash_pattern
        assert line.get_color() == shown.get_color()


def test_no_two_lines_have_the_same_dashes():
    figure = draw(simulated(np.linspace(-1, 1, MOST_EFFECTS), [100, 1000]))
    dashes = [repr(mark(figure, f"panel-0-curve-{i}")._dash_pattern) for i in range(MOST_EFFECTS)]
    assert len(set(dashes)) == MOST_EFFECTS


def test_lines_are_named_where_they_end_in_the_order_of_their_ends():
    figure = draw(simulated([-1, -0.5, 0, 0.25], [50, 400]))
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    names = [says(figure, f"panel-0-effect-{i}") for i in range(4)]
    assert names == [f"{MINUS}1.00", f"{MINUS}0.50", "0.00", "0.25"]
    ends = [mark(figure, f"panel-0-curve-{i}").get_ydata()[-1] for i in range(4)]
    heights = [boxes[f"panel-0-effect-{i}"].y0 for i in range(4)]
    assert np.argsort(ends).tolist() == np.argsort([-height for height in heights]).tolist()
    for index in range(4):
        assert mark(figure, f"panel-0-effect-{index}-joint").get_ydata()[0] == ends[index]


def test_panels_have_heads_in_the_order_given(figure):
    assert says(figure, "panel-0-head") == f"Probability that {OFF}"
    assert says(figure, "panel-1-head").replace("\n", " ") == (
        f"Probability that the pooled interval lies inside {MINUS}1 to 1"
    )
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    assert boxes["panel-0-head"].y0 > boxes["panel-1-head"].y1


def test_how_many_people_make_it_likely_is_said_in_words(figure):
    said = plain(figure)
    assert (
        "The pooled interval lies off no effect, with a probability of 80% or more, by true "
        f"effect: from 200 people on if it is {MINUS}1.00; not with up to 400 people if it is "
        "0.00." in said
    )
    assert "with 100 people already if it is 0.00." in said
    assert "True effect below 0: favours LDN; above 0: favours placebo." in said


def test_likely_means_likely_ever_after():
    assert Curve(0.0, (1, 2, 3, 4), (0.9, 0.7, 0.8, 0.9)).likely_from == 3
    assert math.isinf(Curve(0.0, (1, 2), (0.9, 0.7)).likely_from)
    assert Curve(0.0, (1, 2), (0.8, 0.9)).likely_from == 1


def test_ratios_are_printed_as_ratios():
    figure = draw(TWO.assign(true_effect=TWO["true_effect"] * math.log(2)), log_scale=True)
    assert says(figure, "panel-0-effect-0") == "0.50"
    assert "True effect below 1: favours LDN" in plain(figure)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (20, 5000, [20, 50, 100, 200, 500, 1000, 2000, 5000]),
        (5, 1e5, [10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000]),
        (70, 90, [79.3725]),
    ],
)
def test_people_along_the_axis_are_round_and_not_too_many(low, high, ticks):
    found = people_ticks(math.log(low) - 1e-9, math.log(high) + 1e-9)
    assert [value for value in found if value != 5] == ticks


def test_alt_text_says_what_the_curves_do(figure):
    words = figure.alt
    assert words.startswith("Value of a next trial: What would settle it? Probabilities by people")
    assert "in the next trial, 100 to 400, a line for each true effect (points (0-10))." in words
    assert (
        f"Probability that {OFF}, from the smallest trial to the largest: 50% to 90% if it is "
        "-1.00; 5% to 5% if it is 0.00." in words
    )
    assert "from 200 people on if it is -1.00" in words
    assert words.isascii()


def test_remarks_are_said_where_nothing_is_drawn():
    figure = draw(TWO[:0], remarks=["Too few trials."])
    assert plain(figure) == f"{NO_CURVE} Too few trials."


def test_all_faults_are_told_at_once():
    with pytest.raises(ArgumentError, match=r"row 0.*row 1"):
        draw(rows((0, 0.0, 0.5, OFF), (10, 0.0, 7, OFF)))
