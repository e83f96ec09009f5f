"""The numbers behind pages, as facts.json files them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ldn_meta.display import sentences
from ldn_meta.display.pages.bayes_tables import bayes_facts
from ldn_meta.display.wording import MEASURES, shown

if TYPE_CHECKING:
    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.evidence.synthesis import Pool


def effect_facts(page: EffectPage) -> dict[str, Any]:
    """Numbers behind the sentences of an effect page."""
    pool = page.pool
    values: dict[str, Any] = {
        "headline": str(page.headline),
        "synthesis": page.synthesis,
        "construct": page.construct,
        "comparator_class": page.comparator_class,
        "what_would_change_it": sentences.what_would_change_it(page),
        "not_in_the_number": page.not_in_the_number,
        "printed": {name: page.printed(name) for name in page.synthesis["directions"]},
        "answer": {
            "label": page.opened.label,
            "outcome": page.outcome,
            "comparison": page.comparator_class,
            "comparative_studies": page.comparative_studies,
            "trials": 0 if pool is None else len(pool.trials),
            "people": 0 if pool is None else pool.people,
            "effect": "nothing pooled" if pool is None else _effect_cell(pool),
            "sentence": sentences.answer(page),
        },
        "variants": {name: pool_facts(found) for name, found in page.variants},
        "beside": [
            {name: row[name] for name in ("effect_id", "study_label", "yi", "ci_low", "ci_high")}
            for row in page.beside.to_dict("records")
        ],
    }
    values["bayes"] = bayes_facts(page)
    if pool is not None and len(pool.trials) > 1:
        values["knapp_hartung"] = pool_numbers(page.knapp_hartung, pool.key["measure"])
    return values


def _effect_cell(pool: Pool) -> str:
    alone = " (one trial)" if len(pool.trials) == 1 else ""
    return f"{MEASURES[pool.key['measure']]} {sentences.size(pool)}{alone}"


def pool_facts(found: Pool | None) -> dict[str, Any]:
    """Numbers of one pool; on the scale of yi, and as displayed."""
    if found is None:
        return {"k": 0}
    return {
        "k": len(found.trials),
        "people": found.people,
        "trials": list(found.trials["study_id"]),
        "effects": list(found.trials["effect_id"]),
        "measure": found.key["measure"],
        "unit": found.key["unit"],
        **pool_numbers(found.result, found.key["measure"]),
    }


def pool_numbers(r: Any, measure: str) -> dict[str, Any]:
    """Numbers of a pooled result; on the scale of yi, and as displayed."""
    names = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    displayed = shown([getattr(r, name) for name in names], measure=measure)
    tau2 = float(r.tau2)
    return {
        **{name: getattr(r, name) for name in names},
        **{f"shown_{name}": v for name, v in zip(names, displayed, strict=True)},
        "se": r.se,
        "p_value": r.p_value,
        "tau2": tau2,
        "tau": math.sqrt(tau2) if tau2 >= 0 else tau2,
        "q": r.q,
        "i2_pct": r.i2_pct,
        "weight_pct": [float(weight) for weight in r.weight_pct],
        "tau2_method": r.tau2_method,
        "ci_method": r.ci_method,
        "notes": list(r.notes),
    }
