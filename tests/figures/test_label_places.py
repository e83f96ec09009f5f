"""Names of marks: on nothing else, inside the plot, and nearer to their own than to others."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldn_meta.display.figures.scales import Box, Wanted, around, is_joined, place_names

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


@settings(max_examples=60)
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


@settings(max_examples=60)
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


@given(places, sizes, places, sizes)
def test_gap_is_nought_only_for_boxes_that_touch(one, size, other, other_size):
    first, second = around(*one, *size), around(*other, *other_size)
    assert first.gap(second) == second.gap(first) >= 0
    if first.gap(second) == 0:
        assert first.meets(second)
    if not first.meets(second):
        assert first.gap(second) >= 1.0 - 1e-9
