"""The likelihood of the logit-normal model for counts, by adaptive Gauss-Hermite quadrature."""

import numpy as np
from scipy.special import expit, gammaln

from ldn_meta.stats.inputs import FloatArray

QUADRATURE_POINTS = 7

MAX_MODE_STEPS = 100

_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(QUADRATURE_POINTS)
_LOG_WEIGHTS = np.log(_WEIGHTS) + _NODES**2 - 0.5 * np.log(np.pi)


def log_likelihood(mu: FloatArray, tau: FloatArray, x: FloatArray, n: FloatArray) -> FloatArray:
    """Return the quadrature log likelihood at every (mu, tau), shape of their broadcast."""
    mu, tau = np.broadcast_arrays(mu[..., np.newaxis], tau[..., np.newaxis])
    mode = _modes(mu, tau, x, n)
    p = expit(mu + tau * mode)
    scale = np.sqrt(2 / (1 + tau**2 * n * p * (1 - p)))
    u = mode[..., np.newaxis] + scale[..., np.newaxis] * _NODES
    logit = mu[..., np.newaxis] + tau[..., np.newaxis] * u
    joint = x[:, np.newaxis] * logit - n[:, np.newaxis] * np.logaddexp(0, logit) - u**2 / 2
    terms = joint + _LOG_WEIGHTS
    top = terms.max(axis=-1, keepdims=True)
    integral = top[..., 0] + np.log(np.exp(terms - top).sum(axis=-1))
    coefficient = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    # scale / sqrt(2 pi) times sqrt(pi), whose root is taken out of the weights above.
    per_trial = integral + np.log(scale / np.sqrt(2)) + coefficient
    return np.asarray(per_trial.sum(axis=-1))


def _modes(mu: FloatArray, tau: FloatArray, x: FloatArray, n: FloatArray) -> FloatArray:
    """Return the u with the largest joint density per trial, by bracketed Newton steps.

    The slope tau (x - n p(u)) - u falls in u, so the mode lies between 0 and the slope at 0.
    """
    at_zero = tau * (x - n * expit(mu))
    low, high = np.minimum(at_zero, 0), np.maximum(at_zero, 0)
    u = np.zeros_like(at_zero)
    for _ in range(MAX_MODE_STEPS):
        p = expit(mu + tau * u)
        slope = tau * (x - n * p) - u
        low, high = np.where(slope > 0, u, low), np.where(slope < 0, u, high)
        newton = u + slope / (1 + tau**2 * n * p * (1 - p))
        inside = (newton >= low) & (newton <= high)
        following = np.where(inside, newton, (low + high) / 2)
        step = np.abs(following - u)
        u = following
        if np.all(step <= 1e-13 * (1 + np.abs(u))):
            break
    return np.asarray(u)


def spacing(tau: FloatArray, x: FloatArray, n: FloatArray) -> FloatArray:
    """Return a spacing for differences: 1% of the standard error of mu to be expected at tau.

    Differences are then far above the rounding of the likelihood, and its fifth derivative far
    below.
    """
    p = float(x.sum() / n.sum())
    variance = 1 / (n * p * (1 - p)) + np.square(tau)[..., np.newaxis]
    return np.asarray(0.01 / np.sqrt((1 / variance).sum(axis=-1)))


def derivatives(
    mu: FloatArray, tau: FloatArray, x: FloatArray, n: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return gradient (2, ...) and Hessian (2, 2, ...) by central differences of fourth order.

    mu and tau have one shape (...); what is returned has it behind the axes named here.
    """
    h = spacing(tau, x, n)
    offsets = np.array([-2, -1, 0, 1, 2])
    shape = (5, 5) + (1,) * np.ndim(tau)
    along_mu = mu + np.reshape(offsets[:, np.newaxis] + 0 * offsets, shape) * h
    along_tau = tau + np.reshape(offsets + 0 * offsets[:, np.newaxis], shape) * h
    values = log_likelihood(along_mu, along_tau, x, n)
    first = np.array([1, -8, 0, 8, -1]) / 12
    second = np.array([-1, 16, -30, 16, -1]) / 12
    on_mu, on_tau = values[:, 2], values[2, :]
    gradient = np.stack([np.tensordot(first, on, 1) for on in (on_mu, on_tau)]) / h
    mixed = np.tensordot(first, np.tensordot(first, values, 1), 1)
    pure_mu, pure_tau = (np.tensordot(second, on, 1) for on in (on_mu, on_tau))
    hessian = np.stack([np.stack([pure_mu, mixed]), np.stack([mixed, pure_tau])]) / h**2
    return gradient, hessian
