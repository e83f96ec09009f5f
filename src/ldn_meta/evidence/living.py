"""The answer over time: what each trial did to it, and what the next one could do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.evidence.synthesis import Pool, people, pool_trials
from ldn_meta.stats.next_trial import next_trial

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.protocol import Protocol

OFF_BETTER = "the pooled interval lies wholly on the side of LDN"
OFF_WORSE = "the pooled interval lies wholly on the side of the comparator"
INSIDE = "the pooled interval lies wholly inside the region of equivalence"


def cumulative_frame(pool: Pool, protocol: Protocol) -> pd.DataFrame:
    """The pool after each trial, in order of publication, by the protocol's methods for its size.

    Returns
    -------
    pandas.DataFrame
        label, year, k, people, estimate, ci_low, ci_high (on the scale of ``yi``), tau2, shift
        (of the estimate by this trial; NaN for the first), ci_method.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for k in range(1, len(pool.trials) + 1):
        trials = pool.trials.iloc[:k]
        result = pool_trials(trials, protocol.model, pool.key["measure"])
        rows.append(
            {
                "label": trials["study_label"].iloc[-1],
                "year": float(trials["year"].iloc[-1]),
                "k": k,
                "people": people(trials),
                "estimate": result.estimate,
                "ci_low": result.ci_low,
                "ci_high": result.ci_high,
                "tau2": result.tau2,
                "shift": result.estimate - rows[-1]["estimate"] if rows else math.nan,
                "ci_method": result.ci_method,
            }
        )
    return pd.DataFrame(rows)


def without_each(pool: Pool, protocol: Protocol) -> pd.DataFrame:
    """The pool without each trial in turn, by the protocol's methods for what is left.

    Returns
    -------
    pandas.DataFrame
        label (of the trial left out), k, estimate, ci_low, ci_high; no rows for fewer than two
        trials.
    """
    import pandas as pd

    rows = []
    for place in range(len(pool.trials) if len(pool.trials) > 1 else 0):
        left = pool.trials.drop(index=pool.trials.index[place])
        result = pool_trials(left, protocol.model, pool.key["measure"])
        numbers = {name: getattr(result, name) for name in ("estimate", "ci_low", "ci_high")}
        label = pool.trials["study_label"].iloc[place]
        rows.append({"label": label, "k": len(left), **numbers})
    return pd.DataFrame(rows, columns=["label", "k", "estimate", "ci_low", "ci_high"])


def variance_per_person(pool: Pool) -> float:
    """Variance of an effect times the people behind it, in the middle trial; NaN if unknown."""
    counted = [people(pool.trials.iloc[[place]]) for place in range(len(pool.trials))]
    products = [float(v) * n for v, n in zip(pool.trials["vi"], counted, strict=True) if n > 0]
    return float(np.median(products)) if products else math.nan


def next_trial_frame(pool: Pool, protocol: Protocol) -> pd.DataFrame:
    """Probabilities of where the interval lies once one more trial is in the pool.

    Supposed true effects: none, what the pool says now, and the minimal important difference
    in favour of LDN where one is stated.

    Parameters
    ----------
    pool : Pool
    protocol : Protocol

    Returns
    -------
    pandas.DataFrame
        supposed (in words), true_effect, what (OFF_BETTER, OFF_WORSE, INSIDE), people,
        probability. INSIDE only where a minimal important difference is stated. No rows if
        nobody knows how many people stand behind the trials.
    """
    import pandas as pd

    columns = ["supposed", "true_effect", "what", "people", "probability"]
    unit = variance_per_person(pool)
    if not math.isfinite(unit):
        return pd.DataFrame(columns=columns)
    scale = protocol.scales.get(pool.key["construct"])
    has_scale = scale is not None and scale.unit == pool.key["unit"]
    margin = scale.minimal_important_difference if scale and has_scale else math.nan
    sign = float(pool.trials["benefit_sign"].iloc[0])
    supposed = {"no effect": 0.0, "the pooled effect": float(pool.result.estimate)}
    if math.isfinite(margin):
        supposed["the minimal important difference"] = sign * margin
    model = protocol.model
    found = next_trial(
        pool.trials["yi"].to_numpy(dtype=float),
        pool.trials["vi"].to_numpy(dtype=float),
        people=protocol.next_people,
        true_effects=list(supposed.values()),
        variance_per_person=unit,
        margin=margin,
        tau2_method=model.tau2_method,
        ci_method=model.interval(len(pool.trials) + 1),
        level=model.level,
    )
    better, worse = (found.above, found.below) if sign > 0 else (found.below, found.above)
    answers = {OFF_BETTER: better, OFF_WORSE: worse, INSIDE: found.inside}
    rows = [
        (words, effect, what, int(n), float(table[row, column]))
        for row, (words, effect) in enumerate(supposed.items())
        for what, table in answers.items()
        for column, n in enumerate(found.people)
        if math.isfinite(table[row, column])
    ]
    return pd.DataFrame(rows, columns=columns)


def smallest_size(frame: pd.DataFrame, *, supposed: str, what: str, probability: float) -> float:
    """People of the smallest trial tried that reaches a probability; NaN if none does.

    A size counts if every larger one reaches the probability as well.
    """
    rows = frame[(frame["supposed"] == supposed) & (frame["what"] == what)]
    enough = math.nan
    for n, p in sorted(zip(rows["people"], rows["probability"], strict=True), reverse=True):
        if p < probability:
            break
        enough = float(n)
    return enough
