"""Fit sets of trials with one Python package and time itself; run in that package's environment.

    python worker.py CONTENDER

Reads one request a line from stdin and answers with one line of JSON:

    {"do": "keep", "name": ..., "yi": rows, "vi": rows}   remember sets of trials
    {"do": "answers", "name": ...}                        fit each set once
    {"do": "time", "name": ..., "budget": seconds}        fit all sets, again and again
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

# estimate, se, ci_low, ci_high, tau2, q: what every timed call has to compute and hand over.
# A Bayesian pool: median, SD and limits of the mean effect, median tau, P(mean effect < 0).
Numbers = tuple[Any, ...]
Fit = Callable[[np.ndarray, np.ndarray], Numbers]


def _fields(result: Any) -> Numbers:
    return (
        result.estimate,
        result.se,
        result.ci_low,
        result.ci_high,
        result.tau2,
        result.q,
    )


def _pool(tau2_method: str) -> Fit:
    from ldn_meta import pool

    return lambda y, v: _fields(
        pool(y, v, tau2_method=tau2_method, ci_method="knapp-hartung"),
    )


def _pool_many() -> Fit:
    from ldn_meta import pool_many

    return lambda y, v: _fields(pool_many(y, v, ci_method="knapp-hartung"))


def _pool_bayes(*, many: bool) -> Fit:
    from ldn_meta import pool_bayes, pool_bayes_many

    call = pool_bayes_many if many else pool_bayes

    def fit(y: np.ndarray, v: np.ndarray) -> Numbers:
        found = call(y, v, tau_prior_scale=0.5)
        effect = (found.mu_median, found.mu_sd, found.mu_low, found.mu_high)
        return (*effect, found.tau_median, found.prob_below_zero)

    return fit


def _statsmodels() -> Fit:
    from statsmodels.stats.meta_analysis import combine_effects

    def fit(y: np.ndarray, v: np.ndarray) -> Numbers:
        result = combine_effects(y, v, method_re="pm", use_t=True)
        low, high = result.conf_int()[3]
        return (
            result.mean_effect_re,
            result.sd_eff_w_re_hksj,
            low,
            high,
            result.tau2,
            result.q,
        )

    return fit


def _pymare(*, many: bool) -> Fit:
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    def fit(y: np.ndarray, v: np.ndarray) -> Numbers:
        columns = (y.T, v.T) if many else (y[:, None], v[:, None])
        estimator = VarianceBasedLikelihoodEstimator(method="REML")
        summary = estimator.fit(*columns, np.ones((y.shape[-1], 1))).summary()
        mean = summary.get_fe_stats()
        found = [np.ravel(mean[name]) for name in ("est", "se", "ci_l", "ci_u")]
        found.append(np.ravel(summary.tau2))
        found.append(np.full(found[0].shape, np.nan))
        return tuple(found) if many else tuple(values.item() for values in found)

    return fit


def _pimeta() -> Fit:
    import pimeta

    def fit(y: np.ndarray, v: np.ndarray) -> Numbers:
        result = pimeta.rma(y, v, method="REML", test="knha")
        found = (result.b, result.se, result.ci_lb, result.ci_ub, result.tau2, result.QE)
        return tuple(np.ravel(value).item() for value in found)

    return fit


def _pymetaanalysis() -> Fit:
    import meta_analyze

    def fit(y: np.ndarray, v: np.ndarray) -> Numbers:
        result = meta_analyze.meta_analysis(
            effect=y, variance=v, tau2_method="REML", ci_method="hartung_knapp"
        )
        return (
            result.estimate,
            result.standard_error,
            result.ci_low,
            result.ci_high,
            result.tau2,
            result.q,
        )

    return fit


# contender -> (distribution, how to get its fit, whether one call takes all sets)
CONTENDERS: dict[str, tuple[str, Callable[[], Fit], bool]] = {
    "pool": ("ldn-meta", lambda: _pool("reml"), False),
    "pool_pm": ("ldn-meta", lambda: _pool("pm"), False),
    "pool_many": ("ldn-meta", _pool_many, True),
    "pool_bayes": ("ldn-meta", lambda: _pool_bayes(many=False), False),
    "pool_bayes_many": ("ldn-meta", lambda: _pool_bayes(many=True), True),
    "statsmodels": ("statsmodels", _statsmodels, False),
    "pymare": ("pymare", lambda: _pymare(many=False), False),
    "pymare_many": ("pymare", lambda: _pymare(many=True), True),
    "pimeta": ("pimeta", _pimeta, False),
    "pymetaanalysis": ("pymetaanalysis", _pymetaanalysis, False),
}


class Worker:
    """One contender and the sets of trials it was given."""

    def __init__(self, fit: Fit, *, many: bool) -> None:
        self.fit, self.many = fit, many
        self.sets: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        self.size: dict[str, int] = {}

    def keep(self, name: str, yi: list[list[float]], vi: list[list[float]]) -> dict[str, Any]:
        y, v = np.array(yi), np.array(vi)
        self.size[name] = len(y)
        self.sets[name] = [(y, v)] if self.many else list(zip(y, v, strict=True))
        return {"kept": len(y)}

    def answers(self, name: str) -> dict[str, Any]:
        rows = []
        for y, v in self.sets[name]:
            try:
                numbers = self.fit(y, v)
            except Exception:  # counted as a failure of that package, on the page
                numbers = (np.nan,) * 6
            rows.append(numbers)
        table = np.array(rows, dtype=float)
        return {"answers": (table[0].T if self.many else table).tolist()}

    def time(self, name: str, budget: float) -> dict[str, Any]:
        calls, fits = self.sets[name], 0
        start = time.process_time()
        while True:
            for y, v in calls:
                try:
                    self.fit(y, v)
                except Exception:  # a failed fit costs time too
                    continue
            fits += self.size[name]
            used = time.process_time() - start
            if used >= budget:
                return {"seconds_per_fit": used / fits}


def main() -> None:
    # Whatever a package prints goes to stderr; the answers keep stdout to themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    distribution, prepare, many = CONTENDERS[sys.argv[1]]
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")

    def reply(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        worker = Worker(prepare(), many=many)
    except ImportError:
        return
    try:
        found = version(distribution)
    except PackageNotFoundError:
        found = ""
    reply({"version": found, "numpy": np.__version__, "scipy": version("scipy")})
    for line in sys.stdin:
        request = json.loads(line)
        reply(getattr(worker, request.pop("do"))(**request))


if __name__ == "__main__":
    main()
