"""From values and names to places: ticks, line breaks, upright scales, words beside marks."""

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders import percent
from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.scales import (
    Box,
    Interval,
    UprightScale,
    Wanted,
    along,
    around,
    axis_limits,
    is_joined,
    linear_ticks,
    place_names,
    ratio_ticks,
    spread,
)
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


# ---------------------------------------------------------------- upright


def test_values_run_upwards_and_stop_at_the_edges():
    scale = UprightScale(top=100, height=50, low=-1, high=4)
    assert (scale.y(-1), scale.y(4), scale.y(1.5)) == (150, 100, 125)
    assert (scale.y(-9), scale.y(9)) == (150, 100)
    assert math.isnan(scale.y(math.nan))
    assert scale.holds(4)
    assert not scale.holds(4.1)


def test_ticks_of_a_log_scale_are_ratios_at_their_logarithms():
    ticks = UprightScale(0, 200, math.log(0.4), math.log(3), is_log=True).ticks()
    assert (0.0, "1") in ticks
    for value, label in ticks:
        assert float(label) == pytest.approx(math.exp(value))


def test_words_with_room_stay_where_they_are():
    assert spread([10, 40, 25], [8, 8, 8], 0, 100) == [10, 40, 25]


def test_words_that_would_meet_part_about_their_middle():
    assert spread([50, 50], [10, 10], 0, 100) == [45, 55]
    assert spread([50, 52, 54], [10, 10, 10], 0, 100) == [42, 52, 62]


def test_a_block_that_meets_another_takes_it_along():
    # 50 and 50 part to 45 and 55, which then meets 62.
    assert spread([50, 50, 62], [10, 10, 10], 0, 100) == pytest.approx([44, 54, 64])


def test_words_stay_inside_where_there_is_room():
    assert spread([-20, 0], [10, 10], 0, 100) == [5, 15]
    assert spread([99, 100], [10, 10], 0, 100) == [85, 95]


@given(
    wanted=st.lists(st.floats(0, 100), min_size=1, max_size=8),
    height=st.floats(1, 12),
)
def test_no_two_words_overlap_and_order_is_kept(wanted, height):
    found = spread(wanted, [height] * len(wanted), 0, 100)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for one, other in pairwise(order):
        assert found[other] - found[one] >= height - 1e-9
    assert min(found) - height / 2 >= -1e-9
    assert max(found) + height / 2 <= 100 + 1e-9


@given(wanted=st.lists(st.floats(0, 1000), min_size=2, max_size=6))
def test_no_smaller_total_of_squares_keeps_them_apart(wanted):
    height = 10.0
    found = spread(wanted, [height] * len(wanted), -1e6, 1e6)
    spent = sum((a - b) ** 2 for a, b in zip(found, wanted, strict=True))
    # Moving any block, or part of one, away from where it is can only cost.
    order = sorted(range(len(wanted)), key=lambda index: found[index])
    for cut in range(len(order) + 1):
        for step in (-0.01, 0.01):
            part = order[:cut] if step < 0 else order[cut:]
            moved = [y + (step if index in part else 0) for index, y in enumerate(found)]
            cost = sum((a - b) ** 2 for a, b in zip(moved, wanted, strict=True))
            assert cost >= spent - 1e-9


# ---------------------------------------------------------------- names


PLOT = Box(0, 0, 440, 280)
places = st.tuples(st.floats(5, 435), st.floats(5, 275))
sizes = st.tuples(st.floats(5, 60), st.floats(8, 20))


def named(x, y, width=20.0, height=10.0):
    return Wanted(x, y, 4.5, width, height, (around(x, y, 9, 9),))


def put(wanted, **options):
    return place_names(
        wanted,
        **{"taken": [], "avoided": [], "inside": PLOT, "is_far_allowed": True} | options,
    )


@percent(60)
@given(st.lists(st.tuples(places, sizes), min_size=1, max_size=25))
def test_names_lie_on_nothing_and_inside(entries):
    wanted = [named(*at, *size) for at, size in entries]
    taken = [Box(100, 100, 140, 110)]
    boxes = put(wanted, taken=taken)
    if boxes is None:
        return
    marks = [mark for name in wanted for mark in name.mark]
    assert len(boxes) == len(wanted)
    for box, name in zip(boxes, wanted, strict=True):
        assert PLOT.holds(box)
        assert box.right - box.left == pytest.approx(name.width)
        assert not any(box.meets(other) for other in [*marks, *taken])
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))


@percent(60)
@given(st.lists(places, min_size=2, max_size=15))
def test_a_name_without_a_line_is_nearest_to_its_own_mark(entries):
    wanted = [named(*at) for at in entries]
    boxes = put(wanted)
    assert boxes is not None
    for index, (box, name) in enumerate(zip(boxes, wanted, strict=True)):
        if is_joined(box, name.x, name.y, name.radius):
            continue
        own = box.gap(name.mark[0])
        for number, other in enumerate(wanted):
            assert number == index or own <= box.gap(other.mark[0]) + 0.011


def test_a_lonely_name_stands_on_the_right_without_a_line():
    (box,) = put([named(200, 140)])
    assert box.left > 204.5
    assert box.middle[1] == 140
    assert not is_joined(box, 200, 140, 4.5)


def test_a_name_near_the_right_edge_stands_on_the_left():
    (box,) = put([named(430, 140)])
    assert box.right < 430 - 4.5


def test_lines_are_avoided_where_there_is_another_place_and_crossed_where_there_is_none():
    line = Box(215, 0, 215, 280)
    (beside,) = put([named(200, 140)], avoided=[line])
    assert not beside.meets(line)
    (across,) = put([named(200, 140)], avoided=[PLOT])
    assert PLOT.holds(across)


def test_a_full_plot_has_no_place():
    assert put([named(200, 140)], taken=[PLOT]) is None


def test_names_stay_near_unless_they_may_go_far():
    crowd = [named(220 + 0.1 * i, 140, 60, 20) for i in range(30)]
    assert put(crowd, is_far_allowed=False) is None
    far = put(crowd)
    assert far is not None
    assert sum(is_joined(box, 220, 140, 4.5) for box in far) > 20


@pytest.mark.parametrize("crowd", [2, 3, 5, 8])
def test_no_line_to_a_name_runs_through_another(crowd):
    wanted = [named(220 + 2 * i, 140, 8, 9) for i in range(crowd)]
    boxes = put(wanted)
    assert boxes is not None
    joined = 0
    for box, name in zip(boxes, wanted, strict=True):
        if is_joined(box, name.x, name.y, name.radius):
            joined += 1
            parts = along([(name.x, name.y), box.nearest(name.x, name.y)])
            others = [other for other in boxes if other is not box]
            assert not any(part.meets(other) for part in parts for other in others)
    assert joined or crowd < 5


@given(places, sizes, places, sizes)
def test_gap_is_nought_only_for_boxes_that_touch(one, size, other, other_size):
    first, second = around(*one, *size), around(*other, *other_size)
    assert first.gap(second) == second.gap(first) >= 0
    if first.gap(second) == 0:
        assert first.meets(second)
    if not first.meets(second):
        assert first.gap(second) >= 1.0 - 1e-9
