"""Fits of the same sets by every contender: how far the answers agree, and how long they take."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from speed.session import Contender, UnavailableError

SEED = 20
ROUNDS = 5
FAR_APART = 1e-3  # relative; no stopping rule explains this much
BUDGET = 0.2  # CPU seconds a contender gets, at least, per task and round
# Trials in a set -> sets. The mean over several sets keeps one lucky iteration from deciding.
SINGLE = {5: 20, 13: 20, 100: 5, 1000: 1}
MANY, MANY_K = 10_000, 5
# contender -> how many of the 10,000 sets are timed; the rest is scaled
MANY_TIMED = {
    "pool_many": MANY,
    "pool": 1000,
    "pymare_many": MANY,
    "statsmodels": 1000,
    "pimeta": 500,
    "pymetaanalysis": 500,
    "metafor": 500,
}
SINGLE_TIMED = (
    "pool",
    "statsmodels",
    "pimeta",
    "pymetaanalysis",
    "pymare",
    "metafor",
    "metafor_all",
)
# confint() of 1000 trials works on matrices of 1000 by 1000 for minutes and shows nothing new.
NOT_TIMED = {("metafor_all", "k1000")}


@dataclass(frozen=True)
class Agreement:
    """How far a contender's answers are from ours, over the sets it is timed on.

    `worst` has the largest relative difference of estimate, limits and tau2.
    """

    sets: int
    failed: int
    worst: tuple[float, float, float]
    apart: int


@dataclass
class Fits:
    """CPU seconds per fit: task -> contender -> one number per round."""

    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    agreement: dict[str, Agreement] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    unavailable: list[str] = field(default_factory=list)


def measure_fits(progress: Callable[[str], None]) -> Fits:
    """Start all contenders, compare their answers, then time them in turns."""
    fits = Fits()
    sets = _sets()
    with ExitStack() as stack:
        running: dict[str, Contender] = {}
        for name in ("pool_pm", *dict.fromkeys([*SINGLE_TIMED, *MANY_TIMED])):
            progress(f"start {name}")
            try:
                running[name] = stack.enter_context(Contender(name))
            except UnavailableError:
                fits.unavailable.append(name)
                continue
            fits.versions[name] = running[name].about
        truth = _truth(running, sets)
        for name in [name for name in running if name != "pool_pm"]:
            progress(f"compare the answers of {name}")
            method = "pm" if name == "statsmodels" else "reml"
            try:
                fits.agreement[name] = _compare(running[name], sets, truth[method])
            except UnavailableError:
                fits.unavailable.append(name)
                del running[name]
        for turn in range(ROUNDS):
            for task in sets:
                progress(f"round {turn + 1} of {ROUNDS}: {_in_words(task)}")
                for name in _contenders(task):
                    if name not in running:
                        continue
                    try:
                        used = running[name].seconds_per_fit(task, BUDGET)
                    except UnavailableError:
                        fits.unavailable.append(name)
                        del running[name]
                        continue
                    fits.seconds.setdefault(task, {}).setdefault(name, []).append(used)
    return fits


def _sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Draw effects around 0.5 with tau2 = 0.1 and sampling variances from 0.02 to 0.5."""
    rng = np.random.default_rng(SEED)
    drawn = {}
    for task, shape in {
        **{f"k{k}": (sets, k) for k, sets in SINGLE.items()},
        "many": (MANY, MANY_K),
    }.items():
        variance = rng.uniform(0.02, 0.5, shape)
        drawn[task] = (rng.normal(0.5, np.sqrt(variance + 0.1)), variance)
    return drawn


def _contenders(task: str) -> list[str]:
    names = list(MANY_TIMED) if task == "many" else list(SINGLE_TIMED)
    return [name for name in names if (name, task) not in NOT_TIMED]


def _in_words(task: str) -> str:
    return f"{MANY:,} fits of {MANY_K} trials" if task == "many" else f"{task[1:]} trials"


def _truth(
    running: dict[str, Contender], sets: dict[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, dict[str, np.ndarray]]:
    """Return our answers to every set, by REML and by Paule-Mandel."""
    truth = {}
    for method, name in {"reml": "pool", "pm": "pool_pm"}.items():
        for task, (yi, vi) in sets.items():
            running[name].keep(task, yi, vi)
        truth[method] = {task: running[name].answers(task) for task in sets}
    return truth


def _compare(
    contender: Contender,
    sets: dict[str, tuple[np.ndarray, np.ndarray]],
    truth: dict[str, np.ndarray],
) -> Agreement:
    """Hand the sets over, and compare what comes back."""
    differences = []
    for task, (yi, vi) in sets.items():
        if contender.name not in _contenders(task):
            continue
        stop = MANY_TIMED[contender.name] if task == "many" else len(yi)
        contender.keep(task, yi[:stop], vi[:stop])
        differences.append(relative(contender.answers(task), truth[task][:stop], vi[:stop]))
    return agreement(np.concatenate(differences))


def relative(theirs: np.ndarray, ours: np.ndarray, vi: np.ndarray) -> np.ndarray:
    """Return how far estimate, limits and tau2 of each set are apart, (m, 4).

    Numbers near 0 are held against the standard error and the sampling variance instead.
    """
    estimate, se, low, high, tau2, _ = ours.T
    scale = np.column_stack(
        [
            np.maximum(np.abs(estimate), se),
            np.maximum(np.abs(low), se),
            np.maximum(np.abs(high), se),
            np.maximum(tau2, np.nanmean(vi, axis=1)),
        ]
    )
    columns = [0, 2, 3, 4]
    return np.asarray(np.abs(theirs[:, columns] - ours[:, columns]) / scale)


def agreement(differences: np.ndarray) -> Agreement:
    """Sum up the differences of all sets, (m, 4)."""
    failed = np.isnan(differences).any(axis=1)
    there = differences[~failed]
    estimate, low, high, tau2 = there.max(axis=0).tolist()
    return Agreement(
        sets=len(differences),
        failed=int(failed.sum()),
        worst=(estimate, max(low, high), tau2),
        apart=int((there.max(axis=1) > FAR_APART).sum()),
    )
