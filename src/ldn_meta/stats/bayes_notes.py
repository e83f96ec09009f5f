"""The sentences that announce what a Bayesian pool decided, or cannot tell."""

from __future__ import annotations

import numpy as np

from ldn_meta.stats.inputs import BoolArray

SENTENCES = {
    "missing": "trials without an effect or a variance (NaN) were left out",
    "none": "no trial has an effect: nothing was estimated",
    "single": "one trial: tau, and with it the width for mu, comes from the prior alone",
    "pair": "two trials: they say little about tau, so compare other priors",
    "no_mean": (
        "mean and SD of mu are undefined: one trial, a flat prior for mu and this prior for tau "
        "leave tails too heavy for them; median and interval are defined"
    ),
    "no_variance": (
        "the SD of mu is undefined: two trials, a flat prior for mu and this prior for tau leave "
        "tails too heavy for it; median and interval are defined"
    ),
    "surprising": (
        "the posterior median of tau lies beyond the 97.5% point of its prior: the trials differ "
        "more than the prior expects; look for a wrong unit, or take a wider prior"
    ),
}
FLAGS = tuple(SENTENCES)


def sentences(flags: BoolArray) -> tuple[str, ...]:
    """Return the sentences that apply; for a batch each with the number of sets it applies to.

    Parameters
    ----------
    flags : ndarray (len(FLAGS), m)
        Where each of `FLAGS` applies.
    """
    sets = flags.shape[1]
    times = np.add.reduce(flags, axis=1, dtype=np.int64).tolist()
    return tuple(
        f"{count} of {sets} sets: {sentence}" if sets > 1 else sentence
        for sentence, count in zip(SENTENCES.values(), times, strict=True)
        if count
    )
