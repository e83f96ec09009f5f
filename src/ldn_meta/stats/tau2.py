"""Nine estimators of the variance of true effects between trials."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.generalised_q import SMALLEST, tau2_where_q_is
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray, effects_and_variances, one_of
from ldn_meta.stats.likelihood import Likelihood, Score, global_maximum
from ldn_meta.stats.options import TAU2_METHODS
from ldn_meta.stats.trials import Trials, arrange, generalised_q, rows_of, total


def tau2_estimate(yi: ArrayLike, vi: ArrayLike, *, method: str = "reml") -> FloatArray:
    """Estimate the between-trial variance of each set of trials.

    ========  =============================================================================
    common    0 by assumption: one true effect
    dl        (Q - (k - 1)) / (sum w - sum w^2 / sum w), w = 1 / v (DerSimonian, Laird 1986)
    he        sample variance of y minus mean of v (Hedges, Olkin 1985)
    hs        (Q - k) / sum w (Hunter, Schmidt 1990)
    sj        two-step estimator started at sum (y - mean)^2 / k (Sidik, Jonkman 2005)
    ml, reml  global maximum of the (restricted) likelihood
    pm, eb    generalised Q equals k - 1 (Paule, Mandel 1982; Morris 1983: same solution)
    ========  =============================================================================

    Negative roots are 0.

    Parameters
    ----------
    yi, vi : array_like (..., k)
        Effects and their sampling variances; NaN marks a missing trial.
    method : str
        One of the words above.

    Returns
    -------
    ndarray (...)
        In squared units of `yi`; NaN with fewer than two trials.

    Raises
    ------
    ArgumentError
        If the method is unknown or the arrays are not usable.
    ConvergenceError
        If an iteration does not converge.

    Notes
    -----
    Formulas as collected by Veroniki and others 2016, Research Synthesis Methods 7:55-79.
    """
    one_of("method", method, TAU2_METHODS)
    y, v = effects_and_variances(yi, vi)
    trials = arrange(rows_of(y), rows_of(v))
    scaled, _ = scaled_tau2(trials, method)
    return np.where(trials.count > 1, scaled * trials.scale, np.nan).reshape(y.shape[:-1])


def scaled_tau2(trials: Trials, method: str) -> tuple[FloatArray, BoolArray]:
    """Estimate tau2 in the units of `trials`, and say where a likelihood had several maxima.

    Sets with fewer than two trials give 0; callers turn it into NaN.
    """
    v, count, df = trials.v, trials.count, trials.df
    one_maximum = np.zeros(count.size, dtype=np.bool_)
    if method == "common":
        return np.zeros(count.size), one_maximum
    if method in ("ml", "reml"):
        tau2, several = global_maximum(
            normal_likelihood(trials, restricted=method == "reml"), method=method
        )
        return tau2, several
    if method in ("pm", "eb"):
        raw = tau2_where_q_is(trials, df[None], method=method)[0]
    elif method in ("dl", "hs"):
        w = 1.0 / v
        if method == "dl":
            raw = (trials.q - df) / np.maximum(trace_of_p(w, total(w))[0], SMALLEST)
        else:
            raw = (trials.q - count) / total(w)
    else:
        spread = trials.spread
        if method == "he":
            present = np.where(np.isinf(v), 0.0, v)
            raw = spread / df - total(present) / np.maximum(count, 1)
        else:
            start = spread / np.maximum(count, 1)
            q, _ = generalised_q(trials.y, v, start)
            raw = start * q / df
    return np.maximum(raw, 0.0) * (count > 1), one_maximum


def normal_likelihood(trials: Trials, *, restricted: bool) -> Likelihood:
    """Describe the (restricted) normal likelihood of each set for the global search.

    A stationary point has y'P^2 y = tr(P). The left side is at most S / (t + v_min)^2 with
    S = sum (y - mean)^2, the right side at least (k - 1) / (t + v_max) (for ML: k), which
    bounds x = t + v_min by the positive root of x^2 = A (x + v_max - v_min).
    """
    y, v, count = trials.y, trials.v, trials.count
    degrees = trials.df if restricted else np.maximum(count, 1)
    mean_square = trials.spread / degrees
    floor = v[0]
    span = v[np.maximum(count - 1, 0), np.arange(count.size)] - floor
    ceiling = 0.5 * (mean_square + np.sqrt(mean_square) * np.sqrt(mean_square + 4.0 * span))

    def score(rows: IntArray, t: FloatArray) -> Score:
        ys, vs = y.take(rows, axis=1), v.take(rows, axis=1)
        w = 1.0 / (vs + t)
        s1 = total(w)
        z = w * (ys - total(w * ys) / s1)
        n = total(z * z)
        spread = z - total(w * z) / s1
        n_slope = -2.0 * total(w * (spread * spread))
        d, d_slope = trace_of_p(w, s1) if restricted else (s1, -total(w * w))
        return Score(np.array([t, n, d, n_slope, d_slope]))

    def deviance(rows: IntArray, t: FloatArray) -> FloatArray:
        ys, vs = y.take(rows, axis=1), v.take(rows, axis=1)
        q, _ = generalised_q(ys, vs, t)
        logs = total(np.log(np.where(np.isinf(vs), 1.0, vs + t)))
        return logs + q + np.log(total(1.0 / (vs + t))) if restricted else logs + q

    return Likelihood(floor=floor, ceiling=ceiling, score=score, deviance=deviance)


def trace_of_p(w: FloatArray, sum_w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return tr(P) = sum w - sum w^2 / sum w, and minus tr(P^2), with nothing that cancels.

    With p the shares of the weights, tr(P) is sum w times sum p (1 - p), and tr(P^2) the square
    of sum w times sum p^2 (1 - 2 p + sum p^2). The heaviest trial is kept apart: its 1 - p is the
    sum of the other shares, and those are at most a half.
    """
    others = w[1:] / sum_w
    squares = others * others
    p, rest, rest_squares = w[0] / sum_w, total(others), total(squares)
    p_squared = p * p
    trace = sum_w * (rest * (1.0 + p) - rest_squares)
    light = total(squares * ((1.0 + p_squared + rest_squares) - 2.0 * others))
    heavy = p_squared * (rest * rest + rest_squares)
    return trace, -(light + heavy) * (sum_w * sum_w)
