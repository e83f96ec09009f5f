"""bayesmeta's way to integrate over tau, written from the paper, to explain its last digits.

Roever and Friede 2017, Journal of Computational and Graphical Statistics 26:217-222: tau is cut
into bins, each with a reference point, so that the distributions given tau at the margins of a
bin diverge by no more than delta (symmetrised Kullback-Leibler) from those at its reference
point. The mixture over reference points is then taken for the posterior.
"""

import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize_scalar

DELTA, EPSILON = 0.01, 1e-4


def summary_on_its_grid(hand):
    """Median and shortest 95% interval of mu."""
    tau, weight = _bins(hand)
    mean, variance = hand.mu_given(tau)
    sd = np.sqrt(variance)

    def quantile(p):
        return brentq(
            lambda x: weight @ stats.norm.cdf(x, mean, sd) - p,
            mean.min() - 40 * sd.max(),
            mean.max() + 40 * sd.max(),
            xtol=1e-12,
        )

    best = minimize_scalar(
        lambda p: quantile(p + 0.95) - quantile(p),
        bounds=(1e-4, 0.05 - 1e-4),
        method="bounded",
        options={"xatol": 1e-9},
    ).x
    return quantile(0.5), quantile(best), quantile(best + 0.95)


def _bins(hand):
    grid = np.exp(np.linspace(-14, 9, 6001)) * np.sqrt(np.median(hand.v))
    density = hand.tau_density(grid) * grid
    below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    below *= np.log(grid[1] / grid[0])
    last = grid[np.searchsorted(below, 1 - EPSILON)]
    given = [hand.mu_given, hand.theta_given, *(hand.own_given(i) for i in range(len(hand.y)))]

    def next_point(tau):
        def over(other):
            return max(_divergence(f(max(tau, 1e-9)), f(other)) for f in given) - DELTA

        top = max(1e-3, 1.01 * tau)
        while over(top) <= 0:
            top *= 2
        return brentq(over, max(tau, 1e-9), top, xtol=1e-12)

    points, margins = [0.0], [next_point(0.0)]
    while margins[-1] <= last or len(points) < 2:
        points.append(next_point(margins[-1]))
        margins.append(next_point(points[-1]))
    upto = np.interp(margins, grid, below)
    weight = np.diff(np.concatenate([[0.0], upto]))
    return np.maximum(points, 1e-9), weight / weight.sum()


def _divergence(one, other):
    (m1, v1), (m2, v2) = one, other
    return 0.5 * (m1 - m2) ** 2 * (1 / v1 + 1 / v2) + (v1 - v2) ** 2 / (2 * v1 * v2)
