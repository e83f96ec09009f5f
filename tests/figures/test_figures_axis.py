"""Limits, ticks and line breaks: the geometry under the figures."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import Interval, axis_limits, linear_ticks, ratio_ticks
from ldn_meta.display.figures.sheet import line_width, text_width, wrap

numbers = st.floats(-1e3, 1e3)
words = st.text("abc iIWm-.,()0123456789", max_size=80)


def widest_gap_is_kept(ticks, places, width):
    ends = [
        (place * width, line_width(label, style.SMALL_SIZE) / 2)
        for place, (_, label) in zip(places, ticks, strict=True)
    ]
    return all(b - hb > a + ha for (a, ha), (b, hb) in pairwise(ends))


@given(low=numbers, span=st.floats(1e-3, 1e4), width=st.floats(120, 500))
def test_linear_ticks_are_even_round_and_apart(low, span, width):
    high = low + span
    ticks = linear_ticks(low, high, width)
    values = [value for value, _ in ticks]
    assert 1 <= len(ticks) <= 7
    slack = 1e-6 * span
    assert all(low - slack <= value <= high + slack for value in values)
    steps = [b - a for a, b in pairwise(values)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)
    assert all(float(label.replace(style.MINUS, "-")) == pytest.approx(v) for v, label in ticks)
    assert widest_gap_is_kept(ticks, [(v - low) / span for v in values], width)


@given(low=st.floats(-12, -0.01), high=st.floats(0.01, 12), width=st.floats(120, 500))
def test_ratio_ticks_hold_one_and_stay_apart(low, high, width):
    ticks = ratio_ticks(low, high, width)
    values = [value for value, _ in ticks]
    assert 1.0 in values
    assert values == sorted(values)
    assert all(low <= math.log(value) <= high for value in values)
    assert all(float(label) == pytest.approx(value) for value, label in ticks)
    assert widest_gap_is_kept(ticks, [(math.log(v) - low) / (high - low) for v in values], width)


def test_ratio_ticks_of_a_usual_range():
    labels = [label for _, label in ratio_ticks(math.log(0.2), math.log(5), 230)]
    assert labels == ["0.2", "0.5", "1", "2", "5"]


@given(
    st.lists(st.tuples(numbers, st.floats(0.01, 100)), min_size=1, max_size=20),
    st.lists(st.tuples(numbers, st.floats(0.01, 1e4)), max_size=3),
)
def test_every_needed_estimate_and_no_effect_are_inside(needed, wished):
    rows = [Interval(x, x - h, x + h) for x, h in needed]
    more = [Interval(x, x - h, x + h) for x, h in wished]
    low, high = axis_limits(rows, more, reference=0.0)
    assert low < 0 < high
    assert all(low < row.estimate < high for row in rows)


def test_intervals_are_shown_whole_when_they_are_alike():
    rows = [Interval(x, x - 1, x + 1) for x in (-0.5, 0.0, 0.3)]
    low, high = axis_limits(rows, [], reference=0.0)
    assert low < -1.5
    assert high > 1.3


def test_one_wide_interval_is_cut():
    rows = [Interval(x, x - 1, x + 1) for x in (-0.5, 0.0, 0.3)] + [Interval(0, -50, 50)]
    low, high = axis_limits(rows, [], reference=0.0)
    assert -6 < low < high < 6


def test_nothing_to_show_still_has_an_axis():
    nothing = Interval(math.nan, math.nan, math.nan)
    low, high = axis_limits([nothing], [], reference=0.0)
    assert low < 0 < high


@given(text=words, width=st.floats(30, 300), weight=st.sampled_from(["normal", "bold"]))
def test_no_wrapped_line_is_wider_than_allowed_and_nothing_is_lost(text, width, weight):
    broken = wrap(text, width, weight=weight)
    assert text_width(broken, weight=weight) <= width
    assert "".join(broken.split()) == "".join(text.split())


def test_wrap_keeps_unbroken_text_together():
    kept = style.unbroken("tau2 = 0.02")
    broken = wrap(f"some words before {kept}", line_width("some words before tau"))
    assert broken.split("\n")[-1] == kept


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_are_printed_with_a_true_minus_and_no_negative_zero(value):
    text = style.number(value, 2)
    assert "-" not in text
    assert float(text.replace(style.MINUS, "-")) == pytest.approx(value, abs=0.005000001)
    assert text != f"{style.MINUS}0.00"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("-1.3", "{m}1.3"),
        ("-1.5 (2.3), 28", "{m}1.5 (2.3), 28"),
        ("(-1 to -.5)", "({m}1 to {m}.5)"),
        ("points (0-10)", "points (0-10)"),
        ("Bruun-Plesner 2020", "Bruun-Plesner 2020"),
        ("COVID-19", "COVID-19"),
    ],
)
def test_only_negative_numbers_get_a_minus_sign(text, drawn):
    assert style.typeset(text) == drawn.format(m=style.MINUS)


@given(st.floats(1e-6, 1e6))
def test_steady_keeps_six_digits(value):
    assume(value == value)
    assert style.steady(value) == pytest.approx(value, rel=1e-5)
    assert style.steady(value * (1 + 1e-15)) == pytest.approx(style.steady(value), rel=1e-5)
