"""The arithmetic of Bayesian pooling, over m sets of trials at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldn_meta.stats.bayes_coordinates import Coordinates, coordinates
from ldn_meta.stats.bayes_mixture import Mixture
from ldn_meta.stats.bayes_nodes import NODES, Nodes, own_effect, posterior_nodes, sets_of
from ldn_meta.stats.bayes_notes import FLAGS
from ldn_meta.stats.bayes_priors import HALF, HEAVY
from ldn_meta.stats.bayes_result import NUMBERS, SHRUNK
from ldn_meta.stats.bayes_spread import Spread
from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray
from ldn_meta.stats.trials import Trials, arrange

# Numbers per array of a chunk (trials x points x sets): arrays of 1 MB stay in the cache.
CHUNK_NUMBERS = 120_000
# A posterior median of tau beyond this prior probability contradicts the prior.
SURPRISING = 0.975


@dataclass(frozen=True)
class Task:
    """m sets of trials, and what is believed and asked of each.

    Attributes
    ----------
    yi, vi : ndarray (m, k)
        Checked effects and variances; NaN marks a missing trial.
    family : str
        Of the prior of tau.
    scale, location : ndarray (m,)
        Its parameters.
    mu_mean, mu_sd : ndarray (m,)
        Of the normal prior of mu; 0 and infinity for a flat one.
    mid : ndarray (m,)
        Size of an effect that matters; NaN if none is stated.
    level : float
    """

    yi: FloatArray
    vi: FloatArray
    family: str
    scale: FloatArray
    location: FloatArray
    mu_mean: FloatArray
    mu_sd: FloatArray
    mid: FloatArray
    level: float

    def take(self, rows: IntArray) -> Task:
        """Return the chosen sets."""
        return Task(
            self.yi[rows],
            self.vi[rows],
            self.family,
            self.scale[rows],
            self.location[rows],
            self.mu_mean[rows],
            self.mu_sd[rows],
            self.mid[rows],
            self.level,
        )


def bayes_numbers(task: Task, *, nodes: int = NODES) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Compute posteriors, in chunks of sets of similar size.

    Parameters
    ----------
    task : Task
    nodes : int
        Intervals of the first grid over tau; doubled where doubling changes anything.

    Returns
    -------
    numbers : ndarray (len(NUMBERS), m)
        In the order of `ldn_meta.stats.bayes_result.NUMBERS`.
    shrunk : ndarray (len(SHRUNK), m, k)
        Posteriors of the trials' own true effects; NaN where missing.
    flags : ndarray (len(FLAGS), m)
        Where each of `ldn_meta.stats.bayes_notes.FLAGS` applies.

    Raises
    ------
    ConvergenceError
        If the quadrature or a quantile does not converge.
    """
    sets, width = task.yi.shape
    count = np.count_nonzero(~np.isnan(task.vi), axis=1)
    order = np.argsort(-count, kind="stable")
    numbers = np.empty((len(NUMBERS), sets))
    shrunk = np.empty((len(SHRUNK), sets, width))
    flags = np.empty((len(FLAGS), sets), dtype=np.bool_)
    start = 0
    while start < sets:
        # The first of a chunk is the largest and bounds it.
        per_set = (int(count[order[start]]) + 2) * nodes
        stop = start + max(1, CHUNK_NUMBERS // per_set)
        rows = order[start:stop]
        numbers[:, rows], shrunk[:, rows], flags[:, rows] = _chunk(task.take(rows), nodes)
        start = stop
    return numbers, shrunk, flags


def _chunk(task: Task, nodes: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    trials = arrange(task.yi, task.vi)
    count, root = trials.count, np.sqrt(trials.scale)
    is_flat = np.isinf(task.mu_sd)
    sets = sets_of(
        trials,
        np.where(is_flat | (count == 0), 0.0, (task.mu_mean - trials.centre) / root),
        trials.scale / (task.mu_sd * task.mu_sd),
        is_heavy=task.family in HEAVY,
    )
    is_half = task.family in HALF
    place = coordinates(
        task.family,
        task.scale / root if is_half else task.scale,
        task.location if is_half else task.location - np.log(root),
        trials.v[0],
    )
    numbers = np.empty((len(NUMBERS), count.size))
    shrunk = np.empty((len(SHRUNK), *task.yi.shape))
    surprising = np.empty(count.size, dtype=np.bool_)
    # Without an upper density that falls fast enough mu has no mean, or no variance.
    has_mean = sets.has_variance | (count > 1)
    for rows, found in posterior_nodes(sets, place, nodes=nodes):
        some, where = task.take(rows), place.take(rows)
        values, shrunk[:, rows] = _effects(some, trials, rows, found)
        values |= _spread(found, where, task.level, root[rows])
        surprising[rows] = where.prior_below(values["tau_median"] / root[rows]) > SURPRISING
        values["k"] = count[rows].astype(np.float64)
        values["mu_mean"][~has_mean[rows]] = np.nan
        values["mu_sd"][~sets.has_variance[rows]] = np.nan
        observed = count[rows] - np.where(is_flat[rows], 1.0, 0.0)
        values["log_marginal_likelihood"] = found.log_integral - observed * np.log(root[rows])
        numbers[:, rows] = [values[name] for name in NUMBERS]
    nothing = count == 0
    numbers[1:, nothing] = np.nan
    shrunk[:, np.isnan(task.vi)] = np.nan
    flags = dict.fromkeys(FLAGS, np.zeros(count.size, dtype=np.bool_))
    flags |= {
        "missing": count < task.yi.shape[1],
        "none": nothing,
        "single": count == 1,
        "pair": count == 2,
        "no_mean": ~has_mean & ~nothing,
        "no_variance": ~sets.has_variance & has_mean & ~nothing,
        "surprising": surprising & (count > 1),
    }
    return numbers, shrunk, np.array([flags[name] for name in FLAGS])


def _spread(
    found: Nodes, place: Coordinates, level: float, root: FloatArray
) -> dict[str, FloatArray]:
    spread = Spread(found, place)
    low, high = spread.shortest(level)
    return {
        "tau_median": spread.median() * root,
        "tau_low": low * root,
        "tau_high": high * root,
    }


def _effects(
    task: Task, trials: Trials, rows: IntArray, found: Nodes
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Summarise the posteriors of mu, of a new trial and of each trial's own effect."""
    root, centre = np.sqrt(trials.scale[rows]), trials.centre[rows]
    weight, mean, tau2 = found.weight, found.mean, found.tau * found.tau
    variance = found.sd * found.sd
    mu = Mixture(weight, mean, found.sd)
    means, sds = [mean, mean], [found.sd, np.sqrt(variance + tau2)]
    for y, v in zip(task.yi.T, task.vi.T, strict=True):
        missing = np.isnan(v)
        own = np.where(missing, 0.0, (y - centre) / root)
        sampling = np.where(missing, 1.0, v / trials.scale[rows])
        shrunken, spread = own_effect(own, sampling, tau2, mean, variance)
        means.append(shrunken)
        sds.append(spread)
    every = Mixture(
        np.tile(weight, len(means)), np.concatenate(means, axis=1), np.concatenate(sds, axis=1)
    )
    low, high = (ends.reshape(len(means), -1) for ends in every.shortest(task.level))
    centres, spreads = (moment.reshape(len(means), -1) for moment in every.moments())
    zero, mid = -centre / root, task.mid / root
    beyond = mu.below(zero - mid), mu.above(zero + mid)
    values = {
        "mu_mean": centre + centres[0] * root,
        "mu_median": centre + mu.median() * root,
        "mu_sd": spreads[0] * root,
        "mu_low": centre + low[0] * root,
        "mu_high": centre + high[0] * root,
        "theta_low": centre + low[1] * root,
        "theta_high": centre + high[1] * root,
        "prob_below_zero": mu.below(zero),
        "prob_below_mid": beyond[0],
        "prob_above_mid": beyond[1],
        "prob_within_mid": np.maximum(1.0 - beyond[0] - beyond[1], 0.0),
    }
    shrunk = np.array(
        [
            centre + centres[2:] * root,
            spreads[2:] * root,
            centre + low[2:] * root,
            centre + high[2:] * root,
        ]
    )
    return values, np.moveaxis(shrunk, 1, 2)
