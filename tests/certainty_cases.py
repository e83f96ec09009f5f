"""Bodies of evidence to rate, without raw tables behind them."""

import math

from effect_rows import effect_rows
from ldn_meta.evidence.answer.pools import DIRECTION_ONLY, META_ANALYSIS, ONE_TRIAL, build_pools
from ldn_meta.evidence.grade.certainty import Body
from ldn_meta.evidence.raw.protocol import load_protocol

PROTOCOL = load_protocol()
CHOICES = PROTOCOL.certainty
STUDY = {
    "is_randomised": "yes",
    "dose_high_mg_per_day": "4.5",
    "duration_weeks": "12",
    "people": 100,
}


def study(name, **cells):
    return {**STUDY, "study_id": name, "label": name, **cells}


def body(*rows, studies=None, told=None, **what):
    """A body of one pool; effects as `effect_rows`, or none with only what studies tell."""
    pool = None
    if rows:
        effects = effect_rows(*rows)
        if "route" not in effects:
            effects["route"] = "events and n per arm"
        half = 1.959963984540054 * effects["vi"] ** 0.5
        effects = effects.assign(ci_low=effects["yi"] - half, ci_high=effects["yi"] + half)
        (pool,) = build_pools(effects, PROTOCOL.selection, PROTOCOL.model)
    told = told or {}
    names = list(told) if pool is None else list(pool.trials["study_id"])
    studies = studies or [study(name) for name in names]
    weights = (
        [1 / len(studies)] * len(studies)
        if pool is None
        else [float(w) / 100 for w in pool.result.weight_pct]
    )
    kind = DIRECTION_ONLY if pool is None else META_ANALYSIS if len(rows) > 1 else ONE_TRIAL
    values = {
        "indication": {
            "indication_id": "headache",
            "intervention": "LDN",
            "main_comparator": "placebo",
        },
        "outcome": "main outcome",
        "construct": "pain_intensity",
        "construct_label": "pain",
        "domain": "benefit",
        "counted": "continuous",
        "benefit_sign": -1.0,
        "comparator_class": "placebo",
        "comparator": "placebo",
        "kind": kind,
        "pool": pool,
        "told": told,
        "studies": tuple(studies),
        "weights": tuple(weights),
        "registered": (),
    }
    return Body(**(values | what))


def trial(low, high, name="ames2001", **cells):
    """A trial whose 95% interval runs from low to high."""
    half = (high - low) / 2
    return {
        "study_id": name,
        "yi": (low + high) / 2,
        "vi": (half / 1.959963984540054) ** 2,
        **cells,
    }


def counts(events_1, n_1, events_2, n_2, name="ames2001", **cells):
    """A trial that counted people; a risk ratio."""
    return {
        "study_id": name,
        "measure": "RR",
        "unit": "log risk ratio",
        "construct": "responder_pain_30",
        "domain": "responder",
        "benefit_sign": 1.0,
        "yi": math.log(events_1 / n_1 * n_2 / events_2),
        "vi": 1 / events_1 - 1 / n_1 + 1 / events_2 - 1 / n_2,
        "events_1": events_1,
        "n_1": n_1,
        "events_2": events_2,
        "n_2": n_2,
        **cells,
    }
