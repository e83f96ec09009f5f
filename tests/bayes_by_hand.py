"""The Bayesian pool once more: matrices, another rule of quadrature, no shared code."""

import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize_scalar

DENSITIES = {
    "half-normal": lambda tau, scale, _: stats.halfnorm.pdf(tau, scale=scale),
    "half-cauchy": lambda tau, scale, _: stats.halfcauchy.pdf(tau, scale=scale),
    "log-normal": lambda tau, scale, location: stats.lognorm.pdf(
        tau, scale, scale=np.exp(location)
    ),
    "log-t": lambda tau, scale, location: (
        stats.t.pdf((np.log(tau) - location) / scale, 5) / scale / tau
    ),
}


PANELS, POINTS = 160, 16
# Log tau is followed this far from the middle of its prior: 1e130 either way.
REACH = 300.0


class ByHand:
    """One set of trials; integrals over log tau by Gauss and Legendre's rule on many panels."""

    def __init__(self, yi, vi, family, scale, location=0.0, mu_prior=None):
        self.y, self.v = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
        self.mu_prior = mu_prior
        self.prior = lambda tau: DENSITIES[family](tau, scale, location)
        self.middle = np.log(scale) if family.startswith("half") else location
        self.mass = 1.0
        self.tau, self.weight = self._points(REACH)
        self.mass = self.weight.sum()
        self.weight = self.weight / self.mass

    def _points(self, last):
        """tau and weights of prior times likelihood up to log tau = middle + last."""
        edges = np.sinh(np.linspace(np.arcsinh(-REACH), np.arcsinh(last), PANELS + 1))
        x, w = np.polynomial.legendre.leggauss(POINTS)
        half = 0.5 * np.diff(edges)[:, None]
        log_tau = (self.middle + edges[:-1, None] + half * (1 + x)).ravel()
        tau = np.exp(log_tau)
        return tau, (half * w).ravel() * tau * self.prior(tau) * self.likelihood(tau)

    def likelihood(self, tau):
        """Density of the effects; for a flat prior of mu, whose density is taken as 1."""
        tau = np.atleast_1d(tau)
        k = len(self.y)
        ones = np.ones(k)
        spread = np.eye(k) * (self.v + tau[:, None] ** 2)[:, None, :]
        if self.mu_prior is not None:
            mean, sd = self.mu_prior
            spread = spread + sd**2
            residual = np.broadcast_to(self.y - mean, (tau.size, k))
            degrees, extra = k, 0.0
            inverse = np.linalg.inv(spread)
        else:
            inverse = np.linalg.inv(spread)
            precision = inverse.sum(axis=(1, 2))
            centre = (inverse @ self.y).sum(axis=1) / precision
            residual = self.y - centre[:, None] * ones
            degrees, extra = k - 1, np.log(precision)
        q = np.einsum("ni,nij,nj->n", residual, inverse, residual)
        _, log_det = np.linalg.slogdet(spread)
        return np.exp(-0.5 * (q + log_det + extra + degrees * np.log(2 * np.pi)))

    def expect(self, what):
        """Posterior expectation of a function of tau."""
        return self.weight @ what(self.tau)

    def mu_given(self, tau):
        """Mean and variance of mu."""
        w = 1 / (self.v + np.asarray(tau)[..., None] ** 2)
        if self.mu_prior is None:
            return (w @ self.y) / w.sum(axis=-1), 1 / w.sum(axis=-1)
        mean, sd = self.mu_prior
        precision = w.sum(axis=-1) + sd**-2
        return (w @ self.y + mean / sd**2) / precision, 1 / precision

    def theta_given(self, tau):
        """Mean and variance of a new trial's effect."""
        mean, variance = self.mu_given(tau)
        return mean, variance + tau**2

    def own_given(self, i):
        """Mean and variance of a trial's own effect, as functions of tau."""

        def given(tau):
            mean, variance = self.mu_given(tau)
            tau2 = tau**2
            pulled = self.v[i] / (self.v[i] + tau2)
            return self.y[i] + pulled * (mean - self.y[i]), (
                self.v[i] * tau2 / (self.v[i] + tau2) + pulled**2 * variance
            )

        return given

    def below(self, given, point):
        """Posterior probability of a value below a point."""

        def share(tau):
            mean, variance = given(tau)
            return stats.norm.cdf(point, mean, np.sqrt(variance))

        return self.expect(share)

    def density(self, given, point):
        """Posterior density at a point."""

        def share(tau):
            mean, variance = given(tau)
            return stats.norm.pdf(point, mean, np.sqrt(variance))

        return self.expect(share)

    def tau_below(self, point):
        """Posterior probability of a smaller tau."""
        return self._points(np.log(point) - self.middle)[1].sum() / self.mass

    def tau_density(self, tau):
        """Posterior density of tau."""
        return self.prior(tau) * self.likelihood(tau) / self.mass


# bayesmeta's way to integrate over tau, to explain its last digits. Roever and Friede 2017,
# Journal of Computational and Graphical Statistics 26:217-222: tau is cut into bins, each with a
# reference point, so that the distributions given tau at the margins of a bin diverge by no more
# than delta (symmetrised Kullback-Leibler) from those at its reference point. The mixture over
# reference points is then taken for the posterior.
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
