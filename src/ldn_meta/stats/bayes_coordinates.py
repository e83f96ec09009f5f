"""A coordinate for tau in which the trapezoid rule is exact to rounding.

For a smooth function that falls off at both ends the error of the trapezoid rule shrinks
exponentially with the number of points (Trefethen and Weideman 2014, SIAM Review 56:385-458), so
the work is in the choice of the coordinate x:

===========  ============================  ======================================================
half-normal  tau = stretch sinh x          linear near 0, logarithmic far out; the integrand is
half-cauchy                                an even function of x, so the end at 0 is no edge
log-normal   log tau = location + scale x  falls off like the normal density
log-t        log tau = location +          falls off exponentially, although log tau has
             scale sinh x                  polynomial tails
===========  ============================  ======================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import numpy as np
from scipy.special import gammaln, ndtr, stdtr

from ldn_meta.stats.bayes_priors import HALF, HALF_CAUCHY, HALF_NORMAL, LOG_NORMAL, LOG_T_DF
from ldn_meta.stats.inputs import FloatArray, IntArray

# Standard deviations of a normal tail, or powers of e, beyond which nothing is left to see.
NORMAL_REACH, LOG_REACH, LOG_T_REACH = 10.0, 40.0, 9.0
# tau is not followed beyond exp(300): its square would leave the range of doubles, and what a
# log-t prior keeps there is below 1e-11.
LARGEST_LOG_TAU = 300.0
# Below this share of the smallest standard error the likelihood cannot tell tau from 0.
FLAT_BELOW = 1e-3
LOG_HALF_NORMAL = 0.5 * log(2.0 / pi)
LOG_HALF_CAUCHY = log(2.0 / pi)
LOG_NORMAL_CONSTANT = -0.5 * log(2.0 * pi)
LOG_T_CONSTANT = float(
    gammaln(0.5 * (LOG_T_DF + 1.0)) - gammaln(0.5 * LOG_T_DF) - 0.5 * log(LOG_T_DF * pi)
)


@dataclass(frozen=True)
class Coordinates:
    """The coordinate x of m sets, in units in which the smallest variance lies in [1, 4).

    Attributes
    ----------
    family : str
        Of the prior.
    scale, location : ndarray (m,)
        Parameters of the prior.
    stretch : ndarray (m,)
        Where the half families turn from linear to logarithmic.
    """

    family: str
    scale: FloatArray
    location: FloatArray
    stretch: FloatArray

    @property
    def is_half(self) -> bool:
        """Whether x = 0 is tau = 0 and functions of x are even."""
        return self.family in HALF

    def take(self, rows: IntArray) -> Coordinates:
        """Return the coordinates of the chosen sets."""
        return Coordinates(self.family, self.scale[rows], self.location[rows], self.stretch[rows])

    def tau(self, x: FloatArray) -> FloatArray:
        """Return tau at x, (..., m)."""
        if self.is_half:
            return self.stretch * np.sinh(x)
        return np.asarray(np.exp(self._log_tau(x)))

    def log_prior(self, x: FloatArray) -> FloatArray:
        """Return the log of the prior density per unit of x, (..., m)."""
        if self.family == LOG_NORMAL:
            return LOG_NORMAL_CONSTANT - 0.5 * x * x
        if self.is_half:
            t = self.tau(x) / self.scale
            shape = (
                LOG_HALF_NORMAL - 0.5 * t * t
                if self.family == HALF_NORMAL
                else LOG_HALF_CAUCHY - np.log1p(t * t)
            )
            return shape - np.log(self.scale) + self.log_slope(x)
        z = np.sinh(x)
        tail = -0.5 * (LOG_T_DF + 1.0) * np.log1p(z * z / LOG_T_DF)
        return LOG_T_CONSTANT + tail + np.log(np.cosh(x))

    def log_slope(self, x: FloatArray) -> FloatArray:
        """Return the log of d tau / d x, (..., m)."""
        if self.is_half:
            return np.log(self.stretch) + np.log(np.cosh(x))
        slope = self._log_tau(x) + np.log(self.scale)
        return slope if self.family == LOG_NORMAL else slope + np.log(np.cosh(x))

    def slope_of_log_slope(self, x: FloatArray) -> FloatArray:
        """Return the derivative of `log_slope`, (..., m)."""
        if self.is_half:
            return np.tanh(x)
        if self.family == LOG_NORMAL:
            return np.broadcast_to(self.scale, x.shape)
        return self.scale * np.cosh(x) + np.tanh(x)

    def prior_below(self, tau: FloatArray) -> FloatArray:
        """Return the prior probability of a smaller tau, (m,)."""
        with np.errstate(divide="ignore"):
            z = tau / self.scale if self.is_half else (np.log(tau) - self.location) / self.scale
        if self.family == HALF_NORMAL:
            return np.asarray(2.0 * ndtr(z) - 1.0)
        if self.family == HALF_CAUCHY:
            return np.asarray(2.0 / pi * np.arctan(z))
        return np.asarray(ndtr(z) if self.family == LOG_NORMAL else stdtr(LOG_T_DF, z))

    def ends(self, span: FloatArray, count: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return x beyond which the posterior holds nothing that could be seen.

        The likelihood pulls tau up no further than to sqrt(count) span, because Q falls at least
        like count span^2 / tau^2, and tells it from 0 only above `FLAT_BELOW`.

        Parameters
        ----------
        span : ndarray (m,)
            Largest minus smallest effect.
        count : ndarray (m,)
            Number of effects.
        """
        pull = np.sqrt(count) * span
        if self.family == HALF_NORMAL:
            # -tau^2 / (2 scale^2) - pull^2 / (2 tau^2) has its maximum at tau^2 = scale pull.
            top = NORMAL_REACH * self.scale + np.sqrt(self.scale * pull)
            return np.zeros_like(top), np.arcsinh(top / self.stretch)
        if self.family == HALF_CAUCHY:
            top = np.maximum(self.scale, pull) / self.stretch
            return np.zeros_like(top), np.log(2.0 * np.maximum(top, 1.0)) + LOG_REACH
        with np.errstate(divide="ignore"):
            above = np.maximum((np.log(pull) - self.location) / self.scale, 0.0)
        below = np.minimum((log(FLAT_BELOW) - self.location) / self.scale, 0.0)
        last = (LARGEST_LOG_TAU - self.location) / self.scale
        if self.family == LOG_NORMAL:
            return below - NORMAL_REACH, np.minimum(above + NORMAL_REACH, last)
        return (
            np.arcsinh(below) - LOG_T_REACH,
            np.minimum(np.arcsinh(above) + LOG_T_REACH, np.arcsinh(last)),
        )

    def _log_tau(self, x: FloatArray) -> FloatArray:
        z = x if self.family == LOG_NORMAL else np.sinh(x)
        return self.location + self.scale * z


def coordinates(
    family: str, scale: FloatArray, location: FloatArray, smallest: FloatArray
) -> Coordinates:
    """Choose the coordinate for priors and smallest variances (m,)."""
    return Coordinates(family, scale, location, np.minimum(scale, np.sqrt(smallest)))
