"""Which side of no effect an interval lies on."""

import numpy as np
import pytest

from ldn_meta.stats.pool import side

NAN, INF = float("nan"), float("inf")
SIDES = [
    (0.2, 1.4, 1.0, 1.0),
    (-1.4, -0.2, 1.0, -1.0),
    (-0.2, 1.4, 1.0, 0.0),
    (0.2, 1.4, -1.0, -1.0),
    (-1.4, -0.2, -1.0, 1.0),
    (0.0, 1.4, 1.0, 0.0),
    (-1.4, 0.0, 1.0, 0.0),
    (-0.0, 0.0, -1.0, 0.0),
    (5e-324, 1.4, 1.0, 1.0),
    (0.2, INF, 1.0, 1.0),
    (-INF, -0.2, 1.0, -1.0),
    (-INF, INF, 1.0, 0.0),
    (NAN, 1.4, 1.0, NAN),
    (0.2, NAN, 1.0, NAN),
    (0.2, 1.4, NAN, NAN),
]


@pytest.mark.parametrize(("low", "high", "benefit", "found"), SIDES)
def test_side_of_no_effect(low, high, benefit, found):
    ours = side(low, high, benefit)
    assert type(ours) is float
    assert ours == pytest.approx(found, nan_ok=True)
    assert not (ours == 0.0 and np.signbit(ours))


def test_side_of_many_is_side_of_each():
    low, high, benefit, found = np.array(SIDES).T
    np.testing.assert_array_equal(side(low, high, benefit), found)
    grid = side(low[:, None], high[:, None], np.array([1.0, -1.0]))
    np.testing.assert_array_equal(grid[:, 0], -grid[:, 1])
    assert grid.shape == (len(SIDES), 2)
