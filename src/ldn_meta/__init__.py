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
    from ldn_meta.display.figures.directions import effect_direction_plot, harvest_plot
    from ldn_meta.display.figures.forest import forest_plot
    from ldn_meta.display.figures.funnel import funnel_plot
    from ldn_meta.display.figures.next_trial import next_trial_plot
    from ldn_meta.display.figures.sequential import sequential_plot
    from ldn_meta.display.figures.specification import specification_curve
    from ldn_meta.display.pages.certainty import certainty
    from ldn_meta.display.pages.claims import claims
    from ldn_meta.display.pages.dose import dose
    from ldn_meta.display.pages.effect import pooled_effect
    from ldn_meta.display.pages.included import included_trials
    from ldn_meta.display.pages.overview import overview
    from ldn_meta.display.pages.people import responder_rates, safety
    from ldn_meta.display.pages.printed_numbers import printed_numbers
    from ldn_meta.display.pages.robustness import robustness
    from ldn_meta.display.pages.study import study_page
    from ldn_meta.display.pages.without_pooling import without_pooling
    from ldn_meta.evidence.answer.multiverse import multiverse
    from ldn_meta.evidence.effects.effects import normalise
    from ldn_meta.evidence.raw.protocol import Protocol, load_protocol
    from ldn_meta.evidence.raw.tables import Evidence, load_evidence
    from ldn_meta.stats.bayes import (
        pool_bayes,
        pool_bayes_many,
        prior_sensitivity,
        rhodes_prior,
        turner_prior,
    )
    from ldn_meta.stats.bayes_result import BayesResult, TauPrior
    from ldn_meta.stats.dose import dose_for
    from ldn_meta.stats.effects import effect_size
    from ldn_meta.stats.pool import PooledResult, pool, pool_many
    from ldn_meta.stats.rare_events import glmm_proportion, mantel_haenszel, peto
    from ldn_meta.stats.regression import meta_regression
    from ldn_meta.stats.sequential import sequential_look

_HOMES = {
    "pool": "stats.pool",
    "pool_many": "stats.pool",
    "PooledResult": "stats.pool",
    "pool_bayes": "stats.bayes",
    "pool_bayes_many": "stats.bayes",
    "prior_sensitivity": "stats.bayes",
    "BayesResult": "stats.bayes_result",
    "TauPrior": "stats.bayes_result",
    "rhodes_prior": "stats.bayes",
    "turner_prior": "stats.bayes",
    "effect_size": "stats.effects",
    "mantel_haenszel": "stats.rare_events",
    "peto": "stats.rare_events",
    "glmm_proportion": "stats.rare_events",
    "meta_regression": "stats.regression",
    "dose_for": "stats.dose",
    "sequential_look": "stats.sequential",
    "Evidence": "evidence.raw.tables",
    "load_evidence": "evidence.raw.tables",
    "Protocol": "evidence.raw.protocol",
    "load_protocol": "evidence.raw.protocol",
    "normalise": "evidence.effects.effects",
    "multiverse": "evidence.answer.multiverse",
    "forest_plot": "display.figures.forest",
    "effect_direction_plot": "display.figures.directions",
    "albatross_plot": "display.figures.albatross",
    "harvest_plot": "display.figures.directions",
    "specification_curve": "display.figures.specification",
    "cumulative_plot": "display.figures.cumulative",
    "funnel_plot": "display.figures.funnel",
    "sequential_plot": "display.figures.sequential",
    "next_trial_plot": "display.figures.next_trial",
    "included_trials": "display.pages.included",
    "pooled_effect": "display.pages.effect",
    "responder_rates": "display.pages.people",
    "safety": "display.pages.people",
    "robustness": "display.pages.robustness",
    "without_pooling": "display.pages.without_pooling",
    "certainty": "display.pages.certainty",
    "overview": "display.pages.overview",
    "printed_numbers": "display.pages.printed_numbers",
    "claims": "display.pages.claims",
    "dose": "display.pages.dose",
    "study_page": "display.pages.study",
}

__all__ = [
    "BayesResult",
    "Evidence",
    "PooledResult",
    "Protocol",
    "TauPrior",
    "albatross_plot",
    "certainty",
    "claims",
    "cumulative_plot",
    "dose",
    "dose_for",
    "effect_direction_plot",
    "effect_size",
    "forest_plot",
    "funnel_plot",
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
    "pool_bayes",
    "pool_bayes_many",
    "pool_many",
    "pooled_effect",
    "printed_numbers",
    "prior_sensitivity",
    "responder_rates",
    "rhodes_prior",
    "robustness",
    "safety",
    "sequential_look",
    "sequential_plot",
    "specification_curve",
    "study_page",
    "turner_prior",
    "without_pooling",
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
