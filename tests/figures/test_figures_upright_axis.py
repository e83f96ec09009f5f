"""A scale that runs upwards, and words beside it that do not lie on each other."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.display.figures.scales import UprightScale, spread


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
