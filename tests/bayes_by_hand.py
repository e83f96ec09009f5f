"""The Bayesian pool once more: matrices, another rule of quadrature, no shared code."""

import numpy as np
from scipy import stats

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
