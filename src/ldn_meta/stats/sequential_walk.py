"""Group-sequential probabilities by recursive numerical integration: no simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from ldn_meta.stats.inputs import FloatArray

# Gauss-Legendre nodes in a piece, and its width in standard deviations of the narrower of the two
# steps around a look: more nodes or narrower pieces change boundaries by less than 1e-12.
NODES = 16
PIECE = 2.0
FEWEST_PIECES = 4
# Beyond this many standard deviations of the score, nothing is left (4e-33).
FARTHEST = 12.0
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)

Region = Sequence[tuple[float, float]]


class Walk:
    """The score B(t) = Z(t) sqrt(t) of a trial that goes on: B(t) ~ N(drift t, t).

    Parameters
    ----------
    drift : float
        Expected Z at information fraction 1.

    Notes
    -----
    Armitage, McPherson and Rowe 1969, JRSS A 132:235-244; Jennison and Turnbull 2000, Group
    Sequential Methods, chapter 19.
    """

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        # Where the score may be at the last look, and with what probability, as point masses for
        # quadrature; made when the next look is known, because its step sets how fine they are.
        self._time = 0.0
        self._at, self._mass = np.zeros(1), np.ones(1)
        self._region: Region = []
        self._settled_for: float | None = 0.0
        self._before: tuple[float, FloatArray, FloatArray] = (0.0, self._at, self._mass)

    def above(self, time: float, z: float) -> float:
        """Return the probability to have gone on so far and to have Z above `z` at `time`."""
        return self._tail(time, z, side=1.0)

    def below(self, time: float, z: float) -> float:
        """Return the probability to have gone on so far and to have Z below `z` at `time`."""
        return self._tail(time, z, side=-1.0)

    def go_on(self, time: float, region: Region) -> None:
        """Move to a look, and keep those whose Z lies in a union of intervals.

        Parameters
        ----------
        time : float
            Information fraction, above that of the last look.
        region : sequence of (float, float)
            Intervals of Z to go on in, ends may be infinite.
        """
        self._settle(time)
        self._before = (self._time, self._at, self._mass)
        self._time, self._region, self._settled_for = time, region, None

    def _settle(self, next_time: float) -> None:
        """Lay out the point masses of the last look for a next one."""
        if self._time == 0.0 or self._settled_for == next_time:
            return
        before, before_at, before_mass = self._before
        step = np.sqrt(self._time - before)
        piece = PIECE * min(step, np.sqrt(next_time - self._time))
        root, middle = np.sqrt(self._time), self.drift * self._time
        points, weights = [np.zeros(0)], [np.zeros(0)]
        for low, high in self._region:
            a = max(low * root, middle - FARTHEST * root)
            b = min(high * root, middle + FARTHEST * root)
            if b > a:
                node, weight = _quadrature(a, b, piece)
                points.append(node)
                weights.append(weight)
        at = np.concatenate(points)
        distance = (at[:, None] - before_at - self.drift * (self._time - before)) / step
        density = np.exp(-0.5 * distance**2) @ before_mass / (step * np.sqrt(2.0 * np.pi))
        self._at, self._mass = at, np.concatenate(weights) * density
        self._settled_for = next_time

    def _tail(self, time: float, z: float, *, side: float) -> float:
        self._settle(time)
        step = np.sqrt(time - self._time)
        expected = self._at + self.drift * (time - self._time)
        return float(ndtr(side * (expected - z * np.sqrt(time)) / step) @ self._mass)


def solve(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Return where a monotone function of Z takes a value, compared on the log scale.

    Spent error early on is as small as 1e-80: only logarithms see it.
    """
    goal = np.log(target)

    def gap(z: float) -> float:
        value = function(z)
        return float((np.log(value) if value > 0.0 else -1e4) - goal)

    return float(brentq(gap, low, high, xtol=1e-13, rtol=1e-14))


def _quadrature(low: float, high: float, piece: float) -> tuple[FloatArray, FloatArray]:
    pieces = max(int(np.ceil((high - low) / piece)), FEWEST_PIECES)
    edges = np.linspace(low, high, pieces + 1)
    half = np.diff(edges) / 2.0
    centre = edges[:-1] + half
    return (
        (centre[:, None] + half[:, None] * _POINTS).ravel(),
        (half[:, None] * _WEIGHTS).ravel(),
    )
