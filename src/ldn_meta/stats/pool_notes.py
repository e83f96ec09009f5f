"""The sentences that announce the automatic decisions of the pool."""

from __future__ import annotations

from functools import cache

import numpy as np

from ldn_meta.stats.inputs import BoolArray

SENTENCES = {
    "missing": "trials without an effect or a variance (NaN) were left out",
    "none": "no trial has an effect: nothing was estimated",
    "single": (
        "one trial: nothing was pooled; estimate, test and Wald interval are that trial's, and "
        "tau2, Q, I2, H2 and the prediction interval are undefined"
    ),
    "pair_wald": (
        "two trials: the Wald interval takes tau2 as known, which two trials cannot tell"
    ),
    "pair_t": "two trials: the interval uses t on 1 degree of freedom and is very wide",
    "common_t": (
        "common-effect model with a Knapp-Hartung interval: the standard error is rescaled by the "
        "scatter of the trials although the model assumes there is none beyond sampling"
    ),
    "several": (
        "the likelihood of tau2 has more than one maximum; the global one is reported, and the "
        "answer is fragile"
    ),
    "zero_width": (
        "all effects are identical, so the Knapp-Hartung variance is 0, and its test, interval "
        "and prediction interval are undefined; use knapp-hartung-floored"
    ),
    "narrow": "the Knapp-Hartung interval is narrower than the Wald interval; compare the floored",
    "floored": "the trials scatter less than expected, so the Knapp-Hartung scale was set to 1",
    "empty_profile": (
        "the effects agree better than chance allows, so the Q-profile set for tau2 is empty and "
        "is printed as 0 to 0"
    ),
}
BOUNDARY = {
    "ml": "the likelihood has its global maximum at tau2 = 0",
    "reml": "the restricted likelihood has its global maximum at tau2 = 0",
    "sj": "all effects are identical, so tau2 = 0",
}
FLAGS = (*SENTENCES, "boundary", "no_prediction")


def sentences(flags: BoolArray, *, tau2_method: str) -> tuple[str, ...]:
    """Return the sentences that apply; for a batch each with the number of sets it applies to.

    Parameters
    ----------
    flags : ndarray (len(FLAGS), m)
        Where each of `FLAGS` applies.
    tau2_method : str
        Decides how a tau2 at its boundary came about.
    """
    sets = flags.shape[1]
    times = np.add.reduce(flags, axis=1, dtype=np.int64).tolist()
    return tuple(
        f"{count} of {sets} sets: {sentence}" if sets > 1 else sentence
        for sentence, count in zip(_sentences(tau2_method), times, strict=True)
        if count
    )


@cache
def _sentences(tau2_method: str) -> tuple[str, ...]:
    """Return a sentence for each of `FLAGS`."""
    boundary = BOUNDARY.get(
        tau2_method, f"the {tau2_method} estimate of tau2 was not positive and was set to 0"
    )
    no_prediction = (
        "no prediction interval: the common-effect model has no new trial's effect to predict"
        if tau2_method == "common"
        else "no prediction interval: it needs at least three trials"
    )
    return (*SENTENCES.values(), boundary, no_prediction)
