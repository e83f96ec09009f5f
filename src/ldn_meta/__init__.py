"""Evidence synthesis for low-dose naltrexone: effects, pools, pages.

The names below are the public door. They are imported when first used, so that
``import ldn_meta`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldn_meta.display.figures.albatross import albatross_plot
    from ldn_meta.display.figures.cumulative import cumulative_plot
    from ldn_meta.display.figures.effect_direction import effect_direction_plot
    from ldn_meta.display.figures.forest import forest_plot
    from ldn_meta.display.figures.harvest import harvest_plot
    from ldn_meta.display.figures.next_trial import next_trial_plot
    from ldn_meta.display.figures.sequential import sequential_plot
    from ldn_meta.display.figures.specification_curve import specification_curve
    from ldn_meta.display.pages.effect import pooled_effect
    from ldn_meta.display.pages.included import included_trials
    from ldn_meta.display.pages.overview import overview
    from ldn_meta.display.pages.people import responder_rates, safety
    from ldn_meta.evidence.load import Evidence, load_evidence
    from ldn_meta.evidence.multiverse import multiverse
    from ldn_meta.evidence.normalise import normalise
    from ldn_meta.evidence.protocol import Protocol, load_protocol
    from ldn_meta.stats.effects import effect_size
    from ldn_meta.stats.glmm import glmm_proportion
    from ldn_meta.stats.pool import pool, pool_many
    from ldn_meta.stats.rare_events import mantel_haenszel, peto
    from ldn_meta.stats.regression import meta_regression
    from ldn_meta.stats.result import PooledResult

_HOMES = {
    "pool": "stats.pool",
    "pool_many": "stats.pool",
    "PooledResult": "stats.result",
    "effect_size": "stats.effects",
    "mantel_haenszel": "stats.rare_events",
    "peto": "stats.rare_events",
    "glmm_proportion": "stats.glmm",
    "meta_regression": "stats.regression",
    "Evidence": "evidence.load",
    "load_evidence": "evidence.load",
    "Protocol": "evidence.protocol",
    "load_protocol": "evidence.protocol",
    "normalise": "evidence.normalise",
    "multiverse": "evidence.multiverse",
    "forest_plot": "display.figures.forest",
    "effect_direction_plot": "display.figures.effect_direction",
    "albatross_plot": "display.figures.albatross",
    "harvest_plot": "display.figures.harvest",
    "specification_curve": "display.figures.specification_curve",
    "cumulative_plot": "display.figures.cumulative",
    "sequential_plot": "display.figures.sequential",
    "next_trial_plot": "display.figures.next_trial",
    "included_trials": "display.pages.included",
    "pooled_effect": "display.pages.effect",
    "responder_rates": "display.pages.people",
    "safety": "display.pages.people",
    "overview": "display.pages.overview",
}

__all__ = [
    "Evidence",
    "PooledResult",
    "Protocol",
    "albatross_plot",
    "cumulative_plot",
    "effect_direction_plot",
    "effect_size",
    "forest_plot",
    "glmm_proportion",
    "harvest_plot",
    "included_trials",
    "load_evidence",
    "load_protocol",
    "mantel_haenszel",
    "meta_regression",
    "multiverse",
    "next_trial_plot",
    "normalise",
    "overview",
    "peto",
    "pool",
    "pool_many",
    "pooled_effect",
    "responder_rates",
    "safety",
    "sequential_plot",
    "specification_curve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module 'ldn_meta' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"ldn_meta.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
